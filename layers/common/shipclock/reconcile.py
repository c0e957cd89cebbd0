"""Heal what was lost: search what changed and keep what is new of it (DESIGN 3.9).

A cursor is the largest `update_time` that the search itself returned. It moves page by page, after
the page's rows are kept, and reads two hours back; webhooks, re-reads and our clock never move it.
A search that one sweep can't finish is gone on with at the very page: reading two hours back anew
each minute, a shop that changes more in two hours than a sweep can read would never get ahead.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipclock import backoff, codec, rows
from shipclock.board import partitions
from shipclock.clockwork import Busy, Clockwork
from shipclock.connect import reconcile_key
from shipclock.domain.event import Hint
from shipclock.domain.order import ENDED, OPEN_STAGES
from shipclock.domain.times import parse, stamp
from shipclock.judge import Settled
from shipclock.lane import LEASE
from shipclock.marketplaces.protocol import Kind, OrderRow, SearchPage
from shipclock.marks import settle_anew
from shipclock.ports import Change, Put, Row, Store
from shipclock.reading import Unreadable, digest
from shipclock.shift import Guarded, Shift
from shipclock.snapshots import keep_snapshot
from shipclock.watching import day_to_watch, watch

PAGE = 100
EVERY = timedelta(minutes=15)
OVERLAP = timedelta(hours=2)
FIRST_LOOK = timedelta(days=30)

SIDE_BY_SIDE = 8
SEVERAL = 16
"""From how many orders of a page on they are kept side by side. A page of new ones takes the table
several seconds one by one, and calls wait for it."""

STALE = (Kind.OK, Kind.REFUSED, Kind.MISCONFIGURED, Kind.EXPIRED)
"""What may come back for the token of a page that was left for later (`OK`: an answer that can't be
read). How long such a token lives is not told (`tiktok-shop.md` 6.5), so the search starts over."""


@dataclass(slots=True)
class Places:
    """How far a shop's searches have come, as its row holds it.

    `cursors` are instants by search; `left` is where a search broke off that has not come to its
    end: from when it reads, and the token of the page to go on with.
    """

    cursors: dict[str, str]
    left: dict[str, dict[str, str]]

    def start(self, name: str, now: datetime) -> tuple[datetime, str]:
        """From when a search reads, and the token of its first page."""
        if name in self.left:
            return parse(self.left[name]["since"]), self.left[name]["token"]
        if name in self.cursors:
            return parse(self.cursors[name]) - OVERLAP, ""
        return now - FIRST_LOOK, ""

    def advance(self, name: str, since: datetime, page: SearchPage) -> bool:
        """Move on past a page, the cursor never back; whether anything changed."""
        before = dict(self.cursors), dict(self.left)
        if page.latest is not None:
            self.cursors[name] = max(self.cursors.get(name, ""), stamp(page.latest))
        if page.next_token:
            self.left[name] = {"since": stamp(since), "token": page.next_token}
        else:
            self.left.pop(name, None)
        return (self.cursors, self.left) != before


class Reconciler:
    """Reconciles the shop of a held lane at `now`."""

    def __init__(self, shift: Shift) -> None:
        """Works for the shop of the shift's lane."""
        self._store = shift.store
        self._lane = shift.lane
        self._clockwork = shift.clockwork
        self._now = shift.now
        self._settle = shift.settle
        self._report = shift.report
        self._guard = shift.guard

    def run(self) -> None:
        """Wake what waited for a reconnection, then run every search to its end.

        A search that fails does not hold up the others, unless the marketplace does not answer at
        all; the whole is then tried again soon. Where the time is over the row stays due and the
        next sweep goes on from there.
        """
        row_key = reconcile_key(self._lane.shop.shop_id)
        row = self._store.get(row_key)
        if row is None or not rows.is_due(row, self._now):
            return
        until = codec.from_millis(row.get("wake_from", 0)) + LEASE
        waiting = rows.at_once(until)  # the same for as long as it waits: one search is enough
        left = until - self._clockwork.real()
        if row["due_at"] == waiting and left > timedelta(0):
            if not self._clockwork.allows(left):
                return
            self._clockwork.sleep(left.total_seconds())
        try:
            waits = wake(self._store, row, self._clockwork, self._guard, self._settle)
            failed = self._search_all(Places(dict(row["cursors"]), dict(row.get("left", {}))))
        except Busy:
            return
        failures = row["failures"] + 1 if failed else 0
        again = (
            backoff.after(backoff.RECONCILE, failures, self._now) if failed else self._now + EVERY
        )
        due_at = waiting if waits else rows.at(again)
        mark = rows.mark(row_key, due_at) if self._lane.shop.connected else {}
        self._store.write(
            Change(
                row_key,
                set={"failures": failures, **self._watched(row), **mark},
                remove=() if mark else rows.MARK,
                when={"due_at": row["due_at"]},
            )
        )

    def _watched(self, row: Row) -> Row:
        """Have the day's word on the shop's signals said, now that what changed is known; what the
        row remembers of it. What goes wrong in it is tried again by the next run."""
        shop, watched = self._lane.shop, {}
        with self._guard((rows.signals_pk(shop.shop_id), rows.RECONCILE), "signals"):
            day = day_to_watch(shop, self._now)
            if row.get("watched", "") < day and self._clockwork.allows():
                told = watch(self._store, shop, self._now, self._clockwork.real())
                self._report("signals.watched", shop_id=shop.shop_id, **told)
                watched = {"watched": day}
        return watched

    def _search_all(self, places: Places) -> bool:
        """Run the searches; whether any of them failed."""
        failed = False
        for name in self._lane.market.SEARCHES:
            if not self._lane.shop.connected:
                break
            outcome = self._search(name, places)
            failed |= outcome is not Kind.OK
            if outcome in (Kind.UNCLEAR, Kind.LATER, Kind.EXPIRED):
                break
        return failed

    def _search(self, name: str, places: Places) -> Kind:
        """Read one search from its place to its end; OK, or why it broke off."""
        resumed = name in places.left
        since, token = places.start(name, self._now)
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
                if resumed and outcome.kind in (*STALE, Kind.UNCLEAR):
                    del places.left[name]
                    self._save(places)
                if resumed and outcome.kind in STALE:
                    resumed = False
                    since, token = places.start(name, self._now)
                    continue
                return Kind.REFUSED if outcome.kind is Kind.OK else outcome.kind
            resumed = False
            self._keep(page, requested_at)
            ends = not page.next_token or page.next_token == token
            if places.advance(name, since, replace(page, next_token="") if ends else page):
                self._save(places)
            if ends:
                return Kind.OK
            token = page.next_token

    def _keep(self, page: SearchPage, requested_at: datetime) -> None:
        shop_id = self._lane.shop.shop_id
        for odd in page.unreadable:
            told = {"order_id": odd.order_id, "reason": odd.reason}
            self._report("order.unreadable", shop_id=shop_id, **told)
            if odd.order_id:
                self._ask_again(odd.order_id, requested_at)
        fresh = [order for order in page.orders if self._tells_something(order)]
        if len(fresh) < SEVERAL:
            for order in fresh:
                self._keep_order(order, requested_at)
        else:
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                for _ in pool.map(lambda order: self._keep_order(order, requested_at), fresh):
                    pass
        for case in page.cases:
            new = self._store.write(Put(codec.event_row(case, requested_at)))
            asked = case.case == "cancellation" and case.role in ("BUYER", "")
            if new and asked and self._is_open(case.order_id):
                # A request that is answered changes no `update_time` of its order.
                self._ask_again(case.order_id, requested_at)

    def _tells_something(self, order: OrderRow) -> bool:
        head = self._store.get((rows.order_pk(order.order_id), rows.HEAD))
        return head is None or head.get("facts") != codec.facts_digest(order.facts)

    def _keep_order(self, order: OrderRow, requested_at: datetime) -> None:
        """Keep what a search told of an order, and settle it at once: after an outage there are
        more of them than the `due` index gives a sweep, and others wait in it."""
        kept = False
        with self._guard((rows.order_pk(order.order_id), rows.HEAD), "order"):
            keep_snapshot(self._store, self._lane.shop.shop_id, order, requested_at, self._now)
            kept = True
            self._settle(order.order_id)
        if not kept:
            self._ask_again(order.order_id, requested_at)

    def _is_open(self, order_id: str) -> bool:
        head = self._store.get((rows.order_pk(order_id), rows.HEAD))
        return head is None or head["status"] not in ENDED

    def _ask_again(self, order_id: str, requested_at: datetime) -> None:
        """Leave a hint of an order that could not be kept, or of which only a case is known: the
        cursor moves past it, so that from here on its re-read is what brings it."""
        hint = Hint(
            digest("reconciliation", order_id, requested_at.isoformat()),
            order_id,
            self._lane.shop.shop_id,
            "reconciliation",
            requested_at,
        )
        self._store.write(Put(codec.event_row(hint, requested_at)))

    def _save(self, places: Places) -> None:
        row_key = reconcile_key(self._lane.shop.shop_id)
        told = {"cursors": dict(places.cursors), "left": dict(places.left)}
        self._store.write(Change(row_key, set=told))


