"""The hub's routes about what lies ahead: due clocks, the forecast, the calendar and its token."""

import base64
import json
import logging
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from shipclock import wiring
from shipclock.connect import attach_shop
from shipclock.horizon.shapes import DueClocks, ForecastPage
from tests.functions.doors import HUB_ENV, Context, event
from tests.functions.test_hub import FOREIGN, HUB_SECRET, NOBODY, OWNER, PACKER, VIEWER, Hub
from tests.stage import CARRIER, SHOP_ID, START

ELSEWHERE = "7490000000000000002"
FEED, FEED_ELSEWHERE = "feed-token-1", "feed-token-2"
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    monkeypatch.setitem(
        HUB_SECRET,
        "tokens",
        [
            *HUB_SECRET["tokens"],
            {"token": FEED, "role": "calendar"},
            {"token": FEED_ELSEWHERE, "role": "calendar", "shops": [ELSEWHERE]},
        ],
    )
    started = Hub(monkeypatch)
    monkeypatch.setattr(wiring, "real", lambda: started.stage.now)
    return started


def fetch(
    hub: Hub, headers: dict[str, str] | None = None, left_ms: int = 15_000, **query: Any
) -> tuple[int, dict[str, str], str]:
    """The calendar as an app asks for it."""
    asked = event("http.hub", rawPath="/api/calendar.ics", headers={"host": "hub.example"})
    asked["headers"] = {"host": "hub.example", **(headers or {})}
    asked["requestContext"]["http"] |= {"path": "/api/calendar.ics", "method": "GET"}
    asked |= {"queryStringParameters": query, "rawQueryString": "&".join(query)}
    answer = hub.app.handler(asked, Context(left_ms=left_ms))
    body = str(answer["body"])
    assert "Traceback" not in body
    if answer.get("isBase64Encoded"):
        body = base64.b64decode(body).decode()
    return answer["statusCode"], answer["headers"], body


def lined(hub: Hub, hours: int = 20, **more: Any) -> str:
    """An order with a hard line so many hours after the start."""
    due = int((START + timedelta(hours=hours)).timestamp())
    (order_id,) = hub.place(1, shipping_due_time=due, **more)
    return order_id


# What is due


def test_what_runs_out_is_told_clock_by_clock_with_what_to_do(hub: Hub) -> None:
    order_id = lined(hub)
    status, body = hub.get("/api/due/clocks", VIEWER)
    assert status == 200
    (line,) = body["clocks"]
    assert line == {
        "order_id": order_id,
        "shop_id": SHOP_ID,
        "status": "AWAITING_SHIPMENT",
        "clock": "shipping_due_time",
        "line": "hard",
        "due_at": "2026-11-01T22:00:00Z",
        "local": "Mon 2 Nov 2026, 06:00 (Asia/Kuala_Lumpur)",
        "left_seconds": 20 * 3600,
        "stops": "the marketplace shows AWAITING_COLLECTION or beyond",
        "to_do": "Hand the parcel over, and have the carrier or 3PL report its number with the "
        "order id, or enter the number in Seller Center.",
        "set_by": "shipping_due_time",
        "clause": "the order's own field shipping_due_time",
        "package_id": None,
        "tracking_number": None,
    }
    assert (body["as_of"], body["until"]) == ("2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z")
    assert DueClocks.model_validate(body).next is None


def test_the_list_of_due_orders_has_the_shape_that_was_promised(hub: Hub) -> None:
    lined(hub)
    _, body = hub.get("/api/due")
    assert set(body) == {"orders", "next"}
    assert set(body["orders"][0]) == {
        *("order_id", "shop_id", "status", "stage", "shipping_type"),
        *("next_clock", "next_due_at"),
    }


def test_due_clocks_and_due_orders_are_of_the_same_orders(hub: Hub) -> None:
    for hours in (5, 30, 100):
        lined(hub, hours)
    for within in ("0m", "5h", "29h", "30h", "99d"):
        told = {line["order_id"] for line in hub.get("/api/due/clocks", within=within)[1]["clocks"]}
        listed = {line["order_id"] for line in hub.get("/api/due", within=within)[1]["orders"]}
        assert told == listed, within


