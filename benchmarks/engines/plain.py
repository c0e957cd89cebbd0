"""No engine: the same rows walked by one Python function, to show what rules over numbers can cost.

It is not how the product evaluates (docs/decisions/0036-clocks-are-values.md), and no bar is held
against it.
"""

from collections.abc import Mapping, Sequence

from benchmarks.conditions import A_CLOCK, Row
from benchmarks.engines.question import RUNNING, Engine, Question, States, there
from shipclock.domain.clock import ClockState
from shipclock.domain.order import CANCELLED

STOPPED, MET = ClockState.STOPPED.value, ClockState.MET.value
MISSED, WAITING = ClockState.MISSED.value, ClockState.WAITING.value


def _clocks() -> Question:
    row = _figures(A_CLOCK)

    def ask(clocks: Sequence[Mapping[str, int]]) -> States:
        return [_state(row, clock, clock["now"], clock.get(A_CLOCK.void)) for clock in clocks]

    return Question(lambda clocks: [there(clock) for clock in clocks], ask)


def _orders(rows: Sequence[Row]) -> Question:
    figures = [_figures(row) for row in rows]

    def ask(facts: Mapping[str, int]) -> States:
        now, void = facts["now"], facts.get(CANCELLED)
        return [_state(row, facts, now, void) for row in figures]

    return Question(there, ask)


Figures = tuple[tuple[str, ...], str, int, str, int, str, str, str, bool]
"""A row without its name, as what is quickest to take apart."""


def _figures(row: Row) -> Figures:
    due, starts = row.due, row.starts
    stops = row.stop, row.doubtful, row.gives_way_to
    return row.needs, due.fact, due.later, starts.fact, starts.later, *stops, row.deemed


def _state(row: Figures, facts: Mapping[str, int], now: int, void: int | None) -> str | None:
    needs, of, later, begun, later_begun, stops, doubtful, gives_way_to, deemed = row
    for need in needs:
        if need not in facts:
            return None
    due, stop = facts[of] + later, facts.get(stops)
    met = stop is not None and (stop <= due or doubtful in facts)
    if deemed and met:
        return None
    if gives_way_to in facts:
        return STOPPED
    if void is not None and void <= due and (stop is None or void < stop):
        return STOPPED
    if met:
        return MET
    if now >= due:
        return MISSED
    return WAITING if begun in facts and now < facts[begun] + later_begun else RUNNING


ENGINE = Engine(_clocks, _orders)
