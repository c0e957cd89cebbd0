"""Reading policy packs from their files. What is wrong is told with its line and what is accepted.

The folder `policies/` is the registry: a file there is a pack under its own name.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from shipclock.meant import meant, shown
from shipclock.rules.calendar import Span
from shipclock.rules.figures import ACCEPTED
from shipclock.rules.names import PACKAGE, misnamed
from shipclock.rules.policy import (
    Calendar,
    Clause,
    Dates,
    Deadline,
    Extension,
    Pack,
    Part,
    Policy,
    Reach,
    Signal,
)
from shipclock.toml_lines import Where, line_at, lines_of

DEFAULT = "guide-2023"
CITES = ("source", "dated", "confidence")
"""Keys that a pack may give once, for all of its parts that don't say otherwise."""

OWN = frozenset({"name", "title", "markets", "from", "until", "extends", "without", *CITES})
"""Keys of a pack that another which extends it does not take over."""

PARTS = ("clauses", "deadlines", "signals")
DEEPEST = 8
"""How many packs may extend one another in a row."""

NAMED = re.compile(r"[A-Za-z0-9_][\w.-]{0,79}", re.ASCII)
"""What names of packs look like: they are files' names."""

AT_LINE = re.compile(r"\(at line (\d+),")
"""Where the reader of TOML says that it stopped."""

AT_END = "(at end of document)"

Of = TypeVar("Of", bound=Reach)

Text = Callable[[str], str]
"""The TOML of the pack of that name."""


class PolicyError(Exception):
    """A pack says something that cannot be. Names the file, and of each slip the line, the key and
    what is accepted."""

    def __init__(self, name: str, slips: list[str]) -> None:
        self.name = name
        self.slips = tuple(slips)
        super().__init__(f"{name}.toml: " + "; ".join(slips))


def parse_pack(text: str, name: str, others: Text | None = None) -> Pack:
    """Read the pack of a file called `name`; `others` gives the text of those it extends, by
    default those that ship. Raises `PolicyError` naming every wrong line."""
    document, lines = _read(text, name, others or text_of, (name,))
    return _pack(document, name, lines)


def _pack(document: dict[str, Any], name: str, lines: Mapping[Where, int]) -> Pack:
    return _checked(Pack, document, name, lines, tuple(misnamed(document)))


def _checked(
    model: type[Of],
    document: dict[str, Any],
    name: str,
    lines: Mapping[Where, int],
    known: tuple[tuple[Where, str], ...] = (),
) -> Of:
    """The document as the model has it. Raises `PolicyError` with all that is wrong, each told
    once, and with what is `known` to be."""
    if isinstance(document.get("name"), str) and document["name"] != name:
        known = (*known, (("name",), f"is not the file's name, {name!r}"))
    errors: list[dict[str, Any]] = []
    try:
        found = model.model_validate(document)
    except ValidationError as error:
        errors = [dict(one) for one in error.errors(include_url=False)]
    else:
        if not known:
            return found
    odd = {one["loc"][:-1] for one in errors if one["type"] == "extra_forbidden"}
    slips = {
        # a key that is missing may be the one that is odd
        *(_told(at, what, lines) for at, what in known if at in lines or at[:-1] not in odd),
        *(_slip(one, lines) for one in errors if not _follows(one, errors)),
    }
    raise PolicyError(name, sorted(slips, key=_line_of))


def _follows(error: dict[str, Any], errors: list[dict[str, Any]]) -> bool:
    """Whether a list is too short only for entries of which each is told."""
    where = error["loc"]
    within = (other["loc"] for other in errors if len(other["loc"]) > len(where))
    return error["type"] == "too_short" and any(loc[: len(where)] == where for loc in within)


