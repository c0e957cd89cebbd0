"""Settle an order: read its facts strongly, fold, decide, commit (DESIGN 3.2).

The only writer of heads, verdicts, notices and new intents. A head is written only over the
version that was read, so that of two settles one wins and the other starts over with fresh facts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shipclock import chain, codec, rows
from shipclock.chain import Anchor, Extension
from shipclock.counting import MOST_WRITES, count, counted
from shipclock.decide import DAILY, Decision, decide
from shipclock.domain.clock import Clock, ClockState, Notice, Verdict, VerdictState
from shipclock.domain.event import OrderEvent
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import OPEN_STAGES, Order, fold
from shipclock.domain.push import OPEN, Intent, IntentState
from shipclock.domain.times import parse, stamp
from shipclock.incident_match import Matched, match, revision_of
from shipclock.incidents import DeclaredOf, read_declared
from shipclock.keeping import RAW_KEPT, Keeping, keeping
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import ABSENT, LARGEST_COMMIT, Change, Key, Put, Row, Store, StoreError
from shipclock.rules import Timeline
from shipclock.rules.calendar import Span
from shipclock.rules.packs import policy_for
from shipclock.rules.policy import Policy
from shipclock.situation import Read, Recorded, Situation

TRIES = 8
REMINDING = ("reminder", "warning")
STANDING = VerdictState.STANDING
BUYER_KEPT = timedelta(days=120)
"""How long personal data is kept after the order ended (DESIGN 3.12)."""

ShopOf = Callable[[str], Shop | None]
"""The connected shop of that id, if it is known."""


class LostRaces(StoreError):
    """Another settle won every time; the order stays due."""


@dataclass(frozen=True, slots=True)
class Book:
    """Everything kept of one order, read strongly."""

    order_id: str
    rows: tuple[Row, ...]
    numbers: Mapping[str, tuple[Row, ...]]

    def under(self, prefix: str) -> list[Row]:
        """The order's rows whose sort key starts so."""
        return [row for row in self.rows if row["sk"].startswith(prefix)]

    def one(self, sk: str) -> Row | None:
        """The order's row of that sort key."""
        return next((row for row in self.rows if row["sk"] == sk), None)

    def facts(self) -> Iterator[Row]:
        """All rows, of the order and of its numbers."""
        yield from self.rows
        for found in self.numbers.values():
            yield from found

    def number_facts(self, number: str) -> NumberFacts:
        """The scans and links under one number."""
        found = self.numbers[number]
        return NumberFacts(
            number,
            tuple(codec.read_scan(r) for r in found if r["sk"].startswith(rows.EVENT)),
            tuple(codec.read_link(r) for r in found if r["sk"].startswith(rows.LINK)),
        )


@dataclass(frozen=True, slots=True)
class Settled:
    """An order as it was just settled. `known` is false where no marketplace fact is known yet;
    `anchor` is how far this settle brought the chain, None where it bound nothing new."""

    order: Order
    recorded: Recorded
    decision: Decision
    situation: Situation
    known: bool
    anchor: Anchor | None = None
    matched: Matched = field(default_factory=Matched)

    @property
    def intents(self) -> dict[str, Intent]:
        """The intents as they stand after this settle."""
        return {**self.recorded.intents, **{i.key: i for i in self.decision.intents}}

    @property
    def read_at(self) -> datetime:
        """The real time at which the newest re-read of the order was asked for."""
        told = [snapshot.requested_at for snapshot in self.order.snapshots]
        return max([self.recorded.read.requested_at, *told])

    @property
    def kept(self) -> list[Verdict | Notice | Intent]:
        """What this settle writes beside the head: all that fits into one commit. The rest is
        for the next settle, which then is due at once."""
        decision = self.decision
        made: list[Verdict | Notice | Intent] = [*decision.verdicts, *decision.notices]
        beside = 2 + MOST_WRITES  # the head, a row that takes in links of the chain, and counts
        beside += len(self.matched.changed)
        return [*made, *decision.intents][: LARGEST_COMMIT - beside]

    @property
    def whole(self) -> bool:
        """Whether all of the decision is kept."""
        decision = self.decision
        count = len(decision.verdicts) + len(decision.notices) + len(decision.intents)
        return count == len(self.kept) and not self.matched.more

    @property
    def said(self) -> int:
        """How many verdicts and reminders this settle made, not counting those that turned."""
        known = self.recorded.verdicts
        return sum(
            (isinstance(made, Verdict) and made.key not in known)
            or (isinstance(made, Notice) and made.kind in REMINDING)
            for made in self.kept
        )


