"""The rules: one file each, one registry. Pure functions of an order, a policy and `now`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shipclock.domain.clock import Clock, ClockState, Notice
from shipclock.domain.order import CANCELLED, Order
from shipclock.rules import (
    abnormal_delivery,
    buyer_cancel_request,
    carrier_mismatch,
    collected_to_shipped,
    deadlines,
    delivered_unproven,
    delivery_period,
    incidents,
    marketplace_fields,
    not_acknowledged,
    parcel_silent,
    status_update,
    two_failed_attempts,
    untracked,
)
from shipclock.rules.policy import Policy
from shipclock.rules.rule import Deemed, Rule

RULES: tuple[Rule, ...] = (
    marketplace_fields.RULE,
    buyer_cancel_request.RULE,
    status_update.RULE,
    collected_to_shipped.RULE,
    untracked.RULE,
    two_failed_attempts.RULE,
    not_acknowledged.RULE,
    parcel_silent.RULE,
    delivery_period.RULE,
    deadlines.RULE,
    deadlines.DEEMING,
    abnormal_delivery.RULE,
    delivered_unproven.RULE,
    carrier_mismatch.RULE,
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


def clocked(order: Order) -> bool:
    """Whether an order has clocks at all."""
    facts = order.facts
    return (
        facts is not None
        and facts.fulfillment_type not in UNCLOCKED_FULFILMENT
        and facts.shipping_type not in UNCLOCKED_SHIPPING
    )


def timeline(order: Order, policy: Policy) -> Timeline:
    """Every clock of an order, waiting, running and finished. Independent of what time it is."""
    if not clocked(order):
        return ()
    ticking: list[Ticking] = []
    deeming: list[tuple[Deemed, Clock]] = []
    for rule in RULES:
        clocks = rule.clocks(order, policy)
        if rule.follows:
            clocks += rule.follows(order, policy, deeming)
        for clock in clocks:
            ticking.append(Ticking(clock, rule))
            if rule.deems:
                deeming.append((rule.deems, clock))
    cancelled = order.reached_at(CANCELLED)
    if cancelled is None:
        return tuple(ticking)
    return tuple(Ticking(_voided(tick.clock, cancelled), tick.rule) for tick in ticking)


def _voided(clock: Clock, cancelled: datetime) -> Clock:
    """CANCELLED stops every clock."""
    if clock.void_at is not None and clock.void_at <= cancelled:
        return clock
    return replace(clock, void_at=cancelled)


def undisturbed(order: Order, policy: Policy) -> Mapping[incidents.Run, datetime]:
    """When each run of an order's clocks would end without any incident."""
    ticking = timeline(incidents.without(order), policy)
    return {incidents.run_of(tick.clock): tick.clock.due_at for tick in ticking}


def incident_words(order: Order, clock: Clock, policy: Policy) -> str:
    """What is to be said of incidents where this clock has run out; empty where none lay in its
    way."""
    before = undisturbed(order, policy).get(incidents.run_of(clock))
    return incidents.words(order, clock, policy, before)


def notices(order: Order, ticking: Timeline, policy: Policy, now: datetime) -> tuple[Notice, ...]:
    """Reminders, warnings and news whose time `now` is."""
    if not clocked(order):
        return ()
    return tuple(
        notice
        for rule, own in _by_rule(ticking)
        if rule.notices
        for notice in rule.notices(order, own, policy, now)
    )


def _by_rule(ticking: Timeline) -> Iterator[tuple[Rule, tuple[Clock, ...]]]:
    """Every rule with its own clocks, of which there may be none."""
    return ((rule, tuple(t.clock for t in ticking if t.rule is rule)) for rule in RULES)


def next_instant(ticking: Timeline, policy: Policy, now: datetime) -> datetime | None:
    """The next instant after `now` at which a clock starts, runs out or has something to say."""
    instants: list[datetime | None] = []
    for tick in ticking:
        clock = tick.clock
        state = clock.state(now)
        if state is ClockState.RUNNING:
            instants.append(clock.due_at)
        elif state is ClockState.WAITING and clock.starts_at is not None:
            instants.append(min(clock.starts_at, clock.due_at))
    for rule, own in _by_rule(ticking):
        if rule.next_notice:
            instants.append(rule.next_notice(own, policy, now))
    return min((at for at in instants if at is not None), default=None)
