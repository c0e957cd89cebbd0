"""`shipclock signals`: in words and as JSON, from what is kept and from the facts."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import operate, signals
from shipclock import rows
from shipclock.connect import attach_shop, connect_shop
from shipclock.marketplaces.protocol import OrderRow
from shipclock.ports import Change
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from tests.builders import OTHER_SHOP, REAL, SHOP, T0, after, facts, shop
from tests.fakes import MemoryStore
from tests.stage import TOKENS

NOW = after(50)


class Desk:
    """A table of a US shop, and the command on it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.store = MemoryStore()
        self.shop = shop(market="US", zone="America/Los_Angeles", pack="us-2026")
        connect_shop(self.store, self.shop, TOKENS, REAL, heal=False)
        patch.setattr(operate, "open_store", lambda table, stack=None: self.store)
        patch.setattr(signals, "real", lambda: NOW)

    def order(self, order_id: str, status: str = "AWAITING_SHIPMENT", **more: Any) -> None:
        told = facts(status, **more)
        keep_snapshot(self.store, SHOP, OrderRow(order_id, told, {}), REAL, T0)
        settle(self.store, lambda _: self.shop, order_id, T0, REAL)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(entry.main, ["signals", *words])

    def json(self, *words: str) -> dict[str, dict[str, Any]]:
        result = self.run("--json", *words)
        assert result.exit_code == 0, result.output
        (found,) = json.loads(result.stdout)["shops"]
        return {one["signal"]: one for one in found["signals"]}


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Fifty orders that are dispatched by 1 November, local time: 46 were, one was not, three may
    be; their lines are an hour and more from now."""
    made = Desk(monkeypatch)
    by = {"tts_sla_time": after(51)}
    for number in range(46):
        made.order(str(number), "IN_TRANSIT", collection_time=after(20), deadlines=by)
    made.order("late", "IN_TRANSIT", collection_time=after(52), deadlines=by)
    for number in range(3):
        made.order(f"open{number}", deadlines={"tts_sla_time": after(51 + number)})
    return made


def test_a_figure_tells_where_it_stands_and_where_it_goes(desk: Desk) -> None:
    found = desk.json()["late_dispatch"]
    assert found["now"] == {"count": 1, "of": 47, "percent": "2.13"}
    assert found["if_met"] == {"count": 1, "of": 50, "percent": "2.00"}
    assert found["if_run_out"] == {"count": 4, "of": 50, "percent": "8.00"}
    assert (found["kept"], found["kept_if_met"], found["kept_if_run_out"]) == (True, True, False)
    assert (found["head_room"], found["lost_at"]) == (1, "2026-11-03T06:00:00Z")
    assert [one["order_id"] for one in found["next"]] == ["open0", "open1", "open2"]


def test_in_words_it_says_the_same(desk: Desk) -> None:
    result = desk.run()
    assert result.exit_code == 0, result.output
    for text in (
        f"Shop {SHOP} (America/Los_Angeles), pack us-2026, as of 2026-11-03T04:00:00Z",
        "late dispatch rate: 2.13 % (1 of 47)  kept",
        "at most 4 %: Late dispatch rate of 4 % or less; measures are taken above 10 %",
        "2026-10-04 to 2026-11-02, 30 days (default)",
        "46 good, 1 bad, 3 open",
        "if all run out  8.00 % (4 of 50): CROSSED",
        "1 of the open ones may still turn bad; the line is lost at 2026-11-03T06:00:00Z",
        "valid tracking rate: 100.00 % (47 of 47)  kept",
        "on-time delivery rate: - (0 of 0)",
        "at least 80 %: On-time delivery rate of 80 % or more",
        "they run out    3 on 2026-11-02",
    ):
        assert text in result.output


def test_what_is_left_out_is_told_with_why(desk: Desk) -> None:
    desk.order("gone", "CANCELLED", paid_time=T0, cancel_time=after(1), cancelled_by="SYSTEM")
    told = "left out: 1 cancelled, and nobody can tell whose fault it is"
    assert told in desk.run().output


def test_a_shop_whose_pack_is_gone_is_told_and_holds_up_no_others(desk: Desk) -> None:
    gone = shop(shop_id=OTHER_SHOP, pack="gone-2019")
    connect_shop(desk.store, gone, TOKENS, REAL, heal=False)
    result = desk.run()
    assert result.exit_code == 1
    assert "late dispatch rate: 2.13 % (1 of 47)  kept" in result.stdout
    assert f"Shop {OTHER_SHOP} is left out: there is no pack 'gone-2019'" in result.stderr
    assert "shipclock shops set" in result.stderr


def test_another_day_is_told_as_it_will_be_if_nothing_happens(desk: Desk) -> None:
    found = desk.json("--on", "2026-11-04")["late_dispatch"]
    assert (found["bad"], found["open"], found["kept"]) == (4, 0, False)
    assert found["window"]["last"] == "2026-11-04"
    assert found["head_room"] == -2


def test_a_shorter_window_counts_fewer_days(desk: Desk) -> None:
    assert desk.json("--days", "1")["late_dispatch"]["open"] == 3
    assert desk.json("--days", "1", "--on", "2026-11-01")["late_dispatch"]["now"]["of"] == 0


def test_what_runs_out_next_is_of_the_windows_days_and_later_ones(desk: Desk) -> None:
    desk.order("shipped", "AWAITING_COLLECTION", update_time=after(2), rts_time=after(2))
    tracking = desk.json("--days", "2")["valid_tracking"]
    assert [one["order_id"] for one in tracking["next"]] == []
    assert tracking["open"] == 0
    assert desk.json("--days", "3")["valid_tracking"]["open"] == 1


def test_from_the_facts_the_figures_are_the_same(desk: Desk) -> None:
    assert desk.json("--from-facts") == desk.json()


def test_orders_settled_by_an_earlier_version_count_from_their_facts(desk: Desk) -> None:
    for row in desk.store.read(rows.signals_pk(SHOP)):
        desk.store.write(Change((row["pk"], row["sk"]), set={"units": []}))
    assert desk.json()["late_dispatch"]["now"]["of"] == 0
    assert desk.json("--from-facts")["late_dispatch"]["now"]["of"] == 47


def test_an_order_that_can_t_be_read_is_named_and_left_out(desk: Desk) -> None:
    (event,) = desk.store.read(rows.order_pk("late"), rows.EVENT)
    desk.store.write(Change((event["pk"], event["sk"]), set={"kind": "of_tomorrow"}))
    result = desk.run("--from-facts", "--json")
    assert result.exit_code == 1
    assert "1 orders could not be read and are left out: late" in result.stderr
    (found,) = json.loads(result.stdout)["shops"]
    assert found["signals"][0]["bad"] == 0


def test_only_the_shops_that_are_named_are_shown(desk: Desk) -> None:
    attach_shop(desk.store, shop(shop_id=OTHER_SHOP), REAL)
    both = json.loads(desk.run("--json").stdout)["shops"]
    assert [one["shop_id"] for one in both] == [SHOP, OTHER_SHOP]
    assert desk.json("--shop", SHOP)["late_dispatch"]["open"] == 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--on", "yesterday"], "'yesterday' is no day; write it as 2026-11-24."),
        (["--on", "2026-11-31"], "'2026-11-31' is no day; write it as 2026-11-24."),
        (["--days", "0"], "1<=x<=366"),
    ],
)
def test_words_that_can_t_be_meant_are_answered(words: list[str], told: str, desk: Desk) -> None:
    result = desk.run(*words)
    assert result.exit_code == 2
    assert told in result.output


def test_a_shop_that_was_never_connected_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["shipclock", "signals", "--shop", "749"])
    assert entry.run() == 1
    assert "Shop 749 was never connected" in capsys.readouterr().err
