"""`shipclock due`, `forecast` and `calendar`: from the rows of a table to what a person reads."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from icalendar import Calendar

from cli import __main__ as entry
from cli import horizon, operate
from shipclock import rows
from tests.builders import OTHER_SHOP, SHOP, T0, after, scan
from tests.horizon.worlds import Table


class Console:
    """The commands on a table, at an instant."""

    def __init__(self, table: Table, patch: pytest.MonkeyPatch) -> None:
        self.now = T0
        self.opened: list[tuple[str | None, str | None]] = []

        def opened(table_name: str | None, stack: str | None = None) -> Any:
            self.opened.append((table_name, stack))
            return table.store

        patch.setattr(operate, "open_store", opened)
        patch.setattr(horizon, "real", lambda: self.now)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(entry.main, list(words))

    def said(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.said(*words, "--json"))
        return found

    def refused(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code != 0
        assert result.exception is not None
        return f"{result.output}{result.exception}"


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def console(table: Table, monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(table, monkeypatch)


# due


def test_due_says_when_what_stops_it_and_what_to_do_the_soonest_first(
    table: Table, console: Console
) -> None:
    table.fields("5762", tts_sla_time=after(20))
    table.fields("5761", shipping_due_time=after(3, minutes=20))
    assert console.said("due").splitlines() == [
        "Sun 1 Nov 2026, 13:20 (Asia/Kuala_Lumpur)  in 3 h 20 min  HARD  shipping_due_time",
        "    order 5761, shop 7490000000000000001, AWAITING_SHIPMENT; 2026-11-01T05:20:00Z",
        "    stopped by: the marketplace shows AWAITING_COLLECTION or beyond",
        "    Hand the parcel over, and have the carrier or 3PL report its number with the order "
        "id, or enter the number in Seller Center.",
        "Mon 2 Nov 2026, 06:00 (Asia/Kuala_Lumpur)  in 20 h  METRIC  tts_sla_time",
        "    order 5762, shop 7490000000000000001, AWAITING_SHIPMENT; 2026-11-01T22:00:00Z",
        "    stopped by: the marketplace shows IN_TRANSIT or beyond",
        "    Hand the parcel over, and have the carrier or 3PL report its number with the order "
        "id, or enter the number in Seller Center.",
    ]


def test_due_of_nothing_says_so(console: Console) -> None:
    assert console.said("due", "--within", "90m") == "nothing runs out within 90m\n"


def test_due_says_how_long_ago_what_no_sweep_has_seen_ran_out(
    table: Table, console: Console
) -> None:
    table.fields("5761", tts_sla_time=after(3))
    console.now = after(29, minutes=1)
    assert "  1 d 2 h 1 min AGO  METRIC  tts_sla_time" in console.said("due")


def test_due_as_json_is_what_the_hub_answers(table: Table, console: Console) -> None:
    table.fields("5761", shipping_due_time=after(3))
    found = console.json("due", "--within", "4h")
    assert (found["as_of"], found["until"]) == ("2026-11-01T02:00:00Z", "2026-11-01T06:00:00Z")
    assert [line["clock"] for line in found["clocks"]] == ["shipping_due_time"]


def test_a_carriers_words_do_not_reach_the_terminal_as_they_are(
    table: Table, console: Console
) -> None:
    odd = [scan("in_transit", 1, carrier="Syn\x1b[31mthetic")]
    table.order("5761", "IN_TRANSIT", "SYN000101", odd, deadlines={"delivery_due_time": after(9)})
    told = console.said("due")
    assert "\x1b" not in told
    assert "Ask Syn?[31mthetic where SYN000101 is" in told


# forecast


def test_a_forecast_tells_days_by_the_shops_time_and_what_becomes_of_the_orders(
    table: Table, console: Console
) -> None:
    for order_id in ("5761", "5762"):
        table.order(order_id)
    told = console.said("forecast", "--until", "2026-11-16")
    lines = told.splitlines()
    assert lines[:6] == [
        "2 open orders as of 2026-11-01T02:00:00Z, if nothing more happens and the marketplace's "
        "word does not change",
        "",
        "shop 7490000000000000001, until Mon 16 Nov 2026, 23:59 (Asia/Kuala_Lumpur)",
        "  Fri 2026-11-06",
        f"    metric    {'status_update':<44}      2  from 10:00",
        f"    reminder  {'untracked':<44}      2  from 10:00",
    ]
    assert lines[-1] == (
        "cancelled by the marketplace: 2 orders, the first at 2026-11-16T02:00:00Z, the last at "
        "2026-11-16T02:00:00Z"
    )


def test_a_forecast_names_each_order_when_asked_to(table: Table, console: Console) -> None:
    table.fields("5761", shipping_due_time=after(50), tts_sla_time=after(60))
    told = console.said("forecast", "--orders")
    assert "order 5761" in told
    line = "    Tue 3 Nov 2026, 22:00 (Asia/Kuala_Lumpur)  metric    tts_sla_time"
    assert f"{line}  (only if it is not cancelled before)" in told
    # the metric line, and the reminders of the 6th, 7th and 8th
    assert "4 more would come only if the marketplace did not cancel before" in told


def test_a_forecast_tells_what_is_deemed(table: Table, console: Console) -> None:
    table.order("5761", "IN_TRANSIT", "SYN000101", [scan("in_transit", 1)])
    told = console.said("forecast", "--within", "20d")
    assert "abnormal_delivery (deemed_lost)" in told
    assert "deemed lost: 1 order, the first at 2026-11-13T02:00:00Z" in told


def test_a_forecast_of_no_orders_and_of_quiet_ones_says_so(table: Table, console: Console) -> None:
    told = console.said("forecast")
    assert told.startswith("0 open orders as of")
    assert "no order is cancelled or deemed lost or delayed" in told
    table.order("5761", "IN_TRANSIT", update_time=after(1))
    assert "    nothing fires" in console.said("forecast")


def test_a_forecast_as_json_is_what_the_hub_answers(table: Table, console: Console) -> None:
    table.order("5761")
    found = console.json("forecast", "--within", "16d")
    assert {row["clock"] for row in found["days"]} == {"status_update", "untracked"}
    assert [one["what"] for one in found["outcomes"]] == ["cancelled"]


def test_each_shop_has_its_own_days(table: Table, console: Console) -> None:
    table.connect(shop_id=OTHER_SHOP, zone="America/New_York")
    table.fields("5761", shipping_due_time=after(1))
    table.order("5762", shop_id=OTHER_SHOP, deadlines={"shipping_due_time": after(1)})
    found = console.json("forecast", "--within", "1d")
    assert {(row["shop_id"], row["day"]) for row in found["days"]} == {
        (SHOP, "2026-11-01"),
        (OTHER_SHOP, "2026-10-31"),
    }
    assert "until Sun 1 Nov 2026, 21:00 (America/New_York)" in console.said(
        "forecast", "--within", "1d"
    )
    alone = console.json("forecast", "--within", "1d", "--shop", OTHER_SHOP)
    assert {row["shop_id"] for row in alone["days"]} == {OTHER_SHOP}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["due", "--within", "soon"], "--within: write a span as 90m, 24h or 7d."),
        (["forecast", "--within", "soon"], "--within: write a span as 90m, 24h or 7d."),
        (["forecast", "--within", "999d"], "--within: at most 366d ahead."),
        (["forecast", "--until", ""], "--until: write a day as 2026-12-31"),
        (["forecast", "--until", "soon"], "--until: write a day as 2026-12-31"),
        (["forecast", "--until", "2026-12-31T00:00:00"], "an instant with its offset"),
        (["forecast", "--until", "2025-12-31"], "lies in the past"),
        (["forecast", "--until", "2026-10-31"], "lies in the past"),  # only here, not in Hawaii
        (["forecast", "--until", "2029-12-31"], "at most 366 days ahead"),
        (["forecast", "--until", "2026-12-31", "--within", "7d"], "not both"),
        (["forecast", "--most", "0"], "--most"),
        (["due", "--shop", "7499"], "Shop 7499 was never connected"),
        (["calendar", "--out", "x.ics", "--lines", "soft"], "--lines"),
    ],
)
def test_what_cannot_be_meant_is_refused_naming_what_is_accepted(
    words: list[str], told: str, console: Console
) -> None:
    assert told in console.refused(*words)


# What is left out


def test_what_is_left_out_is_said_and_the_exit_status_tells(table: Table, console: Console) -> None:
    for n in range(4):
        table.fields(f"576{n}", shipping_due_time=after(3 + n))
    for words in (["due"], ["forecast"], ["calendar", "--out", "-"]):
        result = console.run(*words, "--most", "3")
        assert result.exit_code == 1, words
        assert "Only the 3 orders whose clocks run out next were read" in result.stderr
        assert console.run(*words, "--most", "4").exit_code == 0


def test_an_order_that_cannot_be_judged_is_named(table: Table, console: Console) -> None:
    table.fields("5761", shipping_due_time=after(3))
    pk = rows.order_pk("5761")
    (sk,) = [sk for sk in table.memory.rows[pk] if sk.startswith(rows.EVENT)]
    table.memory.rows[pk][sk]["doc"] = "{"
    for words in (["due"], ["forecast"], ["calendar", "--out", "-"]):
        result = console.run(*words)
        assert result.exit_code == 1
        assert "1 order could not be judged: 5761: its rows can't be understood" in result.stderr


# calendar


def test_a_calendar_is_written_to_a_file(table: Table, console: Console, tmp_path: Path) -> None:
    table.fields("5761", shipping_due_time=after(50), tts_sla_time=after(40))
    out = tmp_path / "lines.ics"
    told = console.said("calendar", "--out", str(out))
    assert told == f"2 events of 1 open order: {out}\n"
    events: list[Any] = Calendar.from_ical(out.read_bytes()).walk("VEVENT")
    assert [event["DTSTART"].dt for event in events] == [after(50), T0 + timedelta(days=15)]
    console.said("calendar", "--out", str(out), "--lines", "all")
    assert len(Calendar.from_ical(out.read_bytes()).walk("VEVENT")) == 3


def test_a_calendar_goes_to_the_terminal_bytes_as_they_are(table: Table, console: Console) -> None:
    table.fields("5761", shipping_due_time=after(50))
    result = console.run("calendar", "--out", "-")
    assert result.stdout_bytes.startswith(b"BEGIN:VCALENDAR\r\n")
    assert result.stdout_bytes.endswith(b"END:VCALENDAR\r\n")


def test_a_file_that_cannot_be_written_is_told(
    table: Table, console: Console, tmp_path: Path
) -> None:
    told = console.refused("calendar", "--out", str(tmp_path / "nowhere" / "lines.ics"))
    assert "can't be written" in told


def test_the_commands_go_to_the_table_that_is_named(console: Console) -> None:
    console.said("due", "--table", "mine")
    console.said("forecast", "--stack", "shipclock")
    assert console.opened == [("mine", None), (None, "shipclock")]
