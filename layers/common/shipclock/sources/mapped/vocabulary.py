"""The tables of a mapping that hold the sender's words: [codes], [reasons], [delivered_to]."""

from collections.abc import Mapping
from typing import Any

from shipclock.domain.tracking import DELIVERED_TO, PROOFS, REASONS, TrackingStatus
from shipclock.sources.fields import LONGEST_KEPT
from shipclock.sources.mapped.report import none_of, shown
from shipclock.sources.mapped.spec import STAR, Words, keyed
from shipclock.sources.mapped.tables import Table
from shipclock.sources.meaning import FLAGS, NOTHING_KNOWN, WITH_A_REASON, Meaning

NOTHING = "nothing"
"""Beside the statuses: a code that says nothing of where the parcel is."""
STATUSES = (*(status.value for status in TrackingStatus), NOTHING)


def words(top: Table, *, fold: bool, several: bool) -> Words:
    """All three tables. `several`: a code is joined from several paths."""
    codes = top.table("codes", 'a line "CODE" = "status" for each of the sender\'s codes')
    found = {keyed(code, fold): _meaning(codes, code, said) for code, said in _each(codes, fold)}
    if codes.there and not found:
        codes.report.wrong(codes.where, 'is empty: a line "CODE" = "status" for each is needed')
    for code, _ in codes.items():
        if code.endswith(STAR) and not several:
            codes.wrong(code, f"{STAR} stands for further parts, and scan.code has one alone")
    means = {said.status for said in found.values() if said}
    if found and TrackingStatus.DELIVERED not in means:
        codes.report.warn(codes.where, "no code means delivered: no parcel will ever arrive")
    return Words(
        codes=found,
        reasons=_words(top.table("reasons"), sorted(REASONS), fold),
        delivered_to=_words(top.table("delivered_to"), sorted(DELIVERED_TO), fold),
        fold=fold,
    )


def _each(table: Table, fold: bool) -> list[tuple[str, Any]]:
    """The entries of a table of words. What can never come, or stands there twice, is told."""
    seen: dict[str, str] = {}
    for word, _ in table.items():
        if not word or word != word.strip() or len(word) > LONGEST_KEPT:
            table.wrong(
                word,
                f"{shown(word)} never comes: words are taken without blanks around them, and cut "
                f"to {LONGEST_KEPT} characters",
            )
        other = seen.setdefault(keyed(word, fold), word)
        if other != word:
            line = table.report.line(table.at(other))
            table.wrong(word, f"is the same as {other!r} in line {line}, since scan.fold is true")
    return table.items()


def _words(table: Table, accepted: list[str], fold: bool) -> Mapping[str, str]:
    return {keyed(word, fold): table.choice(word, accepted) for word, _ in _each(table, fold)}


def _meaning(codes: Table, code: str, said: object) -> Meaning | None:
    """What a code means: a status, or a table with one and what there is beside."""
    if not isinstance(said, dict):
        word = codes.choice(code, STATUSES)
        return None if word == NOTHING else _status(word)
    table = codes.table(code)
    word = table.choice("status", STATUSES, needed="what the code means")
    bare = _status(word)
    meaning = bare._replace(
        reason=table.choice("reason", sorted(REASONS), bare.reason),
        flags=_flags(table),
        delivered_to=table.choice("delivered_to", sorted(DELIVERED_TO)),
        proof=table.choice("proof", sorted(PROOFS)),
    )
    table.close()
    for key in ("delivered_to", "proof"):
        if table.has(key) and word and word != TrackingStatus.DELIVERED:
            table.wrong(key, 'is of use with status = "delivered" alone')
    return None if word == NOTHING else meaning


def _status(word: str) -> Meaning:
    if word in ("", NOTHING):
        return NOTHING_KNOWN
    status = TrackingStatus(word)
    return Meaning(status, "other" if status in WITH_A_REASON else "")


def _flags(table: Table) -> tuple[str, ...]:
    found = table.texts("flags")
    for flag in found:
        if flag not in FLAGS:
            table.wrong("flags", none_of(flag, FLAGS))
    return found
