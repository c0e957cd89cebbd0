"""The forecast of one order: it says what sweeps will say, neither more nor less nor later."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.wire import StoryError
from shipclock import codec, rows
from shipclock.book import read_book
from shipclock.connect import disconnect
from shipclock.domain.clock import VerdictState
from shipclock.domain.order import Order
from shipclock.domain.times import parse
from shipclock.escalation import NEARING
from shipclock.horizon.forecast import Forecast, Foreseen, forecast
from shipclock.judge import Settled, judge
from shipclock.rules.policy import Policy
from shipclock.shops import Shops
from shipclock.situation import Read, Recorded, Situation
from tests.builders import (
    T0,
    after,
    case,
    deadline,
    folded,
    hint,
    numbered,
    patient,
    policy,
    scan,
    shop,
    snapshot,
    with_deadlines,
)
from tests.rules import lives
from tests.rules.lives import Life, made_up
from tests.rules.oracle import Book
from tests.stage import SHOP_ID, START, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AHEAD = 21 * DAY

Said = tuple[str, datetime, datetime | None, str]
"""A key, when it is said, the verdict's instant, its state."""


def said(foreseen: Iterable[Foreseen]) -> set[Said]:
    return {(one.key, one.at, one.due_at, one.state or "") for one in foreseen}


# Against the sweeper

STATUSES = st.sampled_from(
    ("info_received", "picked_up", "in_transit", "delivery_attempt_failed", "delivered", "lost")
)
FIELDS = (
    *("shipping_due_time", "collection_due_time", "delivery_due_time"),
    *("rts_sla_time", "tts_sla_time", "delivery_sla_time"),
)


PLACES = (
    ("MY", "Asia/Kuala_Lumpur"),
    ("TH", "Asia/Bangkok"),
    ("VN", "Asia/Ho_Chi_Minh"),
    ("US", "America/New_York"),
    ("UK", "Europe/London"),
    ("IE", "Europe/Dublin"),
)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    """What an order is: who ships it, its deadline fields in hours, what carriers told of it."""
    return {
        "tiktok": draw(st.booleans()),
        "fields": draw(st.dictionaries(st.sampled_from(FIELDS), st.integers(2, 400), max_size=3)),
        "scans": draw(st.lists(st.tuples(STATUSES, st.integers(1, 200)), max_size=4)),
        "asks": draw(st.booleans()),
        "hours": draw(st.integers(0, 380)),
        "connected": draw(st.sampled_from((True, True, True, False))),
        "place": draw(st.sampled_from(PLACES)),
    }


def placed(stage: Stage, wish: dict[str, Any]) -> str:
    """An order of that kind, settled at its hour."""
    fields: dict[str, Any] = {
        name: int((START + hours * HOUR).timestamp()) for name, hours in wish["fields"].items()
    }
    shipping = "TIKTOK" if wish["tiktok"] else "SELLER"
    order_id = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_type=shipping, **fields)
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(START + wish["hours"] * HOUR)
    if wish["asks"]:
        with suppress(StoryError):  # one that was cancelled at a hard line is not asked about
            stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    for status, hour in wish["scans"]:
        if hour <= wish["hours"]:
            at = START + hour * HOUR
            stage.carrier_tells("SYN-1", status, at, order_id, carrier="Nobody")
    stage.settle_down()
    return order_id


def recorded(stage: Stage, order_id: str) -> set[Said]:
    """Every verdict and notice of an order that is on record."""
    pk = rows.order_pk(order_id)
    verdicts = map(codec.read_verdict, stage.store.read(pk, rows.VERDICT))
    notices = map(codec.read_notice, stage.store.read(pk, rows.NOTICE))
    return {(v.key, v.noticed_at, v.due_at, v.state.value) for v in verdicts} | {
        (n.key, n.at, None, "") for n in notices
    }


def judged_by_the_table(stage: Stage, order_id: str) -> Settled:
    """The order as a settle at the story's time would find it, its shop included."""
    book = read_book(stage.store, order_id)
    return judge(stage.store, book, Shops(stage.store).get, stage.now, stage.real.now)


def next_due(stage: Stage, now: datetime) -> datetime:
    """The next instant at which anything of an order is due."""
    marks = [
        str(row["due_at"])
        for pk, part in stage.memory.rows.items()
        for row in part.values()
        if pk.startswith("ORDER#") and "due_at" in row
    ]
    instants = [parse(mark) for mark in marks if not rows.real_time(mark)]
    return min((at for at in instants if at > now), default=now + AHEAD)


