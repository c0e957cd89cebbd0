"""Calendar arithmetic: working days, and when a length is over."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from shipclock.rules.calendar import (
    LONGEST_CLOSED,
    Length,
    NoWorkingDay,
    Span,
    WorkingDays,
    is_place,
    public_holidays,
)

DAY = timedelta(days=1)
FRIDAY = date(2026, 11, 6)
EVERY_DAY: frozenset[int] = frozenset()
PLAIN = WorkingDays()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Spans of days


def test_a_span_holds_its_first_and_its_last_day() -> None:
    span = Span(FRIDAY, FRIDAY + 2 * DAY)
    held = [FRIDAY + DAY * off in span for off in range(-1, 4)]
    assert held == [False, True, True, True, False]


def test_a_span_is_one_day_or_a_first_and_a_last() -> None:
    assert Span.parse("2026-12-24/2026-12-26") == Span(date(2026, 12, 24), date(2026, 12, 26))
    assert Span.parse("2026-12-24") == Span(date(2026, 12, 24), date(2026, 12, 24))
    assert Span.parse("2026-12-24/2026-12-24") == Span.parse("2026-12-24")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-12-24/2026-12-23", "'2026-12-24/2026-12-23': the last day comes before the first"),
        ("Christmas", "Invalid isoformat"),
        ("/2026-12-24", "Invalid isoformat"),
        ("2026-12-24/2026-12-26/2026-12-28", "Invalid isoformat"),
        ("2026-02-29", "day is out of range"),
    ],
)
def test_what_is_no_span_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        Span.parse(text)


# Working days


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, FRIDAY), (1, FRIDAY + 3 * DAY), (5, FRIDAY + 7 * DAY), (6, FRIDAY + 10 * DAY)],
)
def test_working_days_are_counted_from_the_day_after(count: int, expected: date) -> None:
    assert PLAIN.after(FRIDAY, count) == expected


@pytest.mark.parametrize("day", [FRIDAY + DAY, FRIDAY + 2 * DAY])
def test_the_0th_after_a_day_that_is_none_is_the_first(day: date) -> None:
    monday = FRIDAY + 3 * DAY
    assert PLAIN.after(day, 0) == monday
    assert PLAIN.after(day, 1) == monday
    assert PLAIN.after(day, 2) == monday + DAY


def test_a_day_counts_that_is_no_weekend_no_holiday_and_not_closed() -> None:
    shut = Span(date(2026, 11, 9), date(2026, 11, 10))
    working = WorkingDays("US", weekend=frozenset({6}), closed=(shut,))
    counts = [FRIDAY + DAY * off for off in range(7) if FRIDAY + DAY * off in working]
    # Saturday counts; Sunday, the two days and Veterans Day on the 11th do not
    assert counts == [FRIDAY, FRIDAY + DAY, FRIDAY + 6 * DAY]


def test_each_of_several_closures_counts() -> None:
    shut = Span(FRIDAY, FRIDAY), Span(FRIDAY + 4 * DAY, FRIDAY + 4 * DAY)
    working = WorkingDays(closed=shut)
    assert working.after(FRIDAY, 0) == FRIDAY + 3 * DAY
    assert working.after(FRIDAY, 2) == FRIDAY + 5 * DAY


def test_a_day_that_is_worked_counts_at_a_weekend_and_on_a_holiday_and_not_where_it_is_closed() -> (
    None
):
    saturday, veterans = FRIDAY + DAY, date(2026, 11, 11)
    on = Span(saturday, saturday), Span(veterans, veterans)
    working = WorkingDays("US", worked=on)
    assert saturday in working
    assert saturday + DAY not in working
    assert veterans in working
    assert working.after(FRIDAY, 1) == saturday
    assert saturday not in WorkingDays("US", worked=on, closed=on[:1])


@pytest.mark.parametrize(
    ("first", "last", "meets"),
    [(-5, -1, False), (-5, 0, True), (0, 0, True), (1, 2, True), (3, 9, True), (4, 9, False)],
)
def test_spans_meet_where_they_have_a_day_in_common(first: int, last: int, meets: bool) -> None:
    one, other = Span(FRIDAY, FRIDAY + 3 * DAY), Span(FRIDAY + first * DAY, FRIDAY + last * DAY)
    assert one.meets(other) is meets
    assert other.meets(one) is meets


def test_without_a_country_there_are_no_holidays() -> None:
    assert public_holidays("", "", 2026) == frozenset()
    assert date(2026, 12, 25) in PLAIN
    assert date(2026, 12, 25) not in WorkingDays("US")


def test_a_subdivision_has_holidays_of_its_own() -> None:
    easter_monday = date(2026, 4, 6)
    assert easter_monday not in WorkingDays("GB", "ENG")
    assert easter_monday in WorkingDays("GB", "SCT")


def test_a_holiday_that_is_moved_over_the_years_end_counts_where_it_is_kept() -> None:
    kept = date(2027, 12, 31)  # for 1 January 2028, a Saturday
    assert kept in public_holidays("US", "", 2027)
    assert kept not in public_holidays("US", "", 2028)
    assert date(2028, 1, 1) in public_holidays("US", "", 2028)


def test_the_holidays_of_a_year_are_that_years() -> None:
    for country in ("US", "JP", "VN"):
        assert {day.year for day in public_holidays(country, "", 2026)} == {2026}


def test_a_calendar_may_be_closed_for_a_year_and_no_longer() -> None:
    first = FRIDAY + DAY
    for days, count in ((LONGEST_CLOSED, 1), (LONGEST_CLOSED, 0)):
        shut = Span(FRIDAY if count == 0 else first, FRIDAY + days * DAY)
        working = WorkingDays(weekend=EVERY_DAY, closed=(shut,))
        assert working.after(FRIDAY, count) == FRIDAY + (days + 1) * DAY
    longer = WorkingDays(weekend=EVERY_DAY, closed=(Span(first, first + LONGEST_CLOSED * DAY),))
    last = first + LONGEST_CLOSED * DAY
    with pytest.raises(NoWorkingDay, match=f"no working day in the year before {last}"):
        longer.after(FRIDAY, 1)


def test_each_working_day_lets_a_year_begin_anew() -> None:
    shut = Span(FRIDAY + DAY, FRIDAY + 300 * DAY), Span(FRIDAY + 302 * DAY, FRIDAY + 600 * DAY)
    working = WorkingDays(weekend=EVERY_DAY, closed=shut)
    assert working.after(FRIDAY, 2) == FRIDAY + 601 * DAY


@pytest.mark.parametrize(
    ("country", "subdivision", "known"),
    [
        ("US", "", True),
        ("US", "CA", True),
        ("GB", "ENG", True),
        ("UK", "", True),  # another name of it
        ("US", "ENG", False),
        ("XX", "", False),
        ("", "", False),
        ("", "CA", False),
        ("us", "", False),
    ],
)
def test_a_place_is_one_that_the_library_knows(country: str, subdivision: str, known: bool) -> None:
    assert is_place(country, subdivision) is known
    if not subdivision:
        assert is_place(country) is known


# Lengths


def over(length: Length, start: str, zone: str = "UTC", working: WorkingDays = PLAIN) -> datetime:
    found = length.over(at(start), ZoneInfo(zone), working)
    assert found.tzinfo is UTC
    return found


def test_hours_are_of_60_minutes_whatever_the_clocks_do() -> None:
    for zone in ("UTC", "Europe/Berlin"):
        assert over(Length(hours=48), "2026-03-28 12:00", zone) == at("2026-03-30 12:00")


@pytest.mark.parametrize(
    ("length", "start", "expected"),
    [
        (Length(calendar_days=2), "2026-11-06 10:00:07", "2026-11-08 10:00:07"),
        (Length(calendar_days=2, by=time(23, 59, 59)), "2026-11-06 10:00", "2026-11-08 23:59:59"),
        (Length(working_days=2), "2026-11-06 10:00:07", "2026-11-10 10:00:07"),
        (Length(working_days=2, by=time(9)), "2026-11-06 10:00", "2026-11-10 09:00"),
        (Length(working_days=2), "2026-11-07 10:00", "2026-11-10 10:00"),
        (Length(working_days=1), "2026-11-08 10:00", "2026-11-09 10:00"),
        (
            Length(working_days=0, cut_off=time(14), by=time(15)),
            "2026-11-06 09:00",
            "2026-11-06 15:00",
        ),
        (
            Length(working_days=0, cut_off=time(14), by=time(15)),
            "2026-11-07 09:00",
            "2026-11-09 15:00",
        ),
        (
            Length(calendar_days=0, cut_off=time(14), by=time(14)),
            "2026-11-07 09:00",
            "2026-11-07 14:00",
        ),
    ],
)
def test_days_are_counted_from_the_local_day_of_the_start(
    length: Length, start: str, expected: str
) -> None:
    assert over(length, start) == at(expected)


@pytest.mark.parametrize(
    ("start", "calendar", "working"),
    [
        ("2026-11-05 13:59:59", 6, 6),
        ("2026-11-05 14:00:00", 7, 9),
        ("2026-11-05 14:00:01", 7, 9),
        ("2026-11-07 13:59:59", 8, 10),  # a Saturday: one day more
        ("2026-11-07 14:00:00", 9, 10),  # and not two
    ],
)
def test_what_starts_at_the_cut_off_counts_one_day_more(
    start: str, calendar: int, working: int
) -> None:
    days = Length(calendar_days=1, cut_off=time(14), by=time(18))
    assert over(days, start) == datetime(2026, 11, calendar, 18, tzinfo=UTC)
    days = Length(working_days=1, cut_off=time(14), by=time(18))
    assert over(days, start) == datetime(2026, 11, working, 18, tzinfo=UTC)


def test_a_calendar_counts_working_days_alone() -> None:
    shut = WorkingDays(closed=(Span(date(2026, 11, 9), date(2026, 11, 12)),))
    assert over(Length(calendar_days=3), "2026-11-06 10:00", working=shut) == at("2026-11-09 10:00")
    assert over(Length(working_days=1), "2026-11-06 10:00", working=shut) == at("2026-11-13 10:00")


def test_the_day_and_the_cut_off_are_local() -> None:
    # 2026-11-06 23:30 in UTC is Saturday, 06:30, in Saigon
    by_six = Length(working_days=0, cut_off=time(6, 30), by=time(18))
    assert over(by_six, "2026-11-06 23:29:59", "Asia/Ho_Chi_Minh") == at("2026-11-09 11:00")
    assert over(by_six, "2026-11-05 23:29:59", "Asia/Ho_Chi_Minh") == at("2026-11-06 11:00")
    assert over(by_six, "2026-11-05 23:30:00", "Asia/Ho_Chi_Minh") == at("2026-11-09 11:00")


@pytest.mark.parametrize(
    ("zone", "by", "start", "expected"),
    [
        # left out: shown as 03:30; twice: the first
        ("Europe/Berlin", time(2, 30), "2026-03-28 12:00", "2026-03-29 01:30"),
        ("Europe/Berlin", time(2, 30), "2026-10-24 12:00", "2026-10-25 00:30"),
        # half an hour is left out; there is no midnight
        ("Australia/Lord_Howe", time(2, 15), "2026-10-03 12:00", "2026-10-03 15:45"),
        ("America/Santiago", time(0), "2026-09-05 12:00", "2026-09-06 04:00"),
    ],
)
def test_a_local_time_left_out_comes_later_and_one_that_comes_twice_is_the_first(
    zone: str, by: time, start: str, expected: str
) -> None:
    assert over(Length(calendar_days=1, by=by), start, zone) == at(expected)


@pytest.mark.parametrize(
    ("zone", "start", "by", "expected"),
    [
        ("America/New_York", "2026-11-01 05:40", "01:50", "2026-11-01 05:50"),
        ("America/New_York", "2026-11-01 06:00", "01:50", "2026-11-01 06:50"),
        ("America/New_York", "2026-11-01 06:40", "01:50", "2026-11-01 06:50"),
        ("Europe/London", "2026-10-25 01:00", "01:50", "2026-10-25 01:50"),
        ("America/New_York", "2026-11-01 06:44:59", "01:45", "2026-11-01 06:45"),
        ("Africa/Cairo", "2026-10-29 21:30", "23:59:59", "2026-10-29 21:59:59"),
    ],
)
def test_nothing_runs_out_before_it_starts(zone: str, start: str, by: str, expected: str) -> None:
    last = time.fromisoformat(by)
    day = Length(
        calendar_days=0, cut_off=min(last, time(1, 45)) if last.hour < 2 else last, by=last
    )
    assert day.over(at(start), ZoneInfo(zone), PLAIN) == at(expected)


def test_a_start_in_an_hour_that_comes_twice_ends_at_that_reading() -> None:
    # 02:30 in Berlin for the second time; a day and a year later it comes once, and first
    start = "2026-10-25 01:30"
    assert over(Length(calendar_days=1), start, "Europe/Berlin") == at("2026-10-26 01:30")
    assert over(Length(calendar_days=364), start, "Europe/Berlin") == at("2027-10-24 00:30")
    week = Length(calendar_days=7)
    twice = week.over(at("2027-10-24 00:30"), ZoneInfo("Europe/Berlin"), PLAIN)
    assert twice == at("2027-10-31 00:30")


def test_the_end_of_the_calendar_is_told() -> None:
    with pytest.raises(OverflowError):
        over(Length(calendar_days=3), "9999-12-30 10:00")


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (Length(hours=120), "120 h"),
        (Length(hours=1), "1 h"),
        (Length(calendar_days=10), "10 calendar days"),
        (Length(calendar_days=1), "1 calendar day"),
        (Length(working_days=1, by=time(23, 59, 59)), "1 working day, by 23:59:59"),
        (
            Length(working_days=0, cut_off=time(14), by=time(23, 59, 59)),
            "0 working days (from 14:00:00 on one more), by 23:59:59",
        ),
        (
            Length(calendar_days=0, cut_off=time(14), by=time(15)),
            "0 calendar days (from 14:00:00 on one more), by 15:00:00",
        ),
    ],
)
def test_a_length_is_told_in_words(length: Length, words: str) -> None:
    assert length.words() == words
