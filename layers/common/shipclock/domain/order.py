"""An order folded from its facts. Everything about how statuses follow one another lives here.

Two weights of evidence: a `Snapshot` (the marketplace's own order detail) is what counts; a `Hint`
(a thin webhook) fills in only while no snapshot is known. Scans are facts of their own about the
parcels and never change the marketplace's status. The fold does not know what time it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shipclock.domain.composition import Package, packages_of
from shipclock.domain.event import (
    CaseChange,
    Hint,
    OrderEvent,
    OrderFacts,
    PackageRead,
    Request,
    Snapshot,
)
from shipclock.domain.incident import Incidence
from shipclock.domain.linking import MARKETPLACE, NumberFacts, parcels, shared
from shipclock.domain.tracking import Parcel, Scan

UNPAID = "UNPAID"
ON_HOLD = "ON_HOLD"
AWAITING_SHIPMENT = "AWAITING_SHIPMENT"
PARTIALLY_SHIPPING = "PARTIALLY_SHIPPING"
AWAITING_COLLECTION = "AWAITING_COLLECTION"
IN_TRANSIT = "IN_TRANSIT"
DELIVERED = "DELIVERED"
COMPLETED = "COMPLETED"
CANCELLED = "CANCELLED"

SELLER, TIKTOK = "SELLER", "TIKTOK"
"""Who ships, the marketplace's words: the seller's own carrier, or the marketplace's."""

STAGES = {
    UNPAID: "awaiting_payment",
    ON_HOLD: "on_hold",
    AWAITING_SHIPMENT: "to_ship",
    PARTIALLY_SHIPPING: "to_ship",
    AWAITING_COLLECTION: "to_collect",
    IN_TRANSIT: "in_transit",
    DELIVERED: "delivered",
    COMPLETED: "completed",
    CANCELLED: "cancelled",
}
"""The board's columns. A status of tomorrow stands under `unknown` until this table knows it."""

OPEN_STAGES = (
    "to_ship",
    "to_collect",
    "in_transit",
    "on_hold",
    "awaiting_payment",
    "unknown",
)
"""Stages of orders that are not over, the most pressing first."""

DUE_STAGES = (*OPEN_STAGES, STAGES[DELIVERED])
"""Stages at which a clock may still run: a buyer may wait for an answer about what has arrived."""

PROGRESS = {
    status: rank
    for rank, status in enumerate(
        (
            UNPAID,
            ON_HOLD,
            AWAITING_SHIPMENT,
            PARTIALLY_SHIPPING,
            AWAITING_COLLECTION,
            IN_TRANSIT,
            DELIVERED,
            COMPLETED,
        )
    )
}
"""How far along a status is (`tiktok-shop.md` 4.1). CANCELLED is an end, not a step."""

SPELLINGS = {"CANCEL": CANCELLED}
"""The webhook's spelling to the order API's (`tiktok-shop.md`, five things, 4)."""

ENDED = frozenset({COMPLETED, CANCELLED})

REACHED_FIELDS = {
    AWAITING_COLLECTION: "rts_time",
    IN_TRANSIT: "collection_time",
    DELIVERED: "delivery_time",
}
"""The order's own field for the instant a status was reached (DESIGN 5, "A status's instant")."""


OPEN_CASES = frozenset({"CANCELLATION_REQUEST_PENDING"})


