"""Once collected, the order must show as shipped in time (the guide: 48 hours)."""

from datetime import datetime

from shipclock.domain.clock import Ask, Clock, Stop
from shipclock.domain.order import AWAITING_COLLECTION, IN_TRANSIT, TIKTOK, Order
from shipclock.domain.stops import first, first_proof, reached
from shipclock.domain.times import local
from shipclock.rules import incidents
from shipclock.rules.names import LENGTH
from shipclock.rules.policy import Policy
from shipclock.rules.rule import About, Rule

NAME = "collected_to_shipped"
NEEDS = (LENGTH,)


def clocks(order: Order, policy: Policy) -> tuple[Clock, ...]:
    """One clock from the collection, once that is known."""
    clause, facts = policy.clause(NAME), order.facts
    if clause is None or facts is None:
        return ()
    if facts.shipping_type != TIKTOK and not policy.hand_marked:
        return ()
    starts_at = first_proof(order) or facts.collection_time
    if starts_at is None:
        return ()
    return (
        Clock(
            name=NAME,
            due_at=incidents.due(order, policy, NAME, clause, starts_at),
            set_by=policy.set_by(NAME),
            clause=clause.clause,
            starts_at=starts_at,
            stop=first((reached(order, IN_TRANSIT), _marked(order, policy, starts_at))),
            ask=Ask.ONCE,
        ),
    )


def _marked(order: Order, policy: Policy, starts_at: datetime) -> Stop | None:
    """On a shop marked by hand: the ship push that was accepted at or after the collection.

    The marketplace's time for it is `rts_time`, "ship call succeeded" (`tiktok-shop.md` 4.3).
    """
    stop = reached(order, AWAITING_COLLECTION)
    return stop if policy.hand_marked and stop and stop.at >= starts_at else None


def explain(order: Order, clock: Clock, policy: Policy) -> str:
    """Tells since when the parcel has been gone."""
    since = local(clock.starts_at, policy.zone) if clock.starts_at else "then"
    return (
        f"The carrier has had the parcel since {since}, and the marketplace still shows "
        f"{order.status} on {local(clock.due_at, policy.zone)}. Until it shows the order as "
        "shipped, the deadlines for dispatch run on and it may be cancelled. Mark it shipped in "
        "Seller Center; if it is marked already, open a ticket with the carrier's receipt."
    )


RULE = Rule(
    NAME,
    About(
        orders="Ship by TikTok, and shops with `hand_marked`",
        starts="the earliest scan, else `collection_time`",
        due="{length} later",
        stops="IN_TRANSIT or beyond; on shops with `hand_marked` also a ship push accepted at or "
        "after the start",
        then="the order is re-read, then alert",
    ),
    clocks,
    explain,
)
