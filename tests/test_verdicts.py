"""What verdicts lead to, from scans and webhooks to what the seller hears: sweeps on fakes."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.faults import Fault
from shipclock import codec, rows
from shipclock.connect import connect_shop
from shipclock.domain.times import stamp
from shipclock.estimate import estimate
from shipclock.order_view import order_view
from shipclock.ports import Change, Row, SecretsFailed, StoreError, Taken, Write
from shipclock.sweep import Sweep
from shipclock.views import OrderView
from shipclock.world import World
from tests.fakes import FakeOutlets, Faults, FaultyStore
from tests.notify.people import WEBHOOK
from tests.stage import SHOP_ID, START, TOKENS, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NUMBER = "SYN-1"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def placed(stage: Stage, **wish: Any) -> str:
    order_id = stage.sandbox.add_order(
        SHOP_ID, status="AWAITING_SHIPMENT", **{"items": {"MUG": 1}, **wish}
    )
    stage.marketplace_tells()
    stage.settle_down()
    return order_id


def scanned(
    stage: Stage, order_id: str, status: str, at: datetime | None = None, **more: str
) -> None:
    assert stage.carrier_tells(NUMBER, status, at, order_id, **more).status == 200


def on_its_way(stage: Stage) -> str:
    """An order of Ship by Seller, in transit."""
    order_id = placed(stage)
    scanned(stage, order_id, "picked_up")
    stage.settle_down()
    stage.sandbox.collect(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    return order_id


def by_tiktok(stage: Stage, **wish: Any) -> str:
    return placed(stage, shipping_type="TIKTOK", **wish)


def at(stage: Stage, hours: float) -> None:
    stage.until(START + timedelta(hours=hours))
    stage.marketplace_tells()
    stage.settle_down()


def shown(stage: Stage, order_id: str) -> OrderView:
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    return view


def announced(stage: Stage, kind: str) -> list[str]:
    return [str(event["text"]) for event in stage.announced if event["type"] == kind]


# From a verdict to what is prepared, and back


def test_two_failed_attempts_prepare_a_refund_and_a_message_and_say_so(stage: Stage) -> None:
    order_id = on_its_way(stage)
    at(stage, 50)
    scanned(stage, order_id, "delivery_attempt_failed")
    at(stage, 74)
    assert shown(stage, order_id).prepared == []
    scanned(stage, order_id, "delivery_attempt_failed")
    at(stage, 74.1)
    view = shown(stage, order_id)
    assert {(v.rule, v.cause, v.state) for v in view.verdicts} == {
        ("two_failed_attempts", None, "standing"),
        ("abnormal_delivery", "deemed_lost", "standing"),
    }
    assert {v.due_at for v in view.verdicts} == {START + 74 * HOUR}
    refund, message = view.prepared
    assert (refund.kind, message.kind, refund.state) == ("refund", "buyer_message", "waiting")
    assert "Seller Center" in refund.text
    assert NUMBER in message.text
    assert order_id in message.text
    assert len(message.text) <= 2_000
    told = [e for e in stage.announced if e["type"] == "order.verdict.standing"]
    assert {e["rule"]: e["alerts"] for e in told} == {
        "two_failed_attempts": False,
        "abnormal_delivery": True,
    }
    (said,) = [e["text"] for e in told if e["alerts"]]
    assert "2nd time on Wed 4 Nov 2026, 12:00 (Asia/Kuala_Lumpur)" in said
    assert "are prepared" in said


def test_a_delivery_after_it_overtakes_both_calls_all_off_and_says_so(stage: Stage) -> None:
    order_id = on_its_way(stage)
    at(stage, 12 * 24 + 1)
    assert {v.state for v in shown(stage, order_id).verdicts} == {"standing"}
    assert shown(stage, order_id).prepared
    scanned(stage, order_id, "delivered", START + 13 * DAY, proof="signature")
    at(stage, 13 * 24)
    view = shown(stage, order_id)
    assert {(v.rule, v.state) for v in view.verdicts} == {
        ("not_acknowledged", "overtaken"),
        ("abnormal_delivery", "overtaken"),
    }
    assert view.prepared == []
    assert all(t.startswith("Over: ") for t in announced(stage, "order.verdict.overtaken"))
    assert len(announced(stage, "order.verdict.overtaken")) == 2


def test_a_delivery_in_time_that_is_heard_of_late_takes_both_back(stage: Stage) -> None:
    order_id = on_its_way(stage)
    at(stage, 12 * 24 + 1)
    scanned(stage, order_id, "delivered", START + 11 * DAY, proof="signature")
    at(stage, 12 * 24 + 2)
    view = shown(stage, order_id)
    assert {v.state for v in view.verdicts} == {"withdrawn"}
    assert view.prepared == []
    assert all(t.startswith("Taken back: ") for t in announced(stage, "order.verdict.withdrawn"))
    assert len(announced(stage, "order.verdict.withdrawn")) == 2


def swept(stage: Stage, world: World, hours: float) -> None:
    """A few sweeps over that world, from so many hours on."""
    for minute in range(3):
        stage.until(START + timedelta(hours=hours, minutes=minute))
        stage.real.pass_time(60)
        Sweep(world, stage.now, timedelta(seconds=65)).run()


def of_verdicts(events: Sequence[Mapping[str, Any]], rule: str = "not_acknowledged") -> list[str]:
    """The states that were told of a rule's verdict, in their order."""
    return [e["type"].rpartition(".")[2] for e in events if e.get("rule") == rule]


