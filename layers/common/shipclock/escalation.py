"""As the marketplace's own cancellation nears, its seller is told again, and louder. Pure.

The steps are a table: so many hours before a line, at that level. Like a rule's reminders they go
by the clock's own instants: only the step whose time it is speaks, once for each line, and steps
that were slept through are left out for good. A line that is moved speaks anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from shipclock.domain.clock import Clock, ClockState, Notice
from shipclock.domain.level import Level
from shipclock.domain.order import Order
from shipclock.domain.times import local
from shipclock.rules import Ticking, Timeline
from shipclock.situation import Situation

NEARING = "nearing"
"""The kind of the notice."""

DEFAULT = "24=ordinary,6=urgent,1=critical"
"""The steps of a shop that has no others: hours before a line, and the level."""

NONE = "off"
"""In place of the steps: lines are not told of before they are reached."""

LONGEST = 24 * 30
PATIENCE = timedelta(minutes=10)
"""How long a step waits for a re-read that is owed: the line may have been moved, or met."""

_STEP = re.compile(r"([0-9]{1,4})=([a-z]+)")


@dataclass(frozen=True, slots=True)
class Step:
    """How long before a line, and how loud."""

    before: timedelta
    level: Level

    @property
    def hours(self) -> int:
        """The same in hours."""
        return self.before // timedelta(hours=1)


@cache
def steps_of(text: str) -> tuple[Step, ...]:
    """The steps of a shop's setting, the farthest from the line first; empty: the usual ones.

    Raises ValueError, which says what is accepted.
    """
    if text == NONE:
        return ()
    found: dict[int, Level] = {}
    for word in (text or DEFAULT).split(","):
        step = _STEP.fullmatch(word.strip())
        hours, level = (int(step[1]), step[2]) if step else (0, "")
        if not 0 < hours <= LONGEST or level not in set(Level) or hours in found:
            levels = ", ".join(Level)
            raise ValueError(
                f"{word.strip()!r} is no step: write hours (1 to {LONGEST}), each once, and a "
                f"level ({levels}), such as {DEFAULT}; or {NONE}"
            )
        found[hours] = Level(level)
    return tuple(Step(timedelta(hours=h), found[h]) for h in sorted(found, reverse=True))


def nearing(
    order: Order, ticking: Timeline, quiet: frozenset[str], owed: bool, about: Situation
) -> Iterator[Notice]:
    """The step of each line whose time it is. `quiet` are the keys of clocks that a person has
    acknowledged; `owed` says that a re-read is outstanding and has not failed."""
    if about.policy is None:
        return
    for clock, step in _reached(ticking, about):
        at = clock.due_at - step.before
        if clock.key in quiet:
            continue
        if owed and about.now < at + PATIENCE:
            continue
        by = local(clock.due_at, about.policy.zone)
        text = (
            f"{clock.name} runs out on {by}: then the marketplace cancels the order and refunds "
            f"the buyer. It shows {order.status}. {TO_DO.get(clock.name, MOVE_ON)} "
            f"`shipclock notify ack {order.order_id}` ends these warnings."
        )
        day = f"{line_of(clock)}#{step.hours}h"
        yield Notice(clock.name, NEARING, about.now, day, text, step.level, clock.due_at)


def line_of(clock: Clock) -> str:
    """What tells a line from others of its clock's name: what it is about, and its instant."""
    return clock.key.removeprefix(clock.name).lstrip("#")


def next_step(ticking: Timeline, about: Situation) -> datetime | None:
    """The next instant after `now` at which a step's time comes."""
    instants = [
        tick.clock.due_at - step.before
        for tick in lines(ticking, about.now)
        for step in _steps(tick, about)
    ]
    return min((at for at in instants if at > about.now), default=None)


def lines(ticking: Timeline, now: datetime) -> list[Ticking]:
    """The lines ahead, at which the marketplace cancels."""
    return [
        tick
        for tick in ticking
        if tick.clock.cancels
        and not tick.clock.at_once
        and tick.clock.state(now) is ClockState.RUNNING
    ]


def _reached(ticking: Timeline, about: Situation) -> Iterator[tuple[Clock, Step]]:
    """Of each line the last step whose instant has come."""
    for tick in lines(ticking, about.now):
        due_at = tick.clock.due_at
        passed = [step for step in _steps(tick, about) if due_at - step.before <= about.now]
        if passed:
            yield tick.clock, passed[-1]


def _steps(tick: Ticking, about: Situation) -> Iterator[Step]:
    """The steps of a line: none that lies before its clock's start, and none that only repeats what
    its rule's own reminders and warnings say."""
    clock = tick.clock
    for step in steps_of(about.shop.escalation if about.shop else ""):
        begun = clock.starts_at is None or clock.starts_at <= clock.due_at - step.before
        if begun and not (tick.rule.notices and step.level is Level.ORDINARY):
            yield step


TO_DO = {
    "shipping_due_time": "Pack it, hand it over, and see that it is marked as shipped.",
    "collection_due_time": "See that the carrier fetches the parcel and scans it.",
    "delivery_due_time": "Ask the carrier where the parcel is, and have it delivered.",
    "untracked": "See that the carrier scans the parcel, or enter its number in Seller Center.",
}
MOVE_ON = "Move it on in time."
"""What to do, by the line."""
