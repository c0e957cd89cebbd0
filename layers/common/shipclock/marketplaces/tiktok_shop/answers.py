"""Answers of TikTok Shop, read (`tiktok-shop.md` 4). Never trusts a shape."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from shipclock.domain.event import CaseChange, Line, OrderFacts, PackageRead
from shipclock.marketplaces.protocol import (
    Handover,
    OrderRow,
    Outcome,
    SearchPage,
    Shop,
    Slot,
    Tokens,
    Unread,
)
from shipclock.marketplaces.tiktok_shop.outcomes import link
from shipclock.reading import (
    Object,
    Unreadable,
    digest,
    identifier,
    opaque,
    optional_id,
    parts,
    unix,
    words,
)

DEADLINES = (
    "rts_sla_time",
    "tts_sla_time",
    "delivery_sla_time",
    "delivery_option_required_delivery_time",
    "shipping_due_time",
    "collection_due_time",
    "delivery_due_time",
    "cancel_order_sla_time",
    "pick_up_cut_off_time",
    "instore_pickup_sla_time",
)
"""The order's own deadline fields that are clocks (4.3)."""

MOST_SCOPES = 200

T = TypeVar("T")


def read_tokens(outcome: Outcome) -> Tokens:
    """The tokens of a consent or a renewal. `*_expire_in` are absolute Unix seconds (1.3)."""
    access, renewal = opaque(outcome.data, "access_token"), opaque(outcome.data, "refresh_token")
    if not access or not renewal:
        raise Unreadable("the renewal's answer lacks a token")
    oddities: list[str] = []
    expires_at = _soft(unix, outcome.data, "access_token_expire_in", oddities)
    ends_at = _soft(unix, outcome.data, "refresh_token_expire_in", oddities)
    granted = outcome.data.get("granted_scopes")
    listed = granted if isinstance(granted, list) else []
    scopes = sorted({scope for scope in listed if isinstance(scope, str)})
    return Tokens(access, renewal, expires_at, ends_at, tuple(scopes[:MOST_SCOPES]))


def read_orders(outcome: Outcome) -> SearchPage:
    """The orders of an answer. One that can't be read is named and does not hide the others."""
    good: list[OrderRow] = []
    bad: list[Unread] = []
    latest = None
    for row in parts(outcome.data, "orders"):
        oddities: list[str] = []
        try:
            order = _order(row, oddities)
        except Unreadable as error:
            bad.append(Unread(_readable_id(row, "id"), str(error)))
            continue
        bad += [Unread("", f"order {order.order_id}: left out {odd}") for odd in oddities]
        good.append(order)
        latest = max(latest or order.facts.update_time, order.facts.update_time)
    token = opaque(outcome.data, "next_page_token")
    return SearchPage(tuple(good), latest=latest, next_token=token, unreadable=tuple(bad))


def _readable_id(row: Object, key: str) -> str:
    try:
        return identifier(row.get(key), key)
    except Unreadable:
        return ""


def _soft(
    reader: Callable[[Object, str], T | None], row: Object, key: str, oddities: list[str]
) -> T | None:
    """An optional field: one that can't be read is left out and told, and costs no more."""
    try:
        return reader(row, key)
    except Unreadable as error:
        oddities.append(str(error))
        return None


ORDER_TYPES = (
    *("NORMAL", "ZERO_LOTTERY", "AUCTION"),
    *("PRE_ORDER", "MADE_TO_ORDER", "BACK_ORDER", "VIRTUAL_ORDER"),
)
"""What `order_type` may say (`tiktok-shop.md` 4.2); it may be empty too."""


