"""The store on one DynamoDB table (`ports.Store`). What the rows mean is told in `rows`."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError

from shipclock.ports import (
    Above,
    Absent,
    Below,
    Change,
    Check,
    Due,
    Key,
    Page,
    Put,
    Row,
    StoreError,
    StoreRefused,
    When,
    Write,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

_to = TypeSerializer().serialize
_from = TypeDeserializer().deserialize

FAILED = "ConditionalCheckFailedException"
CANCELLED = "TransactionCanceledException"
RACED = "TransactionConflictException"
NEVER = {"ValidationException", "ValidationError", "ItemCollectionSizeLimitExceededException"}
LOST = ("ConditionalCheckFailed", "TransactionConflict")
"""Reasons of a cancelled transaction that mean a condition or a race, not a fault."""


class DynamoStore:
    """One table. Raises `StoreError`, or `StoreRefused` for what can never be done as asked."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        """Reads and writes that table through a client that is safe to share among threads."""
        self._client = client
        self._table = table

    def get(self, key: Key) -> Row | None:
        """See `Store.get`."""
        reply = self._ask("get_item", Key=_key(key), ConsistentRead=True)
        return _row(reply["Item"]) if "Item" in reply else None

    def read(self, pk: str, prefix: str = "") -> list[Row]:
        """See `Store.read`."""
        condition, values = "pk = :pk", {":pk": _to(pk)}
        if prefix:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = _to(prefix)
        found: list[Row] = []
        more: dict[str, Any] = {}
        while True:
            reply = self._ask(
                "query",
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **more,
            )
            found += [_row(item) for item in reply["Items"]]
            if "LastEvaluatedKey" not in reply:
                return found
            more = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}

    def write(self, write: Put | Change) -> bool:
        """See `Store.write`."""
        operation = "put_item" if isinstance(write, Put) else "update_item"
        try:
            self._ask(operation, **_terms(write))
        except _Refused as refusal:
            if refusal.code == FAILED:
                return False
            if refusal.code == RACED:
                return False
            raise _error(refusal) from refusal
        return True

    def commit(self, writes: Sequence[Write]) -> bool:
        """See `Store.commit`."""
        items = [{_verb(w): {"TableName": self._table, **_terms(w)}} for w in writes]
        try:
            self._call("transact_write_items", TransactItems=items)
        except _Refused as refusal:
            if refusal.code == CANCELLED and any(r in LOST for r in refusal.reasons):
                return False
            if refusal.code == RACED:
                return False
            raise _error(refusal) from refusal
        return True

    def due(self, shard: int, until: str, limit: int, after: Due | None = None) -> list[Due]:
        """See `Store.due`."""
        more: dict[str, Any] = {}
        if after is not None:
            start = {"due_pk": _to(str(shard)), "due_at": _to(after.due_at), **_key(after.key)}
            more = {"ExclusiveStartKey": start}
        reply = self._ask(
            "query",
            IndexName="due",
            KeyConditionExpression="due_pk = :shard AND due_at <= :until",
            ExpressionAttributeValues={":shard": _to(str(shard)), ":until": _to(until)},
            Limit=limit,
            **more,
        )
        return [Due((row["pk"], row["sk"]), row["due_at"]) for row in map(_row, reply["Items"])]

    def board(self, partition: str, limit: int, start: str | None = None) -> Page:
        """See `Store.board`."""
        condition, values = "board_pk = :partition", {":partition": _to(partition)}
        if start is not None:
            condition += " AND board_at > :start"
            values[":start"] = _to(start)
        reply = self._ask(
            "query",
            IndexName="board",
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            Limit=limit,
        )
        found = [_row(item) for item in reply["Items"]]
        more = "LastEvaluatedKey" in reply and found
        return Page(found, found[-1]["board_at"] if more else None)

    def count(self, partition: str, most: int) -> int:
        """See `Store.count`."""
        counted = 0
        more: dict[str, Any] = {}
        while counted < most:
            reply = self._ask(
                "query",
                IndexName="board",
                KeyConditionExpression="board_pk = :partition",
                ExpressionAttributeValues={":partition": _to(partition)},
                Select="COUNT",
                Limit=most - counted,
                **more,
            )
            counted += reply["Count"]
            if "LastEvaluatedKey" not in reply:
                break
            more = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}
        return counted

    def _ask(self, operation: str, **terms: Any) -> dict[str, Any]:
        try:
            return self._call(operation, TableName=self._table, **terms)
        except _Refused as refusal:
            if refusal.code in (FAILED, RACED):
                raise
            raise _error(refusal) from refusal

    def _call(self, operation: str, **terms: Any) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = getattr(self._client, operation)(**terms)
        except ClientError as error:
            raise _Refused(error) from error
        except BotoCoreError as error:
            raise StoreError(f"the table did not answer: {type(error).__name__}") from error
        return reply


class _Refused(Exception):
    """The service answered with an error code."""

    def __init__(self, error: ClientError) -> None:
        response: dict[str, Any] = dict(error.response)
        self.code = str(response.get("Error", {}).get("Code", ""))
        self.reasons = [str(r.get("Code", "")) for r in response.get("CancellationReasons", [])]
        super().__init__(self.code)


def _error(refusal: _Refused) -> StoreError | StoreRefused:
    final = {refusal.code, *refusal.reasons} & NEVER
    return (StoreRefused if final else StoreError)(f"{refusal.code} {refusal.reasons}")


def _key(key: Key) -> dict[str, Any]:
    return {"pk": _to(key[0]), "sk": _to(key[1])}


def _row(item: dict[str, Any]) -> Row:
    return {
        name: value["B"] if "B" in value else _plain(_from(value)) for name, value in item.items()
    }


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return int(value)
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _verb(write: Write) -> str:
    return {Put: "Put", Change: "Update", Check: "ConditionCheck"}[type(write)]


def _terms(write: Write) -> dict[str, Any]:
    """The service's terms of one write, but for the table's name."""
    if isinstance(write, Put):
        item = {name: _to(value) for name, value in write.row.items()}
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    present = not (isinstance(write, Change) and write.create)
    condition, names, values = _condition(write.when, present)
    terms: dict[str, Any] = {"Key": _key(write.key)}
    if isinstance(write, Change):
        terms["UpdateExpression"] = _update(write, names, values)
    if condition:
        terms["ConditionExpression"] = condition
    if names:
        terms["ExpressionAttributeNames"] = names
    if values:
        terms["ExpressionAttributeValues"] = values
    return terms


def _condition(when: When, present: bool) -> tuple[str, dict[str, str], dict[str, Any]]:
    parts = ["attribute_exists(pk)"] if present else []
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    for place, (name, wanted) in enumerate(when.items()):
        here, value = f"#w{place}", f":w{place}"
        names[here] = name
        match wanted:
            case Absent():
                parts.append(f"attribute_not_exists({here})")
            case Below():
                parts.append(f"(attribute_not_exists({here}) OR {here} < {value})")
                values[value] = _to(wanted.value)
            case Above():
                parts.append(f"{here} > {value}")
                values[value] = _to(wanted.value)
            case _:
                parts.append(f"{here} = {value}")
                values[value] = _to(wanted)
    return " AND ".join(parts), names, values


def _update(change: Change, names: dict[str, str], values: dict[str, Any]) -> str:
    sets, removes = [], []
    for place, (name, value) in enumerate(change.set.items()):
        names[f"#s{place}"] = name
        values[f":s{place}"] = _to(value)
        sets.append(f"#s{place} = :s{place}")
    for place, name in enumerate(change.remove):
        names[f"#r{place}"] = name
        removes.append(f"#r{place}")
    parts = [f"SET {', '.join(sets)}"] if sets else []
    parts += [f"REMOVE {', '.join(removes)}"] if removes else []
    return " ".join(parts)