def test_sweeping_without_new_facts_says_exactly_what_was_forecast() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=60, deadline=None)
    @given(wish=wishes())
    def holds(wish: dict[str, Any]) -> None:
        market, zone = wish["place"]
        stage = Stage(untracked_after=None, market=market, zone=zone)
        order_id = placed(stage, wish)
        if not wish["connected"]:
            lane = stage.store.get((rows.shop_pk(SHOP_ID), rows.LANE))
            assert lane is not None
            disconnect(stage.store, stage.shop(), lane, stage.now, stage.real.now)
        now, until = stage.now, stage.now + AHEAD
        judged = judged_by_the_table(stage, order_id)
        foretold = forecast(judged.order, judged.recorded, judged.situation, until)
        seen.update(one.kind for one in foretold.foreseen)
        before = recorded(stage, order_id)

        while now <= until:  # the marketplace stands still: only the story's time goes on
            stage.real.pass_time(60)
            stage.sweep(now)
            now = next_due(stage, now)

        assert stage.judged(order_id).order.events == judged.order.events, "a fact came after all"
        assert recorded(stage, order_id) - before == said(foretold.foreseen)

    holds()
    assert {"hard", "metric", "deemed", "alert", "warning", "reminder"} <= seen.keys()


# Against an evaluation that knows nothing of the rules' code


REMINDING = ("untracked", "buyer_cancel_request")
"""The guide's clocks of whose notices the oracle knows; it knows those of deadlines too."""


def told_by(life: Life, book: Book, now: datetime, looks: Iterable[datetime]) -> set[Any]:
    """What the oracle says anew when it looks at these instants, no fact arriving after `now`."""
    facts, before = life.known(now), book.said()
    for look in sorted(looks):
        book.sweep(facts, look, ZoneInfo(life.zone), life.by_hand)
    said = book.said() - before
    return {row[:3] if row[0] == NEARING else row for row in said}  # how loud is not foreseen


def compared(one: Foreseen) -> tuple[Any, ...]:
    """A thing foreseen as the oracle words it."""
    if one.due_at is None:
        about = one.key.split("#", 2)[2]
        if one.kind == NEARING:
            return one.kind, one.clock, about
        return one.kind, about if one.clock in REMINDING else f"{one.clock}#{about}"
    return one.clock, one.key.split("#")[1], one.due_at, one.state or ""


def looked_at(life: Life, now: datetime) -> tuple[Recorded, Situation, Any]:
    """The life as the product has it at an instant."""
    settled = lives.Settled()
    settled.sweep(life.known(now), now, life.policy())
    about = Situation(now, life.policy(), shop(connected=False))
    return settled.recorded, about, lives.folded(life.known(now))


@patient
@given(st.integers(min_value=0), st.data())
def test_a_forecast_says_what_a_second_evaluation_says_at_any_looks(
    name: int, data: st.DataObject
) -> None:
    life = made_up(f"ahead:{name}")
    now = data.draw(st.sampled_from(life.looks))
    kept, about, order = looked_at(life, now)
    foretold = forecast(order, kept, about, now + AHEAD)
    known = {*REMINDING, *life.pack.get("deadlines", {})}
    told = [
        one for one in foretold.foreseen if one.due_at or one.kind == NEARING or one.clock in known
    ]
    book = Book(life.pack)
    book.sweep(life.known(now), now, ZoneInfo(life.zone), life.by_hand)
    extra = data.draw(st.lists(st.integers(1, int(AHEAD.total_seconds())), max_size=8))
    odd = {now + timedelta(seconds=seconds) for seconds in extra}
    said_then = told_by(life, book, now, {one.at for one in told} | {now + AHEAD} | odd)
    assert {compared(one) for one in told} == said_then


# One order


def foretold(
    order: Order,
    now: datetime = T0,
    until: datetime = T0 + AHEAD,
    recorded: Recorded | None = None,
    judged_by: Policy | None = None,
    **more: Any,
) -> Forecast:
    about = Situation(now, judged_by or policy(), shop(**more))
    return forecast(order, recorded or Recorded(), about, until)


def hours(told: Forecast, *kinds: str) -> list[tuple[str, float]]:
    """Kind or clock, and when it is said in hours after the order."""
    return [
        (one.clock, (one.at - T0) / HOUR) for one in told.foreseen if not kinds or one.kind in kinds
    ]


