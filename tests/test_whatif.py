"""What another policy would have brought about: over random lives of orders, and case by case."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipclock.decide import decide
from shipclock.domain.clock import VerdictState
from shipclock.domain.event import Link, Snapshot
from shipclock.domain.incident import Incidence, Incident
from shipclock.domain.linking import NumberFacts
from shipclock.domain.order import fold
from shipclock.domain.place import Fit
from shipclock.domain.times import stamp
from shipclock.domain.tracking import Scan
from shipclock.replayed import APART, History, known_at, replay
from shipclock.rules.policy import Policy
from shipclock.situation import Recorded, Situation
from shipclock.whatif import VERDICT, Change, Difference, Fired, differences, fired, whatif
from tests.builders import (
    ORDER,
    REAL,
    after,
    deadline,
    hint,
    link,
    numbered,
    package_read,
    patient,
    policy,
    scan,
    shop,
    snapshot,
    with_deadlines,
)
from tests.rules.lives import Life, Settled, made_up
from tests.rules.lives import _numbers as numbers_told

HOUR = timedelta(hours=1)
LAST = timedelta(days=60)
"""From an order's creation on: after this nothing of a random life is still to come."""

names = st.integers(0, 10**9).map("what-if-{}".format)


def history(life: Life, simulated: bool) -> History:
    """All that becomes known of a life, as the table keeps it. One that is not simulated was lived
    through in real time: what came in was received as it arrived."""
    events: list[Any] = []
    links: dict[str, set[Link]] = {}
    scans: dict[str, list[Scan]] = {}
    for arrival in life.arrivals:
        fact = arrival.fact
        for number in numbers_told(fact):  # linked as the marketplace tells them
            links.setdefault(number, set()).add(Link(number, ORDER, "tiktok_shop"))
        if isinstance(fact, Link):
            links.setdefault(fact.number, set()).add(fact)
        elif isinstance(fact, Scan):
            received = fact.received_at if simulated else max(arrival.at, fact.occurred_at)
            scans.setdefault(fact.number, []).append(replace(fact, received_at=received))
        elif isinstance(fact, Snapshot) and not simulated:
            events.append(replace(fact, requested_at=fact.as_of))
        else:
            events.append(fact)
    numbers = [
        NumberFacts(number, tuple(scans.get(number, ())), tuple(each))
        for number, each in links.items()
    ]
    return History(ORDER, tuple(events), tuple(numbers))


def figures(judged_by: Policy, hours: Mapping[str, int], attempts: int) -> Policy:
    """The same policy with other figures for some clauses."""
    clauses = dict(judged_by.pack.clauses)
    for name, length in hours.items():
        clauses[name] = clauses[name].model_copy(update={"hours": length})
    clauses["two_failed_attempts"] = clauses["two_failed_attempts"].model_copy(
        update={"attempts": attempts}
    )
    pack = judged_by.pack.model_copy(update={"clauses": clauses})
    return replace(judged_by, pack=pack)


TIMED = ("status_update", "collected_to_shipped", "not_acknowledged", "untracked", "parcel_silent")
other_figures = st.tuples(
    st.dictionaries(st.sampled_from(TIMED), st.integers(24, 400)), st.integers(1, 3)
)


@given(names, st.booleans(), st.integers(0, 600))
@settings(patient, max_examples=100)
def test_a_policy_differs_in_nothing_from_itself(name: str, simulated: bool, hours: int) -> None:
    life = made_up(name)
    known, own = history(life, simulated), life.policy()
    assert whatif(known, shop(), own, own, life.created + hours * HOUR) == ()


@given(names, st.booleans(), other_figures, st.integers(0, 600))
@settings(patient, max_examples=100)
def test_seen_from_the_other_side_what_was_new_is_gone(
    name: str, simulated: bool, other: tuple[dict[str, int], int], hours: int
) -> None:
    life = made_up(name)
    known, own, now = history(life, simulated), life.policy(), life.created + hours * HOUR
    there = whatif(known, shop(), own, figures(own, *other), now)
    back = whatif(known, shop(), figures(own, *other), own, now)
    assert [one.mirrored for one in there] == list(back)


@given(names, st.booleans(), other_figures)
@settings(patient, max_examples=100)
def test_the_differences_lead_from_what_was_to_what_would_be(
    name: str, simulated: bool, other: tuple[dict[str, int], int]
) -> None:
    life = made_up(name)
    known, own, now = history(life, simulated), life.policy(), life.created + LAST
    was = fired(known, shop(), own, now)
    would = fired(known, shop(), figures(own, *other), now)
    left = list(was)
    for one in differences(was, would):
        if one.was:
            left.remove(one.was)
        if one.would:
            left.append(one.would)
    assert sorted(map(_said, left)) == sorted(map(_said, would))


