"""The seller's answers to buyers who want their money back or another one."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import StoryError, wire
from tests.sandbox.bench import Bench, bench, shop, told_by

AGREED = "seller_reject_apply_you_have_reached_an_agreement_with_the_buyer"
SEARCH = "/return_refund/202602/returns/search"
RETURN = "RETURN_AND_REFUND"


def opened(kind: str = "REFUND", arrived: bool = True) -> tuple[Bench, str, str]:
    """A bench, an order of two mugs that has arrived, and the buyer's request."""
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    b.client.ship(order_id)
    b.sandbox.collect(order_id)
    if arrived:
        b.sandbox.deliver(order_id)
    return_id = b.sandbox.open_return(order_id, kind)
    b.sandbox.take_webhooks()
    return b, order_id, return_id


def answer(b: Bench, return_id: str, decision: str, **more: Any) -> Any:
    refuses = decision.startswith("REJECT")
    version, verb = ("202606", "reject") if refuses else ("202309", "approve")
    key = more.pop("key", None)
    body = {"decision": decision} | ({"reject_reason": AGREED} if refuses else {}) | more
    path = f"/return_refund/{version}/returns/{return_id}/{verb}"
    return b.client.post(path, body, **({"idempotency_key": key} if key else {}))


def row(b: Bench, return_id: str) -> Any:
    return b.client.post(SEARCH, {"return_ids": [return_id]}).data["return_orders"][0]


@pytest.mark.parametrize(
    ("kind", "decision", "more", "status", "ends"),
    [
        ("REFUND", "APPROVE_REFUND", {}, "RETURN_OR_REFUND_REQUEST_COMPLETE", True),
        ("REFUND", "REJECT_REFUND", {}, "REFUND_OR_RETURN_REQUEST_REJECT", False),
        (RETURN, "APPROVE_RETURN", {}, "AWAITING_BUYER_SHIP", False),
        (
            RETURN,
            "APPROVE_RETURN",
            {"buyer_keep_item": True},
            "RETURN_OR_REFUND_REQUEST_COMPLETE",
            True,
        ),
        (RETURN, "DIRECT_REFUND", {}, "RETURN_OR_REFUND_REQUEST_COMPLETE", True),
        (RETURN, "REJECT_RETURN", {}, "REFUND_OR_RETURN_REQUEST_REJECT", False),
        ("REPLACEMENT", "APPROVE_REPLACEMENT", {}, "REPLACEMENT_REQUEST_COMPLETE", False),
        ("REPLACEMENT", "REJECT_REPLACEMENT", {}, "REPLACEMENT_REQUEST_REJECT", False),
        (
            "REPLACEMENT",
            "ISSUE_REPLACEMENT_REFUND",
            {},
            "REPLACEMENT_REQUEST_REFUND_SUCCESS",
            True,
        ),
    ],
)
def test_each_decision_leads_where_it_says(
    kind: str, decision: str, more: dict[str, Any], status: str, ends: bool
) -> None:
    b, order_id, return_id = opened(kind)
    assert row(b, return_id)["seller_next_action_response"] != []
    assert answer(b, return_id, decision, **more).code == 0
    assert row(b, return_id)["return_status"] == status
    assert row(b, return_id)["seller_next_action_response"] == []
    order = b.client.read(order_id)[0]
    assert order["status"] == ("COMPLETED" if ends else "DELIVERED")
    assert any(hook["type"] == 67 for hook in told_by(b.sandbox)) == ends
    effect = b.sandbox.effects[-1]
    assert len(b.sandbox.effects) == 2
    assert (effect.call, effect.order_id) == (
        "reject_return" if "REJECT" in decision else "approve_return",
        order_id,
    )
    assert effect.detail.startswith(f"{return_id} {decision}")


@pytest.mark.parametrize("decision", ["APPROVE_RECEIVED_PACKAGE", "REJECT_RECEIVED_PACKAGE"])
def test_goods_that_came_back_are_decided_on_when_they_are_there(decision: str) -> None:
    b, order_id, return_id = opened(RETURN)
    assert answer(b, return_id, decision).code == wire.WRONG_DECISION
    answer(b, return_id, "APPROVE_RETURN")
    assert answer(b, return_id, decision).code == wire.CASE_APPROVED
    b.sandbox.send_back(return_id)
    (todo,) = row(b, return_id)["seller_next_action_response"]
    assert todo["action"] == "SELLER_RESPOND_RECEIVE_PACKAGE"
    assert answer(b, return_id, "APPROVE_RETURN").code == wire.WRONG_DECISION
    assert answer(b, return_id, decision).code == 0
    paid = decision.startswith("APPROVE")
    assert b.client.read(order_id)[0]["status"] == ("COMPLETED" if paid else "DELIVERED")


