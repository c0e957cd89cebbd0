"""The sweeper's doorbell: the minute schedule, or the table's stream poking."""

import os
import warnings
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from shipclock import wiring
from shipclock.settings import SweeperSettings
from shipclock.sweep import Sweep, TimeRefused, now_of
from shipclock.world import Line

warnings.filterwarnings("ignore", "No application metrics to publish")  # a quiet sweep is fine

logger = Logger()
metrics = Metrics()

COUNTED = {
    "delivery.quarantined": "Quarantined",
    "delivery.failing": "Quarantined",
    "order.unreadable": "OrderUnreadable",
    "shop.disconnected": "ShopDisconnected",
    "token.refused": "TokenRefused",
    "token.lost": "TokenRefused",
    "pull.failed": "PullFailed",
    "push.unclear": "PushUnclear",
    "push.dead": "PushDead",
    "stock.unclear": "PushUnclear",
    "clock.skew": "ClockSkew",
    "shop.no_secret": "TokenRefused",
    "time.refused": "TimeRefused",
    "source.silent": "SourceSilent",
    "message.dead": "MessageDead",
    "announcement.failing": "TellingFailed",
    "message.failing": "TellingFailed",
    "box.failing": "TellingFailed",
    "destination.gone": "MessageDead",
    "destination.malformed": "DestinationMalformed",
}
FAILING, OTHERS = ".failing", "OrderFailing"
"""The end of a line that tells of work that raised, and what that counts as where no other is
named above: a kind of work that comes later must not fail in silence."""


def say(line: Line) -> None:
    """One log line per thing that happened, and a count where an alarm looks for one."""
    logger.info(line.name, **line.fields)
    counted = COUNTED.get(line.name, OTHERS if line.name.endswith(FAILING) else None)
    if counted:
        metrics.add_metric(counted, MetricUnit.Count, 1)
    if "OldestDueSeconds" in line.fields:
        seconds = float(line.fields["OldestDueSeconds"])
        metrics.add_metric("OldestDueSeconds", MetricUnit.Seconds, seconds)


settings = SweeperSettings.from_env(os.environ)
world = wiring.world(settings, say)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Sweep at the schedule event's `time`, or translate and settle what the stream names."""
    time_left = timedelta(milliseconds=context.get_remaining_time_in_millis())
    records = event.get("Records")
    if records is not None:
        keys = [record["dynamodb"]["Keys"] for record in records]
        pairs = [(key["pk"]["S"], key["sk"]["S"]) for key in keys]
        Sweep(world, wiring.real(), time_left).poke(pairs)
        return {"batchItemFailures": []}
    try:
        now = now_of(event, wiring.real(), settings.time_travel)
    except TimeRefused as refusal:
        say(Line("time.refused", {"reason": str(refusal)}))
        raise
    return Sweep(world, now, time_left).run().as_dict()
