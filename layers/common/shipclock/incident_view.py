"""Incidents as the hub shows and takes them; docs/incidents.md tells what each field is."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from shipclock.asking import NotAsked
from shipclock.connect import known_shops
from shipclock.domain.incident import Incident, IncidentFact
from shipclock.domain.times import EPOCH, parse, stamp
from shipclock.hub import Visitor
from shipclock.incident_match import ordered
from shipclock.incident_shapes import (
    Changing,
    Declaring,
    IncidentList,
    IncidentOrder,
    IncidentOrders,
    IncidentTexts,
    IncidentView,
    TicketView,
)
from shipclock.incident_texts import tickets
from shipclock.incidents import Declared, change, declare, listed, read_declared
from shipclock.ports import Row, Store

# Who may


def sees(who: Visitor, incident: Incident) -> bool:
    """Whether an incident is shown to someone: it may be about one of their shops."""
    return not incident.shops or any(map(who.may_see, incident.shops))


def may_say(who: Visitor, incident: Incident) -> bool:
    """Whether someone may change an incident: it is about no shop but theirs."""
    return not who.shops or bool(incident.shops and all(map(who.may_see, incident.shops)))


def declare_for(who: Visitor, store: Store, told: Declaring, real: datetime) -> Incident:
    """Declare an incident for the shops that someone may see. Raises `NotAsked`."""
    fact = fact_of(told, shops=told.shops or list(who.shops), by=who.role)
    if not all(map(who.may_see, fact.shops or ())):
        raise NotAsked("shops: name only shops that this token is for.")
    return declare(store, fact, real)[0]


def change_for(
    who: Visitor, store: Store, incident_id: str, told: Changing, real: datetime
) -> Incident:
    """Change an incident. Raises `NotAsked`."""
    theirs = bool(told.shops) and all(map(who.may_see, told.shops or ()))
    if told.shops is not None and who.shops and not theirs:
        raise NotAsked("shops: name only shops that this token is for.")
    return change(store, fact_of(told, incident_id, by=who.role), real)


def fact_of(
    told: Declaring | Changing,
    incident_id: str = "",
    shops: Sequence[str] | None = None,
    by: str = "",
) -> IncidentFact:
    """What was said as a fact, not yet checked. Raises `NotAsked` for what is no time."""

    def many(given: Sequence[str] | None) -> tuple[str, ...] | None:
        return None if given is None else tuple(given)

    return IncidentFact(
        incident_id,
        "changed",
        EPOCH,
        by,
        begins_at=time_of(told.begins_at, "begins_at"),
        ends_at=time_of(told.ends_at, "ends_at"),
        open_end=isinstance(told, Changing) and told.open_end,
        reason=told.reason,
        carriers=many(told.carriers),
        regions=many(told.regions),
        postcodes=many(told.postcodes),
        shops=many(told.shops if shops is None else shops),
        evidence=many(told.evidence),
    )


def time_of(text: str | None, name: str) -> datetime | None:
    """An instant as people write it; None stays None. Raises `NotAsked`."""
    if text is None:
        return None
    try:
        return parse(text[:60])
    except ValueError:
        raise NotAsked(
            f"{name}: {text[:40]!r} is no time with its offset, such as 2026-11-10T10:00:00+08:00."
        ) from None


# What is shown


def incident_view(incident: Incident, real: datetime) -> IncidentView:
    """One incident at a real time."""
    return IncidentView(
        incident_id=incident.incident_id,
        state=state_of(incident, real),
        begins_at=incident.begins_at,
        ends_at=incident.ends_at,
        counts_until=incident.until,
        reason=incident.reason,
        carriers=list(incident.carriers),
        regions=list(incident.regions),
        postcodes=list(incident.postcodes),
        shops=list(incident.shops),
        evidence=list(incident.evidence),
        declared_at=incident.declared_at,
        by=incident.by or None,
        lifted_at=incident.lifted_at,
    )


def state_of(incident: Incident, real: datetime) -> str:
    """`void` (lifted as of before it began), `planned`, `lasting` or `over`."""
    if incident.until <= incident.begins_at:
        return "void"
    if real < incident.begins_at:
        return "planned"
    return "lasting" if real < incident.until else "over"


INCIDENT_START = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ#[0-9a-f]{10}", re.ASCII)
ORDER_START = re.compile(r"[ap]#[\w-]{1,64}", re.ASCII)
"""What `next` of pages of incidents and of their orders looks like."""


def incident_list(
    store: Store, who: Visitor, limit: int, start: str | None, real: datetime
) -> IncidentList:
    """A page of the incidents that someone may see, the one that began last first."""
    seen = [each for each in reversed(read_declared(store).incidents) if sees(who, each)]
    found = [each for each in seen if start is None or _place(each) < start]
    shown = found[:limit]
    return IncidentList(
        incidents=[incident_view(each, real) for each in shown],
        next=_place(shown[-1]) if len(found) > limit else None,
    )


def _place(incident: Incident) -> str:
    return f"{stamp(incident.begins_at)}#{incident.incident_id}"


def found_for(who: Visitor, declared: Declared, incident_id: str) -> Incident | None:
    """An incident, where someone may see it."""
    incident = declared.find(incident_id)
    return incident if incident and sees(who, incident) else None


def _listed(store: Store, who: Visitor, incident_id: str) -> dict[str, list[Row]]:
    return ordered(row for row in listed(store, incident_id) if who.may_see(row["shop_id"]))


def incident_orders(
    store: Store, who: Visitor, incident: Incident, limit: int, start: str | None, real: datetime
) -> IncidentOrders:
    """An incident and a page of the orders that it is or may be about."""
    by = _listed(store, who, incident.incident_id)
    rows = [(f"{kind[0]}#{row['order_id']}", row) for kind, some in by.items() for row in some]
    found = [(place, row) for place, row in sorted(rows, key=_at) if start is None or place > start]
    return IncidentOrders(
        incident=incident_view(incident, real),
        affected=len(by["affected"]),
        possible=len(by["possible"]),
        orders=[
            IncidentOrder(
                order_id=row["order_id"],
                shop_id=row["shop_id"],
                listed=row["listed"],
                since=parse(row["since"]),
            )
            for _, row in found[:limit]
        ],
        next=found[limit - 1][0] if len(found) > limit else None,
    )


def _at(item: tuple[str, Row]) -> str:
    return item[0]


def incident_texts(
    store: Store, who: Visitor, incident: Incident, most: int | None = None
) -> IncidentTexts:
    """The tickets about the orders of an incident that someone may see."""
    by = _listed(store, who, incident.incident_id)
    made = tickets(incident, by_shop(by["affected"]), zones(store), *([most] if most else []))
    return IncidentTexts(
        tickets=[
            TicketView(
                shop_id=each.shop_id, where=each.where, orders=len(each.order_ids), text=each.text
            )
            for each in made
        ],
        possible=len(by["possible"]),
    )


def by_shop(rows: Iterable[Row]) -> Mapping[str, list[str]]:
    """The ids of orders, by their shop."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["shop_id"], []).append(row["order_id"])
    return found


def zones(store: Store) -> dict[str, ZoneInfo]:
    """The time zone of each shop."""
    return {shop.shop_id: ZoneInfo(shop.zone) for shop, _ in known_shops(store)}
