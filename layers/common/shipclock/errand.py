"""What the holder of a shop's lane does for its orders: re-read and push (DESIGN 3.3 to 3.5).

One effect at a marketplace that dedupes nothing: an intent is `sending` on record before its call
begins, and after any answer that is no clear yes or no it is `unclear` until a re-read shows what
became of it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from shipclock import backoff, codec, rows
from shipclock.domain.push import (
    GIVE_UP,
    IN_FLIGHT,
    UNCLEAR_WAIT,
    Intent,
    IntentState,
)
from shipclock.domain.times import stamp
from shipclock.lane import Busy
from shipclock.marketplaces.protocol import Kind, OrderRow, Outcome
from shipclock.packages import Packages
from shipclock.ports import Below, Change
from shipclock.reading import Unreadable
from shipclock.settle import Settled, intent_mark
from shipclock.shift import Shift
from shipclock.snapshots import keep_snapshot

PROVIDERS_KEPT = timedelta(hours=5)
"""Shorter than `decide.RECHECK`, so that what was not allowed is looked at with a fresh list."""
MISCONFIGURED_WAIT = timedelta(hours=1)


@dataclass(slots=True)
class Tally:
    """What came of the calls: ended `done`, or did not."""

    pushed: int = 0
    failed: int = 0


class Errand:
    """One lane's work in one sweep: brings orders to where nothing is left to do right now."""

    def __init__(self, shift: Shift) -> None:
        """Works for the shop of the shift's lane."""
        self._store = shift.store
        self._lane = shift.lane
        self._clockwork = shift.clockwork
        self._now = shift.now
        self._settle = shift.settle
        self._report = shift.report
        self._guard = shift.guard
        self._orders: dict[str, Settled] = {}
        self._calls: Counter[tuple[str, str]] = Counter()
        self._put_off: set[str] = set()
        self._packages = Packages(shift)

    def run(self, orders: dict[str, Settled]) -> Tally:
        """Re-read, then push, then again, until all wait for something or the time is over.

        What is left stays due.
        """
        self._orders = dict(orders)
        before = {order_id: settled.intents for order_id, settled in orders.items()}
        try:
            self._work()
        except Busy as reason:
            self._report("lane.busy", shop_id=self._lane.shop.shop_id, reason=str(reason))
            self._give_up()
        if not self._lane.shop.connected:
            for order_id in orders:  # they leave `due` until the shop reconnects
                self._on(order_id, lambda: None)
        return self._counted(before)

    def _work(self) -> None:
        for order_id, settled in list(self._orders.items()):
            if self._orphans(settled):
                self._on(order_id, partial(self._doubt_orphans, order_id))
        while self._lane.shop.connected:
            if self._reread_ready() or self._push_next():
                continue
            waits = [s.decision.reread_at for s in self._orders.values() if s.decision.reread_at]
            if not waits:
                return
            self._wait_until(min(waits))

    def _counted(self, before: dict[str, dict[str, Intent]]) -> Tally:
        """Of the calls made, and of earlier ones whose doubt was settled: which ended `done`."""
        tally = Tally(failed=self._calls.total())
        for order_id, settled in self._orders.items():
            for key, intent in settled.intents.items():
                was = before.get(order_id, {}).get(key)
                newly = was is None or was.state is not IntentState.DONE
                if intent.state is IntentState.DONE and newly:
                    tally.pushed += 1
                    tally.failed -= self._calls[order_id, key] > 0
        return tally

    def _wait_until(self, real: datetime) -> None:
        wait = real - self._clockwork.real()
        if not self._clockwork.allows(wait):
            raise Busy("what is left waits for longer than this sweep has time")
        self._clockwork.sleep(max(wait.total_seconds(), 0.0))

    def _on(self, order_id: str, work: Callable[[], None]) -> None:
        """Do something about one order and settle it anew; one that can't be is dropped from this
        errand and asked for again later, so that it holds up no other."""
        good = False
        with self._guard((rows.order_pk(order_id), rows.HEAD), "order"):
            work()
            settled = self._settle(order_id)
            if settled is not None:
                self._orders[order_id] = settled
                good = True
        if not good:
            dropped = self._orders.pop(order_id)
            with self._guard((rows.order_pk(order_id), rows.REREAD), "order"):
                self._note_missing(dropped)

    # Re-reads

    def _reread_ready(self) -> bool:
        """Re-read one batch of the orders that want it by now; False where there is none."""
        real = self._clockwork.real()
        ready = [
            order_id
            for order_id, settled in sorted(self._orders.items())
            if settled.decision.reread_at is not None and settled.decision.reread_at <= real
        ][: self._lane.market.BATCH]
        if not ready:
            return False
        for order_id in ready:
            with self._guard((rows.order_pk(order_id), rows.HEAD), "order"):
                self._packages.read_doubted(self._orders[order_id])
        self._lane.await_turn()
        requested_at = self._clockwork.real()
        outcome = self._lane.call(self._lane.market.reread(ready))
        if outcome.kind is Kind.RATE_LIMITED:
            self._put_off |= set(ready)
            return True
        self._put_off -= set(ready)
        found = self._orders_in(outcome)
        for order_id in ready:
            settled, row = self._orders[order_id], found.get(order_id)
            if row is not None:
                self._on(order_id, partial(self._note_read, settled, row, requested_at))
            else:
                self._on(order_id, partial(self._note_missing, settled))
        return True

    def _give_up(self) -> None:
        """Of the orders that the marketplace put off to the end, note that it did not give them
        back: verdicts wait for a re-read, and must not wait as long as it likes."""
        for order_id in sorted(self._put_off & self._orders.keys()):
            self._on(order_id, partial(self._note_missing, self._orders[order_id]))

    def _orders_in(self, outcome: Outcome) -> dict[str, OrderRow]:
        shop_id = self._lane.shop.shop_id
        if outcome.kind is not Kind.OK:
            self._report("reread.failed", shop_id=shop_id, reason=outcome.reason)
            return {}
        try:
            page = self._lane.market.read_orders(outcome)
        except Unreadable as error:
            self._report("reread.failed", shop_id=shop_id, reason=str(error))
            return {}
        for odd in page.unreadable:
            self._report(
                "order.unreadable", shop_id=shop_id, order_id=odd.order_id, reason=odd.reason
            )
        return {row.order_id: row for row in page.orders}

    def _note_read(self, settled: Settled, row: OrderRow, requested_at: datetime) -> None:
        """Keep the snapshot; where it tells nothing new, only that and when it was asked for."""
        # Not the sweep's own time: of an order that was settled later than that, it would be old.
        as_of = settled.situation.now
        if not settled.order.tells_nothing_new(row.facts):
            linked = settled.order.told_numbers
            shop_id = self._lane.shop.shop_id
            keep_snapshot(self._store, shop_id, row, requested_at, as_of, linked)
            return
        asked = codec.millis(requested_at)
        self._store.write(
            Change(
                (rows.order_pk(row.order_id), rows.REREAD),
                set={"requested_at": asked, "as_of": stamp(as_of), "failures": 0},
                remove=("not_before",),
                when={"requested_at": Below(asked)},
                create=True,
            )
        )

    def _note_missing(self, settled: Settled) -> None:
        """The marketplace did not give this order back: ask again ever more rarely."""
        failures = settled.recorded.read.failures + 1
        again = backoff.after(backoff.REREAD, failures, settled.situation.now)
        self._store.write(
            Change(
                (rows.order_pk(settled.order.order_id), rows.REREAD),
                set={
                    "failures": failures,
                    "failed_at": codec.millis(self._clockwork.real()),
                    "not_before": stamp(again),
                },
                create=True,
            )
        )

    # Pushes

    def _push_next(self) -> bool:
        """Make progress with one push that may be sent now; False where there is none.

        Orders take turns by their id. No push is sent while another of its order is in flight or
        a re-read is owed.
        """
        for order_id, settled in sorted(self._orders.items()):
            intent = self._sendable(settled)
            if intent is not None:
                self._on(order_id, partial(self._push, settled, intent))
                return True
        return False

    def _sendable(self, settled: Settled) -> Intent | None:
        intents = settled.intents.values()
        if settled.decision.owed or any(i.state in IN_FLIGHT for i in intents):
            return None
        return next(
            (
                intent
                for intent in sorted(intents, key=lambda i: i.key)
                if intent.state is IntentState.PENDING
                and (intent.not_before is None or intent.not_before <= self._now)
            ),
            None,
        )

    def _push(self, settled: Settled, intent: Intent) -> None:
        order, market = settled.order, self._lane.market
        provider = ""
        if market.needs_provider(order):
            if settled.situation.providers is None:
                self._ask_providers(settled, intent)
                return
            provider = market.choose_provider(
                intent.carrier, settled.situation.providers, self._lane.shop
            )
        self._lane.await_turn()
        sending = replace(
            intent,
            state=IntentState.SENDING,
            attempts=intent.attempts + 1,
            sent_at=self._clockwork.real(),
            lease=self._lane.holder,
        )
        if not self._record(settled, sending, under_lease=True):
            return
        self._calls[order.order_id, intent.key] += 1
        outcome = self._lane.call(market.ship(intent, order, self._lane.shop, provider))
        self._record(settled, self._after(sending, outcome))
        if outcome.kind is Kind.UNCLEAR:
            self._report("push.unclear", order_id=order.order_id, reason=outcome.reason)
        self._report(
            "push.attempted",
            order_id=order.order_id,
            call=intent.call,
            attempt=sending.attempts,
            outcome=outcome.kind.value,
            reason=outcome.reason,
            request_id=outcome.request_id,
        )

    def _after(self, intent: Intent, outcome: Outcome) -> Intent:
        """What an answer makes of an intent."""
        real = self._clockwork.real()
        told = replace(intent, reason=outcome.reason, advice=outcome.advice)
        match outcome.kind:
            case Kind.OK:
                return replace(told, state=IntentState.DONE, done_at=real, reason="", advice="")
            case Kind.UNCLEAR:
                return replace(told, state=IntentState.UNCLEAR, unclear_at=real)
            case Kind.ALREADY:
                # A clear answer, so there is nothing to wait for; the re-read tells whose it was.
                return replace(told, state=IntentState.UNCLEAR, unclear_at=real - UNCLEAR_WAIT)
            case Kind.REFUSED:
                return replace(told, state=IntentState.REFUSED)
            case Kind.LATER | Kind.MISCONFIGURED:
                again = self._now + (outcome.wait or MISCONFIGURED_WAIT)
                return replace(told, state=IntentState.PENDING, not_before=again)
            case Kind.EXPIRED:
                again = self._now + backoff.REREAD[0]
                return replace(told, state=IntentState.PENDING, not_before=again)
            case Kind.RATE_LIMITED | Kind.DEAUTHORISED:
                return replace(told, state=IntentState.PENDING)

    def _record(self, settled: Settled, intent: Intent, under_lease: bool = False) -> bool:
        """Write an intent over the one that was read; False where somebody else has changed it."""
        key = codec.intent_key(settled.order.order_id, intent)
        row = self._store.get(key)
        if row is None or codec.read_intent(row).state not in BEFORE[intent.state]:
            return False
        # Also a finished one stays due until a settle has seen it: its order is to be re-read.
        marked = intent_mark(key, intent, settled, self._clockwork.real())
        marked = marked or rows.mark(key, rows.at_once(self._clockwork.real()))
        change = Change(
            key,
            set={**codec.intent_doc(intent), "rev": row["rev"] + 1, **marked},
            when={"rev": row["rev"]},
        )
        if not under_lease:
            return self._store.write(change)
        if self._store.commit([self._lane.held(), change]):
            return True
        self._lane.check_held()
        return False

    def _ask_providers(self, settled: Settled, intent: Intent) -> None:
        """Ask who may ship this order and remember it for some hours."""
        order, shop = settled.order, self._lane.shop
        call = self._lane.market.providers(order)
        if call is None or order.facts is None:
            return
        outcome = self._lane.call(call)
        listed: dict[str, str] | None = None
        if outcome.kind is Kind.OK:
            try:
                listed = self._lane.market.read_providers(outcome)
            except Unreadable as error:
                self._report("providers.unreadable", shop_id=shop.shop_id, reason=str(error))
        elif outcome.kind is Kind.REFUSED:
            listed = {}
        if listed is None:
            failed = replace(outcome, kind=Kind.LATER, wait=backoff.REREAD[0])
            if outcome.kind is not Kind.RATE_LIMITED:
                self._record(settled, self._after(intent, failed))
            return
        expires_at = int((self._clockwork.real() + PROVIDERS_KEPT).timestamp())
        self._store.write(
            Change(
                (rows.shop_pk(shop.shop_id), rows.PROVIDERS + order.facts.delivery_option_id),
                set={"providers": listed, "expires_at": expires_at},
                when={"expires_at": Below(expires_at)},
                create=True,
            )
        )

    def _orphans(self, settled: Settled) -> list[Intent]:
        return [
            intent
            for intent in settled.intents.values()
            if intent.state is IntentState.SENDING and intent.lease != self._lane.holder
        ]

    def _doubt_orphans(self, order_id: str) -> None:
        """A `sending` intent of another lease: its sender is gone, its effect unknown."""
        settled = self._orders[order_id]
        for intent in self._orphans(settled):
            gave_up = (intent.sent_at or self._clockwork.real()) + GIVE_UP
            reason = "its sender broke off"
            doubt = replace(intent, state=IntentState.UNCLEAR, unclear_at=gave_up, reason=reason)
            self._record(settled, doubt)


BEFORE = {
    IntentState.SENDING: (IntentState.PENDING,),
    IntentState.PENDING: (IntentState.SENDING, IntentState.PENDING),
    **dict.fromkeys(
        (IntentState.UNCLEAR, IntentState.DONE, IntentState.REFUSED), (IntentState.SENDING,)
    ),
}
"""The states from which the lane may move an intent; settle moves the others."""
