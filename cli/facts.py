"""What `shipclock doctor` knows of a set-up, and what it says of it.

Gathered by `cli.doctor`, judged by `cli.checks` and `cli.shop_checks`. What could not be looked
at is None, and no check judges it; why it could not be is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shipclock.marketplaces.protocol import Outcome, Shop, Tokens
from shipclock.marketplaces.tiktok_shop.onboarding import Authorised
from shipclock.silence import Heard


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong, or worth a look where it is no `fault`, and how to mend it."""

    code: str
    about: str
    what: str
    mend: str
    fault: bool = True


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it was read: its object, or why there is none."""

    value: Mapping[str, Any] | None = field(default=None, repr=False)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """One shop: its rows, and what the marketplace answered for it, if it was asked."""

    shop: Shop
    tokens: Tokens | None = None
    renewal_due: datetime | None = None
    renewal_broken: bool = False
    search_failures: int = 0
    answers: tuple[Outcome, ...] = ()
    authorised: tuple[Authorised, ...] | None = None
    topics: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One account of a source, and how it has been heard."""

    source: str
    account: str
    heard: Heard


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a check may look at, as it stood at the real time `at`."""

    at: datetime
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    address: str = ""
    sources: Secret = Secret()
    hub: Secret = Secret()
    destinations: Secret = Secret()
    health: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """How telling each destination goes, by its name: its row."""
    untold: int | None = None
    """Messages to people that were given up."""
    table_fault: str = ""
    shops: tuple[ShopFacts, ...] | None = None
    speakers: tuple[SourceFacts, ...] = ()
    skew: timedelta = timedelta(0)
    ingest: int | None = None
    ingest_fault: str = ""
    oldest_due: timedelta | None = None
    sweeps: int | None = None
    quarantined: int | None = None
    listeners: tuple[int, int] | None = None
    """Subscriptions of the alarms' topic: confirmed, and waiting to be."""


Check = Callable[[Facts], Iterator[Finding]]
"""One check: what it finds wrong in the facts."""


def connected(facts: Facts) -> Iterator[ShopFacts]:
    """The shops that calls are made for."""
    return (one for one in facts.shops or () if one.shop.connected)
