"""Damage, delay or loss: the marketplace may cancel and have the buyer ask for a refund.

One clock per package and cause, missed at once. What is *deemed* comes from the clocks that deem
it, so that a fact which takes one back takes the other back too.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from shipclock.domain.clock import Clock, Notice
from shipclock.domain.event import PackageRead
from shipclock.domain.order import Order, Package
from shipclock.domain.stops import deliveries, first
from shipclock.domain.times import local
from shipclock.domain.tracking import NOT_A_SCAN, Parcel, Scan, TrackingStatus
from shipclock.rules import delivery_period, not_acknowledged, two_failed_attempts
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "abnormal_delivery"
WARNING = "warning"

REPORTED = {
    TrackingStatus.DAMAGED: "damaged",
    TrackingStatus.LOST: "lost",
    TrackingStatus.DISPOSED: "disposed",
}
"""What a carrier may report that is abnormal at once."""

DEEMED_LOST = "deemed_lost"
DEEMED_DELAYED = "deemed_delayed"

WORDS = {
    "damaged": "was damaged on its way",
    "lost": "is lost",
    "disposed": "was destroyed or disposed of",
    "returned": "comes back to the sender",
    DEEMED_LOST: "is deemed lost",
    DEEMED_DELAYED: "is deemed delayed",
}
OTHERWISE = "met with something that needs a look"
DAMAGED_FLAG = "damaged"


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock per package and cause, due as the cause came about."""
    clause = policy.clause(NAME)
    if clause is None or order.facts is None:
        return ()
    causes = (*_reported(order), *_told(order), *_deemed(order, policy))
    return tuple(
        Clock(
            name=NAME,
            due_at=cause.due_at,
            set_by=policy.set_by(NAME),
            clause=clause.clause,
            part=cause.part,
            cause=cause.name,
            package_id=cause.package_id,
            number=cause.number,
            at_once=True,
            stop=cause.stop,
            ask=cause.ask,
        )
        for cause in causes
    )


def _reported(order: Order) -> Iterator[Clock]:
    """What carriers report with a time that can prove something, the earliest of each cause."""
    for package in order.packages:
        found: dict[str, datetime] = {}
        for scan in package.parcel.scans if package.parcel else ():
            cause = _cause(scan)
            if cause and scan.trusted:
                found.setdefault(cause, scan.occurred_at)
        for cause, at in found.items():
            yield _of(order, package, _number(package), cause, at)


def _cause(scan: Scan) -> str:
    damaged = DAMAGED_FLAG in scan.flags
    return REPORTED.get(scan.status, REPORTED[TrackingStatus.DAMAGED] if damaged else "")


def _told(order: Order) -> Iterator[Clock]:
    """What the marketplace itself tells of a package (`ship_exception_reason`), each once."""
    packages = {package.package_id: package for package in order.packages}
    found: dict[tuple[str, str], datetime] = {}
    for read in order.package_reads:
        if read.exception:
            key = read.package_id, cause_of(read)
            found[key] = min(_instant(read), found.get(key, _instant(read)))
    for (package_id, cause), at in found.items():
        package = packages.get(package_id, Package(package_id))
        yield _of(order, package, package_id, cause, at)


def cause_of(read: PackageRead) -> str:
    """The marketplace's own word as a cause; what is no word of a few letters has none."""
    word = read.exception.lower()
    return word if WORD.fullmatch(word) else "other"


WORD = re.compile(r"[a-z0-9_]{1,64}")


def _instant(read: PackageRead) -> datetime:
    return read.update_time or read.as_of or read.requested_at


def _number(package: Package) -> str:
    return package.parcel.number if package.parcel else ""


def _of(order: Order, package: Package, part: str, cause: str, at: datetime) -> Clock:
    """Only a delivery after it ends it, for damage may be told of what was delivered before; or
    one of which nobody can say when it was."""
    after = (stop for stop in deliveries(order, package) if stop.at > at or not stop.trusted)
    return Clock(
        cause,
        at,
        "",
        part=part,
        package_id=package.package_id,
        number=_number(package),
        stop=first(after),
    )


def _deemed(order: Order, policy: Policy) -> Iterator[Clock]:
    """The clocks that deem a package lost or the order delayed, where they are missed or may be.

    A package is deemed lost once, by the clock that runs out first.
    """
    lost: dict[str, Clock] = {}
    for rule in (two_failed_attempts, not_acknowledged):
        for clock in rule.clocks(order, policy):
            known = lost.get(clock.number)
            if clock.losing and (known is None or clock.due_at < known.due_at):
                lost[clock.number] = replace(clock, name=DEEMED_LOST)
    yield from lost.values()
    for clock in delivery_period.clocks(order, policy):
        if clock.losing:
            out = _still_out(order, clock.due_at)
            yield replace(
                clock, name=DEEMED_DELAYED, package_id=out.package_id, number=_number(out)
            )


