"""Incidents from declaring to lifting: sweeps on fakes, masked addresses, what is shown."""

import json
import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipclock import codec, incident_match, incidents, rows
from shipclock.asking import NotAsked
from shipclock.domain.event import OrderFacts
from shipclock.domain.incident import Incident, IncidentFact
from shipclock.incident_walk import PAGE
from shipclock.lane import LEASE
from shipclock.marketplaces.protocol import OrderRow
from shipclock.order_view import order_view
from shipclock.ports import StoreError
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from shipclock.sweep import Sweep
from shipclock.views import OrderView
from tests.fakes import KINDS, Faults, FaultyStore, Gone
from tests.stage import CARRIER, REAL, SHOP_ID, START, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LOST = 12 * 24
POSTCODE, STATE = "40999", "Selangor"
"""Where the sandbox's buyers of this market live."""


def at(hours: float) -> datetime:
    return START + hours * HOUR


def fact(begins: float = 0, ends: float | None = 10, **more: Any) -> IncidentFact:
    known: dict[str, Any] = {"reason": "A flood", "carriers": (CARRIER,), **more}
    ends_at = None if ends is None else at(ends)
    return IncidentFact("", "declared", REAL, "ops", at(begins), ends_at, **known)


def declare(stage: Stage, begins: float = 0, ends: float | None = 10, **more: Any) -> Incident:
    return incidents.declare(stage.store, fact(begins, ends, **more), stage.real.now)[0]


def lift(stage: Stage, incident: Incident, over: float) -> None:
    incidents.lift(stage.store, incident.incident_id, at(over), stage.real.now)


def placed(stage: Stage, **wish: Any) -> str:
    order_id = stage.sandbox.add_order(
        SHOP_ID, status="AWAITING_SHIPMENT", **{"items": {"MUG": 1}, **wish}
    )
    stage.marketplace_tells()
    stage.settle_down()
    return order_id


def on_its_way(stage: Stage, number: str = "SYN-1", carrier: str = CARRIER, **wish: Any) -> str:
    """An order of Ship by Seller that its carrier has."""
    order_id = placed(stage, **wish)
    stage.carrier_tells(number, "picked_up", None, order_id, carrier)
    stage.settle_down()
    return order_id


def until(stage: Stage, hours: float) -> None:
    stage.until(at(hours))
    stage.marketplace_tells()
    stage.settle_down()


def shown(stage: Stage, order_id: str) -> OrderView:
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    return view


def due(stage: Stage, order_id: str, name: str = "not_acknowledged") -> datetime:
    return next(clock.due_at for clock in shown(stage, order_id).clocks if clock.name == name)


def listed(stage: Stage, incident: Incident) -> dict[str, str]:
    found = incidents.listed(stage.store, incident.incident_id)
    return {row["order_id"]: row["listed"] for row in found if row["listed"]}


@pytest.fixture
def stage() -> Stage:
    return Stage(untracked_after=None)


# Declared, and looked at


def test_an_open_order_is_looked_at_again_after_an_incident_was_declared(stage: Stage) -> None:
    order_id = on_its_way(stage)
    assert due(stage, order_id) == at(LOST)
    incident = declare(stage)
    head = stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]
    before = head["version"], head["next_due_at"]
    assert stage.sweep().due_left > 0, "it waits until no older sweep is under way"
    assert stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]["version"] == before[0]
    stage.settle_down()
    head = stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]
    assert head["version"] > before[0]
    assert due(stage, order_id) == at(LOST + 10)
    assert listed(stage, incident) == {order_id: "affected"}


def test_a_new_order_is_matched_while_the_incident_lasts(stage: Stage) -> None:
    incident = declare(stage, 0, None)
    stage.settle_down()
    order_id = on_its_way(stage)
    assert listed(stage, incident) == {order_id: "affected"}
    assert due(stage, order_id) == at(LOST) + timedelta(days=14)


def test_a_sweep_reads_the_incidents_once_however_many_orders_it_settles(stage: Stage) -> None:
    reads: list[str] = []
    read = stage.memory.read

    def counted(pk: str, prefix: str = "") -> Any:
        reads.append(pk)
        return read(pk, prefix)

    stage.memory.read = counted  # type: ignore[method-assign]
    for _ in range(20):
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    reads.clear()
    stage.sweep()
    assert reads.count(rows.INCIDENTS) == 1
    reads.clear()
    stage.real.pass_time(60)
    stage.sweep()
    assert reads.count(rows.INCIDENTS) <= 1


