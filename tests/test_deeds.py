"""What a person asks for, a setting allows, an own fleet reports: told to the marketplace once."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.shops import SCOPES
from shipclock import asking, codec, rows
from shipclock.asking import NotAsked
from shipclock.blobs import KEPT, put_blob, read_blob
from shipclock.connect import connect_shop
from shipclock.domain.event import Request
from shipclock.marketplaces.protocol import Blob
from shipclock.ports import HttpReply, HttpRequest, Put
from shipclock.wishes import APPROVE
from tests.stage import SHOP_ID, TOKENS, Stage

HOUR = timedelta(hours=1)
STOCK = "out_of_stock"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def placed(stage: Stage, **wish: Any) -> str:
    """An order that is known to us."""
    wish = {"status": "AWAITING_SHIPMENT", "items": {"MUG": 1}} | wish
    order_id = stage.sandbox.add_order(SHOP_ID, **wish)
    stage.marketplace_tells()
    stage.sweep()
    return order_id


def ask(stage: Stage, order_id: str, deed: str, package_id: str = "", **says: str) -> Request:
    stage.real.pass_time(1)
    return asking.ask(
        stage.store, order_id, deed, says, stage.real.now, by="a test", package_id=package_id
    )


def told(stage: Stage, order_id: str) -> dict[str, str]:
    """What became of every push of an order, by its call."""
    intents = stage.judged(order_id).recorded.intents.values()
    return {intent.call: intent.state.value for intent in intents}


def reason(stage: Stage, order_id: str) -> str:
    (intent,) = stage.judged(order_id).recorded.intents.values()
    return f"{intent.reason}. {intent.advice}"


def calls(stage: Stage, path: str, method: str = "POST") -> int:
    found = [c for c in stage.sandbox.calls if c.path.endswith(path) and c.method == method]
    return len(found)


def effects(stage: Stage, order_id: str) -> list[str]:
    return [effect.call for effect in stage.effects if effect.order_id == order_id]


def settings(stage: Stage, **changes: Any) -> None:
    """The same shop, connected with other settings."""
    connect_shop(stage.store, stage.shop(**changes), TOKENS, stage.real.now, heal=False)


# Asking


@pytest.mark.parametrize(
    ("deed", "package_id", "says", "wrong"),
    [
        ("explode", "", {}, "can't be asked for"),
        ("cancel", "", {}, "needs reason"),
        ("cancel", "", {"reason": " "}, "needs reason"),
        ("cancel", "P1", {"reason": STOCK}, "whole order"),
        ("cancel", "", {"reason": STOCK, "colour": "red"}, "knows nothing of colour"),
        ("deliver", "", {"delivery_type": "DELIVERY_SUCCESS"}, "name it"),
        ("deliver", "P1", {"delivery_type": "LOST"}, "is one of"),
        ("ship", "P1", {"handover_method": "CATAPULT"}, "is one of"),
        ("answer", "", {"case": "1", "answer": "maybe"}, "is one of"),
        ("message", "", {"text": "x" * 2001}, "2001 characters"),
        ("deliver", "P1", {"delivery_type": "DELIVERY_FAILED"}, "why a delivery failed"),
        ("deliver", "P1", {"delivery_type": "UPDATE_POD", "reason": "OTHER"}, "to no other"),
        ("track", "", {}, "can't be asked for"),
        ("ship", "P" * 65, {}, "no package's id"),
        ("ship", "P#1", {}, "no package's id"),
        ("ship", "P1", {"tracking_number": "N" * 65}, "at most 64"),
        ("renumber", "", {"tracking_number": "\u0660", "carrier": "X"}, "at most 64"),
        ("cancel", "", {"reason": STOCK, "lines": "1,,2"}, "commas"),
        ("refund", "", {"reason": STOCK, "lines": "1" * 65}, "commas"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(
    stage: Stage, deed: str, package_id: str, says: dict[str, str], wrong: str
) -> None:
    order_id = placed(stage)
    with pytest.raises(NotAsked, match=wrong):
        ask(stage, order_id, deed, package_id, **says)
    assert not stage.judged(order_id).order.requests


def test_nothing_is_asked_of_an_order_that_nobody_knows(stage: Stage) -> None:
    with pytest.raises(NotAsked, match="no order 576"):
        ask(stage, "576000000000009999", "cancel", reason=STOCK)


@pytest.mark.parametrize(
    ("deed", "package_id", "says"),
    [
        ("ship", "P" * 64, {"tracking_number": "N" * 64, "carrier": "X"}),
        ("renumber", "P" * 64, {"tracking_number": "N" * 64, "carrier": "X"}),
        ("cancel", "", {"reason": STOCK, "lines": ",".join(["5" * 18] * 105)}),
        ("refund", "", {"reason": "x" * 2000, "lines": ",".join(["5" * 30] * 64)}),
        ("message", "", {"text": "ü" * 2000}),
    ],
)
def test_the_longest_words_that_are_taken_stop_no_order(
    stage: Stage, deed: str, package_id: str, says: dict[str, str]
) -> None:
    """What is asked for stands in the intent's key, and keys have a longest length."""
    order_id = placed(stage)
    ask(stage, order_id, deed, package_id, **says)
    stage.settle_down()
    assert not [line for line in stage.lines if line.name.endswith("failing")]
    assert not any(
        "due_at" in row for row in stage.memory.read(rows.order_pk(order_id), rows.EVENT)
    )


