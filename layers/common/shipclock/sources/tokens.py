"""Tokens that a sender first fetches from us and then shows (OAuth's client credentials, RFC 6749).

A token is its end and an HMAC of that, keyed by the secret that fetched it: no row is kept of it,
it holds no name, and it is refused as soon as that secret is taken out. It is made of letters that
every header and address may hold.
"""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import unquote_plus

from shipclock.reading import Object, form
from shipclock.sources import Account, Headers, NotAuthentic, NotGranted, Unsigned
from shipclock.sources.signatures import key_of, same

LIFETIME = 60 * 60
"""Seconds. A token that leaks is worth an hour; a sender that fetches one for each call costs us a
few milliseconds, and one that keeps it asks 24 times a day."""
AHEAD = 5 * 60
"""Seconds by which the clock that made a token may have run ahead. One that ran ahead by years must
not have made a token for years."""

GRANT = "client_credentials"
_MADE = re.compile(r"([0-9]{1,11})\.[0-9a-f]{64}")


def made(source: str, account: str, secret: str, end: int) -> str:
    """The token of an account that ends at `end`, in Unix seconds. ValueError: see `key_of`."""
    told = f"{source} token until {end} for {account}".encode("utf-8", "surrogatepass")
    return f"{end}.{hmac.new(key_of(secret, source), told, hashlib.sha256).hexdigest()}"


def end_of(shown: str) -> int | None:
    """When what was shown ends, if it looks like a token; who made it is not looked at."""
    found = _MADE.fullmatch(shown)
    return int(found[1]) if found else None


def in_time(end: int, now: datetime) -> bool:
    """Whether a token with that end is good at the real time `now`."""
    return 0 <= end - now.timestamp() <= LIFETIME + AHEAD


def grant(
    source: str, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
) -> bytes:
    """The answer with a token for a client whose id is an account's name, with one of its secrets.

    Raises `Unsigned` or `NotAuthentic` where the client is not proven, `NotGranted` for what is no
    request for such a token, and ValueError for a secret of ours that can be none.
    """
    asked = _fields(body)
    account, secret = _proven(source, _clients(headers, asked), accounts)
    kind = asked.get("grant_type", "")
    if not kind:
        raise NotGranted("invalid_request", "no grant_type")
    if kind != GRANT:
        raise NotGranted("unsupported_grant_type", f"the grant_type is not {GRANT}")
    token = made(source, account.name, secret, int(now.timestamp()) + LIFETIME)
    answer = {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME}
    return json.dumps(answer).encode()


def _fields(body: bytes) -> Object:
    """The fields of the request. One without a value counts as left out (RFC 6749 3.2)."""
    try:
        return {name: value for name, value in form(body).items() if value}
    except ValueError:  # its message may quote a secret
        raise NotGranted("invalid_request", "the body is no form, or repeats a field") from None


Client = tuple[str, str]
"""An id and a secret, as a client shows them."""


def _clients(headers: Headers, asked: Object) -> list[Client]:
    """The client by the ways it may be read. By one means only, not by both (RFC 6749 2.3)."""
    authorization = headers.get("authorization", "")
    named, secret = asked.get("client_id", ""), asked.get("client_secret", "")
    if not authorization:
        if not secret:
            raise Unsigned("no client credentials")
        return [(named, secret)]
    if secret:
        raise NotGranted("invalid_request", "client credentials by two means")
    found = _basic(authorization)
    if named and named not in {name for name, _ in found}:
        raise NotGranted("invalid_request", "two different client ids")
    return found


def _basic(authorization: str) -> list[Client]:
    """Id and secret out of HTTP Basic. The RFC has each percent-encoded; many clients don't."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.casefold() != "basic":
        raise NotAuthentic("the authorization header is not Basic")
    try:
        told = base64.b64decode(encoded.strip(" "), validate=True).decode()
    except ValueError:
        raise NotAuthentic("the authorization header is malformed") from None
    name, _, secret = told.partition(":")
    return [(unquote_plus(name), unquote_plus(secret)), (name, secret)]


def _proven(
    source: str, clients: Sequence[Client], accounts: Sequence[Account]
) -> tuple[Account, str]:
    """The account that a client shows, and which of its secrets. All secrets are compared."""
    found: list[tuple[Account, str]] = []
    for account in accounts:
        for known in account.secrets:
            key_of(known, source)
            fits = [same(known, secret) and name == account.name for name, secret in clients]
            found += [(account, known)] if any(fits) else []
    if not found:
        raise NotAuthentic("the client credentials fit no account")
    return found[0]
