"""The chain of an order's facts: each settle binds what it read or wrote and nobody had bound yet.

A *fact* is a row that an order is folded from or that was concluded from it. A *link* names the
facts that one settle found new, each with the digest of what its row says, and the digest of the
link before it. The newest link's digest stands in the head; whoever knows it can tell whether any
fact was changed, removed or added since (docs/evidence.md has the algorithm, to the byte).

Links live in the head until they fill `OPEN_MOST` bytes there, and then in a row of their own, so
that the head stays small whatever an order goes through. Nothing here does I/O.
"""

import hashlib
import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shipclock import rows
from shipclock.domain.times import parse, stamp
from shipclock.ports import Key, Row

FORMAT = "shipclock-chain-1"
START = "0" * 64
"""What the first link names as the digest of the link before it."""

OPEN_MOST = 500
"""Bytes of links, compressed, that a head holds: with them it still is one write unit."""

MOST_FACTS = 2_000
"""Facts that were read and go into one link; the rest is for the next settle, due at once."""

READ, WROTE, MADE = "read", "wrote", "made"
"""How a settle met a fact: it was there; it was there and is written anew; it was not there."""

OF_ORDER = {
    rows.EVENT: "event",
    rows.LINK: "link",
    rows.NOTICE: "notice",
    rows.VERDICT: "verdict",
    rows.PUSH: "push",
}
OF_NUMBER = {rows.EVENT: "scan", rows.LINK: "owner"}
"""Kinds of facts by the beginning of their sort key, under an order and under a number."""

INCIDENT = "incident"
"""The kind of what people said of an incident: it is no order's own, and bound by each that it
was about."""

STATES = ("verdict", "push")
"""Facts that move from state to state; every other says the same for good."""

COVERED = ("pk", "sk", "kind", "state", "via", "doc")
"""What a fact's digest covers: all that settle reads of it, and the delivery that brought it. Due
marks and the like are no facts."""


