"""AfterShip's tracking webhooks (`carriers.md` section 4.2): a parcel's whole history, every time.

The signature is the base64 HMAC-SHA256 of the raw body, keyed by the webhook's secret. The header
that holds it depends on the product which sends; each product has a secret of its own. There is no
time inside the signature: a replay is told by the delivery's own key, and what it says is known by
then.

A webhook holds one tracking. Each of its checkpoints is one scan, and the same scan under any
delivery. The tracking's own status is a scan of its own only where no checkpoint says it.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from shipclock.domain.event import Link
from shipclock.domain.tracking import TERMINAL, Scan, TimeBasis, TrackingStatus, in_order
from shipclock.reading import Object, Unreadable, digest, json_object, optional_id, part, words
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
NAME = "aftership"
HEADER = "aftership-hmac-sha256"
PREFIXES = {HEADER: "", "as-signature-hmac-sha256": "", "am-webhook-signature": "hmac-sha256="}
"""What stands before the base64 in the header of each product: Tracking, Returns and Warranty,
Shipping and what came before them."""
EVIDENCE = tuple(PREFIXES)
EVENT = "tracking_update"

MOST_ENTRIES = 2_000
"""The longest history that is read; a parcel's has dozens."""
_LONGEST_KEPT = 100
"""Characters of a raw code, a carrier and a place: events are kept for good."""


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The base64 that AfterShip sends for a body. Raises ValueError where the secret is no text."""
    try:
        key = secret.encode()
    except UnicodeEncodeError:  # half a character; the message must not quote the secret
        raise ValueError("an aftership secret must be whole Unicode characters") from None
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes, whenever that was.

    Of several headers the first counts: one that is wrong is not made good by another.
    """
    name = next((name for name in PREFIXES if headers.get(name)), "")
    if not name:
        raise Unsigned(f"no {HEADER} header")
    given, prefix = headers[name], PREFIXES[name]
    for account in accounts:
        if any([same(prefix + sign(secret, body), given) for secret in account.secrets]):
            return account
    raise NotAuthentic(f"the {name} header fits no secret")


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------


class Meaning(NamedTuple):
    """What a tag or a subtag says of a parcel in our words."""

    status: TrackingStatus
    reason: str = ""
    flags: tuple[str, ...] = ()
    delivered_to: str = ""
    proof: str = ""


NOTHING_KNOWN = Meaning(TrackingStatus.UNKNOWN)
UNCLASSIFIED = Meaning(TrackingStatus.UNKNOWN, flags=("exception_unclassified",))
MOVING = Meaning(TrackingStatus.IN_TRANSIT)

TAGS = {
    "Pending": NOTHING_KNOWN,
    "InfoReceived": Meaning(TrackingStatus.INFO_RECEIVED),
    "InTransit": MOVING,
    "OutForDelivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "AttemptFail": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "Delivered": Meaning(TrackingStatus.DELIVERED),
    "AvailableForPickup": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "Exception": UNCLASSIFIED,
    "Expired": Meaning(TrackingStatus.EXPIRED),
}

SUBTAGS = {
    "Pending_001": NOTHING_KNOWN,
    "Pending_002": NOTHING_KNOWN,
    "Pending_003": NOTHING_KNOWN,
    "Pending_004": NOTHING_KNOWN,
    "Pending_005": NOTHING_KNOWN,
    "Pending_006": NOTHING_KNOWN,
    "InfoReceived_001": Meaning(TrackingStatus.INFO_RECEIVED),
    "InTransit_001": MOVING,
    "InTransit_002": Meaning(TrackingStatus.PICKED_UP),
    "InTransit_003": MOVING,
    "InTransit_004": MOVING,
    "InTransit_005": MOVING,
    "InTransit_006": MOVING,
    "InTransit_007": MOVING,
    "InTransit_008": MOVING,
    "InTransit_009": MOVING,
    "OutForDelivery_001": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "OutForDelivery_003": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "OutForDelivery_004": Meaning(TrackingStatus.IN_TRANSIT, flags=("appointment",)),
    "AttemptFail_001": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other"),
    "AttemptFail_002": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "recipient_absent"),
    "AttemptFail_003": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "business_closed"),
    "AvailableForPickup_001": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "Delivered_001": Meaning(TrackingStatus.DELIVERED),
    "Delivered_002": Meaning(TrackingStatus.DELIVERED, delivered_to="pickup_point"),
    "Delivered_003": Meaning(TrackingStatus.DELIVERED, proof="signature"),
    "Delivered_004": Meaning(TrackingStatus.DELIVERED, proof="cod"),
    "Delivered_005": Meaning(TrackingStatus.DELIVERED, delivered_to="neighbour"),
    "Exception_001": UNCLASSIFIED,
    "Exception_002": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "recipient_moved"),
    "Exception_003": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "refused"),
    "Exception_004": Meaning(TrackingStatus.ON_HOLD, "customs"),
    "Exception_005": Meaning(TrackingStatus.DELAYED, "other"),
    "Exception_006": Meaning(TrackingStatus.ON_HOLD, "payment"),
    "Exception_007": Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "address_issue"),
    "Exception_008": Meaning(TrackingStatus.RETURNING, "not_collected"),
    "Exception_009": Meaning(TrackingStatus.CANCELLED, "rejected_by_carrier"),
    "Exception_010": Meaning(TrackingStatus.RETURNING),  # other people's copies of this list
    "Exception_011": Meaning(TrackingStatus.RETURNED),  # have these two the wrong way about
    "Exception_012": Meaning(TrackingStatus.DAMAGED),
    "Exception_013": Meaning(TrackingStatus.LOST),
    "Exception_016": Meaning(TrackingStatus.DELAYED, "processing"),
    "Exception_017": Meaning(TrackingStatus.DELAYED, "weather"),
    "Exception_018": Meaning(TrackingStatus.ON_HOLD, "documents"),
    "Exception_019": Meaning(TrackingStatus.DELAYED, "transport"),
    "Exception_020": Meaning(TrackingStatus.CANCELLED),
    "Exception_021": Meaning(TrackingStatus.DISPOSED),
    "Expired_001": Meaning(TrackingStatus.EXPIRED),
}

