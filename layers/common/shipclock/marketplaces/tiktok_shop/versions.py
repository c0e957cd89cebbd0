"""Every endpoint we call and its version (`tiktok-shop.md` 1.2 and 5): the one home of both.

The newest version known in October 2026. A retired one answers 36009014; it is then changed here
and nowhere else. The token endpoints have no version and are not in the table.
"""

from collections.abc import Mapping

from shipclock.reading import Unreadable, identifier

ENDPOINTS: Mapping[str, tuple[str, str]] = {
    "reread": ("202507", "/order/{version}/orders"),
    "search_orders": ("202309", "/order/{version}/orders/search"),
    "package": ("202309", "/fulfillment/{version}/packages/{package_id}"),
    "handover": ("202309", "/fulfillment/{version}/packages/{package_id}/handover_time_slots"),
    "ship_package": ("202309", "/fulfillment/{version}/packages/{package_id}/ship"),
    "ship_packages": ("202309", "/fulfillment/{version}/packages/ship"),
    "mark_package_as_shipped": ("202610", "/fulfillment/{version}/orders/{order_id}/packages"),
    "create_package": ("202512", "/fulfillment/{version}/packages"),
    "shipping_services": (
        "202309",
        "/fulfillment/{version}/orders/{order_id}/shipping_services/query",
    ),
    "shipping_document": (
        "202309",
        "/fulfillment/{version}/packages/{package_id}/shipping_documents",
    ),
    "update_order_shipping": (
        "202309",
        "/fulfillment/{version}/orders/{order_id}/shipping_info/update",
    ),
    "update_package_shipping": (
        "202610",
        "/fulfillment/{version}/packages/{package_id}/shipping_info/update",
    ),
    "deliver": ("202309", "/fulfillment/{version}/packages/deliver"),
    "upload_image": ("202309", "/fulfillment/{version}/images/upload"),
    "upload_file": ("202309", "/fulfillment/{version}/files/upload"),
    "track": ("202609", "/fulfillment/{version}/order/sof/track/update"),
    "providers": (
        "202309",
        "/logistics/{version}/delivery_options/{delivery_option_id}/shipping_providers",
    ),
    "eligibility": ("202602", "/return_refund/{version}/orders/{order_id}/aftersale_eligibility"),
    "cancel": ("202602", "/return_refund/{version}/cancellations"),
    "search_cancellations": ("202602", "/return_refund/{version}/cancellations/search"),
    "approve_cancellation": (
        "202309",
        "/return_refund/{version}/cancellations/{cancel_id}/approve",
    ),
    "reject_cancellation": ("202309", "/return_refund/{version}/cancellations/{cancel_id}/reject"),
    "reject_reasons": ("202309", "/return_refund/{version}/reject_reasons"),
    "calculate_refund": ("202602", "/return_refund/{version}/refunds/calculate"),
    "create_return": ("202602", "/return_refund/{version}/returns"),
    "search_returns": ("202602", "/return_refund/{version}/returns/search"),
    "search_aftersales": ("202603", "/return_refund/{version}/aftersales/search"),
    "search_rma": ("202604", "/return_refund/{version}/rma/search"),
    "conversation": ("202309", "/customer_service/{version}/conversations"),
    "message": ("202606", "/customer_service/{version}/conversations/{conversation_id}/messages"),
    "search_inventory": ("202309", "/product/{version}/inventory/search"),
    "update_inventory": ("202309", "/product/{version}/products/{product_id}/inventory/update"),
}
"""Call name to version and path."""

MARK_BEFORE = "202309"
"""The version of Mark Package As Shipped whose body is another one, and which may still answer."""


def path(name: str, version: str = "", **ids: str) -> str:
    """The path of a call, of its newest version unless told otherwise.

    Raises ValueError for an id that could be more than one segment of a path.
    """
    newest, template = ENDPOINTS[name]
    return template.format(
        version=version or newest, **{key: segment(found, key) for key, found in ids.items()}
    )


def segment(found: str, key: str) -> str:
    """An id that may stand in a path or in a comma-joined list. Raises ValueError for others."""
    try:
        return identifier(found, key)
    except Unreadable as error:
        raise ValueError(str(error)) from error
