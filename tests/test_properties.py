"""Whatever order things arrive in, however late, however often, and whenever one looks."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipclock import chain, judge, rows
from shipclock.book import read_book
from shipclock.sweep import Sweep
from tests.builders import every_clause
from tests.evidence import made, wrong
from tests.stage import SHOP_ID, START, Stage

HOUR = timedelta(hours=1)
END = START + timedelta(days=17)


@pytest.fixture(scope="module", autouse=True)
def every_rule_has_its_clause() -> Iterator[None]:
    """Silence included, and short enough for a life to see it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "policy_for", lambda *_: every_clause(hours=72))
        yield


SCANS = ("info_received", "picked_up", "in_transit", "out_for_delivery", "delivery_attempt_failed")
ENDS = ("delivered", "returning", "returned", "damaged", "lost", "disposed", "delayed", "expired")
STATUSES = st.sampled_from((*SCANS, *ENDS, "no_such_status"))


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[str, int, int]]:
    """What a carrier tells: status, the hour it happened, and how many hours late it arrives."""
    return draw(
        st.lists(
            st.tuples(STATUSES, st.integers(1, 16 * 24), st.integers(0, 6 * 24)),
            min_size=1,
            max_size=8,
            unique_by=lambda scan: scan[:2],
        )
    )


@dataclass(frozen=True)
class Course:
    """What the marketplace does with an order that its own carrier ships, in hours."""

    collected: int
    exception: int | None


courses = st.builds(Course, st.integers(1, 14 * 24), st.none() | st.integers(1, 15 * 24))


def lived(
    scans: list[tuple[str, int, int]], sweeps: list[int], seed: int, course: Course | None = None
) -> dict[str, Any]:
    """An order's life up to day 17, its carrier unknown to the marketplace so that nothing of
    what we do changes what it tells."""
    stage = Stage(untracked_after=None)
    dice = random.Random(seed)
    order_id = stage.sandbox.add_order(
        SHOP_ID,
        items={"MUG": 1},
        shipping_type="TIKTOK" if course else "SELLER",
        delivery_sla_time=int((START + 200 * HOUR).timestamp()),
    )
    number = "SYN-1"
    if course:
        stage.sandbox.arrange(order_id)
        number = str(stage.sandbox.order(order_id)["tracking_number"])
        stage.sandbox.collect(order_id, at=int((START + course.collected * HOUR).timestamp()))
    stage.marketplace_tells()
    arrivals = [(min(hour + late, 17 * 24), status, hour) for status, hour, late in scans]
    arrivals += dice.sample(arrivals, dice.randint(0, len(arrivals)))  # some of it twice
    dice.shuffle(arrivals)
    told = {course.collected, course.exception or 0} if course else set()
    times = sorted({at for at, _, _ in arrivals} | set(sweeps) | told | {17 * 24})
    for at in times:
        stage.until(START + at * HOUR)
        if course and at == course.exception and course.exception > course.collected:
            stage.sandbox.report_exception(order_id)
        stage.marketplace_tells()
        for arrives, status, hour in arrivals:
            if arrives == at:
                stage.carrier_tells(number, status, START + hour * HOUR, order_id, carrier="Nobody")
        if at in sweeps or at == times[-1]:
            stage.sweep()
    stage.settle_down()
    judged = stage.judged(order_id)
    return {
        "status": judged.order.status,
        "parcels": [
            (p.number, p.status, p.failed_attempts, [s.identity for s in p.scans])
            for p in judged.order.parcels
        ],
        "clocks": [
            (t.clock.name, t.clock.part, t.clock.due_at, t.clock.state(END))
            for t in judged.decision.timeline
        ],
        "verdicts": Counter(
            (v.rule, v.number, v.cause, v.due_at, v.state)
            for v in judged.recorded.verdicts.values()
            if v.state != "withdrawn"
        ),
        "wanted": {
            (i.call, i.tracking_number, i.state)
            for i in judged.recorded.intents.values()
            if i.state != "withdrawn"
        },
        **proven(stage, order_id),
    }


