"""Splitting and combining through the API."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import StoryError, wire
from tests.sandbox.bench import Bench, bench, shop, told_by

COMBINE = "/fulfillment/202309/packages/combine"
CANDIDATES = "/fulfillment/202309/combinable_packages/search"
ATTRIBUTES = "/fulfillment/202309/orders/split_attributes"


def split(b: Bench, order_id: str, *groups: list[str], newer: bool = False) -> Any:
    path = f"/fulfillment/202309/orders/{order_id}/split"
    if newer:
        told: Any = [
            {"id": str(n), "order_line_list": [{"order_line_id": each} for each in ids]}
            for n, ids in enumerate(groups)
        ]
        return b.client.post(path, {"splittable_groups_v2": told})
    told = [{"id": str(n), "order_line_item_ids": ids} for n, ids in enumerate(groups)]
    return b.client.post(path, {"splittable_groups": told})


def two_skus(market: str) -> tuple[Bench, str, list[str]]:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2, "TEA-GREEN": 1})
    b.sandbox.take_webhooks()
    return b, order_id, [line["id"] for line in b.client.read(order_id)[0]["line_items"]]


@pytest.mark.parametrize("newer", [False, True])
def test_an_order_is_split_once(newer: bool) -> None:
    b, order_id, lines = two_skus("MY")
    answer = split(b, order_id, lines[:2], lines[2:], newer=newer)
    made = [row["id"] for row in answer.data["packages"]]
    assert [row["splittable_group_id"] for row in answer.data["packages"]] == ["0", "1"]
    assert [row["id"] for row in b.client.read(order_id)[0]["packages"]] == made
    (effect,) = b.sandbox.effects
    assert (effect.call, effect.order_id, effect.detail) == ("split", order_id, ",".join(made))
    assert told_by(b.sandbox)[0]["data"]["sc_type"] == "SPLIT"


@pytest.mark.parametrize(("market", "code"), [("MY", wire.BAD_PARAMETER), ("US", 0)])
def test_units_of_a_sku_are_parted_in_some_markets_only(market: str, code: int) -> None:
    b, order_id, lines = two_skus(market)
    assert split(b, order_id, lines[:1], lines[1:]).code == code


@pytest.mark.parametrize(
    "groups", [[[0, 1, 2]], [[0, 1]], [[0, 1], [2], [2]], [[0, 1, 2], []], [[0, 1], [9]]]
)
def test_a_split_names_each_line_once(groups: list[list[int]]) -> None:
    b, order_id, lines = two_skus("MY")
    told = [[lines[at] if at < 9 else "577" for at in group] for group in groups]
    assert split(b, order_id, *told).code == wire.BAD_PARAMETER
    assert b.sandbox.effects == []


def test_what_can_be_split_is_told() -> None:
    b, order_id, lines = two_skus("MY")
    one = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    sent = b.sandbox.add_order(b.shop.shop_id)
    b.client.ship(sent)
    told = b.client.get(ATTRIBUTES, order_ids=",".join([order_id, one, sent, "576"]))
    rows = told.data["split_attributes"]
    assert [row["can_split"] for row in rows] == [True, False, False]
    assert rows[1]["reason"] == "there is nothing to part"
    assert split(b, sent, lines[:1], lines[1:]).code == wire.BAD_PARAMETER


def test_a_split_takes_one_list() -> None:
    b, order_id, _ = two_skus("MY")
    path = f"/fulfillment/202309/orders/{order_id}/split"
    assert b.client.post(path, {"splittable_groups": []}).code == wire.BAD_PARAMETER
    twice = [{"id": "1", "order_line_item_ids": ["577"]}] * 2
    assert b.client.post(path, {"splittable_groups": twice}).code == wire.BAD_PARAMETER


def pair(market: str = "TH", **second: Any) -> tuple[Bench, list[str], list[str]]:
    """Two orders that wait, and their packages."""
    b = bench(market)
    ids = [b.sandbox.add_order(b.shop.shop_id), b.sandbox.add_order(b.shop.shop_id, **second)]
    b.sandbox.take_webhooks()
    return b, ids, [b.client.package_of(order_id) for order_id in ids]


def test_two_packages_become_one_and_two_again() -> None:
    b, ids, packages = pair()
    candidates = b.client.get(CANDIDATES, page_size=20).data["combinable_packages"]
    assert sorted(row["id"] for row in candidates) == sorted(packages)
    body = {"combinable_packages": [{"id": each} for each in packages]}
    (made,) = b.client.post(COMBINE, body).data["packages"]
    assert made["order_ids"] == ids
    path = f"/fulfillment/202309/packages/{made['id']}/uncombine"
    assert len(b.client.post(path, {"order_ids": ids[:1]}).data["packages"]) == 2
    assert b.client.package_of(ids[0]) != b.client.package_of(ids[1])
    assert [hook["data"]["sc_type"] for hook in told_by(b.sandbox)] == ["COMBINE", "CANCEL_COMBINE"]
    assert [effect.call for effect in b.sandbox.effects] == ["combine", "uncombine"]
    assert b.client.post(path).code == wire.NOT_OF_THIS_SHOP


def test_one_of_three_leaves_and_two_stay_together() -> None:
    b, ids, packages = pair()
    ids.append(b.sandbox.add_order(b.shop.shop_id))
    packages.append(b.client.package_of(ids[2]))
    body = {"combinable_packages": [{"id": each} for each in packages]}
    (made,) = b.client.post(COMBINE, body).data["packages"]
    path = f"/fulfillment/202309/packages/{made['id']}/uncombine"
    left = b.client.post(path, {"order_ids": ids[2:]}).data["packages"]
    assert [row["order_ids"] for row in left] == [ids[2:], ids[:2]]


@pytest.mark.parametrize(
    "second",
    [{"user_id": "7020000000000000002"}, {"warehouse_id": "69"}, {"shipping_type": "TIKTOK"}],
)
def test_only_what_is_alike_is_combined(second: dict[str, str]) -> None:
    b, _, packages = pair(**second)
    body = {"combinable_packages": [{"id": each} for each in packages]}
    assert b.client.post(COMBINE, body).code == wire.BAD_PARAMETER
    assert b.client.get(CANDIDATES, page_size=20).data["combinable_packages"] == []
    alone = {"combinable_packages": [{"id": packages[0]}] * 2}
    assert b.client.post(COMBINE, alone).code == wire.BAD_PARAMETER
    foreign = {"combinable_packages": [{"id": "115"}]}
    assert b.client.post(COMBINE, foreign).code == wire.NOT_OF_THIS_SHOP


def test_packages_combine_in_sea_and_latam_and_before_shipping() -> None:
    b = bench("US")
    assert b.client.post(COMBINE, {"combinable_packages": []}).code == wire.WRONG_REGION
    assert b.client.get(CANDIDATES, page_size=20).code == wire.WRONG_REGION
    b, ids, packages = pair()
    (made,) = b.client.post(
        COMBINE, {"combinable_packages": [{"id": each} for each in packages]}
    ).data["packages"]
    assert b.client.ship(ids[0]).code == 0
    path = f"/fulfillment/202309/packages/{made['id']}/uncombine"
    assert b.client.post(path).code == wire.ALREADY_SHIPPED


def test_an_order_whose_buyer_wants_to_cancel_is_not_combined() -> None:
    b, ids, packages = pair()
    b.sandbox.request_cancel(ids[0])
    body = {"combinable_packages": [{"id": each} for each in packages]}
    assert b.client.post(COMBINE, body).code == wire.BAD_PARAMETER


def test_attributes_are_told_for_fifty_own_orders() -> None:
    other = shop("TH", 2)
    b, ids, packages = pair()
    b.sandbox.add_shop(other)
    foreign = b.sandbox.add_order(other.shop_id)
    b.client.post(COMBINE, {"combinable_packages": [{"id": each} for each in packages]})
    (row,) = b.client.get(ATTRIBUTES, order_ids=f"{ids[0]},{foreign}").data["split_attributes"]
    assert row["reason"] == "the order is combined with another"
    for many, code in ((50, 0), (51, wire.BAD_PARAMETER)):
        told = ",".join(str(number) for number in range(many))
        assert b.client.get(ATTRIBUTES, order_ids=told).code == code


def test_parts_of_bundles_are_not_split() -> None:
    b, order_id, lines = two_skus("US")
    group = [{"order_line_id": lines[0], "sub_item_id": "1"}]
    told = [{"id": "1", "order_line_list": group}]
    path = f"/fulfillment/202309/orders/{order_id}/split"
    assert b.client.post(path, {"splittable_groups_v2": told}).code == wire.BAD_PARAMETER


def test_orders_are_combined_and_parted_out_of_their_own_packages() -> None:
    b, ids, packages = pair()
    odd = {"combinable_packages": [{"id": packages[0], "order_ids": ids[1:]}]}
    assert b.client.post(COMBINE, odd).code == wire.BAD_PARAMETER
    path = f"/fulfillment/202309/packages/{packages[0]}/uncombine"
    assert b.client.post(path).code == wire.BAD_PARAMETER


def test_a_story_combines_in_sea_and_latam_only() -> None:
    b = bench("US")
    ids = [b.sandbox.add_order(b.shop.shop_id) for _ in range(2)]
    with pytest.raises(StoryError, match="do not combine in US"):
        b.sandbox.combine(ids)
