"""What stands in for AWS and the network in fast tests: the store in memory, a clock, a wire."""

import bisect
import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from sandbox.core import Sandbox
from sandbox.wire import Request
from shipclock.imagelinks import target_of
from shipclock.ports import (
    Above,
    Absent,
    Below,
    Change,
    Check,
    Due,
    FetchFailed,
    FetchRefused,
    HttpReply,
    HttpRequest,
    Key,
    NoAnswer,
    NotSent,
    OutletFailed,
    OutletRefused,
    Page,
    Pictures,
    Put,
    Row,
    StoreError,
    Taken,
    When,
    Wire,
    Write,
)

T = TypeVar("T")


class MemoryStore:
    """`ports.Store` in memory, held to the same contract as the real one (test_store_contract).

    Counts what it is asked, so that costs can be told without a cloud.
    """

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Row]] = {}
        self._due: dict[str, list[tuple[str, str, str]]] = {}
        self._board: dict[str, list[tuple[str, str, str]]] = {}
        self._lock = RLock()
        self.reads = 0
        self.writes = 0

    def get(self, key: Key) -> Row | None:
        with self._lock:
            self.reads += 1
            row = self.rows.get(key[0], {}).get(key[1])
            return copy.deepcopy(row) if row is not None else None

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        with self._lock:
            self.reads += 1
            found = self.rows.get(pk, {})
            return [copy.deepcopy(found[sk]) for sk in sorted(found) if sk.startswith(prefix)]

    def write(self, write: Put | Change) -> bool:
        with self._lock:
            self.writes += 1
            if not self._holds(write):
                return False
            self._apply(write)
            return True

    def commit(self, writes: Sequence[Write]) -> bool:
        assert len(writes) <= 100, "the service takes at most 100 actions"
        assert len({write.key for write in writes}) == len(writes), "one action per row"
        with self._lock:
            self.writes += len(writes)
            if not all(self._holds(write) for write in writes):
                return False
            for write in writes:
                if not isinstance(write, Check):
                    self._apply(write)
            return True

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        with self._lock:
            self.reads += 1
            entries = self._due.get(str(shard), [])
            start = 0
            if after is not None:
                start = bisect.bisect_right(entries, (after.due_at, *after.key))
            end = bisect.bisect_right(entries, (until, chr(0x10FFFF), ""))
            return [Due((pk, sk), at) for at, pk, sk in entries[start : min(end, start + limit)]]

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        with self._lock:
            self.reads += 1
            entries = self._board.get(partition, [])
            first = bisect.bisect_right(entries, (start, chr(0x10FFFF), "")) if start else 0
            shown = entries[first : first + limit]
            found = [copy.deepcopy(self.rows[pk][sk]) for _, pk, sk in shown]
            return Page(found, shown[-1][0] if len(entries) > first + limit else None)

    def count(self, partition: str, most: int) -> int:
        with self._lock:
            self.reads += 1
            return min(most, len(self._board.get(partition, [])))

    def _holds(self, write: Write) -> bool:
        row = self.rows.get(write.key[0], {}).get(write.key[1])
        if isinstance(write, Put):
            return row is None
        if row is None and not (isinstance(write, Change) and write.create):
            return False
        return _meets(row or {}, write.when)

    def _apply(self, write: Put | Change) -> None:
        pk, sk = write.key
        assert len(pk.encode()) <= 2048, "the service's limit on partition keys"
        assert len(sk.encode()) <= 1024, "the service's limit on sort keys"
        old = self.rows.setdefault(pk, {}).get(sk)
        if isinstance(write, Put):
            new = copy.deepcopy(write.row)
        else:
            new = {"pk": pk, "sk": sk, **(old or {}), **copy.deepcopy(write.set)}
            for name in write.remove:
                new.pop(name, None)
        self.rows[pk][sk] = new
        self._index(self._due, "due", old, new)
        self._index(self._board, "board", old, new)

    def _index(
        self, index: dict[str, list[tuple[str, str, str]]], name: str, old: Row | None, new: Row
    ) -> None:
        for row, add in ((old, False), (new, True)):
            if row is None or f"{name}_pk" not in row or f"{name}_at" not in row:
                continue
            entries = index.setdefault(row[f"{name}_pk"], [])
            entry = (row[f"{name}_at"], row["pk"], row["sk"])
            if add:
                bisect.insort(entries, entry)
            else:
                entries.pop(bisect.bisect_left(entries, entry))


def _meets(row: Row, when: When) -> bool:
    for name, wanted in when.items():
        value = row.get(name)
        match wanted:
            case Absent():
                good = name not in row
            case Below():
                good = name not in row or value < wanted.value  # type: ignore[operator]
            case Above():
                good = name in row and value > wanted.value  # type: ignore[operator]
            case _:
                good = name in row and value == wanted
        if not good:
            return False
    return True


