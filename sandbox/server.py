"""The sandbox behind a socket, on this machine only.

The core decides; this file moves bytes, waits where a reply says so, and hangs up where it says
that there is no answer.
"""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sandbox import wire
from sandbox.control import PREFIX, control
from sandbox.core import Sandbox
from sandbox.wire import Refusal, Reply, Request

# The largest file that a call takes, and the form around it.
LARGEST_BODY = 11 << 20
_JSON = {"Content-Type": wire.JSON_TYPE}


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, sandbox: Sandbox) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.sandbox = sandbox
        self.stopping = threading.Event()

    def server_bind(self) -> None:
        # Nagle's delay would cost 40 ms per answer on a kept connection.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().server_bind()

    def handle_error(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """A client that hangs up is no news; anything else would be a bug, and shows as one."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # An idle client must not hold a thread for good.
    timeout = 60
    server: _Listener

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: token calls carry secrets in their query."""

    def do_GET(self) -> None:
        self._turn()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET

    def _turn(self) -> None:
        body = self._body()
        if body is None:
            return
        path = self.path.partition("?")[0]
        if path.startswith(PREFIX):
            status, told = control(self.server.sandbox, self.command, path, body)
            self._send(Reply(status, _JSON, wire.dump(told)))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            path, query = wire.parse_target(self.path)
        except (Refusal, ValueError) as wrong:
            refusal = (
                wrong
                if isinstance(wrong, Refusal)
                else Refusal(wire.BAD_PARAMETER, "the address cannot be read")
            )
            broken = Request(self.command, path, {}, headers, body)
            self._send(self.server.sandbox.refuse(broken, refusal))
            return
        request = Request(self.command, path, query, headers, body)
        self._send(self.server.sandbox.handle(request))

    def _body(self) -> bytes | None:
        """The whole body, or None after an answer that says why it was not read."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            self._give_up(411, "the body needs a Content-Length")
            return None
        if int(length) > LARGEST_BODY:
            self._give_up(413, f"the body is over {LARGEST_BODY} bytes")
            return None
        return self.rfile.read(int(length))

    def _give_up(self, status: int, message: str) -> None:
        self.close_connection = True
        self._send(Reply(status, _JSON, wire.dump({"error": message})))

    def _send(self, reply: Reply) -> None:
        if reply.delay:
            # Not `sleep`: a stopping server must not wait for its slow answers.
            self.server.stopping.wait(reply.delay)
        if reply.drop:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)


class Server:
    """A sandbox listening on 127.0.0.1. `port` 0 takes a free one; `url` says which.

    Use `start` and `stop`, or a `with` block.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self._listener = _Listener(port, sandbox)
        self._thread = threading.Thread(
            target=self._listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Answer from now on, in threads of its own; the sandbox's files are found here, too."""
        self._listener.sandbox.serve_at(self.url)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; slow answers still waiting are sent at once."""
        self._listener.stopping.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
