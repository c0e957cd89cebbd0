"""A parcel whose receipt nobody acknowledged in time is deemed lost (the guide: 12 days)."""

from shipclock.domain.clock import Ask, Clock, Stop
from shipclock.domain.composition import Package
from shipclock.domain.order import SELLER, Order
from shipclock.domain.stops import by_scans, deliveries, first
from shipclock.domain.times import local
from shipclock.domain.tracking import TrackingStatus
from shipclock.rules import incidents
from shipclock.rules.names import LENGTH
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Deemed, Rule

NAME = "not_acknowledged"
NEEDS = (LENGTH,)


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock per package that has a scan, from the order's start."""
    clause, facts, starts_at = policy.clause(NAME), order.facts, order.starts_at
    if clause is None or facts is None or starts_at is None or facts.shipping_type != SELLER:
        return ()
    return tuple(
        Clock(
            name=NAME,
            due_at=incidents.due(order, policy, NAME, clause, starts_at, package),
            set_by=policy.set_by(NAME),
            clause=clause.clause,
            part=package.parcel.number,
            package_id=package.package_id,
            number=package.parcel.number,
            starts_at=starts_at,
            stop=_arrived(order, package),
            ask=Ask.ONCE,
        )
        for package in order.packages
        if package.parcel and package.parcel.first_scan
    )


def _arrived(order: Order, package: Package) -> Stop | None:
    back = by_scans(package, TrackingStatus.RETURNED)
    return first((*deliveries(order, package), *back))


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Tells where the parcel was last seen."""
    seen = next((p for p in order.parcels if p.number == clock.number), None)
    status = seen.status.value if seen else "unknown"
    return (
        f"Nobody has acknowledged the receipt of {order.written(clock.number)} by "
        f"{local(clock.due_at, policy.zone)} (the carrier's last word is {status}); the parcel is "
        "deemed lost, and the marketplace may cancel the order and have the buyer ask for a "
        "refund. Ask the carrier to search for it, and send us its answer as a tracking event."
    )


RULE = Rule(
    NAME,
    About(
        orders="Ship by Seller, per package, once it has a scan",
        starts="the order is placed; a pre-order is released",
        due="{length} later",
        stops="delivered, with or without proof; returned",
        then="the order is re-read, then deemed lost",
    ),
    clocks,
    explain,
    deems=Deemed.LOST,
)
