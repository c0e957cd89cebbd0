"""Open orders read one after the other: which, in which order, at what cost."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from shipclock import codec, rows
from shipclock.board import in_order, partitions
from shipclock.domain.order import DUE_STAGES, OPEN_STAGES
from shipclock.horizon.answers import due_clocks, forecast_page
from shipclock.horizon.reading import (
    NEVER_CONNECTED,
    NOT_READ_YET,
    TOGETHER,
    Open,
    read_open,
)
from shipclock.horizon.until import ahead
from shipclock.hub import order_list
from shipclock.ports import Change, Page, Put, StoreError
from shipclock.settle import settle
from tests.builders import OTHER_SHOP, REAL, SHOP, T0, after, case, hint, scan
from tests.fakes import Faults, FaultyStore
from tests.horizon.worlds import Table

PARTITIONS = len(partitions(SHOP, DUE_STAGES))


@pytest.fixture
def table() -> Table:
    return Table()


def spread(table: Table, orders: int) -> list[str]:
    """Orders whose lines run out an hour after one another; the soonest first."""
    return [
        table.fields(f"5760000000000{n:05}", shipping_due_time=after(24 + n)) for n in range(orders)
    ]


def read(table: Table, limit: int = 10_000, **more: Any) -> Open:
    return read_open(table.store, [SHOP], after(1), limit, **more)


def ids(found: Open) -> list[str]:
    return [settled.order.order_id for settled in found.judged]


def test_the_next_due_is_read_first_whatever_partition_it_stands_in(table: Table) -> None:
    placed = spread(table, 40)
    assert (
        len({row["board_pk"] for row in in_order(table.store, [SHOP], OPEN_STAGES, None, 50)}) == 4
    )
    found = read(table)
    assert ids(found) == placed
    assert found.next is None


@pytest.mark.parametrize("limit", [1, 2, 7, TOGETHER, 39, 40, 41])
def test_pages_show_every_order_once_in_the_same_order(limit: int, table: Table) -> None:
    placed = spread(table, 40)
    seen: list[str] = []
    start: str | None = None
    for _ in range(50):
        found = read(table, limit, start=start)
        assert found.read <= limit
        seen += ids(found)
        start = found.next
        if start is None:
            break
    assert seen == placed


def test_a_page_costs_a_query_for_each_partition_and_so_many_for_each_order(table: Table) -> None:
    spread(table, 30)
    table.memory.reads = 0
    read(table, 10)
    shop = incidents = 1
    assert table.memory.reads == PARTITIONS + shop + incidents + 10
    table.order("5769", "IN_TRANSIT", "SYN000101", [scan("in_transit", 1)])
    table.memory.reads = 0
    found = read(table, due_by=after(9))
    assert (found.read, table.memory.reads) == (0, PARTITIONS), "none is read that is not due"


def test_a_scanned_order_costs_one_request_more_for_its_number(table: Table) -> None:
    table.order("5769", "IN_TRANSIT", "SYN000101", [scan("in_transit", 1)])
    table.memory.reads = 0
    assert read(table).read == 1
    assert table.memory.reads == PARTITIONS + 2 + 2


def test_only_what_runs_out_in_time_is_read(table: Table) -> None:
    placed = spread(table, 10)
    assert ids(read(table, due_by=after(26))) == placed[:3]
    assert read(table, 2, due_by=after(26)).next is not None
    assert read(table, 3, due_by=after(26)).next is None


def test_reading_stops_when_the_time_is_over_and_goes_on_from_there(table: Table) -> None:
    placed = spread(table, 3 * TOGETHER)
    asked = count(1)
    found = read(table, in_time=lambda: next(asked) < 2)
    assert ids(found) == placed[: 2 * TOGETHER]
    rest = read(table, start=found.next)
    assert ids(rest) == placed[2 * TOGETHER :]


def test_some_are_read_even_where_there_is_no_time(table: Table) -> None:
    spread(table, 2 * TOGETHER)
    assert read(table, in_time=lambda: False).read == TOGETHER


def test_orders_without_a_running_clock_come_last(table: Table) -> None:
    waiting = table.order("5761", order_type="PRE_ORDER", release_date=after(200))
    due = table.fields("5762", shipping_due_time=after(30))
    found = read(table, 1)
    assert ids(found) == [due]
    assert found.next is not None
    assert ids(read(table, start=found.next)) == [waiting]


def test_ended_orders_are_not_open(table: Table) -> None:
    for order_id, status in (("5761", "CANCELLED"), ("5762", "COMPLETED"), ("5763", "DELIVERED")):
        table.order(order_id, status)
    assert read(table).read == 0


def owed_an_answer(table: Table, order_id: str, hours: float) -> str:
    """A delivered order whose buyer wishes to cancel, and is to be answered by then."""
    pending = case("CANCELLATION_REQUEST_PENDING", 1, order_id=order_id, deadline=after(hours))
    table.memory.write(Put(codec.event_row(pending, REAL)))
    asked: dict[str, Any] = {
        "cancel_requested": True,
        "update_time": after(3),
        "delivery_time": after(3),
    }
    return table.order(order_id, "DELIVERED", now=after(3), **asked)


def test_a_delivered_order_whose_buyer_waits_for_an_answer_is_told_of(table: Table) -> None:
    order_id = owed_an_answer(table, "5761", 25)
    (line,) = due_clocks(table.store, [SHOP], after(3), timedelta(hours=24), 50).clocks
    assert (line.order_id, line.clock, line.status) == (
        order_id,
        "buyer_cancel_request",
        "DELIVERED",
    )
    page = forecast_page(table.store, [SHOP], after(3), ahead(after(3), timedelta(days=2)), 50)
    assert "buyer_cancel_request" in {row.clock for row in page.days}
    assert ids(read_open(table.store, [SHOP], after(3), 50, due_by=after(24))) == []


def test_delivered_orders_that_nothing_is_due_of_are_not_paged_through(table: Table) -> None:
    for n in range(80):
        table.order(f"577{n:05}", "DELIVERED")
    placed = [owed_an_answer(table, "5761", 25), table.fields("5762", shipping_due_time=after(30))]
    table.order("5763", order_type="PRE_ORDER", release_date=after(200))
    table.memory.reads = 0
    found = read(table, 2)
    assert ids(found) == placed
    assert table.memory.reads == PARTITIONS + 2 + 2, "the shop, the incidents, the two orders"
    assert ids(read(table, start=found.next)) == ["5763"]


def test_an_order_that_the_board_still_lists_as_open_is_judged_by_its_facts(table: Table) -> None:
    """The index lags behind; the order's own rows are read strongly."""
    order_id = table.order("5761")
    before = table.memory.rows[rows.order_pk(order_id)][rows.HEAD]
    table.order("5761", "CANCELLED", update_time=after(1), cancel_time=after(1))
    stale = {name: before[name] for name in ("board_pk", "board_at")}
    table.memory.write(Change((rows.order_pk(order_id), rows.HEAD), set=stale))
    assert list(in_order(table.store, [SHOP], OPEN_STAGES, None, 5))
    assert (read(table).judged, read(table).unread) == ((), ())


