"""Three days without a webhook: how reconciliation finds what was lost, and how long that takes.

`python -m benchmarks.outage --orders 100000`. In one process: the store in memory, a marketplace
of a page of code that answers searches and re-reads, and a simulated clock, so that the pace of
the calls is kept in simulated time. A share of the orders was known before; all of them changed
within 72 hours of which nothing was heard and in which nothing ran. Then everything is back, the
sweeper runs each minute, and webhooks of new orders arrive meanwhile.

Simulated time is what calls take (their pace, and `CALL_SECONDS` each) and what the table takes:
`STORE_SECONDS` for a request, side by side where the sweeper works so. The function's own computing
is left out. Nothing here is a timed test.
"""

import argparse
import bisect
import hashlib
import hmac
import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import current_thread, main_thread
from time import perf_counter
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from benchmarks import ROOT
from benchmarks.measure import Bar, Outcome, Table, shown
from shipclock import lane, reconcile, rows
from shipclock.connect import begin_reconciling, connect_shop
from shipclock.due import Found
from shipclock.ingest import Arrival, receive
from shipclock.marketplaces.protocol import Kind, Shop
from shipclock.marketplaces.protocol import Outcome as Answered
from shipclock.marketplaces.tiktok_shop import read_orders
from shipclock.ports import Change, Due, HttpReply, HttpRequest, Key, Page, Put, Row, Write
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from shipclock.sweep import Sweep
from shipclock.world import Line, World
from tests.fakes import FakeClock, FakeOutlets, FakePictures, MemoryStore
from tests.stage import APP_KEY, APP_SECRET, HOSTS, SECRETS, SHOP_ID, TOKENS

BEGAN = datetime(2026, 11, 1, 2, 0, tzinfo=UTC)
"""When webhooks ceased to arrive."""

OUTAGE = timedelta(hours=72)
RATE = 3.0
"""Calls a second that a lane may come to here; it starts with as many (`tiktok-shop.md` 6.3)."""

CALL_SECONDS = 0.2
STORE_SECONDS = 0.006
SWEEP_SECONDS = 65.0
SIDE_BY_SIDE = 16
LIVE_A_MINUTE = 5
MOST_MINUTES = 600

SAMPLE = ROOT / "tests/samples/tiktok/answers/orders.awaiting_shipment.with_package.json"

