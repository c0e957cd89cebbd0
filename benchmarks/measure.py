"""Measuring alternately, and saying what came of it: medians, ratios, tables of 80 columns."""

import gc
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar that a figure is held to. `met` is a statement, never a failure of the run."""

    says: str
    met: bool
    found: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a heading. The first column is what is measured."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(slots=True)
class Outcome:
    """What one benchmark found: tables for people, figures for `--json`."""

    name: str
    against: str
    tables: list[Table] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        bars = [{"bar": b.says, "met": b.met, "found": b.found} for b in self.bars]
        return {
            "name": self.name,
            "against": self.against,
            "figures": self.figures,
            "bars": bars,
            "notes": self.notes,
        }


def alternately(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each measure's figures, taken in turns (A B C A B C ...), after one round that is left out.

    Whatever the machine does meanwhile then falls on all of them alike.
    """
    found: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(rounds + 1):
        for name, measure in measures.items():
            figure = measure()
            if turn:
                found[name].append(figure)
    return found


def seconds_each(
    work: Callable[[], object], times: int, timer: Callable[[], float] = perf_counter
) -> Callable[[], float]:
    """A measure: seconds per call of `work`, over that many calls, without garbage collection.

    By `thread_time` the processor's seconds, of work that waits for nothing.
    """

    def measure() -> float:
        gc.collect()
        gc.disable()
        try:
            began = timer()
            for _ in range(times):
                work()
            return (timer() - began) / times
        finally:
            gc.enable()

    return measure


def medians(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(figures) for name, figures in found.items()}


def micros(seconds: float) -> str:
    """Microseconds with a digit or two that mean something."""
    return f"{seconds * 1e6:.2f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def millis(seconds: float) -> str:
    """Milliseconds."""
    return f"{seconds * 1e3:.1f}"


def ratio(one: float, other: float) -> str:
    """How many times `other` the `one` is."""
    return f"{one / other:.2f}" if other else "-"


def shown(outcome: Outcome) -> str:
    """An outcome for people, no line wider than 80 columns."""
    lines = [f"== {outcome.name} " + "=" * (WIDTH - 4 - len(outcome.name))]
    lines += _wrapped(outcome.against, "   ")
    for table in outcome.tables:
        lines += ["", *_table(table)]
    if outcome.bars:
        lines.append("")
    for bar in outcome.bars:
        lines += _wrapped(f"{bar.says}: {bar.found}", "   met  " if bar.met else "   MISS ")
    if outcome.notes:
        lines.append("")
    for note in outcome.notes:
        lines += _wrapped(note, "   - ")
    return "\n".join(lines) + "\n"


def _table(table: Table) -> list[str]:
    rows = [list(table.columns), *[list(row) for row in table.rows]]
    widths = [max(len(row[place]) for row in rows) for place in range(len(table.columns))]
    room = WIDTH - 3 - sum(width + 2 for width in widths[1:])
    widths[0] = min(widths[0], room)
    lines = []
    for number, row in enumerate(rows):
        cells = [row[0][: widths[0]].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(("   " + "  ".join(cells)).rstrip())
        if number == 0:
            lines.append("   " + "-" * (sum(widths) + 2 * len(widths) - 2))
    return lines


def _wrapped(text: str, lead: str) -> list[str]:
    lines, line = [], lead
    for word in text.split():
        if len(line) + len(word) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * len(lead)
        line += word + " "
    return [*lines, line.rstrip()]
