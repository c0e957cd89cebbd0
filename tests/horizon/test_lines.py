"""What a running clock is called, what stops it and what to do: words for before it runs out."""

from datetime import datetime
from typing import Any

import pytest

from shipclock.domain.clock import Clock
from shipclock.domain.fields import FIELDS, HARD, LEGACY
from shipclock.domain.order import Order
from shipclock.horizon.ahead import running_out, watched
from shipclock.horizon.lines import AIMS, ENDS, Line, line_of, stops, to_do
from shipclock.rules import RULES, Ticking, deadlines, timeline
from shipclock.rules.deadlines import STOPS
from shipclock.rules.policy import Policy
from shipclock.situation import Recorded, Situation
from tests.builders import (
    T0,
    after,
    case,
    deadline,
    every_clause,
    folded,
    line,
    numbered,
    policy,
    scan,
    shop,
    snapshot,
    with_deadlines,
)

LEFT_TO_THE_HUB = "See order"
NUMBERED = numbered(scan("info_received", 1))
SCANNED = numbered(scan("picked_up", 1, carrier="Synthetic Express"))


def ticks(order: Order, judged_by: Policy | None = None) -> dict[str, Ticking]:
    return {tick.clock.name: tick for tick in timeline(order, judged_by or every_clause())}


def words(order: Order, name: str, judged_by: Policy | None = None) -> str:
    return to_do(order, ticks(order, judged_by)[name], judged_by or every_clause())


def fielded(status: str = "AWAITING_SHIPMENT", *names: str, **more: Any) -> Order:
    numbers = more.pop("numbers", ())
    given = {name: after(50) for name in names}
    return folded(snapshot(status, 1, deadlines=given, **more), numbers=numbers)


# Kinds


@pytest.mark.parametrize("name", FIELDS)
def test_the_marketplaces_fields_are_hard_or_count(name: str) -> None:
    tick = ticks(fielded("AWAITING_SHIPMENT", name))[name]
    hard = name in {**HARD, **LEGACY}
    assert line_of(tick.clock, tick.rule) is (Line.HARD if hard else Line.METRIC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("status_update", Line.METRIC),
        ("collected_to_shipped", Line.METRIC),
        ("untracked", Line.HARD),
        ("buyer_cancel_request", Line.HARD),
        ("not_acknowledged", Line.DEEMED),
        ("two_failed_attempts", Line.DEEMED),
        ("delivery_period", Line.DEEMED),
        ("deadlines", Line.METRIC),
        ("deadlines_delayed", Line.DEEMED),
        ("parcel_silent", Line.ALERT),
        ("abnormal_delivery", Line.ALERT),
        ("delivered_unproven", Line.ALERT),
        ("carrier_mismatch", Line.ALERT),
        ("marketplace_fields", Line.METRIC),
    ],
)
def test_each_rule_has_its_kind(name: str, expected: Line) -> None:
    (rule,) = [rule for rule in RULES if rule.name == name]
    assert line_of(Clock(name=name, due_at=T0, set_by="x"), rule) is expected


def test_the_table_of_kinds_above_names_every_rule() -> None:
    (mark,) = [m for m in test_each_rule_has_its_kind.pytestmark if m.name == "parametrize"]  # type: ignore[attr-defined]
    assert {name for name, _ in mark.args[1]} == {rule.name for rule in RULES}


@pytest.mark.parametrize("then", ["alert", "deem_delayed"])
def test_a_packs_hard_deadline_is_hard_whatever_comes_of_it(then: str) -> None:
    own = with_deadlines(mine=deadline(line="hard", then=then, stops="delivered"))
    tick = ticks(folded(snapshot()), own)["mine"]
    assert line_of(tick.clock, tick.rule) is Line.HARD


# What stops it


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("shipping_due_time", "the marketplace shows AWAITING_COLLECTION or beyond"),
        ("tts_sla_time", "the marketplace shows IN_TRANSIT or beyond"),
        ("delivery_due_time", "the marketplace shows DELIVERED"),
    ],
)
def test_a_field_is_stopped_by_the_status_that_it_names(name: str, expected: str) -> None:
    assert stops(ticks(fielded("AWAITING_SHIPMENT", name))[name], policy()) == expected


@pytest.mark.parametrize("end", STOPS)
def test_a_packs_deadline_is_stopped_by_what_the_pack_says(end: str) -> None:
    own = with_deadlines(mine=deadline(stops=end))
    order = folded(snapshot())
    assert stops(ticks(order, own)["mine"], own) == deadlines.WORDS[end]
    assert ENDS[end], "and it is known what to do for that"
    assert LEFT_TO_THE_HUB not in words(order, "mine", own)


def test_a_rule_is_stopped_by_what_it_says_of_itself_without_holes() -> None:
    for rule in RULES:
        tick = Ticking(Clock(name=rule.name, due_at=T0, set_by="x"), rule)
        told = stops(tick, policy())
        assert told
        assert "{" not in told, rule.name


# What to do


