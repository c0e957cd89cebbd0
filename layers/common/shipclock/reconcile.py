"""Heal what was lost: search what changed and keep what is new of it (DESIGN 3.9).

A cursor is the largest `update_time` that the search itself returned. It moves page by page, after
the page's rows are kept, and reads two hours back; webhooks, re-reads and our clock never move it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from shipclock import backoff, codec, rows
from shipclock.domain.times import parse, stamp
from shipclock.lane import Busy, Clockwork, Lane
from shipclock.marketplaces.protocol import Kind, SearchPage
from shipclock.ports import Change, Key, Put, Store
from shipclock.reading import Unreadable
from shipclock.snapshots import keep_snapshot

EVERY = timedelta(minutes=15)
OVERLAP = timedelta(hours=2)
FIRST_LOOK = timedelta(days=30)

Report = Callable[..., None]


def key(shop_id: str) -> Key:
    """The key of a shop's reconciliation row."""
    return rows.shop_pk(shop_id), rows.RECONCILE


def begin(store: Store, shop_id: str, real: datetime) -> None:
    """Have a shop reconciled from now on; nothing happens where it is already."""
    pk, sk = key(shop_id)
    mark = rows.mark((pk, sk), rows.at_once(real))
    store.write(Put({"pk": pk, "sk": sk, "cursors": {}, "failures": 0, **mark}))


class Reconciler:
    """Reconciles the shop of a held lane at `now`."""

    def __init__(
        self, store: Store, lane: Lane, clockwork: Clockwork, now: datetime, report: Report
    ) -> None:
        """Works under that lane."""
        self._store = store
        self._lane = lane
        self._clockwork = clockwork
        self._now = now
        self._report = report

    def run(self) -> set[str]:
        """Run every search to its end; the orders that something new was kept of.

        A search that fails does not hold up the others; the whole is then tried again soon. Where
        the time is over the row stays due and the next sweep goes on from the cursors.
        """
        row_key = key(self._lane.shop.shop_id)
        row = self._store.get(row_key)
        if row is None or "due_at" not in row:
            return set()
        touched: set[str] = set()
        cursors: dict[str, str] = dict(row["cursors"])
        failed = False
        for name in self._lane.market.SEARCHES:
            if not self._lane.shop.connected:
                break
            try:
                failed |= not self._search(name, cursors, touched)
            except Busy:
                return touched
        failures = row["failures"] + 1 if failed else 0
        again = (
            backoff.after(backoff.RECONCILE, failures, self._now) if failed else self._now + EVERY
        )
        mark = rows.mark(row_key, rows.at(again)) if self._lane.shop.connected else {}
        self._store.write(
            Change(
                row_key,
                set={"failures": failures, **mark},
                remove=() if mark else rows.MARK,
                when={"due_at": row["due_at"]},
            )
        )
        return touched

    def _search(self, name: str, cursors: dict[str, str], touched: set[str]) -> bool:
        """Read one search from its cursor to its end; False where it failed."""
        since = parse(cursors[name]) - OVERLAP if name in cursors else self._now - FIRST_LOOK
        token = ""
        while True:
            self._lane.await_turn()
            requested_at = self._clockwork.real()
            call = self._lane.market.search(name, since, token)
            outcome = self._lane.call(call)
            if outcome.kind is Kind.RATE_LIMITED:
                continue
            page = SearchPage()
            reason = outcome.reason
            if outcome.kind is Kind.OK:
                try:
                    page = self._lane.market.read_page(name, outcome, self._lane.shop)
                except Unreadable as error:
                    reason = str(error)
            if reason:
                shop_id = self._lane.shop.shop_id
                self._report("reconcile.failed", shop_id=shop_id, search=name, reason=reason)
                return False
            self._keep(page, requested_at, touched)
            self._advance(name, page, cursors)
            if not page.next_token or page.next_token == token:
                return True
            token = page.next_token

    def _keep(self, page: SearchPage, requested_at: datetime, touched: set[str]) -> None:
        shop_id = self._lane.shop.shop_id
        for problem in page.unreadable:
            self._report("order.unreadable", shop_id=shop_id, reason=problem)
        for order in page.orders:
            head = self._store.get((rows.order_pk(order.order_id), rows.HEAD))
            if head is None or head.get("facts") != codec.facts_digest(order.facts):
                keep_snapshot(self._store, shop_id, order, requested_at, self._now)
                touched.add(order.order_id)
        for case in page.cases:
            if self._store.write(Put(codec.event_row(case, requested_at))):
                touched.add(case.order_id)

    def _advance(self, name: str, page: SearchPage, cursors: dict[str, str]) -> None:
        """Move the cursor forward, never back, to what this page itself showed."""
        if page.latest is None or cursors.get(name, "") >= stamp(page.latest):
            return
        cursors[name] = stamp(page.latest)
        self._store.write(Change(key(self._lane.shop.shop_id), set={"cursors": dict(cursors)}))
