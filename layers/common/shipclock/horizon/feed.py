"""Lines of open orders as an iCalendar (RFC 5545), for calendar apps that fetch it whole.

A line that was met, or whose order has ended, is in it no more; one that was moved has the same
`UID`, a higher `SEQUENCE` and its new instant. The same facts and settles give the same bytes,
until a line is missed. Nothing in it names a buyer (docs/decisions/0032).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shipclock.domain.clock import ClockState
from shipclock.domain.order import Order
from shipclock.domain.times import EPOCH, local
from shipclock.horizon.ahead import watched
from shipclock.horizon.answers import zone_of
from shipclock.horizon.lines import Line, line_of, stops, to_do
from shipclock.horizon.reading import Open
from shipclock.judge import Settled
from shipclock.rules import Ticking
from shipclock.rules.buyer_cancel_request import NAME as ANSWERING

if TYPE_CHECKING:
    from icalendar import Timezone

MOST_ORDERS = 1000
"""Orders that one feed is made from."""

MOST_EVENTS = 2500
"""Lines in one feed: an answer of a function may have 6 MB, and an event about one KB."""

CONTENT_TYPE = "text/calendar; charset=utf-8"
WANTED = {"hard": frozenset({Line.HARD}), "all": frozenset(Line)}
"""What `lines` may ask for."""

ALARMS = (timedelta(hours=-24), timedelta(hours=-1))
"""When a calendar app rings before a hard line: as the order is read again."""

EVERY = timedelta(hours=1)
"""How often an app is asked to fetch the feed."""

TITLES = {
    Line.HARD: "the marketplace cancels it",
    Line.METRIC: "it counts as late",
    Line.DEEMED: "it is deemed lost or delayed",
    Line.ALERT: "it is looked into",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of one order. `changed_at` is when the newest fact of the order became known, or the
    line was missed; `sequence` grows with each of these, so whenever the line may have moved."""

    uid: str
    at: datetime
    line: Line
    title: str
    text: str
    changed_at: datetime
    sequence: int


def entries(settled: Settled, wanted: frozenset[Line]) -> list[Entry]:
    """The lines of one order that are still to come, and those that were missed; of several of one
    clock the last."""
    found: dict[str, Entry] = {}
    for tick in settled.decision.timeline:
        line, state = line_of(tick.clock, tick.rule), tick.clock.state(settled.situation.now)
        missed = state is ClockState.MISSED and not tick.clock.overtaken
        if line not in wanted or not watched(tick):
            continue
        if missed or state in (ClockState.RUNNING, ClockState.WAITING):
            entry = _entry(settled, tick, line, missed)
            if entry.uid not in found or found[entry.uid].at < entry.at:
                found[entry.uid] = entry
    return list(found.values())


def _entry(settled: Settled, tick: Ticking, line: Line, missed: bool) -> Entry:
    order, clock, policy = settled.order, tick.clock, settled.situation.policy
    told_at = max(_told_at(order), settled.recorded.settled_at or EPOCH)
    then = "answer the buyer's wish to cancel" if clock.name == ANSWERING else TITLES[line]
    words = [f"In the shop's time: {local(clock.due_at, zone_of(settled))}."]
    if policy:
        words += [f"What stops it: {stops(tick, policy)}.", to_do(order, tick, policy)]
    words.append(f"Set by {clock.set_by}. Shop {order.shop_id}.")
    about = f"{clock.name}, {order.written(clock.number)}" if clock.number else clock.name
    return Entry(
        uid=_uid(order, tick),
        at=clock.due_at,
        line=line,
        title=_printable(
            f"{'Missed: o' if missed else 'O'}rder {order.order_id}: {then} ({about})"
        ),
        text="\n".join(map(_printable, words)),
        changed_at=max(told_at, clock.due_at) if missed else told_at,
        sequence=2 * (order.events + settled.recorded.version) + missed,
    )