ON_THE_WAY_BACK = {
    TrackingStatus.IN_TRANSIT: TrackingStatus.RETURNING,
    TrackingStatus.DELIVERED: TrackingStatus.RETURNED,
}
"""What a scan means after the parcel has turned back (`carriers.md` 1.3, rule 3)."""

ZONES = {
    "CHN": "Asia/Shanghai",
    "DEU": "Europe/Berlin",
    "FRA": "Europe/Paris",
    "GBR": "Europe/London",
    "HKG": "Asia/Hong_Kong",
    "IRL": "Europe/Dublin",
    "ITA": "Europe/Rome",
    "JPN": "Asia/Tokyo",
    "KOR": "Asia/Seoul",
    "MYS": "Asia/Kuala_Lumpur",
    "PHL": "Asia/Manila",
    "SGP": "Asia/Singapore",
    "THA": "Asia/Bangkok",
    "TWN": "Asia/Taipei",
    "VNM": "Asia/Ho_Chi_Minh",
}
"""The clock of a country that has only one. A local time of another country is read as UTC."""

CARRIERS = {
    "malaysia-post": "Pos Malaysia",
    "malaysia-post-posdaftar": "Pos Malaysia",
    "myhermes-uk": "Evri",
    "unrecognized": "",
}
"""Slugs that do not begin with their carrier's name. From the field, not from the reference: one
that is missing here looks like another carrier than the one the marketplace has assigned."""


def meaning(tag: str, subtag: str) -> Meaning:
    """What the two words of one checkpoint mean together.

    The subtag wins. One that is not in the table leaves its own family's tag what it is; of another
    family it is a case of nothing we know.
    """
    if subtag in SUBTAGS:
        return SUBTAGS[subtag]
    if subtag and not subtag.startswith(f"{tag}_"):
        return NOTHING_KNOWN
    return TAGS.get(tag, NOTHING_KNOWN)


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------

HANDED_OVER = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
TURNS = frozenset({TrackingStatus.RETURNING, TrackingStatus.DAMAGED})


def translate(delivery: Delivery) -> Translation:
    """The scans of one tracking, and the link to an order where it names one.

    A checkpoint that can't be read is left out, and the note tells it. Raises `Unreadable` where
    the number, or every word of what happened, can't be read.
    """
    body = json_object(delivery.body)
    kind = words(body, "event")
    if kind != EVENT:
        return Translation(note=f"event {kind!r} is not {EVENT}")
    msg = part(body, "msg")
    tracking = _tracking(msg, delivery)
    odd: list[str] = []
    told = _checkpoints(msg, tracking, odd)
    turned_at = min(
        (each.occurred_at for each in told if each.said.status is TrackingStatus.RETURNING),
        default=None,
    )
    turned = turned_at is not None
    listed = [
        tracking.scan(each, turned_at is not None and each.occurred_at > turned_at) for each in told
    ]
    own = _own(msg, tracking, listed, turned, odd)
    scans = {scan.identity: scan for scan in (*listed, *own)}
    if not scans:
        raise Unreadable(odd[0])
    estimated_at = _estimate(msg)
    if estimated_at is not None:
        # on one scan only, so that the estimates of all deliveries stand apart
        newest = in_order(scans.values())[-1]
        scans[newest.identity] = replace(newest, estimated_at=estimated_at)
    notes = [f"left out {len(odd)}, the first of them: {odd[0]}"] if odd else []
    links: tuple[Link, ...] = ()
    try:
        order_id = optional_id(msg, "order_id")
    except Unreadable as problem:  # the scans count all the same; only the link can't be made
        notes.append(f"no link: msg.{problem}")
    else:
        if order_id:
            links = (Link(tracking.number, order_id, NAME, shops=delivery.shops),)
    return Translation(scans=tuple(scans.values()), links=links, note="; ".join(notes))


