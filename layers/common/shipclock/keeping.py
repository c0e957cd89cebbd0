"""How long raw deliveries outlive their own time: for as long as somebody may have to show them.

A delivery ends `RawDays` after it came. That is enough for most orders and not for all: one that is
ordered long before its release, or that drags on, outlives its first webhooks. So settling an order
moves the end of the deliveries that its facts cite, where they would end while it is open or may
still be claimed for. Of an order that moves on quickly nothing is written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shipclock import rows
from shipclock.domain.order import Order
from shipclock.domain.times import from_unix
from shipclock.ports import ABSENT, Below, Change, Row
from shipclock.tasks import CLAIMED_WITHIN

RAW_KEPT = timedelta(days=180)
"""`RawDays` where nobody has said otherwise."""

AFTER_END = CLAIMED_WITHIN + timedelta(days=20)
"""From an order's last news to the end of its deliveries: a claim also takes its time."""

FURTHER = timedelta(days=180)
"""By how much the end of an open order's deliveries is moved at a time, at least."""

AHEAD = timedelta(days=30)
"""How much time an open order's deliveries have left at least once it was settled."""

SILENT = timedelta(days=400)
"""An order that has not ended and of which nothing was heard for so long counts as ended: personal
data is not kept for what the marketplace itself has forgotten."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a settle does for the deliveries: writes to be made before its own, what the head notes
    of them, and in what time, if at all, the order must be settled again."""

    writes: tuple[Change, ...] = ()
    head: Row = field(default_factory=dict)
    again: timedelta | None = None


def keeping(
    order: Order, facts: Iterable[Row], head: Row | None, raw_kept: timedelta, real: datetime
) -> Keeping:
    """What is to be done at the real time `real` so that no delivery ends too early that an order's
    facts cite. `facts` are its rows, `raw_kept` is how long a delivery is kept by itself."""
    received = _received(order, facts)
    if not received:
        return Keeping()
    moved = _moved_all(received, head or {})
    ends = {name: _end(at, moved, raw_kept) for name, at in received.items()}
    ahead, first = min(AHEAD, raw_kept / 2), min(ends.values())
    last = _last_news(order, real)
    if order.ended or real - last > SILENT:
        until = last + AFTER_END
        return _moved(ends, until, real) if first < until else Keeping()
    if first <= real + ahead:
        until = real + max(raw_kept, FURTHER)
        return _moved(ends, until, real, until - real - ahead / 2)
    return Keeping(again=first - real - ahead / 2)


def _moved(
    ends: Mapping[str, datetime], until: datetime, real: datetime, again: timedelta | None = None
) -> Keeping:
    expires_at = int(until.timestamp())
    writes = tuple(
        Change(
            (f"{rows.DELIVERY}#{name}", rows.DELIVERY),
            set={"expires_at": expires_at},
            # One in quarantine has no end, and must not get one.
            when={"expires_at": Below(expires_at), "board_pk": ABSENT},
        )
        for name, end in sorted(ends.items())
        if end < until
    )
    noted = {"raw_moved_at": int(real.timestamp()), "raw_until": expires_at, "raw_moved": len(ends)}
    return Keeping(writes, noted, again)


def _moved_all(received: Mapping[str, datetime], head: Row) -> Row:
    """What the head notes of an earlier move, as long as it was of all that had come by then: of a
    number that was linked since, the deliveries were not among them, and all are moved again."""
    by_then = [at for at in received.values() if at.timestamp() <= head.get("raw_moved_at", 0)]
    return head if len(by_then) <= head.get("raw_moved", len(by_then)) else {}


def _end(received_at: datetime, moved: Row, raw_kept: timedelta) -> datetime:
    """When a delivery ends: by itself, or where an earlier settle has moved it."""
    own = received_at + raw_kept
    if received_at.timestamp() <= moved.get("raw_moved_at", 0):
        return max(own, from_unix(moved["raw_until"]))
    return own


def _received(order: Order, facts: Iterable[Row]) -> dict[str, datetime]:
    """When each delivery came that is cited; of one that brought no more than a link, or a scan
    that does not count for the order, the earliest of the others."""
    known = {(rows.order_pk(order.order_id), h.identity): h.received_at for h in order.hints}
    known |= {
        (rows.number_pk(scan.number), scan.identity): scan.received_at
        for parcel in order.parcels
        for scan in parcel.scans
    }
    found: dict[str, datetime | None] = {}
    for row in facts:
        if name := row.get("via"):
            at = known.get((row["pk"], row["sk"].removeprefix(rows.EVENT)))
            found[name] = min(filter(None, (at, found.get(name))), default=None)
    earliest = min(filter(None, found.values()), default=None)
    return {name: at or earliest for name, at in found.items()} if earliest else {}


def _last_news(order: Order, real: datetime) -> datetime:
    """The newest instant that anything is known of: past, or ahead where it is known to come."""
    told = [scan.occurred_at for parcel in order.parcels for scan in parcel.scans]
    told += [read.update_time for read in order.package_reads if read.update_time]
    told += [case.update_time for case in order.cases]
    told += [hint.received_at for hint in order.hints]
    if order.facts is not None:
        told.append(order.facts.update_time)
    past = [at for at in told if at <= real]  # somebody's clock may be far ahead
    coming = order.facts.release_date if order.facts and not order.ended else None
    return max([*past, *filter(None, [coming])], default=real)
