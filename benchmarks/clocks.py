"""Where an order's clocks stand, against rules engines that were compiled beforehand.

*Clocks known*, per order: the state at `now` of every clock of a prepared timeline, and the due
instant of the running one that runs out next. *From data*, per order: the same from the folded
order and the pack, so that the clocks have to be worked out first.

An engine (`benchmarks/engines/`) is asked about a form of its own, prepared beforehand: of known
clocks their instants, else the order's plain facts, the pack's clauses being compiled into rules.
Instants are Unix seconds. Due instants and the next one are worked out in Python for all of them,
since none is quicker at it. A plain function over the same rows stands apart: it shows what such
rules can cost in Python, and is not how the product evaluates. All must give the same answers for
every order before anything is measured. Orders are of the default pack.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import cycle
from time import thread_time
from typing import Any

from benchmarks.conditions import Facts
from benchmarks.engines import engines
from benchmarks.engines.plain import ENGINE as PLAIN
from benchmarks.engines.question import RUNNING, Engine, Question, States, there
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
from benchmarks.pack_rows import facts, rows
from benchmarks.staged import Prepared, prepared_orders
from shipclock.domain.clock import Clock, ClockState
from shipclock.rules import Timeline, next_instant, timeline
from shipclock.rules.packs import as_policy, load
from shipclock.rules.policy import Policy

Answer = tuple[list[tuple[str, int, str]], int | None]
"""Name, due instant and state of every clock, and the next due instant."""
Works = dict[str, Callable[[], object]]

KNOWN, FROM_DATA = "clocks known", "from data"
CONTROL = "apart: a plain function"
BAR_SECONDS = 2e-6
BAR_TIMES = 5
SPAN = 0.02
"""Seconds that each measure takes in each round, so that other work falls on all of them alike."""


def run(quick: bool) -> Outcome:
    """Measure, in turns."""
    outcome = Outcome(
        "clocks", "median us of the processor per order: states and next due | rules engines"
    )
    prepared = prepared_orders()
    count = sum(len(ticking) for _, _, ticking, _ in prepared) / len(prepared)
    rounds = 5 if quick else 15
    peers, left_out = engines()
    asked = {KNOWN: _known(prepared, peers), FROM_DATA: _from_data(prepared, peers)}
    for title, works in asked.items():
        measures = {name: _measure(work, len(prepared)) for name, work in works.items()}
        found = medians(alternately(measures, rounds))
        _tell(outcome, title, found, min(found[name] for name in peers), count)
    outcome.figures["clocks_per_order"] = count
    more = sum(len(timeline(order, in_working_days())) for order, *_ in prepared) / len(prepared)
    outcome.notes.append(
        f"{len(prepared)} orders, {count:.1f} clocks each, by us-2026 {more:.1f}, some of them "
        "counted in working days. All gave the same answers."
    )
    outcome.notes += [f"Left out: {name}. {error}" for name, error in left_out.items()]
    return outcome


def _measure(work: Callable[[], object], orders: int) -> Callable[[], float]:
    """Processor seconds per order, over all orders as often as it takes to fill the span."""
    once = seconds_each(work, orders, thread_time)() * orders
    return seconds_each(work, orders * max(1, round(SPAN / once)), thread_time)


def _tell(
    outcome: Outcome, title: str, found: dict[str, float], fastest: float, count: float
) -> None:
    ours = found[title]
    columns = ("per order", "us", "times ours", "us per clock")
    lines = [(n, micros(f), ratio(f, ours), micros(f / count)) for n, f in found.items()]
    outcome.tables.append(Table(columns, lines))
    outcome.bars += [
        Bar(f"{title}: at most 2 us per order", ours <= BAR_SECONDS, f"{micros(ours)} us"),
        Bar(
            f"{title}: at least five times the fastest engine",
            fastest / ours >= BAR_TIMES,
            f"{fastest / ours:.1f}x",
        ),
    ]
    outcome.figures[title] = {name: figure * 1e6 for name, figure in found.items()}


def _known(prepared: Sequence[Prepared], peers: Mapping[str, Engine]) -> Works:
    """What is asked where the clocks are known."""
    mine = cycle(prepared)

    def ours() -> object:
        _, _, ticking, now = next(mine)
        return standing(ticking, now)

    def instant() -> object:
        _, policy, ticking, now = next(mine)
        return next_instant(ticking, policy, now)

    works: Works = {KNOWN: ours}
    for name, engine in {**peers, CONTROL: PLAIN}.items():
        question = engine.clocks()
        asked = []
        for _, _, ticking, now in prepared:
            clocks = [_instants(tick.clock, now) for tick in ticking]
            form, dues = question.prepare(clocks), [clock["due"] or 0 for clock in clocks]
            states, upcoming = _ask(question, form, dues)
            names = [_name(tick.clock) for tick in ticking]
            told = sorted(zip(names, dues, states, strict=True)), upcoming
            assert told == _ours(ticking, now), (name, told, ticking)
            asked.append((form, dues))
        works[name] = _asking(_ask, question, asked)
    return {**works, "apart: next instant": instant}


def _ask(question: Question, form: Any, dues: Sequence[int]) -> tuple[States, int | None]:
    """An engine's answer about known clocks."""
    states = question.ask(form)
    running = [due for due, state in zip(dues, states, strict=True) if state == RUNNING]
    return states, min(running, default=None)


