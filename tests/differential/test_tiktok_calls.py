"""Every call we build and every answer we read, held against a client that others wrote."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from shipclock.marketplaces import tiktok_shop as ours
from shipclock.marketplaces.protocol import Call, Keys, Slot
from shipclock.marketplaces.tiktok_shop import (
    aftersales,
    aftersales_flow,
    delivery,
    fulfilment,
    inventory,
    service,
)
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS
from shipclock.ports import HttpRequest
from tests.builders import REAL, T0, sample, samples, shop
from tests.differential.tiktok_client import agree, built, model, parsed, takes_cipher, theirs
from tests.pictures import PDF_FILE, png
from tests.stage import APP_SECRET, HOSTS

KEYS = Keys(APP_SECRET, "TTP_access_1", "TTP_refresh_1")
ORDER, LINE = "576000000000000101", "577000000000000101"
PACKAGE, OTHER = "1150000000000000101", "1150000000000000102"
PROVIDER, NUMBER, CASE = "6610000000000000001", "SYN-000101", "4030000000000000101"
SLOT = Slot(T0, T0 + timedelta(hours=2), available=True)
BY_SELLER = fulfilment.Parcel(NUMBER, PROVIDER)
PICKED_UP = fulfilment.Parcel(handover_method="PICKUP", slot=SLOT)
DROPPED = fulfilment.Parcel(handover_method="DROP_OFF")
FETCHED = fulfilment.Parcel()
PLACE = delivery.Place("US", "IL", "Springfield", "62701")
COLLECTED = delivery.Track("30901", T0, "Collected", NUMBER)
FAILED = delivery.Track(
    "60101", T0, "Nobody there", NUMBER, "R104", "https://proofs.example/1", PLACE
)
WISH = inventory.StockWish("1729000000000000101", "6950000000000000101", 5)


@dataclass(frozen=True, slots=True)
class Case:
    """A call of ours and where theirs is: its area, its operation, ids in the path, the query."""

    call: Call
    area: str
    operation: str
    path: tuple[str, ...] = ()
    query: dict[str, Any] = field(default_factory=dict)
    body: str = ""


def enum(name: str) -> Callable[[str], Any]:
    """A value of one of their enumerations, made when it is needed."""
    return lambda value: model(name)(value)


FULFIL, AFTER, CHAT, PRODUCTS = "fulfillment", "return_and_refund", "customer_service", "products"
CASES: dict[str, Case] = {
    **{
        f"ship_parcel {name}": Case(
            fulfilment.ship_parcel(PACKAGE, parcel),
            FULFIL,
            "ship_package",
            (PACKAGE,),
            body="ShipPackageRequest" if parcel is not FETCHED else "",
        )
        for name, parcel in (
            ("by seller", BY_SELLER),
            ("picked up", PICKED_UP),
            ("dropped", DROPPED),
            ("fetched", FETCHED),
        )
    },
    "ship_parcels": Case(
        fulfilment.ship_parcels({PACKAGE: BY_SELLER, OTHER: PICKED_UP, "3": DROPPED, "4": FETCHED}),
        FULFIL,
        "batch_ship_packages",
        body="BatchShipPackagesRequest",
    ),
    "mark_as_shipped": Case(
        fulfilment.mark_as_shipped(ORDER, [LINE, "2"], NUMBER, PROVIDER),
        FULFIL,
        "mark_package_as_shipped",
        (ORDER,),
        body="MarkPackageAsShippedRequest",
    ),
    "create_package whole": Case(
        fulfilment.create_package(ORDER, "7210000000000000101"),
        FULFIL,
        "create_packages",
        body="CreatePackagesRequest",
    ),
    "create_package part": Case(
        fulfilment.create_package(ORDER, "", [LINE]),
        FULFIL,
        "create_packages",
        body="CreatePackagesRequest",
    ),
    "shipping_services": Case(
        fulfilment.shipping_services(ORDER), FULFIL, "get_eligible_shipping_services", (ORDER,)
    ),
    "shipping_document": Case(
        fulfilment.shipping_document(PACKAGE),
        FULFIL,
        "get_package_shipping_document",
        (PACKAGE,),
        {"document_type": "SHIPPING_LABEL"},
    ),
    "update_order_shipping": Case(
        fulfilment.update_order_shipping(ORDER, NUMBER, PROVIDER),
        FULFIL,
        "update_order_shipping_info",
        (ORDER,),
        body="UpdateOrderShippingInfoRequest",
    ),
    "update_package_shipping": Case(
        fulfilment.update_package_shipping(PACKAGE, NUMBER, PROVIDER),
        FULFIL,
        "update_package_shipping_info",
        (PACKAGE,),
        body="UpdatePackageShippingInfoRequest",
    ),
    "handover": Case(ours.handover(PACKAGE), FULFIL, "get_package_handover_time_slots", (PACKAGE,)),
    **{
        f"deliver {name}": Case(
            delivery.deliver(PACKAGE, *words),
            FULFIL,
            "update_package_delivery_status",
            body="UpdatePackageDeliveryStatusRequest",
        )
        for name, words in (
            ("done", ("DELIVERY_SUCCESS",)),
            ("proved", ("DELIVERY_SUCCESS", "", "IMG", "https://proofs.example/1.png")),
            ("new proof", ("UPDATE_POD", "", "PDF", "https://proofs.example/1.pdf")),
            *((reason, ("DELIVERY_FAILED", reason)) for reason in delivery.FAIL_REASONS),
        )
    },
    "track": Case(
        delivery.track(ORDER, "US", PROVIDER, [COLLECTED, FAILED]),
        FULFIL,
        "tracking_status_update",
        body="TrackingStatusUpdateRequest",
    ),
    **{
        f"eligibility {kind}": Case(
            aftersales.eligibility(ORDER, kind),
            AFTER,
            "get_aftersale_eligibility",
            (ORDER,),
            {
                "initiate_aftersale_user": (
                    enum("GetAftersaleEligibilityInitiateAftersaleUser"),
                    "SELLER",
                ),
                "request_types": (
                    lambda value: [model("GetAftersaleEligibilityRequestTypesItem")(value)],
                    kind,
                ),
            },
        )
        for kind in aftersales.REQUEST_TYPES
    },
    "cancel whole": Case(
        aftersales.cancel(ORDER, "seller_cancel_reason_out_of_stock"),
        AFTER,
        "cancel_order",
        body="CancelOrderRequest",
    ),
    "cancel part": Case(
        aftersales.cancel(ORDER, "seller_cancel_reason_out_of_stock", [LINE]),
        AFTER,
        "cancel_order",
        body="CancelOrderRequest",
    ),
    "cancellations_of": Case(
        aftersales.cancellations_of([ORDER]),
        AFTER,
        "search_cancellations",
        query={
            "page_size": "50",
            "sort_field": (enum("SearchCancellationsSortField"), "update_time"),
            "sort_order": (enum("SearchCancellationsSortOrder"), "ASC"),
        },
        body="SearchCancellationsRequest",
    ),
    "approve_cancellation": Case(
        aftersales.approve_cancellation(CASE, "k1"),
        AFTER,
        "approve_cancellation",
        (CASE,),
        {"idempotency_key": "k1"},
    ),
    "reject_cancellation": Case(
        aftersales.reject_cancellation(CASE, "k1", "packed", "It is on the van."),
        AFTER,
        "reject_cancellation",
        (CASE,),
        {"idempotency_key": "k1"},
        "RejectCancellationRequest",
    ),
    "reject_reasons": Case(
        aftersales.reject_reasons(CASE),
        AFTER,
        "get_reject_reasons",
        query={"return_or_cancel_id": CASE},
    ),
    "calculate_refund": Case(
        aftersales.calculate_refund(ORDER, [LINE], "package_lost"),
        AFTER,
        "calculate_refund",
        body="CalculateRefundRequest",
    ),
    "create_return": Case(
        aftersales.create_return(ORDER, "package_lost", [LINE], "9.99", "MYR", "k2"),
        AFTER,
        "create_return",
        query={"idempotency_key": "k2"},
        body="CreateReturnRequest",
    ),
    "search_aftersales": Case(
        aftersales_flow.search_aftersales(T0, [ORDER], "c2FtcGxl"),
        AFTER,
        "search_aftersales_requests",
        body="SearchAftersalesRequestsRequest",
    ),
    "search_rma": Case(
        aftersales_flow.search_rma(T0, [ORDER], "c2FtcGxl"),
        AFTER,
        "search_return_merchandise_authorizations",
        body="SearchReturnMerchandiseAuthorizationsRequest",
    ),
    "conversation": Case(
        service.conversation("7020000000000000101"),
        CHAT,
        "create_conversation",
        body="CreateConversationRequest",
    ),
    "message": Case(
        service.message("7500000000000000101", 'Your parcel is "late", désolé.'),
        CHAT,
        "send_message",
        ("7500000000000000101",),
        body="SendMessageRequest",
    ),
    "search_inventory": Case(
        inventory.search_inventory(["1729000000000000101"]),
        PRODUCTS,
        "inventory_search",
        body="InventorySearchRequest",
    ),
    "update_inventory": Case(
        inventory.update_inventory("1728000000000000101", [WISH]),
        PRODUCTS,
        "update_inventory",
        ("1728000000000000101",),
        body="UpdateInventoryRequest",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_what_their_client_would_send(name: str) -> None:
    case = CASES[name]
    words = {
        key: found[0](found[1]) if isinstance(found, tuple) else found
        for key, found in case.query.items()
    }
    if case.body:
        words["body"] = parsed(case.body, case.call.body)
    agree(case.call, built(case.area, case.operation, *case.path, **words))
    assert takes_cipher(case.call) is case.call.cipher


OLDER = fulfilment.mark_as_shipped(ORDER, [LINE], NUMBER, PROVIDER, "202309")
IMAGE = delivery.upload_image(png(100, 100), "image/png")
FILE = delivery.upload_file(PDF_FILE, "receipt.pdf")
UPLOADS = {
    "upload_image": (IMAGE, "UploadProofOfDeliveryImageRequest"),
    "upload_file": (FILE, "UploadProofOfDeliveryFileRequest"),
}
EVERY = {
    **{name: case.call for name, case in CASES.items()},
    "mark_as_shipped before": OLDER,
    "upload_image": IMAGE,
    "upload_file": FILE,
    "reread": ours.reread([ORDER, "576000000000000102"]),
    "package": ours.package(PACKAGE),
    **{f"search {name}": ours.search(name, T0, "") for name in ours.SEARCHES},
}


def test_every_endpoint_of_the_table_is_held_against_theirs() -> None:
    assert {call.name for call in EVERY.values()} == ENDPOINTS.keys() - {"providers"}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_version_is_the_newest_that_they_know(name: str) -> None:
    version, template = ENDPOINTS[name]
    known = {operation["path"] for operation in theirs("generated._meta").OPERATIONS}
    assert template.replace("{version}", version) in known


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_has_the_parts_that_their_form_has(name: str) -> None:
    call, known = UPLOADS[name]
    assert call.upload is not None
    form = model(known).from_dict({"data": call.upload.data, **call.upload.fields})
    request = built(FULFIL, f"upload_proof_of_delivery_{name[7:]}", body=form)
    assert (call.method.lower(), call.path) == (request["method"], request["url"])
    sent = {part.get_param("name", header="content-disposition"): part for part in form_of(call)}
    assert sent.keys() == {field_name for field_name, _ in request["files"]}
    assert sent["data"].get_payload(decode=True) == call.upload.data
    assert takes_cipher(call)


def signed(call: Call) -> HttpRequest:
    return ours.sign(call, shop(), KEYS, HOSTS, REAL)


def form_of(call: Call) -> list[Any]:
    request = signed(call)
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    return list(message_from_bytes(head + request.body, policy=policy.HTTP).iter_parts())


@pytest.mark.parametrize("name", EVERY)
def test_a_request_bears_the_signature_that_their_signer_gives_it(name: str) -> None:
    request = signed(EVERY[name])
    parts = urlsplit(request.url)
    query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)
    expected = theirs("signing").Signer.sign(
        path=parts.path,
        query=query,
        content_type=request.headers["content-type"],
        body=request.body,
        app_secret=APP_SECRET,
    )
    assert dict(query)["sign"] == expected
    assert ("shop_cipher" in dict(query)) is EVERY[name].cipher


def test_no_call_sends_an_empty_object_which_signers_disagree_about() -> None:
    for call in EVERY.values():
        assert call.body is None or call.body


def test_the_one_event_time_in_milliseconds_is_one_in_theirs_too() -> None:
    at = datetime(2026, 11, 1, 2, 0, 0, 999_999, UTC)
    call = delivery.track(ORDER, "US", PROVIDER, [delivery.Track("50101", at, "Done", NUMBER)])
    (told,) = parsed("TrackingStatusUpdateRequest", call.body).tracks
    assert told.occur_time == 1_793_498_400_999


# Answers


ANSWERS = {
    "orders": "GetOrderDetailResponse",
    "package": "GetPackageDetailResponse",
    "cancellations": "SearchCancellationsResponse",
    "returns": "SearchReturnsResponse",
    "providers": "GetShippingProvidersResponse",
    "ship": "BatchShipPackagesResponse",
    "ship_packages": "BatchShipPackagesResponse",
    "mark_as_shipped": "MarkPackageAsShippedResponse",
    "handover": "GetPackageHandoverTimeSlotsResponse",
    "create_package": "CreatePackagesResponse",
    "shipping_services": "GetEligibleShippingServicesResponse",
    "shipping_document": "GetPackageShippingDocumentResponse",
    "update_order_shipping": "UpdateOrderShippingInfoResponse",
    "update_package_shipping": "UpdatePackageShippingInfoResponse",
    "deliver": "UpdatePackageDeliveryStatusResponse",
    "upload_image": "UploadProofOfDeliveryImageResponse",
    "upload_file": "UploadProofOfDeliveryFileResponse",
    "track": "TrackingStatusUpdateResponse",
    "eligibility": "GetAftersaleEligibilityResponse",
    "cancel": "CancelOrderResponse",
    "approve_cancellation": "ApproveCancellationResponse",
    "reject_cancellation": "RejectCancellationResponse",
    "reject_reasons": "GetRejectReasonsResponse",
    "calculate_refund": "CalculateRefundResponse",
    "create_return": "CreateReturnResponse",
    "aftersales": "SearchAftersalesRequestsResponse",
    "rma": "SearchReturnMerchandiseAuthorizationsResponse",
    "conversation": "CreateConversationResponse",
    "message": "SendMessageResponse",
    "search_inventory": "InventorySearchResponse",
    "update_inventory": "UpdateInventoryResponse",
}
ANSWER_SAMPLES = [path for path in samples("tiktok/answers") if not path.endswith("tokens.json")]


@pytest.mark.parametrize("path", ANSWER_SAMPLES)
def test_our_samples_of_answers_are_of_the_shape_they_know(path: str) -> None:
    name = path.rpartition("/")[2].split(".")[0]
    paged = path.endswith("orders.page.json")
    parsed("GetOrderListResponse" if paged else ANSWERS[name], sample(path))


def test_every_answer_has_a_sample() -> None:
    names = {path.rpartition("/")[2].split(".")[0] for path in ANSWER_SAMPLES}
    assert names == ANSWERS.keys()


@pytest.mark.parametrize(
    ("name", "read"),
    [
        (
            "GetEligibleShippingServicesResponseDataShippingService",
            "id name price currency is_default shipping_provider_id shipping_provider_name "
            "earliest_delivery_days latest_delivery_days",
        ),
        ("GetPackageShippingDocumentResponseData", "doc_url tracking_number"),
        ("CreatePackagesResponseData", "package_id"),
        ("BatchShipPackagesResponseDataError", "code message detail"),
        ("BatchShipPackagesResponseDataErrorDetail", "package_id"),
        ("UploadProofOfDeliveryImageResponseData", "url"),
        ("UploadProofOfDeliveryFileResponseData", "url"),
        (
            "TrackingStatusUpdateResponseDataTrackResult",
            "action_code occur_time tracking_no code message",
        ),
        (
            "GetAftersaleEligibilityResponseDataSkuEligibilityLineItemEligibility",
            "request_type eligible available_reason_names order_line_list order_line_items_ids "
            "ineligible_code ineligible_reason",
        ),
        ("CancelOrderResponseData", "cancel_id"),
        ("GetRejectReasonsResponseDataReason", "name text"),
        ("CalculateRefundResponseDataOrderRefundAmount", "refund_total currency"),
        ("CreateReturnResponseData", "return_id"),
        (
            "SearchAftersalesRequestsResponseDataAftersalesRequest",
            "id status line_items sku_return_requests",
        ),
        (
            "SearchReturnMerchandiseAuthorizationsResponseDataReturnMerchandiseAuthorization",
            "id status line_items sku_return_requests package_id aftersales_request_id",
        ),
        (
            "SkuReturnRequest",
            "order_id create_time update_time seller_next_action_response",
        ),
        ("LineItem", "main_order_id"),
        ("SellerNextActionResponse", "deadline"),
        ("CreateConversationResponseData", "conversation_id"),
        ("SendMessageResponseData", "message_id"),
        (
            "InventorySearchResponseDataInventorySku",
            "id seller_sku warehouse_inventory total_available_quantity total_committed_quantity",
        ),
        (
            "InventorySearchResponseDataInventorySkuWarehouseInventory",
            "warehouse_id available_quantity committed_quantity",
        ),
        ("UpdateInventoryResponseDataErrorDetail", "sku_id"),
    ],
)
def test_every_field_we_read_is_one_that_they_know(name: str, read: str) -> None:
    known = {f.name.rstrip("_") for f in model(name).__attrs_attrs__}
    assert set(read.split()) <= known
