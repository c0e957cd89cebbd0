"""Faults: what each does to the answer and to the effect, and how they are counted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import Fault, Reply, wire
from sandbox.faults import KINDS
from tests.sandbox.bench import Bench, bench

ORDERS = "/order/202507/orders"


def ready(kind: str, **how: Any) -> tuple[Bench, str, Any]:
    """A bench with an order, its ship path and a body, and the fault set on ship calls."""
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship"
    b.sandbox.fail(Fault(kind, path="*/ship", **how))
    told = {"tracking_number": "SYN-TRK-1", "shipping_provider_id": "6610000000000000001"}
    return b, path, {"self_shipment": told}


def judge(reply: Reply) -> str:
    """What a client sees."""
    if reply.drop:
        return "nothing"
    try:
        told = json.loads(reply.body)
    except ValueError:
        return f"{reply.status} no JSON"
    return f"{reply.status} {told['code']}"


@pytest.mark.parametrize(
    ("kind", "how", "seen", "effects"),
    [
        ("rate_limit", {"retry_after": 7}, "429 36009002", 0),
        ("code", {"code": 21001003, "message": "system error"}, "200 21001003", 0),
        ("unavailable", {}, "503 no JSON", 0),
        ("html", {}, "502 no JSON", 0),
        ("html", {"status": 200}, "200 no JSON", 0),
        ("slow", {"delay": 4.0}, "200 0", 1),
        ("no_answer", {}, "nothing", 0),
        ("effect_no_answer", {}, "nothing", 1),
        ("effect_late", {"delay": 9.0}, "nothing", 0),
        ("expired_token", {}, "401 105002", 0),
        ("truncated", {}, "200 no JSON", 1),
        ("null_data", {}, "200 0", 1),
        ("wrong_types", {}, "200 0", 1),
        ("effect_html", {}, "502 no JSON", 1),
        ("effect_html", {"status": 200}, "200 no JSON", 1),
        ("not_json", {}, "200 no JSON", 1),
        ("empty", {}, "200 no JSON", 1),
        ("no_data", {}, "200 0", 1),
        ("app_clock", {"skew": 0.0}, "200 0", 1),
        ("app_clock", {"skew": 301.0}, "400 36009004", 0),
        ("app_clock", {"skew": -31.0}, "400 36009004", 0),
    ],
)
def test_a_fault_is_played_once_and_leaves_the_effect_it_says(
    kind: str, how: dict[str, Any], seen: str, effects: int
) -> None:
    b, path, body = ready(kind, **how)
    reply = b.client.reply("POST", path, body)
    assert judge(reply) == seen
    assert reply.delay == (4.0 if kind == "slow" else 0.0)
    assert len(b.sandbox.effects) == effects
    assert b.sandbox.waiting_faults == ()
    assert b.sandbox.calls[-1].fault == kind
    again = b.client.call("POST", path, body)
    assert again.code == (wire.ALREADY_SHIPPED if effects else 0)


def test_every_kind_of_fault_is_known() -> None:
    assert len(KINDS) == 17
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("gremlins")
    with pytest.raises(ValueError, match="times"):
        Fault("code", times=0)
    with pytest.raises(ValueError, match="status"):
        Fault("html", status=42)


def test_a_rate_limit_says_when_to_come_back() -> None:
    b, path, body = ready("rate_limit", retry_after=7)
    assert b.client.reply("POST", path, body).headers["Retry-After"] == "7"


def test_a_late_effect_lands_at_its_real_second_and_then_once() -> None:
    b, path, body = ready("effect_late", delay=400.0)
    b.client.reply("POST", path, body)
    b.real.now += 399
    assert b.sandbox.effects == []
    b.real.now += 1
    # By now the request's timestamp is too old: it was judged when it came in.
    assert len(b.sandbox.effects) == 1
    assert b.sandbox.effects[0].at_real == b.real()
    assert [call.fault for call in b.sandbox.calls[-2:]] == ["effect_late", "landed_late"]
    assert b.client.call("POST", path, body).code == wire.ALREADY_SHIPPED


def test_a_late_effect_that_comes_too_late_has_none() -> None:
    b, path, body = ready("effect_late", delay=10.0)
    b.client.reply("POST", path, body)
    assert b.client.call("POST", path, body).code == 0
    b.real.now += 10
    b.sandbox.advance(b.sandbox.clock + 1)
    assert len(b.sandbox.effects) == 1
    assert b.sandbox.calls[-1].code == wire.ALREADY_SHIPPED


def test_a_bad_request_does_not_land_late() -> None:
    b, path, body = ready("effect_late", delay=1.0)
    assert b.client.reply("POST", path, body, sign="0" * 64).drop
    b.real.now += 2
    assert b.sandbox.effects == []


def test_a_fault_waits_for_its_turn_and_is_played_as_often_as_it_says() -> None:
    b = bench()
    b.sandbox.fail(Fault("code", path="/order/*", after=2, times=3))
    codes = [b.client.get(ORDERS, ids="1").code for _ in range(6)]
    assert codes == [0, 0, 36009003, 36009003, 36009003, 0]


def test_a_fault_hits_only_its_path_method_and_shop() -> None:
    b = bench()
    b.sandbox.fail(Fault("code", path="re:/orders/search$"))
    b.sandbox.fail(Fault("code", method="PUT"))
    b.sandbox.fail(Fault("code", shop_id="another"))
    assert b.client.get(ORDERS, ids="1").code == 0
    assert b.client.post("/order/202309/orders/search").code == 36009003
    assert len(b.sandbox.waiting_faults) == 2
    b.sandbox.clear_faults()
    assert not b.sandbox.waiting_faults


def test_an_expired_token_fault_spares_the_refresh_it_provokes() -> None:
    b = bench()
    b.sandbox.fail(Fault("expired_token"))
    told = b.client.get("/api/v2/token/refresh", cipher=False)
    assert told.code == wire.BAD_PARAMETER
    assert b.client.get(ORDERS, ids="1").code == wire.TOKEN_EXPIRED
    assert b.client.get(ORDERS, ids="1").code == 0


def test_twisted_data_keeps_its_structure_and_loses_its_types() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.fail(Fault("wrong_types"))
    b.sandbox.fail(Fault("null_data"))
    row = b.client.get(ORDERS, ids=order_id).data["orders"][0]
    assert isinstance(row["id"], int)
    assert isinstance(row["create_time"], str)
    assert b.client.get(ORDERS, ids=order_id).data is None


def test_the_same_calls_give_the_same_bytes() -> None:
    def play() -> list[bytes]:
        b = bench()
        b.sandbox.fail(Fault("unavailable", path="*/ship"))
        order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
        answers: list[bytes] = []
        package = b.client.package_of(order_id)
        told = {"tracking_number": "SYN-TRK-1", "shipping_provider_id": "6610000000000000001"}
        for _ in range(2):
            path = f"/fulfillment/202309/packages/{package}/ship"
            answers.append(b.client.reply("POST", path, {"self_shipment": told}).body)
        answers.append(b.client.reply("GET", ORDERS, ids=order_id).body)
        b.sandbox.advance(b.sandbox.clock + 20 * 86400)
        return answers + [hook.body for hook in b.sandbox.take_webhooks()]

    assert play() == play()


@pytest.mark.parametrize(
    ("skew", "code"),
    [
        (300, 0),
        (301, wire.BAD_PARAMETER),
        (-30, 0),
        (-31, wire.BAD_PARAMETER),
    ],
)
def test_a_marketplace_whose_clock_is_off_refuses_what_is_in_time(skew: int, code: int) -> None:
    b = bench()
    b.sandbox.fail(Fault("app_clock", skew=skew))
    assert b.client.get(ORDERS, ids="1").code == code
    assert b.client.get(ORDERS, ids="1").code == 0


def test_an_answer_without_data_has_all_else() -> None:
    b = bench()
    b.sandbox.fail(Fault("no_data"))
    told = json.loads(b.client.reply("GET", ORDERS, ids="1").body)
    assert set(told) == {"code", "message", "request_id"}


@pytest.mark.parametrize("kind", ["no_data", "null_data", "wrong_types"])
def test_a_file_has_no_envelope_to_spoil(kind: str) -> None:
    b = bench()
    b.sandbox.fail(Fault(kind, path="/_files/*"))
    assert b.client.reply("GET", "/_files/x.pdf").status == 404
