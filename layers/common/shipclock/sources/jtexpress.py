"""J&T Express' callbacks (`carriers.md` section 6.2): a form whose `bizContent` lists parcels.

Header `digest`: the base64 of the MD5 over the decoded text of `bizContent` followed by the private
key. That is weak, and neither `apiAccount` nor `timestamp` is signed, so nothing rests on them; a
replay is told by the delivery's own key. Only `bizContent` is signed, so nothing else is read.

Each parcel brings `details`, its scans so far. There is no id of a scan: the same number, code,
time and site are the same scan under any delivery. Countries differ slightly: some send one parcel
without the list around it, and numbers where others send texts.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple
from urllib.parse import parse_qs

from shipclock.domain.event import Link
from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, digest, optional_id, plausible, words
from shipclock.sources import (
    Account,
    Delivery,
    Headers,
    NotAuthentic,
    Translation,
    Unsigned,
)
from shipclock.sources.fields import instant, number_of
from shipclock.sources.signatures import same

LIMIT = 256 * 1024
FORM = True
NAME = "jtexpress"
CARRIER = "J&T Express"
HEADER = "digest"
EVIDENCE = ("apiaccount", HEADER, "timestamp")
CONTENT = "bizContent"

MOST_ENTRIES = 2_000
"""The most scans that are read of one delivery; a parcel has dozens."""
_LONGEST_KEPT = 100
"""Characters of a raw code, and of a place: events are kept for good."""


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, content: str) -> str:
    """The digest J&T sends for a decoded `bizContent`. Raises ValueError where the secret is no
    text."""
    try:
        key = secret.encode()
    except UnicodeEncodeError:  # half a character; the message must not quote the secret
        raise ValueError("a jtexpress secret must be whole Unicode characters") from None
    # MD5 is the sender's choice; the flag keeps it within reach where weak hashes are locked away
    return base64.b64encode(
        hashlib.md5(content.encode() + key, usedforsecurity=False).digest()
    ).decode()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the decoded content, whenever that was."""
    given = headers.get(HEADER, "")
    if not given:
        raise Unsigned(f"no {HEADER} header")
    try:
        content = content_of(body)
    except ValueError:  # it may quote the body, which is not to be logged before it is proven
        raise NotAuthentic(f"the body is no form with one {CONTENT}") from None
    for account in accounts:
        if any([same(sign(secret, content), given) for secret in account.secrets]):
            return account
    raise NotAuthentic(f"the {HEADER} header fits no secret")


def content_of(body: bytes) -> str:
    """The decoded `bizContent` of a form. Raises ValueError where there is not exactly one.

    Bytes that are no UTF-8 are refused, not replaced: two bodies must not become one signed text.
    """
    fields = parse_qs(
        body.decode("utf-8"),
        keep_blank_values=True,
        strict_parsing=True,
        errors="strict",
        max_num_fields=100,
    )
    contents = fields.get(CONTENT, [])
    if len(contents) != 1:
        raise ValueError(f"one field {CONTENT} was expected, not {len(contents)}")
    return contents[0]


def acknowledge(body: bytes) -> bytes:
    """The answer that J&T takes for a yes: anything else is a failed delivery to it.

    Its request id is made of the body, so that a repeated delivery is answered alike.
    """
    answer = {
        "code": "1",
        "msg": "success",
        "data": "SUCCESS",
        "requestId": hashlib.sha256(body).hexdigest()[:32],
    }
    return json.dumps(answer).encode()


# WHAT ITS CODES MEAN ------------------------------------------------------------------------------


class Meaning(NamedTuple):
    """What a scan's code says of a parcel in our words."""

    status: TrackingStatus
    reason: str = ""
    delivered_to: str = ""
    flags: tuple[str, ...] = ()


NOTHING_KNOWN = Meaning(TrackingStatus.UNKNOWN)
_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_PICKED_UP = Meaning(TrackingStatus.PICKED_UP)
_WAITING = Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP)
_DISPOSED = Meaning(TrackingStatus.DISPOSED)
_NOT_COLLECTED = Meaning(TrackingStatus.RETURNING, "not_collected")
_FINAL = ("final",)

