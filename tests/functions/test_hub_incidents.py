"""Incidents through the hub: who may declare, change and read them, and in which shape."""

import json
from datetime import timedelta
from typing import Any

import pytest

from shipclock import rows, wiring
from tests.functions.test_hub import FOREIGN, NOBODY, OWNER, PACKER, VIEWER, Hub
from tests.stage import CARRIER, REAL, SHOP_ID, START

FOREIGN_SHOP = "7490000000000000002"
FLOOD = {
    "begins_at": "2026-11-01T10:00:00+08:00",
    "ends_at": "2026-11-02T10:00:00+08:00",
    "reason": "A flood",
    "postcodes": ["409*"],
    "evidence": ["https://weather.example/flood"],
}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    found = Hub(monkeypatch)
    monkeypatch.setattr(wiring, "real", lambda: found.stage.real.now)
    return found


def declared(hub: Hub, token: str = OWNER, **more: Any) -> dict[str, Any]:
    status, body = hub.post("/api/incidents", {**FLOOD, **more}, token)
    assert status == 201, body
    found: dict[str, Any] = body
    return found


def of(hub: Hub, path: str = "", token: str = OWNER, **query: str) -> Any:
    status, body = hub.get(f"/api/incidents{path}", token, **query)
    assert status == 200, body
    return body


def test_an_incident_is_declared_and_shown(hub: Hub) -> None:
    one = declared(hub)
    assert one == {
        "incident_id": one["incident_id"],
        "state": "over",
        "begins_at": "2026-11-01T02:00:00Z",
        "ends_at": "2026-11-02T02:00:00Z",
        "counts_until": "2026-11-02T02:00:00Z",
        "reason": "A flood",
        "carriers": [],
        "regions": [],
        "postcodes": ["409*"],
        "shops": [],
        "evidence": ["https://weather.example/flood"],
        "declared_at": "2026-11-23T12:00:00Z",
        "by": "owner",
        "lifted_at": None,
    }
    assert of(hub) == {"incidents": [one], "next": None}
    assert declared(hub) == one, "saying it twice is saying it once"


def test_its_orders_are_listed_those_affected_first_page_by_page(hub: Hub) -> None:
    inside = hub.place(3)
    (masked,) = hub.place(1, recipient_address={"postal_code": ""})
    hub.place(1, recipient_address={"postal_code": "10110"})
    one = declared(hub)
    hub.stage.settle_down()
    path = f"/{one['incident_id']}"
    body = of(hub, path)
    assert (body["affected"], body["possible"], body["next"]) == (3, 1, None)
    listed = [(line["order_id"], line["listed"]) for line in body["orders"]]
    assert listed == [
        *((order_id, "affected") for order_id in sorted(inside)),
        (masked, "possible"),
    ]
    first = of(hub, path, limit="3")
    rest = of(hub, path, limit="3", start=first["next"])
    assert first["orders"] + rest["orders"] == body["orders"]
    assert rest["next"] is None


def test_the_tickets_name_reason_period_evidence_and_orders(hub: Hub) -> None:
    inside = hub.place(2)
    hub.place(1, recipient_address={"postal_code": ""})
    one = declared(hub)
    hub.stage.settle_down()
    body = of(hub, f"/{one['incident_id']}/text")
    (ticket,) = body["tickets"]
    assert (ticket["shop_id"], ticket["orders"], body["possible"]) == (SHOP_ID, 2, 1)
    for word in (*inside, "A flood.", "https://weather.example/flood", "409*", "10:00 (Asia/Kuala"):
        assert word in ticket["text"]


