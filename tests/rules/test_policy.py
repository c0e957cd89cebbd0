"""Packs: deadlines as data, and what is refused as one."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from shipclock.rules import RULES
from shipclock.rules.policy import (
    DEFAULT,
    PACKS,
    Pack,
    Policy,
    PolicyError,
    load,
    parse_pack,
    policy_for,
)

GOOD = """
name = "tried"
markets = ["MY", "SG"]
from = 2026-01-01
until = 2026-07-01
ship_on = "scan"

[clauses.untracked]
clause = "section 1"
hours = 240
"""


def test_the_default_pack_is_the_guides() -> None:
    pack = load(DEFAULT)
    figures = {name: clause.hours or clause.attempts for name, clause in pack.clauses.items()}
    assert figures == {
        "status_update": 120,
        "collected_to_shipped": 48,
        "two_failed_attempts": 2,
        "not_acknowledged": 12 * 24,
        "untracked": 15 * 24,
        "delivery_period": None,
        "abnormal_delivery": None,
        "delivered_unproven": None,
        "carrier_mismatch": None,
    }
    untracked = pack.clauses["untracked"]
    assert untracked.first_reminder_hours == 120
    assert untracked.reminder_at == dt.time(9, 0)
    assert untracked.final_warning_hours == 24


@pytest.mark.parametrize("name", PACKS)
def test_every_pack_is_called_as_its_file_and_cites_what_it_rests_on(name: str) -> None:
    pack = load(name)
    assert pack.name == name
    assert all(clause.clause.strip() for clause in pack.clauses.values())


@pytest.mark.parametrize("name", PACKS)
def test_every_clause_of_a_pack_belongs_to_a_rule(name: str) -> None:
    assert set(load(name).clauses) <= {rule.name for rule in RULES}


def test_a_pack_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(PolicyError, match="no pack 'nowhere'; there are: guide-2023"):
        load("nowhere")


def test_a_good_pack_is_read() -> None:
    pack = parse_pack(GOOD, "tried")
    assert pack.clauses["untracked"].period == dt.timedelta(days=10)


@pytest.mark.parametrize(
    ("wrong", "right", "key"),
    [
        ("hours = 240", "hours = 0", "clauses.untracked.hours"),
        ("hours = 240", "hours = -5", "clauses.untracked.hours"),
        ("hours = 240", "hours = 999999", "clauses.untracked.hours"),
        ("hours = 240", 'hours = "soon"', "clauses.untracked.hours"),
        ("hours = 240", "hours = 1.5", "clauses.untracked.hours"),
        ("hours = 240", "hours = nan", "clauses.untracked.hours"),
        ("hours = 240", "minutes = 240", "clauses.untracked.minutes"),
        ("hours = 240", "", "clauses.untracked.hours"),
        ("hours = 240", "attempts = 2", "clauses.untracked.hours"),
        ("hours = 240", "hours = 240\nattempts = 0", "clauses.untracked.attempts"),
        ("[clauses.untracked]", "[clauses.two_failed_attempts]", "two_failed_attempts.attempts"),
        *(
            ("[clauses.untracked]", f"[clauses.{name}]", f"no rule is called {name}")
            for name in ("policy", "rule", "__init__")
        ),
        (
            "[clauses.untracked]",
            '[clauses.untraked]\nclause = "typo"\n[clauses.tracked]',
            "no rule is called tracked, untraked",
        ),
        ('clause = "section 1"', "", "clauses.untracked.clause"),
        ("hours = 240", "hours = 240\nreminder_at = 9", "clauses.untracked.reminder_at"),
        ('ship_on = "scan"', 'ship_on = "hope"', "ship_on"),
        ('ship_on = "scan"', "", "ship_on"),
        ("from = 2026-01-01", 'from = "new year"', "from"),
        ("from = 2026-01-01", "", "from"),
        ('markets = ["MY", "SG"]', 'markets = "MY"', "markets"),
        ('name = "tried"', "", "name"),
        ('name = "tried"', 'name = "tried"\nnmae = "typo"', "nmae"),
    ],
)
def test_a_bad_pack_is_refused_naming_the_pack_and_the_key(
    wrong: str, right: str, key: str
) -> None:
    assert wrong in GOOD
    with pytest.raises(PolicyError) as refused:
        parse_pack(GOOD.replace(wrong, right), "tried")
    assert "pack tried: " in str(refused.value)
    assert key in str(refused.value)


def test_every_wrong_key_is_named_at_once() -> None:
    with pytest.raises(PolicyError, match=r"ship_on: .*; clauses\.untracked\.hours: "):
        parse_pack(GOOD.replace('"scan"', '"hope"').replace("240", "0"), "tried")


@pytest.mark.parametrize("text", ["not toml at all [", "name = ", "a = 1\na = 2", "\x00"])
def test_what_is_no_toml_is_refused_naming_the_pack(text: str) -> None:
    with pytest.raises(PolicyError, match="pack tried is not TOML"):
        parse_pack(text, "tried")


def test_a_clause_no_rule_knows_is_refused_rather_than_left_out_in_silence() -> None:
    with pytest.raises(PolicyError, match=r"pack tried.*untraked"):
        parse_pack(GOOD.replace("clauses.untracked", "clauses.untraked"), "tried")


@pytest.mark.parametrize(
    ("market", "day", "in_force"),
    [
        ("MY", dt.date(2025, 12, 31), False),
        ("MY", dt.date(2026, 1, 1), True),
        ("SG", dt.date(2026, 6, 30), True),
        ("MY", dt.date(2026, 7, 1), False),
        ("US", dt.date(2026, 3, 1), False),
    ],
)
def test_a_pack_rules_its_markets_from_its_first_day_to_the_day_before_its_last(
    market: str, day: dt.date, in_force: bool
) -> None:
    assert parse_pack(GOOD, "tried").in_force(market, day) is in_force


def test_a_pack_without_an_end_rules_for_good() -> None:
    pack = parse_pack(GOOD.replace("until = 2026-07-01\n", ""), "tried")
    assert pack.in_force("MY", dt.date(2099, 1, 1))


def test_a_market_without_a_pack_of_its_own_is_ruled_by_the_default() -> None:
    policy = policy_for("XX", dt.date(2026, 11, 1), "UTC")
    assert policy.pack.name == DEFAULT
    assert policy.set_by("untracked") == "guide-2023:untracked"


def test_of_two_packs_in_force_the_newer_one_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = (
        parse_pack(GOOD.replace("2026-01-01", f"2026-0{month}-01"), f"p{month}") for month in (1, 3)
    )
    packs: dict[str, Pack] = {"older": older, "newer": newer, DEFAULT: load(DEFAULT)}
    monkeypatch.setattr("shipclock.rules.policy.PACKS", tuple(packs))
    monkeypatch.setattr("shipclock.rules.policy.load", packs.__getitem__)
    in_force = policy_for.__wrapped__

    def on(month: int) -> Policy:
        return in_force("MY", dt.date(2026, month, 15), "UTC")

    assert on(2).pack is older
    assert on(3).pack is newer
    assert on(8).pack is packs[DEFAULT]


def test_a_shop_may_choose_a_pack_for_its_orders_wherever_and_whenever_they_were_placed() -> None:
    chosen = policy_for("US", dt.date(1999, 1, 1), "America/New_York", "guide-2023")
    assert (chosen.pack, chosen.zone) == (load("guide-2023"), ZoneInfo("America/New_York"))
    with pytest.raises(PolicyError, match="no pack 'guide-1923'"):
        policy_for("US", dt.date(2026, 1, 1), "America/New_York", "guide-1923")
