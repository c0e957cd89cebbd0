"""What is wrong with a mapping: all of it at once, each with its line and what would be right."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shipclock.meant import meant
from shipclock.toml_lines import Where, line_at, lines_of

MOST_SLIPS = 5
"""Lines that are no TOML, after which the rest is not looked at."""

_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong, or worth knowing. `key` is empty for a line that is no TOML."""

    line: int
    key: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.told}"

    @property
    def told(self) -> str:
        """What is wrong, and of which key."""
        return f"{self.key}: {self.what}" if self.key else self.what


class MappingError(ValueError):
    """A mapping can't be used. Names the file and every wrong line."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(set(problems)))
        super().__init__(f"mapping {name}: " + "; ".join(map(str, self.problems)))


class Report:
    """Collects what is wrong while a text is read, and what is right but worth knowing."""

    def __init__(self, name: str, raw: bytes) -> None:
        """Reads the TOML. Lines that are none are told and left out, and the others read."""
        self.name = name
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.paths: list[tuple[Where, str]] = []
        self.complete = True
        self._lines: Mapping[Where, int] = {}
        self.document = self._read(raw)

    def wrong(self, where: Where, what: str) -> None:
        """Something that must be mended."""
        self.problems.append(self._problem(where, what))

    def lacking(self, where: Where, what: str) -> None:
        """Something that must be there. Not told where a line can't be read: it may be that one."""
        if self.complete:
            self.wrong(where, f"is missing: {what}")

    def warn(self, where: Where, what: str) -> None:
        """Something that works, and not as one might think."""
        self.warnings.append(self._problem(where, what))

    def line(self, where: Where) -> int:
        """The line on which a key stands."""
        return line_at(self._lines, where)

    def check(self) -> None:
        """Raises `MappingError` if anything is wrong."""
        if self.problems:
            raise MappingError(self.name, self.problems)

    def _problem(self, where: Where, what: str) -> Problem:
        return Problem(self.line(where), ".".join(map(_plain, where)), what)

    def _read(self, raw: bytes) -> dict[str, Any]:
        try:
            text = raw.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            self._slip(raw.count(b"\n", 0, error.start) + 1, "is no text in UTF-8")
            return {}
        lines = text.split("\n")
        for _ in range(MOST_SLIPS):
            text = "\n".join(lines)
            try:
                found = tomllib.loads(text)
                self._lines = lines_of(text)
            except ValueError as error:  # also of numbers without end
                line, what = _slip(error, len(lines))
                self._slip(line, what)
                lines[line - 1] = ""
            except RecursionError:
                self._slip(1, "lists or tables are nested too deeply")
                return {}
            else:
                return found
        # what follows an open bracket or quote is all slips, and none of them is one
        del self.problems[1:]
        return {}

    def _slip(self, line: int, what: str) -> None:
        self.complete = False
        self.problems.append(Problem(line, "", what))


_AT_LINE = re.compile(r"(?s)(.*) \(at (?:line (\d+), column (\d+)|end of document)\)")


def _slip(error: ValueError, last: int) -> tuple[int, str]:
    """The line that is no TOML, and why."""
    told = _AT_LINE.fullmatch(str(error))
    if told is None:
        return last, f"is no TOML: {error}"
    line = min(int(told[2] or last), last)
    column = f" (column {told[3]})" if told[3] else ""
    return line, f"is no TOML: {told[1]}{column}"


def _plain(part: str | int) -> str:
    """A key as it is written, where it is short and stands in one line."""
    text = str(part)
    return text if text.isprintable() and len(text) <= _LONGEST_SHOWN else shown(part)


def shown(found: object) -> str:
    """A value as a message shows it."""
    text = repr(found)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def none_of(found: object, accepted: Iterable[str]) -> str:
    """That a word is none of those accepted, all of which are told, and which is meant perhaps."""
    words = list(accepted)
    return f"{shown(found)} is none of {', '.join(words)}" + meant(found, words)
