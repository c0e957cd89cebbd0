"""A second evaluation of the clocks, slow and plain, to hold the product's against (DESIGN 5).

It is written from the design and the providers' pages. It shares no code with the rules, the fold
and the clock's own judgement, works from the facts as they were told, and keeps nothing from one
look to the next but what it said itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from shipclock.domain.carrier import differ
from shipclock.domain.event import CaseChange, Hint, Link, OrderFacts, PackageRead, Snapshot
from shipclock.domain.tracking import Scan
from tests.rules.stepping import Table, dues

Fact = Snapshot | PackageRead | CaseChange | Hint | Scan | Link
"""What anybody told of the order. A link says that a number belongs to it."""

State = Literal["stopped", "met", "missed", "waiting", "running"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# The guide's figures, said once more on purpose (DESIGN 2).
TO_UPDATE_THE_STATUS = 120 * HOUR
TO_SHIP_WHAT_WAS_COLLECTED = 48 * HOUR
TO_ACKNOWLEDGE = 12 * DAY
TO_TRACK = 15 * DAY
TO_THE_FIRST_REMINDER = 120 * HOUR
REMINDED_AT = time(9)
WARNED_BEFORE = 24 * HOUR
WARNED_OF_A_REQUEST_BEFORE = 6 * HOUR
NEARING = ((1, "critical"), (6, "urgent"), (24, "ordinary"))
"""Hours before the marketplace cancels, the nearest first."""
ATTEMPTS = 2
TO_HEAR_OF_A_PARCEL = 4 * DAY
"""No figure of the guide's: the pack that the lives are judged by has it."""

DELAYED = "deem_delayed"
"""What a pack's deadline may come to, beside an alert."""

LADDER = (
    "UNPAID",
    "ON_HOLD",
    "AWAITING_SHIPMENT",
    "PARTIALLY_SHIPPING",
    "AWAITING_COLLECTION",
    "IN_TRANSIT",
    "DELIVERED",
    "COMPLETED",
)
"""How an order gets on (`tiktok-shop.md` 4.1)."""

LINES = {
    "rts_sla_time": "AWAITING_COLLECTION",
    "shipping_due_time": "AWAITING_COLLECTION",
    "tts_sla_time": "IN_TRANSIT",
    "collection_due_time": "IN_TRANSIT",
    "cancel_order_sla_time": "IN_TRANSIT",
    "pick_up_cut_off_time": "IN_TRANSIT",
    "delivery_sla_time": "DELIVERED",
    "delivery_option_required_delivery_time": "DELIVERED",
    "delivery_due_time": "DELIVERED",
    "instore_pickup_sla_time": "DELIVERED",
}
"""The metric and hard lines, and the status that each one wants (`tiktok-shop.md` 4.3)."""

HARD_LINES = ("shipping_due_time", "collection_due_time", "delivery_due_time")
LEGACY_LINE = "cancel_order_sla_time"
PROMISES = ("delivery_sla_time", "delivery_option_required_delivery_time", "delivery_due_time")

NOT_OURS = ("FULFILLMENT_BY_TIKTOK", "FULFILLMENT_BY_DILAYANI_TOKOPEDIA")
NOTHING_TO_SHIP = "TIKTOK_DIGITAL"

STATUS_OF = {
    "ready_to_ship": "AWAITING_COLLECTION",
    "in_transit": "IN_TRANSIT",
    "delivered": "DELIVERED",
}
"""What a pack's deadlines start and stop with, as the marketplace's statuses."""

PROGRESS = (
    "info_received",
    "pickup_failed",
    "picked_up",
    "in_transit",
    "on_hold",
    "out_for_delivery",
    "delivery_attempt_failed",
    "available_for_pickup",
    "delivered",
    "delayed",
    "damaged",
    "lost",
    "disposed",
    "returning",
    "returned",
    "cancelled",
    "expired",
    "unknown",
)
"""The parcel's statuses in the order of `carriers.md` 1.2."""

