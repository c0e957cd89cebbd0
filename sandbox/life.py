"""How an order moves: payment, hold, shipping, scans, delivery, cancellation.

Partner Center, "Order API overview", table of transitions and who causes them. Every function sets
`update_time` to the instant of the change and queues the webhook the marketplace would send.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox import orders, stock
from sandbox.markets import CANCEL_ANSWER, PACKAGE_FROM_PAYMENT, SEA
from sandbox.orders import Case, Line, Order, Package, status_of
from sandbox.wire import StoryError
from sandbox.world import World, announce_case, announce_status

# Action codes of tracking events ("Get Order Tracking", "Tracking status update").
COLLECTED_CODE = 30901
DELIVERED_CODE = 50101

UNTRACKED = "system_cancel_order_untracked"

_BEFORE_SHIPPING = {orders.UNPAID, orders.ON_HOLD, orders.AWAITING_SHIPMENT}
_OPEN = _BEFORE_SHIPPING | {
    orders.PARTIALLY_SHIPPING,
    orders.AWAITING_COLLECTION,
    orders.IN_TRANSIT,
}

# From which statuses each role can have an order cancelled.
CANCELLABLE: Mapping[str, set[str]] = {
    "BUYER": _BEFORE_SHIPPING | {orders.PARTIALLY_SHIPPING},
    "SELLER": _BEFORE_SHIPPING,
    "SYSTEM": _OPEN,
    "OPERATOR": _OPEN,
}

# What no parcel moves any more: a refunded order is COMPLETED before its parcel arrives.
_FINAL = {orders.CANCELLED, orders.COMPLETED}

# The order's own time that each status fills in.
_TIME_OF: Mapping[str, str] = {
    orders.AWAITING_COLLECTION: "rts_time",
    orders.DELIVERED: "delivery_time",
    orders.CANCELLED: "cancel_time",
}


def cancellable(order: Order, by: str) -> bool:
    """Whether this role can have the order cancelled in its present status."""
    if by not in CANCELLABLE:
        raise StoryError(f"nobody called {by!r} cancels; use {', '.join(CANCELLABLE)}")
    if order.status in CANCELLABLE[by]:
        return True
    waits = order.status == orders.AWAITING_COLLECTION
    return waits and (
        (by == "SELLER" and order.market == "US") or (by == "BUYER" and order.market in SEA)
    )


def become(world: World, order: Order, status: str, at: int) -> None:
    """Put the order in a status and tell the app; nothing happens when it is there already."""
    if order.status == status:
        return
    order.status = status
    order.update_time = at
    if status in _TIME_OF:
        order.times[_TIME_OF[status]] = at
    announce_status(world, order, at)


def pay(world: World, order: Order, at: int) -> None:
    """UNPAID to ON_HOLD, or straight to AWAITING_SHIPMENT in a shop without the hold."""
    need(order, orders.UNPAID)
    order.times["paid_time"] = at
    for line in order.lines:
        line.status = orders.AWAITING_SHIPMENT
    give_package(world, order, at)
    become(world, order, orders.ON_HOLD if order.had_hold else orders.AWAITING_SHIPMENT, at)


def give_package(world: World, order: Order, at: int) -> None:
    """The package that exists from payment on, in the markets where it does."""
    if order.shipping_type in PACKAGE_FROM_PAYMENT.get(order.market, ()):
        new_package(world, [order], order.lines, at)


def new_package(world: World, of: list[Order], lines: list[Line], at: int) -> Package:
    """A package of these lines, taken out of whatever package they were in."""
    package = Package(
        world.new_id("package"),
        of[0].shop_id,
        [order.order_id for order in of],
        [line.line_id for line in lines],
        create_time=at,
        update_time=at,
    )
    for line in lines:
        line.package_id = package.package_id
    if any(order.needs_invoice for order in of):
        package.invoice = "PROCESSING"
    world.packages[package.package_id] = package
    return package


def release_hold(world: World, order: Order, at: int) -> None:
    """ON_HOLD to AWAITING_SHIPMENT: the remorse window is over."""
    need(order, orders.ON_HOLD)
    become(world, order, orders.AWAITING_SHIPMENT, at)


def move(world: World, package: Package, status: str, at: int) -> None:
    """Give a package and its lines a status, and each of its orders what follows from it."""
    package.status = status
    package.update_time = at
    if status == orders.AWAITING_COLLECTION:
        package.shipped_at = at
    if status == orders.DELIVERED:
        _tell(package, at, DELIVERED_CODE, "Your package was delivered!")
    for order, index in world.lines_in(package):
        line = order.lines[index]
        if line.status in _FINAL:
            continue
        line.status = status
        if status == orders.AWAITING_COLLECTION:
            line.rts_time = at
            stock.hand_out(world, order, line)
    for order_id in package.order_ids:
        order = world.orders[order_id]
        if order.status not in _FINAL:
            become(world, order, status_of(order.lines), at)


def _tell(package: Package, at: int, code: int, words: str) -> None:
    """Add what the carrier says, unless the seller has reported it already."""
    if all(code != known for _, known, _ in package.events):
        package.events.append((at * 1000, code, words))


def collect(world: World, package: Package, scanned_at: int, at: int) -> None:
    """Carrier data reaches the marketplace: the first scan of a parcel, made at `scanned_at`."""
    package.collected_at = scanned_at
    _tell(package, scanned_at, COLLECTED_CODE, "Your package has been collected.")
    for order_id in package.order_ids:
        order = world.orders[order_id]
        parcels = packages_of(world, order)
        # The status follows the last parcel's scan, so its time is what the order shows.
        if all(parcel.collected_at for parcel in parcels) and order.status in _OPEN:
            order.times["collection_time"] = max(parcel.collected_at for parcel in parcels)
    move(world, package, orders.IN_TRANSIT, at)


def packages_of(world: World, order: Order) -> list[Package]:
    """The order's packages, in the order of its lines."""
    ids = dict.fromkeys(line.package_id for line in order.lines if line.package_id)
    return [world.packages[package_id] for package_id in ids]


