"""The sixteen days of `make demo`: what happens to each order, and how each must end.

All of it is made up. A story is a list of steps at offsets from the beginning, which is 09:00 of a
Monday in the shop's time zone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

BEGINS = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
DAYS = 16
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)

EXPRESS = "Synthetic Express"
POST = "Synthetic Post"


class Stage(Protocol):
    """What a step may do."""

    def place(self, name: str, **wish: Any) -> None:
        """Place the story's order at the marketplace."""

    def scan(
        self,
        name: str,
        status: str,
        *,
        carrier: str = EXPRESS,
        copies: int = 1,
        parcel: int = 0,
        **more: str,
    ) -> None:
        """Have the 3PL call back, signed, some copies of it."""

    def track(self, name: str, status: str, detail: str, *, carrier: str = POST) -> None:
        """Have EasyPost tell the history of the marketplace's own number, once more and longer."""

    def market(self, name: str, verb: str, **words: Any) -> None:
        """Have the marketplace itself do something to the order."""

    def ask(self, name: str, deed: str, by: str = "owner", **says: str) -> None:
        """Have a person ask that the marketplace be told something of the order; an answer is to
        the buyer's latest request."""

    def approve(self, name: str, kind: str) -> None:
        """Have a person let out what is prepared of a kind."""

    def hand_over_in_parts(self, name: str) -> None:
        """Split the order in two, and ship both in Seller Center."""

    def fail(self, **fault: Any) -> None:
        """Have the marketplace's API fail."""

    def heal(self) -> None:
        """Have it work again."""

    def close(self) -> None:
        """Nothing reaches ingest: webhooks are lost, the 3PL keeps its callbacks for later."""

    def open(self) -> None:
        """Ingest answers again; the 3PL sends what it has kept."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order must stand in the end.

    Verdicts by rule (and cause), pushes in order, reminders counted, what is prepared, and what
    the seller was told besides, each by its kind.
    """

    status: str
    pushes: tuple[str, ...] = ()
    verdicts: dict[str, str] = field(default_factory=dict)
    reminders: int = 0
    effects: int = 0
    prepared: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


Step = tuple[timedelta, Callable[[Stage], None]]


@dataclass(frozen=True, slots=True)
class Story:
    """One order's life."""

    name: str
    told: str
    ending: Ending
    steps: tuple[Step, ...]


SIGNED: Any = {"delivered_to": "recipient", "proof": "signature"}
REMEDY = ("buyer_message", "refund")


def _left(name: str, placed: timedelta) -> list[Step]:
    """Handed over after five hours and on its way."""
    return [
        (placed, lambda s: s.place(name)),
        (placed + 5 * HOUR, lambda s: s.scan(name, "picked_up")),
        (placed + 8 * HOUR, lambda s: s.market(name, "collect")),
        (placed + 30 * HOUR, lambda s: s.scan(name, "in_transit")),
    ]


def _arrived(name: str, at: timedelta, **proof: Any) -> list[Step]:
    return [
        (at, lambda s: s.scan(name, "delivered", **proof)),
        (at + 2 * HOUR, lambda s: s.market(name, "deliver")),
    ]


def _due(offset: timedelta) -> int:
    return int((BEGINS + offset).timestamp())


def _doubted(stage: Stage) -> None:
    stage.fail(kind="rate_limit", path="*/ship", retry_after=1)
    stage.fail(kind="effect_no_answer", path="*/ship")
    stage.scan("the doubtful push", "picked_up")


def _sold_out(stage: Stage) -> None:
    """Two people ask for the same, and the marketplace's answer is lost after its effect."""
    stage.fail(kind="effect_no_answer", path="*/cancellations", method="POST")
    stage.ask("the empty shelf", "cancel", "owner", reason="out_of_stock")
    stage.ask("the empty shelf", "cancel", "packer", reason="out_of_stock")


def _by_tiktok(name: str, placed: timedelta, **wish: Any) -> list[Step]:
    """Ship by TikTok: shipped in Seller Center after an hour, fetched the next morning."""
    return [
        (placed, lambda s: s.place(name, shipping_type="TIKTOK", **wish)),
        (placed + HOUR, lambda s: s.market(name, "arrange")),
    ]