ASKED = "CANCELLATION_REQUEST_PENDING"
AGREED = ("CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_COMPLETE")
"""What becomes of a wish to cancel (`tiktok-shop.md` 3.6); any other word ends it too."""

ENDS = ("delivered", "lost", "disposed", "returned", "cancelled")
NOT_MOVED = ("info_received", "unknown", "expired", "pickup_failed", "cancelled")
AHEAD_OF_ITS_RECEIPT = timedelta(minutes=15)


class Said(NamedTuple):
    """An instant at which something happened, and whether its source may be believed about it."""

    at: datetime
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Package:
    """One package, and its parcel's scans in the order in which they happened."""

    package_id: str
    number: str
    provider: str
    scans: tuple[Scan, ...]

    @property
    def name(self) -> str:
        """What tells it from the order's other packages."""
        return self.number or self.package_id


NO_PACKAGE = Package("", "", "", ())


@dataclass(frozen=True, slots=True)
class Course:
    """A clock as the facts at hand set it; any of `stops` ends it.

    `replaced` is the field of the marketplace that takes its place, if one does. What comes
    `at_once` stays the same thing where an earlier instant of it becomes known.
    """

    name: str
    part: str
    starts: datetime
    due: datetime
    stops: tuple[Said, ...] = ()
    replaced: str = ""
    at_once: bool = False


class Seen(NamedTuple):
    """What a clock shows at an instant. Only a missed one is `overtaken`; `replaced` is the field
    that took its place."""

    name: str
    part: str
    due: datetime
    state: State
    overtaken: bool
    replaced: str


Named = tuple[str, str, datetime | None]
"""What tells a verdict from others: rule, part of the order, and of a deadline its instant."""


@dataclass(slots=True)
class Book:
    """All that was said of an order so far, one sweep after the other."""

    pack: Table = field(default_factory=dict)
    verdicts: dict[Named, tuple[datetime, str]] = field(default_factory=dict)
    notices: set[tuple[str, ...]] = field(default_factory=set)
    seen: frozenset[Seen] = frozenset()

    def sweep(self, facts: Iterable[Fact], now: datetime, zone: ZoneInfo, by_hand: bool) -> None:
        """Look at the facts that have arrived by `now`, and write down what they come to. The
        deadlines of `pack`, told as its TOML has them, come beside the guide's clocks."""
        order = gather(facts)
        lines = self.pack.get("deadlines", {})
        courses = list(courses_of(order, by_hand, self.pack, zone)) if order else []
        cancelled = order.cancelled if order else None
        self.seen = frozenset(look(course, cancelled, now) for course in courses)
        for named, (due, _) in self.verdicts.items():
            self.verdicts[named] = due, "withdrawn"
        for course in courses:
            seen = look(course, cancelled, now)
            if seen.state == "missed":
                named = course.name, course.part, None if course.at_once else course.due
                self.verdicts[named] = course.due, "overtaken" if seen.overtaken else "standing"
        for course in courses:
            if look(course, cancelled, now).state != "running":
                continue
            if course.name in (*HARD_LINES, LEGACY_LINE, "untracked") or _hard(course, lines):
                self._near(course, now, course.name == "untracked" or course.name in lines)
            if course.name in lines:
                self._warn(course, now, lines[course.name].get("warn_hours", ()))
            elif course.name == "untracked":
                self._remind(course, now, zone)
            elif (
                course.name == "buyer_cancel_request"
                and course.due - now <= WARNED_OF_A_REQUEST_BEFORE
            ):
                self.notices.add(("warning", f"{course.part}#{course.due:%Y-%m-%dT%H:%M:%SZ}"))

    def said(self) -> set[tuple[str | datetime, ...]]:
        """Every verdict (rule, part, instant, state), reminder and final warning so far."""
        verdicts = {
            (name, part, due, state) for (name, part, _), (due, state) in self.verdicts.items()
        }
        return verdicts | self.notices

    def _warn(self, course: Course, now: datetime, hours: Iterable[int]) -> None:
        """Of the warnings that were due by now the last one."""
        due_by_now = [before for before in hours if now >= course.due - before * HOUR]
        if due_by_now:
            about = f"{course.due:%Y-%m-%dT%H:%M:%SZ}/{min(due_by_now)}h"
            self.notices.add(("warning", f"{course.name}#{about}"))

    def _near(self, course: Course, now: datetime, warns_itself: bool) -> None:
        """The marketplace is going to cancel: only the last warning whose time has come."""
        for hours, level in NEARING:
            repeats = warns_itself and level == "ordinary"
            if course.starts <= course.due - hours * HOUR <= now and not repeats:
                day = f"{course.due:%Y-%m-%dT%H:%M:%SZ}#{hours}h"
                self.notices.add(("nearing", course.name, day, level))
                return

    def _remind(self, course: Course, now: datetime, zone: ZoneInfo) -> None:
        first = course.starts + TO_THE_FIRST_REMINDER
        today = now.astimezone(zone).date()
        day, at = first.astimezone(zone).date(), first
        while day < today:
            day += DAY
            at = datetime.combine(day, REMINDED_AT, zone)
        if day == today and now >= at:
            self.notices.add(("reminder", f"{today:%Y-%m-%d}"))
        if now >= course.due - WARNED_BEFORE:
            self.notices.add(("warning", f"{course.due:%Y-%m-%dT%H:%M:%SZ}"))


