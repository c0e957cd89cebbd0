"""17TRACK's push of tracked numbers (`carriers.md` section 4.3): the whole history, every time.

Header `sign`: the lower-case hex of a plain SHA-256, no HMAC, over the raw body, a slash and the
API key. There is no time inside the signature: a replay is told by the delivery's own key, and what
it says is known by then.

A push holds one number, with a list of events for each carrier that knows it. Each event is one
scan, and the same scan in any push. The number's latest status is a scan of its own only where no
event says it. Layouts 2.2 and 2.4 are read; the old one, with `z0` and `z1`, is refused.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from shipclock.domain.event import Link
from shipclock.domain.tracking import TERMINAL, Scan, TimeBasis, TrackingStatus, in_order
from shipclock.reading import (
    Object,
    Unreadable,
    digest,
    json_object,
    optional_id,
    part,
    words,
)
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
NAME = "seventeentrack"
HEADER = "sign"
EVIDENCE = (HEADER,)
UPDATED = "TRACKING_UPDATED"
STOPPED = "TRACKING_STOPPED"

MOST_ENTRIES = 2_000
"""The most events and carriers of one number that are read; a parcel has dozens."""
_LONGEST_KEPT = 100
"""Characters of a raw code, and of a place: events are kept for good."""


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The signature 17TRACK sends for a body. Raises ValueError where the key is no text."""
    try:
        key = secret.encode()
    except UnicodeEncodeError:  # half a character; the message must not quote the key
        raise ValueError("a seventeentrack key must be whole Unicode characters") from None
    return hashlib.sha256(body + b"/" + key).hexdigest()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose key is in the digest of the raw bytes, whenever that was."""
    given = headers.get(HEADER, "")
    if not given:
        raise Unsigned(f"no {HEADER} header")
    for account in accounts:
        if any([same(sign(secret, body), given) for secret in account.secrets]):
            return account
    raise NotAuthentic(f"the {HEADER} header fits no secret")


def acknowledge(body: bytes) -> bytes:
    """The status 200 is all that it asks for."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------


class Meaning(NamedTuple):
    """What a status or a sub-status says of a parcel in our words."""

    status: TrackingStatus
    reason: str = ""
    flags: tuple[str, ...] = ()


NOTHING_KNOWN = Meaning(TrackingStatus.UNKNOWN)
UNCLASSIFIED = Meaning(TrackingStatus.UNKNOWN, flags=("exception_unclassified",))

STATUSES = {
    "NotFound": NOTHING_KNOWN,
    "InfoReceived": Meaning(TrackingStatus.INFO_RECEIVED),
    "InTransit": Meaning(TrackingStatus.IN_TRANSIT),
    "Expired": Meaning(TrackingStatus.EXPIRED),
    "AvailableForPickup": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "OutForDelivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "DeliveryFailure": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "Delivered": Meaning(TrackingStatus.DELIVERED),
    "Exception": UNCLASSIFIED,
}

SUB_STATUSES = {
    "NotFound_Other": NOTHING_KNOWN,
    "NotFound_InvalidCode": Meaning(TrackingStatus.UNKNOWN, flags=("bad_number",)),
    "InfoReceived": Meaning(TrackingStatus.INFO_RECEIVED),
    "InTransit_PickedUp": Meaning(TrackingStatus.PICKED_UP),
    "InTransit_Other": Meaning(TrackingStatus.IN_TRANSIT),
    "InTransit_Departure": Meaning(TrackingStatus.IN_TRANSIT),
    "InTransit_Arrival": Meaning(TrackingStatus.IN_TRANSIT),
    "InTransit_CustomsProcessing": Meaning(TrackingStatus.IN_TRANSIT),
    "InTransit_CustomsReleased": Meaning(TrackingStatus.IN_TRANSIT),
    "InTransit_CustomsRequiringInformation": Meaning(TrackingStatus.ON_HOLD, "documents"),
    "Expired_Other": Meaning(TrackingStatus.EXPIRED),
    "AvailableForPickup_Other": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "OutForDelivery_Other": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "DeliveryFailure_Other": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "DeliveryFailure_NoBody": Meaning(
        TrackingStatus.DELIVERY_ATTEMPT_FAILED, "recipient_unreachable"
    ),
    "DeliveryFailure_Security": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "security"),
    "DeliveryFailure_Rejected": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "refused"),
    "DeliveryFailure_InvalidAddress": Meaning(
        TrackingStatus.DELIVERY_ATTEMPT_FAILED, "address_issue"
    ),
    "Delivered_Other": Meaning(TrackingStatus.DELIVERED),
    "Exception_Other": UNCLASSIFIED,
    "Exception_Returning": Meaning(TrackingStatus.RETURNING),
    "Exception_Returned": Meaning(TrackingStatus.RETURNED),
    "Exception_NoBody": Meaning(TrackingStatus.ON_HOLD, "recipient_unreachable"),
    "Exception_Security": Meaning(TrackingStatus.ON_HOLD, "security"),
    "Exception_Damage": Meaning(TrackingStatus.DAMAGED),
    "Exception_Rejected": Meaning(TrackingStatus.RETURNING, "refused"),
    "Exception_Delayed": Meaning(TrackingStatus.DELAYED, "other"),
    "Exception_Lost": Meaning(TrackingStatus.LOST),
    "Exception_Destroyed": Meaning(TrackingStatus.DISPOSED),
    "Exception_Cancel": Meaning(TrackingStatus.CANCELLED),
    "Exception_Held": Meaning(TrackingStatus.ON_HOLD, "other"),  # told by one receiver only
}


