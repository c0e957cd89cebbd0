"""Proving a sender, in constant time, whatever a hostile header holds."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence

from shipclock.sources import Account, Headers, NotAuthentic, Unsigned


def same(expected: str, given: str) -> bool:
    """Whether two signatures are equal. Bytes are compared: text raises on non-ASCII headers."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def any_same(expected: Iterable[str], given: Iterable[str]) -> bool:
    """Whether any pair is equal; every pair is compared, so time tells nothing of which."""
    candidates = list(given)
    return bool(sum(same(one, other) for one in expected for other in candidates))


def key_of(secret: str, source: str) -> bytes:
    """A secret's bytes. Raises ValueError, which never quotes it, where it is no whole text."""
    try:
        return secret.encode()
    except UnicodeEncodeError:
        raise ValueError(f"a {source} secret must be whole Unicode characters") from None


def is_secret(secret: str, given: str, source: str) -> bool:
    """Whether a secret itself was sent, as some senders do instead of signing.

    Raises ValueError where the secret is no whole text.
    """
    return hmac.compare_digest(key_of(secret, source), given.encode("utf-8", "surrogatepass"))


def base64_hmac(secret: str, body: bytes, source: str) -> str:
    """The base64 HMAC-SHA256 of a body: what several senders sign with, under their own headers.

    Raises ValueError where the secret is no text.
    """
    return base64.b64encode(
        hmac.new(key_of(secret, source), body, hashlib.sha256).digest()
    ).decode()


def sent(headers: Headers, name: str) -> str:
    """The header that proves the sender. Raises `Unsigned` where it is missing or empty."""
    given = headers.get(name, "")
    if not given:
        raise Unsigned(f"no {name} header")
    return given


def signer(accounts: Sequence[Account], fits: Callable[[str], bool], what: str) -> Account:
    """The first account with a secret that fits; all secrets of an account are tried.

    Raises `NotAuthentic`, naming `what` fits none of them.
    """
    for account in accounts:
        if any([fits(secret) for secret in account.secrets]):
            return account
    raise NotAuthentic(f"{what} fits no secret")
