"""Cancelling by the seller, and answering a buyer who wants to.

Partner Center: "Cancel Order", "Approve Cancellation", "Reject Cancellation", "Get Reject Reasons",
"Get Decision Eligibility", with their error tables. A request that nobody answers by its deadline
is approved by the marketplace. 25001028, "locked, try again", is never answered of itself: play it
as a fault of kind `code`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox import eligibility, life, orders, reasons, wire
from sandbox.gate import Asked
from sandbox.markets import CANCELS_LINES
from sandbox.once import once
from sandbox.orders import Case, Line, Order
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World, record

CANCEL_BODY: Shape = {
    "order_id!": str,
    "cancel_reason!": str,
    "skus": [{"sku_id!": str, "quantity!": int}],
    "order_line_item_ids": [str],
    "order_line_list": [{"order_line_item_id!": str, "sub_order_line_item_id": str}],
}
REJECT_BODY: Shape = {
    "reject_reason!": str,
    "comment": str,
    "images": [{"image_id!": str, "mime_type": str, "height": int, "width": int}],
}

# Which decisions there are for each kind of request, and to which requests they fit.
_DECISIONS = {
    "APPROVE_REQUEST_CANCEL": ("cancellation", ("BUYER_CANCEL",)),
    "REJECT_REQUEST_CANCEL": ("cancellation", ("BUYER_CANCEL",)),
    "APPROVE_REFUND": ("return", ("REFUND",)),
    "REJECT_REFUND": ("return", ("REFUND",)),
    "APPROVE_RETURN": ("return", ("RETURN_AND_REFUND",)),
    "REJECT_RETURN": ("return", ("RETURN_AND_REFUND",)),
    "DIRECT_REFUND": ("return", ("RETURN_AND_REFUND",)),
    "APPROVE_RECEIVED_PACKAGE": ("return", ()),
    "REJECT_RECEIVED_PACKAGE": ("return", ()),
    "APPROVE_REPLACEMENT": ("return", ("REPLACEMENT",)),
    "REJECT_REPLACEMENT": ("return", ("REPLACEMENT",)),
    "ISSUE_REPLACEMENT_REFUND": ("return", ("REPLACEMENT",)),
    "ISSUE_EXCHANGE_REFUND": ("return", ()),
}


def cancel_order(world: World, asked: Asked) -> dict[str, object]:
    """Cancel Order: the whole order, or single lines in the US and UK that are out of stock."""
    body = asked.body
    order = eligibility.order_named(world, asked, body["order_id"])
    if code := eligibility.refusal_of(world, order, "SELLER", "CANCEL"):
        raise Refusal(code)
    lines = eligibility.lines_wanted(order, body)
    reason = body["cancel_reason"]
    eligibility.check_reason(order, "CANCEL", reason)
    if lines is not None:
        _check_lines(order, reason)
    if lines is None or len(lines) == len(life.live(order)):
        case = life.cancel(world, order, reason, "SELLER", world.clock, accepted=True)
    else:
        case = life.cancel_lines(world, order, lines, reason, "SELLER", world.clock)
    record(
        world,
        "cancel_order",
        order.shop_id,
        order_id=order.order_id,
        detail=_in_words(reason, lines),
    )
    return {"cancel_id": case.case_id, "cancel_status": "CANCELLATION_REQUEST_SUCCESS"}


def _in_words(reason: str, lines: list[Line] | None) -> str:
    return " ".join([reason, *(line.line_id for line in lines or ())])


def _check_lines(order: Order, reason: str) -> None:
    if order.market not in CANCELS_LINES:
        raise Refusal(BAD_PARAMETER, f"an order is cancelled as a whole in {order.market}")
    if not reasons.is_out_of_stock(reason):
        raise Refusal(wire.REASON_MISMATCH, "single lines are cancelled for want of stock only")
    if order.status not in (orders.ON_HOLD, orders.AWAITING_SHIPMENT):
        raise Refusal(wire.WRONG_ORDER_STATUS)


def _case(world: World, asked: Asked, case_id: str, kind: str = "") -> Case:
    case = world.cases.get(case_id)
    if case is None or case.shop_id != asked.shop.shop_id or kind not in ("", case.kind):
        raise Refusal(BAD_PARAMETER, f"{case_id} is no request in this shop")
    return case


def _refusal_of(case: Case) -> int:
    """The code that any decision on this request meets, 0 when it waits for one."""
    if case.role != "BUYER":
        return wire.NOT_TO_DECIDE
    if case.pending:
        return 0
    closed = case.status.endswith(("_CANCEL", "_REJECT"))
    return wire.CASE_CANCELLED if closed else wire.CASE_APPROVED


@once
def approve(world: World, asked: Asked) -> dict[str, object]:
    """Approve Cancellation: the order is cancelled. 25020003 once the parcel is on its way."""
    case = _case(world, asked, asked.parts[0], "cancellation")
    if code := _refusal_of(case):
        raise Refusal(code)
    order = world.orders[case.order_id]
    if not life.cancellable(order, "BUYER"):
        raise Refusal(wire.WRONG_DECISION)
    life.cancel(world, order, case.reason, "BUYER", world.clock, accepted=True)
    record(
        world,
        "approve_cancellation",
        order.shop_id,
        order_id=order.order_id,
        detail=case.case_id,
    )
    return {}


@once
def reject(world: World, asked: Asked) -> dict[str, object]:
    """Reject Cancellation, with a reason out of "Get Reject Reasons" (25020004 for another)."""
    case = _case(world, asked, asked.parts[0], "cancellation")
    if code := _refusal_of(case):
        raise Refusal(code)
    reason = asked.body["reject_reason"]
    if all(reason != each["name"] for each in reasons.reject_reasons(case)):
        raise Refusal(wire.WRONG_REJECT_REASON)
    order = world.orders[case.order_id]
    life.close_request(world, order, world.clock)
    record(
        world,
        "reject_cancellation",
        order.shop_id,
        order_id=order.order_id,
        detail=f"{case.case_id} {reason}",
    )
    return {}


def reject_reasons(world: World, asked: Asked) -> dict[str, object]:
    """Get Reject Reasons: none for a request that waits for no answer of the seller's."""
    case = _case(world, asked, asked.query["return_or_cancel_id"])
    return {"reasons": [] if _refusal_of(case) else reasons.reject_reasons(case)}


