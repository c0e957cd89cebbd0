"""DynamoDB requests and units, and what an order's life costs, against the usual pattern.

Three parts in one run:

1. *At the wire*: the real handlers of ingest and of the recipe, called in this process, their
   requests counted by a proxy before a local AWS; one new delivery, and the same one repeated.
2. *The model*: every store call of a few whole lives made on the store in memory and on the local
   AWS alike; the units of the model of `units` are compared with the reported ones, call by call.
3. *The price*: a steady stream of whole lives in memory (`life`), once with one order at a time and
   once with two. The difference is what one more order costs, by mechanism; the rest is what a shop
   costs by the minute. Priced per million orders (`prices`) beside the usual pattern.

The usual pattern, as priced: HTTP API, a function that verifies and queues (SQS), a worker that
keeps an idempotency record (put and update) and updates the order in place in a table with one
index, and one EventBridge schedule for each deadline that invokes a function which reads the order
and writes what it found. It trusts webhooks, re-reads nothing and pushes once.
"""

import importlib.util
import os
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

from benchmarks import ROOT, prices
from benchmarks.cloud import Both, both, signed, webhook
from benchmarks.life import Life
from benchmarks.measure import Bar, Outcome, Table
from benchmarks.units import MeteredStore, Units
from benchmarks.wire import Tally, counting, units_in
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.ports import Change, Due, Key, Page, Put, Row, Write
from tests.fakes import MemoryStore

MILLION = 1_000_000
USUAL = 114.0
"""USD per million orders that DESIGN names for the usual pattern."""

DEADLINES = 6
"""Schedules per order in the usual pattern: three hard lines, two clocks of the pack, a warning."""

STATUS_MOVES = 7
"""How often the order's entry in the usual pattern's one index moves."""

SWEEPS_A_MONTH = 60 * 24 * 30
SEARCHES_A_MONTH = 4 * 24 * 30


def run(quick: bool) -> Outcome:
    """Count, compare and price."""
    outcome = Outcome("requests_and_units", "ingest | the recipe; an order's life | the usual way")
    with both() as cloud:
        recipe_units = _at_the_wire(outcome, cloud)
        _against_the_cloud(outcome, cloud, 1 if quick else 2)
    _price(outcome, recipe_units, 40 if quick else 100)
    return outcome


# AT THE WIRE --------------------------------------------------------------------------------------


def _at_the_wire(outcome: Outcome, cloud: Both) -> float:
    """Count one new and one repeated delivery; return the recipe's write units of a new one."""
    rows = []
    counted: dict[str, Tally] = {}
    with counting(cloud.stack.aws_endpoint) as (proxy, tally):
        environ = {
            "AWS_ENDPOINT_URL": proxy,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "SHIPCLOCK_TABLE": cloud.stack.outputs["TableName"],
            "SHIPCLOCK_SOURCES_SECRET": cloud.stack.outputs["SourcesSecret"],
            "ORDERS_TABLE": cloud.recipe["OrdersTable"],
            "IDEMPOTENCY_TABLE": cloud.recipe["IdempotencyTable"],
            "APP_KEY": cloud.stack.tiktok["app_key"],
            "APP_SECRET": cloud.stack.tiktok["app_secret"],
            "POWERTOOLS_LOG_LEVEL": "CRITICAL",
            "NO_PROXY": "127.0.0.1",
        }
        with (
            patch.dict(os.environ, environ),
            patch("sys.stdout"),
            warnings.catch_warnings(action="ignore"),
        ):
            handlers = {
                "ingest": (_load("functions/ingest/app.py"), "/webhooks/tiktok"),
                "recipe": (_load("benchmarks/recipe/app.py"), "/webhooks/recipe"),
            }
            for name, (module, path) in handlers.items():
                for what, number in (("first", 1), ("new", 2), ("repeated", 2)):
                    _forget(tally)
                    answer = module.handler(_event(cloud, path, number), _Context())
                    assert answer["statusCode"] == 200, answer
                    counted[f"{name}, {what}"] = Tally(
                        Counter(tally.operations), tally.writes, tally.reads, tally.unpriced
                    )
    for label, one in counted.items():
        if label.endswith("first"):
            continue
        names = "+".join(
            f"{n if n > 1 else ''}{op.rpartition('.')[2]}" for op, n in one.operations.items()
        )
        failed = f" + {one.unpriced} failed" if one.unpriced else ""
        rows.append((label, str(one.dynamodb), f"{one.writes:g}{failed}", f"{one.reads:g}", names))
    columns = ("a delivery", "requests", "write units", "read units", "")
    outcome.tables.append(Table(columns, rows))
    new, repeated = counted["ingest, new"], counted["ingest, repeated"]
    one_each = new.dynamodb == repeated.dynamodb == 1
    outcome.bars.append(
        Bar(
            "one DynamoDB request for a new delivery and one for a repeated one",
            one_each,
            f"{new.dynamodb} and {repeated.dynamodb}; the recipe "
            f"{counted['recipe, new'].dynamodb} and {counted['recipe, repeated'].dynamodb}",
        )
    )
    outcome.figures["wire"] = {
        label: {"requests": one.dynamodb, "writes": one.writes, "reads": one.reads}
        for label, one in counted.items()
    }
    outcome.notes.append(
        "A failed condition is charged on AWS like the write itself, at least one unit; the local "
        "AWS reports none. The first delivery of a process also reads the secret, once in 5 min."
    )
    return counted["recipe, new"].writes