def has_scan(world: World, order: Order) -> bool:
    """Whether any tracking update has been seen for the order."""
    return any(package.collected_at for package in packages_of(world, order))


def cancel(
    world: World, order: Order, reason: str, by: str, at: int, *, accepted: bool = False
) -> Case:
    """Cancel what is left of the order, and close its cancellation case or make one.

    `accepted`: tell first that the request was accepted, as after a call of the seller's.
    """
    if not cancellable(order, by):
        raise StoryError(f"{by} cannot cancel order {order.order_id} while it is {order.status}")
    left = live(order)
    case = open_case(world, order) or new_case(
        world, order, "cancellation", "BUYER_CANCEL" if by == "BUYER" else "CANCEL", by, reason, at
    )
    case.line_ids = tuple(line.line_id for line in left)
    case.amount = orders.price_units(order) * len(left) if "paid_time" in order.times else 0
    if accepted:
        set_case(world, case, "CANCELLATION_REQUEST_SUCCESS", at)
    order.cancelled_by, order.cancel_reason = by, reason
    order.asks_cancel = False
    _cancel_lines(world, order, left, reason, by, at)
    become(world, order, orders.CANCELLED, at)
    set_case(world, case, "CANCELLATION_REQUEST_COMPLETE", at)
    return case


def cancel_lines(
    world: World, order: Order, lines: list[Line], reason: str, by: str, at: int
) -> Case:
    """Cancel some lines of an order of which others stay."""
    case = new_case(world, order, "cancellation", "CANCEL", by, reason, at)
    case.line_ids = tuple(line.line_id for line in lines)
    case.amount = orders.price_units(order) * len(lines)
    set_case(world, case, "CANCELLATION_REQUEST_SUCCESS", at)
    _cancel_lines(world, order, lines, reason, by, at)
    order.update_time = at
    set_case(world, case, "CANCELLATION_REQUEST_COMPLETE", at)
    return case


def live(order: Order) -> list[Line]:
    """The lines that are not cancelled."""
    return [line for line in order.lines if line.status != orders.CANCELLED]


def _cancel_lines(
    world: World, order: Order, lines: list[Line], reason: str, by: str, at: int
) -> None:
    stock.release(world, order, lines)
    for line in lines:
        line.status, line.cancelled_by, line.cancel_reason = orders.CANCELLED, by, reason
    for package in packages_of(world, order):
        if all(o.lines[i].status == orders.CANCELLED for o, i in world.lines_in(package)):
            package.status, package.update_time = orders.CANCELLED, at


def request_cancel(world: World, order: Order, reason: str, at: int) -> Case:
    """A buyer asks to cancel. The order's status and `update_time` stay as they are."""
    if not cancellable(order, "BUYER"):
        raise StoryError(f"a buyer cannot ask to cancel while the order is {order.status}")
    if open_case(world, order):
        raise StoryError(f"order {order.order_id} has an open request already")
    order.asks_cancel = True
    order.times["request_cancel_time"] = at
    case = new_case(world, order, "cancellation", "BUYER_CANCEL", "BUYER", reason, at)
    answer_time = world.settings.cancel_answer_time
    case.deadline = at + (CANCEL_ANSWER[order.market] if answer_time is None else answer_time)
    case.line_ids = tuple(line.line_id for line in live(order))
    set_case(world, case, "CANCELLATION_REQUEST_PENDING", at)
    return case


def close_request(world: World, order: Order, at: int) -> None:
    """The buyer's open request ends without a cancellation."""
    case = open_case(world, order)
    if case is None:
        raise StoryError(f"order {order.order_id} has no open request")
    order.asks_cancel = False
    set_case(world, case, "CANCELLATION_REQUEST_CANCEL", at)


def new_case(
    world: World, order: Order, kind: str, case_type: str, role: str, reason: str, at: int
) -> Case:
    """A case of the order, without a status yet."""
    case = Case(
        world.new_id("case"),
        kind,
        order.shop_id,
        order.order_id,
        order.user_id,
        case_type,
        "",
        role,
        reason,
        at,
        at,
    )
    world.cases[case.case_id] = case
    world.cases_of.setdefault(order.order_id, []).append(case)
    return case


def set_case(world: World, case: Case, status: str, at: int) -> None:
    """Give a case a status and tell the app."""
    case.status, case.update_time = status, at
    announce_case(world, case, at)


def open_case(world: World, order: Order, kind: str = "cancellation") -> Case | None:
    """The order's case of a kind that still waits for an answer."""
    for case in world.cases_of.get(order.order_id, ()):
        if case.kind == kind and case.pending:
            return case
    return None


def need(order: Order, *statuses: str) -> None:
    """Raise `StoryError` unless the order is in one of these statuses."""
    if order.status not in statuses:
        wanted = " or ".join(statuses)
        raise StoryError(f"order {order.order_id} is {order.status}, not {wanted}")
