"""Labels of the marketplace's own: buying one, choosing a service, and the document to print.

Partner Center: "Create Packages" (US, UK, EU, JP; `ship_type` 1 a whole order, 2 a part of one, 3
several orders), "Get Eligible Shipping Services" (US, JP) and "Get Package Shipping Document" (Ship
by TikTok, after shipping and before collection; the address lives 24 hours; 11034023 while it is
being made). Which code a document asked for too early or too late gets is not published.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox import documents, files, life, orders, wire
from sandbox.gate import Asked
from sandbox.handover import label
from sandbox.kept import File
from sandbox.markets import LABELS, SERVICES, TIKTOK
from sandbox.orders import Line, Order, Package
from sandbox.reading import own_order, own_package
from sandbox.shape import Shape
from sandbox.shipping import check_call, check_status, lines_named, package_for, ship
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

DOCUMENT_LIVES = 24 * 3600

_DIMENSION: Shape = {
    **dict.fromkeys(("length!", "width!", "height!"), str),
    "unit!": ("CM", "INCH"),
}
_WEIGHT: Shape = {"value!": str, "unit!": ("GRAM", "POUND")}
_LINES: Shape = [{"order_line_id!": str, "sub_item_id": str}]
CREATE_BODY: Shape = {
    "ship_type!": ("1", "2", "3"),
    "order_id": str,
    "order_line_item": _LINES,
    "order_list_ids": [str],
    "dimension": _DIMENSION,
    "weight": _WEIGHT,
    "shipping_service_id": str,
}
SERVICES_BODY: Shape = {
    "order_line_item_ids": [str],
    "order_line_list": _LINES,
    "dimension": _DIMENSION,
    "weight": _WEIGHT,
}
DOCUMENT_QUERY = ("document_type!", "document_size", "document_format", "shipping_period")

_TYPES = (
    "SHIPPING_LABEL",
    "PACKING_SLIP",
    "SHIPPING_LABEL_AND_PACKING_SLIP",
    "SHIPPING_LABEL_PICTURE",
)
_USUAL_SIZE = {"length": "10", "width": "10", "height": "12", "unit": "CM"}
_USUAL_WEIGHT = {"value": "500", "unit": "GRAM"}
_TAKES = {"1": ("order_id",), "2": ("order_id", "order_line_item"), "3": ("order_list_ids",)}
_LABELS = {market: frozenset({TIKTOK}) for market in LABELS}
_SERVICES = {market: frozenset({TIKTOK}) for market in SERVICES}
# Made up: id, name, price of the order's own, days.
_OFFERS = (
    ("7208000000000000001", "Synthetic Ground", 3, 5),
    ("7208000000000000002", "Synthetic Express", 1, 2),
)


def _service(order: Order, offer: tuple[str, str, int, int]) -> dict[str, object]:
    service_id, name, earliest, latest = offer
    return {
        "id": service_id,
        "name": name,
        "price": order.price,
        "currency": order.currency,
        "earliest_delivery_days": earliest,
        "latest_delivery_days": latest,
        "shipping_provider_id": "6610000000000000002",
        "shipping_provider_name": "Synthetic Post",
    }


def _check_measures(body: Mapping[str, Any]) -> None:
    size, weight = body.get("dimension", {}), body.get("weight", {})
    for name, value in {**size, **weight}.items():
        if name != "unit" and not re.fullmatch(r"(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,2})?", value):
            raise Refusal(BAD_PARAMETER, f"{name} must be a number above 0")


def _line_ids(listed: list[Mapping[str, str]]) -> list[str]:
    if any("sub_item_id" in each for each in listed):
        raise Refusal(BAD_PARAMETER, "sub_item_id names no item of a bundle")
    return [each["order_line_id"] for each in listed]


def create_packages(world: World, asked: Asked) -> dict[str, object]:
    """Create Packages: a label is bought and the parcel is shipped with it."""
    body = asked.body
    takes = _TAKES[body["ship_type"]]
    for name in ("order_id", "order_line_item", "order_list_ids"):
        if bool(body.get(name)) != (name in takes):
            raise Refusal(
                BAD_PARAMETER, f"ship_type {body['ship_type']} takes {' and '.join(takes)}"
            )
    _check_measures(body)
    wanted = [body["order_id"]] if "order_id" in takes else list(body["order_list_ids"])
    of = [_order(world, asked, order_id) for order_id in wanted]
    for order in of:
        check_call(order, _LABELS)
    lines = _lines(of, body)
    for order in of:
        check_status(world, order, [line for line in lines if line in order.lines])
    offer = _offer(body.get("shipping_service_id"))
    package = _package(world, of, lines)
    label(world, package, "DROP_OFF")
    ship(world, package, "create_packages")
    return {
        "package_id": package.package_id,
        "create_time": world.clock,
        "dimension": body.get("dimension", _USUAL_SIZE),
        "weight": body.get("weight", _USUAL_WEIGHT),
        "shipping_service_info": _service(of[0], offer),
    }


def _order(world: World, asked: Asked, order_id: str) -> Order:
    order = world.orders.get(order_id)
    if order is None or order.shop_id != asked.shop.shop_id:
        raise Refusal(wire.NOT_OF_THIS_SHOP)
    return order


def _lines(of: list[Order], body: Mapping[str, Any]) -> list[Line]:
    if body["ship_type"] == "2":
        return lines_named(of[0], _line_ids(body["order_line_item"]))
    if body["ship_type"] == "3":
        buyers = {(order.user_id, order.warehouse_id) for order in of}
        if len({order.order_id for order in of}) != len(of) or len(of) < 2 or len(buyers) != 1:
            raise Refusal(BAD_PARAMETER, "order_list_ids must be two orders or more of one buyer")
    return [line for order in of for line in life.live(order)]


def _offer(wanted: str | None) -> tuple[str, str, int, int]:
    for offer in _OFFERS:
        if wanted in (None, offer[0]):
            return offer
    raise Refusal(BAD_PARAMETER, "shipping_service_id is none of the eligible ones")


def _package(world: World, of: list[Order], lines: list[Line]) -> Package:
    if len(of) == 1:
        return package_for(world, of[0], lines)
    for package_id in {line.package_id for line in lines} - {""}:
        del world.packages[package_id]
    package = life.new_package(world, of, lines, world.clock)
    package.tag = "COMBINED"
    for order in of:
        order.tag = "COMBINED"
    return package


def shipping_services(world: World, asked: Asked) -> dict[str, object]:
    """Get Eligible Shipping Services: what could carry the order, or these lines of it."""
    order, body = own_order(world, asked), asked.body
    check_call(order, _SERVICES)
    _check_measures(body)
    if body.get("order_line_item_ids") and body.get("order_line_list"):
        raise Refusal(BAD_PARAMETER, "order_line_item_ids and order_line_list do not go together")
    ids = body.get("order_line_item_ids") or _line_ids(body.get("order_line_list", []))
    lines = lines_named(order, ids) if ids else life.live(order)
    check_status(world, order, lines)
    return {
        "order_id": order.order_id,
        "order_line_id": [line.line_id for line in lines],
        "weight": body.get("weight", _USUAL_WEIGHT),
        "dimension": body.get("dimension", _USUAL_SIZE),
        "shipping_services": [
            _service(order, offer) | {"is_default": offer is _OFFERS[0]} for offer in _OFFERS
        ],
    }


def shipping_document(world: World, asked: Asked) -> dict[str, object]:
    """Get Package Shipping Document: an address good for 24 real hours."""
    package, query = own_package(world, asked), asked.query
    order = world.orders[package.order_ids[0]]
    kind = query["document_type"]
    format_ = query.get("document_format", "PDF")
    size = query.get("document_size", "A6")
    if kind not in _TYPES or format_ not in ("PDF", "ZPL") or size not in ("A5", "A6"):
        raise Refusal(BAD_PARAMETER, "document_type, document_format or document_size is not known")
    if order.shipping_type != TIKTOK or order.fulfillment_type != orders.BY_SELLER:
        raise Refusal(wire.NO_LABEL_HERE)
    if package.status in (orders.UNPAID, orders.AWAITING_SHIPMENT):
        raise Refusal(wire.NOT_SHIPPED)
    if package.status != orders.AWAITING_COLLECTION:
        raise Refusal(wire.STATUS_FORBIDS)
    package.asks += 1
    if package.asks <= world.settings.label_asks:
        raise Refusal(wire.LABEL_IN_MAKING)
    text = [kind, package.package_id, package.tracking_number, *package.order_ids]
    content = documents.pdf(text, size) if format_ == "PDF" else documents.zpl(text)
    content_type = "application/pdf" if format_ == "PDF" else "text/plain"
    until = world.real_now() + DOCUMENT_LIVES
    url = files.keep(world, File(package.shop_id, content_type, content, until))
    return {"doc_url": url, "tracking_number": package.tracking_number}