def _said(one: Fired) -> tuple[str, ...]:
    return one.kind, one.name, one.about, one.state, one.at.isoformat()


@given(names)
@settings(patient, max_examples=100)
def test_verdicts_are_those_that_a_sweeper_has_recorded_once_it_knew_all(name: str) -> None:
    life = made_up(name)
    settled, own, now = Settled(), life.policy(), life.created + LAST
    for look in (*life.looks, now):
        settled.sweep(life.known(look), look, own)
    recorded = {
        (verdict.rule, verdict.cause, verdict.due_at, verdict.state)
        for verdict in settled.recorded.verdicts.values()
        if verdict.state is not VerdictState.WITHDRAWN
    }
    found = fired(history(life, simulated=True), shop(), own, now)
    mine = {(one.name, one.identity[1], one.at, one.state) for one in found if one.kind == VERDICT}
    assert mine == recorded


@given(names, st.booleans())
@settings(patient, max_examples=100)
def test_reminders_and_warnings_are_those_of_a_sweeper_that_is_never_late(
    name: str, simulated: bool
) -> None:
    life = made_up(name)
    known, own, end = history(life, simulated), life.policy(), life.created + LAST
    recorded, said = Recorded(), set[tuple[str, datetime]]()
    instants = {at for at, _ in known.stages}
    while instants and (now := min(instants)) <= end:
        instants.remove(now)
        order = [order for at, order in known.stages if at <= now][-1]
        decision = decide(order, recorded, Situation(now, own, shop(connected=False)))
        said |= {(n.key, n.at) for n in decision.notices if n.kind in ("reminder", "warning")}
        keys = recorded.notices | {notice.key for notice in decision.notices}
        recorded = replace(recorded, notices=keys)
        if decision.wake_at:
            instants.add(decision.wake_at)
    assert {(n.key, n.at) for n in replay(known, own, end)} == said


# When a fact was known


def test_what_came_in_was_known_from_its_receipt_where_now_is_the_real_time() -> None:
    late = scan("picked_up", 130, received_at=after(150))
    lived = History(ORDER, (snapshot(sent=after(0)),), (numbered(late),))
    assert not lived.simulated
    told = [(n.kind, n.at) for n in replay(lived, policy(), after(200))]
    # the first after 120 h, on 6 November 10:00 in Kuala Lumpur; the next day's at 09:00, 143 h on
    assert told == [("reminder", after(120)), ("reminder", after(143))]


def test_in_a_simulation_it_was_known_as_it_happened() -> None:
    late = scan("picked_up", 130, received_at=REAL)
    simulated = History(ORDER, (snapshot(sent=REAL),), (numbered(late),))
    assert simulated.simulated
    assert [n.at for n in replay(simulated, policy(), after(200))] == [after(120)]


@pytest.mark.parametrize(("apart", "is_one"), [(APART, False), (APART + HOUR / 3600, True)])
def test_a_reread_an_hour_off_is_a_late_sweep_and_more_is_a_simulation(
    apart: timedelta, is_one: bool
) -> None:
    assert History(ORDER, (snapshot(sent=after(0) + apart),)).simulated is is_one
    assert History(ORDER, (snapshot(sent=after(0) - apart),)).simulated is is_one


def test_each_kind_of_fact_says_by_itself_when_it_was_known() -> None:
    read = package_read("PKG1", as_of=after(5))
    assert known_at(read, False) == after(5)
    assert known_at(replace(read, as_of=None), False) == read.requested_at
    assert known_at(hint(hours=3), True) == after(3)
    assert known_at(hint(hours=3), False) == REAL
    assert known_at(hint(update_time=None), True) == REAL


def test_an_order_that_no_reread_tells_of_brings_nothing_about() -> None:
    hinted = History(ORDER, (hint(),))
    assert fired(hinted, shop(), policy(), after(500)) == ()
    assert fired(History(ORDER, ()), shop(), policy(), after(500)) == ()


# What is compared


def test_an_earlier_line_is_the_same_verdict_at_another_time() -> None:
    known = History(ORDER, (snapshot(),))
    (one,) = whatif(
        known, shop(), policy(), figures(policy(), {"status_update": 72}, 2), after(125)
    )
    assert one.change is Change.CHANGED
    assert (one.was and one.was.at, one.would and one.would.at) == (after(120), after(72))
    assert one.either.name == "status_update"


