"""FedEx' Advanced Integrated Visibility (`carriers.md` section 6.6): what is known of parcels.

Header `fdx-signature`: the base64 HMAC-SHA256 of the raw body, keyed by the security token of the
project. One of FedEx' pages shows it in hex; that is not taken until somebody sees it so. There is
no time inside the signature and no id in the body: a replay is told by the delivery's own key.

The body is laid out as the answers of FedEx' Track API are, in `output` or without it; that is less
certain than the header, for FedEx prints no sample. Each scan event is one scan, and the same scan
under any delivery. The latest status is a scan of its own only where no event says it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from shipclock.domain.tracking import Scan, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object
from shipclock.sources import Account, Delivery, Headers, Translation
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    expected,
    instant,
    kept,
    number_of,
    object_of,
    place,
    words_at,
)
from shipclock.sources.history import (
    MOST_ENTRIES,
    Told,
    Tracked,
    dated,
    entries,
    list_of,
    summary,
    translation,
)
from shipclock.sources.meaning import NOTHING_KNOWN, Meaning, going_back
from shipclock.sources.signatures import base64_hmac, same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "fedex"
CARRIER = "FedEx"
HEADER = "fdx-signature"
EVIDENCE = (HEADER,)


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The signature FedEx sends for a body. Raises ValueError where the secret is no text."""
    return base64_hmac(secret, body, NAME)


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account whose security token signed the raw bytes, whenever that was."""
    given = sent(headers, HEADER)
    return signer(accounts, lambda secret: same(sign(secret, body), given), f"the {HEADER} header")


def acknowledge(body: bytes) -> bytes:
    """A plain 200 will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_INFO = Meaning(TrackingStatus.INFO_RECEIVED)
_PICKED_UP = Meaning(TrackingStatus.PICKED_UP)
_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_OUT = Meaning(TrackingStatus.OUT_FOR_DELIVERY)
_WAITING = Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP)
_DELAYED = Meaning(TrackingStatus.DELAYED, "other")
_RETURNING = Meaning(TrackingStatus.RETURNING)
_CANCELLED = Meaning(TrackingStatus.CANCELLED)

EVENTS = {
    "OC": _INFO,
    "OX": _INFO,
    "EP": _INFO,
    "MD": _INFO,
    "PU": _PICKED_UP,
    "PX": _PICKED_UP,
    "AP": _MOVING,
    "OF": _MOVING,
    "AA": _MOVING,
    "AC": _MOVING,
    "AF": _MOVING,
    "AR": _MOVING,
    "AX": _MOVING,
    "DP": _MOVING,
    "EA": _MOVING,
    "EO": _MOVING,
    "FD": _MOVING,
    "IT": _MOVING,
    "IX": _MOVING,
    "LO": _MOVING,
    "PF": _MOVING,
    "PL": _MOVING,
    "PM": _MOVING,
    "SF": _MOVING,
    "TR": _MOVING,
    "AD": _OUT,
    "ED": _OUT,
    "OD": _OUT,
    "HL": _WAITING,
    "HP": _WAITING,
    "HA": Meaning(TrackingStatus.ON_HOLD, "recipient_request"),
    "CD": Meaning(TrackingStatus.ON_HOLD, "customs"),
    "SE": _DELAYED,
    "DE": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "DD": _DELAYED,
    "DY": _DELAYED,
    "PY": _DELAYED,
    "DL": Meaning(TrackingStatus.DELIVERED),
    "RS": _RETURNING,
    "RT": _RETURNING,
    "CA": _CANCELLED,
    "RD": _CANCELLED,
}

EXCEPTIONS = {"08": "recipient_absent"}
"""Why an attempt failed, by `exceptionCode`. FedEx' list is not published; any other is kept in the
raw code, and the reason stays `other`."""


def meaning(event: str, exception: str = "") -> Meaning:
    """What an event means, and why where it is a failed attempt."""
    said = EVENTS.get(event, NOTHING_KNOWN)
    if said.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED:
        return said._replace(reason=EXCEPTIONS.get(exception, said.reason))
    return said


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------


def translate(delivery: Delivery) -> Translation:
    """The scans of all parcels. What can't be read is left out, and the note tells it.

    Raises `Unreadable` where that is all there is, or where no parcels stand in the body: what else
    FedEx may send is not known, so that a person must look at it.
    """
    odd: list[str] = []
    notes: list[str] = []
    scans: list[Scan] = []
    for field, found, number in _results(json_object(delivery.body), odd):
        try:
            parcel = _parcel(found, field, number, delivery)
        except Unreadable as problem:
            odd.append(str(problem))
            continue
        told = _history(found, field, delivery.received_at, odd, notes)
        read = translation(
            map(parcel.scan, told), estimated_at=expected(_time(found, "ESTIMATED_DELIVERY"))
        )
        scans += read.scans
        if len(scans) > MOST_ENTRIES:
            raise Unreadable(f"{field}.scanEvents: more than {MOST_ENTRIES} in one delivery")
    notes.append("" if scans or odd or notes else "no parcel is told of")
    return translation(scans, odd, notes=notes)