def test_a_late_incident_takes_a_verdict_back_and_a_lift_brings_it_back_once(stage: Stage) -> None:
    order_id = on_its_way(stage)
    until(stage, LOST + 5)
    assert stage.verdicts(order_id)["not_acknowledged"] == "standing"
    incident = declare(stage, 100, 110)
    stage.settle_down()
    assert stage.verdicts(order_id)["not_acknowledged"] == "withdrawn"
    assert stage.verdicts(order_id)["abnormal_delivery"] == "withdrawn"
    assert shown(stage, order_id).prepared == []
    lift(stage, incident, 100)
    stage.settle_down()
    verdicts = stage.judged(order_id).recorded.verdicts.values()
    mine = [(v.due_at, v.state) for v in verdicts if v.rule == "not_acknowledged"]
    assert mine == [(at(LOST), "standing")]
    assert listed(stage, incident) == {}


def test_what_is_missed_again_after_the_extension_speaks_anew(stage: Stage) -> None:
    order_id = on_its_way(stage)
    until(stage, LOST + 5)
    declare(stage, 100, 110)
    stage.settle_down()
    until(stage, LOST + 10)
    verdicts = stage.judged(order_id).recorded.verdicts.values()
    mine = {v.due_at: v for v in verdicts if v.rule == "not_acknowledged"}
    assert {due_at: v.state for due_at, v in mine.items()} == {
        at(LOST): "withdrawn",
        at(LOST + 10): "standing",
    }
    assert "A flood" in mine[at(LOST + 10)].explanation


def test_lifting_early_brings_the_clocks_back_by_as_much(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, 1, None)
    stage.settle_down()
    lift(stage, incident, 31)
    stage.settle_down()
    assert due(stage, order_id) == at(LOST + 30)


def test_a_change_of_what_it_is_about_lets_orders_go_and_takes_others(stage: Stage) -> None:
    mine = on_its_way(stage, "SYN-1")
    other = on_its_way(stage, "SYN-2", "Ninja Van")
    incident = declare(stage)
    stage.settle_down()
    assert listed(stage, incident) == {mine: "affected"}
    changed = IncidentFact(incident.incident_id, "changed", REAL, carriers=("Ninja Van",))
    incidents.change(stage.store, changed, stage.real.now)
    stage.settle_down()
    assert listed(stage, incident) == {other: "affected"}
    assert (due(stage, mine), due(stage, other)) == (at(LOST), at(LOST + 10))


def test_an_order_that_ended_before_it_began_is_not_about_it(stage: Stage) -> None:
    order_id = on_its_way(stage)
    stage.until(at(20))
    stage.sandbox.collect(order_id)
    until(stage, 24)
    stage.sandbox.deliver(order_id)
    until(stage, 30)
    before, late = declare(stage, 10, 20), declare(stage, 25, 40)
    stage.settle_down()
    assert listed(stage, before) == {order_id: "affected"}
    assert listed(stage, late) == {}


def test_an_order_that_the_marketplace_fulfils_is_about_none(stage: Stage) -> None:
    placed(stage, fulfillment_type="FULFILLMENT_BY_TIKTOK")
    incident = declare(stage, carriers=(), regions=("MY",))
    stage.settle_down()
    assert listed(stage, incident) == {}


# By address


@pytest.mark.parametrize(
    ("area", "state"),
    [
        ({"postcodes": (POSTCODE,)}, "affected"),
        ({"postcodes": ("40990-40999",)}, "affected"),
        ({"postcodes": ("409*",)}, "affected"),
        ({"postcodes": ("10110",)}, None),
        ({"regions": (STATE,)}, "affected"),
        ({"regions": ("MY",)}, "affected"),
        ({"regions": ("Johor",)}, None),
        ({"regions": ("MY",), "postcodes": ("10110",)}, None),
        ({"regions": (STATE,), "carriers": (CARRIER,)}, "affected"),
        ({"regions": (STATE,), "carriers": ("Ninja Van",)}, None),
        ({"regions": ("MY-10",)}, "possible"),
    ],
)
def test_an_order_is_found_by_its_address(
    area: dict[str, Any], state: str | None, stage: Stage
) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, **{"carriers": (), **area})
    stage.settle_down()
    assert listed(stage, incident).get(order_id) == state
    assert due(stage, order_id) == at(LOST + 10 * (state == "affected"))


