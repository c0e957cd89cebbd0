"""Reading the tables of a mapping's file: every accessor tells what is wrong and reads on."""

import re
from collections.abc import Callable, Collection
from typing import Any
from zoneinfo import ZoneInfo

from shipclock.domain.zones import is_zone
from shipclock.meant import meant
from shipclock.sources.mapped.report import Report, none_of, shown
from shipclock.toml_lines import Where

LONGEST_TEXT = 300
LONGEST_PATH = 500
BREAKS = re.compile(r"[\n\r\t]")


class Table:
    """One table, and which of its keys were asked for: any other is unknown.

    What is wrong goes into the report, and something harmless is returned in its place.
    """

    def __init__(self, report: Report, found: object, where: Where = ()) -> None:
        """What is no table is told, and counts as an empty one."""
        self.report = report
        self.where = where
        self._asked: dict[str, None] = {}
        self._found: dict[str, Any] = {}
        if isinstance(found, dict):
            self._found = found
        elif found is not None:
            report.wrong(where, f"a table [{'.'.join(map(str, where))}] is expected, {is_a(found)}")
        self.there = isinstance(found, dict)

    def at(self, key: str) -> Where:
        """Where a key of this table stands."""
        return (*self.where, key)

    def has(self, key: str) -> bool:
        """Whether the key is there, whatever it holds."""
        return key in self._found

    def wrong(self, key: str, what: str) -> None:
        """Tell what is wrong with a key."""
        self.report.wrong(self.at(key), what)

    def table(self, key: str, needed: str = "") -> "Table":
        """A table within; an empty one where it is not there. `needed` says what it is for."""
        return Table(self.report, self._get(key, needed), self.at(key))

    def keys(self) -> Collection[str]:
        """The keys that are there, in the order they are written."""
        return self._found.keys()

    def may(self, key: str) -> None:
        """A key may be there; what it holds is looked at elsewhere, or can't be yet."""
        self._asked[key] = None

    def any(self, key: str) -> Any:
        """Whatever a key holds; None where it is not there."""
        return self._get(key)

    def items(self) -> list[tuple[str, Any]]:
        """All of a table whose keys are the writer's own."""
        self._asked |= dict.fromkeys(self._found)
        return list(self._found.items())

    def text(
        self,
        key: str,
        default: str = "",
        needed: str = "",
        *,
        longest: int = LONGEST_TEXT,
        lines: bool = False,
    ) -> str:
        """A text, of several lines where it may be. `needed` says what it is for, where there must
        be one."""
        found = self._get(key, needed)
        if found is None:
            return default
        if not isinstance(found, str):
            self.wrong(key, f"a text is expected, {is_a(found)}")
        elif len(found) > longest or not (BREAKS.sub("", found) if lines else found).isprintable():
            self.wrong(key, f"at most {longest} printable characters are expected")
        elif needed and not found.strip():
            self.wrong(key, f"is empty: {needed}")
        else:
            return found
        return default

    def written(self, key: str, like: re.Pattern[str], what: str, needed: str = "") -> str:
        """A text of a form; `what` tells a person which."""
        found = self.text(key, needed=needed)
        if found and not like.fullmatch(found):
            self.wrong(key, f"{shown(found)} is no {what}")
            return ""
        return found

    def choice(
        self, key: str, accepted: Collection[str], default: str = "", needed: str = ""
    ) -> str:
        """One of some words."""
        found = self._get(key, f"{needed}: one of {', '.join(accepted)}" if needed else "")
        if found is None:
            return default
        if not isinstance(found, str) or found not in accepted:
            self.wrong(key, none_of(found, accepted))
            return default
        return found

    def whole(self, key: str, least: int, most: int, default: int) -> int:
        """A whole number within limits."""
        found = self._get(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            self.wrong(key, f"a whole number from {least} to {most} is expected, {is_a(found)}")
            return default
        return found

    def flag(self, key: str) -> bool:
        """True or false; false where it is not there."""
        found = self._get(key)
        if found is not None and not isinstance(found, bool):
            self.wrong(key, f"true or false is expected, {is_a(found)}")
        return found is True

    def texts(self, key: str, needed: str = "") -> tuple[str, ...]:
        """A text, or a list of some."""
        return self._each(key, needed, "a text", self._line)

    def path(self, key: str, needed: str = "") -> str:
        """A JMESPath expression; empty where there is none."""
        found = self._get(key, needed)
        return "" if found is None else self._path(self.at(key), found)

    def paths(self, key: str, needed: str = "") -> tuple[str, ...]:
        """A JMESPath expression, or a list of some."""
        return self._each(key, needed, "a JMESPath", self._path)

    def zone(self, key: str) -> ZoneInfo | None:
        """A time zone by its IANA name."""
        found = self.text(key)
        if found and not is_zone(found):
            self.wrong(key, f"{shown(found)} is no IANA time zone such as Asia/Kuala_Lumpur")
            return None
        return ZoneInfo(found) if found else None

    def close(self, why: str = "") -> None:
        """Tell of every key that was not asked for."""
        for key in self._found:
            if key not in self._asked:
                takes = f"; there may be {', '.join(self._asked)}" if self._asked else ""
                near = meant(key, self._asked)
                self.wrong(key, f"there is no such key{why}" + (near or takes))

    def _get(self, key: str, needed: str = "") -> Any:
        self._asked[key] = None
        if needed and key not in self._found:
            self.report.lacking(self.at(key), needed)
        return self._found.get(key)

    def _each(
        self, key: str, needed: str, what: str, read: Callable[[Where, object], str]
    ) -> tuple[str, ...]:
        found = self._get(key, needed)
        if found is None:
            return ()
        if not isinstance(found, list):
            return tuple(filter(None, [read(self.at(key), found)]))
        if not found:
            self.wrong(key, f"{what}, or a list with at least one, is expected")
        listed = [read((*self.at(key), at), one) for at, one in enumerate(found)]
        return tuple(filter(None, listed))

    def _line(self, where: Where, found: object) -> str:
        if isinstance(found, str) and 0 < len(found) <= LONGEST_TEXT and found == found.strip():
            return found
        self.report.wrong(where, f"a text without blanks around it is expected, {is_a(found)}")
        return ""

    def _path(self, where: Where, found: object) -> str:
        if not isinstance(found, str):
            self.report.wrong(where, f"a JMESPath is expected as a text, {is_a(found)}")
        elif not found.strip() or len(found) > LONGEST_PATH:
            self.report.wrong(where, f"a JMESPath of 1 to {LONGEST_PATH} characters is expected")
        else:
            self.report.paths.append((where, found))
            return found
        return ""


def is_a(found: object) -> str:
    """What was found instead, for the end of a message."""
    kinds = {str: "text", bool: "truth value", int: "number", float: "number", dict: "table"}
    kind = kinds.get(type(found), "list" if isinstance(found, list) else "date or time")
    return f"and {shown(found)} is found, a {kind}"
