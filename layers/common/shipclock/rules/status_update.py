"""The order's status must have moved on in time after it was placed (the guide: 120 hours)."""

from shipclock.domain.clock import Clock
from shipclock.domain.order import AWAITING_COLLECTION, ON_HOLD, TIKTOK, UNPAID, Order
from shipclock.domain.stops import reached
from shipclock.domain.times import EPOCH, local
from shipclock.rules import incidents
from shipclock.rules.names import LENGTH
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "status_update"
NEEDS = (LENGTH,)
REPLACED_BY = "shipping_due_time"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock from the order's start; the marketplace's own line replaces it."""
    clause, starts_at = policy.clause(NAME), order.starts_at
    if clause is None or starts_at is None or order.facts is None:
        return ()
    replaced = REPLACED_BY in order.facts.deadlines
    return (
        Clock(
            name=NAME,
            due_at=incidents.due(order, policy, NAME, clause, starts_at),
            set_by=REPLACED_BY if replaced else policy.set_by(NAME),
            clause=clause.clause,
            starts_at=starts_at,
            stop=reached(order, AWAITING_COLLECTION),
            void_at=EPOCH if replaced else None,
        ),
    )


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Names what the ship push still lacks."""
    return (
        f"The order was not marked shipped by {local(clock.due_at, policy.zone)}; the marketplace "
        f"still shows {order.status}, counts it as late and may cancel it. {_lacking(order)}"
    )


def _lacking(order: Order) -> str:
    if order.status in NOT_YET:
        return NOT_YET[order.status]
    if order.facts and order.facts.shipping_type == TIKTOK:
        return (
            "Arrange its shipment in Seller Center: choose pickup or drop-off, and print the label."
        )
    numbers = [p.tracking_number for p in order.packages if p.tracking_number]
    if order.cancel_open:
        return "The buyer asks to cancel. Answer the request in Seller Center first."
    if not numbers:
        return (
            "No tracking number is known. Hand the parcel over and have the carrier or 3PL "
            "report it with the order id, or enter the number in Seller Center."
        )
    if order.first_scan is None:
        return f"The carrier has not scanned {', '.join(numbers)} yet. Ask where the parcel is."
    return (
        "The parcel is with the carrier. See the order's pushes for what the marketplace "
        "answered, and mark it shipped in Seller Center if they stand still."
    )


NOT_YET = {
    UNPAID: "The buyer has not paid yet, so there is nothing to ship: ask the buyer, or let it go.",
    ON_HOLD: "It can't be shipped before the marketplace ends its hold; have it ready by then.",
}


RULE = Rule(
    NAME,
    About(
        orders="all",
        starts="the order is placed; a pre-order is released",
        due="{length} later",
        stops="the marketplace shows a status beyond AWAITING_SHIPMENT and PARTIALLY_SHIPPING",
        then="alert that says what the ship push still lacks. "
        f"`{REPLACED_BY}` on the order replaces this clock",
    ),
    clocks,
    explain,
)
