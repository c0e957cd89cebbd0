"""Made-up recipients: whole, masked or empty, as the order's state asks.

Partner Center, field text of `recipient_address` in "Get Order Detail": empty during the hold,
masked when TikTok ships. A mask cannot be undone, so the masked form is not derived per character.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.markets import MARKETS

_LINES = ("address_line2", "address_line3", "address_line4")


def recipient(
    market: str, given: Mapping[str, object] | None, *, empty: bool, masked: bool
) -> dict[str, object]:
    """The address shown for an order; `given` replaces the made-up values field by field."""
    if empty:
        return _empty(market)
    whole = _whole(market) | dict(given or {})
    return _masked(whole) if masked else whole


def _empty(market: str) -> dict[str, object]:
    blank: dict[str, object] = dict.fromkeys(
        ("full_address", "phone_number", "name", "postal_code", "address_line1"), ""
    )
    return blank | {"region_code": MARKETS[market].region, "district_info": []}


def _whole(market: str) -> dict[str, object]:
    place = MARKETS[market]
    street = "100 Example Street"
    tail = f"{place.city}, {place.state} {place.postal_code}"
    levels = (
        ("L0", "Country", place.country),
        ("L1", "State", place.state),
        ("L3", "City", place.city),
    )
    return {
        "full_address": f"{street}, {tail}",
        "phone_number": f"(+{place.dial})5550100",
        "name": "Sam Example",
        "first_name": "Sam",
        "last_name": "Example",
        "region_code": place.region,
        "postal_code": place.postal_code,
        "address_line1": street,
        **dict.fromkeys(_LINES, ""),
        "address_detail": street,
        "district_info": [
            {"address_level": level, "address_level_name": kind, "address_name": name}
            for level, kind, name in levels
        ],
        "delivery_preferences": {"drop_off_location": "Front Door"},
    }


def _masked(whole: Mapping[str, object]) -> dict[str, object]:
    street = "1** ******* ******"
    return {
        **whole,
        "full_address": street,
        "phone_number": "(+**)*****00",
        "name": "S** E******",
        "first_name": "S**",
        "last_name": "E******",
        "address_line1": street,
        "address_detail": street,
    }
