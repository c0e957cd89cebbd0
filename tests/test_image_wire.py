"""Pictures fetched over real sockets from servers that lie, dawdle and send us elsewhere.

The servers listen on 127.0.0.1, where nothing that the product is told can lead it: the tests bring
a resolver, a way to connect and an authority of their own.
"""

import ast
import inspect
import re
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shipclock import settings, wiring
from shipclock.adapters import guarded
from shipclock.adapters.images import LARGEST, ImageWire
from shipclock.ports import FetchFailed, FetchRefused
from tests.certificates import Authority
from tests.pictures import whole_jpeg
from tests.servers import Server, reply, serving

HOST = "images.example.net"
LINK = f"https://{HOST}/p/1.jpg?sign=made-up-secret"
PUBLIC, ANOTHER = "93.184.215.14", "2606:2800:21f:cb07::1"
PICTURE = whole_jpeg()
SOON = timedelta(seconds=0.5)
AUTHORITY = Authority()


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return AUTHORITY.server(HOST, tmp_path_factory.mktemp("tls"))


class Way:
    """The way to a server in place of the internet; remembers what was looked up and dialled."""

    def __init__(self, server: Server | None, *addresses: str) -> None:
        self._server = server
        self._addresses = addresses or (PUBLIC,)
        self.looked_up: list[str] = []
        self.dialled: list[str] = []

    def resolve(self, host: str) -> Sequence[str]:
        self.looked_up.append(host)
        return self._addresses

    def dial(self, address: str, seconds: float) -> socket.socket:
        self.dialled.append(address)
        if self._server is None:
            raise OSError("nobody is there")
        return socket.create_connection(self._server.address, seconds)

    def fetch(self, link: str = LINK, give_up: timedelta = timedelta(seconds=5)) -> bytes:
        wire = ImageWire(self.resolve, self.dial, AUTHORITY.trusting(), give_up)
        return wire.fetch(link, [HOST])


def refused(way: Way, **more: Any) -> str:
    with pytest.raises(FetchRefused) as why:
        way.fetch(**more)
    return said(why.value)


def failed(way: Way, **more: Any) -> str:
    with pytest.raises(FetchFailed) as why:
        way.fetch(**more)
    return said(why.value)


def said(why: Exception) -> str:
    """The reason; none of them tells the link."""
    assert "made-up-secret" not in str(why)
    assert "/p/1.jpg" not in str(why)
    return str(why)


# What is fetched


def test_a_picture_is_fetched_whole_from_the_host_that_is_certified(
    certified: ssl.SSLContext,
) -> None:
    with serving(certified, reply(PICTURE, content_type="text/html")) as server:
        way = Way(server)
        assert way.fetch() == PICTURE
    assert (way.looked_up, way.dialled) == ([HOST], [PUBLIC])


def test_the_request_says_where_to_and_nothing_of_us(certified: ssl.SSLContext) -> None:
    with serving(certified, reply(PICTURE)) as server:
        Way(server).fetch()
        (asked,) = server.requests
    line, *headers = asked.decode().strip().split("\r\n")
    assert line == "GET /p/1.jpg?sign=made-up-secret HTTP/1.1"
    assert dict(header.split(": ") for header in headers) == {
        "host": HOST,
        "user-agent": "shipclock",
        "accept": "image/jpeg, image/png",
        "accept-encoding": "identity",
        "connection": "close",
    }


def test_the_name_is_shown_to_a_server_of_many_hosts(tmp_path: Path) -> None:
    context, names = AUTHORITY.server(HOST, tmp_path), []
    context.sni_callback = lambda line, name, ours: names.append(name)
    with serving(context, reply(PICTURE)) as server:
        Way(server).fetch()
    assert names == [HOST]


@pytest.mark.parametrize(
    "answer",
    [
        reply(PICTURE, length=None),
        b"HTTP/1.0 200 OK\r\n\r\n" + PICTURE,
        reply(PICTURE, content_encoding="identity"),
        b"HTTP/1.1 100 Continue\r\n\r\n" + reply(PICTURE),
        reply(
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(PICTURE), PICTURE),
            length=None,
            transfer_encoding="chunked",
        ),
    ],
    ids=["until it closes", "1.0", "identity", "continued", "chunked"],
)
def test_every_plain_way_to_send_it_is_understood(answer: bytes, certified: ssl.SSLContext) -> None:
    with serving(certified, answer) as server:
        assert Way(server).fetch() == PICTURE


