"""Every clause and deadline of every pack: a second before its end, at it, a second after.

Nothing here names a pack or a figure: one that is added is tried by what its file says. When a
clock is to run out says `stepping`, not the product.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from shipclock.decide import Decision, decide
from shipclock.domain.clock import Clock
from shipclock.domain.fields import FIELDS
from shipclock.domain.order import Order
from shipclock.rules import next_instant, timeline
from shipclock.rules.packs import load
from shipclock.rules.policy import Policy
from shipclock.situation import Read, Recorded, Situation
from tests.builders import folded, line, numbered, scan, shop, snapshot
from tests.rules import stepping
from tests.rules.clause_cases import (
    AT_ONCE,
    DEADLINES,
    PACKS,
    TIMED,
    WAITED_FOR,
    Kept,
)
from tests.rules.stepping import DAY, HOUR, SECOND

NOW, BEFORE, AFTER = dt.timedelta(0), -SECOND, SECOND
OFFS = (BEFORE, NOW, AFTER)

each_clock = pytest.mark.parametrize("kept", WAITED_FOR, ids="/".join)
each_deadline = pytest.mark.parametrize("kept", DEADLINES, ids="/".join)


def clock_of(kept: Kept, order: Order, policy: Policy | None = None) -> Clock | None:
    """The clock that the order has by the product; the newest where it has several."""
    found = [t.clock for t in timeline(order, policy or kept.policy) if t.clock.name == kept.name]
    return found[0] if found else None


class Sweeps:
    """Looks at an order, one after the other, and what was written down."""

    def __init__(self, policy: Policy, connected: bool = False) -> None:
        self.policy, self.shop, self.recorded = policy, shop(connected=connected), Recorded()
        self.warned: list[str] = []

    def look(self, order: Order, now: dt.datetime) -> Decision:
        decision = decide(order, self.recorded, Situation(now, self.policy, self.shop))
        verdicts = {**self.recorded.verdicts, **{v.key: v for v in decision.verdicts}}
        notices = self.recorded.notices | {notice.key for notice in decision.notices}
        self.recorded = replace(self.recorded, verdicts=verdicts, notices=notices)
        return decision

    def stands(self, name: str) -> list[str]:
        """How the verdicts of a name stand."""
        return [v.state.value for v in self.recorded.verdicts.values() if v.rule == name]

    def told(self, decision: Decision, name: str, kind: str = "warning") -> list[str]:
        """What a look told anew of a clock."""
        return [n.day for n in decision.notices if (n.clock, n.kind) == (name, kind)]


def test_every_clause_has_a_case() -> None:
    clauses = {name for table in PACKS.values() for name in table.get("clauses", {})}
    assert clauses == {*TIMED, *AT_ONCE}


@each_clock
def test_it_runs_out_when_stepping_says(kept: Kept) -> None:
    for start in kept.starts():
        clock = clock_of(kept, kept.order(start))
        assert clock is not None
        assert (clock.starts_at, clock.due_at) == (start, kept.due(start))


@each_clock
def test_it_runs_until_its_end_and_is_missed_as_it_comes(kept: Kept) -> None:
    for start in kept.few():
        clock, due = clock_of(kept, kept.order(start)), kept.due(start)
        assert clock is not None
        assert [clock.state(due + off).value for off in OFFS] == ["running", "missed", "missed"]
        if clock.starts_at is not None:
            assert clock.state(start - SECOND).value == "waiting"
            assert clock.state(start).value == "running"


@each_clock
def test_it_is_met_by_a_stop_that_is_not_late(kept: Kept) -> None:
    for start in kept.few():
        due = kept.due(start)
        for off, expected in ((BEFORE, "met"), (NOW, "met"), (AFTER, "missed")):
            order = kept.order(start, due + off)
            found = [t.clock for t in timeline(order, kept.policy) if t.clock.name == kept.name]
            about = [clock for clock in found if clock.due_at == due]
            if kept.name == "parcel_silent" and expected == "met":
                assert not about  # the next scan has started it anew
                continue
            assert [clock.state(due + DAY).value for clock in about] == [expected]
            assert [clock.overtaken for clock in about] == [off == AFTER]


@each_clock
def test_its_verdict_comes_with_its_end_and_turns_with_what_becomes_known(kept: Kept) -> None:
    start = next(kept.starts())
    due = kept.due(start)
    for off, ends in ((BEFORE, "withdrawn"), (NOW, "withdrawn"), (AFTER, "overtaken")):
        sweeps = Sweeps(kept.policy)
        sweeps.look(kept.order(start), due - SECOND)
        assert sweeps.stands(kept.name) == []
        sweeps.look(kept.order(start), due)
        assert sweeps.stands(kept.name) == ["standing"]
        sweeps.look(kept.order(start), due + SECOND)
        assert sweeps.stands(kept.name) == ["standing"]
        sweeps.look(kept.order(start, due + off), due + 2 * SECOND)
        assert sweeps.stands(kept.name) == [ends]


@each_clock
def test_its_verdict_says_which_pack_and_clause_it_rests_on(kept: Kept) -> None:
    start = next(kept.starts())
    sweeps = Sweeps(kept.policy)
    (verdict,) = (
        v for v in sweeps.look(kept.order(start), kept.due(start)).verdicts if v.rule == kept.name
    )
    assert kept.told["clause"] in verdict.clause
    assert f"{kept.pack}:{kept.name}" in verdict.clause
    assert len(verdict.explanation) > 60


@each_clock
def test_orders_that_it_is_not_about_have_no_such_clock(kept: Kept) -> None:
    start, told = next(kept.starts()), kept.told
    for shipping in ("SELLER", "TIKTOK"):
        had = clock_of(kept, kept.order(start, shipping_type=shipping)) is not None
        assert had == (shipping in (told.get("shipping") or [shipping]))
    for kind in ("", "NORMAL", "AUCTION", "ZERO_LOTTERY", "PRE_ORDER", "MADE_TO_ORDER", "CUSTOM"):
        more = {"release_date": start} if told["starts"] == "placed" else {}
        had = clock_of(kept, kept.order(start, order_type=kind, **more)) is not None
        assert had == (kind in (told.get("order_types") or [kind]))
    elsewhere = kept.order(start, fulfillment_type="FULFILLMENT_BY_TIKTOK")
    assert clock_of(kept, elsewhere) is None


@each_clock
def test_what_has_not_begun_sets_no_clock(kept: Kept) -> None:
    start, begins = next(kept.starts()), kept.told["starts"]
    if begins == "placed":
        order = kept.order(start, order_type="PRE_ORDER", release_date=start + 9 * DAY)
        clock = clock_of(kept, order)
        if "field" not in kept.told and "order_types" not in kept.told and clock is not None:
            assert clock.starts_at == start + 9 * DAY
        return
    nothing = {"rts_time": None, "collection_time": None, "paid_time": None, "release_date": None}
    plain = kept.order(start, **nothing)
    if begins == "created":
        assert clock_of(kept, plain) is not None
        return
    unstarted = folded(
        *(replace(s, facts=replace(s.facts, status="AWAITING_SHIPMENT")) for s in plain.snapshots)
    )
    assert clock_of(kept, unstarted) is None


@each_clock
def test_the_orders_own_fields_take_its_place_the_first_that_is_there(kept: Kept) -> None:
    start, due = next(kept.starts()), kept.due(next(kept.starts()))
    fields = list(kept.told.get("replaced_by", ()))
    moved = due + 3 * HOUR
    for place, field in enumerate(fields):
        order = kept.order(start, deadlines=dict.fromkeys(fields[place:], moved))
        clock = clock_of(kept, order)
        assert clock is not None
        assert [clock.state(due + off).value for off in OFFS] == ["stopped"] * 3
        assert clock.set_by == field
        sweeps = Sweeps(kept.policy)
        sweeps.look(order, due + DAY)
        assert sweeps.stands(kept.name) == []
    for field in FIELDS.keys() - {*fields, kept.told.get("field")}:
        known = {kept.told["field"]: due} if "field" in kept.told else {}
        clock = clock_of(kept, kept.order(start, deadlines={**known, field: moved}))
        assert clock is not None
        assert clock.state(due).value == "missed"


@each_clock
def test_cancelled_in_time_it_stops_and_late_it_stays_missed(kept: Kept) -> None:
    start, due = next(kept.starts()), kept.due(next(kept.starts()))
    for off, expected in ((BEFORE, "stopped"), (NOW, "stopped"), (AFTER, "missed")):
        order = kept.order(start)
        facts = order.snapshots[-1].facts
        gone = replace(facts, status="CANCELLED", update_time=due + DAY, cancel_time=due + off)
        scans = [one for parcel in order.parcels for one in parcel.scans]
        clock = clock_of(
            kept,
            folded(
                *order.snapshots,
                replace(order.snapshots[-1], identity="gone", facts=gone),
                numbers=(numbered(*scans),),
            ),
        )
        assert clock is not None
        assert clock.state(due + DAY).value == expected


@each_deadline
def test_a_hard_line_has_the_order_read_again_before_it_and_at_it(kept: Kept) -> None:
    start, due = next(kept.starts()), kept.due(next(kept.starts()))
    hard = kept.told["line"] == "hard"
    order = kept.order(start, deadlines={})
    clock = clock_of(kept, order)
    assert clock is not None
    assert clock.hard == hard
    alone = kept.policy.pack.model_copy(
        update={"clauses": {}, "deadlines": {kept.name: kept.policy.pack.deadlines[kept.name]}}
    )
    policy = replace(kept.policy, pack=alone)
    for ahead in (DAY, HOUR):
        for off, wanted in ((BEFORE, False), (NOW, hard), (AFTER, hard)):
            read = Read(start, max(start, due - ahead - 2 * SECOND))
            about = Situation(due - ahead + off, policy, shop())
            if about.now > start:
                found = decide(order, Recorded(read=read), about)
                assert found.owed == wanted
    sweeps = Sweeps(policy, connected=True)
    sweeps.recorded = replace(sweeps.recorded, read=Read(start, due - SECOND))
    waiting = sweeps.look(order, due)
    assert waiting.owed
    assert not waiting.verdicts  # the marketplace may know better by now
    sweeps.recorded = replace(sweeps.recorded, read=Read(start, due))
    assert [v.rule for v in sweeps.look(order, due).verdicts] == [kept.name]


@each_deadline
def test_its_warnings_come_on_time_and_none_twice(kept: Kept) -> None:
    for start in kept.few():
        due, order, sweeps = kept.due(start), kept.order(start), Sweeps(kept.policy)
        hours = sorted(kept.told.get("warn_hours", ()), reverse=True)
        known = max([hour for hour in hours if due - hour * HOUR <= start], default=0)
        ahead = [hour for hour in hours if due - hour * HOUR > start]
        first = sweeps.told(sweeps.look(order, start), kept.name)
        assert len(first) == bool(known)
        for hour in ahead:
            at = due - hour * HOUR
            told = [sweeps.told(sweeps.look(order, at + off), kept.name) for off in OFFS]
            assert told == [[], [f"{due:%Y-%m-%dT%H:%M:%SZ}/{hour}h"], []]
        assert sweeps.told(sweeps.look(order, due - SECOND), kept.name) == []
        assert sweeps.told(sweeps.look(order, due), kept.name) == []


@each_deadline
def test_after_a_sleep_only_the_last_warning_is_told(kept: Kept) -> None:
    start, due = next(kept.starts()), kept.due(next(kept.starts()))
    hours = kept.told.get("warn_hours", ())
    sweeps = Sweeps(kept.policy)
    told = sweeps.told(sweeps.look(kept.order(start), due - SECOND), kept.name)
    assert told == [f"{due:%Y-%m-%dT%H:%M:%SZ}/{hour}h" for hour in hours if hour == min(hours)]
    awake = Sweeps(kept.policy)
    assert awake.told(awake.look(kept.order(start), due), kept.name) == []


@each_clock
def test_the_product_wakes_for_each_warning_and_the_end(kept: Kept) -> None:
    start, due = next(kept.starts()), kept.due(next(kept.starts()))
    ticking = timeline(kept.order(start), kept.policy)
    woken, now = set(), start - SECOND
    while (at := next_instant(ticking, kept.policy, now)) is not None and at <= due:
        assert at > now
        woken.add(at)
        now = at
    hours = (due - hour * HOUR for hour in kept.told.get("warn_hours", ()))
    assert woken >= {due, *(at for at in hours if at > start)}


@each_deadline
def test_what_a_deadline_deems_delayed_is_an_abnormal_delivery(kept: Kept) -> None:
    start, due = next(kept.starts()), kept.due(next(kept.starts()))
    pack = kept.policy.pack
    deeming = pack.deadlines[kept.name].model_copy(update={"then": "deem_delayed"})
    clauses = {"abnormal_delivery": load("guide-2023").clauses["abnormal_delivery"]}
    policy = replace(
        kept.policy,
        pack=pack.model_copy(update={"clauses": clauses, "deadlines": {kept.name: deeming}}),
    )
    sweeps, order = Sweeps(policy), kept.order(start)
    sweeps.look(order, due - SECOND)
    assert sweeps.recorded.verdicts == {}
    verdicts = {v.rule: v for v in sweeps.look(order, due).verdicts}
    assert verdicts.keys() == {kept.name, "abnormal_delivery"}
    assert (verdicts[kept.name].alerts, verdicts["abnormal_delivery"].alerts) == (False, True)
    assert verdicts["abnormal_delivery"].cause == "deemed_delayed"
    assert verdicts["abnormal_delivery"].due_at == due
    for off, ends in ((NOW, "withdrawn"), (AFTER, "overtaken")):
        again = Sweeps(policy)
        again.look(order, due)
        again.look(kept.order(start, due + off), due + DAY)
        assert again.stands("abnormal_delivery") == [ends]


# Reminders of the one clause that has them

REMINDED = [kept for kept in WAITED_FOR if "reminder_at" in kept.told]


@pytest.mark.parametrize("kept", REMINDED, ids="/".join)
def test_reminders_come_once_a_local_day_and_a_warning_before_the_end(kept: Kept) -> None:
    for start in kept.few():
        told, due, sweeps = kept.told, kept.due(start), Sweeps(kept.policy)
        order = kept.order(start)
        first = start + told["first_reminder_hours"] * HOUR
        day = stepping.reading(kept.zone, first).date()
        at, expected = first, f"{day}"
        last = due - told["final_warning_hours"] * HOUR
        while at < due:
            for off in OFFS:
                if at + off < due:
                    decision = sweeps.look(order, at + off)
                    said = sweeps.told(decision, kept.name, "reminder")
                    assert said == ([expected] if off == NOW else [])
            day += DAY
            at = stepping.instant(kept.zone, dt.datetime.combine(day, told["reminder_at"]))
            expected = f"{day}"
        again = Sweeps(kept.policy)
        warned = [again.told(again.look(order, last + off), kept.name) for off in OFFS]
        assert warned == [[], [f"{due:%Y-%m-%dT%H:%M:%SZ}"], []]
        assert again.told(again.look(order, due - SECOND), kept.name) == []


# Clauses that nothing is waited for by

AT = snapshot().facts.create_time + 30 * HOUR
OF_PACKAGE: dict[str, Any] = {
    "lines": (line(package_id="1", tracking_number="SYN000101", provider="North Post"),),
    "package_ids": ("1",),
}


def two_attempts(off: dt.timedelta | None) -> list[Any]:
    tries = [scan("delivery_attempt_failed", occurred_at=at) for at in (AT - DAY, AT)]
    return tries + ([] if off is None else [scan("delivered", occurred_at=AT + off, proof="photo")])


def lost(off: dt.timedelta | None) -> list[Any]:
    end = [] if off is None else [scan("delivered", occurred_at=AT + off, proof="photo")]
    return [scan("lost", occurred_at=AT), *end]


def unproven(off: dt.timedelta | None) -> list[Any]:
    proof = [] if off is None else [scan("delivered", occurred_at=AT + off, proof="photo")]
    return [scan("delivered", occurred_at=AT, proof="none", source="other"), *proof]


def mismatch(off: dt.timedelta | None) -> list[Any]:
    return [scan("picked_up", occurred_at=AT, carrier="South Express")]


FOUND = {
    "two_failed_attempts": (two_attempts, {BEFORE: [], NOW: [], AFTER: ["overtaken"]}),
    "abnormal_delivery": (
        lost,
        dict(zip(OFFS, (["standing"],) * 2 + (["overtaken"],), strict=True)),
    ),
    "delivered_unproven": (unproven, {BEFORE: [], NOW: [], AFTER: ["overtaken"]}),
    "carrier_mismatch": (mismatch, {}),
}
"""What tells of it, given when the end of it comes; and how the verdict stands then."""

FINDINGS = [
    (pack, name)
    for pack, table in PACKS.items()
    for name in AT_ONCE
    if name in table.get("clauses", {})
]


@pytest.mark.parametrize(("pack", "name"), FINDINGS, ids="/".join)
def test_what_is_missed_at_once_is_so_from_its_instant_on(pack: str, name: str) -> None:
    policy = Kept(pack, "").policy
    tells, ends = FOUND[name]
    order = folded(snapshot(**OF_PACKAGE), numbers=(numbered(*tells(None)),))
    sweeps = Sweeps(policy)
    sweeps.look(order, AT - SECOND)
    assert sweeps.stands(name) == []
    for off in (NOW, AFTER):
        sweeps.look(order, AT + off)
        assert sweeps.stands(name) == ["standing"]
    for off, expected in ends.items():
        ended = Sweeps(policy)
        facts = numbered(*tells(off))
        ended.look(folded(snapshot(**OF_PACKAGE), numbers=(facts,)), AT + DAY)
        assert ended.stands(name) == expected


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_pack_without_the_clause_says_nothing_of_it(name: str) -> None:
    policy = Kept("guide-2023", "").policy
    clauses = {key: clause for key, clause in policy.pack.clauses.items() if key != name}
    without = replace(policy, pack=policy.pack.model_copy(update={"clauses": clauses}))
    order = folded(snapshot(**OF_PACKAGE), numbers=(numbered(*FOUND[name][0](None)),))
    sweeps = Sweeps(without)
    sweeps.look(order, AT + DAY)
    assert sweeps.stands(name) == []
