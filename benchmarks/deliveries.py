"""Deliveries a second over HTTP on a local stack: ingest against the recipe on the same one.

Measured: a signed, new webhook posted to the local AWS's HTTP API until its answer, with one client
and with four, over kept connections on loopback; fixed counts, in turns. Both handlers run in warm
processes of the same interpreter. The stream and the schedule are off, so that nothing but the two
functions works. Half of each figure is the local AWS itself: read the ratio as a lower bound.
"""

import http.client
import itertools
import json
import statistics
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

from benchmarks.cloud import both, signed, webhook
from benchmarks.measure import Bar, Outcome, Table, alternately, medians, millis
from cli import local

EACH = 100


def run(quick: bool) -> Outcome:
    """Measure, in turns of 100 deliveries."""
    outcome = Outcome("deliveries", "POST until 200 on one local stack: ingest | the recipe")
    rounds = 1 if quick else 3
    with both() as cloud:
        numbers = itertools.count(1)
        slow: dict[str, list[float]] = {}
        measures = {}
        for clients in (1, 4):
            for name, url in (("ingest", cloud.ours), ("recipe", cloud.theirs)):
                label = f"{name}, {clients} client{'s' if clients > 1 else ''}"
                slow[label] = []
                load = _Load(cloud.stack, url, clients, numbers, slow[label])
                measures[label] = load
        found = medians(alternately(measures, rounds))
        tables = {
            "ours": cloud.stack.outputs["TableName"],
            "theirs": cloud.recipe["IdempotencyTable"],
        }
        client = cloud.stack.client("dynamodb")
        kept = {name: _count(client, table, name == "ours") for name, table in tables.items()}
    per_side = 2 * EACH * (rounds + 1)
    assert kept == {"ours": per_side, "theirs": per_side}, f"kept {kept}, sent {per_side} each"
    rows = []
    for crowd in ("1 client", "4 clients"):
        ours, theirs = found[f"ingest, {crowd}"], found[f"recipe, {crowd}"]
        p50 = {n: statistics.median(slow[f"{n}, {crowd}"]) for n in ("ingest", "recipe")}
        rows.append(
            (
                crowd,
                f"{1 / ours:.0f}/s",
                f"{1 / theirs:.0f}/s",
                f"{theirs / ours:.2f}x",
                millis(p50["ingest"]),
                millis(p50["recipe"]),
            )
        )
        outcome.figures[crowd] = {
            "ingest_per_second": 1 / ours,
            "recipe_per_second": 1 / theirs,
            "ratio": theirs / ours,
            "ingest_p50_ms": p50["ingest"] * 1e3,
            "recipe_p50_ms": p50["recipe"] * 1e3,
        }
    outcome.tables.append(Table(("", "ingest", "recipe", "ratio", "p50 ms", "recipe p50 ms"), rows))
    faster = found["recipe, 1 client"] > found["ingest, 1 client"]
    text = f"{found['recipe, 1 client'] / found['ingest, 1 client']:.2f}x"
    outcome.bars.append(Bar("not slower than the recipe", faster, text))
    outcome.notes.append(f"Every one of {per_side} deliveries on each side was found kept after.")
    return outcome


class _Load:
    """A measure: seconds per delivery of `EACH` new ones, shared among some clients."""

    def __init__(
        self,
        stack: local.Stack,
        url: str,
        clients: int,
        numbers: Iterator[int],
        latencies: list[float],
    ) -> None:
        self._stack = stack
        self._url = urllib.parse.urlsplit(url)
        self._clients = clients
        self._numbers = numbers
        self._latencies = latencies

    def __call__(self) -> float:
        bodies = [webhook(self._stack, next(self._numbers)) for _ in range(EACH)]
        shares = [bodies[place :: self._clients] for place in range(self._clients)]
        began = perf_counter()
        with ThreadPoolExecutor(self._clients) as pool:
            for latencies in pool.map(self._send_all, shares):
                self._latencies += latencies
        return (perf_counter() - began) / EACH

    def _send_all(self, bodies: list[bytes]) -> list[float]:
        host = self._url.netloc
        connection = http.client.HTTPConnection(host, timeout=30)
        latencies = []
        for body in bodies:
            began = perf_counter()
            connection.request("POST", self._url.path, body, signed(self._stack, body))
            answer = connection.getresponse()
            said = answer.read()
            latencies.append(perf_counter() - began)
            assert answer.status == 200, (answer.status, json.dumps(said.decode()[:300]))
        connection.close()
        return latencies


def _count(client: object, table: str, deliveries: bool) -> int:
    """How many deliveries a table holds; told by the local AWS, for the benchmark alone."""
    pages = client.get_paginator("scan").paginate(  # type: ignore[attr-defined]
        TableName=table, ConsistentRead=True
    )
    items = [item for page in pages for item in page["Items"]]
    return sum(1 for item in items if not deliveries or item["sk"]["S"] == "DELIVERY")
