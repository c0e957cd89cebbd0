"""Plays the sixteen days against a running stack: keeps the simulated clock, sends what is sent."""

from __future__ import annotations

import itertools
import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cli import local, senders
from cli.story import BEGINS, DAYS, EXPRESS, HOUR, POST, STORIES, Story
from shipclock import asking
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.domain.push import Deed
from shipclock.wishes import APPROVE

EVERY = 3 * HOUR
"""How often the demo sweeps between the steps; the real schedule does every minute."""

CANCELLATION = 11
"""The webhook that names a request to cancel."""

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Opens addresses of this machine, whatever proxy is set for others."""


def stamped(at: datetime) -> str:
    """An instant as callbacks and schedules write it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class DemoError(Exception):
    """The demo could not be played to its end; the message says what to do."""


@dataclass(slots=True)
class Order:
    """What the play knows of one story's order."""

    order_id: str
    number: str
    case: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Counts:
    """What was sent and done in all."""

    webhooks: int = 0
    lost: int = 0
    callbacks: int = 0
    sweeps: int = 0
    report: dict[str, int] = field(default_factory=dict)


class Play:
    """Plays the stories; what a story's step may do is `story.Stage`."""

    def __init__(self, stack: local.Stack) -> None:
        self.stack = stack
        self.now = BEGINS
        self.orders: dict[str, Order] = {}
        self.counts = Counts()
        self._closed = False
        self._kept: list[tuple[str, senders.Signed]] = []
        self._ids = itertools.count(1)
        self._lambda = stack.client("lambda")
        self._store = DynamoStore(stack.client("dynamodb"), stack.outputs["TableName"])

    # What a story's step may do

    def place(self, name: str, **wish: Any) -> None:
        """See `story.Stage`."""
        placed = self._market(
            "add_order",
            shop_id=self.stack.tiktok["shop_id"],
            status="AWAITING_SHIPMENT",
            **{"items": {"MUG-BLUE": 1}, **wish},
        )
        number = f"SYN-{len(self.orders) + 1:06d}"
        self.orders[name] = Order(placed["order_id"], number)

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
        """See `story.Stage`."""
        order = self.orders[name]
        at = stamped(self.now)
        data = {
            "tracking_number": f"{order.number}-{parcel}" if parcel else order.number,
            "status": status,
            "occurred_at": at,
            "reference": order.order_id,
            "carrier": carrier,
            **more,
        }
        secret = str(self.stack.sources["standard_webhooks"]["secret"])
        for _ in range(copies):
            told = f"msg_{next(self._ids):06d}"
            self._call_back("standard_webhooks", senders.generic(secret, told, data, at))

    def track(self, name: str, status: str, detail: str, *, carrier: str = POST) -> None:
        """See `story.Stage`."""
        order = self.orders[name]
        told = self._market("order", order_id=order.order_id)
        at = stamped(self.now)
        order.history.append({"status": status, "status_detail": detail, "datetime": at})
        secret, event = str(self.stack.sources["easypost"]["secret"]), f"evt_{next(self._ids):06d}"
        number = str(told["tracking_number"])
        self._call_back("easypost", senders.easypost(secret, event, number, carrier, order.history))

    def market(self, name: str, verb: str, **words: Any) -> None:
        """See `story.Stage`."""
        self._market(verb, order_id=self.orders[name].order_id, **words)

    def ask(self, name: str, deed: str, by: str = "owner", **says: str) -> None:
        """See `story.Stage`."""
        order = self.orders[name]
        said = {"case": order.case, **says} if deed == Deed.ANSWER else says
        asking.ask(self._store, order.order_id, deed, said, self.now, by)

    def approve(self, name: str, kind: str) -> None:
        """See `story.Stage`."""
        for item in self.view(name)["prepared"]:
            if item["kind"] == kind:
                self.ask(name, APPROVE, kind=kind, verdict=item["verdict"])

    def hand_over_in_parts(self, name: str) -> None:
        """See `story.Stage`."""
        order = self.orders[name]
        told = self._market("order", order_id=order.order_id)
        lines = [[line["id"]] for line in told["line_items"]]
        told = self._market("split", order_id=order.order_id, groups=lines)
        for parcel, package in enumerate(told["packages"], 1):
            self._market(
                "arrange",
                order_id=order.order_id,
                package_id=package["id"],
                tracking_number=f"{order.number}-{parcel}",
                provider=EXPRESS,
            )

    def fail(self, **fault: Any) -> None:
        """See `story.Stage`."""
        self._market("fail", **fault)

    def heal(self) -> None:
        """See `story.Stage`."""
        self._market("clear_faults")

    def close(self) -> None:
        """See `story.Stage`."""
        self._closed = True

    def open(self) -> None:
        """See `story.Stage`."""
        self._closed = False
        kept, self._kept = self._kept, []
        for source, signed in kept:
            self._call_back(source, signed)

    # The play

    def play(self, say: Callable[[str], None]) -> None:
        """Play every step at its time, deliver what the marketplace tells, sweep in between."""
        steps = sorted(
            (
                (BEGINS + offset, order, step)
                for order, s in enumerate(STORIES)
                for offset, step in s.steps
            ),
            key=lambda item: item[:2],
        )
        ends = BEGINS + timedelta(days=DAYS)
        grid = [BEGINS + EVERY * turn for turn in range(int((ends - BEGINS) / EVERY) + 1)]
        times = sorted({*grid, *(at for at, _, _ in steps)})
        day = -1
        for at in times:
            if day < (at - BEGINS).days < DAYS:
                day = (at - BEGINS).days
                say(f"day {day + 1:2d} of {DAYS}")
            self._until(at)
            for _, _, step in (s for s in steps if s[0] == at):
                step(self)
            self._deliver()
            self._sweep()

    def _until(self, now: datetime) -> None:
        self.now = now
        self._market("advance", to=int(now.timestamp()))
        self._deliver()

    def _deliver(self) -> None:
        """Take the marketplace's webhooks and post them, unless ingest is closed."""
        for webhook in self._market("webhooks/take")["webhooks"]:
            if self._closed:
                self.counts.lost += 1
                continue
            self._send(webhook["url"], webhook["headers"], webhook["body"].encode())
            self.counts.webhooks += 1
            self._note(json.loads(webhook["body"]))

    def _note(self, told: dict[str, Any]) -> None:
        """Remember the buyer's request that a webhook names."""
        for order in self.orders.values():
            if told["type"] == CANCELLATION and told["data"]["order_id"] == order.order_id:
                order.case = told["data"]["cancel_id"]

    def _call_back(self, source: str, signed: senders.Signed) -> None:
        if self._closed:
            self._kept.append((source, signed))
            return
        self._send(f"{self.stack.ingest_url}/webhooks/carriers/{source}", *signed)
        self.counts.callbacks += 1

    def _sweep(self) -> None:
        event = {"time": stamped(self.now), "source": "aws.scheduler"}
        for _ in range(4):
            reply = self._lambda.invoke(
                FunctionName=self.stack.outputs["SweeperFunction"], Payload=json.dumps(event)
            )
            report = json.loads(reply["Payload"].read())
            if reply.get("FunctionError"):
                raise DemoError(f"The sweeper failed: {report}. See .local/cloud.log.")
            self.counts.sweeps += 1
            for name, value in report.items():
                self.counts.report[name] = self.counts.report.get(name, 0) + value
            self._deliver()
            if not report["due_left"]:
                return

    def _market(self, verb: str, **words: Any) -> dict[str, Any]:
        url = f"{self.stack.marketplace_url}/_sandbox/{verb}"
        answer: dict[str, Any] = json.loads(
            self._send(url, {"content-type": "application/json"}, json.dumps(words).encode())
        )
        return answer

    def _send(self, url: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
        """Posts a body, or gets the page where there is none."""
        request = urllib.request.Request(url, body, headers)  # noqa: S310  our own 127.0.0.1
        with DIRECT.open(request, timeout=30) as answer:
            found: bytes = answer.read()
            return found

    # What came of it

    def view(self, name: str) -> dict[str, Any]:
        """The story's order as the hub shows it."""
        url = f"{self.stack.hub_url}/api/orders/{self.orders[name].order_id}"
        headers = {"authorization": f"Bearer {self.stack.hub_token}"}
        found: dict[str, Any] = json.loads(self._send(url, headers))
        return found

    def effects(self) -> list[dict[str, Any]]:
        """Every fulfilment write that the marketplace accepted."""
        listed: list[dict[str, Any]] = self._market("effects")["effects"]
        return listed


def verdicts_of(view: dict[str, Any]) -> dict[str, str]:
    """How the verdicts of an order stand, by rule and cause; those taken back are left out."""
    return {
        "/".join(filter(None, (v["rule"], v["cause"]))): v["state"]
        for v in view["verdicts"]
        if v["state"] != "withdrawn"
    }


def problems(story: Story, view: dict[str, Any], effects: int) -> list[str]:
    """How an order's end differs from the story's."""
    ending = story.ending
    pairs = {
        "status": (ending.status, view["status"]),
        "pushes": (list(ending.pushes), [push["state"] for push in view["pushes"]]),
        "verdicts": (ending.verdicts, verdicts_of(view)),
        "reminders": (ending.reminders, len(view["reminders"])),
        "effects": (ending.effects, effects),
        "prepared": (list(ending.prepared), sorted(p["kind"] for p in view["prepared"])),
        "notices": (list(ending.notices), sorted({n["kind"] for n in view["notices"]})),
    }
    return [
        f"{what}: {want!r} was expected, it is {got!r}"
        for what, (want, got) in pairs.items()
        if want != got
    ]
