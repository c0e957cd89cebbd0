"""The peer: a webhook function as the usual Powertools recipe has it.

Resolver, parser (pydantic), idempotency on a table of its own, a boto3 client, logger and metrics,
as the toolkit's own documentation puts them together. It verifies the same signature, keys its
idempotency on the notification's id, and updates the order's status in place.
"""

import hashlib
import hmac
import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.parser import parse
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

logger = Logger(service="recipe")
metrics = Metrics(namespace="Recipe", service="recipe")
app = APIGatewayHttpResolver()
table = boto3.client("dynamodb")
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(event_key_jmespath="tts_notification_id")


class Data(BaseModel):
    """What a webhook says of an order."""

    order_id: str
    order_status: str = ""
    update_time: int = 0


class Webhook(BaseModel):
    """A webhook's body."""

    type: int
    shop_id: str
    timestamp: int
    tts_notification_id: str
    data: Data


@idempotent_function(  # type: ignore[untyped-decorator]  # the toolkit leaves it so
    data_keyword_argument="told", persistence_store=persistence, config=config
)
def update(told: dict[str, Any]) -> dict[str, str]:
    """Write an order's newest status over the last one."""
    data = told["data"]
    table.update_item(
        TableName=os.environ["ORDERS_TABLE"],
        Key={"order_id": {"S": data["order_id"]}},
        UpdateExpression="SET #s = :s, shop_id = :shop, update_time = :t",
        ExpressionAttributeNames={"#s": "order_status"},
        ExpressionAttributeValues={
            ":s": {"S": data["order_status"]},
            ":shop": {"S": told["shop_id"]},
            ":t": {"N": str(data["update_time"])},
        },
    )
    return {"order_id": data["order_id"]}


@app.post("/webhooks/recipe")
def webhook() -> Response[str]:
    """Verify, parse, update."""
    event = app.current_event
    body = event.decoded_body or ""
    key, secret = os.environ["APP_KEY"], os.environ["APP_SECRET"]
    signed = hmac.new(secret.encode(), (key + body).encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signed, event.headers.get("authorization", "")):
        metrics.add_metric("SignatureRefused", MetricUnit.Count, 1)
        return Response(401, "text/plain", "")
    told = parse(event=event.json_body, model=Webhook)
    update(told=told.model_dump())
    logger.info("kept", extra={"order_id": told.data.order_id})
    return Response(200, "text/plain", "")


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one webhook."""
    config.register_lambda_context(context)
    return app.resolve(event, context)
