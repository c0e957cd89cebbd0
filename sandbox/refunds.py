"""Money given back by the seller: a refund, or a return and a refund.

Partner Center: "Create Return", "Calculate Refund", and the transitions of "Order API overview": a
full refund of an order that is shipped and not yet delivered makes it COMPLETED. A seller's own
refund is PENDING at first and paid out a while later (`Settings.refund_after`); a return waits for
the buyer's parcel. Amounts are strings with the currency's decimals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sandbox import eligibility, life, orders, wire
from sandbox.decisions import SENT_BACK
from sandbox.gate import Asked
from sandbox.once import once
from sandbox.orders import Case, Line, Order, money, price_units, units_of
from sandbox.shape import Shape
from sandbox.wire import BAD_PARAMETER, Refusal, StoryError
from sandbox.world import REFUND_TOPIC, World, announce, record

_LINES: dict[str, Shape] = {
    "skus": [{"sku_id!": str, "quantity!": int}],
    "order_line_item_ids": [str],
    "order_line_list": [{"order_line_item_id!": str, "sub_order_line_item_id": str}],
}
_SHIPMENT: dict[str, Shape] = {
    "shipment_type": ("PLATFORM", "BUYER_ARRANGE"),
    "handover_method": ("DROP_OFF", "PICKUP"),
}
CREATE_BODY: Shape = {
    "order_id!": str,
    "return_reason!": str,
    "return_type!": ("REFUND", "RETURN_AND_REFUND"),
    "refund_total": str,
    "currency": str,
    **_LINES,
    **_SHIPMENT,
}
CALCULATE_BODY: Shape = {
    "order_id!": str,
    "request_type!": eligibility.TYPES,
    "reason_name!": str,
    **_LINES,
    **_SHIPMENT,
}

_BUYERS = ("REFUND", "RETURN_AND_REFUND", "REPLACEMENT")
_PENDING = "RETURN_OR_REFUND_REQUEST_PENDING"
AWAITING_BUYER = "AWAITING_BUYER_SHIP"


def refundable(world: World, order: Order, lines: list[Line]) -> int:
    """What these lines can still be refunded, in smallest units."""
    unpaid = "paid_time" not in order.times
    left = price_units(order) * len(life.live(order)) - _refunded(world, order)
    return 0 if unpaid else min(price_units(order) * len(lines), left)


def _refunded(world: World, order: Order) -> int:
    cases = world.cases_of.get(order.order_id, ())
    return sum(case.amount for case in cases if case.kind == "return" and _stands(case))


def _stands(case: Case) -> bool:
    """Whether a return's money is given, promised or asked for."""
    ended = case.status.endswith("_CANCEL") or "REJECT" in case.status
    return not ended and case.status != "REPLACEMENT_REQUEST_COMPLETE"


def _check_shipment(asked: Asked, request_type: str) -> None:
    body = asked.body
    if request_type != "RETURN_AND_REFUND" and (
        "shipment_type" in body or "handover_method" in body
    ):
        raise Refusal(BAD_PARAMETER, "shipment_type and handover_method go with RETURN_AND_REFUND")
    if "handover_method" in body and body.get("shipment_type") != "PLATFORM":
        raise Refusal(BAD_PARAMETER, "handover_method goes with shipment_type PLATFORM")


def _judge(world: World, asked: Asked, request_type: str, reason: str) -> tuple[Order, list[Line]]:
    """The order and the lines of a request that may be made."""
    order = eligibility.order_named(world, asked, asked.body["order_id"])
    if code := eligibility.refusal_of(world, order, "SELLER", request_type):
        raise Refusal(code)
    eligibility.check_reason(order, request_type, reason)
    _check_shipment(asked, request_type)
    lines = eligibility.lines_wanted(order, asked.body)
    return order, life.live(order) if lines is None else lines


@once
def create_return(world: World, asked: Asked) -> dict[str, object]:
    """Create Return. Without `refund_total` it is all that can be refunded (25005005 above it)."""
    body = asked.body
    order, lines = _judge(world, asked, body["return_type"], body["return_reason"])
    most = refundable(world, order, lines)
    amount = _amount(order, body.get("refund_total"), body.get("currency"), most)
    refunds = body["return_type"] == "REFUND"
    case = life.new_case(
        world,
        order,
        "return",
        body["return_type"],
        "SELLER",
        body["return_reason"],
        world.clock,
    )
    case.line_ids = tuple(line.line_id for line in lines)
    case.amount = amount
    case.shipment_type = body.get("shipment_type", "")
    case.handover_method = body.get("handover_method", "")
    if refunds and world.settings.refund_after is not None:
        case.refund_at = world.clock + world.settings.refund_after
    life.set_case(world, case, _PENDING if refunds else AWAITING_BUYER, world.clock)
    record(
        world,
        "create_return",
        order.shop_id,
        order_id=order.order_id,
        detail=f"{case.case_type} {money(order, amount)} {order.currency} {case.reason}",
    )
    return {"return_id": case.case_id, "return_status": case.status}


