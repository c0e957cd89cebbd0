"""Which packages an order has, and which tracking number belongs to which.

Package ids change under an order as packages are split, combined and partly cancelled; numbers
come from the marketplace, from package details and from carriers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


def packages(
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
    numbers: dict[str, str] = {}
    statuses: dict[str, str] = {}
    owners: dict[str, str] = {}
    providers: dict[str, tuple[str, str]] = {}
    """By package, and by number where the marketplace names no package."""
    if facts:
        numbers = dict.fromkeys(sorted(facts.package_ids), "")
        for line in facts.lines:
            if line.package_id:
                numbers[line.package_id] = numbers.get(line.package_id) or line.tracking_number
                statuses[line.package_id] = line.package_status or statuses.get(line.package_id, "")
                owners.setdefault(normal(line.tracking_number), line.package_id)
            if line.provider:
                name = line.package_id or normal(line.tracking_number)
                providers.setdefault(name, (line.provider, line.provider_id))
        if len(numbers) == 1 and not any(numbers.values()):
            numbers = dict.fromkeys(numbers, facts.tracking_number)
    newest_first = sorted(reads, key=lambda r: (r.requested_at, r.identity), reverse=True)
    for read in newest_first:
        if read.package_id in numbers and read.tracking_number:
            numbers[read.package_id] = numbers[read.package_id] or read.tracking_number
    told = {normal(number): package_id for package_id, number in numbers.items() if number}
    free = [number for number in parcels if number not in told]
    if free:
        earlier = _earlier_owners(facts, newest_first, snapshots)
        gone = {number for number in free if earlier.get(number, "") not in {"", *numbers}}
        free = [n for n in free if n not in gone or (parcels[n].scans and n not in shared)]
        free.sort(key=lambda n: _scanned_first(parcels[n]))
        lone = _lone(numbers, statuses)
        fits = [
            number
            for number in free
            if earlier.get(number, lone) == lone or (number in gone and parcels[number].first_scan)
        ]
        if lone and not numbers[lone] and fits:
            numbers[lone] = parcels[fits[0]].written
            free.remove(fits[0])
    # Of a split order the marketplace tells the first package's provider as the order's.
    assigned = ("", "")
    if facts and len(numbers) < 2:
        assigned = facts.shipping_provider, facts.shipping_provider_id
    packages = [
        Package(
            package_id,
            number,
            statuses.get(package_id, ""),
            parcels.get(normal(number)),
            *(providers.get(package_id) or providers.get(normal(number)) or assigned),
        )
        for package_id, number in numbers.items()
    ]
    for number in free:  # a package's second number, or one that belongs to none
        package_id = owners.get(number, "")
        named = providers.get(package_id or number) or assigned
        status = statuses.get(package_id, "")
        parcel = parcels[number]
        packages.append(Package(package_id, parcel.written, status, parcel, *named))
    return tuple(sorted(packages, key=lambda p: (not p.tracking_number, not p.package_id)))


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
