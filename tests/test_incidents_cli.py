"""`shipclock incident`: from a shell to the table, and what it prints."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from cli import __main__ as entry
from cli import incidents as command
from cli import operate
from shipclock import incidents
from shipclock.asking import NotAsked
from tests.stage import CARRIER, REAL, SHOP_ID, START, Stage


class Console:
    """The command on a stage's table."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.stage = Stage(untracked_after=None)
        patch.setattr(operate, "open_store", lambda table, stack=None: self.stage.store)
        patch.setattr(command, "real", lambda: self.stage.real.now)

    def run(self, *words: str) -> str:
        result = CliRunner().invoke(entry.main, ["incident", *words], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return str(result.output)

    def declare(self, *more: str) -> str:
        times = ["--from", "2026-11-01T10:00:00+08:00", "--until", "2026-11-02T10:00:00+08:00"]
        told = self.run("declare", *times, "--reason", "A flood", *more)
        return told.split()[1 if told.startswith("declared:") else 2]

    def place(self, number: str, carrier: str = CARRIER, **wish: Any) -> str:
        stage = self.stage
        order_id = stage.sandbox.add_order(
            SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1}, **wish
        )
        stage.marketplace_tells()
        stage.settle_down()
        stage.carrier_tells(number, "picked_up", None, order_id, carrier)
        stage.settle_down()
        return order_id


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Console:
    return Console(monkeypatch)


def test_from_declaring_to_the_tickets(console: Console) -> None:
    mine = [console.place(f"SYN-{n}") for n in range(3)]
    other = console.place("SYN-9", "Ninja Van")
    name = console.declare("--carrier", CARRIER, "--evidence", "https://weather.example/flood")
    console.stage.settle_down()
    told = console.run("show", name)
    assert "3 orders are affected, 0 may be" in told
    assert all(order_id in told for order_id in mine)
    assert other not in told
    tickets = console.run("text", name, "--most", "2")
    assert tickets.count("Delay beyond our control") == 2
    assert all(order_id in tickets for order_id in mine)
    messages = console.run("text", name, "--messages").splitlines()
    assert sorted(line.partition(":")[0] for line in messages) == sorted(mine)
    assert "over" in console.run("list")


def test_everything_that_can_be_said_is_kept(console: Console) -> None:
    name = console.declare(
        *("--carrier", "J&T", "--carrier", "Ninja Van", "--region", "MY", "--region", "Selangor"),
        *("--postcode", "40000-40999", "--shop", SHOP_ID, "--evidence", "https://a.example/"),
    )
    found = incidents.read_declared(console.stage.store).find(name)
    assert found is not None
    assert (found.carriers, found.regions) == (("J&T", "Ninja Van"), ("MY", "Selangor"))
    assert (found.postcodes, found.shops) == (("40000-40999",), (SHOP_ID,))
    assert (found.begins_at, found.ends_at) == (START, START + timedelta(days=1))
    assert found.evidence == ("https://a.example/",)
    assert "Selangor" in console.run("show", name)


def test_said_twice_it_is_declared_once(console: Console) -> None:
    first = console.declare("--region", "MY")
    assert console.declare("--region", "MY") == first
    assert console.run("list").count("A flood") == 1


def test_an_open_end_is_told_with_how_long_it_counts(console: Console) -> None:
    told = console.run("declare", "--from", "now", "--reason", "A strike", "--carrier", "J&T")
    name = told.split()[1]
    shown = console.run("show", name)
    until = (REAL + timedelta(days=14)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "open" in shown
    assert until in shown


def test_it_is_changed_and_lifted(console: Console) -> None:
    name = console.declare("--region", "MY")

    def known() -> Any:
        return incidents.read_declared(console.stage.store).find(name)

    console.stage.real.pass_time(1)
    console.run("change", name, "--until", "2026-11-05T00:00:00Z", "--postcode", "1*")
    assert known().ends_at == datetime.fromisoformat("2026-11-05T00:00:00Z")
    assert (known().regions, known().postcodes) == (("MY",), ("1*",))
    console.stage.real.pass_time(1)
    console.run("change", name, "--open-end")
    assert known().ends_at is None
    console.stage.real.pass_time(1)
    console.run("lift", name)
    assert known().ends_at == console.stage.real.now
    console.stage.real.pass_time(1)
    console.run("lift", name, "--at", "2026-10-01T00:00:00Z")
    assert "void" in console.run("list")


def test_orders_are_put_in_and_out_by_hand(console: Console) -> None:
    inside, outside = console.place("SYN-1"), console.place("SYN-2", "Ninja Van")
    name = console.declare("--carrier", CARRIER)
    console.run("include", name, outside)
    console.run("exclude", name, inside)
    console.stage.settle_down()
    shown = console.run("show", name)
    assert outside in shown
    assert inside not in shown


def test_many_orders_are_cut_short_unless_all_are_wanted(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "SHOWN", 2)
    orders = [console.place(f"SYN-{n}") for n in range(3)]
    name = console.declare("--carrier", CARRIER)
    console.stage.settle_down()
    short, whole = console.run("show", name), console.run("show", name, "--all")
    assert sum(order_id in short for order_id in orders) == 2
    assert "--all" in short
    assert all(order_id in whole for order_id in orders)


def test_of_orders_that_may_be_affected_a_person_is_told_what_to_do(console: Console) -> None:
    console.place("SYN-1", recipient_address={"postal_code": ""})
    name = console.declare("--postcode", "409*")
    console.stage.settle_down()
    told = console.run("text", name)
    assert "no order is affected" in told
    assert "1 more may be" in told


@pytest.mark.parametrize(
    "words",
    [
        ("show", "f" * 10),
        ("text", "f" * 10),
        ("lift", "f" * 10),
        ("change", "f" * 10, "--reason", "another"),
        ("include", "f" * 10, "1"),
        ("declare", "--from", "soon", "--reason", "A flood", "--region", "MY"),
        ("declare", "--from", "2026-11-01T10:00:00", "--reason", "A flood", "--region", "MY"),
        ("declare", "--from", "now", "--reason", "A flood"),
        ("declare", "--from", "now", "--reason", "A flood", "--postcode", "10120-10110"),
    ],
)
def test_what_can_not_be_done_says_why(words: tuple[str, ...], console: Console) -> None:
    with pytest.raises(NotAsked):
        console.run(*words)


def test_what_can_not_be_done_is_told_without_a_trace(
    console: Console, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["shipclock", "incident", "show", "f" * 10])
    assert entry.run() == 1
    assert "There is no incident" in capsys.readouterr().err


def test_without_any_there_is_nothing_to_list(console: Console) -> None:
    assert console.run("list") == "none was declared\n"
