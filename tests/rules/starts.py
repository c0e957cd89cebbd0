"""Random packs, shops and instants at which clocks start, for `dues.py`."""

import datetime as dt
import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import shipclock.rules
from tests.rules import stepping
from tests.rules.holidays_told import COUNTRIES, public_holidays
from tests.rules.stepping import DAY, HOUR, SECOND, WEEK, Table

FOLDER = Path(shipclock.rules.__file__).parent / "policies"
TEXTS = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.toml"))}
WHOLE = {name: stepping.whole(text, TEXTS) for name, text in TEXTS.items()}
MADE_UP = "made up"
SHIPPED = [*WHOLE, "us-2026", "eu-2025", "vn-2024", "th-2025", "uk-2025"]
"""The packs, those that count working days twice."""
CHOSEN = {name for name, raw in WHOLE.items() if not raw["markets"]} - {"guide-2023"}
"""Packs of no market: a shop chooses them."""

COUNTED_ALONE = {*COUNTRIES} - {"GB"}
"""Countries whose holidays need no subdivision; of GB England's are known."""

ZONES = {
    "US": "America/Los_Angeles America/New_York America/Chicago America/Denver America/Phoenix "
    "America/Anchorage Pacific/Honolulu",
    "UK": "Europe/London",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "ES": "Europe/Madrid Atlantic/Canary",
    "IT": "Europe/Rome",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "TH": "Asia/Bangkok",
    "VN": "Asia/Ho_Chi_Minh",
    "ID": "Asia/Jakarta Asia/Makassar Asia/Jayapura",
    "MY": "Asia/Kuala_Lumpur Asia/Kuching",
    "SG": "Asia/Singapore",
    "PH": "Asia/Manila",
    "BR": "America/Sao_Paulo America/Manaus America/Noronha",
    "MX": "America/Mexico_City America/Tijuana America/Cancun",
    "JP": "Asia/Tokyo",
}
"""The markets' shops, and where they may be."""

WHERE_CLOCKS_ARE_ODD = (
    "Asia/Kathmandu Australia/Lord_Howe America/Santiago Africa/Casablanca America/St_Johns "
    "Pacific/Apia Asia/Tehran Africa/Cairo Asia/Beirut America/Havana America/Asuncion "
    "Pacific/Chatham Atlantic/Azores Antarctica/Troll Pacific/Kiritimati Asia/Gaza Pacific/Easter "
    "America/Scoresbysund Asia/Pyongyang America/Caracas Pacific/Kwajalein UTC"
)
"""Half hours, changes at midnight and on Fridays, days left out, clocks put back in summer."""
NASTY = WHERE_CLOCKS_ARE_ODD.split()

HOURS = (
    "00:00:00 00:00:01 00:29:59 00:30:00 00:59:59 01:00:00 01:30:00 01:45:00 01:59:59 02:00:00 "
    "02:15:00 02:30:00 02:59:59 03:00:00 06:00:00 12:00:00 14:00:00 18:30:00 22:45:00 23:00:00 "
    "23:30:00 23:59:59"
)
OF_DAY = tuple(map(dt.time.fromisoformat, HOURS.split()))


@dataclass(frozen=True)
class Case:
    """A clock's start in a shop. `text` is the pack's TOML, empty: the market's own of that day."""

    pack: str
    text: str
    market: str
    zone: str
    closed: tuple[tuple[dt.date, dt.date], ...]
    start: dt.datetime

    def expected(self) -> dict[str, dt.datetime]:
        """When the clocks run out by stepping; nothing where holidays are not known so far on."""
        raw = parsed(self.text) if self.text else WHOLE[self.pack]
        try:
            return stepping.dues(raw, self.start, self.market, self.zone, self.closed)
        except stepping.NobodyKnows:
            return {}

    def __str__(self) -> str:
        shut = ", ".join(f"{first}/{last}" for first, last in self.closed)
        own = f"\n{self.text}" if self.text else ""
        return (
            f"{self.pack}, market {self.market}, shop in {self.zone}, closed: {shut or 'never'}, "
            f"start {self.start.isoformat()} "
            f"({stepping.reading(self.zone, self.start):%a %Y-%m-%d %H:%M:%S} there){own}"
        )


@lru_cache(maxsize=64)
def parsed(text: str) -> dict[str, Any]:
    """A made-up pack as its TOML has it."""
    return tomllib.loads(text)


