"""The seller hears once a morning that a line is crossed, or will be if nothing happens."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipclock import rows, settle, watching
from shipclock.codec import read_notice
from shipclock.connect import connect_shop, reconcile_key
from shipclock.domain.clock import Notice
from shipclock.marketplaces.protocol import OrderRow
from shipclock.ports import Change
from shipclock.snapshots import keep_snapshot
from shipclock.watching import AHEAD, day_to_watch, watch
from tests.builders import REAL, SECOND, SHOP, T0, after, facts, shop
from tests.fakes import MemoryStore
from tests.stage import SHOP_ID, START, TOKENS, Stage

HOUR = timedelta(hours=1)


class Desk:
    """A table with a shop that the US pack judges."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.shop = shop(pack="us-2026")
        connect_shop(self.store, self.shop, TOKENS, REAL, heal=False)

    def order(self, order_id: str, status: str, **more: Any) -> None:
        told = facts(status, **more)
        keep_snapshot(self.store, SHOP, OrderRow(order_id, told, {}), REAL, T0)
        settle.settle(self.store, lambda _: self.shop, order_id, T0, REAL)

    def watched(self, now: datetime) -> list[Notice]:
        """What is new at that time."""
        before = {notice.key for notice in self.notices()}
        told = watch(self.store, self.shop, now, REAL)["told"]
        new = [notice for notice in self.notices() if notice.key not in before]
        assert len(new) == told
        return new

    def notices(self) -> list[Notice]:
        return [read_notice(row) for row in self.store.read(rows.shop_pk(SHOP), rows.NOTICE)]


@pytest.fixture
def desk() -> Desk:
    """Twenty orders to dispatch by hour 50: 19 were."""
    made = Desk()
    by = {"tts_sla_time": after(50)}
    for number in range(19):
        made.order(str(number), "IN_TRANSIT", collection_time=after(20), deadlines=by)
    made.order("open", "AWAITING_SHIPMENT", deadlines=by)
    return made


def test_a_line_that_will_be_lost_within_a_day_is_told_with_the_orders_to_see_to(
    desk: Desk,
) -> None:
    assert desk.watched(after(50) - AHEAD - SECOND) == []
    (notice,) = desk.watched(after(50) - AHEAD)
    assert (notice.clock, notice.kind, notice.day) == ("late_dispatch", "signal", "2026-11-02")
    assert notice.due_at == after(50)
    assert notice.text == (
        f"Shop {SHOP}: the late dispatch rate crosses its line (at most 4 %) on Tue 3 Nov 2026, "
        "12:00 (Asia/Kuala_Lumpur) if nothing happens: 1 are open, and 0 of them may still turn "
        "bad. See to these first: open. `shipclock signals` shows what it is made of."
    )


def test_a_line_that_is_crossed_is_told_each_day(desk: Desk) -> None:
    (notice,) = desk.watched(after(50))
    assert notice.text == (
        f"Shop {SHOP}: the late dispatch rate is 5.00 %, and at most 4 % is asked. "
        "`shipclock signals` shows what it is made of."
    )
    assert notice.due_at is None
    assert desk.watched(after(51)) == [], "once a day"
    assert [again.day for again in desk.watched(after(24 + 51))] == ["2026-11-04"]


def test_what_the_open_ones_can_still_mend_is_told(desk: Desk) -> None:
    for number in range(20, 26):
        desk.order(str(number), "AWAITING_SHIPMENT", deadlines={"tts_sla_time": after(200)})
    (notice,) = desk.watched(after(50))
    assert (
        "If all 6 open ones are met it comes to 3.85 %. See to these first: 20, 21" in notice.text
    )


def test_nothing_is_said_while_all_is_well(desk: Desk) -> None:
    desk.order("open", "IN_TRANSIT", update_time=after(1), collection_time=after(1))
    assert desk.watched(after(50)) == []


def test_of_more_units_than_are_counted_nothing_is_said(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = watch(desk.store, desk.shop, after(50), REAL)["units"]
    monkeypatch.setattr(watching, "MOST", units - 1)
    assert watch(desk.store, desk.shop, after(99), REAL) == {"told": 0, "units": units}
    monkeypatch.setattr(watching, "MOST", units)
    assert watch(desk.store, desk.shop, after(99), REAL) == {"told": 1, "units": units}


@pytest.mark.parametrize(
    ("now", "pack", "day"),
    [
        (datetime(2026, 11, 1, 23, 59, 59, tzinfo=UTC), "us-2026", ""),
        (datetime(2026, 11, 2, 0, 0, tzinfo=UTC), "us-2026", "2026-11-02"),
        (datetime(2026, 11, 2, 15, 59, tzinfo=UTC), "us-2026", "2026-11-02"),
        (datetime(2026, 11, 2, 16, 0, tzinfo=UTC), "us-2026", ""),
        (datetime(2026, 11, 2, 0, 0, tzinfo=UTC), "guide-2023", ""),
    ],
    ids=["before eight", "at eight", "before midnight", "after it", "a pack without lines"],
)
def test_a_days_word_is_due_from_eight_in_the_shops_morning(
    now: datetime, pack: str, day: str
) -> None:
    assert day_to_watch(shop(pack=pack), now) == day


# In a sweep


def swept(pack: str = "us-2026") -> Stage:
    """A shop with an order that is late by the second morning."""
    stage = Stage()
    connect_shop(stage.store, stage.shop(pack=pack), TOKENS, REAL, heal=False)
    line = int((START + 26 * HOUR).timestamp())
    stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", tts_sla_time=line)
    stage.marketplace_tells()
    stage.settle_down()
    stage.announced.clear()
    return stage


def said(stage: Stage) -> list[Any]:
    found = [one for one in stage.announced if one["type"] == "shop.signal"]
    stage.announced.clear()
    return found


def test_the_sweeper_says_it_once_a_day(desk: Desk) -> None:
    stage = swept()
    days = []
    for hour in range(20, 24 * 4):
        stage.until(START + hour * HOUR)
        stage.settle_down()
        days += [(one["clock"], one["at"][:13], one["shop_id"]) for one in said(stage)]
    assert days == [
        ("late_dispatch", "2026-11-02T00", SHOP_ID),
        ("late_dispatch", "2026-11-03T00", SHOP_ID),
        ("late_dispatch", "2026-11-04T00", SHOP_ID),
        ("late_dispatch", "2026-11-05T00", SHOP_ID),
    ]


def test_a_pack_without_lines_has_nothing_read_and_nothing_said(desk: Desk) -> None:
    stage = swept("guide-2023")
    stage.until(START + 48 * HOUR)
    stage.settle_down()
    assert said(stage) == []
    assert "signals.watched" not in {line.name for line in stage.lines}


def test_a_row_that_can_t_be_read_holds_up_no_reconciliation(desk: Desk) -> None:
    stage = swept()
    (row,) = stage.store.read(rows.signals_pk(SHOP_ID))
    stage.store.write(Change((row["pk"], row["sk"]), set={"units": ["of tomorrow"]}))
    stage.until(START + 48 * HOUR)
    stage.settle_down()
    assert said(stage) == []
    after_it = stage.store.get(reconcile_key(SHOP_ID))
    assert after_it is not None
    assert (after_it["failures"], after_it["watched"]) == (0, "2026-11-01")
    assert after_it["due_at"] > "2026-11-03T02"
    assert "signals.failing" in {line.name for line in stage.lines}
