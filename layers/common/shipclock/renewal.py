"""Renewing the tokens of an authorisation: one renewal at a time, whichever lanes want one.

Shops of one seller share an authorisation's tokens and each shop has a lane of its own, so two
lanes may find the same token expired in the same moment. Who takes the lease on the row renews;
the others wait for what comes of it. The tokens are written over exactly those they were made
from, so that a new connection is never overwritten by a renewal that began before it. Times are
real, but for our own back-off after a refusal, which is over by either clock (DESIGN 3.7).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipclock import codec, connect, rows
from shipclock.clockwork import Busy, Clockwork
from shipclock.domain.times import stamp
from shipclock.marketplaces.protocol import Tokens
from shipclock.ports import Below, Change, Key, Row, Store, StoreError

LEASE = timedelta(seconds=80)
"""Longer than the function's time-out: a holder that died can't still be renewing."""

PATIENCE = timedelta(seconds=15)
"""How long a lane waits for another's renewal: a call is given up after ten seconds."""

PAUSE = 0.5

HELD = ("renewer", "renew_until")
"""The lease: who renews, and until when at most."""

TROUBLE = ("renew_from", "renew_at", "broken")
"""How the last renewal ended that brought nothing: no new one before, in real time and by a
sweep's `now`; and whether its answer is missing, so that the marketplace may have replaced the
refresh token without our knowing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to renew these tokens. `broken`: an earlier renewal's answer never came."""

    tokens: Tokens
    row: Row
    broken: bool


@dataclass(frozen=True, slots=True)
class Renewal:
    """The row of one authorisation's tokens, as one lane uses it."""

    store: Store
    key: Key
    holder: str
    clockwork: Clockwork
    now: datetime
    report: Callable[..., None]

    def begin(self, access_token: str) -> Tokens | Claim | None:
        """Tokens that are newer than ours, or the right to renew; None: neither, by now.

        Waits while another lane renews. Raises `Busy` after a renewal that nobody answered, until
        it may be asked again; after one that was refused there is none until its back-off is over.
        """
        give_up = self.clockwork.real() + PATIENCE
        while True:
            row = self.store.get(self.key)
            if row is None:
                return None
            tokens = codec.read_tokens(row)
            if tokens.access_token != access_token:
                return tokens
            real = self.clockwork.real()
            if row.get("renew_from", 0) > codec.millis(real):
                if "renew_at" not in row:
                    raise Busy("the token can't be renewed yet")
                if row["renew_at"] > stamp(self.now):
                    return None
            if self._claim(row, real):
                return Claim(tokens, row, "broken" in row or "renewer" in row)
            if real >= give_up or not self.clockwork.allows(timedelta(seconds=PAUSE)):
                return None
            self.clockwork.sleep(PAUSE)

    def _claim(self, row: Row, real: datetime) -> bool:
        mine = row.get("renewer") == self.holder
        free = {"renewer": self.holder} if mine else {"renew_until": Below(codec.millis(real))}
        lease = {"renewer": self.holder, "renew_until": codec.millis(real + LEASE)}
        return self.store.write(Change(self.key, set=lease, when={"doc": row["doc"], **free}))

    def keep(self, claim: Claim, tokens: Tokens) -> Tokens:
        """Keep new tokens, all in one write; returns those that count from now on.

        They exist nowhere else, so a table that stumbles is asked again for as long as there is
        time. Where the shop was connected anew meanwhile, that connection's tokens stay.
        """
        old = claim.tokens
        tokens = replace(
            tokens,
            refresh_expires_at=tokens.refresh_expires_at or old.refresh_expires_at,
            scopes=tokens.scopes or old.scopes,
        )
        mark = connect.renewal_mark(self.key, tokens, self.clockwork.real())
        change = Change(
            self.key,
            set={**codec.tokens_doc(tokens), **mark},
            remove=(*HELD, *TROUBLE, *(() if mark else rows.MARK)),
            when={"doc": claim.row["doc"]},
        )
        while True:
            try:
                if self.store.write(change):
                    return tokens
                row = self.store.get(self.key)
                return codec.read_tokens(row) if row else tokens
            except StoreError:
                if not self.clockwork.allows():
                    self.report("token.lost", shop_id=claim.row["shop_id"])
                    raise
                self.clockwork.sleep(PAUSE)

    def give_up(self, wait: timedelta, broken: bool = False, refused: bool = False) -> None:
        """End a renewal that brought nothing; the next is not begun before the wait is over. After
        one that was `refused` that is our own back-off."""
        said: Row = {"renew_from": codec.millis(self.clockwork.real() + wait)} if wait else {}
        if refused:
            said["renew_at"] = stamp(self.now + wait)
        if broken:
            said["broken"] = True
        gone = HELD if refused else (*HELD, "renew_at")
        self.store.write(Change(self.key, set=said, remove=gone, when={"renewer": self.holder}))
