"""Deadlines that a pack tells whole: what is said of them, and when to look again."""

from dataclasses import replace
from typing import Any

import pytest

from shipclock.domain.clock import Clock
from shipclock.domain.order import Order
from shipclock.rules import RULES, timeline
from shipclock.rules.deadlines import (
    CANCELS,
    COUNTED,
    COUNTS,
    DEEMING,
    DEEMS,
    RULE,
    STARTS,
    alerting,
    deeming,
    explain,
    next_notice,
    notices,
)
from shipclock.rules.policy import Policy
from shipclock.rules.rule import Deemed
from tests.builders import (
    SECOND,
    T0,
    after,
    deadline,
    extension,
    folded,
    hint,
    numbered,
    policy,
    scan,
    snapshot,
    with_deadlines,
)

ZONE = "Asia/Kuala_Lumpur"


def known(**more: Any) -> Policy:
    """A policy with one deadline, in transit within 48 hours of the order."""
    return with_deadlines(policy(ZONE), dispatch=deadline(**more))


def clock(order: Order, judged_by: Policy) -> Clock:
    (found,) = (*alerting(order, judged_by), *deeming(order, judged_by))
    return found


def test_each_deadline_is_of_the_rule_that_its_outcome_names() -> None:
    both = with_deadlines(one=deadline(), two=deadline(then="deem_delayed"))
    order = folded(snapshot())
    assert [c.name for c in alerting(order, both)] == ["one"]
    assert [c.name for c in deeming(order, both)] == ["two"]
    assert RULE in RULES
    assert DEEMING in RULES
    assert (RULE.deems, DEEMING.deems) == (None, Deemed.DELAYED)


def test_an_order_that_was_never_read_has_none() -> None:
    for order in (folded(), folded(hint())):
        assert alerting(order, known()) == deeming(order, known()) == ()
        for begins in ("placed", "created", "paid", "released"):
            assert STARTS[begins](order) is None


def test_a_missed_one_says_what_was_not_reached_by_when_and_whose_word_it_is() -> None:
    order = folded(snapshot())
    for more, ends in (
        ({}, COUNTS),
        ({"line": "hard"}, CANCELS),
        ({"then": "deem_delayed"}, DEEMS),
        ({"line": "hard", "then": "deem_delayed"}, CANCELS),
    ):
        judged_by = known(**more)
        assert explain(order, clock(order, judged_by), judged_by) == (
            "It was time until Tue 3 Nov 2026, 10:00 (Asia/Kuala_Lumpur), and the order still "
            "shows AWAITING_SHIPMENT: in transit within two days (guide-2023, unconfirmed). " + ends
        )


def test_a_warning_says_by_when_and_what_comes_then() -> None:
    order = folded(snapshot())
    for line, ends in (("metric", COUNTED), ("hard", "At that time the marketplace cancels it.")):
        judged_by = known(line=line, warn_hours=(24,))
        (told,) = notices(order, (clock(order, judged_by),), judged_by, after(24))
        assert told.text == (
            "Time runs out on Tue 3 Nov 2026, 10:00 (Asia/Kuala_Lumpur): in transit within two "
            f"days. The order shows AWAITING_SHIPMENT. {ends}"
        )
        assert (told.clock, told.kind, told.at) == ("dispatch", "warning", after(24))
        assert told.day == "2026-11-03T02:00:00Z/24h"


def test_each_of_several_deadlines_warns() -> None:
    judged_by = with_deadlines(
        policy(ZONE),
        quiet=deadline(),
        early=deadline(hours=30, warn_hours=(20,)),
        late=deadline(hours=40, warn_hours=(30, 10)),
    )
    order = folded(snapshot())
    own = alerting(order, judged_by)
    assert [n.clock for n in notices(order, own, judged_by, after(10) - SECOND)] == []
    assert [n.clock for n in notices(order, own, judged_by, after(10))] == ["early", "late"]
    instants = [next_notice(own, judged_by, now) for now in (T0, after(10), after(30))]
    assert instants == [after(10), after(30), None]
    # the one that ran out says no more
    assert [n.clock for n in notices(order, own, judged_by, after(30))] == ["late"]


def test_what_does_not_run_warns_of_nothing() -> None:
    met = folded(snapshot("IN_TRANSIT", 1, collection_time=after(1)))
    waiting = folded(snapshot(order_type="PRE_ORDER", release_date=after(100)))
    judged_by = known(starts="placed", warn_hours=(47, 24))
    assert notices(met, alerting(met, judged_by), judged_by, after(30)) == ()
    assert next_notice(alerting(met, judged_by), judged_by, T0) is None
    assert next_notice(alerting(waiting, judged_by), judged_by, after(99)) is None
    assert next_notice(alerting(waiting, judged_by), judged_by, after(100)) == after(101)
    assert next_notice((), judged_by, T0) is None


