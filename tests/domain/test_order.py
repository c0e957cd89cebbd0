"""An order, folded from its facts."""

import itertools
import random
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.event import Line, Link, OrderFacts, Request, Snapshot
from shipclock.domain.linking import NumberFacts
from shipclock.domain.number import is_number, normal
from shipclock.domain.order import PROGRESS, STAGES
from tests.builders import (
    NUMBER,
    ORDER,
    OTHER_ORDER,
    OTHER_SHOP,
    REAL,
    SECOND,
    SHOP,
    T0,
    after,
    case,
    facts,
    folded,
    hint,
    line,
    link,
    numbered,
    package_read,
    patient,
    scan,
    snapshot,
)

# What counts


def test_a_hint_fills_in_only_while_no_snapshot_is_known() -> None:
    assert folded(hint("IN_TRANSIT", 9)).status == "IN_TRANSIT"
    assert folded(hint("IN_TRANSIT", 9), snapshot("AWAITING_SHIPMENT", 1)).status == (
        "AWAITING_SHIPMENT"
    )


def test_the_newest_hint_is_told_by_the_marketplaces_clock() -> None:
    late_arrival = hint("AWAITING_SHIPMENT", 1, received_at=REAL + SECOND)
    assert folded(hint("IN_TRANSIT", 5), late_arrival).status == "IN_TRANSIT"


def test_a_hint_without_a_status_does_not_hide_one_with_a_status() -> None:
    address = hint("", 9, topic="recipient_address_update")
    assert folded(hint("ON_HOLD", 1), address).status == "ON_HOLD"


def test_a_hint_alone_gives_no_facts_and_no_instants() -> None:
    order = folded(hint("IN_TRANSIT", 5))
    assert (order.facts, dict(order.reached), order.starts_at) == (None, {}, None)
    assert order.hinted_at == REAL


def test_whose_order_it_is_is_known_from_a_hint_and_of_nothing_nothing_is_known() -> None:
    told = folded(hint("ON_HOLD", shop_id=OTHER_SHOP))
    assert (told.order_id, told.shop_id, told.status) == (ORDER, OTHER_SHOP, "ON_HOLD")
    read = folded(hint(shop_id=OTHER_SHOP), snapshot())
    assert (read.order_id, read.shop_id) == (ORDER, SHOP)
    nothing = folded()
    assert (nothing.order_id, nothing.shop_id, nothing.status) == (ORDER, "", "")
    assert nothing.stage == "unknown"


def test_the_newest_snapshot_is_the_one_last_changed() -> None:
    newer = snapshot("IN_TRANSIT", 5, sent=REAL)
    asked_later = snapshot("AWAITING_COLLECTION", 4, sent=REAL + SECOND)
    assert folded(newer, asked_later).status == "IN_TRANSIT"


def test_of_snapshots_last_changed_alike_the_one_asked_for_later_counts() -> None:
    first = snapshot(hours=5, deadlines={"shipping_due_time": after(48)})
    extended = snapshot(hours=5, deadlines={"shipping_due_time": after(72)}, sent=REAL + SECOND)
    for order in (folded(first, extended), folded(extended, first)):
        assert order.facts is not None
        assert order.facts.deadlines["shipping_due_time"] == after(72)


def test_the_snapshot_that_counts_is_the_newest_and_there_is_none_of_hints_alone() -> None:
    older, newest = snapshot(hours=1, sent=REAL + SECOND), snapshot("IN_TRANSIT", 5)
    assert folded(newest, older).snapshot == newest
    assert folded(older).snapshot == older
    assert folded(hint()).snapshot is None


@pytest.mark.parametrize(
    ("known", "told", "nothing_new"),
    [
        ([], facts(), False),
        ([snapshot(hours=5)], facts(update_time=after(5)), True),
        ([snapshot(hours=5)], facts(update_time=after(5), cancel_requested=True), False),
        ([snapshot(hours=5)], facts(update_time=after(6)), False),
        ([snapshot(hours=5)], facts(update_time=after(4)), False),
        ([snapshot(hours=4), snapshot(hours=5)], facts(update_time=after(4)), True),
        ([snapshot(hours=4), snapshot(hours=5)], facts("ON_HOLD", update_time=after(4)), False),
        (
            [snapshot("ON_HOLD", 5), snapshot(hours=5, sent=REAL + SECOND)],
            facts("ON_HOLD", update_time=after(5)),
            False,
        ),
    ],
)
def test_a_re_read_tells_nothing_new_where_it_is_the_newest_or_an_older_one_known_before(
    known: list[Snapshot], told: OrderFacts, nothing_new: bool
) -> None:
    """Of one update time the later telling counts, so an earlier one told again is news."""
    assert folded(*known).tells_nothing_new(told) is nothing_new


