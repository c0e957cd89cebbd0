"""A stack that is pointed at somebody else's marketplace, with its schedule on."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli import local
from tests.cloud.client import Client, now, soon

pytestmark = pytest.mark.cloud

ORDER = "576111111111111111"


class Market(ThreadingHTTPServer):
    """A marketplace that knows little: it refuses made-up tokens, then answers a bare order."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: list[str] = []
        self.token = ""
        self.order: dict[str, Any] = {
            "id": ORDER,
            "status": "AWAITING_SHIPMENT",
            "shipping_type": "SELLER",
            "create_time": int(time.time()) - 3600,
            "update_time": int(time.time()) - 3600,
            "delivery_option_id": "1",
            "line_items": [{"id": "1", "package_id": "2", "package_status": "TO_FULFILL"}],
            "packages": [{"id": "2"}],
        }


class _Handler(BaseHTTPRequestHandler):
    server: Market

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        self.server.calls.append(parts.path)
        code, data = self._data(parts.path, parse_qs(parts.query), body)
        told = json.dumps({"code": code, "message": "", "data": data}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _data(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        market = self.server
        if path == "/api/v2/token/refresh":
            market.token = f"fresh-{len(market.calls)}"
            return 0, {
                "access_token": market.token,
                "refresh_token": "next",
                "access_token_expire_in": int(time.time()) + 7 * 86400,
            }
        if self.headers.get("x-tts-access-token") != market.token:
            return 105002, None
        if path.startswith("/order/202507"):
            return 0, {"orders": [market.order] if ORDER in query["ids"][0] else []}
        if path.endswith("/shipping_providers"):
            return 0, {"shipping_providers": [{"id": "9", "name": "J&T Express"}]}
        if path.endswith("/ship"):
            parcel = json.loads(body)["self_shipment"]
            assert parcel == {"tracking_number": "jt-Own-1", "shipping_provider_id": "9"}
            market.order |= {"status": "AWAITING_COLLECTION", "update_time": int(time.time())}
            return 0, {}
        return 36009009, None


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    server = Market()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def client(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("own")
    url = f"http://127.0.0.1:{market.server_port}"
    with local.running(local.Options(state_dir=folder, marketplace_url=url)) as stack:
        yield Client(stack)


def test_the_schedule_itself_reads_ships_and_reads_again(client: Client, market: Market) -> None:
    assert market.calls == []
    assert client.tiktok(client.order_hint(ORDER))[0] == 200
    assert client.carrier("jt-Own-1", "picked_up", ORDER, now(), "jnt")[0] == 200

    def shipped() -> bool:
        status, order = client.hub(f"orders/{ORDER}")
        return status == 200 and order["status"] == "AWAITING_COLLECTION"

    assert soon(shipped, 150), market.calls
    order = client.hub(f"orders/{ORDER}")[1]
    assert [(p["state"], p["attempts"]) for p in order["pushes"]] == [("done", 1)]
    assert sum(path.endswith("/ship") for path in market.calls) == 1
    assert market.calls.count("/api/v2/token/refresh") == 1
