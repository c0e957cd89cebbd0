"""Which packages an order has, and which tracking number belongs to which.

Package ids change under an order as packages are split, combined and partly cancelled; numbers
come from the marketplace, from package details and from carriers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shipclock.domain.event import OrderFacts, PackageRead, Snapshot
from shipclock.domain.number import normal
from shipclock.domain.tracking import Parcel

CALLED_OFF = "CANCELLED"
"""A package's status once nothing of it is to be sent any more."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the order, or a linked number that belongs to no known package yet.

    `provider` is the carrier that the marketplace has assigned to it, `provider_id` its id there.
    """

    package_id: str
    tracking_number: str = ""
    status: str = ""
    parcel: Parcel | None = None
    provider: str = ""
    provider_id: str = ""


def packages_of(
    facts: OrderFacts | None,
    parcels: dict[str, Parcel],
    reads: list[PackageRead],
    snapshots: Sequence[Snapshot],
    shared: frozenset[str],
) -> tuple[Package, ...]:
    """The order's packages, those with a number first, then linked numbers without a package.

    Package ids change as packages are split and combined; the newest telling counts, and a number
    follows the package that it is told of there. A number that was only ever told of a package
    that is gone is no package's: it stays while the carrier has something to say of it, unless it
    is `shared` with an order that it was combined with once, and then it is that order's.

    A number linked to an order with exactly one package, itself without a number, is that
    package's (DESIGN 6); packages that were cancelled are not counted. Of several such numbers
    the one scanned first is.
    """
    told = _told(facts)
    newest_first = sorted(reads, key=lambda r: (r.requested_at, r.identity), reverse=True)
    for read in newest_first:
        if read.package_id in told.numbers and read.tracking_number:
            told.numbers[read.package_id] = told.numbers[read.package_id] or read.tracking_number
    known = {normal(number) for number in told.numbers.values() if number}
    free = [number for number in parcels if number not in known]
    if free:
        earlier = _earlier_owners(facts, newest_first, snapshots)
        free = _adopted(told, free, parcels, earlier, shared)
    found = [
        Package(
            package_id,
            number,
            told.statuses.get(package_id, ""),
            parcels.get(normal(number)),
            *told.provider(package_id, normal(number)),
        )
        for package_id, number in told.numbers.items()
    ]
    for number in free:  # a package's second number, or one that belongs to none
        package_id = told.owners.get(number, "")
        status = told.statuses.get(package_id, "")
        parcel, provider = parcels[number], told.provider(package_id or number)
        found.append(Package(package_id, parcel.written, status, parcel, *provider))
    return tuple(sorted(found, key=lambda p: (not p.tracking_number, not p.package_id)))


@dataclass(slots=True)
class _Told:
    """What the newest telling says: the number and status of each package, which package a number
    is of, and the carrier by package, or by number where the marketplace names no package. Of an
    order without, or with one, the order's own carrier is `assigned`."""

    numbers: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    providers: dict[str, tuple[str, str]] = field(default_factory=dict)
    assigned: tuple[str, str] = ("", "")

    def provider(self, *names: str) -> tuple[str, str]:
        """The carrier that the first of these names has, and its id."""
        named = (self.providers[name] for name in names if name in self.providers)
        return next(named, self.assigned)


def _told(facts: OrderFacts | None) -> _Told:
    told = _Told()
    if facts is None:
        return told
    told.numbers = dict.fromkeys(sorted(facts.package_ids), "")
    for line in facts.lines:
        package_id, number = line.package_id, line.tracking_number
        if package_id:
            told.numbers[package_id] = told.numbers.get(package_id) or number
            told.statuses[package_id] = line.package_status or told.statuses.get(package_id, "")
            told.owners.setdefault(normal(number), package_id)
        if line.provider:
            name = package_id or normal(number)
            told.providers.setdefault(name, (line.provider, line.provider_id))
    if len(told.numbers) == 1 and not any(told.numbers.values()):
        told.numbers = dict.fromkeys(told.numbers, facts.tracking_number)
    # Of a split order the marketplace tells the first package's provider as the order's.
    if len(told.numbers) < 2:
        told.assigned = facts.shipping_provider, facts.shipping_provider_id
    return told


def _adopted(
    told: _Told,
    free: list[str],
    parcels: dict[str, Parcel],
    earlier: dict[str, str],
    shared: frozenset[str],
) -> list[str]:
    """Give the order's only package, where it has no number, the free number that fits best; those
    that are left. `earlier` is the package that each number was last told of."""
    gone = {number for number in free if earlier.get(number, "") not in {"", *told.numbers}}
    free = [n for n in free if n not in gone or (parcels[n].scans and n not in shared)]
    free.sort(key=lambda n: _scanned_first(parcels[n]))
    lone = _lone(told.numbers, told.statuses)
    if not lone or told.numbers[lone]:
        return free
    for number in free:
        moved = number in gone and parcels[number].first_scan is not None
        if moved or earlier.get(number, lone) == lone:
            told.numbers[lone] = parcels[number].written
            return [other for other in free if other != number]
    return free


def _lone(numbers: dict[str, str], statuses: dict[str, str]) -> str:
    """The only package that a number can be meant for; empty where there are several or none."""
    live = [package_id for package_id in numbers if statuses.get(package_id) != CALLED_OFF]
    candidates = live or list(numbers)
    return candidates[0] if len(candidates) == 1 else ""


def _earlier_owners(
    facts: OrderFacts | None, reads: list[PackageRead], snapshots: Sequence[Snapshot]
) -> dict[str, str]:
    """The package that each number was last told of, except numbers that the newest telling
    still names without a package."""
    owners: dict[str, str] = {}
    for snapshot in snapshots:
        for line in snapshot.facts.lines:
            if line.package_id and line.tracking_number:
                owners[normal(line.tracking_number)] = line.package_id
    for read in reads:  # the newest first
        if read.tracking_number:
            owners.setdefault(normal(read.tracking_number), read.package_id)
    if facts:
        bare = [line.tracking_number for line in facts.lines if not line.package_id]
        for number in (*bare, facts.tracking_number):
            owners.pop(normal(number), None)
    return owners


def _scanned_first(parcel: Parcel) -> tuple[bool, str, str]:
    scan = parcel.first_scan
    return scan is None, scan.occurred_at.isoformat() if scan else "", parcel.number
