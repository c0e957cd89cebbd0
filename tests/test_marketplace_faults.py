"""What a marketplace may do wrong: malformed answers, silence, late effects, lost tokens, orders
that vanish. Nothing lost, nothing twice, and a clear word about it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.wire import Request
from shipclock.connect import connect_shop
from shipclock.marketplaces.protocol import Tokens
from shipclock.ports import HttpReply, HttpRequest, NotSent
from tests.scenes import (
    HOUR,
    SCENE,
    SCENES,
    Scene,
    Tampering,
    effects,
    heal,
    lines,
    owner,
    pass_by,
    pushed,
    shown,
)
from tests.stage import APP_KEY, APP_SECRET, SHOP_ID, Stage

MINUTE = timedelta(minutes=1)
WRITES = [s for s in SCENES if s.push and s.call in ("ship_packages", s.push)]

ODD: Mapping[str, bytes] = {
    "nothing": b"",
    "no_json": b"{code:0,message:Success}",
    "no_utf8": b"\xff\xfe{\x00}",
    "list": b"[]",
    "null": b"null",
    "text": b'"Success"',
    "empty_object": b"{}",
    "code_true": b'{"code": true, "data": {}}',
    "code_null": b'{"code": null, "data": {}}',
    "code_float": b'{"code": 0.0, "data": {}}',
    "code_words": b'{"code": "zero", "data": {}}',
    "code_huge": b'{"code": 1e999, "data": {}}',
    "code_nan": b'{"code": NaN, "data": {}}',
    "data_list": b'{"code": 0, "data": []}',
    "data_text": b'{"code": 0, "data": "done"}',
    "deep": b"[" * 100_000,
    "errors_text": b'{"code": 0, "data": {"errors": ["failed"]}}',
    "errors_words": b'{"code": 0, "data": {"errors": "failed"}}',
    "errors_object": b'{"code": 0, "data": {"errors": {"code": 5}}}',
    "errors_no_code": b'{"code": 0, "data": {"errors": [{"message": "failed"}]}}',
    "errors_code_0": b'{"code": 0, "data": {"errors": [{"code": 0, "message": "Success"}]}}',
    "errors_deep": b'{"code":0,"data":{"errors":[' * 400 + b"0" + b"]}}" * 400,
    "page": b"<!doctype html><title>Sorry</title>",
}
PLAYED = (
    "html",
    "unavailable",
    "effect_html",
    "not_json",
    "empty",
    "truncated",
    "no_data",
    "null_data",
    "wrong_types",
)
"""The sandbox's own faults of this kind."""


def check_over(scene: Scene, stage: Stage, order_id: str, before: int, played: str) -> None:
    """The fault is over and time has passed: nothing lost, nothing twice, nothing failing."""
    push = pushed(stage, order_id, scene.push) if scene.push else None
    if push is not None and push.state not in ("done", "refused"):
        assert push.reason, played
        assert push.advice, played
    heal(stage)
    assert not [name for name in lines(stage) if name.endswith(".failing")], played
    order, theirs = stage.judged(order_id).order, stage.sandbox.order(order_id)
    assert order.facts is not None, played
    assert int(order.facts.update_time.timestamp()) == theirs["update_time"], played
    if push is None:
        return
    push = pushed(stage, order_id, scene.push)
    done = effects(stage, order_id, scene.effect) - before if scene.effect else 0
    if not scene.blind:
        expected = ("done", 1) if scene.effect else ("refused", 0)
        if (scene.call, played) == ("conversation", "wrong_types"):
            expected = ("refused", 0)  # a number is an id, too: of a conversation that is not there
        assert (push.state, done) == expected, played
    elif push.state != "done":
        assert (push.state, done <= 1) == ("dead", True), played
        assert "shipclock push done" in (push.advice or ""), played


def begun(scene: Scene) -> tuple[Stage, str, int]:
    """A scene, and how often its effect was there before."""
    stage, order_id = scene.begin()
    return stage, order_id, effects(stage, order_id, scene.effect)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.call)
