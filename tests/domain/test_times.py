"""Instants in and out."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.times import ceil, from_unix, parse, stamp
from tests.builders import T0, patient


def test_an_instant_is_written_as_promised() -> None:
    assert stamp(T0) == "2026-11-01T02:00:00Z"
    assert stamp(T0.replace(microsecond=999_999)) == "2026-11-01T02:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-11-01T02:00:00Z", "2026-11-01T10:00:00+08:00", "2026-10-31T21:00:00-05:00"]
)
def test_an_instant_is_the_same_under_any_offset(text: str) -> None:
    assert parse(text) == T0
    assert parse(text).utcoffset() == timedelta(0)


def test_a_time_without_an_offset_is_refused_rather_than_guessed() -> None:
    with pytest.raises(ValueError, match="names no offset"):
        parse("2026-11-01T02:00:00")


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+23:00"])
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


@pytest.mark.parametrize("seconds", [10**12, -(10**12), 10**30])
def test_seconds_that_fit_no_calendar_are_a_value_error(seconds: int) -> None:
    with pytest.raises(ValueError, match="no instant of this calendar"):
        from_unix(seconds)


@patient
@given(st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_fraction_is_rounded_up_and_never_by_a_whole_second(instant: datetime) -> None:
    whole = ceil(instant)
    assert whole.microsecond == 0
    assert timedelta(0) <= whole - instant < timedelta(seconds=1)
    assert ceil(whole) == whole
    assert parse(stamp(whole)) == whole


@patient
@given(st.integers(-(2**40), 2**40))
def test_unix_seconds_and_instants_agree(seconds: int) -> None:
    try:
        instant = from_unix(seconds)
    except ValueError:
        assert not -62_135_596_800 <= seconds < 253_402_300_800
        return
    assert instant == datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)  # noqa: UP017
