"""Packages read one by one: how they may be handed over, how they fare, what a push did to them.

There is no call for many at once, so these come last in a lane's work (docs/decisions/0018).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from shipclock import codec, rows
from shipclock.blobs import TooLarge, has_blob, put_blob
from shipclock.clockwork import Busy
from shipclock.domain.order import AWAITING_COLLECTION, Order
from shipclock.domain.push import WAITING, IntentState
from shipclock.domain.times import stamp
from shipclock.judge import Settled
from shipclock.marketplaces.protocol import Blob, Kind, Outcome
from shipclock.ports import Change, Put
from shipclock.reading import Unreadable
from shipclock.shift import Shift

LABEL_WAIT = timedelta(minutes=5)
"""How long a label that is being made is left, in `now`."""

FAILED_WAIT = timedelta(hours=1)
"""How long a package that could not be read is left, in `now`."""


MOST = 40
"""Orders whose packages one round reads for one shop."""


MEDIA_TYPES = ("application/pdf", "image/png", "image/jpeg")
PLAIN = "application/octet-stream"
"""What a label may be shown as, and what anything else is kept as: never as a page with scripts."""


class Read(IntEnum):
    """How reading went. `SOON`: its label is still being made. `ODDLY`: an answer came that can't
    be read, which is that package's own trouble. `NOT`: the marketplace stumbled, and will over
    the next one too."""

    WHOLE = 0
    SOON = 1
    ODDLY = 2
    NOT = 3


@dataclass(frozen=True, slots=True)
class Packages:
    """Reads packages in one lane's shift."""

    shift: Shift

    def run(self, order_ids: Sequence[str]) -> None:
        """Read the packages of some orders, until the time is over or the marketplace stumbles;
        what is left stays due for the next sweep."""
        for order_id in order_ids[:MOST]:
            done = False
            try:
                with self.shift.guard((rows.order_pk(order_id), rows.REREAD), "packages"):
                    done = self._order(order_id)
            except Busy:
                return
            if not done or not self.shift.lane.shop.connected:
                return

    def _order(self, order_id: str) -> bool:
        """Read an order's packages and settle it with what they told; False where the marketplace
        stumbled over it."""
        looked = self.shift.look(order_id)
        wanted_at = looked.decision.detail_at
        read = Read.WHOLE
        if wanted_at is not None and wanted_at <= looked.situation.now:
            read = self._read_all(looked)
        self.shift.settle(order_id)
        return read is not Read.NOT

    def _read_all(self, settled: Settled) -> Read:
        """Read each package of an order and note when that was; where one can't be, until when to
        leave it. Before it is shipped that is how it may be handed over, afterwards its detail."""
        order, now = settled.order, settled.situation.now
        one = self._handover if order.status in WAITING else self._detail_and_label
        found = Read.WHOLE
        for package_id in dict.fromkeys(p.package_id for p in order.packages if p.package_id):
            found = max(found, one(order, package_id))
            if found is Read.NOT:
                break
        done = {"detail_as_of": stamp(now), "detail_status": order.status}
        wait = LABEL_WAIT if found is Read.SOON else FAILED_WAIT
        later = {"detail_not_before": stamp(now + wait)}
        whole = found is Read.WHOLE
        self.shift.store.write(
            Change(
                (rows.order_pk(order.order_id), rows.REREAD),
                set=done if whole else later,
                remove=("detail_not_before",) if whole else (),
                create=True,
            )
        )
        return found

    def read_doubted(self, settled: Settled) -> None:
        """Read the packages of unclear pushes; the order alone may not show their effect."""
        for intent in settled.intents.values():
            if intent.state is IntentState.UNCLEAR and intent.call in self.shift.lane.market.DETAIL:
                self._detail(settled.order, intent.package_id, doubted=True)

    def _handover(self, order: Order, package_id: str) -> Read:
        """Keep how a package may be handed over."""
        self.shift.lane.await_turn()
        outcome = self.shift.lane.call(self.shift.lane.market.handover(package_id))
        if outcome.kind is not Kind.OK:
            return self._failed(order, outcome)
        try:
            told = self.shift.lane.market.read_handover(outcome)
        except Unreadable as error:
            return self._unreadable(order, error)
        key = rows.order_pk(order.order_id), rows.HANDOVER + package_id
        self.shift.store.write(Change(key, set=codec.handover_doc(told), create=True))
        return Read.WHOLE

    def _detail(self, order: Order, package_id: str, doubted: bool = False) -> Read:
        """Keep what is told of a package: where a push is in doubt always, else what is news."""
        lane = self.shift.lane
        lane.await_turn()
        asked = self.shift.clockwork.real()
        outcome = lane.call(lane.market.package(package_id))
        if outcome.kind is not Kind.OK:
            return self._failed(order, outcome)
        try:
            read = lane.market.read_package(
                outcome, order.order_id, lane.shop, asked, self.shift.now
            )
        except Unreadable as error:
            return self._unreadable(order, error)
        known = [r for r in order.package_reads if r.package_id == package_id]
        if doubted or not known or known[-1].told != read.told:
            self.shift.store.write(Put(codec.event_row(read, asked)))
        return Read.WHOLE

    def _detail_and_label(self, order: Order, package_id: str) -> Read:
        """Keep what is told of a package and, until it is fetched, its label (5.2: to be had after
        shipping and before the pickup)."""
        found = self._detail(order, package_id)
        name = rows.LABEL + package_id
        wants_label = order.status == AWAITING_COLLECTION and found is Read.WHOLE
        if not wants_label or has_blob(self.shift.store, order.order_id, name):
            return found
        return self._label(order, package_id, name)

    def _label(self, order: Order, package_id: str, name: str) -> Read:
        """Fetch the label and keep it for whoever prints or checks it."""
        lane = self.shift.lane
        lane.await_turn()
        outcome = lane.call(lane.market.document(package_id))
        url, reason = "", outcome.reason
        if outcome.kind is Kind.OK:
            try:
                url = lane.market.read_document(outcome).url
            except Unreadable as error:
                reason = str(error)
        file = lane.fetch(url) if url else None
        if file is None:
            reason = reason or "its address did not give it"
            self.shift.report("label.failed", order_id=order.order_id, reason=reason)
            if outcome.kind is Kind.LATER:
                return Read.SOON
            # Refused, it would be again. Otherwise not a day is to be lost: it is for the parcel.
            return Read.WHOLE if outcome.kind is Kind.REFUSED else Read.ODDLY
        told = file.headers.get("content-type", "").partition(";")[0].strip().lower()
        blob = Blob(told if told in MEDIA_TYPES else PLAIN, file.body)
        try:
            put_blob(self.shift.store, order.order_id, name, blob, self.shift.clockwork.real())
        except TooLarge as error:
            self.shift.report("label.failed", order_id=order.order_id, reason=str(error))
        return Read.WHOLE

    def _unreadable(self, order: Order, error: Unreadable) -> Read:
        self.shift.report("package.unreadable", order_id=order.order_id, reason=str(error))
        return Read.ODDLY

    def _failed(self, order: Order, outcome: Outcome) -> Read:
        """What was refused would be again: it is left until it is due the next time."""
        self.shift.report("package.failed", order_id=order.order_id, reason=outcome.reason)
        return Read.WHOLE if outcome.kind is Kind.REFUSED else Read.NOT
