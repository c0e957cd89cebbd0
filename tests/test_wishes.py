"""Of what is asked for, prepared and allowed goes out what was meant, no more and once."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.shops import EVERY_SCOPE
from shipclock import asking
from shipclock.domain.push import Deed, Intent
from shipclock.domain.tracking import UNCONFIRMED, TrackingStatus
from shipclock.wishes import APPROVE, wanted
from tests.scenes import ask, effects, package, placed, shown, stage_of, under_way
from tests.stage import SHOP_ID, Stage
from tests.test_deeds import HOUR, reject_reason, settings, shipped

PAIRS = [("approve", "reject"), ("reject", "approve")]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def intents(stage: Stage, order_id: str, call: str) -> list[Intent]:
    found = asking.intents(stage.store, order_id)
    return [intent for intent in found if intent.call == call]


def wishing(stage: Stage) -> tuple[str, str]:
    """An order that its buyer wishes to be cancelled, and the request's id."""
    order_id = placed(stage)
    case_id = stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    return order_id, case_id


# The last word counts


@pytest.mark.parametrize("said", PAIRS)
def test_a_buyer_is_answered_as_was_said_last(stage: Stage, said: Sequence[str]) -> None:
    order_id, case_id = wishing(stage)
    why = reject_reason(stage, order_id)
    for answer in said:
        more = {"reason": why} if answer == "reject" else {}
        ask(stage, order_id, "answer", case=case_id, answer=answer, **more)
    stage.settle_down()
    answered = [e.call for e in stage.effects if e.order_id == order_id]
    assert answered == [f"{said[-1]}_cancellation"]


def test_a_persons_no_counts_more_than_the_setting_that_says_yes(stage: Stage) -> None:
    order_id, case_id = wishing(stage)
    why = reject_reason(stage, order_id)
    settings(stage, automatic=("approve_cancellation",))
    ask(stage, order_id, "answer", case=case_id, answer="reject", reason=why)
    stage.settle_down()
    assert stage.judged(order_id).order.status == "AWAITING_SHIPMENT"
    assert effects(stage, order_id, "approve_cancellation") == 0


@pytest.mark.parametrize("numbers", [("SYN-0002", "SYN-0009"), ("SYN-0009", "SYN-0002")])
def test_the_number_said_last_is_the_one_told(stage: Stage, numbers: Sequence[str]) -> None:
    order_id = shipped(stage)
    for number in numbers:
        ask(stage, order_id, "renumber", tracking_number=number, carrier="Synthetic Express")
    stage.settle_down()
    assert [e.tracking_number for e in stage.effects] == ["SYN-0001", numbers[-1]]


@pytest.mark.parametrize("methods", [("DROP_OFF", "PICKUP"), ("PICKUP", "DROP_OFF")])
def test_the_handover_said_last_is_the_one_arranged(stage: Stage, methods: Sequence[str]) -> None:
    order_id = placed(stage, shipping_type="TIKTOK")
    for method in methods:
        ask(stage, order_id, "ship", package(stage, order_id), handover_method=method)
    stage.settle_down()
    done = {i.says["handover_method"] for i in intents(stage, order_id, "ship_package")}
    assert done == {methods[-1]}


@pytest.mark.parametrize("again", ["{1},{0}", " {0} , {1} ", "{0},{1},{1}"])
def test_the_same_units_in_another_order_are_the_same_wish(stage: Stage, again: str) -> None:
    order_id = placed(stage, items={"MUG": 2})
    facts = stage.judged(order_id).order.facts
    assert facts is not None
    units = [line.line_id for line in facts.lines]
    for lines in ("{0},{1}", again):
        ask(stage, order_id, "refund", reason="lost", lines=lines.format(*units))
    stage.settle_down()
    assert len(intents(stage, order_id, "create_return")) == 1


@pytest.mark.parametrize("market", ["MY", "UK"])
def test_what_a_person_cancels_is_not_shipped_first(market: str) -> None:
    stage = stage_of(market)
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason="out_of_stock")
    stage.carrier_tells("SYN-0001", "picked_up", order_id=order_id)
    stage.settle_down()
    assert [e.call for e in stage.effects if e.order_id == order_id] == ["cancel_order"]


def test_a_scan_is_the_same_wish_before_and_after_its_package_has_an_id() -> None:
    stage = stage_of("US", {"self_delivered": True})
    order_id = under_way(stage)
    order, shop = stage.judged(order_id).order, stage.shop(self_delivered=True)
    (package_now,) = order.packages
    before = dataclasses.replace(package_now, package_id="")
    wishes = [
        wanted(dataclasses.replace(order, packages=(each,)), (), shop)
        for each in (before, package_now)
    ]
    assert wishes[0]
    assert wishes[0] == wishes[1]


