"""How the marketplace's own carrier gets a parcel: its label, and when it comes.

Partner Center: "Get Package Handover Time Slots", and `pickup_slot` of "Ship Package".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sandbox import orders, wire
from sandbox.gate import Asked
from sandbox.markets import TIKTOK
from sandbox.orders import Package
from sandbox.reading import own_package
from sandbox.wire import Refusal
from sandbox.world import World

HOUR = 3_600
DAY = 24 * HOUR


def label(world: World, package: Package, method: str) -> None:
    """The marketplace's own label, and how its carrier gets the parcel.

    Where it comes for it and no slot was chosen, it takes the first one.
    """
    package.tracking_number = f"SBX{world.count('label'):012d}"
    package.provider_name = "Synthetic Post"
    package.handover_method = method
    package.pickup_slot = next(slots(world.clock)) if method == "PICKUP" else None


def slots(clock: int) -> Iterator[tuple[int, int]]:
    """When the marketplace's carrier comes: two hours from 02:00 UTC on each of the next days."""
    tomorrow = clock - clock % DAY + DAY
    return ((day + 2 * HOUR, day + 4 * HOUR) for day in range(tomorrow, tomorrow + 3 * DAY, DAY))


def chosen_slot(world: World, wish: Mapping[str, int] | None) -> tuple[int, int] | None:
    """The slot a seller wishes for, which must be one that is offered (21011053)."""
    if wish is None:
        return None
    chosen = wish["start_time"], wish["end_time"]
    if chosen not in slots(world.clock):
        raise Refusal(wire.OUTSIDE_SLOT)
    return chosen


def handover_time_slots(world: World, asked: Asked) -> dict[str, object]:
    """Get Package Handover Time Slots: of what the marketplace's own carrier takes."""
    package = own_package(world, asked)
    order = world.orders[package.order_ids[0]]
    if order.shipping_type != TIKTOK or order.fulfillment_type != orders.BY_SELLER:
        raise Refusal(wire.WRONG_MODE)
    listed = [
        {"start_time": begins, "end_time": ends, "avaliable": True}  # spelt so on the wire
        for begins, ends in slots(world.clock)
    ]
    return {
        "can_pickup": True,
        "can_drop_off": True,
        "drop_off_point_url": "https://dropoff.example",
        "pickup_slots": listed,
    }
