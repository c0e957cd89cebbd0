"""What the marketplace should be told, and whether a call took effect."""

from datetime import timedelta
from typing import Any

import pytest

from shipclock.domain.event import PackageRead
from shipclock.domain.order import Order
from shipclock.domain.push import (
    GONE,
    OPEN,
    RENEWABLE,
    Effect,
    Intent,
    IntentState,
    effect_of_ship,
    shipments,
)
from tests.builders import NUMBER, REAL, case, folded, line, numbered, package_read, scan, snapshot


def shipped(status: str = "AWAITING_SHIPMENT", *more: Any, **told: Any) -> Order:
    known: dict[str, Any] = {"package_ids": ("P1",), **told}
    return folded(snapshot(status, 1, **known), *more, numbers=(numbered(scan(carrier="A")),))


def test_a_scanned_number_of_a_waiting_order_is_to_be_told() -> None:
    (want,) = shipments(shipped())
    assert (want.package_id, want.tracking_number, want.carrier, want.reason) == (
        "P1",
        NUMBER,
        "A",
        "",
    )


@pytest.mark.parametrize(
    ("status", "count"),
    [
        ("UNPAID", 0),
        ("ON_HOLD", 0),
        ("AWAITING_SHIPMENT", 1),
        ("PARTIALLY_SHIPPING", 1),
        ("AWAITING_COLLECTION", 0),
        ("IN_TRANSIT", 0),
        ("DELIVERED", 0),
        ("COMPLETED", 0),
        ("CANCELLED", 0),
        ("TELEPORTING", 0),
    ],
)
def test_only_an_order_that_waits_to_be_shipped_wants_a_ship_push(status: str, count: int) -> None:
    assert len(shipments(shipped(status))) == count


def test_nothing_is_wanted_while_a_cancel_request_is_open() -> None:
    assert shipments(shipped("AWAITING_SHIPMENT", case("CANCELLATION_REQUEST_PENDING", 2))) == ()
    assert shipments(shipped(cancel_requested=True)) == ()


@pytest.mark.parametrize("status", ["info_received", "pickup_failed", "unknown", "cancelled"])
def test_a_number_without_a_scan_is_not_told(status: str) -> None:
    order = folded(snapshot(package_ids=("P1",)), numbers=(numbered(scan(status)),))
    assert shipments(order) == ()


@pytest.mark.parametrize("status", ["", "TO_FULFILL", *GONE])
def test_a_package_that_is_gone_is_not_told_again(status: str) -> None:
    order = shipped("PARTIALLY_SHIPPING", lines=(line(package_id="P1", package_status=status),))
    assert len(shipments(order)) == (0 if status in GONE else 1)


def test_the_number_scanned_first_stands_for_an_order_without_packages() -> None:
    numbers = (
        numbered(scan(hours=5, number="A5"), number="A5"),
        numbered(scan(hours=2, number="B2"), number="B2"),
    )
    order = folded(snapshot(hours=6), numbers=numbers)
    reasons = {want.tracking_number: want.reason for want in shipments(order)}
    assert reasons == {"B2": "", "A5": "package unknown"}


def test_a_number_of_one_of_several_packages_can_be_told_of_none() -> None:
    two = snapshot(package_ids=("P1", "P2"))
    (want,) = shipments(folded(two, numbers=(numbered(scan()),)))
    assert (want.package_id, want.reason) == ("", "package unknown")


def test_an_order_known_by_hints_alone_that_waits_is_judged_by_what_it_has() -> None:
    assert shipments(folded(numbers=(numbered(scan()),))) == ()


# Did it take effect?

SENT = REAL


def intent(number: str = NUMBER, package_id: str = "P1") -> Intent:
    return Intent(
        key="k",
        call="ship_package",
        package_id=package_id,
        tracking_number=number,
        state=IntentState.UNCLEAR,
        sent_at=SENT,
    )


