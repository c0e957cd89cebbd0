"""Recorded orders, judged by the packs that ship and by a changed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from cli import kept
from cli.policy_files import policy_from
from shipclock.book import facts_in, fold_book, read_book
from shipclock.incidents import Declarations, DeclaredOf
from shipclock.judge import matched_to, policy_of
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Store
from shipclock.replayed import History
from shipclock.rules.packs import PolicyError
from shipclock.rules.policy import Pack
from shipclock.whatif import PREPARED, Difference, Fired, whatif

READERS = 8
"""Orders read at the same time; the SDK's client has ten connections."""

MOST = 10_000
"""Orders that are read at most, if nothing else is said."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """One order that the changed pack rules: by which pack it was judged, and the differences."""

    order_id: str
    shop: Shop
    placed: datetime
    was: str
    would: str
    differences: tuple[Difference, ...]

    @property
    def zone(self) -> ZoneInfo:
        """Where its days are local."""
        return ZoneInfo(self.shop.zone)

    def by_itself(self, one: Fired) -> bool:
        """Whether it is prepared and, as the shop is set up, goes out without a person."""
        return one.kind == PREPARED and one.name in self.shop.automatic


@dataclass(slots=True)
class Weighing:
    """All orders of some shops, judged at `now` by the packs that ship and by a shelf of others.

    `chosen` is the pack by which all are to be judged, as if each shop had chosen it; empty: as the
    shelf has it. Orders placed before the local day `since` are left out, and no more than `most`
    are read; `stopped` says that there were more. `read` counts orders read, `ruled` those whose
    pack would be another; `unread` are orders whose rows could not be understood.
    """

    store: Store
    shops: Mapping[str, Shop]
    shelf: Mapping[str, Pack]
    now: datetime
    chosen: str = ""
    since: date | None = None
    most: int = MOST
    read: int = 0
    ruled: int = 0
    stopped: bool = False
    unread: list[str] = field(default_factory=list)
    declared: DeclaredOf = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.declared = Declarations(self.store)

    def orders(self) -> Iterator[Weighed]:
        """Those that come out otherwise, each once."""
        with ThreadPoolExecutor(READERS) as pool:
            for page in self._pages():
                for order_id, weighed in zip(page, pool.map(self._read, page), strict=True):
                    self.read += 1
                    if isinstance(weighed, _Unreadable):
                        self.unread.append(order_id)
                    elif weighed is not None:
                        self.ruled += 1
                        if weighed.differences:
                            yield weighed

    def _pages(self) -> Iterator[list[str]]:
        met: set[str] = set()
        for shop_id in self.shops:
            for page in kept.pages(self.store, shop_id):
                fresh = [order_id for order_id in dict.fromkeys(page) if order_id not in met]
                left = self.most - len(met)
                met.update(fresh[:left])
                if fresh[:left]:
                    yield fresh[:left]
                if len(fresh) > left:
                    self.stopped = True
                    return

    def _read(self, order_id: str) -> Weighed | _Unreadable | None:
        """What comes of an order; None where the changed pack is none of its."""
        try:
            book = read_book(self.store, order_id)
            events, numbers = facts_in(book)
            order = fold_book(book)
            met = matched_to(self.store, book, order, self.now, self.declared).incidents
            return self._weigh(History(order_id, tuple(events), tuple(numbers), met))
        except (KeyError, ValueError, OverflowError, PolicyError):  # odd rows, or no such pack
            return _Unreadable()

    def _weigh(self, history: History) -> Weighed | None:
        order = history.order
        shop, facts = self.shops.get(order.shop_id), order.facts
        if shop is None or facts is None:
            return None
        placed = facts.create_time.astimezone(ZoneInfo(shop.zone)).date()
        if self.since and placed < self.since:
            return None
        choosing = replace(shop, pack=self.chosen) if self.chosen else shop
        was = policy_of(order, shop)
        would = policy_of(order, choosing, partial(policy_from, self.shelf))
        if was is None or would is None or was.pack == would.pack:
            return None
        found = whatif(history, shop, was, would, self.now)
        return Weighed(
            order.order_id, shop, facts.create_time, was.pack.name, would.pack.name, found
        )


class _Unreadable:
    """An order whose rows can't be understood."""
