"""Any 3PL that signs as the public Standard Webhooks specification says (`carriers.md` section 3).

Headers `webhook-id`, `webhook-timestamp`, `webhook-signature` (or `svix-…`); the signature is
`v1,` + base64 HMAC-SHA256 over id.timestamp.body; times may differ by five minutes either way.
The body carries our own vocabulary, so nothing is mapped (DESIGN 6, generic 3PL body).
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from shipclock.domain.tracking import DELIVERED_TO, PROOFS, REASONS, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import (
    Account,
    Delivery,
    Headers,
    NotAuthentic,
    Translation,
    Unsigned,
)
from shipclock.sources.fields import instant
from shipclock.sources.history import Told, tracked, translation
from shipclock.sources.meaning import WITH_A_REASON, Meaning
from shipclock.sources.signatures import any_same

LIMIT = 256 * 1024
FORM = False
NAME = "standard_webhooks"
TOLERANCE = 5 * 60
EVIDENCE = (
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "svix-id",
    "svix-timestamp",
    "svix-signature",
)
STATUSES = {status.value: status for status in TrackingStatus}
EVENT = "shipment.tracking.updated"


def sign(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """One `v1,…` signature. Raises ValueError where the secret is not base64."""
    text = secret.removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:  # an empty key would let anybody sign; the message must not quote the secret
        raise ValueError("a standard_webhooks secret must be whsec_ and base64")
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes not more than five minutes ago or ahead."""
    message_id, timestamp, given = (
        headers.get(f"webhook-{name}") or headers.get(f"svix-{name}", "")
        for name in ("id", "timestamp", "signature")
    )
    if not given:
        raise Unsigned("no webhook-signature header")
    plain = bool(message_id) and message_id.isascii()
    if not plain or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        raise NotAuthentic("webhook-id or webhook-timestamp is missing or malformed")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise NotAuthentic("webhook-timestamp is more than five minutes off")
    for account in accounts:
        expected = [sign(secret, message_id, timestamp, body) for secret in account.secrets]
        if any_same(expected, given.split(" ")):
            return account
    raise NotAuthentic("the webhook-signature header fits no secret")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


def translate(delivery: Delivery) -> Translation:
    """One tracking event, and the link to an order where the body names one."""
    body = json_object(delivery.body)
    kind = words(body, "type")
    if kind != EVENT:
        return Translation(note=f"type {kind!r} is not {EVENT}")
    data = part(body, "data")
    parcel = tracked(
        NAME, data, "tracking_number", "data", delivery, _one_of(None, data, "carrier")
    )
    code = words(data, "status")
    if not code:
        raise Unreadable("data.status: a tracking status was expected")
    told_at = words(data, "occurred_at")
    status = STATUSES.get(code, TrackingStatus.UNKNOWN)
    unsaid = "other" if status in WITH_A_REASON else ""
    said = Meaning(
        status,
        reason=_one_of(REASONS, data, "reason") or unsaid,
        delivered_to=_one_of(DELIVERED_TO, data, "delivered_to"),
        proof=_one_of(PROOFS, data, "proof"),
    )
    told = Told(code, said, told_at, instant(told_at, "data.occurred_at"))
    links, note = parcel.link(data, "reference")
    return translation([parcel.scan(told)], links=links, notes=[note])


def _one_of(accepted: frozenset[str] | None, data: Object, key: str) -> str:
    """An optional word; of a fixed vocabulary, `other` for anything else.

    Events are kept for good, so free text that may name a person stays in the delivery.
    """
    try:
        told = words(data, key)
    except Unreadable:
        return "other" if accepted else ""
    return told if not told or accepted is None or told in accepted else "other"
