"""Where an order's clocks stand, against a rules engine that was compiled beforehand.

Measured per order: the state at `now` of every clock of a prepared timeline, and the due instant of
the running clock that runs out next. Against `zen-engine` (one compiled expression for the whole
order, evaluated by its Rust core) and `rule-engine` (one compiled rule per state). The peers get
what they like best: a prepared dictionary of numbers per order. All three must give the same
answers for every order before anything is measured. Orders are of the default pack, at all stages
of their life, with the clocks that the product's own rules set. Apart: the
same with all times in `datetime.UTC` (times read back by pydantic carry a time zone of its own,
which makes each comparison several times dearer), the product's own search for the next clock, the
next instant at which it has to look again (reminders included), and the timeline itself.
"""

import importlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, TypedDict

from benchmarks.measure import (
    Bar,
    Outcome,
    Table,
    alternately,
    medians,
    micros,
    ratio,
    seconds_each,
)
from shipclock.domain.clock import ClockState
from shipclock.domain.order import Order
from shipclock.rules import Timeline, next_instant, timeline
from shipclock.rules.policy import Policy
from shipclock.settle import next_clock
from tests.stage import SHOP_ID, START, Stage

# Neither peer ships types, and the checks run without them.
zen: Any = importlib.import_module("zen")
rule_engine: Any = importlib.import_module("rule_engine")


class Lines(TypedDict, total=False):
    """The marketplace's own lines of an order, in Unix seconds."""

    shipping_due_time: int
    collection_due_time: int
    delivery_due_time: int


Prepared = tuple[Order, Policy, Timeline, datetime]
Answer = tuple[list[str], float | None]

CONDITIONS = (
    ("stopped", "void != null and void <= due and (stop == null or void < stop)"),
    ("met", "stop != null and (stop <= due or not trusted)"),
    ("missed", "now >= due"),
    ("waiting", "start != null and now < start"),
)
"""A clock's states in the order in which they are asked, in words both engines read."""

BAR_SECONDS = 2e-6
BAR_TIMES = 5


