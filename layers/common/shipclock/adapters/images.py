"""Pictures fetched from carriers' servers (`ports.Pictures`, docs/decisions/0024).

Somebody else chose the link, so the way there is ours from end to end: we look the name up once,
judge every address that it has, and connect to one of exactly these. Neither a redirect nor a
proxy, nor a second look-up in a library, can lead anywhere else.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from http.client import HTTPConnection, HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from typing import TypeAlias

import certifi

from shipclock.imagelinks import Target, is_public, target_of
from shipclock.ports import FetchFailed, FetchRefused

GIVE_UP = timedelta(seconds=10)
"""How long one picture may take, from the look-up of its host to its last byte."""

PORT = 443
CONNECT_SECONDS = 3.0
ADDRESSES_TRIED = 3
LARGEST = 5 * 1024 * 1024
"""Bytes: the largest picture that a marketplace takes (`tiktok-shop.md` 5.2)."""
PIECE = 64 * 1024
OK = 200
SENT_ON = range(300, 400)

Resolve = Callable[[str], Sequence[str]]
"""The addresses of a host; raises OSError where it has none."""

Dial = Callable[[str, float], socket.socket]
"""A connection to an address, within that many seconds; raises OSError."""

Answer: TypeAlias = bytes | FetchRefused | FetchFailed


def resolve(host: str) -> Sequence[str]:
    """See `Resolve`. The dot keeps the resolver from trying the name within our own domain."""
    found = socket.getaddrinfo(f"{host}.", PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def dial(address: str, seconds: float) -> socket.socket:
    """See `Dial`. An address looks nothing up."""
    return socket.create_connection((address, PORT), seconds)


class ImageWire:
    """Fetches pictures, each over a connection of its own and for nobody in particular: without
    cookies, tokens or a word about where its link was found."""

    def __init__(
        self,
        resolve: Resolve = resolve,
        dial: Dial = dial,
        context: ssl.SSLContext | None = None,
        give_up: timedelta = GIVE_UP,
    ) -> None:
        """Uses the system's resolver and the public's certificates, unless a test brings others."""
        self._resolve = resolve
        self._dial = dial
        self._given = context
        self._give_up = give_up.total_seconds()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Made when it is first needed: most sweeps fetch nothing, and reading the public's
        certificates takes a while. The environment has no say in which these are."""
        return self._given or ssl.create_default_context(cafile=certifi.where())

    def fetch(self, link: str, hosts: Sequence[str]) -> bytes:
        """See `Pictures.fetch`.

        The work is done in a thread of its own: the timeouts of a socket bound the wait for each
        byte, not for all of them, and those of the look-up bound nothing.
        """
        target = target_of(link, hosts)
        line, answers = _Line(), SimpleQueue[Answer]()
        threading.Thread(target=lambda: answers.put(self._get(target, line)), daemon=True).start()
        try:
            answer = answers.get(timeout=self._give_up)
        except Empty:
            line.cut()
            raise FetchFailed(f"{target.host} took longer than {self._give_up:g} seconds") from None
        if isinstance(answer, bytes):
            return answer
        raise answer

    def _get(self, target: Target, line: "_Line") -> Answer:
        try:
            with line:
                self._connect(target, line)
                return _picture(target, line.connection(target.host))
        except (FetchRefused, FetchFailed) as reason:
            return reason
        except socket.gaierror:
            return FetchFailed(f"no address of {target.host} is known")
        except ssl.SSLCertVerificationError:
            return FetchFailed(f"the certificate shown is none of {target.host}")
        except (OSError, HTTPException, ValueError) as fault:
            return FetchFailed(f"{target.host} broke off: {type(fault).__name__}")

    def _connect(self, target: Target, line: "_Line") -> None:
        """Connect to the host at one of its addresses, of which none may be anything but public:
        who mixes them means to be let in by chance."""
        addresses = self._resolve(target.host)
        if not all(map(is_public, addresses)):
            raise FetchRefused(f"{target.host} leads to an address that is not public")
        connected = self._reach(target.host, addresses)
        connected.settimeout(self._give_up)
        line.hold(connected)
        line.encrypt(self._context, target.host)

    def _reach(self, host: str, addresses: Sequence[str]) -> socket.socket:
        for address in addresses[:ADDRESSES_TRIED]:
            with suppress(OSError):
                return self._dial(address, CONNECT_SECONDS)
        raise FetchFailed(f"{host} can't be reached")


class _Line:
    """The connection of one fetch. Who waits for the fetch may cut it, whatever it is doing."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._is_cut = False

    def __enter__(self) -> None:
        return None

    def __exit__(self, *raised: object) -> None:
        if self._socket is not None:
            self._socket.close()

    def hold(self, connected: socket.socket) -> None:
        """Go on with this connection; it is closed at the end, or at once if the line was cut."""
        with self._lock:
            self._socket = connected
            if self._is_cut:
                raise FetchFailed("it was given up")

    def encrypt(self, context: ssl.SSLContext, host: str) -> None:
        """Have the other side prove that it is that host."""
        if self._socket is None:
            raise OSError("not connected")
        wrapped = context.wrap_socket(
            self._socket, server_hostname=host, do_handshake_on_connect=False
        )
        self.hold(wrapped)
        wrapped.do_handshake()

    def connection(self, host: str) -> HTTPConnection:
        """HTTP over this line, and over no other."""
        spoken = HTTPConnection(host)
        spoken.sock = self._socket
        spoken.auto_open = 0  # it would look the name up again
        return spoken

    def cut(self) -> None:
        """End it under the hands of who uses it."""
        with self._lock:
            self._is_cut = True
            if self._socket is not None:
                with suppress(OSError):  # of the plain socket: the encrypted one would say goodbye
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _picture(target: Target, connection: HTTPConnection) -> bytes:
    connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
    for name, value in (
        ("host", target.host),
        ("user-agent", "shipclock"),
        ("accept", "image/jpeg, image/png"),
        ("accept-encoding", "identity"),
        ("connection", "close"),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    with connection.getresponse() as response:
        _judge(target, response)
        return _read(target, response)


def _judge(target: Target, response: HTTPResponse) -> None:
    """What may be read at all. What kind of file it is said to be does not matter."""
    if response.status in SENT_ON:
        raise FetchRefused(f"{target.host} sends us on to another address")
    if response.status != OK:
        raise FetchFailed(f"{target.host} answered {response.status}")
    if response.getheader("content-encoding", "identity").strip().lower() != "identity":
        raise FetchRefused("the picture was sent packed")
    if response.length is not None and response.length > LARGEST:
        raise FetchRefused(_TOO_LARGE)


_TOO_LARGE = f"the picture is larger than {LARGEST // 1024 // 1024} MB"


def _read(target: Target, response: HTTPResponse) -> bytes:
    """The whole body, counted as it comes: what was announced binds nobody."""
    body = bytearray()
    while piece := response.read1(PIECE):
        body += piece
        if len(body) > LARGEST:
            raise FetchRefused(_TOO_LARGE)
    if response.length:
        raise FetchFailed(f"{target.host} sent less of the picture than it announced")
    return bytes(body)
