"""Everything kept of one order: read strongly, and folded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shipclock import codec, rows
from shipclock.domain.event import OrderEvent
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order, fold
from shipclock.domain.times import parse
from shipclock.ports import Row, Store
from shipclock.situation import Read, Recorded


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
