"""`shipclock due`, `forecast` and `calendar`: what lies ahead of open orders."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from cli import operate
from cli.cards import printable
from cli.options import STACK, TABLE, real
from shipclock import connect, hub
from shipclock.domain.times import local, stamp
from shipclock.horizon.answers import due_clocks, forecasts, zone_of
from shipclock.horizon.feed import WANTED, feed
from shipclock.horizon.reading import read_open, zones_of
from shipclock.horizon.shapes import AheadLine, DueClocks, ForecastPage, ForecastRow, UnreadLine
from shipclock.horizon.until import ahead, until
from shipclock.ports import Store

MOST = 5000
"""Orders that are read unless more are asked for."""

ENDS = {
    "cancelled": "cancelled by the marketplace",
    "deemed_lost": "deemed lost",
    "deemed_delayed": "deemed delayed",
}


class HorizonError(Exception):
    """What was asked for can't be told; the message says what to do."""


SHOP = click.option("--shop", "shop_ids", multiple=True, help="Only this shop; repeatable.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
MOST_ORDERS = click.option(
    "--most",
    type=click.IntRange(min=1),
    default=MOST,
    show_default=True,
    help="How many orders are read; the next due come first.",
)


@click.command("due")
@click.option("--within", default="24h", show_default=True, help="Such as 90m, 24h or 7d.")
@SHOP
@AS_JSON
@MOST_ORDERS
@TABLE
@STACK
def due_command(
    within: str,
    shop_ids: tuple[str, ...],
    as_json: bool,
    most: int,
    table: str | None,
    stack: str | None,
) -> None:
    """Show what runs out within a span, the soonest first: what stops it, and what to do.

    Only orders with a clock that runs out by then are read, two requests or more for each.
    """
    span = _span(within)
    store = operate.open_store(table, stack)
    found = due_clocks(store, shops_of(store, shop_ids), real(), span, most)
    click.echo(found.model_dump_json(indent=2) if as_json else "\n".join(_due(found, within)))
    _tell_left_out(most, found.next is not None, found.unread)


def _due(found: DueClocks, within: str) -> Iterator[str]:
    if not found.clocks:
        yield f"nothing runs out within {within}"
    for line in found.clocks:
        yield f"{line.local}  {_left(line)}  {line.line.upper()}  {line.clock}"
        about = [f"order {line.order_id}", f"shop {line.shop_id}", line.status]
        about += [line.tracking_number or ""]
        yield f"    {', '.join(printable(word) for word in about if word)}; {stamp(line.due_at)}"
        yield f"    stopped by: {printable(line.stops)}"
        yield f"    {printable(line.to_do)}"


def _left(line: AheadLine) -> str:
    """`in 3 h 20 min`, or how long ago."""
    minutes = abs(line.left_seconds) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "d"), (hours, "h"), (minutes % 60, "min")]
    told = " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 min"
    return f"in {told}" if line.left_seconds > 0 else f"{told} AGO"


@click.command("forecast")
@click.option("--until", "until_", help="A day as 2026-12-31, or an instant with its offset.")
@click.option("--within", help="Instead of --until: such as 24h or 7d, the default.")
@SHOP
@click.option("--orders", is_flag=True, help="Also show what is foreseen of each order.")
@AS_JSON
@MOST_ORDERS
@TABLE
@STACK
def forecast_command(
    until_: str | None,
    within: str | None,
    shop_ids: tuple[str, ...],
    orders: bool,
    as_json: bool,
    most: int,
    table: str | None,
    stack: str | None,
) -> None:
    """Show what follows for open orders if nothing more happens and the marketplace's word does
    not change: what fires on which local day, and what becomes of the orders.

    Every open order is read, two requests or more for each.
    """
    now = real()
    if until_ is not None and within is not None:
        raise HorizonError("Give --until or --within, not both.")
    store = operate.open_store(table, stack)
    shops = shops_of(store, shop_ids)
    try:
        span = _span("7d" if within is None else within)
        end = ahead(now, span) if until_ is None else until(until_, now, zones_of(store, shops))
    except ValueError as error:
        raise HorizonError(f"--{error}.") from None
    read = read_open(store, shops, now, most)
    found = forecasts(read, now, end)
    zones = {one.order.shop_id: zone_of(one) for one in read.judged}
    if as_json:
        click.echo(found.model_dump_json(indent=2))
    else:
        lasts = {shop_id: end(zone) for shop_id, zone in zones.items()}
        click.echo("\n".join(_forecast(found, zones, lasts, orders)))
    _tell_left_out(most, found.next is not None, found.unread)


