"""The parcel's vocabulary and one parcel folded from its scans (`carriers.md` 1.2 and 1.3)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile


class TrackingStatus(StrEnum):
    """What one tracking event says of the parcel. The members' order is their progress rank."""

    INFO_RECEIVED = "info_received"
    PICKUP_FAILED = "pickup_failed"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    ON_HOLD = "on_hold"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERY_ATTEMPT_FAILED = "delivery_attempt_failed"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    DELIVERED = "delivered"
    DELAYED = "delayed"
    DAMAGED = "damaged"
    LOST = "lost"
    DISPOSED = "disposed"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


RANK = {status: rank for rank, status in enumerate(TrackingStatus)}

NOT_A_SCAN = frozenset(
    {
        TrackingStatus.INFO_RECEIVED,
        TrackingStatus.UNKNOWN,
        TrackingStatus.EXPIRED,
        TrackingStatus.PICKUP_FAILED,
        TrackingStatus.CANCELLED,
    }
)
"""Statuses that never show the parcel in the carrier's hands (DESIGN 5, "Scan")."""

TERMINAL = frozenset(
    {
        TrackingStatus.DELIVERED,
        TrackingStatus.LOST,
        TrackingStatus.DISPOSED,
        TrackingStatus.RETURNED,
        TrackingStatus.CANCELLED,
    }
)

AT_THE_WAREHOUSE = "fulfilment_issue"
"""The reason of what holds a parcel up where it is packed: its carrier does not have it yet."""

SILENT = frozenset({TrackingStatus.EXPIRED, TrackingStatus.UNKNOWN})
"""Said of the tracker, not of the parcel: these never overwrite a status."""

ENDS_ATTEMPTS = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})

REASONS = frozenset(
    {
        "access_restricted",
        "address_issue",
        "business_closed",
        "customs",
        "deceased",
        "documents",
        "fulfilment_issue",
        "identification",
        "information_needed",
        "investigation",
        "missorted",
        "no_courier_found",
        "no_updates",
        "not_collected",
        "other",
        "out_of_area",
        "payment",
        "processing",
        "prohibited",
        "recipient_absent",
        "recipient_moved",
        "recipient_request",
        "recipient_unreachable",
        "refused",
        "rejected_by_carrier",
        "rescheduled",
        "security",
        "transport",
        "weather",
    }
)
DELIVERED_TO = frozenset(
    {"recipient", "neighbour", "safe_place", "pickup_point", "reception", "mailbox", "other"}
)
PROOFS = frozenset({"none", "signature", "photo", "otp", "cod", "unspecified", "other"})
"""The words for why, to whom and with what proof (`carriers.md` 1.2)."""

UNCONFIRMED = "unconfirmed"
"""The flag of a scan whose sender signs no bodies: what it says is shown and may stop a clock, but
proves nothing missed or lost and is no delivery to tell of, until a call to the provider confirms
it."""

SUSPECT_AFTER = timedelta(minutes=15)
"""An event dated this much after its receipt is kept, flagged and trusted to stop a clock only."""


class TimeBasis(StrEnum):
    """Where an event's time came from."""

    UTC = "utc"
    OFFSET = "offset"
    ZONE = "zone"
    RECEIVED = "received"


PROVING = (TimeBasis.UTC, TimeBasis.OFFSET)
"""Only these prove that a clock was missed."""


