"""Who may ship an order, by the marketplace's word: asked for and remembered for some hours."""

from datetime import timedelta

from shipclock import rows
from shipclock.domain.order import Order
from shipclock.marketplaces.protocol import Kind, Outcome
from shipclock.ports import Below, Change
from shipclock.reading import Unreadable
from shipclock.shift import Shift

PROVIDERS_KEPT = timedelta(hours=5)
"""Shorter than `decide.RECHECK`, so that what was not allowed is looked at with a fresh list."""


def ask_providers(shift: Shift, order: Order) -> Outcome:
    """Ask who may ship an order and remember it, also where the marketplace refuses to say: then
    nobody may. Raises `Busy`."""
    call = shift.lane.market.providers(order)
    if call is None or order.facts is None:
        return Outcome(Kind.OK)
    outcome = shift.lane.call(call)
    listed: dict[str, str] = {}
    if outcome.kind is Kind.OK:
        try:
            listed = shift.lane.market.read_providers(outcome)
        except Unreadable as error:
            return Outcome(Kind.UNCLEAR, reason=f"{call.name}: {error}")
    if outcome.kind in (Kind.OK, Kind.REFUSED):
        expires_at = int((shift.clockwork.real() + PROVIDERS_KEPT).timestamp())
        shift.store.write(
            Change(
                (
                    rows.shop_pk(shift.lane.shop.shop_id),
                    rows.PROVIDERS + order.facts.delivery_option_id,
                ),
                set={"providers": listed, "expires_at": expires_at},
                when={"expires_at": Below(expires_at)},
                create=True,
            )
        )
    return outcome
