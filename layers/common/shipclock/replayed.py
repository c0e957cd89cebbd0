"""An order as it stood at each instant of its past, from what is recorded of it. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from itertools import zip_longest

from shipclock.domain.clock import Notice
from shipclock.domain.event import Hint, OrderEvent, PackageRead, Request, Snapshot
from shipclock.domain.incident import Incidence
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import Order, fold
from shipclock.domain.tracking import Scan
from shipclock.rules import next_instant, notices, timeline
from shipclock.rules.policy import Policy

APART = timedelta(hours=1)
"""A re-read whose real time and `now` are further apart than this was made in a simulation."""


@dataclass(frozen=True)
class History:
    """All that is recorded of one order: its own events, the facts under its numbers, and the
    incidents that may be about it, which count from the beginning, as they are known by now.

    Without slots, for it keeps what it has folded.
    """

    order_id: str
    events: tuple[OrderEvent, ...]
    numbers: tuple[NumberFacts, ...] = ()
    incidents: tuple[Incidence, ...] = ()

    @property
    def simulated(self) -> bool:
        """Whether its `now` was another time than the real one, as on a stack with time travel."""
        reads = [event for event in self.events if isinstance(event, Snapshot)]
        return any(abs(read.requested_at - read.as_of) > APART for read in reads)

    @cached_property
    def order(self) -> Order:
        """The order by everything that is known."""
        return self._folded(self.events, self.numbers)

    @cached_property
    def stages(self) -> tuple[tuple[datetime, Order], ...]:
        """Each instant at which something became known, and the order by all that was known then.

        Folds once for each: what is recorded of an order has a bound (DESIGN 3.2).
        """
        known = partial(known_at, simulated=self.simulated)
        scans = [scan for number in self.numbers for scan in number.scans]
        instants = sorted({*map(known, self.events), *map(known, scans)})
        return tuple((at, self._by(at, known)) for at in instants)

    def _by(self, at: datetime, known: Callable[[OrderEvent | Scan], datetime]) -> Order:
        events = [event for event in self.events if known(event) <= at]
        numbers = [
            replace(number, scans=tuple(scan for scan in number.scans if known(scan) <= at))
            for number in self.numbers
        ]
        return self._folded(events, numbers)

    def _folded(self, events: Iterable[OrderEvent], numbers: Iterable[NumberFacts]) -> Order:
        return replace(fold(self.order_id, events, numbers), incidents=self.incidents)


def known_at(fact: OrderEvent | Scan, simulated: bool) -> datetime:
    """The instant of `now` from which a fact was known.

    A re-read tells it. Of what came in only the real receipt is recorded: that is it, but for a
    `simulated` order, whose facts count as known from when they happened. Of a case it is when the
    marketplace says that it changed.
    """
    if isinstance(fact, Scan):
        return fact.occurred_at if simulated else fact.received_at
    if isinstance(fact, Snapshot):
        return fact.as_of
    if isinstance(fact, PackageRead):
        return fact.as_of or fact.requested_at
    if isinstance(fact, Request):
        return fact.asked_at
    if isinstance(fact, Hint):
        return (fact.update_time if simulated else None) or fact.received_at
    return fact.update_time


def replay(history: History, policy: Policy, now: datetime) -> Iterator[Notice]:
    """The reminders and warnings that would have been told by `now`, each once and at its time."""
    told: set[str] = set()
    ends = [at for at, _ in history.stages[1:]]
    for (begins, order), until in zip_longest(history.stages, ends):
        at: datetime | None = begins
        while at is not None and at <= now and (until is None or at < until):
            ticking = timeline(order, policy)
            for notice in notices(order, ticking, policy, at):
                if notice.key not in told:
                    told.add(notice.key)
                    yield notice
            at = next_instant(ticking, policy, at)
