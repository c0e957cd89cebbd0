"""Making up an order from a few wishes.

Defaults per market: currency, price and address from `markets`, the rest made up. Deadlines are
left out unless asked for: any of them may be missing on a real order (Partner Center, "Get Order
Detail").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from sandbox import life, orders, stock
from sandbox.markets import MARKETS, SELLER, STORE, TIKTOK
from sandbox.orders import Line, Order
from sandbox.shops import Shop
from sandbox.wire import StoryError
from sandbox.world import World, announce_status

SELLER_OPTION = "7090000000000000001"
TIKTOK_OPTION = "7090000000000000002"
DEFAULT_OPTIONS: Mapping[str, str] = {SELLER_OPTION: SELLER, TIKTOK_OPTION: TIKTOK}

_STARTS = (orders.UNPAID, orders.ON_HOLD, orders.AWAITING_SHIPMENT)


class OrderWish(TypedDict, total=False):
    """What a story may say about a new order. All times are simulated Unix seconds.

    `items` counts units per seller SKU. `status` is one of UNPAID, ON_HOLD, AWAITING_SHIPMENT.
    `pickup_code` is what the buyer shows in the store, `needs_invoice` that a Brazilian order waits
    for its invoice. `extra` is merged into the order's JSON as it is, for fields the sandbox does
    not know.
    """

    order_id: str
    status: str
    create_time: int
    paid_time: int
    items: dict[str, int]
    user_id: str
    shipping_type: str
    fulfillment_type: str
    delivery_type: str
    delivery_option_id: str
    warehouse_id: str
    is_on_hold_order: bool
    recipient_address: dict[str, object]
    extra: dict[str, object]
    rts_sla_time: int
    tts_sla_time: int
    delivery_sla_time: int
    delivery_option_required_delivery_time: int
    shipping_due_time: int
    collection_due_time: int
    delivery_due_time: int
    cancel_order_sla_time: int
    pick_up_cut_off_time: int
    fast_dispatch_sla_time: int
    fast_rts_sla_time: int
    fast_collection_sla_time: int
    recommended_shipping_time: int
    instore_pickup_sla_time: int
    pickup_code: str
    needs_invoice: bool
    release_date: int


def _lines(world: World, items: Mapping[str, int], status: str) -> list[Line]:
    made = []
    for sku, quantity in items.items():
        if quantity < 1:
            raise StoryError(f"SKU {sku} needs at least one unit, not {quantity}")
        sku_id = world.sku_id(sku)
        made += [Line(world.new_id("line"), sku, sku_id, status) for _ in range(quantity)]
    if not made:
        raise StoryError("an order needs at least one unit")
    return made


def _deadlines(wish: Mapping[str, object]) -> dict[str, int]:
    given = {name: wish[name] for name in orders.DEADLINES if name in wish}
    return {name: at for name, at in given.items() if isinstance(at, int)}


def build(world: World, shop: Shop, wish: OrderWish) -> Order:
    """Put a new order into the world and announce it.

    Raises `StoryError` for a wish the marketplace could not have: an id taken, a time that is
    still to come, a status in which no order starts.
    """
    status = wish.get("status", orders.AWAITING_SHIPMENT)
    if status not in _STARTS:
        raise StoryError(f"an order starts as {' or '.join(_STARTS)}, not {status!r}")
    order_id = wish.get("order_id") or world.new_id("order")
    if order_id in world.orders:
        raise StoryError(f"order {order_id} is there already")
    create_time = wish.get("create_time", world.clock)
    paid_time = wish.get("paid_time", create_time)
    if not 0 < create_time <= paid_time <= world.clock:
        raise StoryError("0 < create_time <= paid_time <= the sandbox's clock must hold")
    if wish.get("needs_invoice") and shop.market != "BR":
        raise StoryError("an order waits for an invoice in Brazil only")
    shipping_type = wish.get("shipping_type", SELLER)
    unpaid = status == orders.UNPAID
    line_status = orders.UNPAID if unpaid else orders.AWAITING_SHIPMENT
    market = MARKETS[shop.market]
    order = Order(
        order_id=order_id,
        shop_id=shop.shop_id,
        market=shop.market,
        status=status,
        create_time=create_time,
        update_time=create_time if unpaid else paid_time,
        lines=_lines(world, wish.get("items", {"MUG-BLUE": 1}), line_status),
        user_id=wish.get("user_id", "7020000000000000001"),
        shipping_type=shipping_type,
        fulfillment_type=wish.get("fulfillment_type", orders.BY_SELLER),
        delivery_type=wish.get("delivery_type", "HOME_DELIVERY"),
        delivery_option_id=wish.get(
            "delivery_option_id", TIKTOK_OPTION if shipping_type == TIKTOK else SELLER_OPTION
        ),
        warehouse_id=wish.get("warehouse_id", "6950000000000000001"),
        currency=market.currency,
        price=market.price,
        had_hold=wish.get("is_on_hold_order", status == orders.ON_HOLD),
        times={} if unpaid else {"paid_time": paid_time},
        deadlines=_deadlines({**wish}),
        extra=wish.get("extra", {}),
        address=wish.get("recipient_address"),
        pickup_code=wish.get("pickup_code", "482913" if shipping_type == STORE else ""),
        needs_invoice=wish.get("needs_invoice", False),
    )
    world.orders[order_id] = order
    if not unpaid:
        life.give_package(world, order, paid_time)
    announce_status(world, order, world.clock)
    stock.commit(world, order)
    return order
