"""Public RSA keys as a sender publishes them, in a JSON Web Key Set (RFC 7517), and their proof.

One signature is known here: RSASSA-PKCS1-v1_5 with SHA-256 (`RS256`), by keys that are long enough
and meant for it. Which keys count is for the account to say, which of them for their ids: nothing
in a request brings a key, an address of keys, or an algorithm. Keys of other kinds may stand in the
same set and are passed over.
"""

import base64
import re
from typing import NamedTuple

from shipclock.reading import Object, json_object

BITS = range(2048, 8192 + 1)
"""A shorter key is too weak, and a longer one nobody's."""
EXPONENTS = range(2**16 + 1, 2**64, 2)
"""Odd and over 2^16, as FIPS 186-5 wants it."""


class Key(NamedTuple):
    """The two numbers of a public RSA key."""

    modulus: int
    exponent: int


ADDRESS = re.compile(r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:/[!\"$-~]*)?")


def is_address(text: str) -> bool:
    """Whether a text is an https address without a user, a port or a fragment."""
    return bool(ADDRESS.fullmatch(text))


def key_ids(document: bytes) -> frozenset[str]:
    """The ids of all keys in a set, of whatever kind. Raises ValueError where it is no set."""
    named = (each.get("kid") for each in _listed(document))
    return frozenset(name for name in named if isinstance(name, str))


def signing_keys(document: bytes, key_id: str) -> tuple[Key, ...]:
    """The keys of that id that may sign; more than one only where a sender repeats an id.

    Raises ValueError where the document is no set of keys.
    """
    named = (_key(each) for each in _listed(document) if each.get("kid") == key_id)
    return tuple(key for key in named if key)


def signed_by(key: Key, signature: bytes, signed: bytes) -> bool:
    """Whether the key's owner signed these bytes."""
    # Imported here: it costs more than all else that ingest loads, and one sender needs it.
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        public = RSAPublicNumbers(key.exponent, key.modulus).public_key()
        public.verify(signature, signed, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):  # the latter for numbers that are no key's
        return False
    return True


def _listed(document: bytes) -> list[Object]:
    listed = json_object(document).get("keys")
    if not isinstance(listed, list):
        raise ValueError("a list of keys was expected")
    return [each for each in listed if isinstance(each, dict)]


def _key(entry: Object) -> Key | None:
    """An entry as a key that may sign by RS256; what it leaves open counts as allowed."""
    uses = entry.get("key_ops", ["verify"])
    meant = (
        entry.get("kty") == "RSA"
        and entry.get("alg", "RS256") == "RS256"
        and entry.get("use", "sig") == "sig"
        and isinstance(uses, list)
        and "verify" in uses
    )
    modulus, exponent = (_number(entry.get(name)) for name in ("n", "e"))
    if not meant or modulus.bit_length() not in BITS or exponent not in EXPONENTS:
        return None
    return Key(modulus, exponent)


NUMBER = re.compile(r"[A-Za-z0-9_-]{1,2000}={0,2}")


def _number(text: object) -> int:
    """A number in base64url, first byte first; 0 where it is none."""
    if not isinstance(text, str) or not NUMBER.fullmatch(text):
        return 0
    whole = text.rstrip("=")
    try:
        return int.from_bytes(base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4)))
    except ValueError:  # one letter over is no byte
        return 0
