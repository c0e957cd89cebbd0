"""The alternative to botocore's signer: Signature Version 4 by hand, sent with `http.client`.

The same ingest as `functions/ingest/app.py` but for its way to AWS. It shows what decision 0003
leaves on the table: it is no part of the product and was only tried against the local AWS.
"""

import base64
import hashlib
import hmac
import http.client
import json
import os
import urllib.parse
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from shipclock.ingest import Arrival, receive, source_of
from shipclock.ports import Row

VERSIONS = {"dynamodb": "1.0", "secretsmanager": "1.1"}


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(service: str, host: str, target: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of one signed request (AWS, "Create a signed AWS API request")."""
    region = os.environ.get("AWS_REGION", "us-east-1")
    at = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {
        "content-type": f"application/x-amz-json-{VERSIONS[service]}",
        "host": host,
        "x-amz-date": at,
        "x-amz-target": target,
    }
    if token := os.environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = ("AWS4" + os.environ.get("AWS_SECRET_ACCESS_KEY", "")).encode()
    for part in (at[:8], region, service, "aws4_request"):
        key = _hmac(key, part)
    proof = _hmac(key, f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}").hex()
    credential = f"{os.environ.get('AWS_ACCESS_KEY_ID', '')}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={proof}"
    )
    return headers


def call(service: str, target: str, payload: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """One request over a connection of its own."""
    region = os.environ.get("AWS_REGION", "us-east-1")
    base = os.environ.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.amazonaws.com"
    url = urllib.parse.urlsplit(base)
    secure = url.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(url.netloc, timeout=2)
    body = json.dumps(payload).encode()
    connection.request("POST", "/", body, signed(service, url.netloc, target, body, now()))
    answer = connection.getresponse()
    found = json.loads(answer.read() or b"{}")
    connection.close()
    return answer.status, found


def now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def typed(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's typed JSON."""
    match value:
        case str():
            return {"S": value}
        case bytes():
            return {"B": base64.b64encode(value).decode()}
        case int():
            return {"N": str(value)}
        case dict():
            return {"M": {name: typed(inner) for name, inner in value.items()}}
        case _:
            return {"L": [typed(inner) for inner in value]}


def keep(row: Row) -> bool:
    """Put a row if it is absent."""
    status, _ = call(
        "dynamodb",
        "DynamoDB_20120810.PutItem",
        {
            "TableName": os.environ["SHIPCLOCK_TABLE"],
            "Item": {name: typed(value) for name, value in row.items()},
            "ConditionExpression": "attribute_not_exists(pk)",
        },
    )
    return status == 200


def secrets() -> dict[str, Any]:
    """The sources' secret, not remembered."""
    asked = {"SecretId": os.environ["SHIPCLOCK_SOURCES_SECRET"]}
    _, found = call("secretsmanager", "secretsmanager.GetSecretValue", asked)
    told: dict[str, Any] = json.loads(found["SecretString"])
    return told


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one webhook."""
    arrival = Arrival(
        source_of(event["rawPath"]) or "", event["headers"], event["body"].encode(), now()
    )
    answer = receive(arrival, secrets, keep, timedelta(days=180))
    return {"statusCode": answer.status, "body": answer.body.decode()}
