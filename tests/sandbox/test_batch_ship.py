"""Batch Ship Packages: code 0 in any case, refusals one by one, one effect per parcel shipped."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import wire
from tests.sandbox.bench import Bench, bench, tracking

BATCH = "/fulfillment/202309/packages/ship"


def entry(b: Bench, order_id: str, number: str) -> dict[str, Any]:
    return {"id": b.client.package_of(order_id), "self_shipment": tracking(number)}


def test_a_batch_ships_what_it_can_and_lists_the_rest() -> None:
    b = bench()
    first, second, held = (b.sandbox.add_order(b.shop.shop_id) for _ in range(3))
    b.sandbox.request_cancel(held)
    told = [entry(b, each, f"SYN-TRK-{n}") for n, each in enumerate((first, held, second))]
    answer = b.client.post(BATCH, {"packages": told})
    assert answer.code == 0
    (error,) = answer.data["errors"]
    assert error["code"] == wire.REQUEST_PENDING
    assert error["detail"] == {"package_id": told[1]["id"]}
    assert [row["status"] for row in b.client.read(first, held, second)] == [
        "AWAITING_COLLECTION",
        "AWAITING_SHIPMENT",
        "AWAITING_COLLECTION",
    ]
    assert [(e.call, e.order_id) for e in b.sandbox.effects] == [
        ("batch_ship_packages", first),
        ("batch_ship_packages", second),
    ]


def test_a_batch_said_twice_is_refused_package_by_package() -> None:
    b = bench()
    body = {"packages": [entry(b, b.sandbox.add_order(b.shop.shop_id), "SYN-TRK-1")]}
    assert b.client.post(BATCH, body).data == {"errors": []}
    (error,) = b.client.post(BATCH, body).data["errors"]
    assert error["code"] == wire.ALREADY_SHIPPED
    assert len(b.sandbox.effects) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": "1150000000000000099"}, wire.NOT_OF_THIS_SHOP),
        ({"self_shipment": tracking("no")}, wire.BAD_TRACKING),
        ({"handover_method": "PICKUP"}, wire.WRONG_MODE),
    ],
)
def test_each_refusal_stays_with_its_package(change: dict[str, Any], code: int) -> None:
    b = bench()
    body = {"packages": [entry(b, b.sandbox.add_order(b.shop.shop_id), "SYN-TRK-1") | change]}
    (error,) = b.client.post(BATCH, body).data["errors"]
    assert error["code"] == code
    assert b.sandbox.effects == []


@pytest.mark.parametrize("packages", [None, [], [{}], [{"id": "1"}, {"id": "1"}], [{"id": 1}]])
def test_a_batch_body_that_is_not_as_documented_ships_nothing(packages: Any) -> None:
    b = bench()
    b.sandbox.add_order(b.shop.shop_id)
    assert b.client.post(BATCH, {"packages": packages}).code == wire.BAD_PARAMETER


def test_two_numbers_alike_in_one_batch_are_a_duplicate() -> None:
    b = bench()
    told = [entry(b, b.sandbox.add_order(b.shop.shop_id), "SYN-TRK-1") for _ in range(2)]
    (error,) = b.client.post(BATCH, {"packages": told}).data["errors"]
    assert error["code"] == wire.DUPLICATE_TRACKING


def test_an_order_to_be_picked_up_in_a_store_is_shipped_without_a_word() -> None:
    b = bench("TH")
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="IN-STORE PICKUP")
    package_id = b.client.package_of(order_id)
    wrong = {"packages": [{"id": package_id, "self_shipment": tracking()}]}
    assert b.client.post(BATCH, wrong).data["errors"][0]["code"] == wire.WRONG_MODE
    assert b.client.post(BATCH, {"packages": [{"id": package_id}]}).data == {"errors": []}
    assert b.sandbox.effects[0].tracking_number == ""


def test_a_brazilian_parcel_waits_for_its_invoice() -> None:
    b = bench("BR")
    order_id = b.sandbox.add_order(b.shop.shop_id, needs_invoice=True)
    assert b.client.ship(order_id).code == wire.INVOICE_MISSING
    assert b.client.read(order_id)[0]["need_upload_invoice"] == "NEED_INVOICE"
