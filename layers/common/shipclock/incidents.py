"""Incidents as people declare, change and lift them: facts in the table, checked and folded.

Each word is a row that is put once and never changed, so that what was known when can be told. The
sweep looks at the open orders again after each (`incident_walk`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from urllib.parse import urlsplit

from shipclock import codec, rows
from shipclock.asking import AFFECTED, ID, NotAsked, ask
from shipclock.domain.carrier import known_as
from shipclock.domain.incident import (
    LONGEST,
    Incident,
    IncidentFact,
    fold_incident,
    postcode_pattern,
)
from shipclock.domain.times import stamp
from shipclock.ports import Put, Row, Store
from shipclock.reading import digest

LONGEST_REASON = 300
LONGEST_LINK = 500
MOST = {"carriers": 20, "regions": 50, "postcodes": 200, "shops": 50, "evidence": 10}
"""How many of each one incident takes."""

MOST_LASTING = 50
"""Incidents that may last at one time: each settle of an order looks at all of them."""

MOST_SAID = 100
"""Changes that one incident takes."""

KINDS = ("carriers", "regions", "postcodes")
"""What an incident may be about; one of them at least."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Every incident as it is known by now, the earliest first. `revision` counts what was said: of
    two readings the one with more is newer. `unread` are the sort keys of rows that could not be
    read: every order is settled by this, so one bad row must not keep them all from it."""

    revision: int = 0
    incidents: tuple[Incident, ...] = ()
    unread: tuple[str, ...] = ()

    def find(self, incident_id: str) -> Incident | None:
        """One of them."""
        return next((i for i in self.incidents if i.incident_id == incident_id), None)


DeclaredOf = Callable[[int], Declared]
"""Every incident, of that revision at least."""


def read_declared(store: Store) -> Declared:
    """Read all incidents, strongly: one query."""
    said: dict[str, list[IncidentFact]] = {}
    unread: list[str] = []
    found = store.read(rows.INCIDENTS)
    for row in found:
        try:
            fact = codec.read_incident(row)
        except ValueError:
            unread.append(row["sk"])
        else:
            said.setdefault(fact.incident_id, []).append(fact)
    folded = [incident for facts in said.values() if (incident := fold_incident(facts))]
    folded.sort(key=lambda incident: (incident.begins_at, incident.incident_id))
    return Declared(len(found), tuple(folded), tuple(unread))


class Declarations:
    """The incidents as one sweep knows them: read when an order is settled first, and again where
    an order was settled by a newer reading already."""

    def __init__(self, store: Store, tell: Callable[..., None]) -> None:
        """Reads from that store; `tell` says what could not be read."""
        self._store = store
        self._tell = tell
        self._declared: Declared | None = None
        self._lock = Lock()

    def __call__(self, revision: int = 0) -> Declared:
        """Every incident, of that revision at least."""
        with self._lock:
            if self._declared is None or self._declared.revision < revision:
                self._declared = read_declared(self._store)
                for name in self._declared.unread:
                    self._tell("incident.unreadable", incident=name)
            return self._declared


def declare(store: Store, fact: IncidentFact, real: datetime) -> tuple[Incident, bool]:
    """Declare an incident, its id left empty: that is made of what is said, so that who says it
    twice declares one. The incident as it stands, and whether it is new. Raises `NotAsked`."""
    said = _checked(fact)
    if not said.begins_at or not said.reason:
        raise NotAsked("An incident needs the time from which it lasts, and a reason.")
    named = replace(said, incident_id=_id_of(said), kind="declared", at=real)
    incident = _folded([named])
    _fits(incident, real)
    declared = read_declared(store)
    known = declared.find(named.incident_id)
    if known is not None:
        return known, False
    last = sum(each.until > real for each in declared.incidents)
    if last >= MOST_LASTING and incident.until > real:
        raise NotAsked(f"{last} incidents last already: lift those that are over.")
    store.write(Put(codec.incident_row(named, real)))
    return incident, True


def _id_of(fact: IncidentFact) -> str:
    lists = ("carriers", "regions", "postcodes", "shops", "evidence")
    said = ["\n".join(getattr(fact, name) or ()) for name in lists]
    ends = stamp(fact.ends_at) if fact.ends_at else ""
    begins = stamp(fact.begins_at) if fact.begins_at else ""
    return digest("incident", begins, ends, fact.reason or "", *said)[:10]


def change(store: Store, fact: IncidentFact, real: datetime) -> Incident:
    """Say something else of an incident that was declared; what is left out stays. Raises
    `NotAsked`."""
    said = replace(_checked(fact), kind="changed", at=real)
    return _say(store, said, real)


def lift(
    store: Store, incident_id: str, over_at: datetime, real: datetime, by: str = ""
) -> Incident:
    """Say that an incident was over at an instant; it never gets longer by it, unless nobody knew
    its end. Over before it began: as if it had never been. Raises `NotAsked`."""
    fact = IncidentFact(incident_id, "lifted", real, by, ends_at=over_at.replace(microsecond=0))
    return _say(store, fact, real)


def _say(store: Store, fact: IncidentFact, real: datetime) -> Incident:
    named = ID.fullmatch(fact.incident_id)
    found = _said_of(store, fact.incident_id) if named else []
    if not found:
        raise NotAsked(
            f"There is no incident {fact.incident_id[:40]!r}; `shipclock incident list` shows all."
        )
    if len(found) >= MOST_SAID:
        raise NotAsked(f"{len(found)} things were said of this incident: declare another.")
    incident = _folded([*found, fact])
    if fact.kind == "changed":
        _fits(incident, real)
    store.write(Put(codec.incident_row(fact, real)))
    return incident


def _said_of(store: Store, incident_id: str) -> list[IncidentFact]:
    return [codec.read_incident(row) for row in store.read(rows.INCIDENTS, f"{incident_id}#")]


def shops_of(store: Store, incident_id: str) -> tuple[str, ...]:
    """The shops that an incident is about, and those that it was about once: their orders have to
    be let go. Empty: all."""
    said = [fact.shops or () for fact in _said_of(store, incident_id) if _names_shops(fact)]
    return () if () in said else tuple(sorted({shop for shops in said for shop in shops}))


def _names_shops(fact: IncidentFact) -> bool:
    return fact.kind == "declared" or fact.shops is not None


def _folded(facts: Sequence[IncidentFact]) -> Incident:
    incident = fold_incident(facts)
    if incident is None:
        raise NotAsked("It was never declared: declare it, with the time from which it lasts.")
    return incident


def include(
    store: Store, incident_id: str, order_ids: Sequence[str], fits: bool, real: datetime, by: str
) -> None:
    """Say of orders that an incident is about them, or is not, whatever their addresses tell.
    Raises `NotAsked`, then for the first that can't be."""
    if read_declared(store).find(incident_id) is None:
        raise NotAsked(f"There is no incident {incident_id[:40]!r}.")
    for order_id in order_ids:
        says = {"incident": incident_id, "is": "yes" if fits else "no"}
        ask(store, order_id, AFFECTED, says, real, by)


