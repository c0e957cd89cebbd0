"""A closed message as mail, as Slack blocks, and as a signed webhook. Pure.

The same message is the same bytes at every try, but for the time of a webhook's signature.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from shipclock.domain.level import Level
from shipclock.domain.times import local, parse
from shipclock.events import MessageBody, MessageData
from shipclock.notify.destinations import Destination
from shipclock.sources.standard_webhooks import sign

LONGEST_SUBJECT = 100
"""Characters that SNS takes as a mail's subject, ASCII only."""

LARGEST = 240_000
"""Bytes of a mail's text: SNS takes 256 KiB, attributes included."""

SLACK_BLOCKS, SLACK_SECTION, SLACK_HEADER = 50, 3000, 150
"""What Slack takes: blocks of a message, characters of a section's and of a header's text."""

UNTOLD = ("id", "version", "level", "text", "alerts", "order_id", "shop_id")
"""Fields of an event that are not among the facts below its sentence."""

Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what is told of one shop, or of none. `zone` is whose time it is told in."""

    id: str
    shop_id: str
    level: Level
    day: str
    part: int
    parts: int
    closed_at: str
    zone: ZoneInfo
    events: Events

    @property
    def digest(self) -> bool:
        """Whether it is a day's digest."""
        return self.level is Level.ORDINARY


WHAT = {
    "order.verdict.withdrawn": "taken back",
    "order.verdict.overtaken": "over",
    "order.reminder": "reminder",
    "order.warning": "warning",
    "order.nearing": "deadline nears",
    "order.outcome": "cancelled by the marketplace",
    "order.cancel_request": "buyer asks to cancel",
    "order.pickup": "pickup",
    "order.collected": "collected",
    "order.proof": "no picture of a delivery",
    "order.push": "not told to the marketplace",
    "source.silent": "source is silent",
    "source.speaks_again": "source speaks again",
    "shop.disconnected": "shop is disconnected",
    "shop.authorisation_ends": "authorisation ends",
    "shop.renewal_refused": "tokens are not renewed",
    "shop.stock_not_set": "stock is not set",
    "shop.stock": "stock runs out",
    "shop.signal": "a performance signal",
    "destination.failing": "message given up",
    "destination.gone": "destination is gone",
    "destination.test": "a test",
}
"""What happened, in a few words, by the event's type."""

CAUSES = {
    "damaged": "parcel damaged",
    "lost": "parcel lost",
    "disposed": "parcel disposed of",
    "returned": "parcel comes back",
    "deemed_lost": "parcel deemed lost",
    "deemed_delayed": "parcel deemed delayed",
}


def what(event: Mapping[str, Any]) -> str:
    """What an event says, in a few words."""
    type_ = str(event["type"])
    if type_ == "order.verdict.standing":
        return CAUSES.get(str(event.get("cause")), f"{event.get('rule', 'a deadline')} missed")
    return WHAT.get(type_, type_)


def about(event: Mapping[str, Any]) -> str:
    """What an event is about."""
    for name in ("order", "source", "destination", "shop"):
        if told := event.get(f"{name}_id") or event.get(name):
            return f"{name.capitalize()} {told}"
    return "Shipclock"


def place(event: Mapping[str, Any]) -> tuple[str, ...]:
    """Where an event stands in its message: together with all of its order, by time."""
    at = event.get("at") or event.get("noticed_at") or ""
    return about(event), str(at), str(event["type"]), str(event.get("id", ""))


def subject(message: Message) -> str:
    """Shop, what and how many, within what a mail takes."""
    whose = f"Shipclock {message.shop_id}".strip()
    part = f" (part {message.part} of {message.parts})" if message.parts > 1 else ""
    counted = Counter(what(event) for event in message.events).most_common()
    if len(message.events) == 1 and not message.digest:
        told = f"{about(message.events[0])}: {what(message.events[0])}"
    else:
        kind = f"digest of {message.day}" if message.digest else message.level.value
        listed = ", ".join(f"{words} ({count})" for words, count in counted)
        told = f"{kind}, {len(message.events)}: {listed}"
    return _cut(f"{whose}: {told}", LONGEST_SUBJECT - len(part)) + part


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3].rstrip(" ,:") + "..."


