"""`GET /api/signals`: where shops stand, over whatever windows are asked for."""

from typing import Any

import pytest

from shipclock.connect import attach_shop
from shipclock.standing_views import SignalsList
from tests.functions.test_hub import FOREIGN, VIEWER, Hub
from tests.stage import REAL, SHOP_ID, START

PATH = "/api/signals"
OUT_OF_STOCK = "seller_cancel_reason_out_of_stock"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    return Hub(monkeypatch)


def signals(hub: Hub, token: str = VIEWER, **query: str) -> dict[str, dict[str, Any]]:
    """The only shop's signals, by name."""
    status, body = hub.get(PATH, token, **query)
    assert status == 200, body
    (shop,) = SignalsList.model_validate(body).model_dump(mode="json")["shops"]
    return {one["signal"]: one for one in shop["signals"]}


def test_an_order_counts_as_soon_as_it_is_settled(hub: Hub) -> None:
    (order_id,) = hub.place(tts_sla_time=int(START.timestamp()) + 48 * 3600)
    found = signals(hub, on="2026-11-01")
    assert {name: (one["good"], one["bad"], one["open"]) for name, one in found.items()} == {
        "late_dispatch": (0, 0, 0),
        "valid_tracking": (0, 0, 0),
        "on_time_delivery": (0, 0, 0),
        "seller_cancellation": (0, 0, 1),
    }
    dispatch = signals(hub, on="2026-11-03")["late_dispatch"]
    assert (dispatch["bad"], dispatch["open"]) == (1, 0), "by the end of that day it is late"
    cancelled = found["seller_cancellation"]
    assert cancelled["next"] == [{"order_id": order_id, "due_at": "2026-11-16T02:00:00Z"}]
    assert cancelled["runs_out"] == [{"day": "2026-11-16", "count": 1}]


def test_a_cancellation_for_want_of_stock_is_the_sellers_fault(hub: Hub) -> None:
    order_id, _ = hub.place(2)
    hub.stage.sandbox.cancel(order_id, OUT_OF_STOCK, "SELLER")
    hub.stage.marketplace_tells()
    hub.stage.settle_down()
    found = signals(hub)["seller_cancellation"]
    assert found["now"] == {"count": 1, "of": 2, "percent": "50.00"}
    assert found["window"] == {
        "days": 30,
        "first": "2026-10-25",
        "last": "2026-11-23",
        "set_by": "default",
    }


def test_a_packs_line_is_shown_with_what_it_rests_on(hub: Hub) -> None:
    attach_shop(hub.stage.store, hub.stage.shop(pack="us-2026"), REAL)
    hub.place(2, tts_sla_time=int(START.timestamp()) + 48 * 3600)
    found = signals(hub, on="2026-11-03", days="7")
    line = found["late_dispatch"]["line"]
    assert line["below"] is None
    assert (line["at_most"], line["pack"], line["confidence"]) == (4.0, "us-2026", "official")
    assert (found["late_dispatch"]["kept"], found["late_dispatch"]["head_room"]) == (False, -2)
    assert found["valid_tracking"]["line"]["at_least"] == 95.0
    assert found["on_time_delivery"]["line"]["at_least"] == 80.0
    assert found["late_dispatch"]["window"] == {
        "days": 7,
        "first": "2026-10-28",
        "last": "2026-11-03",
        "set_by": "asked",
    }


@pytest.mark.parametrize(
    "query",
    [{"on": "today"}, {"on": "2026-02-30"}, {"on": "20261124"}, {"on": "2026-W48-2"}, {"on": ""}],
)
def test_a_day_that_is_none_is_answered_with_what_is_accepted(
    query: dict[str, str], hub: Hub
) -> None:
    status, body = hub.get(PATH, **query)
    assert (status, body["message"]) == (400, "on: a day such as 2026-11-24 was expected")


def test_days_and_pages_have_their_bounds(hub: Hub) -> None:
    for query in ({"days": "0"}, {"days": "367"}, {"days": "x"}, {"limit": "21"}, {"limit": "0"}):
        assert hub.get(PATH, **query)[0] == 422, query
    assert hub.get(PATH, start="no shop")[0] == 400
    for query in ({"days": "366"}, {"on": "2000-01-01"}, {"on": "2999-12-31"}):
        assert hub.get(PATH, **query)[0] == 200, query


def test_shops_come_in_pages_and_those_of_others_do_not(hub: Hub) -> None:
    for shop_id in ("7490000000000000002", "7490000000000000003"):
        attach_shop(hub.stage.store, hub.stage.shop(shop_id=shop_id), REAL)
    _, first = hub.get(PATH, limit="2")
    assert [shop["shop_id"] for shop in first["shops"]] == [SHOP_ID, "7490000000000000002"]
    _, second = hub.get(PATH, limit="2", start=first["next"])
    assert [shop["shop_id"] for shop in second["shops"]] == ["7490000000000000003"]
    assert second["next"] is None
    _, theirs = hub.get(PATH, FOREIGN)
    assert [shop["shop_id"] for shop in theirs["shops"]] == ["7490000000000000002"]
    assert hub.get(PATH, FOREIGN, shop_id=SHOP_ID)[1] == {"shops": [], "unread": [], "next": None}
    assert hub.get(PATH, shop_id="unknown")[1] == {"shops": [], "unread": [], "next": None}


def test_a_shop_whose_pack_is_gone_is_named_and_holds_up_no_others(hub: Hub) -> None:
    for shop_id, pack in (("7490000000000000002", "gone-2019"), ("7490000000000000003", "")):
        attach_shop(hub.stage.store, hub.stage.shop(shop_id=shop_id, pack=pack), REAL)
    status, body = hub.get(PATH)
    assert status == 200
    assert [shop["shop_id"] for shop in body["shops"]] == [SHOP_ID, "7490000000000000003"]
    (unread,) = body["unread"]
    assert unread["shop_id"] == "7490000000000000002"
    assert unread["reason"].startswith("there is no pack 'gone-2019'; there are: ")
    _, second = hub.get(PATH, limit="1", start=SHOP_ID)
    assert (second["shops"], second["unread"]) == ([], [unread])
    assert second["next"] == unread["shop_id"]


def test_the_shapes_are_in_the_openapi_document(hub: Hub) -> None:
    _, document = hub.get("/api/openapi.json", token=None)
    told = document["paths"][PATH]["get"]
    assert {one["name"] for one in told["parameters"]} == {
        *("shop_id", "on", "days", "limit", "start")
    }
    assert "ShopSignals" in document["components"]["schemas"]
