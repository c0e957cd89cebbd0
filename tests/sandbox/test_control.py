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
