"""Where a shop stands in the marketplace's performance signals, as the hub and the CLI show it."""

import heapq
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from zoneinfo import ZoneInfo

from shipclock.counting import kept_units
from shipclock.fulfillment.definitions import DEFINITIONS
from shipclock.fulfillment.figures import (
    DEFAULT_DAYS,
    Figure,
    Line,
    Tally,
    Window,
    instant_of,
    percent,
    window_to,
)
from shipclock.fulfillment.scorecards import Ratio
from shipclock.fulfillment.signals import WHY, State, Unit
from shipclock.marketplaces.protocol import Shop
from shipclock.meant import BadQuery
from shipclock.ports import Store
from shipclock.rules.packs import PolicyError, policy_for
from shipclock.rules.policy import Pack, Signal
from shipclock.shops import shop_of
from shipclock.standing_views import (
    DefinitionView,
    LaterView,
    LeftOutView,
    LineView,
    NextView,
    RunsOutView,
    ShareView,
    ShopSignals,
    SignalsList,
    SignalView,
    UnreadShop,
    WindowView,
)

SHOWN_NEXT = 10
"""How many of the orders that run out next are named with a figure."""

DAY = re.compile(r"2\d{3}-\d\d-\d\d", re.ASCII)
NO_DAY = "on: a day such as 2026-11-24 was expected"


def day_of(text: str | None) -> date | None:
    """The day in a text such as `2026-11-24`, None of none; raises `BadQuery` telling so."""
    if text is None:
        return None
    if not DAY.fullmatch(text):
        raise BadQuery(NO_DAY)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadQuery(NO_DAY) from None


UnitsIn = Callable[[Window], Iterable[tuple[str, Unit]]]
"""The units of a shop's orders that may count in a window, each with its order's id."""


def kept(store: Store, shop: Shop) -> UnitsIn:
    """A shop's units as its orders' settles have kept them."""
    return partial(kept_units, store, shop.shop_id)


@dataclass(slots=True)
class _Count:
    """One signal as it is being counted."""

    signal: str
    drawn: Signal | None
    window: Window
    set_by: str
    tally: Tally
    next: list[tuple[datetime, str]] = field(default_factory=list)

    def add(self, order_id: str, unit: Unit) -> None:
        """Count a unit of this signal."""
        self.tally.add(unit)
        waits = unit.state is State.OPEN and unit.on >= self.window.first
        ahead = unit.due_at is not None and unit.due_at > self.tally.at
        if waits and unit.due_at and (ahead or not DEFINITIONS[self.signal].runs_out):
            self.next.append((unit.due_at, order_id))

    def figure(self) -> Figure:
        """The figure as it stands."""
        told = self.drawn
        line = Line.drawn(told.at_most, told.at_least, told.below) if told else None
        return self.tally.figure(self.signal, line)


def standing(
    units_in: UnitsIn,
    shop: Shop,
    now: datetime,
    on: date | None = None,
    days: int | None = None,
) -> ShopSignals:
    """Where a shop stands: now, or at the end of another local day, of the future too; a past day
    by all that is known today.

    `days` is how long the windows are, instead of what the pack says. The units are asked for once,
    for the longest window. Raises ValueError for `days` that make no window, and `PolicyError`
    where the shop's pack is not there.
    """
    zone = ZoneInfo(shop.zone)
    last = on or now.astimezone(zone).date()
    at = instant_of(last, zone, now)
    pack = policy_for(shop.market, last, shop.zone, shop.pack).pack
    counts = {signal: _begin(signal, pack, last, days, at) for signal in DEFINITIONS}
    longest = min((one.window for one in counts.values()), key=lambda window: window.first)
    for order_id, unit in units_in(longest):
        counts[unit.signal].add(order_id, unit)
    return ShopSignals(
        shop_id=shop.shop_id,
        time_zone=shop.zone,
        pack=pack.name,
        on=last,
        at=at,
        signals=[_view(one, pack, zone) for one in counts.values()],
    )


