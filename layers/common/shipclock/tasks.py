"""What a person must do by hand, with the text ready to paste. Pure.

Appeals, claims and tickets have no call in the marketplace's API (`tiktok-shop.md` 5.7): they are
written in Seller Center. Derived from the verdicts that stand and from what the carriers told, so
that a verdict that falls takes its task along.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shipclock.domain.clock import Verdict, VerdictState
from shipclock.domain.composition import Package
from shipclock.domain.incident import Incident
from shipclock.domain.order import TIKTOK, Order
from shipclock.domain.times import local
from shipclock.domain.tracking import Scan
from shipclock.incident_texts import lines, told_once
from shipclock.rules import abnormal_delivery, incidents
from shipclock.rules.policy import Policy

CLAIM = "claim"
APPEAL = "appeal"
TICKET = "ticket"
FORCE_MAJEURE = "force_majeure"

CLAIMED_WITHIN = timedelta(days=40)
"""How long a parcel that the marketplace's carrier lost or damaged may be claimed for, after its
last status. Told by sellers' pages only (section 8): look the figure up for your market."""

DISPATCH = ("rts_sla_time", "tts_sla_time", "pick_up_cut_off_time")
CANCELLING = ("shipping_due_time", "collection_due_time", "cancel_order_sla_time")
DELIVERY = (
    "delivery_sla_time",
    "delivery_option_required_delivery_time",
    "delivery_due_time",
    "delivery_period",
)
LOST = {"lost": "lost", "damaged": "damaged", "disposed": "destroyed"}
BEYOND_US = {"weather": "the weather", "security": "a security incident"}
"""Why a carrier could not deliver that nobody can be blamed for."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do in Seller Center: where, by when if that is known, and the text to paste."""

    kind: str
    verdict: str
    rule: str
    where: str
    text: str
    package_id: str = ""
    number: str = ""
    by: datetime | None = None


def tasks(order: Order, verdicts: Iterable[Verdict], policy: Policy) -> tuple[Task, ...]:
    """What is to be done by hand about an order, by its standing verdicts."""
    found: list[Task] = []
    for verdict in sorted(verdicts, key=lambda v: (v.due_at, v.key)):
        if verdict.state is not VerdictState.STANDING:
            continue
        if verdict.rule == abnormal_delivery.NAME:
            found += _claim(order, verdict, policy)
        elif verdict.rule in DISPATCH:
            found += _appeal(order, verdict, policy)
            found += _force_majeure(order, verdict, policy)
        elif verdict.rule in CANCELLING and not order.ended:
            found += _ticket(order, verdict, policy)
            found += _force_majeure(order, verdict, policy)
        elif verdict.rule in DELIVERY:
            found += _force_majeure(order, verdict, policy)
    return tuple(found)


def _claim(order: Order, verdict: Verdict, policy: Policy) -> list[Task]:
    """The marketplace's own carrier has lost or damaged a parcel: the seller is paid for it."""
    what = LOST.get(abnormal_delivery.meaning(order, verdict.cause))
    if what is None or order.facts is None or order.facts.shipping_type != TIKTOK:
        return []
    reads = [r for r in order.package_reads if verdict.package_id in ("", r.package_id)]
    last = max([verdict.due_at, *(r.update_time for r in reads if r.update_time)])
    number = order.written(verdict.number)
    text = (
        f"Claim for a parcel that was {what} under Ship by TikTok.\n"
        f"Order: {order.order_id}\n"
        f"{_parcel_line(verdict.package_id, number)}"
        f"Reported as {what} on: {local(verdict.due_at, policy.zone)}\n"
        f"Units: {len(order.facts.lines) or 'see the order'}\n"
        "The parcel was handed over as arranged. We ask to be compensated under the terms for lost "
        "and damaged parcels. Proof of handover and of the goods' value is attached."
    )
    where = "Seller Center, Help Center: logistics claim"
    about = verdict.key, verdict.rule
    by = last + CLAIMED_WITHIN
    return [Task(CLAIM, *about, where, text, verdict.package_id, number, by)]


