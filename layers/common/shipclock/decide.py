"""What follows from an order at `now`: clocks, verdicts, notices, pushes, re-reads. Pure.

Level-triggered: everything is derived from the facts and from what is recorded already, so that
settling twice, late or out of order comes to the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shipclock.domain.clock import Ask, Clock, ClockState, Notice, Verdict, VerdictState
from shipclock.domain.order import AWAITING_COLLECTION, IN_TRANSIT, TIKTOK, Order
from shipclock.domain.push import UNCLEAR_WAIT, WAITING, Intent, IntentState
from shipclock.domain.times import EPOCH
from shipclock.escalation import nearing, next_step
from shipclock.intents import intents_of, settled_doubts, stuck
from shipclock.news import news
from shipclock.rules import (
    Ticking,
    Timeline,
    clocked,
    incident_words,
    next_instant,
    notices,
    timeline,
)
from shipclock.rules.abnormal_delivery import NAME as ALERTING
from shipclock.situation import Read, Recorded, Situation

HARD_LINE_READS = (timedelta(hours=-24), timedelta(hours=-1), timedelta(0))
"""When an order is re-read around a hard line: an extension changes no `update_time`."""

UNCONFIRMED_AFTER = timedelta(hours=1)
"""How long after its line a hard clock's verdict waits for a re-read that fails."""

RECONNECT = (
    "The shop is not connected, so this may be out of date: connect it again, and it is read anew."
)

RECHECK = timedelta(hours=6)
"""How often a push that is wanted but not allowed is looked at again: carriers get listed, and
sellers set defaults."""

DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Decision:
    """What to write and what to do next.

    `reread_at` is the real time from which a re-read is wanted, None if none is; `wake_at` the
    instant of `now` at which to look again; `owed` says that a re-read is outstanding, even where
    it is `postponed` to an instant of `now`: no push is sent before it. `detail_at` is the instant
    of `now` from which the packages should be read one by one, None if never. Verdicts, notices
    and intents are those that are new or changed.
    """

    timeline: Timeline
    verdicts: tuple[Verdict, ...]
    notices: tuple[Notice, ...]
    intents: tuple[Intent, ...]
    reread_at: datetime | None
    wake_at: datetime | None
    owed: bool
    postponed: datetime | None
    detail_at: datetime | None


def decide(order: Order, recorded: Recorded, about: Situation) -> Decision:
    """Decide what follows from an order. The same inputs always give the same decision."""
    ticking = timeline(order, about.policy) if about.policy else ()
    read = _freshest(order, recorded.read)
    settled = settled_doubts(order, recorded, read, about)
    reread_at = _reread_at(order, ticking, settled, read, about)
    owed = reread_at is not None
    waiting = _waits_for_reread(order, ticking, recorded, read, about) if owed else []
    postponed = owed and read.not_before and read.not_before > about.now
    verdicts = _verdicts(order, ticking, recorded, waiting, about)
    standing = {**recorded.verdicts, **{verdict.key: verdict for verdict in verdicts}}
    intents = intents_of(order, settled, standing.values(), about)
    return Decision(
        timeline=ticking,
        verdicts=verdicts,
        notices=_notices(order, ticking, recorded, intents, owed and not read.failures, about),
        intents=tuple(i for i in intents.values() if i != recorded.intents.get(i.key)),
        reread_at=None if postponed else reread_at,
        wake_at=_wake_at(
            order,
            ticking,
            waiting,
            read.not_before if postponed else None,
            intents,
            about,
        ),
        owed=owed,
        postponed=read.not_before if postponed else None,
        detail_at=_detail_at(order, read, about),
    )


def _notices(
    order: Order,
    ticking: Timeline,
    recorded: Recorded,
    intents: Mapping[str, Intent],
    owed: bool,
    about: Situation,
) -> tuple[Notice, ...]:
    """What is to be told by now and was not told before, each thing once."""
    told = [*stuck(intents, about.now)]
    if about.policy:
        near = nearing(order, ticking, recorded.acknowledged, owed, about)
        said = [
            _ahead(n, ticking, about.now) for n in notices(order, ticking, about.policy, about.now)
        ]
        told = [*said, *news(order, about), *near, *told]
    unique = {notice.key: notice for notice in reversed(told)}  # of one key the first counts
    return tuple(n for n in reversed(unique.values()) if n.key not in recorded.notices)


def _ahead(notice: Notice, ticking: Timeline, now: datetime) -> Notice:
    """A rule's notice with the instant that it is about: as its clock runs out, if it runs."""
    clocks = (tick.clock for tick in ticking if tick.clock.name == notice.clock)
    ends = [clock.due_at for clock in clocks if clock.state(now) is ClockState.RUNNING]
    return replace(notice, due_at=notice.due_at or min(ends, default=None))


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
        left_out=0 if newer else read.left_out,
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
        doubtful = hinted or (unread and clock.ask is not Ask.NEVER)
        early = about.now < clock.due_at + UNCONFIRMED_AFTER
        waits = (doubtful and not read.failures) or (clock.hard and unread and early)
        if about.connected and waits and clock.key not in recorded.verdicts:
            found.append(clock)
    return found


