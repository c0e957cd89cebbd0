"""One order as the hub shows it: read from its rows, folded and judged as settle does."""

from collections.abc import Iterable
from datetime import datetime

from shipclock import chain, codec, rows
from shipclock.book import Book, read_book
from shipclock.connect import CONNECT_AGAIN
from shipclock.domain.clock import Clock, ClockState
from shipclock.domain.composition import Package
from shipclock.domain.detection import candidates
from shipclock.domain.event import CaseChange, Hint, PackageRead, Request, Snapshot
from shipclock.domain.order import CANCELLED, Order
from shipclock.domain.push import OPEN, Intent
from shipclock.domain.times import parse
from shipclock.domain.tracking import Scan
from shipclock.drift import drift
from shipclock.estimate import estimate
from shipclock.judge import Settled, judge
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Handover
from shipclock.order_incidents import order_incidents
from shipclock.ports import Store
from shipclock.remedies import Prepared, prepared
from shipclock.rules.incidents import carrier_of
from shipclock.rules.packs import PolicyError
from shipclock.shops import Shops
from shipclock.tasks import tasks
from shipclock.views import (
    CancellationView,
    CancelRequestView,
    ClockView,
    DriftView,
    EstimateView,
    EventView,
    EvidenceView,
    HandoverView,
    NoticeView,
    OrderView,
    PackageView,
    PreparedView,
    PushView,
    ReminderView,
    SlotView,
    TaskView,
    VerdictView,
)
from shipclock.wishes import REMEDIES


def order_view(store: Store, order_id: str, real: datetime) -> OrderView | None:
    """One order as of its last settle; None where it was never settled. Where the shop's pack is
    not there it has no clocks, and a task that says so."""
    book = read_book(store, order_id)
    head = book.one(rows.HEAD)
    if head is None:
        return None
    settled_at = parse(head["settled_at"])
    shop_met, unruled = Shops(store).get, ""
    try:
        settled = judge(store, book, shop_met, settled_at, real)
    except PolicyError as error:
        unruled = str(error)
        settled = judge(store, book, shop_met, settled_at, real, ruled=False)
    order = settled.order
    notices = [codec.read_notice(row) for row in book.under(rows.NOTICE)]
    expected = estimate(order, settled_at)
    return OrderView(
        order_id=order_id,
        shop_id=order.shop_id,
        status=order.status,
        stage=order.stage,
        shipping_type=(order.facts.shipping_type or None) if order.facts else None,
        settled_at=settled_at,
        packages=_packages(order, book),
        clocks=_clocks(settled, settled_at),
        verdicts=_verdicts(settled),
        reminders=[
            ReminderView(clock=n.clock, local_day=n.day, at=n.at)
            for n in sorted(notices, key=lambda n: n.at)
            if n.kind == "reminder"
        ],
        prepared=_prepared(settled),
        tasks=[_no_pack(order.shop_id, unruled)] if unruled else _tasks(settled),
        pushes=_pushes(settled),
        events=_events(order, [codec.read_event(row) for row in book.under(rows.EVENT)]),
        notices=[
            NoticeView(kind=n.kind, about=n.clock, at=n.at, text=n.text)
            for n in sorted(notices, key=lambda n: (n.at, n.key))
            if n.kind != "reminder"
        ],
        cancellation=_cancellation(settled),
        cancel_request=_cancel_request(order),
        estimate=EstimateView(at=expected.at, basis=expected.basis) if expected else None,
        drift=_drift(settled, settled_at),
        incidents=order_incidents(settled),
        evidence=_evidence(book),
    )


def _evidence(book: Book) -> EvidenceView | None:
    """The chain's head; None of an order that was not settled since facts are chained."""
    links = chain.read(book.rows)
    if links.since is None:
        return None
    return EvidenceView(
        head=links.anchor.head, links=links.anchor.links, facts=links.facts, since=links.since
    )


def _packages(order: Order, book: Book) -> list[PackageView]:
    reads = {read.package_id: read for read in order.package_reads}
    return [_package(package, book, reads.get(package.package_id)) for package in order.packages]


def _package(package: Package, book: Book, read: PackageRead | None) -> PackageView:
    row = book.one(rows.HANDOVER + package.package_id) if package.package_id else None
    carrier = carrier_of(package)
    return PackageView(
        package_id=package.package_id or None,
        tracking_number=package.tracking_number or None,
        carrier=carrier or None,
        tracking_status=package.parcel.status.value if package.parcel else None,
        failed_attempts=package.parcel.failed_attempts if package.parcel else 0,
        marketplace_status=(read.sub_status if read else "") or package.status or None,
        exception=(read.exception or None) if read else None,
        pickup_from=read.pickup_from if read else None,
        pickup_until=read.pickup_until if read else None,
        handover=_handover(codec.read_handover(row)) if row else None,
        carrier_candidates=[
            one.carrier for one in candidates(package.tracking_number) if not carrier
        ],
    )


def _handover(told: Handover) -> HandoverView:
    return HandoverView(
        can_pick_up=told.can_pick_up,
        can_drop_off=told.can_drop_off,
        drop_off_url=told.drop_off_url or None,
        slots=[SlotView(begins=s.begins, ends=s.ends, available=s.available) for s in told.slots],
    )


