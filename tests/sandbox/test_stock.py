"""Stock: what is there, what orders take, and how it is set."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import StoryError, wire
from tests.sandbox.bench import Bench, bench, shop, told_by

SEARCH = "/product/202309/inventory/search"
MAIN, SIDE = "6950000000000000001", "6950000000000000002"


def stocked(units: dict[str, int] | None = None, **flags: Any) -> tuple[Bench, str]:
    """A bench with mugs in stock, and the id of their SKU."""
    b = bench()
    for name, value in flags.items():
        setattr(b.shop, name, value)
    return b, b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", units or {MAIN: 10})


def row(b: Bench, sku_id: str) -> Any:
    return b.client.post(SEARCH, {"sku_ids": [sku_id]}).data["inventory"][0]["skus"][0]


def update(b: Bench, sku_id: str, *inventory: dict[str, Any], product: str = "") -> Any:
    path = f"/product/202309/products/{product or sku_id[:-1] + '1'}/inventory/update"
    return b.client.post(path, {"skus": [{"id": sku_id, "inventory": list(inventory)}]})


def numbers(b: Bench, sku_id: str) -> tuple[int, int]:
    told = row(b, sku_id)
    return told["total_available_quantity"], told["total_committed_quantity"]


def test_an_order_takes_units_and_gives_them_back_or_carries_them_away() -> None:
    b, sku_id = stocked()
    b.sandbox.take_webhooks()
    kept, gone = (b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 3}) for _ in range(2))
    assert numbers(b, sku_id) == (4, 6)
    hooks = [(hook["type"], hook["data"]) for hook in told_by(b.sandbox)]
    assert [number for number, _ in hooks] == [1, 71, 1, 71, 27]
    assert hooks[4][1]["current_inventory_status"] == "LOW_STOCK"
    change = hooks[1][1]["change_detail"][0]
    assert change["trigger_source"] == "ORDER_CREATED"
    assert (change["available_quantity_delta"], change["committed_quantity_delta"]) == (-3, 3)
    assert hooks[1][1]["sku_id"] == int(sku_id)
    b.sandbox.cancel(gone, "no longer needed", "BUYER")
    assert numbers(b, sku_id) == (7, 3)
    assert [hook["type"] for hook in told_by(b.sandbox)] == [71, 27, 1, 11]
    b.client.ship(kept)
    assert numbers(b, sku_id) == (7, 0)
    first = told_by(b.sandbox)[0]["data"]["change_detail"][0]
    assert (first["trigger_source"], first["total_quantity_delta"]) == ("ORDER_SHIPPED", -1)


def test_a_sku_without_stock_is_sold_in_silence() -> None:
    b = bench()
    b.sandbox.add_order(b.shop.shop_id)
    assert [hook["type"] for hook in told_by(b.sandbox)] == [1]
    assert b.client.post(SEARCH, {"sku_ids": ["1729000000000000002"]}).data == {"inventory": []}


def test_stock_is_set_to_a_number_and_not_by_one() -> None:
    b, sku_id = stocked()
    b.sandbox.take_webhooks()
    for _ in range(2):
        assert update(b, sku_id, {"warehouse_id": MAIN, "quantity": 6}).data == {"errors": []}
    assert numbers(b, sku_id) == (6, 0)
    assert [(e.call, e.detail) for e in b.sandbox.effects] == [
        ("update_inventory", f"{sku_id} {MAIN}=6")
    ] * 2
    assert [hook["type"] for hook in told_by(b.sandbox)] == [71]
    assert update(b, sku_id, {"quantity": 7}).data == {"errors": []}
    assert row(b, sku_id)["warehouse_inventory"] == [
        {"warehouse_id": MAIN, "available_quantity": 7, "committed_quantity": 0}
    ]


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        (0, wire.BAD_QUANTITY),
        (1, 0),
        (99_999, 0),
        (100_000, wire.BAD_QUANTITY),
        (-1, wire.BAD_QUANTITY),
    ],
)
def test_a_quantity_has_bounds(quantity: int, code: int) -> None:
    b, sku_id = stocked()
    answer = update(b, sku_id, {"warehouse_id": MAIN, "quantity": quantity})
    errors = answer.data["errors"]
    assert answer.code == 0
    assert [error["code"] for error in errors] == ([code] if code else [])
    assert len(b.sandbox.effects) == (code == 0)
    if code:
        assert errors[0]["detail"]["extra_errors"][0]["warehouse_id"] == MAIN


@pytest.mark.parametrize(
    "inventory",
    [
        [{"warehouse_id": MAIN, "quantity": 5}],
        [{"quantity": 5}],
        [{"warehouse_id": MAIN, "quantity": 5}, {"warehouse_id": MAIN, "quantity": 5}],
        [{"warehouse_id": MAIN, "quantity": 5}, {"warehouse_id": "1", "quantity": 5}],
        [
            {"warehouse_id": MAIN, "quantity": 5, "backorder_quantity": 1},
            {"warehouse_id": SIDE, "quantity": 5},
        ],
        [],
    ],
)
def test_every_warehouse_of_a_sku_is_listed_once(inventory: list[dict[str, Any]]) -> None:
    b, sku_id = stocked({MAIN: 3, SIDE: 4})
    (error,) = update(b, sku_id, *inventory).data["errors"]
    assert error["code"] == wire.BAD_PARAMETER
    assert error["detail"]["sku_id"] == sku_id
    assert numbers(b, sku_id) == (7, 0)
    whole = [{"warehouse_id": each, "quantity": 9} for each in (MAIN, SIDE)]
    assert update(b, sku_id, *whole).data == {"errors": []}
    assert numbers(b, sku_id) == (18, 0)


def test_skus_fail_one_by_one() -> None:
    b, sku_id = stocked()
    tea = b.sandbox.set_stock(b.shop.shop_id, "TEA-GREEN", {MAIN: 1})
    (error,) = update(b, tea, {"quantity": 5}, product=f"{sku_id[:-1]}1").data["errors"]
    assert error["detail"]["sku_id"] == tea
    (error,) = update(b, "1729000009000000002", {"quantity": 5}).data["errors"]
    assert error["code"] == wire.BAD_PARAMETER


def test_stock_that_is_divided_by_itself_is_not_set() -> None:
    b, sku_id = stocked(allocates_stock=True)
    assert update(b, sku_id, {"quantity": 5}).code == wire.AUTOMATIC_STOCK
    assert b.sandbox.effects == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, wire.BAD_PARAMETER),
        ({"sku_ids": []}, wire.BAD_PARAMETER),
        ({"sku_ids": ["1"] * 600}, 0),
        ({"sku_ids": ["1"] * 601}, wire.BAD_PARAMETER),
        ({"product_ids": ["1"] * 100}, 0),
        ({"product_ids": ["1"] * 101}, wire.BAD_PARAMETER),
        ({"sku_ids": [1]}, wire.BAD_PARAMETER),
    ],
)
def test_a_search_has_bounds(body: Any, code: int) -> None:
    b, _ = stocked()
    assert b.client.post(SEARCH, body).code == code


def test_stock_is_found_by_product_and_only_the_shops_own() -> None:
    other = shop("MY", 2)
    b, sku_id = stocked()
    b.sandbox.add_shop(other)
    b.sandbox.set_stock(other.shop_id, "MUG-BLUE", {SIDE: 99})
    product_id = f"{sku_id[:-1]}1"
    (found,) = b.client.post(SEARCH, {"product_ids": [product_id]}).data["inventory"]
    assert found["product_id"] == product_id
    assert found["skus"][0]["total_available_quantity"] == 10
    wins = b.client.post(SEARCH, {"product_ids": [product_id], "sku_ids": ["1"]})
    assert wins.data == {"inventory": []}


def test_more_is_not_sold_than_there_is_and_the_end_is_told() -> None:
    b, sku_id = stocked({MAIN: 2})
    b.sandbox.take_webhooks()
    b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 3})
    assert numbers(b, sku_id) == (0, 3)
    hook = told_by(b.sandbox)[-1]
    assert (hook["type"], hook["data"]["current_inventory_status"]) == (27, "OUT_OF_STOCK")


@pytest.mark.parametrize("units", [{}, {MAIN: -1}])
def test_stock_of_a_story_is_a_number_somewhere(units: dict[str, int]) -> None:
    b = bench()
    with pytest.raises(StoryError):
        b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", units)


def test_stock_set_from_outside_is_told_too() -> None:
    b, sku_id = stocked()
    b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", {MAIN: 3})
    hooks = told_by(b.sandbox)
    assert [hook["type"] for hook in hooks] == [71, 27]
    assert hooks[0]["data"]["change_detail"][0]["trigger_source"] == "SELLER_CENTER_UPDATE"
    assert numbers(b, sku_id) == (3, 0)


@pytest.mark.parametrize(("many", "code"), [(0, 1), (600, 0), (601, 1)])
def test_an_update_names_each_sku_once_and_not_too_many(many: int, code: int) -> None:
    b, sku_id = stocked()
    path = f"/product/202309/products/{sku_id[:-1]}1/inventory/update"
    skus = [{"id": str(number), "inventory": [{"quantity": 1}]} for number in range(many)]
    expected = wire.BAD_PARAMETER if code else 0
    assert b.client.post(path, {"skus": skus}).code == expected
    twice = [{"id": sku_id, "inventory": [{"quantity": 1}]}] * 2
    assert b.client.post(path, {"skus": twice}).code == wire.BAD_PARAMETER
