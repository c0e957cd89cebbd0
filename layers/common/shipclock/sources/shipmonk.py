"""ShipMonk's webhooks (`carriers.md` section 5.2; its schema v1.024): one order each, as it stands.

Header `X-Sm-Signature`: the HMAC-SHA512 of the raw body. Its page does not say how it is spelt, so
hex and base64 are taken. ShipMonk can send a user and password beside it (HTTP Basic). An account
with the option `basic`, `user:password`, is only proven by both; without it the signature alone
proves. There is no time inside the signature: a replay is told by the delivery's own key, and what
it says is known by then.

Nothing but its shape tells which event a body is. An order's status is told as it stands when it
changes, of all its packages together; when a carrier scanned one of them is not told. So only the
notice that it was packed has a time of its own.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, plausible, words
from shipclock.sources import Account, Delivery, Headers, NotAuthentic, Translation
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    instant,
    kept,
    object_of,
    words_at,
)
from shipclock.sources.history import Told, Tracked, list_of, summary, tracked, translation
from shipclock.sources.meaning import FINAL, NOTHING_KNOWN, UNTRACKABLE, Meaning
from shipclock.sources.signatures import any_same, key_of, same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "shipmonk"
HEADER = "x-sm-signature"
EVIDENCE = (HEADER,)
"""Never `authorization`: it holds the password."""


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> bytes:
    """What ShipMonk signs a body with. Raises ValueError where the secret is no text."""
    return hmac.new(key_of(secret, NAME), body, hashlib.sha512).digest()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes, whenever that was, and whose `basic` came with them.

    Raises ValueError, which quotes nothing, where an account's `basic` can be none.
    """
    given = sent(headers, HEADER)
    authorization = headers.get("authorization", "")
    named = [account for account in accounts if _let_in(account, authorization)]
    if accounts and not named:
        raise NotAuthentic("the authorization header fits no account's basic")
    return signer(
        named,
        lambda secret: any_same(_spelt(sign(secret, body)), [given]),
        f"the {HEADER} header",
    )


def _spelt(signature: bytes) -> tuple[str, ...]:
    return signature.hex(), signature.hex().upper(), base64.b64encode(signature).decode()


def _let_in(account: Account, authorization: str) -> bool:
    if "basic" not in account.options:
        return True
    credentials = account.option("basic")
    if ":" not in credentials:  # what is meant to keep others out must not let them in
        raise ValueError(f"the basic of a {NAME} account must be user:password")
    scheme, _, given = authorization.partition(" ")
    expected = base64.b64encode(key_of(credentials, NAME)).decode()
    return same(expected, given) and scheme.lower() == "basic"


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_PACKED = Meaning(TrackingStatus.INFO_RECEIVED)
_HELD = Meaning(TrackingStatus.ON_HOLD, "fulfilment_issue")

STATUSES: dict[str, Meaning | None] = {
    "back-order": _HELD,
    "backorder": _HELD,  # the schema's list has it so, its page of webhooks as above
    "unable_to_submit": _HELD,
    "queued_to_submit": None,
    "subscription": None,
    "package_forwarding": None,
    "awaiting_label_request_from_merchant_facility": None,
    "on_hold": _HELD,
    "submitted": None,
    "updating": None,
    "pick_in_progress": None,
    "pack_in_progress": None,
    "packed": _PACKED,
    "awaiting_pick_up": _PACKED,
    "awaiting_carrier_processing": _PACKED,
    "en_route": Meaning(TrackingStatus.IN_TRANSIT),
    "delivered": Meaning(TrackingStatus.DELIVERED),
    "undeliverable": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other", (FINAL,)),
    "shipped_untrackable": Meaning(TrackingStatus.IN_TRANSIT, flags=(UNTRACKABLE,)),
    "cancellation_requested": None,
    "cancelled": Meaning(TrackingStatus.CANCELLED),
}
"""By `processing_status`. None: it says nothing of a parcel."""