def _by_what(events: Events) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The events by what they are about."""
    for name, found in groupby(sorted(events, key=place), key=about):
        yield name, list(found)


def _opening(message: Message) -> str:
    whose = f"Shop {message.shop_id}" if message.shop_id else "Shipclock"
    at = local(parse(message.closed_at), message.zone)
    return f"{whose}: {OPENINGS[message.level]}, as of {at}."


OPENINGS = {
    Level.ORDINARY: "the digest of the day",
    Level.URGENT: "this is urgent",
    Level.CRITICAL: "this can't wait",
}


def _facts(event: Mapping[str, Any]) -> str:
    return "; ".join(f"{k}: {v}" for k, v in event.items() if k not in UNTOLD and v)


# Mail


def mail(message: Message) -> tuple[str, str, Mapping[str, str]]:
    """Subject, text and attributes for the topic: a paragraph for each order, facts below it."""
    room = LARGEST // max(1, len(message.events)) - 200
    paragraphs = [_opening(message)]
    for name, events in _by_what(message.events):
        lines = [f"{name}"]
        for event in events:
            lines += [f"{what(event)}: {_cut_bytes(str(event['text']), room // 2)}"]
            lines += [f"({_cut_bytes(_facts(event), room // 2)})"]
        paragraphs.append("\n".join(lines))
    attributes = {
        "level": message.level.value,
        "shop_id": message.shop_id,
        "message_id": message.id,
    }
    plain = subject(message).encode("ascii", "replace").decode()
    return (
        plain,
        "\n\n".join(paragraphs) + "\n",
        {name: value for name, value in attributes.items() if value},
    )


def _cut_bytes(text: str, most: int) -> str:
    """A text within so many bytes, whole characters only."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= most else raw[: max(0, most - 3)].decode("utf-8", "ignore") + "..."


# Slack


def slack(message: Message) -> Mapping[str, Any]:
    """The body for an incoming webhook: blocks, and a text for notifications.

    Nothing in it is taken for a link, a mention or a channel.
    """
    told = [_opening(message)]
    room = (SLACK_BLOCKS - 1) * SLACK_SECTION // (2 * max(1, len(message.events))) - 80
    for name, events in _by_what(message.events):
        head = f"\n*{_escaped(name, 200)}*\n"
        for event in events:
            text = _escaped(str(event["text"]), min(room, 1500))
            told.append(f"{head}*{_escaped(what(event), 80)}*: {text}")
            head = ""
    title = {"type": "plain_text", "text": _cut(subject(message), SLACK_HEADER), "emoji": False}
    sections = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        for text in _packed(told)
    ]
    text = _escaped(subject(message), SLACK_SECTION)
    return {"text": text, "blocks": [{"type": "header", "text": title}, *sections]}


def _escaped(text: str, most: int) -> str:
    """A text for Slack's mrkdwn, within so many characters: its three control characters are
    written as Slack asks."""
    whole = "".join(ESCAPES.get(character, character) for character in text)
    if len(whole) <= most:
        return whole
    found, left = "", most - 3
    for character in text:
        piece = ESCAPES.get(character, character)
        if len(piece) > left:
            break
        found, left = found + piece, left - len(piece)
    return f"{found}..."


ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def _packed(paragraphs: Iterable[str]) -> Iterator[str]:
    """Paragraphs, as many to a section as it holds."""
    section = ""
    for paragraph in paragraphs:
        if section and len(section) + 1 + len(paragraph) > SLACK_SECTION:
            yield section
            section = ""
        section = f"{section}\n{paragraph}" if section else paragraph.lstrip("\n")
    if section:
        yield section


# Webhook


def webhook(message: Message) -> Mapping[str, Any]:
    """The body of a signed webhook (docs/events/README.md)."""
    data = MessageData(
        id=message.id,
        level=message.level.value,
        shop_id=message.shop_id or None,
        day=message.day,
        part=message.part,
        parts=message.parts,
        subject=subject(message),
        events=[dict(event) for event in message.events],
    )
    body = MessageBody(type="shipclock.message", timestamp=message.closed_at, data=data)
    return body.model_dump(mode="json")


def request(one: Destination, message: Message, real: datetime) -> tuple[Mapping[str, str], bytes]:
    """Headers and body for a destination's URL; a webhook's are signed at the real time, with each
    of its secrets."""
    told = slack(message) if one.kind == "slack" else webhook(message)
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"content-type": "application/json"}
    if one.kind == "webhook":
        at = str(int(real.timestamp()))
        signed = " ".join(sign(secret, message.id, at, body) for secret in one.entry.secrets)
        headers |= {
            "webhook-id": message.id,
            "webhook-timestamp": at,
            "webhook-signature": signed,
        }
    return headers, body
