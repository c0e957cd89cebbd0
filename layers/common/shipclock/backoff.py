"""How long our own retries wait, in `now`. Literal tables; the last entry repeats or is the end."""

from datetime import datetime, timedelta


def _minutes(*values: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=value) for value in values)


QUARANTINE = _minutes(60, 360, 1440)
"""A delivery that can't be translated is tried again, for a fix may have been deployed."""

SETTLE = _minutes(1, 5, 15, 60)
"""An order whose settling fails."""

SAYING = _minutes(1)
"""What could not be told, mostly because the bus or the secret is away: what presses waits for no
more than the next sweep."""

REREAD = _minutes(1, 2, 5, 15, 60)
"""An order that the marketplace did not give back."""

RENEW = timedelta(minutes=15)
"""A token renewal that was refused or not answered."""

IMAGE = _minutes(1, 5, 15, 60, 360, 1440)
"""A carrier's picture that could not be fetched. After the last entry it is gone."""

MESSAGE = _minutes(1, 5, 15, 60, 180, 360, 720)
"""A message to people that its destination did not take. After the last entry it is given up."""

RECONCILE = _minutes(1, 5, 15)
"""A reconciliation that broke off."""

PULL = _minutes(360, 360, 720, 720, 1440)
"""Asking a provider about a parcel that it has said nothing new of."""

PULL_FAILED = _minutes(5, 15, 60, 360, 1440)
"""Asking one that does not answer, or refuses."""

PUSH = _minutes(0, 1, 5, 15, 60, 180, 360, 720)
"""A push whose effect was not seen. After the last entry it is dead and a person must act."""


def after(table: tuple[timedelta, ...], failures: int, now: datetime) -> datetime:
    """When to try again after this many failures (1 is the first)."""
    return now + table[min(failures, len(table)) - 1]


def exhausted(table: tuple[timedelta, ...], failures: int) -> bool:
    """Whether the table has no entry left."""
    return failures > len(table)
