"""Re-reads: asking the marketplace how orders stand, in batches (DESIGN 3.3 and 3.8)."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from shipclock import backoff, codec, rows
from shipclock.desk import Desk
from shipclock.domain.push import IntentState
from shipclock.domain.times import stamp
from shipclock.judge import Settled
from shipclock.marketplaces.protocol import Kind, OrderRow, Outcome
from shipclock.packages import Packages
from shipclock.ports import Below, Change, Put
from shipclock.reading import Unreadable
from shipclock.shift import Shift
from shipclock.snapshots import keep_snapshot

NOT_TAKEN = (Kind.REFUSED, Kind.MISCONFIGURED)
"""Answers to a batch that may be due to one order in it."""

SPLITS = 12
"""How often one batch may be halved: two odd orders among 50 are found, and a shop of which
nothing may be read costs few calls."""


class Rereads:
    """Re-reads the orders on a desk."""

    def __init__(self, shift: Shift, desk: Desk) -> None:
        """Asks through the shift's lane."""
        self._shift = shift
        self._lane = shift.lane
        self._desk = desk
        self._packages = Packages(shift)
        self._put_off: set[str] = set()

    def next(self, put_off: bool = False) -> bool:
        """Re-read one batch of the orders that want it by now; False where there is none. Those
        that the marketplace has `put_off` are for when there is nothing else to do."""
        real = self._shift.clockwork.real()
        ready = [
            order_id
            for order_id, settled in sorted(self._desk.orders.items())
            if settled.decision.reread_at is not None and settled.decision.reread_at <= real
            if put_off or order_id not in self._put_off
        ]
        if not ready:
            return False
        self.read(ready[: self._lane.market.BATCH])
        return True

    def read(self, order_ids: list[str]) -> None:
        """Re-read these orders, at most a batch, and settle each with what came back."""
        for order_id in order_ids:
            with self._shift.guard((rows.order_pk(order_id), rows.HEAD), "order"):
                self._packages.read_doubted(self._desk.orders[order_id])
        owing = [o for o in order_ids if self._owes_cases(self._desk.orders[o])]
        doubted = [o for o in owing if self._in_doubt(self._desk.orders[o])]
        asked, good = self._shift.clockwork.real(), self._read_cases(owing)
        unseen = [] if good else doubted  # their doubt would stay, and they be read without end
        for order_id in unseen:
            settled = self._desk.orders[order_id]
            self._desk.on(order_id, partial(note_missing, self._shift, settled))
        for order_id in doubted if good else ():
            key = rows.order_pk(order_id), rows.REREAD
            cases_at = {"cases_at": codec.millis(asked)}
            self._shift.store.write(Change(key, set=cases_at, create=True))
        seen = [order_id for order_id in order_ids if order_id not in unseen]
        if seen:
            self._read_batch(seen, [SPLITS])
            self._ask_requests(seen)

    def _read_batch(self, order_ids: list[str], splits: list[int]) -> None:
        """Ask for some orders. Where that is refused they are asked for in halves, for as long as
        `splits` are left: a single order that the marketplace refuses must not cost the others
        their reading."""
        self._lane.await_turn()
        requested_at = self._shift.clockwork.real()
        outcome = self._lane.call(self._lane.market.reread(order_ids))
        if outcome.kind is Kind.RATE_LIMITED:
            self._put_off |= set(order_ids)
            return
        self._put_off -= set(order_ids)
        if outcome.kind in NOT_TAKEN and len(order_ids) > 1 and splits[0]:
            splits[0] -= 1
            middle = len(order_ids) // 2
            self._read_batch(order_ids[:middle], splits)
            self._read_batch(order_ids[middle:], splits)
            return
        found = self._orders_in(outcome)
        for order_id in order_ids:
            settled, row = self._desk.orders[order_id], (found or {}).get(order_id)
            if row is not None:
                self._desk.on(order_id, partial(self._note_read, settled, row, requested_at))
            else:
                answered = found is not None
                self._desk.on(order_id, partial(note_missing, self._shift, settled, answered))

    def give_up(self) -> None:
        """Of the orders that the marketplace put off to the end, note that it did not give them
        back: verdicts wait for a re-read, and must not wait as long as it likes."""
        for order_id in sorted(self._put_off & self._desk.orders.keys()):
            if not self._shift.clockwork.allows():
                return  # there may be thousands; the next sweep notes the rest
            settled = self._desk.orders[order_id]
            self._desk.on(order_id, partial(note_missing, self._shift, settled))

    def _ask_requests(self, order_ids: Iterable[str]) -> None:
        """Of a buyer's request that the order tells of find out which it is, and its deadline."""
        orders = self._desk.orders
        unnamed = [
            order_id
            for order_id in order_ids
            if order_id in orders
            and orders[order_id].order.cancel_open
            and not orders[order_id].order.cancel_case
        ]
        self._read_cases(unnamed)
        for order_id in unnamed:
            self._desk.settle(order_id)

    def _owes_cases(self, settled: Settled) -> bool:
        """Whether a call was made since the last look whose effect a cancellation or return shows,
        or a request's deadline has come: it may have been put off, or answered."""
        order = settled.order
        if order.cancel_open and order.cancel_by and order.cancel_by <= settled.situation.now:
            return True
        return self._in_doubt(settled) or any(
            intent.done_at is not None and intent.done_at >= settled.read_at
            for intent in settled.intents.values()
            if intent.call in self._lane.market.CASES
        )

    def _in_doubt(self, settled: Settled) -> bool:
        """Whether nobody knows of such a call if it took effect."""
        calls = self._lane.market.CASES
        intents = settled.intents.values()
        return any(i.state is IntentState.UNCLEAR and i.call in calls for i in intents)

    def _read_cases(self, order_ids: list[str]) -> bool:
        """Keep the cancellations and returns of some orders, as the marketplace tells them; whether
        all of that could be read. Where they fill more than a page, each half is asked for."""
        good = True
        for name, call in self._lane.market.cases(order_ids) if order_ids else ():
            self._lane.await_turn()
            asked = self._shift.clockwork.real()
            outcome = self._lane.call(call)
            reason = outcome.reason
            if outcome.kind is Kind.OK:
                try:
                    page = self._lane.market.read_page(name, outcome, self._lane.shop)
                except Unreadable as error:
                    reason = str(error)
                else:
                    for case in page.cases:
                        self._shift.store.write(Put(codec.event_row(case, asked)))
                    if page.next_token and len(order_ids) > 1:
                        middle = len(order_ids) // 2
                        halves = order_ids[:middle], order_ids[middle:]
                        return all([self._read_cases(half) for half in halves])
            if reason:
                good = False
                self._shift.report("cases.failed", shop_id=self._lane.shop.shop_id, reason=reason)
        return good

    def _orders_in(self, outcome: Outcome) -> dict[str, OrderRow] | None:
        """The orders of an answer by their ids; None where there is no such answer."""
        shop_id, report = self._lane.shop.shop_id, self._shift.report
        if outcome.kind is not Kind.OK:
            report("reread.failed", shop_id=shop_id, reason=outcome.reason)
            return None
        try:
            page = self._lane.market.read_orders(outcome)
        except Unreadable as error:
            report("reread.failed", shop_id=shop_id, reason=str(error))
            return None
        for odd in page.unreadable:
            report("order.unreadable", shop_id=shop_id, order_id=odd.order_id, reason=odd.reason)
        return {row.order_id: row for row in page.orders}

    def _note_read(self, settled: Settled, row: OrderRow, requested_at: datetime) -> None:
        """Keep the snapshot; where it tells nothing new, only that and when it was asked for."""
        # Not the sweep's own time: of an order that was settled later than that, it would be old.
        as_of = settled.situation.now
        store = self._shift.store
        if not settled.order.tells_nothing_new(row.facts):
            linked = settled.order.told_numbers
            keep_snapshot(store, self._lane.shop.shop_id, row, requested_at, as_of, linked)
            return
        asked = codec.millis(requested_at)
        store.write(
            Change(
                (rows.order_pk(row.order_id), rows.REREAD),
                set={
                    "requested_at": asked,
                    "as_of": stamp(as_of),
                    "failures": 0,
                    "left_out": 0,
                },
                remove=("not_before",),
                when={"requested_at": Below(asked)},
                create=True,
            )
        )


def note_missing(shift: Shift, settled: Settled, answered: bool = False) -> None:
    """The marketplace did not give this order back: ask again ever more rarely. `answered`: it gave
    others, or none, and not this one."""
    failures = settled.recorded.read.failures + 1
    again = backoff.after(backoff.REREAD, failures, settled.situation.now)
    shift.store.write(
        Change(
            (rows.order_pk(settled.order.order_id), rows.REREAD),
            set={
                "failures": failures,
                "left_out": settled.recorded.read.left_out + answered,
                "failed_at": codec.millis(shift.clockwork.real()),
                "not_before": stamp(again),
            },
            create=True,
        )
    )
