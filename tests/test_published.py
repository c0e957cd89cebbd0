"""Published keys: how they are fetched, how long they count, and when they are looked at anew."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from shipclock.adapters import published
from shipclock.adapters.published import (
    AGE,
    LARGEST,
    OLDEST,
    PAUSE,
    PAUSE_AFTER_FAILURE,
    PublishedKeys,
    connect,
    fetch,
)
from shipclock.ingest import NotKept
from tests.builders import REAL, SECOND

ADDRESS = "https://keys.example/jwks"
OTHER = "https://keys.eu.example/jwks"


def keys(*ids: object) -> bytes:
    return json.dumps({"keys": [{"kid": each, "kty": "RSA"} for each in ids]}).encode()


class Publisher:
    """Who publishes keys, and the clock; it counts how often it is asked."""

    def __init__(self, *ids: str) -> None:
        self.now = REAL
        self.says: bytes | Exception = keys(*ids)
        self.takes = 0.0
        self.asked: list[str] = []
        self.known = PublishedKeys(self.fetch, lambda: self.now)

    def fetch(self, address: str) -> bytes:
        self.asked.append(address)
        time.sleep(self.takes)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    def ids(self, key_id: str, address: str = ADDRESS) -> set[str]:
        return {each["kid"] for each in json.loads(self.known(address, key_id))["keys"]}

    def refuses(self, key_id: str) -> str:
        with pytest.raises(NotKept) as refused:
            self.known(ADDRESS, key_id)
        return str(refused.value)


DOWN = NotKept("keys.example gave no keys: TimeoutError")

# How long they count


def test_nothing_is_fetched_before_a_key_is_wanted_and_then_once() -> None:
    publisher = Publisher("one", "two")
    assert publisher.asked == []
    for key_id in ("one", "two", "one"):
        assert publisher.ids(key_id) == {"one", "two"}
    assert publisher.asked == [ADDRESS]


def test_each_address_is_remembered_by_itself() -> None:
    publisher = Publisher("one")
    publisher.ids("one")
    publisher.says = keys("two")
    assert publisher.ids("two", OTHER) == {"two"}
    assert publisher.ids("one") == {"one"}
    assert publisher.asked == [ADDRESS, OTHER]


def test_a_key_that_is_rotated_in_is_found_and_the_old_one_with_it() -> None:
    publisher = Publisher("old")
    publisher.ids("old")
    publisher.says = keys("old", "new")
    publisher.now += PAUSE
    assert publisher.ids("new") == publisher.ids("old") == {"old", "new"}
    assert len(publisher.asked) == 2


def test_an_unknown_id_has_the_address_asked_at_most_once_a_minute() -> None:
    publisher = Publisher("one")
    for _ in range(121):
        assert publisher.ids("nobodys") == {"one"}
        publisher.now += SECOND
    assert len(publisher.asked) == 3


@pytest.mark.parametrize(
    "key_id", ["on", "e", "keys", "kid", '"', "RSA", "", "one-and-more", "ONE"]
)
def test_an_id_is_known_only_as_a_whole_whatever_stands_in_the_document(key_id: str) -> None:
    publisher = Publisher("one")
    publisher.ids(key_id)
    publisher.now += PAUSE
    publisher.ids(key_id)
    assert len(publisher.asked) == 2


def test_a_known_key_is_looked_for_anew_after_half_a_day_since_it_may_be_revoked() -> None:
    publisher = Publisher("one", "stolen")
    publisher.ids("stolen")
    publisher.says = keys("one")
    publisher.now += AGE - SECOND
    assert publisher.ids("stolen") == {"one", "stolen"}
    publisher.now += SECOND
    assert publisher.ids("stolen") == {"one"}
    assert len(publisher.asked) == 2


def test_all_keys_may_be_revoked() -> None:
    publisher = Publisher("one")
    publisher.ids("one")
    publisher.now += AGE
    publisher.says = keys()
    assert publisher.ids("one") == set()


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    publisher = Publisher("one")
    publisher.ids("one")
    publisher.now -= timedelta(days=400)
    assert publisher.ids("one") == {"one"}


# When they can't be had


def test_without_any_keys_the_sender_is_to_try_again_and_soon_may() -> None:
    publisher = Publisher("one")
    publisher.says = DOWN
    assert publisher.refuses("one") == str(DOWN)
    publisher.says = keys("one")
    publisher.now += PAUSE_AFTER_FAILURE - SECOND
    assert publisher.refuses("one") == str(DOWN)
    assert len(publisher.asked) == 1
    publisher.now += SECOND
    assert publisher.ids("one") == {"one"}


def test_known_keys_count_on_while_the_address_is_silent_and_nobody_can_tell_of_others() -> None:
    publisher = Publisher("one")
    publisher.ids("one")
    publisher.says = DOWN
    publisher.now += PAUSE
    assert publisher.refuses("two") == str(DOWN)
    assert publisher.ids("one") == {"one"}
    assert len(publisher.asked) == 2
    publisher.says = keys("one", "two")
    publisher.now += PAUSE_AFTER_FAILURE
    assert publisher.ids("two") == {"one", "two"}


def test_they_count_no_longer_than_a_day_without_an_answer() -> None:
    publisher = Publisher("one")
    publisher.ids("one")
    publisher.says = DOWN
    publisher.now += OLDEST - SECOND
    assert publisher.ids("one") == {"one"}
    publisher.now += SECOND
    assert publisher.refuses("one") == str(DOWN)
    publisher.now += PAUSE_AFTER_FAILURE
    publisher.says = keys("one")
    assert publisher.ids("one") == {"one"}


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"<html>be back soon</html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b"\xff",
        b'{"keys": [' + b"[" * 60_000,
        keys("two")[:-1],
    ],
    ids=lambda says: ascii(says[:20]),
)
def test_what_is_no_set_of_keys_takes_no_known_key_away(says: bytes) -> None:
    publisher = Publisher("one")
    publisher.ids("one")
    publisher.says = says
    publisher.now += PAUSE
    assert publisher.refuses("two") == "what was fetched is no set of keys"
    assert publisher.ids("one") == {"one"}
    empty = Publisher()
    empty.says = says
    assert empty.refuses("one") == "what was fetched is no set of keys"


def test_a_set_that_begins_with_a_mark_of_its_byte_order_is_one() -> None:
    publisher = Publisher()
    publisher.says = b"\xef\xbb\xbf" + keys("one")
    assert "one" in publisher.known(ADDRESS, "one")


def test_odd_ids_in_a_set_are_nobodys() -> None:
    publisher = Publisher()
    publisher.says = keys("one", 5, None, ["one"], {"one": 1})
    assert "one" in publisher.known(ADDRESS, "one")
    assert len(publisher.asked) == 1


def test_several_threads_fetch_once() -> None:
    publisher = Publisher("one")
    publisher.takes = 0.05
    together = threading.Barrier(8)
    found: list[str] = []

    def ask() -> None:
        together.wait(10)
        found.append(publisher.known(ADDRESS, "one"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 8
    assert len(publisher.asked) == 1


def test_a_thread_whose_fetch_breaks_leaves_no_lock_behind() -> None:
    publisher = Publisher("one")
    publisher.says = RuntimeError("a bug")
    with pytest.raises(RuntimeError):
        publisher.known(ADDRESS, "one")
    publisher.says = keys("one")
    assert publisher.ids("one") == {"one"}


# How they are fetched

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def served(
    answer: Callable[[str], Answer], context: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[str]]]:
    """A server on this machine: its port, and the requests that it got."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.requestline)
            status, headers, body = answer(self.path)
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Some callers here hang up on purpose."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def plainly(port: int, host: str) -> http.client.HTTPConnection:
    """A connection to the server here, whatever the host is called."""
    return http.client.HTTPConnection("127.0.0.1", port, timeout=2)


