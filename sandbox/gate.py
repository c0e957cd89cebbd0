"""What every request must pass before a call is made: path, method, app, time, signature, token,
cipher, scope, names, body. In that order, so that one mistake gives one predictable answer.

Partner Center, "Sign your API request", "Common parameters" and "Common errors".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import forms, shape, wire
from sandbox.forms import Form
from sandbox.shops import Shop
from sandbox.signing import is_signed
from sandbox.wire import Refusal, Request
from sandbox.world import World

OLDEST = 300
NEWEST = 30

_COMMON = frozenset({"app_key", "timestamp", "sign"})
_CIPHER = "shop_cipher"
_BEARER = "x-tts-access-token"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that has passed the gate: whose it is and what it says.

    `parts` are the ids in the path, `body` is JSON that has passed the route's shape, `shops` are
    all shops the token speaks for, `form` is what a multipart call carries instead of JSON.
    """

    parts: tuple[str, ...]
    query: Mapping[str, str]
    body: dict[str, Any]
    shops: tuple[Shop, ...] = ()
    form: Form | None = None

    @property
    def shop(self) -> Shop:
        """The shop of the cipher; only calls that take a cipher may ask."""
        return self.shops[0]


@dataclass(frozen=True, slots=True)
class Route:
    """One call: `scope` must be granted, `body` is the shape of its JSON, None where there is none.

    A name in `query` ending in `!` must be given. `cipher`: whether the call wants `shop_cipher`;
    where it does not, sending one is refused. `signed` is False for the token calls alone. `form`
    names the fields of a multipart call, the file being always `data`.
    """

    method: str
    path: re.Pattern[str]
    act: Callable[[World, Asked], dict[str, object]]
    scope: str = ""
    query: tuple[str, ...] = ()
    body: shape.Shape | None = None
    body_needed: bool = True
    cipher: bool = True
    signed: bool = True
    form: tuple[str, ...] | None = None


def find(routes: tuple[Route, ...], request: Request) -> tuple[Route, tuple[str, ...]]:
    """The route of a path and method: 36009009 for no such path, 36009010 for another method."""
    seen = False
    for route in routes:
        match = route.path.fullmatch(request.path)
        if match and route.method == request.method:
            return route, match.groups()
        seen = seen or match is not None
    raise Refusal(wire.WRONG_METHOD if seen else wire.UNKNOWN_PATH)


def admit(world: World, routes: tuple[Route, ...], request: Request) -> tuple[Route, Asked]:
    """Check a request against everything that holds for all calls, or raise `Refusal`."""
    route, parts = find(routes, request)
    if not route.signed:
        _check_query(route, request.query, frozenset())
        return route, Asked(parts, request.query, {})
    _check_common(world, request)
    shops = _shops(world, route, request)
    if route.scope and not any(route.scope in shop.scopes for shop in shops):
        raise Refusal(wire.SCOPE_MISSING)
    _check_query(route, request.query, _COMMON | ({_CIPHER} if route.cipher else set()))
    if route.form is not None:
        form = forms.read(request, route.form)
        return route, Asked(parts, request.query, {}, shops, form)
    return route, Asked(parts, request.query, _body(route, request), shops)


def _check_common(world: World, request: Request) -> None:
    query = request.query
    for name in ("app_key", "timestamp"):
        if not query.get(name):
            raise Refusal(wire.BAD_PARAMETER, f"query parameter {name} is missing")
    secret = world.keyring.secret_of(query["app_key"])
    if not re.fullmatch(r"[0-9]{10}", query["timestamp"]):
        raise Refusal(wire.BAD_PARAMETER, "timestamp must be ten digits of Unix seconds")
    age = world.real_now() + world.skew - int(query["timestamp"])
    if age > OLDEST:
        raise Refusal(wire.BAD_PARAMETER, "invalid timestamp: more than 5 minutes old")
    if age < -NEWEST:
        raise Refusal(wire.BAD_PARAMETER, "invalid timestamp: more than 30 seconds ahead")
    if not is_signed(request, secret):
        raise Refusal(wire.BAD_SIGNATURE)


def _shops(world: World, route: Route, request: Request) -> tuple[Shop, ...]:
    token, app_key = request.headers.get(_BEARER, ""), request.query["app_key"]
    if not route.cipher:
        if _CIPHER in request.query:
            raise Refusal(wire.BAD_PARAMETER, f"unexpected identifier {_CIPHER}")
        return tuple(world.keyring.holders(token, app_key))
    cipher = request.query.get(_CIPHER)
    if not cipher:
        # The token is judged first: an expired one must be renewed before anything else helps.
        world.keyring.holders(token, app_key)
        raise Refusal(wire.CIPHER_MISSING)
    return (world.keyring.shop_for(token, app_key, cipher),)


def _check_query(route: Route, query: Mapping[str, str], common: frozenset[str]) -> None:
    known = common | {name.rstrip("!") for name in route.query}
    for name in query:
        if name not in known:
            raise Refusal(wire.BAD_PARAMETER, f"unexpected identifier {name} in the query")
    for name in route.query:
        if name.endswith("!") and not query.get(name.rstrip("!")):
            raise Refusal(wire.BAD_PARAMETER, f"query parameter {name.rstrip('!')} is missing")


def _body(route: Route, request: Request) -> dict[str, Any]:
    if route.body is None:
        if request.body:
            raise Refusal(wire.BAD_PARAMETER, "this call takes no body")
        return {}
    if not request.body and not route.body_needed:
        return {}
    if wire.media_type(request.headers) != wire.JSON_TYPE:
        raise Refusal(wire.BAD_BODY, f"content-type must be {wire.JSON_TYPE}")
    try:
        told = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Refusal(wire.BAD_BODY) from None
    if not isinstance(told, dict):
        raise Refusal(wire.BAD_BODY)
    shape.check(told, route.body)
    return told
