"""What follows from an order at `now`: clocks, verdicts, notices, pushes, re-reads. Pure.

Level-triggered: everything is derived from the facts and from what is recorded already, so that
settling twice, late or out of order comes to the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shipclock import backoff
from shipclock.domain.clock import Clock, ClockState, Notice, Verdict, VerdictState
from shipclock.domain.order import Order, normal
from shipclock.domain.push import (
    RENEWABLE,
    UNCLEAR_WAIT,
    WAITING,
    Effect,
    Intent,
    IntentState,
    Wanted,
    effect_of_ship,
    wanted,
)
from shipclock.domain.times import EPOCH
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Plan, Shop
from shipclock.rules import Ticking, Timeline, next_instant, notices, timeline
from shipclock.rules.policy import Policy
from shipclock.rules.untracked import NAME as UNTRACKED

HARD_LINE_READS = (timedelta(hours=-24), timedelta(hours=-1), timedelta(0))
"""When an order is re-read around a hard line: an extension changes no `update_time`."""

UNCONFIRMED_AFTER = timedelta(hours=1)
"""How long after its line a hard clock's verdict waits for a re-read that fails."""

PUSH = "push"
"""The kind of a notice about a push that a person must hear of."""

RECONNECT = (
    "The shop is not connected, so this may be out of date: connect it again, and it is read anew."
)

RECHECK = timedelta(hours=6)
"""How often a push that is wanted but not allowed is looked at again: carriers get listed, and
sellers set defaults."""

DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Read:
    """How fresh our picture is: the newest re-read's real time and `now`; how often asking for
    another has failed since, and when (real) and until when (`now`) to leave it."""

    requested_at: datetime = EPOCH
    as_of: datetime = EPOCH
    failures: int = 0
    failed_at: datetime = EPOCH
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What earlier settles wrote down of an order."""

    version: int = 0
    settled_at: datetime | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    notices: frozenset[str] = frozenset()
    intents: Mapping[str, Intent] = field(default_factory=dict)
    read: Read = Read()


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


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write and what to do next.

    `reread_at` is the real time from which a re-read is wanted, None if none is; `wake_at` the
    instant of `now` at which to look again; `owed` says that a re-read is outstanding, even where
    it is `postponed` to an instant of `now`: no push is sent before it. Verdicts, notices and
    intents are those that are new or changed.
    """

    timeline: Timeline
    verdicts: tuple[Verdict, ...]
    notices: tuple[Notice, ...]
    intents: tuple[Intent, ...]
    reread_at: datetime | None
    wake_at: datetime | None
    owed: bool
    postponed: datetime | None


def decide(order: Order, recorded: Recorded, about: Situation) -> Decision:
    """Decide what follows from an order. The same inputs always give the same decision."""
    ticking = timeline(order, about.policy) if about.policy else ()
    read = _freshest(order, recorded.read)
    intents = _intents(order, recorded, read, about)
    reread_at = _reread_at(order, ticking, {**recorded.intents, **intents}, read, about)
    owed = reread_at is not None
    waiting = _waits_for_reread(order, ticking, recorded, read, about) if owed else []
    postponed = owed and read.not_before and read.not_before > about.now
    return Decision(
        timeline=ticking,
        verdicts=_verdicts(order, ticking, recorded, waiting, about),
        notices=tuple(
            notice
            for notice in (
                *(notices(ticking, about.policy, about.now) if about.policy else ()),
                *_stuck(intents, about.now),
            )
            if notice.key not in recorded.notices
        ),
        intents=tuple(i for i in intents.values() if i != recorded.intents.get(i.key)),
        reread_at=None if postponed else reread_at,
        wake_at=_wake_at(
            order, ticking, waiting, read.not_before if postponed else None, intents, about
        ),
        owed=owed,
        postponed=read.not_before if postponed else None,
    )


def _freshest(order: Order, read: Read) -> Read:
    """The newest re-read, told by any snapshot or by the record of one that brought nothing new.

    Any snapshot: the marketplace may have answered with an older state than it did before.
    """
    if not order.snapshots:
        return read
    requested_at = max(snapshot.requested_at for snapshot in order.snapshots)
    newer = requested_at > max(read.requested_at, read.failed_at)
    return replace(
        read,
        requested_at=max(requested_at, read.requested_at),
        as_of=max(read.as_of, *(snapshot.as_of for snapshot in order.snapshots)),
        failures=0 if newer else read.failures,
        not_before=None if newer else read.not_before,
    )


def _missed(ticking: Timeline, now: datetime) -> list[Ticking]:
    return [tick for tick in ticking if tick.clock.state(now) is ClockState.MISSED]


