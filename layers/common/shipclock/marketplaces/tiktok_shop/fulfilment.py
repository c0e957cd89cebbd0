"""Shipping a package, its label, and its number put right (`tiktok-shop.md` 5.2). No I/O.

Which of the ship calls a market takes is the capability table's business.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shipclock.domain.number import normal
from shipclock.marketplaces.protocol import Call, Document, Outcome, Slot
from shipclock.marketplaces.tiktok_shop.outcomes import link, part_outcomes
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS, MARK_BEFORE, path
from shipclock.reading import Object, Unreadable, identifier, optional_id, parts, whole, words


@dataclass(frozen=True, slots=True)
class Parcel:
    """How one package is shipped.

    Ship by Seller names number and provider; Ship by TikTok names `handover_method` (`PICKUP` or
    `DROP_OFF`) and perhaps a `slot`; a package that the buyer fetches at the shop names nothing.
    """

    tracking_number: str = ""
    provider_id: str = ""
    handover_method: str = ""
    slot: Slot | None = None


def ship_parcel(package_id: str, parcel: Parcel) -> Call:
    """Ship one package. Not to be repeated blindly: it takes no idempotency key (6.4)."""
    where = path("ship_package", package_id=package_id)
    return Call("ship_package", "POST", where, body=_shipment(parcel) or None, writes=True)


def ship_parcels(parcels: Mapping[str, Parcel]) -> Call:
    """Ship several packages, by package id; what became of each: `read_batch_errors`."""
    packages = [{"id": package_id, **_shipment(p)} for package_id, p in parcels.items()]
    where = path("ship_packages")
    return Call("ship_packages", "POST", where, body={"packages": packages}, writes=True)


def read_batch_errors(outcome: Outcome) -> dict[str, Outcome]:
    """The packages of a batch that failed, each with what its code means.

    A package that is not named here was shipped. Raises `Unreadable` where an error does not tell
    whose it is: then nobody knows which were shipped, and each has to be looked at.
    """
    return part_outcomes(outcome, "package_id")


def _shipment(parcel: Parcel) -> dict[str, Any]:
    if parcel.tracking_number or parcel.provider_id:
        return {"self_shipment": _told(parcel.tracking_number, parcel.provider_id)}
    if not parcel.handover_method:
        return {}
    slot = parcel.slot
    if slot is None:
        return {"handover_method": parcel.handover_method}
    span = {"start_time": int(slot.begins.timestamp()), "end_time": int(slot.ends.timestamp())}
    return {"handover_method": parcel.handover_method, "pickup_slot": span}


def _told(tracking_number: str, provider_id: str) -> dict[str, str]:
    number = acceptable(tracking_number)
    return {"tracking_number": number, "shipping_provider_id": provider_id}


def acceptable(number: str) -> str:
    """The number as the carrier writes it, if TikTok takes that (5.2), else its bare characters."""
    written = "".join(number.split())
    return written if NUMBER.fullmatch(written) else normal(number)


NUMBER = re.compile(r"[A-Za-z0-9_./-]{4,50}")


def mark_as_shipped(
    order_id: str,
    line_ids: Sequence[str],
    tracking_number: str,
    provider_id: str,
    version: str = ENDPOINTS["mark_package_as_shipped"][0],
) -> Call:
    """Mark units of an order as shipped under a number; makes their package.

    The body differs by `version`: 202610, or 202309. Raises ValueError for any other.
    """
    told = _told(tracking_number, provider_id)
    body: dict[str, Any]
    if version == MARK_BEFORE:
        body = {"order_line_item_ids": list(line_ids), **told}
    elif version == ENDPOINTS["mark_package_as_shipped"][0]:
        lines = [{"order_line_id": line_id} for line_id in line_ids]
        body = {"order_line_list": lines, "shipping_info_list": [told]}
    else:
        raise ValueError(f"Mark Package As Shipped has no version {version} here")
    where = path("mark_package_as_shipped", version, order_id=order_id)
    return Call("mark_package_as_shipped", "POST", where, body=body, writes=True)


WHOLE_ORDER, PART_OF_ORDER = "1", "2"
"""`ship_type` of Create Packages."""


def create_package(
    order_id: str, shipping_service_id: str = "", line_ids: Sequence[str] = ()
) -> Call:
    """Buy the label of an order, or of some of its units. It costs money: never repeated blindly.

    Without a service the marketplace takes its default one.
    """
    body: dict[str, Any] = {
        "ship_type": PART_OF_ORDER if line_ids else WHOLE_ORDER,
        "order_id": order_id,
    }
    if line_ids:
        body["order_line_item"] = [{"order_line_id": line_id} for line_id in line_ids]
    if shipping_service_id:
        body["shipping_service_id"] = shipping_service_id
    return Call("create_package", "POST", path("create_package"), body=body, writes=True)


def read_created(outcome: Outcome) -> str:
    """The id of the package that was made; raises `Unreadable`."""
    return identifier(outcome.data.get("package_id"), "package_id")


@dataclass(frozen=True, slots=True)
class Service:
    """A way of shipping that an order may be given. Price and days are estimates."""

    service_id: str
    name: str
    provider_id: str = ""
    provider_name: str = ""
    price: str = ""
    currency: str = ""
    is_default: bool = False
    earliest_days: int | None = None
    latest_days: int | None = None


def shipping_services(order_id: str) -> Call:
    """The services that an order's label can be bought for (US and JP). A read by POST."""
    return Call("shipping_services", "POST", path("shipping_services", order_id=order_id))


def read_services(outcome: Outcome) -> tuple[Service, ...]:
    """The services in an answer; raises `Unreadable`."""
    if "shipping_services" not in outcome.data:
        raise Unreadable("shipping_services: a list was expected")
    return tuple(_service(row) for row in parts(outcome.data, "shipping_services"))


def _service(row: Object) -> Service:
    return Service(
        service_id=identifier(row.get("id"), "shipping_services.id"),
        name=words(row, "name"),
        provider_id=optional_id(row, "shipping_provider_id"),
        provider_name=words(row, "shipping_provider_name"),
        price=words(row, "price"),
        currency=words(row, "currency"),
        is_default=row.get("is_default") is True,
        earliest_days=whole(row, "earliest_delivery_days"),
        latest_days=whole(row, "latest_delivery_days"),
    )


def shipping_document(package_id: str, document_type: str = "SHIPPING_LABEL") -> Call:
    """The label of a package that TikTok ships: after shipping, before the pickup. Its address
    lives 24 hours."""
    where = path("shipping_document", package_id=package_id)
    return Call("shipping_document", "GET", where, {"document_type": document_type})


def read_document(outcome: Outcome) -> Document:
    """The document in an answer; raises `Unreadable`."""
    url = link(outcome.data, "doc_url")
    if not url:
        raise Unreadable("doc_url is missing")
    return Document(url, words(outcome.data, "tracking_number"))


def update_order_shipping(order_id: str, tracking_number: str, provider_id: str) -> Call:
    """Change the number of a shipped order: Ship by Seller, within 72 h, and only once or so."""
    where = path("update_order_shipping", order_id=order_id)
    body = _told(tracking_number, provider_id)
    return Call("update_order_shipping", "POST", where, body=body, writes=True)


def update_package_shipping(package_id: str, tracking_number: str, provider_id: str) -> Call:
    """Change the number of one package of a split order."""
    where = path("update_package_shipping", package_id=package_id)
    body = {"shipping_info_list": [_told(tracking_number, provider_id)]}
    return Call("update_package_shipping", "POST", where, body=body, writes=True)