def read_book(store: Store, order_id: str) -> Book:
    """Read everything kept of an order and of every number linked to it."""
    found = store.read(rows.order_pk(order_id))
    linked = [row["sk"].removeprefix(rows.LINK) for row in found if row["sk"].startswith(rows.LINK)]
    numbers = {number: tuple(store.read(rows.number_pk(number))) for number in linked}
    return Book(order_id, tuple(found), numbers)


def facts_in(book: Book) -> tuple[list[OrderEvent], list[NumberFacts]]:
    """What an order is folded from: its own events, and the facts under its numbers."""
    events = [codec.read_event(row) for row in book.under(rows.EVENT)]
    return events, [book.number_facts(number) for number in book.numbers]


def fold_book(book: Book) -> Order:
    """Fold the order from its book."""
    return fold(book.order_id, *facts_in(book))


def recorded_in(book: Book) -> Recorded:
    """What earlier settles and re-reads wrote down in the book."""
    head, reread, ack = book.one(rows.HEAD), book.one(rows.REREAD), book.one(rows.ACK)
    verdicts = [codec.read_verdict(row) for row in book.under(rows.VERDICT)]
    intents = [codec.read_intent(row) for row in book.under(rows.PUSH)]
    notices = [codec.read_notice(row) for row in book.under(rows.NOTICE)]
    return Recorded(
        version=head["version"] if head else 0,
        settled_at=parse(head["settled_at"]) if head else None,
        verdicts={verdict.key: verdict for verdict in verdicts},
        notices=frozenset(notice.key for notice in notices),
        intents={intent.key: intent for intent in intents},
        read=_read_of(reread) if reread else Read(),
        acknowledged=frozenset(ack["clocks"] if ack else ()),
    )


def _read_of(row: Row) -> Read:
    base = Read()
    return Read(
        requested_at=codec.from_millis(row.get("requested_at", 0)),
        as_of=parse(row["as_of"]) if "as_of" in row else base.as_of,
        failures=row.get("failures", 0),
        left_out=row.get("left_out", 0),
        failed_at=codec.from_millis(row.get("failed_at", 0)),
        cases_at=codec.from_millis(row.get("cases_at", 0)),
        not_before=parse(row["not_before"]) if row.get("not_before") else None,
        detail_as_of=parse(row["detail_as_of"]) if "detail_as_of" in row else base.detail_as_of,
        detail_status=row.get("detail_status", ""),
        detail_not_before=(
            parse(row["detail_not_before"]) if row.get("detail_not_before") else None
        ),
    )


PolicyFor = Callable[[str, date, str, str, tuple[Span, ...]], Policy]
"""The policy for a market, a local day, a zone, the pack a shop has chosen, its closed days."""


def policy_of(order: Order, shop: Shop | None, find: PolicyFor | None = None) -> Policy | None:
    """The policy an order is judged by: the pack of its local day; none before it is known.

    `find` looks among other packs than those that are there.
    """
    if shop is None or order.facts is None:
        return None
    day = order.facts.create_time.astimezone(ZoneInfo(shop.zone)).date()
    closed = tuple(map(Span.parse, shop.closed))
    pack = (find or policy_for)(shop.market, day, shop.zone, shop.pack, closed)
    return replace(pack, hand_marked=shop.hand_marked, default_provider=shop.default_provider)


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
            _clear(store, book, settled, real)
            return settled
        kept = keeping(settled.order, book.facts(), book.one(rows.HEAD), raw_kept, real)
        for change in kept.writes:
            store.write(change)
        extension, writes = _writes(book, settled, kept, real)
        if store.commit(writes) if len(writes) > 1 else store.write(writes[0]):
            _clear(store, book, settled, real)
            return replace(settled, anchor=extension.anchor) if extension else settled
    raise LostRaces(f"order {order_id} was settled by others {TRIES} times in a row")


def judge(
    store: Store,
    book: Book,
    shop_of: ShopOf,
    now: datetime,
    real: datetime,
    declared: DeclaredOf | None = None,
) -> Settled:
    """Fold and decide, without writing anything."""
    order, recorded = fold_book(book), recorded_in(book)
    matched = matched_to(store, book, order, real, declared)
    order = replace(order, incidents=matched.incidents)
    shop = shop_of(order.shop_id) if order.shop_id else None
    later = max(now, recorded.settled_at) if recorded.settled_at else now
    providers = _providers(store, order, shop, real)
    situation = Situation(later, policy_of(order, shop), shop, providers)
    decision = decide(order, recorded, situation)
    return Settled(order, recorded, decision, situation, bool(order.shop_id), matched=matched)


def matched_to(
    store: Store, book: Book, order: Order, real: datetime, declared: DeclaredOf | None = None
) -> Matched:
    """The incidents that may be about the order, by a reading that is no older than the one it was
    settled by last."""
    head = book.one(rows.HEAD)
    known = declared(revision_of(head)) if declared else read_declared(store)
    return match(order, book.one(rows.BUYER), head, known, real)


