"""Mappings for tests: the smallest that is right, with any of its tables written anew."""

import json
from datetime import datetime
from typing import Any

from shipclock.domain.tracking import Scan
from shipclock.sources import Account, Delivery, Translation
from shipclock.sources.mapped import Mapped, MappingError, check
from tests.builders import REAL

NAME = "tried"
SECRET = "synthetic mapping secret 0001"
OTHER = "synthetic mapping secret 0002"
ACCOUNT = Account("default", (SECRET,))

CODES = """
"GOT" = "picked_up"
"GO" = "in_transit"
"TRY" = { status = "delivery_attempt_failed", reason = "other" }
"DONE" = "delivered"
"""


def text(
    *,
    top: str = "",
    auth: str = 'strategy = "hmac"\nheader = "X-Sign"',
    parcel: str = 'number = "no"\nreference = "order"',
    scan: str = 'code = "code"',
    time: str = 'path = "at"',
    codes: str = CODES,
    more: str = "",
) -> str:
    """A mapping's file."""
    return (
        f'name = "{NAME}"\n{top}\n[auth]\n{auth}\n[parcel]\n{parcel}\n[scan]\n{scan}\n'
        f"[scan.time]\n{time}\n[codes]\n{codes}\n{more}\n"
    )


def mapped(**tables: str) -> Mapped:
    """A source of such a file."""
    spec, _ = check(NAME, text(**tables).encode())
    return Mapped(spec)


def warnings(**tables: str) -> list[str]:
    """What is worth knowing of such a file."""
    return [str(warning) for warning in check(NAME, text(**tables).encode())[1]]


def wrong(whole: str | bytes, name: str = NAME) -> list[str]:
    """The messages about a file; none where it is right."""
    try:
        check(name, whole.encode() if isinstance(whole, str) else whole)
    except MappingError as error:
        return [str(problem) for problem in error.problems]
    return []


BODY: dict[str, Any] = {
    "no": "SYN-000101",
    "code": "GO",
    "at": "2026-11-18T10:00:00+08:00",
    "order": "576000000000000101",
}


def body(**changes: Any) -> bytes:
    """A body as the smallest mapping reads it, with fields changed; `...` leaves one out."""
    return json.dumps({k: v for k, v in {**BODY, **changes}.items() if v is not ...}).encode()


def told(source: Mapped, sent: bytes, shops: tuple[str, ...] = ()) -> Translation:
    """What a source makes of a body."""
    return source.translate(Delivery(source.NAME, "default", sent, REAL, shops))


def scan_of(source: Mapped, sent: bytes) -> Scan:
    """The only scan of a body."""
    (found,) = told(source, sent).scans
    return found


def who(
    source: Mapped, headers: dict[str, str], sent: bytes, *accounts: Account, at: datetime = REAL
) -> Account:
    """The account that is let in."""
    return source.verify(headers, sent, accounts or (ACCOUNT,), at)
