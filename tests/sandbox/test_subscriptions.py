"""Webhook addresses per topic."""

from __future__ import annotations

import pytest

from sandbox import wire
from tests.sandbox.bench import bench

HOOKS = "/event/202309/webhooks"


def test_a_registered_address_wins_for_its_topic_until_it_is_deleted() -> None:
    b = bench()
    told = {"address": "https://hooks.example.com/tiktok?a=1", "event_type": "ORDER_STATUS_CHANGE"}
    assert b.client.call("PUT", HOOKS, told).code == 0
    (row,) = b.client.get(HOOKS).data["webhooks"]
    assert (row["address"], row["create_time"]) == (told["address"], int(b.real()))
    b.sandbox.add_order(b.shop.shop_id)
    b.client.call("DELETE", HOOKS, {"event_type": "ORDER_STATUS_CHANGE"})
    assert b.client.call("DELETE", HOOKS, {"event_type": "ORDER_STATUS_CHANGE"}).code == 0
    b.sandbox.add_order(b.shop.shop_id)
    urls = [hook.url for hook in b.sandbox.take_webhooks()]
    assert urls == [told["address"], b.shop.webhook_url]


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.example.com/t",
        "https://127.0.0.1/t",
        "https://hooks.example.com:8443/t",
        "https://localhost/t",
        "https://hooks.example.com/" + "x" * 255,
        "",
    ],
)
def test_an_address_the_marketplace_cannot_call_is_refused(address: str) -> None:
    b = bench()
    told = {"address": address, "event_type": "ORDER_STATUS_CHANGE"}
    assert b.client.call("PUT", HOOKS, told).code == wire.BAD_PARAMETER


def test_registering_wants_put_and_a_known_topic_and_an_address() -> None:
    b = bench()
    assert b.client.post(HOOKS, {}).code == wire.WRONG_METHOD
    missing = b.client.call("PUT", HOOKS, {"event_type": "ORDER_STATUS_CHANGE"})
    assert (missing.code, missing.message) == (
        wire.BAD_PARAMETER,
        "param body.address is missing",
    )
    unknown = {"address": "https://hooks.example.com/t", "event_type": "ORDERS"}
    assert b.client.call("PUT", HOOKS, unknown).code == wire.BAD_PARAMETER
