"""A whole Shipclock in memory: signed traffic in, a sandbox marketplace out, clocks in hand."""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jsonschema import ValidationError

from sandbox.core import Sandbox
from sandbox.shops import Shop as SandboxShop
from sandbox.world import Effect
from shipclock.book import read_book
from shipclock.connect import connect_shop
from shipclock.ingest import Answer, Arrival, receive
from shipclock.judge import Settled, judge
from shipclock.marketplaces.protocol import Hosts, Shop, Tokens
from shipclock.ports import Pictures, Put, Row, Store, Wire
from shipclock.silence import Speaker
from shipclock.sources import standard_webhooks
from shipclock.sweep import Report, Sweep
from shipclock.world import Line, World
from tests import schemas
from tests.fakes import FakeClock, FakeOutlets, FakePictures, MemoryStore, SandboxWire

START = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
"""When the simulated story begins."""

REAL = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""What the real clock shows then: a simulated timeline lies in the past."""

SHOP_ID = "7490000000000000001"
APP_KEY, APP_SECRET = "synthkey0001", "synthetic-app-secret-0001"
CARRIER_SECRET = "whsec_" + base64.b64encode(b"synthetic carrier secret 0123456").decode()
EASYPOST_SECRET = "synthetic easypost secret, démo"
AFTERSHIP_SECRET = "synthetic aftership secret"
SECRETS = {
    "tiktok_shop": [{"account": APP_KEY, "secrets": [APP_SECRET]}],
    "aftership": [{"account": "default", "secrets": [AFTERSHIP_SECRET]}],
    "easypost": [{"account": "default", "secrets": [EASYPOST_SECRET]}],
    "standard_webhooks": [{"account": "default", "secrets": [CARRIER_SECRET]}],
}
TOKENS = Tokens("TTP_access_1", "TTP_refresh_1")
HOSTS = Hosts("https://api.example", "https://auth.example")
CARRIER = "Synthetic Express"


class NotPublished(BaseException):
    """An event is not what its published schema says: no sweep may go on over that."""


class Stage:
    """One shop, its marketplace, and the product between. Times: `now` is the story's."""

    def __init__(
        self,
        market: str = "MY",
        zone: str = "Asia/Kuala_Lumpur",
        untracked_after: int | None = 15 * 86400,
        rotates: bool = True,
        begins: datetime = START,
    ) -> None:
        self.real = FakeClock(REAL)
        self.memory = MemoryStore()
        self.store: Store = self.memory
        self.market, self.zone = market, zone
        self.sandbox = Sandbox(
            [
                SandboxShop(
                    SHOP_ID,
                    "GCP_synthetic_cipher",
                    market,
                    APP_KEY,
                    APP_SECRET,
                    "TTP_access_1",
                    "TTP_refresh_1",
                    (REAL + timedelta(days=7)).timestamp(),
                    (REAL + timedelta(days=365)).timestamp(),
                    "https://hooks.example/webhooks/tiktok",
                )
            ],
            clock=int(begins.timestamp()),
            real_now=lambda: self.real.now.timestamp(),
            untracked_after=untracked_after,
            rotates_refresh_token=rotates,
        )
        self.network = SandboxWire(self.sandbox, self.real)
        self.wire: Wire = self.network
        """What the sweeps call through; a test may lay another wire over the network."""
        self.pictures: Pictures = FakePictures()
        """What carriers have to show; a test fills it, or lays something over it."""
        self.secrets: Mapping[str, Any] = SECRETS
        """The sources' secret as it stands; a test may put another."""
        self.destinations: Mapping[str, Any] = {}
        """The destinations' secret as it stands; a test may put another."""
        self.outlets = FakeOutlets()
        """What people are told."""
        self.announced: list[Mapping[str, Any]] = []
        self.lines: list[Line] = []
        self.kept: list[Row] = []
        self._ids = itertools.count()
        self._heard: dict[Speaker, datetime] = {}
        connect_shop(self.store, self.shop(), TOKENS, REAL, heal=False)

    def shop(self, **changes: Any) -> Shop:
        """The connection as it was made."""
        return Shop(
            **{
                "shop_id": SHOP_ID,
                "marketplace": "tiktok_shop",
                "market": self.market,
                "zone": self.zone,
                "app_key": APP_KEY,
                "cipher": "GCP_synthetic_cipher",
                "authorisation": "seller-1",
                **changes,
            }
        )

    @property
    def world(self) -> World:
        return World(
            store=self.store,
            wire=self.wire,
            pictures=self.pictures,
            hosts=HOSTS,
            secrets=lambda: self.secrets,
            announce=self._announce,
            destinations=lambda: self.destinations,
            outlets=self.outlets,
            say=self.lines.append,
            real=self.real,
            sleep=self.real.sleep,
            new_id=lambda: f"lease-{next(self._ids)}",
            parallel=1,
            heard=self._heard,
        )

    def _announce(self, event: Mapping[str, Any]) -> None:
        self.announced.append(event)
        try:
            schemas.hold(event)
        except (ValidationError, OSError) as problem:  # the sweep would take a bus to be down
            raise NotPublished(f"{event['type']}: {problem}") from problem

    @property
    def now(self) -> datetime:
        """The story's time."""
        return datetime.fromtimestamp(self.sandbox.clock, UTC)

    def until(self, now: datetime) -> None:
        """Move the story on; what the marketplace did by itself is delivered."""
        self.sandbox.advance(int(now.timestamp()))

    # What arrives

    def ring(self, source: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request at the door."""
        arrival = Arrival(source, headers, body, self.real.now)
        return receive(arrival, lambda: self.secrets, self._keep, timedelta(days=180))

    def _keep(self, row: Row) -> bool:
        self.kept.append(row)
        return self.store.write(Put(row))

    def marketplace_tells(self, shuffle: Callable[[list[Any]], None] | None = None) -> int:
        """Deliver every webhook the marketplace has sent meanwhile."""
        webhooks = list(self.sandbox.take_webhooks())
        if shuffle:
            shuffle(webhooks)
        for webhook in webhooks:
            headers = {name.lower(): value for name, value in webhook.headers.items()}
            assert self.ring("tiktok_shop", headers, webhook.body).status == 200
        return len(webhooks)

    def carrier_tells(
        self,
        number: str,
        status: str,
        at: datetime | None = None,
        order_id: str = "",
        carrier: str = CARRIER,
        **more: str,
    ) -> Answer:
        """One signed callback of the generic 3PL."""
        data: dict[str, str] = {
            "tracking_number": number,
            "status": status,
            "occurred_at": (at or self.now).strftime("%Y-%m-%dT%H:%M:%SZ"),
            **({"reference": order_id} if order_id else {}),
            **({"carrier": carrier} if carrier else {}),
            **more,
        }
        body = json.dumps({"type": standard_webhooks.EVENT, "data": data}).encode()
        return self.ring("standard_webhooks", self.carrier_headers(body), body)

    def carrier_headers(self, body: bytes) -> dict[str, str]:
        """Headers of a well-signed callback."""
        sent = str(int(self.real.now.timestamp()))
        told = hashlib.sha256(body).hexdigest()[:20]
        signature = standard_webhooks.sign(CARRIER_SECRET, told, sent, body)
        return {
            "webhook-id": told,
            "webhook-timestamp": sent,
            "webhook-signature": signature,
        }

    # What happens

    def sweep(self, now: datetime | None = None, seconds: float = 65) -> Report:
        """One sweep at the story's time, or at another."""
        return Sweep(self.world, now or self.now, timedelta(seconds=seconds)).run()

    def settle_down(self, most: int = 12) -> None:
        """Sweep minute by minute until nothing is due at the story's time."""
        for _ in range(most):
            self.real.pass_time(60)
            if self.sweep().due_left == 0:
                return
        raise AssertionError("something stays due")

    def judged(self, order_id: str) -> Settled:
        """The order as it stands, folded and decided anew."""
        return judge(
            self.store,
            read_book(self.store, order_id),
            lambda shop_id: self.shop() if shop_id == SHOP_ID else None,
            self.now,
            self.real.now,
        )

    def intents(self, order_id: str) -> dict[str, str]:
        """Call and number of each intent, and where it stands."""
        recorded = self.judged(order_id).recorded
        return {key: intent.state.value for key, intent in recorded.intents.items()}

    def verdicts(self, order_id: str) -> dict[str, str]:
        """Rule of each verdict, and where it stands."""
        recorded = self.judged(order_id).recorded
        return {v.rule: v.state.value for v in recorded.verdicts.values()}

    @property
    def effects(self) -> list[Effect]:
        """What the marketplace let happen to its orders."""
        return self.sandbox.effects


def tiktok_signature(body: bytes) -> str:
    """The signature of a TikTok webhook, computed here and not by the product."""
    return hmac.new(APP_SECRET.encode(), APP_KEY.encode() + body, hashlib.sha256).hexdigest()
