"""What the recorded history of one parcel comes to: the line that scorecards count.

Every figure of a scorecard is a count, a sum or a rank over these lines, so that it can be worked
out again by hand from a list of them. What each figure is, tells `scorecards`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shipclock.domain.carrier import known_as
from shipclock.domain.composition import Package
from shipclock.domain.order import Order
from shipclock.domain.tracking import RANK, Parcel, Scan, TrackingStatus, fold_parcel
from shipclock.rules.delivery_period import promised


class Fate(StrEnum):
    """What has become of a parcel, by its carrier's own word. `open`: it is under way, or nothing
    more was heard. `returned` from the scan on that says that it turned back."""

    DELIVERED = "delivered"
    RETURNED = "returned"
    LOST = "lost"
    DISPOSED = "disposed"
    DAMAGED = "damaged"
    CANCELLED = "cancelled"
    OPEN = "open"


ENDS = {
    TrackingStatus.DELIVERED: Fate.DELIVERED,
    TrackingStatus.RETURNING: Fate.RETURNED,
    TrackingStatus.RETURNED: Fate.RETURNED,
    TrackingStatus.LOST: Fate.LOST,
    TrackingStatus.DISPOSED: Fate.DISPOSED,
    TrackingStatus.CANCELLED: Fate.CANCELLED,
}
MOVES = frozenset(
    {
        TrackingStatus.PICKED_UP,
        TrackingStatus.IN_TRANSIT,
        TrackingStatus.OUT_FOR_DELIVERY,
        TrackingStatus.DELIVERY_ATTEMPT_FAILED,
        TrackingStatus.AVAILABLE_FOR_PICKUP,
    }
)
"""Scans that show a parcel on its way to the recipient."""

LEFT_BY_MOVING = frozenset({Fate.LOST, Fate.DISPOSED, Fate.DAMAGED, Fate.CANCELLED})
"""What a parcel is no longer once it moves on: lost and found. Delivered and returned it stays,
since carriers scan papers and bags after the handover."""

ONLY_OF_OPEN = frozenset({Fate.DAMAGED, Fate.CANCELLED})
"""What says nothing of a parcel that has arrived: it was opened, or its label was voided."""

PAUSE = timedelta(minutes=1)
"""A longer pause parts two tellings of one source."""

FINAL, DAMAGED = "final", "damaged"
"""Flags of a scan: it is the last one; the parcel is damaged, whatever else is said of it."""


@dataclass(frozen=True, slots=True)
class History:
    """One parcel as it is counted. Durations are whole seconds, fractions cut off.

    `carrier` is the name it is counted under, `spelled` the name as it was told. `day` is the local
    day of the first scan, by which it belongs to a month. `ended_at` is the time of the scan that
    decided its fate. `transit` is the time from the first scan to the delivery, `days` how many
    local days later than the first scan it was delivered (0: on the same day): both None where it
    was not delivered, where either time is not trusted, or where no scan came before the delivery.
    `promise_kept` is None where it was not delivered, where no promise is known, or where the
    delivery's time is not trusted. `latencies` is how long after each scan we heard of it;
    `unheard` are the scans that tell nothing of that.
    """

    order_id: str
    number: str
    carrier: str
    spelled: str
    lane: str
    first_scan_at: datetime
    day: date
    fate: Fate
    ended_at: datetime | None
    failed_attempts: int
    damaged: bool
    proven: bool
    promised_at: datetime | None
    promise_kept: bool | None
    transit: int | None
    days: int | None
    latencies: tuple[int, ...]
    unheard: int


def lane_of(order: Order, market: str) -> str:
    """The lane of an order's parcels: market, who ships, warehouse, delivery option.

    That is all that is known without personal data: facts hold no recipient's region. What is not
    known is `-`. A text that only this function makes: for display, and for terms to name, whole
    or by its beginning.
    """
    facts = order.facts
    told = (
        (facts.shipping_type, facts.warehouse_id, facts.delivery_option_id) if facts else ("",) * 3
    )
    return "/".join(part.replace("/", "-").strip() or "-" for part in (market, *told))


def histories(order: Order, market: str, zone: ZoneInfo) -> Iterator[History]:
    """The histories of an order's parcels, each number once; those without a scan have none.

    What an unsigned callback says is left out until the provider confirms it.
    """
    end = promised(order)
    seen: set[str] = set()
    for package in order.packages:
        parcel = certain(package)
        if parcel is None or parcel.number in seen or parcel.first_scan is None:
            continue
        seen.add(parcel.number)
        yield history(
            parcel,
            order.order_id,
            carrier_of(package, parcel),
            lane_of(order, market),
            zone,
            end[1] if end else None,
        )


def certain(package: Package) -> Parcel | None:
    """A package's parcel by words that are certainly its carrier's."""
    parcel = package.parcel
    if parcel is None or all(scan.confirmed for scan in parcel.scans):
        return parcel
    return fold_parcel(parcel.number, (scan for scan in parcel.scans if scan.confirmed))


def unscanned(order: Order) -> int:
    """How many of an order's packages have a number that no carrier has scanned."""
    return sum(
        bool(package.tracking_number) and not (parcel and parcel.first_scan)
        for package in order.packages
        for parcel in [certain(package)]
    )


