"""A changed pack tried on recorded orders: what would have come about otherwise."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from cli import kept
from cli.cards import printable
from cli.policy_files import policy_from
from shipclock.domain.times import stamp
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Store
from shipclock.replayed import History
from shipclock.rules.policy import Pack
from shipclock.settle import facts_in, policy_of, read_book
from shipclock.whatif import PREPARED, VERDICT, Change, Difference, Fired, whatif

READERS = 8
"""Orders read at the same time; the SDK's client has ten connections."""

MOST = 10_000
"""Orders that are read at most, if nothing else is said."""

KINDS = (VERDICT, "reminder", "warning", PREPARED)
COUNTED = {VERDICT: "verdicts", "reminder": "reminders", "warning": "warnings"}


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
            events, numbers = facts_in(read_book(self.store, order_id))
            return self._weigh(History(order_id, tuple(events), tuple(numbers)))
        except (KeyError, ValueError):  # a row that no version of ours has written
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


def counts(found: list[Weighed]) -> dict[str, dict[str, int]]:
    """How many verdicts, reminders, warnings and prepared things come, go and change."""
    count = Counter((d.either.kind, d.change) for one in found for d in one.differences)
    return {kind: {str(change): count[kind, change] for change in Change} for kind in KINDS}


def in_order(found: list[Weighed]) -> list[Weighed]:
    """By shop, and by when they were placed."""
    return sorted(found, key=lambda one: (one.shop.shop_id, one.placed, one.order_id))


# For people


def as_text(name: str, weighing: Weighing, found: list[Weighed]) -> Iterator[str]:
    """A paragraph per order, and the counts."""
    shops = f"{len(weighing.shops)} shop{'s' * (len(weighing.shops) != 1)}"
    yield (
        f"{name} over {weighing.read} orders of {shops}, judged at {stamp(weighing.now)}: it "
        f"changes the pack of {weighing.ruled}, and what came about for {len(found)}"
    )
    if not weighing.ruled:
        yield (
            "It rules none of them otherwise than now: it has the name of the pack that it is to "
            "replace, or their market among its `markets`, or --chosen tries it on all."
        )
    for one in found:
        yield from ("", *_order(one))
    if found:
        yield ""
        for kind, by_change in counts(found).items():
            told = ", ".join(f"{count} {change}" for change, count in by_change.items())
            yield f"{COUNTED.get(kind, kind):<11}{told}"


def _order(one: Weighed) -> Iterator[str]:
    packs = one.was if one.was == one.would else f"{one.was} -> {one.would}"
    yield f"{one.order_id}, placed {_local(one.placed, one.zone)} ({one.zone.key}), {packs}"
    for difference in one.differences:
        yield _difference(difference, one)


def _difference(difference: Difference, one: Weighed) -> str:
    either = difference.either
    known = [fired for fired in (difference.was, difference.would) if fired]
    times = " -> ".join(dict.fromkeys(_local(fired.at, one.zone) for fired in known))
    states = " -> ".join(dict.fromkeys(fired.state for fired in known if fired.state))
    about = " -> ".join(dict.fromkeys(fired.about for fired in known if fired.about))
    alone = difference.change is Change.NEW and one.by_itself(either)
    told = (times, states, printable(about) if _worth(either) else "", "by itself" * alone)
    what = f"{difference.change:<8} {either.kind:<9} {either.name:<22}"
    return f"    {what} {', '.join(filter(None, told))}"


def _worth(one: Fired) -> bool:
    """A reminder is about its day, which its time says already."""
    return one.kind != "reminder"


def _local(at: datetime, zone: ZoneInfo) -> str:
    there = at.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y %H:%M:%S}"


# For machines


def as_json(name: str, weighing: Weighing, found: list[Weighed]) -> str:
    """The same as JSON."""
    return json.dumps(
        {
            "pack": name,
            "judged_at": stamp(weighing.now),
            "shops": list(weighing.shops),
            "read": weighing.read,
            "ruled": weighing.ruled,
            "stopped": weighing.stopped,
            "unread": weighing.unread,
            "orders": [_order_json(one) for one in found],
            "counts": counts(found),
        },
        indent=2,
        ensure_ascii=False,
    )


def _order_json(one: Weighed) -> dict[str, Any]:
    return {
        "order_id": one.order_id,
        "shop_id": one.shop.shop_id,
        "placed_at": stamp(one.placed),
        "was": one.was,
        "would": one.would,
        "differences": [
            {
                "change": difference.change,
                "kind": difference.either.kind,
                "name": difference.either.name,
                "about": difference.either.about or None,
                "by_itself": one.by_itself(difference.either),
                "was": _fired_json(difference.was),
                "would": _fired_json(difference.would),
            }
            for difference in one.differences
        ],
    }


def _fired_json(fired: Fired | None) -> dict[str, str | None] | None:
    return {"at": stamp(fired.at), "state": fired.state or None} if fired else None