def test_an_incident_is_changed_and_lifted(hub: Hub) -> None:
    one = declared(hub, ends_at=None)
    assert (one["ends_at"], one["counts_until"]) == (None, "2026-11-15T02:00:00Z")
    path = f"/api/incidents/{one['incident_id']}"
    hub.stage.real.pass_time(1)
    status, body = hub.post(f"{path}/changes", {"reason": "Two floods", "carriers": [CARRIER]})
    assert (status, body["reason"], body["carriers"]) == (200, "Two floods", [CARRIER])
    assert (body["postcodes"], body["ends_at"]) == (["409*"], None)
    hub.stage.real.pass_time(1)
    status, body = hub.post(f"{path}/lift", {"over_at": "2026-11-03T00:00:00Z"})
    assert (status, body["ends_at"]) == (200, "2026-11-03T00:00:00Z")
    assert body["lifted_at"] == "2026-11-23T12:00:02Z"
    hub.stage.real.pass_time(1)
    status, body = hub.post(f"{path}/changes", {"open_end": True})
    assert (status, body["ends_at"], body["lifted_at"]) == (200, None, None)
    hub.stage.real.pass_time(1)
    status, body = hub.post(f"{path}/lift", {})
    assert (body["state"], body["ends_at"]) == ("over", "2026-11-23T12:00:04Z")
    status, body = hub.post(f"{path}/lift", {"over_at": "2026-11-01T00:00:00Z"})
    assert body["state"] == "void"


@pytest.mark.parametrize(
    ("begins", "ends", "state"), [(-5, -1, "over"), (-5, 5, "lasting"), (5, 9, "planned")]
)
def test_the_state_is_that_of_now(begins: int, ends: int, state: str, hub: Hub) -> None:
    times = [(REAL + timedelta(hours=h)).isoformat() for h in (begins, ends)]
    assert declared(hub, begins_at=times[0], ends_at=times[1])["state"] == state


def test_an_orders_page_tells_of_it(hub: Hub) -> None:
    (order_id,) = hub.place()
    one = declared(hub)
    hub.stage.settle_down()
    status, body = hub.get(f"/api/orders/{order_id}", PACKER)
    assert status == 200
    assert [each["incident_id"] for each in body["incidents"]] == [one["incident_id"]]


def test_a_person_says_of_an_order_whether_it_is_affected(hub: Hub) -> None:
    (order_id,) = hub.place(1, recipient_address={"postal_code": "10110"})
    one = declared(hub)
    says = {"incident": one["incident_id"], "is": "yes"}
    body = {"deed": "affected", "says": says}
    assert hub.post(f"/api/orders/{order_id}/requests", body)[0] == 202
    hub.stage.settle_down()
    assert of(hub, f"/{one['incident_id']}")["affected"] == 1
    bad = {"deed": "affected", "says": {**says, "is": "perhaps"}}
    assert hub.post(f"/api/orders/{order_id}/requests", bad)[0] == 400


# Who may


@pytest.mark.parametrize("token", [VIEWER, PACKER, NOBODY])
def test_who_is_no_owner_reads_and_says_nothing(token: str, hub: Hub) -> None:
    path = f"/api/incidents/{declared(hub)['incident_id']}"
    for read in ("/api/incidents", path, f"{path}/text"):
        assert hub.get(read, token)[0] == 403
    assert hub.post("/api/incidents", FLOOD, token)[0] == 403
    assert hub.post(f"{path}/lift", {}, token)[0] == 403
    assert hub.post(f"{path}/changes", {"reason": "another"}, token)[0] == 403
    assert hub.post(f"{path}/lift", {}, "wrong")[0] == 401
    assert len(hub.stage.memory.rows[rows.INCIDENTS]) == 1


def test_a_token_for_some_shops_declares_for_these_alone(hub: Hub) -> None:
    assert declared(hub, FOREIGN)["shops"] == [FOREIGN_SHOP]
    status, body = hub.post("/api/incidents", {**FLOOD, "shops": [SHOP_ID]}, FOREIGN)
    assert status == 400
    assert "shops" in body["message"]


def test_a_token_for_some_shops_sees_what_may_be_about_them_and_changes_only_its_own(
    hub: Hub,
) -> None:
    hub.place()
    every, mine, theirs = (
        declared(hub),
        declared(hub, FOREIGN),
        declared(hub, shops=[SHOP_ID]),
    )
    hub.stage.settle_down()
    seen = {each["incident_id"] for each in of(hub, "", FOREIGN)["incidents"]}
    assert seen == {every["incident_id"], mine["incident_id"]}
    assert of(hub, f"/{every['incident_id']}", FOREIGN)["affected"] == 0
    assert of(hub, f"/{every['incident_id']}/text", FOREIGN)["tickets"] == []
    assert hub.get(f"/api/incidents/{theirs['incident_id']}", FOREIGN)[0] == 404
    for what, body in (("lift", {}), ("changes", {"reason": "another"})):
        assert hub.post(f"/api/incidents/{every['incident_id']}/{what}", body, FOREIGN)[0] == 403
        assert hub.post(f"/api/incidents/{theirs['incident_id']}/{what}", body, FOREIGN)[0] == 404
        assert hub.post(f"/api/incidents/{mine['incident_id']}/{what}", body, FOREIGN)[0] == 200
    for shops in ([], [SHOP_ID], [FOREIGN_SHOP, SHOP_ID]):
        path = f"/api/incidents/{mine['incident_id']}/changes"
        assert hub.post(path, {"shops": shops}, FOREIGN)[0] == 400


