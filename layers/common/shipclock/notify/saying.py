"""Says what a sweep has to say: each event to the bus, and to people what concerns them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shipclock import codec, rows
from shipclock.announce import announcement
from shipclock.clockwork import Clockwork
from shipclock.guard import Guard
from shipclock.notify.delivery import Delivery
from shipclock.notify.destinations import Destination, Destinations, destinations_of
from shipclock.notify.health import without_gone
from shipclock.notify.outbox import Outbox, Told
from shipclock.ports import ABSENT, Above, Change, Key, Row, SecretMalformed, SecretsFailed
from shipclock.shops import Shops
from shipclock.world import World

TOGETHER = 50
"""Events that are put on the bus before they are kept for people."""

TELLING = timedelta(seconds=1)
"""What announcing leaves of the time, so that messages to people begin as well."""

TURNS = 3
"""How often messages are told in one sweep: telling may bring news of its own."""


class Saying:
    """Says what it is given, in one sweep at `now`.

    At least once each. After the first that is not taken the rest keeps its marks for the next
    sweep: a bus that is down must not use up the time that others need.
    """

    def __init__(
        self, world: World, guard: Guard, clockwork: Clockwork, now: datetime, shops: Shops
    ) -> None:
        """Says over that world's bus and outlets."""
        self._world = world
        self._guard = guard
        self._clockwork = clockwork
        self._now = now
        self._shops = shops
        self._mute = False
        self._found: Destinations | SecretsFailed | None = None
        self._boxes: dict[Key, None] = {}
        self._messages: dict[Key, None] = {}

    # Events

    def say(self, keys: Iterable[Key]) -> None:
        """Announce verdicts and notices on the bus, keep them for people, and take their marks off.

        A crash in between announces them once more, with the same ids. What can't be kept for
        people is tried again by the next sweeps, and not announced by each of them.
        """
        waiting = list(dict.fromkeys(keys))
        for _ in range(1 + codec.MOST_UNSAID):  # people are told of one turn of a row at a time
            turned: list[Key] = []
            for first in range(0, len(waiting), TOGETHER):
                told = [
                    one for key in waiting[first : first + TOGETHER] for one in self._announced(key)
                ]
                if told and self._keep(told):
                    turned += [rows.key_of(one.row) for one in told if rows.UNSAID in one.row]
            waiting = turned

    def _keep(self, told: list[Told]) -> bool:
        """Keep events for people; False where that failed, and the bus is not told them again."""
        due, kept = [rows.key_of(one.row) for one in told], False
        with self._guard(due[0], "announcement", due[1:]):
            self._boxes |= dict.fromkeys(self._outbox().keep(told))
            kept = True
        for one in () if kept else told:
            turn, key = _turn(one.row), rows.key_of(one.row)
            if one.row.get(rows.ANNOUNCED) != turn:
                with self._guard(key, "announcement"):
                    # it was put off meanwhile; another sweep may have kept it, too
                    seen = {"told": one.row.get("told", ABSENT), "due_at": Above("")}
                    self._world.store.write(Change(key, set={rows.ANNOUNCED: turn}, when=seen))
        return kept

    def _announced(self, key: Key) -> list[Told]:
        """A row whose events are on the bus, mostly since just now; none where it is not to be."""
        if self._mute or not self._clockwork.allows(TELLING):
            return []
        self._mute, told = True, []
        with self._guard(key, "announcement"):
            row = self._world.store.get(key)
            if row is not None and "due_at" in row:
                turns = codec.turns(row)
                events = [announcement(key, turn) for turn in turns]
                for turn, event in zip(turns, events, strict=True):
                    if _turn(turn) > row.get(rows.ANNOUNCED, 0):
                        self._world.announce(event)
                told.append(Told(row, events[0]))
            self._mute = False
        return told

    # Messages

    def note(self, boxes: Iterable[Key], messages: Iterable[Key]) -> None:
        """Take note of boxes and messages that are due."""
        self._boxes |= dict.fromkeys(boxes)
        self._messages |= dict.fromkeys(messages)

    def tell(self) -> None:
        """Close the boxes that are due and tell the messages, each destination on its own.

        Once, at a sweep's end: so what it found of one shop goes together.
        """
        for _ in range(TURNS):
            if not (self._boxes or self._messages) or not self._clockwork.allows():
                return
            for key in self._boxes:
                with self._guard(key, "box"):
                    message = self._outbox().close(key)
                    self._messages |= dict.fromkeys([message] if message else [])
            messages, self._boxes, self._messages = list(self._messages), {}, {}
            if messages:
                with self._guard(messages[0], "message", messages[1:]):
                    self._deliver_all(messages)

    def _deliver_all(self, messages: list[Key]) -> None:
        delivery = self._delivery()

        def deliver(mine: list[Key]) -> None:
            """The messages to one destination, one after the other."""
            taking = True
            for key in mine:
                with self._guard(key, "message"):
                    if taking:
                        taking = delivery.deliver(key)
                    else:
                        delivery.put_off(key)

        self._world.each(deliver, delivery.by_destination(messages))
        self.say(delivery.unsaid)

    def _outbox(self) -> Outbox:
        world = self._world
        found = self._destinations()
        return Outbox(world.store, found, self._zone_of, self._now, world.real())

    def _delivery(self) -> Delivery:
        world = self._world
        return Delivery(
            world.store,
            world.outlets,
            self._destinations(),
            self._zone_of,
            self._clockwork,
            self._now,
            world.tell,
        )

    def _destinations(self) -> Destinations:
        """Who is told, read once a sweep when it is first needed. Raises `SecretsFailed`."""
        if self._found is None:
            try:
                found = destinations_of(self._secret())
            except SecretsFailed as fault:
                self._found = fault
                raise
            for problem in found.problems:
                self._world.tell("destination.malformed", problem=problem)
            self._found = without_gone(self._world.store, found)
        if isinstance(self._found, SecretsFailed):
            raise self._found
        return self._found

    def _secret(self) -> object:
        try:
            return self._world.destinations()
        except SecretMalformed:
            return None

    def _zone_of(self, one: Destination, shop_id: str) -> ZoneInfo:
        shop = self._shops.get(shop_id) if shop_id else None
        return ZoneInfo(shop.zone if shop else one.entry.zone)


def _turn(row: Row) -> int:
    """Which turn of a verdict its row tells; a notice has one."""
    return int(row.get("told", 1))
