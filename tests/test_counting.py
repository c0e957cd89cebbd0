"""What orders count in is kept with their heads, and figures are read from that alone."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.signals import Anew
from shipclock import codec, rows, settle
from shipclock.book import read_book
from shipclock.connect import connect_shop
from shipclock.counting import Counted, as_text, count, kept_units, read_unit
from shipclock.domain.event import OrderFacts
from shipclock.fulfillment.figures import Window
from shipclock.fulfillment.signals import REACH, State, Unit
from shipclock.judge import judge
from shipclock.marketplaces.protocol import OrderRow
from shipclock.ports import LARGEST_COMMIT, Put, Row, Store, Write
from shipclock.snapshots import keep_snapshot
from shipclock.standing import UnitsIn, kept, standing
from shipclock.standing_views import ShopSignals
from tests.builders import ORDER, REAL, SHOP, T0, after, facts, folded, patient, shop, snapshot
from tests.fakes import MemoryStore
from tests.fulfillment.order_lives import Life, Paper, carried, lives, told
from tests.stage import TOKENS

HOUR = timedelta(hours=1)
WIDE = Window(date(2026, 10, 1), date(2026, 12, 31))


class Desk:
    """A table with one connected shop, whose orders are re-read and settled by hand."""

    def __init__(self, store: Store | None = None, **changes: Any) -> None:
        self.store = store or MemoryStore()
        self.shop = shop(**changes)
        self._asked = REAL
        connect_shop(self.store, self.shop, TOKENS, REAL, heal=False)

    def reads(self, told: OrderFacts, order_id: str = ORDER, now: datetime = T0) -> None:
        """A re-read tells this of an order, which is settled then."""
        self._asked += timedelta(seconds=1)
        keep_snapshot(self.store, SHOP, OrderRow(order_id, told, {}), self._asked, now)
        self.settle(order_id, now)

    def settle(self, order_id: str = ORDER, now: datetime = T0) -> None:
        """Settle an order once more."""
        settle.settle(self.store, lambda _: self.shop, order_id, now, REAL)

    def units(self) -> list[tuple[str, Unit]]:
        """Everything that is kept, in order."""
        return sorted(kept_units(self.store, SHOP, WIDE), key=str)

    def states(self, signal: str) -> dict[str, State]:
        """How each order counts in one signal."""
        return {order_id: u.state for order_id, u in self.units() if u.signal == signal}

    def rows(self) -> dict[str, Any]:
        """The rows of the shop's units, by their sort keys."""
        found = self.store.read(rows.signals_pk(SHOP))
        return {row["sk"]: row["units"] for row in found}


# One order


def test_a_settle_keeps_what_the_order_counts_in_under_the_day_it_started() -> None:
    desk = Desk()
    desk.reads(facts(deadlines={"tts_sla_time": after(48)}))
    assert desk.rows() == {
        f"2026-11-01#{ORDER}": [
            "late_dispatch open 2026-11-03 2026-11-03T02:00:00Z -",
            "on_time_delivery left_out 2026-11-01 - no_line",
            "seller_cancellation open 2026-11-01 2026-11-16T02:00:00Z -",
        ]
    }


def test_an_order_that_counts_in_nothing_has_no_row() -> None:
    desk = Desk()
    desk.reads(facts("UNPAID"))
    assert desk.rows() == {}


def test_a_settle_that_changes_nothing_writes_the_head_alone() -> None:
    desk = Desk()
    desk.reads(facts())
    store = desk.store
    assert isinstance(store, MemoryStore)
    before = store.writes
    desk.settle(now=after(1))
    assert store.writes == before + 1


def test_time_alone_changes_no_row_and_the_figure_all_the_same() -> None:
    desk = Desk()
    desk.reads(facts(deadlines={"tts_sla_time": after(48)}))
    before = desk.rows()
    desk.settle(now=after(49))
    assert desk.rows() == before

    def late(now: datetime) -> tuple[int, int]:
        (found, *_) = standing(
            kept(desk.store, desk.shop), desk.shop, now, date(2026, 11, 3)
        ).signals
        return found.bad, found.open

    assert (late(after(47)), late(after(48))) == ((0, 1), (1, 0))


