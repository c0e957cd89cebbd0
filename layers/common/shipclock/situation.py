"""What an order is judged in, and what earlier settles wrote down of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shipclock.domain.clock import Verdict
from shipclock.domain.push import Intent
from shipclock.domain.times import EPOCH
from shipclock.marketplaces.protocol import Shop
from shipclock.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Read:
    """How fresh our picture is: the newest re-read's real time and `now`; how often asking for
    another has failed since, and when (real) and until when (`now`) to leave it. `left_out` is how
    often of these the marketplace answered, without this order. `cases_at` is the real time
    at which its cancellations and returns were last asked for because a push was in doubt.

    `detail_as_of` and `detail_status` are the `now` at which the packages were last read one by
    one, and the order's status then; `detail_not_before` is until when to leave it after that
    has failed.
    """

    requested_at: datetime = EPOCH
    as_of: datetime = EPOCH
    failures: int = 0
    left_out: int = 0
    failed_at: datetime = EPOCH
    cases_at: datetime = EPOCH
    not_before: datetime | None = None
    detail_as_of: datetime = EPOCH
    detail_status: str = ""
    detail_not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What earlier settles wrote down of an order; `acknowledged` are the keys of the clocks whose
    nearing a person has acknowledged."""

    version: int = 0
    settled_at: datetime | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    notices: frozenset[str] = frozenset()
    intents: Mapping[str, Intent] = field(default_factory=dict)
    read: Read = Read()
    acknowledged: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Situation:
    """What an order is judged in. `providers` is None while nobody has asked who may ship it."""

    now: datetime
    policy: Policy | None = None
    shop: Shop | None = None
    providers: Mapping[str, str] | None = None

    @property
    def connected(self) -> bool:
        """Whether the marketplace can be called for this order."""
        return self.shop is not None and self.shop.connected
