"""Random lives of orders, and what one would count of them on paper.

The paper folds nothing and has no clocks: it reads off a life what happened at which hour, in a
zone that is always eight hours ahead.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from shipclock.domain.event import Snapshot
from shipclock.domain.fault import Fault
from shipclock.domain.linking import NumberFacts
from tests.builders import ORDER, after, line, link, numbered, scan, snapshot

TEN = 10
"""The local hour at hour 0: T0 is ten in the morning in Kuala Lumpur."""

Hour = int | None


@dataclass(frozen=True)
class Life:
    """One order's life, in hours from T0: its own lines, and what happened when."""

    placed: int
    seller_ships: bool
    rts_line: Hour = None
    tts_line: Hour = None
    sla: Hour = None
    cancelled_unless_shipped: Hour = None
    cancelled_unless_collected: Hour = None
    shipped: Hour = None
    collected: Hour = None
    delivered: Hour = None
    cancelled: Hour = None
    fault: Fault = Fault.BUYER
    scans: tuple[Hour, ...] = (None,)


def hours(earliest: int, latest: int) -> st.SearchStrategy[int]:
    """Every sixth hour alone, so that things often happen at one time."""
    return st.integers(-(-earliest // 6), latest // 6).map(lambda quarter: 6 * quarter)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A life that may have happened: nothing after a cancellation, each step after the one
    before."""
    placed = draw(hours(0, 300))

    def some(strategy: st.SearchStrategy[int]) -> Hour:
        told = draw(st.none() | strategy)
        return None if told is None else placed + told

    cancelled = some(hours(1, 500))
    end = cancelled if cancelled is not None else 10**6
    steps: list[Hour] = []
    at: Hour = placed
    for _ in range(3):
        at = None if at is None else draw(st.none() | hours(at + 1, at + 200))
        at = None if at is None or at >= end else at
        steps.append(at)
    shipped, collected, delivered = steps
    scans: tuple[Hour, ...] = (None,) * draw(st.integers(1, 3))
    if shipped is not None:
        scans = tuple(draw(st.none() | hours(shipped, shipped + 300)) for _ in scans)
    return Life(
        placed=placed,
        seller_ships=draw(st.booleans()),
        rts_line=some(hours(1, 200)),
        tts_line=some(hours(1, 300) | hours(700, 900)),
        sla=some(hours(1, 400)),
        cancelled_unless_shipped=some(hours(1, 300)),
        cancelled_unless_collected=some(hours(1, 400)),
        shipped=shipped,
        collected=collected,
        delivered=delivered,
        cancelled=cancelled,
        fault=draw(st.sampled_from(list(Fault))),
        scans=scans,
    )


# What the product is told


FIELDS = {
    "rts_sla_time": "rts_line",
    "tts_sla_time": "tts_line",
    "delivery_sla_time": "sla",
    "shipping_due_time": "cancelled_unless_shipped",
    "collection_due_time": "cancelled_unless_collected",
}
STEPS = (
    ("AWAITING_SHIPMENT", "placed", ""),
    ("AWAITING_COLLECTION", "shipped", "rts_time"),
    ("IN_TRANSIT", "collected", "collection_time"),
    ("DELIVERED", "delivered", "delivery_time"),
    ("CANCELLED", "cancelled", "cancel_time"),
)
PACKAGE = {
    "AWAITING_COLLECTION": "PROCESSING",
    "IN_TRANSIT": "FULFILLING",
    "DELIVERED": "COMPLETED",
    "CANCELLED": "CANCELLED",
}


WORDS = {
    Fault.BUYER: ("BUYER", "no longer needed"),
    Fault.SELLER: ("SELLER", "seller_cancel_reason_out_of_stock"),
    Fault.LATE: ("SYSTEM", "system_cancel_order_reason_shipping_timeout"),
    Fault.OTHERS: ("SYSTEM", "package_lost"),
    Fault.UNCLEAR: ("SYSTEM", "a_reason_of_tomorrow"),
}
"""How the marketplace tells whose fault a cancellation is."""


def number(place: int, order_id: str) -> str:
    return f"SYN{order_id[-3:]}{place}"


def told(life: Life, order_id: str = ORDER) -> Iterator[Snapshot]:
    """A re-read after each step."""
    known: dict[str, Any] = {
        "create_time": after(life.placed),
        "shipping_type": "SELLER" if life.seller_ships else "TIKTOK",
        "deadlines": {
            name: after(getattr(life, field)) for name, field in FIELDS.items()
            if getattr(life, field) is not None
        },
    }  # fmt: skip
    happened = [(s, getattr(life, f), own) for s, f, own in STEPS if getattr(life, f) is not None]
    for status, at, own in sorted(happened, key=lambda step: step[1]):
        known |= {own: after(at)} if own else {}
        if status == "CANCELLED":
            known["cancelled_by"], known["cancel_reason"] = WORDS[life.fault]
        packages = tuple(
            line(
                f"L{place}",
                package_id=f"P{place}",
                package_status=PACKAGE.get(status, "TO_FULFILL"),
                tracking_number=number(place, order_id) if life.shipped is not None else "",
            )
            for place in range(len(life.scans))
        )
        found = snapshot(status, at, lines=packages, **known)
        yield replace(found, order_id=order_id)


def carried(life: Life, order_id: str = ORDER) -> Iterator[NumberFacts]:
    """What the carrier tells of each package."""
    for place, at in enumerate(life.scans):
        its = number(place, order_id)
        scans = [] if at is None else [scan("picked_up", at, number=its)]
        yield numbered(*scans, number=its, links=(link(order_id, number=its),))


# What an operator would count


@dataclass
class Paper:
    """A sheet of paper: marks by signal and state, for the days that were asked for."""

    first: int
    last: int
    at: int
    marks: dict[str, Counter[str]] = field(default_factory=dict)

    def mark(self, signal: str, state: str, hour: int, life: Life) -> None:
        start = (life.placed + TEN) // 24
        day = min(max((hour + TEN) // 24, start), start + 31)
        if self.first <= day <= self.last:
            self.marks.setdefault(signal, Counter())[state] += 1

    def order(self, life: Life) -> None:
        self.dispatch(life)
        self.delivery(life)
        self.cancellation(life)
        if life.seller_ships and life.shipped is not None:
            for scanned in life.scans:
                self.mark("valid_tracking", self.tracked(life, scanned), life.shipped, life)

    def dispatch(self, life: Life) -> None:
        pairs = [(life.rts_line, life.shipped), (life.tts_line, life.collected)]
        known = [(due, done) for due, done in pairs if due is not None]
        if not known and life.cancelled_unless_shipped is None:
            known = [(life.placed + 120, life.shipped)]
        if not known:
            self.mark("late_dispatch", "no_line", life.placed, life)
            return
        states = {self.one(due, done, life.cancelled) for due, done in known}
        worst = next(s for s in ("bad", "open", "cancelled", "good") if s in states)
        self.mark("late_dispatch", worst, max(due for due, _ in known), life)

    def delivery(self, life: Life) -> None:
        if life.sla is None:
            self.mark("on_time_delivery", "no_line", life.placed, life)
            return
        state = self.one(life.sla, life.delivered, life.cancelled)
        self.mark("on_time_delivery", state, life.sla, life)

    def one(self, due: int, done: Hour, cancelled: Hour) -> str:
        if done is not None and done <= due:
            return "good"
        if done is not None:
            return "bad"
        if cancelled is not None:
            return "cancelled" if cancelled <= due else "bad"
        return "bad" if self.at >= due else "open"

    def tracked(self, life: Life, scanned: Hour) -> str:
        given_up = life.cancelled_unless_collected
        given_up = life.placed + 360 if given_up is None else given_up
        if scanned is not None or life.collected is not None:
            return "good"
        if life.cancelled is not None:
            lost = life.fault is Fault.LATE or life.cancelled > given_up
            return "bad" if lost else "cancelled"
        return "bad" if self.at >= given_up else "open"

    def cancellation(self, life: Life) -> None:
        state = "open" if life.collected is None else "good"
        if life.cancelled is not None:
            words = {Fault.SELLER: "bad", Fault.LATE: "bad", Fault.UNCLEAR: "unclear"}
            state = words.get(life.fault, "good")
        self.mark("seller_cancellation", state, life.placed, life)