def _begin(signal: str, pack: Pack, last: date, days: int | None, at: datetime) -> _Count:
    drawn = pack.signals.get(signal)
    chosen, set_by = DEFAULT_DAYS, "default"
    if drawn is not None and drawn.days is not None:
        chosen, set_by = drawn.days, "pack"
    if days is not None:
        chosen, set_by = days, "asked"
    window = window_to(last, chosen)
    return _Count(signal, drawn, window, set_by, Tally(window, at))


def _view(one: _Count, pack: Pack, zone: ZoneInfo) -> SignalView:
    figure, told = one.figure(), DEFINITIONS[one.signal]
    return SignalView(
        signal=one.signal,
        title=told.title,
        window=WindowView(
            days=(one.window.last - one.window.first).days + 1,
            first=one.window.first,
            last=one.window.last,
            set_by=one.set_by,
        ),
        line=_line(one.drawn, pack) if one.drawn else None,
        good=figure.counts.good,
        bad=figure.counts.bad,
        open=figure.counts.open,
        later=LaterView(good=figure.later.good, bad=figure.later.bad, open=figure.later.open),
        left_out=[
            LeftOutView(why=why, count=count, meaning=WHY[why])
            for why, count in sorted(figure.left_out.items())
        ],
        now=_share(figure.now),
        if_met=_share(figure.if_met),
        if_run_out=_share(figure.if_run_out),
        kept=figure.kept(figure.now),
        kept_if_met=figure.kept(figure.if_met),
        kept_if_run_out=figure.kept(figure.if_run_out),
        head_room=figure.head_room,
        lost_at=figure.lost_at,
        runs_out=_by_day(figure, zone),
        next=[
            NextView(order_id=order_id, due_at=due_at)
            for due_at, order_id in heapq.nsmallest(SHOWN_NEXT, one.next)
        ],
        definition=DefinitionView(
            numerator=told.numerator,
            denominator=told.denominator,
            counted_on=told.counted_on,
            left_out=told.left_out,
            unsure=told.unsure,
        ),
    )


def _line(drawn: Signal, pack: Pack) -> LineView:
    return LineView(
        at_most=drawn.at_most,
        at_least=drawn.at_least,
        below=drawn.below,
        pack=pack.name,
        clause=drawn.clause,
        source=drawn.source,
        dated=drawn.dated,
        confidence=drawn.confidence,
    )


def _share(ratio: Ratio) -> ShareView:
    told = None if ratio.value is None else percent(ratio.value)
    return ShareView(count=ratio.count, of=ratio.of, percent=told)


def _by_day(figure: Figure, zone: ZoneInfo) -> list[RunsOutView]:
    counted: Counter[date | None] = Counter()
    for due_at, count in figure.waiting.items():
        counted[due_at.astimezone(zone).date() if due_at else None] += count
    in_order = sorted(counted.items(), key=lambda item: item[0] or date.max)
    return [RunsOutView(day=day, count=count) for day, count in in_order]


def signals_list(
    store: Store,
    shop_ids: Iterable[str],
    now: datetime,
    limit: int,
    start: str | None,
    on: date | None = None,
    days: int | None = None,
) -> SignalsList:
    """A page of the shops of these ids that were ever connected, by their ids."""
    left = sorted(shop_id for shop_id in set(shop_ids) if shop_id > (start or ""))
    page = left[:limit]
    shops = [shop for shop_id in page if (shop := shop_of(store, shop_id)) is not None]
    told = signals_of(((kept(store, shop), shop) for shop in shops), now, on, days)
    return told.model_copy(update={"next": page[-1] if len(left) > limit else None})


def signals_of(
    shops: Iterable[tuple[UnitsIn, Shop]],
    now: datetime,
    on: date | None = None,
    days: int | None = None,
) -> SignalsList:
    """Where these shops stand. One whose pack is not there is left out, named, and holds up no
    others."""
    told = SignalsList(shops=[], next=None)
    for units_in, shop in shops:
        try:
            told.shops.append(standing(units_in, shop, now, on, days))
        except PolicyError as error:
            told.unread.append(UnreadShop(shop_id=shop.shop_id, reason=str(error)))
    return told
