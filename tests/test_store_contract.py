"""The store's contract, held by the fake in memory and by the table on the local AWS alike."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import pytest

from cli import local
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.ports import ABSENT, Above, Below, Change, Check, Due, Put, Store, Write
from tests.fakes import MemoryStore

_numbers = itertools.count()


@pytest.fixture(params=["memory", pytest.param("cloud", marks=pytest.mark.cloud)])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    stack: local.Stack = request.getfixturevalue("stack")
    return DynamoStore(stack.client("dynamodb"), stack.outputs["TableName"])


@pytest.fixture
def pk() -> str:
    return f"TEST#{next(_numbers)}"


@pytest.fixture
def shard() -> int:
    """A shard of the `due` index that no other test and no row of the product uses."""
    return 1000 + next(_numbers)


def row(pk: str, sk: str, **more: Any) -> dict[str, Any]:
    return {"pk": pk, "sk": sk, **more}


def test_a_row_comes_back_as_it_was_put(store: Store, pk: str) -> None:
    values = {
        "text": "é ✓",
        "empty": "",
        "number": 2**60,
        "negative": -1,
        "truth": False,
        "nothing": None,
        "bytes": b"\x00\xff",
        "list": [1, "two", {"three": 3}],
        "map": {"a": {"b": []}},
    }
    assert store.write(Put(row(pk, "A", **values)))
    assert store.get((pk, "A")) == row(pk, "A", **values)


def test_what_is_not_there_is_none(store: Store, pk: str) -> None:
    assert store.get((pk, "A")) is None
    assert store.read(pk) == []


def test_a_put_never_overwrites(store: Store, pk: str) -> None:
    assert store.write(Put(row(pk, "A", n=1)))
    assert not store.write(Put(row(pk, "A", n=2)))
    assert store.get((pk, "A")) == row(pk, "A", n=1)


def test_a_partition_is_read_in_the_order_of_its_sort_keys(store: Store, pk: str) -> None:
    for sk in ("B#2", "A", "B#1", "C", "B"):
        store.write(Put(row(pk, sk)))
    assert [r["sk"] for r in store.read(pk)] == ["A", "B", "B#1", "B#2", "C"]
    assert [r["sk"] for r in store.read(pk, "B#")] == ["B#1", "B#2"]


def test_a_partition_larger_than_one_answer_is_read_whole(store: Store, pk: str) -> None:
    for n in range(8):
        store.write(Put(row(pk, f"A#{n}", body=b"x" * 300_000)))
    assert len(store.read(pk)) == 8


def test_a_change_sets_and_removes(store: Store, pk: str) -> None:
    store.write(Put(row(pk, "A", keep=1, old=2, gone=3)))
    assert store.write(Change((pk, "A"), set={"old": 4, "new": 5}, remove=("gone", "never")))
    assert store.get((pk, "A")) == row(pk, "A", keep=1, old=4, new=5)


def test_a_change_needs_the_row_unless_it_may_create_it(store: Store, pk: str) -> None:
    assert not store.write(Change((pk, "A"), set={"n": 1}))
    assert store.get((pk, "A")) is None
    assert store.write(Change((pk, "A"), set={"n": 1}, create=True))
    assert store.get((pk, "A")) == row(pk, "A", n=1)


@pytest.mark.parametrize(
    ("there", "when", "holds"),
    [
        ({"n": 5}, {"n": 5}, True),
        ({"n": 5}, {"n": 6}, False),
        ({}, {"n": 5}, False),
        ({}, {"n": ABSENT}, True),
        ({"n": 5}, {"n": ABSENT}, False),
        ({"n": 5}, {"n": Below(6)}, True),
        ({"n": 5}, {"n": Below(5)}, False),
        ({}, {"n": Below(5)}, True),
        ({"n": 5}, {"n": Above(4)}, True),
        ({"n": 5}, {"n": Above(5)}, False),
        ({}, {"n": Above(5)}, False),
        ({"n": 5, "m": "x"}, {"n": 5, "m": "x"}, True),
        ({"n": 5, "m": "x"}, {"n": 5, "m": "y"}, False),
        ({"status": "a", "value": 1}, {"status": "a", "value": Above(0)}, True),
    ],
)
def test_a_condition_decides_and_a_failed_one_changes_nothing(
    store: Store, pk: str, there: dict[str, Any], when: dict[str, Any], holds: bool
) -> None:
    store.write(Put(row(pk, "A", **there)))
    assert store.write(Change((pk, "A"), set={"changed": True}, when=when)) is holds
    assert ("changed" in (store.get((pk, "A")) or {})) is holds


def test_a_commit_makes_all_writes_or_none(store: Store, pk: str) -> None:
    store.write(Put(row(pk, "A", n=1)))
    bad: list[Write] = [Put(row(pk, "B")), Change((pk, "A"), set={"n": 2}, when={"n": 9})]
    assert not store.commit(bad)
    assert [r["sk"] for r in store.read(pk)] == ["A"]
    good: list[Write] = [Put(row(pk, "B")), Change((pk, "A"), set={"n": 2}, when={"n": 1})]
    assert store.commit(good)
    assert store.get((pk, "A")) == row(pk, "A", n=2)
    assert store.get((pk, "B")) == row(pk, "B")


def test_a_check_takes_part_in_a_commit_without_changing_anything(store: Store, pk: str) -> None:
    store.write(Put(row(pk, "LANE", holder="me", until=100)))
    change = Put(row(pk, "B"))
    assert not store.commit([Check((pk, "LANE"), {"holder": "you"}), change])
    assert not store.commit([Check((pk, "LANE"), {"until": Above(100)}), change])
    assert not store.commit([Check((pk, "NOTHING"), {}), change])
    assert store.commit([Check((pk, "LANE"), {"holder": "me", "until": Above(99)}), change])
    assert store.get((pk, "LANE")) == row(pk, "LANE", holder="me", until=100)


def test_a_commit_holds_ninety_writes(store: Store, pk: str) -> None:
    assert store.commit([Put(row(pk, f"A#{n:03d}")) for n in range(90)])
    assert len(store.read(pk)) == 90


def marked(pk: str, sk: str, shard: int, due_at: str) -> dict[str, Any]:
    return row(pk, sk, due_pk=str(shard), due_at=due_at)


def test_due_lists_what_is_due_by_then_the_earliest_first(
    store: Store, pk: str, shard: int
) -> None:
    for sk, due_at in (("C", "2026-01-03"), ("A", "0#2026-01-01"), ("B", "2026-01-02")):
        store.write(Put(marked(pk, sk, shard, due_at)))
    store.write(Put(row(pk, "D")))
    store.write(Put(marked(pk, "E", shard + 500_000, "2026-01-01")))
    found = store.due(shard, "2026-01-02", 10)
    assert found == [Due((pk, "A"), "0#2026-01-01"), Due((pk, "B"), "2026-01-02")]


def test_due_goes_on_behind_an_entry(store: Store, pk: str, shard: int) -> None:
    for n in range(5):
        store.write(Put(marked(pk, f"A#{n}", shard, "2026-01-01")))
    seen: list[Due] = []
    after = None
    while page := store.due(shard, "2026-01-01", 2, after):
        assert len(page) <= 2
        seen += page
        after = page[-1]
    assert sorted(d.key[1] for d in seen) == [f"A#{n}" for n in range(5)]


def test_a_row_without_its_mark_is_not_due(store: Store, pk: str, shard: int) -> None:
    store.write(Put(marked(pk, "A", shard, "2026-01-01")))
    store.write(Change((pk, "A"), remove=("due_pk", "due_at"), when={"due_at": "2026-01-01"}))
    assert store.due(shard, "9", 10) == []
    store.write(Change((pk, "A"), set={"due_pk": str(shard), "due_at": "2026-02-01"}))
    assert store.due(shard, "9", 10) == [Due((pk, "A"), "2026-02-01")]


def test_the_board_pages_in_order(store: Store, pk: str) -> None:
    partition = f"{pk}#to_ship"
    for n in (3, 1, 2):
        store.write(Put(row(pk, f"A#{n}", board_pk=partition, board_at=f"{n}", order_id=f"{n}")))
    first = store.board(partition, 2)
    assert [r["order_id"] for r in first.rows] == ["1", "2"]
    assert first.next == "2"
    second = store.board(partition, 2, first.next)
    assert [r["order_id"] for r in second.rows] == ["3"]
    assert second.next is None
    assert store.count(partition, 1000) == 3
    assert store.count(partition, 2) == 2
    assert store.count("nothing", 1000) == 0


def test_of_many_writers_exactly_one_wins(store: Store, pk: str) -> None:
    store.write(Put(row(pk, "A", version=0)))

    def claim(name: str) -> Callable[[], None]:
        def run() -> None:
            if store.write(Change((pk, "A"), set={"version": 1, "by": name}, when={"version": 0})):
                winners.append(name)

        return run

    winners: list[str] = []
    threads = [threading.Thread(target=claim(f"t{n}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = store.get((pk, "A")) or {}
    assert winners == [found["by"]]