def _from_data(prepared: Sequence[Prepared], peers: Mapping[str, Engine]) -> Works:
    """What is asked where the clocks have to be worked out."""
    mine = cycle(prepared)

    def ours() -> object:
        order, policy, _, now = next(mine)
        return standing(timeline(order, policy), now)

    def alone() -> object:
        order, policy, _, _ = next(mine)
        return timeline(order, policy)

    by_calendar = in_working_days()

    def another_pack() -> object:
        order, _, _, now = next(mine)
        return standing(timeline(order, by_calendar), now)

    def read() -> object:
        order, _, _, now = next(mine)
        return facts(order, now)

    works: Works = {FROM_DATA: ours}
    given = tuple(rows(prepared[0][1]))
    dues = [(row.name, row.due.fact, row.due.later) for row in given]
    for name, engine in {**peers, CONTROL: PLAIN}.items():
        question = engine.orders(given)
        asked = []
        for order, _, ticking, now in prepared:
            known = facts(order, now)
            form = question.prepare(known)
            clocks, upcoming = _work_out(question, form, dues, there(known))
            told = sorted(clocks), upcoming
            assert told == _ours(ticking, now), (name, told, _ours(ticking, now))
            asked.append((form, dues, there(known)))
        works[name] = _asking(_work_out, question, asked)
    return {
        **works,
        "apart: facts read for the engines": read,
        "apart: the timeline alone": alone,
        "apart: ours, by us-2026": another_pack,
    }


def in_working_days() -> Policy:
    """A pack with deadlines in working days, for comparison."""
    return as_policy(load("us-2026"), "US", "America/New_York")


def _work_out(
    question: Question, form: Any, dues: Sequence[tuple[str, str, int]], known: dict[str, int]
) -> Answer:
    """An engine's answer about an order."""
    clocks = [
        (name, known[fact] + later, state)
        for (name, fact, later), state in zip(dues, question.ask(form), strict=True)
        if state is not None
    ]
    running = [due for _, due, state in clocks if state == RUNNING]
    return clocks, min(running, default=None)


def _asking(
    ask: Callable[..., object], question: Question, asked: Sequence[tuple[Any, ...]]
) -> Callable[[], object]:
    """Asks about one after the other."""
    theirs = cycle(asked)
    return lambda: ask(question, *next(theirs))


def standing(ticking: Timeline, now: datetime) -> tuple[list[ClockState], datetime | None]:
    """Every clock's state, and when the next running one runs out."""
    states: list[ClockState] = []
    upcoming: datetime | None = None
    running = ClockState.RUNNING
    for tick in ticking:
        clock = tick.clock
        state = clock.state(now)
        states.append(state)
        if state is running and (upcoming is None or clock.due_at < upcoming):
            upcoming = clock.due_at
    return states, upcoming


def _ours(ticking: Timeline, now: datetime) -> Answer:
    """The product's answer, in the words of the engines'."""
    states, upcoming = standing(ticking, now)
    clocks = (tick.clock for tick in ticking)
    return sorted(
        (_name(clock), int(clock.due_at.timestamp()), state.value)
        for clock, state in zip(clocks, states, strict=True)
    ), int(upcoming.timestamp()) if upcoming else None


def _name(clock: Clock) -> str:
    return f"{clock.name}/{clock.cause}" if clock.cause else clock.name


def _instants(clock: Clock, now: datetime) -> Facts:
    """What an engine is told of a clock."""
    stop = clock.stop
    known = {
        "due": clock.due_at,
        "start": clock.starts_at,
        "stop": stop.at if stop else None,
        "doubtful": stop.at if stop and not stop.trusted else None,
        "void": clock.void_at,
        "now": now,
    }
    return {name: int(at.timestamp()) if at else None for name, at in known.items()}
