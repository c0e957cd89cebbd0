"""Pictures of deliveries: named by a carrier, fetched by a sweep (`fetching`), kept and shown.

A picture is a row from when it is named until its file's time is over. It holds the link for as
long as that is needed and no longer, for whoever has it sees the picture. What comes is kept once
per number, under the digest of its bytes (docs/decisions/0024).
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shipclock import rows
from shipclock.blobs import KEPT, put_blob, read_blob
from shipclock.domain.order import Order
from shipclock.domain.picture import NotAPicture, look
from shipclock.domain.times import parse, stamp
from shipclock.domain.tracking import TrackingStatus
from shipclock.marketplaces.protocol import Blob
from shipclock.ports import Change, Key, Put, Row, Store, StoreError
from shipclock.reading import digest
from shipclock.sources import Delivery, Image

LINK_KEPT = timedelta(days=7)
"""How long a link is kept at most; our tries are over before."""

HOLD = timedelta(minutes=30)
"""How long, in `now`, a delivery waits to be told for a picture that was named and is not had."""

MOST_PER_NUMBER = 12
MOST_PER_DELIVERY = 100
"""Pictures that one account may name of a number, and in one delivery. The rest is left out."""

TRIES = 8

Wants = Callable[[str, str], bool]
"""Whether the pictures that an account of a source names are wanted: something lets us fetch."""


class State(StrEnum):
    """`refused`: what is there is not allowed. `gone`: it was tried often enough."""

    WAITING = "waiting"
    KEPT = "kept"
    REFUSED = "refused"
    GONE = "gone"


def album(number: str) -> str:
    """The partition of a number's pictures."""
    return rows.FILES + rows.number_pk(number)


# Named


def put_images(
    store: Store,
    delivery: Delivery,
    named_by: str,
    images: Sequence[Image],
    wants: Wants,
    now: datetime,
    real: datetime,
) -> str:
    """Note the pictures that a delivery names, to be fetched where that is wanted; keep those that
    it brings. Answers with a note where some were left out.

    A picture that is named again is the same. One that could not be had is tried again.
    """
    links = any(image.link for image in images) and wants(delivery.source, delivery.account)
    wanted = [image for image in images if image.data or links]
    chosen, left_out = wanted[:MOST_PER_DELIVERY], len(wanted[MOST_PER_DELIVERY:])
    for number in dict.fromkeys(image.number for image in chosen):
        mine = [image for image in chosen if image.number == number]
        left_out += _put_of_number(store, delivery, named_by, mine, now, real)
    return f"pictures left out: {left_out}" if left_out else ""


def _put_of_number(
    store: Store,
    delivery: Delivery,
    named_by: str,
    images: Sequence[Image],
    now: datetime,
    real: datetime,
) -> int:
    """Note some pictures of one number, all or none: of one alone it could be told that it is
    missing while another is not noted yet. Answers how many were left out."""
    pk = album(images[0].number)
    who = rows.IMAGE + digest(delivery.source, delivery.account)[:12] + "#"
    for _ in range(TRIES):
        known = {row["sk"]: row for row in store.read(pk, who)}
        writes: list[Put | Change] = []
        left_out = 0
        for place, (name, image) in enumerate(_named(images)):
            earlier = known.get(who + name)
            if earlier is None and len(known) >= MOST_PER_NUMBER:
                left_out += 1
                continue
            row = _row((pk, who + name), image, place, delivery, named_by, now, real)
            known.setdefault(who + name, row)
            writes += _writes(store, image, row, earlier, real)
        if not writes or (store.write(*writes) if len(writes) == 1 else store.commit(writes)):
            return left_out
    raise StoreError(f"pictures of a number were changed by others {TRIES} times in a row")


def _named(images: Iterable[Image]) -> Iterator[tuple[str, Image]]:
    """Each picture with its name. Of a link what is signed does not count: it changes while the
    picture stays the same."""
    seen: Counter[tuple[str, ...]] = Counter()
    for image in images:
        bare = image.link.partition("#")[0].partition("?")[0]
        same = hashlib.sha256(image.data).hexdigest() if image.data else bare
        said = image.scan, image.kind, same
        seen[said] += 1
        yield digest(*said, str(seen[said])), image


def _row(
    key: Key,
    image: Image,
    place: int,
    delivery: Delivery,
    named_by: str,
    now: datetime,
    real: datetime,
) -> Row:
    return {
        "pk": key[0],
        "sk": key[1],
        "state": State.WAITING.value,
        "number": image.number,
        "scan": image.scan,
        "kind": image.kind,
        "place": place,
        "source": delivery.source,
        "account": delivery.account,
        "shops": list(delivery.shops),
        "named_by": named_by,
        "link": image.link,
        "since": stamp(now),
        "tries": 0,
        "expires_at": int((real + LINK_KEPT).timestamp()),
        **rows.mark(key, rows.at_once(real)),
    }