def _providers(
    store: Store, order: Order, shop: Shop | None, real: datetime
) -> dict[str, str] | None:
    """Who may ship the order, where somebody asked already and it matters."""
    if shop is None or order.facts is None or not (order.first_scan or order.requests):
        return None
    option = order.facts.delivery_option_id
    if not option:
        return {}
    row = store.get((rows.shop_pk(shop.shop_id), rows.PROVIDERS + option))
    fresh = row is not None and row["expires_at"] > real.timestamp()  # TTL deletes days later
    return dict(row["providers"]) if row and fresh else None


def _writes(
    book: Book, settled: Settled, kept: Keeping, real: datetime
) -> tuple[Extension | None, list[Put | Change]]:
    """The head first, then what follows from it, all of it bound by the chain; and what the order
    counts as among its shop's signals."""
    made = [_made_write(book, one, settled, real) for one in settled.kept]
    told = [_after(book, write) for write in made]
    now, links = settled.situation.now, chain.read(book.rows)
    extension = chain.extend(book.order_id, links, book.facts(), told, now, real)
    about, ticking = settled.situation, settled.decision.timeline
    found = counted(settled.order, ticking, about.policy, about.shop)
    counts, changes = count(settled.order, found, book.one(rows.HEAD) or {})
    changes = [*changes, *settled.matched.writes(settled.order, now)]
    head = _head_write(book, settled, Beside(extension, kept, counts), real)
    if extension is None:
        return None, [head, *made, *changes]
    for write in made:  # said along when it is announced: there nobody can change it any more
        written = write.row if isinstance(write, Put) else write.set
        if not write.key[1].startswith(rows.PUSH):
            written["anchor"] = str(extension.anchor)
    sealed = [Put(extension.sealed)] if extension.sealed else []
    return extension, [head, *made, *changes, *sealed]


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
    alarm, and then none that it was taken back either.
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
    return Change(rows.key_of(row), set={"doc": row["doc"], "state": row["state"], **said})


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
    upcoming = next_clock(decision.timeline, settled.situation.now)
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
        "board_at": f"{stamp(upcoming.due_at) if upcoming else '9'}#{book.order_id}",
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


def next_clock(ticking: Timeline, now: datetime) -> Clock | None:
    """The running clock that runs out next."""
    running = [t.clock for t in ticking if t.clock.state(now) is ClockState.RUNNING]
    return min(running, key=lambda clock: (clock.due_at, clock.name), default=None)


def _clear(store: Store, book: Book, settled: Settled, real: datetime) -> None:
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
        _forget_buyer(store, book, settled)


def _mark_packages(store: Store, book: Book, settled: Settled) -> None:
    """Have the order's packages read when that is wanted. A mark of its own, not the head's: of
    many orders that wait for their turn none need be settled again meanwhile."""
    key = rows.order_pk(book.order_id), rows.REREAD
    row = book.one(rows.REREAD) or {}
    wanted_at = settled.decision.detail_at
    mark = rows.mark(key, rows.at(wanted_at)) if wanted_at else {}
    if mark.get("due_at") == row.get("due_at"):
        return
    seen = {"due_at": row["due_at"]} if "due_at" in row else {"due_at": ABSENT}
    told = {**mark, "shop_id": settled.order.shop_id} if mark else {}
    store.write(Change(key, set=told, remove=() if mark else rows.MARK, when=seen, create=True))


def _mend_mark(store: Store, row: Row, settled: Settled, real: datetime) -> None:
    """Give an intent that this settle did not change the mark that it should bear by now."""
    key = rows.key_of(row)
    should = intent_mark(key, codec.read_intent(row), settled, real)
    if not should:
        clear_mark(store, row)
    elif should["due_at"][:2] != str(row.get("due_at", ""))[:2] or (
        not should["due_at"].startswith("0#") and should["due_at"] != row["due_at"]
    ):
        store.write(Change(key, set=should, when={"rev": row["rev"]}))


def clear_mark(store: Store, row: Row) -> None:
    """Take a row out of the `due` index, unless its mark has changed since it was read."""
    if "due_at" in row:
        store.write(Change(rows.key_of(row), remove=rows.MARK, when={"due_at": row["due_at"]}))


def _forget_buyer(store: Store, book: Book, settled: Settled) -> None:
    """Set the end of the buyer's row once the order has ended."""
    row = book.one(rows.BUYER)
    facts = settled.order.facts
    if row is None or facts is None or not settled.order.ended:
        return
    expires_at = int((facts.update_time + BUYER_KEPT).timestamp())
    if row["expires_at"] > expires_at:
        store.write(Change(rows.key_of(row), set={"expires_at": expires_at}))
