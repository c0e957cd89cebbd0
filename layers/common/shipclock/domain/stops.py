"""The facts that stop clocks, as rules ask for them."""

from collections.abc import Iterable
from datetime import datetime

from shipclock.domain.clock import Stop
from shipclock.domain.composition import Package
from shipclock.domain.order import DELIVERED, IN_TRANSIT, Order
from shipclock.domain.tracking import Scan, TrackingStatus


def first(stops: Iterable[Stop | None]) -> Stop | None:
    """The earliest stop; not to be trusted where any of them is not, for nobody can say that that
    one came late (docs/decisions/0007)."""
    known = [stop for stop in stops if stop is not None]
    if len(known) < 2:
        return known[0] if known else None
    return Stop(min(stop.at for stop in known), all(stop.trusted for stop in known))


def at_scan(scan: Scan) -> Stop:
    """A scan as a stop."""
    return Stop(scan.occurred_at, scan.trusted)


def earliest(scans: Iterable[Scan]) -> Stop | None:
    """What `first` makes of these scans, without a stop for each: there may be thousands."""
    told = tuple(scans)
    if not told:
        return None
    return Stop(min(scan.occurred_at for scan in told), all(scan.trusted for scan in told))


def by_scans(package: Package, *statuses: TrackingStatus) -> list[Stop]:
    """The package's scans of these statuses, as stops."""
    scans = package.parcel.scans if package.parcel else ()
    return [at_scan(scan) for scan in scans if scan.status in statuses]


def reached(order: Order, status: str) -> Stop | None:
    """The marketplace's own word that the order reached a status."""
    at = order.reached_at(status)
    return Stop(at) if at else None


def deliveries(order: Order, package: Package) -> list[Stop]:
    """Every word that the package was delivered: carriers', the marketplace's of the order."""
    told = reached(order, DELIVERED)
    return [*by_scans(package, TrackingStatus.DELIVERED), *([told] if told else [])]


def order_delivered(order: Order) -> Stop | None:
    """The order was delivered: the marketplace says so, or carriers of every package.

    Numbers that belong to no package count only where the order has no packages.
    """
    packages = [p for p in order.packages if p.package_id] or order.packages
    scanned = [first(by_scans(package, TrackingStatus.DELIVERED)) for package in packages]
    whole = [stop for stop in scanned if stop is not None]
    last = None
    if whole and len(whole) == len(packages):
        last = Stop(max(stop.at for stop in whole), all(stop.trusted for stop in whole))
    return first((last, reached(order, DELIVERED)))


def first_movement(order: Order) -> Stop | None:
    """The earliest sign that a parcel moves: a scan, or the marketplace's own IN_TRANSIT."""
    scans = (scan for parcel in order.parcels for scan in parcel.movements())
    return first((earliest(scans), reached(order, IN_TRANSIT)))


def first_proof(order: Order) -> datetime | None:
    """The earliest scan whose time can prove something."""
    scans = (scan for parcel in order.parcels for scan in parcel.movements() if scan.trusted)
    return min((scan.occurred_at for scan in scans), default=None)
