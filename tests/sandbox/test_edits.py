"""Correcting a tracking number after shipping: when, how often, and to what."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import wire
from sandbox.world import Settings
from tests.sandbox.bench import START, Bench, bench, tracking

ORDER = "/fulfillment/202309/orders/{}/shipping_info/update"
PACKAGE = "/fulfillment/202610/packages/{}/shipping_info/update"
HOURS_72 = 72 * 3600
OTHER = "6610000000000000002"


def shipped(market: str = "US", **options: Any) -> tuple[Bench, str]:
    b = bench(market, **options)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    answer = b.client.mark(order_id) if market == "US" else b.client.ship(order_id)
    assert answer.code == 0
    return b, order_id


def update(b: Bench, order_id: str, way: str, told: Any) -> Any:
    if way == "order":
        return b.client.post(ORDER.format(order_id), told)
    body = {"shipping_info_list": [told]}
    return b.client.post(PACKAGE.format(b.client.package_of(order_id)), body)


@pytest.mark.parametrize("market", ["US", "MY"])
@pytest.mark.parametrize("way", ["order", "package"])
def test_a_number_is_corrected_once(way: str, market: str) -> None:
    b, order_id = shipped(market)
    assert update(b, order_id, way, tracking("SYN-TRK-9", OTHER)).code == 0
    order = b.client.read(order_id)[0]
    assert order["tracking_number"] == "SYN-TRK-9"
    assert (order["shipping_provider"], order["status"]) == (
        "Synthetic Post",
        "AWAITING_COLLECTION",
    )
    effect = b.sandbox.effects[-1]
    assert len(b.sandbox.effects) == 2
    assert effect.call == f"update_{way}_shipping_info"
    assert (effect.tracking_number, effect.detail) == ("SYN-TRK-9", "instead of SYN-TRK-000001")
    assert update(b, order_id, way, tracking("SYN-TRK-10")).code == wire.EDITED_TOO_OFTEN
    assert len(b.sandbox.effects) == 2


def test_how_often_is_a_setting() -> None:
    b, order_id = shipped(settings=Settings(tracking_edits=2))
    codes = [update(b, order_id, "order", tracking(f"SYN-TRK-{n}")).code for n in range(3)]
    assert codes == [0, 0, wire.EDITED_TOO_OFTEN]


@pytest.mark.parametrize(("late", "code"), [(-1, 0), (0, 0), (1, wire.EDITED_TOO_LATE)])
def test_the_window_is_seventy_two_hours_from_shipping(late: int, code: int) -> None:
    b, order_id = shipped()
    b.sandbox.advance(START + HOURS_72 + late)
    assert update(b, order_id, "order", tracking("SYN-TRK-9")).code == code


@pytest.mark.parametrize("way", ["order", "package"])
@pytest.mark.parametrize(
    ("told", "code"),
    [
        (tracking("abc"), wire.BAD_TRACKING),
        (tracking("abcd"), 0),
        (tracking("x" * 50), 0),
        (tracking("x" * 51), wire.BAD_TRACKING),
        (tracking("SYN TRK 1"), wire.BAD_TRACKING),
        (tracking("SYN-TRK-9", "J&T"), wire.BAD_TRACKING),
        (tracking("SYN-TRK-000001"), wire.DUPLICATE_TRACKING),
        (tracking("SYN-TRK-000001", OTHER), 0),
        (tracking("syn-trk-taken"), wire.DUPLICATE_TRACKING),
        ({"tracking_number": "SYN-TRK-9"}, wire.BAD_PARAMETER),
    ],
)
def test_a_correction_keeps_the_rules_of_numbers(way: str, told: Any, code: int) -> None:
    b, order_id = shipped()
    b.client.mark(b.sandbox.add_order(b.shop.shop_id), "SYN-TRK-TAKEN")
    assert update(b, order_id, way, told).code == code


@pytest.mark.parametrize("way", ["order", "package"])
@pytest.mark.parametrize(
    ("status", "code"),
    [("IN_TRANSIT", 0), ("DELIVERED", wire.STATUS_FORBIDS), ("COMPLETED", wire.STATUS_FORBIDS)],
)
def test_what_has_arrived_is_not_corrected(way: str, status: str, code: int) -> None:
    b, order_id = shipped()
    steps = [b.sandbox.collect, b.sandbox.deliver, b.sandbox.complete]
    for step in steps[: ["IN_TRANSIT", "DELIVERED", "COMPLETED"].index(status) + 1]:
        step(order_id)
    assert update(b, order_id, way, tracking("SYN-TRK-9")).code == code


@pytest.mark.parametrize("status", ["UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"])
def test_what_is_not_shipped_is_not_corrected(status: str) -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, status=status)
    assert update(b, order_id, "order", tracking("SYN-TRK-9")).code == wire.STATUS_FORBIDS


def test_what_tiktok_ships_is_not_corrected() -> None:
    b = bench("TH")
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    b.client.post(f"/fulfillment/202309/packages/{b.client.package_of(order_id)}/ship")
    for way in ("order", "package"):
        assert update(b, order_id, way, tracking("SYN-TRK-9")).code == wire.WRONG_MODE


def test_an_order_in_two_parcels_is_corrected_parcel_by_parcel() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    for number, line in enumerate(b.client.read(order_id)[0]["line_items"]):
        b.client.mark(order_id, f"SYN-TRK-{number}", lines=[line["id"]])
    assert update(b, order_id, "order", tracking("SYN-TRK-9")).code == wire.BAD_PARAMETER
    assert update(b, order_id, "package", tracking("SYN-TRK-9")).code == 0
    numbers = [line["tracking_number"] for line in b.client.read(order_id)[0]["line_items"]]
    assert numbers == ["SYN-TRK-9", "SYN-TRK-1"]


@pytest.mark.parametrize("infos", [[], [tracking("SYN-1111"), tracking("SYN-2222")]])
def test_a_parcel_gets_exactly_one_number(infos: list[Any]) -> None:
    b, order_id = shipped()
    path = PACKAGE.format(b.client.package_of(order_id))
    assert b.client.post(path, {"shipping_info_list": infos}).code == wire.BAD_PARAMETER


def test_orders_and_parcels_of_nobody_are_not_corrected() -> None:
    b = bench("US")
    told = tracking("SYN-TRK-9")
    assert b.client.post(ORDER.format("576"), told).code == wire.NOT_OF_THIS_SHOP
    body = {"shipping_info_list": [told]}
    assert b.client.post(PACKAGE.format("115"), body).code == wire.NOT_OF_THIS_SHOP
