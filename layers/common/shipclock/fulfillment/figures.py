"""A shop's performance signals over a window of days, folded from its orders' units.

Counts are whole numbers and shares exact fractions. A figure tells three shares: as it stands, if
every open unit is met, and if every open one runs out; and against a line how many of the open ones
may still turn bad, and by when the line is lost if nothing happens. All of them are about the
units of this window: orders to come, and the window's moving on, are not foreseen.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from shipclock.fulfillment.scorecards import Ratio
from shipclock.fulfillment.signals import (
    LATE_DISPATCH,
    ON_TIME_DELIVERY,
    SELLER_CANCELLATION,
    VALID_TRACKING,
    State,
    Unit,
)

DEFAULT_DAYS = 30
"""The window where neither the caller nor the pack names one. The marketplace's own windows are
published in part only and differ by market, so this one is a choice of ours and is told as such."""

MOST_DAYS = 92
"""The longest window that is read."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure is made of, for people and for the count.

    `shows` is the state whose share it is. `counts_open`: open units are in what the share as it
    stands is over. `runs_out`: an open unit that is due counts as bad; else only the marketplace's
    own word makes it so.
    """

    title: str
    shows: State
    counts_open: bool
    runs_out: bool
    numerator: str
    denominator: str
    counted_on: str
    left_out: str
    unsure: str


DEFINITIONS: Mapping[str, Definition] = {
    LATE_DISPATCH: Definition(
        title="late dispatch rate",
        shows=State.BAD,
        counts_open=False,
        runs_out=True,
        numerator="orders that missed a line for their dispatch: `rts_sla_time`, `tts_sla_time` or "
        "`pick_up_cut_off_time`; where an order bears none of them, the pack's",
        denominator="orders whose dispatch is decided: kept or missed",
        counted_on="the local day of the order's last line for its dispatch",
        left_out="orders cancelled before that line, orders without a line, orders that the "
        "marketplace fulfils",
        unsure="Of an order with several lines every one counts; a marketplace that judges by one "
        "of them alone shows less. US guides count orders that it fulfils itself into the "
        "denominator, which lowers its figure.",
    ),
    VALID_TRACKING: Definition(
        title="valid tracking rate",
        shows=State.GOOD,
        counts_open=False,
        runs_out=True,
        numerator="packages that a carrier has scanned, by his word or the marketplace's",
        denominator="packages shipped by the seller that were scanned, or not by the line: "
        "`collection_due_time`, else `cancel_order_sla_time`, else the pack's `untracked`",
        counted_on="the local day on which the package was shipped",
        left_out="packages that the marketplace ships, of the seller's own fleet, or cancelled "
        "before the line",
        unsure="When the marketplace takes a number for invalid is not published: here it is one "
        "without a scan when it gives up waiting. Some say that two scans are needed.",
    ),
    ON_TIME_DELIVERY: Definition(
        title="on-time delivery rate",
        shows=State.GOOD,
        counts_open=False,
        runs_out=True,
        numerator="orders that the marketplace shows as delivered by their line: "
        "`delivery_sla_time`, else `delivery_option_required_delivery_time`",
        denominator="orders whose delivery is decided: by the line, or not",
        counted_on="the local day of the line",
        left_out="orders cancelled before the line, orders without a line, orders that the "
        "marketplace fulfils",
        unsure="US guides count by the week of the line, and show a week some time after it.",
    ),
    SELLER_CANCELLATION: Definition(
        title="seller-fault cancellation rate",
        shows=State.BAD,
        counts_open=True,
        runs_out=False,
        numerator="orders cancelled by the seller for a reason of his own, or by the marketplace "
        "because they were not shipped, collected or to be tracked in time",
        denominator="all orders that were paid",
        counted_on="the local day on which the order was placed; a pre-order's release",
        left_out="cancellations of which nobody can tell whose fault they are, orders that were "
        "never paid, orders that the marketplace fulfils",
        unsure="Whose fault each reason is, the marketplace publishes in outline only. Units "
        "cancelled out of an order that goes on are not counted. Sample orders, which a US guide "
        "leaves out, are not told apart.",
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """What a figure is held against: at most, or at least, this share of 1."""

    at_most: Fraction | None = None
    at_least: Fraction | None = None

    def keeps(self, share: Fraction) -> bool:
        """Whether a share is on the good side of the line; on it, it is."""
        if self.at_most is not None and share > self.at_most:
            return False
        return self.at_least is None or share >= self.at_least

    def most_bad(self, shows: State) -> Fraction | None:
        """The largest share of bad units that keeps it, of a figure that shows this state's; None
        where it sets no such bound."""
        if shows is State.BAD:
            return self.at_most
        return None if self.at_least is None else 1 - self.at_least


@dataclass(frozen=True, slots=True)
class Window:
    """The local days of a zone from `first` to `last`, both in it."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether a day is in it."""
        return self.first <= day <= self.last


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
class Figure:
    """One signal of one shop over a window, as of an instant.

    `waiting` tells how many open units turn bad at each instant, and those that nobody set a time
    for under None.
    """

    signal: str
    good: int
    bad: int
    waiting: Mapping[datetime | None, int]
    left_out: Mapping[str, int]
    line: Line | None = None

    @property
    def definition(self) -> Definition:
        """What it is made of."""
        return DEFINITIONS[self.signal]

    @property
    def open(self) -> int:
        """Units that are not decided yet."""
        return sum(self.waiting.values())

    @property
    def total(self) -> int:
        """All units that count, once each is decided."""
        return self.good + self.bad + self.open

    @property
    def now(self) -> Ratio:
        """The share as it stands."""
        bad_share = self.definition.shows is State.BAD
        of = self.total if self.definition.counts_open else self.good + self.bad
        return Ratio(self.bad if bad_share else self.good, of)

    @property
    def if_met(self) -> Ratio:
        """The share if every open unit is met."""
        return self._with_bad(self.bad)

    @property
    def if_run_out(self) -> Ratio:
        """The share if every open unit runs out."""
        return self._with_bad(self.bad + self.open)

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
        most = self.line.most_bad(self.definition.shows) if self.line else None
        return None if most is None else int(most * self.total // 1) - self.bad

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
    """Takes units one by one, in any order, and keeps the counts of those in a window."""

    window: Window
    at: datetime
    _states: Counter[tuple[str, State]] = field(default_factory=Counter)
    _waiting: dict[str, Counter[datetime | None]] = field(default_factory=dict)
    _left_out: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, unit: Unit) -> None:
        """Count a unit, if it counts on a day of the window."""
        if not self.window.holds(unit.on):
            return
        if unit.state is State.LEFT_OUT:
            self._left_out.setdefault(unit.signal, Counter())[unit.why] += 1
            return
        state = unit.state
        due = unit.due_at is not None and unit.due_at <= self.at
        if state is State.OPEN and due and DEFINITIONS[unit.signal].runs_out:
            state = State.BAD
        self._states[unit.signal, state] += 1
        if state is State.OPEN:
            self._waiting.setdefault(unit.signal, Counter())[unit.due_at] += 1

    def figure(self, signal: str, line: Line | None = None) -> Figure:
        """One signal as it stands."""
        return Figure(
            signal=signal,
            good=self._states[signal, State.GOOD],
            bad=self._states[signal, State.BAD],
            waiting=dict(self._waiting.get(signal, {})),
            left_out=dict(self._left_out.get(signal, {})),
            line=line,
        )
