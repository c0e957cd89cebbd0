"""A parcel's silence, as people are told of it: once, and taken back when it was none."""

from collections import Counter
from datetime import timedelta

import pytest

from shipclock import judge
from tests.builders import every_clause
from tests.stage import START, Stage

NAME = "parcel_silent"
POLICY = every_clause()
HOUR = timedelta(hours=1)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(judge, "policy_for", lambda *_: POLICY)
    return Stage(untracked_after=None)


def shipped(stage: Stage) -> str:
    order_id = stage.sandbox.add_order("7490000000000000001", items={"MUG": 1})
    stage.marketplace_tells()
    stage.carrier_tells("SYN-1", "picked_up", START + 10 * HOUR, order_id)
    stage.settle_down()
    return order_id


def at(stage: Stage, hours: float) -> None:
    stage.until(START + timedelta(hours=hours))
    stage.marketplace_tells()
    stage.settle_down()


def verdicts(stage: Stage, order_id: str) -> list[tuple[float, str]]:
    """At what hour each run ended, and how its verdict stands."""
    recorded = stage.judged(order_id).recorded.verdicts.values()
    mine = [v for v in recorded if v.rule == NAME]
    return sorted(((v.due_at - START) / HOUR, v.state.value) for v in mine)


def announced(stage: Stage) -> Counter[str]:
    return Counter(str(e["type"]) for e in stage.announced if e.get("rule") == NAME)


def test_silence_is_told_once_and_a_later_scan_overtakes_it(stage: Stage) -> None:
    order_id = shipped(stage)
    at(stage, 249)
    assert verdicts(stage, order_id) == []
    for hours in (250, 251, 260):
        at(stage, hours)
    assert verdicts(stage, order_id) == [(250, "standing")]
    assert announced(stage) == {"order.verdict.standing": 1}
    stage.carrier_tells("SYN-1", "in_transit", START + 261 * HOUR, order_id)
    at(stage, 262)
    assert verdicts(stage, order_id) == [(250, "overtaken")]
    at(stage, 501)
    assert verdicts(stage, order_id) == [(250, "overtaken"), (501, "standing")]
    assert announced(stage) == {"order.verdict.standing": 2, "order.verdict.overtaken": 1}


def test_a_scan_in_the_gap_that_comes_late_takes_it_back(stage: Stage) -> None:
    order_id = shipped(stage)
    at(stage, 251)
    stage.carrier_tells("SYN-1", "in_transit", START + 100 * HOUR, order_id)
    at(stage, 252)
    assert verdicts(stage, order_id) == [(250, "withdrawn")]
    assert announced(stage) == {"order.verdict.standing": 1, "order.verdict.withdrawn": 1}
    at(stage, 341)
    assert verdicts(stage, order_id) == [(250, "withdrawn"), (340, "standing")]


def test_a_scan_in_the_gap_takes_back_also_what_a_later_one_had_overtaken(stage: Stage) -> None:
    order_id = shipped(stage)
    at(stage, 251)
    stage.carrier_tells("SYN-1", "in_transit", START + 252 * HOUR, order_id)
    at(stage, 253)
    stage.carrier_tells("SYN-1", "in_transit", START + 100 * HOUR, order_id)
    at(stage, 254)
    assert verdicts(stage, order_id) == [(250, "withdrawn")]


def test_gaps_that_were_over_before_anybody_looked_are_kept_and_not_told(stage: Stage) -> None:
    order_id = shipped(stage)
    stage.until(START + 300 * HOUR)
    stage.carrier_tells("SYN-1", "in_transit", START + 299 * HOUR, order_id)
    at(stage, 301)
    assert verdicts(stage, order_id) == [(250, "overtaken")]
    assert announced(stage) == {}


def test_the_marketplace_is_asked_before_it_is_told(stage: Stage) -> None:
    order_id = shipped(stage)
    stage.until(START + 200 * HOUR)
    stage.sandbox.collect(order_id)
    stage.sandbox.deliver(order_id)
    stage.sandbox.take_webhooks()  # lost
    at(stage, 250)
    assert verdicts(stage, order_id) == []
    assert stage.judged(order_id).order.status == "DELIVERED"