@pytest.mark.parametrize(
    ("kind", "decision", "more", "code"),
    [
        ("REFUND", "APPROVE_RETURN", {}, wire.WRONG_DECISION),
        (RETURN, "APPROVE_REFUND", {}, wire.WRONG_DECISION),
        ("REFUND", "OFFER_PARTIAL_REFUND", {}, wire.WRONG_DECISION),
        ("REFUND", "REJECT_RETURN", {}, wire.WRONG_DECISION),
        ("REFUND", "REJECT_REFUND", {"reject_reason": "because"}, wire.WRONG_REJECT_REASON),
        ("REFUND", "APPROVE_REFUND", {"buyer_keep_item": True}, wire.BAD_PARAMETER),
        (
            "REFUND",
            "APPROVE_REFUND",
            {"partial_refund": {"currency": "MYR", "amount": "1"}},
            wire.BAD_PARAMETER,
        ),
        (
            "REFUND",
            "REJECT_REFUND",
            {"partial_refund_amount": {"currency": "MYR", "partial_refund_total": "1"}},
            wire.WRONG_DECISION,
        ),
        ("REFUND", "AGREE", {}, wire.BAD_PARAMETER),
    ],
)
def test_a_decision_that_does_not_fit_is_refused(
    kind: str, decision: str, more: dict[str, Any], code: int
) -> None:
    b, _, return_id = opened(kind)
    before = row(b, return_id)
    assert answer(b, return_id, decision, **more).code == code
    assert row(b, return_id) == before
    assert len(b.sandbox.effects) == 1


def test_the_same_key_pays_once() -> None:
    b, _, return_id = opened()
    codes = [answer(b, return_id, "APPROVE_REFUND", key="k").code for _ in range(3)]
    assert codes == [0, 0, 0]
    assert answer(b, return_id, "APPROVE_REFUND").code == wire.CASE_APPROVED
    assert len(b.sandbox.effects) == 2


def test_a_refused_request_takes_no_second_answer_and_keeps_no_money() -> None:
    b, order_id, return_id = opened()
    answer(b, return_id, "REJECT_REFUND")
    assert answer(b, return_id, "APPROVE_REFUND").code == wire.CASE_CANCELLED
    reason = "seller_refund_reason_agreed_with_buyer"
    body = {"order_id": order_id, "return_reason": reason, "return_type": "REFUND"}
    assert b.client.post("/return_refund/202602/returns", body).code == 0


def test_sellers_own_and_other_shops_requests_are_not_answered() -> None:
    other = shop("MY", 2)
    b, order_id, return_id = opened()
    b.sandbox.add_shop(other)
    foreign = b.sandbox.open_return(b.sandbox.add_order(other.shop_id))
    assert answer(b, foreign, "APPROVE_REFUND").code == wire.BAD_PARAMETER
    b.sandbox.close_return(return_id)
    body = {
        "order_id": order_id,
        "return_reason": "seller_refund_reason_package_lost",
        "return_type": "REFUND",
    }
    own = b.client.post("/return_refund/202602/returns", body).data["return_id"]
    assert answer(b, own, "APPROVE_REFUND").code == wire.NOT_TO_DECIDE


def test_decisions_about_a_return_are_told() -> None:
    b, _, return_id = opened(RETURN)
    where = "/return_refund/202601/decision_eligibility"
    told = b.client.get(where, return_or_cancel_id=return_id).data["decisions"]
    assert [row["decision"] for row in told if row["eligible"]] == [
        "APPROVE_RETURN",
        "REJECT_RETURN",
        "DIRECT_REFUND",
    ]


def test_only_what_was_agreed_to_is_sent_back() -> None:
    b, _, return_id = opened(RETURN)
    with pytest.raises(StoryError, match="waits for no parcel"):
        b.sandbox.send_back(return_id)
