"""Orders at many stages of their life, as the product itself folds them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from shipclock.domain.order import Order
from shipclock.rules import Timeline
from shipclock.rules.policy import Policy
from tests.stage import SHOP_ID, START, Stage

Prepared = tuple[Order, Policy, Timeline, datetime]
"""An order, what it is judged by, its clocks, and when somebody looks."""

LOOKS = (-1, 2, 30, 100, 121, 400)
"""Hours after they were placed."""


class Lines(TypedDict, total=False):
    """The marketplace's own lines of an order, in Unix seconds."""

    shipping_due_time: int
    collection_due_time: int
    delivery_due_time: int


def prepared_orders() -> list[Prepared]:
    """Each at six instants. Ship by Seller, with the marketplace's lines and without: placed,
    carried, delivered with a proof and without, cancelled; and one Ship by TikTok."""
    stage = Stage()
    day = 86_400
    created = int(START.timestamp())
    lines: Lines = {
        "shipping_due_time": created + 3 * day,
        "collection_due_time": created + 5 * day,
        "delivery_due_time": created + 20 * day,
    }
    bare = [_place(stage, {}) for _ in range(3)]
    lined = [_place(stage, lines) for _ in range(4)]
    platform = _place(stage, {}, "TIKTOK")
    stage.sandbox.arrange(platform)
    stage.sandbox.cancel(lined[3], "out of stock", "SELLER")
    stage.marketplace_tells()
    stage.settle_down()
    _carried(stage, [*bare[1:], *lined[1:3]], "picked_up", START + timedelta(hours=1))
    _carried(stage, bare[2:], "delivered", START + timedelta(hours=50))
    _carried(stage, lined[2:3], "delivered", START + timedelta(hours=50), proof="signature")
    stage.sandbox.collect(platform, int(START.timestamp()) + 7200)
    stage.until(START + timedelta(hours=60))
    stage.settle_down()
    found = []
    for one in (*bare, *lined, platform):
        settled = stage.judged(one)
        policy = settled.situation.policy
        assert policy is not None
        for hours in LOOKS:
            now = START + timedelta(hours=hours)
            found.append((settled.order, policy, settled.decision.timeline, now))
    return found


def _place(stage: Stage, lines: Lines, shipping_type: str = "SELLER") -> str:
    return stage.sandbox.add_order(
        SHOP_ID,
        status="AWAITING_SHIPMENT",
        items={"MUG": 1},
        shipping_type=shipping_type,
        **lines,
    )


def _carried(stage: Stage, orders: Sequence[str], status: str, at: datetime, **more: str) -> None:
    for one in orders:
        stage.carrier_tells(f"SYN-{one[-4:]}", status, at, one, **more)
