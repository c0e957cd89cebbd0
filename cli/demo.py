"""`make run` and `make demo`: sixteen days of signed traffic through the deployed stack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from cli import local, operate, telling
from cli.evidence.check import check
from cli.evidence.gather import gather
from cli.evidence.made import pack
from cli.play import DemoError, Play, problems, stamped
from cli.story import BEGINS, DAYS, STORIES
from shipclock.adapters.dynamodb import DynamoStore

__all__ = ["DemoError", "demo"]

SHOP_ID = "7490000000000000016"
"""The demo's shop is always the same, so that two runs print the same."""

ENDS = BEGINS + timedelta(days=DAYS)


@contextmanager
def _stage(sandbox_clock: int) -> Iterator[local.Stack]:
    options = local.Options(
        schedule=False, stream=False, sandbox_clock=sandbox_clock, shop_id=SHOP_ID
    )
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
        unproven = _unproven(stack, [play.orders[story.name].order_id for story in STORIES])
        found = {
            story.name: problems(
                story,
                views[story.name],
                sum(play.orders[story.name].order_id in e["order_id"].split(",") for e in effects),
            )
            + unproven[play.orders[story.name].order_id]
            for story in STORIES
        }
        if as_json:
            click.echo(json.dumps(_for_machines(play, views, effects, found), indent=2))
        else:
            _print(play, views, found)
        if stay:
            _stay(stack)
    return not any(found.values())


def _unproven(stack: local.Stack, orders: Iterable[str]) -> dict[str, list[str]]:
    """What in each order's evidence pack does not fit, alone or against the table."""
    client = local.local_client("dynamodb", stack.aws_endpoint)
    store = DynamoStore(client, stack.outputs["TableName"])
    secrets = operate.set_up(None).sources_secret()
    packs = {order: pack(gather(store, order, datetime.now(UTC), secrets)) for order in orders}
    return {
        order: [f"evidence: {one.what}" for one in check(data, store, secrets) if one.fault]
        for order, data in packs.items()
    }


def _for_machines(
    play: Play,
    views: dict[str, dict[str, Any]],
    effects: list[dict[str, Any]],
    found: dict[str, list[str]],
) -> dict[str, Any]:
    """Everything, without real times: two runs print the same."""
    told = [{name: value for name, value in e.items() if name != "at_real"} for e in effects]
    orders = {name: _without_real_times(view) for name, view in views.items()}
    return {"orders": orders, "effects": told, "counts": asdict(play.counts), "problems": found}


def _without_real_times(view: dict[str, Any]) -> dict[str, Any]:
    """An order's page; a webhook that names no time is dated by its receipt, which is real, as is
    what the chain of facts says of when they were known."""
    ends = stamped(ENDS)
    events = [{**e, "at": e["at"] if e["at"] <= ends else None} for e in view["events"]]
    return {**view, "events": events, "evidence": None}


def _print(play: Play, views: dict[str, dict[str, Any]], found: dict[str, list[str]]) -> None:
    zone = ZoneInfo(local.TIME_ZONE)
    click.echo()
    for story in STORIES:
        bad = found[story.name]
        mark = "BAD" if bad else "ok"
        lines = telling.paragraph(mark, telling.sentence(story, views[story.name], zone))
        lines[0] = lines[0].replace(mark, click.style(mark, fg="red" if bad else "green"), 1)
        lines[0] = lines[0].replace(story.name, click.style(story.name, bold=True), 1)
        for line in lines:
            click.echo(line)
        for problem in bad:
            click.echo(click.style(f"    {problem}", fg="red"))
    rows = [
        (push, play.orders[story.name].order_id)
        for story in STORIES
        for push in views[story.name]["pushes"]
    ]
    click.echo()
    for line in (*telling.pushes(rows), "", *telling.counted(play.counts)):
        click.echo(line)


def _stay(stack: local.Stack) -> None:
    click.echo(
        f"\nThe hub stays open until Ctrl-C. Try:\n"
        f"  curl -H 'Authorization: Bearer {stack.hub_token}' \\\n"
        f"    {stack.hub_url}/api/orders\n"
        f"What a changed policy pack would have made of these days (docs/policy.md):\n"
        f"  .venvs/dev/bin/python -m cli policy what-if FILE --at {stamped(ENDS)}"
    )
    try:
        while local.is_running(stack.state_dir):
            time.sleep(1)
    except KeyboardInterrupt:
        click.echo("\nstopping", err=True)
