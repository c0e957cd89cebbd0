"""From an intent to the call that tells it, and what its answer means. No I/O.

Some calls ask something first: who is eligible and for which reasons, what a refund comes to, where
a proof was uploaded. Each step is harmless to repeat, so nothing of it is kept (5.2, 5.5, 5.6).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from shipclock.domain.carrier import names_of, plain
from shipclock.domain.order import Order
from shipclock.domain.push import Deed
from shipclock.domain.times import parse
from shipclock.domain.tracking import TrackingStatus
from shipclock.marketplaces.protocol import Call, Kind, Outcome, Shop, Slot, Telling
from shipclock.marketplaces.tiktok_shop import (
    aftersales,
    capability,
    delivery,
    fulfilment,
    service,
)
from shipclock.marketplaces.tiktok_shop.versions import ENDPOINTS
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

CHANGE_WINDOW = timedelta(hours=72)
"""How long after shipping its number may be changed; published for the US (`tiktok-shop.md` 5.2).
Elsewhere the marketplace refuses by itself where it is shorter."""

FAILURES = {
    "address_issue": "address",
    "recipient_absent": "no_contact",
    "recipient_unreachable": "no_contact",
    "refused": "refused",
    "weather": "weather",
}
"""Why a delivery failed, in the carriers' vocabulary, to the few words that `delivery` knows."""

OURS_TO_SAY = "Read the marketplace's terms for it, or do it in Seller Center."


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
        return fulfilment.ship_parcels({t.intent.package_id: _parcel(t, shop) for t in tellings})
    if first.intent.call == capability.TRACK:
        return _track(tellings, shop)
    return TELL[first.intent.call](first, shop)


def apart(outcome: Outcome, tellings: Sequence[Telling]) -> Sequence[Outcome]:
    """What an answer means for each of the intents: of a batch that was taken, some may have been
    refused (6.1)."""
    call = tellings[0].intent.call
    if outcome.kind is Kind.OK and call == capability.TRACK:
        return delivery.read_tracks(outcome, [_event(telling) for telling in tellings])
    if outcome.kind is Kind.OK and len(tellings) > 1:
        errors = fulfilment.read_batch_errors(outcome)
        if strangers := errors.keys() - {t.intent.package_id for t in tellings}:
            raise Unreadable(f"errors of packages that were not asked for: {sorted(strangers)[:3]}")
        return [errors.get(t.intent.package_id, outcome) for t in tellings]
    return [outcome] * len(tellings)


def needs_provider(order: Order, deed: Deed) -> bool:
    """Ship by Seller names the provider; Ship by TikTok brings its own."""
    names = deed in (Deed.SHIP, Deed.RENUMBER)
    return names and order.facts is not None and order.facts.shipping_type == "SELLER"


def choose_provider(carrier: str, providers: Mapping[str, str], shop: Shop) -> str:
    """The provider whose name is the carrier's or one of its aliases, else the shop's default."""
    names = {plain(name): provider_id for provider_id, name in providers.items()}
    ours = sorted(names_of(carrier))
    found = next((names[name] for name in ours if name and name in names), "")
    return found or shop.default_provider


# Shipping


def _ship(telling: Telling, shop: Shop) -> Call:
    return fulfilment.ship_parcel(telling.intent.package_id, _parcel(telling, shop))


def _parcel(telling: Telling, shop: Shop) -> fulfilment.Parcel:
    intent, says = telling.intent, telling.intent.says
    if needs_provider(telling.order, Deed.SHIP):
        return fulfilment.Parcel(intent.tracking_number, telling.known.provider_id)
    facts = telling.order.facts
    if facts is not None and facts.shipping_type == capability.IN_STORE:
        return fulfilment.Parcel()
    slot = None
    if says.get("slot_from") and says.get("slot_until"):
        slot = Slot(parse(says["slot_from"]), parse(says["slot_until"]), available=True)
    method = says.get("handover_method") or shop.handover_method
    return fulfilment.Parcel(handover_method=method, slot=slot)


def _mark(telling: Telling, shop: Shop) -> Call:
    name = capability.MARK_AS_SHIPPED
    return fulfilment.mark_as_shipped(
        telling.order.order_id,
        _unshipped(telling),
        telling.intent.tracking_number,
        telling.known.provider_id,
        shop.versions.get(name, ENDPOINTS[name][0]),
    )


def _unshipped(telling: Telling) -> list[str]:
    """The units still to ship: of the intent's package, or all that are in none yet."""
    facts = telling.order.facts
    return [
        line.line_id
        for line in (facts.lines if facts else ())
        if line.package_id == telling.intent.package_id and line.display_status != "CANCELLED"
    ]


def _renumber_step(telling: Telling, shop: Shop) -> Outcome | None:
    shipped_at = telling.order.facts.rts_time if telling.order.facts else None
    if shipped_at and telling.known.now >= shipped_at + CHANGE_WINDOW:
        return Outcome(
            Kind.REFUSED,
            reason="the time to change the number is over",
            advice="The marketplace takes a change for 72 hours after shipping. Open a ticket in "
            "Seller Center.",
        )
    return None


