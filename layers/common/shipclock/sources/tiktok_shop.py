"""TikTok Shop webhooks (`tiktok-shop.md` section 3): thin notes that ask for a re-read, news of the
shop, and stock as told.

Signature: the `Authorization` header is the bare lower-case hex HMAC-SHA256 of app key + raw body,
keyed by the app secret. An account's name is its app key. There is no time inside the signature,
so a replay is told by the delivery's own key, not by its age.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime

from shipclock.domain.event import Hint
from shipclock.domain.order import SPELLINGS
from shipclock.reading import (
    Object,
    Unreadable,
    digest,
    identifier,
    json_object,
    optional_id,
    part,
    parts,
    unix,
    whole,
    words,
)
from shipclock.sources import (
    Account,
    Delivery,
    Headers,
    NotAuthentic,
    ShopNews,
    StockNews,
    Translation,
    Unsigned,
)
from shipclock.sources.fields import instant
from shipclock.sources.signatures import same

LIMIT = 256 * 1024
FORM = False
EVIDENCE = ("authorization",)
NAME = "tiktok_shop"


def sign(account: Account, secret: str, body: bytes) -> str:
    """The signature TikTok sends for a body (`tiktok-shop.md` 3.2)."""
    return hmac.new(secret.encode(), account.name.encode() + body, hashlib.sha256).hexdigest()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The app that signed the raw bytes."""
    given = headers.get("authorization", "")
    if not given:
        raise Unsigned("no Authorization header")
    for account in accounts:
        if any([same(sign(account, secret, body), given) for secret in account.secrets]):
            return account
    raise NotAuthentic("the Authorization header fits no app")


def acknowledge(body: bytes) -> bytes:
    """TikTok wants an empty body within three seconds (`tiktok-shop.md` 3.1)."""
    return b""


def translate(delivery: Delivery) -> Translation:
    """Hints for the orders a webhook names, news of the shop, its stock as told. Unknown types and
    those that touch none of these mean nothing yet."""
    body = json_object(delivery.body)
    kind = whole(body, "type")
    if kind is None:
        raise Unreadable("type: a whole number was expected")
    shop_id = identifier(body.get("shop_id"), "shop_id")
    if not delivery.may_speak_for(shop_id):
        raise Unreadable(f"shop_id: app {delivery.account} may not speak for shop {shop_id}")
    if kind in STOCK_TOPICS:
        stock = STOCK_TOPICS[kind](body, shop_id, delivery.received_at)
        return Translation(stock=(stock,))
    news: tuple[ShopNews, ...] = ()
    if kind in SHOP_NEWS:
        ends_at = _ends_at(part(body, "data")) if SHOP_NEWS[kind] == EXPIRING else None
        news = (ShopNews(shop_id, SHOP_NEWS[kind], delivery.received_at, ends_at),)
    if kind in ORDER_TOPICS:
        return Translation(events=_hints(body, kind, shop_id, delivery.received_at), news=news)
    return Translation(news=news, note="" if news else f"type {kind} touches no order")


def _hints(body: Object, kind: int, shop_id: str, received_at: datetime) -> tuple[Hint, ...]:
    """One hint for each order that a webhook names; where it must name one, it does."""
    topic, orders_in = ORDER_TOPICS[kind]
    data = part(body, "data")
    orders = orders_in(data)
    if not orders and kind not in SHOP_NEWS:
        raise Unreadable(f"data: {topic} names no order")
    told = _told(body, kind, shop_id, data)
    status = words(data, "order_status") if kind == 1 else ""
    return tuple(
        Hint(
            identity=digest(NAME, told, order_id),
            order_id=order_id,
            shop_id=shop_id,
            topic=topic,
            received_at=received_at,
            status=SPELLINGS.get(status, status),
            update_time=unix(data, "update_time") or unix(data, "create_time"),
        )
        for order_id in orders
    )


def _told(body: Object, kind: int, shop_id: str, data: Object) -> str:
    """What makes a webhook itself: its notification id, else what it says (3.1)."""
    return optional_id(body, "tts_notification_id") or digest(NAME, str(kind), shop_id, repr(data))


def _ends_at(data: Object) -> datetime:
    """When an authorisation ends: a text of Unix seconds (3.6, type 7)."""
    ends_at = unix(data, "expiration_time")
    if ends_at is None:
        raise Unreadable("expiration_time: Unix seconds were expected")
    return ends_at


# Where each topic names its orders


def _one(data: Object) -> list[str]:
    return [identifier(data.get("order_id"), "data.order_id")]


