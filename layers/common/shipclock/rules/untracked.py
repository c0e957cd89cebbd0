"""Some tracking update must come in time, or the marketplace cancels (the guide: 15 days).

Until then the seller is reminded once a local day, and warned once more shortly before the end.
"""

from datetime import UTC, date, datetime, timedelta

from shipclock.domain.clock import REMINDER, WARNING, Ask, Clock, ClockState, Notice
from shipclock.domain.order import TIKTOK, Order
from shipclock.domain.stops import first_movement
from shipclock.domain.times import EPOCH, local, stamp
from shipclock.rules import incidents
from shipclock.rules.names import LENGTH
from shipclock.rules.policy import Clause, Policy
from shipclock.rules.rule import About, Rule

NAME = "untracked"
NEEDS = (LENGTH,)
REPLACED_BY = "collection_due_time"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock from the order's start, stopped by the first scan or by IN_TRANSIT."""
    clause, starts_at = policy.clause(NAME), order.starts_at
    if clause is None or starts_at is None or order.facts is None:
        return ()
    replaced = REPLACED_BY in order.facts.deadlines
    return (
        Clock(
            name=NAME,
            due_at=incidents.due(order, policy, NAME, clause, starts_at),
            set_by=REPLACED_BY if replaced else policy.set_by(NAME),
            clause=clause.clause,
            starts_at=starts_at,
            stop=first_movement(order),
            void_at=EPOCH if replaced else None,
            ask=Ask.DAILY,
        ),
    )


def notices(
    order: Order, own: tuple[Clock, ...], policy: Policy, now: datetime
) -> tuple[Notice, ...]:
    """The reminder of this local day and the final warning, if `now` is their time.

    A day on which nobody asked after its reminder's instant is left out for good: after a sleep
    there is one reminder, not a burst.
    """
    clause, found = policy.clause(NAME), []
    if clause is None:
        return ()
    for clock in _running(own, now):
        end = (
            "Without a tracking update the marketplace cancels the order and refunds the buyer on "
            f"{local(clock.due_at, policy.zone)}. {_todo(order)}"
        )
        day = now.astimezone(policy.zone).date()
        at = _reminder_of(day, clock, policy, clause)
        if at is not None and at <= now:
            found.append(Notice(NAME, REMINDER, now, day.isoformat(), end))
        last = _final_warning(clock, clause)
        if last is not None and last <= now:
            text = f"Last warning. {end}"
            found.append(Notice(NAME, WARNING, now, stamp(clock.due_at), text))
    return tuple(found)


def _running(own: tuple[Clock, ...], now: datetime) -> list[Clock]:
    return [clock for clock in own if clock.state(now) is ClockState.RUNNING]


def _todo(order: Order) -> str:
    if order.facts and order.facts.shipping_type == TIKTOK:
        return (
            "Arrange the shipment in Seller Center, hand the parcel over as it says there, and see "
            "that the carrier scans it."
        )
    return (
        "Hand the parcel over and see that the carrier's scans reach us, or enter its number in "
        "Seller Center."
    )


def next_notice(own: tuple[Clock, ...], policy: Policy, now: datetime) -> datetime | None:
    """The next instant after `now` at which `notices` has something new to say."""
    clause = policy.clause(NAME)
    instants: list[datetime | None] = []
    if clause is None:
        return None
    for clock in _running(own, now):
        day = now.astimezone(policy.zone).date()
        told = (
            _first_reminder(clock, clause),
            _reminder_of(day, clock, policy, clause),
            _reminder_of(day + timedelta(days=1), clock, policy, clause),
            _final_warning(clock, clause),
        )
        instants += [at for at in told if at and now < at < clock.due_at]
    return min((at for at in instants if at), default=None)


def _first_reminder(clock: Clock, clause: Clause) -> datetime | None:
    if clock.starts_at is None or clause.first_reminder_hours is None or clause.reminder_at is None:
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


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """What the missed clock means and what to do."""
    return (
        f"The order never got a tracking update by {local(clock.due_at, policy.zone)}. The "
        "marketplace cancels it and refunds the buyer; its word is asked for daily until it is "
        "known. If the parcel did leave, enter its tracking number in Seller Center at once; if "
        "not, put the items back into stock when the order shows CANCELLED."
    )


RULE = Rule(
    NAME,
    About(
        orders="all",
        starts="the order is placed; a pre-order is released",
        due="{length} later",
        stops="the first scan; IN_TRANSIT or beyond",
        then="before the end: reminders, the first after {first_reminder_hours} h, then at "
        "{reminder_at:%H:%M} shop time on each later local day, and a warning "
        "{final_warning_hours} h before. At the end: the order is re-read, then alert, and "
        "re-read daily until the marketplace's outcome is known. "
        f"`{REPLACED_BY}` on the order replaces this clock",
    ),
    clocks,
    explain,
    notices,
    next_notice,
)
