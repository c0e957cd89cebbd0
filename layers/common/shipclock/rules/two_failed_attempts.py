"""A parcel that the carrier fails to deliver so often is deemed lost (the guide: twice)."""

from shipclock.domain.clock import Ask, Clock
from shipclock.domain.order import SELLER, Order
from shipclock.domain.stops import deliveries, first
from shipclock.domain.times import local
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Deemed, Rule

NAME = "two_failed_attempts"
NEEDS = ("attempts",)


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock per package whose attempts have failed often enough, due as the last one did."""
    clause, facts = policy.clause(NAME), order.facts
    if clause is None or facts is None or facts.shipping_type != SELLER:
        return ()
    return tuple(
        Clock(
            name=NAME,
            due_at=due_at,
            set_by=policy.set_by(NAME),
            clause=clause.clause,
            part=package.parcel.number,
            package_id=package.package_id,
            number=package.parcel.number,
            at_once=True,
            stop=first(deliveries(order, package)),
            ask=Ask.ONCE,
        )
        for package in order.packages
        if package.parcel and (due_at := package.parcel.failed_attempt(clause.count))
    )


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Tells how often it was tried."""
    clause = policy.clause(NAME)
    times = clause.count if clause else 0
    return (
        f"The carrier failed to deliver {order.written(clock.number)} for the {ordinal(times)} "
        f"time on {local(clock.due_at, policy.zone)}; the parcel is deemed lost, and the "
        "marketplace may cancel the order and have the buyer ask for a refund. Ask the carrier for "
        "another attempt or the parcel's return, and the buyer for an address where somebody "
        "answers."
    )


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}"


RULE = Rule(
    NAME,
    About(
        orders="Ship by Seller, per package",
        starts="at once",
        due="failed attempt number {attempts}: distinct times within one source, none after "
        "delivered or returned",
        stops="delivered",
        then="the order is re-read, then deemed lost",
    ),
    clocks,
    explain,
    deems=Deemed.LOST,
)