def _of_packages(data: Object) -> list[str]:
    listed = [item for package in parts(data, "package_list") for item in _ids(package)]
    return sorted({identifier(value, "data.package_list.order_id_list") for value in listed})


def _ids(package: Object) -> list[object]:
    found = package.get("order_id_list")
    return found if isinstance(found, list) else []


def _several(data: Object) -> list[str]:
    found = data.get("order_ids")
    listed = found if isinstance(found, list) else []
    return sorted({identifier(value, "data.order_ids") for value in listed})


def _refunded(data: Object) -> list[str]:
    named = [line.get("main_order_id") for line in parts(data, "line_items")]
    told = [value for value in named if value not in (None, "")]
    return sorted({identifier(value, "data.line_items.main_order_id") for value in told})


# Stock


def _low_or_out(body: Object, shop_id: str, received_at: datetime) -> StockNews:
    """Type 27: how a SKU stands against the seller's own line, and what is left of it."""
    data = part(body, "data")
    counts = part(data, "inventory_distribution") if data.get("inventory_distribution") else {}
    return StockNews(
        shop_id=shop_id,
        sku_id=identifier(data.get("sku_id"), "data.sku_id"),
        at=unix(data, "update_time") or unix(body, "timestamp") or received_at,
        event_id=_told(body, 27, shop_id, data),
        product_id=optional_id(data, "product_id"),
        quantities=_quantities(counts, DISTRIBUTION),
        status=words(data, "current_inventory_status"),
    )


def _changed(body: Object, shop_id: str, received_at: datetime) -> StockNews:
    """Type 71: the quantities of a SKU after a change. Its ids are numbers above 2^53."""
    data = part(body, "data")
    if optional_id(data, "shop_id") not in ("", shop_id):
        raise Unreadable("data.shop_id: another shop than that of the webhook")
    told_at = words(data, "occurred_at")
    counts = "quantity_snapshot_after_change"
    return StockNews(
        shop_id=shop_id,
        sku_id=identifier(data.get("sku_id"), "data.sku_id"),
        at=instant(told_at, "data.occurred_at")[0] if told_at else received_at,
        event_id=_event_id(data) or _told(body, 71, shop_id, data),
        product_id=optional_id(data, "product_id"),
        quantities=_quantities(part(data, counts), SNAPSHOT),
    )


def _event_id(data: Object) -> str:
    """An event's own id exactly as it was sent; a number keeps all of its digits."""
    found = data.get("event_id")
    return str(found)[:100] if type(found) is int else words(data, "event_id")


def _quantities(counts: Object, names: dict[str, str]) -> dict[str, int]:
    """Pieces by our names; what was not told is left out."""
    found = {ours: whole(counts, theirs) for theirs, ours in names.items()}
    odd = [ours for ours, count in found.items() if count is not None and abs(count) > MOST_PIECES]
    if odd:
        raise Unreadable(f"{odd[0]}: nobody has more than {MOST_PIECES} pieces")
    return {ours: count for ours, count in found.items() if count is not None}


MOST_PIECES = 10**12

DISTRIBUTION = {
    "total_quantity": "total",
    "available_quantity": "available",
    "committed_quantity": "committed",
    "campaign_reserved_quantity": "campaign",
    "creator_reserved_quantity": "creator",
}
SNAPSHOT = {
    "total_quantity": "total",
    "total_available_quantity": "available",
    "total_committed_quantity": "committed",
    "in_shop_quantity": "in_shop",
    "campaign_locked_quantity": "campaign",
    "creator_locked_quantity": "creator",
}
"""Their names of quantities to ours, by topic (3.6, types 27 and 71)."""

ORDER_TOPICS: dict[int, tuple[str, Callable[[Object], list[str]]]] = {
    1: ("order_status_change", _one),
    2: ("reverse_status_update", _one),
    3: ("recipient_address_update", _one),
    4: ("package_update", _of_packages),
    11: ("cancellation_status_change", _one),
    12: ("return_status_change", _one),
    36: ("invoice_status_change", _several),
    67: ("refund_success", _refunded),
}
"""Topics that name orders (`tiktok-shop.md` 3.5 and 3.6), and where they name them."""

STOCK_TOPICS = {27: _low_or_out, 71: _changed}
"""Topics about a SKU's stock."""

EXPIRING = "expiring"
SHOP_NEWS = {6: "deauthorised", 7: EXPIRING, **dict.fromkeys((64, 65, 67), "aftersales")}
"""Topics about a shop as a whole. Those of the new after-sales flow name its cases; 67 names the
orders of its lines too, if it has any."""
