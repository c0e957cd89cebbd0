"""Telling the seller: domain events on the bus, and a line to people over SNS."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_events.client import EventBridgeClient
    from types_boto3_sns.client import SNSClient

SOURCE = "shipclock"
LONGEST_SUBJECT = 100
UNTOLD = ("text", "alerts")
"""Fields of an event that are not among the facts below its sentence."""


class NotAnnounced(Exception):
    """The bus did not take an event; it is announced again by a later sweep."""


class Announcer:
    """Announces one domain event to the bus, then to people. At least once, in no order."""

    def __init__(self, events: "EventBridgeClient", bus: str, sns: "SNSClient", topic: str) -> None:
        """Puts events on that bus and messages to that topic."""
        self._events = events
        self._bus = bus
        self._sns = sns
        self._topic = topic

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Announce one event. Raises `NotAnnounced` or the SDK's errors."""
        reply = self._events.put_events(
            Entries=[
                {
                    "EventBusName": self._bus,
                    "Source": SOURCE,
                    "DetailType": str(event["type"]),
                    "Detail": json.dumps(dict(event)),
                }
            ]
        )
        if reply.get("FailedEntryCount"):
            raise NotAnnounced(str(reply["Entries"][0].get("ErrorCode")))
        if not event.get("alerts", True):
            return  # another event tells people of the same thing
        about = event.get("order_id") or event.get("shop_id") or event.get("source")
        subject = f"Shipclock: {about}: {event['type']}"
        self._sns.publish(
            TopicArn=self._topic,
            Subject=subject[:LONGEST_SUBJECT],
            Message=_message(event),
        )


def _message(event: Mapping[str, Any]) -> str:
    """The event for people: the sentence first, the facts below it."""
    facts = [f"{name}: {value}" for name, value in event.items() if name not in UNTOLD and value]
    return "\n".join([str(event["text"]), "", *facts])
