"""What is prepared for a person: a refund or cancellation, and a message to the buyer. Pure.

Derived from the verdicts that stand, so that one which is withdrawn or overtaken calls off what it
had prepared. Nothing here is sent before a person, or a setting of the shop, approves of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shipclock.domain.clock import Verdict, VerdictState
from shipclock.domain.number import normal
from shipclock.domain.order import Order
from shipclock.domain.stops import deliveries
from shipclock.domain.times import local
from shipclock.marketplaces.protocol import Marketplace, Shop
from shipclock.rules import abnormal_delivery
from shipclock.rules.policy import Policy

BUYER_MESSAGE = "buyer_message"

BECAUSE = {
    "damaged": "your parcel{number} was damaged on its way.",
    "lost": "your parcel{number} is lost.",
    "disposed": "your parcel{number} can't be delivered any more.",
    "returned": "your parcel{number} is on its way back to us.",
    abnormal_delivery.DEEMED_LOST: "your parcel{number} has not reached you, and we have to take "
    "it for lost.",
    abnormal_delivery.DEEMED_DELAYED: "your parcel{number} is late. It was to reach you by {due}.",
}
OTHERWISE = "something went wrong with your parcel{number} on its way."
OFFER = {
    "refund": "You may ask for a refund in the app, under your order {order}.",
    "cancellation": "We can cancel your order {order}, and you get your money back.",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """One thing that waits for a person.

    `kind` is `refund`, `cancellation` or `buyer_message`; `text` says what to do, or is the
    message itself, without any personal data. `verdict` is the key of the one that prepared it.
    `units` are the ids of the units that it is about: empty for the whole order, None where nobody
    can tell which they are.
    """

    kind: str
    rule: str
    cause: str
    package_id: str
    number: str
    text: str
    verdict: str = ""
    units: tuple[str, ...] | None = ()


def prepared(
    order: Order, verdicts: Iterable[Verdict], market: Marketplace, shop: Shop, policy: Policy
) -> tuple[Prepared, ...]:
    """What the standing verdicts of an order prepare: once per package, by its first cause."""
    if order.ended:
        return ()
    found: dict[str, tuple[Prepared, ...]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: (verdict.due_at, verdict.key)):
        stands = verdict.state is VerdictState.STANDING
        part = verdict.package_id or verdict.number
        if stands and verdict.rule == abnormal_delivery.NAME and part not in found:
            found[part] = _for(order, verdict, market.undo(order, shop), policy)
    return tuple(item for items in found.values() for item in items)


def _for(order: Order, verdict: Verdict, undo: str, policy: Policy) -> tuple[Prepared, ...]:
    number = order.written(verdict.number)
    about = verdict.rule, verdict.cause, verdict.package_id, number
    units = _units(order, verdict)
    todo = (
        f"{undo.capitalize()} of {_named(order, verdict, units)}: the parcel "
        f"{abnormal_delivery.words(order, verdict.cause)}. Open order {order.order_id} in Seller "
        "Center, choose the reason that it offers for this, and confirm; or approve it here. "
        "Nothing is sent by itself."
    )
    because = BECAUSE.get(abnormal_delivery.meaning(order, verdict.cause), OTHERWISE).format(
        number=f" {number}" if number else "", due=local(verdict.due_at, policy.zone)
    )
    offer = OFFER[undo].format(order=order.order_id)
    message = (
        f"Hello, we are sorry: {because} {offer} Should it reach you after all, please tell us."
    )
    return (
        Prepared(undo, *about, todo, verdict.key, units),
        Prepared(BUYER_MESSAGE, *about, message, verdict.key, units),
    )


def _units(order: Order, verdict: Verdict) -> tuple[str, ...] | None:
    """The units that a verdict is about, as `Prepared` has them: never more than it says, for what
    is given back for them is not to be had again."""
    lines = order.facts.lines if order.facts else ()
    live = [line for line in lines if line.display_status != "CANCELLED"]
    if verdict.package_id:
        mine = [line.line_id for line in live if line.package_id == verdict.package_id]
    elif len(order.packages) < 2:
        return ()
    elif verdict.number:
        mine = [line.line_id for line in live if normal(line.tracking_number) == verdict.number]
    else:  # what has not arrived
        out = [package for package in order.packages if not deliveries(order, package)]
        if len(out) == len(order.packages):
            return ()
        ids = {package.package_id for package in out if package.package_id}
        mine = [line.line_id for line in live if line.package_id in ids]
    if not mine:
        return None
    return () if len(mine) == len(live) else tuple(sorted(mine))


def _named(order: Order, verdict: Verdict, units: tuple[str, ...] | None) -> str:
    """The part of the order that a verdict is about, as the end of a phrase."""
    if units == ():
        return "the whole order"
    if not verdict.package_id and not verdict.number:
        return "what has not arrived"
    if not units or not verdict.package_id:
        return f"what was sent as {order.written(verdict.number)}"
    told = f"{len(units)} units" if len(units) > 1 else "the unit"
    return f"{told} in package {verdict.package_id}"