def test_a_clock_says_who_set_it_and_what_is_asked_about_it() -> None:
    order = folded(snapshot())
    plain = clock(order, known())
    assert (plain.set_by, plain.clause) == ("guide-2023:dispatch", "in transit within two days")
    assert (plain.starts_at, plain.due_at, plain.stop) == (T0, after(48), None)
    assert (plain.ask.value, plain.void_at) == ("once", None)
    assert clock(order, known(line="hard")).ask.value == "around"


@pytest.mark.parametrize(
    ("begins", "told", "expected"),
    [
        ("placed", {}, T0),
        ("placed", {"order_type": "PRE_ORDER", "release_date": after(9)}, after(9)),
        ("created", {"order_type": "PRE_ORDER", "release_date": after(9)}, T0),
        ("released", {"order_type": "PRE_ORDER", "release_date": after(9)}, after(9)),
        ("paid", {"paid_time": after(2)}, after(2)),
    ],
)
def test_it_starts_with_what_the_order_tells(
    begins: str, told: dict[str, Any], expected: Any
) -> None:
    assert clock(folded(snapshot(**told)), known(starts=begins)).starts_at == expected


@pytest.mark.parametrize(
    ("begins", "status", "field"),
    [
        ("ready_to_ship", "AWAITING_COLLECTION", "rts_time"),
        ("in_transit", "IN_TRANSIT", "collection_time"),
        ("delivered", "DELIVERED", "delivery_time"),
    ],
)
def test_it_starts_as_the_order_gets_somewhere(begins: str, status: str, field: str) -> None:
    order = folded(snapshot(status, 9, **{field: after(7)}))
    assert clock(order, known(starts=begins)).starts_at == after(7)
    assert alerting(folded(snapshot()), known(starts=begins)) == ()


def test_it_starts_with_the_first_scan_whose_time_can_prove_something() -> None:
    ahead = scan("picked_up", 3, received_at=after(1))
    order = folded(snapshot(), numbers=(numbered(ahead, scan("in_transit", 5)),))
    assert ahead.suspect
    assert clock(order, known(starts="first_scan", stops="delivered")).starts_at == after(5)


@pytest.mark.parametrize(
    ("ends", "facts", "scans", "stopped"),
    [
        ("ready_to_ship", {"rts_time": after(7)}, (), after(7)),
        ("in_transit", {"collection_time": after(8)}, (), after(8)),
        ("first_scan", {"collection_time": after(8)}, (), after(8)),
        ("first_scan", {"collection_time": after(8)}, (("picked_up", 6),), after(6)),
        ("delivered", {"delivery_time": after(9)}, (("picked_up", 6),), after(9)),
        ("delivered", {"delivery_time": after(9)}, (("delivered", 6),), after(6)),
    ],
)
def test_it_is_stopped_by_what_its_pack_says(
    ends: str, facts: dict[str, Any], scans: Any, stopped: Any
) -> None:
    numbers = (numbered(*(scan(*each) for each in scans)),) if scans else ()
    order = folded(snapshot("DELIVERED", 10, **facts), numbers=numbers)
    found = clock(order, known(stops=ends))
    assert found.stop is not None
    assert found.stop.at == stopped


def test_a_field_of_the_order_takes_its_place() -> None:
    judged_by = known(replaced_by=("tts_sla_time", "collection_due_time"))
    fields = {"collection_due_time": after(5), "tts_sla_time": after(6)}
    both = clock(folded(snapshot(deadlines=fields)), judged_by)
    assert (both.set_by, both.state(after(9)).value) == ("tts_sla_time", "stopped")
    assert both.due_at == after(48)
    other = clock(folded(snapshot(deadlines={"rts_sla_time": after(5)})), judged_by)
    assert (other.set_by, other.state(after(48)).value) == ("guide-2023:dispatch", "missed")


def test_its_time_is_extended_under_its_name() -> None:
    for clocks, expected in ((("dispatch",), after(53)), (("untracked",), after(48))):
        judged_by = known()
        more = extension(T0.date(), T0.date(), clocks=clocks, hours=5)
        pack = judged_by.pack.model_copy(update={"extensions": (more,)})
        assert clock(folded(snapshot()), replace(judged_by, pack=pack)).due_at == expected


@pytest.mark.parametrize("hours", [40, 60])
def test_an_order_is_deemed_delayed_once_by_the_clock_that_ends_first(hours: int) -> None:
    judged_by = with_deadlines(
        policy(ZONE), arrival=deadline(hours=hours, stops="delivered", then="deem_delayed")
    )
    order = folded(snapshot(deadlines={"delivery_sla_time": after(50)}))
    (deemed,) = (
        tick.clock for tick in timeline(order, judged_by) if tick.clock.cause == Deemed.DELAYED
    )
    assert deemed.due_at == after(min(hours, 50))
