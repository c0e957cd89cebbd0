"""The ship calls, with every refusal they can answer.

Partner Center: "Ship Package", "Batch Ship Packages" and "Mark Package As Shipped" (both bodies),
with their error tables. A batch is answered with code 0 whatever becomes of its packages. Nothing
is deduplicated: there is no idempotency key on these calls, a repeat is judged like any other
request. Which of two refusals comes first is not published; it is where, then mode, then status,
then the after-sale request, then the invoice, then the tracking number here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox import life, orders, wire
from sandbox.gate import Asked
from sandbox.handover import chosen_slot, label
from sandbox.markets import (
    IGNORES_HANDOVER,
    MARK_AS_SHIPPED,
    SELLER,
    SHIP_PACKAGE,
    STORE,
    TIKTOK,
)
from sandbox.orders import Line, Order, Package
from sandbox.reading import own_order, own_package, package_of
from sandbox.shape import Shape, check
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import Provider, World, record

_NUMBER = re.compile(r"[A-Za-z0-9._/-]{4,50}")

_SELF_SHIPMENT: Shape = {"tracking_number!": str, "shipping_provider_id!": str}
SHIP_BODY: dict[str, Shape] = {
    "handover_method": ("PICKUP", "DROP_OFF"),
    "pickup_slot": {"start_time!": int, "end_time!": int},
    "self_shipment": _SELF_SHIPMENT,
}
BATCH_BODY: Shape = {"packages!": [{"id!": str, **SHIP_BODY}]}
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


def check_call(order: Order, available: Mapping[str, frozenset[str]]) -> None:
    """Refuse a call that the order's market or its way of shipping does not have."""
    takes = available.get(order.market, frozenset())
    if not takes:
        raise Refusal(wire.WRONG_REGION)
    if order.fulfillment_type != orders.BY_SELLER or order.shipping_type not in (
        SELLER,
        TIKTOK,
        STORE,
    ):
        raise Refusal(wire.WRONG_MODE)
    if order.shipping_type not in takes:
        # Seller shipping has the other call here; the others fit neither by their mode.
        seller = order.shipping_type == SELLER
        raise Refusal(wire.WRONG_REGION if seller else wire.WRONG_MODE)


def check_status(world: World, order: Order, lines: list[Line]) -> None:
    """Refuse a shipment of these lines that the order's state does not allow."""
    if order.status in _STATUS_REFUSES:
        raise Refusal(_STATUS_REFUSES[order.status])
    if any(line.status == orders.CANCELLED for line in lines):
        raise Refusal(wire.ORDER_CANCELLED)
    if any(line.status != orders.AWAITING_SHIPMENT for line in lines):
        raise Refusal(wire.ALREADY_SHIPPED)
    # In the US shipping answers a buyer's open cancel request with no: see `_ship`.
    if order.market != "US" and life.open_case(world, order):
        raise Refusal(wire.REQUEST_PENDING)
    if life.open_case(world, order, "return"):
        raise Refusal(wire.REQUEST_PENDING)
    for package_id in {line.package_id for line in lines} - {""}:
        if world.packages[package_id].invoice not in ("", "SUCCESS"):
            raise Refusal(wire.INVOICE_MISSING)


def tracking(
    world: World, told: Mapping[str, Any], package: Package | None = None
) -> tuple[str, Provider]:
    """The number and the carrier of a request; `package` may keep one of the two it has."""
    number, provider_id = str(told["tracking_number"]), told["shipping_provider_id"]
    if not _NUMBER.fullmatch(number):
        raise Refusal(wire.BAD_TRACKING, "tracking_number must be 4-50 letters, digits or -_./")
    for provider in world.providers:
        if provider.provider_id == provider_id:
            break
    else:
        raise Refusal(wire.BAD_TRACKING, "shipping_provider_id is not known")
    holder = world.numbers.get(number.upper())
    kept = package is not None and number == package.tracking_number
    if holder and not (kept and package and package.provider_id != provider_id):
        raise Refusal(wire.DUPLICATE_TRACKING)
    return number, provider


def ship(world: World, package: Package, call: str) -> None:
    """The package is shipped: its orders move, an open cancel request ends, one `Effect`."""
    at = world.clock
    for order_id in package.order_ids:
        if life.open_case(world, world.orders[order_id]):
            life.close_request(world, world.orders[order_id], at)
    if package.tracking_number:
        world.numbers[package.tracking_number.upper()] = package.package_id
    life.move(world, package, orders.AWAITING_COLLECTION, at)
    record(
        world,
        call,
        package.shop_id,
        order_id=",".join(package.order_ids),
        package_id=package.package_id,
        tracking_number=package.tracking_number,
    )


