"""The ship calls: which exists where, every refusal, and the record of what was done."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import wire
from tests.sandbox.bench import START, Client, bench, shop, told_by, tracking

SEA_AND_LATAM = ("ID", "MY", "PH", "SG", "TH", "VN", "BR", "MX")
MARKED = ("US", "UK", "ES", "IE", "IT", "DE", "FR", "JP")
SOMEWHERE = "1150000000000000099"


@pytest.mark.parametrize("market", SEA_AND_LATAM)
def test_a_seller_ships_a_package_in_sea_and_latam(market: str) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    answer = b.client.ship(order_id)
    assert (answer.code, answer.data) == (0, {})
    order = b.client.read(order_id)[0]
    assert (order["status"], order["rts_time"]) == ("AWAITING_COLLECTION", START)
    assert order["tracking_number"] == "SYN-TRK-000001"
    assert order["line_items"][0]["package_status"] == "PROCESSING"
    assert b.client.mark(order_id).code == wire.WRONG_REGION


@pytest.mark.parametrize("market", MARKED)
def test_a_seller_marks_a_package_as_shipped_in_us_uk_eu_and_jp(market: str) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.read(order_id)[0]["packages"] == []
    answer = b.client.mark(order_id)
    assert answer.code == 0
    assert answer.data["order_id"] == order_id
    assert b.client.package_of(order_id) == answer.data["package_id"]
    path = f"/fulfillment/202309/packages/{answer.data['package_id']}/ship"
    assert b.client.post(path, {"self_shipment": tracking()}).code == wire.WRONG_REGION


def test_the_older_body_works_under_its_own_version_only() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id)
    line_id = b.client.read(order_id)[0]["line_items"][0]["id"]
    old = {"order_line_item_ids": [line_id], **tracking()}
    newer = f"/fulfillment/202610/orders/{order_id}/packages"
    assert b.client.post(newer, old).code == wire.BAD_PARAMETER
    assert b.client.post(newer.replace("202610", "202309"), old).code == 0


def test_tiktok_shipping_is_handed_over_and_gets_its_number() -> None:
    b = bench("BR")
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship"
    assert b.client.post(path).code == wire.BAD_PARAMETER
    assert b.client.post(path, {"self_shipment": tracking()}).code == wire.WRONG_MODE
    slot = {"start_time": START, "end_time": START + 7200}
    late = b.client.post(path, {"handover_method": "DROP_OFF", "pickup_slot": slot})
    assert late.code == wire.BAD_PARAMETER
    assert b.client.post(path, {"handover_method": "VAN"}).code == wire.BAD_PARAMETER
    offered = b.client.get(path.replace("/ship", "/handover_time_slots")).data["pickup_slots"]
    slot = {name: offered[0][name] for name in ("start_time", "end_time")}
    assert b.client.post(path, {"handover_method": "PICKUP", "pickup_slot": slot}).code == 0
    assert b.client.read(order_id)[0]["tracking_number"].startswith("SBX")


def test_sea_ignores_the_handover_method_so_none_is_needed() -> None:
    b = bench("TH")
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship"
    assert b.client.post(path).code == 0


@pytest.mark.parametrize(("market", "code"), [("US", wire.WRONG_REGION), ("DE", 0)])
def test_tiktok_shipping_by_ship_package_works_in_the_eu_and_not_in_the_us(
    market: str, code: int
) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"A-X": 1, "B-X": 1})
    tiktok = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK", items={"A-X": 2})
    if market == "US":
        lines = [line["id"] for line in b.client.read(tiktok)[0]["line_items"]]
        b.sandbox.split(tiktok, [lines[:1], lines[1:]])
    path = f"/fulfillment/202309/packages/{b.client.package_of(tiktok)}/ship"
    assert b.client.post(path, {"handover_method": "PICKUP"}).code == code
    assert b.client.mark(tiktok, "SYN-TRK-7").code == wire.WRONG_MODE
    assert b.client.mark(order_id, "SYN-TRK-8").code == 0


@pytest.mark.parametrize(
    ("status", "code"),
    [("UNPAID", wire.STATUS_FORBIDS), ("ON_HOLD", wire.ORDER_ON_HOLD)],
)
def test_an_order_is_not_shipped_before_its_time(status: str, code: int) -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, status=status)
    assert b.client.mark(order_id).code == code
    assert b.sandbox.effects == []


def test_a_second_ship_call_is_refused_whatever_it_says() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.ship(order_id).code == 0
    assert b.client.ship(order_id).code == wire.ALREADY_SHIPPED
    assert b.client.ship(order_id, "SYN-TRK-000002").code == wire.ALREADY_SHIPPED
    b.sandbox.collect(order_id)
    assert b.client.ship(order_id).code == wire.ALREADY_SHIPPED
    b.sandbox.deliver(order_id)
    assert b.client.ship(order_id).code == wire.ALREADY_DELIVERED
    assert len(b.sandbox.effects) == 1


def test_a_cancelled_order_is_not_shipped() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.cancel(order_id, "seller_cancel_reason_out_of_stock", "SELLER")
    assert b.client.ship(order_id).code == wire.ORDER_CANCELLED


def test_an_open_cancel_request_stops_shipping_until_it_is_closed() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.request_cancel(order_id)
    assert b.client.ship(order_id).code == wire.REQUEST_PENDING
    b.sandbox.close_request(order_id)
    assert b.client.ship(order_id).code == 0


def test_shipping_in_the_us_rejects_an_open_cancel_request() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.request_cancel(order_id)
    b.sandbox.take_webhooks()
    assert b.client.mark(order_id).code == 0
    told = told_by(b.sandbox)
    assert [hook["type"] for hook in told] == [11, 1]
    assert told[0]["data"]["cancel_status"] == "CANCELLATION_REQUEST_CANCELLED"
    assert b.client.read(order_id)[0]["is_buyer_request_cancel"] is False


@pytest.mark.parametrize("number", ["abc", "x" * 51, "SYN TRK 1", "SYN#1234", "ÄÖÜ-1234", ""])
def test_a_number_that_no_carrier_has_is_refused(number: str) -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.ship(order_id, number).code == wire.BAD_TRACKING


def test_an_unknown_provider_is_refused() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.ship(order_id, provider="J&T").code == wire.BAD_TRACKING


def test_a_number_of_another_order_is_a_duplicate_even_in_other_letters_and_shops() -> None:
    other = shop("MY", 2)
    b = bench("MY", other)
    first, second = (b.sandbox.add_order(b.shop.shop_id) for _ in range(2))
    third = b.sandbox.add_order(other.shop_id)
    assert b.client.ship(first, "SYN-TRK-A1").code == 0
    assert b.client.ship(second, "syn-trk-a1").code == wire.DUPLICATE_TRACKING
    stranger = Client(b.sandbox, other, b.real)
    assert stranger.ship(third, "SYN-TRK-A1").code == wire.DUPLICATE_TRACKING


@pytest.mark.parametrize("market", ["US", "MY"])
def test_what_tiktok_fulfils_is_not_for_the_seller_to_ship(market: str) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id, fulfillment_type="FULFILLMENT_BY_TIKTOK")
    answer = b.client.mark(order_id) if market == "US" else b.client.ship(order_id)
    assert answer.code == wire.WRONG_MODE


def test_orders_and_packages_of_others_do_not_exist_for_a_shop() -> None:
    other = shop("MY", 2)
    b = bench("MY", other, shop("US", 3))
    order_id = b.sandbox.add_order(other.shop_id)
    package_id = Client(b.sandbox, other, b.real).package_of(order_id)
    us = Client(b.sandbox, b.sandbox.shops[2], b.real)
    line = {"order_line_list": [{"order_line_id": "1"}], "shipping_info_list": [tracking()]}
    for wanted in (package_id, SOMEWHERE):
        path = f"/fulfillment/202309/packages/{wanted}"
        ship = {"self_shipment": tracking()}
        assert b.client.post(f"{path}/ship", ship).code == wire.NOT_OF_THIS_SHOP
        assert b.client.get(path).code == wire.NOT_OF_THIS_SHOP
    for wanted in (order_id, SOMEWHERE):
        path = f"/fulfillment/202610/orders/{wanted}/packages"
        assert us.post(path, line).code == wire.NOT_OF_THIS_SHOP


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "self_shipment is missing"),
        ({"self_shipment": {"tracking_number": "SYN-1234"}}, "shipping_provider_id is missing"),
        ({"self_shipment": tracking() | {"note": "x"}}, "self_shipment.note"),
        ({"self_shipment": tracking(), "idempotency_key": "x"}, "body.idempotency_key"),
        ({"self_shipment": {**tracking(), "tracking_number": 7}}, "must be a string"),
    ],
)
def test_a_ship_body_is_read_to_the_letter(body: Any, words: str) -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship"
    answer = b.client.post(path, body)
    assert answer.code == wire.BAD_PARAMETER
    assert words in answer.message
    assert b.sandbox.effects == []


def test_a_seller_order_does_not_take_a_handover_method() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship"
    assert b.client.post(path, {"handover_method": "PICKUP"}).code == wire.WRONG_MODE


@pytest.mark.parametrize(
    "lines", [["577000000000000009"], ["577000000000000001", "577000000000000001"]]
)
def test_lines_that_are_not_of_the_order_or_are_named_twice_are_refused(lines: list[str]) -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.mark(order_id, lines=lines).code == wire.BAD_PARAMETER


def test_two_tracking_numbers_need_an_allow_listed_seller() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id)
    path = f"/fulfillment/202610/orders/{order_id}/packages"
    lines = [{"order_line_id": "577000000000000001"}]
    two = [tracking("SYN-TRK-1"), tracking("SYN-TRK-2")]
    for infos in ([], two):
        body = {"order_line_list": lines, "shipping_info_list": infos}
        assert b.client.post(path, body).code == wire.BAD_PARAMETER


def test_an_effect_says_what_was_done_for_whom_and_when() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    package_id = b.client.package_of(order_id)
    b.real.now += 5
    b.client.ship(order_id)
    (effect,) = b.sandbox.effects
    assert effect.call == "ship_package"
    assert (effect.shop_id, effect.order_id) == (b.shop.shop_id, order_id)
    assert (effect.package_id, effect.tracking_number) == (package_id, "SYN-TRK-000001")
    assert (effect.at_real, effect.at_clock) == (b.real(), START)


@pytest.mark.parametrize("market", ["MY", "US"])
def test_a_pending_return_stops_shipping_in_every_market(market: str) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.open_return(order_id)
    answer = b.client.mark(order_id) if market == "US" else b.client.ship(order_id)
    assert answer.code == wire.REQUEST_PENDING


@pytest.mark.parametrize(
    "lines",
    [[], {"order_line_id": "1"}, [{"order_line_id": "577000000000000001", "sub_item_id": "1"}]],
)
def test_a_mark_body_without_lines_or_with_parts_of_bundles_is_refused(lines: Any) -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id)
    body = {"order_line_list": lines, "shipping_info_list": [tracking()]}
    path = f"/fulfillment/202610/orders/{order_id}/packages"
    assert b.client.post(path, body).code == wire.BAD_PARAMETER
