"""The orders that one errand of a lane is about."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shipclock import rows
from shipclock.judge import Settled
from shipclock.shift import Shift


@dataclass(slots=True)
class Desk:
    """Some orders, each as it was last settled.

    One that something goes wrong with is dropped from this errand and asked for again later
    (`dropped` notes it), so that it holds up no other.
    """

    shift: Shift
    dropped: Callable[[Settled], None]
    orders: dict[str, Settled] = field(default_factory=dict)

    def on(self, order_id: str, work: Callable[[], object]) -> None:
        """Do something about one order and settle it anew."""

        def work_and_settle() -> None:
            work()
            settled = self.shift.settle(order_id)
            if settled is not None:
                self.orders[order_id] = settled

        self.attempt(order_id, work_and_settle)

    def attempt(self, order_id: str, work: Callable[[], object]) -> bool:
        """Do something about one order; whether that went well."""
        if order_id not in self.orders:
            return False
        good: list[bool] = []
        with self.shift.guard((rows.order_pk(order_id), rows.HEAD), "order"):
            work()
            good.append(True)
        if not good:
            dropped = self.orders.pop(order_id)
            with self.shift.guard((rows.order_pk(order_id), rows.REREAD), "order"):
                self.dropped(dropped)
        return bool(good)
