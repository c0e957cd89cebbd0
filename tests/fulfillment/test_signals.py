"""Which signals an order counts in, case by case. T0 is 1 November, 10:00 in Kuala Lumpur."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.fault import Fault
from shipclock.domain.order import Order
from shipclock.domain.tracking import TimeBasis
from shipclock.fulfillment import signals
from shipclock.fulfillment.definitions import DEFINITIONS
from shipclock.fulfillment.signals import REACH, State, Unit, units
from shipclock.rules import timeline
from shipclock.rules.names import SIGNALS
from shipclock.rules.policy import Policy
from tests.builders import (
    NUMBER,
    SECOND,
    T0,
    after,
    deadline,
    every_clause,
    folded,
    line,
    numbered,
    package_read,
    policy,
    scan,
    snapshot,
    with_deadlines,
)

FIRST = date(2026, 11, 1)
GOOD, BAD, OPEN, OUT = State.GOOD, State.BAD, State.OPEN, State.LEFT_OUT
RTS, TTS, CUT_OFF = "rts_sla_time", "tts_sla_time", "pick_up_cut_off_time"


def of(
    order: Order,
    signal: str,
    judged_by: Policy | None = None,
    fault: Fault = Fault.UNCLEAR,
) -> list[Unit]:
    """The order's units in one signal."""
    by = judged_by or policy()
    return [one for one in units(order, timeline(order, by), by, fault) if one.signal == signal]


def one(order: Order, signal: str, **more: Any) -> Unit:
    """The only one."""
    (unit,) = of(order, signal, **more)
    return unit


def day(number: int) -> date:
    """A day of November."""
    return date(2026, 11, number)


def lines(**hours: float) -> dict[str, datetime]:
    """Deadline fields so many hours after T0."""
    return {name: after(at) for name, at in hours.items()}


def bare(judged_by: Policy | None = None) -> Policy:
    """A policy whose pack knows no line at all."""
    known = judged_by or policy()
    return replace(known, pack=known.pack.model_copy(update={"clauses": {}, "deadlines": {}}))


def test_every_signal_that_a_pack_may_draw_a_line_for_is_counted_and_told() -> None:
    assert tuple(DEFINITIONS) == SIGNALS


# Late dispatch


@pytest.mark.parametrize(
    ("status", "told", "state"),
    [
        ("AWAITING_SHIPMENT", {}, OPEN),
        ("AWAITING_COLLECTION", {"rts_time": after(24)}, OPEN),
        ("IN_TRANSIT", {"rts_time": after(24), "collection_time": after(48)}, GOOD),
        ("IN_TRANSIT", {"rts_time": after(24), "collection_time": after(48) + SECOND}, BAD),
        ("IN_TRANSIT", {"rts_time": after(24) + SECOND, "collection_time": after(47)}, BAD),
        ("AWAITING_COLLECTION", {"rts_time": after(24) + SECOND}, BAD),
    ],
)
def test_an_order_is_dispatched_late_where_it_misses_any_of_its_own_lines(
    status: str, told: dict[str, datetime], state: State
) -> None:
    order = folded(snapshot(status, 49, deadlines=lines(rts_sla_time=24, tts_sla_time=48), **told))
    found = one(order, "late_dispatch")
    assert (found.state, found.on) == (state, day(3))


def test_an_open_dispatch_turns_bad_at_the_earliest_line_that_is_not_kept_yet() -> None:
    deadlines = lines(rts_sla_time=24, tts_sla_time=48, pick_up_cut_off_time=36)
    waiting = folded(snapshot(deadlines=deadlines))
    ready = folded(snapshot("AWAITING_COLLECTION", 20, rts_time=after(20), deadlines=deadlines))
    assert one(waiting, "late_dispatch") == Unit("late_dispatch", OPEN, day(3), after(24))
    assert one(ready, "late_dispatch") == Unit("late_dispatch", OPEN, day(3), after(36))


