"""One lane per shop: whoever holds its lease makes all calls for it (DESIGN 3.4 and 3.5).

The lane's row holds the lease, the pace and the not-before, so that pacing has one writer. Tokens
stand in the authorisation's row, for shops of one seller share them. All its times are real.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipclock import codec, connect, rows
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Call, Hosts, Keys, Kind, Outcome, Shop, Tokens
from shipclock.ports import (
    Above,
    Below,
    Change,
    Check,
    NoAnswer,
    NotSent,
    Row,
    Store,
    StoreError,
    Wire,
)
from shipclock.reading import Unreadable

LEASE = timedelta(seconds=80)
"""Longer than the function's time-out: a holder that died can't still be sending."""

RESERVE = timedelta(seconds=15)
"""A call is not begun with less of the function's time left."""

RETRY_SECONDS = 0.5

SLOWEST, FASTEST, START = 0.2, 10.0, 3.0
"""Calls per second: start in the low single digits, learn from 429 (`tiktok-shop.md` 6.3)."""

COOL_DOWN = timedelta(seconds=5)
"""Wait after a 429 without `Retry-After`; with jitter on top."""


class Busy(Exception):
    """The lane can't make a call now: too little time left, or it must wait longer than that."""


@dataclass(slots=True)
class Clockwork:
    """The real clock, the sleep that goes with it, and when this invocation's time is over."""

    real: Callable[[], datetime]
    sleep: Callable[[float], None]
    ends_at: datetime

    def allows(self, wait: timedelta = timedelta(0)) -> bool:
        """Whether a call may still begin after that wait."""
        return self.real() + wait + RESERVE <= self.ends_at


