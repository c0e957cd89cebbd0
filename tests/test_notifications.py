"""Events go to the bus; people get a message, once for each thing."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shipclock.adapters.notifications import Announcer, NotAnnounced

VERDICT = {
    "type": "order.verdict.standing",
    "order_id": "576000000000000101",
    "shop_id": "7490000000000000001",
    "rule": "abnormal_delivery",
    "package_id": None,
    "due_at": "2026-11-05T02:00:00Z",
    "alerts": True,
    "text": "SYN-1 is lost. Claim from the carrier.",
}


@dataclass
class Aws:
    """A bus and a topic that keep what they are given."""

    failed: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def put_events(self, **call: Any) -> dict[str, Any]:
        self.events += call["Entries"]
        return {"FailedEntryCount": self.failed, "Entries": [{"ErrorCode": "InternalFailure"}]}

    def publish(self, **call: Any) -> None:
        self.messages.append(call)

    def announce(self, event: dict[str, Any]) -> None:
        client = cast(Any, self)
        Announcer(client, "bus", client, "arn:topic")(event)


def test_an_event_goes_to_the_bus_whole_and_to_people_in_words() -> None:
    aws = Aws()
    aws.announce(VERDICT)
    (entry,) = aws.events
    assert (entry["EventBusName"], entry["Source"]) == ("bus", "shipclock")
    assert entry["DetailType"] == "order.verdict.standing"
    assert json.loads(entry["Detail"]) == VERDICT
    (message,) = aws.messages
    assert message["Subject"] == "Shipclock: 576000000000000101: order.verdict.standing"
    lines = message["Message"].splitlines()
    assert lines[0] == VERDICT["text"]
    assert "due_at: 2026-11-05T02:00:00Z" in lines
    assert not [line for line in lines if line.startswith(("alerts", "text", "package_id"))]


def test_what_another_event_alerts_of_goes_to_the_bus_alone() -> None:
    aws = Aws()
    aws.announce({**VERDICT, "alerts": False})
    assert len(aws.events) == 1
    assert aws.messages == []


def test_news_of_any_other_kind_alerts() -> None:
    aws = Aws()
    aws.announce({"type": "order.outcome", "order_id": "1", "text": "Cancelled."})
    assert len(aws.messages) == 1


def test_news_of_a_source_names_it_in_the_subject() -> None:
    aws = Aws()
    aws.announce({"type": "source.silent", "source": "easypost", "account": "a", "text": "So."})
    (message,) = aws.messages
    assert message["Subject"] == "Shipclock: easypost: source.silent"
    assert message["Message"].splitlines()[2:] == [
        "type: source.silent",
        "source: easypost",
        "account: a",
    ]


def test_an_event_that_the_bus_does_not_take_is_not_announced() -> None:
    aws = Aws(failed=1)
    with pytest.raises(NotAnnounced, match="InternalFailure"):
        aws.announce(VERDICT)
    assert aws.messages == []