UNMOVED = folded(snapshot())


def test_an_order_that_nobody_ships_is_reminded_of_warned_of_and_cancelled() -> None:
    told = foretold(UNMOVED)
    assert hours(told, "metric") == [("status_update", 120)]
    # nine o'clock in Kuala Lumpur is 01:00 UTC, 23 hours after the order's 02:00
    assert hours(told, "reminder") == [
        ("untracked", 120),
        *(("untracked", 24 * day + 23) for day in range(5, 15)),
    ]
    assert hours(told, "warning") == [("untracked", 14 * 24)]
    assert hours(told, "hard") == [("untracked", 15 * 24)]
    assert (told.cancelled_at, told.cancelled_by) == (after(15 * 24), "untracked")
    assert not any(one.moot for one in told.foreseen)


@pytest.mark.parametrize(
    ("until", "count"), [(-1, 0), (0, 2), (1, 2)], ids=["a second short", "to the second", "later"]
)
def test_what_falls_on_the_last_instant_is_foreseen(until: int, count: int) -> None:
    end = after(120) + until * timedelta(seconds=1)
    assert len(foretold(UNMOVED, until=end).foreseen) == count


def test_what_comes_after_a_hard_line_comes_only_if_the_marketplace_does_not_cancel() -> None:
    lined = folded(
        snapshot(
            deadlines={
                "shipping_due_time": after(50),
                "tts_sla_time": after(50),
                "delivery_due_time": after(80),
                "delivery_sla_time": after(90),
            }
        )
    )
    told = foretold(lined, until=after(100))
    assert (told.cancelled_at, told.cancelled_by) == (after(50), "shipping_due_time")
    moot = {(one.clock, one.moot) for one in told.foreseen}
    assert moot == {
        ("shipping_due_time", False),
        ("tts_sla_time", False),
        ("delivery_due_time", True),
        ("delivery_sla_time", True),
        ("delivery_period", True),
        ("abnormal_delivery", True),
    }


def test_what_is_deemed_says_so() -> None:
    moving = folded(snapshot("IN_TRANSIT", 2), numbers=(numbered(scan("in_transit", 2)),))
    told = foretold(moving)
    assert [(one.kind, one.clock, one.cause, one.number) for one in told.foreseen] == [
        ("deemed", "not_acknowledged", "deemed_lost", "SYN000101"),
        ("alert", "abnormal_delivery", "deemed_lost", "SYN000101"),
    ]
    assert {one.at for one in told.foreseen} == {after(12 * 24)}
    assert told.cancelled_at is None


def test_a_packs_own_deadlines_are_foreseen_with_their_warnings() -> None:
    own = with_deadlines(
        dispatch=deadline(hours=48, line="hard", warn_hours=(24, 6)),
        arrival=deadline(hours=72, stops="delivered", then="deem_delayed"),
        counted=deadline(hours=96),
    )
    told = foretold(UNMOVED, until=after(100), judged_by=own)
    assert [
        (one.kind, one.clock, one.cause, (one.at - T0) / HOUR, one.moot) for one in told.foreseen
    ] == [
        ("warning", "dispatch", "", 24, False),
        ("warning", "dispatch", "", 42, False),
        ("nearing", "dispatch", "", 42, False),
        ("nearing", "dispatch", "", 47, False),
        ("hard", "dispatch", "", 48, False),
        ("deemed", "arrival", "deemed_delayed", 72, True),
        ("alert", "abnormal_delivery", "deemed_delayed", 72, True),
        ("metric", "counted", "", 96, True),
    ]


def test_a_buyers_request_that_waits_is_answered_by_the_marketplace() -> None:
    asked = folded(
        snapshot(cancel_requested=True),
        case("CANCELLATION_REQUEST_PENDING", 1, deadline=after(25)),
    )
    told = foretold(asked, now=after(2), until=after(30))
    assert hours(told, "warning", "hard") == [
        ("buyer_cancel_request", 19),
        ("buyer_cancel_request", 25),
    ]
    assert told.cancelled_by == "buyer_cancel_request"


def test_what_was_told_already_is_not_foreseen_again() -> None:
    first = foretold(UNMOVED, until=after(200))
    keys = frozenset(one.key for one in first.foreseen if one.due_at is None)
    again = foretold(UNMOVED, now=after(200), recorded=Recorded(notices=keys))
    assert not keys & {one.key for one in again.foreseen}
    assert ("status_update", 200.0) in hours(again, "metric"), "it was never recorded"


