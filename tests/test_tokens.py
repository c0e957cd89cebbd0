"""Tokens: renewed in time, once, whoever wants it; kept through crashes; told where they end."""

import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.shops import Shop as SandboxShop
from shipclock import codec, rows
from shipclock.asking import ask
from shipclock.clockwork import Busy, Clockwork
from shipclock.connect import attach_shop, connect_shop, disconnect, expiring, store_tokens
from shipclock.domain.push import Deed
from shipclock.lane import Lane, LaneWorld, take
from shipclock.marketplaces.protocol import Call, Kind, Outcome, Shop, Tokens
from shipclock.marketplaces.tiktok_shop.answers import read_tokens
from shipclock.ports import Change, HttpReply, HttpRequest, Put, Row, StoreError, Wire
from shipclock.renewal import LEASE
from shipclock.skew import SKEWED, skew
from shipclock.sweep import Sweep
from tests.fakes import KINDS, Faults, FaultyStore, FaultyWire, Gone
from tests.stage import (
    APP_KEY,
    APP_SECRET,
    HOSTS,
    REAL,
    SHOP_ID,
    TOKENS,
    Stage,
)

DAY = timedelta(days=1)
SHOPS = Call("shops", "GET", "/authorization/202309/shops", cipher=False)
AUTH = rows.authorisation_key("seller-1")


def shop_id(number: int) -> str:
    return f"749{number:016d}"


def more_shops(stage: Stage, numbers: range) -> list[str]:
    """Further shops of the same seller: one authorisation, one pair of tokens."""
    first = stage.sandbox.shops[0]
    for number in numbers:
        name, cipher = shop_id(number), f"GCP_cipher_{number}"
        stage.sandbox.add_shop(
            SandboxShop(
                name,
                cipher,
                "MY",
                APP_KEY,
                APP_SECRET,
                first.access_token,
                first.refresh_token,
                first.access_expires_at,
                first.refresh_expires_at,
                first.webhook_url,
            )
        )
        attach_shop(stage.store, stage.shop(shop_id=name, cipher=cipher), REAL, heal=False)
    return [shop_id(number) for number in numbers]


def renewals(stage: Stage) -> int:
    return sum(call.path == "/api/v2/token/refresh" for call in stage.sandbox.calls)


def auth(stage: Stage) -> Row:
    row = stage.memory.get(AUTH)
    assert row is not None
    return row


def tokens(stage: Stage) -> Tokens:
    return codec.read_tokens(auth(stage))


def shop_of(stage: Stage, name: str = SHOP_ID) -> Shop:
    row = stage.memory.get((rows.shop_pk(name), rows.LANE))
    assert row is not None
    return codec.read_shop(row)


def told(stage: Stage, kind: str) -> list[Any]:
    return [event for event in stage.announced if event["type"] == f"shop.{kind}"]


def lane_of(stage: Stage, name: str = SHOP_ID, **world: Any) -> Lane:
    """The shop's lane, held."""
    clockwork = Clockwork(stage.real, stage.real.sleep, stage.real.now + timedelta(seconds=65))
    said = {
        "store": stage.store,
        "wire": stage.wire,
        "hosts": HOSTS,
        "clockwork": clockwork,
        "now": stage.now,
        "secret_of": lambda shop: APP_SECRET,
        "report": lambda line, **fields: lines.append((line, fields)),
        **world,
    }
    lane = take(LaneWorld(**said), name, f"holder-{next(ids)}")
    assert lane is not None
    return lane


ids = itertools.count()
lines: list[tuple[str, dict[str, Any]]] = []


@pytest.fixture(autouse=True)
def no_lines() -> None:
    lines.clear()


# One renewal, whoever wants it


class FastClock:
    """A real clock that runs many times as fast, so that waiting for others is real waiting."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start, self._speed, self._began = start, speed, time.monotonic()

    def __call__(self) -> datetime:
        passed = (time.monotonic() - self._began) * self._speed
        return self._start + timedelta(seconds=passed)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / self._speed)


class SlowWire:
    """A wire whose renewals take a while, so that all others come to want one meanwhile."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def send(self, request: HttpRequest) -> HttpReply:
        if "/token/refresh" in request.url:
            time.sleep(0.2)
        return self._wire.send(request)


