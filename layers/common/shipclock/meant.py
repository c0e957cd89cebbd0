"""Which of the accepted words was meant, where somebody wrote another."""

from collections.abc import Iterable


def meant(found: object, accepted: Iterable[str]) -> str:
    """The nearest accepted word, as a question; empty where none is near."""
    if not isinstance(found, str):
        return ""
    import difflib  # only where something is wrong: functions start without it

    near = difflib.get_close_matches(found.lower(), list(accepted), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
