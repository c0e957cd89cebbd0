"""What a rule is: one of the files beside this one, told to the registry as `RULE`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shipclock.domain.clock import Clock, Notice
from shipclock.domain.order import Order
from shipclock.rules.policy import Policy


class Deemed(StrEnum):
    """What a parcel or an order is deemed to be once a clock is missed."""

    LOST = "deemed_lost"
    DELAYED = "deemed_delayed"


Deeming = Sequence[tuple[Deemed, Clock]]
"""The clocks that deem something, in the order of their rules."""


@dataclass(frozen=True, slots=True)
class About:
    """A rule in a reader's words, for docs/rules.md. `{hours}` and the like are the clause's."""

    orders: str
    starts: str
    due: str
    stops: str
    then: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the clocks it sets, what a missed one says, and what it tells besides.

    `clocks` knows no time. `explain` tells a seller what happened, what will happen and when (in
    the shop's time), and what to do. `notices` are what is to be told at an instant, given the
    rule's own clocks; `next_notice` is the next instant at which they have something new to say.
    A `finding` says something about an order and is nothing to watch: it is not listed as a clock.
    What a rule `deems` is alerted by `abnormal_delivery`, so that one thing brings one mail.
    `follows` sets clocks out of those of the rules before it that deem something.
    """

    name: str
    about: About
    clocks: Callable[[Order, Policy], tuple[Clock, ...]]
    explain: Callable[[Order, Clock, Policy], str]
    notices: Callable[[Order, tuple[Clock, ...], Policy, datetime], tuple[Notice, ...]] | None = (
        None
    )
    next_notice: Callable[[tuple[Clock, ...], Policy, datetime], datetime | None] | None = None
    finding: bool = False
    deems: Deemed | None = None
    follows: Callable[[Order, Policy, Deeming], tuple[Clock, ...]] | None = None
