"""A shop's stock as told: the newest counts, and the seller hears of each change for the worse."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock import rows
from shipclock.announce import announcement
from shipclock.marketplaces.protocol import Shelf
from shipclock.ports import StoreError
from shipclock.sources import StockNews
from shipclock.stock import keep_search, keep_stock, shop_stock, stock_key, stock_of
from tests.builders import OTHER_SHOP, REAL, SHOP, after, patient
from tests.fakes import Faults, FaultyStore, MemoryStore

SKU = "1729000000000000102"


def news(status: str = "", hours: float = 0, **more: Any) -> StockNews:
    """A telling of `SKU`'s stock."""
    known: dict[str, Any] = {
        "shop_id": SHOP,
        "sku_id": SKU,
        "at": after(hours),
        "event_id": f"{status}#{hours}",
        "status": status,
        **more,
    }
    return StockNews(**known)


def counted(available: int, hours: float = 0, **more: Any) -> StockNews:
    """A telling of quantities alone."""
    return news("", hours, quantities={"available": available}, **more)


def kept(*told: StockNews, store: MemoryStore | None = None) -> MemoryStore:
    """A store that was told these, one after the other."""
    store = store or MemoryStore()
    for one in told:
        keep_stock(store, one, after(100), REAL)
    return store


def notices(store: MemoryStore) -> list[str]:
    """The words and instants that the seller is told of."""
    found = store.read(rows.shop_pk(SHOP), rows.NOTICE)
    return [row["sk"].removeprefix(f"{rows.NOTICE}stock#{SKU}#").partition("#")[0] for row in found]


def test_nothing_told_is_nothing_known() -> None:
    assert stock_of(MemoryStore(), SHOP, SKU) is None
    assert shop_stock(MemoryStore(), SHOP) == []


def test_word_and_quantities_are_kept_with_their_times() -> None:
    store = kept(
        news("LOW_STOCK", 1, quantities={"available": 3, "total": 5}, product_id="P"),
        counted(2, 2, event_id="9007199254740993"),
    )
    found = stock_of(store, SHOP, SKU)
    assert found is not None
    assert (found.status, found.status_at) == ("LOW_STOCK", after(1))
    assert (found.quantities, found.counted_at) == ({"available": 2}, after(2))
    assert (found.event_id, found.product_id) == ("9007199254740993", "P")
    assert shop_stock(store, SHOP) == [found]


@pytest.mark.parametrize(
    ("seconds", "stays"), [(-1, "OUT_OF_STOCK"), (0, "OUT_OF_STOCK"), (1, "SUFFICIENT_STOCK")]
)
def test_only_what_is_newer_by_its_own_time_changes_the_word(seconds: int, stays: str) -> None:
    second = news("SUFFICIENT_STOCK", at=after(5) + timedelta(seconds=seconds), event_id="a")
    found = stock_of(kept(news("OUT_OF_STOCK", 5, event_id="b"), second), SHOP, SKU)
    assert found is not None
    assert found.status == stays


def test_of_two_tellings_of_one_instant_the_same_counts_in_either_order() -> None:
    one, other = counted(1, event_id="a"), counted(2, event_id="b")
    for told in ((one, other), (other, one)):
        found = stock_of(kept(*told), SHOP, SKU)
        assert found is not None
        assert found.quantities == {"available": 2}


def test_shops_and_skus_are_kept_apart() -> None:
    store = kept(counted(1), counted(2, sku_id="S2"), counted(3, shop_id=OTHER_SHOP))
    assert [s.sku_id for s in shop_stock(store, SHOP)] == [SKU, "S2"]
    assert [s.quantities["available"] for s in shop_stock(store, OTHER_SHOP)] == [3]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], []),
        (["SUFFICIENT_STOCK"], []),
        (["LOW_STOCK"], ["LOW_STOCK"]),
        (["OUT_OF_STOCK"], ["OUT_OF_STOCK"]),
        (["NEARLY_GONE"], []),
        (["LOW_STOCK", "LOW_STOCK"], ["LOW_STOCK"]),
        (["LOW_STOCK", "OUT_OF_STOCK", "OUT_OF_STOCK"], ["LOW_STOCK", "OUT_OF_STOCK"]),
        (["LOW_STOCK", "SUFFICIENT_STOCK", "LOW_STOCK"], ["LOW_STOCK", "LOW_STOCK"]),
        (["OUT_OF_STOCK", "LOW_STOCK"], ["LOW_STOCK", "OUT_OF_STOCK"]),
    ],
)
def test_the_seller_hears_of_each_change_to_low_or_sold_out_once(
    words: list[str], told: list[str]
) -> None:
    store = kept(*(news(word, hours) for hours, word in enumerate(words)))
    assert sorted(notices(store)) == sorted(told)


def test_what_is_told_again_or_late_is_no_news() -> None:
    first, second = news("LOW_STOCK", 1), news("SUFFICIENT_STOCK", 2)
    store = kept(first, first, second, first, news("OUT_OF_STOCK", 1.5))
    assert notices(store) == ["LOW_STOCK"]


