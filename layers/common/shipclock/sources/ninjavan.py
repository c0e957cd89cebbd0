"""Ninja Van's webhooks, version 2 (`carriers.md` section 6.1): one event of one parcel each.

Header `X-Ninjavan-Hmac-Sha256`: the base64 HMAC-SHA256 of the raw body, keyed by the client secret
of that country's account. There is no time inside the signature and no id in the body: a replay is
told by the delivery's own key, and the same event by what is said in it.

The header is certain (many receivers agree). The fields are less so, therefore nothing but the
number, the event and a time that is there must be readable. The parcel's way back to the sender is
told in the same words as its way to the buyer; `is_parcel_on_rts_leg` alone tells them apart.
"""

from collections.abc import Sequence
from datetime import datetime

from shipclock.domain.tracking import TrackingStatus
from shipclock.reading import Object, Unreadable, json_object, words
from shipclock.sources import Account, Delivery, Headers, Translation
from shipclock.sources.fields import any_object, any_words, folded, instant, kept, links, place
from shipclock.sources.history import Told, tracked, translation
from shipclock.sources.meaning import (
    FINAL,
    LEG_BACK,
    NOTHING_KNOWN,
    UNCLASSIFIED,
    Meaning,
    told_alike_there_and_back,
)
from shipclock.sources.signatures import base64_hmac, same, sent, signer

LIMIT = 256 * 1024
FORM = False
NAME = "ninjavan"
CARRIER = "Ninja Van"
HEADER = "x-ninjavan-hmac-sha256"
EVIDENCE = (HEADER,)


# PROVING IT ---------------------------------------------------------------------------------------


def sign(secret: str, body: bytes) -> str:
    """The signature Ninja Van sends for a body. Raises ValueError where the secret is no text."""
    return base64_hmac(secret, body, NAME)


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes, whenever that was: one account for each country."""
    given = sent(headers, HEADER)
    return signer(accounts, lambda secret: same(sign(secret, body), given), f"the {HEADER} header")


def acknowledge(body: bytes) -> bytes:
    """A plain 200 will do."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_INFO = Meaning(TrackingStatus.INFO_RECEIVED)
_PICKED_UP = Meaning(TrackingStatus.PICKED_UP)
_MOVING = Meaning(TrackingStatus.IN_TRANSIT)
_FAILED = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other")
_RETURNING = Meaning(TrackingStatus.RETURNING)
_RETURNED = Meaning(TrackingStatus.RETURNED)
_FINAL = (FINAL,)

EVENTS: dict[str, Meaning | None] = {
    "pending pickup": _INFO,
    "driver dispatched for pickup": _INFO,
    "pending pickup, shipper dropoff": _INFO,
    "picked up, in transit to origin hub": _PICKED_UP,
    "pickup exception, pending reschedule": Meaning(TrackingStatus.PICKUP_FAILED, "other"),
    "pickup exception, reattempt scheduled": Meaning(TrackingStatus.PICKUP_FAILED, "rescheduled"),
    "pickup exception, max attempts reached": Meaning(
        TrackingStatus.PICKUP_FAILED, "other", flags=_FINAL
    ),
    "pickup exception, pending retrieval from pudo": _INFO,
    "arrived at origin hub": _MOVING,
    "arrived at transit hub": _MOVING,
    "arrived at destination hub": _MOVING,
    "in transit to next sorting hub": _MOVING,
    "on vehicle for delivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "at pudo, pending customer collection": Meaning(TrackingStatus.AVAILABLE_FOR_PICKUP),
    "delivered, collected by customer": Meaning(
        TrackingStatus.DELIVERED, delivered_to="pickup_point"
    ),
    "delivered, left at doorstep": Meaning(TrackingStatus.DELIVERED, delivered_to="safe_place"),
    "delivered, received by customer": Meaning(TrackingStatus.DELIVERED, delivered_to="recipient"),
    "delivery exception, pending reschedule": _FAILED,
    "delivery exception, reattempt scheduled": _FAILED,
    "delivery exception, max attempts reached": _FAILED._replace(flags=_FINAL),
    "delivery exception, parcel overstayed at pudo": _RETURNING._replace(reason="not_collected"),
    "delivery exception, parcel lost": Meaning(TrackingStatus.LOST),
    "delivery exception, parcel damaged": Meaning(TrackingStatus.DAMAGED),
    "delivery exception, return to sender initiated": _RETURNING,
    "returned to sender": _RETURNED,
    "cancelled": Meaning(TrackingStatus.CANCELLED),
    "parcel measurements update": None,
    "international transit, fulfillment request submitted": _INFO,
    "international transit, fulfillment packed": _INFO,
    "international transit, en route to origin facility": _MOVING,
    "international transit, handed over to origin facility": _PICKED_UP,
    "international transit, arrived at origin facility": _MOVING,
    "international transit, processed at origin facility": _MOVING,
    "international transit, handed over to linehaul": _MOVING,
    "international transit, export cleared": _MOVING,
    "international transit, linehaul scheduled": _MOVING,
    "international transit, linehaul departed": _MOVING,
    "international transit, linehaul arrived": _MOVING,
    "international transit, customs cleared": _MOVING,
    "international transit, customs held": Meaning(TrackingStatus.ON_HOLD, "customs"),
    "international transit, handed over to last mile": _MOVING,
    "international transit, returned to sender at origin facility": _RETURNED,
    "international transit, returned to xb warehouse": _RETURNED,
    "international transit, parcel exception": UNCLASSIFIED,
    "international transit, parcel disposed": Meaning(TrackingStatus.DISPOSED),
    "international transit, parcel lost": Meaning(TrackingStatus.LOST),
    "international transit, parcel damaged": Meaning(TrackingStatus.DAMAGED),
    "return to shipper exception, parcel triggered for shipper collection": _RETURNING,
    "return to shipper exception, parcel collected by shipper": _RETURNED,
    "return to shipper exception, parcel scrapped": Meaning(TrackingStatus.DISPOSED),
    "return to shipper exception, max attempts reached": _RETURNING._replace(flags=_FINAL),
}
"""Keyed by the folded event. None: it says nothing of where the parcel is."""

