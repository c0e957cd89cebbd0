"""A shop is connected, examined, used and let go by the commands alone, on the real template."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import local
from tests.cloud.client import Client, now

pytestmark = pytest.mark.cloud

ADDRESS = "https://hooks.example.com/webhooks/tiktok"
STATE = "synthetic-state"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("connect")
    options = local.Options(state_dir=folder, schedule=False, enforce_iam=True)
    with local.running(options) as stack:
        yield Client(stack)


@pytest.fixture
def run(client: Client, monkeypatch: pytest.MonkeyPatch) -> "Run":
    monkeypatch.setattr(local, "STATE_DIR", client.stack.state_dir)
    monkeypatch.setattr("cli.consent.secrets.token_urlsafe", lambda _: STATE)
    return Run()


class Run:
    """The command line."""

    def __call__(self, *words: str, answers: str = "") -> Result:
        return CliRunner().invoke(entry.main, list(words), input=answers)

    def faults(self) -> set[str]:
        """What the doctor finds, but that this stack's schedule is off."""
        result = self("doctor", "--json", "--webhook-address", ADDRESS)
        told = json.loads(result.output)
        assert result.exit_code == int(told["faults"] > 0)
        found = {one["code"] for one in told["findings"] if one["fault"]}
        assert "schedule_off" in found
        return found - {"schedule_off"}


def test_a_shop_is_connected_examined_used_and_let_go(client: Client, run: Run) -> None:
    shop_id = client.stack.tiktok["shop_id"]
    at = ("--webhook-address", ADDRESS)

    assert run.faults() == {"topic_missing"}, "the made-up connection has everything else"

    code = client.sandbox("grant", shop_id=shop_id)["auth_code"]
    pasted = f"https://seller.example.com/callback?code={code}&state={STATE}\n"
    connected = run("shops", "connect", "--service-id", "70123", *at, answers=pasted)
    assert connected.exit_code == 0, (connected.output, connected.exception)
    assert f"connected {shop_id}" in connected.output
    assert client.stack.tiktok["app_secret"] not in connected.output

    assert run.faults() == set()

    assert run("shops", "set", shop_id, "--default-provider", "6610000000000000001").exit_code == 0
    listed = run("shops", "list").output
    assert "6610000000000000001" in listed
    assert "authorised until" in listed

    wish = {"status": "AWAITING_SHIPMENT", "items": {"MUG": 1}}
    order_id = client.sandbox("add_order", shop_id=shop_id, **wish)["order_id"]
    for webhook in client.sandbox("webhooks/take")["webhooks"]:
        assert webhook["url"] == ADDRESS, "the topics are sent to what was registered"
        headers, url = list(webhook["headers"].items()), client.stack.ingest_url
        sent = client.send("POST", f"{url}/webhooks/tiktok", headers, webhook["body"].encode())
        assert sent == (200, b"")
    client.sweep(now())
    status, order = client.hub(f"orders/{order_id}")
    assert (status, order["status"]) == (200, "AWAITING_SHIPMENT")

    gone = run("shops", "disconnect", shop_id, "--yes", *at)
    assert gone.exit_code == 0, (gone.output, gone.exception)
    assert "DISCONNECTED" in run("shops", "list").output
    assert run.faults() == {"shop_disconnected"}