def test_of_one_order_no_more_is_asked_than_people_ask(stage: Stage) -> None:
    """Thousands of requests would leave no room for the marketplace's own webhooks."""
    order_id = placed(stage)
    for number in range(asking.MOST):
        ask(stage, order_id, "message", text=f"Message {number}.")
    with pytest.raises(NotAsked, match="Seller Center"):
        ask(stage, order_id, "message", text="One more.")
    said, now = {"text": "Message 7."}, stage.real.now
    asking.ask(stage.store, order_id, "message", said, now, revoked=True)
    assert len(stage.judged(order_id).order.requests) == asking.MOST - 1


# Cancelling


def test_an_order_is_cancelled_once_after_it_was_read_again_and_found_eligible(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    before = calls(stage, "/orders", "GET")
    ask(stage, order_id, "cancel", reason=STOCK)
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.settle_down()
    assert told(stage, order_id) == {"cancel": "done"}
    assert effects(stage, order_id) == ["cancel_order"]
    assert calls(stage, "/orders", "GET") >= before + 2  # right before, and after
    assert stage.judged(order_id).order.status == "CANCELLED"


def test_a_reason_that_the_marketplace_does_not_offer_is_refused_with_those_it_does(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason="changed my mind")
    stage.settle_down()
    assert told(stage, order_id) == {"cancel": "refused"}
    assert "seller_cancel_reason_out_of_stock" in reason(stage, order_id)
    assert effects(stage, order_id) == []
    again = ask(stage, order_id, "cancel", reason="seller_cancel_reason_out_of_stock")
    assert again.says["reason"] == "seller_cancel_reason_out_of_stock"


def test_what_is_asked_for_no_longer_is_not_done(stage: Stage) -> None:
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.real.pass_time(1)
    asking.ask(stage.store, order_id, "cancel", {"reason": STOCK}, stage.real.now, revoked=True)
    stage.settle_down()
    assert told(stage, order_id) == {}
    assert effects(stage, order_id) == []


def test_an_order_that_has_left_is_not_cancelled_and_the_seller_reads_why(stage: Stage) -> None:
    order_id = placed(stage)
    stage.sandbox.arrange(order_id, None, "HAND-0009", "Synthetic Express")
    stage.marketplace_tells()
    stage.settle_down()
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.settle_down()
    assert told(stage, order_id) == {"cancel": "not_allowed"}
    assert "AWAITING_COLLECTION" in reason(stage, order_id)
    assert effects(stage, order_id) == []


def test_an_order_that_left_unheard_of_is_seen_before_it_is_cancelled(stage: Stage) -> None:
    """The last look right before what can't be undone."""
    order_id = placed(stage)
    stage.sandbox.arrange(order_id, None, "HAND-0009", "Synthetic Express")
    stage.sandbox.take_webhooks()  # lost
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.settle_down()
    assert told(stage, order_id) == {"cancel": "not_allowed"}
    assert calls(stage, "/cancellations") == 0


def test_an_order_that_cannot_be_read_is_not_cancelled_meanwhile(stage: Stage) -> None:
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.sandbox.fail(Fault("unavailable", path="/order/*", times=3))
    stage.real.pass_time(60)
    stage.sweep()
    assert (told(stage, order_id), effects(stage, order_id)) == ({"cancel": "pending"}, [])
    for _ in range(8):
        stage.until(stage.now + timedelta(minutes=2))
        stage.real.pass_time(60)
        stage.sweep()
    assert (told(stage, order_id), effects(stage, order_id)) == (
        {"cancel": "done"},
        ["cancel_order"],
    )


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer", "html", "truncated"])
def test_a_cancellation_whose_answer_is_lost_has_one_effect(stage: Stage, kind: str) -> None:
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.sandbox.fail(Fault(kind, path="/return_refund/*/cancellations"))
    for _ in range(4):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down()
    assert told(stage, order_id) == {"cancel": "done"}
    assert effects(stage, order_id) == ["cancel_order"]


# Answering a buyer


@pytest.mark.parametrize(
    ("answer", "more", "status", "effect"),
    [
        ("approve", {}, "CANCELLED", "approve_cancellation"),
        ("reject", {"reason": "seller_reject_apply_package_shipped"}, "AWAITING_SHIPMENT", ""),
    ],
)
def test_a_buyers_wish_to_cancel_is_answered(
    stage: Stage, answer: str, more: dict[str, str], status: str, effect: str
) -> None:
    order_id = placed(stage)
    case_id = stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    order = stage.judged(order_id).order
    assert (order.cancel_case, order.cancel_by is not None) == (case_id, True)
    if more:
        more = {"reason": reject_reason(stage, order_id)}
    ask(stage, order_id, "answer", case=case_id, answer=answer, **more)
    stage.settle_down()
    assert told(stage, order_id) == {f"{answer}_cancellation": "done"}
    assert effects(stage, order_id) == [f"{answer}_cancellation"]
    order = stage.judged(order_id).order
    assert (order.status, order.cancel_open) == (status, False)


def reject_reason(stage: Stage, order_id: str) -> str:
    """One that the marketplace offers, learned from its refusal of another."""
    case_id = stage.judged(order_id).order.cancel_case
    ask(stage, order_id, "answer", case=case_id, answer="reject", reason="because")
    stage.settle_down()
    (intent,) = stage.judged(order_id).recorded.intents.values()
    assert intent.state.value == "refused"
    offered = intent.advice.removesuffix(".").partition("one of: ")[2].split(", ")
    return offered[0]


def test_a_setting_approves_a_buyers_wish_while_nothing_has_left(stage: Stage) -> None:
    settings(stage, automatic=("approve_cancellation",))
    order_id = placed(stage)
    stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    assert effects(stage, order_id) == ["approve_cancellation"]
    assert stage.judged(order_id).order.status == "CANCELLED"


def test_a_request_whose_deadline_was_put_off_is_seen_before_anybody_is_alarmed(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    due = stage.judged(order_id).order.cancel_by
    assert due is not None
    (case,) = stage.sandbox._world.cases.values()
    case.deadline += 48 * 3600  # put off by the marketplace: nothing else of the order changes
    stage.until(due)
    assert stage.sandbox.take_webhooks() == []
    stage.real.pass_time(60)
    stage.sweep()
    order = stage.judged(order_id).order
    assert order.cancel_by is not None
    assert order.cancel_by > due
    assert "buyer_cancel_request" not in stage.verdicts(order_id)


# Giving money back


def lost(stage: Stage) -> str:
    """An order on its way whose parcel its carrier has lost."""
    order_id = lost_unsettled(stage)
    stage.settle_down()
    return order_id


def lost_unsettled(stage: Stage) -> str:
    order_id = placed(stage)
    stage.carrier_tells("SYN-LOST-1", "picked_up", order_id=order_id)
    stage.settle_down()
    stage.until(stage.now + HOUR)
    stage.sandbox.collect(order_id)
    stage.marketplace_tells()
    stage.carrier_tells("SYN-LOST-1", "lost")
    return order_id


def test_what_a_verdict_prepared_goes_out_once_a_person_approves(stage: Stage) -> None:
    order_id = lost(stage)
    assert told(stage, order_id) == {"ship_package": "done"}
    verdicts = stage.judged(order_id).recorded.verdicts
    (key,) = (key for key, verdict in verdicts.items() if verdict.rule == "abnormal_delivery")
    ask(stage, order_id, APPROVE, kind="refund", verdict=key)
    stage.settle_down()
    assert told(stage, order_id)["create_return"] == "done"
    assert effects(stage, order_id) == ["ship_package", "create_return"]


def test_a_setting_sends_what_a_verdict_prepared(stage: Stage) -> None:
    settings(stage, automatic=("refund",))
    order_id = lost(stage)
    assert told(stage, order_id)["create_return"] == "done"
    assert Counter(effects(stage, order_id))["create_return"] == 1


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer"])
def test_a_refund_whose_answer_is_lost_is_given_once(stage: Stage, kind: str) -> None:
    settings(stage, automatic=("refund",))
    stage.sandbox.fail(Fault(kind, path="/return_refund/*/returns"))
    order_id = lost(stage)
    for _ in range(4):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down()
    assert told(stage, order_id)["create_return"] == "done"
    assert Counter(effects(stage, order_id))["create_return"] == 1


@pytest.mark.parametrize("kind", ["unavailable", "html", "no_answer"])
def test_a_refund_in_doubt_is_not_repeated_before_the_returns_were_read(
    stage: Stage, kind: str
) -> None:
    """The order itself shows no refund, so that without them it would seem to have had no effect;
    repeated, it would be refused, and a person be sent to give the money once more."""
    settings(stage, automatic=("refund",))
    stage.sandbox.fail(Fault("effect_no_answer", path="/return_refund/*/returns"))
    stage.sandbox.fail(Fault(kind, path="/return_refund/*/returns/search", times=12))
    order_id = lost_unsettled(stage)
    states = []
    for _ in range(20):
        stage.until(stage.now + HOUR)
        stage.real.pass_time(60)
        stage.sweep()
        states.append(told(stage, order_id)["create_return"])
    assert list(dict.fromkeys(states)) == ["unclear", "done"]
    assert calls(stage, "/returns") == 1
    assert Counter(effects(stage, order_id))["create_return"] == 1


# Shipping


def test_a_person_arranges_the_fetching_of_what_the_marketplace_ships(stage: Stage) -> None:
    order_id = placed(stage, shipping_type="TIKTOK")
    package = stage.judged(order_id).order.packages[0].package_id
    ask(stage, order_id, "ship", package, handover_method="DROP_OFF")
    stage.settle_down()
    assert told(stage, order_id) == {"ship_package": "done"}
    assert effects(stage, order_id) == ["ship_package"]
    assert stage.judged(order_id).order.status == "AWAITING_COLLECTION"


def test_a_person_enters_a_number_by_hand(stage: Stage) -> None:
    order_id = placed(stage)
    package = stage.judged(order_id).order.packages[0].package_id
    number, carrier = "HAND-0001", "Synthetic Express"
    ask(stage, order_id, "ship", package, tracking_number=number, carrier=carrier)
    stage.settle_down()
    assert told(stage, order_id) == {"ship_package": "done"}
    (shipped,) = stage.effects
    assert shipped.tracking_number == "HAND-0001"


def test_the_older_body_of_marking_as_shipped_is_sent_where_a_shop_pins_it() -> None:
    stage = Stage("US", "America/New_York")
    settings(stage, versions={"mark_package_as_shipped": "202309"})
    order_id = shipped(stage)
    assert told(stage, order_id) == {"mark_package_as_shipped": "done"}
    (path,) = {c.path for c in stage.sandbox.calls if c.path.endswith(f"/{order_id}/packages")}
    assert "/202309/" in path


def test_an_order_that_the_buyer_fetches_is_readied_and_handed_over_by_its_code(
    stage: Stage,
) -> None:
    order_id = placed(stage, shipping_type="IN-STORE PICKUP", pickup_code="4711")
    package = package_of(stage, order_id)
    ask(stage, order_id, "ship", package)
    stage.settle_down()
    assert told(stage, order_id) == {"ship_package": "done"}
    success = {"delivery_type": "DELIVERY_SUCCESS"}
    ask(stage, order_id, "deliver", package, verification_code="0815", **success)
    stage.settle_down()
    assert told(stage, order_id)["deliver"] == "pending"  # refused as malformed: it may be mended
    ask(stage, order_id, "deliver", package, verification_code="4711", **success)
    stage.settle_down()
    assert told(stage, order_id)["deliver"] == "done"
    assert stage.judged(order_id).order.status == "DELIVERED"


MANY = 14


def scanned(stage: Stage, count: int) -> list[str]:
    """Orders whose parcels are with the carrier, all told of at once."""
    placed_now = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(count)
    ]
    stage.marketplace_tells()
    stage.sweep()
    for number, order_id in enumerate(placed_now):
        stage.carrier_tells(f"SYN-{number:04}", "picked_up", order_id=order_id)
    return placed_now


def test_many_packages_are_shipped_in_one_call_each_once(stage: Stage) -> None:
    orders = scanned(stage, MANY)
    stage.settle_down()
    assert [told(stage, order_id) for order_id in orders] == [{"ship_package": "done"}] * MANY
    assert calls(stage, "/packages/ship") == 1
    assert sorted(e.order_id for e in stage.effects) == sorted(orders)


def test_of_a_batch_one_package_may_be_refused_and_the_others_are_shipped(stage: Stage) -> None:
    orders = scanned(stage, MANY)
    stage.sandbox.arrange(orders[3], None, "HAND-0009", "Synthetic Express")  # by hand, unheard of
    stage.sandbox.take_webhooks()
    stage.settle_down()
    others = [order_id for order_id in orders if order_id != orders[3]]
    assert all(told(stage, order_id) == {"ship_package": "done"} for order_id in others)
    assert told(stage, orders[3]) == {"ship_package": "withdrawn"}
    assert Counter(e.order_id for e in stage.effects if e.order_id in others) == Counter(others)


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer", "html"])
def test_a_batch_whose_answer_is_lost_ships_each_package_once(stage: Stage, kind: str) -> None:
    orders = scanned(stage, MANY)
    stage.sandbox.fail(Fault(kind, path="/fulfillment/*/packages/ship"))
    for _ in range(4):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down(20)
    assert [told(stage, order_id) for order_id in orders] == [{"ship_package": "done"}] * MANY
    assert Counter(e.order_id for e in stage.effects) == Counter(orders)


def test_a_batch_that_the_marketplace_does_not_take_is_told_one_by_one(stage: Stage) -> None:
    orders = scanned(stage, MANY)
    stage.sandbox.fail(Fault("code", path="/fulfillment/*/packages/ship", code=36009009, times=9))
    stage.settle_down(20)
    assert [told(stage, order_id) for order_id in orders] == [{"ship_package": "done"}] * MANY
    assert Counter(e.order_id for e in stage.effects) == Counter(orders)


# Correcting a number


def shipped(stage: Stage, number: str = "SYN-0001", **wish: Any) -> str:
    """An order that we have told the marketplace is shipped."""
    order_id = placed(stage, **wish)
    stage.carrier_tells(number, "picked_up", order_id=order_id)
    stage.settle_down()
    return order_id


def test_a_number_is_corrected_once_and_within_its_time(stage: Stage) -> None:
    order_id = shipped(stage)
    stage.until(stage.now + 71 * HOUR)
    ask(stage, order_id, "renumber", tracking_number="SYN-0002", carrier="Synthetic Express")
    stage.settle_down()
    assert told(stage, order_id)["update_order_shipping"] == "done"
    assert stage.effects[-1].tracking_number == "SYN-0002"
    ask(stage, order_id, "renumber", tracking_number="SYN-0003", carrier="Synthetic Express")
    stage.settle_down()
    states = {i.tracking_number: i.state.value for i in asking.intents(stage.store, order_id)}
    assert states["SYN-0003"] == "refused"


def test_after_three_days_the_marketplace_is_not_even_asked(stage: Stage) -> None:
    order_id = shipped(stage)
    stage.until(stage.now + 72 * HOUR)
    ask(stage, order_id, "renumber", tracking_number="SYN-0002", carrier="Synthetic Express")
    stage.settle_down()
    assert told(stage, order_id)["update_order_shipping"] == "refused"
    assert calls(stage, "/shipping_info/update") == 0


# Delivering by oneself

PIXEL = 120
"""A picture must have at least 100 pixels a side."""


def png(side: int = PIXEL) -> bytes:
    """The head of a PNG, which is all that anybody looks at here."""
    size = side.to_bytes(4) * 2
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4) + b"IHDR" + size + b"\x08\x02\x00\x00\x00"


