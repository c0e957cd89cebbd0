"""What a person must do by hand: which verdicts bring a task, and what stands in its text."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shipclock.domain.clock import Verdict, VerdictState
from shipclock.domain.incident import Incidence, Incident
from shipclock.domain.order import Order
from shipclock.domain.place import Fit
from shipclock.rules import abnormal_delivery
from shipclock.tasks import CLAIMED_WITHIN, Task, tasks
from tests.builders import (
    NUMBER,
    ORDER,
    SECOND,
    after,
    folded,
    line,
    numbered,
    package_read,
    policy,
    scan,
    snapshot,
)

P1 = "1150000000000000101"


def verdict(rule: str, hours: float = 48, **more: Any) -> Verdict:
    known: dict[str, Any] = {
        "key": f"{rule}##{hours}",
        "rule": rule,
        "due_at": after(hours),
        "state": VerdictState.STANDING,
        "noticed_at": after(hours),
        "clause": "",
        "explanation": "",
        **more,
    }
    return Verdict(**known)


def order(*scans: Any, status: str = "IN_TRANSIT", shipping: str = "SELLER", **more: Any) -> Order:
    lines = (line(package_id=P1, tracking_number=NUMBER),)
    told = snapshot(status, lines=lines, shipping_type=shipping, **more)
    return folded(told, numbers=(numbered(*scans),))


def of(about: Order, *verdicts: Verdict) -> tuple[Task, ...]:
    return tasks(about, verdicts, policy())


# Claims

LOST = verdict(abnormal_delivery.NAME, 100, cause="lost", package_id=P1, number=NUMBER)


def test_a_parcel_that_the_marketplaces_carrier_lost_is_claimed_within_forty_days() -> None:
    read = package_read(P1, exception="PACKAGE_LOST", meaning="lost", update_time=after(120))
    lines = (line(package_id=P1, tracking_number=NUMBER),)
    about = folded(snapshot("IN_TRANSIT", shipping_type="TIKTOK", lines=lines), read)
    (task,) = of(about, LOST)
    assert (task.kind, task.package_id, task.by) == ("claim", P1, after(120) + CLAIMED_WITHIN)
    for word in (ORDER, P1, NUMBER, "lost", "Units: 1"):
        assert word in task.text


@pytest.mark.parametrize("cause", ["returned", "deemed_lost", "deemed_delayed"])
def test_what_is_not_lost_or_damaged_is_no_claim(cause: str) -> None:
    about = order(shipping="TIKTOK")
    assert of(about, replace(LOST, cause=cause)) == ()


def test_the_sellers_own_carrier_is_not_claimed_from_the_marketplace() -> None:
    assert of(order(), LOST) == ()


# Appeals


@pytest.mark.parametrize("rule", ["rts_sla_time", "tts_sla_time", "pick_up_cut_off_time"])
@pytest.mark.parametrize(("late", "count"), [(-SECOND, 1), (timedelta(0), 1), (SECOND, 0)])
def test_a_scan_in_time_is_appealed_with(rule: str, late: timedelta, count: int) -> None:
    about = order(scan("picked_up", 0, occurred_at=after(48) + late, carrier="Synthetic Express"))
    found = of(about, verdict(rule))
    assert [task.kind for task in found] == ["appeal"] * count
    for task in found:
        assert "Synthetic Express" in task.text
        assert rule in task.text


def test_a_time_that_proves_nothing_is_not_appealed_with() -> None:
    from shipclock.domain.tracking import TimeBasis

    about = order(scan("picked_up", 10, basis=TimeBasis.ZONE))
    assert of(about, verdict("tts_sla_time")) == ()


# Tickets


def test_an_order_about_to_be_cancelled_whose_parcel_is_on_its_way_wants_a_ticket() -> None:
    about = order(scan("in_transit", 10), status="AWAITING_COLLECTION")
    (task,) = of(about, verdict("collection_due_time"))
    assert task.kind == "ticket"
    assert "AWAITING_COLLECTION" in task.text
    assert of(order(status="AWAITING_COLLECTION"), verdict("collection_due_time")) == ()


def test_an_order_that_is_cancelled_already_wants_none() -> None:
    about = order(scan("in_transit", 10), status="CANCELLED")
    assert of(about, verdict("collection_due_time")) == ()


# Force majeure


@pytest.mark.parametrize(("reason", "count"), [("weather", 1), ("security", 1), ("refused", 0)])
def test_a_delay_that_nobody_is_to_blame_for_is_told_the_marketplace(
    reason: str, count: int
) -> None:
    late = scan("delayed", 40, reason=reason, location="Kota Contoh", carrier="Synthetic Express")
    found = of(order(scan("in_transit", 10), late), verdict("delivery_sla_time", 90))
    assert [task.kind for task in found] == ["force_majeure"] * count
    for task in found:
        for word in (ORDER, NUMBER, "Kota Contoh", "Synthetic Express"):
            assert word in task.text


FLOOD = Incident(
    "a1", after(20), after(40), "A flood.", after(30), evidence=("https://weather.example/flood",)
)


def flooded(about: Order, incident: Incident = FLOOD, area: Fit = Fit.IN) -> Order:
    return replace(about, incidents=(Incidence(incident, area),))


@pytest.mark.parametrize(
    ("rule", "where"),
    [
        ("rts_sla_time", "late dispatch appeal"),
        ("tts_sla_time", "late dispatch appeal"),
        ("collection_due_time", "logistics ticket"),
        ("delivery_sla_time", "force majeure ticket"),
        ("delivery_period", "force majeure ticket"),
    ],
)
def test_an_incident_that_lay_in_the_way_brings_a_text_to_paste(rule: str, where: str) -> None:
    about = flooded(order(status="AWAITING_COLLECTION"))
    (task,) = of(about, verdict(rule, 48))
    assert task.kind == "force_majeure"
    assert where in task.where
    for word in (ORDER, "A flood.\n", "https://weather.example/flood", rule, "Period: from"):
        assert word in task.text


def test_what_the_carrier_tells_and_what_was_declared_stand_in_one_text() -> None:
    late = scan("delayed", 40, reason="weather")
    (task,) = of(flooded(order(scan("in_transit", 10), late)), verdict("delivery_sla_time", 90))
    for word in ("the weather; A flood.", "told of it on", "the carrier's statement", NUMBER):
        assert word in task.text


@pytest.mark.parametrize(("begins", "ends"), [(-20, 0), (48, 60)])
def test_an_incident_before_the_order_or_after_its_line_brings_none(
    begins: float, ends: float
) -> None:
    elsewhere = replace(FLOOD, begins_at=after(begins), ends_at=after(ends))
    about = flooded(order(status="AWAITING_COLLECTION"), elsewhere)
    assert of(about, verdict("rts_sla_time", 48)) == ()


def test_an_incident_that_may_be_about_the_order_brings_none() -> None:
    about = flooded(order(status="AWAITING_COLLECTION"), area=Fit.UNKNOWN)
    assert of(about, verdict("rts_sla_time", 48)) == ()


def test_an_order_that_is_cancelled_already_wants_no_ticket_for_its_incident() -> None:
    assert of(flooded(order(status="CANCELLED")), verdict("collection_due_time")) == ()


# None


@pytest.mark.parametrize("state", [VerdictState.WITHDRAWN, VerdictState.OVERTAKEN])
def test_a_verdict_that_fell_takes_its_task_along(state: VerdictState) -> None:
    about = order(scan("picked_up", 10))
    assert of(about, verdict("tts_sla_time", state=state)) == ()


def test_other_verdicts_bring_none() -> None:
    assert of(order(scan("picked_up", 10)), verdict("untracked"), verdict("status_update")) == ()
