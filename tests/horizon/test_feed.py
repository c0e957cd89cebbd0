"""The calendar: what stands in it, and that programs others wrote read the same out of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import vobject  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from shipclock import codec
from shipclock.horizon.feed import WANTED, Entry, feed, written
from shipclock.horizon.lines import Line
from shipclock.horizon.reading import Open, Unread, read_open
from shipclock.marketplaces.protocol import OrderRow
from shipclock.ports import Put
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from tests.builders import OTHER_SHOP, REAL, SHOP, T0, after, case, facts, patient, scan
from tests.horizon.worlds import Table

NOW = after(1)
HOUR = timedelta(hours=1)


@pytest.fixture
def table() -> Table:
    return Table()


def made(table: Table, lines: str = "hard", now: datetime = NOW, **more: Any) -> bytes:
    return feed(read_open(table.store, table.shops, now, 5000), WANTED[lines], now, **more)


def events(text: bytes) -> dict[str, Any]:
    """The events by their UIDs."""
    found = [e for e in Calendar.from_ical(text).walk("VEVENT")]
    named = {str(event["UID"]): event for event in found}
    assert len(named) == len(found), "no UID stands there twice"
    return named


def test_a_hard_line_is_an_event_at_its_instant(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50), tts_sla_time=after(40))
    (event,) = [e for uid, e in events(made(table)).items() if "shipping_due_time" in uid]
    assert event["UID"] == "5761.shipping_due_time@shipclock"
    assert event["DTSTART"].dt == after(50)
    assert event["SUMMARY"] == "Order 5761: the marketplace cancels it (shipping_due_time)"
    assert event["TRANSP"] == "TRANSPARENT"
    text = str(event["DESCRIPTION"])
    assert "Tue 3 Nov 2026, 12:00 (Asia/Kuala_Lumpur)" in text
    assert "What stops it: the marketplace shows AWAITING_COLLECTION or beyond." in text
    assert "Hand the parcel over" in text


def test_only_hard_lines_stand_there_unless_all_are_asked_for(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50), tts_sla_time=after(40))
    hard = {uid.split(".")[1] for uid in events(made(table))}
    assert hard == {"shipping_due_time@shipclock", "untracked@shipclock"}
    every = {uid.split(".")[1] for uid in events(made(table, "all"))}
    assert every == hard | {"tts_sla_time@shipclock"}


def test_an_alarm_rings_a_day_and_an_hour_before_a_hard_line_alone(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50), tts_sla_time=after(40))
    found = events(made(table, "all"))
    alarms = found["5761.shipping_due_time@shipclock"].walk("VALARM")
    assert [alarm["TRIGGER"].dt for alarm in alarms] == [-timedelta(days=1), -timedelta(hours=1)]
    assert {str(alarm["ACTION"]) for alarm in alarms} == {"DISPLAY"}
    assert found["5761.tts_sla_time@shipclock"].walk("VALARM") == []


def test_a_line_that_was_met_or_whose_order_has_ended_leaves(table: Table) -> None:
    for order_id in ("5761", "5762", "5763"):
        table.fields(order_id, shipping_due_time=after(50))
    kept: dict[str, Any] = {"deadlines": {"shipping_due_time": after(50)}, "update_time": after(2)}
    table.order("5762", "AWAITING_COLLECTION", **kept)
    table.order("5763", "CANCELLED", cancel_time=after(2), **kept)
    left = {uid for uid in events(made(table)) if "shipping_due_time" in uid}
    assert left == {"5761.shipping_due_time@shipclock"}


def test_a_line_that_was_missed_stays_while_its_order_is_open(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50))
    name = "5761.shipping_due_time@shipclock"
    ahead, missed = events(made(table))[name], events(made(table, now=after(60)))[name]
    assert str(missed["SUMMARY"]).startswith("Missed: order 5761")
    assert missed["SEQUENCE"] > ahead["SEQUENCE"], "its words have changed"
    told = facts(deadlines={"shipping_due_time": after(98)})
    keep_snapshot(table.store, SHOP, OrderRow("5761", told, {}), REAL + HOUR, after(60))
    moved = events(made(table, now=after(61)))[name]
    assert moved["SEQUENCE"] > missed["SEQUENCE"]
    assert moved["LAST-MODIFIED"].dt >= missed["LAST-MODIFIED"].dt


def test_a_line_that_is_moved_keeps_its_name_and_grows_in_sequence(table: Table) -> None:
    order_id = table.fields("5761", shipping_due_time=after(50))
    first = events(made(table))["5761.shipping_due_time@shipclock"]
    told = facts(deadlines={"shipping_due_time": after(98)})
    # an extension changes nothing else of the order, not even when it was changed last
    keep_snapshot(table.store, SHOP, OrderRow(order_id, told, {}), REAL + HOUR, after(1))
    moved = events(made(table))["5761.shipping_due_time@shipclock"]
    assert (first["DTSTART"].dt, moved["DTSTART"].dt) == (after(50), after(98))
    assert moved["SEQUENCE"] > first["SEQUENCE"]
    assert moved["LAST-MODIFIED"].dt > first["LAST-MODIFIED"].dt
    assert moved["DTSTAMP"].dt == moved["LAST-MODIFIED"].dt


def test_a_request_that_is_made_again_has_one_event(table: Table) -> None:
    order_id = table.order("5761")
    for status, hours, due in (
        ("CANCELLATION_REQUEST_PENDING", 1, after(20)),
        ("CANCELLATION_REQUEST_CANCEL", 3, None),
        ("CANCELLATION_REQUEST_PENDING", 4, after(30)),
    ):
        state = case(status, hours, order_id=order_id, deadline=due)
        table.store.write(Put(codec.event_row(state, REAL)))
    found = {
        uid: event for uid, event in events(made(table, now=after(5))).items() if "buyer" in uid
    }
    ((uid, event),) = found.items()
    assert re.fullmatch(r"5761\.buyer_cancel_request\.[0-9a-f]{12}@shipclock", uid)
    assert event["DTSTART"].dt == after(30)
    assert "answer the buyer's wish" in event["SUMMARY"]


def test_the_same_facts_give_the_same_bytes_whenever_they_are_asked_for(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50))
    assert made(table) == made(table, now=NOW + timedelta(minutes=20))


def test_each_parcel_has_its_own_event(table: Table) -> None:
    for order_id, number in (("5761", "SYN000101"), ("5762", "SYN000102")):
        table.order(order_id, "IN_TRANSIT", number, [scan("in_transit", 1, number=number)])
    found = [uid for uid in events(made(table, "all")) if "not_acknowledged" in uid]
    assert len(found) == 2
    assert all(re.fullmatch(r"576\d\.not_acknowledged\.[0-9a-f]{12}@shipclock", u) for u in found)


def test_an_empty_calendar_is_a_calendar(table: Table) -> None:
    calendar: Any = Calendar.from_ical(made(table))
    assert calendar.walk("VEVENT") == []
    assert str(calendar["X-WR-CALNAME"]) == "Shipclock"
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)


def test_what_is_left_out_is_said_in_an_event_of_today(table: Table) -> None:
    for n in range(5):
        table.fields(f"576{n}", shipping_due_time=after(50 + n))
    cut = read_open(table.store, table.shops, NOW, 3)
    note = events(feed(cut, WANTED["hard"], NOW))["left-out@shipclock"]
    assert note["DTSTART"].dt == NOW.date()
    assert "Only the 3 open orders whose clocks run out next were read" in note["DESCRIPTION"]
    note = events(made(table, most=4))["left-out@shipclock"]
    assert "6 lines that come later are not shown" in note["DESCRIPTION"]
    assert len(events(made(table, most=4))) == 5
    odd = Open((), (Unread("5769", "odd"),), None)
    note = events(feed(odd, WANTED["hard"], NOW))["left-out@shipclock"]
    assert "5769" in note["DESCRIPTION"]
    assert "left-out@shipclock" not in events(made(table))


def test_nothing_in_it_is_of_a_buyer(table: Table) -> None:
    buyer = {"name": "Aisyah Contoh", "address": "12, Jalan Contoh 3"}
    told = facts(deadlines={"shipping_due_time": after(50)})
    keep_snapshot(table.store, SHOP, OrderRow("5761", told, buyer), REAL, T0)
    table.fields("5761", shipping_due_time=after(50))
    assert b"Contoh" not in made(table, "all")


def test_several_shops_stand_together_each_with_its_own_time(table: Table) -> None:
    table.connect(shop_id=OTHER_SHOP, zone="America/New_York")
    table.fields("5761", shipping_due_time=after(50))
    table.order("5762", shop_id=OTHER_SHOP, deadlines={"shipping_due_time": after(50)})
    found = events(made(table))
    first, other = (found[f"576{n}.shipping_due_time@shipclock"] for n in (1, 2))
    assert first["DTSTART"].dt == other["DTSTART"].dt
    assert "12:00 (Asia/Kuala_Lumpur)" in first["DESCRIPTION"]
    assert "23:00 (America/New_York)" in other["DESCRIPTION"]


# By programs that others wrote


def entry(title: str, text: str, at: datetime = T0, told_at: datetime = REAL) -> Entry:
    return Entry("5761.x@shipclock", at, Line.HARD, title, text, told_at, 7)


def test_lines_end_and_are_folded_as_rfc_5545_says(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50))
    text = made(table)
    lines = text.split(b"\r\n")
    assert lines[-1] == b""
    assert b"\n" not in b"".join(lines)
    assert max(map(len, lines)) <= 75
    for name in (b"BEGIN:VCALENDAR", b"VERSION:2.0", b"DTSTART:20261103T040000Z"):
        assert name in lines


HARMLESS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)
"""Without control characters: RFC 5545 has no place for them, and nothing of ours contains any."""


@patient
@given(
    title=HARMLESS,
    text=st.lists(HARMLESS, min_size=1, max_size=4).map("\n".join),
    at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
        lambda at: at.replace(microsecond=0, tzinfo=UTC)
    ),
)
def test_two_other_parsers_read_what_was_meant(title: str, text: str, at: datetime) -> None:
    told = written([entry(title, text, at)], [], REAL)
    assert max(map(len, told.split(b"\r\n"))) <= 75
    event = events(told)["5761.x@shipclock"]
    assert (event["SUMMARY"], event["DESCRIPTION"], event["DTSTART"].dt) == (title, text, at)
    other = vobject.readOne(told.decode()).vevent
    assert (other.summary.value, other.description.value) == (title, text)
    assert other.dtstart.value == at
    assert (other.uid.value, other.sequence.value) == ("5761.x@shipclock", "7")
    assert [alarm.trigger.value for alarm in other.valarm_list] == [
        -timedelta(days=1),
        -timedelta(hours=1),
    ]


def test_what_a_carrier_writes_adds_no_line_of_its_own(table: Table) -> None:
    name = "Synthetic\r\nEND:VEVENT\x00\x1b[31m;,\\ Express"
    moved = [scan("in_transit", 1, carrier=name)]
    table.order(
        "5761", "IN_TRANSIT", "SYN000101", moved, deadlines={"delivery_due_time": after(90)}
    )
    told = made(table)
    assert told.count(b"\r\nEND:VEVENT") == len(events(told)) == 1
    assert not re.search(rb"[^\r\n\x20-\x7e]", told)
    (event,) = events(told).values()
    assert "Ask Synthetic??END:VEVENT??[31m;,\\ Express where SYN000101 is" in event["DESCRIPTION"]


def test_a_whole_feed_is_valid_to_another_program(table: Table) -> None:
    table.fields("5761", shipping_due_time=after(50), tts_sla_time=after(40))
    table.order("5762", "IN_TRANSIT", "SYN000101", [scan("in_transit", 1)])
    calendar = vobject.readOne(made(table, "all").decode())
    calendar.validate(raiseException=True)
    ours, theirs = events(made(table, "all")), calendar.vevent_list
    assert {one.uid.value: one.dtstart.value for one in theirs} == {
        uid: event["DTSTART"].dt for uid, event in ours.items()
    }


def test_an_instant_in_an_hour_that_comes_twice_is_one_instant(table: Table) -> None:
    """Everything is told in UTC, so no time zone's rules have to be known by the reader."""
    table.connect(zone="America/New_York")
    for order_id, at in (("5761", after(3, minutes=30)), ("5762", after(4, minutes=30))):
        table.fields(order_id, shipping_due_time=at)
    found = events(made(table))
    starts = [found[f"576{n}.shipping_due_time@shipclock"]["DTSTART"].dt for n in (1, 2)]
    assert starts[1] - starts[0] == timedelta(hours=1)
    words = [str(found[f"576{n}.shipping_due_time@shipclock"]["DESCRIPTION"]) for n in (1, 2)]
    assert all("Sun 1 Nov 2026, 01:30 (America/New_York)" in told for told in words)


def test_a_calendar_without_lines_still_holds_something(table: Table) -> None:
    text = made(table)
    (zone,) = Calendar.from_ical(text).walk("VTIMEZONE")
    assert zone["TZID"] == "UTC"
    assert vobject.readOne(text.decode()).vtimezone is not None


def test_a_line_that_the_shops_closed_days_move_grows_in_sequence(table: Table) -> None:
    thai: Any = {"market": "TH", "zone": "Asia/Bangkok"}
    table.connect(**thai)
    table.order("5764")
    (uid,) = [uid for uid in events(made(table)) if "ready_in_time" in uid]
    before = events(made(table))[uid]
    table.connect(**thai, closed=("2026-11-02/2026-11-03",))
    settle(table.memory, table.shops.get, "5764", NOW, REAL)
    moved = events(made(table))[uid]
    assert moved["DTSTART"].dt > before["DTSTART"].dt
    assert moved["SEQUENCE"] > before["SEQUENCE"]
    assert moved["LAST-MODIFIED"].dt >= before["LAST-MODIFIED"].dt