def fetched(answer: Answer, address: str = ADDRESS) -> bytes:
    with served(lambda path: answer) as (port, _):
        return fetch(address, partial(plainly, port))


def fails(answer: Answer) -> str:
    with pytest.raises(NotKept) as failure:
        fetched(answer)
    assert b"synthetic" not in str(failure.value).encode()
    return str(failure.value)


def test_what_is_published_is_fetched_from_where_the_address_says() -> None:
    with served(lambda path: (200, {}, path.encode())) as (port, asked):
        connection = partial(plainly, port)
        assert fetch("https://keys.example/a/b?c=d", connection) == b"/a/b?c=d"
        assert fetch("https://keys.example", connection) == b"/"
    assert asked == ["GET /a/b?c=d HTTP/1.1", "GET / HTTP/1.1"]


def test_the_largest_document_is_taken_and_one_byte_more_is_not() -> None:
    assert len(fetched((200, {}, b"x" * LARGEST))) == LARGEST
    assert fails((200, {}, b"x" * (LARGEST + 1))).endswith(f"its answer is over {LARGEST} bytes")


def test_of_an_endless_document_no_more_is_read_than_that_tells() -> None:
    class Endless:
        status = 200

        def read(self, most: int) -> bytes:
            assert most <= LARGEST + 1
            return b"x" * most

    class Connection(http.client.HTTPConnection):
        def request(self, *args: Any, **more: Any) -> None:
            """Nobody is there to hear it."""

        def getresponse(self) -> Any:
            return Endless()

    with pytest.raises(NotKept, match="is over"):
        fetch(ADDRESS, Connection)