def meaning(status: str, sub_status: str) -> Meaning:
    """What the two words say together: the sub-status where there is one, else the main status.

    A sub-status that is not in the table is unknown, whatever its main status says: a new case of
    "delivered" may be one that is no delivery to the buyer.
    """
    if sub_status:
        return SUB_STATUSES.get(sub_status, NOTHING_KNOWN)
    return STATUSES.get(status, NOTHING_KNOWN)


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------

HANDED_OVER = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
ENDS_OR_TURNS = TERMINAL | {TrackingStatus.RETURNING, TrackingStatus.DAMAGED}


def translate(delivery: Delivery) -> Translation:
    """The scans of one number, and the link to the order that our tag on it names.

    An event that can't be read is left out, and the note tells it. Raises `Unreadable` where the
    number, or every word of what happened, can't be read, and for the old layout.
    """
    body = json_object(delivery.body)
    kind = words(body, "event")
    if kind not in (UPDATED, STOPPED):
        return Translation(note=f"event {kind!r} is no news of a number")
    data = part(body, "data")
    number = _number(data, delivery)
    odd: list[str] = []
    found: dict[str, Scan] = {}
    if kind == UPDATED or data.get("track_info") is not None:
        found = _tracked(_layout(data), number, odd)
        if not found and kind == UPDATED:
            raise Unreadable(odd[0])
    if kind == STOPPED:
        # the tracker gave up, and whatever the parcel does, it says no more
        expired = Meaning(TrackingStatus.EXPIRED)
        stop = number.scan(STOPPED, expired, "", delivery.received_at, TimeBasis.RECEIVED)
        found[stop.identity] = stop
    notes = [f"left out {len(odd)}, the first of them: {odd[0]}"] if odd else []
    links: tuple[Link, ...] = ()
    try:
        order_id = optional_id(data, "tag")
    except Unreadable as no_id:  # the scans count all the same; only the link can't be made
        notes.append(f"no link: data.{no_id}")
    else:
        if order_id:
            links = (Link(number.normal, order_id, NAME, shops=delivery.shops),)
    return Translation(scans=tuple(found.values()), links=links, note="; ".join(notes))


@dataclass(frozen=True, slots=True)
class _Number:
    """The number that a delivery is about."""

    normal: str
    written: str
    delivery: Delivery

    def scan(
        self,
        code: str,
        said: Meaning,
        told_at: str,
        occurred_at: datetime,
        basis: TimeBasis,
        told_where: str = "",
        place: str = "",
        carrier: str = "",
        mark: tuple[str, ...] = (),
    ) -> Scan:
        """One scan, its identity made of what is said in it and never of the delivery.

        The event's own words for where it was are part of the identity, its address is not: 17TRACK
        makes that out of the words, maybe later. The carrier is none either: two that list the same
        scan tell one.
        """
        return Scan(
            identity=digest(NAME, self.normal, code, told_at, told_where, *mark),
            number=self.normal,
            status=said.status,
            occurred_at=occurred_at,
            basis=basis,
            received_at=self.delivery.received_at,
            source=NAME,
            account=self.delivery.account,
            raw_code=code,
            written=self.written,
            carrier=carrier,
            reason=said.reason,
            location=place,
            flags=said.flags,
            shops=self.delivery.shops,
        )


