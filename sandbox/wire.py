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
SCOPE_MISSING = 105005
BAD_SIGNATURE = 106001
CIPHER_MISSING = 106013
RATE_LIMITED = 36009002
BAD_PARAMETER = 36009004
UNKNOWN_PATH = 36009009
WRONG_METHOD = 36009010
BAD_BODY = 36009022
BAD_FORM = 36009023

STATUS_FORBIDS = 10007002
NOT_SELF_DELIVERED = 10007014
INVOICE_MISSING = 21004006
WRONG_MODE = 21011004
REQUEST_PENDING = 21011007
ALREADY_SHIPPED = 21011020
BAD_TRACKING = 21011022
DUPLICATE_TRACKING = 21011025
ALREADY_DELIVERED = 21011027
NOT_OF_THIS_SHOP = 21011028
ORDER_CANCELLED = 21011041
NOT_SHIPPED = 21011043
ORDER_ON_HOLD = 21011044
EDITED_TOO_LATE = 21011049
EDITED_TOO_OFTEN = 21011050
OUTSIDE_SLOT = 21011053
WRONG_REGION = 21008106
NO_SUBSCRIPTION = 21008116
TIKTOK_SHIPS = 21008117
NOT_ALLOW_LISTED = 11007016
TRACK_NOT_FOUND = 11007018
TRACK_PROVIDER = 11007021
NO_LABEL_HERE = 11034002
LABEL_IN_MAKING = 11034023

AUTOMATIC_STOCK = 12052037
BAD_QUANTITY = 12052055

WRONG_ORDER_STATUS = 25001003
CASE_FINISHED = 25001010
CASE_IN_PROCESS = 25001011
UNKNOWN_REASON = 25001014
REASON_MISMATCH = 25001021
SHIPPED_ALREADY = 25001045
ORDER_FINISHED = 25001051
AMOUNT_TOO_HIGH = 25005005
WRONG_DECISION = 25020003
WRONG_REJECT_REASON = 25020004
NOT_TO_DECIDE = 25020005
CASE_CANCELLED = 25020009
CASE_APPROVED = 25020010

BAD_MESSAGE = 45101002
NO_CONVERSATION = 45101003
TOO_MANY_MESSAGES = 45101004
SENSITIVE_WORDS = 45101006
CONVERSATION_CLOSED = 45109001
CONVERSATION_FORBIDDEN = 45109003

# Business refusals come with 200, as the envelope's rule "code is not 0 even with HTTP 200" says.
HTTP_STATUS: Mapping[int, int] = MappingProxyType(
    {
        TOKEN_MISMATCH: 403,
        DEAUTHORISED: 401,
        TOKEN_EXPIRED: 401,
        SCOPE_MISSING: 403,
        BAD_SIGNATURE: 401,
        CIPHER_MISSING: 400,
        RATE_LIMITED: 429,
        BAD_PARAMETER: 400,
        UNKNOWN_PATH: 404,
        WRONG_METHOD: 405,
        BAD_BODY: 400,
        BAD_FORM: 400,
    }
)

MESSAGES: Mapping[int, str] = MappingProxyType(
    {
        TOKEN_MISMATCH: "the access token does not belong to the shop of this shop_cipher",
        DEAUTHORISED: "the seller has withdrawn the authorisation of this app",
        TOKEN_EXPIRED: "the access token has expired; refresh it",
        SCOPE_MISSING: "the scope of this call is not granted; add it and authorise again",
        BAD_SIGNATURE: "sign does not match this request",
        CIPHER_MISSING: "shop_cipher is missing",
        RATE_LIMITED: "too many requests; wait before the next one",
        BAD_PARAMETER: "a parameter is not as documented",
        UNKNOWN_PATH: "no such path",
        WRONG_METHOD: "this path does not take this method",
        BAD_BODY: "the body is not a JSON object",
        BAD_FORM: "the body is not the multipart form it should be",
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
        NOT_SELF_DELIVERED: "the package is neither of the seller's own fleet nor picked up",
        INVOICE_MISSING: "the package has no accepted invoice yet",
        NOT_SHIPPED: "not shipped yet",
        EDITED_TOO_LATE: "the tracking number can no longer be changed",
        EDITED_TOO_OFTEN: "the tracking number has been changed as often as it may be",
        NOT_ALLOW_LISTED: "the seller is not on the list of those who deliver themselves",
        TRACK_NOT_FOUND: "no parcel of this order has this tracking number",
        TRACK_PROVIDER: "provider_id is not the one the order was shipped with",
        NO_LABEL_HERE: "only parcels that TikTok ships have a document here",
        LABEL_IN_MAKING: "the document is still being made; ask again",
        AUTOMATIC_STOCK: "stock is allocated automatically in this shop",
        BAD_QUANTITY: "the quantity must be from 1 to 99,999",
        WRONG_ORDER_STATUS: "the order's status does not allow this request",
        CASE_FINISHED: "the order has been cancelled",
        CASE_IN_PROCESS: "a request of this order is already in process",
        UNKNOWN_REASON: "there is no such reason",
        REASON_MISMATCH: "the reason does not fit the order's status",
        SHIPPED_ALREADY: "the order has been shipped",
        ORDER_FINISHED: "the order is finished",
        AMOUNT_TOO_HIGH: "the amount is above what can be refunded",
        WRONG_DECISION: "the decision does not fit the request",
        WRONG_REJECT_REASON: "the reject reason does not fit the request",
        NOT_TO_DECIDE: "this request is not the seller's to decide",
        CASE_CANCELLED: "the request has been cancelled",
        CASE_APPROVED: "the request has been approved",
        BAD_MESSAGE: "the message is not as documented",
        NO_CONVERSATION: "no such conversation in this shop",
        TOO_MANY_MESSAGES: "the day's messages are used up",
        SENSITIVE_WORDS: "the message holds words that are not allowed",
        CONVERSATION_CLOSED: "the conversation can no longer be written to",
        CONVERSATION_FORBIDDEN: "the buyer may not be written to",
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
