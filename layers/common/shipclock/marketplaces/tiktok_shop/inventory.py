"""Stock as the marketplace has it (`tiktok-shop.md` 5.4). Quantities are units.

An update names a `quantity`; which field of a search it becomes is not told. We take it for
`available_quantity`, what may still be sold: units committed to orders are the marketplace's and
come on top (confidence D). Where that is wrong a doubted update is never seen to have taken effect,
and a person is asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from shipclock.marketplaces.protocol import Call, Kind, Outcome, Shelf
from shipclock.marketplaces.tiktok_shop.outcomes import part_outcomes
from shipclock.marketplaces.tiktok_shop.versions import path
from shipclock.reading import Object, Unreadable, identifier, parts, whole, words

MOST_SKUS = 600
MOST_UNITS = 99_999
SKUS_SET = 50
"""How many SKUs one update may hold is not published."""

MOST_SHOWN = 10**12
"""Nobody has more units than that; who says so is not believed."""


def search_inventory(sku_ids: Sequence[str]) -> Call:
    """The stock of up to 600 SKUs; raises ValueError for none or more."""
    if not 1 <= len(sku_ids) <= MOST_SKUS:
        raise ValueError(f"1 to {MOST_SKUS} SKUs are asked for at a time, not {len(sku_ids)}")
    body = {"sku_ids": list(sku_ids)}
    return Call("search_inventory", "POST", path("search_inventory"), body=body)


def read_inventory(outcome: Outcome) -> tuple[Shelf, ...]:
    """The stock in an answer; may be of fewer SKUs than asked for. Raises `Unreadable`."""
    if "inventory" not in outcome.data:
        raise Unreadable("inventory: a list was expected")
    return tuple(_stocks(outcome.data))


def _stocks(data: Object) -> Iterator[Shelf]:
    for product in parts(data, "inventory"):
        product_id = identifier(product.get("product_id"), "inventory.product_id")
        for sku in parts(product, "skus"):
            sku_id, name = identifier(sku.get("id"), "skus.id"), words(sku, "seller_sku")
            places = parts(sku, "warehouse_inventory")
            for place in places:
                yield Shelf(
                    sku_id,
                    product_id,
                    name,
                    identifier(place.get("warehouse_id"), "warehouse_inventory.warehouse_id"),
                    _units(place, "available_quantity"),
                    _units(place, "committed_quantity"),
                )
            if not places:
                available = _units(sku, "total_available_quantity")
                committed = _units(sku, "total_committed_quantity")
                yield Shelf(sku_id, product_id, name, "", available, committed)


def _units(row: Object, key: str) -> int:
    """A quantity. One that is missing is not 0: whoever took it for that would stop selling."""
    found = whole(row, key)
    if found is None:
        raise Unreadable(f"{key} is missing")
    if abs(found) > MOST_SHOWN:
        raise Unreadable(f"{key}: nobody has {found} units")
    return found


@dataclass(frozen=True, slots=True)
class StockWish:
    """How many units of a SKU a warehouse shall have: the whole number, not the change."""

    sku_id: str
    warehouse_id: str
    quantity: int


def update_inventory(product_id: str, wishes: Sequence[StockWish]) -> Call:
    """Set the stock of a product's SKUs. Every warehouse of a SKU has to be among the wishes.

    Setting it twice is harmless by itself, but a late repeat would undo what came between. The
    page names 1 to 99,999; 0 is undocumented and left to the marketplace. Raises ValueError.
    """
    wrong = [wish for wish in wishes if not 0 <= wish.quantity <= MOST_UNITS]
    if wrong:
        raise ValueError(f"a stock has 0 to {MOST_UNITS} units, not {wrong[0].quantity}")
    if not wishes:
        raise ValueError("no stock to set is named")
    skus: dict[str, list[dict[str, object]]] = {}
    for wish in wishes:
        place: dict[str, object] = {"warehouse_id": wish.warehouse_id, "quantity": wish.quantity}
        skus.setdefault(wish.sku_id, []).append(place)
    body = {"skus": [{"id": sku_id, "inventory": places} for sku_id, places in skus.items()]}
    where = path("update_inventory", product_id=product_id)
    return Call("update_inventory", "POST", where, body=body, writes=True)


def read_inventory_errors(outcome: Outcome) -> dict[str, Outcome]:
    """The SKUs whose stock was not set, each with what its code means; raises `Unreadable`."""
    return part_outcomes(outcome, "sku_id")


def set_stock(product_id: str, units: Mapping[str, Mapping[str, int]]) -> Call:
    """The update of a product's SKUs, by SKU and warehouse; see `update_inventory`."""
    wishes = [
        StockWish(sku_id, warehouse_id, quantity)
        for sku_id, places in units.items()
        for warehouse_id, quantity in places.items()
    ]
    return update_inventory(product_id, wishes)


def stock_apart(outcome: Outcome, sku_ids: Sequence[str]) -> Mapping[str, Outcome]:
    """What an update's answer means for each SKU; raises `Unreadable`.

    Of an update that was taken, what its list of errors does not name was set; where the list names
    a SKU that was not in it, nobody knows whose error that is. An answer to all alone (a rate
    limit, say) can't be one SKU's: it is to be told again.
    """
    if outcome.kind is not Kind.OK:
        return dict.fromkeys(sku_ids, outcome)
    errors = read_inventory_errors(outcome)
    stray = Outcome(
        Kind.UNCLEAR,
        reason="the answer names a SKU that was not set",
        request_id=outcome.request_id,
    )
    silent = outcome if errors.keys() <= set(sku_ids) else stray
    return {sku_id: _of_one(errors.get(sku_id, silent)) for sku_id in sku_ids}


AGAIN = timedelta(minutes=1)


def _of_one(outcome: Outcome) -> Outcome:
    if outcome.kind in (Kind.RATE_LIMITED, Kind.EXPIRED, Kind.DEAUTHORISED):
        return replace(outcome, kind=Kind.LATER, wait=outcome.wait or AGAIN)
    return outcome
