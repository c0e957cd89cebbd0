"""The seller's answer to a buyer who wants money or another one.

Partner Center: "Approve Return" (202309), "Reject Return" (202606), with their error tables. The
decision must fit the request's kind and where it stands (25020003). Partial refunds are offered to
nobody here: that decision never fits. A replacement is agreed to, but its new order is not made.
"""

from __future__ import annotations

from sandbox import decisions, life, refunds, wire
from sandbox.gate import Asked
from sandbox.once import once
from sandbox.orders import Case
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World, record

APPROVE_BODY: Shape = {
    "decision!": (
        "APPROVE_REFUND",
        "APPROVE_RETURN",
        "APPROVE_RECEIVED_PACKAGE",
        "APPROVE_REPLACEMENT",
        "ISSUE_REPLACEMENT_REFUND",
        "OFFER_PARTIAL_REFUND",
        "DIRECT_REFUND",
    ),
    "buyer_keep_item": bool,
    "partial_refund": {"currency!": str, "amount!": str},
}
REJECT_BODY: Shape = {
    "decision!": (
        "REJECT_REFUND",
        "REJECT_RETURN",
        "REJECT_RECEIVED_PACKAGE",
        "REJECT_REPLACEMENT",
        "OFFER_PARTIAL_REFUND_AFTER_RECEIVING_PKG",
    ),
    "reject_reason!": str,
    "comment": str,
    "images": [{"image_id!": str, "mime_type": str, "height": int, "width": int}],
    "partial_refund_amount": {"partial_refund_total!": str, "currency!": str},
}

_REJECTED = {
    "REJECT_REFUND": "REFUND_OR_RETURN_REQUEST_REJECT",
    "REJECT_RETURN": "REFUND_OR_RETURN_REQUEST_REJECT",
    "REJECT_RECEIVED_PACKAGE": "REJECT_RECEIVE_PACKAGE",
    "REJECT_REPLACEMENT": "REPLACEMENT_REQUEST_REJECT",
}


def _judge(world: World, asked: Asked) -> Case:
    case = decisions.case_named(world, asked, asked.parts[0], "return")
    if code := decisions.refusal_of(world, case, asked.body["decision"]):
        raise Refusal(code)
    return case


@once
def approve(world: World, asked: Asked) -> dict[str, object]:
    """Approve Return: money back at once, or first the buyer's parcel."""
    case, decision = _judge(world, asked), asked.body["decision"]
    keeps = asked.body.get("buyer_keep_item")
    if keeps is not None and decision != "APPROVE_RETURN":
        raise Refusal(BAD_PARAMETER, "buyer_keep_item goes with APPROVE_RETURN")
    if "partial_refund" in asked.body:
        raise Refusal(BAD_PARAMETER, "partial_refund goes with OFFER_PARTIAL_REFUND")
    if decision == "APPROVE_RETURN" and not keeps:
        life.set_case(world, case, refunds.AWAITING_BUYER, world.clock)
    elif decision == "APPROVE_REPLACEMENT":
        life.set_case(world, case, "REPLACEMENT_REQUEST_COMPLETE", world.clock)
    else:
        refunds.pay_out(world, case, world.clock)
    _record(world, case, "approve_return", decision)
    return {}


@once
def reject(world: World, asked: Asked) -> dict[str, object]:
    """Reject Return, with a reason out of "Get Reject Reasons" (25020004 for another)."""
    case, decision = _judge(world, asked), asked.body["decision"]
    decisions.check_reject_reason(case, asked.body["reject_reason"])
    if "partial_refund_amount" in asked.body:
        raise Refusal(wire.WRONG_DECISION, "partial_refund_amount goes with an offer")
    life.set_case(world, case, _REJECTED[decision], world.clock)
    _record(world, case, "reject_return", f"{decision} {asked.body['reject_reason']}")
    return {}


def _record(world: World, case: Case, call: str, words: str) -> None:
    record(world, call, case.shop_id, order_id=case.order_id, detail=f"{case.case_id} {words}")