def test_a_malformed_answer_loses_nothing_and_doubles_nothing(scene: Scene) -> None:
    for kind in PLAYED:
        stage, order_id, before = begun(scene)
        stage.sandbox.fail(scene.fault(kind))
        stage.sweep()
        assert not stage.sandbox.waiting_faults, f"{scene.call} was not called"
        check_over(scene, stage, order_id, before, kind)


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.call)
def test_an_odd_body_loses_nothing_and_doubles_nothing(scene: Scene, carried_out: bool) -> None:
    for name, body in ODD.items():
        stage, order_id, before = begun(scene)
        wire = stage.wire

        def odd(_: HttpReply, body: bytes = body) -> HttpReply:
            return HttpReply(200, {"content-type": "application/json"}, body)

        stage.wire = Tampering(wire, scene, odd, carried_out=carried_out)
        stage.sweep()
        stage.wire = wire
        check_over(scene, stage, order_id, before, name)


# A success that is none


def told(*errors: Any) -> Callable[[HttpReply], HttpReply]:
    """Code 0, and these errors inside."""
    body = json.dumps({"code": 0, "request_id": "r-1", "data": {"errors": list(errors)}}).encode()
    return lambda _: HttpReply(200, {"content-type": "application/json"}, body)


def error(code: int, package_id: Any = None) -> dict[str, Any]:
    """One error, of a package where it names one."""
    detail = {"detail": {"package_id": package_id}} if package_id is not None else {}
    return {"code": code, "message": "no", **detail}


@pytest.mark.parametrize(
    ("code", "state"),
    [(21011025, "refused"), (999, "refused"), (21011044, "pending"), (36009003, "done")],
)
@pytest.mark.parametrize("scene", [SCENE["ship_package"], SCENE["deliver"], SCENE["cancel"]])
def test_an_error_inside_a_success_counts_as_the_answer(
    scene: Scene, code: int, state: str
) -> None:
    stage, order_id, before = begun(scene)
    wire = stage.wire
    stage.wire = Tampering(wire, scene, told(error(code)))
    stage.sweep()
    push = pushed(stage, order_id, scene.push)
    assert push.state == state
    assert effects(stage, order_id, scene.effect) - before == (state == "done")
    heal(stage)
    over = pushed(stage, order_id, scene.push).state
    assert over == ("refused" if state == "refused" else "done")


def batch(*errors: Any) -> bytes:
    """The answer to a batch."""
    return json.dumps({"code": 0, "data": {"errors": list(errors)}}).encode()


BATCH = {
    "null": b'{"code": 0, "data": {"errors": null}}',
    "none": batch(),
    "object": b'{"code": 0, "data": {"errors": {}}}',
    "no_id": batch(error(21011025)),
    "id_empty": batch(error(21011025, "")),
    "stranger": batch(error(21011025, 77)),
    "list": batch([1]),
}
CLEAR = ("null", "none")
"""A clear yes: where nothing was carried out all the same, the answer can't show it."""


@pytest.mark.parametrize(
    ("name", "carried_out"),
    [*((name, True) for name in BATCH), *((name, False) for name in BATCH if name not in CLEAR)],
)
def test_the_errors_of_a_batch_are_each_packages_own_or_nobodys(
    name: str, carried_out: bool
) -> None:
    """Where nobody can tell whose they are, each package is looked at and then told once."""
    scene = SCENE["ship_packages"]
    stage, _ = scene.begin()
    odd = Tampering(
        stage.wire,
        scene,
        lambda _: HttpReply(200, {"content-type": "application/json"}, BATCH[name]),
        carried_out=carried_out,
    )
    stage.wire = odd
    stage.sweep()
    assert not odd.left
    heal(stage)
    for order_id in stage.sandbox.order_ids():
        assert pushed(stage, order_id, "ship_package").state == "done"
        shipped = [e.order_id for e in stage.effects]
        assert shipped.count(order_id) == 1


# Silence, before and after the effect


SILENT = ("no_answer", "effect_no_answer", "slow", "effect_late_soon")


