"""What goes over the wire: a request, a reply, the envelope, and the codes of the refusals.

Code numbers and the envelope: Partner Center, "Common errors" and the per-endpoint error tables.
The HTTP status that goes with each code is not published, so `HTTP_STATUS` is this sandbox's
choice. A client must judge by `code` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import parse_qsl, urlsplit

JSON_TYPE = "application/json"

OK = 0
TOKEN_MISMATCH = 101000
DEAUTHORISED = 105001
TOKEN_EXPIRED = 105002
BAD_SIGNATURE = 106001
CIPHER_MISSING = 106013
RATE_LIMITED = 36009002
BAD_PARAMETER = 36009004
UNKNOWN_PATH = 36009009
WRONG_METHOD = 36009010
BAD_BODY = 36009022

STATUS_FORBIDS = 10007002
WRONG_MODE = 21011004
REQUEST_PENDING = 21011007
ALREADY_SHIPPED = 21011020
BAD_TRACKING = 21011022
DUPLICATE_TRACKING = 21011025
ALREADY_DELIVERED = 21011027
NOT_OF_THIS_SHOP = 21011028
ORDER_CANCELLED = 21011041
ORDER_ON_HOLD = 21011044
OUTSIDE_SLOT = 21011053
WRONG_REGION = 21008106
NO_SUBSCRIPTION = 21008116
TIKTOK_SHIPS = 21008117

# Business refusals come with 200, as the envelope's rule "code is not 0 even with HTTP 200" says.
HTTP_STATUS: Mapping[int, int] = MappingProxyType(
    {
        TOKEN_MISMATCH: 403,
        DEAUTHORISED: 401,
        TOKEN_EXPIRED: 401,
        BAD_SIGNATURE: 401,
        CIPHER_MISSING: 400,
        RATE_LIMITED: 429,
        BAD_PARAMETER: 400,
        UNKNOWN_PATH: 404,
        WRONG_METHOD: 405,
        BAD_BODY: 400,
    }
)

MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        TOKEN_MISMATCH: "the access token does not belong to the shop of this shop_cipher",
        DEAUTHORISED: "the seller has withdrawn the authorisation of this app",
        TOKEN_EXPIRED: "the access token has expired; refresh it",
        BAD_SIGNATURE: "sign does not match this request",
        CIPHER_MISSING: "shop_cipher is missing",
        RATE_LIMITED: "too many requests; wait before the next one",
        BAD_PARAMETER: "a parameter is not as documented",
        UNKNOWN_PATH: "no such path",
        WRONG_METHOD: "this path does not take this method",
        BAD_BODY: "the body is not a JSON object",
        STATUS_FORBIDS: "the order's status does not allow this call",
        WRONG_MODE: "this call does not fit how the order is shipped",
        REQUEST_PENDING: "the order has an open after-sale request",
        ALREADY_SHIPPED: "already shipped",
        BAD_TRACKING: "the tracking number or the shipping provider is not valid",
        DUPLICATE_TRACKING: "the tracking number is already in use",
        ALREADY_DELIVERED: "already delivered",
        NOT_OF_THIS_SHOP: "no such order or package in this shop",
        ORDER_CANCELLED: "the order is cancelled",
        ORDER_ON_HOLD: "the order is on hold",
        OUTSIDE_SLOT: "pickup_slot is none of the package's slots",
        WRONG_REGION: "this call is not available in the shop's region",
        NO_SUBSCRIPTION: "the shop has no subscription to this delivery option",
        TIKTOK_SHIPS: "TikTok ships under this delivery option",
    }
)


class Refusal(Exception):
    """A request the marketplace refuses, with the code and the words it answers."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        super().__init__(f"{code} {self.message}")


class StoryError(ValueError):
    """The story asks for what the marketplace cannot do, such as delivering an unknown order."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: `query` holds decoded values, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `drop`: close the connection and say nothing. `delay`: seconds to wait first."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    drop: bool = False
    delay: float = 0.0


def dump(value: object) -> bytes:
    """Compact JSON bytes, always the same for the same value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def envelope(code: int, message: str, request_id: str, data: object) -> dict[str, object]:
    """The body every answer has: `code` 0 alone means success."""
    return {"code": code, "data": data, "message": message, "request_id": request_id}


def parse_target(target: str) -> tuple[str, dict[str, str]]:
    """Split a request target into its path and its decoded query.

    Raises `Refusal` when a name is given twice: which of the values would be signed is something
    the official samples do not agree on, so a client must not send such a query.
    """
    parts = urlsplit(target)
    query: dict[str, str] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in query:
            raise Refusal(BAD_PARAMETER, f"query parameter {name} is given more than once")
        query[name] = value
    return parts.path, query
