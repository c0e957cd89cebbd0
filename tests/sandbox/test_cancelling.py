"""Cancelling by the seller, and answers to buyers who want to: who may, when, and why."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Fault, wire
from sandbox.world import Settings
from tests.sandbox.bench import DAY, START, Bench, Client, bench, shop, told_by

CANCEL = "/return_refund/202602/cancellations"
ELIGIBLE = "/return_refund/202602/orders/{}/aftersale_eligibility"
STOCK = "seller_cancel_reason_out_of_stock"
PACKED = "seller_reject_apply_product_has_been_packed"
HOUR = 3600


def cancel(b: Bench, order_id: str, reason: str = STOCK, **more: Any) -> Any:
    return b.client.post(CANCEL, {"order_id": order_id, "cancel_reason": reason, **more})


def eligible(b: Bench, order_id: str, kind: str = "CANCEL", user: str = "SELLER") -> Any:
    told = b.client.get(ELIGIBLE.format(order_id), initiate_aftersale_user=user, request_types=kind)
    assert told.code == 0
    return told.data["sku_eligibility"][0]["line_item_eligibility"][0]


def asked(market: str = "MY", **options: Any) -> tuple[Bench, str, str]:
    """A bench, an order whose buyer wants to cancel, and the request's id."""
    b = bench(market, **options)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    return b, order_id, b.sandbox.request_cancel(order_id)


def at_status(b: Bench, status: str) -> str:
    """An order brought to a status."""
    if status in ("UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"):
        return b.sandbox.add_order(b.shop.shop_id, status=status)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    if status == "CANCELLED":
        b.sandbox.cancel(order_id, STOCK, "SELLER")
        return order_id
    sent = b.client.mark(order_id) if b.shop.market in ("US", "UK") else b.client.ship(order_id)
    assert sent.code == 0
    steps = [b.sandbox.collect, b.sandbox.deliver, b.sandbox.complete]
    wanted = ["IN_TRANSIT", "DELIVERED", "COMPLETED"]
    for step in steps[: wanted.index(status) + 1 if status in wanted else 0]:
        step(order_id)
    assert b.client.read(order_id)[0]["status"] == status
    return order_id


UNPAID = "seller_cancel_unpaid_reason_"


@pytest.mark.parametrize(
    ("market", "status", "names"),
    [
        ("MY", "AWAITING_SHIPMENT", [STOCK, "seller_cancel_reason_wrong_price"]),
        ("MX", "ON_HOLD", [STOCK, "buyer_requested_cancellation", "address_not_deliver"]),
        ("UK", "AWAITING_SHIPMENT", [f"{STOCK}_uk", "wrong_price_uk", "address_not_deliver_uk"]),
        ("PH", "AWAITING_SHIPMENT", [STOCK, "wrong_price", "buyer_requested_cancellation"]),
        ("TH", "UNPAID", ["out_of_stock", "wrong_price", "hasnt_paid_within_time_allowed"]),
        (
            "US",
            "AWAITING_COLLECTION",
            [STOCK, "wrong_price", "buyer_requested_cancellation", "address_not_deliver"],
        ),
    ],
)
def test_the_reasons_depend_on_market_and_state_and_are_taken(
    market: str, status: str, names: list[str]
) -> None:
    b = bench(market)
    order_id = at_status(b, status)
    row = eligible(b, order_id)
    told = row["available_reason_names"]
    assert (row["eligible"], row["request_type"]) == (True, "CANCEL")
    assert len(told) == len(names)
    assert all(name.endswith(end) for name, end in zip(told, names, strict=True))
    assert (status == "UNPAID") == told[0].startswith(UNPAID)
    for name in told:
        other = bench(market)
        assert cancel(other, at_status(other, status), name).code == 0


def test_a_cancelled_order_has_one_effect_and_tells_its_steps() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    b.sandbox.take_webhooks()
    answer = cancel(b, order_id)
    assert answer.data["cancel_status"] == "CANCELLATION_REQUEST_SUCCESS"
    order = b.client.read(order_id)[0]
    assert (order["status"], order["cancellation_initiator"]) == ("CANCELLED", "SELLER")
    assert {line["cancel_reason"] for line in order["line_items"]} == {STOCK}
    (effect,) = b.sandbox.effects
    assert (effect.call, effect.order_id, effect.detail) == ("cancel_order", order_id, STOCK)
    hooks = [(hook["type"], hook["data"]) for hook in told_by(b.sandbox)]
    assert [number for number, _ in hooks] == [11, 1, 11]
    assert [hooks[at][1]["cancel_status"] for at in (0, 2)] == [
        "CANCELLATION_REQUEST_SUCCESS",
        "CANCELLATION_REQUEST_COMPLETE",
    ]
    (row,) = b.client.post(f"{CANCEL}/search", {"cancel_ids": [answer.data["cancel_id"]]}).data[
        "cancellations"
    ]
    assert row["refund_amount"]["refund_total"] == order["payment"]["total_amount"]
    assert len(row["cancel_line_items"]) == 2
    assert row["seller_next_action_response"] == []


