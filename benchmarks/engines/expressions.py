"""Conditions as expressions, in words that zen-engine and rule-engine both read."""

from benchmarks.conditions import All, At, Atom, Condition, Row
from benchmarks.engines.question import RUNNING


def said(condition: Condition, each: str = "") -> str:
    """The condition as an expression; `each` stands before the names of all facts but `now`."""
    if isinstance(condition, Atom):
        return _atom_said(condition, each)
    word = " and " if isinstance(condition, All) else " or "
    return f"({word.join(said(part, each) for part in condition.parts)})"


def _atom_said(atom: Atom, each: str) -> str:
    if atom.word in ("has", "lacks"):
        return f"{each}{atom.left.fact} {'!=' if atom.word == 'has' else '=='} null"
    return f"{_instant_said(atom.left, each)} {atom.word} {_instant_said(atom.right, each)}"


def _instant_said(at: At, each: str) -> str:
    name = at.fact if at.fact == "now" else each + at.fact
    return f"{name} + {at.later}" if at.later else name


def state_said(row: Row, each: str = "") -> str:
    """The state of a row's clock as one expression."""
    asked = (f"{said(when, each)} ? '{state.value}' : (" for state, when in row.states.items())
    return "".join(asked) + f"'{RUNNING}'" + ")" * len(row.states)


def order_said(row: Row) -> str:
    """The same, and null where there is no such clock."""
    return f"{said(row.there)} ? ({state_said(row)}) : null" if row.there else state_said(row)
