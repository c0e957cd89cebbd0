"""Scopes: every call needs its own, and a shop has those it was granted."""

from __future__ import annotations

import re

import pytest

from sandbox import wire
from sandbox.gate import Route
from sandbox.routes import ROUTES
from sandbox.shops import CHAT, EVERY_SCOPE, SCOPES
from tests.sandbox.bench import bench, shop

SCOPED = [route for route in ROUTES if route.scope]


def test_every_signed_call_names_a_known_scope() -> None:
    assert {route.scope for route in SCOPED} == set(EVERY_SCOPE)
    assert [route for route in ROUTES if not route.scope] == [r for r in ROUTES if not r.signed]


@pytest.mark.parametrize("route", SCOPED, ids=lambda r: f"{r.method} {r.path.pattern}")
def test_a_call_without_its_scope_is_refused_before_it_is_read(route: Route) -> None:
    b = bench()
    path = re.sub(r"\(.*?\)", "1", route.path.pattern)
    b.shop.scopes = tuple(scope for scope in EVERY_SCOPE if scope != route.scope)
    answer = b.client.call(route.method, path, cipher=route.cipher)
    assert (answer.code, answer.reply.status) == (wire.SCOPE_MISSING, 403)
    b.shop.scopes = (route.scope,)
    assert b.client.call(route.method, path, cipher=route.cipher).code != wire.SCOPE_MISSING


def test_a_new_shop_has_all_scopes_but_the_one_that_takes_a_review() -> None:
    b = bench()
    assert b.shop.scopes == SCOPES
    assert CHAT not in SCOPES
    answer = b.client.post("/customer_service/202309/conversations", {"buyer_user_id": "1"})
    assert answer.code == wire.SCOPE_MISSING


def test_granted_scopes_are_told_with_the_tokens() -> None:
    b = bench()
    b.shop.scopes = ("seller.order.info", CHAT)
    told = b.client.get(
        "/api/v2/token/refresh",
        drop=("timestamp", "sign"),
        cipher=False,
        app_secret=b.shop.app_secret,
        refresh_token=b.shop.refresh_token,
        grant_type="refresh_token",
    )
    assert told.data["granted_scopes"] == ["seller.order.info", CHAT]


def test_an_unknown_scope_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="unknown scope"):
        shop(scopes=("seller.everything",))
