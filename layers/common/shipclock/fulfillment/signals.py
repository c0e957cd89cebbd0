"""Which of the marketplace's performance signals an order counts in, and how.

Of each signal an order gives *units*: one, or one for each of its packages. A unit is `GOOD`,
`BAD`, `OPEN` (it is decided later; `due_at` is when it turns bad if nothing happens) or `LEFT_OUT`.
That follows from the order's facts alone, whatever time it is: who asks for a figure at an instant
takes what is open and due by then as bad. So a unit changes only when a fact does, and a late fact
turns it again.

What is late is said by the order's clocks (`rules`): the marketplace's own fields, else the pack's.
A time that is not to be trusted may make a unit good and never bad, as everywhere.

| signal | a unit for each | good | bad |
|---|---|---|---|
| `late_dispatch` | order that has a line for its dispatch | dispatched by it | later, or not |
| `valid_tracking` | package that the seller shipped | a carrier scanned it | its line is over |
| `on_time_delivery` | order that has a line for its delivery | delivered by it | later, or not |
| `seller_cancellation` | order that was paid | not cancelled by the seller's fault | it was |

Orders that the marketplace fulfils, and ones that were never paid, give none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shipclock.domain.clock import Clock, ClockState
from shipclock.domain.composition import CALLED_OFF, Package
from shipclock.domain.fault import Fault
from shipclock.domain.order import (
    AWAITING_COLLECTION,
    CANCELLED,
    IN_TRANSIT,
    SELLER,
    UNPAID,
    Order,
)
from shipclock.fulfillment.lines import Lines, lines_of
from shipclock.rules import Timeline, clocked
from shipclock.rules.policy import Policy

LATE_DISPATCH = "late_dispatch"
VALID_TRACKING = "valid_tracking"
ON_TIME_DELIVERY = "on_time_delivery"
SELLER_CANCELLATION = "seller_cancellation"

REACH = timedelta(days=31)
"""How long after its order's start a unit may count: what is decided later counts on that day, so
that a window is found among the orders that started up to so many days before it."""


class State(StrEnum):
    """How a unit counts."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Unit:
    """An order, or one of its packages, in one signal.

    `on` is the shop's local day on which it counts. `due_at` is when an open one turns bad if
    nothing happens, None where nobody set a time. `why` says why one is left out.
    """

    signal: str
    state: State
    on: date
    due_at: datetime | None = None
    why: str = ""


SHIPPED = frozenset({"PROCESSING", "FULFILLING", "COMPLETED"})
COLLECTED = frozenset({"FULFILLING", "COMPLETED"})
"""A package's own statuses from being shipped on, and from its collection on."""

NO_LINE = "no_line"
WAS_CANCELLED = "cancelled"
OWN_FLEET = "own_fleet"
UNCLEAR = "unclear"
WHY = {
    NO_LINE: "neither the order nor the pack names a line",
    WAS_CANCELLED: "cancelled before its line",
    OWN_FLEET: "delivered by the seller's own people, whose parcels no carrier tracks",
    UNCLEAR: "cancelled, and nobody can tell whose fault it is",
}
"""Why units are left out, in words."""


def start_of(order: Order, zone: ZoneInfo) -> date | None:
    """The local day on which the order's clocks start: it is placed, or released; None while that
    is not known."""
    return order.starts_at.astimezone(zone).date() if order.starts_at else None


def units(order: Order, ticking: Timeline, policy: Policy, fault: Fault) -> tuple[Unit, ...]:
    """What an order gives to the signals, by its clocks and the policy that set them; `fault` is
    whose fault its cancellation is, if it is cancelled. The same facts always give the same units.
    """
    start = start_of(order, policy.zone)
    if start is None or not clocked(order) or not _paid(order):
        return ()
    about = _About(order, lines_of(ticking, policy.pack), start, policy, fault)
    return (
        _by_lines(LATE_DISPATCH, about.lines.dispatch(), about),
        *_tracking(about),
        _by_lines(ON_TIME_DELIVERY, about.lines.delivery(), about),
        _cancellation(about),
    )


@dataclass(frozen=True, slots=True)
class _About:
    """An order, its lines, and what it is counted by."""

    order: Order
    lines: Lines
    start: date
    policy: Policy
    fault: Fault

    def on(self, instant: datetime) -> date:
        """The local day of an instant, within `REACH` of the order's start."""
        day = instant.astimezone(self.policy.zone).date()
        return min(max(day, self.start), self.start + REACH)


