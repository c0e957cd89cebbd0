"""The rules: one file each, one registry. Pure functions of an order, a policy and `now`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from shipclock.domain.clock import Clock, ClockState, Notice
from shipclock.domain.order import CANCELLED, Order
from shipclock.rules import marketplace_fields, status_update, untracked
from shipclock.rules.policy import Policy


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the clocks it sets, what a missed one says, and what it says while one runs."""

    name: str
    clocks: Callable[[Order, Policy], tuple[Clock, ...]]
    explain: Callable[[Order, Clock], str]
    notices: Callable[[Clock, Policy, datetime], tuple[Notice, ...]] | None = None
    next_notice: Callable[[Clock, Policy, datetime], datetime | None] | None = None


RULES = (
    Rule(marketplace_fields.NAME, marketplace_fields.clocks, marketplace_fields.explain),
    Rule(status_update.NAME, status_update.clocks, status_update.explain),
    Rule(
        untracked.NAME,
        untracked.clocks,
        untracked.explain,
        untracked.notices,
        untracked.next_notice,
    ),
)

UNCLOCKED_FULFILMENT = frozenset({"FULFILLMENT_BY_TIKTOK", "FULFILLMENT_BY_DILAYANI_TOKOPEDIA"})
UNCLOCKED_SHIPPING = frozenset({"TIKTOK_DIGITAL"})
"""Orders that the seller has nothing to do for have no clocks (DESIGN 5)."""


@dataclass(frozen=True, slots=True)
class Ticking:
    """A clock together with the rule that set it."""

    clock: Clock
    rule: Rule


Timeline = tuple[Ticking, ...]


def timeline(order: Order, policy: Policy) -> Timeline:
    """Every clock of an order, waiting, running and finished. Independent of what time it is."""
    facts = order.facts
    if (
        facts is None
        or facts.fulfillment_type in UNCLOCKED_FULFILMENT
        or facts.shipping_type in UNCLOCKED_SHIPPING
    ):
        return ()
    cancelled = order.reached_at(CANCELLED)
    return tuple(
        Ticking(_voided(clock, cancelled), rule)
        for rule in RULES
        for clock in rule.clocks(order, policy)
    )


def _voided(clock: Clock, cancelled: datetime | None) -> Clock:
    """CANCELLED stops every clock."""
    if cancelled is None or (clock.void_at is not None and clock.void_at <= cancelled):
        return clock
    return replace(clock, void_at=cancelled)


def notices(ticking: Timeline, policy: Policy, now: datetime) -> tuple[Notice, ...]:
    """Reminders and warnings whose time `now` is, of the clocks that run."""
    return tuple(
        notice
        for tick in ticking
        if tick.rule.notices and tick.clock.state(now) is ClockState.RUNNING
        for notice in tick.rule.notices(tick.clock, policy, now)
    )


def next_instant(ticking: Timeline, policy: Policy, now: datetime) -> datetime | None:
    """The next instant after `now` at which a clock starts, runs out or has something to say."""
    instants: list[datetime | None] = []
    for tick in ticking:
        clock = tick.clock
        state = clock.state(now)
        if state is ClockState.RUNNING:
            instants.append(clock.due_at)
            if tick.rule.next_notice:
                instants.append(tick.rule.next_notice(clock, policy, now))
        elif state is ClockState.WAITING and clock.starts_at is not None:
            instants.append(min(clock.starts_at, clock.due_at))
    return min((at for at in instants if at is not None), default=None)
