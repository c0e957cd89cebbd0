"""Stock as wished: brought about once by the shop's lane, whatever fails, and seen to be."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from sandbox import faults
from sandbox.faults import Fault
from shipclock import rows
from shipclock.announce import announcement
from shipclock.connect import connect_shop, disconnect
from shipclock.domain.push import IntentState
from shipclock.lane import LEASE
from shipclock.ports import HttpReply, HttpRequest, StoreError
from shipclock.stock import stock_of
from shipclock.stockwish import StockWish, read_wish, wish
from shipclock.sweep import Sweep
from tests.fakes import KINDS, Faults, FaultyStore, FaultyWire, Gone
from tests.stage import SHOP_ID, TOKENS, Stage

MAIN, SIDE = "6950000000000000001", "6950000000000000002"
UPDATE = "*/inventory/update"
SEARCH = "*/inventory/search"


@pytest.fixture
def stage() -> Stage:
    return Stage()


def stocked(stage: Stage, sku: str = "MUG", **units: int) -> str:
    """The id of a SKU, above 2^53, with units in the shelves."""
    sku_id = stage.sandbox.set_stock(
        SHOP_ID,
        sku,
        {MAIN: units.get("main", 3)} | ({SIDE: units["side"]} if "side" in units else {}),
    )
    assert int(sku_id) > 2**53
    return sku_id


def wished(stage: Stage, sku_id: str, main: int | None = None, side: int | None = None) -> None:
    places = {MAIN: main, SIDE: side}
    units = {place: number for place, number in places.items() if number is not None}
    wish(stage.store, SHOP_ID, sku_id, units, stage.real.now, "a test")


def kept(stage: Stage, sku_id: str) -> StockWish:
    row = stage.memory.get((rows.shop_pk(SHOP_ID), rows.STOCKWISH + sku_id))
    assert row is not None
    found = read_wish(row)
    assert found.rev == row["rev"]
    assert found.state.value == row["state"]
    return found


def state(stage: Stage, sku_id: str) -> str:
    return kept(stage, sku_id).state.value


def shelves(stage: Stage, sku_id: str) -> dict[str, int]:
    """What is really there."""
    found = stage.sandbox._world.stock[SHOP_ID, sku_id]
    return dict(found.available)


def told(stage: Stage) -> list[str]:
    """What the marketplace was made to do, in order."""
    return [e.detail for e in stage.effects if e.call == "update_inventory"]


def calls(stage: Stage, what: str) -> int:
    return sum(c.path.endswith(f"/inventory/{what}") for c in stage.sandbox.calls)


def notices(stage: Stage) -> list[str]:
    found = stage.memory.read(rows.shop_pk(SHOP_ID), f"{rows.NOTICE}stock_not_set")
    return [announcement(rows.key_of(row), row)["text"] for row in found]


def lines(stage: Stage, name: str) -> list[Any]:
    return [line.fields for line in stage.lines if line.name == name]


def story(stage: Stage, sku_id: str, *, minutes: int = 5) -> None:
    """Sweeps, minute by minute of both clocks."""
    for _ in range(minutes):
        stage.real.pass_time(60)
        stage.until(stage.now + timedelta(minutes=1))
        stage.sweep()


# The plain way


def test_a_wish_is_brought_about_by_one_search_and_one_update(stage: Stage) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, 12)
    report = stage.sweep()
    assert (report.pushed, report.failed, report.due_left) == (1, 0, 0)
    assert told(stage) == [f"{sku_id} {MAIN}=12"]
    assert (calls(stage, "search"), calls(stage, "update")) == (1, 1)
    found = kept(stage, sku_id)
    assert (found.state, found.attempts, found.by) == (IntentState.DONE, 1, "a test")
    stage.settle_down()
    assert (calls(stage, "search"), calls(stage, "update")) == (1, 1)


def test_reconciliation_is_not_woken_by_a_wish(stage: Stage) -> None:
    sku_id = stocked(stage)
    stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    before = len(stage.sandbox.calls)
    wished(stage, sku_id, 12)
    stage.sweep()
    since = [call.path.rsplit("/", 2)[1] for call in stage.sandbox.calls[before:]]
    assert since == ["inventory", "inventory"]


def test_what_is_so_already_is_not_set(stage: Stage) -> None:
    sku_id = stocked(stage, main=12)
    wished(stage, sku_id, 12)
    report = stage.sweep()
    assert (report.pushed, report.failed) == (0, 0)
    assert (state(stage, sku_id), told(stage)) == ("done", [])


def test_a_warehouse_that_is_not_named_keeps_what_it_has(stage: Stage) -> None:
    sku_id = stocked(stage, main=3, side=7)
    wished(stage, sku_id, main=12)
    stage.sweep()
    assert told(stage) == [f"{sku_id} {MAIN}=12,{SIDE}=7"]
    wished(stage, sku_id, main=1, side=2)
    stage.sweep()
    assert shelves(stage, sku_id) == {MAIN: 1, SIDE: 2}


def test_several_skus_are_searched_together_and_each_product_set_by_itself(stage: Stage) -> None:
    skus = [stocked(stage, f"MUG-{n}") for n in range(5)]
    for place, sku_id in enumerate(skus):
        wished(stage, sku_id, 10 + place)
    stage.sweep()
    assert [shelves(stage, sku_id)[MAIN] for sku_id in skus] == [10, 11, 12, 13, 14]
    assert (calls(stage, "search"), calls(stage, "update")) == (1, 5)


def test_a_search_that_grows_old_before_the_last_update_is_made_again(stage: Stage) -> None:
    skus = [stocked(stage, f"MUG-{n}") for n in range(30)]
    for sku_id in skus:
        wished(stage, sku_id, 9)
    slow = [Fault("slow", UPDATE, delay=1.0) for _ in skus]
    for fault in slow:
        stage.sandbox.fail(fault)
    while stage.sweep().due_left:
        stage.real.pass_time(60)
    assert [shelves(stage, sku_id)[MAIN] for sku_id in skus] == [9] * 30
    assert calls(stage, "update") == 30
    assert calls(stage, "search") > 2


def test_a_sale_after_the_wish_is_done_is_no_reason_to_set_it_again(stage: Stage) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, 12)
    stage.sweep()
    stage.sandbox.add_order(SHOP_ID, items={"MUG": 5}, warehouse_id=MAIN)
    stage.marketplace_tells()
    stage.settle_down()
    assert (state(stage, sku_id), told(stage)) == ("done", [f"{sku_id} {MAIN}=12"])


def test_what_a_search_told_is_kept_by_warehouse(stage: Stage) -> None:
    sku_id = stocked(stage, main=3, side=7)
    wished(stage, sku_id, main=12)
    stage.sweep()
    found = stock_of(stage.store, SHOP_ID, sku_id)
    assert found is not None
    assert found.quantities == {"available": 10, "committed": 0}
    assert found.places == {
        MAIN: {"available": 3, "committed": 0},
        SIDE: {"available": 7, "committed": 0},
    }
    stage.until(stage.now + timedelta(seconds=1))
    stage.sandbox.set_stock(SHOP_ID, "MUG", {MAIN: 20})
    stage.marketplace_tells()
    stage.settle_down()
    newer = stock_of(stage.store, SHOP_ID, sku_id)
    assert newer is not None
    assert newer.quantities["available"] == 27
    assert newer.places == found.places


# Doubt


DOUBTS = (
    "no_answer",
    "unavailable",
    "html",
    "code",
    "slow",
    "effect_no_answer",
    "effect_html",
    "effect_late",
    "not_json",
    "empty",
    "truncated",
    "no_data",
    "null_data",
    "wrong_types",
    "expired_token",
    "rate_limit",
)


def test_every_kind_of_fault_is_here() -> None:
    assert set(DOUBTS) == faults.KINDS - {faults.SKEW}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("kind", DOUBTS)
@pytest.mark.parametrize("path", [UPDATE, SEARCH])
def test_whatever_goes_wrong_with_a_call_the_stock_is_set_once(
    path: str, kind: str, times: int, stage: Stage
) -> None:
    sku_id = stocked(stage)
    delay = 12.0 if kind == "slow" else 20.0
    stage.sandbox.fail(Fault(kind, path, times=times, delay=delay))
    wished(stage, sku_id, 12)
    story(stage, sku_id, minutes=12)
    assert state(stage, sku_id) == "done"
    assert told(stage) == [f"{sku_id} {MAIN}=12"]
    assert shelves(stage, sku_id) == {MAIN: 12}
    assert stage.sweep().due_left == 0


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer"])
def test_a_doubt_is_waited_out_within_the_sweep(kind: str, stage: Stage) -> None:
    sku_id = stocked(stage)
    stage.sandbox.fail(Fault(kind, UPDATE))
    wished(stage, sku_id, 12)
    began = stage.real.now
    report = stage.sweep()
    assert (state(stage, sku_id), report.due_left) == ("done", 0)
    assert stage.real.now - began >= timedelta(seconds=30)
    assert calls(stage, "update") == (2 if kind == "no_answer" else 1)
    assert report.pushed == 1
    assert lines(stage, "stock.unclear")


def test_without_time_for_it_the_doubt_stays_due(stage: Stage) -> None:
    sku_id = stocked(stage)
    stage.sandbox.fail(Fault("effect_no_answer", UPDATE))
    wished(stage, sku_id, 12)
    report = stage.sweep(seconds=30)
    assert (state(stage, sku_id), report.due_left) == ("unclear", 1)
    assert (report.pushed, report.failed) == (0, 1)
    stage.real.pass_time(60)
    report = stage.sweep()
    assert (state(stage, sku_id), report.pushed, report.failed) == ("done", 1, 0)
    assert calls(stage, "update") == 1


def doubtful(
    stage: Stage, sku_id: str, main: int, kind: str = "effect_no_answer", **more: Any
) -> None:
    """A wish whose update was sent, and nobody knows more."""
    stage.sandbox.fail(Fault(kind, UPDATE, **more))
    wished(stage, sku_id, main)
    stage.sweep(seconds=30)
    assert state(stage, sku_id) == "unclear"


def sold(stage: Stage, units: int) -> str:
    return stage.sandbox.add_order(SHOP_ID, items={"MUG": units}, warehouse_id=MAIN)


def gone(stage: Stage) -> None:
    """Sold, shipped, and out of the shelves."""
    stock = stage.sandbox._world.stock[SHOP_ID, next(iter(stage.sandbox._world.stock))[1]]
    stock.available[MAIN] -= 1


@pytest.mark.parametrize(
    ("kind", "meanwhile", "ends", "left", "updates"),
    [
        ("effect_no_answer", lambda s: sold(s, 4), "done", 8, 1),
        ("no_answer", lambda s: sold(s, 2), "done", 12, 1),
        ("effect_no_answer", gone, "dead", 11, 1),
        ("no_answer", gone, "dead", 2, 0),
        (
            "effect_no_answer",
            lambda s: s.sandbox.set_stock(SHOP_ID, "MUG", {MAIN: 50}),
            "dead",
            50,
            1,
        ),
    ],
    ids=["landed and sold", "not landed and sold", "landed and gone", "gone", "set by hand"],
)
def test_sales_meanwhile_are_no_doubt_and_other_numbers_are_a_persons(
    kind: str,
    meanwhile: Callable[[Stage], object],
    ends: str,
    left: int,
    updates: int,
    stage: Stage,
) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12, kind)
    meanwhile(stage)
    story(stage, sku_id)
    assert (state(stage, sku_id), shelves(stage, sku_id)[MAIN]) == (ends, left)
    assert len(told(stage)) == updates
    assert len(notices(stage)) == (ends == "dead")


def test_who_is_told_hears_what_was_found_and_what_to_do(stage: Stage) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12)
    stage.sandbox.set_stock(SHOP_ID, "MUG", {MAIN: 50})
    story(stage, sku_id)
    assert notices(stage) == [
        f"The stock of SKU {sku_id} of shop {SHOP_ID} is not set as wished (12 in {MAIN}): the "
        f"stock has changed in another way meanwhile (by warehouse: {MAIN}: 50). Look at the SKU "
        "in Seller Center, then set it again with `shipclock stock set`."
    ]
    wished(stage, sku_id, 13)
    story(stage, sku_id)
    assert (state(stage, sku_id), shelves(stage, sku_id)) == ("done", {MAIN: 13})


def test_what_never_takes_effect_is_given_up_at_last_and_told(stage: Stage) -> None:
    sku_id = stocked(stage)
    stage.sandbox.fail(Fault("no_answer", UPDATE, times=99))
    wished(stage, sku_id, 12)
    for _ in range(30):
        stage.real.pass_time(7200)
        stage.until(stage.now + timedelta(hours=2))
        stage.sweep()
    assert state(stage, sku_id) == "dead"
    assert calls(stage, "update") == 9
    assert len(notices(stage)) == 1
    assert stage.sweep().due_left == 0


# A newer wish


@pytest.mark.parametrize("kind", ["no_answer", "effect_no_answer"])
def test_a_newer_wish_over_a_doubtful_older_one_is_what_stands(kind: str, stage: Stage) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12, kind)
    wished(stage, sku_id, 5)
    assert state(stage, sku_id) == "unclear"
    story(stage, sku_id)
    assert (state(stage, sku_id), shelves(stage, sku_id)) == ("done", {MAIN: 5})
    older = [f"{sku_id} {MAIN}=12"] if kind == "effect_no_answer" else []
    assert told(stage) == [*older, f"{sku_id} {MAIN}=5"]


def test_an_older_update_that_lands_late_does_not_win(stage: Stage) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12, "effect_late", delay=50)
    wished(stage, sku_id, 5)
    stage.real.pass_time(32)
    stage.sweep()
    story(stage, sku_id)
    assert told(stage) == [f"{sku_id} {MAIN}={units}" for units in (5, 12, 5)]
    assert (state(stage, sku_id), shelves(stage, sku_id)) == ("done", {MAIN: 5})
    said = [line["reason"] for line in lines(stage, "stock.judged")]
    assert said == ["the update's effect was not seen", "an older update has landed late", ""]


def test_without_a_late_one_the_newer_is_seen_to_stand(stage: Stage) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12, "no_answer")
    wished(stage, sku_id, 5)
    story(stage, sku_id)
    assert told(stage) == [f"{sku_id} {MAIN}=5"]
    assert calls(stage, "search") == 3  # before, after the older, after the newer
    assert kept(stage, sku_id).older == ()


def test_the_stock_that_stands_otherwise_after_the_last_update_is_told(stage: Stage) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12, "no_answer")
    wished(stage, sku_id, 5)
    stage.real.pass_time(32)
    stage.sweep(seconds=30)
    assert kept(stage, sku_id).accepted
    stage.sandbox.set_stock(SHOP_ID, "MUG", {MAIN: 77})
    story(stage, sku_id)
    assert state(stage, sku_id) == "dead"
    assert "77" in notices(stage)[0]


def test_a_newer_wish_before_the_older_was_sent_is_the_only_one_told(stage: Stage) -> None:
    sku_id = stocked(stage)
    for units in (12, 5, 8):
        wished(stage, sku_id, units)
    stage.sweep()
    assert told(stage) == [f"{sku_id} {MAIN}=8"]
    assert kept(stage, sku_id).number == 3


def test_an_open_wish_for_another_warehouse_stays_beside_a_newer_one(stage: Stage) -> None:
    sku_id = stocked(stage, main=3, side=7)
    wished(stage, sku_id, main=12)
    wished(stage, sku_id, side=9)
    stage.sweep()
    assert told(stage) == [f"{sku_id} {MAIN}=12,{SIDE}=9"]


def test_a_warehouse_that_was_brought_there_is_not_set_again_for_anothers_sake(
    stage: Stage,
) -> None:
    sku_id = stocked(stage, main=3, side=7)
    doubtful(stage, sku_id, 12)
    wished(stage, sku_id, side=9)
    sold(stage, 4)
    story(stage, sku_id)
    assert told(stage) == [f"{sku_id} {MAIN}=12,{SIDE}=7", f"{sku_id} {MAIN}=8,{SIDE}=9"]
    assert (state(stage, sku_id), shelves(stage, sku_id)) == ("done", {MAIN: 8, SIDE: 9})


class Meanwhile:
    """A wire that lets something happen while an update is under way."""

    def __init__(self, stage: Stage, work: Callable[[], object]) -> None:
        self._inner, self._work, self.done = stage.wire, work, False

    def send(self, request: HttpRequest) -> HttpReply:
        if "inventory/update" in request.url and not self.done:
            self.done = True
            self._work()
        return self._inner.send(request)


@pytest.mark.parametrize("fault", [None, "no_answer", "effect_no_answer", "code"])
def test_a_newer_wish_while_the_older_is_being_sent_is_told_after_it(
    fault: str | None, stage: Stage
) -> None:
    sku_id = stocked(stage)
    if fault:
        stage.sandbox.fail(Fault(fault, UPDATE, code=12052055))
    wished(stage, sku_id, 12)
    world = stage.world
    world.wire = Meanwhile(stage, lambda: wished(stage, sku_id, 5))
    Sweep(world, stage.now, timedelta(seconds=65)).run()
    story(stage, sku_id)
    assert (state(stage, sku_id), shelves(stage, sku_id)) == ("done", {MAIN: 5})
    assert told(stage)[-1] == f"{sku_id} {MAIN}=5"


# Refusals


def test_stock_that_the_marketplace_divides_itself_is_not_allowed_with_advice(
    stage: Stage,
) -> None:
    sku_id = stocked(stage)
    other = stocked(stage, "TEA")
    stage.sandbox.shops[0].allocates_stock = True
    wished(stage, sku_id, 12)
    wished(stage, other, 12)
    report = stage.sweep()
    assert (report.failed, report.due_left) == (2, 0)
    for one in (sku_id, other):
        found = kept(stage, one)
        assert found.state is IntentState.NOT_ALLOWED
        assert "12052037" in found.reason
        assert "Seller Center" in found.advice
    assert len(notices(stage)) == 2
    stage.settle_down()
    assert len(notices(stage)) == 2


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        (12052037, "not_allowed"),
        (12019028, "refused"),
        (12052055, "refused"),
        (12052921, "refused"),
        (999999, "refused"),
        (105005, "pending"),
        (36009003, "done"),
        (36009002, "done"),
    ],
)
def test_a_whole_refusal_is_read_by_the_table(code: int, ends: str, stage: Stage) -> None:
    sku_id = stocked(stage)
    stage.sandbox.fail(Fault("code", UPDATE, code=code))
    wished(stage, sku_id, 12)
    stage.sweep()
    assert state(stage, sku_id) == ends
    found = kept(stage, sku_id)
    assert (str(code) in found.reason) == (ends != "done")
    assert bool(notices(stage)) == (ends in ("refused", "not_allowed"))


def test_zero_may_be_refused_and_that_is_told(stage: Stage) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, 0)
    assert "0 is undocumented" in kept(stage, sku_id).advice
    stage.sweep()
    found = kept(stage, sku_id)
    assert (found.state, told(stage)) == (IntentState.REFUSED, [])
    assert "12052055" in found.reason


def refusing(stage: Stage, **errors: Any) -> Any:
    """A wire whose answers to updates have errors in their list."""

    class Refusing:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = stage.wire.send(request)
            if "inventory/update" not in request.url:
                return reply
            body = json.loads(reply.body)
            body["data"] = errors
            return HttpReply(200, reply.headers, json.dumps(body).encode())

    return Refusing()


def swept(stage: Stage, wire: Any, seconds: float = 30) -> None:
    world = stage.world
    world.wire = wire
    Sweep(world, stage.now, timedelta(seconds=seconds)).run()


@pytest.mark.parametrize(
    ("errors", "ends"),
    [
        ([], "done"),
        ([{"code": 12052055, "message": "x", "detail": {"sku_id": "SKU"}}], "refused"),
        ([{"code": 12052037, "message": "x", "detail": {"sku_id": "SKU"}}], "not_allowed"),
        ([{"code": 12052055, "message": "x", "detail": {"sku_id": "1"}}], "unclear"),
        ([{"code": 0, "message": "x", "detail": {"sku_id": "SKU"}}], "unclear"),
        ([{"message": "x", "detail": {"sku_id": "SKU"}}], "unclear"),
        ([{"code": 12052055}], "unclear"),
        ([{"code": 36009002, "message": "x", "detail": {"sku_id": "SKU"}}], "pending"),
        ([{"code": 105001, "message": "x", "detail": {"sku_id": "SKU"}}], "pending"),
        ([None], "unclear"),
        ("none", "unclear"),
    ],
)
def test_the_errors_of_an_update_are_read_one_by_one(errors: Any, ends: str, stage: Stage) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, 12)
    text = json.dumps(errors).replace('"SKU"', f'"{sku_id}"')
    swept(stage, refusing(stage, errors=json.loads(text)))
    assert state(stage, sku_id) == ends


class OneProduct:
    """A marketplace with three SKUs in one product, which refuses whatever update has `bad` in it
    as a whole."""

    def __init__(self, code: int) -> None:
        self.units = {"101": 3, "102": 3, "103": 3}
        self.code = code
        self.updates: list[list[str]] = []

    def send(self, request: HttpRequest) -> HttpReply:
        asked = json.loads(request.body)
        if "search" in request.url:
            skus = [
                {
                    "id": sku_id,
                    "warehouse_inventory": [PLACE | {"available_quantity": self.units[sku_id]}],
                }
                for sku_id in asked["sku_ids"]
            ]
            return self._answer(0, {"inventory": [{"product_id": "9", "skus": skus}]})
        told = {sku["id"]: sku["inventory"][0]["quantity"] for sku in asked["skus"]}
        self.updates.append(list(told))
        if self.code and "102" in told:
            return self._answer(self.code, None)
        self.units |= told
        return self._answer(0, {"errors": []})

    def _answer(self, code: int, data: Any) -> HttpReply:
        body = {"code": code, "message": "x", "data": data}
        return HttpReply(200, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("code", "ends"), [(0, "done"), (12052055, "refused"), (12052037, "not_allowed")]
)
def test_the_skus_of_a_product_are_set_in_one_call_and_alone_where_it_is_refused_whole(
    code: int, ends: str, stage: Stage
) -> None:
    market = OneProduct(code)
    for sku_id in market.units:
        wished(stage, sku_id, 12)
    swept(stage, market)
    alone = [["101"], ["102"], ["103"]]
    assert market.updates == [["101", "102", "103"], *(alone if code else [])]
    assert market.units == {"101": 12, "102": 3 if code else 12, "103": 12}
    assert [state(stage, sku_id) for sku_id in market.units] == ["done", ends, "done"]


@pytest.mark.parametrize(("count", "calls_made"), [(49, [49]), (50, [50]), (51, [50, 1])])
def test_an_update_holds_no_more_than_fits(count: int, calls_made: list[int], stage: Stage) -> None:
    market = OneProduct(0)
    market.units = {str(1000 + n): 3 for n in range(count)}
    for sku_id in market.units:
        wished(stage, sku_id, 12)
    swept(stage, market)
    assert [len(update) for update in market.updates] == calls_made
    assert set(market.units.values()) == {12}


# A SKU or warehouse that is not there


def test_a_sku_that_is_not_shown_is_refused_after_some_looks(stage: Stage) -> None:
    stocked(stage)
    sku_id = "1729000009000000002"
    wished(stage, sku_id, 12)
    stage.sweep()
    assert state(stage, sku_id) == "pending"
    assert "does not show" in kept(stage, sku_id).reason
    story(stage, sku_id, minutes=12)
    assert (state(stage, sku_id), calls(stage, "search")) == ("refused", 4)
    assert calls(stage, "update") == 0
    assert len(notices(stage)) == 1


def test_one_that_vanishes_in_doubt_is_a_persons(stage: Stage) -> None:
    sku_id = stocked(stage)
    doubtful(stage, sku_id, 12)
    del stage.sandbox._world.stock[SHOP_ID, sku_id]
    story(stage, sku_id, minutes=12)
    assert state(stage, sku_id) == "dead"


def test_a_warehouse_that_the_sku_is_not_in_is_refused_naming_those_it_is_in(
    stage: Stage,
) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, main=5, side=5)
    stage.sweep()
    found = kept(stage, sku_id)
    assert (found.state, told(stage)) == (IntentState.REFUSED, [])
    assert SIDE in found.reason
    assert found.advice == f"Set it where it is: {MAIN}."


PLACE = {"warehouse_id": MAIN, "available_quantity": 3, "committed_quantity": 0}


def inventory(*places: Any, sku_id: Any = "SKU", **more: Any) -> Any:
    sku = {"id": sku_id, "seller_sku": "MUG", "warehouse_inventory": list(places), **more}
    return {"inventory": [{"product_id": "1729", "skus": [sku]}]}


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        ({}, "pending"),
        ({"inventory": None}, "pending"),
        ({"inventory": "none"}, "pending"),
        ({"inventory": []}, "pending"),
        ({"inventory": [{"product_id": "../1", "skus": []}]}, "pending"),
        ({"inventory": [{"product_id": "a/b", "skus": [{"id": "SKU"}]}]}, "pending"),
        (inventory(sku_id="OTHER"), "pending"),
        (inventory(total_available_quantity=3, total_committed_quantity=0), "pending"),
        (inventory(PLACE, PLACE), "pending"),
        (inventory(PLACE | {"warehouse_id": None}), "pending"),
        (
            {
                "inventory": [
                    {"product_id": n, "skus": [{"id": "SKU", "warehouse_inventory": [place]}]}
                    for n, place in (("1", PLACE), ("2", PLACE | {"warehouse_id": SIDE}))
                ]
            },
            "pending",
        ),
        (inventory(PLACE | {"available_quantity": None}), "pending"),
        (inventory(PLACE | {"available_quantity": "many"}), "pending"),
        (inventory(PLACE | {"available_quantity": True}), "pending"),
        (inventory(PLACE | {"available_quantity": 10**30}), "pending"),
        (inventory(PLACE, PLACE | {"warehouse_id": SIDE, "available_quantity": -1}), "refused"),
        (inventory(PLACE, PLACE | {"warehouse_id": SIDE, "available_quantity": 10**6}), "refused"),
        (inventory(PLACE | {"warehouse_id": SIDE}), "refused"),
        (inventory(PLACE | {"available_quantity": "12"}), "done"),
        (inventory(PLACE | {"available_quantity": 12, "x": {"y": []}}), "done"),
    ],
)
def test_whatever_a_search_answers_nothing_is_set_by_it_that_it_did_not_show(
    answer: Any, ends: str, stage: Stage
) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, 12)

    class Odd:
        def send(self, request: HttpRequest) -> HttpReply:
            body = {"code": 0, "message": "Success", "data": answer}
            text = json.dumps(body).replace('"SKU"', f'"{sku_id}"')
            return HttpReply(200, {}, text.encode())

    swept(stage, Odd())
    assert (state(stage, sku_id), told(stage)) == (ends, [])
    assert not lines(stage, "stock.failing")


def test_one_sku_that_cannot_be_read_holds_up_no_other(stage: Stage) -> None:
    odd, good = stocked(stage, "ODD"), stocked(stage, "GOOD")
    stage.sandbox._world.stock[SHOP_ID, odd].available[MAIN] = "many"  # type: ignore[assignment]
    stage.sandbox._world.stock[SHOP_ID, odd].committed[MAIN] = 0

    class Half:
        """Shows a quantity that is none."""

        def send(self, request: HttpRequest) -> HttpReply:
            if odd.encode() not in request.body or "search" not in request.url:
                return stage.wire.send(request)
            body = json.dumps(inventory(PLACE | {"available_quantity": "many"}, sku_id=odd))
            return HttpReply(200, {}, f'{{"code": 0, "data": {body}}}'.encode())

    for sku_id in (odd, good):
        wished(stage, sku_id, 12)
    swept(stage, Half())
    assert (state(stage, odd), state(stage, good)) == ("pending", "done")


def test_a_row_that_cannot_be_read_holds_up_no_other(stage: Stage) -> None:
    odd, good = stocked(stage, "ODD"), stocked(stage, "GOOD")
    for sku_id in (odd, good):
        wished(stage, sku_id, 12)
    stage.memory.rows[rows.shop_pk(SHOP_ID)][rows.STOCKWISH + odd]["doc"] = "{"
    stage.sweep()
    assert state(stage, good) == "done"
    assert lines(stage, "stock.failing")


# The connection


def test_the_wishes_of_a_lost_shop_leave_due_and_come_back_when_it_is_connected(
    stage: Stage,
) -> None:
    sku_id = stocked(stage)
    row = stage.memory.get((rows.shop_pk(SHOP_ID), rows.LANE))
    assert row is not None
    disconnect(stage.store, stage.shop(), row, stage.now, stage.real.now)
    wished(stage, sku_id, 12)
    stage.sweep()
    kept_row = stage.memory.get((rows.shop_pk(SHOP_ID), rows.STOCKWISH + sku_id))
    assert kept_row is not None
    assert "due_at" not in kept_row
    assert (calls(stage, "search"), stage.sweep().due_left) == (0, 0)
    connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    stage.sweep()
    assert state(stage, sku_id) == "done"
    assert told(stage) == [f"{sku_id} {MAIN}=12"]
    stage.real.pass_time(LEASE.total_seconds())
    stage.settle_down()
    assert len(told(stage)) == 1


def test_a_shop_that_is_lost_while_stock_is_set_keeps_the_wish(stage: Stage) -> None:
    sku_id = stocked(stage)
    stage.sandbox.fail(Fault("code", UPDATE, code=105001))
    stage.sandbox.fail(Fault("code", "/api/v2/token/*", code=105001))
    wished(stage, sku_id, 12)
    stage.sweep()
    assert state(stage, sku_id) == "pending"
    stage.sweep()
    assert stage.sweep().due_left == 0


def test_a_market_that_nobody_knows_takes_no_stock(stage: Stage) -> None:
    connect_shop(stage.store, stage.shop(market="XX"), TOKENS, stage.real.now, heal=False)
    sku_id = stocked(stage)
    wished(stage, sku_id, 12)
    stage.sweep()
    assert (state(stage, sku_id), calls(stage, "search")) == ("not_allowed", 0)


# Nothing lost, nothing twice


def lived(plan: dict[int, str], fault: str = "") -> tuple[Any, int]:
    """A story of two SKUs with faults in it, and how many steps its first sweep took."""
    stage = Stage(rotates=False)
    mug, tea = stocked(stage, "MUG", main=3, side=7), stocked(stage, "TEA")
    if fault:
        stage.sandbox.fail(Fault(fault, UPDATE))
    wished(stage, mug, main=12)
    wished(stage, tea, 5)
    steps, world = Faults(dict(plan)), stage.world
    world.store = FaultyStore(stage.memory, steps)
    world.wire = FaultyWire(stage.wire, steps)
    with suppress(Gone, StoreError):
        Sweep(world, stage.now, timedelta(seconds=65)).run()
    for _ in range(12):
        stage.real.pass_time(90)
        stage.until(stage.now + timedelta(minutes=2))
        left = stage.sweep().due_left
    assert left == 0
    ends = {sku_id: (state(stage, sku_id), shelves(stage, sku_id)) for sku_id in (mug, tea)}
    return (Counter(told(stage)), ends, notices(stage)), steps.step


@pytest.mark.parametrize("fault", ["", "no_answer", "effect_no_answer"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_step_may_fail_in_every_way_and_the_stock_is_set_once(kind: str, fault: str) -> None:
    expected, steps = lived({}, fault)
    assert set(expected[0].values()) == {1}
    assert len(expected[0]) == 2
    for step in range(steps):
        assert lived({step: kind}, fault)[0] == expected, step


def test_a_lane_that_lost_its_lease_sends_nothing(stage: Stage) -> None:
    sku_id = stocked(stage)
    wished(stage, sku_id, 12)
    taken: list[bool] = []

    class Stolen:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = stage.wire.send(request)
            if "search" in request.url:
                row = stage.memory.rows[rows.shop_pk(SHOP_ID)][rows.LANE]
                row["holder"] = "another"
                taken.append(True)
            return reply

    swept(stage, Stolen())
    assert taken
    assert (calls(stage, "update"), state(stage, sku_id)) == (0, "pending")
    assert [line["reason"] for line in lines(stage, "lane.busy")] == ["the lease was lost"]