@pytest.mark.parametrize(
    ("market", "status", "reason", "code"),
    [
        ("MY", "AWAITING_COLLECTION", STOCK, wire.SHIPPED_ALREADY),
        ("US", "IN_TRANSIT", STOCK, wire.SHIPPED_ALREADY),
        ("MY", "DELIVERED", STOCK, wire.WRONG_ORDER_STATUS),
        ("MY", "COMPLETED", STOCK, wire.ORDER_FINISHED),
        ("MY", "CANCELLED", STOCK, wire.CASE_FINISHED),
        ("MY", "AWAITING_SHIPMENT", f"{UNPAID}out_of_stock", wire.REASON_MISMATCH),
        ("MY", "UNPAID", STOCK, wire.REASON_MISMATCH),
        ("UK", "AWAITING_SHIPMENT", STOCK, wire.REASON_MISMATCH),
        ("MX", "AWAITING_SHIPMENT", "seller_cancel_reason_wrong_price", wire.REASON_MISMATCH),
        (
            "VN",
            "AWAITING_SHIPMENT",
            "seller_cancel_paid_reason_address_not_deliver",
            wire.REASON_MISMATCH,
        ),
        ("MY", "AWAITING_SHIPMENT", "out of stock", wire.UNKNOWN_REASON),
    ],
)
def test_an_order_is_not_cancelled_out_of_turn(
    market: str, status: str, reason: str, code: int
) -> None:
    b = bench(market)
    order_id = at_status(b, status)
    before, effects = b.client.read(order_id), len(b.sandbox.effects)
    assert cancel(b, order_id, reason).code == code
    assert b.client.read(order_id) == before
    assert len(b.sandbox.effects) == effects


def test_an_order_in_process_is_not_cancelled_and_says_so_beforehand() -> None:
    b, order_id, _ = asked()
    row = eligible(b, order_id)
    assert (row["eligible"], row["ineligible_code"]) == (False, wire.CASE_IN_PROCESS)
    assert "available_reason_names" not in row
    assert cancel(b, order_id).code == wire.CASE_IN_PROCESS
    with_return = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.open_return(with_return)
    assert cancel(b, with_return).code == wire.CASE_IN_PROCESS


def test_orders_of_others_are_not_cancelled() -> None:
    other = shop("MY", 2)
    b = bench("MY", other)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.client = Client(b.sandbox, other, b.real)
    assert cancel(b, order_id).code == wire.BAD_PARAMETER
    told = b.client.get(ELIGIBLE.format(order_id), initiate_aftersale_user="SELLER")
    assert told.code == wire.BAD_PARAMETER


@pytest.mark.parametrize("market", ["US", "UK"])
@pytest.mark.parametrize("way", ["order_line_list", "order_line_item_ids", "skus"])
def test_single_lines_are_cancelled_in_the_us_and_uk(market: str, way: str) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2, "TEA-GREEN": 1})
    first = b.client.read(order_id)[0]["line_items"][0]
    told: Any = {
        "order_line_list": [{"order_line_item_id": first["id"]}],
        "order_line_item_ids": [first["id"]],
        "skus": [{"sku_id": first["sku_id"], "quantity": 1}],
    }[way]
    reason = eligible(b, order_id)["available_reason_names"][0]
    assert cancel(b, order_id, reason, **{way: told}).code == 0
    order = b.client.read(order_id)[0]
    assert order["status"] == "AWAITING_SHIPMENT"
    assert [line["display_status"] for line in order["line_items"]] == [
        "CANCELLED",
        "AWAITING_SHIPMENT",
        "AWAITING_SHIPMENT",
    ]
    assert order["line_items"][0]["cancel_user"] == "SELLER"
    (effect,) = b.sandbox.effects
    assert effect.detail == f"{reason} {first['id']}"
    assert b.client.mark(order_id).code == wire.ORDER_CANCELLED
    left = [line["id"] for line in order["line_items"][1:]]
    assert b.client.mark(order_id, lines=left).code == 0
    assert b.client.read(order_id)[0]["status"] == "AWAITING_COLLECTION"