@pytest.mark.parametrize("status", [*PROGRESS, "CANCELLED"])
def test_every_known_status_has_its_column(status: str) -> None:
    order = folded(snapshot(status, 1))
    assert order.stage == STAGES[status]
    assert order.ended is (status in ("COMPLETED", "CANCELLED"))


def test_a_status_of_tomorrow_is_kept_word_for_word_in_the_unknown_column() -> None:
    order = folded(snapshot("TELEPORTING", 1))
    assert (order.status, order.stage, order.ended) == ("TELEPORTING", "unknown", False)
    assert dict(order.reached) == {}


# When a status was reached


def test_a_status_is_reached_at_the_orders_own_field() -> None:
    told: dict[str, Any] = {
        "rts_time": after(3),
        "collection_time": after(20),
        "delivery_time": after(60),
    }
    order = folded(snapshot("DELIVERED", 61, **told))
    assert order.reached_at("AWAITING_COLLECTION") == after(3)
    assert order.reached_at("IN_TRANSIT") == after(20)
    assert order.reached_at("DELIVERED") == after(60)
    assert order.reached_at("COMPLETED") is None


def test_without_its_field_a_status_is_reached_when_it_or_a_later_one_was_first_told() -> None:
    seen = [
        snapshot("AWAITING_COLLECTION", 9),
        snapshot("IN_TRANSIT", 30),
        snapshot("DELIVERED", 70),
    ]
    assert folded(*seen).reached_at("AWAITING_COLLECTION") == after(9)
    assert folded(*seen[1:]).reached_at("AWAITING_COLLECTION") == after(30)
    assert folded(seen[0], seen[2]).reached_at("IN_TRANSIT") == after(70)


def test_a_status_skipped_by_the_snapshots_is_reached_by_a_later_ones_field_at_the_latest() -> None:
    order = folded(snapshot("DELIVERED", 90, delivery_time=after(60)))
    assert order.reached_at("IN_TRANSIT") == after(60)


def test_a_split_order_has_not_got_where_only_its_first_package_is() -> None:
    order = folded(snapshot("PARTIALLY_SHIPPING", 9, rts_time=after(3)))
    assert order.reached_at("AWAITING_COLLECTION") is None
    whole = folded(
        snapshot("PARTIALLY_SHIPPING", 9, rts_time=after(3)),
        snapshot("AWAITING_COLLECTION", 12, rts_time=after(12)),
    )
    assert whole.reached_at("AWAITING_COLLECTION") == after(12)


def test_an_order_completed_by_a_full_refund_reached_all_before_it() -> None:
    order = folded(snapshot("COMPLETED", 40))
    assert order.reached_at("DELIVERED") == order.reached_at("COMPLETED") == after(40)


def test_a_cancelled_order_reached_nothing_but_its_end() -> None:
    order = folded(snapshot("AWAITING_SHIPMENT", 1), snapshot("CANCELLED", 30))
    assert order.reached_at("CANCELLED") == after(30)
    assert order.reached_at("AWAITING_COLLECTION") is None
    assert order.reached_at("AWAITING_SHIPMENT") == after(1)


def test_the_end_of_a_cancelled_order_is_its_own_field() -> None:
    order = folded(snapshot("CANCELLED", 31, cancel_time=after(30)))
    assert order.reached_at("CANCELLED") == after(30)


def test_what_was_reached_before_the_cancellation_stays_reached() -> None:
    order = folded(snapshot("IN_TRANSIT", 20), snapshot("CANCELLED", 300))
    assert order.reached_at("IN_TRANSIT") == after(20)


def test_an_order_first_read_after_its_cancellation_still_was_collected_when_it_says_so() -> None:
    told: dict[str, Any] = {
        "rts_time": after(3),
        "collection_time": after(20),
        "cancel_time": after(400),
    }
    order = folded(snapshot("CANCELLED", 400, **told))
    assert order.reached_at("IN_TRANSIT") == after(20)
    reached = order.reached_at("AWAITING_COLLECTION")
    assert reached is not None
    assert reached <= after(20)


def test_a_field_of_a_status_that_no_snapshot_tells_of_is_not_yet_true() -> None:
    told: dict[str, Any] = {"collection_time": after(20), "delivery_time": after(40)}
    order = folded(snapshot("AWAITING_COLLECTION", 50, **told))
    assert [order.reached_at(status) for status in ("IN_TRANSIT", "DELIVERED")] == [None, None]
    cancelled = folded(snapshot("CANCELLED", 50, rts_time=after(3)))
    assert cancelled.reached_at("AWAITING_COLLECTION") is None


def test_the_clocks_of_a_pre_order_start_at_its_release() -> None:
    told: dict[str, Any] = {"order_type": "PRE_ORDER", "release_date": after(240)}
    assert folded(snapshot(**told)).starts_at == after(240)
    assert folded(snapshot(order_type="PRE_ORDER")).starts_at == T0
    assert folded(snapshot(order_type="NORMAL", release_date=after(240))).starts_at == T0


