"""Settle an order: read its facts strongly, fold, decide, commit (DESIGN 3.2).

The only writer of heads, verdicts, notices and new intents. A head is written only over the
version that was read, so that of two settles one wins and the other starts over with fresh facts.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipclock import chain, codec, rows
from shipclock.board import NO_CLOCK
from shipclock.book import Book, read_book
from shipclock.chain import Anchor, Extension
from shipclock.counting import count, counted
from shipclock.domain.clock import Clock, Notice, Verdict, VerdictState
from shipclock.domain.push import Intent
from shipclock.domain.times import stamp
from shipclock.incidents import DeclaredOf
from shipclock.judge import Settled, ShopOf, judge
from shipclock.keeping import RAW_KEPT, Keeping, keeping
from shipclock.marks import clear_marks, intent_mark
from shipclock.ports import ABSENT, Change, Put, Row, Store, StoreError
from shipclock.rules import Timeline

TRIES = 8
STANDING = VerdictState.STANDING
BUYER_KEPT = timedelta(days=120)
"""How long personal data is kept after the order ended (DESIGN 3.12)."""


class LostRaces(StoreError):
    """Another settle won every time; the order stays due."""


def settle(
    store: Store,
    shop_of: ShopOf,
    order_id: str,
    now: datetime,
    real: datetime,
    raw_kept: timedelta = RAW_KEPT,
    declared: DeclaredOf | None = None,
) -> Settled | None:
    """Settle one order at `now`; None where nothing at all is kept of it.

    `declared` tells the incidents, by default read anew. Per order neither `now` nor what is known
    of incidents runs back. A delivery is kept for `raw_kept`, and longer while its order may need
    it. Raises `StoreError` when the table fails or races are lost again and again; the order then
    stays due.
    """
    for _ in range(TRIES):
        book = read_book(store, order_id)
        if not book.rows:
            return None
        settled = judge(store, book, shop_of, now, real, declared)
        if not settled.known:
            clear_marks(store, book, settled, real)
            return settled
        kept = keeping(settled.order, book.facts(), book.one(rows.HEAD), raw_kept, real)
        for change in kept.writes:
            store.write(change)
        extension, writes = _writes(book, settled, kept, real)
        if store.commit(writes) if len(writes) > 1 else store.write(writes[0]):
            clear_marks(store, book, settled, real)
            _forget_buyer(store, book, settled)
            return replace(settled, anchor=extension.anchor) if extension else settled
    raise LostRaces(f"order {order_id} was settled by others {TRIES} times in a row")


@dataclass(frozen=True, slots=True)
class Beside:
    """What else a settle brings up to date in the head: the chain, how long deliveries are kept,
    and what the order counts as."""

    extension: Extension | None
    kept: Keeping
    counts: Row

    @property
    def unbound(self) -> bool:
        """Whether facts are left that the next settle has to bind."""
        return self.extension is not None and self.extension.more

    @property
    def head(self) -> Row:
        """The head's attributes for all of it."""
        return {**(self.extension.head if self.extension else {}), **self.kept.head, **self.counts}


def _writes(
    book: Book, settled: Settled, kept: Keeping, real: datetime
) -> tuple[Extension | None, list[Put | Change]]:
    """The head first, then what follows from it, all of it bound by the chain; and what the order
    counts as among its shop's signals."""
    made = [_made_write(book, one, settled, real) for one in settled.kept]
    told = [_after(book, write) for write in made]
    now, links = settled.situation.now, chain.read(book.rows)
    met = (*book.facts(), *settled.matched.words(settled.order, links.incidents))
    extension = chain.extend(book.order_id, links, met, told, now, real)
    about, ticking = settled.situation, settled.decision.timeline
    found = counted(settled.order, ticking, about.policy, about.shop)
    counts, changes = count(settled.order, found, book.one(rows.HEAD) or {})
    changes = [*changes, *settled.matched.writes(settled.order, now)]
    head = _head_write(book, settled, Beside(extension, kept, counts), real)
    if extension is None:
        return None, [head, *made, *changes]
    said = [_anchored(write, extension.anchor) for write in made]
    sealed = [Put(extension.sealed)] if extension.sealed else []
    return extension, [head, *said, *changes, *sealed]


def _anchored(write: Put | Change, anchor: Anchor) -> Put | Change:
    """What is announced says how far the chain has come: there nobody can change it any more."""
    if write.key[1].startswith(rows.PUSH):
        return write
    said = {"anchor": str(anchor)}
    if isinstance(write, Put):
        return replace(write, row={**write.row, **said})
    return replace(write, set={**write.set, **said})


def _after(book: Book, write: Put | Change) -> Row:
    """A row of the order as it is once it is written."""
    if isinstance(write, Put):
        return write.row
    return {**(book.one(write.key[1]) or {}), **write.set}


def _made_write(
    book: Book, made: Verdict | Notice | Intent, settled: Settled, real: datetime
) -> Put | Change:
    if isinstance(made, Verdict):
        return _verdict_write(book, made, settled, real)
    if isinstance(made, Notice):
        pk = rows.order_pk(book.order_id)
        return Put(codec.notice_row(pk, made, real, settled.order.shop_id))
    return _intent_write(book, made, settled, real)


