"""What happens besides the life of orders, and the webhooks it sends."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import StoryError, wire
from tests.sandbox.bench import START, Bench, bench, told_by


def test_a_changed_address_is_told_without_the_address() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.take_webhooks()
    b.sandbox.change_address(order_id, address_line1="2 Example Street")
    (hook,) = told_by(b.sandbox)
    assert (hook["type"], hook["data"]) == (3, {"order_id": order_id, "update_time": START})
    order = b.client.read(order_id)[0]
    assert order["has_updated_recipient_address"] is True
    assert order["recipient_address"]["address_line1"] == "2 Example Street"
    b.client.ship(order_id)
    with pytest.raises(StoryError):
        b.sandbox.change_address(order_id, address_line1="3 Example Street")


def test_an_expiring_authorisation_is_told_with_its_end_as_a_string() -> None:
    b = bench()
    b.sandbox.warn_of_expiry(b.shop.shop_id)
    (hook,) = told_by(b.sandbox)
    assert hook["type"] == 7
    assert hook["data"]["expiration_time"] == str(START + 30 * 86_400)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("PROCESSING", wire.INVOICE_MISSING),
        ("INVALID", wire.INVOICE_MISSING),
        ("FAILED", wire.INVOICE_MISSING),
        ("SUCCESS", 0),
    ],
)
def test_an_invoice_lets_a_brazilian_parcel_go(status: str, code: int) -> None:
    b = bench("BR")
    order_id = b.sandbox.add_order(b.shop.shop_id, needs_invoice=True)
    b.sandbox.take_webhooks()
    b.sandbox.invoice(order_id, status, "NOT_FOUND" if status == "INVALID" else "")
    (hook,) = told_by(b.sandbox)
    assert (hook["type"], hook["data"]["invoice_status"]) == (36, status)
    assert hook["data"]["order_ids"] == [order_id]
    assert ("invalid_reason" in hook["data"]) == (status == "INVALID")
    assert b.client.ship(order_id).code == code


def returned(b: Bench) -> tuple[str, str]:
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.client.ship(order_id)
    b.sandbox.collect(order_id)
    return_id = b.sandbox.open_return(order_id)
    b.sandbox.take_webhooks()
    return order_id, return_id


def test_a_refund_of_the_story_ends_the_return_and_the_order() -> None:
    b = bench()
    order_id, return_id = returned(b)
    b.sandbox.refund(return_id)
    hooks = told_by(b.sandbox)
    assert [hook["type"] for hook in hooks] == [12, 12, 67, 1]
    assert hooks[2]["data"]["refund_total"] == "39.90"
    assert b.client.read(order_id)[0]["status"] == "COMPLETED"
    with pytest.raises(StoryError, match="no refund to come"):
        b.sandbox.refund(return_id)


def test_a_closed_return_pays_nothing() -> None:
    b = bench()
    order_id, return_id = returned(b)
    b.sandbox.close_return(return_id)
    (hook,) = told_by(b.sandbox)
    assert hook["data"]["return_status"] == "RETURN_OR_REFUND_REQUEST_CANCEL"
    for step in (b.sandbox.refund, b.sandbox.close_return):
        with pytest.raises(StoryError):
            step(return_id)
    assert b.client.read(order_id)[0]["status"] == "IN_TRANSIT"


def test_the_new_flow_tells_where_a_request_and_its_goods_are() -> None:
    b = bench()
    _, return_id = returned(b)
    b.sandbox.aftersales_update(return_id, "PENDING_REQUEST_REVIEW")
    b.sandbox.rma_update(return_id, "RETURN_IN_TRANSIT")
    first, second = told_by(b.sandbox)
    assert (first["type"], first["data"]["aftersales_request_status"]) == (
        64,
        "PENDING_REQUEST_REVIEW",
    )
    assert (second["type"], second["data"]["rma_status"]) == (65, "RETURN_IN_TRANSIT")


def test_any_webhook_can_be_sent_even_one_that_nobody_knows() -> None:
    b = bench()
    b.sandbox.push(b.shop.shop_id, 999, {"colour": "red"})
    (hook,) = told_by(b.sandbox)
    assert (hook["type"], hook["data"]) == (999, {"colour": "red"})


def test_topics_without_a_name_go_to_the_shops_own_address() -> None:
    b = bench()
    b.shop.webhook_url = None
    b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", {"69": 1})
    b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", {"69": 0})
    assert b.sandbox.webhooks == ()


@pytest.mark.parametrize(
    "step",
    [
        lambda b: b.sandbox.invoice("none", "SUCCESS"),
        lambda b: b.sandbox.invoice(b.sandbox.add_order(b.shop.shop_id), "SUCCESS"),
        lambda b: b.sandbox.invoice(b.sandbox.add_order(b.shop.shop_id), "GOOD"),
        lambda b: b.sandbox.warn_of_expiry("nobody"),
        lambda b: b.sandbox.refund("403"),
        lambda b: b.sandbox.aftersales_update("403", "PENDING_REQUEST_REVIEW"),
        lambda b: b.sandbox.aftersales_update("403", "LATE"),
        lambda b: b.sandbox.rma_update("403", "LATE"),
        lambda b: b.sandbox.buyer_says(b.shop.shop_id, "702", ""),
        lambda b: b.sandbox.push("nobody", 1, {}),
        lambda b: b.sandbox.set_shop(b.shop.shop_id, charm=True),
        lambda b: b.sandbox.set_shop(b.shop.shop_id, own_fleet=True, scopes=["seller.all"]),
    ],
)
def test_what_cannot_happen_is_a_mistake_of_the_story(step: Any) -> None:
    b = bench()
    with pytest.raises(ValueError, match=r"."):
        step(b)
    assert not any(hook["type"] != 1 for hook in told_by(b.sandbox))
    assert b.shop.own_fleet is False


def test_warehouses_are_those_that_orders_and_stock_name() -> None:
    b = bench()
    b.sandbox.add_order(b.shop.shop_id, warehouse_id="6950000000000000002")
    b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", {"6950000000000000003": 1})
    rows = b.client.get("/logistics/202309/warehouses").data["warehouses"]
    assert [row["id"][-1] for row in rows] == ["1", "2", "3"]
    assert [row["is_default"] for row in rows] == [True, False, False]


def test_a_warehouse_has_the_options_of_the_marketplace() -> None:
    b = bench()
    where = "/logistics/202309/warehouses/{}/delivery_options"
    rows = b.client.get(where.format("6950000000000000001")).data["delivery_options"]
    assert [row["type"] for row in rows] == ["SEND_BY_SELLER", "STANDARD"]
    assert b.client.get(where.format("69")).code == wire.BAD_PARAMETER


def test_rules_change_while_it_runs() -> None:
    b = bench()
    b.sandbox.set_rules(cancel_answer_time=60, label_asks=1)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.request_cancel(order_id)
    b.sandbox.advance(START + 60)
    assert b.client.read(order_id)[0]["status"] == "CANCELLED"


@pytest.mark.parametrize(
    "step",
    [
        lambda b: b.sandbox.open_return(b.sandbox.add_order(b.shop.shop_id), "SWAP"),
        lambda b: b.sandbox.add_order(b.shop.shop_id, needs_invoice=True),
    ],
)
def test_what_no_buyer_or_market_has_is_a_mistake_of_the_story(step: Any) -> None:
    with pytest.raises(StoryError):
        step(bench())
