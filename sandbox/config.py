"""The JSON a sandbox process starts from.

`{"clock": …, "shops": […], "providers": [{"id", "name"}], "delivery_options": {id: SELLER|TIKTOK},
"rotates_refresh_token": true, "untracked_after": seconds or null, "settings": {…}}`; only `shops`
is needed. A shop's shape is `SHOP_SHAPE`, what `settings` may hold is in `world.Settings`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from sandbox.core import PROVIDERS, UNTRACKED_AFTER, Sandbox
from sandbox.shape import Shape, check
from sandbox.shops import ACCESS_LIVES, GRANT_LIVES, SCOPES, SHOP_FLAGS, Shop
from sandbox.world import Provider, Rules, Settings

SHOP_SHAPE: Shape = {
    **dict.fromkeys(("shop_id!", "cipher!", "market!", "app_key!", "app_secret!"), str),
    **dict.fromkeys(("access_token!", "refresh_token!"), str),
    **dict.fromkeys(("access_expires_at", "refresh_expires_at"), int),
    **dict.fromkeys(("webhook_url", "name"), str),
    **dict.fromkeys(SHOP_FLAGS, bool),
    "scopes": [str],
}
SETTINGS_SHAPE: Shape = {
    **dict.fromkeys(("cancel_answer_time", "refund_after"), object),
    **dict.fromkeys(("label_asks", "tracking_edits", "messages_a_day", "low_stock"), int),
    "sensitive_words": [str],
}
_SHAPE: Shape = {
    "clock": int,
    "shops!": [SHOP_SHAPE],
    "providers": [{"id!": str, "name!": str}],
    "delivery_options": {"*": ("SELLER", "TIKTOK")},
    "rotates_refresh_token": bool,
    "untracked_after": object,
    "settings": SETTINGS_SHAPE,
}


def shop_from(told: dict[str, object], now: float | None = None) -> Shop:
    """A shop from checked JSON. Tokens live seven days and a year from now unless said."""
    start = int(time.time() if now is None else now)
    url = told.get("webhook_url")
    shop = Shop(
        shop_id=str(told["shop_id"]),
        cipher=str(told["cipher"]),
        market=str(told["market"]),
        app_key=str(told["app_key"]),
        app_secret=str(told["app_secret"]),
        access_token=str(told["access_token"]),
        refresh_token=str(told["refresh_token"]),
        access_expires_at=cast(int, told.get("access_expires_at", start + ACCESS_LIVES)),
        refresh_expires_at=cast(int, told.get("refresh_expires_at", start + GRANT_LIVES)),
        webhook_url=None if url is None else str(url),
        name=str(told.get("name", "Synthetic shop")),
        scopes=tuple(cast(list[str], told.get("scopes", SCOPES))),
    )
    for flag in SHOP_FLAGS:
        setattr(shop, flag, told.get(flag, False))
    return shop


def rules_from(told: dict[str, object], where: str = "body") -> Rules:
    """Changes of the settings from JSON that has passed `SETTINGS_SHAPE`."""
    for name in ("cancel_answer_time", "refund_after"):
        if told.get(name) is not None:
            check(told[name], int, f"{where}.{name}")
    # The shape has just been checked against the same names and types.
    rules = cast(Rules, dict(told))
    if "sensitive_words" in told:
        rules["sensitive_words"] = tuple(cast(list[str], told["sensitive_words"]))
    return rules


def sandbox_from(told: object, real_now: Callable[[], float] = time.time) -> Sandbox:
    """A sandbox from a parsed config.

    Raises `Refusal` naming what is missing, unknown or of the wrong type, `ValueError` for shops
    that contradict each other.
    """
    check(told, _SHAPE, "config")
    config = cast(dict[str, object], told)
    untracked = config.get("untracked_after", UNTRACKED_AFTER)
    if untracked is not None:
        check(untracked, int, "config.untracked_after")
    settings = cast(dict[str, object], config.get("settings", {}))
    providers = cast(list[dict[str, str]] | None, config.get("providers"))
    shops = cast(list[dict[str, object]], config["shops"])
    return Sandbox(
        [shop_from(shop, real_now()) for shop in shops],
        clock=cast(int, config.get("clock", int(real_now()))),
        real_now=real_now,
        providers=PROVIDERS
        if providers is None
        else [Provider(each["id"], each["name"]) for each in providers],
        delivery_options=cast(dict[str, str] | None, config.get("delivery_options")),
        rotates_refresh_token=cast(bool, config.get("rotates_refresh_token", True)),
        untracked_after=cast(int | None, untracked),
        settings=replace(Settings(), **rules_from(settings, "config.settings")),
    )
