"""Keep what a marketplace says of orders: links first, then the buyer, then the snapshot."""

import json
from datetime import datetime, timedelta

from shipclock import codec, rows
from shipclock.domain.event import Link, OrderFacts, Snapshot
from shipclock.domain.linking import MARKETPLACE
from shipclock.domain.number import is_number, normal
from shipclock.domain.times import stamp
from shipclock.marketplaces.protocol import OrderRow
from shipclock.ports import ABSENT, Below, Change, Put, Store
from shipclock.reading import digest

BUYER_KEPT_OPEN = timedelta(days=180)
"""How long personal data lives at most after the last change of an order that never ends."""


def keep_snapshot(
    store: Store,
    shop_id: str,
    row: OrderRow,
    requested_at: datetime,
    as_of: datetime,
    linked: frozenset[str] = frozenset(),
) -> None:
    """Keep an order as it was told in answer to a request sent at the real time `requested_at`.

    Numbers in `linked` are known to be linked by an earlier one already. The snapshot is put
    last: if this breaks off, the order still counts as not read.
    """
    facts = row.facts
    for link in _links(row.order_id, facts, linked):
        # A carrier's reference may have linked it before, without the order's creation.
        store.commit(
            [
                Change(
                    rows.key_of(link_row),
                    set={"doc": link_row["doc"], "told": True},
                    when={"told": ABSENT},
                    create=True,
                )
                for link_row in codec.link_rows(link, requested_at)
            ]
        )
        _tell_sharing(store, link, requested_at)
    if row.buyer:
        _keep_buyer(store, row, requested_at)
    told = digest(row.order_id, stamp(facts.update_time), requested_at.isoformat())
    snapshot = Snapshot(told, row.order_id, shop_id, requested_at, as_of, facts)
    store.write(Put(codec.event_row(snapshot, requested_at)))


def _tell_sharing(store: Store, link: Link, real: datetime) -> None:
    """Have all orders of a number settled anew, if there are others: whose its scans are depends on
    each. Read once the link is put: of two that are linked at once the later one sees both."""
    here = rows.number_pk(link.number), rows.LINK + link.order_id
    if any(row["sk"] != here[1] for row in store.read(here[0], rows.LINK)):
        store.write(Change(here, set=rows.mark(here, rows.at_once(real))))


def _links(order_id: str, facts: OrderFacts, linked: frozenset[str]) -> list[Link]:
    told = [(line.tracking_number, line.provider) for line in facts.lines]
    told.append((facts.tracking_number, facts.shipping_provider))
    carriers: dict[str, str] = {}
    for written, carrier in told:
        number = normal(written)
        if is_number(number) and number not in linked:
            carriers[number] = carriers.get(number) or carrier
    return [
        Link(number, order_id, MARKETPLACE, facts.create_time, carrier=carrier)
        for number, carrier in sorted(carriers.items())
    ]


def read_buyer(store: Store, order_id: str) -> dict[str, str]:
    """What is kept of an order's buyer; empty where nothing is, or no longer."""
    row = store.get((rows.order_pk(order_id), rows.BUYER))
    return dict(json.loads(row["doc"])) if row else {}


def _keep_buyer(store: Store, row: OrderRow, real: datetime) -> None:
    store.write(
        Change(
            (rows.order_pk(row.order_id), rows.BUYER),
            set={
                "doc": json.dumps(dict(row.buyer), ensure_ascii=False),
                "told_at": codec.millis(row.facts.update_time),
                "expires_at": int((real + BUYER_KEPT_OPEN).timestamp()),
            },
            when={"told_at": Below(codec.millis(row.facts.update_time))},
            create=True,
        )
    )
