"""The calls of fulfilment, delivery, after-sales, service and stock: what is refused to be built.

What is built is held against a client that others wrote: `tests/differential`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import TrackingStatus
from shipclock.marketplaces.protocol import Call, Slot
from shipclock.marketplaces.tiktok_shop import (
    aftersales,
    aftersales_flow,
    delivery,
    fulfilment,
    inventory,
    service,
)
from shipclock.marketplaces.tiktok_shop.calls import handover, package, reread
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS, path
from tests.builders import ORDER, T0, patient
from tests.pictures import PDF_FILE, jpeg, png

PACKAGE, LINE, NUMBER, PROVIDER = "1150000000000000101", "577000000000000101", "SYN-101", "661"

# Paths


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_version_is_a_year_and_a_month_in_the_path(name: str) -> None:
    version, template = ENDPOINTS[name]
    assert len(version) == 6
    assert 2023 <= int(version[:4]) <= 2026
    assert 1 <= int(version[4:]) <= 12
    assert template.count("{version}") == 1


BY_PATH: list[Callable[[str], Call]] = [
    package,
    handover,
    lambda found: reread([ORDER, found]),
    lambda found: fulfilment.ship_parcel(found, fulfilment.Parcel()),
    lambda found: fulfilment.mark_as_shipped(found, [LINE], NUMBER, PROVIDER),
    fulfilment.shipping_services,
    fulfilment.shipping_document,
    lambda found: fulfilment.update_order_shipping(found, NUMBER, PROVIDER),
    lambda found: fulfilment.update_package_shipping(found, NUMBER, PROVIDER),
    lambda found: aftersales.eligibility(found, "CANCEL"),
    lambda found: aftersales.approve_cancellation(found, "k"),
    lambda found: aftersales.reject_cancellation(found, "k", "r"),
    lambda found: service.message(found, "Hello"),
    lambda found: inventory.update_inventory(found, [inventory.StockWish("1", "2", 3)]),
]


@pytest.mark.parametrize("build", BY_PATH)
@pytest.mark.parametrize(
    "found", ["", "../orders", "1/ship", "1?x=1", "1#", "1,2", "a b", "%2e", "é", "1" * 65, "{0}"]
)
def test_an_id_that_would_change_the_path_is_refused(
    build: Callable[[str], Call], found: str
) -> None:
    with pytest.raises(ValueError, match="an id of letters, digits"):
        build(found)
    build("1" * 64)


def test_an_older_version_of_a_call_may_be_asked_for() -> None:
    assert path("message", "202309", conversation_id="7") == (
        "/customer_service/202309/conversations/7/messages"
    )


def test_what_may_be_repeated_without_harm_is_told_from_what_may_not() -> None:
    harmless = [
        fulfilment.shipping_services(ORDER),
        fulfilment.shipping_document(PACKAGE),
        delivery.upload_image(png(100, 100), "image/png"),
        delivery.upload_file(PDF_FILE, "a.pdf"),
        aftersales.eligibility(ORDER, "CANCEL"),
        aftersales.cancellations_of([ORDER]),
        aftersales.reject_reasons("4030"),
        aftersales.calculate_refund(ORDER, [], "r"),
        aftersales_flow.search_aftersales(T0),
        aftersales_flow.search_rma(T0),
        service.conversation("702"),
        inventory.search_inventory(["1"]),
    ]
    writing = [
        fulfilment.ship_parcel(PACKAGE, fulfilment.Parcel()),
        fulfilment.ship_parcels({PACKAGE: fulfilment.Parcel()}),
        fulfilment.mark_as_shipped(ORDER, [LINE], NUMBER, PROVIDER),
        fulfilment.create_package(ORDER),
        fulfilment.update_order_shipping(ORDER, NUMBER, PROVIDER),
        fulfilment.update_package_shipping(PACKAGE, NUMBER, PROVIDER),
        delivery.deliver(PACKAGE, "DELIVERY_SUCCESS"),
        delivery.track(ORDER, "US", PROVIDER, [TRACK]),
        aftersales.cancel(ORDER, "r"),
        aftersales.approve_cancellation("4030", "k"),
        aftersales.reject_cancellation("4030", "k", "r"),
        aftersales.create_return(ORDER, "r", [], "1", "MYR", "k"),
        service.message("7", "Hello"),
        inventory.update_inventory("1", [inventory.StockWish("1", "2", 3)]),
    ]
    assert not any(call.writes for call in harmless)
    assert all(call.writes for call in writing)


# Fulfilment


def test_a_pickup_names_its_slot_in_seconds() -> None:
    slot = Slot(T0, T0 + timedelta(hours=2, microseconds=999_999), available=True)
    call = fulfilment.ship_parcel(PACKAGE, fulfilment.Parcel(handover_method="PICKUP", slot=slot))
    begins = int(T0.timestamp())
    assert call.body == {
        "handover_method": "PICKUP",
        "pickup_slot": {"start_time": begins, "end_time": begins + 7200},
    }


def test_a_package_that_the_buyer_fetches_is_shipped_without_a_word() -> None:
    assert fulfilment.ship_parcel(PACKAGE, fulfilment.Parcel()).body is None
    call = fulfilment.ship_parcels({PACKAGE: fulfilment.Parcel()})
    assert call.body == {"packages": [{"id": PACKAGE}]}


@pytest.mark.parametrize(("number", "provider"), [(NUMBER, ""), ("", PROVIDER)])
def test_a_parcel_that_lacks_half_of_its_words_is_not_told_as_one_to_be_fetched(
    number: str, provider: str
) -> None:
    body = fulfilment.ship_parcel(PACKAGE, fulfilment.Parcel(number, provider)).body
    assert body == {"self_shipment": {"tracking_number": number, "shipping_provider_id": provider}}


def test_both_bodies_of_marking_as_shipped_go_to_their_own_version() -> None:
    newer = fulfilment.mark_as_shipped(ORDER, [LINE], NUMBER, PROVIDER)
    older = fulfilment.mark_as_shipped(ORDER, [LINE], NUMBER, PROVIDER, "202309")
    assert newer.path == f"/fulfillment/202610/orders/{ORDER}/packages"
    assert older.path == f"/fulfillment/202309/orders/{ORDER}/packages"
    assert older.body == {
        "order_line_item_ids": [LINE],
        "tracking_number": NUMBER,
        "shipping_provider_id": PROVIDER,
    }
    with pytest.raises(ValueError, match="202401"):
        fulfilment.mark_as_shipped(ORDER, [LINE], NUMBER, PROVIDER, "202401")


def test_a_label_is_bought_for_a_whole_order_or_for_the_units_named() -> None:
    assert fulfilment.create_package(ORDER).body == {"ship_type": "1", "order_id": ORDER}
    part: Any = fulfilment.create_package(ORDER, "72", [LINE]).body
    assert part["ship_type"] == "2"
    assert part["order_line_item"] == [{"order_line_id": LINE}]
    assert part["shipping_service_id"] == "72"


# Delivery

TRACK = delivery.Track("50101", T0, "Handed over", NUMBER)


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (("DELIVERED",), "no delivery type"),
        (("",), "no delivery type"),
        (("DELIVERY_FAILED",), "does not go with"),
        (("DELIVERY_FAILED", "BAD_MOOD"), "does not go with"),
        (("DELIVERY_SUCCESS", "OTHER"), "does not go with"),
        (("DELIVERY_SUCCESS", "BAD_MOOD"), "does not go with"),
        (("UPDATE_POD", "", "IMG"), "a proof has a type"),
        (("UPDATE_POD", "", "", "https://proofs.example/1"), "a proof has a type"),
        (("UPDATE_POD", "", "GIF", "https://proofs.example/1"), "a proof has a type"),
        (("UPDATE_POD", "", "GIF"), "a proof has a type"),
    ],
)
def test_a_delivery_that_does_not_make_sense_is_not_told(
    words: tuple[str, ...], telling: str
) -> None:
    with pytest.raises(ValueError, match=telling):
        delivery.deliver(PACKAGE, *words)


@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (50, True), (51, False)])
def test_a_call_tells_one_to_fifty_events(count: int, good: bool) -> None:
    if good:
        body: Any = delivery.track(ORDER, "US", PROVIDER, [TRACK] * count).body
        assert len(body["tracks"]) == count
    else:
        with pytest.raises(ValueError, match="1 to 50"):
            delivery.track(ORDER, "US", PROVIDER, [TRACK] * count)


@pytest.mark.parametrize("code", ["", "delivered", "5.1", "-1", "٣"])
def test_an_action_code_is_a_number(code: str) -> None:
    with pytest.raises(ValueError, match="action code"):
        delivery.track(ORDER, "US", PROVIDER, [replace(TRACK, action_code=code)])


def test_what_a_track_does_not_say_is_left_out() -> None:
    body: Any = delivery.track(ORDER, "US", PROVIDER, [TRACK]).body
    assert body["tracks"] == [
        {
            "action_code": 50101,
            "occur_time": int(T0.timestamp()) * 1000,
            "description": "Handed over",
            "tracking_no": NUMBER,
        }
    ]
    placed = replace(TRACK, location=delivery.Place(city="Springfield"))
    body = delivery.track(ORDER, "US", PROVIDER, [placed]).body
    assert body["tracks"][0]["location"] == {"city": "Springfield"}


def test_only_statuses_with_a_known_code_are_told_and_each_by_its_own() -> None:
    codes = delivery.ACTION_CODES
    assert TrackingStatus.DELIVERED in codes
    assert TrackingStatus.UNKNOWN not in codes
    assert len(set(codes.values())) == len(codes)
    assert all(code.isdigit() and len(code) == 5 for code in codes.values())


MIB = 1024 * 1024


def padded(data: bytes, size: int) -> bytes:
    return data + bytes(size - len(data))


@pytest.mark.parametrize(
    ("data", "media_type", "telling"),
    [
        (png(100, 100), "image/png", ""),
        (png(99, 100), "image/png", "pixels"),
        (png(100, 99), "image/png", "pixels"),
        (png(20_000, 20_000), "image/png", ""),
        (png(20_001, 100), "image/png", "pixels"),
        (png(2**32 - 1, 100), "image/png", "pixels"),
        (jpeg(100, 100), "image/jpeg", ""),
        (jpeg(99, 100), "image/jpeg", "pixels"),
        (jpeg(100, 20_001), "image/jpeg", "pixels"),
        (jpeg(640, 480, b"\xff\xc4\x00\x05abc" + b"\xff\xff"), "image/jpeg", ""),
        (padded(png(100, 100), 5 * MIB), "image/png", ""),
        (padded(png(100, 100), 5 * MIB + 1), "image/png", "larger than 5 MB"),
        (padded(PDF_FILE, 10 * MIB), "application/pdf", ""),
        (padded(PDF_FILE, 10 * MIB + 1), "application/pdf", "larger than 10 MB"),
        (png(100, 100), "image/jpeg", "not what its name says"),
        (jpeg(100, 100), "image/png", "not what its name says"),
        (PDF_FILE, "image/png", "not what its name says"),
        (b"<html>", "application/pdf", "not what its name says"),
        (b"", "image/png", "not what its name says"),
        (png(100, 100)[:20], "image/png", "damaged"),
        (jpeg(100, 100)[:24], "image/jpeg", "damaged"),
        (b"\xff\xd8\xff\xda\x00\x00" + bytes(40), "image/jpeg", "damaged"),
        (png(100, 100), "image/gif", "must be a JPG or PNG"),
        (png(100, 100), "", "must be a JPG or PNG"),
    ],
)
def test_a_proof_that_can_not_be_uploaded_says_why(
    data: bytes, media_type: str, telling: str
) -> None:
    why = delivery.unfit(data, media_type)
    assert bool(why) is bool(telling)
    assert telling in why
    if media_type.startswith("image"):
        build = delivery.upload_image
        if telling:
            with pytest.raises(ValueError, match=telling):
                build(data, media_type)
        else:
            assert build(data, media_type).upload


@patient
@given(st.binary(max_size=60), st.sampled_from(["image/png", "image/jpeg", "application/pdf"]))
def test_looking_at_any_bytes_ends_without_an_error(data: bytes, media_type: str) -> None:
    for head in (b"", *delivery.MAGIC.values(), jpeg(300, 300)[:20]):
        assert isinstance(delivery.unfit(head + data, media_type), str)


def test_a_pdf_is_no_picture() -> None:
    with pytest.raises(ValueError, match="as a file"):
        delivery.upload_image(PDF_FILE, "application/pdf")


@pytest.mark.parametrize(
    ("name", "sent_as"),
    [
        ("receipt.pdf", "receipt.pdf"),
        ("Receipt 5.PDF", "Receipt_5.pdf"),
        ("../../etc/passwd", "etc_passwd.pdf"),
        ('a"; name="x\r\n.pdf', "a_name_x.pdf"),
        ("", "proof.pdf"),
        ("é.pdf", "proof.pdf"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
    ],
)
def test_a_file_bears_a_plain_name_with_its_type(name: str, sent_as: str) -> None:
    upload = delivery.upload_file(PDF_FILE, name).upload
    assert upload is not None
    assert (upload.name, upload.fields) == (sent_as, {"name": sent_as})


# After-sales


def test_what_is_asked_for_has_to_be_a_type_that_there_is() -> None:
    with pytest.raises(ValueError, match="EXCHANGE"):
        aftersales.eligibility(ORDER, "EXCHANGE")
    with pytest.raises(ValueError, match="EXCHANGE"):
        aftersales.calculate_refund(ORDER, [], "r", "EXCHANGE")
    with pytest.raises(ValueError, match="CANCEL"):
        aftersales.create_return(ORDER, "r", [], "1", "MYR", "k", "CANCEL")


@pytest.mark.parametrize(("key", "good"), [("", False), ("k" * 255, True), ("k" * 256, False)])
def test_a_key_that_would_not_protect_is_refused(key: str, good: bool) -> None:
    builders: list[Callable[[], Call]] = [
        lambda: aftersales.approve_cancellation("4030", key),
        lambda: aftersales.reject_cancellation("4030", key, "r"),
        lambda: aftersales.create_return(ORDER, "r", [], "1", "MYR", key),
    ]
    for build in builders:
        if good:
            assert build().query == {"idempotency_key": key}
        else:
            with pytest.raises(ValueError, match="idempotency key"):
                build()


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("", "MYR"),
        ("0", "MYR"),
        ("0.00", "MYR"),
        ("-1", "MYR"),
        ("1,50", "MYR"),
        ("1e9", "MYR"),
        ("NaN", "MYR"),
        ("٣", "MYR"),
        ("1.", "MYR"),
        ("1\n", "MYR"),
        ("1", ""),
        ("1", "myr"),
        ("1", "RM"),
    ],
)
def test_what_is_no_amount_of_money_is_not_given_back(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="no amount of money"):
        aftersales.create_return(ORDER, "r", [], amount, currency, "k")


def test_an_amount_is_sent_as_it_is_written() -> None:
    body: Any = aftersales.create_return(ORDER, "r", [LINE], "0.10", "JPY", "k").body
    assert (body["refund_total"], body["currency"], body["return_type"]) == (
        "0.10",
        "JPY",
        "REFUND",
    )
    assert body["order_line_list"] == [{"order_line_item_id": LINE}]


OFFERED = (
    "seller_cancel_reason_out_of_stock",
    "seller_cancel_reason_wrong_price",
    "seller_cancel_paid_reason_buyer_requested_cancellation",
    "seller_cancel_paid_reason_address_not_deliver",
)
UNPAID = (
    "seller_cancel_unpaid_reason_out_of_stock",
    "seller_cancel_unpaid_reason_wrong_price",
    "seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed",
    "seller_cancel_unpaid_reason_buyer_requested_cancellation",
)
MEANT = [
    ("out_of_stock", OFFERED[0], UNPAID[0]),
    ("wrong_price", OFFERED[1], UNPAID[1]),
    ("buyer_asked", OFFERED[2], UNPAID[3]),
    ("not_deliverable", OFFERED[3], ""),
    ("not_paid", "", UNPAID[2]),
]


@pytest.mark.parametrize("ending", ["", "_uk"])
@pytest.mark.parametrize(("wish", "paid", "unpaid"), MEANT)
def test_a_reason_is_chosen_out_of_what_is_offered(
    wish: str, paid: str, unpaid: str, ending: str
) -> None:
    for offered, name in ((OFFERED, paid), (UNPAID, unpaid)):
        found = aftersales.choose_reason(wish, [reason + ending for reason in offered])
        assert found == (name + ending if name else "")
    assert aftersales.choose_reason(wish, []) == ""


@pytest.mark.parametrize(
    ("wish", "offered", "name"),
    [
        ("lost", ["x_package_lost", "y"], "x_package_lost"),
        ("lost", ["x_lost_it"], "x_lost_it"),
        ("lost", ["x_almost", "lostness"], ""),
        ("damaged", ["Arrived_Damaged"], "Arrived_Damaged"),
        ("not_delivered", ["x_not_received_y"], "x_not_received_y"),
        ("bad_mood", list(OFFERED), ""),
        ("", list(OFFERED), ""),
        ("seller_cancel_reason_out_of_stock", list(OFFERED), ""),
    ],
)
def test_a_wish_that_nothing_offered_means_is_left_to_a_person(
    wish: str, offered: list[str], name: str
) -> None:
    assert aftersales.choose_reason(wish, offered) == name


def test_the_newer_searches_ask_for_the_parts_that_we_read_and_may_go_without_a_filter() -> None:
    body: Any = aftersales_flow.search_aftersales().body
    assert "filters" not in body
    assert body["whitelisted_data_fields"] == ["LINE_ITEMS", "SKU_RETURN_REQUESTS"]
    assert "page_token" not in body["pagination"]


# Service


@pytest.mark.parametrize(
    ("text", "telling"),
    [("", "empty"), (" \n", "empty"), ("x" * 2000, ""), ("x" * 2001, "2001 characters")],
)
def test_a_message_that_can_not_be_sent_says_why(text: str, telling: str) -> None:
    if telling:
        with pytest.raises(ValueError, match=telling):
            service.message("7", text)
    else:
        assert service.message("7", text).body


# Stock


@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (600, True), (601, False)])
def test_up_to_600_skus_are_asked_for(count: int, good: bool) -> None:
    skus = [str(number) for number in range(count)]
    if good:
        assert inventory.search_inventory(skus).body == {"sku_ids": skus}
    else:
        with pytest.raises(ValueError, match="1 to 600"):
            inventory.search_inventory(skus)


@pytest.mark.parametrize(
    ("quantity", "good"), [(-1, False), (0, True), (99_999, True), (100_000, False)]
)
def test_a_stock_is_a_number_that_the_marketplace_may_take(quantity: int, good: bool) -> None:
    wishes = [inventory.StockWish("1", "2", quantity)]
    if good:
        assert inventory.update_inventory("9", wishes).body
    else:
        with pytest.raises(ValueError, match="0 to 99999"):
            inventory.update_inventory("9", wishes)


def test_the_warehouses_of_a_sku_stand_together() -> None:
    wish = inventory.StockWish
    wishes = [wish("1", "A", 5), wish("2", "A", 6), wish("1", "B", 7)]
    assert inventory.update_inventory("9", wishes).body == {
        "skus": [
            {
                "id": "1",
                "inventory": [
                    {"warehouse_id": "A", "quantity": 5},
                    {"warehouse_id": "B", "quantity": 7},
                ],
            },
            {"id": "2", "inventory": [{"warehouse_id": "A", "quantity": 6}]},
        ]
    }
    with pytest.raises(ValueError, match="no stock"):
        inventory.update_inventory("9", [])