def test_the_notice_says_what_is_left_and_what_to_do_and_is_announced() -> None:
    store = kept(news("LOW_STOCK", 1, quantities={"available": 3}))
    (row,) = store.read(rows.shop_pk(SHOP), rows.NOTICE)
    assert row["due_at"] == rows.after_all(REAL)
    told = announcement(rows.key_of(row), row)
    assert (told["type"], told["shop_id"], told["clock"]) == ("shop.stock", SHOP, SKU)
    assert told["text"] == (
        f"SKU {SKU} of shop {SHOP} is running low since 2026-11-01T03:00:00Z; 3 left to sell. "
        "Restock it, or take it off sale in Seller Center, before it costs you a cancelled order."
    )


def test_a_race_that_is_lost_is_run_again_with_what_the_winner_wrote() -> None:
    store = MemoryStore()

    class Racing(MemoryStore):
        """Another writer comes between the read and the commit, once."""

        raced = False

        def get(self, key: tuple[str, str]) -> dict[str, Any] | None:
            found = store.get(key)
            if not self.raced:
                self.raced = True
                kept(news("LOW_STOCK", 1), store=store)
            return found

        commit = store.commit
        write = store.write

    keep_stock(Racing(), news("LOW_STOCK", 2), after(100), REAL)
    assert notices(store) == ["LOW_STOCK"]
    found = stock_of(store, SHOP, SKU)
    assert found is not None
    assert found.status_at == after(2)


@pytest.mark.parametrize("step", range(4))
@pytest.mark.parametrize("kind", ["before", "after"])
def test_whatever_fails_the_same_telling_again_ends_the_same(step: int, kind: str) -> None:
    told = news("LOW_STOCK", 1, quantities={"available": 3})
    memory = MemoryStore()
    faulty = FaultyStore(memory, Faults({step: kind}))
    try:
        keep_stock(faulty, told, after(100), REAL)
    except StoreError:
        keep_stock(faulty, told, after(100), REAL)
    assert memory.rows == kept(told).rows


TOLD = [
    news("LOW_STOCK", 1, quantities={"available": 3}),
    news("OUT_OF_STOCK", 2, quantities={"available": 0}),
    counted(7, 3),
    news("SUFFICIENT_STOCK", 3),
    counted(6, 1.5),
]


def test_any_order_of_arrival_ends_in_the_same_stock() -> None:
    expected = stock_of(kept(*TOLD), SHOP, SKU)
    for told in permutations(TOLD):
        assert stock_of(kept(*told), SHOP, SKU) == expected


@patient
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "LOW_STOCK", "OUT_OF_STOCK", "SUFFICIENT_STOCK", "X"]),
            st.integers(0, 4),
            st.integers(0, 9),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_any_tellings_in_any_order_end_the_same(
    said: list[tuple[str, int, int]], shuffler: Any
) -> None:
    told = [
        news(word, hours, quantities={"available": left}, event_id=str(place))
        for place, (word, hours, left) in enumerate(said)
    ]
    shuffled = [*told, *told]
    shuffler.shuffle(shuffled)
    assert shop_stock(kept(*shuffled), SHOP) == shop_stock(kept(*told), SHOP)
    row = kept(*told).get(stock_key(SHOP, SKU))
    assert row is None or "due_at" not in row


# Searches


def search(store: MemoryStore, hours: float, seconds: int, *units: int) -> None:
    """A search at `now`, asked for so many real seconds later than another."""
    shelves = [Shelf(SKU, "P", "MUG", f"W{n}", left, 1) for n, left in enumerate(units)]
    keep_search(store, SHOP, shelves, after(hours), REAL + timedelta(seconds=seconds))


def test_a_search_is_a_telling_with_its_warehouses() -> None:
    store = kept(news("LOW_STOCK", 1, quantities={"available": 3}))
    search(store, 2, 0, 4, 5)
    found = stock_of(store, SHOP, SKU)
    assert found is not None
    assert found.quantities == {"available": 9, "committed": 2}
    assert (found.counted_at, found.searched_at) == (after(2), after(2))
    assert found.places == {
        "W0": {"available": 4, "committed": 1},
        "W1": {"available": 5, "committed": 1},
    }
    assert (found.status, found.product_id) == ("LOW_STOCK", "P")


@pytest.mark.parametrize(
    ("second", "stays"), [((1.9, 9), 4), ((2, -1), 4), ((2, 1), 7), ((2.1, 0), 7)]
)
def test_of_two_searches_the_later_counts_in_either_order(
    second: tuple[float, int], stays: int
) -> None:
    told = [(2.0, 0, 4), (*second, 7)]
    for order in (told, told[::-1]):
        store = MemoryStore()
        for hours, seconds, units in order:
            search(store, hours, seconds, units)
        found = stock_of(store, SHOP, SKU)
        assert found is not None
        assert found.quantities["available"] == stays
        assert found.places["W0"]["available"] == stays


@pytest.mark.parametrize(("hours", "available"), [(1.9, 4), (2, 4), (2.1, 8)])
def test_a_webhook_of_later_than_a_search_counts_more(hours: float, available: int) -> None:
    store = MemoryStore()
    search(store, 2, 0, 4)
    keep_stock(store, counted(8, hours), after(100), REAL)
    found = stock_of(store, SHOP, SKU)
    assert found is not None
    assert found.quantities["available"] == available
    assert found.places["W0"]["available"] == 4
