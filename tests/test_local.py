"""What the local stack makes up for outside callers to sign with."""

import json
from typing import Any

import pytest

from cli import local
from shipclock.ingest import Arrival, receive
from shipclock.sources import Account, accounts_of, lalamove
from tests.builders import REAL, SHOP
from tests.sources.senders import SENDERS
from tests.test_ingest import KEEP

API = local.api_path({"ApiId": "abc123"})


def made_up(source: str) -> tuple[dict[str, Any], Account]:
    """What `stack.json` shows for a source, and the account that is put into the secret with it."""
    material = local.key_material(source, API)
    told = json.loads(local.sources_secret(local.made_up_shop(SHOP), {source: material}))
    (account,) = accounts_of(told, source)
    return material, account


@pytest.mark.parametrize("source", ["flashexpress", "shipbob", "shipmonk", "standard_webhooks"])
def test_what_is_signed_with_the_secret_that_is_shown_is_let_in(source: str) -> None:
    material, account = made_up(source)
    sender = SENDERS[source]
    assert sender.verify(sender.send(sender.bodies[0], material["secret"]), account) == account


def test_lalamoves_path_is_the_one_that_an_outside_caller_reaches() -> None:
    material, account = made_up("lalamove")
    assert material["path"] == "/_aws/execute-api/abc123/webhooks/carriers/lalamove"
    at = str(int(REAL.timestamp()))
    mac = lalamove.sign(material["secret"], at, material["path"], "{}")
    told = {"apiKey": material["api_key"], "timestamp": int(at), "signature": mac, "data": {}}
    secrets = {"lalamove": [{"secrets": list(account.secrets), **account.options}]}
    headers = {":path": "/webhooks/carriers/lalamove"}
    arrival = Arrival("lalamove", headers, json.dumps(told).encode(), REAL)
    assert receive(arrival, lambda: secrets, lambda row: True, KEEP).status == 200
