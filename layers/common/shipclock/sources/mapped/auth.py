"""The table [auth] of a mapping: which strategy, and what it is told."""

import re
from collections.abc import Callable, Mapping

from shipclock.sources.mapped.proof import (
    ALGORITHMS,
    AUTHORIZATION,
    ENCODINGS,
    KEYS,
    PAIR,
    PART,
    STAMPS,
    Hmac,
    Shared,
    Stamp,
    StandardWebhooks,
    Strategy,
)
from shipclock.sources.mapped.report import shown
from shipclock.sources.mapped.tables import Table

TOLERANCE = 300
LONGEST_TOLERANCE = 24 * 60 * 60

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_PART = re.compile(r"header:" + _HEADER.pattern)


def strategy(table: Table) -> Strategy:
    """How the sender proves itself. Where that is told wrongly, one that nobody can meet."""
    name = table.choice("strategy", STRATEGIES, needed="how the sender proves itself")
    if not name:
        for key in OWN_KEYS:
            table.may(key)
        table.close()
        return Hmac(header="")
    found = STRATEGIES[name](table)
    table.close(f" with strategy {name}")
    if not found.covers_body:
        table.report.warn(
            table.at("signed" if table.has("signed") else "strategy"),
            "the proof does not cover the body: what it says is flagged unconfirmed, may stop a "
            "clock, and proves nothing missed and no delivery",
        )
    return found


def _hmac(table: Table) -> Strategy:
    signed = _parts(table, "signed", "{body}", ("body", "timestamp"), headers=True)
    value = _parts(table, "value", "{signature}", ("signature", "timestamp"))
    if value.count("{signature}") != 1:
        table.wrong("value", f"{shown(value)} does not hold {{signature}} once")
    if "}{" in value:
        table.wrong("value", "two parts need something between them, to be told apart")
    return Hmac(
        header=_header(table, "header", "the header with the signature"),
        algorithm=table.choice("algorithm", ALGORITHMS, "sha256"),
        encoding=table.choice("encoding", ENCODINGS, "hex"),
        key=table.choice("key", KEYS, "text"),
        value=value,
        signed=signed,
        stamp=_stamp(table, signed, value),
    )


def _stamp(table: Table, signed: str, value: str) -> Stamp | None:
    """The time of sending. One that is not signed could be written anew by anybody."""
    header = _header(table, "timestamp_header")
    form = table.choice("timestamp_format", STAMPS, "unix")
    tolerance = table.whole("tolerance", 1, LONGEST_TOLERANCE, TOLERANCE)
    inside = "{timestamp}" in value
    if "{timestamp}" not in signed:
        told = [
            key for key in ("timestamp_header", "timestamp_format", "tolerance") if table.has(key)
        ]
        for key in (*told, *(["value"] if inside else [])):
            table.wrong(key, "a time of sending proves nothing unless `signed` holds {timestamp}")
        return None
    if bool(header) is inside or value.count("{timestamp}") > 1:
        table.wrong(
            "signed",
            "where {timestamp} stands must be told once: in `timestamp_header`, or as a part of "
            "`value`",
        )
    return Stamp(header, form, tolerance)


def _header_secret(table: Table) -> Strategy:
    header = _header(table, "header", "the header with the secret")
    value = _parts(table, "value", "{secret}", ("secret",))
    if value.count("{secret}") != 1:
        table.wrong("value", f"{shown(value)} does not hold {{secret}} once")
    return Shared(header, value=value)


STRATEGIES: Mapping[str, Callable[[Table], Strategy]] = {
    "hmac": _hmac,
    "standard_webhooks": lambda table: StandardWebhooks(),
    "header": _header_secret,
    "basic": lambda table: Shared(AUTHORIZATION, "Basic", shape=PAIR),
    "bearer": lambda table: Shared(AUTHORIZATION, "Bearer"),
}
OWN_KEYS = (
    *("header", "value", "algorithm", "encoding", "key", "signed"),
    *("timestamp_header", "timestamp_format", "tolerance"),
)


def _header(table: Table, key: str, needed: str = "") -> str:
    return table.written(key, _HEADER, "name of a header", needed).lower()


def _parts(
    table: Table, key: str, default: str, known: tuple[str, ...], *, headers: bool = False
) -> str:
    """A text with parts in braces; names of headers in small letters."""
    found = table.text(key, default, lines=True)
    names = [f"{{{name}}}" for name in known] + (["{header:name-of-it}"] if headers else [])
    for part in PART.findall(found):
        if part not in known and not (headers and _HEADER_PART.fullmatch(part)):
            table.wrong(key, f"{{{part}}} is no part; there are {', '.join(names)}")
    if set("{}") & set(PART.sub("", found)):
        table.wrong(key, "braces stand around parts alone: " + ", ".join(names))
    elif headers and not PART.search(found):
        table.wrong(key, f"is the same for every request; there are {', '.join(names)}")
    return PART.sub(lambda part: part[0].lower(), found)
