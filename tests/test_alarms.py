"""One alarm for one thing, none for what is over, and no work that repeats itself for ever."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from sandbox import life
from sandbox.faults import Fault
from sandbox.orders import Order as SandboxOrder
from shipclock import packages
from shipclock.connect import connect_shop
from shipclock.marketplaces import tiktok_shop
from shipclock.marketplaces.protocol import Kind, Outcome
from shipclock.order_view import order_view
from shipclock.sweep import Sweep
from tests.stage import SHOP_ID, START, TOKENS, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def placed(stage: Stage, **wish: Any) -> str:
    return stage.sandbox.add_order(SHOP_ID, **{"items": {"MUG": 1}, **wish})


def at(stage: Stage, hours: float) -> None:
    stage.until(START + timedelta(hours=hours))
    stage.marketplace_tells()
    stage.settle_down()


def mails(stage: Stage) -> list[str]:
    """What people are told, in order."""
    return [str(e["text"]) for e in stage.announced if e.get("alerts", True)]


def kinds(stage: Stage) -> Counter[tuple[str, str]]:
    """How often each kind of thing was told, by its type and rule."""
    told = [e for e in stage.announced if e.get("alerts", True)]
    return Counter((str(e["type"]), str(e.get("rule", ""))) for e in told)


def unix(hours: float) -> int:
    return int((START + timedelta(hours=hours)).timestamp())


# One thing, one alarm


def test_deemed_delayed_before_it_has_a_number_is_the_same_delay_afterwards(stage: Stage) -> None:
    order_id = placed(stage, delivery_sla_time=unix(10))
    at(stage, 11)
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id)
    at(stage, 12)
    stage.sandbox.collect(order_id)
    at(stage, 13)
    assert kinds(stage)["order.verdict.standing", "abnormal_delivery"] == 1
    assert not [kind for kind, _ in kinds(stage) if kind.endswith("withdrawn")]
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    (verdict,) = [v for v in view.verdicts if v.rule == "abnormal_delivery"]
    assert (verdict.tracking_number, verdict.package_id) == ("SYN1", view.packages[0].package_id)


def test_an_earlier_report_of_the_same_thing_moves_it_and_tells_nobody(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.carrier_tells("SYN-1", "delivered", START + 40 * HOUR, order_id)
    at(stage, 41)
    stage.carrier_tells("SYN-1", "delivered", START + 39 * HOUR)
    at(stage, 42)
    verdicts = stage.judged(order_id).recorded.verdicts.values()
    assert [(v.rule, v.due_at, v.state.value) for v in verdicts] == [
        ("delivered_unproven", START + 39 * HOUR, "standing")
    ]
    assert sum(kinds(stage).values()) == 1


def test_a_cancel_request_told_by_case_and_by_order_is_told_once(stage: Stage) -> None:
    order_id = placed(stage, rts_sla_time=unix(60))
    at(stage, 1)
    stage.sandbox.request_cancel(order_id)
    stage.sandbox.take_webhooks()  # lost
    at(stage, 6)
    stage.sandbox.extend(order_id, "shipping_due_time", unix(100))
    stage.sandbox.extend(order_id, "rts_sla_time", unix(90))
    for hours in (30, 40, 76, 99):
        at(stage, hours)
    assert kinds(stage)["order.cancel_request", ""] == 1


def test_a_delay_that_is_old_news_warns_nobody(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    for day in range(1, 5):
        stage.carrier_tells("SYN-1", "delayed", START + day * DAY, order_id)
    stage.carrier_tells("SYN-1", "out_for_delivery", START + 5 * DAY, order_id)
    stage.until(START + 5 * DAY)
    stage.settle_down()
    assert kinds(stage)["order.warning", ""] == 0


@pytest.mark.parametrize("end", ["returned", "delivered", "cancelled"])
def test_a_delay_of_what_has_ended_warns_nobody(stage: Stage, end: str) -> None:
    order_id = placed(stage)
    at(stage, 1)
    if end == "cancelled":
        stage.sandbox.cancel(order_id, "no longer needed", "BUYER")
        at(stage, 2)
    else:
        stage.carrier_tells("SYN-1", end, START + 3 * HOUR, order_id, proof="photo")
    stage.carrier_tells("SYN-1", "delayed", START + 2 * HOUR, order_id)
    at(stage, 4)
    assert kinds(stage)["order.warning", ""] == 0


# What was over before anybody looked


def test_connecting_a_shop_alarms_of_nothing_that_is_over() -> None:
    stage = Stage()
    for _ in range(3):
        late = placed(stage, rts_sla_time=unix(20), delivery_sla_time=unix(30))
        stage.sandbox.cancel(late, "package_lost", "SYSTEM")
        moving = placed(stage, shipping_type="TIKTOK")
        stage.sandbox.arrange(moving)
        stage.sandbox.collect(moving)
        done = placed(stage, shipping_type="TIKTOK", delivery_sla_time=unix(5))
        stage.sandbox.arrange(done)
        stage.sandbox.collect(done)
        stage.until(stage.now + 8 * HOUR)
        stage.sandbox.deliver(done)
    stage.sandbox.take_webhooks()
    stage.until(START + 10 * DAY)
    assert connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    stage.settle_down()
    assert mails(stage) == []
    assert len(stage.memory.rows) > 9


def test_what_was_never_told_is_not_taken_back_aloud(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.carrier_tells("SYN-1", "lost", START + 10 * HOUR, order_id)
    stage.carrier_tells("SYN-1", "delivered", START + 20 * HOUR, proof="photo")
    at(stage, 21)
    assert stage.verdicts(order_id) == {"abnormal_delivery": "overtaken"}
    stage.carrier_tells("SYN-1", "delivered", None, "", occurred_at="2026-11-01T13:00:00")
    at(stage, 22)
    assert stage.verdicts(order_id)["abnormal_delivery"] == "withdrawn"
    assert mails(stage) == []


def test_a_delivery_of_unsure_time_calls_a_loss_off(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.carrier_tells("SYN-1", "lost", START + 20 * HOUR, order_id)
    at(stage, 21)
    assert len(mails(stage)) == 1
    told = {"occurred_at": "2026-11-01T19:30:00", "proof": "photo"}
    stage.carrier_tells("SYN-1", "delivered", None, "", **told)
    at(stage, 22)
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    assert [v.state for v in view.verdicts] == ["withdrawn"]
    assert view.prepared == []


# Prepared for the right part


def test_a_lost_part_of_an_order_is_not_the_whole_order() -> None:
    stage = Stage("UK", "Europe/London")
    order_id = placed(stage, items={"MUG": 2})
    at(stage, 1)
    told: Any = stage.sandbox.order(order_id)
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id)
    stage.settle_down()
    assert len(told["line_items"]) == 2
    _ship_one_unit(stage, order_id, told["line_items"][0]["id"])
    stage.carrier_tells("SYN-A", "lost")
    at(stage, 2)
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    refund = view.prepared[0]
    assert refund.kind == "refund"
    assert refund.text.startswith("Refund of the unit in package ")


def _ship_one_unit(stage: Stage, order_id: str, line_id: str) -> None:
    """Ship one of two units in Seller Center, in a package of its own."""
    world = stage.sandbox._world
    order: SandboxOrder = world.orders[order_id]
    mine = [line for line in order.lines if line.line_id == line_id]
    package = life.new_package(world, [order], mine, world.clock)
    package.tracking_number, package.provider_name = "SYN-A", "Synthetic Express"
    life.move(world, package, "AWAITING_COLLECTION", world.clock)


# Odd answers


def test_an_odd_provider_of_a_unit_costs_no_unit() -> None:
    row = {
        "id": "576000000000000101",
        "status": "AWAITING_SHIPMENT",
        "create_time": unix(0),
        "line_items": [
            {"id": "1", "shipping_provider_name": 123},
            {"id": "2", "shipping_provider_id": "J&T/01"},
        ],
    }
    (read,) = tiktok_shop.read_orders(Outcome(Kind.OK, {"orders": [row]})).orders
    assert not read.facts.incomplete
    assert [line.provider for line in read.facts.lines] == ["", ""]


def test_a_word_as_long_as_a_page_is_no_cause_that_a_row_can_bear(stage: Stage) -> None:
    order_id = placed(stage, shipping_type="TIKTOK")
    stage.sandbox.arrange(order_id)
    at(stage, 1)
    stage.sandbox.collect(order_id)
    stage.sandbox.report_exception(order_id, "\N{PACKAGE}" * 300)
    at(stage, 2)
    verdicts = stage.judged(order_id).recorded.verdicts.values()
    assert [(v.rule, v.cause) for v in verdicts] == [("abnormal_delivery", "other")]


# Work that ends


def test_an_event_seconds_before_a_sweep_costs_one_look_at_its_order(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id)
    at(stage, 2)
    now = stage.now + 30 * HOUR
    stage.until(now + timedelta(seconds=25))
    for seconds in (5, 20):
        moment = now + timedelta(seconds=seconds)
        stage.carrier_tells("SYN-1", "delivery_attempt_failed", moment)
    # The stream's poke settles at the real time, which is after the schedule's.
    keys = [(row["pk"], row["sk"]) for row in stage.kept[-2:]]
    real, stage.real.now = stage.real.now, now + timedelta(seconds=25)
    Sweep(stage.world, stage.real.now, timedelta(seconds=65)).poke(keys)
    stage.real.now = real
    before = len(stage.sandbox.calls)
    for minute in range(3):
        stage.real.pass_time(60)
        left = stage.sweep(now + timedelta(minutes=minute)).due_left
    assert left == 0
    rereads = [c for c in stage.sandbox.calls[before:] if c.path == "/order/202507/orders"]
    assert len(rereads) <= 2
    assert "two_failed_attempts" in stage.verdicts(order_id)


def many_in_transit(stage: Stage, count: int) -> None:
    for _ in range(count):
        order_id = placed(stage, shipping_type="TIKTOK")
        stage.sandbox.arrange(order_id)
        stage.sandbox.collect(order_id)
    stage.marketplace_tells()


def package_calls(stage: Stage) -> int:
    return sum("/packages/" in call.path for call in stage.sandbox.calls)


def test_many_packages_to_read_are_read_a_few_a_sweep_and_settle_nothing_meanwhile() -> None:
    stage = Stage()
    many_in_transit(stage, 200)
    stage.real.pass_time(60)
    stage.sweep()
    for _ in range(2):
        calls, writes = package_calls(stage), stage.memory.writes
        stage.real.pass_time(60)
        report = stage.sweep()
        assert package_calls(stage) - calls == packages.MOST
        assert report.settled <= packages.MOST
        assert stage.memory.writes - writes < 20 * packages.MOST
    (line,) = [line for line in stage.lines if line.name == "sweep.left"][-1:]
    assert line.fields["OldestDueSeconds"] == 0
    stage.settle_down(most=10)
    assert package_calls(stage) == 200


def test_many_packages_to_read_hold_up_no_clock() -> None:
    stage = Stage()
    many_in_transit(stage, 300)
    stage.real.pass_time(60)
    stage.sweep()
    order_id = placed(stage, rts_sla_time=unix(5))
    stage.marketplace_tells()
    stage.until(START + 5 * HOUR)
    stage.real.pass_time(60)
    stage.sweep()
    assert "rts_sla_time" in stage.verdicts(order_id)


def test_packages_that_hang_hold_up_no_search(stage: Stage) -> None:
    many_in_transit(stage, 60)
    stage.real.pass_time(60)
    stage.sweep()
    stage.sandbox.fail(Fault(kind="no_answer", path="*/packages/*", times=1_000))
    missing = placed(stage)
    stage.sandbox.take_webhooks()  # lost
    for minute in range(20):
        stage.until(START + timedelta(minutes=minute))
        stage.real.pass_time(60)
        stage.sweep()
    assert stage.memory.get((f"ORDER#{missing}", "HEAD")) is not None


def test_a_shop_that_is_gone_leaves_no_package_due() -> None:
    stage = Stage()
    many_in_transit(stage, 60)
    stage.real.pass_time(60)
    stage.sweep()
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.settle_down()


def test_what_a_large_commit_leaves_for_the_next_is_counted_once(stage: Stage) -> None:
    order_id = placed(stage, items={f"SKU-{n}": 1 for n in range(60)})
    told: Any = stage.sandbox.order(order_id)
    made = stage.sandbox.split(order_id, [[line["id"]] for line in told["line_items"]])
    for n, package_id in enumerate(made):
        stage.sandbox.arrange(order_id, package_id, f"SYN-{n:03}", "Synthetic Express")
    at(stage, 1)
    for n in range(len(made)):
        for status in ("lost", "damaged"):
            stage.carrier_tells(f"SYN-{n:03}", status, START + HOUR)
    fired = 0
    for _ in range(5):
        stage.real.pass_time(60)
        fired += stage.sweep().fired
    verdicts = stage.judged(order_id).recorded.verdicts
    assert fired == len(verdicts) == 2 * len(made)
    assert kinds(stage)["order.verdict.standing", "abnormal_delivery"] == fired


# Words that fit


def word(stage: Stage, order_id: str, rule: str) -> str:
    verdicts = stage.judged(order_id).recorded.verdicts.values()
    return next(v.explanation for v in verdicts if v.rule == rule)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"shipping_type": "TIKTOK"}, "choose pickup or drop-off"),
        ({"status": "UNPAID"}, "has not paid yet"),
        ({"status": "ON_HOLD"}, "ends its hold"),
        ({}, "Hand the parcel over and have the carrier or 3PL report it"),
    ],
)
def test_the_advice_fits_the_order(stage: Stage, wish: dict[str, Any], says: str) -> None:
    order_id = placed(stage, **wish)
    at(stage, 120)
    assert says in word(stage, order_id, "status_update")


def test_a_pickup_is_not_announced_of_what_was_fetched_already(stage: Stage) -> None:
    order_id = placed(stage, shipping_type="TIKTOK")
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.arrange(order_id)
    stage.sandbox.collect(order_id)
    at(stage, 1)
    assert set(kinds(stage)) == {("order.collected", "")}


def test_a_cancellation_whose_initiator_is_left_out_is_known_by_its_reason(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.sandbox.cancel(order_id, "package_lost", "SYSTEM")
    stage.sandbox._world.orders[order_id].cancelled_by = ""
    at(stage, 2)
    (said,) = mails(stage)
    assert "the parcel was lost (package_lost)" in said


# Found from outside


def test_a_delay_dated_ahead_of_the_sweep_warns_as_it_is_heard_of(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.carrier_tells("SYN-1", "picked_up", START + HOUR, order_id)
    stage.carrier_tells("SYN-1", "delayed", START + 48 * HOUR)
    at(stage, 30)
    at(stage, 48)
    assert kinds(stage)["order.warning", ""] == 1


def test_a_verdict_that_moves_names_its_new_instant(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    stage.carrier_tells("SYN-1", "lost", START + 20 * HOUR, order_id)
    at(stage, 21)
    assert "Mon 2 Nov 2026, 06:00" in word(stage, order_id, "abnormal_delivery")
    stage.carrier_tells("SYN-1", "lost", START + 15 * HOUR)
    at(stage, 22)
    assert "Mon 2 Nov 2026, 01:00" in word(stage, order_id, "abnormal_delivery")
    assert kinds(stage)["order.verdict.standing", "abnormal_delivery"] == 1


@pytest.mark.parametrize("hinted", [False, True])
def test_a_marketplace_that_only_says_wait_holds_no_verdict_up_for_ever(
    stage: Stage, hinted: bool
) -> None:
    order_id = placed(
        stage, shipping_due_time=unix(30), delivery_sla_time=unix(20), rts_sla_time=unix(20)
    )
    at(stage, 1)
    stage.sandbox.fail(Fault(kind="rate_limit", path="*", times=100_000, retry_after=5))
    stage.sandbox.arrange(order_id, tracking_number="SYN-9", provider="Synthetic Express")
    for hours in (20, 30, 31):
        stage.until(START + timedelta(hours=hours))
        stage.real.pass_time(60)
        if hinted:
            stage.marketplace_tells()
        stage.sweep()
        stage.sandbox.take_webhooks()
    assert stage.verdicts(order_id) == dict.fromkeys(
        (
            "rts_sla_time",
            "delivery_sla_time",
            "delivery_period",
            "abnormal_delivery",
            "shipping_due_time",
        ),
        "standing",
    )


def test_small_letters_in_a_time_are_letters(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 1)
    told = {"occurred_at": "2026-11-01t12:00:00z"}
    stage.carrier_tells("SYN-1", "lost", None, order_id, **told)
    at(stage, 30)
    (verdict,) = stage.judged(order_id).recorded.verdicts.values()
    assert verdict.due_at == START + 10 * HOUR


def test_a_packages_second_number_is_that_packages_too(stage: Stage) -> None:
    order_id = placed(stage, items={"MUG": 2})
    stage.sandbox.arrange(order_id, tracking_number="SYN-A", provider="Synthetic Express")
    lines = stage.sandbox.order(order_id)["line_items"]
    assert isinstance(lines, list)
    lines[1]["tracking_number"] = "SYN-B"
    stage.sandbox._world.orders[order_id].extra = {"line_items": lines}
    at(stage, 1)
    stage.carrier_tells("SYN-A", "delivered", START + 2 * HOUR, proof="photo")
    stage.carrier_tells("SYN-B", "damaged", START + 3 * HOUR)
    at(stage, 4)
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    package_id = lines[0]["package_id"]
    assert [(p.package_id, p.tracking_number) for p in view.packages] == [
        (package_id, "SYN-A"),
        (package_id, "SYN-B"),
    ]
    assert [(v.rule, v.package_id, v.tracking_number) for v in view.verdicts] == [
        ("abnormal_delivery", package_id, "SYNB")
    ]
    assert view.pushes == []


def test_a_package_whose_answer_cannot_be_read_is_asked_for_again_and_holds_up_no_other() -> None:
    stage = Stage()
    for _ in range(3):
        stage.sandbox.arrange(placed(stage, shipping_type="TIKTOK"))
    stage.marketplace_tells()
    stage.sandbox.fail(Fault(kind="wrong_types", path="*/packages/*", times=1))
    at(stage, 0.2)
    assert kinds(stage)["order.pickup", ""] == 2
    at(stage, 1.5)
    assert kinds(stage)["order.pickup", ""] == 3
