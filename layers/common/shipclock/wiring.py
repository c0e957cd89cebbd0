"""Builds what the functions run on. The only module that chooses concretes; knows all others.

Ingest is not wired here: it does without an SDK client (docs/decisions/0003).
"""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import (
    GetParameterError,
    TransformParameterError,
)
from botocore.config import Config

from shipclock.adapters.dynamodb import DynamoStore
from shipclock.adapters.http import HttpWire
from shipclock.adapters.images import ImageWire
from shipclock.adapters.notifications import Announcer
from shipclock.adapters.outlets import PeopleOutlets
from shipclock.marketplaces.protocol import Hosts
from shipclock.ports import SecretMalformed, SecretsFailed
from shipclock.settings import HubSettings, SweeperSettings
from shipclock.world import Say, World

SECRET_AGE_SECONDS = 300

SDK = Config(
    connect_timeout=2,
    read_timeout=5,
    max_pool_connections=20,
    retries={"mode": "standard", "total_max_attempts": 3},
)


TELL = Config(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
"""An announcement that is not taken is made again by the next sweep."""


def real() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


def store(table: str) -> DynamoStore:
    """The store on that table."""
    return DynamoStore(boto3.client("dynamodb", config=SDK), table)


def secret(name: str) -> Callable[[], Mapping[str, Any]]:
    """A JSON secret, as `any_secret`; what is no object has no entries."""
    read = any_secret(name)

    def read_object() -> Mapping[str, Any]:
        found = read()
        return found if isinstance(found, dict) else {}

    return read_object


def any_secret(name: str) -> Callable[[], object]:
    """A JSON secret, read when asked for and kept for five minutes. Raises `SecretsFailed`, or
    `SecretMalformed` where it is no JSON."""
    provider = SecretsProvider(boto3_client=boto3.client("secretsmanager", config=SDK))

    def read() -> object:
        try:  # the words of what fails may hold the secret's
            return provider.get(name, max_age=SECRET_AGE_SECONDS, transform="json")
        except GetParameterError as fault:
            raise SecretsFailed(type(fault).__name__) from None
        except TransformParameterError as fault:
            raise SecretMalformed(type(fault).__name__) from None

    return read


def world(settings: SweeperSettings, say: Say) -> World:
    """Everything a sweep needs from outside."""
    return World(
        store=store(settings.table),
        wire=HttpWire(),
        pictures=ImageWire(),
        hosts=Hosts(settings.marketplace_url, settings.auth_url),
        secrets=secret(settings.sources_secret),
        announce=Announcer(boto3.client("events", config=TELL), settings.bus),
        destinations=any_secret(settings.destinations_secret),
        outlets=PeopleOutlets(
            boto3.client("sns", config=TELL), settings.topic, rehearsal=settings.rehearsal
        ),
        say=say,
        real=real,
        sleep=time.sleep,
        new_id=lambda: uuid.uuid4().hex,
        raw_kept=timedelta(days=settings.raw_days),
        silence=timedelta(hours=settings.silence_hours),
    )


def hub(settings: HubSettings) -> tuple[DynamoStore, Callable[[], Mapping[str, Any]]]:
    """The hub's store and its secret."""
    return store(settings.table), secret(settings.hub_secret)
