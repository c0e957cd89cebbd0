"""What a re-read shows of a call whose effect is in doubt: the table's proofs of effect. Pure."""

from collections.abc import Callable, Mapping

from shipclock.domain.event import CaseChange
from shipclock.domain.number import normal
from shipclock.domain.order import CANCELLED, COMPLETED, DELIVERED, IN_TRANSIT, Order
from shipclock.domain.push import Effect, Intent, effect_of_ship
from shipclock.marketplaces.tiktok_shop import capability

PENDING = "CANCELLATION_REQUEST_PENDING"
WITHDRAWN = ("CANCELLATION_REQUEST_CANCEL", "CANCELLATION_REQUEST_CANCELLED")
"""The search's word for a request that was withdrawn or rejected, and the webhook's (3.6)."""


def effect(order: Order, intent: Intent) -> Effect:
    """Whether the order shows what an intent was to bring about; `UNSEEABLE` where nothing
    would."""
    found = EFFECTS.get(intent.call)
    return found(order, intent) if found else Effect.UNSEEABLE


def _renumbered(order: Order, intent: Intent) -> Effect:
    facts = order.facts
    lines = facts.lines if facts else ()
    # A call about the whole order names no package, and the one meant may have been combined since.
    whole = not intent.package_id or intent.call == capability.UPDATE_ORDER_SHIPPING
    shown = {normal(x.tracking_number) for x in lines if whole or x.package_id == intent.package_id}
    if facts and whole:
        shown.add(normal(facts.tracking_number))
    if normal(intent.tracking_number) in shown:
        return Effect.SEEN
    return Effect.OTHER if order.ended else Effect.NOT_SEEN


def _delivered(order: Order, intent: Intent) -> Effect:
    said = intent.says.get("delivery_type")
    if said == "UPDATE_POD":
        return Effect.UNSEEABLE
    statuses = {p.status for p in order.packages if p.package_id == intent.package_id}
    arrived = order.status in (DELIVERED, COMPLETED) or "COMPLETED" in statuses
    failed = order.status == CANCELLED or "CANCELLED" in statuses
    if not arrived and not failed:
        return Effect.NOT_SEEN
    return Effect.SEEN if arrived is (said == "DELIVERY_SUCCESS") else Effect.OTHER


def _cancelled(order: Order, intent: Intent) -> Effect:
    ours = {c.case_id: c.status for c in order.cases if _ours(c, intent, "cancellation")}
    if order.status == CANCELLED or any(s not in WITHDRAWN for s in ours.values()):
        return Effect.SEEN
    gone = order.status in (IN_TRANSIT, DELIVERED, COMPLETED)
    return Effect.OTHER if gone else Effect.NOT_SEEN


def _ours(case: CaseChange, intent: Intent, kind: str) -> bool:
    """Whether the seller opened it, about the units that the intent names: there may have been one
    about others before."""
    named = set(filter(None, intent.says.get("lines", "").split(",")))
    told = not case.line_ids or named.issubset(case.line_ids)
    return case.case == kind and case.role == "SELLER" and told


def _answered(order: Order, intent: Intent) -> Effect:
    """The newest word on the buyer's request."""
    states = [c.status for c in order.cases if c.case_id == intent.says.get("case")]
    if states and states[-1] != PENDING:  # also where the order was cancelled later
        approved = states[-1] not in WITHDRAWN
    elif order.status == CANCELLED:
        approved = True
    else:
        return Effect.NOT_SEEN if order.cancel_open else Effect.OTHER
    wished = intent.call == capability.APPROVE_CANCELLATION
    return Effect.SEEN if approved is wished else Effect.OTHER


def _refunded(order: Order, intent: Intent) -> Effect:
    """A return that the seller opened. A repeat under the same key is harmless besides (6.4)."""
    if any(_ours(case, intent, "return") for case in order.cases):
        return Effect.SEEN
    return Effect.OTHER if order.status == CANCELLED else Effect.NOT_SEEN


EFFECTS: Mapping[str, Callable[[Order, Intent], Effect]] = {
    capability.SHIP_PACKAGE: effect_of_ship,
    capability.MARK_AS_SHIPPED: effect_of_ship,
    capability.UPDATE_ORDER_SHIPPING: _renumbered,
    capability.UPDATE_PACKAGE_SHIPPING: _renumbered,
    capability.DELIVER: _delivered,
    capability.CANCEL_ORDER: _cancelled,
    capability.APPROVE_CANCELLATION: _answered,
    capability.REJECT_CANCELLATION: _answered,
    capability.CREATE_RETURN: _refunded,
}
"""Buying a label, a tracking event and a message leave no trace that would prove whose it was."""
