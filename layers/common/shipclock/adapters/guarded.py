"""The way to hosts that somebody else may have chosen: public ones, by their names, over https.

It is ours from end to end: we look the name up once, judge every address that it has, and connect
to one of exactly these. Neither a redirect nor a proxy, nor a second look-up in a library, can lead
anywhere else (docs/decisions/0024).
"""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

import certifi

from shipclock.imagelinks import is_public
from shipclock.ports import FetchFailed, FetchRefused

PORT = 443
CONNECT_SECONDS = 3.0
ADDRESSES_TRIED = 3

T = TypeVar("T")

Resolve = Callable[[str], Sequence[str]]
"""The addresses of a host; raises OSError where it has none."""

Dial = Callable[[str, float], socket.socket]
"""A connection to an address, within that many seconds; raises OSError."""


def resolve(host: str) -> Sequence[str]:
    """See `Resolve`. The dot keeps the resolver from trying the name within our own domain."""
    found = socket.getaddrinfo(f"{host}.", PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def dial(address: str, seconds: float) -> socket.socket:
    """See `Dial`. An address looks nothing up."""
    return socket.create_connection((address, PORT), seconds)


class Way:
    """The way to public hosts, each call over a connection of its own."""

    def __init__(
        self, resolve: Resolve, dial: Dial, context: ssl.SSLContext | None, give_up: timedelta
    ) -> None:
        """A call is given up after that long, from the look-up to its last byte."""
        self._resolve = resolve
        self._dial = dial
        self._given = context
        self._give_up = give_up.total_seconds()

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Made when it is first needed: most sweeps call nobody, and reading the public's
        certificates takes a while. The environment has no say in which these are."""
        return self._given or ssl.create_default_context(cafile=certifi.where())

    def speak(self, host: str, talk: Callable[[HTTPConnection], T]) -> T:
        """What `talk` makes of a connection to a host. Raises `FetchRefused` where its address is
        not public, `FetchFailed` where it can't be reached or breaks off, and what `talk` raises of
        these.

        The work is done in a thread of its own: the timeouts of a socket bound the wait for each
        byte, not for all of them, and those of the look-up bound nothing.
        """
        line, answers = Line(), SimpleQueue[_Answer[T]]()
        call = threading.Thread(
            target=lambda: answers.put(self._spoken(host, talk, line)), daemon=True
        )
        call.start()
        try:
            return answers.get(timeout=self._give_up).result()
        except Empty:
            line.cut()
            raise FetchFailed(f"{host} took longer than {self._give_up:g} seconds") from None

    def _spoken(self, host: str, talk: Callable[[HTTPConnection], T], line: "Line") -> "_Answer[T]":
        try:
            with line:
                self._connect(host, line)
                return _Answer(talk(line.connection(host)))
        except (FetchRefused, FetchFailed) as reason:
            return _Answer(fault=reason)
        except socket.gaierror:
            return _Answer(fault=FetchFailed(f"no address of {host} is known"))
        except ssl.SSLCertVerificationError:
            return _Answer(fault=FetchFailed(f"the certificate shown is none of {host}"))
        except (OSError, HTTPException, ValueError) as fault:
            return _Answer(fault=FetchFailed(f"{host} broke off: {type(fault).__name__}"))

    def _connect(self, host: str, line: "Line") -> None:
        """Connect to the host at one of its addresses, of which none may be anything but public:
        who mixes them means to be let in by chance."""
        addresses = self._resolve(host)
        if not all(map(is_public, addresses)):
            raise FetchRefused(f"{host} leads to an address that is not public")
        connected = self._reach(host, addresses)
        connected.settimeout(self._give_up)
        line.hold(connected)
        line.encrypt(self.context, host)

    def _reach(self, host: str, addresses: Sequence[str]) -> socket.socket:
        for address in addresses[:ADDRESSES_TRIED]:
            with suppress(OSError):
                return self._dial(address, CONNECT_SECONDS)
        raise FetchFailed(f"{host} can't be reached")


class _Answer(Generic[T]):
    """What a call came to, carried from its thread to who waits for it."""

    def __init__(self, value: T | None = None, fault: Exception | None = None) -> None:
        self._value, self._fault = value, fault

    def result(self) -> T:
        """The value; raises the fault."""
        if self._fault is not None:
            raise self._fault
        return self._value  # type: ignore[return-value]  # one of the two is there


class Line:
    """The connection of one call. Who waits for the call may cut it, whatever it is doing."""

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
