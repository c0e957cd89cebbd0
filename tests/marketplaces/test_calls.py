"""Every call we make: method, path, query, body, signature."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.carrier import ALIASES, plain
from shipclock.domain.order import Order
from shipclock.domain.push import Deed, Intent, IntentState
from shipclock.marketplaces import MARKETPLACES, tiktok_shop
from shipclock.marketplaces.protocol import Call, Hosts, Marketplace
from shipclock.marketplaces.tiktok_shop.signing import signature
from tests.builders import (
    KEYS,
    ORDER,
    REAL,
    T0,
    folded,
    line,
    patient,
    sample,
    shop,
    snapshot,
    told,
)

HOSTS = Hosts("https://api.example", "https://auth.example")
SECRET = KEYS.app_secret


def test_the_registry_offers_what_the_protocol_asks_for() -> None:
    asked = {name for name in {**vars(Marketplace), **Marketplace.__annotations__}}
    for name, market in MARKETPLACES.items():
        assert all(hasattr(market, a) for a in asked if not a.startswith("_")), name


# Signatures

VECTORS = sample("signatures/tiktok_requests.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_come_out(vector: dict[str, Any]) -> None:
    digest = signature(
        vector["app_secret"],
        vector["path"],
        vector["query"],
        vector["body"].encode(),
        vector["content_type"],
    )
    assert digest == vector["sign"]


def test_there_are_eight_known_answers() -> None:
    assert len(VECTORS) == 8
    assert any("multipart" in vector["content_type"] for vector in VECTORS)


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "Multipart/Form-Data ; boundary=x", "multipart/form-data;boundary=y"],
)
def test_the_body_of_an_upload_is_not_signed_whatever_its_boundary(content_type: str) -> None:
    query = {"app_key": "k"}
    plain_one = signature("s", "/p", query, b"", content_type)
    assert signature("s", "/p", query, b"body", content_type) == plain_one
    assert signature("s", "/p", query, b"body", "multipart/form-data-not") != plain_one


def test_the_order_of_parameters_and_an_old_signature_do_not_count() -> None:
    one = signature("s", "/p", {"b": "2", "a": "1"}, b"")
    assert signature("s", "/p", {"sign": "x", "a": "1", "access_token": "t", "b": "2"}, b"") == one


def sent(call: Call, now: datetime = REAL, **more: Any) -> tuple[str, dict[str, str], bytes, Any]:
    """URL without query, query, body, headers of a call as it would be sent."""
    request = tiktok_shop.sign(call, shop(**more), KEYS, HOSTS, now)
    parts = urlsplit(request.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query, request.body, request.headers


def test_a_signed_request_carries_what_the_marketplace_asks_for() -> None:
    url, query, body, headers = sent(tiktok_shop.reread([ORDER]))
    assert url == "https://api.example/order/202507/orders"
    assert query["app_key"] == "synthkey0001"
    assert query["shop_cipher"] == "GCP_made_up"
    assert query["timestamp"] == str(int(REAL.timestamp()))
    assert headers == {"content-type": "application/json", "x-tts-access-token": "TTP_access"}
    assert body == b""


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@patient
@given(
    st.dictionaries(TEXT.filter(bool), TEXT, max_size=4), st.none() | st.dictionaries(TEXT, TEXT)
)
def test_what_is_signed_is_what_the_receiver_decodes_byte_for_byte(
    query: dict[str, str], body: dict[str, str] | None
) -> None:
    _, received, raw, _ = sent(Call("any", "POST", "/some/path", query, body))
    given_sign = received.pop("sign")
    assert given_sign == signature(SECRET, "/some/path", received, raw)
    assert {k: v for k, v in received.items() if k in query} == {
        k: received[k] if k in ("app_key", "timestamp", "shop_cipher") else v
        for k, v in query.items()
        if k != "sign"
    }
    assert json.loads(raw) == body if body is not None else raw == b""


def test_a_fraction_of_a_second_is_cut_off_the_timestamp() -> None:
    _, query, _, _ = sent(tiktok_shop.reread([ORDER]), REAL.replace(microsecond=999_999))
    assert query["timestamp"] == str(int(REAL.timestamp()))


# The calls


def test_a_re_read_asks_for_all_ids_in_one_comma_joined_value() -> None:
    call = tiktok_shop.reread(["1", "2", "3"])
    assert (call.method, call.query, call.body, call.writes) == (
        "GET",
        {"ids": "1,2,3"},
        None,
        False,
    )
    request = tiktok_shop.sign(call, shop(), KEYS, HOSTS, REAL)
    assert "ids=1,2,3&" in request.url


def test_a_package_is_asked_for_by_its_id() -> None:
    call = tiktok_shop.package("1150000000000000101")
    assert (call.method, call.path, call.body) == (
        "GET",
        "/fulfillment/202309/packages/1150000000000000101",
        None,
    )


@pytest.mark.parametrize(
    ("name", "path", "size"),
    [
        ("orders", "/order/202309/orders/search", 100),
        ("cancellations", "/return_refund/202602/cancellations/search", 50),
        ("returns", "/return_refund/202602/returns/search", 50),
    ],
)
def test_a_search_asks_for_what_changed_since_oldest_first(name: str, path: str, size: int) -> None:
    since = datetime(2026, 11, 1, 2, 0, 0, 900_000, tzinfo=UTC)
    call = tiktok_shop.search(name, since, "")
    assert (call.method, call.path, call.writes) == ("POST", path, False)
    assert call.query == {
        "page_size": str(size),
        "sort_field": "update_time",
        "sort_order": "ASC",
    }
    assert call.body == {"update_time_ge": int(T0.timestamp())}
    following = tiktok_shop.search(name, since, "abc=")
    assert following.query == {**call.query, "page_token": "abc="}
    assert following.body == call.body


def test_every_search_of_the_reconciliation_can_be_built() -> None:
    assert set(tiktok_shop.SEARCHES) == {"orders", "cancellations", "returns"}
    for name in tiktok_shop.SEARCHES:
        assert tiktok_shop.search(name, T0, "").path


def test_a_token_is_renewed_unsigned_at_the_other_host() -> None:
    call = tiktok_shop.refresh(shop(), KEYS)
    url, query, body, headers = sent(call)
    assert (url, body, headers) == ("https://auth.example/api/v2/token/refresh", b"", {})
    assert query == {
        "app_key": "synthkey0001",
        "app_secret": SECRET,
        "refresh_token": "TTP_refresh",
        "grant_type": "refresh_token",
    }


def test_no_secret_shows_when_keys_are_printed() -> None:
    shown = repr(KEYS)
    for secret in (KEYS.app_secret, KEYS.access_token, KEYS.refresh_token):
        assert secret not in shown


LINES = (
    line("L1", package_id="P1", display_status="AWAITING_SHIPMENT"),
    line("L2", package_id="P1", display_status="CANCELLED"),
    line("L3", package_id="P2"),
    line("L4"),
)


def order(shipping_type: str = "SELLER", **more: Any) -> Order:
    known: dict[str, Any] = {"lines": LINES, "delivery_option_id": "7090", **more}
    return folded(snapshot(shipping_type=shipping_type, **known))


def intent(call: str, package_id: str = "P1") -> Intent:
    return Intent("k", call, package_id, "SYN-000101", IntentState.SENDING)


def test_ship_by_seller_names_number_and_provider() -> None:
    call = told(intent("ship_package"), order(), shop(), "661")
    assert (call.method, call.path, call.writes) == (
        "POST",
        "/fulfillment/202309/packages/P1/ship",
        True,
    )
    assert call.body == {
        "self_shipment": {"tracking_number": "SYN-000101", "shipping_provider_id": "661"}
    }


@pytest.mark.parametrize(
    ("written", "sent_as"),
    [
        ("SYN-000101", "SYN-000101"),
        (" syn 000 101 ", "syn000101"),
        ("AB_12./3", "AB_12./3"),
        ("SYN#000-101", "SYN#000101"),
        ("9" * 50, "9" * 50),
    ],
)
def test_a_number_is_sent_as_its_carrier_writes_it_where_the_marketplace_takes_that(
    written: str, sent_as: str
) -> None:
    for name, at in (("ship_package", "self_shipment"), ("mark_package_as_shipped", "")):
        wish = replace(intent(name), tracking_number=written)
        body: Any = told(wish, order(), shop(), "661").body
        info = body[at] if at else body["shipping_info_list"][0]
        assert info["tracking_number"] == sent_as


@pytest.mark.parametrize("method", ["PICKUP", "DROP_OFF"])
def test_ship_by_tiktok_names_the_handover_and_nothing_else(method: str) -> None:
    call = told(intent("ship_package"), order("TIKTOK"), shop(handover_method=method), "")
    assert call.body == {"handover_method": method}


@pytest.mark.parametrize(("package_id", "lines"), [("P1", ["L1"]), ("P2", ["L3"]), ("", ["L4"])])
def test_marking_as_shipped_lists_the_units_still_to_ship(
    package_id: str, lines: list[str]
) -> None:
    marked = intent("mark_package_as_shipped", package_id)
    call = told(marked, order(), shop("US"), "661")
    assert (call.path, call.writes) == (f"/fulfillment/202610/orders/{ORDER}/packages", True)
    assert call.body == {
        "order_line_list": [{"order_line_id": line_id} for line_id in lines],
        "shipping_info_list": [{"tracking_number": "SYN-000101", "shipping_provider_id": "661"}],
    }


def test_only_ship_by_seller_needs_a_provider() -> None:
    assert tiktok_shop.needs_provider(order("SELLER"), Deed.SHIP)
    assert not tiktok_shop.needs_provider(order("TIKTOK"), Deed.SHIP)
    assert not tiktok_shop.needs_provider(folded(), Deed.SHIP)
    assert tiktok_shop.needs_provider(order("SELLER"), Deed.RENUMBER)
    assert not tiktok_shop.needs_provider(order("SELLER"), Deed.CANCEL)


def test_providers_are_asked_for_by_the_orders_delivery_option() -> None:
    call = tiktok_shop.providers(order())
    assert call is not None
    assert call.path == "/logistics/202309/delivery_options/7090/shipping_providers"
    assert tiktok_shop.providers(order(delivery_option_id="")) is None
    assert tiktok_shop.providers(folded()) is None


# Who ships it

PROVIDERS = {"1": "J&T Express", "2": "Ninja Van", "3": "UPS", "4": "Synthetic Express"}


@pytest.mark.parametrize(
    ("carrier", "provider"),
    [
        ("J&T Express", "1"),
        ("jnt", "1"),
        ("J & T", "1"),
        ("NINJAVAN", "2"),
        ("ninja-van", "2"),
        ("United Parcel Service", "3"),
        ("synthetic express", "4"),
        ("Synthetic", ""),
        ("Express", ""),
        ("", ""),
        ("!!", ""),
    ],
)
def test_a_provider_is_chosen_by_name_or_alias_and_never_by_likeness(
    carrier: str, provider: str
) -> None:
    assert tiktok_shop.choose_provider(carrier, PROVIDERS, shop()) == provider


@pytest.mark.parametrize("carrier", ["", "Nobody's Vans"])
def test_what_no_name_fits_ships_under_the_shops_default(carrier: str) -> None:
    defaulted = replace(shop(), default_provider="9")
    assert tiktok_shop.choose_provider(carrier, PROVIDERS, defaulted) == "9"
    assert tiktok_shop.choose_provider("UPS", PROVIDERS, defaulted) == "3"


def test_a_provider_without_a_name_is_not_chosen_for_a_carrier_without_one() -> None:
    assert tiktok_shop.choose_provider("", {"5": ""}, shop()) == ""


def test_the_aliases_are_written_plainly_and_each_in_one_group_only() -> None:
    every = [name for group in ALIASES.values() for name in group]
    assert len(set(every)) == len(every)
    assert all(plain(name) == name for name in every)
