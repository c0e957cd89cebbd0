"""Servers on 127.0.0.1 that say what a test has them say: over TLS, late, or broken off."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

Script = Callable[["Server", socket.socket], None]
"""What a server does with a connection once it has read a request."""


class Server:
    """A server on a port of its own; remembers who came and what they asked."""

    def __init__(self, script: Script, context: ssl.SSLContext | None) -> None:
        self._script, self._context = script, context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()
        self.requests: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: Any, trace: TracebackType | None
    ) -> None:
        self.over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            with suppress(OSError), connection:
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        if self._context is None:
            self._script(self, connection)
            return
        with self._context.wrap_socket(connection, server_side=True) as line:
            asked = b""
            while b"\r\n\r\n" not in asked and (more := line.recv(4096)):
                asked += more
            self.requests.append(asked)
            self._script(self, line)

    def drips(self, line: socket.socket, drop: bytes) -> None:
        """Send a little again and again, until the test is over."""
        while not self.over.wait(0.05):
            line.sendall(drop)


@contextmanager
def serving(certified: ssl.SSLContext | None, script: Script | bytes) -> Iterator[Server]:
    said = script if callable(script) else (lambda _, line: line.sendall(script))
    with Server(said, certified) as server:
        yield server


def reply(body: bytes, status: str = "200 OK", length: int | None = -1, **headers: str) -> bytes:
    """An answer; its length as it is, another one, or none."""
    announced = len(body) if length == -1 else length
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if announced is not None:
        named["content-length"] = str(announced)
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body
