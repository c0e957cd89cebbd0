"""What in a policy pack is legal and odd. Pure: a pack, its text, a day in; warnings out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from shipclock.marketplaces.tiktok_shop.answers import ORDER_TYPES
from shipclock.marketplaces.tiktok_shop.capability import EVERY_SHIPPING
from shipclock.marketplaces.tiktok_shop.onboarding import MARKETS
from shipclock.rules import untracked
from shipclock.rules.calendar import public_holidays
from shipclock.rules.names import LENGTH, rule_needs
from shipclock.rules.packs import CITES, DEFAULT, PARTS
from shipclock.rules.policy import (
    COUNTRIES,
    Cited,
    Deadline,
    Pack,
    Timed,
)
from shipclock.toml_lines import Where, line_at, lines_of

MONTHS = 18
"""Sources older than this are worth another look."""

STOPPED = {
    "ready_to_ship": {"ready_to_ship"},
    "first_scan": {"first_scan"},
    "in_transit": {"ready_to_ship", "first_scan", "in_transit"},
    "delivered": {"first_scan", "delivered"},
}
"""Which stops have come to an order once each has: what a carrier says is no word of the
marketplace's that it is ready, or in transit."""

REMINDING = ("first_reminder_hours", "reminder_at", "final_warning_hours")
SURE = {"conflicting": "two sources disagree", "unconfirmed": "no page of today has it"}


@dataclass(frozen=True, slots=True, order=True)
class Warn:
    """One thing that works, and perhaps not as it was meant."""

    line: int
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class Looked:
    """A pack that is looked at: its own text, and the others that there are."""

    pack: Pack
    text: str
    today: date
    others: Mapping[str, Pack]
    months: int = MONTHS
    document: dict[str, Any] = field(default_factory=dict)
    lines: Mapping[Where, int] = field(default_factory=dict)

    def warn(self, where: Where, what: str) -> Warn:
        """A warning at the line of a key."""
        return Warn(line_at(self.lines, where), ".".join(map(str, where)), what)

    def own(self, kind: str) -> list[str]:
        """The parts of a table that the pack itself tells."""
        return list(self.document.get(kind, ()))


def warnings(
    pack: Pack, text: str, today: date, others: Iterable[Pack], months: int = MONTHS
) -> list[Warn]:
    """Everything that is worth knowing of a pack, by its lines. What it takes over from another is
    that one's to tell."""
    shelf = {other.name: other for other in others if other.name != pack.name}
    looked = Looked(pack, text, today, shelf, months, tomllib.loads(text), lines_of(text))
    found = {warn for look in LOOKS for warn in look(looked)}
    return sorted(found)


def _words(looked: Looked) -> Iterator[Warn]:
    """Words that are none of the marketplace's."""
    yield from _strange(looked, ("markets",), looked.pack.markets, sorted(MARKETS), "market")
    for kind, parts in (("clauses", looked.pack.clauses), ("deadlines", looked.pack.deadlines)):
        for name in looked.own(kind):
            shipping, what = parts[name].shipping, "shipping type of orders that have clocks"
            yield from _strange(looked, (kind, name, "shipping"), shipping, EVERY_SHIPPING, what)
    for name in looked.own("deadlines"):
        types = looked.pack.deadlines[name].order_types
        where = ("deadlines", name, "order_types")
        yield from _strange(looked, where, types, ORDER_TYPES, "order type")


def _strange(
    looked: Looked, where: Where, words: Sequence[str], known: Sequence[str], what: str
) -> Iterator[Warn]:
    for place, word in enumerate(words):
        if word and word not in known:
            told = f"{word!r} is no {what}; there are {', '.join(known)}"
            yield looked.warn((*where, place), told)


