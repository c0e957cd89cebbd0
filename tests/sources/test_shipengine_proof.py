"""ShipEngine and ShipStation: whose keys prove a webhook, and which of them."""

import base64
import json
import subprocess
import sys
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest

from shipclock.sources import Account, KeysWanted, NotAuthentic, Unsigned, shipengine
from tests.builders import OTHER_SHOP, REAL, SHOP, sample, sample_bytes
from tests.sources.senders import KEYS, Signed

BODY = sample_bytes("shipengine/delivered.json")
PINNED = Account("pinned", (KEYS.document(),))
ADDRESS = "https://keys.example/jwks"
PUBLIC = Account("public", (ADDRESS,))
NOW = "2026-11-23T12:00:00Z"


def signed(body: bytes = BODY, key_id: str = "key-one", at: str = NOW) -> Signed:
    return KEYS.sign(body, key_id, at)


def who(sent: Signed, *accounts: Account, **more: str) -> Account:
    headers, body = sent
    return shipengine.verify({**headers, **more}, body, accounts or (PINNED,), REAL)


def refuses(sent: Signed, *accounts: Account, **more: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        who(sent, *accounts, **more)
    assert not isinstance(refused.value, Unsigned | KeysWanted)


# Known answers

KNOWN = sample("signatures/shipengine.json")


@pytest.mark.parametrize("vector", KNOWN["vectors"], ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("default", (json.dumps({"keys": KNOWN["keys"]}),))
    sent = vector["headers"], vector["body"].encode()
    if vector["authentic"]:
        assert who(sent, account) == account
    else:
        refuses(sent, account)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert [vector["authentic"] for vector in KNOWN["vectors"]].count(True) == 5
    assert [vector["authentic"] for vector in KNOWN["vectors"]].count(False) == 23


# When it was signed


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=5))])
@pytest.mark.parametrize("off", [-301, -300, -1, 0, 1, 300, 301])
def test_a_signature_counts_for_five_minutes_either_way_on_whatever_clock_it_is_told(
    off: int, zone: timezone
) -> None:
    sent = signed(at=(REAL + timedelta(seconds=off)).astimezone(zone).isoformat())
    if abs(off) <= 300:
        assert who(sent) == PINNED
    else:
        refuses(sent)


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-23T12:00:00.123Z",
        "2026-11-23T12:00:00.1234567Z",
        "2026-11-23T12:00:00.1234567+00:00",
        "2026-11-23T12:00:00z",
        "2026-11-23T12:00:00",
    ],
)
def test_a_time_is_good_in_any_spelling_of_iso_8601(at: str) -> None:
    assert who(signed(at=at)) == PINNED


