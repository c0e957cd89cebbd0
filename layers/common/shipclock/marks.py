"""Due marks after a settle: off what it has read, kept where there still is something to do.

A mark is only ever changed while it is as it was read: a fact that came meanwhile stays due.
"""

from collections.abc import Callable
from datetime import datetime

from shipclock import codec, rows
from shipclock.book import Book
from shipclock.decide import DAILY
from shipclock.domain.order import OPEN_STAGES
from shipclock.domain.push import OPEN, Intent, IntentState
from shipclock.judge import Settled
from shipclock.ports import ABSENT, Change, Key, Row, Store
from shipclock.shift import Guarded


def clear_marks(store: Store, book: Book, settled: Settled, real: datetime) -> None:
    """Take the marks off every row that this settle's strong read contained.

    A scan shared by several orders keeps its mark until each of them was settled: `sweep` clears
    it. A crash in between costs one empty settle.
    """
    changed = {rows.PUSH + intent.key for intent in settled.decision.intents}
    for row in book.rows:
        if row["sk"].startswith((rows.EVENT, rows.LINK)):
            clear_mark(store, row)
        elif row["sk"].startswith(rows.PUSH) and row["sk"] not in changed:
            _mend_mark(store, row, settled, real)
    for found in book.numbers.values():
        links = [row for row in found if row["sk"].startswith(rows.LINK)]
        if len(links) == 1:
            for row in found:
                clear_mark(store, row)
    if settled.known:
        _mark_packages(store, book, settled)


def intent_mark(key: Key, intent: Intent, settled: Settled, real: datetime) -> Row:
    """The due mark an intent should bear: while there is something to do about it.

    One that can't go out before a postponed re-read waits as long as that does. While the shop is
    not connected there is nothing to do; but a reconnection looks again at open orders only, so
    that of another order it is looked at daily.
    """
    if intent.state not in OPEN:
        return {}
    if not settled.situation.connected:
        open_ = settled.order.stage in OPEN_STAGES
        return {} if open_ else rows.mark(key, rows.at(settled.situation.now + DAILY))
    waits = [settled.decision.postponed]
    if intent.state is IntentState.PENDING:
        waits.append(intent.not_before)
    latest = max((at for at in waits if at is not None), default=None)
    return rows.mark(key, rows.at(latest) if latest else rows.at_once(real))


def _mark_packages(store: Store, book: Book, settled: Settled) -> None:
    """Have the order's packages read when that is wanted. A mark of its own, not the head's: of
    many orders that wait for their turn none need be settled again meanwhile."""
    key = rows.order_pk(book.order_id), rows.REREAD
    row = book.one(rows.REREAD) or {}
    wanted_at = settled.decision.detail_at
    mark = rows.mark(key, rows.at(wanted_at)) if wanted_at else {}
    if mark.get("due_at") == row.get("due_at"):
        return
    seen = {"due_at": row.get("due_at", ABSENT)}
    told = {**mark, "shop_id": settled.order.shop_id} if mark else {}
    store.write(Change(key, set=told, remove=() if mark else rows.MARK, when=seen, create=True))


def _mend_mark(store: Store, row: Row, settled: Settled, real: datetime) -> None:
    """Give an intent that this settle did not change the mark that it should bear by now."""
    key = rows.key_of(row)
    should, bears = intent_mark(key, codec.read_intent(row), settled, real), row.get("due_at", "")
    if not should:
        clear_mark(store, row)
        return
    at_once = rows.real_time(should["due_at"]) and rows.real_time(bears)
    if not at_once and should["due_at"] != bears:
        store.write(Change(key, set=should, when={"rev": row["rev"]}))


def clear_mark(store: Store, row: Row) -> None:
    """Take a row out of the `due` index, unless its mark has changed since it was read."""
    if "due_at" in row:
        seen = {"due_at": row["due_at"]}
        if row["sk"].startswith(rows.LINK):  # told anew within a second it bears the same mark
            seen["doc"] = row["doc"]
        store.write(Change(rows.key_of(row), remove=rows.MARK, when=seen))


def settle_anew(
    store: Store,
    pk: str,
    real: Callable[[], datetime],
    guard: Guarded,
    settle: Callable[[str], object],
) -> None:
    """Settle an order that is not due by itself; one that can't be is left due, and holds up no
    other."""
    key, good = (pk, rows.HEAD), False
    with guard(key, "order"):
        settle(pk.removeprefix("ORDER#"))
        good = True
    if not good:
        have_settled(store, pk, real())


def have_settled(store: Store, pk: str, real: datetime) -> None:
    """Have an order settled by the next sweep, if not by another settle that comes between."""
    key = pk, rows.HEAD
    head = store.get(key)
    if head is not None:
        seen = {"due_at": head.get("due_at", ABSENT)}
        store.write(Change(key, set=rows.mark(key, rows.at_once(real)), when=seen))
