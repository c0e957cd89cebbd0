"""A source's silence: who normally speaks and has stopped (docs/decisions/0023).

Several senders switch a webhook off for good after failures and tell nobody (`carriers.md` 7), so
errors are not enough. One row per source and account says when it was heard last and how long its
pauses were; it is due when that was too long ago. What was heard and when is real time.

A row is written at most once an hour: 3 write units (the row, and its move in the index `due`), so
72 a day for a source that never rests, however many deliveries it sends. It is read once an hour by
each process that translates.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shipclock import rows
from shipclock.codec import notice_row
from shipclock.domain.clock import Notice
from shipclock.domain.times import EPOCH, parse, stamp
from shipclock.ports import Change, Key, Put, Row, Store
from shipclock.sources import MARKETPLACES, accounts_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

DAYS = 14
"""How many days are remembered: two weekends."""

HABIT = 7
"""Heard on so many of them, a source is one that normally speaks, and its pauses are known: a
weekend's is among them."""

FLOOR = timedelta(hours=24)
"""The shortest silence that is told, where the template's parameter does not say another."""

Speaker = tuple[str, str]
"""Source and account."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a source has been heard. `pauses` are the longest ones in seconds, by the day (UTC) on
    which they ended, of the last fourteen days; `told` counts the alarms of the present silence.
    """

    at: datetime
    pauses: Mapping[str, int] = field(default_factory=dict)
    told: int = 0

    def again(self, at: datetime) -> "Heard":
        """The same, heard at an instant: to the hour. A silence that was told of was no habit."""
        if at < self.at + HOUR:
            return self
        today, oldest = _day(at), _day(at - (DAYS - 1) * DAY)
        pauses = {day: longest for day, longest in self.pauses.items() if day >= oldest}
        pause = 0 if self.told else int((at - self.at).total_seconds())
        return Heard(at, {**pauses, today: max(pause, pauses.get(today, 0))})

    @property
    def habitual(self) -> bool:
        """Whether it normally speaks: heard on enough days for its pauses to be known."""
        return len(self.pauses) >= HABIT

    @property
    def longest(self) -> timedelta:
        """Its longest pause."""
        return timedelta(seconds=max(self.pauses.values(), default=0))

    def silent_at(self, floor: timedelta) -> datetime:
        """When it will have been silent for too long: after twice its longest pause and no less
        than the floor; after fourteen floors where its pauses are not known."""
        limit = max(floor, 2 * self.longest) if self.habitual else DAYS * floor
        return self.at + HOUR + limit


def _day(at: datetime) -> str:
    return at.date().isoformat()


def read_heard(row: Row) -> Heard:
    """How the source of a row has been heard."""
    return Heard(parse(row["heard_at"]), dict(row["pauses"]), row.get("told", 0))


