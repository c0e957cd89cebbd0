"""Pushes: telling the marketplace what is wanted, each thing once (DESIGN 3.3 to 3.5).

One effect at a marketplace that dedupes nothing: an intent is `sending` on record before its call
begins, and after any answer that is no clear yes or no it is `unclear` until a re-read shows what
became of it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from shipclock import backoff, codec, rows
from shipclock.aftermath import BROKE_OFF, after, doubted_since, without_effect
from shipclock.blobs import read_blob
from shipclock.desk import Desk
from shipclock.domain.push import IN_FLIGHT, Deed, Intent, IntentState
from shipclock.judge import Settled
from shipclock.marketplaces.protocol import Kind, Known, Outcome, Telling
from shipclock.marks import intent_mark
from shipclock.ports import Change
from shipclock.proof_images import shown
from shipclock.providers import ask_providers
from shipclock.reading import Unreadable
from shipclock.rereads import Rereads
from shipclock.shift import Shift
from shipclock.snapshots import read_buyer

FEW = 10
"""Up to so many orders are told of one by one: a batch saves calls, and makes its log harder to
read."""


PRESSING = (
    Deed.ANSWER,
    Deed.CANCEL,
    Deed.SHIP,
    Deed.RENUMBER,
    Deed.LABEL,
    Deed.DELIVER,
    Deed.TRACK,
    Deed.REFUND,
    Deed.MESSAGE,
)
"""What is to be cancelled must not be shipped first; a message to the buyer has the most time."""

NOT_SO = "It can't be told in these words: ask again in others, or do it in Seller Center."


@dataclass(slots=True)
class Wish:
    """An intent that may be sent now, of the order as it was settled, and what is known for it."""

    settled: Settled
    intent: Intent
    known: Known

    @property
    def order_id(self) -> str:
        """The order's id."""
        return self.settled.order.order_id

    @property
    def telling(self) -> Telling:
        """As the marketplace's package takes it."""
        return Telling(self.intent, self.settled.order, self.known)


