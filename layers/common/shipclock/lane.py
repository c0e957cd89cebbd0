"""One lane per shop: whoever holds its lease makes all calls for it (DESIGN 3.4 and 3.5).

The lane's row holds the lease, the pace and the not-before, so that pacing has one writer. Tokens
stand in the authorisation's row, for shops of one seller share them. All its times are real.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from shipclock import backoff, codec, connect, rows
from shipclock.addresses import may_fetch
from shipclock.clockwork import Busy, Clockwork
from shipclock.domain.times import EPOCH
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Call, Hosts, Keys, Kind, Outcome, Shop, Tokens
from shipclock.ports import (
    Above,
    Below,
    Change,
    Check,
    HttpReply,
    HttpRequest,
    NoAnswer,
    NotSent,
    Row,
    Store,
    StoreError,
    Wire,
)
from shipclock.reading import Unreadable
from shipclock.renewal import Claim, Renewal
from shipclock.skew import SKEWED, skew

LEASE = timedelta(seconds=80)
"""Longer than the function's time-out: a holder that died can't still be sending."""

UNANSWERED = timedelta(seconds=30)
"""Before tokens are renewed again after a renewal that brought no answer."""

SLOWEST, FASTEST, START = 0.2, 10.0, 3.0
"""Calls per second: start in the low single digits, learn from 429 (`tiktok-shop.md` 6.3)."""

HTTP_OK = 200

COOL_DOWN = timedelta(seconds=5)
"""Wait after a 429 without `Retry-After`; with jitter on top."""


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
        auth = rows.authorisation_key(shop.authorisation)
        self._renewal = Renewal(
            self._store, auth, self.holder, self._clockwork, self._now, self._report
        )
        self._skew_told = False
        self._rate = float(row.get("rate", str(START)))
        self._not_before = codec.from_millis(row.get("not_before", 0))
        self._asked_again_at = EPOCH
        self._held_until: datetime | None = EPOCH
        """No call before: the token is to be renewed first. None: not in this sweep."""

    def call(self, call: Call) -> Outcome:
        """Make a call at the lane's pace; renew the token once where it is refused.

        Also where the answer is that the shop is deauthorised: a renewal tells that for sure.
        While that can't be asked the answer counts as an expired token, and the shop stays. Where
        nobody answered a renewal, or there is no time for one, it counts as one of too many calls:
        the lane waits until it may be renewed, or is `Busy` until the next sweep.
        Raises `Busy` before a call for which there is no time. Never raises for what came back:
        an answer that is none is `UNCLEAR`, a connection that never came about `LATER`.
        """
        outcome = self._paced(call)
        if outcome.kind not in (Kind.EXPIRED, Kind.DEAUTHORISED):
            return outcome
        try:
            renewed = self._renew()
            if renewed is Renewed.UNANSWERED:
                self._held_until = self._asked_again_at
                return replace(outcome, kind=Kind.RATE_LIMITED, reason="the token is not renewed")
            if renewed is Renewed.FRESH:
                outcome = self._paced(call)
        except Busy as not_yet:
            self._held_until = None
            return replace(outcome, kind=Kind.RATE_LIMITED, reason=str(not_yet))
        if outcome.kind is Kind.DEAUTHORISED:
            if renewed is Renewed.NOT_NOW:
                return replace(outcome, kind=Kind.EXPIRED)
            self._disconnect()
        return outcome

    @property
    def tokenless(self) -> bool:
        """Whether no call can be made until the token may be renewed."""
        return self._held_until is None or self._held_until > self._clockwork.real()

    def renew(self) -> bool:
        """Have a fresh access token: another lane's renewal, or one of our own; False if neither.

        Only a clear word that the shop is deauthorised ends the connection: tokens that were
        refused for any other reason are kept and tried again, and the seller is told.
        """
        return self._renew() is Renewed.FRESH

    def _renew(self) -> "Renewed":
        self.await_turn()
        found = self._renewal.begin(self._keys.access_token)
        if isinstance(found, Tokens):
            self._use(found)
            return Renewed.FRESH
        return Renewed.NOT_NOW if found is None else self._renew_from(found)

    def _renew_from(self, claim: Claim) -> "Renewed":
        keys = replace(self._keys, refresh_token=claim.tokens.refresh_token)
        try:
            outcome = self._paced(self.market.refresh(self.shop, keys))
        except Busy:
            self._renewal.give_up(timedelta(0), broken=claim.broken)
            raise
        if outcome.kind is Kind.OK:
            try:
                tokens = self._renewal.keep(claim, self.market.read_tokens(outcome))
            except Unreadable as error:
                outcome = Outcome(Kind.UNCLEAR, reason=str(error))
            else:
                self._use(tokens)
                self._tell_end(tokens)
                return Renewed.FRESH
        return self._not_renewed(claim, outcome)

    def _not_renewed(self, claim: Claim, outcome: Outcome) -> "Renewed":
        """What a renewal's answer without tokens means: lost, to be asked again, or refused."""
        shop_id, broken = self.shop.shop_id, claim.broken
        if outcome.kind is Kind.DEAUTHORISED:
            self._renewal.give_up(timedelta(0))
            self._disconnect()
            return Renewed.LOST
        self._report("token.refused", shop_id=shop_id, reason=outcome.reason)
        if outcome.kind in (Kind.UNCLEAR, Kind.LATER, Kind.RATE_LIMITED):
            broken = broken or outcome.kind is Kind.UNCLEAR
            wait = outcome.wait or UNANSWERED
            self._renewal.give_up(wait, broken)
            self._asked_again_at = self._clockwork.real() + wait
            return Renewed.UNANSWERED
        self._renewal.give_up(backoff.RENEW, broken, refused=True)
        shop, real = replace(self.shop, shop_id=claim.row["shop_id"]), self._clockwork.real()
        refusal = (claim.tokens, outcome, broken)
        with self._told_later():
            connect.tell_refused(self._store, shop, *refusal, self._now, real)
        return Renewed.REFUSED

    @contextmanager
    def _told_later(self) -> Iterator[None]:
        """What the table does not take is told at the next occasion: a call must not fail of it."""
        try:
            yield
        except StoreError as fault:
            self._report("table.failing", key="/".join(self._key), fault=repr(fault)[:500])

    def _tell_end(self, tokens: Tokens) -> None:
        """Tell the seller where the authorisation ends soon, should no webhook do so."""
        ends_at, real = tokens.refresh_expires_at, self._clockwork.real()
        if ends_at is not None and ends_at - real <= connect.TELL_BEFORE:
            with self._told_later():
                connect.expiring(self._store, self.shop.shop_id, ends_at, self._now, real)

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
        """Wait until the pace allows a call. Raises `Busy` where that leaves no time for one, and
        where the token that it needs is another lane's to renew, later."""
        if self._held_until is None:
            raise Busy("the token can't be renewed yet")
        begins = max(self._not_before, self._held_until)
        wait = max(begins - self._clockwork.real(), timedelta(0))
        if not self._clockwork.allows(wait):
            raise Busy("no time for another call")
        if wait:
            self._clockwork.sleep(wait.total_seconds())

    def _paced(self, call: Call) -> Outcome:
        self.await_turn()
        now = self._clockwork.real()
        request = self.market.sign(call, self.shop, self._keys, self._hosts, now)
        try:
            reply = self._wire.send(request)
            self._look_at_clock(reply.headers, now)
            outcome = self._interpreted(call, reply)
        except NoAnswer as silence:
            outcome = Outcome(Kind.UNCLEAR, reason=f"no answer: {silence}")
        except NotSent as failure:
            outcome = Outcome(Kind.LATER, reason=f"not sent: {failure}", wait=COOL_DOWN)
        self._learn(outcome)
        return outcome

    def fetch(self, url: str) -> HttpReply | None:
        """A file that an answer named, by an address that needs no signature; None where it can't
        be had now, or not from there. At the lane's pace, and no token goes with it."""
        if not may_fetch(url, self._hosts.api):
            return None
        self.await_turn()
        try:
            reply = self._wire.send(HttpRequest("GET", url, {}))
        except (NoAnswer, NotSent):
            return None
        self._not_before = self._clockwork.real() + timedelta(seconds=1 / self._rate)
        return reply if reply.status == HTTP_OK and reply.body else None

    def _interpreted(self, call: Call, reply: HttpReply) -> Outcome:
        """What an answer means. One that repeats what we sent brings no secret into log or API."""
        if not call.auth:
            return self.market.interpret(call, replace(reply, body=self._hushed(reply.body)))
        outcome = self.market.interpret(call, reply)
        return replace(outcome, reason=self._hushed(outcome.reason.encode()).decode())

    def _hushed(self, told: bytes) -> bytes:
        keys = self._keys
        for secret in (keys.app_secret, keys.access_token, keys.refresh_token):
            told = told.replace(secret.encode(), b"[secret]") if secret else told
        return told

    def _look_at_clock(self, headers: Mapping[str, str], sent_at: datetime) -> None:
        """Tell, once per lane, where our clock and the marketplace's are far apart."""
        off = skew(headers, sent_at, self._clockwork.real())
        if not self._skew_told and abs(off) >= SKEWED:
            self._skew_told = True
            seconds = int(off.total_seconds())
            self._report("clock.skew", shop_id=self.shop.shop_id, seconds=seconds)

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


class Renewed(Enum):
    """What a wish for fresh tokens came to."""

    FRESH = "fresh"
    UNANSWERED = "unanswered"
    NOT_NOW = "not now"
    REFUSED = "refused"
    LOST = "lost"


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
