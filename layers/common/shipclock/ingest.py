"""The one thing ingest does: prove who sent it, keep what arrived, answer (DESIGN 3.1).

No translation, no rule, no marketplace call: a bug in those can't lose a webhook.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shipclock import rows
from shipclock.ports import Row
from shipclock.reading import form, json_object
from shipclock.sources import (
    MARKETPLACES,
    SOURCES,
    Headers,
    NotAuthentic,
    Source,
    Unsigned,
    accounts_of,
    source,
)

RETRY_QUARANTINED = timedelta(hours=1)


class NotKept(Exception):
    """The table or the secret store failed; the sender must try again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told, and one word of the outcome for the log."""

    status: int
    outcome: str
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One HTTP request to a webhook address. `received_at` is the real clock."""

    source: str
    headers: Headers
    body: bytes
    received_at: datetime


Keep = Callable[[Row], bool]
"""Put a row if it is absent, in one request; False when it was there. Raises `NotKept`."""

Secrets = Callable[[], Mapping[str, Any]]
"""The sources' secret. Raises `NotKept` where the secret store does not answer."""


def source_of(path: str) -> str | None:
    """The source a URL path is meant for: `…/webhooks/tiktok` or `…/webhooks/carriers/{source}`."""
    last = path.rpartition("/")[2]
    if path.endswith("/webhooks/tiktok"):
        return "tiktok_shop"
    if path.endswith(f"/webhooks/carriers/{last}") and last not in MARKETPLACES:
        return last
    return None


def receive(arrival: Arrival, secrets: Secrets, keep: Keep, keep_for: timedelta) -> Answer:
    """Verify and keep one arrival. Promises of the answer: DESIGN section 6, "answers".

    Raises nothing but what `secrets` and `keep` raise: `NotKept`, which is the sender's 5xx.
    """
    if arrival.source not in SOURCES:
        return Answer(404, "unknown_source", b"there is no such source")
    by = source(arrival.source)
    if len(arrival.body) > by.LIMIT:
        return Answer(413, "too_large", f"at most {by.LIMIT} bytes are taken".encode())
    try:
        accounts = accounts_of(secrets(), arrival.source)
    except ValueError as error:
        raise NotKept(str(error)) from None
    if not accounts:
        return Answer(404, "not_set_up", b"this source is not set up")
    try:
        account = by.verify(arrival.headers, arrival.body, accounts, arrival.received_at)
    except Unsigned as refusal:
        if not arrival.body:
            return Answer(400, "empty", b"nothing was sent")
        return Answer(401, f"unsigned: {refusal}")
    except NotAuthentic as refusal:
        return Answer(401, f"not_authentic: {refusal}")
    except ValueError as error:  # a secret of ours that no signature can be made with
        raise NotKept(str(error)) from None
    row = rows.delivery_row(
        key=rows.delivery_key(
            arrival.source, account.name, hashlib.sha256(arrival.body).hexdigest()
        ),
        source=arrival.source,
        account=account.name,
        shops=account.shops,
        body=arrival.body,
        headers={n: arrival.headers[n] for n in by.EVIDENCE if n in arrival.headers},
        received_at=arrival.received_at,
        keep=keep_for,
    )
    unreadable = _unreadable(by, arrival.body)
    if unreadable:
        keep(row | rows.quarantine(row, unreadable, arrival.received_at + RETRY_QUARANTINED))
        return Answer(400, f"quarantined: {unreadable}", unreadable.encode("utf-8", "replace"))
    new = keep(row)
    return Answer(200, "kept" if new else "repeated", by.acknowledge(arrival.body))


def _unreadable(by: Source, body: bytes) -> str:
    """Why a body is no JSON object (or form); empty when it is one."""
    try:
        (form if by.FORM else json_object)(body)
    except ValueError as error:
        return f"the body is no {'form' if by.FORM else 'JSON object'}: {error}"[:300]
    return ""