def run(quick: bool) -> Outcome:
    """Measure, in turns."""
    outcome = Outcome("clocks", "median us per order: clock states and next due | rules engines")
    prepared = _prepared()
    contexts = [_context(ticking, now) for _, _, ticking, now in prepared]
    by_zen, by_rules = _zen(), _rule_engine()
    for (_, _, ticking, now), context in zip(prepared, contexts, strict=True):
        told = _ours(ticking, now)
        assert told == by_zen(context) == by_rules(context), (told, by_zen(context))
    count = sum(len(ticking) for _, _, ticking, _ in prepared) / len(prepared)
    mine, theirs, thirds = cycle(prepared), cycle(contexts), cycle(contexts)
    plain = cycle([(_in_utc(ticking), now.astimezone(UTC)) for _, _, ticking, now in prepared])

    def states_and_next() -> object:
        _, _, ticking, now = next(mine)
        return standing(ticking, now)

    def in_utc() -> object:
        ticking, now = next(plain)
        return standing(ticking, now)

    def the_next() -> object:
        _, _, ticking, now = next(mine)
        return next_clock(ticking, now)

    def instant() -> object:
        _, policy, ticking, now = next(mine)
        return next_instant(ticking, policy, now)

    def whole() -> object:
        order, policy, _, _ = next(mine)
        return timeline(order, policy)

    times = len(prepared) * (10 if quick else 40)
    works: dict[str, tuple[Callable[[], object], int]] = {
        "states and next due": (states_and_next, times),
        "zen-engine 2.1": (lambda: by_zen(next(theirs)), times),
        "rule-engine 5.1": (lambda: by_rules(next(thirds)), times // 10),
        "apart: the same, all in datetime.UTC": (in_utc, times),
        "apart: settle.next_clock": (the_next, times),
        "apart: next instant, reminders": (instant, times),
        "apart: the timeline itself": (whole, times),
    }
    measures = {name: seconds_each(work, n) for name, (work, n) in works.items()}
    found = medians(alternately(measures, 5 if quick else 15))
    ours = found["states and next due"]
    columns = ("per order", "us", "times ours", "us per clock")
    rows = [(n, micros(f), ratio(f, ours), micros(f / count)) for n, f in found.items()]
    outcome.tables.append(Table(columns, rows))
    fastest = min(found["zen-engine 2.1"], found["rule-engine 5.1"])
    outcome.bars += [
        Bar("at most 2 us per order", ours <= BAR_SECONDS, f"{micros(ours)} us"),
        Bar(
            "at least five times the faster engine",
            fastest / ours >= BAR_TIMES,
            f"{fastest / ours:.1f}x",
        ),
    ]
    outcome.notes.append(
        f"{len(prepared)} orders, {count:.1f} clocks each; all three gave the same answers."
    )
    outcome.figures = {"clocks_per_order": count, **{n: f * 1e6 for n, f in found.items()}}
    return outcome


def _prepared() -> list[Prepared]:
    """Orders at four stages of their life, as the product itself folds them."""
    stage = Stage()
    day = 86_400
    created = int(START.timestamp())
    lines: Lines = {
        "shipping_due_time": created + 3 * day,
        "collection_due_time": created + 5 * day,
        "delivery_due_time": created + 20 * day,
    }
    bare = [_place(stage, {}) for _ in range(2)]
    lined = [_place(stage, lines) for _ in range(2)]
    stage.marketplace_tells()
    stage.settle_down()
    for one in (bare[1], lined[1]):
        stage.carrier_tells(f"SYN-{one[-4:]}", "picked_up", START + timedelta(hours=1), one)
    stage.until(START + timedelta(hours=2))
    stage.settle_down()
    found = []
    for one in (*bare, *lined):
        settled = stage.judged(one)
        assert settled.situation.policy is not None
        for hours in (-1, 2, 30, 100, 121, 400):
            now = START + timedelta(hours=hours)
            policy = settled.situation.policy
            found.append((settled.order, policy, settled.decision.timeline, now))
    return found


def _place(stage: Stage, lines: Lines) -> str:
    return stage.sandbox.add_order(
        SHOP_ID,
        status="AWAITING_SHIPMENT",
        items={"MUG": 1},
        **lines,
    )


def standing(ticking: Timeline, now: datetime) -> tuple[list[ClockState], datetime | None]:
    """Every clock's state, and when the next running one runs out."""
    states: list[ClockState] = []
    upcoming: datetime | None = None
    for tick in ticking:
        clock = tick.clock
        state = clock.state(now)
        states.append(state)
        if state is ClockState.RUNNING and (upcoming is None or clock.due_at < upcoming):
            upcoming = clock.due_at
    return states, upcoming


def _in_utc(ticking: Timeline) -> Timeline:
    """The same clocks with every time under `datetime.UTC`, which compares by identity."""

    def utc(instant: datetime | None) -> datetime | None:
        return instant.astimezone(UTC) if instant else None

    return tuple(
        replace(
            tick,
            clock=replace(
                tick.clock,
                due_at=tick.clock.due_at.astimezone(UTC),
                starts_at=utc(tick.clock.starts_at),
                void_at=utc(tick.clock.void_at),
                stop=replace(stop, at=stop.at.astimezone(UTC))
                if (stop := tick.clock.stop)
                else None,
            ),
        )
        for tick in ticking
    )


def _ours(ticking: Timeline, now: datetime) -> Answer:
    states, upcoming = standing(ticking, now)
    told = next_clock(ticking, now)
    assert upcoming == (told.due_at if told else None)
    return [state.value for state in states], upcoming.timestamp() if upcoming else None


def _context(ticking: Timeline, now: datetime) -> dict[str, Any]:
    """What the engines are asked about: numbers, prepared beforehand."""

    def seconds(instant: datetime | None) -> float | None:
        return instant.timestamp() if instant else None

    clocks = [
        {
            "due": seconds(clock.due_at),
            "start": seconds(clock.starts_at),
            "stop": seconds(clock.stop.at) if clock.stop else None,
            "trusted": clock.stop.trusted if clock.stop else True,
            "void": seconds(clock.void_at),
            "now": now.timestamp(),
        }
        for clock in (tick.clock for tick in ticking)
    ]
    return {"now": now.timestamp(), "clocks": clocks}


def _zen() -> Callable[[dict[str, Any]], Answer]:
    words = ""
    for state, condition in CONDITIONS:
        for name in ("stop", "due", "trusted", "void", "start"):
            condition = condition.replace(name, f"#.{name}")
        words += f"({condition}) ? '{state}' : "
    text = f"map(clocks, {words}'{ClockState.RUNNING.value}')"
    compiled = zen.compile_expression(text)

    def ask(context: dict[str, Any]) -> Answer:
        states = list(compiled.evaluate(context))
        return states, _next(context, states)

    return ask


def _rule_engine() -> Callable[[dict[str, Any]], Answer]:
    rules = [(state, rule_engine.Rule(condition)) for state, condition in CONDITIONS]

    def state_of(clock: dict[str, Any]) -> str:
        for state, rule in rules:
            if rule.matches(clock):
                return state
        return ClockState.RUNNING.value

    def ask(context: dict[str, Any]) -> Answer:
        states = [state_of(clock) for clock in context["clocks"]]
        return states, _next(context, states)

    return ask


def _next(context: dict[str, Any], states: list[str]) -> float | None:
    """The next due of the running ones; in Python, since neither engine is quicker at it."""
    running = (
        c["due"] for c, state in zip(context["clocks"], states, strict=True) if state == "running"
    )
    return min(running, default=None)
