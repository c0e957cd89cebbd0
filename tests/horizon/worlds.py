"""A table with orders of some shops, filled row by row as the functions do."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shipclock import codec
from shipclock.connect import connect_shop
from shipclock.domain.tracking import Scan
from shipclock.marketplaces.protocol import OrderRow, Shop
from shipclock.ports import Put, Store
from shipclock.settle import settle
from shipclock.snapshots import keep_snapshot
from tests.builders import REAL, SHOP, T0, facts, line, shop
from tests.fakes import MemoryStore
from tests.stage import TOKENS


class Table:
    """Orders as they were settled at `T0`, or whenever one is told."""

    def __init__(self) -> None:
        self.memory = MemoryStore()
        self.store: Store = self.memory
        self.shops: dict[str, Shop] = {}
        self.connect()

    def connect(self, **changes: Any) -> None:
        """Connect a shop."""
        connected = shop(**changes)
        self.shops[connected.shop_id] = connected
        connect_shop(self.memory, connected, TOKENS, REAL, heal=False)

    def order(
        self,
        order_id: str,
        status: str = "AWAITING_SHIPMENT",
        number: str = "",
        scans: Sequence[Scan] = (),
        shop_id: str = SHOP,
        now: datetime = T0,
        **more: Any,
    ) -> str:
        """Keep an order with one package, and settle it."""
        package = line(f"L{order_id}", package_id=f"P{order_id}", tracking_number=number)
        told = facts(status, lines=(package,), **more)
        keep_snapshot(self.memory, shop_id, OrderRow(order_id, told, {}), REAL, T0)
        for one in scans:
            self.memory.write(Put(codec.scan_row(one, REAL)))
        settle(self.memory, self.shops.get, order_id, now, REAL)
        return order_id

    def fields(self, order_id: str, **deadlines: datetime) -> str:
        """An order that carries these deadline fields."""
        return self.order(order_id, deadlines=deadlines)
