"""Connecting a shop to its marketplace, keeping the connection, and losing it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from shipclock import codec, rows
from shipclock.domain.clock import Notice
from shipclock.domain.level import Level
from shipclock.domain.times import stamp
from shipclock.marketplaces.protocol import Outcome, Shop, Tokens
from shipclock.ports import Below, Change, Check, Key, Put, Row, Store, Write
from shipclock.reading import digest
from shipclock.shops import shop_of

RENEW_BEFORE = timedelta(hours=12)
"""How long before its end an access token is renewed, or at half its life if that is later.
TikTok's live seven days by default (`tiktok-shop.md` 1.3)."""

TELL_BEFORE = timedelta(days=30)
"""How long before an authorisation ends the seller is told; TikTok's own webhook begins then."""

TELL_AGAIN = (1, 3, 7, 30)
"""Days before the end at which it is told again: once for each of these spans."""

CONNECT_AGAIN = "Connect the shop again with `shipclock shops connect`."

LEFT_OVER = ("renewer", "renew_until", "renew_from", "renew_at", "broken")
"""What an authorisation's row tells of renewals of its tokens; new tokens end it (`renewal`)."""


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


def store_tokens(store: Store, shop: Shop, tokens: Tokens, real: datetime) -> None:
    """Keep the tokens that a seller's consent brought, in place of any earlier ones.

    Without conditions: consent is newer than whatever is there. A renewal that is under way writes
    only over the tokens it began with, so it can't undo this.
    """
    auth = rows.authorisation_key(shop.authorisation)
    mark = renewal_mark(auth, tokens, real)
    store.write(
        Change(
            auth,
            set={**codec.tokens_doc(tokens), "shop_id": shop.shop_id, **mark},
            remove=(*LEFT_OVER, *(() if mark else rows.MARK)),
            create=True,
        )
    )


def attach_shop(store: Store, shop: Shop, real: datetime, heal: bool = True) -> bool:
    """Connect a shop whose authorisation's tokens are stored; False while its lane is in use.

    With `heal` the shop is reconciled at once and each of its open orders is looked at again:
    whatever waited for the connection goes on. Without, it is reconciled from its first order on.
    """
    key = rows.shop_pk(shop.shop_id), rows.LANE
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
        look_again(store, shop.shop_id, real)
    return connected


def look_again(store: Store, shop_id: str, real: datetime) -> None:
    """Have a shop reconciled at once and each of its open orders settled anew."""
    begin_reconciling(store, shop_id, real)
    row_key = reconcile_key(shop_id)
    wake = {"wake": "", "wake_from": codec.millis(real)}
    store.write(Change(row_key, set={**wake, **rows.mark(row_key, rows.at_once(real))}))


def connect_shop(
    store: Store, shop: Shop, tokens: Tokens, real: datetime, heal: bool = True
) -> bool:
    """Connect a shop, or connect it again with new tokens; False while its lane is in use.

    Shops of one authorisation share its tokens: `store_tokens` once, then `attach_shop` each.
    """
    store_tokens(store, shop, tokens, real)
    return attach_shop(store, shop, real, heal)


def let_go(store: Store, shop: Shop) -> None:
    """Have a shop's present tokens renewed for it no more: it is connected by another
    authorisation from now on. Other shops that share them keep them."""
    if writes := _hand_over(store, shop):
        store.commit(writes)


def change_shop(
    store: Store, shop_id: str, change: Callable[[Shop], Shop], real: datetime
) -> Shop | None:
    """Change a shop's settings, and have its open orders looked at again, connected or not; None
    where the shop is not known.

    Written over exactly what was read; who changes it in the same moment is read again.
    """
    key = rows.shop_pk(shop_id), rows.LANE
    while True:
        row = store.get(key)
        if row is None or "doc" not in row:
            return None
        shop = change(codec.read_shop(row))
        if store.write(Change(key, set=codec.shop_doc(shop), when={"doc": row["doc"]})):
            look_again(store, shop_id, real)
            return shop


def known_shops(store: Store) -> Iterator[tuple[Shop, Row]]:
    """Every shop that was ever connected, with its lane's row, in the order of their ids."""
    for listed in store.read(rows.SHOPS):
        row = store.get((rows.shop_pk(listed["sk"]), rows.LANE))
        if row is not None and "doc" in row:
            yield codec.read_shop(row), row


