"""When clocks run out, by the product and by stepping, over random packs, shops and starts.

    python -m tests.rules.dues --cases 100000 --seed 1 --jobs 2

prints how many cases and clocks were compared, pack by pack, and the first that differs, made
small.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "common"))

from shipclock.rules import packs, policy
from shipclock.rules.calendar import Span
from tests.rules import stepping
from tests.rules.starts import CHOSEN, Case, made_up, parsed, toml
from tests.rules.stepping import Table

Bent = Callable[[policy.Policy], policy.Policy]


def _as_it_is(known: policy.Policy) -> policy.Policy:
    return known


def told(case: Case, bent: Bent = _as_it_is) -> dict[str, dt.datetime]:
    """When the clocks run out by the product, or by one that is bent."""
    known = bent(_policy(case))
    timed: dict[str, policy.Timed] = {**known.pack.clauses, **known.pack.deadlines}
    return {name: known.due(name, each, case.start) for name, each in timed.items() if each.spans}


def _policy(case: Case) -> policy.Policy:
    spans = tuple(Span(first, last) for first, last in case.closed)
    if case.text:
        return policy_of(case.text, case.market, case.zone, spans)
    day = stepping.reading(case.zone, case.start).date()
    chosen = case.pack if case.pack in CHOSEN else ""
    return packs.policy_for(case.market, day, case.zone, chosen, spans)


@lru_cache(maxsize=64)
def policy_of(text: str, market: str, zone: str, spans: tuple[Span, ...]) -> policy.Policy:
    """What the product makes of a made-up pack."""
    return packs.as_policy(packs.parse_pack(text, "made_up"), market, zone, spans)


def difference(case: Case, bent: Bent = _as_it_is) -> str:
    """What the two tell differently; empty where they agree."""
    expected = case.expected()
    ours = told(case, bent) if expected else {}
    return "\n".join(
        f"{name}: product {ours.get(name)}, stepping {expected.get(name)}"
        for name in sorted(expected.keys() | ours.keys())
        if expected.get(name) != ours.get(name)
    )


def smaller(case: Case, differs: Callable[[Case], object]) -> Case:
    """The same difference with as little around it as it comes with."""
    shrunk = True
    while shrunk:
        shrunk = False
        for less in _less(case):
            if differs(less):
                case, shrunk = less, True
                break
    return case


def _less(case: Case) -> Iterator[Case]:
    for place in range(len(case.closed)):
        yield replace(case, closed=case.closed[:place] + case.closed[place + 1 :])
    if case.zone != "UTC":
        yield replace(case, zone="UTC")
    if not case.text:
        return
    raw = parsed(case.text)
    for fewer in _fewer(raw):
        yield replace(case, text=toml(fewer))


def _fewer(raw: Table) -> Iterator[dict[str, Any]]:
    names = list(raw["deadlines"])
    for name in names if len(names) > 1 else ():
        left = {each: raw["deadlines"][each] for each in names if each != name}
        extensions = [
            {**each, "clocks": clocks}
            for each in raw.get("extensions", ())
            if (clocks := [clock for clock in each["clocks"] if clock != name])
        ]
        yield {**raw, "deadlines": left, "extensions": extensions}
    for place in range(len(raw.get("extensions", ()))):
        left_over = raw["extensions"][:place] + raw["extensions"][place + 1 :]
        yield {**raw, "extensions": left_over}
    for key in raw["calendar"].keys() - {"subdivision"}:
        gone = {key, "subdivision"} if key == "country" else {key}
        calendar = {each: told for each, told in raw["calendar"].items() if each not in gone}
        yield {**raw, "calendar": calendar}
    if "zone" in raw:
        yield {each: told for each, told in raw.items() if each != "zone"}
    for name, told in raw["deadlines"].items():
        for key in {"cut_off", "by", "zone"} & told.keys():
            fewer = {each: value for each, value in told.items() if each != key}
            if fewer.get("calendar_days", fewer.get("working_days")) != 0 or key == "zone":
                yield {**raw, "deadlines": {**raw["deadlines"], name: fewer}}


def compared(names: Iterable[str]) -> tuple[Counter[tuple[str, str]], Case | None]:
    """The counts of some shops by pack, and the first case that differs."""
    tally: Counter[tuple[str, str]] = Counter()
    first = None
    for name in names:
        for case in made_up(name):
            expected = case.expected()
            if not expected:
                continue
            tally[case.pack, "cases"] += 1
            tally[case.pack, "clocks"] += len(expected)
            if told(case) != expected:
                tally[case.pack, "mismatches"] += 1
                first = first or case
    return tally, first


def main(words: Sequence[str] | None = None) -> int:
    """Compare many cases; prints counts and the first that differs, and returns 1 if one does."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args(words)
    shops = [f"{asked.seed}:{place}" for place in range(-(-asked.cases // 40))]
    parts = [shops[start : start + 250] for start in range(0, len(shops), 250)]
    tally: Counter[tuple[str, str]] = Counter()
    first: Case | None = None
    with ExitStack() as stack:
        each: Callable[..., Iterable[tuple[Counter[tuple[str, str]], Case | None]]] = map
        if asked.jobs > 1:
            each = stack.enter_context(ProcessPoolExecutor(asked.jobs)).map
        for counts, differing in each(compared, parts):
            tally.update(counts)
            first = first or differing
    words_of = ("cases", "clocks", "mismatches")
    for pack in sorted({pack for pack, _ in tally}):
        line = ", ".join(f"{tally[pack, what]} {what}" for what in words_of)
        sys.stdout.write(f"{pack}: {line}\n")
    total = {what: sum(n for (_, of), n in tally.items() if of == what) for what in words_of}
    sys.stdout.write("all: " + ", ".join(f"{n} {what}" for what, n in total.items()) + "\n")
    if first:
        shrunk = smaller(first, difference)
        sys.stdout.write(f"\n{shrunk}\n{difference(shrunk)}\n")
    return 1 if total["mismatches"] else 0


if __name__ == "__main__":
    sys.exit(main())
