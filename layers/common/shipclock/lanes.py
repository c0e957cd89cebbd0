"""Letting every shop's lane do its calls: one shop never holds up another (DESIGN 3.4)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock

from shipclock import backoff, codec, rows
from shipclock.book import read_book
from shipclock.clockwork import Busy, Clockwork
from shipclock.connect import reconcile_key
from shipclock.domain.push import OPEN
from shipclock.domain.times import stamp
from shipclock.due import LATER, Found
from shipclock.errand import Errand
from shipclock.guard import Guard
from shipclock.incidents import DeclaredOf
from shipclock.judge import Settled, judge
from shipclock.lane import Lane, LaneWorld, take
from shipclock.marketplaces.protocol import Shop
from shipclock.marks import clear_mark
from shipclock.packages import Packages
from shipclock.ports import Change, Key, Store
from shipclock.reconcile import Reconciler
from shipclock.shift import Shift
from shipclock.stocking import Stocking
from shipclock.world import World

PACKAGES_LOOKED_AT = 200
"""Orders whose packages are due that one round looks at."""


class Shops:
    """The shops that a sweep has met, read once a round."""

    def __init__(self, store: Store) -> None:
        """Reads a shop when it is first asked for."""
        self._store = store
        self._met: dict[str, Shop | None] = {}

    def get(self, shop_id: str) -> Shop | None:
        """The shop as it was met last; None where it was never connected."""
        if shop_id not in self._met:
            row = self._store.get((rows.shop_pk(shop_id), rows.LANE))
            self._met[shop_id] = codec.read_shop(row) if row else None
        return self._met[shop_id]

    def put(self, shop: Shop) -> None:
        """Meet a shop as its lane's holder knows it."""
        self._met[shop.shop_id] = shop

    def forget(self, *shop_ids: str) -> None:
        """Have these read anew, or all: they may have been connected or lost meanwhile."""
        for shop_id in shop_ids or tuple(self._met):
            self._met.pop(shop_id, None)


class Lanes:
    """The lanes' work in one sweep at `now`. `pushed` and `failed` count its calls."""

    def __init__(
        self,
        world: World,
        clockwork: Clockwork,
        now: datetime,
        guard: Guard,
        shops: Shops,
        settle: Callable[[str], Settled | None],
        declared: DeclaredOf,
    ) -> None:
        """`settle` settles one order anew, `declared` tells the incidents."""
        self._world = world
        self._store = world.store
        self._clockwork = clockwork
        self._now = now
        self._guard = guard
        self._shops = shops
        self._settle = settle
        self._declared = declared
        self._packages: dict[str, list[str]] = {}
        self._stock: dict[str, list[Key]] = {}
        self._searching: set[str] = set()
        self._lock = Lock()
        self.pushed = 0
        self.failed = 0

    def run(self, found: Found, settled_orders: Mapping[str, Settled]) -> None:
        """Let every shop's lane work that has something to do; one shop never holds up another."""
        work: dict[str, dict[str, Settled]] = {}
        for order_id, settled in settled_orders.items():
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
        self._world.each(self._run_lane, work.items())

    def _by_shop(self, keys: list[Key]) -> dict[str, list[str]]:
        """The orders of which some packages are due to be read, by shop; the rest can wait."""
        found: dict[str, list[str]] = {}
        for key in keys[:PACKAGES_LOOKED_AT]:
            with self._guard(key, "packages"):
                row = self._store.get(key)
                if row is not None and row.get("due_at", LATER) <= stamp(self._now):
                    found.setdefault(row["shop_id"], []).append(key[0].removeprefix("ORDER#"))
        return found

    def _run_lane(self, item: tuple[str, dict[str, Settled]]) -> None:
        shop_id, orders = item
        with self._guard((rows.shop_pk(shop_id), rows.LANE), "shop"):
            world = self._world
            lane = take(
                LaneWorld(
                    self._store,
                    world.wire,
                    world.hosts,
                    self._clockwork,
                    self._now,
                    self._secret_of,
                    self._world.tell,
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
            self._world.tell,
            self._guard,
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
            self.pushed += tally.pushed + stocking.pushed
            self.failed += tally.failed + stocking.failed

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
            self._shops.put(lane.shop)
            return self._settle(order_id)

        return again

    def _look_in(self, lane: Lane) -> Callable[[str], Settled]:
        def look(order_id: str) -> Settled:
            book, real = read_book(self._store, order_id), self._world.real()
            return judge(self._store, book, lambda _: lane.shop, self._now, real, self._declared)

        return look

    def _leave_due(self, shop_id: str) -> None:
        """A lane that is not to be had: of a shop that is gone, its rows leave the index."""
        self._shops.forget(shop_id)
        key = reconcile_key(shop_id)
        row = self._store.get(key)  # read before the shop: connecting it sets a new mark
        wishes = [self._store.get(key) for key in self._stock.get(shop_id, ())]
        shop = self._shops.get(shop_id)
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

    def _secret_of(self, shop: Shop) -> str | None:
        """The secret of the app that a shop is connected through; the first one is current."""
        for entry in self._world.secrets().get(shop.marketplace, ()):
            if entry.get("account") == shop.app_key and entry.get("secrets"):
                return str(entry["secrets"][0])
        self._world.tell("shop.no_secret", shop_id=shop.shop_id, app_key=shop.app_key)
        return None


def _wants_lane(settled: Settled) -> bool:
    """Whether a shop's lane has something to do for this order now."""
    return settled.decision.reread_at is not None or any(
        intent.state in OPEN for intent in settled.intents.values()
    )
