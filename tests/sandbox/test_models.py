"""Bodies and answers held against models that others generated from the marketplace's pages.

PyPI `tiktok-shop-api`. Its models take seconds to load, so they are loaded when first needed.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import import_module
from typing import Any

import pytest

from sandbox import (
    Sandbox,
    cancelling,
    cases,
    composition,
    delivery,
    edits,
    labels,
    messages,
    reading,
    refunds,
    returns,
    shipping,
    stock,
)
from sandbox.shops import EVERY_SCOPE
from tests.sandbox.bench import START, Bench, bench, tracking

THEIRS = "tiktok_shop_api.generated"


@cache
def model(name: str) -> Any:
    return getattr(import_module(f"{THEIRS}.models"), name)


def attributes(value: Any) -> list[str]:
    return [a.name for a in type(value).__attrs_attrs__ if a.name != "additional_properties"]


def unknown(value: Any, where: str = "") -> list[str]:
    """Every field at any depth that their model does not know."""
    if isinstance(value, list):
        return [f for n, item in enumerate(value) for f in unknown(item, f"{where}[{n}]")]
    if not hasattr(type(value), "__attrs_attrs__"):
        return []
    found = [f"{where}.{name}" for name in getattr(value, "additional_properties", {})]
    for name in attributes(value):
        found += unknown(getattr(value, name), f"{where}.{name}")
    return found


def unset(value: Any, where: str = "") -> list[str]:
    """Every field at any depth that their model has and the body has not."""
    if isinstance(value, list):
        return [f for item in value for f in unset(item, where)]
    if not hasattr(type(value), "__attrs_attrs__"):
        return []
    found: list[str] = []
    for name in attributes(value):
        inner = getattr(value, name)
        if type(inner).__name__ == "Unset":
            found.append(f"{where}.{name}")
        found += unset(inner, f"{where}.{name}")
    return found


def example(shape: Any) -> Any:
    """A value of a shape that has every name the shape has."""
    if isinstance(shape, dict):
        return {name.rstrip("!"): example(inner) for name, inner in shape.items()}
    if isinstance(shape, list):
        return [example(shape[0])]
    if isinstance(shape, tuple):
        return shape[0]
    return {str: "1", int: 1, bool: True}[shape]


@pytest.mark.parametrize(
    ("shape", "name", "left_out"),
    [
        (shipping.BATCH_BODY, "BatchShipPackagesRequest", set()),
        (shipping.MARK_BODY_202610, "MarkPackageAsShippedRequest", set()),
        (cancelling.CANCEL_BODY, "CancelOrderRequest", set()),
        (cancelling.REJECT_BODY, "RejectCancellationRequest", set()),
        (refunds.CREATE_BODY, "CreateReturnRequest", set()),
        (refunds.CALCULATE_BODY, "CalculateRefundRequest", set()),
        (returns.APPROVE_BODY, "ApproveReturnRequest", set()),
        (returns.REJECT_BODY, "RejectReturnRequest", set()),
        (edits.ORDER_BODY, "UpdateOrderShippingInfoRequest", set()),
        (edits.PACKAGE_BODY, "UpdatePackageShippingInfoRequest", set()),
        (delivery.DELIVER_BODY, "UpdatePackageDeliveryStatusRequest", set()),
        (delivery.TRACK_BODY, "TrackingStatusUpdateRequest", set()),
        (labels.CREATE_BODY, "CreatePackagesRequest", set()),
        (labels.SERVICES_BODY, "GetEligibleShippingServicesRequest", set()),
        (composition.SPLIT_BODY, "ConfirmOrderSplitRequest", set()),
        (composition.COMBINE_BODY, "CombinePackageRequest", set()),
        (composition.UNCOMBINE_BODY, "UncombinePackagesRequest", set()),
        (reading.PACKAGE_FILTERS, "SearchPackageRequest", set()),
        (cases.CANCELLATION_FILTERS, "SearchCancellationsRequest", {"cancel_status"}),
        (stock.SEARCH_BODY, "InventorySearchRequest", set()),
        (stock.UPDATE_BODY, "UpdateInventoryRequest", set()),
        (messages.CREATE_BODY, "CreateConversationRequest", set()),
        (messages.BODY_202606, "SendMessageRequest", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_has_the_names_of_the_pages(shape: Any, name: str, left_out: set[str]) -> None:
    body = {n: v for n, v in example(shape).items() if n not in left_out}
    found = model(name).from_dict(body)
    assert unknown(found) == []
    assert unset(found) == [f".{each}" for each in sorted(left_out)]


def held(name: str, answer: Any) -> Any:
    """The answer's data, whose every name the model must know."""
    assert answer.code == 0, answer.message
    told = json.loads(answer.reply.body)
    assert unknown(model(name).from_dict(told)) == []
    return answer.data


