"""The order's own deadline fields, by their names on the wire (`tiktok-shop.md` 4.3).

At hard lines the marketplace itself cancels; metric lines count against the shop. Each with the
status that stops it. Incentives (`fast_*`) and advice (`recommended_shipping_time`) are none.
"""

from collections.abc import Collection

from shipclock.domain.order import AWAITING_COLLECTION, DELIVERED, IN_TRANSIT

HARD = {
    "shipping_due_time": AWAITING_COLLECTION,
    "collection_due_time": IN_TRANSIT,
    "delivery_due_time": DELIVERED,
}
METRIC = {
    "rts_sla_time": AWAITING_COLLECTION,
    "tts_sla_time": IN_TRANSIT,
    "pick_up_cut_off_time": IN_TRANSIT,
    "delivery_sla_time": DELIVERED,
    "delivery_option_required_delivery_time": DELIVERED,
    "instore_pickup_sla_time": DELIVERED,
}
LEGACY = {"cancel_order_sla_time": IN_TRANSIT}
"""Counts only when all three hard lines are absent; a live answer showed it equal to
`collection_due_time`, so IN_TRANSIT stops it (inferred)."""

FIELDS = {**HARD, **METRIC, **LEGACY}
"""All of them."""


def counts(name: str, given: Collection[str]) -> bool:
    """Whether a field is a deadline of an order that carries these."""
    return name in given and not (name in LEGACY and any(hard in given for hard in HARD))
