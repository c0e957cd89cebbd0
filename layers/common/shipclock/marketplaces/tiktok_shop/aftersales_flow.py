"""The newer after-sales flow: requests, and the returns that come of them (`tiktok-shop.md` 5.5).

Of 2026 and marked B: a request (webhook 64) is reviewed, then each parcel that comes back is an RMA
(webhook 65). Only reading is built; the answers are given in Seller Center.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shipclock.marketplaces.protocol import Call, Outcome, Unread
from shipclock.marketplaces.tiktok_shop.versions import path
from shipclock.reading import (
    Object,
    Unreadable,
    identifier,
    opaque,
    optional_id,
    parts,
    unix,
    words,
)


def search_aftersales(
    since: datetime | None = None, order_ids: Sequence[str] = (), token: str = ""
) -> Call:
    """One page of the newer flow's requests: what changed since, or those of orders."""
    return _search("search_aftersales", since, order_ids, token)


def search_rma(
    since: datetime | None = None, order_ids: Sequence[str] = (), token: str = ""
) -> Call:
    """One page of the newer flow's returns on their way: what changed since, or those of orders."""
    return _search("search_rma", since, order_ids, token)


def _search(name: str, since: datetime | None, order_ids: Sequence[str], token: str) -> Call:
    """Oldest first. Unlike in the older searches, page and sorting stand in the body."""
    filters: dict[str, Any] = {}
    if order_ids:
        filters["main_order_ids"] = list(order_ids)
    if since is not None:
        update_time = {"min_unix_time_inclusive": int(since.timestamp())}
        filters["time"] = {"update_time": update_time}
    body = {
        "whitelisted_data_fields": ["LINE_ITEMS", "SKU_RETURN_REQUESTS"],
        **({"filters": filters} if filters else {}),
        "sort": {"sort_field": "UPDATE_TIME", "sort_order": "ASC"},
        "pagination": {"page_size": 50, **({"page_token": token} if token else {})},
    }
    return Call(name, "POST", path(name), body=body)


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the newer flow, or the return that came of it (`request_id` is its request's).

    The flow tells no times of its own: they are its parts', the earliest and the latest.
    """

    kind: str
    id: str
    request_id: str
    status: str
    order_ids: tuple[str, ...]
    created_at: datetime | None
    updated_at: datetime | None
    deadline: datetime | None = None
    package_id: str = ""


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One page of requests; what could not be read is named and hides no other."""

    requests: tuple[Request, ...]
    next_token: str = ""
    unreadable: tuple[Unread, ...] = ()


def read_aftersales(outcome: Outcome) -> RequestPage:
    """The requests in a search's answer; raises `Unreadable`."""
    return _page(outcome, "aftersales", "aftersales_requests")


def read_rma(outcome: Outcome) -> RequestPage:
    """The returns in a search's answer; raises `Unreadable`."""
    return _page(outcome, "rma", "return_merchandise_authorizations")


def _page(outcome: Outcome, kind: str, key: str) -> RequestPage:
    good: list[Request] = []
    bad: list[Unread] = []
    for row in parts(outcome.data, key):
        try:
            good.append(_request(row, kind))
        except Unreadable as error:
            bad.append(Unread("", str(error)))
    return RequestPage(tuple(good), opaque(outcome.data, "next_page_token"), tuple(bad))


def _request(row: Object, kind: str) -> Request:
    own_id, status = identifier(row.get("id"), "id"), words(row, "status")
    steps = parts(row, "sku_return_requests")
    orders = [
        *(optional_id(step, "order_id") for step in steps),
        *(optional_id(line, "main_order_id") for line in parts(row, "line_items")),
    ]
    order_ids = tuple(dict.fromkeys(order_id for order_id in orders if order_id))
    if not status or not order_ids:
        raise Unreadable(f"{own_id}: status or order id is missing")
    actions = [action for step in steps for action in parts(step, "seller_next_action_response")]
    return Request(
        kind=kind,
        id=own_id,
        request_id=own_id if kind == "aftersales" else optional_id(row, "aftersales_request_id"),
        status=status,
        order_ids=order_ids,
        created_at=min(_times(steps, "create_time"), default=None),
        updated_at=max(_times(steps, "update_time"), default=None),
        deadline=min(_times(actions, "deadline"), default=None),
        package_id=optional_id(row, "package_id"),
    )


def _times(rows: Sequence[Object], key: str) -> list[datetime]:
    return [at for row in rows if (at := unix(row, key))]