@pytest.mark.parametrize("away", ["bus", "secret", "table"])
def test_a_verdict_that_turns_before_it_was_told_is_told_as_it_was_and_as_it_is(
    stage: Stage, away: str
) -> None:
    order_id = on_its_way(stage)
    world, down, bus = stage.world, True, stage.world.announce
    told: list[Any] = []

    def announce(event: Mapping[str, Any]) -> None:
        if down and away == "bus":
            raise ValueError("the bus is down")
        bus(event)

    def secret() -> object:
        if down and away == "secret":
            raise SecretsFailed("GetParameterError")
        return {"destinations": {"erp": WEBHOOK}}

    class Untouched(FaultyStore):
        def commit(self, writes: Sequence[Write]) -> bool:
            if down and away == "table" and any(w.key[0].startswith(rows.TELL) for w in writes):
                raise StoreError("no")
            return super().commit(writes)

    class Erp(FakeOutlets):
        def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Taken:
            told.extend(json.loads(body)["data"]["events"])
            return Taken(200)

    world.announce, world.destinations, world.outlets = announce, secret, Erp()
    world.store = Untouched(stage.memory, Faults())
    swept(stage, world, 12 * 24 + 1)
    scanned(stage, order_id, "delivered", START + 13 * DAY, proof="signature")
    swept(stage, world, 13 * 24)
    states = ["standing", "overtaken"]
    if away == "bus":
        assert of_verdicts(stage.announced) == []
    else:
        assert list(dict.fromkeys(of_verdicts(stage.announced))) == states, "known at once"
    down = False
    swept(stage, world, 13 * 24 + 1)
    heard = {event["id"]: event for event in stage.announced}
    assert of_verdicts(list(heard.values())) == states
    swept(stage, world, 15 * 24)
    assert sorted(of_verdicts(told, "abnormal_delivery")) == sorted(states)
    assert {event["id"] for event in told} <= set(heard)
    first, second = (e for e in heard.values() if e.get("rule") == "not_acknowledged")
    assert first["chain"] != second["chain"]
    assert second["text"].startswith("Over: ")
    assert second["text"].endswith(first["text"])
    for row in stage.store.read(rows.order_pk(order_id), rows.VERDICT):
        assert not {"due_at", rows.ANNOUNCED, rows.UNSAID} & row.keys()


def test_what_is_said_while_its_verdict_turns_is_not_said_again(stage: Stage) -> None:
    order_id = on_its_way(stage)
    world = stage.world
    world.announce = lambda event: None  # and the process is gone before it is kept
    swept(stage, world, 12 * 24 + 1)
    said: list[str] = []

    class Meanwhile(FaultyStore):
        def commit(self, writes: Sequence[Write]) -> bool:
            turning = [w.key for w in writes if w.key[1].startswith(rows.VERDICT)]
            if not said and len(turning) == 2:
                for key in turning:
                    said.append(key[1])
                    stage.memory.write(Change(key, remove=rows.UNMARK))
            return super().commit(writes)

    for row in stage.store.read(rows.order_pk(order_id), rows.VERDICT):
        mark = rows.mark(rows.key_of(row), rows.after_all(stage.real.now))
        stage.memory.write(Change(rows.key_of(row), set=mark))
    world = stage.world
    world.store = Meanwhile(stage.memory, Faults())
    scanned(stage, order_id, "delivered", START + 13 * DAY, proof="signature")
    Sweep(world, stage.now, timedelta(seconds=65)).poke([rows.key_of(stage.kept[-1])])
    assert len(said) == 2
    assert of_verdicts(stage.announced) == ["overtaken"]


