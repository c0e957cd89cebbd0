"""What a delivery says by a mapping: parcels, their scans, and the orders they belong to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shipclock.domain.event import Link
from shipclock.domain.tracking import Scan, TrackingStatus
from shipclock.reading import Object, Unreadable, form, json_object
from shipclock.sources import Delivery, Translation
from shipclock.sources.fields import When, kept, number_of
from shipclock.sources.history import Told, Tracked, dated, entries, list_of, translation
from shipclock.sources.mapped import paths
from shipclock.sources.mapped.spec import STAR, Spec
from shipclock.sources.meaning import NOTHING_KNOWN, Meaning, told_alike_there_and_back

JOINED = "/"
"""Between the parts of a code, so that a table of codes can name them together."""

MOST_NOTES = 3
"""Notes of a delivery that are kept with it."""

BACK = "back"
"""Marks what was told of the leg back: the same code and time may come for either leg."""


@dataclass(slots=True)
class Reading:
    """What a delivery says, piece by piece. `odd` is what was left out, and why."""

    scans: list[Scan] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def translation(self) -> Translation:
        """All of it. Raises `Unreadable` where all that it tells is odd."""
        return translation(
            self.scans,
            self.odd,
            links=tuple(self.links),
            notes=list(dict.fromkeys(self.notes))[:MOST_NOTES],
        )


def read(spec: Spec, delivery: Delivery) -> Reading:
    """What a delivery says. Raises ValueError where it has no object for a body, and `Unreadable`
    where an expression over all of it fails."""
    body = opened(spec, delivery.body)
    found = Reading()
    if spec.when:
        said = paths.scalar(spec.when.path, body, "when.path")
        if said not in spec.when.values:
            found.notes.append(f"{spec.when.path} is {said[:60]!r}, which means nothing")
            return found
    for at, parcel in _parcels(spec, body, found.odd):
        try:
            _parcel(spec, parcel, at, delivery, found)
        except Unreadable as problem:
            found.odd.append(f"{at}{problem}")
    if not (found.scans or found.odd or found.notes):
        found.notes.append("it tells of no scans")
    return found


def opened(spec: Spec, body: bytes) -> Object:
    """The object that a body is, or holds in a field of its form. Raises ValueError."""
    if not spec.form:
        return json_object(body)
    fields = form(body)
    if not spec.form_field:
        return fields
    try:
        return json_object(fields.get(spec.form_field, "").encode())
    except ValueError as error:
        raise ValueError(f"the field {spec.form_field} is no JSON object: {error}") from error


def _parcels(spec: Spec, body: Object, odd: list[str]) -> Iterator[tuple[str, Any]]:
    """The parcels in a body, each with where it stands for messages."""
    each = spec.parcel.each
    if not each:
        yield "", body
        return
    listed = list_of(paths.found(each, body, "parcel.each"), paths.named("parcel.each", each), odd)
    for at, parcel in enumerate(listed):
        yield f"parcel {at}: ", parcel


def _parcel(spec: Spec, data: Any, at: str, delivery: Delivery, found: Reading) -> None:
    path = spec.parcel.number
    written = paths.text(path, data, "parcel.number")
    parcel = Tracked(
        spec.name,
        number_of(written, paths.named("parcel.number", path)),
        written,
        delivery,
        kept(_detail(spec.parcel.carrier_path, data, "parcel.carrier_path", found.notes))
        or spec.parcel.carrier,
        confirmed=spec.proof.covers_body,
    )
    listed = _scans(spec, data, at, found)
    found.scans += map(parcel.scan, dated(listed, delivery.received_at))
    reference = _detail(spec.parcel.reference, data, "parcel.reference", found.notes)
    links, note = parcel.link({"reference": reference}, "reference", "parcel")
    found.links += links
    found.notes += [f"{at}{note}"] if note else []


def _scans(spec: Spec, data: Any, at: str, found: Reading) -> Sequence[Told]:
    each = spec.scan.each
    listed: list[object] = [data]
    if each:
        field_ = at + paths.named("scan.each", each)
        listed = list_of(paths.found(each, data, "scan.each"), field_, found.odd)

    def one(entry: Object, where: str) -> Told | None:
        try:
            return _told(spec, entry, found.notes)
        except Unreadable as problem:
            raise Unreadable(f"{where}: {problem}" if each else f"{at}{problem}") from None

    return entries(listed, f"{at}scan", one, found.odd)


# ONE SCAN -----------------------------------------------------------------------------------------


def _told(spec: Spec, entry: Object, notes: list[str]) -> Told | None:
    """One scan; None where its code says nothing of where the parcel is."""
    parts = [paths.text(path, entry, "scan.code") for path in spec.scan.code]
    code = kept(JOINED.join(parts).rstrip(JOINED))
    if not code:
        raise Unreadable(f"{paths.named('scan.code', *spec.scan.code)}: a code was expected")
    line = line_of(spec, code)
    said = NOTHING_KNOWN if line is None else spec.words.codes[line]
    if said is None:
        notes.append(f"{code!r} says nothing of where the parcel is")
        return None
    back = bool(spec.scan.back) and paths.flag(spec.scan.back, entry, "scan.back")
    said = told_alike_there_and_back(said) if back else _reasoned(spec, entry, said, notes)
    proof = ""
    if said.status is TrackingStatus.DELIVERED:
        proof = _proof(spec, entry, notes)
        said = _handed_to(spec, entry, said, notes)._replace(proof=proof or said.proof)
    told_at, when = _time(spec, entry)
    id_ = paths.text(spec.scan.id, entry, "scan.id") if spec.scan.id else ""
    named = (_detail(path, entry, "scan.place", notes) for path in spec.scan.place)
    place = kept(", ".join(filter(None, named)))
    return Told(
        code=code,
        said=said,
        told_at=told_at,
        when=when,
        where=id_ or place,
        place=place,
        # the leg turns the status about, and a proof may come later than the delivery: either is
        # one event more, at the same time
        marks=(*([BACK] if back else []), *([proof] if proof else [])),
        word=spec.words.key(code),
    )


def line_of(spec: Spec, code: str) -> str | None:
    """Under which key of the table a code stands: its own, else that of its first parts with a
    star; None where it is not listed."""
    known, word = spec.words.codes, spec.words.key(code)
    if word in known:
        return word
    while JOINED in word:
        word = word.rpartition(JOINED)[0]
        if word + STAR in known:
            return word + STAR
    return None


def _reasoned(spec: Spec, entry: Object, said: Meaning, notes: list[str]) -> Meaning:
    """With the reason that a field tells, where the table knows it and the code has a reason.

    A field that still tells why the last attempt failed is no reason of the delivery after it.
    """
    if not said.reason:
        return said
    why = spec.words.key(kept(_detail(spec.scan.reason, entry, "scan.reason", notes)))
    return said._replace(reason=spec.words.reasons.get(why, said.reason))


def _handed_to(spec: Spec, entry: Object, said: Meaning, notes: list[str]) -> Meaning:
    """With whom a field tells. A word that is not in the table may be anybody's name."""
    whom = kept(_detail(spec.scan.delivered_to, entry, "scan.delivered_to", notes))
    known = spec.words.delivered_to
    return said._replace(delivered_to=known.get(spec.words.key(whom), "other")) if whom else said


def _proof(spec: Spec, entry: Object, notes: list[str]) -> str:
    """The first proof that is there; empty where none is."""
    for proof, path in spec.scan.proofs:
        try:
            if paths.there(path, entry, f"scan.proof.{proof}"):
                return proof
        except Unreadable as problem:
            notes.append(f"ignored: {problem}")
    return ""


def _detail(path: str, data: Any, key: str, notes: list[str]) -> str:
    """A text that no scan depends on: an odd one costs itself alone, and is told."""
    try:
        return paths.text(path, data, key) if path else ""
    except Unreadable as problem:
        notes.append(f"ignored: {problem}")
        return ""


def _time(spec: Spec, entry: Object) -> tuple[str, When | None]:
    """The scan's own time, as it is written and read; empty and None where there is none."""
    scan, key = spec.scan, "scan.time.path"
    told_at = " ".join(filter(None, (paths.number(path, entry, key) for path in scan.time)))
    if not told_at:
        return "", None
    offset = paths.text(scan.offset, entry, "scan.time.offset") if scan.offset else ""
    return told_at, scan.form.read(told_at, offset, paths.named(key, *scan.time))