def _renumber(telling: Telling, shop: Shop) -> Call:
    intent, provider = telling.intent, telling.known.provider_id
    number = intent.tracking_number
    if intent.call == capability.UPDATE_PACKAGE_SHIPPING:
        return fulfilment.update_package_shipping(intent.package_id, number, provider)
    return fulfilment.update_order_shipping(telling.order.order_id, number, provider)


def _label_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    if telling.intent.says.get("service"):
        return None
    services = telling.known.learned.get("shipping_services")
    if services is None:
        return fulfilment.shipping_services(telling.order.order_id)
    listed = "; ".join(
        f"{each.service_id} {each.name} {each.price} {each.currency}".strip() for each in services
    )
    return Outcome(
        Kind.REFUSED,
        reason="no shipping service was chosen",
        advice=f"Ask again with one of the services that the marketplace offers: {listed or '-'}.",
    )


def _label(telling: Telling, shop: Shop) -> Call:
    lines = _listed(telling, "lines")
    return fulfilment.create_package(telling.order.order_id, telling.intent.says["service"], lines)


def _listed(telling: Telling, name: str) -> tuple[str, ...]:
    return tuple(filter(None, telling.intent.says.get(name, "").split(",")))


# Delivering


def _deliver_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    proof, says = telling.known.proof, telling.intent.says
    failed = says["delivery_type"] == delivery.FAILED
    if failed != (says.get("reason", "") in delivery.FAIL_REASONS):
        listed = ", ".join(delivery.FAIL_REASONS)
        return Outcome(
            Kind.REFUSED,
            reason="a delivery that failed has a reason of the marketplace's, and no other one has",
            advice=f"Ask again; of a failed one with one of: {listed}.",
        )
    if proof is None or _uploaded(telling):
        return None
    if why := delivery.unfit(proof.data, proof.media_type):
        advice = "Keep another photo or PDF with the package, then ask again."
        return Outcome(Kind.REFUSED, reason=f"the proof can't be uploaded: {why}", advice=advice)
    if proof.media_type == "application/pdf":
        return delivery.upload_file(proof.data, f"{telling.intent.package_id}.pdf")
    return delivery.upload_image(proof.data, proof.media_type)


def _uploaded(telling: Telling) -> str:
    learned = telling.known.learned
    return str(learned.get("upload_image") or learned.get("upload_file") or "")


def _deliver(telling: Telling, shop: Shop) -> Call:
    says, proof = telling.intent.says, telling.known.proof
    url = _uploaded(telling)
    pdf = proof is not None and proof.media_type == "application/pdf"
    return delivery.deliver(
        telling.intent.package_id,
        says["delivery_type"],
        says.get("reason", ""),
        ("PDF" if pdf else "IMG") if url else "",
        url,
        says.get("verification_code", ""),
    )


def _track(tellings: Sequence[Telling], shop: Shop) -> Call:
    order, facts = tellings[0].order, tellings[0].order.facts
    lines = facts.lines if facts else ()
    by_line = next((line.provider_id for line in lines if line.provider_id), "")
    provider = (facts.shipping_provider_id if facts else "") or by_line
    return delivery.track(order.order_id, shop.market, provider, [_event(t) for t in tellings])


def _event(telling: Telling) -> delivery.Track:
    says = telling.intent.says
    status = TrackingStatus(says["status"])
    failed = status is TrackingStatus.DELIVERY_ATTEMPT_FAILED
    why = FAILURES.get(says.get("reason", ""), "")
    return delivery.Track(
        delivery.ACTION_CODES[status],
        parse(says["at"]),
        status.value.replace("_", " "),
        fulfilment.acceptable(telling.intent.tracking_number),
        failed_reason=delivery.FAILED_REASONS.get(why, "") if failed else "",
    )


def _track_step(telling: Telling, shop: Shop) -> Outcome | None:
    status = TrackingStatus(telling.intent.says["status"])
    if status in delivery.ACTION_CODES:
        return None
    reason = f"the marketplace has no word for {status.value}"
    return Outcome(Kind.REFUSED, reason=reason, advice=OURS_TO_SAY)


# Undoing


def _cancel_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    return _eligible(telling, "CANCEL")


def _eligible(telling: Telling, kind: str) -> Call | Outcome | None:
    """Ask whether and for which reasons; then have a reason, or tell why there is none."""
    found = telling.known.learned.get("eligibility")
    if found is None:
        return aftersales.eligibility(telling.order.order_id, kind)
    named = _listed(telling, "lines")  # of a part only its own units have to be eligible
    if not (set(named) <= set(found.line_ids) if named and found.line_ids else found.eligible):
        why = found.why_not or "it gives no reason"
        if found.codes and set(found.codes) <= IN_PROCESS:
            reason = f"the marketplace does not allow it yet: {why}"[:300]
            return Outcome(Kind.LATER, reason=reason, wait=NOT_YET)
        return Outcome(
            Kind.REFUSED,
            reason=f"the marketplace does not allow it now: {why}"[:300],
            advice="Do it in Seller Center, where it may offer another way.",
        )
    if not _reason(telling):
        wish, listed = telling.intent.says.get("reason"), ", ".join(found.reasons)
        return Outcome(
            Kind.REFUSED,
            reason=f"none of the marketplace's reasons means {wish!r}",
            advice=f"Ask again with one of its own: {listed or 'it offers none now'}.",
        )
    return None


