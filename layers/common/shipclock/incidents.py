"""Incidents as people declare, change and lift them: facts in the table, checked and folded.

Each word is a row that is put once and never changed, so that what was known when can be told. The
sweep looks at the open orders again after each (`incident_walk`).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock

from shipclock import codec, rows
from shipclock.asking import AFFECTED, ID, NotAsked, ask
from shipclock.domain.incident import LONGEST, Incident, IncidentFact, fold_incident
from shipclock.domain.times import stamp
from shipclock.incident_checks import checked, possible
from shipclock.ports import Put, Row, Store
from shipclock.reading import digest

MOST_LASTING = 50
"""Incidents that may last at one time: each settle of an order looks at all of them."""

MOST_SAID = 100
"""Changes that one incident takes."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Every incident as it is known by now, the earliest first. `revision` counts what was said: of
    two readings the one with more is newer. `unread` are the sort keys of rows that could not be
    read: every order is settled by this, so one bad row must not keep them all from it. `words` are
    the rows that could be, by incident."""

    revision: int = 0
    incidents: tuple[Incident, ...] = ()
    unread: tuple[str, ...] = ()
    words: Mapping[str, Sequence[Row]] = field(default_factory=dict, repr=False)

    def find(self, incident_id: str) -> Incident | None:
        """One of them."""
        return next((i for i in self.incidents if i.incident_id == incident_id), None)


DeclaredOf = Callable[[int], Declared]
"""Every incident, of that revision at least."""


def read_declared(store: Store) -> Declared:
    """Read all incidents, strongly: one query."""
    said: dict[str, list[IncidentFact]] = {}
    words: dict[str, list[Row]] = {}
    unread: list[str] = []
    found = store.read(rows.INCIDENTS)
    for row in found:
        try:
            fact = codec.read_incident(row)
        except ValueError:
            unread.append(row["sk"])
        else:
            said.setdefault(fact.incident_id, []).append(fact)
            words.setdefault(fact.incident_id, []).append(row)
    folded = [incident for facts in said.values() if (incident := fold_incident(facts))]
    folded.sort(key=lambda incident: (incident.begins_at, incident.incident_id))
    return Declared(len(found), tuple(folded), tuple(unread), words)


class Declarations:
    """The incidents as one sweep knows them: read when an order is settled first, and again where
    an order was settled by a newer reading already."""

    def __init__(self, store: Store, tell: Callable[..., None] | None = None) -> None:
        """Reads from that store; `tell`, where there is one, says what could not be read."""
        self._store = store
        self._tell = tell
        self._declared: Declared | None = None
        self._lock = Lock()

    def __call__(self, revision: int = 0) -> Declared:
        """Every incident, of that revision at least."""
        with self._lock:
            if self._declared is None or self._declared.revision < revision:
                self._declared = read_declared(self._store)
                if self._tell is not None:
                    for name in self._declared.unread:
                        self._tell("incident.unreadable", incident=name)
            return self._declared


def declare(store: Store, fact: IncidentFact, real: datetime) -> tuple[Incident, bool]:
    """Declare an incident, its id left empty: that is made of what is said, so that who says it
    twice declares one. The incident as it stands, and whether it is new. Raises `NotAsked`."""
    said = checked(fact)
    if not said.begins_at or not said.reason:
        raise NotAsked("An incident needs the time from which it lasts, and a reason.")
    named = replace(said, incident_id=_id_of(said), kind="declared", at=real)
    incident = _folded([named])
    possible(incident, real)
    declared = read_declared(store)
    known = declared.find(named.incident_id)
    if known is not None and known.lifted_at is not None:
        raise NotAsked(
            f"The very same was declared before, as {known.incident_id}, and lifted. If it goes "
            "on, change that one: give it another end, or an open one."
        )
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
    said = replace(checked(fact), kind="changed", at=real)
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
        possible(incident, real)
    elif incident.until - incident.begins_at > LONGEST:
        raise NotAsked("It would have lasted for more than a year: say when it was over.")
    store.write(Put(codec.incident_row(fact, real)))
    return incident


def _said_of(store: Store, incident_id: str) -> list[IncidentFact]:
    said: list[IncidentFact] = []
    for row in store.read(rows.INCIDENTS, f"{incident_id}#"):
        with suppress(ValueError):  # as in `read_declared`
            said.append(codec.read_incident(row))
    return said


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
