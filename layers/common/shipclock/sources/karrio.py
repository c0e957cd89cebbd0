"""Karrio's tracker webhooks (`carriers.md` section 4.6): a parcel's whole history, every time.

Karrio is hosted by its users, and signs nothing: with every request it sends the webhook's secret
itself, in a header named `X-Event-Id`, which is no id of an event. So that header is not kept, and
what a body says is unconfirmed. A request that fails is not sent again; the next one tells the
whole history.

A webhook holds one tracker. Each of its events is one scan, and the same scan in any webhook. Many
connectors give their events no status, and the tracker that of the newest one.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import quote

from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.ports import HttpRequest
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import Account, Delivery, Headers, Translation
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    expected,
    kept,
    local,
    needed,
    words_at,
)
from shipclock.sources.history import (
    ENDS_OR_TURNS,
    Told,
    dated,
    entries,
    list_of,
    summary,
    tracked,
    translation,
)
from shipclock.sources.meaning import NOTHING_KNOWN, Meaning
from shipclock.sources.signatures import is_secret, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "karrio"
HEADER = "x-event-id"
EVIDENCE = ()
EVENTS = ("tracker_created", "tracker_updated")


# PROVING IT ---------------------------------------------------------------------------------------


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose secret was sent. That proves the sender, and nothing of the body."""
    given = sent(headers, HEADER)
    return signer(accounts, lambda secret: is_secret(secret, given, NAME), f"the {HEADER} header")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do. After more than five refusals in a row Karrio switches the webhook off."""
    return b""


# ASKING IT ----------------------------------------------------------------------------------------

PULL_BATCH = 1
PULL_ANSWERS = frozenset({200, 404})


def pull(account: Account, numbers: Sequence[str], now: datetime, token: str) -> HttpRequest:
    """The tracker of a number. `url` of the account's `pull` is where Karrio is hosted, `key` its
    API key.

    Karrio answers this without a key too, over all who share an instance: an answer confirms what
    the instance says, and no more.
    """
    headers = {"authorization": f"Token {needed(account, 'key')}", "accept": "application/json"}
    (number,) = numbers
    base = needed(account, "url").rstrip("/")
    return HttpRequest("GET", f"{base}/v1/trackers/{quote(number, safe='')}", headers)


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_CANCELLED = Meaning(TrackingStatus.CANCELLED)


def _failed(reason: str) -> Meaning:
    return Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, reason)


def _held(reason: str) -> Meaning:
    return Meaning(TrackingStatus.ON_HOLD, reason)


def _delayed(reason: str) -> Meaning:
    return Meaning(TrackingStatus.DELAYED, reason)


STATUSES = {
    "pending": Meaning(TrackingStatus.INFO_RECEIVED),
    "picked_up": Meaning(TrackingStatus.PICKED_UP),
    "on_hold": _held("other"),
    "cancelled": _CANCELLED,
    "delivered": Meaning(TrackingStatus.DELIVERED),
    "in_transit": Meaning(TrackingStatus.IN_TRANSIT),
    "delivery_failed": _failed("other"),
    "delivery_delayed": _delayed("other"),
    "out_for_delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "ready_for_pickup": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "return_to_sender": Meaning(TrackingStatus.RETURNING),
    "unknown": NOTHING_KNOWN,
}

REASONS = {
    "carrier_damaged_parcel": Meaning(TrackingStatus.DAMAGED),
    "carrier_parcel_lost": Meaning(TrackingStatus.LOST),
    "carrier_sorting_error": _delayed("missorted"),
    "consignee_refused": _failed("refused"),
    "consignee_business_closed": _failed("business_closed"),
    "consignee_not_available": _failed("recipient_absent"),
    "consignee_not_home": _failed("recipient_absent"),
    "consignee_incorrect_address": _failed("address_issue"),
    "consignee_access_restricted": _failed("access_restricted"),
    "consignee_verification_failed": _failed("identification"),
    "consignee_cancelled": _CANCELLED,
    "retailer_cancelled": _CANCELLED,
    "customs_delay": _held("customs"),
    "customs_inspection": _held("customs"),
    "customs_documentation": _held("documents"),
    "customs_duties_unpaid": _held("payment"),
    "customs_prohibited": _held("prohibited"),
    "weather_delay": _delayed("weather"),
    "natural_disaster": _delayed("weather"),
    "force_majeure": _delayed("other"),
    "parcel_being_researched": _held("investigation"),
    "security_issue": _held("security"),
    "regulatory_hold": _held("other"),
}
"""Why something went wrong. It says more than the status: a lost parcel's is `delivery_failed`."""


