"""The two signatures, written from the description alone so that they can judge a client's.

Requests: Partner Center, "Sign your API request". Webhooks: "Webhooks overview". They differ:
a request is wrapped in the secret, a webhook is led by the app key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from sandbox.wire import Request, media_type

UNSIGNED = frozenset({"sign", "access_token"})


def _digest(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def string_to_sign(request: Request, secret: str) -> bytes:
    """The bytes a request's `sign` covers: the raw body counts unless it is multipart."""
    names = sorted((n for n in request.query if n not in UNSIGNED), key=str.encode)
    pairs = "".join(name + request.query[name] for name in names)
    body = b"" if media_type(request.headers) == "multipart/form-data" else request.body
    return b"".join((secret.encode(), request.path.encode(), pairs.encode(), body, secret.encode()))


def sign_request(request: Request, secret: str) -> str:
    """Lower-case hex HMAC-SHA256 over `string_to_sign`, the app secret being the key."""
    return _digest(secret, string_to_sign(request, secret))


def is_signed(request: Request, secret: str) -> bool:
    """Whether `sign` is what this request and secret give."""
    given = request.query.get("sign", "").encode()
    return hmac.compare_digest(given, sign_request(request, secret).encode())


def sign_webhook(app_key: str, secret: str, body: bytes) -> str:
    """The bare digest that a webhook carries in `Authorization`, without a scheme word."""
    return _digest(secret, app_key.encode() + body)


def webhook_headers(app_key: str, secret: str, body: bytes) -> Mapping[str, str]:
    """The headers a webhook is sent with."""
    return {
        "Content-Type": "application/json",
        "Authorization": sign_webhook(app_key, secret, body),
    }