# A buyer's wish to cancel


def test_a_pending_case_is_open_until_a_later_state_of_it() -> None:
    pending = case("CANCELLATION_REQUEST_PENDING", 2)
    assert folded(snapshot(hours=1), pending).cancel_open
    withdrawn = case("CANCELLATION_REQUEST_CANCEL", 3)
    assert not folded(snapshot(hours=1), withdrawn, pending).cancel_open


def test_the_answer_is_due_by_the_newest_pending_case_where_that_is_known() -> None:
    pending = "CANCELLATION_REQUEST_PENDING"
    first = case(pending, 2, deadline=after(50))
    second = case(pending, 3, deadline=after(60), case_id="4030000000000000199")
    assert folded(snapshot(hours=1), first).cancel_by == after(50)
    assert folded(snapshot(hours=1), second, first).cancel_by == after(60)
    assert folded(snapshot(hours=1), case(pending, 2)).cancel_by is None
    closed = case("CANCELLATION_REQUEST_CANCEL", 4, deadline=after(70))
    assert folded(snapshot(hours=1), first, closed).cancel_by is None
    assert folded(snapshot(cancel_requested=True)).cancel_by is None


def test_the_buyer_asked_when_the_order_says_or_else_the_pending_case() -> None:
    pending = case("CANCELLATION_REQUEST_PENDING", 2)
    own: dict[str, Any] = {"cancel_requested": True, "cancel_requested_at": after(1)}
    assert folded(snapshot(hours=1), pending).cancel_asked_at == after(2)
    assert folded(snapshot(hours=3, **own)).cancel_asked_at == after(1)
    assert folded(snapshot(hours=3, **own), pending).cancel_asked_at == after(1)
    assert folded(snapshot(hours=3, cancel_requested=True), pending).cancel_asked_at == after(2)
    over = snapshot(hours=3, cancel_requested_at=after(1))
    assert folded(over, pending).cancel_asked_at is None


def test_a_case_of_another_id_does_not_close_this_one() -> None:
    pending = case("CANCELLATION_REQUEST_PENDING", 2)
    other = case("CANCELLATION_REQUEST_CANCEL", 3, case_id="4030000000000000199")
    assert folded(snapshot(hours=1), pending, other).cancel_open


def test_an_order_that_changed_since_and_shows_no_request_closes_the_case() -> None:
    pending = case("CANCELLATION_REQUEST_PENDING", 2)
    assert not folded(snapshot(hours=3), pending).cancel_open
    assert folded(snapshot(hours=2), pending).cancel_open
    assert folded(snapshot(hours=3, cancel_requested=True), pending).cancel_open


def test_the_orders_own_word_is_enough() -> None:
    assert folded(snapshot(cancel_requested=True)).cancel_open


def test_a_return_is_no_wish_to_cancel() -> None:
    returning = case("RETURN_OR_REFUND_REQUEST_PENDING", 2, case="return")
    assert not folded(snapshot(hours=1), returning).cancel_open


def test_the_request_that_waits_is_known_by_its_id() -> None:
    pending, newer = "CANCELLATION_REQUEST_PENDING", "4030000000000000199"
    first, second = case(pending, 2), case(pending, 3, case_id=newer)
    assert folded(snapshot(hours=1), first).cancel_case == first.case_id
    assert folded(snapshot(hours=1), second, first).cancel_case == newer
    assert folded(snapshot(hours=1, cancel_requested=True)).cancel_case == ""
    closed = case("CANCELLATION_REQUEST_SUCCESS", 4)
    assert folded(snapshot(hours=1), first, closed).cancel_case == ""


def test_all_states_of_its_cases_are_told_the_oldest_first_and_of_one_time_by_deadline() -> None:
    pending = "CANCELLATION_REQUEST_PENDING"
    told = (
        case(pending, 2, identity="c"),
        case(pending, 2, identity="b", deadline=after(50)),
        case(pending, 2, identity="a", deadline=after(60)),
        case("RETURN_OR_REFUND_REQUEST_PENDING", 3, case="return"),
        case("CANCELLATION_REQUEST_SUCCESS", 4, deadline=after(1)),
    )
    for arrived in (told, told[::-1], (*told[2:], *told)):
        assert folded(*arrived).cases == told


# What people ask for


