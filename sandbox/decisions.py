"""Which answer of the seller's fits which request, and when.

Partner Center: "Get Decision Eligibility" and "Get Reject Reasons"; the decisions are those its
parameter lists. Exchanges are not played here, so nothing fits what is asked about them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox import life, reasons, wire
from sandbox.gate import Asked
from sandbox.orders import Case
from sandbox.wire import BAD_PARAMETER, Refusal
from sandbox.world import World

SENT_BACK = "BUYER_SHIPPED_ITEM"

_REPLACE = "REPLACEMENT"
# The kind of request, its types, and whether the buyer's parcel must be on its way.
DECISIONS: Mapping[str, tuple[str, tuple[str, ...], bool]] = {
    "APPROVE_REQUEST_CANCEL": ("cancellation", ("BUYER_CANCEL",), False),
    "REJECT_REQUEST_CANCEL": ("cancellation", ("BUYER_CANCEL",), False),
    "APPROVE_REFUND": ("return", ("REFUND",), False),
    "REJECT_REFUND": ("return", ("REFUND",), False),
    "APPROVE_RETURN": ("return", ("RETURN_AND_REFUND",), False),
    "REJECT_RETURN": ("return", ("RETURN_AND_REFUND",), False),
    "DIRECT_REFUND": ("return", ("RETURN_AND_REFUND",), False),
    "APPROVE_RECEIVED_PACKAGE": ("return", ("RETURN_AND_REFUND",), True),
    "REJECT_RECEIVED_PACKAGE": ("return", ("RETURN_AND_REFUND",), True),
    "APPROVE_REPLACEMENT": ("return", (_REPLACE,), False),
    "REJECT_REPLACEMENT": ("return", (_REPLACE,), False),
    "ISSUE_REPLACEMENT_REFUND": ("return", (_REPLACE,), False),
    "ISSUE_EXCHANGE_REFUND": ("return", (), False),
}


def case_named(world: World, asked: Asked, case_id: str, kind: str = "") -> Case:
    """A request of the shop's. The code for another's is not published: 36009004 here."""
    case = world.cases.get(case_id)
    if case is None or case.shop_id != asked.shop.shop_id or kind not in ("", case.kind):
        raise Refusal(BAD_PARAMETER, f"{case_id} is no request in this shop")
    return case


def waits(case: Case) -> bool:
    """Whether it is the seller's turn."""
    return case.status == SENT_BACK or (case.pending and case.role == "BUYER")


def refusal_of(world: World, case: Case, decision: str = "") -> int:
    """The code that a decision on this request meets now, 0 when it may be made.

    Without a decision: the code that any of them meets.
    """
    if not waits(case):
        if case.role != "BUYER":
            return wire.NOT_TO_DECIDE
        closed = "REJECT" in case.status or case.status.endswith("_CANCEL")
        return wire.CASE_CANCELLED if closed else wire.CASE_APPROVED
    if not decision:
        return 0
    kind, types, sent_back = DECISIONS.get(decision, ("", (), False))
    if kind != case.kind or case.case_type not in types:
        return wire.WRONG_DECISION
    if sent_back != (case.status == SENT_BACK):
        return wire.WRONG_DECISION
    order = world.orders[case.order_id]
    if decision == "APPROVE_REQUEST_CANCEL" and not life.cancellable(order, "BUYER"):
        return wire.WRONG_DECISION
    return 0


def check_reject_reason(case: Case, reason: str) -> None:
    """Refuse a reason that "Get Reject Reasons" does not list (25020004)."""
    if all(reason != each["name"] for each in reasons.reject_reasons(case)):
        raise Refusal(wire.WRONG_REJECT_REASON)


def reject_reasons(world: World, asked: Asked) -> dict[str, object]:
    """Get Reject Reasons: none for a request that waits for no answer of the seller's."""
    case = case_named(world, asked, asked.query["return_or_cancel_id"])
    return {"reasons": [] if refusal_of(world, case) else reasons.reject_reasons(case)}


def decision_eligibility(world: World, asked: Asked) -> dict[str, object]:
    """Get Decision Eligibility: one row per decision asked about, all of the kind when none is."""
    case = case_named(world, asked, asked.query["return_or_cancel_id"])
    told = asked.query.get("check_decisions", "")
    every = [name for name, (kind, _, _) in DECISIONS.items() if kind == case.kind]
    wanted = told.split(",") if told else every
    if any(decision not in DECISIONS for decision in wanted):
        raise Refusal(BAD_PARAMETER, f"check_decisions must be of {', '.join(DECISIONS)}")
    return {"decisions": [_row(world, case, each) for each in dict.fromkeys(wanted)]}


def _row(world: World, case: Case, decision: str) -> dict[str, object]:
    code = refusal_of(world, case, decision)
    row: dict[str, object] = {"decision": decision, "eligible": code == 0}
    if code:
        return row | {"ineligible_code": code, "ineligible_reason": wire.MESSAGES[code]}
    if decision.startswith("REJECT"):
        return row | {"available_reject_reasons": reasons.reject_reasons(case)}
    return row