def _printable(text: str) -> str:
    """A text that may hold a sender's words, without what RFC 5545 has no place for."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _uid(order: Order, tick: Ticking) -> str:
    """The same for one clock of one order, however often it is moved."""
    about = "/".join(filter(None, (tick.clock.part, tick.clock.cause)))
    told = f".{hashlib.sha256(about.encode()).hexdigest()[:12]}" if about else ""
    return f"{order.order_id}.{tick.clock.name}{told}@shipclock"


def _told_at(order: Order) -> datetime:
    """When the newest fact of an order became known."""
    told = [snapshot.requested_at for snapshot in order.snapshots]
    told += [read.requested_at for read in order.package_reads]
    told += [hint.received_at for hint in order.hints]
    told += [case.update_time for case in order.cases]
    told += [scan.received_at for parcel in order.parcels for scan in parcel.scans]
    return max(told, default=EPOCH)


def feed(found: Open, wanted: frozenset[Line], real: datetime, most: int = MOST_EVENTS) -> bytes:
    """The calendar of the lines of orders that were read, the soonest first, at most so many.

    Where orders or lines had to be left out, an event of today says so.
    """
    lines = [entry for settled in found.judged for entry in entries(settled, wanted)]
    lines.sort(key=lambda entry: (entry.at, entry.uid))
    shown = lines[:most]
    return written(shown, _left_out(found, len(lines) - len(shown)), real)


def _left_out(found: Open, cut: int) -> list[str]:
    """What the calendar does not show, in words."""
    told = []
    if found.next is not None:
        told.append(
            f"Only the {found.read} open orders whose clocks run out next were read; later lines "
            "of the others are not shown."
        )
    if cut:
        told.append(f"{cut} lines that come later are not shown.")
    if found.unread:
        named = ", ".join(one.order_id for one in found.unread[:20])
        told.append(f"{len(found.unread)} orders could not be judged: {named}.")
    return [*told, "The hub shows them all."] if told else []


def written(shown: Iterable[Entry], left_out: list[str], real: datetime) -> bytes:
    """The calendar as it is sent. Its library is loaded here, so that nothing else waits for it."""
    from icalendar import Alarm, Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Shipclock//Deadlines of orders//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("name", "Shipclock")
    calendar.add("x-wr-calname", "Shipclock")
    calendar.add("refresh-interval", EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    if not shown and not left_out:  # RFC 5545 3.6: at least one component
        calendar.add_component(_utc())
    for entry in shown:
        event = Event()
        event.add("uid", entry.uid)
        event.add("dtstamp", entry.changed_at)
        event.add("last-modified", entry.changed_at)
        event.add("sequence", entry.sequence)
        event.add("dtstart", entry.at)
        event.add("summary", entry.title)
        event.add("description", entry.text)
        event.add("categories", [entry.line.value])
        event.add("status", "CONFIRMED")
        event.add("transp", "TRANSPARENT")
        for before in ALARMS if entry.line is Line.HARD else ():
            alarm = Alarm()
            alarm.add("action", "DISPLAY")
            alarm.add("description", entry.title)
            alarm.add("trigger", before)
            event.add_component(alarm)
        calendar.add_component(event)
    if left_out:
        note = Event()
        note.add("uid", "left-out@shipclock")
        note.add("dtstamp", real)
        note.add("dtstart", real.date())
        note.add("summary", "Shipclock: this calendar is not whole")
        note.add("description", "\n".join(left_out))
        note.add("transp", "TRANSPARENT")
        calendar.add_component(note)
    return bytes(calendar.to_ical())


def _utc() -> "Timezone":
    """The zone that all times are of. It need not be told, but where nothing else is."""
    from icalendar import Timezone, TimezoneStandard

    always = TimezoneStandard()
    always.add("dtstart", EPOCH.replace(tzinfo=None))
    always.add("tzoffsetfrom", timedelta(0))
    always.add("tzoffsetto", timedelta(0))
    zone = Timezone()
    zone.add("tzid", "UTC")
    zone.add_component(always)
    return zone
