"""One lane per shop: whoever holds its lease makes all calls for it (DESIGN 3.4 and 3.5).

The lane's row holds the lease, the pace, the not-before and the tokens, so that pacing and token
renewal have one writer. All its times are real.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipclock import codec, rows
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Call, Hosts, Kind, Outcome, Shop
from shipclock.ports import Above, Below, Change, Check, NoAnswer, NotSent, Row, Store, Wire
from shipclock.reading import Unreadable
from shipclock.translate import disconnect

LEASE = timedelta(seconds=80)
"""Longer than the function's time-out: a holder that died can't still be sending."""

RESERVE = timedelta(seconds=15)
"""A call is not begun with less of the function's time left."""

RENEW_BEFORE = timedelta(hours=12)
"""How long before its end an access token is renewed. TikTok's live 7 days by default."""

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

    def __init__(
        self,
        store: Store,
        wire: Wire,
        hosts: Hosts,
        clockwork: Clockwork,
        shop: Shop,
        secret: str,
        row: Row,
    ) -> None:
        """Use `take`."""
        self._store = store
        self._wire = wire
        self._hosts = hosts
        self._clockwork = clockwork
        self._secret = secret
        self.shop = shop
        self.holder = str(row["holder"])
        self.market = MARKETPLACES[shop.marketplace]
        self._key = rows.key_of(row)
        self._doc = str(row["doc"])
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
        """Renew the tokens and store both at once; False when it did not work.

        A renewal that was refused outright leaves the shop disconnected: only its owner can mend
        that. One without a clear answer is tried again by the next sweep.
        """
        outcome = self._paced(self.market.refresh(self.shop, self._secret))
        if outcome.kind is not Kind.OK:
            if outcome.kind not in (Kind.UNCLEAR, Kind.LATER, Kind.RATE_LIMITED):
                self._disconnect()
            return False
        try:
            tokens = self.market.read_tokens(outcome)
        except Unreadable:
            return False
        renewed = replace(
            self.shop,
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
            access_expires_at=tokens.access_expires_at,
        )
        document = codec.shop_doc(renewed)
        mark = rows.mark(self._key, rows.at(tokens.access_expires_at - RENEW_BEFORE))
        when = {"holder": self.holder}
        if not self._store.write(Change(self._key, set={**document, **mark}, when=when)):
            raise Busy("the lease was lost while the token was renewed")
        self.shop = renewed
        self._doc = str(document["doc"])
        return True

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
        request = self.market.sign(call, self.shop, self._secret, self._hosts, now)
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
        if row is not None:
            disconnect(self._store, self.shop, row)
        self.shop = replace(self.shop, connected=False)


def take(
    store: Store,
    wire: Wire,
    hosts: Hosts,
    clockwork: Clockwork,
    secret_of: Callable[[Shop], str | None],
    shop_id: str,
    holder: str,
) -> Lane | None:
    """Take a shop's lane; None where another holds it, or it is not (or no longer) connected."""
    key = rows.shop_pk(shop_id), rows.LANE
    now = clockwork.real()
    lease = {"holder": holder, "lease_until": codec.millis(now + LEASE)}
    if not store.write(Change(key, set=lease, when={"lease_until": Below(codec.millis(now))})):
        return None
    row = store.get(key)
    if row is None:
        return None
    shop = codec.read_shop(row)
    secret = secret_of(shop) if shop.connected else None
    if secret is None:
        store.write(Change(key, remove=("holder", "lease_until"), when={"holder": holder}))
        return None
    return Lane(store, wire, hosts, clockwork, shop, secret, row)
