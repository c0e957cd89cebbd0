"""Every event is what its published schema says, has an id of its own, and goes to the bus."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator, ValidationError

from cli import event_docs
from shipclock import codec, rows
from shipclock.adapters.notifications import Announcer, NotAnnounced
from shipclock.announce import announcement
from shipclock.domain.clock import Notice, Verdict, VerdictState
from shipclock.events import EVENTS
from tests import schemas
from tests.stage import NotPublished, Stage

AT = datetime(2026, 11, 5, 2, tzinfo=UTC)
VERDICT = Verdict(
    key="abnormal_delivery#/lost",
    rule="abnormal_delivery",
    due_at=AT,
    state=VerdictState.STANDING,
    noticed_at=AT,
    clause="guide-2023:abnormal_delivery: a clause",
    explanation="SYN-1 is lost. Claim from the carrier.",
    cause="lost",
)


def of_verdict(verdict: Verdict = VERDICT, **more: Any) -> dict[str, Any]:
    row = {**codec.verdict_row("576000000000000101", "7490000000000000001", verdict, AT), **more}
    return announcement(rows.key_of(row), row)


def of_notice(pk: str, notice: Notice, shop_id: str = "") -> dict[str, Any]:
    row = codec.notice_row(pk, notice, AT, shop_id)
    return announcement(rows.key_of(row), row)


def notice(kind: str = "reminder", **more: Any) -> Notice:
    said = {"clock": "untracked", "kind": kind, "at": AT, "day": "2026-11-05", "text": "So it is."}
    return Notice(**{**said, **more})


# Schemas


@pytest.mark.parametrize("name", [*EVENTS, event_docs.MESSAGE])
def test_every_schema_is_one_names_all_of_its_fields_and_lets_more_pass(name: str) -> None:
    schema = json.loads((schemas.FOLDER / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"{name}:1")
    assert all(told.get("description") for told in schema["properties"].values())
    assert schema["additionalProperties"] is True
    assert set(schema["required"]) <= set(schema["properties"])
    (example,) = schema["examples"]
    schemas.published(name).validate(example)
    Draft202012Validator(schema).validate({**example, "to_come": 1})
    for needed in schema["required"]:
        with pytest.raises(ValidationError):
            schemas.published(name).validate({k: v for k, v in example.items() if k != needed})


def test_the_body_of_a_webhook_holds_events_by_their_schemas() -> None:
    (body,) = json.loads((schemas.FOLDER / "message.json").read_text("utf-8"))["examples"]
    for event in body["data"]["events"]:
        schemas.hold(event)


@pytest.mark.parametrize(
    "event", [{"type": "order.unheard_of"}, {**of_verdict(), "undocumented": 1}]
)
def test_a_story_that_announces_what_is_not_published_fails(event: dict[str, Any]) -> None:
    with pytest.raises(NotPublished):
        Stage().world.announce(event)


@pytest.mark.parametrize("state", list(VerdictState))
def test_a_verdict_in_any_state_is_what_its_schema_says(state: VerdictState) -> None:
    event = of_verdict(VERDICT.turned(state))
    schemas.hold(event)
    assert event["type"] == f"order.verdict.{state.value}"
    assert event["shop_id"] == "7490000000000000001"
    assert (event["cause"], event["package_id"], event["tracking_number"]) == ("lost", None, None)


@pytest.mark.parametrize(
    ("pk", "kind", "whose"),
    [
        ("ORDER#57", "reminder", {"order_id": "57"}),
        ("SHOP#74", "disconnected", {"shop_id": "74"}),
        ("SOURCE#easypost#a#b", "silent", {"source": "easypost", "account": "a#b"}),
        ("DESTINATION#ops", "gone", {"destination": "ops"}),
    ],
)
def test_a_notice_says_what_it_is_about(pk: str, kind: str, whose: dict[str, str]) -> None:
    event = of_notice(pk, notice(kind))
    schemas.hold(event)
    assert whose.items() <= event.items()
    assert "due_at" not in event
    ahead = of_notice(pk, notice(kind, due_at=AT))
    assert ahead["due_at"] == "2026-11-05T02:00:00Z"


def test_an_order_of_no_known_shop_names_none() -> None:
    assert "shop_id" not in of_notice("ORDER#57", notice())
    assert of_notice("ORDER#57", notice(), "74")["shop_id"] == "74"


# Ids


def test_the_same_announcement_has_the_same_id_however_often_it_is_made_or_put_off() -> None:
    assert of_verdict()["id"] == of_verdict(put_off=3, due_at="2026-11-05T03:00:00Z")["id"]
    assert of_notice("ORDER#57", notice()) == of_notice("ORDER#57", notice())


def test_whatever_differs_has_another_id() -> None:
    ids = {
        of_verdict()["id"],
        of_verdict(VERDICT.turned(VerdictState.WITHDRAWN))["id"],
        of_verdict(told=2)["id"],
        of_verdict(replace(VERDICT, key="abnormal_delivery#/damaged"))["id"],
        of_notice("ORDER#57", notice())["id"],
        of_notice("ORDER#58", notice())["id"],
        of_notice("SHOP#57", notice("stock"))["id"],
        of_notice("ORDER#57", notice(day="2026-11-06"))["id"],
        of_notice("ORDER#57", notice("warning"))["id"],
    }
    assert len(ids) == 9


# Levels


@pytest.mark.parametrize(
    ("event", "level"),
    [
        (of_verdict(), "urgent"),
        (of_verdict(replace(VERDICT, cause="damaged")), "urgent"),
        (of_verdict(replace(VERDICT, cause="deemed_delayed")), "ordinary"),
        (of_verdict(replace(VERDICT, cause="", hard=True)), "urgent"),
        (of_verdict(replace(VERDICT, cause="", hard=False)), "ordinary"),
        (of_verdict(VERDICT.turned(VerdictState.WITHDRAWN)), "ordinary"),
        (of_verdict(replace(VERDICT.turned(VerdictState.OVERTAKEN), hard=True)), "ordinary"),
        (of_notice("ORDER#1", notice()), "ordinary"),
        (of_notice("ORDER#1", notice("warning")), "urgent"),
        (of_notice("ORDER#1", notice("warning", clock="abnormal_delivery")), "ordinary"),
        (of_notice("ORDER#1", notice("warning", clock="buyer_cancel_request")), "urgent"),
        (of_notice("ORDER#1", notice("cancel_request", clock="CANCELLED")), "urgent"),
        (of_notice("ORDER#1", notice("nearing", level="critical")), "critical"),
        (of_notice("ORDER#1", notice("push", clock="ship_package")), "ordinary"),
        (of_notice("ORDER#1", notice("push", level="urgent")), "urgent"),
        (of_notice("SHOP#1", notice("disconnected")), "urgent"),
        (of_notice("SHOP#1", notice("renewal_refused")), "urgent"),
        (of_notice("SHOP#1", notice("authorisation_ends")), "ordinary"),
        (of_notice("SHOP#1", notice("stock")), "ordinary"),
        (of_notice("SOURCE#a#b", notice("silent")), "urgent"),
        (of_notice("SOURCE#a#b", notice("speaks_again")), "ordinary"),
    ],
)
def test_how_much_it_presses(event: dict[str, Any], level: str) -> None:
    assert event["level"] == level


# The bus


@dataclass
class Bus:
    """A bus that keeps what it is given."""

    failed: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, **call: Any) -> dict[str, Any]:
        self.events += call["Entries"]
        return {"FailedEntryCount": self.failed, "Entries": [{"ErrorCode": "InternalFailure"}]}

    def announce(self, event: dict[str, Any]) -> None:
        Announcer(cast(Any, self), "bus")(event)


def test_an_event_goes_to_the_bus_whole() -> None:
    bus = Bus()
    bus.announce(of_verdict())
    (entry,) = bus.events
    assert (entry["EventBusName"], entry["Source"]) == ("bus", "shipclock")
    assert entry["DetailType"] == "order.verdict.standing"
    assert json.loads(entry["Detail"]) == of_verdict()


def test_an_event_that_the_bus_does_not_take_is_not_announced() -> None:
    with pytest.raises(NotAnnounced, match="InternalFailure"):
        Bus(failed=1).announce(of_verdict())
