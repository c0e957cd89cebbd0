"""Whose zone and calendar a clock is counted by, and what an announcement adds to it."""

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shipclock.rules.calendar import Span, WorkingDays
from shipclock.rules.packs import as_policy, load
from shipclock.rules.policy import Calendar, Dates, Deadline, Extension, Policy
from tests.builders import deadline, extension

KUALA_LUMPUR, PACIFIC, TOKYO = "Asia/Kuala_Lumpur", "America/Los_Angeles", "Asia/Tokyo"
FRIDAY = dt.date(2026, 11, 6)
DAY = dt.timedelta(days=1)
DAY_END = dt.time(23, 59, 59)
LATER = dt.datetime.fromisoformat("2026-11-20 23:59:59")


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def on_friday(**more: Any) -> Extension:
    return extension(FRIDAY, FRIDAY, **more)


def policy(*extensions: Extension, zone: str = "", shop: str = "UTC", **calendar: Any) -> Policy:
    told = Calendar(country="US", **calendar)
    update = {"extensions": extensions, "zone": zone, "calendar": told}
    return as_policy(load("guide-2023").model_copy(update=update), "MY", shop)


def due(policy: Policy, start: str, name: str = "dispatch", **length: Any) -> dt.datetime:
    timed: Deadline = deadline(**(length or {"hours": 48}))
    return policy.due(name, timed, at(start))


# Whose zone


@pytest.mark.parametrize(
    ("own", "packs", "shops", "expected"),
    [
        (TOKYO, PACIFIC, KUALA_LUMPUR, "2026-11-08 14:59:59"),
        ("", PACIFIC, KUALA_LUMPUR, "2026-11-08 07:59:59"),
        ("", "", KUALA_LUMPUR, "2026-11-08 15:59:59"),
    ],
)
def test_days_are_local_to_the_clocks_zone_else_the_packs_else_the_shops(
    own: str, packs: str, shops: str, expected: str
) -> None:
    known = policy(zone=packs, shop=shops)
    assert due(known, "2026-11-07 02:00", calendar_days=1, by=DAY_END, zone=own) == at(expected)


def test_so_are_the_days_of_an_announcement() -> None:
    # 2026-11-06 07:59:59 in UTC is Thursday's last second in Los Angeles, and Friday in Tokyo
    more = on_friday(hours=5)
    for zone, start, expected in (
        (PACIFIC, "2026-11-06 07:59:59", "2026-11-08 07:59:59"),
        (PACIFIC, "2026-11-06 08:00:00", "2026-11-08 13:00:00"),
        (PACIFIC, "2026-11-07 07:59:59", "2026-11-09 12:59:59"),
        (PACIFIC, "2026-11-07 08:00:00", "2026-11-09 08:00:00"),
        (TOKYO, "2026-11-05 14:59:59", "2026-11-07 14:59:59"),
        (TOKYO, "2026-11-05 15:00:00", "2026-11-07 20:00:00"),
    ):
        assert due(policy(more, zone=zone), start) == at(expected)
    own = deadline(zone=TOKYO)
    assert policy(more, zone=PACIFIC).due("dispatch", own, at("2026-11-05 15:00")) == at(
        "2026-11-07 20:00"
    )


# What is announced


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"hours": 5}, "2026-11-08 15:30:00"),
        ({"calendar_days": 3}, "2026-11-11 10:30:00"),
        ({"working_days": 1}, "2026-11-09 10:30:00"),
        ({"working_days": 3}, "2026-11-12 10:30:00"),  # Veterans Day on the 11th
        ({"not_before": LATER}, "2026-11-20 23:59:59"),
        ({"not_before": dt.datetime.fromisoformat("2026-11-08 10:29:59")}, "2026-11-08 10:30:00"),
    ],
)
def test_an_announcement_is_counted_from_the_clocks_own_end(
    more: dict[str, Any], expected: str
) -> None:
    assert due(policy(on_friday(**more)), "2026-11-06 10:30") == at(expected)


def test_not_before_is_local() -> None:
    more = on_friday(not_before=LATER)
    known = policy(more, zone=TOKYO)
    assert due(known, "2026-11-06 10:30") == at("2026-11-20 14:59:59")
    assert due(known, "2026-11-06 10:30").tzinfo is dt.UTC


