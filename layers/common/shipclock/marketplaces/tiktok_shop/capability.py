"""What TikTok Shop lets a seller's app say, by deed, market, shipping and fulfilment type.

Data, not code: from `tiktok-shop.md` 5.2 ("Which ship call?"), 5.5 and 5.6, as of 2026-11-23, never
tried on a live shop; the confidence column is that page's. Where no row fits, nothing is sent and
the seller is told why.
"""

from dataclasses import dataclass

from shipclock.domain.order import (
    AWAITING_COLLECTION,
    AWAITING_SHIPMENT,
    DELIVERED,
    IN_TRANSIT,
    ON_HOLD,
    PARTIALLY_SHIPPING,
    UNPAID,
    Order,
)
from shipclock.domain.push import WAITING, Deed, Wanted
from shipclock.marketplaces.protocol import Outcome, Plan, Shop

SEA = ("ID", "MY", "PH", "SG", "TH", "VN")
LATAM = ("BR", "MX")
EUROPE = ("UK", "GB", "ES", "IE", "IT", "DE", "FR")
MARKETS = (*SEA, *LATAM, *EUROPE, "US", "JP")

SHIP_PACKAGE = "ship_package"
MARK_AS_SHIPPED = "mark_package_as_shipped"
CREATE_PACKAGE = "create_package"
UPDATE_ORDER_SHIPPING = "update_order_shipping"
UPDATE_PACKAGE_SHIPPING = "update_package_shipping"
DELIVER = "deliver"
TRACK = "track"
CANCEL_ORDER = "cancel"
APPROVE_CANCELLATION = "approve_cancellation"
REJECT_CANCELLATION = "reject_cancellation"
CREATE_RETURN = "create_return"
SEND_MESSAGE = "message"
"""The calls, by their names in `versions.ENDPOINTS`."""

