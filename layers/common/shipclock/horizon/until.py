"""How far ahead somebody looks: a span from now, an instant, or a local day. Pure."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from zoneinfo import ZoneInfo

from shipclock.domain.times import parse
from shipclock.meant import BadQuery

LONGEST = timedelta(days=366)
"""How far ahead is looked at most: no clock of a pack runs longer."""

LAST_ZONE = timedelta(hours=12)
"""A day is over everywhere once it has been over in UTC for this long."""

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

HOW = (
    "write a day as 2026-12-31 (to its end, by each shop's time), or an instant with its offset "
    "as 2026-12-31T16:00:00Z"
)

Until = Callable[[ZoneInfo], datetime]
"""The last instant that counts, for a shop of a time zone."""


def until(text: str, now: datetime, zones: Iterable[ZoneInfo] = ()) -> Until:
    """Read a day or an instant; raises `BadQuery` telling what is accepted, also of one that lies
    in the past or further ahead than `LONGEST`. A day is past once it is over in all of these
    `zones`; without any, once it is over everywhere."""
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
        last = _end_of(day, UTC) if day else parse(text)
        ends = [_end_of(day, zone) for zone in zones] if day else [last]
        over = max(ends, default=last + LAST_ZONE)
    except (ValueError, OverflowError):
        raise BadQuery(f"until: {HOW}") from None
    if over <= now:
        raise BadQuery(f"until: {text} lies in the past; {HOW}")
    if last > now + LONGEST:
        raise BadQuery(f"until: at most {LONGEST.days} days ahead; {HOW}")
    return partial(_end_of, day) if day else lambda zone: last


def ahead(now: datetime, span: timedelta) -> Until:
    """That long from now; raises `BadQuery` where that is further than `LONGEST`."""
    if span > LONGEST:
        raise BadQuery(f"within: at most {LONGEST.days}d ahead")
    return lambda zone: now + span


def _end_of(day: date, zone: tzinfo) -> datetime:
    """The last moment of a local day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)
