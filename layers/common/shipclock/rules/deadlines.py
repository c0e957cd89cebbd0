"""Deadlines that a pack tells whole: what starts them, how long they run, what stops them.

For what the marketplace's pages say of a market and no rule of ours knows. Each is one clock of the
order, under the name that the pack gives it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shipclock.domain.clock import WARNING, Ask, Clock, ClockState, Notice, Stop
from shipclock.domain.fields import counts
from shipclock.domain.order import AWAITING_COLLECTION, DELIVERED, IN_TRANSIT, Order
from shipclock.domain.stops import first_movement, first_proof, order_delivered, reached
from shipclock.domain.times import EPOCH, local, stamp
from shipclock.rules import incidents
from shipclock.rules.policy import Deadline, Policy
from shipclock.rules.rule import About, Deemed, Rule

ALERT, DELAYED = "alert", "deem_delayed"

STARTS: dict[str, Callable[[Order], datetime | None]] = {
    "placed": lambda order: order.starts_at,
    "created": lambda order: order.facts.create_time if order.facts else None,
    "paid": lambda order: order.facts.paid_time if order.facts else None,
    "released": lambda order: order.facts.release_date if order.facts else None,
    "ready_to_ship": lambda order: order.reached_at(AWAITING_COLLECTION),
    "in_transit": lambda order: order.reached_at(IN_TRANSIT),
    "first_scan": lambda order: first_proof(order),
    "delivered": lambda order: order.reached_at(DELIVERED),
}
"""What a deadline may start with."""

STOPS: dict[str, Callable[[Order], Stop | None]] = {
    "ready_to_ship": lambda order: reached(order, AWAITING_COLLECTION),
    "in_transit": lambda order: reached(order, IN_TRANSIT),
    "first_scan": lambda order: first_movement(order),
    "delivered": lambda order: order_delivered(order),
}
"""What it may be stopped by."""

WORDS = {
    "placed": "the order is placed; a pre-order is released",
    "created": "the order is placed",
    "paid": "the order is paid",
    "released": "a pre-order is released",
    "ready_to_ship": "the order is ready to ship (AWAITING_COLLECTION)",
    "in_transit": "the marketplace shows it IN_TRANSIT",
    "first_scan": "a carrier scans it, or the marketplace shows it IN_TRANSIT",
    "delivered": "it is delivered",
}


def of(order: Order, policy: Policy, then: str) -> tuple[Clock, ...]:
    """The clocks of all deadlines of the pack whose outcome is that."""
    if order.facts is None:
        return ()
    found = []
    for name, deadline in policy.pack.deadlines.items():
        if deadline.then == then and _applies(deadline, order):
            starts_at = STARTS[deadline.starts](order)
            if starts_at is not None:
                found.append(_clock(name, deadline, starts_at, order, policy))
    return tuple(found)


def _applies(deadline: Deadline, order: Order) -> bool:
    facts = order.facts
    return (
        facts is not None
        and (not deadline.shipping or facts.shipping_type in deadline.shipping)
        and (not deadline.order_types or facts.order_type in deadline.order_types)
    )


def _clock(
    name: str, deadline: Deadline, starts_at: datetime, order: Order, policy: Policy
) -> Clock:
    given = order.facts.deadlines if order.facts else {}
    field = next((field for field in deadline.replaced_by if counts(field, given)), "")
    return Clock(
        name=name,
        due_at=incidents.due(order, policy, name, deadline, starts_at),
        set_by=field or policy.set_by(name),
        clause=deadline.clause,
        starts_at=starts_at,
        stop=STOPS[deadline.stops](order),
        void_at=EPOCH if field else None,
        ask=Ask.AROUND if deadline.line == "hard" else Ask.ONCE,
    )


def alerting(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """The clocks of deadlines whose end is told and nothing else."""
    return of(order, policy, ALERT)


def deeming(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """The clocks of deadlines after which the order is deemed delayed."""
    return of(order, policy, DELAYED)


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """What was not reached, by when, what that means, and whose word it is."""
    deadline = policy.pack.deadlines[clock.name]
    return (
        f"It was time until {local(clock.due_at, policy.zone)}, and the order still shows "
        f"{order.status}: {deadline.clause} ({policy.pack.name}, {deadline.confidence}). "
        + (CANCELS if clock.hard else DEEMS if deadline.then == DELAYED else COUNTS)
    )


CANCELS = (
    "The marketplace cancels the order by this. If the parcel is on its way, open a ticket in "
    "Seller Center with the carrier's proof at once."
)
COUNTS = (
    "It counts against the shop's figures, and nothing is cancelled by it. Move the order on as "
    "soon as you can."
)
DEEMS = (
    "It is deemed delayed: the buyer may ask for a refund. Ask the carrier for a new date and tell "
    "the buyer."
)


def notices(
    order: Order, own: tuple[Clock, ...], policy: Policy, now: datetime
) -> tuple[Notice, ...]:
    """The warning whose time it is: of those that were slept through only the last."""
    found = []
    for clock in own:
        before = [hours for hours, at in _warnings(clock, policy) if at <= now]
        if clock.state(now) is ClockState.RUNNING and before:
            deadline = policy.pack.deadlines[clock.name]
            text = (
                f"Time runs out on {local(clock.due_at, policy.zone)}: {deadline.clause}. The "
                f"order shows {order.status}. "
                + ("At that time the marketplace cancels it." if clock.hard else COUNTED)
            )
            about = f"{stamp(clock.due_at)}/{min(before)}h"
            found.append(Notice(clock.name, WARNING, now, about, text))
    return tuple(found)


COUNTED = "If it is late, it counts against the shop's figures."


def next_notice(own: tuple[Clock, ...], policy: Policy, now: datetime) -> datetime | None:
    """The next instant after `now` at which a warning is due."""
    instants = (
        at
        for clock in own
        if clock.state(now) is ClockState.RUNNING
        for _, at in _warnings(clock, policy)
        if at > now
    )
    return min(instants, default=None)


def _warnings(clock: Clock, policy: Policy) -> list[tuple[int, datetime]]:
    """Hours before the end, and the instants of the warnings."""
    hours = policy.pack.deadlines[clock.name].warn_hours
    return [(before, clock.due_at - timedelta(hours=before)) for before in hours]


CITED = "Deadlines that a pack tells whole, each by its own clause."

ABOUT = About(
    orders="those that the deadline's `shipping` and `order_types` name",
    starts="as its `starts` says",
    due="its hours, calendar days or working days later",
    stops="as its `stops` says",
    then="warnings `warn_hours` before. Hard lines: re-read a day and an hour before and at the "
    "line, then alert, other pushes wait for the re-read. The others: re-read, then alert, or "
    "deemed delayed. The first of its `replaced_by` on the order replaces this clock",
)

RULE = Rule("deadlines", ABOUT, alerting, explain, notices, next_notice)
DEEMING = Rule(
    "deadlines_delayed",
    ABOUT,
    deeming,
    explain,
    notices,
    next_notice,
    deems=Deemed.DELAYED,
)
