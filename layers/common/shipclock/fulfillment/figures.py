"""A shop's performance signals over a window of days, folded from its orders' units.

Counts are whole numbers and shares exact fractions. A figure tells the share as it stands over the
window. What it comes to is told over the window and all later days together, for there stand the
orders whose lines are still to come: if every open unit is met, and if every open one runs out; and
against a line how many of the open ones may still turn bad, and by when the line is lost if nothing
happens. Orders to come, and days that leave the window, are not foreseen.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Self
from zoneinfo import ZoneInfo

from shipclock.fulfillment.definitions import DEFINITIONS, Definition
from shipclock.fulfillment.scorecards import Ratio
from shipclock.fulfillment.signals import State, Unit

DEFAULT_DAYS = 30
"""The window where neither the caller nor the pack names one. The marketplace's own windows are
published in part only and differ by market, so this one is a choice of ours and is told as such."""

MOST_DAYS = 366
"""The longest window that is read."""

DAY = timedelta(days=1)


def percent(share: Fraction) -> str:
    """A share of 1 in percent, rounded once, to two places: `4.11`."""
    whole = round(share * 10_000)
    return f"{whole // 100}.{whole % 100:02d}"


@dataclass(frozen=True, slots=True)
class Line:
    """What a figure is held against: at most, at least, or below this share of 1."""

    at_most: Fraction | None = None
    at_least: Fraction | None = None
    below: Fraction | None = None

    @classmethod
    def drawn(
        cls, at_most: float | None, at_least: float | None, below: float | None = None
    ) -> Self:
        """The line that a pack draws in percent, as it is written there: 2.5 is a fortieth."""
        return cls(_exact(at_most), _exact(at_least), _exact(below))

    @property
    def words(self) -> str:
        """The line as it is told: `at most 2.5 %`, `below 10 %`."""
        bounds = {"at most": self.at_most, "at least": self.at_least, "below": self.below}
        return " and ".join(
            f"{how} {float(share * 100):g} %" for how, share in bounds.items() if share is not None
        )

    def keeps(self, share: Fraction) -> bool:
        """Whether a share is on the good side of the line; on it, it is, but for `below`."""
        if self.below is not None and share >= self.below:
            return False
        if self.at_most is not None and share > self.at_most:
            return False
        return self.at_least is None or share >= self.at_least

    def most_bad(self, shows: State, of: int) -> int | None:
        """How many of so many units may be bad and keep it, in a figure that shows this state's;
        None where it sets no such bound."""
        if shows is State.GOOD:
            return None if self.at_least is None else floor((1 - self.at_least) * of)
        if self.below is not None:
            return max(ceil(self.below * of) - 1, 0)
        return None if self.at_most is None else floor(self.at_most * of)


def _exact(percent: float | None) -> Fraction | None:
    return None if percent is None else Fraction(str(percent)) / 100


@dataclass(frozen=True, slots=True)
class Window:
    """The local days of a zone from `first` to `last`, both in it."""

    first: date
    last: date


def window_to(last: date, days: int) -> Window:
    """The window of so many days that ends with a day. Raises ValueError for what is none."""
    if not 1 <= days <= MOST_DAYS:
        raise ValueError(f"days: a number from 1 to {MOST_DAYS} was expected")
    return Window(last - (days - 1) * DAY, last)


def instant_of(day: date, zone: ZoneInfo, now: datetime) -> datetime:
    """The instant at which a day's figures are asked: now where it is today, else its end."""
    if now.astimezone(zone).date() == day:
        return now
    return datetime.combine(day + DAY, time(0), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many units are good, bad and open."""

    good: int = 0
    bad: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.good + self.bad + self.open


@dataclass(frozen=True, slots=True)
class Figure:
    """One signal of one shop over a window, as of an instant.

    `counts` and `left_out` are of the window, `later` of the days after it. `waiting` tells how
    many open units of both turn bad at each instant, those that are overdue at the figure's own,
    and those that nobody set a time for under None.
    """

    signal: str
    counts: Counts
    later: Counts
    waiting: Mapping[datetime | None, int]
    left_out: Mapping[str, int]
    line: Line | None = None

    @property
    def definition(self) -> Definition:
        """What it is made of."""
        return DEFINITIONS[self.signal]

    @property
    def total(self) -> int:
        """All units of the window and after it, once each is decided."""
        return self.counts.total + self.later.total

    @property
    def bad(self) -> int:
        """Those of them that are bad by now."""
        return self.counts.bad + self.later.bad

    @property
    def now(self) -> Ratio:
        """The share as it stands."""
        found = self.counts
        of = found.total if self.definition.counts_open else found.good + found.bad
        return Ratio(found.bad if self.definition.shows is State.BAD else found.good, of)

    @property
    def if_met(self) -> Ratio:
        """The share if every open unit is met."""
        return self._with_bad(self.bad)

    @property
    def if_run_out(self) -> Ratio:
        """The share if every open unit runs out."""
        return self._with_bad(self.bad + self.counts.open + self.later.open)

    def _with_bad(self, bad: int) -> Ratio:
        shown = bad if self.definition.shows is State.BAD else self.total - bad
        return Ratio(shown, self.total)

    def kept(self, ratio: Ratio) -> bool | None:
        """Whether a share keeps the line; None without a line, and over nothing."""
        share = ratio.value
        return None if self.line is None or share is None else self.line.keeps(share)

    @property
    def head_room(self) -> int | None:
        """How many of the open units may turn bad, all others being met, before the line is
        crossed; below 0: by how many it is crossed whatever happens. None without a line.

        It may be more than there are open ones.
        """
        most = self.line.most_bad(self.definition.shows, self.total) if self.line else None
        return None if most is None else most - self.bad

    @property
    def lost_at(self) -> datetime | None:
        """When the line is lost if nothing happens, even if all that runs out later is met; None
        where it is not, or is lost by now."""
        left = self.head_room
        if left is None or left < 0:
            return None
        for due_at in sorted(at for at in self.waiting if at is not None):
            left -= self.waiting[due_at]
            if left < 0:
                return due_at
        return None


@dataclass(slots=True)
class Tally:
    """Takes units one by one, in any order, and keeps the counts of those in a window and after
    it."""

    window: Window
    at: datetime
    _states: Counter[tuple[str, bool, State]] = field(default_factory=Counter)
    _waiting: dict[str, Counter[datetime | None]] = field(default_factory=dict)
    _left_out: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, unit: Unit) -> None:
        """Count a unit, unless its day is before the window."""
        later = unit.on > self.window.last
        if unit.on < self.window.first:
            return
        if unit.state is State.LEFT_OUT:
            if not later:
                self._left_out.setdefault(unit.signal, Counter())[unit.why] += 1
            return
        state = self.state(unit)
        self._states[unit.signal, later, state] += 1
        if state is State.OPEN:
            turns = max(unit.due_at, self.at) if unit.due_at else None
            self._waiting.setdefault(unit.signal, Counter())[turns] += 1

    def state(self, unit: Unit) -> State:
        """How a unit counts at this instant: what has run out by then is bad."""
        due = unit.due_at is not None and unit.due_at <= self.at
        if unit.state is State.OPEN and due and DEFINITIONS[unit.signal].runs_out:
            return State.BAD
        return unit.state

    def figure(self, signal: str, line: Line | None = None) -> Figure:
        """One signal as it stands."""
        return Figure(
            signal=signal,
            counts=self._counts(signal, later=False),
            later=self._counts(signal, later=True),
            waiting=dict(self._waiting.get(signal, {})),
            left_out=dict(self._left_out.get(signal, {})),
            line=line,
        )

    def _counts(self, signal: str, later: bool) -> Counts:
        return Counts(
            *(self._states[signal, later, state] for state in (State.GOOD, State.BAD, State.OPEN))
        )
