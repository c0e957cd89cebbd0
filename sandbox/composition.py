"""What is in which package: splitting orders and combining them.

Partner Center: "Get Order Split Attributes", "Confirm Order Split" (whole SKUs in SEA, BR and MX,
single units elsewhere), "Search Combinable Packages", "Combine Package", "Uncombine Packages" (SEA
and LATAM). Packages made so have new ids, and webhook 4 tells them. Orders combine when they are of
one shop, buyer, warehouse and way of shipping. The codes of these calls could not be read: what
does not fit is 36009004, another region 21008106.
"""

from __future__ import annotations

from collections.abc import Sequence

from sandbox import life, orders, wire
from sandbox.gate import Asked
from sandbox.markets import SPLITS_WHOLE_SKUS
from sandbox.orders import Line, Order, Package
from sandbox.paging import Search, page
from sandbox.reading import own_order, own_package, package_of
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal, StoryError
from sandbox.world import World, announce_packages, record

MOST_IDS = 50
SPLIT_BODY: Shape = {
    "splittable_groups": [{"id!": str, "order_line_item_ids!": [str]}],
    "splittable_groups_v2": [
        {"id!": str, "order_line_list!": [{"order_line_id!": str, "sub_item_id": str}]}
    ],
}
COMBINE_BODY: Shape = {"combinable_packages!": [{"id!": str, "order_ids": [str]}]}
UNCOMBINE_BODY: Shape = {"order_ids": [str]}
COMBINABLE_QUERY = ("page_size!", "page_token")

_COMBINABLE = Search(1, 50, 20, "DESC")
_SPLITTABLE = (orders.AWAITING_SHIPMENT, orders.PARTIALLY_SHIPPING)


def split_order(world: World, order: Order, groups: Sequence[Sequence[str]]) -> list[Package]:
    """Split the unshipped lines into packages of new ids.

    `groups` are line ids and must hold each unshipped line once. Raises `StoryError` for what
    cannot be split.
    """
    life.need(order, *_SPLITTABLE)
    open_lines = {
        line.line_id: line for line in order.lines if line.status == orders.AWAITING_SHIPMENT
    }
    if any(len(package.order_ids) > 1 for package in life.packages_of(world, order)):
        raise StoryError(f"order {order.order_id} is combined with another")
    told = [line_id for group in groups for line_id in group]
    if len(groups) < 2 or sorted(told) != sorted(open_lines) or not all(groups):
        raise StoryError("two groups or more must hold each unshipped line exactly once")
    skus = [{open_lines[line_id].sku_id for line_id in group} for group in groups]
    spread = sum(len(each) for each in skus) != len(set().union(*skus))
    if order.market in SPLITS_WHOLE_SKUS and spread:
        raise StoryError(f"{order.market} splits whole SKUs only")
    made = [[open_lines[line_id] for line_id in group] for group in groups]
    return _recompose(world, [([order], lines) for lines in made], "SPLIT")


def combine_orders(world: World, of: list[Order]) -> Package:
    """Put whole orders into one package of a new id, or raise `StoryError`."""
    for order in of:
        life.need(order, orders.AWAITING_SHIPMENT)
    if len({order.order_id for order in of}) < 2 or len({_kin(order) for order in of}) != 1:
        raise StoryError("two orders or more of one shop, buyer and warehouse combine")
    if any(life.open_case(world, order) for order in of):
        raise StoryError("an order whose buyer wants to cancel is not combined")
    if of[0].market not in SPLITS_WHOLE_SKUS:
        raise StoryError(f"orders do not combine in {of[0].market}, only in SEA and LATAM")
    every_line = [line for order in of for line in life.live(order)]
    return _recompose(world, [(of, every_line)], "COMBINE")[0]


def _kin(order: Order) -> tuple[str, ...]:
    return order.shop_id, order.user_id, order.warehouse_id, order.shipping_type


def _recompose(
    world: World, parts: list[tuple[list[Order], list[Line]]], kind: str
) -> list[Package]:
    for package_id in {line.package_id for _, lines in parts for line in lines} - {""}:
        del world.packages[package_id]
    made = [life.new_package(world, of, lines, world.clock) for of, lines in parts]
    for package, (of, _) in zip(made, parts, strict=True):
        tag = "SPLIT" if kind == "SPLIT" else "COMBINED" if len(of) > 1 else ""
        package.tag = tag or "DEFAULT"
        for order in of:
            order.tag = tag
    announce_packages(world, kind, made, "ROLE_SELLER", world.clock)
    return made


def _row(package: Package) -> dict[str, object]:
    return {"id": package.package_id, "order_ids": list(package.order_ids)}


def split_attributes(world: World, asked: Asked) -> dict[str, object]:
    """Get Order Split Attributes; orders that are not this shop's are left out."""
    ids = list(dict.fromkeys(asked.query["order_ids"].split(",")))
    if len(ids) > MOST_IDS:
        raise Refusal(BAD_PARAMETER, f"order_ids holds {len(ids)} ids; at most {MOST_IDS}")
    found = [world.orders[i] for i in ids if i in world.orders]
    rows = []
    for order in found:
        if order.shop_id != asked.shop.shop_id:
            continue
        reason = _unsplittable(world, order)
        row: dict[str, object] = {"order_id": order.order_id, "can_split": not reason}
        rows.append(row | ({"reason": reason} if reason else {}) | {"must_split": False})
    return {"split_attributes": rows}