def told(stage: Stage, order_id: str, hours: float, **buyer: str) -> None:
    """The marketplace tells the order once more, with this of its buyer."""
    facts = stage.judged(order_id).order.facts
    assert facts is not None
    newer: OrderFacts = replace(facts, update_time=at(hours))
    keep_snapshot(stage.store, SHOP_ID, OrderRow(order_id, newer, buyer), stage.real.now, at(hours))
    settle(stage.store, lambda _: stage.shop(), order_id, at(hours), stage.real.now)


def test_an_address_that_is_masked_later_was_read_in_time(stage: Stage) -> None:
    inside = on_its_way(stage, "SYN-1")
    outside = on_its_way(stage, "SYN-2", recipient_address={"postal_code": "10110"})
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    for order_id in (inside, outside):
        told(stage, order_id, 2, user_id="1")
    assert listed(stage, incident) == {inside: "affected"}
    assert due(stage, inside) == at(LOST + 10)


def test_where_an_address_is_masked_from_the_start_it_can_not_be_told(stage: Stage) -> None:
    order_id = on_its_way(stage)
    told(stage, order_id, 2, user_id="1")
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    assert listed(stage, incident) == {order_id: "possible"}
    assert due(stage, order_id) == at(LOST)


def test_what_was_read_of_one_area_tells_nothing_of_another(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    told(stage, order_id, 2, user_id="1")
    changed = IncidentFact(incident.incident_id, "changed", REAL, postcodes=("40000-40999",))
    incidents.change(stage.store, changed, stage.real.now)
    stage.settle_down()
    assert listed(stage, incident) == {order_id: "possible"}


def test_an_address_that_is_told_or_changed_later_counts_from_then_on(stage: Stage) -> None:
    order_id = on_its_way(stage)
    told(stage, order_id, 2, user_id="1")
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    told(stage, order_id, 3, postal_code=POSTCODE)
    assert listed(stage, incident) == {order_id: "affected"}
    told(stage, order_id, 4, postal_code="10110")
    assert listed(stage, incident) == {}
    assert due(stage, order_id) == at(LOST)


def test_an_expired_address_is_not_read_though_the_row_is_still_there(stage: Stage) -> None:
    order_id = on_its_way(stage)
    buyer = stage.memory.rows[f"ORDER#{order_id}"][rows.BUYER]
    buyer["expires_at"] = int(stage.real.now.timestamp()) - 1
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    assert listed(stage, incident) == {order_id: "possible"}


def test_no_word_of_an_address_leaves_the_buyers_row(stage: Stage) -> None:
    on_its_way(stage)
    incident = declare(stage, carriers=(), postcodes=("409*",), regions=(STATE,))
    stage.settle_down()
    for pk, found in stage.memory.rows.items():
        for sk, row in found.items():
            said = (pk, sk) in {(rows.INCIDENTS, f"{incident.incident_id}#0")}
            if sk != rows.BUYER and not said and "DELIVERY" not in sk:
                text = json.dumps(row, default=str)
                for word in (POSTCODE, "Kampung Contoh", STATE):
                    assert word not in text, (pk, sk)


# By hand


def test_a_person_puts_orders_in_and_takes_them_out(stage: Stage) -> None:
    inside, outside = on_its_way(stage, "SYN-1"), on_its_way(stage, "SYN-2", "Ninja Van")
    incident = declare(stage)
    incidents.include(stage.store, incident.incident_id, [outside], True, stage.real.now, "ops")
    incidents.include(stage.store, incident.incident_id, [inside], False, stage.real.now, "ops")
    stage.settle_down()
    assert listed(stage, incident) == {outside: "affected"}
    assert shown(stage, outside).incidents[0].by_hand
    stage.real.pass_time(1)
    incidents.include(stage.store, incident.incident_id, [inside], True, stage.real.now, "ops")
    stage.settle_down()
    assert listed(stage, incident) == {inside: "affected", outside: "affected"}


def test_an_order_that_ended_before_anybody_declared_follows_when_a_person_puts_it_in(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    until(stage, 2)
    stage.sandbox.cancel(order_id, "out of stock", "SELLER")
    until(stage, 3)
    incident = declare(stage, carriers=(), postcodes=(POSTCODE,))
    stage.settle_down()
    assert listed(stage, incident) == {}
    incidents.include(stage.store, incident.incident_id, [order_id], True, stage.real.now, "ops")
    stage.settle_down()
    assert listed(stage, incident) == {order_id: "affected"}


def test_only_known_orders_and_incidents_are_put_together(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    with pytest.raises(NotAsked, match="no incident"):
        incidents.include(stage.store, "f" * 10, [order_id], True, REAL, "ops")
    with pytest.raises(NotAsked, match="no order"):
        incidents.include(stage.store, incident.incident_id, ["1"], True, REAL, "ops")


# What is shown and drafted


def test_an_orders_page_tells_of_the_incident_and_of_the_clocks_that_it_meets(stage: Stage) -> None:
    order_id = on_its_way(stage, delivery_sla_time=int(at(200).timestamp()))
    incident = declare(stage, 1, 11, evidence=("https://weather.example/flood",))
    stage.settle_down()
    view = shown(stage, order_id)
    (one,) = view.incidents
    assert (one.incident_id, one.listed, one.by_hand) == (incident.incident_id, "affected", False)
    assert (one.since, one.evidence) == (incident.declared_at, ["https://weather.example/flood"])
    moved = {c.name: (c.due_at, c.due_at_without) for c in one.clocks}
    assert moved["not_acknowledged"] == (at(LOST + 10), at(LOST))
    assert moved["delivery_sla_time"] == (at(200), at(200))
    assert one.buyer_message is not None
    assert order_id in one.buyer_message
    assert "A flood." in one.buyer_message
    assert stage.intents(order_id).keys() == {k for k in stage.intents(order_id) if "ship" in k}


def test_of_what_can_not_be_told_no_message_is_drafted(stage: Stage) -> None:
    order_id = placed(stage)
    declare(stage)
    stage.settle_down()
    (one,) = shown(stage, order_id).incidents
    assert (one.listed, one.clocks, one.buyer_message) == ("possible", [], None)


def test_a_line_that_was_missed_because_of_it_brings_a_text_to_paste(stage: Stage) -> None:
    lines: dict[str, Any] = {
        "delivery_sla_time": int(at(50).timestamp()),
        "rts_sla_time": int(at(40).timestamp()),
    }
    order_id = on_its_way(stage, **lines)
    declare(stage, 1, 60, evidence=("https://weather.example/flood",))
    until(stage, 55)
    tasks = {task.rule: task for task in shown(stage, order_id).tasks}
    for rule in tasks:
        assert tasks[rule].kind in ("force_majeure", "appeal")
    task = tasks["delivery_sla_time"]
    for word in (order_id, "A flood", "https://weather.example/flood", CARRIER, "Period: from"):
        assert word in task.text
    verdict = next(v for v in shown(stage, order_id).verdicts if v.rule == "delivery_sla_time")
    assert "does not move this line" in verdict.explanation


def test_before_and_after_an_incident_no_text_names_it(stage: Stage) -> None:
    order_id = on_its_way(stage, delivery_sla_time=int(at(50).timestamp()))
    declare(stage, 50, 60)
    until(stage, 55)
    assert shown(stage, order_id).tasks == []


# What may be said


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"reason": "x" * 10_000_000}, "10000000 characters"),
        ({"reason": " \n "}, "plain words"),
        ({"reason": "ab\x00cd"}, "plain words"),
        ({"reason": "‮evil"}, "plain words"),
        ({"evidence": ("javascript:alert(1)",)}, "no address of a page"),
        ({"evidence": ("https://",)}, "no address of a page"),
        ({"evidence": ("https://me:secret@a.example/",)}, "no address of a page"),
        ({"evidence": ("https://a.example/ x",)}, "no address of a page"),
        ({"evidence": ("https://[",)}, "no address of a page"),
        ({"evidence": ("https://a.example/" + "x" * 500,)}, "no address of a page"),
        ({"evidence": tuple(f"https://a.example/{n}" for n in range(11))}, "at most 10"),
        ({"carriers": ()}, "a carrier, a region or postcodes"),
        ({"carriers": ("--",)}, "no carrier's name"),
        ({"carriers": ("x" * 81,)}, "no carrier's name"),
        ({"carriers": tuple(map(str, range(21)))}, "at most 20"),
        ({"regions": ("",)}, "no region"),
        ({"regions": ("x" * 81,)}, "no region"),
        ({"postcodes": ("10120-10110",)}, "10110-10120"),
        ({"postcodes": tuple(map(str, range(10_000, 10_201)))}, "at most 200"),
        ({"shops": ("SHOP#1",)}, "no shop's id"),
        ({"ends": 0}, "end before it begins"),
        ({"ends": -5}, "end before it begins"),
        ({"ends": 367 * 24}, "more than a year"),
        ({"begins": -400 * 24}, "more than a year from now"),
        ({"begins": 500 * 24, "ends": 501 * 24}, "more than a year from now"),
    ],
)
def test_what_can_not_be_meant_is_refused_and_nothing_is_kept(
    more: dict[str, Any], told: str, stage: Stage
) -> None:
    with pytest.raises(NotAsked, match=told) as refused:
        declare(stage, **more)
    assert len(str(refused.value)) < 400
    assert rows.INCIDENTS not in stage.memory.rows


