"""Easyship's tokens held against PyPI `pyjwt`, which its receivers verify them with."""

import base64
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.sources import Account, NotAuthentic, easyship
from tests.builders import patient, sample

SECRET = "webh_synthetic00000000000000000001"
OTHER = "webh_synthetic00000000000000000002"
COMPANY = "easyship_company_id"
KEYS = {"crit", "b64", "kid", "exp", "nbf", "iat", "iss", "sub", "aud", "jti", COMPANY}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
CLAIMS = st.dictionaries(st.text().filter(lambda key: key not in KEYS), VALUES, max_size=4)
SECRETS = st.text(st.characters(codec="utf-8"), min_size=32, max_size=60)
ALGORITHMS = ("HS256", "HS384", "HS512")


def theirs(token: str, secret: str = SECRET) -> bool:
    """Whether their library takes it, for HS256 alone, with the same leeway."""
    try:
        jwt.decode(token, secret, ["HS256"], leeway=easyship.LEEWAY)
    except jwt.InvalidTokenError:
        return False
    return True


def ours(token: str, secret: str = SECRET) -> bool:
    """Whether we do."""
    headers = {easyship.HEADER: token}
    try:
        easyship.verify(headers, b"{}", [Account("a", (secret,))], datetime.now(UTC))
    except NotAuthentic:
        return False
    return True


def encoded(found: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(found).encode()).rstrip(b"=").decode()


def with_company(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {COMPANY: "SYN100000", **claims}


@patient
@given(CLAIMS, SECRETS, SECRETS)
def test_what_they_sign_we_take_and_what_we_sign_they_take(
    claims: dict[str, Any], secret: str, other: str
) -> None:
    told = with_company(claims)
    for token in (jwt.encode(told, secret, "HS256"), easyship.sign(secret, told)):
        assert theirs(token, secret)
        assert ours(token, secret)
        assert theirs(token, other) is ours(token, other) is (secret == other)
    read = jwt.decode(easyship.sign(secret, told), secret, ["HS256"])
    assert read == told


@patient
@given(
    st.dictionaries(
        st.sampled_from(easyship.TIMES),
        st.sampled_from([-7200, -3600, -65, -55, 0, 55, 65, 3600, 7200]),
    )
)
def test_both_judge_a_tokens_times_alike(offsets: dict[str, int]) -> None:
    now = datetime.now(UTC)
    claims = with_company({name: now + timedelta(seconds=off) for name, off in offsets.items()})
    token = jwt.encode(claims, SECRET, "HS256")
    assert theirs(token) is ours(token)


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "none"])
@pytest.mark.parametrize("name", [*ALGORITHMS, "none", "RS256", "ES256", "hs256", "", None, 5])
def test_neither_takes_any_algorithm_but_the_one_that_is_pinned(
    algorithm: str, name: object
) -> None:
    """Signed by one algorithm, named after another."""
    parts = (encoded({"alg": name, "typ": "JWT"}), encoded(with_company({})))
    signed = ".".join(parts)
    if algorithm == "none":
        signature = ""
    else:
        mac = jwt.get_algorithm_by_name(algorithm).sign(signed.encode(), SECRET.encode())
        signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    token = f"{signed}.{signature}"
    assert theirs(token) is ours(token) is (algorithm == name == "HS256")


@patient
@given(CLAIMS, st.randoms(use_true_random=False))
def test_neither_takes_a_token_that_was_tampered_with(
    claims: dict[str, Any], chosen: random.Random
) -> None:
    token = jwt.encode(with_company(claims), SECRET, "HS256")
    head, payload, signature = token.split(".")
    forged = encoded(with_company({"admin": True}))
    for tampered in (f"{head}.{forged}.{signature}", f"{head}.{payload}.", f"{head}.{payload}"):
        assert not ours(tampered)
        assert not theirs(tampered)
    at = chosen.randrange(len(token))
    swapped = chosen.choice("ABCxyz019-_.=+/ é")
    tampered = token[:at] + swapped + token[at + 1 :]
    if tampered != token:
        assert not ours(tampered)


@patient
@given(CLAIMS, st.text(max_size=5), st.integers(0, 10_000))
def test_whatever_we_take_they_take_too(claims: dict[str, Any], more: str, at: int) -> None:
    token = jwt.encode(with_company(claims), SECRET, "HS256")
    at %= len(token) + 1
    bent = token[:at] + more + token[at:]
    assert not ours(bent) or theirs(bent)


VECTORS = sample("signatures/easyship.json")
OUR_OWN = {
    "of another company than the account names",
    "of no company",
    "of a blank company",
    "of a company that is no text",
    "padded signature",
    "claims in another base64",
}
"""Known answers that we refuse and they don't: they know no company, and take padded base64."""


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if "time" not in v["name"]], ids=lambda v: v["name"]
)
def test_they_judge_the_known_answers_as_they_are_told_but_where_we_are_stricter(
    vector: dict[str, Any],
) -> None:
    token = vector["headers"][easyship.HEADER]
    try:
        # whenever this runs: the known answers are of one instant
        claims = jwt.decode(
            token,
            vector["secret"],
            ["HS256"],
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        claims = None
    timed = claims is not None and set(claims) & set(easyship.TIMES)
    if not timed:
        assert (claims is not None) is (vector["authentic"] or vector["name"] in OUR_OWN)
