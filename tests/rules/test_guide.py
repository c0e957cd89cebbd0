"""The guide's clocks that come with a parcel: at their instants, stopped, late, taken back.

A case is told as the facts known, an instant, and what is then missed or not. `T0` is when the
order was placed; hours count from there.
"""

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.clock import Clock, ClockState
from shipclock.domain.event import Line, PackageRead, Snapshot
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order
from shipclock.domain.tracking import TimeBasis
from shipclock.rules import RULES, delivery_period, timeline, two_failed_attempts
from shipclock.rules.policy import Policy
from shipclock.rules.two_failed_attempts import ordinal
from tests.builders import (
    NUMBER,
    SECOND,
    T0,
    after,
    case,
    every_rule,
    folded,
    hint,
    line,
    link,
    numbered,
    package_read,
    policy,
    scan,
    snapshot,
)

ZERO = timedelta(0)
D12 = after(12 * 24)
LATER = after(24 * 400)
OTHER_NUMBER = "SYN000202"
P1, P2 = "1150000000000000101", "1150000000000000102"
BY_HAND = Policy(policy().pack, policy().zone, hand_marked=True)
ANYBODY = Policy(policy().pack, policy().zone, default_provider="6610000000000000009")
FAILED = "delivery_attempt_failed"


def of(order: Order, name: str, judged_by: Policy | None = None, **more: str) -> list[Clock]:
    """The order's clocks of that name, and of that number or cause."""
    return [
        tick.clock
        for tick in timeline(order, judged_by or policy())
        if tick.clock.name == name
        and all(getattr(tick.clock, key) == value for key, value in more.items())
    ]


def stands(clock: Clock, now: datetime = LATER) -> str:
    """`standing` or `overtaken` where it is missed, else its state."""
    state = clock.state(now)
    if state is not ClockState.MISSED:
        return state.value
    return "overtaken" if clock.overtaken else "standing"


def told(order: Order, name: str, judged_by: Policy | None = None, **more: str) -> list[str]:
    return [stands(clock) for clock in of(order, name, judged_by, **more)]


def by_tiktok(status: str = "AWAITING_COLLECTION", hours: float = 1, **more: Any) -> Snapshot:
    return snapshot(status, hours, shipping_type="TIKTOK", **more)


def around(at: datetime) -> list[tuple[datetime, bool]]:
    """A second before, at, and a second after an instant, and whether it has come."""
    return [(at - SECOND, False), (at, True), (at + SECOND, True)]


# untracked: the rest of it is in test_clocks.py


@pytest.mark.parametrize("number", [NUMBER, OTHER_NUMBER])
def test_a_scan_that_may_have_come_in_time_spares_the_order_wherever_it_stands(
    number: str,
) -> None:
    late = scan("in_transit", 371)
    unsure = scan("in_transit", 372, number=number, basis=TimeBasis.ZONE)
    found = {NUMBER: [late], OTHER_NUMBER: []}
    found[number].append(unsure)
    numbers = tuple(numbered(*scans, number=n) for n, scans in found.items())
    assert told(folded(snapshot(), numbers=numbers), "untracked") == ["met"]


# collected_to_shipped


@pytest.mark.parametrize(("now", "missed"), around(after(10 + 48)))
def test_an_order_collected_and_not_shipped_is_missed_at_48_hours(
    now: datetime, missed: bool
) -> None:
    order = folded(by_tiktok(), numbers=(numbered(scan("picked_up", 10)),))
    (clock,) = of(order, "collected_to_shipped")
    assert clock.due_at == after(58)
    assert (clock.state(now) is ClockState.MISSED) is missed
    assert clock.state(after(9)) is ClockState.WAITING
    assert clock.state(after(10)) is ClockState.RUNNING


@pytest.mark.parametrize(
    ("off", "expected"), [(-SECOND, "met"), (ZERO, "met"), (SECOND, "overtaken")]
)
@pytest.mark.parametrize("status", ["IN_TRANSIT", "DELIVERED", "COMPLETED"])
def test_the_collected_order_is_met_by_in_transit_or_beyond(
    status: str, off: timedelta, expected: str
) -> None:
    order = folded(
        by_tiktok(),
        by_tiktok(status, 100, collection_time=after(58) + off),
        numbers=(numbered(scan("picked_up", 10)),),
    )
    assert told(order, "collected_to_shipped") == [expected]


