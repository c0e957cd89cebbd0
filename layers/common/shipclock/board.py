"""The board: a shop's orders at each stage, those whose clocks run out next first."""

from collections.abc import Collection, Iterable, Iterator
from heapq import merge
from itertools import takewhile

from shipclock import rows
from shipclock.domain.order import DELIVERED, OPEN_STAGES, STAGES
from shipclock.ports import Row, Store

NO_CLOCK = "9"
"""What the places on the board begin with of orders without a running clock: behind all times."""

FEW = 16
"""Rows of a partition that are read at once of delivered orders: hardly any has a clock."""


def partitions(shop_id: str, stages: Iterable[str]) -> list[str]:
    """The partitions of the `board` index that list a shop's orders at some stages."""
    return [
        rows.board_partition(shop_id, stage, shard)
        for stage in stages
        for shard in range(rows.BOARD_SHARDS)
    ]


def in_order(
    store: Store, shops: Iterable[str], stages: Collection[str], start: str | None, page: int
) -> Iterator[Row]:
    """The rows of some shops' orders at some stages, the next due first, behind `start`: one query
    per partition, and another one each time that a `page` of its rows is used up."""
    parts = [part for shop_id in shops for part in partitions(shop_id, stages)]
    return merge(
        *(_rows_of(store, part, start, page) for part in parts), key=lambda row: row["board_at"]
    )


def open_orders(
    store: Store, shops: Collection[str], start: str | None, page: int
) -> Iterator[Row]:
    """The same of open orders, and of those delivered ones that still have a clock: all others of
    them, which there may be many of, are left unread."""
    found = in_order(store, shops, OPEN_STAGES, start, page)
    if start is not None and start >= NO_CLOCK:
        return found
    delivered = in_order(store, shops, (STAGES[DELIVERED],), start, min(page, FEW))
    waiting = takewhile(lambda row: row["board_at"] < NO_CLOCK, delivered)
    return merge(found, waiting, key=lambda row: row["board_at"])


def _rows_of(store: Store, partition: str, start: str | None, page: int) -> Iterator[Row]:
    while True:
        found = store.board(partition, page, start)
        yield from found.rows
        if found.next is None:
            return
        start = found.next
