"""`shipclock stock`: what a shop has for sale, and what it shall have."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator

import click

from cli import operate
from cli.options import TABLE, real
from shipclock import rows
from shipclock.asking import NotAsked
from shipclock.hub import StockLine, stock_list
from shipclock.ports import Store
from shipclock.stockwish import ZERO, wish

PAGE = 10_000


@click.group("stock")
def group() -> None:
    """What a shop has for sale, as the marketplace tells it and as you wish it."""


@group.command("list")
@click.argument("shop_id", metavar="SHOP")
@TABLE
def list_command(shop_id: str, table: str | None) -> None:
    """Show the stock of SHOP by SKU and warehouse, and what became of each wish."""
    store = operate.open_store(table)
    if store.get((rows.shop_pk(shop_id), rows.LANE)) is None:
        raise NotAsked(f"Shop {shop_id} was never connected; `shipclock shops list` shows which.")
    none = True
    for line in _all(store, shop_id):
        none = False
        for text in _lines(line):
            click.echo(text)
    if none:
        click.echo("nothing is known yet: it is once the marketplace tells of it, or you set it")


def _all(store: Store, shop_id: str) -> Iterator[StockLine]:
    start = None
    while True:
        page = stock_list(store, [shop_id], PAGE, start)
        yield from page.stock
        start = page.next
        if start is None:
            return


def _lines(line: StockLine) -> Iterator[str]:
    told = ", ".join(f"{units} {name}" for name, units in sorted(line.quantities.items()))
    yield "  ".join(filter(None, (line.sku_id, told or "nothing told", line.status)))
    for place in line.warehouses:
        shown = "?" if place.available is None else f"{place.available} available"
        if place.committed is not None:
            shown += f", {place.committed} committed"
        wished = "" if place.wished is None else f"; wished {place.wished}"
        yield f"    {place.warehouse_id}  {shown}{wished}"
    if line.wish is not None:
        why = f"{line.wish.reason or ''} {line.wish.advice or ''}".strip()
        yield f"    {line.wish.state}" + (f": {why}" if why else "")


@group.command("set")
@click.argument("shop_id", metavar="SHOP")
@click.argument("sku_id", metavar="SKU")
@click.argument("places", metavar="WAREHOUSE=QUANTITY...", nargs=-1, required=True)
@TABLE
def set_command(shop_id: str, sku_id: str, places: tuple[str, ...], table: str | None) -> None:
    """Have SKU's stock in these warehouses set: units for sale, those promised to orders not
    counted. Warehouses that are not named keep what they have."""
    units: dict[str, int] = {}
    for text in places:
        warehouse_id, quantity = _pair(text)
        if warehouse_id in units:
            raise NotAsked(f"Warehouse {warehouse_id} is named twice: name it once.")
        units[warehouse_id] = quantity
    wish(operate.open_store(table), shop_id, sku_id, units, real(), getpass.getuser())
    click.echo("asked for; the next sweep sees to it: `shipclock stock list`")
    if 0 in units.values():
        click.echo(ZERO)


def _pair(text: str) -> tuple[str, int]:
    found = re.fullmatch(r"([^=]+)=([0-9]{1,9})", text)
    if not found:
        raise NotAsked(f"Write WAREHOUSE=QUANTITY, such as 6950000000000000101=12, not {text!r}.")
    return found[1], int(found[2])
