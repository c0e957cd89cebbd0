"""`shipclock carriers score`: from the rows of a table to scorecards, in text, JSON and CSV."""

import csv
import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import carriers, operate
from cli.carriers import PAGE, Reading
from shipclock import codec, rows
from shipclock.connect import connect_shop
from shipclock.domain.event import Link
from shipclock.domain.times import parse
from shipclock.domain.tracking import Scan
from shipclock.marketplaces.protocol import OrderRow, Shop
from shipclock.ports import Change, Page, Put, Store
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from tests.builders import OTHER_SHOP, REAL, SHOP, T0, after, facts, line, scan, shop
from tests.fakes import Faults, FaultyStore, MemoryStore
from tests.stage import SHOP_ID, START, TOKENS, Stage

FAILED = "delivery_attempt_failed"
TERMS = """\
minimum = 2

[[terms]]
carrier = "Synthetic Express"
from = 2026-01-01
transit_days = 3
on_time = 0.95
loss = 0.5
proof = 0.1
latency_p90_minutes = 30
"""


def moved(number: str, *told: tuple[str, float], **more: Any) -> list[Scan]:
    """Scans of a number, each heard of ten minutes later."""
    more = {"carrier": "Synthetic Express", **more}
    return [
        scan(status, hours, number=number, received_at=after(hours, minutes=10), **more)
        for status, hours in told
    ]


