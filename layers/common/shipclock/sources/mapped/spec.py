"""What a mapping says, once it is read and found right."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shipclock.sources.mapped.proof import Strategy
from shipclock.sources.mapped.times import Form
from shipclock.sources.meaning import Meaning

KIBI = 1024
LARGEST = 350 * KIBI
USUAL = 256 * KIBI

STAR = "/*"
"""Ends a code whose further parts may be anything."""

Paths = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class When:
    """Which bodies mean anything: those where the path finds one of the values."""

    path: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Where a parcel is told, and what is told of it as a whole. Paths are JMESPaths in the body,
    those but `each` in what `each` finds; empty where there is none."""

    number: str
    each: str = ""
    reference: str = ""
    carrier: str = ""
    carrier_path: str = ""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Where a parcel's scans are told. `each` is a path in the parcel, the others in a scan."""

    code: Paths
    time: Paths
    form: Form
    offset: str = ""
    each: str = ""
    id: str = ""
    place: Paths = ()
    back: str = ""
    reason: str = ""
    delivered_to: str = ""
    proofs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """The sender's words in ours. Of `codes` None means: says nothing of where the parcel is."""

    codes: Mapping[str, Meaning | None] = field(hash=False)
    reasons: Mapping[str, str] = field(default_factory=dict, hash=False)
    delivered_to: Mapping[str, str] = field(default_factory=dict, hash=False)
    fold: bool = False

    def key(self, word: str) -> str:
        """A word as these tables are keyed."""
        return keyed(word, self.fold)


def keyed(word: str, fold: bool) -> str:
    """A word as a table is keyed: folded, without regard to case and the number of blanks."""
    return " ".join(word.split()).casefold() if fold else word


@dataclass(frozen=True, slots=True)
class Spec:
    """One mapping. `limit` is in bytes, `ack` the body of the answer."""

    name: str
    proof: Strategy
    parcel: Parcel
    scan: Scanned
    words: Words
    form: bool = False
    form_field: str = ""
    limit: int = USUAL
    ack: bytes = b""
    when: When | None = None
