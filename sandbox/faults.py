"""Things that go wrong on the way to a marketplace, played on purpose.

Rate limits and their header: Partner Center, "Rate limits" (HTTP 429 with 36009002). The rest is
what any client of any HTTP service meets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Required, TypedDict

from sandbox import wire
from sandbox.wire import Reply, Request

# Answered without the request being looked at, hence without any effect.
INSTEAD = frozenset({"rate_limit", "code", "unavailable", "html", "no_answer", "expired_token"})
# Played on the answer of a request that was carried out.
AFTERWARDS = frozenset(
    {
        "slow",
        "effect_no_answer",
        "effect_html",
        "not_json",
        "empty",
        "truncated",
        "no_data",
        "null_data",
        "wrong_types",
    }
)
# Carried out later, the connection being dropped at once.
LATE = "effect_late"
# Judged by a clock that is not ours.
SKEW = "app_clock"
KINDS = INSTEAD | AFTERWARDS | {LATE, SKEW}

_STATUSES = (200, 599)
_UNAUTHENTICATED = "/api/v2/token/"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, played on the requests it matches.

    `path` is a glob over the request's path, or a regular expression after `re:`. The first
    `after` matches pass, the next `times` are hit. `delay` is in real seconds: how long `slow`
    waits, how long until an `effect_late` lands. `code` and `message` are for kind `code`,
    `status` (200, 502, …) for `html`, `retry_after` (seconds) for `rate_limit`. `skew` is how many
    seconds the marketplace's clock is ahead of ours for `app_clock`; below 0 it is behind.
    """

    kind: str
    path: str = "*"
    times: int = 1
    after: int = 0
    method: str = ""
    shop_id: str = ""
    code: int = 36009003
    message: str = "internal error"
    status: int = 502
    retry_after: int = 1
    delay: float = 0.0
    skew: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        if self.times < 1 or self.after < 0 or self.delay < 0:
            raise ValueError("times must be at least 1; after and delay must not be negative")
        if not _STATUSES[0] <= self.status <= _STATUSES[1]:
            raise ValueError(f"status must be from {_STATUSES[0]} to {_STATUSES[1]}")
        if self.path.startswith("re:"):
            try:
                re.compile(self.path[3:])
            except re.error as wrong:
                raise ValueError(f"path is no regular expression: {wrong}") from None

    def matches(self, request: Request, shop_id: str) -> bool:
        """Whether this request is one of those it is meant for.

        A token call carries no access token, so `expired_token` never hits one.
        """
        if self.method and self.method != request.method:
            return False
        if self.shop_id and self.shop_id != shop_id:
            return False
        if self.kind == "expired_token" and request.path.startswith(_UNAUTHENTICATED):
            return False
        if self.path.startswith("re:"):
            return re.search(self.path[3:], request.path) is not None
        return fnmatchcase(request.path, self.path)


class FaultWish(TypedDict, total=False):
    """A fault in JSON: the fields of `Fault`."""

    kind: Required[str]
    path: str
    times: int
    after: int
    method: str
    shop_id: str
    code: int
    message: str
    status: int
    retry_after: int
    delay: float
    skew: float


class Faults:
    """The faults still to be played, in the order they were given."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Have a fault played from now on."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Forget what has not been played."""
        self._waiting.clear()

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """What is left, with the counts that remain."""
        return tuple(self._waiting)

    def take(self, request: Request, shop_id: str) -> Fault | None:
        """The fault this request meets, counted off; at most one."""
        for index, fault in enumerate(self._waiting):
            if not fault.matches(request, shop_id):
                continue
            if fault.after:
                self._waiting[index] = replace(fault, after=fault.after - 1)
                continue
            if fault.times > 1:
                self._waiting[index] = replace(fault, times=fault.times - 1)
            else:
                del self._waiting[index]
            return fault
        return None


DROPPED = Reply(0, {}, b"", drop=True)
_HTML = b"<!doctype html><title>Sorry</title><p>Something went wrong.</p>"
_JSON_HEADERS = {"Content-Type": wire.JSON_TYPE}


def instead(fault: Fault, request_id: str) -> Reply:
    """The answer of a fault that hides the marketplace."""
    refused: Mapping[str, tuple[int, int, str]] = {
        "rate_limit": (429, wire.RATE_LIMITED, wire.MESSAGES[wire.RATE_LIMITED]),
        "code": (200, fault.code, fault.message),
        "expired_token": (401, wire.TOKEN_EXPIRED, wire.MESSAGES[wire.TOKEN_EXPIRED]),
    }
    if fault.kind in refused:
        status, code, message = refused[fault.kind]
        headers = dict(_JSON_HEADERS)
        if fault.kind == "rate_limit":
            headers["Retry-After"] = str(fault.retry_after)
        return Reply(status, headers, wire.dump(wire.envelope(code, message, request_id, None)))
    if fault.kind == "unavailable":
        return Reply(503, {"Content-Type": "text/plain"}, b"overloaded")
    if fault.kind == "html":
        return Reply(fault.status, {"Content-Type": "text/html; charset=utf-8"}, _HTML)
    return DROPPED


def afterwards(fault: Fault, reply: Reply) -> Reply:
    """The answer of a carried-out request as the fault lets it through.

    What can only be done to an envelope is not done to a file.
    """
    is_envelope = reply.headers.get("Content-Type") == wire.JSON_TYPE
    if fault.kind in _ON_ENVELOPES and not is_envelope:
        return reply
    return _AFTERWARDS[fault.kind](fault, reply)


def _truncated(_: Fault, reply: Reply) -> Reply:
    return replace(reply, body=reply.body[: len(reply.body) // 2])


def _no_data(_: Fault, reply: Reply) -> Reply:
    told = json.loads(reply.body)
    return replace(reply, body=wire.dump({n: v for n, v in told.items() if n != "data"}))


def _effect_html(fault: Fault, reply: Reply) -> Reply:
    headers = {"Content-Type": "text/html; charset=utf-8"}
    return replace(reply, status=fault.status, headers=headers, body=_HTML)


def _null_data(_: Fault, reply: Reply) -> Reply:
    return replace(reply, body=wire.dump(json.loads(reply.body) | {"data": None}))


def _wrong_types(_: Fault, reply: Reply) -> Reply:
    told = json.loads(reply.body)
    return replace(reply, body=wire.dump(told | {"data": _twist(told["data"]) or []}))


_AFTERWARDS: Mapping[str, Callable[[Fault, Reply], Reply]] = {
    "slow": lambda fault, reply: replace(reply, delay=fault.delay),
    "effect_no_answer": lambda _, __: DROPPED,
    "effect_html": _effect_html,
    # The words of JSON without its quotes; some proxies answer so.
    "not_json": lambda _, reply: replace(reply, body=b"{code:0,message:Success}"),
    "empty": lambda _, reply: replace(reply, body=b""),
    "truncated": _truncated,
    "no_data": _no_data,
    "null_data": _null_data,
    "wrong_types": _wrong_types,
}


_ON_ENVELOPES = frozenset({"no_data", "null_data", "wrong_types"})


def _twist(value: object) -> object:
    """The same structure with every leaf of another type: numbers as words, words as numbers."""
    if isinstance(value, dict):
        return {name: _twist(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_twist(item) for item in value]
    if isinstance(value, str):
        return len(value)
    return "not what was promised"
