"""Talk with buyers: who may be written to, what may be said, how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import Settings, wire
from sandbox.shops import CHAT, SCOPES
from tests.sandbox.bench import DAY, START, Bench, Client, bench, shop, told_by

OPEN = "/customer_service/202309/conversations"
BUYER = "7020000000000000001"


def chat(**settings: Any) -> tuple[Bench, str, str]:
    """A bench whose app may chat, an order, and a conversation with its buyer."""
    b = bench(settings=Settings(**settings))
    b.shop.scopes = (*SCOPES, CHAT)
    order_id = b.sandbox.add_order(b.shop.shop_id)
    answer = b.client.post(OPEN, {"buyer_user_id": b.client.read(order_id)[0]["user_id"]})
    assert answer.code == 0
    return b, order_id, answer.data["conversation_id"]


def send(
    b: Bench, talk: str, content: Any, kind: str = "TEXT", version: str = "202606", **more: Any
) -> Any:
    path = f"/customer_service/{version}/conversations/{talk}/messages"
    told = content if isinstance(content, str) else json.dumps(content)
    return b.client.post(path, {"type": kind, "content": told, **more})


def say(b: Bench, talk: str, text: str = "Your parcel is on its way.") -> Any:
    return send(b, talk, {"content": text})


def test_a_conversation_is_one_per_buyer_and_is_opened_again() -> None:
    b, _, talk = chat()
    assert b.client.post(OPEN, {"buyer_user_id": BUYER}).data["conversation_id"] == talk
    assert [effect.call for effect in b.sandbox.effects] == ["create_conversation"] * 2


def test_a_message_is_one_effect_and_can_be_read_back() -> None:
    b, _, talk = chat()
    answer = send(b, talk, {"content": "Hello"}, sender_role="SYSTEM")
    effect = b.sandbox.effects[-1]
    assert len(b.sandbox.effects) == 2
    assert effect.call == "send_message"
    assert effect.detail == f'{BUYER} TEXT {{"content": "Hello"}}'
    (row,) = b.client.get(f"{OPEN}/{talk}/messages", page_size=10).data["messages"]
    assert row["id"] == answer.data["message_id"]
    assert (row["sender"]["role"], json.loads(row["content"])) == ("SYSTEM", {"content": "Hello"})


def test_the_same_message_twice_is_two_messages() -> None:
    b, _, talk = chat()
    assert len({say(b, talk).data["message_id"] for _ in range(2)}) == 2
    assert len(b.sandbox.effects) == 3


@pytest.mark.parametrize(("length", "code"), [(0, 1), (1, 0), (2000, 0), (2001, 1)])
def test_a_text_has_a_longest_length(length: int, code: int) -> None:
    b, _, talk = chat()
    assert say(b, talk, "é" * length).code == (wire.BAD_MESSAGE if code else 0)


@pytest.mark.parametrize(
    ("kind", "content", "code"),
    [
        ("TEXT", "no JSON", wire.BAD_MESSAGE),
        ("TEXT", '"text"', wire.BAD_MESSAGE),
        ("TEXT", {"text": "hi"}, wire.BAD_MESSAGE),
        ("TEXT", {"content": 7}, wire.BAD_MESSAGE),
        ("TEXT", {"content": "  "}, wire.BAD_MESSAGE),
        ("ORDER_CARD", {"order_id": "576000000000000001"}, 0),
        ("ORDER_CARD", {"order_id": "576000000000000002"}, wire.BAD_MESSAGE),
        ("LOGISTICS_CARD", {"order_id": "576000000000000001"}, 0),
        (
            "LOGISTICS_CARD",
            {"order_id": "576000000000000001", "package_id": "1150000000000000001"},
            0,
        ),
        (
            "LOGISTICS_CARD",
            {"order_id": "576000000000000001", "package_id": "1"},
            wire.BAD_MESSAGE,
        ),
        ("LOGISTICS_CARD", {"package_id": "1150000000000000001"}, wire.BAD_MESSAGE),
        ("RETURN_REFUND_CARD", {"order_id": "576000000000000001"}, wire.BAD_MESSAGE),
        (
            "RETURN_REFUND_CARD",
            {"order_id": "576000000000000001", "sku_id": "1729000000000000002"},
            0,
        ),
        ("IMAGE", {"url": "https://files.example/x.png", "width": 1, "height": 1}, 0),
        ("VIDEO", {"vid": "v1"}, 0),
        ("PRODUCT_CARD", {"product_id": "1729000000000000001"}, 0),
        ("COUPON_CARD", {"coupon_id": "1"}, 0),
        ("STICKER", {"content": "hi"}, wire.BAD_PARAMETER),
    ],
)
def test_a_message_has_the_content_of_its_type(kind: str, content: Any, code: int) -> None:
    b, _, talk = chat()
    assert send(b, talk, content, kind).code == code
    assert len(b.sandbox.effects) == (2 if code == 0 else 1)


def test_an_older_version_knows_no_role() -> None:
    b, _, talk = chat()
    hello = {"content": "Hello"}
    assert send(b, talk, hello, version="202309").code == 0
    told = send(b, talk, hello, version="202309", sender_role="SYSTEM")
    assert told.code == wire.BAD_PARAMETER
    assert send(b, talk, hello, sender_role="BUYER").code == wire.BAD_PARAMETER


def test_words_can_be_forbidden() -> None:
    b, _, talk = chat(sensitive_words=("wechat",))
    assert say(b, talk, "Write me on WeChat").code == wire.SENSITIVE_WORDS
    assert say(b, talk, "Write me here").code == 0


def test_a_day_has_so_many_messages_and_the_next_has_as_many() -> None:
    b, _, talk = chat(messages_a_day=2)
    assert [say(b, talk).code for _ in range(3)] == [0, 0, wire.TOO_MANY_MESSAGES]
    b.sandbox.advance(START + DAY)
    assert say(b, talk).code == 0


@pytest.mark.parametrize(("days", "code"), [(60, 0), (61, wire.CONVERSATION_FORBIDDEN)])
def test_a_buyer_of_the_last_sixty_days_may_be_written_to(days: int, code: int) -> None:
    b = bench()
    b.shop.scopes = (*SCOPES, CHAT)
    b.sandbox.add_order(b.shop.shop_id)
    b.sandbox.advance(START + days * DAY)
    assert b.client.post(OPEN, {"buyer_user_id": BUYER}).code == code


@pytest.mark.parametrize(("days", "code"), [(30, 0), (31, wire.CONVERSATION_FORBIDDEN)])
def test_a_buyer_who_wrote_in_the_last_thirty_days_may_be_answered(days: int, code: int) -> None:
    b = bench()
    b.shop.scopes = (*SCOPES, CHAT)
    talk = b.sandbox.buyer_says(b.shop.shop_id, "7020000000000000009", "Where is it?")
    assert [hook["type"] for hook in told_by(b.sandbox)] == [13, 14]
    b.sandbox.advance(START + days * DAY)
    answer = b.client.post(OPEN, {"buyer_user_id": "7020000000000000009"})
    assert answer.code == code
    expected = 0 if code == 0 else wire.CONVERSATION_CLOSED
    assert say(b, talk).code == expected


def test_a_buyer_who_has_returned_something_may_always_be_written_to() -> None:
    b, order_id, talk = chat()
    b.sandbox.open_return(order_id)
    b.sandbox.advance(START + 400 * DAY)
    assert say(b, talk).code == 0


def test_a_stranger_and_a_strange_conversation_are_refused() -> None:
    other = shop("MY", 2, scopes=(*SCOPES, CHAT))
    b, _, talk = chat()
    b.sandbox.add_shop(other)
    assert b.client.post(OPEN, {"buyer_user_id": "1"}).code == wire.CONVERSATION_FORBIDDEN
    assert say(b, "7000000000000000099").code == wire.NO_CONVERSATION
    b.client = Client(b.sandbox, other, b.real)
    assert say(b, talk).code == wire.NO_CONVERSATION
    assert b.client.post(OPEN, {"buyer_user_id": BUYER}).code == wire.CONVERSATION_FORBIDDEN


def test_a_buyers_next_message_opens_no_new_conversation() -> None:
    b, _, talk = chat()
    b.sandbox.take_webhooks()
    assert b.sandbox.buyer_says(b.shop.shop_id, BUYER, "Thanks") == talk
    (hook,) = told_by(b.sandbox)
    assert (hook["type"], hook["data"]["sender"]["role"]) == (14, "BUYER")
    assert json.loads(hook["data"]["content"]) == {"content": "Thanks"}


def test_messages_are_read_by_pages() -> None:
    b, _, talk = chat()
    sent = [say(b, talk, f"Message {number}").data["message_id"] for number in range(3)]
    where = f"{OPEN}/{talk}/messages"
    first = b.client.get(where, page_size=2).data
    rest = b.client.get(where, page_size=2, page_token=first["next_page_token"]).data
    assert [row["id"] for page in (first, rest) for row in page["messages"]] == sent[::-1]
    assert rest["next_page_token"] == ""
    assert b.client.get(where, page_size=11).code == wire.BAD_PARAMETER
