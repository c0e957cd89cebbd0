"""How a parcel of Ship by TikTok is handed over, and shipping outside the app."""

from __future__ import annotations

import pytest

from sandbox import wire
from sandbox.wire import StoryError
from tests.sandbox.bench import START, bench, told_by

SLOTS = "/fulfillment/202309/packages/{}/handover_time_slots"


def test_the_slots_of_a_package_that_tiktok_ships_lie_ahead_and_can_be_chosen() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    package_id = b.client.package_of(order_id)
    told = b.client.get(SLOTS.format(package_id)).data
    assert (told["can_pickup"], told["can_drop_off"]) == (True, True)
    slots = told["pickup_slots"]
    assert all(START < slot["start_time"] < slot["end_time"] for slot in slots)
    chosen = {name: slots[1][name] for name in ("start_time", "end_time")}
    path = f"/fulfillment/202309/packages/{package_id}"
    wrong = {**chosen, "start_time": chosen["start_time"] + 1}
    refused = b.client.post(f"{path}/ship", {"handover_method": "PICKUP", "pickup_slot": wrong})
    assert refused.code == wire.OUTSIDE_SLOT
    assert (
        b.client.post(f"{path}/ship", {"handover_method": "PICKUP", "pickup_slot": chosen}).code
        == 0
    )
    shown = b.client.get(path).data
    assert shown["pickup_slot"] == chosen
    assert shown["handover_method"] == "PICKUP"


def test_a_sellers_own_carrier_has_no_slots() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.get(SLOTS.format(b.client.package_of(order_id))).code == wire.WRONG_MODE


def test_a_parcel_to_be_fetched_is_fetched_in_the_first_slot_and_a_dropped_one_in_none() -> None:
    b = bench()
    fetched, dropped = (b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK") for _ in "12")
    first = b.client.get(SLOTS.format(b.client.package_of(fetched))).data["pickup_slots"][0]
    b.sandbox.arrange(fetched)
    b.sandbox.arrange(dropped, handover_method="DROP_OFF")
    shown = b.client.get(f"/fulfillment/202309/packages/{b.client.package_of(fetched)}").data
    assert shown["pickup_slot"]["start_time"] == first["start_time"]
    other = b.client.get(f"/fulfillment/202309/packages/{b.client.package_of(dropped)}").data
    assert "pickup_slot" not in other


def test_what_is_shipped_in_seller_center_is_told_and_is_no_effect_of_the_app() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.take_webhooks()
    b.sandbox.arrange(order_id, tracking_number="SYN-TRK-9", provider="Synthetic Express")
    assert told_by(b.sandbox)[0]["data"]["order_status"] == "AWAITING_COLLECTION"
    (line,) = b.client.read(order_id)[0]["line_items"]
    assert (line["tracking_number"], line["shipping_provider_name"]) == (
        "SYN-TRK-9",
        "Synthetic Express",
    )
    assert b.sandbox.effects == []


@pytest.mark.parametrize(
    ("number", "provider"), [("", "Synthetic Express"), ("SYN-TRK-1", "Nobody Logistics")]
)
def test_shipping_in_seller_center_takes_a_number_and_a_provider(
    number: str, provider: str
) -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    with pytest.raises(StoryError):
        b.sandbox.arrange(order_id, tracking_number=number, provider=provider)
