"""Public holidays by a second library and by hand, and where they differ from the first.

`workalendar` and `holidays`, which the product asks, were written by different people. Where both
name a day it is one; where they differ, `DIFFERENCES` says who is right and by what. Thailand and
Vietnam are in `holidays` alone: `BY_HAND` has them as they were announced. Indonesia, mainland
China and Malaysia after 2024 are in `holidays` alone too, and no pack counts working days there.
"""

import datetime as dt
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from workalendar.america import Brazil, Mexico  # type: ignore[import-untyped]
from workalendar.asia import Japan, Philippines, Singapore  # type: ignore[import-untyped]
from workalendar.europe import (  # type: ignore[import-untyped]
    France,
    Germany,
    Ireland,
    Italy,
    Spain,
    UnitedKingdom,
)
from workalendar.usa import UnitedStates  # type: ignore[import-untyped]

FIRST, LAST = dt.date(2024, 1, 1), dt.date(2027, 12, 31)
"""What was compared. After these days nobody vouches."""

SECOND_LIBRARY: dict[str, Callable[[], Any]] = {
    "BR": Brazil,
    "DE": Germany,
    "ES": Spain,
    "FR": France,
    "GB": UnitedKingdom,
    "IE": Ireland,
    "IT": Italy,
    "JP": Japan,
    "MX": Mexico,
    "PH": Philippines,
    "SG": Singapore,
    "US": UnitedStates,
}


class Difference(NamedTuple):
    """Days on which the two do not agree: what `holidays` says, and who is right.

    `right` is `holidays`, `workalendar` (or the announcement, of a country by hand), or `open`:
    not announced yet as far as we know.
    """

    days: str
    off: bool
    right: str
    why: str


DIFFERENCES: dict[str, tuple[Difference, ...]] = {
    "BR": (
        Difference(
            "2024-03-29 2025-04-18 2026-04-03 2027-03-26",
            True,
            "holidays",
            "Good Friday is in the federal government's yearly list of national holidays",
        ),
        Difference(
            "2024-03-31 2025-04-20 2026-04-05 2027-03-28",
            False,
            "holidays",
            "Easter Sunday is a Sunday, and in no such list",
        ),
        Difference(
            "2024-11-20 2025-11-20 2026-11-20 2027-11-20",
            True,
            "holidays",
            "Zumbi: national since law 14.759 of 2023",
        ),
    ),
    "DE": (),
    "ES": (
        Difference(
            "2024-12-08 2025-10-12 2026-11-01 2026-12-06 2027-08-15",
            False,
            "holidays",
            "on a Sunday: the state's gazette lists none, regions may take the Monday",
        ),
    ),
    "FR": (),
    "GB": (
        Difference(
            "2024-03-31 2025-04-20 2026-04-05 2027-03-28",
            False,
            "holidays",
            "Easter Sunday is no bank holiday in England (Act of 1971, schedule 1)",
        ),
    ),
    "IE": (
        Difference(
            "2024-02-05 2025-02-03 2026-02-02 2027-02-01",
            True,
            "holidays",
            "Saint Brigid's Day, since 2023",
        ),
        Difference(
            "2024-03-18 2026-12-28 2027-12-27 2027-12-28",
            False,
            "holidays",
            "a public holiday on a weekend stays there: the Act of 1997 gives another benefit",
        ),
    ),
    "IT": (
        Difference(
            "2024-03-31 2025-04-20 2026-04-05 2027-03-28",
            True,
            "holidays",
            "Easter Sunday: all Sundays are festive (law 260 of 1949)",
        ),
        Difference(
            "2024-11-03 2025-11-02 2027-11-07",
            True,
            "holidays",
            "national unity, kept on the first Sunday of November (law 54 of 1977)",
        ),
        Difference(
            "2026-10-04 2027-10-04",
            True,
            "holidays",
            "Saint Francis, from 2026 on (law 151 of 2025)",
        ),
    ),
    "JP": (
        Difference(
            "2024-02-12 2024-05-06 2024-08-12 2024-09-23 2024-11-04 2025-02-24 2025-05-06 "
            "2025-11-24 2026-05-06 2027-03-22",
            True,
            "holidays",
            "the day after a holiday that falls on a Sunday (Act on National Holidays, art. 3.2)",
        ),
        Difference(
            "2026-09-22",
            True,
            "holidays",
            "a day between two holidays (the same, art. 3.3)",
        ),
    ),
    "MX": (
        Difference(
            "2024-12-31 2025-12-31 2026-12-31 2027-04-30 2027-12-24 2027-12-31",
            False,
            "holidays",
            "the labour law (art. 74) moves none of these to the Friday before",
        ),
        Difference(
            "2024-10-01",
            True,
            "holidays",
            "the federal executive changes: a day of rest by the same article",
        ),
    ),
    "PH": (
        Difference(
            "2024-02-25 2025-02-25 2026-02-25 2027-02-25",
            False,
            "holidays",
            "EDSA: left out or a working day in the proclamations of 2024 to 2026; 2027 is open",
        ),
        Difference(
            "2024-03-31 2025-04-20 2026-04-05 2027-03-28",
            False,
            "holidays",
            "Easter Sunday is not in the yearly proclamations",
        ),
        Difference(
            "2024-02-09 2025-05-12 2025-07-27 2025-10-31",
            True,
            "holidays",
            "special days, each by a proclamation of its own or the year's",
        ),
        Difference("2024-08-23", True, "holidays", "Ninoy Aquino, moved by proclamation"),
        Difference("2024-08-21", False, "holidays", "the same: the day it was moved from"),
        Difference(
            "2024-08-26 2025-08-25 2026-08-31",
            True,
            "holidays",
            "national heroes: the last Monday of August (Republic Act 9492)",
        ),
        Difference(
            "2024-08-30 2025-08-30 2026-08-30",
            False,
            "holidays",
            "the same: not the 30th",
        ),
        Difference(
            "2025-04-01 2025-06-06",
            True,
            "holidays",
            "the ends of the fast and of the pilgrimage, by proclamation",
        ),
        Difference("2025-03-31 2025-06-07", False, "holidays", "the same"),
        Difference("2025-11-02", False, "holidays", "All Souls' is not in the proclamation"),
        Difference("2027-03-09 2027-05-16", True, "open", "the moon's days of 2027"),
        Difference("2027-03-10 2027-05-17", False, "open", "the same"),
    ),
    "SG": (
        Difference("2025-05-03", True, "holidays", "polling day of the general election"),
        Difference("2026-03-21", True, "holidays", "Hari Raya Puasa as the ministry announced it"),
        Difference("2026-03-20", False, "holidays", "the same"),
        Difference("2026-11-08", True, "holidays", "Deepavali itself, a Sunday; both name the 9th"),
    ),
    "US": (
        Difference(
            "2024-06-19 2025-06-19 2026-06-19 2027-06-18 2027-06-19",
            True,
            "holidays",
            "Juneteenth, and the Friday before where it is a Saturday (5 U.S.C. 6103)",
        ),
    ),
    "TH": (
        Difference(
            "2024-01-13 2025-01-11 2026-01-10 2027-01-09",
            True,
            "announcement",
            "children's day is kept and nobody has it off; it is always a Saturday",
        ),
    ),
    "VN": (
        Difference(
            "2025-02-01",
            True,
            "announcement",
            "the ministry's notice 6150 of 2024 counts five days of Tet, 27 to 31 January, and "
            "this Saturday as a weekly day off: where Saturdays are worked, so was it",
        ),
    ),
}