def silence(scene: Scene, kind: str) -> Fault:
    """A call without an answer: that had no effect, had it, took ten seconds, or lands in 20."""
    if kind == "slow":
        return scene.fault("slow", delay=10.0)
    if kind == "effect_late_soon":
        return scene.fault("effect_late", delay=20.0)
    return scene.fault(kind)


@pytest.mark.parametrize("kind", SILENT)
@pytest.mark.parametrize("scene", WRITES, ids=lambda scene: scene.call)
def test_a_push_without_an_answer_has_one_effect(scene: Scene, kind: str) -> None:
    """Whatever lands before the re-read is seen by it, and what does not is told again."""
    stage, order_id, before = begun(scene)
    stage.sandbox.fail(silence(scene, kind))
    stage.sweep()
    assert not stage.sandbox.waiting_faults
    unclear = [line for line in stage.lines if line.name == "push.unclear"]
    assert {line.fields["order_id"] for line in unclear} >= {order_id}
    assert all("no answer" in line.fields["reason"] for line in unclear)
    check_over(scene, stage, order_id, before, kind)


@pytest.mark.parametrize("scene", WRITES, ids=lambda scene: scene.call)
def test_while_a_push_is_in_doubt_the_api_says_so_and_that_nothing_is_to_be_done(
    scene: Scene,
) -> None:
    stage, order_id, _ = begun(scene)
    stage.sandbox.fail(silence(scene, "no_answer"))
    stage.sweep(seconds=32)  # no time is left to wait for the re-read
    push = pushed(stage, order_id, scene.push)
    assert push.state == "unclear"
    assert (push.reason or "").startswith("no answer")
    assert (push.advice or "").startswith("Nothing to do")


def test_a_call_that_was_never_sent_is_simply_made_again() -> None:
    stage, order_id, before = begun(SCENE["ship_package"])
    wire = stage.wire

    def lost(_: HttpReply) -> HttpReply:
        raise NotSent("no connection")

    stage.wire = Tampering(wire, SCENE["ship_package"], lost)
    stage.sweep()
    push = pushed(stage, order_id, "ship_package")
    assert (push.state, push.reason) == ("pending", "not sent: no connection")
    heal(stage)
    assert effects(stage, order_id, "ship_package") - before == 1


# The documented gap (docs/decisions/0011): an effect that lands after the re-read


LATE = {
    # the repeat is first and the late one is refused, or the other way round: one effect
    "ship_package": 1,
    "mark_package_as_shipped": 1,
    "cancel": 1,
    "approve_cancellation": 1,
    "reject_cancellation": 1,
    "deliver": 1,
    # one key for both, so that the second changes nothing
    "create_return": 1,
    # a second change of the number to the same: the marketplace counts it, nothing else differs
    "update_order_shipping": 2,
    "update_package_shipping": 2,
}
"""How many effects the sandbox records at most, which is stricter than is known of the real one."""


@pytest.mark.parametrize("call", LATE)
@pytest.mark.parametrize("delay", [45.0, 300.0])
def test_an_effect_that_lands_after_the_re_read_is_seen_in_the_end(call: str, delay: float) -> None:
    scene = SCENE[call]
    stage, order_id, before = begun(scene)
    stage.sandbox.fail(scene.fault("effect_late", delay=delay))
    for _ in range(3):
        stage.sweep()
        stage.real.pass_time(60)
        stage.marketplace_tells()
    stage.real.pass_time(delay)
    heal(stage)
    landed = [c for c in stage.sandbox.calls if c.fault == "landed_late"]
    assert len(landed) == 1
    assert 1 <= effects(stage, order_id, scene.effect) - before <= LATE[call]
    push = pushed(stage, order_id, scene.push)
    assert push.state == "done"
    assert not [name for name in lines(stage) if name.endswith(".failing")]


# A token revoked in the middle


