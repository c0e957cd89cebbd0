"""Random lives of orders, and the product held against the oracle over each of them.

    .venvs/dev/bin/python -m tests.rules.lives --lives 100000 --seed 1 --jobs 2

A life is a list of facts, each with the instant at which it arrives, and the instants at which
somebody looks. Instants gather on and around one another, since that is where mistakes are.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast, get_args
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "common"))

from shipclock.decide import decide
from shipclock.domain.event import (
    CaseChange,
    Hint,
    Line,
    Link,
    OrderFacts,
    PackageRead,
    Snapshot,
)
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order, fold
from shipclock.domain.times import stamp
from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.escalation import NEARING
from shipclock.rules.figures import Action, End, Start
from shipclock.rules.figures import Line as Kind
from shipclock.rules.packs import as_policy, load
from shipclock.rules.policy import Calendar, Deadline, Policy
from shipclock.situation import Recorded, Situation
from tests.builders import ORDER, SHOP, every_clause, shop
from tests.rules.oracle import (
    HARD_LINES,
    LADDER,
    LEGACY_LINE,
    LINES,
    PROGRESS,
    PROMISES,
    Book,
    Fact,
)
from tests.rules.stepping import Table, dues

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

TURNS = {
    "Asia/Kuala_Lumpur": (),
    "America/New_York": ((2026, 3, 8), (2026, 11, 1)),
    "Europe/London": ((2026, 3, 29), (2026, 10, 25)),
    "Australia/Lord_Howe": ((2026, 4, 5), (2026, 10, 4)),
    "America/Santiago": ((2026, 4, 5), (2026, 9, 6)),
}
"""Time zones, and the days in 2026 on which their clocks are changed."""

NUMBERS = ("SYN000101", "SYN000102", "SYN000103", "SYN000104")
WRITTEN = ("SYN000{}", "syn-000{}", "SYN 000 {}", "Syn-000-{}")
PACKAGES = ("PKG1", "PKG2", "PKG3")
CARRIERS = ("", "J&T Express", "jnt", "J&T Express MY", "Ninja Van", "SPX Express")
EXCEPTIONS = ("PACKAGE_LOST", "PACKAGE_DAMAGAED", "package_lost", "RETURNED_TO_SHIPPER")
SOURCES = ("aftership", "ninjavan", "standard_webhooks")
SCANNED = (
    *PROGRESS,
    *("delivery_attempt_failed",) * 7,
    *("delivered",) * 5,
    *("in_transit", "picked_up", "returned", "damaged", "lost", "out_for_delivery") * 2,
)
NO_LINES = ("fast_rts_sla_time", "recommended_shipping_time")
REQUESTS = ("403", "404")
WAITS = "CANCELLATION_REQUEST_PENDING"
ENDS = (
    *("CANCELLATION_REQUEST_SUCCESS", "CANCELLATION_REQUEST_CANCEL") * 2,
    "CANCELLATION_REQUEST_COMPLETE",
    "CANCELLATION_REQUEST_CANCELLED",
    "TOMORROW",
)
REPLACED = ("status_update", "untracked")
"""The clocks of the guide whose place a field of the marketplace may take."""

SILENT_HOURS = 96
"""When a parcel has been silent for too long: short enough for a life to see it often."""

EARLIEST, LATEST = -25 * HOUR, 20 * DAY
"""Where facts lie, from the order's creation."""

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A fact, and when it becomes known."""

    at: datetime
    fact: Fact


@dataclass(frozen=True, slots=True)
class Life:
    """All that becomes known of one order, and when somebody looks."""

    name: str
    zone: str
    by_hand: bool
    pack: Table
    created: datetime
    arrivals: tuple[Arrival, ...]
    looks: tuple[datetime, ...]

    def known(self, now: datetime) -> list[Fact]:
        """What has arrived by an instant, in the order in which it came."""
        return [arrival.fact for arrival in self.arrivals if arrival.at <= now]

    def policy(self) -> Policy:
        """What the order is judged by: the guide, a figure for silence, and the life's own pack."""
        cited = {"source": "nobody", "dated": "undated", "confidence": "unconfirmed"}
        more = {
            "zone": self.pack["zone"],
            "calendar": Calendar.model_validate(self.pack["calendar"]),
            "deadlines": {
                name: Deadline.model_validate({**cited, **told})
                for name, told in self.pack["deadlines"].items()
            },
        }
        pack = load("guide-2023").model_copy(update=more)
        guides = replace(as_policy(pack, "", self.zone), hand_marked=self.by_hand)
        return every_clause(guides, SILENT_HOURS)

    def __str__(self) -> str:
        marked = ", marked by hand" if self.by_hand else ""
        lines = [f"life {self.name}: {self.zone}{marked}, created {stamp(self.created)}"]
        lines += [f"  {name}: {told}" for name, told in self.pack["deadlines"].items()]
        lines += [f"  {self.pack['calendar']}, zone {self.pack['zone'] or 'of the shop'}"]
        lines += [f"  {self.hours(a.at)} arrives {self._told(a.fact)}" for a in self.arrivals]
        lines.append(f"  looks: {', '.join(self.hours(now) for now in self.looks)}")
        return "\n".join(lines)

    def hours(self, at: datetime) -> str:
        """An instant as hours, minutes and seconds from the order's creation."""
        seconds = int((at - self.created).total_seconds())
        sign, left = ("-", -seconds) if seconds < 0 else ("+", seconds)
        return f"{sign}{left // 3600}:{left // 60 % 60:02}:{left % 60:02}"

    def readable(self, told: tuple[Any, ...]) -> str:
        """A row of what was said, its instants as hours."""
        return " ".join(self.hours(t) if isinstance(t, datetime) else str(t) for t in told)

    def _told(self, fact: Any) -> str:
        """A fact with all that it says, without what is left blank."""
        said = []
        for each in fields(fact):
            value = getattr(fact, each.name)
            if value and each.name not in ("kind", "order_id", "shop_id", "account", "raw_code"):
                said.append(f"{each.name}={self._value(value)}")
        return f"{type(fact).__name__}({', '.join(said)})"

    def _value(self, value: Any) -> str:
        if isinstance(value, datetime):
            return self.hours(value)
        if isinstance(value, Mapping):
            return ", ".join(f"{name} {self._value(each)}" for name, each in value.items())
        if isinstance(value, tuple):
            return f"[{', '.join(map(self._value, value))}]"
        return self._told(value) if isinstance(value, OrderFacts | Line) else str(value)


