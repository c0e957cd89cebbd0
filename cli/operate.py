"""What an operator does with a deployed stack's table, in AWS or on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli import local
from shipclock import rows, translate
from shipclock.adapters.dynamodb import DynamoStore
from shipclock.marketplaces.protocol import Hosts
from shipclock.ports import Row, Store

PAGE = 100


class OperateError(Exception):
    """The table is not to be had; the message says what to do."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A deployed stack as an operator reaches it: its outputs and parameters, and AWS clients."""

    stack: str
    local: bool
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    client: Callable[[str], Any] = field(repr=False)

    @property
    def hosts(self) -> Hosts:
        """Where the stack calls the marketplace."""
        api = self.parameters.get("MarketplaceUrl", "https://open-api.tiktokglobalshop.com")
        auth = self.parameters.get("AuthUrl", "https://auth.tiktok-shops.com")
        return Hosts(api.rstrip("/"), auth.rstrip("/"))

    @property
    def webhook_address(self) -> str:
        """Where the marketplace's webhooks go; empty where the stack has no such output."""
        base = self.outputs.get("IngestUrl", "").rstrip("/")
        return f"{base}/webhooks/tiktok" if base else ""

    def need(self, output: str) -> str:
        """One of the stack's outputs; raises `OperateError` where it is not there."""
        if not self.outputs.get(output):
            raise OperateError(
                f"Stack {self.stack} has no output {output}: deploy this version, `make deploy`."
            )
        return self.outputs[output]

    def store(self) -> Store:
        """The stack's table."""
        return DynamoStore(self.client("dynamodb"), self.need("TableName"))

    def sources_secret(self) -> Mapping[str, Any]:
        """The sources' secret; raises `OperateError`, never showing any of it."""
        return self.secret("SourcesSecret", "sources'")

    def secret(self, output: str, whose: str) -> Mapping[str, Any]:
        """One of the stack's secrets; raises `OperateError`, never showing any of it."""
        try:
            text = self.client("secretsmanager").get_secret_value(SecretId=self.need(output))[
                "SecretString"
            ]
            found = json.loads(text)
        except (ClientError, BotoCoreError) as error:
            raise OperateError(f"The {whose} secret can't be read: {fault_of(error)}.") from None
        except (KeyError, ValueError):
            found = None
        if not isinstance(found, dict):
            raise OperateError(
                f"The {whose} secret is no JSON object; put one as docs/configuration.md says."
            )
        return found


def fault_of(error: ClientError | BotoCoreError) -> str:
    """What AWS said, in a word: its messages hold account numbers and more."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "an error without a name"))
    return type(error).__name__


def set_up(stack: str | None) -> SetUp:
    """A stack in AWS by the caller's credentials, or the local one; raises `OperateError`."""
    if stack is None:
        return _local_set_up()
    outputs, parameters = _described(_aws_client, stack)
    return SetUp(stack, False, outputs, parameters, _aws_client)


def _aws_client(service: str) -> Any:
    try:
        return boto3.client(service)  # type: ignore[call-overload]
    except BotoCoreError as error:
        raise OperateError(
            f"AWS can't be asked ({fault_of(error)}): set a region and credentials in your shell."
        ) from None


def _described(client: Callable[[str], Any], stack: str) -> tuple[dict[str, str], dict[str, str]]:
    """The outputs and parameters of a stack."""
    try:
        found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        raise OperateError(
            f"Stack {stack} can't be read ({fault_of(error)}): check its name, and your shell's "
            "region and credentials."
        ) from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}
    given = found.get("Parameters", ())
    return outputs, {one["ParameterKey"]: str(one.get("ParameterValue", "")) for one in given}


def _local_set_up() -> SetUp:
    told = _local_stack()
    client = partial(local.local_client, endpoint=told["aws_endpoint"])
    outputs, parameters = _described(client, local.STACK_NAME)
    outputs |= {"IngestUrl": told["ingest_url"], "TableName": told["table_name"]}
    where = told["marketplace_url"]
    parameters |= {"MarketplaceUrl": where, "AuthUrl": where}
    return SetUp(local.STACK_NAME, True, outputs, parameters, client)


def _local_stack() -> dict[str, Any]:
    described = local.STATE_DIR / "stack.json"
    if not described.exists():
        raise OperateError(
            "No local stack runs: start one with `make up`, or name one in AWS with --stack."
        )
    found: dict[str, Any] = json.loads(described.read_text())
    return found


def open_store(table: str | None, stack: str | None = None) -> Store:
    """The store on a table or of a stack in AWS by the caller's credentials, or the local one's."""
    if table:
        return DynamoStore(_aws_client("dynamodb"), table)
    if stack:
        return set_up(stack).store()
    told = _local_stack()
    client = local.local_client("dynamodb", told["aws_endpoint"])
    return DynamoStore(client, told["table_name"])


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