def _waits_for_reread(
    order: Order, ticking: Timeline, recorded: Recorded, read: Read, about: Situation
) -> list[Clock]:
    """Clocks that ran out and whose verdict waits for a re-read (DESIGN 5).

    Hard lines always, until one was made, or has failed and an hour has passed since the line.
    Others only while there is a reason to think that the marketplace knows better by now, and
    until a re-read has failed.
    """
    hinted = order.hinted_at is not None and order.hinted_at >= read.requested_at
    found = []
    for tick in _missed(ticking, about.now):
        clock = tick.clock
        unread = read.as_of < clock.due_at
        doubtful = hinted or (unread and (clock.hard or tick.rule.name == UNTRACKED))
        early = about.now < clock.due_at + UNCONFIRMED_AFTER
        waits = (doubtful and not read.failures) or (clock.hard and unread and early)
        if about.connected and waits and _key(clock) not in recorded.verdicts:
            found.append(clock)
    return found


def _key(clock: Clock) -> str:
    return Verdict(
        clock.name, clock.due_at, VerdictState.STANDING, EPOCH, "", "", clock.package_id
    ).key


def _verdicts(
    order: Order, ticking: Timeline, recorded: Recorded, waiting: list[Clock], about: Situation
) -> tuple[Verdict, ...]:
    """New verdicts, and earlier ones that turned."""
    found: dict[str, Verdict] = {}
    for tick in _missed(ticking, about.now):
        clock = tick.clock
        if clock in waiting:
            continue
        state = VerdictState.OVERTAKEN if clock.overtaken_at else VerdictState.STANDING
        earlier = recorded.verdicts.get(_key(clock))
        found[_key(clock)] = (
            earlier.turned(state)
            if earlier
            else Verdict(
                rule=clock.name,
                due_at=clock.due_at,
                state=state,
                noticed_at=about.now,
                clause=f"{clock.set_by}: {clock.clause}",
                explanation=_explained(tick, order, about),
                package_id=clock.package_id,
            )
        )
    for key, verdict in recorded.verdicts.items():
        found.setdefault(key, verdict.turned(VerdictState.WITHDRAWN))
    return tuple(v for key, v in found.items() if v != recorded.verdicts.get(key))


def _explained(tick: Ticking, order: Order, about: Situation) -> str:
    text = tick.rule.explain(order, tick.clock)
    return text if about.connected else f"{text} {RECONNECT}"


def _intents(order: Order, recorded: Recorded, read: Read, about: Situation) -> dict[str, Intent]:
    """The intents as they should stand now: wanted ones, withdrawn ones, and settled doubts."""
    wants = dict(_planned(order, about))
    found: dict[str, Intent] = {}
    for key, intent in recorded.intents.items():
        found[key] = _settled_doubt(order, intent, key in wants, read, about)
        if found[key].state is IntentState.PENDING and key not in wants:
            reason = "no longer wanted"
            found[key] = replace(found[key], state=IntentState.WITHDRAWN, reason=reason)
    for key, (want, plan) in wants.items():
        found[key] = _renewed(found.get(key), key, want, plan)
    told = {normal(want.tracking_number) for want, _ in wants.values()}
    for key, intent in found.items():
        refused = intent.state is IntentState.NOT_ALLOWED and key not in wants
        if refused and normal(intent.tracking_number) in told:
            reason = "told in another way"
            found[key] = replace(intent, state=IntentState.WITHDRAWN, reason=reason)
    return found


def _planned(order: Order, about: Situation) -> list[tuple[str, tuple[Wanted, Plan]]]:
    """What is wanted and how the marketplace would be told, by the intent's key."""
    if about.shop is None:
        return []
    market = MARKETPLACES[about.shop.marketplace]
    found = []
    for want in wanted(order):
        plan = market.plan(order, want, about.shop)
        if plan.allowed and market.needs_provider(order) and about.providers is not None:
            plan = _with_provider(plan, want, about.shop, about.providers)
        key = f"{plan.call}#{want.package_id}#{normal(want.tracking_number)}"
        found.append((key, (want, plan)))
    return found


def _with_provider(plan: Plan, want: Wanted, shop: Shop, providers: Mapping[str, str]) -> Plan:
    if MARKETPLACES[shop.marketplace].choose_provider(want.carrier, providers, shop):
        return plan
    named = f"The carrier {want.carrier!r} is not" if want.carrier else "None was named that is"
    return replace(
        plan,
        allowed=False,
        reason="carrier unknown",
        advice=f"{named} among the marketplace's shipping providers for this order, which are: "
        f"{', '.join(sorted(providers.values())) or 'none'}. "
        "Set the shop's default provider, or ship the order in Seller Center.",
    )


