"""Plays many worlds; see the package."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack

from tests.worlds.many import smaller, wrong_in
from tests.worlds.plans import made_up


def _played(names: list[str], most_orders: int = 30) -> tuple[Counter[str], list[str]]:
    """The counts of some worlds, and the names of those that went wrong."""
    tally: Counter[str] = Counter()
    return tally, [name for name in names if wrong_in(made_up(name, most_orders), tally)]


def main(words: Sequence[str] | None = None) -> int:
    """Play many worlds; prints counts and the first that goes wrong, and returns 1 if one does."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--worlds", type=int, default=100)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", help="play the one world of this name, and say all of it")
    parser.add_argument("--keep-on", action="store_true", help="do not stop at the first")
    told = parser.parse_args(words)
    names = [told.only] if told.only else [f"{told.seed}:{n}" for n in range(told.worlds)]
    parts = [names[start : start + 5] for start in range(0, len(names), 5)]
    tally: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
    wrong: list[str] = []
    with ExitStack() as stack:
        each: Callable[..., Iterable[tuple[Counter[str], list[str]]]] = map
        if told.jobs > 1:
            each = stack.enter_context(ProcessPoolExecutor(told.jobs)).map
        for counts, failing in each(_played, parts):
            tally.update(counts)
            wrong += failing
            if wrong and not told.keep_on:
                break
    sys.stdout.write(", ".join(f"{count} {what}" for what, count in tally.items()) + "\n")
    for name in wrong:
        sys.stdout.write(f"{name}: {'; '.join(wrong_in(made_up(name)))[:600]}\n")
    if wrong and not told.keep_on:
        plan = smaller(made_up(wrong[0]))
        sys.stdout.write("\n".join([str(plan), *wrong_in(plan), ""]))
    return 1 if wrong else 0


COUNTED = ("worlds", "orders", "sweeps", "calls", "effects", "faults", "crashes", "mismatches")

if __name__ == "__main__":
    sys.exit(main())
