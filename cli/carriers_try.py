"""`shipclock carriers try`: what a mapping makes of bodies, before it is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click

from cli import near
from cli.options import instant_given, real
from shipclock.domain.times import stamp
from shipclock.domain.tracking import Scan, TimeBasis
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, Headers, NotAuthentic
from shipclock.sources.mapped import SUFFIX, MappingError, check, telling
from shipclock.sources.mapped.spec import Spec

COLUMNS = ("number", "status", "reason", "time", "by", "order", "to", "proof", "code", "flags")
ACCOUNT = "tried"

PROVENANCE = {
    TimeBasis.UTC: "utc",
    TimeBasis.OFFSET: "offset",
    TimeBasis.ZONE: "zone (proves nothing missed)",
    TimeBasis.RECEIVED: "receipt (proves nothing missed)",
}
"""Where a time came from, as the table shows it."""


def _headers(context: click.Context, option: click.Parameter, given: Sequence[str]) -> Headers:
    found: dict[str, str] = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise click.BadParameter(f"{name!r} is no header; write it as 'Name: value'.")
        low = name.strip().lower()
        found[low] = f"{found[low]},{value.strip()}" if low in found else value.strip()
    return found


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("try")
@click.argument("file", type=FILE)
@click.option("--sample", "samples", type=FILE, multiple=True, help="A body; repeatable.")
@click.option(
    "--header",
    "headers",
    multiple=True,
    callback=_headers,
    metavar="'NAME: VALUE'",
    help="A header that came with the one sample; repeatable.",
)
@click.option("--secret", help="What shall prove the sample with its headers; - asks for it.")
@click.option(
    "--at", callback=instant_given, help="When it came, as 2026-11-10T18:04:00Z; else now."
)
def command(
    file: Path, samples: tuple[Path, ...], headers: Headers, secret: str | None, at: datetime | None
) -> None:
    """Check the mapping FILE, and show what it makes of samples.

    Every wrong line is told with its number. With headers and a secret it is also shown whether the
    sample would be let in. Exit status 1 where anything is wrong, or left out.
    """
    if bool(headers) != (secret is not None):
        raise click.UsageError("--header and --secret are of use together alone.")
    if headers and len(samples) != 1:
        raise click.UsageError("--header proves one --sample.")
    if secret == "-":  # noqa: S105 - the sign that it shall be asked for
        secret = click.prompt("secret", hide_input=True)
    spec = _checked(file)
    if spec is None:
        raise SystemExit(1)
    good = [_shown(spec, sample, at or real()) for sample in samples]
    if headers and secret is not None:
        good.append(_let_in(spec, headers, samples[0].read_bytes(), secret, at or real()))
    if not all(good):
        raise SystemExit(1)


def _checked(file: Path) -> Spec | None:
    """The mapping, or None after its wrong lines were told."""
    try:
        spec, warnings = check(file.name.removesuffix(SUFFIX), file.read_bytes())
    except MappingError as error:
        for problem in error.problems:
            click.echo(f"{file}:{problem.line}: {problem.told}", err=True)
        many = len(error.problems)
        click.echo(f"{file.name} can't be used: {many} {'line' if many == 1 else 'lines'} to mend")
        return None
    click.echo(f"{file.name} can be used: POST …/webhooks/carriers/{spec.name}")
    click.echo(f"  proof: {spec.proof.asks()}")
    for warning in warnings:
        click.echo(f"  mind {file.name}:{warning.line}: {warning.told}")
    return spec


# WHAT A SAMPLE SAYS -------------------------------------------------------------------------------


def _shown(spec: Spec, sample: Path, received_at: datetime) -> bool:
    """Show one sample; whether all of it is read."""
    click.echo(f"\n{sample.name}")
    body = sample.read_bytes()
    if len(body) > spec.limit:
        click.echo(f"  refused: {len(body)} bytes, and `limit` is {spec.limit}")
        return False
    try:
        found = telling.read(spec, Delivery(spec.name, ACCOUNT, body, received_at))
    except (Unreadable, ValueError) as problem:
        click.echo(f"  unreadable: {harmless(str(problem))}")
        return False
    orders = {link.number: link.order_id for link in found.links}
    for line in table(
        [COLUMNS, *(_row(scan, orders.get(scan.number, "")) for scan in found.scans)]
    ):
        click.echo(f"  {harmless(line)}")
    unlisted = (s.raw_code for s in found.scans if telling.line_of(spec, s.raw_code) is None)
    for code in dict.fromkeys(unlisted):
        click.echo(f"  mind: code {code!r} is not in [codes], and counts as unknown")
    for note in dict.fromkeys(found.notes):
        click.echo(f"  note: {harmless(note)}")
    for odd in found.odd:
        click.echo(f"  left out: {harmless(odd)}")
    return not found.odd


def _row(scan: Scan, order: str) -> tuple[str, ...]:
    return (
        *(scan.number, scan.status, scan.reason, stamp(scan.occurred_at)),
        *(PROVENANCE[scan.basis], order, scan.delivered_to, scan.proof),
        *(scan.raw_code, " ".join(scan.flags)),
    )


def harmless(text: str) -> str:
    """A text out of a body, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Rows as lines, in columns as wide as they must be; columns with a head alone are left out."""
    head, *others = rows
    if not others:
        return
    kept = [at for at in range(len(head)) if any(row[at] for row in others)]
    shown = [[str(row[at]) for at in kept] for row in (head, *others)]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    for row in shown:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


# WHETHER IT IS LET IN -----------------------------------------------------------------------------


def _let_in(spec: Spec, headers: Headers, body: bytes, secret: str, at: datetime) -> bool:
    """Show whether a request would be let in, and if not what is expected of it."""
    account = Account(ACCOUNT, (secret,))
    try:
        spec.proof.verify(spec.name, headers, body, [account], at)
    except NotAuthentic as refusal:
        click.echo(f"\nnot let in: {refusal}")
        click.echo(f"  expected: {spec.proof.asks()}")
        click.echo(f"  given: {', '.join(sorted(headers))}")
        for hint in near.misses(spec, headers, body, secret):
            click.echo(f"  but: {hint}")
        return False
    except ValueError as error:
        click.echo(f"\nnot let in: {error}")
        return False
    sure = "" if spec.proof.covers_body else "; what it says is unconfirmed"
    click.echo(f"\nlet in{sure}")
    return True
