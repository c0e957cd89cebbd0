"""What the hub shows: who may ask, and lists. One order is in `order_view`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from pydantic import BaseModel, ConfigDict

from shipclock import rows
from shipclock.asking import ID
from shipclock.board import in_order
from shipclock.domain.order import STAGES
from shipclock.domain.times import parse, stamp
from shipclock.meant import BadQuery
from shipclock.ports import Row, Store
from shipclock.sources.signatures import same
from shipclock.stock import Stock, shop_stock
from shipclock.stockwish import StockWish, shop_wishes
from shipclock.views import Instant


class OrderLine(BaseModel):
    """One order in a list."""

    order_id: str
    shop_id: str
    status: str
    stage: str
    shipping_type: str | None
    next_clock: str | None
    next_due_at: Instant | None


class OrderList(BaseModel):
    """A page of orders, the next due first. `next` starts the next page; null: there is none."""

    orders: list[OrderLine]
    next: str | None


class QuarantineLine(BaseModel):
    """One delivery that waits for a person."""

    delivery: str
    source: str
    received_at: Instant
    reason: str


class QuarantineList(BaseModel):
    """A page of quarantined deliveries, the oldest first."""

    deliveries: list[QuarantineLine]
    next: str | None


class Asking(BaseModel):
    """What a person asks to be told to the marketplace of an order. `says` are the words that the
    deed needs; `revoked`: it is asked for no longer."""

    model_config = ConfigDict(extra="forbid")

    deed: str
    package_id: str = ""
    says: dict[str, str] = {}
    revoked: bool = False


class Asked(BaseModel):
    """It was asked for: after the next sweep the order's `pushes[]` tells what became of it."""

    order_id: str
    deed: str
    asked_at: Instant


class PlaceLine(BaseModel):
    """A SKU in one warehouse: what the last search showed, and what is wished. Null: not told."""

    warehouse_id: str
    available: int | None
    committed: int | None
    wished: int | None


class WishLine(BaseModel):
    """What the last wish for a SKU's stock came to."""

    state: str
    attempts: int
    asked_at: Instant
    by: str | None
    done_at: Instant | None
    reason: str | None
    advice: str | None


class StockLine(BaseModel):
    """One SKU. `quantities` are what the marketplace told last, at `told_at`, by a webhook or a
    search; `warehouses` are as of `searched_at`."""

    shop_id: str
    sku_id: str
    product_id: str | None
    status: str | None
    status_at: Instant | None
    quantities: dict[str, int]
    told_at: Instant | None
    searched_at: Instant | None
    warehouses: list[PlaceLine]
    wish: WishLine | None


class StockList(BaseModel):
    """A page of SKUs, by shop and SKU."""

    stock: list[StockLine]
    next: str | None


class Refusal(BaseModel):
    """An answer that is no. `message` says why, and what would be accepted."""

    statusCode: int
    message: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. `shops` limits what is shown; empty: all shops."""

    role: str
    shops: tuple[str, ...] = ()

    def may_see(self, shop_id: str) -> bool:
        """Whether this shop is shown to them."""
        return not self.shops or shop_id in self.shops


ROLES = {
    "owner": frozenset(
        {"orders", "due", "calendar", "quarantine", "signals", "stock", "ask", "incidents"}
    ),
    "viewer": frozenset({"orders", "due", "calendar", "signals", "stock"}),
    "packer": frozenset({"orders"}),
    "calendar": frozenset({"calendar"}),
}
"""What each role may do: read what is named so, and ask."""


def visitor(authorization: str, secret: Mapping[str, Any]) -> Visitor | None:
    """Who a Bearer header belongs to; None where it fits no token of the hub's secret.

    The secret is `{"tokens": [{"token", "role", "shops"}, …]}`, or one such entry alone, as the
    template generates it.
    """
    scheme, _, given = authorization.partition(" ")
    found = None
    for entry in secret.get("tokens", [secret]):
        token = str(entry.get("token", ""))
        if same(token, given.strip()) and token and scheme.lower() == "bearer":
            found = Visitor(str(entry.get("role", "")), tuple(entry.get("shops", ())))
    return found


FEED_ROLE = "calendar"
"""The only role whose token may stand in an address, where others than its owner may see it."""


def feed_visitor(token: str, secret: Mapping[str, Any]) -> Visitor | None:
    """Who a token in the address of the calendar belongs to; None where it fits none that may
    stand there."""
    who = visitor(f"Bearer {token}", secret)
    return who if who and who.role == FEED_ROLE else None


PAGE = 16
"""Rows of a board's partition that are read at once for a list: its rows are spread over many."""


def order_list(
    store: Store,
    shops: Iterable[str],
    stages: Iterable[str],
    limit: int,
    start: str | None,
    due_by: datetime | None = None,
) -> OrderList:
    """A page of the orders of some shops at some stages, the next due first.

    `due_by` leaves out those without a running clock that runs out by then.
    """
    until = stamp(due_by) + "~" if due_by else "~"
    ahead = in_order(store, shops, tuple(stages), start, min(limit + 1, PAGE))
    found: dict[str, Row] = {}
    for row in takewhile(lambda row: row["board_at"] <= until, ahead):
        found.setdefault(row["order_id"], row)  # one that moves on meanwhile is met twice
        if len(found) > limit:
            break
    more = len(found) > limit
    shown = list(found.values())[:limit]
    return OrderList(
        orders=[_line(row) for row in shown], next=shown[-1]["board_at"] if more else None
    )


