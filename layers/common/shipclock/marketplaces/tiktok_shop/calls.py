"""The calls we make, each built in one place (`tiktok-shop.md` section 5). No I/O."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from shipclock.domain.carrier import names_of, plain
from shipclock.domain.order import Order, normal
from shipclock.domain.push import Intent
from shipclock.marketplaces.protocol import Call, Keys, Shop
from shipclock.marketplaces.tiktok_shop.capability import MARK_AS_SHIPPED, SHIP_PACKAGE

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
    return Call("reread", "GET", "/order/202507/orders", {"ids": ",".join(order_ids)})


def package(package_id: str) -> Call:
    """The detail of one package."""
    return Call("package", "GET", f"/fulfillment/202309/packages/{package_id}")


def handover(package_id: str) -> Call:
    """How and when a package may be handed to TikTok's carrier (5.2, handover slots)."""
    return Call("handover", "GET", f"/fulfillment/202309/packages/{package_id}/handover_time_slots")


def search(name: str, since: datetime, token: str) -> Call:
    """One page of what changed since, oldest first."""
    path, size = SEARCH_PATHS[name]
    query = {"page_size": size, "sort_field": "update_time", "sort_order": "ASC"}
    if token:
        query["page_token"] = token
    return Call(f"search_{name}", "POST", path, query, {"update_time_ge": int(since.timestamp())})


SEARCH_PATHS = {
    "orders": ("/order/202309/orders/search", "100"),
    "cancellations": ("/return_refund/202602/cancellations/search", "50"),
    "returns": ("/return_refund/202602/returns/search", "50"),
}


def providers(order: Order) -> Call | None:
    """Who may ship an order's delivery option (5.3)."""
    option = order.facts.delivery_option_id if order.facts else ""
    if not option:
        return None
    path = f"/logistics/202309/delivery_options/{option}/shipping_providers"
    return Call("providers", "GET", path)


def needs_provider(order: Order) -> bool:
    """Ship by Seller names the provider; Ship by TikTok brings its own."""
    return order.facts is not None and order.facts.shipping_type == "SELLER"


def ship(intent: Intent, order: Order, shop: Shop, provider_id: str) -> Call:
    """The ship call of an intent (5.2)."""
    if intent.call == MARK_AS_SHIPPED:
        path = f"/fulfillment/202610/orders/{order.order_id}/packages"
        number = acceptable(intent.tracking_number)
        info = {"tracking_number": number, "shipping_provider_id": provider_id}
        body: Mapping[str, object] = {
            "order_line_list": [{"order_line_id": line} for line in _lines(intent, order)],
            "shipping_info_list": [info],
        }
    else:
        path = f"/fulfillment/202309/packages/{intent.package_id}/ship"
        if needs_provider(order):
            parcel = {
                "tracking_number": acceptable(intent.tracking_number),
                "shipping_provider_id": provider_id,
            }
            body = {"self_shipment": parcel}
        else:
            body = {"handover_method": shop.handover_method}
    return Call(intent.call, "POST", path, body=body, writes=True)


def _lines(intent: Intent, order: Order) -> list[str]:
    """The units still to ship: of the intent's package, or all that are in none yet."""
    lines = order.facts.lines if order.facts else ()
    return [
        line.line_id
        for line in lines
        if line.package_id == intent.package_id and line.display_status != "CANCELLED"
    ]


def acceptable(number: str) -> str:
    """The number as the carrier writes it, if TikTok takes that (5.2), else its bare characters."""
    written = "".join(number.split())
    return written if NUMBER.fullmatch(written) else normal(number)


NUMBER = re.compile(r"[A-Za-z0-9_./-]{4,50}")


def choose_provider(carrier: str, providers: Mapping[str, str], shop: Shop) -> str:
    """The provider whose name is the carrier's or one of its aliases, else the shop's default."""
    names = {plain(name): provider_id for provider_id, name in providers.items()}
    ours = sorted(names_of(carrier))
    found = next((names[name] for name in ours if name and name in names), "")
    return found or shop.default_provider
