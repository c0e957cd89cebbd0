"""The order's own deadline fields, each a clock under the field's name (`tiktok-shop.md` 4.3).

Hard lines are those at which the marketplace itself cancels; metric lines count against the shop.
Incentives (`fast_*`) and advice (`recommended_shipping_time`) are shown with the order and are no
clocks.
"""

from shipclock.domain.clock import Ask, Clock
from shipclock.domain.fields import FIELDS, HARD, LEGACY, METRIC, counts
from shipclock.domain.order import Order
from shipclock.domain.stops import reached
from shipclock.domain.times import local
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "marketplace_fields"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock for each deadline field that the order carries."""
    if order.facts is None:
        return ()
    given, starts_at = order.facts.deadlines, order.facts.create_time
    return tuple(
        Clock(
            name=name,
            due_at=given[name],
            set_by=name,
            clause=f"the order's own field {name}",
            starts_at=starts_at,
            stop=reached(order, status),
            ask=Ask.NEVER if name in METRIC else Ask.AROUND,
        )
        for name, status in FIELDS.items()
        if counts(name, given)
    )


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """What the missed field means and what to do."""
    target = FIELDS[clock.name]
    by = local(clock.due_at, policy.zone)
    if clock.hard:
        return (
            f"The order did not reach {target} by {by} and still shows {order.status}: the "
            "marketplace cancels it now. If the parcel is on its way, open a ticket in Seller "
            "Center with the carrier's proof at once."
        )
    return (
        f"The order did not reach {target} by {by} and counts against the shop's figures. "
        "Nothing is cancelled by this line; move the order on as soon as you can."
    )


RULE = Rule(
    NAME,
    About(
        orders="all that carry the field; each clock bears the field's name",
        starts="the order is placed",
        due=", ".join(f"`{name}`" for name in (*HARD, *METRIC))
        + "; where the first three are absent, `cancel_order_sla_time`",
        stops="the status that the field names",
        then="hard lines (" + ", ".join(f"`{name}`" for name in (*HARD, *LEGACY)) + "): re-read "
        "a day and an hour before and at the line, then alert, other pushes wait for the re-read. "
        "The others: alert",
    ),
    clocks,
    explain,
)
