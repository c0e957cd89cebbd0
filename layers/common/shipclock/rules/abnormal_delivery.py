"""Damage, delay or loss: the marketplace may cancel and have the buyer ask for a refund.

One clock per package and cause, missed at once. What is *deemed* comes from the clocks that deem
it, so that a fact which takes one back takes the other back too (docs/decisions/0016).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from shipclock.domain.clock import WARNING, Ask, Clock, Notice, Stop
from shipclock.domain.composition import Package
from shipclock.domain.event import PackageRead
from shipclock.domain.order import Order
from shipclock.domain.stops import deliveries, first
from shipclock.domain.times import local
from shipclock.domain.tracking import Parcel, Scan, TrackingStatus
from shipclock.rules import deadlines, delivery_period, not_acknowledged, two_failed_attempts
from shipclock.rules.policy import Clause, Policy
from shipclock.rules.rule import About, Deemed, Deeming, Rule

NAME = "abnormal_delivery"

REPORTED = {
    TrackingStatus.DAMAGED: "damaged",
    TrackingStatus.LOST: "lost",
    TrackingStatus.DISPOSED: "disposed",
}
"""What a carrier may report that is abnormal at once."""

DEEMED_LOST, DEEMED_DELAYED = Deemed.LOST.value, Deemed.DELAYED.value

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


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a delivery is abnormal, since when, and what would end it. `part` is the clock's."""

    name: str
    at: datetime
    part: str
    package: Package
    stop: Stop | None
    ask: Ask = Ask.NEVER


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock per package and cause, due as the cause came about."""
    clause = policy.clause(NAME)
    if clause is None or order.facts is None:
        return ()
    return tuple(_clock(cause, policy, clause) for cause in (*_reported(order), *_told(order)))


def follows(order: Order, policy: Policy, deeming: Deeming) -> tuple[Clock, ...]:
    """One clock for each parcel that is deemed lost, or may yet be, and one for a delay."""
    clause = policy.clause(NAME)
    if clause is None:
        return ()
    lost = [clock for deemed, clock in deeming if deemed is Deemed.LOST]
    delayed = [clock for deemed, clock in deeming if deemed is Deemed.DELAYED]
    causes = (*_deemed_lost(order, lost), *_deemed_delayed(order, delayed))
    return tuple(_clock(cause, policy, clause) for cause in causes)


def _clock(cause: Cause, policy: Policy, clause: Clause) -> Clock:
    return Clock(
        name=NAME,
        due_at=cause.at,
        set_by=policy.set_by(NAME),
        clause=clause.clause,
        part=cause.part,
        cause=cause.name,
        package_id=cause.package.package_id,
        number=_number(cause.package),
        at_once=True,
        stop=cause.stop,
        ask=cause.ask,
    )


def _reported(order: Order) -> Iterator[Cause]:
    """What carriers report with a time that can prove something, the earliest of each cause."""
    for package in order.packages:
        found: dict[str, datetime] = {}
        for scan in package.parcel.scans if package.parcel else ():
            for name in _reported_as(scan):
                if scan.trusted:
                    found.setdefault(name, scan.occurred_at)
        for name, at in found.items():
            yield Cause(name, at, _number(package), package, _delivered_after(at, order, package))


def _reported_as(scan: Scan) -> set[str]:
    """The causes that one scan tells: some are lost or disposed of for their damage."""
    told = {REPORTED[scan.status]} if scan.status in REPORTED else set()
    return told | {REPORTED[TrackingStatus.DAMAGED]} if DAMAGED_FLAG in scan.flags else told


def _told(order: Order) -> Iterator[Cause]:
    """What the marketplace itself tells of a package (`ship_exception_reason`), each once."""
    packages = {package.package_id: package for package in reversed(order.packages)}
    found: dict[tuple[str, str], datetime] = {}
    for read in order.package_reads:
        if read.exception:
            key = read.package_id, cause_of(read)
            found[key] = min(_instant(read), found.get(key, _instant(read)))
    for (package_id, name), at in found.items():
        package = packages.get(package_id, Package(package_id))
        yield Cause(name, at, package_id, package, _delivered_after(at, order, package))


def cause_of(read: PackageRead) -> str:
    """The marketplace's own word as a cause; `other` for what is no word of some length."""
    word = read.exception.lower()
    return word if WORD.fullmatch(word) else "other"