def _days(looked: Looked) -> Iterator[Warn]:
    """How the pack's days lie among those of other packs of a market."""
    pack = looked.pack
    for market in pack.markets:
        same = sorted(
            (other for other in looked.others.values() if market in other.markets),
            key=lambda other: other.since,
        )
        for other in same:
            if other.since == pack.since:
                rules = max(other.name, pack.name)
                yield looked.warn(
                    ("from",), f"{other.name} begins on this day too in {market}; {rules} counts"
                )
            elif other.since < pack.since and other.until and other.until > pack.since:
                yield looked.warn(
                    ("from",),
                    f"{other.name} lasts until {other.until} in {market}; this one takes over",
                )
            elif pack.until and pack.since < other.since < pack.until:
                yield looked.warn(
                    ("until",), f"{other.name} takes over on {other.since} already in {market}"
                )
        end = pack.until
        if end and not any(other.in_force(market, end) for other in same):
            later = [other.since for other in same if other.since > end]
            till = f"until {min(later)}" if later else "on"
            yield looked.warn(
                ("until",), f"from {end} {till} {DEFAULT} rules the orders of {market}"
            )


def _parent(looked: Looked) -> Iterator[Warn]:
    parent = looked.others.get(looked.pack.extends)
    if parent and parent.until and parent.until <= looked.today:
        yield looked.warn(("extends",), f"{parent.name} is over since {parent.until}")


def _sources(looked: Looked) -> Iterator[Warn]:
    """Figures that nobody can be sure of, each told where it is written."""
    parts: list[tuple[Where, Cited]] = [
        ((kind, name), getattr(looked.pack, kind)[name])
        for kind in PARTS
        for name in looked.own(kind)
    ]
    count = len(looked.document.get("extensions", ()))  # before those that are taken over
    ours = looked.pack.extensions[:count]
    parts += [(("extensions", place), one) for place, one in enumerate(ours)]
    for where, part in parts:
        at = {key: (*where, key) if (*where, key) in looked.lines else (key,) for key in CITES}
        if part.confidence in SURE:
            what = f"{part.confidence}: {SURE[part.confidence]}"
            yield looked.warn(at["confidence"], what)
        if part.dated == "undated":
            yield looked.warn(at["dated"], "undated: nobody can tell whether it still holds")
        elif (age := _age(part.dated, looked.today)) > looked.months:
            yield looked.warn(
                at["dated"], f"{part.dated} is {age} months ago: does the page still say so?"
            )


def _age(dated: str, today: date) -> int:
    """Whole months since the last day that a day, month or year may mean."""
    year, month, day = (*map(int, dated.split("-")), 0, 0)[:3]
    if day:
        last = date(year, month, day)
    else:
        following = date(year + (month in (0, 12)), 1 if month in (0, 12) else month + 1, 1)
        last = following - timedelta(days=1)
    months = (today.year - last.year) * 12 + today.month - last.month
    return months - (today.day < last.day)


def shortest(timed: Timed) -> timedelta | None:
    """How long a clock runs at the least, whenever it starts; None of one without a length. On a
    day of 24 hours."""
    if timed.hours is not None:
        return timedelta(hours=timed.hours)
    days = timed.working_days if timed.calendar_days is None else timed.calendar_days
    if days is None:
        return None
    if timed.by is None:
        return timedelta(days=days)
    last = timed.cut_off or time(23, 59, 59)
    return timedelta(days=days) + (_at(timed.by) - _at(last))


def _at(of_day: time) -> datetime:
    return datetime.combine(date.min, of_day)


