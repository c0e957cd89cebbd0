"""The control plane: a story told by another process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import Server
from tests.sandbox.bench import KEY, SECRET, START, Bench, send


def control(server: Server, name: str, told: Any = None, method: str = "POST") -> tuple[int, Any]:
    body = b"" if told is None else json.dumps(told).encode()
    status, answer = send(server, method, f"/_sandbox/{name}", body)
    return status, json.loads(answer)


def test_a_whole_story_is_told_over_the_control_plane(b: Bench, server: Server) -> None:
    shop_id = b.shop.shop_id
    wish = {"shop_id": shop_id, "status": "ON_HOLD", "collection_due_time": START + 900}
    status, made = control(server, "add_order", wish)
    assert status == 200
    order = {"order_id": made["order_id"]}
    assert control(server, "release_hold", order)[1]["status"] == "AWAITING_SHIPMENT"
    assert b.client.ship(made["order_id"]).code == 0
    control(server, "collect", order | {"at": START + 60})
    assert control(server, "advance", {"to": START + 100}) == (200, {"clock": START + 100})
    assert control(server, "deliver", order)[1]["status"] == "DELIVERED"
    state = control(server, "state", method="GET")[1]
    assert (state["clock"], state["effects"]) == (START + 100, 1)
    assert state["orders"][0]["status"] == "DELIVERED"
    assert control(server, "effects")[1]["effects"][0]["order_id"] == made["order_id"]
    assert control(server, "calls", method="GET")[1]["calls"][0]["code"] == 0
    hooks = control(server, "webhooks/take")[1]["webhooks"]
    assert [json.loads(hook["body"])["data"]["order_status"] for hook in hooks] == [
        "ON_HOLD",
        "AWAITING_SHIPMENT",
        "AWAITING_COLLECTION",
        "IN_TRANSIT",
        "DELIVERED",
    ]
    assert control(server, "webhooks/take")[1] == {"webhooks": []}


def test_every_other_step_can_be_controlled_too(b: Bench, server: Server) -> None:
    shop_id = b.shop.shop_id

    def order(**wish: Any) -> dict[str, str]:
        made = control(server, "add_order", {"shop_id": shop_id, **wish})[1]
        return {"order_id": made["order_id"]}

    paid = order(status="UNPAID")
    assert control(server, "pay", paid)[1]["status"] == "AWAITING_SHIPMENT"
    assert control(server, "request_cancel", paid)[1]["is_buyer_request_cancel"] is True
    assert control(server, "close_request", paid)[1]["is_buyer_request_cancel"] is False
    moved = control(server, "extend", paid | {"field": "shipping_due_time", "to": START + 9})
    assert moved[1]["shipping_due_time"] == START + 9
    gone = control(server, "cancel", paid | {"reason": "why", "by": "SELLER"})
    assert gone[1]["status"] == "CANCELLED"
    two = order(items={"MUG-BLUE": 1, "TEA-GREEN": 1})
    lines = [line["id"] for line in control(server, "order", two)[1]["line_items"]]
    split = control(server, "split", two | {"groups": [lines[:1], lines[1:]]})[1]
    assert len(split["packages"]) == 2
    pair = [order()["order_id"], order()["order_id"]]
    assert "package_id" in control(server, "combine", {"order_ids": pair})[1]
    sent = order()
    b.client.ship(sent["order_id"])
    control(server, "collect", sent)
    lost = control(server, "report_exception", sent | {"reason": "PACKAGE_LOST"})[1]
    assert lost["line_items"][0]["package_status"] == "CANCELLED"
    assert control(server, "open_return", sent)[0] == 200
    done = order()
    b.client.ship(done["order_id"], "SYN-TRK-2")
    control(server, "collect", done)
    control(server, "deliver", done)
    assert control(server, "complete", done)[1]["status"] == "COMPLETED"
    assert control(server, "fail", {"kind": "slow", "delay": 0.5}) == (200, {"faults": 1})
    assert control(server, "clear_faults") == (200, {"faults": 0})
    code = control(server, "grant", {"shop_id": shop_id})[1]["auth_code"]
    assert code.startswith("TTP_")
    assert control(server, "revoke", {"shop_id": shop_id})[1]["shops"][0]["revoked"] is True
    new = {
        "shop_id": "7",
        "cipher": "c7",
        "market": "US",
        "app_key": KEY,
        "app_secret": SECRET,
        "access_token": "a7",
        "refresh_token": "r7",
    }
    told = control(server, "add_shop", new)[1]["shops"]
    assert [row["id"] for row in told] == [shop_id, "7"]
    assert SECRET not in json.dumps(told)


def test_what_happens_besides_orders_can_be_controlled_too(b: Bench, server: Server) -> None:
    shop = {"shop_id": b.shop.shop_id}
    order = {"order_id": b.sandbox.add_order(b.shop.shop_id)}
    moved = control(server, "change_address", order | {"address": {"name": "Kim Example"}})[1]
    assert moved["recipient_address"]["name"] == "Kim Example"
    return_id = {"return_id": b.sandbox.open_return(order["order_id"])}
    other = {"return_id": b.sandbox.open_return(b.sandbox.add_order(b.shop.shop_id))}
    b.sandbox.take_webhooks()
    done: list[tuple[str, dict[str, Any]]] = [
        ("warn_of_expiry", shop | {"days": 3}),
        ("set_stock", shop | {"sku": "TEA-GREEN", "units": {"69": 2}}),
        ("set_stock", shop | {"sku": "TEA-GREEN", "units": {"69": 0}}),
        ("aftersales_update", return_id | {"status": "PENDING_REQUEST_REVIEW"}),
        ("rma_update", return_id | {"status": "INIT"}),
        ("refund", return_id),
        ("close_return", other),
        ("buyer_says", shop | {"user_id": "702", "text": "Hello"}),
        ("push", shop | {"type": 999, "data": {}}),
    ]
    for name, told in done:
        assert control(server, name, told)[0] == 200, name
    hooks = [json.loads(each.body)["type"] for each in b.sandbox.take_webhooks()]
    assert hooks == [7, 71, 27, 64, 65, 12, 12, 67, 12, 13, 14, 999]
    flags = {"own_fleet": True, "own_tracks": True, "allocates_stock": True, "needs_proof": True}
    told = shop | flags | {"scopes": ["seller.customer_service"]}
    assert control(server, "set_shop", told) == (200, {"done": True})
    shown = control(server, "shops")[1]["shops"][0]
    assert shown["scopes"] == ["seller.customer_service"]
    assert {name: shown[name] for name in flags} == flags
    assert control(server, "fail", {"kind": "app_clock", "skew": -400})[0] == 200
    rules = {"refund_after": None, "sensitive_words": ["gold"], "low_stock": 1}
    assert control(server, "set_rules", rules) == (200, {"done": True})
    back = {"return_id": b.sandbox.open_return(order["order_id"])}
    assert control(server, "send_back", back)[0] == 400


def test_an_invoice_can_be_controlled_too(server: Server) -> None:
    market = {"shop_id": "9", "cipher": "c9", "market": "BR", "app_key": KEY, "app_secret": SECRET}
    tokens = {"access_token": "a9", "refresh_token": "r9"}
    assert control(server, "add_shop", market | tokens)[0] == 200
    made = control(server, "add_order", {"shop_id": "9", "needs_invoice": True})[1]
    told = made | {"status": "INVALID", "reason": "NOT_FOUND"}
    assert control(server, "invoice", told)[0] == 200


@pytest.mark.parametrize(
    ("name", "told", "status", "words"),
    [
        ("nothing", None, 404, "known: add_order"),
        ("advance", {"to": START - 1}, 400, "does not run back"),
        ("advance", {"to": "soon"}, 400, "body.to must be a whole number"),
        ("advance", {}, 400, "body.to is missing"),
        ("advance", [], 400, "must be an object"),
        ("add_order", {"shop_id": "nobody"}, 400, "no shop nobody"),
        ("add_order", {"shop_id": "1", "colour": "red"}, 400, "body.colour"),
        ("deliver", {"order_id": "none"}, 400, "no order none"),
        ("fail", {"kind": "gremlins"}, 400, "unknown fault"),
        ("fail", {"kind": "slow", "delay": "long"}, 400, "number of seconds"),
        ("fail", {"kind": "code", "path": "re:("}, 400, "regular expression"),
        ("fail", {"kind": "app_clock", "skew": "fast"}, 400, "number of seconds"),
        ("set_shop", {"shop_id": "nobody", "scopes": []}, 400, "no shop nobody"),
        ("set_shop", {"shop_id": "1", "own_fleet": 1}, 400, "body.own_fleet must be true or"),
        ("set_stock", {"shop_id": "1", "sku": "A"}, 400, "body.units is missing"),
        ("refund", {"return_id": "403"}, 400, "no request 403"),
        ("set_rules", {"colour": 1}, 400, "body.colour"),
        ("set_rules", {"label_asks": -1}, 400, "label_asks must not be negative"),
        ("set_rules", {"refund_after": "soon"}, 400, "body.refund_after must be a whole number"),
        ("grant", {"shop_id": "nobody"}, 400, "no shop nobody"),
        ("add_shop", {"shop_id": "1"}, 400, "is missing"),
    ],
)
def test_a_wrong_control_call_says_what_is_wrong(
    server: Server, name: str, told: Any, status: int, words: str
) -> None:
    got, answer = control(server, name, told)
    assert got == status
    assert list(answer) == ["error"]
    assert words in answer["error"]


def test_control_calls_that_change_something_want_post_and_json(server: Server) -> None:
    assert control(server, "webhooks/take", method="GET")[0] == 405
    status, answer = send(server, "POST", "/_sandbox/advance", b"{")
    assert (status, json.loads(answer)["error"]) == (400, "the body is not JSON")
