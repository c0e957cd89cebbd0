"""The sweeper: one loop over everything that is due (DESIGN 3.2).

Every kind of work is a due row. A round reads the index, translates deliveries, settles orders,
announces what was decided and lets each shop's lane do its calls; rounds go on until one finds
nothing new or the time is over. What is not finished stays due for the next minute.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from shipclock import backoff, codec, fetching, rows
from shipclock.announce import announcement
from shipclock.clockwork import RESERVE, Busy, Clockwork
from shipclock.connect import begin_reconciling, reconcile_key
from shipclock.domain.push import OPEN, IntentState
from shipclock.domain.times import parse, stamp
from shipclock.due import LATER, DueRows, Found
from shipclock.errand import Errand
from shipclock.fetching import Fetching
from shipclock.imagelinks import hosts_of
from shipclock.lane import Lane, LaneWorld, take
from shipclock.marketplaces.protocol import Hosts, Shop
from shipclock.packages import Packages
from shipclock.ports import (
    Change,
    Key,
    Pictures,
    Row,
    SecretsFailed,
    Store,
    StoreError,
    Wire,
)
from shipclock.pulls import Outside, Pulls
from shipclock.reconcile import Reconciler
from shipclock.settle import Settled, clear_mark, judge, read_book, settle
from shipclock.shift import Shift
from shipclock.silence import FLOOR, Listener, Speaker
from shipclock.stocking import Stocking
from shipclock.translate import Translator, linked_orders

SETTLING_SHARE = 0.6
"""The share of a sweep's time for translating and settling; the rest is the lanes'."""

ROUNDS = 20
"""A bound on rounds; three are usual."""

PACKAGES_LOOKED_AT = 200
"""Orders whose packages are due that one round looks at."""

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
    pictures: Pictures
    hosts: Hosts
    secrets: Callable[[], Mapping[str, Any]]
    announce: Announce
    say: Say
    real: Callable[[], datetime]
    sleep: Callable[[float], None]
    new_id: Callable[[], str]
    raw_kept: timedelta = timedelta(days=180)
    parallel: int = 16
    silence: timedelta = FLOOR
    heard: dict[Speaker, datetime] = field(default_factory=dict)


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


class Sweep:
    """One sweep at `now`. Made anew for every invocation."""

    def __init__(self, world: World, now: datetime, time_left: timedelta) -> None:
        """Sweeps at `now`, with that much real time of the function left."""
        self._world = world
        self._store = world.store
        self._now = now
        self._clockwork = Clockwork(world.real, world.sleep, world.real() + time_left)
        self._settle_by = world.real() + (time_left - RESERVE) * SETTLING_SHARE
        outside = Outside(
            world.store, world.wire, world.secrets, self._clockwork, self._line, world.raw_kept
        )
        self._pulls = Pulls(outside, now)
        self._translator = Translator(
            world.store,
            now,
            world.real,
            world.raw_kept,
            self._pulls.watch,
            self._wants_images,
        )
        self._listener = Listener(
            world.store, world.secrets, world.heard, world.silence, now, world.real
        )
        self._sources: list[Key] = []
        self._fetching = Fetching(
            world.store, world.pictures, self._proof_hosts, self._clockwork, now, self._line
        )
        self._images: list[Key] = []
        self._shops: dict[str, Shop | None] = {}
        self._settled: dict[str, Settled] = {}
        self._packages: dict[str, list[str]] = {}
        self._stock: dict[str, list[Key]] = {}
        self._searching: set[str] = set()
        self._orders_settled: set[str] = set()
        self._report = Report()
        self._due = DueRows(world.store, now)
        self._unsaid: list[Key] = []
        self._mute = False
        self._lock = Lock()

    def run(self) -> Report:
        """Do everything that is due at `now`, as far as the time allows."""
        for _ in range(ROUNDS):
            self._shops = {}  # a shop may have been connected or lost meanwhile
            found = self._due.unseen()
            if found is None:
                self._listen()
                break
            if not self._clockwork.allows():
                break
            self._sources += found.sources
            self._translate(found)
            self._settle_all(found)
            self._run_lanes(found)
            with self._guarded(("PULLS", "PULLS"), "pulls"):
                self._pulls.run(found.pulls)
            self._say_all(found.sayings)
            self._images += found.images
        self._fetch_images()
        self._report.settled = len(self._orders_settled)
        self._report.due_left = self._count_left()
        return self._report

    def poke(self, keys: Iterable[Key]) -> Report:
        """Translate these deliveries and settle their orders; calls no marketplace."""
        found = Found(deliveries=list(keys))
        self._translate(found)
        self._settle_all(found)
        self._say_all([])
        self._report.settled = len(self._orders_settled)
        return self._report

    def _count_left(self) -> int:
        left = self._due.left(self._world.real())
        self._line("sweep.left", due_left=left.rows, OldestDueSeconds=left.oldest_seconds)
        return left.rows

    # Pictures

    def _fetch_images(self) -> None:
        """Fetch pictures of deliveries with the time that is left: they hold up nothing else."""

        def fetch_one(key: Key) -> None:
            with self._guarded(key, "image"):
                self._fetching.fetch(key)

        keys = list(dict.fromkeys(self._images))[: fetching.MOST]
        for first in range(0, len(keys), fetching.TOGETHER):
            self._each(fetch_one, keys[first : first + fetching.TOGETHER])
        self._say_all(self._fetching.unsaid)

    def _wants_images(self, source: str, account: str) -> bool:
        """Whether pictures that an account names are to be noted. While nobody can tell they are:
        it is asked again before anything is fetched."""
        try:
            return bool(self._proof_hosts(source, account))
        except SecretsFailed:
            return True

    def _proof_hosts(self, source: str, account: str) -> Sequence[str]:
        return hosts_of(self._world.secrets(), source, account)

    # Translate and settle

    def _translate(self, found: Found) -> None:
        """Translate deliveries in the order of their arrival: of two that link one number to two
        orders, the earlier one counts."""
        due = sorted(self._deliveries(found), key=lambda row: str(row.get("received_at")))
        self._note(due)
        for row in due:
            if self._world.real() > self._settle_by:
                return
            with self._guarded(rows.key_of(row), "delivery"):
                touched = self._translator.translate(row)
                for order_id in touched.orders:
                    found.orders.setdefault(order_id, [])
                for shop_id in touched.lost_shops:
                    self._shops.pop(shop_id, None)
                    self._line("shop.disconnected", shop_id=shop_id)
                self._line(
                    "delivery.quarantined" if touched.quarantined else "delivery.translated",
                    source=row["source"],
                    events=touched.events,
                    note=touched.note or touched.quarantined,
                )

    def _note(self, due: list[Row]) -> None:
        """Note who has spoken by itself, whatever becomes of what was said."""
        spoke: dict[Speaker, list[str]] = {}
        for row in due:
            if {"source", "account", "received_at"} <= row.keys() and not row.get("pulled"):
                spoke.setdefault((row["source"], row["account"]), []).append(row["received_at"])
        for speaker, times in spoke.items():
            with self._guarded(rows.source_key(*speaker), "source"):
                self._unsaid += self._listener.note(speaker, map(parse, times))

    def _listen(self) -> None:
        """Tell of sources that have stopped, now that all that has arrived is noted."""
        for key in self._sources:
            with self._guarded(key, "source"):
                notice = self._listener.look(key)
                if notice is not None:
                    self._unsaid.append(notice)
                    self._line("source.silent", source=key[0].removeprefix("SOURCE#"))
        self._say_all([])

    def _deliveries(self, found: Found) -> list[Row]:
        """The rows of the deliveries that are due by now."""
        due: list[Row] = []
        for key in found.deliveries:
            with self._guarded(key, "delivery"):
                row = self._store.get(key)
                if row is not None and row.get("due_at", LATER) <= stamp(self._now):
                    due.append(row)
        return due

    def _settle_all(self, found: Found) -> None:
        scans: dict[Key, set[str]] = {}
        for key in found.scans:
            with self._guarded(key, "scan"):
                scans[key] = linked_orders(self._store, key[0].removeprefix("NUMBER#"))
                for order_id in scans[key]:
                    found.orders.setdefault(order_id, []).append(key)
        done: set[str] = set()

        def settle_one(item: tuple[str, list[Key]]) -> None:
            order_id, due = item
            if self._world.real() > self._settle_by:
                return
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
        """Settle one order; what that made of it is announced at the round's end."""
        real = self._world.real()
        settled = settle(self._store, self._shop, order_id, self._now, real)
        if settled is None or not settled.known:
            return settled
        with self._lock:
            self._orders_settled.add(order_id)
            self._report.fired += settled.said
        shop = settled.situation.shop
        if settled.recorded.version == 0 and shop is not None and shop.connected:
            begin_reconciling(self._store, shop.shop_id, real)  # heard of, so kept complete
        self._pulls.begin(settled.order)
        pk, decision = rows.order_pk(order_id), settled.decision
        for intent in decision.intents:
            if intent.state is IntentState.DEAD:
                self._line("push.dead", order_id=order_id, call=intent.call, reason=intent.reason)
        self._unsaid += [(pk, rows.VERDICT + verdict.key) for verdict in decision.verdicts]
        self._unsaid += [(pk, rows.NOTICE + notice.key) for notice in decision.notices]
        return settled

    def _say_all(self, keys: Iterable[Key]) -> None:
        """Announce verdicts and notices, then take their marks off: at least once each.

        After the first that is not taken the rest keeps its marks for the next sweep: a bus that
        is down must not use up the time that others need.
        """
        unsaid, self._unsaid = [*self._unsaid, *keys], []
        for key in dict.fromkeys(unsaid):
            if self._mute or not self._clockwork.allows():
                return
            self._mute = True
            with self._guarded(key, "announcement"):
                row = self._store.get(key)
                if row is not None and "due_at" in row:
                    self._world.announce(announcement(key, row))
                    clear_mark(self._store, row)
                self._mute = False

    # Lanes

    def _run_lanes(self, found: Found) -> None:
        """Let every shop's lane work that has something to do; one shop never holds up another."""
        work: dict[str, dict[str, Settled]] = {}
        for order_id, settled in self._settled.items():
            if settled.situation.connected and _wants_lane(settled):
                work.setdefault(settled.order.shop_id, {})[order_id] = settled
        for key in found.authorisations:
            row = self._store.get(key)
            if row is not None:
                work.setdefault(row["shop_id"], {})
        self._stock, self._searching = found.stock, set(found.shops)
        for shop_id in found.stock:
            work.setdefault(shop_id, {})
        for shop_id in found.shops:  # last: who has only a search to make can wait
            work.setdefault(shop_id, {})
        self._packages = self._by_shop(found.packages)
        for shop_id in self._packages:
            work.setdefault(shop_id, {})
        self._settled = {}
        self._each(self._run_lane, work.items())

    def _by_shop(self, keys: list[Key]) -> dict[str, list[str]]:
        """The orders of which some packages are due to be read, by shop; the rest can wait."""
        found: dict[str, list[str]] = {}
        for key in keys[:PACKAGES_LOOKED_AT]:
            with self._guarded(key, "packages"):
                row = self._store.get(key)
                if row is not None and row.get("due_at", LATER) <= stamp(self._now):
                    found.setdefault(row["shop_id"], []).append(key[0].removeprefix("ORDER#"))
        return found

    def _run_lane(self, item: tuple[str, dict[str, Settled]]) -> None:
        shop_id, orders = item
        with self._guarded((rows.shop_pk(shop_id), rows.LANE), "shop"):
            world = self._world
            lane = take(
                LaneWorld(
                    self._store,
                    world.wire,
                    world.hosts,
                    self._clockwork,
                    self._now,
                    self._secret_of,
                    self._line,
                ),
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

    def _work_in(self, lane: Lane, orders: dict[str, Settled]) -> None:
        self._renew_if_due(lane)
        shift = Shift(
            self._store,
            lane,
            self._clockwork,
            self._now,
            self._settle_in(lane),
            self._look_in(lane),
            self._line,
            self._guarded,
        )
        shop_id = lane.shop.shop_id
        tally, stocking = Errand(shift).run(orders), Stocking(shift)
        stocking.run(self._stock.get(shop_id, ()))
        if lane.shop.connected:
            if shop_id in self._searching:
                stocking.wake()
            Reconciler(shift).run()
        if lane.shop.connected:
            Packages(shift).run(self._packages.get(shop_id, ()))
        stocking.wait_out()  # last: it holds up nothing else
        with self._lock:
            self._report.pushed += tally.pushed + stocking.pushed
            self._report.failed += tally.failed + stocking.failed

    def _renew_if_due(self, lane: Lane) -> None:
        """Renew the tokens where their row says so; one that fails is tried again in a while.

        The real clock decides how long tokens live.
        """
        key = rows.authorisation_key(lane.shop.authorisation)
        row = self._store.get(key)
        if row is None or row.get("due_at", LATER) > stamp(self._world.real()):
            return
        try:
            renewed = lane.renew()
        except Busy:
            return
        if not renewed:
            again = rows.at(self._world.real() + backoff.RENEW)
            self._store.write(
                Change(key, set=rows.mark(key, again), when={"due_at": row["due_at"]})
            )

    def _settle_in(self, lane: Lane) -> Callable[[str], Settled | None]:
        def again(order_id: str) -> Settled | None:
            self._shops[lane.shop.shop_id] = lane.shop
            return self._settle(order_id)

        return again

    def _look_in(self, lane: Lane) -> Callable[[str], Settled]:
        def look(order_id: str) -> Settled:
            book = read_book(self._store, order_id)
            return judge(self._store, book, lambda _: lane.shop, self._now, self._world.real())

        return look

    def _leave_due(self, shop_id: str) -> None:
        """A lane that is not to be had: of a shop that is gone, its rows leave the index."""
        self._shops.pop(shop_id, None)
        key = reconcile_key(shop_id)
        row = self._store.get(key)  # read before the shop: connecting it sets a new mark
        wishes = [self._store.get(key) for key in self._stock.get(shop_id, ())]
        shop = self._shop(shop_id)
        if shop is None or shop.connected:
            return
        for wish in filter(None, wishes):
            clear_mark(self._store, wish)
        if row is not None:
            clear_mark(self._store, row)
        for order_id in self._packages.get(shop_id, ()):
            packages = self._store.get((rows.order_pk(order_id), rows.REREAD))
            if packages is not None:
                clear_mark(self._store, packages)

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

        This function is the one place that catches everything, putting off included: a bug that
        only one order meets must not cost all others their clocks. The row stays due, later and
        later.
        """
        try:
            yield
        except Busy:
            raise
        except StoreError as fault:  # the table stumbled: nothing is wrong with the row
            self._line("table.failing", key="/".join(key), fault=repr(fault)[:500])
        except Exception as fault:
            self._line(
                "order.failing" if what == "order" else f"{what}.failing",
                key="/".join(key),
                fault=repr(fault)[:500],
            )
            for row_key in (key, *due):
                try:
                    self._put_off(row_key, fault)
                except Exception as error:  # a row so odd that not even this is possible
                    self._line("put_off.failing", key="/".join(row_key), fault=repr(error)[:500])

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


def _wants_lane(settled: Settled) -> bool:
    """Whether a shop's lane has something to do for this order now."""
    return settled.decision.reread_at is not None or any(
        intent.state in OPEN for intent in settled.intents.values()
    )


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
