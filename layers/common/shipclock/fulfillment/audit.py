"""What was agreed with a carrier held against his scorecard: met, missed, or too few to tell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from shipclock.fulfillment.scorecards import Card, Ratio, Scorecards
from shipclock.fulfillment.terms import AT_LEAST, Terms


class Verdict(StrEnum):
    """What comes of one figure. `too_few`: it is over fewer than the minimum."""

    MET = "met"
    MISSED = "missed"
    TOO_FEW = "too_few"


def _hours(seconds: int | None, of: int) -> tuple[Fraction | None, int]:
    return None if seconds is None else Fraction(seconds, 3600), of


def _minutes(seconds: int | None, of: int) -> tuple[Fraction | None, int]:
    return None if seconds is None else Fraction(seconds, 60), of


def _ratio(ratio: Ratio) -> tuple[Fraction | None, int]:
    return ratio.value, ratio.of


FIGURES: Mapping[str, Callable[[Card], tuple[Fraction | None, int]]] = {
    "on_time": lambda card: _ratio(card.on_time),
    "within_transit_days": lambda card: _ratio(card.within_transit_days),
    "first_attempt": lambda card: _ratio(card.first_attempt),
    "proof": lambda card: _ratio(card.proof),
    "attempts": lambda card: _ratio(card.attempts),
    "loss": lambda card: _ratio(card.loss),
    "damage": lambda card: _ratio(card.damage),
    "returned": lambda card: _ratio(card.returned),
    "transit_p50_hours": lambda card: _hours(card.transit.p50, card.transit.of),
    "transit_p90_hours": lambda card: _hours(card.transit.p90, card.transit.of),
    "latency_p50_minutes": lambda card: _minutes(card.latency.p50, card.latency.of),
    "latency_p90_minutes": lambda card: _minutes(card.latency.p90, card.latency.of),
}
"""The figures that terms may name: the exact value, None over nothing, and over how many parcels it
is (of latencies: over how many scans)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One agreed figure: what was asked, what came, over how many, and what comes of it.

    Not rounded: 0.9499… misses 0.95.
    """

    figure: str
    asked: Decimal
    value: Fraction | None
    of: int
    verdict: Verdict

    @property
    def at_least(self) -> bool:
        """Whether the figure is good from what was asked on; else up to it."""
        return self.figure in AT_LEAST


@dataclass(frozen=True, slots=True)
class Audit:
    """One carrier's terms and what the parcels say that were judged by them.

    `minimum` is how many parcels a figure must be over to be judged.
    """

    terms: Terms
    minimum: int
    card: Card
    findings: tuple[Finding, ...]


def audits(scorecards: Scorecards, minimum: int) -> tuple[Audit, ...]:
    """The audit of each of the terms, in their order; `minimum` where they name none."""
    return tuple(
        audit(terms, card, terms.minimum or minimum) for terms, card in scorecards.by_terms
    )


def audit(terms: Terms, card: Card, minimum: int) -> Audit:
    """Hold one card against the terms its parcels are judged by."""
    found = tuple(_finding(name, asked, card, minimum) for name, asked in terms.asked.items())
    return Audit(terms, minimum, card, found)


def _finding(figure: str, asked: Decimal, card: Card, minimum: int) -> Finding:
    value, of = FIGURES[figure](card)
    verdict = Verdict.TOO_FEW
    if value is not None and of >= minimum:
        limit = Fraction(asked)
        good = value >= limit if figure in AT_LEAST else value <= limit
        verdict = Verdict.MET if good else Verdict.MISSED
    return Finding(figure, asked, value, of, verdict)