def ready(market: str, **wish: Any) -> tuple[Bench, str]:
    b = bench(market)
    b.shop.scopes = EVERY_SCOPE
    b.shop.own_fleet = b.shop.own_tracks = True
    return b, b.sandbox.add_order(b.shop.shop_id, **wish)


def test_answers_about_cancelling_and_refunds() -> None:
    b, order_id = ready("US", items={"MUG-BLUE": 2})
    rr = "/return_refund"
    where = f"{rr}/202602/orders/{order_id}/aftersale_eligibility"
    held("GetAftersaleEligibilityResponse", b.client.get(where, initiate_aftersale_user="SELLER"))
    cancel_id = b.sandbox.request_cancel(order_id)
    asked = {"return_or_cancel_id": cancel_id}
    held("GetRejectReasonsResponse", b.client.get(f"{rr}/202309/reject_reasons", **asked))
    held(
        "GetDecisionEligibilityResponse", b.client.get(f"{rr}/202601/decision_eligibility", **asked)
    )
    held("SearchCancellationsResponse", b.client.post(f"{rr}/202602/cancellations/search"))
    reject = {"reject_reason": "seller_reject_apply_product_has_been_packed"}
    where = f"{rr}/202309/cancellations/{cancel_id}"
    held("RejectCancellationResponse", b.client.post(f"{where}/reject", reject))
    other = b.sandbox.request_cancel(b.sandbox.add_order(b.shop.shop_id))
    where = f"{rr}/202309/cancellations/{other}/approve"
    held("ApproveCancellationResponse", b.client.post(where))
    body: dict[str, Any] = {"cancel_reason": "seller_cancel_reason_out_of_stock"}
    third = b.sandbox.add_order(b.shop.shop_id)
    told = b.client.post(f"{rr}/202602/cancellations", body | {"order_id": third})
    held("CancelOrderResponse", told)
    b.client.mark(order_id)
    reason = "seller_refund_reason_package_lost"
    body = {"order_id": order_id, "request_type": "REFUND", "reason_name": reason}
    held("CalculateRefundResponse", b.client.post(f"{rr}/202602/refunds/calculate", body))
    body = {"order_id": order_id, "return_type": "REFUND", "return_reason": reason}
    held("CreateReturnResponse", b.client.post(f"{rr}/202602/returns", body))
    held("SearchReturnsResponse", b.client.post(f"{rr}/202602/returns/search"))


def test_answers_about_packages() -> None:
    b, order_id = ready("MY")
    ff = "/fulfillment/202309"
    twin = b.sandbox.add_order(b.shop.shop_id)
    told = b.client.get(f"{ff}/combinable_packages/search", page_size=5)
    rows = held("SearchCombinablePackagesResponse", told)["combinable_packages"]
    both = {"combinable_packages": [{"id": row["id"]} for row in rows]}
    made = held("CombinePackageResponse", b.client.post(f"{ff}/packages/combine", both))
    where = f"{ff}/packages/{made['packages'][0]['id']}/uncombine"
    held("UncombinePackagesResponse", b.client.post(where))
    package_id = b.client.package_of(order_id)
    batch = [{"id": package_id, "self_shipment": tracking()}, {"id": "115"}]
    told = b.client.post(f"{ff}/packages/ship", {"packages": batch})
    assert len(held("BatchShipPackagesResponse", told)["errors"]) == 1
    where = f"{ff}/orders/{order_id}/shipping_info/update"
    held("UpdateOrderShippingInfoResponse", b.client.post(where, tracking("SYN-TRK-2")))
    b.client.ship(twin, "SYN-TRK-3")
    where = f"/fulfillment/202610/packages/{b.client.package_of(twin)}/shipping_info/update"
    info = {"shipping_info_list": [tracking("SYN-TRK-4")]}
    held("UpdatePackageShippingInfoResponse", b.client.post(where, info))
    reports = [{"id": each, "delivery_type": "DELIVERY_SUCCESS"} for each in (package_id, "115")]
    told = b.client.post(f"{ff}/packages/deliver", {"packages": reports})
    assert len(held("UpdatePackageDeliveryStatusResponse", told)["errors"]) == 1
    held("GetOrderTrackingResponse", b.client.get(f"{ff}/orders/{order_id}/tracking"))
    held("SearchPackageResponse", b.client.post(f"{ff}/packages/search", page_size=5))
    where = "/logistics/202309/warehouses"
    held("GetWarehouseListResponse", b.client.get(where))
    told = b.client.get(f"{where}/6950000000000000001/delivery_options")
    held("GetWarehouseDeliveryOptionsResponse", told)