def test_all_lines_one_by_one_are_the_whole_order() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    for line in b.client.read(order_id)[0]["line_items"]:
        assert cancel(b, order_id, order_line_item_ids=[line["id"]]).code == 0
    assert b.client.read(order_id)[0]["status"] == "CANCELLED"


@pytest.mark.parametrize(
    ("market", "reason", "lines", "code"),
    [
        ("MY", STOCK, {"order_line_item_ids": ["577000000000000001"]}, wire.BAD_PARAMETER),
        (
            "US",
            "seller_cancel_reason_wrong_price",
            {"order_line_item_ids": ["577000000000000001"]},
            wire.REASON_MISMATCH,
        ),
        ("US", STOCK, {"order_line_item_ids": ["577"]}, wire.BAD_PARAMETER),
        ("US", STOCK, {"order_line_item_ids": ["577000000000000001"] * 2}, wire.BAD_PARAMETER),
        ("US", STOCK, {"order_line_list": [{}]}, wire.BAD_PARAMETER),
        (
            "US",
            STOCK,
            {
                "order_line_item_ids": ["577000000000000001"],
                "order_line_list": [{"order_line_item_id": "577000000000000001"}],
            },
            wire.BAD_PARAMETER,
        ),
        (
            "US",
            STOCK,
            {
                "order_line_list": [
                    {
                        "order_line_item_id": "577000000000000001",
                        "sub_order_line_item_id": "1",
                    }
                ]
            },
            wire.BAD_PARAMETER,
        ),
        (
            "US",
            STOCK,
            {"skus": [{"sku_id": "1729000000000000002", "quantity": 1}] * 3},
            wire.BAD_PARAMETER,
        ),
        (
            "US",
            STOCK,
            {"skus": [{"sku_id": "1729000000000000002", "quantity": 3}]},
            wire.BAD_PARAMETER,
        ),
        (
            "US",
            STOCK,
            {"skus": [{"sku_id": "1729000000000000002", "quantity": 0}]},
            wire.BAD_PARAMETER,
        ),
    ],
)
def test_lines_that_cannot_be_cancelled_are_not(
    market: str, reason: str, lines: Any, code: int
) -> None:
    b = bench(market)
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    assert cancel(b, order_id, reason, **lines).code == code
    assert b.sandbox.effects == []


def test_a_seller_agrees_to_a_buyers_request() -> None:
    b, order_id, cancel_id = asked()
    b.sandbox.take_webhooks()
    assert b.client.post(f"{CANCEL.replace('202602', '202309')}/{cancel_id}/approve").code == 0
    order = b.client.read(order_id)[0]
    assert (order["status"], order["cancellation_initiator"]) == ("CANCELLED", "BUYER")
    told = [h["data"]["cancel_status"] for h in told_by(b.sandbox) if h["type"] == 11]
    assert told == ["CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_COMPLETE"]
    (effect,) = b.sandbox.effects
    assert (effect.call, effect.detail) == ("approve_cancellation", cancel_id)


def path(cancel_id: str, verb: str) -> str:
    return f"/return_refund/202309/cancellations/{cancel_id}/{verb}"


def test_a_seller_refuses_a_buyers_request_and_ships() -> None:
    b, order_id, cancel_id = asked()
    body = {"reject_reason": PACKED, "comment": "Already packed"}
    assert b.client.post(path(cancel_id, "reject"), body).code == 0
    assert b.client.read(order_id)[0]["is_buyer_request_cancel"] is False
    (effect,) = b.sandbox.effects
    assert (effect.call, effect.detail) == ("reject_cancellation", f"{cancel_id} {PACKED}")
    assert b.client.ship(order_id).code == 0


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_the_same_key_answers_the_same_and_does_nothing_again(verb: str) -> None:
    b, _, cancel_id = asked()
    body = {"reject_reason": PACKED} if verb == "reject" else None
    keyed = [b.client.post(path(cancel_id, verb), body, idempotency_key="k") for _ in range(3)]
    assert [each.code for each in keyed] == [0, 0, 0]
    assert len(b.sandbox.effects) == 1
    again = wire.CASE_APPROVED if verb == "approve" else wire.CASE_CANCELLED
    assert b.client.post(path(cancel_id, verb), body, idempotency_key="l").code == again
    assert b.client.post(path(cancel_id, verb), body).code == again
    assert len(b.sandbox.effects) == 1