def _hard(course: Course, lines: Table) -> bool:
    return bool(lines.get(course.name, {}).get("line") == "hard")


def look(course: Course, cancelled: datetime | None, now: datetime) -> Seen:
    """Walk through what happens to a clock until it ends. At one instant a stop comes before the
    cancellation, and both before the clock runs out."""
    happens = [(stop.at, 1, "stop") for stop in course.stops]
    happens.append((course.due, 3, "due"))
    if cancelled is not None:
        happens.append((cancelled, 2, "cancelled"))
    first = "replaced" if course.replaced else min(happens)[2]
    state: State = "running"
    if first in ("replaced", "cancelled"):
        state = "stopped"
    elif first == "stop" or not all(stop.sure for stop in course.stops):
        state = "met"
    elif now >= course.due:
        state = "missed"
    elif now < course.starts:
        state = "waiting"
    overtaken = state == "missed" and bool(course.stops)
    return Seen(course.name, course.part, course.due, state, overtaken, course.replaced)


@dataclass(frozen=True, slots=True)
class Gathered:
    """The facts of one order, sorted out."""

    facts: OrderFacts
    snapshots: tuple[Snapshot, ...]
    reads: tuple[PackageRead, ...]
    packages: tuple[Package, ...]
    cases: tuple[CaseChange, ...]

    @property
    def start(self) -> datetime:
        """Where the clocks that the guide counts from the order begin."""
        if self.facts.order_type == "PRE_ORDER" and self.facts.release_date is not None:
            return self.facts.release_date
        return self.facts.create_time

    @property
    def scanned(self) -> list[Scan]:
        """The scans that show a parcel of it in the carrier's hands."""
        return [scan for package in self.packages for scan in _moves(package.scans)]

    @property
    def collected(self) -> datetime | None:
        """The first of them whose time may be believed."""
        return min((scan.occurred_at for scan in self.scanned if believed(scan)), default=None)

    @property
    def moved(self) -> tuple[Said, ...]:
        """All that shows it on its way."""
        return (*map(_said, self.scanned), *self.reached("IN_TRANSIT"))

    @property
    def handed_over(self) -> tuple[Said, ...]:
        """All that shows the whole of it delivered: by the marketplace, and by the carriers once
        each package is."""
        counted = [p for p in self.packages if p.package_id] or self.packages
        decisive = [_decisive(_deliveries(package)) for package in counted]
        each = [said for said in decisive if said is not None]
        stops = self.reached("DELIVERED")
        if each and len(each) == len(counted):
            stops += (Said(max(said.at for said in each), all(said.sure for said in each)),)
        return stops

    @property
    def cancelled(self) -> datetime | None:
        """When the order was cancelled."""
        told = [s.facts.update_time for s in self.snapshots if s.facts.status == "CANCELLED"]
        if not told:
            return None
        return self.facts.cancel_time or min(told)

    def reached(self, status: str) -> tuple[Said, ...]:
        """When the order got as far as a status: nothing or one instant.

        Comes down the ladder from its end, since an order that got further got here before. A
        field of its own counts once the order is known to have got here or further; of a cancelled
        order, which tells no status but that, the last two fields speak for themselves.
        """
        own = {
            "AWAITING_COLLECTION": self.facts.rts_time,
            "IN_TRANSIT": self.facts.collection_time,
            "DELIVERED": self.facts.delivery_time,
        }
        further: list[datetime] = []
        for rung in reversed(range(len(LADDER))):
            told = [
                s.facts.update_time
                for s in self.snapshots
                if s.facts.status in LADDER and LADDER.index(s.facts.status) >= rung
            ]
            speaks = (
                LADDER[rung] in ("IN_TRANSIT", "DELIVERED") and self.facts.status == "CANCELLED"
            )
            believed = own.get(LADDER[rung]) if told or further or speaks else None
            here = [believed] if believed else sorted([*told, *further])[:1]
            if LADDER[rung] == status:
                return tuple(map(Said, here))
            further += here
        raise ValueError(f"{status} is no status of an order that gets on")


