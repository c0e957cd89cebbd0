"""`shipclock evidence`: make a pack of an order, and check one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cli import operate
from cli.evidence.bound import Finding
from cli.evidence.case import case_in
from cli.evidence.check import ODD, check
from cli.evidence.gather import NO_MORE, NoEvidence, Wish, gather
from cli.evidence.made import pack
from cli.evidence.zipped import unzipped
from cli.options import STACK, TABLE, real
from shipclock.chain import Anchor
from shipclock.rules.packs import PolicyError

WRONG, NOTE = "DOES NOT FIT  ", "note          "
ANCHOR = re.compile(r"(\d{1,9}):([0-9a-f]{64})")


@click.group("evidence")
def group() -> None:
    """All that is known of an order, in a file that anybody can check."""


@group.command("make")
@click.argument("order_id")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="The file to write; left out: evidence-ORDER.zip.",
)
@click.option(
    "--redact",
    is_flag=True,
    help="Leave out bodies of deliveries, pictures and messages to the buyer; digests stay.",
)
@click.option("--labels", is_flag=True, help="Labels too: they show the buyer's name and address.")
@TABLE
@STACK
def make_command(
    order_id: str,
    out: Path | None,
    redact: bool,
    labels: bool,
    table: str | None,
    stack: str | None,
) -> None:
    """Make the evidence pack of ORDER_ID: its facts, what they rest on, and their chain.

    Bodies of deliveries stay byte for byte as they came, since nothing else can be checked; they
    may hold the buyer's name and address. Where the sources' secret can be read (not with --table)
    each sender is proven anew.
    """
    store = operate.open_store(table, stack)
    secrets = None if table else _secrets(stack)
    try:
        case = gather(store, order_id, real(), secrets, Wish(redact, labels))
        data = pack(case)
    except PolicyError as fault:
        raise NoEvidence(f"Order {order_id} can't be told without its policy: {fault}.") from None
    except ODD as fault:
        raise NoEvidence(
            f"Order {order_id} can't be told: a row of it can't be read ({fault!r}). It was "
            "changed, or another version wrote it; `shipclock evidence verify` of an older pack, "
            "with the stack, tells more."
        ) from None
    path = out or Path(f"evidence-{order_id}.zip")
    try:
        path.write_bytes(data)
    except OSError as error:
        raise NoEvidence(f"{path} can't be written: {error.strerror}.") from None
    click.echo(f"{path}: {len(case.facts)} facts, {len(case.deliveries)} deliveries")
    click.echo(f"chain {case.anchor}" if case.anchor.links else "the order has no chain")
    holding = [f"{n:04}" for n, one in enumerate(case.deliveries, 1) if one.holds and one.body]
    if holding:
        click.echo(f"deliveries that hold the buyer's data: {', '.join(holding)} (--redact)")
    unproven = [one for one in case.deliveries if one.verification.get("state") == NO_MORE]
    for one in unproven:
        click.echo(f"{one.name}: {one.verification['why']}")
    _tell_unfit(data)


def _secrets(stack: str | None) -> Mapping[str, Any] | None:
    """The sources' secret; None, and said so, for who may not read it."""
    try:
        return operate.set_up(stack).sources_secret()
    except operate.OperateError as fault:
        click.echo(f"{fault} Senders are not proven anew.", err=True)
        return None


def _tell_unfit(data: bytes) -> None:
    """What does not fit already: better told to who makes the pack than to who gets it."""
    for finding in check(data):
        if finding.fault:
            _say(WRONG, finding, err=True)


def _anchors(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> list[Anchor]:
    found = []
    for word in given:
        match = ANCHOR.fullmatch(word.strip().lower())
        if match is None:
            raise click.BadParameter(f"{word!r}: write it as it was told, 12:<64 hex digits>.")
        found.append(Anchor(int(match[1]), match[2]))
    return found


@group.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    callback=_anchors,
    metavar="N:HEX",
    help="A head of the chain as it was told elsewhere (event, mail, log); repeatable.",
)
@click.option("--live", is_flag=True, help="Hold it against the local stack's table too.")
@TABLE
@STACK
def verify_command(
    file: Path, anchors: list[Anchor], live: bool, table: str | None, stack: str | None
) -> None:
    """Check an evidence pack; exit status 1 where something does not fit.

    Alone it needs no stack. With --table, --stack or --live it is also held against the order as it
    stands there, and with the latter two each sender is proven anew.
    """
    store = secrets = None
    if table or stack or live:
        store = operate.open_store(table, stack)
        secrets = None if table else _secrets(stack)
    data = file.read_bytes()
    found = check(data, store, secrets, anchors)
    for finding in found:
        _say(WRONG if finding.fault else NOTE, finding)
    faults = sum(finding.fault for finding in found)
    if faults:
        click.echo(f"{faults} thing{'s do' if faults > 1 else ' does'} not fit.")
        raise SystemExit(1)
    case = case_in(unzipped(data))
    if case.anchor.links:
        click.echo(f"All of it fits: order {_plain(case.order_id)}, chain {case.anchor}.")
    else:
        click.echo(f"Its files fit: order {_plain(case.order_id)}. No chain binds its facts.")


def _say(mark: str, finding: Finding, err: bool = False) -> None:
    click.echo(f"{mark}{_plain(finding.what)}\n{'':14}{_plain(finding.means)}", err=err)


def _plain(text: str) -> str:
    """Without what would move the cursor: a pack's words are a stranger's."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