def test_of_turns_that_nobody_could_be_told_of_the_latest_are_kept() -> None:
    row: Row = {"pk": "ORDER#1", "sk": "VERDICT#x", "doc": "0", "told": 1, "anchor": "1:a"}
    for turn in range(2, 15):
        row |= {**codec.unsaid_row(row), "doc": str(turn), "told": turn}
        row.pop("anchor", None)
    turns = codec.turns(row)
    assert [each["told"] for each in turns] == list(range(4, 15))
    assert not any("anchor" in each for each in turns)


def test_what_was_over_before_anybody_looked_is_kept_and_alarms_nobody(stage: Stage) -> None:
    order_id = on_its_way(stage)
    scanned(stage, order_id, "lost", START + 50 * HOUR)
    scanned(stage, order_id, "delivered", START + 60 * HOUR, proof="signature")
    at(stage, 61)
    assert [(v.rule, v.state) for v in shown(stage, order_id).verdicts] == [
        ("abnormal_delivery", "overtaken")
    ]
    assert [e for e in stage.announced if "verdict" in e["type"]] == []


def test_before_it_ships_a_cancellation_is_prepared_and_afterwards_a_refund(stage: Stage) -> None:
    order_id = placed(stage, delivery_sla_time=int((START + 10 * HOUR).timestamp()))
    at(stage, 11)
    assert [p.kind for p in shown(stage, order_id).prepared] == ["cancellation", "buyer_message"]
    scanned(stage, order_id, "picked_up")
    at(stage, 12)
    assert [p.kind for p in shown(stage, order_id).prepared] == ["refund", "buyer_message"]


def test_of_two_packages_only_the_one_at_fault_is_prepared_for(stage: Stage) -> None:
    order_id = placed(stage, items={"MUG": 1, "TEA": 2})
    told: Any = stage.sandbox.order(order_id)
    lines = [line["id"] for line in told["line_items"]]
    first, second = stage.sandbox.split(order_id, [lines[:1], lines[1:]])
    for package_id, number in ((first, "SYN-A"), (second, "SYN-B")):
        stage.sandbox.arrange(order_id, package_id, number, "Synthetic Express")
    at(stage, 1)
    stage.carrier_tells("SYN-A", "picked_up")
    stage.carrier_tells("SYN-B", "damaged")
    at(stage, 2)
    view = shown(stage, order_id)
    assert [(p.kind, p.package_id, p.tracking_number) for p in view.prepared] == [
        ("refund", second, "SYN-B"),
        ("buyer_message", second, "SYN-B"),
    ]
    assert "2 units" in view.prepared[0].text


def test_nothing_is_prepared_for_an_order_that_has_ended(stage: Stage) -> None:
    order_id = on_its_way(stage)
    scanned(stage, order_id, "damaged")
    at(stage, 2)
    assert shown(stage, order_id).prepared
    stage.sandbox.cancel(order_id, "package_damaged", "SYSTEM")
    at(stage, 3)
    assert shown(stage, order_id).prepared == []


# Looking at the marketplace before a verdict, and after


def test_what_the_marketplace_already_knows_as_delivered_is_never_deemed_lost(stage: Stage) -> None:
    order_id = on_its_way(stage)
    stage.until(START + 11 * DAY)
    stage.sandbox.deliver(order_id)
    stage.sandbox.take_webhooks()  # lost on their way
    stage.until(START + 12 * DAY)
    stage.sandbox.fail(Fault(kind="code", path="*/search", times=99))
    stage.settle_down()
    view = shown(stage, order_id)
    assert (view.status, view.verdicts) == ("DELIVERED", [])