@pytest.mark.parametrize("shipping", ["SELLER", "TIKTOK"])
def test_lines_count_whoever_ships(shipping: str) -> None:
    order = folded(snapshot(shipping_type=shipping, deadlines=lines(tts_sla_time=48)))
    assert one(order, "late_dispatch").state is OPEN


@pytest.mark.parametrize(
    ("at", "state"),
    [(47, OUT), (48, OUT), (48.1, BAD)],
    ids=["before the line", "at the line", "after it"],
)
def test_a_cancellation_before_the_line_leaves_the_order_out_and_a_later_one_does_not(
    at: float, state: State
) -> None:
    told = {"cancel_time": after(at), "deadlines": lines(tts_sla_time=48)}
    order = folded(snapshot(), snapshot("CANCELLED", 60, **told))
    found = one(order, "late_dispatch")
    assert (found.state, found.why) == (state, "cancelled" if state is OUT else "")


def test_a_buyer_who_cancels_between_two_lines_leaves_an_order_that_kept_the_first_out() -> None:
    deadlines = lines(rts_sla_time=24, tts_sla_time=48)
    ready = snapshot("AWAITING_COLLECTION", 20, rts_time=after(20), deadlines=deadlines)
    gone = snapshot("CANCELLED", 30, rts_time=after(20), cancel_time=after(30), deadlines=deadlines)
    assert one(folded(ready, gone), "late_dispatch").state is OUT


def test_a_line_that_is_moved_moves_the_day_and_what_is_open() -> None:
    before = snapshot(deadlines=lines(tts_sla_time=48))
    extended = snapshot(
        deadlines=lines(tts_sla_time=96), sent=after(700), identity="read once more"
    )
    assert one(folded(before), "late_dispatch").due_at == after(48)
    assert one(folded(before, extended), "late_dispatch") == Unit(
        "late_dispatch", OPEN, day(5), after(96)
    )
    shipped = snapshot(
        "IN_TRANSIT", 60, collection_time=after(60), deadlines=lines(tts_sla_time=48)
    )
    late = replace(shipped, facts=replace(shipped.facts, deadlines=lines(tts_sla_time=96)))
    assert one(folded(before, shipped), "late_dispatch").state is BAD
    assert one(folded(before, extended, late), "late_dispatch").state is GOOD


def test_where_an_order_names_no_line_the_guides_120_hours_count() -> None:
    assert one(folded(snapshot()), "late_dispatch") == Unit(
        "late_dispatch", OPEN, day(6), after(120)
    )


def test_where_only_the_line_is_known_at_which_it_is_cancelled_nobody_knows_what_is_late() -> None:
    order = folded(snapshot(deadlines=lines(shipping_due_time=100)))
    assert one(order, "late_dispatch") == Unit("late_dispatch", OUT, FIRST, why="no_line")
    assert one(folded(snapshot()), "late_dispatch", judged_by=bare()).why == "no_line"


def test_a_packs_own_deadline_counts_until_a_field_of_the_order_replaces_it() -> None:
    by = with_deadlines(bare(), dispatch=deadline(replaced_by=("tts_sla_time",)))
    assert one(folded(snapshot()), "late_dispatch", judged_by=by).due_at == after(48)
    own = folded(snapshot(deadlines=lines(tts_sla_time=70)))
    assert one(own, "late_dispatch", judged_by=by).due_at == after(70)


def test_of_two_stages_one_may_be_the_orders_own_and_one_the_packs() -> None:
    by = with_deadlines(bare(), dispatch=deadline(hours=72, replaced_by=("tts_sla_time",)))
    order = folded(snapshot("AWAITING_COLLECTION", 10, deadlines=lines(rts_sla_time=24)))
    assert one(order, "late_dispatch", judged_by=by) == Unit(
        "late_dispatch", OPEN, day(4), after(72)
    )