def test_days_more_are_local_to_the_clocks_zone_too() -> None:
    # the clocks in Los Angeles are put back on Sunday: the same time of day is an hour later
    october = extension(dt.date(2026, 10, 30), dt.date(2026, 10, 30), calendar_days=2)
    known = policy(october, zone=PACIFIC)
    assert due(known, "2026-10-30 18:00", hours=24) == at("2026-11-02 19:00")


def test_of_several_the_latest_counts_and_they_do_not_add_up() -> None:
    several = (
        on_friday(calendar_days=1),
        extension(FRIDAY - DAY, FRIDAY + DAY, calendar_days=2),
        on_friday(hours=1),
    )
    for order in (several, several[::-1]):
        assert due(policy(*order), "2026-11-06 10:30") == at("2026-11-10 10:30")
        assert due(policy(*order), "2026-11-05 10:30") == at("2026-11-09 10:30")
        assert due(policy(*order), "2026-11-08 10:30") == at("2026-11-10 10:30")


def test_an_announcement_is_for_the_clocks_that_it_names() -> None:
    known = policy(on_friday(clocks=("delivery", "dispatch"), hours=5))
    assert due(known, "2026-11-06 10:30") == at("2026-11-08 15:30")
    assert due(known, "2026-11-06 10:30", "delivery") == at("2026-11-08 15:30")
    assert due(known, "2026-11-06 10:30", "collection") == at("2026-11-08 10:30")


# Whose days


def test_a_packs_closures_and_the_shops_both_count() -> None:
    monday = FRIDAY + 3 * DAY
    own = Dates.model_validate({"from": monday, "to": monday})
    told = Calendar(country="US", closed=(own,))
    for closed, expected in (
        ((), WorkingDays("US", closed=(Span(monday, monday),))),
        (
            (Span(FRIDAY, FRIDAY),),
            WorkingDays("US", closed=(Span(FRIDAY, FRIDAY), Span(monday, monday))),
        ),
    ):
        assert told.days("MY", closed) == expected
    pack = load("guide-2023").model_copy(update={"calendar": told})
    known = as_policy(pack, "MY", "UTC", (Span(monday + DAY, monday + DAY),))
    # Monday by the pack, Tuesday by the shop, Wednesday is Veterans Day
    assert due(known, "2026-11-06 10:30", working_days=1) == at("2026-11-12 10:30")


@pytest.mark.parametrize(
    ("country", "market", "expected"),
    [("US", "MY", "US"), ("", "MY", "MY"), ("", "UK", "GB"), ("", "GB", "GB"), ("", "", "")],
)
def test_a_calendar_without_a_country_is_the_markets(
    country: str, market: str, expected: str
) -> None:
    assert Calendar(country=country).days(market).country == expected


def test_a_calendar_is_told_in_the_days_that_are_not_worked() -> None:
    told = Calendar(country="GB", subdivision="ENG", weekend=("friday", "monday"))
    assert told.days("MY") == WorkingDays("GB", "ENG", frozenset({4, 0}))


def test_a_packs_calendar_may_name_days_that_are_worked() -> None:
    saturday = FRIDAY + DAY
    own = Dates.model_validate({"from": saturday, "to": saturday, "why": "made up for"})
    told = Calendar(country="US", worked=(own,))
    assert told.days("MY").worked == (Span(saturday, saturday),)
    pack = load("guide-2023").model_copy(update={"calendar": told})
    known = as_policy(pack, "MY", "UTC")
    assert due(known, "2026-11-06 10:30", working_days=1) == at("2026-11-07 10:30")
    shut = as_policy(pack, "MY", "UTC", (Span(saturday, saturday),))
    assert due(shut, "2026-11-06 10:30", working_days=1) == at("2026-11-09 10:30")


def test_a_pack_without_a_calendar_counts_weekdays() -> None:
    known = as_policy(load("guide-2023"), "MY", KUALA_LUMPUR, (Span(FRIDAY, FRIDAY),))
    assert known.working == WorkingDays()
    assert known.zone == ZoneInfo(KUALA_LUMPUR)


def test_hours_need_no_zone() -> None:
    nowhere = replace(policy(), zone=ZoneInfo("Pacific/Kiritimati"))
    assert due(nowhere, "2026-11-06 10:30", hours=1) == at("2026-11-06 11:30")