@dataclass(slots=True)
class Teller:
    """Makes one life up. `marks` are the instants that matter so far."""

    dice: random.Random
    created: datetime
    marks: list[datetime] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)

    def likely(self, chance: float) -> bool:
        """True that often."""
        return self.dice.random() < chance

    def one_of(self, things: Sequence[Thing]) -> Thing:
        """Any of them."""
        return things[int(self.dice.random() * len(things))]

    def instant(self, chance_of_a_mark: float = 0.45) -> datetime:
        """Any instant of the life; often one that matters, or a second beside it."""
        if self.likely(chance_of_a_mark):
            at = self.one_of(self.marks) + self.one_of((-1, 0, 0, 1)) * SECOND
        elif self.likely(0.5):
            at = self.created + self.dice.randint(0, 400) * HOUR
        else:
            at = self.created + self.dice.randint(0, 400 * 3600) * SECOND
        at = min(max(at, self.created + EARLIEST), self.created + LATEST)
        self.marks.append(at)
        return at

    def maybe(self, chance: float, at: datetime | None = None) -> datetime | None:
        """That instant, or any, that often; otherwise none."""
        return (at or self.instant()) if self.likely(chance) else None

    def arrives(self, fact: Fact, about: datetime) -> datetime:
        """Let a fact become known: at once, late, or before it is so. Now and then twice."""
        late = self.one_of(
            (
                *(timedelta(0),) * 4,
                self.dice.randint(1, 600) * MINUTE,
                self.dice.randint(1, 48) * HOUR,
                self.dice.randint(1, 10) * DAY,
                -self.dice.randint(1, 2880) * MINUTE,
            )
        )
        first = about + late
        self.arrivals.append(Arrival(first, fact))
        if self.likely(0.1):
            self.arrivals.append(Arrival(first + self.dice.randint(0, 72) * HOUR, fact))
        return first