@pytest.mark.parametrize(
    ("scans", "more", "due"),
    [
        ((scan("picked_up", 10), scan("in_transit", 5)), {}, 53),
        ((scan("info_received", 1), scan("in_transit", 5)), {}, 53),
        ((scan("picked_up", 3, basis=TimeBasis.ZONE), scan("in_transit", 5)), {}, 53),
        ((scan("picked_up", 3, received_at=T0), scan("in_transit", 5)), {}, 53),
        ((), {"status": "IN_TRANSIT", "collection_time": after(7)}, 55),
        ((scan("picked_up", 3),), {"status": "IN_TRANSIT", "collection_time": after(7)}, 51),
    ],
)
def test_the_collection_is_the_earliest_scan_of_a_sure_time_else_the_marketplaces(
    scans: tuple[Any, ...], more: dict[str, Any], due: int
) -> None:
    order = folded(by_tiktok(**more), numbers=(numbered(*scans),))
    assert [clock.due_at for clock in of(order, "collected_to_shipped")] == [after(due)]


@pytest.mark.parametrize("basis", [TimeBasis.ZONE, TimeBasis.RECEIVED])
def test_a_scan_of_unsure_time_starts_no_clock(basis: TimeBasis) -> None:
    order = folded(by_tiktok(), numbers=(numbered(scan("picked_up", 3, basis=basis)),))
    assert of(order, "collected_to_shipped") == []


def test_the_first_of_several_parcels_starts_the_clock_of_the_order() -> None:
    lines = (line("1", package_id=P1), line("2", package_id=P2))
    numbers = (
        numbered(scan("picked_up", 20)),
        numbered(scan("picked_up", 12, number=OTHER_NUMBER), number=OTHER_NUMBER),
    )
    order = folded(by_tiktok(lines=lines), numbers=numbers)
    assert [clock.due_at for clock in of(order, "collected_to_shipped")] == [after(60)]


def test_ship_by_seller_has_that_clock_only_where_the_shop_marks_by_hand() -> None:
    order = folded(snapshot(), numbers=(numbered(scan("picked_up", 10)),))
    assert of(order, "collected_to_shipped") == []
    assert told(order, "collected_to_shipped", BY_HAND) == ["standing"]


@pytest.mark.parametrize(
    ("rts", "expected"),
    [
        (after(10) - SECOND, "standing"),
        (after(10), "met"),
        (after(58), "met"),
        (after(58) + SECOND, "overtaken"),
    ],
)
def test_by_hand_a_ship_push_at_or_after_the_collection_meets_it(
    rts: datetime, expected: str
) -> None:
    order = folded(
        snapshot(),
        snapshot("AWAITING_COLLECTION", 100, rts_time=rts),
        numbers=(numbered(scan("picked_up", 10)),),
    )
    assert told(order, "collected_to_shipped", BY_HAND) == [expected]


# two_failed_attempts


@pytest.mark.parametrize(("now", "missed"), around(after(30)))
def test_the_second_failed_attempt_deems_the_parcel_lost_at_once(
    now: datetime, missed: bool
) -> None:
    order = folded(snapshot(), numbers=(numbered(scan(FAILED, 20), scan(FAILED, 30)),))
    (clock,) = of(order, "two_failed_attempts")
    assert (clock.due_at, clock.number, clock.set_by) == (
        after(30),
        NUMBER,
        "guide-2023:two_failed_attempts",
    )
    assert (clock.state(now) is ClockState.MISSED) is missed


ATTEMPTS = {
    "one attempt": ((scan(FAILED, 20),), []),
    "the same attempt told by two sources": (
        (scan(FAILED, 20), scan(FAILED, 20.1, source="other")),
        [],
    ),
    "two sources, two attempts each, a little apart": (
        (
            *(scan(FAILED, 20), scan(FAILED, 30)),
            *(scan(FAILED, 20.1, source="other"), scan(FAILED, 29.9, source="other")),
        ),
        [after(29.9)],
    ),
    "one source tells one of two": (
        (scan(FAILED, 20, source="other"), scan(FAILED, 20.2), scan(FAILED, 30)),
        [after(30)],
    ),
    "the same attempt twice in one source": (
        (scan(FAILED, 20), scan(FAILED, 20, identity="again")),
        [],
    ),
    "delivered in between": ((scan(FAILED, 20), scan("delivered", 25), scan(FAILED, 30)), []),
    "returned in between": ((scan(FAILED, 20), scan("returned", 25), scan(FAILED, 30)), []),
    "on its way back in between": (
        (scan(FAILED, 20), scan("returning", 25), scan(FAILED, 30)),
        [after(30)],
    ),
    "three attempts": ((scan(FAILED, 20), scan(FAILED, 30), scan(FAILED, 40)), [after(30)]),
    "a failed pickup is none": ((scan(FAILED, 20), scan("pickup_failed", 30)), []),
    "an unsure time proves nothing": (
        (scan(FAILED, 20), scan(FAILED, 30, basis=TimeBasis.ZONE)),
        [],
    ),
    "a suspect time proves nothing": (
        (scan(FAILED, 20), scan(FAILED, 30, received_at=after(29))),
        [],
    ),
    "an unsure one does not hide a sure one": (
        (scan(FAILED, 20), scan(FAILED, 25, basis=TimeBasis.RECEIVED), scan(FAILED, 30)),
        [after(30)],
    ),
}


