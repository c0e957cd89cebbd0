"""The calls that read: order detail, the searches and their pages, providers, addresses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Provider, wire
from tests.sandbox.bench import START, Bench, Client, bench, shop

SEARCH = "/order/202309/orders/search"
CANCELLATIONS = "/return_refund/202602/cancellations/search"
RETURNS = "/return_refund/202602/returns/search"
OPTIONS = "/logistics/202309/delivery_options"


def test_order_detail_leaves_out_what_is_not_there_and_not_this_shops() -> None:
    other = shop("MY", 2)
    b = bench("MY", other)
    first, second = (b.sandbox.add_order(b.shop.shop_id) for _ in range(2))
    foreign = b.sandbox.add_order(other.shop_id)
    rows = b.client.read(second, "1", foreign, first, first)
    assert [row["id"] for row in rows] == [second, first]


@pytest.mark.parametrize(("count", "code"), [(50, 0), (51, wire.BAD_PARAMETER)])
def test_order_detail_takes_fifty_ids(count: int, code: int) -> None:
    b = bench()
    ids = ",".join(str(number) for number in range(count))
    assert b.client.get("/order/202507/orders", ids=ids).code == code


def test_an_order_has_one_line_per_unit_and_only_the_deadlines_it_was_given() -> None:
    b = bench()
    b.sandbox.add_order(
        b.shop.shop_id,
        items={"MUG-BLUE": 2, "TEA-GREEN": 1},
        rts_sla_time=START + 60,
        extra={"handling_duration": {"days": "3", "type": "BUSINESS_DAY"}},
    )
    order = b.client.read(b.sandbox.order_ids()[0])[0]
    assert [line["seller_sku"] for line in order["line_items"]] == [
        "MUG-BLUE",
        "MUG-BLUE",
        "TEA-GREEN",
    ]
    assert len({line["id"] for line in order["line_items"]}) == 3
    assert order["line_items"][0]["package_status"] == "TO_FULFILL"
    assert order["rts_sla_time"] == START + 60
    assert "shipping_due_time" not in order
    assert order["payment"]["total_amount"] == "119.70"
    assert order["handling_duration"]["days"] == "3"


def test_the_address_is_empty_on_hold_and_masked_when_tiktok_ships() -> None:
    b = bench("US")
    held = b.sandbox.add_order(b.shop.shop_id, status="ON_HOLD")
    whole = b.sandbox.add_order(b.shop.shop_id, recipient_address={"name": "Ada Sample"})
    masked = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    names = [row["recipient_address"]["name"] for row in b.client.read(held, whole, masked)]
    assert names == ["", "Ada Sample", "S** E******"]
    assert b.client.read(held)[0]["recipient_address"]["region_code"] == "US"
    assert b.client.read(held)[0]["line_items"][0]["display_status"] == "AWAITING_SHIPMENT"


def crowd(b: Bench, count: int = 7) -> list[str]:
    """Orders a minute apart, two of them at the same second."""
    ids = []
    for number in range(count):
        b.sandbox.advance(START + 60 * min(number, count - 2))
        ids.append(b.sandbox.add_order(b.shop.shop_id))
    return ids


def pages(client: Client, path: str, name: str, body: Any = None, **query: Any) -> list[list[Any]]:
    found, token = [], ""
    while True:
        answer = client.post(path, body, page_token=token, **query)
        assert answer.code == 0, answer.message
        found.append(answer.data[name])
        token = answer.data["next_page_token"]
        if not token:
            return found


@given(size=st.integers(1, 9), order=st.sampled_from(["ASC", "DESC"]))
def test_pages_hold_every_order_once_and_in_order(size: int, order: str) -> None:
    b = bench()
    ids = crowd(b)
    told = pages(b.client, SEARCH, "orders", page_size=size, sort_order=order)
    assert [len(page) for page in told[:-1]] == [size] * (len(told) - 1)
    flat = [row["id"] for page in told for row in page]
    assert flat == (ids if order == "ASC" else ids[::-1])


def test_the_newest_order_comes_first_and_twenty_to_a_page_unless_asked() -> None:
    b = bench()
    ids = crowd(b, 21)
    answer = b.client.post(SEARCH)
    assert [row["id"] for row in answer.data["orders"]] == ids[:0:-1]
    assert answer.data["total_count"] == 21


@pytest.mark.parametrize(
    ("query", "body", "shop_number"),
    [
        ({"sort_order": "ASC"}, None, 1),
        ({"sort_field": "update_time"}, None, 1),
        ({}, {"order_status": "AWAITING_SHIPMENT"}, 1),
        ({}, None, 2),
    ],
)
def test_a_page_token_is_bound_to_filters_sorting_and_shop(
    query: dict[str, str], body: Any, shop_number: int
) -> None:
    other = shop("MY", 2)
    b = bench("MY", other)
    crowd(b)
    token = b.client.post(SEARCH, page_size=2).data["next_page_token"]
    client = b.client if shop_number == 1 else Client(b.sandbox, other, b.real)
    answer = client.post(SEARCH, body, page_size=2, page_token=token, **query)
    assert answer.code == wire.BAD_PARAMETER


@pytest.mark.parametrize("token", ["x", "====", "ÿ", "YWJj", "MTIz.NDU2"])
def test_a_forged_page_token_is_refused(token: str) -> None:
    b = bench()
    assert b.client.post(SEARCH, page_token=token).code == wire.BAD_PARAMETER


@pytest.mark.parametrize(
    ("path", "size", "code"),
    [
        (SEARCH, "0", wire.BAD_PARAMETER),
        (SEARCH, "1", 0),
        (SEARCH, "100", 0),
        (SEARCH, "101", wire.BAD_PARAMETER),
        (SEARCH, "-1", wire.BAD_PARAMETER),
        (SEARCH, "²", wire.BAD_PARAMETER),
        (CANCELLATIONS, "50", 0),
        (CANCELLATIONS, "51", wire.BAD_PARAMETER),
        (RETURNS, "9", wire.BAD_PARAMETER),
        (RETURNS, "10", 0),
        (RETURNS, "51", wire.BAD_PARAMETER),
    ],
)
def test_a_page_size_has_bounds(path: str, size: str, code: int) -> None:
    b = bench()
    assert b.client.post(path, page_size=size).code == code


@pytest.mark.parametrize("query", [{"sort_field": "id"}, {"sort_order": "asc"}])
def test_an_unknown_sorting_is_refused(query: dict[str, str]) -> None:
    b = bench()
    assert b.client.post(SEARCH, **query).code == wire.BAD_PARAMETER


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"order_status": "AWAITING_COLLECTION"}, [1]),
        ({"shipping_type": "TIKTOK"}, [2]),
        ({"buyer_user_id": "70"}, [3]),
        ({"is_buyer_request_cancel": True}, [0]),
        ({"warehouse_ids": ["69", "68"]}, [2, 3]),
        ({"create_time_ge": START, "create_time_lt": START + 60}, [0, 1, 2]),
        ({"create_time_ge": START + 60}, [3]),
        ({"update_time_ge": START + 61}, [1]),
        ({"update_time_lt": START + 61, "shipping_type": "SELLER"}, [0, 3]),
    ],
)
def test_the_order_search_filters(filters: dict[str, Any], expected: list[int]) -> None:
    b = bench()
    ids = [
        b.sandbox.add_order(b.shop.shop_id),
        b.sandbox.add_order(b.shop.shop_id),
        b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK", warehouse_id="69"),
    ]
    b.sandbox.advance(START + 60)
    ids.append(b.sandbox.add_order(b.shop.shop_id, user_id="70", warehouse_id="68"))
    b.sandbox.request_cancel(ids[0])
    b.sandbox.advance(START + 61)
    b.client.ship(ids[1])
    answer = b.client.post(SEARCH, filters, sort_order="ASC")
    assert [row["id"] for row in answer.data["orders"]] == [ids[number] for number in expected]


def test_cancellations_are_found_with_what_the_seller_has_to_do() -> None:
    b = bench()
    asked, gone = (b.sandbox.add_order(b.shop.shop_id) for _ in range(2))
    b.sandbox.request_cancel(asked, "no longer needed")
    b.sandbox.cancel(gone, "seller_cancel_reason_out_of_stock", "SELLER")
    first, second = b.client.post(CANCELLATIONS).data["cancellations"]
    assert (first["order_id"], first["cancel_type"]) == (asked, "BUYER_CANCEL")
    assert first["seller_next_action_response"] == [
        {"action": "SELLER_RESPOND_BUYER_CANCEL", "deadline": START + 2 * 86400}
    ]
    assert (second["cancel_type"], second["cancel_status"]) == (
        "CANCEL",
        "CANCELLATION_REQUEST_COMPLETE",
    )
    b.sandbox.close_request(asked)
    found = b.client.post(CANCELLATIONS, {"cancel_status": ["CANCELLATION_REQUEST_CANCEL"]})
    assert [row["order_id"] for row in found.data["cancellations"]] == [asked]
    found = b.client.post(CANCELLATIONS, {"order_ids": [gone], "cancel_types": ["CANCEL"]})
    assert found.data["total_count"] == 1
    assert b.client.post(CANCELLATIONS, {"cancel_types": ["ANY"]}).code == wire.BAD_PARAMETER


def test_returns_are_found_and_are_not_cancellations() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    case_id = b.sandbox.open_return(order_id, "RETURN_AND_REFUND")
    (row,) = b.client.post(RETURNS).data["return_orders"]
    assert (row["return_id"], row["return_type"]) == (case_id, "RETURN_AND_REFUND")
    assert row["return_status"] == "RETURN_OR_REFUND_REQUEST_PENDING"
    assert b.client.post(CANCELLATIONS).data["total_count"] == 0
    assert b.client.post(RETURNS, {"return_types": ["REFUND"]}).data["total_count"] == 0


def test_searches_page_over_cases_too() -> None:
    b = bench()
    for order_id in crowd(b):
        b.sandbox.request_cancel(order_id)
    told = pages(b.client, CANCELLATIONS, "cancellations", page_size=3)
    assert [len(page) for page in told] == [3, 3, 1]


def test_a_package_is_described_with_its_order() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.client.ship(order_id)
    detail = b.client.get(f"/fulfillment/202309/packages/{b.client.package_of(order_id)}").data
    assert detail["orders"] == [{"id": order_id}]
    assert (detail["package_status"], detail["package_sub_status"]) == ("PROCESSING", "RTS")
    assert detail["shipping_provider_name"] == "Synthetic Express"
    assert detail["order_line_item_ids"] == ["577000000000000001"]


def test_providers_are_listed_per_delivery_option() -> None:
    b = bench(providers=[Provider("1", "Synthetic Post")])
    listed = b.client.get(f"{OPTIONS}/7090000000000000001/shipping_providers")
    assert listed.data == {"shipping_providers": [{"id": "1", "name": "Synthetic Post"}]}
    tiktok = b.client.get(f"{OPTIONS}/7090000000000000002/shipping_providers")
    assert tiktok.code == wire.TIKTOK_SHIPS
    assert b.client.get(f"{OPTIONS}/7/shipping_providers").code == wire.NO_SUBSCRIPTION


@pytest.mark.parametrize(("market", "code"), [("DE", 0), ("MY", wire.BAD_PARAMETER)])
def test_only_eu_shops_name_the_regions_of_a_shipment(market: str, code: int) -> None:
    b = bench(market)
    path = f"{OPTIONS}/7090000000000000001/shipping_providers"
    assert b.client.get(path, warehouse_region="DE", buyer_region="FR").code == code


def test_a_search_takes_a_hundred_warehouses() -> None:
    b = bench()
    many = [str(number) for number in range(101)]
    assert b.client.post(SEARCH, {"warehouse_ids": many[:100]}).code == 0
    assert b.client.post(SEARCH, {"warehouse_ids": many}).code == wire.BAD_PARAMETER
