"""What the hub shows: read from the same rows, folded by the same functions as settle uses."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from typing import Annotated, Any

from pydantic import BaseModel, PlainSerializer, WithJsonSchema

from shipclock import codec, rows
from shipclock.domain.event import Hint, Snapshot
from shipclock.domain.order import STAGES, Order
from shipclock.domain.times import parse, stamp
from shipclock.domain.tracking import Scan
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Row, Store
from shipclock.settle import Settled, judge, read_book
from shipclock.sources.signatures import same

Instant = Annotated[
    datetime,
    PlainSerializer(stamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-10T18:04:00Z"]}),
]


class PackageView(BaseModel):
    """One package; `package_id` is null for a linked number that belongs to none yet."""

    package_id: str | None
    tracking_number: str | None
    carrier: str | None
    tracking_status: str | None
    failed_attempts: int


class ClockView(BaseModel):
    """One clock, running or finished, as of the order's `settled_at`."""

    name: str
    package_id: str | None
    due_at: Instant
    set_by: str
    state: str


class VerdictView(BaseModel):
    """What a missed clock said."""

    rule: str
    package_id: str | None
    state: str
    due_at: Instant
    noticed_at: Instant
    clause: str
    explanation: str


class ReminderView(BaseModel):
    """One reminder of a local day."""

    clock: str
    local_day: str
    at: Instant


class PushView(BaseModel):
    """One thing the marketplace was, will be or can't be told."""

    call: str
    state: str
    attempts: int
    reason: str | None
    advice: str | None
    package_id: str | None
    tracking_number: str | None


class EventView(BaseModel):
    """One fact, in the order in which the facts happened."""

    kind: str
    at: Instant
    source: str
    status: str | None = None
    tracking_number: str | None = None
    raw_code: str | None = None
    reason: str | None = None
    location: str | None = None
    delivered_to: str | None = None
    proof: str | None = None
    suspect: bool = False


class OrderView(BaseModel):
    """One order, whole (DESIGN 6)."""

    order_id: str
    shop_id: str
    status: str
    stage: str
    shipping_type: str | None
    settled_at: Instant
    packages: list[PackageView]
    clocks: list[ClockView]
    verdicts: list[VerdictView]
    reminders: list[ReminderView]
    prepared: list[dict[str, Any]]
    pushes: list[PushView]
    events: list[EventView]


class OrderLine(BaseModel):
    """One order in a list."""

    order_id: str
    shop_id: str
    status: str
    stage: str
    shipping_type: str | None
    next_clock: str | None
    next_due_at: Instant | None


class OrderList(BaseModel):
    """A page of orders, the next due first. `next` starts the next page; null: there is none."""

    orders: list[OrderLine]
    next: str | None


class QuarantineLine(BaseModel):
    """One delivery that waits for a person."""

    delivery: str
    source: str
    received_at: Instant
    reason: str


