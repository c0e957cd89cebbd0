"""What the holder of a shop's lane does for its stock: search, compare, set (DESIGN 3.3 to 3.5).

Nothing is set that a search has not shown right before, and every update is whole: all warehouses
of a SKU, those that nobody wished anything for with what the search showed.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import TypeVar

from shipclock import restock, rows
from shipclock.clockwork import Busy
from shipclock.codec import notice_row
from shipclock.connect import reconcile_key
from shipclock.domain.clock import Notice
from shipclock.domain.push import OPEN, IntentState
from shipclock.marketplaces.protocol import Kind, Outcome, Shelf
from shipclock.ports import Change, Key, Put, Write
from shipclock.reading import Unreadable
from shipclock.restock import Shelves
from shipclock.shift import Shift
from shipclock.stock import keep_search
from shipclock.stockwish import TRIES, StockWish, Update, read_wish, wish_change

Done = TypeVar("Done")

MOST = 600
"""Wishes that one round looks at for one shop."""

FRESH = timedelta(seconds=15)
"""An update follows its search within this real time; longer at the lane's slowest pace only."""

TURNS = 20
"""A bound on how often one run takes up one wish; four are usual."""

ENDS = (IntentState.REFUSED, IntentState.DEAD, IntentState.NOT_ALLOWED)
"""Ends of a wish that a person must hear of."""

NOT_SET = "stock_not_set"
"""The kind of the notice that says so."""


