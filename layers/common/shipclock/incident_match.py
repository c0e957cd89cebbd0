"""Which incidents are about an order, and what is kept of that. Pure but for the rows it makes.

An address is personal data and stands in one row alone, which masked re-reads thin out and time
deletes. So what it told of an incident's area is kept in the order's head: that the order lies in
it or not, and no word of where.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shipclock import chain, rows
from shipclock.asking import AFFECTED
from shipclock.domain.incident import Incidence, Incident, in_area
from shipclock.domain.order import CANCELLED, DELIVERED, Order
from shipclock.domain.place import Fit, Place
from shipclock.domain.times import stamp
from shipclock.incidents import Declared
from shipclock.ports import Change, Row
from shipclock.rules import clocked
from shipclock.rules.incidents import fit

MOST_WRITES = 8
"""Orders' rows under incidents that one commit writes; more are for the next settle."""

LISTED = {Fit.IN: "affected", Fit.UNKNOWN: "possible", Fit.OUT: ""}
"""How an order stands in an incident's list."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What the head keeps of one incident: what the address told of its area (by the digest of
    that; empty: it names none), and how the order stands in its list."""

    area: str = ""
    told: Fit = Fit.UNKNOWN
    listed: str = ""

    def __str__(self) -> str:
        """As it stands in the head."""
        return f"{self.area} {self.told} {self.listed}".rstrip()

    @property
    def empty(self) -> bool:
        """Whether it says nothing that would not be known without it."""
        return not self.listed and (not self.area or self.told is Fit.UNKNOWN)

    @classmethod
    def parse(cls, text: str) -> "Kept":
        """Read it back."""
        area, told, *listed = text.split(" ")
        return cls(area, Fit(told), "".join(listed))


@dataclass(frozen=True, slots=True)
class Matched:
    """The incidents that may be about an order; what its head keeps of them from now on; where its
    place in a list has changed. `more`: so many have that the rest is for the next settle.
    `declared` is the reading of all incidents that this comes of."""

    incidents: tuple[Incidence, ...] = ()
    kept: Mapping[str, Kept] = field(default_factory=dict)
    changed: tuple[str, ...] = ()
    more: bool = False
    declared: Declared = field(default_factory=Declared)

    def head(self) -> Row:
        """The attributes of the head; of a table that knows no incidents none."""
        revision = self.declared.revision
        if not revision:
            return {}
        kept = {name: str(one) for name, one in sorted(self.kept.items()) if not one.empty}
        return {"incidents_seen": revision, "incidents": kept}

    def words(self, order: Order, bound: Collection[str]) -> Iterator[Row]:
        """The rows of what was said of the incidents that certainly are about the order; and of
        those of which something is `bound` by its chain already: what lets it go counts as well."""
        sure = {each.incident.incident_id for each in self.incidents if fit(order, each) is Fit.IN}
        for incident_id, said in self.declared.words.items():
            known = bound and any(chain.name(rows.key_of(row)) in bound for row in said)
            if known or incident_id in sure:
                yield from said

    def writes(self, order: Order, now: datetime) -> Iterator[Change]:
        """The order's rows under the incidents, for the commit that writes the head."""
        for incident_id in self.changed:
            yield Change(
                (rows.incident_pk(incident_id), rows.order_pk(order.order_id)),
                set={
                    "order_id": order.order_id,
                    "shop_id": order.shop_id,
                    "listed": self.kept[incident_id].listed,
                    "since": stamp(now),
                },
                create=True,
            )


def revision_of(head: Row | None) -> int:
    """The reading of incidents that an order was settled by."""
    return int(head.get("incidents_seen", 0)) if head else 0


def match(
    order: Order, buyer: Row | None, head: Row | None, declared: Declared, real: datetime
) -> Matched:
    """Find the incidents that may be about an order, by the address in its buyer's row (None: there
    is none), what its head has kept, and what people say."""
    texts = head.get("incidents", {}) if head else {}
    before = {name: Kept.parse(text) for name, text in texts.items()}
    place, by_hand = place_of(buyer, real), said_by_hand(order)
    found: list[Incidence] = []
    kept: dict[str, Kept] = {name: replace(one, listed="") for name, one in before.items()}
    for incident in declared.incidents:
        name, said = incident.incident_id, by_hand.get(incident.incident_id)
        if not concerns(incident, order, said):
            continue
        area = area_digest(incident)
        told = in_area(incident, place)
        known = before.get(name, Kept())
        if told is Fit.UNKNOWN and known.area == area:
            told = known.told
        each = Incidence(incident, told, said)
        fits = fit(order, each)
        kept[name] = Kept(area, told, LISTED[fits])
        if fits is not Fit.OUT:
            found.append(each)
    changed = sorted(n for n, one in kept.items() if one.listed != before.get(n, Kept()).listed)
    for name in changed[MOST_WRITES:]:
        kept[name] = before.get(name, Kept())
    return Matched(
        tuple(found),
        kept,
        tuple(changed[:MOST_WRITES]),
        len(changed) > MOST_WRITES,
        declared,
    )


def concerns(incident: Incident, order: Order, by_hand: bool | None) -> bool:
    """Whether an incident can be about an order at all: its shop, and its time. Whoever puts it in
    by hand knows better than the shop that the incident names, not than the calendar."""
    if order.facts is None or not clocked(order):
        return False
    if incident.shops and order.shop_id not in incident.shops and not by_hand:
        return False
    ends = [at for s in (DELIVERED, CANCELLED) if (at := order.reached_at(s)) is not None]
    return incident.overlaps(order.facts.create_time, min(ends, default=None))


def place_of(buyer: Row | None, real: datetime) -> Place:
    """Where an order goes to, by its buyer's row. One that has expired may be there for days."""
    if buyer is None or buyer["expires_at"] <= real.timestamp():
        return Place()
    told = json.loads(buyer["doc"])
    return Place(
        told.get("postal_code", ""),
        told.get("region_code", ""),
        frozenset(filter(None, told.get("districts", "").split("\n"))),
    )


def said_by_hand(order: Order) -> dict[str, bool]:
    """What people say of incidents, the newest word on each."""
    asked = (request.says for request in order.requests if request.deed == AFFECTED)
    return {says.get("incident", ""): says.get("is") == "yes" for says in asked}


def area_digest(incident: Incident) -> str:
    """Tells one area from another; empty where an incident names none."""
    if not any(incident.area):
        return ""
    return hashlib.sha256(repr(incident.area).encode()).hexdigest()[:8]


def ordered(found: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows of an incident's list, by how the orders stand in it."""
    by: dict[str, list[Row]] = {"affected": [], "possible": []}
    for row in found:
        if row["listed"] in by:
            by[row["listed"]].append(row)
    return by
