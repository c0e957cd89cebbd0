"""The forecast of one order: it says what sweeps will say, neither more nor less nor later."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.wire import StoryError
from shipclock import codec, rows
from shipclock.connect import disconnect
from shipclock.decide import decide
from shipclock.domain.clock import VerdictState
from shipclock.domain.times import parse
from shipclock.horizon.forecast import Forecast, Foreseen, forecast
from shipclock.lanes import Shops
from shipclock.settle import Settled, judge, read_book
from shipclock.situation import Read, Recorded, Situation
from tests.builders import (
    REAL,
    T0,
    after,
    case,
    every_clause,
    folded,
    hint,
    numbered,
    patient,
    policy,
    scan,
    shop,
    snapshot,
)
from tests.rules import lives
from tests.rules.lives import Life, made_up
from tests.rules.oracle import Book
from tests.stage import SHOP_ID, START, Stage

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AHEAD = 21 * DAY

Said = tuple[str, datetime, datetime | None, str]
"""A key, when it is said, the verdict's instant, its state."""


def said(foreseen: Iterable[Foreseen]) -> set[Said]:
    return {(one.key, one.at, one.due_at, one.state or "") for one in foreseen}


# Against the sweeper

STATUSES = st.sampled_from(
    ("info_received", "picked_up", "in_transit", "delivery_attempt_failed", "delivered", "lost")
)
FIELDS = (
    *("shipping_due_time", "collection_due_time", "delivery_due_time"),
    *("rts_sla_time", "tts_sla_time", "delivery_sla_time"),
)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    """What an order is: who ships it, its deadline fields in hours, what carriers told of it."""
    return {
        "tiktok": draw(st.booleans()),
        "fields": draw(st.dictionaries(st.sampled_from(FIELDS), st.integers(2, 400), max_size=3)),
        "scans": draw(st.lists(st.tuples(STATUSES, st.integers(1, 200)), max_size=4)),
        "asks": draw(st.booleans()),
        "hours": draw(st.integers(0, 380)),
        "connected": draw(st.sampled_from((True, True, True, False))),
        "zone": draw(st.sampled_from(("Asia/Kuala_Lumpur", "America/New_York", "Europe/London"))),
    }


def placed(stage: Stage, wish: dict[str, Any]) -> str:
    """An order of that kind, settled at its hour."""
    order_id = stage.sandbox.add_order(
        SHOP_ID,
        items={"MUG": 1},
        shipping_type="TIKTOK" if wish["tiktok"] else "SELLER",
        **{
            name: int((START + hours * HOUR).timestamp()) for name, hours in wish["fields"].items()
        },
    )
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(START + wish["hours"] * HOUR)
    if wish["asks"]:
        with suppress(StoryError):  # one that was cancelled at a hard line is not asked about
            stage.sandbox.request_cancel(order_id)
    stage.marketplace_tells()
    for status, hour in wish["scans"]:
        if hour <= wish["hours"]:
            at = START + hour * HOUR
            stage.carrier_tells("SYN-1", status, at, order_id, carrier="Nobody")
    stage.settle_down()
    return order_id


def recorded(stage: Stage, order_id: str) -> set[Said]:
    """Every verdict and notice of an order that is on record."""
    pk = rows.order_pk(order_id)
    verdicts = map(codec.read_verdict, stage.store.read(pk, rows.VERDICT))
    notices = map(codec.read_notice, stage.store.read(pk, rows.NOTICE))
    return {(v.key, v.noticed_at, v.due_at, v.state.value) for v in verdicts} | {
        (n.key, n.at, None, "") for n in notices
    }


def judged_by_the_table(stage: Stage, order_id: str) -> Settled:
    """The order as a settle at the story's time would find it, its shop included."""
    book = read_book(stage.store, order_id)
    return judge(stage.store, book, Shops(stage.store).get, stage.now, stage.real.now)


def next_due(stage: Stage, now: datetime) -> datetime:
    """The next instant at which anything of an order is due."""
    marks = [
        str(row["due_at"])
        for pk, part in stage.memory.rows.items()
        for row in part.values()
        if pk.startswith("ORDER#") and "due_at" in row
    ]
    instants = [parse(mark) for mark in marks if not rows.real_time(mark)]
    return min((at for at in instants if at > now), default=now + AHEAD)


@settings(max_examples=60, deadline=None)
@given(wish=wishes())
def test_sweeping_without_new_facts_says_exactly_what_was_forecast(wish: dict[str, Any]) -> None:
    stage = Stage(untracked_after=None, zone=wish["zone"])
    order_id = placed(stage, wish)
    if not wish["connected"]:
        lane = stage.store.get((rows.shop_pk(SHOP_ID), rows.LANE))
        assert lane is not None
        disconnect(stage.store, stage.shop(), lane, stage.now, stage.real.now)
    now, until = stage.now, stage.now + AHEAD
    judged = judged_by_the_table(stage, order_id)
    foretold = forecast(judged.order, judged.recorded, judged.situation, until)
    before = recorded(stage, order_id)

    while now <= until:  # the marketplace stands still: only the story's time goes on
        stage.real.pass_time(60)
        stage.sweep(now)
        now = next_due(stage, now)

    assert stage.judged(order_id).order.events == judged.order.events, "a fact came after all"
    assert recorded(stage, order_id) - before == said(foretold.foreseen)


# Against an evaluation that knows nothing of the rules' code


REMINDING = ("untracked", "buyer_cancel_request")
"""The clocks of whose notices the oracle knows."""


def told_by(life: Life, book: Book, now: datetime, looks: Iterable[datetime]) -> set[Any]:
    """What the oracle says anew when it looks at these instants, no fact arriving after `now`."""
    facts, before = life.known(now), book.said()
    for look in sorted(looks):
        book.sweep(facts, look, ZoneInfo(life.zone), life.by_hand)
    return book.said() - before


def compared(one: Foreseen) -> tuple[Any, ...]:
    """A thing foreseen as the oracle words it."""
    if one.due_at is None:
        return one.kind, one.key.split("#", 2)[2]
    return one.clock, one.key.split("#")[1], one.due_at, one.state or ""


def looked_at(life: Life, now: datetime) -> tuple[Recorded, Situation, Any]:
    """The life as the product has it at an instant."""
    settled = lives.Settled()
    settled.sweep(life.known(now), now, life.policy())
    about = Situation(now, life.policy(), shop(connected=False))
    return settled.recorded, about, lives.folded(life.known(now))


@patient
@given(st.integers(min_value=0), st.data())
def test_a_forecast_says_what_a_second_evaluation_says_at_any_looks(
    name: int, data: st.DataObject
) -> None:
    life = made_up(f"ahead:{name}")
    now = data.draw(st.sampled_from(life.looks))
    kept, about, order = looked_at(life, now)
    foretold = forecast(order, kept, about, now + AHEAD)
    told = [one for one in foretold.foreseen if one.due_at or one.clock in REMINDING]
    book = Book()
    book.sweep(life.known(now), now, ZoneInfo(life.zone), life.by_hand)
    extra = data.draw(st.lists(st.integers(1, int(AHEAD.total_seconds())), max_size=8))
    odd = {now + timedelta(seconds=seconds) for seconds in extra}
    said_then = told_by(life, book, now, {one.at for one in told} | {now + AHEAD} | odd)
    assert {compared(one) for one in told} == said_then
