"""Open orders read one after the other, those whose clocks run out next first, and judged; a
delivered order is among them while a clock still runs for it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from shipclock.board import open_orders
from shipclock.book import read_book
from shipclock.domain.times import stamp
from shipclock.domain.zones import is_zone
from shipclock.incidents import Declarations, DeclaredOf
from shipclock.judge import Settled, judge
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Row, Store
from shipclock.rules.packs import PolicyError
from shipclock.shops import Shops, shop_of

PAGE = 200
"""Rows of a board's partition that are read at once, at most."""

READERS = 8
"""Orders read at the same time; the SDK's client keeps twenty connections."""

TOGETHER = 4 * READERS
"""Orders that are read before somebody asks whether there is time for more."""

NEVER_CONNECTED = "its shop was never connected here: `shipclock shops connect`"
NOT_READ_YET = "the marketplace's detail of it is not known yet; the next sweep asks for it"

InTime = Callable[[], bool]
"""Whether there is time to read some more orders."""


@dataclass(frozen=True, slots=True)
class Unread:
    """An open order of which nothing can be said, and why."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open orders as of a time, the next due first. `next` starts behind the last that was read;
    None: all were."""

    judged: tuple[Settled, ...]
    unread: tuple[Unread, ...]
    next: str | None

    @property
    def read(self) -> int:
        """How many orders were looked at."""
        return len(self.judged) + len(self.unread)


def read_open(
    store: Store,
    shops: Iterable[str],
    real: datetime,
    limit: int,
    start: str | None = None,
    due_by: datetime | None = None,
    in_time: InTime = lambda: True,
) -> Open:
    """Read and judge open orders as of `real`, at most `limit`, and while there is time.

    At least `TOGETHER` are read, so that pages come to an end. `due_by` leaves out those without a
    running clock that runs out by then. One read costs a query of its rows, one per linked number,
    and one request more where a carrier has scanned it. An order whose rows can't be understood
    holds up no others. Raises `StoreError` when the table fails.
    """
    last = stamp(due_by) + "~" if due_by else "~"
    found: dict[str, Settled | Unread | None] = {}
    shops_met, declared = Shops(store), Declarations(store)
    ahead = open_orders(store, tuple(shops), start, min(limit + 1, PAGE))

    def look(order_id: str) -> Settled | Unread | None:
        return _judged(store, order_id, shops_met.get, real, declared)

    more: Row | None = next(ahead, None)
    behind = start
    with ThreadPoolExecutor(READERS) as pool:
        while more and more["board_at"] <= last and len(found) < limit:
            if found and not in_time():
                break
            room = min(TOGETHER, limit - len(found))
            rows_now = [more, *islice(ahead, room - 1)]
            rows_now = [row for row in rows_now if row["board_at"] <= last]
            fresh = [row["order_id"] for row in rows_now if row["order_id"] not in found]
            found |= zip(fresh, pool.map(look, fresh), strict=True)
            behind = rows_now[-1]["board_at"]
            more = next(ahead, None)
    left = more is not None and more["board_at"] <= last
    told = [one for one in found.values() if one is not None]
    return Open(
        judged=tuple(one for one in told if isinstance(one, Settled)),
        unread=tuple(one for one in told if isinstance(one, Unread)),
        next=behind if left else None,
    )


def zones_of(store: Store, shops: Iterable[str]) -> Iterator[ZoneInfo]:
    """The time zones of those of these shops that were ever connected; one read for each."""
    for shop_id in shops:
        shop = shop_of(store, shop_id)
        if shop is not None and is_zone(shop.zone):
            yield ZoneInfo(shop.zone)


def _judged(
    store: Store,
    order_id: str,
    shop_of: Callable[[str], Shop | None],
    real: datetime,
    declared: DeclaredOf,
) -> Settled | Unread | None:
    """An order as a settle at `real` would find it; None where it has ended meanwhile."""
    try:
        settled = judge(store, read_book(store, order_id), shop_of, real, real, declared)
    except PolicyError as error:
        return Unread(order_id, str(error))
    except (KeyError, ValueError, OverflowError):  # a row that no version of ours has written
        return Unread(order_id, "its rows can't be understood: look at it in the hub")
    if settled.order.ended:
        return None
    if settled.situation.shop is None:
        return Unread(order_id, NEVER_CONNECTED)
    if settled.situation.policy is None:
        return Unread(order_id, NOT_READ_YET)
    return settled