class Entry(NamedTuple):
    """One fact in a link: how it was met, what it is, the name and the digest of its row."""

    how: str
    what: str
    name: str
    digest: str

    @property
    def kind(self) -> str:
        """What it is, without its state."""
        return self.what.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Link:
    """What one settle bound: at the real time `real`, in a sweep at `now`."""

    number: int
    real: datetime
    now: datetime
    entries: tuple[Entry, ...]

    def text(self, order_id: str, before: str) -> str:
        """The text whose SHA-256 is the link's digest."""
        return "".join(
            f"{line}\n"
            for line in (
                f"{FORMAT} {order_id} {self.number} {stamp(self.real)} {stamp(self.now)} {before}",
                *(" ".join(entry) for entry in self.entries),
            )
        )

    def digest(self, order_id: str, before: str) -> str:
        """The link's digest, in hex."""
        return hashlib.sha256(self.text(order_id, before).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far a chain has come: to be kept where nobody who writes to the table can change it."""

    links: int
    head: str

    def __str__(self) -> str:
        """`12:` and the newest link's digest."""
        return f"{self.links}:{self.head}"


@dataclass(frozen=True, slots=True)
class Chain:
    """An order's chain as its rows hold it. `open` are the links in the head, `free` is the number
    of the next row that takes some in. `broken`: they can't be read as a chain."""

    anchor: Anchor = Anchor(0, START)
    links: tuple[Link, ...] = field(default=(), repr=False)
    open: tuple[Link, ...] = field(default=(), repr=False)
    free: int = 0
    broken: str = ""

    @property
    def facts(self) -> int:
        """How many facts it binds, each in each state for itself."""
        return sum(len(link.entries) for link in self.links)

    @property
    def since(self) -> datetime | None:
        """The real time of the first link; None where there is none."""
        return self.links[0].real if self.links else None

    @property
    def incidents(self) -> frozenset[str]:
        """The names of what it binds of incidents."""
        found = (entry for link in self.links for entry in link.entries)
        return frozenset(entry.name for entry in found if entry.what == INCIDENT)

    def latest(self) -> frozenset[str]:
        """The digest that each fact was bound with last."""
        return frozenset({e.name: e.digest for link in self.links for e in link.entries}.values())


@dataclass(frozen=True, slots=True)
class Extension:
    """What a settle adds: the head's attributes, a row that takes in its links, if any, and whether
    facts are left for the next settle."""

    anchor: Anchor
    head: Row
    sealed: Row | None = None
    more: bool = False


# Facts


def what(row: Row) -> str:
    """What fact a row is (`scan`, `push.done`); empty where it is none."""
    if row["pk"] == rows.INCIDENTS:
        return INCIDENT
    kinds = OF_NUMBER if row["pk"].startswith("NUMBER#") else OF_ORDER
    kind = next((word for start, word in kinds.items() if row["sk"].startswith(start)), "")
    state = row.get("state", "") if kind in STATES else ""
    return f"{kind}.{state}" if state else kind


def name(key: Key) -> str:
    """The name of a fact: half of a digest of its key."""
    return _sha256(list(key))[:16]


def fact(row: Row) -> Row:
    """What a fact's row says: the part of it that its digest covers."""
    return {attribute: row[attribute] for attribute in COVERED if attribute in row}


def digest(row: Row) -> str:
    """The digest of what a fact's row says."""
    return _sha256([row.get(attribute, "") for attribute in COVERED])


def _sha256(values: list[str]) -> str:
    return hashlib.sha256(_LISTED(values).encode()).hexdigest()


_LISTED = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def entry(row: Row, how: str = READ) -> Entry:
    """A row's entry; of a row that is no fact none must be asked for."""
    return Entry(how, what(row), name(rows.key_of(row)), digest(row))


# Reading and extending


def read(found: Sequence[Row]) -> Chain:
    """The chain in an order's rows; an empty one where no settle has begun it yet.

    It never raises: what can't be read is `broken`, and settling goes on.
    """
    head = next((row for row in found if row["sk"] == rows.HEAD), {})
    parts = {row["sk"].removeprefix(rows.CHAIN): row for row in found if _takes_in(row)}
    free = max((int(part) + 1 for part in parts if part.isdecimal()), default=0)
    if "chain" not in head:
        return Chain(free=free)
    taken_in, faults = _readable({name: row.get("links") for name, row in parts.items()})
    open_, more = _readable({"the head": head.get("chain_open")})
    links = (*taken_in, *open_)
    number = links[-1].number if links else 0
    if isinstance(head["chain"], bytes):
        return Chain(Anchor(number, head["chain"].hex()), links, open_, free, faults + more)
    return Chain(Anchor(number, START), links, open_, free, f"{faults}{more}no digest in the head")


def _takes_in(row: Row) -> bool:
    return str(row["sk"]).startswith(rows.CHAIN)


def _readable(parts: Mapping[str, object]) -> tuple[tuple[Link, ...], str]:
    """The links in some parts of a chain, and which parts can't be read."""
    links: list[Link] = []
    faults = ""
    for part, packed in parts.items():
        try:
            links += _unpacked(packed)
        except (TypeError, ValueError, zlib.error) as fault:
            faults += f"{part} can't be read ({fault}); "
    return tuple(links), faults


def extend(
    order_id: str,
    chain: Chain,
    met: Collection[Row],
    written: Iterable[Row],
    now: datetime,
    real: datetime,
) -> Extension | None:
    """Bind the rows that a settle read, and those that it writes as they will be, in this order;
    None where every fact is bound already."""
    latest = chain.latest()
    found = sorted(entry(row) for row in met if what(row) and digest(row) not in latest)
    there = {rows.key_of(row) for row in met}
    wrote = sorted(entry(row, WROTE if rows.key_of(row) in there else MADE) for row in written)
    if not found and not wrote:
        return None
    link = Link(chain.anchor.links + 1, real, now, (*found[:MOST_FACTS], *wrote))
    anchor = Anchor(link.number, link.digest(order_id, chain.anchor.head))
    packed = _packed((*chain.open, link))
    sealed = None
    if len(packed) > OPEN_MOST:
        key = rows.order_pk(order_id), f"{rows.CHAIN}{chain.free:07}"
        sealed, packed = {"pk": key[0], "sk": key[1], "links": packed}, _packed(())
    head: Row = {"chain": bytes.fromhex(anchor.head), "chain_open": packed}
    return Extension(anchor, head, sealed, len(found) > MOST_FACTS)


def _packed(links: Iterable[Link]) -> bytes:
    """Links as they are kept. The digests of those before them are left out: they follow."""
    return zlib.compress("".join(link.text("-", "-") for link in links).encode(), 9)


def _unpacked(packed: object) -> list[Link]:
    if not isinstance(packed, bytes):
        raise TypeError("it holds no bytes")
    return list(unfolded(zlib.decompress(packed).decode()))


def unfolded(text: str) -> Iterator[Link]:
    """The links in a text that `Link.text` made. Raises ValueError where it made no such text."""
    lines = text.split("\n")
    if lines.pop():
        raise ValueError("the last line does not end")
    head: list[str] = []
    entries: list[Entry] = []
    for line in lines:
        if line.startswith(f"{FORMAT} "):
            if head:
                yield _link(head, entries)
            head, entries = line.split(" "), []
        elif head:
            entries.append(Entry(*line.split(" ")))
        else:
            raise ValueError("an entry stands before the first link")
    if head:
        yield _link(head, entries)


def _link(head: list[str], entries: Iterable[Entry]) -> Link:
    _, _, number, real, now, _ = head
    return Link(int(number), parse(real), parse(now), tuple(entries))


def digests(order_id: str, links: Iterable[Link]) -> Iterator[str]:
    """The digest of each link, reckoned anew from the first."""
    before = START
    for link in links:
        before = link.digest(order_id, before)
        yield before
