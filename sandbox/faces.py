"""How orders and packages look as JSON.

Fields: Partner Center, the field lists of "Get Order Detail", "Get Package Detail" and "Search
Package".
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.address import recipient
from sandbox.markets import TIKTOK
from sandbox.orders import (
    BY_SELLER,
    CANCELLED,
    ON_HOLD,
    PACKAGE_STATUS,
    Line,
    Order,
    Package,
    money,
    price_units,
)


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


def package_row(package: Package) -> dict[str, object]:
    """One row of Search Package."""
    return {
        "id": package.package_id,
        "orders": [{"id": order_id} for order_id in package.order_ids],
        "create_time": package.create_time,
        "update_time": package.update_time,
        "status": PACKAGE_STATUS[package.status][0],
        "tracking_number": package.tracking_number,
        "shipping_provider_name": package.provider_name,
        "shipping_provider_id": package.provider_id,
        "order_line_item_ids": list(package.line_ids),
    }


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