def spoil(table: Table, order_id: str) -> None:
    pk = rows.order_pk(order_id)
    (event,) = (sk for sk in table.memory.rows[pk] if sk.startswith(rows.EVENT))
    table.memory.write(Change((pk, event), set={"doc": "{"}))


def no_shop(table: Table, order_id: str) -> None:
    del table.memory.rows[rows.shop_pk(SHOP)]


def no_detail(table: Table, order_id: str) -> None:
    pk = rows.order_pk(order_id)
    (event,) = (sk for sk in table.memory.rows[pk] if sk.startswith(rows.EVENT))
    del table.memory.rows[pk][event]
    table.memory.write(Put(codec.event_row(hint(order_id=order_id), REAL)))


def no_such_pack(table: Table, order_id: str) -> None:
    table.connect(pack="gone-2019")


def no_such_zone(table: Table, order_id: str) -> None:
    table.connect(zone="Mars/Olympus")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (spoil, "rows can't be understood"),
        (no_shop, NEVER_CONNECTED),
        (no_detail, NOT_READ_YET),
        (no_such_pack, "gone-2019"),
        (no_such_zone, "rows can't be understood"),
    ],
)
def test_an_order_that_cannot_be_judged_is_told_and_holds_up_no_others(
    harm: Callable[[Table, str], None], reason: str, table: Table
) -> None:
    first = table.fields("5761", shipping_due_time=after(30))
    harm(table, first)
    if harm is spoil:
        table.fields("5762", shipping_due_time=after(31))
        assert ids(read(table)) == ["5762"]
    (unread,) = read(table).unread
    assert unread.order_id == first
    assert reason in unread.reason
    page = forecast_page(table.store, [SHOP], after(1), ahead(T0, timedelta(days=9)), 50)
    assert [one.order_id for one in page.unread] == [first]
    due = due_clocks(table.store, [SHOP], after(1), timedelta(days=9), 50)
    assert [one.order_id for one in due.unread] == [first]


