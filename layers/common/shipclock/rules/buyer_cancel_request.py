"""A buyer asks to cancel, and the marketplace answers by itself when the seller does not in time.

The deadline is the marketplace's own, told with the request (`tiktok-shop.md` 5.5, Search
Cancellations); where it tells none there is no clock, for the hours differ by market.
"""

from datetime import datetime, timedelta

from shipclock.domain.clock import Ask, Clock, ClockState, Notice, Stop
from shipclock.domain.event import CaseChange
from shipclock.domain.order import OPEN_CASES, Order
from shipclock.domain.times import local, stamp
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "buyer_cancel_request"
SET_BY = "seller_next_action_response.deadline"
WARNING = "warning"
WARNED_BEFORE = timedelta(hours=6)


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock for each request that came with a deadline, from its opening to its answer."""
    by_case: dict[str, list[CaseChange]] = {}
    for case in order.cases:
        if case.case == "cancellation":
            by_case.setdefault(case.case_id, []).append(case)
    found = []
    for case_id, states in sorted(by_case.items()):
        deadlines = [state.deadline for state in states if state.deadline and _pending(state)]
        if deadlines:
            found.append(
                Clock(
                    name=NAME,
                    due_at=deadlines[-1],
                    set_by=SET_BY,
                    clause=f"the request's own deadline, {SET_BY}",
                    part=case_id,
                    starts_at=states[0].update_time,
                    stop=_answered(order, states),
                    ask=Ask.ONCE,
                )
            )
    return tuple(found)


def _pending(state: CaseChange) -> bool:
    return state.status in OPEN_CASES


def _answered(order: Order, states: list[CaseChange]) -> Stop | None:
    """The first state that waits no longer; else the order, where it tells of no request now."""
    over = [state.update_time for state in states if not _pending(state)]
    if over:
        return Stop(min(over))
    silent = order.facts is not None and not order.cancel_open
    return Stop(order.facts.update_time) if silent and order.facts else None


def notices(
    order: Order, own: tuple[Clock, ...], policy: Policy, now: datetime
) -> tuple[Notice, ...]:
    """A warning some hours before the end."""
    return tuple(
        Notice(
            NAME,
            WARNING,
            now,
            f"{clock.part}#{stamp(clock.due_at)}",
            f"The buyer's wish to cancel waits for your answer until "
            f"{local(clock.due_at, policy.zone)}; then the marketplace answers with yes. If the "
            "parcel has left, reject it in Seller Center or with `shipclock ask`.",
        )
        for clock in own
        if clock.state(now) is ClockState.RUNNING and clock.due_at - WARNED_BEFORE <= now
    )


def next_notice(own: tuple[Clock, ...], policy: Policy, now: datetime) -> datetime | None:
    """The next instant after `now` at which a warning is due."""
    instants = [
        clock.due_at - WARNED_BEFORE
        for clock in own
        if clock.state(now) is ClockState.RUNNING and now < clock.due_at - WARNED_BEFORE
    ]
    return min(instants, default=None)


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """What the missed answer means and what to do."""
    return (
        f"The buyer's wish to cancel was not answered by {local(clock.due_at, policy.zone)}: the "
        "marketplace accepts it by itself now. Keep the parcel back; if it has left, have the "
        "carrier bring it back."
    )


RULE = Rule(
    NAME,
    About(
        orders="all of which a buyer asks to be cancelled, where the marketplace names a deadline",
        starts="the buyer asks",
        due=f"`{SET_BY}` of the request",
        stops="the request is answered or withdrawn",
        then="six hours before: a warning. At the end: the order is re-read, then alert. "
        "Meanwhile nothing is shipped",
    ),
    clocks,
    explain,
    notices,
    next_notice,
)
