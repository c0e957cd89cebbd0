"""The calls we make, each built in one place (`tiktok-shop.md` section 5). No I/O."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from shipclock.domain.carrier import names_of, plain
from shipclock.domain.order import Order
from shipclock.domain.push import Intent
from shipclock.marketplaces.protocol import Call, Keys, Shop
from shipclock.marketplaces.tiktok_shop.capability import MARK_AS_SHIPPED, SHIP_PACKAGE
from shipclock.marketplaces.tiktok_shop.fulfilment import Parcel, mark_as_shipped, ship_parcel
from shipclock.marketplaces.tiktok_shop.versions import path, segment

BATCH = 50
SEARCHES: tuple[str, ...] = ("orders", "cancellations", "returns")
DETAIL: tuple[str, ...] = (SHIP_PACKAGE,)


def refresh(shop: Shop, keys: Keys) -> Call:
    """Renew the tokens: a GET with secrets in its query, never to be logged (1.3)."""
    query = {
        "app_key": shop.app_key,
        "app_secret": keys.app_secret,
        "refresh_token": keys.refresh_token,
        "grant_type": "refresh_token",
    }
    return Call("refresh_token", "GET", "/api/v2/token/refresh", query, auth=True)


def reread(order_ids: Sequence[str]) -> Call:
    """Order detail of at most 50 orders; the ids are one comma-joined, signed value (2.3)."""
    ids = ",".join(segment(order_id, "order_id") for order_id in order_ids)
    return Call("reread", "GET", path("reread"), {"ids": ids})


def package(package_id: str) -> Call:
    """The detail of one package."""
    return Call("package", "GET", path("package", package_id=package_id))


def handover(package_id: str) -> Call:
    """How and when a package may be handed to TikTok's carrier (5.2, handover slots)."""
    return Call("handover", "GET", path("handover", package_id=package_id))


def search(name: str, since: datetime, token: str) -> Call:
    """One page of what changed since, oldest first."""
    query = {"page_size": PAGE_SIZES[name], "sort_field": "update_time", "sort_order": "ASC"}
    if token:
        query["page_token"] = token
    body = {"update_time_ge": int(since.timestamp())}
    return Call(f"search_{name}", "POST", path(f"search_{name}"), query, body)


PAGE_SIZES = {"orders": "100", "cancellations": "50", "returns": "50"}
"""The most that each search gives at a time."""


def providers(order: Order) -> Call | None:
    """Who may ship an order's delivery option (5.3)."""
    option = order.facts.delivery_option_id if order.facts else ""
    if not option:
        return None
    return Call("providers", "GET", path("providers", delivery_option_id=option))


def needs_provider(order: Order) -> bool:
    """Ship by Seller names the provider; Ship by TikTok brings its own."""
    return order.facts is not None and order.facts.shipping_type == "SELLER"


def ship(intent: Intent, order: Order, shop: Shop, provider_id: str) -> Call:
    """The ship call of an intent (5.2)."""
    if intent.call == MARK_AS_SHIPPED:
        lines = _lines(intent, order)
        return mark_as_shipped(order.order_id, lines, intent.tracking_number, provider_id)
    if needs_provider(order):
        return ship_parcel(intent.package_id, Parcel(intent.tracking_number, provider_id))
    return ship_parcel(intent.package_id, Parcel(handover_method=shop.handover_method))


def _lines(intent: Intent, order: Order) -> list[str]:
    """The units still to ship: of the intent's package, or all that are in none yet."""
    lines = order.facts.lines if order.facts else ()
    return [
        line.line_id
        for line in lines
        if line.package_id == intent.package_id and line.display_status != "CANCELLED"
    ]


def choose_provider(carrier: str, providers: Mapping[str, str], shop: Shop) -> str:
    """The provider whose name is the carrier's or one of its aliases, else the shop's default."""
    names = {plain(name): provider_id for provider_id, name in providers.items()}
    ours = sorted(names_of(carrier))
    found = next((names[name] for name in ours if name and name in names), "")
    return found or shop.default_provider