def _clocks(settled: Settled, now: datetime) -> list[ClockView]:
    ticking = [tick for tick in settled.decision.timeline if not tick.rule.finding]
    clocks = [tick.clock for tick in ticking if not _only_foreseen(tick.clock, now)]
    return [
        ClockView(
            name=clock.name,
            package_id=clock.package_id or None,
            due_at=clock.due_at,
            set_by=clock.set_by,
            state=clock.state(now).value,
            tracking_number=clock.number or None,
            cause=clock.cause or None,
        )
        for clock in sorted(clocks, key=lambda clock: (clock.due_at, clock.name, clock.part))
    ]


def _only_foreseen(clock: Clock, now: datetime) -> bool:
    """What would be missed at once has nothing to show before it has happened."""
    return clock.at_once and clock.state(now) in (ClockState.WAITING, ClockState.STOPPED)


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
            tracking_number=verdict.number or None,
            cause=verdict.cause or None,
        )
        for _, verdict in sorted(settled.recorded.verdicts.items())
    ]


def _prepared(settled: Settled) -> list[PreparedView]:
    about = settled.situation
    if about.shop is None or about.policy is None:
        return []
    verdicts = settled.recorded.verdicts.values()
    market = MARKETPLACES[about.shop.marketplace]
    return [
        PreparedView(
            kind=item.kind,
            state=_prepared_state(item, settled),
            rule=item.rule,
            cause=item.cause,
            package_id=item.package_id or None,
            tracking_number=item.number or None,
            text=item.text,
            verdict=item.verdict,
        )
        for item in prepared(settled.order, verdicts, market, about.shop, about.policy)
    ]


def _tasks(settled: Settled) -> list[TaskView]:
    policy = settled.situation.policy
    if policy is None:
        return []
    return [
        TaskView(
            kind=task.kind,
            rule=task.rule,
            where=task.where,
            by=task.by,
            package_id=task.package_id or None,
            tracking_number=task.number or None,
            text=task.text,
        )
        for task in tasks(settled.order, settled.recorded.verdicts.values(), policy)
    ]


def _no_pack(shop_id: str, why: str) -> TaskView:
    return TaskView(
        kind="pack",
        rule="",
        where="a shell: shipclock shops set",
        by=None,
        package_id=None,
        tracking_number=None,
        text=f"The order's clocks can't be worked out, and nothing settles it: {why}. Deploy that "
        f"pack, or have another rule the shop: `shipclock shops set {shop_id} --pack NAME`.",
    )


def _cancel_request(order: Order) -> CancelRequestView | None:
    if not order.cancel_open:
        return None
    return CancelRequestView(
        case_id=order.cancel_case or None,
        asked_at=order.cancel_asked_at,
        answer_by=order.cancel_by,
    )


def _prepared_state(item: Prepared, settled: Settled) -> str:
    """Whether it still waits for a person; else how far the push is that carries it out."""
    intents = settled.recorded.intents.values()
    mine = [i for i in intents if i.deed is REMEDIES[item.kind]]
    told = [i for i in mine if i.says.get("text", item.text) == item.text]
    return told[-1].state.value if told else "waiting"


def _cancellation(settled: Settled) -> CancellationView | None:
    facts, shop = settled.order.facts, settled.situation.shop
    at = settled.order.reached_at(CANCELLED)
    if facts is None or shop is None or at is None:
        return None
    return CancellationView(
        at=at,
        by=facts.cancelled_by or None,
        reason=facts.cancel_reason or None,
        meaning=MARKETPLACES[shop.marketplace].cancel_words(facts.cancel_reason) or None,
    )


def _drift(settled: Settled, now: datetime) -> list[DriftView]:
    recorded = settled.recorded
    return [
        DriftView(
            what=found.what,
            ours=found.ours,
            theirs=found.theirs,
            since=found.since,
            advice=found.advice,
        )
        for found in drift(settled.order, recorded.intents.values(), now, recorded.read)
    ]


NOT_CONNECTED = (
    "the shop is not connected",
    f"{CONNECT_AGAIN} Then this goes on by itself.",
)


def _pushes(settled: Settled) -> list[PushView]:
    return [_push(intent, settled) for _, intent in sorted(settled.recorded.intents.items())]


def _push(intent: Intent, settled: Settled) -> PushView:
    cut_off = intent.state in OPEN and not settled.situation.connected
    reason, advice = NOT_CONNECTED if cut_off else (intent.reason, intent.advice)
    return PushView(
        call=intent.call,
        state=intent.state.value,
        attempts=intent.attempts,
        reason=reason or None,
        advice=advice or None,
        package_id=intent.package_id or None,
        tracking_number=intent.tracking_number or None,
    )


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
        elif isinstance(event, PackageRead):
            views.append(_package_event(event))
        elif isinstance(event, Request):
            source = event.by or "a person"
            status = f"{event.deed} taken back" if event.revoked else event.deed
            views.append(EventView(kind="request", at=event.asked_at, source=source, status=status))
        elif isinstance(event, CaseChange):
            source = f"marketplace {event.case}"
            views.append(
                EventView(kind="case", at=event.update_time, source=source, status=event.status)
            )
    return sorted(views, key=lambda view: (view.at, view.kind, view.source))


def _package_event(read: PackageRead) -> EventView:
    return EventView(
        kind="package",
        at=read.update_time or read.as_of or read.requested_at,
        source="marketplace",
        status=read.sub_status or read.status or None,
        tracking_number=read.tracking_number or None,
        reason=read.exception or None,
    )


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
        flags=list(scan.flags),
    )