class Pushes:
    """Sends the intents of the orders on a desk."""

    def __init__(self, shift: Shift, desk: Desk, rereads: Rereads) -> None:
        """Sends through the shift's lane; `rereads` reads an order again before what can't be
        undone."""
        self._shift = shift
        self._store = shift.store
        self._lane = shift.lane
        self._clockwork = shift.clockwork
        self._desk = desk
        self._rereads = rereads
        self._began = shift.clockwork.real()
        self._singly = False
        self._limited: set[str] = set()  # calls that the marketplace had enough of
        self.calls: Counter[tuple[str, str]] = Counter()
        """How often each intent was sent, by its order and key."""

    def next(self) -> bool:
        """Make progress with what may be sent now; False where there is nothing.

        The most pressing goes first, then orders take turns by their id. No push is sent while
        another of its order is in flight or a re-read is owed.
        """
        found = [
            (self._turn(intent), order_id, intent)
            for order_id, settled in self._desk.orders.items()
            if (intent := self._sendable(settled)) is not None
        ]
        if not found:
            return False
        in_turn = [(order_id, intent) for _, order_id, intent in sorted(found, key=lambda f: f[:2])]
        stale = [(o, i) for o, i in in_turn if i.irrevocable and not self._is_fresh(o)]
        if stale[:1] == in_turn[:1]:
            self._read_again(stale[: self._lane.market.BATCH])
        else:
            order_id, intent = in_turn[0]
            self._send(self._together(self._desk.orders[order_id], intent))
        return True

    def _turn(self, intent: Intent) -> tuple[bool, int]:
        """When an intent's turn comes: a call that has a limit of its own must not hold up the
        others, least of all those that clocks run for."""
        return intent.call in self._limited, PRESSING.index(intent.deed)

    def doubt_orphans(self) -> None:
        """A `sending` intent of another lease: its sender is gone, its effect unknown."""
        for order_id, settled in list(self._desk.orders.items()):
            orphans = [
                intent
                for intent in settled.intents.values()
                if intent.state is IntentState.SENDING and intent.lease != self._lane.holder
            ]
            if orphans:
                self._desk.on(order_id, partial(self._doubt, settled, orphans))

    def _doubt(self, settled: Settled, orphans: Sequence[Intent]) -> None:
        for intent in orphans:
            since = doubted_since(intent.sent_at, self._clockwork.real())
            doubt = replace(intent, state=IntentState.UNCLEAR, unclear_at=since, reason=BROKE_OFF)
            self._record(settled, doubt)

    # Which may go out

    def _sendable(self, settled: Settled) -> Intent | None:
        in_flight = any(intent.state in IN_FLIGHT for intent in settled.intents.values())
        if settled.decision.owed or in_flight:
            return None
        return next(iter(self._ready(settled)), None)

    def _ready(self, settled: Settled) -> list[Intent]:
        """The pending intents of an order whose time has come."""
        return [
            intent
            for intent in sorted(settled.intents.values(), key=lambda i: (self._turn(i), i.key))
            if intent.state is IntentState.PENDING
            and (intent.not_before is None or intent.not_before <= self._shift.now)
        ]

    def _together(self, settled: Settled, intent: Intent) -> list[Wish]:
        """An intent, with others that go out in the same call."""
        market = self._lane.market
        most = market.TOGETHER.get(intent.call, 1)
        group = [(settled, intent)]
        if intent.call not in market.SHARED:
            mates = [i for i in self._ready(settled) if i.call == intent.call]
            group = [(settled, mate) for mate in mates]
        elif not self._singly:
            others = [
                (other, first)
                for _, other in sorted(self._desk.orders.items())
                if (first := self._sendable(other)) is not None and first.call == intent.call
            ]
            group = others if len(others) > FEW else group
        return [Wish(of, mate, Known(of.situation.now)) for of, mate in group[:most]]

    # Before what can't be undone

    def _is_fresh(self, order_id: str) -> bool:
        """Whether the order was read since this errand began."""
        return codec.millis(self._desk.orders[order_id].read_at) >= codec.millis(self._began)

    def _read_again(self, waiting: Sequence[tuple[str, Intent]]) -> None:
        """Read some orders again; where that fails what is to be told of it waits a while."""
        self._rereads.read([order_id for order_id, _ in waiting])
        for order_id, intent in waiting:
            fresh = self._desk.orders.get(order_id)
            if fresh is None or self._is_fresh(order_id):
                continue
            still = fresh.intents[intent.key]
            if still.state is IntentState.PENDING:
                waits = replace(still, not_before=self._shift.now + backoff.REREAD[0])
                self._desk.on(order_id, partial(self._record, fresh, waits))

    # One call

    def _send(self, wishes: Sequence[Wish]) -> None:
        """Tell what some orders want in one call, and settle them with what came of it."""
        begun = [
            wish
            for wish in wishes
            if self._desk.attempt(wish.order_id, partial(self._prepare, wish))
        ]
        if begun:
            self._lane.await_turn()
            begun = [wish for wish in begun if self._begin(wish)]
        if begun:
            for wish, outcome in zip(begun, self._tell(begun), strict=True):
                self._desk.attempt(wish.order_id, partial(self._end, wish, outcome))
        for order_id in dict.fromkeys(wish.order_id for wish in wishes):
            self._desk.settle(order_id)

    def _prepare(self, wish: Wish) -> bool:
        """Find out what the call needs; whether the wish has it all."""
        market, shop = self._lane.market, self._lane.shop
        wish.known = self._known(wish)
        if market.needs_provider(wish.settled.order, wish.intent.deed):
            providers = wish.settled.situation.providers
            if providers is None:
                outcome = ask_providers(self._shift, wish.settled.order)
                if outcome.kind is Kind.REFUSED:  # nobody may ship it, then: settle says so
                    self._say(wish, outcome)
                elif outcome.kind is not Kind.OK:
                    self._stop(wish, without_effect(outcome))
                return False
            chosen = market.choose_provider(wish.intent.carrier, providers, shop)
            wish.known = replace(wish.known, provider_id=chosen)
        while (step := market.step(wish.telling, shop)) is not None:
            if isinstance(step, Outcome):
                self._stop(wish, step)
                return False
            outcome = self._lane.call(step)
            learned: Mapping[str, Any] | None = None
            if outcome.kind is Kind.OK:
                try:
                    learned = market.learn(step, outcome)
                except Unreadable as error:
                    outcome = Outcome(Kind.UNCLEAR, reason=f"{step.name}: {error}")
            if learned is None:
                self._stop(wish, without_effect(outcome))
                return False
            wish.known = replace(wish.known, learned={**wish.known.learned, **learned})
        try:
            market.tell([wish.telling], shop)
        except ValueError as error:  # found before it is `sending`: nothing was sent
            self._stop(wish, Outcome(Kind.REFUSED, reason=str(error), advice=NOT_SO))
            return False
        return True

    def _known(self, wish: Wish) -> Known:
        """What the table keeps that the call may need."""
        known, deed = wish.known, wish.intent.deed
        if deed is Deed.MESSAGE:
            return replace(known, buyer=read_buyer(self._store, wish.order_id))
        if deed is Deed.DELIVER:
            package, real = wish.intent.package_id, self._clockwork.real()
            own = read_blob(self._store, wish.order_id, rows.PROOF + package, real)
            if own is not None:
                return replace(known, proof=own)
            takes, order = self._lane.market.takes_proof, wish.settled.order
            theirs = shown(self._store, order, package, takes, real)
            return replace(known, carrier_proof=theirs.proof, proof_until=theirs.until)
        return known

    def _stop(self, wish: Wish, outcome: Outcome) -> None:
        """It can't be told, or not now: nothing was."""
        if outcome.kind is Kind.RATE_LIMITED:
            self._limited.add(wish.intent.call)
        else:
            self._keep(wish, outcome)
            self._say(wish, outcome)

    def _begin(self, wish: Wish) -> bool:
        """Have the intent on record as `sending`; False where it must not be sent (any more)."""
        sending = replace(
            wish.intent,
            state=IntentState.SENDING,
            attempts=wish.intent.attempts + 1,
            sent_at=self._clockwork.real(),
            lease=self._lane.holder,
        )
        record = partial(self._record, wish.settled, sending, under_lease=True)
        if not self._desk.attempt(wish.order_id, record):
            return False
        wish.intent = sending
        self.calls[wish.order_id, sending.key] += 1
        return True

    def _tell(self, wishes: Sequence[Wish]) -> Sequence[Outcome]:
        """Make the call; what it came to for each wish."""
        market, tellings = self._lane.market, [wish.telling for wish in wishes]
        outcome = self._lane.call(market.tell(tellings, self._lane.shop))
        if len(wishes) > 1 and outcome.kind in (Kind.REFUSED, Kind.MISCONFIGURED):
            # Nothing tells whose fault it was: each is told alone.
            self._singly = True
            outcome = replace(outcome, kind=Kind.LATER, wait=timedelta(0))
        try:
            return market.apart(outcome, tellings)
        except Unreadable as error:
            return [Outcome(Kind.UNCLEAR, reason=str(error))] * len(wishes)

    def _keep(self, wish: Wish, outcome: Outcome) -> None:
        """Have on record what an answer makes of the intent."""
        real, now = self._clockwork.real(), self._shift.now
        self._record(wish.settled, after(wish.intent, outcome, real, now))

    def _end(self, wish: Wish, outcome: Outcome) -> None:
        self._keep(wish, outcome)
        if outcome.kind is Kind.RATE_LIMITED:
            self._limited.add(wish.intent.call)
        if outcome.kind is Kind.UNCLEAR:
            self._shift.report("push.unclear", order_id=wish.order_id, reason=outcome.reason)
        self._say(wish, outcome)

    def _say(self, wish: Wish, outcome: Outcome) -> None:
        self._shift.report(
            "push.attempted",
            order_id=wish.order_id,
            call=wish.intent.call,
            attempt=wish.intent.attempts,
            outcome=outcome.kind.value,
            reason=outcome.reason,
            request_id=outcome.request_id,
        )

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


BEFORE = {
    IntentState.SENDING: (IntentState.PENDING,),
    IntentState.PENDING: (IntentState.SENDING, IntentState.PENDING),
    IntentState.REFUSED: (IntentState.SENDING, IntentState.PENDING),
    **dict.fromkeys((IntentState.UNCLEAR, IntentState.DONE), (IntentState.SENDING,)),
}
"""The states from which the lane may move an intent; settle moves the others."""
