"""The orders that one errand of a lane is about."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from shipclock import rows
from shipclock.judge import Settled
from shipclock.shift import Shift

Done = TypeVar("Done")


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

    def settle(self, order_id: str) -> None:
        """Settle one order anew."""
        self.on(order_id, lambda: None)

    def attempt(self, order_id: str, work: Callable[[], Done]) -> Done | None:
        """Do something about one order; what came of it, None where that went wrong."""
        if order_id not in self.orders:
            return None
        done, good = None, False
        with self.shift.guard((rows.order_pk(order_id), rows.HEAD), "order"):
            done, good = work(), True
        if not good:
            dropped = self.orders.pop(order_id)
            with self.shift.guard((rows.order_pk(order_id), rows.REREAD), "order"):
                self.dropped(dropped)
        return done
