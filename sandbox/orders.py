"""Orders, packages and after-sale cases as the marketplace keeps them, and how they look as JSON.

Statuses and fields: Partner Center, "Order API overview" and the field lists of "Get Order Detail"
and "Get Package Detail".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sandbox.address import recipient
from sandbox.markets import TIKTOK

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


def _line_json(order: Order, line: Line, package: Package | None) -> dict[str, object]:
    shown: dict[str, object] = {
        "id": line.line_id,
        "sku_id": line.sku_id,
        "product_id": f"{line.sku_id[:-1]}1",
        "product_name": f"Synthetic {line.sku.partition('-')[0].lower()}",
        "sku_name": line.sku.partition("-")[2].title() or "Default",
        "seller_sku": line.sku,
        "original_price": order.price,
        "sale_price": order.price,
        "platform_discount": "0",
        "seller_discount": "0",
        "currency": order.currency,
        "display_status": line.status,
        "sku_type": "NORMAL",
        "is_gift": False,
        "is_dangerous_good": False,
        "tracking_number": package.tracking_number if package else "",
    }
    if package:
        shown["package_id"] = package.package_id
        shown["package_status"] = PACKAGE_STATUS[package.status][0]
        if package.provider_name:
            shown["shipping_provider_id"] = package.provider_id
            shown["shipping_provider_name"] = package.provider_name
    if line.rts_time:
        shown["rts_time"] = line.rts_time
    if line.status == CANCELLED:
        shown |= {
            "cancel_user": line.cancelled_by or order.cancelled_by,
            "cancel_reason": line.cancel_reason or order.cancel_reason,
        }
    return shown


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


def _money(order: Order) -> dict[str, object]:
    total = money(order, price_units(order) * len(order.lines))
    return {
        "currency": order.currency,
        "sub_total": total,
        "shipping_fee": "0",
        "total_amount": total,
        "original_total_product_price": total,
    }


def order_json(order: Order, packages: Mapping[str, Package]) -> dict[str, object]:
    """One row of Get Order Detail and Get Order List."""
    own = [packages[i] for i in dict.fromkeys(x.package_id for x in order.lines) if i]
    shown: dict[str, object] = {
        "id": order.order_id,
        "user_id": order.user_id,
        "status": order.status,
        "order_type": "NORMAL",
        "fulfillment_type": order.fulfillment_type,
        "shipping_type": order.shipping_type,
        "delivery_type": order.delivery_type,
        "delivery_option_id": order.delivery_option_id,
        "delivery_option_name": "Standard shipping",
        "warehouse_id": order.warehouse_id,
        "create_time": order.create_time,
        "update_time": order.update_time,
        **order.times,
        **order.deadlines,
        "is_on_hold_order": order.had_hold,
        "is_buyer_request_cancel": order.asks_cancel,
        "is_cod": False,
        "is_sample_order": False,
        "is_replacement_order": False,
        "is_exchange_order": False,
        "has_updated_recipient_address": order.address_changed,
        "buyer_email": "" if order.status == ON_HOLD else "buyer@chat.example",
        "buyer_message": "",
        "payment_method_name": "Credit card",
        "payment": _money(order),
        "recipient_address": order_address(order),
        "line_items": [_line_json(order, x, packages.get(x.package_id)) for x in order.lines],
        "packages": [{"id": package.package_id} for package in own],
    }
    numbered = [package for package in own if package.tracking_number]
    if numbered:
        shown |= {
            "tracking_number": numbered[0].tracking_number,
            "shipping_provider": numbered[0].provider_name,
            "shipping_provider_id": numbered[0].provider_id,
        }
    if order.needs_invoice:
        shown["need_upload_invoice"] = "NEED_INVOICE"
    if order.tag:
        shown["split_or_combine_tag"] = order.tag
    if order.status == CANCELLED:
        shown |= {
            "cancellation_initiator": order.cancelled_by,
            "cancel_reason": order.cancel_reason,
        }
    return shown | order.extra


def order_address(order: Order) -> dict[str, object]:
    """Empty on hold, masked when TikTok ships or stores, else in full."""
    hidden = order.shipping_type == TIKTOK or order.fulfillment_type != BY_SELLER
    return recipient(order.market, order.address, empty=order.status == ON_HOLD, masked=hidden)


ORDER_ONLY_ADDRESS = ("first_name", "last_name", "district_info", "delivery_preferences")
"""What an order's address has and a package's has not."""


def package_json(package: Package, order: Order) -> dict[str, object]:
    """The data of Get Package Detail. The pairing of the two statuses is this sandbox's own."""
    status, sub_status = PACKAGE_STATUS[package.status]
    shown: dict[str, object] = {
        "package_id": package.package_id,
        "orders": [{"id": order_id} for order_id in package.order_ids],
        "package_status": status,
        "package_sub_status": sub_status,
        "split_and_combine_tag": package.tag,
        "has_multi_skus": len({line.sku_id for line in order.lines}) > 1,
        "note_tag": "BUYER_UNNOTED",
        "shipping_type": order.shipping_type,
        "delivery_option_name": "Standard shipping",
        "delivery_option_id": order.delivery_option_id,
        "tracking_number": package.tracking_number,
        "create_time": package.create_time,
        "update_time": package.update_time,
        "order_line_item_ids": list(package.line_ids),
        "recipient_address": {
            name: value
            for name, value in order_address(order).items()
            if name not in ORDER_ONLY_ADDRESS
        },
        "weight": {"value": "500", "unit": "GRAM"},
        "dimension": {"length": "10", "width": "10", "height": "12", "unit": "CM"},
        "warehouse_id": order.warehouse_id,
    }
    if package.provider_name:
        shown["shipping_provider_id"] = package.provider_id
        shown["shipping_provider_name"] = package.provider_name
    if package.handover_method:
        shown["handover_method"] = package.handover_method
    if package.pickup_slot:
        begins, ends = package.pickup_slot
        shown["pickup_slot"] = {"start_time": begins, "end_time": ends}
    if package.exception:
        shown |= {
            "package_sub_status": "SHIP_EXCEPTION",
            "ship_exception_reason": package.exception,
        }
    return shown
