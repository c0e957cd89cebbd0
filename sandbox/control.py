"""The control plane: what a test or a demo in another process may do, as JSON.

One table of calls under `/_sandbox/`. Each takes a JSON object of a known shape and answers one;
a mistake answers `{"error": …}` and changes nothing. It is not signed: the server listens on this
machine only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import cast

from sandbox.building import OrderWish
from sandbox.config import SETTINGS_SHAPE, SHOP_SHAPE, rules_from, shop_from
from sandbox.core import Sandbox
from sandbox.faults import Fault, FaultWish
from sandbox.orders import DEADLINES
from sandbox.shape import Shape, check
from sandbox.shops import SHOP_FLAGS, describe
from sandbox.wire import Refusal

PREFIX = "/_sandbox/"

Told = dict[str, object]
Act = Callable[[Sandbox, Told], object]


class Wrong(Exception):
    """A control call that cannot be done: HTTP status and words."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


# "PACKAGE_DAMAGAED" is how the field's own documentation spells it.
_EXCEPTIONS = ("PACKAGE_DAMAGAED", "PACKAGE_LOST", "RETURNED_TO_SHIPPER", "PACKAGE_SCRAP")
_ORDER: Shape = {"order_id!": str}
_PARCEL: Shape = {"order_id!": str, "at": int, "package_id": str}
_WISH: Shape = {
    "shop_id!": str,
    **dict.fromkeys(("order_id", "status", "user_id", "warehouse_id"), str),
    **dict.fromkeys(("shipping_type", "fulfillment_type", "delivery_type"), str),
    "delivery_option_id": str,
    **dict.fromkeys(("create_time", "paid_time", *DEADLINES), int),
    "items": {"*": int},
    **dict.fromkeys(("is_on_hold_order", "needs_invoice"), bool),
    "pickup_code": str,
    "recipient_address": {"*": object},
    "extra": {"*": object},
}
_FAULT: Shape = {
    "kind!": str,
    **dict.fromkeys(("path", "method", "shop_id", "message"), str),
    **dict.fromkeys(("times", "after", "code", "status", "retry_after"), int),
    **dict.fromkeys(("delay", "skew"), object),
}


def _state(sandbox: Sandbox, _: Told) -> Told:
    return {
        "clock": sandbox.clock,
        "orders": [sandbox.order(order_id) for order_id in sandbox.order_ids()],
        "effects": len(sandbox.effects),
        "calls": len(sandbox.calls),
        "webhooks": len(sandbox.webhooks),
        "faults": [asdict(fault) for fault in sandbox.waiting_faults],
        "skipped": list(sandbox.skipped),
    }


def _advance(sandbox: Sandbox, told: Told) -> Told:
    sandbox.advance(cast(int, told["to"]))
    return {"clock": sandbox.clock}


def _add_order(sandbox: Sandbox, told: Told) -> Told:
    shop_id = str(told.pop("shop_id"))
    # The shape has just been checked against the same names and types.
    return {"order_id": sandbox.add_order(shop_id, **cast(OrderWish, told))}


def _show(sandbox: Sandbox, told: Told) -> Told:
    return sandbox.order(str(told["order_id"]))


def _step(step: Callable[..., object]) -> Act:
    """A method of the sandbox called with what was told; its order is answered."""

    def act(sandbox: Sandbox, told: Told) -> Told:
        step(sandbox, **told)
        return sandbox.order(str(told["order_id"]))

    return act


def _combine(sandbox: Sandbox, told: Told) -> Told:
    return {"package_id": sandbox.combine(cast(list[str], told["order_ids"]))}


def _seconds(told: Told, name: str) -> float:
    value = told.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Wrong(400, f"body.{name} must be a number of seconds")
    return float(value)


def _fail(sandbox: Sandbox, told: Told) -> Told:
    seconds = {name: _seconds(told, name) for name in ("delay", "skew")}
    fault = Fault(**cast(FaultWish, told | seconds))
    sandbox.fail(fault)
    return {"faults": len(sandbox.waiting_faults)}


def _webhooks_take(sandbox: Sandbox, _: Told) -> Told:
    taken = [asdict(w) | {"body": w.body.decode()} for w in sandbox.take_webhooks()]
    return {"webhooks": taken}


def _shops(sandbox: Sandbox, _: Told) -> Told:
    return {
        "shops": [
            describe(shop)
            | {
                "market": shop.market,
                "app_key": shop.app_key,
                "webhook_url": shop.webhook_url,
                "revoked": shop.revoked,
                "scopes": list(shop.scopes),
                **{flag: getattr(shop, flag) for flag in SHOP_FLAGS},
            }
            for shop in sandbox.shops
        ]
    }


def _add_shop(sandbox: Sandbox, told: Told) -> Told:
    sandbox.add_shop(shop_from(told))
    return _shops(sandbox, {})


def _effects(sandbox: Sandbox, _: Told) -> Told:
    return {"effects": [asdict(effect) for effect in sandbox.effects]}


def _calls(sandbox: Sandbox, _: Told) -> Told:
    return {"calls": [asdict(call) for call in sandbox.calls]}


def _clear_faults(sandbox: Sandbox, _: Told) -> Told:
    sandbox.clear_faults()
    return {"faults": 0}


def _revoke(sandbox: Sandbox, told: Told) -> Told:
    sandbox.revoke(str(told["shop_id"]))
    return _shops(sandbox, {})


def _grant(sandbox: Sandbox, told: Told) -> Told:
    return {"auth_code": sandbox.grant(str(told["shop_id"]))}


