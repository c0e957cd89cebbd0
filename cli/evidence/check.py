"""Tries whether all in a pack fits, and, with a table, whether it is still what the table holds.

Each finding says what does not fit and what that means. It takes nothing on trust but SHA-256.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cli.evidence.bound import Finding, chained
from cli.evidence.case import (
    EXPIRED,
    KEPT,
    ORDER,
    WITHHELD,
    Case,
    Delivery,
    NoCase,
    case_in,
    files_of,
    software,
    told_chain,
)
from cli.evidence.gather import (
    NO_MORE,
    facts_of,
    incidents_in,
    packs_of,
    said_of_head,
    verification,
)
from cli.evidence.made import TOLD, told_files
from cli.evidence.zipped import MANIFEST, NoPack, manifest, sha256, unzipped
from shipclock import chain, codec, rows
from shipclock.book import fold_book, read_book
from shipclock.chain import START, Anchor
from shipclock.domain.linking import MARKETPLACE
from shipclock.domain.times import parse, stamp
from shipclock.ports import Row, Store
from shipclock.reading import Unreadable
from shipclock.rules import packs
from shipclock.rules.packs import PolicyError
from shipclock.shops import shop_of
from shipclock.sources import Delivery as Arrived
from shipclock.sources import Translation, source

OTHERWISE = (
    "These are not the bytes that were written. Have the pack made or sent anew; what else it "
    "says can't be relied on."
)


ODD = (
    *(ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError),
    *(PolicyError, Unreadable, ValueError),
)
"""What reading rows raises that no version of ours has written: somebody else has."""


def check(
    data: bytes,
    store: Store | None = None,
    secrets: Mapping[str, Any] | None = None,
    anchors: Sequence[Anchor] = (),
) -> list[Finding]:
    """What there is to know of a pack's bytes; nothing that is a fault where all of it fits.

    With a `store` it is held against the order as it stands there, with `secrets` each delivery's
    sender is proven anew; `anchors` are heads of its chain that were told elsewhere.
    """
    try:
        files = unzipped(data)
        case = case_in(files)
    except NoPack as problem:
        return [Finding(f"The file is no evidence pack: {problem}.", OTHERWISE)]
    except NoCase as problem:
        return [Finding(f"The pack can't be read: {problem}.", OTHERWISE)]
    try:
        found = list(_case(case))
        found = [*_files(files, case, told=not any(each.fault for each in found)), *found]
        found += [each for anchor in anchors for each in _anchored(case, anchor)]
        found += _senders(case, secrets) if secrets is not None else ()
    except ODD as fault:
        return [Finding(f"The pack says what can't be: {fault!r}.", OTHERWISE)]
    return [*found, *(_held_against(case, store) if store is not None else ())]


def _case(case: Case) -> Iterator[Finding]:
    bound = list(chained(case.order_id, case.chain, case.facts))
    yield from bound
    yield from _begun_late(case)
    yield from _withheld(case)
    if not any(finding.fault for finding in bound):
        yield from _folded(case)
    yield from _deliveries(case)
    for picture in case.pictures:
        if picture.data is not None and sha256(picture.data) != picture.about["sha256"]:
            what = f"{picture.file} is not the picture whose digest is noted."
            yield Finding(what, OTHERWISE)


def _begun_late(case: Case) -> Iterator[Finding]:
    """What the chain does not cover: an order that was known before facts were chained."""
    came = [parse(one.received_at) for one in case.deliveries if one.received_at]
    since = case.chain.since
    if since and came and since - min(came) > LATE:
        what = f"The order is chained since {stamp(since)}; it was heard of on {stamp(min(came))}."
        means = "That its older facts are unchanged is proven since then, not before."
        yield Finding(what, means, fault=False)


LATE = timedelta(days=1)
"""Between a delivery and the settle that binds what it says there are minutes."""


def _withheld(case: Case) -> Iterator[Finding]:
    """What is only there by its digest: of a pack that is redacted messages to the buyer may be."""
    hushed = [row for row in case.facts if WITHHELD in row]
    wrong = [row for row in hushed if not (case.redacted and _may_be_message(row))]
    for row in wrong:
        what = f"{row['pk']} / {row['sk']} is withheld, and is no message to the buyer."
        yield Finding(what, OTHERWISE)
    if hushed and not wrong:
        named = ", ".join(row["sk"] for row in hushed[:SHOWN])
        what = f"{len(hushed)} facts are withheld: {named}{', …' if hushed[SHOWN:] else ''}."
        means = "Their digests are bound: ask the pack's maker for their words if they matter."
        yield Finding(what, means, fault=False)
    if case.redacted and any(one.body is not None for one in case.deliveries):
        yield Finding("The pack is said to be redacted, and has bodies of deliveries.", OTHERWISE)


REQUEST = "request"
"""The kind of an event that is what a person asked for."""

SHOWN = 5


def _may_be_message(row: Row) -> bool:
    return row["sk"].startswith(rows.PUSH) or row.get("kind") == REQUEST


def _folded(case: Case) -> Iterator[Finding]:
    """Whether the order is as its facts make it."""
    if case.links and parse(case.head["settled_at"]) < case.links[-1].now:
        what = f"{ORDER} says that the order was settled before its last link was made."
        yield Finding(what, "What it says of the order is not what was settled.")
    order = fold_book(read_book(case.shelf, case.order_id))
    told = {row["sk"].partition("#")[0] for row in case.facts if chain.what(row) == chain.INCIDENT}
    if unknown := case.head.get("incidents", {}).keys() - told:
        what = f"{ORDER} tells of incidents that no fact has: {', '.join(sorted(unknown))}."
        yield Finding(what, "What it says of the order is not what was settled.")
    made: dict[str, Any] = {
        "status": order.status,
        "stage": order.stage,
        "shop_id": order.shop_id,
        "facts": codec.facts_digest(order.facts) if order.facts else "",
    }
    if not any(WITHHELD in row for row in case.facts):
        made["events"] = order.events
    wrong = [name for name, value in made.items() if case.head.get(name) != value]
    if wrong:
        what = f"{ORDER} tells another {', '.join(wrong)} than the facts make."
        yield Finding(what, "What it says of the order is not what was settled.")


# The files


def _files(files: Mapping[str, bytes], case: Case, told: bool) -> Iterator[Finding]:
    """Whether the manifest fits, each file is in its one spelling, and what is `told` is so: of
    facts that do not fit there is nothing to be told."""
    about = {"order_id": case.order_id, "chain": told_chain(case)}
    if files.get(MANIFEST) != manifest(files, about):
        what = f"{MANIFEST} does not fit the files beside it."
        yield Finding(what, OTHERWISE)
    own = files_of(case)
    for name in sorted(files.keys() - TOLD - {MANIFEST}):
        if own.get(name) != files[name]:
            yield Finding(f"{name} is not written as this format writes it.", OTHERWISE)
    for name in sorted((own.keys() | TOLD) - files.keys()):
        yield Finding(f"{name} is not there.", OTHERWISE)
    if case.software != software():
        what = f"Another version of the software made this pack ({case.software})."
        means = "It may tell of the same facts otherwise: its page is not compared with ours."
        yield Finding(what, means, fault=False)
        return
    book, shop_id = read_book(case.shelf, case.order_id), str(case.head.get("shop_id", ""))
    judging = packs_of(book, shop_of(case.shelf, shop_id)) if told else case.packs
    for name in sorted(judging.keys() ^ case.packs.keys()):
        means = "The clocks are told by another policy than the one that judges the order."
        lacks = "is not there" if name in judging else "does not judge the order"
        yield Finding(f"packs/{name}.toml {lacks}.", means)
    for name, pack in case.packs.items():
        if name not in packs.names() or packs.text_of(name) != pack:
            means = "The clocks are told by another policy than the one that this version has."
            yield Finding(f"packs/{name}.toml is not the pack of that name.", means)
    for name, text in told_files(case).items() if told else ():
        if files.get(name) != text:
            means = "The facts are in facts.jsonl; what this file says is not what they make."
            yield Finding(f"{name} does not follow from the facts.", means)


# The chain, as it was told elsewhere


def _anchored(case: Case, anchor: Anchor) -> Iterator[Finding]:
    heads = [START, *chain.digests(case.order_id, case.links)]
    if anchor.links >= len(heads):
        what = f"The pack's chain has {len(heads) - 1} links; {anchor} was told elsewhere."
        yield Finding(what, "The pack is older than that, or links were removed from it.")
    elif heads[anchor.links] != anchor.head:
        what = f"Link {anchor.links} is not the one that was told elsewhere ({anchor.head})."
        yield Finding(what, "The whole chain was written anew after that was told.")


# Deliveries


def _deliveries(case: Case) -> Iterator[Finding]:
    named = {delivery.name: delivery for delivery in case.deliveries}
    cited: dict[str, list[Row]] = {}
    for row in case.facts:
        if row.get("via"):
            cited.setdefault(row["via"], []).append(row)
    for name in sorted(cited.keys() ^ named.keys()):
        lacks = "is cited and not in the pack" if name in cited else "is cited by no fact"
        yield Finding(f"Delivery {name} {lacks}.", OTHERWISE)
    yield from _ended(case, cited)
    for number, delivery in enumerate(case.deliveries, 1):
        about = f"Delivery {number:04} ({delivery.source})"
        if (delivery.body is None) is (delivery.state == KEPT):
            yield Finding(f"{about} is {delivery.state}, and its body says otherwise.", OTHERWISE)
        if delivery.body is None:
            continue
        if sha256(delivery.body) != delivery.sha256:
            what = f"{about} has not the digest by which facts cite it."
            yield Finding(what, "Its body is not the one that arrived.")
            continue
        yield from _translated(about, delivery, delivery.body, cited.get(delivery.name, []))


def _ended(case: Case, cited: Mapping[str, Sequence[Row]]) -> Iterator[Finding]:
    """What can't be read anew, since the delivery that it cites is in no table any more."""
    gone = [one.name for one in case.deliveries if one.state == EXPIRED]
    if gone:
        facts = sum(len(cited.get(name, ())) for name in gone)
        what = f"Only digests are left of deliveries ({len(gone)}) that facts ({facts}) cite."
        means = (
            "They have ended, or never came: what is cited of them rests on the chain alone. An "
            "older pack may have them."
        )
        yield Finding(what, means, fault=False)