@pytest.mark.parametrize("which", ATTEMPTS)
def test_attempts_are_counted_within_one_source_and_up_to_the_end(which: str) -> None:
    scans, dues = ATTEMPTS[which]
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert [clock.due_at for clock in of(order, "two_failed_attempts")] == dues


@pytest.mark.parametrize(("hours", "expected"), [(30, "met"), (31, "overtaken"), (60, "overtaken")])
def test_a_later_delivery_overtakes_the_loss(hours: float, expected: str) -> None:
    scans = (scan(FAILED, 20), scan(FAILED, 30), scan("delivered", hours))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "two_failed_attempts") == [expected]


@pytest.mark.parametrize("hours", [29, 30, 31])
def test_the_marketplaces_delivered_counts_too(hours: int) -> None:
    order = folded(
        snapshot(),
        snapshot("DELIVERED", 50, delivery_time=after(hours)),
        numbers=(numbered(scan(FAILED, 20), scan(FAILED, 30)),),
    )
    expected = "overtaken" if hours > 30 else "met"
    assert told(order, "two_failed_attempts") == [expected]


def test_a_delivery_of_unsure_time_takes_the_loss_back() -> None:
    scans = (scan(FAILED, 20), scan(FAILED, 30), scan("delivered", 40, basis=TimeBasis.ZONE))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "two_failed_attempts") == ["met"]


def test_a_return_does_not_take_the_loss_back() -> None:
    scans = (scan(FAILED, 20), scan(FAILED, 30), scan("returned", 60))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "two_failed_attempts") == ["standing"]


# not_acknowledged


@pytest.mark.parametrize(("now", "missed"), around(D12))
def test_what_nobody_acknowledged_in_twelve_days_is_deemed_lost(
    now: datetime, missed: bool
) -> None:
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5)),))
    (clock,) = of(order, "not_acknowledged")
    assert (clock.due_at, clock.starts_at, clock.number) == (D12, T0, NUMBER)
    assert (clock.state(now) is ClockState.MISSED) is missed


@pytest.mark.parametrize(
    ("status", "there"),
    [("info_received", False), ("expired", False), ("pickup_failed", False), ("picked_up", True)],
)
def test_only_a_package_with_a_scan_has_that_clock(status: str, there: bool) -> None:
    order = folded(snapshot(), numbers=(numbered(scan(status, 5)),))
    assert bool(of(order, "not_acknowledged")) is there


@pytest.mark.parametrize(
    ("off", "expected"), [(-SECOND, "met"), (ZERO, "met"), (SECOND, "overtaken")]
)
@pytest.mark.parametrize(
    "end", [{"status": "delivered", "proof": "signature"}, {"status": "delivered"}]
)
def test_a_delivery_with_or_without_proof_stops_it(
    end: dict[str, Any], off: timedelta, expected: str
) -> None:
    last = scan(occurred_at=D12 + off, received_at=LATER, **end)
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5), last),))
    assert told(order, "not_acknowledged") == [expected]


@pytest.mark.parametrize(("off", "expected"), [(ZERO, "met"), (SECOND, "overtaken")])
def test_a_return_stops_it_too(off: timedelta, expected: str) -> None:
    last = scan("returned", occurred_at=D12 + off, received_at=LATER)
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5), last),))
    assert told(order, "not_acknowledged") == [expected]


@pytest.mark.parametrize("status", ["damaged", "lost", "returning", "expired", "out_for_delivery"])
def test_no_other_news_stops_it(status: str) -> None:
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5), scan(status, 50)),))
    assert told(order, "not_acknowledged") == ["standing"]


def test_of_a_pre_order_the_twelve_days_count_from_its_release() -> None:
    release = after(100)
    order = folded(
        snapshot(order_type="PRE_ORDER", release_date=release),
        numbers=(numbered(scan("in_transit", 120)),),
    )
    (clock,) = of(order, "not_acknowledged")
    assert clock.due_at == release + timedelta(days=12)
    assert clock.state(release - SECOND) is ClockState.WAITING


