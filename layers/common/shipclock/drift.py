"""Where what we know and what the marketplace shows do not agree: shown, never hidden. Pure.

Nothing follows from it by itself: clocks, re-reads and pushes go their own ways. A drift is there
while both sides say what they say, and gone with the disagreement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shipclock.domain.composition import Package
from shipclock.domain.number import normal
from shipclock.domain.order import (
    AWAITING_COLLECTION,
    CANCELLED,
    DELIVERED,
    IN_TRANSIT,
    PARTIALLY_SHIPPING,
    PROGRESS,
    Order,
)
from shipclock.domain.push import Intent, IntentState
from shipclock.domain.tracking import TrackingStatus
from shipclock.situation import Read

SCAN_LATE = timedelta(hours=24)
"""When the marketplace itself says to contact it about a scan that it does not show
(`tiktok-shop.md` 4.1)."""

WEBHOOK_LATE = timedelta(hours=1)
"""How long the webhook of a status that was read may still be on its way."""

VANISHED_AFTER = 4
"""Re-reads in a row that did not bring the order; by our back-off these take 23 minutes, longer
than a marketplace usually stumbles."""

UNTOLD = frozenset({PARTIALLY_SHIPPING})
"""Order statuses that webhooks are not documented to tell (3.6, type 1)."""

NOT_DELIVERED = frozenset({"TO_FULFILL", "PROCESSING", "FULFILLING"})
"""Package statuses, the marketplace's words, of a parcel that it does not show as delivered."""

CANCELLING = ("cancel", "approve_cancel")
"""How the calls begin that cancel an order."""


