"""Sets of published keys: which of them may sign, and what is no set or no address of one."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from shipclock.sources.jwks import Key, is_address, key_ids, signed_by, signing_keys
from tests.builders import patient
from tests.sources.bending import JSON
from tests.sources.senders import KEYS, base64url

ONE = KEYS.entry("key-one")
NUMBERS = KEYS.private["key-one"].public_key().public_numbers()
KEY = Key(NUMBERS.n, NUMBERS.e)
ELLIPTIC = {"kty": "EC", "kid": "key-one", "crv": "P-256", "x": "AQ", "y": "AQ", "use": "sig"}


def written(*entries: object) -> bytes:
    return json.dumps({"keys": entries}).encode()


def taken(**changes: Any) -> tuple[Key, ...]:
    return signing_keys(written(KEYS.entry("key-one", **changes)), "key-one")


# Which keys may sign


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"alg": None, "use": None},
        {"key_ops": ["verify"]},
        {"x5c": ["MIIB"], "jku": "https://elsewhere.example/keys"},
        {"n": ONE["n"] + "=="},
        {"e": "AAEAAQ"},  # with a leading zero
    ],
    ids=str,
)
def test_what_a_key_leaves_open_is_allowed_and_what_it_says_beside_is_ignored(
    changes: dict[str, Any],
) -> None:
    assert taken(**changes) == (KEY,)


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "EC"},
        {"kty": "oct"},
        {"kty": "rsa"},
        {"kty": None},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": ["RS256"]},
        {"use": "enc"},
        {"use": ""},
        {"key_ops": []},
        {"key_ops": ["sign"]},
        {"key_ops": "verify"},
        {"key_ops": 5},
        {"n": base64url((1 << 2046) | 1)},
        {"n": base64url((1 << 8192) | 1)},
        {"n": "A" * 60_000},
        {"n": ""},
        {"n": "A"},
        {"n": 5},
        {"n": ONE["n"] + "\n"},
        {"n": ONE["n"].replace("-", "+").replace("_", "/") + "+"},
        {"n": None},
        {"e": base64url(1)},
        {"e": base64url(3)},
        {"e": base64url(65536)},
        {"e": base64url(65535)},
        {"e": base64url((1 << 64) + 1)},
        {"e": 65537},
        {"e": None},
        {"kid": "key-two"},
        {"kid": None},
        {"kid": ["key-one"]},
        {"kid": "key-one "},
    ],
    ids=lambda changes: ascii(changes)[:60],
)
def test_a_key_that_is_weak_or_meant_for_something_else_or_garbled_is_passed_over(
    changes: dict[str, Any],
) -> None:
    assert taken(**changes) == ()


def test_the_shortest_and_the_longest_key_that_is_taken() -> None:
    for bits, good in ((2047, False), (2048, True), (8192, True), (8193, False)):
        assert bool(taken(n=base64url((1 << (bits - 1)) | 1))) is good


def test_keys_of_other_kinds_and_odd_entries_hide_no_key() -> None:
    document = written(ELLIPTIC, 5, None, [], "key", {}, ONE)
    assert signing_keys(document, "key-one") == (KEY,)
    assert key_ids(document) == {"key-one"}


def test_a_set_may_hold_two_keys_and_each_is_found_by_its_own_id() -> None:
    document = KEYS.document().encode()
    assert key_ids(document) == {"key-one", "key-two"}
    assert signing_keys(document, "key-one") == (KEY,)
    assert signing_keys(document, "key-two") != (KEY,)
    assert signing_keys(document, "key-three") == ()


def test_the_ids_of_keys_that_may_not_sign_are_ids_all_the_same() -> None:
    assert key_ids(written({"kid": "small", "kty": "RSA"}, ELLIPTIC)) == {"small", "key-one"}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b'{"kty": "RSA"}',
        b"<html>",
        b"\xff\xfe",
        b'{"keys": [' + b"[" * 50_000,
        b'{"keys": [' + b"9" * 5_000 + b"]}",
        KEYS.document().encode()[:-1],
    ],
    ids=lambda document: ascii(document[:20]),
)
def test_what_is_no_set_of_keys_is_a_value_error(document: bytes) -> None:
    for read in (key_ids, lambda found: signing_keys(found, "key-one")):
        with pytest.raises(ValueError, match=r"."):
            read(document)


@patient
@given(st.lists(JSON | st.dictionaries(st.sampled_from([*ONE, "key_ops"]), JSON)))
def test_whatever_a_set_holds_beside_its_key_is_found(entries: list[object]) -> None:
    document = written(*entries, ONE)
    assert KEY in signing_keys(document, "key-one")
    assert "key-one" in key_ids(document)


# What a key signed


def test_only_the_keys_owner_can_sign() -> None:
    signed = b"synthetic bytes"
    for name in KEYS.private:
        signature = KEYS.private[name].sign(signed, PKCS1v15(), SHA256())
        assert signed_by(KEY, signature, signed) is (name == "key-one")
        assert not signed_by(KEY, signature, signed + b" ")
        assert not signed_by(KEY, signature + b"\0", signed)
        assert not signed_by(KEY, b"\0" + signature, signed)
        assert not signed_by(KEY, signature[:-1], signed)
    for forged in (b"", b"\0", b"\0" * 256, (1).to_bytes(256), NUMBERS.n.to_bytes(256)):
        assert not signed_by(KEY, forged, signed)


def test_a_signature_has_one_spelling_as_a_number_too() -> None:
    signature = KEYS.private["key-one"].sign(b"", PKCS1v15(), SHA256())
    more = int.from_bytes(signature) + NUMBERS.n
    assert signed_by(KEY, signature, b"")
    assert not signed_by(KEY, more.to_bytes(257), b"")


@pytest.mark.parametrize(
    "key", [Key(0, 0), Key(1, 1), Key(1 << 2048, 65537), Key(NUMBERS.n, 2), Key(5, 7)], ids=str
)
def test_numbers_that_are_no_key_prove_nothing(key: Key) -> None:
    assert not signed_by(key, b"\0" * 256, b"")


# Where they are published


@pytest.mark.parametrize(
    "text",
    [
        "https://api.shipengine.com/jwks",
        "https://api.eu.shipengine.com/jwks?version=1",
        "https://keys.example",
        "https://127.0.0.1/jwks",
    ],
)
def test_an_https_address_is_one(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "api.shipengine.com/jwks",
        "http://api.shipengine.com/jwks",
        "HTTPS://api.shipengine.com/jwks",
        "file:///etc/passwd",
        "https://",
        "https:///jwks",
        "https://localhost/jwks",
        "https://keys.example:8443/jwks",
        "https://user@keys.example/jwks",
        "https://keys.example\\@elsewhere.example/",
        "https://keys.example/jwks#one",
        "https://keys.example/two words",
        "https://keys.example/\r\nhost: elsewhere.example",
        "https://keys.example\n",
        "https://kéys.example/",
        "https://[::1]/jwks",
        "https://.example/",
        " https://keys.example/",
    ],
    ids=ascii,
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_address(text)