def made_up(name: str) -> Life:
    """The life of that name: always the same."""
    dice = random.Random(name)
    zone = dice.choice(tuple(TURNS))
    created = datetime(2026, 1, 1, tzinfo=UTC) + dice.randint(0, 360 * 24) * HOUR
    if TURNS[zone] and dice.random() < 0.6:
        created = datetime(*dice.choice(TURNS[zone]), tzinfo=UTC) - dice.randint(0, 16 * 24) * HOUR
    created += dice.choice((0, 0, dice.randint(0, 3599))) * SECOND
    teller = Teller(dice, created)
    teller.marks += [created + hours * HOUR for hours in (-24, 0, 48, 120, 288, 336, 360)]
    pack = _pack(teller)
    teller.marks += [] if not pack["deadlines"] else _ends_of(pack, created, zone)
    wished = _tell_the_requests(teller)
    numbers = _tell_the_order(teller, wished)
    _tell_the_parcels(teller, numbers)
    _tell_the_rest(teller)
    arrivals = tuple(sorted(teller.arrivals, key=lambda arrival: arrival.at))
    looks = _looks(teller, ZoneInfo(zone))
    return Life(name, zone, teller.likely(0.25), pack, created, arrivals, looks)


def _pack(teller: Teller) -> dict[str, Any]:
    """Deadlines beside the guide's clocks: of any start, end and length."""
    calendar: dict[str, Any] = {"country": teller.one_of(("", "", "US", "TH"))}
    calendar["weekend"] = teller.one_of((["saturday", "sunday"], ["sunday"], ["friday"], []))
    names = [f"line_{place}" for place in range(teller.one_of((0, 1, 1, 2, 3)))]
    return {
        "zone": teller.one_of(("", "", "America/Los_Angeles")),
        "calendar": calendar,
        "deadlines": {name: _deadline(teller) for name in names},
    }


def _deadline(teller: Teller) -> dict[str, Any]:
    told: dict[str, Any] = {
        "clause": "so long",
        "starts": teller.one_of(get_args(Start)),
        "stops": teller.one_of(get_args(End)),
        "line": teller.one_of(get_args(Kind)),
        "then": teller.one_of(get_args(Action)),
        "warn_hours": teller.one_of(((), (12,), (48, 6), (96, 24, 1))),
    }
    if teller.likely(0.3):
        told["shipping"] = [teller.one_of(("SELLER", "TIKTOK"))]
    if teller.likely(0.3):
        told["order_types"] = teller.one_of((["", "NORMAL"], ["PRE_ORDER"]))
    if teller.likely(0.4):
        told["replaced_by"] = teller.dice.sample(list(LINES), 2)
    unit = teller.one_of(("hours", "calendar_days", "working_days", "working_days"))
    told[unit] = teller.one_of((24, 48, 120, 121) if unit == "hours" else (1, 2, 3, 7))
    if unit != "hours" and teller.likely(0.5):
        told["cut_off"] = teller.one_of((time(0), time(2, 30), time(14)))
    if unit != "hours" and teller.likely(0.5):
        told["by"] = teller.one_of((time(0), time(2, 30), time(23, 59, 59)))
    return told


def _ends_of(pack: Table, created: datetime, zone: str) -> list[datetime]:
    """When its deadlines end that begin with the order, and the warnings of them."""
    ends = dues(pack, created, "", zone)
    warned = [
        ends[name] - hours * HOUR
        for name, told in pack["deadlines"].items()
        for hours in told["warn_hours"]
    ]
    return [*ends.values(), *ends.values(), *warned]


def _tell_the_requests(teller: Teller) -> list[tuple[datetime, datetime]]:
    """Buyers who want to cancel, and maybe again; returns from when to when they did."""
    wished = []
    for case_id in REQUESTS[: teller.one_of((0, 0, 0, 1, 1, 2))]:
        at = teller.instant()
        kind: Any = "return" if teller.likely(0.05) else "cancellation"
        for _ in range(teller.one_of((1, 1, 1, 2, 3))):
            asked, at = at, _tell_a_wait(teller, case_id, kind, at)
            wished.append((asked, at))
            at += teller.one_of((0, 1, 3600, 90000)) * SECOND
    return wished


