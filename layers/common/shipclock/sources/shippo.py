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
from datetime import datetime

from shipclock.domain.event import Link
from shipclock.domain.tracking import TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import Account, Delivery, Headers, NotAuthentic, Translation
from shipclock.sources.fields import (
    any_object,
    any_words,
    expected,
    instant,
    kept,
    object_of,
    place,
    words_at,
)
from shipclock.sources.history import Told, Tracked, dated, entries, list_of, tracked, translation
from shipclock.sources.meaning import APPOINTMENT, DAMAGED_TOO, FINAL, NOTHING_KNOWN, Meaning
from shipclock.sources.signatures import key_of, same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "shippo"
HEADER = "shippo-auth-signature"
EVIDENCE = (HEADER,)
TOLERANCE = 5 * 60
EVENT = "track_updated"


# PROVING IT ---------------------------------------------------------------------------------------

SIGNATURE = re.compile(r"t=([0-9]{1,11}),v1=[0-9a-f]{64}")


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The header Shippo sends for a body. Raises ValueError where the secret is no text."""
    key = key_of(secret, NAME)
    signed = hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256)
    return f"t={timestamp},v1={signed.hexdigest()}"


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes not more than five minutes ago or ahead."""
    given = sent(headers, HEADER)
    found = SIGNATURE.fullmatch(given)
    if not found:
        raise NotAuthentic(f"the {HEADER} header is malformed")
    timestamp = found[1]
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise NotAuthentic(f"the time in {HEADER} is more than five minutes off")
    return signer(
        accounts,
        lambda secret: same(sign(secret, timestamp, body), given),
        f"the {HEADER} header",
    )


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do, within three seconds."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

FAILED_FOR_GOOD = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other", (FINAL,))

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
    "delivery_scheduled": Meaning(TrackingStatus.IN_TRANSIT, flags=(APPOINTMENT,)),
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
    latest = data.get("tracking_status")
    if isinstance(latest, str):
        raise Unreadable(
            "data.tracking_status: an object was expected; API versions before 2018-02-08 send "
            "another body: choose a later one for the webhook in Shippo's settings"
        )
    track = tracked(NAME, data, "tracking_number", "data", delivery, any_words(data, "carrier"))
    odd: list[str] = []
    field = "data.tracking_history"
    listed = list_of(data.get("tracking_history"), field, odd)
    told = dated(entries(listed, field, _status, odd), delivery.received_at)
    if latest is not None:  # as a rule it is in the history too, and then one scan with it
        told += _latest(latest, odd)
    links, unlinked = _link(track, any_words(data, "metadata"))
    nothing = "" if told else "nothing is known of the number yet"
    return translation(
        map(track.scan, told),
        odd,
        links=links,
        estimated_at=expected(any_words(data, "eta")),
        notes=[nothing, unlinked],
    )


ORDER = re.compile(r"(?:order[ :#]+)?(?=\D*[0-9])([A-Za-z0-9_-]{1,64})", re.ASCII | re.IGNORECASE)
"""Metadata that names an order and nothing else. One without a digit may be anybody's name."""


def _link(track: Tracked, metadata: str) -> tuple[tuple[Link, ...], str]:
    order = ORDER.fullmatch(metadata)
    if order:
        return track.link({"order": order[1]}, "order")
    # anybody's words, which may name a person: they are not quoted
    odd = "no link: data.metadata is neither an order's id nor 'order' and one"
    return (), odd if metadata else ""


def _latest(latest: object, odd: list[str]) -> tuple[Told, ...]:
    field = "data.tracking_status"
    try:
        return (_status(object_of(latest, field), field),)
    except Unreadable as problem:
        odd.append(str(problem))
        return ()


def _status(entry: Object, field: str) -> Told:
    """One status. Shippo's id of it is its identity, together with what it says: one that is
    corrected under its id is one event more, and the order of arrival decides nothing."""
    sub = entry.get("substatus")
    detail = object_of(sub, f"{field}.substatus") if sub is not None else {}
    status = words_at(entry, "status", field)
    substatus = words_at(detail, "code", f"{field}.substatus")
    if not status and not substatus:
        raise Unreadable(f"{field}.status: a tracking status was expected")
    told_at = words_at(entry, "status_date", field)
    shown = place(any_object(entry, "location"))
    return Told(
        code=kept("/".join(each for each in (status, substatus) if each)),
        said=meaning(status, substatus),
        told_at=told_at,
        when=instant(told_at, f"{field}.status_date") if told_at else None,
        where=any_words(entry, "object_id") or shown,
        place=shown,
    )
