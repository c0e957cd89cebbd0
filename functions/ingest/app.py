"""The webhooks' doorbell: HTTP API in, one kept delivery, an answer out."""

import base64
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

from shipclock.adapters.aws_json import AwsJson, Keeper, SecretReader
from shipclock.adapters.published import PublishedKeys
from shipclock.ingest import Answer, Arrival, NotKept, grant, grants_of, receive, source_of
from shipclock.sources import PATH

aws = AwsJson(os.environ)
keep = Keeper(aws, os.environ["SHIPCLOCK_TABLE"])
secrets = SecretReader(aws, os.environ["SHIPCLOCK_SOURCES_SECRET"])
keys = PublishedKeys()
keep_for = timedelta(days=int(os.environ.get("SHIPCLOCK_RAW_DAYS", "180")))


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one webhook (payload format 2.0). Promises: DESIGN section 6, "answers"."""
    path = event["rawPath"]
    granting = grants_of(path)
    source = granting or source_of(path)
    answer = _answer(event, source, bool(granting)) if source else Answer(404, "unknown_path")
    _say(answer, source or "")
    json_told = answer.body.startswith(b"{")
    return {
        "statusCode": answer.status,
        "headers": {"content-type": "application/json" if json_told else PLAIN, **answer.headers},
        "body": answer.body.decode("utf-8", "replace"),
    }


PLAIN = "text/plain; charset=utf-8"


def _answer(event: dict[str, Any], source: str, granting: bool) -> Answer:
    try:
        headers = _headers(event) | {PATH: event["rawPath"]}
        arrival = Arrival(source, headers, _body(event), datetime.now(UTC))
    except ValueError:
        return Answer(400, "empty: the body is no base64", b"the body can't be read")
    try:
        if granting:
            return grant(arrival, secrets)
        return receive(arrival, secrets, keep, keep_for, keys)
    except NotKept as failure:
        return Answer(503, f"not_kept: {failure}", b"try again later")


def _headers(event: dict[str, Any]) -> dict[str, str]:
    """Lower-case names; a header sent twice under two spellings becomes one of two values."""
    found: dict[str, str] = {}
    for name, value in (event.get("headers") or {}).items():
        low = name.lower()
        found[low] = f"{found[low]},{value}" if low in found else value
    return found


def _body(event: dict[str, Any]) -> bytes:
    body: str = event.get("body") or ""
    if event.get("isBase64Encoded"):
        return base64.b64decode(body, validate=True)
    return body.encode("utf-8", "surrogatepass")


def _say(answer: Answer, source: str) -> None:
    """One line per arrival; refusals and quarantine count as metrics (embedded metric format)."""
    name, _, detail = answer.outcome.partition(": ")
    line: dict[str, Any] = {"event": f"delivery.{name}", "source": source, "status": answer.status}
    if detail:
        line["detail"] = detail
    metric = METRICS.get(name)
    if metric:
        dimensions = [["service"]]
        definition = {"Name": metric, "Unit": "Count"}
        cloudwatch = {
            "Namespace": "Shipclock",
            "Dimensions": dimensions,
            "Metrics": [definition],
        }
        now = int(datetime.now(UTC).timestamp() * 1000)
        line["_aws"] = {"Timestamp": now, "CloudWatchMetrics": [cloudwatch]}
        line |= {"service": os.environ.get("POWERTOOLS_SERVICE_NAME", "ingest"), metric: 1}
    sys.stdout.write(json.dumps(line) + "\n")


METRICS = {
    "quarantined": "Quarantined",
    "unsigned": "SignatureRefused",
    "not_authentic": "SignatureRefused",
    "not_kept": "NotKept",
}
