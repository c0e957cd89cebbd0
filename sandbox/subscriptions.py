"""Webhook addresses per topic.

Partner Center, "Update Shop Webhook" (PUT, one topic per call, upsert), "Get Shop Webhooks",
"Delete Shop Webhook" (a JSON body, which is signed). Addresses: HTTPS, a domain name, no port,
at most 255 characters ("Webhooks overview").
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sandbox.gate import Asked
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

EVENT_TYPES = (
    "ORDER_STATUS_CHANGE",
    "RECIPIENT_ADDRESS_UPDATE",
    "PACKAGE_UPDATE",
    "PRODUCT_STATUS_CHANGE",
    "SELLER_DEAUTHORIZATION",
    "UPCOMING_AUTHORIZATION_EXPIRATION",
    "CANCELLATION_STATUS_CHANGE",
    "RETURN_STATUS_CHANGE",
    "REVERSE_STATUS_UPDATE",
    "NEW_CONVERSATION",
    "NEW_MESSAGE",
    "NEW_MESSAGE_LISTENER",
    "PRODUCT_INFORMATION_CHANGE",
    "PRODUCT_CREATION",
    "PRODUCT_CATEGORY_CHANGE",
    "PRODUCT_AUDIT_STATUS_CHANGE",
    "INVOICE_STATUS_CHANGE",
)
PUT_BODY: Shape = {"address!": str, "event_type!": EVENT_TYPES}
DELETE_BODY: Shape = {"event_type!": EVENT_TYPES}

_LONGEST = 255
_DOMAIN = re.compile(r"https://([a-z0-9-]+\.)+[a-z][a-z0-9-]*(/.*)?", re.IGNORECASE)


def put(world: World, asked: Asked) -> dict[str, object]:
    """Set the address of one topic, in place of an earlier one."""
    address, event_type = str(asked.body["address"]), str(asked.body["event_type"])
    bare = urlsplit(address)._replace(query="").geturl()
    if len(address) > _LONGEST or not _DOMAIN.fullmatch(bare):
        raise Refusal(BAD_PARAMETER, "address must be https, a domain name, without a port")
    now = int(world.real_now())
    created = asked.shop.topics.get(event_type, {}).get("create_time", now)
    asked.shop.topics[event_type] = {
        "event_type": event_type,
        "address": address,
        "create_time": created,
        "update_time": now,
    }
    return {}


def get(_: World, asked: Asked) -> dict[str, object]:
    """What is set, by topic name. Times are in seconds, as in the page's sample."""
    rows = [asked.shop.topics[name] for name in sorted(asked.shop.topics)]
    return {"webhooks": [dict(row) for row in rows], "total_count": len(rows)}


def delete(_: World, asked: Asked) -> dict[str, object]:
    """Forget the address of one topic; succeeds even when none was set."""
    asked.shop.topics.pop(str(asked.body["event_type"]), None)
    return {}
