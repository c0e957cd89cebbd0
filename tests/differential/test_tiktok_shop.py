"""Held against a client that others wrote: signatures, re-reads, searches, webhooks, the sandbox.

Every other call and answer: `test_tiktok_calls.py`.
"""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.wire import Request
from shipclock.domain.event import Snapshot
from shipclock.domain.order import Order, fold
from shipclock.domain.push import Intent, IntentState
from shipclock.marketplaces import tiktok_shop as ours
from shipclock.marketplaces.protocol import Call, Keys, Kind, Outcome
from shipclock.marketplaces.tiktok_shop.answers import DEADLINES
from shipclock.marketplaces.tiktok_shop.signing import signature
from shipclock.sources import Account
from shipclock.sources import tiktok_shop as source
from tests.builders import (
    ORDER,
    T0,
    folded,
    line,
    patient,
    sample,
    sample_bytes,
    samples,
    shop,
    snapshot,
    told,
)
from tests.differential.tiktok_client import (
    agree,
    built,
    model,
    parsed,
    takes_cipher,
    theirs,
    unknown_fields,
)
from tests.stage import APP_SECRET, HOSTS, SHOP_ID, Stage

KEYS = Keys(APP_SECRET, "TTP_access_1", "TTP_refresh_1")


# Signatures

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
QUERY = st.dictionaries(TEXT.filter(bool) | st.sampled_from(["sign", "access_token"]), TEXT)
TYPES = st.sampled_from(["application/json", "multipart/form-data; boundary=x", "text/plain"])


@patient
@given(TEXT, TEXT, QUERY, TEXT, TYPES)
def test_requests_are_signed_alike(
    secret: str, path: str, query: dict[str, str], body: str, content_type: str
) -> None:
    expected = theirs("signing").Signer.sign(
        path=path,
        query=list(query.items()),
        content_type=content_type,
        body=body.encode(),
        app_secret=secret,
    )
    assert signature(secret, path, query, body.encode(), content_type) == expected


@pytest.mark.parametrize(
    "vector", sample("signatures/tiktok_requests.json"), ids=lambda v: v["name"]
)
def test_their_signer_gives_the_known_answers_too(vector: dict[str, Any]) -> None:
    digest = theirs("signing").Signer.sign(
        path=vector["path"],
        query=list(vector["query"].items()),
        content_type=vector["content_type"],
        body=vector["body"],
        app_secret=vector["app_secret"],
    )
    assert digest == vector["sign"]


@patient
@given(TEXT, TEXT, st.binary(max_size=200))
def test_their_verifier_takes_what_we_sign(key: str, secret: str, body: bytes) -> None:
    signed = source.sign(Account(key, (secret,)), secret, body)
    verify = theirs("webhooks").Webhooks.verify
    assert verify(app_key=key, app_secret=secret, raw_body=body, signature=signed)
    assert not verify(app_key=key + "x", app_secret=secret, raw_body=body, signature=signed)


@pytest.mark.parametrize(
    "vector", sample("signatures/tiktok_webhooks.json"), ids=lambda v: v["name"]
)
def test_their_verifier_judges_the_known_answers_as_we_do(vector: dict[str, Any]) -> None:
    verdict = theirs("webhooks").Webhooks.verify(
        app_key=vector["app_key"],
        app_secret=vector["app_secret"],
        raw_body=vector["body"],
        signature=vector["authorization"],
    )
    assert verdict is vector["authentic"]


# Requests


def to_ship(shipping_type: str = "SELLER") -> Order:
    lines = (line("577000000000000101", package_id="P1"), line("577000000000000102"))
    known: dict[str, Any] = {"lines": lines, "delivery_option_id": "7090000000000000101"}
    return folded(snapshot(shipping_type=shipping_type, **known))


def intent(call: str, package_id: str) -> Intent:
    return Intent("k", call, package_id, "SYN-000101", IntentState.SENDING)


@pytest.mark.parametrize("token", ["", "c2FtcGxl"])
@pytest.mark.parametrize(
    ("name", "area", "operation", "words", "whole_size"),
    [
        ("orders", "orders", "get_order_list", "GetOrderList", True),
        (
            "cancellations",
            "return_and_refund",
            "search_cancellations",
            "SearchCancellations",
            False,
        ),
        ("returns", "return_and_refund", "search_returns", "SearchReturns", False),
    ],
)
def test_the_searches_are_what_their_client_would_send(
    name: str, area: str, operation: str, words: str, whole_size: bool, token: str
) -> None:
    call = ours.search(name, T0, token)
    body = parsed(f"{words}Request", call.body)
    assert type(body.update_time_ge) is int
    size = call.query["page_size"]
    more = {"page_token": token} if token else {}
    request = built(
        area,
        operation,
        body=body,
        page_size=int(size) if whole_size else size,
        sort_field=model(f"{words}SortField")(call.query["sort_field"]),
        sort_order=model(f"{words}SortOrder")(call.query["sort_order"]),
        **more,
    )
    agree(call, request)
    assert takes_cipher(call)


