"""Quiet hours and digests by the wall clock, where it is put forward and back as well."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.times import from_unix
from shipclock.notify.hours import Quiet, digest_after, local_day, quiet_of, time_of

NIGHT = quiet_of("22:00-07:00")
NOON = quiet_of("12:00-13:30")
BERLIN, KUALA_LUMPUR = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kuala_Lumpur")
ZONES = [
    *("Asia/Kuala_Lumpur", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
    *("America/Sao_Paulo", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "UTC"),
]
"""Also half hours, a day that was left out, and a zone that puts its clocks back for a month."""

minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
instants = st.integers(1_262_304_000, 1_893_456_000).map(from_unix)
"""2010 to 2030."""
zones = st.sampled_from(ZONES).map(ZoneInfo)


def local(text: str, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        ("2026-06-01 21:59:59", False),
        ("2026-06-01 22:00:00", True),
        ("2026-06-02 00:00:00", True),
        ("2026-06-02 06:59:59", True),
        ("2026-06-02 07:00:00", False),
    ],
)
def test_quiet_hours_go_over_midnight_from_their_first_second_to_their_last(
    at: str, quiet: bool
) -> None:
    assert NIGHT.at(local(at, BERLIN), BERLIN) is quiet


@pytest.mark.parametrize(
    ("at", "quiet"),
    [("11:59:59", False), ("12:00:00", True), ("13:29:59", True), ("13:30:00", False)],
)
def test_quiet_hours_may_lie_within_a_day(at: str, quiet: bool) -> None:
    assert NOON.at(local(f"2026-06-01 {at}", BERLIN), BERLIN) is quiet


def test_they_are_the_shops_own() -> None:
    at = local("2026-06-01 23:00", KUALA_LUMPUR)
    assert NIGHT.at(at, KUALA_LUMPUR)
    assert not NIGHT.at(at, BERLIN)


def test_they_end_at_their_end_and_what_is_not_quiet_does_not_wait() -> None:
    at = local("2026-06-01 23:12:44", BERLIN)
    assert NIGHT.over_at(at, BERLIN) == local("2026-06-02 07:00", BERLIN)
    day = local("2026-06-01 10:12:44", BERLIN)
    assert NIGHT.over_at(day, BERLIN) == day


def test_where_the_clocks_are_put_back_the_hour_is_quiet_twice() -> None:
    quiet = quiet_of("22:00-02:30")  # on 25 October 2026 03:00 becomes 02:00
    first, second = (local("2026-10-25 02:10", BERLIN, fold) for fold in (0, 1))
    between = local("2026-10-25 02:40", BERLIN, 0)
    assert quiet.at(first, BERLIN)
    assert not quiet.at(between, BERLIN)
    assert quiet.at(second, BERLIN)
    assert quiet.over_at(second, BERLIN) == local("2026-10-25 02:30", BERLIN, 1)


def test_where_the_clocks_are_put_forward_over_an_end_they_end_there() -> None:
    quiet = quiet_of("22:00-02:30")  # on 29 March 2026 02:00 becomes 03:00
    over = quiet.over_at(local("2026-03-29 01:10", BERLIN), BERLIN)
    assert over == local("2026-03-29 03:00", BERLIN)


@given(minutes, minutes, instants, zones)
def test_they_are_over_at_the_first_instant_that_is_not_quiet(
    start: time, end: time, at: datetime, zone: ZoneInfo
) -> None:
    if start == end:
        return
    quiet = Quiet(start, end)
    over = quiet.over_at(at, zone)
    assert at <= over <= at + timedelta(days=2)
    assert not quiet.at(over, zone)
    step = at
    while step < over:
        shown = step.astimezone(zone).strftime("%H:%M")
        first, last = f"{start:%H:%M}", f"{end:%H:%M}"
        inside = first <= shown < last if first < last else not last <= shown < first
        assert inside
        step += timedelta(minutes=7)


# The digest


@pytest.mark.parametrize(
    ("at", "digest"),
    [
        ("2026-06-01 09:14:59", "2026-06-01 09:15"),
        ("2026-06-01 09:15:00", "2026-06-02 09:15"),
        ("2026-06-01 23:00:00", "2026-06-02 09:15"),
        ("2026-12-31 10:00:00", "2027-01-01 09:15"),
        ("2028-02-28 10:00:00", "2028-02-29 09:15"),
    ],
)
def test_the_next_digest_is_today_s_or_tomorrow_s(at: str, digest: str) -> None:
    found = digest_after(local(at, BERLIN), time(9, 15), BERLIN)
    assert found == local(digest, BERLIN)


def test_a_digest_in_the_hour_that_is_left_out_comes_an_hour_later_and_once() -> None:
    before = local("2026-03-28 12:00", BERLIN)
    found = digest_after(before, time(2, 30), BERLIN)
    assert found == local("2026-03-29 03:30", BERLIN)
    assert local_day(digest_after(found, time(2, 30), BERLIN), BERLIN) == "2026-03-30"


def test_a_digest_in_the_hour_that_comes_twice_comes_at_the_first_and_once() -> None:
    before = local("2026-10-24 12:00", BERLIN)
    found = digest_after(before, time(2, 30), BERLIN)
    assert found == local("2026-10-25 02:30", BERLIN, 0)
    assert local_day(digest_after(found, time(2, 30), BERLIN), BERLIN) == "2026-10-26"


@given(instants, minutes, zones)
def test_there_is_a_digest_a_local_day_whatever_the_clocks_do(
    at: datetime, time_of_day: time, zone: ZoneInfo
) -> None:
    days = []
    for _ in range(4):
        at = digest_after(at, time_of_day, zone)
        days.append(local_day(at, zone))
    assert len(set(days)) == 4
    assert days == sorted(days)


# What is written


@pytest.mark.parametrize(
    "text", ["", "9:15", "24:00", "09:60", "09:15:00", "noon", "\u0660\u0669:15"]
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 09:15"):
        time_of(text)


@pytest.mark.parametrize("text", ["", "22:00", "22:00-22:00", "22:00-7:00", "22:00 - 07:00", "-"])
def test_quiet_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 22:00-07:00"):
        quiet_of(text)
