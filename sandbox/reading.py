"""The calls that only read: orders, packages, providers, shops.

Partner Center: "Get Order Detail", "Get Order List", "Get Package Detail", "Search Package", "Get
Order Tracking", "Get Shipping Providers", "Get Authorized Shops".
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox import orders, shops, wire
from sandbox.faces import order_json, package_json, package_row
from sandbox.gate import Asked
from sandbox.markets import EU, TIKTOK
from sandbox.orders import Case, Order, Package
from sandbox.paging import Search, page
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

MOST_IDS = 50

WINDOWS: Mapping[str, Shape] = {
    f"{name}_{edge}": int for name in ("create_time", "update_time") for edge in ("ge", "lt")
}
ORDER_FILTERS: Shape = {
    **WINDOWS,
    "order_status": str,
    "shipping_type": str,
    "buyer_user_id": str,
    "is_buyer_request_cancel": bool,
    "warehouse_ids": [str],
}
PACKAGE_FILTERS: Shape = {
    **WINDOWS,
    "package_status": ("TO_FULFILL", "PROCESSING", "FULFILLING", "COMPLETED", "CANCELLED"),
}

_ORDERS = Search(1, 100, 20, "DESC")
_PACKAGES = Search(1, 50, 20, "DESC", ("create_time", "update_time", "order_pay_time"))


def order_detail(world: World, asked: Asked) -> dict[str, object]:
    """Rows of the ids that are this shop's; the others are left out without a word."""
    ids = list(dict.fromkeys(asked.query["ids"].split(",")))
    if len(ids) > MOST_IDS:
        raise Refusal(BAD_PARAMETER, f"ids holds {len(ids)} ids; at most {MOST_IDS}")
    found = [world.orders[i] for i in ids if i in world.orders]
    own = [order for order in found if order.shop_id == asked.shop.shop_id]
    return {"orders": [order_json(order, world.packages) for order in own]}


def in_windows(row: Order | Case | Package, body: Mapping[str, object]) -> bool:
    """Whether a row's two times are inside the windows a search asks for."""
    for name, at in (("create_time", row.create_time), ("update_time", row.update_time)):
        first, end = body.get(f"{name}_ge"), body.get(f"{name}_lt")
        if (isinstance(first, int) and at < first) or (isinstance(end, int) and at >= end):
            return False
    return True


def _place(row: Order, field: str) -> tuple[int, str]:
    return (row.update_time if field == "update_time" else row.create_time, row.order_id)


def order_list(world: World, asked: Asked) -> dict[str, object]:
    """The shop's orders that match every filter, a page at a time."""
    body = asked.body
    warehouses = body.get("warehouse_ids")
    if isinstance(warehouses, list) and len(warehouses) > 100:
        raise Refusal(BAD_PARAMETER, "warehouse_ids holds more than 100 ids")

    def fits(order: Order) -> bool:
        shown: Mapping[str, object] = {
            "order_status": order.status,
            "shipping_type": order.shipping_type,
            "buyer_user_id": order.user_id,
            "is_buyer_request_cancel": order.asks_cancel,
        }
        return (
            order.shop_id == asked.shop.shop_id
            and all(body.get(name, value) == value for name, value in shown.items())
            and (not isinstance(warehouses, list) or order.warehouse_id in warehouses)
            and in_windows(order, body)
        )

    matching = [order for order in world.orders.values() if fits(order)]
    bound = [asked.shop.shop_id, body]
    rows, answer = page(_ORDERS, matching, _place, asked.query, bound)
    return answer | {"orders": [order_json(order, world.packages) for order in rows]}


def own_order(world: World, asked: Asked) -> Order:
    """The order of the path, or 21011028 when this shop has none of that id."""
    order = world.orders.get(asked.parts[0])
    if order is None or order.shop_id != asked.shop.shop_id:
        raise Refusal(wire.NOT_OF_THIS_SHOP)
    return order


def own_package(world: World, asked: Asked) -> Package:
    """The package of the path, or 21011028 when this shop has none of that id."""
    return package_of(world, asked.shop, asked.parts[0])


def package_of(world: World, shop: shops.Shop, package_id: str) -> Package:
    """A package of a shop, or 21011028 when the shop has none of that id."""
    package = world.packages.get(package_id)
    if package is None or package.shop_id != shop.shop_id:
        raise Refusal(wire.NOT_OF_THIS_SHOP)
    return package


def package_detail(world: World, asked: Asked) -> dict[str, object]:
    """Get Package Detail."""
    package = own_package(world, asked)
    return package_json(package, world.orders[package.order_ids[0]])


def package_search(world: World, asked: Asked) -> dict[str, object]:
    """Search Package: sorted by its own times or by when its first order was paid."""
    wanted = asked.body.get("package_status")

    def fits(package: Package) -> bool:
        return (
            package.shop_id == asked.shop.shop_id
            and wanted in (None, orders.PACKAGE_STATUS[package.status][0])
            and in_windows(package, asked.body)
        )

    def place(package: Package, field: str) -> tuple[int, str]:
        paid = world.orders[package.order_ids[0]].times.get("paid_time", 0)
        times = {"update_time": package.update_time, "order_pay_time": paid}
        return times.get(field, package.create_time), package.package_id

    matching = [package for package in world.packages.values() if fits(package)]
    bound = ["packages", asked.shop.shop_id, asked.body]
    rows, answer = page(_PACKAGES, matching, place, asked.query, bound)
    return answer | {"packages": [package_row(row) for row in rows]}


def order_tracking(world: World, asked: Asked) -> dict[str, object]:
    """Get Order Tracking: what the carrier of any of the order's parcels told, newest first."""
    order = own_order(world, asked)
    ids = dict.fromkeys(line.package_id for line in order.lines if line.package_id)
    told = sorted(
        (event for package_id in ids for event in world.packages[package_id].events), reverse=True
    )
    return {
        "tracking": [
            {"description": words, "update_time_millis": at, "action_code": code}
            for at, code, words in told
        ]
    }


def shipping_providers(world: World, asked: Asked) -> dict[str, object]:
    """The carriers a seller may name; none where TikTok ships (21008117)."""
    regions = [name for name in ("warehouse_region", "buyer_region") if name in asked.query]
    if regions and asked.shop.market not in EU:
        raise Refusal(BAD_PARAMETER, f"unexpected identifier {regions[0]} outside the EU")
    shipping_type = world.delivery_options.get(asked.parts[0])
    if shipping_type is None:
        raise Refusal(wire.NO_SUBSCRIPTION)
    if shipping_type == TIKTOK:
        raise Refusal(wire.TIKTOK_SHIPS)
    rows = [{"id": each.provider_id, "name": each.name} for each in world.providers]
    return {"shipping_providers": rows}


def authorised_shops(world: World, asked: Asked) -> dict[str, object]:
    """Every shop the token speaks for."""
    return {"shops": [shops.describe(shop) for shop in asked.shops]}
