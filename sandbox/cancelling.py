"""Cancelling by the seller, and answering a buyer who wants to.

Partner Center: "Cancel Order", "Approve Cancellation", "Reject Cancellation", with their error
tables. A request that nobody answers by its deadline is approved by the marketplace. 25001028,
"locked, try again", is never answered of itself: play it as a fault of kind `code`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox import decisions, eligibility, life, orders, reasons, wire
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


def _judge(world: World, asked: Asked, decision: str) -> Case:
    case = decisions.case_named(world, asked, asked.parts[0], "cancellation")
    if code := decisions.refusal_of(world, case, decision):
        raise Refusal(code)
    return case


@once
def approve(world: World, asked: Asked) -> dict[str, object]:
    """Approve Cancellation: the order is cancelled. 25020003 once the parcel is on its way."""
    case = _judge(world, asked, "APPROVE_REQUEST_CANCEL")
    order = world.orders[case.order_id]
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
    case = _judge(world, asked, "REJECT_REQUEST_CANCEL")
    reason = asked.body["reject_reason"]
    decisions.check_reject_reason(case, reason)
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