def _forget(tally: Tally) -> None:
    tally.operations.clear()
    tally.writes = tally.reads = 0.0
    tally.unpriced = 0


def _load(path: str) -> ModuleType:
    """A function's module, imported under the environment that is set now."""
    spec = importlib.util.spec_from_file_location(path.replace("/", "_")[:-3], ROOT / path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class _Context(SimpleNamespace):
    """What the recipe's decorators ask of a Lambda context."""

    function_name = "recipe"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:recipe"
    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        """Time enough."""
        return 10_000


def _event(cloud: Both, path: str, number: int) -> dict[str, Any]:
    body = webhook(cloud.stack, number)
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": signed(cloud.stack, body),
        "requestContext": {"http": {"method": "POST", "path": path}, "stage": "$default"},
        "isBase64Encoded": False,
        "body": body.decode(),
    }


# THE MODEL AGAINST THE LOCAL AWS ------------------------------------------------------------------


class _Twin:
    """Every call made on both stores; the answers must agree, the units are compared."""

    def __init__(self, metered: MeteredStore, real: DynamoStore, client: Any) -> None:
        self._metered, self._real = metered, real
        self._told: list[tuple[str, float, float]] = []
        self.agree: Counter[str] = Counter()
        self.differ: Counter[str] = Counter()
        self.model, self.cloud = Units(), Units()
        client.meta.events.register("before-parameter-build.dynamodb", self._ask)
        client.meta.events.register("after-call.dynamodb", self._hear)

    def _ask(self, params: dict[str, Any], **_: Any) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"

    def _hear(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self._told.append((model.name, *units_in(parsed, model.name)))

    @property
    def memory(self) -> MemoryStore:
        """The store in memory."""
        return self._metered.memory

    @memory.setter
    def memory(self, memory: MemoryStore) -> None:
        self._metered.memory = memory
        for partition in memory.rows.values():
            for row in partition.values():
                assert self._real.write(Put(row))

    def _compare(self, done: bool = True) -> None:
        name = self._told[-1][0] if self._told else "?"
        writes = sum(told[1] for told in self._told)
        reads = sum(told[2] for told in self._told)
        self._told.clear()
        if not done:
            return
        mine = self._metered.last
        same = (mine.writes, mine.reads) == (writes, reads)
        (self.agree if same else self.differ)[name] += 1
        self.model.add(mine)
        self.cloud.add(Units(1, writes, reads))

    def get(self, key: Key) -> Row | None:
        self._told.clear()
        found = self._metered.get(key)
        assert self._real.get(key) == found
        self._compare()
        return found

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        self._told.clear()
        found = self._metered.read(pk, prefix)
        assert self._real.read(pk, prefix) == found
        self._compare()
        return found

    def write(self, write: Put | Change) -> bool:
        self._told.clear()
        done = self._metered.write(write)
        assert self._real.write(write) == done
        self._compare(done)
        return done

    def commit(self, writes: Sequence[Write]) -> bool:
        self._told.clear()
        done = self._metered.commit(writes)
        assert self._real.commit(writes) == done
        self._compare(done)
        return done

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        self._told.clear()
        found = self._metered.due(shard, until, limit, after)
        assert {d.key for d in self._real.due(shard, until, limit, after)} == {d.key for d in found}
        self._compare()
        return found

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        return self._metered.board(partition, limit, start)

    def count(self, partition: str, most: int) -> int:
        return self._metered.count(partition, most)


def _against_the_cloud(outcome: Outcome, cloud: Both, lives: int) -> None:
    client = cloud.stack.client("dynamodb")
    client.create_table(**_like(client, cloud.stack.outputs["TableName"]))
    real = DynamoStore(client, "model-check")
    twin = _Twin(MeteredStore(MemoryStore()), real, client)
    Life(1, twin, groups=lives, idle_sweeps=False).live()
    rows = [
        (name, str(twin.agree[name]), str(twin.differ[name]))
        for name in sorted({*twin.agree, *twin.differ})
    ]
    outcome.tables.append(Table(("units, model | local AWS", "same", "other"), rows))
    share = sum(twin.agree.values()) / (sum(twin.agree.values()) + sum(twin.differ.values()))
    outcome.notes.append(
        f"Over {lives} whole li{'ves' if lives > 1 else 'fe'}: the model says {twin.model.writes:g}"
        f" write and {twin.model.reads:g} read units, the local AWS {twin.cloud.writes:g} and "
        f"{twin.cloud.reads:g}; {share:.1%} of the calls agree exactly. The local AWS counts one "
        "unit for a query of any size, and an index entry inside a transaction once."
    )
    outcome.figures["model"] = {
        "agree": dict(twin.agree),
        "differ": dict(twin.differ),
        "model": [twin.model.writes, twin.model.reads],
        "cloud": [twin.cloud.writes, twin.cloud.reads],
    }


def _like(client: Any, table: str) -> dict[str, Any]:
    """The words that make another table like the deployed one."""
    told = client.describe_table(TableName=table)["Table"]
    indexes = [
        {name: one[name] for name in ("IndexName", "KeySchema", "Projection")}
        for one in told["GlobalSecondaryIndexes"]
    ]
    return {
        "TableName": "model-check",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": told["KeySchema"],
        "AttributeDefinitions": told["AttributeDefinitions"],
        "GlobalSecondaryIndexes": indexes,
    }


# THE PRICE ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill: what one order causes, and what it costs for a million."""

    what: str
    requests: float
    writes: float
    reads: float
    usd: float


def _price(outcome: Outcome, recipe_units: float, groups: int) -> None:
    lines, fixed, parts, deliveries = _ours(groups)
    theirs = _usual(deliveries, recipe_units)
    ours_total = sum(line.usd for line in lines) + sum(fixed.values())
    theirs_total = sum(line.usd for line in theirs)
    columns = ("", "requests", "write units", "read units", "USD")
    rows = [_cells(line) for line in lines]
    rows += [(f"fixed: {what}", "", "", "", f"{usd:.2f}") for what, usd in fixed.items()]
    rows.append(("sum, per million orders in a month", "", "", "", f"{ours_total:.2f}"))
    outcome.tables.append(Table(("Shipclock, per order", *columns[1:]), rows))
    rows = [_cells(line) for line in theirs]
    rows.append(("sum, per million orders in a month", "", "", "", f"{theirs_total:.2f}"))
    outcome.tables.append(Table(("the usual pattern, per order", *columns[1:]), rows))
    heaviest = sorted(parts.items(), key=lambda item: -item[1])[:12]
    outcome.tables.append(
        Table(
            ("where the write units go", "part", "per order", "USD per million"),
            [(kind, part, f"{n:.1f}", f"{n * 0.625:.2f}") for (kind, part), n in heaviest],
        )
    )
    outcome.bars += [
        Bar(
            f"at most half of ${USUAL:.0f} per million orders",
            ours_total <= USUAL / 2,
            f"${ours_total:.0f}, {ours_total / USUAL:.2f} of it",
        ),
        Bar(
            "at most half of the usual pattern as priced here",
            ours_total <= theirs_total / 2,
            f"${ours_total:.0f} against ${theirs_total:.0f}, {ours_total / theirs_total:.2f} of it",
        ),
    ]
    outcome.notes.append(
        f"A life here: {deliveries:g} deliveries and one push. Assumed: {prices.CALL_SECONDS:g} s "
        f"for a call, {prices.OWN_SECONDS:g} s of own work, each delivery its own stream poke, one "
        "shop busy in every minute."
    )
    outcome.figures["price"] = {
        "ours": ours_total,
        "usual": theirs_total,
        "ours_lines": {line.what: line.usd for line in lines} | fixed,
        "usual_lines": {line.what: line.usd for line in theirs},
        "write_units": {" ".join(key): n for key, n in parts.items()},
    }


def _ours(
    groups: int,
) -> tuple[list[Line], dict[str, float], dict[tuple[str, str], float], float]:
    """What one more order costs, what a shop costs in a month, and where the write units go."""
    runs = []
    for width in (1, 2):
        store = MeteredStore(MemoryStore())
        life = Life(width, store, groups)
        life.live()
        runs.append((store, life))
    (one, first), (two, second) = runs
    more = second.orders - first.orders
    assert first.sweeps == second.sweeps
    deliveries = (second.arrived.total() - first.arrived.total()) / more
    names: tuple[str, ...] = (
        "ingest",
        "translate",
        "settle",
        "announce",
        "re-read",
        "push",
        "reconcile",
    )
    # What `units` does not know yet is billed all the same, as "other".
    names += tuple(sorted(set(two.by) - {*names, "lane", "index"}))
    lines = []
    poked = Units()
    for name in names:
        each = Units(
            two.by[name].requests - one.by[name].requests,
            two.by[name].writes - one.by[name].writes,
            two.by[name].reads - one.by[name].reads,
        )
        requests, writes, reads = each.requests / more, each.writes / more, each.reads / more
        if name != "ingest":
            poked.add(Units(each.requests, 0, 0))
        usd = (writes * prices.WRITE_UNIT + reads * prices.READ_UNIT) * MILLION
        lines.append(Line(name, requests, writes, reads, usd))
    ingest = deliveries * (prices.HTTP_REQUEST + prices.invocation(1.0, 1)) * MILLION
    lines.append(Line("HTTP API and ingest's Lambda", deliveries, 0, 0, ingest))
    calls = poked.requests / more
    seconds = deliveries * prices.OWN_SECONDS + calls * prices.CALL_SECONDS
    sweeper = deliveries * prices.LAMBDA_REQUEST + seconds * 0.5 * prices.LAMBDA_GB_SECOND
    lines.append(Line("sweeper's Lambda", deliveries, 0, 0, sweeper * MILLION))
    parts = {
        key: (two.parts[key] - one.parts[key]) / more
        for key in two.parts
        if two.parts[key] - one.parts[key] > 0.05 * more
    }
    return lines, _fixed(one, two, first), parts, deliveries


def _fixed(one: MeteredStore, two: MeteredStore, first: Life) -> dict[str, float]:
    """USD a month of what does not grow with orders, for one shop that is busy in every minute."""
    found = {}
    for name, times in (
        ("index", SWEEPS_A_MONTH),
        ("lane", SWEEPS_A_MONTH),
        ("reconcile", SEARCHES_A_MONTH),
    ):
        writes = 2 * one.by[name].writes - two.by[name].writes
        reads = 2 * one.by[name].reads - two.by[name].reads
        usd = (max(writes, 0) * prices.WRITE_UNIT + max(reads, 0) * prices.READ_UNIT) * times
        found[name] = usd / first.sweeps
    seconds = 1.0  # a busy minute's sweep: it waits for the marketplace's answers
    run_cost = prices.LAMBDA_REQUEST + seconds * 0.5 * prices.LAMBDA_GB_SECOND
    found["schedule and sweeps"] = SWEEPS_A_MONTH * (prices.SCHEDULER_INVOCATION + run_cost)
    reads_of_secret = 3 * 12 * 24 * 30
    found["secrets"] = 2 * prices.SECRET_MONTH + reads_of_secret * prices.SECRET_READ
    return found


def _usual(deliveries: float, recipe_units: float) -> list[Line]:
    """The usual pattern's bill. `recipe_units` is what the recipe's delivery was seen to write."""
    per = MILLION
    http = deliveries * prices.HTTP_REQUEST * per
    front = deliveries * prices.invocation(1.0, 1) * per
    queue = deliveries * 3 * prices.SQS_REQUEST * per
    worker = deliveries * prices.invocation(0.5, 3) * per
    kept = deliveries * recipe_units
    moves = STATUS_MOVES * 2
    fired = DEADLINES * (prices.SCHEDULER_INVOCATION + prices.invocation(0.5, 2)) * per
    pushed = prices.invocation(0.5, 3) * per

    def units(writes: float, reads: float) -> float:
        return (writes * prices.WRITE_UNIT + reads * prices.READ_UNIT) * per

    return [
        Line("HTTP API and its Lambda", deliveries, 0, 0, http + front),
        Line("SQS, send, receive, delete", 3 * deliveries, 0, 0, queue),
        Line("worker's Lambda", deliveries, 0, 0, worker),
        Line("idempotency and update in place", 3 * deliveries, kept, 0, units(kept, 0)),
        Line("its one index", 0, moves, 0, units(moves, 0)),
        Line("a schedule per deadline", DEADLINES, 0, 0, fired),
        Line("what the deadlines read and write", 2 * DEADLINES, DEADLINES, DEADLINES,
             units(DEADLINES, DEADLINES)),
        Line("one push", 3, 2, 1, pushed + units(2, 1)),
    ]  # fmt: skip


def _cells(line: Line) -> tuple[str, ...]:
    units = [f"{n:.1f}" if n else "" for n in (line.requests, line.writes, line.reads)]
    return (line.what, *units, f"{line.usd:.2f}")
