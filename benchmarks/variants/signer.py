"""The alternative to a signature of our own: botocore's signer, sent with urllib3.

The same ingest as `functions/ingest/app.py` but for how its calls to AWS are signed and sent. It
shows what decision 0003 weighs and is no part of the product.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from shipclock.adapters.aws_json import VERSIONS, AwsJson, Keeper, SecretReader
from shipclock.ingest import Arrival, receive, source_of

TIMEOUT = urllib3.Timeout(connect=1.0, read=2.0)


class SignerAws(AwsJson):
    """Signs with botocore and sends with a pool of urllib3."""

    def _send(self, service: str, target: str, body: bytes) -> tuple[int, bytes]:
        env = self._env
        region = env.get("AWS_REGION", "us-east-1")
        host = env.get("AWS_ENDPOINT_URL") or f"https://{service}.{region}.amazonaws.com"
        headers = {
            "Content-Type": f"application/x-amz-json-{VERSIONS[service]}",
            "X-Amz-Target": target,
        }
        request = AWSRequest("POST", host.rstrip("/") + "/", headers=headers, data=body)
        keys = Credentials(
            env.get("AWS_ACCESS_KEY_ID", ""),
            env.get("AWS_SECRET_ACCESS_KEY", ""),
            env.get("AWS_SESSION_TOKEN"),
        )
        SigV4Auth(keys, service, region).add_auth(request)
        reply = pool.request("POST", host, headers=dict(request.headers), body=body)
        return reply.status, reply.data


pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT)
aws = SignerAws(os.environ)
keep = Keeper(aws, os.environ["SHIPCLOCK_TABLE"])
secrets = SecretReader(aws, os.environ["SHIPCLOCK_SOURCES_SECRET"])
keep_for = timedelta(days=180)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one webhook."""
    now = datetime.now(UTC)
    arrival = Arrival(
        source_of(event["rawPath"]) or "", event["headers"], event["body"].encode(), now
    )
    answer = receive(arrival, secrets, keep, keep_for)
    return {"statusCode": answer.status, "body": answer.body.decode()}