FAILURES = {"customer not available": "recipient_absent"}
"""Why an attempt failed, folded. The sender's list is not published; any other stays `other`."""


def meaning(event: str, failure: str = "", *, going_back: bool = False) -> Meaning | None:
    """What an event means on its leg; unknown where it is not in the table, None where nothing."""
    said = EVENTS.get(folded(event), NOTHING_KNOWN)
    if said is None:
        return None
    if going_back and said.status in LEG_BACK:
        return told_alike_there_and_back(said)
    if said.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED:
        return said._replace(reason=FAILURES.get(folded(failure), said.reason))
    return said


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------

HUBS = (
    "arrived_at_origin_hub_information",
    "arrived_at_transit_hub_information",
    "arrived_at_destination_hub_information",
)


def translate(delivery: Delivery) -> Translation:
    """One tracking event, and the link to an order where the body names one.

    Raises `Unreadable` where the number, the event, the leg or a time that was sent can't be read.
    What the body tells of people, and free text about a return, stays in the delivery.
    """
    body = json_object(delivery.body)
    parcel = tracked(NAME, body, "tracking_id", "", delivery, CARRIER)
    event = words(body, "event")
    if not event:
        raise Unreadable("event: a tracking event was expected")
    failed = any_object(body, "delivery_exception")
    said = meaning(event, any_words(failed, "failure_reason"), going_back=_going_back(body))
    if said is None:
        return Translation(note=f"{event!r} says nothing of where the parcel is")
    told_at = words(body, "timestamp")
    proof = _proof(body) if said.status is TrackingStatus.DELIVERED else ""
    shown = _place(body)
    told = Told(
        code=kept(event),
        said=said._replace(proof=proof),
        told_at=told_at,
        when=instant(told_at, "timestamp") if told_at else None,
        where=shown,
        place=shown,
        # the leg turns the status about, and the proof may come later than the delivery: either is
        # one event more, at the same time
        marks=(said.status, proof),
        word=folded(event),
        pictures=_pictures(body) if proof else (),
    )
    named, note = parcel.link(body, "shipper_order_ref_no")
    images = parcel.images(told)
    return translation([parcel.scan(told)], links=named, images=images, notes=[note])


def _going_back(body: Object) -> bool:
    """Whether the parcel is on its way back to the sender; it is not where nothing is said."""
    told = body.get("is_parcel_on_rts_leg")
    if told is not None and not isinstance(told, bool):
        # it turns the sense of the event about, so it is not for guessing
        raise Unreadable("is_parcel_on_rts_leg: true or false was expected")
    return bool(told)


def _place(body: Object) -> str:
    """Hub, city and country of an arrival: the company's own places and nobody's address."""
    arrivals = (place(any_object(body, key), ("hub", "city", "country")) for key in HUBS)
    return next(filter(None, arrivals), "")


def _proof(body: Object) -> str:
    """What proves a delivery: a signature before a photo. The links to them stay in the body."""
    proof = any_object(any_object(body, "delivery_information"), "proof")
    if any_words(proof, "signature_uri"):
        return "signature"
    images = proof.get("image_uris")
    shown = isinstance(images, list) and any(isinstance(uri, str) and uri for uri in images)
    return "photo" if shown else ""


def _pictures(body: Object) -> tuple[tuple[str, str], ...]:
    """The links to the signature and the photos that a delivery is proven by, with their kinds."""
    proof = any_object(any_object(body, "delivery_information"), "proof")
    photos = proof.get("image_uris")
    signature = links([proof.get("signature_uri")])
    listed = links(photos if isinstance(photos, list) else [])
    return (*(("signature", link) for link in signature), *(("photo", link) for link in listed))