def _line(row: Row) -> OrderLine:
    return OrderLine(
        order_id=row["order_id"],
        shop_id=row["shop_id"],
        status=row["status"],
        stage=row["stage"],
        shipping_type=row["shipping_type"] or None,
        next_clock=row["next_clock"] or None,
        next_due_at=parse(row["next_due_at"]) if row["next_due_at"] else None,
    )


def quarantine_list(store: Store, limit: int, start: str | None) -> QuarantineList:
    """A page of the deliveries that wait for a person."""
    page = store.board(rows.QUARANTINE, limit + 1, start)
    shown = page.rows[:limit]
    more = len(page.rows) > limit or page.next is not None
    lines = [
        QuarantineLine(
            delivery=row["pk"].removeprefix("DELIVERY#"),
            source=row["source"],
            received_at=parse(row["received_at"]),
            reason=row["reason"],
        )
        for row in shown
    ]
    return QuarantineList(deliveries=lines, next=shown[-1]["board_at"] if more else None)


def stock_list(store: Store, shops: Iterable[str], limit: int, start: str | None) -> StockList:
    """A page of the SKUs of some shops of which stock was told or wished, by shop and SKU."""
    first = tuple((start or "#").split("#", 1))
    found: list[StockLine] = []
    for shop_id in sorted(set(shops)):
        if len(found) > limit or shop_id < first[0]:
            continue
        told = {stock.sku_id: stock for stock in shop_stock(store, shop_id)}
        wished = {wish.sku_id: wish for wish in shop_wishes(store, shop_id)}
        found += [
            _stock_line(shop_id, sku_id, told.get(sku_id), wished.get(sku_id))
            for sku_id in sorted(told.keys() | wished.keys())
            if (shop_id, sku_id) > first
        ]
    shown = found[:limit]
    last = f"{shown[-1].shop_id}#{shown[-1].sku_id}" if len(found) > limit else None
    return StockList(stock=shown, next=last)


def _stock_line(shop_id: str, sku_id: str, told: Stock | None, wish: StockWish | None) -> StockLine:
    stock = told or Stock(shop_id, sku_id)
    wished = wish.quantities if wish else {}
    return StockLine(
        shop_id=shop_id,
        sku_id=sku_id,
        product_id=stock.product_id or None,
        status=stock.status or None,
        status_at=stock.status_at,
        quantities=dict(stock.quantities),
        told_at=stock.counted_at,
        searched_at=stock.searched_at,
        warehouses=[
            PlaceLine(
                warehouse_id=place,
                available=stock.places.get(place, {}).get("available"),
                committed=stock.places.get(place, {}).get("committed"),
                wished=wished.get(place),
            )
            for place in sorted({*stock.places, *wished})
        ],
        wish=_wish_line(wish) if wish else None,
    )


def _wish_line(wish: StockWish) -> WishLine:
    return WishLine(
        state=wish.state.value,
        attempts=wish.attempts,
        asked_at=wish.asked_at,
        by=wish.by or None,
        done_at=wish.done_at,
        reason=wish.reason or None,
        advice=wish.advice or None,
    )


SKU_START = re.compile(r"[\w-]{1,64}#[\w-]{1,64}", re.ASCII)
"""What `next` of a page of stock looks like: a shop and a SKU."""


SHOP_START = re.compile(r"[\w-]{1,64}", re.ASCII)
"""What `next` of a page of shops looks like."""


def connected_shops(store: Store, who: Visitor) -> list[str]:
    """The shops ever connected that this visitor may see."""
    return [row["sk"] for row in store.read(rows.SHOPS) if who.may_see(row["sk"])]


def chosen_shops(who: Visitor, shop_ids: Iterable[str]) -> list[str]:
    """Those of these shops that this visitor may see; raises `BadQuery` for what is no id."""
    chosen = dict.fromkeys(shop_ids)
    if not all(map(ID.fullmatch, chosen)):
        raise BadQuery("shop_id: the id of a shop was expected, or several joined by commas")
    return [shop_id for shop_id in chosen if who.may_see(shop_id)]


def every_stage() -> tuple[str, ...]:
    """All columns of the board."""
    return (*dict.fromkeys(STAGES.values()), "unknown")


START = re.compile(
    r"(9|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00))#[\w-]{1,64}", re.ASCII
)
"""What `next` of a page looks like: a time and an id, or 9 where no clock runs."""


def page_start(text: str | None, form: re.Pattern[str] = START) -> str | None:
    """The start of a page as an earlier page's `next` gave it; raises `BadQuery` telling so."""
    if text is not None and not form.fullmatch(text):
        raise BadQuery("start: send what the page before gave as next")
    return text


UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def within(text: str) -> timedelta:
    """A span as `90m`, `24h` or `7d`; raises `BadQuery` telling so."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isascii() or not number.isdigit() or len(number) > 5:
        raise BadQuery("within: write a span as 90m, 24h or 7d")
    return int(number) * UNITS[unit]


TOLD_AT_ONCE = 3
"""How many of the things that are wrong with a request are told."""


def slips(errors: Iterable[Mapping[str, Any]]) -> str:
    """What is wrong with a request's words or body, as pydantic has found it: where, and what would
    be accepted. What was sent is not told again, but for names of keys."""
    return "; ".join(map(_slip, islice(errors, TOLD_AT_ONCE)))


def _slip(error: Mapping[str, Any]) -> str:
    if error["type"] == "json_invalid":
        return NO_JSON
    place = [str(part)[:40] for part in error["loc"]]
    told = str(error["msg"])
    return f"{'.'.join(place[1:]) or place[0]}: {told[:1].lower()}{told[1:]}"


NO_JSON = "body: JSON that can be read was expected"
