"""Fields that the bodies of carriers have in common, read alike for each of them."""

from datetime import UTC, datetime

from shipclock.domain.number import is_number, normal
from shipclock.domain.tracking import TimeBasis
from shipclock.reading import Unreadable, iso, plausible


def number_of(written: str, field: str) -> str:
    """A tracking number as scans and links are keyed by it.

    Raises `Unreadable`, naming the field, where it can't be one.
    """
    number = normal(written)
    if not is_number(number):
        raise Unreadable(f"{field}: 1 to 64 plain characters were expected")
    return number


def instant(text: str, field: str) -> tuple[datetime, TimeBasis]:
    """An event's own time in ISO 8601. Without an offset it is read as UTC and proves nothing
    missed. Raises `Unreadable`, naming the field, where it is none."""
    try:
        naive = datetime.fromisoformat(text.upper())
    except ValueError as error:
        raise Unreadable(f"{field}: {text!r} is no ISO 8601 time") from error
    if naive.tzinfo is None:
        return plausible(naive.replace(tzinfo=UTC), field), TimeBasis.ZONE
    basis = TimeBasis.UTC if text.endswith(("Z", "z")) else TimeBasis.OFFSET
    return iso(text, field), basis