def test_a_sweep_that_is_late_says_at_once_what_it_owes() -> None:
    told = foretold(UNMOVED, now=after(130), until=after(131))
    assert hours(told) == [("status_update", 130), ("untracked", 130)]
    assert [one.due_at for one in told.foreseen] == [after(120), None]


def test_a_verdict_that_waits_for_a_re_read_waits_no_longer_than_that_takes() -> None:
    lined = folded(snapshot(deadlines={"shipping_due_time": after(50)}), hint(hours=49))
    assert ("shipping_due_time", 50) in hours(foretold(lined, now=after(49), until=after(51)))


def test_a_re_read_that_was_put_off_is_waited_for() -> None:
    """The marketplace did not answer: a hard line waits for the next try, at most an hour."""
    lined = folded(snapshot(deadlines={"shipping_due_time": after(50)}))
    put_off = Read(failures=3, failed_at=after(10_000), not_before=after(50, minutes=20))
    told = foretold(lined, now=after(49), until=after(60), recorded=Recorded(read=put_off))
    (line,) = [one for one in told.foreseen if one.kind == "hard"]
    assert (line.at, line.due_at) == (after(50, minutes=20), after(50))
    later = replace(put_off, not_before=after(55))
    told = foretold(lined, now=after(49), until=after(60), recorded=Recorded(read=later))
    assert [one.at for one in told.foreseen if one.kind == "hard"] == [after(51)]


@pytest.mark.parametrize(
    "order",
    [
        folded(),
        folded(hint()),
        folded(snapshot("CANCELLED", 3)),
        folded(snapshot("COMPLETED", 3)),
        folded(snapshot(fulfillment_type="FULFILLMENT_BY_TIKTOK")),
        folded(snapshot(shipping_type="TIKTOK_DIGITAL")),
    ],
    ids=["nothing", "a hint", "cancelled", "completed", "theirs", "digital"],
)
def test_an_order_without_clocks_that_run_has_nothing_ahead(order: Order) -> None:
    assert foretold(order).foreseen == ()


def test_without_a_shop_or_a_policy_nothing_is_foreseen() -> None:
    for about in (Situation(after()), Situation(after(), None, shop())):
        assert forecast(UNMOVED, Recorded(), about, after(500)).foreseen == ()


def test_nothing_is_foreseen_of_a_span_that_is_over() -> None:
    assert foretold(UNMOVED, now=after(500), until=after(499)).foreseen == ()


def test_an_order_of_a_disconnected_shop_is_foreseen_alike() -> None:
    assert foretold(UNMOVED, connected=False) == foretold(UNMOVED)


@pytest.mark.parametrize(
    ("zone", "placed_at", "change"),
    [
        ("America/New_York", datetime(2026, 10, 25, 12, tzinfo=UTC), "back on 1 November"),
        ("Europe/London", datetime(2026, 3, 20, 12, tzinfo=UTC), "ahead on 29 March"),
    ],
)
def test_reminders_stay_at_nine_where_the_clocks_are_changed(
    zone: str, placed_at: datetime, change: str
) -> None:
    order = folded(snapshot(create_time=placed_at, update_time=placed_at))
    told = forecast(
        order, Recorded(), Situation(placed_at, policy(zone), shop()), placed_at + 20 * DAY
    )
    daily = [one.at for one in told.foreseen if one.kind == "reminder"][1:]
    assert {at.astimezone(ZoneInfo(zone)).hour for at in daily} == {9}
    assert len({at.hour for at in daily}) == 2, f"the clocks went {change}"


def test_a_forecast_changes_nothing_and_is_the_same_each_time() -> None:
    recorded = Recorded()
    assert foretold(UNMOVED, recorded=recorded) == foretold(UNMOVED, recorded=recorded)
    assert recorded == Recorded()


def test_a_verdict_that_was_overtaken_before_anybody_looked_cancels_nothing() -> None:
    late = folded(
        snapshot(deadlines={"shipping_due_time": after(50)}),
        snapshot("AWAITING_COLLECTION", 60, deadlines={"shipping_due_time": after(50)}),
    )
    told = foretold(late, now=after(70), until=after(71))
    (line,) = [one for one in told.foreseen if one.kind == "hard"]
    assert line.state is VerdictState.OVERTAKEN
    assert told.cancelled_at is None
