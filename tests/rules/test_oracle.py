"""The product held against a second evaluation of the clocks, over random lives of orders.

More of them, out of the suite: `python -m tests.rules.lives --lives 100000 --jobs 2`.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.clock import Clock
from shipclock.domain.order import Order
from shipclock.domain.stops import reached
from shipclock.domain.tracking import Scan
from shipclock.rules import RULES, buyer_cancel_request, deadlines
from tests.builders import patient
from tests.rules.lives import Life, difference, made_up, main
from tests.rules.oracle import LINES, Book


def _first_scan_of_any_time(order: Order) -> datetime | None:
    return order.first_scan.occurred_at if order.first_scan else None


LIVES = 1100
GUIDES = (
    "status_update",
    "collected_to_shipped",
    "two_failed_attempts",
    "not_acknowledged",
    "delivery_period",
    "untracked",
    "abnormal_delivery",
    "delivered_unproven",
    "parcel_silent",
)
"""The packs' clocks that something can stop."""
WISH = "buyer_cancel_request"


@cache
def sample(lives: int = LIVES) -> list[Life]:
    return [made_up(f"suite:{place}") for place in range(lives)]


def test_product_and_oracle_tell_the_same_of_every_clock_at_every_look() -> None:
    for life in sample():
        told = difference(life)
        assert not told, f"{life}\n{told}"


@patient
@given(st.integers(min_value=0))
def test_they_tell_the_same_of_a_life_of_any_name(name: int) -> None:
    life = made_up(str(name))
    told = difference(life)
    assert not told, f"{life}\n{told}"


def test_a_life_of_the_same_name_is_the_same_life() -> None:
    assert made_up("twice") == made_up("twice")
    assert made_up("twice") != made_up("once")


def test_the_lives_bring_every_clock_to_every_end_it_can_have() -> None:
    ends: dict[str, set[str]] = {}
    said: set[str] = set()
    for life in sample():
        book = Book(life.pack)
        for now in life.looks:
            book.sweep(life.known(now), now, ZoneInfo(life.zone), life.by_hand)
            for seen in book.seen:
                end = "overtaken" if seen.overtaken else seen.state
                ends.setdefault(seen.name, set()).add(end)
        said |= {str(row[-1]) for row in book.said()} | {str(row[0]) for row in book.said()}
    usual = {"met", "missed", "overtaken", "stopped"}
    lines = {name: ends.pop(name) for name in list(ends) if name.startswith("line_")}
    assert set().union(*lines.values()) == usual | {"waiting", "running"}
    told = {name: states & usual for name, states in ends.items()}
    assert told.pop("carrier_mismatch") == {"missed", "stopped"}
    assert told == dict.fromkeys([*LINES, *GUIDES, WISH], usual)
    assert set().union(*ends.values()) == usual | {"waiting", "running"}
    assert said >= {"standing", "withdrawn", "overtaken", "reminder", "warning"}


@pytest.mark.parametrize(
    ("rule", "figures"),
    [
        ("status_update", {"hours": 121}),
        ("collected_to_shipped", {"hours": 49}),
        ("two_failed_attempts", {"attempts": 3}),
        ("not_acknowledged", {"hours": 289}),
        ("parcel_silent", {"hours": 97}),
        ("untracked", {"hours": 361}),
        ("untracked", {"first_reminder_hours": 121}),
        ("untracked", {"reminder_at": time(9, 1)}),
        ("untracked", {"final_warning_hours": 23}),
    ],
)
def test_a_figure_that_is_not_the_guides_is_seen(rule: str, figures: dict[str, Any]) -> None:
    def wrong(life: Life) -> str:
        policy = life.policy()
        clauses = dict(policy.pack.clauses)
        clauses[rule] = clauses[rule].model_copy(update=figures)
        pack = policy.pack.model_copy(update={"clauses": clauses})
        return difference(life, replace(policy, pack=pack))

    assert any(map(wrong, sample()))


@pytest.mark.parametrize(
    "figures",
    [
        {"hours": 119},
        {"warn_hours": (11,)},
        {"starts": "placed"},
        {"stops": "delivered"},
        {"then": "deem_delayed"},
        {"shipping": ()},
        {"order_types": ()},
        {"replaced_by": ()},
    ],
    ids=str,
)
def test_a_packs_deadline_that_is_another_is_seen(figures: dict[str, Any]) -> None:
    def wrong(life: Life) -> str:
        policy = life.policy()
        lines = dict(policy.pack.deadlines)
        for name, each in lines.items():
            if each.hours is not None or "hours" not in figures:
                lines[name] = each.model_copy(update=figures)
        pack = policy.pack.model_copy(update={"deadlines": lines})
        return difference(life, replace(policy, pack=pack))

    assert any(map(wrong, sample()))


@pytest.mark.parametrize(
    ("table", "what", "wrong"),
    [
        (deadlines.STARTS, "first_scan", _first_scan_of_any_time),
        (deadlines.STARTS, "paid", lambda order: order.starts_at),
        (deadlines.STOPS, "first_scan", lambda order: reached(order, "IN_TRANSIT")),
        (deadlines.STOPS, "delivered", lambda order: reached(order, "DELIVERED")),
    ],
)
def test_what_starts_and_stops_a_packs_deadline_wrongly_is_seen(
    monkeypatch: pytest.MonkeyPatch, table: dict[str, Any], what: str, wrong: Any
) -> None:
    monkeypatch.setitem(table, what, wrong)
    assert any(map(difference, sample()))


@pytest.mark.parametrize(
    "rule", ["abnormal_delivery", "delivered_unproven", "carrier_mismatch", "parcel_silent"]
)
def test_a_rule_that_is_left_out_is_seen(rule: str) -> None:
    def without(life: Life) -> str:
        policy = life.policy()
        clauses = {name: each for name, each in policy.pack.clauses.items() if name != rule}
        pack = policy.pack.model_copy(update={"clauses": clauses})
        return difference(life, replace(policy, pack=pack))

    assert any(map(without, sample()))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("WARNED_BEFORE", timedelta(hours=6, seconds=1)),
        ("ACCEPTED", frozenset({"CANCELLATION_REQUEST_SUCCESS"})),
        ("OPEN_CASES", frozenset({"CANCELLATION_REQUEST_PENDING", "TOMORROW"})),
        ("CANCELLED", ""),
        ("_silence", lambda order, last: None),
        ("_answer", lambda ended, due_at: None),
    ],
)
def test_a_wish_to_cancel_that_is_judged_wrongly_is_seen(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: Any
) -> None:
    monkeypatch.setattr(buyer_cancel_request, name, wrong)
    assert any(map(difference, sample()))


def test_a_rule_that_is_taken_off_the_list_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    left = tuple(rule for rule in RULES if rule.name != WISH)
    monkeypatch.setattr("shipclock.rules.RULES", left)
    assert any(map(difference, sample()))


@pytest.mark.parametrize(
    ("where", "name", "wrong"),
    [
        (Scan, "trusted", lambda scan: True),
        (Scan, "suspect", lambda scan: False),
        (Scan, "proven", lambda scan: bool(scan.proof)),
        (Clock, "overtaken", lambda clock: False),
    ],
)
def test_a_wrong_judgement_is_seen(
    monkeypatch: pytest.MonkeyPatch, where: type, name: str, wrong: Callable[[Any], bool]
) -> None:
    assert not any(map(difference, sample(50)))
    monkeypatch.setattr(where, name, property(wrong))
    assert any(map(difference, sample()))


def test_the_comparison_counts_what_it_compared(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lives", "20", "--seed", "suite"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("20 lives, ")
    assert told.endswith(" clocks, 0 mismatches\n")