def _tell_a_wait(teller: Teller, case_id: str, kind: Any, asked: datetime) -> datetime:
    """A request from its opening: put off without a trace or with one, and answered or withdrawn
    around its deadline or at any time. Returns its end, or the end of all."""

    def tell(status: str, at: datetime, deadline: datetime | None) -> None:
        name = f"case#{teller.dice.getrandbits(32):08x}"
        teller.arrives(CaseChange(name, ORDER, SHOP, case_id, kind, status, at, deadline), at)

    due = teller.maybe(0.9, asked + teller.one_of((1, 6, 24, 24, 48, 48)) * HOUR)
    due = teller.instant() if due and teller.likely(0.1) else due
    tell(WAITS, asked, due)
    for _ in range(teller.one_of((0, 0, 0, 0, 1, 2))):
        due = teller.maybe(0.9, due + teller.one_of((-6, 6, 24)) * HOUR if due else None)
        tell(WAITS, teller.one_of((asked, asked, max(asked, teller.instant()))), due)
    teller.marks += [due, due - 6 * HOUR] if due else []
    if teller.likely(0.25):
        return teller.created + LATEST
    around = due + teller.one_of((-1, 0, 1)) * SECOND if due else asked
    end = max(asked, teller.one_of((around, around, teller.instant())))
    teller.marks.append(end)
    tell(teller.one_of(ENDS), end, teller.maybe(0.2))
    if teller.likely(0.3):
        tell(teller.one_of(ENDS), end + teller.one_of((0, 1, 3600)) * SECOND, teller.maybe(0.2))
    return end


def _tell_the_order(teller: Teller, wished: list[tuple[datetime, datetime]]) -> list[str]:
    """The re-reads of the order and of its packages; returns the numbers that are about."""
    dice, created = teller.dice, teller.created
    same: dict[str, Any] = {
        "create_time": created,
        "shipping_type": teller.one_of(
            (*("SELLER",) * 11, *("TIKTOK",) * 7, "", "IN-STORE PICKUP")
        ),
        "fulfillment_type": "FULFILLMENT_BY_SELLER",
        "order_type": teller.one_of(("NORMAL", "NORMAL", "NORMAL", "", "PRE_ORDER")),
        "paid_time": teller.maybe(0.5),
        "deadlines": _deadlines(teller),
        "shipping_provider": teller.one_of(CARRIERS),
    }
    if teller.likely(0.7 if same["order_type"] == "PRE_ORDER" else 0.1):
        same["release_date"] = release = created + dice.randint(-24, 240) * HOUR
        teller.marks += [release + hours * HOUR for hours in (0, 120, 288, 336, 360)]
    if teller.likely(0.03):
        same["shipping_type"] = "TIKTOK_DIGITAL"
    if teller.likely(0.03):
        same["fulfillment_type"] = teller.one_of(
            ("FULFILLMENT_BY_TIKTOK", "FULFILLMENT_BY_DILAYANI_TOKOPEDIA")
        )
    packages = PACKAGES[: teller.one_of((0, 1, 1, 1, 1, 2, 2, 3))]
    lines = _lines(teller, packages)
    path = _path(teller)
    for _ in range(teller.one_of((0, *(1, 2, 3, 4) * 3, 5))):
        _tell_a_reread(teller, same, lines, packages, path, wished)
    for _ in range(teller.one_of((0, 0, 0, 1, 2))):
        if packages:
            _tell_a_package(teller, packages)
    linked = [number for number in NUMBERS if teller.likely(0.25)]
    for number in linked:
        made = Link(number, ORDER, teller.one_of(SOURCES), teller.maybe(0.3, created))
        teller.arrives(made, teller.one_of((created, teller.instant())))
    about = [*linked, *(_plain(line.tracking_number) for line in lines), *NUMBERS[:1]]
    return [number for number in about if number]


def _deadlines(teller: Teller) -> dict[str, datetime]:
    """The order's own fields: none, the three hard lines, or any of them."""
    kind = teller.one_of(("none", "none", "hard", "promised", "legacy", "any", "any", "any"))
    names = {"none": (), "hard": HARD_LINES, "promised": PROMISES, "legacy": (LEGACY_LINE,)}.get(
        kind, tuple(name for name in (*LINES, *NO_LINES) if teller.likely(0.3))
    )
    return {name: teller.instant() for name in names}