def test_the_same_said_twice_is_one_incident(stage: Stage) -> None:
    first, new = incidents.declare(stage.store, fact(), stage.real.now)
    assert new
    stage.real.pass_time(5)
    second, new = incidents.declare(stage.store, replace(fact(), by="another"), stage.real.now)
    assert (second, new) == (first, False)
    assert incidents.declare(stage.store, fact(1), stage.real.now)[1]


def test_the_same_said_again_after_it_was_lifted_is_not_taken_for_the_lifted_one(
    stage: Stage,
) -> None:
    incident = declare(stage, 0, None)
    lift(stage, incident, 2)
    with pytest.raises(NotAsked, match=f"as {incident.incident_id}, and lifted"):
        declare(stage, 0, None)
    stage.real.pass_time(5)
    again = IncidentFact(incident.incident_id, "changed", stage.real.now, open_end=True)
    incidents.change(stage.store, again, stage.real.now)
    assert declare(stage, 0, None).lifted_at is None


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"ends_at": at(-1)}, "end before it begins"),
        ({"begins_at": at(20)}, "end before it begins"),
        ({"carriers": ()}, "a carrier, a region or postcodes"),
        ({"ends_at": at(20), "open_end": True}, "not both"),
        ({"evidence": ("data:text/html,x",)}, "no address"),
    ],
)
def test_a_change_that_can_not_be_meant_is_refused(
    more: dict[str, Any], told: str, stage: Stage
) -> None:
    incident = declare(stage)
    changed = IncidentFact(incident.incident_id, "changed", REAL, **more)
    with pytest.raises(NotAsked, match=told):
        incidents.change(stage.store, changed, stage.real.now)
    assert incidents.read_declared(stage.store).revision == 1


