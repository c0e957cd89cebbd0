"""When people are told, by the wall clock of a shop: quiet hours and the day's digest. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def time_of(text: str) -> time:
    """A time of day such as `09:15`; raises ValueError, which says what is accepted."""
    if not _TIME.fullmatch(text):
        raise ValueError("a time of day was expected, such as 09:15")
    return time.fromisoformat(text)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours: from a minute of the day up to another, which is no longer quiet.

    Judged by what the wall clock shows: where it is put back an hour, that hour is quiet twice;
    where it is put forward over an end, they end as it is put forward.
    """

    start: time
    end: time

    def at(self, instant: datetime, zone: ZoneInfo) -> bool:
        """Whether an instant is in quiet hours."""
        shown = instant.astimezone(zone).time()
        if self.start < self.end:
            return self.start <= shown < self.end
        return shown >= self.start or shown < self.end

    def over_at(self, instant: datetime, zone: ZoneInfo) -> datetime:
        """The first instant from then on that is not quiet.

        Minute by minute: quiet hours begin and end with one, and so do zones change.
        """
        if not self.at(instant, zone):
            return instant
        step = instant.replace(second=0, microsecond=0)
        while self.at(step, zone):
            step += MINUTE
        return step


def quiet_of(text: str) -> Quiet:
    """Quiet hours such as `22:00-07:00`; raises ValueError, which says what is accepted."""
    start, dash, end = text.partition("-")
    if not dash or not _TIME.fullmatch(start) or not _TIME.fullmatch(end) or start == end:
        raise ValueError("two different times of day were expected, such as 22:00-07:00")
    return Quiet(time_of(start), time_of(end))


def digest_after(instant: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The next digest after an instant: at that time of the local day, or of the next one.

    Where the clocks are put forward over that very time it comes as late as they were put forward;
    where they are put back over it, it comes at the first of the two.
    """
    day = instant.astimezone(zone).date()
    while True:
        digest = datetime.combine(day, at, zone).astimezone(UTC)
        if digest > instant:
            return digest
        day += DAY


def local_day(instant: datetime, zone: ZoneInfo) -> str:
    """The local day, such as `2026-11-05`."""
    return instant.astimezone(zone).date().isoformat()