# What is no


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**FLOOD, "reason": "x" * 5_000_000}, 400),
        ({**FLOOD, "begins_at": "2026-11-01T10:00:00"}, 400),
        ({**FLOOD, "begins_at": "yesterday"}, 400),
        ({**FLOOD, "begins_at": "9" * 100_000}, 400),
        ({**FLOOD, "ends_at": "2026-10-01T10:00:00Z"}, 400),
        ({**FLOOD, "evidence": ["javascript:alert(1)"]}, 400),
        ({**FLOOD, "postcodes": ["all of them"]}, 400),
        ({**FLOOD, "postcodes": []}, 400),
        ({**FLOOD, "postcodes": ["10110"] * 100_000}, 400),
        ({**FLOOD, "postcodes": "409*"}, 422),
        ({**FLOOD, "reason": None}, 422),
        ({**FLOOD, "incident_id": "a" * 10}, 422),
        ({"reason": "A flood"}, 422),
        ([], 422),
        ("{", 422),
    ],
)
def test_what_can_not_be_declared_is_answered_so_and_shortly(
    body: object, status: int, hub: Hub
) -> None:
    answered, told = hub.post("/api/incidents", body)
    assert answered == status
    assert len(json.dumps(told)) < 2_000
    assert rows.INCIDENTS not in hub.stage.memory.rows


@pytest.mark.parametrize("name", ["f" * 10, "no", "a%23b", "%2e%2e"])
def test_of_an_incident_that_is_not_there_all_is_404(name: str, hub: Hub) -> None:
    declared(hub)
    for path in (name, f"{name}/text"):
        assert hub.get(f"/api/incidents/{path}")[0] == 404
    assert hub.post(f"/api/incidents/{name}/lift", {})[0] == 404
    assert hub.post(f"/api/incidents/{name}/changes", {"reason": "another"})[0] == 404


@pytest.mark.parametrize("start", ["1", "a#", "a#b c", "#", "z#1"])
def test_a_start_that_no_page_gave_is_refused(start: str, hub: Hub) -> None:
    one = declared(hub)
    assert hub.get("/api/incidents", start=start)[0] == 400
    assert hub.get(f"/api/incidents/{one['incident_id']}", start=start)[0] == 400


def test_the_incidents_too_come_page_by_page(hub: Hub) -> None:
    made = [declared(hub, ends_at=(START + timedelta(days=n)).isoformat()) for n in range(1, 4)]
    hub.stage.real.pass_time(1)
    made.append(declared(hub, begins_at="2026-11-01T09:00:00+08:00"))
    found, start = [], None
    while True:
        page = of(hub, "", limit="1", **({"start": start} if start else {}))
        found += [each["incident_id"] for each in page["incidents"]]
        start = page["next"]
        if start is None:
            break
    assert len(found) == len(set(found)) == len(made)
    assert found[-1] == made[-1]["incident_id"], "the one that began first comes last"


def test_a_lift_or_change_that_can_not_be_meant_is_refused(hub: Hub) -> None:
    path = f"/api/incidents/{declared(hub)['incident_id']}"
    assert hub.post(f"{path}/lift", {"over_at": "soon"})[0] == 400
    assert hub.post(f"{path}/lift", {"at": "2026-11-03T00:00:00Z"})[0] == 422
    assert hub.post(f"{path}/changes", {"ends_at": "2026-10-01T00:00:00Z"})[0] == 400
    assert hub.post(f"{path}/changes", {"postcodes": []})[0] == 400
    assert hub.post(f"{path}/changes", {"area": "all"})[0] == 422
