"""Which clocks an order has, what sets and stops them, and what ends them all."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.clock import Clock, ClockState
from shipclock.domain.fields import HARD, LEGACY, METRIC
from shipclock.domain.order import Order
from shipclock.domain.tracking import TimeBasis
from shipclock.rules import RULES, next_instant, notices, timeline
from tests.builders import (
    NUMBER,
    REAL,
    SECOND,
    T0,
    after,
    case,
    deadline,
    folded,
    numbered,
    patient,
    policy,
    sample,
    scan,
    snapshot,
    with_deadlines,
)

H120, D15 = after(120), after(360)
LATER = after(24 * 400)


def clocks(order: Order) -> dict[str, Clock]:
    """The order's own clocks by name; those of its packages are in `test_guide.py`."""
    found = [
        tick.clock
        for tick in timeline(order, policy())
        if not tick.clock.part and not tick.clock.cause
    ]
    assert len({clock.name for clock in found}) == len(found)
    return {clock.name: clock for clock in found}


def state(order: Order, name: str, now: datetime = LATER) -> str:
    return clocks(order)[name].state(now).value


# The pack's clocks


def test_a_plain_order_has_the_two_clocks_of_the_pack() -> None:
    found = clocks(folded(snapshot()))
    assert {name: clock.due_at for name, clock in found.items()} == {
        "status_update": H120,
        "untracked": D15,
    }
    assert {clock.set_by for clock in found.values()} == {
        "guide-2023:status_update",
        "guide-2023:untracked",
    }
    assert all(clock.clause for clock in found.values())


def test_an_order_no_snapshot_is_known_of_has_no_clocks() -> None:
    assert clocks(folded()) == {}


@pytest.mark.parametrize(
    ("off", "expected"), [(-SECOND, "met"), (timedelta(0), "met"), (SECOND, "missed")]
)
def test_the_status_update_clock_is_met_by_arranging_the_shipment_in_time(
    off: timedelta, expected: str
) -> None:
    order = folded(snapshot("AWAITING_COLLECTION", 121, rts_time=H120 + off))
    assert state(order, "status_update") == expected


@pytest.mark.parametrize("status", ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT", "PARTIALLY_SHIPPING"])
def test_the_status_update_clock_runs_on_while_something_is_still_to_ship(status: str) -> None:
    assert state(folded(snapshot(status, 3, rts_time=after(2))), "status_update") == "missed"


def test_a_carriers_scan_does_not_stop_the_status_update_clock() -> None:
    order = folded(snapshot(), numbers=(numbered(scan(hours=2)),))
    assert state(order, "status_update") == "missed"
    assert state(order, "untracked") == "met"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("info_received", "missed"),
        ("unknown", "missed"),
        ("expired", "missed"),
        ("pickup_failed", "missed"),
        ("cancelled", "missed"),
        ("picked_up", "met"),
        ("in_transit", "met"),
        ("delivered", "met"),
        ("delayed", "met"),
        ("lost", "met"),
    ],
)
def test_the_untracked_clock_is_met_by_a_scan(status: str, expected: str) -> None:
    order = folded(snapshot(), numbers=(numbered(scan(status, 2)),))
    assert state(order, "untracked") == expected


@pytest.mark.parametrize(
    ("off", "expected"), [(-SECOND, "met"), (timedelta(0), "met"), (SECOND, "missed")]
)
def test_the_untracked_clock_is_judged_by_the_scans_own_time(off: timedelta, expected: str) -> None:
    first = scan(occurred_at=D15 + off, received_at=REAL + timedelta(days=90))
    assert state(folded(snapshot(), numbers=(numbered(first),)), "untracked") == expected


@pytest.mark.parametrize("basis", [TimeBasis.ZONE, TimeBasis.RECEIVED])
def test_a_late_scan_of_uncertain_time_still_spares_the_order(basis: TimeBasis) -> None:
    late = scan(occurred_at=D15 + timedelta(days=2), basis=basis)
    assert state(folded(snapshot(), numbers=(numbered(late),)), "untracked") == "met"


def test_a_suspect_scan_still_spares_the_order() -> None:
    ahead = scan(occurred_at=D15 + timedelta(days=2), received_at=D15 + timedelta(days=1))
    assert ahead.suspect
    assert state(folded(snapshot(), numbers=(numbered(ahead),)), "untracked") == "met"


