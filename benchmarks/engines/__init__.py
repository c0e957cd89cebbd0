"""The rules engines that the clocks are measured against, each given what it likes best.

An engine answers two questions. `clocks`: of clocks that are known already, the state of each.
`orders`: of an order's plain facts, the state of every clock that the rows set, None of the others.
Both are compiled once; what an engine is asked about is put into its own form beforehand.
"""

from importlib import import_module

from benchmarks.engines.question import Engine

PEERS = {
    "zen-engine 2.1": "zen",
    "rule-engine 5.1": "rule_engine",
    "durable_rules 2.0": "durable",
    "business-rules 1.1": "business",
}
"""By the name under which they are shown, the file beside this one."""


def engines() -> tuple[dict[str, Engine], dict[str, str]]:
    """Every engine that runs here, and the error of each that does not."""
    found: dict[str, Engine] = {}
    left_out: dict[str, str] = {}
    for name, module in PEERS.items():
        try:
            found[name] = import_module(f"benchmarks.engines.{module}_peer").ENGINE
        except ImportError as error:
            left_out[name] = str(error)
    return found, left_out
