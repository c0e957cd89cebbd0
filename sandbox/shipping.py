"""The two ship calls, with every refusal they can answer.

Partner Center: "Ship Package" and "Mark Package As Shipped" (both bodies), with their error
tables. Nothing is deduplicated: there is no idempotency key on these calls, a repeat is judged
like any other request. Which of two refusals comes first is not published; it is where, then mode,
then status, then the after-sale request, then the tracking number here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox import life, orders, wire
from sandbox.gate import Asked
from sandbox.markets import IGNORES_HANDOVER, MARK_AS_SHIPPED, SELLER, SHIP_PACKAGE, TIKTOK
from sandbox.orders import Line, Order, Package
from sandbox.reading import own_package
from sandbox.shape import Shape, check
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import Effect, Provider, World

HOUR = 3_600
DAY = 24 * HOUR

_NUMBER = re.compile(r"[A-Za-z0-9._/-]{4,50}")

_SELF_SHIPMENT: Shape = {"tracking_number!": str, "shipping_provider_id!": str}
SHIP_BODY: Shape = {
    "handover_method": ("PICKUP", "DROP_OFF"),
    "pickup_slot": {"start_time!": int, "end_time!": int},
    "self_shipment": _SELF_SHIPMENT,
}
MARK_BODY_202610: Shape = {
    "order_line_list!": [{"order_line_id!": str, "sub_item_id": str}],
    "shipping_info_list!": [
        {"tracking_number!": str, "shipping_provider_id!": str, "note": str},
    ],
}
MARK_BODY_202309: Shape = {
    "order_line_item_ids!": [str],
    "tracking_number!": str,
    "shipping_provider_id!": str,
}

# Refusals by the order's status. No page gives the code for an unpaid order.
_STATUS_REFUSES: Mapping[str, int] = {
    orders.UNPAID: wire.STATUS_FORBIDS,
    orders.ON_HOLD: wire.ORDER_ON_HOLD,
    orders.CANCELLED: wire.ORDER_CANCELLED,
    orders.DELIVERED: wire.ALREADY_DELIVERED,
    orders.COMPLETED: wire.ALREADY_DELIVERED,
}


def _check_call(order: Order, available: Mapping[str, frozenset[str]]) -> None:
    takes = available.get(order.market, frozenset())
    if not takes:
        raise Refusal(wire.WRONG_REGION)
    if order.fulfillment_type != orders.BY_SELLER or order.shipping_type not in (SELLER, TIKTOK):
        raise Refusal(wire.WRONG_MODE)
    if order.shipping_type not in takes:
        # Seller shipping has the other call here; TikTok shipping fits neither by its mode.
        seller = order.shipping_type == SELLER
        raise Refusal(wire.WRONG_REGION if seller else wire.WRONG_MODE)


def _check_status(world: World, order: Order, lines: list[Line]) -> None:
    if order.status in _STATUS_REFUSES:
        raise Refusal(_STATUS_REFUSES[order.status])
    if any(line.status != orders.AWAITING_SHIPMENT for line in lines):
        raise Refusal(wire.ALREADY_SHIPPED)
    # In the US shipping answers a buyer's open cancel request with no: see `_ship`.
    if order.market != "US" and life.open_case(world, order):
        raise Refusal(wire.REQUEST_PENDING)
    if life.open_case(world, order, "return"):
        raise Refusal(wire.REQUEST_PENDING)


def _tracking(world: World, told: Mapping[str, Any]) -> tuple[str, Provider]:
    number, provider_id = str(told["tracking_number"]), told["shipping_provider_id"]
    if not _NUMBER.fullmatch(number):
        raise Refusal(wire.BAD_TRACKING, "tracking_number must be 4-50 letters, digits or -_./")
    for provider in world.providers:
        if provider.provider_id == provider_id:
            break
    else:
        raise Refusal(wire.BAD_TRACKING, "shipping_provider_id is not known")
    if number.upper() in world.numbers:
        raise Refusal(wire.DUPLICATE_TRACKING)
    return number, provider


def _ship(world: World, package: Package, call: str) -> None:
    at = world.clock
    for order_id in package.order_ids:
        if life.open_case(world, world.orders[order_id]):
            life.close_request(world, world.orders[order_id], at)
    world.numbers[package.tracking_number.upper()] = package.package_id
    life.move(world, package, orders.AWAITING_COLLECTION, at)
    world.effects.append(
        Effect(
            call,
            package.shop_id,
            ",".join(package.order_ids),
            package.package_id,
            package.tracking_number,
            world.real_now(),
            at,
        )
    )


def ship_package(world: World, asked: Asked) -> dict[str, object]:
    """Ship Package: `self_shipment` for a seller's carrier, `handover_method` for TikTok's."""
    package = own_package(world, asked)
    of = [world.orders[order_id] for order_id in package.order_ids]
    for order in of:
        _check_call(order, SHIP_PACKAGE)
    seller_ships = of[0].shipping_type == SELLER
    _check_mode(asked.body, of[0], seller_ships)
    inside = set(package.line_ids)
    for order in of:
        _check_status(world, order, [x for x in order.lines if x.line_id in inside])
    if seller_ships:
        told = asked.body["self_shipment"]
        number, provider = _tracking(world, told)
        package.tracking_number = number
        package.provider_id, package.provider_name = provider.provider_id, provider.name
    else:
        label(world, package, str(asked.body.get("handover_method", "DROP_OFF")))
        _choose_slot(world, package, asked.body.get("pickup_slot"))
    _ship(world, package, "ship_package")
    return {}


def label(world: World, package: Package, method: str) -> None:
    """The marketplace's own label, and how its carrier gets the parcel.

    Where it comes for it and no slot was chosen, it takes the first one.
    """
    package.tracking_number = f"SBX{world.count('label'):012d}"
    package.provider_name = "Synthetic Post"
    package.handover_method = method
    package.pickup_slot = next(slots(world.clock)) if method == "PICKUP" else None


def slots(clock: int) -> Iterator[tuple[int, int]]:
    """When the marketplace's carrier comes: two hours from 02:00 UTC on each of the next days."""
    tomorrow = clock - clock % DAY + DAY
    return ((day + 2 * HOUR, day + 4 * HOUR) for day in range(tomorrow, tomorrow + 3 * DAY, DAY))