@pytest.mark.parametrize("years", [2, 180, 7973])
def test_a_lift_makes_no_incident_last_for_more_than_a_year(years: int, stage: Stage) -> None:
    incident = declare(stage, 0, None)
    over_at = START.replace(year=START.year + years)
    with pytest.raises(NotAsked, match="more than a year"):
        incidents.lift(stage.store, incident.incident_id, over_at, stage.real.now)
    lift(stage, incident, 24 * 300)
    lift(stage, incident, 5)


@pytest.mark.parametrize("name", ["", "f" * 10, "a#b", "x" * 3000])
def test_nobody_changes_or_lifts_what_was_never_declared(name: str, stage: Stage) -> None:
    declare(stage)
    with pytest.raises(NotAsked, match="no incident"):
        incidents.change(stage.store, IncidentFact(name, "changed", REAL, reason="why not"), REAL)
    with pytest.raises(NotAsked, match="no incident"):
        incidents.lift(stage.store, name, REAL, REAL)


def test_there_is_an_end_to_how_much_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "MOST_LASTING", 2)
    monkeypatch.setattr(incidents, "MOST_SAID", 3)
    first = declare(stage, 0, 2000)
    declare(stage, 1, 2000)
    with pytest.raises(NotAsked, match="2 incidents last already"):
        declare(stage, 2, 2000)
    declare(stage, 2, 3)  # over
    lift(stage, first, 5)
    stage.real.pass_time(1)
    lift(stage, first, 4)
    with pytest.raises(NotAsked, match="declare another"):
        lift(stage, first, 3)


