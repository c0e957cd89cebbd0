"""Cases of a policy pack: what a person has worked out by hand, held against what it computes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cli.policy_files import Source, policy_in, source_of
from shipclock.domain.clock import Clock
from shipclock.domain.event import Line, Link, OrderFacts, Snapshot
from shipclock.domain.fields import FIELDS
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order, fold
from shipclock.domain.times import EPOCH
from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.meant import meant, shown
from shipclock.rules import timeline
from shipclock.rules.calendar import Span
from shipclock.rules.figures import Zone
from shipclock.rules.packs import PolicyError
from shipclock.rules.policy import Pack
from shipclock.toml_lines import Where, line_at, lines_of

NONE, REPLACED = "none", "replaced"
"""What a case may say instead of a time: no such clock, or a field of the order replaces it."""

ORDER, SHOP, NUMBER = "570000000000000001", "7490000000000000001", "CASE000001"

Instant = Annotated[datetime, Field(strict=True)]

ACCEPTED = {
    "placed": "a time, local such as 2026-11-27T23:10:00 or with an offset",
    "due": f"such a time, '{NONE}' or '{REPLACED}'",
    "fields": f"a table of times, by the order's own fields: {', '.join(FIELDS)}",
    "closed": "a list of days on which the shop does not work, such as ['2026-12-24/2026-12-26']",
    "zone": "an IANA time zone such as Asia/Bangkok",
}
STEPS = {
    "ready": "AWAITING_COLLECTION",
    "in_transit": "IN_TRANSIT",
    "delivered": "DELIVERED",
}
"""When the order got how far, in a case's words."""


class CaseError(Exception):
    """A file of cases can't be used. Names the file and every wrong line."""

    def __init__(self, where: object, slips: list[str]) -> None:
        self.slips = tuple(slips)
        super().__init__(f"{where}: " + "; ".join(slips))


class Case(BaseModel):
    """One order, and when one of its clocks runs out. Times without an offset are local in `zone`:
    the case's, else the pack's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    why: Annotated[str, Field(min_length=1)]
    clock: str
    placed: Instant
    due: Instant | Literal["none", "replaced"]
    market: str = ""
    zone: Zone = ""
    shipping: str = "SELLER"
    order_type: str = "NORMAL"
    paid: Instant | None = None
    released: Instant | None = None
    ready: Instant | None = None
    scanned: Instant | None = None
    in_transit: Instant | None = None
    delivered: Instant | None = None
    fields: dict[str, Instant] = {}
    closed: tuple[str, ...] = ()
    hand_marked: bool = False


class CaseFile(BaseModel):
    """A pack, by its name or as a path from the file, and its cases."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pack: str
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Tried:
    """A case, the line on which it stands, and what the pack makes of it."""

    case: Case
    line: int
    zone: ZoneInfo
    found: str

    @property
    def wanted(self) -> str:
        """What the case says."""
        return said(self.case.due, self.zone)

    @property
    def holds(self) -> bool:
        """Whether the pack says the same."""
        return self.found == self.wanted


def try_cases(path: Path) -> tuple[Pack, list[Tried]]:
    """Hold every case of a file against its pack. Raises `CaseError`, and `PolicyError` where the
    pack itself is wrong."""
    file, lines = _read(path)
    pack = _source(file.pack, path).pack()
    tried, slips = [], []
    for place, case in enumerate(file.cases):
        where: Where = ("cases", place)
        try:
            tried.append(_tried(pack, case, line_at(lines, where)))
        except (ValueError, OverflowError, PolicyError) as error:
            slips.append(f"line {line_at(lines, where)}: {error}")
    if slips:
        raise CaseError(path, slips)
    return pack, tried


def _source(word: str, path: Path) -> Source:
    return source_of(str(path.parent / word) if word.endswith(".toml") else word)


def _read(path: Path) -> tuple[CaseFile, dict[Where, int]]:
    try:
        text = path.read_text("utf-8-sig")
        document = tomllib.loads(text)
    except UnicodeDecodeError:
        raise CaseError(path, ["is no text in UTF-8"]) from None
    except (ValueError, RecursionError) as error:
        raise CaseError(path, [f"is no TOML: {error}"]) from None
    lines = dict(lines_of(text))
    if "cases" not in document and "name" in document:
        raise CaseError(path, ["is a pack: give the file of its cases (docs/policy.md)"])
    try:
        return CaseFile.model_validate(document), lines
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise CaseError(path, list(dict.fromkeys(_slip(dict(e), lines) for e in found))) from None


