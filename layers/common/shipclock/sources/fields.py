"""Fields that the bodies of carriers have in common, read alike for each of them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice

from shipclock.domain.number import is_number, normal
from shipclock.domain.tracking import TimeBasis
from shipclock.reading import Object, Unreadable, iso, plausible, words
from shipclock.sources import Account

LONGEST_KEPT = 100
"""Characters of a raw code, a carrier's name and a place: events are kept for good."""

When = tuple[datetime, TimeBasis]
"""An event's own time, and where it came from."""


def number_of(written: str, field: str) -> str:
    """A tracking number as scans and links are keyed by it.

    Raises `Unreadable`, naming the field, where it can't be one.
    """
    number = normal(written)
    if not is_number(number):
        raise Unreadable(f"{field}: 1 to 64 plain characters were expected")
    return number


def instant(text: str, field: str) -> When:
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


def local(text: str, field: str) -> When:
    """A time of the clock on the wall where a scan was made, which some senders stamp with Z all
    the same. It is taken as it stands and proves nothing missed. Raises `Unreadable`, naming the
    field, where it is none."""
    return instant(text, field)[0], TimeBasis.ZONE


def expected(text: str) -> datetime | None:
    """When a delivery is expected. Nothing is decided by it, so an odd time is none."""
    try:
        return instant(text, "the estimate")[0] if text else None
    except Unreadable:
        return None


def setting(account: Account, name: str) -> str:
    """A text of an account's option `pull`; empty where there is none.

    Raises ValueError, which quotes no value, where it is of another type.
    """
    found = account.options.get("pull")
    told = found.get(name, "") if isinstance(found, dict) else ""
    if not isinstance(told, str):
        raise ValueError(f"pull.{name} of account {account.name} must be a text")
    return told


def needed(account: Account, name: str) -> str:
    """A text of an account's option `pull`. Raises ValueError where it is not there."""
    told = setting(account, name)
    if not told:
        raise ValueError(f"pull.{name} of account {account.name} is missing")
    return told


def object_of(found: object, field: str) -> Object:
    """An object, or `Unreadable` that names where one was expected."""
    if not isinstance(found, dict):
        raise Unreadable(f"{field}: an object was expected, not {type(found).__name__}")
    return found


def words_at(data: Object, key: str, field: str) -> str:
    """A text, whose error names where it stands."""
    try:
        return words(data, key)
    except Unreadable as problem:
        raise Unreadable(f"{field}.{problem}" if field else str(problem)) from None


def code_at(data: Object, key: str, field: str) -> str:
    """A text, or a whole number as one: some senders write a code either way."""
    found = data.get(key)
    whole = isinstance(found, int) and not isinstance(found, bool)
    return words_at({key: str(found)} if whole else data, key, field)


def any_words(data: Object, key: str) -> str:
    """A text that nothing depends on: one of another type is none."""
    try:
        return words(data, key)
    except Unreadable:
        return ""


def any_object(data: Object, key: str) -> Object:
    """An object that nothing depends on: one of another type is empty."""
    found = data.get(key)
    return found if isinstance(found, dict) else {}


def folded(text: str) -> str:
    """A sender's word that is a sentence, as a table is keyed by it: its case and its spaces may
    differ from one event to the next."""
    return " ".join(text.split()).casefold()


def kept(text: str) -> str:
    """A text cut to what events keep of it."""
    return text[:LONGEST_KEPT]


def place(data: Object, keys: Sequence[str] = ("city", "state", "country")) -> str:
    """Where a scan was made, by the fields that name towns, states and countries: no post code,
    nothing of a street."""
    return kept(", ".join(name for key in keys if (name := any_words(data, key))))


MOST_LINKS = 8
"""Links to pictures that are taken of one scan; a doorstep is photographed once or twice."""
LONGEST_LINK = 4096
"""Characters; nothing longer is followed, so it is not kept either."""


def links(told: Iterable[object]) -> tuple[str, ...]:
    """The first links among these, each once, whole and unjudged: a cut one would lead elsewhere.
    What is no text is none, and nothing depends on it."""
    texts = (each.strip() for each in told if isinstance(each, str))
    found = dict.fromkeys(text for text in texts if 0 < len(text) <= LONGEST_LINK)
    return tuple(islice(found, MOST_LINKS))