@pytest.mark.parametrize(
    ("flags", "told"), [((), True), (("final",), True), ((UNCONFIRMED,), False)]
)
def test_a_delivery_is_told_only_where_its_words_are_certain(
    flags: tuple[str, ...], told: bool
) -> None:
    stage = stage_of("US", {"self_delivered": True})
    order_id = under_way(stage)
    order = stage.judged(order_id).order
    (parcel,) = [p.parcel for p in order.packages if p.parcel]
    end = dataclasses.replace(
        parcel.scans[-1],
        identity="the end",
        status=TrackingStatus.DELIVERED,
        occurred_at=parcel.scans[-1].occurred_at + HOUR,
        flags=flags,
    )
    ended = dataclasses.replace(parcel, scans=(*parcel.scans, end))
    (package_now,) = order.packages
    order = dataclasses.replace(order, packages=(dataclasses.replace(package_now, parcel=ended),))
    for settings_ in ({"hand_marked": True}, {"self_delivered": True}):
        wishes = wanted(order, (), stage.shop(**settings_))
        deeds = [
            w.deed for w in wishes if w.deed is Deed.DELIVER or w.says.get("status") == "delivered"
        ]
        assert bool(deeds) is told


# Yes to a buyer, by setting


@pytest.mark.parametrize(
    ("scan", "approved"), [("", 1), ("info_received", 1), ("picked_up", 0), ("out_for_delivery", 0)]
)
def test_no_setting_cancels_what_a_carrier_has_in_hand(
    stage: Stage, scan: str, approved: int
) -> None:
    """The marketplace learns of it after the carrier does."""
    settings(stage, automatic=("approve_cancellation",))
    order_id = placed(stage)
    stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    if scan:
        stage.carrier_tells("SYN-0001", scan, order_id=order_id)
    stage.settle_down()
    assert effects(stage, order_id, "approve_cancellation") == approved


# What a verdict prepared