def _amount(order: Order, told: str | None, currency: str | None, most: int) -> int:
    if told is None:
        if currency is not None:
            raise Refusal(BAD_PARAMETER, "currency goes with refund_total")
        amount: int | None = most
    else:
        if currency != order.currency:
            raise Refusal(BAD_PARAMETER, f"currency must be the order's, {order.currency}")
        amount = units_of(order, told)
    if amount is None or amount < 1:
        raise Refusal(BAD_PARAMETER, "refund_total must be an amount above 0 in the currency")
    if amount > most:
        raise Refusal(wire.AMOUNT_TOO_HIGH)
    return amount


def calculate(world: World, asked: Asked) -> dict[str, object]:
    """Calculate Refund: what the request would give back, without making it."""
    body = asked.body
    order, lines = _judge(world, asked, body["request_type"], body["reason_name"])
    total = money(order, refundable(world, order, lines))
    return {
        "order_refund_amount": {
            "currency": order.currency,
            "refund_total": total,
            "refund_subtotal": total,
            "refund_shipping_fee": "0",
            "refund_tax": "0",
        }
    }


def open_by_buyer(world: World, order: Order, return_type: str, reason: str, at: int) -> Case:
    """A buyer asks for money back, a return, or another one."""
    if return_type not in _BUYERS:
        raise StoryError(f"a buyer asks for {' or '.join(_BUYERS)}, not {return_type!r}")
    case = life.new_case(world, order, "return", return_type, "BUYER", reason, at)
    lines = life.live(order)
    case.line_ids = tuple(line.line_id for line in lines)
    case.amount = max(0, refundable(world, order, lines))
    replaces = return_type == "REPLACEMENT"
    life.set_case(world, case, "REPLACEMENT_REQUEST_PENDING" if replaces else _PENDING, at)
    return case


def is_open(case: Case) -> bool:
    """Whether a return can still end in either way."""
    return case.pending or case.status in (AWAITING_BUYER, SENT_BACK)


def send_back(world: World, case: Case, at: int) -> None:
    """The buyer's parcel is on its way to the seller, who decides once it is there."""
    if case.status != AWAITING_BUYER:
        raise StoryError(f"request {case.case_id} ({case.status}) waits for no parcel")
    life.set_case(world, case, SENT_BACK, at)


def pay_out(world: World, case: Case, at: int) -> None:
    """The money of a return goes back; an order refunded in full is COMPLETED.

    Raises `StoryError` for a return that has come to its end.
    """
    if case.kind != "return" or not is_open(case):
        raise StoryError(f"request {case.case_id} ({case.status}) has no refund to come")
    order = world.orders[case.order_id]
    case.refund_at = 0
    if case.case_type == "REPLACEMENT":
        life.set_case(world, case, "REPLACEMENT_REQUEST_REFUND_SUCCESS", at)
    else:
        life.set_case(world, case, "RETURN_OR_REFUND_REQUEST_SUCCESS", at)
        life.set_case(world, case, "RETURN_OR_REFUND_REQUEST_COMPLETE", at)
    announce(world, case.shop_id, REFUND_TOPIC, _told(order, case, at), at)
    if order.status in eligibility.REFUNDABLE and refundable(world, order, life.live(order)) <= 0:
        for line in life.live(order):
            line.status = orders.COMPLETED
        life.become(world, order, orders.COMPLETED, at)


def _told(order: Order, case: Case, at: int) -> dict[str, object]:
    """The data of webhook 67."""
    skus = {line.line_id: line.sku_id for line in order.lines}
    return {
        "aftersales_request_id": case.case_id,
        "line_items": [
            {
                "main_order_id": order.order_id,
                "return_line_item_id": f"{case.case_id}{number:02d}",
                "sku_id": skus[line_id],
                "sku_return_request_id": case.case_id,
            }
            for number, line_id in enumerate(case.line_ids, start=1)
        ],
        "refund_currency": order.currency,
        "refund_status": "REFUND_SUCCESS",
        "refund_timestamp": at,
        "refund_total": money(order, case.amount),
        "rma_id": case.case_id,
    }


def due(world: World, until: int) -> Iterator[tuple[int, Callable[[], None]]]:
    """The refunds that are paid out by themselves up to `until`."""
    for case in world.cases.values():
        if 0 < case.refund_at <= until:
            yield case.refund_at, _when_due(world, case)


def _when_due(world: World, case: Case) -> Callable[[], None]:
    def answer() -> None:
        at, case.refund_at = case.refund_at, 0
        if at and world.orders[case.order_id].status == orders.CANCELLED:
            # The cancellation has given the money back already.
            life.set_case(world, case, "RETURN_OR_REFUND_REQUEST_CANCEL", at)
        elif at:
            pay_out(world, case, at)

    return answer