def own_fleet(stage: Stage, needs_proof: bool = False) -> None:
    stage.sandbox.set_shop(SHOP_ID, own_fleet=True, needs_proof=needs_proof)
    settings(stage, hand_marked=True)


def package_of(stage: Stage, order_id: str) -> str:
    return stage.judged(order_id).order.packages[0].package_id


def test_an_own_fleets_delivery_is_told_with_its_proof(stage: Stage) -> None:
    own_fleet(stage, needs_proof=True)
    order_id = shipped(stage)
    proof = Blob("image/png", png())
    name = rows.PROOF + package_of(stage, order_id)
    put_blob(stage.store, order_id, name, proof, stage.real.now)
    stage.until(stage.now + HOUR)
    stage.carrier_tells("SYN-0001", "delivered", proof="photo")
    stage.settle_down()
    assert told(stage, order_id)["deliver"] == "done"
    assert stage.judged(order_id).order.status == "DELIVERED"
    assert effects(stage, order_id)[-1] == "update_package_delivery_status"


def test_a_proof_that_is_no_picture_is_refused_before_anything_is_told(stage: Stage) -> None:
    own_fleet(stage)
    order_id = shipped(stage)
    name = rows.PROOF + package_of(stage, order_id)
    put_blob(stage.store, order_id, name, Blob("image/png", b"no picture"), stage.real.now)
    stage.carrier_tells("SYN-0001", "delivered", stage.now + HOUR)
    stage.until(stage.now + 2 * HOUR)
    stage.settle_down()
    assert told(stage, order_id)["deliver"] == "refused"
    assert calls(stage, "/packages/deliver") == 0


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer", "html"])
def test_a_delivery_whose_answer_is_lost_is_told_once(stage: Stage, kind: str) -> None:
    own_fleet(stage)
    order_id = shipped(stage)
    stage.sandbox.fail(Fault(kind, path="/fulfillment/*/packages/deliver"))
    stage.until(stage.now + HOUR)
    stage.carrier_tells("SYN-0001", "delivered")
    for _ in range(4):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down()
    assert told(stage, order_id)["deliver"] == "done"
    assert effects(stage, order_id).count("update_package_delivery_status") == 1