def test_answers_about_splitting_labels_and_tracks() -> None:
    b, order_id = ready("US", shipping_type="TIKTOK", items={"MUG-BLUE": 2})
    ff = "/fulfillment/202309"
    told = b.client.get(f"{ff}/orders/split_attributes", order_ids=order_id)
    held("GetOrderSplitAttributesResponse", told)
    lines = [line["id"] for line in b.client.read(order_id)[0]["line_items"]]
    groups = [{"id": each, "order_line_item_ids": [each]} for each in lines]
    told = b.client.post(f"{ff}/orders/{order_id}/split", {"splittable_groups": groups})
    held("ConfirmOrderSplitResponse", told)
    told = b.client.post(f"{ff}/orders/{order_id}/shipping_services/query")
    held("GetEligibleShippingServicesResponse", told)
    part = [{"order_line_id": lines[0]}]
    body = {"ship_type": "2", "order_id": order_id, "order_line_item": part}
    told = b.client.post("/fulfillment/202512/packages", body)
    package_id = held("CreatePackagesResponse", told)["package_id"]
    where = f"{ff}/packages/{package_id}/shipping_documents"
    told = b.client.get(where, document_type="SHIPPING_LABEL")
    held("GetPackageShippingDocumentResponse", told)
    own = b.sandbox.add_order(b.shop.shop_id)
    b.client.mark(own)
    track = {"action_code": 30901, "occur_time": START * 1000, "description": "seen"}
    body = {
        "country": "US",
        "order_id": own,
        "provider_id": "6610000000000000001",
        "tracks": [track | {"tracking_no": number} for number in ("SYN-TRK-000001", "X")],
    }
    told = b.client.post("/fulfillment/202609/order/sof/track/update", body)
    held("TrackingStatusUpdateResponse", told)


def test_answers_about_stock_and_messages() -> None:
    b, order_id = ready("MY")
    sku_id = b.sandbox.set_stock(b.shop.shop_id, "MUG-BLUE", {"69": 3})
    where = "/product/202309/inventory/search"
    held("InventorySearchResponse", b.client.post(where, {"sku_ids": [sku_id]}))
    where = f"/product/202309/products/{sku_id[:-1]}1/inventory/update"
    body = {"skus": [{"id": sku_id, "inventory": [{"warehouse_id": "69", "quantity": 0}]}]}
    assert held("UpdateInventoryResponse", b.client.post(where, body))["errors"]
    cs = "/customer_service"
    buyer = {"buyer_user_id": b.client.read(order_id)[0]["user_id"]}
    told = b.client.post(f"{cs}/202309/conversations", buyer)
    talk = held("CreateConversationResponse", told)["conversation_id"]
    message = {"type": "TEXT", "content": '{"content":"Hello"}'}
    told = b.client.post(f"{cs}/202606/conversations/{talk}/messages", message)
    held("SendMessageResponse", told)
    told = b.client.get(f"{cs}/202309/conversations/{talk}/messages", page_size=5)
    held("GetConversationMessagesResponse", told)


WEBHOOKS = {
    1: "OrderStatusChangeWebhook",
    3: "RecipientAddressUpdateWebhook",
    6: "SellerDeauthorizationWebhook",
    7: "UpcomingAuthorizationExpirationWebhook",
    11: "CancellationStatusChangeWebhook",
    12: "ReturnStatusChangeWebhook",
    13: "NewConversationWebhook",
    14: "NewMessageWebhook",
    27: "InventoryStatusChangeWebhook",
    36: "InvoiceStatusChangeWebhook",
    64: "AftersalesRequestStatusUpdateWebhook",
    65: "RMAStatusUpdateWebhook",
    67: "RefundSuccessWebhook",
    71: "InventoryChangedByShopWebhook",
}


def told_all(sandbox: Sandbox) -> list[Any]:
    return [json.loads(hook.body) for hook in sandbox.take_webhooks()]


def test_webhooks_have_the_names_of_the_pages() -> None:
    b, order_id = ready("BR", needs_invoice=True)
    sandbox, shop_id = b.sandbox, b.shop.shop_id
    sandbox.change_address(order_id, name="Kim Example")
    sandbox.invoice(order_id, "INVALID", "NOT_FOUND")
    sandbox.invoice(order_id, "SUCCESS")
    sandbox.set_stock(shop_id, "TEA-GREEN", {"69": 9})
    sandbox.set_stock(shop_id, "TEA-GREEN", {"69": 0})
    sandbox.request_cancel(sandbox.add_order(shop_id))
    b.client.ship(order_id)
    return_id = sandbox.open_return(order_id)
    sandbox.aftersales_update(return_id, "PENDING_REQUEST_REVIEW")
    sandbox.rma_update(return_id, "INIT")
    sandbox.refund(return_id)
    sandbox.buyer_says(shop_id, "702", "Hello")
    sandbox.warn_of_expiry(shop_id)
    sandbox.revoke(shop_id)
    hooks = told_all(sandbox)
    assert {hook["type"] for hook in hooks} == set(WEBHOOKS)
    for hook in hooks:
        assert unknown(model(WEBHOOKS[hook["type"]]).from_dict(hook)) == []
