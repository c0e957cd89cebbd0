"""Tell the seller that a line of the performance signals is crossed or about to be.

Once per shop, signal and local day at most, in the morning: whoever reads it can still act on it.
"""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from shipclock import rows
from shipclock.codec import notice_row
from shipclock.domain.clock import Notice
from shipclock.domain.times import local
from shipclock.fulfillment.figures import Line, Window
from shipclock.fulfillment.signals import Unit
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Put, Store
from shipclock.rules.packs import policy_for
from shipclock.standing import kept, standing
from shipclock.standing_views import ShopSignals, SignalView

MORNING = time(8)
"""From when on, by the shop's zone, a day's word is said."""

AHEAD = timedelta(hours=24)
"""How long before a line would be lost the seller hears of it."""

MOST = 100_000
"""More units than these are not counted here, for the shop's calls wait meanwhile."""


def day_to_watch(shop: Shop, now: datetime) -> str:
    """The local day whose word is due, `2026-11-24`; empty in the night, and where the shop's pack
    draws no line."""
    there = now.astimezone(ZoneInfo(shop.zone))
    if there.time() < MORNING:
        return ""
    pack = policy_for(shop.market, there.date(), shop.zone, shop.pack).pack
    return there.date().isoformat() if pack.signals else ""


def watch(store: Store, shop: Shop, now: datetime, real: datetime) -> dict[str, int]:
    """Put the day's notices of a shop, if they are not there: how many were `told`, and how many
    `units` were counted. Of more than `MOST` nothing is said."""
    units = 0

    def counted(window: Window) -> Iterator[tuple[str, Unit]]:
        nonlocal units
        for found in islice(kept(store, shop)(window), MOST + 1):
            units += 1
            yield found

    found = standing(counted, shop, now)
    pk = rows.shop_pk(shop.shop_id)
    due = notices(found, now) if units <= MOST else ()
    told = sum(store.write(Put(notice_row(pk, notice, real))) for notice in due)
    return {"told": told, "units": units}


def notices(shop: ShopSignals, now: datetime) -> Iterator[Notice]:
    """What is to be said of a shop's signals."""
    for one in shop.signals:
        text = _crossed(one) if one.kept is False else _losing(one, shop, now)
        if text:
            about = f"Shop {shop.shop_id}: {text} `shipclock signals` shows what it is made of."
            lost_at = one.lost_at
            ahead = lost_at if one.kept is not False and lost_at and lost_at > now else None
            yield Notice(one.signal, "signal", now, shop.on.isoformat(), about, due_at=ahead)


def _crossed(one: SignalView) -> str:
    ahead = ""
    if one.kept_if_met:
        ahead = f" If all {_open(one)} open ones are met it comes to {one.if_met.percent} %."
    return f"the {one.title} is {one.now.percent} %, and {_bound(one)} is asked.{ahead}{_next(one)}"


def _losing(one: SignalView, shop: ShopSignals, now: datetime) -> str:
    if one.lost_at is None or one.lost_at > now + AHEAD:
        return ""
    at = f"on {local(one.lost_at, ZoneInfo(shop.time_zone))}"
    when = at if one.lost_at > now else "at any moment"
    return (
        f"the {one.title} crosses its line ({_bound(one)}) {when} if nothing happens: "
        f"{_open(one)} are open, and {one.head_room} of them may still turn bad.{_next(one)}"
    )


def _open(one: SignalView) -> int:
    return one.open + one.later.open


def _bound(one: SignalView) -> str:
    line = one.line
    return Line.drawn(line.at_most, line.at_least, line.below).words if line else "nothing"


def _next(one: SignalView) -> str:
    orders = ", ".join(dict.fromkeys(order.order_id for order in one.next))
    return f" See to these first: {orders}." if orders else ""
