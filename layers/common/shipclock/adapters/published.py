"""Keys that senders publish: fetched by ingest, remembered, and fetched anew for an unknown id.

With the standard library alone, for the reason that `aws_json` gives: a cold start pays for it.
"""

import http.client
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from shipclock.ingest import NotKept
from shipclock.sources.jwks import is_address, key_ids

TIMEOUT_SECONDS = 3.0
LARGEST = 64 * 1024
AGE = timedelta(hours=12)
"""After this long keys are fetched anew though the id is among them: one may have been revoked."""
OLDEST = timedelta(hours=24)
"""After this long, without an answer all the while, they prove nothing any more."""
PAUSE = timedelta(minutes=1)
"""Between two looks at one address: anybody may name an id that nobody has."""
PAUSE_AFTER_FAILURE = timedelta(seconds=10)
"""Shorter, since meanwhile honest senders are sent away."""

Connect = Callable[[str], http.client.HTTPConnection]


def connect(host: str, port: int = 443) -> http.client.HTTPSConnection:
    """A connection that proves whose it is, takes no proxy from the environment, and waits no
    longer than three seconds for anything."""
    # a context of its own: a library may have loosened the process's default (karrio does)
    context = ssl.create_default_context()
    return http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)


def fetch(address: str, connect: Connect = connect) -> bytes:
    """What an https address answers to a GET. Raises `NotKept`, without its content.

    A redirect is no answer: it would let whoever makes it name the keys.
    """
    if not is_address(address):
        raise NotKept("keys are fetched from an https address without a port")
    host, _, path = address.removeprefix("https://").partition("/")
    connection = connect(host)
    try:
        connection.request("GET", f"/{path}", headers={"accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last: an odd host
        raise NotKept(f"{host} gave no keys: {type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise NotKept(f"{host} gave no keys: it answered {answer.status}")
    if len(body) > LARGEST:
        raise NotKept(f"{host} gave no keys: its answer is over {LARGEST} bytes")
    return body


NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an address published when it was read last, and how the last look at it went.

    `failure` is empty where that look is the reading itself. None is made before `next_at`.
    """

    document: str = ""
    key_ids: frozenset[str] = frozenset()
    read_at: datetime = NEVER
    next_at: datetime = NEVER
    failure: str = ""


class PublishedKeys:
    """The sets of keys that were fetched, by their addresses.

    Safe to call from several threads: one fetches, the others wait for what it finds.
    """

    def __init__(
        self,
        fetch: Callable[[str], bytes] = fetch,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Fetches nothing until a key is wanted."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[str, Seen] = {}

    def __call__(self, address: str, key_id: str) -> str:
        """The set of keys at an address: the one known where the id is in it, else a newer one.

        Without the id in it, it is no older than a minute: then there is no such key. Raises
        `NotKept` where the address does not answer, and what it said before does not settle it.
        """
        with self._lock:
            now = self._clock()
            seen = self._seen.get(address, Seen())
            age = now - seen.read_at
            if (key_id not in seen.key_ids or age >= AGE) and now >= seen.next_at:
                seen = self._seen[address] = self._looked(address, seen, now)
                age = now - seen.read_at
        if seen.failure and (key_id not in seen.key_ids or age >= OLDEST):
            raise NotKept(seen.failure)
        return seen.document

    def _looked(self, address: str, seen: Seen, now: datetime) -> Seen:
        """The address as it is now; what was known of it where it can't be read."""
        try:
            raw = self._fetch(address)
            return Seen(raw.decode(), key_ids(raw), now, now + PAUSE)
        except NotKept as problem:
            failure = str(problem)
        except ValueError:
            failure = "what was fetched is no set of keys"
        return replace(seen, next_at=now + PAUSE_AFTER_FAILURE, failure=failure)