class What(StrEnum):
    """The kinds of drift."""

    DELIVERED_UNSEEN = "delivered_unseen"
    COLLECTED_UNSEEN = "collected_unseen"
    OTHER_NUMBER = "other_number"
    CANCELLED_GOES_ON = "cancelled_goes_on"
    DELIVERED_AFTER_CANCEL = "delivered_after_cancel"
    WEBHOOK_AHEAD = "webhook_ahead"
    WEBHOOK_LOST = "webhook_lost"
    VANISHED = "vanished"


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement: what we know, what the marketplace shows, since when, what to do.

    `since` is the instant of the later of the two facts, as far as it is known.
    """

    what: What
    ours: str
    theirs: str
    since: datetime
    advice: str


def drift(
    order: Order, intents: Iterable[Intent], now: datetime, read: Read | None = None
) -> tuple[Drift, ...]:
    """The disagreements about an order at `now`, those that have lasted longest first.

    `read` is the record of re-reads that brought nothing.
    """
    pushed = [intent for intent in intents if intent.state is IntentState.DONE]
    found = (
        _delivered_unseen(order),
        _collected_unseen(order, now),
        *(_other_number(order, intent) for intent in pushed),
        *(_cancelled_goes_on(order, intent) for intent in pushed),
        _delivered_after_cancel(order),
        _webhook_ahead(order),
        _webhook_lost(order, now),
        _vanished(order, read or Read()),
    )
    return tuple(sorted(filter(None, found), key=lambda d: (d.since, d.what, d.ours)))


def _packages(order: Order) -> list[Package]:
    """The packages that count: those that were not cancelled, else the numbers without one."""
    live = [p for p in order.packages if p.package_id and p.status != CANCELLED]
    return live or [p for p in order.packages if not p.package_id]


def _delivered_at(package: Package) -> datetime | None:
    """When the carrier delivered it, unless it said otherwise since."""
    parcel = package.parcel
    if parcel is None or parcel.status is not TrackingStatus.DELIVERED:
        return None
    return min(s.occurred_at for s in parcel.scans if s.status is TrackingStatus.DELIVERED)


def _delivered_unseen(order: Order) -> Drift | None:
    """The carrier has delivered what the marketplace shows as on its way, or not even that.

    Of an order with several packages a single one is judged by its own status at the marketplace.
    """
    if PROGRESS.get(order.status, len(PROGRESS)) >= PROGRESS[DELIVERED] or order.facts is None:
        return None
    packages = _packages(order)
    delivered = [(p, at) for p in packages if (at := _delivered_at(p))]
    whole = len(delivered) == len(packages)
    behind = [(p, at) for p, at in delivered if whole or p.status in NOT_DELIVERED]
    if not behind:
        return None
    numbers = ", ".join(sorted(p.tracking_number for p, _ in behind))
    shown = sorted({p.status for p, _ in behind if not whole})
    return Drift(
        What.DELIVERED_UNSEEN,
        f"delivered ({numbers})",
        ", ".join(shown) or order.status,
        max(at for _, at in behind),
        "Where you mark deliveries by hand, do so in Seller Center. Elsewhere the marketplace "
        "takes this from tracking: if a day later it still does not show it, open a ticket with "
        "the carrier's proof of delivery.",
    )


def _collected_unseen(order: Order, now: datetime) -> Drift | None:
    """Every package was scanned, and a day later the marketplace still waits for a collection."""
    packages = _packages(order)
    scans = [p.parcel.first_scan for p in packages if p.parcel is not None]
    known = [scan for scan in scans if scan is not None]
    if order.status != AWAITING_COLLECTION or not known or len(known) < len(packages):
        return None
    since = max(scan.occurred_at for scan in known)
    if now < since + SCAN_LATE:
        return None
    return Drift(
        What.COLLECTED_UNSEEN,
        f"scanned by the carrier ({known[-1].status.value})",
        order.status,
        since,
        "The carrier's scan is more than 24 h old and the marketplace does not show it: check the "
        "tracking number and the carrier in Seller Center, then contact TikTok Shop. It may cancel "
        "what it takes for never collected.",
    )


def _read_since(order: Order, intent: Intent) -> bool:
    """Whether the order was read again after a push was accepted."""
    newest = max((s.requested_at for s in order.snapshots), default=None)
    return newest is not None and (intent.done_at is None or newest >= intent.done_at)


def _other_number(order: Order, intent: Intent) -> Drift | None:
    """We told a number, it was accepted, and the marketplace shows another on that package."""
    facts = order.facts
    if facts is None or not intent.tracking_number or not _read_since(order, intent):
        return None
    if intent.call.startswith(CANCELLING):
        return None
    lines = facts.lines
    if intent.package_id:
        lines = tuple(line for line in lines if line.package_id == intent.package_id)
    shown = sorted({line.tracking_number for line in lines if line.tracking_number})
    if not shown or normal(intent.tracking_number) in map(normal, shown):
        return None
    return Drift(
        What.OTHER_NUMBER,
        intent.tracking_number,
        ", ".join(shown),
        facts.update_time,
        "The marketplace follows another tracking number than the one that we told it. Find out "
        "which parcel left, and correct the number in Seller Center while it may still be edited.",
    )


def _cancelled_goes_on(order: Order, intent: Intent) -> Drift | None:
    """Our cancellation was accepted, and the order went on towards the buyer."""
    part = intent.says.get("lines")  # of which the rest is to go on
    if part or not intent.call.startswith(CANCELLING) or not _read_since(order, intent):
        return None
    if order.facts is None or order.status not in (AWAITING_COLLECTION, IN_TRANSIT, DELIVERED):
        return None
    return Drift(
        What.CANCELLED_GOES_ON,
        f"cancellation accepted ({intent.call})",
        order.status,
        order.facts.update_time,
        "The marketplace took the cancellation and yet the order goes on. Stop the parcel if you "
        "can, and look at the order's cancellation in Seller Center.",
    )


def _delivered_after_cancel(order: Order) -> Drift | None:
    """The order was cancelled, and its parcel was delivered afterwards."""
    cancelled_at = order.reached_at(CANCELLED)
    if order.status != CANCELLED or cancelled_at is None:
        return None
    delivered = [(p, at) for p in order.packages if (at := _delivered_at(p)) and at > cancelled_at]
    if not delivered:
        return None
    return Drift(
        What.DELIVERED_AFTER_CANCEL,
        f"delivered ({', '.join(sorted(p.tracking_number for p, _ in delivered))})",
        order.status,
        max(at for _, at in delivered),
        "The buyer has the goods and is refunded. Open a ticket in Seller Center with the "
        "carrier's proof of delivery to claim the amount.",
    )


def _webhook_ahead(order: Order) -> Drift | None:
    """A webhook told a newer status than every re-read has shown."""
    told = [h for h in order.hints if h.status and h.update_time]
    if order.facts is None or not told:
        return None
    newest = told[-1]
    at = newest.update_time
    known = {snapshot.facts.status for snapshot in order.snapshots}
    if at is None or at <= order.facts.update_time or newest.status in known:
        return None
    return Drift(
        What.WEBHOOK_AHEAD,
        order.status,
        newest.status,
        at,
        "A webhook told this status and no re-read has shown it yet. The order is read again by "
        "itself; if this stays for an hour, see that the shop is connected.",
    )


def _webhook_lost(order: Order, now: datetime) -> Drift | None:
    """A status that was read, and that no webhook told of an order that webhooks told before."""
    facts = order.facts
    if facts is None or facts.status in UNTOLD:
        return None
    first = next(s for s in order.snapshots if s.facts.status == facts.status)
    told = [h for h in order.hints if h.status]
    before = [h for h in told if (h.update_time or h.received_at) < first.facts.update_time]
    if not before or any(h.status == facts.status for h in told):
        return None
    if now < first.facts.update_time + WEBHOOK_LATE:
        return None
    return Drift(
        What.WEBHOOK_LOST,
        f"webhooks told {before[-1].status} last",
        facts.status,
        first.facts.update_time,
        "The status was found by reading; its webhook did not arrive. Nothing is lost. If it "
        "happens often, look at the Webhook Log in Partner Center and at the alarms of ingest.",
    )


def _vanished(order: Order, read: Read) -> Drift | None:
    """The marketplace was asked for the order again and again and did not give it."""
    newest = max((s.requested_at for s in order.snapshots), default=read.requested_at)
    if read.left_out < VANISHED_AFTER or newest > max(read.requested_at, read.failed_at):
        return None
    seen = [s.as_of for s in order.snapshots]
    heard = [h.update_time or h.received_at for h in order.hints]
    return Drift(
        What.VANISHED,
        order.status,
        f"not given back {read.left_out} times in a row",
        max([read.as_of, *seen]) if seen else min(heard, default=read.failed_at),
        "The marketplace does not give this order back. See whether it still is in Seller Center, "
        "and whether the shop's app may read it. It is asked for again each hour.",
    )