BY_SELLER = "FULFILLMENT_BY_SELLER"
IN_STORE = "IN-STORE PICKUP"
EVERY_SHIPPING = ("SELLER", "TIKTOK", IN_STORE)
ON_ITS_WAY = (PARTIALLY_SHIPPING, AWAITING_COLLECTION, IN_TRANSIT)
SELLER_CANCELS = (ON_HOLD, AWAITING_SHIPMENT, UNPAID)
SELLER_CANCELS_US = (*SELLER_CANCELS, AWAITING_COLLECTION)
"""Statuses in which a seller may still cancel; afterwards there is only a refund (5.5)."""


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of the table. `proof` says how a re-read shows that the call took effect; where it
    is empty nothing does, and the call is never repeated without a person.

    `statuses`: of the order, empty for any. `shop` names the setting without which the marketplace
    refuses. `irrevocable`: the order is read again right before.
    """

    deed: Deed
    markets: tuple[str, ...]
    shipping_types: tuple[str, ...]
    call: str
    proof: str
    confidence: str
    statuses: tuple[str, ...] = ()
    shop: str = ""
    irrevocable: bool = False
    fulfillment_type: str = BY_SELLER
    as_of: str = "2026-11-23"


NUMBER_SHOWN = "the order or its package shows our tracking number as shipped"
CASE_SHOWN = "the order shows it, or a cancellation or return of ours among its cases"
ANSWERED = "the buyer's request is no longer pending"
SELLER, TIKTOK = ("SELLER",), ("TIKTOK",)
NOT_US = tuple(market for market in MARKETS if market != "US")
MARKED = (*EUROPE, "US", "JP")

TABLE = (
    Capability(Deed.SHIP, (*SEA, *LATAM), SELLER, SHIP_PACKAGE, NUMBER_SHOWN, "A"),
    Capability(Deed.SHIP, MARKED, SELLER, MARK_AS_SHIPPED, NUMBER_SHOWN, "A"),
    Capability(Deed.SHIP, NOT_US, TIKTOK, SHIP_PACKAGE, NUMBER_SHOWN, "A"),
    Capability(
        Deed.SHIP, SEA, (IN_STORE,), SHIP_PACKAGE, "the order shows the package as gone", "B"
    ),
    Capability(Deed.LABEL, MARKED, TIKTOK, CREATE_PACKAGE, "", "B", WAITING),
    Capability(
        Deed.RENUMBER, MARKETS, SELLER, UPDATE_ORDER_SHIPPING, NUMBER_SHOWN, "B", ON_ITS_WAY
    ),
    Capability(
        Deed.DELIVER,
        SEA,
        SELLER,
        DELIVER,
        "the order or its package shows it",
        "A",
        (*ON_ITS_WAY, DELIVERED),
        shop="hand_marked",
    ),
    Capability(
        Deed.DELIVER,
        SEA,
        (IN_STORE,),
        DELIVER,
        "the order or its package shows it",
        "A",
        (*ON_ITS_WAY, DELIVERED),
    ),
    Capability(Deed.TRACK, ("US", "BR"), SELLER, TRACK, "", "B", shop="self_delivered"),
    Capability(
        Deed.CANCEL,
        NOT_US,
        EVERY_SHIPPING,
        CANCEL_ORDER,
        CASE_SHOWN,
        "A",
        SELLER_CANCELS,
        irrevocable=True,
    ),
    Capability(
        Deed.CANCEL,
        ("US",),
        EVERY_SHIPPING,
        CANCEL_ORDER,
        CASE_SHOWN,
        "A",
        SELLER_CANCELS_US,
        irrevocable=True,
    ),
    Capability(
        Deed.ANSWER, MARKETS, EVERY_SHIPPING, APPROVE_CANCELLATION, ANSWERED, "A", irrevocable=True
    ),
    Capability(
        Deed.REFUND, MARKETS, EVERY_SHIPPING, CREATE_RETURN, CASE_SHOWN, "B", irrevocable=True
    ),
    Capability(Deed.MESSAGE, MARKETS, EVERY_SHIPPING, SEND_MESSAGE, "", "B", irrevocable=True),
)


@dataclass(frozen=True, slots=True)
class StockCapability:
    """Setting stock: a row of its own, for it is about no order. `barred`: the codes by which the
    marketplace says that no call may set this stock."""

    markets: tuple[str, ...]
    search: str
    call: str
    proof: str
    confidence: str
    barred: tuple[int, ...]
    as_of: str = "2026-11-23"


STOCK = StockCapability(
    MARKETS,
    "search_inventory",
    "update_inventory",
    "a search shows the quantity, less what was sold since",
    "B",
    barred=(12052037,),
)
"""Inventory Search and Update Inventory (5.4). An update is absolute; 0 is undocumented."""

FULFILLED_ELSEWHERE = (
    "the marketplace fulfils this order itself",
    "Nothing to do: its warehouse ships and reports it.",
)
NOT_HERE = (
    "no call tells this marketplace that the order is shipped",
    "Ship the order in Seller Center; for Ship by TikTok in the US buy its label there.",
)
PARTLY_READ = (
    "the order could not be read whole",
    "Ship it in Seller Center, so that no unit of it is left out, and report it to us.",
)
PACKAGE_UNKNOWN = (
    "package unknown",
    "The marketplace shows no package of this order, or more than one, that the number could "
    "belong to. Enter it in Seller Center.",
)
UNITS_UNKNOWN = (
    "nobody can tell which units are meant",
    "The number belongs to no package that the marketplace shows. Ask for it with the units' ids "
    "(`lines`), or do it in Seller Center.",
)
NO_CALL = (
    "no call tells this marketplace of that",
    "Do it in Seller Center, where the marketplace offers it.",
)
NOT_NOW = (
    "the order's status does not allow it",
    "The marketplace takes this only while the order is {statuses}; it is {status}.",
)
NOT_THIS_SHOP = (
    "the shop is not set up for it",
    "Only shops that the marketplace has listed for this may say it. If yours is, set `{shop}` for "
    "the shop; otherwise the marketplace follows the carrier by itself.",
)


def plan(order: Order, wanted: Wanted, shop: Shop) -> Plan:
    """The call that tells TikTok Shop what is wanted, or why there is none."""
    facts = order.facts
    if facts is None or facts.fulfillment_type not in ("", BY_SELLER):
        return _no(wanted, FULFILLED_ELSEWHERE)
    if facts.incomplete and wanted.deed is not Deed.MESSAGE:
        return _no(wanted, PARTLY_READ)
    fitting = [
        row
        for row in TABLE
        if row.deed is wanted.deed
        and shop.market in row.markets
        and facts.shipping_type in row.shipping_types
    ]
    if not fitting:
        return _no(wanted, NOT_HERE if wanted.deed is Deed.SHIP else NO_CALL)
    row = fitting[0]
    call = _call(row, order, wanted)
    if row.shop and not getattr(shop, row.shop):
        return _no(wanted, NOT_THIS_SHOP, call, shop=row.shop)
    if row.statuses and order.status not in row.statuses:
        statuses = ", ".join(row.statuses)
        return _no(wanted, NOT_NOW, call, statuses=statuses, status=order.status)
    if wanted.reason and wanted.deed in (Deed.CANCEL, Deed.REFUND):
        return _no(wanted, UNITS_UNKNOWN, call)
    if wanted.reason or (call in NAMES_PACKAGE and not wanted.package_id):
        return _no(wanted, PACKAGE_UNKNOWN, call)
    failed = wanted.says.get("delivery_type") == "DELIVERY_FAILED"
    return Plan(call, True, proof=bool(row.proof), irrevocable=row.irrevocable or failed)


def plan_stock(shop: Shop) -> Plan:
    """The call that sets a shop's stock, or why there is none."""
    if shop.market not in STOCK.markets:
        reason, advice = NO_CALL
        return Plan(STOCK.call, allowed=False, reason=reason, advice=advice)
    return Plan(STOCK.call, True, proof=bool(STOCK.proof))


def bars_stock(outcome: Outcome) -> bool:
    """Whether a refusal says that no call may set this stock: it is allocated automatically."""
    return outcome.code in STOCK.barred


NAMES_PACKAGE = frozenset({SHIP_PACKAGE, UPDATE_PACKAGE_SHIPPING, DELIVER})


def _call(row: Capability, order: Order, wanted: Wanted) -> str:
    """The row's call, or its twin: a buyer may be answered with no, and of an order in several
    packages the number of one is changed."""
    if row.call == APPROVE_CANCELLATION and wanted.says.get("answer") == "reject":
        return REJECT_CANCELLATION
    if row.call == UPDATE_ORDER_SHIPPING and sum(bool(p.package_id) for p in order.packages) > 1:
        return UPDATE_PACKAGE_SHIPPING
    return row.call


def undo(order: Order, shop: Shop) -> str:
    """How a seller may undo the order by now: `cancellation` or `refund`."""
    statuses = SELLER_CANCELS_US if shop.market == "US" else SELLER_CANCELS
    return "cancellation" if order.status in statuses else "refund"


def _no(wanted: Wanted, why: tuple[str, str], call: str = "", **words: str) -> Plan:
    name = call or wanted.deed.value
    return Plan(name, allowed=False, reason=why[0], advice=why[1].format(**words))
