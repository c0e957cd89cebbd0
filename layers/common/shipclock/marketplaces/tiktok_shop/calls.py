"""The calls we make, each built in one place (`tiktok-shop.md` section 5). No I/O."""

from collections.abc import Sequence
from datetime import datetime

from shipclock.domain.order import Order
from shipclock.marketplaces.protocol import Call, Keys, Shop
from shipclock.marketplaces.tiktok_shop.versions import path, segment

BATCH = 50
SEARCHES: tuple[str, ...] = ("orders", "cancellations", "returns")


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


def cases(order_ids: Sequence[str]) -> Sequence[tuple[str, Call]]:
    """The searches that show the cancellations and returns of some orders."""
    return [(name, _of_orders(name, order_ids)) for name in ("cancellations", "returns")]


def _of_orders(name: str, order_ids: Sequence[str]) -> Call:
    query = {"page_size": PAGE_SIZES[name], "sort_field": "update_time", "sort_order": "DESC"}
    where = path(f"search_{name}")
    return Call(f"search_{name}", "POST", where, query, {"order_ids": list(order_ids)})
