"""Reads one order out of a table, with what it rests on, into a case."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cli.evidence.case import (
    EXPIRED,
    HUSHED,
    KEPT,
    SAID_OF_HEAD,
    UNSAID_OF_SHOP,
    WITHHELD,
    Case,
    Delivery,
    Picture,
    software,
)
from cli.evidence.zipped import sha256
from shipclock import chain, codec, rows
from shipclock.blobs import read_blob
from shipclock.book import Book, fold_book, read_book
from shipclock.chain import Chain
from shipclock.domain.event import Request
from shipclock.domain.push import Deed
from shipclock.domain.times import parse
from shipclock.judge import policy_of
from shipclock.marketplaces.protocol import Blob, Shop
from shipclock.ports import Row, Store
from shipclock.proof_images import may_speak, picture_of, pictures_of_order
from shipclock.rules import packs
from shipclock.shops import shop_of
from shipclock.snapshots import read_buyer
from shipclock.sources import Headers, KeysWanted, NotAuthentic, Unsigned, accounts_of, source
from shipclock.sweep import MOST_SHARING

PROVEN = "proven"
AT_RECEIPT = "at_receipt"
NO_MORE = "no_more"
ASKED = "asked"
"""How a delivery's sender is proven: just now; when it came; just now not any more; it is an answer
to a question of ours."""

NAMES = ("account", "shops", "proof_hosts", "carriers")
"""Settings of a source that are no secrets."""

LONG = 12
"""Characters that a secret has at least, to be looked for."""

SHORTEST = 4
"""Characters that a word of the buyer's data has at least, to be looked for in bodies."""

ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}

PICTURE_SAID = ("kind", "number", "source", "account", "state", "reason", "scan", "named_by")


class NoEvidence(Exception):
    """There is nothing to make a pack of; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be in a pack. `redacted`: no bodies, pictures or messages, only their digests."""

    redacted: bool = False
    labels: bool = False


def gather(
    store: Store,
    order_id: str,
    real: datetime,
    secrets: Mapping[str, Any] | None = None,
    wish: Wish = Wish(),
) -> Case:
    """Read an order's case at the real time `real`. Raises `NoEvidence`.

    With the sources' `secrets` each delivery is proven anew; none of them ever is in the case.
    """
    book = read_book(store, order_id)
    head = book.one(rows.HEAD)
    if head is None:
        why = "was never settled: no marketplace has told of it" if book.rows else "is not known"
        raise NoEvidence(f"Order {order_id} {why}. Look its id up in the hub.")
    links = chain.read(book.rows)
    facts = facts_of(store, book, links)
    shop = shop_of(store, head["shop_id"])
    hushed = _secret_words(secrets or {})
    for row in facts:
        if _shows(row.get("doc", "").encode(), hushed):
            raise NoEvidence(
                f"A secret of a source stands in what it told ({row['pk']} / {row['sk']}): it is "
                "none any more. Let its sender give you another, put that into the sources' secret "
                "in its place, and make the pack then."
            )
    cited = sorted({row["via"] for row in facts if row.get("via")})
    buyer = read_buyer(store, order_id)
    found = [_delivery(store, name, real, secrets, hushed, buyer, wish.redacted) for name in cited]
    return Case(
        order_id=order_id,
        head=said_of_head(head, facts),
        shop=_said_of(shop) if shop else {},
        facts=tuple(_fact(row, wish.redacted) for row in facts),
        links=links.links,
        anchor=links.anchor,
        deliveries=tuple(sorted(found, key=lambda one: (one.received_at or "~", one.name))),
        pictures=tuple(_pictures(store, book, head["shop_id"], real, wish)),
        packs=packs_of(book, shop),
        redacted=wish.redacted,
        software=software(),
    )


def facts_of(store: Store, book: Book, links: Chain) -> list[Row]:
    """All facts of an order, as its chain covers them: what is kept of it, and what the chain binds
    of incidents. What was said of these after its last settle counts with its next one."""
    own = [chain.fact(row) for row in book.facts() if chain.what(row)]
    bound = frozenset(entry.name for link in links.links for entry in link.entries)
    sharers = Counter(row["pk"] for row in own if chain.what(row) == "owner")

    def counts(row: Row) -> bool:
        """Whether settling has seen it, or will: of a number that very many orders bear, one more
        order with it has only itself settled."""
        crowd = chain.what(row) == "owner" and sharers[row["pk"]] > MOST_SHARING
        mine = row["sk"] == rows.LINK + book.order_id
        return not crowd or mine or chain.name(rows.key_of(row)) in bound

    own = [row for row in own if counts(row)]
    said = store.read(rows.INCIDENTS) if links.incidents else []
    own += [chain.fact(row) for row in said if chain.name(rows.key_of(row)) in bound]
    return sorted(own, key=rows.key_of)


def said_of_head(head: Row, facts: Iterable[Row]) -> dict[str, Any]:
    """What a pack tells of an order's head."""
    said = {name: head[name] for name in SAID_OF_HEAD if name in head}
    about = incidents_in(head, facts)
    return {**said, "incidents": about} if about else said


def incidents_in(head: Row, facts: Iterable[Row]) -> dict[str, str]:
    """What a head says of the incidents that there are facts of."""
    told = {row["sk"].partition("#")[0] for row in facts if chain.what(row) == chain.INCIDENT}
    return {name: text for name, text in head.get("incidents", {}).items() if name in told}


def _said_of(shop: Shop) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(codec.shop_doc(shop)["doc"])
    return {name: value for name, value in told.items() if name not in UNSAID_OF_SHOP}


def _fact(row: Row, redacted: bool) -> Row:
    """A fact as the pack has it. What is said to the buyer may name him; then only the digest."""
    if redacted and _is_message(row):
        return {**{name: row[name] for name in HUSHED if name in row}, WITHHELD: chain.digest(row)}
    return row