IN_PROCESS = frozenset({25001011, 25001028})
"""Another case of the order is under way, or holds it locked: for a while only (6.2)."""

NOT_YET = timedelta(hours=1)


def _reason(telling: Telling) -> str:
    """The marketplace's reason for what was asked: its own word, or the one that ours means."""
    offered = telling.known.learned["eligibility"].reasons
    wish = telling.intent.says.get("reason", "")
    meant = MEANT.get(wish, wish)
    return wish if wish in offered else aftersales.choose_reason(meant, offered)


MEANT = {
    "deemed_lost": "lost",
    "disposed": "damaged",
    "deemed_delayed": "not_delivered",
    "returned": "not_delivered",
}
"""What a verdict's cause comes to among the few reasons for giving money back."""


def _cancel(telling: Telling, shop: Shop) -> Call:
    lines = _listed(telling, "lines")
    return aftersales.cancel(telling.order.order_id, _reason(telling), lines)


def _refund_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    refused = _eligible(telling, "REFUND")
    if refused is not None or "calculate_refund" in telling.known.learned:
        return refused
    lines, reason = _refunded(telling), _reason(telling)
    return aftersales.calculate_refund(telling.order.order_id, lines, reason)


def _refunded(telling: Telling) -> tuple[str, ...]:
    """The units to refund: those asked for, else all that the marketplace names."""
    eligible: tuple[str, ...] = telling.known.learned["eligibility"].line_ids
    facts = telling.order.facts
    every = tuple(line.line_id for line in facts.lines) if facts else ()
    return _listed(telling, "lines") or eligible or every


def _refund(telling: Telling, shop: Shop) -> Call:
    money = telling.known.learned["calculate_refund"]
    return aftersales.create_return(
        telling.order.order_id,
        _reason(telling),
        _refunded(telling),
        money.amount,
        money.currency,
        idempotency_key(telling),
    )


def idempotency_key(telling: Telling) -> str:
    """The same for every repeat of one intent (6.4)."""
    said = f"{telling.order.order_id}/{telling.intent.key}"
    return sha256(said.encode()).hexdigest()[:40]


def _approve(telling: Telling, shop: Shop) -> Call:
    case_id = telling.intent.says["case"]
    return aftersales.approve_cancellation(case_id, idempotency_key(telling))


def _reject_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    offered = telling.known.learned.get("reject_reasons")
    if offered is None:
        return aftersales.reject_reasons(telling.intent.says["case"])
    if telling.intent.says.get("reason", "") in offered:
        return None
    return Outcome(
        Kind.REFUSED,
        reason="that reason is not one of the marketplace's",
        advice=f"Ask again with one of: {', '.join(offered) or 'it offers none now'}.",
    )


def _reject(telling: Telling, shop: Shop) -> Call:
    says = telling.intent.says
    key = idempotency_key(telling)
    return aftersales.reject_cancellation(
        says["case"], key, says["reason"], says.get("comment", "")
    )


# Telling the buyer


def _message_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    if "conversation" in telling.known.learned:
        return None
    user_id = telling.known.buyer.get("user_id", "")
    if user_id:
        return service.conversation(user_id)
    return Outcome(
        Kind.REFUSED,
        reason="the buyer's id is not known",
        advice="Write to the buyer in Seller Center, from the order's page.",
    )


def _message(telling: Telling, shop: Shop) -> Call:
    conversation_id = str(telling.known.learned["conversation"])
    return service.message(conversation_id, telling.intent.says["text"])


STEPS: Mapping[str, Callable[[Telling, Shop], Call | Outcome | None]] = {
    capability.UPDATE_ORDER_SHIPPING: _renumber_step,
    capability.UPDATE_PACKAGE_SHIPPING: _renumber_step,
    capability.CREATE_PACKAGE: _label_step,
    capability.DELIVER: _deliver_step,
    capability.TRACK: _track_step,
    capability.CANCEL_ORDER: _cancel_step,
    capability.REJECT_CANCELLATION: _reject_step,
    capability.CREATE_RETURN: _refund_step,
    capability.SEND_MESSAGE: _message_step,
}

TELL: Mapping[str, Callable[[Telling, Shop], Call]] = {
    capability.SHIP_PACKAGE: _ship,
    capability.MARK_AS_SHIPPED: _mark,
    capability.CREATE_PACKAGE: _label,
    capability.UPDATE_ORDER_SHIPPING: _renumber,
    capability.UPDATE_PACKAGE_SHIPPING: _renumber,
    capability.DELIVER: _deliver,
    capability.CANCEL_ORDER: _cancel,
    capability.APPROVE_CANCELLATION: _approve,
    capability.REJECT_CANCELLATION: _reject,
    capability.CREATE_RETURN: _refund,
    capability.SEND_MESSAGE: _message,
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