def test_pages_of_due_clocks_end_and_show_each_once(hub: Hub) -> None:
    placed = [lined(hub, hours) for hours in (5, 6, 7)]
    seen, following = [], ""
    while True:
        more = {"start": following} if following else {}
        _, body = hub.get("/api/due/clocks", OWNER, limit="1", **more)
        seen += [line["order_id"] for line in body["clocks"]]
        following = body["next"]
        if following is None:
            break
    assert seen == placed


def test_a_delivered_order_whose_buyer_wishes_to_cancel_is_in_every_list_of_what_is_due(
    hub: Hub,
) -> None:
    (order_id,) = hub.place()
    told = hub.stage.sandbox
    told.request_cancel(order_id)
    told.arrange(order_id, tracking_number="SYN000101", provider=CARRIER)
    told.collect(order_id)
    told.deliver(order_id)
    hub.stage.marketplace_tells()
    hub.stage.settle_down()
    (line,) = hub.get("/api/due", within="3d")[1]["orders"]
    assert (line["order_id"], line["stage"]) == (order_id, "delivered")
    assert line["next_clock"] == "buyer_cancel_request"
    (clock,) = hub.get("/api/due/clocks", within="3d")[1]["clocks"]
    assert (clock["order_id"], clock["clock"]) == (order_id, "buyer_cancel_request")
    (foreseen,) = hub.get("/api/forecast", within="3d")[1]["orders"]
    assert foreseen["order_id"] == order_id
    assert order_id in fetch(hub, token=FEED)[2]


# The forecast


def test_a_forecast_tells_days_outcomes_and_orders(hub: Hub) -> None:
    order_id = lined(hub)
    status, body = hub.get("/api/forecast", VIEWER, until="2026-11-30")
    assert status == 200
    assert ForecastPage.model_validate(body).read == 1
    assert body["assumes"] == "nothing more happens and the marketplace's word does not change"
    lines = [day for day in body["days"] if day["kind"] != "nearing"]
    assert [day["clock"] for day in body["days"]] == ["shipping_due_time"] * len(body["days"])
    assert lines == [
        {
            "day": "2026-11-02",
            "shop_id": SHOP_ID,
            "kind": "hard",
            "clock": "shipping_due_time",
            "cause": None,
            "count": 1,
            "first_at": "2026-11-01T22:00:00Z",
        }
    ]
    assert body["outcomes"] == [
        {
            "what": "cancelled",
            "orders": 1,
            "first_at": "2026-11-01T22:00:00Z",
            "last_at": "2026-11-01T22:00:00Z",
        }
    ]
    (order,) = body["orders"]
    assert (order["order_id"], order["cancelled_by"]) == (order_id, "shipping_due_time")
    assert body["moot"] == len([one for one in order["foreseen"] if one["moot"]]) > 10
    assert (body["read"], body["unread"], body["next"]) == (1, [], None)


