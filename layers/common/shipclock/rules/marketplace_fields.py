"""The order's own deadline fields, each a clock under the field's name (`tiktok-shop.md` 4.3).

Hard lines are those at which the marketplace itself cancels; metric lines count against the shop.
Incentives (`fast_*`) and advice (`recommended_shipping_time`) are shown with the order and are no
clocks.
"""

from shipclock.domain.clock import Clock, Stop
from shipclock.domain.order import AWAITING_COLLECTION, DELIVERED, IN_TRANSIT, Order
from shipclock.rules.policy import Policy

NAME = "marketplace_fields"

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


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock for each deadline field that the order carries."""
    if order.facts is None:
        return ()
    given = order.facts.deadlines
    hard = HARD if any(name in given for name in HARD) else LEGACY
    found = []
    for fields, is_hard in ((hard, True), (METRIC, False)):
        for name, status in fields.items():
            due_at = given.get(name)
            if due_at is not None:
                reached = order.reached_at(status)
                found.append(
                    Clock(
                        name=name,
                        due_at=due_at,
                        set_by=name,
                        clause=f"the order's own field {name}",
                        starts_at=order.facts.create_time,
                        stop=Stop(reached) if reached else None,
                        hard=is_hard,
                    )
                )
    return tuple(found)


def explain(order: Order, clock: Clock) -> str:
    """What the missed field means and what to do."""
    target = {**HARD, **METRIC, **LEGACY}[clock.name]
    if clock.hard:
        return (
            f"The order did not reach {target} and still shows {order.status}: the marketplace "
            "cancels it. If the parcel is on its way, open a ticket in Seller Center with the "
            "carrier's proof now."
        )
    return (
        f"The order did not reach {target} in time and counts against the shop's figures. "
        "Nothing is cancelled by this line; move the order on as soon as you can."
    )