def test_no_proxy_and_no_authority_of_the_environment_has_a_say(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = tmp_path / "ours.pem"
    ours.write_text(AUTHORITY.certificate)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(ours))
    with serving(certified, reply(PICTURE)) as server:
        way = Way(server)
        assert way.fetch() == PICTURE
        wire = ImageWire(way.resolve, way.dial)  # with the public's certificates
        with pytest.raises(FetchFailed, match="certificate"):
            wire.fetch(LINK, [HOST])


# Where to


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/1.jpg",
        f"https://{HOST}.evil.test/1.jpg",
        f"https://{HOST}@evil.test/1.jpg",
        f"https://{HOST}\\@evil.test/1.jpg",
        f"https://{HOST}:8443/1.jpg",
        f"http://{HOST}/1.jpg",
        "https://127.0.0.1/1.jpg",
        "https://[::1]/1.jpg",
    ],
)
def test_a_link_that_is_not_allowed_is_not_even_looked_up(link: str) -> None:
    way = Way(None)
    refused(way, link=link)
    assert (way.looked_up, way.dialled) == ([], [])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["10.1.2.3"],
        ["::1"],
        ["::ffff:93.184.215.14"],
        [PUBLIC, "192.168.0.1"],
        ["192.168.0.1", PUBLIC],
        [PUBLIC, ANOTHER, "fe80::1%eth0"],
        [PUBLIC] * 9 + ["100.64.0.1"],
        [PUBLIC, "no address"],
    ],
    ids=str,
)
def test_one_address_that_is_not_public_is_enough_to_refuse_all(addresses: list[str]) -> None:
    way = Way(None, *addresses)
    assert "not public" in refused(way)
    assert way.dialled == []


def test_a_name_that_changes_its_address_is_looked_up_once(certified: ssl.SSLContext) -> None:
    class Rebinding(Way):
        """Public when it is judged, private whenever anybody asks again."""

        def resolve(self, host: str) -> Sequence[str]:
            super().resolve(host)
            return [PUBLIC] if len(self.looked_up) == 1 else ["127.0.0.1"]

    with serving(certified, reply(PICTURE)) as server:
        way = Rebinding(server)
        assert way.fetch() == PICTURE
        assert (way.looked_up, way.dialled) == ([HOST], [PUBLIC])
        assert "not public" in refused(way)
    assert way.dialled == [PUBLIC]


def test_nothing_but_our_own_look_up_is_made(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(certified, reply(PICTURE)) as server:
        way = Way(server)
        plain = socket.getaddrinfo

        def watched(host: Any, *more: Any, **named: Any) -> Any:
            assert host == "127.0.0.1", "only the test's own way asks, for its server"
            return plain(host, *more, **named)

        monkeypatch.setattr(socket, "getaddrinfo", watched)
        assert way.fetch() == PICTURE


def test_where_one_address_is_dead_the_next_is_tried(certified: ssl.SSLContext) -> None:
    class HalfDead(Way):
        """Nobody answers at the first address."""

        def dial(self, address: str, seconds: float) -> socket.socket:
            if not self.dialled:
                self.dialled.append(address)
                raise TimeoutError
            return super().dial(address, seconds)

    with serving(certified, reply(PICTURE)) as server:
        way = HalfDead(server, PUBLIC, ANOTHER)
        assert way.fetch() == PICTURE
    assert way.dialled == [PUBLIC, ANOTHER]


def test_only_a_few_dead_addresses_are_tried() -> None:
    way = Way(None, *(f"93.184.215.{last}" for last in range(20)))
    assert "can't be reached" in failed(way)
    assert len(way.dialled) == 3


def test_a_name_that_leads_nowhere_may_do_so_later() -> None:
    class Nowhere(Way):
        """A name that nobody knows."""

        def resolve(self, host: str) -> Sequence[str]:
            raise socket.gaierror(socket.EAI_NONAME, "not known")

    assert "no address" in failed(Nowhere(None))


def test_names_are_looked_up_whole_and_addresses_dialled_at_the_port_of_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def info(*given: Any, **named: Any) -> Any:
        asked.append(given)
        rows = [(0, 0, 0, "", (PUBLIC, 443)), (0, 0, 0, "", (ANOTHER, 443, 0, 0))]
        return [*rows, rows[0]]

    monkeypatch.setattr(socket, "getaddrinfo", info)
    assert guarded.resolve(HOST) == [PUBLIC, ANOTHER]
    assert asked == [(f"{HOST}.", 443)], "with its dot, so that no domain of ours is added"
    dialled: list[Any] = []
    monkeypatch.setattr(socket, "create_connection", lambda *given: dialled.append(given))
    guarded.dial(PUBLIC, 3.0)
    assert dialled == [((PUBLIC, 443), 3.0)]


# Who answers


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_being_sent_on_is_the_end_of_it(status: int, certified: ssl.SSLContext) -> None:
    answer = reply(PICTURE, f"{status} Elsewhere", location=f"https://{HOST}/p/2.jpg")
    with serving(certified, answer) as server:
        way = Way(server)
        assert "sends us on" in refused(way)
        assert server.connections == 1
    assert way.looked_up == [HOST]


@pytest.mark.parametrize(
    "status", [201, 204, 206, 400, 401, 403, 404, 410, 429, 500, 502, 503, 599]
)
def test_any_other_answer_but_ok_may_be_another_one_later(
    status: int, certified: ssl.SSLContext
) -> None:
    with serving(certified, reply(PICTURE, f"{status} Sorry")) as server:
        assert str(status) in failed(Way(server))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x00" * 100,
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        reply(b"zz\r\n" + PICTURE, length=None, transfer_encoding="chunked"),
        reply(b"ffff\r\n" + PICTURE, length=None, transfer_encoding="chunked"),
    ],
    ids=lambda answer: ascii(answer[:24]),
)
def test_an_answer_that_is_none_may_be_one_later(answer: bytes, certified: ssl.SSLContext) -> None:
    with serving(certified, answer) as server:
        assert re.search("broke off|less of the picture", failed(Way(server)))