@pytest.mark.parametrize("rotates", [True, False])
def test_a_hundred_sweeps_at_the_end_of_a_token_make_one_renewal_and_every_push(
    rotates: bool,
) -> None:
    stage = Stage(rotates=rotates)
    shops = [SHOP_ID, *more_shops(stage, range(2, 6))]
    orders = []
    for name in shops:
        items = {"MUG": 1}
        orders.append(stage.sandbox.add_order(name, status="AWAITING_SHIPMENT", items=items))
    stage.marketplace_tells()
    for place, order_id in enumerate(orders):
        stage.carrier_tells(f"SYN-10{place}", "picked_up", order_id=order_id)
    for shop in stage.sandbox.shops:
        shop.access_expires_at = REAL.timestamp() - 1
    stage.wire = SlowWire(stage.wire)
    clock = FastClock(REAL, speed=1.5)
    world = stage.world
    world.real, world.sleep = clock, clock.sleep
    start = threading.Barrier(100)

    def sweep(_: int) -> int:
        start.wait()
        return Sweep(world, stage.now, timedelta(seconds=65)).run().failed

    with ThreadPoolExecutor(100) as pool:
        failed = sum(pool.map(sweep, range(100)))
    assert renewals(stage) == 1
    # of a hundred settles at once one may lose every race: its order is the next sweep's
    assert failed <= sum("LostRaces" in str(line.fields.get("fault")) for line in stage.lines)
    Sweep(world, stage.now, timedelta(seconds=65)).run()
    assert sorted(effect.order_id for effect in stage.effects) == sorted(orders)
    assert {order: list(stage.intents(order).values()) for order in orders} == {
        order: ["done"] for order in orders
    }
    assert tokens(stage).refresh_token == stage.sandbox.shops[0].refresh_token
    assert "renewer" not in auth(stage)


def test_a_hundred_lanes_of_one_authorisation_make_one_renewal() -> None:
    stage = Stage()
    shops = [SHOP_ID, *more_shops(stage, range(2, 101))]
    for shop in stage.sandbox.shops:
        shop.access_expires_at = REAL.timestamp() - 1
    wire = SlowWire(stage.wire)
    clock = FastClock(REAL, speed=1.5)
    clockwork = Clockwork(clock, clock.sleep, REAL + timedelta(seconds=65))
    start = threading.Barrier(100)
    lanes = [lane_of(stage, name, wire=wire, clockwork=clockwork) for name in shops]

    def call(lane: Lane) -> Kind:
        start.wait()
        return lane.call(SHOPS).kind

    with ThreadPoolExecutor(100) as pool:
        assert set(pool.map(call, lanes)) == {Kind.OK}
    assert renewals(stage) == 1


def test_a_renewal_that_fails_is_not_repeated_by_each_lane_that_waited_for_it() -> None:
    stage = Stage()
    shops = [SHOP_ID, *more_shops(stage, range(2, 12))]
    for shop in stage.sandbox.shops:
        shop.access_expires_at = REAL.timestamp() - 1
    stage.sandbox.fail(Fault(kind="unavailable", path="*/token/refresh", times=100))
    assert {lane_of(stage, name).call(SHOPS).kind for name in shops} == {Kind.RATE_LIMITED}
    assert renewals(stage) == 1
    stage.sandbox.clear_faults()
    stage.real.pass_time(90)
    assert lane_of(stage).call(SHOPS).kind is Kind.OK


def to_be_shipped(stage: Stage) -> str:
    """An order whose push is wanted just as the access token has run out."""
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id)
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    return order_id


def test_a_renewal_that_nobody_answered_is_repeated_in_the_same_sweep_while_there_is_time() -> None:
    stage = Stage()
    order_id = to_be_shipped(stage)
    stage.sandbox.fail(Fault(kind="unavailable", path="*/token/refresh", times=1))
    stage.until(stage.now + timedelta(hours=2))
    assert stage.sweep().due_left == 0
    assert list(stage.intents(order_id).values()) == ["done"]
    assert renewals(stage) == 2


