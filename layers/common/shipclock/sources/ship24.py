"""Ship24's tracking webhooks (`carriers.md` section 4.8): one or several parcels, an event each.

Ship24 signs nothing: `Authorization: Bearer` and the account's webhook secret come with every
request. So that header is not kept, and what a body says is unconfirmed.

A webhook holds a list of trackings, several where grouping is switched on. Each of their events is
one scan, by Ship24's own id of it together with what it says, so that one that is corrected is one
scan more. The codes are those of the vendor's schema, which the reference had not yet.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from shipclock.domain.tracking import TERMINAL, TimeBasis, TrackingStatus
from shipclock.ports import HttpRequest
from shipclock.reading import Object, Unreadable, json_object, part
from shipclock.sources import Account, Delivery, Headers, NotAuthentic, Translation
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    expected,
    instant,
    kept,
    local,
    needed,
    object_of,
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
from shipclock.sources.meaning import APPOINTMENT, NOTHING_KNOWN, UNCLASSIFIED, Meaning
from shipclock.sources.signatures import is_secret, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "ship24"
HEADER = "authorization"
EVIDENCE = ()
SCHEME = "Bearer "
TOPIC = "tracking/events"
MOST_NOTES = 3


# PROVING IT ---------------------------------------------------------------------------------------


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose secret was sent. That proves the sender, and nothing of the body."""
    given = sent(headers, HEADER)
    if not given.startswith(SCHEME):
        raise NotAuthentic(f"the {HEADER} header holds no bearer's secret")
    token = given.removeprefix(SCHEME)
    return signer(accounts, lambda secret: is_secret(secret, token, NAME), f"the {HEADER} header")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do, within fifteen seconds, but for a JSON that says it was no success."""
    return b""


# ASKING IT ----------------------------------------------------------------------------------------

API = "https://api.ship24.com/public/v1"
PULL_BATCH = 1
PULL_ANSWERS = frozenset({200, 404})


def pull(account: Account, numbers: Sequence[str], now: datetime, token: str) -> HttpRequest:
    """The results of a number that has a tracker, which costs no call of a plan. `key` of the
    account's `pull` is the API key; a `url` in it replaces the API's."""
    headers = {"authorization": f"Bearer {needed(account, 'key')}", "accept": "application/json"}
    (number,) = numbers
    base = setting(account, "url") or API
    return HttpRequest("GET", f"{base}/trackers/search/{quote(number, safe='')}/results", headers)


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_MOVING = Meaning(TrackingStatus.IN_TRANSIT)

MILESTONES = {
    "pending": NOTHING_KNOWN,
    "info_received": Meaning(TrackingStatus.INFO_RECEIVED),
    "in_transit": _MOVING,
    "out_for_delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "failed_attempt": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "available_for_pickup": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "delivered": Meaning(TrackingStatus.DELIVERED),
    "exception": UNCLASSIFIED,
}
"""Where the parcel stood at the time of an event. Every event has one."""

CODES: dict[str, Meaning | None] = {
    "data_order_created": Meaning(TrackingStatus.INFO_RECEIVED),
    "data_order_cancelled": Meaning(TrackingStatus.CANCELLED),
    "data_delivery_proposed": None,
    "data_delivery_decided": None,
    "transit_handover": Meaning(TrackingStatus.PICKED_UP),
    "transit_origin_country_departure": _MOVING,
    "destination_arrival": _MOVING,
    "customs_received": _MOVING,
    "customs_exception": Meaning(TrackingStatus.ON_HOLD, "customs"),
    "customs_rejected": Meaning(TrackingStatus.ON_HOLD, "customs"),
    "customs_cleared": _MOVING,
    "delivery_available_for_pickup": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "delivery_out_for_delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "delivery_attempted": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "delivery_exception": None,
    "delivery_refused": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "refused"),
    "delivery_delivered": Meaning(TrackingStatus.DELIVERED),
    "exception_return": Meaning(TrackingStatus.RETURNING),  # it will be, or is on its way
    "exception_lost": Meaning(TrackingStatus.LOST),
    "exception_discarded": Meaning(TrackingStatus.DISPOSED),
}
"""What an event itself says, where it says anything of weight. None leaves it to the milestone: a
day that is proposed moves no parcel, and a problem at the door may be any."""

APPOINTED = "data_delivery_decided"

CATEGORIES: dict[str, Meaning] = {
    "data": NOTHING_KNOWN,
    "transit": _MOVING,
    "destination": _MOVING,
    "customs": _MOVING,
    "delivery": NOTHING_KNOWN,
    "exception": UNCLASSIFIED,
}
"""The kind of a code. It counts only where there is no milestone."""


def meaning(milestone: str, code: str = "", category: str = "") -> Meaning:
    """What the words of one event mean together: the code wins.

    One that is not in the table, or says too little, leaves the milestone what it is. A milestone
    that is not in the table is unknown, whatever its category.
    """
    told = CODES.get(code)
    if told:
        return told
    said = MILESTONES.get(milestone, NOTHING_KNOWN)
    if not milestone:
        said = CATEGORIES.get(category, NOTHING_KNOWN)
    return said._replace(flags=(*said.flags, APPOINTMENT)) if code == APPOINTED else said


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of all trackings, and a link for each that names an order.

    What can't be read is left out, and the note tells it. Raises `Unreadable` where that is all
    there is.
    """
    body = json_object(delivery.body)
    if delivery.pulled and not isinstance(body.get("data"), dict):
        return Translation(note="Ship24 knows no tracker of the number")
    if delivery.pulled:
        return read_trackings(part(body, "data"), "data.trackings", delivery)
    topic = any_words(any_object(body, "metadata"), "topic")
    if topic and topic != TOPIC:
        return Translation(note=f"topic {topic!r} is no news of events")
    return read_trackings(body, "trackings", delivery)