WORD = re.compile(r"[a-z0-9_]{1,64}")


def _instant(read: PackageRead) -> datetime:
    return read.update_time or read.as_of or read.requested_at


def _number(package: Package) -> str:
    return package.parcel.number if package.parcel else ""


def _delivered_after(at: datetime, order: Order, package: Package) -> Stop | None:
    """The delivery that ends what was told at an instant: one before it does not, for damage may
    be told of what was delivered; one of which nobody can say when it was does."""
    return first(s for s in deliveries(order, package) if s.at > at or not s.trusted)


def _deemed_lost(order: Order, deeming: list[Clock]) -> Iterator[Cause]:
    """Packages whose clocks deem them lost, or may yet; each once, by the one that ends first."""
    lost: dict[str, Clock] = {}
    for clock in deeming:
        known = lost.get(clock.number)
        if clock.losing and (known is None or clock.due_at < known.due_at):
            lost[clock.number] = clock
    packages = {_number(package): package for package in order.packages}
    for number, clock in lost.items():
        package = packages[number]
        yield Cause(DEEMED_LOST, clock.due_at, number, package, clock.stop, clock.ask)


def _deemed_delayed(order: Order, deeming: list[Clock]) -> Iterator[Cause]:
    """The order, where its delivery period ends or may end without it; once for all of it, by the
    clock that ends first. Where one package alone was still out, it is named."""
    lost = [clock for clock in deeming if clock.losing]
    if lost:
        clock = min(lost, key=lambda clock: clock.due_at)
        late = [
            package
            for package in order.packages
            if not any(stop.at <= clock.due_at for stop in deliveries(order, package))
        ]
        package = late[0] if len(late) == 1 else Package("")
        yield Cause(DEEMED_DELAYED, clock.due_at, "", package, clock.stop, clock.ask)


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """What is deemed says why; the others say whose word it is. What is prepared is named."""
    for source in DEEMING_RULES:
        for deeming in source.clocks(order, policy) if source.deems == clock.cause else ():
            if deeming.due_at == clock.due_at and deeming.number in ("", clock.number):
                return f"{source.explain(order, deeming, policy)} {PREPARED}"
    own = clock.cause in WORDS
    return (
        f"{order.written(clock.number) or 'The parcel'} {words(order, clock.cause)}, as "
        f"{'the carrier' if own else 'the marketplace'} tells of "
        f"{local(clock.due_at, policy.zone)}{'' if own else f' ({clock.cause.upper()})'}. The "
        "marketplace may cancel the order and have the buyer ask for a refund. Claim from the "
        f"carrier. {PREPARED}"
    )


DEEMING_RULES = (
    two_failed_attempts.RULE,
    not_acknowledged.RULE,
    delivery_period.RULE,
    deadlines.DEEMING,
)
"""The rules that deem something: they explain what is deemed. The registry can't be asked for them,
since it imports this file."""

PREPARED = (
    "A refund or cancellation and a message to the buyer are prepared with the order: look at "
    "them, and approve them there or send them in Seller Center."
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
    last = next((s for s in reversed(parcel.scans) if s.in_hand), None)
    if last and last.status is TrackingStatus.DELAYED:
        day = last.occurred_at.astimezone(policy.zone).date()
        text = (
            f"The carrier reports {parcel.written} as delayed on "
            f"{local(last.occurred_at, policy.zone)}. Nothing is cancelled by this; ask the "
            "carrier for a new date, and tell the buyer."
        )
        yield Notice(NAME, WARNING, now, f"{parcel.number}/delayed/{day.isoformat()}", text)
    for scan in parcel.scans:
        for cause in sorted(_reported_as(scan)) if not scan.trusted else ():
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
        "`ship_exception_reason` (read for Ship by TikTok); it is deemed lost or delayed",
        stops="delivered later",
        then="alert; refund or cancellation prepared; buyer message drafted. A carrier's `delayed` "
        "is a warning, and so is a report whose time proves nothing",
    ),
    clocks,
    explain,
    notices,
    follows=follows,
)
