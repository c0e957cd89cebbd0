"""What another policy would have brought about, from what is recorded of an order. Pure.

Two things are compared (docs/decisions/0035). *Verdicts*, and what they prepare, are of the clocks
that are missed at `now`, judged by all recorded facts: whether one was missed does not depend on
when anybody heard of it. What was said once and taken back later is therefore no verdict here.
*Reminders and warnings* are what a sweep each minute would have told on the way, knowing at each
instant what was known then.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from shipclock.domain.clock import Clock, ClockState, Notice, Verdict, VerdictState
from shipclock.domain.order import Order
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Shop
from shipclock.remedies import prepared
from shipclock.replayed import History, replay
from shipclock.rules import timeline
from shipclock.rules.policy import Policy

VERDICT, PREPARED = "verdict", "prepared"
"""Kinds of what comes about; the others are notices', `reminder` and `warning`."""

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class Fired:
    """One thing that comes about under a policy.

    `kind` is `verdict`, `reminder`, `warning` or `prepared`; `name` the clock's, or what is
    prepared. `at` is when the clock ran out (of what is prepared: the clock of its verdict), or
    when it was told. `state` is a verdict's, `standing` or `overtaken`. `about` tells it apart from
    others of its name, for people; `identity` does so under either policy.
    """

    kind: str
    name: str
    at: datetime
    state: str = ""
    about: str = ""
    identity: tuple[str, ...] = field(default=(), repr=False)


class Change(StrEnum):
    """How the two policies differ in one thing."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that only one of two policies brings about, or that each does otherwise."""

    was: Fired | None
    would: Fired | None

    @property
    def change(self) -> Change:
        """Whether it comes, goes, or happens at another time or comes to another end."""
        if self.was is None:
            return Change.NEW
        return Change.GONE if self.would is None else Change.CHANGED

    @property
    def mirrored(self) -> "Difference":
        """The same seen from the other policy."""
        return Difference(self.would, self.was)

    @property
    def either(self) -> Fired:
        """The thing itself, as it would be, or else as it was."""
        found = self.would or self.was
        if found is None:
            raise ValueError("a difference is of something")
        return found


def whatif(
    history: History, shop: Shop, was: Policy, would: Policy, now: datetime
) -> tuple[Difference, ...]:
    """What would be otherwise by `now` if an order were judged by `would` instead of `was`."""
    return differences(fired(history, shop, was, now), fired(history, shop, would, now))


def fired(history: History, shop: Shop, policy: Policy, now: datetime) -> tuple[Fired, ...]:
    """Everything that comes about by `now` under a policy."""
    missed = _missed(history.order, policy, now)
    return (
        *(_of_clock(clock) for clock in missed),
        *_prepared(history.order, missed, shop, policy, now),
        *map(_of_notice, replay(history, policy, now)),
    )


def _missed(order: Order, policy: Policy, now: datetime) -> tuple[Clock, ...]:
    """The clocks that are missed at `now`, judged by all facts."""
    clocks = (tick.clock for tick in timeline(order, policy))
    return tuple(clock for clock in clocks if clock.state(now) is ClockState.MISSED)


def _of_clock(clock: Clock) -> Fired:
    about = _words(clock.cause, clock.number or clock.package_id)
    identity = clock.part, clock.cause
    return Fired(VERDICT, clock.name, clock.due_at, _state(clock).value, about, identity)


def _state(clock: Clock) -> VerdictState:
    return VerdictState.OVERTAKEN if clock.overtaken else VerdictState.STANDING


def _prepared(
    order: Order, missed: Iterable[Clock], shop: Shop, policy: Policy, now: datetime
) -> Iterator[Fired]:
    verdicts = {clock.key: _verdict(clock, now) for clock in missed}
    market = MARKETPLACES[shop.marketplace]
    for item in prepared(order, verdicts.values(), market, shop, policy):
        about, identity = _words(item.cause, item.number), (item.package_id, item.number)
        at = verdicts[item.verdict].due_at
        yield Fired(PREPARED, item.kind, at, about=about, identity=identity)


def _verdict(clock: Clock, now: datetime) -> Verdict:
    return Verdict(
        key=clock.key,
        rule=clock.name,
        due_at=clock.due_at,
        state=_state(clock),
        noticed_at=now,
        clause=clock.clause,
        explanation="",  # nothing that is prepared repeats it
        package_id=clock.package_id,
        number=clock.number,
        cause=clock.cause,
    )


def _of_notice(notice: Notice) -> Fired:
    about = STAMP.sub("", notice.day).strip("/#")
    return Fired(notice.kind, notice.clock, notice.at, about=about, identity=(notice.day,))


def _words(*parts: str) -> str:
    return " ".join(filter(None, parts))


def differences(was: Iterable[Fired], would: Iterable[Fired]) -> tuple[Difference, ...]:
    """What is in one and not in the other, or in both and not the same; the earliest first."""
    before, after = _grouped(was), _grouped(would)
    found = [
        Difference(*pair)
        for key in before.keys() | after.keys()
        for pair in _paired(before.get(key, []), after.get(key, []))
        if pair[0] is None or pair[1] is None or _said(pair[0]) != _said(pair[1])
    ]
    return tuple(sorted(found, key=_place))


def _said(one: Fired) -> tuple[datetime, str, str]:
    return one.at, one.state, one.about


def _grouped(found: Iterable[Fired]) -> dict[tuple[str, ...], list[Fired]]:
    """By what each is about, whenever it happens: the instants in an identity are left out."""
    groups: dict[tuple[str, ...], list[Fired]] = defaultdict(list)
    for one in found:
        groups[(one.kind, one.name, *(STAMP.sub("", part) for part in one.identity))].append(one)
    return groups


def _paired(before: list[Fired], after: list[Fired]) -> Iterator[tuple[Fired | None, Fired | None]]:
    """Those of one group: the same thing with itself, the others in the order of their times."""
    twins = {one.identity for one in before} & {one.identity for one in after}
    for identity in twins:
        yield from _side_by_side(
            [one for one in before if one.identity == identity],
            [one for one in after if one.identity == identity],
        )
    yield from _side_by_side(
        [one for one in before if one.identity not in twins],
        [one for one in after if one.identity not in twins],
    )


def _side_by_side(
    before: list[Fired], after: list[Fired]
) -> Iterator[tuple[Fired | None, Fired | None]]:
    left, right = sorted(before, key=_said), sorted(after, key=_said)
    shared = min(len(left), len(right))
    yield from zip(left[:shared], right[:shared], strict=True)
    yield from ((one, None) for one in left[shared:])
    yield from ((None, one) for one in right[shared:])


def _place(difference: Difference) -> tuple[datetime, str, str, tuple[str, ...]]:
    known = [one for one in (difference.was, difference.would) if one is not None]
    one = min(known, key=_said)
    return one.at, one.kind, one.name, one.identity
