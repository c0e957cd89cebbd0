"""The sweeper: one loop over everything that is due (DESIGN 3.2).

Every kind of work is a due row. A round reads the index, translates deliveries, settles orders,
announces what was decided and lets each shop's lane do its calls; rounds go on until one finds
nothing new or the time is over. What is not finished stays due for the next minute.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from shipclock import backoff, codec, reconcile, rows
from shipclock.domain.push import OPEN
from shipclock.domain.times import parse, stamp
from shipclock.errand import Errand
from shipclock.lane import RENEW_BEFORE, Busy, Clockwork, Lane, take
from shipclock.marketplaces.protocol import Hosts, Shop
from shipclock.ports import Change, Due, Key, Row, Store, StoreError, Wire
from shipclock.reconcile import Reconciler
from shipclock.settle import Settled, clear_mark, settle
from shipclock.translate import Translator, linked_orders

PER_SHARD = 250
"""Index entries read per shard and round."""

COUNTED_PAGES = 2
"""Pages per shard that are looked at to count what is left."""

LATER = "9"
"""Sorts after every due time."""

ROUNDS = 20
"""A bound on rounds; three are usual."""

OFF_BY = timedelta(minutes=10)
"""How far a schedule event's time may be from the real clock, unless time travel is on."""


T = TypeVar("T")


class TimeRefused(Exception):
    """A schedule event's time is too far from the real clock to be true."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened: for the log, and counted as a metric where it has one."""

    name: str
    fields: Mapping[str, Any]


Say = Callable[[Line], None]
Announce = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class World:
    """Everything a sweep needs from outside, wired once."""

    store: Store
    wire: Wire
    hosts: Hosts
    secrets: Callable[[], Mapping[str, Any]]
    announce: Announce
    say: Say
    real: Callable[[], datetime]
    sleep: Callable[[float], None]
    new_id: Callable[[], str]
    parallel: int = 8


@dataclass(slots=True)
class Report:
    """The answer of one sweep (DESIGN 6, sweeper)."""

    settled: int = 0
    fired: int = 0
    pushed: int = 0
    failed: int = 0
    due_left: int = 0

    def as_dict(self) -> dict[str, int]:
        """As the function answers it."""
        return {
            "settled": self.settled,
            "fired": self.fired,
            "pushed": self.pushed,
            "failed": self.failed,
            "due_left": self.due_left,
        }


@dataclass(slots=True)
class Found:
    """The due rows of one round, by what is to be done about them."""

    deliveries: list[Key] = field(default_factory=list)
    orders: dict[str, list[Key]] = field(default_factory=dict)
    scans: list[Key] = field(default_factory=list)
    sayings: list[Key] = field(default_factory=list)
    shops: dict[str, list[Key]] = field(default_factory=dict)