def _lines(teller: Teller, packages: tuple[str, ...]) -> tuple[Line, ...]:
    """The order's units: every package has one or two, with a number and a carrier or without."""
    lines = []
    for place, package_id in enumerate(packages or ("",)):
        number = ""
        if teller.likely(0.7):
            number = teller.one_of(WRITTEN).format(101 + place)
        provider = teller.one_of(CARRIERS)
        for unit in range(teller.one_of((1, 1, 2))):
            shown = number if unit == 0 or teller.likely(0.6) else ""
            lines.append(
                Line(
                    f"57700000000000{place}{unit}",
                    package_id=package_id,
                    tracking_number=shown,
                    provider=provider,
                )
            )
    return tuple(lines)


def _path(teller: Teller) -> list[tuple[datetime, str]]:
    """How the order gets on: statuses and when it gets there, maybe cancelled at the end."""
    statuses = [status for status in LADDER if teller.likely(0.7)] or ["AWAITING_SHIPMENT"]
    statuses = statuses[: teller.dice.randint(1, len(statuses))]
    if teller.likely(0.3):
        statuses.append("CANCELLED")
    times = sorted(max(teller.instant(), teller.created) for _ in statuses)
    return list(zip(times, statuses, strict=True))


def _tell_a_reread(
    teller: Teller,
    same: dict[str, Any],
    lines: tuple[Line, ...],
    packages: tuple[str, ...],
    path: list[tuple[datetime, str]],
    wished: list[tuple[datetime, datetime]],
) -> None:
    """One re-read of the order: mostly what became of it by then, sometimes anything at all."""
    told = dict(same)
    moments = [*(at for at, _ in path), *(asked + SECOND for asked, _ in wished)]
    changed = teller.one_of((*moments, max(teller.instant(), teller.created)))
    gone = [(at, status) for at, status in path if at <= changed]
    status = gone[-1][1] if gone else "AWAITING_SHIPMENT"
    reached = {status: at for at, status in gone}
    told["rts_time"] = reached.get("AWAITING_COLLECTION")
    told["collection_time"] = reached.get("IN_TRANSIT")
    told["delivery_time"] = reached.get("DELIVERED")
    told["cancel_time"] = reached.get("CANCELLED")
    for name in ("rts_time", "collection_time", "delivery_time", "cancel_time"):
        if teller.likely(0.2):
            told[name] = teller.maybe(0.4)
    told["cancel_requested"] = any(asked <= changed < end for asked, end in wished)
    if wished and teller.likely(0.25):
        told["cancel_requested"] = teller.likely(0.5)
    if teller.likely(0.1):
        status = teller.one_of((*LADDER, "CANCELLED"))
    if teller.likely(0.08):
        told["deadlines"] = _deadlines(teller)
    if teller.likely(0.02):
        told["shipping_type"] = teller.one_of(("SELLER", "TIKTOK", "TIKTOK_DIGITAL"))
    if teller.likely(0.15):
        lines = tuple(replace(line, tracking_number="") for line in lines)
    if teller.likely(0.1):
        lines = tuple(replace(line, package_id="") for line in lines)
        packages = ()
    sent = teller.created + 30 * DAY + teller.dice.randint(0, 3) * SECOND
    facts = OrderFacts(
        status,
        update_time=changed,
        lines=lines,
        package_ids=packages[: teller.dice.randint(0, 3)],
        **told,
    )
    name = f"snapshot#{teller.dice.getrandbits(32):08x}"
    teller.arrives(Snapshot(name, ORDER, SHOP, sent, changed, facts), changed)


def _tell_a_package(teller: Teller, packages: tuple[str, ...]) -> None:
    """One read of a package, which may tell what went wrong with it."""
    at = teller.instant()
    place = int(teller.dice.random() * len(packages))
    read = PackageRead(
        f"read#{teller.dice.getrandbits(32):08x}",
        ORDER,
        SHOP,
        packages[place],
        at + teller.one_of((0, 1, 60)) * SECOND,
        status="FULFILLING",
        tracking_number=teller.one_of(WRITTEN).format(101 + place) if teller.likely(0.4) else "",
        exception=teller.one_of(("", *EXCEPTIONS)),
        as_of=teller.maybe(0.8, at),
        update_time=teller.maybe(0.6),
    )
    teller.arrives(read, at)


