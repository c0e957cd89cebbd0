"""The alternative that everybody knows: the same ingest over two boto3 clients.

It shows what decision 0003 saves; it is no part of the product.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

from shipclock.ingest import Arrival, NotKept, receive, source_of
from shipclock.ports import Row

table = boto3.client("dynamodb")
store = boto3.client("secretsmanager")


def typed(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's typed JSON, as the client wants it."""
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case int():
            return {"N": str(value)}
        case dict():
            return {"M": {name: typed(inner) for name, inner in value.items()}}
        case _:
            return {"L": [typed(inner) for inner in value]}


def keep(row: Row) -> bool:
    """Put a row if it is absent."""
    try:
        table.put_item(
            TableName=os.environ["SHIPCLOCK_TABLE"],
            Item={name: typed(value) for name, value in row.items()},
            ConditionExpression="attribute_not_exists(pk)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return False
        raise NotKept(str(error)) from error
    return True


def secrets() -> dict[str, Any]:
    """The sources' secret, not remembered."""
    found = store.get_secret_value(SecretId=os.environ["SHIPCLOCK_SOURCES_SECRET"])
    told: dict[str, Any] = json.loads(found["SecretString"])
    return told


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one webhook."""
    now = datetime.now(UTC)
    arrival = Arrival(
        source_of(event["rawPath"]) or "", event["headers"], event["body"].encode(), now
    )
    answer = receive(arrival, secrets, keep, timedelta(days=180))
    return {"statusCode": answer.status, "body": answer.body.decode()}