def test_a_verdict_of_which_the_instant_has_not_come_yet_is_none() -> None:
    known, stricter = History(ORDER, (snapshot(),)), figures(policy(), {"status_update": 72}, 2)
    assert whatif(known, shop(), policy(), stricter, after(72) - HOUR / 3600) == ()
    (one,) = whatif(known, shop(), policy(), stricter, after(72))
    assert (one.change, one.was) == (Change.NEW, None)


def test_a_stop_between_the_two_lines_turns_the_state_alone() -> None:
    shown = snapshot("AWAITING_COLLECTION", 100, rts_time=after(100))
    known = History(ORDER, (snapshot(), shown))
    (one,) = whatif(
        known, shop(), policy(), figures(policy(), {"status_update": 72}, 2), after(300)
    )
    assert (one.change, one.would and one.would.state) == (Change.NEW, "overtaken")


def test_a_deadline_that_only_one_pack_has_comes_with_its_warnings() -> None:
    known = History(ORDER, (snapshot(),))
    more = with_deadlines(dispatch=deadline(warn_hours=(24, 6)))
    found = whatif(known, shop(), policy(), more, after(100))
    assert [(d.change, d.either.kind, d.either.at, d.either.about) for d in found] == [
        (Change.NEW, "warning", after(24), "24h"),
        (Change.NEW, "warning", after(42), "6h"),
        (Change.NEW, "verdict", after(48), ""),
    ]


def test_a_moved_line_takes_each_of_its_warnings_along() -> None:
    known = History(ORDER, (snapshot(),))
    was = with_deadlines(dispatch=deadline(warn_hours=(24, 6)))
    would = with_deadlines(dispatch=deadline(hours=72, warn_hours=(24, 6)))
    found = whatif(known, shop(), was, would, after(100))
    assert [(d.was and d.was.at, d.would and d.would.at) for d in found] == [
        (after(24), after(48)),
        (after(42), after(66)),
        (after(48), after(72)),
    ]


def test_a_refund_is_prepared_where_the_other_policy_deems_the_parcel_lost() -> None:
    known = History(
        ORDER,
        (snapshot(), snapshot("IN_TRANSIT", 30, tracking_number="SYN000101")),
        (numbered(scan("picked_up", 24), links=(link(source="marketplace"),)),),
    )
    shorter = figures(policy(), {"not_acknowledged": 100}, 2)
    found = whatif(known, shop(), policy(), shorter, after(200))
    assert {(d.change, d.either.kind, d.either.name, d.either.at) for d in found} == {
        (Change.NEW, "verdict", "not_acknowledged", after(100)),
        (Change.NEW, "verdict", "abnormal_delivery", after(100)),
        (Change.NEW, "prepared", "refund", after(100)),
        (Change.NEW, "prepared", "buyer_message", after(100)),
    }


def test_of_warnings_that_moved_the_same_one_is_itself_and_the_others_follow_in_time() -> None:
    def at(hours: float) -> Fired:
        return Fired("warning", "dispatch", after(hours), identity=(f"{stamp(after(hours))}/6h",))

    found = differences([at(1), at(5)], [at(9), at(1), at(7)])
    assert [(d.was and d.was.at, d.would and d.would.at) for d in found] == [
        (after(5), after(7)),
        (None, after(9)),
    ]


def test_a_difference_is_of_something() -> None:
    with pytest.raises(ValueError, match="something"):
        _ = Difference(None, None).either


def test_the_orders_facts_and_the_fold_are_left_as_they_are() -> None:
    known = History(ORDER, (snapshot(), snapshot("DELIVERED", 50)))
    assert known.order == fold(ORDER, known.events)
    assert [order.status for _, order in known.stages] == ["AWAITING_SHIPMENT", "DELIVERED"]


def test_an_incident_is_reckoned_with_under_either_policy() -> None:
    flood = Incident("a1", after(10), after(34), "a flood", after(10))
    scans = (numbered(scan("picked_up", 5)),)
    history = History(ORDER, (snapshot(),), scans, (Incidence(flood, Fit.IN),))
    shorter = figures(policy(), {"not_acknowledged": 100}, 2)
    (found,) = (
        difference
        for difference in whatif(history, shop(), policy(), shorter, after(400))
        if difference.either.name == "not_acknowledged"
    )
    assert found.was is not None
    assert found.would is not None
    assert (found.was.at, found.would.at) == (after(12 * 24 + 24), after(100 + 24))
