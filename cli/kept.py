"""Every order that a table keeps, page by page through the board's index."""

from __future__ import annotations

from collections.abc import Iterator

from shipclock import board
from shipclock.hub import every_stage
from shipclock.ports import Store

PAGE = 200
"""Orders that are listed together."""


def pages(store: Store, shop_id: str, size: int = PAGE) -> Iterator[list[str]]:
    """The ids of a shop's orders. The board may change while it is read: its stages are read in the
    order of an order's life, so that one which moves on meanwhile is met twice rather than never.
    """
    for partition in board.partitions(shop_id, every_stage()):
        start = None
        while True:
            page = store.board(partition, size, start)
            yield [row["order_id"] for row in page.rows]
            if page.next is None:
                break
            start = page.next
