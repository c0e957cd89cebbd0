"""The command line: `python -m benchmarks [NAME ...] [--json] [--quick]`."""

import argparse
import json
import platform
import sys
from datetime import UTC, datetime
from importlib import import_module

from benchmarks.measure import shown

NAMES = (
    "cold_import",
    "verify_and_keep",
    "sources",
    "requests_and_units",
    "clocks",
    "deliveries",
    "sweep",
    "outage",
)


def main() -> int:
    """Run the named benchmarks, or all. A bar that is missed is told and fails nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: for a first look")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(NAMES))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    run = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, noisy unless it does nothing else",
    }
    if not asked.json:
        print("  ".join(f"{name}: {value}" for name, value in run.items()) + "\n")
    outcomes = []
    for name in asked.names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        outcome = import_module(f"benchmarks.{name}").run(asked.quick)
        outcomes.append(outcome.as_dict())
        if not asked.json:
            print(shown(outcome), flush=True)
    if asked.json:
        print(json.dumps({**run, "benchmarks": outcomes}, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
