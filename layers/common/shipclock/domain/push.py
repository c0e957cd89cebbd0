"""Telling the marketplace: what is wanted, and the life of one intent (DESIGN 3.3 and 3.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shipclock.domain.event import PackageRead
from shipclock.domain.number import normal
from shipclock.domain.order import AWAITING_SHIPMENT, CANCELLED, PARTIALLY_SHIPPING, TIKTOK, Order


class Deed(StrEnum):
    """What a marketplace may be told of an order, whatever call of its says so.

    `ship`: a package left, or its own carrier is to fetch it. `renumber`: it left under another
    number. `label`: buy its label. `deliver`: it was delivered, or could not be. `track`: one scan.
    `cancel`, `refund`: undo the order. `answer`: the buyer's wish to cancel. `message`: to the
    buyer.
    """

    SHIP = "ship"
    RENUMBER = "renumber"
    LABEL = "label"
    DELIVER = "deliver"
    TRACK = "track"
    CANCEL = "cancel"
    ANSWER = "answer"
    REFUND = "refund"
    MESSAGE = "message"


class IntentState(StrEnum):
    """`unclear`: sent, and nobody knows whether it took effect. `dead`: a person must act."""

    PENDING = "pending"
    SENDING = "sending"
    UNCLEAR = "unclear"
    DONE = "done"
    REFUSED = "refused"
    DEAD = "dead"
    NOT_ALLOWED = "not_allowed"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({IntentState.PENDING, IntentState.SENDING, IntentState.UNCLEAR})
IN_FLIGHT = frozenset({IntentState.SENDING, IntentState.UNCLEAR})
RENEWABLE = frozenset({IntentState.NOT_ALLOWED, IntentState.WITHDRAWN})
"""States that return to `pending` when the same thing is wanted and allowed again."""

WAITING = (AWAITING_SHIPMENT, PARTIALLY_SHIPPING)
"""Order statuses in which something is still to be shipped."""

TO_FULFILL = "TO_FULFILL"
GONE = ("PROCESSING", "FULFILLING", "COMPLETED", "CANCELLED")
"""Package statuses, the marketplace's words: before the ship call, and after (4.4)."""

UNCLEAR_WAIT = timedelta(seconds=30)
"""Real time from giving up a call to the re-read that shows whether it took effect."""

GIVE_UP = timedelta(seconds=10)
"""How long one marketplace call may take."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something the marketplace should be told, such as that a package left with this number.

    `says` are the words of deeds that need more; `topic` is what it says as an intent's key names
    it, the number where that says all. What is `optional` nobody misses where it can't be told.
    """

    package_id: str
    tracking_number: str
    carrier: str
    reason: str = ""
    deed: Deed = Deed.SHIP
    says: Mapping[str, str] = field(default_factory=dict)
    topic: str = ""
    optional: bool = False


def shipments(order: Order) -> tuple[Wanted, ...]:
    """The packages that left and of which the marketplace should be told, whatever it allows.

    Wanted is a ship push for every number with a scan while the order still waits to be shipped,
    unless a buyer's cancel request is open: shipping would answer it (DESIGN 3.10). Hints alone
    want nothing.
    """
    if order.facts is None or order.status not in WAITING or order.cancel_open:
        return ()
    return tuple(
        Wanted(p.package_id, p.tracking_number, p.parcel.carrier, _unplaced(order, place))
        for place, p in enumerate(order.packages)
        if p.parcel is not None and p.parcel.first_scan is not None and p.status not in GONE
    )


def _unplaced(order: Order, place: int) -> str:
    """Why a number can be told of no package; empty when it can.

    Where the order has no packages yet, the number scanned first stands for the whole of it.
    """
    alone = place == 0 and not any(p.package_id for p in order.packages)
    return "" if order.packages[place].package_id or alone else "package unknown"


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing to tell the marketplace, kept with everything that became of it.

    An `irrevocable` one goes out only right after the order was read again.

    `sent_at`, `unclear_at` and `done_at` are real times; `not_before` is `now`. `lease` names the
    holder of the lane that sent it: found under another holder, a `sending` intent is unclear.
    `request_id` is the marketplace's own name for its newest answer, by which it finds the call.
    """

    key: str
    call: str
    package_id: str
    tracking_number: str
    state: IntentState
    carrier: str = ""
    deed: Deed = Deed.SHIP
    says: Mapping[str, str] = field(default_factory=dict)
    irrevocable: bool = False
    attempts: int = 0
    failures: int = 0
    reason: str = ""
    advice: str = ""
    lease: str = ""
    sent_at: datetime | None = None
    unclear_at: datetime | None = None
    done_at: datetime | None = None
    not_before: datetime | None = None
    request_id: str = ""


class Effect(StrEnum):
    """What a re-read after an unclear call shows. `unseeable`: nothing could show it."""

    SEEN = "seen"
    NOT_SEEN = "not_seen"
    OTHER = "other"
    UNSEEABLE = "unseeable"


def effect_of_ship(order: Order, intent: Intent) -> Effect:
    """Whether the order shows what a ship call was to bring about (capability table, proof).

    Seen: the marketplace itself shows our number as shipped, or the package gone without naming
    any. Other: it shows the package gone with another number, or the order cancelled; repeating
    would be wrong. A number that stands on a package still `TO_FULFILL` is a printed label only.
    """
    facts = order.facts
    if facts is None:
        return Effect.NOT_SEEN
    moved = order.status not in WAITING
    mine = [line for line in facts.lines if line.package_id == intent.package_id]
    shown = {
        normal(line.tracking_number)
        for line in facts.lines
        if line.tracking_number and (moved or line.package_status != TO_FULFILL)
    }
    if facts.tracking_number and moved:
        shown.add(normal(facts.tracking_number))
    reads = [read for read in order.package_reads if _speaks_of(read, intent)]
    shown |= {normal(read.tracking_number) for read in reads if read.tracking_number}
    if normal(intent.tracking_number) in shown:
        return Effect.SEEN
    gone = [line for line in mine if line.package_status in GONE]
    # Of what the marketplace ships the number is the marketplace's own, whatever was scanned.
    unnamed = not intent.tracking_number or facts.shipping_type == TIKTOK
    if unnamed and order.status != CANCELLED:
        return Effect.SEEN if gone or moved else Effect.NOT_SEEN
    if order.status == CANCELLED or any(line.tracking_number for line in gone):
        return Effect.OTHER
    if gone or (moved and not shown):
        return Effect.SEEN
    return Effect.OTHER if moved else Effect.NOT_SEEN


def _speaks_of(read: PackageRead, intent: Intent) -> bool:
    return (
        read.package_id == intent.package_id
        and read.status not in ("", TO_FULFILL)
        and (intent.sent_at is None or read.requested_at >= intent.sent_at)
    )
