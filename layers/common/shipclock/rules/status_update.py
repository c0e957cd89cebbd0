"""The order's status must have moved on in time after it was placed (the guide: 120 hours)."""

from shipclock.domain.clock import Clock, Stop
from shipclock.domain.order import AWAITING_COLLECTION, Order
from shipclock.domain.times import EPOCH
from shipclock.rules.policy import Policy

NAME = "status_update"
REPLACED_BY = "shipping_due_time"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock from the order's start; the marketplace's own line replaces it."""
    clause, starts_at = policy.clause(NAME), order.starts_at
    if clause is None or starts_at is None or order.facts is None:
        return ()
    reached = order.reached_at(AWAITING_COLLECTION)
    replaced = REPLACED_BY in order.facts.deadlines
    return (
        Clock(
            name=NAME,
            due_at=starts_at + clause.period,
            set_by=REPLACED_BY if replaced else policy.set_by(NAME),
            clause=clause.clause,
            starts_at=starts_at,
            stop=Stop(reached) if reached else None,
            void_at=EPOCH if replaced else None,
        ),
    )


def explain(order: Order, clock: Clock) -> str:
    """What the missed clock means and what to do, naming what the ship push still lacks."""
    numbers = [p.tracking_number for p in order.packages if p.tracking_number]
    if not numbers:
        lacking = "No tracking number is known. Hand the parcel over and have the carrier or 3PL "
        lacking += "report it with the order id, or enter the number in Seller Center."
    elif order.first_scan is None:
        lacking = f"The carrier has not scanned {', '.join(numbers)} yet. Ask where the parcel is."
    elif order.cancel_open:
        lacking = "The buyer asks to cancel. Answer the request in Seller Center first."
    else:
        lacking = "The parcel is with the carrier. See the order's pushes for what the "
        lacking += "marketplace answered, and mark it shipped in Seller Center if they stand still."
    return f"The marketplace still shows {order.status}. {lacking}"
