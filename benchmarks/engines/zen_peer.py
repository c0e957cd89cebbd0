"""zen-engine: one compiled expression for all clocks of an order, evaluated by its Rust core."""

import importlib
from collections.abc import Sequence
from typing import Any

from benchmarks.conditions import A_CLOCK, Facts, Row
from benchmarks.engines.expressions import order_said, state_said
from benchmarks.engines.question import Engine, Question, there

zen: Any = importlib.import_module("zen")  # ships types, but the checks run without it


def _clocks() -> Question:
    compiled = zen.compile_expression(f"map(clocks, {state_said(A_CLOCK, '#.')})")

    def prepare(clocks: Sequence[Facts]) -> dict[str, Any]:
        each = [{name: at for name, at in there(c).items() if name != "now"} for c in clocks]
        return {"now": clocks[0]["now"], "clocks": each}

    return Question(prepare, compiled.evaluate)


def _orders(rows: Sequence[Row]) -> Question:
    compiled = zen.compile_expression(f"[{', '.join(map(order_said, rows))}]")
    return Question(there, compiled.evaluate)


ENGINE = Engine(_clocks, _orders)
