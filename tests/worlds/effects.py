"""Which of the sandbox's effects an intent of ours was to bring about."""

from datetime import datetime

from sandbox.world import Effect
from shipclock.domain.number import normal
from shipclock.domain.push import Deed, Intent

INTENT_OF = {
    "ship_package": "ship_package",
    "batch_ship_packages": "ship_package",
    "mark_package_as_shipped": "mark_package_as_shipped",
    "create_packages": "create_package",
    "update_order_shipping_info": "update_order_shipping",
    "update_package_shipping_info": "update_package_shipping",
    "update_package_delivery_status": "deliver",
    "update_tracking_status": "track",
    "cancel_order": "cancel",
    "approve_cancellation": "approve_cancellation",
    "reject_cancellation": "reject_cancellation",
    "create_return": "create_return",
    "send_message": "message",
}
"""The sandbox's name of an effect to the name of the call as our intents have it."""

SHIPS = ("ship_package", "mark_package_as_shipped", "create_package")


def is_of(effect: Effect, order_id: str, intent: Intent) -> bool:
    """Whether an effect is what this intent was to bring about."""
    if INTENT_OF.get(effect.call) != intent.call:
        return False
    if intent.call == "message":
        return intent.says["text"] in effect.detail
    if order_id not in effect.order_id.split(","):
        return False
    if intent.call == "track":
        at = int(datetime.fromisoformat(intent.says["at"]).timestamp() * 1000)
        return effect.detail.endswith(f" {at}") and _same(effect, intent)
    if intent.call in ("deliver", "ship_package") and intent.package_id:
        return effect.package_id == intent.package_id and _same(effect, intent)
    return _same(effect, intent)


def _same(effect: Effect, intent: Intent) -> bool:
    """Whether the numbers agree; a label of the marketplace's own has a number of its own, and what
    is fetched in a store has none."""
    asked = intent.tracking_number if intent.deed is not Deed.DELIVER else ""
    own = effect.tracking_number[:3] in ("", "SBX") and intent.deed is Deed.SHIP
    return not asked or own or normal(effect.tracking_number) == normal(asked)
