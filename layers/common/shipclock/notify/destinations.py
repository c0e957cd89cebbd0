"""Where people are told: the destinations' secret, read and checked. Pure.

Each has a name and a kind: the stack's own topic (mail), Slack by an incoming webhook, or any
webhook that is signed as the Standard Webhooks specification says. The topic is always there, in
the secret or not. No message quotes a URL or a secret, wherever in the secret it was put; the names
of hosts are shown.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shipclock.domain.level import Level
from shipclock.domain.zones import is_zone
from shipclock.events import EVENTS
from shipclock.imagelinks import target_of
from shipclock.notify.hours import Quiet, quiet_of, time_of
from shipclock.ports import FetchRefused
from shipclock.sources.standard_webhooks import sign

TOPIC = "topic"
"""The name, and the kind, of the stack's own SNS topic."""

DIGEST_AT = "09:15"
"""When the day's digest goes out by default: the reminders of 09:00 are in it."""

NAME = r"^[a-z0-9][a-z0-9_-]{0,39}$"
PLAIN = re.compile(r"[a-z_.*]{1,40}")
"""What is quoted of keys and patterns that are none: a word, no address and no secret."""

MOST = 20
"""Destinations that a secret may have."""

LOOPBACK = "http://127.0.0.1:"


class Entry(BaseModel):
    """One destination as the secret has it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    name: str = Field(pattern=NAME)
    kind: Literal["topic", "slack", "webhook"]
    url: str = Field(default="", repr=False)
    secrets: list[str] = Field(default=[], max_length=4, repr=False)
    shops: list[str] | None = None
    types: list[str] | None = None
    levels: list[Literal["ordinary", "urgent", "critical"]] | None = None
    quiet: str | None = None
    digest_at: str = DIGEST_AT
    zone: str = "UTC"
    off: bool = False

    @field_validator("quiet")
    @classmethod
    def _quiet(cls, value: str | None) -> str | None:
        if value is not None:
            quiet_of(value)
        return value

    @field_validator("digest_at")
    @classmethod
    def _time(cls, value: str) -> str:
        time_of(value)
        return value

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if not is_zone(value):
            raise ValueError("an IANA name was expected, such as Asia/Kuala_Lumpur")
        return value

    @field_validator("types")
    @classmethod
    def _types(cls, value: list[str] | None) -> list[str] | None:
        for pattern in value or ():
            if not any(fnmatchcase(type_, pattern) for type_ in EVENTS):
                told = _quoted(pattern, "one of those")
                raise ValueError(f"no event is of type {told}: docs/events/README.md has them")
        return value

    @model_validator(mode="after")
    def _whole(self) -> "Entry":
        if (self.kind == TOPIC) != (self.name == TOPIC):
            raise ValueError("the stack's topic, and it alone, is named topic")
        if self.kind == TOPIC:
            if self.url or self.secrets:
                raise ValueError("the topic has no url and no secrets")
            return self
        if not self.url.startswith(LOOPBACK):  # which only a rehearsal's sweeper calls
            try:
                target_of(self.url)
            except FetchRefused as reason:
                raise ValueError(f"url: {reason}") from None
        if self.kind == "webhook":
            if not self.secrets:
                raise ValueError("a webhook needs secrets: one, or two while you rotate")
            for secret in self.secrets:
                _check_secret(secret)
        elif self.secrets:
            raise ValueError("slack has no secrets beside its url")
        return self


def _check_secret(secret: str) -> None:
    """Raises ValueError, which never quotes it, for what can't sign."""
    try:
        sign(secret, "message", "0", b"")
    except (ValueError, UnicodeError):
        raise ValueError("secrets: each must be whsec_ and base64") from None


@dataclass(frozen=True)
class Destination:
    """A destination that is whole: whom it tells, of what, and when."""

    entry: Entry

    @property
    def name(self) -> str:
        """Its name."""
        return self.entry.name

    @property
    def kind(self) -> str:
        """`topic`, `slack` or `webhook`."""
        return self.entry.kind

    @cached_property
    def quiet(self) -> Quiet | None:
        """Its quiet hours, in the shop's time."""
        return quiet_of(self.entry.quiet) if self.entry.quiet else None

    @cached_property
    def digest_at(self) -> time:
        """When its digest goes out, in the shop's time."""
        return time_of(self.entry.digest_at)

    def wants(self, event: Mapping[str, Any]) -> bool:
        """Whether it is told of an event.

        Of its own failure it is not told, and what is of no shop goes to all who want its type.
        """
        entry, shop = self.entry, event.get("shop_id", "")
        return (
            not entry.off
            and event.get("alerts", True)
            and event.get("destination") != self.name
            and (entry.shops is None or not shop or shop in entry.shops)
            and (entry.levels is None or event["level"] in entry.levels)
            and (entry.types is None or any(fnmatchcase(event["type"], p) for p in entry.types))
        )

    def quiet_at(self, level: Level) -> Quiet | None:
        """The quiet hours that something of that level keeps."""
        return None if level is Level.CRITICAL else self.quiet


@dataclass(frozen=True, slots=True)
class Destinations:
    """All that can be told, and what is wrong with the others."""

    all: Sequence[Destination]
    problems: Sequence[str] = ()

    def named(self, name: str) -> Destination | None:
        """The destination of a name, where there is one and it is not off."""
        named = (one for one in self.all if one.name == name and not one.entry.off)
        return next(named, None)


def destinations_of(secret: object) -> Destinations:
    """The destinations in the secret. One that is malformed is left out and told as a problem, and
    so is all of a secret that is no object; the topic is then as it is by default, for somebody
    must be told."""
    problems: list[str] = []
    if not isinstance(secret, dict):
        problems.append("a JSON object was expected: there is no destination but the topic")
        secret = {}
    listed = secret.get("destinations", {})
    if unknown := sorted(set(secret) - {"destinations"}):
        told = ", ".join(_quoted(key, "(not shown)") for key in unknown)
        problems.append(f"unknown key {told}: there is destinations")
    if not isinstance(listed, dict):
        problems.append("destinations: an object of destinations by their names was expected")
        listed = {}
    found = {TOPIC: Destination(Entry(name=TOPIC, kind="topic"))}
    if len(listed) > MOST:
        problems.append(f"there are more than {MOST} destinations: the rest is left out")
    for name, entry in list(listed.items())[:MOST]:
        try:
            found[name] = _destination(name, entry)
        except ValueError as error:
            whose = f"destination {name!r}" if re.fullmatch(NAME, name) else "an entry"
            problems.append(f"{whose}: {error}")
    return Destinations(tuple(found.values()), tuple(problems))


def _destination(name: str, entry: object) -> Destination:
    if not isinstance(entry, dict) or "name" in entry:
        raise ValueError("an object with kind, url and so on was expected")
    try:
        return Destination(Entry.model_validate({"name": name, **entry}))
    except ValidationError as error:
        wrong = (
            f"{_place(e['loc'])}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False, include_url=False)
        )
        raise ValueError("; ".join(wrong)) from None


def _place(loc: Sequence[int | str]) -> str:
    """Where in an entry something is wrong."""
    named = (str(at) if isinstance(at, int) or PLAIN.fullmatch(at) else "a key" for at in loc)
    return ".".join(named) or "it"


def _quoted(text: str, otherwise: str) -> str:
    """A word as it was put, where it may be shown."""
    return repr(text) if PLAIN.fullmatch(text) else otherwise