@dataclass(frozen=True, slots=True)
class Listener:
    """Notes who speaks, and tells of who has stopped.

    `known` is what this process has seen noted: kept from one invocation to the next, so that a
    busy source costs nothing; nothing is wrong where it is lost. `secrets` are the sources'.
    """

    store: Store
    secrets: Callable[[], Mapping[str, Any]]
    known: dict[Speaker, datetime]
    floor: timedelta
    now: datetime
    real: Callable[[], datetime]

    def note(self, speaker: Speaker, times: Iterable[datetime]) -> list[Key]:
        """Note that a source spoke at these times; the key of what is to be said of it, if it had
        been told as silent.

        What arrived in another age does not count: it may have waited in quarantine ever since.
        """
        oldest = max(self.real() - DAYS * DAY, self.known.get(speaker, EPOCH) + HOUR)
        spoke = sorted(at for at in times if at >= oldest)
        if not spoke:
            return []
        key = rows.source_key(*speaker)
        row = self.store.get(key)
        before = read_heard(row) if row else Heard(spoke[0], {_day(spoke[0]): 0})
        heard = before
        for at in spoke:
            heard = heard.again(at)
        if row and heard is before:
            self.known[speaker] = heard.at
            return []
        mark = rows.mark(key, rows.at(heard.silent_at(self.floor)))
        told: Row = {"heard_at": heard.at.isoformat(), "pauses": dict(heard.pauses), **mark}
        write: Put | Change = Put(
            {"pk": key[0], "sk": key[1], "source": speaker[0], "account": speaker[1], **told}
        )
        if row:
            seen = {"heard_at": row["heard_at"]}
            write = Change(key, set=told, remove=("told", "put_off"), when=seen)
        if not before.told:
            if self.store.write(write):  # else another process has noted it in the same moment
                self.known[speaker] = heard.at
            return []
        notice = _speaks_again(speaker, before, heard, self.now)
        news = notice_row(key[0], notice, self.real())
        return [rows.key_of(news)] if self.store.commit([write, Put(news)]) else []

    def look(self, key: Key) -> Key | None:
        """Look at a source whose time is over; the key of the notice where it is told as silent.

        Told once, then daily until nothing is remembered of it. Of an account that is not in the
        sources' secret any more silence is no news.
        """
        row = self.store.get(key)
        if row is None or not rows.is_due(row, self.now):
            return None
        heard, speaker = read_heard(row), (row["source"], row["account"])
        seen = {"heard_at": row["heard_at"]}  # of two that tell of one silence one puts the notice
        left = heard.silent_at(self.floor) - self.real()
        if left > timedelta(0):  # `now` has run ahead of the real clock, or the floor was raised
            mark = rows.mark(key, rows.at(self.now + left))
            self.store.write(Change(key, set=mark, remove=("put_off",), when=seen))
            return None
        if not _listed(speaker, self.secrets()):
            self.store.write(Change(key, remove=rows.UNMARK, when=seen))
            return None
        again = self.real() + DAY < heard.at + DAYS * DAY
        mark = rows.mark(key, rows.at(self.now + DAY)) if again else {}
        notice = _silent(speaker, heard, self.now, self.real(), again)
        news = notice_row(key[0], notice, self.real())
        change = Change(
            key,
            set={"told": heard.told + 1, **mark},
            remove=("put_off",) if again else rows.UNMARK,
            when=seen,
        )
        return rows.key_of(news) if self.store.commit([change, Put(news)]) else None


def _listed(speaker: Speaker, secrets: Mapping[str, Any]) -> bool:
    """Whether anything is still expected of an account."""
    try:
        return any(account.name == speaker[1] for account in accounts_of(secrets, speaker[0]))
    except ValueError:
        return True  # a secret that can't be used lets nobody in, and that must be told


def _silent(speaker: Speaker, heard: Heard, now: datetime, real: datetime, again: bool) -> Notice:
    source, account = speaker
    days = f"It spoke on {len(heard.pauses)} of the last fourteen days before"
    pause = f", and its longest pause was {span(heard.longest)}" if heard.habitual else ""
    switch = "switch it on"
    if source in MARKETPLACES:
        switch = "register it anew with `shipclock shops webhooks`"
    text = (
        f"Nothing has come from {source} (account {account}) for {span(real - heard.at)}, since "
        f"{stamp(heard.at)}. {days}{pause}. Some senders switch a webhook off for good after "
        f"failures and tell nobody: look there whether ours is on, {switch}, and have what was "
        "missed sent again. `shipclock doctor` looks at our side. If there was nothing to send, "
        "nothing is wrong; an account that you no longer use, take out of the sources' secret. "
        f"{'This is told daily.' if again else 'This is not told again.'}"
    )
    return Notice(source, "silent", now, f"{stamp(heard.at)}#{heard.told + 1}", text)


def _speaks_again(speaker: Speaker, before: Heard, heard: Heard, now: datetime) -> Notice:
    source, account = speaker
    text = (
        f"{source} (account {account}) speaks again since {stamp(heard.at)}, after "
        f"{span(heard.at - before.at)}. What it did not send meanwhile may never come: have it "
        "sent again, and look at the parcels whose clocks ran out."
    )
    return Notice(source, "speaks_again", now, stamp(heard.at), text)


def span(length: timedelta) -> str:
    """A length of time for people: hours, from two days on days."""
    hours = int(length / HOUR)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hour{'s' * (hours != 1)}"