def request(hours: float = 0, deed: str = "ship", **more: Any) -> Request:
    known: dict[str, Any] = {"identity": f"{deed}#{hours}", "asked_at": after(hours), **more}
    return Request(order_id=ORDER, deed=deed, **known)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((), []),
        ((request(),), [after()]),
        ((request(1), request(2)), [after(2)]),  # asking twice is asking once
        ((request(1), request(2, revoked=True)), []),
        ((request(1, revoked=True), request(2)), [after(2)]),
        ((request(1), request(2, revoked=True), request(3)), [after(3)]),
        # of one time the identity decides, for it must be decided
        ((request(1, identity="a"), request(1, identity="b", revoked=True)), []),
        ((request(1, identity="b"), request(1, identity="a", revoked=True)), [after(1)]),
        # the identities say nothing of the order in time
        ((request(1, identity="b", revoked=True), request(2, identity="a")), [after(2)]),
        # other things are asked for
        ((request(1), request(2, "label", revoked=True)), [after(1)]),
        ((request(1), request(2, package_id="P1", revoked=True)), [after(1)]),
        ((request(1), request(2, says={"carrier": "X"}, revoked=True)), [after(1)]),
    ],
)
def test_of_each_thing_that_is_asked_for_the_newest_word_counts(
    asked: tuple[Request, ...], expected: list[datetime]
) -> None:
    for arrived in itertools.permutations(asked):
        assert [one.asked_at for one in folded(*arrived).requests] == expected


def test_what_is_asked_for_is_told_in_the_order_of_asking_however_it_arrived() -> None:
    two = request(1, "ship", by="me"), request(2, "cancel", by="you")
    for asked in (two, two[::-1]):
        assert [(r.deed, r.by) for r in folded(*asked).requests] == [
            ("ship", "me"),
            ("cancel", "you"),
        ]


# Packages


def packages(*events: Any, numbers: tuple[NumberFacts, ...] = ()) -> list[tuple[str, str]]:
    order = folded(*events, numbers=numbers)
    return [(package.package_id, package.tracking_number) for package in order.packages]


def test_one_package_without_a_number_takes_the_linked_one() -> None:
    one = snapshot(package_ids=("P1",), lines=(line(package_id="P1"),))
    assert packages(one, numbers=(numbered(scan()),)) == [("P1", NUMBER)]


def test_of_several_linked_numbers_the_one_scanned_first_is_the_packages() -> None:
    one = snapshot(package_ids=("P1",))
    scanned_later = numbered(scan(hours=5, number="A2"), number="A2")
    scanned_first = numbered(scan(hours=2, number="B1"), number="B1")
    announced = numbered(scan("info_received", 1, number="A0"), number="A0")
    found = packages(one, numbers=(scanned_later, announced, scanned_first))
    assert found == [("P1", "B1"), ("", "A0"), ("", "A2")] or found == [
        ("P1", "B1"),
        ("", "A2"),
        ("", "A0"),
    ]


def test_a_package_that_has_a_number_keeps_it_and_the_other_stands_alone() -> None:
    one = snapshot(lines=(line(package_id="P1", tracking_number="TT-9"),), package_ids=("P1",))
    order = folded(one, numbers=(numbered(scan()),))
    assert [(p.package_id, p.tracking_number) for p in order.packages] == [
        ("P1", "TT-9"),
        ("", NUMBER),
    ]
    assert order.packages[0].parcel is None


def test_a_number_told_by_both_sides_is_one_package_however_it_is_written() -> None:
    one = snapshot(lines=(line(package_id="P1", tracking_number="syn-000 101"),))
    order = folded(one, numbers=(numbered(scan("delivered", 4)),))
    (package,) = order.packages
    assert package.parcel is not None
    assert package.parcel.status == "delivered"


def test_the_second_number_of_a_packages_lines_is_that_packages_with_its_status() -> None:
    lines = [
        line(str(place), package_id=package, tracking_number=number, package_status=status)
        for place, (package, number, status) in enumerate(
            (
                ("P1", "TT-1", "FULFILLING"),
                ("P1", NUMBER.lower(), "FULFILLING"),
                ("P2", "TT-2", "COMPLETED"),
            )
        )
    ]
    order = folded(snapshot(lines=tuple(lines)), numbers=(numbered(scan()),))
    assert [(p.package_id, p.tracking_number, p.status) for p in order.packages] == [
        ("P1", "TT-1", "FULFILLING"),
        ("P2", "TT-2", "COMPLETED"),
        ("P1", NUMBER, "FULFILLING"),
    ]


def test_several_packages_without_numbers_take_no_linked_one() -> None:
    two = snapshot(lines=(line("1", package_id="P1"), line("2", package_id="P2")))
    found = packages(two, numbers=(numbered(scan()),))
    assert found[0] == ("", NUMBER)
    assert sorted(found[1:]) == [("P1", ""), ("P2", "")]


def test_packages_with_a_number_stand_first() -> None:
    two = snapshot(
        lines=(line("1", package_id="P1"), line("2", package_id="P2", tracking_number="TT-2"))
    )
    assert packages(two)[0] == ("P2", "TT-2")


def test_the_orders_own_number_is_its_only_packages() -> None:
    assert packages(snapshot(package_ids=("P1",), tracking_number="TT-1")) == [("P1", "TT-1")]
    two = snapshot(package_ids=("P1", "P2"), tracking_number="TT-1")
    assert packages(two) == [("P1", ""), ("P2", "")]


