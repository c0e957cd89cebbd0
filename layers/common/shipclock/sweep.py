"""The sweeper: one loop over everything that is due (DESIGN 3.2).

Every kind of work is a due row. A round reads the index, translates deliveries, settles orders,
announces what was decided and lets each shop's lane do its calls; rounds go on until one finds
nothing new or the time is over. What is not finished stays due for the next minute.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from shipclock import fetching, rows
from shipclock.clockwork import RESERVE, Clockwork
from shipclock.connect import begin_reconciling
from shipclock.domain.push import IntentState
from shipclock.domain.times import parse, stamp
from shipclock.due import DueRows, Found
from shipclock.fetching import Fetching
from shipclock.guard import Guard
from shipclock.imagelinks import hosts_of
from shipclock.incident_walk import IncidentWalk
from shipclock.incidents import Declarations
from shipclock.judge import Settled
from shipclock.lanes import Lanes
from shipclock.marks import clear_mark
from shipclock.notify.saying import Saying
from shipclock.ports import Key, Row, SecretsFailed
from shipclock.pulls import Outside, Pulls
from shipclock.settle import settle
from shipclock.shops import Shops
from shipclock.silence import Listener, Speaker
from shipclock.translate import Translator, linked_orders
from shipclock.world import World

SAYING = timedelta(seconds=8)
"""How much sooner than they had to the lanes begin no further call, nor does what else has much to
do: no marketplace that is slow, however much is asked of it, takes the time to tell people."""

LAST_POST = timedelta(seconds=10)
"""No message to people is begun with less of the function's time left: one takes eight seconds at
most. So of `SAYING` some is left where a call of ten seconds begins just before it."""

SETTLING_SHARE = 0.6
"""The share of the time before that for translating and settling; the rest is the lanes'."""

ROUNDS = 20
"""A bound on rounds; three are usual."""

MOST_SHARING = 25
"""Orders that may share a number and each be settled anew for every other that gets it. With more
it is no number but a word that somebody fills in, and all of them for each would never end."""

OFF_BY = timedelta(minutes=10)
"""How far a schedule event's time may be from the real clock, unless time travel is on."""


class TimeRefused(Exception):
    """A schedule event's time is too far from the real clock to be true."""


@dataclass(slots=True)
class Report:
    """The answer of one sweep (DESIGN 6, sweeper)."""

    settled: int = 0
    fired: int = 0
    pushed: int = 0
    failed: int = 0
    due_left: int = 0

    def as_dict(self) -> dict[str, int]:
        """As the function answers it."""
        return {
            "settled": self.settled,
            "fired": self.fired,
            "pushed": self.pushed,
            "failed": self.failed,
            "due_left": self.due_left,
        }