@pytest.mark.parametrize("more", [{"line": "hard"}, {"stops": "delivered"}])
def test_hard_lines_and_those_for_the_delivery_are_none_for_the_dispatch(
    more: dict[str, str],
) -> None:
    by = with_deadlines(bare(), other=deadline(**more))
    assert one(folded(snapshot()), "late_dispatch", judged_by=by).why == "no_line"


def test_a_time_that_is_not_to_be_trusted_makes_a_dispatch_good_and_never_bad() -> None:
    by = with_deadlines(bare(), moved=deadline(stops="first_scan"))

    def state(hours: float, basis: TimeBasis) -> State:
        told = numbered(scan("picked_up", hours, basis=basis))
        return one(folded(snapshot(), numbers=(told,)), "late_dispatch", judged_by=by).state

    assert state(49, TimeBasis.UTC) is BAD
    assert state(49, TimeBasis.ZONE) is GOOD
    assert state(47, TimeBasis.RECEIVED) is GOOD


def test_a_pre_orders_clocks_and_days_run_from_its_release() -> None:
    released = after(24 * 10)
    order = folded(snapshot(order_type="PRE_ORDER", release_date=released, paid_time=T0))
    assert one(order, "late_dispatch") == Unit(
        "late_dispatch", OPEN, day(16), released + timedelta(hours=120)
    )
    assert one(order, "seller_cancellation").on == day(11)


def test_what_is_decided_long_after_the_start_counts_on_the_last_day_within_reach() -> None:
    order = folded(snapshot(deadlines=lines(tts_sla_time=24 * 60)))
    found = one(order, "late_dispatch")
    assert found.on == FIRST + REACH
    assert found.due_at == after(24 * 60)


# Days


@pytest.mark.parametrize(
    ("zone", "hours", "on"),
    [
        ("Asia/Kuala_Lumpur", 13.9, day(1)),
        ("Asia/Kuala_Lumpur", 14, day(2)),
        ("America/Los_Angeles", 4.9, date(2026, 10, 31)),
        ("America/Los_Angeles", 5, day(1)),
        ("America/Los_Angeles", 29.9, day(1)),
        ("America/Los_Angeles", 30, day(2)),
    ],
    ids=["KL", "KL midnight", "LA", "LA midnight", "LA, a day of 25 hours", "its midnight"],
)
def test_a_unit_counts_on_the_shops_local_day(zone: str, hours: float, on: date) -> None:
    order = folded(snapshot(deadlines=lines(tts_sla_time=hours)))
    assert one(order, "late_dispatch", judged_by=policy(zone)).on == on


# Valid tracking


def packed(status: str, *packages: tuple[str, str, str], hours: float = 5, **more: Any) -> Any:
    """A re-read of an order whose packages are (id, status, number)."""
    told = tuple(
        line(f"L{place}", package_id=package, package_status=state, tracking_number=number)
        for place, (package, state, number) in enumerate(packages)
    )
    return snapshot(status, hours, lines=told, **more)


def test_a_package_counts_once_it_is_shipped_and_is_valid_once_it_is_scanned() -> None:
    waiting = packed("AWAITING_SHIPMENT", ("P1", "TO_FULFILL", ""))
    shipped = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", NUMBER), hours=20)
    told = numbered(scan("picked_up", 30))
    announced = numbered(scan("info_received", 30))
    assert of(folded(waiting), "valid_tracking") == []
    expected = Unit("valid_tracking", OPEN, day(2), after(15 * 24))
    assert of(folded(shipped), "valid_tracking") == [expected]
    assert of(folded(shipped, numbers=(announced,)), "valid_tracking") == [expected]
    assert of(folded(shipped, numbers=(told,)), "valid_tracking") == [
        Unit("valid_tracking", GOOD, day(2))
    ]


@pytest.mark.parametrize(
    ("deadlines", "due"),
    [
        ({}, 360),
        ({"collection_due_time": 100}, 100),
        ({"cancel_order_sla_time": 90}, 90),
        ({"shipping_due_time": 50}, 360),
    ],
)
def test_a_scan_is_waited_for_until_the_marketplace_gives_up(
    deadlines: dict[str, float], due: float
) -> None:
    told = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", NUMBER), deadlines=lines(**deadlines))
    assert one(folded(told), "valid_tracking").due_at == after(due)


