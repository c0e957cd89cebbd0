"""17TRACK's push of tracked numbers (`carriers.md` section 4.3): the whole history, every time.

Header `sign`: the lower-case hex of a plain SHA-256, no HMAC, over the raw body, a slash and the
API key. There is no time inside the signature: a replay is told by the delivery's own key, and what
it says is known by then.

A push holds one number, with a list of events for each carrier that knows it. Each event is one
scan, and the same scan in any push. The number's latest status is a scan of its own only where no
event says it. Layouts 2.2 and 2.4 are read; the old one, with `z0` and `z1`, is refused.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from shipclock.domain.tracking import Scan, TrackingStatus
from shipclock.ports import HttpRequest
from shipclock.reading import Object, Unreadable, json_object, part, parts, words
from shipclock.sources import Account, Delivery, Headers, Translation
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    code_at,
    expected,
    instant,
    kept,
    object_of,
    place,
    setting,
    words_at,
)
from shipclock.sources.history import (
    MOST_ENTRIES,
    Told,
    dated,
    entries,
    list_of,
    summary,
    tracked,
    translation,
)
from shipclock.sources.meaning import NOTHING_KNOWN, UNCLASSIFIED, Meaning
from shipclock.sources.signatures import key_of, same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "seventeentrack"
HEADER = "sign"
EVIDENCE = (HEADER,)
UPDATED = "TRACKING_UPDATED"
STOPPED = "TRACKING_STOPPED"


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The signature 17TRACK sends for a body. Raises ValueError where the key is no text."""
    key = key_of(secret, NAME)
    return hashlib.sha256(body + b"/" + key).hexdigest()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose key is in the digest of the raw bytes, whenever that was."""
    given = sent(headers, HEADER)
    return signer(accounts, lambda secret: same(sign(secret, body), given), f"the {HEADER} header")


def acknowledge(body: bytes) -> bytes:
    """The status 200 is all that it asks for."""
    return b""


# ASKING IT ----------------------------------------------------------------------------------------

API = "https://api.17track.net/track/v2.4"
PULL_BATCH = 40
PULL_ANSWERS = frozenset({200})


def pull(account: Account, numbers: Sequence[str], now: datetime, token: str) -> HttpRequest:
    """Its `gettrackinfo`, which costs no quota. The key is the one that its pushes are signed with,
    unless the account's `pull` has a `key` of its own; a `url` in it replaces the API's."""
    key = setting(account, "key") or next(iter(account.secrets), "")
    body = json.dumps([{"number": number} for number in numbers]).encode()
    headers = {"17token": key, "content-type": "application/json"}
    url = setting(account, "url") or API
    return HttpRequest("POST", f"{url}/gettrackinfo", headers, body)


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

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


def translate(delivery: Delivery) -> Translation:
    """The scans of one number, and the link to the order that our tag on it names.

    An event that can't be read is left out, and the note tells it. Raises `Unreadable` where the
    number, or every word of what happened, can't be read, and for the old layout.
    """
    body = json_object(delivery.body)
    if delivery.pulled:
        return _answered(body, delivery)
    kind = words(body, "event")
    if kind not in (UPDATED, STOPPED):
        return Translation(note=f"event {kind!r} is no news of a number")
    data = part(body, "data")
    number = tracked(NAME, data, "number", "data", delivery)
    odd: list[str] = []
    told: list[Told] = []
    estimated_at = None
    if kind == UPDATED or data.get("track_info") is not None:
        info = _layout(data)
        told = _history(info, delivery.received_at, odd)
        estimated_at = _estimate(info)
        if not told and kind == UPDATED:
            raise Unreadable(odd[0])
    if kind == STOPPED:
        # the tracker gave up, and whatever the parcel does, it says no more
        told.append(Told(STOPPED, Meaning(TrackingStatus.EXPIRED)))
    links, note = number.link(data, "tag", "data")
    return translation(
        map(number.scan, told), odd, links=links, estimated_at=estimated_at, notes=[note]
    )


def _answered(body: Object, delivery: Delivery) -> Translation:
    """What an answer of `gettrackinfo` tells of the numbers that it was asked about."""
    data = any_object(body, "data")
    odd: list[str] = []
    scans: list[Scan] = []
    for at, item in enumerate(list_of(data.get("accepted"), "data.accepted", odd)):
        try:
            found = object_of(item, f"data.accepted[{at}]")
            number = tracked(NAME, found, "number", f"data.accepted[{at}]", delivery)
            scans += map(number.scan, _history(_layout(found), delivery.received_at, odd))
        except Unreadable as problem:
            odd.append(str(problem))
    refused = [any_object(each, "error") for each in parts(data, "rejected")]
    codes = sorted({code_at(error, "code", "error") for error in refused} - {""})
    notes = [f"rejected, by code: {', '.join(codes)}"] if codes else []
    if not scans and not odd and not codes:
        notes.append(f"the answer's code is {code_at(body, 'code', '') or 'missing'}")
    return translation(scans, odd, notes=notes)


def _layout(data: Object) -> Object:
    """What is told of the parcel. Raises `Unreadable` for the old layout, with what to do."""
    info = data.get("track_info")
    if not isinstance(info, dict) and any("z0" in each or "z1" in each for each in _objects(data)):
        raise Unreadable(
            "data: this is the layout of 17TRACK's API version 1; "
            "choose version 2.2 or later for the webhook in 17TRACK's settings"
        )
    return object_of(info, "data.track_info")


def _objects(data: Object) -> Iterator[Object]:
    yield data
    yield from (value for value in data.values() if isinstance(value, dict))


def _history(info: Object, received_at: datetime, odd: list[str]) -> list[Told]:
    """All that is told of a number: each carrier's events, and what none of them says.

    Two carriers that list the same scan tell one: a carrier is no part of a scan's identity.
    """
    told: list[Told] = []
    for carrier, field, events in _lists(info, odd):
        read = entries(events, field, partial(_event, carrier), odd)
        told += dated(read, received_at, newest_first=True)  # as sent; the page doesn't say
    told += _own(info, told, received_at, odd)
    if not told:
        odd.append("data.track_info: neither an event nor a latest status was found")
    return told


def _lists(info: Object, odd: list[str]) -> list[tuple[str, str, list[object]]]:
    """Each carrier's name with its list of events and where that stands; the latest event last.

    The latest event is in one of the lists too, as a rule, and then one scan with it.
    """
    found: list[tuple[str, str, list[object]]] = []
    at = "data.track_info.tracking"
    tracking = info.get("tracking")
    if tracking is not None and not isinstance(tracking, dict):
        odd.append(f"{at}: an object was expected, not {type(tracking).__name__}")
    providers = list_of(any_object(info, "tracking").get("providers"), f"{at}.providers", odd)
    count = len(providers)
    for number, provider in enumerate(providers):
        field = f"{at}.providers[{number}]"
        if not isinstance(provider, dict):
            odd.append(f"{field}: an object was expected, not {type(provider).__name__}")
            continue
        events = list_of(provider.get("events"), f"{field}.events", odd)
        count += len(events)
        if count > MOST_ENTRIES:
            raise Unreadable(f"{field}.events: over {MOST_ENTRIES} in all; no parcel has so many")
        # a carrier's name; its key is a number of 17TRACK's own
        name = any_words(any_object(provider, "provider"), "name")
        found.append((name, f"{field}.events", events))
    latest = info.get("latest_event")
    if latest is not None:
        name = found[0][0] if len(found) == 1 else ""
        found.append((name, "data.track_info.latest_event", [latest]))
    return found


def _event(carrier: str, entry: Object, field: str) -> Told:
    """One event as it is listed. Raises `Unreadable`, naming what is wrong with it.

    Its own words for where it was are part of the identity, its address is not: 17TRACK makes that
    out of the words, maybe later.
    """
    sub_status = words_at(entry, "sub_status", field)
    stage = any_words(entry, "stage")
    if not sub_status and not stage:
        raise Unreadable(f"{field}.sub_status: a tracking status was expected")
    # what a stage alone means is nowhere told: it is kept, as a word that is not understood
    code = sub_status or f"stage/{stage}"
    told_at, when = _time(entry, field)
    where = any_words(entry, "location")
    shown = place(any_object(entry, "address"))
    return Told(kept(code), meaning("", code), told_at, when, where, shown, carrier)


OFFSET = re.compile(r"Z|[+-]\d\d:?\d\d", re.ASCII)


def _time(entry: Object, field: str) -> tuple[str, When | None]:
    """When it happened, in its own words and read: `time_utc`, else `time_iso` with its offset,
    else the carrier's own words.

    Those have no format that is promised, and mostly no zone. So what can't be read of them is no
    time, where of the other two it is an error.
    """
    for key in ("time_utc", "time_iso"):
        told = words_at(entry, key, field)
        if told:
            return told, instant(told, f"{field}.{key}")
    raw = any_object(entry, "time_raw")
    date, time, zone = (any_words(raw, key) for key in ("date", "time", "timezone"))
    told = " ".join(each for each in (date, time, zone) if each)
    offset = zone if time and OFFSET.fullmatch(zone) else ""
    try:
        return told, instant(f"{date}T{time}{offset}" if time else date, field)
    except Unreadable:
        return told, None


def _own(
    info: Object, listed: Sequence[Told], received_at: datetime, odd: list[str]
) -> tuple[Told, ...]:
    """The number's latest status, where no event tells it. It has no time of its own, so that of
    the newest event, which it is not before."""
    field = "data.track_info.latest_status"
    latest = info.get("latest_status")
    if latest is None:
        return ()
    try:
        status, sub_status = (
            words_at(object_of(latest, field), key, field) for key in ("status", "sub_status")
        )
        if not status and not sub_status:
            raise Unreadable(f"{field}.status: a tracking status was expected")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    newest = max((each.when[0] for each in listed if each.when), default=None)
    told = Told(
        code=kept("/".join(each for each in (status, sub_status) if each)),
        said=meaning(status, sub_status),
        told_at=newest.isoformat() if newest else "",
        marks=("the latest status",),
    )
    return summary(told, listed, received_at)


def _estimate(info: Object) -> datetime | None:
    """The end of the span in which the delivery is expected."""
    span = any_object(any_object(info, "time_metrics"), "estimated_delivery_date")
    return expected(any_words(span, "to") or any_words(span, "from"))
