"""Connecting a shop to its marketplace, and losing the connection."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from shipclock import codec, rows
from shipclock.domain.clock import Notice
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.ports import Below, Change, Key, Put, Row, Store

RENEW_BEFORE = timedelta(hours=12)
"""How long before its end an access token is renewed, or at half its life if that is later.
TikTok's live seven days by default (`tiktok-shop.md` 1.3)."""


def reconcile_key(shop_id: str) -> Key:
    """The key of a shop's reconciliation row."""
    return rows.shop_pk(shop_id), rows.RECONCILE


def begin_reconciling(store: Store, shop_id: str, real: datetime) -> None:
    """Have a shop reconciled from now on; nothing happens where it is already."""
    pk, sk = reconcile_key(shop_id)
    mark = rows.mark((pk, sk), rows.at_once(real))
    store.write(Put({"pk": pk, "sk": sk, "cursors": {}, "failures": 0, **mark}))


def renewal_mark(key: Key, tokens: Tokens, real: datetime) -> Row:
    """The due mark of an authorisation's row: when to renew its access token."""
    if tokens.access_expires_at is None:
        return {}
    left = tokens.access_expires_at - real
    return rows.mark(key, rows.at(tokens.access_expires_at - min(RENEW_BEFORE, left / 2)))


def connect_shop(
    store: Store, shop: Shop, tokens: Tokens, real: datetime, heal: bool = True
) -> bool:
    """Connect a shop, or connect it again with new tokens; False while its lane is in use.

    Shops of one authorisation share its tokens. With `heal` the shop is reconciled at once and
    each of its open orders is looked at again: whatever waited for the connection goes on.
    Without, it is reconciled from its first order on.
    """
    key = rows.shop_pk(shop.shop_id), rows.LANE
    auth = rows.authorisation_key(shop.authorisation)
    store.write(
        Change(
            auth,
            set={
                **codec.tokens_doc(tokens),
                "shop_id": shop.shop_id,
                **renewal_mark(auth, tokens, real),
            },
            create=True,
        )
    )
    connected = store.write(
        Change(
            key,
            set={**codec.shop_doc(shop), "connected_at": codec.millis(real)},
            when={"lease_until": Below(codec.millis(real))},
            create=True,
        )
    )
    if connected:
        store.write(Put({"pk": rows.SHOPS, "sk": shop.shop_id}))
    if connected and heal:
        begin_reconciling(store, shop.shop_id, real)
        row_key = reconcile_key(shop.shop_id)
        wake = {"wake": "", "wake_from": codec.millis(real)}
        store.write(Change(row_key, set={**wake, **rows.mark(row_key, rows.at_once(real))}))
    return connected


def disconnect(store: Store, shop: Shop, row: Row, now: datetime, real: datetime) -> bool:
    """Stop calling a shop until it is connected again, and have the seller told; False where it
    has changed since `row` was read. Its tokens are of no more use and stay where they are."""
    text = (
        f"The marketplace no longer lets us act for shop {shop.shop_id}. Clocks and alerts go on "
        "from what is known; nothing can be read or pushed until you connect the shop again."
    )
    notice = Notice(shop.marketplace, "disconnected", now, rows.at(real), text)
    return store.commit(
        [
            Change(
                rows.key_of(row),
                set=codec.shop_doc(replace(shop, connected=False)),
                when={"doc": row["doc"]},
            ),
            Put(codec.notice_row(rows.shop_pk(shop.shop_id), notice, real)),
        ]
    )


def open_partitions(shop_id: str, stages: Iterable[str]) -> list[str]:
    """The partitions of the `board` index that list a shop's orders at some stages."""
    return [
        rows.board_partition(shop_id, stage, shard)
        for stage in stages
        for shard in range(rows.BOARD_SHARDS)
    ]
