"""Whether a chain holds, and whether all facts are what it binds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cli.evidence.case import WITHHELD
from shipclock import chain, codec, rows
from shipclock.chain import START, STATES, Anchor, Chain, Entry, Link
from shipclock.domain.event import Hint
from shipclock.domain.linking import MARKETPLACE
from shipclock.domain.push import IntentState
from shipclock.ports import Row


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
    for row in facts:
        yield from _fact(row, history.pop(chain.name(rows.key_of(row)), []))
    for bound in history.values():
        link, entry = bound[-1]
        what = f"A {entry.kind} ({entry.name}) that was known {_since(link)} is missing."
        yield Finding(what, "Its row was removed after that.")


def _fact(row: Row, bound: list[tuple[Link, Entry]]) -> Iterator[Finding]:
    """One fact against its history: what it was bound as, oldest first."""
    where, kind = f"{row['pk']} / {row['sk']}", chain.what(row).partition(".")[0]
    digest = row[WITHHELD] if WITHHELD in row else chain.digest(row)
    if not bound:
        means = (
            "It came after the last settle, or was added by somebody. If it is due the next sweep "
            "binds it; make the pack anew then."
        )
        yield Finding(f"{where} is bound by no link.", means)
        return
    last, entry = bound[-1]
    if WITHHELD in row and chain.what(row) != entry.what:
        what = f"{where} is withheld, and not as what it was bound."
        yield Finding(what, "What little is told of it is not what was known.")
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
    if not row.get("via") and bound[0][0].number > 1 and _was_told(row, kind):
        means = "Each such fact names the delivery that brought it: somebody has written this one."
        yield Finding(f"{where} was told by nobody.", means)
    foreign = [li for li, e in bound if e.how == chain.READ and kind == "verdict" and li.number > 1]
    for link in foreign:
        means = "Only settling writes verdicts: somebody else has written this one."
        yield Finding(f"{where} was found changed {_since(link)}.", means)
    for (_, before), (link, after) in pairwise(bound):
        yield from _moved(where, before, after, link)


def _moved(where: str, before: Entry, after: Entry, link: Link) -> Iterator[Finding]:
    """A fact that was bound again: whether it may have come to that by itself."""
    if after.how == chain.MADE:
        means = "It had been there: somebody has removed it in between, so that it was made again."
        yield Finding(f"{where} was made anew {_since(link)}.", means)
    elif after.how == chain.READ and before.what == DONE:
        means = "What was done stays as it is noted: somebody has changed it in between."
        yield Finding(f"{where} was found changed {_since(link)}.", means)


DONE = f"push.{IntentState.DONE.value}"


def _was_told(row: Row, kind: str) -> bool:
    """Whether a sender told of it: it is not what we asked for, were asked for or concluded."""
    if kind == "scan" or "doc" not in row:
        return kind == "scan"
    if kind == "event":
        event = codec.read_event(row)
        return isinstance(event, Hint) and bool(event.status)  # without: reconciliation's own word
    return kind in ("link", "owner") and not _by_marketplace(row)


def _tellings(row: Row, kind: str) -> int:
    """How often a fact may be told otherwise: a carrier's link once, by the marketplace's own."""
    return 2 if kind in ("link", "owner") and _by_marketplace(row) else 1


def _by_marketplace(row: Row) -> bool:
    return "doc" in row and codec.read_link(row).source == MARKETPLACE


def _since(link: Link) -> str:
    return f"since {link.real:%Y-%m-%d %H:%M:%S} UTC (link {link.number})"
