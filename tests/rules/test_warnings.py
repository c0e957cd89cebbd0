"""What only warns: a carrier's delay, and damage or loss told with a time of no certainty."""

from datetime import datetime
from typing import Any

import pytest

from shipclock.domain.clock import Notice
from shipclock.domain.order import Order
from shipclock.domain.tracking import TimeBasis
from shipclock.rules import notices, timeline
from shipclock.rules.policy import Policy
from tests.builders import NUMBER, SECOND, after, folded, line, numbered, policy, scan, snapshot

OTHER_NUMBER = "SYN000202"
LATER = after(2400)
UNSURE = {"basis": TimeBasis.ZONE}


def warnings(order: Order, now: datetime = LATER, by: Policy | None = None) -> list[Notice]:
    by = by or policy()
    told = notices(order, timeline(order, by), by, now)
    return [notice for notice in told if notice.clock == "abnormal_delivery"]


def shipped(*scans: Any, **more: Any) -> Order:
    return folded(snapshot("IN_TRANSIT", **more), numbers=(numbered(*scans),))


@pytest.mark.parametrize(
    ("told", "what"),
    [
        (scan("delayed", 30), "delayed"),
        (scan("delayed", 30, **UNSURE), "delayed"),
        (scan("damaged", 30, **UNSURE), "damaged"),
        (scan("lost", 30, **UNSURE), "lost"),
        (scan("disposed", 30, received_at=after(29)), "disposed"),
        (scan("in_transit", 30, flags=("damaged",), **UNSURE), "damaged"),
        (scan("delayed", 30, flags=("damaged",)), "damaged"),
        # these are verdicts, or nothing
        (scan("damaged", 30), None),
        (scan("lost", 30), None),
        (scan("in_transit", 30, flags=("damaged",)), None),
        (scan("in_transit", 30, **UNSURE), None),
        (scan("on_hold", 30), None),
        (scan("returned", 30, **UNSURE), None),
    ],
)
def test_a_delay_warns_and_so_does_what_would_be_abnormal_if_its_time_were_sure(
    told: Any, what: str | None
) -> None:
    days = [notice.day for notice in warnings(shipped(scan("picked_up", 5), told))]
    assert days == ([f"{NUMBER}/{what}/2026-11-02"] if what else [])


def test_a_warning_is_given_from_the_reports_own_time_on() -> None:
    order = shipped(scan("delayed", 30))
    assert warnings(order, after(30) - SECOND) == []
    for now in (after(30), after(31)):
        assert [(w.kind, w.at) for w in warnings(order, now)] == [("warning", now)]


def test_a_report_that_is_still_ahead_hides_none_that_has_come() -> None:
    order = shipped(scan("in_transit", 29), scan("delayed", 30), scan("delayed", 90))
    assert len(warnings(order, after(31))) == 1


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        # 16:00 UTC is the shop's midnight; T0 is at 02:00 UTC
        ((30, 37.9), ["2026-11-02"]),
        ((30, 38), ["2026-11-02", "2026-11-03"]),
        ((38, 61.9), ["2026-11-03"]),
    ],
)
def test_a_parcel_is_warned_of_once_a_day_of_the_shop(hours: Any, days: list[str]) -> None:
    keys = {w.key for w in warnings(shipped(*(scan("delayed", h) for h in hours)))}
    assert keys == {f"warning#abnormal_delivery#{NUMBER}/delayed/{day}" for day in days}


def test_a_warning_names_the_parcel_as_it_is_written_what_is_said_and_when() -> None:
    (warning,) = warnings(shipped(scan("delayed", 30, written="SYN-000 101")))
    for part in ("SYN-000 101", "delayed", "Mon 2 Nov 2026, 16:00 (Asia/Kuala_Lumpur)"):
        assert part in warning.text


def test_what_was_delivered_is_warned_of_no_more() -> None:
    assert warnings(shipped(scan("delayed", 30), scan("delivered", 60))) == []
    told = snapshot("DELIVERED", 70, delivery_time=after(60))
    assert warnings(folded(told, numbers=(numbered(scan("delayed", 30)),))) == []


def test_each_parcel_of_an_order_is_warned_of_by_itself() -> None:
    lines = (
        line("1", package_id="P1", tracking_number=NUMBER),
        line("2", package_id="P2", tracking_number=OTHER_NUMBER),
        line("3", package_id="P3"),
    )
    late = [scan("delayed", 30, number=number) for number in (NUMBER, OTHER_NUMBER)]
    here = numbered(late[0], scan("delivered", 60)), numbered(late[0])
    there = numbered(late[1], number=OTHER_NUMBER)
    for mine, told in zip(here, ({OTHER_NUMBER}, {NUMBER, OTHER_NUMBER}), strict=True):
        order = folded(snapshot("IN_TRANSIT", lines=lines), numbers=(mine, there))
        assert {warning.day.partition("/")[0] for warning in warnings(order)} == told


@pytest.mark.parametrize("told", [{"fulfillment_type": "FULFILLMENT_BY_TIKTOK"}])
def test_an_order_without_clocks_is_not_warned_of(told: dict[str, str]) -> None:
    assert warnings(shipped(scan("delayed", 30), **told)) == []


def test_a_pack_without_the_clause_does_not_warn() -> None:
    clauses = {k: v for k, v in policy().pack.clauses.items() if k != "abnormal_delivery"}
    bare = Policy(policy().pack.model_copy(update={"clauses": clauses}), policy().zone)
    assert warnings(shipped(scan("delayed", 30)), by=bare) == []