def _paid(order: Order) -> bool:
    """Whether the seller ever had anything to do for it. An order that is paid on delivery shows no
    payment, and a status of one that is to be shipped."""
    if order.facts is not None and order.facts.paid_time is not None:
        return True
    return any(s.facts.status not in (UNPAID, CANCELLED) for s in order.snapshots)


# By lines


def _by_lines(signal: str, lines: list[Clock], about: _About) -> Unit:
    """Bad where one of the lines was missed, good where all were kept; counted on the last one's
    day."""
    if not lines:
        return Unit(signal, State.LEFT_OUT, about.start, why=NO_LINE)
    on = about.on(max(line.due_at for line in lines))
    ends = [_end(line) for line in lines]
    if State.BAD in ends:
        return Unit(signal, State.BAD, on)
    if State.OPEN in ends:
        waiting = [line.due_at for line, end in zip(lines, ends, strict=True) if end is State.OPEN]
        return Unit(signal, State.OPEN, on, min(waiting))
    if State.LEFT_OUT in ends:
        return Unit(signal, State.LEFT_OUT, on, why=WAS_CANCELLED)
    return Unit(signal, State.GOOD, on)


def _end(line: Clock) -> State:
    """How a line ends, as far as is known by now."""
    state = line.state(line.due_at)
    if state is ClockState.STOPPED:
        return State.LEFT_OUT
    if state is ClockState.MET:
        return State.GOOD
    decided = line.stop is not None or line.void_at is not None
    return State.BAD if decided else State.OPEN


# By packages


def _tracking(about: _About) -> Iterator[Unit]:
    """A unit for each package that was shipped; for the order where no package is known of it."""
    order = about.order
    if order.facts is None or order.facts.shipping_type != SELLER:
        return
    named = [p for p in order.packages if p.package_id] or list(order.packages)
    for package in named or [Package("")]:
        shipped_at = _shipped_at(order, package)
        if shipped_at is not None:
            yield _tracked(package, about.on(shipped_at), about)


def _shipped_at(order: Order, package: Package) -> datetime | None:
    """When the marketplace first showed the package as shipped; None where it never did."""
    told = [
        snapshot.facts.update_time
        for snapshot in order.snapshots
        for line in snapshot.facts.lines
        if package.package_id
        and line.package_id == package.package_id
        and line.package_status in SHIPPED
    ]
    whole = order.reached_at(AWAITING_COLLECTION)
    return min([*told, *([whole] if whole else [])], default=None)


def _tracked(package: Package, on: date, about: _About) -> Unit:
    order, line = about.order, about.lines.tracking()
    if about.policy.hand_marked:
        return Unit(VALID_TRACKING, State.LEFT_OUT, on, why=OWN_FLEET)
    scanned = package.parcel is not None and package.parcel.first_scan is not None
    if scanned or package.status in COLLECTED or order.reached_at(IN_TRANSIT):
        return Unit(VALID_TRACKING, State.GOOD, on)
    cancelled = order.reached_at(CANCELLED)
    if cancelled is None and package.status != CALLED_OFF:
        return Unit(VALID_TRACKING, State.OPEN, on, line)
    too_late = cancelled is not None and line is not None and cancelled > line
    if too_late or (cancelled is not None and about.fault is Fault.LATE):
        return Unit(VALID_TRACKING, State.BAD, on)
    return Unit(VALID_TRACKING, State.LEFT_OUT, on, why=WAS_CANCELLED)


# By who cancelled


def _cancellation(about: _About) -> Unit:
    """Open while the marketplace would cancel for want of dispatch or of a scan."""
    start, fault = about.start, about.fault
    if about.order.status == CANCELLED:
        if fault is Fault.UNCLEAR:
            return Unit(SELLER_CANCELLATION, State.LEFT_OUT, start, why=UNCLEAR)
        ours = fault in (Fault.SELLER, Fault.LATE)
        return Unit(SELLER_CANCELLATION, State.BAD if ours else State.GOOD, start)
    if about.order.reached_at(IN_TRANSIT):
        return Unit(SELLER_CANCELLATION, State.GOOD, start)
    ends = [line.due_at for line in about.lines.hard() if _end(line) is State.OPEN]
    return Unit(SELLER_CANCELLATION, State.OPEN, start, min(ends, default=None))