def test_what_waits_for_a_renewal_longer_than_a_sweep_has_time_is_left_due() -> None:
    stage = Stage()
    order_id = to_be_shipped(stage)
    stage.sandbox.fail(Fault(kind="unavailable", path="*/token/refresh", times=1))
    stage.until(stage.now + timedelta(hours=2))
    report = stage.sweep(seconds=40)
    assert report.due_left > 0
    assert renewals(stage) == 1
    stage.real.pass_time(60)
    assert stage.sweep().due_left == 0
    assert list(stage.intents(order_id).values()) == ["done"]


def test_a_shop_without_a_token_is_called_once_a_sweep_and_counted() -> None:
    stage = Stage()
    order_id = to_be_shipped(stage)
    stage.sandbox.fail(Fault(kind="unavailable", path="*/token/refresh", times=99))
    stage.until(stage.now + timedelta(hours=2))
    stage.sweep(seconds=40)
    for _ in range(3):
        calls = len(stage.sandbox.calls)
        report = stage.sweep(seconds=40)
        assert report.due_left > 0
        assert len(stage.sandbox.calls) <= calls + 2
        stage.real.pass_time(5)
    assert list(stage.intents(order_id).values()) == ["pending"]


def test_who_has_a_token_that_is_still_good_does_not_wait_for_its_renewal() -> None:
    stage = Stage()
    stage.sandbox.fail(Fault(kind="unavailable", path="*/token/refresh", times=99))
    for _ in range(2):
        lane, began = lane_of(stage), stage.real.now
        with suppress(Busy):
            assert not lane.renew()
        assert lane.call(SHOPS).kind is Kind.OK
        assert stage.real.now - began < timedelta(seconds=5)
        lane.release()


def test_what_was_taken_back_while_a_token_was_renewed_is_not_told() -> None:
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    says = {"reason": "seller_cancel_reason_out_of_stock"}
    ask(stage.store, order_id, Deed.CANCEL, says, stage.real.now)
    refused: list[str] = []

    class Wire:
        """The token runs out at the very call; the seller takes his word back just after that."""

        def send(self, request: HttpRequest) -> HttpReply:
            path = request.url.partition("?")[0]
            if path.endswith("/cancellations") and not refused:
                stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
            if path.endswith("/token/refresh") and not refused:
                refused.append(path)
                stage.real.pass_time(1)
                ask(stage.store, order_id, Deed.CANCEL, says, stage.real.now, revoked=True)
                return HttpReply(503, {}, b"")
            return inner.send(request)

    inner, stage.wire = stage.wire, Wire()
    stage.until(stage.now + timedelta(hours=2))
    for _ in range(3):
        stage.sweep()
        stage.real.pass_time(40)
    assert refused
    assert stage.effects == []
    assert set(stage.intents(order_id).values()) <= {"withdrawn"}


def test_a_refused_renewal_is_tried_again_by_the_sweeps_own_time() -> None:
    stage = Stage()
    order_id = to_be_shipped(stage)
    stage.sandbox.fail(Fault(kind="code", path="*/token/refresh", code=36009004, times=1))
    stage.until(stage.now + timedelta(hours=2))
    stage.sweep()
    assert renewals(stage) == 1
    stage.until(stage.now + timedelta(minutes=14))
    stage.sweep()
    assert renewals(stage) == 1
    stage.until(stage.now + timedelta(minutes=2))
    stage.sweep()
    assert list(stage.intents(order_id).values()) == ["done"]


def test_a_connection_made_during_a_renewal_is_not_undone_by_it() -> None:
    stage = Stage()
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    fresh = Tokens("TTP_consented", "TTP_consented_refresh")

    class Wire:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = inner.send(request)
            if "/token/refresh" in request.url:
                store_tokens(stage.memory, stage.shop(), fresh, stage.real.now)
            return reply

    inner = stage.wire
    lane_of(stage, wire=Wire()).call(SHOPS)
    assert tokens(stage) == fresh


# Crashes


