"""Forecasts of many orders added up: per shop, local day and clock, and what becomes of the orders.
Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from shipclock.horizon.forecast import Forecast, Foreseen
from shipclock.rules.abnormal_delivery import DEEMED_DELAYED, DEEMED_LOST

CANCELLED = "cancelled"
OUTCOMES = (CANCELLED, DEEMED_LOST, DEEMED_DELAYED)
"""What may become of an order, the worst first."""

KINDS = ("hard", "metric", "deemed", "alert", "warning", "reminder")
"""In which order the kinds of a day are told; others come after."""


@dataclass(frozen=True, slots=True)
class Row:
    """How often one clock speaks on one local day of a shop, and when first."""

    day: date
    shop_id: str
    kind: str
    clock: str
    cause: str
    count: int
    first_at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many orders come to an end of one kind, and when the first and the last of them do."""

    what: str
    orders: int
    first_at: datetime
    last_at: datetime


@dataclass(slots=True)
class Tally:
    """Adds forecasts up. What is moot is counted apart."""

    moot: int = 0
    _counts: Counter[tuple[date, str, str, str, str]] = field(default_factory=Counter)
    _firsts: dict[tuple[date, str, str, str, str], datetime] = field(default_factory=dict)
    _ends: dict[str, list[datetime]] = field(default_factory=dict)

    def add(self, forecast: Forecast, zone: ZoneInfo) -> None:
        """Count one order's forecast, by the days of its shop."""
        news = [one for one in forecast.foreseen if one.news]
        real = [one for one in news if not one.moot]
        self.moot += len(news) - len(real)
        for one in real:
            day = one.at.astimezone(zone).date()
            key = day, forecast.shop_id, one.kind, one.clock, one.cause
            self._counts[key] += 1
            self._firsts[key] = min(one.at, self._firsts.get(key, one.at))
        if forecast.cancelled_at:
            self._ends.setdefault(CANCELLED, []).append(forecast.cancelled_at)
        for what in (DEEMED_LOST, DEEMED_DELAYED):
            if at := _first(one for one in real if one.cause == what):
                self._ends.setdefault(what, []).append(at)

    @property
    def rows(self) -> list[Row]:
        """By day and shop; within a day what weighs most comes first."""
        found = [Row(*key, count, self._firsts[key]) for key, count in self._counts.items()]
        return sorted(
            found, key=lambda r: (r.day, r.shop_id, _rank(r.kind), r.kind, r.clock, r.cause)
        )

    @property
    def outcomes(self) -> list[Outcome]:
        """The ends that there are, the worst first."""
        return [
            Outcome(what, len(at), min(at), max(at))
            for what in OUTCOMES
            if (at := self._ends.get(what))
        ]


def _first(told: Iterable[Foreseen]) -> datetime | None:
    return min((one.due_at or one.at for one in told), default=None)


def _rank(kind: str) -> int:
    return KINDS.index(kind) if kind in KINDS else len(KINDS)
