"""Labels of the marketplace's own: bought, chosen, printed."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Server, wire
from sandbox.world import Settings
from tests.sandbox.bench import START, Bench, bench, send

CREATE = "/fulfillment/202512/packages"
SERVICES = "/fulfillment/202309/orders/{}/shipping_services/query"
DAY = 86_400


def order(b: Bench, **wish: Any) -> str:
    return b.sandbox.add_order(b.shop.shop_id, **{"shipping_type": "TIKTOK", **wish})


@pytest.mark.parametrize("market", ["US", "UK", "ES", "IE", "IT", "DE", "FR", "JP"])
def test_a_label_ships_an_order(market: str) -> None:
    b = bench(market)
    order_id = order(b)
    answer = b.client.post(CREATE, {"ship_type": "1", "order_id": order_id})
    assert answer.code == 0
    shown = b.client.read(order_id)[0]
    assert shown["status"] == "AWAITING_COLLECTION"
    assert answer.data["package_id"] == shown["packages"][0]["id"]
    assert answer.data["shipping_service_info"]["name"] == "Synthetic Ground"
    (effect,) = b.sandbox.effects
    assert (effect.call, effect.tracking_number) == ("create_packages", shown["tracking_number"])
    again = b.client.post(CREATE, {"ship_type": "1", "order_id": order_id})
    assert again.code == wire.ALREADY_SHIPPED
    assert len(b.sandbox.effects) == 1


def test_a_part_of_an_order_and_several_orders_get_a_label_each() -> None:
    b = bench("US")
    one = order(b, items={"MUG-BLUE": 2})
    line = b.client.read(one)[0]["line_items"][0]["id"]
    part = {"ship_type": "2", "order_id": one, "order_line_item": [{"order_line_id": line}]}
    assert b.client.post(CREATE, part).code == 0
    assert b.client.read(one)[0]["status"] == "PARTIALLY_SHIPPING"
    pair = [order(b), order(b)]
    told = b.client.post(CREATE, {"ship_type": "3", "order_list_ids": pair})
    assert told.code == 0
    assert [row["packages"][0]["id"] for row in b.client.read(*pair)] == [
        told.data["package_id"]
    ] * 2
    assert b.sandbox.effects[-1].order_id == ",".join(pair)


@pytest.mark.parametrize(
    ("market", "kind", "code"),
    [
        ("MY", "TIKTOK", wire.WRONG_REGION),
        ("BR", "TIKTOK", wire.WRONG_REGION),
        ("US", "SELLER", wire.WRONG_REGION),
    ],
)
def test_labels_are_for_what_tiktok_ships_in_some_markets(
    market: str, kind: str, code: int
) -> None:
    b = bench(market)
    body = {"ship_type": "1", "order_id": order(b, shipping_type=kind)}
    assert b.client.post(CREATE, body).code == code


SIZE = {"length": "1", "width": "2.5", "height": "3", "unit": "CM"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"dimension": SIZE, "weight": {"value": "1", "unit": "POUND"}}, 0),
        ({"dimension": SIZE | {"length": "0"}}, wire.BAD_PARAMETER),
        ({"dimension": SIZE | {"length": "-1"}}, wire.BAD_PARAMETER),
        ({"dimension": SIZE | {"unit": "MM"}}, wire.BAD_PARAMETER),
        ({"weight": {"value": "heavy", "unit": "GRAM"}}, wire.BAD_PARAMETER),
        ({"ship_type": 1}, wire.BAD_PARAMETER),
        ({"ship_type": "4"}, wire.BAD_PARAMETER),
        ({"ship_type": "2"}, wire.BAD_PARAMETER),
        ({"ship_type": "3"}, wire.BAD_PARAMETER),
        ({"order_list_ids": ["1", "2"]}, wire.BAD_PARAMETER),
        ({"shipping_service_id": "7208000000000000002"}, 0),
        ({"shipping_service_id": "1"}, wire.BAD_PARAMETER),
        ({"order_id": "576000000000000099"}, wire.NOT_OF_THIS_SHOP),
    ],
)
def test_a_label_is_asked_for_to_the_letter(body: dict[str, Any], code: int) -> None:
    b = bench("US")
    told = {"ship_type": "1", "order_id": order(b)} | body
    assert b.client.post(CREATE, told).code == code
    assert len(b.sandbox.effects) == (code == 0)


def test_several_orders_are_of_one_buyer() -> None:
    b = bench("US")
    pair = [order(b), order(b, user_id="7020000000000000002")]
    for ids in (pair, pair[:1], pair[:1] * 2):
        told = {"ship_type": "3", "order_list_ids": ids}
        assert b.client.post(CREATE, told).code == wire.BAD_PARAMETER


@pytest.mark.parametrize(("market", "code"), [("US", 0), ("JP", 0), ("DE", wire.WRONG_REGION)])
def test_services_are_listed_in_the_us_and_japan(market: str, code: int) -> None:
    b = bench(market)
    order_id = order(b)
    answer = b.client.post(SERVICES.format(order_id), {"weight": {"value": "2", "unit": "POUND"}})
    assert answer.code == code
    if code == 0:
        assert answer.data["weight"]["value"] == "2"
        assert [row["is_default"] for row in answer.data["shipping_services"]] == [True, False]
    assert b.client.post(SERVICES.format("576")).code == wire.NOT_OF_THIS_SHOP
    assert b.sandbox.effects == []


# Documents


def labelled(label_asks: int = 0) -> tuple[Bench, str, str]:
    """A shipped TikTok parcel: bench, order, and the path of its document."""
    b = bench("TH", settings=Settings(label_asks=label_asks))
    order_id = order(b)
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}"
    assert b.client.post(f"{path}/ship").code == 0
    return b, order_id, f"{path}/shipping_documents"


def test_a_document_is_a_pdf_for_a_day() -> None:
    b, order_id, path = labelled()
    with Server(b.sandbox) as server:
        told = b.client.get(path, document_type="SHIPPING_LABEL").data
        assert told["tracking_number"] == b.client.read(order_id)[0]["tracking_number"]
        assert told["doc_url"].startswith(server.url)
        where = told["doc_url"].removeprefix(server.url)
        status, content = send(server, "GET", where)
        assert (status, content[:5], content.rstrip()[-5:]) == (200, b"%PDF-", b"%%EOF")
        assert told["tracking_number"].encode() in content
        b.real.now += DAY - 1
        assert send(server, "GET", where)[0] == 200
        b.real.now += 1
        assert send(server, "GET", where)[0] == 403
        assert send(server, "GET", "/_files/nothing.pdf")[0] == 404
        assert send(server, "POST", where)[0] == 405
    assert [effect.call for effect in b.sandbox.effects] == ["ship_package"]


def test_a_document_can_be_for_a_label_printer() -> None:
    b, _, path = labelled()
    told = b.client.get(path, document_type="SHIPPING_LABEL", document_format="ZPL").data
    reply = b.client.reply("GET", told["doc_url"].removeprefix("https://files.sandbox.example"))
    assert reply.body.startswith(b"^XA")


def test_a_document_takes_as_many_asks_as_it_is_told_to() -> None:
    b, _, path = labelled(label_asks=2)
    codes = [b.client.get(path, document_type="SHIPPING_LABEL").code for _ in range(3)]
    assert codes == [wire.LABEL_IN_MAKING, wire.LABEL_IN_MAKING, 0]


def test_a_document_is_there_between_shipping_and_collection() -> None:
    b, order_id, path = labelled()
    b.sandbox.collect(order_id)
    assert b.client.get(path, document_type="SHIPPING_LABEL").code == wire.STATUS_FORBIDS
    for kind, code in (("TIKTOK", wire.NOT_SHIPPED), ("SELLER", wire.NO_LABEL_HERE)):
        other = b.client.package_of(order(b, shipping_type=kind))
        where = f"/fulfillment/202309/packages/{other}/shipping_documents"
        assert b.client.get(where, document_type="SHIPPING_LABEL").code == code


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"document_type": "LABEL"},
        {"document_type": "SHIPPING_LABEL", "document_size": "A4"},
        {"document_type": "SHIPPING_LABEL", "document_format": "PNG"},
    ],
)
def test_a_document_is_asked_for_to_the_letter(query: dict[str, str]) -> None:
    b, _, path = labelled()
    assert b.client.get(path, **query).code == wire.BAD_PARAMETER


# Reading packages and tracking


def test_packages_are_searched_by_state_and_sorted_by_payment() -> None:
    b = bench()
    ids = [b.sandbox.add_order(b.shop.shop_id) for _ in range(2)]
    b.sandbox.advance(START + 10)
    ids.append(b.sandbox.add_order(b.shop.shop_id))
    b.client.ship(ids[0])
    search = "/fulfillment/202309/packages/search"
    sent = b.client.post(search, {"package_status": "PROCESSING"}, page_size=20).data
    assert (sent["total_count"], sent["packages"][0]["tracking_number"]) == (1, "SYN-TRK-000001")
    first = b.client.post(search, page_size=2, sort_field="order_pay_time", sort_order="ASC").data
    token = first["next_page_token"]
    rest = b.client.post(
        search, page_size=2, sort_field="order_pay_time", sort_order="ASC", page_token=token
    ).data
    found = [row["orders"][0]["id"] for page in (first, rest) for row in page["packages"]]
    assert found == ids
    assert b.client.post(search).code == wire.BAD_PARAMETER
    assert b.client.post(search, page_size=51).code == wire.BAD_PARAMETER
    assert b.client.post(search, {"package_status": "LOST"}, page_size=9).code == wire.BAD_PARAMETER


def test_tracking_shows_what_the_carrier_told_newest_first() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    where = f"/fulfillment/202309/orders/{order_id}/tracking"
    assert b.client.get(where).data == {"tracking": []}
    b.client.ship(order_id)
    b.sandbox.collect(order_id)
    b.sandbox.advance(START + 60)
    b.sandbox.deliver(order_id)
    told = b.client.get(where).data["tracking"]
    assert [(row["action_code"], row["update_time_millis"]) for row in told] == [
        (50101, (START + 60) * 1000),
        (30901, START * 1000),
    ]


def test_orders_with_packages_of_their_own_get_one_label() -> None:
    b = bench("DE")
    pair = [order(b), order(b)]
    before = {b.client.package_of(order_id) for order_id in pair}
    told = b.client.post(CREATE, {"ship_type": "3", "order_list_ids": pair})
    assert told.code == 0
    assert {b.client.package_of(each) for each in pair} == {told.data["package_id"]}
    assert told.data["package_id"] not in before


def test_parts_of_bundles_get_no_label_and_two_lists_no_service() -> None:
    b = bench("US")
    one = order(b)
    line = b.client.read(one)[0]["line_items"][0]["id"]
    part = [{"order_line_id": line, "sub_item_id": "1"}]
    body = {"ship_type": "2", "order_id": one, "order_line_item": part}
    assert b.client.post(CREATE, body).code == wire.BAD_PARAMETER
    both = {"order_line_item_ids": [line], "order_line_list": [{"order_line_id": line}]}
    assert b.client.post(SERVICES.format(one), both).code == wire.BAD_PARAMETER
