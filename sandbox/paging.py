"""Sorting and paging of the searches.

Partner Center, "Get Order List" and "Search Cancellations": opaque `page_token`, empty when done,
all filters and sorting kept the same. A token is bound to them here, and holds the place of the
last row seen rather than a row number: rows that move while paging are met late or not at all, as
the pages warn.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sandbox.wire import BAD_PARAMETER, Refusal, dump

QUERY = ("page_size", "page_token", "sort_field", "sort_order")

Row = TypeVar("Row")

_SEAL = b"sandbox page token"


@dataclass(frozen=True, slots=True)
class Search:
    """What differs between searches: bounds of the page size and the defaults."""

    smallest: int
    largest: int
    default_size: int
    default_order: str
    fields: tuple[str, ...] = ("create_time", "update_time")


def _size(search: Search, query: Mapping[str, str]) -> int:
    text = query.get("page_size", str(search.default_size))
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise Refusal(BAD_PARAMETER, "page_size must be a whole number")
    if not search.smallest <= int(text) <= search.largest:
        raise Refusal(
            BAD_PARAMETER, f"page_size must be from {search.smallest} to {search.largest}"
        )
    return int(text)


def _word(query: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    word = query.get(name, default)
    if word not in allowed:
        raise Refusal(BAD_PARAMETER, f"{name} must be one of {', '.join(allowed)}")
    return word


def _seal(place: str, bound: bytes) -> str:
    return hmac.new(_SEAL, place.encode() + b"\0" + bound, hashlib.sha256).hexdigest()[:32]


def _to_token(place: tuple[int, str], bound: bytes) -> str:
    text = f"{place[0]}.{place[1]}"
    return base64.urlsafe_b64encode(f"{_seal(text, bound)}.{text}".encode()).decode()


def _from_token(token: str, bound: bytes) -> tuple[int, str]:
    refused = Refusal(BAD_PARAMETER, "page_token is not of this search")
    try:
        seal, _, text = base64.urlsafe_b64decode(token.encode()).decode().partition(".")
    except (binascii.Error, UnicodeError):
        raise refused from None
    if not hmac.compare_digest(seal.encode(), _seal(text, bound).encode()):
        raise refused
    at, _, row_id = text.partition(".")
    return int(at), row_id


def page(
    search: Search,
    rows: Sequence[Row],
    place_of: Callable[[Row, str], tuple[int, str]],
    query: Mapping[str, str],
    filters: object,
) -> tuple[list[Row], dict[str, object]]:
    """One page of the rows that match, and the `next_page_token` and `total_count` to answer.

    `place_of` gives a row's sort value and id; `filters` is all the token is bound to besides the
    sorting, the shop included. Raises `Refusal` 36009004 for a foreign or forged token.
    """
    size = _size(search, query)
    sort_field = _word(query, "sort_field", search.fields, "create_time")
    sort_order = _word(query, "sort_order", ("ASC", "DESC"), search.default_order)
    bound = dump([filters, sort_field, sort_order])
    backwards = sort_order == "DESC"
    placed = sorted(
        ((place_of(row, sort_field), index) for index, row in enumerate(rows)), reverse=backwards
    )
    if token := query.get("page_token", ""):
        last = _from_token(token, bound)
        placed = [item for item in placed if (item[0] < last if backwards else item[0] > last)]
    shown = placed[:size]
    more = len(placed) > size
    answer: dict[str, object] = {
        "next_page_token": _to_token(shown[-1][0], bound) if more else "",
        "total_count": len(rows),
    }
    return [rows[index] for _, index in shown], answer
