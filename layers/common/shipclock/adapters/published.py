"""Keys that senders publish: fetched by ingest, remembered, and fetched anew for an unknown id.

With the standard library alone, for the reason that `aws_json` gives: a cold start pays for it.
"""

import http.client
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from shipclock.ingest import NotKept

TIMEOUT_SECONDS = 3.0
LARGEST = 256 * 1024
AGE = timedelta(hours=12)
"""After this long a document is fetched anew though the id is in it: a key may be revoked."""
PAUSE = timedelta(minutes=1)
"""Between two fetches of one document: anybody may name an id that nobody has."""

Fetch = Callable[[str], bytes]


def fetch(url: str) -> bytes:
    """What an https address answers to a GET. Raises `NotKept`, without its content."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.port:
        raise NotKept("published keys are fetched from an https address without a port")
    connection = http.client.HTTPSConnection(parts.hostname, timeout=TIMEOUT_SECONDS)
    try:
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("GET", target, headers={"accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        raise NotKept(f"{parts.hostname} did not answer: {type(error).__name__}") from error
    finally:
        connection.close()
    if answer.status != 200 or len(body) > LARGEST:  # a redirect is no answer either
        raise NotKept(f"{parts.hostname} answered {answer.status} with {len(body)} bytes")
    return body


class PublishedKeys:
    """The documents that were fetched, by their addresses. Safe to call from several threads."""

    def __init__(
        self,
        fetch: Fetch = fetch,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Fetches nothing until a key is wanted."""
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[datetime, str]] = {}
        self._tried: dict[str, datetime] = {}

    def __call__(self, url: str, key_id: str) -> str:
        """The document at a URL: the one known where the id is in it, else a newer one, fetched at
        most once a minute. Raises `NotKept` where there is none yet."""
        with self._lock:
            now = self._clock()
            read_at, document = self._known.get(url, (None, ""))
            fresh = read_at is not None and now - read_at < AGE and key_id in document
            waiting = url in self._tried and now - self._tried[url] < PAUSE
            if not fresh and not waiting:
                self._tried[url] = now
                document = self._renewed(url, now, document)
            if not document:
                raise NotKept(f"no keys from {urlsplit(url).hostname} yet")
            return document

    def _renewed(self, url: str, now: datetime, known: str) -> str:
        """The document as it is now; the one known where it can't be had."""
        try:
            document = self._fetch(url).decode("utf-8", "replace")
        except NotKept:
            if not known:
                raise
            return known
        self._known[url] = (now, document)
        return document