def test_every_package_of_a_split_order_has_its_own_and_is_judged_alone() -> None:
    lines = (
        line("1", package_id=P1, tracking_number=NUMBER),
        line("2", package_id=P2, tracking_number=OTHER_NUMBER),
    )
    numbers = (
        numbered(scan("in_transit", 5), scan("delivered", 60)),
        numbered(scan("in_transit", 5, number=OTHER_NUMBER), number=OTHER_NUMBER),
    )
    order = folded(snapshot("IN_TRANSIT", lines=lines), numbers=numbers)
    assert {(c.package_id, stands(c)) for c in of(order, "not_acknowledged")} == {
        (P1, "met"),
        (P2, "standing"),
    }
    lost = of(order, "abnormal_delivery", cause="deemed_lost")
    assert [clock.package_id for clock in lost] == [P2]


def test_a_package_that_two_orders_share_is_judged_in_each_by_its_own_age() -> None:
    shared = NumberFacts(
        NUMBER, (scan("in_transit", 30),), (link(created_at=T0), link("576000000000000102"))
    )
    order = folded(snapshot(), numbers=(shared,))
    assert [clock.due_at for clock in of(order, "not_acknowledged")] == [D12]


# delivery_period

FIELDS = ("delivery_sla_time", "delivery_option_required_delivery_time", "delivery_due_time")


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_first_field_that_is_there_names_the_period(count: int) -> None:
    given = {name: after(50 + 10 * FIELDS.index(name)) for name in FIELDS[-count:]}
    (clock,) = of(folded(snapshot(deadlines=given)), "delivery_period")
    assert (clock.set_by, clock.due_at) == (FIELDS[-count], given[FIELDS[-count]])
    assert "guide-2023:delivery_period" in clock.clause


def test_an_order_known_by_hints_alone_is_promised_for_no_time() -> None:
    assert delivery_period.promised(folded(hint("IN_TRANSIT"))) is None


def test_without_such_a_field_there_is_no_period() -> None:
    order = folded(snapshot(deadlines={"tts_sla_time": after(50)}))
    assert of(order, "delivery_period") == []


@pytest.mark.parametrize("shipping_type", ["SELLER", "TIKTOK", "IN-STORE PICKUP"])
@pytest.mark.parametrize(("now", "missed"), around(after(50)))
def test_every_shipping_type_is_deemed_delayed_at_the_periods_end(
    now: datetime, missed: bool, shipping_type: str
) -> None:
    given = {"delivery_sla_time": after(50)}
    order = folded(snapshot("IN_TRANSIT", deadlines=given, shipping_type=shipping_type))
    (clock,) = of(order, "delivery_period")
    assert (clock.state(now) is ClockState.MISSED) is missed


@pytest.mark.parametrize(("off", "expected"), [(ZERO, "met"), (SECOND, "overtaken")])
def test_the_period_is_met_by_the_marketplaces_delivered(off: timedelta, expected: str) -> None:
    given = {"delivery_sla_time": after(50)}
    order = folded(snapshot("DELIVERED", 90, deadlines=given, delivery_time=after(50) + off))
    assert told(order, "delivery_period") == [expected]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [(40, 49, "met"), (40, 51, "overtaken"), (51, 52, "overtaken"), (40, None, "standing")],
)
def test_carriers_meet_the_period_once_every_package_is_delivered(
    first: float, second: float | None, expected: str
) -> None:
    lines = (
        line("1", package_id=P1, tracking_number=NUMBER),
        line("2", package_id=P2, tracking_number=OTHER_NUMBER),
    )
    other = [scan("delivered", second, number=OTHER_NUMBER)] if second else []
    order = folded(
        snapshot("IN_TRANSIT", lines=lines, deadlines={"delivery_sla_time": after(50)}),
        numbers=(numbered(scan("delivered", first)), numbered(*other, number=OTHER_NUMBER)),
    )
    assert told(order, "delivery_period") == [expected]


# abnormal_delivery


@pytest.mark.parametrize("cause", ["damaged", "lost", "disposed"])
@pytest.mark.parametrize(("now", "missed"), around(after(30)))
def test_what_a_carrier_reports_is_abnormal_at_once(
    now: datetime, missed: bool, cause: str
) -> None:
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5), scan(cause, 30)),))
    (clock,) = of(order, "abnormal_delivery", cause=cause)
    assert (clock.due_at, clock.number) == (after(30), NUMBER)
    assert (clock.state(now) is ClockState.MISSED) is missed


@pytest.mark.parametrize(
    "status", ["delayed", "on_hold", "returning", "returned", FAILED, "expired", "unknown"]
)
def test_other_news_is_not_abnormal(status: str) -> None:
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5), scan(status, 30)),))
    assert told(order, "abnormal_delivery") in ([], ["standing"])
    assert of(order, "abnormal_delivery", cause=status) == []


