"""What is in a pack, as values: written into files, and read back from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from cli.evidence.zipped import Files, as_json, sha256
from shipclock import chain, rows
from shipclock.chain import Anchor, Chain
from shipclock.domain.times import stamp
from shipclock.ports import Change, Due, Key, Page, Put, Row, Write
from shipclock.rules.packs import NAMED

ROOT = Path(__file__).resolve().parents[2]
ORDER, FACTS, CHAIN = "order.json", "facts.jsonl", "chain.txt"
DELIVERIES, PICTURES, PACKS = "deliveries/", "pictures/", "packs/"

KEPT, EXPIRED, WITHHELD = "kept", "expired", "withheld"
"""What became of a delivery; the latter also where a fact has its digest instead of its words."""

HUSHED = ("pk", "sk", "kind", "state")
"""What is told of a fact that is withheld, beside its digest."""

PICTURE = re.compile(r"pictures/[a-z0-9-]{1,40}(\.[a-z]{1,5})?")
SOFTWARE = re.compile(r"[0-9a-f]{16}")

UNSAID_OF_SHOP = ("app_key", "cipher", "authorisation", "versions")
"""What of a shop is not told: what opens it, and what no clock depends on."""

SAID_OF_HEAD = ("shop_id", "status", "stage", "settled_at", "version", "events", "facts")


class NoCase(Exception):
    """The files are not those of a case; the message names the one and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery that facts came from. `state`: `kept`, `expired`, or `withheld` on purpose.

    `verification` says what proves its sender and when that was tried; `holds` names what of the
    buyer's data was found in its body.
    """

    name: str
    state: str
    received_at: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    pulled: bool = False
    shops: tuple[str, ...] = ()
    verification: Mapping[str, str] = field(default_factory=dict)
    holds: tuple[str, ...] = ()
    body: bytes | None = field(default=None, repr=False)

    @property
    def source(self) -> str:
        """Who sent it."""
        return self.name.partition("#")[0]

    @property
    def account(self) -> str:
        """By which account."""
        return self.name.partition("#")[2].rpartition("#")[0]

    @property
    def sha256(self) -> str:
        """The digest of its body."""
        return self.name.rpartition("#")[2]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture or document of a delivery, or a label; `data` where it is in the pack."""

    file: str
    about: Mapping[str, str]
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one order. `facts` are rows as the chain covers them; of one that is
    withheld only the digest is there. What `head` says of incidents is how the order stood in those
    that its facts tell of."""

    order_id: str
    head: Mapping[str, Any]
    shop: Mapping[str, Any]
    facts: tuple[Row, ...]
    links: tuple[chain.Link, ...]
    anchor: Anchor
    deliveries: tuple[Delivery, ...] = ()
    pictures: tuple[Picture, ...] = ()
    packs: Mapping[str, str] = field(default_factory=dict)
    redacted: bool = False
    software: str = ""

    @property
    def chain(self) -> Chain:
        """The chain, as a table's rows would hold it."""
        return Chain(self.anchor, self.links)

    @property
    def shelf(self) -> Shelf:
        """The rows of the case, to be read as a table is."""
        head = {"order_id": self.order_id, **self.head, "next_clock": ""}
        put: list[Row] = [{"pk": rows.order_pk(self.order_id), "sk": rows.HEAD, **head}]
        if self.shop:
            told = {**self.shop, "app_key": "", "cipher": "", "authorisation": ""}
            pk = rows.shop_pk(str(told["shop_id"]))
            put.append({"pk": pk, "sk": rows.LANE, "doc": json.dumps(told)})
        return Shelf([*put, *(row for row in self.facts if "doc" in row)])


class Shelf:
    """Rows that can be read as from a `Store`, and never written."""

    def __init__(self, found: Iterable[Row]) -> None:
        """Holds these rows."""
        self._rows: dict[str, dict[str, Row]] = {}
        for row in sorted(found, key=rows.key_of):
            self._rows.setdefault(row["pk"], {})[row["sk"]] = row

    def get(self, key: Key) -> Row | None:
        """See `Store.get`."""
        return self._rows.get(key[0], {}).get(key[1])

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        """See `Store.read`."""
        return [row for sk, row in self._rows.get(pk, {}).items() if sk.startswith(prefix)]

    def write(self, write: Put | Change) -> bool:
        """Nothing is ever written here."""
        raise TypeError("a case is not written to")

    def commit(self, writes: Sequence[Write]) -> bool:
        """Nothing is ever written here."""
        raise TypeError("a case is not written to")

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        """Nothing is due here."""
        return []

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        """There is no board here."""
        return Page((), None)

    def count(self, partition: str, most: int) -> int:
        """There is no board here."""
        return 0


@cache
def software() -> str:
    """Which version of the software this is, told by its own files: what it makes of facts."""
    package = ROOT / "layers" / "common" / "shipclock"
    files = sorted([*package.rglob("*.py"), *package.rglob("*.toml")])
    files += sorted((ROOT / "cli" / "evidence").glob("*.py"))
    return sha256("".join(sha256(path.read_bytes()) for path in files).encode())[:16]


