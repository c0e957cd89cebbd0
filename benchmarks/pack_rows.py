"""The default pack's clocks and an order's plain facts, as data for rules engines.

What it takes to read facts out of an order (which scan was the first, which of them proves
something) is done beforehand, by the product's own functions: the engines are not asked for it.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from benchmarks.conditions import At, Facts, Row
from shipclock.domain.composition import Package
from shipclock.domain.fields import HARD, METRIC
from shipclock.domain.order import (
    AWAITING_COLLECTION,
    CANCELLED,
    DELIVERED,
    IN_TRANSIT,
    SELLER,
    TIKTOK,
    Order,
)
from shipclock.domain.stops import (
    at_scan,
    by_scans,
    deliveries,
    first,
    first_movement,
    order_delivered,
)
from shipclock.domain.tracking import Scan, TrackingStatus
from shipclock.rules import delivery_period, status_update, untracked
from shipclock.rules.policy import Policy


def rows(policy: Policy) -> Iterator[Row]:
    """One row for every clock of the pack and every deadline field of the marketplace.

    Left out are those that none of the benchmark's orders can have (damage, second attempts, a
    strange carrier): so much less for the engines to look at. Ours looks at all of them.
    """
    length = {name: (c.hours or 0) * 3600 for name, c in policy.pack.clauses.items()}
    started, created = At("started"), At("created")
    for field, status in (HARD | METRIC).items():
        yield Row(field, At(field), created, status, needs=(field,))

    due, instead = At("started", length["status_update"]), status_update.REPLACED_BY
    yield Row("status_update", due, started, AWAITING_COLLECTION, gives_way_to=instead)

    due, instead = At("started", length["untracked"]), untracked.REPLACED_BY
    yield Row("untracked", due, started, "moved", "doubt_moved", gives_way_to=instead)

    due, needs = At("collected", length["collected_to_shipped"]), ("by_tiktok", "collected")
    yield Row("collected_to_shipped", due, At("collected"), IN_TRANSIT, needs=needs)

    due, needs = At("started", length["not_acknowledged"]), ("by_seller", "scanned")
    lost = Row("not_acknowledged", due, started, "arrived", "doubt_arrived", needs=needs)
    yield lost
    yield replace(lost, name="abnormal_delivery/deemed_lost", starts=due, deemed=True)

    due = At("period")
    late = Row("delivery_period", due, created, "delivered", "doubt_delivered", needs=("period",))
    yield late
    yield replace(late, name="abnormal_delivery/deemed_delayed", starts=due, deemed=True)

    due, needs = At("handed_over"), ("by_seller", "handed_over")
    yield Row("delivered_unproven", due, due, "proven", "doubt_proven", needs=needs)


def facts(order: Order, now: datetime) -> Facts:
    """An order with one parcel at most, as Unix seconds. A stop of which nobody can say when it was
    stands under its name and under `doubt_` and its name."""
    assert order.facts is not None
    assert len(order.packages) <= 1
    told = order.facts
    package = order.packages[0] if order.packages else Package("")
    back = by_scans(package, TrackingStatus.RETURNED)
    handed_over = [s for s in scans(package) if s.status is TrackingStatus.DELIVERED]
    stops = {
        "moved": first_movement(order),
        "arrived": first((*deliveries(order, package), *back)),
        "delivered": order_delivered(order),
        "proven": first(at_scan(scan) for scan in handed_over if scan.proven),
    }
    statuses = AWAITING_COLLECTION, IN_TRANSIT, DELIVERED, CANCELLED
    sure = [scan.occurred_at for scan in scans(package) if scan.in_hand and scan.trusted]
    period = delivery_period.promised(order)
    known = {
        "now": now,
        "created": told.create_time,
        "started": order.starts_at,
        "by_seller": now if told.shipping_type == SELLER else None,
        "by_tiktok": now if told.shipping_type == TIKTOK else None,
        "collected": min(sure, default=told.collection_time),
        "scanned": order.first_scan.occurred_at if order.first_scan else None,
        "handed_over": handed_over[0].occurred_at if handed_over else None,
        "period": period[1] if period else None,
        **{field: told.deadlines.get(field) for field in HARD | METRIC},
        **{name: stop.at if stop else None for name, stop in stops.items()},
        **{f"doubt_{n}": s.at if s and not s.trusted else None for n, s in stops.items()},
        **{status: order.reached_at(status) for status in statuses},
    }
    return {name: int(at.timestamp()) if at else None for name, at in known.items()}


def scans(package: Package) -> tuple[Scan, ...]:
    """The scans of its parcel."""
    return package.parcel.scans if package.parcel else ()
