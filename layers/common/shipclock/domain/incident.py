"""Incidents that nobody can be blamed for: where, with whom and for how long they held things up.

A person declares one; facts about it are never changed, and what it is by now is folded from them.
The marketplace has no call for any of this (`tiktok-shop.md` 5.7).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

OPEN_FOR = timedelta(days=14)
"""An incident without an end counts for so long, until a person says more: one that is forgotten
must not keep clocks from running out for ever."""

LONGEST = timedelta(days=366)
"""No incident may be longer."""


class Fit(StrEnum):
    """Whether an incident is about something. `UNKNOWN`: what we know does not tell."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


def all_fit(fits: Iterable[Fit]) -> Fit:
    """Whether all of them do; of none, they do."""
    found = set(fits)
    return next((fit for fit in (Fit.OUT, Fit.UNKNOWN) if fit in found), Fit.IN)


def any_fits(fits: Iterable[Fit]) -> Fit:
    """Whether one of them does; of none, it can't be told."""
    found = set(fits)
    return next((fit for fit in (Fit.IN, Fit.UNKNOWN, Fit.OUT) if fit in found), Fit.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it is known by now.

    It lasts from `begins_at` until just before `ends_at`; None: nobody knows yet. `carriers`,
    `regions` and `postcodes` say what it is about: each kind that is given must fit, and of several
    of one kind any. `shops` empty: all. `evidence` are addresses of pages. Times of declaring and
    lifting are real ones.
    """

    incident_id: str
    begins_at: datetime
    ends_at: datetime | None
    reason: str
    declared_at: datetime
    carriers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    by: str = ""
    lifted_at: datetime | None = None

    @property
    def until(self) -> datetime:
        """The end that counts."""
        return self.ends_at or self.begins_at + OPEN_FOR

    @property
    def area(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What an address is judged by."""
        return self.regions, self.postcodes

    def overlaps(self, start: datetime, end: datetime | None) -> bool:
        """Whether any of it lies in a span; None: that has no end."""
        begins = max(self.begins_at, start)
        return begins < (self.until if end is None else min(self.until, end))


@dataclass(frozen=True, slots=True)
class IncidentFact:
    """What a person said about an incident at the real time `at`. What is None stays as it was.

    `open_end`: nobody knows any more when it ends. Of a lifted one `ends_at` is when it was over.
    """

    incident_id: str
    kind: Literal["declared", "changed", "lifted"]
    at: datetime
    by: str = ""
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    open_end: bool = False
    reason: str | None = None
    carriers: tuple[str, ...] | None = None
    regions: tuple[str, ...] | None = None
    postcodes: tuple[str, ...] | None = None
    shops: tuple[str, ...] | None = None
    evidence: tuple[str, ...] | None = None


SAID = ("begins_at", "ends_at", "reason", "carriers", "regions", "postcodes", "shops", "evidence")
"""What a fact may say of an incident."""


def fold_incident(facts: Iterable[IncidentFact]) -> Incident | None:
    """What the facts about one incident add up to, however they come; None where nobody has
    declared it. Of two words on one thing the later one counts."""
    told = sorted(facts, key=lambda fact: (fact.kind != "declared", fact.at, repr(fact)))
    incident: Incident | None = None
    for fact in told:
        if incident is None and fact.kind == "declared" and fact.begins_at and fact.reason:
            incident = Incident(
                fact.incident_id, fact.begins_at, fact.ends_at, fact.reason, fact.at, by=fact.by
            )
        if incident is not None:
            incident = _said(incident, fact)
    return incident


def _said(incident: Incident, fact: IncidentFact) -> Incident:
    says = {name: value for name in SAID if (value := getattr(fact, name)) is not None}
    if fact.kind == "lifted":
        over = fact.ends_at or fact.at
        ends_at = over if incident.ends_at is None else min(over, incident.ends_at)
        return replace(incident, ends_at=ends_at, lifted_at=fact.at)
    if fact.open_end:
        says["ends_at"] = None
    if "ends_at" in says:
        says["lifted_at"] = None
    return replace(incident, **says)


# Time that does not count

Spans = tuple[tuple[datetime, datetime], ...]
"""Begin and end of spans that don't touch, the earliest first."""


def union(incidents: Iterable[Incident]) -> Spans:
    """The time that incidents take in all: what several have in common counts once."""
    spans: list[tuple[datetime, datetime]] = []
    for begins, ends in sorted((each.begins_at, each.until) for each in incidents):
        if spans and begins <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], ends)
        elif begins < ends:
            spans.append((begins, ends))
    return tuple(spans)


