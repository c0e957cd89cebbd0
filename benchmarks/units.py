"""DynamoDB's requests and units, counted on the store in memory by a model of its price list.

The rules modelled (AWS, "DynamoDB read and write operations" and "Using global secondary indexes"):
a write costs one unit per begun KB of the larger of the old and the new item, twice that inside a
transaction, also where its condition fails; an index entry that comes, goes or changes costs one
per begun KB, one that moves costs two entries; a strong read costs one unit per begun 4 KB, of a
query the sum of what it read; an index query costs half of that, eventually consistent.
`requests_and_units` holds the model against what the local cloud reports.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shipclock.ports import Change, Check, Due, Key, Page, Put, Row, Write
from tests.fakes import MemoryStore

BOARD_PROJECTION = (
    "order_id",
    "shop_id",
    "status",
    "stage",
    "shipping_type",
    "next_clock",
    "next_due_at",
    "settled_at",
    "reason",
    "received_at",
    "source",
)
"""What `template.yaml` projects into the index `board`; `due` has keys only."""


@dataclass(slots=True)
class Units:
    """Requests, and write and read units."""

    requests: int = 0
    writes: float = 0.0
    reads: float = 0.0

    def add(self, other: "Units") -> None:
        """Add another count to this one."""
        self.requests += other.requests
        self.writes += other.writes
        self.reads += other.reads


def size_of(value: Any) -> int:
    """Bytes of a value as DynamoDB counts them."""
    match value:
        case None | bool():
            return 1
        case str():
            return len(value.encode())
        case bytes():
            return len(value)
        case int():
            return len(str(abs(value))) // 2 + 2
        case dict():
            return 3 + sum(1 + len(k.encode()) + size_of(v) for k, v in value.items())
        case list():
            return 3 + sum(1 + size_of(v) for v in value)
        case _:
            raise TypeError(type(value).__name__)


def item_size(row: Row | None) -> int:
    """Bytes of an item, names included; 0 for none."""
    return sum(len(name.encode()) + size_of(value) for name, value in (row or {}).items())


def blocks(size: int, block: int) -> int:
    """How many blocks a size takes, at least one."""
    return max(1, -(-size // block))


def entry(row: Row | None, index: str) -> Row | None:
    """What stands of a row in an index; None where it is not in it."""
    if row is None or f"{index}_pk" not in row or f"{index}_at" not in row:
        return None
    names = ("pk", "sk", f"{index}_pk", f"{index}_at")
    more = BOARD_PROJECTION if index == "board" else ()
    return {name: row[name] for name in (*names, *more) if name in row}


def index_units(old: Row | None, new: Row | None, index: str) -> int:
    """Units that a write costs in an index."""
    before, after = entry(old, index), entry(new, index)
    if before == after:
        return 0
    keys = (f"{index}_pk", f"{index}_at")
    moved = before and after and any(before[k] != after[k] for k in keys)
    if before and after and not moved:
        return max(blocks(item_size(before), 1024), blocks(item_size(after), 1024))
    return sum(blocks(item_size(one), 1024) for one in (before, after) if one)


Caller = Callable[[], str]


class MeteredStore:
    """A store in memory that tells what each call would cost, by the mechanism that made it."""

    def __init__(self, memory: MemoryStore, caller: Caller | None = None) -> None:
        """Counts over that store. `caller` names the mechanism; by default it is looked up."""
        self.memory = memory
        self.by: dict[str, Units] = defaultdict(Units)
        self.calls: dict[tuple[str, str], int] = defaultdict(int)
        self.parts: dict[tuple[str, str], float] = defaultdict(float)
        self.last = Units()
        self._caller = caller or mechanism

    def _count(self, what: str, writes: float = 0, reads: float = 0) -> None:
        self.last = Units(1, writes, reads)
        name = self._caller()
        self.by[name].add(self.last)
        self.calls[name, what] += 1

    def _row(self, key: Key) -> Row | None:
        return self.memory.rows.get(key[0], {}).get(key[1])

    def _cost(self, write: Write, old: Row | None, done: bool, times: int = 1) -> float:
        if isinstance(write, Check):
            return blocks(item_size(old), 1024) * times
        new = self._row(write.key) if done else old
        size = max(item_size(old), item_size(new if done else _wished(write, old)))
        costs = {"row": blocks(size, 1024)}
        if done:
            costs |= {index: index_units(old, new, index) for index in ("due", "board")}
        for part, cost in costs.items():
            self.parts[kind_of(write.key), part] += cost * times
        return sum(costs.values()) * times

    def get(self, key: Key) -> Row | None:
        """See `Store.get`."""
        found = self.memory.get(key)
        self._count("GetItem", reads=blocks(item_size(found), 4096))
        return found

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        """See `Store.read`."""
        found = self.memory.read(pk, prefix)
        self._count("Query", reads=blocks(sum(map(item_size, found)), 4096))
        return found

    def write(self, write: Put | Change) -> bool:
        """See `Store.write`."""
        old = self._row(write.key)
        done = self.memory.write(write)
        what = "PutItem" if isinstance(write, Put) else "UpdateItem"
        self._count(what, writes=self._cost(write, old, done))
        return done

    def commit(self, writes: Sequence[Write]) -> bool:
        """See `Store.commit`."""
        olds = [self._row(write.key) for write in writes]
        done = self.memory.commit(writes)
        costs = [self._cost(w, old, done, 2) for w, old in zip(writes, olds, strict=True)]
        self._count("TransactWriteItems", writes=sum(costs))
        return done

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        """See `Store.due`."""
        found = self.memory.due(shard, until, limit, after)
        size = sum(item_size(entry(self._row(one.key), "due")) for one in found)
        self._count("Query due", reads=blocks(size, 4096) / 2)
        return found

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        """See `Store.board`."""
        found = self.memory.board(partition, limit, start)
        size = sum(item_size(entry(row, "board")) for row in found.rows)
        self._count("Query board", reads=blocks(size, 4096) / 2)
        return found

    def count(self, partition: str, most: int) -> int:
        """See `Store.count`."""
        found = self.memory.count(partition, most)
        self._count("Query board", reads=blocks(found * 250, 4096) / 2)
        return found


def kind_of(key: Key) -> str:
    """The kind of row under a key, as `rows` lists them."""
    partition, sort = key[0].partition("#")[0], key[1].partition("#")[0]
    return f"{partition} {sort}" if sort in ("EVENT", "LINK") else sort


def _wished(write: Put | Change, old: Row | None) -> Row:
    return write.row if isinstance(write, Put) else {**(old or {}), **write.set}


PLACES = {
    ("ingest", "receive"): "ingest",
    ("translate", "translate"): "translate",
    ("translate", "quarantine"): "translate",
    ("sweep", "_translate"): "translate",
    ("sweep", "_settle_all"): "settle",
    ("settle", "settle"): "settle",
    ("judge", "judge"): "settle",
    ("saying", "say"): "announce",
    ("saying", "tell"): "messages",
    ("reconcile", "run"): "reconcile",
}
MODULES = {
    "due": "index",
    "lane": "lane",
    "lanes": "lane",
    "packages": "re-read",
    "pushes": "push",
    "rereads": "re-read",
}
"""The mechanism that a function's or a module's store calls are made for; the innermost that is
listed counts."""


def mechanism() -> str:
    """The mechanism that the call of the store belongs to, told by who called it."""
    frame = sys._getframe(1)
    while frame.f_back is not None:
        frame = frame.f_back
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("shipclock."):
            last = module.rpartition(".")[2]
            name = PLACES.get((last, frame.f_code.co_name)) or MODULES.get(last)
            if name:
                return name
    return "other"
