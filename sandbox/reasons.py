"""The names of reasons, by state and market.

Partner Center, "Return API Overview" (seller cancel reasons) and the change of 2025-08-31 that took
"cannot deliver to the address" away in South-East Asia. UK names end in `_uk`. The pages print two
reject reasons of a cancellation and one of a return; the seller's refund and return reasons they do
not print at all, so those here are made up: a client takes them from the eligibility call.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox import orders
from sandbox.orders import Case, Order

_BY_BUYER = frozenset({"US", "PH", "MX"})
_NO_ADDRESS = frozenset({"US", "UK", "MX"})
_NO_PRICE = frozenset({"MX"})

OUT_OF_STOCK = "seller_cancel_reason_out_of_stock"

_UNPAID = (
    "seller_cancel_unpaid_reason_out_of_stock",
    "seller_cancel_unpaid_reason_wrong_price",
    "seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed",
    "seller_cancel_unpaid_reason_buyer_requested_cancellation",
)
_PAID = (
    OUT_OF_STOCK,
    "seller_cancel_reason_wrong_price",
    "seller_cancel_paid_reason_buyer_requested_cancellation",
    "seller_cancel_paid_reason_address_not_deliver",
)
# The role that asks and what it asks for, where the list does not depend on the state.
_OTHER: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("BUYER", "CANCEL"): ("ecom_order_to_ship_canceled_reason_no_longer_needed",),
    ("BUYER", "REFUND"): ("ecom_order_refund_reason_not_received",),
    ("BUYER", "RETURN_AND_REFUND"): ("ecom_order_return_reason_damaged",),
    ("SELLER", "REFUND"): (
        "seller_refund_reason_package_lost",
        "seller_refund_reason_package_damaged",
        "seller_refund_reason_agreed_with_buyer",
    ),
    ("SELLER", "RETURN_AND_REFUND"): (
        "seller_return_reason_wrong_item",
        "seller_return_reason_agreed_with_buyer",
    ),
}
_REJECT: Mapping[str, Mapping[str, str]] = {
    "cancellation": {
        "seller_reject_apply_product_has_been_packed": "The product has been packed",
        "seller_reject_apply_you_have_reached_an_agreement_with_the_buyer": (
            "You have reached an agreement with the buyer"
        ),
    },
    "return": {
        "seller_reject_apply_you_have_reached_an_agreement_with_the_buyer": (
            "You have reached an agreement with the buyer"
        ),
        "seller_reject_apply_package_has_not_exceeded_estimated_delivery_time": (
            "The package can still arrive in time"
        ),
    },
}


def _in(market: str, name: str) -> bool:
    if name.endswith("_wrong_price"):
        return market not in _NO_PRICE
    if name.endswith("_buyer_requested_cancellation"):
        return market in _BY_BUYER
    if name.endswith("_address_not_deliver"):
        return market in _NO_ADDRESS
    return True


def _spelt(market: str, name: str) -> str:
    return f"{name}_uk" if market == "UK" else name


def available(order: Order, user: str, request_type: str) -> list[str]:
    """The names this order takes now, for what this user asks."""
    if (user, request_type) != ("SELLER", "CANCEL"):
        return list(_OTHER[user, request_type])
    table = _UNPAID if order.status == orders.UNPAID else _PAID
    return [_spelt(order.market, name) for name in table if _in(order.market, name)]


def is_known(name: str) -> bool:
    """Whether it is a seller's reason anywhere, in any state."""
    every = {*_UNPAID, *_PAID}
    for (user, _), names in _OTHER.items():
        every |= set(names) if user == "SELLER" else set()
    return name.removesuffix("_uk") in every


def is_out_of_stock(name: str) -> bool:
    """Whether it says that something paid for is not there."""
    return name.removesuffix("_uk") == OUT_OF_STOCK


def reject_reasons(case: Case) -> list[dict[str, object]]:
    """The names a seller may reject a request with, and their words."""
    return [{"name": name, "text": text} for name, text in _REJECT[case.kind].items()]