@pytest.mark.parametrize("basis", [TimeBasis.ZONE, TimeBasis.RECEIVED])
def test_a_report_of_unsure_time_is_no_verdict(basis: TimeBasis) -> None:
    order = folded(snapshot(), numbers=(numbered(scan("damaged", 30, basis=basis)),))
    assert of(order, "abnormal_delivery", cause="damaged") == []


def test_each_cause_counts_once_from_its_first_report() -> None:
    scans = (scan("damaged", 30), scan("damaged", 20), scan("lost", 50), scan("lost", 60))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    causes = {c.cause: c.due_at for c in of(order, "abnormal_delivery") if c.cause != "deemed_lost"}
    assert causes == {"damaged": after(20), "lost": after(50)}


@pytest.mark.parametrize(
    ("hours", "expected"), [(29, "standing"), (30, "standing"), (30.1, "overtaken")]
)
def test_only_a_delivery_after_it_overtakes_what_is_abnormal(hours: float, expected: str) -> None:
    scans = (scan("damaged", 30), scan("delivered", hours))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "abnormal_delivery", cause="damaged") == [expected]


@pytest.mark.parametrize("status", ["lost", "disposed"])
def test_what_is_lost_for_its_damage_is_both(status: str) -> None:
    order = folded(snapshot(), numbers=(numbered(scan(status, 30, flags=("damaged",))),))
    causes = {clock.cause for clock in of(order, "abnormal_delivery")} - {"deemed_lost"}
    assert causes == {status, "damaged"}


def test_delivered_damaged_is_damaged() -> None:
    order = folded(snapshot(), numbers=(numbered(scan("delivered", 30, flags=("damaged",))),))
    assert told(order, "abnormal_delivery", cause="damaged") == ["standing"]


def test_a_lost_parcel_that_is_found_and_delivered_is_overtaken() -> None:
    scans = (scan("in_transit", 5), scan("lost", 50), scan("in_transit", 70), scan("delivered", 80))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "abnormal_delivery", cause="lost") == ["overtaken"]
    assert order.packages[0].parcel is not None
    assert order.packages[0].parcel.status == "delivered"


@pytest.mark.parametrize(
    "word", ["PACKAGE_DAMAGAED", "PACKAGE_LOST", "RETURNED_TO_SHIPPER", "PACKAGE_SCRAP", "TOMORROW"]
)
def test_the_marketplaces_own_exception_is_a_cause_by_its_own_name(word: str) -> None:
    reads: list[PackageRead] = [
        package_read(P1, exception=word, update_time=after(60), as_of=after(70)),
        package_read(P1, exception=word, update_time=after(65), as_of=after(80)),
        package_read(P1, exception=""),
    ]
    order = folded(by_tiktok(lines=(line(package_id=P1),)), *reads)
    (clock,) = of(order, "abnormal_delivery")
    assert (clock.cause, clock.due_at, clock.package_id) == (word.lower(), after(60), P1)
    assert stands(clock) == "standing"


@pytest.mark.parametrize("word", ["Package lost!", "x" * 65, "<b>", "perdu à jamais"])
def test_an_exception_that_is_no_plain_word_is_another_cause(word: str) -> None:
    read = package_read(P1, exception=word, update_time=after(60))
    order = folded(by_tiktok(lines=(line(package_id=P1),)), read)
    assert [clock.cause for clock in of(order, "abnormal_delivery")] == ["other"]


def test_an_exception_without_a_time_counts_as_of_the_sweep_that_read_it() -> None:
    read = package_read(P1, exception="PACKAGE_LOST", as_of=after(70))
    order = folded(by_tiktok(lines=(line(package_id=P1),)), read)
    assert [clock.due_at for clock in of(order, "abnormal_delivery")] == [after(70)]


def test_an_exception_is_overtaken_by_the_marketplaces_delivered() -> None:
    read = package_read(P1, exception="PACKAGE_LOST", update_time=after(60))
    lines: tuple[Line, ...] = (line(package_id=P1),)
    order = folded(
        by_tiktok(lines=lines),
        by_tiktok("DELIVERED", 90, lines=lines, delivery_time=after(80)),
        read,
    )
    assert told(order, "abnormal_delivery") == ["overtaken"]


def test_what_is_deemed_lost_twice_is_abnormal_once_from_the_first() -> None:
    scans = (scan(FAILED, 20), scan(FAILED, 30))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "two_failed_attempts") == told(order, "not_acknowledged") == ["standing"]
    (clock,) = of(order, "abnormal_delivery")
    assert (clock.cause, clock.due_at) == ("deemed_lost", after(30))


