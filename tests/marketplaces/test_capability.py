"""What TikTok Shop lets a seller's app say: the whole table, cell by cell."""

from itertools import product

import pytest

from shipclock.domain.order import Order
from shipclock.domain.push import Wanted
from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Plan
from shipclock.marketplaces.tiktok_shop.capability import MARKETS, TABLE
from tests.builders import folded, shop, snapshot

SEA_AND_LATAM = {"ID", "MY", "PH", "SG", "TH", "VN", "BR", "MX"}
EUROPE_AND_JAPAN = {"UK", "GB", "ES", "IE", "IT", "DE", "FR", "JP"}
BY_SELLER = "FULFILLMENT_BY_SELLER"
FULFILMENT = ("", BY_SELLER, "FULFILLMENT_BY_TIKTOK", "FULFILLMENT_BY_DILAYANI_TOKOPEDIA", "NEW")
SHIPPING = ("SELLER", "TIKTOK", "TIKTOK_DIGITAL", "IN-STORE PICKUP", "", "NEW")
WANTED = Wanted("P1", "SYN000101", "Synthetic Express")


def order(shipping_type: str = "SELLER", fulfillment_type: str = BY_SELLER) -> Order:
    return folded(snapshot(shipping_type=shipping_type, fulfillment_type=fulfillment_type))


def plan(
    market: str, shipping: str = "SELLER", fulfilment: str = BY_SELLER, wanted: Wanted = WANTED
) -> Plan:
    return tiktok_shop.plan(order(shipping, fulfilment), wanted, shop(market))


def expected(market: str, shipping: str, fulfilment: str) -> str:
    """The call by the published table; empty where there is none."""
    if fulfilment not in ("", BY_SELLER):
        return ""
    if shipping == "SELLER" and market in SEA_AND_LATAM:
        return "ship_package"
    if shipping == "SELLER" and market in EUROPE_AND_JAPAN | {"US"}:
        return "mark_package_as_shipped"
    if shipping == "TIKTOK" and market in SEA_AND_LATAM | EUROPE_AND_JAPAN:
        return "ship_package"
    return ""


def test_the_table_knows_every_market_of_the_reference() -> None:
    assert set(MARKETS) == SEA_AND_LATAM | EUROPE_AND_JAPAN | {"US"}


@pytest.mark.parametrize("market", [*MARKETS, "XX", ""])
def test_every_combination_has_the_answer_of_the_published_table(market: str) -> None:
    for shipping, fulfilment in product(SHIPPING, FULFILMENT):
        found = plan(market, shipping, fulfilment)
        call = expected(market, shipping, fulfilment)
        assert found.allowed is bool(call), (shipping, fulfilment)
        if call:
            assert (found.call, found.proof, found.reason) == (call, True, "")
        else:
            assert found.reason, (shipping, fulfilment)
            assert found.advice, (shipping, fulfilment)


def test_an_order_nothing_is_known_of_is_told_nothing() -> None:
    assert not tiktok_shop.plan(folded(), WANTED, shop()).allowed


@pytest.mark.parametrize("market", MARKETS)
def test_a_number_that_belongs_to_no_known_package_is_told_only_where_the_call_makes_one(
    market: str,
) -> None:
    unplaced = Wanted("", "SYN000101", "")
    found = plan(market, wanted=unplaced)
    assert found.allowed is (expected(market, "SELLER", BY_SELLER) == "mark_package_as_shipped")
    assert found.allowed or found.reason == "package unknown"


@pytest.mark.parametrize("market", ["MY", "US"])
def test_one_of_several_numbers_that_fits_no_package_is_told_nowhere(market: str) -> None:
    found = plan(market, wanted=Wanted("", "SYN000101", "", "package unknown"))
    assert (found.allowed, found.reason) == (False, "package unknown")
    assert found.advice


NO_PROOF = ("create_package", "track", "message")
"""Nothing that can be read afterwards shows whose label, tracking event or message it was."""


def test_every_row_says_how_one_sees_that_it_worked_and_as_of_when() -> None:
    for row in TABLE:
        assert bool(row.proof) is (row.call not in NO_PROOF)
        assert row.confidence in "ABCD"
        assert row.as_of == "2026-11-23"


def test_no_two_rows_answer_for_the_same_order() -> None:
    cells = [
        (row.deed, market, shipping_type)
        for row in TABLE
        for market in row.markets
        for shipping_type in row.shipping_types
    ]
    assert len(set(cells)) == len(cells)
