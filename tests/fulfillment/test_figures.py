"""Figures over a window, by hand and against a count that is written another way."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.fulfillment.definitions import DEFINITIONS
from shipclock.fulfillment.figures import (
    MOST_DAYS,
    Figure,
    Line,
    Tally,
    Window,
    instant_of,
    percent,
    window_to,
)
from shipclock.fulfillment.scorecards import Ratio
from shipclock.fulfillment.signals import State, Unit
from tests.builders import SECOND, T0, after, patient

GOOD, BAD, OPEN, OUT = State.GOOD, State.BAD, State.OPEN, State.LEFT_OUT
TODAY = date(2026, 11, 20)
WINDOW = Window(date(2026, 11, 1), TODAY)
NOW = after(24 * 19)


def figure(
    found: Iterable[Unit],
    signal: str = "late_dispatch",
    at: datetime = NOW,
    window: Window = WINDOW,
    at_most: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
) -> Figure:
    """One signal over some units."""
    tally = Tally(window, at)
    for unit in found:
        tally.add(unit)
    drawn = any(bound is not None for bound in (at_most, at_least, below))
    return tally.figure(signal, Line.drawn(at_most, at_least, below) if drawn else None)


def some(
    state: State, count: int, signal: str = "late_dispatch", hours: float | None = None
) -> list[Unit]:
    """Units of today; open ones that are due so many hours after `NOW`."""
    due = None if hours is None else NOW + timedelta(hours=hours)
    return [Unit(signal, state, TODAY, due)] * count


# By hand


def test_a_rate_of_bad_ones_is_over_those_that_are_decided() -> None:
    found = figure([*some(GOOD, 96), *some(BAD, 4), *some(OPEN, 20, hours=5)], at_most=4)
    assert (found.now, found.if_met, found.if_run_out) == (
        Ratio(4, 100),
        Ratio(4, 120),
        Ratio(24, 120),
    )
    assert [found.kept(r) for r in (found.now, found.if_met, found.if_run_out)] == [
        True,
        True,
        False,
    ]
    assert found.head_room == 0
    assert found.lost_at == NOW + timedelta(hours=5)


def test_one_more_than_the_line_allows_crosses_it() -> None:
    found = figure([*some(GOOD, 95), *some(BAD, 5)], at_most=4)
    assert (found.kept(found.now), found.head_room, found.lost_at) == (False, -1, None)


def test_a_line_that_is_crossed_whatever_happens_is_lost_at_no_time_to_come() -> None:
    found = figure([*some(BAD, 5), *some(OPEN, 5, hours=9)], at_most=4)
    assert (found.head_room, found.lost_at) == (-5, None)


def test_a_rate_of_good_ones_is_lost_as_they_fall() -> None:
    signal = "valid_tracking"
    found = figure(
        [
            *some(GOOD, 90, signal),
            *some(BAD, 2, signal),
            *some(OPEN, 2, signal, hours=30),
            *some(OPEN, 2, signal, hours=10),
            *some(OPEN, 4, signal),
        ],
        signal,
        at_least=95,
    )
    assert found.now == Ratio(90, 92)
    assert found.if_met == Ratio(98, 100)
    assert found.if_run_out == Ratio(90, 100)
    assert found.head_room == 3
    assert found.lost_at == NOW + timedelta(hours=30)


def test_a_line_is_not_lost_where_the_open_ones_can_t_cross_it() -> None:
    found = figure([*some(GOOD, 99), *some(OPEN, 1, hours=1)], at_most=4)
    assert (found.head_room, found.lost_at) == (4, None)


def test_open_ones_that_nobody_set_a_time_for_lose_no_line_at_any_time() -> None:
    found = figure(some(OPEN, 9), at_most=4)
    assert (found.counts.open, found.head_room, found.lost_at) == (9, 0, None)


def test_what_has_run_out_by_the_instant_is_bad_but_where_only_the_marketplace_says_so() -> None:
    late = figure(some(OPEN, 3, hours=0))
    assert (late.bad, late.counts.open) == (3, 0)
    in_time = figure(some(OPEN, 3, hours=0), at=NOW - SECOND)
    assert (in_time.bad, in_time.counts.open) == (0, 3)
    signal = "seller_cancellation"
    found = figure(some(OPEN, 3, signal, hours=-9), signal, at_most=2.5)
    assert (found.bad, found.counts.open) == (0, 3)


def test_a_line_that_overdue_ones_may_cross_any_moment_is_lost_now_and_not_in_the_past() -> None:
    signal = "seller_cancellation"
    overdue, later = some(OPEN, 3, signal, hours=-9), some(OPEN, 2, signal, hours=5)
    found = figure([*overdue, *later], signal, at_most=2.5)
    assert (found.lost_at, found.waiting) == (NOW, {NOW: 3, NOW + timedelta(hours=5): 2})
    room = figure([*overdue, *later, *some(GOOD, 115, signal)], signal, at_most=2.5)
    assert (room.head_room, room.lost_at) == (3, NOW + timedelta(hours=5))


def test_cancellations_are_over_all_orders_open_ones_too() -> None:
    signal = "seller_cancellation"
    found = figure([*some(BAD, 1, signal), *some(OPEN, 39, signal, hours=9)], signal, at_most=2.5)
    assert (found.now, found.kept(found.now), found.head_room) == (Ratio(1, 40), True, 0)


def test_nothing_is_judged_over_nothing_or_without_a_line() -> None:
    empty = figure([], at_most=4)
    assert (empty.now.value, empty.kept(empty.now), empty.head_room) == (None, None, 0)
    drawn = figure(some(BAD, 3))
    assert (drawn.kept(drawn.now), drawn.head_room, drawn.lost_at) == (None, None, None)


def test_what_is_left_out_is_in_no_share_and_told() -> None:
    unit = Unit("late_dispatch", OUT, TODAY, why="cancelled")
    found = figure([unit, unit, *some(GOOD, 1)])
    assert (found.now, found.left_out) == (Ratio(0, 1), {"cancelled": 2})


def test_only_the_windows_days_count_both_ends_included() -> None:
    days = [date(2026, 10, 31), date(2026, 11, 1), TODAY, date(2026, 11, 21)]
    found = figure([Unit("late_dispatch", GOOD, on) for on in days])
    assert (found.counts.good, found.later.good, found.now) == (2, 1, Ratio(0, 2))


def test_what_it_comes_to_is_told_with_the_lines_that_are_still_to_come() -> None:
    tomorrow = TODAY + timedelta(days=1)
    early = Unit("late_dispatch", GOOD, tomorrow)
    waiting = Unit("late_dispatch", OPEN, tomorrow, NOW + timedelta(hours=20))
    left = Unit("late_dispatch", OUT, tomorrow, why="cancelled")
    found = figure([*some(GOOD, 24), *some(BAD, 1), early, waiting, left], at_most=4)
    assert (found.now, found.left_out) == (Ratio(1, 25), {})
    assert (found.if_met, found.if_run_out) == (Ratio(1, 27), Ratio(2, 27))
    assert (found.head_room, found.lost_at) == (0, NOW + timedelta(hours=20))


def test_a_line_that_is_below_a_share_is_crossed_as_the_figure_comes_to_it() -> None:
    held = figure([*some(GOOD, 9), *some(BAD, 1)], at_most=10)
    come = figure([*some(GOOD, 9), *some(BAD, 1)], below=10)
    assert (held.kept(held.now), come.kept(come.now)) == (True, False)
    assert (held.head_room, come.head_room) == (0, -1)
    found = figure([*some(GOOD, 17), *some(BAD, 1), *some(OPEN, 2, hours=5)], below=10)
    assert (found.kept(found.now), found.head_room) == (True, 0)
    assert found.lost_at == NOW + timedelta(hours=5)
    empty = figure([], below=10)
    assert (empty.kept(empty.now), empty.head_room) == (None, 0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line.drawn(2.5, None), "at most 2.5 %"),
        (Line.drawn(None, 95), "at least 95 %"),
        (Line.drawn(None, None, 10.0), "below 10 %"),
    ],
)
def test_a_line_is_told_as_its_pack_writes_it(line: Line, words: str) -> None:
    assert line.words == words


def test_a_line_is_as_exact_as_it_is_written() -> None:
    assert Line.drawn(2.5, None).at_most == Fraction(1, 40)
    assert Line.drawn(None, 99.9).at_least == Fraction(999, 1000)
    assert Line.drawn(0.1, None).at_most == Fraction(1, 1000)


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (Fraction(0), "0.00"),
        (Fraction(1), "100.00"),
        (Fraction(3, 73), "4.11"),
        (Fraction(1, 3), "33.33"),
        (Fraction(2, 3), "66.67"),
        (Fraction(1, 2000), "0.05"),
    ],
)
def test_a_share_is_rounded_once_as_it_is_shown(share: Fraction, text: str) -> None:
    assert percent(share) == text


# Days


def test_a_window_ends_with_its_day_and_has_so_many() -> None:
    assert window_to(TODAY, 1) == Window(TODAY, TODAY)
    assert window_to(TODAY, 20) == WINDOW
    for days in (0, -1, MOST_DAYS + 1):
        with pytest.raises(ValueError, match="from 1 to 366"):
            window_to(TODAY, days)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Asia/Kuala_Lumpur", date(2026, 11, 19), datetime(2026, 11, 19, 16, tzinfo=UTC)),
        ("America/Los_Angeles", date(2026, 10, 31), datetime(2026, 11, 1, 7, tzinfo=UTC)),
        ("America/Los_Angeles", date(2026, 11, 1), datetime(2026, 11, 2, 8, tzinfo=UTC)),
        ("America/Los_Angeles", date(2027, 3, 14), datetime(2027, 3, 15, 7, tzinfo=UTC)),
        ("Europe/London", date(2028, 2, 29), datetime(2028, 3, 1, 0, tzinfo=UTC)),
    ],
)
def test_another_day_is_asked_for_at_its_local_end(zone: str, day: date, end: datetime) -> None:
    assert instant_of(day, ZoneInfo(zone), T0 - timedelta(days=99)) == end


def test_today_is_asked_for_as_of_now() -> None:
    late = datetime(2026, 11, 19, 16, tzinfo=UTC)
    assert instant_of(date(2026, 11, 20), ZoneInfo("Asia/Kuala_Lumpur"), late) == late


# Against another way of counting


signals = st.sampled_from(sorted(DEFINITIONS))
two = st.sampled_from(["late_dispatch", "seller_cancellation"])
units = st.builds(
    Unit,
    signals | two,
    st.sampled_from([GOOD, BAD, OPEN, OPEN, OUT]),
    st.dates(date(2026, 10, 28), date(2026, 11, 24)),
    st.none() | st.integers(-50, 50).map(lambda hours: NOW + timedelta(hours=hours)),
    st.sampled_from(["cancelled", "no_line"]),
)


def share_bad(bad: int, of: int, signal: str) -> Fraction:
    return Fraction(bad if DEFINITIONS[signal].shows is BAD else of - bad, of)


@patient
@given(
    found=st.lists(units, min_size=8, max_size=40),
    signal=signals | two,
    line=st.integers(1, 100),
    strict=st.booleans(),
)
def test_figures_are_what_counting_them_one_by_one_gives(
    found: list[Unit], signal: str, line: int, strict: bool
) -> None:
    days = [u for u in found if u.signal == signal and u.on >= WINDOW.first]
    counting = [u for u in days if u.state is not OUT]
    ran_out = signal != "seller_cancellation"

    def state(unit: Unit) -> State:
        over = ran_out and unit.due_at is not None and unit.due_at <= NOW
        return BAD if unit.state is OPEN and over else unit.state

    most = DEFINITIONS[signal].shows is BAD
    bound = ("below" if strict else "at_most") if most else "at_least"
    got = figure(found, signal, **{bound: line})  # type: ignore[arg-type]
    for counts, some_days in (
        (got.counts, [u for u in counting if u.on <= TODAY]),
        (got.later, [u for u in counting if u.on > TODAY]),
    ):
        states = [state(u) for u in some_days]
        assert (counts.good, counts.bad, counts.open) == tuple(map(states.count, (GOOD, BAD, OPEN)))
    assert sum(got.left_out.values()) == sum(u.state is OUT and u.on <= TODAY for u in days)
    bad = [state(u) for u in counting].count(BAD)
    waiting = [u for u in counting if state(u) is OPEN]

    def keeps(so_many_bad: int) -> bool:
        share = share_bad(so_many_bad, len(counting), signal)
        if most:
            return share < Fraction(line, 100) if strict else share <= Fraction(line, 100)
        return share >= Fraction(line, 100)

    if counting:
        assert got.kept(got.if_met) == keeps(bad)
        assert got.kept(got.if_run_out) == keeps(bad + len(waiting))
        room = got.head_room
        assert room is not None
        for more in range(len(waiting) + 1):
            assert keeps(bad + more) == (more <= room)
        lost = None
        fallen = bad
        for unit in sorted((u for u in waiting if u.due_at), key=lambda u: u.due_at or NOW):
            fallen += 1
            if keeps(bad) and not keeps(fallen):
                lost = max(unit.due_at, NOW) if unit.due_at else None
                break
        assert got.lost_at == lost
    else:
        assert got.kept(got.now) is None


@patient
@given(found=st.lists(units, max_size=30), seed=st.randoms(use_true_random=False))
def test_units_may_come_in_any_order(found: list[Unit], seed: object) -> None:
    shuffled = list(found)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    for signal in DEFINITIONS:
        assert figure(found, signal, at_most=4) == figure(shuffled, signal, at_most=4)
