"""EasyPost's tracker webhooks (`carriers.md` section 4.1): a parcel's whole history, every time.

Header `x-hmac-signature`: `hmac-sha256-hex=` and the lower-case hex HMAC-SHA256 of the raw body,
keyed by the secret in Unicode's NFKD form. There is no time inside the signature: a replay is told
by the delivery's own key, and what it says is known by then.

A webhook holds one tracker. Each entry of its history is one scan, and the same scan under any
delivery. The tracker's own status is a scan of its own only where the history does not say it.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from shipclock.domain.tracking import TERMINAL, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import Account, Delivery, Headers, Translation
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    expected,
    instant,
    kept,
    place,
    words_at,
)
from shipclock.sources.history import (
    Told,
    dated,
    entries,
    last_changed,
    list_of,
    summary,
    tracked,
    translation,
)
from shipclock.sources.meaning import (
    DAMAGED_TOO,
    FINAL,
    NOTHING_KNOWN,
    Meaning,
    going_back,
)
from shipclock.sources.signatures import same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "easypost"
HEADER = "x-hmac-signature"
EVIDENCE = (HEADER,)
EVENTS = frozenset({"tracker.created", "tracker.updated"})


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The signature EasyPost sends for a body. Raises ValueError where the secret is no text."""
    try:
        key = unicodedata.normalize("NFKD", secret).encode()
    except UnicodeEncodeError:  # half a character; the message must not quote the secret
        raise ValueError("an easypost secret must be whole Unicode characters") from None
    return "hmac-sha256-hex=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes, whenever that was."""
    given = sent(headers, HEADER)
    return signer(accounts, lambda secret: same(sign(secret, body), given), f"the {HEADER} header")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

MAY_BE_FINAL = frozenset({TrackingStatus.DELIVERY_ATTEMPT_FAILED, TrackingStatus.DAMAGED})

STATUSES = {
    "unknown": NOTHING_KNOWN,
    "pre_transit": Meaning(TrackingStatus.INFO_RECEIVED),
    "in_transit": Meaning(TrackingStatus.IN_TRANSIT),
    "out_for_delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "delivered": Meaning(TrackingStatus.DELIVERED),
    "available_for_pickup": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "return_to_sender": Meaning(TrackingStatus.RETURNING),
    "failure": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other", (FINAL,)),
    "cancelled": Meaning(TrackingStatus.CANCELLED),
    "error": NOTHING_KNOWN,
}

DETAILS: dict[str, Meaning | None] = {
    "address_correction": Meaning(TrackingStatus.ON_HOLD, "address_issue"),
    "arrived_at_destination": None,
    "arrived_at_facility": Meaning(TrackingStatus.IN_TRANSIT),
    "arrived_at_pickup_location": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "awaiting_information": Meaning(TrackingStatus.ON_HOLD, "information_needed"),
    "cancelled": Meaning(TrackingStatus.CANCELLED),
    "damaged": Meaning(TrackingStatus.DAMAGED),
    "delayed": Meaning(TrackingStatus.DELAYED, "other"),
    "delivery_exception": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "departed_facility": Meaning(TrackingStatus.IN_TRANSIT),
    "departed_origin_facility": Meaning(TrackingStatus.IN_TRANSIT),
    "expired": Meaning(TrackingStatus.EXPIRED),
    "failure": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other", (FINAL,)),
    "held": Meaning(TrackingStatus.ON_HOLD, "other"),
    "in_transit": Meaning(TrackingStatus.IN_TRANSIT),
    "label_created": Meaning(TrackingStatus.INFO_RECEIVED),
    "lost": Meaning(TrackingStatus.LOST),
    "missorted": Meaning(TrackingStatus.DELAYED, "missorted"),
    "out_for_delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "received_at_destination_facility": Meaning(TrackingStatus.IN_TRANSIT),
    "received_at_origin_facility": Meaning(TrackingStatus.PICKED_UP),
    "refused": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "refused"),
    "return": Meaning(TrackingStatus.RETURNING),
    "status_update": None,
    "transferred_to_destination_carrier": Meaning(TrackingStatus.IN_TRANSIT),
    "transit_exception": Meaning(TrackingStatus.DELAYED, "other"),
    "unknown": None,
    "weather_delay": Meaning(TrackingStatus.DELAYED, "weather"),
}
"""None: the detail leaves it to the status."""

SAY_LITTLE = frozenset(
    {TrackingStatus.INFO_RECEIVED, TrackingStatus.IN_TRANSIT, TrackingStatus.UNKNOWN}
)
"""Statuses that any detail tells more than."""

TELL_LITTLE = SAY_LITTLE | {TrackingStatus.EXPIRED}
"""What a detail may say without telling more than another status does."""


