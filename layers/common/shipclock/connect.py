"""Connecting a shop: what stands in its lane's row from then on."""

from datetime import datetime

from shipclock import codec, reconcile, rows
from shipclock.lane import RENEW_BEFORE
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import ABSENT, Below, Change, Put, Store


def connect_shop(store: Store, shop: Shop, real: datetime, heal: bool = True) -> bool:
    """Connect a shop, or connect it again with new tokens; False while its lane is in use.

    With `heal` it is reconciled at once, which also brings back into `due` what waited for the
    connection; without, from the first order that is heard of.
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
    return connected
