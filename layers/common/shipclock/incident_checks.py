"""What people may say of an incident: checked before it is kept, in words that name what is
accepted and never quote much."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from shipclock.asking import ID, NotAsked
from shipclock.domain.carrier import known_as
from shipclock.domain.incident import LONGEST, Incident, IncidentFact
from shipclock.domain.place import postcode_pattern

LONGEST_REASON = 300
LONGEST_LINK = 500
MOST = {"carriers": 20, "regions": 50, "postcodes": 200, "shops": 50, "evidence": 10}
"""How many of each one incident takes."""

KINDS = ("carriers", "regions", "postcodes")
"""What an incident may be about; one of them at least."""


def checked(fact: IncidentFact) -> IncidentFact:
    """The same with its words as they are kept. Raises `NotAsked`, never quoting much."""
    made: dict[str, object] = {}
    if fact.reason is not None:
        made["reason"] = _reason(fact.reason)
    for name, check in CHECKS.items():
        given = getattr(fact, name)
        if given is None:
            continue
        if len(given) > MOST[name]:
            raise NotAsked(f"{len(given)} {name} are given; at most {MOST[name]} are taken.")
        made[name] = tuple(dict.fromkeys(check(text) for text in given))
    for name in ("begins_at", "ends_at"):
        instant = getattr(fact, name)
        if instant is not None:
            made[name] = instant.replace(microsecond=0)
    if fact.open_end and fact.ends_at is not None:
        raise NotAsked("Either an end or an open end can be meant, not both.")
    return replace(fact, **made)  # type: ignore[arg-type]


def _reason(text: str) -> str:
    words = " ".join(text[: 10 * LONGEST_REASON].split())
    if len(text) > 10 * LONGEST_REASON or len(words) > LONGEST_REASON:
        raise NotAsked(f"The reason has {len(text)} characters; at most {LONGEST_REASON}.")
    if len(words) < 3 or not words.isprintable():
        raise NotAsked("Give the reason in a few plain words: buyers and Seller Center read it.")
    return words


def _carrier(text: str) -> str:
    name = " ".join(text[:200].split())
    if len(text) > 80 or not name.isprintable() or not known_as(name):
        raise NotAsked(f"{text[:40]!r} is no carrier's name of at most 80 characters.")
    return name


def _region(text: str) -> str:
    name = " ".join(text[:200].split())
    if len(text) > 80 or not name.isprintable() or not any(c.isalnum() for c in name):
        raise NotAsked(
            f"{text[:40]!r} is no region: write a country's two letters, an ISO code such as "
            "MY-10, or a name as the marketplace writes it, of at most 80 characters."
        )
    return name


def _postcode(text: str) -> str:
    try:
        return postcode_pattern(text[:100])
    except ValueError as error:
        raise NotAsked(f"{error}.") from None


def _shop(text: str) -> str:
    if not ID.fullmatch(text):
        raise NotAsked(f"{text[:40]!r} is no shop's id.")
    return text


def _link(text: str) -> str:
    plain = len(text) <= LONGEST_LINK and text.isprintable() and " " not in text
    try:
        parts = urlsplit(text) if plain else None
        host = parts.hostname if parts else None
    except ValueError:
        parts = host = None
    if parts is None or not host or parts.scheme not in ("http", "https") or "@" in parts.netloc:
        raise NotAsked(
            f"{text[:60]!r} is no address of a page: https://…, without a user's name, of at most "
            f"{LONGEST_LINK} characters."
        )
    return text


CHECKS: Mapping[str, Callable[[str], str]] = {
    "carriers": _carrier,
    "regions": _region,
    "postcodes": _postcode,
    "shops": _shop,
    "evidence": _link,
}


def possible(incident: Incident, real: datetime) -> None:
    """Whether all that is said of an incident can be meant together. Raises `NotAsked`."""
    if not any(getattr(incident, kind) for kind in KINDS):
        raise NotAsked("Say what the incident is about: a carrier, a region or postcodes.")
    if abs(incident.begins_at - real) > LONGEST:
        raise NotAsked("It begins more than a year from now: check the time from which it lasts.")
    length = incident.until - incident.begins_at
    if length <= timedelta(0):
        raise NotAsked("It would end before it begins: check both times, and their offsets.")
    if length > LONGEST:
        raise NotAsked("It lasts for more than a year: declare shorter ones.")
