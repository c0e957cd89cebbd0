"""Clocks as data for rules engines: when one is there, when it runs out, what stops it.

Conditions are over an order's facts, which are Unix seconds or absent. Each engine is given them in
its own words (`benchmarks/engines/`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shipclock.domain.clock import ClockState
from shipclock.domain.order import CANCELLED

Facts = Mapping[str, int | None]
"""What is known of an order or a clock: Unix seconds by name, None where nothing is."""


@dataclass(frozen=True, slots=True)
class At:
    """The instant of a fact, so many seconds later."""

    fact: str
    later: int = 0

    def of(self, facts: Facts) -> int:
        """That instant in Unix seconds, of a fact that is there."""
        return (facts[self.fact] or 0) + self.later


@dataclass(frozen=True, slots=True)
class Atom:
    """`has` and `lacks` ask whether a fact is there, the others which of two comes first."""

    word: Literal["has", "lacks", "<", "<="]
    left: At
    right: At = At("now")


@dataclass(frozen=True, slots=True)
class All:
    """It holds where all of its parts do. They are looked at from left to right, until one does
    not hold."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """It holds where some part does. They are looked at from left to right, until one holds."""

    parts: "tuple[Condition, ...]"


Condition = Atom | All | Some


def has(fact: str) -> Atom:
    """Whether the fact is there."""
    return Atom("has", At(fact))


def lacks(fact: str) -> Atom:
    """Whether it is not."""
    return Atom("lacks", At(fact))


@dataclass(frozen=True, slots=True)
class Row:
    """One clock as data.

    `needs` are the facts without which it is not there; `doubtful` says that nobody knows when the
    stop was; `void` is the fact that ends it, `gives_way_to` one that replaces it. One that is
    `deemed` is there only if nothing stops it in time.
    """

    name: str
    due: At
    starts: At
    stop: str
    doubtful: str = ""
    void: str = CANCELLED
    needs: tuple[str, ...] = ()
    gives_way_to: str = ""
    deemed: bool = False

    @property
    def there(self) -> Condition | None:
        """When there is such a clock at all; None for always."""
        needs: tuple[Condition, ...] = tuple(has(fact) for fact in self.needs)
        if self.deemed:
            late: Condition = Atom("<", self.due, At(self.stop))
            if self.doubtful:
                late = All((late, lacks(self.doubtful)))
            needs = (*needs, Some((lacks(self.stop), late)))
        return All(needs) if needs else None

    @property
    def states(self) -> dict[ClockState, Condition]:
        """Its states but RUNNING, in the order in which they are asked: the first that holds."""
        void, stop, due, now = At(self.void), At(self.stop), self.due, At("now")
        later = Some((lacks(self.stop), Atom("<", void, stop)))
        stopped: Condition = All((has(self.void), Atom("<=", void, due), later))
        if self.gives_way_to:
            stopped = Some((has(self.gives_way_to), stopped))
        in_time: Condition = Atom("<=", stop, due)
        if self.doubtful:
            in_time = Some((in_time, has(self.doubtful)))
        return {
            ClockState.STOPPED: stopped,
            ClockState.MET: All((has(self.stop), in_time)),
            ClockState.MISSED: Atom("<=", due, now),
            ClockState.WAITING: All((has(self.starts.fact), Atom("<", now, self.starts))),
        }


A_CLOCK = Row("clock", At("due"), At("start"), "stop", "doubtful", "void")
"""A clock that is known already, of which only the state is asked."""