class QuarantineList(BaseModel):
    """A page of quarantined deliveries, the oldest first."""

    deliveries: list[QuarantineLine]
    next: str | None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks. `shops` limits what is shown; empty: all shops."""

    role: str
    shops: tuple[str, ...] = ()

    def may_see(self, shop_id: str) -> bool:
        """Whether this shop is shown to them."""
        return not self.shops or shop_id in self.shops


ROLES = {
    "owner": frozenset({"orders", "due", "quarantine"}),
    "viewer": frozenset({"orders", "due"}),
    "packer": frozenset({"orders"}),
}
"""What each role may read."""


def visitor(authorization: str, secret: Mapping[str, Any]) -> Visitor | None:
    """Who a Bearer header belongs to; None where it fits no token of the hub's secret.

    The secret is `{"tokens": [{"token", "role", "shops"}, …]}`, or one such entry alone, as the
    template generates it.
    """
    scheme, _, given = authorization.partition(" ")
    found = None
    for entry in secret.get("tokens", [secret]):
        token = str(entry.get("token", ""))
        if same(token, given.strip()) and token and scheme.lower() == "bearer":
            found = Visitor(str(entry.get("role", "")), tuple(entry.get("shops", ())))
    return found


def order_view(store: Store, order_id: str, real: datetime) -> OrderView | None:
    """One order as of its last settle; None where it was never settled."""
    book = read_book(store, order_id)
    head = book.one(rows.HEAD)
    if head is None:
        return None
    settled_at = parse(head["settled_at"])
    settled = judge(store, book, lambda shop_id: _shop(store, shop_id), settled_at, real)
    order = settled.order
    notices = [codec.read_notice(row) for row in book.under(rows.NOTICE)]
    return OrderView(
        order_id=order_id,
        shop_id=order.shop_id,
        status=order.status,
        stage=order.stage,
        shipping_type=(order.facts.shipping_type or None) if order.facts else None,
        settled_at=settled_at,
        packages=_packages(order),
        clocks=_clocks(settled, settled_at),
        verdicts=_verdicts(settled),
        reminders=[
            ReminderView(clock=n.clock, local_day=n.day, at=n.at)
            for n in sorted(notices, key=lambda n: n.at)
            if n.kind == "reminder"
        ],
        prepared=[],
        pushes=_pushes(settled),
        events=_events(order, [codec.read_event(row) for row in book.under(rows.EVENT)]),
    )


def _shop(store: Store, shop_id: str) -> Shop | None:
    row = store.get((rows.shop_pk(shop_id), rows.LANE))
    return codec.read_shop(row) if row else None


def _packages(order: Order) -> list[PackageView]:
    return [
        PackageView(
            package_id=package.package_id or None,
            tracking_number=package.tracking_number or None,
            carrier=(package.parcel.carrier if package.parcel else "") or _shipper(order) or None,
            tracking_status=package.parcel.status.value if package.parcel else None,
            failed_attempts=package.parcel.failed_attempts if package.parcel else 0,
        )
        for package in order.packages
    ]


def _shipper(order: Order) -> str:
    """Who ships the order as the marketplace tells it, where no scan named a carrier."""
    return order.facts.shipping_provider if order.facts else ""


def _clocks(settled: Settled, settled_at: datetime) -> list[ClockView]:
    clocks = [tick.clock for tick in settled.decision.timeline]
    return [
        ClockView(
            name=clock.name,
            package_id=clock.package_id or None,
            due_at=clock.due_at,
            set_by=clock.set_by,
            state=clock.state(settled_at).value,
        )
        for clock in sorted(clocks, key=lambda clock: (clock.due_at, clock.name))
    ]


def _verdicts(settled: Settled) -> list[VerdictView]:
    return [
        VerdictView(
            rule=verdict.rule,
            package_id=verdict.package_id or None,
            state=verdict.state.value,
            due_at=verdict.due_at,
            noticed_at=verdict.noticed_at,
            clause=verdict.clause,
            explanation=verdict.explanation,
        )
        for _, verdict in sorted(settled.recorded.verdicts.items())
    ]


def _pushes(settled: Settled) -> list[PushView]:
    return [
        PushView(
            call=intent.call,
            state=intent.state.value,
            attempts=intent.attempts,
            reason=intent.reason or None,
            advice=intent.advice or None,
            package_id=intent.package_id or None,
            tracking_number=intent.tracking_number or None,
        )
        for _, intent in sorted(settled.recorded.intents.items())
    ]


def _events(order: Order, told: Iterable[object]) -> list[EventView]:
    views = [_scan_view(scan) for parcel in order.parcels for scan in parcel.scans]
    for event in told:
        if isinstance(event, Hint):
            at = event.update_time or event.received_at
            source = f"webhook {event.topic}"
            views.append(EventView(kind="hint", at=at, source=source, status=event.status or None))
        elif isinstance(event, Snapshot):
            facts = event.facts
            views.append(
                EventView(
                    kind="order_detail",
                    at=facts.update_time,
                    source="marketplace",
                    status=facts.status,
                )
            )
    return sorted(views, key=lambda view: (view.at, view.kind, view.source))


def _scan_view(scan: Scan) -> EventView:
    return EventView(
        kind="tracking",
        at=scan.occurred_at,
        source=scan.source,
        status=scan.status.value,
        tracking_number=scan.written or scan.number,
        raw_code=scan.raw_code,
        reason=scan.reason or None,
        location=scan.location or None,
        delivered_to=scan.delivered_to or None,
        proof=scan.proof or None,
        suspect=scan.suspect,
    )


def order_list(
    store: Store,
    shops: Iterable[str],
    stages: Iterable[str],
    limit: int,
    start: str | None,
    due_by: datetime | None = None,
) -> OrderList:
    """A page of the orders of some shops at some stages, the next due first.

    `due_by` leaves out those without a running clock that runs out by then.
    """
    until = stamp(due_by) + "~" if due_by else "~"
    pages = [
        store.board(rows.board_partition(shop, stage, shard), limit + 1, start).rows
        for shop in shops
        for stage in stages
        for shard in range(rows.BOARD_SHARDS)
    ]
    in_order = merge(*pages, key=lambda row: row["board_at"])
    found = [row for row in in_order if row["board_at"] <= until][: limit + 1]
    more = len(found) > limit
    shown = found[:limit]
    return OrderList(
        orders=[_line(row) for row in shown], next=shown[-1]["board_at"] if more else None
    )


def _line(row: Row) -> OrderLine:
    return OrderLine(
        order_id=row["order_id"],
        shop_id=row["shop_id"],
        status=row["status"],
        stage=row["stage"],
        shipping_type=row["shipping_type"] or None,
        next_clock=row["next_clock"] or None,
        next_due_at=parse(row["next_due_at"]) if row["next_due_at"] else None,
    )


def quarantine_list(store: Store, limit: int, start: str | None) -> QuarantineList:
    """A page of the deliveries that wait for a person."""
    page = store.board(rows.QUARANTINE, limit, start)
    lines = [
        QuarantineLine(
            delivery=row["pk"].removeprefix("DELIVERY#"),
            source=row["source"],
            received_at=parse(row["received_at"]),
            reason=row["reason"],
        )
        for row in page.rows
    ]
    return QuarantineList(deliveries=lines, next=page.next)


def connected_shops(store: Store, who: Visitor) -> list[str]:
    """The shops ever connected that this visitor may see."""
    return [row["sk"] for row in store.read(rows.SHOPS) if who.may_see(row["sk"])]


def every_stage() -> tuple[str, ...]:
    """All columns of the board."""
    return (*dict.fromkeys(STAGES.values()), "unknown")


START = re.compile(r"(9|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00))#[\w-]{1,64}")
"""What `next` of a page looks like: a time and an id, or 9 where no clock runs."""


def page_start(text: str | None) -> str | None:
    """The start of a page as an earlier page's `next` gave it; raises ValueError telling so."""
    if text is not None and not START.fullmatch(text):
        raise ValueError("start: send what the page before gave as next")
    return text


UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def within(text: str) -> timedelta:
    """A span as `90m`, `24h` or `7d`; raises ValueError telling so."""
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not number.isascii() or not number.isdigit() or len(number) > 5:
        raise ValueError("within: write a span as 90m, 24h or 7d")
    return int(number) * UNITS[unit]