def test_the_marketplaces_own_in_transit_is_a_tracking_update() -> None:
    order = folded(snapshot("IN_TRANSIT", 400, collection_time=D15))
    assert state(order, "untracked") == "met"
    late = folded(snapshot("IN_TRANSIT", 400, collection_time=D15 + SECOND))
    assert state(late, "untracked") == "missed"


def test_arranging_the_shipment_is_no_tracking_update() -> None:
    assert state(folded(snapshot("AWAITING_COLLECTION", 3)), "untracked") == "missed"


def test_a_tracking_update_after_the_end_overtakes_the_verdict() -> None:
    late = numbered(scan(occurred_at=D15 + SECOND))
    assert clocks(folded(snapshot(), numbers=(late,)))["untracked"].overtaken
    assert not clocks(folded(snapshot()))["untracked"].overtaken


# The marketplace's own fields


def with_fields(*names: str, status: str = "AWAITING_SHIPMENT", **more: Any) -> Order:
    return folded(snapshot(status, 1, deadlines=dict.fromkeys(names, after(50)), **more))


@pytest.mark.parametrize("name", [*HARD, *METRIC])
def test_every_deadline_field_is_a_clock_under_its_own_name(name: str) -> None:
    clock = clocks(with_fields(name))[name]
    assert (clock.due_at, clock.set_by, clock.hard) == (after(50), name, name in HARD)
    assert clock.state(after(50) - SECOND) == "running"
    assert clock.state(after(50)) == "missed"


def test_the_fields_and_their_statuses_are_those_of_the_reference() -> None:
    assert {**HARD, **METRIC, **LEGACY} == {
        "shipping_due_time": "AWAITING_COLLECTION",
        "collection_due_time": "IN_TRANSIT",
        "delivery_due_time": "DELIVERED",
        "rts_sla_time": "AWAITING_COLLECTION",
        "tts_sla_time": "IN_TRANSIT",
        "pick_up_cut_off_time": "IN_TRANSIT",
        "delivery_sla_time": "DELIVERED",
        "delivery_option_required_delivery_time": "DELIVERED",
        "instore_pickup_sla_time": "DELIVERED",
        "cancel_order_sla_time": "IN_TRANSIT",
    }
    assert len(HARD) == 3


@pytest.mark.parametrize(("name", "status"), [*HARD.items(), *METRIC.items(), *LEGACY.items()])
def test_a_fields_clock_is_met_by_the_status_it_names(name: str, status: str) -> None:
    reached = {
        "AWAITING_COLLECTION": "rts_time",
        "IN_TRANSIT": "collection_time",
        "DELIVERED": "delivery_time",
    }[status]
    in_time = with_fields(name, status=status, **{reached: after(50)})
    late = with_fields(name, status=status, **{reached: after(50) + SECOND})
    assert (state(in_time, name), state(late, name)) == ("met", "missed")


@pytest.mark.parametrize("hard", HARD)
def test_the_legacy_line_counts_only_where_all_hard_lines_are_absent(hard: str) -> None:
    assert "cancel_order_sla_time" in clocks(with_fields("cancel_order_sla_time"))
    assert "cancel_order_sla_time" in clocks(with_fields("cancel_order_sla_time", *METRIC))
    assert "cancel_order_sla_time" not in clocks(with_fields("cancel_order_sla_time", hard))


def test_the_legacy_line_is_a_hard_one() -> None:
    assert clocks(with_fields("cancel_order_sla_time"))["cancel_order_sla_time"].hard


def test_incentives_and_advice_are_no_clocks() -> None:
    names = ("fast_rts_sla_time", "fast_dispatch_sla_time", "recommended_shipping_time")
    assert set(clocks(with_fields(*names))) == {"status_update", "untracked"}


# Precedence


@pytest.mark.parametrize(
    ("field", "replaced", "other"),
    [
        ("shipping_due_time", "status_update", "untracked"),
        ("collection_due_time", "untracked", "status_update"),
    ],
)
def test_the_marketplaces_line_replaces_the_packs_clock(
    field: str, replaced: str, other: str
) -> None:
    found = clocks(with_fields(field))
    assert found[replaced].set_by == field
    assert [found[replaced].state(now) for now in (T0, H120, LATER)] == ["stopped"] * 3
    assert found[field].state(T0) == "running"
    assert found[other].set_by == f"guide-2023:{other}"
    assert found[other].state(after(1)) == "running"


