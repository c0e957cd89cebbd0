"""How scorecards are shown: to people, as JSON, and parcel by parcel as CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, TextIO

from shipclock.domain.times import stamp
from shipclock.fulfillment.audit import Audit, Finding, Verdict
from shipclock.fulfillment.history import Fate, History
from shipclock.fulfillment.scorecards import ALL, Card, Ratio, Scorecards, Spread

NOBODY = "(no carrier named)"
RATIOS = {
    "within_transit_days": "within days",
    "first_attempt": "first attempt",
    "attempts": "attempts",
    "loss": "lost, disposed",
    "damage": "damaged",
    "returned": "returned",
    "proof": "with proof",
}
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a formula begins with in a spreadsheet."""

VERDICTS = {Verdict.MET: "met", Verdict.MISSED: "MISSED", Verdict.TOO_FEW: "too few"}


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that is shown: read at a real time, of some shops."""

    read_at: datetime
    shops: tuple[str, ...]
    found: Scorecards
    audits: tuple[Audit, ...]
    unscanned: int
    unread: Sequence[str]

    def name(self, carrier: str) -> str:
        """How a carrier's name is spelled, as it may stand on a terminal."""
        return printable(self.found.names.get(carrier, carrier)) or NOBODY


def printable(text: str) -> str:
    """A text of a sender's as it may stand on a terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


# For people


def as_text(told: Told) -> str:
    """Every card and audit in lines; each figure with how many it is over."""
    counted = sum(card.parcels for card in told.found.totals)
    lines = [
        f"{told.found.month}: {counted} parcels, by their first scan; read {stamp(told.read_at)}",
    ]
    if told.unscanned:
        lines.append(
            "Packages of orders placed in the month whose number nobody scanned, in no card: "
            f"{told.unscanned}"
        )
    lanes = {total.carrier: 0 for total in told.found.totals}
    for card in told.found.cards:
        lanes[card.carrier] += 1
        lines += ["", *_card(told, card)]
    for total in told.found.totals:
        if lanes[total.carrier] > 1:
            lines += ["", *_card(told, total)]
    for audit in told.audits:
        lines += ["", *_audit(audit)]
    return "\n".join(lines)


def _card(told: Told, card: Card) -> Iterator[str]:
    lane = "all its lanes" if card.lane == ALL else printable(card.lane)
    yield f"{told.name(card.carrier)}, {lane}"
    yield _line("parcels", f"{card.parcels}: {_fates(card)}")
    yield _line("on time", f"{_ratio(card.on_time)}{_on_time(card)}")
    for field, label in RATIOS.items():
        ratio: Ratio = getattr(card, field)
        yield _line(label, _mean(ratio) if field == "attempts" else _ratio(ratio))
    yield _line("transit", _spread(card.transit, "parcels", card.transit_left_out))
    yield _line("latency", _spread(card.latency, "scans", card.latency_left_out))


def _line(label: str, text: str) -> str:
    return f"    {label:<16}{text}"


def _fates(card: Card) -> str:
    return ", ".join(f"{count} {fate}" for fate, count in card.fates.items() if count)


def _on_time(card: Card) -> str:
    told = {
        "by the promise": card.by_promise,
        "by transit days": card.by_transit_days,
    }
    left = {"of untrusted time": card.untimed, "without a promise": card.unpromised}
    parts = [", ".join(f"{count} {what}" for what, count in told.items() if count)]
    out = ", ".join(f"{count} {what}" for what, count in left.items() if count)
    parts += [f"left out: {out}"] if out else []
    return "".join(f"; {part}" for part in parts if part)


def _ratio(ratio: Ratio) -> str:
    return f"{_percent(ratio.value)} {ratio.count} of {ratio.of}"


def _mean(ratio: Ratio) -> str:
    shown = "-" if ratio.value is None else f"{float(ratio.value):.2f}"
    return f"{shown:<9} {ratio.count} for {ratio.of}"


def _percent(value: Fraction | None) -> str:
    return f"{'-' if value is None else f'{float(value * 100):.2f} %':<9}"


def _spread(spread: Spread, what: str, left_out: int) -> str:
    out = f"; {left_out} left out" if left_out else ""
    if spread.p50 is None or spread.p90 is None:
        return f"- over 0 {what}{out}"
    p50, p90 = timedelta(seconds=spread.p50), timedelta(seconds=spread.p90)
    return f"p50 {p50}, p90 {p90} over {spread.of} {what}{out}"


def _audit(audit: Audit) -> Iterator[str]:
    terms, card = audit.terms, audit.card
    until = f" until {terms.until}" if terms.until else ""
    yield (
        f"Agreed with {printable(terms.carrier)} on {printable(terms.lane)} from "
        f"{terms.since}{until}: {card.parcels} parcels, {card.fates[Fate.OPEN]} of them open"
    )
    for finding in audit.findings:
        way = "at least" if finding.at_least else "at most"
        fewer = f" (fewer than {audit.minimum})" if finding.verdict is Verdict.TOO_FEW else ""
        yield (
            f"    {VERDICTS[finding.verdict]:<9}{finding.figure:<21}{_value(finding)} over "
            f"{finding.of}{fewer}; agreed: {way} {finding.asked}"
        )


def _value(finding: Finding) -> str:
    return "-" if finding.value is None else f"{float(finding.value):.4f}"


# For machines


def as_json(told: Told) -> str:
    """The same as JSON; a value is rounded to six places beside what it is made of."""
    found = told.found
    return json.dumps(
        {
            "month": found.month,
            "read_at": stamp(told.read_at),
            "shops": list(told.shops),
            "parcels": sum(card.parcels for card in found.totals),
            "unscanned": told.unscanned,
            "unread": list(told.unread),
            "cards": [_card_json(told, card) for card in found.cards],
            "totals": [_card_json(told, card) for card in found.totals],
            "terms": [_audit_json(audit) for audit in told.audits],
        },
        indent=2,
        ensure_ascii=False,
    )


def _card_json(told: Told, card: Card) -> dict[str, Any]:
    on_time = {
        "by_promise": card.by_promise,
        "by_transit_days": card.by_transit_days,
        "untimed": card.untimed,
        "unpromised": card.unpromised,
    }
    return {
        "carrier": card.carrier,
        "name": told.name(card.carrier),
        "lane": card.lane,
        "parcels": card.parcels,
        "ended": card.ended,
        "fates": {str(fate): count for fate, count in card.fates.items()},
        "on_time": {**_ratio_json(card.on_time), **on_time},
        **{name: _ratio_json(getattr(card, name)) for name in RATIOS},
        "transit": _spread_json(card.transit, card.transit_left_out),
        "latency": _spread_json(card.latency, card.latency_left_out),
    }


def _ratio_json(ratio: Ratio) -> dict[str, Any]:
    return {"count": ratio.count, "of": ratio.of, "value": _rounded(ratio.value)}


def _rounded(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _spread_json(spread: Spread, left_out: int) -> dict[str, Any]:
    return {
        "of": spread.of,
        "p50_seconds": spread.p50,
        "p90_seconds": spread.p90,
        "left_out": left_out,
    }


def _audit_json(audit: Audit) -> dict[str, Any]:
    terms = audit.terms
    return {
        "carrier": terms.carrier,
        "lane": terms.lane,
        "from": terms.since.isoformat(),
        "until": terms.until.isoformat() if terms.until else None,
        "minimum": audit.minimum,
        "parcels": audit.card.parcels,
        "open": audit.card.fates[Fate.OPEN],
        "findings": [
            {
                "figure": finding.figure,
                "asked": str(finding.asked),
                "good": "at_least" if finding.at_least else "at_most",
                "value": _rounded(finding.value),
                "of": finding.of,
                "verdict": finding.verdict,
            }
            for finding in audit.findings
        ],
    }


# Parcel by parcel

COLUMNS: dict[str, Callable[[History], object]] = {
    "order_id": lambda p: p.order_id,
    "number": lambda p: p.number,
    "carrier": lambda p: p.carrier,
    "spelled": lambda p: p.spelled,
    "lane": lambda p: p.lane,
    "first_scan_at": lambda p: stamp(p.first_scan_at),
    "first_scan_day": lambda p: p.day.isoformat(),
    "fate": lambda p: p.fate.value,
    "ended_at": lambda p: stamp(p.ended_at) if p.ended_at else None,
    "failed_attempts": lambda p: p.failed_attempts,
    "damaged": lambda p: _yes(p.damaged),
    "proof": lambda p: _yes(p.proven),
    "promised_at": lambda p: stamp(p.promised_at) if p.promised_at else None,
    "promise_kept": lambda p: _yes(p.promise_kept),
    "transit_seconds": lambda p: p.transit,
    "transit_days": lambda p: p.days,
    "latency_seconds": lambda p: " ".join(map(str, p.latencies)),
    "latency_left_out": lambda p: p.unheard,
}
"""The columns of the list of parcels; empty where a figure leaves the parcel out."""


def parcel_writer(out: TextIO) -> Callable[[History], None]:
    """Begin a CSV file; what comes back writes a parcel into it."""
    lines = csv.writer(out)
    lines.writerow(COLUMNS)

    def write(parcel: History) -> None:
        lines.writerow(_cell(value(parcel)) for value in COLUMNS.values())

    return write


def _yes(known: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[known]


def _cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula, and no terminal for a command: some texts
    are senders'."""
    if not isinstance(value, str):
        return value
    plain = printable(value)
    return f"'{plain}" if value.startswith(FORMULA) else plain