class Sweep:
    """One sweep at `now`. Made anew for every invocation."""

    def __init__(self, world: World, now: datetime, time_left: timedelta) -> None:
        """Sweeps at `now`, with that much real time of the function left."""
        self._world = world
        self._store = world.store
        self._now = now
        self._clockwork = Clockwork(world.real, world.sleep, world.real() + time_left)
        self._translator = Translator(world.store, now, world.real)
        self._shops: dict[str, Shop | None] = {}
        self._settled: dict[str, Settled] = {}
        self._orders_settled: set[str] = set()
        self._report = Report()
        self._seen: set[tuple[Key, str]] = set()
        self._lock = Lock()

    def run(self) -> Report:
        """Do everything that is due at `now`, as far as the time allows."""
        for _ in range(ROUNDS):
            found = self._find()
            if found is None or not self._clockwork.allows():
                break
            self._translate(found)
            self._settle_all(found)
            self._say_all(found.sayings)
            self._run_lanes(found)
        self._report.settled = len(self._orders_settled)
        self._report.due_left = self._left()
        return self._report

    def poke(self, keys: Iterable[Key]) -> Report:
        """Translate these deliveries and settle their orders; calls no marketplace."""
        found = Found(deliveries=list(keys))
        self._translate(found)
        self._settle_all(found)
        self._report.settled = len(self._orders_settled)
        return self._report

    # What is due

    def _find(self) -> Found | None:
        """The due rows not seen in this sweep yet; None where there is none."""
        first = int(self._now.timestamp() // 60) % rows.SHARDS  # each minute another one first
        fresh = [
            entry.key
            for turn in range(rows.SHARDS)
            for entry in self._unseen((first + turn) % rows.SHARDS)
        ]
        return _sorted_out(fresh) if fresh else None

    def _unseen(self, shard: int) -> list[Due]:
        """Up to `PER_SHARD` due entries of a shard that this sweep has not seen yet.

        Pages past what was seen and is still due, so that rows that wait hold up no others.
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

    def _left(self) -> int:
        """Rows still due at `now`, checked against the rows themselves: the index may lag."""
        until = stamp(self._now)
        left, oldest = 0, None
        for shard in range(rows.SHARDS):
            for page in islice(self._pages(shard), COUNTED_PAGES):
                for entry in page:
                    row = self._store.get(entry.key)
                    if row is not None and row.get("due_at") and row["due_at"] <= until:
                        left += 1
                        oldest = min(oldest or self._since(row), self._since(row))
        age = self._world.real() - oldest if oldest else timedelta(0)
        seconds = max(0, int(age.total_seconds()))
        self._line("sweep.left", due_left=left, OldestDueSeconds=seconds)
        return left

    def _since(self, row: Row) -> datetime:
        """The real time since which a row is due; of an instant of `now`, as if now were real."""
        due_at = str(row["due_at"])
        if due_at.startswith("0#"):
            return parse(due_at.removeprefix("0#"))
        return self._world.real() - (self._now - parse(due_at))

    # Translate and settle

    def _translate(self, found: Found) -> None:
        for key in found.deliveries:
            with self._guarded(key, "delivery"):
                row = self._store.get(key)
                if row is None or row.get("due_at", LATER) > stamp(self._now):
                    continue
                touched = self._translator.translate(row)
                for order_id in touched.orders:
                    found.orders.setdefault(order_id, [])
                self._line(
                    "delivery.quarantined" if touched.quarantined else "delivery.translated",
                    source=row["source"],
                    events=touched.events,
                    note=touched.note or touched.quarantined,
                )

    def _settle_all(self, found: Found) -> None:
        scans: dict[Key, set[str]] = {}
        for key in found.scans:
            with self._guarded(key, "scan"):
                scans[key] = linked_orders(self._store, key[0].removeprefix("NUMBER#"))
                for order_id in scans[key]:
                    found.orders.setdefault(order_id, [])
        done: set[str] = set()

        def settle_one(item: tuple[str, list[Key]]) -> None:
            order_id, due = item
            with self._guarded((rows.order_pk(order_id), rows.HEAD), "order", due):
                settled = self._settle(order_id)
                if settled is not None:
                    self._settled[order_id] = settled
                done.add(order_id)

        self._each(settle_one, found.orders.items())
        for key, orders in scans.items():
            if len(orders) != 1 and orders <= done:  # of a single order, its settle cleared it
                with self._guarded(key, "scan"):
                    row = self._store.get(key)
                    if row is not None:
                        clear_mark(self._store, row)

    def _settle(self, order_id: str) -> Settled | None:
        """Settle one order and announce what that made of it."""
        real = self._world.real()
        settled = settle(self._store, self._shop, order_id, self._now, real)
        if settled is None or not settled.known:
            return settled
        with self._lock:
            self._orders_settled.add(order_id)
            self._report.fired += settled.said
        shop = settled.situation.shop
        if settled.recorded.version == 0 and shop is not None and shop.connected:
            reconcile.begin(self._store, shop.shop_id, real)  # heard of, so kept complete
        pk, decision = rows.order_pk(order_id), settled.decision
        self._say_all((pk, rows.VERDICT + verdict.key) for verdict in decision.verdicts)
        self._say_all((pk, rows.NOTICE + notice.key) for notice in decision.notices)
        return settled

    def _say_all(self, keys: Iterable[Key]) -> None:
        """Announce verdicts and notices, then take their marks off: at least once each."""
        for key in keys:
            with self._guarded(key, "announcement"):
                row = self._store.get(key)
                if row is not None and "due_at" in row:
                    self._world.announce(_announcement(key, row))
                    clear_mark(self._store, row)

    # Lanes

    def _run_lanes(self, found: Found) -> None:
        """Let every shop's lane work that has something to do; one shop never holds up another."""
        work: dict[str, dict[str, Settled]] = {shop_id: {} for shop_id in found.shops}
        for order_id, settled in self._settled.items():
            if settled.situation.connected and _wants_lane(settled):
                work.setdefault(settled.order.shop_id, {})[order_id] = settled
        self._settled = {}
        self._each(self._run_lane, work.items())

    def _run_lane(self, item: tuple[str, dict[str, Settled]]) -> None:
        shop_id, orders = item
        with self._guarded((rows.shop_pk(shop_id), rows.LANE), "shop"):
            world = self._world
            lane = take(
                self._store,
                world.wire,
                world.hosts,
                self._clockwork,
                self._secret_of,
                shop_id,
                world.new_id(),
            )
            if lane is None:
                self._leave_due(shop_id)
                return
            try:
                self._work_in(lane, orders)
            finally:
                lane.release()
                self._shops.pop(shop_id, None)

    def _work_in(self, lane: Lane, orders: dict[str, Settled]) -> None:
        self._shops[lane.shop.shop_id] = lane.shop
        try:
            expires_at = lane.shop.access_expires_at
            if expires_at and expires_at - RENEW_BEFORE <= self._world.real():
                lane.renew()
        except Busy:
            return
        errand = Errand(
            self._store, lane, self._clockwork, self._now, self._settle_in(lane), self._line
        )
        tally = errand.run(orders)
        with self._lock:
            self._report.pushed += tally.pushed
            self._report.failed += tally.failed
        if lane.shop.connected:
            Reconciler(self._store, lane, self._clockwork, self._now, self._line).run()

    def _settle_in(self, lane: Lane) -> Callable[[str], Settled | None]:
        def again(order_id: str) -> Settled | None:
            self._shops[lane.shop.shop_id] = lane.shop
            return self._settle(order_id)

        return again

    def _leave_due(self, shop_id: str) -> None:
        """A lane that is not to be had: of a shop that is gone, its rows leave the index."""
        self._shops.pop(shop_id, None)
        shop = self._shop(shop_id)
        if shop is None or shop.connected:
            return
        for sk in (rows.LANE, rows.RECONCILE):
            row = self._store.get((rows.shop_pk(shop_id), sk))
            if row is not None:
                clear_mark(self._store, row)

    def _shop(self, shop_id: str) -> Shop | None:
        if shop_id not in self._shops:
            row = self._store.get((rows.shop_pk(shop_id), rows.LANE))
            self._shops[shop_id] = codec.read_shop(row) if row else None
        return self._shops[shop_id]

    def _secret_of(self, shop: Shop) -> str | None:
        """The secret of the app that a shop is connected through; the first one is current."""
        for entry in self._world.secrets().get(shop.marketplace, ()):
            if entry.get("account") == shop.app_key and entry.get("secrets"):
                return str(entry["secrets"][0])
        self._line("shop.no_secret", shop_id=shop.shop_id, app_key=shop.app_key)
        return None

    # One row's fault must not stop the rest

    @contextmanager
    def _guarded(self, key: Key, what: str, due: Iterable[Key] = ()) -> Iterator[None]:
        """Run one row's work; whatever goes wrong in it is told, put off and goes no further.

        This is the one place that catches everything: a bug that only one order meets must not
        cost all others their clocks. The row stays due, later and later.
        """
        try:
            yield
        except Exception as fault:
            self._line(
                "order.failing" if what == "order" else f"{what}.failing",
                key="/".join(key),
                fault=repr(fault)[:500],
            )
            for row_key in (key, *due):
                try:
                    self._put_off(row_key, fault)
                except StoreError as error:
                    self._line("put_off.failing", key="/".join(row_key), fault=repr(error))

    def _put_off(self, key: Key, fault: Exception) -> None:
        row = self._store.get(key)
        if row is None or "due_at" not in row:
            return
        if key[1] == rows.DELIVERY:
            self._translator.quarantine(row, f"translating it failed: {fault!r}")
            return
        failures = row.get("put_off", 0) + 1
        again = rows.at(backoff.after(backoff.SETTLE, failures, self._now))
        self._store.write(
            Change(
                key,
                set={"put_off": failures, **rows.mark(key, again)},
                when={"due_at": row["due_at"]},
            )
        )

    def _each(self, work: Callable[[T], None], items: Iterable[T]) -> None:
        """Do the work on each item, side by side where the world allows it."""
        listed = list(items)
        if self._world.parallel < 2 or len(listed) < 2:
            for item in listed:
                work(item)
            return
        with ThreadPoolExecutor(self._world.parallel) as pool:
            for _ in pool.map(work, listed):
                pass

    def _line(self, name: str, **fields: Any) -> None:
        self._world.say(Line(name, fields))


def _sorted_out(keys: list[Key]) -> Found:
    found = Found()
    for key in keys:
        pk, sk = key
        kind, _, name = pk.partition("#")
        if kind == "DELIVERY":
            found.deliveries.append(key)
        elif kind == "NUMBER":
            found.scans.append(key)
        elif kind == "SHOP":
            found.shops.setdefault(name, []).append(key)
        elif sk.startswith((rows.VERDICT, rows.NOTICE)):
            found.sayings.append(key)
        else:
            found.orders.setdefault(name, []).append(key)
    return found


def _wants_lane(settled: Settled) -> bool:
    """Whether a shop's lane has something to do for this order now."""
    return settled.decision.reread_at is not None or any(
        intent.state in OPEN for intent in settled.intents.values()
    )


def _announcement(key: Key, row: Row) -> dict[str, Any]:
    order_id = key[0].removeprefix("ORDER#")
    if key[1].startswith(rows.NOTICE):
        notice = codec.read_notice(row)
        return {
            "type": f"order.{notice.kind}",
            "order_id": order_id,
            "clock": notice.clock,
            "at": stamp(notice.at),
            "text": notice.text,
        }
    verdict = codec.read_verdict(row)
    return {
        "type": f"order.verdict.{verdict.state.value}",
        "order_id": order_id,
        "rule": verdict.rule,
        "package_id": verdict.package_id or None,
        "due_at": stamp(verdict.due_at),
        "noticed_at": stamp(verdict.noticed_at),
        "clause": verdict.clause,
        "text": verdict.explanation,
    }


def now_of(event: Mapping[str, Any], real: datetime, time_travel: bool) -> datetime:
    """The `now` of a schedule event: its `time`, to the second.

    Raises `TimeRefused` where it is missing, no time, or further from the real clock than ten
    minutes while time travel is off.
    """
    try:
        now = parse(str(event["time"]))
    except (KeyError, ValueError) as error:
        raise TimeRefused(f"the event names no usable time: {error}") from error
    if not time_travel and abs(now - real) > OFF_BY:
        raise TimeRefused(
            f"{stamp(now)} is more than ten minutes from the clock ({stamp(real)}). "
            "Invoke without time travel only at the present time."
        )
    return now