def test_a_day_that_is_over_for_the_shop_is_refused(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    lined(hub)
    there = START.replace(hour=16)  # midnight in Kuala Lumpur, and still the day before in UTC
    monkeypatch.setattr(wiring, "real", lambda: there)
    status, body = hub.get("/api/forecast", until="2026-11-01")
    assert (status, "lies in the past" in body["message"]) == (400, True)
    assert hub.get("/api/forecast", until="2026-11-02")[0] == 200
    other = hub.stage.shop(shop_id=ELSEWHERE, zone="America/New_York")
    attach_shop(hub.stage.store, other, there, heal=False)
    assert hub.get("/api/forecast", until="2026-11-01")[0] == 200
    assert hub.get("/api/forecast", until="2026-11-01", shop_id=SHOP_ID)[0] == 400


def test_what_waits_in_quarantine_holds_up_no_forecast(hub: Hub) -> None:
    lined(hub)
    before = [hub.get(path) for path in ("/api/due/clocks", "/api/forecast")]
    body = b"[1]"
    hub.stage.ring("standard_webhooks", hub.stage.carrier_headers(body), body)
    hub.stage.settle_down()
    assert hub.get("/api/quarantine")[1]["deliveries"]
    assert [hub.get(path) for path in ("/api/due/clocks", "/api/forecast")] == before


def test_a_forecast_looks_a_week_ahead_unless_told_otherwise(hub: Hub) -> None:
    hub.place()
    assert hub.get("/api/forecast")[1] == hub.get("/api/forecast", within="7d")[1]
    names = {row["clock"] for row in hub.get("/api/forecast")[1]["days"]}
    assert names == {"status_update", "untracked"}


@pytest.mark.parametrize(
    ("path", "query", "named"),
    [
        ("/api/due/clocks", {"within": "soon"}, "within"),
        ("/api/due/clocks", {"within": "-1h"}, "within"),
        ("/api/due/clocks", {"start": "x"}, "start"),
        ("/api/forecast", {"within": "soon"}, "within"),
        ("/api/forecast", {"within": "367d"}, "within: at most 366d"),
        ("/api/forecast", {"until": ""}, "until: write a day as 2026-12-31"),
        ("/api/forecast", {"within": ""}, "within"),
        ("/api/forecast", {"until": "soon"}, "until: write a day as 2026-12-31"),
        ("/api/forecast", {"until": "2026-12-31T00:00:00"}, "offset"),
        ("/api/forecast", {"until": "2026-10-01"}, "past"),
        ("/api/forecast", {"until": "2026-11-01T02:00:00Z"}, "past"),
        ("/api/forecast", {"until": "2028-01-01"}, "at most 366 days"),
        ("/api/forecast", {"until": "2026-12-31", "within": "7d"}, "one of them"),
        ("/api/forecast", {"until": "2026-12-31", "start": "x"}, "start"),
        ("/api/calendar.ics", {"lines": "soft"}, "lines: one of hard, all"),
    ],
)
def test_what_cannot_be_meant_is_refused_naming_what_is_accepted(
    path: str, query: dict[str, str], named: str, hub: Hub
) -> None:
    status, body = hub.get(path, OWNER, **query)
    assert status == 400
    assert named in body["message"]


# Who may


@pytest.mark.parametrize(
    ("token", "allowed"),
    [
        (OWNER, {"/api/due/clocks", "/api/forecast", "/api/calendar.ics"}),
        (VIEWER, {"/api/due/clocks", "/api/forecast", "/api/calendar.ics"}),
        (FEED, {"/api/calendar.ics"}),
        (PACKER, set()),
        (NOBODY, set()),
    ],
)
def test_a_role_sees_ahead_as_far_as_it_may(token: str, allowed: set[str], hub: Hub) -> None:
    for path in ("/api/due/clocks", "/api/forecast", "/api/orders", "/api/due", "/api/quarantine"):
        if token in (FEED, NOBODY) or path in ("/api/due/clocks", "/api/forecast"):
            assert (hub.get(path, token)[0] == 200) is (path in allowed), path
    status, _, _ = fetch(hub, {"authorization": f"Bearer {token}"})
    assert status == (200 if "/api/calendar.ics" in allowed else 403)


@pytest.mark.parametrize("path", ["/api/due/clocks", "/api/forecast", "/api/calendar.ics"])
def test_without_a_token_nobody_sees_ahead(path: str, hub: Hub) -> None:
    assert hub.get(path, None)[0] == 401
    assert hub.get(path, None, lines="soft", within="soon")[0] == 401
    assert hub.get(path, "wrong")[0] == 401


def test_a_token_for_other_shops_sees_none_of_this_ones_future(hub: Hub) -> None:
    order_id = lined(hub)
    asked: tuple[dict[str, Any], ...] = ({}, {"shop_id": SHOP_ID})
    for query in asked:
        for path in ("/api/due/clocks", "/api/forecast"):
            assert order_id not in json.dumps(hub.get(path, FOREIGN, **query))
        status, _, body = fetch(hub, token=FEED_ELSEWHERE, **query)
        assert (status, order_id in body) == (200, False)
    assert order_id in fetch(hub, token=FEED)[2]


# The calendar and its token


def test_a_calendar_app_gets_the_feed_by_its_address_alone(hub: Hub) -> None:
    order_id = lined(hub)
    status, headers, body = fetch(hub, token=FEED)
    assert status == 200
    assert headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert headers["Cache-Control"] == "private, no-store"
    uids = {str(one["UID"]) for one in Calendar.from_ical(body).walk("VEVENT")}
    assert uids == {
        f"{order_id}.shipping_due_time@shipclock",
        f"{order_id}.untracked@shipclock",
    }
    every = fetch(hub, token=FEED, lines="all", shop_id=SHOP_ID)[2]
    assert len(Calendar.from_ical(every).walk("VEVENT")) == 2
    assert fetch(hub, {"authorization": f"Bearer {VIEWER}"}) == (status, headers, body)


@pytest.mark.parametrize(
    "token", [OWNER, VIEWER, PACKER, NOBODY, "", "wrong", f"{FEED}x", "\ud800"]
)
def test_no_other_token_opens_anything_from_an_address(token: str, hub: Hub) -> None:
    lined(hub)
    status, _, body = fetch(hub, token=token)
    assert status == 401
    assert "role 'calendar'" in body
    for path in ("/api/orders", "/api/due", "/api/due/clocks", "/api/forecast", "/api/stock"):
        assert hub.ask(path, {}, {"token": token})[0] == 401
        assert hub.ask(path, {}, {"token": FEED})[0] == 401


def test_a_bad_token_in_the_address_is_not_made_good_by_a_good_header(hub: Hub) -> None:
    assert fetch(hub, {"authorization": f"Bearer {OWNER}"}, token="wrong")[0] == 401


def test_a_token_that_is_taken_out_of_the_secret_opens_nothing(hub: Hub) -> None:
    assert fetch(hub, token=FEED)[0] == 200
    tokens: list[Any] = list(HUB_SECRET["tokens"])
    HUB_SECRET["tokens"] = [one for one in tokens if one.get("token") != FEED]
    assert fetch(hub, token=FEED)[0] == 401


def test_the_token_of_an_address_is_in_no_log_however_much_is_logged(
    hub: Hub, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    lined(hub)
    with caplog.at_level(logging.DEBUG):
        fetch(hub, token=FEED)
        fetch(hub, token=FEED, lines="soft")
        fetch(hub, token=FEED, shop_id="x")
        fetch(hub, token=f"{FEED}-of-yesterday")
    assert "aws_lambda_powertools" in {record.name.partition(".")[0] for record in caplog.records}
    told = capsys.readouterr()
    assert FEED not in caplog.text + told.out + told.err


def test_an_answer_quotes_no_token(hub: Hub) -> None:
    for token, lines, expected in ((FEED, "soft", 400), ("wrong-and-secret", "hard", 401)):
        status, headers, body = fetch(hub, token=token, lines=lines)
        assert status == expected
        assert token not in body + json.dumps(headers)


def test_a_feed_that_runs_out_of_time_says_that_it_is_not_whole(hub: Hub) -> None:
    hub.place(33)
    whole = Calendar.from_ical(fetch(hub, token=FEED)[2])
    cut = Calendar.from_ical(fetch(hub, left_ms=4_000, token=FEED)[2])
    assert len(whole.walk("VEVENT")) == 33
    assert len(cut.walk("VEVENT")) == 32 + 1
    notes = [one for one in cut.walk("VEVENT") if one["UID"] == "left-out@shipclock"]
    assert "Only the 32 open orders" in str(notes[0]["DESCRIPTION"])


def test_the_library_that_writes_calendars_is_loaded_for_nobody_else() -> None:
    script = (
        "import sys, importlib.util;"
        "spec = importlib.util.spec_from_file_location('app', 'functions/hub/app.py');"
        "module = importlib.util.module_from_spec(spec);"
        "spec.loader.exec_module(module);"
        "print('icalendar' in sys.modules, 'shipclock.horizon.feed' in sys.modules)"
    )
    environ = {
        **HUB_ENV,
        "PYTHONPATH": "layers/common",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "tried",
    }
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environ,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout.split() == ["False", "True"]


def test_the_openapi_document_says_by_which_token_the_calendar_is_had(hub: Hub) -> None:
    _, document = hub.get("/api/openapi.json", None)
    schemes = document["components"]["securitySchemes"]
    assert schemes["feedToken"] == {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A token of the role calendar.",
    }
    asked = document["paths"]["/api/calendar.ics"]["get"]
    assert asked["security"] == [{"hubToken": []}, {"feedToken": []}]
    assert "text/calendar" in asked["responses"]["200"]["content"]
    assert {"AheadLine", "ForecastRow", "OrderForecast"} <= set(document["components"]["schemas"])
    names = {one["name"] for one in document["paths"]["/api/forecast"]["get"]["parameters"]}
    assert names == {"until", "within", "shop_id", "limit", "start"}
