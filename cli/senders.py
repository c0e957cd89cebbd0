"""Carriers of the demo: bodies and signatures as their own systems would send them.

Written from the senders' pages and apart from the package, so that the play proves something.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

Signed = tuple[dict[str, str], bytes]
"""Headers and body of one callback."""


def generic(secret: str, message_id: str, data: dict[str, str], at: str) -> Signed:
    """A 3PL that follows the Standard Webhooks specification and speaks our vocabulary."""
    body = _compact({"type": "shipment.tracking.updated", "timestamp": at, "data": data})
    sent = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{message_id}.{sent}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": sent,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }
    return headers, body


def easypost(
    secret: str, message_id: str, number: str, carrier: str, history: list[dict[str, Any]]
) -> Signed:
    """EasyPost, which sends a tracker's whole history each time. `history` is oldest first."""
    newest = history[-1]
    tracker = {
        "id": f"trk_{number.lower()}",
        "object": "Tracker",
        "mode": "test",
        "tracking_code": number,
        "carrier": carrier,
        "status": newest["status"],
        "status_detail": newest["status_detail"],
        "updated_at": newest["datetime"],
        "signed_by": None,
        "est_delivery_date": None,
        "is_return": False,
        "finalized": False,
        "tracking_details": [{"object": "TrackingDetail", "source": carrier, **h} for h in history],
    }
    body = _compact(
        {
            "id": message_id,
            "object": "Event",
            "mode": "test",
            "description": "tracker.updated",
            "created_at": newest["datetime"],
            "result": tracker,
        }
    )
    mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "x-hmac-signature": f"hmac-sha256-hex={mac}",
    }
    return headers, body


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
