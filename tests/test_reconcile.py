"""What was lost is found again: searches, where they go on, and a three days' outage."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.faults import Fault
from shipclock import codec, rows
from shipclock.connect import reconcile_key
from shipclock.domain.clock import Notice
from shipclock.domain.times import parse, stamp
from shipclock.due import DueRows
from shipclock.marketplaces.protocol import SearchPage
from shipclock.ports import Put, StoreError
from shipclock.reconcile import FIRST_LOOK, OVERLAP, SEVERAL, Places
from shipclock.sweep import Sweep
from tests.builders import REAL, T0, after
from tests.fakes import KINDS, Faults, FaultyStore, FaultyWire, Gone, MemoryStore
from tests.stage import SHOP_ID, START, Stage

HOUR = timedelta(hours=1)
SEARCH = "/order/202309/orders/search"


@pytest.fixture
def stage() -> Stage:
    return Stage()


# Where a search goes on


def test_a_search_starts_a_month_back_then_two_hours_behind_what_it_found() -> None:
    places = Places({}, {})
    assert places.start("orders", T0) == (T0 - FIRST_LOOK, "")
    assert places.advance("orders", T0, SearchPage(latest=after(5)))
    assert places.start("orders", after(99)) == (after(5) - OVERLAP, "")


def test_a_search_that_broke_off_goes_on_with_its_next_page_and_ends_with_the_last() -> None:
    places = Places({"orders": stamp(T0)}, {})
    assert places.advance("orders", T0 - OVERLAP, SearchPage(latest=after(1), next_token="t2"))
    assert places.start("orders", after(99)) == (T0 - OVERLAP, "t2")
    assert places.start("returns", after(99)) == (after(99) - FIRST_LOOK, "")
    assert places.advance("orders", T0 - OVERLAP, SearchPage(latest=after(2)))
    assert places.left == {}
    assert places.start("orders", after(99)) == (after(2) - OVERLAP, "")


@pytest.mark.parametrize(
    ("page", "cursor", "changed"),
    [
        (SearchPage(), 5, False),
        (SearchPage(latest=after(4)), 5, False),
        (SearchPage(latest=after(5)), 5, False),
        (SearchPage(latest=after(6)), 6, True),
        (SearchPage(next_token="t"), 5, True),
    ],
)
def test_a_cursor_moves_forward_only_and_what_did_not_move_is_not_written(
    page: SearchPage, cursor: int, changed: bool
) -> None:
    places = Places({"orders": stamp(after(5))}, {})
    assert places.advance("orders", T0, page) is changed
    assert places.cursors == {"orders": stamp(after(cursor))}


def reconciliation(stage: Stage) -> dict[str, Any]:
    row = stage.store.get(reconcile_key(SHOP_ID))
    assert row is not None
    return row


def lost(stage: Stage, count: int) -> list[str]:
    """Orders whose webhooks are lost."""
    placed = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(count)
    ]
    stage.sandbox.take_webhooks()
    return placed


def heard(stage: Stage) -> str:
    """One order that was heard of, so that the shop is reconciled."""
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    return order_id


def missing(stage: Stage, order_ids: list[str]) -> list[str]:
    return [o for o in order_ids if rows.HEAD not in stage.memory.rows.get(rows.order_pk(o), {})]


def pages(stage: Stage) -> int:
    """How often the orders were searched."""
    return sum(call.path == SEARCH for call in stage.sandbox.calls)


def test_more_than_one_sweep_can_read_is_read_in_several_without_starting_over(
    stage: Stage,
) -> None:
    heard(stage)
    placed = lost(stage, 950)
    stage.until(START + timedelta(minutes=16))
    before = pages(stage)
    sweeps = 0
    while missing(stage, placed):
        stage.real.pass_time(60)
        stage.sweep(seconds=23.7)  # less than a second for calls
        sweeps += 1
        assert sweeps < 40, "it never gets ahead: all of it changed within two hours"
    assert sweeps > 2
    assert pages(stage) - before == 10, "each page once"
    stage.settle_down()
    assert reconciliation(stage)["left"] == {}


@pytest.mark.parametrize(
    "fault", [Fault("code", SEARCH, code=36009004), Fault("html", SEARCH)], ids=lambda f: f.kind
)
def test_a_page_that_is_no_longer_to_be_had_is_found_by_starting_over(
    stage: Stage, fault: Fault
) -> None:
    heard(stage)
    placed = lost(stage, 350)
    stage.until(START + timedelta(minutes=16))
    stage.real.pass_time(60)
    stage.sweep(seconds=23.4)
    assert reconciliation(stage)["left"]
    assert missing(stage, placed)
    stage.sandbox.fail(fault)
    stage.real.pass_time(60)
    stage.sweep()
    stage.until(START + timedelta(minutes=20))
    stage.settle_down()
    assert not missing(stage, placed)
    assert reconciliation(stage)["left"] == {}


@pytest.mark.parametrize("count", [SEVERAL - 1, SEVERAL, 100])
def test_what_a_search_brings_is_settled_with_it(stage: Stage, count: int) -> None:
    heard(stage)
    placed = lost(stage, count)
    sick = placed[0]
    key = rows.order_pk(sick), "EVENT#bad"
    stage.store.write(Put({"pk": key[0], "sk": key[1], "kind": "hint", "doc": "{}"}))
    stage.until(START + timedelta(minutes=16))
    stage.real.pass_time(60)
    report = stage.sweep()
    assert missing(stage, placed) == [sick], "one that can't be settled holds up no other"
    assert report.settled >= count - 1
    found = stage.memory.rows[rows.order_pk(sick)].items()
    events = [row for sk, row in found if sk.startswith(rows.EVENT) and sk != key[1]]
    assert [("due_at" in row, row["kind"]) for row in events] == [(True, "snapshot")]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1_200), st.sampled_from(KINDS), st.booleans())
def test_whatever_fails_while_searching_all_is_found_in_the_end(
    step: int, kind: str, in_wire: bool
) -> None:
    stage = Stage()
    heard(stage)
    placed = lost(stage, 104)
    stage.until(START + timedelta(minutes=16))
    stage.real.pass_time(60)
    faults = Faults({step % 12 if in_wire else step: kind})
    world = stage.world
    if in_wire:
        world.wire = FaultyWire(stage.wire, faults)
    else:
        world.store = FaultyStore(stage.memory, faults)
    with suppress(Gone, StoreError):
        Sweep(world, stage.now, timedelta(seconds=65)).run()
    stage.real.pass_time(100)  # the lease of one that is gone runs out
    stage.until(START + timedelta(minutes=40))
    stage.settle_down()
    assert not missing(stage, placed)
    assert reconciliation(stage).get("left", {}) == {}


def test_what_people_are_told_waits_for_orders_and_for_nothing_else() -> None:
    assert rows.at_once(REAL) < rows.after_all(T0) < rows.at(T0)
    store = MemoryStore()
    notice = Notice("clock", "warning", T0, "day", "text")
    store.write(Put(codec.notice_row(rows.order_pk("1"), notice, REAL)))
    left = DueRows(store, T0).left(REAL + timedelta(seconds=90))
    assert (left.rows, left.oldest_seconds) == (1, 90)


# Three days without a webhook


def statuses(stage: Stage) -> Iterator[tuple[str, str]]:
    """Each order's status here and at the marketplace."""
    for order_id in stage.sandbox.order_ids():
        head = stage.memory.rows.get(rows.order_pk(order_id), {}).get(rows.HEAD, {})
        yield str(head.get("status")), str(stage.sandbox.order(order_id)["status"])


