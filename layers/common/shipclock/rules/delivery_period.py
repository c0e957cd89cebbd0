"""An order not delivered within the designated period is deemed delayed."""

from datetime import datetime

from shipclock.domain.clock import Ask, Clock
from shipclock.domain.order import Order
from shipclock.domain.stops import order_delivered
from shipclock.domain.times import local
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Deemed, Rule

NAME = "delivery_period"
FIELDS = ("delivery_sla_time", "delivery_option_required_delivery_time", "delivery_due_time")
"""The order's own fields that name the period's end; the first that is there does."""


def promised(order: Order) -> tuple[str, datetime] | None:
    """The field that names the end of the delivery period, and that instant."""
    given = order.facts.deadlines if order.facts else {}
    return next(((name, given[name]) for name in FIELDS if name in given), None)


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock where the marketplace named a period."""
    clause, end = policy.clause(NAME), promised(order)
    if clause is None or end is None or order.facts is None:
        return ()
    field, due_at = end
    return (
        Clock(
            name=NAME,
            due_at=due_at,
            set_by=field,
            clause=f"{policy.set_by(NAME)}: {clause.clause}",
            starts_at=order.facts.create_time,
            stop=order_delivered(order),
            ask=Ask.ONCE,
        ),
    )


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Tells which line was passed."""
    return (
        f"The order was to be delivered by {local(clock.due_at, policy.zone)} ({clock.set_by}) and "
        f"still shows {order.status}: it is deemed delayed. The buyer may ask for a refund, and "
        "the marketplace may cancel. Ask the carrier for a new date and tell the buyer."
    )


RULE = Rule(
    NAME,
    About(
        orders="all",
        starts="the order is placed",
        due=", else ".join(f"`{name}`" for name in FIELDS),
        stops="delivered: by the marketplace's word, or by the carriers' of every package",
        then="the order is re-read, then deemed delayed",
    ),
    clocks,
    explain,
    deems=Deemed.DELAYED,
)
