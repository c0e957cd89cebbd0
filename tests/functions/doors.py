"""The functions as AWS would start them: loaded anew, with the template's environment."""

import copy
import importlib.util
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.builders import sample

FUNCTIONS = Path(__file__).parent.parent.parent / "functions"
_loads = itertools.count()

INGEST_ENV = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "synthetic-key-id",
    "AWS_SECRET_ACCESS_KEY": "synthetic-access-key",
    "AWS_SESSION_TOKEN": "synthetic-session",
    "SHIPCLOCK_TABLE": "tried-table",
    "SHIPCLOCK_SOURCES_SECRET": "tried-sources",
    "SHIPCLOCK_RAW_DAYS": "180",
}
SWEEPER_ENV = {
    "POWERTOOLS_METRICS_NAMESPACE": "Shipclock",
    "SHIPCLOCK_TABLE": "tried-table",
    "SHIPCLOCK_SOURCES_SECRET": "tried-sources",
    "SHIPCLOCK_BUS": "tried-bus",
    "SHIPCLOCK_TOPIC": "tried-topic",
    "SHIPCLOCK_DESTINATIONS_SECRET": "tried-destinations",
    "SHIPCLOCK_MARKETPLACE_URL": "https://api.example",
    "SHIPCLOCK_AUTH_URL": "https://auth.example",
    "SHIPCLOCK_TIME_TRAVEL": "off",
    "SHIPCLOCK_RAW_DAYS": "180",
    "SHIPCLOCK_SILENCE_HOURS": "24",
}
HUB_ENV = {
    "SHIPCLOCK_TABLE": "tried-table",
    "SHIPCLOCK_HUB_SECRET": "tried-hub-secret",
}


def environment(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Set a function's variables, under a service name of its own.

    Powertools remembers a logger by its service, together with the output it was made for.
    """
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"tried-{next(_loads)}")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def load(function: str) -> ModuleType:
    """A function's module as a cold start makes it."""
    path = FUNCTIONS / function / "app.py"
    spec = importlib.util.spec_from_file_location(f"{function}_app_{next(_loads)}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Context:
    """What Lambda tells an invocation of itself."""

    function_name: str = "tried"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:000000000000:function:tried"
    aws_request_id: str = "00000000-0000-4000-8000-000000000102"
    left_ms: int = 65_000

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


def event(name: str, **changes: Any) -> dict[str, Any]:
    """A sample event with some of its top fields changed; `headers` are added to its own."""
    found: dict[str, Any] = copy.deepcopy(sample(f"events/{name}.json"))
    headers = changes.pop("headers", {})
    found.update(changes)
    if headers:
        kept = {k: v for k, v in found["headers"].items() if k != "authorization"}
        found["headers"] = {**kept, **headers}
    return found


@dataclass
class Reply:
    """An HTTP reply as `http.client` hands it over."""

    status: int
    data: bytes

    def read(self) -> bytes:
        return self.data


class Connection:
    """A connection to the fake AWS, as `http.client` makes them."""

    def __init__(self, aws: "FakeAws", scheme: str, netloc: str) -> None:
        self._aws = aws
        self._url = f"{scheme}://{netloc}"
        self._reply = Reply(500, b"")

    def request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        self._reply = self._aws.request(method, self._url + path, headers, body)

    def getresponse(self) -> Reply:
        return self._reply

    def close(self) -> None:
        """Nothing is open."""


def refusal(code: str, status: int = 400) -> Reply:
    """An error in AWS's JSON protocol."""
    return Reply(status, json.dumps({"__type": f"com.amazonaws.coral#{code}"}).encode())


@dataclass
class FakeAws:
    """A table and a secret behind the JSON protocol, in place of the connections.

    `faults` are played first: a reply, an exception, or a call that happens and then raises.
    """

    secret: object
    faults: list[Reply | Exception] = field(default_factory=list)
    lost: list[Exception] = field(default_factory=list)
    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str, Mapping[str, str], dict[str, Any]]] = field(default_factory=list)

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        assert method == "POST"
        assert "Credential=synthetic-key-id/" in headers["authorization"]
        payload = json.loads(body)
        target = headers["x-amz-target"]
        self.requests.append((target, url, headers, payload))
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        answer = self._answers[target](payload)
        if self.lost:
            raise self.lost.pop(0)
        return answer

    @property
    def _answers(self) -> dict[str, Callable[[dict[str, Any]], Reply]]:
        return {
            "DynamoDB_20120810.PutItem": self._put,
            "secretsmanager.GetSecretValue": self._get_secret,
        }

    def _put(self, payload: dict[str, Any]) -> Reply:
        assert payload["TableName"] == "tried-table"
        assert payload["ConditionExpression"] == "attribute_not_exists(pk)"
        item = payload["Item"]
        key = item["pk"]["S"], item["sk"]["S"]
        if key in self.items:
            return refusal("ConditionalCheckFailedException")
        self.items[key] = item
        return Reply(200, b"{}")

    def _get_secret(self, payload: dict[str, Any]) -> Reply:
        assert payload == {"SecretId": "tried-sources"}
        text = self.secret if isinstance(self.secret, str) else json.dumps(self.secret)
        return Reply(200, json.dumps({"SecretString": text}).encode())

    def targets(self) -> list[str]:
        return [target.rpartition(".")[2] for target, *_ in self.requests]
