"""What the marketplace should be told of an order, whatever it allows. Pure (DESIGN 3.3 and 3.10).

Three sources: what happened to the parcels, what a person asks for, and what a standing verdict has
prepared, once a person or the shop's settings approve of it. Whatever is no longer so is no longer
wanted, and its pending intent is withdrawn.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from shipclock.domain.composition import Package
from shipclock.domain.event import Request
from shipclock.domain.number import normal
from shipclock.domain.order import (
    AWAITING_COLLECTION,
    AWAITING_SHIPMENT,
    CANCELLED,
    DELIVERED,
    IN_TRANSIT,
    ON_HOLD,
    PARTIALLY_SHIPPING,
    UNPAID,
    Order,
)
from shipclock.domain.push import GONE, WAITING, Deed, Wanted, shipments
from shipclock.domain.times import stamp
from shipclock.domain.tracking import Scan, TrackingStatus
from shipclock.marketplaces.protocol import Shop
from shipclock.reading import digest
from shipclock.remedies import BUYER_MESSAGE, Prepared
from shipclock.rules.abnormal_delivery import meaning

APPROVE = "approve"
"""The deed of a request that approves of something prepared; `says` names its kind and verdict."""

APPROVE_CANCELLATION = "approve_cancellation"
"""The setting that answers a buyer's wish to cancel with yes, while nothing has left."""

ON_ITS_WAY = (PARTIALLY_SHIPPING, AWAITING_COLLECTION, IN_TRANSIT)

STILL_HERE = (UNPAID, ON_HOLD, AWAITING_SHIPMENT)
"""Statuses of orders of which nothing has left, as far as the marketplace knows."""

REMEDIES = {"cancellation": Deed.CANCEL, "refund": Deed.REFUND, BUYER_MESSAGE: Deed.MESSAGE}

TOLD_SCANS = frozenset(
    {
        TrackingStatus.PICKED_UP,
        TrackingStatus.OUT_FOR_DELIVERY,
        TrackingStatus.DELIVERY_ATTEMPT_FAILED,
        TrackingStatus.DELIVERED,
        TrackingStatus.RETURNED,
    }
)
"""Scans that a shop which delivers by itself passes on, where the marketplace has a word for them
(`tiktok-shop.md` 5.2, tracking action codes)."""


def wanted(order: Order, prepared: Iterable[Prepared], shop: Shop) -> tuple[Wanted, ...]:
    """Everything the marketplace should be told of this order by now."""
    if order.facts is None:
        return ()
    found = [*shipments(order)]
    if shop.hand_marked:
        found += _deliveries(order)
    if shop.self_delivered:
        found += _scans(order)
    found += _remedies(order, prepared, shop)
    asked = last_words(order.requests)
    if APPROVE_CANCELLATION in shop.automatic and order.cancel_case and not _left(order):
        answered = any(r.deed == Deed.ANSWER and _case(r) == order.cancel_case for r in asked)
        if not answered:
            found.append(_answer(order.cancel_case, {"answer": "approve"}))
    for request in asked:
        found += _asked(order, request)
    return tuple(found)


def last_words(requests: Iterable[Request]) -> tuple[Request, ...]:
    """Of requests that can't all be meant (two numbers for one package, yes and no to one buyer)
    the newest; `requests` come in the order of their times."""
    newest = {(r.deed, r.package_id, *_matter(r)): r for r in requests}
    return tuple(newest.values())


def _matter(request: Request) -> tuple[str, ...]:
    """What a request is about beside its package."""
    says = request.says
    if request.deed == APPROVE:
        return says.get("kind", ""), says.get("verdict", "")
    return _case(request), _lines(says), says.get("text", "")


def _case(request: Request) -> str:
    return request.says.get("case", "")


def _lines(says: Mapping[str, str]) -> str:
    """The units named, each once, whoever lists them in whatever order."""
    named = {line.strip() for line in says.get("lines", "").split(",")}
    return ",".join(sorted(filter(None, named)))


def _left(order: Order) -> bool:
    """Whether anything may have left: a carrier's scan tells it before the marketplace does."""
    return order.status not in STILL_HERE or any(
        package.status in GONE or (package.parcel and package.parcel.first_scan)
        for package in order.packages
    )


def _deliveries(order: Order) -> Iterator[Wanted]:
    """Parcels that their carrier has delivered and that the marketplace shows as under way."""
    for package in order.packages:
        scans = package.parcel.scans if package.parcel else ()
        delivered = any(s.status is TrackingStatus.DELIVERED and _tellable(s) for s in scans)
        if delivered and package.package_id and _under_way(order, package):
            told = _delivery(package, {"delivery_type": "DELIVERY_SUCCESS"})
            yield replace(told, optional=True)


def _tellable(scan: Scan) -> bool:
    """Whether a scan may be told on: its clock may be right, and its words are its sender's."""
    return scan.confirmed and not scan.suspect


def _under_way(order: Order, package: Package) -> bool:
    return order.status in ON_ITS_WAY and package.status not in ("COMPLETED", "CANCELLED")


