"""Checking a JSON value against a written-down shape.

A shape is `str`, `int`, `bool` or `object` (anything), a tuple of allowed words, a list holding
one shape, or a dict of names; a name ending in `!` must be there, a shape under `*` is for any
name. Unknown names are refused: a marketplace would ignore or misread them, and a client should
notice (36009004, "unexpected identifier").
"""

from __future__ import annotations

from sandbox.wire import BAD_PARAMETER, Refusal

Shape = object

_WORDS: dict[type, str] = {str: "a string", int: "a whole number", bool: "true or false"}


def check(value: object, shape: Shape, where: str = "body") -> None:
    """Raise `Refusal` 36009004 naming the first place where the value is not of the shape."""
    if isinstance(shape, dict):
        _check_fields(value, shape, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Refusal(BAD_PARAMETER, f"{where} must be a list")
        for index, item in enumerate(value):
            check(item, shape[0], f"{where}[{index}]")
    elif isinstance(shape, tuple):
        if value not in shape:
            raise Refusal(BAD_PARAMETER, f"{where} must be one of {', '.join(shape)}")
    # `type is`, because True would pass for a number.
    elif isinstance(shape, type) and shape is not object and type(value) is not shape:
        raise Refusal(BAD_PARAMETER, f"{where} must be {_WORDS[shape]}")


def _check_fields(value: object, shape: dict[str, Shape], where: str) -> None:
    if not isinstance(value, dict):
        raise Refusal(BAD_PARAMETER, f"{where} must be an object")
    known = {name.rstrip("!"): inner for name, inner in shape.items()}
    for name, item in value.items():
        if name not in known and "*" not in known:
            raise Refusal(BAD_PARAMETER, f"unexpected identifier {where}.{name}")
        check(item, known.get(name, known.get("*")), f"{where}.{name}")
    for name in shape:
        if name.endswith("!") and name.rstrip("!") not in value:
            raise Refusal(BAD_PARAMETER, f"param {where}.{name.rstrip('!')} is missing")