@pytest.mark.parametrize("field", [*METRIC, "delivery_due_time", *LEGACY])
def test_no_other_field_replaces_a_clock_of_the_pack(field: str) -> None:
    found = clocks(with_fields(field))
    assert {found[name].state(after(1)) for name in ("status_update", "untracked")} == {"running"}


# What ends them all


@pytest.mark.parametrize(
    ("off", "expected"), [(-SECOND, "stopped"), (timedelta(0), "stopped"), (SECOND, "missed")]
)
@pytest.mark.parametrize(
    ("name", "due_at"), [("status_update", H120), ("untracked", D15), ("tts_sla_time", after(50))]
)
def test_a_cancellation_up_to_the_due_instant_stops_every_clock(
    name: str, due_at: datetime, off: timedelta, expected: str
) -> None:
    order = folded(
        snapshot(deadlines={"tts_sla_time": after(50)}),
        snapshot("CANCELLED", 500, cancel_time=due_at + off, deadlines={"tts_sla_time": after(50)}),
    )
    assert state(order, name) == expected


def test_a_clock_met_before_the_cancellation_stays_met() -> None:
    order = folded(
        snapshot("AWAITING_COLLECTION", 3), snapshot("CANCELLED", 20, cancel_time=after(20))
    )
    assert state(order, "status_update") == "met"
    assert state(order, "untracked") == "stopped"


@pytest.mark.parametrize(
    "told",
    [
        {"fulfillment_type": "FULFILLMENT_BY_TIKTOK"},
        {"fulfillment_type": "FULFILLMENT_BY_DILAYANI_TOKOPEDIA"},
        {"shipping_type": "TIKTOK_DIGITAL"},
    ],
)
def test_orders_the_seller_has_nothing_to_do_for_have_no_clocks(told: dict[str, Any]) -> None:
    order = folded(snapshot(deadlines={"shipping_due_time": after(50)}, **told))
    assert clocks(order) == {}


@pytest.mark.parametrize("shipping_type", ["SELLER", "TIKTOK", "IN-STORE PICKUP", ""])
def test_all_other_orders_have_them(shipping_type: str) -> None:
    assert clocks(folded(snapshot(shipping_type=shipping_type)))


def test_a_pre_orders_clocks_wait_for_its_release() -> None:
    release = after(240)
    order = folded(snapshot(order_type="PRE_ORDER", release_date=release))
    found = clocks(order)
    assert found["status_update"].due_at == release + timedelta(hours=120)
    assert found["untracked"].due_at == release + timedelta(days=15)
    assert state(order, "untracked", release - SECOND) == "waiting"
    assert state(order, "untracked", release) == "running"
    assert notices(order, timeline(order, policy()), policy(), release - SECOND) == ()


def test_a_field_of_a_pre_order_counts_from_its_creation() -> None:
    told: dict[str, Any] = {"order_type": "PRE_ORDER", "release_date": after(240)}
    order = folded(snapshot(deadlines={"rts_sla_time": after(300)}, **told))
    assert state(order, "rts_sla_time", after(1)) == "running"


# What a missed clock says


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "No tracking number is known"),
        ({"numbers": (numbered(scan("info_received", 1)),)}, f"not scanned {NUMBER} yet"),
        ({"numbers": (numbered(scan(hours=1)),)}, "parcel is with the carrier"),
    ],
)
def test_the_missed_status_update_says_what_the_ship_push_lacks(
    more: dict[str, Any], says: str
) -> None:
    order = folded(snapshot(), **more)
    tick = next(t for t in timeline(order, policy()) if t.clock.name == "status_update")
    assert says in tick.rule.explain(order, tick.clock, policy())


def test_an_open_cancel_request_is_named_first() -> None:
    order = folded(
        snapshot(), case("CANCELLATION_REQUEST_PENDING", 1), numbers=(numbered(scan(hours=1)),)
    )
    tick = next(t for t in timeline(order, policy()) if t.clock.name == "status_update")
    assert "asks to cancel" in tick.rule.explain(order, tick.clock, policy())


