"""A client of the sandbox for the tests, with a signer of its own."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox import Reply, Request, Sandbox, Server, Shop

START = 1_763_892_000
REAL = 1_764_000_000.0
DAY = 86_400

KEY, SECRET = "synthkey0001", "synthetic-app-secret-0001"


@dataclass
class RealTime:
    """A real clock that the test moves."""

    now: float = REAL

    def __call__(self) -> float:
        return self.now


def shop(market: str = "MY", number: int = 1, **other: Any) -> Shop:
    return Shop(
        **{
            "shop_id": f"749000000000000000{number}",
            "cipher": f"GCP_synthetic_cipher_{number}",
            "market": market,
            "app_key": KEY,
            "app_secret": SECRET,
            "access_token": f"access-{number}",
            "refresh_token": f"refresh-{number}",
            "access_expires_at": REAL + 7 * DAY,
            "refresh_expires_at": REAL + 365 * DAY,
            "webhook_url": "http://127.0.0.1:9/webhooks/tiktok",
            **other,
        }
    )


def signed(
    secret: str, path: str, query: dict[str, str], body: bytes = b"", content_type: str = ""
) -> str:
    text = path
    for name in sorted(query):
        if name not in ("sign", "access_token"):
            text += name + query[name]
    message = secret.encode() + text.encode()
    if not content_type.startswith("multipart/form-data"):
        message += body
    return hmac.new(secret.encode(), message + secret.encode(), hashlib.sha256).hexdigest()


@dataclass
class Answer:
    """An answer with its envelope taken apart."""

    reply: Reply
    code: int = field(init=False)
    data: Any = field(init=False)
    message: str = field(init=False)

    def __post_init__(self) -> None:
        told = json.loads(self.reply.body)
        assert set(told) == {"code", "data", "message", "request_id"}
        self.code, self.data, self.message = told["code"], told["data"], told["message"]


class Client:
    """Calls as one shop, signed and stamped as they should be unless told otherwise."""

    def __init__(self, sandbox: Sandbox, at: Shop, real: RealTime) -> None:
        self.sandbox, self.shop, self.real = sandbox, at, real

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        drop: tuple[str, ...] = (),
        cipher: bool = True,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        **query: Any,
    ) -> Request:
        sent = {
            "app_key": self.shop.app_key,
            "timestamp": str(int(self.real())),
            **({"shop_cipher": self.shop.cipher} if cipher else {}),
            **{name: str(value) for name, value in query.items()},
        }
        for name in drop:
            sent.pop(name, None)
        payload = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        told = {"x-tts-access-token": self.shop.access_token, "content-type": "application/json"}
        told |= headers or {}
        if "sign" not in query and "sign" not in drop:
            sent["sign"] = signed(self.shop.app_secret, path, sent, payload, told["content-type"])
        return Request(method, path, sent, told, payload)

    def reply(self, method: str, path: str, body: Any = None, **other: Any) -> Reply:
        return self.sandbox.handle(self.request(method, path, body, **other))

    def call(self, method: str, path: str, body: Any = None, **other: Any) -> Answer:
        return Answer(self.reply(method, path, body, **other))

    def get(self, path: str, **other: Any) -> Answer:
        return self.call("GET", path, **other)

    def post(self, path: str, body: Any = None, **other: Any) -> Answer:
        return self.call("POST", path, body, **other)

    def read(self, *order_ids: str) -> list[Any]:
        answer = self.get("/order/202507/orders", ids=",".join(order_ids))
        assert answer.code == 0
        return list(answer.data["orders"])

    def package_of(self, order_id: str) -> str:
        return str(self.read(order_id)[0]["packages"][0]["id"])

    def ship(
        self, order_id: str, number: str = "SYN-TRK-000001", provider: str = "6610000000000000001"
    ) -> Answer:
        told = {"tracking_number": number, "shipping_provider_id": provider}
        path = f"/fulfillment/202309/packages/{self.package_of(order_id)}/ship"
        return self.post(path, {"self_shipment": told})

    def mark(
        self,
        order_id: str,
        number: str = "SYN-TRK-000001",
        provider: str = "6610000000000000001",
        lines: list[str] | None = None,
    ) -> Answer:
        ids = lines or [line["id"] for line in self.read(order_id)[0]["line_items"]]
        return self.post(
            f"/fulfillment/202610/orders/{order_id}/packages",
            {
                "order_line_list": [{"order_line_id": line_id} for line_id in ids],
                "shipping_info_list": [
                    {"tracking_number": number, "shipping_provider_id": provider}
                ],
            },
        )


@dataclass
class Bench:
    """One sandbox with one shop, its client, and the real clock."""

    sandbox: Sandbox
    shop: Shop
    client: Client
    real: RealTime


def bench(market: str = "MY", *more: Shop, **options: Any) -> Bench:
    real = RealTime()
    first = shop(market)
    sandbox = Sandbox([first, *more], **{"clock": START, "real_now": real, **options})
    return Bench(sandbox, first, Client(sandbox, first, real), real)


def told_by(sandbox: Sandbox) -> list[Any]:
    """The bodies of the webhooks queued so far, taken from the queue."""
    return [json.loads(webhook.body) for webhook in sandbox.take_webhooks()]


def tracking(number: str = "SYN-TRK-000001", provider: str = "6610000000000000001") -> Any:
    return {"tracking_number": number, "shipping_provider_id": provider}


def send(
    server: Server, method: str, target: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
