"""Counting at the wire: a proxy before the local AWS that notes every request and its units."""

import contextlib
import http.client
import http.server
import json
import threading
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Tally:
    """What passed: operations by name, and the units that the local AWS reports for them."""

    operations: Counter[str] = field(default_factory=Counter)
    writes: float = 0.0
    reads: float = 0.0
    unpriced: int = 0

    @property
    def dynamodb(self) -> int:
        """Requests to DynamoDB."""
        return sum(n for name, n in self.operations.items() if name.startswith("DynamoDB"))


@contextlib.contextmanager
def counting(endpoint: str) -> Iterator[tuple[str, Tally]]:
    """A proxy before that endpoint; yields its address and the tally, which may be replaced.

    It asks for `ReturnConsumedCapacity=INDEXES` on behalf of the caller, which the local AWS lets
    pass because it checks no signature. A failed condition carries no units: `unpriced`.
    """
    tally = Tally()
    there = urllib.parse.urlsplit(endpoint)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            target = self.headers.get("x-amz-target", "")
            if target.startswith("DynamoDB"):
                asked = {**json.loads(body), "ReturnConsumedCapacity": "INDEXES"}
                body = json.dumps(asked).encode()
            headers = {n: v for n, v in self.headers.items() if n.lower() != "content-length"}
            connection = http.client.HTTPConnection(there.netloc, timeout=10)
            connection.request("POST", self.path, body, headers)
            answer = connection.getresponse()
            said = answer.read()
            connection.close()
            note(tally, target, said, answer.status)
            self.send_response(answer.status)
            self.send_header("content-type", answer.getheader("content-type") or "")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", tally
    finally:
        server.shutdown()
        server.server_close()


def note(tally: Tally, target: str, said: bytes, status: int) -> None:
    """Add one request to a tally."""
    tally.operations[target] += 1
    if not target.startswith("DynamoDB"):
        return
    writes, reads = units_in(json.loads(said or b"{}"), target)
    tally.writes += writes
    tally.reads += reads
    if status != 200:
        tally.unpriced += 1


READS = ("GetItem", "Query", "Scan", "BatchGetItem")


def units_in(answer: Mapping[str, Any], operation: str) -> tuple[float, float]:
    """Write and read units that an answer reports."""
    told = answer.get("ConsumedCapacity") or []
    listed = told if isinstance(told, list) else [told]
    total = sum(float(one.get("CapacityUnits", 0)) for one in listed)
    is_read = operation.rpartition(".")[2] in READS
    return (0.0, total) if is_read else (total, 0.0)
