"""A policy pack in a person's words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cli.policy_files import choose
from shipclock.domain.times import stamp
from shipclock.fulfillment.figures import Line
from shipclock.marketplaces.tiktok_shop.onboarding import MARKETS
from shipclock.rules import RULES
from shipclock.rules.deadlines import WORDS
from shipclock.rules.names import LENGTH, rule_needs
from shipclock.rules.packs import DEFAULT
from shipclock.rules.policy import (
    Calendar,
    Cited,
    Clause,
    Deadline,
    Extension,
    Pack,
    Policy,
    Signal,
    Timed,
)

WIDTH = 100

AT_ORDER = ("placed", "created")
"""Starts that are known as an order is placed."""

PLACED = "the order is placed"
"""How a rule tells that its clock starts with the order."""

STOPS = {
    "ready_to_ship": "the order is ready to ship (AWAITING_COLLECTION) or further",
    "in_transit": "the marketplace shows it IN_TRANSIT or further",
    "first_scan": "the first scan, or IN_TRANSIT",
    "delivered": "it is delivered",
}
LINES = {
    "hard": "hard line: the marketplace cancels; read again a day and an hour before, and at it",
    "metric": "metric line: it counts against the shop",
}
THEN = {"alert": "alert", "deem_delayed": "deemed delayed"}


@dataclass(frozen=True, slots=True)
class Shown:
    """A pack as it is shown: for a shop's zone, perhaps with the due times of one order.

    `policy` has the zone; `origins` says from which pack each part was taken over.
    """

    policy: Policy
    origins: Mapping[tuple[str, str], str]
    placed: datetime | None = None

    def zone(self, timed: Timed) -> ZoneInfo:
        """Where the days of a clause or deadline are local."""
        place = timed.zone or self.policy.pack.zone
        return ZoneInfo(place) if place else self.policy.zone

    def instant(self, at: datetime, timed: Timed) -> str:
        """An instant where the days of a clause are local, and in UTC."""
        return self.local(at, self.zone(timed))

    def local(self, at: datetime, zone: ZoneInfo) -> str:
        """An instant in a zone, and in UTC."""
        there = at.astimezone(zone)
        return f"{there:%a} {there.day} {there:%b %Y, %H:%M:%S} ({zone.key}) = {stamp(at)}"


def listed(shelf: Mapping[str, Pack], day: date) -> Iterator[str]:
    """Every pack with its markets and days, and which of them rules each market on a day."""
    yield f"{'pack':<14}{'from':<12}{'until':<12}{'markets':<20}title"
    for pack in sorted(shelf.values(), key=lambda pack: (pack.name != DEFAULT, pack.name)):
        of = "all others" if pack.name == DEFAULT else ", ".join(pack.markets) or "by choice"
        until = pack.until or "-"
        yield f"{pack.name:<14}{pack.since!s:<12}{until!s:<12}{of:<20}{pack.title}"
    yield ""
    yield f"In force for orders of {day}, where a shop has not chosen one:"
    for market in sorted(MARKETS):
        yield f"  {market:<4}{choose(shelf, market, day, '').name}"


def lines(shown: Shown) -> Iterator[str]:
    """The whole pack."""
    pack = shown.policy.pack
    yield f"{pack.name}: {pack.title}"
    until = f" until the day before {pack.until}" if pack.until else " on"
    of = "every market that has none" if pack.name == DEFAULT else "shops that choose it"
    yield f"  of {', '.join(pack.markets) or of}, orders from {pack.since}{until}"
    if pack.extends:
        without = f", without {', '.join(pack.without)}" if pack.without else ""
        yield f"  extends {pack.extends}{without}"
    yield f"  days and cut-offs are local in {pack.zone or 'the time zone of the shop'}"
    if pack.calendar:
        yield f"  working days: {_working(pack.calendar)}"
    if shown.placed:
        yield f"  due times: of an order placed {shown.local(shown.placed, shown.policy.zone)}"
    for name, clause in pack.clauses.items():
        yield from ("", *_clause(name, clause, shown))
    for name, deadline in pack.deadlines.items():
        yield from ("", *_deadline(name, deadline, shown))
    for extension in pack.extensions:
        yield from ("", *_extension(extension))
    for name, signal in pack.signals.items():
        yield from ("", *_signal(name, signal, shown))


def _working(calendar: Calendar) -> str:
    country = calendar.country or "the market's country"
    place = f"{country}, {calendar.subdivision}" if calendar.subdivision else country
    told = f"all but {' and '.join(calendar.weekend)} and the public holidays of {place}"
    for word, dates in (("not", calendar.closed), ("and yet", calendar.worked)):
        for one in dates:
            days = f"{one.first}" if one.first == one.last else f"{one.first} to {one.last}"
            told += f", {word} {days}"
    return told


def _row(label: str, text: str) -> str:
    """A labelled text, wrapped."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"    {label:<12}",
        subsequent_indent=" " * 16,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _rests(kind: str, name: str, cited: Cited, shown: Shown) -> Iterator[str]:
    yield _row("rests on", f"{cited.source} ({cited.dated}): {cited.confidence}")
    origin = shown.origins.get((kind, name), shown.policy.pack.name)
    if origin != shown.policy.pack.name:
        yield _row("taken over", f"from {origin}")


