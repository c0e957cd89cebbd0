"""What of an order runs out within a span. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shipclock.domain.clock import Clock
from shipclock.domain.order import Order
from shipclock.horizon.lines import Line, line_of, stops, to_do
from shipclock.rules import Ticking, Timeline
from shipclock.situation import Recorded, Situation


@dataclass(frozen=True, slots=True)
class Ahead:
    """A clock that runs out: what it is, how long is left at `now`, what stops it, what to do.

    `left` is negative for one that has run out and of which no verdict is recorded: the sweep is
    late, or it waits for the marketplace's word.
    """

    clock: Clock
    line: Line
    left: timedelta
    stops: str
    to_do: str


def running_out(
    order: Order, ticking: Timeline, recorded: Recorded, about: Situation, by: datetime
) -> tuple[Ahead, ...]:
    """An order's clocks that run out at or before `by`, the soonest first.

    Left out is what is no clock to watch: findings, and what merely follows as another runs out.
    """
    policy = about.policy
    if policy is None or order.ended:
        return ()
    found = [
        Ahead(
            clock=tick.clock,
            line=line_of(tick.clock, tick.rule),
            left=tick.clock.due_at - about.now,
            stops=stops(tick, policy),
            to_do=to_do(order, tick, policy),
        )
        for tick in ticking
        if tick.clock.due_at <= by
        and watched(tick)
        and tick.clock.awaited(about.now, recorded.verdicts)
    ]
    return tuple(sorted(found, key=lambda one: (one.clock.due_at, one.clock.name, one.clock.part)))


def watched(tick: Ticking) -> bool:
    """Whether a clock is one to be waited for."""
    return not tick.rule.finding and not tick.clock.at_once