def gather(facts: Iterable[Fact]) -> Gathered | None:
    """Sort out what was told of an order; None if it has no clocks or nobody has asked yet."""
    snapshots: dict[str, Snapshot] = {}
    reads: dict[str, PackageRead] = {}
    scans: dict[str, Scan] = {}
    cases: dict[str, CaseChange] = {}
    linked: set[str] = set()
    for fact in facts:
        if isinstance(fact, Snapshot):
            snapshots[fact.identity] = fact
            linked |= {bare(line.tracking_number) for line in fact.facts.lines}
        elif isinstance(fact, PackageRead):
            reads[fact.identity] = fact
            linked.add(bare(fact.tracking_number))
        elif isinstance(fact, Scan):
            scans[fact.identity] = fact
        elif isinstance(fact, Link):
            linked.add(bare(fact.number))
        elif isinstance(fact, CaseChange):
            cases[fact.identity] = fact
    if not snapshots:
        return None
    told = sorted(
        snapshots.values(), key=lambda s: (s.facts.update_time, s.requested_at, s.identity)
    )
    newest = told[-1].facts
    if newest.fulfillment_type in NOT_OURS or newest.shipping_type == NOTHING_TO_SHIP:
        return None
    parcels: dict[str, list[Scan]] = {}
    for scan in sorted(scans.values(), key=_as_it_happened):
        if scan.occurred_at >= newest.create_time - DAY:
            parcels.setdefault(scan.number, []).append(scan)
    return Gathered(
        newest,
        tuple(told),
        tuple(reads.values()),
        tuple(packages_of(told, reads.values(), linked, parcels)),
        tuple(cases.values()),
    )


def bare(number: str) -> str:
    """A tracking number without what people put between its letters."""
    return number.replace(" ", "").replace("-", "").upper()


