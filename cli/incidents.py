"""`shipclock incident`: what held orders up and nobody can be blamed for."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from typing import Any

import click

from cli import operate
from cli.options import TABLE, real
from shipclock import incident_shapes, incident_view, incidents
from shipclock.asking import NotAsked
from shipclock.domain.incident import Incident
from shipclock.domain.times import stamp
from shipclock.hub import Visitor
from shipclock.incident_texts import ORDERS_PER_TICKET, buyer_message
from shipclock.ports import Store

ALL = Visitor("owner")
SHOWN = 50
NEXT = "The next sweeps look at the open orders, within some minutes:"


def _said(needed: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options by which something is said of an incident."""
    made = [
        click.option("--carrier", "carriers", multiple=True, metavar="NAME", help="Repeatable."),
        click.option(
            "--region",
            "regions",
            multiple=True,
            metavar="REGION",
            help="A country's two letters, an ISO code such as MY-10, or a name as the marketplace "
            "writes it. Repeatable.",
        ),
        click.option(
            "--postcode",
            "postcodes",
            multiple=True,
            metavar="CODES",
            help="10110, 10110-10120, SW1A*, or M1 * for a district alone. Repeatable.",
        ),
        click.option("--shop", "shops", multiple=True, metavar="SHOP", help="Left out: all."),
        click.option(
            "--from",
            "begins_at",
            required=needed,
            metavar="TIME",
            help="With its offset: 2026-11-10T10:00:00+08:00; or now.",
        ),
        click.option("--until", "ends_at", metavar="TIME", help="Left out: nobody knows yet."),
        click.option("--reason", required=needed, help="Buyers and Seller Center read it."),
        click.option(
            "--evidence", "evidence", multiple=True, metavar="URL", help="A page. Repeatable."
        ),
        TABLE,
    ]

    def laid(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(made):
            command = option(command)
        return command

    return laid


@click.group("incident")
def group() -> None:
    """Force majeure: what held orders up, which they are, and what to write of it."""


@group.command("declare")
@_said(needed=True)
def declare_command(table: str | None, **said: Any) -> None:
    """Declare an incident. Of a carrier, regions and postcodes each kind that is given must fit, of
    several of one kind any. What a pack allows to be extended is; the marketplace's own clocks run
    on."""
    told = incident_shapes.Declaring(**_times(said))
    fact = incident_view.fact_of(told, by=getpass.getuser())
    incident, new = incidents.declare(operate.open_store(table), fact, real())
    click.echo(
        f"{'declared' if new else 'declared before'}: {incident.incident_id}\n"
        f"{NEXT} `shipclock incident show {incident.incident_id}`"
    )


@group.command("change")
@click.argument("incident_id")
@click.option("--open-end", is_flag=True, help="Nobody knows any more when it ends.")
@_said(needed=False)
def change_command(incident_id: str, open_end: bool, table: str | None, **said: Any) -> None:
    """Say something else of INCIDENT_ID. What is left out stays; carriers, regions, postcodes,
    shops and evidence that are given take the place of all earlier ones."""
    given = {name: list(v) if isinstance(v, tuple) else v for name, v in _times(said).items() if v}
    told = incident_shapes.Changing.model_validate({"open_end": open_end, **given})
    fact = incident_view.fact_of(told, incident_id, by=getpass.getuser())
    incidents.change(operate.open_store(table), fact, real())
    click.echo(f"noted. {NEXT} `shipclock incident show {incident_id}`")


@group.command("lift")
@click.argument("incident_id")
@click.option("--at", "over_at", metavar="TIME", help="When it was over; left out: now.")
@TABLE
def lift_command(incident_id: str, over_at: str | None, table: str | None) -> None:
    """Say that INCIDENT_ID is over. With a time before its beginning it never was."""
    at = incident_view.time_of(_now(over_at), "--at") or real()
    incidents.lift(operate.open_store(table), incident_id, at, real(), getpass.getuser())
    click.echo(f"noted. {NEXT} `shipclock incident show {incident_id}`")


def _times(said: dict[str, Any]) -> dict[str, Any]:
    times = {name: _now(said[name]) for name in ("begins_at", "ends_at")}
    return {**{name: v for name, v in said.items() if v is not None}, **times}


def _now(text: str | None) -> str | None:
    return stamp(real()) if text == "now" else text


@group.command("list")
@TABLE
def list_command(table: str | None) -> None:
    """Show every incident, the one that began last first."""
    found = incidents.read_declared(operate.open_store(table)).incidents
    for incident in reversed(found):
        click.echo(_line(incident))
    if not found:
        click.echo("none was declared")


def _line(incident: Incident) -> str:
    state = incident_view.state_of(incident, real())
    ends = stamp(incident.ends_at) if incident.ends_at else "open"
    period = f"{stamp(incident.begins_at)} to {ends}"
    return f"{incident.incident_id}  {state:<8} {period}  {incident.reason}"


@group.command("show")
@click.argument("incident_id")
@click.option("--all", "every", is_flag=True, help=f"All its orders, not only {SHOWN}.")
@TABLE
def show_command(incident_id: str, every: bool, table: str | None) -> None:
    """Show INCIDENT_ID and the orders that it is about, or may be."""
    store = operate.open_store(table)
    incident = _found(store, incident_id)
    click.echo(_line(incident))
    for name in ("carriers", "regions", "postcodes", "shops", "evidence"):
        if given := getattr(incident, name):
            click.echo(f"    {name}: {', '.join(given)}")
    if incident.ends_at is None:
        click.echo(f"    it counts until {stamp(incident.until)} unless you say otherwise")
    page = incident_view.incident_orders(
        store, ALL, incident, 10**9 if every else SHOWN, None, real()
    )
    click.echo(f"{page.affected} orders are affected, {page.possible} may be: it can't be told")
    for order in page.orders:
        click.echo(f"    {order.listed:<8} {order.order_id}  shop {order.shop_id}")
    if page.next:
        click.echo("    more with --all")


@group.command("text")
@click.argument("incident_id")
@click.option(
    "--most",
    type=click.IntRange(1, 100_000),
    default=ORDERS_PER_TICKET,
    show_default=True,
    help="Orders per ticket.",
)
@click.option("--messages", is_flag=True, help="The messages to buyers instead, one per order.")
@TABLE
def text_command(incident_id: str, most: int, messages: bool, table: str | None) -> None:
    """Print the tickets about INCIDENT_ID, one per shop and so many orders; nothing is sent."""
    store = operate.open_store(table)
    incident = _found(store, incident_id)
    for text in _messages(store, incident) if messages else _tickets(store, incident, most):
        click.echo(text)


def _messages(store: Store, incident: Incident) -> Iterator[str]:
    for row in incidents.listed(store, incident.incident_id):
        if row["listed"] == "affected":
            yield f"{row['order_id']}: {buyer_message(incident, row['order_id'])}"


def _tickets(store: Store, incident: Incident, most: int) -> Iterator[str]:
    found = incident_view.incident_texts(store, ALL, incident, most)
    for one in found.tickets:
        yield f"--- shop {one.shop_id}, {one.orders} orders, {one.where}\n{one.text}\n"
    if not found.tickets:
        yield "no order is affected as far as is known"
    if found.possible:
        yield f"{found.possible} more may be: look at them, then `shipclock incident include`"


@group.command("include")
@click.argument("incident_id")
@click.argument("order_ids", metavar="ORDER...", nargs=-1, required=True)
@TABLE
def include_command(incident_id: str, order_ids: tuple[str, ...], table: str | None) -> None:
    """Say that INCIDENT_ID is about these orders, whatever their addresses and carriers tell."""
    _include(incident_id, order_ids, True, table)


@group.command("exclude")
@click.argument("incident_id")
@click.argument("order_ids", metavar="ORDER...", nargs=-1, required=True)
@TABLE
def exclude_command(incident_id: str, order_ids: tuple[str, ...], table: str | None) -> None:
    """Say that INCIDENT_ID is not about these orders."""
    _include(incident_id, order_ids, False, table)


def _include(incident_id: str, order_ids: tuple[str, ...], fits: bool, table: str | None) -> None:
    store = operate.open_store(table)
    incidents.include(store, incident_id, order_ids, fits, real(), getpass.getuser())
    click.echo("noted; the next sweep settles them")


def _found(store: Store, incident_id: str) -> Incident:
    incident = incidents.read_declared(store).find(incident_id)
    if incident is None:
        raise NotAsked(
            f"There is no incident {incident_id[:40]!r}; `shipclock incident list` shows all."
        )
    return incident
