"""Cancelling, and giving money back (`tiktok-shop.md` 5.5). Amounts are decimal texts.

What may be done, and under which reason, is asked of the marketplace each time (`eligibility`):
its tables change by market, state and month.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shipclock.marketplaces.protocol import Call, Outcome
from shipclock.marketplaces.tiktok_shop.versions import path
from shipclock.reading import Object, Unreadable, identifier, parts, whole, words

REQUEST_TYPES = ("CANCEL", "REFUND", "RETURN_AND_REFUND")
LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What may be done with an order.

    `eligible`: every unit that the answer names may be. `line_ids` are those that may, also where
    others may not; `reasons` the names that all of these are offered; `why_not` says why the
    others may not, in the marketplace's words, and `codes` in its numbers.
    """

    eligible: bool
    reasons: tuple[str, ...] = ()
    line_ids: tuple[str, ...] = ()
    why_not: str = ""
    codes: tuple[int, ...] = ()


def eligibility(order_id: str, request_type: str) -> Call:
    """Whether the seller may cancel or refund an order, and why he may say he does.

    Raises ValueError for a type that is none of `REQUEST_TYPES`.
    """
    _known(request_type)
    query = {"initiate_aftersale_user": "SELLER", "request_types": request_type}
    return Call("eligibility", "GET", path("eligibility", order_id=order_id), query)


def _known(request_type: str) -> None:
    if request_type not in REQUEST_TYPES:
        raise ValueError(f"{request_type} is none of {', '.join(REQUEST_TYPES)}")


def read_eligibility(outcome: Outcome, request_type: str = "") -> Eligibility:
    """What an answer allows, of one type where it tells of several; raises `Unreadable`."""
    if "sku_eligibility" not in outcome.data:
        raise Unreadable("sku_eligibility: a list was expected")
    entries = [
        entry
        for sku in parts(outcome.data, "sku_eligibility")
        for entry in parts(sku, "line_item_eligibility")
        if request_type in ("", words(entry, "request_type"))
    ]
    good = [entry for entry in entries if entry.get("eligible") is True]
    bad = [entry for entry in entries if entry.get("eligible") is not True]
    offered = [_names(entry, "available_reason_names") for entry in good]
    common = offered[0] if offered else ()
    return Eligibility(
        eligible=bool(good) and not bad,
        reasons=tuple(name for name in common if all(name in names for names in offered)),
        line_ids=tuple(dict.fromkeys(line for entry in good for line in _lines(entry))),
        why_not="; ".join(dict.fromkeys(_why(entry) for entry in bad)),
        codes=tuple(whole(entry, "ineligible_code") or 0 for entry in bad),
    )


def _names(row: Object, key: str) -> tuple[str, ...]:
    found = row.get(key)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise Unreadable(f"{key}: a list was expected")
    return tuple(words({key: name}, key) for name in found)


def _lines(entry: Object) -> Iterator[str]:
    """The units of an entry, out of the newer list and the older one; they say the same."""
    for line in parts(entry, "order_line_list"):
        yield identifier(line.get("order_line_item_id"), "order_line_item_id")
    for line_id in _names(entry, "order_line_items_ids"):
        yield identifier(line_id, "order_line_items_ids")


def _why(entry: Object) -> str:
    text, code = words(entry, "ineligible_reason"), whole(entry, "ineligible_code")
    return f"{text or 'not eligible'} ({code})" if code else text or "not eligible"


# Choosing a reason

REASONS: dict[str, tuple[str, ...]] = {
    "out_of_stock": (
        "seller_cancel_reason_out_of_stock",
        "seller_cancel_unpaid_reason_out_of_stock",
    ),
    "wrong_price": (
        "seller_cancel_reason_wrong_price",
        "seller_cancel_unpaid_reason_wrong_price",
    ),
    "buyer_asked": (
        "seller_cancel_paid_reason_buyer_requested_cancellation",
        "seller_cancel_unpaid_reason_buyer_requested_cancellation",
    ),
    "not_deliverable": ("seller_cancel_paid_reason_address_not_deliver",),
    "not_paid": ("seller_cancel_unpaid_reason_buyer_hasnt_paid_within_time_allowed",),
}
"""Our word for why to the names that mean it, paid or not. The UK's end in `_uk`."""

TELLING: dict[str, tuple[str, ...]] = {
    "lost": ("lost",),
    "damaged": ("damaged", "damage"),
    "not_delivered": ("not_received", "not_delivered", "not_arrive"),
}
"""Words that a refund's reason is known by where its name is not in any table that was to be had:
a name that bears one of them as whole words between underscores (D). What was offered is still
all that can be chosen."""


def choose_reason(wish: str, offered: Sequence[str]) -> str:
    """The offered name that means our `wish`; empty where none does, and a person must choose."""
    plain = {name.removesuffix("_uk"): name for name in offered}
    for name in REASONS.get(wish, ()):
        if name in plain:
            return plain[name]
    for telling in TELLING.get(wish, ()):
        for name in offered:
            if f"_{telling}_" in f"_{name.lower()}_":
                return name
    return ""