def test_the_times_that_searches_filter_by_are_whole_numbers_in_their_models_too() -> None:
    for name in ("GetOrderListRequest", "SearchCancellationsRequest", "SearchReturnsRequest"):
        (field,) = [f for f in model(name).__attrs_attrs__ if f.name == "update_time_ge"]
        assert str(field.type) == "int | Unset"


def test_a_package_is_asked_for_as_their_client_does() -> None:
    call = ours.package("1150000000000000101")
    agree(call, built("fulfillment", "get_package_detail", "1150000000000000101"))
    assert takes_cipher(call)


def test_providers_are_asked_for_as_their_client_does() -> None:
    call = ours.providers(to_ship())
    assert call is not None
    agree(call, built("logistics", "get_shipping_providers", "7090000000000000101"))
    assert takes_cipher(call)


@pytest.mark.parametrize("shipping_type", ["SELLER", "TIKTOK"])
def test_a_package_is_shipped_as_their_client_does(shipping_type: str) -> None:
    wanted = intent("ship_package", "P1")
    call = told(wanted, to_ship(shipping_type), shop(), "6610000000000000001")
    body = parsed("ShipPackageRequest", call.body)
    agree(call, built("fulfillment", "ship_package", "P1", body=body))
    assert takes_cipher(call)


def test_an_order_is_marked_as_shipped_as_their_client_does() -> None:
    wanted = intent("mark_package_as_shipped", "")
    call = told(wanted, to_ship(), shop("US"), "6610000000000000001")
    body = parsed("MarkPackageAsShippedRequest", call.body)
    agree(call, built("fulfillment", "mark_package_as_shipped", ORDER, body=body))
    assert takes_cipher(call)


def test_the_one_difference_is_ours_on_purpose_ids_are_one_comma_joined_value() -> None:
    """Their client repeats `ids`; the marketplace's documentation joins them by commas, and its
    own Go sample would sign only the first of repeated values."""
    call = ours.reread(["1", "2"])
    request = built("orders", "get_order_detail", ids=["1", "2"])
    assert (call.method.lower(), call.path) == (request["method"], request["url"])
    assert request["params"] == {"ids": ["1", "2"]}
    assert call.query == {"ids": "1,2"}
    one = ours.reread(["1"])
    assert one.query["ids"] == built("orders", "get_order_detail", ids=["1"])["params"]["ids"][0]
    assert takes_cipher(call)


# Answers: what we read, and what the sandbox says


def test_the_lists_of_the_searches_are_called_as_we_read_them() -> None:
    for name, field in (
        ("SearchReturnsResponseData", "return_orders"),
        ("SearchCancellationsResponseData", "cancellations"),
        ("GetOrderListResponseData", "orders"),
    ):
        names = {f.name for f in model(name).__attrs_attrs__}
        assert {field, "next_page_token"} <= names


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (
            "GetOrderDetailResponseDataOrder",
            "status create_time update_time shipping_type fulfillment_type order_type "
            "delivery_option_id warehouse_id paid_time rts_time collection_time delivery_time "
            "cancel_time release_date is_buyer_request_cancel cancel_reason "
            "cancellation_initiator tracking_number shipping_provider line_items packages id "
            "recipient_address buyer_email",
        ),
        (
            "GetOrderDetailResponseDataOrderLineItem",
            "id sku_id package_id package_status tracking_number display_status",
        ),
        (
            "GetPackageDetailResponseData",
            "package_id package_status package_sub_status tracking_number ship_exception_reason",
        ),
        (
            "SearchCancellationsResponseDataCancellation",
            "cancel_id cancel_status update_time create_time order_id seller_next_action_response",
        ),
        (
            "SearchReturnsResponseDataReturnOrder",
            "return_id return_status update_time create_time order_id seller_next_action_response",
        ),
        (
            "GetOrderDetailResponseDataOrderRecipientAddress",
            "name phone_number full_address postal_code region_code",
        ),
    ],
)
def test_every_field_we_read_is_one_that_they_know(name: str, read: str) -> None:
    known = {field.name.rstrip("_") for field in model(name).__attrs_attrs__}
    assert set(read.split()) <= known


def test_every_deadline_we_read_is_one_that_they_know_and_a_whole_number() -> None:
    known = {f.name: str(f.type) for f in model("GetOrderDetailResponseDataOrder").__attrs_attrs__}
    for name in DEADLINES:
        assert known[name] == "int | Unset"


class Asked:
    """Our own calls, answered by the sandbox."""

    def __init__(self, market: str = "MY") -> None:
        self.stage = Stage(market)

    def __call__(self, call: Call) -> Any:
        request = ours.sign(call, self.stage.shop(), KEYS, HOSTS, self.stage.real.now)
        parts = urlsplit(request.url)
        reply = self.stage.sandbox.handle(
            Request(
                request.method,
                parts.path,
                dict(parse_qsl(parts.query)),
                dict(request.headers),
                request.body,
            )
        )
        body = json.loads(reply.body)
        assert body["code"] == 0, body
        return body

    def order(self, order_id: str) -> Order:
        body = self(ours.reread([order_id]))
        (row,) = ours.read_orders(Outcome(Kind.OK, body["data"])).orders
        real, now = self.stage.real.now, self.stage.now
        return fold(order_id, [Snapshot("s", order_id, SHOP_ID, real, now, row.facts)])


