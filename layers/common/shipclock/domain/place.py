"""Where an order goes to, and whether that lies in a region or has one of some postcodes.

What is not known is told apart from what is elsewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from unicodedata import category, normalize


class Fit(StrEnum):
    """Whether something fits. `UNKNOWN`: what we know does not tell."""

    IN = "in"
    OUT = "out"
    UNKNOWN = "unknown"


def all_fit(fits: Iterable[Fit]) -> Fit:
    """Whether all of them do; of none, they do."""
    found = set(fits)
    return next((fit for fit in (Fit.OUT, Fit.UNKNOWN) if fit in found), Fit.IN)


def any_fits(fits: Iterable[Fit]) -> Fit:
    """Whether one of them does; of none, it can't be told."""
    found = set(fits)
    return next((fit for fit in (Fit.IN, Fit.UNKNOWN, Fit.OUT) if fit in found), Fit.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where an order goes to; empty: not known. `districts` are the names and ISO
    codes that the marketplace gives of state, city and so on."""

    postcode: str = ""
    country: str = ""
    districts: frozenset[str] = frozenset()


COUNTRY = re.compile(r"[A-Z]{2}")
SUBDIVISION = re.compile(r"([A-Z]{2})-[A-Z0-9]{1,3}")
COUNTRIES = {"UK": "GB"}
"""Countries that are written in two ways."""


def in_region(region: str, place: Place) -> Fit:
    """Whether a place lies in a region: a country's two letters, an ISO 3166-2 code, or a name as
    the marketplace writes it."""
    written = region.strip().upper()
    country = _country(place.country)
    if COUNTRY.fullmatch(written):
        return _told(_country(written) == country) if country else Fit.UNKNOWN
    districts = set(map(_plain, place.districts))
    if _plain(region) in districts:
        return Fit.IN
    if _bare(region) in map(_bare, districts):
        return Fit.UNKNOWN
    code = SUBDIVISION.fullmatch(written)
    if code is None:
        return Fit.OUT if districts else Fit.UNKNOWN
    if country and country != _country(code[1]):
        return Fit.OUT
    coded = any(SUBDIVISION.fullmatch(name.strip().upper()) for name in place.districts)
    return Fit.OUT if coded else Fit.UNKNOWN


def _country(code: str) -> str:
    written = code.strip().upper()
    return COUNTRIES.get(written, written)


def _told(fits: bool) -> Fit:
    return Fit.IN if fits else Fit.OUT


def _plain(name: str) -> str:
    """A name without spaces and signs, in lower case: one letter may be written as one character or
    as two."""
    whole = normalize("NFKC", normalize("NFKC", name).casefold())
    return "".join(c for c in whole if c.isalnum() or category(c).startswith("M"))


def _bare(name: str) -> str:
    """The same without accents. Two places may differ in these alone: in Thai they are vowels, in
    Vietnamese tones."""
    return "".join(c for c in normalize("NFKD", name.casefold()) if c.isalnum())


ZIP_PLUS = re.compile(r"(\d{5})[- ]?\d{4}", re.ASCII)
DISTRICT = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) \*", re.ASCII)
ROUTING = re.compile(r"([A-Z][0-9][0-9W])[A-Z0-9]{4}", re.ASCII)
"""An Irish code, and the part of it that all of a district have."""

INWARD = 3
"""Characters of a British code behind its district."""

PATTERN = re.compile(
    r"(?=[A-Z]*[0-9])[A-Z0-9]{2,12}|[A-Z0-9]{1,12}\*|(\d{2,12})-(\d{2,12})", re.ASCII
)


def postcode(text: str) -> str:
    """A postcode as it is compared: capitals and digits alone; of a long US one its first five."""
    long = ZIP_PLUS.fullmatch(text.strip())
    return long[1] if long else "".join(c for c in text.upper() if c.isalnum())


def postcode_pattern(text: str) -> str:
    """What a person writes for some postcodes, as it is compared: `10110`, `10110-10120`, `SW1A*`,
    or `M1 *` for a British or Irish district, without M16. Raises ValueError telling what is
    accepted."""
    district = " ".join(text.split()).upper()
    if DISTRICT.fullmatch(district):
        return district
    written = "".join(text.split()).upper()
    if ZIP_PLUS.fullmatch(written) and written.isdigit():
        written = postcode(written)
    found = PATTERN.fullmatch(written)
    good = found is not None and (
        found[1] is None or (len(found[1]) == len(found[2]) and found[1] <= found[2])
    )
    if not good:
        raise ValueError(
            f"{text[:40]!r} names no postcodes: write 10110, 10110-10120 (as many digits on both "
            "sides, the smaller one first), SW1A* or M1 *; a single code without hyphens"
        )
    return written


def has_postcode(pattern: str, code: str) -> Fit:
    """Whether a code is among those of a pattern that `postcode_pattern` let pass."""
    code = postcode(code)
    if not code:
        return Fit.UNKNOWN
    first, hyphen, last = pattern.partition("-")
    if hyphen:
        return _told(len(code) == len(first) and code.isdigit() and first <= code <= last)
    if district := DISTRICT.fullmatch(pattern):
        irish = ROUTING.fullmatch(code)
        return _told(district[1] in (code, irish[1] if irish else code[:-INWARD]))
    if pattern.endswith("*"):
        return _told(code.startswith(pattern[:-1]))
    return _told(code == pattern)
