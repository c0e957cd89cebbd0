"""What the seller is told besides clocks: the marketplace's own doings. Pure, each told once."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from shipclock.domain.clock import Notice
from shipclock.domain.level import Level
from shipclock.domain.order import AWAITING_SHIPMENT, CANCELLED, IN_TRANSIT, PROGRESS, Order
from shipclock.domain.times import local, stamp
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Marketplace
from shipclock.situation import Situation

OUTCOME = "outcome"
CANCEL_REQUEST = "cancel_request"
PICKUP = "pickup"
COLLECTED = "collected"

BY_THEM = frozenset({"SYSTEM", "OPERATOR"})
"""Who cancels without the buyer or the seller having asked (`tiktok-shop.md` 4.4, 5.5)."""


def news(order: Order, about: Situation) -> Iterator[Notice]:
    """What has happened to the order that its seller must hear of, as of `now`."""
    if about.policy is None or about.shop is None:
        return
    zone = about.policy.zone
    yield from _outcome(order, MARKETPLACES[about.shop.marketplace], zone, about.now)
    if not order.ended:
        yield from _cancel_request(order, zone, about.now)
        yield from _handover(order, zone, about.now)


def _outcome(order: Order, market: Marketplace, zone: ZoneInfo, now: datetime) -> Iterator[Notice]:
    """The marketplace cancelled an order that we knew as open."""
    facts, at = order.facts, order.reached_at(CANCELLED)
    statuses = {snapshot.facts.status for snapshot in order.snapshots}
    was_open = bool(statuses - {CANCELLED})
    if facts is None or at is None or not was_open:
        return
    why = market.cancel_words(facts.cancel_reason)
    if facts.cancelled_by not in BY_THEM and not (why and not facts.cancelled_by):
        return
    reason = f" ({facts.cancel_reason})" if facts.cancel_reason else ""
    text = (
        f"The marketplace cancelled the order on {local(at, zone)}: "
        f"{why or 'for a reason of its own'}{reason}. A prepaid order is refunded by it. "
        "If the parcel has left, have the carrier bring it back; if it has not, put the items back "
        "into stock."
    )
    # A parcel may be on its way, or just about to be handed over: not where nobody had paid yet.
    packed = any(PROGRESS.get(s, 0) >= PROGRESS[AWAITING_SHIPMENT] for s in statuses - {CANCELLED})
    yield Notice(CANCELLED, OUTCOME, now, stamp(at), text, Level.URGENT if packed else "")


def _cancel_request(order: Order, zone: ZoneInfo, now: datetime) -> Iterator[Notice]:
    """The buyer asks to cancel: the parcel may be packed already."""
    if not order.cancel_open:
        return
    asked = order.cancel_asked_at
    day = asked.astimezone(zone).date().isoformat() if asked else ""
    by = f" by {local(order.cancel_by, zone)}" if order.cancel_by else ""
    text = (
        "The buyer asks to cancel. Keep the parcel back, also where it is packed already; the "
        "order is not marked shipped meanwhile. Accept or reject the request here or in Seller "
        f"Center{by}."
    )
    # By its day: order and case may name moments that differ, and it is told once.
    yield Notice(CANCELLED, CANCEL_REQUEST, now, day, text)


def _handover(order: Order, zone: ZoneInfo, now: datetime) -> Iterator[Notice]:
    """When the marketplace's carrier fetches a parcel, and that it has."""
    collected = order.reached_at(IN_TRANSIT)
    if collected is None:
        yield from _pickups(order, zone, now)
        return
    waited = any(PROGRESS.get(s.facts.status, 99) < PROGRESS[IN_TRANSIT] for s in order.snapshots)
    if waited and any(read.handover_method == "PICKUP" for read in order.package_reads):
        text = (
            f"The marketplace shows the order as collected on {local(collected, zone)}. Nothing to "
            "do; its way is followed from here on."
        )
        yield Notice(IN_TRANSIT, COLLECTED, now, stamp(collected), text)


def _pickups(order: Order, zone: ZoneInfo, now: datetime) -> Iterator[Notice]:
    for package_id, read in {read.package_id: read for read in order.package_reads}.items():
        begins, ends = read.pickup_from, read.pickup_until
        if begins and ends and now < ends:
            text = (
                f"The carrier fetches package {package_id} between {local(begins, zone)} and "
                f"{local(ends, zone)}. Have it packed and labelled by then."
            )
            # Where the carrier may come any moment, it is to be heard before he has been.
            ahead = begins if now < begins else ends
            yield Notice(package_id, PICKUP, now, stamp(begins), text, due_at=ahead)