@dataclass(frozen=True, slots=True)
class _Told:
    """One checkpoint as it is told, before it is known on which leg it happened."""

    code: str
    said: Meaning
    told_at: str
    occurred_at: datetime
    basis: TimeBasis
    carrier: str = ""
    location: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class _Tracking:
    """What a delivery says of the parcel, and so of each of its scans.

    `home` is the country that a parcel never leaves, where that is known.
    """

    number: str
    written: str
    carrier: str
    home: str
    signed: bool
    delivery: Delivery

    def scan(self, told: _Told, turned: bool) -> Scan:
        """One scan, its identity made of what is said in it and never of the delivery.

        What depends on the rest of the tracking is part of the identity where it matters: that the
        buyer signed may come later than the delivery, and that the parcel had turned back later
        than what happened afterwards. Such news is one event more, at the same time, and the order
        of arrival decides nothing. AfterShip's own `hash` is no identity: only its newer versions
        send it, so that a change of version would double every scan.
        """
        status = _on_its_leg(told.said, turned)
        leg = "" if status is told.said.status else "return"
        proof = told.said.proof if status is TrackingStatus.DELIVERED else ""
        signature = ""
        if self.signed and status is TrackingStatus.DELIVERED and not proof:
            proof = signature = "signature"
        marks = [each for each in (told.mark, leg, signature) if each]
        return Scan(
            identity=digest(NAME, self.number, told.code, told.told_at, told.location, *marks),
            number=self.number,
            status=status,
            occurred_at=told.occurred_at,
            basis=told.basis,
            received_at=self.delivery.received_at,
            source=NAME,
            account=self.delivery.account,
            raw_code=told.code,
            written=self.written,
            carrier=told.carrier or self.carrier,
            reason=told.said.reason,
            location=told.location,
            delivered_to=told.said.delivered_to,
            proof=proof,
            flags=told.said.flags,
            shops=self.delivery.shops,
        )


def _on_its_leg(said: Meaning, turned: bool) -> TrackingStatus:
    """What a checkpoint means on the leg that the parcel was on.

    It turns back with the first checkpoint that says so. AfterShip's `return_to_sender` is no news
    beside that, and says nothing of what came before: it is true as soon as any checkpoint has
    Exception_010 or 011. What was paid for, collected or left with a neighbour is the buyer's also
    after the parcel had turned back.
    """
    if not turned or said.delivered_to or said.proof == "cod":
        return said.status
    return ON_THE_WAY_BACK.get(said.status, said.status)


def _tracking(msg: Object, delivery: Delivery) -> _Tracking:
    written = _words(msg, "tracking_number", "msg")
    origin, destination = _country(msg, "origin_"), _country(msg, "destination_")
    return _Tracking(
        number=number_of(written, "msg.tracking_number"),
        written=written,
        carrier=_carrier(msg),
        home=origin if origin == destination else "",
        signed=bool(_any_words(msg, "signed_by")),  # the name itself stays in the delivery
        delivery=delivery,
    )


def _checkpoints(msg: Object, tracking: _Tracking, odd: list[str]) -> list[_Told]:
    """The checkpoints as they are listed; what is wrong with the others goes into `odd`.

    One without a time is no later than those listed after it, nor than its receipt: the label of a
    parcel that we hear of late must not come after its delivery.
    """
    listed = msg.get("checkpoints")
    if listed is None:
        return []
    if not isinstance(listed, list):
        odd.append(f"msg.checkpoints: a list was expected, not {type(listed).__name__}")
        return []
    if len(listed) > MOST_ENTRIES:
        raise Unreadable(f"msg.checkpoints: {len(listed)} entries; no parcel has so many")
    told: list[_Told] = []
    no_later_than = tracking.delivery.received_at
    for place in reversed(range(len(listed))):
        field = f"msg.checkpoints[{place}]"
        try:
            each = _checkpoint(listed[place], field, tracking, no_later_than)
        except Unreadable as problem:
            odd.insert(0, str(problem))
        else:
            no_later_than = min(no_later_than, each.occurred_at)
            told.insert(0, each)
    return told


