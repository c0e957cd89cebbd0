"""Whatever world it is: each effect once, and in the end both sides say the same."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.faults import Fault
from sandbox.shops import EVERY_SCOPE
from shipclock import aftermath, asking, pushes
from shipclock.connect import connect_shop
from shipclock.domain.order import Order
from shipclock.domain.push import Effect, Intent, IntentState
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Outcome
from shipclock.reconcile import Reconciler
from tests.stage import SHOP_ID, Stage
from tests.test_faults import consented
from tests.worlds.judge import judged_world
from tests.worlds.many import smaller, wrong_in
from tests.worlds.plans import Plan, made_up
from tests.worlds.play import Play

HOUR = timedelta(hours=1)
TIKTOK = MARKETPLACES["tiktok_shop"]


def right(plan: Plan) -> None:
    """Play a world; where it goes wrong, tell it as small as it goes."""
    if wrong_in(plan):
        plan = smaller(plan, 100)
        raise AssertionError("\n".join([str(plan), *wrong_in(plan)]))


@pytest.mark.parametrize("number", range(12))
def test_a_small_world_comes_right(number: int) -> None:
    right(made_up(f"suite:{number}", 8))


@settings(max_examples=8, deadline=None)
@given(number=st.integers(0, 10**9), most_orders=st.integers(1, 6))
def test_any_world_comes_right(number: int, most_orders: int) -> None:
    right(made_up(f"any:{number}", most_orders))


def test_a_calm_world_has_no_doubts() -> None:
    play = Play(made_up("calm:1", 12, calm=True))
    play.play()
    assert judged_world(play) == []
    assert not any(call.fault for call in play.sandbox.calls)
    assert not any(line.name == "push.unclear" for line in play.lines)
    assert len(play.effects) > 5


def repeated_at_once(intent: Intent, outcome: Outcome, real: datetime, now: datetime) -> Intent:
    told = AFTER(intent, outcome, real, now)
    if told.state is not IntentState.UNCLEAR:
        return told
    return replace(told, state=IntentState.PENDING, unclear_at=None)


def taken_for_done(order: Order, intent: Intent) -> Effect:
    return Effect.SEEN


AFTER = aftermath.after


@pytest.mark.parametrize(
    ("where", "name", "broken"),
    [
        (pushes, "after", repeated_at_once),
        (TIKTOK, "effect", taken_for_done),
        (Reconciler, "run", lambda _: None),
    ],
)
def test_a_broken_product_is_noticed(
    monkeypatch: pytest.MonkeyPatch, where: Any, name: str, broken: Any
) -> None:
    """Else the worlds that come right would say nothing."""
    monkeypatch.setattr(where, name, broken)
    assert any(wrong_in(made_up(f"broken:{number}", 12)) for number in range(10))


def placed(stage: Stage, shipping_type: str = "SELLER") -> str:
    """An order that is known to us."""
    order_id = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_type=shipping_type)
    stage.marketplace_tells()
    stage.sweep()
    return order_id


# What random worlds have found


def test_a_label_of_the_marketplaces_own_proves_a_doubtful_push_whatever_was_scanned() -> None:
    stage = Stage()
    order_id = placed(stage, "TIKTOK")
    stage.carrier_tells("SYN-0001", "picked_up", order_id=order_id)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/ship"))
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["done"]
    assert [effect.call for effect in stage.effects] == ["ship_package"]


def test_a_withdrawn_cancel_request_whose_webhook_is_lost_stops_no_push() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.sweep()
    stage.carrier_tells("SYN-0001", "picked_up", order_id=order_id)
    stage.until(stage.now + 3 * HOUR)
    placed(stage)  # from here on the search for orders reads two hours back, and not this far
    stage.settle_down()
    stage.sandbox.close_request(order_id)
    stage.sandbox.take_webhooks()  # lost
    stage.until(stage.now + HOUR)
    stage.settle_down()
    assert stage.judged(order_id).order.cancel_open is False
    assert list(stage.intents(order_id).values()) == ["done"]


def test_what_was_asked_of_an_order_that_has_ended_goes_out_after_a_reconnection() -> None:
    stage = Stage()
    stage.sandbox.set_shop(SHOP_ID, scopes=[*EVERY_SCOPE])
    order_id = placed(stage)
    stage.sandbox.cancel(order_id, "package_lost", "OPERATOR")
    stage.until(stage.now + 3 * HOUR)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.settle_down()
    asking.ask(stage.store, order_id, "message", {"text": "We are sorry."}, stage.real.now)
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["pending"]
    assert connect_shop(stage.store, stage.shop(), consented(stage), stage.real.now)
    stage.until(stage.now + 25 * HOUR)
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["done"]


def test_a_changed_number_is_seen_on_an_order_that_was_combined_since() -> None:
    stage = Stage()
    first, second = placed(stage), placed(stage)
    (package,) = stage.judged(first).order.packages
    words = {"tracking_number": "NEW-0001", "carrier": "Synthetic Express"}
    old = package.package_id
    asking.ask(stage.store, first, "renumber", words, stage.real.now, package_id=old)
    stage.settle_down()
    stage.sandbox.combine([first, second])
    stage.marketplace_tells()
    stage.carrier_tells("SYN-0001", "picked_up", order_id=first)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/shipping_info/update"))
    stage.settle_down()
    calls = [effect.call for effect in stage.effects]
    assert calls == ["ship_package", "update_order_shipping_info"]
    told = {key: state for key, state in stage.intents(first).items() if key.startswith("update")}
    assert told == {f"update_order_shipping#{old}#NEW0001": "done"}


def test_a_refund_whose_proof_could_not_be_read_stays_in_doubt_and_then_is_seen() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.sandbox.arrange(order_id, None, "HAND-0001", "Synthetic Express")
    stage.marketplace_tells()
    stage.settle_down()
    asking.ask(stage.store, order_id, "refund", {"reason": "lost"}, stage.real.now)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/returns"))
    stage.sandbox.fail(Fault("unavailable", path="*/returns/search"))
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["unclear"]
    stage.until(stage.now + HOUR)
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["done"]
    assert [effect.call for effect in stage.effects] == ["create_return"]


def test_a_rejection_is_seen_on_an_order_that_was_cancelled_later() -> None:
    stage = Stage()
    order_id = placed(stage)
    case = stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    reason = "seller_reject_apply_product_has_been_packed"
    words = {"case": case, "answer": "reject", "reason": reason}
    asking.ask(stage.store, order_id, "answer", words, stage.real.now)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/reject"))
    stage.sweep(seconds=30)  # no time left for the look that shows what became of it
    assert list(stage.intents(order_id).values()) == ["unclear"]
    stage.sandbox.cancel(order_id, "package_lost", "OPERATOR")
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["done"]
