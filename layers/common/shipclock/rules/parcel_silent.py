"""A parcel that was on its way and of which nobody has heard for longer than the pack's limit.

The guide gives no figure for it, so the default pack has no clause; one market's published figure
is in `tiktok-shop.md` 8. Each scan begins a run that the next one stops. Listed are the newest run
and those that were too long, for what they said stays said.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby

from shipclock.domain.clock import Ask, Clock, Stop
from shipclock.domain.composition import Package
from shipclock.domain.order import DELIVERED, Order
from shipclock.domain.stops import at_scan, first, reached
from shipclock.domain.times import local
from shipclock.domain.tracking import TERMINAL, Parcel, Scan
from shipclock.rules import incidents
from shipclock.rules.names import LENGTH, SHIPPING
from shipclock.rules.policy import Clause, Policy
from shipclock.rules.rule import About, Rule

NAME = "parcel_silent"
NEEDS = (LENGTH,)
TAKES = (SHIPPING,)


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """Per package the newest run, and those that were missed; the earliest first."""
    found: list[Clock] = []
    clause, facts = policy.clause(NAME), order.facts
    if clause is None or facts is None:
        return ()
    if clause.shipping and facts.shipping_type not in clause.shipping:
        return ()
    for package in order.packages:
        newest_first = list(_runs(order, package, policy, clause))
        older = [clock for clock in newest_first[1:] if clock.losing]
        found += reversed([*newest_first[:1], *older])
    return tuple(found)


def _runs(order: Order, package: Package, policy: Policy, clause: Clause) -> Iterator[Clock]:
    """The package's runs, the newest first. One walk: a number may have thousands of scans."""
    parcel = package.parcel
    if parcel is None:
        return
    told = [scan for scan in parcel.scans if _counts(scan)]
    doubtful = sorted((s for s in told if not s.trusted), key=lambda scan: scan.received_at)
    stop = reached(order, DELIVERED)
    sure = (scan for scan in reversed(told) if scan.trusted)
    for starts_at, together in groupby(sure, key=lambda scan: scan.occurred_at):
        # Nobody knows when these were; but what we had been told before the run was not within it.
        while doubtful and doubtful[-1].received_at > starts_at:
            stop = first((stop, at_scan(doubtful.pop())))
        if not any(scan.status in TERMINAL for scan in together):
            yield Clock(
                name=NAME,
                due_at=incidents.due(order, policy, NAME, clause, starts_at, package),
                set_by=policy.set_by(NAME),
                clause=clause.clause,
                part=parcel.number,
                package_id=package.package_id,
                number=parcel.number,
                starts_at=starts_at,
                stop=stop,
                ask=Ask.ONCE,
            )
        stop = first((stop, Stop(starts_at)))


def _counts(scan: Scan) -> bool:
    """Whether a scan shows the parcel in the carrier's hands, or its end."""
    return scan.in_hand or scan.status in TERMINAL


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Tells who was heard last, when, and for how long nobody was."""
    parcel = next((p for p in order.parcels if p.number == clock.number), Parcel(clock.number))
    since = clock.starts_at or clock.due_at
    told = [scan for scan in parcel.movements() if scan.trusted and scan.occurred_at == since]
    status = told[-1].status.value if told else "unknown"
    named = (scan.carrier for scan in reversed(told) if scan.carrier)
    who = next(named, parcel.carrier) or "the carrier"
    return (
        f"Nothing was heard of {order.written(clock.number)} for {_span(clock.due_at - since)}: "
        f"the last scan of {who} is {status}, of {local(since, policy.zone)}. The marketplace may "
        f"count the parcel as lost, cancel the order and refund the buyer. Ask {who} where it is "
        "and have it searched for, and tell the buyer. Where the carrier's own page shows newer "
        "scans, they do not reach us: run `shipclock doctor`."
    )


def _span(length: timedelta) -> str:
    hours = int(length / timedelta(hours=1))
    count, unit = (hours // 24, "day") if hours % 24 == 0 else (hours, "hour")
    return f"{count} {unit}{'s' * (count != 1)}"


RULE = Rule(
    NAME,
    About(
        orders="all, or those that the clause's `shipping` names; per package, once it has a scan",
        starts="its newest scan, unless that is an end: delivered, returned, lost, disposed, "
        "cancelled",
        due="{length} later",
        stops="the next scan, which starts it anew; the marketplace shows it delivered. A time "
        "that proves nothing stops every run that began before we were told of it",
        then="the order is re-read, then alert. A missed run stays listed beside the newest one",
    ),
    clocks,
    explain,
)
