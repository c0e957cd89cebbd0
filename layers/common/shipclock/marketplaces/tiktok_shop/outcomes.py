"""Answers of TikTok Shop, interpreted (`tiktok-shop.md` 6), whole and part by part."""

import re
from dataclasses import replace
from datetime import timedelta

from shipclock.marketplaces.protocol import Call, Kind, Outcome
from shipclock.marketplaces.tiktok_shop.codes import PERSON, RATE_LIMIT, Meaning
from shipclock.marketplaces.tiktok_shop.faults import meaning_of
from shipclock.ports import HttpReply
from shipclock.reading import (
    Object,
    Unreadable,
    identifier,
    json_object,
    opaque,
    part,
    parts,
    whole,
    words,
)

LONGEST_WAIT = timedelta(hours=1)

UNKNOWN = Meaning(Kind.REFUSED, "the marketplace refuses it")
UNKNOWN_WITHIN = Meaning(Kind.UNCLEAR, "the marketplace failed inside")
"""A code that no table knows, and the same with a 5xx."""

FOR_A_PERSON = (Kind.REFUSED, Kind.MISCONFIGURED)
"""Outcomes that nothing but a person gets over; what comes right by itself must send nobody off."""

PER_PART = frozenset({"ship_packages", "update_inventory"})
"""Calls that do several things at once, of which each may fail by itself: `part_outcomes`."""


def interpret(call: Call, reply: HttpReply) -> Outcome:
    """What an answer means. Success is code 0 in a JSON object; nothing else is.

    Of a call in `PER_PART` success means that the batch was taken, whatever became of its parts.
    """
    try:
        body = json_object(reply.body)
        code = whole(body, "code")
        if code == 0 and isinstance(body["code"], str):
            raise Unreadable("code: success is a number")
    except (ValueError, Unreadable):
        body, code = {}, None
    request_id = str(body.get("request_id", ""))[:100]
    if reply.status == 429 or code == RATE_LIMIT:
        return Outcome(Kind.RATE_LIMITED, reason="rate limit", wait=_retry_after(reply))
    if code is None:
        reason = f"HTTP {reply.status} without a readable answer"
        return Outcome(Kind.UNCLEAR, reason=reason, wait=_retry_after(reply))
    if code == 0:
        return _success(call, body, reply, request_id)
    return _refusal(code, body, request_id, reply.status, call.auth)


def _refusal(code: int, body: Object, request_id: str, status: int, auth: bool) -> Outcome:
    """What a code other than 0 means, by the table and, where it has many meanings, by message."""
    message = words({"message": str(body.get("message", ""))}, "message")
    meaning = meaning_of(code, message)
    if meaning is None:
        meaning = UNKNOWN_WITHIN if status >= 500 else UNKNOWN
    # A renewal that is refused would be answered by a renewal.
    kind = Kind.MISCONFIGURED if auth and meaning.kind is Kind.EXPIRED else meaning.kind
    return Outcome(
        kind,
        code=code,
        reason=f"{meaning.reason} ({f'{code}: {message}' if message else code})"[:300],
        advice=meaning.advice or (PERSON if kind in FOR_A_PERSON else ""),
        wait=meaning.wait,
        request_id=request_id,
    )


def coded(row: Object, request_id: str, auth: bool = False) -> Outcome:
    """What became of one part of a call, out of its own `code` and `message`."""
    try:
        code = whole(row, "code")
    except Unreadable:
        code = None
    if code is None:
        return Outcome(Kind.UNCLEAR, reason="a part's answer has no code", request_id=request_id)
    if code == 0:
        return Outcome(Kind.OK, request_id=request_id)
    return _refusal(code, row, request_id, 200, auth)


def part_outcomes(outcome: Outcome, key: str) -> dict[str, Outcome]:
    """The parts of a batch that failed, by the id that each error's `detail` bears under `key`.

    Raises `Unreadable` where an error can't be told whose it is. Of several of one part the first
    counts, as in `interpret`.
    """
    found: dict[str, Outcome] = {}
    for error in parts(outcome.data, "errors"):
        part_id = identifier(part(error, "detail").get(key), key)
        found.setdefault(part_id, _error(error, outcome.request_id))
    return found


def _success(call: Call, body: Object, reply: HttpReply, request_id: str) -> Outcome:
    """Code 0: done, unless the status or the list of errors inside says otherwise.

    A success has data, if only an empty object (6.1). One without is no clear yes.
    """
    data = body.get("data")
    if not 200 <= reply.status < 300 or not isinstance(data, dict):
        lacks = "" if isinstance(data, dict) else " and no data"
        reason = f"HTTP {reply.status} with code 0{lacks}"
        return Outcome(Kind.UNCLEAR, reason=reason, request_id=request_id)
    errors = data.get("errors")
    if call.name not in PER_PART and errors:
        first = errors[0] if isinstance(errors, list) else None
        if isinstance(first, dict):
            return _error(first, request_id, call.auth)
        if call.writes:  # of what was only read the data is there all the same
            reason = "code 0 with errors that can't be read"
            return Outcome(Kind.UNCLEAR, reason=reason, request_id=request_id)
    return Outcome(Kind.OK, data, request_id=request_id)


def _error(row: Object, request_id: str, auth: bool = False) -> Outcome:
    """One entry of a list of errors, which is no success whatever it says."""
    told = coded(row, request_id, auth)
    if told.kind is Kind.OK:
        return replace(told, kind=Kind.UNCLEAR, reason="an error with code 0")
    return told


def _retry_after(reply: HttpReply) -> timedelta | None:
    """`Retry-After` in seconds, at most an hour. A date is not known to be sent here."""
    text = reply.headers.get("retry-after", "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return min(timedelta(seconds=int(text)), LONGEST_WAIT)


LINK = re.compile(r"https://|http://127\.0\.0\.1:[0-9]+(/|$)")
"""How an address begins; the latter is a sandbox's."""


def link(data: Object, key: str) -> str:
    """An address on the web, whole (signed ones are long); absent or null is empty."""
    found = opaque(data, key)
    if found and not LINK.match(found):
        raise Unreadable(f"{key}: an https address was expected")
    return found