def _results(body: Object, odd: list[str]) -> Iterator[tuple[str, Object, str]]:
    """Where each parcel's result stands, the result, and the number of the group it stands in."""
    inside = any_object(body, "output") or body
    groups: Iterable[tuple[str, Object]] = [("", inside)]
    if "completeTrackResults" in inside:
        groups = _members(inside["completeTrackResults"], "completeTrackResults", odd)
    elif "trackResults" not in inside:
        raise Unreadable("neither completeTrackResults nor trackResults: no parcels are told of")
    for at, group in groups:
        number, field = any_words(group, "trackingNumber"), f"{at}.trackResults".lstrip(".")
        for where, found in _members(group.get("trackResults"), field, odd):
            yield where, found, number


def _members(listed: object, field: str, odd: list[str]) -> Iterator[tuple[str, Object]]:
    """The objects of a list and where each stands."""
    for at, each in enumerate(list_of(listed, field, odd)):
        try:
            yield f"{field}[{at}]", object_of(each, f"{field}[{at}]")
        except Unreadable as problem:
            odd.append(str(problem))


def _parcel(found: Object, field: str, number: str, delivery: Delivery) -> Tracked:
    """The parcel of a result, by the number in it, else by that of its group."""
    info = any_words(any_object(found, "trackingNumberInfo"), "trackingNumber")
    written = info or words_at(found, "trackingNumber", field) or number
    return Tracked(NAME, number_of(written, f"{field}.trackingNumber"), written, delivery, CARRIER)


def _history(
    found: Object, field: str, received_at: datetime, odd: list[str], notes: list[str]
) -> list[Told]:
    """All that a result tells of its parcel."""
    at = f"{field}.scanEvents"
    listed = entries(list_of(found.get("scanEvents"), at, odd), at, event, odd)
    listed = dated(listed, received_at, newest_first=True)
    turns = [each.when[0] for each in listed if each.when and each.said == _RETURNING]
    turned = min(turns, default=None)
    # the name of who signed stays in the delivery
    signed = bool(any_words(any_object(found, "deliveryDetails"), "signedByName"))
    told = [
        _on_its_leg(each, bool(turned and each.when and each.when[0] > turned), signed)
        for each in listed
    ]
    latest = _latest(found, field, odd)
    if latest:  # true now, so after a turn
        told += summary(_on_its_leg(latest, bool(turns), signed), told, received_at)
    if not told:
        why = kept(any_words(any_object(found, "error"), "code"))
        notes.append(f"{field}: nothing is known of the number {why}".rstrip())
    return told


def event(entry: Object, field: str) -> Told:
    """One scan event. Raises `Unreadable`, naming what is wrong with it."""
    code = words_at(entry, "eventType", field) or words_at(entry, "derivedStatusCode", field)
    if not code:
        raise Unreadable(f"{field}.eventType: the type of an event was expected")
    why = any_words(entry, "exceptionCode")
    told_at = words_at(entry, "date", field)
    shown = _place(entry)
    return Told(
        code=_raw(code, why),
        said=meaning(code, why),
        told_at=told_at,
        when=instant(told_at, f"{field}.date") if told_at else None,
        where=shown,
        place=shown,
    )


def _on_its_leg(told: Told, back: bool, signed: bool) -> Told:
    """What is told on the leg that the parcel was on, and with what proof.

    What comes after an event that says the parcel turned back is of the way back. That it turned,
    and that somebody signed, may become known later: either is a mark of the identity.
    """
    said = going_back(told.said) if back else told.said
    marks = () if said.status is told.said.status else ("return",)
    if signed and said.status is TrackingStatus.DELIVERED:
        said, marks = said._replace(proof="signature"), (*marks, "signature")
    return replace(told, said=said, marks=(*told.marks, *marks))


def _latest(found: Object, field: str, odd: list[str]) -> Told | None:
    """A parcel's latest status, if one is told. Of a delivery its time may be told beside."""
    at = f"{field}.latestStatusDetail"
    detail = found.get("latestStatusDetail")
    if detail is None:
        return None
    try:
        detail = object_of(detail, at)
        codes = [words_at(detail, key, at) for key in ("derivedCode", "code")]
    except Unreadable as problem:
        odd.append(str(problem))
        return None
    code = next((each for each in codes if each in EVENTS), "") or codes[0] or codes[1]
    if not code:
        return None
    why = next((any_words(each, "reason") for each in _objects(detail, "ancillaryDetails")), "")
    said = meaning(code, why)
    delivered = said.status is TrackingStatus.DELIVERED
    told_at = _time(found, "ACTUAL_DELIVERY") if delivered else ""
    return Told(
        code=_raw(code, why),
        said=said,
        told_at=told_at,
        when=_when(told_at),
        place=_place(detail),
        marks=("the latest",),
    )


def _raw(code: str, exception: str) -> str:
    return kept(f"{code}/{exception}" if exception else code)


def _place(data: Object) -> str:
    """Town, state and country: FedEx' accounts are sent whole addresses too."""
    keys = ("city", "stateOrProvinceCode", "countryCode")
    return place(any_object(data, "scanLocation"), keys)


def _objects(data: Object, key: str) -> list[Object]:
    """The objects of a list that nothing depends on."""
    found = data.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _time(found: Object, kind: str) -> str:
    """One of a parcel's times, in FedEx' own words; empty where it is not told."""
    told = (each for each in _objects(found, "dateAndTimes") if any_words(each, "type") == kind)
    return next((any_words(each, "dateTime") for each in told), "")


def _when(told_at: str) -> When | None:
    try:
        return instant(told_at, "ACTUAL_DELIVERY") if told_at else None
    except Unreadable:
        return None
