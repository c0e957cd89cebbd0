"""Lalamove's webhooks, version 3 (`carriers.md` section 6.4): one order of a courier each.

The signature stands in the body: the hex HMAC-SHA256 over `timestamp`, the method, the path that
Lalamove calls and the text of `data` exactly as it was sent, with CRLFs between. So `data` is cut
out of the raw body, which is never written anew. The path is the one that an outsider calls, with
the gateway's stage; behind an address of one's own the account's option `path` names it. Times may
differ by five minutes either way, and are in seconds or milliseconds.

`eventType` and `eventId` are not signed, so nothing rests on them: what `data` holds says what is
told. Before an address is saved it is called with an empty body, which is told yes.

An order of Lalamove's is its tracking number. `updatedAt` has its seconds after a full stop, and a
Z although it was seen to be local time: it proves no deadline missed, and what was told later than
it was signed was told when it was signed.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from shipclock.domain.event import Link, Replacement
from shipclock.domain.times import from_unix
from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, members, part
from shipclock.sources import (
    PATH,
    Account,
    Delivery,
    Headers,
    NotAuthentic,
    Probe,
    Translation,
    Unsigned,
)
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    code_at,
    instant,
    kept,
    number_of,
    object_of,
    words_at,
)
from shipclock.sources.history import Told, Tracked, list_of, translation
from shipclock.sources.meaning import NOTHING_KNOWN, Meaning
from shipclock.sources.signatures import key_of, same

LIMIT = 256 * 1024
FORM = False
NAME = "lalamove"
CARRIER = "Lalamove"
EVIDENCE = (PATH,)
"""The rest of the proof stands in the body."""
TOLERANCE = 5 * 60


# PROVING IT ---------------------------------------------------------------------------------------

_TIMESTAMP = re.compile(r"[0-9]{10}(?:[0-9]{3})?")


def sign(secret: str, timestamp: str, path: str, data: str) -> str:
    """The signature Lalamove puts into a body. Raises ValueError where the secret is no text."""
    signed = f"{timestamp}\r\nPOST\r\n{path}\r\n\r\n{data}".encode("utf-8", "surrogatepass")
    return hmac.new(key_of(secret, NAME), signed, hashlib.sha256).hexdigest()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed `data` not more than five minutes ago or ahead, for our own path.

    That is the path that was called, or the account's option `path`, where the caller sees another
    one. With the option `api_key` only bodies with that `apiKey` are taken. Raises `Probe` for an
    empty body.
    """
    if not body:
        raise Probe("an empty body")
    try:
        told = members(body)
    except ValueError:  # it may quote the body
        raise NotAuthentic("the body is no JSON object, or names a thing twice") from None
    given, timestamp = (_text(told, name) for name in ("signature", "timestamp"))
    if not given:
        raise Unsigned("no signature in the body")
    if "data" not in told or not _TIMESTAMP.fullmatch(timestamp):
        raise NotAuthentic("data or timestamp is missing or malformed")
    if abs(now - _instant(timestamp)).total_seconds() > TOLERANCE:
        raise NotAuthentic("the timestamp is more than five minutes off")
    for account in accounts:
        if account.options.get("api_key", "") not in ("", _text(told, "apiKey")):
            continue
        paths = {account.option("path"), headers.get(PATH, "")} - {""}
        expected = [
            sign(secret, timestamp, path, told["data"][1])
            for secret in account.secrets
            for path in paths
        ]
        if any([same(each, given) for each in expected]):
            return account
    raise NotAuthentic("the signature in the body fits no secret with our path")


def _text(told: Mapping[str, tuple[object, str]], name: str) -> str:
    """A text of a body's, or a whole number as it is written there; empty where it is neither."""
    value, written = told.get(name, ("", ""))
    if isinstance(value, int) and not isinstance(value, bool):
        return written
    return value if isinstance(value, str) else ""


def _instant(timestamp: str) -> datetime:
    return from_unix(int(timestamp) / (1000 if len(timestamp) > 10 else 1))


def acknowledge(body: bytes) -> bytes:
    """A plain 200 will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_BOOKED = Meaning(TrackingStatus.INFO_RECEIVED)
_DELIVERED = Meaning(TrackingStatus.DELIVERED)
_FAILED = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other")
_NOBODY = Meaning(TrackingStatus.CANCELLED, "no_courier_found")

STATUSES = {
    "ASSIGNING_DRIVER": _BOOKED,
    "ON_GOING": _BOOKED,
    "PICKED_UP": Meaning(TrackingStatus.OUT_FOR_DELIVERY),  # from door to door: no depot between
    "COMPLETED": _DELIVERED,
    "CANCELED": Meaning(TrackingStatus.CANCELLED),
    "REJECTED": _NOBODY,
    "EXPIRED": _NOBODY,
}

PROOFS: dict[str, Meaning | None] = {
    "PENDING": None,
    "DELIVERED": _DELIVERED,
    "SIGNED": _DELIVERED._replace(proof="signature"),
    "FAILED": _FAILED,
    "REJECTED": _FAILED,
}
"""By the status of a stop's proof of delivery (`POD`). None: nobody was there yet."""


