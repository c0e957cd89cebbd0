"""What each webhook of the marketplace sets off, from the door to the table."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from shipclock import codec, rows
from shipclock.connect import connect_shop, reconcile_key
from shipclock.domain.times import from_unix
from shipclock.ports import Change, Put, Row, StoreError, Write
from shipclock.stock import stock_of
from shipclock.sweep import Sweep
from shipclock.translate import Translator
from tests.builders import sample_bytes, samples
from tests.fakes import MemoryStore
from tests.stage import REAL, SHOP_ID, START, TOKENS, Stage, tiktok_signature

MINUTE = timedelta(minutes=1)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def heard(stage: Stage, name: str, **changes: Any) -> Row:
    """Deliver a sample at the door, see that it is answered as it must be; its row."""
    body = json.loads(sample_bytes(f"tiktok/webhooks/{name}.json"))
    for key, value in changes.items():
        body = {**body, key: value} if key != "data" else {**body, "data": body["data"] | value}
    raw = json.dumps(body).encode()
    answer = stage.ring("tiktok_shop", {"authorization": tiktok_signature(raw)}, raw)
    assert (answer.status, answer.body) == (200, b"")
    return stage.kept[-1]


def poke(stage: Stage, row: Row) -> None:
    """What the stream does within a second or so."""
    Sweep(stage.world, stage.now, timedelta(seconds=65)).poke([rows.key_of(row)])


def notices(stage: Stage) -> list[dict[str, Any]]:
    """What the seller was told of the shop with the next sweep."""
    stage.sweep()
    return [dict(told) for told in stage.announced if str(told["type"]).startswith("shop.")]


def connected(stage: Stage) -> bool:
    row = stage.store.get((rows.shop_pk(SHOP_ID), rows.LANE))
    assert row is not None
    return codec.read_shop(row).connected


def searches(stage: Stage) -> int:
    return sum("search" in call.path for call in stage.sandbox.calls)


@pytest.mark.parametrize("path", samples("tiktok/webhooks"))
def test_every_webhook_is_answered_with_nothing_and_settled(stage: Stage, path: str) -> None:
    heard(stage, path.removeprefix("tiktok/webhooks/").removesuffix(".json"))
    stage.sweep()
    row = stage.store.get(rows.key_of(stage.kept[-1]))
    assert row is not None
    assert "reason" not in row, row.get("reason")
    assert "due_at" not in row


# Type 6


def test_a_deauthorisation_acts_at_once_and_the_seller_hears_of_it(stage: Stage) -> None:
    poke(stage, heard(stage, "deauthorised"))
    assert not connected(stage)
    assert [told["type"] for told in notices(stage)] == ["shop.disconnected"]


def test_a_deauthorisation_holds_though_the_shop_is_changed_meanwhile(stage: Stage) -> None:
    row = heard(stage, "deauthorised")

    class Racing(MemoryStore):
        """Somebody sets another default provider between the read and the commit."""

        raced = False

        def commit(self, writes: Any) -> bool:
            if not self.raced:
                self.raced = True
                changed = codec.shop_doc(stage.shop(default_provider="77"))
                self.write(Change((rows.shop_pk(SHOP_ID), rows.LANE), set=changed))
            return super().commit(writes)

    racing = Racing()
    for partition in stage.memory.rows.values():
        for one in partition.values():
            racing.write(Put(one))
    stage.store = racing
    poke(stage, row)
    assert not connected(stage)


def test_a_deauthorisation_from_before_the_last_connection_is_none(stage: Stage) -> None:
    row = heard(stage, "deauthorised")
    stage.real.pass_time(5)
    assert connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now, heal=False)
    poke(stage, row)
    assert connected(stage)
    assert not notices(stage)


# Type 7


def ending(days: float) -> dict[str, str]:
    return {"expiration_time": str(int((REAL + timedelta(days=days)).timestamp()))}


def test_the_seller_hears_at_once_when_an_authorisation_will_end(stage: Stage) -> None:
    poke(stage, heard(stage, "authorisation_expiring", data=ending(30)))
    (told,) = notices(stage)
    assert told["type"] == "shop.authorisation_ends"
    assert SHOP_ID in told["text"]
    assert "2026-12-23T12:00:00Z" in told["text"]
    assert connected(stage)


def test_the_seller_hears_of_the_same_end_again_as_it_comes_near(stage: Stage) -> None:
    data = ending(30)
    for day in range(31):
        poke(stage, heard(stage, "authorisation_expiring", data=data, timestamp=day))
        stage.real.pass_time(86_400)
    assert len(notices(stage)) == 4


def test_an_end_that_was_put_off_by_connecting_again_is_not_told(stage: Stage) -> None:
    row = heard(stage, "authorisation_expiring", data=ending(30))
    stage.real.pass_time(5)
    assert connect_shop(stage.store, stage.shop(), TOKENS, stage.real.now, heal=False)
    poke(stage, row)
    assert not notices(stage)


# Type 4


def packages(stage: Stage, order_id: str) -> list[tuple[str, str, list[str]]]:
    """The order's packages: id, number, what the carrier said of it."""
    return [
        (p.package_id, p.tracking_number, [s.status.value for s in p.parcel.scans])
        if p.parcel
        else (p.package_id, p.tracking_number, [])
        for p in stage.judged(order_id).order.packages
    ]


