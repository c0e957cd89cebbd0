"""Which signals each order counts in, kept by shop and day: what figures are read from.

One row for each order, beside the head and written with it, in one commit, whenever what it says
changes. So the rows always say what the heads' last settles knew, however often and in whatever
order things arrived, and a window's figures read the orders that started in or shortly before it,
never all there are (docs/decisions/0034).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from shipclock import rows
from shipclock.domain.order import Order
from shipclock.domain.times import parse
from shipclock.fulfillment.figures import Window
from shipclock.fulfillment.signals import REACH, State, Unit, start_of, units
from shipclock.marketplaces import MARKETPLACES
from shipclock.marketplaces.protocol import Shop
from shipclock.ports import Change, Row, Store
from shipclock.rules import Timeline
from shipclock.rules.policy import Policy

MOST_WRITES = 2
"""How many writes a change of what an order counts in takes at most: its row, and the one of
another day that it stood under before."""

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Counted:
    """What an order counts in, and the local day on which it started."""

    start: date
    units: tuple[Unit, ...]


def counted(
    order: Order, ticking: Timeline, policy: Policy | None, shop: Shop | None
) -> Counted | None:
    """What an order counts in, by its clocks and the policy that set them; None while its shop or
    its start is not known."""
    if shop is None or policy is None or order.facts is None:
        return None
    start, facts = start_of(order, policy.zone), order.facts
    if start is None:
        return None
    fault = MARKETPLACES[shop.marketplace].fault_of(facts.cancelled_by, facts.cancel_reason)
    return Counted(start, units(order, ticking, policy, fault))


def count(order: Order, found: Counted | None, head: Row) -> tuple[Row, list[Change]]:
    """What the head remembers of an order's row, and the writes that go with the head where that is
    not what it remembers by now. They have no conditions of their own: the head's version, in the
    same commit, is theirs too."""
    known = str(head.get("counted", ""))
    if found is None or not (found.units or known):
        return {}, []
    told = [as_text(unit) for unit in found.units]
    digest = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
    day = found.start.isoformat()
    mark = f"{day}#{digest}"
    if mark == known:
        return {}, []
    changes = [_change(order, day, told)]
    earlier = known.partition("#")[0]
    if earlier and earlier != day:
        changes.append(_change(order, earlier, []))
    return {"counted": mark}, changes


def _change(order: Order, day: str, told: list[str]) -> Change:
    key = rows.signals_pk(order.shop_id), f"{day}#{order.order_id}"
    return Change(key, set={"units": told}, create=True)


def as_text(unit: Unit) -> str:
    """A unit as its row holds it: `late_dispatch open 2026-11-27 2026-11-27T15:59:59Z -`."""
    due = unit.due_at.isoformat() if unit.due_at else NOTHING
    due = due.replace("+00:00", "Z")
    return f"{unit.signal} {unit.state} {unit.on.isoformat()} {due} {unit.why or NOTHING}"


def read_unit(text: str) -> Unit:
    """The unit in such a text; raises ValueError for what is none."""
    signal, state, on, due, why = text.split(" ")
    return Unit(
        signal=signal,
        state=State(state),
        on=date.fromisoformat(on),
        due_at=None if due == NOTHING else parse(due),
        why="" if why == NOTHING else why,
    )


def kept_units(store: Store, shop_id: str, window: Window) -> Iterator[tuple[str, Unit]]:
    """Every unit of a shop that may count in a window, with its order's id."""
    first, last = (window.first - REACH).isoformat(), window.last.isoformat()
    for prefix in _tens(window.first - REACH, window.last):
        for row in store.read(rows.signals_pk(shop_id), prefix):
            day, _, order_id = row["sk"].partition("#")
            if first <= day <= last:
                yield from ((order_id, read_unit(text)) for text in row["units"])


def _tens(first: date, last: date) -> list[str]:
    """The beginnings of days, ten days each (`2026-11-2`), that hold all from first to last."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return list(dict.fromkeys(day.isoformat()[:9] for day in days))