def reread(status: str, *reads: PackageRead, **told: Any) -> Order:
    return folded(snapshot(status, 2, **told), *reads)


def unit(status: str, number: str = "", package_id: str = "P1") -> dict[str, Any]:
    return {"lines": (line(package_id=package_id, package_status=status, tracking_number=number),)}


def test_an_order_never_read_shows_no_effect() -> None:
    assert effect_of_ship(folded(), intent()) is Effect.NOT_SEEN


@pytest.mark.parametrize(
    ("status", "told", "effect"),
    [
        # our number, and gone
        ("AWAITING_COLLECTION", unit("PROCESSING", "syn-000101"), Effect.SEEN),
        ("PARTIALLY_SHIPPING", unit("PROCESSING", NUMBER), Effect.SEEN),
        ("AWAITING_COLLECTION", {"tracking_number": NUMBER}, Effect.SEEN),
        # a printed label only
        ("AWAITING_SHIPMENT", unit("TO_FULFILL", NUMBER), Effect.NOT_SEEN),
        ("AWAITING_SHIPMENT", {"tracking_number": NUMBER}, Effect.NOT_SEEN),
        # nothing moved
        ("AWAITING_SHIPMENT", unit("TO_FULFILL"), Effect.NOT_SEEN),
        ("AWAITING_SHIPMENT", {}, Effect.NOT_SEEN),
        # gone, and no number is named at all
        ("AWAITING_COLLECTION", unit("PROCESSING"), Effect.SEEN),
        ("AWAITING_COLLECTION", {}, Effect.SEEN),
        # gone with another number
        ("AWAITING_COLLECTION", unit("PROCESSING", "TT-9"), Effect.OTHER),
        ("AWAITING_COLLECTION", {"tracking_number": "TT-9"}, Effect.OTHER),
        ("PARTIALLY_SHIPPING", unit("PROCESSING", "TT-9"), Effect.OTHER),
        # another package's number says nothing of ours
        ("PARTIALLY_SHIPPING", unit("PROCESSING", "TT-9", "P2"), Effect.NOT_SEEN),
        # cancelled
        ("CANCELLED", {}, Effect.OTHER),
        ("CANCELLED", unit("CANCELLED"), Effect.OTHER),
    ],
)
def test_the_effect_of_a_ship_call_is_read_off_the_order(
    status: str, told: dict[str, Any], effect: Effect
) -> None:
    assert effect_of_ship(reread(status, **told), intent()) is effect


@pytest.mark.parametrize(
    ("read", "effect"),
    [
        ({"status": "PROCESSING", "tracking_number": "SYN-000101"}, Effect.SEEN),
        ({"status": "TO_FULFILL", "tracking_number": NUMBER}, Effect.NOT_SEEN),
        ({"status": "", "tracking_number": NUMBER}, Effect.NOT_SEEN),
    ],
)
def test_the_packages_own_detail_shows_the_effect_as_well(
    read: dict[str, str], effect: Effect
) -> None:
    seen = package_read("P1", SENT + timedelta(seconds=31), **read)
    assert effect_of_ship(reread("AWAITING_SHIPMENT", seen), intent()) is effect


def test_a_package_read_before_the_call_proves_nothing() -> None:
    before = package_read(
        "P1", SENT - timedelta(seconds=1), status="PROCESSING", tracking_number=NUMBER
    )
    assert effect_of_ship(reread("AWAITING_SHIPMENT", before), intent()) is Effect.NOT_SEEN


def test_a_read_of_another_package_proves_nothing() -> None:
    other = package_read("P2", status="PROCESSING", tracking_number=NUMBER)
    assert effect_of_ship(reread("AWAITING_SHIPMENT", other), intent()) is Effect.NOT_SEEN


def test_an_intent_is_either_open_or_over_and_what_is_renewed_is_over() -> None:
    assert not OPEN & RENEWABLE
    assert {*OPEN, *RENEWABLE} < set(IntentState)
