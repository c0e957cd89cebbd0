"""Signed calls to AWS's JSON services with the standard library alone: ingest's way to table and
secrets.

Building an SDK client costs most of a cold start, a sender waits no longer than three seconds for
its answer, and importing even the SDK's signer opens a socket (docs/decisions/0003). One POST
without a query is all that is needed here, so its signature is a page; the tests hold it to
botocore's. Everything but ingest uses boto3.
"""

import base64
import hashlib
import hmac
import http.client
import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from shipclock.ingest import NotKept
from shipclock.ports import Row

TIMEOUT_SECONDS = 2.0
TRIES = 2
SECRET_AGE = timedelta(minutes=5)

VERSIONS = {"dynamodb": "1.0", "secretsmanager": "1.1"}
ALGORITHM = "AWS4-HMAC-SHA256"


class AwsJson:
    """Calls one region's JSON services with the credentials that the environment names.

    Keeps one connection per host. Safe to call from one thread at a time, as Lambda does.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        """Remembers the environment; reads it and connects at the first call."""
        self._env = env
        self._connect = connect
        self._open: dict[str, http.client.HTTPConnection] = {}

    def call(self, service: str, target: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of one operation. Repeats once what certainly or harmlessly may be repeated:
        a conditional put that took effect unheard is then answered as a repeat.

        Raises `Refused` with the service's error code, or `NotKept` when there was no answer.
        """
        body = json.dumps(payload).encode()
        last = "no try was made"
        for _ in range(TRIES):
            try:
                status, data = self._send(service, target, body)
            except (OSError, http.client.HTTPException) as error:
                last = type(error).__name__
                continue
            if status == 200:
                found: dict[str, Any] = json.loads(data)
                return found
            code = _error_code(data)
            if status < 500 and code not in THROTTLED:
                raise Refused(code)
            last = code
        raise NotKept(f"{service} did not answer: {last}")

    def _send(self, service: str, target: str, body: bytes) -> tuple[int, bytes]:
        env = self._env
        region = env.get("AWS_REGION", "us-east-1")
        url = urlsplit(env.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.amazonaws.com")
        headers = {
            "content-type": f"application/x-amz-json-{VERSIONS[service]}",
            "host": url.netloc,
            "x-amz-target": target,
        }
        headers = signed(headers, body, service, region, env, datetime.now(UTC))
        connection = self._open.pop(url.netloc, None) or self._connect(url.scheme, url.netloc)
        try:
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except BaseException:
            connection.close()
            raise
        self._open[url.netloc] = connection  # only a connection that was read to its end is kept
        return answer.status, data


def connect(scheme: str, netloc: str) -> http.client.HTTPConnection:
    """A connection that opens with its first request and waits no longer than two seconds."""
    if scheme == "http":  # a local cloud
        return http.client.HTTPConnection(netloc, timeout=TIMEOUT_SECONDS)
    return http.client.HTTPSConnection(netloc, timeout=TIMEOUT_SECONDS)


def signed(
    headers: Mapping[str, str],
    body: bytes,
    service: str,
    region: str,
    env: Mapping[str, str],
    now: datetime,
) -> dict[str, str]:
    """The headers of a POST to `/` without a query, with Signature Version 4 added.

    Header names must be lower-case; all of them are signed.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    told = {**headers, "x-amz-date": stamp}
    if env.get("AWS_SESSION_TOKEN"):
        told["x-amz-security-token"] = env["AWS_SESSION_TOKEN"]
    names = ";".join(sorted(told))
    lines = "".join(f"{name}:{told[name].strip()}\n" for name in sorted(told))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + env.get("AWS_SECRET_ACCESS_KEY", "").encode()
    for part in (*scope.split("/"), to_sign):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    credential = f"{env.get('AWS_ACCESS_KEY_ID', '')}/{scope}"
    told["authorization"] = (
        f"{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
    )
    return told


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