@pytest.mark.parametrize("status", [201, 204, 301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_none(status: int) -> None:
    said = fails((status, {"location": "https://elsewhere.example/"}, b""))
    assert said == f"keys.example gave no keys: it answered {status}"


@pytest.mark.parametrize(
    "headers", [{f"x-{n}": "y" for n in range(200)}, {"x": "y" * 70_000}], ids=["many", "long"]
)
def test_absurd_headers_are_no_answer(headers: dict[str, str]) -> None:
    assert fails((200, headers, b"synthetic")).startswith("keys.example gave no keys: ")


def test_an_answer_that_never_comes_is_waited_for_no_longer_than_we_say() -> None:
    assert published.TIMEOUT_SECONDS <= 3
    assert connect("keys.example").timeout == published.TIMEOUT_SECONDS
    done = threading.Event()

    def slow(path: str) -> Answer:
        done.wait(10)
        return 200, {}, b""

    with served(slow) as (port, _):
        impatient = http.client.HTTPConnection("127.0.0.1", port, timeout=0.05)
        with pytest.raises(NotKept, match="TimeoutError"):
            fetch(ADDRESS, lambda host: impatient)
        done.set()


def test_nobody_there_is_no_answer() -> None:
    with served(lambda path: (200, {}, b"")) as (port, _):
        pass
    with pytest.raises(NotKept, match="ConnectionRefusedError"):
        fetch(ADDRESS, partial(plainly, port))


@pytest.mark.parametrize(
    "address",
    [
        "http://keys.example/jwks",
        "https://keys.example:8443/jwks",
        "https://user:word@keys.example/jwks",
        "file:///etc/hostname",
        "https://[::1",
        "",
    ],
)
def test_only_an_https_address_without_a_port_is_fetched_from(address: str) -> None:
    def never(host: str) -> http.client.HTTPConnection:
        raise AssertionError(host)

    with pytest.raises(NotKept, match="from an https address without a port"):
        fetch(address, never)


def test_a_host_that_can_be_none_is_no_answer() -> None:
    with pytest.raises(NotKept, match="UnicodeError"):
        fetch(f"https://{'x' * 64}.example/", connect)


def self_made(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    pem = folder / "self_made.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_who_can_not_prove_to_be_the_host_is_not_listened_to(tmp_path: Path) -> None:
    def answer(path: str) -> Answer:
        return 200, {}, keys("one")

    with served(answer, self_made(tmp_path)) as (port, asked):
        here = partial(connect, port=port)
        with pytest.raises(NotKept, match="SSLCertVerificationError"):
            fetch("https://127.0.0.1/jwks", here)
    assert asked == []