def test_a_package_read_for_itself_tells_a_number_the_order_does_not() -> None:
    one = snapshot(package_ids=("P1", "P2"))
    read = package_read("P2", status="FULFILLING", tracking_number="TT-2")
    assert packages(one, read)[0] == ("P2", "TT-2")


def test_of_two_reads_of_a_package_the_newest_tells_its_number() -> None:
    first = package_read("P1", tracking_number="TT-1")
    second = package_read("P1", REAL + SECOND, tracking_number="TT-2")
    for reads in ((first, second), (second, first)):
        assert packages(snapshot(package_ids=("P1",)), *reads) == [("P1", "TT-2")]


def test_a_provider_told_of_a_number_alone_is_that_of_the_package_with_the_number() -> None:
    told = line(tracking_number="syn-000101", provider="Other Post", provider_id="7202")
    order = folded(
        snapshot(package_ids=("P1", "P2"), lines=(told,)),
        package_read("P1", tracking_number=NUMBER),
        package_read("P2", tracking_number="TT-2"),
    )
    assert [(p.package_id, p.provider, p.provider_id) for p in order.packages] == [
        ("P1", "Other Post", "7202"),
        ("P2", "", ""),
    ]


@pytest.mark.parametrize(
    ("tellings", "expected"),
    [
        # by now it is told without a package, so it is nobody's, and the lone package takes it
        ((("P1", NUMBER), ("", NUMBER)), [("P2", NUMBER)]),
        # it was, for a while; by now it is told of nothing, and its package is gone
        ((("P1", NUMBER), ("", NUMBER), ("P2", "")), [("P2", "")]),
    ],
)
def test_a_number_is_of_the_package_that_was_last_named_with_it(
    tellings: tuple[tuple[str, str], ...], expected: list[tuple[str, str]]
) -> None:
    events = [
        snapshot(
            hours=hours,
            package_ids=("P2",),
            lines=(line(package_id=package_id, tracking_number=number),),
        )
        for hours, (package_id, number) in enumerate(tellings)
    ]
    assert packages(*events, numbers=(numbered(),)) == expected


def test_a_second_number_that_only_a_read_tells_of_a_package_stays() -> None:
    told = snapshot(lines=(line(package_id="P1", tracking_number="SYN000202"),))
    read = package_read("P1", tracking_number=NUMBER)
    assert packages(told, read, numbers=(numbered(),)) == [("P1", "SYN000202"), ("", NUMBER)]


def test_a_package_of_which_no_status_is_told_has_none() -> None:
    order = folded(snapshot(lines=(line(package_id="P1"),)))
    assert [package.status for package in order.packages] == [""]


def test_a_read_of_a_package_that_is_gone_brings_none_back() -> None:
    read = package_read("P9", status="FULFILLING", tracking_number="TT-9")
    assert packages(snapshot(package_ids=("P1",)), read) == [("P1", "")]


def test_an_order_without_packages_shows_its_linked_numbers() -> None:
    assert packages(snapshot(), numbers=(numbered(scan()),)) == [("", NUMBER)]


def test_a_packages_status_is_the_marketplaces_and_empty_where_it_tells_none() -> None:
    one = snapshot(lines=(line(package_id="P1", package_status="PROCESSING"),))
    assert folded(one).packages[0].status == "PROCESSING"
    order = folded(snapshot(package_ids=("P1", "P2")), numbers=(numbered(scan()),))
    assert [package.status for package in order.packages] == ["", "", ""]


def test_of_a_packages_lines_the_first_that_tells_a_number_counts() -> None:
    lines = [
        line(str(place), package_id="P1", tracking_number=number)
        for place, number in enumerate(("", "TT-1", "", "TT-2"))
    ]
    assert packages(snapshot(lines=tuple(lines))) == [("P1", "TT-1")]


ORDERS = ("Synthetic Express", "7201")


@pytest.mark.parametrize(
    ("lines", "assigned"),
    [
        ((line(package_id="P1"),), [ORDERS]),
        (
            (line(package_id="P1", provider="Other Post", provider_id="7202"),),
            [("Other Post", "7202")],
        ),
        ((line(package_id="P1", provider="Other Post"),), [("Other Post", "")]),
        # of a split order the order's own may be another package's
        (
            (line("1", package_id="P1"), line("2", package_id="P2", provider="Other Post")),
            [("", ""), ("Other Post", "")],
        ),
        ((), []),
    ],
)
def test_a_packages_provider_is_its_lines_and_of_an_only_package_else_the_orders(
    lines: tuple[Line, ...], assigned: list[tuple[str, str]]
) -> None:
    told = snapshot(lines=lines, shipping_provider=ORDERS[0], shipping_provider_id=ORDERS[1])
    assert [(p.provider, p.provider_id) for p in folded(told).packages] == assigned


