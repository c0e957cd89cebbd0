"""What every request must pass: path, method, app, time, signature, token, cipher, body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import Request, wire
from sandbox.signing import is_signed, sign_request, sign_webhook
from tests.sandbox.bench import REAL, Answer, bench, shop

SHOPS = "/authorization/202309/shops"
ORDERS = "/order/202507/orders"
SEARCH = "/order/202309/orders/search"
APP = "synthetic-app-secret-0001"
CIPHER = "GCP_synthetic0AAAAAcipher_0001"
STAMP = "1763892000"

# The first is the worked example of the signing guide; the others were agreed on by two public
# signers. Secret, path, query, content type, body, expected digest.
VECTORS: dict[str, tuple[str, str, dict[str, str], str, str, str]] = {
    "guide": (
        "e59af819cc",
        SHOPS,
        {"app_key": "29a39d", "timestamp": "1623812664"},
        "application/json",
        "",
        "b596b73e0cc6de07ac26f036364178ab16b0a907af13d43f0a0cd2345f582dc8",
    ),
    "unsorted, with names that do not count": (
        APP,
        ORDERS,
        {
            "timestamp": STAMP,
            "shop_cipher": CIPHER,
            "ids": "576000000000000001,576000000000000002",
            "app_key": "synthkey0001",
            "access_token": "must-be-ignored",
            "sign": "must-be-ignored-too",
        },
        "application/json",
        "",
        "3d4712f4330c4ad31a078289da7f798d8f31b5866810c6d8847c6d7bd3be3ce6",
    ),
    "multipart": (
        APP,
        "/fulfillment/202309/images/upload",
        {"app_key": "synthkey0001", "timestamp": "1763892002", "shop_cipher": CIPHER},
        "multipart/form-data; boundary=----synthetic",
        "anything at all",
        "2c49bceb407d4c3aed7777e48baa001f831e3dff0b780b648500fcfb3adbea5a",
    ),
    "a body on DELETE": (
        APP,
        "/event/202309/webhooks",
        {"app_key": "synthkey0001", "shop_cipher": CIPHER, "timestamp": "1763892004"},
        "application/json",
        '{"event_type":"ORDER_STATUS_CHANGE"}',
        "c69a1ace066b98153cf8883e04e8fd0a8e3bf271ccd250bd18d3adb6f4bf317f",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_request_is_signed_as_the_known_vectors_say(name: str) -> None:
    secret, path, query, content_type, body, expected = VECTORS[name]
    request = Request("GET", path, query, {"content-type": content_type}, body.encode())
    assert sign_request(request, secret) == expected
    good = Request("GET", path, query | {"sign": expected}, request.headers, request.body)
    assert is_signed(good, secret)
    assert not is_signed(good, secret + "x")


def test_a_webhook_is_signed_as_the_overview_page_prints_it() -> None:
    body = (
        b'{"type":1,"tts_notification_id":"7380066284010030890","shop_id":"7495540735365777507",'
        b'"timestamp":1718305585,"data":{"is_on_hold_order":true,"order_id":"576653688135258178",'
        b'"order_status":"UNPAID","update_time":1718305585}}'
    )
    expected = "5dec0f11ec2f6783b8deee53c9ffbf8d024302f7c7e7fa55a35d17629031ac05"
    assert sign_webhook("abcdef", "123", body) == expected


def test_a_good_request_is_answered_in_the_envelope() -> None:
    b = bench()
    reply = b.client.reply("GET", SHOPS, cipher=False)
    told = json.loads(reply.body)
    assert reply.status == 200
    assert (told["code"], told["message"]) == (0, "Success")
    assert told["data"]["shops"][0]["cipher"] == b.shop.cipher


@pytest.mark.parametrize(
    ("method", "path", "how", "code", "status", "words"),
    [
        ("GET", "/order/209901/orders", {}, wire.UNKNOWN_PATH, 404, "path"),
        ("POST", ORDERS, {}, wire.WRONG_METHOD, 405, "method"),
        ("GET", ORDERS, {"drop": ("app_key",)}, wire.BAD_PARAMETER, 400, "app_key"),
        ("GET", ORDERS, {"app_key": "nobody"}, wire.BAD_PARAMETER, 400, "app_key"),
        ("GET", ORDERS, {"drop": ("timestamp",)}, wire.BAD_PARAMETER, 400, "timestamp"),
        ("GET", ORDERS, {"timestamp": "1763892000000"}, wire.BAD_PARAMETER, 400, "ten digits"),
        ("GET", ORDERS, {"timestamp": int(REAL) - 301}, wire.BAD_PARAMETER, 400, "5 minutes"),
        ("GET", ORDERS, {"timestamp": int(REAL) + 31}, wire.BAD_PARAMETER, 400, "30 seconds"),
        ("GET", ORDERS, {"sign": "0" * 64}, wire.BAD_SIGNATURE, 401, "sign"),
        ("GET", ORDERS, {"sign": "é"}, wire.BAD_SIGNATURE, 401, "sign"),
        ("GET", ORDERS, {"drop": ("sign",)}, wire.BAD_SIGNATURE, 401, "sign"),
        ("GET", ORDERS, {"headers": {"x-tts-access-token": "x"}}, wire.BAD_PARAMETER, 400, "token"),
        ("GET", ORDERS, {"headers": {"x-tts-access-token": ""}}, wire.BAD_PARAMETER, 400, "token"),
        ("GET", ORDERS, {"cipher": False}, wire.CIPHER_MISSING, 400, "shop_cipher"),
        ("GET", ORDERS, {"shop_cipher": "other"}, wire.TOKEN_MISMATCH, 403, "shop_cipher"),
        ("GET", SHOPS, {}, wire.BAD_PARAMETER, 400, "unexpected identifier shop_cipher"),
        ("GET", ORDERS, {}, wire.BAD_PARAMETER, 400, "ids is missing"),
        ("GET", ORDERS, {"ids": "1", "limit": 3}, wire.BAD_PARAMETER, 400, "identifier limit"),
        ("GET", ORDERS, {"ids": "1", "raw": b"{}"}, wire.BAD_PARAMETER, 400, "no body"),
        ("POST", SEARCH, {"raw": b"{"}, wire.BAD_BODY, 400, "JSON"),
        ("POST", SEARCH, {"raw": b"[]"}, wire.BAD_BODY, 400, "JSON"),
        ("POST", SEARCH, {"raw": b"\xff"}, wire.BAD_BODY, 400, "JSON"),
        ("POST", SEARCH, {"raw": b"[" * 100_000}, wire.BAD_BODY, 400, "JSON"),
        (
            "POST",
            SEARCH,
            {"raw": b"{}", "headers": {"content-type": "text/plain"}},
            wire.BAD_BODY,
            400,
            "content-type",
        ),
        ("POST", SEARCH, {"body": {"state": "x"}}, wire.BAD_PARAMETER, 400, "body.state"),
        (
            "POST",
            SEARCH,
            {"body": {"create_time_ge": "1"}},
            wire.BAD_PARAMETER,
            400,
            "body.create_time_ge must be a whole number",
        ),
        (
            "POST",
            SEARCH,
            {"body": {"create_time_ge": True}},
            wire.BAD_PARAMETER,
            400,
            "must be a whole number",
        ),
    ],
)
def test_a_request_that_is_not_as_documented_is_refused_with_telling_words(
    method: str, path: str, how: dict[str, Any], code: int, status: int, words: str
) -> None:
    b = bench()
    answer = b.client.call(method, path, **how)
    assert (answer.code, answer.reply.status) == (code, status)
    assert words in answer.message
    assert answer.data is None


@pytest.mark.parametrize("age", [-30, 0, 300])
def test_a_timestamp_inside_the_window_is_taken(age: int) -> None:
    b = bench()
    assert b.client.get(ORDERS, ids="1", timestamp=int(REAL) - age).code == 0


def test_the_signature_covers_the_very_bytes_of_the_body() -> None:
    b = bench()
    request = b.client.request("POST", SEARCH, raw=b'{"order_status": "ON_HOLD"}')
    compact = Request("POST", SEARCH, request.query, request.headers, b'{"order_status":"ON_HOLD"}')
    assert Answer(b.sandbox.handle(request)).code == 0
    assert Answer(b.sandbox.handle(compact)).code == wire.BAD_SIGNATURE


def test_a_token_of_another_shop_or_another_app_is_a_mismatch() -> None:
    other = shop(number=2)
    foreign = shop(number=3, app_key="otherkey", app_secret="other-secret")
    b = bench("MY", other, foreign)
    for stranger in (other, foreign):
        headers = {"x-tts-access-token": stranger.access_token}
        assert b.client.get(ORDERS, ids="1", headers=headers).code == wire.TOKEN_MISMATCH
    headers = {"x-tts-access-token": foreign.access_token}
    answer = b.client.get(ORDERS, ids="1", headers=headers, shop_cipher=foreign.cipher)
    assert answer.code == wire.TOKEN_MISMATCH


def test_every_request_is_noted_without_its_query() -> None:
    b = bench()
    b.client.get(ORDERS, ids="1")
    b.client.get(ORDERS)
    noted = [(c.method, c.path, c.shop_id, c.code, c.http_status) for c in b.sandbox.calls]
    assert noted == [
        ("GET", ORDERS, b.shop.shop_id, 0, 200),
        ("GET", ORDERS, b.shop.shop_id, wire.BAD_PARAMETER, 400),
    ]
    assert "app_secret" not in repr(b.sandbox.calls)
    assert b.shop.access_token not in repr(b.shop)
