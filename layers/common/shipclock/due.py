"""The `due` index as a sweep sees it: what is due, sorted by what to do, and what is left."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from shipclock import rows
from shipclock.domain.times import parse, stamp
from shipclock.ports import Due, Key, Store

PER_SHARD = 250
"""Index entries read per shard and round."""

COUNTED_PAGES = 2
"""Pages per shard that are looked at to count what is left."""

CHECKED = 200
"""Up to this many entries left are checked against their rows."""

UNHURRIED = (f"{rows.PULL}#", rows.FILES)
"""The beginnings of partitions of what is done when nothing else is left to do."""


@dataclass(slots=True)
class Found:
    """The due rows of one round, by what is to be done about them."""

    deliveries: list[Key] = field(default_factory=list)
    orders: dict[str, list[Key]] = field(default_factory=dict)
    numbers: list[Key] = field(default_factory=list)
    sayings: list[Key] = field(default_factory=list)
    shops: list[str] = field(default_factory=list)
    authorisations: list[Key] = field(default_factory=list)
    packages: list[Key] = field(default_factory=list)
    sources: list[Key] = field(default_factory=list)
    stock: dict[str, list[Key]] = field(default_factory=dict)
    pulls: list[Key] = field(default_factory=list)
    images: list[Key] = field(default_factory=list)
    boxes: list[Key] = field(default_factory=list)
    messages: list[Key] = field(default_factory=list)
    incidents: list[Key] = field(default_factory=list)

    def add(self, key: Key) -> None:
        """Sort one due row in."""
        pk, sk = key
        kind, _, name = pk.partition("#")
        if kind == "DELIVERY":
            self.deliveries.append(key)
        elif kind == rows.PULL:
            self.pulls.append(key)
        elif kind == rows.TELL:
            (self.boxes if sk.startswith(rows.BOX) else self.messages).append(key)
        elif pk == rows.INCIDENTS:
            self.incidents.append(key)
        elif kind == "NUMBER":
            self.numbers.append(key)
        elif sk.startswith((rows.VERDICT, rows.NOTICE)):
            self.sayings.append(key)
        elif kind == "SHOP" and sk.startswith(rows.STOCKWISH):
            self.stock.setdefault(name, []).append(key)
        elif kind == "SHOP":
            self.shops.append(name)
        elif sk == rows.REREAD:
            self.packages.append(key)
        elif kind == "SOURCE":
            self.sources.append(key)
        elif kind == "FILES":
            self.images.append(key)
        elif kind == "AUTH":
            self.authorisations.append(key)
        else:
            self.orders.setdefault(name, []).append(key)


@dataclass(frozen=True, slots=True)
class Left:
    """What stays due after a sweep, and for how long the oldest of it has been."""

    rows: int
    oldest_seconds: int


class DueRows:
    """What is due at `now`. Remembers what it has shown already."""

    def __init__(self, store: Store, now: datetime) -> None:
        """Reads the index of that store."""
        self._store = store
        self._now = now
        self._seen: set[tuple[Key, str]] = set()

    def unseen(self) -> Found | None:
        """The due rows not shown yet; None where there is none."""
        first = int(self._now.timestamp() // 60) % rows.SHARDS  # each minute another one first
        found, some = Found(), False
        for turn in range(rows.SHARDS):
            for entry in self._unseen_of((first + turn) % rows.SHARDS):
                found.add(entry.key)
                some = True
        return found if some else None

    def _unseen_of(self, shard: int) -> list[Due]:
        """Up to `PER_SHARD` entries of a shard that were not shown yet.

        Pages past what was shown and is still due, so that rows that wait hold up no others.
        """
        fresh: list[Due] = []
        for page in self._pages(shard):
            for entry in page:
                if (entry.key, entry.due_at) not in self._seen:
                    self._seen.add((entry.key, entry.due_at))
                    fresh.append(entry)
            if len(fresh) >= PER_SHARD:
                break
        return fresh

    def _pages(self, shard: int) -> Iterator[list[Due]]:
        after = None
        while page := self._store.due(shard, stamp(self._now), PER_SHARD, after):
            yield page
            if len(page) < PER_SHARD:
                return
            after = page[-1]

    def left(self, real: datetime) -> Left:
        """What is still due. The index may lag, so a few rows are checked; many are counted."""
        entries = [
            entry
            for shard in range(rows.SHARDS)
            for page in islice(self._pages(shard), COUNTED_PAGES)
            for entry in page
        ]
        if len(entries) <= CHECKED:
            entries = [entry for entry in entries if self._still_due(entry)]
        # Reading packages, asking carriers and fetching pictures is no deadline: a backlog is no
        # reason for an alarm.
        pressing = [
            entry
            for entry in entries
            if entry.key[1] != rows.REREAD and not entry.key[0].startswith(UNHURRIED)
        ]
        oldest = min((self._since(entry.due_at, real) for entry in pressing), default=real)
        return Left(len(entries), max(0, int((real - oldest) / timedelta(seconds=1))))

    def _still_due(self, entry: Due) -> bool:
        row = self._store.get(entry.key)
        return row is not None and rows.is_due(row, self._now)

    def _since(self, due_at: str, real: datetime) -> datetime:
        """The real time since which a row is due; of an instant of `now`, as if now were real."""
        if since := rows.real_time(due_at):
            return parse(since)
        return real - (self._now - parse(due_at))