def test_every_clock_that_is_watched_has_words_of_its_own() -> None:
    watchable = {
        rule.name for rule in RULES if not rule.finding and rule.clocks is not deadlines.alerting
    }
    without = {"marketplace_fields", "deadlines_delayed", "buyer_cancel_request"}
    at_once = {"two_failed_attempts", "abnormal_delivery"}
    assert watchable - without - at_once == AIMS.keys() - FIELDS.keys()


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (fielded("UNPAID"), "has not paid"),
        (fielded("ON_HOLD"), "ends its hold"),
        (fielded(shipping_type="TIKTOK"), "pickup or drop-off"),
        (fielded(), "report its number"),
        (fielded(numbers=(NUMBERED,)), "scans SYN000101"),
        (fielded(numbers=(SCANNED,)), "order's pushes"),
        (fielded(cancel_requested=True), "buyer asks to cancel"),
    ],
)
def test_what_to_do_so_that_it_is_shown_as_shipped_follows_from_where_it_stands(
    order: Order, told: str
) -> None:
    assert told in words(order, "status_update")


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (fielded("AWAITING_SHIPMENT", "tts_sla_time"), "report its number"),
        (fielded("AWAITING_COLLECTION", "tts_sla_time"), "see that the carrier scans it"),
        (
            fielded("AWAITING_COLLECTION", "tts_sla_time", numbers=(SCANNED,)),
            "open a ticket with the carrier's receipt",
        ),
    ],
)
def test_what_to_do_so_that_it_is_shown_on_its_way(order: Order, told: str) -> None:
    assert told in words(order, "tts_sla_time")


def test_what_to_do_so_that_it_is_delivered_names_carrier_and_parcel() -> None:
    out = fielded("IN_TRANSIT", "delivery_due_time", numbers=(SCANNED,))
    for name in ("delivery_due_time", "not_acknowledged", "parcel_silent", "delivery_period"):
        assert "Ask Synthetic Express where SYN000101 is" in words(out, name), name
    theirs = fielded("IN_TRANSIT", "delivery_due_time", shipping_type="TIKTOK")
    assert "Ask the carrier where the parcel is" in words(theirs, "delivery_due_time")
    nowhere = fielded("AWAITING_SHIPMENT", "delivery_due_time")
    assert "report its number" in words(nowhere, "delivery_due_time")


def test_a_buyers_request_is_to_be_answered() -> None:
    asked = folded(snapshot(), case("CANCELLATION_REQUEST_PENDING", 1, deadline=after(25)))
    assert words(asked, "buyer_cancel_request").startswith("Accept the buyer's wish")


# Which


def out(order: Order, now: datetime, by: datetime, recorded: Recorded | None = None) -> list[str]:
    judged_by = every_clause()
    about = Situation(now, judged_by, shop())
    told = running_out(order, timeline(order, judged_by), recorded or Recorded(), about, by)
    return [one.clock.name for one in told]


def test_what_runs_out_by_an_instant_is_told_the_soonest_first() -> None:
    order = fielded("AWAITING_SHIPMENT", "shipping_due_time", "delivery_sla_time")
    assert out(order, T0, after(49)) == []
    assert out(order, T0, after(50)) == [
        "delivery_period",
        "delivery_sla_time",
        "shipping_due_time",
    ]
    assert out(order, T0, after(360)) == [
        "delivery_period",
        "delivery_sla_time",
        "shipping_due_time",
        "untracked",
    ]


def test_what_ran_out_is_told_until_its_verdict_is_on_record() -> None:
    order = folded(snapshot())
    assert out(order, after(130), after(131)) == ["status_update"]
    about = Situation(after(130), policy(), shop())
    (one,) = running_out(order, timeline(order, policy()), Recorded(), about, after(131))
    assert one.left.total_seconds() == -10 * 3600
    verdicts: Any = {one.clock.key: None}
    assert out(order, after(130), after(131), Recorded(verdicts=verdicts)) == []


def test_what_was_met_or_stopped_or_has_ended_is_not_told() -> None:
    assert out(folded(snapshot("IN_TRANSIT", 3)), T0, after(9000)) == []
    assert out(folded(snapshot("CANCELLED", 3)), T0, after(9000)) == []
    assert out(folded(snapshot("COMPLETED", 3)), T0, after(9000)) == []


def test_a_pre_order_that_is_not_released_yet_is_told_too() -> None:
    order = folded(snapshot(order_type="PRE_ORDER", release_date=after(100)))
    assert out(order, T0, after(220)) == ["status_update"]


def test_what_merely_follows_is_no_clock_to_watch() -> None:
    order = folded(
        snapshot("IN_TRANSIT", 2, lines=(line(tracking_number="SYN000101"),)), numbers=(SCANNED,)
    )
    known = {tick.clock.name: watched(tick) for tick in timeline(order, every_clause())}
    assert known["abnormal_delivery"] is False
    assert known["not_acknowledged"] is True
    assert "abnormal_delivery" not in out(order, T0, after(9000))


def test_without_a_policy_nothing_runs_out() -> None:
    assert running_out(folded(snapshot()), (), Recorded(), Situation(T0), after(9000)) == ()
