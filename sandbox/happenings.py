"""More of what happens from outside: addresses, invoices, stock, refunds, talk, and the app's own
standing. `Story` is about the life of orders, this is about all else.

Webhooks: Partner Center, the pages of the topics 3, 7, 13, 14, 27, 36, 64, 65, 67 and 71. The new
after-sales flow (64, 65) is told but not played: no call here reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Unpack

from sandbox import life, messages, orders, refunds, stock
from sandbox.kept import Stock
from sandbox.orders import Case, Order, Package
from sandbox.shops import SHOP_FLAGS, check_scope
from sandbox.story import Story
from sandbox.wire import StoryError
from sandbox.world import (
    ADDRESS_TOPIC,
    AFTERSALES_TOPIC,
    EXPIRY_TOPIC,
    INVOICE_TOPIC,
    RMA_TOPIC,
    Rules,
    announce,
)

INVOICES = ("SUCCESS", "PROCESSING", "FAILED", "INVALID")
AFTERSALES = ("PENDING_REQUEST_REVIEW", "REQUEST_REVIEW_COMPLETED")
RMAS = (
    "INIT",
    "AWAITING_BUYER_SHIPPED",
    "RETURN_IN_TRANSIT",
    "PENDING_PACKAGE_REVIEW",
    "PACKAGE_REVIEW_COMPLETED",
)
_DAY = 86_400


class Happenings(Story):
    """What the buyer, the tax office, the shelves and the app store do; see `Story` for orders."""

    def change_address(self, order_id: str, **fields: str) -> None:
        """The buyer changes the address, field by field (webhook 3, without the address)."""
        with self._lock:
            order = self._world.order(order_id)
            if order.status not in (orders.ON_HOLD, orders.AWAITING_SHIPMENT):
                raise StoryError(f"an address does not change while the order is {order.status}")
            order.address = {**(order.address or {}), **fields}
            order.address_changed = True
            at = self._world.clock
            data: dict[str, object] = {"order_id": order_id, "update_time": at}
            announce(self._world, order.shop_id, ADDRESS_TOPIC, data, at)

    def invoice(
        self, order_id: str, status: str, reason: str = "", package_id: str | None = None
    ) -> None:
        """The tax office has looked at the invoice of the order's parcels, or of one (36)."""
        with self._lock:
            if status not in INVOICES:
                raise StoryError(f"an invoice is {' or '.join(INVOICES)}, not {status!r}")
            order = self._world.order(order_id)
            for package in self._invoiced(order, package_id):
                package.invoice = status
                data: dict[str, object] = {
                    "package_id": package.package_id,
                    "order_ids": list(package.order_ids),
                    "invoice_status": status,
                }
                if reason:
                    data["invalid_reason"] = reason
                announce(self._world, order.shop_id, INVOICE_TOPIC, data, self._world.clock)

    def _invoiced(self, order: Order, package_id: str | None) -> list[Package]:
        parcels = life.packages_of(self._world, order)
        found = [each for each in parcels if package_id in (None, each.package_id)]
        if not found or order.market != "BR":
            raise StoryError(f"order {order.order_id} has no parcel that takes an invoice")
        return found

    def warn_of_expiry(self, shop_id: str, days: int = 30) -> None:
        """The app is told that its authorisation ends in so many days (7)."""
        with self._lock:
            shop, at = self._shop(shop_id), self._world.clock
            data: dict[str, object] = {
                "message": f"Authorization of shop_id {shop.shop_id} is expiring in {days} days."
                " Please direct the merchant to re-authorize.",
                # A string in this topic.
                "expiration_time": str(at + days * _DAY),
            }
            announce(self._world, shop_id, EXPIRY_TOPIC, data, at)

    def set_stock(self, shop_id: str, sku: str, units: Mapping[str, int]) -> str:
        """Give a seller SKU its units by warehouse, from outside the app; the SKU's id.

        From then on its orders take units, and each change sends webhook 71 (and 27).
        """
        with self._lock:
            shop, world = self._shop(shop_id), self._world
            if not units or any(number < 0 for number in units.values()):
                raise StoryError("stock is a number of units, 0 or more, in a warehouse or more")
            sku_id = world.sku_id(sku)
            kept = world.stock.get((shop.shop_id, sku_id))
            if kept is None:
                world.stock[shop.shop_id, sku_id] = Stock(
                    shop.shop_id, sku, sku_id, dict(units), dict.fromkeys(units, 0)
                )
                return sku_id
            for warehouse_id, number in units.items():
                gained = number - kept.available.get(warehouse_id, 0)
                stock.change(world, kept, warehouse_id, gained, 0, "SELLER_CENTER_UPDATE")
            return sku_id

    def refund(self, return_id: str) -> None:
        """The money of a return goes back now (12, 67); see `refunds.pay_out`."""
        with self._lock:
            refunds.pay_out(self._world, self._case(return_id), self._world.clock)

    def send_back(self, return_id: str) -> None:
        """The buyer has sent back what the seller agreed to take back (12)."""
        with self._lock:
            refunds.send_back(self._world, self._case(return_id), self._world.clock)

    def close_return(self, return_id: str) -> None:
        """A return ends without a refund."""
        with self._lock:
            case = self._case(return_id)
            if case.kind != "return" or not refunds.is_open(case):
                raise StoryError(f"request {return_id} ({case.status}) is no open return")
            case.refund_at = 0
            life.set_case(self._world, case, "RETURN_OR_REFUND_REQUEST_CANCEL", self._world.clock)

    def _case(self, case_id: str) -> Case:
        try:
            return self._world.cases[case_id]
        except KeyError:
            raise StoryError(f"no request {case_id}") from None

    def aftersales_update(self, return_id: str, status: str) -> None:
        """The new after-sales flow tells where a request is (64)."""
        with self._lock:
            if status not in AFTERSALES:
                raise StoryError(f"an after-sales request is {' or '.join(AFTERSALES)}")
            case = self._case(return_id)
            data: dict[str, object] = {
                "aftersales_request_id": case.case_id,
                "return_role": case.role,
                "aftersales_request_status": status,
                "aftersales_request_create_time": case.create_time,
                "aftersales_request_update_time": self._world.clock,
            }
            announce(self._world, case.shop_id, AFTERSALES_TOPIC, data, self._world.clock)

    def rma_update(self, return_id: str, status: str) -> None:
        """The new after-sales flow tells where the returned goods are (65)."""
        with self._lock:
            if status not in RMAS:
                raise StoryError(f"returned goods are {' or '.join(RMAS)}")
            case = self._case(return_id)
            data: dict[str, object] = {
                "rma_id": case.case_id,
                "aftersales_request_id": case.case_id,
                "return_role": case.role,
                "rma_status": status,
                "rma_request_create_time": case.create_time,
                "rma_request_update_time": self._world.clock,
            }
            announce(self._world, case.shop_id, RMA_TOPIC, data, self._world.clock)

    def buyer_says(self, shop_id: str, user_id: str, text: str) -> str:
        """A buyer writes to the shop (13 at first, 14); the conversation's id."""
        with self._lock:
            return messages.buyer_says(self._world, self._shop(shop_id).shop_id, user_id, text)

    def push(self, shop_id: str, type: int, data: Mapping[str, object]) -> None:
        """Send a webhook of any number and data, known or not, as it is."""
        with self._lock:
            shop_id = self._shop(shop_id).shop_id
            announce(self._world, shop_id, (type, ""), dict(data), self._world.clock)

    def set_rules(self, **changes: Unpack[Rules]) -> None:
        """Change what differs between sandboxes, from now on; see `Settings`."""
        with self._lock:
            self._world.settings = replace(self._world.settings, **changes)

    def set_shop(self, shop_id: str, scopes: list[str] | None = None, **flags: bool) -> None:
        """Change what a shop has been granted or is listed for; see `Shop` for the flags."""
        with self._lock:
            shop = self._shop(shop_id)
            for name in flags:
                if name not in SHOP_FLAGS:
                    known = ", ".join(SHOP_FLAGS)
                    raise StoryError(f"{name!r} is no flag of a shop; known: {known}")
            for scope in scopes or ():
                check_scope(scope)
            if scopes is not None:
                shop.scopes = tuple(scopes)
            for name, value in flags.items():
                setattr(shop, name, value)
