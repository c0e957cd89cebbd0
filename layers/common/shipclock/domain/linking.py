"""Whose scans a tracking number's are: orders may share one, or get it one after another."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shipclock.domain.carrier import differ
from shipclock.domain.event import Link, OrderFacts
from shipclock.domain.tracking import Parcel, Scan, fold_parcel

CLOCK_SKEW = timedelta(days=1)
"""How far before the order's creation a scan may be dated: some carriers stamp local time as UTC.
It is not granted where another order shares the number; there only time tells them apart."""

MARKETPLACE = "marketplace"
"""The source of a link that the marketplace's own order detail made."""


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """What is kept under one tracking number: its scans and every order it is linked to."""

    number: str
    scans: tuple[Scan, ...] = ()
    links: tuple[Link, ...] = ()


def parcels(
    order_id: str, shop_id: str, facts: OrderFacts | None, numbers: list[NumberFacts]
) -> tuple[dict[str, Parcel], int]:
    """The parcel of each linked number, and how many scans they hold in all."""
    parcels: dict[str, Parcel] = {}
    total = 0
    for about in sorted(numbers, key=lambda n: n.number):
        mine = [link for link in about.links if link.order_id == order_id]
        if not any(_may_speak(link.shops, shop_id) for link in mine):
            continue
        scans = [s for s in about.scans if _may_speak(s.shops, shop_id)]
        scans = _of_its_carrier(scans, about.links, order_id)
        created = facts.create_time if facts else None
        if created:
            alone = all(link.order_id == order_id for link in about.links)
            earliest = created - CLOCK_SKEW if alone else created
            scans = [s for s in scans if s.occurred_at >= earliest]
            scans = _before_reuse(scans, created, about.links, order_id)
        parcels[about.number] = fold_parcel(about.number, scans)
        total += len(parcels[about.number].scans)
    return parcels, total


def _may_speak(shops: tuple[str, ...], shop_id: str) -> bool:
    return not shops or shop_id in shops


def _of_its_carrier(scans: list[Scan], links: tuple[Link, ...], order_id: str) -> list[Scan]:
    """Leave out scans of another order's carrier, where two orders share a number.

    The number counts alone otherwise: a scan by a carrier that is nobody's is everybody's, and so
    is one that names none.
    """
    ours = {link.carrier for link in links if link.order_id == order_id and link.carrier}
    theirs = {link.carrier for link in links if link.order_id != order_id and link.carrier}
    if not ours or not theirs:
        return scans
    return [
        scan
        for scan in scans
        if any(not differ(scan.carrier, name) for name in ours)
        or all(differ(scan.carrier, name) for name in theirs)
    ]


def shared(order_id: str, numbers: list[NumberFacts]) -> frozenset[str]:
    """The numbers that the marketplace has told of another order too."""
    return frozenset(
        about.number
        for about in numbers
        if any(link.order_id != order_id and link.source == MARKETPLACE for link in about.links)
    )


def _before_reuse(
    scans: list[Scan], created: datetime, links: tuple[Link, ...], order_id: str
) -> list[Scan]:
    """Leave out the scans of a later order that got the same number after this parcel had ended."""
    later = sorted(
        {
            link.created_at
            for link in links
            if link.order_id != order_id and link.created_at and link.created_at > created
        }
    )
    for reused_at in later:
        before = [s for s in scans if s.occurred_at < reused_at]
        if fold_parcel("", before).ended_at:
            return before
    return scans
