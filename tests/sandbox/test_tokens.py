"""Tokens: how long they live, what a refresh does, what a withdrawn authorisation does."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Request, wire
from tests.sandbox.bench import DAY, KEY, SECRET, Answer, Bench, bench, shop, told_by

ORDERS = "/order/202507/orders"


def token_call(b: Bench, name: str, **query: Any) -> Answer:
    sent = {"app_key": KEY, "app_secret": SECRET, **query}
    return Answer(b.sandbox.handle(Request("GET", f"/api/v2/token/{name}", sent)))


def refresh(b: Bench, token: str, **other: Any) -> Answer:
    sent = {"refresh_token": token, "grant_type": "refresh_token", **other}
    return token_call(b, "refresh", **sent)


def code_with(b: Bench, token: str) -> int:
    return b.client.get(ORDERS, ids="1", headers={"x-tts-access-token": token}).code


def test_an_access_token_ends_at_its_second() -> None:
    b = bench()
    b.real.now = b.shop.access_expires_at - 1
    assert b.client.get(ORDERS, ids="1").code == 0
    b.real.now = b.shop.access_expires_at
    assert b.client.get(ORDERS, ids="1").code == wire.TOKEN_EXPIRED


def test_a_refresh_gives_two_new_tokens_and_ends_both_old_ones() -> None:
    b = bench()
    answer = refresh(b, "refresh-1")
    assert answer.code == 0
    assert answer.data["access_token_expire_in"] == int(b.real()) + 7 * DAY
    assert code_with(b, "access-1") == wire.TOKEN_EXPIRED
    assert code_with(b, answer.data["access_token"]) == 0
    assert refresh(b, "refresh-1").code == wire.BAD_PARAMETER
    assert refresh(b, answer.data["refresh_token"]).code == 0


def test_a_refresh_token_that_does_not_rotate_stays() -> None:
    b = bench(rotates_refresh_token=False)
    assert refresh(b, "refresh-1").data["refresh_token"] == "refresh-1"
    assert refresh(b, "refresh-1").code == 0
    assert code_with(b, "access-1") == wire.TOKEN_EXPIRED


def test_shops_that_share_a_token_are_refreshed_together() -> None:
    b = bench("MY", shop(number=2, access_token="access-1", refresh_token="refresh-1"))
    token = refresh(b, "refresh-1").data["access_token"]
    assert [each.access_token for each in b.sandbox.shops] == [token, token]
    listed = b.client.get("/authorization/202309/shops", cipher=False)
    assert [row["id"] for row in listed.data["shops"]] == [s.shop_id for s in b.sandbox.shops]


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_key": "nobody"},
        {"app_secret": "guess"},
        {"grant_type": "authorized_code"},
        {"refresh_token": "guess"},
        {"refresh_token": ""},
        {"sign": "x"},
    ],
)
def test_a_wrong_refresh_is_refused_and_changes_nothing(wrong: dict[str, str]) -> None:
    b = bench()
    assert refresh(b, "refresh-1", **wrong).code == wire.BAD_PARAMETER
    assert code_with(b, "access-1") == 0


def test_a_refresh_after_the_authorisation_ended_is_refused() -> None:
    b = bench()
    b.real.now = b.shop.refresh_expires_at
    assert refresh(b, "refresh-1").code == wire.BAD_PARAMETER


def test_a_revoked_shop_is_told_so_until_the_seller_consents_again() -> None:
    b = bench()
    b.sandbox.revoke(b.shop.shop_id)
    assert [hook["type"] for hook in told_by(b.sandbox)] == [6]
    assert b.client.get(ORDERS, ids="1").code == wire.DEAUTHORISED
    assert refresh(b, "refresh-1").code == wire.DEAUTHORISED
    code = b.sandbox.grant(b.shop.shop_id)
    got = token_call(b, "get", auth_code=code, grant_type="authorized_code")
    assert got.code == 0
    assert b.client.get(ORDERS, ids="1").code == 0


def test_a_code_is_good_once_and_for_thirty_minutes() -> None:
    b = bench()
    used, old = b.sandbox.grant(b.shop.shop_id), b.sandbox.grant(b.shop.shop_id)
    told = {"grant_type": "authorized_code"}
    assert token_call(b, "get", auth_code=used, **told).code == 0
    assert token_call(b, "get", auth_code=used, **told).code == wire.BAD_PARAMETER
    b.real.now += 1800
    assert token_call(b, "get", auth_code=old, **told).code == wire.BAD_PARAMETER


def test_one_revoked_shop_does_not_take_another_down() -> None:
    b = bench("MY", shop(number=2, access_token="access-1", refresh_token="refresh-1"))
    second = b.sandbox.shops[1]
    b.sandbox.revoke(second.shop_id)
    assert b.client.get(ORDERS, ids="1").code == 0
    assert b.client.get(ORDERS, ids="1", shop_cipher=second.cipher).code == wire.DEAUTHORISED


def test_shops_that_contradict_each_other_are_not_taken_in() -> None:
    b = bench()
    with pytest.raises(ValueError, match="already taken"):
        b.sandbox.add_shop(shop())
    with pytest.raises(ValueError, match="two secrets"):
        b.sandbox.add_shop(shop(number=2, app_secret="another"))
    with pytest.raises(ValueError, match="unknown market"):
        shop("XX")
