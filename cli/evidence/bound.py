"""Whether a chain holds, and whether all facts are what it binds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cli.evidence.gather import WITHHELD
from shipclock import chain, codec, rows
from shipclock.chain import START, STATES, Anchor, Chain, Entry, Link
from shipclock.domain.linking import MARKETPLACE
from shipclock.ports import Row
from shipclock.sweep import MOST_SHARING

CROWD = (
    f"More than {MOST_SHARING} orders bear this number: of one more link of it the others are not "
    "settled anew, so that it may have come after."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know. `fault`: it does not fit."""

    what: str
    means: str
    fault: bool = True


def chained(order_id: str, held: Chain, facts: Sequence[Row]) -> Iterator[Finding]:
    """Whether a chain holds, and each of the facts is bound by it."""
    anchor, links = held.anchor, held.links
    if held.broken:
        what = f"Not all of the chain can be read: {held.broken.rstrip('; ')}."
        yield Finding(what, "Rows that hold it were changed: what they bound is not proven.")
    elif anchor == Anchor(0, START) and not links:
        what = "The order has no chain."
        means = (
            "It was not settled since facts are chained: nothing shows whether a fact was changed. "
            "Its deliveries still prove what they say."
        )
        yield Finding(what, means, fault=False)
        return
    heads = [START, *chain.digests(order_id, links)]
    numbers = [link.number for link in links]
    whole = len(links) == anchor.links and numbers == list(range(1, len(links) + 1))
    if not whole or heads[-1] != anchor.head:
        what = f"The chain does not lead to its head, {anchor}."
        means = "A link was changed, removed or added, or the head was: nothing it binds is proven."
        yield Finding(what, means)
    yield from _bound(links, facts)


def _bound(links: Sequence[Link], facts: Sequence[Row]) -> Iterator[Finding]:
    history: dict[str, list[tuple[Link, Entry]]] = {}
    for link in links:
        for entry in link.entries:
            history.setdefault(entry.name, []).append((link, entry))
    owners = Counter(row["pk"] for row in facts if chain.what(row) == "owner")
    for row in facts:
        bound = history.pop(chain.name(rows.key_of(row)), [])
        crowd = chain.what(row) == "owner" and owners[row["pk"]] > MOST_SHARING
        for finding in _fact(row, bound):
            yield replace(finding, means=CROWD, fault=False) if crowd else finding
    for bound in history.values():
        link, entry = bound[-1]
        what = f"A {entry.kind} ({entry.name}) that was known {_since(link)} is missing."
        yield Finding(what, "Its row was removed after that.")


def _fact(row: Row, bound: list[tuple[Link, Entry]]) -> Iterator[Finding]:
    """One fact against its history: what it was bound as, oldest first."""
    where, kind = f"{row['pk']} / {row['sk']}", chain.what(row).partition(".")[0]
    digest = row.get(WITHHELD) or chain.digest(row)
    if not bound:
        means = (
            "It came after the last settle, or was added by somebody. If it is due the next sweep "
            "binds it; make the pack anew then."
        )
        yield Finding(f"{where} is bound by no link.", means)
        return
    last, entry = bound[-1]
    if entry.digest != digest:
        means = (
            "It moved on after the last settle, which is right while a push is under way, or was "
            "changed by somebody. The next sweep binds its new state."
            if kind == "push"
            else "It was changed after that: what it says is not what was known."
        )
        yield Finding(f"{where} is not what was known {_since(last)}.", means)
    if kind not in STATES and len({e.digest for _, e in bound}) > _tellings(row, kind):
        means = "A fact of this kind says the same for good: somebody has changed it in between."
        link = bound[-1][0]
        yield Finding(f"{where} is another {_since(link)} than it was before.", means)
    if kind == "verdict":
        foreign = [li for li, e in bound if e.how != chain.WROTE and li.number > 1]
        for link in foreign:
            means = "Only settling writes verdicts: somebody else has written this one."
            yield Finding(f"{where} was found changed {_since(link)}.", means)


def _tellings(row: Row, kind: str) -> int:
    """How often a fact may be told otherwise: a carrier's link once, by the marketplace's own."""
    return 2 if kind in ("link", "owner") and _by_marketplace(row) else 1


def _by_marketplace(row: Row) -> bool:
    return "doc" in row and codec.read_link(row).source == MARKETPLACE


def _since(link: Link) -> str:
    return f"since {link.real:%Y-%m-%d %H:%M:%S} UTC (link {link.number})"
