"""Shippo's tracking webhooks, signed (`carriers.md` section 4.4): the whole history, every time.

Header `shippo-auth-signature`: `t=<Unix seconds>,v1=<hex>`, the lower-case hex HMAC-SHA256 over the
time, a full stop and the raw body; times may differ by five minutes either way. Shippo signs for
those who ask their account manager for it. The token in the address that it offers before is no
proof of a body, and is not taken.

A webhook holds one track. Each status of its history, and its latest one, is one scan, and the same
scan in any webhook. The API's bodies since 2018-02-08 are read.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from shipclock.domain.event import Link
from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus, in_order
from shipclock.reading import Object, Unreadable, digest, json_object, part, words
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
FORM = False
NAME = "shippo"
HEADER = "shippo-auth-signature"
EVIDENCE = (HEADER,)
TOLERANCE = 5 * 60
EVENT = "track_updated"

MOST_ENTRIES = 2_000
"""The longest history that is read; a parcel's has dozens."""
_LONGEST_KEPT = 100
"""Characters of a raw code, and of a place: events are kept for good."""


# PROVING IT ---------------------------------------------------------------------------------------

SIGNATURE = re.compile(r"t=([0-9]{1,11}),v1=[0-9a-f]{64}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The header Shippo sends for a body. Raises ValueError where the secret is no text."""
    try:
        key = secret.encode()
    except UnicodeEncodeError:  # half a character; the message must not quote the secret
        raise ValueError("a shippo secret must be whole Unicode characters") from None
    signed = hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes not more than five minutes ago or ahead."""
    given = headers.get(HEADER, "")
    if not given:
        raise Unsigned(f"no {HEADER} header")
    found = SIGNATURE.fullmatch(given)
    if not found:
        raise NotAuthentic(f"the {HEADER} header is malformed")
    timestamp = found[1]
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise NotAuthentic(f"the time in {HEADER} is more than five minutes off")
    for account in accounts:
        if any([same(sign(secret, timestamp, body), given) for secret in account.secrets]):
            return account
    raise NotAuthentic(f"the {HEADER} header fits no secret")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do, within three seconds."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

DAMAGED_TOO = "damaged"


class Meaning(NamedTuple):
    """What a status or a substatus says of a parcel in our words."""

    status: TrackingStatus
    reason: str = ""
    flags: tuple[str, ...] = ()


NOTHING_KNOWN = Meaning(TrackingStatus.UNKNOWN)
FAILED_FOR_GOOD = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other", ("final",))

STATUSES = {
    "UNKNOWN": NOTHING_KNOWN,
    "PRE_TRANSIT": Meaning(TrackingStatus.INFO_RECEIVED),
    "TRANSIT": Meaning(TrackingStatus.IN_TRANSIT),
    "DELIVERED": Meaning(TrackingStatus.DELIVERED),
    "RETURNED": Meaning(TrackingStatus.RETURNING),  # the return has begun; nobody has it back
    "FAILURE": FAILED_FOR_GOOD,
}

SUBSTATUSES: dict[str, Meaning | None] = {
    "information_received": Meaning(TrackingStatus.INFO_RECEIVED),
    "address_issue": Meaning(TrackingStatus.ON_HOLD, "address_issue"),
    "contact_carrier": Meaning(TrackingStatus.ON_HOLD, "other"),
    "delayed": Meaning(TrackingStatus.DELAYED, "other"),
    "delivery_attempted": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "delivery_rescheduled": Meaning(TrackingStatus.DELAYED, "rescheduled"),
    "delivery_scheduled": Meaning(TrackingStatus.IN_TRANSIT, flags=("appointment",)),
    "location_inaccessible": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "access_restricted"),
    "notice_left": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "recipient_absent"),
    "out_for_delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "package_accepted": Meaning(TrackingStatus.PICKED_UP),
    "package_arrived": Meaning(TrackingStatus.IN_TRANSIT),
    "package_damaged": Meaning(TrackingStatus.DAMAGED),
    "package_departed": Meaning(TrackingStatus.IN_TRANSIT),
    "package_forwarded": Meaning(TrackingStatus.IN_TRANSIT),
    "package_held": Meaning(TrackingStatus.ON_HOLD, "other"),
    "package_processed": Meaning(TrackingStatus.IN_TRANSIT),
    "package_processing": Meaning(TrackingStatus.IN_TRANSIT),
    "pickup_available": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "reschedule_delivery": Meaning(TrackingStatus.DELAYED, "rescheduled"),
    "delivered": Meaning(TrackingStatus.DELIVERED),
    "return_to_sender": Meaning(TrackingStatus.RETURNING),
    "package_unclaimed": Meaning(TrackingStatus.RETURNING, "not_collected"),
    "package_undeliverable": FAILED_FOR_GOOD,
    "package_disposed": Meaning(TrackingStatus.DISPOSED),
    "package_lost": Meaning(TrackingStatus.LOST),
    "other": None,
}
"""None: the substatus leaves it to the status."""

ON_THE_WAY_BACK_TOO = frozenset(
    {TrackingStatus.RETURNING, TrackingStatus.LOST, TrackingStatus.DISPOSED}
)
"""What a substatus may make of a parcel that goes back."""


def meaning(status: str, substatus: str) -> Meaning:
    """What the two words of one status mean together: the substatus wins.

    But it undoes no delivery, and turns no parcel that goes back round again. One that is not in
    the table leaves a known status what it is. A status that is not in the table is unknown
    whatever its substatus: it may turn its sense about. Without a status the substatus counts.
    """
    said = STATUSES.get(status)
    if said is None:
        return (not status and SUBSTATUSES.get(substatus)) or NOTHING_KNOWN
    told = SUBSTATUSES.get(substatus)
    if told is None:
        return said
    delivered = said.status is TrackingStatus.DELIVERED
    returning = said.status is TrackingStatus.RETURNING
    if delivered or (returning and told.status not in ON_THE_WAY_BACK_TOO):
        damaged = told.status is TrackingStatus.DAMAGED
        return said._replace(flags=(DAMAGED_TOO,)) if damaged else said
    return told


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of one track, and the link to the order that our metadata names.

    A status that can't be read is left out, and the note tells it. Raises `Unreadable` where the
    number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    kind = words(body, "event")
    if kind != EVENT:
        return Translation(note=f"event {kind!r} is no news of a track")
    data = part(body, "data")
    track = _track(data, delivery)
    odd: list[str] = []
    found: dict[str, Scan] = {}
    for scan in (*_history(data, track, odd), *_latest(data, track, odd)):
        found.setdefault(scan.identity, scan)
    if odd and not found:
        raise Unreadable(odd[0])
    estimated_at = _estimate(data)
    if found and estimated_at is not None:
        # on one scan only, so that the estimates of all deliveries stand apart
        newest = in_order(found.values())[-1]
        found[newest.identity] = replace(newest, estimated_at=estimated_at)
    notes = [] if found else ["nothing is known of the number yet"]
    if odd:
        notes.append(f"left out {len(odd)}, the first of them: {odd[0]}")
    links: tuple[Link, ...] = ()
    metadata = _any_words(data, "metadata")
    order = ORDER.fullmatch(metadata)
    if order:
        links = (Link(track.number, order[1], NAME, shops=delivery.shops),)
    elif metadata:  # anybody's words, which may name a person: they are not quoted
        notes.append("no link: data.metadata is neither an order's id nor 'order' and one")
    return Translation(scans=tuple(found.values()), links=links, note="; ".join(notes))


ORDER = re.compile(r"(?:order[ :#]+)?(?=\D*[0-9])([A-Za-z0-9_-]{1,64})", re.ASCII | re.IGNORECASE)
"""Metadata that names an order and nothing else. One without a digit may be anybody's name."""


@dataclass(frozen=True, slots=True)
class _Track:
    """What a delivery says of the parcel, and so of each of its scans."""

    number: str
    written: str
    carrier: str
    delivery: Delivery


class _Status(NamedTuple):
    """One status as it is told; `read` is None where it has no time."""

    named: str
    code: str
    said: Meaning
    told_at: str
    read: tuple[datetime, TimeBasis] | None
    place: str

    def scan(self, track: _Track, no_later_than: datetime) -> Scan:
        """Its scan. Shippo's id of it is its identity, together with what it says: a status that is
        corrected under its id is one event more, and the order of arrival decides nothing."""
        occurred_at, basis = self.read or (no_later_than, TimeBasis.RECEIVED)
        where = self.named or self.place
        return Scan(
            identity=digest(NAME, track.number, self.code, self.told_at, where),
            number=track.number,
            status=self.said.status,
            occurred_at=occurred_at,
            basis=basis,
            received_at=track.delivery.received_at,
            source=NAME,
            account=track.delivery.account,
            raw_code=self.code,
            written=track.written,
            carrier=track.carrier,
            reason=self.said.reason,
            location=self.place,
            flags=self.said.flags,
            shops=track.delivery.shops,
        )


def _track(data: Object, delivery: Delivery) -> _Track:
    latest = data.get("tracking_status")
    if isinstance(latest, str):
        raise Unreadable(
            "data.tracking_status: an object was expected; API versions before 2018-02-08 send "
            "another body: choose a later one for the webhook in Shippo's settings"
        )
    written = _words(data, "tracking_number", "data")
    number = number_of(written, "data.tracking_number")
    return _Track(number, written, _any_words(data, "carrier"), delivery)


def _history(data: Object, track: _Track, odd: list[str]) -> list[Scan]:
    """The scans of the history; what is wrong with others goes into `odd`.

    A status without a time is no later than the next newer one, nor than its receipt: the label of
    a parcel that we hear of late must not come after its delivery.
    """
    listed = data.get("tracking_history")
    if listed is None:
        return []
    if not isinstance(listed, list):
        odd.append(f"data.tracking_history: a list was expected, not {type(listed).__name__}")
        return []
    if len(listed) > MOST_ENTRIES:
        raise Unreadable(f"data.tracking_history: {len(listed)} entries; no parcel has so many")
    found: list[_Status] = []
    for place, entry in enumerate(listed):
        try:
            found.append(_status(entry, f"data.tracking_history[{place}]"))
        except Unreadable as problem:
            odd.append(str(problem))
    times = [status.read[0] for status in found if status.read]
    if not times or times[0] <= times[-1]:
        found.reverse()  # newest first; they are sent oldest first as far as seen
    scans: list[Scan] = []
    no_later_than = track.delivery.received_at
    for status in found:
        scans.append(status.scan(track, no_later_than))
        no_later_than = min(no_later_than, scans[-1].occurred_at)
    return scans


def _latest(data: Object, track: _Track, odd: list[str]) -> tuple[Scan, ...]:
    """The track's latest status, which as a rule is in the history too and then one scan."""
    latest = data.get("tracking_status")
    if latest is None:
        return ()
    try:
        status = _status(latest, "data.tracking_status")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    return (status.scan(track, track.delivery.received_at),)


def _status(entry: object, field: str) -> _Status:
    if not isinstance(entry, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(entry).__name__}")
    sub = entry.get("substatus")
    if sub is not None and not isinstance(sub, dict):
        raise Unreadable(f"{field}.substatus: an object was expected, not {type(sub).__name__}")
    status = _words(entry, "status", field)
    substatus = _words(sub, "code", f"{field}.substatus") if sub else ""
    if not status and not substatus:
        raise Unreadable(f"{field}.status: a tracking status was expected")
    told_at = _words(entry, "status_date", field)
    return _Status(
        named=_any_words(entry, "object_id"),
        code="/".join(each for each in (status, substatus) if each)[:_LONGEST_KEPT],
        said=meaning(status, substatus),
        told_at=told_at,
        read=instant(told_at, f"{field}.status_date") if told_at else None,
        place=_place(entry),
    )


def _place(entry: Object) -> str:
    """Town, state and country of a status: no post code, nothing of a street."""
    found = entry.get("location")
    if not isinstance(found, dict):
        return ""
    named = [_any_words(found, key) for key in ("city", "state", "country")]
    return ", ".join(name for name in named if name)[:_LONGEST_KEPT]


def _estimate(data: Object) -> datetime | None:
    """When Shippo expects the delivery. Nothing is decided by it, so an odd one is none."""
    told = _any_words(data, "eta")
    try:
        return instant(told, "data.eta")[0] if told else None
    except Unreadable:
        return None


def _words(data: Object, key: str, field: str) -> str:
    """A text, whose error names where it stands."""
    try:
        return words(data, key)
    except Unreadable as problem:
        raise Unreadable(f"{field}.{problem}") from None


def _any_words(data: Object, key: str) -> str:
    """A text that nothing depends on: one of another type is none."""
    try:
        return words(data, key)
    except Unreadable:
        return ""
