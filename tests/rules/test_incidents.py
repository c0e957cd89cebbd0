"""What incidents do to the clocks of an order, and what they leave alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from shipclock.domain.clock import Clock, ClockState
from shipclock.domain.incident import Incidence, Incident
from shipclock.domain.order import Order
from shipclock.domain.place import Fit
from shipclock.rules import incident_words, timeline, undisturbed
from shipclock.rules.incidents import about, fit, run_of, same_carrier
from shipclock.rules.policy import Clause, Policy
from tests.builders import (
    NUMBER,
    SECOND,
    T0,
    after,
    deadline,
    every_clause,
    extension,
    folded,
    line,
    numbered,
    policy,
    scan,
    snapshot,
    with_deadlines,
)

DAYS = 24
OTHER = "SYN000202"
LATER = after(9000)


def incident(begins: float, ends: float | None, name: str = "a1", **more: Any) -> Incident:
    ends_at = None if ends is None else after(ends)
    return Incident(name, after(begins), ends_at, "a flood", T0, **more)


def met(
    order: Order, *incidents: Incident, area: Fit = Fit.IN, by_hand: bool | None = None
) -> Order:
    return replace(order, incidents=tuple(Incidence(each, area, by_hand) for each in incidents))


def shipped(*scans: Any, status: str = "IN_TRANSIT", **more: Any) -> Order:
    lines = (line(package_id="P1", tracking_number=NUMBER),)
    return folded(
        snapshot(status, lines=lines, **more),
        numbers=(numbered(*(scans or (scan("picked_up", 5),))),),
    )


def clock(order: Order, name: str, by: Policy | None = None, number: str = "") -> Clock:
    found = [t.clock for t in timeline(order, by or policy()) if t.clock.name == name]
    return next(c for c in found if number in ("", c.number))


LOST = 12 * DAYS


@pytest.mark.parametrize(
    ("spans", "due"),
    [
        ([(0, 10)], LOST + 10),
        ([(-100, 10)], LOST + 10),
        ([(100, 150), (120, 170)], LOST + 70),
        ([(LOST - 1, LOST + 9), (LOST + 12, LOST + 50)], LOST + 10),
        ([(LOST - 1, LOST + 9), (LOST + 9, LOST + 50)], LOST + 51),
        ([(LOST, LOST + 9)], LOST),
    ],
)
def test_a_clock_that_the_pack_lets_be_extended_stands_still(
    spans: list[tuple[float, float]], due: float
) -> None:
    order = met(shipped(), *(incident(*span) for span in spans))
    found = clock(order, "not_acknowledged")
    assert found.due_at == after(due)
    assert (found.set_by, found.starts_at) == ("guide-2023:not_acknowledged", T0)
    assert found.state(after(due) - SECOND) is ClockState.RUNNING
    assert found.state(after(due)) is ClockState.MISSED


def test_clocks_that_the_pack_says_nothing_of_run_on() -> None:
    order = met(shipped(status="AWAITING_SHIPMENT"), incident(0, 100))
    assert clock(order, "status_update").due_at == after(120)
    assert clock(order, "untracked").due_at == after(360)


def test_the_marketplaces_own_fields_run_on() -> None:
    lines = {
        name: after(200)
        for name in ("shipping_due_time", "delivery_due_time", "delivery_sla_time", "rts_sla_time")
    }
    order = met(shipped(deadlines=lines), incident(0, 100))
    for name in (*lines, "delivery_period"):
        assert clock(order, name).due_at == after(200)


def test_what_is_deemed_follows_the_clock_that_deems_it() -> None:
    alone = shipped()
    order = met(alone, incident(0, 10))
    assert clock(alone, "abnormal_delivery").due_at == after(LOST)
    assert clock(order, "abnormal_delivery").due_at == after(LOST + 10)


def test_a_delivery_within_the_extension_is_in_time() -> None:
    scans = scan("picked_up", 5), scan("delivered", LOST + 5)
    assert clock(shipped(*scans), "not_acknowledged").state(LATER) is ClockState.MISSED
    order = met(shipped(*scans), incident(0, 10))
    assert clock(order, "not_acknowledged").state(LATER) is ClockState.MET


def test_every_kind_of_clock_of_a_pack_may_be_extended() -> None:
    by = every_clause(hours=48)
    clauses = {
        name: clause.model_copy(update={"force_majeure": clause.spans > 0})
        for name, clause in by.pack.clauses.items()
    }
    pack = by.pack.model_copy(
        update={
            "clauses": clauses,
            "deadlines": {"dispatch": deadline(force_majeure=True, line="metric")},
        }
    )
    by = replace(by, pack=pack)
    order = shipped(status="AWAITING_SHIPMENT", shipping_type="TIKTOK")
    for name in ("status_update", "untracked", "collected_to_shipped", "parcel_silent", "dispatch"):
        before = clock(order, name, by).due_at
        assert clock(met(order, incident(6, 16)), name, by).due_at == before + timedelta(hours=10)


RULES_WITH_A_LENGTH = (
    *("status_update", "untracked", "collected_to_shipped"),
    *("not_acknowledged", "parcel_silent"),
)


@pytest.mark.parametrize("name", RULES_WITH_A_LENGTH)
def test_an_announcement_that_names_a_rules_clause_moves_its_clock_alone(name: str) -> None:
    by = every_clause(hours=48)
    told = extension(T0.date(), (T0 + timedelta(days=1)).date(), clocks=(name,), hours=10)
    more = replace(by, pack=by.pack.model_copy(update={"extensions": (told,)}))
    tiktok = shipped(status="AWAITING_SHIPMENT", shipping_type="TIKTOK")
    for order in (tiktok, shipped()):
        before, after_it = (
            {t.clock.name: t.clock.due_at for t in timeline(order, judged)} for judged in (by, more)
        )
        moved = {each for each, due_at in before.items() if after_it[each] != due_at}
        assert moved <= {name, *(("abnormal_delivery",) if name == "not_acknowledged" else ())}
        assert moved or name not in before
        if name in moved:
            assert after_it[name] - before[name] == timedelta(hours=10)


def test_days_are_extended_in_real_time_also_where_working_days_are_counted() -> None:
    by = with_deadlines(dispatch=deadline(working_days=2, force_majeure=True))
    order = shipped()
    before = clock(order, "dispatch", by).due_at
    found = clock(met(order, incident(1, 8.5)), "dispatch", by).due_at
    assert found == before + timedelta(hours=7.5)


def test_a_hard_line_and_what_has_no_length_can_not_be_extended_by_a_pack() -> None:
    with pytest.raises(ValidationError, match="hard line"):
        deadline(line="hard", force_majeure=True)
    cited: dict[str, Any] = {
        "clause": "x",
        "source": "y",
        "dated": "2026",
        "confidence": "official",
    }
    with pytest.raises(ValidationError, match="hours, calendar_days or working_days"):
        Clause(force_majeure=True, **cited)
    assert Clause(force_majeure=True, hours=1, **cited).force_majeure


# Which orders and packages


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("J&T Express", "jt", Fit.IN),
        ("J&T Express (MY)", "J&T", Fit.IN),
        ("J&T Express", "Ninja Van", Fit.OUT),
        ("", "Ninja Van", Fit.UNKNOWN),
        ("Synthetic Express MY", "Synthetic Express", Fit.IN),
        ("Synthetic", "Synthetic Express", Fit.UNKNOWN),
        ("Nobody", "Synthetic Express", Fit.OUT),
    ],
)
def test_two_names_of_a_carrier(one: str, other: str, fits: Fit) -> None:
    assert same_carrier(one, other) is fits
    assert same_carrier(other, one) is fits


def two_packages() -> Order:
    lines = (
        line("577000000000000101", package_id="P1", tracking_number=NUMBER),
        line("577000000000000102", package_id="P2", tracking_number=OTHER),
    )
    scans = scan("picked_up", 5, carrier="J&T"), scan("picked_up", 5, number=OTHER, carrier="Ninja")
    return folded(
        snapshot("IN_TRANSIT", lines=lines),
        numbers=(numbered(scans[0]), numbered(scans[1], number=OTHER)),
    )


def test_of_an_order_with_two_carriers_the_package_of_one_is_extended() -> None:
    order = met(two_packages(), incident(0, 10, carriers=("Ninja Van",)))
    assert clock(order, "not_acknowledged", number=NUMBER).due_at == after(LOST)
    assert clock(order, "not_acknowledged", number=OTHER).due_at == after(LOST + 10)
    assert fit(order, order.incidents[0]) is Fit.IN


def test_the_silence_of_the_package_that_an_incident_is_about_is_excused() -> None:
    order = met(two_packages(), incident(6, 16, carriers=("Ninja Van",)))
    assert clock(order, "parcel_silent", patient(), NUMBER).due_at == after(53)
    assert clock(order, "parcel_silent", patient(), OTHER).due_at == after(63)


def test_the_carrier_of_the_scans_counts_before_the_one_that_was_assigned() -> None:
    scans = scan("picked_up", 5, carrier="J&T")
    lines = (line(package_id="P1", tracking_number=NUMBER, provider="Ninja Van"),)
    order = folded(snapshot("IN_TRANSIT", lines=lines), numbers=(numbered(scans),))
    about_ninja = met(order, incident(0, 10, carriers=("Ninja Van",)))
    assert fit(about_ninja, about_ninja.incidents[0]) is Fit.OUT
    waits = folded(snapshot("AWAITING_SHIPMENT", lines=lines))
    assert fit(waits, Incidence(incident(0, 10, carriers=("Ninja",)), Fit.IN)) is Fit.IN


def test_what_can_not_be_told_moves_nothing() -> None:
    unnamed = met(shipped(), incident(0, 10, carriers=("J&T",)))
    assert fit(unnamed, unnamed.incidents[0]) is Fit.UNKNOWN
    masked = met(shipped(), incident(0, 10), area=Fit.UNKNOWN)
    for order in (unnamed, masked, met(shipped(), incident(0, 10), area=Fit.OUT)):
        assert clock(order, "not_acknowledged").due_at == after(LOST)
        assert about(order) == ()
    bare = folded(snapshot("AWAITING_SHIPMENT"))
    assert fit(bare, Incidence(incident(0, 1, carriers=("J&T",)), Fit.IN)) is Fit.UNKNOWN


@pytest.mark.parametrize(("says", "due"), [(True, LOST + 10), (False, LOST)])
def test_what_a_person_says_counts_before_all_else(says: bool, due: float) -> None:
    for area in Fit:
        strange = incident(0, 10, carriers=("Nobody We Know",))
        order = met(shipped(), strange, area=area, by_hand=says)
        assert clock(order, "not_acknowledged").due_at == after(due)


def test_of_several_incidents_those_about_the_order_count() -> None:
    both = replace(
        shipped(),
        incidents=(
            Incidence(incident(0, 10, "a1"), Fit.IN),
            Incidence(incident(5, 50, "a2"), Fit.UNKNOWN),
            Incidence(incident(8, 20, "a3"), Fit.IN),
        ),
    )
    assert clock(both, "not_acknowledged").due_at == after(LOST + 20)
    assert [each.incident_id for each in about(both)] == ["a1", "a3"]


# A parcel's silence


def patient() -> Policy:
    """A pack by which a parcel may be silent for 48 hours, and longer while an incident lasts."""
    by = every_clause(hours=48)
    silent = by.pack.clauses["parcel_silent"].model_copy(update={"force_majeure": True})
    pack = by.pack.model_copy(update={"clauses": {**by.pack.clauses, "parcel_silent": silent}})
    return replace(by, pack=pack)


def test_a_silence_that_the_incident_explains_is_none() -> None:
    by = patient()
    order = shipped(scan("picked_up", 0), scan("in_transit", 60), scan("in_transit", 70))

    def missed(of: Order) -> list[datetime | None]:
        found = [t.clock for t in timeline(of, by) if t.clock.name == "parcel_silent"]
        return [c.starts_at for c in found if c.state(after(71)) is ClockState.MISSED]

    assert missed(order) == [T0]
    assert missed(met(order, incident(10, 22))) == []
    assert missed(met(order, incident(10, 21.9))) == [T0]


# What is said of it


def words(order: Order, name: str) -> str:
    return incident_words(order, clock(order, name), policy())


def test_a_clock_that_was_moved_says_by_what_and_from_when() -> None:
    told = words(met(shipped(), incident(0, 10)), "not_acknowledged")
    for word in ("a1", "a flood", "Sun 1 Nov 2026, 10:00", "20:00", "Fri 13 Nov 2026, 10:00"):
        assert word in told


def test_one_that_runs_on_says_that_it_does() -> None:
    order = met(shipped(deadlines={"delivery_sla_time": after(200)}), incident(0, None))
    told = words(order, "delivery_sla_time")
    assert "does not move this line" in told
    assert "since Sun 1 Nov 2026" in told


def test_what_is_deemed_says_it_too_and_names_the_instant_without() -> None:
    told = words(met(shipped(), incident(0, 10)), "abnormal_delivery")
    assert "Fri 13 Nov 2026, 10:00" in told


def test_nothing_is_said_of_what_lay_in_no_ones_way() -> None:
    lines = {"delivery_sla_time": after(200)}
    for span in ((-50, 0), (200, 300)):
        assert words(met(shipped(deadlines=lines), incident(*span)), "delivery_sla_time") == ""
    unsure = met(shipped(deadlines=lines), incident(0, 10), area=Fit.UNKNOWN)
    assert words(unsure, "delivery_sla_time") == ""


def test_of_each_run_of_a_clock_is_said_what_lay_in_its_own_way() -> None:
    scans = scan("picked_up", 0), scan("in_transit", 60), scan("in_transit", 130)
    order = met(shipped(*scans), incident(10, 12, "a1"), incident(70, 75, "a2"))
    runs = [t.clock for t in timeline(order, patient()) if t.clock.name == "parcel_silent"]
    told = {c.starts_at: incident_words(order, c, patient()) for c in runs}
    assert told.keys() == {T0, after(60), after(130)}
    assert "a1" in told[T0]
    assert "a2" not in told[T0]
    assert "Tue 3 Nov 2026, 10:00" in told[T0]
    assert "a2" in told[after(60)]
    assert "a1" not in told[after(60)]
    assert "Thu 5 Nov 2026, 22:00" in told[after(60)]
    assert told[after(130)] == ""


def test_of_several_incidents_each_is_named() -> None:
    order = met(shipped(), incident(0, 10, "a1"), incident(20, 30, "a2"))
    assert "a flood; a2, from" in words(order, "not_acknowledged")


def test_of_a_package_nothing_is_said_that_is_about_another() -> None:
    order = met(two_packages(), incident(0, 10, carriers=("Ninja Van",)))
    of = {n: clock(order, "not_acknowledged", number=n) for n in (NUMBER, OTHER)}
    assert incident_words(order, of[NUMBER], policy()) == ""
    assert "a flood" in incident_words(order, of[OTHER], policy())


def test_of_what_happened_at_once_nothing_is_said_unless_it_was_moved() -> None:
    order = met(shipped(scan("picked_up", 5), scan("damaged", 50)), incident(0, 10))
    damaged = next(t.clock for t in timeline(order, policy()) if t.clock.cause == "damaged")
    assert incident_words(order, damaged, policy()) == ""


def test_without_incidents_nothing_changes() -> None:
    order = shipped()
    assert undisturbed(order, policy()) == {
        run_of(t.clock): t.clock.due_at for t in timeline(order, policy())
    }
    moved = met(order, incident(0, 10))
    assert undisturbed(moved, policy()) == undisturbed(order, policy())
