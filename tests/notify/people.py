"""People at their destinations: what a sweep has to say reaches them, while things go wrong."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shipclock import codec, rows
from shipclock.domain.clock import Notice
from shipclock.ports import OutletFailed, Outlets, Put, StoreError, Taken
from shipclock.sweep import Report, Sweep
from tests.fakes import Faults, FaultyStore, Gone
from tests.stage import SHOP_ID, Stage

SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="
SLACK = "https://hooks.slack.example.com/services/made-up"
HOOK = "https://erp.example.com/hooks?key=made-up"
SLACKS = {"kind": "slack", "url": SLACK}
WEBHOOK = {"kind": "webhook", "url": HOOK, "secrets": [SECRET]}


@dataclass(frozen=True)
class Arrived:
    """One message as it arrived somewhere, at the sweep's time."""

    whose: str
    at: datetime
    id: str
    level: str
    day: str
    events: tuple[str, ...]
    body: bytes


@dataclass
class FaultyOutlets:
    """Outlets of which each call may fail, as planned; remembers what arrived nevertheless."""

    faults: Faults
    now: datetime
    arrived: list[Arrived]

    def publish(self, subject: str, text: str, attributes: Mapping[str, str]) -> None:
        """The topic takes anything; these people listen elsewhere."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
        def arrive() -> Taken:
            told = json.loads(body)["data"]
            events = tuple(event["id"] for event in told["events"])
            self.arrived.append(
                Arrived(url, self.now, told["id"], told["level"], told["day"], events, body)
            )
            assert headers["webhook-id"] == told["id"]
            return Taken(204)

        return self.faults.around(arrive, OutletFailed)


@dataclass
class People:
    """One shop's people, and what was to be told them."""

    zone: str = "Asia/Kuala_Lumpur"
    start: datetime = datetime(2026, 6, 1, 0, 30, tzinfo=UTC)
    destinations: Mapping[str, Any] = field(default_factory=dict)
    arrived: list[Arrived] = field(default_factory=list)
    said: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    """Level and time of each event, by its id."""

    def __post_init__(self) -> None:
        self.stage = Stage(zone=self.zone)
        self.now = self.start
        self.stage.destinations = {"destinations": self.destinations}

    def happens(self, level: str, due_at: datetime | None = None) -> str:
        """Something happens of which people are to be told; the id of its event."""
        order = f"{len(self.said) + 1}"
        notice = Notice("untracked", "reminder", self.now, "day", "So it is.", level, due_at)
        row = codec.notice_row(rows.order_pk(order), notice, self.stage.real.now, SHOP_ID)
        assert self.stage.store.write(Put(row))
        told = self.id_of(order)
        self.said[told] = level, self.now
        return told

    def id_of(self, order: str) -> str:
        """The id of an order's event."""
        from shipclock.announce import announcement

        row = self.stage.store.read(rows.order_pk(order), rows.NOTICE)[0]
        return str(announcement(rows.key_of(row), row)["id"])

    def passes(self, minutes: float) -> None:
        """Time passes, for clocks and people alike."""
        self.now += timedelta(minutes=minutes)
        self.stage.real.pass_time(minutes * 60)

    def sweep(
        self, plan: Mapping[int, str] | None = None, outlets: Outlets | None = None
    ) -> Report | None:
        """One sweep, in which I/O fails as planned; None where the process is gone."""
        faults = Faults(dict(plan or {}))
        world = self.stage.world
        world.store = FaultyStore(self.stage.memory, faults)
        world.outlets = outlets or FaultyOutlets(faults, self.now, self.arrived)
        with suppress(Gone, StoreError):
            return Sweep(world, self.now, timedelta(seconds=65)).run()
        return None

    def until(self, instant: datetime, every: float = 60) -> None:
        """Sweeps go on, undisturbed."""
        while self.now < instant:
            self.passes(every)
            self.sweep()

    @property
    def local(self) -> datetime:
        """The shop's time."""
        return self.now.astimezone(ZoneInfo(self.zone))

    def told(self, whose: str = HOOK) -> list[Arrived]:
        """The messages that arrived there, repeats left out."""
        found: dict[str, Arrived] = {}
        for one in self.arrived:
            if one.whose == whose:
                found.setdefault(one.id, one)
        return list(found.values())

    def events(self, whose: str = HOOK) -> Sequence[str]:
        """The ids of the events in them."""
        return [event for one in self.told(whose) for event in one.events]
