"""Due times against stepping by another library's holidays.

More of them, out of the suite: `python -m tests.rules.dues --cases 3000000 --jobs 2`.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import holidays
import pytest

from shipclock.rules.policy import Policy
from tests.rules import stepping
from tests.rules.dues import compared, difference, smaller
from tests.rules.holidays_told import (
    COUNTRIES,
    DIFFERENCES,
    FIRST,
    LAST,
    by_others,
    days,
    public_holidays,
)
from tests.rules.starts import WHOLE, Case, made_up
from tests.rules.stepping import SECOND

SHOPS = [f"sample:{place}" for place in range(90)]
CASES = [case for shop in SHOPS for case in made_up(shop)]


# Holidays


def by_the_library(country: str) -> set[dt.date]:
    england = "ENG" if country == "GB" else None
    named = holidays.country_holidays(country, subdiv=england, years=range(2023, 2029))
    return {day for day in named if FIRST <= day <= LAST}


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_day_on_which_two_sources_of_holidays_differ_is_listed(country: str) -> None:
    listed = {day: each.off for each in DIFFERENCES[country] for day in days(each.days)}
    ours = by_the_library(country)
    assert {day: day in ours for day in ours ^ by_others(country)} == listed


@pytest.mark.parametrize("country", COUNTRIES)
def test_what_is_listed_says_who_is_right_and_why(country: str) -> None:
    for each in DIFFERENCES[country]:
        assert each.right in ("holidays", "workalendar", "announcement", "open")
        assert each.why


@pytest.mark.parametrize("pack", [name for name, told in WHOLE.items() if "calendar" in told])
def test_of_the_days_that_a_pack_counts_none_is_off_that_was_worked(pack: str) -> None:
    calendar = WHOLE[pack]["calendar"]
    markets = [calendar["country"]] if "country" in calendar else WHOLE[pack]["markets"]
    weekend = [stepping.WEEK.index(day) for day in calendar.get("weekend", stepping.WEEK[5:])]
    wrong = {
        day
        for market in markets
        for day in public_holidays(market) ^ public_holidays(market, errors=False)
        if day.weekday() not in weekend
    }
    mended = {one["from"] for one in calendar.get("worked", ())}
    assert wrong == mended == ({dt.date(2025, 2, 1)} if pack == "vn-2024" else set())


# Due times


def test_due_times_are_what_stepping_comes_to() -> None:
    tally, differing = compared(SHOPS)
    assert differing is None, f"{differing}\n{difference(differing)}"
    packs = {pack for pack, _ in tally}
    assert packs == {*WHOLE, "made up"}
    assert sum(count for (_, what), count in tally.items() if what == "clocks") > 10_000


def changed(part: Any, figures: dict[str, Any]) -> Any:
    """The same part with other figures; what it may have worked out of the old ones is left out."""
    bent = part.model_copy(update=figures)
    bent.__dict__.pop("length", None)
    return bent


def on_parts(change: Callable[[Any], dict[str, Any]]) -> Callable[[Policy], Policy]:
    """A policy whose clauses and deadlines are changed."""

    def bent(policy: Policy) -> Policy:
        pack = policy.pack
        clauses, deadlines = (
            {name: changed(part, change(part)) for name, part in parts.items()}
            for parts in (pack.clauses, pack.deadlines)
        )
        return replace(
            policy, pack=pack.model_copy(update={"clauses": clauses, "deadlines": deadlines})
        )

    return bent


def on_pack(change: Callable[[Any], dict[str, Any]]) -> Callable[[Policy], Policy]:
    """A policy whose pack is changed."""
    return lambda policy: replace(policy, pack=policy.pack.model_copy(update=change(policy.pack)))


def on_days(**change: Any) -> Callable[[Policy], Policy]:
    """A policy whose calendar is changed."""
    return lambda policy: replace(policy, working=replace(policy.working, **change))


def later(of_day: dt.time | None, by: dt.timedelta) -> dt.time | None:
    """That time of day, moved; the last second and the first stay."""
    if of_day is None:
        return None
    moved = dt.datetime.combine(dt.date(2026, 1, 2), of_day) + by
    return moved.time() if moved.date() == dt.date(2026, 1, 2) else of_day


def longer(what: str) -> Callable[[Any], dict[str, Any]]:
    """One more of a span."""
    return lambda part: {} if getattr(part, what) is None else {what: getattr(part, what) + 1}


def each_extension(change: Callable[[Any], dict[str, Any]]) -> Callable[[Policy], Policy]:
    """A policy whose extensions are changed."""
    return on_pack(
        lambda pack: {"extensions": tuple(e.model_copy(update=change(e)) for e in pack.extensions)}
    )


PLANTED: dict[str, Callable[[Policy], Policy]] = {
    "an hour more": on_parts(longer("hours")),
    "a calendar day more": on_parts(longer("calendar_days")),
    "a working day more": on_parts(longer("working_days")),
    "a cut-off a second late": on_parts(lambda part: {"cut_off": later(part.cut_off, SECOND)}),
    "a cut-off a second early": on_parts(lambda part: {"cut_off": later(part.cut_off, -SECOND)}),
    "no cut-off": on_parts(lambda part: {"cut_off": None}),
    "an end a second early": on_parts(lambda part: {"by": later(part.by, -SECOND)}),
    "an end at the start's time": on_parts(lambda part: {"by": None}),
    "no zone of a clock's own": on_parts(lambda part: {"zone": ""}),
    "the shop's zone for the pack's": on_pack(lambda pack: {"zone": ""}),
    "a market beside its zone": on_pack(lambda pack: {"zone": pack.zone and "Asia/Tokyo"}),
    "Saturdays off": lambda policy: (
        replace(policy, working=replace(policy.working, weekend=policy.working.weekend | {5}))
        if len(policy.working.weekend) < 6
        else policy
    ),
    "Saturdays worked": lambda policy: replace(
        policy, working=replace(policy.working, weekend=policy.working.weekend - {5})
    ),
    "no holidays": on_days(country=""),
    "another country's holidays": on_days(country="DE", subdivision=""),
    "never closed": on_days(closed=()),
    "never worked": on_days(worked=()),
    "worked though closed": lambda policy: replace(
        policy, working=replace(policy.working, worked=policy.working.closed, closed=())
    ),
    "no extensions": on_pack(lambda pack: {"extensions": ()}),
    "one extension": on_pack(lambda pack: {"extensions": pack.extensions[:1]}),
    "extensions a day early": each_extension(lambda e: {"first": e.first - dt.timedelta(days=1)}),
    "extensions a day late": each_extension(lambda e: {"last": e.last + dt.timedelta(days=1)}),
    "extensions an hour longer": each_extension(longer("hours")),
    "extensions a day longer": each_extension(longer("calendar_days")),
    "extensions a working day longer": each_extension(longer("working_days")),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_wrong_figure_is_noticed(planted: str) -> None:
    assert any(difference(case, PLANTED[planted]) for case in CASES)


def test_what_differs_is_made_small() -> None:
    planted = PLANTED["a working day more"]
    case = next(case for case in CASES if case.text.count("working_days") > 2 and case.closed)
    small = smaller(case, lambda each: difference(each, planted))
    assert small.text.count("working_days") == 1
    assert "extensions = []" in small.text
    assert (small.zone, small.closed) == ("UTC", ())
    assert str(small).startswith("made up, market ")


# Stepping by itself, worked out by hand


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zone", "shown", "expected"),
    [
        ("UTC", "2026-03-29 02:30", "2026-03-29 02:30"),
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:30"),  # left out: shown as 03:30
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),  # twice: the first
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45"),  # half an hour left out
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("America/Santiago", "2026-09-06 00:00", "2026-09-06 04:00"),  # no midnight: 01:00
        ("Pacific/Apia", "2011-12-30 10:00", "2011-12-30 20:00"),  # no such day: the 31st
        ("Africa/Casablanca", "2026-02-15 03:00", "2026-02-15 03:00"),
    ],
)
def test_stepping_finds_when_a_local_time_is_shown(zone: str, shown: str, expected: str) -> None:
    assert stepping.instant(zone, dt.datetime.fromisoformat(shown)) == at(expected)


def test_an_order_keeps_the_pack_of_its_day_by_stepping_too() -> None:
    known = {"us-2026": dt.date(2026, 1, 26), "vn-2024": dt.date(2024, 8, 26)}
    for name, first in known.items():
        market = WHOLE[name]["markets"][0]
        assert stepping.in_force(WHOLE, market, first) == name
        assert stepping.in_force(WHOLE, market, first - stepping.DAY) == "guide-2023"


@pytest.mark.parametrize(
    ("market", "zone", "start", "clock", "expected"),
    [
        # Wednesday before Thanksgiving: Friday and Monday are the two
        ("US", "America/New_York", "2026-11-25 20:00", "dispatch", "2026-12-01 07:59:59"),
        # half a second to midnight in Los Angeles, where the pack counts
        ("US", "America/New_York", "2026-11-17 07:59:59", "dispatch", "2026-11-19 07:59:59"),
        ("US", "America/New_York", "2026-11-17 08:00:00", "dispatch", "2026-11-20 07:59:59"),
        # Saturday in Vietnam, before and at the cut-off
        ("VN", "Asia/Ho_Chi_Minh", "2026-11-21 06:59:59", "handed_over", "2026-11-21 16:59:59"),
        ("VN", "Asia/Ho_Chi_Minh", "2026-11-21 07:00:00", "handed_over", "2026-11-23 16:59:59"),
        # the day of culture, a Tuesday, is off
        ("VN", "Asia/Ho_Chi_Minh", "2026-11-23 07:00:00", "handed_over", "2026-11-25 16:59:59"),
        # Christmas in England on a Friday, Boxing Day moved to the Monday, New Year
        ("UK", "Europe/London", "2026-12-23 12:00", "handed_over", "2027-01-06 23:59:59"),
        ("ID", "Asia/Jakarta", "2026-02-16 12:00", "seller_delivers", "2026-03-03 12:00"),
    ],
)
def test_due_times_that_were_worked_out_by_hand(
    market: str, zone: str, start: str, clock: str, expected: str
) -> None:
    day = stepping.reading(zone, at(start)).date()
    case = Case(stepping.in_force(WHOLE, market, day), "", market, zone, (), at(start))
    assert case.expected()[clock] == at(expected)
    assert not difference(case)
