"""Held against the vendor's own library: PyPI `easypost` 10.7.0."""

import json
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, get_args

import pytest
from easypost.errors.general.signature_verification_error import SignatureVerificationError
from easypost.models.event import Event
from easypost.models.tracker import Tracker
from easypost.util import receive_event, validate_webhook
from hypothesis import example, given
from hypothesis import strategies as st

from shipclock.sources import Account, NotAuthentic, easypost
from tests.builders import patient, sample, sample_bytes, samples

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = get_args(Form)
TEXT = st.text(st.characters(codec="utf-8"), max_size=100)
SECRETS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=60)
BODIES = st.dictionaries(TEXT, TEXT | st.integers() | st.none(), max_size=4).map(
    lambda body: json.dumps(body, ensure_ascii=False).encode()
)


def theirs(secret: str, body: bytes, header: str) -> bool:
    """Whether their library takes it."""
    try:
        validate_webhook(body, {"X-Hmac-Signature": header}, secret)
    except SignatureVerificationError:
        return False
    return True


def ours(secret: str, body: bytes, header: str) -> bool:
    """Whether we do."""
    try:
        easypost.verify({"x-hmac-signature": header}, body, [Account("a", (secret,))], NOW)
    except NotAuthentic:
        return False
    return True


@patient
@given(SECRETS, BODIES)
@example("sécret", b"{}")
@example("ﬁve ² № Å 값 \N{FULLWIDTH LATIN SMALL LETTER S}", b"{}")
def test_their_verifier_takes_what_we_sign_whatever_the_secret_is_written_in(
    secret: str, body: bytes
) -> None:
    header = easypost.sign(secret, body)
    assert theirs(secret, body, header)
    assert ours(secret, body, header)
    assert not theirs(secret, body + b" ", header)
    assert not ours(secret, body + b" ", header)


@patient
@given(SECRETS, SECRETS, BODIES)
@example("é", "e\N{COMBINING ACUTE ACCENT}", b"{}")
@example("a", "A", b"{}")
def test_both_take_another_secret_for_the_same_one_in_the_same_cases(
    secret: str, other: str, body: bytes
) -> None:
    header = easypost.sign(other, body)
    assert theirs(secret, body, header) == ours(secret, body, header)


@patient
@given(SECRETS, st.sampled_from(FORMS), BODIES)
def test_how_a_secret_is_composed_matters_to_neither(secret: str, form: Form, body: bytes) -> None:
    rewritten = unicodedata.normalize(form, secret)
    header = easypost.sign(secret, body)
    assert theirs(rewritten, body, header)
    assert ours(rewritten, body, header)


@patient
@given(
    st.text(st.characters(codec="ascii"), max_size=90)
    | st.sampled_from(["{}", "{} ", " {}", "{},{}", "{}{}"])
)
@example("{}")
def test_both_refuse_the_same_headers(shape: str) -> None:
    body = b'{"id": "evt_synthetic0001"}'
    good = easypost.sign("synthetic secret", body)
    for header in (shape.replace("{}", good), good.replace("hmac-sha256-hex=", shape)):
        assert theirs("synthetic secret", body, header) == ours("synthetic secret", body, header)


VECTORS = sample("signatures/easypost.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_they_judge_the_known_answers_as_they_are_told(
    vector: dict[str, object],
) -> None:
    headers, secret = vector["headers"], vector["secret"]
    assert isinstance(headers, dict)
    assert isinstance(secret, str)
    body = str(vector["body"]).encode()
    assert theirs(secret, body, headers["x-hmac-signature"]) == vector["authentic"]


@pytest.mark.parametrize("path", samples("easypost"))
def test_their_library_reads_each_sample_as_an_event(path: str) -> None:
    event = receive_event(sample_bytes(path).decode())
    assert isinstance(event, Event)
    if event.description in easypost.EVENTS:
        assert isinstance(event.result, Tracker)
        for field in ("tracking_code", "status", "status_detail", "updated_at", "carrier"):
            assert isinstance(getattr(event.result, field), str)
        for entry in event.result.tracking_details:
            with suppress(AttributeError):  # the sample of odd entries
                assert entry.object == "TrackingDetail"