class _None:
    """A figure that a clause does not give, in whatever format."""

    def __format__(self, spec: str) -> str:
        return "(not given)"


def _figures(clause: Clause) -> dict[str, Any]:
    known = {name: getattr(clause, name) for name in Clause.model_fields}
    figures = {name: _None() if value is None else value for name, value in known.items()}
    return {**figures, "length": clause.length.words() if clause.spans else _None()}


def _clause(name: str, clause: Clause, shown: Shown) -> Iterator[str]:
    about = next(rule.about for rule in RULES if rule.name == name)
    figures = _figures(clause)
    yield f"  {name}"
    yield _row("clause", clause.clause)
    yield _row("of", "; ".join((about.orders, *_shipping(clause))))
    yield _row("starts", about.starts)
    yield _row("due", about.due.format(**figures) + _where(clause, shown))
    yield _row("stopped by", about.stops.format(**figures))
    yield _row("then", about.then.format(**figures))
    yield from _incident(clause.force_majeure)
    yield from _rests("clauses", name, clause, shown)
    if shown.placed and LENGTH in rule_needs(name) and about.starts.startswith(PLACED):
        due_at = shown.policy.due(name, clause, shown.placed)
        yield _row("DUE", shown.instant(due_at, clause))
        first, last = clause.first_reminder_hours, clause.final_warning_hours
        if first is not None and clause.reminder_at is not None:
            at = shown.placed + timedelta(hours=first)
            yield from [_row("reminded", shown.instant(at, clause))] if at < due_at else ()
        yield from _warned(() if last is None else (last,), due_at, clause, shown)


def _where(timed: Timed, shown: Shown) -> str:
    """The zone of a length that needs one and has another than the pack."""
    return f" ({timed.zone})" if timed.spans and timed.hours is None and timed.zone else ""


def _incident(extends: bool) -> Iterator[str]:
    if extends:
        yield _row("incidents", "extend it")


def _deadline(name: str, deadline: Deadline, shown: Shown) -> Iterator[str]:
    yield f"  {name} (a deadline of the pack)"
    yield _row("clause", deadline.clause)
    yield _row("of", _orders(deadline))
    yield _row("starts", WORDS[deadline.starts])
    yield _row("runs", deadline.length.words() + _where(deadline, shown))
    yield _row("stopped by", STOPS[deadline.stops])
    if deadline.replaced_by:
        yield _row("replaced by", f"the order's own {', else '.join(deadline.replaced_by)}")
    yield _row("line", LINES[deadline.line])
    if deadline.warn_hours:
        yield _row("warned", f"{', '.join(f'{h} h' for h in deadline.warn_hours)} before")
    yield _row("then", THEN[deadline.then])
    yield from _incident(deadline.force_majeure)
    yield from _rests("deadlines", name, deadline, shown)
    if shown.placed and deadline.starts in AT_ORDER:
        due_at = shown.policy.due(name, deadline, shown.placed)
        yield _row("DUE", shown.instant(due_at, deadline))
        yield from _warned(deadline.warn_hours, due_at, deadline, shown)


def _warned(hours: tuple[int, ...], due_at: datetime, timed: Timed, shown: Shown) -> Iterator[str]:
    """When each warning is told: one whose time is before the order, with the order, once."""
    begun = shown.placed or due_at
    instants = {max(due_at - timedelta(hours=before), begun) for before in hours}
    for at in sorted(instants):
        yield _row("warned", shown.instant(at, timed))


def _orders(deadline: Deadline) -> str:
    types = [name or "none told" for name in deadline.order_types]
    told = [*_shipping(deadline), *([f"order type {', '.join(types)}"] if types else [])]
    return "; ".join(told) or "all"


def _shipping(part: Clause | Deadline) -> list[str]:
    return [f"shipping type {' or '.join(part.shipping)}"] if part.shipping else []


def _extension(extension: Extension) -> Iterator[str]:
    yield f"  extension for {', '.join(extension.clocks)}"
    yield _row("clause", extension.clause)
    yield _row("of", f"clocks that start from {extension.first} to {extension.last}")
    yield _row("more", more(extension))
    rests = f"{extension.source} ({extension.dated}): {extension.confidence}"
    yield _row("rests on", rests)


def more(extension: Extension) -> str:
    """By how much an extension extends."""
    if extension.not_before:
        return f"not before {extension.not_before:%Y-%m-%d %H:%M:%S}"
    figures = extension.hours, extension.calendar_days, extension.working_days
    units = "hours", "calendar days", "working days"
    return next(f"{n} {unit}" for n, unit in zip(figures, units, strict=True) if n is not None)


def _signal(name: str, signal: Signal, shown: Shown) -> Iterator[str]:
    yield f"  {name} (a figure of the shop)"
    yield _row("clause", signal.clause)
    yield _row("line", Line.drawn(signal.at_most, signal.at_least, signal.below).words)
    yield _row("over", f"{signal.days} days" if signal.days else "a window that no source tells")
    yield from _rests("signals", name, signal, shown)
