"""The order's story in a case: what happened, who told of it, and since when that is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cli.evidence.case import Case
from shipclock import chain, codec, rows
from shipclock.chain import Link
from shipclock.domain.event import CaseChange, Hint, PackageRead, Request, Snapshot
from shipclock.domain.incident import IncidentFact
from shipclock.domain.push import Intent, IntentState
from shipclock.domain.times import stamp
from shipclock.order_view import order_view
from shipclock.ports import Row
from shipclock.views import OrderView

STEP = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened or was concluded. `link` is the one that bound it first: since its
    real time it is known for certain; None where no link has it."""

    at: datetime
    what: str
    by: str
    link: Link | None
    delivery: int = 0


def view(case: Case) -> OrderView:
    """The order as the hub showed it after its last settle, by the facts in the case alone."""
    last = datetime.fromisoformat(case.head["settled_at"])
    found = order_view(case.shelf, case.order_id, last)
    if found is None:
        raise ValueError(f"{case.order_id} has no head")
    return found


def zone(case: Case) -> ZoneInfo:
    """The shop's time zone; UTC where the shop is not known."""
    return ZoneInfo(case.shop.get("zone", "UTC"))


def moments(case: Case) -> list[Moment]:
    """The story, in the order of its own times."""
    first: dict[tuple[str, str], Link] = {}
    for link in case.links:
        for entry in link.entries:
            first.setdefault((entry.name, entry.digest), link)
    numbers = {delivery.name: number for number, delivery in enumerate(case.deliveries, 1)}
    told = [moment for row in case.facts for moment in _moments(row, first, numbers)]
    told += _passed(case)
    return sorted(told, key=lambda moment: (moment.at, moment.what, moment.by))


def _moments(
    row: Row, first: Mapping[tuple[str, str], Link], numbers: Mapping[str, int]
) -> Iterator[Moment]:
    if "doc" not in row:
        return
    link = first.get((chain.name(rows.key_of(row)), chain.digest(row)))
    for at, what, by in _said(row):
        yield Moment(at, what, by, link, numbers.get(row.get("via", ""), 0))


def _passed(case: Case) -> Iterator[Moment]:
    """The states that verdicts and pushes were in before: of these only the chain knows."""
    bound: dict[str, list[tuple[Link, str]]] = {}
    for link in case.links:
        for entry in link.entries:
            bound.setdefault(entry.name, []).append((link, entry.what))
    for row in case.facts:
        if chain.what(row).partition(".")[0] in chain.STATES:
            for link, what in bound.get(chain.name(rows.key_of(row)), [])[:-1]:
                said = f"{row['sk']} stood at {what.partition('.')[2]}"
                yield Moment(link.real, said, "Shipclock", link)


def _said(row: Row) -> Iterator[tuple[datetime, str, str]]:
    """When, what and who, of one fact; a push is told by its beginning and by its end."""
    match chain.what(row).partition(".")[0]:
        case "event":
            yield _event(row)
        case "scan":
            scan = codec.read_scan(row)
            said = f"{scan.written or scan.number}: {scan.status.value}"
            more = (scan.reason, scan.location, scan.delivered_to, *scan.flags)
            proof = f"proof: {scan.proof}" if scan.proof else ""
            yield (
                scan.occurred_at,
                _listed(said, f"{scan.carrier} says {scan.raw_code}".strip(), *more, proof),
                f"{scan.source} {scan.account}",
            )
        case "verdict":
            verdict = codec.read_verdict(row)
            said = f"Verdict {verdict.rule}, {verdict.state.value}: {verdict.explanation}"
            yield verdict.noticed_at, f"{said} [{verdict.clause}]", "Shipclock"
        case "notice":
            notice = codec.read_notice(row)
            yield notice.at, f"Told the seller ({notice.kind}): {notice.text}", "Shipclock"
        case "push":
            yield from _push(codec.read_intent(row))
        case chain.INCIDENT:
            with suppress(ValueError):  # settling passes over a word that can't be read as well
                yield _incident(codec.read_incident(row))


def _event(row: Row) -> tuple[datetime, str, str]:
    event = codec.read_event(row)
    match event:
        case Hint():
            at = event.update_time or event.received_at
            return at, _listed(f"Webhook {event.topic}", event.status), "the marketplace"
        case Snapshot():
            said = f"Order detail: {event.facts.status}"
            asked = f"asked for on {stamp(event.requested_at)}"
            return event.facts.update_time, _listed(said, asked), "the marketplace, asked by us"
        case PackageRead():
            at = event.update_time or event.as_of or event.requested_at
            said = f"Package {event.package_id}: {event.sub_status or event.status}"
            return at, _listed(said, event.exception), "the marketplace, asked by us"
        case CaseChange():
            said = f"{event.case} {event.case_id}: {event.status}"
            return event.update_time, _listed(said, event.role), "the marketplace, asked by us"
        case Request():
            deed = f"{event.deed} taken back" if event.revoked else event.deed
            says = json.dumps(event.says, sort_keys=True) if event.says else ""
            return event.asked_at, _listed(f"Asked for: {deed}", says), event.by or "a person"


def _incident(fact: IncidentFact) -> tuple[datetime, str, str]:
    ends = stamp(fact.ends_at) if fact.ends_at else "nobody knows when" if fact.open_end else ""
    lists = (fact.carriers, fact.regions, fact.postcodes, fact.evidence)
    said = _listed(
        f"Incident {fact.incident_id} {fact.kind}",
        fact.reason or "",
        f"from {stamp(fact.begins_at)}" if fact.begins_at else "",
        f"until {ends}" if ends else "",
        *(" ".join(words) for words in lists if words),
    )
    return fact.at, said, fact.by or "a person"


def _push(intent: Intent) -> Iterator[tuple[datetime, str, str]]:
    about = _listed(intent.call, intent.package_id, intent.tracking_number)
    answer = f"request {intent.request_id}" if intent.request_id else ""
    if intent.sent_at is not None:
        said = f"Told the marketplace: {about}, attempt {intent.attempts}"
        yield intent.sent_at, said, "Shipclock"
    if intent.done_at is not None:
        yield intent.done_at, _listed(f"It took effect: {about}", answer), "the marketplace"
    elif intent.sent_at is not None and intent.state is IntentState.REFUSED:
        yield intent.sent_at, _listed(f"Refused: {about}", intent.reason, answer), "the marketplace"


def _listed(*words: str) -> str:
    return ", ".join(filter(None, words))


def timeline(case: Case) -> str:
    """The story as a text, in UTC and in the shop's time."""
    here = zone(case)
    lines = [
        f"Order {case.order_id}: what happened, when, and since when it is known.",
        f"Times: UTC | {here.key} | known since (UTC), and by which link of the chain.",
        "",
    ]
    for moment in moments(case):
        cited = f" [delivery {moment.delivery:04}]" if moment.delivery else ""
        lines.append(
            f"{moment.at.strftime(STEP)} | {moment.at.astimezone(here).strftime(STEP)} | "
            f"{known(moment.link)} | {_one_line(moment.what)} ({_one_line(moment.by)}){cited}"
        )
    return "\n".join(lines) + "\n"


def known(link: Link | None) -> str:
    """Since when something is known, for people."""
    return f"{link.real.strftime(STEP)}, link {link.number}" if link else "not bound by a link"


def _one_line(text: str) -> str:
    return " ".join(text.split())