# Many, late, twice, at once


def test_thousands_of_orders_are_looked_at_page_by_page_over_several_sweeps(stage: Stage) -> None:
    count = 9 * PAGE  # several pages in each shard of the board
    made = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(count)
    ]
    stage.marketplace_tells()
    stage.settle_down()
    incident = declare(stage, carriers=(), regions=("MY",))
    stage.sweep()
    stage.real.pass_time(LEASE.total_seconds())
    seen = []
    slow = stage.memory.board

    def board(*words: Any) -> Any:
        stage.real.pass_time(10)  # each page takes so long that a sweep gets through five
        return slow(*words)

    stage.memory.board = board  # type: ignore[method-assign, assignment]
    for _ in range(40):
        left = stage.sweep().due_left
        seen.append(len(listed(stage, incident)))
        if not left:
            break
    assert seen[-1] == count == len(made)
    assert 0 < seen[0] < count
    assert seen == sorted(seen)


def outcome(stage: Stage, orders: list[str], declared: list[Incident]) -> Any:
    judged = {order_id: stage.judged(order_id) for order_id in orders}
    return {
        "verdicts": {
            order_id: Counter(
                (v.rule, v.number, v.due_at, v.state)
                for v in one.recorded.verdicts.values()
                if v.state != "withdrawn"
            )
            for order_id, one in judged.items()
        },
        "clocks": {
            order_id: [(t.clock.name, t.clock.due_at) for t in one.decision.timeline]
            for order_id, one in judged.items()
        },
        "lists": {i.incident_id: listed(stage, i) for i in declared},
    }


STORY = (
    lambda stage: declare(stage, 100, None),
    lambda stage: declare(stage, 120, 140, carriers=(), postcodes=("409*",)),
    lambda stage: declare(stage, 130, 150, carriers=("Ninja Van",)),
)


def lived(plans: list[dict[int, str]], sweeps: list[int], late: bool = False) -> Any:
    """Three incidents are declared and one of them is lifted, while sweeps go wrong or don't come;
    or all of it is heard of after everything else has happened."""
    stage = Stage(untracked_after=None)
    orders = [on_its_way(stage, "SYN-1"), on_its_way(stage, "SYN-2", "Ninja Van"), placed(stage)]
    declared: list[Incident] = []
    for place, hours in enumerate((110, 125, 135)):
        if not late:
            stage.until(at(hours))
            declared.append(STORY[place](stage))
        for plan in plans[place : place + 1]:
            world = stage.world
            world.store = FaultyStore(stage.memory, Faults(dict(plan)))
            with suppress(Gone, StoreError):
                Sweep(world, stage.now, timedelta(seconds=65)).run()
            stage.real.pass_time(120)
    if not late:
        lift(stage, declared[0], 145)
    for hours in sorted(sweeps):
        stage.until(at(hours))
        stage.real.pass_time(60)
        stage.sweep()
    until(stage, LOST + 60)
    if late:
        declared = [tell(stage) for tell in reversed(STORY)][::-1]
        lift(stage, declared[0], 145)
    stage.real.pass_time(600)
    stage.settle_down()
    return outcome(stage, orders, declared)


@pytest.fixture(scope="module")
def undisturbed() -> Any:
    found = lived([], [])
    said = [sum(verdicts.values()) for verdicts in found["verdicts"].values()]
    assert all(said)
    dues = [dict(clocks).get("not_acknowledged") for clocks in found["clocks"].values()]
    assert dues[:2] == [at(LOST + 45), at(LOST + 30)]
    return found


def test_heard_of_at_the_very_end_it_comes_to_the_same(undisturbed: Any) -> None:
    assert lived([], [], late=True) == undisturbed


