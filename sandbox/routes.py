"""The calls this marketplace answers, one entry each; anything else is 36009009 or 36009010.

Versions are pinned as the pages of October 2026 list them; both bodies of Mark Package As Shipped
are kept, under their own versions, and so are both of sending a message. Scopes are those of the
pages' own tables. By area: shops and tokens, orders, packages and labels, delivery by the seller,
cancellations and refunds, carriers, stock, talk with buyers, webhooks.
"""

from __future__ import annotations

import re

from sandbox import (
    cancelling,
    eligibility,
    once,
    paging,
    reading,
    refunds,
    shipping,
    stock,
    subscriptions,
)
from sandbox.gate import Asked, Route
from sandbox.world import World

_SHOPS = "seller.authorization.info"
_ORDERS = "seller.order.info"
_PACKAGES = "seller.fulfillment.basic"
_PACKAGES_WRITE = "seller.fulfillment.package.write"
_DELIVERY = "seller.delivery.status.write"
_LOGISTICS = "seller.logistics"
_AFTERSALE = "seller.return_refund.basic"
_PRODUCTS = "seller.product.basic"
_PRODUCTS_WRITE = "seller.product.write"


def _at(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([0-9A-Za-z_-]{1,64})", path))


def _token_get(world: World, asked: Asked) -> dict[str, object]:
    return world.keyring.exchange(asked.query)


def _token_refresh(world: World, asked: Asked) -> dict[str, object]:
    return world.keyring.refresh(asked.query)


_APP = ("app_key!", "app_secret!", "grant_type!")
_RR = "/return_refund"
_FF = "/fulfillment"
_HOOKS = _at("/event/202309/webhooks")

_TOKENS = (
    Route("GET", _at("/api/v2/token/get"), _token_get, "", (*_APP, "auth_code!"), signed=False),
    Route(
        "GET",
        _at("/api/v2/token/refresh"),
        _token_refresh,
        "",
        (*_APP, "refresh_token!"),
        signed=False,
    ),
    Route(
        "GET", _at("/authorization/202309/shops"), reading.authorised_shops, _SHOPS, cipher=False
    ),
)
_READING = (
    Route("GET", _at("/order/202507/orders"), reading.order_detail, _ORDERS, ("ids!",)),
    Route(
        "POST",
        _at("/order/202309/orders/search"),
        reading.order_list,
        _ORDERS,
        paging.QUERY,
        reading.ORDER_FILTERS,
        body_needed=False,
    ),
    Route("GET", _at(f"{_FF}/202309/packages/{{package_id}}"), reading.package_detail, _PACKAGES),
    Route(
        "GET",
        _at("/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers"),
        reading.shipping_providers,
        _LOGISTICS,
        ("warehouse_region", "buyer_region"),
    ),
)
_SHIPPING = (
    Route(
        "GET",
        _at(f"{_FF}/202309/packages/{{package_id}}/handover_time_slots"),
        shipping.handover_time_slots,
        _PACKAGES_WRITE,
    ),
    # A package that TikTok ships may be handed over without a word: the body may be missing.
    Route(
        "POST",
        _at(f"{_FF}/202309/packages/{{package_id}}/ship"),
        shipping.ship_package,
        _PACKAGES,
        body=shipping.SHIP_BODY,
        body_needed=False,
    ),
    Route(
        "POST",
        _at(f"{_FF}/202309/packages/ship"),
        shipping.ship_packages,
        _PACKAGES,
        body=shipping.BATCH_BODY,
    ),
    Route(
        "POST",
        _at(f"{_FF}/202610/orders/{{order_id}}/packages"),
        shipping.mark_202610,
        _PACKAGES,
        body=shipping.MARK_BODY_202610,
    ),
    Route(
        "POST",
        _at(f"{_FF}/202309/orders/{{order_id}}/packages"),
        shipping.mark_202309,
        _PACKAGES,
        body=shipping.MARK_BODY_202309,
    ),
)
_AFTERSALES = (
    Route(
        "GET",
        _at(f"{_RR}/202602/orders/{{order_id}}/aftersale_eligibility"),
        eligibility.aftersale_eligibility,
        _AFTERSALE,
        ("initiate_aftersale_user!", "request_types"),
    ),
    Route(
        "POST",
        _at(f"{_RR}/202602/cancellations"),
        cancelling.cancel_order,
        _AFTERSALE,
        body=cancelling.CANCEL_BODY,
    ),
    Route(
        "POST",
        _at(f"{_RR}/202602/cancellations/search"),
        reading.cancellations,
        _AFTERSALE,
        paging.QUERY,
        reading.CANCELLATION_FILTERS,
        body_needed=False,
    ),
    Route(
        "POST",
        _at(f"{_RR}/202309/cancellations/{{cancel_id}}/approve"),
        cancelling.approve,
        _AFTERSALE,
        once.QUERY,
        {},
        body_needed=False,
    ),
    Route(
        "POST",
        _at(f"{_RR}/202309/cancellations/{{cancel_id}}/reject"),
        cancelling.reject,
        _AFTERSALE,
        once.QUERY,
        cancelling.REJECT_BODY,
    ),
    Route(
        "GET",
        _at(f"{_RR}/202309/reject_reasons"),
        cancelling.reject_reasons,
        _AFTERSALE,
        ("return_or_cancel_id!", "locale"),
    ),
    Route(
        "GET",
        _at(f"{_RR}/202601/decision_eligibility"),
        cancelling.decision_eligibility,
        _AFTERSALE,
        ("return_or_cancel_id!", "check_decisions", "locale"),
    ),
    Route(
        "POST",
        _at(f"{_RR}/202602/returns"),
        refunds.create_return,
        _AFTERSALE,
        once.QUERY,
        refunds.CREATE_BODY,
    ),
    Route(
        "POST",
        _at(f"{_RR}/202602/refunds/calculate"),
        refunds.calculate,
        _AFTERSALE,
        body=refunds.CALCULATE_BODY,
    ),
    Route(
        "POST",
        _at(f"{_RR}/202602/returns/search"),
        reading.returns,
        _AFTERSALE,
        paging.QUERY,
        reading.RETURN_FILTERS,
        body_needed=False,
    ),
)
_STOCK = (
    Route(
        "POST",
        _at("/product/202309/inventory/search"),
        stock.search,
        _PRODUCTS,
        body=stock.SEARCH_BODY,
    ),
    Route(
        "POST",
        _at("/product/202309/products/{product_id}/inventory/update"),
        stock.update,
        _PRODUCTS_WRITE,
        body=stock.UPDATE_BODY,
    ),
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
    *_AFTERSALES,
    *_STOCK,
    *_WEBHOOKS,
)