def wake(
    store: Store,
    row: Row,
    clockwork: Clockwork,
    guard: Guarded,
    settle: Callable[[str], Settled | None],
) -> bool:
    """Settle each open order of a shop that was connected again or whose settings were changed, as
    its reconciliation's row says, so that what waits comes back into `due`.

    True while it has to wait, until no sweep can be under way any more that still knows the shop as
    it was. `wake` is how far it has come: a partition of the board, a place in it. Raises `Busy`
    where the time is over.
    """
    if "wake" not in row:
        return False
    if clockwork.real() < codec.from_millis(row["wake_from"]) + LEASE:
        return True
    row_key = rows.key_of(row)
    places = partitions(row_key[0].removeprefix("SHOP#"), OPEN_STAGES)
    partition, _, start = str(row["wake"]).partition("|")
    place = places.index(partition) if partition in places else 0
    unchanged = {"wake_from": row["wake_from"]}
    while place < len(places):
        if not clockwork.allows():
            raise Busy("more orders are to be looked at")
        page = store.board(places[place], PAGE, start or None)
        for line in page.rows:
            settle_anew(store, line["pk"], clockwork.real, guard, settle)
        place, start = (place, page.next) if page.next else (place + 1, "")
        if place < len(places):
            there = Change(row_key, set={"wake": f"{places[place]}|{start}"}, when=unchanged)
            if not store.write(there):
                return True  # another sweep is through, or it is to be begun anew
    return not store.write(Change(row_key, remove=("wake", "wake_from"), when=unchanged))
