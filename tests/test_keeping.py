"""Raw deliveries outlive their orders' claim windows, and no longer than that."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipclock import codec, rows
from shipclock.domain.order import Order, fold
from shipclock.keeping import AFTER_END, AHEAD, FURTHER, RAW_KEPT, SILENT, Keeping, keeping
from shipclock.ports import Row, StoreError
from shipclock.settle import settle
from shipclock.tasks import CLAIMED_WITHIN
from tests.builders import ORDER, REAL, hint, snapshot
from tests.evidence import DAY, told
from tests.fakes import Faults, FaultyStore, Gone
from tests.stage import SHOP_ID, START, Stage

BODY = "tiktok_shop#key#" + "ab" * 32


def cited(received_at: datetime = REAL, name: str = BODY, **more: Any) -> tuple[Any, Row]:
    """A webhook, and its row that cites the delivery that brought it."""
    event = hint(received_at=received_at, identity=f"hint {name}", **more)
    return event, codec.event_row(event, received_at, via=name)


def kept(
    real: datetime, *events: Any, head: Row | None = None, raw_kept: timedelta = RAW_KEPT
) -> Keeping:
    """What is done for one delivery that came at `REAL`, given the order's other events."""
    event, row = cited()
    return keeping(fold(ORDER, [event, *events]), [row], head, raw_kept, real)


def until(told: Keeping) -> datetime:
    (write,) = told.writes
    return datetime.fromtimestamp(write.set["expires_at"], UTC)


def ended(at: datetime) -> Any:
    return snapshot("COMPLETED", update_time=at, create_time=REAL)


def open_(at: datetime, **more: Any) -> Any:
    return snapshot("IN_TRANSIT", update_time=at, create_time=REAL, **more)


def test_an_order_that_ends_soon_costs_nothing() -> None:
    assert kept(REAL + 20 * DAY, ended(REAL + 20 * DAY)) == Keeping()
    assert kept(REAL + 120 * DAY, ended(REAL + 120 * DAY)) == Keeping()


def test_an_order_that_ends_late_keeps_its_deliveries_through_the_claim_window() -> None:
    last = REAL + 150 * DAY
    told = kept(last, ended(last))
    assert until(told) == last + AFTER_END
    assert until(told) >= last + CLAIMED_WITHIN
    assert told.again is None


def test_the_line_between_the_two_is_exact() -> None:
    last = REAL + RAW_KEPT - AFTER_END
    assert kept(last, ended(last)) == Keeping()
    last += timedelta(seconds=1)
    assert until(kept(last, ended(last))) == last + AFTER_END


def test_an_open_order_is_looked_after_before_its_first_delivery_ends() -> None:
    told = kept(REAL, open_(REAL))
    assert told.writes == ()
    assert told.again is not None
    assert RAW_KEPT - AHEAD < told.again < RAW_KEPT


def test_an_order_that_stays_open_never_loses_a_delivery() -> None:
    """Settled only when keeping itself asks for it, for two years, with news once a year."""
    head: Row = {}
    real, ends = REAL, REAL + RAW_KEPT
    news = REAL
    while real < REAL + 700 * DAY:
        told = kept(real, open_(news), head=head)
        if told.writes:
            ends = until(told)
            head = told.head
        assert told.again is not None
        assert told.again > DAY
        assert real + told.again < ends, "the next settle comes in time"
        real += told.again
        if real - news > 300 * DAY:
            news = real
    assert ends > real


def test_a_pre_order_keeps_its_first_webhook_until_long_after_its_release() -> None:
    release = REAL + 500 * DAY
    order = open_(REAL, order_type="PRE_ORDER", release_date=release)
    assert kept(REAL, order).again is not None
    assert until(kept(REAL + 460 * DAY, order, head={})) >= REAL + 460 * DAY + FURTHER


def test_an_order_that_everybody_forgot_does_not_keep_data_for_ever() -> None:
    last = REAL + 10 * DAY
    assert kept(last + SILENT, open_(last)).again is not None
    assert kept(last + SILENT + DAY, open_(last)) == Keeping()


def test_a_clock_of_somebody_that_is_years_ahead_keeps_nothing_for_years() -> None:
    future = REAL + 3650 * DAY
    told = kept(REAL + 20 * DAY, ended(REAL + 20 * DAY), hint(received_at=REAL, update_time=future))
    assert told == Keeping()


def test_what_was_moved_is_not_moved_again_until_it_must_be() -> None:
    real = REAL + 160 * DAY
    first = kept(real, open_(real))
    assert until(first) == real + FURTHER
    again = kept(real + DAY, open_(real + DAY), head=first.head)
    assert again.writes == ()
    assert again.again is not None


