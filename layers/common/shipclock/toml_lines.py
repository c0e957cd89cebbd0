"""Where keys stand in a TOML text: `tomllib` reads values and forgets their lines."""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Where = tuple[str | int, ...]
"""The keys that lead to a value, from the top; a number is a place in a list."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?"{3,5}'
    + r"|'''[\s\S]*?'{3,5}"
    + r'|"(?:\\.|[^"\\\n])*"'
    + r"|'[^'\n]*'"
)
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+")


def lines_of(text: str) -> Mapping[Where, int]:
    """The line, counted from 1, of every key and list entry of a text that `tomllib` has read."""
    reader = _Reader(text)
    reader.document()
    return reader.found


def line_at(lines: Mapping[Where, int], where: Where) -> int:
    """The line of a key, or of the nearest table around it that is written down."""
    while where and where not in lines:
        where = where[:-1]
    return lines.get(where, 1)


class _Reader:
    """Walks through the text once. What it can't follow ends the walk; it never raises."""

    def __init__(self, text: str) -> None:
        self.found: dict[Where, int] = {}
        self._text = text
        self._at = 0
        self._breaks = [at for at, letter in enumerate(text) if letter == "\n"]
        self._counts: dict[Where, int] = {}

    def document(self) -> None:
        table: Where = ()
        while self._skip() < len(self._text):
            before = self._at
            if self._sees("["):
                table = self._header()
            else:
                self._pair(table)
            if self._at == before:
                return

    def _header(self) -> Where:
        line, many = self._line(), self._sees("[")
        where = self._keys((), line)
        if many:
            count = self._counts.get(where, 0)
            self._counts[where] = count + 1
            where = (*where, count)
            self.found.setdefault(where, line)
            self._sees("]")
        self._sees("]")
        return where

    def _pair(self, table: Where) -> None:
        where = self._keys(table, self._line())
        if self._sees("="):
            self._value(where)

    def _keys(self, table: Where, line: int) -> Where:
        """A key, dotted or not; each of its parts is a table that begins here if nowhere before."""
        where = table
        while True:
            self._skip()
            part = _BARE.match(self._text, self._at) or _STRING.match(self._text, self._at)
            if part is None:
                return where
            self._at = part.end()
            where = (*where, _plain(part[0]))
            self.found.setdefault(where, line)
            if not self._sees("."):
                return where

    def _value(self, where: Where) -> None:
        if self._sees("["):
            count = 0
            while not self._ended("]"):
                self.found.setdefault((*where, count), self._line())
                self._value((*where, count))
                count += 1
                self._sees(",")
        elif self._sees("{"):
            while not self._ended("}"):
                self._pair(where)
                self._sees(",")
        else:
            self._skip()
            scalar = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            self._at = scalar.end() if scalar else len(self._text)

    def _ended(self, bracket: str) -> bool:
        return self._sees(bracket) or self._at >= len(self._text)

    def _sees(self, mark: str) -> bool:
        """Whether this comes next; it is stepped over then."""
        self._skip()
        if not self._text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _skip(self) -> int:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at
        return self._at

    def _line(self) -> int:
        self._skip()
        return bisect_right(self._breaks, self._at) + 1


def _plain(key: str) -> str:
    """A key without its quotes."""
    if key[0] not in "\"'":
        return key
    found: str = tomllib.loads(f"key = {key}")["key"]
    return found
