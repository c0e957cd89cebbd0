"""Worlds as plans: shops, and steps at minutes of the story. Whatever chance a step has left comes
from its own dice, so that a plan with fewer steps plays the rest alike."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sandbox.faults import KINDS as ANSWERS
from shipclock.marketplaces.tiktok_shop.codes import CODES

MINUTE = timedelta(minutes=1)
DAY = 24 * 60
"""Minutes."""

ZONES = {
    "MY": "Asia/Kuala_Lumpur",
    "TH": "Asia/Bangkok",
    "ID": "Asia/Jakarta",
    "US": "America/New_York",
    "UK": "Europe/London",
    "DE": "Europe/Berlin",
    "BR": "America/Sao_Paulo",
    "MX": "America/Mexico_City",
    "JP": "Asia/Tokyo",
}
SEA, OWN_TRACKS = ("MY", "TH", "ID"), ("US", "BR")
CARRIERS = ("Synthetic Express",) * 5 + ("synthetic-post", "", "Nobody")
COURSE = ("picked_up", "in_transit", "out_for_delivery", "delivered")
TROUBLE = ("delivery_attempt_failed", "lost", "damaged", "returning", "returned", "info_received")
WRITES = (
    *("*/ship", "*/packages", "*/cancellations", "*/approve", "*/reject", "*/returns"),
    *("*/messages", "*/track/update", "*/deliver", "*/shipping_info/update"),
)
READS = (
    *("*/orders", "*/search", "*/packages/*", "*/shipping_providers", "*/conversations"),
    *("*/aftersale_eligibility", "*/calculate", "*/reject_reasons", "*/handover_time_slots"),
)
PATHS = (*("*",) * 6, *READS, *WRITES, *("*/token/refresh",) * 2)
IO = ("before", "after", "gone_before", "gone_after", "overlap")
SURE = timedelta(seconds=25)
"""The longest a late effect is played: later than the re-read it is the known gap of decision 0011,
which has a test of its own."""


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """One shop: its market, whose authorisation it shares, its settings."""

    market: str
    authorisation: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happens at a minute of the story; `of` is a number of an order or a shop."""

    at: int
    do: str
    of: int
    dice: int
    says: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole world."""

    name: str
    rotates: bool
    shops: tuple[ShopPlan, ...]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        told = [f"world {self.name}, rotates={self.rotates}", *map(str, self.shops)]
        return "\n".join([*told, *map(str, self.steps)])


# Making worlds up


def made_up(name: str, most_orders: int = 30, calm: bool = False) -> Plan:
    """The world of that name; a `calm` one has no faults."""
    dice = random.Random(name)
    shops = tuple(_shops(dice))
    count = dice.randint(min(5, most_orders), most_orders)
    steps: list[Step] = []
    for order in range(count):
        steps += _life(dice, order, dice.randrange(len(shops)), shops)
    until = max(step.at for step in steps)
    steps += _traffic(dice, until, steps)
    if not calm:
        steps += _faults(dice, until, tuple(steps), len(shops))
    return Plan(name, dice.random() < 0.5, shops, tuple(sorted(steps, key=lambda s: s.at)))


def _shops(dice: random.Random) -> Iterator[ShopPlan]:
    sellers = dice.randint(1, 3)
    for place, market in enumerate(dice.sample(sorted(ZONES), dice.randint(2, 4))):
        settings: dict[str, Any] = {}
        if market in SEA and dice.random() < 0.3:
            settings["hand_marked"] = True
        if market in OWN_TRACKS and dice.random() < 0.4:
            settings["self_delivered"] = True
        if dice.random() < 0.4:
            kinds = ("cancellation", "refund", "buyer_message", "approve_cancellation")
            settings["automatic"] = tuple(dice.sample(kinds, dice.randint(1, 4)))
        if dice.random() < 0.3:
            settings["default_provider"] = "6610000000000000001"
        if dice.random() < 0.2:
            settings["handover_method"] = "DROP_OFF"
        yield ShopPlan(market, f"seller-{place % sellers}", settings)


def _life(dice: random.Random, order: int, shop: int, shops: Sequence[ShopPlan]) -> Iterator[Step]:
    """One order: placed, perhaps paid late and held, shipped, scanned, delivered; and what else may
    come over it."""
    market = shops[shop].market
    types = ("SELLER",) * 5 + ("TIKTOK",) * 3 + (("IN-STORE PICKUP",) if market in SEA else ())
    kind, begins = dice.choice(types), dice.randint(0, 3 * DAY)

    def step(at: float, do: str, **says: Any) -> Step:
        return Step(max(begins, int(at)), do, order, dice.getrandbits(32), says)

    status = dice.choice(("AWAITING_SHIPMENT",) * 4 + ("UNPAID", "ON_HOLD"))
    due = {}
    for name in ("shipping_due_time", "collection_due_time", "delivery_due_time", "rts_sla_time"):
        if dice.random() < 0.15:
            due[name] = begins + dice.randint(6 * 60, 12 * DAY)
    units = dice.choice((1, 1, 1, 2, 3))
    yield step(begins, "place", shop=shop, kind=kind, status=status, due=due, units=units)
    at = begins + dice.randint(1, 600)
    if status == "UNPAID":
        yield step(at, "pay")
    if status == "ON_HOLD":
        yield step(at + 60, "release")
    settings = shops[shop].settings
    own = kind == "SELLER" and ("hand_marked" in settings or "self_delivered" in settings)
    yield from _parcel(dice, step, at + dice.randint(0, 2 * DAY), kind, own)
    for do, likely in RARE.items():
        if dice.random() < likely:
            happens = begins + int(dice.triangular(1, 6 * DAY, 600))
            yield step(happens, do)
            if do == "request_cancel" and dice.random() < 0.6:
                yield step(happens + 30, "webhooks")
                yield step(happens + 31, "sweep")
                yield step(happens + dice.randint(32, 900), "ask", deed="answer")
    for _ in range(dice.choice((0, 0, 0, 1, 1, 2))):
        deed = dice.choice((*DEEDS, *DEEDS, "approve"))
        asked = begins + int(dice.triangular(5, 5 * DAY, 600))
        yield step(asked, "ask", deed=deed)
        if dice.random() < 0.1:
            yield step(asked + dice.randint(0, 5), "ask", deed=deed, revoked=True)


RARE = {
    "request_cancel": 0.2,
    "close_request": 0.05,
    "cancel": 0.08,
    "open_return": 0.05,
    "exception": 0.06,
    "split": 0.08,
    "combine": 0.1,
    "extend": 0.05,
    "arrange": 0.12,
}
"""What may come over an order at any time, and how likely."""

DEEDS = ("ship", "label", "renumber", "deliver", "cancel", "refund", "answer", "message")


def _parcel(
    dice: random.Random, step: Callable[..., Step], at: float, kind: str, own: bool
) -> Iterator[Step]:
    """The parcel's way, as its carrier tells us and the marketplace, each in its own time. Of a
    seller's `own` deliveries the marketplace hears through us."""
    if kind == "TIKTOK" or dice.random() < 0.1:
        ways: tuple[tuple[str, dict[str, Any]], ...] = (
            ("ask", {"deed": "ship"}),
            ("arrange", {}),
            ("ask", {"deed": "label"}),
            ("ask", {"deed": "ship"}),
        )
        do, says = dice.choice(ways)
        yield step(at, do, **says)
    course = list(COURSE[: dice.randint(0, 4)])
    if course and dice.random() < 0.3:
        course.insert(dice.randint(1, len(course)), dice.choice(TROUBLE))
    arrives = at
    for status in course:
        arrives += dice.randint(1, 1500)
        late = dice.choice((0, 0, 0, 1, 30, 600, 3000))
        numbers = dice.choice((0,) * 12 + (1,))
        if kind == "SELLER" or dice.random() < 0.3:
            yield step(arrives + late, "carrier", status=status, number=numbers, late=late)
        if status in ("picked_up", "delivered") and dice.random() < (0.1 if own else 0.8):
            done = {"picked_up": "collect", "delivered": "deliver"}[status]
            yield step(arrives + dice.randint(0, 300), done)
    if dice.random() < 0.3:
        yield step(arrives + dice.randint(10, 3 * DAY), "complete")


