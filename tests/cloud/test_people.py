"""The deployed template tells people: over a signed webhook, under enforced IAM."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from cli import local
from tests import schemas
from tests.cloud.client import Client, now

pytestmark = pytest.mark.cloud

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="


class Receiver(ThreadingHTTPServer):
    """Somebody's webhook: it does not take the first message, and checks all others."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refused: list[str] = []
        self.taken: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        status = 204
        if not self.server.refused:
            self.server.refused.append(self.headers["webhook-id"])
            status = 503
        else:
            told = Webhook(SECRET).verify(body, dict(self.headers))
            self.server.taken.append({"id": self.headers["webhook-id"], **told})
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def test_a_lost_parcel_is_told_over_a_signed_webhook_once_its_receiver_is_back(
    receiver: Receiver, tmp_path: Path
) -> None:
    options = local.Options(
        state_dir=tmp_path / "stack", schedule=False, stream=False, enforce_iam=True
    )
    with local.running(options) as stack:
        url = f"http://127.0.0.1:{receiver.server_address[1]}/hook"
        erp = {"kind": "webhook", "url": url, "secrets": [SECRET], "levels": ["urgent"]}
        stack.client("secretsmanager").put_secret_value(
            SecretId=stack.outputs["DestinationsSecret"],
            SecretString=json.dumps({"destinations": {"erp": erp}}),
        )
        client = Client(stack)
        order_id = client.place()
        assert client.carrier("SYN-P-1", "lost", order_id, now())[0] == 200
        at = client.sweep_until_quiet(now())
        assert len(receiver.refused) == 1
        assert receiver.taken == []
        client.sweep_until_quiet(at + timedelta(minutes=2))
        (told,) = receiver.taken
        assert told["id"] == receiver.refused[0]
        schemas.published("message").validate({k: v for k, v in told.items() if k != "id"})
        (event,) = told["data"]["events"]
        schemas.hold(event)
        assert (event["order_id"], event["cause"]) == (order_id, "lost")
        log = (stack.state_dir / "cloud.log").read_text()
        assert SECRET not in log
        assert url not in log