BY_HAND = {
    # The cabinet's and the Bank of Thailand's lists: the day itself, the day in its stead where it
    # falls on a weekend, and special days of 2024-04-12, 2024-12-30, 2025-06-02, 2025-08-11,
    # 2026-01-02. Of 2027 by the same law, nothing special announced.
    "TH": {
        2024: "01-01 02-24 02-26 04-06 04-08 04-12 04-13 04-14 04-15 04-16 05-01 05-04 05-06 05-22 "
        "06-03 07-20 07-21 07-22 07-28 07-29 08-12 10-13 10-14 10-23 12-05 12-10 12-30 12-31",
        2025: "01-01 02-12 04-06 04-07 04-13 04-14 04-15 04-16 05-01 05-04 05-05 05-11 05-12 06-02 "
        "06-03 07-10 07-11 07-28 08-11 08-12 10-13 10-23 12-05 12-10 12-31",
        2026: "01-01 01-02 03-03 04-06 04-13 04-14 04-15 05-01 05-04 05-31 06-01 06-03 07-28 07-29 "
        "07-30 08-12 10-13 10-23 12-05 12-07 12-10 12-31",
        2027: "01-01 02-21 02-22 04-06 04-13 04-14 04-15 05-01 05-03 05-04 05-20 06-03 07-18 07-19 "
        "07-20 07-28 08-12 10-13 10-23 10-25 12-05 12-06 12-10 12-31",
    },
    # The labour ministry's (since 2025 the home ministry's) yearly notices, with the days that
    # offices swap for a Saturday: 2024-04-29, 2025-05-02, 2026-08-31. Of 2027 by the labour code.
    "VN": {
        2024: "01-01 02-08 02-09 02-10 02-11 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03",
        2025: "01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02",
        2026: "01-01 02-16 02-17 02-18 02-19 02-20 04-26 04-27 04-30 05-01 08-31 09-01 09-02 11-24",
        2027: "01-01 02-04 02-05 02-06 02-07 02-08 02-09 02-10 04-16 04-30 05-01 05-03 09-02 09-03 "
        "11-24",
    },
}

COUNTRIES = tuple(sorted([*SECOND_LIBRARY, *BY_HAND]))


def days(text: str, year: int = 0) -> Iterator[dt.date]:
    """The days that a text lists."""
    for word in text.split():
        yield dt.date.fromisoformat(f"{year}-{word}" if year else word)


@cache
def by_others(country: str) -> frozenset[dt.date]:
    """What the second library says, or the announcements."""
    if country in BY_HAND:
        told = {day for year, text in BY_HAND[country].items() for day in days(text, year)}
    else:
        library = SECOND_LIBRARY[country]()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that moon days are arbitrary: see DIFFERENCES
            told = {day for year in range(2023, 2029) for day, _ in library.holidays(year)}
    return frozenset(day for day in told if FIRST <= day <= LAST)


@cache
def public_holidays(country: str, errors: bool = True) -> frozenset[dt.date]:
    """The days off between `FIRST` and `LAST`: what others say, put right where they are wrong.

    With `errors` also what `holidays` says wrongly or nobody knows yet, for that is what the
    product counts by. Nothing of a country that only `holidays` knows.
    """
    if country not in COUNTRIES:
        return frozenset()
    told = set(by_others(country))
    for difference in DIFFERENCES[country]:
        if difference.right == "holidays" or errors:
            of = set(days(difference.days))
            told = told | of if difference.off else told - of
    return frozenset(told)
