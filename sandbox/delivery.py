"""What a seller who delivers by themselves may report: the delivery, and the way to it.

Partner Center: "Update Package Delivery Status" (South-East Asia; a fleet of one's own or pickup
in a store; code 0, refusals under `errors`) and "Tracking status update" (US and BR; a list of
sellers; at most 50 tracks, each with a result of its own). Nothing is deduplicated. The table of
action codes could not be read; the ones here are those seen in samples and in others' notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import files, life, orders, wire
from sandbox.gate import Asked
from sandbox.markets import MARKETS, OWN_TRACKS, SEA, SELLER, STORE
from sandbox.orders import Order, Package
from sandbox.reading import package_of
from sandbox.shape import Shape
from sandbox.shipping import each_package
from sandbox.shops import Shop
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World, record

REASONS = (
    "INVALID_ADDRESS",
    "UNABLE_RECEIVE",
    "UNABLE_CONTACT_BUYER",
    "BUYER_REFUSED",
    "DELAY_DELIVERY",
    "PACKAGE_LOST",
    "PACKAGE_DAMAGE",
    "FORCE_MAJEURE",
    "OTHER",
)
DELIVER_BODY: Shape = {
    "packages!": [
        {
            "id!": str,
            "delivery_type!": ("DELIVERY_SUCCESS", "DELIVERY_FAILED", "UPDATE_POD"),
            "fail_delivery_reason": REASONS,
            "file_type": ("IMG", "PDF"),
            "file_url": str,
            "verification_code": str,
        }
    ]
}
MOST_TRACKS = 50
TRACK_BODY: Shape = {
    "country!": str,
    "order_id!": str,
    "provider_id!": str,
    "external_tracking_url": str,
    "tracks!": [
        {
            "action_code!": int,
            "occur_time!": int,
            "description!": str,
            "tracking_no!": str,
            "failed_reason": str,
            "proof_url": str,
            "location": dict.fromkeys(("country", "state", "city", "zip_code"), str),
        }
    ],
}

# What a failed delivery becomes on the package; a failure not listed is a parcel on its way back.
_EXCEPTIONS = {"PACKAGE_LOST": "PACKAGE_LOST", "PACKAGE_DAMAGE": "PACKAGE_DAMAGAED"}
_CODES = frozenset({20201, life.COLLECTED_CODE, 40501, life.DELIVERED_CODE, 60101, 80101})
_FAILURES = frozenset({60101, 80101})
_FAILED_REASONS = frozenset({"R103", "R104", "R106", "R110"})
# Ten digits are seconds; thirteen are what the call wants.
_FIRST_MILLISECOND = 10**12


def deliver(world: World, asked: Asked) -> dict[str, object]:
    """Update Package Delivery Status, each package on its own account."""
    if asked.shop.market not in SEA:
        raise Refusal(wire.WRONG_REGION)
    told = asked.body["packages"]
    ids = [each["id"] for each in told]
    if not ids or len(set(ids)) != len(ids):
        raise Refusal(BAD_PARAMETER, "packages must hold each package once, and at least one")
    return each_package(told, lambda each: _report(world, asked.shop, each))


def _report(world: World, shop: Shop, told: Mapping[str, Any]) -> None:
    package = package_of(world, shop, told["id"])
    order = world.orders[package.order_ids[0]]
    in_store = order.shipping_type == STORE
    if not in_store and not (shop.own_fleet and order.shipping_type == SELLER):
        raise Refusal(wire.NOT_SELF_DELIVERED)
    kind = told["delivery_type"]
    _check_words(kind, told, in_store)
    _check_proof(world, shop, kind, told)
    _check_status(package, kind)
    if in_store and told["verification_code"] != order.pickup_code:
        raise Refusal(BAD_PARAMETER, "verification_code is not the buyer's")
    if kind == "DELIVERY_SUCCESS":
        _arrive(world, package, world.clock)
    elif kind == "DELIVERY_FAILED":
        _fail(world, package, told["fail_delivery_reason"])
    package.update_time = world.clock
    words = [kind, told.get("fail_delivery_reason", ""), told.get("file_url", "")]
    record(
        world,
        "update_package_delivery_status",
        shop.shop_id,
        order_id=",".join(package.order_ids),
        package_id=package.package_id,
        tracking_number=package.tracking_number,
        detail=" ".join(word for word in words if word),
    )


def _check_words(kind: str, told: Mapping[str, Any], in_store: bool) -> None:
    if in_store and (kind != "DELIVERY_SUCCESS" or "verification_code" not in told):
        raise Refusal(BAD_PARAMETER, "a pickup is DELIVERY_SUCCESS with its verification_code")
    if not in_store and "verification_code" in told:
        raise Refusal(BAD_PARAMETER, "verification_code goes with a pickup in a store")
    if (kind == "DELIVERY_FAILED") != ("fail_delivery_reason" in told):
        raise Refusal(BAD_PARAMETER, "fail_delivery_reason goes with DELIVERY_FAILED")


def _check_proof(world: World, shop: Shop, kind: str, told: Mapping[str, Any]) -> None:
    if ("file_url" in told) != ("file_type" in told):
        raise Refusal(BAD_PARAMETER, "file_url and file_type go together")
    needed = kind == "UPDATE_POD" or (kind == "DELIVERY_SUCCESS" and shop.needs_proof)
    if "file_url" not in told:
        if needed:
            raise Refusal(BAD_PARAMETER, "file_url must hold the proof of delivery")
        return
    file = files.known(world, shop.shop_id, told["file_url"])
    if file is None:
        raise Refusal(BAD_PARAMETER, "file_url is none that was uploaded here")
    if (file.content_type == "application/pdf") != (told["file_type"] == "PDF"):
        raise Refusal(BAD_PARAMETER, "file_type is not that of the file")


def _check_status(package: Package, kind: str) -> None:
    if package.status == orders.CANCELLED:
        raise Refusal(wire.ORDER_CANCELLED)
    arrived = package.status in (orders.DELIVERED, orders.COMPLETED)
    if kind == "UPDATE_POD":
        if not arrived:
            raise Refusal(wire.STATUS_FORBIDS)
        return
    if arrived:
        raise Refusal(wire.ALREADY_DELIVERED)
    if package.status not in (orders.AWAITING_COLLECTION, orders.IN_TRANSIT):
        raise Refusal(wire.NOT_SHIPPED)


def _arrive(world: World, package: Package, at: int) -> None:
    """Delivered; a parcel nobody has seen before was collected on the way."""
    if not package.collected_at:
        life.collect(world, package, at, world.clock)
    life.move(world, package, orders.DELIVERED, world.clock)


def _fail(world: World, package: Package, reason: str) -> None:
    package.exception = _EXCEPTIONS.get(reason, "RETURNED_TO_SHIPPER")
    package.status = orders.CANCELLED


def update_tracks(world: World, asked: Asked) -> dict[str, object]:
    """Tracking status update: what the seller's own driver saw, in the order given."""
    body, shop = asked.body, asked.shop
    if shop.market not in OWN_TRACKS:
        raise Refusal(wire.WRONG_REGION)
    if not shop.own_tracks:
        raise Refusal(wire.NOT_ALLOW_LISTED)
    if body["country"] != MARKETS[shop.market].region:
        raise Refusal(BAD_PARAMETER, f"country must be {MARKETS[shop.market].region}")
    if not 1 <= len(body["tracks"]) <= MOST_TRACKS:
        raise Refusal(BAD_PARAMETER, f"tracks must hold 1 to {MOST_TRACKS} entries")
    order = world.orders.get(body["order_id"])
    if order is None or order.shop_id != shop.shop_id:
        raise Refusal(wire.TRACK_NOT_FOUND)
    parcels = {p.tracking_number: p for p in life.packages_of(world, order) if p.tracking_number}
    providers = {parcel.provider_id for parcel in parcels.values()}
    if parcels and body["provider_id"] not in providers:
        raise Refusal(wire.TRACK_PROVIDER)
    return {"track_results": [_track(world, order, parcels, each) for each in body["tracks"]]}