def test_a_first_scan_after_the_line_makes_a_package_valid_all_the_same() -> None:
    by = lines(collection_due_time=100)
    told = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", NUMBER), deadlines=by)
    late = folded(told, numbers=(numbered(scan("picked_up", 120)),))
    assert one(late, "valid_tracking").state is GOOD
    assert "a first scan after that makes it valid" in DEFINITIONS["valid_tracking"].unsure


def test_a_packs_hard_line_that_a_scan_stops_is_such_a_line_too() -> None:
    told = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", NUMBER))
    by = with_deadlines(
        bare(),
        taken=deadline(line="hard", hours=60),
        shipped=deadline(line="hard", hours=50, stops="ready_to_ship"),
    )
    assert one(folded(told), "valid_tracking", judged_by=by).due_at == after(60)
    assert one(folded(told), "valid_tracking", judged_by=bare()).due_at is None


def test_each_package_counts_by_itself() -> None:
    partly = packed(
        "PARTIALLY_SHIPPING", ("P1", "PROCESSING", NUMBER), ("P2", "TO_FULFILL", ""), hours=20
    )
    both = packed(
        "AWAITING_COLLECTION",
        ("P1", "FULFILLING", NUMBER),
        ("P2", "PROCESSING", "SYN000102"),
        hours=50,
        rts_time=after(50),
    )
    assert [(u.state, u.on) for u in of(folded(partly), "valid_tracking")] == [(OPEN, day(2))]
    assert [(u.state, u.on) for u in of(folded(partly, both), "valid_tracking")] == [
        (GOOD, day(2)),
        (OPEN, day(3)),
    ]


def test_a_shipped_order_without_any_package_or_number_counts_as_one() -> None:
    order = folded(snapshot("AWAITING_COLLECTION", 5, rts_time=after(5)))
    assert [u.state for u in of(order, "valid_tracking")] == [OPEN]


def test_numbers_count_where_no_package_is_known_and_else_packages_alone() -> None:
    numbers = (numbered(scan("picked_up", 6)), numbered(number="SYN000102"))
    loose = folded(snapshot("AWAITING_COLLECTION", 5), numbers=numbers)
    assert sorted(u.state for u in of(loose, "valid_tracking")) == [GOOD, OPEN]
    told = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", NUMBER))
    assert [u.state for u in of(folded(told, numbers=numbers), "valid_tracking")] == [GOOD]


def test_the_marketplaces_own_collection_is_a_scan() -> None:
    told = packed("IN_TRANSIT", ("P1", "FULFILLING", NUMBER), collection_time=after(9))
    assert one(folded(told), "valid_tracking").state is GOOD


def test_a_package_read_one_by_one_gives_the_number_that_is_scanned() -> None:
    told = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", ""))
    read = package_read("P1", tracking_number=NUMBER)
    order = folded(told, read, numbers=(numbered(scan("picked_up", 6)),))
    assert one(order, "valid_tracking").state is GOOD


def test_the_own_fleets_parcels_are_left_out_and_the_marketplaces_are_none_of_the_sellers() -> None:
    told = packed("IN_TRANSIT", ("P1", "FULFILLING", NUMBER))
    by_hand = replace(policy(), hand_marked=True)
    assert one(folded(told), "valid_tracking", judged_by=by_hand).why == "own_fleet"
    theirs = packed("IN_TRANSIT", ("P1", "FULFILLING", NUMBER), shipping_type="TIKTOK")
    assert of(folded(theirs), "valid_tracking") == []


