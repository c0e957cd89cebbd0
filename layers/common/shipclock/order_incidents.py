"""What incidents there are about an order, for its page: with the clocks that they meet."""

from collections.abc import Mapping
from datetime import datetime

from shipclock.domain.clock import Clock
from shipclock.domain.incident import Incidence
from shipclock.domain.order import Order
from shipclock.domain.place import Fit
from shipclock.incident_match import LISTED
from shipclock.incident_texts import buyer_message
from shipclock.judge import Settled
from shipclock.rules import undisturbed
from shipclock.rules.incidents import Run, bearing, fit, run_of
from shipclock.views import MovedClock, OrderIncidentView


def order_incidents(settled: Settled) -> list[OrderIncidentView]:
    """The incidents that are about the order, or may be, the earliest first."""
    order, policy = settled.order, settled.situation.policy
    before = undisturbed(order, policy) if policy and order.incidents else {}
    return [_view(each, settled, before) for each in order.incidents]


def _view(each: Incidence, settled: Settled, before: Mapping[Run, datetime]) -> OrderIncidentView:
    incident, order = each.incident, settled.order
    fits = fit(order, each)
    sure = fits is Fit.IN
    return OrderIncidentView(
        incident_id=incident.incident_id,
        listed=LISTED[fits],
        by_hand=each.by_hand is not None,
        reason=incident.reason,
        begins_at=incident.begins_at,
        ends_at=incident.ends_at,
        counts_until=incident.until,
        since=incident.declared_at,
        evidence=list(incident.evidence),
        clocks=_clocks(each, settled, before) if sure else [],
        buyer_message=buyer_message(incident, order.order_id) if sure and not order.ended else None,
    )


def _clocks(each: Incidence, settled: Settled, before: Mapping[Run, datetime]) -> list[MovedClock]:
    """The clocks that the incident meets, whether it moves them or not."""
    found = []
    for clock in (tick.clock for tick in settled.decision.timeline):
        without = before.get(run_of(clock), clock.due_at)
        if _meets(each, clock, settled.order):
            found.append(
                MovedClock(
                    name=clock.name,
                    package_id=clock.package_id or None,
                    tracking_number=clock.number or None,
                    due_at=clock.due_at,
                    due_at_without=without,
                )
            )
    return sorted(found, key=lambda clock: (clock.due_at, clock.name))


def _meets(each: Incidence, clock: Clock, order: Order) -> bool:
    """Whether a clock that somebody waits for ran during the incident, of a package that it is
    about."""
    if clock.at_once or clock.starts_at is None:
        return False
    met = fit(order, each, bearing(order, clock.number)) is Fit.IN
    return met and each.incident.overlaps(clock.starts_at, clock.due_at)
