"""For each clause and deadline of each pack an order that has its clock, for `test_every_clause`.

What starts and stops the clock of a clause knows its rule (`docs/rules.md`), so it is told here
once more; a deadline's own table tells it. `EVERY` is one more pack, with a deadline of each start
that each stop can follow.
"""

import datetime as dt
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from shipclock.domain.event import Line, OrderFacts, Snapshot
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order
from shipclock.domain.tracking import Scan
from shipclock.rules import packs
from shipclock.rules.policy import Pack, Policy
from tests.builders import NUMBER, ORDER, SHOP, folded, link, scan
from tests.rules import stepping
from tests.rules.starts import WHOLE, ZONES, toml
from tests.rules.stepping import DAY, HOUR, SECOND, Table

LADDER = ("AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED")
TOLD_IN = dict(zip(LADDER[1:], ("rts_time", "collection_time", "delivery_time"), strict=True))
REACHES = {
    "ready_to_ship": "AWAITING_COLLECTION",
    "in_transit": "IN_TRANSIT",
    "delivered": "DELIVERED",
}
SCANS = {"first_scan": "picked_up", "next_scan": "in_transit", "acknowledged": "delivered"}
"""What a carrier tells: the first scan, another after it, the delivery."""

TIMED: dict[str, dict[str, Any]] = {
    "status_update": {
        "starts": "placed",
        "stops": "ready_to_ship",
        "replaced_by": ["shipping_due_time"],
    },
    "untracked": {
        "starts": "placed",
        "stops": "first_scan",
        "replaced_by": ["collection_due_time"],
    },
    "collected_to_shipped": {
        "starts": "first_scan",
        "stops": "in_transit",
        "shipping": ["TIKTOK"],
    },
    "not_acknowledged": {
        "starts": "placed",
        "stops": "acknowledged",
        "shipping": ["SELLER"],
        "scanned": True,
    },
    "parcel_silent": {"starts": "first_scan", "stops": "next_scan"},
    "delivery_period": {"starts": "placed", "stops": "delivered", "field": "delivery_sla_time"},
}
"""The rules that wait for something, by what their clocks start and stop with."""

AT_ONCE = ("two_failed_attempts", "abnormal_delivery", "delivered_unproven", "carrier_mismatch")
"""Those that nothing is waited for by."""

NEVER_LATER = {
    ("ready_to_ship", "ready_to_ship"),
    ("in_transit", "ready_to_ship"),
    ("in_transit", "in_transit"),
    ("in_transit", "first_scan"),
    ("first_scan", "first_scan"),
}
"""What a clock starts with that its stop cannot come after, beside whatever starts as delivered."""


def _every() -> dict[str, Any]:
    starts = ("placed", "created", "paid", "released", "ready_to_ship", "in_transit", "first_scan")
    stops = ("ready_to_ship", "in_transit", "first_scan", "delivered")
    told = {"clause": "so long", "calendar_days": 3, "by": dt.time(23, 59, 59), "warn_hours": [24]}
    deadlines = {
        f"{begins}_{ends}": {
            **told,
            "starts": begins,
            "stops": ends,
            "line": "hard" if ends == "in_transit" else "metric",
            "order_types": ["PRE_ORDER"] if begins == "released" else [],
        }
        for begins in starts
        for ends in stops
        if (begins, ends) not in NEVER_LATER
    }
    head = {key: WHOLE["guide-2023"][key] for key in ("markets", "from", "ship_on")}
    cited = {"source": "nobody", "dated": "undated", "confidence": "unconfirmed"}
    return {"name": "every", "title": "Every", **head, **cited, "deadlines": deadlines}


EVERY = _every()
PACKS: dict[str, Table] = {**WHOLE, "every": EVERY}


@cache
def _pack(name: str) -> Pack:
    return packs.parse_pack(toml(EVERY), name) if name == "every" else packs.load(name)