@settings(max_examples=40, deadline=None)
@given(
    plans=st.lists(
        st.dictionaries(st.integers(0, 60), st.sampled_from(KINDS), max_size=4), max_size=3
    ),
    sweeps=st.lists(st.integers(136, LOST + 59), max_size=6),
)
def test_whatever_goes_wrong_and_whenever_one_sweeps_the_same_stands_in_the_end(
    plans: list[dict[int, str]], sweeps: list[int], undisturbed: Any
) -> None:
    assert lived(plans, sweeps) == undisturbed


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_of_the_walk_may_fail(kind: str) -> None:
    """Each I/O step of the sweep that walks fails in turn."""
    step, done = 0, False
    while not done:
        stage = Stage(untracked_after=None)
        order_id = on_its_way(stage)
        incident = declare(stage)
        stage.sweep()
        stage.real.pass_time(LEASE.total_seconds())
        faults = Faults({step: kind})
        world = stage.world
        world.store = FaultyStore(stage.memory, faults)
        with suppress(Gone, StoreError):
            Sweep(world, stage.now, timedelta(seconds=65)).run()
        done = faults.step <= step
        stage.real.pass_time(600)
        stage.until(at(1))
        stage.settle_down()
        assert listed(stage, incident) == {order_id: "affected"}, step
        assert due(stage, order_id) == at(LOST + 10), step
        step += 1
    assert step > 20


def test_two_sweeps_that_walk_at_once_come_to_the_same(stage: Stage) -> None:
    orders = [on_its_way(stage, f"SYN-{n}") for n in range(5)]
    incident = declare(stage)
    stage.sweep()
    stage.real.pass_time(LEASE.total_seconds())
    inner = stage.memory.board
    again: list[int] = []

    def board(*words: Any) -> Any:
        if not again:
            again.append(1)
            Sweep(stage.world, stage.now, timedelta(seconds=65)).run()
        return inner(*words)

    stage.memory.board = board  # type: ignore[method-assign, assignment]
    stage.settle_down()
    assert listed(stage, incident) == dict.fromkeys(orders, "affected")
    assert all("due_at" not in row for row in stage.memory.rows[rows.INCIDENTS].values())


def test_an_order_settled_by_newer_news_is_not_settled_by_older_ones(stage: Stage) -> None:
    order_id = on_its_way(stage)
    tell = stage.world.tell
    old = incidents.Declarations(stage.store, tell)
    old()
    declare(stage)
    for declared in (incidents.Declarations(stage.store, tell), old):
        settle(
            stage.store, lambda _: stage.shop(), order_id, at(1), stage.real.now, declared=declared
        )
        assert due(stage, order_id) == at(LOST + 10)
    head = stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]
    assert head["incidents_seen"] == 1


def test_what_is_said_while_a_walk_is_under_way_is_walked_for_too(stage: Stage) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage)
    stage.sweep()
    stage.real.pass_time(LEASE.total_seconds())
    inner = stage.memory.board
    told: list[int] = []

    def board(*words: Any) -> Any:
        found = inner(*words)
        if not told and found.rows:
            told.append(1)
            longer = IncidentFact(incident.incident_id, "changed", REAL, ends_at=at(30))
            incidents.change(stage.store, longer, stage.real.now)
        return found

    stage.memory.board = board  # type: ignore[method-assign, assignment]
    stage.sweep()
    assert told
    stage.settle_down()
    assert stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]["incidents_seen"] == 2
    assert due(stage, order_id) == at(LOST + 30)