class Stocking:
    """Sees to the wishes for a shop's stock, in one lane's shift."""

    def __init__(self, shift: Shift) -> None:
        """Works for the shop of the shift's lane."""
        self._shift = shift
        self._store = shift.store
        self._lane = shift.lane
        self._market = shift.lane.market
        self._real = shift.clockwork.real
        self._wishes: dict[str, StockWish] = {}
        self._turns: Counter[str] = Counter()
        self._calls: Counter[str] = Counter()
        self._searched_singly = False
        self._set_singly = False
        self.pushed = 0
        self.failed = 0

    def wake(self) -> None:
        """Where the shop was connected again lately: have its open wishes due again, as
        reconciliation does its orders. Harmless to repeat."""
        shop_id = self._lane.shop.shop_id
        row = self._store.get(reconcile_key(shop_id))
        if row is None or "wake" not in row:
            return
        for asleep in self._store.read(rows.shop_pk(shop_id), rows.STOCKWISH):
            if asleep["state"] in OPEN and "due_at" not in asleep:
                key = rows.key_of(asleep)
                mark = rows.mark(key, rows.at_once(self._real()))
                self._store.write(Change(key, set=mark, when={"rev": asleep["rev"]}))

    def run(self, keys: Sequence[Key]) -> None:
        """Take up the wishes of these rows that are due, and do what can be done at once. What is
        left stays due."""
        for key in keys[:MOST]:
            with self._shift.guard(key, "stock"):
                self._take_up(key)
        self._work()

    def wait_out(self) -> None:
        """Wait until a search may tell what became of doubted updates, as far as the time allows,
        and go on from there."""
        while self._lane.shop.connected:
            looks = [at for wish in self._wishes.values() if (at := self._looks_at(wish))]
            if not looks:
                return
            wait = max(min(looks) - self._real(), timedelta(0))
            if not self._shift.clockwork.allows(wait):
                return
            self._shift.clockwork.sleep(wait.total_seconds())
            self._work()

    def _looks_at(self, wish: StockWish) -> datetime | None:
        late = wish.not_before is not None and wish.not_before > self._shift.now
        return None if late else restock.looks_at(wish)

    def _take_up(self, key: Key) -> None:
        row = self._store.get(key)
        if row is None or not rows.is_due(row, self._shift.now):
            return
        wish = read_wish(row)
        doubted = restock.orphaned(wish, self._lane.holder, self._real())
        if doubted is not None:
            self._record(wish, doubted)
        else:
            self._wishes[wish.sku_id] = wish

    def _work(self) -> None:
        try:
            while self._lane.shop.connected and self._step():
                pass
        except Busy as reason:
            self._wishes = {}
            shop_id = self._lane.shop.shop_id
            self._shift.report("lane.busy", shop_id=shop_id, reason=str(reason))

    def _step(self) -> bool:
        """Search for some SKUs and set what is not as wished; False where nothing is ready."""
        batch = self._batch()
        if not batch:
            return False
        plan = self._market.plan_stock(self._lane.shop)
        if not plan.allowed:
            barred = Outcome(Kind.REFUSED, reason=plan.reason, advice=plan.advice)
            for wish in batch:
                self._on(wish, self._not_allowed(wish, barred))
            return True
        self._lane.await_turn()
        asked = self._real()
        call = self._market.search_stock([wish.sku_id for wish in batch])
        outcome = self._lane.call(call)
        if outcome.kind is not Kind.RATE_LIMITED:
            self._searched(batch, outcome, asked)
        return True

    def _batch(self) -> list[StockWish]:
        """The wishes of the next search."""
        now, real = self._shift.now, self._real()
        ready = [wish for _, wish in sorted(self._wishes.items()) if restock.ready(wish, now, real)]
        batch = ready[: 1 if self._searched_singly else self._market.SKUS_SEARCHED]
        self._turns.update(wish.sku_id for wish in batch)
        worn = {wish.sku_id for wish in batch if self._turns[wish.sku_id] > TURNS}
        for sku_id in worn:
            del self._wishes[sku_id]
        return [wish for wish in batch if wish.sku_id not in worn]

    def _not_allowed(self, wish: StockWish, barred: Outcome) -> StockWish:
        return replace(
            wish, state=IntentState.NOT_ALLOWED, reason=barred.reason, advice=barred.advice
        )

    # A search

    def _searched(self, batch: Sequence[StockWish], outcome: Outcome, asked: datetime) -> None:
        found: dict[str, list[Shelf]] = {}
        if outcome.kind is Kind.OK:
            try:
                for shelf in self._market.read_stock(outcome):
                    found.setdefault(shelf.sku_id, []).append(shelf)
            except Unreadable as error:
                outcome = Outcome(Kind.UNCLEAR, reason=str(error), request_id=outcome.request_id)
                self._searched_singly |= len(batch) > 1
        if outcome.kind is not Kind.OK:
            self._not_searched(batch, outcome)
            return
        drawn: list[tuple[str, StockWish, Update]] = []
        for wish in batch:
            shelves = found.get(wish.sku_id, [])
            updates: list[Update] = []
            self._attempt(wish, partial(self._compare, wish, shelves, asked, updates))
            for update in updates:
                drawn.append((shelves[0].product_id, self._wishes[wish.sku_id], update))
        self._set_all(drawn, asked)

    def _not_searched(self, batch: Sequence[StockWish], outcome: Outcome) -> None:
        shop_id = self._lane.shop.shop_id
        self._shift.report("stock.search_failed", shop_id=shop_id, reason=outcome.reason)
        if len(batch) > 1 and (outcome.kind is Kind.REFUSED or self._searched_singly):
            self._searched_singly = True  # nothing tells whose fault it was
            return
        for wish in batch:
            self._on(wish, restock.unsearched(wish, outcome, self._shift.now))

    def _compare(
        self, wish: StockWish, shelves: Sequence[Shelf], asked: datetime, updates: list[Update]
    ) -> None:
        """What a search makes of a wish; the update that it takes, if any, joins `updates`."""
        now, real = self._shift.now, self._real()
        by_place = _by_place(shelves)
        if by_place is None:
            self._record(wish, restock.not_shown(wish, now))
            return
        keep_search(self._store, wish.shop_id, shelves, now, asked)
        if wish.state is IntentState.UNCLEAR:
            self._judge(wish, by_place)
        known = self._wishes.get(wish.sku_id)
        if known is None or not restock.ready(known, now, real):
            return
        if known.state is not IntentState.PENDING or known.number != wish.number:
            return  # it has changed meanwhile: the next search is for it
        drawn = restock.drawn(known, by_place, self._market.MOST_UNITS, real)
        if isinstance(drawn, Update):
            updates.append(drawn)
        else:
            self._record(known, drawn)

    def _judge(self, wish: StockWish, shelves: Shelves) -> None:
        judged = restock.judged(wish, shelves, self._shift.now, self._real())
        self._record(wish, judged)
        self._shift.report(
            "stock.judged",
            shop_id=wish.shop_id,
            sku_id=wish.sku_id,
            state=judged.state.value,
            reason=judged.reason,
        )

    # An update

    def _set_all(self, drawn: Iterable[tuple[str, StockWish, Update]], asked: datetime) -> None:
        """Set what a search has just shown to be otherwise, product by product; what is left when
        the search is no longer fresh is searched for again."""
        first = True
        of_product = groupby(sorted(drawn, key=lambda d: (d[0], d[1].sku_id)), lambda d: d[0])
        for product_id, group in of_product:
            waiting = [(wish, update) for _, wish, update in group]
            while waiting:
                some = 1 if self._set_singly else self._market.SKUS_SET
                if not self._lane.shop.connected:
                    return
                self._lane.await_turn()
                if not first and self._real() - asked > FRESH:
                    return
                first = False
                self._set(product_id, waiting[:some])
                waiting = waiting[some:]

    def _set(self, product_id: str, group: Sequence[tuple[StockWish, Update]]) -> None:
        """Set some SKUs of a product in one call, and record what came of each."""
        begun = {
            wish.sku_id: update.quantities for wish, update in group if self._begin(wish, update)
        }
        if not begun:
            return
        outcome = self._lane.call(self._market.set_stock(product_id, begun))
        if len(begun) > 1 and outcome.kind in (Kind.REFUSED, Kind.MISCONFIGURED):
            # Nothing tells whose fault it was: each is set alone.
            self._set_singly = True
            outcome = replace(outcome, kind=Kind.LATER, wait=timedelta(0))
        for sku_id, told in self._apart(outcome, begun).items():
            self._end(sku_id, told)

    def _apart(
        self, outcome: Outcome, begun: Mapping[str, Mapping[str, int]]
    ) -> Mapping[str, Outcome]:
        try:
            return self._market.stock_apart(outcome, list(begun))
        except Unreadable as error:
            unclear = Outcome(Kind.UNCLEAR, reason=str(error), request_id=outcome.request_id)
            return dict.fromkeys(begun, unclear)

    def _begin(self, wish: StockWish, update: Update) -> bool:
        """Have a wish on record as `sending`; False where its update must not be sent (any more).

        In one commit with the lease: a newer wish, or another holder of the lane, prevents it.
        """
        sending = restock.sending(wish, update, self._lane.holder, self._real())
        if not self._attempt(wish, partial(self._commit_begun, wish, sending)):
            return False
        self._wishes[wish.sku_id] = replace(sending, rev=sending.rev + 1)
        self._calls[wish.sku_id] += 1
        self.failed += 1
        return True

    def _commit_begun(self, wish: StockWish, sending: StockWish) -> bool:
        if self._store.commit([self._lane.held(), wish_change(sending, self._real())]):
            return True
        self._lane.check_held()
        self._look_up(wish)
        return False

    def _end(self, sku_id: str, outcome: Outcome) -> None:
        """Record what the answer means for a SKU, whose wish may be a newer one by now."""
        sent = self._wishes[sku_id]
        self._attempt(sent, partial(self._answer, sent, outcome))
        said = {"shop_id": sent.shop_id, "sku_id": sku_id, "reason": outcome.reason}
        if outcome.kind is Kind.UNCLEAR:
            self._shift.report("stock.unclear", **said)
        self._shift.report(
            "stock.attempted",
            attempt=sent.attempts,
            outcome=outcome.kind.value,
            request_id=outcome.request_id,
            **said,
        )

    def _answer(self, sent: StockWish, outcome: Outcome) -> None:
        barred = outcome.kind is Kind.REFUSED and self._market.bars_stock(outcome)
        wish: StockWish | None = sent
        for _ in range(TRIES):
            if wish is None or wish.state is not IntentState.SENDING or wish.lease != sent.lease:
                return
            answer = restock.answered(wish, outcome, barred, self._shift.now, self._real())
            if self._record(wish, answer):
                return
            wish = self._wishes.get(sent.sku_id)

    # Rows

    def _on(self, wish: StockWish, changed: StockWish) -> None:
        """Record a change of a wish."""
        self._attempt(wish, lambda: self._record(wish, changed))

    def _attempt(self, wish: StockWish, work: Callable[[], Done]) -> Done | None:
        """Do something about one wish; what came of it. Where that goes wrong, None, and the wish
        is left until it is due again."""
        done, good = None, False
        with self._shift.guard(wish.key, "stock"):
            done, good = work(), True
        if not good:
            self._wishes.pop(wish.sku_id, None)
        return done

    def _record(self, wish: StockWish, changed: StockWish) -> bool:
        """Write a wish over the one it was made of, with what a person must hear; False where it
        has changed meanwhile: it is looked up then."""
        writes: list[Write] = [wish_change(changed, self._real())]
        ends = changed.state in ENDS
        if ends:
            notice = _notice(changed, self._shift.now)
            pk = rows.shop_pk(changed.shop_id)
            writes.append(Put(notice_row(pk, notice, self._real())))
        if not self._store.commit(writes):
            self._look_up(wish)
            return False
        self._wishes[wish.sku_id] = replace(changed, rev=changed.rev + 1)
        if changed.state is IntentState.DONE and changed.attempts:
            self.pushed += 1
            self.failed -= self._calls[wish.sku_id] > 0
        if ends:
            self._shift.report(
                "stock.not_set",
                shop_id=wish.shop_id,
                sku_id=wish.sku_id,
                state=changed.state.value,
                reason=changed.reason,
            )
        return True

    def _look_up(self, wish: StockWish) -> None:
        row = self._store.get(wish.key)
        if row is None:
            self._wishes.pop(wish.sku_id, None)
        else:
            self._wishes[wish.sku_id] = read_wish(row)


def _by_place(shelves: Sequence[Shelf]) -> Shelves | None:
    """A SKU by warehouse; None where it is not shown, or not so that an update could name all of
    its warehouses: with totals alone, or with a warehouse or product twice."""
    found = {shelf.warehouse_id: shelf for shelf in shelves}
    products = {shelf.product_id for shelf in shelves}
    clear = found and "" not in found and len(found) == len(shelves) and len(products) == 1
    return found if clear else None


def _notice(wish: StockWish, now: datetime) -> Notice:
    wished = ", ".join(f"{units} in {place}" for place, units in wish.quantities.items())[:500]
    return Notice(
        clock=wish.sku_id,
        kind=NOT_SET,
        at=now,
        day=f"{wish.number}#{wish.state.value}",
        text=f"The stock of SKU {wish.sku_id} of shop {wish.shop_id} is not set as wished "
        f"({wished}): {wish.reason}. {wish.advice}".strip(),
    )