def _is_message(row: Row) -> bool:
    if chain.what(row) == "event":
        event = codec.read_event(row)
        return isinstance(event, Request) and event.deed == Deed.MESSAGE
    if row["sk"].startswith(rows.PUSH):
        return codec.read_intent(row).deed is Deed.MESSAGE
    return False


def packs_of(book: Book, shop: Shop | None) -> dict[str, str]:
    """The texts of the policy pack that judges the order, and of those that it extends."""
    policy = policy_of(fold_book(book), shop)
    found: dict[str, str] = {}
    name = policy.pack.name if policy else ""
    while name and name not in found:
        found[name] = packs.text_of(name)
        name = str(tomllib.loads(found[name]).get("extends", ""))
    return found


# Deliveries


def _delivery(
    store: Store,
    name: str,
    real: datetime,
    secrets: Mapping[str, Any] | None,
    hushed: Iterable[bytes],
    buyer: Mapping[str, str],
    redacted: bool,
) -> Delivery:
    row = store.get((f"{rows.DELIVERY}#{name}", rows.DELIVERY))
    if row is None or row.get("expires_at", real.timestamp() + 1) <= real.timestamp():
        return Delivery(name, EXPIRED)
    body, headers = rows.body_of(row), dict(row.get("headers", {}))
    known = Delivery(
        name=name,
        state=WITHHELD if redacted else KEPT,
        received_at=row["received_at"],
        headers=headers,
        pulled=bool(row.get("pulled", False)),
        shops=tuple(row.get("shops", ())),
        holds=tuple(_holds(body, buyer)),
        body=None if redacted else body,
    )
    if _shows(body, hushed):
        known = replace(known, state=WITHHELD, body=None)
    state, why = verification(known, body, secrets)
    return replace(known, verification={"state": state, "account": known.account, "why": why})


def verification(
    known: Delivery, body: bytes, secrets: Mapping[str, Any] | None
) -> tuple[str, str]:
    """Whether the sender of a delivery is proven, and a sentence that says so to people."""
    if known.pulled:
        return ASKED, "An answer to our own question, over a connection whose other end was proven."
    if secrets is None:
        return AT_RECEIPT, "Proven when it came; not tried again, for want of the secret."
    try:
        by, accounts = source(known.source), accounts_of(secrets, known.source)
        mine = [account for account in accounts if account.name == known.account]
        headers: Headers = known.headers
        by.verify(headers, body, mine, parse(known.received_at))
    except KeyError:
        return AT_RECEIPT, "Proven when it came; this version knows no such source any more."
    except KeysWanted:
        return AT_RECEIPT, "Proven when it came, by a key that the sender publishes."
    except Unsigned:
        return AT_RECEIPT, "Proven when it came, by a secret sent along, which is not kept."
    except (NotAuthentic, ValueError) as fault:
        return NO_MORE, f"Proven when it came, not by the secrets of today ({fault})."
    return PROVEN, "Its signature fits its bytes and the account's secret: tried anew."


def _shows(text: bytes, words: Iterable[bytes]) -> bool:
    return any(word in text for word in words)


def _secret_words(value: Any) -> frozenset[bytes]:
    """What may be a secret among the sources' settings: all longer texts but names."""
    if isinstance(value, str):
        return frozenset([value.encode()] if len(value) >= LONG else [])
    if isinstance(value, Mapping):
        inner = [one for name, one in value.items() if name not in NAMES]
    else:
        inner = list(value) if isinstance(value, Sequence) else []
    return frozenset().union(*map(_secret_words, inner))


def _holds(body: bytes, buyer: Mapping[str, str]) -> Iterator[str]:
    """What of the buyer's data, as far as it is kept, stands in a body."""
    text = body.decode("utf-8", "replace").casefold()
    spelled = text.encode("ascii", "replace").decode()
    for name, word in sorted(buyer.items()):
        escaped = json.dumps(word)[1:-1].casefold()
        if len(word) >= SHORTEST and (word.casefold() in text or escaped in spelled):
            yield name


# Pictures


def _pictures(
    store: Store, book: Book, shop_id: str, real: datetime, wish: Wish
) -> Iterator[Picture]:
    """Pictures that carriers have named, the seller's own proofs, and labels where asked for."""
    named = [r for r in pictures_of_order(store, book.order_id, real) if may_speak(r, shop_id)]
    for place, row in enumerate(named, 1):
        about = {name: str(row[name]) for name in PICTURE_SAID if row.get(name)}
        yield _picture(f"{place:04}", about, picture_of(store, row, real), wish.redacted)
    kinds = {rows.PROOF: "own proof", **({rows.LABEL: "label"} if wish.labels else {})}
    for start, kind in kinds.items():
        found = store.read(f"{rows.FILES}{book.order_id}", start)
        names = sorted({row["sk"].rpartition("#")[0] for row in found})
        for place, name in enumerate(names, 1):
            blob = read_blob(store, book.order_id, name, real)
            about = {"kind": kind, "package": name.removeprefix(start)}
            file = f"{start.rstrip('#').lower()}-{place:04}"
            yield _picture(file, about, blob, wish.redacted)


def _picture(file: str, about: dict[str, str], blob: Blob | None, redacted: bool) -> Picture:
    if blob is None:
        return Picture(f"pictures/{file}", {**about, "sha256": "", "bytes": "0"})
    said = {**about, "sha256": sha256(blob.data), "bytes": str(len(blob.data))}
    name = f"pictures/{file}{ENDINGS.get(blob.media_type, '.bin')}"
    return Picture(name, said, None if redacted else blob.data)
