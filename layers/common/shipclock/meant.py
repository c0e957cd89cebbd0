"""Words that somebody wrote which are none of those accepted: which was meant, or that none was."""

from collections.abc import Iterable


class BadQuery(ValueError):
    """A word of a query can't be meant; the message names it, and what is accepted."""


def meant(found: object, accepted: Iterable[str]) -> str:
    """The nearest accepted word, as a question; empty where none is near."""
    if not isinstance(found, str):
        return ""
    import difflib  # only where something is wrong: functions start without it

    near = difflib.get_close_matches(found.lower(), list(accepted), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