def test_what_takes_the_deeming_back_takes_the_abnormal_back() -> None:
    scans = [scan("in_transit", 5)]
    missed = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(missed, "abnormal_delivery", cause="deemed_lost") == ["standing"]
    known = folded(snapshot(), numbers=(numbered(*scans, scan("delivered", 250)),))
    assert of(known, "abnormal_delivery") == []
    late = folded(snapshot(), numbers=(numbered(*scans, scan("delivered", 300)),))
    assert told(late, "abnormal_delivery", cause="deemed_lost") == ["overtaken"]


def test_each_package_still_out_at_the_periods_end_is_deemed_delayed() -> None:
    lines = (
        line("1", package_id=P1, tracking_number=NUMBER),
        line("2", package_id=P2, tracking_number=OTHER_NUMBER),
    )
    order = folded(
        by_tiktok("IN_TRANSIT", lines=lines, deadlines={"delivery_sla_time": after(50)}),
        numbers=(numbered(scan("delivered", 40)), numbered(number=OTHER_NUMBER)),
    )
    (clock,) = of(order, "abnormal_delivery")
    assert (clock.cause, clock.package_id, clock.due_at) == ("deemed_delayed", P2, after(50))


def test_what_may_yet_be_deemed_waits_for_its_instant() -> None:
    order = folded(snapshot(), numbers=(numbered(scan("in_transit", 5)),))
    (clock,) = of(order, "abnormal_delivery")
    assert clock.at_once
    assert clock.state(D12 - SECOND) is ClockState.WAITING
    assert clock.state(D12) is ClockState.MISSED


# delivered_unproven, carrier_mismatch


@pytest.mark.parametrize(
    ("proof", "found"),
    [("", True), ("none", True), ("signature", False), ("photo", False), ("otp", False)],
)
def test_a_delivery_without_proof_is_told_as_of_its_time(proof: str, found: bool) -> None:
    order = folded(snapshot(), numbers=(numbered(scan("delivered", 30, proof=proof)),))
    assert told(order, "delivered_unproven") == (["standing"] if found else ["met"])
    assert [clock.due_at for clock in of(order, "delivered_unproven")] == [after(30)]


@pytest.mark.parametrize(("hours", "expected"), [(30, "met"), (31, "overtaken")])
def test_a_proof_by_another_source_or_later_ends_it(hours: float, expected: str) -> None:
    scans = (scan("delivered", 30), scan("delivered", hours, source="other", proof="photo"))
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert told(order, "delivered_unproven") == [expected]


def test_the_proof_is_the_carriers_business_under_ship_by_tiktok() -> None:
    order = folded(by_tiktok("DELIVERED"), numbers=(numbered(scan("delivered", 30)),))
    assert of(order, "delivered_unproven") == []


@pytest.mark.parametrize(
    ("assigned", "scanned", "found"),
    [
        ("Synthetic Express", "Synthetic Express", False),
        ("Synthetic Express", "synthetic-express", False),
        ("Synthetic Express", "Synthetic Express MY", False),
        ("J&T Express", "JNT", False),
        ("", "Other Post", False),
        ("Synthetic Express", "", False),
        ("Synthetic Express", "Other Post", True),
        ("USPS", "UPS", True),
        ("UPS", "United Parcel Service", False),
    ],
)
def test_a_first_scan_by_another_carrier_is_told(assigned: str, scanned: str, found: bool) -> None:
    order = folded(
        snapshot("IN_TRANSIT", shipping_provider=assigned),
        numbers=(numbered(scan("picked_up", 10, carrier=scanned)),),
    )
    assert told(order, "carrier_mismatch") == (["standing"] if found else [])


def test_the_provider_of_the_line_comes_before_the_orders() -> None:
    lines = (
        line("1", package_id=P1, tracking_number=NUMBER, provider="Synthetic Express"),
        line("2", package_id=P2, tracking_number=OTHER_NUMBER, provider="Other Post"),
    )
    other = scan("picked_up", 10, number=OTHER_NUMBER, carrier="Synthetic Express")
    order = folded(
        snapshot("IN_TRANSIT", lines=lines, shipping_provider="Synthetic Express"),
        numbers=(
            numbered(scan("picked_up", 10, carrier="Synthetic Express")),
            numbered(other, number=OTHER_NUMBER),
        ),
    )
    assert [clock.package_id for clock in of(order, "carrier_mismatch")] == [P2]


@pytest.mark.parametrize(("scanned", "found"), [("J&T Express", False), ("Ninja Van", True)])
def test_a_line_without_a_package_names_its_carrier_all_the_same(scanned: str, found: bool) -> None:
    lines = (line("1", tracking_number=NUMBER, provider="jnt"),)
    order = folded(
        snapshot("IN_TRANSIT", lines=lines, shipping_provider="Ninja Van"),
        numbers=(numbered(scan("picked_up", 10, carrier=scanned)),),
    )
    assert told(order, "carrier_mismatch") == (["standing"] if found else [])