def packages_of(
    told: list[Snapshot],
    reads: Iterable[PackageRead],
    linked: set[str],
    parcels: dict[str, list[Scan]],
) -> Iterator[Package]:
    """The order's packages: those that the marketplace names, then numbers without a package.

    A number that was told of a package which the order has no more is not waited for: it counts
    once its carrier says anything, and is another package's once it moves.
    """
    facts = told[-1].facts
    ids: list[str] = []
    numbers: dict[str, str] = {}
    providers: dict[str, str] = {}
    loose = linked - {""}
    for package_id in [*facts.package_ids, *(line.package_id for line in facts.lines)]:
        if package_id and package_id not in ids:
            ids.append(package_id)
    for line in facts.lines:
        number = bare(line.tracking_number)
        name = line.package_id or number
        if number:
            loose.add(number)
        if number and line.package_id:
            numbers.setdefault(line.package_id, number)
        if line.provider and name:
            providers.setdefault(name, line.provider)
    newest_first = sorted(reads, key=lambda read: (read.requested_at, read.identity), reverse=True)
    for read in newest_first:
        number = bare(read.tracking_number)
        if number and read.package_id in ids:
            numbers.setdefault(read.package_id, number)
    gone = _of_packages_gone(told, newest_first, ids)
    loose -= set(numbers.values()) | {number for number in gone if not parcels.get(number)}
    scanned = {n: next(_moves(parcels.get(n, ())), None) for n in loose}
    fitting = {n for n in loose if n not in gone or scanned[n]}
    if len(ids) == 1 and not numbers and fitting:
        never = datetime.max.replace(tzinfo=facts.create_time.tzinfo)
        first = min(fitting, key=lambda n: (s.occurred_at if (s := scanned[n]) else never, n))
        numbers[ids[0]] = first
        loose.remove(first)
    by_the_order = facts.shipping_provider if len(ids) < 2 else ""
    for package_id in ids:
        number = numbers.get(package_id, "")
        provider = providers.get(package_id) or providers.get(number) or by_the_order
        yield Package(package_id, number, provider, tuple(parcels.get(number, ())))
    for number in sorted(loose):
        tied = [each.package_id for each in facts.lines if bare(each.tracking_number) == number]
        package_id = next(filter(None, tied), "")
        provider = providers.get(package_id or number) or by_the_order
        yield Package(package_id, number, provider, tuple(parcels.get(number, ())))


def _of_packages_gone(
    told: list[Snapshot], newest_first: list[PackageRead], ids: list[str]
) -> set[str]:
    """The numbers whose package, by the last word on each, is none of these. What the order tells
    without a package by now is nobody's."""
    owners: dict[str, str] = {}
    for read in reversed(newest_first):
        owners[bare(read.tracking_number)] = read.package_id
    for snapshot in told:
        for line in snapshot.facts.lines:
            if line.package_id:
                owners[bare(line.tracking_number)] = line.package_id
    nobodys = {bare(line.tracking_number) for line in told[-1].facts.lines if not line.package_id}
    return {n for n, package_id in owners.items() if n and package_id not in ids} - nobodys


def courses_of(order: Gathered, by_hand: bool, pack: Table, zone: ZoneInfo) -> Iterator[Course]:
    """Every clock of an order. `by_hand`: the shop marks its orders as shipped itself."""
    lines = dict(_the_packs_lines(order, pack, zone.key))
    yield from lines.values()
    yield from _the_marketplaces_lines(order)
    for case_id in sorted({case.case_id for case in order.cases}):
        yield from _wishes_to_cancel(order, case_id)
    yield from _status_update(order)
    yield from _untracked(order)
    yield from _collected_to_shipped(order, by_hand)
    yield from _delivery_period(order)
    for package in order.packages:
        deeming = [*_two_failed_attempts(order, package), *_not_acknowledged(order, package)]
        yield from deeming
        yield from _deemed_lost(package, deeming)
        yield from _parcel_silent(order, package)
        yield from _reported(order, package)
        yield from _delivered_unproven(order, package)
        yield from _carrier_mismatch(package)
    yield from _told(order)
    deeming = [
        line for name, line in lines.items() if pack["deadlines"][name].get("then") == DELAYED
    ]
    yield from _deemed_delayed([*_delivery_period(order), *deeming])


