"""What happens to orders from outside: the buyer, the carrier, the marketplace, and time.

`Story` is the half of the sandbox that a test or a demo drives; `core.Sandbox` adds the half that
answers requests. Every method holds the one lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Unpack

from sandbox import cancelling, composition, life, lines, orders, refunds
from sandbox.building import OrderWish, build
from sandbox.faces import order_json
from sandbox.handover import label
from sandbox.markets import TIKTOK
from sandbox.orders import DEADLINES, Order, Package
from sandbox.shops import Shop
from sandbox.wire import StoryError
from sandbox.world import DEAUTHORISED_TOPIC, Webhook, World, announce

# When, facts (0) before lines (1) before answers by itself (2), in which order, what.
_Timed = tuple[int, int, int, lines.Line | Callable[[], None]]


class Story:
    """The marketplace's own doings, on simulated time.

    A mistake of the story (an unknown order, a step its status does not allow) raises
    `StoryError` and changes nothing.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._lock = threading.RLock()
        self._planned: list[tuple[int, int, Callable[[], None]]] = []
        self.skipped: list[str] = []

    @property
    def clock(self) -> int:
        """Simulated Unix seconds. Only `advance` moves them."""
        return self._world.clock

    def advance(self, to: int) -> None:
        """Let time pass up to and including `to`: planned steps and hard lines happen in order.

        Each hard line fires at exactly its instant. A step planned for that very instant comes
        first: a deadline is kept by what happens at or before it. Raises `StoryError` for a time
        behind the clock.
        """
        with self._lock:
            if to < self._world.clock:
                raise StoryError(f"the clock is at {self._world.clock}; it does not run back")
            self._land()
            self._run(to)
            self._world.clock = to

    def _land(self) -> None:
        """Hook for what lands late in real time."""

    def _run(self, until: int) -> None:
        fired: list[_Timed] = [(line.at, 1, 0, line) for line in lines.due(self._world, until)]
        planned: list[_Timed] = [(at, 0, seq, do) for at, seq, do in self._planned if at <= until]
        self._planned = [step for step in self._planned if step[0] > until]
        own = [*cancelling.due(self._world, until), *refunds.due(self._world, until)]
        fired += [(at, 2, number, do) for number, (at, do) in enumerate(own)]
        for at, _, _, what in sorted([*planned, *fired], key=lambda step: step[:3]):
            self._world.clock = max(self._world.clock, at)
            if isinstance(what, lines.Line):
                lines.fire(self._world, what)
                continue
            try:
                what()
            except StoryError as too_late:
                self.skipped.append(f"{at} {too_late}")

    def _at(self, at: int | None, step: Callable[[int], None]) -> None:
        """Do a step now, or plan it when `at` is still to come."""
        now = self._world.clock
        if at is None or at <= now:
            step(now if at is None else at)
            return
        self._planned.append((at, self._world.count("step"), lambda: step(at)))

    def _shop(self, shop_id: str) -> Shop:
        try:
            return self._world.keyring.shops[shop_id]
        except KeyError:
            raise StoryError(f"no shop {shop_id}") from None

    def add_order(self, shop_id: str, **wish: Unpack[OrderWish]) -> str:
        """Place an order and return its id. See `OrderWish` for what may be wished for."""
        with self._lock:
            order = build(self._world, self._shop(shop_id), wish)
            for line in sorted(lines.lines_of(self._world, order)):
                if line.at <= self._world.clock:
                    lines.fire(self._world, line)
            return order.order_id

    def order(self, order_id: str) -> dict[str, object]:
        """The order as Get Order Detail shows it."""
        with self._lock:
            self._land()
            return order_json(self._world.order(order_id), self._world.packages)

    def pay(self, order_id: str) -> None:
        """The buyer pays an UNPAID order."""
        with self._lock:
            life.pay(self._world, self._world.order(order_id), self._world.clock)

    def release_hold(self, order_id: str) -> None:
        """ON_HOLD becomes AWAITING_SHIPMENT."""
        with self._lock:
            life.release_hold(self._world, self._world.order(order_id), self._world.clock)

    def arrange(
        self,
        order_id: str,
        package_id: str | None = None,
        tracking_number: str = "",
        provider: str = "",
        handover_method: str = "PICKUP",
    ) -> None:
        """The seller ships the order's packages (or one) in Seller Center, not through the app.

        Ship by Seller names the number and who carries it; of Ship by TikTok the marketplace makes
        the label and its carrier comes for the parcel, or it is dropped off.
        """
        with self._lock:
            world, order = self._world, self._world.order(order_id)
            for package in self._parcels(order, package_id, orders.AWAITING_SHIPMENT):
                if order.shipping_type == TIKTOK:
                    label(world, package, handover_method)
                elif not tracking_number or tracking_number.upper() in world.numbers:
                    raise StoryError("shipping by the seller takes a tracking number of its own")
                else:
                    package.provider_id = self._provider(provider)
                    package.tracking_number, package.provider_name = tracking_number, provider
                world.numbers[package.tracking_number.upper()] = package.package_id
                life.move(world, package, orders.AWAITING_COLLECTION, world.clock)

    def _provider(self, name: str) -> str:
        for provider in self._world.providers:
            if provider.name == name:
                return provider.provider_id
        raise StoryError(f"no shipping provider {name!r}")

    def collect(self, order_id: str, at: int | None = None, package_id: str | None = None) -> None:
        """The carrier's first scan of the order's parcels (or of one) becomes known.

        `at` is the scan's time: in the past, it is seen now; in the future, it is planned, and
        left out (see `skipped`) if the order is past it by then.
        """
        with self._lock:
            order = self._world.order(order_id)
            self._at(at, lambda scanned_at: self._collect(order, scanned_at, package_id))

    def _collect(self, order: Order, scanned_at: int, package_id: str | None) -> None:
        world = self._world
        if scanned_at < order.create_time:
            raise StoryError("a parcel is not scanned before its order is placed")
        for package in self._parcels(order, package_id, orders.AWAITING_COLLECTION):
            life.collect(world, package, scanned_at, world.clock)

    def deliver(self, order_id: str, at: int | None = None, package_id: str | None = None) -> None:
        """The order's parcels (or one) are delivered, now or at a time still to come."""
        with self._lock:
            order = self._world.order(order_id)
            if at is not None and at < self._world.clock:
                raise StoryError("a delivery cannot be put into the past")
            self._at(at, lambda _: self._deliver(order, package_id))

    def _deliver(self, order: Order, package_id: str | None) -> None:
        for package in self._parcels(order, package_id, orders.IN_TRANSIT):
            life.move(self._world, package, orders.DELIVERED, self._world.clock)

    def _parcels(self, order: Order, package_id: str | None, status: str) -> list[Package]:
        found = [
            package
            for package in life.packages_of(self._world, order)
            if package.status == status and package_id in (None, package.package_id)
        ]
        if not found:
            raise StoryError(f"order {order.order_id} ({order.status}) has no parcel {status}")
        return found

    def complete(self, order_id: str) -> None:
        """The return window of a DELIVERED order is over."""
        with self._lock:
            order = self._world.order(order_id)
            life.need(order, orders.DELIVERED)
            for package in life.packages_of(self._world, order):
                life.move(self._world, package, orders.COMPLETED, self._world.clock)

    def report_exception(
        self, order_id: str, reason: str = "PACKAGE_LOST", package_id: str | None = None
    ) -> None:
        """A parcel in transit is reported lost, damaged, … (`ship_exception_reason`)."""
        with self._lock:
            order = self._world.order(order_id)
            for package in self._parcels(order, package_id, orders.IN_TRANSIT):
                package.exception = reason
                package.status = orders.CANCELLED
                package.update_time = self._world.clock

    def request_cancel(self, order_id: str, reason: str = "no longer needed") -> str:
        """The buyer asks to cancel; returns the case's id."""
        with self._lock:
            order = self._world.order(order_id)
            return life.request_cancel(self._world, order, reason, self._world.clock).case_id

    def close_request(self, order_id: str) -> None:
        """The buyer's open request is withdrawn or rejected."""
        with self._lock:
            life.close_request(self._world, self._world.order(order_id), self._world.clock)

    def cancel(self, order_id: str, reason: str, by: str) -> None:
        """BUYER, SELLER, SYSTEM or OPERATOR cancels, where that role can in this status."""
        with self._lock:
            order = self._world.order(order_id)
            life.cancel(self._world, order, reason, by, self._world.clock)

    def open_return(
        self, order_id: str, return_type: str = "REFUND", reason: str = "arrived damaged"
    ) -> str:
        """The buyer asks for a refund or return; returns the case's id."""
        with self._lock:
            world, order = self._world, self._world.order(order_id)
            return refunds.open_by_buyer(world, order, return_type, reason, world.clock).case_id

    def extend(self, order_id: str, field: str, to: int) -> None:
        """Move a deadline without a trace in `update_time`; 0 takes it away."""
        with self._lock:
            order = self._world.order(order_id)
            if field not in DEADLINES:
                raise StoryError(f"{field!r} is no deadline; known: {', '.join(DEADLINES)}")
            if to == 0:
                order.deadlines.pop(field, None)
            elif to <= self._world.clock:
                raise StoryError("a deadline moves to a time still to come")
            else:
                order.deadlines[field] = to

    def split(self, order_id: str, groups: Sequence[Sequence[str]]) -> list[str]:
        """Split the unshipped lines into packages of new ids, which are returned.

        `groups` are line ids and must hold each unshipped line once. Where the market splits
        whole SKUs only, one SKU must not be spread over two groups.
        """
        with self._lock:
            made = composition.split_order(self._world, self._world.order(order_id), groups)
            return [package.package_id for package in made]

    def combine(self, order_ids: Sequence[str]) -> str:
        """Put the whole orders of one shop into one package of a new id (SEA and LATAM)."""
        with self._lock:
            of = [self._world.order(order_id) for order_id in order_ids]
            return composition.combine_orders(self._world, of).package_id

    def revoke(self, shop_id: str) -> None:
        """The seller withdraws the authorisation; every call answers 105001 from now on."""
        with self._lock:
            shop = self._shop(shop_id)
            shop.revoked = True
            message = f"Shop_id {shop_id} is deauthorized from your APP by merchant."
            at = self._world.clock
            announce(self._world, shop_id, DEAUTHORISED_TOPIC, {"message": message}, at)

    def grant(self, shop_id: str) -> str:
        """The seller consents (again): a code for `token/get`, good once, for 30 real minutes."""
        with self._lock:
            return self._world.keyring.grant(self._shop(shop_id).shop_id)

    def take_webhooks(self) -> list[Webhook]:
        """The queued webhooks, oldest first; they are gone from the queue afterwards."""
        with self._lock:
            self._land()
            taken = list(self._world.webhooks)
            self._world.webhooks.clear()
            return taken