def _tell_the_parcels(teller: Teller, numbers: list[str]) -> None:
    """The carriers' scans of the numbers that are about."""
    scans: list[Scan] = []
    for _ in range(teller.one_of((0, 1, 2, 3, 4, 5, 6, 8))):
        scan = _scan(teller, teller.one_of(numbers))
        scans.append(scan)
        if teller.likely(0.2):  # another source tells the same
            other = teller.one_of(SOURCES)
            later = scan.occurred_at + teller.one_of((0, 0, 1, 300)) * SECOND
            scans.append(
                replace(scan, identity=_scan_name(teller), source=other, occurred_at=later)
            )
        if scan.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED and teller.likely(0.5):
            again = scan.occurred_at + teller.one_of((0, 1, 24, 48)) * HOUR
            scans.append(replace(scan, identity=_scan_name(teller), occurred_at=again))
            teller.marks.append(again)
    for scan in scans:
        teller.marks += [scan.occurred_at + hours * HOUR for hours in (48, SILENT_HOURS)]
        teller.arrives(scan, scan.occurred_at)


def _scan(teller: Teller, number: str) -> Scan:
    status = TrackingStatus(teller.one_of(SCANNED))
    at = teller.instant()
    received = teller.created + 40 * DAY
    if teller.likely(0.15):  # around where a time dated ahead is doubted
        received = at + teller.one_of((-120 * MINUTE, -15 * MINUTE, 10 * MINUTE))
        received += teller.one_of((-1, 0, 1)) * SECOND
    flagged = teller.likely(0.06)
    return Scan(
        identity=_scan_name(teller),
        number=number,
        status=status,
        occurred_at=at,
        basis=TimeBasis(teller.one_of((*("utc",) * 6, "offset", "zone", "received"))),
        received_at=received,
        source=teller.one_of(SOURCES[:2]),
        account="default",
        raw_code=status.value,
        carrier=teller.one_of(CARRIERS),
        proof=teller.one_of(("", "none", "signature", "photo", "unspecified")),
        flags=("damaged",) if flagged else (),
    )


def _scan_name(teller: Teller) -> str:
    return f"scan#{teller.dice.getrandbits(32):08x}"


def _tell_the_rest(teller: Teller) -> None:
    """What sets no clock: a thin webhook."""
    at = teller.created + teller.dice.randint(0, 300) * HOUR
    status = teller.one_of(LADDER)
    if teller.likely(0.2):
        hint = Hint(f"hint#{status}", ORDER, SHOP, "order_status_change", at, status, at)
        teller.arrives(hint, at)


def _looks(teller: Teller, zone: ZoneInfo) -> tuple[datetime, ...]:
    """When somebody looks: around instants that matter, at any, and for some lives every day."""
    dice, created = teller.dice, teller.created
    marks = [*teller.marks, *(arrival.at for arrival in teller.arrivals)]
    looks = {dice.choice(marks) + dice.choice((-1, 0, 1)) * SECOND for _ in range(3)}
    around = dice.choice(marks)
    looks |= {around - SECOND, around, around + SECOND}
    looks |= {created + dice.randint(-2 * 3600, 450 * 3600) * SECOND for _ in range(2)}
    if teller.likely(0.15):
        for day in range(4, 16):
            nine = (created + day * DAY).astimezone(zone).replace(hour=9, minute=0, second=0)
            late = dice.choice((-SECOND, timedelta(0), SECOND, dice.randint(0, 12) * HOUR))
            if teller.likely(0.8):
                looks.add(nine.astimezone(UTC) + late)
    elif teller.likely(0.3):
        looks.add(created + 25 * DAY)
    if teller.likely(0.1):
        looks.add(created - SECOND)
    return tuple(sorted(looks))


def _numbers(fact: Fact) -> set[str]:
    """The numbers that the marketplace tells."""
    told: set[str] = set()
    if isinstance(fact, Snapshot):
        told = {_plain(line.tracking_number) for line in fact.facts.lines}
    elif isinstance(fact, PackageRead):
        told = {_plain(fact.tracking_number)}
    return told - {""}


