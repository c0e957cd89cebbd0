"""Reading untrusted JSON and forms: every wrong type becomes an `Unreadable` naming the field."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import parse_qs

from shipclock.domain.times import from_unix, parse

Object = Mapping[str, Any]


class Unreadable(Exception):
    """Something authentic says what we cannot read. It is kept for a person."""


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Times outside are nobody's, and arithmetic with them would leave the calendar."""
_LONGEST_TEXT = 300
_LONGEST_TOKEN = 4096


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def json_object(body: bytes) -> Object:
    """The JSON object in a body. Raises ValueError where it is none, however odd the bytes are."""
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object was expected, not {type(found).__name__}")
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
_SPACE = re.compile(r"[ \t\n\r]*")


def members(body: bytes) -> dict[str, tuple[object, str]]:
    """What a JSON object holds by name, each value with its text exactly as it stands in the body.

    Raises ValueError where it is none, however odd the bytes are, and where it names a thing twice,
    in whatever spelling: readers differ in which of the two counts.
    """
    text = body.decode("utf-8")
    found: dict[str, tuple[object, str]] = {}
    at = _past("{", text, _skip(text, 0))
    closed = text[at : at + 1] == "}"
    try:
        while not closed:
            name, end = _DECODER.raw_decode(text, at)
            if not isinstance(name, str) or name in found:
                raise ValueError("a name was expected that is not there yet")
            start = _past(":", text, _skip(text, end))
            value, end = _DECODER.raw_decode(text, start)
            found[name] = value, text[start:end]
            at = _skip(text, end)
            closed = text[at : at + 1] == "}"
            at = at if closed else _past(",", text, at)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if _skip(text, at + 1) != len(text):
        raise ValueError("something follows the object")
    return found


def _skip(text: str, at: int) -> int:
    """The place after any space."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _past(mark: str, text: str, at: int) -> int:
    """The place after a mark that must stand here, and after the space behind it."""
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark} was expected")
    return _skip(text, at + 1)


def form(body: bytes) -> Object:
    """The fields of a form body. Raises ValueError where it is none or a field is repeated."""
    fields = parse_qs(
        body.decode("utf-8"), keep_blank_values=True, strict_parsing=True, max_num_fields=100
    )
    if any(len(values) > 1 for values in fields.values()):
        raise ValueError("a form field is repeated")
    return {name: values[0] for name, values in fields.items()}


def part(data: Object, key: str) -> Object:
    """An object inside an object."""
    found = data.get(key)
    if not isinstance(found, dict):
        raise Unreadable(f"{key}: an object was expected, not {type(found).__name__}")
    return found


def parts(data: Object, key: str) -> list[Object]:
    """A list of objects; an absent one is empty."""
    found = data.get(key)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise Unreadable(f"{key}: a list of objects was expected")
    return found


def identifier(value: object, key: str) -> str:
    """An id: text, or a whole number (some are sent so, above 2^53)."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise Unreadable(f"{key}: an id of letters, digits, - and _ was expected")
    return text


def optional_id(data: Object, key: str) -> str:
    """An id; absent, null or blank is empty."""
    found = data.get(key)
    return identifier(found, key) if found not in (None, "") else ""


def words(data: Object, key: str) -> str:
    """A text; absent or null is empty. Cut to a length and to what can be stored."""
    found = data.get(key)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Unreadable(f"{key}: a text was expected, not {type(found).__name__}")
    return found[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8").strip()


def opaque(data: Object, key: str) -> str:
    """A token of somebody else's making, whole; absent or null is empty."""
    found = data.get(key)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > _LONGEST_TOKEN or not found.isprintable():
        raise Unreadable(f"{key}: a token of at most {_LONGEST_TOKEN} characters was expected")
    return found


def whole(data: Object, key: str) -> int | None:
    """A whole number, also where it is sent as text; None where it is absent or empty."""
    found = data.get(key)
    if found is None or found == "":
        return None
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise Unreadable(f"{key}: a whole number was expected, not {type(found).__name__}")
    return found


def unix(data: Object, key: str) -> datetime | None:
    """An instant in Unix seconds; None where it is absent or 0."""
    seconds = whole(data, key)
    if not seconds:
        return None
    try:
        return plausible(from_unix(seconds), key)
    except ValueError as error:
        raise Unreadable(f"{key}: {error}") from error


def iso(text: str, key: str) -> datetime:
    """An instant in ISO 8601 with its offset."""
    try:
        return plausible(parse(text), key)
    except ValueError as error:
        raise Unreadable(f"{key}: {error}") from error


def plausible(instant: datetime, key: str) -> datetime:
    """The instant, unless it lies so far away that it can't be meant."""
    if not _EARLIEST <= instant < _LATEST:
        raise Unreadable(f"{key}: {instant.isoformat()} is too far away to be meant")
    return instant


def digest(*fields: str) -> str:
    """A stable identity of the given texts; no two lists of texts share one by accident."""
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:40]