def _renewed(intent: Intent | None, key: str, want: Wanted, plan: Plan) -> Intent:
    """A new intent, or one that is wanted and allowed again."""
    state = IntentState.PENDING if plan.allowed else IntentState.NOT_ALLOWED
    if intent is None:
        return Intent(
            key=key,
            call=plan.call,
            package_id=want.package_id,
            tracking_number=want.tracking_number,
            state=state,
            carrier=want.carrier,
            reason=plan.reason,
            advice=plan.advice,
        )
    if intent.state in RENEWABLE or (intent.state is IntentState.PENDING and not plan.allowed):
        fresh = state is IntentState.PENDING and intent.state in RENEWABLE
        return replace(
            intent,
            state=state,
            carrier=want.carrier,
            reason=plan.reason,
            advice=plan.advice,
            failures=0 if fresh else intent.failures,
            not_before=None if fresh else intent.not_before,
        )
    if intent.state is IntentState.PENDING and intent.carrier != want.carrier:
        return replace(intent, carrier=want.carrier)
    return intent


TELL = (IntentState.NOT_ALLOWED, IntentState.REFUSED, IntentState.DEAD)
"""Ends of a push that a person must hear of: nothing will happen by itself."""


def _stuck(intents: Mapping[str, Intent], now: datetime) -> list[Notice]:
    """What to tell the seller of pushes that did not and will not go out."""
    return [
        Notice(
            clock=intent.call,
            kind=PUSH,
            at=now,
            day=f"{intent.key}#{intent.state.value}",
            text=f"{intent.tracking_number} is not told to the marketplace: {intent.reason}. "
            f"{intent.advice}".strip(),
        )
        for intent in intents.values()
        if intent.state in TELL
    ]


def _settled_doubt(
    order: Order, intent: Intent, still_wanted: bool, read: Read, about: Situation
) -> Intent:
    """An unclear intent, once a re-read from after the wait shows what became of it."""
    if intent.state is not IntentState.UNCLEAR or intent.unclear_at is None:
        return intent
    if read.requested_at < intent.unclear_at + UNCLEAR_WAIT:
        return intent
    effect = effect_of_ship(order, intent)
    if effect is Effect.SEEN:
        return replace(
            intent, state=IntentState.DONE, done_at=intent.unclear_at, reason="", advice=""
        )
    if effect is Effect.OTHER:
        reason = "the order went another way"
        return replace(intent, state=IntentState.WITHDRAWN, reason=reason)
    failures = intent.failures + 1
    if backoff.exhausted(backoff.PUSH, failures):
        return replace(
            intent,
            state=IntentState.DEAD,
            failures=failures,
            advice="It was tried again and again without effect. Ship the order in Seller Center.",
        )
    return replace(
        intent,
        state=IntentState.PENDING if still_wanted else IntentState.WITHDRAWN,
        failures=failures,
        not_before=backoff.after(backoff.PUSH, failures, about.now),
    )


def _reread_at(
    order: Order,
    ticking: Timeline,
    intents: Mapping[str, Intent],
    read: Read,
    about: Situation,
) -> datetime | None:
    """The real time from which the order should be re-read; None: no need."""
    if not about.connected:
        return None
    hinted = order.hinted_at is not None and order.hinted_at >= read.requested_at
    told = any(i.done_at and i.done_at >= read.requested_at for i in intents.values())
    lined = any(
        mark <= about.now and read.as_of < mark for mark in _marks(order, ticking, about.now)
    )
    if hinted or told or lined:
        return EPOCH
    doubts = [
        i.unclear_at + UNCLEAR_WAIT
        for i in intents.values()
        if i.state is IntentState.UNCLEAR and i.unclear_at
    ]
    return min(doubts, default=None)


def _marks(order: Order, ticking: Timeline, now: datetime) -> list[datetime]:
    """Instants of `now` from which a re-read is owed: round hard lines, and daily once `untracked`
    was missed, until the marketplace's outcome is known."""
    marks: list[datetime] = []
    if order.ended:
        return marks
    for tick in ticking:
        clock = tick.clock
        state = clock.state(now)
        if clock.hard and state in (ClockState.RUNNING, ClockState.MISSED):
            marks += [clock.due_at + offset for offset in HARD_LINE_READS]
        elif tick.rule.name == UNTRACKED and state is ClockState.MISSED and not clock.overtaken_at:
            last = clock.due_at + (now - clock.due_at) // DAILY * DAILY
            marks += [last, last + DAILY]
    return marks


def _wake_at(
    order: Order,
    ticking: Timeline,
    waiting: list[Clock],
    postponed: datetime | None,
    intents: Mapping[str, Intent],
    about: Situation,
) -> datetime | None:
    """The next instant of `now` at which the order has to be looked at again."""
    if about.policy is None:
        return postponed
    instants = [next_instant(ticking, about.policy, about.now), postponed]
    instants += [clock.due_at + UNCONFIRMED_AFTER for clock in waiting]
    if about.connected and order.status in WAITING and _refused(intents):
        instants.append(about.now + RECHECK)
    if about.connected:
        instants += [mark for mark in _marks(order, ticking, about.now) if mark > about.now]
    return min((at for at in instants if at is not None and at > about.now), default=None)


def _refused(intents: Mapping[str, Intent]) -> bool:
    return any(intent.state is IntentState.NOT_ALLOWED for intent in intents.values())