def _still_out(order: Order, due_at: datetime) -> Package:
    """The package that was still out at the period's end; none where there were several."""
    out = [
        package
        for package in order.packages
        if not any(stop.at <= due_at for stop in deliveries(order, package))
    ]
    return out[0] if len(out) == 1 else Package("")


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """What is deemed says why; the others say whose word it is. What is prepared is named."""
    for rule, cause in DEEMING:
        for deeming in rule.clocks(order, policy) if cause == clock.cause else ():
            if deeming.due_at == clock.due_at and deeming.number in ("", clock.number):
                return f"{rule.explain(order, deeming, policy)} {PREPARED}"
    own = clock.cause in WORDS
    return (
        f"{order.written(clock.number) or 'The parcel'} {words(order, clock.cause)}, as "
        f"{'the carrier' if own else 'the marketplace'} tells of "
        f"{local(clock.due_at, policy.zone)}{'' if own else f' ({clock.cause.upper()})'}. The "
        "marketplace may cancel the order and have the buyer ask for a refund. Claim from the "
        f"carrier. {PREPARED}"
    )


DEEMING = (
    (two_failed_attempts, DEEMED_LOST),
    (not_acknowledged, DEEMED_LOST),
    (delivery_period, DEEMED_DELAYED),
)
PREPARED = (
    "A refund or cancellation and a message to the buyer are prepared with the order: look at "
    "them, and send them in Seller Center."
)


def words(order: Order, cause: str) -> str:
    """What has become of a parcel, as the end of a sentence that begins with it."""
    return WORDS.get(meaning(order, cause), OTHERWISE)


def meaning(order: Order, cause: str) -> str:
    """Our word for a cause that the marketplace told by a word of its own; else the cause."""
    told = {cause_of(read): read.meaning for read in order.package_reads if read.exception}
    return cause if cause in WORDS else told.get(cause, "")


def notices(
    order: Order, own: tuple[Clock, ...], policy: Policy, now: datetime
) -> tuple[Notice, ...]:
    """Warnings of parcels still on their way: a carrier's delay, where that is its last word, and a
    report whose time proves nothing."""
    if policy.clause(NAME) is None or order.ended:
        return ()
    out = [package for package in order.packages if not deliveries(order, package)]
    return tuple(
        warning
        for parcel in (package.parcel for package in out)
        if parcel and parcel.status is not TrackingStatus.RETURNED
        for warning in _warnings(parcel, policy, now)
    )


def _warnings(parcel: Parcel, policy: Policy, now: datetime) -> Iterator[Notice]:
    known = [scan for scan in parcel.scans if scan.occurred_at <= now]
    last = next((s for s in reversed(known) if s.status not in NOT_A_SCAN), None)
    if last and last.status is TrackingStatus.DELAYED:
        day = last.occurred_at.astimezone(policy.zone).date()
        text = (
            f"The carrier reports {parcel.written} as delayed on "
            f"{local(last.occurred_at, policy.zone)}. Nothing is cancelled by this; ask the "
            "carrier for a new date, and tell the buyer."
        )
        yield Notice(NAME, WARNING, now, f"{parcel.number}/delayed/{day.isoformat()}", text)
    for scan in known:
        if (cause := _cause(scan)) and not scan.trusted:
            text = (
                f"The carrier reports {parcel.written} as {cause}, at a time that can't be true or "
                f"names no offset ({local(scan.occurred_at, policy.zone)}), so nothing is prepared "
                "for it. Ask the carrier what happened, and act in Seller Center if it is so."
            )
            yield Notice(NAME, WARNING, now, f"{parcel.number}/{cause}/", text)


RULE = Rule(
    NAME,
    About(
        orders="all, per package and cause",
        starts="at once",
        due="a carrier reports it damaged, lost or disposed; the marketplace gives a "
        "`ship_exception_reason`; it is deemed lost or delayed",
        stops="delivered later",
        then="alert; refund or cancellation prepared; buyer message drafted. A carrier's `delayed` "
        "is a warning, and so is a report whose time proves nothing",
    ),
    clocks,
    explain,
    notices,
)