def _plain(number: str) -> str:
    return number.replace("-", "").replace(" ", "").upper()


def folded(facts: Iterable[Fact]) -> Order:
    """The order that facts add up to."""
    told = list(facts)
    links: dict[str, list[Link]] = {}
    scans: dict[str, list[Scan]] = {}
    for fact in told:
        if isinstance(fact, Link):
            links.setdefault(fact.number, []).append(fact)
        elif isinstance(fact, Scan):
            scans.setdefault(fact.number, []).append(fact)
        for number in _numbers(fact):  # the marketplace's numbers are linked as they are told
            link = Link(number, ORDER, "tiktok_shop")
            links.setdefault(number, []).append(link)
    return fold(
        ORDER,
        [f for f in told if not isinstance(f, Scan | Link)],
        [NumberFacts(n, tuple(scans.get(n, ())), tuple(each)) for n, each in links.items()],
    )


@dataclass(slots=True)
class Settled:
    """The product over one life: what it recorded, and what it shows at the last look."""

    recorded: Recorded = field(default_factory=Recorded)
    notices: set[tuple[Any, ...]] = field(default_factory=set)
    clocks: set[tuple[Any, ...]] = field(default_factory=set)
    wake_at: datetime | None = None

    def sweep(self, facts: list[Fact], now: datetime, policy: Policy) -> None:
        """Fold what is known, decide, and write down what is new."""
        order = folded(facts)
        decision = decide(order, self.recorded, Situation(now, policy, shop(connected=False)))
        for notice in decision.notices:
            if notice.kind == NEARING:
                self.notices.add((notice.kind, notice.clock, notice.day, notice.level))
            elif notice.clock in ("untracked", "buyer_cancel_request"):
                self.notices.add((notice.kind, notice.day))
            elif notice.clock in policy.pack.deadlines:
                self.notices.add((notice.kind, f"{notice.clock}#{notice.day}"))
        self.recorded = Recorded(
            version=self.recorded.version + 1,
            settled_at=now,
            verdicts={**self.recorded.verdicts, **{v.key: v for v in decision.verdicts}},
            notices=self.recorded.notices | {notice.key for notice in decision.notices},
        )
        self.wake_at = decision.wake_at
        self.clocks = set()
        for tick in decision.timeline:
            clock, state = tick.clock, tick.clock.state(now).value
            overtaken = state == "missed" and clock.overtaken
            placed = clock.name in REPLACED or clock.name in policy.pack.deadlines
            replaced = clock.set_by if clock.set_by in LINES and placed else ""
            part = "/".join(filter(None, (clock.part, clock.cause)))
            self.clocks.add((clock.name, part, clock.due_at, state, overtaken, replaced))

    def said(self) -> set[tuple[Any, ...]]:
        """Every verdict (rule, part, instant, state), reminder and final warning so far."""
        said: set[tuple[Any, ...]] = {
            (v.rule, v.key.split("#")[1], v.due_at, v.state.value)
            for v in self.recorded.verdicts.values()
        }
        return said | self.notices


def difference(
    life: Life,
    policy: Policy | None = None,
    tally: Counter[str] | None = None,
) -> str:
    """What product and oracle first tell differently of a life; empty where they agree.

    `policy` is what the product is given in place of the life's own.
    """
    given = policy or life.policy()
    settled, book = Settled(), Book(life.pack)
    counted: Counter[str] = Counter() if tally is None else tally
    before: list[Fact] = []
    for now in life.looks:
        facts = life.known(now)
        woken = facts != before or (settled.wake_at is not None and settled.wake_at <= now)
        asleep = set() if woken else book.said()
        settled.sweep(facts, now, given)
        book.sweep(facts, now, ZoneInfo(life.zone), life.by_hand)
        counted["instants"] += 1
        counted["clocks"] += len(book.seen)
        compared: tuple[tuple[str, set[Any], set[Any]], ...] = (
            ("clocks", settled.clocks, set(map(tuple, book.seen))),
            ("said", settled.said(), book.said()),
            ("slept through", asleep, set() if woken else book.said()),
        )
        for what, ours, theirs in compared:
            if ours != theirs:
                told = [f"{what} at {life.hours(now)}"]
                told += [f"  product: {life.readable(each)}" for each in _sorted(ours - theirs)]
                told += [f"  oracle:  {life.readable(each)}" for each in _sorted(theirs - ours)]
                return "\n".join(told)
        before = facts
    return ""