def read_trackings(data: Object, field: str, delivery: Delivery) -> Translation:
    """What the trackings in a webhook or in an answer of the API tell: they are alike. `field` is
    where they stand."""
    if "trackings" not in data:
        raise Unreadable(f"{field}: a list of trackings was expected")
    odd: list[str] = []
    found: list[Translation] = []
    for at, item in enumerate(list_of(data["trackings"], field, odd)):
        try:
            found.append(
                _tracking(object_of(item, f"{field}[{at}]"), f"{field}[{at}]", delivery, odd)
            )
        except Unreadable as problem:
            odd.append(str(problem))
    scans = [scan for each in found for scan in each.scans]
    if len(scans) > MOST_ENTRIES:
        raise Unreadable(f"{field}: {len(scans)} events in one delivery")
    notes = [each.note for each in found if each.note]
    return translation(
        scans,
        odd,
        links=tuple(dict.fromkeys(link for each in found for link in each.links)),
        notes=[*notes[:MOST_NOTES], "" if scans or odd or notes else f"{field}: no event"],
    )


def _tracking(item: Object, field: str, delivery: Delivery, odd: list[str]) -> Translation:
    """The scans of one parcel and its link; what is odd about its events goes into `odd`."""
    topic = any_words(any_object(item, "metadata"), "topic")
    if topic and topic != TOPIC:
        return Translation(note=f"topic {topic!r} is no news of events")
    tracker = object_of(item.get("tracker"), f"{field}.tracker")
    at = f"{field}.tracker"
    parcel = tracked(NAME, tracker, "trackingNumber", at, delivery, confirmed=delivery.pulled)
    listed = list_of(item.get("events"), f"{field}.events", odd)
    read = partial(_event, delivery.received_at)
    told = dated(
        entries(listed, f"{field}.events", read, odd), delivery.received_at, newest_first=True
    )
    shipment = any_object(item, "shipment")
    if not listed:
        told += _own(shipment, f"{field}.shipment", delivery.received_at, odd)
    links, unlinked = parcel.link(tracker, "shipmentReference", at)
    return translation(
        map(parcel.scan, told),
        links=links,
        estimated_at=_estimate(any_object(shipment, "delivery")),
        notes=[unlinked],
    )