@pytest.mark.parametrize(("length", "code"), [(255, 0), (256, wire.BAD_PARAMETER)])
def test_a_key_has_a_longest_length(length: int, code: int) -> None:
    b, _, cancel_id = asked()
    assert b.client.post(path(cancel_id, "approve"), idempotency_key="k" * length).code == code


def test_a_refused_call_leaves_its_key_unused() -> None:
    b, _, cancel_id = asked()
    wrong, right = ({"reject_reason": each} for each in ("because", PACKED))
    first = b.client.post(path(cancel_id, "reject"), wrong, idempotency_key="k")
    assert first.code == wire.WRONG_REJECT_REASON
    assert b.client.post(path(cancel_id, "reject"), right, idempotency_key="k").code == 0


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("close", wire.CASE_CANCELLED),
        ("cancel", wire.CASE_APPROVED),
        ("collect", wire.WRONG_DECISION),
    ],
)
def test_a_request_that_is_over_takes_no_answer(end: str, code: int) -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.client.ship(order_id)
    cancel_id = b.sandbox.request_cancel(order_id)
    if end == "close":
        b.sandbox.close_request(order_id)
    elif end == "cancel":
        b.sandbox.cancel(order_id, "no longer needed", "BUYER")
    else:
        b.sandbox.collect(order_id)
    assert b.client.post(path(cancel_id, "approve")).code == code
    assert len(b.sandbox.effects) == 1


def test_only_a_buyers_request_of_this_shop_is_answered() -> None:
    other = shop("MY", 2)
    b = bench("MY", other)
    cancel_id = cancel(b, b.sandbox.add_order(b.shop.shop_id)).data["cancel_id"]
    foreign = b.sandbox.request_cancel(b.sandbox.add_order(other.shop_id))
    returned = b.sandbox.open_return(b.sandbox.add_order(b.shop.shop_id))
    assert b.client.post(path(cancel_id, "approve")).code == wire.NOT_TO_DECIDE
    for wrong in (foreign, returned, "4030000000000000099"):
        assert b.client.post(path(wrong, "approve")).code == wire.BAD_PARAMETER


def test_decisions_and_reject_reasons_are_told_while_they_are_open() -> None:
    b, _, cancel_id = asked()
    reasons = b.client.get("/return_refund/202309/reject_reasons", return_or_cancel_id=cancel_id)
    assert PACKED in [each["name"] for each in reasons.data["reasons"]]
    where = "/return_refund/202601/decision_eligibility"
    told = b.client.get(where, return_or_cancel_id=cancel_id).data["decisions"]
    assert [(row["decision"], row["eligible"]) for row in told] == [
        ("APPROVE_REQUEST_CANCEL", True),
        ("REJECT_REQUEST_CANCEL", True),
    ]
    assert told[1]["available_reject_reasons"] == reasons.data["reasons"]
    (wrong,) = b.client.get(
        where, return_or_cancel_id=cancel_id, check_decisions="APPROVE_REFUND"
    ).data["decisions"]
    assert wrong["ineligible_code"] == wire.WRONG_DECISION
    odd = b.client.get(where, return_or_cancel_id=cancel_id, check_decisions="AGREE")
    assert odd.code == wire.BAD_PARAMETER
    b.client.post(path(cancel_id, "approve"))
    told = b.client.get(where, return_or_cancel_id=cancel_id).data["decisions"]
    assert {row["ineligible_code"] for row in told} == {wire.CASE_APPROVED}
    none = b.client.get("/return_refund/202309/reject_reasons", return_or_cancel_id=cancel_id)
    assert none.data == {"reasons": []}


@pytest.mark.parametrize(
    ("market", "hours"), [("US", 24), ("TH", 24), ("ID", 48), ("MY", 48), ("UK", 48)]
)
def test_an_unanswered_request_is_approved_at_its_very_second(market: str, hours: int) -> None:
    b, order_id, _ = asked(market)
    due = START + hours * HOUR
    (row,) = b.client.post(f"{CANCEL}/search", {"order_ids": [order_id]}).data["cancellations"]
    assert row["seller_next_action_response"][0]["deadline"] == due
    b.sandbox.advance(due - 1)
    assert b.client.read(order_id)[0]["status"] == "AWAITING_SHIPMENT"
    b.sandbox.take_webhooks()
    b.sandbox.advance(due + HOUR)
    order = b.client.read(order_id)[0]
    assert (order["status"], order["cancel_time"]) == ("CANCELLED", due)
    assert [hook["type"] for hook in told_by(b.sandbox)] == [11, 1, 11]
    assert b.sandbox.effects == []