def meaning(status: str, detail: str) -> Meaning:
    """What the two words of one scan mean together.

    The detail wins where it tells more than the status does. A detail that is not in the table
    leaves a known status what it is. A status that is not in the table is unknown whatever its
    detail: it may turn the detail's sense about. Where there is no status, the detail alone counts.
    """
    said = STATUSES.get(status)
    if said is None:
        return (not status and DETAILS.get(detail)) or NOTHING_KNOWN
    told = DETAILS.get(detail)
    if told is None:
        return said
    if _tells_more(told.status, said.status):
        last = said.flags and told.status in MAY_BE_FINAL
        return told._replace(flags=said.flags) if last else told
    if told.status is TrackingStatus.DAMAGED:
        return said._replace(flags=(DAMAGED_TOO,))
    if said.status is TrackingStatus.RETURNING and told.status in MAY_BE_FINAL:
        return said._replace(reason=told.reason)  # why it goes back
    return said


def _tells_more(detail: TrackingStatus, status: TrackingStatus) -> bool:
    """Whether what the detail says is a case of what the status says, or says more than it.

    A detail undoes no end. A parcel on its way back may be lost, but what else happens to it there
    is no attempt, hold or delay on the way to the buyer.
    """
    if status in TERMINAL:
        return False
    if status is TrackingStatus.RETURNING:
        return detail is TrackingStatus.LOST
    return detail not in TELL_LITTLE or status in SAY_LITTLE


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of one tracker. An entry that can't be read is left out, and the note tells it.

    Raises `Unreadable` where the number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    what, kind = words(body, "object"), words(body, "description")
    if what != "Event" or kind not in EVENTS:
        return Translation(note=f"{what!r} {kind!r} is no news of a tracker")
    result = part(body, "result")
    if words_at(result, "object", "result") != "Tracker":
        return Translation(note="result.object is no Tracker")
    tracker = _Tracker(result, delivery)
    odd: list[str] = []
    field = "result.tracking_details"
    details = list_of(result.get("tracking_details"), field, odd)
    listed = dated(entries(details, field, tracker.entry, odd), delivery.received_at)
    listed += tracker.own(result, listed, odd)
    return translation(
        map(tracker.tracked.scan, listed),
        odd,
        estimated_at=expected(any_words(result, "est_delivery_date")),
    )


class _Tracker:
    """What a delivery says of the parcel as a whole, and so of each of its scans.

    That it is a return, or was signed for, may be told later than the scans that it concerns: so
    both are marks of a scan's identity. `carrier_code` is none, for it tells apart no two scans
    that differ for us, and a scan that gets its code later must not become another.
    """

    def __init__(self, result: Object, delivery: Delivery) -> None:
        self.tracked = tracked(
            NAME, result, "tracking_code", "result", delivery, any_words(result, "carrier")
        )
        is_return = result.get("is_return")
        if is_return is not None and not isinstance(is_return, bool):
            # it turns the sense of every scan about, so it is not for guessing
            raise Unreadable("result.is_return: true or false was expected")
        self._is_return = bool(is_return)
        self._signed = bool(any_words(result, "signed_by"))  # the name itself stays in the delivery

    def entry(self, entry: Object, field: str) -> Told:
        """One entry of the history."""
        told_at = words_at(entry, "datetime", field)
        when = instant(told_at, f"{field}.datetime") if told_at else None
        return self._told(entry, field, told_at, when, place=_place(entry))

    def own(self, result: Object, listed: Sequence[Told], odd: list[str]) -> tuple[Told, ...]:
        """The tracker's own status, where the history does not tell it."""
        told_at, when = last_changed(result, "updated_at", "result", odd)
        try:
            told = self._told(result, "result", told_at, when, mark="the tracker's")
        except Unreadable as problem:
            odd.append(str(problem))
            return ()
        return summary(told, listed, self.tracked.delivery.received_at)

    def _told(
        self,
        data: Object,
        field: str,
        told_at: str,
        when: When | None,
        place: str = "",
        mark: str = "",
    ) -> Told:
        code, said = _said(data, field)
        on_its_leg = going_back(said) if self._is_return else said
        turned = "" if on_its_leg.status is said.status else "return"
        signed = self._signed and on_its_leg.status is TrackingStatus.DELIVERED
        proof = "signature" if signed else ""
        return Told(
            code=code,
            said=on_its_leg._replace(proof=proof),
            told_at=told_at,
            when=when,
            where=place,
            place=place,
            marks=tuple(filter(None, (mark, turned, proof))),
        )


def _said(data: Object, field: str) -> tuple[str, Meaning]:
    """The raw code of an entry or a tracker, and what it means."""
    status, detail = words_at(data, "status", field), words_at(data, "status_detail", field)
    if not status and not detail:
        raise Unreadable(f"{field}.status: a tracking status was expected")
    return kept(f"{status}/{detail}" if detail else status), meaning(status, detail)


def _place(entry: Object) -> str:
    return place(any_object(entry, "tracking_location"))
