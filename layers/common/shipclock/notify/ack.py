"""A person acknowledges that an order's lines near: its further warnings are left out."""

from collections.abc import Sequence
from datetime import datetime

from shipclock import rows
from shipclock.asking import NotAsked
from shipclock.book import read_book
from shipclock.domain.clock import Clock
from shipclock.domain.times import EPOCH, stamp
from shipclock.escalation import NEARING, line_of, lines
from shipclock.judge import judge
from shipclock.ports import ABSENT, Change, Store
from shipclock.shops import Shops
from shipclock.situation import Recorded


def acknowledge(store: Store, order_id: str, by: str, real: datetime) -> Sequence[Clock]:
    """Leave out further warnings of the lines ahead that an order's people were told of, or of the
    next one where none was; those lines.

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
        begun = [clock for clock in ahead if _told(clock, settled.recorded)]
        chosen = begun or [min(ahead, key=lambda clock: clock.due_at)]
        seen = book.one(rows.ACK)
        known = seen["clocks"] if seen else []
        clocks = sorted({*known, *(clock.key for clock in chosen)})
        told = {"clocks": clocks, "by": by[:100], "acknowledged_at": stamp(real)}
        when = {"clocks": known if seen else ABSENT}
        if store.write(Change(key, set=told, when=when, create=True)):
            return chosen


def _told(clock: Clock, recorded: Recorded) -> bool:
    """Whether a step of a line was told."""
    line = f"{NEARING}#{clock.name}#{line_of(clock)}#"
    return any(key.startswith(line) for key in recorded.notices)