def test_a_late_fact_turns_an_old_orders_unit() -> None:
    desk = Desk()
    desk.reads(facts(deadlines={"tts_sla_time": after(48)}))
    desk.reads(facts("CANCELLED", update_time=after(90), deadlines={"tts_sla_time": after(48)}))
    assert desk.states("late_dispatch") == {ORDER: State.BAD}
    desk.reads(
        facts(
            "CANCELLED",
            update_time=after(900),
            cancel_time=after(30),
            deadlines={"tts_sla_time": after(48)},
        ),
        now=after(900),
    )
    assert desk.states("late_dispatch") == {ORDER: State.LEFT_OUT}


def test_an_order_whose_day_moves_is_counted_once() -> None:
    desk = Desk()
    pre_order: dict[str, Any] = {"order_type": "PRE_ORDER", "paid_time": T0}
    desk.reads(facts(release_date=after(48), **pre_order))
    desk.reads(facts(release_date=after(96), update_time=after(1), **pre_order))
    assert desk.rows()[f"2026-11-03#{ORDER}"] == []
    assert {unit.on for _, unit in desk.units() if unit.signal == "seller_cancellation"} == {
        date(2026, 11, 5)
    }
    desk.reads(facts(release_date=after(48), update_time=after(2), **pre_order))
    assert desk.rows()[f"2026-11-05#{ORDER}"] == []
    assert len(desk.states("seller_cancellation")) == 1


def test_an_order_that_turns_out_to_be_the_marketplaces_to_fulfil_is_taken_out() -> None:
    desk = Desk()
    desk.reads(facts())
    desk.reads(facts(fulfillment_type="FULFILLMENT_BY_TIKTOK", update_time=after(1)))
    assert desk.units() == []


def test_whose_fault_a_cancellation_is_is_the_marketplaces_to_say() -> None:
    desk = Desk()
    reasons = {
        "1": ("SELLER", "seller_cancel_reason_out_of_stock"),
        "2": ("SYSTEM", "system_cancel_order_reason_shipping_timeout_uk"),
        "3": ("BUYER", "ecom_order_no_longer_needed"),
        "4": ("SYSTEM", "a_reason_of_tomorrow"),
    }
    for order_id, (by, reason) in reasons.items():
        told = {"cancelled_by": by, "cancel_reason": reason, "cancel_time": after(2)}
        desk.reads(facts("CANCELLED", paid_time=T0, **told), order_id)
    assert desk.states("seller_cancellation") == {
        "1": State.BAD,
        "2": State.BAD,
        "3": State.GOOD,
        "4": State.LEFT_OUT,
    }


def test_an_order_of_a_shop_that_is_not_known_is_kept_once_it_is() -> None:
    desk = Desk()
    keep_snapshot(desk.store, SHOP, OrderRow(ORDER, facts(), {}), REAL, T0)
    settle.settle(desk.store, lambda _: None, ORDER, T0, REAL)
    assert desk.rows() == {}
    desk.settle()
    assert len(desk.rows()) == 1


# Races and sizes


class Overtaken:
    """A store in which somebody else settles right before the first commit of a head."""

    def __init__(self, store: MemoryStore, meanwhile: Callable[[], None]) -> None:
        self._store = store
        self._meanwhile: list[Callable[[], None]] = [meanwhile]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, writes: Sequence[Write]) -> bool:
        if self._meanwhile:
            self._meanwhile.pop()()
        return self._store.commit(writes)


def test_of_two_settles_at_once_the_row_is_of_the_one_that_read_all() -> None:
    desk = Desk()
    desk.reads(facts(deadlines={"tts_sla_time": after(48)}))
    memory = desk.store
    assert isinstance(memory, MemoryStore)
    told = {"deadlines": {"tts_sla_time": after(48)}, "collection_time": after(47)}
    ready = facts("AWAITING_COLLECTION", update_time=after(9), deadlines=told["deadlines"])
    keep_snapshot(memory, SHOP, OrderRow(ORDER, ready, {}), REAL + HOUR, T0)

    def meanwhile() -> None:
        moving = facts("IN_TRANSIT", update_time=after(47), **told)
        keep_snapshot(memory, SHOP, OrderRow(ORDER, moving, {}), REAL + 2 * HOUR, T0)
        settle.settle(memory, lambda _: desk.shop, ORDER, T0, REAL)

    store: Any = Overtaken(memory, meanwhile)
    settle.settle(store, lambda _: desk.shop, ORDER, T0, REAL)
    assert desk.states("late_dispatch") == {ORDER: State.GOOD}
    assert desk.states("valid_tracking") == {ORDER: State.GOOD}


