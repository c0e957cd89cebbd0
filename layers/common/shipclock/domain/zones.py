"""Names of time zones: those of the IANA database that the layer ships, and no others."""

from functools import cache
from importlib import resources


def is_zone(name: str) -> bool:
    """Whether that is a time zone, wherever this runs: a system's own extra files, such as
    `localtime`, mean something else on each machine."""
    return name in _names()


NOWHERE = "Factory"
"""What the database calls a machine's zone that nobody has set."""


@cache
def _names() -> frozenset[str]:
    listed = (resources.files("tzdata") / "zones").read_text("ascii")
    return frozenset(listed.split()) - {NOWHERE}