def test_a_table_that_fails_is_no_order_that_cannot_be_judged(table: Table) -> None:
    spread(table, 3)
    store = FaultyStore(table.memory, Faults({PARTITIONS + 2: "before"}))
    with pytest.raises(StoreError):
        read_open(store, [SHOP], after(1), 10)


def test_an_order_that_moves_on_the_board_while_it_is_read_is_told_once(table: Table) -> None:
    placed = spread(table, 3)

    class Moving:
        """Lists the first order again, behind the others."""

        def __getattr__(self, name: str) -> Any:
            return getattr(table.memory, name)

        def board(self, partition: str, limit: int, start: str | None = None) -> Page:
            page = table.memory.board(partition, limit, start)
            again = [
                {**row, "board_at": f"9#{placed[0]}"}
                for row in page.rows
                if row["order_id"] == placed[0]
            ]
            return Page([*page.rows, *again], page.next)

    found = read_open(Moving(), [SHOP], after(1), 50)
    assert sorted(ids(found)) == placed


def test_several_shops_are_read_together_the_next_due_first(table: Table) -> None:
    table.connect(shop_id=OTHER_SHOP)
    table.order("5761", deadlines={"shipping_due_time": after(40)})
    table.order("5762", shop_id=OTHER_SHOP, deadlines={"shipping_due_time": after(30)})
    found = read_open(table.store, [SHOP, OTHER_SHOP], after(1), 50)
    assert ids(found) == ["5762", "5761"]
    assert read_open(table.store, [], after(1), 50).read == 0


# Answers


def test_what_is_due_is_told_with_the_shops_own_time_and_what_is_left(table: Table) -> None:
    table.connect(zone="America/New_York")
    table.fields("5761", shipping_due_time=after(24), tts_sla_time=after(30))
    page = due_clocks(table.store, [SHOP], after(1), timedelta(hours=24), 50)
    (line,) = page.clocks
    assert (line.clock, line.line, line.left_seconds) == ("shipping_due_time", "hard", 23 * 3600)
    assert line.local == "Sun 1 Nov 2026, 21:00 (America/New_York)"
    assert (page.as_of, page.until) == (after(1), after(25))


def test_the_days_of_a_forecasts_pages_add_up(table: Table) -> None:
    spread(table, 7)
    end = ahead(T0, timedelta(days=20))

    def counted(limit: int) -> dict[tuple[str, str, str], int]:
        found: dict[tuple[str, str, str], int] = {}
        start: str | None = None
        while True:
            page = forecast_page(table.store, [SHOP], after(1), end, limit, start)
            for row in page.days:
                key = row.day, row.kind, row.clock
                found[key] = found.get(key, 0) + row.count
            start = page.next
            if start is None:
                return found

    whole = counted(50)
    assert whole
    assert counted(2) == whole


def test_an_order_settled_later_than_now_is_judged_as_of_then(table: Table) -> None:
    """A rehearsal's time may be ahead of the real one; an order's time never runs back."""
    table.order("5761", now=after(300))
    page = forecast_page(table.store, [SHOP], T0, ahead(T0, timedelta(days=1)), 50)
    assert (page.read, page.days) == (1, [])
    later: datetime = after(400)
    page = forecast_page(table.store, [SHOP], T0, lambda zone: later, 50)
    assert min(row.first_at for row in page.days) > after(300)


# What has run out, and what has not begun


def due(table: Table, now: datetime, hours: float = 24) -> list[tuple[str, float]]:
    found = due_clocks(table.store, [SHOP], now, timedelta(hours=hours), 50).clocks
    return [(one.clock, one.left_seconds) for one in found]


def test_a_line_that_ran_out_stays_listed_while_its_verdict_waits_for_a_re_read(
    table: Table,
) -> None:
    order_id = table.fields("5761", shipping_due_time=after(20))
    settled = settle(table.memory, table.shops.get, order_id, after(20, minutes=1), REAL)
    assert settled is not None
    assert settled.decision.verdicts == ()
    assert due(table, after(20, minutes=2)) == [("shipping_due_time", -120)]
    listed = order_list(table.store, [SHOP], OPEN_STAGES, 50, None, after(44))
    (one,) = listed.orders
    assert (one.next_clock, one.next_due_at) == ("shipping_due_time", after(20))


def test_a_clock_that_begins_and_runs_out_within_the_span_is_listed(table: Table) -> None:
    more: Any = {"order_type": "PRE_ORDER", "deadlines": {"delivery_due_time": after(900)}}
    table.order("5762", release_date=after(2), **more)
    assert due(table, after(1), 24 * 7) == [("status_update", 121 * 3600)]
