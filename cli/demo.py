"""`make run` and `make demo`: sixteen days of signed traffic through the deployed stack."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import textwrap
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from cli import local
from cli.story import BEGINS, DAYS, EXPRESS, HOUR, STORIES, Story

EVERY = 3 * HOUR
"""How often the demo sweeps between the steps; the real schedule does every minute."""

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class DemoError(Exception):
    """The demo could not be played to its end; the message says what to do."""


@dataclass(slots=True)
class Order:
    """What the play knows of one story's order."""

    order_id: str
    number: str


@dataclass(slots=True)
class Counts:
    """What was sent and done in all."""

    webhooks: int = 0
    lost: int = 0
    callbacks: int = 0
    sweeps: int = 0
    report: dict[str, int] = field(default_factory=dict)


class Play:
    """Plays the stories against a running stack; keeps the simulated clock."""

    def __init__(self, stack: local.Stack) -> None:
        self.stack = stack
        self.now = BEGINS
        self.orders: dict[str, Order] = {}
        self.counts = Counts()
        self._muted = False
        self._ids = itertools.count(1)
        self._lambda = stack.client("lambda")

    # What a story's step may do (`story.Stage`)

    def place(self, name: str, **wish: Any) -> None:
        """See `story.Stage`."""
        placed = self._market(
            "add_order",
            shop_id=self.stack.tiktok["shop_id"],
            status="AWAITING_SHIPMENT",
            items={"MUG-BLUE": 1},
            **wish,
        )
        number = f"SYN-{len(self.orders) + 1:06d}"
        self.orders[name] = Order(placed["order_id"], number)

    def scan(
        self, name: str, status: str, *, carrier: str = EXPRESS, copies: int = 1, **more: str
    ) -> None:
        """See `story.Stage`."""
        order = self.orders[name]
        data = {
            "tracking_number": order.number,
            "status": status,
            "occurred_at": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "reference": order.order_id,
            "carrier": carrier,
            **more,
        }
        body = {"type": "shipment.tracking.updated", "timestamp": data["occurred_at"], "data": data}
        for _ in range(copies):
            self._call_back(json.dumps(body, separators=(",", ":")).encode())

    def market(self, name: str, verb: str, **words: Any) -> None:
        """See `story.Stage`."""
        self._market(verb, order_id=self.orders[name].order_id, **words)

    def fail(self, **fault: Any) -> None:
        """See `story.Stage`."""
        self._market("fail", **fault)

    def mute(self, *, on: bool) -> None:
        """See `story.Stage`."""
        self._muted = on

    # The play

    def play(self, say: Any) -> None:
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
        """Take the marketplace's webhooks and post them, unless they get lost on the way."""
        for webhook in self._market("webhooks/take")["webhooks"]:
            if self._muted:
                self.counts.lost += 1
                continue
            self._post(webhook["url"], webhook["headers"], webhook["body"].encode())
            self.counts.webhooks += 1

    def _sweep(self) -> None:
        event = {"time": self.now.strftime("%Y-%m-%dT%H:%M:%SZ"), "source": "aws.scheduler"}
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

    def _call_back(self, body: bytes) -> None:
        told, sent = f"msg_{next(self._ids):06d}", str(int(time.time()))
        secret = str(self.stack.sources["standard_webhooks"]["secret"])
        key = base64.b64decode(secret.removeprefix("whsec_"))
        mac = hmac.new(key, f"{told}.{sent}.".encode() + body, hashlib.sha256).digest()
        headers = {
            "content-type": "application/json",
            "webhook-id": told,
            "webhook-timestamp": sent,
            "webhook-signature": "v1," + base64.b64encode(mac).decode(),
        }
        self._post(f"{self.stack.ingest_url}/webhooks/carriers/standard_webhooks", headers, body)
        self.counts.callbacks += 1

    def _market(self, verb: str, **words: Any) -> dict[str, Any]:
        url = f"{self.stack.marketplace_url}/_sandbox/{verb}"
        answer: dict[str, Any] = json.loads(
            self._post(url, {"content-type": "application/json"}, json.dumps(words).encode())
        )
        return answer

    def _post(self, url: str, headers: dict[str, str], body: bytes) -> bytes:
        request = urllib.request.Request(url, body, headers)  # noqa: S310  our own 127.0.0.1
        with _direct.open(request, timeout=30) as answer:
            found: bytes = answer.read()
            return found

    # What came of it

    def view(self, name: str) -> dict[str, Any]:
        """The story's order as the hub shows it."""
        url = f"{self.stack.hub_url}/api/orders/{self.orders[name].order_id}"
        headers = {"authorization": f"Bearer {self.stack.hub_token}"}
        request = urllib.request.Request(url, headers=headers)  # noqa: S310  our own 127.0.0.1
        with _direct.open(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def effects(self) -> list[dict[str, Any]]:
        """Every fulfilment write that the marketplace accepted."""
        listed: list[dict[str, Any]] = self._market("effects")["effects"]
        return listed


def problems(story: Story, view: dict[str, Any], effects: int) -> list[str]:
    """How an order's end differs from the story's."""
    ending = story.ending
    pairs = {
        "status": (ending.status, view["status"]),
        "pushes": (list(ending.pushes), [push["state"] for push in view["pushes"]]),
        "verdicts": (
            ending.verdicts,
            {v["rule"]: v["state"] for v in view["verdicts"] if v["state"] != "withdrawn"},
        ),
        "reminders": (ending.reminders, len(view["reminders"])),
        "effects": (ending.effects, effects),
    }
    return [
        f"{what}: {want!r} was expected, it is {got!r}"
        for what, (want, got) in pairs.items()
        if want != got
    ]


@contextmanager
def _stage(sandbox_clock: int) -> Iterator[local.Stack]:
    options = local.Options(schedule=False, stream=False, sandbox_clock=sandbox_clock)
    stack = local.start(options, say=lambda text: click.echo(f"  {text}", err=True))
    try:
        yield stack
    finally:
        local.stop(Path(stack.state_dir))


def demo(*, stay: bool, as_json: bool) -> bool:
    """Play it and print what happened; whether every order ended where it should."""
    click.echo("starting the local stack", err=True)
    with _stage(int(BEGINS.timestamp())) as stack:
        play = Play(stack)
        play.play(lambda text: click.echo(f"  {text}", err=True))
        views = {story.name: play.view(story.name) for story in STORIES}
        effects = play.effects()
        found = {
            story.name: problems(
                story,
                views[story.name],
                sum(e["order_id"] == play.orders[story.name].order_id for e in effects),
            )
            for story in STORIES
        }
        if as_json:
            told = {"orders": views, "effects": effects, "problems": found}
            click.echo(json.dumps(told, indent=2))
        else:
            _print(play, views, found)
        if stay:
            _stay(stack)
    return not any(found.values())


def _print(play: Play, views: dict[str, dict[str, Any]], found: dict[str, list[str]]) -> None:
    click.echo()
    for story in STORIES:
        good = not found[story.name]
        sign = click.style("ok  ", fg="green") if good else click.style("BAD ", fg="red")
        told = textwrap.wrap(f"{story.name}: {story.told}", 75)
        click.echo(sign + told[0].replace(story.name, click.style(story.name, bold=True), 1))
        for line in told[1:]:
            click.echo(f"    {line}")
        for line in _told(views[story.name]):
            click.echo(f"      {line}")
        for problem in found[story.name]:
            click.echo(click.style(f"      {problem}", fg="red"))
    _print_pushes(play, views)
    counts, report = play.counts, play.counts.report
    click.echo(
        f"\n{counts.webhooks} marketplace webhooks ({counts.lost} more were lost), "
        f"{counts.callbacks} carrier callbacks, {counts.sweeps} sweeps:\n"
        f"{report['settled']} orders settled, {report['fired']} verdicts and reminders, "
        f"calls that ended done: {report['pushed']}, that did not: {report['failed']}."
    )


def _told(view: dict[str, Any]) -> Iterator[str]:
    """What happened to one order, in a few lines of at most 74 columns."""
    yield f"order {view['order_id']} ends {view['status']}"
    for verdict in view["verdicts"]:
        yield f"{verdict['due_at']}  {verdict['rule']}: {verdict['state']}"
    days = [reminder["local_day"] for reminder in view["reminders"]]
    if days:
        yield f"reminded on {len(days)} days, {days[0]} to {days[-1]}"
    for push in view["pushes"]:
        if push["reason"]:
            yield f"{push['call']} {push['state']}: {push['reason']}"


def _print_pushes(play: Play, views: dict[str, dict[str, Any]]) -> None:
    click.echo(f"\n{'push':<18}{'number':<14}{'state':<13}{'tries':<7}order")
    for story in STORIES:
        for push in views[story.name]["pushes"]:
            click.echo(
                f"{push['call']:<18}{push['tracking_number']:<14}{push['state']:<13}"
                f"{push['attempts']:<7}{play.orders[story.name].order_id}"
            )


def _stay(stack: local.Stack) -> None:
    click.echo(
        f"\nThe hub stays open until Ctrl-C. Try:\n"
        f"  curl -H 'Authorization: Bearer {stack.hub_token}' \\\n"
        f"    {stack.hub_url}/api/orders"
    )
    try:
        while local.is_running(stack.state_dir):
            time.sleep(1)
    except KeyboardInterrupt:
        click.echo("\nstopping", err=True)
