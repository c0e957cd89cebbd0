"""Signing a TikTok Shop request (`tiktok-shop.md` section 2). The exact bytes sent are signed."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlencode

from urllib3.filepost import encode_multipart_formdata

from shipclock.marketplaces.protocol import Call, Hosts, Keys, Shop, Upload
from shipclock.ports import HttpRequest

UNSIGNED = frozenset({"sign", "access_token"})
JSON = "application/json"


def signature(
    secret: str, path: str, query: Mapping[str, str], body: bytes, content_type: str = JSON
) -> str:
    """The `sign` parameter: hex HMAC-SHA256 over secret, path, sorted decoded query, body, secret.

    The body of a multipart upload is left out; the header's boundary does not count.
    """
    text = path + "".join(k + v for k, v in sorted(query.items()) if k not in UNSIGNED)
    multipart = content_type.split(";")[0].strip().lower() == "multipart/form-data"
    message = secret.encode() + text.encode() + (b"" if multipart else body) + secret.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def sign(call: Call, shop: Shop, keys: Keys, hosts: Hosts, now: datetime) -> HttpRequest:
    """The request, signed at the real time `now`. Token calls go unsigned to the auth host."""
    if call.auth:
        return HttpRequest(call.method, f"{hosts.auth}{call.path}?{_query(call.query)}", {})
    query = {
        **call.query,
        "app_key": shop.app_key,
        "timestamp": str(int(now.timestamp())),
        **({"shop_cipher": shop.cipher} if call.cipher else {}),
    }
    body, content_type = _body(call)
    path = pinned(call, shop)
    query["sign"] = signature(keys.app_secret, path, query, body, content_type)
    headers = {"content-type": content_type, "x-tts-access-token": keys.access_token}
    return HttpRequest(call.method, f"{hosts.api}{path}?{_query(query)}", headers, body)


def pinned(call: Call, shop: Shop) -> str:
    """The call's path, of the version that the shop pins for it (1.2)."""
    version = shop.versions.get(call.name)
    return VERSION.sub(f"/{version}/", call.path, count=1) if version else call.path


VERSION = re.compile(r"/20\d{4}/")


def _body(call: Call) -> tuple[bytes, str]:
    """The bytes to send and their media type."""
    if call.upload is not None:
        return form_data(call.upload)
    if call.body is None:
        return b"", JSON
    return json.dumps(call.body, separators=(",", ":"), ensure_ascii=False).encode(), JSON


def form_data(upload: Upload) -> tuple[bytes, str]:
    """A file and its fields as `multipart/form-data`, and the media type with its boundary."""
    file = (upload.name, upload.data, upload.media_type)
    return encode_multipart_formdata({"data": file, **upload.fields})


def _query(query: Mapping[str, str]) -> str:
    return urlencode(query, quote_via=quote, safe=",")