def _writes(
    store: Store, image: Image, row: Row, earlier: Row | None, real: datetime
) -> list[Put | Change]:
    """What is to be written of a picture that was named, given what is known of it."""
    if earlier is None:
        return [Put(_had(store, image, row, real))]
    key, when = rows.key_of(row), {"state": earlier["state"]}
    if earlier["state"] in (State.REFUSED, State.GONE):
        again = _had(store, image, row, real)
        said = {name: value for name, value in again.items() if name not in ("pk", "sk")}
        over = tuple(name for name in ("reason", *rows.UNMARK) if name not in said)
        return [Change(key, set=said, remove=over, when=when)]
    if earlier["state"] == State.WAITING and earlier["link"] != image.link:
        # Signed anew, perhaps because the other one runs out.
        fresh = {"link": image.link, "expires_at": row["expires_at"]}
        return [Change(key, set=fresh, when=when)]
    return []


def _had(store: Store, image: Image, row: Row, real: datetime) -> Row:
    """A picture's row; of one that was brought along with what became of it at once."""
    if not image.data:
        return row
    try:
        had = keep(store, row, image.data, real)
    except NotAPicture as reason:  # the mark stays: a sweep tells of it
        had = {"state": State.REFUSED.value, "reason": str(reason), "expires_at": until(real)}
        return {**row, **had}
    return {**{name: value for name, value in row.items() if name not in rows.MARK}, **had}


def keep(store: Store, row: Row, data: bytes, real: datetime) -> Row:
    """Keep a picture as a file of its number; what its row says from then on. Raises `NotAPicture`.

    The same bytes are the same file, so that whatever breaks off can be done again.
    """
    picture = look(data)
    sha256 = hashlib.sha256(data).hexdigest()
    blob = Blob(picture.media_type, data)
    put_blob(store, rows.number_pk(row["number"]), rows.CARRIER + sha256, blob, real)
    said = {"media_type": picture.media_type, "size": len(data), "sha256": sha256}
    return {"state": State.KEPT.value, "expires_at": until(real), **said}


def until(real: datetime) -> int:
    """Until when a picture's row is kept: as long as its file."""
    return int((real + KEPT).timestamp())


def may_speak(row: Row, shop_id: str) -> bool:
    """Whether the account that named a picture may speak for a shop."""
    return not row["shops"] or shop_id in row["shops"]


# Shown


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that proves a delivery, and until when, in `now`, one may still come."""

    proof: Blob | None = None
    until: datetime | None = None


def shown(
    store: Store, order: Order, package_id: str, takes: Callable[[Blob], bool], real: datetime
) -> Shown:
    """What carriers have to show of the delivery of a package: the first picture that is kept and
    taken, a signature before a photo.

    It must belong to a scan that counts for this order, of a sender that is certain, and come from
    an account that may speak for its shop: a number may have been another order's before.
    """
    parcels = [p.parcel for p in order.packages if p.package_id == package_id and p.parcel]
    scans = {
        scan.identity
        for parcel in parcels
        for scan in parcel.scans
        if scan.status is TrackingStatus.DELIVERED and scan.confirmed
    }
    found = [
        row
        for parcel in parcels
        for row in store.read(album(parcel.number), rows.IMAGE)
        if row["scan"] in scans and may_speak(row, order.shop_id)
    ]
    for row in sorted(found, key=lambda r: (r["kind"] != "signature", r["place"], r["sk"])):
        blob = picture_of(store, row, real)
        if blob is not None and takes(blob):
            return Shown(blob)
    waits = [parse(row["since"]) + HOLD for row in found if row["state"] == State.WAITING]
    return Shown(until=max(waits, default=None))


def picture_of(store: Store, row: Row, real: datetime) -> Blob | None:
    """The file of a picture's row; None where there is none, or no longer."""
    if row["state"] != State.KEPT:
        return None
    name = rows.CARRIER + row["sha256"]
    return read_blob(store, rows.number_pk(row["number"]), name, real)


# For people


def pictures_of_order(store: Store, order_id: str, real: datetime) -> list[Row]:
    """The rows of all pictures of the numbers of an order, whoever may see them."""
    links = store.read(rows.order_pk(order_id), rows.LINK)
    found = [
        row
        for link in links
        for row in store.read(album(link["sk"].removeprefix(rows.LINK)), rows.IMAGE)
        if row["expires_at"] > real.timestamp()  # the table deletes it only days later
    ]
    return sorted(found, key=lambda row: (row["number"], row["since"], row["place"], row["sk"]))


def name_again(store: Store, row: Row, real: datetime) -> bool:
    """Have the delivery that named a picture translated again by the next sweep, which tries what
    could not be had once more; False where the delivery is no longer kept."""
    key = row["named_by"], rows.DELIVERY
    return store.write(Change(key, set=rows.mark(key, rows.at_once(real))))