def test_a_failed_delivery_is_told_when_a_person_says_so(stage: Stage) -> None:
    own_fleet(stage)
    order_id = shipped(stage)
    package = package_of(stage, order_id)
    ask(
        stage,
        order_id,
        "deliver",
        package,
        delivery_type="DELIVERY_FAILED",
        reason="PACKAGE_LOST",
    )
    stage.settle_down()
    assert told(stage, order_id)["deliver"] == "done"
    assert "PACKAGE_LOST" in stage.effects[-1].detail


def test_a_failed_delivery_needs_one_of_the_marketplaces_reasons(stage: Stage) -> None:
    own_fleet(stage)
    order_id = shipped(stage)
    package = package_of(stage, order_id)
    failed = {"delivery_type": "DELIVERY_FAILED"}
    with pytest.raises(NotAsked):
        ask(stage, order_id, "deliver", package, **failed)
    ask(stage, order_id, "deliver", package, reason="RAIN", **failed)
    stage.settle_down()
    assert told(stage, order_id)["deliver"] == "refused"
    assert calls(stage, "/packages/deliver") == 0
    advice = [i.advice for i in asking.intents(stage.store, order_id) if i.call == "deliver"]
    assert "FORCE_MAJEURE" in advice[0]


def test_words_that_make_no_call_are_refused_and_hold_up_no_other_order(stage: Stage) -> None:
    own_fleet(stage)
    orders = [shipped(stage, number) for number in ("SYN-0001", "SYN-0002")]
    package, says = package_of(stage, orders[0]), {"delivery_type": "DELIVERY_FAILED"}
    request = Request("odd", orders[0], "deliver", stage.real.now, "", package, says)
    stage.store.write(Put(codec.event_row(request, stage.real.now)))
    stage.until(stage.now + HOUR)
    stage.carrier_tells("SYN-0002", "delivered")
    stage.settle_down()
    assert [told(stage, order_id)["deliver"] for order_id in orders] == ["refused", "done"]
    assert not [line for line in stage.lines if line.name == "shop.failing"]
    assert calls(stage, "/packages/deliver") == 1