CODES = {
    "10": _PICKED_UP,
    "20": _MOVING,
    "30": _MOVING,
    "94": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "100": Meaning(TrackingStatus.DELIVERED),
    "110": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other", flags=("needs_text",)),
    "172": Meaning(TrackingStatus.RETURNING),
    "173": Meaning(TrackingStatus.RETURNED),
    "200": _PICKED_UP,
    "300": Meaning(TrackingStatus.DAMAGED, flags=_FINAL),
    "301": Meaning(TrackingStatus.LOST),
    "302": _DISPOSED,
    "303": Meaning(TrackingStatus.RETURNING, "refused", flags=_FINAL),
    "304": Meaning(TrackingStatus.ON_HOLD, "customs", flags=_FINAL),
    "305": Meaning(TrackingStatus.EXPIRED),
    "306": _DISPOSED,
    "400": _MOVING,
    "401": _MOVING,
    "402": _MOVING,
    "403": _MOVING,
    "404": _MOVING,
    "405": _MOVING,
    "700": _WAITING,
    "701": _WAITING,
    "702": Meaning(TrackingStatus.DELIVERED, delivered_to="pickup_point"),
    "703": _NOT_COLLECTED,
    "704": _NOT_COLLECTED,
}
"""By `scanTypeCode`; lists elsewhere have those from 300 off by one.

110 is any scan of a problem. Which one is free text alone, and that may name a person: the reason
is `other`, and the flag says that the delivery's text must be looked at. The way back has codes of
its own.
"""


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of all parcels, and a link for each that names an order.

    What can't be read is left out, and the note tells it. Raises `Unreadable` where that is all
    there is, and ValueError where the content is no JSON.
    """
    odd: list[str] = []
    scans: dict[str, Scan] = {}
    links: list[Link] = []
    entries = 0
    for place, told in enumerate(_parcels(content_of(delivery.body))):
        field = f"{CONTENT}[{place}]"
        try:
            parcel, details = _parcel(told, field, delivery)
        except Unreadable as problem:
            odd.append(str(problem))
            continue
        entries += len(details)
        if entries > MOST_ENTRIES:
            raise Unreadable(f"{field}.details: more than {MOST_ENTRIES} scans in one delivery")
        for scan in _history(details, f"{field}.details", parcel, odd):
            scans.setdefault(scan.identity, scan)
        try:
            order_id = optional_id(parcel.told, "txlogisticId")
        except Unreadable as problem:  # the scans count all the same; only the link can't be made
            odd.append(f"no link: {field}.{problem}")
            continue
        if order_id:
            links.append(Link(parcel.number, order_id, NAME, shops=delivery.shops))
    if odd and not scans:
        raise Unreadable(odd[0])
    if not scans:
        return Translation(links=_once(links), note=f"{CONTENT} tells of no scan")
    note = f"left out {len(odd)}, the first of them: {odd[0]}" if odd else ""
    return Translation(scans=tuple(scans.values()), links=_once(links), note=note)


def _once(links: Sequence[Link]) -> tuple[Link, ...]:
    return tuple(dict.fromkeys(links))


def _parcels(content: str) -> list[object]:
    """The parcels of a content; some countries send one without the list around it."""
    try:
        found = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if isinstance(found, dict):
        return [found]
    if not isinstance(found, list):
        raise Unreadable(f"{CONTENT}: a list of parcels was expected, not {type(found).__name__}")
    if len(found) > MOST_ENTRIES:
        raise Unreadable(f"{CONTENT}: {len(found)} parcels; no delivery has so many")
    return found


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What a delivery says of one parcel, and so of each of its scans."""

    number: str
    written: str
    told: Object
    delivery: Delivery


def _parcel(told: object, field: str, delivery: Delivery) -> tuple[_Parcel, list[object]]:
    """A parcel and its scans as they are listed."""
    if not isinstance(told, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(told).__name__}")
    written = _text(told, "billCode", field)
    number = number_of(written, f"{field}.billCode")
    details = told.get("details")
    if details is None:
        details = []
    if not isinstance(details, list):
        raise Unreadable(f"{field}.details: a list was expected, not {type(details).__name__}")
    return _Parcel(number, written, told, delivery), details