class Kept(NamedTuple):
    """A clause or deadline of a pack, and a shop whose orders it is about."""

    pack: str
    name: str

    @property
    def told(self) -> Table:
        """Its figures, and what starts and stops it."""
        table = PACKS[self.pack]
        if self.name in table.get("deadlines", {}):
            deadline: Table = table["deadlines"][self.name]
            return deadline
        return {**TIMED[self.name], **table["clauses"][self.name]}

    @property
    def market(self) -> str:
        """A market of the pack."""
        return next(iter(PACKS[self.pack]["markets"]), "MY")

    @property
    def zone(self) -> str:
        """Where the shop is."""
        return ZONES[self.market].split()[-1]

    @property
    def policy(self) -> Policy:
        """What the product judges by."""
        return packs.as_policy(_pack(self.pack), self.market, self.zone)

    def due(self, start: dt.datetime) -> dt.datetime:
        """When it runs out, by stepping. Of one that the order's own field tells, a day later."""
        if "field" in self.told:
            return start + DAY
        return stepping.dues(PACKS[self.pack], start, self.market, self.zone)[self.name]

    def starts(self) -> Iterator[dt.datetime]:
        """Starts on plain and odd days: a Wednesday, a Friday night, a Sunday, a year's end, a leap
        day where there is one; and around the cut-off."""
        table = PACKS[self.pack]
        zone = self.told.get("zone") or table.get("zone") or self.zone
        first = max(table["from"], dt.date(2024, 2, 20))
        days = [first + DAY * ahead for ahead in range(9)] + [dt.date(first.year, 12, 30)]
        at = self.told.get("cut_off", dt.time(15, 30))
        for day in days:
            yield stepping.instant(zone, dt.datetime.combine(day, at))
        for off in (-SECOND, SECOND):
            yield stepping.instant(zone, dt.datetime.combine(days[3], at)) + off

    def few(self) -> list[dt.datetime]:
        """Four of these."""
        return list(self.starts())[::3]

    def order(self, start: dt.datetime, stop: dt.datetime | None = None, **other: Any) -> Order:
        """An order whose clock starts then and is stopped then, with `other` of its facts."""
        told, reached, scans = self.told, {}, []
        shipping = next(iter(told.get("shipping", ())), "SELLER")
        kind = next(iter(told.get("order_types", ())), "NORMAL")
        given: dict[str, dt.datetime] = {}
        if "field" in told:
            given[told["field"]] = self.due(start)
        created = start if told["starts"] in ("placed", "created") else start - 2 * HOUR
        if told.get("scanned"):
            scans.append(_scan("picked_up", start + HOUR))
        for what, at in ((told["starts"], start), (told["stops"], stop)):
            if at is not None and what in REACHES:
                reached[REACHES[what]] = at
            elif at is not None and what in SCANS:
                scans.append(_scan(SCANS[what], at))
        status = max(["AWAITING_SHIPMENT", *reached], key=LADDER.index)
        known: dict[str, Any] = {
            "create_time": created,
            "update_time": max([created, *reached.values()]),
            "shipping_type": shipping,
            "order_type": kind,
            "fulfillment_type": "FULFILLMENT_BY_SELLER",
            "paid_time": start if told["starts"] == "paid" else None,
            "release_date": start if told["starts"] == "released" else None,
            "deadlines": given,
            "lines": (Line("577000000000000101", package_id="1", tracking_number=NUMBER),),
            "package_ids": ("1",),
            **{TOLD_IN[rung]: at for rung, at in reached.items()},
            **other,
        }
        facts = OrderFacts(status, **known)
        read = Snapshot("read", ORDER, SHOP, created, created, facts)
        numbers = NumberFacts(NUMBER, tuple(scans), (link(source="tiktok_shop"),))
        return folded(read, numbers=(numbers,))


def _scan(status: str, at: dt.datetime) -> Scan:
    return scan(status, occurred_at=at, received_at=at, proof="signature")


WAITED_FOR = [
    Kept(name, part)
    for name, table in PACKS.items()
    for part in [*(set(table.get("clauses", {})) & TIMED.keys()), *table.get("deadlines", {})]
]
WAITED_FOR.sort()
DEADLINES = [kept for kept in WAITED_FOR if kept.name in PACKS[kept.pack].get("deadlines", {})]
"""Every clock that waits for something; of these the ones that packs tell whole."""