def meaning(status: str, reason: str = "") -> Meaning:
    """What the two words of an event mean together: the reason wins.

    One that is not in the table leaves the status what it is. Karrio has more than the table: what
    those say of the parcel is not known.
    """
    return REASONS.get(reason) or STATUSES.get(status, NOTHING_KNOWN)


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of one tracker, and the link to the order that its metadata names.

    An event that can't be read is left out, and the note tells it. Raises `Unreadable` where the
    number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    if delivery.pulled and "tracking_number" not in body:
        return Translation(note="Karrio knows no tracker of the number")
    if delivery.pulled:
        return read_tracker(body, "tracker", delivery)
    kind = words(body, "event")
    if kind not in EVENTS:
        return Translation(note=f"event {kind!r} is no news of a tracker")
    return read_tracker(part(body, "data"), "data", delivery)


def read_tracker(data: Object, field: str, delivery: Delivery) -> Translation:
    """What one tracker tells, in a webhook or in an answer of the API: they are alike."""
    carrier = kept(any_words(data, "carrier_name"))
    parcel = tracked(
        NAME, data, "tracking_number", field, delivery, carrier, confirmed=delivery.pulled
    )
    odd: list[str] = []
    listed = list_of(data.get("events"), f"{field}.events", odd)
    told = dated(
        entries(listed, f"{field}.events", _event, odd), delivery.received_at, newest_first=True
    )
    told += _own(data, field, told, delivery.received_at, odd)
    links, unlinked = parcel.link(any_object(data, "metadata"), "order_id", f"{field}.metadata")
    return translation(
        map(parcel.scan, told),
        odd,
        links=links,
        estimated_at=expected(any_words(data, "estimated_delivery")),
        notes=["" if told or odd else "nothing is known of the number yet", unlinked],
    )


def _event(entry: Object, field: str) -> Told:
    """One event. Where it was stands in free text, in which there may be a street: it is part of
    the identity and not shown. The description may name a person."""
    status, reason = words_at(entry, "status", field), words_at(entry, "reason", field)
    code = any_words(entry, "code")  # the carrier's own
    if not (status or reason or code):
        raise Unreadable(f"{field}.status: a tracking status was expected")
    told_at, when = _time(entry, field)
    said = "/".join(each for each in (status, reason) if each)
    return Told(
        code=kept(said or f"code/{code}"),
        said=meaning(status, reason),
        told_at=told_at,
        when=when,
        where=any_words(entry, "location"),
        marks=(code,),
    )


CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)? ?([AP]M)?", re.ASCII | re.IGNORECASE)
"""A time of day: Karrio writes "20:34", "06:16 AM", and "18:04 PM" too."""


def _time(entry: Object, field: str) -> tuple[str, When | None]:
    """When it happened, in Karrio's words and read. Its `timestamp` is the clock where the scan was
    made, whatever the Z behind it says. Date and time of day have no format that is promised: what
    can't be read of them is no time."""
    told = words_at(entry, "timestamp", field)
    if told:
        return told, local(told, f"{field}.timestamp")
    date, clock = any_words(entry, "date"), any_words(entry, "time")
    told = " ".join(each for each in (date, clock) if each)
    try:
        return told, local(f"{date}T{_time_of_day(clock)}", field)
    except Unreadable:
        return told, None


def _time_of_day(clock: str) -> str:
    found = CLOCK.fullmatch(clock)
    if not found:
        return "00:00"
    hour, half = int(found[1]), (found[3] or "").upper()
    if half == "PM" and hour < 12:
        hour += 12
    elif half == "AM" and hour == 12:
        hour = 0
    return f"{hour:02}:{found[2]}"


def _own(
    data: Object, field: str, listed: Sequence[Told], received_at: datetime, odd: list[str]
) -> tuple[Told, ...]:
    """The tracker's own status, where no event tells it.

    Where the newest event has none, the tracker's is what Karrio makes of that event, and is told
    as of its time; but not after the parcel's way has ended or turned, for where Karrio understands
    nothing it says `in_transit`.
    """
    try:
        status = words_at(data, "status", field)
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    said = meaning(status)
    if not status or (listed and said.status is TrackingStatus.UNKNOWN):
        return ()
    timed = [each.when[0] for each in listed if each.when and each.when[1] is TimeBasis.ZONE]
    newest = max(timed, default=None)
    told = Told(
        code=kept(status),
        said=said,
        told_at=newest.isoformat() if newest else "",
        when=(newest, TimeBasis.ZONE) if newest else None,
        marks=("the tracker's",),
    )
    telling = [each for each in listed if each.said.status is not TrackingStatus.UNKNOWN]
    statuses = {each.said.status for each in telling}
    silent = newest is not None and not any(
        each.when and each.when[0] == newest for each in telling
    )
    if silent and said.status not in statuses and not statuses & ENDS_OR_TURNS:
        telling = []
    return summary(told, telling, received_at)
