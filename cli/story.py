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


class Stage(Protocol):
    """What a step may do."""

    def place(self, name: str, **wish: Any) -> None:
        """Place the story's order at the marketplace."""

    def scan(
        self, name: str, status: str, *, carrier: str = EXPRESS, copies: int = 1, **more: str
    ) -> None:
        """Have the 3PL call back, signed, some copies of it."""

    def market(self, name: str, verb: str, **words: Any) -> None:
        """Have the marketplace itself do something to the order."""

    def fail(self, **fault: Any) -> None:
        """Have the marketplace's API fail."""

    def mute(self, *, on: bool) -> None:
        """Lose (or no longer lose) every webhook of the marketplace on its way."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order must stand in the end. Verdicts by rule, pushes in order, reminders counted."""

    status: str
    pushes: tuple[str, ...] = ()
    verdicts: dict[str, str] = field(default_factory=dict)
    reminders: int = 0
    effects: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """One order's life."""

    name: str
    told: str
    ending: Ending
    steps: tuple[tuple[timedelta, Callable[[Stage], None]], ...]


def _shipped(name: str, placed: timedelta, until: str = "delivered") -> list[Any]:
    """The ordinary way: handed over after five hours, delivered on the third day."""
    steps: list[Any] = [
        (placed, lambda s: s.place(name)),
        (placed + 5 * HOUR, lambda s: s.scan(name, "picked_up")),
        (placed + 8 * HOUR, lambda s: s.market(name, "collect")),
        (placed + 30 * HOUR, lambda s: s.scan(name, "in_transit")),
        (placed + 50 * HOUR, lambda s: s.scan(name, "out_for_delivery")),
    ]
    if until == "delivered":
        steps += [
            (
                placed + 54 * HOUR,
                lambda s: s.scan(name, "delivered", delivered_to="recipient", proof="signature"),
            ),
            (placed + 56 * HOUR, lambda s: s.market(name, "deliver")),
        ]
    return steps


def _doubted(stage: Stage) -> None:
    stage.fail(kind="rate_limit", path="*/ship", retry_after=1)
    stage.fail(kind="effect_no_answer", path="*/ship")
    stage.scan("the doubtful push", "picked_up")


def _due(hours: int) -> int:
    return int((BEGINS + hours * HOUR).timestamp())


STORIES: tuple[Story, ...] = (
    Story(
        "the ordinary order",
        "placed, handed to the 3PL after five hours, delivered on day three",
        Ending("DELIVERED", ("done",), effects=1),
        tuple(_shipped("the ordinary order", timedelta(0))),
    ),
    Story(
        "the forgotten order",
        "never handed over: reminded daily from day five on, cancelled on day fifteen",
        Ending("CANCELLED", verdicts={"status_update": "standing"}, reminders=11),
        ((10 * MINUTE, lambda s: s.place("the forgotten order")),),
    ),
    Story(
        "the storm",
        "every webhook and scan arrives five times and out of order",
        Ending("DELIVERED", ("done",), effects=1),
        (
            (20 * MINUTE, lambda s: s.place("the storm")),
            (6 * HOUR, lambda s: s.scan("the storm", "in_transit", copies=5)),
            (6 * HOUR + MINUTE, lambda s: s.scan("the storm", "picked_up", copies=5)),
            (9 * HOUR, lambda s: s.market("the storm", "collect")),
            (60 * HOUR, lambda s: s.scan("the storm", "delivered", copies=5)),
            (61 * HOUR, lambda s: s.market("the storm", "deliver")),
        ),
    ),
    Story(
        "the unheard order",
        "its webhooks are lost for a day; reconciliation finds it and it is shipped in time",
        Ending("DELIVERED", ("done",), effects=1),
        (
            (2 * DAY, lambda s: s.mute(on=True)),
            *_shipped("the unheard order", 2 * DAY + 10 * MINUTE),
            (3 * DAY, lambda s: s.mute(on=False)),
        ),
    ),
    Story(
        "the doubtful push",
        "told to slow down, then shipped without an answer: looked at again, not sent twice",
        Ending("IN_TRANSIT", ("done",), effects=1),
        (
            (4 * DAY, lambda s: s.place("the doubtful push")),
            (
                4 * DAY + 4 * HOUR,
                _doubted,
            ),
            (4 * DAY + 9 * HOUR, lambda s: s.market("the doubtful push", "collect")),
        ),
    ),
    Story(
        "the late order",
        "its own deadline passes; the marketplace cancels it before it is handed over",
        Ending("CANCELLED", verdicts={"rts_sla_time": "standing"}),
        (
            (
                5 * DAY,
                lambda s: s.place(
                    "the late order",
                    rts_sla_time=_due(5 * 24 + 48),
                    shipping_due_time=_due(5 * 24 + 72),
                ),
            ),
        ),
    ),
    Story(
        "the marketplace's own parcel",
        "fulfilled by the marketplace: scanned, and nothing may be pushed",
        Ending("AWAITING_SHIPMENT", ("not_allowed",)),
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
        Ending("AWAITING_SHIPMENT", ("not_allowed",), verdicts={"status_update": "standing"}),
        (
            (7 * DAY, lambda s: s.place("the unknown carrier")),
            (
                7 * DAY + 4 * HOUR,
                lambda s: s.scan("the unknown carrier", "picked_up", carrier="Nobody Logistics"),
            ),
        ),
    ),
)
