"""What one sweep reads and writes, by how many orders are open and how many are due.

Counted, not timed, on the store in memory: requests, and units by the model of `units`. The due
orders are real ones, settled before, whose `status_update` clock runs out and whose first reminder
falls due. The open ones stand in the `due` index at a later time; they share one row, since a sweep
that reads a row that is not due is the very fault this looks for, and would show in the count.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from benchmarks.measure import Bar, Outcome, Table
from benchmarks.units import MeteredStore
from shipclock import rows
from tests.fakes import MemoryStore
from tests.stage import SHOP_ID, START, Stage

FIXED_DUE = 20
OPEN = (1_000, 10_000, 100_000, 1_000_000)
FIXED_OPEN = 10_000
DUE = (0, 10, 20, 40, 80)
DUE_AT = START + timedelta(hours=120)


@dataclass(frozen=True, slots=True)
class Counted:
    """What one sweep did."""

    settled: int
    requests: int
    reads: float
    writes: float


def run(quick: bool) -> Outcome:
    """Count sweeps over ever more open orders, then over ever more due ones."""
    outcome = Outcome("sweep", "requests and units of one sweep, counted on the store in memory")
    by_open = {many: sweep(many, FIXED_DUE) for many in (OPEN[:-1] if quick else OPEN)}
    by_due = {many: sweep(FIXED_OPEN, many) for many in DUE}
    columns = ("", "settled", "requests", "read units", "write units")
    outcome.tables += [
        Table(
            (f"open orders ({FIXED_DUE} due)", *columns[1:]),
            [(f"{many:,}", *_cells(found)) for many, found in by_open.items()],
        ),
        Table(
            (f"due orders ({FIXED_OPEN:,} open)", *columns[1:]),
            [(f"{many:,}", *_cells(found)) for many, found in by_due.items()],
        ),
    ]
    flat = len(set(by_open.values())) == 1
    steps = list(pairwise(sorted(by_due.items())[1:]))
    each = sorted({(b.requests - a.requests) / (m - n) for (n, a), (m, b) in steps})
    outcome.bars += [
        Bar("flat in what is open", flat, "the same counts" if flat else "they differ"),
        Bar(
            "straight in what is due",
            len(each) == 1,
            f"{' or '.join(f'{one:g}' for one in each)} requests more for each more that is due",
        ),
    ]
    outcome.notes.append(
        "A due order here costs its settle, two announcements (verdict and reminder) and the marks."
    )
    for name, counted in (("by_open", by_open), ("by_due", by_due)):
        outcome.figures[name] = {
            many: {"requests": f.requests, "read_units": f.reads, "write_units": f.writes}
            for many, f in counted.items()
        }
    return outcome


def sweep(open_orders: int, due_orders: int) -> Counted:
    """One sweep at the instant at which `due_orders` run out, with so many others open."""
    stage = Stage()
    for _ in range(due_orders):
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.marketplace_tells()
    stage.settle_down()
    stage.sandbox.advance(int(DUE_AT.timestamp()))
    stage.real.pass_time(60)
    _quiet(stage)
    _open(stage.memory, open_orders)
    metered = MeteredStore(stage.memory)
    stage.store = metered
    report = stage.sweep()
    assert (report.settled, report.due_left) == (due_orders, 0), report
    total = metered.by.values()
    return Counted(
        report.settled,
        sum(units.requests for units in total),
        sum(units.reads for units in total),
        sum(units.writes for units in total),
    )


def _quiet(stage: Stage) -> None:
    """Take the shop's reconciliation out of `due`: it is another mechanism's cost."""
    row = stage.memory.rows[rows.shop_pk(SHOP_ID)].get(rows.RECONCILE)
    if row is not None and "due_at" in row:
        entries = stage.memory._due[row["due_pk"]]
        entries.remove((row["due_at"], row["pk"], row["sk"]))
        del row["due_pk"], row["due_at"]


def _open(memory: MemoryStore, many: int) -> None:
    """Heads of open orders that are due later, put into table and index without settling each."""
    later = rows.at(DUE_AT + timedelta(days=1))
    shared = {rows.HEAD: {"pk": "ORDER#open", "sk": rows.HEAD, "order_id": "open"}}
    for number in range(many):
        key = rows.order_pk(f"9{number:017d}"), rows.HEAD
        memory.rows[key[0]] = shared
        memory._due.setdefault(str(rows.shard_of(key)), []).append((later, *key))
    for entries in memory._due.values():
        entries.sort()


def _cells(found: Counted) -> tuple[str, ...]:
    return (
        str(found.settled),
        f"{found.requests:,}",
        f"{found.reads:,.1f}",
        f"{found.writes:,.0f}",
    )
