"""What the seller is told of a verdict or a notice: the domain event made of its row."""

from typing import Any

from shipclock import codec, rows
from shipclock.domain.clock import VerdictState
from shipclock.domain.times import stamp
from shipclock.ports import Key, Row


def announcement(key: Key, row: Row) -> dict[str, Any]:
    """The event of a verdict's or notice's row; `type` names it, `text` is for people."""
    kind, _, name = key[0].partition("#")
    if key[1].startswith(rows.NOTICE):
        notice = codec.read_notice(row)
        return {
            "type": f"{kind.lower()}.{notice.kind}",
            **_whose(kind, name),
            **_shop(row),
            **_chain(row),
            "clock": notice.clock,
            "at": stamp(notice.at),
            "text": notice.text,
        }
    verdict = codec.read_verdict(row)
    return {
        "type": f"order.verdict.{verdict.state.value}",
        "order_id": name,
        **_shop(row),
        **_chain(row),
        "rule": verdict.rule,
        "cause": verdict.cause or None,
        "package_id": verdict.package_id or None,
        "tracking_number": verdict.number or None,
        "due_at": stamp(verdict.due_at),
        "noticed_at": stamp(verdict.noticed_at),
        "clause": verdict.clause,
        "alerts": verdict.alerts,
        "text": TURNED[verdict.state] + verdict.explanation,
    }


def _whose(kind: str, name: str) -> dict[str, str]:
    """What a notice is about: an order, a shop, or an account of a source."""
    if kind == "SOURCE":
        return dict(zip(("source", "account"), name.split("#", 1), strict=True))
    return {f"{kind.lower()}_id": name}


def _shop(row: Row) -> Row:
    return {"shop_id": row["shop_id"]} if row.get("shop_id") else {}


def _chain(row: Row) -> Row:
    """How far the order's chain had come: told, it is where nobody who writes to the table can
    change it any more."""
    return {"chain": row["anchor"]} if row.get("anchor") else {}


TURNED = {
    VerdictState.STANDING: "",
    VerdictState.WITHDRAWN: "Taken back: by what is known now this did not happen, or its deadline "
    "was moved. What it had prepared is called off. It had said: ",
    VerdictState.OVERTAKEN: "Over: later news ended this. What it had prepared is called off. "
    "It had said: ",
}
"""What comes before a verdict's words once it has turned."""
