"""Looks at the open orders again after something was said of an incident (docs/decisions/0033).

Page by page over the board, with a bookmark in the row of what was said: however long it takes and
wherever it breaks off, the next sweep goes on from there. It begins once no sweep can be under way
any more that knows the incidents as they were before: an order that such a sweep settles for the
first time stands on the board by then.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import pairwise

from shipclock import codec, rows
from shipclock.board import partitions
from shipclock.clockwork import Clockwork
from shipclock.domain.order import DELIVERED, OPEN_STAGES, STAGES
from shipclock.domain.times import stamp
from shipclock.guard import Guard
from shipclock.incidents import shops_of
from shipclock.lane import LEASE
from shipclock.marks import settle_anew
from shipclock.ports import ABSENT, Change, Key, Row, Store

WALKED = (*OPEN_STAGES, STAGES[DELIVERED])
"""Stages of the orders that are looked at: one that was delivered late may still be appealed for.
What has ended for good stays as it is, unless something else has it settled again."""

PAGE = 100
TELLING = ("walk", "seen")
"""What a row tells of the walk that it asked for."""


class IncidentWalk:
    """The looking again of one sweep."""

    def __init__(
        self,
        store: Store,
        clockwork: Clockwork,
        guard: Guard,
        settle: Callable[[str], object],
        each: Callable[[Callable[[str], None], Iterable[str]], None],
    ) -> None:
        """`settle` settles one order anew, `each` does something to several side by side."""
        self._store = store
        self._clockwork = clockwork
        self._guard = guard
        self._settle = settle
        self._each = each

    def run(self, keys: Iterable[Key], now: datetime) -> None:
        """Look again for whatever was said in these rows, as far as the time allows."""
        by_incident: dict[str, list[Key]] = {}
        for key in dict.fromkeys(keys):
            by_incident.setdefault(key[1].partition("#")[0], []).append(key)
        for incident_id, its in by_incident.items():
            with self._guard((rows.INCIDENTS, its[0][1]), "incident"):
                ripe = [row for key in its if (row := self._ripe(key, now))]
                if ripe:
                    self._walk(ripe, shops_of(self._store, incident_id) or self._every_shop())

    def _ripe(self, key: Key, now: datetime) -> Row | None:
        """The row, once it has been seen for long enough; its time by our own clock, for whoever
        put it may have another."""
        row, real = self._store.get(key), self._clockwork.real()
        if row is None or "due_at" not in row or row["due_at"] > stamp(now):
            return None
        if "seen" not in row:
            waits = rows.mark(key, rows.at_once(real + LEASE))
            self._store.write(
                Change(key, set={"seen": codec.millis(real), **waits}, when={"seen": ABSENT})
            )
            return None
        return row if real >= codec.from_millis(row["seen"]) + LEASE else None

    def _every_shop(self) -> tuple[str, ...]:
        return tuple(row["sk"] for row in self._store.read(rows.SHOPS))

    def _walk(self, ripe: list[Row], shops: Iterable[str]) -> None:
        """One walk for all that was said of an incident before it began."""
        row = next((row for row in ripe if "walk" in row), ripe[-1])
        real = codec.millis(self._clockwork.real())
        began, partition, start = str(row.get("walk", f"{real}||")).split("|", 2)
        bookmark = _Bookmark(self._store, row, began)
        places = [place for shop in shops for place in partitions(shop, WALKED)]
        first = places.index(partition) if partition in places else 0
        for place, ahead in pairwise([*places[first:], ""]):
            more: str | None = start if place == partition else ""
            while more is not None:
                if not self._clockwork.allows():
                    bookmark.put(place, more)
                    return
                page = self._store.board(place, PAGE, more or None)
                self._each(self._look, [line["order_id"] for line in page.rows])
                more = page.next
                if page.rows and not bookmark.put(place if more else ahead, more or ""):
                    return  # another sweep walks it
        for each in ripe:
            if codec.from_millis(each["seen"]) + LEASE <= codec.from_millis(int(began)):
                self._done(each)

    def _done(self, row: Row) -> None:
        self._store.write(
            Change(
                rows.key_of(row),
                remove=(*rows.UNMARK, *TELLING),
                when={"due_at": row["due_at"]},
            )
        )

    def _look(self, order_id: str) -> None:
        pk, real = rows.order_pk(order_id), self._clockwork.real
        settle_anew(self._store, pk, real, self._guard, self._settle)


class _Bookmark:
    """How far a walk has come: kept in the row that asked for it, over what was read there."""

    def __init__(self, store: Store, row: Row, began: str) -> None:
        self._store = store
        self._key = rows.key_of(row)
        self._known: object = row.get("walk", ABSENT)
        self._began = began

    def put(self, place: str, start: str) -> bool:
        """Go on from there next time; False where another sweep has come further."""
        mark = f"{self._began}|{place}|{start}"
        good = self._store.write(Change(self._key, set={"walk": mark}, when={"walk": self._known}))
        self._known = mark
        return good
