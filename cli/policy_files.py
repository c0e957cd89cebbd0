"""Policy packs as files, among the ones that ship."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from shipclock.rules import packs
from shipclock.rules.calendar import Span, is_place
from shipclock.rules.packs import DEFAULT, PARTS, PolicyError, UnknownPack, newest, parse_pack
from shipclock.rules.policy import Pack, Policy

SUFFIX = ".toml"


class NoPackFile(PolicyError):
    """There is no such file, or it is no pack's."""

    def __init__(self, told: str) -> None:
        self.name, self.slips = "", (told,)
        Exception.__init__(self, told)


@dataclass(frozen=True, slots=True)
class Source:
    """A pack as it is written: its name, and the file that it stands in; None of one that ships."""

    name: str
    path: Path | None = None

    @property
    def where(self) -> str:
        """What a message calls it."""
        return str(self.path) if self.path else f"{self.name}{SUFFIX}"

    def text(self) -> str:
        """Its TOML; raises `PolicyError`."""
        return self.other(self.name)

    def other(self, name: str) -> str:
        """The TOML of a pack that it may extend: one beside its file, else one that ships. As it
        will be when the files lie in the folder of packs. Raises `PolicyError`."""
        beside = self.path.with_name(f"{name}{SUFFIX}") if self.path else None
        if beside is None or not is_file(beside):
            return packs.text_of(name)
        try:
            return beside.read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise PolicyError(name, [packs.NO_TEXT]) from None
        except OSError as error:
            raise PolicyError(name, [f"can't be read: {error.strerror}"]) from None

    def pack(self) -> Pack:
        """The pack; raises `PolicyError` naming every wrong line."""
        return parse_pack(self.text(), self.name, self.other)

    def shelf(self) -> dict[str, Pack]:
        """All packs that there would be with this one, and those of its folder that it extends,
        among those that ship: what extends them is changed too. One that can't be used as it ships
        is left out. Raises `PolicyError`, also where it is this pack that breaks another."""
        self.pack()
        ours = {name for name, _ in self.lineage()}

        def text(name: str) -> str:
            return self.other(name) if name in ours else packs.text_of(name)

        names = sorted({*packs.names(), *ours})
        return {name: parse_pack(text(name), name, text) for name in names if usable(name, ours)}

    def lineage(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The names and documents of the pack and of those it extends, nearest first. Of a pack
        that can be read."""
        name, seen = self.name, set[str]()
        while name and name not in seen:
            seen.add(name)
            document = tomllib.loads(self.other(name))
            yield name, document
            name = str(document.get("extends", ""))

    def origins(self) -> dict[tuple[str, str], str]:
        """From which pack each clause, deadline and signal is, by its table and name."""
        found: dict[tuple[str, str], str] = {}
        for name, document in self.lineage():
            for kind in PARTS:
                for part in document.get(kind, {}):
                    found.setdefault((kind, part), name)
        return found


def usable(name: str, ours: set[str]) -> bool:
    """Whether a pack is one of ours, or can be used as it ships."""
    if name not in ours:
        try:
            packs.load(name)
        except PolicyError:
            return False
    return True


def is_file(path: Path) -> bool:
    """Whether there is such a file; of a name that can't be one there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def source_of(word: str) -> Source:
    """A pack that ships, by its name, or one in a file. Raises `PolicyError` where there is no
    such one."""
    path = Path(word)
    if path.suffix == SUFFIX or len(path.parts) > 1:
        if not is_file(path):
            raise NoPackFile(f"there is no file {word}")
        if path.suffix != SUFFIX:
            raise NoPackFile(f"{word} is no {SUFFIX} file")
        return Source(path.stem, path)
    if word not in packs.names():
        raise UnknownPack(word)
    return Source(word)


def choose(shelf: Mapping[str, Pack], market: str, day: date, chosen: str) -> Pack:
    """The pack of a shelf that rules an order of that market and local day, or the one that its
    shop has chosen. Raises `UnknownPack`."""
    if not chosen:
        return newest(shelf.values(), market, day) or shelf[DEFAULT]
    if chosen not in shelf:
        raise UnknownPack(chosen)
    return shelf[chosen]


def policy_from(
    shelf: Mapping[str, Pack],
    market: str,
    day: date,
    zone: str,
    chosen: str,
    closed: tuple[Span, ...],
) -> Policy:
    """As `packs.policy_for` does it, among the packs of a shelf."""
    return policy_in(choose(shelf, market, day, chosen), market, zone, closed)


def policy_in(pack: Pack, market: str, zone: str, closed: tuple[Span, ...] = ()) -> Policy:
    """A pack as it rules the orders of a shop. Raises `PolicyError` where working days are counted
    in a country of which nobody knows the holidays."""
    policy = packs.as_policy(pack, market, zone, closed)
    country = policy.working.country
    if country and not is_place(country, policy.working.subdivision):
        raise PolicyError(
            pack.name,
            [f"the library knows no holidays of {country!r}: say a market, or the country of its "
             "calendar"],
        )  # fmt: skip
    return policy


def instant(text: str, zone: ZoneInfo) -> datetime:
    """An instant in UTC from an ISO text: local in the zone where it names no offset. Raises
    ValueError."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
