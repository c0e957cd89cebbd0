"""Signed calls to AWS's JSON services without an SDK client: ingest's way to table and secrets.

Building a boto3 client costs most of a cold start, and a sender waits no longer than three seconds
for its answer. botocore's own signer with urllib3 is the same signature at a fraction of the
import (docs/decisions/0003). Everything but ingest uses boto3.
"""

import base64
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from shipclock.ingest import NotKept
from shipclock.ports import Row

TIMEOUT = urllib3.Timeout(connect=1.0, read=2.0)
TRIES = 2
SECRET_AGE = timedelta(minutes=5)

VERSIONS = {"dynamodb": "1.0", "secretsmanager": "1.1"}


class AwsJson:
    """Calls one region's JSON services with the credentials that the environment names."""

    def __init__(self, env: Mapping[str, str]) -> None:
        """Remembers the environment; reads it and connects at the first call."""
        self._env = env
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT)

    def call(self, service: str, target: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of one operation. Repeats once what certainly or harmlessly may be repeated.

        Raises `Refused` with the service's error code, or `NotKept` when there was no answer.
        """
        last = "no try was made"
        for _ in range(TRIES):
            try:
                reply = self._send(service, target, json.dumps(payload).encode())
            except urllib3.exceptions.HTTPError as error:
                last = type(error).__name__
                continue
            if reply.status == 200:
                found: dict[str, Any] = json.loads(reply.data)
                return found
            code = _error_code(reply.data)
            if reply.status < 500 and code not in THROTTLED:
                raise Refused(code)
            last = code
        raise NotKept(f"{service} did not answer: {last}")

    def _send(self, service: str, target: str, body: bytes) -> urllib3.BaseHTTPResponse:
        env = self._env
        region = env.get("AWS_REGION", "us-east-1")
        host = env.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.amazonaws.com"
        url = host.rstrip("/") + "/"
        headers = {
            "Content-Type": f"application/x-amz-json-{VERSIONS[service]}",
            "X-Amz-Target": target,
        }
        request = AWSRequest("POST", url, headers=headers, data=body)
        keys = Credentials(
            env.get("AWS_ACCESS_KEY_ID", ""),
            env.get("AWS_SECRET_ACCESS_KEY", ""),
            env.get("AWS_SESSION_TOKEN"),
        )
        SigV4Auth(keys, service, region).add_auth(request)
        return self._pool.request("POST", url, headers=dict(request.headers), body=body)


THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "InternalServerError",
    }
)


class Refused(Exception):
    """The service said no; the message is its error code."""


def _error_code(data: bytes) -> str:
    try:
        return str(json.loads(data).get("__type", "")).rpartition("#")[2]
    except (ValueError, AttributeError):
        return "an answer that is no JSON"


class Keeper:
    """Puts a delivery's row if it is absent: one request for a new one, one for a repeat."""

    def __init__(self, aws: AwsJson, table: str) -> None:
        """Keeps rows in that table."""
        self._aws = aws
        self._table = table

    def __call__(self, row: Row) -> bool:
        """Whether the row was new. Raises `NotKept`."""
        try:
            self._aws.call(
                "dynamodb",
                "DynamoDB_20120810.PutItem",
                {
                    "TableName": self._table,
                    "Item": {name: _typed(value) for name, value in row.items()},
                    "ConditionExpression": "attribute_not_exists(pk)",
                },
            )
        except Refused as refusal:
            if str(refusal) == "ConditionalCheckFailedException":
                return False
            raise NotKept(f"the table refused the row: {refusal}") from refusal
        return True


def _typed(value: object) -> dict[str, Any]:
    """A value in DynamoDB's typed JSON."""
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case int():
            return {"N": str(value)}
        case dict():
            return {"M": {name: _typed(inner) for name, inner in value.items()}}
        case list():
            return {"L": [_typed(inner) for inner in value]}
        case _:
            raise TypeError(f"a row holds no {type(value).__name__}")


class SecretReader:
    """Reads one JSON secret and remembers it for five minutes."""

    def __init__(self, aws: AwsJson, name: str) -> None:
        """Reads the secret of that name or ARN."""
        self._aws = aws
        self._name = name
        self._lock = threading.Lock()
        self._read_at: datetime | None = None
        self._found: Mapping[str, Any] = {}

    def __call__(self) -> Mapping[str, Any]:
        """The secret's object. Raises `NotKept`, without its content, when it can't be had."""
        with self._lock:
            now = datetime.now(UTC)
            if self._read_at is None or now - self._read_at >= SECRET_AGE:
                self._found = self._read()
                self._read_at = now
            return self._found

    def _read(self) -> Mapping[str, Any]:
        try:
            reply = self._aws.call(
                "secretsmanager", "secretsmanager.GetSecretValue", {"SecretId": self._name}
            )
            found = json.loads(reply["SecretString"])
        except Refused as refusal:
            raise NotKept(f"the secret store refused: {refusal}") from refusal
        except (KeyError, ValueError):
            raise NotKept("the sources' secret is no JSON") from None
        if not isinstance(found, dict):
            raise NotKept("the sources' secret must be a JSON object of source to accounts")
        return found
