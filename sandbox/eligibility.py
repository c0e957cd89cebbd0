"""What may still be asked for an order, and with which reasons.

Partner Center, "Get Aftersale Eligibility" and the matrix of the "Return API Overview": a seller
cancels before shipping, in the US also before collection; after that the money can be given back;
a COMPLETED order takes no request. Which of the "finished" codes belongs to which end is not
published: here 25001010 is a cancelled order, 25001051 a completed one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox import life, orders, reasons, wire
from sandbox.gate import Asked
from sandbox.orders import Line, Order
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

USERS = ("SELLER", "BUYER")
TYPES = ("CANCEL", "REFUND", "RETURN_AND_REFUND")

REFUNDABLE = frozenset({orders.AWAITING_COLLECTION, orders.IN_TRANSIT, orders.DELIVERED})
_RETURNABLE = frozenset({orders.DELIVERED})


def refusal_of(world: World, order: Order, user: str, request_type: str) -> int:
    """The code that a request of this type meets now, 0 when there is none."""
    if order.status == orders.CANCELLED:
        return wire.CASE_FINISHED
    if order.status == orders.COMPLETED:
        return wire.ORDER_FINISHED
    if life.open_case(world, order) or life.open_case(world, order, "return"):
        return wire.CASE_IN_PROCESS
    if request_type == "CANCEL":
        if life.cancellable(order, user):
            return 0
        arrived = order.status == orders.DELIVERED
        return wire.WRONG_ORDER_STATUS if arrived else wire.SHIPPED_ALREADY
    allowed = REFUNDABLE if request_type == "REFUND" else _RETURNABLE
    return 0 if order.status in allowed else wire.WRONG_ORDER_STATUS


def check_reason(order: Order, request_type: str, name: str) -> None:
    """Refuse a seller's reason: 25001014 when there is none of the name, 25001021 when another
    state, market or request has it."""
    if not reasons.is_known(name):
        raise Refusal(wire.UNKNOWN_REASON)
    if name not in reasons.available(order, "SELLER", request_type):
        raise Refusal(wire.REASON_MISMATCH)


def order_named(world: World, asked: Asked, order_id: str) -> Order:
    """An order of the shop by its id. The code for another's is not published: 36009004 here."""
    order = world.orders.get(order_id)
    if order is None or order.shop_id != asked.shop.shop_id:
        raise Refusal(BAD_PARAMETER, "order_id is none of this shop's")
    return order


def lines_wanted(order: Order, body: Mapping[str, Any]) -> list[Line] | None:
    """The lines a request names in one of its three ways; None when it names none.

    Raises `Refusal` 36009004 for two ways at once, and for lines that are not there, are named
    twice or are cancelled already.
    """
    ways = [name for name in ("skus", "order_line_item_ids", "order_line_list") if body.get(name)]
    if not ways:
        return None
    if len(ways) > 1:
        raise Refusal(BAD_PARAMETER, f"{' and '.join(ways)} do not go together")
    left = {line.line_id: line for line in life.live(order)}
    if ways == ["skus"]:
        return [line for each in body["skus"] for line in _of_sku(left, each)]
    listed = body[ways[0]]
    if ways == ["order_line_list"]:
        if any("sub_order_line_item_id" in each for each in listed):
            raise Refusal(BAD_PARAMETER, "sub_order_line_item_id names no item of a bundle")
        listed = [each["order_line_item_id"] for each in listed]
    if len(set(listed)) != len(listed) or any(line_id not in left for line_id in listed):
        raise Refusal(BAD_PARAMETER, "an order line is named twice, not there, or cancelled")
    return [left[line_id] for line_id in listed]


def _of_sku(left: dict[str, Line], told: Mapping[str, Any]) -> list[Line]:
    found = [line for line in left.values() if line.sku_id == told["sku_id"]]
    if not 1 <= told["quantity"] <= len(found):
        raise Refusal(BAD_PARAMETER, f"SKU {told['sku_id']} has {len(found)} units left")
    # Taken out, so that a SKU named twice cannot be counted twice.
    return [left.pop(line.line_id) for line in found[: told["quantity"]]]


def aftersale_eligibility(world: World, asked: Asked) -> dict[str, object]:
    """Get Aftersale Eligibility, by SKU and kind of request. Cancelled lines are ineligible."""
    order = order_named(world, asked, asked.parts[0])
    user = asked.query["initiate_aftersale_user"]
    if user not in USERS:
        raise Refusal(BAD_PARAMETER, f"initiate_aftersale_user must be {' or '.join(USERS)}")
    types = asked.query.get("request_types", ",".join(TYPES)).split(",")
    if any(each not in TYPES for each in types):
        raise Refusal(BAD_PARAMETER, f"request_types must be of {', '.join(TYPES)}")
    skus = dict.fromkeys(line.sku_id for line in order.lines)
    rows = []
    for sku_id in skus:
        found = [
            _row(world, order, user, each, lines)
            for each in dict.fromkeys(types)
            for lines in _alike([line for line in order.lines if line.sku_id == sku_id])
        ]
        rows.append({"sku_id": sku_id, "line_item_eligibility": found})
    return {"sku_eligibility": rows}


def _alike(lines: list[Line]) -> list[list[Line]]:
    """The lines that stand and those that are cancelled, each where there are any."""
    gone = [line for line in lines if line.status == orders.CANCELLED]
    left = [line for line in lines if line.status != orders.CANCELLED]
    return [group for group in (left, gone) if group]


def _row(
    world: World, order: Order, user: str, request_type: str, lines: list[Line]
) -> dict[str, object]:
    gone = lines[0].status == orders.CANCELLED
    code = wire.CASE_FINISHED if gone else refusal_of(world, order, user, request_type)
    row: dict[str, object] = {
        "request_type": request_type,
        "order_line_list": [{"order_line_item_id": line.line_id} for line in lines],
        "eligible": code == 0,
    }
    if code:
        return row | {"ineligible_code": code, "ineligible_reason": wire.MESSAGES[code]}
    return row | {"available_reason_names": reasons.available(order, user, request_type)}