def _read(
    text: str, name: str, others: Text, seen: tuple[str, ...]
) -> tuple[dict[str, Any], Mapping[Where, int]]:
    """A pack's document with what it takes over from the one that it extends."""
    own, lines = _toml(text, name)
    _cite(own)
    parent = own.get("extends")
    if not isinstance(parent, str) or not parent:
        if own.get("without"):
            line = line_at(lines, ("without",))
            raise PolicyError(name, [f"line {line}: without: goes with extends alone"])
        return own, lines
    line = line_at(lines, ("extends",))
    if not NAMED.fullmatch(parent):
        raise PolicyError(name, [f"line {line}: extends: {parent[:80]!r} is no name of a pack"])
    if parent in seen or len(seen) > DEEPEST:
        far = f"more than {DEEPEST} packs extend others in a row"
        what = "goes round in a circle" if parent in seen else far
        told = " extends ".join((*seen, parent))
        raise PolicyError(name, [f"line {line}: extends: {what}: {told}"])
    try:
        base, base_lines = _read(others(parent), parent, others, (*seen, parent))
    except UnknownPack as error:
        raise PolicyError(name, [f"line {line}: extends: {error}"]) from error
    _pack(base, parent, base_lines)
    return _over(base, own, name, lines), lines


def _toml(text: str, name: str) -> tuple[dict[str, Any], Mapping[Where, int]]:
    try:
        return tomllib.loads(text), lines_of(text)
    except (ValueError, RecursionError) as error:  # the former also for numbers without end
        at = AT_LINE.search(str(error))
        line = at[1] if at else len(text.rstrip().splitlines()) if AT_END in str(error) else ""
        where = f"line {line}: " if line else ""
        raise PolicyError(name, [f"{where}is no TOML: {error}"]) from error


def _cite(document: dict[str, Any]) -> None:
    """Write what the pack says once of all its parts into each."""
    cited = {key: document[key] for key in CITES if key in document}
    parts = [document.get(kind) for kind in PARTS]
    tables = [table for part in parts if isinstance(part, dict) for table in part.values()]
    extensions = document.get("extensions")
    tables += extensions if isinstance(extensions, list) else []
    for table in tables:
        if isinstance(table, dict):
            for key, value in cited.items():
                table.setdefault(key, value)


def _over(
    base: dict[str, Any], own: dict[str, Any], name: str, lines: Mapping[Where, int]
) -> dict[str, Any]:
    """A pack over the one that it extends: a clause, deadline or signal is replaced whole, so that
    no figure is cited from a page that it does not stand on."""
    taken = {key: value for key, value in base.items() if key not in OWN}
    found = {**taken, **own}
    kept = {kind: dict(base.get(kind, {})) for kind in PARTS}
    slips = []
    for leave in dict.fromkeys(_texts(own.get("without"))):
        if not any([kept[kind].pop(leave, None) for kind in PARTS]):
            what = f"{leave!r} is in no table of {own['extends']}"
            known = [part for kind in PARTS for part in base.get(kind, {})]
            place = own["without"].index(leave)
            slips.append(_told(("without", place), what + meant(leave, known), lines))
    if slips:
        raise PolicyError(name, slips)
    for kind in PARTS:
        if isinstance(own.get(kind, {}), dict):
            found[kind] = {**kept[kind], **own.get(kind, {})}
    if isinstance(own.get("extensions", []), list):
        left = {key for kind in PARTS if isinstance(found[kind], dict) for key in found[kind]}
        announced = [
            {**one, "clocks": clocks}
            for one in base.get("extensions", [])
            if (clocks := [clock for clock in one["clocks"] if clock in left])
        ]
        found["extensions"] = [*own.get("extensions", []), *announced]  # its own keep their places
    return found


def _texts(found: object) -> list[str]:
    """The texts of a list; what else stands there is told when the pack is validated."""
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _slip(error: dict[str, Any], lines: Mapping[Where, int]) -> str:
    """One thing that is wrong: line, key, what, and what would be right."""
    where: Where = tuple(error["loc"])
    if where and where[-1] in CITES and where not in lines and where[-1:] in lines:
        where = where[-1:]  # it is written once, for all parts
    named = [part for part in where if isinstance(part, str)]
    told = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing":
        what = "is missing"
    elif error["type"] == "extra_forbidden":
        what = f"there is no such key{meant(where[-1], keys_at(where[:-1]))}"
    elif error["type"] == "value_error" and not told.startswith("is no "):
        what = told
    else:
        what = f"{shown(error['input'])} is given"
    part = len(where) == 2 and where[0] in PARTS  # by a name of its maker's own
    accepted = ACCEPTED.get(named[-1]) if named and not part else None
    right = f"; accepted: {accepted}" if accepted and what != told else ""
    return _told(where, f"{what}{right}", lines)