class _Time(NamedTuple):
    """An event's time in its own words, and read; None where it has none that can be read."""

    told: str
    read: tuple[datetime, TimeBasis] | None


class _Event(NamedTuple):
    entry: Object
    code: str
    said: Meaning
    time: _Time


def _number(data: Object, delivery: Delivery) -> _Number:
    written = _words(data, "number", "data")
    return _Number(number_of(written, "data.number"), written, delivery)


def _layout(data: Object) -> Object:
    """What is told of the parcel. Raises `Unreadable` for the old layout, with what to do."""
    info = data.get("track_info")
    if isinstance(info, dict):
        return info
    if any("z0" in each or "z1" in each for each in _objects(data)):
        raise Unreadable(
            "data: this is the layout of 17TRACK's API version 1; "
            "choose version 2.2 or later for the webhook in 17TRACK's settings"
        )
    raise Unreadable(f"data.track_info: an object was expected, not {type(info).__name__}")


def _objects(data: Object) -> Iterator[Object]:
    yield data
    yield from (value for value in data.values() if isinstance(value, dict))


def _tracked(info: Object, number: _Number, odd: list[str]) -> dict[str, Scan]:
    """All scans by their identities; what is wrong with others goes into `odd`."""
    found: dict[str, Scan] = {}
    for carrier, field, entries in _lists(info, odd):
        for scan in _history(entries, field, carrier, number, odd):
            found.setdefault(scan.identity, scan)
    for scan in _own(info, number, in_order(found.values()), odd):
        found.setdefault(scan.identity, scan)
    if not found:
        odd.append("data.track_info: neither an event nor a latest status was found")
        return found
    estimated_at = _estimate(info)
    if estimated_at is not None:
        # on one scan only, so that the estimates of all deliveries stand apart
        newest = in_order(found.values())[-1]
        found[newest.identity] = replace(newest, estimated_at=estimated_at)
    return found


def _lists(info: Object, odd: list[str]) -> list[tuple[str, str, list[object]]]:
    """Each carrier's name with its list of events and where that stands; the latest event last.

    The latest event is in one of the lists too, as a rule, and then one scan with it.
    """
    found: list[tuple[str, str, list[object]]] = []
    at = "data.track_info.tracking"
    tracking = info.get("tracking")
    if not isinstance(tracking, dict):
        if tracking is not None:
            odd.append(f"{at}: an object was expected, not {type(tracking).__name__}")
        tracking = {}
    providers = _list(tracking.get("providers"), f"{at}.providers", odd)
    count = len(providers)
    for place, provider in enumerate(providers):
        field = f"{at}.providers[{place}]"
        if not isinstance(provider, dict):
            odd.append(f"{field}: an object was expected, not {type(provider).__name__}")
            continue
        entries = _list(provider.get("events"), f"{field}.events", odd)
        count += len(entries)
        if count > MOST_ENTRIES:
            raise Unreadable(f"{field}.events: over {MOST_ENTRIES} in all; no parcel has so many")
        found.append((_carrier(provider), f"{field}.events", entries))
    if count > MOST_ENTRIES:
        raise Unreadable(f"{at}.providers: {count} entries; no parcel has so many")
    latest = info.get("latest_event")
    if latest is not None:
        name = found[0][0] if len(found) == 1 else ""
        found.append((name, "data.track_info.latest_event", [latest]))
    return found


def _list(listed: object, field: str, odd: list[str]) -> list[object]:
    """A list; an absent one is empty, and so is what is none, with a word in `odd`."""
    if isinstance(listed, list):
        return listed
    if listed is not None:
        odd.append(f"{field}: a list was expected, not {type(listed).__name__}")
    return []


def _history(
    entries: Sequence[object], field: str, carrier: str, number: _Number, odd: list[str]
) -> list[Scan]:
    """The scans of one list.

    An event without a time is no later than the next newer one in its list, nor than its receipt:
    the label of a parcel that we hear of late must not come after its delivery.
    """
    events: list[_Event] = []
    for place, entry in enumerate(entries):
        try:
            events.append(_event(entry, f"{field}[{place}]"))
        except Unreadable as problem:
            odd.append(str(problem))
    times = [event.time.read[0] for event in events if event.time.read]
    if times and times[0] < times[-1]:
        events.reverse()  # newest first, as they are sent as far as seen; the page doesn't say
    no_later_than = number.delivery.received_at
    scans: list[Scan] = []
    for entry, code, said, time in events:
        occurred_at, basis = time.read or (no_later_than, TimeBasis.RECEIVED)
        no_later_than = min(no_later_than, occurred_at)
        where, place_name = _any_words(entry, "location"), _place(entry)
        scans.append(
            number.scan(code, said, time.told, occurred_at, basis, where, place_name, carrier)
        )
    return scans


