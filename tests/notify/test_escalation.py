"""A line nears at which the marketplace cancels: told step by step, each once, none late."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock import rows
from shipclock.asking import NotAsked
from shipclock.codec import read_shop
from shipclock.connect import change_shop, disconnect
from shipclock.decide import Decision, decide
from shipclock.domain.clock import Notice
from shipclock.domain.level import Level
from shipclock.domain.order import Order, fold
from shipclock.escalation import DEFAULT, PATIENCE, steps_of
from shipclock.notify.ack import acknowledge
from shipclock.onboard import settings_changed
from shipclock.situation import Read, Recorded, Situation
from tests.builders import ORDER, REAL, T0, after, policy, shop, snapshot
from tests.stage import SHOP_ID, START, Stage

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
LINE = after(72)


def order(line: datetime = LINE, **more: Any) -> Order:
    deadlines = {"shipping_due_time": line, **more.pop("deadlines", {})}
    return fold(ORDER, [snapshot(**{"deadlines": deadlines, **more})], [])


def decided(of: Order, now: datetime, recorded: Recorded | None = None, **setting: Any) -> Decision:
    about = Situation(now, policy(), shop(connected=False, **setting))
    return decide(of, recorded or Recorded(), about)


def near(decision: Decision) -> list[Notice]:
    return [notice for notice in decision.notices if notice.kind == "nearing"]


def lived(of: Order, nows: Iterable[datetime], **setting: Any) -> list[tuple[str, datetime]]:
    """What is told over some sweeps, each noting what it said: level and time."""
    recorded, told = Recorded(), []
    for now in nows:
        decision = decided(of, now, recorded, **setting)
        told += [(notice.level, now) for notice in near(decision)]
        keys = recorded.notices | {notice.key for notice in decision.notices}
        recorded = replace(recorded, notices=keys)
    return told


@pytest.mark.parametrize("connected", [True, False])
def test_steps_that_are_changed_count_for_open_orders_whether_the_shop_is_connected_or_not(
    connected: bool,
) -> None:
    stage = Stage()
    line = START + 30 * HOUR
    stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_due_time=int(line.timestamp()))
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(START + 10 * HOUR)
    stage.settle_down()
    if not connected:
        row = stage.store.get((rows.shop_pk(SHOP_ID), rows.LANE))
        assert row is not None
        assert disconnect(stage.store, read_shop(row), row, stage.now, stage.real.now)
        stage.settle_down()
    changed = {"escalation": "15=critical"}
    assert change_shop(stage.store, SHOP_ID, lambda s: settings_changed(s, changed), stage.real.now)
    stage.settle_down()
    stage.announced.clear()
    for minute in (-1, 0):
        stage.until(line - 15 * HOUR + minute * HOUR / 60)
        stage.settle_down()
        told = [e["level"] for e in stage.announced if e["type"] == "order.nearing"]
        assert told == (["critical"] if minute == 0 else [])
    assert stage.sweep().due_left == 0


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (24 * HOUR + SECOND, []),
        (24 * HOUR, ["ordinary"]),
        (24 * HOUR - SECOND, ["ordinary"]),
        (6 * HOUR + SECOND, ["ordinary"]),
        (6 * HOUR, ["urgent"]),
        (HOUR + SECOND, ["urgent"]),
        (HOUR, ["critical"]),
        (SECOND, ["critical"]),
        (timedelta(0), []),
        (-SECOND, []),
    ],
)
def test_the_step_whose_time_it_is_speaks_and_no_other(before: timedelta, told: list[str]) -> None:
    assert [notice.level for notice in near(decided(order(), LINE - before))] == told


def test_it_says_when_what_happens_then_and_what_to_do() -> None:
    (notice,) = near(decided(order(), LINE - HOUR))
    assert notice.due_at == LINE
    assert notice.text.startswith("shipping_due_time runs out on Wed 4 Nov 2026, 10:00 (Asia/Kuala")
    assert "cancels the order and refunds the buyer" in notice.text
    assert "It shows AWAITING_SHIPMENT" in notice.text
    assert f"`shipclock notify ack {ORDER}`" in notice.text


@given(st.lists(st.integers(-30 * 60, 4500), min_size=1, max_size=30), st.booleans())
def test_any_sweeps_tell_each_step_once_louder_and_louder_and_skip_what_was_slept_through(
    minutes: list[int], twice: bool
) -> None:
    nows = sorted(LINE - timedelta(minutes=m) for m in minutes)
    nows = [now for now in nows for _ in range(1 + twice)]
    told = lived(order(), nows)
    levels = [level for level, _ in told]
    louder = ["ordinary", "urgent", "critical"]
    assert levels == sorted(set(levels), key=louder.index)
    ends = {"ordinary": (24, 6), "urgent": (6, 1), "critical": (1, 0)}
    for level, (first, last) in ends.items():
        own = [now for now in nows if LINE - first * HOUR <= now < LINE - last * HOUR]
        assert [now for lvl, now in told if lvl == level] == own[:1]


def test_an_order_wakes_for_each_step_and_for_the_line() -> None:
    now, woken = T0, []
    while now < LINE:
        wake_at = decided(order(), now).wake_at
        assert wake_at is not None
        now = wake_at
        woken.append(now)
    assert woken[-4:] == [LINE - 24 * HOUR, LINE - 6 * HOUR, LINE - HOUR, LINE]


def test_a_line_that_is_moved_speaks_anew() -> None:
    first = decided(order(), LINE - HOUR)
    recorded = Recorded(notices=frozenset(notice.key for notice in first.notices))
    assert near(decided(order(), LINE - HOUR, recorded)) == []
    moved = order(LINE + 2 * HOUR)
    assert [n.level for n in near(decided(moved, LINE - HOUR, recorded))] == ["urgent"]


@pytest.mark.parametrize(
    "status", ["AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "CANCELLED", "COMPLETED"]
)
def test_a_line_that_was_reached_or_no_longer_matters_is_not_told_of(status: str) -> None:
    assert near(decided(order(status=status, hours=1), LINE - HOUR)) == []


def test_steps_that_lie_before_the_clock_began_are_left_out() -> None:
    soon = order(after(5))  # the marketplace gave it five hours
    assert near(decided(soon, after(0.1))) == []
    assert [n.level for n in near(decided(soon, after(4)))] == ["critical"]


def test_a_line_whose_rule_reminds_by_itself_is_told_of_only_where_it_presses() -> None:
    plain = fold(ORDER, [snapshot()], [])  # cancelled after fifteen days without tracking
    end = after(15 * 24)
    told = {n: [m.level for m in near(decided(plain, end - n * HOUR))] for n in (24, 7, 6, 1)}
    assert told == {24: [], 7: [], 6: ["urgent"], 1: ["critical"]}


def test_metric_lines_are_not_told_of() -> None:
    of = fold(ORDER, [snapshot(deadlines={"rts_sla_time": LINE})], [])
    assert near(decided(of, LINE - HOUR)) == []


def test_while_a_re_read_is_owed_a_step_waits_for_it_but_not_for_long() -> None:
    about = Situation(LINE - HOUR, policy(), shop())

    def levels(now: datetime, read: Read) -> list[str]:
        known = Recorded(read=read)
        found = decide(order(sent=T0), known, replace(about, now=now))
        return [notice.level for notice in near(found)]

    stale, fresh = Read(as_of=T0), Read(as_of=LINE - HOUR, requested_at=REAL)
    assert levels(LINE - HOUR, stale) == []
    assert levels(LINE - HOUR, fresh) == ["critical"]
    assert levels(LINE - HOUR, replace(stale, failures=1, failed_at=REAL)) == ["critical"]
    assert levels(LINE - HOUR + PATIENCE - SECOND, stale) == []
    assert levels(LINE - HOUR + PATIENCE, stale) == ["critical"]


# The table


def test_a_shop_may_have_other_steps_or_none() -> None:
    assert steps_of("") == steps_of(DEFAULT)
    assert [(s.hours, s.level) for s in steps_of("2=critical, 48=ordinary")] == [
        (48, Level.ORDINARY),
        (2, Level.CRITICAL),
    ]
    nows = [LINE - n * HOUR for n in range(72, 0, -1)]
    assert lived(order(), nows, escalation="off") == []
    assert lived(order(), nows, escalation="48=urgent,2=urgent") == [
        ("urgent", LINE - 48 * HOUR),
        ("urgent", LINE - 2 * HOUR),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "24",
        "24=loud",
        "0=urgent",
        "721=urgent",
        "1=urgent,1=critical",
        "1.5=urgent",
        ",",
        "=urgent",
    ],
)
def test_steps_that_are_none_say_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match="such as 24=ordinary,6=urgent,1=critical; or off"):
        steps_of(text)


# Acknowledged


def story() -> tuple[Stage, str]:
    stage = Stage()
    line = int((START + 30 * HOUR).timestamp())
    order_id = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_due_time=line)
    stage.marketplace_tells()
    stage.settle_down()
    return stage, order_id


def nearing(stage: Stage) -> list[str]:
    return [str(e["level"]) for e in stage.announced if e["type"] == "order.nearing"]


def at(stage: Stage, hours: float) -> None:
    stage.until(START + hours * HOUR)
    stage.marketplace_tells()
    stage.settle_down()


def test_a_step_goes_through_the_whole_product_to_people_in_time() -> None:
    stage, _ = story()
    for hours in range(10, 60):
        at(stage, hours / 2)
    assert nearing(stage) == ["ordinary", "urgent", "critical"]
    levels = [attributes["level"] for _, _, attributes in stage.outlets.published]
    assert levels == ["ordinary", "urgent", "critical"]


def test_what_a_person_acknowledged_is_not_told_again_until_the_line_is_moved() -> None:
    stage, order_id = story()
    at(stage, 6)
    (clock,) = acknowledge(stage.store, order_id, "ann", stage.real.now)
    assert clock.name == "shipping_due_time"
    acknowledge(stage.store, order_id, "ann", stage.real.now)
    for hours in (7, 25, 29):
        at(stage, hours)
    assert nearing(stage) == ["ordinary"]
    assert stage.verdicts(order_id).get("shipping_due_time") is None
    row = stage.memory.get((rows.order_pk(order_id), rows.ACK))
    assert row is not None
    assert row["by"] == "ann"


def test_there_must_be_an_order_and_a_line_ahead_to_acknowledge() -> None:
    stage, _ = story()
    with pytest.raises(NotAsked, match="no order 123"):
        acknowledge(stage.store, "123", "ann", stage.real.now)
    theirs = stage.sandbox.add_order(
        SHOP_ID, items={"MUG": 1}, fulfillment_type="FULFILLMENT_BY_TIKTOK"
    )
    stage.marketplace_tells()
    stage.settle_down()
    with pytest.raises(NotAsked, match="no line ahead"):
        acknowledge(stage.store, theirs, "ann", stage.real.now)
