"""Hard cases found by thinking like an adversary: each states what must hold all the same."""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.shops import Shop as SandboxShop
from sandbox.wire import Request
from shipclock import codec, rows
from shipclock.adapters import http
from shipclock.connect import connect_shop
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.marketplaces.tiktok_shop import calls
from shipclock.ports import (
    Change,
    Due,
    HttpReply,
    HttpRequest,
    Key,
    NoAnswer,
    Page,
    Put,
    Row,
    StoreError,
    Write,
)
from shipclock.sweep import Sweep
from tests.fakes import Gone, MemoryStore
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


def placed(stage: Stage, **wish: Any) -> str:
    wish.setdefault("status", "AWAITING_SHIPMENT")
    return stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, **wish)


def lane(stage: Stage, shop_id: str = SHOP_ID) -> Shop:
    row = stage.memory.rows[rows.shop_pk(shop_id)][rows.LANE]
    return codec.read_shop(row)


def tokens(stage: Stage) -> Tokens:
    key = rows.authorisation_key(stage.shop().authorisation)
    return codec.read_tokens(stage.memory.rows[key[0]][key[1]])


def expiring(stage: Stage) -> None:
    """The access token is still good for an hour, and half of that has passed."""
    told = replace(TOKENS, access_expires_at=REAL + HOUR)
    assert connect_shop(stage.memory, stage.shop(), told, REAL, heal=False)
    stage.real.pass_time(1800)


def states(stage: Stage, order_id: str) -> list[str]:
    return sorted(stage.intents(order_id).values())


def due_rows(stage: Stage) -> list[Key]:
    until = stage.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        entry.key for shard in range(rows.SHARDS) for entry in stage.memory.due(shard, until, 1000)
    ]


