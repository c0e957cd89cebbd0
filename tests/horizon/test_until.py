"""How far ahead somebody looks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.horizon.until import LONGEST, ahead, until
from tests.builders import patient

NOW = datetime(2026, 11, 26, 7, 0, tzinfo=UTC)
KUALA_LUMPUR, NEW_YORK = ZoneInfo("Asia/Kuala_Lumpur"), ZoneInfo("America/New_York")
MOMENT = timedelta(microseconds=1)


def test_a_day_counts_to_its_end_by_each_shops_own_time() -> None:
    last = until("2026-12-31", NOW)
    assert last(KUALA_LUMPUR) == datetime(2026, 12, 31, 16, tzinfo=UTC) - MOMENT
    assert last(NEW_YORK) == datetime(2027, 1, 1, 5, tzinfo=UTC) - MOMENT


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25), ("2026-07-01", 24)]
)
def test_a_day_on_which_the_clocks_are_changed_is_shorter_or_longer(day: str, hours: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
    assert until(day, now)(NEW_YORK) - until(before, now)(NEW_YORK) == timedelta(hours=hours)


def test_an_instant_is_the_same_for_every_shop() -> None:
    for text in ("2026-12-31T16:00:00Z", "2027-01-01T00:00:00+08:00", "2026-12-31t16:00:00z"):
        last = until(text, NOW)
        assert last(KUALA_LUMPUR) == last(NEW_YORK) == datetime(2026, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "24h",
        "2026-12-31T00:00:00",  # of no zone
        "2026-12-31 00:00",
        "20261231",
        "2026-13-01",
        "2026-02-30",
        "2026-W53-1",
        "٢٠٢٦-١٢-٣١",
        "2026-12-31T25:00:00Z",
        "9999-12-31",
        "9999-12-31T23:59:59-12:00",
        "2026-12-31\n",
        "2026-12-31T00:00:00 08:00",
    ],
)
def test_junk_and_times_without_an_offset_are_refused_naming_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"until: .*2026-12-31.*2026-12-31T16:00:00Z"):
        until(text, NOW)


@pytest.mark.parametrize("text", ["2026-11-24", "2026-11-26T07:00:00Z", "2025-01-01", "0001-01-01"])
def test_what_lies_in_the_past_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="lies in the past"):
        until(text, NOW)


def test_today_is_not_over_while_it_is_today_somewhere() -> None:
    assert until("2026-11-26", NOW)(KUALA_LUMPUR) > NOW
    until("2026-11-25", datetime(2026, 11, 26, 11, 59, tzinfo=UTC))
    with pytest.raises(ValueError, match="past"):
        until("2026-11-25", datetime(2026, 11, 26, 12, 0, tzinfo=UTC))


def test_a_day_is_past_once_it_is_over_for_every_shop() -> None:
    midnight = datetime(2026, 11, 26, 16, tzinfo=UTC)  # in Kuala Lumpur
    until("2026-11-26", midnight - MOMENT - MOMENT, [KUALA_LUMPUR])
    with pytest.raises(ValueError, match="lies in the past"):
        until("2026-11-26", midnight, [KUALA_LUMPUR])
    last = until("2026-11-26", midnight, [KUALA_LUMPUR, NEW_YORK])
    assert last(NEW_YORK) > midnight > last(KUALA_LUMPUR)


def test_further_than_a_year_is_refused() -> None:
    until("2027-11-26", NOW)
    for text in ("2027-11-29", "2027-11-28T00:00:00Z"):
        with pytest.raises(ValueError, match="at most 366 days"):
            until(text, NOW)
    assert ahead(NOW, LONGEST)(NEW_YORK) == NOW + LONGEST
    with pytest.raises(ValueError, match="within: at most 366d"):
        ahead(NOW, LONGEST + timedelta(minutes=1))


@patient
@given(st.text(max_size=30))
def test_any_text_gives_an_instant_or_a_clear_refusal(text: str) -> None:
    said = ""
    try:
        assert until(text, NOW)(NEW_YORK) > NOW - timedelta(days=1)
    except ValueError as error:
        said = str(error)
    assert said == "" or said.startswith("until: ")
