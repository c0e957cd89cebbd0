"""The tokens that a sender fetches from us, by the rules of OAuth (RFC 6749, 4.4 and 5)."""

import base64
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from shipclock.sources import Account, NotAuthentic, NotGranted, Unsigned, ups
from tests.builders import REAL

CLIENT, SECRET, OTHER = "synthetic-client", "synthetic secret 0001", "synthetic secret 0002"
ACCOUNT = Account(CLIENT, (SECRET,))
FORM = {"grant_type": "client_credentials"}
TWICE = b"grant_type=client_credentials&grant_type=client_credentials"


def granted(
    headers: dict[str, str] | None = None,
    fields: dict[str, str] | bytes = FORM,
    *accounts: Account,
    at: datetime = REAL,
) -> dict[str, Any]:
    body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
    found: dict[str, Any] = json.loads(ups.grant(headers or {}, body, accounts or (ACCOUNT,), at))
    return found


def basic(client: str = CLIENT, secret: str = SECRET) -> dict[str, str]:
    told = base64.b64encode(f"{client}:{secret}".encode()).decode()
    return {"authorization": f"Basic {told}"}


def in_form(client: str = CLIENT, secret: str = SECRET) -> dict[str, str]:
    return {**FORM, "client_id": client, "client_secret": secret}


def test_a_client_fetches_a_token_by_basic_or_by_the_form_and_is_let_in_with_it() -> None:
    for answer in (granted(basic()), granted(None, in_form())):
        assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 3600)
        shown = {"authorization": f"Bearer {answer['access_token']}", "x-api-key": CLIENT}
        assert ups.verify(shown, b"{}", (ACCOUNT,), REAL) == ACCOUNT


def test_a_token_holds_no_name_and_nothing_that_an_address_or_header_must_encode() -> None:
    token = granted(basic())["access_token"]
    assert quote(token, safe="") == token
    assert CLIENT not in token
    assert int(token.partition(".")[0]) == int(REAL.timestamp()) + 3600


@pytest.mark.parametrize(
    ("client", "secret"),
    [("a client", "s+e%c r/e:t="), ("clïent", "sécret №1"), ("a:b", "100%25"), ("a", "b%zz")],
)
def test_id_and_secret_may_be_percent_encoded_in_basic_or_not(client: str, secret: str) -> None:
    account = Account(client, (secret,))
    plus = urlencode({"": client})[1:], urlencode({"": secret})[1:]
    for pair in ((quote(client, safe=""), quote(secret, safe="")), plus):
        assert granted(basic(*pair), FORM, account)
    if ":" not in client:  # else only the encoding tells where the id ends
        assert granted(basic(client, secret), FORM, account)
    assert granted(None, in_form(client, secret), account)


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_case_of_the_scheme_does_not_matter(scheme: str) -> None:
    told = basic()["authorization"].partition(" ")[2]
    assert granted({"authorization": f"{scheme} {told}"})


def test_what_else_the_form_holds_is_ignored_and_an_empty_field_is_none() -> None:
    more = {"scope": "read", "client_secret": "", "client_id": CLIENT, "x": "é"}
    assert granted(basic(), FORM | more)


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        (basic(secret=OTHER), FORM),
        (basic(client="another"), FORM),
        (basic(secret=""), FORM),
        (basic(client=SECRET, secret=CLIENT), FORM),
        ({"authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}, FORM),
        ({"authorization": f"Bearer {SECRET}"}, FORM),
        ({"authorization": SECRET}, FORM),
        ({"authorization": "Basic"}, FORM),
        ({"authorization": "Basic %%%"}, FORM),
        ({"authorization": "Basic é"}, FORM),
        ({"authorization": "Basic \ud800"}, FORM),
        ({"authorization": "Basic /w=="}, FORM),
        ({"authorization": basic()["authorization"] + ",x"}, FORM),
        (None, in_form(secret=OTHER)),
        (None, in_form(client="another")),
        (None, in_form(client="")),
        (None, in_form(secret=SECRET + " ")),
        (basic(secret=OTHER), {"grant_type": "password"}),
    ],
)
def test_a_client_that_is_not_proven_gets_nothing(
    headers: dict[str, str] | None, fields: dict[str, str]
) -> None:
    with pytest.raises(NotAuthentic) as refused:
        granted(headers, fields)
    assert not isinstance(refused.value, Unsigned)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("fields", [FORM, FORM | {"client_id": CLIENT, "client_secret": ""}])
def test_no_credentials_at_all_are_told_apart(fields: dict[str, str]) -> None:
    with pytest.raises(Unsigned):
        granted(None, fields)


@pytest.mark.parametrize(
    ("headers", "fields", "error"),
    [
        (basic(), b"", "invalid_request"),
        (basic(), b'{"grant_type": "client_credentials"}', "invalid_request"),
        (basic(), TWICE, "invalid_request"),
        (basic(), b"\xff", "invalid_request"),
        (basic(), b"grant_type=", "invalid_request"),
        (basic(), b"scope=x", "invalid_request"),
        (basic(), in_form(), "invalid_request"),
        (basic(), FORM | {"client_id": "another"}, "invalid_request"),
        (basic(), {"grant_type": "password"}, "unsupported_grant_type"),
        (basic(), {"grant_type": "Client_Credentials"}, "unsupported_grant_type"),
        (basic(), {"grant_type": "refresh_token"}, "unsupported_grant_type"),
    ],
)
def test_what_is_no_request_for_such_a_token_is_told_by_oauths_words(
    headers: dict[str, str], fields: dict[str, str] | bytes, error: str
) -> None:
    with pytest.raises(NotGranted) as refused:
        granted(headers, fields)
    assert refused.value.error == error
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_secret_of_ours_that_can_be_none_is_our_own_fault_and_never_quoted() -> None:
    with pytest.raises(ValueError, match="ups secret") as fault:
        granted(basic(), FORM, Account(CLIENT, ("half a \ud83d",)))
    assert "half a" not in str(fault.value)