def test_outside_south_east_asia_nobody_hears_that_a_delivery_cannot_be_told() -> None:
    stage = Stage("US", "America/New_York")
    settings(stage, hand_marked=True)
    order_id = shipped(stage)
    stage.until(stage.now + HOUR)
    stage.carrier_tells("SYN-0001", "delivered")
    stage.settle_down()
    assert told(stage, order_id) == {"mark_package_as_shipped": "done"}


def test_a_file_whose_time_is_over_is_no_longer_shown(stage: Stage) -> None:
    put_blob(stage.store, "1", "PROOF#P1", Blob("image/png", png()), stage.real.now)
    assert read_blob(stage.store, "1", "PROOF#P1", stage.real.now) is not None
    assert read_blob(stage.store, "1", "PROOF#P1", stage.real.now + KEPT) is None


def test_where_the_carrier_reports_nothing_is_wanted_of_a_delivery(stage: Stage) -> None:
    order_id = shipped(stage)
    stage.until(stage.now + HOUR)
    stage.carrier_tells("SYN-0001", "delivered")
    stage.settle_down()
    assert told(stage, order_id) == {"ship_package": "done"}


# Tracking events of one's own


def test_own_tracking_events_are_told_together_and_never_twice() -> None:
    stage = Stage("US", "America/New_York")
    stage.sandbox.set_shop(SHOP_ID, own_tracks=True)
    settings(stage, self_delivered=True)
    order_id = shipped(stage)
    start = stage.now
    stage.until(start + 5 * HOUR)
    for hours, status in (
        (2, "out_for_delivery"),
        (3, "delivery_attempt_failed"),
        (4, "delivered"),
    ):
        reason = {"reason": "refused"} if status == "delivery_attempt_failed" else {}
        stage.carrier_tells("SYN-0001", status, start + hours * HOUR, **reason)
    stage.settle_down()
    intents = asking.intents(stage.store, order_id)
    tracks = [i for i in intents if i.call == "track"]
    assert [i.state.value for i in tracks] == ["done"] * 4
    details = [e.detail.split()[0] for e in stage.effects if e.call == "update_tracking_status"]
    assert sorted(details) == ["30901", "40501", "50101", "60101"]
    assert calls(stage, "/track/update") <= 2