def _delivery(package: Package, says: dict[str, str]) -> Wanted:
    number, carrier = package.tracking_number, package.parcel.carrier if package.parcel else ""
    topic = says["delivery_type"]
    return Wanted(package.package_id, number, carrier, deed=Deed.DELIVER, says=says, topic=topic)


def _scans(order: Order) -> Iterator[Wanted]:
    """The scans of a parcel that the seller delivers himself."""
    if order.status not in ON_ITS_WAY:
        return
    for package in order.packages:
        scans = package.parcel.scans if package.parcel else ()
        for scan in scans:
            if scan.status in TOLD_SCANS and _tellable(scan):
                yield replace(_scan(package, scan), optional=True)


def _scan(package: Package, scan: Scan) -> Wanted:
    says = {
        "status": scan.status.value,
        "at": stamp(scan.occurred_at),
        "reason": scan.reason,
        "location": scan.location,
    }
    topic = digest(scan.identity)[:24]
    number = package.tracking_number or scan.written or scan.number
    # Of no package: it may get its id later, and the same scan be told twice.
    return Wanted("", number, scan.carrier, deed=Deed.TRACK, says=says, topic=topic)


def _remedies(order: Order, prepared: Iterable[Prepared], shop: Shop) -> Iterator[Wanted]:
    """What verdicts have prepared and a person or a setting has approved of."""
    approved = {
        (request.says.get("kind", ""), request.says.get("verdict", ""))
        for request in order.requests
        if request.deed == APPROVE
    }
    for item in prepared:
        if item.kind in shop.automatic or (item.kind, item.verdict) in approved:
            yield _remedy(order, item)


def _remedy(order: Order, item: Prepared) -> Wanted:
    """What goes out of something prepared, and no more than that. Of one verdict one message: its
    words change with the order."""
    of_verdict = digest(item.verdict)[:24]
    if item.kind == BUYER_MESSAGE:
        return Wanted("", "", "", "", Deed.MESSAGE, {"text": item.text}, of_verdict)
    deed, says = REMEDIES[item.kind], {"reason": meaning(order, item.cause)}
    if item.units is None:
        return Wanted("", "", "", "units unknown", deed, says, of_verdict)
    return _undoing(deed, {**says, "lines": ",".join(item.units)})


def _undoing(deed: Deed, says: Mapping[str, str]) -> Wanted:
    """A cancellation or refund of the order, whole or some units of it."""
    lines = _lines(says)
    said = {name: text for name, text in says.items() if name != "lines"}
    return Wanted(
        "",
        "",
        "",
        deed=deed,
        says={**said, "lines": lines} if lines else said,
        topic=digest(lines)[:24] if lines else "whole",
    )


def _answer(case_id: str, says: dict[str, str]) -> Wanted:
    said = {**says, "case": case_id}
    return Wanted("", "", "", deed=Deed.ANSWER, says=said, topic=case_id)


def _asked(order: Order, request: Request) -> Iterator[Wanted]:
    """What a person asks for, for as long as it makes sense."""
    says, status = dict(request.says), order.status
    package = next((p for p in order.packages if p.package_id == request.package_id), None)
    number, carrier = says.get("tracking_number", ""), says.get("carrier", "")
    match request.deed:
        case Deed.SHIP | Deed.LABEL:
            waits = status in WAITING and not order.cancel_open
            if waits and not (package and package.status in GONE):
                how = says.get("handover_method", "")
                if request.deed == Deed.LABEL:
                    how = digest(_lines(says))[:24] if _lines(says) else "label"
                unknown = "package unknown" if request.package_id and package is None else ""
                yield Wanted(
                    request.package_id,
                    number,
                    carrier,
                    unknown,
                    Deed(request.deed),
                    says,
                    "" if number else how or "unspecified",
                )
        case Deed.RENUMBER:
            if status in ON_ITS_WAY and normal(number) not in _shown(order):
                yield Wanted(request.package_id, number, carrier, "", Deed.RENUMBER, says)
        case Deed.DELIVER:
            proof_only = says.get("delivery_type") == "UPDATE_POD" and status == DELIVERED
            if package and (proof_only or _under_way(order, package)):
                yield _delivery(package, says)
        case Deed.CANCEL if not order.ended:
            yield _undoing(Deed.CANCEL, says)
        case Deed.REFUND if status != CANCELLED:
            yield _undoing(Deed.REFUND, says)
        case Deed.MESSAGE:
            yield Wanted("", "", "", "", Deed.MESSAGE, says, digest(says["text"])[:24])
        case Deed.ANSWER if order.cancel_open and says.get("case") == order.cancel_case:
            yield _answer(says["case"], says)


def _shown(order: Order) -> set[str]:
    """The numbers that the marketplace shows for the order."""
    facts = order.facts
    if facts is None:
        return set()
    told = {facts.tracking_number, *(line.tracking_number for line in facts.lines)}
    return {normal(number) for number in told if number}
