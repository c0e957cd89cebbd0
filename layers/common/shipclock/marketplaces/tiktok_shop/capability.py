"""What TikTok Shop lets a seller's app say, by market, shipping and fulfilment type.

Data, not code: from `tiktok-shop.md` 5.2, "Which ship call?", as of 2026-11-23, never tried on a
live shop; the confidence column is that page's. Where no row fits, nothing is sent and the seller
is told why.
"""

from dataclasses import dataclass

from shipclock.domain.order import Order
from shipclock.domain.push import Wanted
from shipclock.marketplaces.protocol import Plan, Shop

SEA = ("ID", "MY", "PH", "SG", "TH", "VN")
LATAM = ("BR", "MX")
EUROPE = ("UK", "GB", "ES", "IE", "IT", "DE", "FR")
MARKETS = (*SEA, *LATAM, *EUROPE, "US", "JP")

SHIP_PACKAGE = "ship_package"
MARK_AS_SHIPPED = "mark_package_as_shipped"


@dataclass(frozen=True, slots=True)
class Capability:
    """One row of the table. `proof` says how a re-read shows that the call took effect."""

    markets: tuple[str, ...]
    shipping_type: str
    fulfillment_type: str
    call: str
    proof: str
    confidence: str
    as_of: str = "2026-11-23"


BY_SELLER = "FULFILLMENT_BY_SELLER"
NUMBER_SHOWN = "the order or its package shows our tracking number as shipped"

SHIP = (
    Capability((*SEA, *LATAM), "SELLER", BY_SELLER, SHIP_PACKAGE, NUMBER_SHOWN, "A"),
    Capability((*EUROPE, "US", "JP"), "SELLER", BY_SELLER, MARK_AS_SHIPPED, NUMBER_SHOWN, "A"),
    Capability((*SEA, *LATAM, *EUROPE, "JP"), "TIKTOK", BY_SELLER, SHIP_PACKAGE, NUMBER_SHOWN, "A"),
)

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


def plan(order: Order, wanted: Wanted, shop: Shop) -> Plan:
    """The call that tells TikTok Shop that a package left, or why there is none."""
    facts = order.facts
    if facts is None or facts.fulfillment_type not in ("", BY_SELLER):
        return _no(FULFILLED_ELSEWHERE)
    if facts.incomplete:
        return _no(PARTLY_READ)
    for row in SHIP:
        if shop.market in row.markets and facts.shipping_type == row.shipping_type:
            if wanted.reason or (row.call == SHIP_PACKAGE and not wanted.package_id):
                return _no(PACKAGE_UNKNOWN, row.call)
            return Plan(row.call, allowed=True, proof=bool(row.proof))
    return _no(NOT_HERE)


SELLER_CANCELS = ("ON_HOLD", "AWAITING_SHIPMENT", "UNPAID")
SELLER_CANCELS_US = ("AWAITING_COLLECTION",)
"""Statuses in which a seller may still cancel; afterwards there is only a refund (5.5)."""


def undo(order: Order, shop: Shop) -> str:
    """How a seller may undo the order by now: `cancellation` or `refund`."""
    later = shop.market == "US" and order.status in SELLER_CANCELS_US
    return "cancellation" if order.status in SELLER_CANCELS or later else "refund"


def _no(why: tuple[str, str], call: str = "ship") -> Plan:
    return Plan(call, allowed=False, reason=why[0], advice=why[1])