# Cancelling


def cancel(order_id: str, reason: str, line_ids: Sequence[str] = ()) -> Call:
    """Cancel an order under a reason that eligibility offered; units alone only in US and UK.

    Takes no idempotency key (6.4): after an unclear answer, look at `cancellations_of` first.
    """
    body = {"order_id": order_id, "cancel_reason": reason, **_of_lines(line_ids)}
    return Call("cancel", "POST", path("cancel"), body=body, writes=True)


def _of_lines(line_ids: Sequence[str]) -> dict[str, Any]:
    """Units by the newer list; none means the whole order."""
    lines = [{"order_line_item_id": line_id} for line_id in line_ids]
    return {"order_line_list": lines} if lines else {}


def read_cancel_id(outcome: Outcome) -> str:
    """The id of the cancellation that was made; raises `Unreadable`."""
    return identifier(outcome.data.get("cancel_id"), "cancel_id")


def cancellations_of(order_ids: Sequence[str]) -> Call:
    """Every cancellation of these orders; its answer is a page of the search `cancellations`."""
    query = {"page_size": "50", "sort_field": "update_time", "sort_order": "ASC"}
    where = path("search_cancellations")
    return Call("search_cancellations", "POST", where, query, {"order_ids": list(order_ids)})


def approve_cancellation(cancel_id: str, key: str) -> Call:
    """Agree to a buyer's cancellation. The same `key` twice has one effect."""
    where = path("approve_cancellation", cancel_id=cancel_id)
    return Call("approve_cancellation", "POST", where, _keyed(key), writes=True)


def reject_cancellation(cancel_id: str, key: str, reason: str, comment: str = "") -> Call:
    """Turn a buyer's cancellation down under one of `reject_reasons`."""
    body = {"reject_reason": reason, **({"comment": comment} if comment else {})}
    where = path("reject_cancellation", cancel_id=cancel_id)
    return Call("reject_cancellation", "POST", where, _keyed(key), body, writes=True)


def _keyed(key: str) -> dict[str, str]:
    """An idempotency key. Raises ValueError for a blank or long one: it would not protect."""
    if not 1 <= len(key) <= LONGEST_KEY:
        raise ValueError(f"an idempotency key has 1 to {LONGEST_KEY} characters")
    return {"idempotency_key": key}


def reject_reasons(case_id: str) -> Call:
    """Why a cancellation or return may be turned down."""
    return Call("reject_reasons", "GET", path("reject_reasons"), {"return_or_cancel_id": case_id})


def read_reject_reasons(outcome: Outcome) -> dict[str, str]:
    """The reason's name to its words; raises `Unreadable`."""
    if "reasons" not in outcome.data:
        raise Unreadable("reasons: a list was expected")
    rows = parts(outcome.data, "reasons")
    return {name: words(row, "text") for row in rows if (name := words(row, "name"))}


# Giving money back


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as the marketplace writes it."""

    amount: str
    currency: str


AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
CURRENCY = re.compile(r"[A-Z]{3}")


def calculate_refund(
    order_id: str, line_ids: Sequence[str], reason: str, request_type: str = "REFUND"
) -> Call:
    """How much could be given back; the reason and the type count in it. A read by POST."""
    _known(request_type)
    body = {
        "order_id": order_id,
        "request_type": request_type,
        "reason_name": reason,
        **_of_lines(line_ids),
    }
    return Call("calculate_refund", "POST", path("calculate_refund"), body=body)


def read_refund(outcome: Outcome) -> Money:
    """The whole amount in an answer; raises `Unreadable`."""
    found = outcome.data.get("order_refund_amount")
    if not isinstance(found, dict):
        raise Unreadable("order_refund_amount: an object was expected")
    money = Money(words(found, "refund_total"), words(found, "currency"))
    if not (AMOUNT.fullmatch(money.amount) and CURRENCY.fullmatch(money.currency)):
        raise Unreadable("refund_total, currency: an amount of money was expected")
    return money


def create_return(
    order_id: str,
    reason: str,
    line_ids: Sequence[str],
    amount: str,
    currency: str,
    key: str,
    return_type: str = "REFUND",
) -> Call:
    """Give money back. The same `key` twice has one effect.

    Raises ValueError for what is no amount of money, and a type other than a refund with or
    without return.
    """
    if return_type not in REQUEST_TYPES[1:]:
        raise ValueError(f"{return_type} gives no money back")
    if not (AMOUNT.fullmatch(amount) and CURRENCY.fullmatch(currency) and float(amount)):
        raise ValueError(f"{amount} {currency} is no amount of money to give back")
    body = {
        "order_id": order_id,
        "return_reason": reason,
        "return_type": return_type,
        "refund_total": amount,
        "currency": currency,
        **_of_lines(line_ids),
    }
    return Call("create_return", "POST", path("create_return"), _keyed(key), body, writes=True)


def read_return_id(outcome: Outcome) -> str:
    """The id of the return that was made; raises `Unreadable`."""
    return identifier(outcome.data.get("return_id"), "return_id")