def _slip(error: dict[str, Any], lines: dict[Where, int]) -> str:
    """One thing that is wrong, with its line and what would be right."""
    where: Where = tuple(error["loc"])
    given = error["type"] != "missing"
    while given and where and where not in lines:  # which of the accepted kinds it is not
        where = where[:-1]
    key = next((part for part in reversed(where) if isinstance(part, str)), "")
    if not given:
        what = "is missing"
    elif error["type"] == "extra_forbidden":
        known = Case.model_fields if len(where) > 1 else CaseFile.model_fields
        what = f"there is no such key{meant(key, known)}"
    else:
        what = f"{shown(error['input'])} is given"
    right = f"; accepted: {ACCEPTED[key]}" if key in ACCEPTED else ""
    return f"line {line_at(lines, where)}: {'.'.join(map(str, where))}: {what}{right}"


def _tried(pack: Pack, case: Case, line: int) -> Tried:
    place = case.zone or pack.zone
    if not place:
        raise ValueError("zone is missing: the pack names none; an IANA name such as Asia/Bangkok")
    zone = ZoneInfo(place)
    if unknown := set(case.fields) - set(FIELDS):
        raise ValueError(f"fields: {', '.join(sorted(unknown))}; accepted: {', '.join(FIELDS)}")
    if case.clock not in {*pack.clauses, *pack.deadlines}:
        known = [*pack.clauses, *pack.deadlines]
        raise ValueError(
            f"clock: {pack.name} has none called {case.clock!r}; there are {', '.join(known)}"
            + meant(case.clock, known)
        )
    market = case.market or next(iter(pack.markets), "")
    policy = policy_in(pack, market, place, tuple(map(Span.parse, case.closed)))
    policy = replace(policy, hand_marked=case.hand_marked)
    clocks = [tick.clock for tick in timeline(order_of(case, zone), policy)]
    said(case.due, zone)  # of an instant that the zone does not have it tells so
    return Tried(case, line, zone, _found([c for c in clocks if c.name == case.clock], zone))


def _found(clocks: list[Clock], zone: ZoneInfo) -> str:
    clock = min(clocks, key=lambda clock: clock.due_at, default=None)
    if clock is None:
        return NONE
    return REPLACED if clock.void_at == EPOCH else said(clock.due_at, zone)


def said(due: datetime | str, zone: ZoneInfo) -> str:
    """A time as it is compared and shown: local, with its offset; or a word instead."""
    return due if isinstance(due, str) else _utc(due, zone).astimezone(zone).isoformat()


def _utc(at: datetime, zone: ZoneInfo) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def order_of(case: Case, zone: ZoneInfo) -> Order:
    """The order that a case tells of, with one package."""

    def utc(at: datetime | None) -> datetime | None:
        return _utc(at, zone) if at else None

    placed = _utc(case.placed, zone)
    reached = {step: utc(getattr(case, step)) for step in STEPS}
    far = [STEPS[step] for step, at in reached.items() if at]
    known = [placed, *(at for at in reached.values() if at)]
    facts = OrderFacts(
        far[-1] if far else "AWAITING_SHIPMENT",
        create_time=placed,
        update_time=max(known),
        shipping_type=case.shipping,
        fulfillment_type="FULFILLMENT_BY_SELLER",
        order_type=case.order_type,
        paid_time=utc(case.paid),
        release_date=utc(case.released),
        rts_time=reached["ready"],
        collection_time=reached["in_transit"],
        delivery_time=reached["delivered"],
        deadlines={name: _utc(at, zone) for name, at in case.fields.items()},
        lines=(Line("1", package_id="PKG1", tracking_number=NUMBER),),
        package_ids=("PKG1",),
    )
    read = Snapshot("read", ORDER, SHOP, max(known), max(known), facts)
    link = Link(NUMBER, ORDER, "marketplace", placed)
    scanned = utc(case.scanned)
    return fold(
        ORDER, [read], [NumberFacts(NUMBER, tuple(_scans(scanned)), (link,))] if scanned else []
    )


def _scans(at: datetime) -> Iterator[Scan]:
    yield Scan(
        identity="scan",
        number=NUMBER,
        status=TrackingStatus.PICKED_UP,
        occurred_at=at,
        basis=TimeBasis.UTC,
        received_at=at,
        source="standard_webhooks",
        account="case",
        raw_code="picked_up",
    )
