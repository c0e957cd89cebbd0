"""From an intent to the call that tells it, and what its answer means. No I/O.

Some calls ask something first: who is eligible and for which reasons, what a refund comes to, where
a proof was uploaded. Each step is harmless to repeat, so nothing of it is kept (5.2, 5.5, 5.6).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shipclock.marketplaces.protocol import Call, Kind, Outcome, Shop, Telling
from shipclock.marketplaces.tiktok_shop import (
    aftersales,
    capability,
    delivery,
    fulfilment,
    service,
    tell_parcels,
    tell_remedies,
)
from shipclock.reading import Unreadable

TOGETHER: Mapping[str, int] = {capability.SHIP_PACKAGE: 50, capability.TRACK: delivery.MOST_TRACKS}
"""Calls that take several at once. How many packages one batch may hold is not published."""

SHARED: tuple[str, ...] = (capability.SHIP_PACKAGE,)

DETAIL: tuple[str, ...] = (capability.SHIP_PACKAGE, capability.DELIVER)

CASES: tuple[str, ...] = (
    capability.CANCEL_ORDER,
    capability.APPROVE_CANCELLATION,
    capability.REJECT_CANCELLATION,
    capability.CREATE_RETURN,
)


def step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """What is to be asked before an intent can be told, or why it can't be."""
    found = STEPS.get(telling.intent.call)
    return found(telling, shop) if found else None


def learn(step: Call, outcome: Outcome) -> Mapping[str, Any]:
    """What the answer to a step tells, under the step's name."""
    return {step.name: LEARN[step.name](outcome)}


def tell(tellings: Sequence[Telling], shop: Shop) -> Call:
    """The call that some intents stand for."""
    first = tellings[0]
    if first.intent.call == capability.SHIP_PACKAGE and len(tellings) > 1:
        return fulfilment.ship_parcels(
            {t.intent.package_id: tell_parcels.parcel(t, shop) for t in tellings}
        )
    if first.intent.call == capability.TRACK:
        return tell_parcels.track(tellings, shop)
    return TELL[first.intent.call](first, shop)


def apart(outcome: Outcome, tellings: Sequence[Telling]) -> Sequence[Outcome]:
    """What an answer means for each of the intents: of a batch that was taken, some may have been
    refused (6.1)."""
    call = tellings[0].intent.call
    if outcome.kind is Kind.OK and call == capability.TRACK:
        return delivery.read_tracks(outcome, [tell_parcels.event(telling) for telling in tellings])
    if outcome.kind is Kind.OK and len(tellings) > 1:
        errors = fulfilment.read_batch_errors(outcome)
        if strangers := errors.keys() - {t.intent.package_id for t in tellings}:
            raise Unreadable(f"errors of packages that were not asked for: {sorted(strangers)[:3]}")
        return [errors.get(t.intent.package_id, outcome) for t in tellings]
    return [outcome] * len(tellings)


STEPS: Mapping[str, Callable[[Telling, Shop], Call | Outcome | None]] = {
    capability.UPDATE_ORDER_SHIPPING: tell_parcels.renumber_step,
    capability.UPDATE_PACKAGE_SHIPPING: tell_parcels.renumber_step,
    capability.CREATE_PACKAGE: tell_parcels.label_step,
    capability.DELIVER: tell_parcels.deliver_step,
    capability.TRACK: tell_parcels.track_step,
    capability.CANCEL_ORDER: tell_remedies.cancel_step,
    capability.REJECT_CANCELLATION: tell_remedies.reject_step,
    capability.CREATE_RETURN: tell_remedies.refund_step,
    capability.SEND_MESSAGE: tell_remedies.message_step,
}

TELL: Mapping[str, Callable[[Telling, Shop], Call]] = {
    capability.SHIP_PACKAGE: tell_parcels.ship,
    capability.MARK_AS_SHIPPED: tell_parcels.mark,
    capability.CREATE_PACKAGE: tell_parcels.label,
    capability.UPDATE_ORDER_SHIPPING: tell_parcels.renumber,
    capability.UPDATE_PACKAGE_SHIPPING: tell_parcels.renumber,
    capability.DELIVER: tell_parcels.deliver,
    capability.CANCEL_ORDER: tell_remedies.cancel,
    capability.APPROVE_CANCELLATION: tell_remedies.approve,
    capability.REJECT_CANCELLATION: tell_remedies.reject,
    capability.CREATE_RETURN: tell_remedies.refund,
    capability.SEND_MESSAGE: tell_remedies.message,
}

LEARN: Mapping[str, Callable[[Outcome], Any]] = {
    "shipping_services": fulfilment.read_services,
    "upload_image": delivery.read_upload,
    "upload_file": delivery.read_upload,
    "eligibility": aftersales.read_eligibility,
    "calculate_refund": aftersales.read_refund,
    "reject_reasons": aftersales.read_reject_reasons,
    "conversation": service.read_conversation,
}
"""How the answers to the steps are read, by the names of their calls."""