def _forecast(
    found: ForecastPage,
    zones: dict[str, ZoneInfo],
    lasts: dict[str, datetime],
    orders: bool,
) -> Iterator[str]:
    yield f"{_many(found.read, 'open order')} as of {stamp(found.as_of)}, if {found.assumes}"
    for shop_id, zone in sorted(zones.items()):
        yield f"\nshop {shop_id}, until {local(lasts[shop_id], zone)}"
        mine = [row for row in found.days if row.shop_id == shop_id]
        if not mine:
            yield "    nothing fires"
        for day, rows in groupby(mine, key=lambda row: row.day):
            yield f"  {datetime.fromisoformat(day):%a} {day}"
            yield from (_row(row, zone) for row in rows)
    yield ""
    for one in found.outcomes:
        yield (
            f"{ENDS[one.what]}: {_many(one.orders, 'order')}, the first at "
            f"{stamp(one.first_at)}, the last at {stamp(one.last_at)}"
        )
    if not found.outcomes:
        yield "no order is cancelled or deemed lost or delayed"
    if found.moot:
        yield f"{found.moot} more would come only if the marketplace did not cancel before"
    if orders:
        yield from _orders(found, zones)


def _row(row: ForecastRow, zone: ZoneInfo) -> str:
    clock = f"{row.clock} ({row.cause})" if row.cause else row.clock
    first = f"{row.first_at.astimezone(zone):%H:%M}"
    return f"    {row.kind:<9} {printable(clock):<44} {row.count:>6}  from {first}"


def _orders(found: ForecastPage, zones: dict[str, ZoneInfo]) -> Iterator[str]:
    for order in found.orders:
        yield f"\norder {order.order_id}"
        for one in order.foreseen:
            about = ", ".join(filter(None, (one.clock, one.cause, one.tracking_number)))
            moot = "  (only if it is not cancelled before)" if one.moot else ""
            at = local(one.at, zones[order.shop_id])
            yield f"    {at}  {one.kind:<9} {printable(about)}{moot}"


@click.command("calendar")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    help="Where the calendar goes; - for the terminal.",
)
@click.option("--lines", type=click.Choice(list(WANTED)), default="hard", show_default=True)
@SHOP
@MOST_ORDERS
@TABLE
@STACK
def calendar_command(
    out: Path,
    lines: str,
    shop_ids: tuple[str, ...],
    most: int,
    table: str | None,
    stack: str | None,
) -> None:
    """Write the lines of open orders as an iCalendar file: those at which the marketplace cancels,
    or all.

    Every open order is read, two requests or more for each. The file is as of now; the hub's feed
    stays as it is: docs/horizon.md.
    """
    store, now = operate.open_store(table, stack), real()
    read = read_open(store, shops_of(store, shop_ids), now, most)
    made = feed(read, WANTED[lines], now, sys.maxsize)
    if str(out) == "-":
        sys.stdout.buffer.write(made)
    else:
        try:
            out.write_bytes(made)
        except OSError as error:
            raise HorizonError(f"{out} can't be written: {error.strerror}.") from None
        events = _many(made.count(b"BEGIN:VEVENT"), "event")
        click.echo(f"{events} of {_many(read.read, 'open order')}: {out}")
    unread = [UnreadLine(order_id=one.order_id, reason=one.reason) for one in read.unread]
    _tell_left_out(most, read.next is not None, unread)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _span(text: str) -> timedelta:
    try:
        return hub.within(text)
    except ValueError as error:
        raise HorizonError(f"--{error}.") from None


def shops_of(store: Store, wanted: Iterable[str]) -> list[str]:
    """The shops asked for, all where none is; raises `HorizonError` for one there is not."""
    known = [shop.shop_id for shop, _ in connect.known_shops(store)]
    chosen = list(dict.fromkeys(wanted)) or known
    if missing := [shop_id for shop_id in chosen if shop_id not in known]:
        raise HorizonError(
            f"Shop {missing[0]} was never connected; `shipclock shops list` shows which."
        )
    return chosen


def _tell_left_out(most: int, more: bool, unread: list[UnreadLine]) -> None:
    """Say what is not in the answer; exit status 1 where anything is not."""
    if more:
        click.echo(
            f"Only the {most} orders whose clocks run out next were read, and there are more: "
            "raise --most, or name shops with --shop.",
            err=True,
        )
    if unread:
        named = "; ".join(f"{one.order_id}: {printable(one.reason)}" for one in unread[:20])
        click.echo(f"{_many(len(unread), 'order')} could not be judged: {named}", err=True)
    if more or unread:
        raise SystemExit(1)
