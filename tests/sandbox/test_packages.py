"""Orders in several packages, and packages of several orders."""

from __future__ import annotations

from sandbox import wire
from tests.sandbox.bench import bench, told_by, tracking


def test_combined_orders_share_one_parcel_and_one_number() -> None:
    b = bench()
    ids = [b.sandbox.add_order(b.shop.shop_id) for _ in range(2)]
    b.sandbox.take_webhooks()
    package_id = b.sandbox.combine(ids)
    assert told_by(b.sandbox)[0]["data"]["package_list"][0]["order_id_list"] == ids
    assert b.client.ship(ids[0]).code == 0
    assert [order["status"] for order in b.client.read(*ids)] == ["AWAITING_COLLECTION"] * 2
    assert b.client.ship(ids[1]).code == wire.ALREADY_SHIPPED
    effect = b.sandbox.effects[0]
    assert (effect.order_id, effect.package_id) == (",".join(ids), package_id)


def test_an_order_shipped_in_parts_is_partially_shipping_in_between() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    first, second = (line["id"] for line in b.client.read(order_id)[0]["line_items"])
    assert b.client.mark(order_id, "SYN-TRK-1", lines=[first]).code == 0
    order = b.client.read(order_id)[0]
    assert order["status"] == "PARTIALLY_SHIPPING"
    assert "rts_time" not in order
    assert b.client.mark(order_id, "SYN-TRK-2").code == wire.ALREADY_SHIPPED
    assert b.client.mark(order_id, "SYN-TRK-2", lines=[second]).code == 0
    assert b.client.read(order_id)[0]["status"] == "AWAITING_COLLECTION"
    assert [e.tracking_number for e in b.sandbox.effects] == ["SYN-TRK-1", "SYN-TRK-2"]


def test_a_split_order_is_shipped_package_by_package() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 1, "TEA-GREEN": 1})
    before = b.client.package_of(order_id)
    lines = [line["id"] for line in b.client.read(order_id)[0]["line_items"]]
    b.sandbox.take_webhooks()
    made = b.sandbox.split(order_id, [lines[:1], lines[1:]])
    hook = told_by(b.sandbox)[0]
    assert (hook["type"], hook["data"]["sc_type"]) == (4, "SPLIT")
    assert before not in made
    order = b.client.read(order_id)[0]
    assert [package["id"] for package in order["packages"]] == made
    assert order["split_or_combine_tag"] == "SPLIT"
    for number, package_id in enumerate(made):
        path = f"/fulfillment/202309/packages/{package_id}/ship"
        assert b.client.post(path, {"self_shipment": tracking(f"SYN-TRK-{number}")}).code == 0
    assert b.client.read(order_id)[0]["status"] == "AWAITING_COLLECTION"


def test_cancelling_one_of_two_combined_orders_leaves_the_other_on_its_way() -> None:
    b = bench()
    ids = [b.sandbox.add_order(b.shop.shop_id) for _ in range(2)]
    b.sandbox.combine(ids)
    b.client.ship(ids[0])
    b.sandbox.cancel(ids[0], "changed my mind", "BUYER")
    b.sandbox.collect(ids[1])
    gone, left = b.client.read(*ids)
    assert (gone["status"], left["status"]) == ("CANCELLED", "IN_TRANSIT")
    assert gone["line_items"][0]["cancel_user"] == "BUYER"
    assert left["line_items"][0]["package_status"] == "FULFILLING"


def test_a_combined_parcel_with_a_cancelled_order_is_not_shipped() -> None:
    b = bench()
    ids = [b.sandbox.add_order(b.shop.shop_id) for _ in range(2)]
    b.sandbox.combine(ids)
    b.sandbox.cancel(ids[1], "changed my mind", "BUYER")
    assert b.client.ship(ids[0]).code == wire.ORDER_CANCELLED


def test_marking_uses_the_package_a_split_has_made_and_wants_it_whole() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 3})
    one, two, three = (line["id"] for line in b.client.read(order_id)[0]["line_items"])
    made = b.sandbox.split(order_id, [[one, two], [three]])
    assert b.client.mark(order_id, lines=[one]).code == wire.BAD_PARAMETER
    assert b.client.mark(order_id).code == wire.BAD_PARAMETER
    answer = b.client.mark(order_id, lines=[two, one])
    assert answer.data["package_id"] == made[0]
    assert b.client.read(order_id)[0]["status"] == "PARTIALLY_SHIPPING"


def test_how_a_parcel_is_handed_over_is_shown_on_it() -> None:
    b = bench("BR")
    order_id = b.sandbox.add_order(b.shop.shop_id, shipping_type="TIKTOK")
    path = f"/fulfillment/202309/packages/{b.client.package_of(order_id)}"
    b.client.post(f"{path}/ship", {"handover_method": "DROP_OFF"})
    assert b.client.get(path).data["handover_method"] == "DROP_OFF"


def test_a_parcel_with_a_cancelled_line_is_shipped_without_it() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 3})
    one, two, three = (line["id"] for line in b.client.read(order_id)[0]["line_items"])
    made = b.sandbox.split(order_id, [[one, two], [three]])
    body = {"order_id": order_id, "cancel_reason": "seller_cancel_reason_out_of_stock"}
    told = body | {"order_line_item_ids": [one]}
    assert b.client.post("/return_refund/202602/cancellations", told).code == 0
    assert b.client.mark(order_id, lines=[one, two]).code == wire.ORDER_CANCELLED
    answer = b.client.mark(order_id, lines=[two])
    assert answer.data["package_id"] == made[0]
    assert answer.data["order_line_item_ids"] == [two]
