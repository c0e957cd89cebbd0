"""Reading shops as they are kept in the table."""

from shipclock import codec, rows
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Store


def shop_of(store: Store, shop_id: str) -> Shop | None:
    """A shop as it is set; None where it was never connected."""
    row = store.get((rows.shop_pk(shop_id), rows.LANE))
    return codec.read_shop(row) if row and "doc" in row else None


class Shops:
    """The shops that a sweep, or one reading, has met: each is read once."""

    def __init__(self, store: Store) -> None:
        """Reads a shop when it is first asked for."""
        self._store = store
        self._met: dict[str, Shop | None] = {}

    def get(self, shop_id: str) -> Shop | None:
        """The shop as it was met last; None where it was never connected."""
        if shop_id not in self._met:
            self._met[shop_id] = shop_of(self._store, shop_id)
        return self._met[shop_id]

    def put(self, shop: Shop) -> None:
        """Meet a shop as its lane's holder knows it."""
        self._met[shop.shop_id] = shop

    def forget(self, *shop_ids: str) -> None:
        """Have these read anew, or all: they may have been connected or lost meanwhile."""
        for shop_id in shop_ids or tuple(self._met):
            self._met.pop(shop_id, None)
