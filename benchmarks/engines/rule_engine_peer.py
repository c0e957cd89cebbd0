"""rule-engine: one compiled expression for each clock."""

import importlib
from collections.abc import Sequence
from typing import Any

from benchmarks.conditions import A_CLOCK, Row
from benchmarks.engines.expressions import order_said, state_said
from benchmarks.engines.question import Engine, Question

rule_engine: Any = importlib.import_module("rule_engine")


def _clocks() -> Question:
    evaluate = rule_engine.Rule(state_said(A_CLOCK)).evaluate
    return Question(list, lambda clocks: [evaluate(clock) for clock in clocks])


def _orders(rows: Sequence[Row]) -> Question:
    rules = [rule_engine.Rule(order_said(row)).evaluate for row in rows]
    return Question(dict, lambda facts: [evaluate(facts) for evaluate in rules])


ENGINE = Engine(_clocks, _orders)
