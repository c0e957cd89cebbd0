"""Letting every shop's lane do its calls: one shop never holds up another (DESIGN 3.4)."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from shipclock import backoff, rows
from shipclock.book import read_book
from shipclock.clockwork import Busy, Clockwork
from shipclock.connect import reconcile_key
from shipclock.domain.push import OPEN
from shipclock.due import Found
from shipclock.errand import Errand
from shipclock.guard import Guard
from shipclock.incidents import DeclaredOf
from shipclock.judge import Settled, judge
from shipclock.lane import Lane, LaneWorld, take
from shipclock.marketplaces.protocol import Shop
from shipclock.marks import clear_mark
from shipclock.packages import Packages
from shipclock.ports import Change, Key, Row
from shipclock.reconcile import Reconciler, wake
from shipclock.shift import Shift
from shipclock.shops import Shops
from shipclock.stocking import Stocking
from shipclock.world import World

PACKAGES_LOOKED_AT = 200
"""Orders whose packages are due that one round looks at."""


@dataclass(slots=True)
class Work:
    """What one shop's lane has to do. `searching`: its reconciliation is due."""

    orders: dict[str, Settled] = field(default_factory=dict)
    stock: Sequence[Key] = ()
    packages: list[str] = field(default_factory=list)
    searching: bool = False


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
        self._tokenless: set[str] = set()
        """Shops that no later round need try: their tokens can't be renewed in this sweep."""
        self._lock = Lock()
        self.pushed = 0
        self.failed = 0

    def run(self, found: Found, settled_orders: Mapping[str, Settled]) -> None:
        """Let every shop's lane work that has something to do; one shop never holds up another."""
        work: defaultdict[str, Work] = defaultdict(Work)
        for order_id, settled in settled_orders.items():
            if settled.situation.connected and _wants_lane(settled):
                work[settled.order.shop_id].orders[order_id] = settled
        for key in found.authorisations:
            row = self._store.get(key)
            if row is not None:
                work.setdefault(row["shop_id"], Work())  # each lane renews its tokens first
        for shop_id, wishes in found.stock.items():
            work[shop_id].stock = wishes
        for shop_id, order_id in self._with_packages(found.packages):
            work[shop_id].packages.append(order_id)
        for shop_id in found.shops:  # last: who has only a search to make can wait
            work[shop_id].searching = True
        self._world.each(self._run_lane, work.items())

    def _with_packages(self, keys: list[Key]) -> Iterator[tuple[str, str]]:
        """The shop and the order of whose packages some are due to be read; the rest can wait."""
        for key in keys[:PACKAGES_LOOKED_AT]:
            with self._guard(key, "packages"):
                row = self._store.get(key)
                if row is not None and rows.is_due(row, self._now):
                    yield row["shop_id"], key[0].removeprefix("ORDER#")

    def _run_lane(self, item: tuple[str, Work]) -> None:
        shop_id, work = item
        if shop_id in self._tokenless:
            return
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
                self._leave_due(shop_id, work)
                return
            try:
                self._work_in(lane, work)
            finally:
                lane.release()
                if lane.tokenless:
                    self._tokenless.add(shop_id)

    def _work_in(self, lane: Lane, work: Work) -> None:
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
        tally, stocking = Errand(shift).run(work.orders), Stocking(shift)
        stocking.run(work.stock)
        if lane.shop.connected:
            if work.searching:
                stocking.wake()
            Reconciler(shift).run()
        if lane.shop.connected:
            Packages(shift).run(work.packages)
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
        if row is None or not rows.is_due(row, self._world.real()):
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

    def _leave_due(self, shop_id: str, work: Work) -> None:
        """A lane that is not to be had: of a shop that is gone, its rows leave the index once its
        open orders were looked at that are to be."""
        self._shops.forget(shop_id)
        key = reconcile_key(shop_id)
        row = self._store.get(key)  # read before the shop: connecting it sets a new mark
        wishes = [self._store.get(key) for key in work.stock]
        shop = self._shops.get(shop_id)
        if shop is None or shop.connected:
            return
        for wish in filter(None, wishes):
            clear_mark(self._store, wish)
        if row is not None and not self._waits(row):
            clear_mark(self._store, row)
        for order_id in work.packages:
            packages = self._store.get((rows.order_pk(order_id), rows.REREAD))
            if packages is not None:
                clear_mark(self._store, packages)

    def _waits(self, row: Row) -> bool:
        """Whether open orders of a shop that is gone are still to be looked at, after this."""
        try:
            return wake(self._store, row, self._clockwork, self._guard, self._settle)
        except Busy:
            return True

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