def test_a_delivery_that_came_after_the_others_were_moved_has_its_own_end() -> None:
    real = REAL + 160 * DAY
    head = kept(real, open_(real)).head
    late, row = cited(real + DAY, name=BODY.replace("ab", "cd"))
    order: Order = fold(ORDER, [cited()[0], late, open_(real)])
    short = timedelta(days=10)
    told = keeping(order, [cited()[1], row], head, short, real + 6 * DAY)
    assert {write.key[0].rpartition("#")[2][:2] for write in told.writes} == {"ab", "cd"}


def test_what_told_of_a_number_before_it_was_linked_is_moved_with_the_others() -> None:
    real = REAL + 160 * DAY
    head = kept(real, open_(real)).head
    early, row = cited(REAL + DAY, name=BODY.replace("ab", "cd"))
    order: Order = fold(ORDER, [cited()[0], early, open_(real)])
    told = keeping(order, [cited()[1], row], head, RAW_KEPT, real + DAY)
    assert {write.key[0].rpartition("#")[2][:2] for write in told.writes} == {"ab", "cd"}
    again = keeping(order, [cited()[1], row], told.head, RAW_KEPT, real + 2 * DAY)
    assert again.writes == ()


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_short_raw_days_holds_for_what_nobody_needs_and_not_for_open_orders(days: int) -> None:
    raw_kept = timedelta(days=days)
    told = kept(REAL, open_(REAL), raw_kept=raw_kept)
    assert told.again is not None
    assert told.again < raw_kept
    later = REAL + told.again
    assert until(kept(later, open_(REAL), raw_kept=raw_kept)) == later + FURTHER
    last = REAL + timedelta(hours=10)
    assert until(kept(last, ended(last), raw_kept=raw_kept)) == last + AFTER_END


def test_an_order_of_which_no_delivery_told_asks_for_nothing() -> None:
    assert keeping(fold(ORDER, [open_(REAL)]), [], None, RAW_KEPT, REAL) == Keeping()
    bare = codec.event_row(hint(), REAL)  # from before deliveries were cited
    assert keeping(fold(ORDER, [hint()]), [bare], None, RAW_KEPT, REAL) == Keeping()


# In the whole


def deliveries(stage: Stage) -> list[Row]:
    return [
        row
        for pk, partition in stage.memory.rows.items()
        if pk.startswith("DELIVERY#")
        for row in partition.values()
    ]


def placed() -> tuple[Stage, str]:
    stage = Stage(untracked_after=None)
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    told(stage, order_id, 0)
    return stage, order_id


def test_an_order_of_five_months_has_its_deliveries_moved_by_a_settle() -> None:
    stage, order_id = placed()
    (webhook,) = deliveries(stage)
    stage.real.pass_time(155 * 86400)
    told(stage, order_id, 5, "picked_up")
    moved = {row["received_at"]: row["expires_at"] for row in deliveries(stage)}
    wanted = int((stage.real.now + FURTHER - DAY).timestamp())
    assert moved[webhook["received_at"]] > max(webhook["expires_at"], wanted)


def test_one_that_waits_in_quarantine_gets_no_end_by_it() -> None:
    stage, order_id = placed()
    (webhook,) = deliveries(stage)
    del stage.memory.rows[webhook["pk"]][webhook["sk"]]["expires_at"]
    stage.memory.rows[webhook["pk"]][webhook["sk"]]["board_pk"] = rows.QUARANTINE
    stage.real.pass_time(155 * 86400)
    settle(stage.store, lambda _: stage.shop(), order_id, stage.now, stage.real.now)
    assert "expires_at" not in stage.memory.rows[webhook["pk"]][webhook["sk"]]


@pytest.mark.parametrize("kind", ["before", "after", "gone_before", "gone_after"])
def test_a_settle_that_breaks_off_between_moving_and_noting_moves_again(kind: str) -> None:
    stage, order_id = placed()
    stage.real.pass_time(155 * 86400)
    now, real = stage.now, stage.real.now
    for step in range(12):
        faults = Faults({step: kind})
        with suppress(Gone, StoreError):
            store = FaultyStore(stage.memory, faults)
            settle(store, lambda _: stage.shop(), order_id, now, real)
    settle(stage.store, lambda _: stage.shop(), order_id, now, real)
    (webhook,) = deliveries(stage)
    assert webhook["expires_at"] == int((real + FURTHER).timestamp())


def test_an_open_order_that_nobody_speaks_of_is_settled_for_its_deliveries_sake() -> None:
    stage, order_id = placed()
    head = stage.memory.rows[rows.order_pk(order_id)][rows.HEAD]
    assert head["due_at"] <= rows.at(START + RAW_KEPT)
