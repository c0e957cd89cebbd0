"""Whose fault a cancellation is, by TikTok Shop's words for who cancelled and why.

The reasons are those of `tiktok-shop.md` 5.5. Whose fault each one is, TikTok publishes in outline
only (Seller University, "Seller-Fault Cancellation Rate", US and VN 2025): a seller's own
cancellations for want of stock or a wrong price, and automatic ones because the parcel was not
prepared or handed over in time. What it leaves open stands here as `UNCLEAR`.
"""

from shipclock.domain.fault import Fault

FAULTS = {
    "seller_cancel_reason_out_of_stock": Fault.SELLER,
    "seller_cancel_reason_wrong_price": Fault.SELLER,
    "seller_cancel_unpaid_reason_out_of_stock": Fault.SELLER,
    "seller_cancel_unpaid_reason_wrong_price": Fault.SELLER,
    "seller_cancel_paid_reason_address_not_deliver": Fault.UNCLEAR,
    "seller_cancel_paid_reason_buyer_requested_cancellation": Fault.BUYER,
    "seller_cancel_unpaid_reason_buyer_requested_cancellation": Fault.BUYER,
    "seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed": Fault.BUYER,
    "system_cancel_order_reason_shipping_timeout": Fault.LATE,
    "system_cancel_order_untracked": Fault.LATE,
    "system_cancel_order_exceed_edt_not_arrive": Fault.UNCLEAR,
    "system_cancel_unpaid_time_out": Fault.BUYER,
    "system_cancel_add_address_overtime": Fault.BUYER,
    "ecom_order_unpaid_canceled_reason_not_want_pay": Fault.BUYER,
    "returned_to_shipper_refused": Fault.BUYER,
    "returned_to_shipper_other": Fault.UNCLEAR,
    "threepl_breach": Fault.OTHERS,
    "package_lost": Fault.OTHERS,
    "package_damaged": Fault.OTHERS,
    "package_scrap": Fault.OTHERS,
    "package_cancel": Fault.UNCLEAR,
    "platform_cancel": Fault.OTHERS,
    "system_cancel_anti_span_block": Fault.OTHERS,
    "operator_cancel_risk_control_block": Fault.OTHERS,
    "system_cancel_order_reason_potential_fraud": Fault.OTHERS,
    "system_cancel_order_reason_experience_related": Fault.UNCLEAR,
    "system_cancel_order_reason_nrr_related": Fault.UNCLEAR,
    "ecom_cb_sc_out_return": Fault.OTHERS,
}
"""By the reason; the UK's bear `_uk` at their end."""

BY = {"BUYER": Fault.BUYER, "SELLER": Fault.SELLER}
"""By who cancelled, where the reason is not among the above: buyers' reasons are many."""


def fault_of(by: str, reason: str) -> Fault:
    """Whose fault a cancellation is, by the marketplace's words for who and why."""
    known = FAULTS.get(reason.removesuffix("_uk"))
    return known or BY.get(by.upper(), Fault.UNCLEAR)