def _sorted(things: set[Any]) -> list[Any]:
    return sorted(things, key=str)


def smaller(life: Life, differs: Callable[[Life], object]) -> Life:
    """The same difference with as few facts, words and looks as come without."""
    shrunk = True
    while shrunk:
        shrunk = False
        for less in _less(life):
            if differs(less):
                life, shrunk = less, True
                break
    return life


def _less(life: Life) -> Iterator[Life]:
    for name in life.pack["deadlines"]:
        left = {each: told for each, told in life.pack["deadlines"].items() if each != name}
        yield replace(life, pack={**life.pack, "deadlines": left})
    for place in range(len(life.arrivals)):
        yield replace(life, arrivals=life.arrivals[:place] + life.arrivals[place + 1 :])
    for place in range(len(life.looks)):
        yield replace(life, looks=life.looks[:place] + life.looks[place + 1 :])
    for place, arrival in enumerate(life.arrivals):
        for plainer in _plainer(arrival.fact):
            simpler = (replace(arrival, fact=plainer),)
            yield replace(
                life, arrivals=life.arrivals[:place] + simpler + life.arrivals[place + 1 :]
            )


def _plainer(fact: Fact) -> Iterator[Fact]:
    if isinstance(fact, Scan):
        for name, blank in (("carrier", ""), ("proof", ""), ("flags", ())):
            if getattr(fact, name):
                yield _with(fact, name, blank)
    if isinstance(fact, CaseChange) and fact.deadline:
        yield _with(fact, "deadline", None)
    if isinstance(fact, Snapshot):
        told = fact.facts
        if told.cancel_requested:
            yield replace(fact, facts=replace(told, cancel_requested=False))
        for name in ("rts_time", "collection_time", "delivery_time", "cancel_time"):
            if getattr(told, name):
                yield replace(fact, facts=_with(told, name, None))
        for name in told.deadlines:
            left = {each: at for each, at in told.deadlines.items() if each != name}
            yield replace(fact, facts=replace(told, deadlines=left))
        for place in range(len(told.lines)):
            lines = told.lines[:place] + told.lines[place + 1 :]
            yield replace(fact, facts=replace(told, lines=lines))
        if told.package_ids:
            yield replace(fact, facts=replace(told, package_ids=told.package_ids[:-1]))
        if told.shipping_provider:
            yield replace(fact, facts=replace(told, shipping_provider=""))


def _with(fact: Thing, name: str, value: Any) -> Thing:
    """The same fact, saying something else under that name."""
    changed: Any = replace(cast(Any, fact), **{name: value})
    return cast(Thing, changed)


def _lived(names: list[str]) -> tuple[Counter[str], str]:
    """The counts of some lives, and the name of the first that is told differently."""
    tally: Counter[str] = Counter()
    first = ""
    for name in names:
        tally["lives"] += 1
        if difference(made_up(name), None, tally):
            tally["mismatches"] += 1
            first = first or name
    return tally, first


def main(words: Sequence[str] | None = None) -> int:
    """Compare many lives; prints counts and the first that differs, and returns 1 if one does."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--lives", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=1)
    told = parser.parse_args(words)
    names = [f"{told.seed}:{place}" for place in range(told.lives)]
    parts = [names[start : start + 500] for start in range(0, len(names), 500)]
    tally: Counter[str] = Counter({"lives": 0, "instants": 0, "clocks": 0, "mismatches": 0})
    first = ""
    with ExitStack() as stack:
        each: Callable[..., Iterable[tuple[Counter[str], str]]] = map
        if told.jobs > 1:
            each = stack.enter_context(ProcessPoolExecutor(told.jobs)).map
        for counts, differing in each(_lived, parts):
            tally.update(counts)
            first = first or differing
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in tally.items()) + "\n")
    if first:
        shrunk = smaller(made_up(first), difference)
        sys.stdout.write(f"{shrunk}\n{difference(shrunk)}\n")
    return 1 if tally["mismatches"] else 0


if __name__ == "__main__":
    sys.exit(main())