@pytest.mark.parametrize("name", [*HARD, *METRIC, *LEGACY])
def test_every_fields_verdict_tells_what_to_do_and_only_hard_lines_threaten(name: str) -> None:
    order = with_fields(name)
    tick = next(t for t in timeline(order, policy()) if t.clock.name == name)
    text = tick.rule.explain(order, tick.clock, policy())
    assert ("the marketplace cancels it" in text) is tick.clock.hard
    assert {**HARD, **METRIC, **LEGACY}[name] in text


# The samples


def sample_deadlines(name: str) -> dict[str, datetime]:
    row = sample(f"tiktok/answers/{name}.json")["data"]["orders"][0]
    return {
        key: datetime.fromtimestamp(row[key], tz=T0.tzinfo)
        for key in {**HARD, **METRIC, **LEGACY}
        if row.get(key)
    }


def test_an_order_with_all_its_fields_is_ruled_by_the_marketplace_alone() -> None:
    deadlines = sample_deadlines("orders.awaiting_shipment.with_package")
    order = folded(snapshot(deadlines=deadlines))
    assert state(order, "status_update") == state(order, "untracked") == "stopped"
    mine = {"status_update", "untracked", "delivery_period"}
    assert set(clocks(order)) == {*deadlines, *mine} - set(LEGACY)


def test_fields_of_zero_are_no_fields() -> None:
    assert sample_deadlines("orders.on_hold").keys() == {"cancel_order_sla_time"}


# Looking ahead

FIELDS = st.dictionaries(
    st.sampled_from([*HARD, *METRIC, *LEGACY]), st.integers(0, 900).map(after), max_size=4
)


@patient
@given(
    FIELDS,
    st.integers(-50, 1000),
    st.none() | st.integers(0, 500),
    st.sampled_from(["AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT", "CANCELLED"]),
    st.sampled_from([{}, {"order_type": "PRE_ORDER", "release_date": after(100)}]),
    st.sampled_from(["Asia/Kuala_Lumpur", "America/New_York", "Europe/London", "UTC"]),
)
def test_the_next_instant_is_never_in_the_past_and_nothing_changes_before_it(
    deadlines: dict[str, datetime],
    hours: int,
    scanned: int | None,
    status: str,
    told: dict[str, Any],
    zone: str,
) -> None:
    now, judged_by = after(hours), policy(zone)
    numbers = () if scanned is None else (numbered(scan(hours=scanned)),)
    order = folded(snapshot(status, 1, deadlines=deadlines, **told), numbers=numbers)
    ticking = timeline(order, judged_by)
    following = next_instant(ticking, judged_by, now)
    states = [tick.clock.state(now) for tick in ticking]
    until = (following or now + timedelta(days=60)) - SECOND
    if following is not None:
        assert following > now
    if until > now:
        assert [tick.clock.state(until) for tick in ticking] == states
        said = {notice.key for notice in notices(order, ticking, judged_by, now)}
        assert {notice.key for notice in notices(order, ticking, judged_by, until)} <= said


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("fields", "replaced"),
    [
        (("collection_due_time",), "collection_due_time"),
        (("cancel_order_sla_time",), "cancel_order_sla_time"),
        (("cancel_order_sla_time", "collection_due_time"), "collection_due_time"),
        # the old field is no clock beside a hard line, so it must not silence the pack's either
        (("cancel_order_sla_time", "shipping_due_time"), ""),
        ((), ""),
    ],
)
def test_a_field_takes_a_packs_place_only_where_it_is_a_clock_itself(
    fields: tuple[str, ...], replaced: str
) -> None:
    others = ("collection_due_time", "cancel_order_sla_time")
    judged_by = with_deadlines(collected=deadline(line="hard", replaced_by=others))
    order = folded(snapshot(deadlines=dict.fromkeys(fields, after(50))))
    (clock,) = (t.clock for t in timeline(order, judged_by) if t.clock.name == "collected")
    assert clock.set_by == (replaced or "guide-2023:collected")
    assert clock.state(after(1)) is (ClockState.STOPPED if replaced else ClockState.RUNNING)


def test_a_rule_that_follows_others_stands_after_all_that_deem_something() -> None:
    deeming = [place for place, rule in enumerate(RULES) if rule.deems]
    following = [place for place, rule in enumerate(RULES) if rule.follows]
    assert deeming
    assert following
    assert max(deeming) < min(following)
