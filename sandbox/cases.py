"""Searching cancellations and returns, with what the seller has to do about each.

Partner Center: "Search Cancellations", "Search Returns". A return has no published time to answer
in; `RESPONSE_TIME` is this sandbox's own, and nothing happens when it is over.
"""

from __future__ import annotations

from sandbox import decisions, orders
from sandbox.gate import Asked
from sandbox.orders import Case
from sandbox.paging import Search, page
from sandbox.reading import WINDOWS, in_windows
from sandbox.shape import Shape
from sandbox.world import World

RESPONSE_TIME = 86400

CANCELLATION_FILTERS: Shape = {
    **WINDOWS,
    "cancel_ids": [str],
    "order_ids": [str],
    "buyer_user_ids": [str],
    "cancel_types": [("CANCEL", "BUYER_CANCEL")],
    "cancel_status": [str],
    "locale": str,
}
RETURN_FILTERS: Shape = {
    **WINDOWS,
    "return_ids": [str],
    "order_ids": [str],
    "buyer_user_ids": [str],
    "return_types": [("REFUND", "RETURN_AND_REFUND", "REPLACEMENT")],
    "return_status": [str],
    "arbitration_status": [str],
    "seller_proposed_return_type": [str],
    "locale": str,
}


_CANCELLATIONS = Search(1, 50, 10, "ASC")
_RETURNS = Search(10, 50, 10, "ASC")


def _place(row: Case, field: str) -> tuple[int, str]:
    return (row.update_time if field == "update_time" else row.create_time, row.case_id)


def _cases(
    world: World, asked: Asked, search: Search, kind: str, names: tuple[str, str, str]
) -> tuple[list[Case], dict[str, object]]:
    ids_name, type_name, status_name = names

    def fits(case: Case) -> bool:
        shown = {
            ids_name: case.case_id,
            type_name: case.case_type,
            status_name: case.status,
            "order_ids": case.order_id,
            "buyer_user_ids": case.user_id,
            # No case here is in arbitration or answered with a partial refund.
            "arbitration_status": "",
            "seller_proposed_return_type": "",
        }
        for name, value in shown.items():
            wanted = asked.body.get(name)
            if isinstance(wanted, list) and wanted and value not in wanted:
                return False
        own = case.kind == kind and case.shop_id == asked.shop.shop_id
        return own and in_windows(case, asked.body)

    matching = [case for case in world.cases.values() if fits(case)]
    bound = [kind, asked.shop.shop_id, asked.body]
    return page(search, matching, _place, asked.query, bound)


def cancellations(world: World, asked: Asked) -> dict[str, object]:
    """Search Cancellations."""
    names = ("cancel_ids", "cancel_types", "cancel_status")
    rows, answer = _cases(world, asked, _CANCELLATIONS, "cancellation", names)
    return answer | {"cancellations": [_cancellation(world, case) for case in rows]}


def returns(world: World, asked: Asked) -> dict[str, object]:
    """Search Returns; its rows are called `return_orders`."""
    names = ("return_ids", "return_types", "return_status")
    rows, answer = _cases(world, asked, _RETURNS, "return", names)
    return answer | {"return_orders": [_return(world, case) for case in rows]}


def _shared(world: World, case: Case, action: str) -> dict[str, object]:
    order = world.orders[case.order_id]
    deadline = case.deadline or case.update_time + RESPONSE_TIME
    todo = [{"action": action, "deadline": deadline}]
    refund = orders.money(order, case.amount)
    return {
        "order_id": case.order_id,
        "role": case.role,
        "create_time": case.create_time,
        "update_time": case.update_time,
        "seller_next_action_response": todo if decisions.waits(case) else [],
        "refund_amount": {"currency": order.currency, "refund_total": refund},
    }


def _case_lines(world: World, case: Case, kind: str) -> list[dict[str, object]]:
    lines = {line.line_id: line for line in world.orders[case.order_id].lines}
    return [
        {
            f"{kind}_line_item_id": f"{case.case_id}{number:02d}",
            "order_line_item_id": line_id,
            "sku_id": lines[line_id].sku_id,
            "seller_sku": lines[line_id].sku,
        }
        for number, line_id in enumerate(case.line_ids, start=1)
    ]


def _cancellation(world: World, case: Case) -> dict[str, object]:
    return _shared(world, case, "SELLER_RESPOND_BUYER_CANCEL") | {
        "cancel_line_items": _case_lines(world, case, "cancel"),
        "cancel_id": case.case_id,
        "cancel_type": case.case_type,
        "cancel_status": case.status,
        "cancel_reason": case.reason,
        "cancel_reason_text": case.reason,
        "should_replenish_stock": True,
    }


_ACTIONS = {
    "RETURN_AND_REFUND": "SELLER_RESPOND_RETURN",
    "REPLACEMENT": "SELLER_RESPOND_REPLACEMENT",
}


def _return(world: World, case: Case) -> dict[str, object]:
    action = _ACTIONS.get(case.case_type, "SELLER_RESPOND_REFUND")
    if case.status == decisions.SENT_BACK:
        action = "SELLER_RESPOND_RECEIVE_PACKAGE"
    return _shared(world, case, action) | {
        "return_line_items": _case_lines(world, case, "return"),
        "shipment_type": case.shipment_type,
        "handover_method": case.handover_method,
        "return_id": case.case_id,
        "return_type": case.case_type,
        "return_status": case.status,
        "return_reason": case.reason,
        "return_reason_text": case.reason,
    }
