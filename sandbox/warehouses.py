"""Get Warehouse List: where a shop keeps its stock.

Partner Center, "Get Warehouse List". A warehouse is there once an order or some stock names it; the
first one is the default. `distict` is spelt so on the wire.
"""

from __future__ import annotations

from sandbox.gate import Asked
from sandbox.markets import MARKETS
from sandbox.world import World

DEFAULT = "6950000000000000001"


def warehouse_list(world: World, asked: Asked) -> dict[str, object]:
    """The shop's sales warehouses, in the order they came to be known."""
    shop = asked.shop
    place = MARKETS[shop.market]
    known = dict.fromkeys(
        [
            DEFAULT,
            *(o.warehouse_id for o in world.orders.values() if o.shop_id == shop.shop_id),
            *(w for s in world.stock.values() if s.shop_id == shop.shop_id for w in s.available),
        ]
    )
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
        for number, warehouse_id in enumerate(known, start=1)
    ]
    return {"warehouses": rows}
