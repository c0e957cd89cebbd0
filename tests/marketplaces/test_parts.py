"""What the answers of fulfilment, delivery, after-sales, service and stock say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.push import Deed, Intent, IntentState
from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Blob, Call, Kind, Known, Outcome, Shelf, Telling
from shipclock.marketplaces.tiktok_shop import (
    aftersales,
    aftersales_flow,
    delivery,
    fulfilment,
    inventory,
    service,
    tell_parcels,
)
from shipclock.marketplaces.tiktok_shop.outcomes import coded
from shipclock.ports import HttpReply
from shipclock.reading import Unreadable
from tests.builders import ORDER, T0, folded, sample_bytes, shop
from tests.pictures import PDF_FILE, whole_jpeg, whole_png

P2, P3 = "1150000000000000102", "1150000000000000103"
L1, L2 = "577000000000000101", "577000000000000102"
SKU, OTHER_SKU = "1729000000000000101", "1729000000000000102"
PRODUCT = "1728000000000000101"
REQUEST_ID = "20261101000000SAMPLE0000000101"


def told(name: str, call: str = "") -> Outcome:
    """What a sample means for the call that its name begins with."""
    asked = Call(call or name.split(".")[0], "POST", "/x", writes=True)
    raw = sample_bytes(f"tiktok/answers/{name}.json")
    return tiktok_shop.interpret(asked, HttpReply(200, {}, raw))


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def ok(**data: Any) -> Outcome:
    return Outcome(Kind.OK, data)


# Parts of a batch


def test_each_package_of_a_batch_that_failed_is_told_with_what_its_code_means() -> None:
    errors = fulfilment.read_batch_errors(told("ship_packages.partly"))
    assert {package: (e.kind, e.code) for package, e in errors.items()} == {
        P2: (Kind.ALREADY, 21011027),
        P3: (Kind.LATER, 11034023),
    }
    assert errors[P3].wait == timedelta(minutes=5)
    assert errors[P2].request_id == REQUEST_ID
    assert "package is delivered already" in errors[P2].reason
    assert fulfilment.read_batch_errors(told("ship_packages.done")) == {}


@pytest.mark.parametrize(
    "error",
    [
        {"code": 21011027},
        {"code": 21011027, "detail": None},
        {"code": 21011027, "detail": {}},
        {"code": 21011027, "detail": {"package_id": ""}},
        {"code": 21011027, "detail": {"sku_id": "1"}},
        {"code": 21011027, "detail": [P2]},
    ],
)
def test_an_error_of_nobody_makes_the_whole_batch_unreadable(error: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        fulfilment.read_batch_errors(ok(errors=[error]))


@pytest.mark.parametrize("errors", ["x", [None], [1], {"a": 1}, 5])
def test_a_list_of_errors_that_is_none_is_unreadable(errors: object) -> None:
    with pytest.raises(Unreadable):
        fulfilment.read_batch_errors(ok(errors=errors))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0, Kind.UNCLEAR),
        (None, Kind.UNCLEAR),
        ("x", Kind.UNCLEAR),
        (1.5, Kind.UNCLEAR),
        (36009002, Kind.RATE_LIMITED),
        ("21011041", Kind.REFUSED),
        (999, Kind.REFUSED),
        (105002, Kind.EXPIRED),
    ],
)
def test_a_parts_own_code_is_read_like_a_whole_answers(code: object, kind: Kind) -> None:
    error = {"code": code, "message": "m", "detail": {"package_id": P2}}
    assert fulfilment.read_batch_errors(ok(errors=[error]))[P2].kind is kind


def test_of_several_errors_of_one_part_the_first_counts() -> None:
    detail = {"package_id": P2}
    errors = [{"code": 21011041, "detail": detail}, {"code": 21011027, "detail": detail}]
    assert fulfilment.read_batch_errors(ok(errors=errors))[P2].code == 21011041


def test_a_part_with_code_zero_is_done() -> None:
    assert coded({"code": 0, "message": "success"}, "r").kind is Kind.OK


# Fulfilment


def test_services_are_read_with_price_and_days() -> None:
    ground, air = fulfilment.read_services(told("shipping_services"))
    assert (ground.service_id, ground.name, ground.is_default) == (
        "7210000000000000101",
        "Synthetic Ground",
        True,
    )
    assert (ground.price, ground.currency) == ("4.10", "USD")
    assert (ground.earliest_days, ground.latest_days) == (2, 5)
    assert (air.earliest_days, air.provider_id, air.is_default) == (None, "", False)


def test_a_label_is_read_with_its_whole_address() -> None:
    document = fulfilment.read_document(told("shipping_document"))
    assert document.url.startswith("https://labels.example/101.pdf?signature=")
    assert len(document.url) > 300
    assert document.tracking_number == "SYN-000101"


@pytest.mark.parametrize(
    "url", ["", None, "http://labels.example/1", "javascript:alert(1)", 5, "https://a\nb"]
)
def test_an_address_that_is_none_is_unreadable(url: object) -> None:
    with pytest.raises(Unreadable):
        fulfilment.read_document(ok(doc_url=url))
    with pytest.raises(Unreadable):
        delivery.read_upload(ok(url=url))


def test_the_ids_of_what_was_made_are_read() -> None:
    assert fulfilment.read_created(told("create_package")) == "1150000000000000101"
    assert aftersales.read_cancel_id(told("cancel")) == "4030000000000000103"
    assert aftersales.read_return_id(told("create_return")) == "4030000000000000104"
    assert service.read_conversation(told("conversation")) == "7500000000000000101"
    assert service.read_message(told("message")) == "7510000000000000101"


# Delivery


def test_a_delivery_of_a_package_that_is_not_ones_own_is_refused() -> None:
    found = told("deliver.not_own_fleet")
    assert (found.kind, found.code) == (Kind.REFUSED, 10007014)
    assert told("deliver.done").kind is Kind.OK


PHOTO, OWN = Blob("image/jpeg", whole_jpeg(300, 200)), Blob("application/pdf", PDF_FILE)
LATER_ON = T0 + timedelta(minutes=30)


def delivering(reason: str = "", **known: Any) -> Telling:
    """A delivery about to be told; with a reason one that failed."""
    says = {"delivery_type": "DELIVERY_FAILED", "reason": reason}
    says = says if reason else {"delivery_type": "DELIVERY_SUCCESS"}
    intent = Intent("k", "deliver", P2, "", IntentState.PENDING, deed=Deed.DELIVER, says=says)
    return Telling(intent, folded(), Known(T0, **known))


@pytest.mark.parametrize(
    ("known", "uploaded"),
    [
        ({"carrier_proof": PHOTO}, PHOTO.data),
        ({"proof": OWN}, OWN.data),
        ({"proof": OWN, "carrier_proof": PHOTO}, OWN.data),
        ({"carrier_proof": PHOTO, "proof_until": LATER_ON}, PHOTO.data),
    ],
)
def test_a_delivery_is_shown_by_the_sellers_proof_before_the_carriers(
    known: dict[str, Any], uploaded: bytes
) -> None:
    step = tell_parcels.deliver_step(delivering(**known), shop())
    assert isinstance(step, Call)
    assert step.upload is not None
    assert step.upload.data == uploaded
    known = {**known, "learned": {step.name: "https://files.example/1"}}
    assert tell_parcels.deliver_step(delivering(**known), shop()) is None
    call = tell_parcels.deliver(delivering(**known), shop())
    assert call.body is not None
    (package,) = call.body["packages"]
    assert package["file_url"] == "https://files.example/1"
    assert package["file_type"] == ("PDF" if uploaded == OWN.data else "IMG")


def test_a_carriers_picture_shows_no_failure_and_none_is_waited_for() -> None:
    failed = delivering("BUYER_REFUSED", carrier_proof=PHOTO, proof_until=LATER_ON)
    assert tell_parcels.deliver_step(failed, shop()) is None
    call = tell_parcels.deliver(failed, shop())
    assert call.body is not None
    assert "file_url" not in call.body["packages"][0]
    shown = tell_parcels.deliver_step(delivering("BUYER_REFUSED", proof=OWN), shop())
    assert isinstance(shown, Call), "the seller's own may"


@pytest.mark.parametrize(("minutes", "wait"), [(30, 2), (2, 2), (1, 1), (0, None), (-1, None)])
def test_a_delivery_waits_for_a_picture_that_is_on_its_way_until_that_is_over(
    minutes: int, wait: int | None
) -> None:
    until = T0 + timedelta(minutes=minutes)
    step = tell_parcels.deliver_step(delivering(proof_until=until), shop())
    if wait is None:
        assert step is None
    else:
        assert isinstance(step, Outcome)
        assert (step.kind, step.wait) == (Kind.LATER, timedelta(minutes=wait))


@pytest.mark.parametrize(
    ("blob", "taken"),
    [
        (PHOTO, True),
        (OWN, True),
        (Blob("image/png", whole_png(100, 100)), True),
        (Blob("image/png", whole_png(99, 100)), False),
        (Blob("image/jpeg", whole_png(120, 120)), False),
        (Blob("image/webp", PHOTO.data), False),
    ],
)
def test_a_proof_is_taken_as_the_marketplace_says(blob: Blob, taken: bool) -> None:
    assert tiktok_shop.takes_proof(blob) is taken


def test_the_address_of_a_proof_is_read() -> None:
    assert delivery.read_upload(told("upload_image")) == "https://proofs.example/101.png"
    assert delivery.read_upload(told("upload_file")) == "https://proofs.example/101.pdf"


TRACKS = (
    delivery.Track("30901", at(1_793_503_600), "Collected", "SYN-000101"),
    delivery.Track(
        "50101", at(1_793_600_000) + timedelta(milliseconds=500), "Handed over", "SYN-000101"
    ),
)


def test_each_event_is_told_what_became_of_it() -> None:
    found = delivery.read_tracks(told("track.partly"))
    assert [(f.kind, f.code) for f in found] == [(Kind.OK, 0), (Kind.REFUSED, 11007018)]
    assert delivery.read_tracks(told("track.partly"), TRACKS) == found


def test_events_are_found_by_what_they_are_and_not_by_their_place() -> None:
    first, second = delivery.read_tracks(told("track.partly"), TRACKS)
    assert delivery.read_tracks(told("track.partly"), TRACKS[::-1]) == (second, first)
    other = replace(TRACKS[0], tracking_number="SYN-000999")
    (silent,) = delivery.read_tracks(told("track.partly"), [other])
    assert silent.kind is Kind.UNCLEAR


def test_an_answer_without_results_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="track_results"):
        delivery.read_tracks(ok())


# After-sales


def test_an_order_whose_every_unit_may_be_cancelled_is_eligible() -> None:
    found = aftersales.read_eligibility(told("eligibility.cancel"))
    assert (found.eligible, found.line_ids, found.why_not) == (True, (L1, L2), "")
    # only what both units are offered, in the order of the first
    assert found.reasons == (
        "seller_cancel_reason_out_of_stock",
        "seller_cancel_reason_wrong_price",
    )


def test_an_order_of_which_a_unit_may_not_is_not_eligible_and_says_why() -> None:
    found = aftersales.read_eligibility(told("eligibility.partly"), "CANCEL")
    assert (found.eligible, found.line_ids) == (False, (L1,))
    assert found.reasons == ("seller_cancel_reason_out_of_stock_uk",)
    assert found.why_not == "item is shipped (25001045)"
    assert "order is not delivered" in (
        aftersales.read_eligibility(told("eligibility.partly")).why_not
    )


def test_the_older_list_of_units_is_read_where_the_newer_is_missing() -> None:
    found = aftersales.read_eligibility(told("eligibility.older_list"), "REFUND")
    assert (found.eligible, found.line_ids) == (True, (L1, L2))
    assert aftersales.choose_reason("lost", found.reasons) == "seller_refund_package_lost"


@pytest.mark.parametrize("eligible", [None, "true", 1, 0, "yes", []])
def test_only_a_plain_yes_makes_eligible(eligible: object) -> None:
    entry = {"request_type": "CANCEL", "eligible": eligible}
    found = aftersales.read_eligibility(ok(sku_eligibility=[{"line_item_eligibility": [entry]}]))
    assert (found.eligible, found.why_not) == (False, "not eligible")


def test_an_answer_about_nothing_makes_nothing_eligible() -> None:
    assert not aftersales.read_eligibility(ok(sku_eligibility=[])).eligible
    assert not aftersales.read_eligibility(told("eligibility.cancel"), "REFUND").eligible
    with pytest.raises(Unreadable, match="sku_eligibility"):
        aftersales.read_eligibility(ok())


def test_the_reasons_to_turn_a_request_down_are_read_with_their_words() -> None:
    assert aftersales.read_reject_reasons(told("reject_reasons")) == {
        "seller_reject_apply_product_has_been_packed": "The product has been packed",
        "ecom_reverse_reject_cancel_reason_product_packed": "The product is shipped",
    }


def test_a_refund_is_read_as_it_is_written() -> None:
    money = aftersales.read_refund(told("calculate_refund"))
    assert money == aftersales.Money("19.98", "MYR")


@pytest.mark.parametrize(
    "amount",
    [
        {},
        {"refund_total": "19.98"},
        {"refund_total": "", "currency": "MYR"},
        {"refund_total": "-1", "currency": "MYR"},
        {"refund_total": 19.98, "currency": "MYR"},
        {"refund_total": "19,98", "currency": "MYR"},
        {"refund_total": "1", "currency": "RM5"},
        None,
        "19.98",
    ],
)
def test_what_is_no_amount_of_money_is_unreadable(amount: object) -> None:
    with pytest.raises(Unreadable):
        aftersales.read_refund(ok(order_refund_amount=amount))


def test_the_cancellations_of_an_order_are_a_page_of_the_search() -> None:
    (case,) = tiktok_shop.read_page("cancellations", told("cancellations"), shop()).cases
    assert case.order_id == ORDER


def test_a_request_of_the_newer_flow_is_read_with_its_orders_and_times() -> None:
    page = aftersales_flow.read_aftersales(told("aftersales"))
    (found,) = page.requests
    assert (found.kind, found.id, found.request_id) == (
        "aftersales",
        "4030000000000000110",
        "4030000000000000110",
    )
    assert (found.status, found.order_ids) == ("PENDING_REQUEST_REVIEW", (ORDER,))
    assert (found.created_at, found.updated_at) == (at(1_794_099_000), at(1_794_160_000))
    assert found.deadline == at(1_794_390_000)
    assert (page.next_token, page.unreadable) == ("c2FtcGxlLTM=", ())


def test_a_return_of_the_newer_flow_names_its_request_and_parcel() -> None:
    (found,) = aftersales_flow.read_rma(told("rma")).requests
    assert (found.kind, found.id, found.request_id, found.package_id) == (
        "rma",
        "4030000000000000111",
        "4030000000000000110",
        "1150000000000000190",
    )
    assert (found.status, found.order_ids) == ("RETURN_IN_TRANSIT", (ORDER,))


@pytest.mark.parametrize("row", [{}, {"id": "1"}, {"id": "1", "status": "INIT"}])
def test_a_request_that_can_not_be_read_is_named_and_hides_no_other(row: dict[str, str]) -> None:
    good = {"id": "2", "status": "INIT", "line_items": [{"main_order_id": ORDER}]}
    page = aftersales_flow.read_aftersales(ok(aftersales_requests=[row, good]))
    assert [found.id for found in page.requests] == ["2"]
    assert len(page.unreadable) == 1
    (only,) = page.requests
    assert (only.created_at, only.updated_at, only.deadline) == (None, None, None)


# Stock


def test_stock_is_read_by_warehouse_and_by_totals_where_there_are_no_warehouses() -> None:
    stock = Shelf
    assert inventory.read_inventory(told("search_inventory")) == (
        stock(SKU, PRODUCT, "SCARF", "6950000000000000101", 10, 3),
        stock(SKU, PRODUCT, "SCARF", "6950000000000000102", 2, 0),
        stock(OTHER_SKU, PRODUCT, "MUG", "", 0, 1),
    )
    with pytest.raises(Unreadable, match="inventory"):
        inventory.read_inventory(ok())


def test_a_missing_quantity_is_not_taken_for_none() -> None:
    place = {"warehouse_id": "6", "available_quantity": 5}
    skus = [{"id": "1", "warehouse_inventory": [place]}]
    with pytest.raises(Unreadable, match="committed_quantity"):
        inventory.read_inventory(ok(inventory=[{"product_id": "9", "skus": skus}]))


def test_each_sku_whose_stock_was_not_set_is_told() -> None:
    errors = inventory.read_inventory_errors(told("update_inventory.partly"))
    assert {sku: (e.kind, e.code) for sku, e in errors.items()} == {SKU: (Kind.REFUSED, 12052037)}
