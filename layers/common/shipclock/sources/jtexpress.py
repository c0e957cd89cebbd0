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
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from shipclock.domain.event import Link
from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, plausible
from shipclock.sources import Account, Delivery, Headers, Image, NotAuthentic, Translation
from shipclock.sources.fields import (
    When,
    any_words,
    code_at,
    instant,
    kept,
    links,
    number_of,
    object_of,
    place,
)
from shipclock.sources.history import (
    MOST_ENTRIES,
    Told,
    Tracked,
    dated,
    entries,
    list_of,
    translation,
)
from shipclock.sources.meaning import FINAL, NOTHING_KNOWN, Meaning
from shipclock.sources.signatures import key_of, same, sent, signer

LIMIT = 256 * 1024
FORM = True
NAME = "jtexpress"
CARRIER = "J&T Express"
HEADER = "digest"
EVIDENCE = ("apiaccount", HEADER, "timestamp")
CONTENT = "bizContent"


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, content: str) -> str:
    """The digest J&T sends for a decoded `bizContent`. Raises ValueError where the secret is no
    text."""
    key = key_of(secret, NAME)
    # MD5 is the sender's choice; the flag keeps it within reach where weak hashes are locked away
    return base64.b64encode(
        hashlib.md5(content.encode() + key, usedforsecurity=False).digest()
    ).decode()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the decoded content, whenever that was."""
    given = sent(headers, HEADER)
    try:
        content = content_of(body)
    except ValueError:  # it may quote the body, which is not to be logged before it is proven
        raise NotAuthentic(f"the body is no form with one {CONTENT}") from None
    return signer(
        accounts, lambda secret: same(sign(secret, content), given), f"the {HEADER} header"
    )


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

_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_PICKED_UP = Meaning(TrackingStatus.PICKED_UP)
_WAITING = Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP)
_DISPOSED = Meaning(TrackingStatus.DISPOSED)
_NOT_COLLECTED = Meaning(TrackingStatus.RETURNING, "not_collected")
_FINAL = (FINAL,)

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
    notes: list[str] = []
    scans: list[Scan] = []
    images: list[Image] = []
    named: list[Link] = []
    count = 0
    for at, told in enumerate(_parcels(content_of(delivery.body))):
        field = f"{CONTENT}[{at}]"
        try:
            parcel, details = _parcel(told, field, delivery)
        except Unreadable as problem:
            odd.append(str(problem))
            continue
        count += len(details)
        if count > MOST_ENTRIES:
            raise Unreadable(f"{field}.details: more than {MOST_ENTRIES} scans in one delivery")
        read = entries(details, f"{field}.details", _scan, odd)
        for one in dated(read, delivery.received_at):
            scans.append(parcel.scan(one))
            images += parcel.images(one)
        found, note = parcel.link(object_of(told, field), "txlogisticId", field)
        named += found
        notes.append(note)
    notes.append("" if scans or odd else f"{CONTENT} tells of no scan")
    once = tuple(dict.fromkeys(named))
    return translation(scans, odd, links=once, images=images, notes=notes)


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


def _parcel(told: object, field: str, delivery: Delivery) -> tuple[Tracked, list[object]]:
    """A parcel and its scans as they are listed."""
    data = object_of(told, field)
    written = code_at(data, "billCode", field)
    parcel = Tracked(NAME, number_of(written, f"{field}.billCode"), written, delivery, CARRIER)
    odd: list[str] = []
    details = list_of(data.get("details"), f"{field}.details", odd)
    if odd:
        raise Unreadable(odd[0])
    return parcel, details


def _scan(entry: Object, field: str) -> Told:
    """One scan. Names, numbers and free text of people stay in the delivery."""
    code = code_at(entry, "scanTypeCode", field)
    if not code:
        raise Unreadable(f"{field}.scanTypeCode: the code of a scan was expected")
    said = CODES.get(code, NOTHING_KNOWN)
    told_at = code_at(entry, "scanTime", field)
    zone = any_words(entry, "timeZone")
    shown = said.status is TrackingStatus.DELIVERED and any_words(entry, "sigPicUrl")
    proof = "photo" if shown else ""
    return Told(
        code=kept(code),
        said=said._replace(proof=proof),
        told_at=told_at,
        when=_when(told_at, zone, f"{field}.scanTime") if told_at else None,
        where=_site(entry),
        place=place(entry, ("scanNetworkCity", "scanNetworkProvince")),
        marks=(proof,),  # a picture may come later than the delivery that it proves
        pictures=_pictures(entry) if proof else (),
    )


_NEXT = re.compile(r",(?=\s*[A-Za-z][A-Za-z0-9+.-]*://)")
"""The comma between two links; one inside a link is left alone."""


def _pictures(entry: Object) -> tuple[tuple[str, str], ...]:
    """The links to the photos that a delivery is proven by: all in one text."""
    told = entry.get("sigPicUrl")
    listed = _NEXT.split(told) if isinstance(told, str) else []
    return tuple(("photo", link) for link in links(each.strip(", \r\n") for each in listed))


def _site(entry: Object) -> str:
    """The id of where a scan was made, which tells apart two of one code and second."""
    try:
        return code_at(entry, "scanNetworkId", "")
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


def _when(told_at: str, zone: str, field: str) -> When:
    """A local time with the zone beside it. No market's zone is assumed: without one that can be
    read, the time is read as UTC and proves nothing missed."""
    occurred_at, basis = instant(told_at, field)
    offset = offset_of(zone)
    if basis is not TimeBasis.ZONE or offset is None:
        return occurred_at, basis
    return plausible(occurred_at - offset, field), TimeBasis.OFFSET
