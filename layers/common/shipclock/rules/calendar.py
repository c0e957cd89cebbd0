"""Calendar arithmetic: when a span of hours, calendar days or working days is over.

Days are local days of a time zone; what comes out are instants. Which days are public holidays
says the library `holidays`; it is imported when the first working day is counted, for it takes a
while and most packs count none.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MONTH = timedelta(days=31)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SATURDAY, SUNDAY = 5, 6

LONGEST_CLOSED = 366
"""Days without a working day among them, after which a calendar counts as one that has none."""


class NoWorkingDay(ValueError):
    """A calendar that is closed for more than a year on end: no deadline can be counted by it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Local days on end, the last one included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.first <= day <= self.last

    def meets(self, other: "Span") -> bool:
        """Whether the two have a day in common."""
        return self.first <= other.last and other.first <= self.last

    @classmethod
    def parse(cls, text: str) -> "Span":
        """One day, or the first and the last: `2026-12-24/2026-12-26`. Raises ValueError."""
        first, _, last = text.partition("/")
        span = cls(date.fromisoformat(first), date.fromisoformat(last or first))
        if span.last < span.first:
            raise ValueError(f"{text!r}: the last day comes before the first")
        return span


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """Which days count as working days.

    All but those of the `weekend` (0 is Monday), the public holidays of a `country` (ISO 3166) and
    of a `subdivision` of it as the library `holidays` names them, and those that are `closed`.
    Those that are `worked` count although they are at a weekend or a holiday.
    """

    country: str = ""
    subdivision: str = ""
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    closed: tuple[Span, ...] = ()
    worked: tuple[Span, ...] = ()

    def __contains__(self, day: date) -> bool:
        """Whether a day counts."""
        if any(day in span for span in self.closed):
            return False
        return any(day in span for span in self.worked) or (
            day.weekday() not in self.weekend
            and day not in public_holidays(self.country, self.subdivision, day.year)
        )

    def check(self) -> None:
        """Raises `NoWorkingDay` where the days that are closed leave none to work for a year on
        end, together with the weekends and holidays beside them."""
        for span in self.closed:
            self.after(span.first - MONTH, MONTH.days)

    def after(self, day: date, count: int) -> date:
        """The `count`th working day after a day. The 0th is the day itself where it counts, else
        the first after it. Raises `NoWorkingDay`."""
        if count == 0 and day in self:
            return day
        left, since = max(count, 1), 0
        while left:
            day, since = day + DAY, since + 1
            if day in self:
                left, since = left - 1, 0
            elif since > LONGEST_CLOSED:
                raise NoWorkingDay(f"there is no working day in the year before {day}")
        return day


@lru_cache(maxsize=256)
def public_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """The public holidays of a year, those moved to another day included; none of no country."""
    if not country:
        return frozenset()
    import holidays

    found = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    return frozenset(day for day in found if day.year == year)


def is_place(country: str, subdivision: str = "") -> bool:
    """Whether the library knows the country, and the subdivision of it."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=True)
    return country in known and (not subdivision or subdivision in known[country])


@dataclass(frozen=True, slots=True)
class Length:
    """How long a clock runs: exactly one of `hours`, `calendar_days` and `working_days`.

    Hours are of 60 minutes, whatever local clocks do. Days are counted from the local day of the
    start, which is day 0; the clock runs out on the last of them, `by` that local time, or at the
    start's own time of day. One that starts at or after the `cut_off` counts one day more; so does
    one on a day that is no working day, where there is a cut-off and working days are counted.

    A local time that comes twice on a day is the first of the two that is not before the start. One
    that a change of the clocks leaves out is as many minutes after the change as it would have been
    after its beginning.
    """

    hours: int | None = None
    calendar_days: int | None = None
    working_days: int | None = None
    cut_off: time | None = None
    by: time | None = None

    def over(self, start: datetime, zone: ZoneInfo, working: WorkingDays) -> datetime:
        """The instant at which it is over, in UTC. Raises `NoWorkingDay`, and `OverflowError`
        beyond the year 9999."""
        if self.hours is not None:
            return start + timedelta(hours=self.hours)
        there = start.astimezone(zone)
        day, late = there.date(), self.cut_off is not None and there.time() >= self.cut_off
        if self.working_days is not None:
            late = late or (self.cut_off is not None and day not in working)
            day = working.after(day, self.working_days + late)
        else:
            day += (self.calendar_days or 0) * DAY + late * DAY
        at = there.time().replace(fold=0) if self.by is None else self.by
        due_at = datetime.combine(day, at, zone).astimezone(UTC)
        if due_at < start:  # it began as the clocks had been put back
            due_at = datetime.combine(day, at.replace(fold=1), zone).astimezone(UTC)
        return due_at

    def words(self) -> str:
        """`120 h`, `2 working days (from 14:00 on one more), by 23:59:59`."""
        if self.hours is not None:
            return f"{self.hours} h"
        working = self.working_days is not None
        count = (self.working_days if working else self.calendar_days) or 0
        unit = f"{'working' if working else 'calendar'} day{'s' * (count != 1)}"
        cut_off = f" (from {self.cut_off} on one more)" if self.cut_off else ""
        return f"{count} {unit}{cut_off}" + (f", by {self.by}" if self.by else "")
