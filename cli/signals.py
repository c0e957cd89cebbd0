"""`shipclock signals`: where shops stand in the marketplace's performance signals."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date

import click

from cli import operate
from cli.carriers import PAGE, READERS, shops_of
from cli.options import STACK, TABLE, real
from shipclock import board
from shipclock.book import fold_book, read_book
from shipclock.counting import counted
from shipclock.domain.times import stamp
from shipclock.fulfillment.figures import MOST_DAYS, Line, Window
from shipclock.fulfillment.signals import Unit
from shipclock.hub import every_stage
from shipclock.incidents import Declarations, DeclaredOf
from shipclock.judge import matched_to, policy_of
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Store
from shipclock.rules import timeline
from shipclock.standing import day_of, kept, signals_of
from shipclock.standing_views import (
    LaterView,
    RunsOutView,
    ShareView,
    ShopSignals,
    SignalView,
)

NEW_PACK = (
    "Deploy that pack, or have another rule the shop: `shipclock shops set SHOP --pack NAME`."
)


def _day(context: click.Context, option: click.Parameter, given: str | None) -> date | None:
    try:
        return day_of(given)
    except ValueError:
        raise click.BadParameter(f"{given!r} is no day; write it as 2026-11-24.") from None


@click.command("signals")
@click.option("--shop", "shop_ids", multiple=True, help="Only this shop; repeatable.")
@click.option(
    "--on", callback=_day, help="The windows' last day, such as 2026-11-24; left out: today."
)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), help="Windows of so many days.")
@click.option("--from-facts", is_flag=True, help="Read every order anew, not what is kept of it.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
@TABLE
@STACK
def command(
    shop_ids: tuple[str, ...],
    on: date | None,
    days: int | None,
    from_facts: bool,
    as_json: bool,
    table: str | None,
    stack: str | None,
) -> None:
    """Show late dispatch, valid tracking, on-time delivery and seller-fault cancellation: where
    each shop stands, the line, and where it goes if its open orders run out.

    With --from-facts two requests or more for each order; exit status 1 where some, or a shop,
    could not be read.
    """
    store, now = operate.open_store(table, stack), real()
    unread: list[str] = []
    shops = shops_of(store, shop_ids).values()
    counted_in = (
        (Anew(store, shop, unread).units if from_facts else kept(store, shop), shop)
        for shop in shops
    )
    told = signals_of(counted_in, now, on, days)
    click.echo(told.model_dump_json(indent=2) if as_json else "\n\n".join(map(as_text, told.shops)))
    for one in told.unread:
        click.echo(f"Shop {one.shop_id} is left out: {one.reason}. {NEW_PACK}", err=True)
    if unread:
        click.echo(
            f"{len(unread)} orders could not be read and are left out: {', '.join(unread[:20])}. "
            "Look at them in the hub.",
            err=True,
        )
    if unread or told.unread:
        raise SystemExit(1)


@dataclass(slots=True)
class Anew:
    """The units of all of a shop's orders, from their facts. `unread` takes the ids of those whose
    rows can't be understood."""

    store: Store
    shop: Shop
    unread: list[str] = field(default_factory=list)
    declared: DeclaredOf = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.declared = Declarations(self.store)

    def units(self, window: Window) -> Iterator[tuple[str, Unit]]:
        """Every unit of every order. The board may change while it is read: its stages are read in
        the order of an order's life, and one that is met twice counts as it was met first."""
        seen: set[str] = set()
        with ThreadPoolExecutor(READERS) as pool:
            for page in self._pages():
                fresh = [order_id for order_id in page if order_id not in seen]
                seen |= set(fresh)
                for order_id, units in zip(fresh, pool.map(self._read, fresh), strict=True):
                    if units is None:
                        self.unread.append(order_id)
                    yield from ((order_id, unit) for unit in units or ())

    def _pages(self) -> Iterator[list[str]]:
        for partition in board.partitions(self.shop.shop_id, every_stage()):
            start = None
            while True:
                page = self.store.board(partition, PAGE, start)
                yield [row["order_id"] for row in page.rows]
                start = page.next
                if start is None:
                    break

    def _read(self, order_id: str) -> tuple[Unit, ...] | None:
        try:
            book = read_book(self.store, order_id)
            order = fold_book(book)
            met = matched_to(self.store, book, order, real(), self.declared).incidents
        except (KeyError, ValueError):  # a row that no version of ours has written
            return None
        order = replace(order, incidents=met)
        policy = policy_of(order, self.shop)
        found = counted(order, timeline(order, policy) if policy else (), policy, self.shop)
        return found.units if found else ()


# For people


def as_text(shop: ShopSignals) -> str:
    """The signals of one shop in lines; each figure with what it is made of."""
    lines = [f"Shop {shop.shop_id} ({shop.time_zone}), pack {shop.pack}, as of {stamp(shop.at)}"]
    for one in shop.signals:
        lines += ["", *_signal(one)]
    return "\n".join(lines)


def _signal(one: SignalView) -> Iterator[str]:
    yield f"{one.title}: {_share(one.now)}  {_standing(one)}"
    yield _line("line", _drawn(one))
    window = one.window
    yield _line("window", f"{window.first} to {window.last}, {window.days} days ({window.set_by})")
    yield _line("counted", f"{_counts(one)}{_left_out(one)}")
    if one.later.good or one.later.bad or one.later.open:
        yield _line("on later days", _counts(one.later))
    if one.open or one.later.open:
        yield _line("if all are met", f"{_share(one.if_met)}{_against(one.kept_if_met)}")
        yield _line("if all run out", f"{_share(one.if_run_out)}{_against(one.kept_if_run_out)}")
        yield _line("they run out", ", ".join(map(_runs_out, one.runs_out)))
    if one.next:
        orders = (f"{order.order_id} at {stamp(order.due_at)}" for order in one.next)
        yield _line("next", ", ".join(orders))
    if one.head_room is not None:
        yield _line("head-room", _head_room(one))
    yield _line("is", f"{one.definition.numerator}; over {one.definition.denominator}")
    yield _line("not sure", one.definition.unsure)


def _line(label: str, text: str) -> str:
    return f"    {label:<16}{text}"


def _share(share: ShareView) -> str:
    shown = "-" if share.percent is None else f"{share.percent} %"
    return f"{shown} ({share.count} of {share.of})"


def _standing(one: SignalView) -> str:
    if one.line is None:
        return "no line known"
    return {True: "kept", False: "CROSSED", None: "nothing to judge"}[one.kept]


def _against(kept: bool | None) -> str:
    return {True: ": kept", False: ": CROSSED", None: ""}[kept]


def _drawn(one: SignalView) -> str:
    line = one.line
    if line is None:
        return "none in the pack"
    bound = Line.drawn(line.at_most, line.at_least, line.below).words
    return f"{bound}: {line.clause} ({line.source}, {line.dated}, {line.confidence})"


def _counts(one: SignalView | LaterView) -> str:
    return f"{one.good} good, {one.bad} bad, {one.open} open"


def _left_out(one: SignalView) -> str:
    told = (f"{left.count} {left.meaning}" for left in one.left_out)
    return "".join(f"; left out: {each}" for each in told)


def _runs_out(told: RunsOutView) -> str:
    return f"{told.count} on {told.day}" if told.day else f"{told.count} at no set time"


def _head_room(one: SignalView) -> str:
    left = one.head_room or 0
    if left < 0:
        return f"none: {-left} too many, even if all open ones are met"
    lost = f"; the line is lost at {stamp(one.lost_at)} if nothing happens" if one.lost_at else ""
    return f"{left} of the open ones may still turn bad{lost}"