class Spy:
    """A store that lets a test look at, fail or price every call."""

    def __init__(
        self,
        store: MemoryStore,
        on_write: Callable[[Sequence[Write]], None] = lambda writes: None,
        on_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._on_write = on_write
        self._on_call = on_call

    def get(self, key: Key) -> Row | None:
        self._on_call()
        return self._store.get(key)

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        self._on_call()
        return self._store.read(pk, prefix)

    def write(self, write: Put | Change) -> bool:
        self._on_call()
        self._on_write([write])
        return self._store.write(write)

    def commit(self, writes: Sequence[Write]) -> bool:
        self._on_call()
        self._on_write(writes)
        return self._store.commit(writes)

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        self._on_call()
        return self._store.due(shard, until, limit, after)

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        self._on_call()
        return self._store.board(partition, limit, start)

    def count(self, partition: str, most: int) -> int:
        self._on_call()
        return self._store.count(partition, most)


# Shops: connection, tokens


def reconnected(stage: Stage) -> None:
    """The seller consents again; the new tokens are connected as the command would do it."""
    code = stage.sandbox.grant(SHOP_ID)
    query = {
        "app_key": APP_KEY,
        "app_secret": APP_SECRET,
        "auth_code": code,
        "grant_type": "authorized_code",
    }
    reply = stage.sandbox.handle(Request("GET", "/api/v2/token/get", query))
    told = json.loads(reply.body)["data"]
    assert connect_shop(
        stage.store,
        stage.shop(),
        Tokens(told["access_token"], told["refresh_token"]),
        stage.real.now,
        heal=True,
    )


def test_a_push_that_waited_for_a_reconnection_is_made_after_it() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.settle_down()
    assert not lane(stage).connected
    stage.until(START + HOUR)
    stage.carrier_tells("SYN-1234", "picked_up", order_id=order_id)
    stage.settle_down()
    assert states(stage, order_id) == ["pending"]
    stage.until(START + 2 * HOUR)
    stage.real.pass_time(60)
    reconnected(stage)
    for minute in range(1, 60):
        stage.until(START + 2 * HOUR + timedelta(minutes=minute))
        stage.real.pass_time(60)
        stage.sweep()
    assert states(stage, order_id) == ["done"], "an hour after reconnecting nothing was pushed"


def test_hard_lines_are_re_read_again_after_a_reconnection() -> None:
    stage = Stage()
    line = int((START + timedelta(hours=40)).timestamp())
    order_id = placed(stage, shipping_due_time=line)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(START + 5 * HOUR)
    placed(stage)  # moves the search's cursor past the first order
    stage.sweep()
    reconnected(stage)
    stage.settle_down()
    later = int((START + timedelta(hours=90)).timestamp())
    stage.sandbox.extend(order_id, "shipping_due_time", later)
    stage.until(START + timedelta(hours=17))
    stage.settle_down()
    read = stage.judged(order_id).order.facts
    assert read is not None
    assert int(read.deadlines["shipping_due_time"].timestamp()) == later


def test_somebody_is_told_when_a_shop_is_disconnected() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.sandbox._world.keyring.shops[SHOP_ID].revoked = True  # no webhook: it got lost
    stage.marketplace_tells()
    stage.lines.clear()
    stage.settle_down()
    assert not lane(stage).connected
    assert order_id
    told = [str(a) for a in stage.announced] + [line.name for line in stage.lines]
    assert any("connect" in text or "deauthor" in text for text in told), told


def test_two_shops_of_one_authorisation_both_survive_a_renewal() -> None:
    stage = Stage()
    other = "7490000000000000002"
    first = stage.sandbox.shops[0]
    stage.sandbox.add_shop(
        SandboxShop(
            other,
            "GCP_other_cipher",
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
    shop = stage.shop(shop_id=other, cipher="GCP_other_cipher")
    connect_shop(stage.store, shop, TOKENS, REAL, heal=False)
    stage.real.pass_time(8 * 86400)  # one access token speaks for both shops and has run out
    placed(stage)
    stage.sandbox.add_order(other, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    for _ in range(5):
        stage.real.pass_time(60)
        stage.sweep()
    assert lane(stage).connected
    assert lane(stage, other).connected


@pytest.mark.parametrize("code", [36009033, 106001, 999])
def test_a_renewal_refused_for_a_fault_of_ours_does_not_throw_the_tokens_away(code: int) -> None:
    stage = Stage()
    expiring(stage)
    stage.sandbox.fail(Fault(kind="code", path="/api/v2/token/refresh", code=code))
    placed(stage)
    stage.marketplace_tells()
    for _ in range(3):
        stage.real.pass_time(60)
        stage.sweep()
    assert lane(stage).connected
    assert tokens(stage).refresh_token, "one odd answer and the seller must authorise anew"


def test_a_table_fault_after_a_renewal_does_not_lose_the_only_tokens() -> None:
    stage = Stage()
    expiring(stage)
    placed(stage)
    stage.marketplace_tells()
    failed: list[int] = []

    def fail_once(writes: Sequence[Write]) -> None:
        for write in writes:
            renewed = isinstance(write, Change) and "doc" in write.set
            if renewed and write.key[1] == rows.TOKENS and not failed:
                failed.append(1)
                raise StoreError("throttled")

    stage.store = Spy(stage.memory, on_write=fail_once)
    stage.sweep()
    stage.store = stage.memory
    assert failed
    for _ in range(5):
        stage.real.pass_time(90)
        stage.sweep()
    assert lane(stage).connected, "the renewed tokens were dropped; the old ones are refused"


def test_long_tokens_are_kept_whole() -> None:
    stage = Stage()
    long = "TTP_" + "a" * 500
    seen: list[str] = []

    class Wire:
        def send(self, request: HttpRequest) -> HttpReply:
            if "/token/refresh" in request.url:
                data = {
                    "access_token": long,
                    "refresh_token": long,
                    "access_token_expire_in": int((REAL + timedelta(days=7)).timestamp()),
                }
                return HttpReply(200, {}, json.dumps({"code": 0, "data": data}).encode())
            seen.append(request.headers["x-tts-access-token"])
            return HttpReply(200, {}, b'{"code": 0, "data": {"orders": []}}')

    stage.wire = Wire()
    expiring(stage)
    placed(stage)
    stage.marketplace_tells()
    stage.sweep()
    assert set(seen) == {long}


def test_long_page_tokens_are_sent_back_whole() -> None:
    from shipclock.marketplaces.protocol import Kind, Outcome
    from shipclock.marketplaces.tiktok_shop.answers import read_orders

    token = "b" * 1000
    page = read_orders(Outcome(Kind.OK, {"orders": [], "next_page_token": token}))
    assert calls.search("orders", START, page.next_token).query["page_token"] == token


def test_a_short_lived_token_lets_a_sweep_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.shops.ACCESS_LIVES", 6 * 3600)
    stage = Stage()
    expiring(stage)
    stage.until(REAL)
    placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    renewals = [c for c in stage.sandbox.calls if c.path == "/api/v2/token/refresh"]
    stage.real.pass_time(60)
    stage.sweep()
    again = [c for c in stage.sandbox.calls if c.path == "/api/v2/token/refresh"]
    assert len(again) == len(renewals) <= 2


# The sweep: starving, marks that never go


def test_a_scan_that_names_an_order_of_another_sales_channel_does_not_stay_due_for_ever() -> None:
    stage = Stage()
    stage.carrier_tells("SYN-9999", "picked_up", order_id="SHOPEE-240001")
    for _ in range(5):
        stage.real.pass_time(60)
        left = stage.sweep().due_left
    assert (left, due_rows(stage)) == (0, [])


def test_a_sweep_with_more_work_than_time_ends_by_itself_and_answers() -> None:
    stage = Stage()
    for _ in range(2500):
        placed(stage)
    stage.marketplace_tells()
    killed = 0
    for minute in range(6):
        ends_at = stage.real.now + timedelta(seconds=65)

        def cost(ends_at: datetime = ends_at) -> None:
            stage.real.pass_time(0.01)  # one request to the table
            if stage.real.now > ends_at:
                raise Gone  # the function's time-out

        stage.store = Spy(stage.memory, on_call=cost)
        try:
            Sweep(stage.world, stage.now + timedelta(minutes=minute), timedelta(seconds=65)).run()
        except Gone:
            killed += 1
    reads = [c for c in stage.sandbox.calls if c.path.startswith("/order/")]
    assert killed == 0, f"{killed} of 6 sweeps were killed; {len(reads)} calls were made"


def test_an_older_answer_of_the_marketplace_is_not_asked_for_again_and_again() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    # A replica that lags behind: the detail shows an older state than was read before.
    stage.sandbox._world.orders[order_id].update_time -= 60
    body = json.dumps(
        {
            "type": 3,
            "shop_id": SHOP_ID,
            "timestamp": 1,
            "data": {"order_id": order_id, "update_time": int(START.timestamp())},
        }
    ).encode()
    stage.real.pass_time(60)
    assert stage.ring("tiktok_shop", {"authorization": tiktok_signature(body)}, body).status == 200
    before = len(stage.sandbox.calls)
    stage.sweep()
    reads = [c for c in stage.sandbox.calls[before:] if c.path == "/order/202507/orders"]
    kept = [sk for sk in stage.memory.rows[f"ORDER#{order_id}"] if sk.startswith(rows.EVENT)]
    assert len(reads) <= 2, f"{len(reads)} re-reads in one sweep, {len(kept)} events kept"


def test_one_order_that_the_table_refuses_holds_up_no_other_order_of_its_shop() -> None:
    stage = Stage()
    bad, good = placed(stage), placed(stage)
    stage.marketplace_tells()

    def refuse(writes: Sequence[Write]) -> None:
        # Item size has exceeded the maximum allowed size: an order of 2,000 units.
        for write in writes:
            told = isinstance(write, Put) and write.row.get("kind") == "snapshot"
            if told and write.key[0] == f"ORDER#{bad}":
                raise StoreError("ValidationException")

    stage.store = Spy(stage.memory, on_write=refuse)
    stage.carrier_tells("SYN-1235", "picked_up", order_id=good, at=START)
    for minute in range(30):
        stage.until(START + timedelta(minutes=minute))
        stage.real.pass_time(60)
        stage.sweep()
    assert states(stage, good) == ["done"]


def test_a_passing_table_fault_while_translating_does_not_quarantine_the_delivery() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    failed: list[int] = []

    def fail_once(writes: Sequence[Write]) -> None:
        if not failed and isinstance(writes[0], Put) and writes[0].key[0] == f"ORDER#{order_id}":
            failed.append(1)
            raise StoreError("ProvisionedThroughputExceededException")

    stage.store = Spy(stage.memory, on_write=fail_once)
    report = stage.sweep()
    settled = rows.HEAD in stage.memory.rows.get(f"ORDER#{order_id}", {})
    assert failed
    assert settled or report.due_left > 0, "due_left is 0 and a delivery is not settled"
    stage.until(START + timedelta(minutes=10))
    stage.real.pass_time(600)
    stage.sweep()
    assert rows.HEAD in stage.memory.rows.get(f"ORDER#{order_id}", {}), "an hour's delay"


def test_a_failing_order_backs_off_also_where_a_scan_made_it_due() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-1236", "picked_up", order_id=order_id, at=START)

    def refuse(writes: Sequence[Write]) -> None:
        if any(w.key == (f"ORDER#{order_id}", rows.HEAD) for w in writes):
            raise StoreError("a bug that only this order meets")

    stage.store = Spy(stage.memory, on_write=refuse)
    for minute in range(30):
        stage.real.pass_time(60)
        stage.sweep(now=START + timedelta(minutes=minute))
    tries = [line for line in stage.lines if line.name == "order.failing"]
    assert len(tries) <= 12, f"{len(tries)} tries in half an hour"


def test_one_far_date_does_not_keep_an_order_from_being_settled() -> None:
    stage = Stage()
    never = 253402300799  # 9999-12-31T23:59:59Z, "no release planned"
    order_id = placed(stage)
    stage.sandbox._world.orders[order_id].extra["order_type"] = "PRE_ORDER"
    stage.sandbox._world.orders[order_id].deadlines["release_date"] = never
    stage.marketplace_tells()
    stage.sweep()
    failing = [line.fields for line in stage.lines if line.name.endswith(".failing")]
    assert not failing, failing


# Pushes


def test_a_push_refused_for_its_token_or_timestamp_is_not_given_up_for_good() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.fail(
        Fault(kind="code", path="*/ship", code=36009004, message="invalid timestamp")
    )
    stage.carrier_tells("SYN-1237", "picked_up", order_id=order_id)
    for hour in range(30):
        stage.until(START + hour * HOUR)
        stage.real.pass_time(300)
        stage.sweep()
    assert states(stage, order_id) == ["done"]


def test_a_provider_list_refused_for_its_token_does_not_make_the_carrier_unknown() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.fail(
        Fault(kind="code", path="*/shipping_providers", code=36009004, message="bad timestamp")
    )
    stage.carrier_tells("SYN-1238", "picked_up", order_id=order_id)
    for minute in range(90):
        stage.until(START + timedelta(minutes=minute))
        stage.real.pass_time(60)
        stage.sweep()
    assert states(stage, order_id) == ["done"]


def test_a_number_that_the_carrier_writes_with_spaces_is_pushed_in_a_form_that_is_taken() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("ER 123 456 789 MY", "picked_up", order_id=order_id)
    stage.settle_down()
    assert states(stage, order_id) == ["done"]


def test_a_dead_push_is_told_to_somebody() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.fail(Fault(kind="no_answer", path="*/ship", times=50))
    stage.carrier_tells("SYN-1239", "picked_up", order_id=order_id)
    for hour in range(60):
        stage.until(START + hour * HOUR)
        stage.real.pass_time(600)
        stage.sweep()
    assert states(stage, order_id) == ["dead"]
    names = {line.name for line in stage.lines}
    kinds = {str(event["type"]) for event in stage.announced}
    assert "push.dead" in names or any("push" in kind for kind in kinds)


def test_a_refused_push_is_told_to_the_seller() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.fail(Fault(kind="code", path="*/ship", code=21011025))
    stage.carrier_tells("SYN-1240", "picked_up", order_id=order_id)
    stage.settle_down()
    assert states(stage, order_id) == ["refused"]
    assert any("push" in str(event["type"]) for event in stage.announced), stage.announced


# What comes in


def test_no_name_of_a_person_stands_in_a_permanent_event() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.carrier_tells("SYN-1241", "picked_up", order_id=order_id)
    stage.carrier_tells(
        "SYN-1241", "delivered", order_id=order_id, delivered_to="Siti Binti Example"
    )
    stage.settle_down()
    holding = [
        (pk, sk)
        for pk, found in stage.memory.rows.items()
        for sk, row in found.items()
        if "Siti" in str(row.get("doc", "")) and "expires_at" not in row
    ]
    assert holding == []


@pytest.mark.parametrize("reference", ["PO 1234/5", "#576", "x" * 65, ["576"]])
def test_a_reference_that_is_no_order_id_does_not_cost_the_scan(reference: Any) -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-1242", "info_received", order_id=order_id)
    stage.settle_down()
    stage.carrier_tells("SYN-1242", "picked_up", order_id=reference)
    stage.settle_down()
    assert states(stage, order_id) == ["done"]


def test_a_delivery_that_left_quarantine_expires_again() -> None:
    stage = Stage()
    body = json.dumps({"type": 1, "shop_id": "", "data": {}}).encode()
    assert stage.ring("tiktok_shop", {"authorization": tiktok_signature(body)}, body).status == 200
    stage.sweep()
    (key,) = [
        (pk, sk)
        for pk, found in stage.memory.rows.items()
        for sk in found
        if pk.startswith("DELIVERY#")
    ]
    assert stage.memory.rows[key[0]][key[1]]["reason"]
    # The fix is deployed: the same delivery can now be read.
    monkey = pytest.MonkeyPatch()
    from shipclock.sources import Translation, tiktok_shop

    monkey.setattr(tiktok_shop, "translate", lambda delivery: Translation(note="means nothing"))
    stage.until(START + timedelta(days=3))
    stage.sweep()
    monkey.undo()
    row = stage.memory.rows[key[0]][key[1]]
    assert "due_at" not in row
    assert "expires_at" in row, "raw personal data is now kept for ever"


def test_an_order_that_cannot_be_read_is_counted_where_an_alarm_looks() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.sandbox._world.orders[order_id].warehouse_id = "not an id!"
    stage.marketplace_tells()
    stage.settle_down()
    names = {line.name for line in stage.lines}
    assert "order.unreadable" in names
    source = Path("functions/sweeper/app.py").read_text()
    assert '"order.unreadable"' in source, "the order has no clocks and nobody hears of it"


def test_the_buyer_is_forgotten_120_days_after_the_end_also_when_told_again_after_it() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.cancel(order_id, "seller_cancel_reason_out_of_stock", "SELLER")
    stage.marketplace_tells()
    stage.settle_down()
    buyer = stage.memory.rows[f"ORDER#{order_id}"][rows.BUYER]
    first = buyer["expires_at"]
    stage.until(START + timedelta(days=1))
    stage.sandbox._world.orders[order_id].update_time += 86400  # the refund went through
    stage.real.pass_time(86400)
    stage.settle_down()
    again = stage.memory.rows[f"ORDER#{order_id}"][rows.BUYER]["expires_at"]
    assert again - first <= 2 * 86400, f"{(again - first) / 86400:.0f} days longer"


def test_a_call_that_trickles_is_given_up_in_time() -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        peer, _ = server.accept()
        peer.recv(4096)
        try:
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")
            for _ in range(20):
                peer.sendall(b" ")
                time.sleep(0.3)
        except OSError:
            pass
        finally:
            peer.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    began = time.monotonic()
    request = HttpRequest("GET", f"http://127.0.0.1:{server.getsockname()[1]}/", {})
    with suppress(NoAnswer):
        http.HttpWire(timedelta(seconds=1)).send(request)
    took = time.monotonic() - began
    thread.join()
    server.close()
    assert took < 3, f"{took:.1f} s"


def test_a_reconnection_while_a_sweep_tidies_up_leaves_the_shop_reconciled() -> None:
    stage = Stage()
    placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    key = (rows.shop_pk(SHOP_ID), rows.RECONCILE)
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.until(START + HOUR)  # the reconciliation is due
    done: list[int] = []

    class Between(Spy):
        def get(self, asked: Key) -> Row | None:
            if asked == key and not done and not lane(stage).connected:
                done.append(1)
                stage.store = stage.memory
                reconnected(stage)
            return super().get(asked)

    stage.store = Between(stage.memory)
    stage.sweep()
    stage.store = stage.memory
    assert done
    assert lane(stage).connected
    stage.settle_down()
    assert "due_at" in stage.memory.rows[key[0]][key[1]], "never reconciled again"


def test_an_alert_of_a_disconnected_shop_says_that_it_must_be_reconnected() -> None:
    stage = Stage()
    placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.until(START + timedelta(hours=130))
    stage.settle_down()
    assert stage.announced
    assert any("connect" in str(event["text"]) for event in stage.announced), stage.announced[0]


def test_a_token_that_stays_expired_is_not_renewed_again_and_again_in_one_sweep() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.fail(Fault(kind="expired_token", path="*/ship", times=10_000))
    stage.carrier_tells("SYN-1243", "picked_up", order_id=order_id)
    before = len(stage.sandbox.calls)
    stage.sweep()
    paths = [c.path for c in stage.sandbox.calls[before:]]
    renewals = paths.count("/api/v2/token/refresh")
    assert renewals <= 2, f"{renewals} renewals in one sweep"


def test_a_push_that_waits_for_a_postponed_re_read_is_not_due_every_minute() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.fail(Fault(kind="null_data", path="/order/202507/orders", times=10_000))
    body = json.dumps(
        {"type": 3, "shop_id": SHOP_ID, "timestamp": 1, "data": {"order_id": order_id}}
    ).encode()
    assert stage.ring("tiktok_shop", {"authorization": tiktok_signature(body)}, body).status == 200
    stage.carrier_tells("SYN-1244", "picked_up", order_id=order_id)
    stage.settle_down(6)


def test_a_mistyped_reference_does_not_keep_a_number_from_its_own_order_for_ever() -> None:
    stage = Stage()
    order_id = placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-1245", "info_received", order_id="57600000000000000O1")  # mistyped
    stage.sweep()
    stage.carrier_tells("SYN-1245", "picked_up", order_id=order_id)
    for _ in range(4):
        stage.real.pass_time(60)
        stage.sweep()
    assert states(stage, order_id) == ["done"]


def test_a_combined_package_is_shipped_once_and_both_orders_know_it() -> None:
    stage = Stage()
    first, second = placed(stage), placed(stage)
    stage.sandbox.combine([first, second])
    stage.marketplace_tells()
    stage.settle_down()
    stage.carrier_tells("SYN-1246", "picked_up", order_id=first)
    stage.carrier_tells("SYN-1246", "in_transit", order_id=second)
    stage.settle_down()
    assert len(stage.effects) == 1
    assert set(states(stage, first) + states(stage, second)) <= {"done", "withdrawn"}


def test_a_reconnection_during_a_sweep_is_not_undone_by_what_that_sweep_remembers() -> None:
    stage = Stage()
    waits, other = placed(stage), placed(stage)
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.revoke(SHOP_ID)
    stage.marketplace_tells()
    stage.settle_down()
    stage.until(START + HOUR)
    stage.carrier_tells("SYN-1247", "picked_up", order_id=waits)
    stage.settle_down()
    assert states(stage, waits) == ["pending"]
    stage.carrier_tells("SYN-1248", "info_received", order_id=other)
    done: list[int] = []

    def connect_meanwhile(writes: Sequence[Write]) -> None:
        if not done and any(w.key == (f"ORDER#{other}", rows.HEAD) for w in writes):
            done.append(1)
            reconnected(stage)

    store = Spy(stage.memory, on_write=connect_meanwhile)
    world = stage.world
    world.store = store
    Sweep(world, stage.now, timedelta(seconds=65)).run()
    assert done
    for minute in range(1, 60):
        stage.until(START + HOUR + timedelta(minutes=minute))
        stage.real.pass_time(60)
        stage.sweep()
    assert states(stage, waits) == ["done"], "an hour after reconnecting nothing was pushed"
