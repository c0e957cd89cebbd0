"""Every scenario of `shipclock trigger` is played to its end on a whole Shipclock in memory."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli import __main__ as entry
from cli import local, processes, trigger
from cli.demo import SHOP_ID as DEMO_SHOP
from cli.player import Player, TriggerError, filled
from cli.scenarios import BY_NAME, SCENARIOS, Market, Scenario
from cli.shows import SHIP, Seen, Shows, in_words, lacking
from sandbox import control
from sandbox.shape import check
from shipclock.onboard import Door
from shipclock.order_view import order_view
from shipclock.ports import Store
from shipclock.sources import Account
from tests.stage import (
    APP_KEY,
    APP_SECRET,
    CARRIER_SECRET,
    HOSTS,
    REAL,
    SECRETS,
    SHOP_ID,
    Stage,
)

ME = os.getpid()
EASYPOST_SECRET = "synthetic easypost secret"


class Ground:
    """A stack in memory; nothing is waited for."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.until(REAL)

    @property
    def store(self) -> Store:
        return self.stage.store

    @property
    def door(self) -> Door:
        return Door(self.stage.wire, HOSTS, self.stage.real, self.stage.real.sleep)

    @property
    def app(self) -> Account:
        return Account(APP_KEY, (APP_SECRET,))

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            "standard_webhooks": {"secret": CARRIER_SECRET},
            "easypost": {"secret": EASYPOST_SECRET},
        }

    def now(self) -> datetime:
        return self.stage.real.now

    def rest(self, seconds: float) -> None:
        self.stage.real.pass_time(seconds)

    def market(self, call: str, words: Mapping[str, Any]) -> dict[str, Any]:
        body = json.dumps(words).encode()
        status, answer = control.control(self.stage.sandbox, "POST", control.PREFIX + call, body)
        assert isinstance(answer, dict)
        if status != 200:
            raise TriggerError(str(answer["error"]))
        return answer

    def ring(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        source = "tiktok_shop" if path == "tiktok" else path.removeprefix("carriers/")
        lower = {name.lower(): value for name, value in headers.items()}
        return self.stage.ring(source, lower, body).status

    def sweep(self, now: datetime) -> None:
        self.stage.sweep(now)

    def page(self, order_id: str) -> dict[str, Any] | None:
        view = order_view(self.stage.store, order_id, self.stage.real.now)
        return view.model_dump(mode="json") if view else None


@pytest.fixture
def ground(monkeypatch: pytest.MonkeyPatch) -> Ground:
    stage = Stage()
    account = {"account": "default", "secrets": [EASYPOST_SECRET]}
    monkeypatch.setitem(SECRETS, "easypost", [account])
    monkeypatch.setattr("cli.senders.time.time", lambda: stage.real.now.timestamp())
    return Ground(stage)


def played(
    ground: Ground, scenario: Scenario, shop_id: str = "", market: str = ""
) -> tuple[Player, list[str]]:
    """The scenario played and watched; what is lacking in the end."""
    player = Player(ground, lambda _: None, trigger.choose_shop(ground, scenario, shop_id, market))
    player.play(scenario)
    return player, player.watch(scenario.shows)


# The table


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_scenario_ends_as_it_says(ground: Ground, scenario: Scenario) -> None:
    player, missing = played(ground, scenario)
    assert missing == []
    for line in scenario.then:
        assert "{" not in line.format_map(player.names)


@pytest.mark.parametrize("market", ["US", "BR", "DE", "TH"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_and_in_every_kind_of_market_it_is_for(
    ground: Ground, scenario: Scenario, market: str
) -> None:
    if scenario.markets and market not in scenario.markets:
        with pytest.raises(TriggerError, match=f"is not played in {market}"):
            trigger.choose_shop(ground, scenario, "", market)
        return
    assert played(ground, scenario, market=market)[1] == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_is_told_in_a_line_and_speaks_to_the_sandbox_in_its_words(
    scenario: Scenario,
) -> None:
    assert scenario.steps
    assert scenario.shows != Shows(), "it ends somewhere"
    assert in_words(scenario.shows) or scenario.shows.called
    for step in scenario.steps:
        if isinstance(step, Market):
            _, shape = control.WRITES[step.call]
            names = dict.fromkeys(NAMES, "1")
            check(filled(step.words, names), shape)


NAMES = ("order", "other", "shop", "package", "line1", "line2", "case", "return", "sku")


def test_names_are_told_apart() -> None:
    assert len(BY_NAME) == len(SCENARIOS) >= 24


def test_all_scenarios_are_played_one_after_the_other_in_one_shop(ground: Ground) -> None:
    lacked = {
        scenario.name: missing
        for scenario in SCENARIOS
        if not scenario.fresh and not scenario.markets
        for missing in [played(ground, scenario, SHOP_ID)[1]]
        if missing
    }
    assert lacked == {}


def test_a_scenario_may_be_played_twice(ground: Ground) -> None:
    for name in ("expiring", "low-stock", "token-expired", "own-fleet-delivery"):
        assert [played(ground, BY_NAME[name])[1] for _ in range(2)] == [[], []]


# Which shop


def test_the_shop_that_is_there_is_taken_where_it_fits(ground: Ground) -> None:
    assert trigger.choose_shop(ground, BY_NAME["order-paid"], "", "") == SHOP_ID
    assert trigger.choose_shop(ground, BY_NAME["order-paid"], "", "MY") == SHOP_ID


def test_another_market_gets_a_shop_of_its_own_once(ground: Ground) -> None:
    made = trigger.choose_shop(ground, BY_NAME["order-paid"], "", "BR")
    assert made != SHOP_ID
    assert trigger.choose_shop(ground, BY_NAME["invoice"], "", "") == made


def test_what_changes_a_shop_is_played_in_one_made_for_it(ground: Ground) -> None:
    fleet = trigger.choose_shop(ground, BY_NAME["own-fleet-delivery"], "", "")
    lost = trigger.choose_shop(ground, BY_NAME["deauthorised"], "", "")
    assert len({SHOP_ID, fleet, lost}) == 3
    assert trigger.choose_shop(ground, BY_NAME["own-fleet-delivery"], "", "") == fleet
    assert trigger.choose_shop(ground, BY_NAME["order-paid"], "", "") == SHOP_ID


def test_a_deauthorised_shop_is_refused_until_it_is_connected_again(ground: Ground) -> None:
    lost = played(ground, BY_NAME["deauthorised"])[0].shop_id
    with pytest.raises(TriggerError, match=f"authorised-again --shop {lost}"):
        trigger.choose_shop(ground, BY_NAME["order-paid"], lost, "")
    assert played(ground, BY_NAME["authorised-again"], lost)[1] == []
    assert played(ground, BY_NAME["order-paid"], lost)[1] == []


@pytest.mark.parametrize(
    ("name", "shop_id", "market", "says"),
    [
        ("order-paid", "7", "", f"no shop 7; it has {SHOP_ID}"),
        ("order-paid", SHOP_ID, "BR", "is in MY, not in BR"),
        ("order-paid", "", "XX", "no market 'XX'"),
        ("invoice", "", "MY", "only in BR"),
        ("invoice", SHOP_ID, "", "only in BR"),
        ("own-fleet-delivery", "", "US", "only in ID, MY"),
    ],
)
def test_a_shop_or_market_that_does_not_fit_is_named(
    ground: Ground, name: str, shop_id: str, market: str, says: str
) -> None:
    with pytest.raises(TriggerError, match=says):
        trigger.choose_shop(ground, BY_NAME[name], shop_id, market)


def test_a_stack_that_does_not_follow_is_told_with_what_is_lacking(ground: Ground) -> None:
    ground.market("fail", {"kind": "unavailable", "times": 10_000})
    player = Player(ground, lambda _: None, SHOP_ID)
    with pytest.raises(TriggerError, match="lacking event from marketplace"):
        player.play(BY_NAME["ship-by-seller"])


def test_ingest_that_does_not_keep_a_webhook_is_told(ground: Ground) -> None:
    ground.ring = lambda *_: 503  # type: ignore[method-assign]
    with pytest.raises(TriggerError, match="answered 503 where 200"):
        Player(ground, lambda _: None, SHOP_ID).play(BY_NAME["order-paid"])


# What shows


PAGE: Mapping[str, Any] = {
    "status": "IN_TRANSIT",
    "pushes": [{"call": "ship_package", "state": "done"}],
    "clocks": [{"name": "status_update", "state": "met"}],
    "verdicts": [{"rule": "abnormal_delivery", "cause": "lost", "state": "standing"}],
    "prepared": [{"kind": "refund"}],
    "notices": [{"kind": "pickup"}],
    "events": [{"source": "webhook order_status_change"}],
    "packages": [{"package_id": "9"}],
}
SEEN = Seen(
    page=PAGE,
    effects={"ship_package": 1},
    paths={"/a"},
    label=True,
    connected=True,
    shop_notices={"stock"},
    stock={"5": "LOW_STOCK"},
)


@pytest.mark.parametrize(
    ("there", "not_there", "word"),
    [
        (Shows(status="IN_TRANSIT"), Shows(status="DELIVERED"), "it is IN_TRANSIT"),
        (Shows(pushes={SHIP: "done"}), Shows(pushes={SHIP: "dead"}), "it is done"),
        (Shows(pushes={SHIP: "done"}), Shows(pushes={"cancel": "done"}), "not there"),
        (Shows(clocks={"status_update": "met"}), Shows(clocks={"x": "met"}), "clock x"),
        (
            Shows(verdicts={"abnormal_delivery/lost": "standing"}),
            Shows(verdicts={"abnormal_delivery": "standing"}),
            "verdict abnormal_delivery",
        ),
        (Shows(prepared=("refund",)), Shows(prepared=("cancellation",)), "cancellation"),
        (Shows(notices=("pickup",)), Shows(notices=("outcome",)), "notice outcome"),
        (
            Shows(events=("webhook order_status_change",)),
            Shows(events=("webhook x",)),
            "webhook x",
        ),
        (Shows(packages=1), Shows(packages=0), "there are 1"),
        (Shows(package="9"), Shows(package="8"), "package 8"),
        (Shows(effects={SHIP: 1}), Shows(effects={SHIP: 0}), "it did 1"),
        (Shows(effects={"x": 0}), Shows(effects={SHIP: 2}), "2 times"),
        (Shows(called="/a"), Shows(called="/b"), "a call of /b"),
        (Shows(label=True), Shows(quarantined=1), "there are 0"),
        (Shows(connected=True), Shows(connected=False), "it is connected"),
        (Shows(shop_notices=("stock",)), Shows(shop_notices=("x",)), "notice x"),
        (Shows(stock={"5": "LOW_STOCK"}), Shows(stock={"6": "LOW_STOCK"}), "SKU 6"),
        (Shows(quarantined=0), Shows(quarantined=-1), "quarantine"),
    ],
)
def test_what_shows_and_what_is_lacking(there: Shows, not_there: Shows, word: str) -> None:
    assert lacking(there, SEEN) == []
    (said,) = lacking(not_there, SEEN)
    assert word in said


@pytest.mark.parametrize("name", [one.name for one in fields(Shows)])
def test_nothing_that_is_expected_passes_where_nothing_is_there(name: str) -> None:
    wants = {
        **{"status": "X", "package": "9", "called": "/a", "label": True, "connected": True},
        **{"packages": 0, "quarantined": 1},
        **{name: {"x": "y"} for name in ("pushes", "clocks", "verdicts", "stock")},
        **dict.fromkeys(("prepared", "notices", "events", "shop_notices"), ("x",)),
        "effects": {"x": 1},
    }
    assert lacking(Shows(**{name: wants[name]}), Seen())  # type: ignore[arg-type]


# The command


@dataclass
class Run:
    """The command line, in a folder that may hold a described stack."""

    folder: Path

    def __call__(self, *words: str) -> str:
        result = CliRunner().invoke(entry.main, ["trigger", *words])
        if isinstance(result.exception, TriggerError):
            return str(result.exception)
        assert result.exit_code == 0, (result.output, result.exception)
        return result.output

    def describe(self, shop_id: str, *names: str) -> None:
        told = {"tiktok": {"shop_id": shop_id}, "marketplace_url": "http://127.0.0.1:9"}
        (self.folder / "stack.json").write_text(json.dumps(told))
        identity = processes.identity_of(ME) or ""
        ours = [processes.Process(name, ME, identity, "") for name in names]
        processes.save(ours, self.folder / "processes.json")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(local, "STATE_DIR", tmp_path)
    return Run(tmp_path)


def test_without_a_name_all_are_listed_by_a_line_each(run: Run) -> None:
    lines = run().splitlines()
    assert [line.split()[0] for line in lines] == list(BY_NAME)
    assert next(line for line in lines if line.startswith("invoice")).endswith("[BR]")
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("typed", "near"),
    [("cancel", "cancel-request"), ("order-payed", "order-paid"), ("lable", "lists them all")],
)
def test_a_name_that_is_none_gets_the_nearest(run: Run, typed: str, near: str) -> None:
    assert near in run(typed)


def test_where_no_stack_runs_it_is_said_how_to_start_one(run: Run) -> None:
    assert "`make up`" in run("lost")


def test_nobody_elses_marketplace_is_played_with(run: Run) -> None:
    run.describe(SHOP_ID, "cloud")
    assert "not ours to play with" in run("lost")


def test_nor_the_stack_of_the_demo(run: Run) -> None:
    run.describe(DEMO_SHOP, "cloud", "sandbox")
    assert "sixteen days" in run("lost")


def test_a_stack_that_does_not_answer_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TriggerError, match="does not answer"):
        trigger._sent("http://127.0.0.1:9/", {})
