"""What the keys of a pack may hold: figures, days, times, zones, and words from short lists."""

import datetime as dt
import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from shipclock.domain.zones import is_zone
from shipclock.rules.calendar import WEEKDAYS

Hours = Annotated[int, Field(strict=True, gt=0, le=24 * 366)]
Days = Annotated[int, Field(strict=True, ge=0, le=366)]
MoreDays = Annotated[int, Field(strict=True, ge=1, le=366)]
Text = Annotated[str, Field(min_length=1)]
TimeOfDay = Annotated[dt.time, Field(strict=True)]
FIRST, LAST = dt.date(1970, 1, 1), dt.date(2199, 12, 31)
"""No page is older, and counting days from later ones might leave the calendar."""

Day = Annotated[dt.date, Field(strict=True, ge=FIRST, le=LAST)]
Percent = Annotated[float, Field(strict=True, ge=0, le=100)]
MorePercent = Annotated[float, Field(strict=True, gt=0, le=100)]
YesOrNo = Annotated[bool, Field(strict=True)]

Start = Literal[
    "placed",
    "created",
    "paid",
    "released",
    "ready_to_ship",
    "in_transit",
    "first_scan",
    "delivered",
]
End = Literal["ready_to_ship", "in_transit", "first_scan", "delivered"]
Line = Literal["metric", "hard"]
Action = Literal["alert", "deem_delayed"]
Confidence = Literal["official", "reported", "conflicting", "unconfirmed"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

UNDATED = "undated"
DATED = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


def _dated(given: object) -> object:
    """A day, a month or a year, as a text; TOML's own days too."""
    return given.isoformat() if type(given) is dt.date else given


def _is_dated(given: str) -> str:
    if given == UNDATED:
        return given
    try:
        good = (
            DATED.fullmatch(given) and FIRST <= dt.date.fromisoformat(f"{given}-01-01"[:10]) <= LAST
        )
    except ValueError:
        good = False
    if not good:
        raise ValueError("is no date")
    return given


def _is_zone(given: str) -> str:
    if given and not is_zone(given):
        raise ValueError("is no time zone")
    return given


Dated = Annotated[str, BeforeValidator(_dated), AfterValidator(_is_dated)]
Zone = Annotated[str, AfterValidator(_is_zone)]

ACCEPTED = {
    "hours": "a whole number from 1 to 8784",
    "first_reminder_hours": "a whole number from 1 to 8784",
    "final_warning_hours": "a whole number from 1 to 8784",
    "warn_hours": "a list of whole numbers from 1 to 8784",
    "calendar_days": "a whole number from 0 to 366",
    "working_days": "a whole number from 0 to 366",
    "attempts": "a whole number from 1 to 100",
    "days": "a whole number from 1 to 366",
    "at_most": "a number from 0 to 100, in percent",
    "at_least": "a number from 0 to 100, in percent",
    "below": "a number above 0, at most 100, in percent",
    "cut_off": "a local time such as 14:00:00",
    "by": "a local time such as 23:59:59",
    "reminder_at": "a local time such as 09:00:00",
    "not_before": "a local time such as 2026-02-24T23:59:59",
    "from": "a day such as 2026-01-26",
    "to": "a day such as 2026-01-26",
    "until": "a day such as 2026-01-26",
    "dated": "a day, month or year such as 2026-01-26 or 2026, or 'undated'",
    "zone": "an IANA time zone such as Asia/Bangkok",
    "ship_on": "'scan'",
    "markets": "a list of markets such as ['TH']",
    "clocks": "a list of the names of clauses and deadlines",
    "starts": ", ".join(get_args(Start)),
    "stops": ", ".join(get_args(End)),
    "line": ", ".join(get_args(Line)),
    "then": ", ".join(get_args(Action)),
    "confidence": ", ".join(get_args(Confidence)),
    "weekend": "a list of " + ", ".join(WEEKDAYS),
    "force_majeure": "true or false",
    "shipping": "a list of shipping types in the marketplace's words, such as ['SELLER']",
    "order_types": "a list of order types in the marketplace's words, such as ['NORMAL']",
    "replaced_by": "a list of the order's own deadline fields, such as ['tts_sla_time']",
    "extends": "the name of another pack",
    "without": "a list of the names of clauses, deadlines and signals of the pack it extends",
    "calendar": "a table of country, subdivision, weekend, closed and worked",
    "country": "an ISO 3166 country such as US",
    "subdivision": "a subdivision of the country such as CA",
    "closed": "a list of days such as {from = 2026-12-24, to = 2026-12-26}",
    "worked": "a list of days such as {from = 2026-12-24, to = 2026-12-26}",
    "clauses": "tables that bear the names of rules",
    "deadlines": "tables under names of your own",
    "extensions": "a list of tables, [[extensions]]",
    "signals": "tables that bear the names of the shop's figures",
    "why": "a text",
    "clause": "a text",
    "source": "a text",
    "title": "a text",
    "name": "a text",
}
"""What each key of a pack may hold, for whoever wrote something else."""
