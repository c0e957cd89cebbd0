"""What only warns: a carrier's delay, and damage or loss told with a time of no certainty."""

from datetime import datetime
from typing import Any

import pytest

from shipclock.domain.clock import Notice
from shipclock.domain.order import Order
from shipclock.domain.tracking import TimeBasis
from shipclock.rules import notices, timeline
from shipclock.rules.policy import Policy
from tests.builders import NUMBER, after, folded, line, numbered, policy, scan, snapshot

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
    ("told", "days"),
    [
        (scan("delayed", 30), ["delayed/2026-11-02"]),
        (scan("delayed", 30, **UNSURE), ["delayed/2026-11-02"]),
        (scan("delayed", 30, flags=("damaged",)), ["delayed/2026-11-02"]),
        (scan("delayed", 30, flags=("damaged",), **UNSURE), ["delayed/2026-11-02", "damaged/"]),
        (scan("damaged", 30, **UNSURE), ["damaged/"]),
        (scan("lost", 30, **UNSURE), ["lost/"]),
        (scan("disposed", 30, received_at=after(29)), ["disposed/"]),
        (scan("in_transit", 30, flags=("damaged",), **UNSURE), ["damaged/"]),
        # these are verdicts, or nothing
        (scan("damaged", 30), []),
        (scan("lost", 30), []),
        (scan("in_transit", 30, flags=("damaged",)), []),
        (scan("in_transit", 30, **UNSURE), []),
        (scan("on_hold", 30), []),
        (scan("returned", 30, **UNSURE), []),
    ],
)
def test_a_delay_warns_and_so_does_what_would_be_abnormal_if_its_time_were_sure(
    told: Any, days: list[str]
) -> None:
    found = [notice.day for notice in warnings(shipped(scan("picked_up", 5), told))]
    assert found == [f"{NUMBER}/{day}" for day in days]


@pytest.mark.parametrize("hours", [29, 30, 31])
def test_a_report_warns_as_soon_as_it_is_known_even_if_it_is_dated_ahead(hours: int) -> None:
    order = shipped(scan("delayed", 30))
    assert [(w.kind, w.at) for w in warnings(order, after(hours))] == [("warning", after(hours))]


@pytest.mark.parametrize(
    ("hours", "day"),
    [
        # 16:00 UTC is the shop's midnight; T0 is at 02:00 UTC
        ((30, 37.9), "2026-11-02"),
        ((30, 38), "2026-11-03"),
        ((38, 61.9), "2026-11-03"),
    ],
)
def test_a_delay_is_warned_of_by_the_day_of_the_shop_on_which_it_was_last_told(
    hours: Any, day: str
) -> None:
    (warning,) = warnings(shipped(*(scan("delayed", h) for h in hours)))
    assert warning.key == f"warning#abnormal_delivery#{NUMBER}/delayed/{day}"


@pytest.mark.parametrize(
    ("later", "still"),
    [
        ("in_transit", False),
        ("out_for_delivery", False),
        ("returning", False),
        ("returned", False),
        ("delivered", False),
        ("info_received", True),
        ("expired", True),
        ("unknown", True),
    ],
)
def test_a_delay_warns_only_while_it_is_the_last_that_was_seen_of_the_parcel(
    later: str, still: bool
) -> None:
    order = shipped(scan("delayed", 30), scan(later, 40))
    assert bool(warnings(order)) is still


@pytest.mark.parametrize(("later", "still"), [("in_transit", True), ("returned", False)])
def test_damage_of_unsure_time_warns_until_the_parcel_is_back(later: str, still: bool) -> None:
    order = shipped(scan("damaged", 30, **UNSURE), scan(later, 40))
    assert [w.day for w in warnings(order)] == ([f"{NUMBER}/damaged/"] if still else [])


def test_a_warning_names_the_parcel_as_it_is_written_what_is_said_and_when() -> None:
    (warning,) = warnings(shipped(scan("delayed", 30, written="SYN-000 101")))
    at = "Mon 2 Nov 2026, 16:00 (Asia/Kuala_Lumpur)"
    assert f"SYN-000 101 as delayed on {at}. " in warning.text
    (unsure,) = warnings(shipped(scan("lost", 30, written="SYN-000 101", **UNSURE)))
    assert "SYN-000 101 as lost, " in unsure.text
    assert f"({at})" in unsure.text
    assert (unsure.kind, unsure.clock, unsure.at) == ("warning", "abnormal_delivery", LATER)


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


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_an_order_that_has_ended_is_not_warned_of(status: str) -> None:
    told = snapshot(status, 70)
    order = folded(told, numbers=(numbered(scan("lost", 30, **UNSURE)),))
    assert warnings(order) == []


@pytest.mark.parametrize("told", [{"fulfillment_type": "FULFILLMENT_BY_TIKTOK"}])
def test_an_order_without_clocks_is_not_warned_of(told: dict[str, str]) -> None:
    assert warnings(shipped(scan("delayed", 30), **told)) == []


def test_a_pack_without_the_clause_does_not_warn() -> None:
    clauses = {k: v for k, v in policy().pack.clauses.items() if k != "abnormal_delivery"}
    bare = Policy(policy().pack.model_copy(update={"clauses": clauses}), policy().zone)
    assert warnings(shipped(scan("delayed", 30)), by=bare) == []
