"""ShipBob's webhooks (`carriers.md` section 5.1): the shipment, order or return as it stands.

They are signed as the public Standard Webhooks specification says. Which topic a body is of stands
in the header `x-webhook-topic`, which is not signed. So a body speaks for itself, by its status and
the names of its `status_details`. The topic is asked only where that says no more than that the
parcel left ShipBob, or nothing that we know: what it adds is unconfirmed. Where the two disagree
the body counts, and the note tells it.

The models and statuses of its API are published; that the webhooks send them is likely, and the
names of a carrier's mishaps are a guess. Therefore nothing but a number must be there. "Shipped" is
a label. Exceptions and holds are the warehouse's, not a carrier's.
"""

from collections.abc import Sequence
from datetime import datetime

from shipclock.domain.event import Link
from shipclock.domain.tracking import RANK, Scan, TrackingStatus
from shipclock.reading import Object, Unreadable, json_object
from shipclock.sources import Account, Delivery, Headers, Translation, standard_webhooks
from shipclock.sources.fields import any_object, any_words, kept, object_of, words_at
from shipclock.sources.history import (
    Told,
    Tracked,
    last_changed,
    list_of,
    summary,
    tracked,
    translation,
)
from shipclock.sources.meaning import NOTHING_KNOWN, Meaning

LIMIT = 256 * 1024
FORM = False
NAME = "shipbob"
TOPIC = "x-webhook-topic"
EVIDENCE = (*standard_webhooks.EVIDENCE, TOPIC)
TOLERANCE = standard_webhooks.TOLERANCE


# PROVING IT ---------------------------------------------------------------------------------------


def verify(headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime) -> Account:
    """The account that signed the raw bytes not more than five minutes ago or ahead.

    Old subscriptions (API 1.0 and 2.0) sign nothing and are refused.
    """
    try:
        return standard_webhooks.verify(headers, body, accounts, now)
    except ValueError:
        raise ValueError(f"a {NAME} secret must be whsec_ and base64") from None


def acknowledge(body: bytes) -> bytes:
    """Any 2xx will do, within 15 seconds."""
    return b""


# WHAT ITS WORDS MEAN ------------------------------------------------------------------------------

_LABEL = Meaning(TrackingStatus.INFO_RECEIVED)
_HELD = Meaning(TrackingStatus.ON_HOLD, "fulfilment_issue")
_DELIVERED = Meaning(TrackingStatus.DELIVERED)
_FAILED = Meaning(TrackingStatus.DELIVERY_ATTEMPT_FAILED, "other")
_RETURNED = Meaning(TrackingStatus.RETURNED)

TOPICS: dict[str, Meaning | None] = {
    "order.shipped": _LABEL,
    "order.shipment.tracking_received": _LABEL,
    "order.shipment.tracking.updated": None,
    "order.shipment.delivered": _DELIVERED,
    "order.delivered": _DELIVERED,
    "order.shipment.exception": _HELD,
    "order.shipment.on_hold": _HELD,
    "order.shipment.cancelled": Meaning(TrackingStatus.CANCELLED),
    "return.created": None,
    "return.updated": None,
    "return.completed": _RETURNED,
}
"""None: the body alone says it."""

MOVES = {
    "awaitingcarrierscan": _LABEL,
    "intransit": Meaning(TrackingStatus.IN_TRANSIT),
    "outfordelivery": Meaning(TrackingStatus.OUT_FOR_DELIVERY),
    "delivered": _DELIVERED,
    "deliveryexception": _FAILED,
    "deliveryattemptfailed": _FAILED,
}

STATUSES: dict[str, Meaning | None] = {
    **MOVES,
    "processing": None,
    "labelcreated": _LABEL,
    "labeledcreated": _LABEL,
    "completed": _LABEL,
    "exception": _HELD,
    "onhold": _HELD,
    "cancelled": Meaning(TrackingStatus.CANCELLED),
}
"""A shipment's status, folded. None: the warehouse is at it."""

DETAILS: dict[str, dict[str, Meaning | None]] = {
    "processing": {"picked": None, "packed": None, "labeled": _LABEL},
    "completed": {"processing": _LABEL, "labeled": _LABEL, **MOVES},
}
"""By status, what its details say more. Those of other statuses are reasons and say no more."""


def folded(word: str) -> str:
    """A word as the tables are keyed: "On Hold" and "OnHold" are one."""
    return "".join(word.split()).replace("_", "").casefold()


def meaning(status: str, details: Sequence[str] = ()) -> Meaning | None:
    """What a shipment's status and the names of its details say; None where nothing of a parcel.

    Of several details the farthest counts. One that is not in the table makes it unknown, where no
    other is: it may say more than the status does.
    """
    said = STATUSES.get(folded(status), NOTHING_KNOWN) if status else None
    known = DETAILS.get(folded(status), {})
    named = [folded(name) for name in details if name]
    if not known or not named:
        return said
    told = [known[name] for name in named if name in known]
    if not told:
        return NOTHING_KNOWN
    return max(filter(None, told), key=lambda each: RANK[each.status], default=None)


# WHAT A DELIVERY SAYS -----------------------------------------------------------------------------