def _traffic(dice: random.Random, until: int, steps: Sequence[Step]) -> Iterator[Step]:
    """Webhooks and sweeps: soon after what happens most often, and now and then."""
    times = [step.at + dice.randint(0, 4) for step in steps if dice.random() < 0.7]
    times += [dice.randint(0, until) for _ in range(10)]
    for at in times:
        if dice.random() < 0.8:
            yield Step(at, "webhooks", 0, dice.getrandbits(32))
        for _ in range(dice.choice((0, 1, 1, 1, 2))):
            yield Step(at, "sweep", 0, dice.getrandbits(32))


def _faults(dice: random.Random, until: int, steps: Sequence[Step], shops: int) -> Iterator[Step]:
    """Of the marketplace, of our table and wire, of our functions, and of the connection."""
    for _ in range(dice.randint(0, 30)):
        at = dice.randint(0, until)
        yield Step(at, "fault", 0, dice.getrandbits(32), _fault(dice))
        if dice.random() < 0.6:
            yield Step(at, "sweep", 0, dice.getrandbits(32))
    for step in steps:
        if dice.random() < 0.1:  # while something is told
            yield Step(step.at, "fault", 0, dice.getrandbits(32), _fault(dice, WRITES))
            yield Step(step.at + 1, "sweep", 0, dice.getrandbits(32))
    for _ in range(dice.randint(0, 25)):
        plan = {dice.randint(0, 120): dice.choice(IO) for _ in range(dice.randint(0, 2))}
        wire = {dice.randint(0, 8): dice.choice(IO) for _ in range(dice.randint(0, 2))}
        says = {"io": plan, "wire": wire, "down": dice.random() < 0.05, "mute": dice.random() < 0.1}
        at = dice.choice(steps).at + dice.randint(0, 3)
        yield Step(at, "sweep", 0, dice.getrandbits(32), says)
    if dice.random() < 0.2:
        yield Step(dice.randint(0, until), "revoke", dice.randrange(shops), 0)


def _fault(dice: random.Random, paths: Sequence[str] = PATHS) -> dict[str, Any]:
    kind = dice.choice(sorted(ANSWERS))
    told: dict[str, Any] = {"kind": kind, "path": dice.choice(paths)}
    told |= {"times": dice.randint(1, 3), "after": dice.choice((0, 0, 0, 1, 3))}
    match kind:
        case "code":
            told["code"] = dice.choice((*sorted(CODES), 99999999))
        case "effect_late" | "slow":
            told["delay"] = dice.uniform(1, SURE.total_seconds())
        case "rate_limit":
            told["retry_after"] = dice.choice((0, 1, 5, 30))
        case "app_clock":
            told["skew"] = dice.choice((-900, -60, 60, 900))
        case "html" | "effect_html":
            told["status"] = dice.choice((200, 404, 500, 502))
    return told
