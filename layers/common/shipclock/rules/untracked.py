"""Some tracking update must come in time, or the marketplace cancels (the guide: 15 days).

Until then the seller is reminded once a local day, and warned once more shortly before the end.
"""

from datetime import UTC, date, datetime, timedelta

from shipclock.domain.clock import Clock, Notice, Stop
from shipclock.domain.order import IN_TRANSIT, Order
from shipclock.domain.times import EPOCH, stamp
from shipclock.rules.policy import Clause, Policy

NAME = "untracked"
REPLACED_BY = "collection_due_time"
REMINDER = "reminder"
WARNING = "warning"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock from the order's start, stopped by the first scan or by IN_TRANSIT."""
    clause, starts_at = policy.clause(NAME), order.starts_at
    if clause is None or starts_at is None or order.facts is None:
        return ()
    stop = first_movement(order)
    replaced = REPLACED_BY in order.facts.deadlines
    due_at = starts_at + clause.period
    return (
        Clock(
            name=NAME,
            due_at=due_at,
            set_by=REPLACED_BY if replaced else policy.set_by(NAME),
            clause=clause.clause,
            starts_at=starts_at,
            stop=stop,
            void_at=EPOCH if replaced else None,
            overtaken_at=stop.at if stop and stop.at > due_at else None,
        ),
    )


def first_movement(order: Order) -> Stop | None:
    """The earliest sign that the parcel moves: a scan, or the marketplace's own IN_TRANSIT."""
    stops = [
        Stop(scan.occurred_at, scan.trusted)
        for parcel in order.parcels
        if (scan := parcel.first_scan)
    ]
    reached = order.reached_at(IN_TRANSIT)
    if reached:
        stops.append(Stop(reached))
    return min(stops, key=lambda stop: (stop.trusted, stop.at), default=None)


def notices(clock: Clock, policy: Policy, now: datetime) -> tuple[Notice, ...]:
    """The reminder of this local day and the final warning, if `now` is their time.

    A day on which nobody asked after its reminder's instant is left out for good: after a sleep
    there is one reminder, not a burst.
    """
    clause = policy.clause(NAME)
    if clause is None:
        return ()
    found = []
    day = now.astimezone(policy.zone).date()
    at = _reminder_of(day, clock, policy, clause)
    if at is not None and at <= now < clock.due_at:
        text = f"No tracking update yet; the order is cancelled at {stamp(clock.due_at)}."
        found.append(Notice(NAME, REMINDER, now, day.isoformat(), text))
    last = _final_warning(clock, clause)
    if last is not None and last <= now < clock.due_at:
        text = f"Last warning: without a tracking update the order ends at {stamp(clock.due_at)}."
        found.append(Notice(NAME, WARNING, now, stamp(clock.due_at), text))
    return tuple(found)


def next_notice(clock: Clock, policy: Policy, now: datetime) -> datetime | None:
    """The next instant after `now` at which `notices` has something new to say."""
    clause = policy.clause(NAME)
    if clause is None:
        return None
    day = now.astimezone(policy.zone).date()
    first = _first_reminder(clock, clause)
    instants = [
        first,
        _reminder_of(day, clock, policy, clause),
        _reminder_of(day + timedelta(days=1), clock, policy, clause),
        _final_warning(clock, clause),
    ]
    return min((at for at in instants if at and now < at < clock.due_at), default=None)


def _first_reminder(clock: Clock, clause: Clause) -> datetime | None:
    if clock.starts_at is None or clause.first_reminder_hours is None:
        return None
    return clock.starts_at + timedelta(hours=clause.first_reminder_hours)


def _final_warning(clock: Clock, clause: Clause) -> datetime | None:
    if clause.final_warning_hours is None:
        return None
    return clock.due_at - timedelta(hours=clause.final_warning_hours)


def _reminder_of(day: date, clock: Clock, policy: Policy, clause: Clause) -> datetime | None:
    """The instant of a local day's reminder; None before the first one's day."""
    first = _first_reminder(clock, clause)
    if first is None or clause.reminder_at is None:
        return None
    first_day = first.astimezone(policy.zone).date()
    if day <= first_day:
        return first if day == first_day else None
    # Where the clocks are put forward over this very time, fold=0 names the instant before the gap
    # ended by its old offset: the reminder comes an hour late on that day, once.
    return datetime.combine(day, clause.reminder_at, policy.zone).astimezone(UTC)


def explain(order: Order, clock: Clock) -> str:
    """What the missed clock means and what to do."""
    return (
        "The order never got a tracking update. The marketplace cancels it and refunds the buyer. "
        "If the parcel did leave, enter its tracking number in Seller Center at once; if not, "
        "put the items back into stock when the order shows CANCELLED."
    )