def test_who_is_certified_as_another_is_not_spoken_to(tmp_path: Path) -> None:
    other = AUTHORITY.server("evil.test", tmp_path)
    stranger = Authority("another authority").server(HOST, tmp_path)
    expired = AUTHORITY.server(HOST, tmp_path, expired=True)
    below = AUTHORITY.server(f"a.{HOST}", tmp_path)
    for context in (other, stranger, expired, below):
        with serving(context, reply(PICTURE)) as server:
            assert "certificate" in failed(Way(server))
            assert server.requests == []


def test_who_speaks_no_tls_is_not_spoken_to() -> None:
    with serving(None, reply(PICTURE)) as server:
        assert "broke off" in failed(Way(server))


def test_an_old_tls_is_not_spoken(tmp_path: Path) -> None:
    context = AUTHORITY.server(HOST, tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = ssl.TLSVersion.TLSv1_1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(context, reply(PICTURE)) as server:
        assert "broke off" in failed(Way(server))


# How much


def test_what_is_announced_as_too_large_is_not_read(certified: ssl.SSLContext) -> None:
    with serving(certified, reply(b"", length=LARGEST + 1)) as server:
        assert "larger than 5 MB" in refused(Way(server))


@pytest.mark.parametrize("head", [reply(b"", length=None), b"HTTP/1.0 200 OK\r\n\r\n"])
def test_what_grows_too_large_unannounced_is_let_go(head: bytes, certified: ssl.SSLContext) -> None:
    sent = 0

    def pours(server: Server, line: socket.socket) -> None:
        nonlocal sent
        line.sendall(head)
        for _ in range(100):
            line.sendall(bytes(LARGEST // 4))
            sent += LARGEST // 4

    with serving(certified, pours) as server:
        assert "larger than 5 MB" in refused(Way(server))
    assert sent < 4 * LARGEST


def test_what_grows_too_large_in_chunks_is_let_go(certified: ssl.SSLContext) -> None:
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    head = reply(b"", length=None, transfer_encoding="chunked")

    def pours(server: Server, line: socket.socket) -> None:
        line.sendall(head)
        for _ in range(100):
            line.sendall(chunk)

    with serving(certified, pours) as server:
        assert "larger than 5 MB" in refused(Way(server))


def test_the_largest_picture_is_taken(certified: ssl.SSLContext) -> None:
    with serving(certified, reply(bytes(LARGEST))) as server:
        assert len(Way(server).fetch()) == LARGEST


def test_of_a_body_that_is_longer_than_announced_no_more_is_read(
    certified: ssl.SSLContext,
) -> None:
    with serving(certified, reply(PICTURE + bytes(100), length=len(PICTURE))) as server:
        assert Way(server).fetch() == PICTURE


def test_a_body_that_is_shorter_than_announced_is_no_picture(certified: ssl.SSLContext) -> None:
    with serving(certified, reply(PICTURE, length=len(PICTURE) + 1)) as server:
        assert "less of the picture" in failed(Way(server))


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "99999999999999999999999999"])
def test_a_length_that_is_none_binds_nobody(length: str, certified: ssl.SSLContext) -> None:
    answer = reply(PICTURE, length=None, content_length=length)
    with serving(certified, answer) as server:
        way = Way(server)
        if length.isdigit():
            assert "larger" in refused(way)
        else:
            assert way.fetch() == PICTURE


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate", "identity, gzip", "zstd", "x"])
def test_what_is_packed_is_not_unpacked(coding: str, certified: ssl.SSLContext) -> None:
    with serving(certified, reply(PICTURE, content_encoding=coding)) as server:
        assert "packed" in refused(Way(server))


# How long


def quick(way: Way) -> str:
    """Why it failed; whatever the other side does, that takes no longer than it may."""
    began = time.monotonic()
    reason = failed(way, give_up=SOON)
    assert time.monotonic() - began < 3
    return reason


@pytest.mark.parametrize(
    "head",
    [
        reply(b"", length=1000),
        reply(b"", length=None),
        reply(b"", length=None, transfer_encoding="chunked") + b"1000\r\n",
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 ",
        b"",
    ],
    ids=ascii,
)
def test_a_server_that_drips_is_given_up(head: bytes, certified: ssl.SSLContext) -> None:
    def drips(server: Server, line: socket.socket) -> None:
        line.sendall(head)
        server.drips(line, b"7")

    with serving(certified, drips) as server:
        assert "longer than 0.5 seconds" in quick(Way(server))


def test_endless_interim_answers_are_given_up(certified: ssl.SSLContext) -> None:
    def continues(server: Server, line: socket.socket) -> None:
        server.drips(line, b"HTTP/1.1 100 Continue\r\n\r\n")

    with serving(certified, continues) as server:
        assert "longer than" in quick(Way(server))


@pytest.mark.parametrize("within", ["the handshake", "the answer"])
def test_a_server_that_says_nothing_is_given_up(within: str, certified: ssl.SSLContext) -> None:
    def waits(server: Server, line: socket.socket) -> None:
        server.over.wait(5)

    with serving(certified if within == "the answer" else None, waits) as server:
        quick(Way(server))


def test_a_look_up_that_takes_for_ever_is_given_up() -> None:
    over = threading.Event()

    class Slow(Way):
        """A resolver that waits for servers that are gone."""

        def resolve(self, host: str) -> Sequence[str]:
            over.wait(5)
            return super().resolve(host)

    way = Slow(None)
    assert "longer than" in quick(way)
    over.set()


def test_what_was_given_up_goes_on_nowhere(certified: ssl.SSLContext) -> None:
    """A connection that comes about too late is closed, and no thread stays behind."""
    connect, closed = threading.Event(), threading.Event()

    def watches(server: Server, line: socket.socket) -> None:
        if not line.recv(1):
            closed.set()

    class Late(Way):
        """A connection that takes longer than the whole fetch may."""

        def dial(self, address: str, seconds: float) -> socket.socket:
            connect.wait(5)
            return super().dial(address, seconds)

    before = threading.active_count()
    with serving(None, watches) as server:
        assert "longer than" in quick(Late(server))
        connect.set()
        assert closed.wait(5)
    for _ in range(100):
        if threading.active_count() <= before:
            return
        time.sleep(0.05)
    raise AssertionError("a thread stayed behind")


# In earnest


def test_in_earnest_resolver_connection_and_certificates_are_the_public_ones() -> None:
    """No setting reaches them: they are defaults, and the wiring gives nothing else."""
    tree = ast.parse(Path(str(wiring.__file__)).read_text("utf-8"))
    made = [
        n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "ImageWire"
    ]
    assert [(call.args, call.keywords) for call in made] == [([], [])]
    given = inspect.signature(ImageWire).parameters
    assert given["resolve"].default is guarded.resolve
    assert given["dial"].default is guarded.dial
    context = ImageWire()._way.context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    read = {*settings.SweeperSettings.__dataclass_fields__}
    assert not [name for name in read if re.search("image|proof|host|address", name)]