def test_an_order_that_can_not_be_settled_holds_up_no_other(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = on_its_way(stage, "SYN-1"), on_its_way(stage, "SYN-2")
    incident = declare(stage)
    stage.sweep()
    stage.real.pass_time(LEASE.total_seconds())
    matched = incident_match.place_of
    broken = [True]

    def place_of(buyer: Any, real: datetime) -> Any:
        if broken and buyer is not None and bad in buyer["pk"]:
            raise RuntimeError("odd")
        return matched(buyer, real)

    monkeypatch.setattr(incident_match, "place_of", place_of)
    stage.sweep()
    assert listed(stage, incident) == {good: "affected"}
    broken.clear()
    stage.until(at(3))
    stage.settle_down()
    assert listed(stage, incident) == {good: "affected", bad: "affected"}


def test_more_lists_than_one_commit_may_write_are_written_by_the_next(stage: Stage) -> None:
    made = [declare(stage, n, n + 100) for n in range(2 * incident_match.MOST_WRITES + 1)]
    stage.settle_down()
    order_id = on_its_way(stage)
    for incident in made:
        assert listed(stage, incident) == {order_id: "affected"}
    assert due(stage, order_id) == at(LOST + 100 + len(made) - 1)


def test_an_incident_of_other_shops_is_not_about_the_order(stage: Stage) -> None:
    order_id = on_its_way(stage)
    other = declare(stage, shops=("7490000000000000009",))
    mine = declare(stage, shops=(SHOP_ID,))
    stage.settle_down()
    assert listed(stage, other) == {}
    assert listed(stage, mine) == {order_id: "affected"}
    assert [one.incident_id for one in shown(stage, order_id).incidents] == [mine.incident_id]


@pytest.mark.parametrize("elsewhere", [("7490000000000000009",), (SHOP_ID,), ()])
def test_orders_of_a_shop_that_it_is_no_longer_about_are_let_go(
    elsewhere: tuple[str, ...], stage: Stage
) -> None:
    order_id = on_its_way(stage)
    incident = declare(stage, shops=(SHOP_ID,))
    stage.settle_down()
    assert listed(stage, incident) == {order_id: "affected"}
    changed = IncidentFact(incident.incident_id, "changed", REAL, shops=elsewhere)
    incidents.change(stage.store, changed, stage.real.now)
    stage.settle_down()
    assert (listed(stage, incident) == {}) is (elsewhere == ("7490000000000000009",))


def test_random_incidents_end_as_an_oracle_that_looks_at_every_minute_says() -> None:
    """Overlaps, lifts, changes of the period, at random; the clock of one order in the end."""
    dice = random.Random(11)
    for _ in range(25):
        stage = Stage(untracked_after=None)
        order_id = on_its_way(stage)
        periods: dict[str, tuple[int, int]] = {}
        for _ in range(dice.randint(1, 6)):
            begins = dice.randrange(-100, 400)
            ends = begins + dice.randrange(1, 90)
            incident = declare(stage, begins, ends)
            periods[incident.incident_id] = begins, ends
            stage.real.pass_time(1)
            if dice.random() < 0.4:
                over = dice.randrange(begins - 10, ends + 20)
                lift(stage, incident, over)
                periods[incident.incident_id] = begins, min(over, ends)
            if dice.random() < 0.3:
                stage.sweep()
        stage.settle_down()
        left, hour = LOST, 0
        while left:
            left -= not any(begins <= hour < ends for begins, ends in periods.values())
            hour += 1
        assert due(stage, order_id) == at(hour)


def test_a_word_that_can_not_be_read_keeps_no_order_from_being_settled(stage: Stage) -> None:
    incident = declare(stage)
    odd = {"pk": rows.INCIDENTS, "sk": f"{'b' * 10}#0", "doc": '{"kind": "forgotten"}'}
    stage.memory.rows[rows.INCIDENTS][odd["sk"]] = odd
    order_id = on_its_way(stage)
    assert listed(stage, incident) == {order_id: "affected"}
    assert odd["sk"] in [line.fields.get("incident") for line in stage.lines]
    with pytest.raises(NotAsked, match="no incident"):
        incidents.lift(stage.store, "b" * 10, at(5), stage.real.now)


def test_a_head_keeps_of_incidents_only_what_it_needs(stage: Stage) -> None:
    order_id = on_its_way(stage)
    head = stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]
    assert not {name for name in head if name.startswith("incident")}
    mine = declare(stage)
    area = declare(stage, carriers=("Ninja Van",), postcodes=(POSTCODE,))
    declare(stage, carriers=("Ninja Van",))
    declare(stage, carriers=("Ninja Van",), regions=("MY-10",))
    stage.settle_down()
    head = stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]
    assert {mine.incident_id, area.incident_id} == head["incidents"].keys()
    assert head["incidents"][mine.incident_id] == " in affected"
    lift(stage, mine, -1)
    lift(stage, area, -1)
    stage.settle_down()
    head = stage.memory.rows[f"ORDER#{order_id}"][rows.HEAD]
    assert head["incidents"].keys() == {area.incident_id}


def test_what_was_said_is_kept_as_it_was_said(stage: Stage) -> None:
    incident = declare(stage)
    stage.settle_down()
    lift(stage, incident, 5)
    stage.settle_down()
    found = [codec.read_incident(row) for row in stage.store.read(rows.INCIDENTS)]
    assert [(one.kind, one.ends_at) for one in found] == [("declared", at(10)), ("lifted", at(5))]