@pytest.mark.parametrize(
    "at",
    [
        *("noon", "1795435200", "1795435200000", "0", "-1", "NaN", "2026-11-23", "12:00:00Z"),
        *("2026-13-23T12:00:00Z", "2026-11-23T25:00:00Z", "Mon, 23 Nov 2026 12:00:00 GMT"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", f"{NOW},{NOW}", f"{NOW} x"),
        *("2026-11-23\u00a012:00:00Z", "\u0662026-11-23T12:00:00Z"),
    ],
    ids=ascii,
)
def test_what_is_no_time_proves_nothing_though_it_is_signed(at: str) -> None:
    refuses(signed(at=at))


def test_a_signature_has_one_spelling() -> None:
    good = signed()[0][shipengine.SIGNATURE]
    assert good.endswith("==")
    with_spare_bits = good[:-3] + chr(ord(good[-3]) + 1) + "=="
    assert base64.b64decode(with_spare_bits) == base64.b64decode(good)
    for other in (with_spare_bits, good[:-1], good + "=", good + "====", f"{good}\n", f" {good}"):
        refuses(signed(), **{shipengine.SIGNATURE: other})


def test_half_a_character_in_a_header_is_refused_without_a_stumble() -> None:
    for name in shipengine.EVIDENCE:
        for value in ("\ud800", "2026-11-23\ud80012:00:00Z", "key-one\udcff"):
            refuses(signed(), **{name: value})


# Which key


def test_the_missing_headers_are_told_apart_from_wrong_ones() -> None:
    headers, body = signed()
    for name in shipengine.EVIDENCE:
        for lacking in ({**headers, name: ""}, {k: v for k, v in headers.items() if k != name}):
            with pytest.raises(Unsigned, match=name):
                who((lacking, body))


@pytest.mark.parametrize(
    "key_id",
    ["key-two", "key-three", "KEY-ONE", "key", "key-one,key-one", "key-one ", "é", "x" * 201, "\n"],
    ids=ascii,
)
def test_a_signature_counts_for_the_key_that_is_named_and_no_other(key_id: str) -> None:
    refuses(signed(), **{shipengine.KEY_ID: key_id})


def test_nothing_in_a_request_brings_a_key() -> None:
    stranger = json.dumps({"keys": [KEYS.entry("key-two", kid="key-one")]})
    brought = {
        "jku": "https://elsewhere.example/jwks",
        "jwk": json.dumps(KEYS.entry("key-two", kid="key-one")),
        "x-shipengine-rsa-sha256-key": stranger,
        "alg": "none",
    }
    headers, body = signed(key_id="key-two")
    refuses(({**headers, **brought, shipengine.KEY_ID: "key-one"}, body))
    address = {**headers, shipengine.KEY_ID: "https://elsewhere.example/jwks"}
    refuses((address, body))


def test_one_set_may_hold_two_keys_while_they_are_rotated() -> None:
    for key_id in KEYS.private:
        assert who(signed(key_id=key_id)) == PINNED
    old = Account("old", (KEYS.document("key-one"),))
    assert who(signed(), old) == old
    refuses(signed(key_id="key-two"), old)


def test_an_id_that_stands_twice_in_a_set_counts_for_both() -> None:
    both = {"keys": [KEYS.entry("key-two", kid="key-one"), KEYS.entry("key-one")]}
    account = Account("both", (json.dumps(both),))
    assert who(signed(), account) == account


@pytest.mark.parametrize(
    "secret",
    [
        "half a \ud83d",
        "synthetic",
        "{}",
        "[]",
        '{"keys": 5}',
        KEYS.document()[:-1],
        "http://keys.example/jwks",
        "https://keys.example:8443/jwks",
    ],
    ids=lambda secret: ascii(secret[:30]),
)
def test_a_secret_that_is_neither_keys_nor_their_address_is_our_own_fault(secret: str) -> None:
    with pytest.raises(ValueError, match="a shipengine secret must be") as fault:
        who(signed(), Account("default", (secret,)))
    assert secret not in str(fault.value)
    assert fault.value.__suppress_context__


# Keys that are published


def test_where_keys_are_published_they_are_wanted_by_the_id_that_is_named() -> None:
    with pytest.raises(KeysWanted) as wanted:
        who(signed(), PUBLIC)
    assert (wanted.value.addresses, wanted.value.key_id) == ((ADDRESS,), "key-one")


def test_a_set_that_is_pinned_proves_without_them() -> None:
    assert who(signed(), PUBLIC, PINNED) == PINNED
    with pytest.raises(KeysWanted) as wanted:
        who(signed(), PUBLIC, Account("old", (KEYS.document("key-two"),)), PUBLIC)
    assert wanted.value.addresses == (ADDRESS,)


def test_every_address_is_wanted_once() -> None:
    other = Account("eu", ("https://keys.eu.example/jwks", ADDRESS))
    with pytest.raises(KeysWanted) as wanted:
        who(signed(), PUBLIC, other)
    assert wanted.value.addresses == (ADDRESS, "https://keys.eu.example/jwks")


@pytest.mark.parametrize(
    "changes",
    [
        {shipengine.KEY_ID: "key-one,key-one"},
        {shipengine.SIGNATURE: "no base64!"},
        {shipengine.TIME: "2026-11-23T11:54:59Z"},
    ],
    ids=str,
)
def test_what_is_malformed_or_old_costs_nobody_a_look(changes: dict[str, str]) -> None:
    refuses(signed(), PUBLIC, **changes)


# Whose customer: ShipEngine signs for all of them with the same keys

MINE = Account("mine", (KEYS.document(),), (SHOP,), {"token": "synthetic token 1"})
THEIRS = Account("theirs", (KEYS.document(),), (OTHER_SHOP,), {"token": "synthetic token 2"})


def test_a_token_tells_accounts_apart_that_one_key_signs_for() -> None:
    for account in (MINE, THEIRS):
        token = account.option("token")
        assert who(signed(), MINE, THEIRS, **{shipengine.OURS: token}) == account
        refuses((signed()[0], BODY + b" "), account, **{shipengine.OURS: token})


@pytest.mark.parametrize(
    "given", ["", "synthetic token", "synthetic token 3", "Synthetic Token 1", "é", "\udcff"]
)
def test_without_its_token_an_account_is_not_proven_and_no_key_is_wanted(given: str) -> None:
    public = Account("public", (ADDRESS,), (), {"token": "synthetic token 1"})
    refuses(signed(), MINE, THEIRS, public, **{shipengine.OURS: given})
    refuses(signed(), MINE, THEIRS, public)


@pytest.mark.parametrize("token", ["", None, 5, [], ["synthetic token 1"], "é", "\ud800"])
def test_a_token_that_can_be_none_opens_nothing_and_is_our_own_fault(token: object) -> None:
    account = Account("default", (KEYS.document(),), (), {"token": token})
    with pytest.raises(ValueError, match="the token of a shipengine account"):
        who(signed(), account)


def test_a_token_is_not_kept_as_evidence() -> None:
    assert shipengine.OURS not in shipengine.EVIDENCE


LAZY = """
import sys
from shipclock.sources import source
source("shipengine")
print([name for name in sys.modules if name.split(".")[0] in ("cryptography", "cffi")])
"""


def test_the_library_for_rsa_is_loaded_with_the_first_signature_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LAZY],
        env={"PYTHONPATH": "layers/common"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
