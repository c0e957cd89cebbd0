"""Easyship's tracking webhooks (`carriers.md` section 5.4): a parcel's status, or its checkpoints.

Header `X-EASYSHIP-SIGNATURE`: a JSON Web Token, signed with HS256 and the webhook's secret. It
names the company and covers nothing of the body, so what a body says is unconfirmed. Whoever has
seen a token could send it again with another body: it is not kept.

Versions differ: up to 2023-01 all is under `tracking_status`, since 2024-09 under `data`, with the
checkpoints in a list. A status that changes comes without a time. It is one scan, of its receipt,
whenever it is told: a second failed attempt, days later, can't be told apart from the first.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import Account, Delivery, Headers, NotAuthentic, Translation
from shipclock.sources.fields import any_words, folded, kept, local, place, words_at
from shipclock.sources.history import (
    Told,
    dated,
    entries,
    list_of,
    summary,
    tracked,
    translation,
)
from shipclock.sources.meaning import NOTHING_KNOWN, UNCLASSIFIED, UNTRACKABLE, Meaning
from shipclock.sources.signatures import key_of, same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "easyship"
HEADER = "x-easyship-signature"
EVIDENCE = ()
LEEWAY = 60
"""Seconds by which the token's times and our clock may differ."""
TIMES = ("exp", "nbf", "iat")
FARTHEST = 1e11
"""Seconds that no clock shows."""
COMPANY = "easyship_company_id"
EVENTS = ("shipment.tracking.status.changed", "shipment.tracking.checkpoints.created")


# PROVING IT ---------------------------------------------------------------------------------------

TOKEN = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]{43})", re.ASCII)


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(secret: str, signed: str) -> str:
    """HS256 of a token's first two parts. Raises ValueError where the secret is no text."""
    return _base64(hmac.new(key_of(secret, NAME), signed.encode(), hashlib.sha256).digest())