def in_two_packages(stage: Stage, **changes: Any) -> tuple[str, list[str]]:
    """An order on its way in two packages, and the unit in each."""
    settings(stage, **changes)
    order_id = placed(stage, items={"MUG": 1, "CUP": 1})
    facts = stage.judged(order_id).order.facts
    assert facts is not None
    units = [line.line_id for line in facts.lines]
    stage.sandbox.split(order_id, [[unit] for unit in units])
    stage.marketplace_tells()
    stage.settle_down()
    facts = stage.judged(order_id).order.facts
    assert facts is not None
    for number, line in enumerate(facts.lines):
        told = {"tracking_number": f"SYN-{number}", "carrier": "Synthetic Express"}
        ask(stage, order_id, "ship", line.package_id, **told)
    stage.settle_down()
    for number in range(len(units)):
        stage.carrier_tells(f"SYN-{number}", "picked_up", order_id=order_id)
    stage.settle_down()
    stage.until(stage.now + HOUR)
    stage.sandbox.collect(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    return order_id, units


def approve_all(stage: Stage, order_id: str, kind: str) -> None:
    verdicts = stage.judged(order_id).recorded.verdicts.values()
    for verdict in verdicts:
        if verdict.rule == "abnormal_delivery":
            ask(stage, order_id, APPROVE, kind=kind, verdict=verdict.key)
    stage.settle_down()


def test_of_a_lost_package_only_its_own_units_are_refunded(stage: Stage) -> None:
    order_id, units = in_two_packages(stage)
    stage.carrier_tells("SYN-0", "lost")
    stage.settle_down()
    approve_all(stage, order_id, "refund")
    (refund,) = intents(stage, order_id, "create_return")
    assert (refund.state.value, refund.says["lines"]) == ("done", units[0])


def test_a_yes_to_one_verdict_lets_out_no_other(stage: Stage) -> None:
    order_id, units = in_two_packages(stage)
    stage.carrier_tells("SYN-0", "lost")
    stage.settle_down()
    approve_all(stage, order_id, "refund")
    stage.until(stage.now + HOUR)  # the first is no longer under way
    stage.carrier_tells("SYN-1", "lost")
    stage.settle_down()
    assert len(intents(stage, order_id, "create_return")) == 1
    approve_all(stage, order_id, "refund")
    refunds = intents(stage, order_id, "create_return")
    assert {r.says["lines"]: r.state.value for r in refunds} == dict.fromkeys(units, "done")
    assert effects(stage, order_id, "create_return") == 2


def test_where_nobody_can_tell_which_units_are_lost_none_are_refunded(stage: Stage) -> None:
    """A third number, of no package that the marketplace shows."""
    order_id, _ = in_two_packages(stage, automatic=("refund",))
    stage.carrier_tells("SYN-7", "picked_up", order_id=order_id)
    stage.carrier_tells("SYN-7", "lost", order_id=order_id)
    stage.settle_down()
    (refund,) = intents(stage, order_id, "create_return")
    assert (refund.state.value, refund.reason) == (
        "not_allowed",
        "nobody can tell which units are meant",
    )
    assert effects(stage, order_id, "create_return") == 0


def test_of_one_verdict_the_buyer_gets_one_message_though_its_words_change(stage: Stage) -> None:
    """Once the order is shipped, not a cancellation but a refund is offered."""
    stage.sandbox.set_shop(SHOP_ID, scopes=list(EVERY_SCOPE))
    settings(stage, automatic=("buyer_message",))
    order_id = placed(stage)
    stage.carrier_tells("SYN-0001", "picked_up", order_id=order_id)
    stage.carrier_tells("SYN-0001", "lost")
    stage.settle_down()
    assert stage.judged(order_id).order.status == "AWAITING_COLLECTION"
    assert [i.state.value for i in intents(stage, order_id, "message")] == ["done"]


def test_a_buyer_is_not_told_that_a_parcel_is_lost_which_the_marketplace_saw_delivered(
    stage: Stage,
) -> None:
    stage.sandbox.set_shop(SHOP_ID, scopes=list(EVERY_SCOPE))
    settings(stage, automatic=("buyer_message",))
    order_id = shipped(stage)
    stage.until(stage.now + HOUR)
    stage.sandbox.collect(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(stage.now + HOUR)
    stage.sandbox.deliver(order_id)
    stage.sandbox.take_webhooks()  # lost
    stage.carrier_tells("SYN-0001", "lost", stage.now - HOUR / 2)
    stage.settle_down()
    assert stage.judged(order_id).order.status == "DELIVERED"
    assert [i.state.value for i in intents(stage, order_id, "message")] == ["withdrawn"]


# Parts, one after another


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer"])
@pytest.mark.parametrize(
    ("deed", "reason", "call", "path"),
    [
        ("cancel", "out_of_stock", "cancel_order", "cancellations"),
        ("refund", "deemed_lost", "create_return", "returns"),
    ],
)
def test_of_two_parts_each_is_undone_once_though_an_answer_is_lost(
    deed: str, reason: str, call: str, path: str, kind: str
) -> None:
    """What was done for the first must not pass for the effect of the second."""
    stage = stage_of("US" if deed == "cancel" else "MY")
    order_id = (placed if deed == "cancel" else under_way)(stage, items={"MUG": 2})
    facts = stage.judged(order_id).order.facts
    assert facts is not None
    for number, line in enumerate(facts.lines):
        if number:
            stage.sandbox.fail(Fault(kind, path=f"/return_refund/*/{path}"))
        ask(stage, order_id, deed, reason=reason, lines=line.line_id)
        for _ in range(2):
            stage.until(stage.now + HOUR / 2)
            stage.settle_down()
    undone = [i for i in asking.intents(stage.store, order_id) if i.deed == deed]
    assert [intent.state.value for intent in undone] == ["done", "done"]
    assert effects(stage, order_id, call) == 2


def test_an_order_of_which_a_part_was_cancelled_may_go_on() -> None:
    """Nobody is to stop the parcel with the rest of it."""
    stage = stage_of("US")
    order_id = placed(stage, items={"MUG": 2})
    facts = stage.judged(order_id).order.facts
    assert facts is not None
    ask(stage, order_id, "cancel", reason="out_of_stock", lines=facts.lines[0].line_id)
    stage.settle_down()
    stage.until(stage.now + HOUR)
    stage.carrier_tells("SYN-0001", "picked_up", order_id=order_id)
    stage.settle_down()
    view = shown(stage, order_id)
    assert view.status == "AWAITING_COLLECTION"
    assert {push.call: push.state for push in view.pushes} == {
        "cancel": "done",
        "mark_package_as_shipped": "done",
    }
    assert view.drift == []


def test_two_packages_lost_within_the_hour_are_both_refunded_one_after_the_other() -> None:
    stage = Stage()
    order_id, units = in_two_packages(stage, automatic=("refund",))
    for number in range(len(units)):
        stage.carrier_tells(f"SYN-{number}", "lost")
    for _ in range(8):
        stage.until(stage.now + HOUR)
        stage.marketplace_tells()
        stage.settle_down()
    refunds = intents(stage, order_id, "create_return")
    assert sorted(i.state.value for i in refunds) == ["done", "done"], refunds
    assert sum(effect.call == "create_return" for effect in stage.effects) == 2
