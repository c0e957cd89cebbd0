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
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from shipclock.domain.tracking import TERMINAL, Scan, TimeBasis, TrackingStatus, in_order
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
NAME = "easypost"
HEADER = "x-hmac-signature"
EVIDENCE = (HEADER,)
EVENTS = frozenset({"tracker.created", "tracker.updated"})

MOST_ENTRIES = 2_000
"""The longest history that is read; a parcel's has dozens."""
_LONGEST_KEPT = 100
"""Characters of a raw code, and of a place: events are kept for good."""


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
    given = headers.get(HEADER, "")
    if not given:
        raise Unsigned(f"no {HEADER} header")
    for account in accounts:
        if any([same(sign(secret, body), given) for secret in account.secrets]):
            return account
    raise NotAuthentic(f"the {HEADER} header fits no secret")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

FINAL = "final"
MAY_BE_FINAL = frozenset({TrackingStatus.DELIVERY_ATTEMPT_FAILED, TrackingStatus.DAMAGED})
DAMAGED_TOO = "damaged"


class Meaning(NamedTuple):
    """What a status, or the detail of one, says of a parcel in our words."""

    status: TrackingStatus
    reason: str = ""
    flags: tuple[str, ...] = ()


NOTHING_KNOWN = Meaning(TrackingStatus.UNKNOWN)

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

ON_THE_WAY_BACK = {
    TrackingStatus.IN_TRANSIT: TrackingStatus.RETURNING,
    TrackingStatus.DELIVERED: TrackingStatus.RETURNED,
}
"""What a scan means where the shipment is itself a return (`carriers.md` 1.3, rule 3)."""


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

HANDED_OVER = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
TURNS = frozenset({TrackingStatus.RETURNING, TrackingStatus.DAMAGED})


