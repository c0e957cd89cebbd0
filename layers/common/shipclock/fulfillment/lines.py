"""An order's lines: the clocks by which it is dispatched, tracked and delivered late."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from shipclock.domain.clock import Clock
from shipclock.domain.fields import HARD, LEGACY
from shipclock.domain.order import DELIVERED
from shipclock.domain.times import EPOCH
from shipclock.rules import Timeline
from shipclock.rules.policy import Pack

DISPATCH_FIELDS = ("rts_sla_time", "tts_sla_time", "pick_up_cut_off_time")
DISPATCHED = frozenset({"ready_to_ship", "in_transit", "first_scan"})
DISPATCH_RULE = "status_update"
"""An order's lines for its dispatch: its own fields, of each of which the marketplace says that
after it the order is dispatched late (`tiktok-shop.md` 4.3), and the pack's metric deadlines that
such a thing stops and no field has replaced. It has to keep all that it bears; only where there is
none the rule's counts."""

DELIVERED_BY = frozenset({"delivered"})
DELIVERY_FIELDS = ("delivery_sla_time", "delivery_option_required_delivery_time")
"""The first of these that an order bears is its line for its delivery; else the pack's metric
deadlines that delivery stops are."""

TRACKING_FIELDS = ("collection_due_time", "cancel_order_sla_time")
SCANNED = frozenset({"in_transit", "first_scan"})
TRACKING_RULE = "untracked"
"""At the first of these fields that an order bears the marketplace gives up waiting for a scan;
else at the earliest of the pack's hard deadlines that a scan stops, and the rule's."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The clocks of an order as a whole, by their names, and the pack that set some of them."""

    clocks: Mapping[str, Clock]
    pack: Pack

    def dispatch(self) -> list[Clock]:
        """By when it is to be dispatched."""
        own = [*self._named(*DISPATCH_FIELDS), *self._by_pack("metric", DISPATCHED)]
        return own or self._named(DISPATCH_RULE)

    def delivery(self) -> list[Clock]:
        """By when it is to be delivered."""
        return self._named(*DELIVERY_FIELDS)[:1] or self._by_pack("metric", DELIVERED_BY)

    def tracking(self) -> datetime | None:
        """By when a scan is waited for."""
        own = self._named(*TRACKING_FIELDS)[:1]
        lines = own or [*self._by_pack("hard", SCANNED), *self._named(TRACKING_RULE)]
        return min((line.due_at for line in lines), default=None)

    def hard(self) -> list[Clock]:
        """At which the marketplace cancels for want of dispatch or of a scan."""
        fields = [name for name, status in {**HARD, **LEGACY}.items() if status != DELIVERED]
        return [*self._named(*fields, TRACKING_RULE), *self._by_pack("hard", DISPATCHED)]

    def _named(self, *names: str) -> list[Clock]:
        return [self.clocks[name] for name in names if name in self.clocks]

    def _by_pack(self, line: str, stops: frozenset[str]) -> list[Clock]:
        told = self.pack.deadlines.items()
        return self._named(*(n for n, one in told if one.line == line and one.stops in stops))


def lines_of(ticking: Timeline, pack: Pack) -> Lines:
    """An order's lines by its timeline, without those that a field of its own has replaced."""
    clocks = (tick.clock for tick in ticking)
    return Lines({clock.name: clock for clock in clocks if clock.void_at != EPOCH}, pack)