def sign(secret: str, claims: Mapping[str, Any]) -> str:
    """The token Easyship sends with these claims. Raises ValueError where the secret is no text."""
    head = {"alg": "HS256", "typ": "JWT"}
    signed = ".".join(_base64(json.dumps(each).encode()) for each in (head, claims))
    return f"{signed}.{_mac(secret, signed)}"


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose secret signed the token, whatever the body.

    HS256 alone is taken, whatever the token asks for. Its times count where it has any. An account
    that names its company, `company_id`, is proven by that company's tokens only.
    """
    found = TOKEN.fullmatch(sent(headers, HEADER))
    if not found:
        raise NotAuthentic(f"the {HEADER} header is no signed token")
    head, claims = _object(found[1]), _object(found[2])
    if head.get("alg") != "HS256" or "crit" in head or head.get("b64", True) is not True:
        raise NotAuthentic("the token is not signed with HS256, or asks for more than that")
    _check_times(claims, now.timestamp())
    company = claims.get(COMPANY)
    if not isinstance(company, str) or not company:
        raise NotAuthentic("the token names no company")
    theirs = [account for account in accounts if _is_for(account, company)]
    if accounts and not theirs:
        raise NotAuthentic("the token is of another company than the accounts'")
    signed, signature = f"{found[1]}.{found[2]}", found[3]
    return signer(
        theirs, lambda secret: same(_mac(secret, signed), signature), f"the {HEADER} header"
    )


def _object(written: str) -> Object:
    """A part of a token. Raises `NotAuthentic` where it is no JSON object."""
    try:
        return json_object(base64.urlsafe_b64decode(written + "=" * (-len(written) % 4)))
    except ValueError as error:
        raise NotAuthentic("a part of the token is no JSON object") from error


def _check_times(claims: Object, now: float) -> None:
    """Raises `NotAuthentic` for a token that has run out, or is of the future."""
    for claim in TIMES:
        if claim not in claims:
            continue
        told = claims[claim]
        if isinstance(told, bool) or not isinstance(told, int | float) or abs(told) > FARTHEST:
            raise NotAuthentic(f"the token's {claim} is no time")
        over = now - told >= LEEWAY if claim == "exp" else told - now > LEEWAY
        if over:
            raise NotAuthentic(f"by its {claim} the token is not good now")


def _is_for(account: Account, company: str) -> bool:
    wanted = account.options.get("company_id")
    return wanted in (None, "") or str(wanted) == company


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do. After thirty tries, a minute apart, Easyship switches the webhook off."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_INFO = Meaning(TrackingStatus.INFO_RECEIVED)
_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_CANCELLED = Meaning(TrackingStatus.CANCELLED)

STATUSES = {
    "arrived at consolidation center": _MOVING,
    "delivered": Meaning(TrackingStatus.DELIVERED),
    "delivery expected (end of updates)": Meaning(TrackingStatus.EXPIRED),
    "exception": UNCLASSIFIED,
    "failed delivery attempt": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "in transit to consolidation center": _MOVING,
    "in transit to customer": _MOVING,
    "liquidated": Meaning(TrackingStatus.DISPOSED),
    "lost by courier": Meaning(TrackingStatus.LOST),
    "no recent tracking updates": Meaning(TrackingStatus.DELAYED, "no_updates"),
    "out for delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "processing at consolidation center": _MOVING,
    "shipped (no tracking provided)": _MOVING._replace(flags=(UNTRACKABLE,)),
    "shipped": Meaning(TrackingStatus.PICKED_UP),
    "to be returned": Meaning(TrackingStatus.RETURNING),
    "uncancelled": _INFO,
    # not of a status that changes, but of checkpoints and of the older version's answers
    "awaiting pickup at seller": _INFO,
    "pending tracking event": _INFO,
    "tracking info received": _INFO,
    "tracking information received": _INFO,
    "cancelled pending refund": _CANCELLED,
    "cancelled and refunded": _CANCELLED,
}
"""Keyed by the folded text."""


def meaning(status: str) -> Meaning:
    """What a status text means; unknown where it is not in the table."""
    return STATUSES.get(folded(status), NOTHING_KNOWN)


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of one parcel, and the link to the order that the body names.

    A checkpoint that can't be read is left out, and the note tells it. Raises `Unreadable` where
    the number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    kind = words(body, "event_type")
    if kind not in EVENTS:
        return Translation(note=f"event {kind!r} is no news of tracking")
    field = "data" if body.get("data") is not None else "tracking_status"
    return read_parcel(part(body, field), field, delivery)


def read_parcel(data: Object, field: str, delivery: Delivery) -> Translation:
    """What is told of one parcel, in a webhook or in an answer of the API."""
    status = any_words(data, "status")
    if UNTRACKABLE in meaning(status).flags and not words_at(data, "tracking_number", field):
        return Translation(note=f"{status!r}, so there is no number to keep it under")
    parcel = tracked(NAME, data, "tracking_number", field, delivery, confirmed=delivery.pulled)
    odd: list[str] = []
    # the older version's sample has an empty object for a list
    listed = list_of(data.get("checkpoints") or None, f"{field}.checkpoints", odd)
    told = dated(entries(listed, f"{field}.checkpoints", _checkpoint, odd), delivery.received_at)
    told += _own(data, field, told, delivery.received_at, odd)
    key = "platform_order_number"
    order = any_words(data, key).removeprefix("#")
    links, unlinked = parcel.link({key: order}, key, field)
    return translation(map(parcel.scan, told), odd, links=links, notes=[unlinked])


COUNTRY = ("country_iso3", "country_alpha3", "country_name")
NO_CARRIERS = ("easyship",)


def _checkpoint(entry: Object, field: str) -> Told:
    """One checkpoint. Its time is the clock where it happened, though Z stands behind it. Its
    message is free text, and in its location there may be a post code or a street."""
    status = words_at(entry, "primary_status", field)
    if not status:
        raise Unreadable(f"{field}.primary_status: a tracking status was expected")
    told_at = words_at(entry, "checkpoint_time", field)
    country = next((key for key in COUNTRY if any_words(entry, key)), COUNTRY[0])
    shown = place(entry, ("city", "state", country))
    handler = any_words(entry, "handler")
    return Told(
        code=kept(status),
        said=meaning(status),
        told_at=told_at,
        when=local(told_at, f"{field}.checkpoint_time") if told_at else None,
        where=shown or any_words(entry, "location"),
        place=shown,
        carrier="" if folded(handler) in NO_CARRIERS else kept(handler),
        word=folded(status),
    )


def _own(
    data: Object, field: str, listed: Sequence[Told], received_at: datetime, odd: list[str]
) -> tuple[Told, ...]:
    """The parcel's own status, where no checkpoint tells it. It has no time, so that of the newest
    checkpoint, which it is not before, else that of its receipt."""
    try:
        status = words_at(data, "status", field)
        if not status and not listed:
            raise Unreadable(f"{field}.status: a tracking status was expected")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    timed = [each.when[0] for each in listed if each.when and each.when[1] is TimeBasis.ZONE]
    told = Told(
        code=kept(status),
        said=meaning(status),
        told_at=max(timed).isoformat() if timed else "",
        where=any_words(data, "easyship_shipment_id"),
        marks=("the parcel's",) if listed else (),
        word=folded(status),
    )
    return summary(told, listed, received_at) if status else ()
