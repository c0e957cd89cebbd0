"""How a mapping proves its sender: every strategy, against other hands' signatures."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.sources import Account, NotAuthentic, Unsigned, shippo, source, standard_webhooks
from shipclock.sources.mapped import Mapped
from tests.builders import REAL, sample, sample_bytes
from tests.sources.mappings import (
    ACCOUNT,
    OTHER,
    SECRET,
    body,
    mapped,
    scan_of,
    warnings,
    who,
)

BODY = body()
NOW = str(int(REAL.timestamp()))


def refused(
    by: Mapped, headers: dict[str, str], sent: bytes = BODY, *accounts: Account, at: datetime = REAL
) -> NotAuthentic:
    with pytest.raises(NotAuthentic) as problem:
        who(by, headers, sent, *accounts, at=at)
    assert SECRET not in str(problem.value)
    return problem.value


# The example's known answers


@pytest.mark.parametrize("vector", sample("signatures/example_3pl.json"), ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("a", (vector["secret"],))
    sent = (vector["headers"], vector["body"].encode(), [account])
    now = datetime.fromtimestamp(vector["at"], tz=REAL.tzinfo)
    if vector["authentic"]:
        assert source("example_3pl").verify(*sent, now) == account
        return
    with pytest.raises(NotAuthentic):
        source("example_3pl").verify(*sent, now)


# hmac

ENCODE: dict[str, Callable[[bytes], str]] = {
    "hex": lambda raw: raw.hex(),
    "HEX": lambda raw: raw.hex().upper(),
    "base64": lambda raw: base64.b64encode(raw).decode(),
}
KEYS = {
    "text": SECRET.encode(),
    "base64": bytes(range(32)),
    "hex": bytes(range(32)),
}
WRITTEN = {
    "text": SECRET,
    "base64": base64.b64encode(bytes(range(32))).decode(),
    "hex": bytes(range(32)).hex(),
}


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ENCODE)
@pytest.mark.parametrize("key", KEYS)
def test_every_algorithm_encoding_and_way_to_write_the_key(
    algorithm: str, encoding: str, key: str
) -> None:
    by = mapped(
        auth=f'strategy = "hmac"\nheader = "X-Sign"\nalgorithm = "{algorithm}"\n'
        f'encoding = "{encoding}"\nkey = "{key}"'
    )
    account = Account("a", (WRITTEN[key],))
    raw = hmac.new(KEYS[key], BODY, algorithm).digest()
    assert who(by, {"x-sign": ENCODE[encoding](raw)}, BODY, account) == account
    for other, write in ENCODE.items():
        if other != encoding:
            refused(by, {"x-sign": write(raw)}, BODY, account)
    for other in {"sha1", "sha256", "sha512"} - {algorithm}:
        wrong = hmac.new(KEYS[key], BODY, other).digest()
        refused(by, {"x-sign": ENCODE[encoding](wrong)}, BODY, account)
    assert by.spec.proof.covers_body
    assert by.EVIDENCE == ("x-sign",)


@pytest.mark.parametrize("key", ["base64", "hex"])
@pytest.mark.parametrize("odd", ["half a \ud83d", "no key!", "é", "=", " "])
def test_a_secret_that_is_not_written_as_told_is_our_own_fault(key: str, odd: str) -> None:
    by = mapped(auth=f'strategy = "hmac"\nheader = "X-Sign"\nkey = "{key}"')
    with pytest.raises(ValueError, match=r"^a tried secret must be") as fault:
        who(by, {"x-sign": "x"}, BODY, Account("a", (odd,)))
    assert odd not in str(fault.value) or odd == " "


def test_a_signature_may_be_made_of_several_parts() -> None:
    by = mapped(
        auth='strategy = "hmac"\nheader = "X-Sign"\ntimestamp_header = "X-Time"\n'
        'signed = "v0:{header:X-Id}:{timestamp}:{body}"'
    )
    text = b"v0:id-1:" + NOW.encode() + b":" + BODY
    headers = {
        "x-sign": hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest(),
        "x-id": "id-1",
        "x-time": NOW,
    }
    assert who(by, headers, BODY) == ACCOUNT
    assert by.EVIDENCE == ("x-sign", "x-time", "x-id")
    for name in ("x-id", "x-time"):
        assert not isinstance(refused(by, {**headers, name: ""}), Unsigned)
        refused(by, {**headers, name: headers[name] + "0"})
    assert isinstance(refused(by, {**headers, "x-sign": ""}), Unsigned)


def test_what_is_signed_may_have_lines() -> None:
    by = mapped(auth='strategy = "hmac"\nheader = "X-Sign"\nsigned = "POST\\n{body}\\n"')
    mac = hmac.new(SECRET.encode(), b"POST\n" + BODY + b"\n", hashlib.sha256).hexdigest()
    assert who(by, {"x-sign": mac}, BODY) == ACCOUNT


def test_shippos_signature_fits_a_mapping_that_tells_of_it() -> None:
    by = mapped(
        auth='strategy = "hmac"\nheader = "Shippo-Auth-Signature"\n'
        'value = "t={timestamp},v1={signature}"\nsigned = "{timestamp}.{body}"'
    )
    given = shippo.sign(SECRET, NOW, BODY)
    assert who(by, {shippo.HEADER: given}, BODY) == ACCOUNT
    assert by.EVIDENCE == shippo.EVIDENCE
    for wrong in (
        *(given[2:], given.replace("v1", "v0"), given + ",v1=x", given.replace(",", ", ")),
        *("t=" + given, "t=,v1=", "v1=x,t=1", "t=1,v1=" + "x" * 100_000, "0" * 100_000),
    ):
        refused(by, {shippo.HEADER: wrong})
    at = REAL + timedelta(seconds=301)
    assert "seconds off" in str(refused(by, {shippo.HEADER: given}, at=at))


STAMPS: dict[str, Callable[[datetime], str]] = {
    "unix": lambda at: str(int(at.timestamp())),
    "unix_ms": lambda at: str(int(at.timestamp() * 1000)),
    "iso": lambda at: at.isoformat(),
}


@pytest.mark.parametrize("form", STAMPS)
def test_a_signed_time_is_good_for_the_tolerance_either_way(form: str) -> None:
    by = mapped(
        auth='strategy = "hmac"\nheader = "X-Sign"\nsigned = "{body}{timestamp}"\n'
        f'timestamp_header = "X-Time"\ntimestamp_format = "{form}"\ntolerance = 60'
    )
    stamp = STAMPS[form](REAL)
    mac = hmac.new(SECRET.encode(), BODY + stamp.encode(), hashlib.sha256).hexdigest()
    headers = {"x-sign": mac, "x-time": stamp}
    for off in (-60, 0, 60):
        assert who(by, headers, BODY, at=REAL + timedelta(seconds=off)) == ACCOUNT
    for off in (-61, 61):
        refused(by, headers, at=REAL + timedelta(seconds=off))


@pytest.mark.parametrize("form", STAMPS)
@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "x",
        "-1",
        "1e9",
        "1.5",
        "٣",
        "²",
        "\ud800",
        "9" * 1000,
        "2026-11-23T12:00:00",
        "nan",
        " ",
    ],
)
def test_an_odd_time_is_refused_without_a_stumble(form: str, stamp: str) -> None:
    by = mapped(
        auth='strategy = "hmac"\nheader = "X-Sign"\nsigned = "{timestamp}{body}"\n'
        f'timestamp_header = "X-Time"\ntimestamp_format = "{form}"'
    )
    refused(by, {"x-sign": "0" * 64, "x-time": stamp})


# standard_webhooks


def test_standard_webhooks_are_proven_as_its_own_source_does() -> None:
    by = mapped(auth='strategy = "standard_webhooks"')
    secret = "whsec_c3ludGhldGljLW9uZS0wMDAwMDE="
    account = Account("a", (secret,))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": NOW,
        "webhook-signature": standard_webhooks.sign(secret, "msg_1", NOW, BODY),
    }
    assert who(by, headers, BODY, account) == account
    assert by.EVIDENCE == standard_webhooks.EVIDENCE
    assert by.spec.proof.covers_body
    refused(by, headers, BODY + b" ", account)
    refused(by, headers, BODY, account, at=REAL + timedelta(seconds=301))
    with pytest.raises(ValueError, match=r"^a tried secret must be whsec_ and base64$"):
        who(by, headers, BODY, Account("a", ("no base64!",)))


def test_the_same_scheme_can_be_spelt_out() -> None:
    by = mapped(
        auth='strategy = "hmac"\nheader = "Webhook-Signature"\nvalue = "v1,{signature}"\n'
        'signed = "{header:webhook-id}.{timestamp}.{body}"\nkey = "base64"\nencoding = "base64"\n'
        'timestamp_header = "Webhook-Timestamp"'
    )
    secret = "c3ludGhldGljLW9uZS0wMDAwMDE="
    account = Account("a", (secret,))
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": NOW,
        "webhook-signature": standard_webhooks.sign("whsec_" + secret, "msg_1", NOW, BODY),
    }
    assert who(by, headers, BODY, account) == account


# Secrets that are sent along

PAIR = "shop:" + SECRET
SHARED: list[tuple[str, str, str, str]] = [
    ('strategy = "header"\nheader = "X-Api-Key"', "x-api-key", SECRET, SECRET),
    (
        'strategy = "header"\nheader = "Authorization"\nvalue = "Token {secret}"',
        *("authorization", f"Token {SECRET}", SECRET),
    ),
    ('strategy = "bearer"', "authorization", f"Bearer {SECRET}", SECRET),
    (
        'strategy = "basic"',
        *("authorization", "Basic " + base64.b64encode(PAIR.encode()).decode(), PAIR),
    ),
]


@pytest.mark.parametrize(("auth", "header", "value", "secret"), SHARED)
def test_a_secret_that_is_sent_along_lets_in_and_confirms_nothing(
    auth: str, header: str, value: str, secret: str
) -> None:
    by = mapped(auth=auth)
    account = Account("a", (OTHER, secret) if secret != PAIR else ("x:" + OTHER, secret))
    assert who(by, {header: value}, BODY, account) == account
    assert who(by, {header: value}, b"anything", account) == account
    assert by.EVIDENCE == ()
    assert not by.spec.proof.covers_body
    assert scan_of(by, BODY).flags == ("unconfirmed",)
    assert any("does not cover the body" in warning for warning in warnings(auth=auth))
    for wrong in (
        *(value + "0", value[:-1], value.swapcase(), f"{value},{value}", value + "\x00", "é"),
        *("Bearer", "Basic ", "Basic é", "\ud800", "0" * 100_000, secret + " ", f" {value}"),
    ):
        problem = refused(by, {header: wrong}, BODY, account)
        assert not isinstance(problem, Unsigned)
    for none in ({}, {header: ""}, {"cookie": value}):
        assert isinstance(refused(by, dict(none), BODY, account), Unsigned)


def test_the_word_before_a_token_may_be_in_any_case() -> None:
    by = mapped(auth='strategy = "bearer"')
    for word in ("bearer", "BEARER", "Bearer"):
        assert who(by, {"authorization": f"{word} {SECRET}"}, BODY) == ACCOUNT


def test_a_basic_secret_is_a_pair() -> None:
    by = mapped(auth='strategy = "basic"')
    with pytest.raises(ValueError, match=r"^a tried secret must be user:password$"):
        who(by, {"authorization": "Basic x"}, BODY)


def test_a_signature_that_leaves_the_body_out_confirms_nothing() -> None:
    auth = (
        'strategy = "hmac"\nheader = "X-Sign"\nsigned = "{timestamp}"\ntimestamp_header = "X-Time"'
    )
    by = mapped(auth=auth)
    mac = hmac.new(SECRET.encode(), NOW.encode(), hashlib.sha256).hexdigest()
    assert who(by, {"x-sign": mac, "x-time": NOW}, b"anything") == ACCOUNT
    assert scan_of(by, BODY).flags == ("unconfirmed",)
    assert any(w.startswith("line 6: auth.signed") for w in warnings(auth=auth))


# What is expected, in words


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        *((auth, [header]) for auth, header, _, _ in SHARED),
        ('strategy = "standard_webhooks"', ["webhook-signature"]),
        ('strategy = "hmac"\nheader = "X-Sign"', ["x-sign", "SHA256", "{body}"]),
        (
            'strategy = "hmac"\nheader = "S"\nvalue = "{timestamp},{signature}"\n'
            'signed = "{timestamp}{body}"\nkey = "hex"',
            ["{timestamp}{body}", "read as hex", "the time stands in s, as unix"],
        ),
    ],
)
def test_every_strategy_says_what_it_asks(auth: str, words: list[str]) -> None:
    told = mapped(auth=auth).spec.proof.asks()
    assert [word for word in words if word not in told] == []


def test_the_examples_samples_are_signed_bodies_too() -> None:
    by = source("example_3pl")
    sent = sample_bytes("example_3pl/delivered.json")
    mac = hmac.new(b"s", NOW.encode() + b"." + sent, hashlib.sha256).hexdigest()
    headers = {"x-example-time": NOW, "x-example-signature": f"sha256={mac}"}
    assert by.verify(headers, sent, [Account("a", ("s",))], REAL).name == "a"
    assert by.EVIDENCE == ("x-example-signature", "x-example-time")
    assert by.acknowledge(sent) == b'{"received":true}'
