"""What differs between markets: which ship call exists, when packages exist, money, addresses.

Ship calls: Partner Center, "Mark Package As Shipped" and "Ship Package" (error 21008106 elsewhere).
Packages: field text of `package_id` in "Get Order Detail". Addresses and prices are made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

SEA = frozenset({"ID", "MY", "PH", "SG", "TH", "VN"})
LATAM = frozenset({"BR", "MX"})
EU = frozenset({"ES", "IE", "IT", "DE", "FR"})

SELLER = "SELLER"
TIKTOK = "TIKTOK"
STORE = "IN-STORE PICKUP"

_MARKED = EU | {"US", "UK", "JP"}

# Which shipping types each call takes, by market; a missing pair is refused with 21008106.
MARK_AS_SHIPPED: Mapping[str, frozenset[str]] = MappingProxyType(
    {market: frozenset({SELLER}) for market in sorted(_MARKED)}
)
SHIP_PACKAGE: Mapping[str, frozenset[str]] = MappingProxyType(
    {market: frozenset({SELLER, TIKTOK}) for market in sorted(LATAM)}
    | {market: frozenset({SELLER, TIKTOK, STORE}) for market in sorted(SEA)}
    | {market: frozenset({TIKTOK}) for market in sorted(EU | {"UK", "JP"})}
)

# A package exists from payment on for these shipping types. EU and JP are named by no page: Ship
# Package works there for TIKTOK orders only, and needs a package to name.
PACKAGE_FROM_PAYMENT: Mapping[str, frozenset[str]] = MappingProxyType(
    {market: frozenset({SELLER, TIKTOK}) for market in sorted(LATAM)}
    | {market: frozenset({SELLER, TIKTOK, STORE}) for market in sorted(SEA)}
    | {market: frozenset({TIKTOK}) for market in sorted(EU | {"JP"})}
)
# Where a label of the marketplace's own is bought (Partner Center, "Create Packages").
LABELS = frozenset({"US", "UK", "JP"}) | EU
# Where its services are listed ("Get Eligible Shipping Services").
SERVICES = frozenset({"US", "JP"})
# Where a seller reports the tracking of their own deliveries ("Tracking status update").
OWN_TRACKS = frozenset({"US", "BR"})
# Seconds a seller has to answer a buyer's cancel request before the marketplace agrees for them:
# US and TH by their seller pages, ID by its own; the others have no page of their own.
CANCEL_ANSWER: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(sorted(SEA | LATAM | EU | {"UK", "JP"}), 48 * 3600)
    | dict.fromkeys(("US", "TH"), 24 * 3600)
)
# Where a seller cancels single lines, for want of stock ("Cancel Order").
CANCELS_LINES = frozenset({"US", "UK"})

# Elsewhere a split may part the units of one SKU.
SPLITS_WHOLE_SKUS = SEA | LATAM
# The handover method has been ignored here since 2024-10-30: the warehouse setting decides.
IGNORES_HANDOVER = SEA


@dataclass(frozen=True, slots=True)
class Market:
    """The made-up face of one market: region code, currency, price, and an address in it."""

    region: str
    currency: str
    price: str
    country: str
    state: str
    city: str
    postal_code: str
    dial: str


MARKETS: Mapping[str, Market] = MappingProxyType(
    {
        "US": Market("US", "USD", "9.99", "United States", "Illinois", "Springfield", "62701", "1"),
        "UK": Market(
            "GB", "GBP", "8.99", "United Kingdom", "England", "Sampleford", "ZZ1 1ZZ", "44"
        ),
        "ES": Market("ES", "EUR", "9.49", "Spain", "Madrid", "Villa Muestra", "28999", "34"),
        "IE": Market("IE", "EUR", "9.49", "Ireland", "Leinster", "Sampletown", "D99 X999", "353"),
        "IT": Market("IT", "EUR", "9.49", "Italy", "Lazio", "Borgo Prova", "00199", "39"),
        "DE": Market("DE", "EUR", "9.49", "Germany", "Hessen", "Musterstadt", "69999", "49"),
        "FR": Market("FR", "EUR", "9.49", "France", "Bretagne", "Exempleville", "35999", "33"),
        "JP": Market("JP", "JPY", "1200", "Japan", "Tokyo", "Mihonshi", "199-9999", "81"),
        "ID": Market("ID", "IDR", "99000", "Indonesia", "Jawa Barat", "Kota Contoh", "40999", "62"),
        "MY": Market("MY", "MYR", "39.90", "Malaysia", "Selangor", "Kampung Contoh", "40999", "60"),
        "PH": Market("PH", "PHP", "499.00", "Philippines", "Cavite", "Halimbawa", "4199", "63"),
        "SG": Market("SG", "SGD", "12.90", "Singapore", "Singapore", "Singapore", "999999", "65"),
        "TH": Market("TH", "THB", "299.00", "Thailand", "Bangkok", "Tua Yang", "10999", "66"),
        "VN": Market("VN", "VND", "199000", "Vietnam", "Ha Noi", "Vi Du", "109999", "84"),
        "BR": Market("BR", "BRL", "49.90", "Brazil", "Sao Paulo", "Exemplo", "01999-999", "55"),
        "MX": Market("MX", "MXN", "189.00", "Mexico", "Jalisco", "Ejemplo", "44999", "52"),
    }
)
