"""Tracking numbers, as links and events are keyed by them."""


def is_number(number: str) -> bool:
    """Whether a normalised text can be a tracking number: 1 to 64 plain characters."""
    return 0 < len(number) <= 64 and number.isascii() and number.isprintable()


def normal(number: str) -> str:
    """A tracking number as links and events are keyed by it: no spaces or hyphens, capitals."""
    return "".join(number.split()).replace("-", "").upper()
