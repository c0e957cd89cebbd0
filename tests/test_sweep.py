"""What a sweep does about everything that can be due, told on a whole Shipclock in memory."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.shops import Shop as SandboxShop
from shipclock import codec, rows
from shipclock.clockwork import RESERVE
from shipclock.connect import connect_shop
from shipclock.domain.clock import Notice
from shipclock.marketplaces.protocol import Tokens
from shipclock.ports import Change, HttpReply, HttpRequest, Put
from shipclock.sweep import Sweep, TimeRefused, now_of
from shipclock.translate import MOST_EVENTS, replay
from tests.stage import (
    APP_KEY,
    APP_SECRET,
    REAL,
    SHOP_ID,
    START,
    TOKENS,
    Stage,
    tiktok_signature,
)

HOUR = timedelta(hours=1)


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


def scanned(stage: Stage, order_id: str, number: str = "SYN-1") -> None:
    """The order's parcel is with the carrier."""
    assert stage.carrier_tells(number, "picked_up", order_id=order_id).status == 200


def head(stage: Stage, order_id: str) -> dict[str, Any]:
    return stage.memory.rows[rows.order_pk(order_id)][rows.HEAD]


def calls(stage: Stage, path: str) -> int:
    return sum(path in call.path for call in stage.sandbox.calls)


# Pushes


