"""durable_rules: a core in C matches messages against a network of all rules; actions are Python's.

Its `Ruleset` is asked without a `Host`, whose threads would take messages away in between. Its last
release, 2.0.28, cannot be imported by Python 3.13.
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.conditions import A_CLOCK, All, Atom, Condition, Facts, Row, has
from benchmarks.engines.question import RUNNING, Engine, Question, States, there

durable: Any = importlib.import_module("durable.engine")


def _clocks() -> Question:
    """Each clock is an event, which the first rule that fits takes."""
    told: dict[int, str] = {}
    rules: Any = durable.Ruleset("clocks", None, dict(_rules([A_CLOCK], told, "place")))

    def prepare(clocks: Sequence[Facts]) -> list[dict[str, int]]:
        return [{**there(clock), "place": place} for place, clock in enumerate(clocks)]

    def ask(clocks: list[dict[str, int]]) -> States:
        told.clear()
        rules.do_actions(rules.assert_events(clocks), _raise)
        return [told[place] for place in range(len(clocks))]

    return Question(prepare, ask)


def _orders(rows: Sequence[Row]) -> Question:
    """An order is a fact, which all rules that fit may see, the first of each clock first."""
    told: dict[int, str] = {}
    rules: Any = durable.Ruleset("orders", None, dict(_rules(rows, told)))

    def ask(facts: dict[str, Any]) -> States:
        told.clear()
        rules.do_actions(rules.assert_fact(facts), _raise)
        rules.do_actions(rules.retract_fact(facts), _raise)
        return [told.get(place) for place in range(len(rows))]

    return Question(lambda facts: {**there(facts), "id": "order"}, ask)


def _raise(error: object, state: object) -> None:
    if error:
        raise RuntimeError(error)


def _rules(
    rows: Sequence[Row], told: dict[int, str], place_of: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    for place, row in enumerate(rows):
        running = (RUNNING, has(row.due.fact))
        for rank, (state, when) in enumerate((*row.states.items(), running)):
            whole = All((row.there, when)) if row.there else when
            yield (
                f"{place}_{rank}",
                {
                    "all": [{"m": _said(whole)}],
                    "pri": rank,
                    "run": _telling(told, place, str(state), place_of),
                },
            )


def _telling(told: dict[int, str], place: int, state: str, place_of: str) -> Callable[[Any], None]:
    def run(c: Any) -> None:
        told.setdefault(c.m[place_of] if place_of else place, state)

    return run


def _said(condition: Condition) -> dict[str, Any]:
    if not isinstance(condition, Atom):
        word = "$and" if isinstance(condition, All) else "$or"
        return {word: [_said(part) for part in condition.parts]}
    return _atom(condition)


def _atom(atom: Atom) -> dict[str, Any]:
    if atom.word in ("has", "lacks"):
        return {"$ex" if atom.word == "has" else "$nex": {atom.left.fact: 1}}
    left, right = atom.left, atom.right
    instant: dict[str, Any] = {"$m": right.fact}
    if later := right.later - left.later:
        instant = {"$add": {"$l": instant, "$r": later}}
    return {"$lt" if atom.word == "<" else "$lte": {left.fact: instant}}


ENGINE = Engine(_clocks, _orders)