def _event(received_at: datetime, entry: Object, field: str) -> Told:
    """One event. Its text and its place are the carrier's own words, in which there may be a name
    or a street: they are not shown."""
    code, said = _said(entry, field)
    told_at, when = _time(entry, field, received_at, ends=said.status in TERMINAL)
    return Told(
        code=code,
        said=said,
        told_at=told_at,
        when=when,
        where=any_words(entry, "eventId") or any_words(entry, "location"),
        carrier=_carrier(any_words(entry, "courierCode")),
    )


def _said(data: Object, field: str) -> tuple[str, Meaning]:
    """The raw code of an event or a parcel, and what it means."""
    keys = ("statusMilestone", "statusCode", "statusCategory")
    milestone, code, category = (words_at(data, key, field) for key in keys)
    told = [each for each in (milestone, code or category) if each]
    if not told:
        raise Unreadable(f"{field}.statusMilestone: a tracking status was expected")
    return kept("/".join(told)), meaning(milestone, code, category)


NATIONAL_POST = re.compile(r"[a-z]{2}-post")
CARRIERS = {"us-post": "USPS"}


def _carrier(code: str) -> str:
    """The carrier by Ship24's code, which is its name but for national posts: those bear their
    country's letters, and would look like another carrier than the one that was assigned."""
    return CARRIERS.get(code, "" if NATIONAL_POST.fullmatch(code) else kept(code))


OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):?[0-5]\d", re.ASCII)


def _time(
    entry: Object, field: str, received_at: datetime, *, ends: bool
) -> tuple[str, When | None]:
    """When it happened, in Ship24's words and read: with the offset that it names, or the one told
    beside it, else as the clock where it happened shows. `datetime`, which it calls outdated, is
    that clock too, though Z stands behind it.
    """
    key = "occurrenceDatetime" if entry.get("occurrenceDatetime") else "datetime"
    told, at = words_at(entry, key, field), f"{field}.{key}"
    if not told:
        return "", None
    outdated = key == "datetime"
    told = told.rstrip("Zz") if outdated else told
    when = instant(told, at)
    offset = any_words(entry, "utcOffset") if when[1] is TimeBasis.ZONE else ""
    offset = offset if OFFSET.fullmatch(offset) else ""
    if entry.get("hasNoTime") is True or len(told) <= len("2022-08-14"):
        day = datetime.fromisoformat(told.upper()).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        return told + offset, _of_day(local(f"{day.isoformat()}{offset}", at), received_at, ends)
    if offset:
        when = instant(told + offset, at)
    return told + offset, (when[0], TimeBasis.ZONE) if outdated else when


def _of_day(day: When, received_at: datetime, ends: bool) -> When:
    """The time of an event of which the day alone is known, and which proves nothing missed.

    What ends a parcel's way comes after what else that day has brought, and before its receipt; of
    anything else that comes after nothing.
    """
    start, basis = day
    if not ends:
        return day
    return min(start + timedelta(days=1, seconds=-1), max(start, received_at)), basis


def _own(shipment: Object, field: str, received_at: datetime, odd: list[str]) -> tuple[Told, ...]:
    """The parcel's own status, where no event is told. Beside events it is not read: it is that of
    the newest one, which comes in a webhook of its own."""
    try:
        code, said = _said(shipment, field)
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    return summary(Told(code, said, marks=("the shipment's",)), (), received_at)


def _estimate(told: Object) -> datetime | None:
    """The end of the span that the carrier names, else Ship24's own estimate."""
    span = any_object(told, "courierEstimatedDeliveryDate")
    named = any_words(span, "to") or any_words(span, "from")
    return expected(named or any_words(told, "estimatedDeliveryDate"))