def _lengths(looked: Looked) -> Iterator[Warn]:
    """Warnings and reminders that come before the start, or after the end."""
    for name in looked.own("deadlines"):
        deadline = looked.pack.deadlines[name]
        least = shortest(deadline)
        for place, hours in enumerate(deadline.warn_hours):
            if least is not None and timedelta(hours=hours) >= least:
                yield looked.warn(("deadlines", name, "warn_hours", place), _at_once(hours, least))
    for name in looked.own("clauses"):
        clause = looked.pack.clauses[name]
        least = shortest(clause)
        if name != untracked.NAME or least is None:
            continue
        first, last = clause.first_reminder_hours, clause.final_warning_hours
        if first is not None and timedelta(hours=first) >= least:
            never = f"{first} h do not fit into {_hours(least)}: never told"
            perhaps = f"{first} h may be more than it runs, which is {_hours(least)} at the least"
            told = perhaps if clause.hours is None else never
            yield looked.warn(("clauses", name, "first_reminder_hours"), told)
        if last is not None and timedelta(hours=last) >= least:
            yield looked.warn(("clauses", name, "final_warning_hours"), _at_once(last, least))
        if (clause.first_reminder_hours is None) != (clause.reminder_at is None):
            yield looked.warn(
                ("clauses", name), "reminders need both first_reminder_hours and reminder_at"
            )


def _at_once(hours: int, least: timedelta) -> str:
    return f"{hours} h before is no later than the start: it may run for {_hours(least)}"


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g} h"


def _unused(looked: Looked) -> Iterator[Warn]:
    """Figures of which the rule makes no use."""
    for name in looked.own("clauses"):
        clause, needs = looked.pack.clauses[name], rule_needs(name)
        spare = [key for key in REMINDING if name != untracked.NAME]
        spare += [] if "attempts" in needs else ["attempts"]
        if LENGTH not in needs:
            spare += ["hours", "calendar_days", "working_days"]
        for key in spare:
            if getattr(clause, key) is not None:
                yield looked.warn(("clauses", name, key), f"the rule {name} makes no use of it")


def _unreached(looked: Looked) -> Iterator[Warn]:
    """Deadlines that no order gets to, because the marketplace has cancelled it before."""
    deadlines = looked.pack.deadlines
    for name in looked.own("deadlines"):
        for other, hard in deadlines.items():
            if other != name and hard.line == "hard" and _before(hard, deadlines[name]):
                yield looked.warn(
                    ("deadlines", name),
                    f"never reached: {other} has the order cancelled before",
                )
                break


def _before(hard: Deadline, other: Deadline) -> bool:
    """Whether every order that would miss the one was cancelled by the other. Lengths of one kind
    alone are compared: how many working days an hour is nobody can say."""
    same = all(
        getattr(hard, key) == getattr(other, key) for key in ("starts", "cut_off", "by", "zone")
    )
    covers = _covers(hard.shipping, other.shipping) and _covers(hard.order_types, other.order_types)
    shorter = any(
        ours is not None and theirs is not None and ours < theirs
        for ours, theirs in (
            (getattr(hard, key), getattr(other, key))
            for key in ("hours", "calendar_days", "working_days")
        )
    )
    replaced = set(hard.replaced_by) <= set(other.replaced_by)
    return same and covers and shorter and replaced and other.stops in STOPPED[hard.stops]


def _covers(hard: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether the one is of all orders that the other is of; empty: of all there are."""
    return not hard or (bool(other) and set(other) <= set(hard))


def _holidays(looked: Looked) -> Iterator[Warn]:
    """Countries of whose holidays the library knows none this year or the next."""
    calendar = looked.pack.calendar
    if calendar is None or "calendar" not in looked.document:
        return
    markets = [COUNTRIES.get(market, market) for market in looked.pack.markets]
    for country in dict.fromkeys([calendar.country] if calendar.country else markets):
        for year in (looked.today.year, looked.today.year + 1):
            if not _known(country, calendar.subdivision, year):
                yield looked.warn(
                    ("calendar",), f"the library knows no public holidays of {country} in {year}"
                )


def _known(country: str, subdivision: str, year: int) -> bool:
    try:
        return bool(public_holidays(country, subdivision, year))
    except NotImplementedError:  # it does not know the country at all
        return False


LOOKS = (_words, _days, _parent, _sources, _lengths, _unused, _unreached, _holidays)