class Sweep:
    """One sweep at `now`. Made anew for every invocation."""

    def __init__(self, world: World, now: datetime, time_left: timedelta) -> None:
        """Sweeps at `now`, with that much real time of the function left."""
        self._world = world
        self._store = world.store
        self._now = now
        ends_at = world.real() + time_left
        self._clockwork = Clockwork(world.real, world.sleep, ends_at)
        self._working = Clockwork(world.real, world.sleep, ends_at, RESERVE + SAYING)
        self._talking = Clockwork(world.real, world.sleep, ends_at, LAST_POST)
        self._settle_by = world.real() + (time_left - RESERVE - SAYING) * SETTLING_SHARE
        outside = Outside(
            world.store,
            world.wire,
            world.secrets,
            self._working,
            self._world.tell,
            world.raw_kept,
        )
        self._pulls = Pulls(outside, now)
        self._translator = Translator(
            world.store,
            now,
            world.real,
            world.raw_kept,
            self._pulls.watch,
            self._wants_images,
        )
        self._listener = Listener(
            world.store, world.secrets, world.heard, world.silence, now, world.real
        )
        self._sources: list[Key] = []
        self._fetching = Fetching(
            world.store, world.pictures, self._proof_hosts, self._clockwork, now, self._world.tell
        )
        self._images: list[Key] = []
        self._shops = Shops(world.store)
        self._guard = Guard(world.store, now, world.tell, self._translator.quarantine)
        self._declared = Declarations(world.store, world.tell)
        self._lanes = Lanes(
            world, self._working, now, self._guard, self._shops, self._settle, self._declared
        )
        self._incidents: list[Key] = []
        self._settled: dict[str, Settled] = {}
        self._orders_settled: set[str] = set()
        self._report = Report()
        self._due = DueRows(world.store, now)
        self._unsaid: list[Key] = []
        self._saying = Saying(world, self._guard, self._talking, now, self._shops)
        self._lock = Lock()

    def run(self) -> Report:
        """Do everything that is due at `now`, as far as the time allows."""
        for _ in range(ROUNDS):
            self._shops.forget()
            found = self._due.unseen()
            if found is None:
                if self._working.allows():
                    self._listen()
                break
            if not self._talking.allows():
                break
            self._sources += found.sources
            if self._working.allows():
                self._work(found)
            self._say_all(found.sayings)
            self._images += found.images
            self._saying.note(found.boxes, found.messages)
            self._incidents += found.incidents
        self._look_again()
        self._saying.tell()
        self._fetch_images()
        self._report.settled = len(self._orders_settled)
        self._report.pushed, self._report.failed = self._lanes.pushed, self._lanes.failed
        self._report.due_left = self._count_left()
        return self._report

    def _work(self, found: Found) -> None:
        """All of a round's work but saying what came of it."""
        self._translate(found)
        self._settle_all(found)
        self._lanes.run(found, self._settled)
        self._settled = {}
        with self._guard(("PULLS", "PULLS"), "pulls"):
            self._pulls.run(found.pulls)

    def poke(self, keys: Iterable[Key]) -> Report:
        """Translate these deliveries and settle their orders; calls no marketplace."""
        found = Found(deliveries=list(keys))
        self._translate(found)
        self._settle_all(found)
        self._say_all([])
        self._report.settled = len(self._orders_settled)
        return self._report

    def _count_left(self) -> int:
        left = self._due.left(self._world.real())
        self._world.tell("sweep.left", due_left=left.rows, OldestDueSeconds=left.oldest_seconds)
        return left.rows

    def _look_again(self) -> None:
        """Look at open orders again whose incidents have changed, with the time that is left."""
        walk = IncidentWalk(self._store, self._working, self._guard, self._settle, self._world.each)
        walk.run(self._incidents, self._now)
        self._say_all([])

    # Pictures

    def _fetch_images(self) -> None:
        """Fetch pictures of deliveries with the time that is left: they hold up nothing else."""

        def fetch_one(key: Key) -> None:
            with self._guard(key, "image"):
                self._fetching.fetch(key)

        keys = list(dict.fromkeys(self._images))[: fetching.MOST]
        for first in range(0, len(keys), fetching.TOGETHER):
            self._world.each(fetch_one, keys[first : first + fetching.TOGETHER])
        self._say_all(self._fetching.unsaid)

    def _wants_images(self, source: str, account: str) -> bool:
        """Whether pictures that an account names are to be noted. While nobody can tell they are:
        it is asked again before anything is fetched."""
        try:
            return bool(self._proof_hosts(source, account))
        except SecretsFailed:
            return True

    def _proof_hosts(self, source: str, account: str) -> Sequence[str]:
        return hosts_of(self._world.secrets(), source, account)

    # Translate and settle

    def _translate(self, found: Found) -> None:
        """Translate deliveries in the order of their arrival: of two that link one number to two
        orders, the earlier one counts."""
        due = sorted(self._deliveries(found), key=lambda row: str(row.get("received_at")))
        self._note(due)
        for row in due:
            if self._world.real() > self._settle_by:
                return
            with self._guard(rows.key_of(row), "delivery"):
                touched = self._translator.translate(row)
                for order_id in touched.orders:
                    found.orders.setdefault(order_id, [])
                for shop_id in touched.lost_shops:
                    self._shops.forget(shop_id)
                    self._world.tell("shop.disconnected", shop_id=shop_id)
                self._world.tell(
                    "delivery.quarantined" if touched.quarantined else "delivery.translated",
                    source=row["source"],
                    events=touched.events,
                    note=touched.note or touched.quarantined,
                )

    def _note(self, due: list[Row]) -> None:
        """Note who has spoken by itself, whatever becomes of what was said."""
        spoke: dict[Speaker, list[str]] = {}
        for row in due:
            if {"source", "account", "received_at"} <= row.keys() and not row.get("pulled"):
                spoke.setdefault((row["source"], row["account"]), []).append(row["received_at"])
        for speaker, times in spoke.items():
            with self._guard(rows.source_key(*speaker), "source"):
                self._unsaid += self._listener.note(speaker, map(parse, times))

    def _listen(self) -> None:
        """Tell of sources that have stopped, now that all that has arrived is noted."""
        for key in self._sources:
            with self._guard(key, "source"):
                notice = self._listener.look(key)
                if notice is not None:
                    self._unsaid.append(notice)
                    self._world.tell("source.silent", source=key[0].removeprefix("SOURCE#"))
        self._say_all([])

    def _deliveries(self, found: Found) -> list[Row]:
        """The rows of the deliveries that are due by now."""
        due: list[Row] = []
        for key in found.deliveries:
            with self._guard(key, "delivery"):
                row = self._store.get(key)
                if row is not None and rows.is_due(row, self._now):
                    due.append(row)
        return due

    def _settle_all(self, found: Found) -> None:
        shared: list[tuple[Row, set[str]]] = []
        known: dict[str, set[str]] = {}
        for key in sorted(found.numbers):
            if self._world.real() > self._settle_by:
                break
            with self._guard(key, "number"):
                number = key[0].removeprefix("NUMBER#")
                if number not in known:
                    known[number] = linked_orders(self._store, number)
                owners = known[number]
                concerned = _concerned(key, owners)
                for order_id in concerned:
                    found.orders.setdefault(order_id, []).append(key)
                if len(owners) != 1:  # of a single order, its settle clears it
                    row = self._store.get(key)  # as it is before they are settled
                    shared += [(row, concerned)] if row else []
        done: set[str] = set()

        def settle_one(item: tuple[str, list[Key]]) -> None:
            order_id, due = item
            if self._world.real() > self._settle_by:
                return
            with self._guard((rows.order_pk(order_id), rows.HEAD), "order", due):
                settled = self._settle(order_id)
                if settled is not None:
                    self._settled[order_id] = settled
                done.add(order_id)

        self._world.each(settle_one, found.orders.items())
        for row, orders in shared:
            if orders <= done:
                with self._guard(rows.key_of(row), "number"):
                    clear_mark(self._store, row)

    def _settle(self, order_id: str) -> Settled | None:
        """Settle one order; what that made of it is announced at the round's end."""
        real = self._world.real()
        kept, declared = self._world.raw_kept, self._declared
        settled = settle(self._store, self._shops.get, order_id, self._now, real, kept, declared)
        if settled is None or not settled.known:
            return settled
        with self._lock:
            self._orders_settled.add(order_id)
            self._report.fired += settled.said
        if settled.anchor is not None:
            links, head = settled.anchor.links, settled.anchor.head
            self._world.tell("order.chained", order_id=order_id, links=links, head=head)
        shop = settled.situation.shop
        if settled.recorded.version == 0 and shop is not None and shop.connected:
            begin_reconciling(self._store, shop.shop_id, real)  # heard of, so kept complete
        self._pulls.begin(settled.order)
        pk, decision = rows.order_pk(order_id), settled.decision
        for intent in decision.intents:
            if intent.state is IntentState.DEAD:
                self._world.tell(
                    "push.dead", order_id=order_id, call=intent.call, reason=intent.reason
                )
        self._unsaid += [(pk, rows.VERDICT + verdict.key) for verdict in decision.verdicts]
        self._unsaid += [(pk, rows.NOTICE + notice.key) for notice in decision.notices]
        return settled

    def _say_all(self, keys: Iterable[Key]) -> None:
        """Announce verdicts and notices: to the bus now, to people as their time comes."""
        unsaid, self._unsaid = [*self._unsaid, *keys], []
        self._saying.say(unsaid)


def _concerned(key: Key, owners: set[str]) -> set[str]:
    """The orders to be settled for a due row of a number: all that it is linked to; for one more
    link of a number that very many bear the new one alone."""
    if key[1].startswith(rows.LINK) and len(owners) > MOST_SHARING:
        return {key[1].removeprefix(rows.LINK)}
    return owners


def now_of(event: Mapping[str, Any], real: datetime, time_travel: bool) -> datetime:
    """The `now` of a schedule event: its `time`, to the second.

    Raises `TimeRefused` where it is missing, no time, or further from the real clock than ten
    minutes while time travel is off.
    """
    try:
        now = parse(str(event["time"]))
    except (KeyError, ValueError) as error:
        raise TimeRefused(f"the event names no usable time: {error}") from error
    if not time_travel and abs(now - real) > OFF_BY:
        raise TimeRefused(
            f"{stamp(now)} is more than ten minutes from the clock ({stamp(real)}). "
            "Invoke without time travel only at the present time."
        )
    return now
