"""A buyer asks to cancel, and the marketplace answers by itself when the seller does not in time.

The deadline is the marketplace's own, told with the request (`tiktok-shop.md` 5.5, Search
Cancellations); where it tells none there is no clock, for the hours differ by market. The states
of a request are those of `tiktok-shop.md` 3.6.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby

from shipclock.domain.clock import WARNING, Ask, Clock, ClockState, Notice, Stop
from shipclock.domain.event import CaseChange
from shipclock.domain.order import CANCELLED, OPEN_CASES, Order
from shipclock.domain.times import local, stamp
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "buyer_cancel_request"
SET_BY = "seller_next_action_response.deadline"
WARNED_BEFORE = timedelta(hours=6)
ACCEPTED = frozenset({"CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_COMPLETE"})


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock for each time that a request with a deadline waited, to the end of that wait."""
    by_case: dict[str, list[CaseChange]] = {}
    for state in order.cases:
        if state.case == "cancellation":
            by_case.setdefault(state.case_id, []).append(state)
    found = []
    for case_id, states in sorted(by_case.items()):
        for waited, ended in _waits(states):
            deadlines = [state.deadline for state in waited if state.deadline]
            if not deadlines:
                continue
            found.append(
                Clock(
                    name=NAME,
                    due_at=deadlines[-1],
                    set_by=SET_BY,
                    clause=f"the request's own deadline, {SET_BY}",
                    part=case_id,
                    starts_at=waited[0].update_time,
                    stop=_answer(ended, deadlines[-1]) if ended else _silence(order, waited[-1]),
                    ask=Ask.ONCE,
                )
            )
    return tuple(found)


def _pending(state: CaseChange) -> bool:
    return state.status in OPEN_CASES


def _waits(states: list[CaseChange]) -> Iterator[tuple[list[CaseChange], list[CaseChange]]]:
    """Each time that a request waited, and the states that ended it: one that was withdrawn may
    be opened anew. Of one instant the end is the later state, whatever their order."""
    told = sorted(states, key=lambda state: (state.update_time, not _pending(state)))
    runs = [list(run) for _, run in groupby(told, _pending)]
    for run, following in zip(runs, [*runs[1:], []], strict=True):
        if _pending(run[0]):
            yield run, following


def _answer(ended: list[CaseChange], due_at: datetime) -> Stop | None:
    """The first word that ended the wait. A yes after the deadline undoes nothing that was late:
    it is the very cancellation that the verdict foretells."""
    at = ended[0].update_time
    accepted = all(state.status in ACCEPTED for state in ended if state.update_time == at)
    return None if accepted and at > due_at else Stop(at)


def _silence(order: Order, last: CaseChange) -> Stop | None:
    """The order's own word, where the request's was missed: it changed since and shows no wish.

    When the request ended it does not say, only until when: that proves nothing late. Where it
    shows a wish again, that is this one still, unless another was made meanwhile. A cancelled order
    shows none in any case.
    """
    others = [
        state.update_time
        for state in order.cases
        if state.case == last.case and state.case_id != last.case_id and _pending(state)
    ]
    silent: datetime | None = None
    for facts in (snapshot.facts for snapshot in order.snapshots):
        if facts.update_time <= last.update_time or facts.status == CANCELLED:
            continue
        if not facts.cancel_requested:
            silent = silent or facts.update_time
        elif silent and not any(silent <= at <= facts.update_time for at in others):
            silent = None
    return Stop(silent, trusted=False) if silent else None


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
            f"{local(clock.due_at, policy.zone)}; then the marketplace answers with yes. Accept "
            "it, or reject it if the parcel has left, in Seller Center or with `shipclock ask`.",
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