def _verdicts(
    order: Order, ticking: Timeline, recorded: Recorded, waiting: list[Clock], about: Situation
) -> tuple[Verdict, ...]:
    """New verdicts, and earlier ones that turned."""
    found: dict[str, Verdict] = {}
    for tick in _missed(ticking, about.now):
        clock = tick.clock
        if clock in waiting:
            continue
        state = VerdictState.OVERTAKEN if clock.overtaken else VerdictState.STANDING
        earlier = recorded.verdicts.get(clock.key)
        if earlier is None:
            found[clock.key] = _verdict(tick, state, order, about)
            continue
        found[clock.key] = earlier.of(clock, state)
        if clock.due_at != earlier.due_at:  # its words name the instant
            words = _explained(tick, order, about)
            found[clock.key] = replace(found[clock.key], explanation=words)
    for key, verdict in recorded.verdicts.items():
        found.setdefault(key, verdict.turned(VerdictState.WITHDRAWN))
    return tuple(v for key, v in found.items() if v != recorded.verdicts.get(key))


def _verdict(tick: Ticking, state: VerdictState, order: Order, about: Situation) -> Verdict:
    """What a clock says that is first seen as missed."""
    clock, policy = tick.clock, about.policy
    return Verdict(
        key=clock.key,
        rule=clock.name,
        due_at=clock.due_at,
        state=state,
        noticed_at=about.now,
        clause=f"{clock.set_by}: {clock.clause}",
        explanation=_explained(tick, order, about),
        package_id=clock.package_id,
        number=clock.number,
        cause=clock.cause,
        alerts=not (tick.rule.deems and policy and policy.clause(ALERTING)),
        hard=clock.cancels,
    )


def _explained(tick: Ticking, order: Order, about: Situation) -> str:
    text = tick.rule.explain(order, tick.clock, about.policy) if about.policy else ""
    if about.policy and order.incidents:
        text = f"{text} {incident_words(order, tick.clock, about.policy)}".rstrip()
    return text if about.connected else f"{text} {RECONNECT}"


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
    """Instants of `now` from which a re-read is owed: as the clocks ask for it."""
    marks: list[datetime] = []
    if order.ended:
        return marks
    for clock in (tick.clock for tick in ticking):
        state = clock.state(now)
        if clock.ask is Ask.AROUND and state in (ClockState.RUNNING, ClockState.MISSED):
            marks += [clock.due_at + offset for offset in HARD_LINE_READS]
        elif state is not ClockState.MISSED or clock.overtaken:
            continue
        elif clock.ask is Ask.ONCE:
            marks.append(clock.due_at)
        elif clock.ask is Ask.DAILY:
            last = clock.due_at + (now - clock.due_at) // DAILY * DAILY
            marks += [last, last + DAILY]
    return marks


def _detail_at(order: Order, read: Read, about: Situation) -> datetime | None:
    """The instant of `now` from which the packages should be read one by one; None: no need.

    Of a parcel that the marketplace ships, its own carrier's news stand there and nowhere else:
    when it is fetched, and that it was damaged or lost. Once for each status, then daily.
    """
    snapshot = order.snapshot
    if not about.connected or not clocked(order) or order.facts is None or snapshot is None:
        return None
    if order.facts.shipping_type != TIKTOK or order.status not in DETAILED:
        return None
    if read.detail_status != order.status:
        return read.detail_not_before or snapshot.as_of
    return max(read.detail_as_of + DAILY, read.detail_not_before or EPOCH)


DETAILED = frozenset({*WAITING, AWAITING_COLLECTION, IN_TRANSIT})


def _wake_at(
    order: Order,
    ticking: Timeline,
    waiting: list[Clock],
    postponed: datetime | None,
    intents: Mapping[str, Intent],
    about: Situation,
) -> datetime | None:
    """The next instant of `now` at which the order has to be looked at again."""
    instants = [postponed]
    if about.policy is not None:
        instants.append(next_instant(ticking, about.policy, about.now))
        instants.append(next_step(ticking, about))
    instants += [clock.due_at + UNCONFIRMED_AFTER for clock in waiting]
    if about.connected and order.status in WAITING and _refused(intents):
        instants.append(about.now + RECHECK)
    if about.connected:
        instants += [mark for mark in _marks(order, ticking, about.now) if mark > about.now]
    return min((at for at in instants if at is not None and at > about.now), default=None)


def _refused(intents: Mapping[str, Intent]) -> bool:
    return any(intent.state is IntentState.NOT_ALLOWED for intent in intents.values())
