"""An outside caller of a local stack: plain HTTP, plain signatures, the sweeper by its name."""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from cli import local, senders

_ids = itertools.count()


class Client:
    """Speaks to one stack as its users do."""

    def __init__(self, stack: local.Stack) -> None:
        self.stack = stack
        self._lambda = stack.client("lambda")

    def send(
        self, method: str, url: str, headers: list[tuple[str, str]], body: bytes = b""
    ) -> tuple[int, bytes]:
        """One request, with exactly these headers."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=30)
        try:
            connection.putrequest(method, parts.path + (f"?{parts.query}" if parts.query else ""))
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def tiktok(self, body: bytes, **changes: str) -> tuple[int, bytes]:
        """A signed marketplace webhook; `authorization` may be given instead."""
        app = self.stack.tiktok
        mac = hmac.new(app["app_secret"].encode(), app["app_key"].encode() + body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "authorization": mac.hexdigest(),
            **changes,
        }
        url = f"{self.stack.ingest_url}/webhooks/tiktok"
        return self.send("POST", url, list(headers.items()), body)

    def order_hint(self, order_id: str, status: str = "AWAITING_SHIPMENT") -> bytes:
        """The body of an order status webhook."""
        now = int(time.time())
        return json.dumps(
            {
                "type": 1,
                "tts_notification_id": str(7_400_000_000_000_000_000 + next(_ids)),
                "shop_id": self.stack.tiktok["shop_id"],
                "timestamp": now,
                "data": {"order_id": order_id, "order_status": status, "update_time": now},
            }
        ).encode()

    def carrier(
        self, number: str, status: str, order_id: str, at: datetime, carrier: str = ""
    ) -> tuple[int, bytes]:
        """A signed callback of the generic 3PL."""
        data = {
            "tracking_number": number,
            "status": status,
            "occurred_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "reference": order_id,
        } | ({"carrier": carrier} if carrier else {})
        body = json.dumps({"type": "shipment.tracking.updated", "data": data}).encode()
        told, sent = f"msg_{next(_ids)}", str(int(time.time()))
        key = base64.b64decode(
            self.stack.sources["standard_webhooks"]["secret"].removeprefix("whsec_")
        )
        mac = hmac.new(key, f"{told}.{sent}.".encode() + body, hashlib.sha256).digest()
        headers = [
            ("Content-Type", "application/json"),
            ("Webhook-Id", told),
            ("Webhook-Timestamp", sent),
            ("Webhook-Signature", "v1," + base64.b64encode(mac).decode()),
        ]
        url = f"{self.stack.ingest_url}/webhooks/carriers/standard_webhooks"
        return self.send("POST", url, headers, body)

    def easypost(self, number: str, history: list[dict[str, Any]]) -> tuple[int, bytes]:
        """A signed callback of EasyPost with the history it knows by now."""
        secret = str(self.stack.sources["easypost"]["secret"])
        headers, body = senders.easypost(
            secret, f"evt_{next(_ids)}", number, "Synthetic Post", history
        )
        url = f"{self.stack.ingest_url}/webhooks/carriers/easypost"
        return self.send("POST", url, list(headers.items()), body)

    def sweep(self, now: datetime) -> dict[str, int]:
        """Invoke the sweeper as the schedule does."""
        event = {"time": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "source": "aws.scheduler"}
        reply = self._lambda.invoke(
            FunctionName=self.stack.outputs["SweeperFunction"], Payload=json.dumps(event)
        )
        told = json.loads(reply["Payload"].read())
        assert "FunctionError" not in reply, told
        found: dict[str, int] = told
        return found

    def sweep_until_quiet(self, now: datetime) -> datetime:
        """Sweep minute by minute until nothing is due; the time of the last sweep."""
        for minute in range(10):
            at = now + timedelta(minutes=minute)
            if self.sweep(at)["due_left"] == 0:
                return at
            if minute > 1:  # such as a reconnection, which waits for sweeps that may be under way
                time.sleep(10)
        raise AssertionError("something stays due")

    def hub(self, path: str, token: str | None = None) -> tuple[int, Any]:
        """One request to the hub."""
        bearer = self.stack.hub_token if token is None else token
        status, body = self.send(
            "GET", f"{self.stack.hub_url}/api/{path}", [("Authorization", f"Bearer {bearer}")]
        )
        return status, json.loads(body)

    def ask(self, order_id: str, deed: str, token: str | None = None, **says: str) -> int:
        """Ask by the hub that something be told of an order; the answer's status."""
        return self.post(f"orders/{order_id}/requests", {"deed": deed, "says": says}, token)[0]

    def post(self, path: str, body: object, token: str | None = None) -> tuple[int, Any]:
        """Tell the hub something."""
        bearer = self.stack.hub_token if token is None else token
        headers = [("Authorization", f"Bearer {bearer}"), ("Content-Type", "application/json")]
        url = f"{self.stack.hub_url}/api/{path}"
        status, answer = self.send("POST", url, headers, json.dumps(body).encode())
        return status, json.loads(answer)

    def sandbox(self, verb: str, **words: Any) -> dict[str, Any]:
        """One call of the sandbox's control plane."""
        status, body = self.send(
            "POST",
            f"{self.stack.marketplace_url}/_sandbox/{verb}",
            [("content-type", "application/json")],
            json.dumps(words).encode(),
        )
        found: dict[str, Any] = json.loads(body)
        assert status == 200, found
        return found

    def place(self, **wish: Any) -> str:
        """Place an order at the sandbox and deliver the webhook that tells of it."""
        wish = {"status": "AWAITING_SHIPMENT", "items": {"MUG": 1}} | wish
        placed = self.sandbox("add_order", shop_id=self.stack.tiktok["shop_id"], **wish)
        self.deliver()
        return str(placed["order_id"])

    def deliver(self) -> None:
        """Post every webhook that the sandbox has sent."""
        for webhook in self.sandbox("webhooks/take")["webhooks"]:
            headers = list(webhook["headers"].items())
            status, body = self.send("POST", webhook["url"], headers, webhook["body"].encode())
            assert (status, body) == (200, b"")


def soon(condition: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether a condition comes true within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return False


def now() -> datetime:
    """The real time, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