def test_a_marketplace_that_does_not_answer_holds_no_verdict_up(stage: Stage) -> None:
    order_id = on_its_way(stage)
    stage.network.down = True
    stage.until(START + 12 * DAY)
    stage.real.pass_time(60)
    stage.sweep()
    rules = {v.rule for v in shown(stage, order_id).verdicts}
    assert rules == {"not_acknowledged", "abnormal_delivery"}


def test_the_marketplaces_cancellation_is_recorded_with_its_reason_and_told(stage: Stage) -> None:
    order_id = placed(stage)
    at(stage, 15 * 24)
    view = shown(stage, order_id)
    assert view.status == "CANCELLED"
    assert view.cancellation is not None
    assert view.cancellation.at == START + 15 * DAY
    assert view.cancellation.by == "SYSTEM"
    assert view.cancellation.reason == "system_cancel_order_untracked"
    (said,) = announced(stage, "order.outcome")
    assert "could not be tracked (system_cancel_order_untracked)" in said
    at(stage, 15 * 24 + 5)
    assert len(announced(stage, "order.outcome")) == 1


def test_an_old_cancellation_found_on_connecting_is_no_news(stage: Stage) -> None:
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.sandbox.cancel(order_id, "package_lost", "SYSTEM")
    stage.marketplace_tells()
    stage.settle_down()
    assert shown(stage, order_id).status == "CANCELLED"
    assert announced(stage, "order.outcome") == []


def test_a_buyers_request_to_cancel_keeps_the_parcel_back_and_is_told_once(stage: Stage) -> None:
    order_id = placed(stage)
    stage.sandbox.request_cancel(order_id)
    at(stage, 1)
    (said,) = announced(stage, "order.cancel_request")
    assert "Keep the parcel back" in said
    scanned(stage, order_id, "picked_up")
    at(stage, 3)
    assert shown(stage, order_id).pushes == []
    assert len(announced(stage, "order.cancel_request")) == 1
    stage.sandbox.close_request(order_id)
    at(stage, 4)
    assert [push.state for push in shown(stage, order_id).pushes] == ["done"]


# Ship by TikTok: handed over, followed, told apart


def test_the_slots_of_a_package_are_shown_before_it_is_shipped(stage: Stage) -> None:
    order_id = by_tiktok(stage)
    (package,) = shown(stage, order_id).packages
    assert package.handover is not None
    assert (package.handover.can_pick_up, package.handover.can_drop_off) == (True, True)
    assert package.handover.drop_off_url
    assert len(package.handover.slots) == 3
    assert all(slot.available and slot.begins > START for slot in package.handover.slots)


def test_a_pickup_is_announced_in_the_shops_time_and_so_is_the_collection(stage: Stage) -> None:
    order_id = by_tiktok(stage)
    stage.sandbox.arrange(order_id)
    at(stage, 1)
    (said,) = announced(stage, "order.pickup")
    assert "between Mon 2 Nov 2026, 10:00 (Asia/Kuala_Lumpur)" in said
    (package,) = shown(stage, order_id).packages
    assert package.pickup_from == START + DAY
    at(stage, 25)
    stage.sandbox.collect(order_id)
    at(stage, 26)
    assert len(announced(stage, "order.collected")) == 1


def test_of_a_pickup_that_is_known_once_its_time_has_begun_people_hear_in_time(
    stage: Stage,
) -> None:
    order_id = by_tiktok(stage)
    stage.sandbox.arrange(order_id)
    at(stage, 25)
    (event,) = [e for e in stage.announced if e["type"] == "order.pickup"]
    (package,) = shown(stage, order_id).packages
    assert package.pickup_from is not None
    assert package.pickup_from < stage.now
    assert event["due_at"] == stamp(package.pickup_until)  # type: ignore[arg-type]
    assert [a["level"] for s, _, a in stage.outlets.published if "pickup" in s] == ["urgent"]


def test_a_dropped_off_parcel_is_announced_by_nobody(stage: Stage) -> None:
    order_id = by_tiktok(stage)
    stage.sandbox.arrange(order_id, handover_method="DROP_OFF")
    at(stage, 1)
    stage.sandbox.collect(order_id)
    at(stage, 2)
    assert announced(stage, "order.pickup") == announced(stage, "order.collected") == []


