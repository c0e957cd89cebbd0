"""Where we and the marketplace do not agree: case by case, a second before and after."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shipclock import codec, rows
from shipclock.domain.linking import NumberFacts
from shipclock.domain.push import Intent, IntentState
from shipclock.drift import VANISHED_AFTER, Drift, What, drift
from shipclock.order_view import order_view
from shipclock.ports import Change
from shipclock.situation import Read
from tests.builders import (
    NUMBER,
    REAL,
    SECOND,
    after,
    folded,
    hint,
    line,
    numbered,
    scan,
    snapshot,
)
from tests.stage import SHOP_ID, Stage, tiktok_signature

DAY = timedelta(days=1)
LATER = REAL + timedelta(hours=1)
ONE = (line("1", package_id="P1", tracking_number=NUMBER, package_status="FULFILLING"),)
TWO = (*ONE, line("2", package_id="P2", tracking_number="B", package_status="FULFILLING"))


def numbers(*said: tuple[str, str, float]) -> tuple[NumberFacts, ...]:
    """Scans of numbers: number, status, hours."""
    names = dict.fromkeys(name for name, _, _ in said)
    return tuple(
        numbered(
            *(scan(status, hours, number=name) for one, status, hours in said if one == name),
            number=name,
        )
        for name in names
    )


def pushed(call: str = "ship_package", **more: Any) -> Intent:
    """A push that was accepted."""
    known: dict[str, Any] = {
        "key": f"{call}#P1",
        "call": call,
        "package_id": "P1",
        "tracking_number": NUMBER,
        "state": IntentState.DONE,
        "done_at": REAL,
        **more,
    }
    return Intent(**known)


def found(
    *events: Any,
    said: tuple[NumberFacts, ...] = (),
    intents: tuple[Intent, ...] = (),
    hours: float = 1000,
    read: Read | None = None,
) -> list[Drift]:
    return list(drift(folded(*events, numbers=said), intents, after(hours), read))


def whats(*events: Any, **more: Any) -> list[str]:
    return [one.what.value for one in found(*events, **more)]


DELIVERED = numbers((NUMBER, "picked_up", 2), (NUMBER, "delivered", 9))


def test_where_both_sides_agree_there_is_no_drift() -> None:
    assert found() == []
    assert found(hint("AWAITING_SHIPMENT")) == []
    assert found(snapshot("DELIVERED", 10, lines=ONE), said=DELIVERED) == []
    assert found(snapshot("IN_TRANSIT", 10, lines=ONE), intents=(pushed(),)) == []


# Delivered


@pytest.mark.parametrize(
    ("status", "behind"),
    [
        ("AWAITING_SHIPMENT", True),
        ("AWAITING_COLLECTION", True),
        ("IN_TRANSIT", True),
        ("DELIVERED", False),
        ("COMPLETED", False),
        ("CANCELLED", False),
        ("TELEPORTING", False),
    ],
)
def test_delivered_by_the_carrier_and_on_its_way_at_the_marketplace(
    status: str, behind: bool
) -> None:
    cancelled = {"cancel_time": after(20)} if status == "CANCELLED" else {}
    told = whats(snapshot(status, 8, lines=ONE, **cancelled), said=DELIVERED, hours=9)
    assert told == ["delivered_unseen"] * behind


def test_what_is_told_of_a_delivery_that_the_marketplace_does_not_show() -> None:
    (one,) = found(snapshot("IN_TRANSIT", 8, lines=ONE), said=DELIVERED)
    assert (one.ours, one.theirs, one.since) == (f"delivered ({NUMBER})", "IN_TRANSIT", after(9))
    assert "Seller Center" in one.advice


@pytest.mark.parametrize(
    ("last", "shown"),
    [("delivered", True), ("returning", False), ("delivery_attempt_failed", False)],
)
def test_only_the_carriers_last_word_counts(last: str, shown: bool) -> None:
    said = numbers((NUMBER, "delivered", 9), (NUMBER, last, 10))
    if last == "delivery_attempt_failed":
        said = numbers((NUMBER, last, 10))
    assert bool(found(snapshot("IN_TRANSIT", 8, lines=ONE), said=said)) is shown


@pytest.mark.parametrize(
    ("second", "theirs"),
    [
        (("B", "delivered", 12.0), "IN_TRANSIT"),
        (("B", "in_transit", 12.0), "FULFILLING"),
    ],
)
def test_of_several_packages_each_is_judged_until_all_are_there(
    second: tuple[str, str, float], theirs: str
) -> None:
    (one,) = found(snapshot("IN_TRANSIT", 8, lines=TWO), said=(*DELIVERED, *numbers(second)))
    assert one.theirs == theirs
    done = (line("1", package_id="P1", tracking_number=NUMBER, package_status="COMPLETED"), TWO[1])
    shown = whats(snapshot("IN_TRANSIT", 8, lines=done), said=(*DELIVERED, *numbers(second)))
    assert shown == ["delivered_unseen"] * (theirs == "IN_TRANSIT")


def test_a_package_that_was_cancelled_is_not_waited_for() -> None:
    gone = line("2", package_id="P2", package_status="CANCELLED")
    assert whats(snapshot("IN_TRANSIT", 8, lines=(*ONE, gone)), said=DELIVERED) == [
        "delivered_unseen"
    ]


# Collected


@pytest.mark.parametrize(("seconds", "shown"), [(-1, False), (0, True), (1, True)])
def test_a_scan_that_the_marketplace_does_not_see_for_a_day(seconds: int, shown: bool) -> None:
    told = found(
        snapshot("AWAITING_COLLECTION", 1, lines=ONE),
        said=numbers((NUMBER, "picked_up", 2)),
        hours=26 + seconds / 3600,
    )
    assert [(d.what, d.since) for d in told] == [(What.COLLECTED_UNSEEN, after(2))] * shown


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("AWAITING_SHIPMENT", numbers((NUMBER, "picked_up", 2), ("B", "picked_up", 2))),
        ("IN_TRANSIT", numbers((NUMBER, "picked_up", 2), ("B", "picked_up", 2))),
        ("AWAITING_COLLECTION", numbers((NUMBER, "info_received", 2), ("B", "picked_up", 2))),
        ("AWAITING_COLLECTION", numbers((NUMBER, "picked_up", 2))),
        ("AWAITING_COLLECTION", ()),
    ],
)
def test_another_status_or_a_package_without_a_scan_is_no_drift(
    status: str, said: tuple[NumberFacts, ...]
) -> None:
    assert found(snapshot(status, 1, lines=TWO), said=said) == []


# Pushes


@pytest.mark.parametrize(
    ("shown", "package", "drifts"),
    [
        ("SYN 000-101", "P1", False),
        ("OTHER1", "P1", True),
        ("", "P1", False),
        ("OTHER1", "P2", False),
        ("OTHER1", "", True),
        (NUMBER, "", False),
    ],
)
def test_another_number_than_the_one_that_was_accepted(
    shown: str, package: str, drifts: bool
) -> None:
    lines = (line("1", package_id="P1", tracking_number=shown, package_status="PROCESSING"),)
    event = snapshot("AWAITING_COLLECTION", 3, lines=lines, sent=LATER)
    told = found(event, intents=(pushed(package_id=package),))
    expected = [(What.OTHER_NUMBER, NUMBER, "OTHER1", after(3))] if drifts else []
    assert [(d.what, d.ours, d.theirs, d.since) for d in told] == expected


@pytest.mark.parametrize("state", [s for s in IntentState if s is not IntentState.DONE])
def test_a_push_that_was_not_accepted_says_nothing(state: IntentState) -> None:
    other = (line("1", package_id="P1", tracking_number="OTHER1"),)
    event = snapshot("AWAITING_COLLECTION", 3, lines=other, sent=LATER)
    assert found(event, intents=(pushed(state=state), pushed("cancel_order", state=state))) == []


@pytest.mark.parametrize(("seconds", "shown"), [(-1, False), (0, True), (1, True)])
def test_a_push_is_compared_with_what_was_read_after_it(seconds: int, shown: bool) -> None:
    other = (line("1", package_id="P1", tracking_number="OTHER1"),)
    event = snapshot("IN_TRANSIT", 3, lines=other, sent=REAL + seconds * SECOND)
    assert bool(found(event, intents=(pushed(),))) is shown
    cancelled = pushed("cancel_order", package_id="", tracking_number="")
    assert bool(found(event, intents=(cancelled,))) is shown


@pytest.mark.parametrize(
    ("call", "status", "goes_on"),
    [
        ("cancel_order", "AWAITING_SHIPMENT", False),
        ("cancel_order", "AWAITING_COLLECTION", True),
        ("cancel_order", "IN_TRANSIT", True),
        ("cancel_order", "DELIVERED", True),
        ("cancel_order", "COMPLETED", False),
        ("cancel_order", "CANCELLED", False),
        ("approve_cancellation", "IN_TRANSIT", True),
        ("reject_cancellation", "IN_TRANSIT", False),
        ("ship_package", "IN_TRANSIT", False),
    ],
)
def test_a_cancellation_that_was_accepted_while_the_order_went_on(
    call: str, status: str, goes_on: bool
) -> None:
    event = snapshot(status, 5, sent=LATER)
    intent = pushed(call, package_id="", tracking_number="")
    told = found(event, intents=(intent,))
    assert [(d.what, d.theirs) for d in told] == [(What.CANCELLED_GOES_ON, status)] * goes_on


@pytest.mark.parametrize(("seconds", "shown"), [(-1, False), (0, False), (1, True)])
def test_a_delivery_after_the_order_was_cancelled(seconds: int, shown: bool) -> None:
    said = numbers((NUMBER, "delivered", 9 + seconds / 3600))
    event = snapshot("CANCELLED", 9, lines=ONE, cancel_time=after(9))
    assert whats(event, said=said) == ["delivered_after_cancel"] * shown


# Webhooks


@pytest.mark.parametrize(("seconds", "ahead"), [(-1, False), (0, False), (1, True)])
def test_a_webhook_that_is_ahead_of_every_re_read(seconds: int, ahead: bool) -> None:
    told = found(
        snapshot("AWAITING_SHIPMENT", 5),
        hint("AWAITING_SHIPMENT", 5),
        hint("IN_TRANSIT", 5 + seconds / 3600),
        hours=5,
    )
    expected = [(What.WEBHOOK_AHEAD, "AWAITING_SHIPMENT", "IN_TRANSIT")] if ahead else []
    assert [(d.what, d.ours, d.theirs) for d in told] == expected


def test_a_hint_without_a_status_or_a_time_is_ahead_of_nothing() -> None:
    assert found(snapshot("ON_HOLD", 5), hint("", 9)) == []
    assert found(snapshot("ON_HOLD", 5), hint("IN_TRANSIT", update_time=None)) == []


@pytest.mark.parametrize(("seconds", "shown"), [(-1, False), (0, True), (1, True)])
def test_a_status_that_no_webhook_told_within_an_hour(seconds: int, shown: bool) -> None:
    told = found(
        hint("AWAITING_SHIPMENT", 1),
        snapshot("AWAITING_SHIPMENT", 1),
        snapshot("IN_TRANSIT", 5),
        snapshot("IN_TRANSIT", 7),
        hours=6 + seconds / 3600,
    )
    assert [(d.what, d.theirs, d.since) for d in told] == [
        (What.WEBHOOK_LOST, "IN_TRANSIT", after(5))
    ] * shown


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([snapshot("IN_TRANSIT", 5)], id="no webhook ever: it may be from before us"),
        pytest.param([snapshot("IN_TRANSIT", 5), hint("IN_TRANSIT", 5)], id="told"),
        pytest.param(
            [snapshot("PARTIALLY_SHIPPING", 5), hint("AWAITING_SHIPMENT", 1)],
            id="a status that webhooks do not tell",
        ),
        pytest.param(
            [snapshot("IN_TRANSIT", 5), hint("", 1, topic="package_update")],
            id="webhooks of another topic alone",
        ),
        pytest.param(
            [snapshot("CANCELLED", 5), hint("ON_HOLD", 1), hint("CANCELLED", 5)], id="cancelled"
        ),
    ],
)
def test_no_webhook_is_missed_where_none_was_to_be_expected(events: list[Any]) -> None:
    assert found(*events) == []


# Vanished


@pytest.mark.parametrize(
    ("failures", "shown"),
    [(0, False), (VANISHED_AFTER - 1, False), (VANISHED_AFTER, True), (99, True)],
)
def test_an_order_that_is_not_given_back_again_and_again(failures: int, shown: bool) -> None:
    read = Read(failures=failures, left_out=failures, failed_at=LATER)
    told = found(snapshot("AWAITING_SHIPMENT", 5), read=read)
    expected = [(What.VANISHED, f"not given back {failures} times in a row", after(5))]
    assert [(d.what, d.theirs, d.since) for d in told] == (expected if shown else [])


def test_an_order_that_came_back_since_has_not_vanished() -> None:
    read = Read(failures=9, left_out=9, failed_at=REAL)
    assert whats(snapshot("ON_HOLD", 5, sent=REAL), read=read) == ["vanished"]
    assert whats(snapshot("ON_HOLD", 5, sent=REAL + SECOND), read=read) == []


def test_an_order_that_was_heard_of_and_never_read_has_vanished_since_then() -> None:
    (one,) = found(
        hint("ON_HOLD", 3), hint("UNPAID", 2), read=Read(failures=4, left_out=4, failed_at=REAL)
    )
    assert (one.what, one.since) == (What.VANISHED, after(2))


# Together


def test_what_has_lasted_longest_comes_first() -> None:
    told = found(
        hint("AWAITING_SHIPMENT", 1),
        snapshot("AWAITING_COLLECTION", 3, lines=ONE),
        hint("IN_TRANSIT", 30),
        said=numbers((NUMBER, "picked_up", 2), (NUMBER, "delivered", 20)),
    )
    assert [d.what.value for d in told] == [
        "collected_unseen",
        "webhook_lost",
        "delivered_unseen",
        "webhook_ahead",
    ]
    assert all(d.ours and d.theirs and d.advice.endswith(".") for d in told)


def test_the_order_view_shows_it_with_its_times_as_everywhere() -> None:
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    stage.store.write(
        Change(
            (rows.order_pk(order_id), rows.REREAD),
            set={"failures": 5, "left_out": 5, "failed_at": codec.millis(stage.real.now + SECOND)},
            create=True,
        )
    )
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    (shown,) = view.model_dump(mode="json")["drift"]
    assert shown["what"] == "vanished"
    assert shown["ours"] == "AWAITING_SHIPMENT"
    assert shown["since"] == "2026-11-01T02:00:00Z"
    assert set(shown) == {"what", "ours", "theirs", "since", "advice"}


def test_an_order_that_the_marketplace_withholds_is_seen_to_have_vanished() -> None:
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    other = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    missing = "576000000000009999"
    body = {
        "type": 1,
        "shop_id": SHOP_ID,
        "timestamp": 1,
        "data": {"order_id": missing, "order_status": "UNPAID", "update_time": 1793500000},
    }
    ring(stage, body)
    for _ in range(18):
        stage.until(stage.now + timedelta(minutes=5))
        stage.real.pass_time(300)
        stage.sweep()
    view = order_view(stage.store, missing, stage.real.now)
    assert view is not None
    assert [d.what.value for d in view.drift] == ["vanished"]
    for known in (order_id, other):
        view = order_view(stage.store, known, stage.real.now)
        assert view is not None
        assert view.drift == []


def ring(stage: Stage, body: dict[str, Any]) -> None:
    """Deliver a webhook."""
    raw = json.dumps(body).encode()
    headers = {"authorization": tiktok_signature(raw)}
    assert stage.ring("tiktok_shop", headers, raw).status == 200