@pytest.mark.parametrize("rotates", [True, False])
def test_a_crash_before_a_renewal_is_kept_is_survived_or_told(rotates: bool) -> None:
    stage = Stage(rotates=rotates)
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1

    class Wire:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = stage.wire.send(request)
            if "/token/refresh" in request.url:
                raise Gone  # the answer, with the only new tokens, dies with the process
            return reply

    with pytest.raises(Gone):
        lane_of(stage, wire=Wire()).call(SHOPS)
    assert tokens(stage) == TOKENS
    stage.real.pass_time(LEASE.total_seconds() + 1)
    outcome = lane_of(stage).call(SHOPS)
    if not rotates:
        assert outcome.kind is Kind.OK
        assert "broken" not in auth(stage)
        return
    assert outcome.kind is Kind.EXPIRED
    assert shop_of(stage).connected
    assert [name for name, _ in lines] == ["token.refused"]
    stage.real.pass_time(60)
    stage.sweep()
    notice = told(stage, "renewal_refused")
    assert len(notice) == 1
    assert "An earlier renewal broke off" in notice[0]["text"]
    assert "shops connect" in notice[0]["text"]


STEPS = 14
"""More than a lane takes from its start over a renewal to its second call."""


@pytest.mark.parametrize("rotates", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("step", range(STEPS))
def test_a_fault_at_any_step_of_a_renewal_is_survived_or_told(
    step: int, kind: str, rotates: bool
) -> None:
    stage = Stage(rotates=rotates)
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    faults = Faults({step: kind})
    store, wire = FaultyStore(stage.memory, faults), FaultyWire(stage.wire, faults)
    with suppress(StoreError, Gone):
        lane = lane_of(stage, store=store, wire=wire)
        lane.call(SHOPS)
        lane.release()
    stage.real.pass_time(LEASE.total_seconds() + 1)
    lane = lane_of(stage)
    outcome = lane.call(SHOPS)
    lane.release()
    assert shop_of(stage).connected
    if outcome.kind is not Kind.OK:
        assert rotates, "the old refresh token is still good"
        assert tokens(stage) == TOKENS
        stage.real.pass_time(60)
        stage.sweep()
        assert len(told(stage, "renewal_refused")) == 1
    assert renewals(stage) <= 2


def test_a_notice_that_the_table_does_not_take_fails_no_call() -> None:
    stage = Stage()
    shop = stage.sandbox.shops[0]
    shop.access_expires_at = REAL.timestamp() - 1
    shop.refresh_expires_at = (REAL + 5 * DAY).timestamp()

    class Store(FaultyStore):
        def write(self, write: Put | Change) -> bool:
            if isinstance(write, Put):
                raise StoreError("throttled")
            return super().write(write)

    assert lane_of(stage, store=Store(stage.memory, Faults())).call(SHOPS).kind is Kind.OK
    assert [name for name, _ in lines] == ["table.failing"]


def test_while_a_renewal_may_still_be_under_way_no_other_is_begun() -> None:
    stage = Stage()
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    until = codec.millis(stage.real.now + timedelta(hours=1))
    lease = {"renewer": "somebody", "renew_until": until}
    stage.store.write(Change(AUTH, set=lease))
    assert lane_of(stage).call(SHOPS).kind is Kind.EXPIRED
    assert renewals(stage) == 0
    assert auth(stage)["renewer"] == "somebody"


def test_a_renewal_that_is_refused_again_and_again_is_told_once() -> None:
    stage = Stage()
    stage.sandbox.shops[0].refresh_token = "TTP_another"
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    for _ in range(4):
        lane = lane_of(stage)
        assert lane.call(SHOPS).kind is Kind.EXPIRED
        lane.release()
        stage.real.pass_time(20 * 60)
    stage.sweep()
    assert renewals(stage) == 4
    assert len(told(stage, "renewal_refused")) == 1


def test_a_refusal_waits_a_quarter_of_an_hour_and_a_new_connection_does_not() -> None:
    stage = Stage()
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    stage.sandbox.fail(Fault(kind="code", path="*/token/refresh", code=36009033, times=9))
    lane = lane_of(stage)
    for _ in range(3):
        assert lane.call(SHOPS).kind is Kind.EXPIRED
    lane.release()
    assert renewals(stage) == 1
    stage.sandbox.clear_faults()
    assert connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    assert lane_of(stage).call(SHOPS).kind is Kind.OK


# Deauthorised


def test_a_shop_said_to_be_deauthorised_is_lost_only_if_a_renewal_says_so_too() -> None:
    stage = Stage()
    stage.sandbox.fail(Fault(kind="code", path="*/shops", code=105001))
    assert lane_of(stage).call(SHOPS).kind is Kind.OK
    assert shop_of(stage).connected
    assert renewals(stage) == 1


def test_a_shop_that_really_is_deauthorised_is_lost_at_the_first_call() -> None:
    stage = Stage()
    stage.sandbox.shops[0].revoked = True
    assert lane_of(stage).call(SHOPS).kind is Kind.DEAUTHORISED
    assert not shop_of(stage).connected


def test_while_a_renewal_cannot_be_asked_a_deauthorised_shop_stays() -> None:
    stage = Stage()
    stage.sandbox.shops[0].revoked = True
    stage.sandbox.fail(Fault(kind="no_answer", path="*/token/refresh", times=9))
    assert lane_of(stage).call(SHOPS).kind is Kind.RATE_LIMITED
    assert shop_of(stage).connected
    stage.sandbox.clear_faults()
    stage.real.pass_time(90)
    assert lane_of(stage).call(SHOPS).kind is Kind.DEAUTHORISED
    assert not shop_of(stage).connected


def test_one_shop_taken_from_the_authorisation_leaves_the_others_connected() -> None:
    stage = Stage()
    (other,) = more_shops(stage, range(2, 3))
    stage.sandbox.shops[0].revoked = True
    orders = Call("orders", "GET", "/order/202507/orders", {"ids": "1"})
    assert lane_of(stage).call(orders).kind is Kind.DEAUTHORISED
    assert not shop_of(stage).connected
    assert lane_of(stage, other).call(orders).kind is not Kind.DEAUTHORISED
    assert shop_of(stage, other).connected
    assert auth(stage)["shop_id"] == other, "the other shop has the tokens renewed from now on"


def test_the_tokens_of_lost_shops_alone_are_due_no_more() -> None:
    stage = Stage()
    ends_at = REAL + timedelta(hours=1)
    store_tokens(stage.store, stage.shop(), replace(TOKENS, access_expires_at=ends_at), REAL)
    row = stage.memory.get((rows.shop_pk(SHOP_ID), rows.LANE))
    assert row is not None
    assert "due_at" in auth(stage)
    assert disconnect(stage.store, stage.shop(), row, stage.now, REAL)
    assert "due_at" not in auth(stage)


# What is kept of an answer


def test_the_end_of_the_authorisation_and_its_scopes_are_kept_through_a_renewal() -> None:
    stage = Stage()
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    assert lane_of(stage).call(SHOPS).kind is Kind.OK
    kept = tokens(stage)
    assert kept.refresh_expires_at == REAL + timedelta(days=365)
    assert "seller.order.info" in kept.scopes


def test_a_renewal_that_names_neither_keeps_what_is_known() -> None:
    stage = Stage()
    known = replace(TOKENS, refresh_expires_at=REAL + 90 * DAY, scopes=("seller.order.info",))
    store_tokens(stage.store, stage.shop(), known, REAL)
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1

    class Wire:
        def send(self, request: HttpRequest) -> HttpReply:
            if "/token/refresh" not in request.url:
                return stage.wire.send(request)
            data = {"access_token": "a", "refresh_token": "b"}
            return HttpReply(200, {}, json.dumps({"code": 0, "data": data}).encode())

    lane_of(stage, wire=Wire()).call(SHOPS)
    assert tokens(stage) == replace(known, access_token="a", refresh_token="b")


@pytest.mark.parametrize("granted", [None, "seller.order.info", {"a": 1}, [1, None, {}], []])
def test_odd_scopes_are_no_scopes(granted: object) -> None:
    data = {"access_token": "a", "refresh_token": "b", "granted_scopes": granted}
    assert read_tokens(Outcome(Kind.OK, data)).scopes == ()


# The authorisation's end


def notices(stage: Stage) -> int:
    return len(stage.memory.read(rows.shop_pk(SHOP_ID), rows.NOTICE))


def test_the_end_of_an_authorisation_is_told_at_once_and_then_ever_closer() -> None:
    stage = Stage()
    ends_at = REAL + 30 * DAY
    days = [
        left
        for left in range(30, -3, -1)
        if expiring(stage.store, SHOP_ID, ends_at, stage.now, ends_at - left * DAY)
    ]
    assert days == [30, 7, 3, 1]
    stage.sweep()
    text = told(stage, "authorisation_ends")[0]["text"]
    assert "ends at 2026-12-23T12:00:00Z" in text
    assert "shops connect" in text


def test_an_end_that_is_over_or_of_no_connected_shop_is_not_told() -> None:
    stage = Stage()
    assert not expiring(stage.store, "7490000000000000009", REAL + DAY, stage.now, REAL)
    later = replace(TOKENS, refresh_expires_at=REAL + 365 * DAY)
    assert connect_shop(stage.store, stage.shop(), later, REAL)
    assert not expiring(stage.store, SHOP_ID, REAL + 30 * DAY, stage.now, REAL)
    assert expiring(stage.store, SHOP_ID, REAL + 365 * DAY, stage.now, REAL)
    assert connect_shop(stage.store, stage.shop(connected=False), TOKENS, REAL)
    assert not expiring(stage.store, SHOP_ID, REAL + DAY, stage.now, REAL)
    assert notices(stage) == 1


def test_a_renewal_that_tells_of_a_near_end_is_told_without_a_webhook() -> None:
    stage = Stage()
    shop = stage.sandbox.shops[0]
    shop.access_expires_at = REAL.timestamp() - 1
    shop.refresh_expires_at = (REAL + 5 * DAY).timestamp()
    lane_of(stage).call(SHOPS)
    assert notices(stage) == 1


# Our clock and theirs


@pytest.mark.parametrize(
    ("off", "seconds"),
    [(0, 0), (59, 59), (60, 60), (61, 61), (-59, -59), (-60, -60), (-61, -61)],
)
def test_the_skew_is_what_lies_outside_the_time_of_the_call(off: int, seconds: int) -> None:
    sent, back = REAL, REAL + timedelta(seconds=4)
    between = sent + timedelta(seconds=2)
    assert skew({"date": format_datetime(between, usegmt=True)}, sent, back) == timedelta(0)
    date = (sent if off > 0 else back) - timedelta(seconds=off + (off > 0))
    header = {"date": format_datetime(date, usegmt=True)}
    assert skew(header, sent, back) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 99 Foo 2026", "Mon, 01 Jan 99999999999999 00:00:00 GMT", "\0"]
)
def test_a_date_that_is_none_tells_nothing(date: str) -> None:
    assert skew({"date": date}, REAL, REAL) == timedelta(0)
    assert skew({}, REAL, REAL) == timedelta(0)


