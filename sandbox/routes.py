"""The calls this marketplace answers. One line each; anything else is 36009009 or 36009010.

Versions are pinned as the pages of October 2026 list them; both bodies of Mark Package As Shipped
are kept, under their own versions.
"""

from __future__ import annotations

import re

from sandbox import paging, reading, shipping, subscriptions
from sandbox.gate import Asked, Route
from sandbox.world import World


def _at(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "([0-9A-Za-z_-]{1,64})", path))


def _token_get(world: World, asked: Asked) -> dict[str, object]:
    return world.keyring.exchange(asked.query)


def _token_refresh(world: World, asked: Asked) -> dict[str, object]:
    return world.keyring.refresh(asked.query)


_APP = ("app_key!", "app_secret!", "grant_type!")
_RR = "/return_refund/202602"
_FF = "/fulfillment"
_HOOKS = _at("/event/202309/webhooks")
_MARK = f"{_FF}/{{version}}/orders/{{order_id}}/packages"

ROUTES: tuple[Route, ...] = (
    Route("GET", _at("/api/v2/token/get"), _token_get, (*_APP, "auth_code!"), signed=False),
    Route(
        "GET", _at("/api/v2/token/refresh"), _token_refresh, (*_APP, "refresh_token!"), signed=False
    ),
    Route("GET", _at("/authorization/202309/shops"), reading.authorised_shops, cipher=False),
    Route("GET", _at("/order/202507/orders"), reading.order_detail, ("ids!",)),
    Route(
        "POST",
        _at("/order/202309/orders/search"),
        reading.order_list,
        paging.QUERY,
        reading.ORDER_FILTERS,
        body_needed=False,
    ),
    Route(
        "POST",
        _at(f"{_RR}/cancellations/search"),
        reading.cancellations,
        paging.QUERY,
        reading.CANCELLATION_FILTERS,
        body_needed=False,
    ),
    Route(
        "POST",
        _at(f"{_RR}/returns/search"),
        reading.returns,
        paging.QUERY,
        reading.RETURN_FILTERS,
        body_needed=False,
    ),
    Route("GET", _at(f"{_FF}/202309/packages/{{package_id}}"), reading.package_detail),
    Route(
        "GET",
        _at(f"{_FF}/202309/packages/{{package_id}}/handover_time_slots"),
        shipping.handover_time_slots,
    ),
    # A package that TikTok ships may be handed over without a word: the body may be missing.
    Route(
        "POST",
        _at(f"{_FF}/202309/packages/{{package_id}}/ship"),
        shipping.ship_package,
        body=shipping.SHIP_BODY,
        body_needed=False,
    ),
    Route(
        "POST",
        _at(_MARK.replace("{version}", "202610")),
        shipping.mark_202610,
        body=shipping.MARK_BODY_202610,
    ),
    Route(
        "POST",
        _at(_MARK.replace("{version}", "202309")),
        shipping.mark_202309,
        body=shipping.MARK_BODY_202309,
    ),
    Route(
        "GET",
        _at("/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers"),
        reading.shipping_providers,
        ("warehouse_region", "buyer_region"),
    ),
    Route("PUT", _HOOKS, subscriptions.put, body=subscriptions.PUT_BODY),
    Route("GET", _HOOKS, subscriptions.get),
    Route("DELETE", _HOOKS, subscriptions.delete, body=subscriptions.DELETE_BODY),
)