def test_a_scan_ships_the_order_and_the_re_read_is_settled_in_the_same_sweep(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    assert stage.sweep().as_dict() == {
        "settled": 1,
        "fired": 0,
        "pushed": 1,
        "failed": 0,
        "due_left": 0,
    }
    assert stage.judged(order_id).order.status == "AWAITING_COLLECTION"
    assert [e.tracking_number for e in stage.effects] == ["SYN-1"]


def test_label_data_alone_ships_nothing(stage: Stage) -> None:
    order_id = placed(stage)
    stage.carrier_tells("SYN-1", "info_received", order_id=order_id)
    stage.sweep()
    assert stage.effects == []
    assert stage.intents(order_id) == {}


def test_a_callback_before_its_order_is_known_waits_under_its_number(stage: Stage) -> None:
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    scanned(stage, order_id)
    assert stage.sweep().due_left == 0
    stage.marketplace_tells()
    stage.sweep()
    assert [e.order_id for e in stage.effects] == [order_id]


@pytest.mark.parametrize(
    ("fault", "attempts", "effects"),
    [
        (Fault("effect_no_answer", "*/ship"), 1, 1),
        (Fault("no_answer", "*/ship"), 2, 1),
        (Fault("unavailable", "*/ship"), 2, 1),
        (Fault("html", "*/ship"), 2, 1),
        (Fault("truncated", "*/ship"), 1, 1),
        (Fault("slow", "*/ship", delay=30.0), 1, 1),
        (Fault("slow", "*/ship", delay=3.0), 1, 1),
        (Fault("effect_late", "*/ship", delay=20.0), 1, 1),
        (Fault("code", "*/ship", code=36009007), 2, 1),
        (Fault("rate_limit", "*/ship", retry_after=5), 2, 1),
        (Fault("expired_token", "*/ship"), 1, 1),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
def test_one_push_has_one_effect_whatever_the_marketplace_answers(
    stage: Stage, fault: Fault, attempts: int, effects: int
) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(fault)
    before = stage.real.now
    report = stage.sweep()
    assert (report.pushed, report.failed, report.due_left) == (1, attempts - 1, 0)
    assert len(stage.effects) == effects
    (intent,) = stage.judged(order_id).recorded.intents.values()
    assert (intent.state, intent.attempts) == ("done", attempts)
    if fault.kind in ("effect_no_answer", "no_answer", "html", "truncated"):
        assert stage.real.now - before >= timedelta(seconds=30), "looked again too soon"


def test_an_unclear_push_that_cannot_be_waited_out_stays_due(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(Fault("effect_no_answer", "*/ship"))
    report = stage.sweep(seconds=40)
    assert (report.pushed, report.failed) == (0, 1)
    assert report.due_left > 0
    assert stage.intents(order_id).popitem()[1] == "unclear"
    stage.real.pass_time(60)
    report = stage.sweep()
    assert (report.pushed, report.due_left) == (1, 0)
    assert len(stage.effects) == 1


def test_a_refusal_ends_the_push_and_says_what_to_do(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(Fault("code", "*/ship", code=21011022))
    report = stage.sweep()
    assert (report.pushed, report.failed, report.due_left) == (0, 1, 0)
    (intent,) = stage.judged(order_id).recorded.intents.values()
    assert intent.state == "refused"
    assert "Seller Center" in intent.advice


def test_a_refusal_for_now_is_tried_again_after_its_wait(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(Fault("code", "*/ship", code=21011044))
    assert stage.sweep().pushed == 0
    assert stage.intents(order_id).popitem()[1] == "pending"
    assert stage.sweep(stage.now + timedelta(minutes=59)).pushed == 0
    assert stage.sweep(stage.now + timedelta(minutes=61)).pushed == 1


def test_an_unanswering_marketplace_ends_in_a_dead_push_and_no_effect(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(Fault("no_answer", "*/ship", times=1000))
    for hour in range(60):
        stage.until(START + hour * HOUR)
        stage.real.pass_time(60)
        stage.sweep()
    (intent,) = stage.judged(order_id).recorded.intents.values()
    assert intent.state == "dead"
    assert stage.effects == []


def test_an_unreachable_marketplace_never_makes_a_push_dead(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.network.down = True
    for hour in range(60):
        stage.until(START + hour * HOUR)
        stage.real.pass_time(60)
        stage.sweep()
    stage.network.down = False
    stage.until(START + 70 * HOUR)
    stage.settle_down()
    assert len(stage.effects) == 1


def test_a_carrier_that_the_marketplace_does_not_list_is_told_to_the_seller(stage: Stage) -> None:
    order_id = placed(stage)
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id, carrier="Nobody Logistics")
    stage.sweep()
    (intent,) = stage.judged(order_id).recorded.intents.values()
    assert (intent.state, intent.reason) == ("not_allowed", "carrier unknown")
    assert "Synthetic Express" in intent.advice


def test_a_default_provider_ships_what_no_carrier_name_fits(stage: Stage) -> None:
    order_id = placed(stage)
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id, carrier="Nobody Logistics")
    stage.sweep()
    shop = stage.shop(default_provider="6610000000000000002")
    assert connect_shop(stage.store, shop, TOKENS, stage.real.now)
    stage.settle_down()
    assert len(stage.effects) == 1


def test_a_push_is_withdrawn_when_the_buyer_asks_to_cancel_and_sent_when_they_do_not(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(Fault("code", "*/ship", code=21011044))
    stage.sweep()
    stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    stage.sweep(stage.now + timedelta(minutes=5))
    assert stage.intents(order_id).popitem()[1] == "withdrawn"
    stage.until(START + 2 * HOUR)
    stage.sandbox.close_request(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    assert stage.intents(order_id).popitem()[1] == "done"
    assert len(stage.effects) == 1


def test_nothing_is_pushed_for_what_the_marketplace_fulfils(stage: Stage) -> None:
    order_id = placed(stage, fulfillment_type="FULFILLMENT_BY_TIKTOK")
    scanned(stage, order_id)
    assert stage.sweep().due_left == 0
    assert stage.intents(order_id).popitem()[1] == "not_allowed"
    assert stage.judged(order_id).decision.timeline == ()


def test_in_the_us_the_order_is_marked_as_shipped_with_all_its_lines() -> None:
    stage = Stage("US", "America/Los_Angeles")
    order_id = placed(stage, items={"MUG": 3})
    scanned(stage, order_id)
    stage.sweep()
    assert [e.call for e in stage.effects] == ["mark_package_as_shipped"]
    assert stage.judged(order_id).order.status == "AWAITING_COLLECTION"


# Lanes, tokens, shops


def test_an_expired_token_is_renewed_once_and_both_new_ones_are_kept(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sandbox.fail(Fault("expired_token", "*"))
    assert stage.sweep().pushed == 1
    assert calls(stage, "token/refresh") == 1
    row = stage.store.get(rows.authorisation_key(stage.shop().authorisation))
    assert row is not None
    tokens = codec.read_tokens(row)
    assert tokens.access_token == stage.sandbox.shops[0].access_token
    assert tokens.refresh_token == stage.sandbox.shops[0].refresh_token


def test_a_token_near_its_end_is_renewed_before_it_ends(stage: Stage) -> None:
    ends_at = stage.real.now + timedelta(hours=13)
    tokens = replace(TOKENS, access_expires_at=ends_at)
    assert connect_shop(stage.store, stage.shop(), tokens, stage.real.now)
    stage.real.pass_time(7 * 3600)
    stage.sweep(stage.real.now)
    assert calls(stage, "token/refresh") == 1


def test_a_deauthorised_shop_is_left_alone_and_goes_on_where_it_stopped(stage: Stage) -> None:
    order_id = placed(stage)
    stage.sandbox.revoke(SHOP_ID)
    scanned(stage, order_id)
    stage.sweep()
    before = len(stage.sandbox.calls)
    stage.until(START + 121 * HOUR)
    report = stage.sweep()
    assert report.due_left == 0
    assert len(stage.sandbox.calls) == before, "a deauthorised shop was called"
    assert stage.verdicts(order_id)["status_update"] == "standing", "its clocks go on"
    stage.sandbox.shops[0].revoked = False
    assert connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    stage.settle_down()
    assert [e.order_id for e in stage.effects] == [order_id]


def test_the_webhook_of_a_deauthorisation_acts_at_once_but_not_when_replayed(stage: Stage) -> None:
    order_id = placed(stage)
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.sweep()
    before = len(stage.sandbox.calls)
    scanned(stage, order_id)
    stage.sweep()
    assert len(stage.sandbox.calls) == before
    stage.sandbox.shops[0].revoked = False
    stage.real.pass_time(60)
    assert connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    for row in stage.kept:
        if row["source"] == "tiktok_shop":
            key = rows.key_of(row)
            stage.store.write(Change(key, set=rows.mark(key, rows.at_once(stage.real.now))))
    stage.settle_down()
    assert [e.order_id for e in stage.effects] == [order_id]


def test_a_lane_that_another_holds_is_left_and_its_rows_are_counted(stage: Stage) -> None:
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    key = rows.shop_pk(SHOP_ID), rows.LANE
    until = codec.millis(stage.real.now + timedelta(seconds=80))
    stage.store.write(Change(key, set={"holder": "other", "lease_until": until}))
    assert stage.sweep().due_left > 0
    assert stage.sandbox.calls == []
    stage.real.pass_time(81)
    assert stage.sweep().due_left == 0
    assert stage.judged(order_id).order.facts is not None


def test_one_shops_trouble_does_not_hold_up_another(stage: Stage) -> None:
    other = "7490000000000000002"
    stage.sandbox.add_shop(
        SandboxShop(
            other,
            "GCP_other",
            "MY",
            APP_KEY,
            APP_SECRET,
            "TTP_access_2",
            "TTP_refresh_2",
            (REAL + timedelta(days=7)).timestamp(),
            (REAL + timedelta(days=365)).timestamp(),
            "https://hooks.example/webhooks/tiktok",
        )
    )
    shop = stage.shop(
        shop_id=other,
        cipher="GCP_other",
        authorisation="seller-2",
    )
    tokens = Tokens("TTP_access_2", "TTP_refresh_2")
    connect_shop(stage.store, shop, tokens, REAL, heal=False)
    for shop_id in (SHOP_ID, other):
        stage.sandbox.add_order(shop_id, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.sandbox.fail(Fault("no_answer", "*", times=1000, shop_id=SHOP_ID))
    stage.sweep()
    states = {o: stage.judged(o).order.facts is not None for o in stage.sandbox.order_ids()}
    assert list(states.values()) == [False, True]


class Slow:
    """A marketplace of which every call takes long; when each was begun."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        self.stage, self.seconds = stage, seconds
        self.begun: list[datetime] = []

    def send(self, request: HttpRequest) -> HttpReply:
        self.begun.append(self.stage.real.now)
        self.stage.real.pass_time(self.seconds)
        return self.stage.network.send(request)


def critical(stage: Stage) -> None:
    """One hour is left for an order of another shop, and nobody was told yet."""
    due_at = stage.now + HOUR
    notice = Notice("shipping_due_time", "nearing", stage.now, "x", "So.", "critical", due_at)
    row = codec.notice_row(rows.order_pk("999"), notice, stage.real.now, "7490000000000000002")
    assert stage.store.write(Put(row))


@pytest.mark.parametrize(("orders", "seconds"), [(300, 9), (2300, 9), (300, 10), (300, 0.5)])
def test_no_marketplace_however_slow_and_busy_keeps_people_from_being_told(
    stage: Stage, orders: int, seconds: float
) -> None:
    for _ in range(orders):
        stage.sandbox.add_order(SHOP_ID, items={"MUG": 1})
    stage.marketplace_tells()
    stage.wire = slow = Slow(stage, seconds)
    critical(stage)
    began = stage.real.now
    stage.sweep()
    assert [event["level"] for event in stage.announced] == ["critical"]
    assert [attributes["level"] for _, _, attributes in stage.outlets.published] == ["critical"]
    assert len(slow.begun) > 3
    assert all(began + timedelta(seconds=65) - at >= RESERVE for at in slow.begun)


def test_a_slow_bus_with_much_to_take_leaves_time_to_tell_people(stage: Stage) -> None:
    for number in range(80):
        notice = Notice("untracked", "reminder", stage.now, "day", "So.", "critical")
        row = codec.notice_row(rows.order_pk(f"{number}"), notice, stage.real.now, SHOP_ID)
        assert stage.store.write(Put(row))
    world = stage.world
    announce = world.announce

    def slowly(event: Mapping[str, Any]) -> None:
        stage.real.pass_time(0.9)
        announce(event)

    world.announce = slowly
    Sweep(world, stage.now, timedelta(seconds=65)).run()
    assert 50 < len(stage.announced) < 80
    assert len(stage.outlets.published) == 1


def test_a_webhook_of_an_unknown_shop_is_kept_until_the_shop_is_connected(stage: Stage) -> None:
    other = "7490000000000000002"
    body = (
        b'{"type":1,"shop_id":"7490000000000000002","data":'
        b'{"order_id":"576000000000000001","order_status":"AWAITING_SHIPMENT","update_time":1}}'
    )
    assert stage.ring("tiktok_shop", {"authorization": tiktok_signature(body)}, body).status == 200
    stage.sweep()
    body = body.replace(b'"update_time":1', b'"update_time":1793498400')
    assert stage.ring("tiktok_shop", {"authorization": tiktok_signature(body)}, body).status == 200
    assert stage.sweep().due_left == 0
    assert head(stage, "576000000000000001")["shop_id"] == other
    assert stage.sandbox.calls == []


# Hard lines


def test_a_line_that_was_extended_in_silence_raises_no_alarm(stage: Stage) -> None:
    due = START + 72 * HOUR
    order_id = placed(stage, shipping_due_time=int(due.timestamp()))
    stage.until(due - timedelta(minutes=30))
    stage.sandbox.extend(order_id, "shipping_due_time", int((due + 48 * HOUR).timestamp()))
    stage.until(due)
    stage.sweep()
    assert stage.verdicts(order_id) == {}
    assert head(stage, order_id)["next_due_at"] == "2026-11-06T02:00:00Z"


def test_an_open_order_is_read_again_a_day_an_hour_and_no_time_before_its_line(
    stage: Stage,
) -> None:
    due = START + 72 * HOUR
    placed(stage, shipping_due_time=int(due.timestamp()))
    for before, expected in ((25, 0), (24, 1), (23, 1), (2, 1), (1, 2), (0, 3)):
        stage.until(due - before * HOUR - (timedelta(0) if before else timedelta(seconds=0)))
        if before == 25:
            base = calls(stage, "/order/202507")
        stage.sweep()
        assert calls(stage, "/order/202507") - base == expected, f"{before} h before"


def test_a_hard_lines_verdict_comes_after_its_re_read_or_an_hour_later_without(
    stage: Stage,
) -> None:
    due = START + 72 * HOUR
    order_id = placed(stage, delivery_due_time=int(due.timestamp()))
    stage.network.down = True
    stage.sweep(due)
    assert "delivery_due_time" not in stage.verdicts(order_id)
    stage.sweep(due + HOUR - timedelta(seconds=1))
    assert "delivery_due_time" not in stage.verdicts(order_id)
    stage.sweep(due + HOUR)
    assert stage.verdicts(order_id)["delivery_due_time"] == "standing"


def clocks(stage: Stage, order_id: str) -> dict[str, tuple[str, str]]:
    timeline = stage.judged(order_id).decision.timeline
    own = [tick.clock for tick in timeline if not tick.clock.part and not tick.clock.cause]
    return {clock.name: (clock.set_by, clock.state(stage.now).value) for clock in own}


def test_a_clock_that_the_marketplaces_own_line_replaced_stays_stopped_to_the_end(
    stage: Stage,
) -> None:
    lines = {
        "shipping_due_time": int((START + 72 * HOUR).timestamp()),
        "collection_due_time": int((START + 96 * HOUR).timestamp()),
    }
    order_id = placed(stage, **lines)
    scanned(stage, order_id)
    stage.sweep()
    stage.sandbox.collect(order_id)
    stage.sandbox.deliver(order_id)
    stage.marketplace_tells()
    stage.settle_down()
    assert clocks(stage, order_id) == {
        "shipping_due_time": ("shipping_due_time", "met"),
        "collection_due_time": ("collection_due_time", "met"),
        "status_update": ("shipping_due_time", "stopped"),
        "untracked": ("collection_due_time", "stopped"),
    }


def test_a_scan_after_the_cancellation_leaves_the_clocks_stopped(stage: Stage) -> None:
    order_id = placed(stage)
    stage.sandbox.cancel(order_id, "out of stock", "SELLER")
    stage.until(START + HOUR)
    scanned(stage, order_id)
    stage.marketplace_tells()
    stage.settle_down()
    assert {state for _, state in clocks(stage, order_id).values()} == {"stopped"}


def test_of_two_references_of_one_number_the_one_that_arrived_first_counts(stage: Stage) -> None:
    first, second = placed(stage), placed(stage)
    for order_id in (first, second):
        stage.carrier_tells("SYN-1", "info_received", order_id=order_id)
        stage.real.pass_time(0.001)
    stage.sweep()
    assert [p.tracking_number for p in stage.judged(first).order.packages] == ["SYN-1"]
    assert [p.tracking_number for p in stage.judged(second).order.packages] == [""]


# Reconciliation


def test_lost_webhooks_are_healed_by_the_next_reconciliation(stage: Stage) -> None:
    first = placed(stage)
    lost = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(130)
    ]
    stage.sandbox.take_webhooks()
    stage.until(START + timedelta(minutes=16))
    stage.settle_down()
    assert {head(stage, order_id)["status"] for order_id in [first, *lost]} == {"AWAITING_SHIPMENT"}


def test_reconciliation_goes_on_where_a_page_failed(stage: Stage) -> None:
    placed(stage)
    lost = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(130)
    ]
    stage.sandbox.take_webhooks()
    stage.until(START + timedelta(minutes=16))
    stage.sandbox.fail(Fault("html", "/order/202309/orders/search", after=1))
    stage.sweep()
    stage.until(START + timedelta(minutes=20))
    stage.settle_down()
    assert all(rows.HEAD in stage.memory.rows[rows.order_pk(o)] for o in lost)


def test_the_cursor_is_moved_by_the_search_itself_only(stage: Stage) -> None:
    placed(stage)
    key = rows.shop_pk(SHOP_ID), rows.RECONCILE
    first = (stage.store.get(key) or {})["cursors"]
    stage.until(START + 3 * HOUR)
    placed_later = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.sandbox.fail(Fault("html", "/order/202309/orders/search"))
    stage.sweep()
    assert head(stage, placed_later)["status"] == "AWAITING_SHIPMENT"
    assert (stage.store.get(key) or {})["cursors"] == first


def test_reconciliation_is_quiet_between_its_quarter_hours(stage: Stage) -> None:
    placed(stage)
    before = calls(stage, "search")
    for minute in range(1, 15):
        stage.sweep(START + timedelta(minutes=minute))
    assert calls(stage, "search") == before
    stage.sweep(START + timedelta(minutes=15))
    assert calls(stage, "search") == before + 3


# Quarantine and failing rows


def test_what_cannot_be_read_waits_tells_why_and_can_be_replayed(stage: Stage) -> None:
    body = b'{"type":1,"shop_id":"7490000000000000001","data":{"order_id":["?"]}}'
    assert stage.ring("tiktok_shop", {"authorization": tiktok_signature(body)}, body).status == 200
    assert stage.sweep().due_left == 0
    (row,) = stage.store.board(rows.QUARANTINE, 10).rows
    assert "data.order_id" in row["reason"]
    assert "expires_at" not in row, "it must wait for a person for as long as it takes"
    assert replay(stage.store, row, stage.real.now)
    stage.lines.clear()
    stage.sweep()
    assert [line.name for line in stage.lines if "delivery" in line.name] == [
        "delivery.quarantined"
    ]


def test_an_order_that_cannot_be_settled_backs_off_and_holds_up_no_other(stage: Stage) -> None:
    sick, well = placed(stage), placed(stage)
    key = rows.order_pk(sick), "EVENT#bad"
    stage.store.write(
        Put({"pk": key[0], "sk": key[1], "kind": "hint", "doc": "{}", **rows.mark(key, "0#")})
    )
    scanned(stage, well)
    report = stage.sweep()
    assert report.pushed == 1
    assert any(line.name == "order.failing" for line in stage.lines)
    assert report.due_left == 0, "it is put off, not due"
    assert (stage.store.get(key) or {})["due_at"] > rows.at(stage.now)


def test_no_order_grows_without_bound(stage: Stage) -> None:
    order_id = placed(stage)
    for n in range(MOST_EVENTS + 20):
        at = START + timedelta(seconds=n)
        stage.carrier_tells("SYN-1", "in_transit", at, order_id)
    stage.settle_down()
    page = stage.store.board(rows.QUARANTINE, 100)
    assert len(page.rows) == 20
    assert len(stage.store.read(rows.number_pk("SYN1"), rows.EVENT)) == MOST_EVENTS


def test_a_verdict_is_announced_and_again_if_the_bus_did_not_take_it(stage: Stage) -> None:
    order_id = placed(stage)
    world = stage.world
    failures = iter([ValueError("the bus is down")])

    def announce(event: Any) -> None:
        for failure in failures:
            raise failure
        stage.announced.append(event)

    world.announce = announce
    stage.until(START + 120 * HOUR)
    Sweep(world, stage.now, timedelta(seconds=65)).run()
    Sweep(world, stage.now + timedelta(minutes=2), timedelta(seconds=65)).run()
    told = sorted(str(event["type"]) for event in stage.announced)
    assert told == ["order.reminder", "order.verdict.standing"]
    assert {event["order_id"] for event in stage.announced} == {order_id}


def test_what_the_bus_did_not_take_is_told_a_minute_after_it_is_back(stage: Stage) -> None:
    placed(stage)
    world, down = stage.world, True

    def announce(event: Any) -> None:
        if down:
            raise ValueError("the bus is down")
        stage.announced.append(event)

    world.announce = announce
    stage.until(START + 120 * HOUR)
    for minute in range(90):
        Sweep(world, stage.now + minute * HOUR / 60, timedelta(seconds=65)).run()
    down = False
    for minute in (90, 91):
        Sweep(world, stage.now + minute * HOUR / 60, timedelta(seconds=65)).run()
    told = sorted(str(event["type"]) for event in stage.announced)
    assert told == ["order.reminder", "order.verdict.standing"]


# The times


@pytest.mark.parametrize("minutes", [-11, 11])
def test_a_schedule_time_far_from_the_clock_is_refused(minutes: int) -> None:
    event = {"time": rows.at(REAL + timedelta(minutes=minutes))}
    with pytest.raises(TimeRefused, match="ten minutes"):
        now_of(event, REAL, time_travel=False)
    assert now_of(event, REAL, time_travel=True) == REAL + timedelta(minutes=minutes)


@pytest.mark.parametrize("event", [{}, {"time": ""}, {"time": "noon"}, {"time": 5}])
def test_a_schedule_event_without_a_time_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(TimeRefused):
        now_of(event, REAL, time_travel=True)


def test_ten_minutes_off_is_still_believed() -> None:
    event = {"time": rows.at(REAL - timedelta(minutes=10))}
    assert now_of(event, REAL, time_travel=False) == REAL - timedelta(minutes=10)


def test_no_personal_data_leaves_the_delivery_and_the_buyers_row(stage: Stage) -> None:
    order_id = placed(stage)
    scanned(stage, order_id)
    stage.sweep()
    buyer = stage.memory.rows[rows.order_pk(order_id)][rows.BUYER]
    assert "Sam Example" in buyer["doc"]
    assert buyer["expires_at"] > 0
    for pk, found in stage.memory.rows.items():
        for sk, row in found.items():
            if sk not in (rows.BUYER, rows.DELIVERY):
                assert "Sam Example" not in repr(row), (pk, sk)
    assert "Sam Example" not in repr(stage.lines)
    assert "TTP_access" not in repr(TOKENS), "a token must not show in a repr"


def test_while_a_reconnection_waits_for_other_sweeps_the_shop_is_searched_once(
    stage: Stage,
) -> None:
    order_id = placed(stage)
    connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    before = calls(stage, "/orders/search")
    for _ in range(3):
        stage.real.pass_time(8)
        stage.sweep()
    assert calls(stage, "/orders/search") == before + 1
    stage.real.pass_time(20)
    stage.sweep()  # what is left is short enough to be waited out
    row = stage.memory.rows[rows.shop_pk(SHOP_ID)][rows.RECONCILE]
    assert ("wake" in row, calls(stage, "/orders/search")) == (False, before + 2)
    assert head(stage, order_id)["status"] == "AWAITING_SHIPMENT"
