"""When a parcel may arrive, and what that rests on. Pure."""

from dataclasses import dataclass
from datetime import datetime

from shipclock.domain.order import Order
from shipclock.domain.stops import order_delivered
from shipclock.rules.delivery_period import promised


@dataclass(frozen=True, slots=True)
class Estimate:
    """An instant by which delivery is expected; `basis` says in words whose word it is."""

    at: datetime
    basis: str


def estimate(order: Order, now: datetime) -> Estimate | None:
    """The carrier's newest estimate, else the marketplace's promise; None once it has arrived,
    was cancelled, or nobody has named a time. One that is over by `now` says so.

    Of several packages the latest counts: the order is there when all of them are.
    """
    if order.ended or order_delivered(order):
        return None
    told = [
        newest
        for parcel in order.parcels
        if (
            newest := max(
                (scan for scan in parcel.scans if scan.estimated_at),
                key=lambda scan: (scan.received_at, scan.occurred_at),
                default=None,
            )
        )
    ]
    if told and len(told) == len([p for p in order.packages if p.tracking_number]):
        last = max(told, key=lambda scan: scan.estimated_at or scan.occurred_at)
        if last.estimated_at:
            return _by(last.estimated_at, f"the carrier's estimate, told by {last.source}", now)
    end = promised(order)
    return _by(end[1], f"the marketplace's {end[0]}", now) if end else None


def _by(at: datetime, basis: str, now: datetime) -> Estimate:
    return Estimate(at, basis if now <= at else f"{basis}, which is over")