def _track(
    world: World, order: Order, parcels: Mapping[str, Package], told: Mapping[str, Any]
) -> dict[str, object]:
    shown = {
        name: told[name] for name in ("action_code", "occur_time", "description", "tracking_no")
    }
    try:
        _take(world, order, parcels, told)
    except Refusal as refusal:
        return shown | {"code": refusal.code, "message": refusal.message}
    return shown | {"code": 0, "message": "success"}


def _take(
    world: World, order: Order, parcels: Mapping[str, Package], told: Mapping[str, Any]
) -> None:
    package, code, at = parcels.get(told["tracking_no"]), told["action_code"], told["occur_time"]
    if package is None:
        raise Refusal(wire.TRACK_NOT_FOUND)
    if code not in _CODES:
        raise Refusal(BAD_PARAMETER, f"action_code {code} is not on the list")
    if (code in _FAILURES) != (told.get("failed_reason") in _FAILED_REASONS):
        raise Refusal(BAD_PARAMETER, "failed_reason goes with a failure, and is one of the list")
    if not _FIRST_MILLISECOND <= at < (world.clock + 1) * 1000:
        raise Refusal(BAD_PARAMETER, "occur_time must be milliseconds, and not still to come")
    if at // 1000 < order.create_time:
        raise Refusal(BAD_PARAMETER, "occur_time is before the order was placed")
    if package.status == orders.CANCELLED:
        raise Refusal(wire.ORDER_CANCELLED)
    package.events.append((at, code, told["description"]))
    waits = package.status == orders.AWAITING_COLLECTION
    if code == life.COLLECTED_CODE and waits:
        life.collect(world, package, at // 1000, world.clock)
    if code == life.DELIVERED_CODE and (waits or package.status == orders.IN_TRANSIT):
        _arrive(world, package, at // 1000)
    record(
        world,
        "update_tracking_status",
        order.shop_id,
        order_id=order.order_id,
        package_id=package.package_id,
        tracking_number=package.tracking_number,
        detail=f"{code} {at}",
    )
