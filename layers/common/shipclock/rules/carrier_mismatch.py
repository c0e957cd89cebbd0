"""A parcel must be handed to the carrier that the marketplace has assigned to it."""

from shipclock.domain.carrier import differ
from shipclock.domain.clock import Clock
from shipclock.domain.composition import Package
from shipclock.domain.order import Order
from shipclock.domain.times import local
from shipclock.domain.tracking import Scan
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "carrier_mismatch"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One finding per package whose first scan came from a carrier of another name."""
    clause = policy.clause(NAME)
    if clause is None:
        return ()
    return tuple(
        Clock(
            name=NAME,
            due_at=scan.occurred_at,
            set_by=policy.set_by(NAME),
            clause=clause.clause,
            part=package.parcel.number,
            package_id=package.package_id,
            number=package.parcel.number,
            at_once=True,
        )
        for package in order.packages
        if package.parcel
        and (scan := _first_named(package))
        and differ(scan.carrier, package.provider)
        and not _stands_for_any(package, policy)
    )


def _stands_for_any(package: Package, policy: Policy) -> bool:
    """Whether the order was shipped under the shop's default, which names nobody."""
    return bool(package.provider_id) and package.provider_id == policy.default_provider


def _first_named(package: Package) -> Scan | None:
    """The first scan that names its carrier: some sources never do."""
    scans = package.parcel.movements() if package.parcel else ()
    return next((scan for scan in scans if scan.carrier), None)


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Names both carriers."""
    package = next(
        (p for p in order.packages if p.parcel and p.parcel.number == clock.number), None
    )
    scan = _first_named(package) if package else None
    return (
        f"{order.written(clock.number)} was first scanned by "
        f"{scan.carrier if scan else 'another carrier'} on "
        f"{local(clock.due_at, policy.zone)}, while the marketplace expects "
        f"{package.provider if package else 'the one assigned'}. It will not see these scans, and "
        "its deadlines run on. Correct the provider or the number in Seller Center, or fetch the "
        "parcel back if it was handed to the wrong carrier."
    )


RULE = Rule(
    NAME,
    About(
        orders="all, per package",
        starts="at once",
        due="the first scan is another carrier's than the one assigned, unless that is the shop's "
        "default provider",
        stops="nothing",
        then="alert",
    ),
    clocks,
    explain,
    finding=True,
)