def listed(store: Store, incident_id: str) -> list[Row]:
    """The rows of the orders that an incident is, may be or was about, by their ids."""
    return store.read(rows.incident_pk(incident_id))


# What may be said


def _checked(fact: IncidentFact) -> IncidentFact:
    """The same with its words as they are kept. Raises `NotAsked`, never quoting much."""
    made: dict[str, object] = {}
    if fact.reason is not None:
        made["reason"] = _reason(fact.reason)
    for name, check in CHECKS.items():
        given = getattr(fact, name)
        if given is None:
            continue
        if len(given) > MOST[name]:
            raise NotAsked(f"{len(given)} {name} are given; at most {MOST[name]} are taken.")
        made[name] = tuple(dict.fromkeys(check(text) for text in given))
    for name in ("begins_at", "ends_at"):
        instant = getattr(fact, name)
        if instant is not None:
            made[name] = instant.replace(microsecond=0)
    if fact.open_end and fact.ends_at is not None:
        raise NotAsked("Either an end or an open end can be meant, not both.")
    return replace(fact, **made)  # type: ignore[arg-type]


def _reason(text: str) -> str:
    words = " ".join(text[: 10 * LONGEST_REASON].split())
    if len(text) > 10 * LONGEST_REASON or len(words) > LONGEST_REASON:
        raise NotAsked(f"The reason has {len(text)} characters; at most {LONGEST_REASON}.")
    if len(words) < 3 or not words.isprintable():
        raise NotAsked("Give the reason in a few plain words: buyers and Seller Center read it.")
    return words


def _carrier(text: str) -> str:
    name = " ".join(text[:200].split())
    if len(text) > 80 or not name.isprintable() or not known_as(name):
        raise NotAsked(f"{text[:40]!r} is no carrier's name of at most 80 characters.")
    return name


def _region(text: str) -> str:
    name = " ".join(text[:200].split())
    if len(text) > 80 or not name.isprintable() or not any(c.isalnum() for c in name):
        raise NotAsked(
            f"{text[:40]!r} is no region: write a country's two letters, an ISO code such as "
            "MY-10, or a name as the marketplace writes it, of at most 80 characters."
        )
    return name


def _postcode(text: str) -> str:
    try:
        return postcode_pattern(text[:100])
    except ValueError as error:
        raise NotAsked(f"{error}.") from None


def _shop(text: str) -> str:
    if not ID.fullmatch(text):
        raise NotAsked(f"{text[:40]!r} is no shop's id.")
    return text


def _link(text: str) -> str:
    plain = len(text) <= LONGEST_LINK and text.isprintable() and " " not in text
    try:
        parts = urlsplit(text) if plain else None
        host = parts.hostname if parts else None
    except ValueError:
        parts = host = None
    if parts is None or not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise NotAsked(
            f"{text[:60]!r} is no address of a page: https://…, without a user's name, of at most "
            f"{LONGEST_LINK} characters."
        )
    return text


CHECKS: Mapping[str, Callable[[str], str]] = {
    "carriers": _carrier,
    "regions": _region,
    "postcodes": _postcode,
    "shops": _shop,
    "evidence": _link,
}


def _fits(incident: Incident, real: datetime) -> None:
    """Whether all that is said of an incident can be meant together. Raises `NotAsked`."""
    if not any(getattr(incident, kind) for kind in KINDS):
        raise NotAsked("Say what the incident is about: a carrier, a region or postcodes.")
    if abs(incident.begins_at - real) > LONGEST:
        raise NotAsked("It begins more than a year from now: check the time from which it lasts.")
    length = incident.until - incident.begins_at
    if length <= timedelta(0):
        raise NotAsked("It would end before it begins: check both times, and their offsets.")
    if length > LONGEST:
        raise NotAsked("It lasts for more than a year: declare shorter ones.")