def followed(stage: Stage, **wish: Any) -> str:
    order_id = by_tiktok(stage, **wish)
    stage.sandbox.arrange(order_id)
    at(stage, 1)
    stage.sandbox.collect(order_id)
    at(stage, 2)
    return order_id


def test_an_exception_that_no_webhook_tells_is_seen_within_a_day(stage: Stage) -> None:
    order_id = followed(stage)
    stage.until(START + 40 * HOUR)
    stage.sandbox.report_exception(order_id, "PACKAGE_LOST")
    at(stage, 24 + 24 + 3)
    (verdict,) = shown(stage, order_id).verdicts
    assert (verdict.rule, verdict.cause, verdict.due_at) == (
        "abnormal_delivery",
        "package_lost",
        START + 40 * HOUR,
    )
    (package,) = shown(stage, order_id).packages
    assert (package.marketplace_status, package.exception) == ("SHIP_EXCEPTION", "PACKAGE_LOST")


def test_delayed_is_told_apart_from_lost(stage: Stage) -> None:
    order_id = followed(stage, delivery_sla_time=int((START + 30 * HOUR).timestamp()))
    at(stage, 30)
    view = shown(stage, order_id)
    assert {(v.rule, v.cause) for v in view.verdicts} == {
        ("delivery_sla_time", None),
        ("delivery_period", None),
        ("abnormal_delivery", "deemed_delayed"),
    }
    assert "is late" in view.prepared[1].text


def package_calls(stage: Stage) -> int:
    return sum("/packages/" in call.path and call.method == "GET" for call in stage.sandbox.calls)


def test_packages_are_read_once_a_status_then_daily_and_no_more(stage: Stage) -> None:
    followed(stage)
    before = package_calls(stage)
    for hour in range(3, 26):
        at(stage, hour)
    assert package_calls(stage) == before
    at(stage, 26.1)
    assert package_calls(stage) == before + 1


def test_a_package_that_cannot_be_read_is_tried_again_in_an_hour(stage: Stage) -> None:
    order_id = followed(stage)
    stage.sandbox.report_exception(order_id, "PACKAGE_DAMAGAED")
    stage.sandbox.fail(Fault(kind="unavailable", path="*/packages/*", times=1))
    at(stage, 26.1)
    assert shown(stage, order_id).verdicts == []
    at(stage, 27.2)
    assert [v.cause for v in shown(stage, order_id).verdicts] == ["package_damagaed"]


def test_a_sellers_parcel_is_followed_by_its_carrier_alone(stage: Stage) -> None:
    on_its_way(stage)
    before = package_calls(stage)
    at(stage, 100)
    assert package_calls(stage) == before


def test_pushes_come_before_the_daily_reading_of_many_packages() -> None:
    stage = Stage(untracked_after=None)
    for _ in range(40):
        stage.sandbox.arrange(
            stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_type="TIKTOK")
        )
    stage.marketplace_tells()
    stage.settle_down(most=30)
    stage.until(START + 25 * HOUR)
    order_id = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1})
    stage.marketplace_tells()
    scanned(stage, order_id, "picked_up")
    stage.real.pass_time(60)
    assert stage.sweep().pushed == 1


@pytest.mark.parametrize(
    ("by_hand", "expected"), [(True, {"collected_to_shipped"}), (False, set())]
)
def test_a_shop_that_marks_by_hand_is_held_to_48_hours(by_hand: bool, expected: set[str]) -> None:
    stage = Stage()
    connect_shop(stage.store, stage.shop(hand_marked=by_hand), TOKENS, stage.real.now, heal=False)
    order_id = placed(stage)
    scanned(stage, order_id, "picked_up", carrier="Nobody Logistics")
    at(stage, 48)
    assert {v.rule for v in shown(stage, order_id).verdicts} == expected


def test_the_timeline_holds_packages_and_requests_too(stage: Stage) -> None:
    order_id = by_tiktok(stage)
    stage.sandbox.arrange(order_id)
    at(stage, 1)
    stage.sandbox.request_cancel(order_id)
    at(stage, 2)
    kinds = Counter(event.kind for event in shown(stage, order_id).events)
    assert kinds["package"] == 1
    assert kinds["case"] == 1


# Warnings