def disconnect(
    store: Store, shop: Shop, row: Row, now: datetime, real: datetime, text: str = ""
) -> bool:
    """Stop calling a shop until it is connected again, and have the seller told; False where it
    has changed since `row` was read.

    Its tokens stay where they are. Where they are another connected shop's too, that one has them
    renewed from now on; else nobody has.
    """
    text = text or (
        f"The marketplace no longer lets us act for shop {shop.shop_id}. Clocks and alerts go on "
        f"from what is known; meanwhile nothing can be read or pushed. {CONNECT_AGAIN}"
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
            *_hand_over(store, shop),
        ]
    )


def _hand_over(store: Store, shop: Shop) -> list[Write]:
    """The writes by which the renewal of a lost shop's tokens becomes another shop's business."""
    key = rows.authorisation_key(shop.authorisation)
    auth = store.get(key)
    if auth is None or auth.get("shop_id") != shop.shop_id:
        return []
    unchanged = {"doc": auth["doc"]}
    for other, row in known_shops(store):
        shares = other.authorisation == shop.authorisation and other.shop_id != shop.shop_id
        if shares and other.connected:
            return [
                Check(rows.key_of(row), {"doc": row["doc"]}),
                Change(key, set={"shop_id": other.shop_id}, when=unchanged),
            ]
    return [Change(key, remove=rows.MARK, when=unchanged)]


def tell_refused(
    store: Store,
    shop: Shop,
    tokens: Tokens,
    outcome: Outcome,
    broken: bool,
    now: datetime,
    real: datetime,
) -> None:
    """Have the seller told, once for these tokens, that they can't be renewed.

    `broken`: an earlier renewal's answer never came, so the refresh token may have been replaced.
    """
    ends_at = tokens.access_expires_at
    until = f"runs out at {stamp(ends_at)}" if ends_at and ends_at > real else "has run out"
    why = " An earlier renewal broke off, so this refresh token may be used up." if broken else ""
    text = (
        f"The marketplace refuses to renew our access to shop {shop.shop_id}: {outcome.reason}."
        f"{why} The present access {until}; then nothing can be read or pushed. {CONNECT_AGAIN} "
        "If only the app's secret, its allow-list or the clock is wrong, mend that: it is tried "
        "again every 15 minutes. `shipclock doctor` tells which it is."
    )
    told = digest("refused", tokens.refresh_token)[:20]
    notice = Notice(shop.marketplace, "renewal_refused", now, told, text)
    store.write(Put(codec.notice_row(rows.shop_pk(shop.shop_id), notice, real)))


def expiring(store: Store, shop_id: str, ends_at: datetime, now: datetime, real: datetime) -> bool:
    """Have the seller told that a shop's authorisation ends then; whether that was news.

    Told at once and again when 7 days, 3 days and one are left, whatever it is heard from and how
    often. Nothing is told of a shop that is unknown or not connected, nor where it has been
    authorised anew for longer since. `ends_at` and `real` are real times.
    """
    shop = shop_of(store, shop_id)
    if shop is None or not shop.connected:
        return False
    auth = store.get(rows.authorisation_key(shop.authorisation))
    known = codec.read_tokens(auth).refresh_expires_at if auth else None
    if known is not None and known > ends_at + timedelta(days=1):
        return False
    left = ends_at - real
    days = next((days for days in TELL_AGAIN if left <= timedelta(days=days)), TELL_AGAIN[-1])
    how = f"ends at {stamp(ends_at)}" if left > timedelta(0) else f"ended at {stamp(ends_at)}"
    text = (
        f"The authorisation of shop {shop_id} {how}. After that nothing can be read or pushed for "
        f"it. {CONNECT_AGAIN}"
    )
    day = f"{ends_at.date().isoformat()}#{days}"
    level = Level.URGENT if days == TELL_AGAIN[0] else ""
    notice = Notice(shop.marketplace, "authorisation_ends", now, day, text, level)
    return store.write(Put(codec.notice_row(rows.shop_pk(shop_id), notice, real)))