@pytest.mark.parametrize(
    ("at", "fault", "state"),
    [
        (50, Fault.BUYER, OUT),
        (50, Fault.OTHERS, OUT),
        (50, Fault.LATE, BAD),
        (50, Fault.SELLER, OUT),
        (101, Fault.BUYER, BAD),
        (100, Fault.BUYER, OUT),
    ],
)
def test_of_a_cancelled_package_that_nobody_scanned_the_line_and_the_reason_decide(
    at: float, fault: Fault, state: State
) -> None:
    more: dict[str, Any] = {"deadlines": lines(collection_due_time=100), "rts_time": after(5)}
    shipped = packed("AWAITING_COLLECTION", ("P1", "PROCESSING", NUMBER), **more)
    gone = packed(
        "CANCELLED", ("P1", "CANCELLED", NUMBER), hours=200, cancel_time=after(at), **more
    )
    scanned = numbered(scan("picked_up", 6))
    assert one(folded(shipped, gone), "valid_tracking", fault=fault).state is state
    late = folded(shipped, gone, numbers=(scanned,))
    assert one(late, "valid_tracking", fault=fault).state is GOOD


def test_a_package_that_is_called_off_while_the_order_goes_on_is_left_out() -> None:
    first = packed("PARTIALLY_SHIPPING", ("P1", "PROCESSING", NUMBER), ("P2", "TO_FULFILL", ""))
    then = packed(
        "PARTIALLY_SHIPPING", ("P1", "CANCELLED", NUMBER), ("P2", "TO_FULFILL", ""), hours=9
    )
    assert [(u.state, u.why) for u in of(folded(first, then), "valid_tracking")] == [
        (OUT, "cancelled")
    ]


# On-time delivery


@pytest.mark.parametrize(
    ("status", "told", "state"),
    [
        ("IN_TRANSIT", {}, OPEN),
        ("DELIVERED", {"delivery_time": after(100)}, GOOD),
        ("DELIVERED", {"delivery_time": after(100) + SECOND}, BAD),
        ("CANCELLED", {"cancel_time": after(99)}, OUT),
        ("CANCELLED", {"cancel_time": after(101)}, BAD),
    ],
)
def test_a_delivery_is_on_time_by_the_marketplaces_word_and_line(
    status: str, told: dict[str, datetime], state: State
) -> None:
    order = folded(
        snapshot(), snapshot(status, 110, deadlines=lines(delivery_sla_time=100), **told)
    )
    found = one(order, "on_time_delivery")
    assert (found.state, found.on) == (state, day(5))
    assert found.due_at == (after(100) if state is OPEN else None)


def test_a_carriers_word_alone_does_not_make_a_field_of_the_marketplace_kept() -> None:
    told = packed(
        "IN_TRANSIT", ("P1", "FULFILLING", NUMBER), deadlines=lines(delivery_sla_time=100)
    )
    order = folded(told, numbers=(numbered(scan("delivered", 90)),))
    assert one(order, "on_time_delivery").state is OPEN


@pytest.mark.parametrize(
    ("deadlines", "due"),
    [
        ({"delivery_option_required_delivery_time": 90}, 90),
        ({"delivery_sla_time": 100, "delivery_option_required_delivery_time": 90}, 100),
        ({"delivery_due_time": 80}, None),
        ({}, None),
    ],
)
def test_the_line_for_the_delivery_is_the_sla_else_the_options(
    deadlines: dict[str, float], due: float | None
) -> None:
    order = folded(snapshot(deadlines=lines(**deadlines)))
    found = one(order, "on_time_delivery")
    assert found.due_at == (after(due) if due else None)
    assert found.why == ("" if due else "no_line")


def test_a_packs_line_for_the_delivery_counts_where_the_order_has_none() -> None:
    by = with_deadlines(bare(), arrival=deadline(stops="delivered", hours=130))
    assert one(folded(snapshot()), "on_time_delivery", judged_by=by).due_at == after(130)
    own = folded(snapshot(deadlines=lines(delivery_sla_time=140)))
    assert one(own, "on_time_delivery", judged_by=by).due_at == after(140)


# Seller-fault cancellation


