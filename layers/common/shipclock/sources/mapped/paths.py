"""JMESPath over bodies of strangers: whatever an expression finds is read, or `Unreadable`.

The expressions are the mapping's own, the bodies are not. An expression sees a body, a parcel or a
scan and nothing around it, so the work grows no faster than the body.
"""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import jmespath
from jmespath.exceptions import (
    JMESPathError,
    JMESPathTypeError,
    ParseError,
    UnknownFunctionError,
)
from jmespath.functions import Functions

from shipclock.reading import Unreadable, words
from shipclock.sources.mapped.report import Report, shown

LONGEST_SHOWN = 80

_COMPILED = cache(jmespath.compile)


def found(path: str, data: object, key: str) -> Any:
    """What an expression finds; None where nothing. Raises `Unreadable` naming key and expression.

    `key` is the mapping's key that holds the expression.
    """
    try:
        return _COMPILED(path).search(data)
    except JMESPathTypeError as error:
        # its own message quotes the value, which may be anybody's name
        why = f"{error.function_name}() takes no {error.actual_type}"
    except (ParseError, UnknownFunctionError):
        why = f"no JMESPath: {wrong(path)}"
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        # some of Python's own errors come through: a text compared with a number, infinity rounded
        why = type(error).__name__
    raise Unreadable(f"{named(key, path)}: {why}")


def named(key: str, *paths: str) -> str:
    """A key with what it holds, for messages."""
    return f"{key} `{'`, `'.join(path[:LONGEST_SHOWN] for path in paths)}`"


def text(path: str, data: object, key: str) -> str:
    """A text, or a whole number as one; empty where nothing is found."""
    return as_text(found(path, data, key), path, key)


def as_text(value: object, path: str, key: str) -> str:
    """What was found, as `text` takes it."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not isinstance(value, str):
        kind = kind_of(value)
        raise Unreadable(f"{named(key, path)}: a text or a whole number was expected, not {kind}")
    return words({key: value}, key)


def scalar(path: str, data: object, key: str) -> str:
    """A text, a whole number, or true or false as a text, to be compared with one."""
    value = found(path, data, key)
    return str(value).lower() if isinstance(value, bool) else as_text(value, path, key)


def number(path: str, data: object, key: str) -> str:
    """A number in digits, for times in seconds; a text as it is, empty where nothing is found."""
    value = found(path, data, key)
    if isinstance(value, float):
        return f"{value:.6f}"
    return as_text(value, path, key)


def flag(path: str, data: object, key: str) -> bool:
    """True or false; false where nothing is found."""
    value = found(path, data, key)
    if value is not None and not isinstance(value, bool):
        raise Unreadable(f"{named(key, path)}: true or false was expected, not {kind_of(value)}")
    return value is True


def there(path: str, data: object, key: str) -> bool:
    """Whether anything is found that is not empty, false or blank."""
    value = found(path, data, key)
    return bool(value.strip() if isinstance(value, str) else value)


def kind_of(value: object) -> str:
    """A JSON value's kind in words."""
    kinds: Mapping[type, str] = {
        **{bool: "true or false", int: "a number", float: "a number", str: "a text"},
        **{list: "a list", dict: "an object", type(None): "null"},
    }
    return kinds.get(type(value), "an expression")


# BEFORE ANYTHING ARRIVES --------------------------------------------------------------------------


def check(report: Report) -> None:
    """Tell of every expression of a mapping that is no JMESPath, or calls what is no function."""
    for where, path in report.paths:
        if why := wrong(path):
            report.wrong(where, f"{shown(path)} is no JMESPath: {why}")


def wrong(path: str) -> str:
    """Why an expression is no JMESPath, with the column; empty where it is one."""
    try:
        return "; ".join(_calls(_COMPILED(path).parsed))
    except ParseError as error:
        at = min(error.lex_position, len(path))
        if at == len(path):
            return f"it ends too early (column {at + 1})"
        return f"{shown(path[at : at + 10])} is not expected at column {at + 1}"
    except RecursionError:
        return "it is nested too deeply"
    except JMESPathError as error:
        return str(error)


def _calls(node: Any) -> Iterator[str]:
    """What is wrong with the functions that a parsed expression calls."""
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        known = Functions.FUNCTION_TABLE.get(name)
        if known is None:
            near = difflib.get_close_matches(name, list(Functions.FUNCTION_TABLE), 1)
            yield f"there is no function {name}()" + (
                f"; did you mean {near[0]}()?" if near else ""
            )
        else:
            least, more = len(known["signature"]), known["signature"][-1].get("variadic")
            if given < least or (given > least and not more):
                yield f"{name}() takes {least} arguments{' or more' if more else ''}, not {given}"
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _calls(child)