def test_a_data_feed_is_no_scan_and_a_later_one_is_not_the_first() -> None:
    scans = (
        scan("info_received", 1, carrier="Other Post"),
        scan("picked_up", 10, carrier="Synthetic Express"),
        scan("in_transit", 20, carrier="Other Post"),
    )
    order = folded(
        snapshot("IN_TRANSIT", shipping_provider="Synthetic Express"), numbers=(numbered(*scans),)
    )
    assert of(order, "carrier_mismatch") == []


# All of them

SCENES: dict[str, dict[str, Any]] = {
    "status_update": {},
    "untracked": {},
    "rts_sla_time": {"deadlines": {"rts_sla_time": after(20)}},
    "delivery_due_time": {"deadlines": {"delivery_due_time": after(400)}},
    "delivery_period": {"deadlines": {"delivery_sla_time": after(50)}},
    "not_acknowledged": {"scans": (scan("in_transit", 5),)},
    "two_failed_attempts": {"scans": (scan(FAILED, 20), scan(FAILED, 30))},
    "abnormal_delivery": {"scans": (scan("damaged", 40),)},
    "carrier_mismatch": {
        "scans": (scan("picked_up", 4, carrier="Other Post"),),
        "told": {"shipping_provider": "Synthetic Express"},
    },
    "delivered_unproven": {"scans": (scan("in_transit", 5), scan("delivered", 500))},
    "buyer_cancel_request": {
        "cases": (case("CANCELLATION_REQUEST_PENDING", 2, deadline=after(50)),),
    },
}
"""Facts by which each rule comes to a verdict, by itself."""


def played(*names: str) -> set[tuple[str, str, datetime]]:
    """Rule, cause and instant of every verdict there is to an order with these facts."""
    scenes = [SCENES[name] for name in names]
    scans = tuple(one for scene in scenes for one in scene.get("scans", ()))
    deadlines = {n: at for scene in scenes for n, at in scene.get("deadlines", {}).items()}
    told = {key: value for scene in scenes for key, value in scene.get("told", {}).items()}
    numbers = (numbered(*scans),) if scans else ()
    cases = [one for scene in scenes for one in scene.get("cases", ())]
    order = folded(snapshot(deadlines=deadlines, **told), *cases, numbers=numbers)
    clocks = [tick.clock for tick in timeline(order, policy())]
    return {(c.name, c.cause, c.due_at) for c in clocks if c.state(LATER) is ClockState.MISSED}


def test_each_scene_brings_its_own_verdict() -> None:
    for name in SCENES:
        assert name in {rule for rule, _, _ in played(name)}, name


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(SCENES, 2)))
def test_of_any_two_rules_neither_changes_what_the_other_says(one: str, other: str) -> None:
    """But for what the facts themselves stop: a scan ends the wait for one, and of two reasons to
    take a parcel for lost the earlier one counts."""
    both = played(one, other)
    expected = played(one) | played(other)
    if any(SCENES[name].get("scans") for name in (one, other)):
        expected = {verdict for verdict in expected if verdict[0] != "untracked"}
    lost = sorted(at for _, cause, at in expected if cause == "deemed_lost")
    expected -= {("abnormal_delivery", "deemed_lost", at) for at in lost[1:]}
    delayed = {at for _, cause, at in both if cause == "deemed_delayed"}
    if {one, other} == {"delivery_due_time", "delivery_period"}:
        expected -= {v for v in expected if v[2] == after(400) and v[0] != "delivery_due_time"}
        assert delayed == {after(50)}  # the earlier field names the period
    assert both == expected


SELLER_ONLY = ("two_failed_attempts", "not_acknowledged", "delivered_unproven")


@pytest.mark.parametrize("name", SELLER_ONLY)
@pytest.mark.parametrize("shipping_type", ["TIKTOK", "IN-STORE PICKUP", ""])
def test_rules_of_ship_by_seller_leave_other_orders_alone(name: str, shipping_type: str) -> None:
    scans = (scan(FAILED, 20), scan(FAILED, 30), scan("delivered", 400))
    order = folded(snapshot(shipping_type=shipping_type), numbers=(numbered(*scans),))
    assert of(order, name) == []


@pytest.mark.parametrize(
    ("off", "expected"), [(-SECOND, "stopped"), (ZERO, "stopped"), (SECOND, "standing")]
)
@pytest.mark.parametrize(
    ("name", "due_at"),
    [("two_failed_attempts", after(30)), ("not_acknowledged", D12), ("delivery_period", after(50))],
)
def test_a_cancellation_up_to_the_instant_stops_them(
    name: str, due_at: datetime, off: timedelta, expected: str
) -> None:
    given = {"delivery_sla_time": after(50)}
    order = folded(
        snapshot(deadlines=given),
        snapshot("CANCELLED", 500, cancel_time=due_at + off, deadlines=given),
        numbers=(numbered(scan(FAILED, 20), scan(FAILED, 30)),),
    )
    assert told(order, name) == [expected]