def test_a_number_of_no_package_is_taken_for_the_orders_provider_where_it_is_the_only_one() -> None:
    told: dict[str, Any] = {"shipping_provider": ORDERS[0], "shipping_provider_id": ORDERS[1]}
    (package,) = folded(snapshot(**told), numbers=(numbered(scan()),)).packages
    assert (package.provider, package.provider_id) == ORDERS
    two = (line("1", package_id="P1"), line("2", package_id="P2"))
    split = folded(snapshot(lines=two, **told), numbers=(numbered(scan()),))
    assert {(p.provider, p.provider_id) for p in split.packages} == {("", "")}


def test_a_number_is_told_as_its_carrier_writes_it_or_as_it_was_asked_for() -> None:
    numbers = (
        numbered(scan(written="SYN-000 101")),
        numbered(scan(number="SYN000202", written="SYN-000 202"), number="SYN000202"),
    )
    order = folded(snapshot(), numbers=numbers)
    assert order.written(NUMBER) == "SYN-000 101"
    assert order.written("SYN000202") == "SYN-000 202"
    assert order.written("SYN000303") == "SYN000303"
    assert order.written("") == ""


@pytest.mark.parametrize("written", ["syn 000-101", " SYN000101 ", "Syn-000-101", NUMBER])
def test_a_number_is_the_same_however_it_is_spaced_or_cased(written: str) -> None:
    assert normal(written) == NUMBER


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", True),
        (NUMBER, True),
        ("A" * 64, True),
        ("A" * 65, False),
        ("", False),
        ("SYN\u0660\u0661", False),
        ("SYN\n101", False),
    ],
)
def test_a_number_has_1_to_64_plain_characters(text: str, number: bool) -> None:
    assert is_number(text) is number


# Whose scans they are


def one_scan(links: tuple[Link, ...], *scans: Any, shop_id: str = SHOP) -> list[float]:
    """Hours of the scans that `ORDER` of a shop sees."""
    order = folded(snapshot(shop_id=shop_id), numbers=(NumberFacts(NUMBER, scans, links),))
    return [(s.occurred_at - T0).total_seconds() / 3600 for p in order.parcels for s in p.scans]


def test_a_number_linked_to_another_order_only_is_not_ours() -> None:
    assert one_scan((link(OTHER_ORDER),), scan(hours=1)) == []


def test_an_account_may_link_orders_of_its_shops_only() -> None:
    assert one_scan((link(shops=(OTHER_SHOP,)),), scan(hours=1)) == []
    assert one_scan((link(shops=(OTHER_SHOP, SHOP)),), scan(hours=1)) == [1]


def test_an_account_may_tell_scans_of_its_shops_only() -> None:
    mine, theirs = scan(hours=1), scan(hours=2, shops=(OTHER_SHOP,))
    assert one_scan((link(),), mine, theirs) == [1]
    assert one_scan((link(),), mine, theirs, shop_id=OTHER_SHOP) == [1, 2]


def test_only_what_the_marketplace_itself_links_to_this_order_is_its_told_number() -> None:
    ours, theirs = "marketplace", "standard_webhooks"
    numbers = (
        numbered(number="A", links=(link(number="A", source=ours),)),
        numbered(number="B", links=(link(number="B", source=theirs),)),
        numbered(number="C", links=(link(OTHER_ORDER, number="C", source=ours),)),
        numbered(number="D", links=(link(number="D"), link(number="D", source=ours))),
    )
    assert folded(snapshot(), numbers=numbers).told_numbers == {"A", "D"}


def test_one_number_may_serve_several_orders_at_a_time() -> None:
    both = (link(created_at=T0), link(OTHER_ORDER, after(1)))
    assert one_scan(both, scan(hours=5), scan("delivered", 9)) == [5, 9]


def test_a_number_used_again_after_its_parcel_had_ended_brings_us_no_scans_of_its_second_life() -> (
    None
):
    both = (link(created_at=T0), link(OTHER_ORDER, after(500)))
    seen = one_scan(both, scan(hours=5), scan("delivered", 90), scan(hours=510))
    assert seen == [5, 90]


def test_the_second_life_of_a_number_begins_with_the_very_instant_of_the_later_order() -> None:
    both = (link(created_at=T0), link(OTHER_ORDER, after(500)))
    assert one_scan(both, scan("delivered", 90), scan(hours=500)) == [90]
    assert one_scan(both, scan("delivered", 90), scan(hours=499)) == [90, 499]


def test_the_later_order_sees_no_scan_of_the_numbers_first_life() -> None:
    both = (link(created_at=T0), link("576000000000000100", after(-500)))
    scans = (scan(hours=-490), scan("delivered", -400), scan(hours=7))
    assert one_scan(both, *scans) == [7]