STORIES: tuple[Story, ...] = (
    Story(
        "the signed order",
        "handed to the 3PL after five hours, delivered and signed for on day three",
        Ending("DELIVERED", ("done",), effects=1),
        (
            *_left("the signed order", timedelta(0)),
            *_arrived("the signed order", 54 * HOUR, **SIGNED),
        ),
    ),
    Story(
        "the unsigned order",
        "delivered, and nobody can show that it was",
        Ending("DELIVERED", ("done",), {"delivered_unproven": "standing"}, effects=1),
        (
            *_left("the unsigned order", 5 * MINUTE),
            *_arrived("the unsigned order", 52 * HOUR, proof="none"),
        ),
    ),
    Story(
        "the closed door",
        "two attempts fail: deemed lost, a refund and a message are prepared",
        Ending(
            "IN_TRANSIT",
            ("done",),
            {
                "two_failed_attempts": "standing",
                "abnormal_delivery/deemed_lost": "standing",
                "not_acknowledged": "standing",
            },
            effects=1,
            prepared=REMEDY,
        ),
        (
            *_left("the closed door", 10 * MINUTE),
            (
                54 * HOUR,
                lambda s: s.scan(
                    "the closed door", "delivery_attempt_failed", reason="recipient_absent"
                ),
            ),
            (
                78 * HOUR,
                lambda s: s.scan(
                    "the closed door", "delivery_attempt_failed", reason="recipient_absent"
                ),
            ),
        ),
    ),
    Story(
        "the silent parcel",
        "not acknowledged by day twelve, deemed lost; delivered on day thirteen after all",
        Ending(
            "DELIVERED",
            ("done",),
            {"not_acknowledged": "overtaken", "abnormal_delivery/deemed_lost": "overtaken"},
            effects=1,
        ),
        (
            *_left("the silent parcel", 15 * MINUTE),
            *_arrived("the silent parcel", 12 * DAY + 20 * HOUR, **SIGNED),
        ),
    ),
    Story(
        "the forgotten order",
        "never handed over: reminded daily from day five on, cancelled on day fifteen",
        Ending(
            "CANCELLED",
            verdicts={"status_update": "standing"},
            reminders=11,
            notices=("nearing", "outcome", "warning"),
        ),
        ((20 * MINUTE, lambda s: s.place("the forgotten order")),),
    ),
    Story(
        "the stale status",
        "Ship by TikTok: fetched, and 48 hours later still not shown as shipped",
        Ending(
            "IN_TRANSIT",
            verdicts={"collected_to_shipped": "overtaken"},
            notices=("collected", "pickup"),
        ),
        (
            *_by_tiktok("the stale status", DAY),
            (2 * DAY, lambda s: s.track("the stale status", "pre_transit", "label_created")),
            (
                2 * DAY + HOUR,
                lambda s: s.track("the stale status", "in_transit", "received_at_origin_facility"),
            ),
            (
                3 * DAY,
                lambda s: s.track("the stale status", "in_transit", "departed_facility"),
            ),
            (4 * DAY + 7 * HOUR, lambda s: s.market("the stale status", "collect")),
        ),
    ),
    Story(
        "the late parcel",
        "Ship by TikTok: its delivery period ends while it is on its way",
        Ending(
            "IN_TRANSIT",
            verdicts={
                "delivery_sla_time": "standing",
                "delivery_period": "standing",
                "abnormal_delivery/deemed_delayed": "standing",
            },
            prepared=REMEDY,
            notices=("collected", "pickup"),
        ),
        (
            *_by_tiktok("the late parcel", 2 * DAY, delivery_sla_time=_due(7 * DAY)),
            (3 * DAY + HOUR, lambda s: s.market("the late parcel", "collect")),
        ),
    ),
    Story(
        "the lost parcel",
        "Ship by TikTok: the marketplace itself tells that its carrier lost the parcel",
        Ending(
            "IN_TRANSIT",
            verdicts={"abnormal_delivery/package_lost": "standing"},
            prepared=REMEDY,
            notices=("collected", "pickup"),
        ),
        (
            *_by_tiktok("the lost parcel", 2 * DAY + 10 * MINUTE),
            (3 * DAY + HOUR, lambda s: s.market("the lost parcel", "collect")),
            (
                6 * DAY,
                lambda s: s.market("the lost parcel", "report_exception", reason="PACKAGE_LOST"),
            ),
        ),
    ),
    Story(
        "the broken mug",
        "reported damaged on its way: a refund and a message are prepared",
        Ending(
            "IN_TRANSIT",
            ("done",),
            {
                "abnormal_delivery/damaged": "standing",
                "abnormal_delivery/deemed_lost": "standing",
                "not_acknowledged": "standing",
            },
            effects=1,
            prepared=REMEDY,
        ),
        (
            *_left("the broken mug", 2 * DAY),
            (4 * DAY, lambda s: s.scan("the broken mug", "damaged")),
        ),
    ),
    Story(
        "the lost one found",
        "the carrier reports it lost, finds it again and delivers it",
        Ending("DELIVERED", ("done",), {"abnormal_delivery/lost": "overtaken"}, effects=1),
        (
            *_left("the lost one found", 2 * DAY + 5 * MINUTE),
            (5 * DAY, lambda s: s.scan("the lost one found", "lost")),
            (7 * DAY, lambda s: s.scan("the lost one found", "in_transit")),
            *_arrived("the lost one found", 8 * DAY, **SIGNED),
        ),
    ),
    Story(
        "the change of mind",
        "packed when the buyer asks to cancel: kept back, nothing is pushed, cancelled",
        Ending("CANCELLED", notices=("cancel_request",)),
        (
            (3 * DAY, lambda s: s.place("the change of mind")),
            (3 * DAY + 2 * HOUR, lambda s: s.scan("the change of mind", "info_received")),
            (3 * DAY + 4 * HOUR, lambda s: s.market("the change of mind", "request_cancel")),
            # The packer was quicker than the news; the parcel is fetched back.
            (3 * DAY + 5 * HOUR, lambda s: s.scan("the change of mind", "picked_up")),
            (
                4 * DAY + 4 * HOUR,
                lambda s: s.market(
                    "the change of mind", "cancel", reason="no longer needed", by="BUYER"
                ),
            ),
        ),
    ),
    Story(
        "the two halves",
        "split in two packages: one arrives, the other fails twice and is deemed lost",
        Ending(
            "IN_TRANSIT",
            verdicts={
                "two_failed_attempts": "standing",
                "abnormal_delivery/deemed_lost": "standing",
                "not_acknowledged": "standing",
            },
            prepared=REMEDY,
        ),
        (
            (
                3 * DAY + HOUR,
                lambda s: s.place("the two halves", items={"MUG-BLUE": 1, "TEA-GREEN": 1}),
            ),
            (3 * DAY + 2 * HOUR, lambda s: s.hand_over_in_parts("the two halves")),
            (3 * DAY + 5 * HOUR, lambda s: s.scan("the two halves", "picked_up", parcel=1)),
            (3 * DAY + 6 * HOUR, lambda s: s.scan("the two halves", "picked_up", parcel=2)),
            (3 * DAY + 8 * HOUR, lambda s: s.market("the two halves", "collect")),
            (5 * DAY, lambda s: s.scan("the two halves", "delivered", parcel=1, **SIGNED)),
            (
                5 * DAY + HOUR,
                lambda s: s.scan("the two halves", "delivery_attempt_failed", parcel=2),
            ),
            (
                6 * DAY + HOUR,
                lambda s: s.scan("the two halves", "delivery_attempt_failed", parcel=2),
            ),
        ),
    ),
    Story(
        "the storm",
        "every webhook and scan arrives five times and out of order",
        Ending("DELIVERED", ("done",), effects=1),
        (
            (4 * DAY, lambda s: s.place("the storm")),
            (4 * DAY + 6 * HOUR, lambda s: s.scan("the storm", "in_transit", copies=5)),
            (4 * DAY + 6 * HOUR + MINUTE, lambda s: s.scan("the storm", "picked_up", copies=5)),
            (4 * DAY + 9 * HOUR, lambda s: s.market("the storm", "collect")),
            (6 * DAY + 12 * HOUR, lambda s: s.scan("the storm", "delivered", copies=5, **SIGNED)),
            (6 * DAY + 13 * HOUR, lambda s: s.market("the storm", "deliver")),
        ),
    ),
    Story(
        "the unheard order",
        "placed while ingest is closed for an hour; reconciliation finds it",
        Ending("DELIVERED", ("done",), effects=1),
        (
            (6 * DAY - 10 * MINUTE, lambda s: s.close()),
            (6 * DAY, lambda s: s.place("the unheard order")),
            (6 * DAY + 20 * MINUTE, lambda s: s.scan("the unheard order", "picked_up")),
            (6 * DAY + 50 * MINUTE, lambda s: s.open()),
            (6 * DAY + 8 * HOUR, lambda s: s.market("the unheard order", "collect")),
            *_arrived("the unheard order", 8 * DAY + 3 * HOUR, **SIGNED),
        ),
    ),
    Story(
        "the deaf marketplace",
        "handed over while the marketplace fails for a morning; told at noon",
        Ending("IN_TRANSIT", ("done",), effects=1),
        (
            (8 * DAY, lambda s: s.place("the deaf marketplace")),
            (9 * DAY, lambda s: s.fail(kind="unavailable", times=100_000)),
            (9 * DAY + HOUR, lambda s: s.scan("the deaf marketplace", "picked_up")),
            (9 * DAY + 3 * HOUR, lambda s: s.heal()),
            (9 * DAY + 8 * HOUR, lambda s: s.market("the deaf marketplace", "collect")),
        ),
    ),
    Story(
        "the doubtful push",
        "told to slow down, then shipped without an answer: looked at again, not sent twice",
        Ending("IN_TRANSIT", ("done",), effects=1),
        (
            (5 * DAY, lambda s: s.place("the doubtful push")),
            (5 * DAY + 4 * HOUR, _doubted),
            (5 * DAY + 9 * HOUR, lambda s: s.market("the doubtful push", "collect")),
        ),
    ),
    Story(
        "the late order",
        "its own deadline passes; the marketplace cancels it before it is handed over",
        Ending("CANCELLED", verdicts={"rts_sla_time": "standing"}, notices=("nearing", "outcome")),
        (
            (
                5 * DAY,
                lambda s: s.place(
                    "the late order",
                    rts_sla_time=_due(7 * DAY),
                    shipping_due_time=_due(8 * DAY),
                ),
            ),
        ),
    ),
    Story(
        "the marketplace's own parcel",
        "fulfilled by the marketplace: scanned, and nothing may be pushed",
        Ending("AWAITING_SHIPMENT", ("not_allowed",), notices=("push",)),
        (
            (
                6 * DAY,
                lambda s: s.place(
                    "the marketplace's own parcel", fulfillment_type="FULFILLMENT_BY_TIKTOK"
                ),
            ),
            (6 * DAY + HOUR, lambda s: s.scan("the marketplace's own parcel", "picked_up")),
        ),
    ),
    Story(
        "the unknown carrier",
        "scanned by a carrier that the marketplace does not list: the seller is told",
        Ending(
            "AWAITING_SHIPMENT",
            ("not_allowed",),
            {"status_update": "standing"},
            notices=("push",),
        ),
        (
            (7 * DAY, lambda s: s.place("the unknown carrier")),
            (
                7 * DAY + 4 * HOUR,
                lambda s: s.scan("the unknown carrier", "picked_up", carrier="Nobody Logistics"),
            ),
        ),
    ),
    Story(
        "the wrong hands",
        "Ship by TikTok, but first scanned by another carrier than the one assigned",
        Ending(
            "IN_TRANSIT",
            verdicts={"carrier_mismatch": "standing"},
            notices=("collected", "pickup"),
        ),
        (
            *_by_tiktok("the wrong hands", 9 * DAY + 4 * HOUR),
            (
                10 * DAY + 2 * HOUR,
                lambda s: s.track(
                    "the wrong hands", "in_transit", "received_at_origin_facility", carrier=EXPRESS
                ),
            ),
            (10 * DAY + 4 * HOUR, lambda s: s.market("the wrong hands", "collect")),
        ),
    ),
    Story(
        "the empty shelf",
        "two people ask to cancel it, and no answer comes: looked at again, told once",
        Ending("CANCELLED", ("done",), effects=1),
        (
            (4 * DAY + 12 * HOUR, lambda s: s.place("the empty shelf")),
            (5 * DAY + 4 * HOUR, _sold_out),
        ),
    ),
    Story(
        "the wish come too late",
        "the buyer asks to cancel a parcel that has left; told no three hours before the end",
        Ending("DELIVERED", ("done", "done"), effects=2, notices=("cancel_request", "warning")),
        (
            (9 * DAY, lambda s: s.place("the wish come too late")),
            (9 * DAY + 3 * HOUR, lambda s: s.market("the wish come too late", "request_cancel")),
            (9 * DAY + 6 * HOUR, lambda s: s.scan("the wish come too late", "picked_up")),
            (
                11 * DAY,
                lambda s: s.ask(
                    "the wish come too late",
                    "answer",
                    answer="reject",
                    reason="seller_reject_apply_product_has_been_packed",
                ),
            ),
            (11 * DAY + 6 * HOUR, lambda s: s.market("the wish come too late", "collect")),
            (
                12 * DAY + 18 * HOUR,
                lambda s: s.scan("the wish come too late", "delivered", **SIGNED),
            ),
            (12 * DAY + 21 * HOUR, lambda s: s.market("the wish come too late", "deliver")),
        ),
    ),
    Story(
        "the broken vase",
        "reported damaged on its way, and the refund that is prepared is let out",
        Ending(
            "COMPLETED",
            ("done", "done"),
            {"abnormal_delivery/damaged": "overtaken"},
            effects=2,
        ),
        (
            (10 * DAY, lambda s: s.place("the broken vase")),
            (10 * DAY + 6 * HOUR, lambda s: s.scan("the broken vase", "picked_up")),
            (10 * DAY + 9 * HOUR, lambda s: s.market("the broken vase", "collect")),
            (12 * DAY, lambda s: s.scan("the broken vase", "damaged")),
            (12 * DAY + 6 * HOUR, lambda s: s.approve("the broken vase", "refund")),
        ),
    ),
)
