"""The one thing ingest does: prove who sent it, keep what arrived, answer (DESIGN 3.1).

No translation, no rule, no marketplace call: a bug in those can't lose a webhook.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shipclock import rows
from shipclock.ports import Row
from shipclock.reading import form, json_object
from shipclock.sources import (
    GRANTERS,
    MARKETPLACES,
    SOURCES,
    Account,
    Headers,
    KeysWanted,
    NotAuthentic,
    NotGranted,
    Probe,
    Unsigned,
    accounts_of,
    granter,
    source,
)
from shipclock.sources.protocol import Source

RETRY_QUARANTINED = timedelta(hours=1)
LONGEST_FAULT = 1000
"""Characters of a fault that go into the log."""


class NotKept(Exception):
    """The table or the secret store failed; the sender must try again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told, and one word of the outcome for the log."""

    status: int
    outcome: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)


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

PublishedKeys = Callable[[str, str], str]
"""The keys that a sender publishes at an address, as the document that they stand in, for a key id:
those that are known, or newer ones where the id is not among them. Raises `NotKept` where it can't
be told whether there is such a key."""


def no_keys(address: str, key_id: str) -> str:
    """For those who fetch nothing."""
    raise NotKept("no published key can be had here")


def source_of(path: str) -> str | None:
    """The source a URL path is meant for: `…/webhooks/tiktok` or `…/webhooks/carriers/{source}`."""
    last = path.rpartition("/")[2]
    if path.endswith("/webhooks/tiktok"):
        return "tiktok_shop"
    if path.endswith(f"/webhooks/carriers/{last}") and last not in MARKETPLACES:
        return last
    return None


def grants_of(path: str) -> str | None:
    """The source whose token address a path is: `…/webhooks/carriers/{source}/token`."""
    address, _, last = path.rpartition("/")
    name = source_of(address) if last == "token" else None
    return name if name in GRANTERS else None


LARGEST_REQUEST = 8 * 1024
"""Bytes of a request for a token: an id, a secret and a word or two."""
NOT_STORED = {"cache-control": "no-store", "pragma": "no-cache"}
CHALLENGE = {"www-authenticate": 'Basic realm="shipclock", charset="UTF-8"'}


def grant(arrival: Arrival, secrets: Secrets) -> Answer:
    """Answer a sender that fetches the token it will call us with; nothing is kept.

    The answers are those of OAuth's token endpoint (RFC 6749 section 5). Raises `NotKept`.
    """
    if len(arrival.body) > LARGEST_REQUEST:
        return _refused(413, "too_large", "invalid_request")
    accounts = _accounts(arrival.source, secrets)
    if not accounts:
        return Answer(404, "not_set_up", b"this source is not set up")
    by = granter(arrival.source)
    try:
        token = by.grant(arrival.headers, arrival.body, accounts, arrival.received_at)
    except Unsigned as refusal:
        return _refused(401, f"unsigned: {refusal}", "invalid_client", CHALLENGE)
    except NotAuthentic as refusal:
        return _refused(401, f"not_authentic: {refusal}", "invalid_client", CHALLENGE)
    except NotGranted as refusal:
        return _refused(400, f"not_granted: {refusal}", refusal.error)
    except ValueError as error:  # a secret of ours that no token can be made with
        raise NotKept(str(error)) from None
    return Answer(200, "granted", token, NOT_STORED)


def _refused(
    status: int, outcome: str, error: str, more: Mapping[str, str] | None = None
) -> Answer:
    body = json.dumps({"error": error}).encode()
    return Answer(status, outcome, body, {**NOT_STORED, **(more or {})})


def _accounts(name: str, secrets: Secrets) -> tuple[Account, ...]:
    try:
        return accounts_of(secrets(), name)
    except ValueError as error:
        raise NotKept(str(error)) from None


def receive(
    arrival: Arrival,
    secrets: Secrets,
    keep: Keep,
    keep_for: timedelta,
    keys: PublishedKeys = no_keys,
) -> Answer:
    """Verify and keep one arrival. Promises of the answer: DESIGN section 6, "answers".

    Raises nothing but what `secrets`, `keep` and `keys` raise: `NotKept`, which is the sender's
    5xx.
    """
    if arrival.source not in SOURCES:
        return Answer(404, "unknown_source", b"there is no such source")
    try:
        by = source(arrival.source)
    except ValueError as error:  # a mapping of ours that can't be used
        raise NotKept(str(error)[:LONGEST_FAULT]) from None
    if len(arrival.body) > by.LIMIT:
        return Answer(413, "too_large", f"at most {by.LIMIT} bytes are taken".encode())
    accounts = _accounts(arrival.source, secrets)
    if not accounts:
        return Answer(404, "not_set_up", b"this source is not set up")
    try:
        account = _proven(by, arrival, accounts, keys)
    except Probe:
        return Answer(200, "probed")
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


def _proven(
    by: Source, arrival: Arrival, accounts: Sequence[Account], keys: PublishedKeys
) -> Account:
    """The account that sent it; by keys that the sender publishes, where only they can tell.

    What one address publishes proves a sender to the accounts that name this address. Where keys
    can't be had, and those of other addresses prove nothing, it is for the sender to try again.
    """

    def proven(known: Sequence[Account]) -> Account:
        return by.verify(arrival.headers, arrival.body, known, arrival.received_at)

    try:
        return proven(accounts)
    except KeysWanted as wanted:
        published, failures = _published(wanted, keys)
    try:
        return proven([_with(published, account) for account in accounts])
    except KeysWanted:
        raise next(iter(failures), NotKept("keys were fetched and not used")) from None


def _published(
    wanted: KeysWanted, keys: PublishedKeys
) -> tuple[Mapping[str, str], Sequence[NotKept]]:
    """What the addresses publish, and why some of them can't be read."""
    found: dict[str, str] = {}
    failures: list[NotKept] = []
    for address in wanted.addresses:
        try:
            found[address] = keys(address, wanted.key_id)
        except NotKept as failure:
            failures.append(failure)
    return found, failures


def _with(published: Mapping[str, str], account: Account) -> Account:
    return replace(
        account, secrets=tuple(published.get(secret, secret) for secret in account.secrets)
    )


def _unreadable(by: Source, body: bytes) -> str:
    """Why a body is no JSON object (or form); empty when it is one."""
    try:
        (form if by.FORM else json_object)(body)
    except ValueError as error:
        return f"the body is no {'form' if by.FORM else 'JSON object'}: {error}"[:300]
    return ""
