"""The shapes of a shop's performance signals; docs/api.md tells what each field is."""

from datetime import date

from pydantic import BaseModel

from shipclock.views import Instant


class ShareView(BaseModel):
    """A share as what it is made of; `percent` is it rounded to two places, null over nothing."""

    count: int
    of: int
    percent: str | None


class WindowView(BaseModel):
    """The local days that are counted, both included, and who chose how many: `pack`, `asked` or
    `default`."""

    days: int
    first: date
    last: date
    set_by: str


class LineView(BaseModel):
    """What the figure is held against, in percent, and what that rests on."""

    at_most: float | None
    at_least: float | None
    below: float | None
    pack: str
    clause: str
    source: str
    dated: str
    confidence: str


class LeftOutView(BaseModel):
    """How many units are left out for one reason."""

    why: str
    count: int
    meaning: str


class LaterView(BaseModel):
    """The units of days after the window, such as orders whose line is still to come."""

    good: int
    bad: int
    open: int


class RunsOutView(BaseModel):
    """How many open units turn bad on a local day if nothing happens; null: nobody set a time."""

    day: date | None
    count: int


class NextView(BaseModel):
    """An order whose unit turns bad next."""

    order_id: str
    due_at: Instant


class DefinitionView(BaseModel):
    """What the figure is made of, and what is not sure about that."""

    numerator: str
    denominator: str
    counted_on: str
    left_out: str
    unsure: str


class SignalView(BaseModel):
    """One signal of a shop: where it stands, and where it goes."""

    signal: str
    title: str
    window: WindowView
    line: LineView | None
    good: int
    bad: int
    open: int
    later: LaterView
    left_out: list[LeftOutView]
    now: ShareView
    if_met: ShareView
    if_run_out: ShareView
    kept: bool | None
    kept_if_met: bool | None
    kept_if_run_out: bool | None
    head_room: int | None
    lost_at: Instant | None
    runs_out: list[RunsOutView]
    next: list[NextView]
    definition: DefinitionView


class ShopSignals(BaseModel):
    """The signals of one shop as of `at`, over windows that end with the local day `on`."""

    shop_id: str
    time_zone: str
    pack: str
    on: date
    at: Instant
    signals: list[SignalView]


class UnreadShop(BaseModel):
    """A shop of whose signals nothing can be said, and why."""

    shop_id: str
    reason: str


class SignalsList(BaseModel):
    """A page of shops with their signals, by shop; `unread` are those of the page that are left
    out. `next` starts the next page."""

    shops: list[ShopSignals]
    unread: list[UnreadShop] = []
    next: str | None
