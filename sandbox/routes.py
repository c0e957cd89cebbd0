"""The calls this marketplace answers, one entry each; anything else is 36009009 or 36009010.

Versions are pinned as the pages of October 2026 list them; both bodies of Mark Package As Shipped
are kept, under their own versions, and so are both of sending a message. Scopes are those of the
pages' own tables. By area: shops and tokens, orders, packages and labels, delivery by the seller,
cancellations and refunds, carriers, stock, talk with buyers, webhooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox import (
    cancelling,
    cases,
    composition,
    decisions,
    delivery,
    edits,
    eligibility,
    files,
    handover,
    labels,
    messages,
    once,
    paging,
    reading,
    refunds,
    returns,
    shipping,
    stock,
    subscriptions,
    warehouses,
)
from sandbox.gate import Asked, Route
from sandbox.shape import Shape
from sandbox.world import World

Act = Callable[[World, Asked], dict[str, object]]

_SHOPS = "seller.authorization.info"
_ORDERS = "seller.order.info"
_PACKAGES = "seller.fulfillment.basic"
_PACKAGES_WRITE = "seller.fulfillment.package.write"
_DELIVERY = "seller.delivery.status.write"
_LOGISTICS = "seller.logistics"
_AFTERSALE = "seller.return_refund.basic"
_CHAT = "seller.customer_service"
_PRODUCTS = "seller.product.basic"
_PRODUCTS_WRITE = "seller.product.write"


def _at(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([0-9A-Za-z_-]{1,64})", path))


def _token_get(world: World, asked: Asked) -> dict[str, object]:
    return world.keyring.exchange(asked.query)


def _token_refresh(world: World, asked: Asked) -> dict[str, object]:
    return world.keyring.refresh(asked.query)


def _get(
    path: str, act: Act, scope: str, query: tuple[str, ...] = (), *, cipher: bool = True
) -> Route:
    return Route("GET", _at(path), act, scope, query, cipher=cipher)


def _post(
    path: str,
    act: Act,
    scope: str,
    body: Shape,
    query: tuple[str, ...] = (),
    *,
    needed: bool = True,
) -> Route:
    """`needed`: whether the body must be there at all."""
    return Route("POST", _at(path), act, scope, query, body, body_needed=needed)


def _token(path: str, act: Act, credential: str) -> Route:
    query = ("app_key!", "app_secret!", "grant_type!", credential)
    return Route("GET", _at(path), act, "", query, signed=False)


def _upload(path: str, act: Act, fields: tuple[str, ...] = ()) -> Route:
    return Route("POST", _at(path), act, _DELIVERY, form=fields)


_RR = "/return_refund"
_FF = "/fulfillment"
_PACKAGE = f"{_FF}/202309/packages/{{package_id}}"
_ORDER = f"{_FF}/202309/orders/{{order_id}}"
_CANCEL = f"{_RR}/202309/cancellations/{{cancel_id}}"
_RETURN = f"{_RR}/202309/returns/{{return_id}}"
_OPTION = "/logistics/202309/delivery_options/{delivery_option_id}"
_STOCK = "/product/202309"
_CS = "/customer_service"
_TALK = "conversations/{conversation_id}/messages"
_HOOKS = _at("/event/202309/webhooks")
_DECIDED = "return_or_cancel_id!"

_TOKENS = (
    _token("/api/v2/token/get", _token_get, "auth_code!"),
    _token("/api/v2/token/refresh", _token_refresh, "refresh_token!"),
    _get("/authorization/202309/shops", reading.authorised_shops, _SHOPS, cipher=False),
)
_READING = (
    _get("/order/202507/orders", reading.order_detail, _ORDERS, ("ids!",)),
    _post(
        "/order/202309/orders/search",
        reading.order_list,
        _ORDERS,
        reading.ORDER_FILTERS,
        paging.QUERY,
        needed=False,
    ),
    _get(_PACKAGE, reading.package_detail, _PACKAGES),
    _post(
        f"{_FF}/202309/packages/search",
        reading.package_search,
        _PACKAGES,
        reading.PACKAGE_FILTERS,
        ("page_size!", *paging.QUERY[1:]),
        needed=False,
    ),
    _get(f"{_ORDER}/tracking", reading.order_tracking, _LOGISTICS),
    _get(
        f"{_OPTION}/shipping_providers",
        reading.shipping_providers,
        _LOGISTICS,
        ("warehouse_region", "buyer_region"),
    ),
    _get("/logistics/202309/warehouses", warehouses.warehouse_list, _LOGISTICS),
    _get(
        "/logistics/202309/warehouses/{warehouse_id}/delivery_options",
        warehouses.delivery_options,
        _LOGISTICS,
    ),
)
_SHIPPING = (
    _get(f"{_PACKAGE}/handover_time_slots", handover.handover_time_slots, _PACKAGES_WRITE),
    # A package that TikTok ships may be handed over without a word: the body may be missing.
    _post(f"{_PACKAGE}/ship", shipping.ship_package, _PACKAGES, shipping.SHIP_BODY, needed=False),
    _post(f"{_FF}/202309/packages/ship", shipping.ship_packages, _PACKAGES, shipping.BATCH_BODY),
    _post(
        f"{_FF}/202610/orders/{{order_id}}/packages",
        shipping.mark_202610,
        _PACKAGES,
        shipping.MARK_BODY_202610,
    ),
    _post(f"{_ORDER}/packages", shipping.mark_202309, _PACKAGES, shipping.MARK_BODY_202309),
    _post(f"{_ORDER}/shipping_info/update", edits.update_order, _LOGISTICS, edits.ORDER_BODY),
    _post(
        f"{_FF}/202610/packages/{{package_id}}/shipping_info/update",
        edits.update_package,
        _LOGISTICS,
        edits.PACKAGE_BODY,
    ),
)
_LABELS = (
    _post(f"{_FF}/202512/packages", labels.create_packages, _PACKAGES, labels.CREATE_BODY),
    _post(
        f"{_ORDER}/shipping_services/query",
        labels.shipping_services,
        _PACKAGES,
        labels.SERVICES_BODY,
        needed=False,
    ),
    _get(
        f"{_PACKAGE}/shipping_documents",
        labels.shipping_document,
        _PACKAGES,
        labels.DOCUMENT_QUERY,
    ),
)
_COMPOSITION = (
    _get(
        f"{_FF}/202309/orders/split_attributes",
        composition.split_attributes,
        _PACKAGES_WRITE,
        ("order_ids!",),
    ),
    _post(f"{_ORDER}/split", composition.split, _PACKAGES_WRITE, composition.SPLIT_BODY),
    _get(
        f"{_FF}/202309/combinable_packages/search",
        composition.combinable,
        _PACKAGES_WRITE,
        composition.COMBINABLE_QUERY,
    ),
    _post(
        f"{_FF}/202309/packages/combine",
        composition.combine,
        _PACKAGES_WRITE,
        composition.COMBINE_BODY,
    ),
    _post(
        f"{_PACKAGE}/uncombine",
        composition.uncombine,
        _PACKAGES_WRITE,
        composition.UNCOMBINE_BODY,
        needed=False,
    ),
)
_DELIVERING = (
    _upload(f"{_FF}/202309/images/upload", files.upload_image),
    _upload(f"{_FF}/202309/files/upload", files.upload_file, ("name",)),
    _post(f"{_FF}/202309/packages/deliver", delivery.deliver, _DELIVERY, delivery.DELIVER_BODY),
    _post(
        f"{_FF}/202609/order/sof/track/update",
        delivery.update_tracks,
        _DELIVERY,
        delivery.TRACK_BODY,
    ),
)
_CANCELLING = (
    _get(
        f"{_RR}/202602/orders/{{order_id}}/aftersale_eligibility",
        eligibility.aftersale_eligibility,
        _AFTERSALE,
        ("initiate_aftersale_user!", "request_types"),
    ),
    _post(
        f"{_RR}/202602/cancellations", cancelling.cancel_order, _AFTERSALE, cancelling.CANCEL_BODY
    ),
    _post(
        f"{_RR}/202602/cancellations/search",
        cases.cancellations,
        _AFTERSALE,
        cases.CANCELLATION_FILTERS,
        paging.QUERY,
        needed=False,
    ),
    _post(f"{_CANCEL}/approve", cancelling.approve, _AFTERSALE, {}, once.QUERY, needed=False),
    _post(f"{_CANCEL}/reject", cancelling.reject, _AFTERSALE, cancelling.REJECT_BODY, once.QUERY),
    _get(
        f"{_RR}/202309/reject_reasons",
        decisions.reject_reasons,
        _AFTERSALE,
        (_DECIDED, "locale"),
    ),
    _get(
        f"{_RR}/202601/decision_eligibility",
        decisions.decision_eligibility,
        _AFTERSALE,
        (_DECIDED, "check_decisions", "locale"),
    ),
)
_REFUNDING = (
    _post(
        f"{_RR}/202602/returns", refunds.create_return, _AFTERSALE, refunds.CREATE_BODY, once.QUERY
    ),
    _post(f"{_RETURN}/approve", returns.approve, _AFTERSALE, returns.APPROVE_BODY, once.QUERY),
    _post(
        f"{_RR}/202606/returns/{{return_id}}/reject",
        returns.reject,
        _AFTERSALE,
        returns.REJECT_BODY,
        once.QUERY,
    ),
    _post(f"{_RR}/202602/refunds/calculate", refunds.calculate, _AFTERSALE, refunds.CALCULATE_BODY),
    _post(
        f"{_RR}/202602/returns/search",
        cases.returns,
        _AFTERSALE,
        cases.RETURN_FILTERS,
        paging.QUERY,
        needed=False,
    ),
)
_STOCKING = (
    _post(f"{_STOCK}/inventory/search", stock.search, _PRODUCTS, stock.SEARCH_BODY),
    _post(
        f"{_STOCK}/products/{{product_id}}/inventory/update",
        stock.update,
        _PRODUCTS_WRITE,
        stock.UPDATE_BODY,
    ),
)
_TALKING = (
    _post(f"{_CS}/202309/conversations", messages.create_conversation, _CHAT, messages.CREATE_BODY),
    _post(f"{_CS}/202606/{_TALK}", messages.send_message, _CHAT, messages.BODY_202606),
    _post(f"{_CS}/202309/{_TALK}", messages.send_message, _CHAT, messages.BODY_202309),
    _get(f"{_CS}/202309/{_TALK}", messages.read_messages, _CHAT, messages.READ_QUERY),
)
_WEBHOOKS = (
    Route("PUT", _HOOKS, subscriptions.put, _SHOPS, body=subscriptions.PUT_BODY),
    Route("GET", _HOOKS, subscriptions.get, _SHOPS),
    Route("DELETE", _HOOKS, subscriptions.delete, _SHOPS, body=subscriptions.DELETE_BODY),
)

ROUTES: tuple[Route, ...] = (
    *_TOKENS,
    *_READING,
    *_SHIPPING,
    *_LABELS,
    *_COMPOSITION,
    *_DELIVERING,
    *_CANCELLING,
    *_REFUNDING,
    *_STOCKING,
    *_TALKING,
    *_WEBHOOKS,
)