def _event(entry: object, field: str) -> _Event:
    """One event as it is listed. Raises `Unreadable`, naming what is wrong with it."""
    if not isinstance(entry, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(entry).__name__}")
    sub_status = _words(entry, "sub_status", field)
    stage = _any_words(entry, "stage")
    if not sub_status and not stage:
        raise Unreadable(f"{field}.sub_status: a tracking status was expected")
    # what a stage alone means is nowhere told: it is kept, as a word that is not understood
    code = sub_status or f"stage/{stage}"
    return _Event(entry, code[:_LONGEST_KEPT], meaning("", code), _time(entry, field))


OFFSET = re.compile(r"Z|[+-]\d\d:?\d\d", re.ASCII)


def _time(entry: Object, field: str) -> _Time:
    """When it happened: `time_utc`, else `time_iso` with its offset, else the carrier's own words.

    Those have no format that is promised, and mostly no zone. So what can't be read of them is no
    time, where of the other two it is an error.
    """
    for key in ("time_utc", "time_iso"):
        told = _words(entry, key, field)
        if told:
            return _Time(told, instant(told, f"{field}.{key}"))
    raw = entry.get("time_raw")
    if not isinstance(raw, dict):
        return _Time("", None)
    date, time, zone = (_any_words(raw, key) for key in ("date", "time", "timezone"))
    told = " ".join(each for each in (date, time, zone) if each)
    offset = zone if time and OFFSET.fullmatch(zone) else ""
    try:
        return _Time(told, instant(f"{date}T{time}{offset}" if time else date, field))
    except Unreadable:
        return _Time(told, None)


def _own(info: Object, number: _Number, listed: Sequence[Scan], odd: list[str]) -> tuple[Scan, ...]:
    """The number's latest status as a scan, where no event tells it.

    It has no time but that of the newest event, which it is not before. So its time counts as
    `received`, and proves no deadline missed.
    """
    field = "data.track_info.latest_status"
    latest = info.get("latest_status")
    try:
        if not isinstance(latest, dict):
            raise Unreadable(f"{field}: an object was expected, not {type(latest).__name__}")
        status, sub_status = (_words(latest, key, field) for key in ("status", "sub_status"))
        if not status and not sub_status:
            raise Unreadable(f"{field}.status: a tracking status was expected")
    except Unreadable as problem:
        if latest is not None:
            odd.append(str(problem))
        return ()
    said = meaning(status, sub_status)
    told = {scan.status for scan in listed}
    if listed and (said.status in told or told & HANDED_OVER or said.status not in ENDS_OR_TURNS):
        return ()
    occurred_at = listed[-1].occurred_at if listed else number.delivery.received_at
    code = "/".join(each for each in (status, sub_status) if each)[:_LONGEST_KEPT]
    told_at = occurred_at.isoformat() if listed else ""
    mark = ("the latest status",)
    return (number.scan(code, said, told_at, occurred_at, TimeBasis.RECEIVED, mark=mark),)


def _carrier(provider: Object) -> str:
    """The name of the carrier that a list is of; its key is a number of 17TRACK's own."""
    found = provider.get("provider")
    return _any_words(found, "name") if isinstance(found, dict) else ""


def _place(entry: Object) -> str:
    """Town, state and country of an event: no post code, nothing of a street, no free words."""
    found = entry.get("address")
    if not isinstance(found, dict):
        return ""
    named = [_any_words(found, key) for key in ("city", "state", "country")]
    return ", ".join(name for name in named if name)[:_LONGEST_KEPT]


def _estimate(info: Object) -> datetime | None:
    """The end of the span in which the delivery is expected. Nothing is decided by it, so an odd
    one is none."""
    metrics = info.get("time_metrics")
    span = metrics.get("estimated_delivery_date") if isinstance(metrics, dict) else None
    if not isinstance(span, dict):
        return None
    told = _any_words(span, "to") or _any_words(span, "from")
    try:
        return instant(told, "estimated_delivery_date")[0] if told else None
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