class Table:
    """A table with a connected shop, filled row by row as the functions do."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.shops: dict[str, Shop] = {}
        self.connect()

    def connect(self, **changes: Any) -> None:
        connected = shop(**changes)
        self.shops[connected.shop_id] = connected
        connect_shop(self.store, connected, TOKENS, REAL, heal=False)

    def order(
        self,
        order_id: str,
        number: str = "",
        scans: Sequence[Scan] = (),
        status: str = "IN_TRANSIT",
        shop_id: str = SHOP,
        provider: str = "",
        **more: Any,
    ) -> str:
        """Keep an order with one package, and settle it."""
        package = line(
            f"L{order_id}", package_id=f"P{order_id}", tracking_number=number, provider=provider
        )
        told = facts(status, lines=(package,), **more)
        keep_snapshot(self.store, shop_id, OrderRow(order_id, told, {}), REAL, T0)
        for one in scans:
            self.store.write(Put(codec.scan_row(one, REAL)))
        settle(self.store, self.shops.get, order_id, after(30 * 24), REAL)
        return order_id


class Console:
    """The command on a table, or on any other store."""

    def __init__(self, store: Store, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(operate, "open_store", lambda table, stack=None: store)
        patch.setattr(carriers, "real", lambda: REAL)

    def run(self, *words: str, month: str = "2026-11") -> Result:
        return CliRunner().invoke(entry.main, ["carriers", "score", "--month", month, *words])

    def json(self, *words: str, month: str = "2026-11") -> dict[str, Any]:
        result = self.run("--json", *words, month=month)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def console(table: Table, monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(table.store, monkeypatch)


@pytest.fixture
def filled(table: Table) -> Table:
    """Five parcels of the month: by hand in the tests that use them."""
    promise = {"delivery_sla_time": after(50)}
    table.order("1", "A1", moved("A1", ("picked_up", 0), ("delivered", 48)), deadlines=promise)
    table.order(
        "2",
        "A2",
        moved("A2", ("picked_up", 0), (FAILED, 40), ("delivered", 60), proof="photo"),
        "COMPLETED",
        deadlines=promise,
    )
    table.order("3", "A3", moved("A3", ("picked_up", 2), ("lost", 200)), "CANCELLED")
    table.order("4", "A4", moved("A4", ("picked_up", 30)), deadlines=promise)
    table.order("5", "A5", moved("A5", ("picked_up", 5), ("delivered", 29), carrier="JNT"))
    table.order("6", "A6")  # nobody scanned it
    table.order("7", status="AWAITING_SHIPMENT")  # it has no number yet
    return table


def test_the_scorecards_by_hand(filled: Table, console: Console) -> None:
    found = console.json()
    assert (found["month"], found["parcels"], found["unscanned"], found["unread"]) == (
        "2026-11",
        5,
        1,
        [],
    )
    assert found["read_at"] == "2026-11-23T12:00:00Z"
    assert [(card["name"], card["parcels"]) for card in found["totals"]] == [
        ("J&T Express", 1),
        ("Synthetic Express", 4),
    ]
    card = found["totals"][1]
    assert card["fates"] == {
        "delivered": 2,
        "returned": 0,
        "lost": 1,
        "disposed": 0,
        "damaged": 0,
        "cancelled": 0,
        "open": 1,
    }
    assert card["on_time"] == {
        "count": 1,
        "of": 2,
        "value": 0.5,
        "by_promise": 2,
        "by_transit_days": 0,
        "untimed": 0,
        "unpromised": 0,
    }
    assert card["first_attempt"] == {"count": 1, "of": 2, "value": 0.5}
    assert card["attempts"] == {"count": 3, "of": 2, "value": 1.5}
    assert card["loss"] == {"count": 1, "of": 3, "value": 0.333333}
    assert card["proof"] == {"count": 1, "of": 2, "value": 0.5}
    assert card["transit"] == {
        "of": 2,
        "p50_seconds": 48 * 3600,
        "p90_seconds": 60 * 3600,
        "left_out": 0,
    }
    assert card["latency"] == {"of": 8, "p50_seconds": 600, "p90_seconds": 600, "left_out": 0}
    assert found["terms"] == []


def test_terms_are_held_against_them(filled: Table, console: Console, tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text(TERMS)
    (found,) = console.json("--terms", str(path))["terms"]
    findings = found.pop("findings")
    assert found == {
        "carrier": "Synthetic Express",
        "lane": "*",
        "from": "2026-01-01",
        "until": None,
        "minimum": 2,
        "parcels": 4,
        "open": 1,
    }
    assert findings[0] == {
        "figure": "on_time",
        "asked": "0.95",
        "good": "at_least",
        "value": 0.5,
        "of": 2,
        "verdict": "missed",
    }
    assert {one["figure"]: one["verdict"] for one in findings[1:]} == {
        "proof": "met",
        "loss": "met",
        "latency_p90_minutes": "met",
    }


def test_people_read_the_same(filled: Table, console: Console, tmp_path: Path) -> None:
    path = tmp_path / "terms.toml"
    path.write_text(TERMS.replace("minimum = 2", "minimum = 3"))
    result = console.run("--terms", str(path))
    assert result.exit_code == 0
    assert result.stdout == (
        "2026-11: 5 parcels, by their first scan; read 2026-11-23T12:00:00Z\n"
        "Packages of orders placed in the month whose number nobody scanned, in no card: 1\n"
        "\n"
        "J&T Express, MY/SELLER/-/-\n"
        "    parcels         1: 1 delivered\n"
        "    on time         -         0 of 0; left out: 1 without a promise\n"
        "    within days     -         0 of 0\n"
        "    first attempt   100.00 %  1 of 1\n"
        "    attempts        1.00      1 for 1\n"
        "    lost, disposed  0.00 %    0 of 1\n"
        "    damaged         0.00 %    0 of 1\n"
        "    returned        0.00 %    0 of 1\n"
        "    with proof      0.00 %    0 of 1\n"
        "    transit         p50 1 day, 0:00:00, p90 1 day, 0:00:00 over 1 parcels\n"
        "    latency         p50 0:10:00, p90 0:10:00 over 2 scans\n"
        "\n"
        "Synthetic Express, MY/SELLER/-/-\n"
        "    parcels         4: 2 delivered, 1 lost, 1 open\n"
        "    on time         50.00 %   1 of 2; 2 by the promise\n"
        "    within days     100.00 %  2 of 2\n"
        "    first attempt   50.00 %   1 of 2\n"
        "    attempts        1.50      3 for 2\n"
        "    lost, disposed  33.33 %   1 of 3\n"
        "    damaged         0.00 %    0 of 3\n"
        "    returned        0.00 %    0 of 3\n"
        "    with proof      50.00 %   1 of 2\n"
        "    transit         p50 2 days, 0:00:00, p90 2 days, 12:00:00 over 2 parcels\n"
        "    latency         p50 0:10:00, p90 0:10:00 over 8 scans\n"
        "\n"
        "Agreed with Synthetic Express on * from 2026-01-01: 4 parcels, 1 of them open\n"
        "    too few  on_time              0.5000 over 2 (fewer than 3); agreed: at least 0.95\n"
        "    too few  proof                0.5000 over 2 (fewer than 3); agreed: at least 0.1\n"
        "    met      loss                 0.3333 over 3; agreed: at most 0.5\n"
        "    met      latency_p90_minutes  10.0000 over 8; agreed: at most 30\n"
    )


def test_a_carrier_on_several_lanes_has_a_card_for_each_and_one_for_all(
    table: Table, console: Console
) -> None:
    table.order("1", "A1", moved("A1", ("picked_up", 0)), warehouse_id="6950000000000000101")
    table.order("2", "A2", moved("A2", ("picked_up", 0)), shipping_type="TIKTOK")
    heads = [line for line in console.run().stdout.splitlines() if line[:1] == "S"]
    assert heads == [
        "Synthetic Express, MY/SELLER/6950000000000000101/-",
        "Synthetic Express, MY/TIKTOK/-/-",
        "Synthetic Express, all its lanes",
    ]


def test_every_figure_can_be_worked_out_again_from_the_list_of_parcels(
    filled: Table, console: Console, tmp_path: Path
) -> None:
    terms, listed = tmp_path / "terms.toml", tmp_path / "parcels.csv"
    terms.write_text(TERMS)
    found = console.json("--terms", str(terms), "--parcels", str(listed))
    with listed.open(encoding="utf-8", newline="") as file:
        parcels = list(csv.DictReader(file))
    assert len(parcels) == found["parcels"] == 5

    def value(count: int, of: int) -> dict[str, Any]:
        exact = round(float(Fraction(count, of)), 6) if of else None
        return {"count": count, "of": of, "value": exact}

    def rank(values: list[int], percent: int) -> int | None:
        return sorted(values)[math.ceil(percent * len(values) / 100) - 1] if values else None

    for card in found["totals"]:
        mine = [p for p in parcels if p["carrier"] == card["carrier"]]
        delivered = [p for p in mine if p["fate"] == "delivered"]
        ended = [p for p in mine if p["fate"] not in ("open", "cancelled")]
        fates = Counter(p["fate"] for p in mine)
        assert {fate: n for fate, n in card["fates"].items() if n} == fates
        kept = [p["promise_kept"] for p in delivered if p["promised_at"] and p["promise_kept"]]
        assert card["on_time"]["by_promise"] == len(kept)
        assert card["on_time"]["count"] == kept.count("yes")  # none is judged by transit days
        tried = [p for p in ended if p["fate"] == "delivered" or p["failed_attempts"] != "0"]
        at_first = [p for p in delivered if p["failed_attempts"] == "0"]
        assert card["first_attempt"] == value(len(at_first), len(tried))
        attempts = sum(int(p["failed_attempts"]) + 1 for p in delivered)
        assert card["attempts"] == value(attempts, len(delivered))
        assert card["loss"] == value(fates["lost"] + fates["disposed"], len(ended))
        assert card["damage"] == value(sum(p["damaged"] == "yes" for p in ended), len(ended))
        assert card["returned"] == value(fates["returned"], len(ended))
        assert card["proof"] == value(sum(p["proof"] == "yes" for p in delivered), len(delivered))
        days = [int(p["transit_days"]) for p in delivered if p["transit_days"]]
        agreed = days if card["name"] == "Synthetic Express" else []
        within = sum(n <= 3 for n in agreed)
        assert card["within_transit_days"] == value(within, len(agreed))
        transit = [int(p["transit_seconds"]) for p in delivered if p["transit_seconds"]]
        assert card["transit"]["p50_seconds"] == rank(transit, 50)
        assert card["transit"]["p90_seconds"] == rank(transit, 90)
        assert all(
            int(p["transit_seconds"])
            == (parse(p["ended_at"]) - parse(p["first_scan_at"])).total_seconds()
            for p in delivered
        )
        latency = [int(word) for p in mine for word in p["latency_seconds"].split()]
        assert card["latency"]["of"] == len(latency)
        assert card["latency"]["p90_seconds"] == rank(latency, 90)


def test_the_list_of_parcels_holds_no_formula_of_a_senders(
    table: Table, console: Console, tmp_path: Path
) -> None:
    table.order("1", "A1", moved("A1", ("picked_up", 0), carrier='=HYPERLINK("x")'))
    table.order("2", "A2", moved("A2", ("picked_up", 0), carrier="\x1b[31mRed"))
    path = tmp_path / "parcels.csv"
    result = console.run("--parcels", str(path))
    with path.open(encoding="utf-8", newline="") as file:
        spelled = {p["spelled"] for p in csv.DictReader(file)}
    assert spelled == {'\'=HYPERLINK("x")', "?[31mRed"}
    assert "?[31mRed" in result.stdout
    assert "\x1b" not in result.stdout


# Which parcels


def test_numbers_that_nobody_scanned_are_told_for_the_month_their_order_was_placed_in(
    filled: Table, console: Console
) -> None:
    told = {month: console.json(month=month)["unscanned"] for month in ("2026-10", "2026-12")}
    assert told == {"2026-10": 0, "2026-12": 0}
    assert console.json()["unscanned"] == 1


def test_parcels_are_those_of_the_shops_asked_for_each_by_its_own_calendar(
    table: Table, console: Console
) -> None:
    table.connect(shop_id=OTHER_SHOP, market="US", zone="America/New_York")
    last_of_october = moved("A1", ("picked_up", 0))  # in New York it is the evening before
    first = datetime.fromisoformat("2026-11-01T03:00:00+00:00")
    table.order("1", "A1", last_of_october)
    table.order("2", "B1", [scan("picked_up", number="B1", occurred_at=first)], shop_id=OTHER_SHOP)

    def parcels(month: str, *words: str) -> list[tuple[str, int]]:
        found = console.json(*words, month=month)
        return [(card["lane"], card["parcels"]) for card in found["cards"]]

    ours, theirs = [("MY/SELLER/-/-", 1)], [("US/SELLER/-/-", 1)]
    assert parcels("2026-11") == ours
    assert parcels("2026-10") == theirs
    assert parcels("2026-10", "--shop", SHOP) == []
    assert parcels("2026-11", "--shop", SHOP, "--shop", OTHER_SHOP, "--shop", SHOP) == ours


def test_a_parcel_that_orders_share_counts_once_under_the_smallest_id(
    table: Table, console: Console, tmp_path: Path
) -> None:
    scans = moved("A1", ("picked_up", 5), ("delivered", 30))
    for order_id in ("30", "10", "20"):
        table.order(order_id, "A1", scans)
    path = tmp_path / "parcels.csv"
    assert console.json("--parcels", str(path))["parcels"] == 1
    with path.open(encoding="utf-8", newline="") as file:
        assert [p["order_id"] for p in csv.DictReader(file)] == ["10"]


def test_two_carriers_parcels_of_one_number_are_two(table: Table, console: Console) -> None:
    anonymous = moved("A1", ("in_transit", 9), carrier="")
    scans = [
        *moved("A1", ("picked_up", 5), carrier="One Post"),
        *moved("A1", ("picked_up", 6), carrier="Other Post"),
        *anonymous,
    ]
    table.order("10", "A1", scans, provider="One Post")
    table.order("20", "A1", scans, provider="Other Post")
    table.order("30", "A1", scans, provider="Other Post")
    cards = console.json()["cards"]
    assert [(card["name"], card["parcels"]) for card in cards] == [
        ("One Post", 1),
        ("Other Post", 1),
    ]


def test_a_shared_parcel_counts_for_a_shop_though_the_smallest_id_is_anothers(
    table: Table, console: Console
) -> None:
    table.connect(shop_id=OTHER_SHOP)
    scans = moved("A1", ("picked_up", 5))
    table.order("10", "A1", scans, shop_id=OTHER_SHOP)
    table.order("20", "A1", scans)
    assert console.json("--shop", SHOP)["parcels"] == 1
    assert console.json("--shop", OTHER_SHOP)["parcels"] == 1
    assert console.json()["parcels"] == 1


def test_a_number_that_is_used_again_is_two_parcels(table: Table, console: Console) -> None:
    scans = moved("A1", ("picked_up", 5), ("delivered", 30), ("picked_up", 105), ("lost", 200))
    table.order("10", "A1", scans)
    table.order("20", "A1", create_time=after(100), update_time=after(100))
    (card,) = console.json()["totals"]
    assert {fate: n for fate, n in card["fates"].items() if n} == {"delivered": 1, "lost": 1}


def test_a_number_linked_to_an_order_nobody_told_of_counts_where_it_is_known(
    table: Table, console: Console
) -> None:
    table.order("20", "A1", moved("A1", ("picked_up", 5)))
    for row in codec.link_rows(Link("A1", "10", "standard_webhooks"), REAL):
        table.store.write(Put(row))
    assert console.json()["parcels"] == 1


@pytest.mark.parametrize("page", [PAGE, 3])
def test_every_stage_and_every_page_of_the_board_is_read(
    table: Table, console: Console, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    statuses = ["ON_HOLD", "IN_TRANSIT", "DELIVERED", "COMPLETED", "CANCELLED", "OF_TOMORROW"]
    for n in range(60):
        table.order(f"{n}", f"A{n}", moved(f"A{n}", ("picked_up", 0)), statuses[n % 6])
    monkeypatch.setattr(carriers, "PAGE", page)
    assert console.json()["parcels"] == 60


class Moving(MemoryStore):
    """Its `board` shows each order that was met in transit as delivered too, a moment later."""

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        found = super().board(partition, limit, start)
        if "#delivered#" not in partition:
            return found
        before = super().board(partition.replace("#delivered#", "#in_transit#"), limit, start)
        return Page([*found.rows, *before.rows], None)


def test_an_order_that_moves_on_while_it_is_read_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = Table()
    table.order("1", "A1", moved("A1", ("picked_up", 0)))
    table.order("2", "A2")
    moving = Moving()
    moving.rows, moving._board = table.store.rows, table.store._board
    found = Console(moving, monkeypatch).json()
    assert (found["parcels"], found["unscanned"]) == (1, 1)


class Counting(MemoryStore):
    """Counts the orders whose rows are read."""

    orders = 0

    def read(self, pk: str, prefix: str = "") -> list[dict[str, Any]]:
        self.orders += pk.startswith("ORDER#")
        return super().read(pk, prefix)


def test_no_more_than_a_page_of_orders_is_read_ahead() -> None:
    table = Table()
    counting = Counting()
    counting.rows, counting._board = table.store.rows, table.store._board
    table.order("1", "A1", moved("A1", ("picked_up", 0)))
    (head,) = (row for row in table.store.read(rows.order_pk("1")) if row["sk"] == rows.HEAD)
    for n in range(3 * PAGE):  # the same order, met again and again
        many = {**head, "pk": f"HEAD#{n}", "board_at": f"9#{n:05}"}
        table.store.write(Put({name: many[name] for name in many if name not in rows.MARK}))
    reading = Reading(counting, table.shops, "2027-01")
    for n, _ in enumerate(reading.parcels(), 1):
        assert counting.orders <= n + PAGE
    assert counting.orders == n == 3 * PAGE + 1


# What may go wrong


def test_an_order_that_cannot_be_read_is_named_and_hides_no_other(
    filled: Table, console: Console
) -> None:
    for row in filled.store.read(rows.order_pk("2"), rows.EVENT):
        filled.store.write(Change(rows.key_of(row), set={"doc": "{"}))
    for row in filled.store.read(rows.order_pk("3"), rows.EVENT):
        filled.store.write(Change(rows.key_of(row), set={"kind": "rumour"}))
    result = console.run("--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["parcels"], sorted(found["unread"])) == (3, ["2", "3"])
    assert "2 orders could not be read and are left out: " in result.stderr


def test_a_table_that_fails_tells_no_half_of_the_truth(
    filled: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(carriers, "READERS", 1)  # so that each step is one
    counted = Faults()
    Console(FaultyStore(filled.store, counted), monkeypatch).json()
    for step in range(0, counted.step, 5):
        faulty = FaultyStore(filled.store, Faults({step: "before"}))
        Console(faulty, monkeypatch)
        words = ["shipclock", "carriers", "score", "--month", "2026-11"]
        monkeypatch.setattr("sys.argv", words)
        assert entry.run() == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert "The table did not do as asked" in told.err


@pytest.mark.parametrize("month", ["2026-13", "november", "", "2026-11-01"])
def test_a_month_that_is_none_is_refused(console: Console, month: str) -> None:
    result = console.run(month=month)
    assert result.exit_code == 2
    assert "write it as 2026-11" in result.output


@pytest.mark.parametrize(
    ("words", "text", "told"),
    [
        (["--shop", "7490000000000000009"], "", "Shop 7490000000000000009 was never connected"),
        (["--parcels", "nowhere/parcels.csv"], "", "nowhere/parcels.csv can't be written: No such"),
        (["--terms", "terms.toml"], "[[terms]]\nloss = 2", "terms.toml, line 2: loss of terms 1"),
        (["--terms", "terms.toml"], "\udcff", "terms.toml is no text in UTF-8."),
    ],
)
def test_what_cannot_be_scored_is_refused_in_a_sentence(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    words: list[str],
    text: str,
    told: str,
) -> None:
    Console(table.store, monkeypatch)
    monkeypatch.chdir(tmp_path)
    Path("terms.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    monkeypatch.setattr(
        "sys.argv", ["shipclock", "carriers", "score", "--month", "2026-11", *words]
    )
    assert entry.run() == 1
    assert told in capsys.readouterr().err


def test_a_table_without_a_shop_has_no_scorecards(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Console(MemoryStore(), monkeypatch).json()
    assert (found["shops"], found["cards"], found["parcels"]) == ([], [], 0)


# From the webhooks on


def test_what_ingest_and_sweeper_recorded_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-1", "picked_up", START + timedelta(hours=5), order_id)
    stage.settle_down()
    stage.carrier_tells("SYN-1", FAILED, START + timedelta(hours=28))
    stage.settle_down()
    stage.carrier_tells("SYN-1", "delivered", START + timedelta(hours=53), proof="signature")
    stage.settle_down()
    month = f"{START:%Y-%m}"
    (card,) = Console(stage.store, monkeypatch).json(month=month)["cards"]
    assert (card["name"], card["parcels"], card["fates"]["delivered"]) == (
        "Synthetic Express",
        1,
        1,
    )
    assert card["lane"].startswith("MY/SELLER/")
    assert card["attempts"] == {"count": 2, "of": 1, "value": 2.0}
    assert card["proof"]["count"] == 1
    assert card["transit"]["p50_seconds"] == 48 * 3600
    assert card["latency"]["of"] + card["latency"]["left_out"] == 3


def test_a_number_is_told_with_the_carriers_that_its_form_allows() -> None:
    numbers = ["RB 000000005 MY", "1Z0000000000000000", "SYN-1"]
    result = CliRunner().invoke(entry.main, ["carriers", "detect", *numbers])
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "RB 000000005 MY: Pos Malaysia (check digit)",
        "1Z0000000000000000: UPS (check digit)",
        "SYN-1: its form says nothing",
    ]
