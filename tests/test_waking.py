"""Open orders are looked at again once a shop is connected or set otherwise, and none is lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shipclock import codec, rows
from shipclock.connect import change_shop, connect_shop, disconnect, reconcile_key
from shipclock.ports import Change, Key, Put, Row, StoreError
from shipclock.sweep import Sweep
from tests.fakes import MemoryStore
from tests.stage import SHOP_ID, TOKENS, Stage

LATER = 90
"""Seconds after which no sweep can be under way any more that knows the shop as it was."""


class Watched:
    """The table, and what happens as it is read or written."""

    def __init__(self, memory: MemoryStore) -> None:
        self._memory = memory
        self.reading: Callable[[str], None] = lambda pk: None
        self.writing: Callable[[Put | Change], None] = lambda write: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        self.reading(pk)
        return self._memory.read(pk, prefix)

    def write(self, write: Put | Change) -> bool:
        self.writing(write)
        return self._memory.write(write)


def placed(stage: Stage, count: int) -> list[str]:
    items = {"MUG": 1}
    found = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items=items)
        for _ in range(count)
    ]
    stage.marketplace_tells()
    stage.settle_down()
    return found


def lost(stage: Stage) -> None:
    """The shop is let go."""
    row = stage.memory.get((rows.shop_pk(SHOP_ID), rows.LANE))
    assert row is not None
    disconnect(stage.store, codec.read_shop(row), row, stage.now, stage.real.now)
    stage.settle_down()


def set_to(stage: Stage, zone: str) -> None:
    change_shop(stage.memory, SHOP_ID, lambda shop: replace(shop, zone=zone), stage.real.now)


def sweep(stage: Stage, store: Any = None) -> None:
    world = stage.world
    world.store = store or world.store
    Sweep(world, stage.now, timedelta(seconds=65)).run()


def versions(stage: Stage, orders: list[str]) -> list[int]:
    keys: list[Key] = [(rows.order_pk(order_id), rows.HEAD) for order_id in orders]
    return [stage.memory.rows[pk][sk]["version"] for pk, sk in keys]


@pytest.mark.parametrize("connected", [True, False])
def test_what_is_set_anew_meanwhile_is_looked_at_from_the_beginning(connected: bool) -> None:
    stage = Stage()
    orders = placed(stage, 8)
    if not connected:
        lost(stage)
    set_to(stage, "Asia/Bangkok")
    stage.real.pass_time(LATER)
    store = Watched(stage.memory)
    bookmarks: list[Change] = []

    def writing(write: Put | Change) -> None:
        if isinstance(write, Change) and write.set.get("wake"):
            bookmarks.append(write)
            if len(bookmarks) == 4:
                set_to(stage, "Asia/Tokyo")

    store.writing = writing
    sweep(stage, store)
    assert len(bookmarks) >= 4
    before = versions(stage, orders)
    for _ in range(4):
        stage.real.pass_time(60)
        sweep(stage)
    assert all(now > then for now, then in zip(versions(stage, orders), before, strict=True))


def test_two_sweeps_at_once_leave_nothing_behind() -> None:
    stage = Stage()
    placed(stage, 8)
    lost(stage)
    set_to(stage, "Asia/Bangkok")
    stage.real.pass_time(LATER)
    store = Watched(stage.memory)
    other: list[Change] = []

    def writing(write: Put | Change) -> None:
        if isinstance(write, Change) and write.set.get("wake") and not other:
            other.append(write)
            sweep(stage)

    store.writing = writing
    sweep(stage, store)
    assert other
    row = stage.memory.get(reconcile_key(SHOP_ID)) or {}
    assert not row.keys() & {"wake", "wake_from"}
    stage.real.pass_time(60)
    sweep(stage)
    assert not [line for line in stage.lines if line.name.endswith(".failing")]


def test_an_order_that_the_table_does_not_give_just_then_is_looked_at_by_the_next_sweep() -> None:
    stage = Stage()
    (order_id,) = placed(stage, 1)
    lost(stage)
    stage.carrier_tells("SYN-1", "picked_up", order_id=order_id)
    stage.settle_down()
    connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now)
    stage.real.pass_time(LATER)
    store = Watched(stage.memory)
    failed: list[str] = []

    def reading(pk: str) -> None:
        if pk == rows.order_pk(order_id) and not failed:
            failed.append(pk)
            raise StoreError("throttled")

    store.reading = reading
    sweep(stage, store)
    assert failed
    stage.real.pass_time(60)
    stage.settle_down()
    assert list(stage.intents(order_id).values()) == ["done"]
