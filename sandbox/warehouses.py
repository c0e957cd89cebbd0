"""Where a shop keeps its stock, and how it sends it from there.

Partner Center, "Get Warehouse List" and "Get Warehouse Delivery Options". A warehouse is there once
an order or some stock names it; the first one is the default. `distict` is spelt so on the wire.
"""

from __future__ import annotations

from sandbox.gate import Asked
from sandbox.markets import MARKETS, SELLER
from sandbox.shops import Shop
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

DEFAULT = "6950000000000000001"


def _known(world: World, shop: Shop) -> list[str]:
    orders = [o.warehouse_id for o in world.orders.values() if o.shop_id == shop.shop_id]
    stock = [s for s in world.stock.values() if s.shop_id == shop.shop_id]
    return list(dict.fromkeys([DEFAULT, *orders, *(w for s in stock for w in s.available)]))


def delivery_options(world: World, asked: Asked) -> dict[str, object]:
    """The options of a warehouse, those of the whole marketplace here."""
    if asked.parts[0] not in _known(world, asked.shop):
        raise Refusal(BAD_PARAMETER, "warehouse_id is none of this shop's")
    rows = [
        {
            "id": option_id,
            "name": "Standard shipping",
            "type": "SEND_BY_SELLER" if shipping_type == SELLER else "STANDARD",
            "description": f"Shipped by {'the seller' if shipping_type == SELLER else 'TikTok'}",
            "platform": ["TIKTOK_SHOP"],
        }
        for option_id, shipping_type in world.delivery_options.items()
    ]
    return {"delivery_options": rows}


def warehouse_list(world: World, asked: Asked) -> dict[str, object]:
    """The shop's sales warehouses, in the order they came to be known."""
    place = MARKETS[asked.shop.market]
    rows = [
        {
            "id": warehouse_id,
            "entity_id": f"{warehouse_id[:-1]}9",
            "name": f"Synthetic warehouse {number}",
            "effect_status": "ENABLED",
            "type": "SALES_WAREHOUSE",
            "sub_type": "DOMESTIC_WAREHOUSE",
            "is_default": number == 1,
            "address": {
                "region": place.country,
                "region_code": place.region,
                "state": place.state,
                "city": place.city,
                "distict": "",
                "postal_code": place.postal_code,
                "full_address": f"1 Example Street, {place.city}",
                "contact_person": "Sam Example",
                "phone_number": f"(+{place.dial})5550101",
            },
        }
        for number, warehouse_id in enumerate(_known(world, asked.shop), start=1)
    ]
    return {"warehouses": rows}
