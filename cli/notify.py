"""`shipclock notify`: where people are told, whether that works, and what was given up."""

from __future__ import annotations

import getpass
from collections.abc import Iterator

import click

from cli import operate
from cli.options import real
from cli.shops import STACK
from shipclock import rows
from shipclock.adapters.outlets import PeopleOutlets
from shipclock.notify.ack import acknowledge
from shipclock.notify.destinations import Destination, Destinations, destinations_of
from shipclock.notify.health import again, went_well
from shipclock.notify.sending import send, trial
from shipclock.ports import OutletFailed, OutletRefused, Row, Store

PAGE = 100


class NotifyError(Exception):
    """A destination can't be told; the message says why and what to do."""


@click.group("notify")
def group() -> None:
    """Where people are told, whether that works, and what was given up."""


def found_in(set_up: operate.SetUp) -> Destinations:
    """The destinations of a stack."""
    return destinations_of(set_up.secret("DestinationsSecret", "destinations'"))


@group.command("list")
@STACK
def list_command(stack: str | None) -> None:
    """Show every destination, how telling it goes, and what was given up."""
    set_up = operate.set_up(stack)
    found, store = found_in(set_up), set_up.store()
    for one in found.all:
        click.echo("\n".join(_lines(one, store.get(rows.destination_key(one.name)) or {})))
    for problem in found.problems:
        click.echo(f"WRONG  {problem}")
    for row in given_up(store):
        click.echo(f"given up: {row['pk'].split('#', 2)[1]}: {row.get('reason', '')}")


def _lines(one: Destination, health: Row) -> Iterator[str]:
    entry = one.entry
    yield f"{one.name}: {one.kind}{', off' if entry.off else ''}"
    limits = {"shops": entry.shops, "types": entry.types, "levels": entry.levels}
    for name, values in limits.items():
        if values is not None:
            yield f"    {name}: {', '.join(values) or 'none'}"
    yield f"    digest at {entry.digest_at}, quiet {entry.quiet or 'never'}"
    if health.get("failures"):
        since = health.get("since", "?")
        yield f"    failing since {since} ({health['failures']} times): {health.get('reason')}"
    if health.get("gone"):
        yield "    it has said that it is gone; put its new address into the secret"


@group.command("test")
@click.argument("name")
@STACK
def test_command(name: str, stack: str | None) -> None:
    """Send a made-up message to the destination NAME, whatever it is told of and when."""
    set_up = operate.set_up(stack)
    found = found_in(set_up)
    one = next((one for one in found.all if one.name == name), None)
    if one is None:
        names = ", ".join(each.name for each in found.all)
        wrong = "".join(f" {p}." for p in found.problems if f"{name!r}" in p)
        raise NotifyError(f"There is no destination {name!r}; there are: {names}.{wrong}")
    outlets = PeopleOutlets(set_up.client("sns"), set_up.need("TopicArn"), rehearsal=set_up.local)
    try:
        taken = send(outlets, one, trial(one, real()), real())
    except (OutletFailed, OutletRefused) as reason:
        raise NotifyError(f"It was not taken: {reason}.") from None
    if not 200 <= taken.status < 300:
        raise NotifyError(f"It was not taken: it answered {taken.status}.")
    went_well(set_up.store(), one, real())
    click.echo(f"{name} has taken it. See whether it arrived.")


@group.command("again")
@click.argument("name", required=False)
@STACK
def again_command(name: str | None, stack: str | None) -> None:
    """Send what was given up once more: to the destination NAME, or to all."""
    store = operate.set_up(stack).store()
    keys = [rows.key_of(row) for row in given_up(store)]
    chosen = [key for key in keys if name is None or key[0].split("#", 2)[1] == name]
    done = sum(again(store, key, real()) for key in chosen)
    click.echo(f"{done} messages are due again; the next sweep sends them")


def given_up(store: Store) -> list[Row]:
    """The messages that were given up, the oldest first."""
    found: list[Row] = []
    start = None
    while True:
        page = store.board(rows.UNTOLD, PAGE, start)
        found += page.rows
        if page.next is None:
            return found
        start = page.next


@group.command("ack")
@click.argument("order_id")
@STACK
def ack_command(order_id: str, stack: str | None) -> None:
    """Leave out further warnings that lines of ORDER_ID near; one that is moved is told again."""
    store = operate.set_up(stack).store()
    for clock in acknowledge(store, order_id, getpass.getuser(), real()):
        click.echo(f"{clock.name}: no more warnings before {clock.due_at:%Y-%m-%dT%H:%M:%SZ}")