@pytest.mark.parametrize("scene", [s for s in SCENES if s.push], ids=lambda scene: scene.call)
def test_a_token_revoked_right_before_a_call_costs_nothing_once_connected_again(
    scene: Scene,
) -> None:
    """Between two calls of one lane; for a push, between its record as sending and the call; and
    in the middle of a renewal."""
    stage, order_id, before = begun(scene)
    wire = stage.wire
    done: list[int] = []

    class Revoking:
        def send(self, request: HttpRequest) -> HttpReply:
            if scene.hits(request) and not done:
                done.append(1)
                stage.sandbox.revoke(SHOP_ID)
            return wire.send(request)

    stage.wire = Revoking()
    stage.sweep()
    stage.wire = wire
    assert done
    assert not owner(stage).connected
    assert lines(stage, "shop.disconnected") == ["shop.disconnected"]
    push = pushed(stage, order_id, scene.push)
    assert push.state == "pending"
    assert "connect" in (push.advice or "")
    told = [event for event in stage.announced if event["type"] == "shop.disconnected"]
    assert len(told) == 1
    calls = len(stage.sandbox.calls)
    stage.marketplace_tells()
    for _ in range(5):
        pass_by(stage, MINUTE)
        stage.sweep()
    assert len(stage.sandbox.calls) == calls, "a shop that is gone is left alone"
    reconnect(stage)
    heal(stage)
    check_over(scene, stage, order_id, before, "revoked")


def reconnect(stage: Stage) -> None:
    """The seller consents again, and the command connects the shop as it was."""
    query = {"app_key": APP_KEY, "app_secret": APP_SECRET, "grant_type": "authorized_code"}
    query["auth_code"] = stage.sandbox.grant(SHOP_ID)
    reply = stage.sandbox.handle(Request("GET", "/api/v2/token/get", query))
    told = json.loads(reply.body)["data"]
    tokens = Tokens(told["access_token"], told["refresh_token"])
    shop = replace(owner(stage), connected=True)
    assert connect_shop(stage.store, shop, tokens, stage.real.now)


def test_a_token_revoked_after_the_effect_of_an_unanswered_push_doubles_nothing() -> None:
    scene = SCENE["ship_package"]
    stage, order_id, before = begun(scene)
    stage.sandbox.fail(scene.fault("effect_no_answer"))
    stage.sweep(seconds=32)
    stage.sandbox.revoke(SHOP_ID)
    stage.sandbox.take_webhooks()  # lost
    for _ in range(3):
        pass_by(stage, MINUTE)
        stage.sweep()
    assert not owner(stage).connected
    assert pushed(stage, order_id, "ship_package").state == "unclear"
    reconnect(stage)
    heal(stage)
    assert pushed(stage, order_id, "ship_package").state == "done"
    assert effects(stage, order_id, "ship_package") - before == 1


# An order that vanishes


class Hiding:
    """A wire on which some orders are left out of every re-read and search."""

    def __init__(self, wire: Any, *order_ids: str) -> None:
        self._wire, self._hidden = wire, order_ids

    def send(self, request: HttpRequest) -> HttpReply:
        reply: HttpReply = self._wire.send(request)
        if "/order/" not in request.url or not self._hidden:
            return reply
        told = json.loads(reply.body)
        found = told["data"] or {}
        found["orders"] = [o for o in found.get("orders", []) if o["id"] not in self._hidden]
        return HttpReply(reply.status, reply.headers, json.dumps(told).encode())


def asked_for(stage: Stage, since: int) -> int:
    """Re-reads since that many calls."""
    return sum(call.path == REREAD for call in stage.sandbox.calls[since:])


REREAD = "/order/202507/orders"


def vanished() -> tuple[Stage, str, str]:
    """Two orders that changed, of which re-reads bring the second only."""
    stage, gone = SCENE["reread"].begin()
    other = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.wire = Hiding(stage.wire, gone)
    return stage, gone, other