def carrier_of(package: Package, parcel: Parcel) -> str:
    """Who moved the parcel by its first scan that names a carrier; else by any event; else the one
    that the marketplace has assigned."""
    moved = next((scan.carrier for scan in parcel.movements() if scan.carrier), "")
    return moved or parcel.carrier or package.provider


def history(
    parcel: Parcel,
    order_id: str,
    carrier: str,
    lane: str,
    zone: ZoneInfo,
    promised_at: datetime | None,
) -> History:
    """What a parcel comes to; raises ValueError for one without a scan."""
    begin = parcel.first_scan
    if begin is None:
        raise ValueError(f"{parcel.number} has no scan")
    fate, by = fate_of(parcel)
    delivered = by if fate is Fate.DELIVERED else None
    kept = None
    if delivered and promised_at and delivered.trusted:
        kept = delivered.occurred_at <= promised_at
    transit = days = None
    if delivered and delivered.trusted and begin.trusted:
        took = delivered.occurred_at - begin.occurred_at
        if took:
            transit = int(took.total_seconds())
            days = (
                local_day(delivered.occurred_at, zone) - local_day(begin.occurred_at, zone)
            ).days
    heard, unheard = latencies(parcel)
    return History(
        order_id=order_id,
        number=parcel.number,
        carrier=known_as(carrier),
        spelled=carrier,
        lane=lane,
        first_scan_at=begin.occurred_at,
        day=local_day(begin.occurred_at, zone),
        fate=fate,
        ended_at=by.occurred_at if by else None,
        failed_attempts=parcel.failed_attempts,
        damaged=any(_tells_damage(scan) for scan in parcel.scans),
        proven=any(s.proven for s in parcel.scans if s.status is TrackingStatus.DELIVERED),
        promised_at=promised_at,
        promise_kept=kept,
        transit=transit,
        days=days,
        latencies=heard,
        unheard=unheard,
    )


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    """The local day of an instant; that of UTC at the ends of the calendar."""
    try:
        return instant.astimezone(zone).date()
    except OverflowError:
        return instant.date()


def fate_of(parcel: Parcel) -> tuple[Fate, Scan | None]:
    """What has become of the parcel, and the scan that decided it; None while it is open.

    The last deciding scan counts, and of several in a row that say the same the first. As in the
    fold, what was decided is changed by a later instant only.
    """
    fate, by = Fate.OPEN, None
    for scan in parcel.scans:
        if by is not None and scan.occurred_at == by.occurred_at:
            continue
        told = _decides(scan)
        if told is None:
            if scan.status in MOVES and fate in LEFT_BY_MOVING:
                fate, by = Fate.OPEN, None
        elif told is not fate and (told not in ONLY_OF_OPEN or fate is Fate.OPEN):
            fate, by = told, scan
    return fate, by


def _decides(scan: Scan) -> Fate | None:
    if scan.status is TrackingStatus.DAMAGED and FINAL in scan.flags:
        return Fate.DAMAGED
    return ENDS.get(scan.status)


def _tells_damage(scan: Scan) -> bool:
    return scan.status is TrackingStatus.DAMAGED or DAMAGED in scan.flags


def latencies(parcel: Parcel) -> tuple[tuple[int, ...], int]:
    """How long after each scan we heard of it, and how many scans tell nothing of that.

    What one source told without a pause of more than a minute is one telling. Of a telling only the
    latest scan counts: the others are history that it brought along. Where a source's first telling
    of the parcel brings more than one, it is history altogether (the number was registered late, or
    imported), and none of it counts. A scan whose time is not trusted does not count; one dated up
    to 15 minutes after its receipt counts as heard of at once.
    """
    sources: dict[tuple[str, str], list[Scan]] = {}
    for scan in parcel.scans:
        sources.setdefault((scan.source, scan.account), []).append(scan)
    waits = [
        max(0, int((scan.received_at - scan.occurred_at).total_seconds()))
        for told in sources.values()
        for scan in _news(told)
        if scan.in_hand and scan.trusted
    ]
    scans = sum(1 for _ in parcel.movements())
    return tuple(sorted(waits)), scans - len(waits)


def _news(told: list[Scan]) -> Iterator[Scan]:
    """The scans of one source, in the order of their own time, that were news as they came."""
    tellings: list[list[Scan]] = []
    for scan in sorted(told, key=lambda scan: scan.received_at):
        if tellings and scan.received_at - tellings[-1][-1].received_at <= PAUSE:
            tellings[-1].append(scan)
        else:
            tellings.append([scan])
    for place, telling in enumerate(tellings):
        if place or len(telling) == 1:
            yield max(telling, key=_in_time)


def _in_time(scan: Scan) -> tuple[datetime, int, str]:
    return scan.occurred_at, RANK[scan.status], scan.identity