def test_packages_that_are_split_and_combined_are_known_after_the_re_read(stage: Stage) -> None:
    sandbox = stage.sandbox
    first = sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1, "CUP": 1})
    second = sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    (before,) = packages(stage, first)
    assert before[1:] == ("", [])
    stage.carrier_tells("SYN-1", "info_received", order_id=first)
    stage.settle_down()
    assert packages(stage, first) == [(before[0], "SYN-1", ["info_received"])]

    lines = [str(one["id"]) for one in sandbox.order(first)["line_items"]]  # type: ignore[attr-defined]
    made = sandbox.split(first, [lines[:1], lines[1:]])
    stage.marketplace_tells()
    stage.settle_down()
    assert packages(stage, first) == [
        ("", "SYN-1", ["info_received"]),
        *((package, "", []) for package in sorted(made)),
    ]

    third = sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    shared = sandbox.combine([second, third])
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-2", "picked_up", order_id=second)
    stage.settle_down()
    assert len(stage.effects) == 1
    stage.marketplace_tells()
    stage.settle_down()
    for order_id in (second, third):
        assert packages(stage, order_id) == [(shared, "SYN-2", ["picked_up"])]


# Types 64, 65, 67


@pytest.mark.parametrize("name", ["aftersales", "rma", "refund"])
def test_an_after_sale_case_that_moved_is_searched_for_with_the_next_sweep(
    stage: Stage, name: str
) -> None:
    stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(START + MINUTE)
    before = searches(stage)
    stage.sweep()
    assert searches(stage) == before, "it is not due for a quarter of an hour"
    stage.real.pass_time(60)
    heard(stage, name)
    stage.sweep()
    assert searches(stage) > before
    before = searches(stage)
    stage.until(START + 2 * MINUTE)
    stage.sweep()
    assert searches(stage) == before, "once"


@pytest.mark.parametrize(
    "name",
    [
        path.removeprefix("tiktok/webhooks/").removesuffix(".json")
        for path in samples("tiktok/webhooks")
        if not any(word in path for word in ("aftersales", "rma", "refund", "deauthorised"))
    ],
)
def test_nothing_else_makes_the_search_due(stage: Stage, name: str) -> None:
    stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    before = stage.store.get(reconcile_key(SHOP_ID))
    poke(stage, heard(stage, name))
    assert stage.store.get(reconcile_key(SHOP_ID)) == before


def test_a_shop_that_is_not_connected_is_not_searched(stage: Stage) -> None:
    poke(stage, heard(stage, "deauthorised"))
    poke(stage, heard(stage, "rma"))
    assert stage.store.get(reconcile_key(SHOP_ID)) is None
    poke(stage, heard(stage, "rma", shop_id="7490000000000000009"))
    assert stage.store.get(reconcile_key("7490000000000000009")) is None


def test_a_refund_has_the_order_that_it_names_read_again(stage: Stage) -> None:
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    reads = [c for c in stage.sandbox.calls if c.path.endswith("/orders")]
    stage.real.pass_time(60)
    heard(stage, "refund", data={"line_items": [{"main_order_id": order_id}]})
    stage.real.pass_time(1)
    stage.sweep()
    assert len([c for c in stage.sandbox.calls if c.path.endswith("/orders")]) == len(reads) + 1


# Types 27 and 71


def test_stock_is_kept_as_it_was_told_and_the_seller_hears_when_it_runs_out(stage: Stage) -> None:
    for name in ("stock_changed", "stock_sufficient", "stock_out", "stock_low"):
        poke(stage, heard(stage, name))
    found = stock_of(stage.store, SHOP_ID, "1729000000000000102")
    assert found is not None
    assert found.status == "SUFFICIENT_STOCK"
    assert found.status_at == from_unix(1793507190)
    assert found.event_id == "stock-0101"
    assert found.quantities["in_shop"] == 5
    assert not notices(stage), "all were older than that there is enough"
    later = {"update_time": 1793507191, "current_inventory_status": "OUT_OF_STOCK"}
    for number in ("1", "2"):
        poke(stage, heard(stage, "stock_out", data=later, tts_notification_id=number))
    assert [told["type"] for told in notices(stage)] == ["shop.stock"]


def test_a_stock_that_can_not_be_kept_by_now_stays_due(stage: Stage) -> None:
    row = heard(stage, "stock_low")

    class Lost(MemoryStore):
        """Every race is lost."""

        def commit(self, writes: Sequence[Write]) -> bool:
            return False

    translator = Translator(Lost(), stage.now, stage.real, timedelta(days=180))
    with pytest.raises(StoreError):
        translator.translate(row)
