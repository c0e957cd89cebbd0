"""Made-up webhooks for measurements that need no stack."""

import hashlib
import hmac
import json

APP_KEY, APP_SECRET = "synthkey0001", "synthetic-app-secret-0001"
SHOP_ID = "7490000000000000001"


def status_webhook(number: int, shop_id: str = SHOP_ID) -> bytes:
    """A status webhook as TikTok Shop sends it, each number another order and notification."""
    body = {
        "type": 1,
        "tts_notification_id": f"74{number:017d}",
        "shop_id": shop_id,
        "timestamp": 1_793_500_000,
        "data": {
            "order_id": f"576{number:015d}",
            "order_status": "AWAITING_SHIPMENT",
            "is_on_hold_order": False,
            "update_time": 1_793_499_990,
        },
    }
    return json.dumps(body).encode()


def signature(key: str, secret: str, body: bytes) -> str:
    """TikTok's signature of a body, computed here and not by the product."""
    return hmac.new(secret.encode(), key.encode() + body, hashlib.sha256).hexdigest()