def _does(step: Callable[..., object], answers: str = "") -> Act:
    """A method of the sandbox called with what was told; what it returns is answered by name."""

    def act(sandbox: Sandbox, told: Told) -> Told:
        made = step(sandbox, **told)
        return {answers: made} if answers else {"done": True}

    return act


def _set_rules(sandbox: Sandbox, told: Told) -> Told:
    sandbox.set_rules(**rules_from(told))
    return {"done": True}


def _change_address(sandbox: Sandbox, told: Told) -> Told:
    order_id = str(told["order_id"])
    sandbox.change_address(order_id, **cast(dict[str, str], told["address"]))
    return sandbox.order(order_id)


_NOTHING: Shape = {}
_UPDATE: Shape = {"return_id!": str, "status!": str}
_SHOP: Shape = {"shop_id!": str}

# Reads, by GET or POST.
READS: Mapping[str, tuple[Act, Shape]] = {
    "state": (_state, _NOTHING),
    "effects": (_effects, _NOTHING),
    "calls": (_calls, _NOTHING),
    "shops": (_shops, _NOTHING),
}
# Everything that changes something, by POST alone.
WRITES: Mapping[str, tuple[Act, Shape]] = {
    "advance": (_advance, {"to!": int}),
    "add_order": (_add_order, _WISH),
    "add_shop": (_add_shop, SHOP_SHAPE),
    "order": (_show, _ORDER),
    "pay": (_step(Sandbox.pay), _ORDER),
    "release_hold": (_step(Sandbox.release_hold), _ORDER),
    "arrange": (
        _step(Sandbox.arrange),
        {
            "order_id!": str,
            **dict.fromkeys(("package_id", "tracking_number", "provider"), str),
            "handover_method": ("PICKUP", "DROP_OFF"),
        },
    ),
    "collect": (_step(Sandbox.collect), _PARCEL),
    "deliver": (_step(Sandbox.deliver), _PARCEL),
    "complete": (_step(Sandbox.complete), _ORDER),
    "report_exception": (
        _step(Sandbox.report_exception),
        {"order_id!": str, "reason": _EXCEPTIONS, "package_id": str},
    ),
    "request_cancel": (_step(Sandbox.request_cancel), {"order_id!": str, "reason": str}),
    "close_request": (_step(Sandbox.close_request), _ORDER),
    "cancel": (_step(Sandbox.cancel), {"order_id!": str, "reason!": str, "by!": str}),
    "open_return": (
        _step(Sandbox.open_return),
        {"order_id!": str, "return_type": str, "reason": str},
    ),
    "extend": (_step(Sandbox.extend), {"order_id!": str, "field!": str, "to!": int}),
    "split": (_step(Sandbox.split), {"order_id!": str, "groups!": [[str]]}),
    "combine": (_combine, {"order_ids!": [str]}),
    "change_address": (_change_address, {"order_id!": str, "address!": {"*": str}}),
    "invoice": (
        _step(Sandbox.invoice),
        {"order_id!": str, "status!": str, "reason": str, "package_id": str},
    ),
    "warn_of_expiry": (_does(Sandbox.warn_of_expiry), {"shop_id!": str, "days": int}),
    "set_stock": (
        _does(Sandbox.set_stock, "sku_id"),
        {"shop_id!": str, "sku!": str, "units!": {"*": int}},
    ),
    "refund": (_does(Sandbox.refund), {"return_id!": str}),
    "send_back": (_does(Sandbox.send_back), {"return_id!": str}),
    "close_return": (_does(Sandbox.close_return), {"return_id!": str}),
    "aftersales_update": (_does(Sandbox.aftersales_update), _UPDATE),
    "rma_update": (_does(Sandbox.rma_update), _UPDATE),
    "buyer_says": (
        _does(Sandbox.buyer_says, "conversation_id"),
        {"shop_id!": str, "user_id!": str, "text!": str},
    ),
    "push": (
        _does(Sandbox.push),
        {"shop_id!": str, "type!": int, "data!": {"*": object}},
    ),
    "set_rules": (_set_rules, SETTINGS_SHAPE),
    "set_shop": (
        _does(Sandbox.set_shop),
        {"shop_id!": str, "scopes": [str], **dict.fromkeys(SHOP_FLAGS, bool)},
    ),
    "fail": (_fail, _FAULT),
    "clear_faults": (_clear_faults, _NOTHING),
    "webhooks/take": (_webhooks_take, _NOTHING),
    "revoke": (_revoke, _SHOP),
    "grant": (_grant, _SHOP),
}


def control(sandbox: Sandbox, method: str, path: str, body: bytes) -> tuple[int, object]:
    """Do one control call: the HTTP status and the JSON value to answer with."""
    try:
        return 200, _do(sandbox, method, path.removeprefix(PREFIX), body)
    except Wrong as wrong:
        return wrong.status, {"error": wrong.message}
    except Refusal as refusal:
        return 400, {"error": refusal.message}
    except (ValueError, KeyError) as mistake:
        return 400, {"error": str(mistake)}


def _do(sandbox: Sandbox, method: str, name: str, body: bytes) -> object:
    calls = READS if name in READS else WRITES
    if name not in calls:
        known = ", ".join(sorted([*READS, *WRITES]))
        raise Wrong(404, f"no control call {name!r}; known: {known}")
    if method != "POST" and not (method == "GET" and calls is READS):
        raise Wrong(405, f"{name} is called by POST")
    act, shape = calls[name]
    try:
        told = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        raise Wrong(400, "the body is not JSON") from None
    check(told, shape)
    return act(sandbox, told)
