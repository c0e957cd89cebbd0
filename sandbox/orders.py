"""Orders, packages and after-sale cases as the marketplace keeps them.

Statuses: Partner Center, "Order API overview" and the field lists of "Get Order Detail" and "Get
Package Detail".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

UNPAID = "UNPAID"
ON_HOLD = "ON_HOLD"
AWAITING_SHIPMENT = "AWAITING_SHIPMENT"
PARTIALLY_SHIPPING = "PARTIALLY_SHIPPING"
AWAITING_COLLECTION = "AWAITING_COLLECTION"
IN_TRANSIT = "IN_TRANSIT"
DELIVERED = "DELIVERED"
COMPLETED = "COMPLETED"
CANCELLED = "CANCELLED"

BY_SELLER = "FULFILLMENT_BY_SELLER"

# Deadlines and other times a story may put on an order; each is left out unless given.
DEADLINES = (
    "rts_sla_time",
    "tts_sla_time",
    "delivery_sla_time",
    "delivery_option_required_delivery_time",
    "shipping_due_time",
    "collection_due_time",
    "delivery_due_time",
    "cancel_order_sla_time",
    "pick_up_cut_off_time",
    "fast_dispatch_sla_time",
    "fast_rts_sla_time",
    "fast_collection_sla_time",
    "recommended_shipping_time",
    "instore_pickup_sla_time",
    "release_date",
)

# A package's status and sub-status for each line status it can carry.
PACKAGE_STATUS: Mapping[str, tuple[str, str]] = {
    UNPAID: ("TO_FULFILL", "CREATED"),
    AWAITING_SHIPMENT: ("TO_FULFILL", "CREATED"),
    AWAITING_COLLECTION: ("PROCESSING", "RTS"),
    IN_TRANSIT: ("FULFILLING", "TTS"),
    DELIVERED: ("COMPLETED", "DELIVERED"),
    COMPLETED: ("COMPLETED", "DELIVERED"),
    CANCELLED: ("CANCELLED", "CANCELLED"),
}


@dataclass(slots=True)
class Line:
    """One unit of an order; `status` is its display status."""

    line_id: str
    sku: str
    sku_id: str
    status: str
    package_id: str = ""
    rts_time: int = 0
    cancelled_by: str = ""
    cancel_reason: str = ""


@dataclass(slots=True)
class Package:
    """A parcel: the lines in it, and how it was handed over once it was."""

    package_id: str
    shop_id: str
    order_ids: list[str]
    line_ids: list[str]
    create_time: int
    update_time: int
    status: str = AWAITING_SHIPMENT
    tag: str = "DEFAULT"
    tracking_number: str = ""
    provider_id: str = ""
    provider_name: str = ""
    handover_method: str = ""
    pickup_slot: tuple[int, int] | None = None
    collected_at: int = 0
    exception: str = ""
    shipped_at: int = 0
    edits: int = 0
    asks: int = 0
    # "" where no invoice is needed, else its status.
    invoice: str = ""
    # What the carrier told: Unix milliseconds, action code, words.
    events: list[tuple[int, int, str]] = field(default_factory=list)


@dataclass(slots=True)
class Order:
    """One order. Times are simulated Unix seconds; 0 means that it has not happened."""

    order_id: str
    shop_id: str
    market: str
    status: str
    create_time: int
    update_time: int
    lines: list[Line]
    user_id: str
    shipping_type: str
    fulfillment_type: str
    delivery_type: str
    delivery_option_id: str
    warehouse_id: str
    currency: str
    price: str
    had_hold: bool = False
    times: dict[str, int] = field(default_factory=dict)
    deadlines: dict[str, int] = field(default_factory=dict)
    extra: dict[str, object] = field(default_factory=dict)
    address: dict[str, object] | None = None
    asks_cancel: bool = False
    cancelled_by: str = ""
    cancel_reason: str = ""
    tag: str = ""
    address_changed: bool = False
    # What the buyer shows when picking the order up in a store.
    pickup_code: str = ""
    needs_invoice: bool = False


@dataclass(slots=True)
class Case:
    """A cancellation or a return of an order."""

    case_id: str
    kind: str
    shop_id: str
    order_id: str
    user_id: str
    case_type: str
    status: str
    role: str
    reason: str
    create_time: int
    update_time: int
    # Until when the seller may answer; 0 where there is nothing to answer.
    deadline: int = 0
    line_ids: tuple[str, ...] = ()
    # In the smallest unit of the order's currency; 0 until it is known.
    amount: int = 0
    shipment_type: str = ""
    handover_method: str = ""
    # When the money of a seller's own refund goes back; 0: not by itself.
    refund_at: int = 0

    @property
    def pending(self) -> bool:
        """Whether it still waits for an answer, which blocks shipping."""
        return self.status.endswith("REQUEST_PENDING")


def status_of(lines: Iterable[Line]) -> str:
    """The order status that follows from its lines once the hold is over."""
    seen = {line.status for line in lines if line.status != CANCELLED}
    if AWAITING_SHIPMENT in seen:
        return PARTIALLY_SHIPPING if len(seen) > 1 else AWAITING_SHIPMENT
    for status in (AWAITING_COLLECTION, IN_TRANSIT, DELIVERED, COMPLETED):
        if status in seen:
            return status
    return CANCELLED


def price_units(order: Order) -> int:
    """The price of one line in the smallest unit the order's price is written in."""
    return int(order.price.replace(".", ""))


def money(order: Order, units: int) -> str:
    """Smallest units as the API writes an amount: a string with the currency's decimals."""
    decimals = len(order.price.partition(".")[2])
    if not decimals:
        return str(units)
    return f"{units // 10**decimals}.{units % 10**decimals:0{decimals}d}"


def units_of(order: Order, amount: str) -> int | None:
    """A written amount in smallest units; None when it is not one of this currency."""
    decimals = len(order.price.partition(".")[2])
    match = re.fullmatch(r"([0-9]{1,12})(?:\.([0-9]{1,4}))?", amount)
    if match is None or len(match[2] or "") > decimals:
        return None
    return int(match[1] + (match[2] or "").ljust(decimals, "0"))
