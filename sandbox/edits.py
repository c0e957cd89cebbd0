"""Correcting a tracking number after shipping.

Partner Center: "Update Order Shipping Info", "Update Package Shipping Info", with their error
tables: shipped by the seller, within 72 hours of shipping, as often as `Settings.tracking_edits`
says (once, by the US seller pages). An order in several parcels is corrected parcel by parcel; the
code for asking otherwise is not published, it is 36009004 here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import life, orders, wire
from sandbox.gate import Asked
from sandbox.markets import SELLER
from sandbox.orders import Package
from sandbox.reading import own_order, own_package
from sandbox.shape import Shape
from sandbox.shipping import tracking
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World, record

WINDOW = 72 * 3600

ORDER_BODY: Shape = {"tracking_number!": str, "shipping_provider_id!": str}
PACKAGE_BODY: Shape = {
    "shipping_info_list!": [{"tracking_number!": str, "shipping_provider_id!": str, "note": str}]
}

_EDITABLE = frozenset({orders.AWAITING_COLLECTION, orders.IN_TRANSIT})


def update_order(world: World, asked: Asked) -> dict[str, object]:
    """Update Order Shipping Info, of an order in one parcel."""
    order = own_order(world, asked)
    if order.fulfillment_type != orders.BY_SELLER or order.shipping_type != SELLER:
        raise Refusal(wire.WRONG_MODE)
    if order.status not in _EDITABLE:
        raise Refusal(wire.STATUS_FORBIDS)
    parcels = life.packages_of(world, order)
    if len(parcels) != 1:
        raise Refusal(BAD_PARAMETER, "the order has several packages; update each of them")
    _edit(world, parcels[0], asked.body, "update_order_shipping_info")
    return {}


def update_package(world: World, asked: Asked) -> dict[str, object]:
    """Update Package Shipping Info, 202610: one number; more need an allow-listed seller."""
    package = own_package(world, asked)
    order = world.orders[package.order_ids[0]]
    if order.fulfillment_type != orders.BY_SELLER or order.shipping_type != SELLER:
        raise Refusal(wire.WRONG_MODE)
    if package.status not in _EDITABLE:
        raise Refusal(wire.STATUS_FORBIDS)
    infos = asked.body["shipping_info_list"]
    if len(infos) != 1:
        raise Refusal(BAD_PARAMETER, "shipping_info_list must hold exactly one entry")
    _edit(world, package, infos[0], "update_package_shipping_info")
    return {}


def _edit(world: World, package: Package, told: Mapping[str, Any], call: str) -> None:
    if world.clock > package.shipped_at + WINDOW:
        raise Refusal(wire.EDITED_TOO_LATE)
    if package.edits >= world.settings.tracking_edits:
        raise Refusal(wire.EDITED_TOO_OFTEN)
    number, provider = tracking(world, told, package)
    before = package.tracking_number
    package.tracking_number = number
    package.provider_id, package.provider_name = provider.provider_id, provider.name
    package.edits += 1
    package.update_time = world.clock
    # The old number stays taken: it has been a parcel's.
    world.numbers[number.upper()] = package.package_id
    record(
        world,
        call,
        package.shop_id,
        order_id=",".join(package.order_ids),
        package_id=package.package_id,
        tracking_number=number,
        detail=f"instead of {before}",
    )