RETURN = frozenset({"return_type", "original_shipment_id", "store_order_id"})
"""Fields that a return has, and no shipment or order."""

TO_SENDER = ("rts", "returntosender")
"""Types of a return, folded, that is the parcel itself on its way back and not the buyer's."""


def translate(delivery: Delivery) -> Translation:
    """What is told of each shipment's parcel, and the links to the order.

    A shipment that can't be read is left out, and the note tells it. Raises `Unreadable` where that
    is all there is.
    """
    body = json_object(delivery.body)
    topic = delivery.headers.get(TOPIC, "")
    if RETURN & body.keys() or (topic.startswith("return.") and "order_id" not in body):
        return _return(body, topic, delivery)
    odd: list[str] = []
    scans: list[Scan] = []
    links: list[Link] = []
    notes: list[str] = []
    order = "shipments" in body
    shipments = list_of(body["shipments"], "shipments", odd) if order else [body]
    if not shipments and not odd:
        notes.append("an order without a shipment yet")
    for at, entry in enumerate(shipments):
        field = f"shipments[{at}]" if order else ""
        try:
            shipment = object_of(entry, field)
            said, code, sure = _said(shipment, topic, notes)
            parcel = _parcel(shipment, field, delivery, sure=sure)
        except Unreadable as problem:
            odd.append(str(problem))
            continue
        if said is None or parcel is None:
            lacks = "says nothing of a parcel" if parcel else "no tracking number is known yet"
            notes.append(f"{code or 'without a status'}: {lacks}")
            continue
        scans += _scans(parcel, said, code, shipment, odd)
        found, unlinked = parcel.link(shipment if "reference_id" in shipment else body, REFERENCE)
        links += found
        notes.append(unlinked)
    return translation(
        scans, odd, links=tuple(dict.fromkeys(links)), notes=list(dict.fromkeys(notes))
    )


REFERENCE = "reference_id"


def _said(shipment: Object, topic: str, notes: list[str]) -> tuple[Meaning | None, str, bool]:
    """What is said of a shipment, in which words, and whether those are signed."""
    status = any_words(shipment, "status")
    details = shipment.get("status_details")
    entries = details if isinstance(details, list) else []
    names = [any_words(each, "name") for each in entries[:100] if isinstance(each, dict)]
    code = kept("/".join(filter(None, (status, *names))))
    said = meaning(status, names)
    told = TOPICS.get(topic)
    if told is None or (said and said.status is told.status):
        return said, code, True
    left = folded(status) == "completed" and not any(names)
    silent = not status or said is NOTHING_KNOWN
    if silent or (left and told.status is TrackingStatus.DELIVERED):
        return told, code or topic, False
    notes.append(f"{TOPIC} says {topic}, and the body {code}: that counts")
    return said, code, True


def _parcel(data: Object, field: str, delivery: Delivery, *, sure: bool) -> Tracked | None:
    """The parcel of a shipment; None where it has no number yet."""
    tracking = any_object(data, "tracking")
    inside = f"{field}.tracking" if field else "tracking"
    carrier = kept(any_words(tracking, "carrier"))
    for key in ("tracking_number", "tracking_id"):
        if words_at(tracking, key, inside):
            return tracked(NAME, tracking, key, inside, delivery, carrier, confirmed=sure)
    return None


CHANGED = ("last_tracking_update_at", "last_update_at")
TIMES = {
    TrackingStatus.INFO_RECEIVED: ("event_time", "actual_fulfillment_date"),
    TrackingStatus.DELIVERED: ("delivery_date", *CHANGED),
    TrackingStatus.RETURNED: ("arrived_date", "completed_date"),
}
"""Where the time of what is said stands, the truest first. None is a carrier's own, so none may
prove a deadline missed."""


def _scans(parcel: Tracked, said: Meaning, code: str, data: Object, odd: list[str]) -> list[Scan]:
    """What is said as a scan, at the time that is told with it."""
    times = (last_changed(data, key, NAME, odd) for key in TIMES.get(said.status, CHANGED))
    told_at, when = next((each for each in times if each[1]), ("", None))
    told = Told(code, said, told_at, when, marks=(said.status,))
    return [parcel.scan(each) for each in summary(told, (), parcel.delivery.received_at)]


def _return(body: Object, topic: str, delivery: Delivery) -> Translation:
    """A return is done when the warehouse has the goods back.

    A buyer's return has a number of its own and is linked to no order. A parcel that came back
    undelivered is returned under its own number.
    """
    status = any_words(body, "status")
    said = TOPICS.get(topic) if not status else None
    if folded(status) == "completed":
        said = _RETURNED
    to_sender = folded(any_words(body, "return_type")) in TO_SENDER
    keys = ("shipment_tracking_number", "tracking_number")
    key = next((key for key in keys[not to_sender :] if words_at(body, key, "")), "")
    if said is None or not key:
        return Translation(note=f"a return: {kept(status or topic)}")
    parcel = tracked(NAME, body, key, "", delivery, confirmed=bool(status))
    odd: list[str] = []
    return translation(_scans(parcel, said, kept(status or topic), body, odd), odd)
