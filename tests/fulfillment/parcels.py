"""Parcels' histories in a few words."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shipclock.domain.tracking import Scan, fold_parcel
from shipclock.fulfillment.history import History, history
from tests.builders import NUMBER, ORDER

KL = ZoneInfo("Asia/Kuala_Lumpur")
LANE = "MY/SELLER/-/-"
CARRIER = "Synthetic Express"


def parcel(
    *scans: Scan,
    carrier: str = CARRIER,
    lane: str = LANE,
    zone: ZoneInfo = KL,
    promised_at: datetime | None = None,
) -> History:
    """The history that some scans come to."""
    return history(fold_parcel(NUMBER, scans), ORDER, carrier, lane, zone, promised_at)


UNTRUSTED: list[dict[str, Any]] = [
    {"basis": "zone"},
    {"basis": "received"},
    {"received_at": datetime.fromisoformat("2026-01-01T00:00:00+00:00")},  # long before it was
]
"""What makes the time of a scan prove nothing."""
