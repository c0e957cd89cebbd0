"""What the holder of a shop's lane does for its orders: re-read and push (DESIGN 3.3 to 3.5)."""

from dataclasses import dataclass
from datetime import datetime

from shipclock.clockwork import Busy
from shipclock.desk import Desk
from shipclock.domain.push import Intent, IntentState
from shipclock.judge import Settled
from shipclock.pushes import Pushes
from shipclock.rereads import Rereads, note_missing
from shipclock.shift import Shift


@dataclass(slots=True)
class Tally:
    """What came of the calls: ended `done`, or did not."""

    pushed: int = 0
    failed: int = 0


class Errand:
    """One lane's work in one sweep: brings orders to where nothing is left to do right now."""

    def __init__(self, shift: Shift) -> None:
        """Works for the shop of the shift's lane."""
        self._shift = shift
        self._desk = Desk(shift, lambda settled: note_missing(shift, settled))
        self._rereads = Rereads(shift, self._desk)
        self._pushes = Pushes(shift, self._desk, self._rereads)

    def run(self, orders: dict[str, Settled]) -> Tally:
        """Re-read, then push, then again, until all wait for something or the time is over.

        What is left stays due.
        """
        self._desk.orders = dict(orders)
        before = {order_id: settled.intents for order_id, settled in orders.items()}
        shop_id = self._shift.lane.shop.shop_id
        try:
            self._work()
        except Busy as reason:
            self._shift.report("lane.busy", shop_id=shop_id, reason=str(reason))
            self._rereads.give_up()
        if not self._shift.lane.shop.connected:
            for order_id in orders:  # they leave `due` until the shop reconnects
                self._desk.settle(order_id)
        return self._counted(before)

    def _work(self) -> None:
        self._pushes.doubt_orphans()
        while self._shift.lane.shop.connected:
            if self._rereads.next() or self._pushes.next() or self._rereads.next(put_off=True):
                continue
            orders = self._desk.orders.values()
            waits = [s.decision.reread_at for s in orders if s.decision.reread_at]
            if not waits:
                return
            self._wait_until(min(waits))

    def _counted(self, before: dict[str, dict[str, Intent]]) -> Tally:
        """Of the calls made, and of earlier ones whose doubt was settled: which ended `done`."""
        calls = self._pushes.calls
        tally = Tally(failed=calls.total())
        for order_id, settled in self._desk.orders.items():
            for key, intent in settled.intents.items():
                was = before.get(order_id, {}).get(key)
                newly = was is None or was.state is not IntentState.DONE
                if intent.state is IntentState.DONE and newly:
                    tally.pushed += 1
                    tally.failed -= calls[order_id, key] > 0
        return tally

    def _wait_until(self, real: datetime) -> None:
        wait = real - self._shift.clockwork.real()
        if not self._shift.clockwork.allows(wait):
            raise Busy("what is left waits for longer than this sweep has time")
        self._shift.clockwork.sleep(max(wait.total_seconds(), 0.0))
