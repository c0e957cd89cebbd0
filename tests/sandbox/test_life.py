"""An order's life on simulated time: its steps, the hard lines, and the webhooks they send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import StoryError
from sandbox.signing import sign_webhook
from tests.sandbox.bench import KEY, SECRET, START, bench, shop, told_by


def statuses(hooks: list[Any]) -> list[str]:
    return [hook["data"]["order_status"] for hook in hooks if hook["type"] == 1]


def test_an_order_goes_from_unpaid_to_completed() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, status="UNPAID", is_on_hold_order=True)
    assert b.client.read(order_id)[0]["packages"] == []
    for at, step in enumerate((b.sandbox.pay, b.sandbox.release_hold), start=1):
        b.sandbox.advance(START + at)
        step(order_id)
    b.client.ship(order_id)
    b.sandbox.advance(START + 100)
    b.sandbox.collect(order_id, at=START + 50)
    b.sandbox.advance(START + 200)
    b.sandbox.deliver(order_id)
    b.sandbox.complete(order_id)
    order = b.client.read(order_id)[0]
    assert order["status"] == "COMPLETED"
    assert [
        order[f"{name}_time"] - START for name in ("paid", "rts", "collection", "delivery")
    ] == [
        1,
        2,
        50,
        200,
    ]
    hooks = told_by(b.sandbox)
    assert statuses(hooks) == [
        "UNPAID",
        "ON_HOLD",
        "AWAITING_SHIPMENT",
        "AWAITING_COLLECTION",
        "IN_TRANSIT",
        "DELIVERED",
        "COMPLETED",
    ]
    assert [hook["data"]["update_time"] - START for hook in hooks] == [0, 1, 2, 2, 100, 200, 200]
    assert all(hook["data"]["is_on_hold_order"] for hook in hooks)


@pytest.mark.parametrize(
    ("market", "by", "shipped", "allowed"),
    [
        ("MY", "SELLER", False, True),
        ("MY", "SELLER", True, False),
        ("US", "SELLER", True, True),
        ("MY", "BUYER", True, True),
        ("US", "BUYER", True, False),
        ("MY", "SYSTEM", True, True),
        ("MY", "OPERATOR", False, True),
    ],
)
def test_who_can_cancel_depends_on_status_and_market(
    market: str, by: str, shipped: bool, allowed: bool
) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    if shipped:
        answer = b.client.ship(order_id) if market == "MY" else b.client.mark(order_id)
        assert answer.code == 0
    if allowed:
        b.sandbox.cancel(order_id, "why", by)
        assert b.sandbox.order(order_id)["status"] == "CANCELLED"
        return
    with pytest.raises(StoryError):
        b.sandbox.cancel(order_id, "why", by)


def test_a_request_that_leads_to_a_cancellation_keeps_its_case() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.take_webhooks()
    b.sandbox.advance(START + 60)
    case_id = b.sandbox.request_cancel(order_id)
    asked = b.sandbox.order(order_id)
    assert (asked["is_buyer_request_cancel"], asked["request_cancel_time"]) == (True, START + 60)
    assert asked["update_time"] == START
    b.sandbox.cancel(order_id, "no longer needed", "BUYER")
    assert b.sandbox.order(order_id)["is_buyer_request_cancel"] is False
    hooks = [hook for hook in told_by(b.sandbox) if hook["type"] == 11]
    assert [hook["data"]["cancel_status"] for hook in hooks] == [
        "CANCELLATION_REQUEST_PENDING",
        "CANCELLATION_REQUEST_COMPLETE",
    ]
    assert {hook["data"]["cancel_id"] for hook in hooks} == {case_id}


def test_a_lost_parcel_shows_its_exception() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.client.ship(order_id)
    b.sandbox.collect(order_id)
    b.sandbox.report_exception(order_id, "PACKAGE_LOST")
    detail = b.client.get(f"/fulfillment/202309/packages/{b.client.package_of(order_id)}").data
    assert detail["package_sub_status"] == "SHIP_EXCEPTION"
    assert detail["ship_exception_reason"] == "PACKAGE_LOST"


def test_webhooks_are_signed_over_their_bytes_and_numbered_apart() -> None:
    b = bench()
    for _ in range(3):
        b.sandbox.add_order(b.shop.shop_id)
    taken = b.sandbox.take_webhooks()
    assert b.sandbox.take_webhooks() == []
    for hook in taken:
        assert hook.headers["Authorization"] == sign_webhook(KEY, SECRET, hook.body)
        assert hook.url == b.shop.webhook_url
    assert len({json.loads(hook.body)["tts_notification_id"] for hook in taken}) == 3


def test_a_shop_without_an_address_gets_no_webhook() -> None:
    b = bench("MY", shop(number=2, webhook_url=None))
    b.sandbox.add_order(b.sandbox.shops[1].shop_id)
    assert b.sandbox.webhooks == ()


@pytest.mark.parametrize(
    "wish",
    [
        {"status": "DELIVERED"},
        {"create_time": START + 1},
        {"create_time": START, "paid_time": START - 1},
        {"items": {}},
        {"items": {"MUG": 0}},
        {"order_id": "taken"},
    ],
)
def test_an_order_the_marketplace_could_not_have_is_a_mistake_of_the_story(
    wish: Any,
) -> None:
    b = bench()
    b.sandbox.add_order(b.shop.shop_id, order_id="taken")
    with pytest.raises(StoryError):
        b.sandbox.add_order(b.shop.shop_id, **wish)
    assert b.sandbox.order_ids() == ["taken"]


def test_steps_out_of_turn_are_mistakes_of_the_story() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    lines = [line["id"] for line in b.client.read(order_id)[0]["line_items"]]
    wrong: list[Any] = [
        lambda: b.sandbox.advance(START - 1),
        lambda: b.sandbox.add_order("nobody"),
        lambda: b.sandbox.order("nothing"),
        lambda: b.sandbox.pay(order_id),
        lambda: b.sandbox.release_hold(order_id),
        lambda: b.sandbox.collect(order_id),
        lambda: b.sandbox.deliver(order_id),
        lambda: b.sandbox.complete(order_id),
        lambda: b.sandbox.close_request(order_id),
        lambda: b.sandbox.cancel(order_id, "why", "NOBODY"),
        lambda: b.sandbox.extend(order_id, "create_time", START + 5),
        lambda: b.sandbox.extend(order_id, "shipping_due_time", START),
        lambda: b.sandbox.split(order_id, [lines]),
        lambda: b.sandbox.split(order_id, [lines[:1], lines[:1]]),
        lambda: b.sandbox.split(order_id, [lines[:1], lines[1:]]),
        lambda: b.sandbox.combine([order_id]),
    ]
    before = b.sandbox.order(order_id)
    for step in wrong:
        with pytest.raises(StoryError):
            step()
    assert b.sandbox.order(order_id) == before


def test_more_steps_out_of_turn() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    other = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.request_cancel(order_id)
    b.client.ship(other)
    for at, step in ((START - 1, b.sandbox.collect), (START - 1, b.sandbox.deliver)):
        with pytest.raises(StoryError):
            step(other, at=at)
    with pytest.raises(StoryError, match="open request"):
        b.sandbox.request_cancel(order_id)
    b.sandbox.collect(other)
    with pytest.raises(StoryError, match="cannot ask"):
        b.sandbox.request_cancel(other)
    pair = [b.sandbox.add_order(b.shop.shop_id, items={"A-X": 1, "B-X": 1}) for _ in range(2)]
    b.sandbox.combine(pair)
    lines = [line["id"] for line in b.client.read(pair[0])[0]["line_items"]]
    with pytest.raises(StoryError, match="combined"):
        b.sandbox.split(pair[0], [lines[:1], lines[1:]])
