"""A steady stream of orders that each live a whole life, in memory, as one shop would see it.

Per order: the marketplace's webhooks from UNPAID to COMPLETED, eight scans of a carrier, and one
accepted ship push. Each delivery wakes the sweeper by itself, as the stream does (on AWS a busy
stream brings several at once, which is cheaper), and a sweep follows every quarter of an hour. The
marketplace sets its three hard lines. New orders come every half hour for two days, so that there
is always something that changed lately, as with a shop that sells.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from shipclock.ports import Key
from shipclock.sweep import Sweep
from tests.stage import SHOP_ID, START, Stage

TICKS_AN_HOUR = 4
EVERY_TICKS = 2
GROUPS = 100

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

STEPS = (
    ("pay", 0.25),
    ("release", 1.25),
    ("collect", 26.5),
    ("deliver", 76.5),
    ("complete", 124.0),
)
"""What the marketplace's side does, and when; each is told by a webhook."""


class Life:
    """A stage with a stream of orders on it, `width` at a time; `store` counts before its own.

    Without `idle_sweeps` a sweep follows only where something arrived: quicker, and no measure.
    """

    def __init__(
        self, width: int, store: Any, groups: int = GROUPS, idle_sweeps: bool = True
    ) -> None:
        self.stage = Stage()
        store.memory = self.stage.memory
        self.stage.store = store
        self.width, self.groups, self.idle_sweeps = width, groups, idle_sweeps
        self.ids: list[str] = []
        self.arrived: Counter[str] = Counter()
        self.sweeps = 0
        self._poked = 0
        self._plan: dict[int, list[Callable[[], object]]] = {}

    @property
    def orders(self) -> int:
        """How many orders live."""
        return self.width * self.groups

    def live(self) -> None:
        """From the first webhook of the first order to the last of the last."""
        for group in range(self.groups):
            tick = group * EVERY_TICKS
            self._plan.setdefault(tick, []).append(partial(self._place, tick))
        tick = 0
        while self._plan:
            self.stage.until(START + timedelta(hours=tick / TICKS_AN_HOUR))
            steps = self._plan.pop(tick, [])
            for step in steps:
                step()
            if steps or self.idle_sweeps:
                self._hear()
            tick += 1
        assert self._statuses() == {"COMPLETED"}, self._statuses()
        assert len(self.stage.effects) == self.orders, "one push each, and one effect"

    def _statuses(self) -> set[str]:
        heads = [self.stage.memory.rows[f"ORDER#{one}"]["HEAD"]["status"] for one in self.ids]
        return {*heads, *(str(self.stage.sandbox.order(one)["status"]) for one in self.ids)}

    def _place(self, tick: int) -> None:
        created, day = self.stage.sandbox.clock, 86_400
        for _ in range(self.width):
            one = self.stage.sandbox.add_order(
                SHOP_ID,
                status="UNPAID",
                items={"MUG": 1},
                is_on_hold_order=True,
                shipping_due_time=created + 3 * day,
                collection_due_time=created + 5 * day,
                delivery_due_time=created + 20 * day,
            )
            self.ids.append(one)
            for name, hour in STEPS:
                self._later(tick, hour, partial(self._step, name, one))
            for status, hour in SCANS:
                self._later(tick, hour, partial(self._scan, status, one))

    def _later(self, tick: int, hour: float, step: Callable[[], object]) -> None:
        self._plan.setdefault(tick + int(hour * TICKS_AN_HOUR), []).append(step)

    def _step(self, name: str, one: str) -> None:
        sandbox = self.stage.sandbox
        does = {
            "pay": sandbox.pay,
            "release": sandbox.release_hold,
            "collect": sandbox.collect,
            "deliver": sandbox.deliver,
            "complete": sandbox.complete,
        }
        does[name](one)

    def _scan(self, status: str, one: str) -> None:
        answer = self.stage.carrier_tells(f"SYN-{one[-6:]}", status, self.stage.now, one)
        assert answer.status == 200

    def _hear(self) -> None:
        """Everything that arrived: kept, poked one by one, then one sweep, and what it caused."""
        for turn in range(3):
            told = self.stage.marketplace_tells()
            self._poke()
            if told or not turn:
                self.sweeps += 1
                self.stage.sweep()
            self.stage.real.pass_time(60)

    def _poke(self) -> None:
        for row in self.stage.kept[self._poked :]:
            key: Key = (row["pk"], row["sk"])
            self.arrived[row["source"]] += 1
            Sweep(self.stage.world, self.stage.now, timedelta(seconds=65)).poke([key])
        self._poked = len(self.stage.kept)
