"""AfterShip's tracking webhooks (`carriers.md` section 4.2): a parcel's whole history, every time.

The signature is the base64 HMAC-SHA256 of the raw body, keyed by the webhook's secret. The header
that holds it depends on the product which sends; each product has a secret of its own. There is no
time inside the signature: a replay is told by the delivery's own key, and what it says is known by
then.

A webhook holds one tracking. Each of its checkpoints is one scan, and the same scan under any
delivery. The tracking's own status is a scan of its own only where no checkpoint says it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from shipclock.domain.tracking import TimeBasis, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, part, words
from shipclock.sources import Account, Delivery, Headers, Translation, Unsigned
from shipclock.sources.fields import (
    When,
    any_object,
    any_words,
    expected,
    instant,
    kept,
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
from shipclock.sources.meaning import NOTHING_KNOWN, UNCLASSIFIED, Meaning, going_back
from shipclock.sources.signatures import base64_hmac, same, signer

LIMIT = 256 * 1024
FORM = False
NAME = "aftership"
HEADER = "aftership-hmac-sha256"
PREFIXES = {HEADER: "", "as-signature-hmac-sha256": "", "am-webhook-signature": "hmac-sha256="}
"""What stands before the base64 in the header of each product: Tracking, Returns and Warranty,
Shipping and what came before them."""
EVIDENCE = tuple(PREFIXES)
EVENT = "tracking_update"


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The base64 that AfterShip sends for a body. Raises ValueError where the secret is no text."""
    return base64_hmac(secret, body, NAME)


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes, whenever that was.

    Of several headers the first counts: one that is wrong is not made good by another.
    """
    name = next((name for name in PREFIXES if headers.get(name)), "")
    if not name:
        raise Unsigned(f"no {HEADER} header")
    given, prefix = headers[name], PREFIXES[name]
    return signer(
        accounts, lambda secret: same(prefix + sign(secret, body), given), f"the {name} header"
    )


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

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
    parcel = tracked(NAME, msg, "tracking_number", "msg", delivery, _carrier(msg))
    odd: list[str] = []
    home = _home(msg)
    checkpoints = list_of(msg.get("checkpoints"), "msg.checkpoints", odd)
    told = dated(
        entries(checkpoints, "msg.checkpoints", lambda each, at: _checkpoint(each, at, home), odd),
        delivery.received_at,
    )
    signed = bool(any_words(msg, "signed_by"))  # the name itself stays in the delivery
    turned = _turned_at(told)
    told = [_on_its_leg(each, turned, signed) for each in told]
    told += _own(msg, told, turned, signed, delivery.received_at, odd)
    links, note = parcel.link(msg, "order_id", "msg")
    return translation(
        map(parcel.scan, told), odd, links=links, estimated_at=_estimate(msg), notes=[note]
    )


def _checkpoint(entry: Object, field: str, home: str) -> Told:
    """One checkpoint, before it is known on which leg it happened.

    AfterShip's own `hash` is no identity: only its newer versions send it, so that a change of
    version would double every scan.
    """
    code, said = _said(entry, field)
    told_at = words_at(entry, "checkpoint_time", field)
    country = _country(entry)
    when = _instant(told_at, country or home, f"{field}.checkpoint_time") if told_at else None
    # town, state and country: no post code, and `location` may hold a street
    named = (any_words(entry, "city"), any_words(entry, "state"), country)
    place = kept(", ".join(name for name in named if name))
    return Told(code, said, told_at, when, where=place, place=place, carrier=_carrier(entry))


def _turned_at(told: Sequence[Told]) -> datetime | None:
    """When the parcel turned back: with the first checkpoint that says so.

    AfterShip's `return_to_sender` is no news beside that, and says nothing of what came before: it
    is true as soon as any checkpoint has Exception_010 or 011.
    """
    turns = (
        each.when[0] for each in told if each.when and each.said.status is TrackingStatus.RETURNING
    )
    return min(turns, default=None)


def _on_its_leg(told: Told, turned_at: datetime | None, signed: bool) -> Told:
    """What a checkpoint means on the leg that the parcel was on, and with what proof.

    What was paid for, collected or left with a neighbour is the buyer's also after the parcel had
    turned back. That it turned, and that the buyer signed, may become known later: either is a mark
    of the identity where it matters.
    """
    said = told.said
    theirs = bool(said.delivered_to) or said.proof == "cod"
    if turned_at and told.when and told.when[0] > turned_at and not theirs:
        said = going_back(said)
    marks = told.marks if said.status is told.said.status else (*told.marks, "return")
    if said.status is not TrackingStatus.DELIVERED:
        said = said._replace(proof="")
    elif signed and not said.proof:
        said, marks = said._replace(proof="signature"), (*marks, "signature")
    return replace(told, said=said, marks=marks)


def _instant(text: str, country: str, field: str) -> When:
    """A checkpoint's time. Without an offset it is the clock on the wall where the scan was made;
    which one that is we derive, so it proves nothing missed."""
    occurred_at, basis = instant(text, field)
    if basis is TimeBasis.ZONE and country in ZONES:
        occurred_at = occurred_at.replace(tzinfo=ZoneInfo(ZONES[country])).astimezone(UTC)
    return occurred_at, basis


def _own(
    msg: Object,
    listed: Sequence[Told],
    turned_at: datetime | None,
    signed: bool,
    received_at: datetime,
    odd: list[str],
) -> tuple[Told, ...]:
    """The tracking's own status, where no checkpoint tells it."""
    told_at, when = last_changed(msg, "updated_at", "msg", odd)
    try:
        code, said = _said(msg, "msg")
    except Unreadable as problem:
        odd.append(str(problem))
        return ()
    # what the tracking says is true now, so after the turn
    now = (datetime.max.replace(tzinfo=UTC), TimeBasis.RECEIVED)
    told = Told(code, said, told_at, now, marks=("the tracking's",))
    on_its_leg = _on_its_leg(told, turned_at, signed)
    return summary(replace(on_its_leg, when=when), listed, received_at)


def _said(data: Object, field: str) -> tuple[str, Meaning]:
    """The raw code of a checkpoint or a tracking, and what it means."""
    tag, subtag = words_at(data, "tag", field), words_at(data, "subtag", field)
    if not tag and not subtag:
        raise Unreadable(f"{field}.tag: a tracking status was expected")
    code = subtag if subtag.startswith(f"{tag}_") else "/".join(filter(None, (tag, subtag)))
    return kept(code), meaning(tag, subtag)


def _carrier(data: Object) -> str:
    """The carrier by AfterShip's slug, which is its name and often a country."""
    slug = kept(any_words(data, "slug"))
    return CARRIERS.get(slug, slug)


def _home(msg: Object) -> str:
    """The country that a parcel never leaves, where that is known."""
    origin, destination = _country(msg, "origin_"), _country(msg, "destination_")
    return origin if origin == destination else ""


def _country(data: Object, which: str = "") -> str:
    """Three letters. The key was renamed with version 2026-01; a scan is the same under both."""
    return any_words(data, f"{which}country_region") or any_words(data, f"{which}country_iso3")


def _estimate(msg: Object) -> datetime | None:
    """When the delivery is expected, by the first of its estimates that can be read."""
    told = (
        ("latest_estimated_delivery", "datetime"),
        ("courier_estimated_delivery_date", "estimated_delivery_date"),
        ("aftership_estimated_delivery_date", "estimated_delivery_date"),
    )
    found = (expected(any_words(any_object(msg, key), inside)) for key, inside in told)
    return next(filter(None, found), None)
