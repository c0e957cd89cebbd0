"""Reading a parcel's history: most senders tell all of it, every time (`carriers.md` 1.3, rule 8).

An adapter reads each entry into a `Told`. What is common to all histories is here: odd entries are
left out and told of, entries without a time get one that undoes nothing, a summary that no entry
says becomes a scan of its own, and each scan has an identity that no delivery changes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from shipclock.domain.event import Link
from shipclock.domain.tracking import (
    SILENT,
    TERMINAL,
    UNCONFIRMED,
    Scan,
    TimeBasis,
    TrackingStatus,
    in_order,
)
from shipclock.reading import Object, Unreadable, digest, optional_id
from shipclock.sources import Delivery, Image, Translation
from shipclock.sources.fields import When, instant, number_of, object_of, words_at
from shipclock.sources.meaning import FINAL, Meaning

MOST_ENTRIES = 2_000
"""The longest history that is read; a parcel's has dozens."""

HANDED_OVER = frozenset({TrackingStatus.DELIVERED, TrackingStatus.RETURNED})
ENDS_OR_TURNS = TERMINAL | {TrackingStatus.RETURNING, TrackingStatus.DAMAGED}


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of a history as the sender tells it.

    `told_at` is its time in the sender's own words, `when` the same read; None where there is none.
    `where` and `marks` make its identity beside number, code and `told_at`: the place, or the
    sender's own id of the scan; and what may be told later of the same scan, so that such news is
    one event more, at the same time, and the order of arrival decides nothing. `word` takes the
    place of a code that is spelt in several ways. `place` is what is shown of where it was.
    `pictures` are the links to what shows it, each behind its kind.
    """

    code: str
    said: Meaning
    told_at: str = ""
    when: When | None = None
    where: str = ""
    place: str = ""
    carrier: str = ""
    marks: tuple[str, ...] = ()
    word: str = ""
    pictures: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a delivery says of one parcel, and so of each of its scans.

    `confirmed` is false where its words are not covered by what proves the sender.
    """

    source: str
    number: str
    written: str
    delivery: Delivery
    carrier: str = ""
    confirmed: bool = True

    def scan(self, told: Told) -> Scan:
        """One scan. Its identity is made of what is said in it and never of the delivery.

        Said unconfirmed it is another than the same one confirmed, which must not be lost by it
        (docs/decisions/0027). One without a time is of its receipt, and proves nothing missed.
        """
        occurred_at, basis = told.when or (self.delivery.received_at, TimeBasis.RECEIVED)
        doubt = () if self.confirmed else (UNCONFIRMED,)
        marks = (told.word or told.code, told.told_at, told.where, *told.marks, *doubt)
        return Scan(
            identity=digest(self.source, self.number, *marks),
            number=self.number,
            status=told.said.status,
            occurred_at=occurred_at,
            basis=basis,
            received_at=self.delivery.received_at,
            source=self.source,
            account=self.delivery.account,
            raw_code=told.code,
            written=self.written,
            carrier=told.carrier or self.carrier,
            reason=told.said.reason,
            location=told.place,
            delivered_to=told.said.delivered_to,
            proof=told.said.proof,
            flags=(*told.said.flags, *doubt),
            shops=self.delivery.shops,
        )

    def images(self, told: Told) -> list[Image]:
        """The pictures of one scan."""
        return [
            Image(self.number, self.scan(told).identity, kind, link) for kind, link in told.pictures
        ]

    def link(self, data: Object, key: str, field: str = "") -> tuple[tuple[Link, ...], str]:
        """The link to the order that a body names, and a note where it names none that can be one.

        The scans count all the same; only the link can't be made.
        """
        try:
            order_id = optional_id(data, key)
        except Unreadable as problem:
            return (), f"no link: {field}.{problem}" if field else f"no link: {problem}"
        if not order_id:
            return (), ""
        return (Link(self.number, order_id, self.source, shops=self.delivery.shops),), ""


def tracked(
    source: str,
    data: Object,
    key: str,
    field: str,
    delivery: Delivery,
    carrier: str = "",
    *,
    confirmed: bool = True,
) -> Tracked:
    """The parcel whose number stands under a key. Raises `Unreadable` where none can."""
    written = words_at(data, key, field)
    number = number_of(written, f"{field}.{key}" if field else key)
    return Tracked(source, number, written, delivery, carrier, confirmed)