def _checkpoint(entry: object, field: str, tracking: _Tracking, no_later_than: datetime) -> _Told:
    if not isinstance(entry, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(entry).__name__}")
    code, said = _said(entry, field)
    told_at = _words(entry, "checkpoint_time", field)
    country = _country(entry)
    occurred_at, basis = no_later_than, TimeBasis.RECEIVED
    if told_at:
        occurred_at, basis = _instant(told_at, country or tracking.home, f"{field}.checkpoint_time")
    named = (_any_words(entry, "city"), _any_words(entry, "state"), country)
    return _Told(
        code=code,
        said=said,
        told_at=told_at,
        occurred_at=occurred_at,
        basis=basis,
        carrier=_carrier(entry),
        # town, state and country: no post code, and `location` may hold a street
        location=", ".join(name for name in named if name)[:_LONGEST_KEPT],
    )


def _instant(text: str, country: str, field: str) -> tuple[datetime, TimeBasis]:
    """A checkpoint's time. Without an offset it is the clock on the wall where the scan was made;
    which one that is we derive, so it proves nothing missed."""
    occurred_at, basis = instant(text, field)
    if basis is TimeBasis.ZONE and country in ZONES:
        occurred_at = occurred_at.replace(tzinfo=ZoneInfo(ZONES[country])).astimezone(UTC)
    return occurred_at, basis


def _own(
    msg: Object, tracking: _Tracking, listed: Sequence[Scan], turned: bool, odd: list[str]
) -> tuple[Scan, ...]:
    """The tracking's own status as a scan, where no checkpoint tells it.

    `updated_at` is when AfterShip last changed its record, for whatever cause; what happened is no
    later. So the time of such a scan counts as `received`, and proves no deadline missed. Nor is
    it before the checkpoints, whose local times may run ahead.
    """
    try:
        code, said = _said(msg, "msg")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    if listed and not _untold(_on_its_leg(said, turned), listed):
        return ()
    known_at = [scan.occurred_at for scan in listed]
    told_at = ""
    try:
        told_at = _words(msg, "updated_at", "msg")
        known_at += [instant(told_at, "msg.updated_at")[0]] if told_at else []
    except Unreadable as problem:
        odd.append(str(problem))
    occurred_at = max(known_at, default=tracking.delivery.received_at)
    if said.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED:
        # Attempts are counted by their times, and a tracking that stays failed says so in every
        # later delivery: that is one attempt, not one each. Of another status every time is kept,
        # and the earliest counts, whichever delivery arrives first.
        told_at = ""
    told = _Told(code, said, told_at, occurred_at, TimeBasis.RECEIVED, mark="the tracking's")
    return (tracking.scan(told, turned),)


def _untold(status: TrackingStatus, listed: Sequence[Scan]) -> bool:
    """Whether a status ends or turns the parcel's way and no checkpoint says so.

    Only such a status is added: of others the checkpoints tell each when it happened. And nothing
    is added where the parcel was handed over, since it would undo that.
    """
    told = {scan.status for scan in listed}
    if status in told or told & HANDED_OVER:
        return False
    return status in TERMINAL or status in TURNS


def _said(data: Object, field: str) -> tuple[str, Meaning]:
    """The raw code of a checkpoint or a tracking, and what it means."""
    tag, subtag = _words(data, "tag", field), _words(data, "subtag", field)
    if not tag and not subtag:
        raise Unreadable(f"{field}.tag: a tracking status was expected")
    code = subtag if subtag.startswith(f"{tag}_") else "/".join(filter(None, (tag, subtag)))
    return code[:_LONGEST_KEPT], meaning(tag, subtag)


def _carrier(data: Object) -> str:
    """The carrier by AfterShip's slug, which is its name and often a country."""
    slug = _any_words(data, "slug")[:_LONGEST_KEPT]
    return CARRIERS.get(slug, slug)


def _country(data: Object, which: str = "") -> str:
    """Three letters. The key was renamed with version 2026-01; a scan is the same under both."""
    return _any_words(data, f"{which}country_region") or _any_words(data, f"{which}country_iso3")


def _estimate(msg: Object) -> datetime | None:
    """When the delivery is expected. Nothing is decided by it, so an odd one is none."""
    for key, inside in (
        ("latest_estimated_delivery", "datetime"),
        ("courier_estimated_delivery_date", "estimated_delivery_date"),
        ("aftership_estimated_delivery_date", "estimated_delivery_date"),
    ):
        found = msg.get(key)
        told = _any_words(found, inside) if isinstance(found, dict) else ""
        try:
            if told:
                return instant(told, key)[0]
        except Unreadable:
            continue
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