NOTIFIED = "shipment_notification"
"""The code of the event that has no status: the order is packed, its carrier has not scanned it."""

OTHERS = {"rma": "a return is told of", "asn": "stock that comes in is told of"}
"""Other events, by a field that only they have."""


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """What is told of an order's packages, and the links to the order.

    A package that can't be read is left out, and the note tells it. Raises `Unreadable` where that
    is all there is, and where the status is no text.
    """
    body = json_object(delivery.body)
    odd: list[str] = []
    if "processing_status" in body:
        code = words(body, "processing_status")
        said = STATUSES.get(code, NOTHING_KNOWN)
        told_at, when = _told(body, "updated_at", odd)
        carrier = any_words(any_object(body, "shipment_data"), "carrier")
        if not code or said is None:
            return Translation(note=f"processing_status {code!r} says nothing of a parcel")
        # it tells when the order was changed, for whatever cause: no scan was made later
        (told,) = summary(Told(kept(code), said, told_at, when), (), delivery.received_at)
    elif "packages" in body:
        told_at, when = _told(body, "shipped_at", odd)
        carrier = any_words(body, "carrier")
        told = Told(NOTIFIED, _PACKED, told_at, when)
    else:
        note = next((note for key, note in OTHERS.items() if key in body), "no order is told of")
        return Translation(note=note)
    parcels = _parcels(body, delivery, kept(carrier), odd)
    links = [each.link(body, key) for each in parcels for key in ("parent_order_key", "order_key")]
    if not parcels:
        return Translation(note=f"{told.code}: no tracking number is known yet")
    return translation(
        [each.scan(told) for each in parcels],
        odd,
        links=tuple(dict.fromkeys(link for found, _ in links for link in found)),
        notes=list(dict.fromkeys(note for _, note in links)),
    )


def _parcels(body: Object, delivery: Delivery, carrier: str, odd: list[str]) -> list[Tracked]:
    """The packages that have a number, each with its own; the order's only where none has.

    Raises `Unreadable` where there are numbers and none can be one.
    """
    found: list[Tracked] = []
    unread: list[str] = []
    for at, entry in enumerate(list_of(body.get("packages"), "packages", unread)):
        field = f"packages[{at}]"
        try:
            package = object_of(entry, field)
            if words_at(package, "tracking_number", field):
                found.append(tracked(NAME, package, "tracking_number", field, delivery, carrier))
        except Unreadable as problem:
            unread.append(str(problem))
    if not found and words(body, "master_tracking_number"):
        found.append(tracked(NAME, body, "master_tracking_number", "", delivery, carrier))
    if not found and unread:
        raise Unreadable(unread[0])
    odd += unread
    return found


_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")


def _told(data: Object, key: str, odd: list[str]) -> tuple[str, When | None]:
    """A time in its words and read; one that can't be read costs itself.

    Some old stores send an object instead: a local time, and the name of its time zone beside it.
    """
    found = data.get(key)
    try:
        if not isinstance(found, dict):
            told_at = words(data, key)
            return told_at, instant(told_at, key) if told_at else None
        date, zone = words_at(found, "date", key), words_at(found, "timezone", key)
        return f"{date} {zone}", _zoned(date, zone, key)
    except Unreadable as problem:
        odd.append(str(problem))
        return "", None


def _zoned(date: str, zone: str, field: str) -> When:
    """A local time of a zone. Only an offset leaves no doubt; an hour may come twice in a zone."""
    if _OFFSET.fullmatch(zone):
        return instant(date + zone, field)
    occurred_at, basis = instant(date, field)
    if zone in ("UTC", "Z", "GMT"):
        return occurred_at, TimeBasis.UTC
    try:
        local = occurred_at.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return occurred_at, basis  # read as UTC, and proves nothing missed
    return plausible(local.astimezone(UTC), field), TimeBasis.ZONE
