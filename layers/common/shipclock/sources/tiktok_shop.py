"""TikTok Shop webhooks (`tiktok-shop.md` section 3): thin notes that ask for a re-read.

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
    Translation,
    Unsigned,
)
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
    """Hints for the orders a webhook names, or news of the shop. Unknown types mean nothing yet."""
    body = json_object(delivery.body)
    kind = whole(body, "type")
    if kind is None:
        raise Unreadable("type: a whole number was expected")
    shop_id = identifier(body.get("shop_id"), "shop_id")
    if not delivery.may_speak_for(shop_id):
        raise Unreadable(f"shop_id: app {delivery.account} may not speak for shop {shop_id}")
    if kind in SHOP_NEWS:
        return Translation(news=(ShopNews(shop_id, SHOP_NEWS[kind], delivery.received_at),))
    if kind not in ORDER_TOPICS:
        return Translation(note=f"type {kind} touches no order")
    topic, orders_in = ORDER_TOPICS[kind]
    data = part(body, "data")
    orders = orders_in(data)
    if not orders:
        raise Unreadable(f"data: {topic} names no order")
    told = optional_id(body, "tts_notification_id") or digest(NAME, str(kind), shop_id, repr(data))
    status = words(data, "order_status") if kind == 1 else ""
    return Translation(
        events=tuple(
            Hint(
                identity=digest(NAME, told, order_id),
                order_id=order_id,
                shop_id=shop_id,
                topic=topic,
                received_at=delivery.received_at,
                status=SPELLINGS.get(status, status),
                update_time=unix(data, "update_time") or unix(data, "create_time"),
            )
            for order_id in orders
        )
    )


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


ORDER_TOPICS: dict[int, tuple[str, Callable[[Object], list[str]]]] = {
    1: ("order_status_change", _one),
    2: ("reverse_status_update", _one),
    3: ("recipient_address_update", _one),
    4: ("package_update", _of_packages),
    11: ("cancellation_status_change", _one),
    12: ("return_status_change", _one),
    36: ("invoice_status_change", _several),
}
"""Topics that name orders (`tiktok-shop.md` 3.5 and 3.6), and where they name them."""

SHOP_NEWS = {6: "deauthorised", 7: "expiring"}