def _order(row: Object, oddities: list[str]) -> OrderRow:
    create_time, status = unix(row, "create_time"), words(row, "status")
    if create_time is None or not status:
        raise Unreadable("create_time or status is missing")

    def time(key: str) -> datetime | None:
        return _soft(unix, row, key, oddities)

    def text(key: str) -> str:
        return _soft(words, row, key, oddities) or ""

    def ident(key: str) -> str:
        return _soft(optional_id, row, key, oddities) or ""

    before = len(oddities)
    lines = tuple(_each(_line, row, "line_items", oddities))
    package_ids = tuple(_each(_package_id, row, "packages", oddities))
    facts = OrderFacts(
        incomplete=len(oddities) > before,
        status=status,
        create_time=create_time,
        update_time=unix(row, "update_time") or create_time,
        shipping_type=text("shipping_type"),
        fulfillment_type=text("fulfillment_type"),
        order_type=text("order_type"),
        delivery_option_id=ident("delivery_option_id"),
        warehouse_id=ident("warehouse_id"),
        paid_time=time("paid_time"),
        rts_time=time("rts_time"),
        collection_time=time("collection_time"),
        delivery_time=time("delivery_time"),
        cancel_time=time("cancel_time"),
        release_date=time("release_date"),
        cancel_requested=row.get("is_buyer_request_cancel") is True,
        cancel_requested_at=time("request_cancel_time"),
        cancel_reason=text("cancel_reason"),
        cancelled_by=text("cancellation_initiator"),
        tracking_number=text("tracking_number"),
        shipping_provider=text("shipping_provider"),
        shipping_provider_id=ident("shipping_provider_id"),
        deadlines={name: at for name in DEADLINES if (at := time(name))},
        lines=lines,
        package_ids=package_ids,
    )
    return OrderRow(identifier(row.get("id"), "id"), facts, _buyer(row))


def _each(reader: Callable[[Object], T], row: Object, key: str, oddities: list[str]) -> Iterator[T]:
    """The entries of a list that can be read; the others are told and cost no more."""
    found = row.get(key)
    if found is not None and not isinstance(found, list):
        oddities.append(f"{key}: a list was expected")
    for entry in found if isinstance(found, list) else ():
        try:
            yield reader(entry if isinstance(entry, dict) else {})
        except Unreadable as error:
            oddities.append(f"{key}: {error}")


def _package_id(package: Object) -> str:
    return identifier(package.get("id"), "packages.id")


def _line(line: Object) -> Line:
    return Line(
        line_id=identifier(line.get("id"), "line_items.id"),
        sku_id=optional_id(line, "sku_id"),
        package_id=optional_id(line, "package_id"),
        package_status=words(line, "package_status"),
        tracking_number=words(line, "tracking_number"),
        display_status=words(line, "display_status"),
        # Who carries it only raises a question: what can't be read of that costs no unit.
        provider=_soft(words, line, "shipping_provider_name", []) or "",
        provider_id=_soft(optional_id, line, "shipping_provider_id", []) or "",
    )


BUYER_FIELDS = ("name", "phone_number", "full_address", "postal_code", "region_code")


def _buyer(row: Object) -> dict[str, str]:
    """The buyer's personal data, kept apart from the facts; empty where masked or blank."""
    address = row.get("recipient_address")
    if not isinstance(address, dict):
        return {}
    oddities: list[str] = []
    found = {name: _soft(words, address, name, oddities) or "" for name in BUYER_FIELDS}
    found["email"] = _soft(words, row, "buyer_email", oddities) or ""
    found["districts"] = "\n".join(_districts(address))
    found["user_id"] = _soft(optional_id, row, "user_id", oddities) or ""
    return {name: text for name, text in found.items() if text and "*" not in text}


MOST_DISTRICTS = 12


def _districts(address: Object) -> list[str]:
    """The names and ISO codes of state, city and so on, as far as they are not masked."""
    listed = address.get("district_info")
    found: list[str] = []
    for level in listed[:MOST_DISTRICTS] if isinstance(listed, list) else ():
        if isinstance(level, dict):
            told = [_soft(words, level, key, []) or "" for key in ("address_name", "iso_code")]
            found += [" ".join(text.split()) for text in told if text and "*" not in text]
    return found


EXCEPTIONS = {
    "PACKAGE_DAMAGAED": "damaged",
    "PACKAGE_DAMAGED": "damaged",
    "PACKAGE_LOST": "lost",
    "PACKAGE_SCRAP": "disposed",
    "RETURNED_TO_SHIPPER": "returned",
}
"""What `ship_exception_reason` means (5.2). The first is how the documentation spells it."""


def read_package(
    outcome: Outcome, order_id: str, shop: Shop, requested_at: datetime, as_of: datetime
) -> PackageRead:
    """One package's detail. Times that can't be read are left out."""
    data = outcome.data
    odd: list[str] = []
    slot = data.get("pickup_slot")
    slot = slot if isinstance(slot, dict) else {}
    package_id = identifier(data.get("package_id"), "package_id")
    exception = words(data, "ship_exception_reason")
    read = PackageRead(
        identity="",
        order_id=order_id,
        shop_id=shop.shop_id,
        package_id=package_id,
        requested_at=requested_at,
        status=words(data, "package_status"),
        sub_status=words(data, "package_sub_status"),
        tracking_number=words(data, "tracking_number"),
        exception=exception,
        meaning=EXCEPTIONS.get(exception, ""),
        as_of=as_of,
        update_time=_soft(unix, data, "update_time", odd),
        handover_method=_soft(words, data, "handover_method", odd) or "",
        pickup_from=_soft(unix, slot, "start_time", odd),
        pickup_until=_soft(unix, slot, "end_time", odd),
    )
    said = repr(read.told)
    return replace(read, identity=digest("package", package_id, said, requested_at.isoformat()))