def shipped(asked: Asked, call: str) -> tuple[str, str]:
    """A new order, shipped by our own calls: its id and its package's."""
    clock = asked.stage.sandbox.clock
    order_id = asked.stage.sandbox.add_order(
        SHOP_ID,
        status="AWAITING_SHIPMENT",
        items={"SCARF": 2},
        shipping_due_time=clock + 90_000,
        rts_sla_time=clock + 80_000,
    )
    order = asked.order(order_id)
    providers = ours.providers(order)
    assert providers is not None
    parsed("GetShippingProvidersResponse", asked(providers))
    package_id = order.packages[0].package_id if order.packages else ""
    ship = told(intent(call, package_id), order, asked.stage.shop(), "6610000000000000001")
    known = "ShipPackageResponse" if call == "ship_package" else "MarkPackageAsShippedResponse"
    parsed(known, asked(ship))
    return order_id, asked.order(order_id).packages[0].package_id


CALL_OF = [("MY", "ship_package"), ("US", "mark_package_as_shipped")]


@pytest.mark.parametrize(("market", "call"), CALL_OF)
def test_the_sandbox_tells_orders_in_the_shape_they_know_all_along_their_life(
    market: str, call: str
) -> None:
    asked = Asked(market)
    order_id, _ = shipped(asked, call)
    sandbox = asked.stage.sandbox
    for step in (sandbox.collect, sandbox.deliver, sandbox.complete):
        parsed("GetOrderDetailResponse", asked(ours.reread([order_id])))
        parsed("GetOrderListResponse", asked(ours.search("orders", T0, "")))
        step(order_id)
    assert asked.order(order_id).status == "COMPLETED"


@pytest.mark.parametrize(("market", "call"), CALL_OF)
def test_the_sandbox_tells_packages_in_the_shape_they_know(market: str, call: str) -> None:
    asked = Asked(market)
    _, package_id = shipped(asked, call)
    parsed("GetPackageDetailResponse", asked(ours.package(package_id)))


def test_the_sandbox_tells_returns_in_the_shape_they_know() -> None:
    asked = Asked()
    order_id, _ = shipped(asked, "ship_package")
    asked.stage.sandbox.collect(order_id)
    asked.stage.sandbox.deliver(order_id)
    asked.stage.sandbox.open_return(order_id)
    found = parsed("SearchReturnsResponse", asked(ours.search("returns", T0, "")))
    assert len(found.data.return_orders) == 1


def test_the_sandbox_tells_cancellations_in_the_shape_they_know() -> None:
    asked = Asked()
    order_id = asked.stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT")
    asked.stage.sandbox.request_cancel(order_id)
    found = parsed("SearchCancellationsResponse", asked(ours.search("cancellations", T0, "")))
    assert len(found.data.cancellations) == 1


# Webhooks


KNOWN = [
    path
    for path in samples("tiktok/webhooks")
    if "tomorrow.json" not in path or "status_of" in path
]


@pytest.mark.parametrize("path", KNOWN)
def test_our_samples_of_webhooks_are_of_the_shape_they_know(path: str) -> None:
    event = theirs("webhooks").Webhooks.parse(sample_bytes(path))
    assert type(event).__name__.endswith("Webhook")
    # their page of type 3 leaves out the notification id that the overview gives every type
    allowed = [".tts_notification_id"] if "address_update" in path else []
    assert [f for f in unknown_fields(event) if f not in allowed] == []
    # they read the ISO time of type 71 and write it anew
    given_back = json.dumps(event.to_dict()).replace('+00:00"', 'Z"')
    assert json.loads(given_back) == sample(path)


def test_a_type_of_tomorrow_is_unknown_to_both() -> None:
    body = sample_bytes("tiktok/webhooks/type_of_tomorrow.json")
    assert type(theirs("webhooks").Webhooks.parse(body)).__name__ == "UnknownWebhookEvent"


def test_the_sandboxs_webhooks_are_of_the_shape_they_know() -> None:
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="UNPAID", items={"SCARF": 2})
    stage.sandbox.pay(order_id)
    other = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"A": 1, "B": 1})
    units: Any = stage.sandbox.order(other)["line_items"]
    stage.sandbox.split(other, [[unit["id"]] for unit in units])
    stage.sandbox.request_cancel(other)
    stage.sandbox.revoke(SHOP_ID)
    webhooks = stage.sandbox.take_webhooks()
    kinds = set()
    for webhook in webhooks:
        event = theirs("webhooks").Webhooks.parse(webhook.body)
        assert unknown_fields(event) == []
        kinds.add(type(event).__name__)
    assert kinds >= {
        "OrderStatusChangeWebhook",
        "PackageUpdateWebhook",
        "CancellationStatusChangeWebhook",
        "SellerDeauthorizationWebhook",
    }