def _choose_slot(world: World, package: Package, wish: Mapping[str, int] | None) -> None:
    if wish is None:
        return
    chosen = wish.get("start_time", 0), wish.get("end_time", 0)
    if chosen not in slots(world.clock):
        raise Refusal(wire.OUTSIDE_SLOT)
    package.pickup_slot = chosen


def handover_time_slots(world: World, asked: Asked) -> dict[str, object]:
    """Get Package Handover Time Slots: of what the marketplace's own carrier takes."""
    package = own_package(world, asked)
    order = world.orders[package.order_ids[0]]
    if order.shipping_type != TIKTOK or order.fulfillment_type != orders.BY_SELLER:
        raise Refusal(wire.WRONG_MODE)
    listed = [
        {"start_time": begins, "end_time": ends, "avaliable": True}  # spelt so on the wire
        for begins, ends in slots(world.clock)
    ]
    return {
        "can_pickup": True,
        "can_drop_off": True,
        "drop_off_point_url": "https://dropoff.example",
        "pickup_slots": listed,
    }


def _check_mode(body: Mapping[str, Any], order: Order, seller_ships: bool) -> None:
    foreign = ("handover_method", "pickup_slot") if seller_ships else ("self_shipment",)
    if any(name in body for name in foreign):
        raise Refusal(wire.WRONG_MODE)
    if seller_ships:
        check(body, {"self_shipment!": object})
    elif "handover_method" not in body and order.market not in IGNORES_HANDOVER:
        raise Refusal(BAD_PARAMETER, "param body.handover_method is missing")
    if "pickup_slot" in body and body.get("handover_method") != "PICKUP":
        raise Refusal(BAD_PARAMETER, "pickup_slot goes with handover_method PICKUP")


def mark_202610(world: World, asked: Asked) -> dict[str, object]:
    """Mark Package As Shipped, body of 202610: one number; more need an allow-listed seller."""
    listed, infos = asked.body["order_line_list"], asked.body["shipping_info_list"]
    if len(infos) != 1:
        raise Refusal(BAD_PARAMETER, "shipping_info_list must hold exactly one entry")
    if any("sub_item_id" in each for each in listed):
        raise Refusal(BAD_PARAMETER, "sub_item_id names no item of a bundle")
    return _mark(world, asked, [each["order_line_id"] for each in listed], infos[0])


def mark_202309(world: World, asked: Asked) -> dict[str, object]:
    """Mark Package As Shipped, body of 202309."""
    return _mark(world, asked, asked.body["order_line_item_ids"], asked.body)


def _mark(
    world: World, asked: Asked, line_ids: list[str], told: Mapping[str, Any]
) -> dict[str, object]:
    order = world.orders.get(asked.parts[0])
    if order is None or order.shop_id != asked.shop.shop_id:
        raise Refusal(wire.NOT_OF_THIS_SHOP)
    _check_call(order, MARK_AS_SHIPPED)
    lines = _lines(order, line_ids)
    _check_status(world, order, lines)
    number, provider = _tracking(world, told)
    package = _package(world, order, lines)
    package.tracking_number = number
    package.provider_id, package.provider_name = provider.provider_id, provider.name
    _ship(world, package, "mark_package_as_shipped")
    return {
        "order_id": order.order_id,
        "order_line_item_ids": list(package.line_ids),
        "package_id": package.package_id,
    }


def _lines(order: Order, line_ids: list[str]) -> list[Line]:
    if not line_ids:
        raise Refusal(BAD_PARAMETER, "no order line is named")
    if len(set(line_ids)) != len(line_ids):
        raise Refusal(BAD_PARAMETER, "an order line is named twice")
    lines = {line.line_id: line for line in order.lines}
    for line_id in line_ids:
        if line_id not in lines:
            raise Refusal(BAD_PARAMETER, f"order line {line_id} is not in this order")
    return [lines[line_id] for line_id in line_ids]


def _package(world: World, order: Order, lines: list[Line]) -> Package:
    """The package a split has made of exactly these lines, else a new one."""
    split = {line.package_id for line in lines if line.package_id}
    if not split:
        return life.new_package(world, [order], lines, world.clock)
    package = world.packages[split.pop()]
    if split or set(package.line_ids) != {line.line_id for line in lines}:
        raise Refusal(BAD_PARAMETER, "the order lines are not those of one package")
    return package
