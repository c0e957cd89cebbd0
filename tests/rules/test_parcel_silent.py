"""A parcel's silence: at its instants, ended, told late, doubted, taken back.

The pack here has a clause of 240 hours; hours count from when the order was placed.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.clock import Clock, ClockState
from shipclock.domain.order import Order
from shipclock.domain.tracking import NOT_A_SCAN, TERMINAL, Scan, TimeBasis, TrackingStatus
from shipclock.rules import RULES, next_instant, timeline
from tests import builders
from tests.builders import (
    NUMBER,
    SECOND,
    T0,
    after,
    every_clause,
    folded,
    line,
    numbered,
    policy,
    snapshot,
)

NAME = "parcel_silent"
POLICY = every_clause()
LATER = after(24 * 400)
ZERO, HOUR = timedelta(0), timedelta(hours=1)
OTHER_NUMBER = "SYN000202"
TEN_DAYS = 240
MOVES = [status for status in TrackingStatus if status not in NOT_A_SCAN | TERMINAL]


def scan(status: str = "in_transit", hours: float = 0, **more: Any) -> Scan:
    """A scan that was told after everything else, unless told otherwise."""
    return builders.scan(status, hours, **{"received_at": LATER, **more})


def order(*scans: Any, status: str = "IN_TRANSIT", **more: Any) -> Order:
    return folded(snapshot(status, **more), numbers=(numbered(*scans),))


def clocks(of: Order) -> list[Clock]:
    return [tick.clock for tick in timeline(of, POLICY) if tick.clock.name == NAME]


@pytest.mark.parametrize(("shipping", "runs"), [("SELLER", 1), ("TIKTOK", 0), ("", 0)])
def test_a_clause_that_says_of_which_shipping_it_is_is_of_no_other(
    shipping: str, runs: int
) -> None:
    clause = POLICY.pack.clauses[NAME].model_copy(update={"shipping": ("SELLER",)})
    pack = POLICY.pack.model_copy(update={"clauses": {**POLICY.pack.clauses, NAME: clause}})
    sent = order(scan(), shipping_type=shipping)
    own = [t for t in timeline(sent, replace(POLICY, pack=pack)) if t.clock.name == NAME]
    assert (len(own), len(clocks(sent))) == (runs, 1)


def told(of: Order, now: datetime = LATER) -> list[tuple[datetime | None, str]]:
    """Where each listed run began, and how it stands: a missed one as its verdict does."""
    return [
        (
            clock.starts_at,
            ("overtaken" if clock.overtaken else "standing")
            if clock.state(now) is ClockState.MISSED
            else clock.state(now).value,
        )
        for clock in clocks(of)
    ]


# What begins a run, and what stops it


@pytest.mark.parametrize(
    ("off", "state"), [(-SECOND, "running"), (ZERO, "missed"), (SECOND, "missed")]
)
@pytest.mark.parametrize("shipping_type", ["SELLER", "TIKTOK", ""])
def test_a_parcel_without_a_scan_for_so_long_is_missed_whoever_ships_it(
    shipping_type: str, off: timedelta, state: str
) -> None:
    (clock,) = clocks(order(scan("picked_up", 10), shipping_type=shipping_type))
    assert (clock.starts_at, clock.due_at) == (after(10), after(10 + TEN_DAYS))
    assert clock.state(clock.due_at + off).value == state


@pytest.mark.parametrize(
    ("off", "first"), [(-SECOND, None), (ZERO, None), (SECOND, (after(10), "overtaken"))]
)
def test_the_next_scan_stops_it_by_its_own_time_and_begins_another(
    off: timedelta, first: tuple[datetime, str] | None
) -> None:
    at = after(10 + TEN_DAYS) + off
    second = scan(occurred_at=at)
    of = order(scan("picked_up", 10), second)
    assert told(of, at) == [*([first] if first else []), (at, "running")]
    assert told(of) == [*([first] if first else []), (at, "standing")]


@pytest.mark.parametrize("status", MOVES)
def test_any_scan_begins_a_run(status: TrackingStatus) -> None:
    assert told(order(scan("picked_up", 1), scan(status, 10)), after(11)) == [
        (after(10), "running")
    ]


@pytest.mark.parametrize("status", sorted(NOT_A_SCAN - TERMINAL))
def test_what_is_no_scan_neither_begins_nor_stops_a_run(status: TrackingStatus) -> None:
    assert told(order(scan(status, 10))) == []
    assert told(order(scan("picked_up", 10), scan(status, 20))) == [(after(10), "standing")]


def test_what_the_warehouse_holds_back_is_with_no_carrier_yet() -> None:
    held = scan("on_hold", 10, reason="fulfilment_issue")
    assert told(order(held)) == []
    assert told(order(held, scan("picked_up", 20))) == [(after(20), "standing")]


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_an_end_stops_it_and_begins_none(end: TrackingStatus) -> None:
    assert told(order(scan("picked_up", 10), scan(end, 20))) == [(after(10), "met")]
    assert told(order(scan("picked_up", 10), scan(end, 10 + TEN_DAYS + 1))) == [
        (after(10), "overtaken")
    ]
    assert told(order(scan(end, 20))) == []


@pytest.mark.parametrize("other", ["in_transit", "delayed", "returning"])
def test_an_end_is_an_end_whatever_else_is_told_of_the_same_second(other: str) -> None:
    of = order(scan("picked_up", 10), scan("delivered", 20), scan(other, 20))
    assert told(of) == [(after(10), "met")]


def test_what_goes_on_after_an_end_is_waited_for_anew() -> None:
    of = order(scan("picked_up", 10), scan("lost", 20), scan("in_transit", 600))
    assert told(of) == [(after(600), "standing")]


@pytest.mark.parametrize(
    ("hours", "state"), [(5, "met"), (250, "met"), (250 + 1 / 3600, "overtaken")]
)
def test_the_marketplaces_delivered_ends_it(hours: float, state: str) -> None:
    of = order(scan("picked_up", 10), status="DELIVERED", delivery_time=after(hours))
    assert told(of) == [(after(10), state)]


@pytest.mark.parametrize(
    ("off", "state"), [(-SECOND, "stopped"), (ZERO, "stopped"), (SECOND, "standing")]
)
def test_a_cancellation_up_to_the_instant_stops_it(off: timedelta, state: str) -> None:
    of = order(scan("picked_up", 10), status="CANCELLED", cancel_time=after(250) + off)
    assert told(of) == [(after(10), state)]


def test_each_package_is_waited_for_by_itself() -> None:
    of = folded(
        snapshot(
            "IN_TRANSIT",
            lines=(
                line("1", package_id="P1", tracking_number=NUMBER),
                line("2", package_id="P2", tracking_number=OTHER_NUMBER),
                line("3", package_id="P3"),
            ),
        ),
        numbers=(
            numbered(scan("picked_up", 10), scan("in_transit", 200)),
            numbered(scan("picked_up", 12, number=OTHER_NUMBER), number=OTHER_NUMBER),
        ),
    )
    assert [(c.package_id, c.number, c.due_at) for c in clocks(of)] == [
        ("P1", NUMBER, after(440)),
        ("P2", OTHER_NUMBER, after(252)),
    ]


def test_of_many_runs_the_newest_is_listed_and_those_that_were_too_long() -> None:
    hours = (1, 2, 30, 300, 301, 700, 705)
    of = order(*(scan("in_transit", at) for at in hours))
    assert told(of, after(706)) == [
        (after(30), "overtaken"),
        (after(301), "overtaken"),
        (after(705), "running"),
    ]
    assert next_instant(timeline(of, POLICY), POLICY, after(706)) == after(705 + TEN_DAYS)


def test_a_pack_without_the_clause_waits_for_no_scan() -> None:
    rules = {tick.rule.name for tick in timeline(order(scan("picked_up", 10)), policy())}
    assert NAME not in rules


def test_before_the_order_itself_is_known_there_is_no_clock() -> None:
    assert timeline(folded(numbers=(numbered(scan("picked_up", 10)),)), POLICY) == ()


# Times that prove nothing


@pytest.mark.parametrize("basis", [TimeBasis.ZONE, TimeBasis.RECEIVED])
@pytest.mark.parametrize("hours", [5, 100, 900])
@pytest.mark.parametrize("status", ["in_transit", "delivered"])
def test_a_scan_of_unsure_time_begins_no_run_and_stops_every_one_it_may_fall_into(
    basis: TimeBasis, hours: float, status: str
) -> None:
    unsure = scan(status, hours, basis=basis, received_at=after(500))
    assert told(order(unsure)) == []
    of = order(scan("picked_up", 10), scan("in_transit", 400), unsure)
    assert told(of) == [(after(400), "met")]


@pytest.mark.parametrize(
    ("received", "state"),
    [(10 - 1 / 3600, "standing"), (10, "standing"), (10 + 1 / 3600, "met"), (400, "met")],
)
def test_what_was_known_before_a_run_began_was_not_within_it(received: float, state: str) -> None:
    unsure = scan("in_transit", 300, basis=TimeBasis.ZONE, received_at=after(received))
    assert told(order(scan("picked_up", 10), unsure)) == [(after(10), state)]


def test_of_several_scans_of_unsure_time_any_that_was_told_within_the_run_stops_it() -> None:
    early = scan("in_transit", 900, basis=TimeBasis.ZONE, received_at=after(9))
    late = scan("in_transit", 5, basis=TimeBasis.ZONE, received_at=after(500))
    assert told(order(scan("picked_up", 10), early)) == [(after(10), "standing")]
    assert told(order(scan("picked_up", 10), early, late)) == [(after(10), "met")]


def test_a_scan_dated_far_ahead_of_its_receipt_proves_no_silence() -> None:
    ahead = scan("in_transit", 300, received_at=after(30))
    assert told(order(scan("picked_up", 10), ahead)) == [(after(10), "met")]
    # and what is sure and came after it is waited for again
    of = order(scan("picked_up", 10), ahead, scan("in_transit", 40))
    assert told(of) == [(after(40), "standing")]


# What is said


def explained(of: Order) -> list[str]:
    (rule,) = (rule for rule in RULES if rule.name == NAME)
    return [rule.explain(of, clock, POLICY) for clock in clocks(of)]


def test_it_tells_how_long_nobody_heard_whose_scan_was_the_last_and_what_to_do() -> None:
    (text,) = explained(
        order(
            scan("picked_up", 10, written="SYN-000 101", carrier="Synthetic Express"),
            scan("picked_up", 40, carrier="Third Post"),
            scan("in_transit", 40, carrier="Other Post"),
            scan("unknown", 40, carrier="Nobody"),
            scan("on_hold", 40, carrier="Nobody", basis=TimeBasis.ZONE),
        )
    )
    assert text.startswith(
        "Nothing was heard of SYN-000 101 for 10 days: the last scan of Other Post is in_transit, "
        "of Tue 3 Nov 2026, 02:00 (Asia/Kuala_Lumpur). "
    )
    assert "Ask Other Post where it is" in text
    assert "tell the buyer" in text
    assert "shipclock doctor" in text


@pytest.mark.parametrize(
    ("hours", "span"), [(1, "1 hour"), (36, "36 hours"), (24, "1 day"), (168, "7 days")]
)
def test_the_span_is_the_packs_in_days_where_it_is_whole_days(hours: int, span: str) -> None:
    (rule,) = (rule for rule in RULES if rule.name == NAME)
    of, judged_by = order(scan("picked_up", 10)), every_clause(hours=hours)
    (text,) = (
        rule.explain(of, tick.clock, judged_by)
        for tick in timeline(of, judged_by)
        if tick.clock.name == NAME
    )
    assert f" for {span}: the last scan of the carrier is picked_up" in text


def test_a_scan_that_names_no_carrier_is_the_parcels() -> None:
    (text,) = explained(
        order(scan("picked_up", 10, carrier="Synthetic Express"), scan("in_transit", 40))
    )
    assert "the last scan of Synthetic Express is in_transit" in text


def test_of_a_parcel_that_the_order_has_no_more_nothing_is_made_up() -> None:
    (rule,) = (rule for rule in RULES if rule.name == NAME)
    gone = Clock(NAME, after(250), "", number=NUMBER)
    text = rule.explain(folded(snapshot()), gone, POLICY)
    assert f"heard of {NUMBER} for 0 days: the last scan of the carrier is unknown" in text


def test_a_number_with_two_thousand_scans_is_walked_once() -> None:
    scans = [scan("in_transit", hours / 10) for hours in range(2000)]
    scans += [scan("on_hold", 1, basis=TimeBasis.ZONE, received_at=T0) for _ in range(5)]
    assert told(order(*scans), after(200)) == [(after(199.9), "running")]
