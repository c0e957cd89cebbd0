"""Messages to people, once they are closed: tried until a destination takes them, or given up.

A try is written down before it is made, with the time of the next one: of two sweeps one makes it,
and after a crash it is made again. So a message is told at least once, under one id.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from shipclock import backoff, rows
from shipclock.clockwork import Clockwork
from shipclock.codec import notice_row
from shipclock.domain.clock import Notice
from shipclock.domain.level import Level
from shipclock.domain.times import parse, stamp
from shipclock.notify import health, wording
from shipclock.notify.destinations import Destination, Destinations
from shipclock.notify.outbox import EVENTS_PER_PART, ZoneOf, item_prefix, level_in
from shipclock.notify.sending import send
from shipclock.ports import (
    Change,
    Key,
    OutletFailed,
    OutletRefused,
    Outlets,
    Put,
    Row,
    Store,
    Taken,
)
from shipclock.reading import digest

GONE = 410
BUSY = (429, 503)
"""The answers whose `Retry-After` is about all that a destination is sent."""

LONGEST_WAIT = timedelta(days=1)
"""The longest `Retry-After` that is heeded."""

UNNAMED = timedelta(hours=1)
"""How often a message is looked at whose destination is not in the secret, off, or malformed."""

GIVEN_UP = timedelta(days=7)
"""How long it waits for that."""

UNDER_WAY = timedelta(minutes=2)
"""How long a try that was begun is nobody else's to make: longer than a sweep may take. The sweep
of the next minute begins before it may have ended."""

MESSAGES_PER_SWEEP = 20
"""Messages to one destination in one sweep; the rest stays due."""

PARTS_PER_CALL = 20
"""Parts of one of them."""

PRESSING = (Level.CRITICAL, Level.URGENT, Level.ORDINARY)
"""Which of the messages to a destination go first."""

FAILING, IS_GONE = "failing", "gone"
"""The kinds of notices about a destination."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a destination did not take a message, and how long it asked us to wait."""

    reason: str
    status: int = 0
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivers messages, in one sweep at `now`. `report` tells one thing that happened."""

    store: Store
    outlets: Outlets
    destinations: Destinations
    zone_of: ZoneOf
    clockwork: Clockwork
    now: datetime
    report: Callable[..., None]

    unsaid: list[Key] = field(default_factory=list)
    """Notices that were put and are to be announced."""

    def by_destination(self, keys: Iterable[Key]) -> list[list[Key]]:
        """Messages sorted by whom they go to, for one who is slow holds up nobody else; of each
        those that press most come first."""
        found: dict[str, list[Key]] = defaultdict(list)
        for key in keys:
            found[key[0].split("#", 2)[1]].append(key)
        for mine in found.values():
            mine.sort(key=lambda key: PRESSING.index(level_in(key)))
        return [mine[:MESSAGES_PER_SWEEP] for mine in found.values()]

    def deliver(self, key: Key) -> bool:
        """Tell one message, part by part, if it is due and its hours let it; False where it was not
        taken, so that others to the same destination had better wait as well."""
        for _ in range(PARTS_PER_CALL):
            row = self.store.get(key)
            if row is None or not rows.is_due(row, self.now):
                return True
            one = self.destinations.named(row["destination"])
            if one is None:
                self._wait(row)
                return True
            zone, quiet = self.zone_of(one, row["shop_id"]), one.quiet_at(Level(row["level"]))
            if quiet and quiet.at(self.now, zone):
                self._mark(row, rows.at(quiet.over_at(self.now, zone)))
                return True
            asked = health.waits_until(self.store, one)
            if asked > stamp(self.now):
                self._mark(row, asked)
                return True
            if not self.clockwork.allows() or (tried := self._begun(row)) is None:
                return True
            failure = self._try(one, tried)
            if failure is not None:
                self._failed(one, tried, failure)
                return False
            self._told(one, tried)
        return True

    def put_off(self, key: Key) -> None:
        """Leave a message for a minute, for its destination has just not taken another."""
        row = self.store.get(key)
        if row is not None and rows.is_due(row, self.now):
            self._mark(row, rows.at(self.now + backoff.MESSAGE[0]))

    # One try

    def _begun(self, row: Row) -> Row | None:
        """The message's row with one try more; None where another sweep is at it."""
        tries = row["tries"] + 1
        again = max(backoff.after(backoff.MESSAGE, tries, self.now), self.now + UNDER_WAY)
        said = {"tries": tries, **rows.mark(rows.key_of(row), rows.at(again))}
        when = {"due_at": row["due_at"], "part": row["part"]}
        done = self.store.write(Change(rows.key_of(row), set=said, when=when))
        return {**row, **said} if done else None

    def _try(self, one: Destination, row: Row) -> Failure | None:
        message = wording.Message(
            id=_id(row),
            shop_id=row["shop_id"],
            level=Level(row["level"]),
            day=row["day"],
            part=row["part"],
            parts=row["parts"],
            closed_at=row["closed_at"],
            zone=self.zone_of(one, row["shop_id"]),
            events=self._events(row),
        )
        try:
            taken = send(self.outlets, one, message, self.clockwork.real())
        except (OutletFailed, OutletRefused) as reason:
            return Failure(str(reason))
        if 200 <= taken.status < 300:
            return None
        return Failure(f"it answered {taken.status}", taken.status, self._asked_wait(taken))

    def _events(self, row: Row) -> Sequence[Mapping[str, Any]]:
        """What a message tells: its part of its round, by what it is about."""
        prefix = item_prefix(row["level"], row["round"])
        events = [json.loads(item["doc"]) for item in self.store.read(row["pk"], prefix)]
        first = (row["part"] - 1) * EVENTS_PER_PART
        return sorted(events, key=wording.place)[first : first + EVENTS_PER_PART]

    def _asked_wait(self, taken: Taken) -> timedelta:
        """How long a destination asked us to wait, in seconds or until a date."""
        told, wait = taken.retry_after.strip(), timedelta(0)
        if told.isascii() and told.isdigit():
            wait = timedelta(seconds=min(int(told[:9]), 10**6))
        elif told:
            try:
                wait = parsedate_to_datetime(told) - self.clockwork.real()
            except (TypeError, ValueError, OverflowError):  # no date, or one without a zone
                return wait
        return min(max(wait, timedelta(0)), LONGEST_WAIT)

    # What came of it

    def _told(self, one: Destination, row: Row) -> None:
        said: Row = {"state": "told", "told_at": stamp(self.now)}
        gone: tuple[str, ...] = ("reason", *rows.UNMARK)
        if row["part"] < row["parts"]:
            mark = rows.mark(rows.key_of(row), rows.after_all(self.clockwork.real()))
            said, gone = {"part": row["part"] + 1, "tries": 0, **mark}, ("reason",)
        self._change(row, said, gone)
        self.report("message.told", destination=one.name, id=_id(row), tries=row["tries"])
        health.went_well(self.store, one, self.now)

    def _failed(self, one: Destination, row: Row, failure: Failure) -> None:
        gone = failure.status == GONE
        if gone:  # told before it is written down: then it is no longer tried
            since = f"{stamp(self.now)}#{health.address_digest(one)}"
            self._say(one, IS_GONE, since, GONE_TEXT.format(name=one.name))
        asked = self.now + failure.wait if failure.wait and failure.status in BUSY else None
        health.failed(self.store, one, failure.reason, self.now, gone, asked)
        told = {"destination": one.name, "id": _id(row), "reason": failure.reason}
        if gone:
            self.report("destination.gone", **told)
            self._mark(row, rows.at(self.now + UNNAMED))
        elif backoff.exhausted(backoff.MESSAGE, row["tries"]):
            self._give_up(row, failure.reason)
        else:
            self.report("message.failed", **told, tries=row["tries"])
            wait = backoff.after(backoff.MESSAGE, row["tries"], self.now)
            again = rows.at(max(wait, self.now + failure.wait))
            said = {"reason": failure.reason, **rows.mark(rows.key_of(row), again)}
            self._change(row, said, ())

    def _give_up(self, row: Row, reason: str) -> None:
        """Leave a message to a person: `shipclock notify again` tries it anew."""
        name, at = row["destination"], stamp(self.now)
        self.report("message.dead", destination=name, id=_id(row), reason=reason)
        one = self.destinations.named(name)
        if one is not None:
            text = FAILING_TEXT.format(name=name, reason=reason, tries=row["tries"])
            self._say(one, FAILING, at[:10], text)
        board = {"board_pk": rows.UNTOLD, "board_at": f"{at}#{_id(row)}"}
        self._change(row, {"state": "dead", "reason": reason, **board}, rows.UNMARK)

    def _say(self, one: Destination, kind: str, day: str, text: str) -> None:
        pk, _ = rows.destination_key(one.name)
        notice = notice_row(pk, Notice(one.name, kind, self.now, day, text), self.clockwork.real())
        if self.store.write(Put(notice)):
            self.unsaid.append(rows.key_of(notice))

    def _wait(self, row: Row) -> None:
        """Wait for a destination that is not there: it may be malformed, off, or get another
        address."""
        if self.now - parse(row["closed_at"]) < GIVEN_UP:
            self._mark(row, rows.at(self.now + UNNAMED))
        else:
            self._give_up(row, "its destination is not in the secret, is off, or is gone")

    def _mark(self, row: Row, due_at: str) -> None:
        self._change(row, rows.mark(rows.key_of(row), due_at), ())

    def _change(self, row: Row, said: Row, remove: tuple[str, ...]) -> None:
        """Change a message's row unless another sweep has done so meanwhile."""
        when = {"due_at": row["due_at"], "part": row["part"]}
        self.store.write(Change(rows.key_of(row), set=said, remove=remove, when=when))


def _id(row: Row) -> str:
    """The id of a message's present part, the same at every try."""
    return f"msg_{digest(*rows.key_of(row), str(row['part']))}"


FAILING_TEXT = (
    "A message to destination {name} was given up after {tries} tries: {reason}. What it said is "
    "kept for 90 days. Mend the destination in the destinations' secret or at its receiver, see "
    "with `shipclock notify test {name}` that it works, then send what was given up with "
    "`shipclock notify again`."
)
GONE_TEXT = (
    "Destination {name} answered 410: it is gone for good, and nothing more is sent to it. Put its "
    "new address into the destinations' secret, or take it out. What waits for it is kept for "
    "seven days and goes to the new address."
)