def list_of(found: object, field: str, odd: list[str]) -> list[object]:
    """A list; an absent one is empty, and so is what is none, with a word in `odd`.

    Raises `Unreadable` where it is longer than any parcel's.
    """
    if not isinstance(found, list):
        if found is not None:
            odd.append(f"{field}: a list was expected, not {type(found).__name__}")
        return []
    if len(found) > MOST_ENTRIES:
        raise Unreadable(f"{field}: {len(found)} entries; no parcel has so many")
    return found


def entries(
    listed: Sequence[object],
    field: str,
    read: Callable[[Object, str], Told | None],
    odd: list[str],
) -> list[Told]:
    """What the entries tell, in the order they are listed.

    `read` takes an entry and where it stands; it answers None where that says nothing of the
    parcel. What is wrong with an entry goes into `odd`, and hides no other.
    """
    found: list[Told] = []
    for at, entry in enumerate(listed):
        try:
            told = read(object_of(entry, f"{field}[{at}]"), f"{field}[{at}]")
        except Unreadable as problem:
            odd.append(str(problem))
        else:
            found += [told] if told else []
    return found


def dated(told: Sequence[Told], received_at: datetime, *, newest_first: bool = False) -> list[Told]:
    """Entries with a time each, in the order they are listed.

    One that was told without a time is no later than the next newer one, nor than its receipt: the
    label of a parcel that we hear of late must not come after its delivery. Which end is newest is
    seen from the times; `newest_first` says it where they don't.
    """
    times = [each.when[0] for each in told if each.when]
    if times and times[0] != times[-1]:
        newest_first = times[0] > times[-1]
    found: list[Told] = []
    no_later_than = received_at
    for each in told if newest_first else reversed(told):
        when = each.when or (no_later_than, TimeBasis.RECEIVED)
        no_later_than = min(no_later_than, when[0])
        found.append(replace(each, when=when))
    return found if newest_first else found[::-1]


def last_changed(data: Object, key: str, field: str, odd: list[str]) -> tuple[str, When | None]:
    """When a sender last changed its record, in its words and read. An odd time costs itself."""
    try:
        told_at = words_at(data, key, field)
        return told_at, instant(told_at, f"{field}.{key}") if told_at else None
    except Unreadable as problem:
        odd.append(str(problem))
        return "", None


def summary(told: Told, listed: Sequence[Told], received_at: datetime) -> tuple[Told, ...]:
    """A parcel's own status as an entry, where no entry of its history (dated) says it.

    Only a status that ends or turns the parcel's way is added to a history: of others the history
    tells each when it happened. And none is added where the parcel was handed over, since it would
    undo that. Its time is when the sender last changed its record, for whatever cause; what
    happened is no later, so the time counts as `received` and proves no deadline missed. Nor is it
    before the history, whose times may run ahead: some local times are sent as UTC.
    """
    said = told.said
    statuses = {each.said.status for each in listed}
    ends = said.status in ENDS_OR_TURNS or FINAL in said.flags
    if listed and (said.status in statuses or statuses & HANDED_OVER or not ends):
        return ()
    known = [each.when[0] for each in (*listed, told) if each.when]
    told_at = told.told_at
    if said.status is TrackingStatus.DELIVERY_ATTEMPT_FAILED:
        # Attempts are counted by their times, and a parcel that stays failed is told so in every
        # later delivery: that is one attempt, not one each. Of another status every time is kept,
        # and the earliest counts, whichever delivery arrives first.
        told_at = ""
    when = (max(known, default=received_at), TimeBasis.RECEIVED)
    return (replace(told, told_at=told_at, when=when),)


def translation(
    scans: Iterable[Scan],
    odd: Sequence[str] = (),
    *,
    links: tuple[Link, ...] = (),
    images: Sequence[Image] = (),
    estimated_at: datetime | None = None,
    notes: Sequence[str] = (),
) -> Translation:
    """What a delivery means. Raises `Unreadable` where all that it tells is odd.

    The estimate is put on the newest scan that tells of the parcel only, so that the estimates of
    all deliveries stand apart. One that changes before the next scan is not kept, for that scan
    is known by then.
    """
    found: dict[str, Scan] = {}
    for scan in scans:
        found.setdefault(scan.identity, scan)
    if odd and not found:
        raise Unreadable(odd[0])
    if found and estimated_at is not None:
        telling = [scan for scan in found.values() if scan.status not in SILENT]
        newest = in_order(telling or found.values())[-1]
        found[newest.identity] = replace(newest, estimated_at=estimated_at)
    left_out = [f"left out {len(odd)}, the first of them: {odd[0]}"] if odd else []
    note = "; ".join([*left_out, *filter(None, notes)])
    shown = tuple(dict.fromkeys(images))
    return Translation(scans=tuple(found.values()), links=links, images=shown, note=note)