def _the_packs_lines(
    order: Gathered, pack: Mapping[str, Any], zone: str
) -> Iterator[tuple[str, Course]]:
    """The deadlines that a pack tells, by name."""
    for name, told in pack.get("deadlines", {}).items():
        facts, start = order.facts, _begins(order, told["starts"])
        about = facts.shipping_type in (told.get("shipping") or [facts.shipping_type])
        of_kind = facts.order_type in (told.get("order_types") or [facts.order_type])
        if not about or not of_kind or start is None:
            continue
        alone = {**pack, "deadlines": {name: told}}
        due = dues(alone, start, "", zone)[name]
        instead = [field for field in told.get("replaced_by", ()) if _counts(order, field)]
        stops = _ends_with(order, told["stops"])
        yield name, Course(name, "", start, due, stops, next(iter(instead), ""))


def _begins(order: Gathered, with_what: str) -> datetime | None:
    if with_what in STATUS_OF:
        return next((said.at for said in order.reached(STATUS_OF[with_what])), None)
    return {
        "placed": order.start,
        "created": order.facts.create_time,
        "paid": order.facts.paid_time,
        "released": order.facts.release_date,
        "first_scan": order.collected,
    }[with_what]


def _ends_with(order: Gathered, what: str) -> tuple[Said, ...]:
    if what == "first_scan":
        return order.moved
    return order.handed_over if what == "delivered" else order.reached(STATUS_OF[what])


def _counts(order: Gathered, field_name: str) -> bool:
    """Whether the order carries a field that is one of its deadlines."""
    given = order.facts.deadlines
    old = field_name == LEGACY_LINE and any(hard in given for hard in HARD_LINES)
    return field_name in given and not old


def _the_marketplaces_lines(order: Gathered) -> Iterator[Course]:
    for name, status in LINES.items():
        if _counts(order, name):
            due = order.facts.deadlines[name]
            yield Course(name, "", order.facts.create_time, due, order.reached(status))


@dataclass(slots=True)
class Wish:
    """A buyer's wish to cancel while it waits. `unseen` is since when the order, changed after the
    wish was last told of, shows none."""

    since: datetime
    due: datetime | None = None
    unseen: datetime | None = None

    def course(self, part: str, stops: tuple[Said, ...]) -> Iterator[Course]:
        """Its clock, if anybody named a deadline."""
        if self.due is not None:
            yield Course("buyer_cancel_request", part, self.since, self.due, stops)


def _wishes_to_cancel(order: Gathered, case_id: str) -> Iterator[Course]:
    """Walk through what was said of one request: it waits, is put off, ends, is made anew."""
    cancellations = [case for case in order.cases if case.case == "cancellation"]
    said = [case for case in cancellations if case.case_id == case_id]
    asked_besides = [
        case.update_time
        for case in cancellations
        if case.case_id != case_id and case.status == ASKED
    ]
    instants = {case.update_time for case in said} | {s.facts.update_time for s in order.snapshots}
    wish: Wish | None = None
    for at in sorted(instants):
        # Of one second: what the order shows may be from before the wish, and the end comes last.
        for shown in (s.facts for s in order.snapshots if s.facts.update_time == at):
            if wish is None or shown.status == "CANCELLED":
                continue
            if not shown.cancel_requested:
                wish.unseen = wish.unseen or at
            elif wish.unseen and not any(wish.unseen <= other <= at for other in asked_besides):
                wish.unseen = None
        now_said = [case for case in said if case.update_time == at]
        waiting = [case for case in now_said if case.status == ASKED]
        ends = {case.status for case in now_said} - {ASKED}
        if waiting:
            due = max((case.deadline for case in waiting if case.deadline), default=None)
            wish = wish or Wish(at)
            wish.unseen, wish.due = None, due or wish.due
        if ends and wish:
            agreed_late = ends <= set(AGREED) and wish.due is not None and at > wish.due
            yield from wish.course(case_id, () if agreed_late else (Said(at),))
            wish = None
    if wish:
        yield from wish.course(case_id, (Said(wish.unseen, sure=False),) if wish.unseen else ())


