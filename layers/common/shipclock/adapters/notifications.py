"""Domain events, put on the event bus."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_events.client import EventBridgeClient

SOURCE = "shipclock"


class NotAnnounced(Exception):
    """The bus did not take an event; it is announced again by a later sweep."""


class Announcer:
    """Announces one domain event to the bus. At least once, in no order."""

    def __init__(self, events: "EventBridgeClient", bus: str) -> None:
        """Puts events on that bus."""
        self._events = events
        self._bus = bus

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
