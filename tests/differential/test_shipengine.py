"""Held against what others wrote: PyPI `pyjwt` 2 for keys, and openssl, where it is at hand."""

import base64
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import example, given
from hypothesis import strategies as st
from jwt import PyJWK, PyJWKSet
from jwt.algorithms import RSAAlgorithm
from jwt.exceptions import PyJWKSetError

from cli.local import key_material, sources_secret
from shipclock.sources import Account, NotAuthentic, accounts_of, shipengine
from shipclock.sources.jwks import Key, signing_keys
from tests.builders import REAL, patient, sample
from tests.sources.senders import KEYS, Keyed

RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)
WIDE = Keyed("wide-one")
WIDE.private["wide-one"] = rsa.generate_private_key(65537, 3072)
TIMES = st.timedeltas(timedelta(minutes=-5), timedelta(minutes=5)).map(
    lambda off: (REAL + off).isoformat()
)
VECTORS = sample("signatures/shipengine.json")
FOREIGN = [
    next(each for each in VECTORS["keys"] if each["kty"] == "EC"),
    {"kty": "oct", "kid": "key-three", "k": "c3ludGhldGlj"},
    {"kty": "of tomorrow", "kid": "key-four"},
]


def theirs(document: str, key_id: str, signature: bytes, signed: bytes) -> bool:
    """Whether their library takes it."""
    try:
        key = PyJWKSet.from_json(document)[key_id].key
    except (KeyError, PyJWKSetError):
        return False
    return RS256.verify(signed, key, signature)


def ours(document: str, key_id: str, signature: bytes, at: str, body: bytes) -> bool:
    """Whether we do."""
    headers = {
        shipengine.KEY_ID: key_id,
        shipengine.SIGNATURE: base64.b64encode(signature).decode(),
        shipengine.TIME: at,
    }
    try:
        shipengine.verify(headers, body, [Account("a", (document,))], REAL)
    except NotAuthentic:
        return False
    return True


@patient
@given(st.binary(max_size=400), TIMES, st.sampled_from([(KEYS, "key-one"), (WIDE, "wide-one")]))
@example(b"", "2026-11-23T12:00:00.0000000Z", (KEYS, "key-two"))
def test_both_take_what_a_key_signed_and_nothing_else(
    body: bytes, at: str, by: tuple[Keyed, str]
) -> None:
    keys, key_id = by
    document, signed = keys.document(), at.encode() + b"." + body
    signature = RS256.sign(signed, keys.private[key_id])
    assert theirs(document, key_id, signature, signed)
    assert ours(document, key_id, signature, at, body)
    for other in (b" ", b"."):
        assert not theirs(document, key_id, signature, signed + other)
        assert not ours(document, key_id, signature, at, body + other)


@patient
@given(st.integers(0, 255), st.integers(0, 7), st.binary(max_size=3), st.binary(max_size=3))
def test_both_judge_a_bent_signature_alike(at: int, bit: int, before: bytes, after: bytes) -> None:
    time, document = "2026-11-23T12:00:00Z", KEYS.document()
    signed = f"{time}.{{}}".encode()
    good = RS256.sign(signed, KEYS.private["key-one"])
    flipped = good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :]
    for bent in (good, flipped, before + good + after, good[len(before) :], good[::-1]):
        expected = theirs(document, "key-one", bent, signed)
        assert ours(document, "key-one", bent, time, b"{}") is expected is (bent == good)


@patient
@given(st.permutations([*FOREIGN, *(KEYS.entry(each, alg=None) for each in KEYS.private)]))
def test_both_read_the_same_numbers_out_of_a_set_with_other_kinds_in_it(entries: list[Any]) -> None:
    document = json.dumps({"keys": entries})
    known = PyJWKSet.from_json(document)
    for key_id in KEYS.private:
        numbers = known[key_id].key.public_numbers()
        assert signing_keys(document.encode(), key_id) == (Key(numbers.n, numbers.e),)


def test_what_the_local_stack_makes_up_lets_an_outsider_sign() -> None:
    material = key_material("shipengine")
    tiktok = {"app_key": "synthetic", "app_secret": "synthetic"}
    held = json.loads(sources_secret(tiktok, {"shipengine": material}))
    (account,) = accounts_of(held, "shipengine")
    assert PyJWK.from_dict(json.loads(material["secret"])["keys"][0]).key_id == material["key_id"]
    private = load_pem_private_key(material["private_key"].encode(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    at, body = REAL.isoformat(), b'{"resource_type": "API_TRACK"}'
    signature = RS256.sign(at.encode() + b"." + body, private)
    (document,) = account.secrets
    assert ours(document, material["key_id"], signature, at, body)
    assert key_material("shipengine")["secret"] != material["secret"]


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda v: v["name"])
def test_they_judge_the_known_answers_as_they_are_told(vector: dict[str, Any]) -> None:
    """Theirs knows nothing of times, strengths and spellings; there it may be more lenient."""
    headers = vector["headers"]
    given = headers[shipengine.SIGNATURE]
    try:
        signature = base64.b64decode(given, validate=True)
    except ValueError:
        signature = b""
    signed = f"{headers[shipengine.TIME]}.{vector['body']}".encode()
    key_id = headers[shipengine.KEY_ID]
    rsa_only = json.dumps({"keys": [each for each in VECTORS["keys"] if each["kty"] == "RSA"]})
    taken = theirs(rsa_only, key_id, signature, signed)
    assert taken or not vector["authentic"]
    if taken and not vector["authentic"]:
        assert vector["name"] in {
            "a second older than five minutes",
            "a second more than five minutes ahead",
            "a time in Unix seconds",
            "no time at all",
            "by a key of 1024 bits",
            "by a key that is for encryption",
            "by a key that is for RS512",
        }


OPENSSL = shutil.which("openssl") or ""


@pytest.mark.skipif(not OPENSSL, reason="openssl is not on PATH")
@pytest.mark.parametrize("bits", [2048, 3072])
def test_what_openssl_signs_is_taken(bits: int, tmp_path: Path) -> None:
    def openssl(*words: str, given: bytes = b"") -> bytes:
        done = subprocess.run([OPENSSL, *words], input=given, capture_output=True, check=True)
        return done.stdout

    pem = tmp_path / "key.pem"
    pem.write_bytes(openssl("genrsa", str(bits)))
    private = load_pem_private_key(pem.read_bytes(), None)
    assert isinstance(private, rsa.RSAPrivateKey)
    keys = Keyed()
    keys.private["made by openssl"] = private
    document = keys.document()
    for seconds, body in enumerate((b"", b"{}", b"\x00\xff" * 50, '{"é": 1}'.encode())):
        at = (REAL + timedelta(seconds=seconds)).isoformat()
        signed = at.encode() + b"." + body
        signature = openssl("dgst", "-sha256", "-sign", str(pem), given=signed)
        assert ours(document, "made by openssl", signature, at, body)
        assert not ours(document, "made by openssl", signature, at, body + b"\n")
        for other in (["-sha512"], ["-sha256", "-sigopt", "rsa_padding_mode:pss"]):
            wrong = openssl("dgst", *other, "-sign", str(pem), given=signed)
            assert not ours(document, "made by openssl", wrong, at, body)
