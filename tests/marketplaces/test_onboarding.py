"""Connecting a TikTok Shop seller: links, consents, grants, shops, webhooks. Pure."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.markets import MARKETS as SANDBOX_MARKETS
from sandbox.subscriptions import EVENT_TYPES
from shipclock.marketplaces.protocol import Kind, Outcome, Shop
from shipclock.marketplaces.tiktok_shop import capability, onboarding
from shipclock.marketplaces.tiktok_shop.onboarding import (
    REGIONS,
    TOPICS,
    Authorised,
    ConsentRefused,
    PlaceUnknown,
    StateMissing,
    bad_address,
    consent_link,
    read_consent,
    read_grant,
    read_shops,
    read_webhooks,
    shop_of,
)
from shipclock.reading import Unreadable

STATE = "synthetic-state"
CODE = "ROW_synthetic-code_0001"
TOLD = Authorised("7490000000000000001", "Synthetic shop", "MY", "GCP_cipher")


def ok(data: dict[str, Any]) -> Outcome:
    return Outcome(Kind.OK, data)


# The link


@pytest.mark.parametrize(
    ("region", "host", "expected"),
    [
        ("us", "", "services.us.tiktokshop.com"),
        ("row", "", "services.tiktokshop.com"),
        ("us", "https://elsewhere.example/", "elsewhere.example"),
    ],
)
def test_the_link_names_the_app_and_the_state(region: str, host: str, expected: str) -> None:
    link = urlsplit(consent_link("70123", "a state&more", region, host))
    assert (link.scheme, link.netloc, link.path) == ("https", expected, "/open/authorize")
    assert parse_qs(link.query) == {"service_id": ["70123"], "state": ["a state&more"]}


# What is pasted


@pytest.mark.parametrize(
    "pasted",
    [
        f"https://seller.example/callback?code={CODE}&state={STATE}",
        f"  https://seller.example/?app_key=key1&state={STATE}&code={CODE}&locale=en  ",
        f"<https://seller.example/cb?code={CODE}&state={STATE}>",
        f"?code={CODE}&state={STATE}",
        f"code={CODE}&state={STATE}",
        f"http://127.0.0.1:8080/cb?code={CODE.replace('_', '%5F')}&state={STATE}#top",
    ],
)
def test_the_code_is_found_in_whatever_was_pasted(pasted: str) -> None:
    assert read_consent(pasted, STATE, "key1") == CODE


@pytest.mark.parametrize(
    ("pasted", "word"),
    [
        ("https://seller.example/cb?code=null&error=auth_denied", "did not consent"),
        ("https://seller.example/cb?error=auth_denied", "did not consent"),
        (f"https://seller.example/cb?code=null&state={STATE}", "did not consent"),
        ("https://seller.example/cb", "no code"),
        ("", "no code"),
        (f"https://seller.example/cb?state={STATE}", "no code"),
        (f"https://seller.example/cb?code=&state={STATE}", "no code"),
        (f"https://seller.example/cb?code={CODE}&state=another", "somebody else's"),
        (f"https://seller.example/cb?code={CODE}&state={STATE}x", "somebody else's"),
        (f"https://a.example/?code={CODE}&code=b&state={STATE}", "twice"),
        (f"https://a.example/?code={CODE}&state={STATE}&app_key=key2", "another app"),
        (f"https://a.example/?code=a%20b&state={STATE}", "no code"),
        (f"https://a.example/?code=a%0Ab&state={STATE}", "no code"),
        (f"https://a.example/?code={'x' * 4097}&state={STATE}", "no code"),
        ("one two", "no code"),
        (f"https://[a.example/?code={CODE}&state={STATE}", "no address"),
    ],
)
def test_what_is_no_consent_of_ours_is_refused_without_showing_the_code(
    pasted: str, word: str
) -> None:
    with pytest.raises(ConsentRefused, match=word) as refusal:
        read_consent(pasted, STATE, "key1")
    assert CODE not in str(refusal.value)


@pytest.mark.parametrize(
    "pasted", [CODE, f"https://a.example/?code={CODE}", f"https://a.example/?code={CODE}&state="]
)
def test_a_code_without_a_state_is_taken_only_where_a_person_says_so(pasted: str) -> None:
    with pytest.raises(StateMissing, match="App Store"):
        read_consent(pasted, STATE)
    assert read_consent(pasted, STATE, stateless=True) == CODE
    wrong = f"https://a.example/?code={CODE}&state=another"
    with pytest.raises(ConsentRefused):
        read_consent(wrong, STATE, stateless=True)


@given(
    text=st.text()
    | st.builds(
        "https://a.example/{}?{}={}&{}={}#{}".format,
        st.text(max_size=5),
        st.sampled_from(["code", "state", "error"]),
        st.text(max_size=20),
        st.sampled_from(["code", "state", "app_key"]),
        st.text(max_size=20),
        st.text(max_size=5),
    )
)
def test_whatever_is_pasted_gives_a_plain_code_or_a_refusal(text: str) -> None:
    code = "none"
    with suppress(ConsentRefused):
        code = read_consent(text, STATE, "key1", stateless=True)
    assert code
    assert code.isascii()
    assert code.isprintable()


@given(st.text() | st.text().map("https://{}".format))
def test_whatever_is_said_to_be_an_address_is_judged(text: str) -> None:
    assert bad_address(text) == "" or bad_address(text).startswith("it ")


def test_the_exchange_is_an_unsigned_call_with_the_marketplaces_own_spelling() -> None:
    call = onboarding.exchange("key", "secret", CODE)
    assert (call.method, call.path, call.auth) == ("GET", "/api/v2/token/get", True)
    assert call.query["grant_type"] == "authorized_code"
    assert call.writes, "a code is good once: it must not be repeated by itself"


# Grants


GRANT = {
    "access_token": "a",
    "refresh_token": "b",
    "open_id": "synthetic-open-id",
    "seller_name": "Synthetic seller",
    "user_type": 0,
    "granted_scopes": ["seller.order.info"],
}


def test_a_grant_bears_the_sellers_id_for_the_app() -> None:
    grant = read_grant(ok(GRANT))
    assert (grant.authorisation, grant.seller) == ("synthetic-open-id", "Synthetic seller")
    assert grant.tokens.scopes == ("seller.order.info",)


@pytest.mark.parametrize(
    "change",
    [
        {"user_type": 1},
        {"user_type": 3},
        {"user_type": "creator"},
        {"open_id": ""},
        {"open_id": None},
        {"open_id": "x" * 301},
        {"open_id": 7},
        {"access_token": ""},
        {"refresh_token": None},
    ],
)
def test_a_grant_that_is_no_sellers_or_not_whole_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_grant(ok(GRANT | change))


# Shops


def test_the_sample_of_the_marketplace_is_read() -> None:
    shop = {
        "id": "7490000000000000001",
        "name": "Synthetic shop",
        "region": "US",
        "seller_type": "LOCAL",
        "cipher": "GCP_synthetic0AAAAAcipher_0001",
        "code": "USLCSYNTH01",
    }
    (found,) = read_shops(ok({"shops": [shop]}))
    assert found == Authorised(shop["id"], shop["name"], "US", shop["cipher"])


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"shops": "none"},
        {"shops": [1]},
        {"shops": [{}]},
        {"shops": [{"id": "1", "region": "MY"}]},
        {"shops": [{"id": "1#2", "region": "MY", "cipher": "c"}]},
    ],
)
def test_a_list_of_shops_that_is_none_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        read_shops(ok(data))


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_a_market_we_can_serve_and_a_zone_that_is_one(region: str) -> None:
    shop = shop_of(Authorised("1", "", region, "c"), "auth", "key")
    assert shop.market in capability.MARKETS
    assert ZoneInfo(shop.zone).key == shop.zone


def test_no_market_of_the_sandbox_is_without_a_region() -> None:
    assert {place.region for place in SANDBOX_MARKETS.values()} <= set(REGIONS)
    assert set(capability.MARKETS) <= onboarding.MARKETS


def test_an_unknown_region_needs_a_hand_and_takes_it() -> None:
    strange = Authorised("1", "", "ZZ", "c")
    with pytest.raises(PlaceUnknown, match="--market"):
        shop_of(strange, "auth", "key")
    assert shop_of(strange, "auth", "key", market="SG").zone == "Asia/Singapore"
    assert shop_of(strange, "auth", "key", market="SG", zone="Asia/Manila").zone == "Asia/Manila"


def test_a_shop_that_is_connected_again_keeps_its_settings() -> None:
    old = Shop(
        TOLD.shop_id,
        "tiktok_shop",
        "SG",
        "Asia/Manila",
        "old key",
        "old cipher",
        "old auth",
        connected=False,
        default_provider="661",
        handover_method="DROP_OFF",
        hand_marked=True,
    )
    new = shop_of(TOLD, "auth", "key", old)
    assert (new.market, new.zone, new.default_provider) == ("SG", "Asia/Manila", "661")
    assert (new.handover_method, new.hand_marked, new.connected) == ("DROP_OFF", True, True)
    assert (new.app_key, new.cipher, new.authorisation) == ("key", "GCP_cipher", "auth")
    moved = shop_of(TOLD, "auth", "key", old, market="MY")
    assert (moved.market, moved.zone) == ("MY", "Asia/Kuala_Lumpur")


# Webhooks


def test_our_topics_are_ones_that_the_event_api_offers() -> None:
    assert set(TOPICS) <= set(EVENT_TYPES)
    assert len(TOPICS) == 9


def test_a_topic_is_put_and_deleted_with_a_body() -> None:
    put = onboarding.put_webhook("PACKAGE_UPDATE", "https://a.example/webhooks/tiktok")
    assert (put.method, put.cipher) == ("PUT", True)
    assert json.loads(json.dumps(put.body)) == {
        "address": "https://a.example/webhooks/tiktok",
        "event_type": "PACKAGE_UPDATE",
    }
    gone = onboarding.delete_webhook("PACKAGE_UPDATE")
    assert (gone.method, gone.body) == ("DELETE", {"event_type": "PACKAGE_UPDATE"})


@pytest.mark.parametrize("at", [1763892000, 1763892000000, "x", None])
def test_webhooks_are_read_whatever_their_times_are(at: object) -> None:
    row = {"event_type": "PACKAGE_UPDATE", "address": "https://a.example", "update_time": at}
    assert read_webhooks(ok({"webhooks": [row]})) == {"PACKAGE_UPDATE": "https://a.example"}
    assert read_webhooks(ok({})) == {}


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("https://hooks.example/webhooks/tiktok", ""),
        ("https://a.execute-api.us-east-1.amazonaws.com/webhooks/tiktok", ""),
        (f"https://a.example/{'x' * 237}", ""),
        (f"https://a.example/{'x' * 238}", "longer"),
        ("http://hooks.example/webhooks/tiktok", "https"),
        ("https://hooks.example:443/webhooks", "port"),
        ("https://hooks.example:x/webhooks", "no address"),
        ("https://127.0.0.1/webhooks", "domain"),
        ("https://[::1]/webhooks", "domain"),
        ("https://localhost/webhooks", "domain"),
        ("https:///webhooks", "domain"),
        ("", "https"),
    ],
)
def test_an_address_that_would_be_refused_is_told_beforehand(address: str, word: str) -> None:
    found = bad_address(address)
    assert (word in found) if word else found == ""


def test_scopes_that_are_lacking_are_told_needed_ones_first() -> None:
    lacking = onboarding.missing_scopes(["seller.order.info", "seller.unknown"])
    assert [scope.needed for scope in lacking] == sorted(
        (scope.needed for scope in lacking), reverse=True
    )
    assert "seller.order.info" not in {scope.name for scope in lacking}
    assert onboarding.missing_scopes(scope.name for scope in onboarding.SCOPES) == []