KNOWN_TURNS = ("AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "CANCELLED")
NEW_TURNS = ("ON_HOLD", "AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT")
"""What became of the orders meanwhile, in turns: of known ones, and of those placed meanwhile."""


@dataclass(slots=True)
class Placed:
    """One order at the marketplace; times are Unix seconds."""

    status: str
    created: int
    updated: int


class Marketplace:
    """`ports.Wire` to a marketplace that answers searches, re-reads, and nothing else."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._sample = json.loads(SAMPLE.read_text("utf-8"))["data"]["orders"][0]
        self.orders: dict[str, Placed] = {}
        self._by_update: list[tuple[int, str]] = []
        self.calls: Counter[str] = Counter()
        self.called_at: list[datetime] = []

    def put(self, order_id: str, status: str, created: datetime, updated: datetime) -> None:
        """Place an order, or change one."""
        old = self.orders.get(order_id)
        if old is not None:
            entry = (old.updated, order_id)
            self._by_update.pop(bisect.bisect_left(self._by_update, entry))
        at = int(updated.timestamp())
        self.orders[order_id] = Placed(status, int(created.timestamp()), at)
        bisect.insort(self._by_update, (at, order_id))

    def send(self, request: HttpRequest) -> HttpReply:
        """Answer one call."""
        self.called_at.append(self._clock.now)
        self._clock.pass_time(CALL_SECONDS)
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        last = parts.path.rpartition("/")[2]
        if last == "search":
            kind = parts.path.split("/")[-2]
            self.calls[f"search {kind}"] += 1
            body = json.loads(request.body)
            data = self._search(query, body) if kind == "orders" else {}
        elif last == "orders":
            self.calls["re-read"] += 1
            asked = query["ids"].split(",")
            data = {"orders": [self.order(one) for one in asked if one in self.orders]}
        else:
            self.calls[last] += 1
            data = {}
        told = {"code": 0, "message": "Success", "request_id": "synthetic", "data": data}
        return HttpReply(200, {}, json.dumps(told).encode())

    def _search(self, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        """One page in order of `update_time`; the token is the place of the last row."""
        size = int(query["page_size"])
        start = bisect.bisect_left(self._by_update, (int(body["update_time_ge"]), ""))
        if token := query.get("page_token"):
            at, _, order_id = token.partition(".")
            start = bisect.bisect_right(self._by_update, (int(at), order_id))
        page = self._by_update[start : start + size]
        more = start + size < len(self._by_update)
        return {
            "orders": [self.order(order_id) for _, order_id in page],
            "next_page_token": f"{page[-1][0]}.{page[-1][1]}" if more else "",
        }

    def order(self, order_id: str) -> dict[str, Any]:
        """An order as its detail and its search tell it."""
        one = self.orders[order_id]
        day = 86_400
        number = f"SYN{order_id[-8:]}" if one.status in KNOWN_TURNS[:3] else ""
        line = {
            **self._sample["line_items"][0],
            "id": f"7{order_id}",
            "display_status": one.status,
            "package_id": f"8{order_id}",
            "tracking_number": number,
        }
        return {
            **self._sample,
            "id": order_id,
            "status": one.status,
            "create_time": one.created,
            "update_time": one.updated,
            "rts_sla_time": one.created + 2 * day,
            "tts_sla_time": one.created + 3 * day,
            "shipping_due_time": one.created + 5 * day,
            "collection_due_time": one.created + 7 * day,
            "delivery_due_time": one.created + 20 * day,
            "delivery_sla_time": one.created + 8 * day,
            "cancel_order_sla_time": one.created + 5 * day,
            "line_items": [line],
            "packages": [{"id": line["package_id"]}],
        }


class Watched(MemoryStore):
    """The store in memory: each request takes its time, and it is seen when an order is healed."""

    def __init__(self, clock: FakeClock, market: Marketplace) -> None:
        super().__init__()
        self._clock = clock
        self._market = market
        self._side_by_side = 1
        self.requests = 0
        self.healed: dict[str, datetime] = {}

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """Requests made meanwhile share their time, as threads would."""
        self._side_by_side = SIDE_BY_SIDE
        yield
        self._side_by_side = 1

    def _took(self) -> None:
        with self._lock:
            self.requests += 1
            main = current_thread() is main_thread()
            sharing = self._side_by_side if main else reconcile.SIDE_BY_SIDE
            self._clock.pass_time(STORE_SECONDS / sharing)

    def get(self, key: Key) -> Row | None:
        """One request."""
        self._took()
        return super().get(key)

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        """One request."""
        self._took()
        return super().read(pk, prefix)

    def write(self, write: Put | Change) -> bool:
        """One request."""
        self._took()
        return super().write(write)

    def commit(self, writes: Sequence[Write]) -> bool:
        """One request."""
        self._took()
        return super().commit(writes)

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        """One request."""
        self._took()
        return super().due(shard, until, limit, after)

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        """One request."""
        self._took()
        return super().board(partition, limit, start)

    def _apply(self, write: Put | Change) -> None:
        super()._apply(write)
        pk, sk = write.key
        if sk == rows.HEAD:
            row, order_id = self.rows[pk][sk], pk.removeprefix("ORDER#")
            truth = self._market.orders.get(order_id)
            changed = truth is not None and truth.updated >= BEGAN.timestamp()
            if truth and changed and row["facts"] and row["status"] == truth.status:
                self.healed.setdefault(order_id, self._clock.now)


class MinuteSweep(Sweep):
    """A sweep whose settling takes as long as it would side by side."""

    def _settle_all(self, found: Found) -> None:
        store = self._store
        assert isinstance(store, Watched)
        with store.side_by_side():
            super()._settle_all(found)


@dataclass(slots=True)
class Recovery:
    """A shop with an outage behind it, and what was seen of its recovery."""

    orders: int
    known: float
    clock: FakeClock = field(default_factory=lambda: FakeClock(BEGAN))
    lines: Counter[str] = field(default_factory=Counter)
    announced: Counter[str] = field(default_factory=Counter)
    minutes: int = 0
    due_left: list[int] = field(default_factory=list)
    live: dict[str, datetime] = field(default_factory=dict)
    market: Marketplace = field(init=False)
    store: Watched = field(init=False)
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.market = Marketplace(self.clock)
        self.store = Watched(self.clock, self.market)
        self.shop = Shop(
            shop_id=SHOP_ID,
            marketplace="tiktok_shop",
            market="MY",
            zone="Asia/Kuala_Lumpur",
            app_key=APP_KEY,
            cipher="GCP_synthetic_cipher",
            authorisation="seller-1",
        )

    def set_up(self) -> None:
        """Connect the shop, and let the known orders be known as they were before the outage."""
        connect_shop(self.store, self.shop, TOKENS, self.clock.now, heal=False)
        known = int(self.orders * self.known)
        for place in range(known):
            placed = BEGAN - timedelta(seconds=3_600 + place * 86_400 / max(known, 1))
            self.market.put(_id(place), "AWAITING_SHIPMENT", placed, placed)
        listed = sorted(self.market.orders)
        for start in range(0, known, 100):
            told = {"orders": [self.market.order(one) for one in listed[start : start + 100]]}
            for row in read_orders(Answered(Kind.OK, told)).orders:
                keep_snapshot(self.store, SHOP_ID, row, BEGAN, BEGAN)
                settle(self.store, lambda _: self.shop, row.order_id, BEGAN, BEGAN)
        begin_reconciling(self.store, SHOP_ID, BEGAN)
        self.clock.now = BEGAN
        self._sweep()
        self.market.calls.clear()
        self.market.called_at.clear()

    def go_dark(self, sweeping: bool) -> None:
        """72 hours in which every order changes, and nobody tells."""
        self.store.healed.clear()
        self.store.requests = 0
        changes = deque(
            sorted(
                (BEGAN + OUTAGE * ((place * 7_919 % self.orders) / self.orders), place)
                for place in range(self.orders)
            )
        )
        minutes = int(OUTAGE / timedelta(minutes=1))
        for minute in range(minutes + 1):
            now = BEGAN + timedelta(minutes=minute)
            while changes and changes[0][0] <= now:
                self._change(*changes.popleft())
            self.clock.now = max(self.clock.now, now)
            if sweeping and minute < minutes:
                self._sweep()

    def _change(self, at: datetime, place: int) -> None:
        old = self.market.orders.get(_id(place))
        turns = KNOWN_TURNS if old else NEW_TURNS
        created = datetime.fromtimestamp(old.created, UTC) if old else at
        self.market.put(_id(place), turns[place % 4], created, at)

    def recover(self, live: int) -> None:
        """Sweep minute by minute until every order is as the marketplace has it."""
        begins = self.clock.now
        while len(self.store.healed) < len(self.market.orders) or self.due_left[-1]:
            assert self.minutes < MOST_MINUTES, "it does not end"
            for _ in range(live if self.minutes < 60 else 0):
                self._hear_of_a_new_order()
            self._sweep()
            self.minutes += 1
            self.clock.now = max(self.clock.now, begins + timedelta(minutes=self.minutes))

    def _hear_of_a_new_order(self) -> None:
        order_id, now = _id(len(self.market.orders)), self.clock.now
        self.market.put(order_id, "AWAITING_SHIPMENT", now, now)
        self.live[order_id] = now
        told = {"order_id": order_id, "order_status": "AWAITING_SHIPMENT"}
        at = int(now.timestamp())
        body = {
            "type": 1,
            "tts_notification_id": f"74{order_id}",
            "shop_id": SHOP_ID,
            "timestamp": at,
            "data": {**told, "update_time": at},
        }
        raw = json.dumps(body).encode()
        signed = hmac.new(APP_SECRET.encode(), APP_KEY.encode() + raw, hashlib.sha256).hexdigest()
        arrival = Arrival("tiktok_shop", {"authorization": signed}, raw, now)
        keep = self.store.write
        answer = receive(arrival, lambda: SECRETS, lambda row: keep(Put(row)), timedelta(days=180))
        assert answer.status == 200
        key = rows.delivery_key("tiktok_shop", APP_KEY, hashlib.sha256(raw).hexdigest())
        self._sweeper().poke([key])  # as the stream does

    def _sweep(self) -> None:
        self.due_left.append(self._sweeper().run().due_left)

    def _sweeper(self) -> MinuteSweep:
        world = World(
            store=self.store,
            wire=self.market,
            pictures=FakePictures(),
            hosts=HOSTS,
            secrets=lambda: SECRETS,
            announce=self._announce,
            destinations=dict,
            outlets=FakeOutlets(),
            say=self._say,
            real=self.clock,
            sleep=self.clock.sleep,
            new_id=lambda: f"lease-{self.minutes}",
            parallel=1,
        )
        now = self.clock.now.replace(microsecond=0)
        return MinuteSweep(world, now, timedelta(seconds=SWEEP_SECONDS))

    def _announce(self, event: Mapping[str, Any]) -> None:
        self.announced[str(event["type"])] += 1

    def _say(self, line: Line) -> None:
        self.lines[line.name] += 1

    def changed_at(self, order_id: str) -> datetime:
        """When an order changed last at the marketplace."""
        return datetime.fromtimestamp(self.market.orders[order_id].updated, UTC)

    @property
    def busiest(self) -> int:
        """The most calls that began within any one second."""
        window: deque[datetime] = deque()
        most = 0
        for at in self.market.called_at:
            window.append(at)
            while window[0] <= at - timedelta(seconds=1):
                window.popleft()
            most = max(most, len(window))
        return most


def _id(place: int) -> str:
    return f"576{place:015d}"


def recovery(
    orders: int, known: float, live: int, rate: float = RATE, sweeping: bool = False
) -> Outcome:
    """An outage of that many orders, and what its recovery took."""
    what = "webhooks" if sweeping else "webhooks and sweeps"
    outcome = Outcome("outage", f"72 h without {what}, healed by reconciliation; simulated time")
    one = Recovery(orders, known)
    with patch.object(lane, "FASTEST", rate), patch.object(lane, "START", rate):
        began = perf_counter()
        one.set_up()
        ready = perf_counter()
        one.go_dark(sweeping)
        one.recover(live)
        done = perf_counter()
    back = BEGAN + OUTAGE
    new = sorted((one.store.healed[o] - at).total_seconds() for o, at in one.live.items())
    lost = sorted(
        (at - (one.changed_at(o) if sweeping else back)).total_seconds()
        for o, at in one.store.healed.items()
        if o not in one.live
    )
    seconds = (one.clock.now - (BEGAN if sweeping else back)).total_seconds()
    calls = sum(one.market.calls.values())
    told = {
        "orders that changed unheard": orders,
        "of them known before": int(orders * known),
        "calls": calls,
        **{f"calls: {name}": count for name, count in sorted(one.market.calls.items())},
        "calls in the busiest second": one.busiest,
        "simulated seconds until all is done": round(seconds),
        "sweeps after the outage": one.minutes,
        "longest wait, seconds": round(lost[-1]) if lost else 0,
        "median wait, seconds": round(lost[len(lost) // 2]) if lost else 0,
        "orders placed after the outage": len(new),
        "their longest wait, seconds": round(new[-1]) if new else 0,
        "table requests per order": round(one.store.requests / max(orders, 1), 1),
        "most rows left due by a sweep": max(one.due_left),
        **{f"announced: {name}": count for name, count in sorted(one.announced.items())},
        "wall seconds to set up": round(ready - began, 1),
        "wall seconds to recover": round(done - ready, 1),
    }
    outcome.figures.update(told)
    outcome.tables.append(
        Table(("a recovery", ""), [(name, f"{value:,}") for name, value in told.items()])
    )
    healed = sum(o in one.store.healed for o in one.market.orders)
    outcome.bars += [
        Bar("every order is healed", healed == len(one.market.orders), f"{healed:,}"),
        Bar(
            f"never more than {rate:g} calls a second",
            one.busiest <= rate,
            f"{one.busiest} in the busiest second, {calls / max(seconds, 1):.2f} on average",
        ),
    ]
    outcome.notes.append(
        "A wait lasts from the order's change until it stands here as it does at the marketplace"
        + ("." if sweeping else "; of what changed during the outage, from its end.")
    )
    odd = {name: count for name, count in one.lines.items() if "fail" in name or "odd" in name}
    if odd:
        outcome.notes.append(f"Told meanwhile: {odd}")
    return outcome


def run(quick: bool) -> Outcome:
    """A small outage, for a look beside the other benchmarks."""
    return recovery(1_000 if quick else 5_000, 0.5, LIVE_A_MINUTE)


def main() -> int:
    """The command line: `python -m benchmarks.outage --orders 100000`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outage", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000, help="orders that changed unheard")
    parser.add_argument("--known", type=float, default=0.5, help="share that was known before")
    parser.add_argument("--live", type=int, default=LIVE_A_MINUTE, help="new orders a minute")
    parser.add_argument("--rate", type=float, default=RATE, help="calls a second, at most")
    parser.add_argument("--sweeping", action="store_true", help="ingest alone was out")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead")
    asked = parser.parse_args()
    outcome = recovery(asked.orders, asked.known, asked.live, asked.rate, asked.sweeping)
    print(json.dumps(outcome.as_dict(), indent=2) if asked.json else shown(outcome))
    return 0 if all(bar.met for bar in outcome.bars) else 1


if __name__ == "__main__":
    raise SystemExit(main())
