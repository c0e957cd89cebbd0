"""When a pack's clock runs out, worked out a second time: slow, plain, step by step.

Written from `docs/configuration.md` by somebody who had not read the product's calendar, deadlines,
policy or packs; shares no code with them. Parts of a pack are told as its TOML has them.
"""

import datetime as dt
import itertools
import tomllib
import zoneinfo
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from dateutil import tz  # type: ignore[import-untyped]

from tests.rules.holidays_told import COUNTRIES, LAST, public_holidays

Table = Mapping[str, Any]

SECOND = dt.timedelta(seconds=1)
HOUR = dt.timedelta(hours=1)
STEP = 12 * HOUR
DAY = dt.timedelta(days=1)
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TABLES = ("clauses", "deadlines", "signals")


@cache
def _zone(name: str) -> dt.tzinfo:
    """The zone by another library, from the file that Python's own would read.

    That library reads only what a file tells twice; of one that tells it once, Python's own says
    which offset an instant has. What to make of that is worked out below in either case.
    """
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file() and any(path.read_bytes()[32:36]):
            by_another: dt.tzinfo = tz.tzfile(str(path))
            return by_another
    return zoneinfo.ZoneInfo(name)


def offset(zone: str, instant: dt.datetime) -> dt.timedelta:
    """How far a zone's clocks are ahead of UTC at an instant."""
    return instant.astimezone(_zone(zone)).replace(tzinfo=None) - instant.replace(tzinfo=None)


_offset = lru_cache(maxsize=400_000)(offset)


def reading(zone: str, instant: dt.datetime) -> dt.datetime:
    """What the clocks of a zone show at an instant."""
    for stretch in stretches(zone, instant.date()):
        if stretch.since <= instant < stretch.until:
            return instant.replace(tzinfo=None) + stretch.ahead
    raise AssertionError(f"{instant} is not within a day of itself")


class Stretch(NamedTuple):
    """A time during which a zone's clocks are not changed."""

    since: dt.datetime
    until: dt.datetime
    ahead: dt.timedelta


@lru_cache(maxsize=200_000)
def stretches(zone: str, day: dt.date) -> tuple[Stretch, ...]:
    """What becomes of a zone's clocks around a local day, found by stepping through it: half a
    day at a time, and where they were changed closer and closer to the second."""
    since = at = dt.datetime.combine(day, dt.time(), dt.UTC) - 24 * HOUR
    end = at + 72 * HOUR
    ahead = _offset(zone, at)
    found: list[Stretch] = []
    while at < end:
        if _offset(zone, at + STEP) != ahead:
            before, after = at, at + STEP
            while after - before > SECOND:
                middle = before + (after - before) // (2 * SECOND) * SECOND
                if offset(zone, middle) == ahead:
                    before = middle
                else:
                    after = middle
            found.append(Stretch(since, after, ahead))
            since, ahead = after, offset(zone, after)
        at += STEP
    return (*found, Stretch(since, end, ahead))


def instant(zone: str, shown: dt.datetime, since: dt.datetime | None = None) -> dt.datetime:
    """When a zone's clocks show this: the first time, where they show it twice, that is not before
    `since`; where it is left out, as much later as they are put forward."""
    around = stretches(zone, shown.date())
    for stretch in around:
        at = (shown - stretch.ahead).replace(tzinfo=dt.UTC)
        if stretch.since <= at < stretch.until and (since is None or at >= since):
            return at
    for before, after in itertools.pairwise(around):
        stops = before.until.replace(tzinfo=None) + before.ahead
        goes_on = after.since.replace(tzinfo=None) + after.ahead
        if stops <= shown < goes_on:
            return before.until + (shown - stops)
    raise AssertionError(f"{zone} never shows {shown}")


class NobodyKnows(Exception):
    """A day of which holidays were not compared."""


