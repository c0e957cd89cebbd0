"""A shop's stock as the marketplace tells it: a row per SKU, whose newest telling counts.

A row has parts that are told apart, by different webhooks and by searches: the quantities, where
they are, and the marketplace's word for how the SKU stands. Of each the newest by its own time
wins, whatever order they arrive in. Nothing here is our own count.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from shipclock import rows
from shipclock.codec import notice_row
from shipclock.domain.clock import Notice
from shipclock.domain.times import parse, stamp
from shipclock.marketplaces.protocol import Shelf
from shipclock.ports import ABSENT, Below, Change, Key, Put, Row, Store, StoreError, Write
from shipclock.sources import StockNews

TRIES = 8

SHORT = {
    "LOW_STOCK": "is running low",
    "OUT_OF_STOCK": "is sold out",
}
"""The marketplace's words that the seller is told of (`tiktok-shop.md` 3.6, type 27)."""


@dataclass(frozen=True, slots=True)
class Stock:
    """A SKU's stock, as it was told last: pieces at `counted_at`, the word for it at `status_at`.

    `quantities` are by our names; what was never told is not among them. `places` are what the last
    search found, at `searched_at`: by warehouse, its quantities by our names.
    """

    shop_id: str
    sku_id: str
    product_id: str = ""
    quantities: Mapping[str, int] = field(default_factory=dict)
    counted_at: datetime | None = None
    event_id: str = ""
    status: str = ""
    status_at: datetime | None = None
    places: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    searched_at: datetime | None = None


def stock_key(shop_id: str, sku_id: str) -> Key:
    """The key of a SKU's row."""
    return rows.shop_pk(shop_id), rows.STOCK + sku_id


def keep_stock(store: Store, news: StockNews, now: datetime, real: datetime) -> None:
    """Keep what was told of a SKU, unless something newer is known, and have the seller hear of it
    once each time the SKU comes to be low or sold out.

    Raises `StoreError` when the table fails or races are lost again and again.
    """
    if news.quantities:
        _count(store, news)
    if not news.status:
        return
    for _ in range(TRIES):
        row = store.get(stock_key(news.shop_id, news.sku_id)) or {}
        if row.get("standing", "") >= _order(news):
            return
        told = news.status in SHORT and row.get("status") != news.status
        if store.commit(_standing(news, row, told, now, real)):
            return
    raise StoreError(f"SKU {news.sku_id} was changed by others {TRIES} times in a row")


def _order(news: StockNews) -> str:
    """What tellings are ordered by, as text: their own time, then their id."""
    return f"{news.at.astimezone(UTC).isoformat(timespec='microseconds')}#{news.event_id}"


def _count(store: Store, news: StockNews) -> None:
    store.write(
        Change(
            stock_key(news.shop_id, news.sku_id),
            set={
                "quantities": json.dumps(dict(news.quantities)),
                "counted": _order(news),
                "counted_at": stamp(news.at),
                "event_id": news.event_id,
                **_product(news),
            },
            when={"counted": Below(_order(news))},
            create=True,
        )
    )


def _standing(
    news: StockNews, row: Row, told: bool, now: datetime, real: datetime
) -> tuple[Write, ...]:
    """The word for how the SKU stands, over the one that was read, and with it the notice."""
    change = Change(
        stock_key(news.shop_id, news.sku_id),
        set={
            "status": news.status,
            "standing": _order(news),
            "status_at": stamp(news.at),
            **_product(news),
        },
        when={"standing": row.get("standing", ABSENT)},
        create=True,
    )
    if not told:
        return (change,)
    return change, Put(notice_row(rows.shop_pk(news.shop_id), _notice(news, now), real))


def _notice(news: StockNews, now: datetime) -> Notice:
    left = news.quantities.get("available")
    pieces = "" if left is None else f"; {left} left to sell"
    return Notice(
        clock=news.sku_id,
        kind="stock",
        at=now,
        day=f"{news.status}#{_order(news)}"[:200],
        text=f"SKU {news.sku_id} of shop {news.shop_id} {SHORT[news.status]} since "
        f"{stamp(news.at)}{pieces}. Restock it, or take it off sale in Seller Center, before it "
        "costs you a cancelled order.",
    )


def keep_search(
    store: Store, shop_id: str, shelves: Sequence[Shelf], now: datetime, asked: datetime
) -> None:
    """Keep what a search, asked for at the real time `asked`, told of one SKU.

    As of `now`, for webhooks bear the marketplace's time; of one instant the later search counts.
    """
    counts = {
        "available": sum(shelf.available for shelf in shelves),
        "committed": sum(shelf.committed for shelf in shelves),
    }
    event_id = f"search#{asked.astimezone(UTC).isoformat(timespec='microseconds')}"
    news = StockNews(
        shop_id, shelves[0].sku_id, now, event_id, shelves[0].product_id, quantities=counts
    )
    _count(store, news)
    places = {
        shelf.warehouse_id: {"available": shelf.available, "committed": shelf.committed}
        for shelf in shelves
        if shelf.warehouse_id
    }
    store.write(
        Change(
            stock_key(shop_id, news.sku_id),
            set={
                "places": json.dumps(places),
                "searched": _order(news),
                "searched_at": stamp(now),
            },
            when={"searched": Below(_order(news))},
            create=True,
        )
    )


def _product(news: StockNews) -> Row:
    return {"product_id": news.product_id} if news.product_id else {}


def stock_of(store: Store, shop_id: str, sku_id: str) -> Stock | None:
    """One SKU's stock; None where nothing was told of it."""
    row = store.get(stock_key(shop_id, sku_id))
    return _stock(shop_id, row) if row else None


def shop_stock(store: Store, shop_id: str) -> list[Stock]:
    """The stock of all of a shop's SKUs that the marketplace told of, by SKU."""
    return [_stock(shop_id, row) for row in store.read(rows.shop_pk(shop_id), rows.STOCK)]


def _stock(shop_id: str, row: Row) -> Stock:
    return Stock(
        shop_id=shop_id,
        sku_id=row["sk"].removeprefix(rows.STOCK),
        product_id=row.get("product_id", ""),
        quantities=json.loads(row.get("quantities", "{}")),
        counted_at=parse(row["counted_at"]) if "counted_at" in row else None,
        event_id=row.get("event_id", ""),
        status=row.get("status", ""),
        status_at=parse(row["status_at"]) if "status_at" in row else None,
        places=json.loads(row.get("places", "{}")),
        searched_at=parse(row["searched_at"]) if "searched_at" in row else None,
    )
