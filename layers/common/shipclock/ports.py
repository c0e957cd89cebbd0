"""The ports, and the few values they speak: the table (`Store`), the wire (`Wire`), the way to
pictures that carriers name (`Pictures`), and the ways out to people (`Outlets`).

`Store` is generic on purpose: what the rows mean is told in `rows`, so that a row's shape and the
way rows are read and written each have one home. All reads but the two index queries are strongly
consistent. Writes never overwrite what they have not seen: a `Put` needs the row to be absent, a
`Change` needs it to be present (unless `create`) and its conditions to hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Row = dict[str, Any]
"""Attribute values: text, int, bool, bytes, None, and lists and dicts of them."""

Key = tuple[str, str]
"""Partition key and sort key."""


class StoreError(Exception):
    """The table did not answer, or stumbled: nobody knows whether it took effect, and the same
    may well work later."""


class StoreRefused(Exception):
    """The table says that this can never be done as asked, such as a row that is too large."""


class Absent:
    """A condition: the attribute is not there."""


@dataclass(frozen=True, slots=True)
class Below:
    """A condition: the attribute is not there or smaller than the value."""

    value: int | str


@dataclass(frozen=True, slots=True)
class Above:
    """A condition: the attribute is there and larger than the value."""

    value: int | str


ABSENT = Absent()
When = Mapping[str, Any]
"""Conditions by attribute: `ABSENT`, `Below`, `Above`, or the value it must equal."""


@dataclass(frozen=True, slots=True)
class Put:
    """Write a row that must not be there yet."""

    row: Row

    @property
    def key(self) -> Key:
        """The row's key."""
        return self.row["pk"], self.row["sk"]


@dataclass(frozen=True, slots=True)
class Change:
    """Change a row that is there; with `create` one that may be absent."""

    key: Key
    set: Row = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    when: When = field(default_factory=dict)
    create: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """Part of a commit that changes nothing: the conditions must hold."""

    key: Key
    when: When


Write = Put | Change | Check

LARGEST_COMMIT = 90
"""How many writes one commit may hold (DESIGN 3.2; the service allows 100)."""


@dataclass(frozen=True, slots=True)
class Due:
    """One entry of the `due` index: a hint, to be checked against its row."""

    key: Key
    due_at: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the `board` index and where the next one starts; None: there is none."""

    rows: Sequence[Row]
    next: str | None


class Store(Protocol):
    """The one table."""

    def get(self, key: Key) -> Row | None:
        """The row, or None."""

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        """All rows of a partition whose sort key starts with the prefix, in its order."""

    def write(self, write: Put | Change) -> bool:
        """Make one write; False when its condition did not hold (nothing is changed then)."""

    def commit(self, writes: Sequence[Write]) -> bool:
        """Make all writes or none; False when a condition did not hold or a race was lost."""

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        """Up to `limit` entries of one shard of the `due` index up to `until`, earliest first.

        `after` goes on behind an entry that an earlier call returned.
        """

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        """Rows of one partition of the `board` index, the earliest next due time first."""

    def count(self, partition: str, most: int) -> int:
        """How many rows a partition of the `board` index holds; stops counting at `most`."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, ready to be sent: these exact bytes were signed."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What came back. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The call was given up or broke off: nobody knows whether it took effect."""


class NotSent(Exception):
    """The connection never came about: the call certainly had no effect."""


class Wire(Protocol):
    """The way out. One call is given up after `push.GIVE_UP`; redirects are not followed."""

    def send(self, request: HttpRequest) -> HttpReply:
        """Send once, never repeat. Raises `NoAnswer` or `NotSent`."""


class SecretsFailed(Exception):
    """The secret store did not answer; it may well do so later."""


class SecretMalformed(SecretsFailed):
    """It did, but the secret is no JSON, and stays so until a person mends it."""


class FetchRefused(Exception):
    """It is never fetched: what the link leads to, or what came, is not allowed. The message is for
    people and never quotes the link."""


class FetchFailed(Exception):
    """It could not be fetched now, and may be later. The message is for people, as above."""


class Pictures(Protocol):
    """The way to the pictures that carriers name by links."""

    def fetch(self, link: str, hosts: Sequence[str]) -> bytes:
        """What a link leads to, if one of these patterns (`imagelinks.pattern_of`) lets its host.

        Raises `FetchRefused` or `FetchFailed`, within ten seconds or so.
        """


@dataclass(frozen=True, slots=True)
class Taken:
    """What a destination answered: the status, and its `Retry-After`, empty where it has none. The
    body is not looked at."""

    status: int
    retry_after: str = ""


class OutletRefused(Exception):
    """Nothing is ever sent there: the address is none that is allowed. The message is for people
    and never quotes it."""


class OutletFailed(Exception):
    """It was not taken now, or nobody knows, and may be later. The message is for people, as
    above."""


class Outlets(Protocol):
    """The ways out to people."""

    def publish(self, subject: str, text: str, attributes: Mapping[str, str]) -> None:
        """Publish a message to the stack's own topic. Raises `OutletFailed`."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        """Post to an address that the operator named, once; redirects are not followed.

        Raises `OutletRefused` or `OutletFailed`, within ten seconds or so.
        """
