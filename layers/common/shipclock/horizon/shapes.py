"""The shapes in which what lies ahead is told; docs/horizon.md tells what each field is."""

from pydantic import BaseModel

from shipclock.horizon.lines import Line
from shipclock.views import Instant


class UnreadLine(BaseModel):
    """An open order of which nothing can be said, and why."""

    order_id: str
    reason: str


class AheadLine(BaseModel):
    """One clock that runs out. `local` is the instant by the shop's time, `left_seconds` what is
    left of it, negative where it has run out."""

    order_id: str
    shop_id: str
    status: str
    clock: str
    line: Line
    due_at: Instant
    local: str
    left_seconds: int
    stops: str
    to_do: str
    set_by: str
    clause: str
    package_id: str | None
    tracking_number: str | None


class DueClocks(BaseModel):
    """A page of clocks that run out by `until`, the soonest first within the page. `next` starts
    the next page; null: there is none."""

    as_of: Instant
    until: Instant
    clocks: list[AheadLine]
    unread: list[UnreadLine]
    next: str | None


class ForeseenLine(BaseModel):
    """One thing that a sweep will say of an order. `moot`: only if the marketplace does not cancel
    the order before."""

    at: Instant
    kind: str
    clock: str
    cause: str | None
    due_at: Instant | None
    package_id: str | None
    tracking_number: str | None
    moot: bool


class OrderForecast(BaseModel):
    """What will be said of one order, in time."""

    order_id: str
    shop_id: str
    cancelled_at: Instant | None
    cancelled_by: str | None
    foreseen: list[ForeseenLine]


class ForecastRow(BaseModel):
    """How often a clock speaks on one local day of a shop."""

    day: str
    shop_id: str
    kind: str
    clock: str
    cause: str | None
    count: int
    first_at: Instant


class OutcomeLine(BaseModel):
    """What becomes of how many orders, and when the first and the last of them."""

    what: str
    orders: int
    first_at: Instant
    last_at: Instant


class ForecastPage(BaseModel):
    """What follows if `assumes` holds, for a page of open orders: `days` and `outcomes` count the
    page's own orders, so those of all pages add up. `moot` is how many things come only if the
    marketplace does not cancel first; they are in no day."""

    as_of: Instant
    assumes: str
    read: int
    days: list[ForecastRow]
    outcomes: list[OutcomeLine]
    moot: int
    orders: list[OrderForecast]
    unread: list[UnreadLine]
    next: str | None
