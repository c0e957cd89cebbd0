"""What was written where something else is accepted: how it is shown, and what was meant."""

from collections.abc import Iterable

SHOWN = 80


def shown(value: object) -> str:
    """A value as a message shows it: cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # of numbers with thousands of digits, of tables in tables
        return "something without end"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


class BadQuery(ValueError):
    """A word of a query can't be meant; the message names it, and what is accepted."""


def meant(found: object, accepted: Iterable[str]) -> str:
    """The nearest accepted word, as a question; empty where none is near."""
    if not isinstance(found, str):
        return ""
    import difflib  # only where something is wrong: functions start without it

    near = difflib.get_close_matches(found.lower(), list(accepted), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
