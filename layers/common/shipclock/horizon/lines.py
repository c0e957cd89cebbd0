"""What a clock that still runs means to a seller: which kind of line it is, what stops it, and what
to do in time. Pure.

A rule's own `explain` speaks of what was missed; these are the words for before.
"""

from enum import StrEnum

from shipclock.domain.clock import Clock
from shipclock.domain.fields import FIELDS
from shipclock.domain.order import (
    AWAITING_COLLECTION,
    DELIVERED,
    IN_TRANSIT,
    ON_HOLD,
    TIKTOK,
    UNPAID,
    Order,
)
from shipclock.rules import (
    Ticking,
    buyer_cancel_request,
    collected_to_shipped,
    deadlines,
    delivery_period,
    marketplace_fields,
    not_acknowledged,
    parcel_silent,
    status_update,
    untracked,
)
from shipclock.rules.policy import Deadline, Policy
from shipclock.rules.rule import Rule


class Line(StrEnum):
    """What happens as a line is passed.

    `HARD`: the marketplace cancels, or answers in the seller's stead. `METRIC`: it counts against
    the shop's figures. `DEEMED`: the parcel is deemed lost or delayed. `ALERT`: a person is told.
    """

    HARD = "hard"
    METRIC = "metric"
    DEEMED = "deemed"
    ALERT = "alert"


CANCELS = frozenset({untracked.NAME, buyer_cancel_request.NAME})
"""Rules of a pack or a request at whose end the marketplace cancels, beside its own hard lines."""

COUNTS = frozenset(
    {
        marketplace_fields.NAME,
        status_update.NAME,
        collected_to_shipped.NAME,
        deadlines.RULE.name,
    }
)
"""Rules whose lines count against the shop, where they are no hard ones."""

AIMS = {
    **FIELDS,
    status_update.NAME: AWAITING_COLLECTION,
    untracked.NAME: IN_TRANSIT,
    collected_to_shipped.NAME: IN_TRANSIT,
    not_acknowledged.NAME: DELIVERED,
    parcel_silent.NAME: DELIVERED,
    delivery_period.NAME: DELIVERED,
}
"""The status to which each clock wants an order to come, by the clock's name."""

ENDS = {
    "ready_to_ship": AWAITING_COLLECTION,
    "in_transit": IN_TRANSIT,
    "first_scan": IN_TRANSIT,
    "delivered": DELIVERED,
}
"""The same of what a pack's own deadlines are stopped by."""


def line_of(clock: Clock, rule: Rule) -> Line:
    """Which kind of line a rule's clock is."""
    if clock.hard or rule.name in CANCELS:
        return Line.HARD
    if rule.name in COUNTS:
        return Line.METRIC
    return Line.DEEMED if rule.deems else Line.ALERT


def stops(tick: Ticking, policy: Policy) -> str:
    """What stops a clock, in words."""
    deadline = _deadline(tick, policy)
    if deadline:
        return deadlines.WORDS[deadline.stops]
    target = FIELDS.get(tick.clock.name)
    if target:
        return f"the marketplace shows {target}{'' if target == DELIVERED else ' or beyond'}"
    return tick.rule.about.stops


def _deadline(tick: Ticking, policy: Policy) -> Deadline | None:
    """The pack's deadline that a clock is of, where it is of one."""
    own = tick.rule.name in (deadlines.RULE.name, deadlines.DEEMING.name)
    return policy.pack.deadlines.get(tick.clock.name) if own else None


def to_do(order: Order, tick: Ticking, policy: Policy) -> str:
    """What a seller does so that a running clock is stopped in time."""
    name, deadline = tick.clock.name, _deadline(tick, policy)
    if name == buyer_cancel_request.NAME:
        return ANSWER
    if order.cancel_open and name != parcel_silent.NAME:
        return f"The buyer asks to cancel. {ANSWER}"
    target = ENDS[deadline.stops] if deadline else AIMS.get(name)
    if target == AWAITING_COLLECTION:
        return _ship(order)
    if target == IN_TRANSIT:
        return _hand_over(order)
    if target == DELIVERED:
        return _deliver(order, tick.clock)
    return f"See order {order.order_id} in the hub: it says what this clock waits for."


ANSWER = (
    "Accept the buyer's wish, or reject it if the parcel has left, in Seller Center or with "
    "`shipclock ask`; unanswered, the marketplace says yes."
)


def _ship(order: Order) -> str:
    """How an order comes to be shown as shipped, from where it stands."""
    if order.status == UNPAID:
        return "The buyer has not paid yet, so there is nothing to ship: ask the buyer."
    if order.status == ON_HOLD:
        return "It can't be shipped before the marketplace ends its hold; have it ready by then."
    if order.facts and order.facts.shipping_type == TIKTOK:
        return "Arrange its shipment in Seller Center: pickup or drop-off, and print the label."
    numbers = [package.tracking_number for package in order.packages if package.tracking_number]
    if not numbers:
        return (
            "Hand the parcel over, and have the carrier or 3PL report its number with the order "
            "id, or enter the number in Seller Center."
        )
    if order.first_scan is None:
        return f"Hand the parcel over and see that the carrier scans {', '.join(numbers)}."
    return (
        "The carrier has the parcel. See the order's pushes for what the marketplace answered, "
        "and mark it shipped in Seller Center if they stand still."
    )


def _hand_over(order: Order) -> str:
    """How a parcel comes to be shown on its way."""
    if order.status != AWAITING_COLLECTION:
        return _ship(order)
    if order.first_scan is None:
        return "Hand the parcel over and see that the carrier scans it."
    return (
        "The carrier has the parcel and the marketplace does not show it: check its number and "
        "carrier in Seller Center, and open a ticket with the carrier's receipt."
    )


def _deliver(order: Order, clock: Clock) -> str:
    """How a parcel comes to be delivered in time."""
    parcels = [p for p in order.parcels if clock.number in ("", p.number)]
    if order.status != IN_TRANSIT and not any(parcel.first_scan for parcel in parcels):
        return _hand_over(order)
    named = ", ".join(parcel.written for parcel in parcels) or "the parcel"
    carrier = next((parcel.carrier for parcel in parcels if parcel.carrier), "the carrier")
    return (
        f"Ask {carrier} where {named} is and when it will be delivered; tell the buyer if that "
        "is too late."
    )
