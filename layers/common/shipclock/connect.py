"""Connecting a shop: what stands in its lane's row from then on."""

from datetime import datetime

from shipclock import codec, reconcile, rows
from shipclock.domain.order import OPEN_STAGES
from shipclock.lane import RENEW_BEFORE
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import ABSENT, Below, Change, Put, Store

PAGE = 100


def connect_shop(store: Store, shop: Shop, real: datetime, heal: bool = True) -> bool:
    """Connect a shop, or connect it again with new tokens; False while its lane is in use.

    With `heal` it is reconciled at once and each of its open orders is looked at again: whatever
    waited for the connection goes on. Without, it is reconciled from its first order on.
    """
    key = rows.shop_pk(shop.shop_id), rows.LANE
    renewal = (
        rows.mark(key, rows.at(shop.access_expires_at - RENEW_BEFORE))
        if shop.access_expires_at
        else {}
    )
    connected = store.write(
        Change(
            key,
            set={**codec.shop_doc(shop), "connected_at": codec.millis(real), **renewal},
            when={"lease_until": Below(codec.millis(real))},
            create=True,
        )
    )
    if connected:
        store.write(Put({"pk": rows.SHOPS, "sk": shop.shop_id}))
    if connected and heal:
        reconcile.begin(store, shop.shop_id, real)
        row_key = reconcile.key(shop.shop_id)
        mark = rows.mark(row_key, rows.at_once(real))
        store.write(Change(row_key, set=mark, when={"due_at": ABSENT}))
        _wake_orders(store, shop.shop_id, real)
    return connected


def _wake_orders(store: Store, shop_id: str, real: datetime) -> None:
    """Mark the heads of a shop's open orders due; their content stays settle's to write."""
    for stage in OPEN_STAGES:
        for shard in range(rows.BOARD_SHARDS):
            start = None
            while True:
                page = store.board(rows.board_partition(shop_id, stage, shard), PAGE, start)
                for row in page.rows:
                    key = rows.key_of(row)
                    store.write(Change(key, set=rows.mark(key, rows.at_once(real))))
                start = page.next
                if start is None:
                    break