def test_the_time_to_answer_can_be_set() -> None:
    b, order_id, _ = asked(settings=Settings(cancel_answer_time=60))
    b.sandbox.advance(START + 60)
    assert b.client.read(order_id)[0]["status"] == "CANCELLED"


def test_a_request_answered_in_time_or_too_late_to_matter_is_left() -> None:
    b, order_id, cancel_id = asked()
    b.client.post(path(cancel_id, "reject"), {"reject_reason": PACKED})
    sent = b.sandbox.add_order(b.shop.shop_id)
    b.client.ship(sent, "SYN-TRK-2")
    b.sandbox.request_cancel(sent)
    b.sandbox.collect(sent)
    b.sandbox.advance(START + 3 * DAY)
    assert [row["status"] for row in b.client.read(order_id, sent)] == [
        "AWAITING_SHIPMENT",
        "IN_TRANSIT",
    ]
    assert b.client.read(sent)[0]["is_buyer_request_cancel"] is False


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"initiate_aftersale_user": "ME"},
        {"initiate_aftersale_user": "SELLER", "request_types": "SWAP"},
    ],
)
def test_eligibility_is_asked_for_somebody_and_something(query: dict[str, str]) -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    assert b.client.get(ELIGIBLE.format(order_id), **query).code == wire.BAD_PARAMETER


@pytest.mark.parametrize("kind", ["effect_no_answer", "effect_html", "truncated", "null_data"])
def test_an_answer_lost_on_the_way_is_had_again_by_its_key(kind: str) -> None:
    b, _, cancel_id = asked()
    b.sandbox.fail(Fault(kind, path="*/approve"))
    b.client.reply("POST", path(cancel_id, "approve"), idempotency_key="k")
    again = b.client.post(path(cancel_id, "approve"), idempotency_key="k")
    assert (again.code, again.data) == (0, {})
    assert len(b.sandbox.effects) == 1


def test_a_cancellation_lost_on_the_way_has_no_key_and_is_refused_the_second_time() -> None:
    b = bench()
    order_id = b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.fail(Fault("effect_no_answer", path=CANCEL))
    b.client.reply("POST", CANCEL, {"order_id": order_id, "cancel_reason": STOCK})
    assert cancel(b, order_id).code == wire.CASE_FINISHED
    assert cancel(b, order_id, idempotency_key="k").code == wire.BAD_PARAMETER
    assert len(b.sandbox.effects) == 1


def test_a_lock_is_played_as_a_code() -> None:
    b, _, cancel_id = asked()
    b.sandbox.fail(Fault("code", path="*/approve", code=25001028))
    codes = [b.client.post(path(cancel_id, "approve")).code for _ in range(2)]
    assert codes == [25001028, 0]


def test_deadlines_by_itself_come_out_the_same_in_long_and_short_steps() -> None:
    results = []
    for step in (4 * DAY, 3600):
        b = bench("TH")
        ids = [
            b.sandbox.add_order(b.shop.shop_id, shipping_due_time=START + DAY + offset)
            for offset in (-1, 0, 1)
        ]
        for order_id in ids:
            b.sandbox.request_cancel(order_id)
        for at in range(START + step, START + 4 * DAY + 1, step):
            b.sandbox.advance(at)
        results.append((b.client.read(*ids), told_by(b.sandbox)))
    assert results[0] == results[1]
    by = [row["cancellation_initiator"] for row in results[0][0]]
    assert by == ["SYSTEM", "SYSTEM", "BUYER"]


def test_single_lines_are_not_cancelled_once_shipping_is_arranged() -> None:
    b = bench("US")
    order_id = b.sandbox.add_order(b.shop.shop_id, items={"MUG-BLUE": 2})
    b.client.mark(order_id)
    line = b.client.read(order_id)[0]["line_items"][0]["id"]
    told = cancel(b, order_id, order_line_item_ids=[line])
    assert told.code == wire.WRONG_ORDER_STATUS
    assert cancel(b, order_id).code == 0
