"""Carriers' scorecards for one month, counted from the histories of their parcels.

**Which parcels.** A parcel belongs to the month in which its first scan lies (any status but
`info_received`, `pickup_failed`, `cancelled`, `expired`, `unknown`), by the time that scan names
and the calendar of its shop's time zone. What becomes of it later counts for that month too. Of
its scans all count, whenever they were. A number without a scan is no parcel here.

**Ended and open.** What a carrier said last decides (`history.fate_of`). *Ended* are parcels that
were delivered, returned (from the scan on that says they turned back), lost, disposed of, or are
damaged for good. Open ones, and ones that were cancelled on the way, are counted as such, and stand
in no share: a carrier who never says that a parcel is lost shows up among the open ones.

**The figures**, each with what it is counted over:

- `on_time`: delivered at or before the marketplace's promise (`delivery_sla_time`, else
  `delivery_option_required_delivery_time`, else `delivery_due_time`, as the order last told it);
  where there is none, within the terms' transit days. Over delivered parcels that have either, and
  whose times are to be trusted.
- `within_transit_days`: delivered no more than the terms' `transit_days` local days after the day
  of the first scan. Over delivered parcels whose terms name them, and whose times are to be
  trusted.
- `first_attempt`: delivered without a failed attempt before. Over delivered parcels, and other
  ended ones that a delivery was attempted of in vain.
- `attempts`: the failed attempts before the delivery, and the delivery; a mean over delivered
  parcels.
- `loss`: lost or disposed of; `returned`: turned back; `damage`: some scan says damaged, whatever
  became of the parcel. Each over ended parcels.
- `proof`: some source shows a signature, photo, code or the like of the delivery. Over delivered
  parcels.
- `transit`: p50 and p90 of the time from the first scan to the delivery. Over delivered parcels
  with a scan before that, both times to be trusted.
- `latency`: p50 and p90 of the time from a scan to our hearing of it. Over scans that were news as
  they came (`history.latencies`), of all parcels of the month.

Failed attempts are those of the source that tells the most. To be trusted is a time in UTC or with
its own offset that is no more than 15 minutes ahead of its receipt: one of another kind proves
nobody late. What is left out for that is counted beside the figure. pN is the nearest rank: of n
values, sorted, the one at place N/100 n, rounded up. Marketplaces' promises run from the order and
hold the seller's own days too: terms are better judged by `within_transit_days`.

Tallies are sums and counts of equal values: they take parcels in any order, hold none of them, and
grow with how many different seconds there are.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from shipclock.domain.carrier import ALIASES, known_as
from shipclock.fulfillment.history import Fate, History
from shipclock.fulfillment.terms import Terms, terms_for

NOT_ENDED = frozenset({Fate.OPEN, Fate.CANCELLED})
ALL = "*"
"""Every lane of a carrier, in its total."""

MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def month_of(day: date) -> str:
    """The month of a day, such as `2026-11`."""
    return day.isoformat()[:7]


def nearest_rank(counted: Mapping[int, int], percent: int) -> int | None:
    """The smallest value that at least `percent` (1 to 100) of all are at or below; None of none.

    `counted` tells how often each value is there.
    """
    place = -(-sum(counted.values()) * percent // 100)
    for value in sorted(counted):
        place -= counted[value]
        if place <= 0:
            return value
    return None


@dataclass(frozen=True, slots=True)
class Ratio:
    """A share or a mean, as what it is made of."""

    count: int
    of: int

    @property
    def value(self) -> Fraction | None:
        """The exact value; None over nothing."""
        return Fraction(self.count, self.of) if self.of else None


@dataclass(frozen=True, slots=True)
class Spread:
    """Where the middle and the late end of some durations lie, in whole seconds."""

    of: int
    p50: int | None
    p90: int | None


@dataclass(frozen=True, slots=True)
class Card:
    """One carrier on one lane in one month; the figures are told at the top of this module.

    `carrier` is the name it is counted under, empty for parcels whose carrier nobody named.
    `on_time` is the sum of those judged `by_promise` and `by_transit_days`; `untimed` and
    `unpromised` are the delivered parcels it leaves out. `transit_left_out` are delivered parcels,
    `latency_left_out` scans.
    """

    carrier: str
    lane: str
    parcels: int
    fates: Mapping[Fate, int]
    ended: int
    on_time: Ratio
    by_promise: int
    by_transit_days: int
    untimed: int
    unpromised: int
    within_transit_days: Ratio
    first_attempt: Ratio
    attempts: Ratio
    loss: Ratio
    damage: Ratio
    returned: Ratio
    proof: Ratio
    transit: Spread
    transit_left_out: int
    latency: Spread
    latency_left_out: int


@dataclass(slots=True)
class Tally:
    """What a card is made from: sums that parcels are added to, in any order."""

    fates: Counter[Fate] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    transit: Counter[int] = field(default_factory=Counter)
    latency: Counter[int] = field(default_factory=Counter)

    def add(self, parcel: History, transit_days: int | None) -> None:
        """Count a parcel; `transit_days` are those of the terms that it is judged by."""
        delivered = parcel.fate is Fate.DELIVERED
        self.fates[parcel.fate] += 1
        self.latency.update(parcel.latencies)
        self.sums["unheard"] += parcel.unheard
        if parcel.fate in NOT_ENDED:
            return
        self.sums["damaged"] += parcel.damaged
        if delivered or parcel.failed_attempts:
            self.sums["attempted"] += 1
            self.sums["at_first"] += delivered and not parcel.failed_attempts
        if delivered:
            self._add_delivered(parcel, transit_days)

    def _add_delivered(self, parcel: History, transit_days: int | None) -> None:
        self.sums["attempts"] += parcel.failed_attempts + 1
        self.sums["proven"] += parcel.proven
        if parcel.transit is not None:
            self.transit[parcel.transit] += 1
        in_days = None
        if transit_days is not None and parcel.days is not None:
            in_days = parcel.days <= transit_days
            self.sums["days_known"] += 1
            self.sums["in_days"] += in_days
        if parcel.promised_at is not None:
            self.sums["by_promise"] += parcel.promise_kept is not None
            self.sums["on_time"] += parcel.promise_kept is True
        elif in_days is not None:
            self.sums["by_transit_days"] += 1
            self.sums["on_time"] += in_days
        elif transit_days is None:
            self.sums["unpromised"] += 1

    def card(self, carrier: str, lane: str) -> Card:
        """The card as it stands."""
        sums, fates = self.sums, self.fates
        parcels, delivered = fates.total(), fates[Fate.DELIVERED]
        ended = parcels - sum(fates[fate] for fate in NOT_ENDED)
        judged = sums["by_promise"] + sums["by_transit_days"]
        return Card(
            carrier=carrier,
            lane=lane,
            parcels=parcels,
            fates={fate: fates[fate] for fate in Fate},
            ended=ended,
            on_time=Ratio(sums["on_time"], judged),
            by_promise=sums["by_promise"],
            by_transit_days=sums["by_transit_days"],
            untimed=delivered - judged - sums["unpromised"],
            unpromised=sums["unpromised"],
            within_transit_days=Ratio(sums["in_days"], sums["days_known"]),
            first_attempt=Ratio(sums["at_first"], sums["attempted"]),
            attempts=Ratio(sums["attempts"], delivered),
            loss=Ratio(fates[Fate.LOST] + fates[Fate.DISPOSED], ended),
            damage=Ratio(sums["damaged"], ended),
            returned=Ratio(fates[Fate.RETURNED], ended),
            proof=Ratio(sums["proven"], delivered),
            transit=_spread(self.transit),
            transit_left_out=delivered - self.transit.total(),
            latency=_spread(self.latency),
            latency_left_out=sums["unheard"],
        )


def _spread(counted: Counter[int]) -> Spread:
    return Spread(counted.total(), nearest_rank(counted, 50), nearest_rank(counted, 90))


@dataclass(frozen=True, slots=True)
class Scorecards:
    """All cards of a month: by carrier and lane, by carrier, and by the terms that were agreed.

    `names` tells how a carrier's name is spelled. Terms that no parcel was judged by have an empty
    card.
    """

    month: str
    cards: tuple[Card, ...]
    totals: tuple[Card, ...]
    by_terms: tuple[tuple[Terms, Card], ...]
    names: Mapping[str, str]


class Ledger:
    """Takes the histories of parcels one by one and keeps what a month's scorecards need."""

    def __init__(self, month: str, terms: Sequence[Terms] = ()) -> None:
        """For a month such as `2026-11`; raises ValueError for what is none."""
        if not MONTH.fullmatch(month):
            raise ValueError(f"{month!r} is no month; write it as 2026-11")
        self.month = month
        self._terms = tuple(terms)
        self._names: dict[str, str] = {}
        self._lanes: dict[tuple[str, str], Tally] = {}
        self._totals: dict[str, Tally] = {}
        self._judged: list[Tally] = [Tally() for _ in terms]

    def add(self, parcel: History) -> bool:
        """Count a parcel; False where it is another month's."""
        if month_of(parcel.day) != self.month:
            return False
        agreed = terms_for(self._terms, parcel.carrier, parcel.lane, parcel.day)
        tallies = [
            self._lanes.setdefault((parcel.carrier, parcel.lane), Tally()),
            self._totals.setdefault(parcel.carrier, Tally()),
            *([self._judged[self._terms.index(agreed)]] if agreed else []),
        ]
        for tally in tallies:
            tally.add(parcel, agreed.transit_days if agreed else None)
        known = parcel.carrier if parcel.carrier in ALIASES else parcel.spelled
        self._names[parcel.carrier] = min(self._names.get(parcel.carrier, known), known)
        return True

    def scorecards(self) -> Scorecards:
        """The cards of what was added so far."""
        return Scorecards(
            month=self.month,
            cards=tuple(self._lanes[key].card(*key) for key in sorted(self._lanes)),
            totals=tuple(self._totals[key].card(key, ALL) for key in sorted(self._totals)),
            by_terms=tuple(
                (terms, tally.card(known_as(terms.carrier), terms.lane))
                for terms, tally in zip(self._terms, self._judged, strict=True)
            ),
            names=dict(self._names),
        )