def test_while_the_parcel_has_not_ended_another_link_takes_nothing_away() -> None:
    both = (link(created_at=T0), link(OTHER_ORDER, after(500)))
    assert one_scan(both, scan(hours=5), scan(hours=510)) == [5, 510]


EXPRESS, POST = "Synthetic Express", "Synthetic Post"


@pytest.mark.parametrize(
    ("carriers", "seen"),
    [
        ((EXPRESS, POST), [1, 3, 4]),
        ((POST, EXPRESS), [2, 3, 4]),
        ((EXPRESS, EXPRESS), [1, 2, 3, 4]),
        ((EXPRESS, ""), [1, 2, 3, 4]),
        (("", POST), [1, 2, 3, 4]),
        (("Synthetic Express MY", "synthetic post"), [1, 3, 4]),
    ],
)
def test_of_two_orders_with_one_number_each_sees_its_own_carriers_scans(
    carriers: tuple[str, str], seen: list[int]
) -> None:
    ours, theirs = carriers
    both = (link(created_at=T0, carrier=ours), link(OTHER_ORDER, T0, carrier=theirs))
    scans = (
        scan(hours=1, carrier=EXPRESS),
        scan(hours=2, carrier=POST),
        scan(hours=3, carrier=""),
        scan(hours=4, carrier="Nobody's"),
    )
    assert one_scan(both, *scans) == seen


def test_a_carrier_tells_no_scans_apart_where_the_number_is_one_orders() -> None:
    alone = (link(created_at=T0, carrier=EXPRESS), link(source="x", carrier=POST))
    assert one_scan(alone, scan(hours=1, carrier=POST), scan(hours=2, carrier=EXPRESS)) == [1, 2]


def test_a_day_before_the_order_is_granted_to_clocks_set_wrong_unless_the_number_is_shared() -> (
    None
):
    early = scan(hours=-23.9)
    assert one_scan((link(created_at=T0),), early) == [-23.9]
    assert one_scan((link(created_at=T0),), scan(hours=-24.1)) == []
    assert one_scan((link(created_at=T0), link(OTHER_ORDER, after(-100))), early) == []


def test_the_very_first_instant_that_is_granted_counts() -> None:
    assert one_scan((link(created_at=T0),), scan(hours=-24)) == [-24]
    assert one_scan((link(created_at=T0), link(OTHER_ORDER, after(-100))), scan(hours=0)) == [0]


def test_a_link_of_its_own_takes_no_scan_from_an_order_whenever_it_was_made() -> None:
    both = (link(created_at=after(500)), link(OTHER_ORDER, after(-100)))
    assert one_scan(both, scan("delivered", 90), scan(hours=510)) == [90, 510]


def test_a_number_that_is_not_the_orders_hides_none_that_is() -> None:
    numbers = (
        numbered(scan(number="A"), number="A", links=(link(OTHER_ORDER, number="A"),)),
        numbered(scan(number="B"), number="B"),
    )
    assert [parcel.number for parcel in folded(snapshot(), numbers=numbers).parcels] == ["B"]


def test_the_order_counts_its_events_and_scans_once_each() -> None:
    told = snapshot()
    numbers = (
        numbered(scan(hours=1), scan(hours=2)),
        numbered(scan(hours=3, number="B"), number="B"),
    )
    assert folded(told, told, hint(), numbers=numbers[:1]).events == 4
    assert folded(told, told, hint(), numbers=numbers).events == 5


def test_the_first_scan_is_the_earliest_over_all_parcels() -> None:
    numbers = (
        numbered(scan(hours=9, number="A"), number="A"),
        numbered(scan(hours=4, number="B"), number="B"),
    )
    first = folded(snapshot(), numbers=numbers).first_scan
    assert first is not None
    assert first.number == "B"


# Any order, any duplication

