"""What a person, or the stock engine, wishes a SKU's stock to be: a row per SKU, the newest counts.

The shop's lane sees to it (`stocking`); what becomes of a wish is told by `restock`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter

from shipclock import codec, rows
from shipclock.asking import NotAsked
from shipclock.domain.push import OPEN, IntentState
from shipclock.marketplaces import MARKETPLACES
from shipclock.ports import ABSENT, Change, Key, Row, Store, StoreError
from shipclock.reading import Unreadable, identifier

TRIES = 8


@dataclass(frozen=True, slots=True)
class Update:
    """One update as it was sent: for which wish, and the units of every warehouse of the SKU, with
    what a search had shown right before (available and committed)."""

    number: int
    quantities: Mapping[str, int]
    available: Mapping[str, int]
    committed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StockWish:
    """How many units of a SKU shall be for sale by warehouse, and what became of that.

    `number` counts the wishes of a SKU; a newer one takes the older one's place, and as long as
    that one is open keeps what it wished for other warehouses. `reached` names the warehouses that
    have been brought there: sales lower them again, which is no reason to set them again.

    `sent` is the update in flight, maybe of an older wish; `accepted`, that the marketplace took it
    and only an older one is feared; `older` those that nothing was heard of and that may land late.
    `sent_at`, `unclear_at`, `asked_at` and `done_at` are real times; `not_before` is `now`.
    `misses` counts searches in a row that did not show the SKU.
    """

    shop_id: str
    sku_id: str
    quantities: Mapping[str, int]
    number: int
    asked_at: datetime
    by: str = ""
    state: IntentState = IntentState.PENDING
    reached: tuple[str, ...] = ()
    sent: Update | None = None
    accepted: bool = False
    older: tuple[Update, ...] = ()
    attempts: int = 0
    failures: int = 0
    misses: int = 0
    reason: str = ""
    advice: str = ""
    lease: str = ""
    sent_at: datetime | None = None
    unclear_at: datetime | None = None
    done_at: datetime | None = None
    not_before: datetime | None = None
    rev: int = 0

    @property
    def key(self) -> Key:
        """Its row's key."""
        return rows.shop_pk(self.shop_id), rows.STOCKWISH + self.sku_id

    @property
    def left(self) -> dict[str, int]:
        """What is still to be brought about, by warehouse."""
        return {w: units for w, units in self.quantities.items() if w not in self.reached}


_WISH = TypeAdapter(StockWish)

MOST_WAREHOUSES = 100
ZERO = (
    "0 is undocumented: the marketplace may refuse it. If it does, take the SKU off sale in Seller "
    "Center."
)


def wish(
    store: Store,
    shop_id: str,
    sku_id: str,
    quantities: Mapping[str, int],
    real: datetime,
    by: str = "",
) -> StockWish:
    """Have a SKU's stock set: how many units each of these warehouses shall have for sale, besides
    those that are promised to orders. The next sweep sees to it; warehouses that are not named keep
    what they have.

    Units are whole numbers from 0 to what the marketplace takes (TikTok Shop 99,999); 0 is not
    documented there and may be refused. Raises `NotAsked` for anything else and for a shop that was
    never connected, `StoreError` when the table fails or races are lost again and again.
    """
    _check(store, shop_id, sku_id, quantities)
    for _ in range(TRIES):
        row = store.get((rows.shop_pk(shop_id), rows.STOCKWISH + sku_id))
        known = read_wish(row) if row else None
        fresh = _wished(known, shop_id, sku_id, quantities, real, by)
        if store.write(wish_change(fresh, real)):
            return replace(fresh, rev=fresh.rev + 1)
    raise StoreError(f"the stock of SKU {sku_id} was changed by others {TRIES} times in a row")


def _check(store: Store, shop_id: str, sku_id: str, quantities: Mapping[str, int]) -> None:
    try:
        for name, value in (("shop", shop_id), ("SKU", sku_id)):
            identifier(value, name)
        for warehouse_id in quantities:
            identifier(warehouse_id, "warehouse")
    except Unreadable as error:
        raise NotAsked(f"{error}. Copy it from `shipclock stock list` or Seller Center.") from None
    if not 1 <= len(quantities) <= MOST_WAREHOUSES:
        raise NotAsked(f"Name 1 to {MOST_WAREHOUSES} warehouses, each with its units.")
    row = store.get((rows.shop_pk(shop_id), rows.LANE))
    if row is None or "doc" not in row:
        raise NotAsked(f"Shop {shop_id} was never connected; `shipclock shops list` shows which.")
    most = MARKETPLACES[codec.read_shop(row).marketplace].MOST_UNITS
    for warehouse_id, units in quantities.items():
        if type(units) is not int or not 0 <= units <= most:
            raise NotAsked(
                f"Warehouse {warehouse_id} can have 0 to {most} units, a whole number, not "
                f"{str(units)[:40]!r}."
            )


def _wished(
    known: StockWish | None,
    shop_id: str,
    sku_id: str,
    quantities: Mapping[str, int],
    real: datetime,
    by: str,
) -> StockWish:
    """The newest wish, over the one that was there. An update in flight stays so."""
    advice = ZERO if 0 in quantities.values() else ""
    if known is None or known.state not in OPEN:
        return StockWish(
            shop_id,
            sku_id,
            dict(quantities),
            known.number + 1 if known else 1,
            real,
            by,
            older=known.older if known else (),
            advice=advice,
            rev=known.rev if known else 0,
        )
    return replace(
        known,
        quantities={**known.left, **quantities},
        reached=(),
        number=known.number + 1,
        asked_at=real,
        by=by,
        failures=0,
        misses=0,
        not_before=None,
        advice=advice,
    )


def wish_change(wish: StockWish, real: datetime) -> Change:
    """The write of a wish over the one it was made of: due while there is something to do."""
    kept = replace(wish, rev=wish.rev + 1)
    mark: Row = {}
    if wish.state in OPEN:
        waits = wish.not_before
        mark = rows.mark(wish.key, rows.at(waits) if waits else rows.at_once(real))
    return Change(
        wish.key,
        set={
            "doc": _WISH.dump_json(kept, exclude_defaults=True).decode(),
            "state": wish.state.value,
            "rev": kept.rev,
            **mark,
        },
        remove=("put_off",) if mark else rows.UNMARK,
        when={"rev": wish.rev or ABSENT},
        create=True,
    )


def read_wish(row: Row) -> StockWish:
    """The wish in a row."""
    return _WISH.validate_json(row["doc"])


def shop_wishes(store: Store, shop_id: str) -> list[StockWish]:
    """What is or was last wished for each of a shop's SKUs, by SKU."""
    return [read_wish(row) for row in store.read(rows.shop_pk(shop_id), rows.STOCKWISH)]