@dataclass(frozen=True, slots=True)
class Order:
    """What all known facts of one order add up to. No personal data, no judgement, no `now`.

    `reached` holds the instant each status was reached; `snapshots` are all re-reads, the newest
    state last; `told_numbers` are linked by the marketplace's own word; `hinted_at` is the receipt
    of the newest hint, `hints` are all of them, the newest last. `cancel_open` says that a buyer's
    cancel request waits for an answer, made at `cancel_asked_at` and to be answered by `cancel_by`
    where these are known; `cancel_case` is the marketplace's id of it. `cases` are all states of
    its cancellations and returns, the oldest first; `requests` what people ask for by now.
    `incidents` are those that may be about it: no fact of its own, so the fold leaves them out.
    """

    order_id: str
    shop_id: str = ""
    status: str = ""
    facts: OrderFacts | None = None
    reached: Mapping[str, datetime] = field(default_factory=dict)
    packages: tuple[Package, ...] = ()
    snapshots: tuple[Snapshot, ...] = field(default=(), repr=False)
    told_numbers: frozenset[str] = frozenset()
    package_reads: tuple[PackageRead, ...] = ()
    hinted_at: datetime | None = None
    hints: tuple[Hint, ...] = field(default=(), repr=False)
    cancel_open: bool = False
    cancel_asked_at: datetime | None = None
    cancel_by: datetime | None = None
    cancel_case: str = ""
    cases: tuple[CaseChange, ...] = ()
    requests: tuple[Request, ...] = ()
    events: int = 0
    incidents: tuple[Incidence, ...] = ()

    @property
    def stage(self) -> str:
        """The board's column."""
        return STAGES.get(self.status, "unknown")

    @property
    def ended(self) -> bool:
        """Nothing more is expected of this order."""
        return self.status in ENDED

    @property
    def starts_at(self) -> datetime | None:
        """When its clocks start: its creation; a pre-order's release (DESIGN 5)."""
        if self.facts is None:
            return None
        if self.facts.order_type == "PRE_ORDER" and self.facts.release_date:
            return self.facts.release_date
        return self.facts.create_time

    def reached_at(self, status: str) -> datetime | None:
        """When the order reached this status or a later one; None if it is not known to have."""
        return self.reached.get(status)

    @property
    def snapshot(self) -> Snapshot | None:
        """The re-read that counts: the newest state, and of one state the latest telling."""
        return self.snapshots[-1] if self.snapshots else None

    def tells_nothing_new(self, facts: OrderFacts) -> bool:
        """Whether a re-read's facts are what is known already, or an older state known before."""
        newest = self.snapshot
        if newest is None:
            return False
        if newest.facts == facts:
            return True
        older = facts.update_time < newest.facts.update_time
        return older and any(snapshot.facts == facts for snapshot in self.snapshots)

    @property
    def parcels(self) -> tuple[Parcel, ...]:
        """The parcels of its packages."""
        return tuple(p.parcel for p in self.packages if p.parcel is not None)

    def written(self, number: str) -> str:
        """A number as its carrier writes it."""
        parcels = (parcel for parcel in self.parcels if parcel.number == number)
        return next((parcel.written for parcel in parcels), number)

    @property
    def first_scan(self) -> Scan | None:
        """The earliest scan over all of its parcels."""
        scans = [scan for parcel in self.parcels if (scan := parcel.first_scan)]
        return min(scans, key=lambda scan: (scan.occurred_at, scan.identity), default=None)


OrderEvents = Iterable[OrderEvent]


def fold(order_id: str, events: OrderEvents, numbers: Iterable[NumberFacts] = ()) -> Order:
    """Fold an order's events and the facts under its linked numbers into the order.

    Any arrival order and any duplication gives the same order. Scans told by an account that may
    not speak for the order's shop are left out, as are those of another order that used the same
    number at another time.
    """
    unique = {event.identity: event for event in events}
    hints = [e for e in unique.values() if isinstance(e, Hint)]
    snapshots = [e for e in unique.values() if isinstance(e, Snapshot)]
    cases = [e for e in unique.values() if isinstance(e, CaseChange)]
    reads = [e for e in unique.values() if isinstance(e, PackageRead)]
    requests = [e for e in unique.values() if isinstance(e, Request)]
    in_order = sorted(snapshots, key=_snapshot_order)
    newest = in_order[-1] if in_order else None
    last_hint = max(hints, key=_hint_order, default=None)
    facts = newest.facts if newest else None
    shop_id = newest.shop_id if newest else last_hint.shop_id if last_hint else ""
    about = list(numbers)
    cancel_open, request = _cancel_request(facts, cases)
    found, scanned = parcels(order_id, shop_id, facts, about)
    return Order(
        order_id=order_id,
        shop_id=shop_id,
        status=facts.status if facts else last_hint.status if last_hint else "",
        facts=facts,
        reached=_reached(snapshots, newest),
        packages=packages_of(facts, found, reads, in_order, shared(order_id, about)),
        snapshots=tuple(in_order),
        told_numbers=frozenset(
            link.number
            for number in about
            for link in number.links
            if link.order_id == order_id and link.source == MARKETPLACE
        ),
        package_reads=tuple(sorted(reads, key=lambda r: (r.requested_at, r.identity))),
        hinted_at=max((hint.received_at for hint in hints), default=None),
        hints=tuple(sorted(hints, key=_hint_order)),
        cancel_open=cancel_open,
        cancel_asked_at=_asked_at(facts, request),
        cancel_by=request.deadline if request else None,
        cancel_case=request.case_id if request else "",
        cases=tuple(sorted(cases, key=_case_order)),
        requests=_asked(requests),
        events=len(unique) + scanned,
    )


