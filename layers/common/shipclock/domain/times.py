"""Instants: aware UTC datetimes inside, `YYYY-MM-DDTHH:MM:SSZ` outside (DESIGN 6, times)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC)


def from_unix(seconds: float) -> datetime:
    """The instant of a Unix time in seconds; raises ValueError when it fits no calendar."""
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"{seconds} seconds is no instant of this calendar") from error


def parse(text: str) -> datetime:
    """Read an ISO 8601 instant that names its offset; raises ValueError when it does not.

    A time without an offset is refused rather than guessed: deadlines rest on it.
    """
    instant = datetime.fromisoformat(text.upper())  # a small t and z are allowed (RFC 3339)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} names no offset from UTC; write it as 2026-11-10T18:04:00Z")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is no instant of this calendar") from error


def plain(instant: datetime) -> datetime:
    """The same instant in `datetime.UTC` itself: two instants of one zone object compare several
    times faster than two whose zones must be asked for their offsets."""
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def stamp(instant: datetime) -> str:
    """`YYYY-MM-DDTHH:MM:SSZ`; a fraction of a second is cut off."""
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def local(instant: datetime, zone: ZoneInfo) -> str:
    """The instant for people of a time zone: `Sat 6 Jun 2026, 09:10 (Asia/Kuala_Lumpur)`."""
    there = instant.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y, %H:%M} ({zone.key})"


def ceil(instant: datetime) -> datetime:
    """The first whole second at or after the instant."""
    whole = instant.replace(microsecond=0)
    return whole if whole == instant or whole >= _LATEST else whole + timedelta(seconds=1)
