"""Facts and records as rows: how events, verdicts, notices and intents are kept and read back."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from shipclock import rows
from shipclock.domain.clock import Notice, Verdict
from shipclock.domain.event import (
    CaseChange,
    Hint,
    Link,
    OrderEvent,
    OrderFacts,
    PackageRead,
    Request,
    Snapshot,
)
from shipclock.domain.incident import IncidentFact
from shipclock.domain.push import Intent
from shipclock.domain.times import EPOCH
from shipclock.domain.tracking import Scan
from shipclock.marketplaces.protocol import Handover, Shop, Tokens
from shipclock.ports import Key, Row

_EVENTS: dict[str, TypeAdapter[Any]] = {
    "hint": TypeAdapter(Hint),
    "snapshot": TypeAdapter(Snapshot),
    "case": TypeAdapter(CaseChange),
    "package": TypeAdapter(PackageRead),
    "request": TypeAdapter(Request),
}
_FACTS = TypeAdapter(OrderFacts)
_SCAN = TypeAdapter(Scan)
_LINK = TypeAdapter(Link)
_VERDICT = TypeAdapter(Verdict)
_NOTICE = TypeAdapter(Notice)
_INTENT = TypeAdapter(Intent)
_SHOP = TypeAdapter(Shop)
_TOKENS = TypeAdapter(Tokens)
_HANDOVER = TypeAdapter(Handover)
_INCIDENT = TypeAdapter(IncidentFact)


def _row(key: Key, adapter: TypeAdapter[Any], value: object, **more: Any) -> Row:
    return {
        "pk": key[0],
        "sk": key[1],
        "doc": adapter.dump_json(value, exclude_defaults=True).decode(),
        **more,
    }


def _via(delivery: str) -> Row:
    """Which delivery brought a fact, by its key's name; of what we asked for there is none."""
    return {"via": delivery} if delivery else {}


def event_row(event: OrderEvent, real: datetime, via: str = "") -> Row:
    """The row of a marketplace event, marked due. `via` names the delivery that brought it."""
    key = rows.order_pk(event.order_id), rows.EVENT + event.identity
    more = {**_via(via), **rows.mark(key, rows.at_once(real))}
    return _row(key, _EVENTS[event.kind], event, kind=event.kind, **more)


def read_event(row: Row) -> OrderEvent:
    """The event in a row under an order."""
    event: OrderEvent = _EVENTS[row["kind"]].validate_json(row["doc"])
    return event


def facts_digest(facts: OrderFacts) -> str:
    """A digest of an order's facts, to see whether a row of a search tells anything new."""
    return hashlib.sha256(_FACTS.dump_json(facts)).hexdigest()[:32]


def scan_row(scan: Scan, real: datetime, via: str = "") -> Row:
    """The row of a carrier event, marked due. `via` names the delivery that brought it."""
    key = rows.number_pk(scan.number), rows.EVENT + scan.identity
    return _row(key, _SCAN, scan, **_via(via), **rows.mark(key, rows.at_once(real)))


def read_scan(row: Row) -> Scan:
    """The scan in a row under a number."""
    return _SCAN.validate_json(row["doc"])


def link_rows(link: Link, real: datetime, via: str = "") -> tuple[Row, Row]:
    """A link's two rows, to be written together: under the number and under the order.

    The number's is marked: whose its scans are depends on all of its orders, so each of them is
    settled anew, this one too. `via` names the delivery that brought it.
    """
    here = rows.number_pk(link.number), rows.LINK + link.order_id
    there = rows.order_pk(link.order_id), rows.LINK + link.number
    told, mark = _via(via), rows.mark(here, rows.at_once(real))
    return _row(here, _LINK, link, **told, **mark), _row(there, _LINK, link, **told)


def read_link(row: Row) -> Link:
    """The link in a row."""
    return _LINK.validate_json(row["doc"])


def verdict_row(order_id: str, shop_id: str, verdict: Verdict, real: datetime) -> Row:
    """The row of a verdict, marked due to be announced."""
    key = rows.order_pk(order_id), rows.VERDICT + verdict.key
    told = {"state": verdict.state.value, "shop_id": shop_id}
    return _row(key, _VERDICT, verdict, **told, **rows.mark(key, rows.after_all(real)))