# Written


def files_of(case: Case) -> dict[str, bytes]:
    """The files that hold a case, without those that are told from it."""
    files = {
        ORDER: as_json(_order(case)),
        FACTS: b"".join(_line(row) for row in sorted(case.facts, key=rows.key_of)),
        CHAIN: chain_text(case.order_id, case.links).encode(),
        **{f"{PACKS}{name}.toml": text.encode() for name, text in case.packs.items()},
    }
    for number, delivery in enumerate(case.deliveries, 1):
        about = {**asdict(replace(delivery, body=None)), "headers": dict(delivery.headers)}
        del about["body"]
        files[f"{DELIVERIES}{number:04}.json"] = as_json(about)
        if delivery.body is not None:
            files[f"{DELIVERIES}{number:04}.body"] = delivery.body
    files |= {p.file: p.data for p in case.pictures if p.data is not None}
    return files


def _order(case: Case) -> dict[str, Any]:
    return {
        "order_id": case.order_id,
        "head": dict(case.head),
        "shop": dict(case.shop),
        "chain": told_chain(case),
        "pictures": [{"file": p.file, **p.about} for p in case.pictures],
        "redacted": case.redacted,
        "software": case.software,
    }


def told_chain(case: Case) -> dict[str, Any] | None:
    """How far the chain has come, for the manifest; None where the order has none."""
    since = case.chain.since
    if case.anchor == Anchor(0, chain.START):
        return None
    return {
        "links": case.anchor.links,
        "head": case.anchor.head,
        "facts": case.chain.facts,
        "since": stamp(since) if since else "",
    }


def _line(row: Row) -> bytes:
    return (json.dumps(row, sort_keys=True, ensure_ascii=True) + "\n").encode()


def chain_text(order_id: str, links: Iterable[chain.Link]) -> str:
    """The texts of all links, each as its digest is taken of it."""

    def texts() -> Iterator[str]:
        before = chain.START
        for link in links:
            yield link.text(order_id, before)
            before = link.digest(order_id, before)

    return "".join(texts())


# Read back


def case_in(files: Files) -> Case:
    """The case in a pack's files. Raises `NoCase` naming the file that can't be read."""
    name = ORDER
    try:
        order = json.loads(files[name])
        name = FACTS
        facts = tuple(map(_fact, files[name].decode().splitlines()))
        name = CHAIN
        links = tuple(chain.unfolded(files[name].decode()))
        told = order["chain"] or {"links": 0, "head": chain.START}
        deliveries = []
        for name in sorted(files):
            if name.startswith(DELIVERIES) and name.endswith(".json"):
                deliveries.append(_delivery(files, name))
        name = ORDER
        return Case(
            order_id=_text(order["order_id"]),
            head=order["head"],
            shop=order["shop"],
            facts=facts,
            links=links,
            anchor=Anchor(told["links"], told["head"]),
            deliveries=tuple(deliveries),
            pictures=tuple(_picture(files, about) for about in order["pictures"]),
            packs={
                _pack_name(path): files[path].decode()
                for path in sorted(files)
                if path.startswith(PACKS)
            },
            redacted=order["redacted"],
            software=_software(order["software"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as fault:
        raise NoCase(f"{name}: {fault!r}") from None


def _fact(line: str) -> Row:
    """A fact: as the chain covers it, or withheld and then only by its digest."""
    row: Row = json.loads(line)
    known = {*HUSHED, WITHHELD} if WITHHELD in row else {*chain.COVERED}
    if not {"pk", "sk"} <= row.keys() <= known:
        raise ValueError(f"a line has not the keys of a fact: {sorted(row)}")
    if not all(isinstance(value, str) for value in row.values()):
        raise ValueError("a line holds what is no text")
    return row


def _delivery(files: Files, name: str) -> Delivery:
    about = json.loads(files[name])
    body = files.get(name.removesuffix(".json") + ".body")
    several = {name: tuple(about[name]) for name in ("shops", "holds")}
    by_name = {name: dict(about[name]) for name in ("headers", "verification")}
    return Delivery(**{**about, **several, **by_name}, body=body)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {type(value).__name__}")
    return value


def _pack_name(path: str) -> str:
    name = path.removeprefix(PACKS).removesuffix(".toml")
    if not NAMED.fullmatch(name):
        raise ValueError(f"{path!r} is no name of a policy pack")
    return name


def _software(text: str) -> str:
    if not SOFTWARE.fullmatch(text):
        raise ValueError("software is no version of ours")
    return text


def _picture(files: Files, about: dict[str, str]) -> Picture:
    file = about.pop("file")
    if not PICTURE.fullmatch(file):
        raise ValueError(f"{file!r} is no name of a picture")
    return Picture(file, about, files.get(file))