def test_a_carriers_delay_warns_once_a_day_and_is_no_verdict(stage: Stage) -> None:
    order_id = on_its_way(stage)
    scanned(stage, order_id, "delayed", START + 10 * HOUR)
    scanned(stage, order_id, "delayed", START + 11 * HOUR)
    at(stage, 12)
    scanned(stage, order_id, "delayed", START + 40 * HOUR)
    at(stage, 41)
    said = announced(stage, "order.warning")
    assert len(said) == 2
    assert all("as delayed on" in text for text in said)
    assert shown(stage, order_id).verdicts == []


def test_a_report_whose_time_proves_nothing_warns(stage: Stage) -> None:
    order_id = on_its_way(stage)
    scanned(stage, order_id, "damaged", stage.real.now + timedelta(hours=2))
    stage.until(stage.real.now + timedelta(hours=3))
    stage.settle_down()
    assert len(announced(stage, "order.warning")) == 1
    assert "abnormal_delivery" not in {
        v.rule for v in shown(stage, order_id).verdicts if v.cause == "damaged"
    }


# When it may arrive


def test_the_estimate_names_whose_word_it_is_and_ends_with_the_delivery(stage: Stage) -> None:
    assert shown(stage, placed(stage)).estimate is None
    due = int((START + 90 * HOUR).timestamp())
    order_id = placed(stage, delivery_option_required_delivery_time=due)
    view = shown(stage, order_id)
    assert view.estimate is not None
    assert view.estimate.at == START + 90 * HOUR
    assert view.estimate.basis == "the marketplace's delivery_option_required_delivery_time"
    scanned(stage, order_id, "picked_up")
    at(stage, 1)
    stage.sandbox.collect(order_id)
    stage.sandbox.deliver(order_id)
    at(stage, 2)
    assert shown(stage, order_id).estimate is None
    assert estimate(stage.judged(order_id).order, stage.now) is None


# Asleep, twice, at once


def life_with(sweeps: list[float], sweepers: int = 1) -> tuple[Any, Any, Any]:
    """Three orders of which each comes to verdicts, looked at at these hours by one sweeper or by
    some at once."""
    stage = Stage()
    lost, silent, late = on_its_way(stage), placed(stage), followed(stage)
    for hours in (50.0, 60.0):
        stage.carrier_tells(NUMBER, "delivery_attempt_failed", START + hours * HOUR)
    for hours in sweeps:
        stage.until(START + timedelta(hours=hours))
        stage.marketplace_tells()
        stage.real.pass_time(60)
        with ThreadPoolExecutor(sweepers) as pool:
            for done in [pool.submit(stage.sweep) for _ in range(sweepers)]:
                done.result()
    stage.settle_down()
    doubled = {n: c for n, c in Counter(map(repr, stage.announced)).items() if c > sweepers}
    assert doubled == {}
    views = [shown(stage, order_id) for order_id in (lost, silent, late)]
    return (
        [Counter((v.rule, v.cause, v.due_at, v.state) for v in view.verdicts) for view in views],
        [[(p.kind, p.cause) for p in view.prepared] for view in views],
        [[(r.clock, r.local_day) for r in view.reminders] for view in views],
    )


EVERY_3H = [3.0 * n for n in range(1, 17 * 8)]


def test_asleep_for_three_days_the_verdicts_are_the_same_and_no_reminder_is_doubled() -> None:
    verdicts, prepared, reminders = life_with(EVERY_3H)
    asleep = [hours for hours in EVERY_3H if not 6 * 24 < hours < 9 * 24]
    slept = life_with(asleep)
    assert slept[:2] == (verdicts, prepared)
    for mine, all_of_them in zip(slept[2], reminders, strict=True):
        assert set(mine) <= set(all_of_them)
        assert len(set(mine)) == len(mine)
    assert len(reminders[1]) - len(slept[2][1]) == 3 - 1  # the day of waking has its own


def test_swept_by_three_at_once_it_ends_alike() -> None:
    assert life_with(EVERY_3H, sweepers=3) == life_with(EVERY_3H)


def test_swept_twice_and_at_odd_times_it_ends_alike() -> None:
    usual = life_with(EVERY_3H)
    assert life_with(sorted([*EVERY_3H, *EVERY_3H])) == usual
    odd = [hours + 0.013 for hours in EVERY_3H]
    assert life_with(odd)[:2] == usual[:2]