STATUSES = st.sampled_from([*PROGRESS, "CANCELLED", "TELEPORTING"])
HOURS = st.integers(0, 8)
TIMES = st.none() | HOURS.map(after)
SNAPSHOTS = st.builds(
    lambda identity, status, hours, sent, more: snapshot(
        status, hours, sent=REAL + sent * SECOND, identity=identity, **more
    ),
    st.uuids().map(str),
    STATUSES,
    HOURS,
    st.integers(0, 2),
    st.fixed_dictionaries(
        {
            "rts_time": TIMES,
            "collection_time": TIMES,
            "cancel_time": TIMES,
            "cancel_requested": st.booleans(),
            "package_ids": st.sampled_from([(), ("P1",), ("P1", "P2")]),
            "lines": st.sampled_from([(), (line(package_id="P1", tracking_number="syn-000101"),)]),
        }
    ),
)
HINTS = st.builds(
    lambda identity, status, hours: hint(status, hours, identity=identity),
    st.uuids().map(str),
    STATUSES | st.just(""),
    HOURS,
)
CASES = st.builds(
    lambda identity, status, hours: case(status, hours, identity=identity),
    st.uuids().map(str),
    st.sampled_from(["CANCELLATION_REQUEST_PENDING", "CANCELLATION_REQUEST_CANCEL"]),
    HOURS,
)
READS = st.builds(
    lambda package_id, sent, number: package_read(
        package_id, REAL + sent * SECOND, status="PROCESSING", tracking_number=number
    ),
    st.sampled_from(["P1", "P2"]),
    st.integers(0, 3),
    st.sampled_from(["", "TT-1", "TT-2"]),
)
EVENTS = st.lists(SNAPSHOTS | HINTS | CASES | READS, max_size=8)
NUMBERS = st.lists(
    st.builds(
        lambda number, scans, shared: NumberFacts(
            number,
            tuple(scan(status, hours, number=number) for status, hours in scans),
            (link(number=number), *((link(OTHER_ORDER, after(3)),) if shared else ())),
        ),
        st.sampled_from([NUMBER, "SYN000102", "SYN000103"]),
        st.lists(st.tuples(st.sampled_from(["info_received", "in_transit", "delivered"]), HOURS)),
        st.booleans(),
    ),
    max_size=3,
    unique_by=lambda about: about.number,
)


@patient
@given(EVENTS, NUMBERS, st.randoms(use_true_random=False))
def test_any_permutation_and_duplication_of_facts_folds_to_the_same_order(
    events: list[Any], numbers: list[NumberFacts], dice: random.Random
) -> None:
    told = events + dice.choices(events, k=4) if events else []
    dice.shuffle(told)
    shuffled = []
    for about in numbers:
        scans = [*about.scans, *about.scans[:2]]
        dice.shuffle(scans)
        shuffled.append(NumberFacts(about.number, tuple(scans), about.links[::-1]))
    dice.shuffle(shuffled)
    plain = folded(*events, numbers=tuple(numbers))
    again = folded(*told, numbers=tuple(shuffled))
    assert replace(again, events=0) == replace(plain, events=0)


@patient
@given(EVENTS, NUMBERS)
def test_an_order_counts_the_same_events_however_often_a_scan_was_told(
    events: list[Any], numbers: list[NumberFacts]
) -> None:
    doubled = tuple(NumberFacts(n.number, n.scans * 2, n.links) for n in numbers)
    once = tuple(
        NumberFacts(n.number, tuple({s.identity: s for s in n.scans}.values()), n.links)
        for n in numbers
    )
    assert folded(*events * 2, numbers=doubled).events == folded(*events, numbers=once).events


@patient
@given(EVENTS)
def test_a_status_is_never_reached_later_than_one_that_follows_it_unless_the_fields_say_so(
    events: list[Any],
) -> None:
    untold = [e for e in events if getattr(e, "kind", "") != "snapshot"]
    plain = [
        snapshot(e.facts.status, (e.facts.update_time - T0).total_seconds() / 3600)
        for e in events
        if getattr(e, "kind", "") == "snapshot"
    ]
    reached = folded(*untold, *plain).reached
    instants = [reached[status] for status in PROGRESS if status in reached]
    assert instants == sorted(instants)


def test_hints_are_kept_with_the_newest_word_last_however_they_arrived() -> None:
    told = [hint("ON_HOLD", 1), hint("AWAITING_SHIPMENT", 3), hint("IN_TRANSIT", 2)]
    for arrived in itertools.permutations(told):
        assert [one.status for one in folded(*arrived).hints] == [
            "ON_HOLD",
            "IN_TRANSIT",
            "AWAITING_SHIPMENT",
        ]


PENDING, WITHDRAWN = "CANCELLATION_REQUEST_PENDING", "CANCELLATION_REQUEST_CANCEL"


def test_of_one_second_the_answer_to_a_request_comes_after_it() -> None:
    asked = case(PENDING, 2, deadline=after(50), identity="b")
    answered = case(WITHDRAWN, 2, identity="a")
    for told in ((asked, answered), (answered, asked)):
        order = folded(snapshot(hours=1), *told)
        assert [one.status for one in order.cases] == [PENDING, WITHDRAWN]
        assert not order.cancel_open


def test_a_request_that_is_made_again_is_the_one_to_answer() -> None:
    first, again = case(PENDING, 1, case_id="A"), case(PENDING, 4, case_id="A", identity="again")
    between, other = case(WITHDRAWN, 2, case_id="A"), case(PENDING, 3, case_id="B", identity="o")
    order = folded(snapshot(hours=0), first, between, other, again)
    assert (order.cancel_open, order.cancel_case) == (True, "A")


def test_of_a_cancelled_order_no_request_waits() -> None:
    order = folded(snapshot("CANCELLED", 1, cancel_requested=True), case(PENDING, 2))
    assert (order.cancel_open, order.cancel_case) == (False, "")