def _translated(
    about: str, delivery: Delivery, body: bytes, facts: Iterable[Row]
) -> Iterator[Finding]:
    """Whether a delivery, translated anew, says the facts that cite it."""
    try:
        found = source(delivery.source).translate(
            Arrived(
                delivery.source,
                delivery.account,
                body,
                parse(delivery.received_at),
                delivery.shops,
                delivery.pulled,
                delivery.headers,
            )
        )
    except KeyError:
        what = f"{about} can't be read here: this version knows no such source."
        yield Finding(what, "Whether it says what is cited of it was not tried.", fault=False)
        return
    except (Unreadable, ValueError, RecursionError) as fault:
        yield Finding(f"{about} can't be read: {fault}.", ELSEWISE)
        return
    said = _said(found)
    for row in facts:
        if "doc" in row and not _says(said, found, row):
            yield Finding(f"{about} does not say {row['pk']} / {row['sk']}.", ELSEWISE)


ELSEWISE = (
    "A fact cites it that does not follow from it: the fact was changed, or this version reads "
    "such bodies otherwise than the one that kept it."
)


def _said(found: Translation) -> set[tuple[str, str, str]]:
    """The facts in a translation, as rows say them."""
    made = [
        *(codec.event_row(event, _NEVER) for event in found.events),
        *(codec.scan_row(scan, _NEVER) for scan in found.scans),
        *(row for link in found.links for row in codec.link_rows(link, _NEVER)),
    ]
    return {(row["pk"], row["sk"], row["doc"]) for row in made}


