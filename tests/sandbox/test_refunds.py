"""Money given back by the seller: how much, when, and what becomes of the order."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import wire
from sandbox.world import Settings
from tests.sandbox.bench import DAY, START, Bench, bench, told_by

RETURNS = "/return_refund/202602/returns"
CALCULATE = "/return_refund/202602/refunds/calculate"
LOST = "seller_refund_reason_package_lost"
WRONG = "seller_return_reason_wrong_item"


def sent(status: str = "IN_TRANSIT", market: str = "MY", **options: Any) -> tuple[Bench, str]:
    """A bench with an order of two mugs, brought to a status after shipping."""
    b = bench(market, **options)
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    answer = b.client.mark(order_id) if market in ("US", "UK", "JP") else b.client.ship(order_id)
    assert answer.code == 0
    steps = [b.sandbox.collect, b.sandbox.deliver, b.sandbox.complete]
    wanted = ["IN_TRANSIT", "DELIVERED", "COMPLETED"]
    for step in steps[: wanted.index(status) + 1 if status in wanted else 0]:
        step(order_id)
    return b, order_id


def refund(b: Bench, order_id: str, /, **more: Any) -> Any:
    body = {"order_id": order_id, "return_reason": LOST, "return_type": "REFUND"} | more
    key = body.pop("key", None)
    return b.client.post(RETURNS, body, **({"idempotency_key": key} if key else {}))


@pytest.mark.parametrize("status", ["AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED"])
def test_a_full_refund_ends_an_order_that_is_shipped(status: str) -> None:
    b, order_id = sent(status)
    b.sandbox.take_webhooks()
    answer = refund(b, order_id)
    assert answer.data["return_status"] == "RETURN_OR_REFUND_REQUEST_PENDING"
    effect = b.sandbox.effects[-1]
    assert len(b.sandbox.effects) == 2
    assert (effect.call, effect.order_id) == ("create_return", order_id)
    assert effect.detail == f"REFUND 79.80 MYR {LOST}"
    (row,) = b.client.post(f"{RETURNS}/search", {"order_ids": [order_id]}).data["return_orders"]
    assert (row["return_id"], row["role"]) == (answer.data["return_id"], "SELLER")
    assert row["refund_amount"] == {"currency": "MYR", "refund_total": "79.80"}
    assert row["seller_next_action_response"] == []
    b.sandbox.advance(START + 3599)
    assert b.client.read(order_id)[0]["status"] == status
    b.sandbox.advance(START + 3600)
    order = b.client.read(order_id)[0]
    assert (order["status"], order["update_time"]) == ("COMPLETED", START + 3600)
    hooks = told_by(b.sandbox)
    assert [hook["type"] for hook in hooks] == [12, 12, 12, 67, 1]
    assert hooks[2]["data"]["return_status"] == "RETURN_OR_REFUND_REQUEST_COMPLETE"
    assert hooks[3]["data"]["refund_total"] == "79.80"
    assert len(hooks[3]["data"]["line_items"]) == 2


def test_a_scan_after_a_full_refund_does_not_bring_the_order_back() -> None:
    b, order_id = sent("AWAITING_COLLECTION")
    refund(b, order_id)
    b.sandbox.advance(START + 3600)
    b.sandbox.collect(order_id)
    assert b.client.read(order_id)[0]["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"refund_total": "79.80", "currency": "MYR"}, 0),
        ({"refund_total": "79.81", "currency": "MYR"}, wire.AMOUNT_TOO_HIGH),
        ({"refund_total": "0.01", "currency": "MYR"}, 0),
        ({"refund_total": "0", "currency": "MYR"}, wire.BAD_PARAMETER),
        ({"refund_total": "-1", "currency": "MYR"}, wire.BAD_PARAMETER),
        ({"refund_total": "1.001", "currency": "MYR"}, wire.BAD_PARAMETER),
        ({"refund_total": "1,00", "currency": "MYR"}, wire.BAD_PARAMETER),
        ({"refund_total": "5"}, wire.BAD_PARAMETER),
        ({"refund_total": "5", "currency": "USD"}, wire.BAD_PARAMETER),
        ({"currency": "MYR"}, wire.BAD_PARAMETER),
        ({"refund_total": 5, "currency": "MYR"}, wire.BAD_PARAMETER),
        ({"return_type": "REPLACEMENT"}, wire.BAD_PARAMETER),
        ({"return_reason": "because"}, wire.UNKNOWN_REASON),
        ({"return_reason": WRONG}, wire.REASON_MISMATCH),
        ({"shipment_type": "PLATFORM"}, wire.BAD_PARAMETER),
        ({"order_line_list": [{"order_line_item_id": "577"}]}, wire.BAD_PARAMETER),
        ({"order_id": "576000000000000099"}, wire.BAD_PARAMETER),
        ({"return_type": "RETURN_AND_REFUND", "return_reason": WRONG}, wire.WRONG_ORDER_STATUS),
    ],
)
def test_a_refund_is_read_to_the_letter(told: dict[str, Any], code: int) -> None:
    b, order_id = sent()
    assert refund(b, order_id, **told).code == code
    assert len(b.sandbox.effects) == (2 if code == 0 else 1)


def test_a_currency_without_decimals_takes_none() -> None:
    b, order_id = sent(market="JP")
    assert refund(b, order_id, refund_total="2400.0", currency="JPY").code == wire.BAD_PARAMETER
    assert refund(b, order_id, refund_total="2400", currency="JPY").code == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("AWAITING_SHIPMENT", wire.WRONG_ORDER_STATUS),
        ("COMPLETED", wire.ORDER_FINISHED),
        ("CANCELLED", wire.CASE_FINISHED),
    ],
)
def test_an_order_not_shipped_or_at_its_end_takes_no_refund(status: str, code: int) -> None:
    if status == "COMPLETED":
        b, order_id = sent(status)
    else:
        b = bench()
        order_id = b.sandbox.add_order(b.shop.shop_id)
        if status == "CANCELLED":
            b.sandbox.cancel(order_id, "why", "BUYER")
    assert refund(b, order_id).code == code


def test_one_request_at_a_time_and_no_more_than_was_paid() -> None:
    b, order_id = sent("DELIVERED")
    part = {"refund_total": "30.00", "currency": "MYR"}
    assert refund(b, order_id, **part).code == 0
    assert refund(b, order_id, **part).code == wire.CASE_IN_PROCESS
    b.sandbox.advance(START + 3600)
    assert b.client.read(order_id)[0]["status"] == "DELIVERED"
    rest = {"refund_total": "49.81", "currency": "MYR"}
    assert refund(b, order_id, **rest).code == wire.AMOUNT_TOO_HIGH
    assert refund(b, order_id).code == 0
    b.sandbox.advance(START + 7200)
    assert b.client.read(order_id)[0]["status"] == "COMPLETED"


def test_the_same_key_makes_one_refund() -> None:
    b, order_id = sent()
    answers = [refund(b, order_id, key="k").data for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert [effect.call for effect in b.sandbox.effects] == ["ship_package", "create_return"]


def test_a_return_waits_for_the_buyers_parcel() -> None:
    b, order_id = sent("DELIVERED")
    told = {
        "return_type": "RETURN_AND_REFUND",
        "return_reason": WRONG,
        "shipment_type": "PLATFORM",
        "handover_method": "DROP_OFF",
    }
    assert refund(b, order_id, **told).data["return_status"] == "AWAITING_BUYER_SHIP"
    b.sandbox.advance(START + 30 * DAY)
    (row,) = b.client.post(f"{RETURNS}/search").data["return_orders"]
    assert (row["return_status"], row["handover_method"]) == ("AWAITING_BUYER_SHIP", "DROP_OFF")
    assert b.client.read(order_id)[0]["status"] == "DELIVERED"


def test_a_refund_can_wait_for_the_story() -> None:
    b, order_id = sent(settings=Settings(refund_after=None))
    refund(b, order_id)
    b.sandbox.advance(START + DAY)
    assert b.client.read(order_id)[0]["status"] == "IN_TRANSIT"


def test_a_refund_is_calculated_without_being_made() -> None:
    b, order_id = sent()
    line = b.client.read(order_id)[0]["line_items"][0]["id"]
    body = {"order_id": order_id, "request_type": "REFUND", "reason_name": LOST}
    told = b.client.post(CALCULATE, body).data["order_refund_amount"]
    assert (told["currency"], told["refund_total"]) == ("MYR", "79.80")
    one = b.client.post(CALCULATE, body | {"order_line_item_ids": [line]})
    assert one.data["order_refund_amount"]["refund_total"] == "39.90"
    assert b.client.post(CALCULATE, body | {"reason_name": WRONG}).code == wire.REASON_MISMATCH
    cancel = body | {"request_type": "CANCEL"}
    assert b.client.post(CALCULATE, cancel).code == wire.SHIPPED_ALREADY
    assert len(b.sandbox.effects) == 1


def test_an_unpaid_order_has_nothing_to_give_back() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, status="UNPAID")
    reason = "seller_cancel_unpaid_reason_out_of_stock"
    body = {"order_id": order_id, "request_type": "CANCEL", "reason_name": reason}
    told = b.client.post(CALCULATE, body).data["order_refund_amount"]
    assert told["refund_total"] == "0.00"


def test_how_goods_come_back_is_read_to_the_letter() -> None:
    b, order_id = sent("DELIVERED")
    told = {"return_type": "RETURN_AND_REFUND", "return_reason": WRONG}
    own = told | {"shipment_type": "BUYER_ARRANGE", "handover_method": "PICKUP"}
    assert refund(b, order_id, **own).code == wire.BAD_PARAMETER
    assert refund(b, order_id, **told, shipment_type="PIGEON").code == wire.BAD_PARAMETER
    assert refund(b, order_id, **told, shipment_type="BUYER_ARRANGE").code == 0


def test_an_order_cancelled_meanwhile_is_not_paid_back_twice() -> None:
    b, order_id = sent()
    return_id = refund(b, order_id).data["return_id"]
    b.sandbox.cancel(order_id, "package_lost", "SYSTEM")
    b.sandbox.take_webhooks()
    b.sandbox.advance(START + 3600)
    (hook,) = told_by(b.sandbox)
    assert hook["data"]["return_status"] == "RETURN_OR_REFUND_REQUEST_CANCEL"
    assert hook["data"]["return_id"] == return_id
