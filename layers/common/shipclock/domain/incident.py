"""Incidents that nobody can be blamed for: where, with whom and for how long they held things up.

A person declares one; facts about it are never changed, and what it is by now is folded from them.
The marketplace has no call for any of this (`tiktok-shop.md` 5.7).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from shipclock.domain.place import Fit, Place, all_fit, any_fits, has_postcode, in_region

OPEN_FOR = timedelta(days=14)
"""An incident without an end counts for so long, until a person says more: one that is forgotten
must not keep clocks from running out for ever."""

LONGEST = timedelta(days=366)
"""No incident may be longer."""


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


def in_area(incident: Incident, place: Place) -> Fit:
    """Whether an address is of an incident; of one that names no area, it is."""
    kinds = []
    if incident.regions:
        kinds.append(any_fits(in_region(region, place) for region in incident.regions))
    if incident.postcodes:
        kinds.append(any_fits(has_postcode(code, place.postcode) for code in incident.postcodes))
    return all_fit(kinds)


@dataclass(frozen=True, slots=True)
class Incidence:
    """An incident that may be about an order: whether its address is in the area, and what a person
    says of it, None while nobody did."""

    incident: Incident
    area: Fit
    by_hand: bool | None = None