def extended(start: datetime, due_at: datetime, spans: Spans) -> datetime:
    """When a clock runs out that stands still during these spans, and would run out at `due_at`
    without them: the time between `start` and that instant is spent outside of them.

    One that has run out as a span begins is not moved by it.
    """
    for begins, ends in spans:
        begins = max(begins, start)
        if begins >= due_at:
            break
        due_at += max(ends - begins, timedelta(0))
    return due_at


# Where


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where an order goes to; empty: not known. `districts` are the names and ISO
    codes that the marketplace gives of state, city and so on."""

    postcode: str = ""
    country: str = ""
    districts: frozenset[str] = frozenset()


def in_area(incident: Incident, place: Place) -> Fit:
    """Whether an address is of an incident; of one that names no area, it is."""
    kinds = []
    if incident.regions:
        kinds.append(any_fits(in_region(region, place) for region in incident.regions))
    if incident.postcodes:
        kinds.append(any_fits(has_postcode(code, place.postcode) for code in incident.postcodes))
    return all_fit(kinds)


COUNTRY = re.compile(r"[A-Z]{2}")
SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
COUNTRIES = {"UK": "GB"}
"""Countries that are written in two ways."""


def in_region(region: str, place: Place) -> Fit:
    """Whether a place lies in a region: a country's two letters, an ISO 3166-2 code, or a name as
    the marketplace writes it."""
    written = region.strip().upper()
    country = _country(place.country)
    if COUNTRY.fullmatch(written):
        return _told(_country(written) == country) if country else Fit.UNKNOWN
    districts = {_bare(name) for name in place.districts}
    if _bare(written) in districts:
        return Fit.IN
    code = SUBDIVISION.fullmatch(written)
    if code is None:
        return Fit.OUT if districts else Fit.UNKNOWN
    if country and country != _country(code[1]):
        return Fit.OUT
    coded = any(SUBDIVISION.fullmatch(name.strip().upper()) for name in place.districts)
    return Fit.OUT if coded else Fit.UNKNOWN


def _country(code: str) -> str:
    written = code.strip().upper()
    return COUNTRIES.get(written, written)


def _told(fits: bool) -> Fit:
    return Fit.IN if fits else Fit.OUT


def _bare(name: str) -> str:
    """A name without spaces and signs, in lower case."""
    return "".join(c for c in name.casefold() if c.isalnum())


ZIP_PLUS = re.compile(r"(\d{5})-\d{4}", re.ASCII)
PATTERN = re.compile(
    r"(?=[A-Z]*[0-9])[A-Z0-9]{2,12}|[A-Z0-9]{1,12}\*|(\d{2,12})-(\d{2,12})", re.ASCII
)


def postcode(text: str) -> str:
    """A postcode as it is compared: capitals and digits alone; of a long US one its first five."""
    long = ZIP_PLUS.fullmatch(text.strip())
    return long[1] if long else "".join(c for c in text.upper() if c.isalnum())


def postcode_pattern(text: str) -> str:
    """What a person writes for some postcodes, as it is compared: `10110`, `10110-10120`, `SW1A*`.
    Raises ValueError telling what is accepted."""
    written = "".join(text.split()).upper()
    found = PATTERN.fullmatch(written)
    good = found is not None and (
        found[1] is None or (len(found[1]) == len(found[2]) and found[1] <= found[2])
    )
    if not good:
        raise ValueError(
            f"{text[:40]!r} names no postcodes: write 10110, 10110-10120 (as many digits on both "
            "sides, the smaller one first) or SW1A*; a single code without hyphens"
        )
    return written


def has_postcode(pattern: str, code: str) -> Fit:
    """Whether a code is among those of a pattern that `postcode_pattern` let pass."""
    code = postcode(code)
    if not code:
        return Fit.UNKNOWN
    first, hyphen, last = pattern.partition("-")
    if hyphen:
        return _told(len(code) == len(first) and code.isdigit() and first <= code <= last)
    if pattern.endswith("*"):
        return _told(code.startswith(pattern[:-1]))
    return _told(code == pattern)


@dataclass(frozen=True, slots=True)
class Incidence:
    """An incident that may be about an order: whether its address is in the area, and what a person
    says of it, None while nobody did."""

    incident: Incident
    area: Fit
    by_hand: bool | None = None