def test_an_order_that_vanishes_and_comes_back_is_shown_and_made_good() -> None:
    stage, gone, other = vanished()
    wire = stage.wire
    stage.sweep()
    assert stage.judged(other).order.facts is not None, "of the same batch, and read"
    assert not shown(stage, gone).drift, "once is no drift"
    before = len(stage.sandbox.calls)
    for _ in range(180):
        pass_by(stage, MINUTE)
        stage.sweep()
    assert asked_for(stage, before) <= 9, "ever more rarely"
    (drift,) = shown(stage, gone).drift
    assert (drift.what, "Seller Center" in drift.advice) == ("vanished", True)
    assert shown(stage, gone).clocks, "its clocks go on"
    assert not [name for name in lines(stage) if name.endswith(".failing")]
    stage.wire = wire._wire  # type: ignore[attr-defined]
    heal(stage)
    assert not [d for d in shown(stage, gone).drift if d.what == "vanished"]
    facts, theirs = stage.judged(gone).order.facts, stage.sandbox.order(gone)
    assert facts is not None
    assert int(facts.update_time.timestamp()) == theirs["update_time"]


def test_an_order_that_never_comes_back_still_has_its_verdicts() -> None:
    stage, gone, _ = vanished()
    before = len(stage.sandbox.calls)
    for _ in range(7 * 24):
        pass_by(stage, HOUR)
        stage.sweep()
    assert asked_for(stage, before) <= 7 * 24 + 5 + 7 * 6, "once an hour, and around hard lines"
    assert [d.what for d in shown(stage, gone).drift] == ["vanished"]
    assert shown(stage, gone).verdicts, "a deadline was missed, and it is said"
    assert stage.announced
    assert not [name for name in lines(stage) if name.endswith(".failing")]


def test_a_push_in_doubt_of_a_vanished_order_waits_and_is_not_repeated_blindly() -> None:
    scene = SCENE["ship_package"]
    stage, order_id, before = begun(scene)
    stage.sandbox.fail(scene.fault("effect_no_answer"))
    wire = stage.wire
    stage.wire = Hiding(wire, order_id)
    for _ in range(120):
        pass_by(stage, MINUTE)
        stage.sweep()
    assert pushed(stage, order_id, "ship_package").state == "unclear"
    assert effects(stage, order_id, "ship_package") - before == 1
    stage.wire = wire
    heal(stage)
    assert pushed(stage, order_id, "ship_package").state == "done"
    assert effects(stage, order_id, "ship_package") - before == 1


@pytest.mark.parametrize("code", [21011028, 36009004, 999])
def test_one_order_that_is_refused_keeps_no_other_of_its_batch_from_being_read(code: int) -> None:
    """While no search works either, so that nothing but a re-read can bring them."""
    stage, bad = SCENE["reread"].begin()
    others = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(30)
    ]
    stage.marketplace_tells()
    wire = stage.wire

    class Refusing:
        def send(self, request: HttpRequest) -> HttpReply:
            if "/search" in request.url:
                return HttpReply(503, {}, b"")
            if REREAD in request.url and bad in request.url:
                told = {"code": code, "message": "an order can't be read", "data": None}
                return HttpReply(200, {}, json.dumps(told).encode())
            return wire.send(request)

    stage.wire = Refusing()
    stage.sweep()
    assert all(stage.judged(order_id).order.facts is not None for order_id in others)
    assert lines(stage, "reread.failed") == ["reread.failed"]
    stage.wire = wire
    heal(stage)
    facts, theirs = stage.judged(bad).order.facts, stage.sandbox.order(bad)
    assert facts is not None
    assert int(facts.update_time.timestamp()) == theirs["update_time"]


def test_a_shop_of_which_nothing_may_be_read_is_asked_little() -> None:
    stage, _ = SCENE["reread"].begin()
    for _ in range(60):
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.sandbox.fail(Fault("code", path="/order/*", code=105005, message="no", times=10_000))
    before = len(stage.sandbox.calls)
    for _ in range(60):
        stage.sweep()
        pass_by(stage, MINUTE)
    assert asked_for(stage, before) <= 300
    heal(stage)
    assert all(stage.judged(o).order.facts is not None for o in stage.sandbox.order_ids())
