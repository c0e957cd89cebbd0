"""What is in the shelves: the stock of those SKUs a story has given one.

Partner Center, "Inventory Search", "Update Inventory", and the webhooks "Inventory status change"
(27) and "Inventory changed by shop" (71). An order commits units of its warehouse, a cancellation
gives them back, shipping takes them out; which of that changes which number is this sandbox's
reading of the field texts. A SKU without stock is sold without end and sends no webhook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from sandbox import wire
from sandbox.gate import Asked
from sandbox.kept import Stock
from sandbox.orders import Line, Order
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import STOCK_CHANGE_TOPIC, STOCK_STATUS_TOPIC, World, announce, record

MOST_PRODUCTS = 100
MOST_SKUS = 600
LEAST, MOST = 1, 99_999

SEARCH_BODY: Shape = {"product_ids": [str], "sku_ids": [str]}
UPDATE_BODY: Shape = {
    "skus!": [
        {
            "id!": str,
            "inventory!": [
                {
                    "quantity!": int,
                    "warehouse_id": str,
                    "backorder_quantity": int,
                    "handling_time": int,
                }
            ],
        }
    ]
}


def status_of(world: World, stock: Stock) -> str:
    """What webhook 27 calls the present amount."""
    left = sum(stock.available.values())
    if not left:
        return "OUT_OF_STOCK"
    return "LOW_STOCK" if left <= world.settings.low_stock else "SUFFICIENT_STOCK"


def change(
    world: World, stock: Stock, warehouse_id: str, available: int, committed: int, source: str
) -> None:
    """Add to the two numbers of a warehouse, and tell the app (71, and 27 when the status moves).

    The available number does not fall below zero: a marketplace sells no unit it does not have,
    but a story may.
    """
    was, before = status_of(world, stock), stock.available.get(warehouse_id, 0)
    stock.available[warehouse_id] = max(0, before + available)
    stock.committed[warehouse_id] = max(0, stock.committed.get(warehouse_id, 0) + committed)
    _announce_change(world, stock, stock.available[warehouse_id] - before, committed, source)
    if status_of(world, stock) != was:
        announce_status(world, stock)


def _announce_change(
    world: World, stock: Stock, available: int, committed: int, source: str
) -> None:
    number = world.count("stock change")
    left, bound = sum(stock.available.values()), sum(stock.committed.values())
    at = datetime.fromtimestamp(world.clock, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data: dict[str, object] = {
        "event_id": f"sandbox-stock-{number}",
        "occurred_at": at,
        # Numbers in this topic, although they are above 2^53.
        "shop_id": int(stock.shop_id),
        "product_id": int(stock.product_id),
        "sku_id": int(stock.sku_id),
        "quantity_snapshot_after_change": {
            "total_quantity": left + bound,
            "total_available_quantity": left,
            "total_committed_quantity": bound,
            "in_shop_quantity": left,
            "campaign_locked_quantity": 0,
            "creator_locked_quantity": 0,
        },
        "change_detail": [
            {
                "idempotency_key": f"sandbox-stock-{number}-1",
                "trigger_source": source,
                "occurred_at": at,
                "total_quantity_delta": available + committed,
                "available_quantity_delta": available,
                "committed_quantity_delta": committed,
                "in_shop_quantity_delta": available,
                "campaign_locked_quantity_delta": 0,
                "creator_locked_quantity_delta": 0,
            }
        ],
    }
    announce(world, stock.shop_id, STOCK_CHANGE_TOPIC, data, world.clock)


def announce_status(world: World, stock: Stock) -> None:
    """Type 27: the stock is sufficient, low or gone."""
    left, bound = sum(stock.available.values()), sum(stock.committed.values())
    data: dict[str, object] = {
        "product_id": stock.product_id,
        "sku_id": stock.sku_id,
        "trigger_reason": {
            "alert_type": "REALTIME",
            "low_stock_threshold": world.settings.low_stock,
        },
        "current_inventory_status": status_of(world, stock),
        "inventory_distribution": {
            "total_quantity": left + bound,
            "available_quantity": left,
            "creator_reserved_quantity": 0,
            "campaign_reserved_quantity": 0,
            "committed_quantity": bound,
        },
        "update_time": world.clock,
    }
    announce(world, stock.shop_id, STOCK_STATUS_TOPIC, data, world.clock)


def _each(world: World, order: Order, lines: Iterable[Line]) -> list[tuple[Stock, int]]:
    counted = Counter(line.sku_id for line in lines)
    return [
        (world.stock[order.shop_id, sku_id], units)
        for sku_id, units in counted.items()
        if (order.shop_id, sku_id) in world.stock
    ]


def commit(world: World, order: Order) -> None:
    """An order is placed: its units are promised to it."""
    for stock, units in _each(world, order, order.lines):
        change(world, stock, order.warehouse_id, -units, units, "ORDER_CREATED")


def release(world: World, order: Order, lines: Iterable[Line]) -> None:
    """Lines are cancelled: what has not left the warehouse can be sold again."""
    waiting = [line for line in lines if not line.rts_time]
    for stock, units in _each(world, order, waiting):
        change(world, stock, order.warehouse_id, units, -units, "ORDER_CANCELLED")


def hand_out(world: World, order: Order, line: Line) -> None:
    """A line is shipped: its unit is promised no more, because it is gone."""
    for stock, units in _each(world, order, [line]):
        change(world, stock, order.warehouse_id, 0, -units, "ORDER_SHIPPED")


def search(world: World, asked: Asked) -> dict[str, object]:
    """Inventory Search: by SKU, else by product, else nothing. SKU ids win; unknown ids are left
    out without a word."""
    skus, products = asked.body.get("sku_ids") or [], asked.body.get("product_ids") or []
    if len(skus) > MOST_SKUS or len(products) > MOST_PRODUCTS:
        raise Refusal(BAD_PARAMETER, f"at most {MOST_SKUS} sku_ids and {MOST_PRODUCTS} product_ids")
    if not skus and not products:
        raise Refusal(BAD_PARAMETER, "sku_ids or product_ids must name what to look for")
    found: dict[str, list[dict[str, object]]] = {}
    for stock in world.stock.values():
        wanted = stock.sku_id in skus if skus else stock.product_id in products
        if wanted and stock.shop_id == asked.shop.shop_id:
            found.setdefault(stock.product_id, []).append(_row(stock))
    return {"inventory": [{"product_id": i, "skus": rows} for i, rows in found.items()]}


def _row(stock: Stock) -> dict[str, object]:
    return {
        "id": stock.sku_id,
        "seller_sku": stock.sku,
        "total_available_quantity": sum(stock.available.values()),
        "total_committed_quantity": sum(stock.committed.values()),
        "warehouse_inventory": [
            {
                "warehouse_id": warehouse_id,
                "available_quantity": left,
                "committed_quantity": stock.committed.get(warehouse_id, 0),
            }
            for warehouse_id, left in stock.available.items()
        ],
    }


def update(world: World, asked: Asked) -> dict[str, object]:
    """Update Inventory: absolute numbers, a SKU as a whole or not at all, one `Effect` a SKU.

    Every warehouse of a SKU must be listed. The code of a list that is not whole is not published;
    it is 36009004 here, inside `errors`.
    """
    if asked.shop.allocates_stock:
        raise Refusal(wire.AUTOMATIC_STOCK)
    told = asked.body["skus"]
    ids = [each["id"] for each in told]
    if not ids or len(ids) > MOST_SKUS or len(set(ids)) != len(ids):
        raise Refusal(BAD_PARAMETER, f"skus must hold each SKU once, from 1 to {MOST_SKUS}")
    errors: list[dict[str, object]] = []
    for each in told:
        stock = world.stock.get((asked.shop.shop_id, each["id"]))
        if stock is None or stock.product_id != asked.parts[0]:
            errors.append(_error(each["id"], BAD_PARAMETER, "no such SKU in this product", []))
        elif bad := _wrong(stock, each["inventory"]):
            errors.append(_error(each["id"], bad[0], wire.MESSAGES[bad[0]], bad[1]))
        else:
            _set(world, stock, each["inventory"])
    return {"errors": errors}


def _wrong(
    stock: Stock, told: list[Mapping[str, object]]
) -> tuple[int, list[dict[str, object]]] | None:
    named = [_warehouse(stock, each) for each in told]
    if sorted(named) != sorted(stock.available):
        missing = sorted(set(stock.available) - set(named)) or sorted(set(named))
        words = "every warehouse of the SKU must be listed, once"
        return BAD_PARAMETER, [
            {"warehouse_id": one, "code": BAD_PARAMETER, "message": words} for one in missing
        ]
    for each in told:
        if ("backorder_quantity" in each) != ("handling_time" in each):
            words = "backorder_quantity and handling_time go together"
            one = _warehouse(stock, each)
            return BAD_PARAMETER, [{"warehouse_id": one, "code": BAD_PARAMETER, "message": words}]
    beyond = [
        {
            "warehouse_id": _warehouse(stock, each),
            "code": wire.BAD_QUANTITY,
            "message": wire.MESSAGES[wire.BAD_QUANTITY],
        }
        for each in told
        if not LEAST <= int(str(each["quantity"])) <= MOST
    ]
    return (wire.BAD_QUANTITY, beyond) if beyond else None


def _warehouse(stock: Stock, told: Mapping[str, object]) -> str:
    """The warehouse named; it may be left out where there is one only."""
    only = next(iter(stock.available)) if len(stock.available) == 1 else ""
    return str(told.get("warehouse_id", only))


def _set(world: World, stock: Stock, told: list[Mapping[str, object]]) -> None:
    wanted = {_warehouse(stock, each): int(str(each["quantity"])) for each in told}
    for warehouse_id, quantity in wanted.items():
        difference = quantity - stock.available[warehouse_id]
        if difference:
            change(world, stock, warehouse_id, difference, 0, "SELLER_UPDATE")
    detail = ",".join(f"{name}={quantity}" for name, quantity in wanted.items())
    record(world, "update_inventory", stock.shop_id, detail=f"{stock.sku_id} {detail}")


def _error(
    sku_id: str, code: int, message: str, extra: list[dict[str, object]]
) -> dict[str, object]:
    return {
        "code": code,
        "message": message,
        "detail": {"sku_id": sku_id, "extra_errors": extra},
    }
