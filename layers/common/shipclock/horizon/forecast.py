"""What follows from an order if nothing more happens: `decide` itself, played forward. Pure.

It asks what a sweep asks, at the instants at which a sweep has something to say, and writes down
what a settle would. So it can't disagree with the sweeper; it can only be overtaken by facts. Taken
as given are three things: no fact arrives; the marketplace's word does not change, so that each
re-read that is owed is made and tells nothing new; no push is answered.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from shipclock.decide import Decision, decide
from shipclock.domain.clock import Verdict, VerdictState
from shipclock.domain.order import Order
from shipclock.escalation import next_step
from shipclock.horizon.lines import Line, line_of
from shipclock.rules import RULES, Ticking, next_instant
from shipclock.situation import Read, Recorded, Situation

ASSUMES = "nothing more happens and the marketplace's word does not change"

DEEMS = {rule.name: rule.deems.value for rule in RULES if rule.deems}
"""What the rules that deem something deem: lost or delayed."""

AFTER_ALL = datetime(9999, 1, 1, tzinfo=UTC)
"""The real time of a re-read that is newer than everything known."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One thing that a sweep will say, sweeping at `at`.

    `kind` is a `Line` of a verdict, or the kind of a notice (`reminder`, `warning`, …). `due_at` is
    the verdict's; `cause` also tells what is deemed. `moot`: the marketplace cancels the order
    before, at a hard line, so that this comes only if it does not.
    """

    at: datetime
    kind: str
    clock: str
    key: str
    due_at: datetime | None = None
    state: VerdictState | None = None
    package_id: str = ""
    number: str = ""
    cause: str = ""
    moot: bool = False

    @property
    def news(self) -> bool:
        """Whether it tells anybody anything: a verdict that was over before it was seen does not,
        though it is kept."""
        return self.state in (None, VerdictState.STANDING)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What will be said of one order, in time; `cancelled_at` is the first hard line at which the
    marketplace cancels it, `cancelled_by` that line's name."""

    order_id: str
    shop_id: str
    foreseen: tuple[Foreseen, ...] = ()
    cancelled_at: datetime | None = None
    cancelled_by: str = ""


def forecast(order: Order, recorded: Recorded, about: Situation, until: datetime) -> Forecast:
    """What sweeps from `about.now` up to and including `until` will say of an order.

    Without a policy there are no clocks, and nothing is foreseen.
    """
    told = tuple(_played(order, recorded, about, until))
    ends = [one for one in told if one.kind == Line.HARD and one.state is VerdictState.STANDING]
    end = min(ends, key=lambda one: (one.due_at or one.at, one.clock), default=None)
    if end is None:
        return Forecast(order.order_id, order.shop_id, told)
    return Forecast(
        order.order_id,
        order.shop_id,
        tuple(replace(one, moot=one.at > end.at) for one in told),
        end.due_at,
        end.clock,
    )


def _played(
    order: Order, recorded: Recorded, about: Situation, until: datetime
) -> Iterator[Foreseen]:
    """Settle at `now`, and at each instant after it at which there is something to say."""
    at: datetime | None = about.now
    while at is not None and at <= until:
        there = replace(about, now=at)
        decision = decide(order, recorded, there)
        yield from _said(decision, recorded, at)
        recorded = _kept(recorded, decision)
        if decision.reread_at is not None:
            recorded = replace(recorded, read=_reread(recorded.read, at))
            decision = decide(order, recorded, there)
            yield from _said(decision, recorded, at)
            recorded = _kept(recorded, decision)
        at = _next(decision, there)


def _said(decision: Decision, recorded: Recorded, at: datetime) -> Iterator[Foreseen]:
    """What a settle says for the first time; verdicts that turn say nothing about what lies
    ahead."""
    new = [verdict for verdict in decision.verdicts if verdict.key not in recorded.verdicts]
    ticks = {tick.clock.key: tick for tick in decision.timeline} if new else {}
    for verdict in new:
        yield _of_verdict(verdict, ticks[verdict.key], at)
    for notice in decision.notices:
        yield Foreseen(at, notice.kind, notice.clock, notice.key)


def _of_verdict(verdict: Verdict, tick: Ticking, at: datetime) -> Foreseen:
    return Foreseen(
        at=at,
        kind=line_of(tick.clock, tick.rule).value,
        clock=verdict.rule,
        key=verdict.key,
        due_at=verdict.due_at,
        state=verdict.state,
        package_id=verdict.package_id,
        number=verdict.number,
        cause=verdict.cause or DEEMS.get(tick.rule.name, ""),
    )


def _kept(recorded: Recorded, decision: Decision) -> Recorded:
    """What is recorded once a decision is kept."""
    return replace(
        recorded,
        verdicts={**recorded.verdicts, **{one.key: one for one in decision.verdicts}},
        notices=recorded.notices | {one.key for one in decision.notices},
        intents={**recorded.intents, **{one.key: one for one in decision.intents}},
    )


def _reread(read: Read, at: datetime) -> Read:
    """The record of a re-read that was made at an instant and told nothing new."""
    return replace(
        read,
        requested_at=AFTER_ALL,
        as_of=at,
        cases_at=AFTER_ALL,
        failures=0,
        left_out=0,
        not_before=None,
    )


def _next(decision: Decision, about: Situation) -> datetime | None:
    """The next instant at which there may be something to say. That a wish is looked at again, or
    the order read once more, says nothing while no fact arrives; a re-read that was put off does,
    for verdicts wait for it."""
    if decision.postponed or about.policy is None:
        return decision.wake_at
    instants = (
        next_instant(decision.timeline, about.policy, about.now),
        next_step(decision.timeline, about),
    )
    return min((at for at in instants if at is not None), default=None)
