"""Intents that undo an order, answer its buyer or write to them (5.5, 5.6). No I/O."""

from datetime import timedelta
from hashlib import sha256

from shipclock.marketplaces.protocol import Call, Kind, Outcome, Shop, Telling
from shipclock.marketplaces.tiktok_shop import aftersales, service


def cancel_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """Whether the order may be cancelled, and for which reasons."""
    return _eligible(telling, "CANCEL")


def _eligible(telling: Telling, kind: str) -> Call | Outcome | None:
    """Ask whether and for which reasons; then have a reason, or tell why there is none."""
    found = telling.known.learned.get("eligibility")
    if found is None:
        return aftersales.eligibility(telling.order.order_id, kind)
    named = telling.listed("lines")  # of a part only its own units have to be eligible
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


def cancel(telling: Telling, shop: Shop) -> Call:
    """Cancel the order, or some of its units."""
    lines = telling.listed("lines")
    return aftersales.cancel(telling.order.order_id, _reason(telling), lines)


def refund_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """Whether money may be given back, for which reasons, and how much."""
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
    return telling.listed("lines") or eligible or every


def refund(telling: Telling, shop: Shop) -> Call:
    """Give the money back, once under its key."""
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


def approve(telling: Telling, shop: Shop) -> Call:
    """Agree to a buyer's wish to cancel, once under its key."""
    case_id = telling.intent.says["case"]
    return aftersales.approve_cancellation(case_id, idempotency_key(telling))


def reject_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """A buyer's wish is turned down for one of the marketplace's reasons alone."""
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


def reject(telling: Telling, shop: Shop) -> Call:
    """Turn a buyer's wish to cancel down, once under its key."""
    says = telling.intent.says
    key = idempotency_key(telling)
    return aftersales.reject_cancellation(
        says["case"], key, says["reason"], says.get("comment", "")
    )


# Telling the buyer


def message_step(telling: Telling, shop: Shop) -> Call | Outcome | None:
    """The conversation with the buyer, opened or found."""
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


def message(telling: Telling, shop: Shop) -> Call:
    """A text to the buyer."""
    conversation_id = str(telling.known.learned["conversation"])
    return service.message(conversation_id, telling.intent.says["text"])