@dataclass(frozen=True, slots=True)
class Scan:
    """One tracking event of one number, as a carrier or 3PL told it.

    `identity` is the vendor's id of that scan, else a digest of number, raw code, raw time and
    location; never of the delivery that brought it. `number` is normalised, `written` is how the
    sender wrote it. `shops` limits the shops it may speak for
    (empty: all of them). `received_at` is the real clock.
    """

    identity: str
    number: str
    status: TrackingStatus
    occurred_at: datetime
    basis: TimeBasis
    received_at: datetime
    source: str
    account: str
    raw_code: str
    written: str = ""
    carrier: str = ""
    reason: str = ""
    location: str = ""
    delivered_to: str = ""
    proof: str = ""
    flags: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    estimated_at: datetime | None = None

    @property
    def suspect(self) -> bool:
        """Dated so far after its receipt that somebody's clock was wrong."""
        return self.occurred_at > self.received_at + SUSPECT_AFTER

    @property
    def trusted(self) -> bool:
        """Whether it may prove that a clock was missed: by its time and by who said it."""
        return self.basis in PROVING and not self.suspect and self.confirmed

    @property
    def confirmed(self) -> bool:
        """Whether its words are certainly the sender's."""
        return UNCONFIRMED not in self.flags

    @property
    def in_hand(self) -> bool:
        """Whether it shows the parcel in the carrier's hands."""
        return self.status not in NOT_A_SCAN and self.reason != AT_THE_WAREHOUSE

    @property
    def proven(self) -> bool:
        """Whether the carrier has a proof of what it says: a signature, a photo, a code."""
        return self.proof not in ("", "none")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Everything the scans of one number add up to, whatever order they came in."""

    number: str
    written: str = ""
    carrier: str = ""
    status: TrackingStatus = TrackingStatus.UNKNOWN
    failed_attempts: int = 0
    scans: tuple[Scan, ...] = field(default=(), repr=False)

    @property
    def first_scan(self) -> Scan | None:
        """The earliest event that shows the parcel in the carrier's hands."""
        return next(self.movements(), None)

    def movements(self) -> Iterator[Scan]:
        """The events that show the parcel in the carrier's hands, earliest first."""
        return (scan for scan in self.scans if scan.in_hand)

    def failed_attempt(self, which: int) -> datetime | None:
        """When that many failed attempts had come together (2: the second one's time).

        By the times that may prove something, in the source that came to so many first.
        """
        if self.failed_attempts < which:  # it counts the others too
            return None
        times = _attempts(scan for scan in _before_end(self.scans) if scan.trusted)
        reached = [sorted(each)[which - 1] for each in times.values() if len(each) >= which]
        return min(reached, default=None)

    @property
    def ended_at(self) -> datetime | None:
        """When the parcel first reached an end, if it has."""
        return next((s.occurred_at for s in self.scans if s.status in TERMINAL), None)


def in_order(scans: Iterable[Scan]) -> tuple[Scan, ...]:
    """Sort scans by their own time, then progress, then identity; one of each identity."""
    unique = {scan.identity: scan for scan in scans}
    return tuple(sorted(unique.values(), key=lambda s: (s.occurred_at, RANK[s.status], s.identity)))


def fold_parcel(number: str, scans: Iterable[Scan]) -> Parcel:
    """Fold the scans of one number; any order and any duplication of them gives the same parcel."""
    ordered = in_order(scans)
    status = TrackingStatus.UNKNOWN
    since = None
    carrier = ""
    for scan in ordered:
        carrier = carrier or scan.carrier
        ended = status in TERMINAL and scan.occurred_at == since  # an end is left only later
        if (scan.status not in SILENT or status in SILENT) and not ended:
            status, since = scan.status, scan.occurred_at
    written = next((scan.written for scan in ordered if scan.written), number)
    return Parcel(number, written, carrier, status, _failed_attempts(ordered), ordered)


def _failed_attempts(ordered: tuple[Scan, ...]) -> int:
    """The most attempts any one source counts: two sources may tell the same attempt."""
    return max(map(len, _attempts(_before_end(ordered)).values()), default=0)


def _attempts(scans: Iterable[Scan]) -> dict[str, set[datetime]]:
    """The instants of the failed attempts that each source tells of."""
    attempts: dict[str, set[datetime]] = {}
    for scan in scans:
        if scan.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED:
            attempts.setdefault(scan.source, set()).add(scan.occurred_at)
    return attempts


def _before_end(ordered: Iterable[Scan]) -> Iterator[Scan]:
    """What came before the parcel was delivered or returned; after that no attempt is one."""
    return takewhile(lambda scan: scan.status not in ENDS_ATTEMPTS, ordered)