MOST_UNSAID = 10
"""Turns of a verdict that wait to be said beside the last one; of more the oldest are left out."""


def unsaid_row(known: Row) -> Row:
    """What a verdict's row remembers of itself as it turns before it was said."""
    earlier = {name: known[name] for name in ("doc", "told", "anchor") if name in known}
    unsaid = [*json.loads(known.get(rows.UNSAID, "[]")), earlier][-MOST_UNSAID:]
    return {rows.UNSAID: json.dumps(unsaid, ensure_ascii=False)}


def turns(row: Row) -> list[Row]:
    """A verdict's or notice's row as it was at each turn that is to be said, the oldest first."""
    now = {name: value for name, value in row.items() if name != "anchor"}
    earlier = json.loads(row.get(rows.UNSAID, "[]"))
    return [*({**now, **each} for each in earlier), row]


def read_verdict(row: Row) -> Verdict:
    """The verdict in a row."""
    return _VERDICT.validate_json(row["doc"])


def notice_row(pk: str, notice: Notice, real: datetime, shop_id: str = "") -> Row:
    """The row of a notice of an order or shop, marked due to be announced."""
    key = pk, rows.NOTICE + notice.key
    told = {"shop_id": shop_id} if shop_id else {}
    return _row(key, _NOTICE, notice, **told, **rows.mark(key, rows.after_all(real)))


def read_notice(row: Row) -> Notice:
    """The notice in a row."""
    return _NOTICE.validate_json(row["doc"])


def incident_row(fact: IncidentFact, real: datetime) -> Row:
    """The row of what a person said of an incident, marked due to be acted upon. An incident is
    declared once; of what is said later two words never share a row."""
    doc = _INCIDENT.dump_json(fact, exclude_defaults=True).decode()
    told = f"{fact.at:%Y%m%dT%H%M%S.%f}#{hashlib.sha256(doc.encode()).hexdigest()[:12]}"
    sk = f"{fact.incident_id}#{'0' if fact.kind == 'declared' else told}"
    mark = rows.mark((rows.INCIDENTS, sk), rows.at_once(real))
    return {"pk": rows.INCIDENTS, "sk": sk, "doc": doc, **mark}


def read_incident(row: Row) -> IncidentFact:
    """What a person said of an incident, of its row."""
    return _INCIDENT.validate_json(row["doc"])


def intent_key(order_id: str, intent: Intent) -> Key:
    """The key of an intent's row."""
    return rows.order_pk(order_id), rows.PUSH + intent.key


def intent_doc(intent: Intent) -> Row:
    """What changes of an intent's row when the intent does."""
    return {
        "doc": _INTENT.dump_json(intent, exclude_defaults=True).decode(),
        "state": intent.state.value,
    }


def read_intent(row: Row) -> Intent:
    """The intent in a row."""
    return _INTENT.validate_json(row["doc"])


def shop_doc(shop: Shop) -> Row:
    """What changes of a lane's row when the shop's connection does."""
    return {"doc": _SHOP.dump_json(shop, exclude_defaults=True).decode()}


def read_shop(row: Row) -> Shop:
    """The shop in a lane's row."""
    return _SHOP.validate_json(row["doc"])


def tokens_doc(tokens: Tokens) -> Row:
    """What changes of an authorisation's row when its tokens do."""
    return {"doc": _TOKENS.dump_json(tokens, exclude_defaults=True).decode()}


def read_tokens(row: Row) -> Tokens:
    """The tokens in an authorisation's row."""
    return _TOKENS.validate_json(row["doc"])


def handover_doc(handover: Handover) -> Row:
    """What changes of a handover's row when the ways of handing over do."""
    return {"doc": _HANDOVER.dump_json(handover).decode()}


def read_handover(row: Row) -> Handover:
    """The handover in a row."""
    return _HANDOVER.validate_json(row["doc"])


def millis(real: datetime) -> int:
    """A real time as it stands in a lane's row, so that conditions can compare it."""
    return int(real.timestamp() * 1000)


def from_millis(value: int) -> datetime:
    """A lane's real time."""
    return EPOCH + timedelta(milliseconds=value)
