"""`shipclock policy`: packs looked over, shown, compared, tried on cases and on recorded orders.

docs/policy.md tells of each.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from cli import (
    policy_cases,
    policy_diff,
    policy_lint,
    policy_show,
    policy_whatif,
)
from cli.options import day_given, real
from cli.policy_files import Source, choose, instant, policy_in, source_of
from shipclock.domain.zones import is_zone
from shipclock.marketplaces.tiktok_shop.onboarding import MARKETS
from shipclock.rules.calendar import NoWorkingDay
from shipclock.rules.packs import PolicyError, load, names

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("policy")
def group() -> None:
    """Look over policy packs, and try changed ones before they rule."""


def _zone(context: click.Context, option: click.Parameter, given: str | None) -> ZoneInfo | None:
    if given and not is_zone(given):
        raise click.BadParameter(
            f"{given!r} is no time zone; write an IANA name such as Asia/Bangkok."
        )
    return ZoneInfo(given) if given else None


# Look over


@group.command("lint")
@click.argument("files", nargs=-1, type=FILE, metavar="[FILE]...")
@click.option(
    "--months",
    type=click.IntRange(min=1),
    default=policy_lint.MONTHS,
    show_default=True,
    help="Warn of sources that are older.",
)
def lint_command(files: tuple[Path, ...], months: int) -> None:
    """Tell what is wrong in pack FILEs, and what is legal and odd; of none, in those that ship.

    Exit status 1 where anything is wrong; warnings leave it 0.
    """
    good = [_linted(word, months) for word in (map(str, files) if files else names())]
    if not all(good):
        raise SystemExit(1)


def _linted(word: str, months: int) -> bool:
    """Tell of one pack; whether it can be used."""
    try:
        source = source_of(word)
    except PolicyError as error:
        click.echo(f"{word}:1: error: {error}")
        return False
    try:
        pack = source.pack()
        others = source.shelf().values()
    except PolicyError as error:
        own = error.name == source.name
        for slip in error.slips:
            line, what = _at_line(slip) if own else ("1", f"{error.name}.toml: {slip}")
            click.echo(f"{source.where}:{line}: error: {what}")
        return False
    found = policy_lint.warnings(pack, source.text(), real().date(), others, months)
    for warn in found:
        click.echo(f"{source.where}:{warn.line}: warning: {warn.key}: {warn.what}")
    many = f"; {len(found)} worth a look" if found else ""
    click.echo(f"{source.where}: can be used{many}")
    return True


def _at_line(slip: str) -> tuple[str, str]:
    """The line that a slip begins with, and the rest; 1 where it names none."""
    number, colon, what = slip.removeprefix("line ").partition(": ")
    return (number, what) if colon and number.isdigit() else ("1", slip)


# Show


@group.command("show")
@click.argument("pack", required=False)
@click.option(
    "--market",
    type=click.Choice(sorted(MARKETS), case_sensitive=False),
    help="Whose holidays count; without PACK, the one that is in force there.",
)
@click.option("--zone", callback=_zone, help="The shop's time zone, an IANA name.")
@click.option(
    "--on", "day", callback=day_given, help="The day of the order, as 2026-11-27; else today."
)
@click.option("--placed", help="Also when its clocks run out: 2026-11-27T23:10, local in the zone.")
def show_command(
    pack: str | None,
    market: str | None,
    zone: ZoneInfo | None,
    day: date | None,
    placed: str | None,
) -> None:
    """Show a PACK in words: one that ships, or a file. Without PACK and --market, list them."""
    day = day or real().date()
    if pack is None:
        shelf = {name: load(name) for name in names()}
        if market is None:
            if placed:
                raise click.UsageError("--placed needs a PACK or a --market.")
            _echo(policy_show.listed(shelf, day))
            return
        pack = choose(shelf, market, day, "").name
    source = source_of(pack)
    try:
        _echo(policy_show.lines(_shown(source, market, zone, placed)))
    except (NoWorkingDay, OverflowError) as error:
        raise click.UsageError(f"--placed: {error}.") from None


def _shown(
    source: Source, market: str | None, zone: ZoneInfo | None, placed: str | None
) -> policy_show.Shown:
    pack = source.pack()
    place = zone or (ZoneInfo(pack.zone) if pack.zone else None)
    if placed and place is None:
        raise click.UsageError(f"{pack.name} names no time zone: say the shop's with --zone.")
    where = place.key if place else "UTC"
    policy = policy_in(pack, market or next(iter(pack.markets), ""), where)
    return policy_show.Shown(policy, source.origins(), _placed(placed, ZoneInfo(where)))


def _placed(text: str | None, zone: ZoneInfo) -> datetime | None:
    try:
        return instant(text, zone) if text else None
    except ValueError:
        raise click.UsageError(
            f"--placed: {text!r} is no time; write it as 2026-11-27T23:10, or with an offset."
        ) from None


def _echo(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(line)


# Compare


@group.command("diff")
@click.argument("before")
@click.argument("after")
def diff_command(before: str, after: str) -> None:
    """Tell clause by clause what differs between two packs: ones that ship, or files."""
    was, now = source_of(before).pack(), source_of(after).pack()
    found = list(policy_diff.differing(was, now))
    click.echo(f"{before} -> {after}{'' if found else ': no difference'}")
    _echo(iter(found))


# Cases


@group.command("test")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
def test_command(files: tuple[Path, ...]) -> None:
    """Hold the cases in FILEs against what their packs compute.

    Exit status 1 where any differs; each is told with its line.
    """
    good = [_tried(path) for path in files]
    if not all(good):
        raise SystemExit(1)


def _tried(path: Path) -> bool:
    pack, tried = policy_cases.try_cases(path)
    wrong = [one for one in tried if not one.holds]
    for one in wrong:
        click.echo(
            f"{path}:{one.line}: {one.case.clock}: {one.case.why}\n"
            f"    the case says    {one.wanted}\n"
            f"    the pack says    {one.found}"
        )
    held = len(tried) - len(wrong)
    click.echo(f"{path}: {held} of {len(tried)} cases hold by {pack.name}")
    return not wrong


group.add_command(policy_whatif.command)
