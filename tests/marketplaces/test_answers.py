"""What TikTok Shop answers, and what it means, however it comes."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.event import OrderFacts
from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Call, Kind, OrderRow, Outcome
from shipclock.marketplaces.tiktok_shop.codes import CANCEL_REASONS, CODES, PERSON
from shipclock.ports import HttpReply
from shipclock.reading import Unreadable
from tests.builders import REAL, SHOP, T0, patient, sample, sample_bytes, samples, shop

READ = Call("reread", "GET", "/x")
WRITE = Call("ship_package", "POST", "/x", writes=True)
C = 1_793_500_000
O1, P1 = "576000000000000101", "1150000000000000101"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(C + seconds, UTC)


def answer(body: object, status: int = 200, **headers: str) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return tiktok_shop.interpret(WRITE, HttpReply(status, names, raw))


def code(number: object, status: int = 200, **more: object) -> Outcome:
    return answer({"code": number, "message": "m", "request_id": "r-1", **more}, status)


# Every code of the published tables that we act on, by what it means

MEANINGS = {
    Kind.EXPIRED: "105002",
    Kind.DEAUTHORISED: "105001",
    Kind.MISCONFIGURED: "101000 105005 106001 106013 36009033 "
    "36009004 36009009 36009010 36009014 36009022 36009023 36004001 36004004 36004005",
    Kind.RATE_LIMITED: "36009002",
    Kind.UNCLEAR: "36009003 36009007 11001031 21001003 21001008 21001011 21042001 21022029 "
    "12001000 10002014 10002015 10006402 10037002 10037003 10037004",
    Kind.LATER: "21011044 21011007 21008044 21021010 21004006 21004019 21004020 11034023 11034037 "
    "21011043 25001028 45101004",
    Kind.ALREADY: "21011020 21011040 21011006 21008099 11006021 21042056 21011027 10007002 "
    "25001011 25001010 25001051 25020009 25020010",
    Kind.REFUSED: "21011041 21011042 21011022 11028006 21004012 21004015 21004016 "
    "21011025 21034012 21011026 21011049 21011050 21011051 21011052 21011004 21008025 21008017 "
    "11034002 21008106 21011028 21008111 21008117 21008116 21011053 21011054 21014009 "
    "11021009 11021010 11021011 11021012 11021013 11021014 11021015 11021016 11021017 11021018 "
    "11021019 11021020 11021021 11021022 11021023 11021024 11021025 10007014 11007016 11007018 "
    "11007021 12052037 12019028 12052055 12052921 36009021 "
    "25001021 25001014 25001015 25001020 25001003 25001045 25020003 25020004 "
    "25020005 25005005 45101006 45109001 45109003",
}
TABLE = [(int(number), kind) for kind, listed in MEANINGS.items() for number in listed.split()]


def test_the_table_here_and_the_products_have_the_same_codes() -> None:
    assert dict(TABLE).keys() == CODES.keys()


@pytest.mark.parametrize(("number", "kind"), TABLE)
def test_every_known_code_means_what_the_reference_says(number: int, kind: Kind) -> None:
    found = code(number)
    assert found.kind is kind
    assert code(str(number)).kind is kind  # some answers send it as text
    if kind is not Kind.RATE_LIMITED:
        assert str(number) in found.reason
        assert found.request_id == "r-1"
    if kind in (Kind.REFUSED, Kind.MISCONFIGURED, Kind.DEAUTHORISED):
        assert found.advice, "a person must know what to do"


@pytest.mark.parametrize("number", [11021008, 11021026, 36009999, 999, -1])
def test_a_code_nobody_wrote_down_is_refused_with_its_number_and_message(number: int) -> None:
    found = code(number, message="param x is missing")
    assert (found.kind, found.code, found.advice) == (Kind.REFUSED, number, PERSON)
    assert found.reason == f"the marketplace refuses it ({number}: param x is missing)"


NOBODY_KNOWS = "the request was refused as malformed"
FAULTS = [
    ("Invalid credentials. The `x-tts-access-token` header is invalid.", Kind.EXPIRED, "token"),
    ("Invalid credentials. The `access_token` header is invalid.", Kind.EXPIRED, "token"),
    ("Invalid access Token", Kind.EXPIRED, "token"),
    ("`timestamp` exceeds the time by more than 30 seconds", Kind.MISCONFIGURED, "clock is off"),
    ("update_time_ge is no valid timestamp", Kind.MISCONFIGURED, NOBODY_KNOWS),
    ("timestamp expired", Kind.MISCONFIGURED, "clock is off"),
    ("conversion failed", Kind.MISCONFIGURED, NOBODY_KNOWS),
    ("invalid param error", Kind.MISCONFIGURED, NOBODY_KNOWS),
    ("invalid timestamp: earlier than 5 minutes before now", Kind.MISCONFIGURED, "clock is off"),
    ("The `timestamp` must not be lesser than 0.", Kind.MISCONFIGURED, "clock is off"),
    ("Invalid credentials. Invalid `app_key` query.", Kind.MISCONFIGURED, "app key"),
    ("app key is invalid", Kind.MISCONFIGURED, "app key"),
    ("Unexpected identifier. The `shop_cipher` is there.", Kind.MISCONFIGURED, "does not take"),
    ("`shop_cipher` is not required for this request", Kind.MISCONFIGURED, "does not take"),
    ("Invalid identifier. The `shop_id` is invalid.", Kind.MISCONFIGURED, "shop cipher"),
    ("shop_cipher is invalid", Kind.MISCONFIGURED, "shop cipher"),
    ("The request does not include a required signature.", Kind.MISCONFIGURED, "signature"),
    ("Invalid API version.", Kind.MISCONFIGURED, "version"),
    ("param body.address is missing", Kind.MISCONFIGURED, "parameter is missing"),
    ("order_id is required", Kind.MISCONFIGURED, "parameter is missing"),
    ("page_token is invalid", Kind.MISCONFIGURED, NOBODY_KNOWS),
    ("page token is invalid", Kind.MISCONFIGURED, NOBODY_KNOWS),
    ("something new", Kind.MISCONFIGURED, NOBODY_KNOWS),
    ("", Kind.MISCONFIGURED, NOBODY_KNOWS),
]


@pytest.mark.parametrize(("message", "kind", "telling"), FAULTS)
def test_the_code_of_many_faults_is_told_apart_by_its_message(
    message: str, kind: Kind, telling: str
) -> None:
    found = code(36009004, message=message)
    assert found.kind is kind
    assert telling in found.reason.split(" (")[0]
    assert message in found.reason
    assert found.advice


@pytest.mark.parametrize("message", [message for message, _, _ in FAULTS])
def test_no_message_makes_a_renewal_ask_for_a_renewal_or_repeats_by_the_number(
    message: str,
) -> None:
    renewal = Call("refresh_token", "GET", "/x", auth=True)
    raw = json.dumps({"code": 36009004, "message": message}).encode()
    found = tiktok_shop.interpret(renewal, HttpReply(200, {}, raw))
    assert found.kind is Kind.MISCONFIGURED


def test_a_renewal_whose_token_is_refused_is_a_persons_matter() -> None:
    renewal = Call("refresh_token", "GET", "/x", auth=True)
    raw = b'{"code": 105002, "message": "expired"}'
    assert tiktok_shop.interpret(renewal, HttpReply(200, {}, raw)).kind is Kind.MISCONFIGURED


def test_a_code_nobody_wrote_down_with_a_server_fault_is_unclear() -> None:
    assert code(999, 500).kind is Kind.UNCLEAR


def test_success_is_code_zero() -> None:
    found = code(0, data={"a": 1})
    assert (found.kind, found.data, found.request_id) == (Kind.OK, {"a": 1}, "r-1")
    assert code("0", data={}).kind is Kind.UNCLEAR


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_success_with_a_server_fault_is_unclear(status: int) -> None:
    assert code(0, status, data={}).kind is Kind.UNCLEAR


@pytest.mark.parametrize("data", [None, [], "x", 5])
def test_a_success_without_data_is_no_clear_yes(data: object) -> None:
    raw = json.dumps({"code": 0, "data": data}).encode()
    for call in (READ, WRITE):
        assert tiktok_shop.interpret(call, HttpReply(200, {}, raw)).kind is Kind.UNCLEAR
    empty = HttpReply(200, {}, b'{"code": 0, "data": {}}')
    assert tiktok_shop.interpret(WRITE, empty).kind is Kind.OK


def test_a_batch_that_succeeded_with_an_error_inside_did_not() -> None:
    raw = sample_bytes("tiktok/answers/ship.package_refused_inside.json")
    found = answer(raw)
    assert (found.kind, found.code) == (Kind.REFUSED, 21011041)


@pytest.mark.parametrize("name", ["ship_packages", "update_inventory"])
def test_a_batch_whose_parts_fail_by_themselves_is_a_success(name: str) -> None:
    raw = sample_bytes("tiktok/answers/ship.package_refused_inside.json")
    call = Call(name, "POST", "/x", writes=True)
    assert tiktok_shop.interpret(call, HttpReply(200, {}, raw)).kind is Kind.OK
    refused = HttpReply(200, {}, b'{"code": 105001}')
    assert tiktok_shop.interpret(call, refused).kind is Kind.DEAUTHORISED


def test_an_error_inside_keeps_the_request_id_that_support_asks_for() -> None:
    raw = sample_bytes("tiktok/answers/ship.package_refused_inside.json")
    assert answer(raw).request_id == json.loads(raw)["request_id"]


@pytest.mark.parametrize("errors", [None, [], {}])
def test_an_empty_list_of_errors_is_none(errors: object) -> None:
    assert code(0, data={"errors": errors}).kind is Kind.OK


@pytest.mark.parametrize("errors", ["x", [None], ["x"], {"code": 5}])
def test_odd_errors_make_a_write_unclear_and_cost_no_read_its_data(errors: object) -> None:
    raw = json.dumps({"code": 0, "data": {"errors": errors, "orders": []}}).encode()
    for writes, kind in ((True, Kind.UNCLEAR), (False, Kind.OK)):
        call = Call("x", "POST", "/x", writes=writes)
        assert tiktok_shop.interpret(call, HttpReply(200, {}, raw)).kind is kind


@pytest.mark.parametrize("first", [{}, {"code": None}, {"code": "x"}, {"code": 1.5}, {"code": []}])
def test_an_error_inside_without_a_readable_code_is_unclear(first: object) -> None:
    assert code(0, data={"errors": [first]}).kind is Kind.UNCLEAR


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"code": 0, "data": {"orders": [',
        b"null",
        b"[]",
        b'"ok"',
        b"0",
        b"\xff\xfe",
        b"{}",
        b'{"code": null}',
        b'{"code": "zero"}',
        b'{"code": 0.0}',
        b'{"code": true}',
        b'{"code": false}',
        b'{"code": [0]}',
        b'{"code": NaN}',
        b'{"code": ' + b"9" * 5_000 + b"}",
        b'{"code": 0, "data": ' + b"[" * 100_000,
    ],
    ids=lambda body: ascii(body[:24]),
)
@pytest.mark.parametrize("status", [200, 400, 404, 500, 503])
def test_an_answer_that_can_not_be_read_is_unclear_whatever_its_status(
    body: bytes, status: int
) -> None:
    assert answer(body, status).kind is Kind.UNCLEAR


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("86400", timedelta(hours=1)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("9" * 50, None),
        ("", None),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b'{"code": 36009002}', b'{"code": 0, "data": {}}', b"<html>"]
)
def test_a_rate_limit_is_one_by_its_status_and_names_its_wait(
    body: bytes, header: str, wait: timedelta | None
) -> None:
    found = answer(body, 429, retry_after=header)
    assert (found.kind, found.wait) == (Kind.RATE_LIMITED, wait)


def test_a_rate_limit_is_one_by_its_code_as_well() -> None:
    found = answer({"code": 36009002}, 200, retry_after="3")
    assert (found.kind, found.wait) == (Kind.RATE_LIMITED, timedelta(seconds=3))
    assert answer({"code": 36009002}, 200).wait is None


def test_an_overload_is_unclear_and_names_its_wait() -> None:
    found = answer(b"overloaded", 503, retry_after="9")
    assert (found.kind, found.wait) == (Kind.UNCLEAR, timedelta(seconds=9))


def test_a_refusal_is_told_by_its_code_and_not_by_its_status() -> None:
    assert code(21011020, 500).kind is Kind.ALREADY
    assert code(105002, 401).kind is Kind.EXPIRED


def test_an_absurdly_long_message_is_cut() -> None:
    assert len(code(999, message="x" * 10_000).reason) < 400
    assert len(code(999, request_id="x" * 10_000).request_id) <= 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@patient
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "code": st.sampled_from([0, 105002, 999]) | JSON,
            "data": st.fixed_dictionaries({}, optional={"errors": st.lists(JSON)}) | JSON,
            "message": JSON,
            "request_id": JSON,
        },
    ),
    st.sampled_from([200, 400, 429, 500]),
    st.sampled_from([READ, WRITE]),
)
def test_interpreting_never_raises_whatever_came_back(body: Any, status: int, call: Call) -> None:
    raw = json.dumps(body).encode()
    found = tiktok_shop.interpret(call, HttpReply(status, {}, raw))
    assert isinstance(found.kind, Kind)
    assert found.kind is not Kind.OK or status < 500


# Orders


def orders(name: str) -> tuple[OrderRow, ...]:
    page = tiktok_shop.read_orders(ok(name))
    assert page.unreadable == ()
    return page.orders


def ok(name: str) -> Outcome:
    found = answer(sample_bytes(f"tiktok/answers/{name}.json"))
    assert found.kind is Kind.OK
    return found


def facts(name: str) -> OrderFacts:
    (row,) = orders(name)
    assert row.order_id == O1
    return row.facts


@pytest.mark.parametrize("path", samples("tiktok/answers"))
def test_every_sample_is_an_answer_that_can_be_told(path: str) -> None:
    assert answer(sample_bytes(path)).kind in (Kind.OK, Kind.REFUSED, Kind.ALREADY)


def test_an_order_to_ship_is_read_with_its_package_and_deadlines() -> None:
    told = facts("orders.awaiting_shipment.with_package")
    assert (told.status, told.shipping_type) == ("AWAITING_SHIPMENT", "SELLER")
    assert (told.create_time, told.paid_time, told.update_time) == (at(0), at(90), at(3700))
    assert told.package_ids == (P1,)
    assert {(line.package_id, line.package_status) for line in told.lines} == {(P1, "TO_FULFILL")}
    assert len({line.line_id for line in told.lines}) == 2
    assert told.deadlines == {
        "rts_sla_time": at(172_800),
        "tts_sla_time": at(259_200),
        "delivery_sla_time": at(691_200),
        "shipping_due_time": at(604_800),
        "collection_due_time": at(864_000),
        "delivery_due_time": at(2_592_000),
        "cancel_order_sla_time": at(604_800),
        "pick_up_cut_off_time": at(172_800),
    }


def test_an_order_may_have_no_package_yet() -> None:
    told = facts("orders.awaiting_shipment.without_package")
    assert told.package_ids == ()
    assert {line.package_id for line in told.lines} == {""}


def test_a_deadline_of_zero_is_none() -> None:
    told = facts("orders.on_hold")
    assert told.status == "ON_HOLD"
    assert set(told.deadlines) == {"cancel_order_sla_time"}


def test_a_split_order_is_read_package_by_package() -> None:
    told = facts("orders.partially_shipping")
    assert [(line.package_status, line.tracking_number) for line in told.lines] == [
        ("PROCESSING", "SYN-101"),
        ("TO_FULFILL", ""),
    ]
    assert told.rts_time == at(50_000)


def test_the_instants_of_a_delivered_order_are_read() -> None:
    told = facts("orders.delivered")
    assert (told.rts_time, told.collection_time, told.delivery_time) == (
        at(50_000),
        at(90_000),
        at(400_000),
    )
    assert (told.tracking_number, told.shipping_provider) == ("SYN-101", "Synthetic Express")


def test_a_cancelled_order_says_who_cancelled_it_and_why() -> None:
    told = facts("orders.cancelled")
    assert (told.status, told.cancelled_by, told.cancel_time) == (
        "CANCELLED",
        "SYSTEM",
        at(604_800),
    )
    assert told.cancel_reason == "system_cancel_order_reason_shipping_timeout"


def test_a_page_of_a_search_says_how_far_it_went_and_where_the_next_one_is() -> None:
    page = tiktok_shop.read_page("orders", ok("orders.page"), shop())
    assert [row.order_id for row in page.orders] == [O1, "576000000000000102"]
    assert (page.latest, page.next_token) == (at(4000), "c2FtcGxlLTI=")


def test_the_buyer_is_kept_apart_from_the_facts() -> None:
    (row,) = orders("orders.awaiting_shipment.with_package")
    assert row.buyer == {
        "name": "Aisyah Contoh",
        "phone_number": "(+60)10-000 0101",
        "full_address": "12, Jalan Contoh 3, 50000 Kuala Lumpur",
        "postal_code": "50000",
        "region_code": "MY",
        "districts": "Malaysia\nMY",
        "email": "buyer-101@mail.example",
        "user_id": "7020000000000000101",
    }
    for secret in ("Aisyah", "Jalan", "000 0101", "mail.example"):
        assert secret not in repr(row.facts)


def test_masked_and_blank_personal_data_is_left_out() -> None:
    (masked,) = orders("orders.in_transit.masked")
    assert masked.buyer == {
        "postal_code": "50000",
        "region_code": "MY",
        "user_id": "7020000000000000101",
    }
    (blank,) = orders("orders.on_hold")
    assert blank.buyer == {"region_code": "MY", "user_id": "7020000000000000101"}


def row_of(**changes: object) -> Any:
    """An answer with one order, some of whose fields are changed."""
    body = sample("tiktok/answers/orders.awaiting_shipment.with_package.json")
    body["data"]["orders"][0].update(changes)
    return body["data"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"create_time": 0}, "create_time"),
        ({"create_time": "soon"}, "create_time"),
        ({"create_time": -5}, "create_time"),
        ({"update_time": "soon"}, "update_time"),
        ({"status": ""}, "status"),
        ({"status": 5}, "status"),
    ],
)
def test_an_order_that_can_not_be_read_is_named_and_hides_no_other(
    changes: dict[str, object], field: str
) -> None:
    data = row_of(**changes)
    good = sample("tiktok/answers/orders.delivered.json")["data"]["orders"]
    page = tiktok_shop.read_orders(Outcome(Kind.OK, {"orders": [*data["orders"], *good]}))
    assert [row.facts.status for row in page.orders] == ["DELIVERED"]
    (named,) = page.unreadable
    assert named.order_id == O1
    assert field in named.reason


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"line_items": "none"}, "line_items"),
        ({"line_items": [None]}, "line_items"),
        ({"line_items": [{"id": None}]}, "line_items.id"),
        ({"packages": [{"id": {}}]}, "packages.id"),
        ({"packages": {"id": P1}}, "packages"),
    ],
)
def test_a_part_that_can_not_be_read_is_told_and_keeps_the_order_from_being_shipped_in_part(
    changes: dict[str, object], field: str
) -> None:
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(**changes)))
    (row,) = page.orders
    assert row.facts.incomplete
    assert row.facts.deadlines, "its clocks run all the same"
    (named,) = page.unreadable
    assert field in named.reason


@pytest.mark.parametrize("order_id", [None, "5#6", True, 1.5, {}])
def test_an_order_whose_own_id_can_not_be_read_is_told_without_one(order_id: object) -> None:
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(id=order_id)))
    assert page.orders == ()
    (named,) = page.unreadable
    assert named.order_id == ""
    assert named.reason


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"shipping_due_time": "soon"}, "shipping_due_time"),
        ({"collection_due_time": 10**15}, "collection_due_time"),
        ({"delivery_due_time": 253_402_300_799}, "delivery_due_time"),
        ({"rts_time": []}, "rts_time"),
        ({"warehouse_id": {}}, "warehouse_id"),
        ({"cancel_reason": 5}, "cancel_reason"),
        ({"shipping_provider": True}, "shipping_provider"),
    ],
)
def test_one_odd_field_costs_no_more_than_itself_and_is_told(
    changes: dict[str, object], field: str
) -> None:
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(**changes)))
    (row,) = page.orders
    assert row.facts.create_time == at(0)
    assert field not in row.facts.deadlines
    (told,) = page.unreadable
    assert field in told.reason
    assert O1 in told.reason


def test_odd_personal_data_costs_the_order_nothing_and_is_not_quoted() -> None:
    address = {"name": {"first": "Aisyah"}, "phone_number": 60100000101, "region_code": "MY"}
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(recipient_address=address)))
    assert page.orders[0].buyer == {
        "region_code": "MY",
        "email": "buyer-101@mail.example",
        "user_id": "7020000000000000101",
    }
    assert "Aisyah" not in repr(page.unreadable)


@pytest.mark.parametrize(
    "changes",
    [
        {"line_items": None},
        {"packages": None},
        {"recipient_address": None},
        {"recipient_address": "masked"},
        {"delivery_option_id": None},
        {"update_time": None},
        {"id": 576000000000000101},
        {"fields_of_tomorrow": {"a": [1]}},
        {"status": "TELEPORTING"},
        {"create_time": str(C)},
    ],
)
def test_what_is_missing_or_new_does_no_harm(changes: dict[str, object]) -> None:
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(**changes)))
    assert page.unreadable == ()
    assert [row.order_id for row in page.orders] == [O1]


@pytest.mark.parametrize("wish", [None, "true", 1, False, {}])
def test_only_a_plain_yes_is_a_wish_to_cancel(wish: object) -> None:
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(is_buyer_request_cancel=wish)))
    assert not page.orders[0].facts.cancel_requested
    page = tiktok_shop.read_orders(Outcome(Kind.OK, row_of(is_buyer_request_cancel=True)))
    assert page.orders[0].facts.cancel_requested


@pytest.mark.parametrize("data", [{"orders": "x"}, {"orders": [1]}, {"orders": {"a": 1}}])
def test_a_list_of_orders_that_is_none_is_unreadable(data: dict[str, object]) -> None:
    with pytest.raises(Unreadable, match="orders"):
        tiktok_shop.read_orders(Outcome(Kind.OK, data))


# Packages, cases, providers, tokens


@pytest.mark.parametrize(
    ("name", "status", "sub_status", "exception"),
    [
        ("package.fulfilling", "FULFILLING", "TTS", ""),
        ("package.lost", "CANCELLED", "SHIP_EXCEPTION", "PACKAGE_LOST"),
    ],
)
def test_a_package_is_read(name: str, status: str, sub_status: str, exception: str) -> None:
    read = tiktok_shop.read_package(ok(name), O1, shop(), REAL, T0)
    assert (read.package_id, read.order_id, read.shop_id) == (P1, O1, SHOP)
    assert (read.status, read.sub_status, read.exception) == (status, sub_status, exception)
    assert (read.tracking_number, read.requested_at) == ("SYN-101", REAL)


def test_reading_the_same_package_later_is_another_fact() -> None:
    one = tiktok_shop.read_package(ok("package.lost"), O1, shop(), REAL, T0)
    later = REAL + timedelta(seconds=1)
    again = tiktok_shop.read_package(ok("package.lost"), O1, shop(), later, T0)
    assert one.identity != again.identity


def test_a_package_without_its_id_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="package_id"):
        tiktok_shop.read_package(Outcome(Kind.OK, {}), O1, shop(), REAL, T0)


def test_a_cancellation_is_read_with_its_deadline() -> None:
    page = tiktok_shop.read_page("cancellations", ok("cancellations"), shop())
    (case,) = page.cases
    assert (case.case, case.order_id, case.status) == (
        "cancellation",
        O1,
        "CANCELLATION_REQUEST_PENDING",
    )
    assert (case.deadline, case.update_time, page.latest) == (at(91_400), at(5000), at(5000))
    assert (page.next_token, page.unreadable) == ("", ())


def test_a_return_is_read_with_its_earliest_deadline() -> None:
    page = tiktok_shop.read_page("returns", ok("returns"), shop())
    (case,) = page.cases
    assert (case.case, case.case_id) == ("return", "4030000000000000102")
    assert case.deadline == at(690_000)


@pytest.mark.parametrize("name", ["cancellations", "returns"])
def test_a_page_may_lack_its_list_where_there_is_nothing(name: str) -> None:
    page = tiktok_shop.read_page(name, Outcome(Kind.OK, {"total_count": 0}), shop())
    assert (page.cases, page.latest, page.next_token) == ((), None, "")


def test_a_case_that_can_not_be_read_is_named_and_hides_no_other() -> None:
    data = sample("tiktok/answers/cancellations.json")["data"]
    data["cancellations"].append({**data["cancellations"][0], "cancel_id": "77", "order_id": None})
    page = tiktok_shop.read_page("cancellations", Outcome(Kind.OK, data), shop())
    assert len(page.cases) == 1
    assert "order_id" in page.unreadable[0].reason


def test_providers_are_read_by_id() -> None:
    assert tiktok_shop.read_providers(ok("providers")) == {
        "6610000000000000001": "Synthetic Express",
        "6610000000000000002": "J&T Express",
    }


def test_tokens_are_read_with_their_absolute_end() -> None:
    tokens = tiktok_shop.read_tokens(ok("tokens"))
    assert tokens.access_expires_at == at(604_800)
    assert (tokens.access_token, tokens.refresh_token) == (
        "TTP_made_up_access_2",
        "TTP_made_up_refresh_2",
    )
    assert "TTP_made_up" not in repr(tokens)


@pytest.mark.parametrize("lacking", ["access_token", "refresh_token"])
def test_tokens_that_lack_anything_are_unreadable_and_not_quoted(lacking: str) -> None:
    data = {**ok("tokens").data, lacking: None}
    with pytest.raises(Unreadable) as problem:
        tiktok_shop.read_tokens(Outcome(Kind.OK, data))
    assert "TTP_made_up" not in str(problem.value)


def test_tokens_are_kept_whole_however_long_and_without_an_end_where_none_is_told() -> None:
    long = "TTP_" + "x" * 2_000
    told = tiktok_shop.read_tokens(
        Outcome(Kind.OK, {**ok("tokens").data, "access_token": long, "access_token_expire_in": 0})
    )
    assert told.access_token == long
    assert told.access_expires_at is None


@pytest.mark.parametrize("token", ["x" * 5_000, "a\nb", 5, ["x"]])
def test_a_page_token_that_can_not_be_kept_whole_is_unreadable_rather_than_cut(
    token: object,
) -> None:
    data = {**sample("tiktok/answers/orders.page.json")["data"], "next_page_token": token}
    with pytest.raises(Unreadable, match="next_page_token"):
        tiktok_shop.read_page("orders", Outcome(Kind.OK, data), shop())


# Reasons in words


@pytest.mark.parametrize("reason", CANCEL_REASONS)
def test_every_reason_of_the_marketplaces_own_has_words_that_end_no_sentence(reason: str) -> None:
    said = tiktok_shop.cancel_words(reason)
    assert said == tiktok_shop.cancel_words(reason + "_uk")
    assert said[0].islower()
    assert said[-1].isalpha()


@pytest.mark.parametrize("reason", ["", "_uk", "ordered_by_mistake", "package_lost_us"])
def test_a_reason_of_somebody_elses_has_none(reason: str) -> None:
    assert tiktok_shop.cancel_words(reason) == ""
