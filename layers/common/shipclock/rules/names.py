"""What the parts of a pack are called: clauses after their rules, deadlines as their maker likes,
signals after the figures that there are. All of it is looked at before the figures are."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module, resources
from typing import Any

from shipclock.domain.fields import FIELDS
from shipclock.meant import meant
from shipclock.toml_lines import Where

PACKAGE = "shipclock.rules"
NOT_RULES = frozenset(
    {
        *("__init__", "calendar", "deadlines", "incidents", "marketplace_fields"),
        *("figures", "names", "packs", "policy", "rule"),
    }
)
"""Modules here that are not rules, so no clause may be named after them."""

LENGTH = "length"
"""In a rule's `NEEDS`: its clause says how long the clock runs."""

LENGTHS = ("hours", "calendar_days", "working_days")
"""The keys of which one says that."""

SHIPPING = "shipping"
"""In a rule's `TAKES`: its clause may say of which shipping types it is."""

SIGNALS = ("late_dispatch", "valid_tracking", "on_time_delivery", "seller_cancellation")
"""The figures of a shop that a pack may draw a line for."""

NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")

Slips = Iterator[tuple[Where, str]]
"""Where something stands, and what is wrong with it."""


@cache
def rule_names() -> tuple[str, ...]:
    """The rules that a clause may be of."""
    files = (path.name for path in resources.files(PACKAGE).iterdir())
    names = {name.removesuffix(".py") for name in files if name.endswith(".py")}
    return tuple(sorted(names - NOT_RULES))


def rule_needs(name: str) -> tuple[str, ...]:
    """The figures that the rule of that name needs its clause to give."""
    needs: tuple[str, ...] = getattr(import_module(f"{PACKAGE}.{name}"), "NEEDS", ())
    return needs


def rule_takes(name: str) -> tuple[str, ...]:
    """What the rule of that name heeds in its clause beside the figures that it needs."""
    takes: tuple[str, ...] = getattr(import_module(f"{PACKAGE}.{name}"), "TAKES", ())
    return takes


def misnamed(document: Mapping[str, Any]) -> Slips:
    """What is called after nothing that there is in a pack's document, whole or not, and what a
    clause lacks of what its rule needs."""
    clauses, deadlines = _tables(document, "clauses"), _tables(document, "deadlines")
    for name, table in clauses.items():
        yield from _clause(name, table)
    for name, table in deadlines.items():
        yield from _deadline(name, table)
    for name in _tables(document, "signals"):
        if name not in SIGNALS:
            yield ("signals", name), f"no signal is called {name}; {_there_are(name, SIGNALS)}"
    yield from _extended(document.get("extensions"), clauses, (*clauses, *deadlines))


def _tables(document: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """What stands in a table of tables; what is none is told when the pack is validated."""
    found = document.get(kind)
    told = found.items() if isinstance(found, dict) else ()
    return {name: table for name, table in told if isinstance(table, dict)}


def _there_are(name: str, known: tuple[str, ...]) -> str:
    return f"there are {', '.join(known)}{meant(name, known)}"


def _clause(name: str, table: dict[str, Any]) -> Slips:
    where = ("clauses", name)
    if name not in rule_names():
        yield where, f"no rule is called {name}; {_there_are(name, rule_names())}"
        return
    for needed in rule_needs(name):
        if needed == LENGTH and not table.keys() & {*LENGTHS}:
            yield (*where, LENGTHS[0]), "is missing, or calendar_days, or working_days"
        elif needed != LENGTH and needed not in table:
            yield (*where, needed), "is missing: its rule needs it"
    if SHIPPING in table and SHIPPING not in rule_takes(name):
        yield (*where, SHIPPING), "the rule itself says of which orders it is"


def _deadline(name: str, table: dict[str, Any]) -> Slips:
    where = ("deadlines", name)
    if not NAME.fullmatch(name):
        yield where, f"{name!r} is no name: 2 to 40 of a-z, 0-9 and _ are accepted"
    if name in rule_names() or name in FIELDS or name in NOT_RULES:
        yield where, f"{name} is another clock's name already"
    for place, field in _texts(table.get("replaced_by")):
        if field not in FIELDS:
            told = f"{field} is no field; {_there_are(field, tuple(FIELDS))}"
            yield (*where, "replaced_by", place), told


def _extended(extensions: object, clauses: Mapping[str, object], clocks: tuple[str, ...]) -> Slips:
    for number, table in enumerate(extensions if isinstance(extensions, list) else ()):
        for place, clock in _texts(table.get("clocks") if isinstance(table, dict) else None):
            where = ("extensions", number, "clocks", place)
            if clock not in clocks:
                yield where, f"no clock of this pack is called {clock}; {_there_are(clock, clocks)}"
            elif clock in clauses and clock in rule_names() and LENGTH not in rule_needs(clock):
                yield (
                    where,
                    f"{clock} has no length: no extension moves what the marketplace or an event "
                    "sets",
                )


def _texts(found: object) -> Iterator[tuple[int, str]]:
    """The texts of a list, with their places."""
    told = enumerate(found) if isinstance(found, list) else ()
    return ((place, one) for place, one in told if isinstance(one, str))
