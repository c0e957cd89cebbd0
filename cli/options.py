"""Options that several commands have, and the clock that they read."""

from __future__ import annotations

from datetime import UTC, date, datetime

import click

from shipclock.domain.times import parse

TABLE = click.option("--table", help="The stack's table in AWS; left out: the local stack's.")
STACK = click.option("--stack", help="The stack in AWS, instead of --table.")


def real() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def instant_given(
    context: click.Context, option: click.Parameter, given: str | None
) -> datetime | None:
    """An instant that an option says, with its offset."""
    try:
        return parse(given) if given else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def day_given(context: click.Context, option: click.Parameter, given: str | None) -> date | None:
    """A day that an option says."""
    try:
        return date.fromisoformat(given) if given else None
    except ValueError:
        raise click.BadParameter(f"{given!r} is no day; write it as 2026-11-27.") from None