@pytest.mark.parametrize(
    ("fault", "state", "why"),
    [
        (Fault.SELLER, BAD, ""),
        (Fault.LATE, BAD, ""),
        (Fault.BUYER, GOOD, ""),
        (Fault.OTHERS, GOOD, ""),
        (Fault.UNCLEAR, OUT, "unclear"),
    ],
)
def test_a_cancelled_order_counts_by_whose_fault_that_is(
    fault: Fault, state: State, why: str
) -> None:
    order = folded(snapshot(), snapshot("CANCELLED", 9, cancel_time=after(9)))
    assert one(order, "seller_cancellation", fault=fault) == Unit(
        "seller_cancellation", state, FIRST, why=why
    )


@pytest.mark.parametrize(
    ("status", "told", "state", "due"),
    [
        ("AWAITING_SHIPMENT", {"shipping_due_time": 60, "collection_due_time": 90}, OPEN, 60),
        ("AWAITING_COLLECTION", {"shipping_due_time": 60, "collection_due_time": 90}, OPEN, 90),
        ("IN_TRANSIT", {"shipping_due_time": 60, "collection_due_time": 90}, GOOD, None),
        ("COMPLETED", {}, GOOD, None),
        ("AWAITING_SHIPMENT", {"delivery_due_time": 60}, OPEN, 360),
        ("AWAITING_SHIPMENT", {}, OPEN, 360),
        ("ON_HOLD", {"shipping_due_time": 60}, OPEN, 60),
    ],
)
def test_an_open_order_may_be_cancelled_until_it_is_in_transit(
    status: str, told: dict[str, float], state: State, due: float | None
) -> None:
    order = folded(snapshot(status, 50, deadlines=lines(**told)))
    found = one(order, "seller_cancellation")
    assert (found.state, found.due_at) == (state, after(due) if due else None)


def test_a_packs_hard_line_for_the_dispatch_is_where_an_open_order_is_cancelled() -> None:
    by = with_deadlines(
        bare(),
        taken=deadline(line="hard", hours=60),
        metric=deadline(hours=50),
        arrived=deadline(line="hard", hours=40, stops="delivered"),
    )
    assert one(folded(snapshot()), "seller_cancellation", judged_by=by).due_at == after(60)


def test_a_pack_that_knows_no_hard_line_leaves_an_open_order_open_for_no_set_time() -> None:
    found = one(folded(snapshot()), "seller_cancellation", judged_by=bare())
    assert (found.state, found.due_at) == (OPEN, None)


# Orders that give nothing


@pytest.mark.parametrize(
    ("told", "counts"),
    [
        ([snapshot("UNPAID")], False),
        ([snapshot("CANCELLED", cancel_time=after(1))], False),
        ([snapshot("UNPAID"), snapshot("CANCELLED", 1, cancel_time=after(1))], False),
        ([snapshot("CANCELLED", cancel_time=after(1), paid_time=T0)], True),
        ([snapshot("ON_HOLD"), snapshot("CANCELLED", 1, cancel_time=after(1))], True),
        ([snapshot()], True),
        ([snapshot(fulfillment_type="FULFILLMENT_BY_TIKTOK", paid_time=T0)], False),
        ([snapshot(shipping_type="TIKTOK_DIGITAL", paid_time=T0)], False),
        ([], False),
    ],
    ids=[
        "unpaid",
        "first seen cancelled",
        "cancelled unpaid",
        "first seen cancelled, and paid",
        "cancelled on hold",
        "to be paid on delivery",
        "fulfilled by the marketplace",
        "digital",
        "nothing known",
    ],
)
def test_orders_count_once_they_are_paid_and_the_sellers_to_fulfil(
    told: list[Any], counts: bool
) -> None:
    order = folded(*told)
    by = every_clause()
    assert bool(units(order, timeline(order, by), by, Fault.BUYER)) == counts


def test_every_reason_for_leaving_out_has_its_words() -> None:
    reasons = {signals.NO_LINE, signals.WAS_CANCELLED, signals.OWN_FLEET, signals.UNCLEAR}
    assert set(signals.WHY) == reasons