def _snapshot_order(snapshot: Snapshot) -> tuple[datetime, datetime, str]:
    return snapshot.facts.update_time, snapshot.requested_at, snapshot.identity


def _hint_order(hint: Hint) -> tuple[bool, datetime, str]:
    return bool(hint.status), hint.update_time or hint.received_at, hint.identity


def _reached(snapshots: list[Snapshot], newest: Snapshot | None) -> dict[str, datetime]:
    """The instant each status was reached: its own field, else the first telling of it or later.

    The field counts only once some snapshot tells the status: on a split order `rts_time` may
    stand there while the order as a whole has not got so far. A cancelled order no longer tells
    how far it came; there the fields of collection and delivery speak for themselves.
    """
    reached: dict[str, datetime] = {}
    if newest is None:
        return reached
    later: list[datetime] = []
    for status, rank in sorted(PROGRESS.items(), key=lambda item: -item[1]):
        told = [s.facts.update_time for s in snapshots if PROGRESS.get(s.facts.status, -1) >= rank]
        field_name = REACHED_FIELDS.get(status)
        own: datetime | None = getattr(newest.facts, field_name) if field_name else None
        on_its_way = newest.facts.status == CANCELLED and status in (IN_TRANSIT, DELIVERED)
        if told or later or (own and on_its_way):
            reached[status] = own or min([*told, *later])
            later.append(reached[status])
    if any(s.facts.status == CANCELLED for s in snapshots):
        told = [s.facts.update_time for s in snapshots if s.facts.status == CANCELLED]
        reached[CANCELLED] = newest.facts.cancel_time or min(told)
    return reached


def _case_order(case: CaseChange) -> tuple[datetime, bool, datetime, str]:
    """By their time; an answer comes after its request; of one state the later deadline counts, for
    deadlines are extended."""
    answered = case.status not in OPEN_CASES
    return case.update_time, answered, case.deadline or case.update_time, case.identity


def _asked(requests: list[Request]) -> tuple[Request, ...]:
    """What is asked for, the newest last: of each thing the newest word, unless that takes it
    back."""
    in_time = sorted(requests, key=lambda r: (r.asked_at, r.identity))
    newest = {request.about: request for request in in_time}
    return tuple(r for r in in_time if newest[r.about] is r and not r.revoked)


def _cancel_request(
    facts: OrderFacts | None, cases: list[CaseChange]
) -> tuple[bool, CaseChange | None]:
    """Whether a buyer's cancel request waits for an answer, by the order or by the newest case,
    and the case where it is known."""
    newest: dict[str, CaseChange] = {}
    for case in sorted(cases, key=_case_order):
        newest.pop(case.case_id, None)  # one that is made again comes last again
        newest[case.case_id] = case
    waiting = [
        c
        for c in newest.values()
        if c.status in OPEN_CASES
        and c.case == "cancellation"
        and not (facts and facts.update_time > c.update_time and not facts.cancel_requested)
    ]
    if facts is not None and facts.status == CANCELLED:
        return False, None
    asked = facts is not None and facts.cancel_requested
    return bool(waiting) or asked, waiting[-1] if waiting else None


def _asked_at(facts: OrderFacts | None, request: CaseChange | None) -> datetime | None:
    """When the buyer asked, by the order or by the case: whichever is known tells the same."""
    own = facts.cancel_requested_at if facts and facts.cancel_requested else None
    return own or (request.update_time if request else None)