@pytest.mark.parametrize(("off", "lines_said"), [(59, 0), (60, 1), (61, 1), (-61, 1)])
def test_a_clock_that_is_off_is_told_once_per_lane(off: int, lines_said: int) -> None:
    stage = Stage()

    class Wire:
        def send(self, request: HttpRequest) -> HttpReply:
            reply = stage.wire.send(request)
            late = timedelta(seconds=off + (off > 0))
            date = format_datetime(stage.real.now - late, usegmt=True)
            return replace(reply, headers={**reply.headers, "date": date})

    lane = lane_of(stage, wire=Wire())
    for _ in range(3):
        lane.call(SHOPS)
    said = [fields["seconds"] for name, fields in lines if name == "clock.skew"]
    assert said == [off] * lines_said
    assert timedelta(seconds=60) == SKEWED


def test_no_line_and_no_notice_holds_a_token_or_a_secret() -> None:
    stage = Stage()
    stage.sandbox.shops[0].refresh_token = "TTP_another"
    stage.sandbox.shops[0].access_expires_at = REAL.timestamp() - 1
    lane_of(stage).call(SHOPS)
    written = repr(lines) + repr(stage.memory.read(rows.shop_pk(SHOP_ID)))
    for secret in (TOKENS.access_token, TOKENS.refresh_token, APP_SECRET):
        assert secret not in written