def decision_eligibility(world: World, asked: Asked) -> dict[str, object]:
    """Get Decision Eligibility: one row per decision asked about, all of the kind when none is."""
    case = _case(world, asked, asked.query["return_or_cancel_id"])
    told = asked.query.get("check_decisions", "")
    wanted = (
        told.split(",") if told else [d for d, (kind, _) in _DECISIONS.items() if kind == case.kind]
    )
    if any(decision not in _DECISIONS for decision in wanted):
        raise Refusal(BAD_PARAMETER, f"check_decisions must be of {', '.join(_DECISIONS)}")
    return {"decisions": [_decision(world, case, each) for each in dict.fromkeys(wanted)]}


def _decision(world: World, case: Case, decision: str) -> dict[str, object]:
    kind, types = _DECISIONS[decision]
    code = _refusal_of(case)
    if not code and (kind != case.kind or case.case_type not in types):
        code = wire.WRONG_DECISION
    approves = decision == "APPROVE_REQUEST_CANCEL"
    if not code and approves and not life.cancellable(world.orders[case.order_id], "BUYER"):
        code = wire.WRONG_DECISION
    row: dict[str, object] = {"decision": decision, "eligible": code == 0}
    if code:
        return row | {"ineligible_code": code, "ineligible_reason": wire.MESSAGES[code]}
    if decision.startswith("REJECT"):
        return row | {"available_reject_reasons": reasons.reject_reasons(case)}
    return row


def due(world: World, until: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """The deadlines of open requests up to `until`, and what the marketplace does then."""
    for case in world.cases.values():
        if case.kind == "cancellation" and case.pending and 0 < case.deadline <= until:
            yield case.deadline, _by_itself(world, case)


def _by_itself(world: World, case: Case) -> Callable[[], None]:
    def answer() -> None:
        order = world.orders[case.order_id]
        if not case.pending:
            return
        if life.cancellable(order, "BUYER"):
            life.cancel(world, order, case.reason, "BUYER", case.deadline, accepted=True)
        else:
            # The parcel was collected meanwhile: there is nothing left to approve.
            life.close_request(world, order, case.deadline)

    return answer
