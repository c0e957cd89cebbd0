"""The instants at which the marketplace cancels an order, to the second."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.bench import DAY, START, bench, told_by


@pytest.mark.parametrize(
    ("field", "shipped", "collected", "reason"),
    [
        ("shipping_due_time", False, False, "system_cancel_order_reason_shipping_timeout"),
        ("collection_due_time", True, False, "system_cancel_order_reason_shipping_timeout"),
        ("delivery_due_time", True, True, "threepl_breach"),
        ("cancel_order_sla_time", True, False, "system_cancel_order_reason_shipping_timeout"),
    ],
)
def test_a_hard_line_cancels_at_its_very_second(
    field: str, shipped: bool, collected: bool, reason: str
) -> None:
    b = bench()
    due = START + 3600
    wish: Any = {field: due}
    order_id = b.sandbox.add_order(b.shop.shop_id, **wish)
    if shipped:
        b.client.ship(order_id)
    if collected:
        b.sandbox.collect(order_id)
    before = b.sandbox.order(order_id)["status"]
    b.sandbox.advance(due - 1)
    assert b.sandbox.order(order_id)["status"] == before
    b.sandbox.take_webhooks()
    b.sandbox.advance(due + 500)
    order = b.sandbox.order(order_id)
    assert (order["status"], order["update_time"], order["cancel_time"]) == ("CANCELLED", due, due)
    assert (order["cancellation_initiator"], order["cancel_reason"]) == ("SYSTEM", reason)
    first, second = told_by(b.sandbox)
    assert (first["data"]["order_status"], first["timestamp"]) == ("CANCEL", due)
    assert second["type"] == 11
    assert second["data"]["cancellations_role"] == "SYSTEM"


@pytest.mark.parametrize(
    ("late", "status"), [(-1, "IN_TRANSIT"), (0, "IN_TRANSIT"), (1, "CANCELLED")]
)
def test_a_scan_at_the_due_second_is_in_time_and_one_later_is_not(late: int, status: str) -> None:
    b = bench()
    due = START + 3600
    order_id = b.sandbox.add_order(b.shop.shop_id, collection_due_time=due)
    b.client.ship(order_id)
    b.sandbox.collect(order_id, at=due + late)
    b.sandbox.advance(due + 10)
    assert b.sandbox.order(order_id)["status"] == status
    b.sandbox.advance(due + 20)
    assert len(b.sandbox.skipped) == (1 if late > 0 else 0)


@pytest.mark.parametrize(("late", "status"), [(-1, "AWAITING_COLLECTION"), (0, "CANCELLED")])
def test_a_ship_call_must_come_before_the_clock_reaches_the_line(late: int, status: str) -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_due_time=START + 60)
    b.sandbox.advance(START + 60 + late)
    b.client.ship(order_id)
    b.sandbox.advance(START + 120)
    assert b.sandbox.order(order_id)["status"] == status


def test_fifteen_days_without_a_scan_cancel_an_order_to_the_second() -> None:
    b = bench()
    silent, scanned = (b.sandbox.add_order(b.shop.shop_id) for _ in range(2))
    b.client.ship(silent, "SYN-TRK-1")
    b.client.ship(scanned, "SYN-TRK-2")
    b.sandbox.collect(scanned)
    b.sandbox.advance(START + 15 * DAY - 1)
    assert b.sandbox.order(silent)["status"] == "AWAITING_COLLECTION"
    b.sandbox.advance(START + 15 * DAY)
    assert b.sandbox.order(silent)["cancel_reason"] == "system_cancel_order_untracked"
    assert b.sandbox.order(silent)["cancel_time"] == START + 15 * DAY
    b.sandbox.advance(START + 60 * DAY)
    assert b.sandbox.order(scanned)["status"] == "IN_TRANSIT"


def test_the_untracked_rule_can_be_switched_off_and_spares_what_tiktok_fulfils() -> None:
    off, on = bench(untracked_after=None), bench()
    kept = off.sandbox.add_order(off.shop.shop_id)
    fbt = on.sandbox.add_order(on.shop.shop_id, fulfillment_type="FULFILLMENT_BY_TIKTOK")
    for each, order_id in ((off, kept), (on, fbt)):
        each.sandbox.advance(START + 40 * DAY)
        assert each.sandbox.order(order_id)["status"] == "AWAITING_SHIPMENT"


def test_one_long_step_gives_the_same_as_many_short_ones() -> None:
    results = []
    for step in (DAY * 20, 600):
        b = bench()
        ids = [
            b.sandbox.add_order(b.shop.shop_id, collection_due_time=START + 5000 + number * 7)
            for number in range(5)
        ]
        for number, order_id in enumerate(ids):
            b.client.ship(order_id, f"SYN-TRK-{number}")
            b.sandbox.collect(order_id, at=START + 5015)
        for at in range(START + step, START + DAY * 20 + 1, step):
            b.sandbox.advance(at)
        results.append(([b.sandbox.order(i) for i in ids], told_by(b.sandbox)))
    assert results[0] == results[1]
    assert {order["status"] for order in results[0][0]} == {"CANCELLED", "IN_TRANSIT"}


def test_the_legacy_line_does_not_count_beside_a_newer_one() -> None:
    b = bench()
    order_id = b.sandbox.add_order(
        b.shop.shop_id, cancel_order_sla_time=START + 10, delivery_due_time=START + DAY
    )
    b.sandbox.advance(START + 20)
    assert b.sandbox.order(order_id)["status"] == "AWAITING_SHIPMENT"


def test_the_uk_has_its_own_spelling_of_reasons() -> None:
    b = bench("UK")
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.advance(START + 15 * DAY)
    assert b.sandbox.order(order_id)["cancel_reason"] == "system_cancel_order_untracked_uk"


def test_extending_a_deadline_moves_the_line_and_leaves_no_trace() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_due_time=START + 60)
    before = b.sandbox.order(order_id)
    b.sandbox.take_webhooks()
    b.sandbox.advance(START + 30)
    b.sandbox.extend(order_id, "shipping_due_time", START + 600)
    b.sandbox.advance(START + 599)
    assert b.sandbox.order(order_id) == before | {"shipping_due_time": START + 600}
    assert b.sandbox.webhooks == ()
    b.sandbox.extend(order_id, "shipping_due_time", 0)
    b.sandbox.advance(START + 700)
    assert "shipping_due_time" not in b.sandbox.order(order_id)


def test_an_order_put_in_late_is_cancelled_by_the_lines_behind_it() -> None:
    b = bench()
    order_id = b.sandbox.add_order(
        b.shop.shop_id, create_time=START - DAY, shipping_due_time=START - 60
    )
    assert b.sandbox.order(order_id)["cancel_time"] == START - 60
    paid_late = b.sandbox.add_order(
        b.shop.shop_id,
        create_time=START - DAY,
        paid_time=START - 30,
        shipping_due_time=START - 60,
    )
    assert b.sandbox.order(paid_late)["cancel_time"] == START - 30


def test_a_long_overdue_delivery_has_a_reason_of_its_own_in_the_us() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, delivery_due_time=START + 60)
    b.sandbox.advance(START + 60)
    reason = b.sandbox.order(order_id)["cancel_reason"]
    assert reason == "system_cancel_order_exceed_edt_not_arrive"


def test_one_scanned_parcel_of_two_keeps_an_order_from_being_untracked() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    first, second = (line["id"] for line in b.client.read(order_id)[0]["line_items"])
    b.client.mark(order_id, "SYN-TRK-1", lines=[first])
    b.client.mark(order_id, "SYN-TRK-2", lines=[second])
    parcel = b.client.package_of(order_id)
    b.sandbox.collect(order_id, package_id=parcel)
    assert b.sandbox.order(order_id)["status"] == "AWAITING_COLLECTION"
    assert "collection_time" not in b.sandbox.order(order_id)
    b.sandbox.advance(START + 30 * DAY)
    assert b.sandbox.order(order_id)["status"] == "AWAITING_COLLECTION"
    b.sandbox.collect(order_id)
    assert b.sandbox.order(order_id)["collection_time"] == START + 30 * DAY