def read_handover(outcome: Outcome) -> Handover:
    """The handover slots of a package; a slot that can't be read is left out."""
    odd: list[str] = []
    slots = _each(_slot, outcome.data, "pickup_slots", odd)
    return Handover(
        can_pick_up=outcome.data.get("can_pickup") is True,
        can_drop_off=outcome.data.get("can_drop_off") is True,
        drop_off_url=_soft(link, outcome.data, "drop_off_point_url", odd) or "",
        slots=tuple(sorted(slots, key=lambda slot: (slot.begins, slot.ends))),
    )


def _slot(slot: Object) -> Slot:
    """One slot; `avaliable` is the field's own spelling (section 7, typos in the wire format)."""
    begins, ends = unix(slot, "start_time"), unix(slot, "end_time")
    if begins is None or ends is None:
        raise Unreadable("start_time or end_time is missing")
    return Slot(begins, ends, slot.get("avaliable", slot.get("available")) is True)


def read_page(name: str, outcome: Outcome, shop: Shop) -> SearchPage:
    """One page of a reconciliation search."""
    return READERS[name](outcome, shop)


def _cases(kind: str, id_key: str, status_key: str) -> Callable[[Outcome, Shop], SearchPage]:
    def read(outcome: Outcome, shop: Shop) -> SearchPage:
        good: list[CaseChange] = []
        bad: list[Unread] = []
        latest = None
        for row in parts(outcome.data, LISTS[kind]):
            try:
                case = _case(row, kind, id_key, status_key, shop)
            except Unreadable as error:
                bad.append(Unread(_readable_id(row, "order_id"), str(error)))
                continue
            good.append(case)
            latest = max(latest or case.update_time, case.update_time)
        token = opaque(outcome.data, "next_page_token")
        return SearchPage((), tuple(good), latest, token, tuple(bad))

    return read


def _case(row: Object, kind: str, id_key: str, status_key: str, shop: Shop) -> CaseChange:
    case_id = identifier(row.get(id_key), id_key)
    status = words(row, status_key)
    update_time = unix(row, "update_time") or unix(row, "create_time")
    if update_time is None or not status:
        raise Unreadable("update_time or status is missing")
    steps = parts(row, "seller_next_action_response")
    deadlines = [at for step in steps if (at := unix(step, "deadline"))]
    deadline = min(deadlines, default=None)
    return CaseChange(
        identity=digest(kind, case_id, status, update_time.isoformat(), str(deadline or "")),
        order_id=identifier(row.get("order_id"), "order_id"),
        shop_id=shop.shop_id,
        case_id=case_id,
        case="cancellation" if kind == "cancellation" else "return",
        status=status,
        update_time=update_time,
        deadline=deadline,
        role=words(row, "role"),
        line_ids=tuple(sorted(set(_each(_unit, row, LINES[kind], [])))),
    )


def _unit(line: Object) -> str:
    return identifier(line.get("order_line_item_id"), "order_line_item_id")


LINES = {"cancellation": "cancel_line_items", "return": "return_line_items"}
"""Where a case lists its units. What can't be read of that costs no case."""


LISTS = {"cancellation": "cancellations", "return": "return_orders"}
READERS: dict[str, Callable[[Outcome, Shop], SearchPage]] = {
    "orders": lambda outcome, shop: read_orders(outcome),
    "cancellations": _cases("cancellation", "cancel_id", "cancel_status"),
    "returns": _cases("return", "return_id", "return_status"),
}


def read_providers(outcome: Outcome) -> dict[str, str]:
    """Provider id to name."""
    if "shipping_providers" not in outcome.data:
        raise Unreadable("shipping_providers: a list was expected")
    return {
        identifier(row.get("id"), "shipping_providers.id"): words(row, "name")
        for row in parts(outcome.data, "shipping_providers")
    }