def test_with_its_units_a_commit_is_no_larger_than_it_may_be() -> None:
    desk = Desk()
    keep_snapshot(desk.store, SHOP, OrderRow(ORDER, facts(), {}), REAL, T0)
    book = read_book(desk.store, ORDER)
    judged = judge(desk.store, book, lambda _: desk.shop, after(200), REAL)
    verdict = next(iter(judged.decision.verdicts))
    many = tuple(replace(verdict, key=f"{verdict.key}#{n}") for n in range(200))
    full = replace(judged, decision=replace(judged.decision, verdicts=many))
    found = Counted(T0.date(), (Unit("late_dispatch", State.GOOD, T0.date()),))
    _, changes = count(folded(snapshot()), found, {"counted": "2026-10-01#0"})
    beside = 2  # the head, and a row that takes in links of its chain
    assert beside + len(full.kept) + len(changes) == LARGEST_COMMIT
    assert not full.whole


# Reading


class Heard(MemoryStore):
    """A store that remembers which rows it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Row] = []

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        found = super().read(pk, prefix)
        self.given += found
        return found


def test_a_window_reads_the_orders_of_its_days_and_of_those_within_reach_before_alone() -> None:
    store = Heard()
    desk = Desk(store)
    for days in range(0, 400):
        at = T0 - timedelta(days=days)
        desk.reads(facts(create_time=at, update_time=at), str(days), at)
    store.given.clear()
    before = store.reads
    window = Window(date(2026, 10, 26), date(2026, 11, 1))
    found = list(kept_units(store, SHOP, window))
    assert store.reads - before == 7, "ten days each"
    assert {order_id for order_id, _ in found} == {str(days) for days in range(7 + REACH.days)}
    assert len(store.given) < 60


@pytest.mark.parametrize(
    "unit",
    [
        Unit("late_dispatch", State.OPEN, date(2026, 11, 3), after(48)),
        Unit("late_dispatch", State.OPEN, date(2026, 11, 3), after(48, microseconds=7)),
        Unit("valid_tracking", State.OPEN, date(2026, 11, 3)),
        Unit("on_time_delivery", State.LEFT_OUT, date(2026, 11, 3), why="no_line"),
        Unit("seller_cancellation", State.GOOD, date(2028, 2, 29)),
    ],
)
def test_a_unit_is_read_back_as_it_was_written(unit: Unit) -> None:
    assert read_unit(as_text(unit)) == unit


@pytest.mark.parametrize("text", ["", "late_dispatch", "late_dispatch fine 2026-11-03 - -"])
def test_a_text_that_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|State"):
        read_unit(text)


# Whatever happens


def facts_of(life: Life, order_id: str) -> list[Row]:
    """All rows that the translation of an order's news would put."""
    found = [codec.event_row(one, REAL) for one in told(life, order_id)]
    for number in carried(life, order_id):
        found += [codec.scan_row(one, REAL) for one in number.scans]
        found += [row for one in number.links for row in codec.link_rows(one, REAL)]
    return found


@settings(patient, max_examples=60)
@given(
    some=st.lists(lives(), min_size=1, max_size=3),
    dice=st.randoms(use_true_random=False),
    looks=st.integers(0, 3),
)
def test_any_arrival_order_repeat_delay_and_settle_times_end_in_what_one_counts_on_paper(
    some: list[Life], dice: random.Random, looks: int
) -> None:
    desk, paper = Desk(), Paper(-1, 60, 24 * 60)
    ids = {f"57600000000000020{place}": life for place, life in enumerate(some)}
    arriving = [
        (order_id, row) for order_id, life in ids.items() for row in facts_of(life, order_id)
    ]
    arriving += dice.sample(arriving, len(arriving) // 3)  # some of it twice
    dice.shuffle(arriving)
    for order_id, row in arriving:
        desk.store.write(Put(row))
        for _ in range(dice.randint(0, looks)):
            desk.settle(order_id, after(dice.randint(0, 1400)))
    for order_id, life in ids.items():
        desk.settle(order_id, after(dice.randint(0, 1400)))
        paper.order(life)

    def figures(units_in: UnitsIn) -> ShopSignals:
        return standing(units_in, desk.shop, after(24 * 60), date(2026, 12, 31), 62)

    found = figures(kept(desk.store, desk.shop))
    assert found == figures(Anew(desk.store, desk.shop).units)
    for one in found.signals:
        marks = paper.marks.get(one.signal, Counter[str]())
        assert (one.good, one.bad, one.open) == (marks["good"], marks["bad"], marks["open"])
