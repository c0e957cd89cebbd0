"""A scan's own time, in the forms that a mapping may name."""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from shipclock.domain.tracking import TimeBasis
from shipclock.reading import Unreadable, plausible
from shipclock.sources.fields import When, instant

FORMS = ("iso", "unix", "unix_ms")
"""Beside these, a text with percent signs as `strptime` takes it."""

_FARTHEST = timedelta(hours=14)
_OFFSET = re.compile(r"(?:GMT|UTC)?(?:([+-])([0-9]{1,2})(?::?([0-9]{2}))?|Z)?")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")

_TRIED = datetime(2026, 11, 10, 18, 4, 31, 250_000, timezone(timedelta(hours=8)))


@dataclass(frozen=True, slots=True)
class Form:
    """How times are written. A local one is by the clock of `zone`, else by that of Greenwich."""

    written: str = "iso"
    zone: ZoneInfo | None = None

    @property
    def local(self) -> bool:
        """Whether no time of this form can name its own offset."""
        return self.written not in FORMS and "%z" not in self.written

    def read(self, text: str, offset: str, field: str) -> When:
        """The instant in UTC, and what it rests on. `offset` is what was told beside it of its
        distance from UTC, if anything was. Raises `Unreadable`, naming the field."""
        if self.written in ("unix", "unix_ms"):
            return _unix(text, 1000 if self.written == "unix_ms" else 1, field), TimeBasis.UTC
        if self.written == "iso":
            found, basis = instant(text, field)
        else:
            found, basis = _strptime(text, self.written, field)
        if basis is not TimeBasis.ZONE:
            return found, basis
        if offset:
            return plausible(found - offset_of(offset, field), field), TimeBasis.OFFSET
        if self.zone:
            # of an hour that the clocks show twice the first is taken; in one that they skip they
            # count as not yet put on
            found = found.replace(tzinfo=self.zone).astimezone(UTC)
        return plausible(found, field), TimeBasis.ZONE


def lossy(written: str) -> str:
    """Why a `strptime` text is of no use: it can't be read, or loses the day or the minute."""
    if "%Z" in written:
        return "%Z depends on the machine; name the zone under `zone`, or use %z"
    if not any(year in written for year in ("%Y", "%y", "%G", "%c", "%x", "%D")):
        return "it has no year, such as %Y"
    try:
        told = _TRIED.strftime(written)
        found = datetime.strptime(told, written)  # noqa: DTZ007 - the offset is looked at below
    except (ValueError, re.error) as error:
        return f"strptime can't read it: {error}"
    if found.replace(second=0, microsecond=0, tzinfo=None) != _TRIED.replace(
        second=0, microsecond=0, tzinfo=None
    ):
        return f"it loses the day, the hour or the minute: {told!r} is read as {found.isoformat()}"
    return ""


def offset_of(text: str, field: str) -> timedelta:
    """What "+08:00", "+0800", "+8", "GMT+08:00" and "Z" stand for; `Unreadable` for all else."""
    found = _OFFSET.fullmatch(text.upper())
    hours, minutes = (int(found[2] or 0), int(found[3] or 0)) if found else (99, 0)
    offset = timedelta(hours=hours, minutes=minutes)
    if found is None or minutes > 59 or offset > _FARTHEST:
        raise Unreadable(f"{field}: {text[:40]!r} is no offset such as +08:00")
    return -offset if found[1] == "-" else offset


def _unix(text: str, divisor: int, field: str) -> datetime:
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"{field}: {text[:40]!r} is no Unix time")
    whole, _, part = text.partition(".")
    seconds, rest = divmod(int(whole), divisor)
    micros = math.floor((rest + float(f"0.{part or 0}")) * 1_000_000 / divisor)
    try:
        found = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=micros)
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"{field}: {text[:40]!r} is too far away to be meant") from None
    return plausible(found, field)


def _strptime(text: str, written: str, field: str) -> When:
    try:
        found = datetime.strptime(text, written)  # noqa: DTZ007 - a local one is told from others
    except ValueError:
        raise Unreadable(f"{field}: {text[:60]!r} is not written as {written!r}") from None
    if found.tzinfo is None:
        return plausible(found.replace(tzinfo=UTC), field), TimeBasis.ZONE
    try:
        return plausible(found.astimezone(UTC), field), TimeBasis.OFFSET
    except OverflowError:
        raise Unreadable(f"{field}: {text[:60]!r} is too far away to be meant") from None