def _replaced(order: Gathered, field_name: str) -> str:
    return field_name if field_name in order.facts.deadlines else ""


def _status_update(order: Gathered) -> Iterator[Course]:
    yield Course(
        "status_update",
        "",
        order.start,
        order.start + TO_UPDATE_THE_STATUS,
        order.reached("AWAITING_COLLECTION"),
        _replaced(order, "shipping_due_time"),
    )


def _untracked(order: Gathered) -> Iterator[Course]:
    yield Course(
        "untracked",
        "",
        order.start,
        order.start + TO_TRACK,
        order.moved,
        _replaced(order, "collection_due_time"),
    )


def _collected_to_shipped(order: Gathered, by_hand: bool) -> Iterator[Course]:
    if order.facts.shipping_type != "TIKTOK" and not by_hand:
        return
    start = order.collected or order.facts.collection_time
    if start is None:
        return
    stops = order.reached("IN_TRANSIT")
    if by_hand:
        stops += tuple(said for said in order.reached("AWAITING_COLLECTION") if said.at >= start)
    yield Course("collected_to_shipped", "", start, start + TO_SHIP_WHAT_WAS_COLLECTED, stops)


def _delivery_period(order: Gathered) -> Iterator[Course]:
    promised = [order.facts.deadlines[name] for name in PROMISES if name in order.facts.deadlines]
    if promised:
        start = order.facts.create_time
        yield Course("delivery_period", "", start, promised[0], order.handed_over)


def _two_failed_attempts(order: Gathered, package: Package) -> Iterator[Course]:
    if order.facts.shipping_type != "SELLER":
        return
    attempts: dict[str, set[datetime]] = {}
    for scan in package.scans:
        if scan.status.value in ("delivered", "returned"):
            return
        if scan.status.value == "delivery_attempt_failed" and believed(scan):
            attempts.setdefault(scan.source, set()).add(scan.occurred_at)
            if len(attempts[scan.source]) == ATTEMPTS:
                at = scan.occurred_at
                stops = (*_deliveries(package), *order.reached("DELIVERED"))
                yield Course("two_failed_attempts", package.name, at, at, stops, at_once=True)
                return


def _not_acknowledged(order: Gathered, package: Package) -> Iterator[Course]:
    if order.facts.shipping_type != "SELLER" or not any(_moves(package.scans)):
        return
    back = [_said(scan) for scan in package.scans if scan.status.value == "returned"]
    stops = (*_deliveries(package), *order.reached("DELIVERED"), *back)
    due = order.start + TO_ACKNOWLEDGE
    yield Course("not_acknowledged", package.name, order.start, due, stops)


def _parcel_silent(order: Gathered, package: Package) -> Iterator[Course]:
    """Every scan of a sure time waits for the next one. Told of are the last that waits, and those
    that waited too long."""
    spoken = [s for s in package.scans if s.status.value not in NOT_MOVED or _ends(s)]
    sure = [scan for scan in spoken if believed(scan)]
    unsure = [scan for scan in spoken if not believed(scan)]
    ended = {scan.occurred_at for scan in sure if _ends(scan)}
    waits = sorted({scan.occurred_at for scan in sure} - ended)
    for at in waits:
        stops = [_said(scan) for scan in sure if scan.occurred_at > at]
        stops += [_said(scan) for scan in unsure if scan.received_at > at]
        stops += order.reached("DELIVERED")
        due = at + TO_HEAR_OF_A_PARCEL
        course = Course("parcel_silent", package.name, at, due, tuple(stops))
        if at == waits[-1] or _runs_out(course):
            yield course


def _ends(scan: Scan) -> bool:
    return scan.status.value in ENDS


def _deemed_lost(package: Package, deeming: list[Course]) -> Iterator[Course]:
    losing = [course for course in deeming if _runs_out(course)]
    if losing:
        deemed = min(losing, key=lambda course: course.due)
        part = f"{package.name}/deemed_lost"
        yield Course("abnormal_delivery", part, deemed.due, deemed.due, deemed.stops, at_once=True)


