"""The instants at which the marketplace itself cancels an order.

Partner Center, "Get Order Detail": `shipping_due_time`, `collection_due_time` and
`delivery_due_time` name the status to be reached by then, else TikTok cancels. The deprecated
`cancel_order_sla_time` counts only on an order with none of the three; the one live sample known
had it equal to `collection_due_time`, so the same status stops it. The fifteen days without a
tracking update are the sandbox's own rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox import life, orders
from sandbox.orders import Order
from sandbox.world import World

_TIMEOUT = "system_cancel_order_reason_shipping_timeout"

_SHIPPED = frozenset(
    {orders.AWAITING_COLLECTION, orders.IN_TRANSIT, orders.DELIVERED, orders.COMPLETED}
)
_COLLECTED = _SHIPPED - {orders.AWAITING_COLLECTION}
_DELIVERED = _COLLECTED - {orders.IN_TRANSIT}

# Field, the statuses that stop it, the reason given when nothing did.
HARD_LINES: tuple[tuple[str, frozenset[str], str], ...] = (
    ("shipping_due_time", _SHIPPED, _TIMEOUT),
    ("collection_due_time", _COLLECTED, _TIMEOUT),
    ("delivery_due_time", _DELIVERED, "threepl_breach"),
)
LEGACY_LINE = ("cancel_order_sla_time", _COLLECTED, _TIMEOUT)

# Where a delivery that is long overdue has a name of its own.
_OVERDUE_MARKETS = frozenset({"US", "MX"})
_OVERDUE = "system_cancel_order_exceed_edt_not_arrive"

_EXEMPT_SHIPPING = "TIKTOK_DIGITAL"


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One instant at which an order is cancelled if nothing stops it."""

    at: int
    order_id: str
    field: str
    reason: str


def _in_words_of(market: str, field: str, reason: str) -> str:
    if field == "delivery_due_time" and market in _OVERDUE_MARKETS:
        return _OVERDUE
    return f"{reason}_uk" if market == "UK" and reason.startswith("system_") else reason


def lines_of(world: World, order: Order) -> Iterator[Line]:
    """The lines that still threaten an order, in no particular order."""
    if order.status in _DELIVERED or order.status == orders.CANCELLED:
        return
    if order.fulfillment_type != orders.BY_SELLER or order.shipping_type == _EXEMPT_SHIPPING:
        return
    table = HARD_LINES
    if not any(order.deadlines.get(field) for field, _, _ in HARD_LINES):
        table = (LEGACY_LINE,)
    for field, stopped_by, reason in table:
        at = order.deadlines.get(field, 0)
        if at and order.status not in stopped_by:
            yield Line(at, order.order_id, field, _in_words_of(order.market, field, reason))
    if world.untracked_after is not None and order.status not in _COLLECTED:
        at = order.create_time + world.untracked_after
        if not life.has_scan(world, order):
            reason = _in_words_of(order.market, "untracked", life.UNTRACKED)
            yield Line(at, order.order_id, "untracked", reason)


def due(world: World, until: int) -> list[Line]:
    """Every line at or before `until`, earliest first."""
    return sorted(
        line
        for order in world.orders.values()
        for line in lines_of(world, order)
        if line.at <= until
    )


def fire(world: World, line: Line) -> None:
    """Cancel the order at the line's own instant, unless something stopped it meanwhile.

    An order put in with a line already behind its last change is cancelled at that change: times
    on an order never run backwards.
    """
    order = world.orders[line.order_id]
    if line in lines_of(world, order):
        life.cancel(world, order, line.reason, "SYSTEM", max(line.at, order.update_time))