class Dice(random.Random):
    """Random choices by name, the same each time."""

    def likely(self, share: float) -> bool:
        """True in so many of the cases."""
        return self.random() < share


def made_up(name: str, count: int = 40) -> Iterator[Case]:
    """Some cases of one shop: a pack that ships or one that is made up, and starts by it."""
    dice = Dice(name)
    text = toml(_pack(dice)) if dice.likely(0.5) else ""
    raw = parsed(text) if text else WHOLE[dice.choice(SHIPPED)]
    own = sorted(COUNTED_ALONE) if text else raw["markets"] or sorted(ZONES)
    market = dice.choice(own)
    nasty = dice.likely(0.5 if text else 0.15)
    zone = dice.choice(NASTY if nasty else ZONES[market].split())
    early = dt.date(2024, 1, 3) if text else max(dt.date(2024, 1, 3), raw["from"] - 20 * DAY)
    if text and not counts_working_days(raw) and dice.likely(0.5):
        early = dt.date(1971, 1, 3)
    late = dt.date(2027, 10, 31) if early.year > 1971 else dt.date(2036, 10, 31)
    closed = tuple(_spans(dice, dice.choice([0, 0, 0, 1, 2])))
    moments = list(_moments(dice, raw, market, zone, (early, late)))
    for _ in range(count):
        start = _start(dice, zone, early, late, moments)
        if text:
            pack = MADE_UP
        elif raw["name"] in CHOSEN:
            pack = raw["name"]
        else:
            pack = stepping.in_force(WHOLE, market, stepping.reading(zone, start).date())
        yield Case(pack, text, market, zone, closed, start)


def counts_working_days(raw: Table) -> bool:
    """Whether holidays matter in a pack."""
    parts = [*raw.get("deadlines", {}).values(), *raw.get("extensions", ())]
    return any("working_days" in part for part in parts)


def _pack(dice: Dice) -> dict[str, Any]:
    raw: dict[str, Any] = {
        "name": "made_up",
        "title": "Made up",
        "markets": [],
        "from": dt.date(1970, 1, 1),
        "ship_on": "scan",
        "source": "nobody",
        "dated": "undated",
        "confidence": "unconfirmed",
        "calendar": _calendar(dice),
    }
    if dice.likely(0.4):
        raw["zone"] = dice.choice(NASTY)
    by_days = dice.likely(0.75)
    names = [f"line_{place}" for place in range(dice.randint(1, 5))]
    raw["deadlines"] = {name: _deadline(dice, by_days) for name in names}
    if dice.likely(0.6):
        raw["extensions"] = [
            _extension(dice, names, by_days) for _ in range(dice.choice([1, 2, 2, 3]))
        ]
    return raw


def _calendar(dice: Dice) -> dict[str, Any]:
    calendar: dict[str, Any] = {}
    if dice.likely(0.4):
        calendar["country"] = dice.choice(COUNTRIES)
    country = calendar.get("country")
    if country == "GB":
        calendar["subdivision"] = "ENG"
    if dice.likely(0.6):
        calendar["weekend"] = dice.sample(WEEK, dice.choice([0, 1, 1, 2, 2, 3, 5]))
    if dice.likely(0.4):
        calendar["closed"] = [
            {"from": first, "to": last} for first, last in _spans(dice, dice.randint(1, 3))
        ]
    if dice.likely(0.3):
        shut = calendar.get("closed", ())
        calendar["worked"] = [
            {"from": first, "to": last}
            for first, last in _spans(dice, dice.randint(1, 4))
            if all(last < each["from"] or each["to"] < first for each in shut)
        ]
    return calendar


def _spans(dice: Dice, count: int) -> Iterator[tuple[dt.date, dt.date]]:
    for _ in range(count):
        first = dt.date(2024, 1, 1) + dice.randint(0, 1440) * DAY
        yield first, first + dice.choice([0, 0, 1, 4, 9, 40]) * DAY