@dataclass
class FakeClock:
    """A real clock that moves only when somebody sleeps or a test says so."""

    now: datetime
    slept: float = 0.0

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class SandboxWire:
    """`ports.Wire` straight into a sandbox: no socket, the same outcomes."""

    def __init__(self, sandbox: Sandbox, clock: FakeClock) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self.down = False

    def send(self, request: HttpRequest) -> HttpReply:
        if self.down:
            raise NotSent("no connection")
        parts = urlsplit(request.url)
        reply = self._sandbox.handle(
            Request(
                request.method,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in request.headers.items()},
                request.body,
            )
        )
        if reply.drop:
            raise NoAnswer("the connection broke off")
        if reply.delay >= 10:
            self._clock.pass_time(10)
            raise NoAnswer("no answer within ten seconds")
        self._clock.pass_time(reply.delay)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return HttpReply(reply.status, headers, reply.body)


@dataclass
class FakePictures:
    """`ports.Pictures` of a carrier that has these, by their links: bytes, or why there is none."""

    has: dict[str, bytes | FetchRefused | FetchFailed] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, link: str, hosts: Sequence[str]) -> bytes:
        target_of(link, hosts)
        self.asked.append(link)
        found = self.has.get(link, FetchFailed("images.example.net answered 404"))
        if isinstance(found, bytes):
            return found
        raise found


@dataclass
class FakeOutlets:
    """`ports.Outlets` that take everything, or answer as they are told to, by URL or `topic`;
    remember what they took."""

    published: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    posted: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    answers: dict[str, list[Taken | OutletFailed | OutletRefused]] = field(default_factory=dict)

    def publish(self, subject: str, text: str, attributes: Mapping[str, str]) -> None:
        self._answer("topic")
        self.published.append((subject, text, attributes))

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        answer = self._answer(url)
        if 200 <= answer.status < 300:
            self.posted.append((url, headers, body))
        return answer

    def _answer(self, whose: str) -> Taken:
        waiting = self.answers.get(whose, [])
        answer = waiting.pop(0) if waiting else Taken(200)
        if isinstance(answer, Taken):
            return answer
        raise answer


class Gone(BaseException):
    """The process is gone: nothing after it runs, least of all a handler of exceptions."""


@dataclass
class Faults:
    """Which I/O steps fail, and how: by the number of the step, counted over all ports."""

    plan: dict[int, str] = field(default_factory=dict)
    step: int = 0
    dead: bool = False

    def around(self, work: Callable[[], T], error: type[Exception]) -> T:
        """Run one step of I/O, or fail before it, after it, or for good."""
        if self.dead:
            raise Gone
        kind = self.plan.get(self.step, "")
        self.step += 1
        if kind == "before":
            raise error("it did not happen")
        if kind == "gone_before":
            self.dead = True
            raise Gone
        result = work()
        if kind == "after":
            raise error("it happened, and the answer was lost")
        if kind == "gone_after":
            self.dead = True
            raise Gone
        return result


KINDS = ("before", "after", "gone_before", "gone_after")


class FaultyStore:
    """A store whose every call may fail, as `Faults` plans it."""

    def __init__(self, store: MemoryStore, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def get(self, key: Key) -> Row | None:
        return self._faults.around(lambda: self._store.get(key), StoreError)

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        return self._faults.around(lambda: self._store.read(pk, prefix), StoreError)

    def write(self, write: Put | Change) -> bool:
        return self._faults.around(lambda: self._store.write(write), StoreError)

    def commit(self, writes: Sequence[Write]) -> bool:
        return self._faults.around(lambda: self._store.commit(writes), StoreError)

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        return self._faults.around(lambda: self._store.due(shard, until, limit, after), StoreError)

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        return self._faults.around(lambda: self._store.board(partition, limit, start), StoreError)

    def count(self, partition: str, most: int) -> int:
        return self._faults.around(lambda: self._store.count(partition, most), StoreError)


class FaultyPictures:
    """A way to pictures whose every call may fail, as `Faults` plans it."""

    def __init__(self, pictures: Pictures, faults: Faults) -> None:
        self._pictures = pictures
        self._faults = faults

    def fetch(self, link: str, hosts: Sequence[str]) -> bytes:
        return self._faults.around(lambda: self._pictures.fetch(link, hosts), FetchFailed)


class FaultyWire:
    """A wire whose every call may fail, as `Faults` plans it."""

    def __init__(self, wire: Wire, faults: Faults) -> None:
        self._wire = wire
        self._faults = faults

    def send(self, request: HttpRequest) -> HttpReply:
        return self._faults.around(lambda: self._wire.send(request), NoAnswer)