def test_an_order_the_marketplace_fulfils_has_none_of_them() -> None:
    scans = (scan(FAILED, 20), scan(FAILED, 30), scan("damaged", 40))
    order = folded(snapshot(fulfillment_type="FULFILLMENT_BY_TIKTOK"), numbers=(numbered(*scans),))
    assert timeline(order, policy()) == ()


def test_every_verdict_of_every_rule_says_when_in_the_shops_time_and_what_to_do() -> None:
    """One order on which each rule speaks; read them aloud once."""
    lines = (line(package_id=P1, tracking_number=NUMBER, provider="Other Post"),)
    given = {name: after(50) for name in ("delivery_sla_time", "rts_sla_time", "delivery_due_time")}
    scans = (scan(FAILED, 20, carrier="Synthetic Express"), scan(FAILED, 30), scan("damaged", 40))
    one = folded(snapshot(lines=lines, deadlines=given), numbers=(numbered(*scans),))
    two = folded(snapshot(), numbers=(numbered(scan("delivered", 30)),))
    three = folded(by_tiktok(), numbers=(numbered(scan("picked_up", 3)),))
    four = folded(snapshot())
    five = folded(snapshot(), case("CANCELLATION_REQUEST_PENDING", 2, deadline=after(50)))
    six = folded(snapshot(order_type="AUCTION"))
    said = {
        tick.rule.name: tick.rule.explain(order, tick.clock, every_rule())
        for order in (one, two, three, four, five, six)
        for tick in timeline(order, every_rule())
        if tick.clock.state(LATER) is ClockState.MISSED
    }
    assert said.keys() == {rule.name for rule in RULES}
    for name, text in said.items():
        assert "(Asia/Kuala_Lumpur)" in text, name
        assert text[0].isupper() or text.startswith(NUMBER), name
        assert text.endswith("."), name
        assert len(text) > 120, name


def test_a_pack_without_a_clause_leaves_its_rule_out() -> None:
    bare = policy().pack.model_copy(update={"clauses": {}})
    order = folded(
        snapshot(deadlines={"delivery_sla_time": after(50)}, shipping_provider="Other Post"),
        numbers=(numbered(scan(FAILED, 20, carrier="X"), scan(FAILED, 30), scan("damaged", 40)),),
    )
    names = {tick.clock.name for tick in timeline(order, Policy(bare, policy().zone))}
    assert names == {"delivery_sla_time"}


@pytest.mark.parametrize(
    ("number", "said"),
    [
        *((1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (10, "10th"), (20, "20th")),
        *((11, "11th"), (12, "12th"), (13, "13th"), (14, "14th")),
        *((21, "21st"), (22, "22nd"), (23, "23rd"), (30, "30th"), (100, "100th")),
        *((101, "101st"), (111, "111th"), (112, "112th"), (122, "122nd")),
    ],
)
def test_attempts_are_counted_as_people_count(number: int, said: str) -> None:
    assert ordinal(number) == said


def test_the_number_of_attempts_is_the_packs() -> None:
    clauses = dict(policy().pack.clauses)
    clauses["two_failed_attempts"] = clauses["two_failed_attempts"].model_copy(
        update={"attempts": 3}
    )
    three = Policy(policy().pack.model_copy(update={"clauses": clauses}), policy().zone)
    scans = [scan(FAILED, 20), scan(FAILED, 30)]
    order = folded(snapshot(), numbers=(numbered(*scans),))
    assert of(order, "two_failed_attempts", three) == []
    order = folded(snapshot(), numbers=(numbered(*scans, scan(FAILED, 40)),))
    (clock,) = of(order, "two_failed_attempts", three)
    assert clock.due_at == after(40)
    assert "the 3rd time" in two_failed_attempts.RULE.explain(order, clock, three)


@pytest.mark.parametrize(
    ("provider_id", "found"), [("6610000000000000009", []), ("6610000000000000001", ["standing"])]
)
def test_the_shops_default_provider_stands_for_carriers_of_any_name(
    provider_id: str, found: list[str]
) -> None:
    order = folded(
        snapshot("IN_TRANSIT", shipping_provider="Other Post", shipping_provider_id=provider_id),
        numbers=(numbered(scan("picked_up", 10, carrier="North 3PL")),),
    )
    assert told(order, "carrier_mismatch", ANYBODY) == found
    assert told(order, "carrier_mismatch") == ["standing"]
