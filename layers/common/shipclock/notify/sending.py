"""A message, sent to its destination as that takes it; and a made-up one, to try that."""

from datetime import datetime
from zoneinfo import ZoneInfo

from shipclock.domain.level import Level
from shipclock.domain.times import stamp
from shipclock.events import DestinationNotice
from shipclock.notify import wording
from shipclock.notify.destinations import TOPIC, Destination
from shipclock.notify.hours import local_day
from shipclock.ports import Outlets, Taken
from shipclock.reading import digest


def send(outlets: Outlets, one: Destination, message: wording.Message, real: datetime) -> Taken:
    """Send a message, once; what its destination answered. Raises `OutletFailed` or
    `OutletRefused`."""
    if one.kind == TOPIC:
        outlets.publish(*wording.mail(message))
        return Taken(200)
    headers, body = wording.request(one, message, real)
    return outlets.post(one.entry.url, headers, body)


def trial(one: Destination, real: datetime) -> wording.Message:
    """A made-up message, to see whether a destination takes any. Another one each second."""
    at, zone = stamp(real), ZoneInfo(one.entry.zone)
    event = DestinationNotice(
        type="destination.test",
        id=f"evt_{digest('test', one.name, at)}",
        level="ordinary",
        text=f"This is a test. Messages to {one.name} arrive. Nothing to do.",
        clock=one.name,
        at=at,
        destination=one.name,
    ).document()
    return wording.Message(
        id=f"msg_{digest('test', one.name, at)}",
        shop_id="",
        level=Level.URGENT,
        day=local_day(real, zone),
        part=1,
        parts=1,
        closed_at=at,
        zone=zone,
        events=(event,),
    )