def translate(delivery: Delivery) -> Translation:
    """The scans of one tracker. An entry that can't be read is left out, and the note tells it.

    Raises `Unreadable` where the number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    what, kind = words(body, "object"), words(body, "description")
    if what != "Event" or kind not in EVENTS:
        return Translation(note=f"{what!r} {kind!r} is no news of a tracker")
    result = part(body, "result")
    if _words(result, "object", "result") != "Tracker":
        return Translation(note="result.object is no Tracker")
    tracker = _tracker(result, delivery)
    odd: list[str] = []
    listed = _history(result, tracker, odd)
    own = _own(result, tracker, listed, odd)
    scans = {scan.identity: scan for scan in (*listed, *own)}
    if not scans:
        raise Unreadable(odd[0])
    estimated_at = _estimate(result)
    if estimated_at is not None:
        # on one scan only, so that the estimates of all deliveries stand apart; one that changes
        # before the next scan is not kept, for that scan is known by then
        newest = in_order(scans.values())[-1]
        scans[newest.identity] = replace(newest, estimated_at=estimated_at)
    note = f"left out {len(odd)}, the first of them: {odd[0]}" if odd else ""
    return Translation(scans=tuple(scans.values()), note=note)


@dataclass(frozen=True, slots=True)
class _Tracker:
    """What a delivery says of the parcel, and so of each of its scans."""

    number: str
    written: str
    carrier: str
    is_return: bool
    signed: bool
    delivery: Delivery

    def status(self, said: Meaning) -> TrackingStatus:
        """The status on the leg that the parcel is on."""
        return ON_THE_WAY_BACK.get(said.status, said.status) if self.is_return else said.status

    def scan(
        self,
        code: str,
        said: Meaning,
        told_at: str,
        occurred_at: datetime,
        basis: TimeBasis,
        location: str = "",
        mark: str = "",
    ) -> Scan:
        """One scan, its identity made of what is said in it and never of the delivery.

        What the tracker says of its scans may change after they were told: that the buyer signed
        may come later than the delivery. Where it matters it is part of the identity, so that such
        news is one event more, at the same time, and the order of arrival decides nothing.
        `carrier_code` is no part: it tells apart no two scans that differ for us, and a scan that
        gets its code later must not become another.
        """
        status = self.status(said)
        turned = "" if status is said.status else "return"
        proof = "signature" if self.signed and status is TrackingStatus.DELIVERED else ""
        marks = [each for each in (mark, turned, proof) if each]
        return Scan(
            identity=digest(NAME, self.number, code, told_at, location, *marks),
            number=self.number,
            status=status,
            occurred_at=occurred_at,
            basis=basis,
            received_at=self.delivery.received_at,
            source=NAME,
            account=self.delivery.account,
            raw_code=code,
            written=self.written,
            carrier=self.carrier,
            reason=said.reason,
            location=location,
            proof=proof,
            flags=said.flags,
            shops=self.delivery.shops,
        )


def _tracker(result: Object, delivery: Delivery) -> _Tracker:
    written = _words(result, "tracking_code", "result")
    is_return = result.get("is_return")
    if is_return is not None and not isinstance(is_return, bool):
        # it turns the sense of every scan about, so it is not for guessing
        raise Unreadable("result.is_return: true or false was expected")
    return _Tracker(
        number=number_of(written, "result.tracking_code"),
        written=written,
        carrier=_any_words(result, "carrier"),
        is_return=bool(is_return),
        signed=bool(_any_words(result, "signed_by")),  # the name itself stays in the delivery
        delivery=delivery,
    )


def _history(result: Object, tracker: _Tracker, odd: list[str]) -> list[Scan]:
    """The scans of the history as they are listed; what is wrong with the others goes into `odd`.

    An entry without a time is no later than those listed after it, nor than its receipt: the label
    of a parcel that we hear of late must not come after its delivery.
    """
    listed = result.get("tracking_details")
    if listed is None:
        return []
    if not isinstance(listed, list):
        odd.append(f"result.tracking_details: a list was expected, not {type(listed).__name__}")
        return []
    if len(listed) > MOST_ENTRIES:
        raise Unreadable(f"result.tracking_details: {len(listed)} entries; no parcel has so many")
    scans: list[Scan] = []
    no_later_than = tracker.delivery.received_at
    for place in reversed(range(len(listed))):
        field = f"result.tracking_details[{place}]"
        try:
            scan = _entry(listed[place], field, tracker, no_later_than)
        except Unreadable as problem:
            odd.insert(0, str(problem))
        else:
            no_later_than = min(no_later_than, scan.occurred_at)
            scans.insert(0, scan)
    return scans


def _entry(entry: object, field: str, tracker: _Tracker, no_later_than: datetime) -> Scan:
    if not isinstance(entry, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(entry).__name__}")
    code, said = _said(entry, field)
    told_at = _words(entry, "datetime", field)
    occurred_at, basis = no_later_than, TimeBasis.RECEIVED
    if told_at:
        occurred_at, basis = instant(told_at, f"{field}.datetime")
    return tracker.scan(code, said, told_at, occurred_at, basis, _place(entry))


def _own(
    result: Object, tracker: _Tracker, listed: Sequence[Scan], odd: list[str]
) -> tuple[Scan, ...]:
    """The tracker's own status as a scan, where the history does not tell it.

    `updated_at` is when EasyPost last changed its record, for whatever cause; what happened is no
    later. So the time of such a scan counts as `received`, and proves no deadline missed. Nor is
    it before the history, whose times may run ahead: some carriers' local times are sent as UTC.
    """
    try:
        code, said = _said(result, "result")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    if listed and not _untold(tracker.status(said), said, listed):
        return ()
    known_at = [scan.occurred_at for scan in listed]
    told_at = ""
    try:
        told_at = _words(result, "updated_at", "result")
        known_at += [instant(told_at, "result.updated_at")[0]] if told_at else []
    except Unreadable as problem:
        odd.append(str(problem))
    occurred_at = max(known_at, default=tracker.delivery.received_at)
    if said.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED:
        # Attempts are counted by their times, and a tracker that has failed says so in every later
        # delivery: that is one attempt, not one each. Of another status every time is kept, and
        # the earliest counts, whichever delivery arrives first.
        told_at = ""
    return (
        tracker.scan(code, said, told_at, occurred_at, TimeBasis.RECEIVED, mark="the tracker's"),
    )


def _untold(status: TrackingStatus, said: Meaning, listed: Sequence[Scan]) -> bool:
    """Whether a status ends or turns the parcel's way and no scan of the history says so.

    Only such a status is added: of others the history tells each when it happened. And nothing is
    added to a history in which the parcel was handed over, since it would undo that.
    """
    told = {scan.status for scan in listed}
    if status in told or told & HANDED_OVER:
        return False
    return status in TERMINAL or status in TURNS or FINAL in said.flags


def _said(data: Object, field: str) -> tuple[str, Meaning]:
    """The raw code of an entry or a tracker, and what it means."""
    status, detail = _words(data, "status", field), _words(data, "status_detail", field)
    if not status and not detail:
        raise Unreadable(f"{field}.status: a tracking status was expected")
    code = f"{status}/{detail}" if detail else status
    return code[:_LONGEST_KEPT], meaning(status, detail)


def _place(entry: Object) -> str:
    """Town, state and country of a scan: no post code, nothing of a street."""
    found = entry.get("tracking_location")
    if not isinstance(found, dict):
        return ""
    named = [_any_words(found, key) for key in ("city", "state", "country")]
    return ", ".join(name for name in named if name)[:_LONGEST_KEPT]


def _estimate(result: Object) -> datetime | None:
    """When EasyPost expects the delivery. Nothing is decided by it, so an odd one is none."""
    told = _any_words(result, "est_delivery_date")
    try:
        return instant(told, "est_delivery_date")[0] if told else None
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
