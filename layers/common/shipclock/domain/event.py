"""The facts an order is folded from: what others said, never what we made of it.

Events hold no personal data (DESIGN 3.12). Each has an `identity` of its own, so that telling the
same thing twice changes nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shipclock.domain.tracking import Scan


@dataclass(frozen=True, slots=True)
class Hint:
    """A thin marketplace webhook: it asks for a re-read and is believed only until one came.

    `received_at` is the real clock; `update_time` is the marketplace's.
    """

    identity: str
    order_id: str
    shop_id: str
    topic: str
    received_at: datetime
    status: str = ""
    update_time: datetime | None = None
    kind: Literal["hint"] = "hint"


@dataclass(frozen=True, slots=True)
class Line:
    """One unit of an order (the marketplace lists every unit by itself)."""

    line_id: str
    sku_id: str = ""
    package_id: str = ""
    package_status: str = ""
    tracking_number: str = ""
    display_status: str = ""
    provider: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order as the marketplace itself tells it. Empty text or None: it did not say.

    `incomplete`: some line or package could not be read, so the order must not be shipped by us.

    `deadlines` are the order's own time fields by their names on the wire, absent where the
    marketplace gave none or 0 (`tiktok-shop.md` 4.3).
    """

    status: str
    create_time: datetime
    update_time: datetime
    shipping_type: str = ""
    fulfillment_type: str = ""
    order_type: str = ""
    delivery_option_id: str = ""
    warehouse_id: str = ""
    paid_time: datetime | None = None
    rts_time: datetime | None = None
    collection_time: datetime | None = None
    delivery_time: datetime | None = None
    cancel_time: datetime | None = None
    release_date: datetime | None = None
    cancel_requested: bool = False
    cancel_requested_at: datetime | None = None
    cancel_reason: str = ""
    cancelled_by: str = ""
    tracking_number: str = ""
    shipping_provider: str = ""
    shipping_provider_id: str = ""
    deadlines: dict[str, datetime] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    package_ids: tuple[str, ...] = ()
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The order detail of one re-read.

    `requested_at` is the real time the request was sent, `as_of` the `now` of the sweep that sent
    it. Snapshots are ordered by (`facts.update_time`, `requested_at`).
    """

    identity: str
    order_id: str
    shop_id: str
    requested_at: datetime
    as_of: datetime
    facts: OrderFacts
    kind: Literal["snapshot"] = "snapshot"


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A state of a cancellation or return, as a search of the marketplace told it.

    `role` is who opened it, `deadline` by when the seller is to answer: the marketplace's words.
    `line_ids` are the units that it is about, empty where that was not told.
    """

    identity: str
    order_id: str
    shop_id: str
    case_id: str
    case: Literal["cancellation", "return"]
    status: str
    update_time: datetime
    deadline: datetime | None = None
    role: str = ""
    line_ids: tuple[str, ...] = ()
    kind: Literal["case"] = "case"


@dataclass(frozen=True, slots=True)
class PackageRead:
    """One package as the marketplace told it in answer to a request sent at `requested_at`.

    `as_of` is the `now` of the sweep that sent it, `update_time` the marketplace's. `exception` is
    its own word for what went wrong with the parcel, `meaning` ours (`damaged`, `lost`, `disposed`,
    `returned`; empty where we know none). `pickup_from` and `pickup_until` are when the
    marketplace's carrier comes for it.
    """

    identity: str
    order_id: str
    shop_id: str
    package_id: str
    requested_at: datetime
    status: str = ""
    sub_status: str = ""
    tracking_number: str = ""
    exception: str = ""
    meaning: str = ""
    as_of: datetime | None = None
    update_time: datetime | None = None
    handover_method: str = ""
    pickup_from: datetime | None = None
    pickup_until: datetime | None = None
    kind: Literal["package"] = "package"

    @property
    def told(self) -> tuple[object, ...]:
        """What the marketplace said, whenever it was asked."""
        return (
            self.status,
            self.sub_status,
            self.tracking_number,
            self.exception,
            self.update_time,
            self.handover_method,
            self.pickup_from,
            self.pickup_until,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks to be told to the marketplace of this order, at a real time.

    `deed` is one of `push.Deed`, or `approve`: what a verdict has prepared may go out. `says` are
    the words that the deed needs. `revoked`: asked for no longer. The newest word on one thing
    counts; asking twice is asking once.
    """

    identity: str
    order_id: str
    deed: str
    asked_at: datetime
    by: str = ""
    package_id: str = ""
    says: dict[str, str] = field(default_factory=dict)
    revoked: bool = False
    kind: Literal["request"] = "request"

    @property
    def about(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """What is asked for, whoever asks and whenever."""
        return self.deed, self.package_id, tuple(sorted(self.says.items()))


OrderEvent = Hint | Snapshot | CaseChange | PackageRead | Request
"""Events kept under their order. `Scan`s are kept under their tracking number, for good."""

Event = OrderEvent | Scan


@dataclass(frozen=True, slots=True)
class Link:
    """A tracking number belongs to an order.

    `created_at` is the order's creation where the link came from the marketplace: it tells orders
    apart that share a number over time. `carrier` is whom the marketplace has assigned it to then:
    it tells apart those that share a number at one time. `shops` limits whose orders a carrier
    account may link.
    """

    number: str
    order_id: str
    source: str
    created_at: datetime | None = None
    shops: tuple[str, ...] = ()
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A carrier goes on with a parcel under a new number: it belongs to whatever order the old one
    belongs to."""

    old: str
    new: str
    source: str
    shops: tuple[str, ...] = ()