def _verdict_write(book: Book, verdict: Verdict, settled: Settled, real: datetime) -> Put | Change:
    """Put a new verdict, or turn an earlier one; marked to be announced where that is news.

    Of a verdict that was over, or whose order had ended, before anybody looked nobody needs an
    alarm, and then none that it was taken back either. One that turns before it was said is said
    as it was, too.
    """
    row = codec.verdict_row(book.order_id, settled.order.shop_id, verdict, real)
    earlier, stands = settled.recorded.verdicts.get(verdict.key), verdict.state is STANDING
    known = book.one(row["sk"])
    if earlier is None or known is None:
        told = stands and not settled.order.ended
    else:
        told = verdict.state is not earlier.state and (stands or bool(known.get("told")))
    mark = {name: row.pop(name) for name in rows.MARK}
    # how often: what is announced again is told apart from what is announced anew
    said = {"told": int(known.get("told", 0) if known else 0) + 1, **mark} if told else {}
    if known is None:
        return Put({**row, **said})
    change = Change(rows.key_of(row), set={"doc": row["doc"], "state": row["state"], **said})
    if not told or "due_at" not in known:
        return change
    seen = {name: known.get(name, ABSENT) for name in ("due_at", rows.UNSAID)}  # said meanwhile?
    return replace(change, set={**change.set, **codec.unsaid_row(known)}, when=seen)


def _intent_write(book: Book, intent: Intent, settled: Settled, real: datetime) -> Put | Change:
    """Put a new intent, or change one that still is as it was read."""
    key = codec.intent_key(book.order_id, intent)
    marked = intent_mark(key, intent, settled, real)
    earlier = book.one(key[1])
    if earlier is None:
        return Put({"pk": key[0], "sk": key[1], "rev": 1, **codec.intent_doc(intent), **marked})
    return Change(
        key,
        set={**codec.intent_doc(intent), "rev": earlier["rev"] + 1, **marked},
        remove=() if marked else rows.MARK,
        when={"rev": earlier["rev"]},
    )


def _head_write(book: Book, settled: Settled, beside: Beside, real: datetime) -> Put | Change:
    """The head's write: the order's summary, its next due time, its place on the board, and what
    stands beside."""
    order, decision = settled.order, settled.decision
    key = rows.order_pk(book.order_id), rows.HEAD
    version = settled.recorded.version
    due_at = None
    if beside.unbound or not settled.whole or decision.reread_at is not None:
        due_at = rows.at_once(real)
    elif wakes := [at for at in (decision.wake_at, _looked_after(settled, beside.kept)) if at]:
        due_at = rows.at(min(wakes))
    spoken = {*settled.recorded.verdicts, *(verdict.key for verdict in decision.verdicts)}
    upcoming = next_clock(decision.timeline, settled.situation.now, spoken)
    row: Row = {
        "order_id": book.order_id,
        "shop_id": order.shop_id,
        "status": order.status,
        "stage": order.stage,
        "shipping_type": order.facts.shipping_type if order.facts else "",
        "settled_at": stamp(settled.situation.now),
        "version": version + 1,
        "events": order.events,
        "facts": codec.facts_digest(order.facts) if order.facts else "",
        "next_clock": upcoming.name if upcoming else "",
        "next_due_at": stamp(upcoming.due_at) if upcoming else "",
        "board_pk": rows.board_partition(
            order.shop_id, order.stage, rows.shard_of(key) % rows.BOARD_SHARDS
        ),
        "board_at": f"{stamp(upcoming.due_at) if upcoming else NO_CLOCK}#{book.order_id}",
        **beside.head,
        **settled.matched.head(),
        **(rows.mark(key, due_at) if due_at else {}),
    }
    if version == 0:
        return Put({"pk": key[0], "sk": key[1], **row})
    return Change(key, set=row, remove=() if due_at else rows.MARK, when={"version": version})


def _looked_after(settled: Settled, kept: Keeping) -> datetime | None:
    """The day on which an open order is settled for its deliveries' sake: to the day, so that it
    does not move with every settle."""
    if kept.again is None:
        return None
    now = settled.situation.now
    day = (now + kept.again).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if day > now else now + kept.again


def next_clock(ticking: Timeline, now: datetime, spoken: Container[str]) -> Clock | None:
    """The clock that runs out next; before all others one that has, of which there is no verdict
    among those `spoken`: it waits for the marketplace's word."""
    awaited = [t.clock for t in ticking if not t.rule.finding and t.clock.awaited(now, spoken)]
    return min(awaited, key=lambda clock: (clock.due_at, clock.name), default=None)


def _forget_buyer(store: Store, book: Book, settled: Settled) -> None:
    """Set the end of the buyer's row once the order has ended."""
    row = book.one(rows.BUYER)
    facts = settled.order.facts
    if row is None or facts is None or not settled.order.ended:
        return
    expires_at = int((facts.update_time + BUYER_KEPT).timestamp())
    if row["expires_at"] > expires_at:
        store.write(Change(rows.key_of(row), set={"expires_at": expires_at}))