def _deadline(dice: Dice, by_days: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "clause": "so long",
        "starts": "created",
        "stops": "in_transit",
        "line": "metric",
    }
    if dice.likely(0.2):
        told["zone"] = dice.choice(NASTY)
    kind = dice.choice(["calendar_days", *["working_days"] * 3] if by_days else ["hours"])
    if not by_days and dice.likely(0.6):
        kind = "calendar_days"
    if kind == "hours":
        return {**told, kind: dice.choice([1, 24, 48, 72, 120, 360, dice.randint(1, 1000)])}
    told[kind] = dice.choice([0, 1, 1, 2, 2, 3, 5, 7, 10, 15])
    if dice.likely(0.5) or not told[kind]:
        told["cut_off"] = dice.choice(OF_DAY)
    if dice.likely(0.6) or not told[kind]:
        told["by"] = dice.choice(OF_DAY)
    if not told[kind]:
        told["cut_off"], told["by"] = sorted((told["cut_off"], told["by"]))
    return told


def _extension(dice: Dice, names: list[str], by_days: bool) -> dict[str, Any]:
    first = dt.date(dice.randint(2024, 2027), dice.randint(1, 12), dice.randint(1, 28))
    told: dict[str, Any] = {
        "from": first,
        "to": first + dice.choice([0, 1, 6, 90, 400]) * DAY,
        "clocks": dice.sample(names, dice.randint(1, len(names))),
        "clause": "announced",
    }
    kind = dice.choice(["hours", "calendar_days", "not_before", *["working_days"] * (2 * by_days)])
    if kind == "not_before":
        day = first + dice.randint(0, 20) * DAY
        return {**told, kind: dt.datetime.combine(day, dice.choice(OF_DAY))}
    return {**told, kind: dice.choice([1, 1, 2, 3, 10, 24 if kind == "hours" else 5])}


def _moments(
    dice: Dice, raw: Table, market: str, zone: str, between: tuple[dt.date, dt.date]
) -> Iterator[dt.datetime]:
    """Local times around which something changes."""
    early, late = between
    for extension in raw.get("extensions", ()):
        yield dt.datetime.combine(extension["from"], dt.time())
        yield dt.datetime.combine(extension["to"] + DAY, dt.time())
    of_day = [
        each[key]
        for each in raw.get("deadlines", {}).values()
        for key in ("cut_off", "by")
        if key in each
    ] or [dt.time()]
    country = raw.get("calendar", {}).get("country") or {"UK": "GB"}.get(market, market)
    known = sorted(day for day in public_holidays(country) if early <= day <= late)
    days = dice.sample(known, min(len(known), 4))
    year = dice.randint(early.year, late.year)
    days += [dt.date(year, 12, 31), dt.date(year, 3, 1) - DAY]
    days += [changed.date() for changed in changes(zone, year)]
    days += [raw["from"], raw["from"] - DAY] * bool(raw["markets"])
    for day in days:
        yield dt.datetime.combine(day - dice.choice([0, 0, 1, 2, 3, 5]) * DAY, dice.choice(of_day))


@lru_cache(maxsize=2000)
def changes(zone: str, year: int) -> tuple[dt.datetime, ...]:
    """When a zone's clocks are changed in a year, local times."""
    at = dt.datetime(year, 1, 1, 12, tzinfo=dt.UTC)
    days = (at + place * DAY for place in range(365))
    return tuple(
        stepping.reading(zone, day)
        for day in days
        if stepping.offset(zone, day) != stepping.offset(zone, day + DAY)
    )


def _start(
    dice: Dice, zone: str, early: dt.date, late: dt.date, moments: Sequence[dt.datetime]
) -> dt.datetime:
    if moments and dice.likely(0.7):
        shown = dice.choice(moments)
        if dice.likely(0.3):
            shown += dice.randint(-3, 3) * DAY
    else:
        shown = dt.datetime.combine(early, dt.time())
        shown += dice.randint(0, (late - early).days * 86400) * SECOND
        if dice.likely(0.5):
            shown = dt.datetime.combine(shown.date(), dice.choice(OF_DAY))
    start = stepping.instant(zone, shown) + dice.choice([-1, 0, 0, 1]) * SECOND
    if dice.likely(0.1):
        start += dice.choice([-1, 1]) * HOUR / 2
    lowest, highest = (dt.datetime.combine(day, dt.time(), dt.UTC) for day in (early, late))
    return min(max(start, lowest), highest)


def toml(raw: Mapping[str, Any]) -> str:
    """A pack as a file has it."""
    lines = [f"{key} = {_value(value)}" for key, value in raw.items() if key != "deadlines"]
    for name, told in raw.get("deadlines", {}).items():
        lines += [f"\n[deadlines.{name}]", *(f"{k} = {_value(v)}" for k, v in told.items())]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k} = {_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)