class Days(NamedTuple):
    """What a calendar says, and days on which the shop is closed."""

    calendar: Table
    market: str
    closed: Sequence[tuple[dt.date, dt.date]] = ()

    def works(self, day: dt.date) -> bool:
        """Whether it is a working day."""
        weekend = self.calendar.get("weekend", ("saturday", "sunday"))
        country = self.calendar.get("country") or {"UK": "GB"}.get(self.market, self.market)
        if day > LAST and country in COUNTRIES:
            raise NobodyKnows(day)
        shut = [
            *self.closed,
            *((each["from"], each["to"]) for each in self.calendar.get("closed", ())),
        ]
        on = any(each["from"] <= day <= each["to"] for each in self.calendar.get("worked", ()))
        if on and not any(first <= day <= last for first, last in shut):
            return True
        return not (
            WEEK[day.weekday()] in weekend
            or day in public_holidays(country)
            or any(first <= day <= last for first, last in shut)
        )

    def step(self, day: dt.date, count: int) -> dt.date:
        """So many working days on, one day after the other."""
        while count:
            day += DAY
            count -= self.works(day)
        return day


def over(length: Table, start: dt.datetime, zone: str, days: Days) -> dt.datetime:
    """When a length is over that begins then."""
    if "hours" in length:
        return start + int(length["hours"]) * HOUR
    there = reading(zone, start)
    day = there.date()
    late = "cut_off" in length and there.time() >= length["cut_off"]
    if "calendar_days" in length:
        day += length["calendar_days"] * DAY
        if late:
            day += DAY
    else:
        count = length["working_days"]
        if late or ("cut_off" in length and not days.works(day)):
            count += 1
        day = days.step(day, count)
    return instant(zone, dt.datetime.combine(day, length.get("by", there.time())), start)


def extended(extension: Table, due: dt.datetime, zone: str, days: Days) -> dt.datetime:
    """When a clock runs out by an announcement alone."""
    if "hours" in extension:
        return due + int(extension["hours"]) * HOUR
    if "not_before" in extension:
        return instant(zone, extension["not_before"])
    there = reading(zone, due)
    if "calendar_days" in extension:
        day = there.date() + extension["calendar_days"] * DAY
    else:
        day = days.step(there.date(), extension["working_days"])
    return instant(zone, dt.datetime.combine(day, there.time()))


def dues(
    pack: Table,
    start: dt.datetime,
    market: str,
    zone: str,
    closed: Sequence[tuple[dt.date, dt.date]] = (),
) -> dict[str, dt.datetime]:
    """When each clock of a pack runs out that starts then; `zone` is the shop's."""
    days = Days(pack.get("calendar", {}), market, closed)
    found: dict[str, dt.datetime] = {}
    for name, told in {**pack.get("clauses", {}), **pack.get("deadlines", {})}.items():
        if not {"hours", "calendar_days", "working_days"} & told.keys():
            continue
        where = told.get("zone") or pack.get("zone") or zone
        due = over(told, start, where, days)
        began = reading(where, start).date()
        found[name] = max(
            [due]
            + [
                extended(extension, due, where, days)
                for extension in pack.get("extensions", ())
                if name in extension["clocks"] and extension["from"] <= began <= extension["to"]
            ]
        )
    return found


def whole(text: str, others: Mapping[str, str]) -> dict[str, Any]:
    """A pack with all that it takes over."""
    own = tomllib.loads(text)
    if "extends" not in own:
        return own
    taken = whole(others[own["extends"]], others)
    left_out = own.get("without", ())
    for key, value in taken.items():
        if key in TABLES:
            kept = {name: part for name, part in value.items() if name not in left_out}
            own[key] = {**kept, **own.get(key, {})}
        elif key == "extensions":
            own[key] = [*value, *own.get(key, [])]
        elif key not in ("name", "title", "markets", "from", "until", "extends", "without"):
            own.setdefault(key, value)
    return own


def in_force(packs: Mapping[str, Table], market: str, day: dt.date) -> str:
    """The pack of an order that was placed on that local day."""
    fits = [
        (pack["from"], name)
        for name, pack in packs.items()
        if market in pack["markets"]
        and pack["from"] <= day
        and ("until" not in pack or day < pack["until"])
    ]
    return max(fits)[1] if fits else "guide-2023"
