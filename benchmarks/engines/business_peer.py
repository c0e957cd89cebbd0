"""business-rules: rules are dictionaries, what they ask about are methods of an object."""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.conditions import A_CLOCK, All, At, Atom, Condition, Facts, Row, has
from benchmarks.engines.question import RUNNING, Engine, Question, States

business_rules: Any = importlib.import_module("business_rules.engine")
variables: Any = importlib.import_module("business_rules.variables")


class _Known:
    """The facts of an order or clock, and what the engine's actions say of it."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.state: str | None = None

    def tell(self, state: str) -> None:
        """The action of every rule."""
        self.state = state


def _clocks() -> Question:
    made, rule = _words()
    states = _states(A_CLOCK, rule)

    def ask(clocks: Sequence[_Known]) -> States:
        return [_state(states, clock) for clock in clocks]

    return Question(lambda clocks: [made(clock) for clock in clocks], ask)


def _orders(rows: Sequence[Row]) -> Question:
    made, rule = _words()
    rules = [(rule(row.there, RUNNING) if row.there else None, _states(row, rule)) for row in rows]

    def ask(facts: _Known) -> States:
        return [
            _state(states, facts)
            if there is None or business_rules.run(there, facts, facts)
            else None
            for there, states in rules
        ]

    return Question(made, ask)


def _state(rules: list[dict[str, Any]], facts: _Known) -> str | None:
    business_rules.run_all(rules, facts, facts, stop_on_first_trigger=True)
    return facts.state


Ruled = Callable[[Condition, str], dict[str, Any]]


def _states(row: Row, rule: Ruled) -> list[dict[str, Any]]:
    running = rule(has(row.due.fact), RUNNING)
    return [*(rule(when, state.value) for state, when in row.states.items()), running]


def _words() -> tuple[type[_Known], Ruled]:
    """The class of what the rules ask about, and what makes a rule of a condition. The engine
    compares a variable with a constant only, so that every comparison is a variable of its own."""
    known: Any = type("Known", (_Known, variables.BaseVariables), {})

    def atom(asked: Atom) -> dict[str, Any]:
        left, right = asked.left, asked.right
        if asked.word in ("has", "lacks"):
            name, operator = f"has_{left.fact}", "is_true" if asked.word == "has" else "is_false"
            setattr(known, name, _whether_there(left.fact))
        else:
            name = f"from_{left.fact}_{left.later}_to_{right.fact}_{right.later}"
            operator = "greater_than" if asked.word == "<" else "greater_than_or_equal_to"
            setattr(known, name, _seconds_between(left, right))
        return {"name": name, "operator": operator, "value": 0}

    def whole(asked: Condition) -> dict[str, Any]:
        if isinstance(asked, Atom):
            return atom(asked)
        return {"all" if isinstance(asked, All) else "any": [whole(part) for part in asked.parts]}

    def rule(when: Condition, state: str) -> dict[str, Any]:
        tell = {"name": "tell", "params": {"state": state}}
        return {"conditions": whole(when), "actions": [tell]}

    return known, rule


def _whether_there(fact: str) -> Any:
    return variables.boolean_rule_variable(lambda known: known.facts[fact] is not None)


def _seconds_between(left: At, right: At) -> Any:
    return variables.numeric_rule_variable(
        lambda known: right.of(known.facts) - left.of(known.facts)
    )


ENGINE = Engine(_clocks, _orders)