def _appeal(order: Order, verdict: Verdict, policy: Policy) -> list[Task]:
    """It counts as dispatched late, and a carrier's scan shows that it was not."""
    scan = order.first_scan
    if scan is None or not scan.trusted or scan.occurred_at > verdict.due_at:
        return []
    text = (
        f"Appeal against a late dispatch.\nOrder: {order.order_id}\n"
        f"Counted late since: {local(verdict.due_at, policy.zone)} ({verdict.rule})\n"
        f"{_scan_line(scan, policy)}"
        "The parcel was in the carrier's hands in time. We ask that the order no longer count as "
        "late. The carrier's tracking page is attached."
    )
    where = "Seller Center, Help Center: late dispatch appeal"
    return [Task(APPEAL, verdict.key, verdict.rule, where, text)]


def _ticket(order: Order, verdict: Verdict, policy: Policy) -> list[Task]:
    """The marketplace is about to cancel an order whose parcel is on its way."""
    scan = order.first_scan
    if scan is None:
        return []
    text = (
        f"Please do not cancel order {order.order_id}: its parcel is on its way.\n"
        f"Deadline: {local(verdict.due_at, policy.zone)} ({verdict.rule}); the order shows "
        f"{order.status}.\n"
        f"{_scan_line(scan, policy)}"
        "We ask that the tracking be taken over and the order be kept. The carrier's tracking page "
        "is attached."
    )
    where = "Seller Center, Help Center: logistics ticket"
    return [Task(TICKET, verdict.key, verdict.rule, where, text)]


def _force_majeure(order: Order, verdict: Verdict, policy: Policy) -> list[Task]:
    """Late for a reason that nobody can be blamed for: by a carrier's own word, where delivery is
    late, or by an incident that was declared."""
    told = _told(order, verdict) if verdict.rule in DELIVERY else None
    met = _met(order, verdict)
    if told is None and not met:
        return []
    about, said, cause = (verdict.package_id, order.written(verdict.number)), "", told_once(met)
    if told is not None:
        package, scan = told
        about = package.package_id, _written(package)
        cause = "; ".join(filter(None, (BEYOND_US[scan.reason], cause)))
        place = f", at {scan.location}" if scan.location else ""
        when = local(scan.occurred_at, policy.zone)
        said = f"The carrier{_by(scan)} told of it on {when}{place}.\n"
    due = "Promised by" if verdict.rule in DELIVERY else "Deadline"
    proof = "Official notices" + (" and the carrier's statement" if told else "")
    text = (
        f"Delay beyond our control (force majeure): {cause}.\nOrder: {order.order_id}\n"
        f"{_parcel_line(*about)}{said}"
        f"{''.join(lines(incident, policy.zone) for incident in met)}"
        f"{due}: {local(verdict.due_at, policy.zone)} ({verdict.rule})\n"
        "We ask that the delay not count against the shop and that the buyer be told. "
        f"{proof} are attached."
    )
    return [Task(FORCE_MAJEURE, verdict.key, verdict.rule, _where(verdict.rule), text, *about)]


def _told(order: Order, verdict: Verdict) -> tuple[Package, Scan] | None:
    """The first scan by which a carrier names such a reason, and its package."""
    found = [
        (package, scan)
        for package in order.packages
        for scan in (package.parcel.scans if package.parcel else ())
        if scan.reason in BEYOND_US and verdict.package_id in ("", package.package_id)
    ]
    return min(found, key=lambda one: (one[1].occurred_at, one[1].identity), default=None)


def _met(order: Order, verdict: Verdict) -> list[Incident]:
    """The incidents that lay between the order and what it missed."""
    if order.facts is None:
        return []
    span = order.facts.create_time, verdict.due_at
    return [each for each in incidents.about(order, verdict.number) if each.overlaps(*span)]


def _where(rule: str) -> str:
    what = "force majeure ticket"
    if rule in DISPATCH:
        what = "late dispatch appeal, force majeure"
    elif rule in CANCELLING:
        what = "logistics ticket, force majeure"
    return f"Seller Center, Help Center: {what}"


def _parcel_line(package_id: str, number: str) -> str:
    parts = [f"package {package_id}" if package_id else "", number and f"tracking number {number}"]
    listed = ", ".join(filter(None, parts))
    return f"Parcel: {listed}\n" if listed else ""


def _scan_line(scan: Scan, policy: Policy) -> str:
    number = scan.written or scan.number
    place = f", {scan.location}" if scan.location else ""
    return (
        f"First scan{_by(scan)}: {local(scan.occurred_at, policy.zone)}, tracking number "
        f"{number}{place}\n"
    )


def _by(scan: Scan) -> str:
    return f" ({scan.carrier})" if scan.carrier else ""


def _written(package: Package) -> str:
    return (package.parcel.written if package.parcel else "") or package.tracking_number