def meaning(status: str, proofs: Sequence[Meaning | None] = ()) -> Meaning | None:
    """What an order's status and the proofs of its drops say together; None where nothing.

    A drop that failed makes a failed attempt of an order that goes on or is completed. Drops that
    all succeeded make it delivered, by the weakest of their proofs.
    """
    said = STATUSES.get(status, NOTHING_KNOWN) if status else None
    if said and said.status in (TrackingStatus.CANCELLED, TrackingStatus.UNKNOWN):
        return said
    known = [each for each in proofs if each]
    if any(each.status is _FAILED.status for each in known):
        partly = any(each.status is _DELIVERED.status for each in known)
        return _FAILED._replace(flags=("partial",) if partly else ())
    if proofs and len(known) == len(proofs):
        return min(known, key=lambda each: STRENGTH.index(each.proof))
    return said


STRENGTH = ("", "photo", "otp", "signature")


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------

ORDER_ID = ("order_id", "orderId")
"""Names in an order's `metadata`, which is whatever was given when it was placed."""


def translate(delivery: Delivery) -> Translation:
    """What is told of an order, and the link that its metadata makes.

    Raises `Unreadable` where the order's id, the one that it replaces, or a status can't be read.
    What the body tells of drivers, stops and codes stays in the delivery.
    """
    body = json_object(delivery.body)
    data = part(body, "data")
    if data.get("order") is None:
        return Translation(note="no order is told of")
    order = object_of(data["order"], "data.order")
    parcel = _parcel(order, "orderId", "data.order", delivery)
    odd: list[str] = []
    drops = [_object(each) for each in list_of(order.get("stops"), "data.order.stops", odd)[1:]]
    status = words_at(order, "status", "data.order")
    said = meaning(status, [_proof(drop) for drop in drops])
    told = _told(data, status, drops, said, _signed_at(body, delivery), odd) if said else None
    links, unlinked = _link(parcel, any_object(order, "metadata"))
    replaced = _replaced(data, parcel)
    notes = [
        "" if told else "it says nothing of where the parcel is",
        *(f"it takes the place of order {each.old}" for each in replaced),
        *(f"left out: {each}" for each in odd),
        unlinked,
    ]
    scans = [parcel.scan(told)] if told else []
    return replace(translation(scans, links=links, notes=notes), replaced=replaced)


def _parcel(data: Object, key: str, field: str, delivery: Delivery) -> Tracked:
    """Ids have 19 digits; some write them as numbers."""
    written = code_at(data, key, field)
    return Tracked(NAME, number_of(written, f"{field}.{key}"), written, delivery, CARRIER)


def _object(found: object) -> Object:
    return found if isinstance(found, dict) else {}


def _proof(drop: Object) -> Meaning | None:
    """What a stop's proof of delivery says; the first stop is the pickup and has none."""
    pod = any_object(drop, "POD")
    said = PROOFS.get(any_words(pod, "status"))
    if said is None or said.status is not TrackingStatus.DELIVERED or said.proof:
        return said
    if any_words(any_object(drop, "deliveryCode"), "status") == "Verified":
        return said._replace(proof="otp")
    return said._replace(proof="photo") if any_words(pod, "image") else said


def _told(
    data: Object,
    status: str,
    drops: Sequence[Object],
    said: Meaning,
    signed_at: datetime,
    odd: list[str],
) -> Told:
    pods = [any_object(drop, "POD") for drop in drops]
    told_at, when = "", (signed_at, TimeBasis.RECEIVED)
    try:
        told_at = words_at(data, "updatedAt", "data")
        told_at = told_at or next(filter(None, (any_words(p, "deliveredAt") for p in pods)), "")
        when = _when(told_at, signed_at) if told_at else when
    except Unreadable as problem:
        odd.append(str(problem))
    return Told(
        code=kept("/".join(filter(None, (status, *(any_words(pod, "status") for pod in pods))))),
        said=said,
        told_at=told_at,
        when=when,
        marks=(said.status, said.proof),  # a proof may come later than the delivery that it proves
    )


_DOT_SECONDS = re.compile(r"(.*T[0-9]{2}:[0-9]{2})\.([0-9]{2})(Z|[+-][0-9:]+)?", re.IGNORECASE)


def _when(told_at: str, signed_at: datetime) -> When:
    """A time like 2026-11-10T08:43.00Z. Only an offset other than Z is believed."""
    found = _DOT_SECONDS.fullmatch(told_at)
    plain = f"{found[1]}:{found[2]}{found[3] or ''}" if found else told_at
    occurred_at, basis = instant(plain, "data.updatedAt")
    if basis is TimeBasis.OFFSET:
        return occurred_at, basis
    return min(occurred_at, signed_at), TimeBasis.ZONE


def _signed_at(body: Object, delivery: Delivery) -> datetime:
    """When the body was signed, which is no earlier than what it tells."""
    timestamp = code_at(body, "timestamp", "")
    return _instant(timestamp) if _TIMESTAMP.fullmatch(timestamp) else delivery.received_at


def _link(parcel: Tracked, metadata: Object) -> tuple[tuple[Link, ...], str]:
    key = next((key for key in ORDER_ID if metadata.get(key)), ORDER_ID[0])
    return parcel.link(metadata, key, "data.order.metadata")


def _replaced(data: Object, parcel: Tracked) -> tuple[Replacement, ...]:
    """The order that this one takes the place of: Lalamove gives a new id and goes on with it."""
    written = code_at(data, "prevOrderId", "data")
    if not written:
        return ()
    old = number_of(written, "data.prevOrderId")
    if old == parcel.number:
        return ()
    return (Replacement(old, parcel.number, NAME, parcel.delivery.shops),)
