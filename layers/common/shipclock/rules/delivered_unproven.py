"""A carrier says delivered and shows no proof: nobody has acknowledged the receipt."""

from shipclock.domain.clock import Clock
from shipclock.domain.order import SELLER, Order
from shipclock.domain.stops import at_scan, first
from shipclock.domain.times import local
from shipclock.domain.tracking import Parcel, Scan, TrackingStatus
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "delivered_unproven"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One finding per package, as of its delivery; a proof that comes later ends it."""
    clause, facts = policy.clause(NAME), order.facts
    if clause is None or facts is None or facts.shipping_type != SELLER:
        return ()
    return tuple(
        Clock(
            name=NAME,
            due_at=told[0].occurred_at,
            set_by=policy.set_by(NAME),
            clause=clause.clause,
            part=package.parcel.number,
            package_id=package.package_id,
            number=package.parcel.number,
            at_once=True,
            stop=first(at_scan(scan) for scan in told if scan.proven),
        )
        for package in order.packages
        if package.parcel and (told := _deliveries(package.parcel))
    )


def _deliveries(parcel: Parcel) -> list[Scan]:
    return [scan for scan in parcel.scans if scan.status is TrackingStatus.DELIVERED]


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Tells what to ask the carrier for."""
    return (
        f"{order.written(clock.number)} was reported delivered on "
        f"{local(clock.due_at, policy.zone)} without a signature, photo or other proof. Should the "
        "buyer say that it never came, nothing shows "
        "otherwise. Ask the carrier for its proof of delivery while it still has it."
    )


RULE = Rule(
    NAME,
    About(
        orders="Ship by Seller, per package",
        starts="at once",
        due="a carrier says delivered, and no source shows a proof",
        stops="a proof of the delivery",
        then="alert",
    ),
    clocks,
    explain,
    finding=True,
)