def ship_package(world: World, asked: Asked) -> dict[str, object]:
    """Ship Package: `self_shipment` for a seller's carrier, `handover_method` for TikTok's."""
    _ship_one(world, own_package(world, asked), asked.body, "ship_package")
    return {}


def ship_packages(world: World, asked: Asked) -> dict[str, object]:
    """Batch Ship Packages: each is shipped or listed under `errors`, on its own account."""
    told = asked.body["packages"]
    ids = [each["id"] for each in told]
    if not ids or len(set(ids)) != len(ids):
        raise Refusal(BAD_PARAMETER, "packages must hold each package once, and at least one")

    def one(each: Mapping[str, Any]) -> None:
        rest = {name: value for name, value in each.items() if name != "id"}
        package = package_of(world, asked.shop, each["id"])
        _ship_one(world, package, rest, "batch_ship_packages")

    return each_package(told, one)


def each_package(
    told: list[dict[str, Any]], one: Callable[[Mapping[str, Any]], None]
) -> dict[str, object]:
    """Do a batch package by package: what is refused is told under `errors`, the rest is done."""
    errors: list[dict[str, object]] = []
    for each in told:
        try:
            one(each)
        except Refusal as refusal:
            detail = {"package_id": each["id"]}
            errors.append({"code": refusal.code, "message": refusal.message, "detail": detail})
    return {"errors": errors}


def _ship_one(world: World, package: Package, body: Mapping[str, Any], call: str) -> None:
    of = [world.orders[order_id] for order_id in package.order_ids]
    for order in of:
        check_call(order, SHIP_PACKAGE)
    _check_mode(body, of[0])
    inside = set(package.line_ids)
    for order in of:
        check_status(world, order, [x for x in life.live(order) if x.line_id in inside])
    if of[0].shipping_type == SELLER:
        number, provider = tracking(world, body["self_shipment"])
        package.tracking_number = number
        package.provider_id, package.provider_name = provider.provider_id, provider.name
    elif of[0].shipping_type == TIKTOK:
        slot = chosen_slot(world, body.get("pickup_slot"))
        label(world, package, str(body.get("handover_method", "DROP_OFF")))
        package.pickup_slot = slot or package.pickup_slot
    ship(world, package, call)


_TAKES: Mapping[str, tuple[str, ...]] = {
    SELLER: ("self_shipment",),
    TIKTOK: ("handover_method", "pickup_slot"),
    STORE: (),
}


def _check_mode(body: Mapping[str, Any], order: Order) -> None:
    if any(name not in _TAKES[order.shipping_type] for name in body):
        raise Refusal(wire.WRONG_MODE)
    if order.shipping_type == SELLER:
        check(body, {"self_shipment!": object})
    elif order.shipping_type == STORE:
        return
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
    order = own_order(world, asked)
    check_call(order, MARK_AS_SHIPPED)
    lines = lines_named(order, line_ids)
    check_status(world, order, lines)
    number, provider = tracking(world, told)
    package = package_for(world, order, lines)
    package.tracking_number = number
    package.provider_id, package.provider_name = provider.provider_id, provider.name
    ship(world, package, "mark_package_as_shipped")
    return {
        "order_id": order.order_id,
        "order_line_item_ids": [line.line_id for line in lines],
        "package_id": package.package_id,
    }


def lines_named(order: Order, line_ids: list[str]) -> list[Line]:
    """The lines of an order by their ids, each named once, or 36009004."""
    if not line_ids:
        raise Refusal(BAD_PARAMETER, "no order line is named")
    if len(set(line_ids)) != len(line_ids):
        raise Refusal(BAD_PARAMETER, "an order line is named twice")
    lines = {line.line_id: line for line in order.lines}
    for line_id in line_ids:
        if line_id not in lines:
            raise Refusal(BAD_PARAMETER, f"order line {line_id} is not in this order")
    return [lines[line_id] for line_id in line_ids]


def package_for(world: World, order: Order, lines: list[Line]) -> Package:
    """The package a split has made of exactly these lines, else a new one."""
    split = {line.package_id for line in lines if line.package_id}
    if not split:
        return life.new_package(world, [order], lines, world.clock)
    package = world.packages[split.pop()]
    inside = [order.lines[index] for order, index in world.lines_in(package)]
    left = {line.line_id for line in inside if line.status != orders.CANCELLED}
    if split or left != {line.line_id for line in lines}:
        raise Refusal(BAD_PARAMETER, "the order lines are not those of one package")
    return package