def _history(
    details: Sequence[object], field: str, parcel: _Parcel, odd: list[str]
) -> tuple[Scan, ...]:
    """The scans as they are listed; what is wrong with the others goes into `odd`.

    A scan without a time is no later than the newest that has one, nor than its receipt: it must
    not come after the parcel's end and undo it.
    """
    scans: list[Scan] = []
    for place, entry in enumerate(details):
        try:
            scans.append(_scan(entry, f"{field}[{place}]", parcel))
        except Unreadable as problem:
            odd.append(str(problem))
    timed = [scan.occurred_at for scan in scans if scan.basis is not TimeBasis.RECEIVED]
    newest = min(max(timed, default=parcel.delivery.received_at), parcel.delivery.received_at)
    return tuple(
        replace(scan, occurred_at=newest) if scan.basis is TimeBasis.RECEIVED else scan
        for scan in scans
    )


def _scan(entry: object, field: str, parcel: _Parcel) -> Scan:
    """One scan. Names, numbers and free text of people stay in the delivery."""
    if not isinstance(entry, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(entry).__name__}")
    code = _text(entry, "scanTypeCode", field)
    if not code:
        raise Unreadable(f"{field}.scanTypeCode: the code of a scan was expected")
    said = CODES.get(code, NOTHING_KNOWN)
    told_at = _text(entry, "scanTime", field)
    occurred_at, basis = parcel.delivery.received_at, TimeBasis.RECEIVED
    if told_at:
        occurred_at, basis = _when(told_at, _any_words(entry, "timeZone"), f"{field}.scanTime")
    shown = said.status is TrackingStatus.DELIVERED and _any_words(entry, "sigPicUrl")
    proof = "photo" if shown else ""
    places = [_any_words(entry, key) for key in ("scanNetworkCity", "scanNetworkProvince")]
    return Scan(
        # A picture may come later than the delivery that it proves: that is one event more.
        identity=digest(NAME, parcel.number, code, told_at, _site(entry), proof),
        number=parcel.number,
        status=said.status,
        occurred_at=occurred_at,
        basis=basis,
        received_at=parcel.delivery.received_at,
        source=NAME,
        account=parcel.delivery.account,
        raw_code=code[:_LONGEST_KEPT],
        written=parcel.written,
        carrier=CARRIER,
        reason=said.reason,
        location=", ".join(place for place in places if place)[:_LONGEST_KEPT],
        delivered_to=said.delivered_to,
        proof=proof,
        flags=said.flags,
        shops=parcel.delivery.shops,
    )


def _site(entry: Object) -> str:
    """The id of where a scan was made, which tells apart two of one code and second."""
    try:
        return _text(entry, "scanNetworkId", "")
    except Unreadable:
        return ""


_ZONE = re.compile(r"(?:GMT|UTC)(?:([+-])([0-9]{1,2})(?::?([0-9]{2}))?)?")
_FARTHEST = timedelta(hours=14)


def offset_of(zone: str) -> timedelta | None:
    """What "GMT+08:00" stands for; None where it is not written so."""
    found = _ZONE.fullmatch(zone.upper())
    if not found:
        return None
    sign_, hours, minutes = found.groups()
    if int(minutes or 0) >= 60:
        return None
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if offset > _FARTHEST:
        return None
    return -offset if sign_ == "-" else offset


def _when(told_at: str, zone: str, field: str) -> tuple[datetime, TimeBasis]:
    """A local time with the zone beside it. No market's zone is assumed: without one that can be
    read, the time is read as UTC and proves nothing missed."""
    occurred_at, basis = instant(told_at, field)
    offset = offset_of(zone)
    if basis is not TimeBasis.ZONE or offset is None:
        return occurred_at, basis
    return plausible(occurred_at - offset, field), TimeBasis.OFFSET


def _text(data: Object, key: str, field: str) -> str:
    """A text, or a whole number as one; the error names where it stands."""
    found = data.get(key)
    whole = isinstance(found, int) and not isinstance(found, bool)
    try:
        return words({key: str(found)} if whole else data, key)
    except Unreadable as problem:
        raise Unreadable(f"{field}.{problem}") from None


def _any_words(data: Object, key: str) -> str:
    """A text that nothing depends on: one of another type is none."""
    try:
        return words(data, key)
    except Unreadable:
        return ""
