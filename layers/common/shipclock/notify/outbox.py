"""What people are to be told: collected per destination, shop and level, then closed as a message.

| partition | sort key | row |
|---|---|---|
| `TELL#destination#shop` | `BOX#level` | what is collected: its round, how much, when it is due |
| | `ITEM#level#round#event` | one event in it |
| | `MESSAGE#…` | a round that was closed: due until it has been told |

An event is kept for people in the same write that takes its own due mark off, so it is in exactly
one round of each box. A round is closed over exactly what it holds. What a message says is thereby
fixed before it is first tried, and a crash anywhere leaves something due.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shipclock import rows
from shipclock.domain.level import Level
from shipclock.domain.times import parse, stamp
from shipclock.notify.destinations import Destination, Destinations
from shipclock.notify.hours import digest_after, local_day
from shipclock.ports import ABSENT, LARGEST_COMMIT, Change, Key, Put, Row, Store, StoreError, Write

PACE = timedelta(minutes=10)
"""How long after an urgent message the next one of a shop waits, to take more along."""

EVENTS_PER_PART = 150
"""Events in one part of a message."""

KEPT = timedelta(days=90)
"""How long messages are kept (real)."""

ITEMS_KEPT = KEPT + timedelta(days=14)
"""How long items are: the round that they are in is closed later, and may be so by days."""

TRIES = 8

ZoneOf = Callable[[Destination, str], ZoneInfo]
"""In whose time a destination hears of a shop; of no shop where its id is empty."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict's or notice's row, as it was read, and the event of its oldest turn to be said."""

    row: Row
    event: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Collects and closes, in one sweep at `now`; `real` is the real time of it."""

    store: Store
    destinations: Destinations
    zone_of: ZoneOf
    now: datetime
    real: datetime

    # Collecting

    def keep(self, told: Sequence[Told]) -> set[Key]:
        """Keep events for whom they concern, and take their rows' marks off; the boxes that were
        filled.

        Raises `StoreError` where others are faster again and again; what is not kept stays due.
        """
        together = max(1, LARGEST_COMMIT // (1 + 2 * len(self.destinations.all)))
        filled: set[Key] = set()
        for first in range(0, len(told), together):
            filled |= self._keep(told[first : first + together])
        return filled

    def _keep(self, told: Sequence[Told]) -> set[Key]:
        for _ in range(TRIES):
            boxes: dict[Key, tuple[Destination, list[Mapping[str, Any]]]] = {}
            for each in told:
                for key, one in self._boxes(each.event):
                    boxes.setdefault(key, (one, []))[1].append(each.event)
            writes: list[Write] = [_unmarked(each.row) for each in told]
            for key, (one, events) in boxes.items():
                writes += self._filled(key, one, events)
            if not writes or self.store.commit(writes):
                return set(boxes)
            told = [one for one in told if self._is_due(one.row)]  # another sweep kept the others
        raise StoreError(f"boxes were changed by others {TRIES} times in a row")

    def _is_due(self, row: Row) -> bool:
        now = self.store.get(rows.key_of(row)) or {}
        return all(now.get(name, ABSENT) == value for name, value in _as_read(row).items())

    def _boxes(self, event: Mapping[str, Any]) -> Iterator[tuple[Key, Destination]]:
        """The boxes that an event goes into, and whose each is."""
        shop_id = str(event.get("shop_id", ""))
        for one in self.destinations.all:
            if one.wants(event):
                level = self._level(one, shop_id, event).value
                yield (rows.tell_pk(one.name, shop_id), rows.BOX + level), one

    def _level(self, one: Destination, shop_id: str, event: Mapping[str, Any]) -> Level:
        """The event's level; urgent where the instant that it is about comes before its digest."""
        level, about = Level(event["level"]), event.get("due_at")
        if level is not Level.ORDINARY or not about or parse(about) <= self.now:
            return level
        return level if self._told_before(parse(about), one, shop_id) else Level.URGENT

    def _told_before(self, instant: datetime, one: Destination, shop_id: str) -> bool:
        """Whether the digest that takes in what is new now goes out before an instant: after quiet
        hours, and on another day where that day's went out already."""
        zone, quiet = self.zone_of(one, shop_id), one.quiet
        digest = self.now
        for _ in range(2):
            digest = digest_after(digest, one.digest_at, zone)
            digest = quiet.over_at(digest, zone) if quiet else digest
            if instant <= digest:
                return False
            day = message_sk(Level.ORDINARY, local_day(digest, zone))
            if self.store.get((rows.tell_pk(one.name, shop_id), day)) is None:
                break
        return True

    def _filled(
        self, key: Key, one: Destination, events: Sequence[Mapping[str, Any]]
    ) -> list[Write]:
        """The writes that put events into a box, as long as its round is the one that was read."""
        row = self.store.get(key)
        round_, count = (row["round"], row["count"]) if row else (1, 0)
        due_at = min(self._due_at(key, one, row), str((row or {}).get("due_at", rows.LATER)))
        level = key[1].removeprefix(rows.BOX)
        change = Change(
            key,
            set={"round": round_, "count": count + len(events), **rows.mark(key, due_at)},
            when={"round": round_, "count": count} if row else {"round": ABSENT},
            create=True,
        )
        until = int((self.real + ITEMS_KEPT).timestamp())
        items = [
            Put(
                {
                    "pk": key[0],
                    "sk": f"{item_prefix(level, round_)}{event['id']}",
                    "doc": json.dumps(dict(event), ensure_ascii=False),
                    "expires_at": until,
                }
            )
            for event in events
        ]
        return [change, *items]

    def _due_at(self, key: Key, one: Destination, row: Row | None) -> str:
        """When a box is due that something is put into now."""
        _, shop_id, level = _about(key)
        zone, quiet = self.zone_of(one, shop_id), one.quiet_at(level)
        if level is Level.ORDINARY:
            return rows.at(digest_after(self.now, one.digest_at, zone))
        if quiet and quiet.at(self.now, zone):
            return rows.at(quiet.over_at(self.now, zone))
        last = parse(row["closed_at"]) if row and "closed_at" in row else None
        if level is Level.URGENT and last and last <= self.now < last + PACE:
            return rows.at(last + PACE)
        return rows.after_all(self.real)

    # Closing

    def close(self, key: Key) -> Key | None:
        """Close a box's round if it is due and its hours let it; the message that it came to.

        Of the digest there is one for each local day: where it went out already, on a day of which
        a sweep made up for an earlier one, the next one has to wait for the next day. Of a
        destination that is not there the message waits instead.
        """
        row = self.store.get(key)
        if row is None or not rows.is_due(row, self.now):
            return None
        name, shop_id, level = _about(key)
        one = self.destinations.named(name)
        if one is None:
            message = self._message(row, stamp(self.now)[:10], f"{row['round']:08}")
            return message.key if self.store.commit([self._closed(row), message]) else None
        zone, quiet = self.zone_of(one, shop_id), one.quiet_at(level)
        if quiet and quiet.at(self.now, zone):
            self._put_off(row, rows.at(quiet.over_at(self.now, zone)))
            return None
        day = local_day(self.now, zone)
        message = self._message(row, day, day if level is Level.ORDINARY else f"{row['round']:08}")
        if self.store.commit([self._closed(row), message]):
            return message.key
        if level is Level.ORDINARY and self.store.get(message.key) is not None:
            self._put_off(row, rows.at(digest_after(self.now, one.digest_at, zone)))
        return None

    def _closed(self, row: Row) -> Change:
        return Change(
            rows.key_of(row),
            set={"round": row["round"] + 1, "count": 0, "closed_at": stamp(self.now)},
            remove=rows.UNMARK,
            when={"round": row["round"], "count": row["count"]},
        )

    def _message(self, row: Row, day: str, which: str) -> Put:
        """The message that a round comes to, told part by part."""
        name, shop_id, level = _about(rows.key_of(row))
        key = row["pk"], message_sk(level, which)
        return Put(
            {
                "pk": key[0],
                "sk": key[1],
                "destination": name,
                "shop_id": shop_id,
                "level": level.value,
                "day": day,
                "closed_at": stamp(self.now),
                "round": row["round"],
                "part": 1,
                "parts": -(-row["count"] // EVENTS_PER_PART),
                "state": "waiting",
                "tries": 0,
                "expires_at": int((self.real + KEPT).timestamp()),
                **rows.mark(key, rows.after_all(self.real)),
            }
        )

    def _put_off(self, row: Row, due_at: str) -> None:
        mark = rows.mark(rows.key_of(row), due_at)
        self.store.write(Change(rows.key_of(row), set=mark, when={"due_at": row["due_at"]}))


def _about(box: Key) -> tuple[str, str, Level]:
    """Whose a box is, of which shop, and its level."""
    _, name, shop_id = box[0].split("#", 2)
    return name, shop_id, Level(box[1].removeprefix(rows.BOX))


def message_sk(level: Level, which: str) -> str:
    """The sort key of a message: of a digest by its day, of others by their round."""
    return f"{rows.MESSAGE}{level.value}#{which}"


def level_in(message: Key) -> Level:
    """The level of a message, by its key."""
    return Level(message[1].split("#", 2)[1])


def item_prefix(level: str, round_: int) -> str:
    """How the sort keys of a round's items begin."""
    return f"{rows.ITEM}{level}#{round_:08}#"


def _unmarked(row: Row) -> Change:
    """Takes the mark off a row whose event is kept, unless it has changed since it was read. One
    that has turned since keeps it for the next turn, which the bus has taken as well."""
    key, seen = rows.key_of(row), _as_read(row)
    if rows.UNSAID in row:
        left = json.loads(row[rows.UNSAID])[1:]
        said = {rows.UNSAID: json.dumps(left, ensure_ascii=False)} if left else {}
        gone = () if left else (rows.UNSAID,)
        return Change(key, set={**said, rows.ANNOUNCED: row["told"]}, remove=gone, when=seen)
    return Change(key, remove=rows.UNMARK, when=seen)


def _as_read(row: Row) -> Row:
    """What tells that a row still says what was announced. Marks are of whole seconds: a verdict
    that turns within one of them bears the same."""
    return {"due_at": row["due_at"], **{n: row.get(n, ABSENT) for n in ("told", rows.UNSAID)}}