def _reported(order: Gathered, package: Package) -> Iterator[Course]:
    """What the carriers tell of a parcel, once for each cause."""
    causes: dict[str, list[datetime]] = {}
    for scan in filter(believed, package.scans):
        status = scan.status.value
        if status in ("damaged", "lost", "disposed"):
            causes.setdefault(status, []).append(scan.occurred_at)
        if "damaged" in scan.flags:
            causes.setdefault("damaged", []).append(scan.occurred_at)
    for cause, told in causes.items():
        yield _abnormal(order, package, f"{package.name}/{cause}", min(told))


def _told(order: Gathered) -> Iterator[Course]:
    """What the marketplace tells of a package, once for each of its words."""
    words: dict[tuple[str, str], list[datetime]] = {}
    for read in order.reads:
        if read.exception:
            at = read.update_time or read.as_of or read.requested_at
            words.setdefault((read.package_id, read.exception.lower()), []).append(at)
    for (package_id, word), told in words.items():
        mine = [package for package in order.packages if package.package_id == package_id]
        package = mine[0] if mine else NO_PACKAGE
        yield _abnormal(order, package, f"{package_id}/{word}", min(told))


def _abnormal(order: Gathered, package: Package, part: str, at: datetime) -> Course:
    delivered = (*_deliveries(package), *order.reached("DELIVERED"))
    later = tuple(said for said in delivered if said.at > at or not said.sure)
    return Course("abnormal_delivery", part, at, at, later, at_once=True)


def _deemed_delayed(deeming: list[Course]) -> Iterator[Course]:
    """Once for the whole order, by the first that runs out."""
    losing = [course for course in deeming if _runs_out(course)]
    if losing:
        first = min(losing, key=lambda course: course.due)
        at = first.due
        yield Course("abnormal_delivery", "deemed_delayed", at, at, first.stops, at_once=True)


def _delivered_unproven(order: Gathered, package: Package) -> Iterator[Course]:
    delivered = [scan for scan in package.scans if scan.status.value == "delivered"]
    if order.facts.shipping_type != "SELLER" or not delivered:
        return
    proven = tuple(_said(scan) for scan in delivered if scan.proof not in ("", "none"))
    at = delivered[0].occurred_at
    yield Course("delivered_unproven", package.name, at, at, proven, at_once=True)


def _carrier_mismatch(package: Package) -> Iterator[Course]:
    named = next((scan for scan in _moves(package.scans) if scan.carrier), None)
    if named and differ(named.carrier, package.provider):
        at = named.occurred_at
        yield Course("carrier_mismatch", package.name, at, at, at_once=True)


def _runs_out(course: Course) -> bool:
    """Whether a clock is lost once its time comes, were the order never cancelled."""
    return look(course, None, course.due).state == "missed"


def _as_it_happened(scan: Scan) -> tuple[datetime, int, str]:
    return scan.occurred_at, PROGRESS.index(scan.status.value), scan.identity


def _moves(scans: Iterable[Scan]) -> Iterator[Scan]:
    """The scans that show the parcel in the carrier's hands."""
    return (scan for scan in scans if scan.status.value not in NOT_MOVED)


def believed(scan: Scan) -> bool:
    """Whether the time of a scan may prove something."""
    ahead = scan.occurred_at > scan.received_at + AHEAD_OF_ITS_RECEIPT
    return scan.basis.value in ("utc", "offset") and not ahead


def _said(scan: Scan) -> Said:
    return Said(scan.occurred_at, believed(scan))


def _deliveries(package: Package) -> tuple[Said, ...]:
    return tuple(_said(scan) for scan in package.scans if scan.status.value == "delivered")


def _decisive(stops: Iterable[Said]) -> Said | None:
    """The first of several; not to be believed about its time where one of them is not."""
    known = list(stops)
    if not known:
        return None
    return Said(min(said.at for said in known), all(said.sure for said in known))
