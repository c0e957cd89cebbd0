"""Held against the specification's own library, PyPI `standardwebhooks` 1.1.0, and `svix` 2.9.1."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError as SvixRefusal

from shipclock.sources import Account, NotAuthentic, standard_webhooks
from tests.builders import patient

SECRETS = st.binary(min_size=1, max_size=64).map(
    lambda key: "whsec_" + base64.b64encode(key).decode()
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=200)
IDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=40)


def now() -> datetime:
    """The real clock to the second: their verifier asks no other."""
    return datetime.now(UTC).replace(microsecond=0)


def headers(message_id: str, sent: datetime, signature: str) -> dict[str, str]:
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": signature,
    }


@patient
@given(SECRETS, IDS, st.integers(0, 4_000_000_000), TEXT)
def test_both_sign_alike(secret: str, message_id: str, seconds: int, body: str) -> None:
    sent = datetime.fromtimestamp(seconds, UTC)
    expected = Webhook(secret).sign(message_id, sent, body)
    assert standard_webhooks.sign(secret, message_id, str(seconds), body.encode()) == expected


@patient
@given(SECRETS, IDS, TEXT)
def test_their_verifier_takes_what_we_sign(secret: str, message_id: str, body: str) -> None:
    sent = now()
    stamp = str(int(sent.timestamp()))
    ours = standard_webhooks.sign(secret, message_id, stamp, body.encode())
    Webhook(secret).verify(body.encode(), headers(message_id, sent, ours), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(
            body.encode() + b".", headers(message_id, sent, ours), json_parse=False
        )


@patient
@given(SECRETS, IDS, TEXT)
def test_our_verifier_takes_what_they_sign(secret: str, message_id: str, body: str) -> None:
    sent = now()
    told = headers(message_id, sent, Webhook(secret).sign(message_id, sent, body))
    account = Account("default", (secret,))
    assert standard_webhooks.verify(told, body.encode(), [account], sent) == account
    with pytest.raises(NotAuthentic):
        standard_webhooks.verify(told, body.encode() + b".", [account], sent)


@patient
@given(st.binary(min_size=1, max_size=40))
def test_a_secret_may_lack_its_prefix_for_both(key: bytes) -> None:
    secret = base64.b64encode(key).decode()
    expected = Webhook(secret).sign("m", datetime.fromtimestamp(5, UTC), "body")
    assert standard_webhooks.sign(secret, "m", "5", b"body") == expected


@patient
@given(st.binary(min_size=1, max_size=40))
def test_a_secret_may_lack_its_padding_for_both(key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode().rstrip("=")
    expected = Webhook(secret).sign("m", datetime.fromtimestamp(5, UTC), "body")
    assert standard_webhooks.sign(secret, "m", "5", b"body") == expected


@patient
@given(SECRETS, IDS, TEXT)
def test_svix_and_we_take_what_the_other_signs_under_its_own_header_names(
    secret: str, message_id: str, body: str
) -> None:
    sent = now()
    stamp = str(int(sent.timestamp()))
    ours = standard_webhooks.sign(secret, message_id, stamp, body.encode())
    theirs = SvixWebhook(secret).sign(message_id, sent, body)
    assert ours == theirs
    told = {
        name.replace("webhook-", "svix-"): value
        for name, value in headers(message_id, sent, theirs).items()
    }
    account = Account("default", (secret,))
    assert standard_webhooks.verify(told, body.encode(), [account], sent) == account
    if body.startswith("{"):
        return  # it insists on parsing what looks like an object
    with pytest.raises(SvixRefusal):
        SvixWebhook(secret).verify(body.encode() + b".", told)
    with pytest.raises(NotAuthentic):
        standard_webhooks.verify(told, body.encode() + b".", [account], sent)