def _told(where: Where, what: str, lines: Mapping[Where, int]) -> str:
    """What is wrong there, with its line and its key."""
    key = f"{'.'.join(map(str, where))}: " if where else ""
    return f"line {line_at(lines, where)}: {key}{what}"


def keys_at(where: Where) -> tuple[str, ...]:
    """The keys that may stand in a table of a pack; `where` leads to it from the top."""
    if not where:
        return _keys(Pack)
    table = Dates if where[:2] in DATES else TABLES.get(str(where[0]))
    return _keys(table) if table else ()


def _keys(part: type[Part]) -> tuple[str, ...]:
    return tuple(field.alias or name for name, field in part.model_fields.items())


TABLES: Mapping[str, type[Part]] = {
    "clauses": Clause,
    "deadlines": Deadline,
    "extensions": Extension,
    "signals": Signal,
    "calendar": Calendar,
}
"""The tables of a pack, or what stands in each of them."""

DATES = (("calendar", "closed"), ("calendar", "worked"))
"""Tables within a table."""


def _line_of(slip: str) -> tuple[int, str]:
    number = slip.removeprefix("line ").partition(":")[0]
    return int(number), slip


NO_TEXT = "is no text in UTF-8"


class UnknownPack(PolicyError):
    """There is no pack of that name."""

    def __init__(self, name: str) -> None:
        told = f"there is no pack {name!r}; there are: {', '.join(names())}"
        self.name, self.slips = name, (told,)
        Exception.__init__(self, told)


@cache
def names() -> tuple[str, ...]:
    """The packs that are there, by name."""
    folder = resources.files(PACKAGE) / "policies"
    files = (path.name for path in folder.iterdir() if path.is_file())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


def text_of(name: str) -> str:
    """The TOML of a pack that is there. Raises `UnknownPack`, and `PolicyError` for what is no
    text."""
    if name not in names():
        raise UnknownPack(name)
    try:
        return (resources.files(PACKAGE) / "policies" / f"{name}.toml").read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise PolicyError(name, [NO_TEXT]) from None


@cache
def reach(name: str) -> Reach:
    """Whose orders a pack rules, without reading the rest: a shop's first order must not wait for
    the packs, and the calendars, of all other markets."""
    document, lines = _toml(text_of(name), name)
    return _checked(Reach, document, name, lines)


@cache
def load(name: str) -> Pack:
    """A pack that is there, by name. Raises `PolicyError`."""
    return parse_pack(text_of(name), name)


@cache
def policy_for(
    market: str, day: dt.date, zone: str, chosen: str = "", closed: tuple[Span, ...] = ()
) -> Policy:
    """The pack in force for a market on an order's local day, else the default pack; or the one
    that the shop has chosen. Raises `PolicyError` where there is no such pack.

    `zone` is the shop's; on the days on which it is `closed` nothing is counted in working days.
    """
    if chosen:
        return as_policy(load(chosen), market, zone, closed)
    pack = newest(map(reach, names()), market, day)
    return as_policy(load(pack.name if pack else DEFAULT), market, zone, closed)


def newest(packs: Iterable[Of], market: str, day: dt.date) -> Of | None:
    """The pack of these that is in force for a market on a day: of several the newest; None where
    none is, and the default pack rules."""
    in_force = [pack for pack in packs if pack.in_force(market, day)]
    return max(in_force, key=lambda pack: (pack.since, pack.name), default=None)


def as_policy(pack: Pack, market: str, zone: str, closed: tuple[Span, ...] = ()) -> Policy:
    """A pack as it rules the orders of a shop."""
    if pack.calendar is None:
        return Policy(pack, ZoneInfo(zone))
    return Policy(pack, ZoneInfo(zone), pack.calendar.days(market, closed))