class Lane:
    """A held lane. Made by `take`; `release` it in the end."""

    def __init__(self, world: "LaneWorld", shop: Shop, keys: Keys, row: Row) -> None:
        """Use `take`."""
        self._store = world.store
        self._wire = world.wire
        self._hosts = world.hosts
        self._clockwork = world.clockwork
        self._report = world.report
        self._now = world.now
        self._keys = keys
        self.shop = shop
        self.holder = str(row["holder"])
        self.market = MARKETPLACES[shop.marketplace]
        self._key = rows.key_of(row)
        self._auth = rows.authorisation_key(shop.authorisation)
        self._rate = float(row.get("rate", str(START)))
        self._not_before = codec.from_millis(row.get("not_before", 0))

    def call(self, call: Call) -> Outcome:
        """Make a call at the lane's pace; renew the token once where it ran out.

        Raises `Busy` before a call for which there is no time. Never raises for what came back:
        an answer that is none is `UNCLEAR`, a connection that never came about `LATER`.
        """
        outcome = self._paced(call)
        if outcome.kind is Kind.EXPIRED and self._clockwork.allows() and self.renew():
            outcome = self._paced(call)
        if outcome.kind is Kind.DEAUTHORISED:
            self._disconnect()
        return outcome

    def renew(self) -> bool:
        """Have a fresh access token: another lane's renewal, or one of our own; False if neither.

        Shops of one authorisation share the tokens, and another lane may have renewed them. Only
        a clear word that the shop is deauthorised ends the connection: tokens that were refused
        for any other reason are kept and tried again.
        """
        if self._adopt():
            return True
        outcome = self._paced(self.market.refresh(self.shop, self._keys))
        if outcome.kind is Kind.DEAUTHORISED:
            self._disconnect()
        if outcome.kind is not Kind.OK:
            if self._adopt():
                return True
            self._report("token.refused", shop_id=self.shop.shop_id, reason=outcome.reason)
            return False
        try:
            tokens = self.market.read_tokens(outcome)
        except Unreadable as error:
            self._report("token.refused", shop_id=self.shop.shop_id, reason=str(error))
            return False
        self._store_tokens(tokens)
        return True

    def _adopt(self) -> bool:
        """Take over the stored tokens where they are newer than ours."""
        row = self._store.get(self._auth)
        tokens = codec.read_tokens(row) if row else None
        if tokens is None or tokens.access_token == self._keys.access_token:
            return False
        self._use(tokens)
        return True

    def _store_tokens(self, tokens: Tokens) -> None:
        """Keep both tokens in one write. They exist nowhere else, so a table that stumbles is
        asked again for as long as there is time."""
        self._use(tokens)
        real = self._clockwork.real()
        change = Change(
            self._auth,
            set={**codec.tokens_doc(tokens), **connect.renewal_mark(self._auth, tokens, real)},
        )
        while True:
            try:
                self._store.write(change)
                return
            except StoreError:
                if not self._clockwork.allows():
                    self._report("token.lost", shop_id=self.shop.shop_id)
                    raise
                self._clockwork.sleep(RETRY_SECONDS)

    def _use(self, tokens: Tokens) -> None:
        self._keys = replace(
            self._keys, access_token=tokens.access_token, refresh_token=tokens.refresh_token
        )

    def held(self) -> Check:
        """The part of a commit that holds it to this lease: ours, and not run out."""
        now = codec.millis(self._clockwork.real())
        return Check(self._key, {"holder": self.holder, "lease_until": Above(now)})

    def release(self) -> None:
        """Give the lane back, remembering its pace."""
        self._store.write(
            Change(
                self._key,
                set={
                    "rate": f"{self._rate:.2f}",
                    "not_before": codec.millis(self._not_before),
                },
                remove=("holder", "lease_until"),
                when={"holder": self.holder},
            )
        )

    def check_held(self) -> None:
        """Raises `Busy` where the lease is another's by now, or has run out."""
        row = self._store.get(self._key)
        now = codec.millis(self._clockwork.real())
        if row is None or row.get("holder") != self.holder or row["lease_until"] <= now:
            raise Busy("the lease was lost")

    def await_turn(self) -> None:
        """Wait until the pace allows a call. Raises `Busy` where that leaves no time for one."""
        wait = max(self._not_before - self._clockwork.real(), timedelta(0))
        if not self._clockwork.allows(wait):
            raise Busy("no time for another call")
        if wait:
            self._clockwork.sleep(wait.total_seconds())

    def _paced(self, call: Call) -> Outcome:
        self.await_turn()
        now = self._clockwork.real()
        request = self.market.sign(call, self.shop, self._keys, self._hosts, now)
        try:
            outcome = self.market.interpret(call, self._wire.send(request))
        except NoAnswer as silence:
            outcome = Outcome(Kind.UNCLEAR, reason=f"no answer: {silence}")
        except NotSent as failure:
            outcome = Outcome(Kind.LATER, reason=f"not sent: {failure}", wait=COOL_DOWN)
        self._learn(outcome)
        return outcome

    def _learn(self, outcome: Outcome) -> None:
        """Slow down after a 429, quicken little by little after answers."""
        now = self._clockwork.real()
        if outcome.kind is Kind.RATE_LIMITED:
            self._rate = max(self._rate / 2, SLOWEST)
            jitter = timedelta(seconds=random.random())  # noqa: S311  spreads load, no secret
            self._not_before = now + (outcome.wait or COOL_DOWN + jitter)
            return
        if outcome.kind is Kind.OK:
            self._rate = min(self._rate * 1.05, FASTEST)
        self._not_before = now + timedelta(seconds=1 / self._rate)

    def _disconnect(self) -> None:
        row = self._store.get(self._key)
        if row is not None and self.shop.connected:
            self._report("shop.disconnected", shop_id=self.shop.shop_id)
            connect.disconnect(
                self._store, codec.read_shop(row), row, self._now, self._clockwork.real()
            )
        self.shop = replace(self.shop, connected=False)


@dataclass(frozen=True, slots=True)
class LaneWorld:
    """What every lane of a sweep works with."""

    store: Store
    wire: Wire
    hosts: Hosts
    clockwork: Clockwork
    now: datetime
    secret_of: Callable[[Shop], str | None]
    report: Callable[..., None]


def take(world: LaneWorld, shop_id: str, holder: str) -> Lane | None:
    """Take a shop's lane; None where another holds it, or it is not (or no longer) connected."""
    key = rows.shop_pk(shop_id), rows.LANE
    real = world.clockwork.real()
    lease = {"holder": holder, "lease_until": codec.millis(real + LEASE)}
    free = {"lease_until": Below(codec.millis(real))}
    if not world.store.write(Change(key, set=lease, when=free)):
        return None
    row = world.store.get(key)
    shop = codec.read_shop(row) if row else None
    if row is not None and shop is not None and shop.connected:
        secret = world.secret_of(shop)
        stored = world.store.get(rows.authorisation_key(shop.authorisation))
        if secret is not None and stored is not None:
            tokens = codec.read_tokens(stored)
            keys = Keys(secret, tokens.access_token, tokens.refresh_token)
            return Lane(world, shop, keys, row)
    world.store.write(Change(key, remove=("holder", "lease_until"), when={"holder": holder}))
    return None
