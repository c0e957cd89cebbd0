"""Webhooks of TikTok Shop: proving them, and what they mean."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.event import Hint
from shipclock.reading import Unreadable
from shipclock.sources import (
    Account,
    Delivery,
    NotAuthentic,
    StockNews,
    Translation,
    Unsigned,
    tiktok_shop,
)
from tests.builders import OTHER_SHOP, REAL, SHOP, patient, sample, sample_bytes, samples

O1, O2 = "576000000000000101", "576000000000000102"
BODY = sample_bytes("tiktok/webhooks/order_status.in_transit.json")
APP = Account("synthkey0001", ("synthetic-app-secret-0001",))
OTHER_APP = Account("synthkey0002", ("synthetic-app-secret-0002",))


def signed(body: bytes = BODY, account: Account = APP, secret: str = "") -> dict[str, str]:
    digest = tiktok_shop.sign(account, secret or account.secrets[0], body)
    return {"authorization": digest}


def who(headers: dict[str, str], body: bytes = BODY, *accounts: Account) -> Account:
    return tiktok_shop.verify(headers, body, accounts or (APP,), REAL)


# Known answers

VECTORS = sample("signatures/tiktok_webhooks.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account(vector["app_key"], (vector["app_secret"],))
    headers = {"authorization": vector["authorization"]}
    body = vector["body"].encode()
    if vector["authentic"]:
        assert who(headers, body, account) == account
    else:
        with pytest.raises(NotAuthentic):
            who(headers, body, account)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert sum(vector["authentic"] for vector in VECTORS) == 4
    assert sum(not vector["authentic"] for vector in VECTORS) == 5


# One by one


def test_a_well_signed_body_is_its_apps() -> None:
    assert who(signed()) == APP


@pytest.mark.parametrize("headers", [{}, {"authorization": ""}, {"signature": "abc"}])
def test_a_missing_signature_is_told_apart_from_a_wrong_one(headers: dict[str, str]) -> None:
    with pytest.raises(Unsigned):
        who(headers)


GOOD = signed()["authorization"]


@pytest.mark.parametrize(
    "header",
    [
        GOOD[:-1],
        GOOD + "0",
        " " + GOOD,
        GOOD.upper(),
        "Bearer " + GOOD,
        f"{GOOD},{GOOD}",
        "0" * 64,
        "é" * 64,
        "\udcff" * 64,
        "\x00",
        "x" * 100_000,
    ],
    ids=ascii,
)
def test_a_garbled_signature_is_refused_without_a_stumble(header: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        who({"authorization": header})
    assert not isinstance(refused.value, Unsigned)


def test_a_wrong_secret_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        who(signed(secret="another secret"))


def test_every_single_altered_byte_is_noticed() -> None:
    headers = signed()
    for place in range(len(BODY)):
        altered = bytearray(BODY)
        altered[place] ^= 1
        with pytest.raises(NotAuthentic):
            who(headers, bytes(altered))


@pytest.mark.parametrize("altered", [BODY + b"\n", BODY[:-1], b"", b" " + BODY])
def test_a_body_made_longer_or_shorter_is_noticed(altered: bytes) -> None:
    with pytest.raises(NotAuthentic):
        who(signed(), altered)


def test_both_secrets_are_good_while_they_are_rotated() -> None:
    rotating = Account("synthkey0001", ("new secret", "old secret"))
    for secret in rotating.secrets:
        assert who(signed(account=rotating, secret=secret), BODY, rotating) == rotating


def test_of_several_apps_the_one_that_signed_is_found() -> None:
    for app in (APP, OTHER_APP):
        assert who(signed(account=app), BODY, APP, OTHER_APP) == app


def test_an_apps_secret_under_another_apps_key_proves_nothing() -> None:
    mixed = Account(OTHER_APP.name, APP.secrets)
    with pytest.raises(NotAuthentic):
        who(signed(account=mixed), BODY, APP, OTHER_APP)


def test_a_refusal_never_quotes_a_secret_or_the_signature() -> None:
    with pytest.raises(NotAuthentic) as refused:
        who({"authorization": "f" * 64})
    assert APP.secrets[0] not in str(refused.value)
    assert "ffff" not in str(refused.value)


# What they mean


def told(body: bytes, shops: tuple[str, ...] = ()) -> Translation:
    return tiktok_shop.translate(Delivery("tiktok_shop", APP.name, body, REAL, shops))


def hints(body: bytes) -> list[Hint]:
    events = told(body).events
    assert all(isinstance(event, Hint) for event in events)
    return [event for event in events if isinstance(event, Hint)]


@pytest.mark.parametrize(
    ("name", "topic", "orders", "status"),
    [
        *(
            (f"order_status.{word.lower()}", "order_status_change", [O1], word)
            for word in (
                "UNPAID",
                "ON_HOLD",
                "AWAITING_SHIPMENT",
                "PARTIALLY_SHIPPING",
                "AWAITING_COLLECTION",
                "IN_TRANSIT",
                "DELIVERED",
                "COMPLETED",
            )
        ),
        ("order_status.cancel", "order_status_change", [O1], "CANCELLED"),
        ("order_status.status_of_tomorrow", "order_status_change", [O1], "TELEPORTING"),
        ("order_status.without_notification_id", "order_status_change", [O1], "UNPAID"),
        (
            "order_status.ids_as_numbers",
            "order_status_change",
            ["576000000000000103"],
            "AWAITING_SHIPMENT",
        ),
        ("address_update", "recipient_address_update", [O1], ""),
        ("address_update.without_notification_id", "recipient_address_update", [O1], ""),
        ("package_update.split", "package_update", [O1], ""),
        ("package_update.combine", "package_update", [O1, O2], ""),
        ("package_update.cancel_split", "package_update", [O1], ""),
        ("package_update.partly_cancel_split", "package_update", [O1], ""),
        ("cancellation.pending", "cancellation_status_change", [O1], ""),
        ("cancellation.success", "cancellation_status_change", [O1], ""),
        ("cancellation.complete", "cancellation_status_change", [O1], ""),
        ("cancellation.cancelled", "cancellation_status_change", [O1], ""),
        ("return.pending", "return_status_change", [O1], ""),
        ("invoice", "invoice_status_change", [O1, O2], ""),
        ("refund", "refund_success", [O1], ""),
    ],
)
def test_a_webhook_about_orders_asks_for_their_re_read(
    name: str, topic: str, orders: list[str], status: str
) -> None:
    found = hints(sample_bytes(f"tiktok/webhooks/{name}.json"))
    assert sorted(hint.order_id for hint in found) == orders
    assert {(hint.topic, hint.status, hint.shop_id) for hint in found} == {(topic, status, SHOP)}
    assert {hint.received_at for hint in found} == {REAL}


@pytest.mark.parametrize(
    ("name", "kind", "orders"),
    [
        ("deauthorised", "deauthorised", 0),
        ("authorisation_expiring", "expiring", 0),
        ("aftersales", "aftersales", 0),
        ("rma", "aftersales", 0),
        ("refund", "aftersales", 1),
    ],
)
def test_what_is_about_a_shop_as_a_whole_is_news_of_it(name: str, kind: str, orders: int) -> None:
    translation = told(sample_bytes(f"tiktok/webhooks/{name}.json"))
    assert [(n.shop_id, n.kind, n.received_at) for n in translation.news] == [(SHOP, kind, REAL)]
    assert len(translation.events) == orders
    assert not translation.stock


def test_the_end_of_an_authorisation_is_a_text_of_unix_seconds() -> None:
    (news,) = told(sample_bytes("tiktok/webhooks/authorisation_expiring.json")).news
    assert news.ends_at == datetime(2026, 12, 1, 2, 26, 40, tzinfo=UTC)


def test_a_refund_that_names_no_order_is_news_of_the_shop_all_the_same() -> None:
    body = bent(type=67, data={"aftersales_request_id": "4030000000000000110"})
    assert [news.kind for news in told(body).news] == ["aftersales"]
    assert not told(body).events


def stock(body: bytes) -> StockNews:
    translation = told(body)
    assert not translation.events
    assert not translation.news
    (news,) = translation.stock
    return news


def test_a_low_stock_is_told_with_its_word_and_what_is_left() -> None:
    assert stock(sample_bytes("tiktok/webhooks/stock_low.json")) == StockNews(
        SHOP,
        "1729000000000000102",
        datetime(2026, 11, 1, 2, 26, 30, tzinfo=UTC),
        "7400000000000000127",
        "1729000000000000101",
        {"total": 5, "available": 3, "committed": 2, "campaign": 0, "creator": 0},
        "LOW_STOCK",
    )


def test_a_change_of_stock_is_told_with_its_ids_to_the_last_digit_and_no_word() -> None:
    news = stock(sample_bytes("tiktok/webhooks/stock_changed.json"))
    assert news == StockNews(
        SHOP,
        "1729000000000000102",
        datetime(2026, 11, 1, 10, tzinfo=UTC),
        "stock-0101",
        "1729000000000000101",
        {
            "total": 7,
            "available": 5,
            "committed": 2,
            "in_shop": 5,
            "campaign": 0,
            "creator": 0,
        },
    )
    body = json.loads(sample_bytes("tiktok/webhooks/stock_changed.json"))
    body["data"] |= {"event_id": 9007199254740993, "sku_id": 9007199254740995}
    exact = stock(json.dumps(body).encode())
    assert (exact.event_id, exact.sku_id) == ("9007199254740993", "9007199254740995")


@pytest.mark.parametrize("name", ["stock_out", "stock_sufficient"])
def test_each_word_for_a_stock_is_told_as_it_is(name: str) -> None:
    body = sample_bytes(f"tiktok/webhooks/{name}.json")
    assert stock(body).status == json.loads(body)["data"]["current_inventory_status"]


def bent_stock(name: str, **changes: object) -> bytes:
    body = json.loads(sample_bytes(f"tiktok/webhooks/{name}.json"))
    body["data"] |= changes
    return json.dumps(body).encode()


def test_what_a_stock_does_not_tell_is_left_out_and_its_time_found_elsewhere() -> None:
    low = stock(bent_stock("stock_low", inventory_distribution=None, update_time=0))
    assert low.quantities == {}
    assert low.at == datetime(2026, 11, 1, 2, 26, 40, tzinfo=UTC)
    changed = stock(bent_stock("stock_changed", occurred_at=None, event_id=""))
    assert changed.at == REAL
    assert changed.event_id == "7400000000000000132"
    tomorrow = stock(bent_stock("stock_low", current_inventory_status="NEARLY_GONE"))
    assert tomorrow.status == "NEARLY_GONE"


@pytest.mark.parametrize(
    ("name", "changes", "field"),
    [
        ("stock_low", {"sku_id": None}, "data.sku_id"),
        ("stock_low", {"sku_id": "a#b"}, "data.sku_id"),
        ("stock_low", {"current_inventory_status": 3}, "current_inventory_status"),
        ("stock_low", {"inventory_distribution": [1]}, "inventory_distribution"),
        (
            "stock_low",
            {"inventory_distribution": {"available_quantity": "many"}},
            "available_quantity",
        ),
        ("stock_low", {"inventory_distribution": {"total_quantity": 10**12 + 1}}, "total"),
        ("stock_changed", {"sku_id": 1.7e18}, "data.sku_id"),
        ("stock_changed", {"shop_id": 7490000000000000002}, "data.shop_id"),
        ("stock_changed", {"occurred_at": "soon"}, "data.occurred_at"),
        (
            "stock_changed",
            {"quantity_snapshot_after_change": None},
            "quantity_snapshot_after_change",
        ),
    ],
)
def test_a_stock_that_is_bent_is_unreadable_and_names_the_field(
    name: str, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Unreadable) as problem:
        told(bent_stock(name, **changes))
    assert str(problem.value).startswith(field)


def test_the_old_topic_of_reversals_asks_for_a_re_read_too() -> None:
    (hint,) = hints(bent(type=2, data={"order_id": O1, "reverse_order_status": 1}))
    assert (hint.topic, hint.order_id, hint.status) == ("reverse_status_update", O1, "")


@pytest.mark.parametrize("word", ["CANCEL", "CANCELLED"])
def test_both_spellings_of_cancelled_are_one_status(word: str) -> None:
    assert [hint.status for hint in hints(bent_data(order_status=word))] == ["CANCELLED"]


@pytest.mark.parametrize(
    "name",
    [
        "product_status",
        "conversation",
        "message",
        "type_of_tomorrow",
    ],
)
def test_a_topic_that_touches_no_order_means_nothing_and_says_so(name: str) -> None:
    body = sample_bytes(f"tiktok/webhooks/{name}.json")
    assert told(body) == Translation(note=f"type {json.loads(body)['type']} touches no order")


def test_no_sample_is_left_out() -> None:
    for path in samples("tiktok/webhooks"):
        translation = told(sample_bytes(path))
        meant = translation.events or translation.news or translation.stock
        assert meant or translation.note, path


def test_the_notification_id_makes_a_hint_the_same_however_its_body_is_written() -> None:
    body = sample_bytes("tiktok/webhooks/order_status.in_transit.json")
    compact = json.dumps(json.loads(body), separators=(",", ":")).encode()
    assert [h.identity for h in hints(body)] == [h.identity for h in hints(compact)]


def test_two_notifications_are_two_hints_and_two_orders_of_one_are_two_as_well() -> None:
    body = json.loads(BODY)
    other = json.dumps({**body, "tts_notification_id": "7400000000000000199"}).encode()
    assert hints(BODY)[0].identity != hints(other)[0].identity
    both = hints(sample_bytes("tiktok/webhooks/package_update.combine.json"))
    assert len({hint.identity for hint in both}) == 2


def test_without_a_notification_id_the_content_is_the_identity() -> None:
    body = sample_bytes("tiktok/webhooks/order_status.without_notification_id.json")
    changed = body.replace(b"UNPAID", b"ON_HOLD")
    assert hints(body)[0].identity == hints(body)[0].identity
    assert hints(body)[0].identity != hints(changed)[0].identity


def test_the_time_of_a_hint_is_the_marketplaces_or_none() -> None:
    def at(**data: object) -> object:
        body = json.loads(BODY)
        kept = {k: v for k, v in body["data"].items() if k != "update_time"}
        return hints(json.dumps({**body, "data": {**kept, **data}}).encode())[0].update_time

    assert at() is None
    assert at(update_time=0) is None
    assert at(update_time=1_793_499_990) == at(update_time="1793499990")
    assert at(create_time=1_793_499_990) == at(update_time=1_793_499_990)


def test_an_app_may_speak_for_its_own_shops_only() -> None:
    assert told(BODY, (SHOP,)).events
    with pytest.raises(Unreadable, match="may not speak for shop"):
        told(BODY, (OTHER_SHOP,))
    with pytest.raises(Unreadable, match="may not speak for shop"):
        told(sample_bytes("tiktok/webhooks/deauthorised.json"), (OTHER_SHOP,))


# Hostile ones: authentic, yet not as they should be


def bent(**changes: object) -> bytes:
    return json.dumps({**json.loads(BODY), **changes}).encode()


def bent_data(**changes: object) -> bytes:
    return bent(data={**json.loads(BODY)["data"], **changes})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent(type="one"), "type"),
        (bent(type=None), "type"),
        (bent(type=True), "type"),
        (bent(type=1.0), "type"),
        (bent(type=[1]), "type"),
        (bent(shop_id=None), "shop_id"),
        (bent(shop_id=""), "shop_id"),
        (bent(shop_id=7.49e18), "shop_id"),
        (bent(shop_id={"id": SHOP}), "shop_id"),
        (bent(shop_id="a/../b"), "shop_id"),
        (bent(shop_id="7" * 65), "shop_id"),
        (bent(shop_id="\uff17\uff14\uff19"), "shop_id"),
        (bent(data=None), "data"),
        (bent(data=[1]), "data"),
        (bent(data="{}"), "data"),
        (bent(data={}), "data.order_id"),
        (bent(tts_notification_id=["x"]), "tts_notification_id"),
        (bent_data(order_id=None), "data.order_id"),
        (bent_data(order_id=True), "data.order_id"),
        (bent_data(order_id=5.76e17), "data.order_id"),
        (bent_data(order_id=["576"]), "data.order_id"),
        (bent_data(order_id="576#HEAD"), "data.order_id"),
        (bent_data(order_id="576\n"), "data.order_id"),
        (bent_data(order_id="\ud800"), "data.order_id"),
        (bent_data(order_status=7.5e300), "order_status"),
        (bent_data(order_status={}), "order_status"),
        (bent_data(update_time="yesterday"), "update_time"),
        (bent_data(update_time=-1), "update_time"),
        (bent_data(update_time=1.5), "update_time"),
        (bent_data(update_time=1_793_499_990_000), "update_time"),
        (bent_data(update_time=10**30), "update_time"),
        (bent(type=4, data={"package_list": []}), "data"),
        (bent(type=4, data={"package_list": "P1"}), "package_list"),
        (bent(type=4, data={"package_list": ["P1"]}), "package_list"),
        (bent(type=4, data={"package_list": [{"order_id_list": O1}]}), "data"),
        (
            bent(type=4, data={"package_list": [{"order_id_list": [{}]}]}),
            "data.package_list.order_id_list",
        ),
        (bent(type=36, data={"order_ids": None}), "data"),
        (bent(type=7, data={}), "expiration_time"),
        (bent(type=7, data={"expiration_time": "in a month"}), "expiration_time"),
        (bent(type=67, data={"line_items": [1]}), "line_items"),
        (
            bent(type=67, data={"line_items": [{"main_order_id": [O1]}]}),
            "data.line_items.main_order_id",
        ),
        (bent(type=36, data={"order_ids": [None]}), "data.order_ids"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)


def test_an_absurdly_long_word_is_cut_to_what_can_be_kept() -> None:
    (hint,) = hints(bent_data(order_status="X" * 100_000))
    assert len(hint.status) == 300


def test_a_word_that_is_half_a_character_can_still_be_kept() -> None:
    (hint,) = hints(bent_data(order_status="\ud800"))
    assert hint.status.encode()


def test_a_deep_body_without_a_notification_id_is_read_or_refused_and_nothing_else() -> None:
    body = json.loads(BODY)
    del body["tts_notification_id"]
    for depth in (100, 500, 900, 940, 980):
        nested = "[" * depth + "]" * depth
        text = json.dumps(body).replace('"order_id"', f'"x": {nested}, "order_id"')
        try:
            assert told(text.encode()).events
        except (Unreadable, ValueError):
            continue


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([O1, SHOP, "IN_TRANSIT", 1_793_499_990]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    [
        "order_id",
        "order_status",
        "update_time",
        "create_time",
        "package_list",
        "order_ids",
        "order_id_list",
        "expiration_time",
        "line_items",
        "main_order_id",
        "sku_id",
        "event_id",
        "occurred_at",
        "inventory_distribution",
        "available_quantity",
        "quantity_snapshot_after_change",
        "total_quantity",
    ]
)
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([*range(1, 8), 11, 12, 27, 36, 64, 65, 67, 71, 9999]) | JSON,
        "shop_id": st.just(SHOP) | JSON,
        "tts_notification_id": JSON,
        "timestamp": JSON,
        "data": st.dictionaries(KEYS, JSON | st.lists(st.dictionaries(KEYS, JSON))) | JSON,
    },
)


def outcome(raw: bytes) -> Translation | str:
    """What an authentic body means, or why nothing. Only a body that is no JSON is a ValueError."""
    try:
        return told(raw)
    except Unreadable as problem:
        return str(problem)
    except ValueError:
        if b"NaN" in raw or b"Infinity" in raw:
            return "no JSON"
        raise


@patient
@given(BODIES)
def test_whatever_an_authentic_object_holds_it_is_read_or_unreadable(body: dict[str, Any]) -> None:
    raw = json.dumps(body).encode()
    found = outcome(raw)
    if isinstance(found, str):
        assert 0 < len(found) < 2_000
        return
    assert len(found.events) <= len(raw)
    assert all(len(repr(event)) < 2_000 for event in found.events)
    assert all(len(repr(stock)) < 3_000 for stock in found.stock)