def test_a_tracking_event_whose_answer_is_lost_waits_for_a_person() -> None:
    stage = Stage("US", "America/New_York")
    stage.sandbox.set_shop(SHOP_ID, own_tracks=True)
    settings(stage, self_delivered=True)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/track/update"))
    order_id = shipped(stage)
    for _ in range(3):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down()
    (track,) = [i for i in asking.intents(stage.store, order_id) if i.call == "track"]
    assert (track.state.value, calls(stage, "/track/update")) == ("dead", 1)
    assert "push again" in track.advice
    asking.done(stage.store, order_id, track.key, stage.real.now)
    stage.settle_down()
    assert told(stage, order_id)["track"] == "done"
    assert calls(stage, "/track/update") == 1


# Labels


def test_a_label_is_fetched_and_kept_once_the_shipment_is_arranged(stage: Stage) -> None:
    order_id = placed(stage, shipping_type="TIKTOK")
    package = package_of(stage, order_id)
    ask(stage, order_id, "ship", package, handover_method="DROP_OFF")
    for _ in range(3):
        stage.until(stage.now + timedelta(minutes=10))
        stage.settle_down()
    label = read_blob(stage.store, order_id, rows.LABEL + package, stage.real.now)
    assert label is not None
    assert (label.media_type, label.data[:5]) == ("application/pdf", b"%PDF-")


