"""A person acknowledges that an order's lines near: its further warnings are left out."""

from collections.abc import Sequence
from datetime import datetime

from shipclock import rows
from shipclock.asking import NotAsked
from shipclock.domain.clock import Clock
from shipclock.domain.times import EPOCH, stamp
from shipclock.escalation import lines
from shipclock.lanes import Shops
from shipclock.ports import ABSENT, Change, Store
from shipclock.settle import judge, read_book


def acknowledge(store: Store, order_id: str, by: str, real: datetime) -> Sequence[Clock]:
    """Leave out further warnings of the lines that an order has ahead; those lines.

    A line that is moved, or comes later, is told of again. Raises `NotAsked` where there is no such
    order, or no line ahead of it.
    """
    key = rows.order_pk(order_id), rows.ACK
    while True:
        book = read_book(store, order_id)
        if book.one(rows.HEAD) is None:
            raise NotAsked(f"There is no order {order_id}. Look its id up in the hub.")
        settled = judge(store, book, Shops(store).get, EPOCH, real)  # as it was settled last
        ahead = [tick.clock for tick in lines(settled.decision.timeline, settled.situation.now)]
        if not ahead:
            raise NotAsked(f"Order {order_id} has no line ahead at which it would be cancelled.")
        seen = book.one(rows.ACK)
        known = seen["clocks"] if seen else []
        clocks = sorted({*known, *(clock.key for clock in ahead)})
        told = {"clocks": clocks, "by": by[:100], "acknowledged_at": stamp(real)}
        when = {"clocks": known if seen else ABSENT}
        if store.write(Change(key, set=told, when=when, create=True)):
            return ahead
