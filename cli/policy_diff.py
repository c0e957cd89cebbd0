"""Two policy packs side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, count
from typing import Any

from shipclock.rules.packs import PARTS
from shipclock.rules.policy import Pack

TOP = ("title", "markets", "from", "until", "zone", "calendar", "ship_on")


def differing(before: Pack, after: Pack) -> Iterator[str]:
    """What differs between two packs, part by part, whatever either takes over from others."""
    was, now = before.model_dump(by_alias=True), after.model_dump(by_alias=True)
    yield from _changed("", {key: was[key] for key in TOP}, {key: now[key] for key in TOP})
    for kind in PARTS:
        yield from _tables(kind, was[kind], now[kind])
    yield from _tables("extensions", *map(_announced, (was["extensions"], now["extensions"])))


def _announced(extensions: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By their days and clocks, and of several of the same by their places."""
    found: dict[str, dict[str, Any]] = {}
    for one in extensions:
        known = f"{one['from']} to {one['to']} of {', '.join(one['clocks'])}"
        places = (f"{known} ({place})" for place in count(2))
        found[next(name for name in chain((known,), places) if name not in found)] = one
    return found


def _tables(
    kind: str, was: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]
) -> Iterator[str]:
    for name in dict.fromkeys((*was, *now)):
        if name not in was:
            yield f"+ {kind}.{name}"
            yield from _said(now[name])
        elif name not in now:
            yield f"- {kind}.{name}"
            yield from _said(was[name])
        elif was[name] != now[name]:
            yield f"~ {kind}.{name}"
            yield from _changed("    ", was[name], now[name])


def _said(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if value is not False and value not in (None, "", ()):
            yield f"    {key:<22}{_value(value)}"


def _changed(indent: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in was:
        if was[key] != now[key]:
            yield f"{indent}{key:<22}{_value(was[key])} -> {_value(now[key])}"


def _value(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, tuple | list):
        return ", ".join("none" if one == "" else _value(one) for one in value) or "-"
    if isinstance(value, dict):
        return "; ".join(f"{key} {_value(one)}" for key, one in value.items() if one) or "-"
    return str(value)
