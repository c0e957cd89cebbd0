"""What an operator does with a deployed stack's table, in AWS or on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import boto3

from cli import local
from shipclock import rows, translate
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.ports import Row, Store

PAGE = 100


class OperateError(Exception):
    """The table is not to be had; the message says what to do."""


def open_store(table: str | None) -> Store:
    """The store on a table in AWS by the caller's credentials, or on the local stack's."""
    if table:
        return DynamoStore(boto3.client("dynamodb"), table)
    described = local.STATE_DIR / "stack.json"
    if not described.exists():
        raise OperateError(
            "No local stack runs: start one with `make up`, or name a table in AWS with --table."
        )
    stack = json.loads(described.read_text())
    client = local.local_client("dynamodb", stack["aws_endpoint"])
    return DynamoStore(client, stack["table_name"])


def _in_quarantine(store: Store) -> Iterator[Row]:
    start = None
    while True:
        page = store.board(rows.QUARANTINE, PAGE, start)
        yield from page.rows
        if page.next is None:
            return
        start = page.next


def quarantined(store: Store) -> Iterator[str]:
    """A line per delivery that waits for a person, the oldest first."""
    for row in _in_quarantine(store):
        name = row["pk"].removeprefix("DELIVERY#")
        yield f"{row['received_at']}  {name}\n    {row['reason']}"


def replay(store: Store, names: Sequence[str], everything: bool) -> int:
    """Make quarantined deliveries due again; how many were."""
    keys = [(f"DELIVERY#{name}", rows.DELIVERY) for name in names]
    if everything:
        keys = [rows.key_of(row) for row in _in_quarantine(store)]
    done = 0
    for key in keys:
        row = store.get(key)
        if row is None or row.get("board_pk") != rows.QUARANTINE:
            name = key[0].removeprefix("DELIVERY#")
            raise OperateError(f"{name} is not in quarantine; `shipclock replay` lists what is.")
        done += translate.replay(store, row, datetime.now(UTC))
    return done
