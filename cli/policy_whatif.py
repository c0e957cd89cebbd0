"""`shipclock policy what-if`: a changed pack tried on recorded orders."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from cli import carriers, operate
from cli.cards import printable
from cli.options import STACK, TABLE, day_given, instant_given, real
from cli.policy_files import source_of
from cli.policy_weigh import MOST, Weighed, Weighing
from shipclock.domain.times import stamp
from shipclock.whatif import PREPARED, VERDICT, Change, Difference, Fired

KINDS = (VERDICT, "reminder", "warning", PREPARED)
COUNTED = {VERDICT: "verdicts", "reminder": "reminders", "warning": "warnings"}

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("what-if")
@click.argument("file", type=FILE)
@click.option("--shop", "shop_ids", multiple=True, help="Only this shop's orders; repeatable.")
@click.option(
    "--since", callback=day_given, help="Only orders placed from this day on: 2026-11-27."
)
@click.option("--chosen", is_flag=True, help="Judge all by FILE, as if their shops had chosen it.")
@click.option(
    "--at", callback=instant_given, help="Judge as of 2026-11-27T18:04:00Z; else as of now."
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=MOST,
    show_default=True,
    help="Orders that are read at most.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@TABLE
@STACK
def command(
    file: Path,
    shop_ids: tuple[str, ...],
    since: date | None,
    chosen: bool,
    at: datetime | None,
    most: int,
    as_json: bool,
    table: str | None,
    stack: str | None,
) -> None:
    """Judge recorded orders by the pack in FILE too, and list what would have come otherwise.

    It is compared with the packs of this checkout. Every order is read, two requests or more for
    each; nothing is written. Exit status 1 where some could not be read.
    """
    source = source_of(str(file))
    shelf = source.shelf()
    store = operate.open_store(table, stack)
    weighing = Weighing(
        store,
        carriers.shops_of(store, shop_ids),
        shelf,
        at or real(),
        source.name if chosen else "",
        since,
        most,
    )
    found = in_order(list(weighing.orders()))
    if as_json:
        click.echo(json_of(source.name, weighing, found))
    else:
        for line in text_of(file.name, weighing, found):
            click.echo(line)
    if weighing.stopped:
        click.echo(f"There are more than {most} orders; --most reads more of them.", err=True)
    if weighing.unread:
        click.echo(
            f"{len(weighing.unread)} orders could not be read and are left out: "
            f"{', '.join(weighing.unread[:20])}. Look at them in the hub.",
            err=True,
        )
        raise SystemExit(1)


def counts(found: list[Weighed]) -> dict[str, dict[str, int]]:
    """How many verdicts, reminders, warnings and prepared things come, go and change."""
    count = Counter((d.either.kind, d.change) for one in found for d in one.differences)
    return {kind: {str(change): count[kind, change] for change in Change} for kind in KINDS}


def in_order(found: list[Weighed]) -> list[Weighed]:
    """By shop, and by when they were placed."""
    return sorted(found, key=lambda one: (one.shop.shop_id, one.placed, one.order_id))


# For people


def text_of(name: str, weighing: Weighing, found: list[Weighed]) -> Iterator[str]:
    """A paragraph per order, and the counts."""
    shops = f"{len(weighing.shops)} shop{'s' * (len(weighing.shops) != 1)}"
    yield (
        f"{name} over {weighing.read} orders of {shops}, judged at {stamp(weighing.now)}: it "
        f"changes the pack of {weighing.ruled}, and what came about for {len(found)}"
    )
    if not weighing.ruled:
        yield (
            "It rules none of them otherwise than now: it has the name of the pack that it is to "
            "replace, or their market among its `markets`, or --chosen tries it on all."
        )
    for one in found:
        yield from ("", *_order(one))
    if found:
        yield ""
        for kind, by_change in counts(found).items():
            told = ", ".join(f"{count} {change}" for change, count in by_change.items())
            yield f"{COUNTED.get(kind, kind):<11}{told}"


def _order(one: Weighed) -> Iterator[str]:
    packs = one.was if one.was == one.would else f"{one.was} -> {one.would}"
    yield f"{one.order_id}, placed {_local(one.placed, one.zone)} ({one.zone.key}), {packs}"
    for difference in one.differences:
        yield _difference(difference, one)


def _difference(difference: Difference, one: Weighed) -> str:
    either = difference.either
    known = [fired for fired in (difference.was, difference.would) if fired]
    times = " -> ".join(dict.fromkeys(_local(fired.at, one.zone) for fired in known))
    states = " -> ".join(dict.fromkeys(fired.state for fired in known if fired.state))
    about = " -> ".join(dict.fromkeys(fired.about for fired in known if fired.about))
    alone = difference.change is Change.NEW and one.by_itself(either)
    told = (times, states, printable(about) if _worth(either) else "", "by itself" * alone)
    what = f"{difference.change:<8} {either.kind:<9} {either.name:<22}"
    return f"    {what} {', '.join(filter(None, told))}"


def _worth(one: Fired) -> bool:
    """A reminder is about its day, which its time says already."""
    return one.kind != "reminder"


def _local(at: datetime, zone: ZoneInfo) -> str:
    there = at.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y %H:%M:%S}"


# For machines


def json_of(name: str, weighing: Weighing, found: list[Weighed]) -> str:
    """The same as JSON."""
    return json.dumps(
        {
            "pack": name,
            "judged_at": stamp(weighing.now),
            "shops": list(weighing.shops),
            "read": weighing.read,
            "ruled": weighing.ruled,
            "stopped": weighing.stopped,
            "unread": weighing.unread,
            "orders": [_order_json(one) for one in found],
            "counts": counts(found),
        },
        indent=2,
        ensure_ascii=False,
    )


def _order_json(one: Weighed) -> dict[str, Any]:
    return {
        "order_id": one.order_id,
        "shop_id": one.shop.shop_id,
        "placed_at": stamp(one.placed),
        "was": one.was,
        "would": one.would,
        "differences": [
            {
                "change": difference.change,
                "kind": difference.either.kind,
                "name": difference.either.name,
                "about": difference.either.about or None,
                "by_itself": one.by_itself(difference.either),
                "was": _fired_json(difference.was),
                "would": _fired_json(difference.would),
            }
            for difference in one.differences
        ],
    }


def _fired_json(fired: Fired | None) -> dict[str, str | None] | None:
    return {"at": stamp(fired.at), "state": fired.state or None} if fired else None