_NEVER = parse("1970-01-01T00:00:00Z")


def _says(said: set[tuple[str, str, str]], found: Translation, row: Row) -> bool:
    """Whether a translation says what a fact's row does. A link may have been told once more since,
    by the marketplace, and may follow from another number's."""
    if (row["pk"], row["sk"], row["doc"]) in said:
        return True
    if chain.what(row) not in ("link", "owner"):
        return False
    link = codec.read_link(row)
    if any(change.new == link.number for change in found.replaced):
        return True
    keys = {(pk, sk) for pk, sk, _ in said}
    return link.source == MARKETPLACE and (row["pk"], row["sk"]) in keys


def _senders(case: Case, secrets: Mapping[str, Any]) -> Iterator[Finding]:
    for number, delivery in enumerate(case.deliveries, 1):
        if delivery.body is None:
            continue
        state, why = verification(delivery, delivery.body, secrets)
        if state == NO_MORE:
            means = (
                "Where the account's secrets were not changed since, its body or headers were: the "
                "sender is not proven."
            )
            yield Finding(f"Delivery {number:04} ({delivery.source}): {why}", means)


# The table


def _stood(ours: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether an order may have stood as a pack tells: as it stands in the table, or earlier."""
    if ours["version"] >= live["version"]:
        return ours == live
    return bool(ours["settled_at"] <= live["settled_at"])


def _held_against(case: Case, store: Store) -> list[Finding]:
    try:
        return list(_against(case, store))
    except ODD as fault:
        means = "A row of it can't be read: somebody has changed it, or another version wrote it."
        return [Finding(f"The table's order can't be told: {fault!r}.", means)]


def _against(case: Case, store: Store) -> Iterator[Finding]:
    """The pack against the order as it stands in the table."""
    book = read_book(store, case.order_id)
    head = book.one(rows.HEAD)
    if head is None:
        what = f"The table knows no order {case.order_id}."
        yield Finding(what, "It is another stack's, or the order was removed.")
        return
    live = chain.read(book.rows)
    facts = facts_of(store, book, live)
    for finding in chained(case.order_id, live, facts):
        yield Finding(f"In the table: {finding.what}", finding.means, finding.fault)
    heads = [START, *chain.digests(case.order_id, live.links)]
    ours = case.anchor
    if not ours.links and live.anchor.links:
        what = "The pack has no chain; the table's order has one."
        yield Finding(what, "Nothing shows that its facts are those of the table.")
    elif ours.links >= len(heads) or heads[ours.links] != ours.head:
        what = "The table's chain is not the one that this pack was made of."
        yield Finding(what, "The order's facts were written anew, here or there.")
    elif ours.links == live.anchor.links and incidents_in(head, facts) != case.head.get(
        "incidents", {}
    ):
        what = "The table says otherwise how the order stood in its incidents."
        yield Finding(what, "No link binds that: the clocks of the page may be others than told.")
    elif not _stood(case.head, said_of_head(head, facts)):
        what = f"The table tells otherwise how the order stood than {ORDER} does."
        yield Finding(what, "No link binds that: it was changed, here or there.")
    elif ours.links < live.anchor.links:
        what = (
            f"The order has moved on: {live.anchor.links} links by now, {ours.links} in the pack."
        )
        yield Finding(what, "What the pack says still fits; a new one says more.", fault=False)