def proven(stage: Stage, order_id: str) -> dict[str, Any]:
    """What an order's chain binds of what it was told, and what in its pack does not fit."""
    book = read_book(stage.store, order_id)
    bound = {entry.name for link in chain.read(book.rows).links for entry in link.entries}
    told = [row for row in book.facts() if chain.what(row) in ("scan", "link", "owner")]
    keys = map(rows.key_of, told)
    return {
        "proven": {key for key in keys if chain.name(key) in bound},
        "unproven": wrong(made(stage, order_id)),
    }


@settings(max_examples=120, deadline=None)
@given(
    scans=lives(),
    sweeps=st.lists(st.integers(1, 17 * 24), max_size=12),
    seed=st.integers(0, 1000),
    course=st.none() | courses,
)
def test_any_arrival_order_duplication_delay_and_sweep_times_end_alike(
    scans: list[tuple[str, int, int]], sweeps: list[int], seed: int, course: Course | None
) -> None:
    on_time = [(status, hour, 0) for status, hour, _ in scans]
    ended = lived(scans, sweeps, seed, course)
    assert ended == lived(on_time, [], 0, course)
    assert ended["unproven"] == []


@settings(max_examples=40, deadline=None)
@given(
    times=st.lists(st.integers(-72, 72), min_size=1, max_size=8),
    scan_hour=st.one_of(st.none(), st.integers(1, 100)),
)
def test_time_going_back_repeated_or_days_late_settles_the_same(
    times: list[int], scan_hour: int | None
) -> None:
    """An order about to miss its 120 hours is looked at at odd times, then once in the end."""

    def ended(at_hours: list[int]) -> Any:
        stage = Stage(untracked_after=None)
        order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        stage.marketplace_tells()
        if scan_hour is not None:
            at = START + scan_hour * HOUR
            stage.carrier_tells("SYN-1", "picked_up", at, order_id, carrier="Nobody")
        latest = stage.sweep().due_left
        settled: datetime | None = None
        for hours in at_hours:
            stage.sweep(START + timedelta(hours=120 + hours))
            found = stage.judged(order_id).recorded.settled_at
            assert found is not None
            assert settled is None or found >= settled, "an order's time ran back"
            settled = found
        stage.sweep(START + timedelta(hours=200))
        latest = stage.sweep(START + timedelta(hours=200)).due_left
        assert latest == 0
        recorded = stage.judged(order_id).recorded
        return Counter((v.rule, v.due_at, v.state) for v in recorded.verdicts.values())

    assert ended(times) == ended([])


def test_sweepers_and_pokes_at_once_have_one_effect_and_one_picture() -> None:
    for round_ in range(5):
        stage = Stage()
        orders = [
            stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
            for _ in range(4)
        ]
        stage.marketplace_tells()
        for place, order_id in enumerate(orders):
            stage.carrier_tells(f"SYN-{place}", "picked_up", order_id=order_id)
        keys = [(row["pk"], row["sk"]) for row in stage.kept]
        failures: list[BaseException] = []

        def work(
            poke: bool,
            stage: Stage = stage,
            failures: list[BaseException] = failures,
            keys: list[tuple[str, str]] = keys,
        ) -> None:
            sweep = Sweep(stage.world, stage.now, timedelta(seconds=65))
            try:
                sweep.poke(keys) if poke else sweep.run()
            except BaseException as failure:
                failures.append(failure)
                raise

        threads = [threading.Thread(target=work, args=(n == 3,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        stage.marketplace_tells()
        stage.settle_down()
        assert Counter(e.order_id for e in stage.effects) == Counter(orders), f"round {round_}"
        for order_id in orders:
            assert stage.judged(order_id).order.status == "AWAITING_COLLECTION"
            assert set(stage.intents(order_id).values()) == {"done"}
            assert wrong(made(stage, order_id), stage) == []
