"""Forecasts of many orders added up."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from shipclock.domain.clock import VerdictState
from shipclock.horizon.forecast import Forecast, Foreseen
from shipclock.horizon.tally import Tally
from tests.builders import OTHER_SHOP, SHOP, after

KUALA_LUMPUR = ZoneInfo("Asia/Kuala_Lumpur")  # UTC+8
HONOLULU = ZoneInfo("Pacific/Honolulu")  # UTC-10


def one(kind: str, at: datetime, clock: str = "untracked", **more: Any) -> Foreseen:
    return Foreseen(at, kind, clock, f"{clock}#{at}", **more)


def order(*foreseen: Foreseen, shop_id: str = SHOP, **more: Any) -> Forecast:
    return Forecast("1", shop_id, foreseen, **more)


def test_days_are_the_shops_own() -> None:
    tally = Tally()
    late = after(13, minutes=30)  # 2026-11-01T15:30Z
    tally.add(order(one("reminder", late), one("reminder", after(14, minutes=1))), KUALA_LUMPUR)
    tally.add(order(one("reminder", late), shop_id=OTHER_SHOP), HONOLULU)
    assert [(row.day, row.shop_id, row.count) for row in tally.rows] == [
        (date(2026, 11, 1), SHOP, 1),
        (date(2026, 11, 1), OTHER_SHOP, 1),
        (date(2026, 11, 2), SHOP, 1),
    ]


def test_what_weighs_most_comes_first_within_a_day() -> None:
    tally = Tally()
    kinds = ("push", "reminder", "warning", "alert", "deemed", "metric", "hard")
    tally.add(order(*(one(kind, after(1)) for kind in kinds)), KUALA_LUMPUR)
    assert [row.kind for row in tally.rows] == [*reversed(kinds[1:]), "push"]


def test_one_clock_of_many_orders_is_counted_with_its_first_instant() -> None:
    tally = Tally()
    for hour in (5, 2, 9):
        tally.add(order(one("hard", after(hour))), KUALA_LUMPUR)
    (row,) = tally.rows
    assert (row.count, row.first_at) == (3, after(2))


def test_what_is_moot_is_counted_apart_and_is_nobodys_outcome() -> None:
    tally = Tally()
    lost = one("deemed", after(9), "not_acknowledged", cause="deemed_lost", moot=True)
    tally.add(
        order(one("hard", after(5)), lost, cancelled_at=after(5), cancelled_by="untracked"),
        KUALA_LUMPUR,
    )
    assert tally.moot == 1
    assert [row.kind for row in tally.rows] == ["hard"]
    (end,) = tally.outcomes
    assert (end.what, end.orders, end.first_at, end.last_at) == ("cancelled", 1, after(5), after(5))


def test_an_order_of_two_lost_parcels_is_one_lost_order() -> None:
    tally = Tally()
    lost = [
        one("deemed", after(hour), "not_acknowledged", cause="deemed_lost", due_at=after(hour - 1))
        for hour in (9, 12)
    ]
    tally.add(order(*lost), KUALA_LUMPUR)
    tally.add(order(lost[1]), KUALA_LUMPUR)
    (end,) = tally.outcomes
    assert (end.what, end.orders, end.first_at, end.last_at) == (
        *("deemed_lost", 2),
        *(after(8), after(11)),
    )


def test_a_verdict_that_was_over_before_it_was_seen_counts_nowhere() -> None:
    tally = Tally()
    over = one("hard", after(5), state=VerdictState.OVERTAKEN)
    stands = one("hard", after(6), state=VerdictState.STANDING)
    tally.add(order(over, stands), KUALA_LUMPUR)
    assert [(row.count, row.first_at) for row in tally.rows] == [(1, after(6))]


def test_of_no_orders_there_is_nothing() -> None:
    assert (Tally().rows, Tally().outcomes, Tally().moot) == ([], [], 0)