def _unsplittable(world: World, order: Order) -> str:
    waiting = [line for line in order.lines if line.status == orders.AWAITING_SHIPMENT]
    if order.status not in _SPLITTABLE:
        return "the order's status does not allow it"
    if any(len(package.order_ids) > 1 for package in life.packages_of(world, order)):
        return "the order is combined with another"
    whole = order.market in SPLITS_WHOLE_SKUS
    parts = {line.sku_id for line in waiting} if whole else waiting
    return "" if len(parts) > 1 else "there is nothing to part"


def split(world: World, asked: Asked) -> dict[str, object]:
    """Confirm Order Split, by either of its two lists."""
    order, body = own_order(world, asked), asked.body
    newer, older = body.get("splittable_groups_v2", []), body.get("splittable_groups", [])
    if bool(newer) == bool(older):
        raise Refusal(BAD_PARAMETER, "one of splittable_groups and splittable_groups_v2 is needed")
    if newer:
        if any("sub_item_id" in line for each in newer for line in each["order_line_list"]):
            raise Refusal(BAD_PARAMETER, "sub_item_id names no item of a bundle")
        groups = {e["id"]: [x["order_line_id"] for x in e["order_line_list"]] for e in newer}
    else:
        groups = {each["id"]: list(each["order_line_item_ids"]) for each in older}
    if len(groups) != len(newer or older):
        raise Refusal(BAD_PARAMETER, "a group's id is given twice")
    try:
        made = split_order(world, order, list(groups.values()))
    except StoryError as wrong:
        raise Refusal(BAD_PARAMETER, str(wrong)) from None
    ids = [package.package_id for package in made]
    record(world, "split", order.shop_id, order_id=order.order_id, detail=",".join(ids))
    rows = [
        {"splittable_group_id": group, "id": package_id}
        for group, package_id in zip(groups, ids, strict=True)
    ]
    return {"packages": rows}


def combinable(world: World, asked: Asked) -> dict[str, object]:
    """Search Combinable Packages: packages whose orders could share one."""
    if asked.shop.market not in SPLITS_WHOLE_SKUS:
        raise Refusal(wire.WRONG_REGION)
    shop_id = asked.shop.shop_id
    waiting = [
        package
        for package in world.packages.values()
        if package.shop_id == shop_id and package.status == orders.AWAITING_SHIPMENT
    ]

    def kin(package: Package) -> tuple[str, ...]:
        return _kin(world.orders[package.order_ids[0]])

    def alone(package: Package) -> bool:
        return sum(kin(other) == kin(package) for other in waiting) < 2

    rows, answer = page(
        _COMBINABLE,
        [package for package in waiting if package.tag != "SPLIT" and not alone(package)],
        lambda package, _: (package.create_time, package.package_id),
        asked.query,
        ["combinable", shop_id],
    )
    return answer | {"combinable_packages": [_row(package) for package in rows]}


def combine(world: World, asked: Asked) -> dict[str, object]:
    """Combine Package: all that is named goes into one new package."""
    if asked.shop.market not in SPLITS_WHOLE_SKUS:
        raise Refusal(wire.WRONG_REGION)
    named: list[Order] = []
    for each in asked.body["combinable_packages"]:
        package = package_of(world, asked.shop, each["id"])
        ids = each.get("order_ids") or package.order_ids
        if any(order_id not in package.order_ids for order_id in ids):
            raise Refusal(BAD_PARAMETER, f"order_ids must be orders of package {each['id']}")
        named += [world.orders[order_id] for order_id in ids]
    try:
        made = combine_orders(world, named)
    except StoryError as wrong:
        raise Refusal(BAD_PARAMETER, str(wrong)) from None
    record(
        world,
        "combine",
        asked.shop.shop_id,
        order_id=",".join(made.order_ids),
        package_id=made.package_id,
    )
    return {"packages": [_row(made)], "errors": []}


def uncombine(world: World, asked: Asked) -> dict[str, object]:
    """Uncombine Packages: these orders, or all, get packages of their own again."""
    package = own_package(world, asked)
    wanted = asked.body.get("order_ids") or list(package.order_ids)
    if package.tag != "COMBINED" or any(i not in package.order_ids for i in wanted):
        raise Refusal(BAD_PARAMETER, "order_ids must be orders of a combined package")
    if package.status != orders.AWAITING_SHIPMENT:
        raise Refusal(wire.ALREADY_SHIPPED)
    rest = [world.orders[i] for i in package.order_ids if i not in wanted]
    groups = [[world.orders[i]] for i in dict.fromkeys(wanted)] + ([rest] if rest else [])
    parts = [(of, [line for order in of for line in life.live(order)]) for of in groups]
    made = _recompose(world, parts, "CANCEL_COMBINE")
    record(
        world,
        "uncombine",
        asked.shop.shop_id,
        order_id=",".join(wanted),
        package_id=package.package_id,
    )
    return {"packages": [_row(each) for each in made]}
