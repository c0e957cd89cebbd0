"""What is told of a verdict or a notice: the domain event made of its row."""

from typing import Any

from shipclock import codec, rows
from shipclock.domain.clock import Notice, Verdict, VerdictState
from shipclock.domain.level import Level
from shipclock.domain.times import stamp
from shipclock.events import WHOSE, VerdictEvent
from shipclock.ports import Key, Row
from shipclock.reading import digest

URGENT = frozenset(
    {
        ("order.cancel_request", ""),
        ("order.warning", "buyer_cancel_request"),
        ("order.warning", "untracked"),
        ("shop.disconnected", ""),
        ("shop.renewal_refused", ""),
        ("source.silent", ""),
        ("destination.failing", ""),
        ("destination.gone", ""),
    }
)
"""What presses, by type and, where not all of a type does, by clock."""

SERIOUS = frozenset({"damaged", "lost", "disposed", "deemed_lost"})
"""Causes of an abnormal delivery that press; a delay does not."""


def announcement(key: Key, row: Row) -> dict[str, Any]:
    """The event of a verdict's or notice's row; `type` names it, `text` is for people.

    The same row, announced again, gives the same `id`; once its verdict has turned, another.
    """
    kind, _, name = key[0].partition("#")
    if key[1].startswith(rows.NOTICE):
        return _of_notice(key, row, kind.lower(), name)
    verdict = codec.read_verdict(row)
    told = str(int(row.get("told", 1)))
    return VerdictEvent(
        type=f"order.verdict.{verdict.state.value}",
        order_id=name,
        **_shop(row),
        **_chain(row),
        rule=verdict.rule,
        cause=verdict.cause or None,
        package_id=verdict.package_id or None,
        tracking_number=verdict.number or None,
        due_at=stamp(verdict.due_at),
        noticed_at=stamp(verdict.noticed_at),
        clause=verdict.clause,
        alerts=verdict.alerts,
        id=_id(key, verdict.state.value, told),
        level=_presses(verdict),
        text=TURNED[verdict.state] + verdict.explanation,
    ).document()


def _of_notice(key: Key, row: Row, kind: str, name: str) -> dict[str, Any]:
    notice = codec.read_notice(row)
    return WHOSE[kind](
        type=f"{kind}.{notice.kind}",
        **_whose(kind, name),
        **({**_shop(row), **_chain(row)} if kind == "order" else {}),
        clock=notice.clock,
        at=stamp(notice.at),
        due_at=stamp(notice.due_at) if notice.due_at else None,
        id=_id(key),
        level=_level(f"{kind}.{notice.kind}", notice),
        text=notice.text,
    ).document()


def _id(key: Key, *turn: str) -> str:
    return f"evt_{digest(*key, *turn)}"


def _whose(kind: str, name: str) -> dict[str, Any]:
    """What a notice is about: an order, a shop, a destination, or an account of a source."""
    if kind == "source":
        return dict(zip(("source", "account"), name.split("#", 1), strict=True))
    return {kind if kind == "destination" else f"{kind}_id": name}


def _shop(row: Row) -> dict[str, Any]:
    return {"shop_id": row["shop_id"]} if row.get("shop_id") else {}


def _chain(row: Row) -> dict[str, Any]:
    """How far the order's chain had come: told, it is where nobody who writes to the table can
    change it any more."""
    return {"chain": row["anchor"]} if row.get("anchor") else {}


def _presses(verdict: Verdict) -> Any:
    """A line was crossed at which the marketplace cancels, or the parcel is not coming."""
    if verdict.state is VerdictState.STANDING and (verdict.hard or verdict.cause in SERIOUS):
        return Level.URGENT.value
    return Level.ORDINARY.value


def _level(type_: str, notice: Notice) -> Any:
    presses = (type_, "") in URGENT or (type_, notice.clock) in URGENT
    return notice.level or (Level.URGENT if presses else Level.ORDINARY).value


TURNED = {
    VerdictState.STANDING: "",
    VerdictState.WITHDRAWN: "Taken back: by what is known now this did not happen, or its deadline "
    "was moved. What it had prepared is called off. It had said: ",
    VerdictState.OVERTAKEN: "Over: later news ended this. What it had prepared is called off. "
    "It had said: ",
}
"""What comes before a verdict's words once it has turned."""
