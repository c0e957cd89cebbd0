"""A cohort of orders that live a whole life in memory, as one shop with many orders would see it.

Per order: the marketplace's webhooks from UNPAID to COMPLETED, eight scans of a carrier, and one
accepted ship push. Each delivery wakes the sweeper by itself, as the stream does (on AWS a busy
stream brings several at once, which is cheaper), and a sweep follows every story minute in which
something arrived and every quarter of an hour otherwise. The marketplace sets its three hard lines.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

from shipclock.domain.times import parse
from shipclock.ports import Key, Store
from shipclock.sweep import Sweep

from tests.stage import SHOP_ID, START, Stage

SCANS = (
    ("info_received", 20.0),
    ("picked_up", 26.0),
    ("in_transit", 30.0),
    ("in_transit", 40.0),
    ("in_transit", 52.0),
    ("in_transit", 64.0),
    ("out_for_delivery", 72.0),
    ("delivered", 76.0),
)
"""What the carrier tells, and how many hours after the order was placed."""

COMPLETED_AT = 76 + 48.0
SWEEP_EVERY = timedelta(minutes=15)


class Life:
    """A stage with a cohort on it. `store` may stand before the stage's own, to count."""

    def __init__(self, orders: int, store: Any = None) -> None:
        self.stage = Stage()
        if store is not None:
            store.memory = self.stage.memory
            self.stage.store = store
        self.count = orders
        self.ids: list[str] = []
        self.arrived: Counter[str] = Counter()
        self.sweeps = 0
        self._poked = 0

    @property
    def store(self) -> Store:
        """What the product reads and writes."""
        return self.stage.store

    def live(self) -> None:
        """The whole life, from the first webhook to the last."""
        self._place()
        for kind, hour in self._plan():
            self._until(hour)
            getattr(self, f"_{kind}")(hour)
            self._hear()
        self._until(COMPLETED_AT + 1)
        assert {self.stage.sandbox.order(one)["status"] for one in self.ids} == {"COMPLETED"}
        heads = [self.stage.memory.rows[f"ORDER#{one}"]["HEAD"] for one in self.ids]
        assert {head["status"] for head in heads} == {"COMPLETED"}
        assert len(self.stage.effects) == self.count, "one push each, and one effect"

    def _plan(self) -> list[tuple[str, float]]:
        steps = [("pay", 0.1), ("release", 1.2), ("collect", 26.5), ("deliver", 76.5)]
        steps += [("complete", COMPLETED_AT), *[("scan", hour) for _, hour in SCANS]]
        return sorted(steps, key=lambda step: step[1])

    def _place(self) -> None:
        created = int(START.timestamp())
        day = 86_400
        self.ids = [
            self.stage.sandbox.add_order(
                SHOP_ID,
                status="UNPAID",
                items={"MUG": 1},
                is_on_hold_order=True,
                shipping_due_time=created + 3 * day,
                collection_due_time=created + 5 * day,
                delivery_due_time=created + 20 * day,
            )
            for _ in range(self.count)
        ]
        self._hear()

    def _pay(self, hour: float) -> None:
        for one in self.ids:
            self.stage.sandbox.pay(one)

    def _release(self, hour: float) -> None:
        for one in self.ids:
            self.stage.sandbox.release_hold(one)

    def _collect(self, hour: float) -> None:
        for one in self.ids:
            self.stage.sandbox.collect(one)

    def _deliver(self, hour: float) -> None:
        for one in self.ids:
            self.stage.sandbox.deliver(one)

    def _complete(self, hour: float) -> None:
        for one in self.ids:
            self.stage.sandbox.complete(one)

    def _scan(self, hour: float) -> None:
        status = next(status for status, at in SCANS if at == hour)
        for one in self.ids:
            at = START + timedelta(hours=hour)
            answer = self.stage.carrier_tells(f"SYN-{one[-6:]}", status, at, one)
            assert answer.status == 200

    def _hear(self) -> None:
        """Everything that arrived: kept, poked one by one, swept until nothing is left."""
        for _ in range(6):
            self.stage.marketplace_tells()
            self._poke()
            self._sweep()
            self.stage.real.pass_time(60)
            if not self.stage.sandbox.webhooks:
                break

    def _poke(self) -> None:
        for row in self.stage.kept[self._poked :]:
            key: Key = (row["pk"], row["sk"])
            self.arrived[row["source"]] += 1
            Sweep(self.stage.world, self.stage.now, timedelta(seconds=65)).poke([key])
        self._poked = len(self.stage.kept)

    def _sweep(self) -> None:
        self.sweeps += 1
        self.stage.sweep()

    def _until(self, hour: float) -> None:
        """Let the story run to that hour, sweeping on the way."""
        goal = START + timedelta(hours=hour)
        while self.stage.now < goal:
            self.stage.until(min(goal, self.stage.now + SWEEP_EVERY))
            self.stage.real.pass_time(60)
            self._sweep()
        assert self.stage.now == parse(goal.isoformat())
