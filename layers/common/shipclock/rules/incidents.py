"""What incidents do to an order's clocks: those that the pack lets them extend stand still.

Never moved are the marketplace's own fields, nor hard lines: its clocks run on whatever happens.
The overlap is taken in real time, also of clocks that count days.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from shipclock.domain.carrier import differ, known_as
from shipclock.domain.clock import Clock
from shipclock.domain.composition import Package
from shipclock.domain.incident import Incidence, Incident, extended, union
from shipclock.domain.order import Order
from shipclock.domain.place import Fit, all_fit, any_fits
from shipclock.domain.times import local
from shipclock.rules.policy import Clause, Deadline, Policy


def due(
    order: Order,
    policy: Policy,
    name: str,
    timed: Clause | Deadline,
    starts_at: datetime,
    package: Package | None = None,
) -> datetime:
    """When the clock of that name that starts then runs out: `policy.due`, and later by the time of
    the incidents that are about the order, or about this package of it, where the pack allows."""
    due_at = policy.due(name, timed, starts_at)
    if not timed.force_majeure or not order.incidents:
        return due_at
    about = (each.incident for each in order.incidents if fit(order, each, package) is Fit.IN)
    return extended(starts_at, due_at, union(about))


def fit(order: Order, each: Incidence, package: Package | None = None) -> Fit:
    """Whether an incident is about an order, or about one package of it. What a person says counts
    before all else."""
    if each.by_hand is not None:
        return Fit.IN if each.by_hand else Fit.OUT
    packages = order.packages if package is None else (package,)
    return all_fit((each.area, _with_carriers(each.incident.carriers, packages)))


def _with_carriers(carriers: tuple[str, ...], packages: Iterable[Package]) -> Fit:
    """Whether one of the packages is with one of the carriers; of no carriers, it is."""
    if not carriers:
        return Fit.IN
    names = [carrier_of(package) for package in packages]
    return any_fits(same_carrier(name, carrier) for name in names for carrier in carriers)


def carrier_of(package: Package) -> str:
    """Who has a package: by its scans, else whom the marketplace has assigned; empty: unknown."""
    return (package.parcel.carrier if package.parcel else "") or package.provider


def same_carrier(one: str, other: str) -> Fit:
    """Whether two names mean one carrier: they do where they are counted as one, they don't where
    they certainly differ; between the two, and of no name, nobody can tell."""
    ours, theirs = known_as(one), known_as(other)
    if not ours or not theirs:
        return Fit.UNKNOWN
    if ours == theirs:
        return Fit.IN
    return Fit.OUT if differ(one, other) else Fit.UNKNOWN


def about(order: Order, number: str = "") -> tuple[Incident, ...]:
    """The incidents that certainly are about an order, or about its package with that number."""
    package = bearing(order, number)
    return tuple(each.incident for each in order.incidents if fit(order, each, package) is Fit.IN)


def bearing(order: Order, number: str) -> Package | None:
    """The package with that tracking number."""
    return next((p for p in order.packages if p.parcel and p.parcel.number == number), None)


Run = tuple[str, str, str, datetime | None]
"""What tells one run of a clock from others, wherever it ends."""


def run_of(clock: Clock) -> Run:
    """Which run of which clock; of what comes at once, which thing."""
    return clock.name, clock.part, clock.cause, None if clock.at_once else clock.starts_at


def without(order: Order) -> Order:
    """The order as it would be without any incident."""
    return replace(order, incidents=())


def words(order: Order, clock: Clock, policy: Policy, before: datetime | None) -> str:
    """What is to be said of incidents where a clock has run out that would have at `before` without
    them; empty where none lay in its way."""
    starts_at = (order.starts_at if clock.at_once else clock.starts_at) or clock.due_at
    met = [i for i in about(order, clock.number) if i.overlaps(starts_at, clock.due_at)]
    moved = before is not None and before < clock.due_at
    if not met or (clock.at_once and not moved):
        return ""
    told = "; ".join(f"{each.incident_id}, {period(each, policy)}: {each.reason}" for each in met)
    if before is not None and moved:
        return (
            f"The time of a declared incident is not counted here ({told}): without it this would "
            f"have been on {local(before, policy.zone)}."
        )
    return (
        f"A declared incident lay in its way ({told}). It does not move this line: cite it in "
        "Seller Center."
    )


def period(incident: Incident, policy: Policy) -> str:
    """From when to when, for people of the shop."""
    begins = local(incident.begins_at, policy.zone)
    if incident.ends_at is None:
        return f"since {begins}"
    return f"from {begins} to {local(incident.ends_at, policy.zone)}"
