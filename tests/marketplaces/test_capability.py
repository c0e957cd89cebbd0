"""What TikTok Shop lets a seller's app say: the whole table, cell by cell."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from shipclock.domain.order import PROGRESS, Order
from shipclock.domain.push import Deed, Wanted
from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Plan
from shipclock.marketplaces.tiktok_shop.capability import MARKETS, TABLE
from tests.builders import folded, line, shop, snapshot

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
    if shipping == "IN-STORE PICKUP" and market in SEA_AND_LATAM - {"BR", "MX"}:
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


# Deeds besides shipping

SEA = SEA_AND_LATAM - {"BR", "MX"}
EVERY = SEA_AND_LATAM | EUROPE_AND_JAPAN | {"US"}
SHIPPED = {"SELLER", "TIKTOK", "IN-STORE PICKUP"}
WHERE = {
    # deed: its call, where, for which shipping types, the shop's setting, a fitting status
    Deed.LABEL: ("create_package", EUROPE_AND_JAPAN | {"US"}, {"TIKTOK"}, "", "AWAITING_SHIPMENT"),
    Deed.RENUMBER: ("update_order_shipping", EVERY, {"SELLER"}, "", "AWAITING_COLLECTION"),
    Deed.TRACK: ("track", {"US", "BR"}, {"SELLER"}, "self_delivered", "IN_TRANSIT"),
    Deed.CANCEL: ("cancel", EVERY, SHIPPED, "", "AWAITING_SHIPMENT"),
    Deed.ANSWER: ("approve_cancellation", EVERY, SHIPPED, "", "AWAITING_SHIPMENT"),
    Deed.REFUND: ("create_return", EVERY, SHIPPED, "", "IN_TRANSIT"),
    Deed.MESSAGE: ("message", EVERY, SHIPPED, "", "DELIVERED"),
}
IRREVOCABLE = {"cancel", "approve_cancellation", "create_return", "message"}


def plan_of(
    deed: Deed, market: str, shipping: str, status: str, fulfilment: str = BY_SELLER, **shop_is: Any
) -> Plan:
    about = folded(snapshot(status, shipping_type=shipping, fulfillment_type=fulfilment))
    return tiktok_shop.plan(about, Wanted("P1", "", "", deed=deed), shop(market, **shop_is))


@pytest.mark.parametrize("deed", WHERE)
def test_every_deed_is_allowed_where_the_pages_say_and_nowhere_else(deed: Deed) -> None:
    call, markets, shipping_types, setting, status = WHERE[deed]
    flags: dict[str, Any] = {setting: True} if setting else {}
    for market, shipping in product([*MARKETS, "XX"], SHIPPING):
        found = plan_of(deed, market, shipping, status, **flags)
        fits = market in markets and shipping in shipping_types
        assert found.allowed is fits, (market, shipping)
        assert fits or (found.reason and found.advice), (market, shipping)
        if fits:
            assert (found.call, found.irrevocable) == (call, call in IRREVOCABLE)
            assert found.proof is (call not in NO_PROOF)
            for fulfilment in FULFILMENT[2:]:
                assert not plan_of(deed, market, shipping, status, fulfilment, **flags).allowed
            if setting:
                refused = plan_of(deed, market, shipping, status)
                assert not refused.allowed
                assert setting in refused.advice


@pytest.mark.parametrize(("shipping", "hand_marked"), [*product(SHIPPING, [True, False])])
def test_deliveries_are_told_in_south_east_asia_of_own_fleets_and_store_pickups(
    shipping: str, hand_marked: bool
) -> None:
    for market in MARKETS:
        found = plan_of(Deed.DELIVER, market, shipping, "IN_TRANSIT", hand_marked=hand_marked)
        own = shipping == "SELLER" and hand_marked
        assert found.allowed is (market in SEA and (own or shipping == "IN-STORE PICKUP")), market


CANCELLED_BY_SELLER = {"UNPAID", "ON_HOLD", "AWAITING_SHIPMENT"}


@pytest.mark.parametrize("status", PROGRESS)
@pytest.mark.parametrize("market", MARKETS)
def test_a_seller_cancels_until_the_shipment_is_arranged_in_the_us_until_collected(
    market: str, status: str
) -> None:
    also = {"AWAITING_COLLECTION"} if market == "US" else set()
    found = plan_of(Deed.CANCEL, market, "SELLER", status)
    assert found.allowed is (status in CANCELLED_BY_SELLER | also)
    assert found.allowed or status in found.advice


def test_a_rejection_and_a_failed_delivery_are_told_by_their_own_words() -> None:
    about = folded(snapshot("AWAITING_SHIPMENT"))
    no = Wanted("", "", "", deed=Deed.ANSWER, says={"answer": "reject"})
    assert tiktok_shop.plan(about, no, shop()).call == "reject_cancellation"
    moving = folded(snapshot("IN_TRANSIT"))
    for kind, irrevocable in (("DELIVERY_FAILED", True), ("DELIVERY_SUCCESS", False)):
        want = Wanted("P1", "", "", deed=Deed.DELIVER, says={"delivery_type": kind})
        assert tiktok_shop.plan(moving, want, shop(hand_marked=True)).irrevocable is irrevocable


def test_of_several_packages_the_number_of_one_is_changed() -> None:
    lines = (line("1", package_id="P1"), line("2", package_id="P2"))
    about = folded(snapshot("AWAITING_COLLECTION", lines=lines))
    one = Wanted("P1", "SYN-2", "", deed=Deed.RENUMBER)
    assert tiktok_shop.plan(about, one, shop()).call == "update_package_shipping"
    nobodys = replace(one, package_id="")
    assert tiktok_shop.plan(about, nobodys, shop()).reason == "package unknown"
