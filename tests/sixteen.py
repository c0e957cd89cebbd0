"""The sixteen days of `make demo`, played by its own player through the product in memory.

What is sent, when, and when it sweeps is `cli.play`'s; only the ways in and out are others.
"""

import itertools
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from cli import local
from cli.play import Counts, Order, Play
from cli.story import BEGINS
from sandbox import control
from shipclock.order_view import order_view
from tests.stage import CARRIER_SECRET, SECRETS, SHOP_ID, Stage

INGEST, MARKET, HUB = "http://ingest", "http://market", "http://hub"
EASYPOST_SECRET = "synthetic easypost secret"


class Sixteen(Play):
    """A play on a stage. Its sweeps take no real time, so a minute of it passes before each."""

    def __init__(self) -> None:
        self.stage = Stage(begins=BEGINS)
        account = {"account": "default", "secrets": [EASYPOST_SECRET]}
        self.stage.secrets = {**SECRETS, "easypost": [account]}
        sources = {
            "standard_webhooks": {"secret": CARRIER_SECRET},
            "easypost": {"secret": EASYPOST_SECRET},
        }
        about = SimpleNamespace(
            tiktok={"shop_id": SHOP_ID},
            sources=sources,
            ingest_url=INGEST,
            marketplace_url=MARKET,
            hub_url=HUB,
            hub_token="",
        )
        self.stack = cast(local.Stack, about)
        self.now = BEGINS
        self.orders: dict[str, Order] = {}
        self.counts = Counts()
        self._closed = False
        self._kept = []
        self._ids = itertools.count(1)
        self._store = cast(Any, self.stage.store)

    def _sweep(self) -> None:
        for _ in range(4):
            self.stage.real.pass_time(60)
            report = self.stage.sweep(self.now)
            self.counts.sweeps += 1
            self._deliver()
            if not report.due_left:
                return

    def _send(self, url: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
        for base, answer in self._ways.items():
            if url.startswith(base):
                return answer(url.removeprefix(base), headers, body or b"")
        return self._ring("/webhooks/tiktok", headers, body or b"")

    @property
    def _ways(self) -> dict[str, Callable[[str, dict[str, str], bytes], bytes]]:
        return {INGEST: self._ring, MARKET: self._control, HUB: self._page}

    def _ring(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        name = path.rpartition("/")[2]
        source = "tiktok_shop" if name == "tiktok" else name
        lower = {name.lower(): value for name, value in headers.items()}
        assert self.stage.ring(source, lower, body).status == 200
        return b""

    def _control(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        status, answer = control.control(self.stage.sandbox, "POST", path, body)
        assert status == 200, answer
        return json.dumps(answer).encode()

    def _page(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        view = order_view(self.stage.store, path.rpartition("/")[2], self.now)
        assert view is not None
        return view.model_dump_json().encode()