def drive(stage: Stage, order_ids: list[str], at: datetime) -> None:
    """The marketplace moves its orders on, each as far as its turn says."""
    stage.sandbox.advance(int(at.timestamp()))
    for place, order_id in enumerate(order_ids):
        if place % 4 > 0:
            stage.sandbox.arrange(order_id)
        if place % 4 > 1:
            stage.sandbox.collect(order_id)
        if place % 4 > 2:
            stage.sandbox.deliver(order_id)


@pytest.mark.parametrize("sweeping", [True, False])
def test_three_days_without_a_webhook_are_healed(stage: Stage, sweeping: bool) -> None:
    """Ingest alone was out, or everything was."""
    known = [
        stage.sandbox.add_order(
            SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1}, shipping_type="TIKTOK"
        )
        for _ in range(120)
    ]
    stage.marketplace_tells()
    stage.settle_down()
    new: list[str] = []
    for hour in range(1, 73):
        now = START + hour * HOUR
        stage.sandbox.advance(int(now.timestamp()))
        if hour % 6 == 0:
            new += lost(stage, 20)
        if hour in (30, 50):
            drive(stage, known[:60] if hour == 30 else known[60:], now)
        stage.sandbox.take_webhooks()
        if sweeping:
            stage.real.pass_time(60)
            stage.sweep()
    assert len(new) == 240
    for _ in range(4):
        stage.until(stage.now + timedelta(minutes=16))
        stage.sandbox.take_webhooks()
        stage.settle_down()
    assert all(ours == theirs for ours, theirs in statuses(stage))
    assert {ours for ours, _ in statuses(stage)} > {"AWAITING_SHIPMENT", "IN_TRANSIT", "DELIVERED"}
    found = parse(reconciliation(stage)["cursors"]["orders"])
    assert found == max(
        datetime.fromtimestamp(int(str(stage.sandbox.order(o)["update_time"])), found.tzinfo)
        for o in stage.sandbox.order_ids()
    )
