"""The hub function: who may read what, and in which shape (DESIGN 6)."""

import json
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from shipclock import rows, wiring
from shipclock.connect import attach_shop
from shipclock.hub import quarantine_list
from shipclock.ports import Page, Put
from shipclock.settings import SettingMissing
from shipclock.stockwish import wish
from tests.builders import sample_bytes
from tests.fakes import MemoryStore
from tests.functions.doors import HUB_ENV, Context, environment, event, load
from tests.stage import REAL, SECRETS, SHOP_ID, START, Stage

OWNER, VIEWER, PACKER = "owner-token-1", "viewer-token-1", "packer-token-1"
FOREIGN, NOBODY = "foreign-token-1", "nobody-token-1"
HUB_SECRET = {
    "tokens": [
        {"token": OWNER, "role": "owner"},
        {"token": VIEWER, "role": "viewer"},
        {"token": PACKER, "role": "packer"},
        {"token": FOREIGN, "role": "owner", "shops": ["7490000000000000002"]},
        {"token": NOBODY, "role": "gardener"},
        {"token": "", "role": "owner"},
        {"role": "owner"},
    ]
}
NUMBER = "SYN000101"


def start(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    environment(monkeypatch, HUB_ENV)
    monkeypatch.setattr(wiring, "hub", lambda settings: (stage.memory, lambda: HUB_SECRET))
    monkeypatch.setattr(wiring, "real", lambda: REAL)
    return load("hub")


class Hub:
    """A started hub over a stage."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage = Stage()
        self.app = start(self.stage, monkeypatch)

    def get(self, path: str, token: str | None = OWNER, **query: str) -> tuple[int, Any]:
        return self.ask(path, {"authorization": f"Bearer {token}"} if token else {}, query)

    def post(self, path: str, body: object, token: str = OWNER) -> tuple[int, Any]:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        text = body if isinstance(body, str) else json.dumps(body)
        return self.ask(path, headers, method="POST", body=text)

    def ask(
        self,
        path: str,
        headers: dict[str, str],
        query: dict[str, str] | None = None,
        method: str = "GET",
        body: str = "",
    ) -> tuple[int, Any]:
        asked = event("http.hub", rawPath=path, headers={"host": "hub.example", **headers})
        asked["requestContext"]["http"] |= {"path": path, "method": method}
        asked |= {"routeKey": f"{method} /api/{{proxy+}}", **({"body": body} if body else {})}
        if query:
            asked["queryStringParameters"] = query
            asked["rawQueryString"] = "&".join(f"{k}={v}" for k, v in query.items())
        answer = self.app.handler(asked, Context())
        assert "Traceback" not in answer["body"]
        return answer["statusCode"], json.loads(answer["body"])

    def place(self, count: int = 1, **wish: Any) -> list[str]:
        add = self.stage.sandbox.add_order
        made = [add(SHOP_ID, status="AWAITING_SHIPMENT", **wish) for _ in range(count)]
        self.stage.marketplace_tells()
        self.stage.settle_down()
        return made


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return Hub(monkeypatch)


# Who may


PATHS = [
    *("/api/orders/1", "/api/orders", "/api/due", "/api/quarantine", "/api/signals"),
    *("/api/stock", "/api/incidents"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {OWNER}",
        OWNER,
        f"Bearer {OWNER}x",
        f"Bearer {OWNER},{OWNER}",
        "Bearer é",
        "Bearer None",
    ],
)
def test_without_a_good_token_nobody_reads_anything(
    path: str, header: str | None, hub: Hub
) -> None:
    status, body = hub.ask(path, {} if header is None else {"authorization": header})
    assert status == 401
    assert "Bearer" in json.dumps(body)


def test_a_token_that_is_half_a_character_is_a_bad_token_and_no_fault_of_ours(hub: Hub) -> None:
    assert hub.ask("/api/orders", {"authorization": "Bearer \ud800"})[0] == 401


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_the_case_of_the_headers_name_does_not_matter(name: str, hub: Hub) -> None:
    assert hub.ask("/api/orders", {name: f"bearer {OWNER}"})[0] == 200


@pytest.mark.parametrize(
    ("token", "allowed"),
    [
        (OWNER, {*PATHS[1:]}),
        (VIEWER, {"/api/orders", "/api/due", "/api/signals", "/api/stock"}),
        (PACKER, {"/api/orders"}),
        (NOBODY, set()),
    ],
)
def test_a_role_reads_what_it_may_and_nothing_else(token: str, allowed: set[str], hub: Hub) -> None:
    statuses = {path: hub.get(path, token)[0] for path in PATHS[1:]}
    assert statuses == {path: 200 if path in allowed else 403 for path in PATHS[1:]}


def test_a_token_for_other_shops_sees_none_of_this_one(hub: Hub) -> None:
    (order_id,) = hub.place()
    assert hub.get(f"/api/orders/{order_id}", FOREIGN)[0] == 404
    assert hub.get("/api/orders", FOREIGN)[1]["orders"] == []
    assert hub.get("/api/orders", FOREIGN, shop_id=SHOP_ID)[1]["orders"] == []
    assert hub.get("/api/due", FOREIGN, shop_id=SHOP_ID, within="99d")[1]["orders"] == []


# One order


def test_an_order_that_is_not_there_is_not_found(hub: Hub) -> None:
    status, body = hub.get("/api/orders/576000000000000999")
    assert status == 404
    assert "no such order" in json.dumps(body)


PROMISED = {
    "": {
        "order_id",
        "shop_id",
        "status",
        "stage",
        "shipping_type",
        "settled_at",
        "packages",
        "clocks",
        "verdicts",
        "reminders",
        "prepared",
        "pushes",
        "events",
        "notices",
        "cancellation",
        "estimate",
        "drift",
        "evidence",
        "cancel_request",
        "tasks",
        "incidents",
    },
    "packages": {"package_id", "tracking_number", "carrier", "tracking_status", "failed_attempts"},
    "clocks": {"name", "package_id", "due_at", "set_by", "state"},
    "verdicts": {
        "rule",
        "package_id",
        "state",
        "due_at",
        "noticed_at",
        "clause",
        "explanation",
    },
    "reminders": {"clock", "local_day", "at"},
    "pushes": {"call", "state", "attempts", "reason"},
}
MORE = {
    "pushes": {"advice", "package_id", "tracking_number"},
    "packages": {"marketplace_status", "exception", "pickup_from", "pickup_until", "handover"}
    | {"carrier_candidates"},
    "clocks": {"tracking_number", "cause"},
    "verdicts": {"tracking_number", "cause"},
}


def test_an_order_is_shown_with_exactly_the_promised_fields(hub: Hub) -> None:
    (order_id,) = hub.place()
    stage = hub.stage
    stage.until(START + timedelta(days=6))
    stage.settle_down()
    stage.carrier_tells(NUMBER, "delivery_attempt_failed", order_id=order_id)
    stage.settle_down()
    status, shown = hub.get(f"/api/orders/{order_id}")
    assert status == 200
    assert set(shown) == PROMISED[""]
    for part in ("packages", "clocks", "verdicts", "reminders", "pushes"):
        assert shown[part], part
        for row in shown[part]:
            assert set(row) == PROMISED[part] | MORE.get(part, set()), part
    assert shown["events"]
    assert shown["order_id"] == order_id
    assert (shown["shop_id"], shown["shipping_type"]) == (SHOP_ID, "SELLER")
    (package,) = shown["packages"]
    assert (package["tracking_number"], package["failed_attempts"]) == (NUMBER, 1)
    assert package["tracking_status"] == "delivery_attempt_failed"
    assert package["package_id"]
    assert {clock["name"]: clock["state"] for clock in shown["clocks"]} == {
        "status_update": "missed",
        "untracked": "met",
        "not_acknowledged": "running",
    }
    assert [verdict["rule"] for verdict in shown["verdicts"]] == ["status_update"]
    assert [push["state"] for push in shown["pushes"]] == ["done"]


def instants(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [found for key, inner in value.items() for found in instants(inner, key)]
    if isinstance(value, list):
        return [found for inner in value for found in instants(inner, name)]
    return (
        [(name, value)] if isinstance(value, str) and (name == "at" or name[-3:] == "_at") else []
    )


def test_every_time_is_written_as_promised(hub: Hub) -> None:
    (order_id,) = hub.place()
    hub.stage.until(START + timedelta(days=6))
    hub.stage.settle_down()
    _, shown = hub.get(f"/api/orders/{order_id}")
    found = instants(shown)
    assert len(found) > 4
    for name, text in found:
        assert len(text) == len("2026-11-10T18:04:00Z"), name
        assert text[10] == "T", name
        assert text.endswith("Z"), name


def test_no_personal_word_is_shown(hub: Hub) -> None:
    address = {"name": "Aisyah Contoh", "full_address": "12, Jalan Contoh 3"}
    (order_id,) = hub.place(recipient_address=address)
    assert "Contoh" not in json.dumps(hub.get(f"/api/orders/{order_id}")[1])


def test_an_order_whose_pack_is_gone_is_shown_without_clocks_and_says_what_to_do(hub: Hub) -> None:
    (order_id,) = hub.place()
    before = hub.get(f"/api/orders/{order_id}")[1]
    attach_shop(hub.stage.store, hub.stage.shop(pack="gone-2019"), REAL, heal=False)
    status, shown = hub.get(f"/api/orders/{order_id}")
    assert status == 200
    assert (shown["clocks"], shown["prepared"]) == ([], [])
    for part in ("status", "stage", "packages", "verdicts", "events", "evidence"):
        assert shown[part] == before[part], part
    (task,) = shown["tasks"]
    assert task["kind"] == "pack"
    assert "there is no pack 'gone-2019'" in task["text"]
    assert f"shipclock shops set {SHOP_ID} --pack NAME" in task["text"]


# Lists


def pages(hub: Hub, path: str, **query: str) -> list[list[str]]:
    found, following = [], ""
    while True:
        more = {"start": following} if following else {}
        status, body = hub.get(path, OWNER, **query, **more)
        assert status == 200
        assert set(body) == {"orders", "next"}
        found.append([row["order_id"] for row in body["orders"]])
        following = body["next"]
        if following is None:
            return found
        assert len(found) < 50, "the pages never end"


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_paging_shows_every_order_once_and_no_page_is_too_long(limit: int, hub: Hub) -> None:
    placed = hub.place(7)
    found = pages(hub, "/api/orders", limit=str(limit))
    assert sorted(order for page in found for order in page) == sorted(placed)
    assert all(len(page) <= limit for page in found)
    assert all(len(page) == limit for page in found[:-1])


def test_the_next_due_order_stands_first(hub: Hub) -> None:
    first = hub.place()
    hub.stage.until(START + timedelta(hours=3))
    second = hub.place()
    assert pages(hub, "/api/orders", limit="1") == [first, second]


def test_a_line_has_the_fields_that_the_document_names(hub: Hub) -> None:
    hub.place()
    (line,) = hub.get("/api/orders")[1]["orders"]
    assert set(line) == {
        "order_id",
        "shop_id",
        "status",
        "stage",
        "shipping_type",
        "next_clock",
        "next_due_at",
    }
    assert (line["stage"], line["next_clock"]) == ("to_ship", "status_update")


def test_orders_are_listed_by_stage(hub: Hub) -> None:
    placed = hub.place(2)
    assert sorted(pages(hub, "/api/orders", stage="to_ship")[0]) == sorted(placed)
    assert pages(hub, "/api/orders", stage="completed") == [[]]
    assert pages(hub, "/api/orders", shop_id="7490000000000000009") == [[]]


def test_what_is_due_within_a_span_is_listed_overdue_included(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    (order_id,) = hub.place()
    due_at = START + timedelta(hours=120)
    for real, within, found in (
        (due_at - timedelta(hours=25), "24h", []),
        (due_at - timedelta(hours=24), "24h", [order_id]),
        (due_at - timedelta(hours=24), "1439m", []),
        (due_at - timedelta(days=3), "3d", [order_id]),
        (due_at + timedelta(days=2), "0m", [order_id]),
    ):
        monkeypatch.setattr(wiring, "real", lambda real=real: real)
        assert pages(hub, "/api/due", within=within) == [found], (real, within)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/orders", {"stage": "lost"}),
        ("/api/due", {"within": "soon"}),
        ("/api/due", {"within": ""}),
        ("/api/due", {"within": "-1h"}),
        ("/api/due", {"within": "999999d"}),
        ("/api/due", {"within": "٣h"}),
        ("/api/due", {"within": "24"}),
    ],
)
def test_a_word_that_is_not_known_is_a_bad_request_naming_it(
    path: str, query: dict[str, str], hub: Hub
) -> None:
    status, body = hub.get(path, OWNER, **query)
    assert status == 400
    assert next(iter(query)) in json.dumps(body)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many", "1.5"])
def test_a_limit_out_of_bounds_is_refused_naming_it(limit: str, hub: Hub) -> None:
    status, body = hub.get("/api/orders", OWNER, limit=limit)
    assert status in (400, 422)
    assert "limit" in json.dumps(body)


LISTS = (
    "/api/orders",
    "/api/due",
    "/api/due/clocks",
    "/api/forecast",
    "/api/stock",
    "/api/signals",
)
OTHER_SHOP = "7490000000000000002"


def test_several_shops_are_asked_for_at_once(hub: Hub) -> None:
    placed = hub.place(2)
    attach_shop(hub.stage.store, hub.stage.shop(shop_id=OTHER_SHOP), REAL, heal=False)
    for both in (f"{SHOP_ID},{OTHER_SHOP}", f"{OTHER_SHOP},{SHOP_ID},{SHOP_ID}"):
        for path in LISTS:
            assert hub.get(path, shop_id=both) == hub.get(path), path
        assert sorted(pages(hub, "/api/orders", shop_id=both)[0]) == sorted(placed)
    assert hub.get("/api/orders", FOREIGN, shop_id=f"{SHOP_ID},{OTHER_SHOP}")[1]["orders"] == []


def test_a_word_that_is_sent_again_is_one_of_several(hub: Hub) -> None:
    """As API Gateway hands it over: joined by commas, and the query as it was sent beside it."""
    (order_id,) = hub.place()
    asked = event("http.hub", rawPath="/api/orders")
    asked["headers"] = {"authorization": f"Bearer {OWNER}"}
    asked["requestContext"]["http"] |= {"path": "/api/orders", "method": "GET"}
    asked["queryStringParameters"] = {"shop_id": f"{OTHER_SHOP},{SHOP_ID}"}
    asked["rawQueryString"] = f"shop_id={OTHER_SHOP}&shop_id={SHOP_ID}"
    answer = hub.app.handler(asked, Context())
    assert answer["statusCode"] == 200
    assert [line["order_id"] for line in json.loads(answer["body"])["orders"]] == [order_id]


@pytest.mark.parametrize("shop_id", ["", ",", f"{SHOP_ID},", f"{SHOP_ID}, 1", "é", "9" * 65])
def test_what_is_no_shops_id_is_a_bad_request(shop_id: str, hub: Hub) -> None:
    for path in (*LISTS, "/api/calendar.ics"):
        status, body = hub.get(path, shop_id=shop_id)
        assert status == 400, path
        assert body["message"].startswith("shop_id: the id of a shop was expected")


NO_STARTS = [
    *("x", "~", "2026", "\x00", "é" * 500, "9#" + "1" * 65),
    "٢٠٢٦-11-24T00:00:00Z#1",
    f"2026-11-24T{'0' * 3000}Z#1",
    f"2026-11-24T00:00:00.{'0' * 3000}Z#1",
]


@pytest.mark.parametrize("start_at", NO_STARTS)
def test_a_start_of_ones_own_making_is_refused(start_at: str, hub: Hub) -> None:
    hub.place()
    for path in ("/api/orders", "/api/due", "/api/quarantine", "/api/incidents"):
        assert hub.get(path, OWNER, start=start_at)[0] == 400


def test_what_waits_for_a_person_is_listed_oldest_first_and_paged(hub: Hub) -> None:
    stage = hub.stage
    for body in (b"[1]", b"[2]", b"[3]"):
        stage.ring("standard_webhooks", stage.carrier_headers(body), body)
        stage.real.pass_time(5)
    seen, following = [], ""
    while True:
        more = {"start": following} if following else {}
        status, page = hub.get("/api/quarantine", OWNER, limit="1", **more)
        assert status == 200
        seen += [line["received_at"] for line in page["deliveries"]]
        following = page["next"]
        if not following:
            break
    assert len(seen) == 3
    assert seen == sorted(seen)


def test_what_waits_for_a_person_is_not_shown_to_who_may_see_some_shops_alone(hub: Hub) -> None:
    status, body = hub.get("/api/quarantine", FOREIGN)
    assert (status, body["message"][:13]) == (403, "a token witho")


class AsDynamoDb(MemoryStore):
    """Says that there may be more whenever as many rows were found as were asked for."""

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        page = super().board(partition, limit, start)
        full = len(page.rows) == limit
        return Page(page.rows, page.rows[-1]["board_at"] if full else page.next)


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_behind_the_last_page_of_quarantine_there_is_no_other(limit: int) -> None:
    store = AsDynamoDb()
    for n in range(4):
        row = {
            "pk": f"DELIVERY#{n}",
            "sk": "-",
            "source": "x",
            "received_at": "2026-11-23T00:00:00Z",
        }
        store.write(Put(row | rows.quarantine(row, "odd", REAL)))
    pages, start = [], None
    while True:
        page = quarantine_list(store, limit, start)
        pages.append([line.delivery for line in page.deliveries])
        start = page.next
        if start is None:
            break
    assert [n for page in pages for n in page] == ["0", "1", "2", "3"]
    assert len(pages) == -(-4 // limit)


@pytest.mark.parametrize("path", ["/", "/api", "/api/nothing", "/api/orders/a/b"])
def test_an_unknown_address_is_not_found(path: str, hub: Hub) -> None:
    assert hub.get(path)[0] == 404


# Stock

MAIN, SIDE = "6950000000000000001", "6950000000000000002"
STOCK_LINE = {
    "shop_id",
    "sku_id",
    "product_id",
    "status",
    "status_at",
    "quantities",
    "told_at",
    "searched_at",
    "warehouses",
    "wish",
}


def stocked(hub: Hub, count: int = 1) -> list[str]:
    """The ids of SKUs in the shelves, each wished to have 9 in one warehouse."""
    made = [hub.stage.sandbox.set_stock(SHOP_ID, f"MUG-{n}", {MAIN: 3}) for n in range(count)]
    for sku_id in made:
        wish(hub.stage.store, SHOP_ID, sku_id, {MAIN: 9}, REAL, "ops")
    return made


def test_stock_is_shown_as_it_was_told_and_as_it_is_wished(hub: Hub) -> None:
    (sku_id,) = stocked(hub)
    hub.stage.sweep()
    hub.stage.until(START + timedelta(minutes=5))
    hub.stage.sandbox.set_stock(SHOP_ID, "MUG-0", {MAIN: 1})
    hub.stage.marketplace_tells()
    hub.stage.settle_down()
    status, body = hub.get("/api/stock", VIEWER, shop_id=SHOP_ID)
    assert status == 200
    (line,) = body["stock"]
    assert set(line) == STOCK_LINE
    assert (line["shop_id"], line["sku_id"]) == (SHOP_ID, sku_id)
    assert int(line["product_id"]) > 2**53
    assert line["quantities"]["available"] == 1
    assert (line["status"], line["told_at"]) == ("LOW_STOCK", "2026-11-01T02:05:00Z")
    assert line["searched_at"] == "2026-11-01T02:00:00Z"
    assert line["warehouses"] == [
        {"warehouse_id": MAIN, "available": 3, "committed": 0, "wished": 9}
    ]
    wished = line["wish"]
    assert (wished["state"], wished["attempts"], wished["by"]) == ("done", 1, "ops")
    assert (wished["reason"], wished["advice"]) == (None, None)
    assert wished["asked_at"] == "2026-11-23T12:00:00Z"


def test_stock_that_was_only_wished_is_shown_with_what_came_of_it(hub: Hub) -> None:
    wish(hub.stage.store, SHOP_ID, "1729000009000000002", {MAIN: 9, SIDE: 0}, REAL)
    (line,) = hub.get("/api/stock")[1]["stock"]
    assert (line["quantities"], line["told_at"], line["product_id"]) == ({}, None, None)
    assert [(p["available"], p["wished"]) for p in line["warehouses"]] == [(None, 9), (None, 0)]
    assert (line["wish"]["state"], line["wish"]["by"]) == ("pending", None)
    assert "0 is undocumented" in line["wish"]["advice"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
def test_paging_shows_every_sku_once(limit: int, hub: Hub) -> None:
    made = stocked(hub, 7)
    seen: list[str] = []
    following: str | None = ""
    while following is not None:
        more = {"start": following} if following else {}
        status, page = hub.get("/api/stock", OWNER, limit=str(limit), **more)
        assert status == 200
        assert len(page["stock"]) <= limit
        seen += [line["sku_id"] for line in page["stock"]]
        following = page["next"]
    assert seen == sorted(made)


def test_the_stock_of_several_shops_is_paged_shop_by_shop(hub: Hub) -> None:
    made = [(SHOP_ID, sku_id) for sku_id in sorted(stocked(hub, 2))]
    other = hub.stage.shop(shop_id="7490000000000000002")
    attach_shop(hub.stage.store, other, REAL, heal=False)
    wish(hub.stage.store, other.shop_id, "1", {MAIN: 1}, REAL)
    seen: list[tuple[str, str]] = []
    following: str | None = "7490000000000000001#0"
    while following is not None:
        _, page = hub.get("/api/stock", OWNER, limit="1", start=following)
        seen += [(line["shop_id"], line["sku_id"]) for line in page["stock"]]
        following = page["next"]
    assert seen == [*made, (other.shop_id, "1")]
    assert [x["sku_id"] for x in hub.get("/api/stock", FOREIGN)[1]["stock"]] == ["1"]
    assert hub.get("/api/stock", FOREIGN, shop_id=SHOP_ID)[1] == {"stock": [], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        {"start": "x"},
        {"start": "1#"},
        {"start": "1#2#3"},
        {"start": "1#é"},
        {"start": "a b#1"},
        {"start": "#" * 500},
    ],
)
def test_a_start_of_stock_of_ones_own_making_is_refused(query: dict[str, str], hub: Hub) -> None:
    status, body = hub.get("/api/stock", OWNER, **query)
    assert status == 400
    assert "start" in json.dumps(body)


@pytest.mark.parametrize("limit", ["0", "201", "many"])
def test_a_limit_of_stock_out_of_bounds_is_refused(limit: str, hub: Hub) -> None:
    assert hub.get("/api/stock", OWNER, limit=limit)[0] in (400, 422)


# The document


def test_the_openapi_document_needs_no_token_and_names_every_address(hub: Hub) -> None:
    status, document = hub.get("/api/openapi.json", None)
    assert status == 200
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {
        "/api/orders/{order_id}",
        "/api/orders/{order_id}/requests",
        "/api/orders",
        "/api/due",
        "/api/due/clocks",
        "/api/forecast",
        "/api/calendar.ics",
        "/api/quarantine",
        "/api/signals",
        "/api/stock",
        "/api/incidents",
        "/api/incidents/{incident_id}",
        "/api/incidents/{incident_id}/text",
        "/api/incidents/{incident_id}/changes",
        "/api/incidents/{incident_id}/lift",
    }
    shown = document["components"]["schemas"]["OrderView"]["properties"]
    assert set(shown) == PROMISED[""]
    assert OWNER not in json.dumps(document)


@pytest.mark.parametrize("name", ["SHIPCLOCK_TABLE", "SHIPCLOCK_HUB_SECRET"])
def test_a_missing_variable_stops_the_start_and_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage()
    start(stage, monkeypatch)
    monkeypatch.delenv(name)
    with pytest.raises(SettingMissing, match=name):
        load("hub")


# Asking


def test_what_an_owner_asks_for_is_told_the_marketplace(hub: Hub) -> None:
    (order_id,) = hub.place()
    asked = {"deed": "cancel", "says": {"reason": "out_of_stock"}}
    status, told = hub.post(f"/api/orders/{order_id}/requests", asked)
    assert (status, told["deed"], told["order_id"]) == (202, "cancel", order_id)
    hub.stage.settle_down()
    _, shown = hub.get(f"/api/orders/{order_id}")
    assert [(push["call"], push["state"]) for push in shown["pushes"]] == [("cancel", "done")]
    assert shown["status"] == "CANCELLED"
    assert [e["source"] for e in shown["events"] if e["kind"] == "request"] == ["owner"]


@pytest.mark.parametrize(("token", "status"), [(VIEWER, 403), (PACKER, 403), (FOREIGN, 404)])
def test_nobody_else_may_ask(hub: Hub, token: str, status: int) -> None:
    (order_id,) = hub.place()
    asked = {"deed": "cancel", "says": {"reason": "out_of_stock"}}
    assert hub.post(f"/api/orders/{order_id}/requests", asked, token)[0] == status
    assert hub.stage.judged(order_id).order.requests == ()


@pytest.mark.parametrize(
    ("body", "status", "wrong"),
    [
        ({"deed": "explode"}, 400, "can't be asked for"),
        ({"deed": "cancel"}, 400, "needs reason"),
        ({"deed": "deliver", "says": {"delivery_type": "DELIVERY_SUCCESS"}}, 400, "name it"),
        ({"deed": 7}, 422, "deed"),
        ({"says": {}}, 422, "deed"),
        ({"deed": "cancel", "says": {"reason": 7}}, 422, "reason"),
        ({"deed": "cancel", "colour": "red"}, 422, "colour"),
        ([], 422, ""),
        ("no json", 422, ""),
        ("[" * 3000, 422, ""),
        (f'{{"deed": {"9" * 5000}}}', 422, ""),
        ({"deed": "cancel", "says": {"reason": "\ud800"}}, 400, "half a character"),
    ],
)
def test_what_cannot_be_meant_is_refused(hub: Hub, body: object, status: int, wrong: str) -> None:
    (order_id,) = hub.place()
    answered, told = hub.post(f"/api/orders/{order_id}/requests", body)
    assert answered == status
    assert wrong in json.dumps(told)
    assert hub.stage.judged(order_id).order.requests == ()


def test_an_order_that_nobody_knows_cannot_be_asked_about(hub: Hub) -> None:
    asked = {"deed": "cancel", "says": {"reason": "out_of_stock"}}
    assert hub.post("/api/orders/576000000000009999/requests", asked)[0] == 404


def test_a_package_whose_carrier_nobody_names_has_those_that_its_number_allows(hub: Hub) -> None:
    (order_id,) = hub.place()
    stage = hub.stage
    stage.carrier_tells("RB 000000005 MY", "info_received", order_id=order_id, carrier="")
    stage.settle_down()
    (package,) = hub.get(f"/api/orders/{order_id}")[1]["packages"]
    assert (package["carrier"], package["carrier_candidates"]) == (None, ["Pos Malaysia"])
    stage.carrier_tells("RB 000000005 MY", "in_transit", carrier="Synthetic Post")
    stage.settle_down()
    (package,) = hub.get(f"/api/orders/{order_id}")[1]["packages"]
    assert (package["carrier"], package["carrier_candidates"]) == ("Synthetic Post", [])


def test_an_event_that_nobody_has_confirmed_is_shown_as_such(hub: Hub) -> None:
    (order_id,) = hub.place()
    stage = hub.stage
    stage.secrets = {**SECRETS, "karrio": [{"secrets": ["synthetic"]}]}
    stage.carrier_tells("SYN-000 101", "info_received", order_id=order_id)
    body = sample_bytes("karrio/picked_up.json")
    assert stage.ring("karrio", {"x-event-id": "synthetic"}, body).status == 200
    stage.settle_down()
    events = hub.get(f"/api/orders/{order_id}")[1]["events"]
    flags = {event["source"]: event["flags"] for event in events}
    assert (flags["karrio"], flags["standard_webhooks"]) == (["unconfirmed"], [])


# Bodies of strangers, and what nobody can read

POSTS = (
    "/api/orders/1/requests",
    "/api/incidents",
    "/api/incidents/a1/changes",
    "/api/incidents/a1/lift",
)
ODD = ("[" * 3000, f'{{"deed": {"9" * 5000}}}', "3", "{}", "no json", "\ud800")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", ODD)
def test_of_a_stranger_no_body_is_read(path: str, body: str, hub: Hub) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}):
        status, told = hub.ask(path, headers, method="POST", body=body)
        assert (status, told["statusCode"]) == (401, 401)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("body", ODD)
def test_a_body_that_nobody_can_read_is_refused(path: str, body: str, hub: Hub) -> None:
    assert 400 <= hub.post(path, body)[0] < 500


def test_ids_of_any_length_are_of_no_order_and_no_shop(hub: Hub) -> None:
    assert hub.get(f"/api/orders/{'9' * 3000}")[0] == 404
    assert hub.post(f"/api/orders/{'9' * 3000}/requests", {"deed": "cancel"})[0] == 404
    assert hub.get("/api/orders", shop_id="9" * 64) == (200, {"orders": [], "next": None})


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "application/x-www-form-urlencoded", "text/plain"]
)
def test_a_body_that_is_no_json_is_refused(kind: str, hub: Hub) -> None:
    headers = {"authorization": f"Bearer {OWNER}", "content-type": kind}
    assert hub.ask("/api/incidents", headers, method="POST", body="a=1")[0] == 415