@pytest.mark.parametrize("path", ["/fulfillment/*/shipping_documents", "/_files/*"])
@pytest.mark.parametrize("kind", ["no_answer", "unavailable", "html"])
def test_a_label_that_could_not_be_had_is_asked_for_within_the_hour(
    stage: Stage, path: str, kind: str
) -> None:
    order_id = placed(stage, shipping_type="TIKTOK")
    package = package_of(stage, order_id)
    stage.sandbox.fail(Fault(kind, path=path))
    ask(stage, order_id, "ship", package, handover_method="DROP_OFF")
    for _ in range(7):
        stage.until(stage.now + timedelta(minutes=10))
        stage.settle_down()
    label = read_blob(stage.store, order_id, rows.LABEL + package, stage.real.now)
    assert label is not None
    assert label.data[:5] == b"%PDF-"


@pytest.mark.parametrize(
    ("told_as", "kept_as"),
    [
        ("Application/PDF; charset=binary", "application/pdf"),
        ("image/png", "image/png"),
        ("text/html", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)
def test_a_label_is_never_kept_as_a_page(stage: Stage, told_as: str, kept_as: str) -> None:
    inner = stage.wire

    class Files:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = inner.send(request)
            if "files.sandbox.example" not in request.url:
                return reply
            return replace(reply, headers={"content-type": told_as})

    stage.wire = Files()
    order_id = placed(stage, shipping_type="TIKTOK")
    ask(stage, order_id, "ship", package_of(stage, order_id), handover_method="DROP_OFF")
    for _ in range(3):
        stage.until(stage.now + timedelta(minutes=10))
        stage.settle_down()
    label = read_blob(
        stage.store, order_id, rows.LABEL + package_of(stage, order_id), stage.real.now
    )
    assert label is not None
    assert label.media_type == kept_as


def test_a_label_is_bought_with_the_service_that_a_person_chose_and_never_twice() -> None:
    stage = Stage("US", "America/New_York")
    order_id = placed(stage, shipping_type="TIKTOK")
    ask(stage, order_id, "label")
    stage.settle_down()
    assert told(stage, order_id) == {"create_package": "refused"}
    service = reason(stage, order_id).partition("offers: ")[2].split()[0]
    stage.sandbox.fail(Fault("effect_no_answer", path="/fulfillment/*/packages", method="POST"))
    ask(stage, order_id, "label", service=service)
    for _ in range(3):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down()
    assert told(stage, order_id) == {"create_package": "dead"}
    assert effects(stage, order_id).count("create_packages") == 1


# Writing to the buyer


def test_a_message_goes_to_the_buyer_where_the_app_may_write() -> None:
    stage = Stage()
    order_id = placed(stage)
    ask(stage, order_id, "message", text="Your parcel leaves today.")
    stage.settle_down()
    assert told(stage, order_id) == {"message": "pending"}  # the scope is not granted
    assert "scope" in reason(stage, order_id)
    stage.sandbox.set_shop(SHOP_ID, scopes=[*SCOPES, "seller.customer_service"])
    stage.until(stage.now + 2 * HOUR)
    stage.settle_down()
    assert told(stage, order_id) == {"message": "done"}
    assert [e.call for e in stage.effects].count("send_message") == 1


def test_a_message_whose_answer_is_lost_is_not_sent_again() -> None:
    stage = Stage()
    stage.sandbox.set_shop(SHOP_ID, scopes=[*SCOPES, "seller.customer_service"])
    order_id = placed(stage)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/messages", method="POST"))
    ask(stage, order_id, "message", text="Your parcel leaves today.")
    for _ in range(3):
        stage.until(stage.now + 2 * HOUR)
        stage.settle_down()
    assert told(stage, order_id) == {"message": "dead"}
    assert [e.call for e in stage.effects].count("send_message") == 1


def test_before_many_messages_their_orders_are_read_in_one_call(stage: Stage) -> None:
    stage.sandbox.set_shop(SHOP_ID, scopes=[*SCOPES, "seller.customer_service"])
    orders = [placed(stage) for _ in range(8)]
    for order_id in orders:
        ask(stage, order_id, "message", text="Your parcel leaves today.")
    before = len(stage.sandbox.calls)
    stage.settle_down()
    paths = [call.path for call in stage.sandbox.calls[before:]]
    assert paths.index(next(p for p in paths if p.endswith("/conversations"))) == 1
    assert [told(stage, order_id) for order_id in orders] == [{"message": "done"}] * 8
    assert sum(path.endswith("/messages") for path in paths) == 8


# Again, and done


@pytest.mark.parametrize("ahead", [-3, 0, 3])
def test_the_clock_of_whoever_says_done_costs_no_reads(stage: Stage, ahead: int) -> None:
    stage.sandbox.set_shop(SHOP_ID, scopes=[*SCOPES, "seller.customer_service"])
    order_id = placed(stage)
    stage.sandbox.fail(Fault("effect_no_answer", path="*/messages", method="POST"))
    ask(stage, order_id, "message", text="Your parcel leaves today.")
    stage.settle_down()
    (intent,) = asking.intents(stage.store, order_id)
    assert intent.state.value == "dead"
    before = calls(stage, "/orders", "GET")
    asking.done(stage.store, order_id, intent.key, stage.real.now + timedelta(minutes=ahead))
    stage.settle_down()
    assert told(stage, order_id) == {"message": "done"}
    assert calls(stage, "/orders", "GET") - before <= 1


def test_a_refused_push_is_tried_again_when_a_person_says_so(stage: Stage) -> None:
    order_id = placed(stage)
    stage.sandbox.fail(Fault("code", path="/return_refund/*/cancellations", code=25001003))
    ask(stage, order_id, "cancel", reason=STOCK)
    stage.settle_down()
    assert told(stage, order_id) == {"cancel": "refused"}
    (intent,) = asking.intents(stage.store, order_id)
    asking.again(stage.store, order_id, intent.key, stage.real.now)
    stage.settle_down()
    assert told(stage, order_id) == {"cancel": "done"}
    with pytest.raises(NotAsked, match="is done"):
        asking.again(stage.store, order_id, intent.key, stage.real.now)
    with pytest.raises(NotAsked, match="has no push"):
        asking.done(stage.store, order_id, "nothing", stage.real.now)


def test_a_request_is_kept_with_the_orders_facts(stage: Stage) -> None:
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason=STOCK)
    found = stage.memory.read(rows.order_pk(order_id), rows.EVENT)
    assert any(row["kind"] == "request" for row in found)


# One call with a limit of its own


@pytest.mark.parametrize("path", ["*/conversations", "*/messages"])
@pytest.mark.parametrize("same", [True, False])
def test_a_limit_on_messages_holds_up_no_shipping(path: str, same: bool) -> None:
    stage = Stage()
    stage.sandbox.set_shop(SHOP_ID, scopes=[*SCOPES, "seller.customer_service"])
    first = placed(stage)
    second = first if same else placed(stage)
    stage.sandbox.fail(Fault("rate_limit", path=path, times=10_000))
    ask(stage, first, "message", text="Your parcel leaves today.")
    stage.carrier_tells("SYN-0001", "picked_up", order_id=second)
    stage.real.pass_time(60)
    stage.sweep()
    assert effects(stage, second) == ["ship_package"]
    stage.sandbox.clear_faults()
    stage.settle_down()
    assert told(stage, first)["message"] == "done"


def test_a_limit_on_reading_orders_holds_up_no_shipping(stage: Stage) -> None:
    first, second = placed(stage), placed(stage)
    stage.sandbox.fail(Fault("rate_limit", path="/order/*/orders", times=10_000))
    stage.sandbox.arrange(first, None, "HAND-0009", "Synthetic Express")
    stage.marketplace_tells()  # the first wants to be read anew
    stage.carrier_tells("SYN-0001", "picked_up", order_id=second)
    stage.real.pass_time(60)
    stage.sweep()
    assert effects(stage, second) == ["ship_package"]
