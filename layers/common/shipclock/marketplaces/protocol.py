"""The seam that every marketplace fits into: what it offers, and the values it speaks.

A marketplace says which call (if any) tells it something (`plan`), builds and signs requests, and
interprets answers. Who sends them, when, and what is kept of it is the lane's business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from shipclock.domain.event import CaseChange, OrderFacts, PackageRead
from shipclock.domain.fault import Fault
from shipclock.domain.order import Order
from shipclock.domain.push import Deed, Effect, Intent, Wanted
from shipclock.ports import HttpReply, HttpRequest


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as its lane's row holds it.

    `authorisation` names the row that holds its tokens: shops of one seller may share it.
    `default_provider` ships what no carrier name fits; `zone` is the shop's time zone;
    `hand_marked` says that its orders are marked as shipped by hand or by us, not by the carrier
    (TikTok Shop: Seller Own Fleet); `self_delivered` that the marketplace takes its own tracking
    events. `pack` names the policy pack its orders are judged by, empty: its market's. `automatic`
    names what goes out without a person: `cancellation`, `refund`,
    `buyer_message`, `approve_cancellation`. `escalation` is how the nearing of a line at which the
    marketplace cancels is told (`escalation.steps_of`), empty: as usual. `versions` pins a call to
    another version of the API than ours, by the call's name. `closed` are local days on which
    nobody works, as one day or as the first and the last: `2026-12-24/2026-12-26`.
    """

    shop_id: str
    marketplace: str
    market: str
    zone: str
    app_key: str
    cipher: str
    authorisation: str
    connected: bool = True
    default_provider: str = ""
    handover_method: str = "PICKUP"
    hand_marked: bool = False
    self_delivered: bool = False
    automatic: tuple[str, ...] = ()
    pack: str = ""
    escalation: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    closed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Keys:
    """What a call is signed and admitted with."""

    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Where a marketplace's API and its token endpoints are."""

    api: str
    auth: str


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that goes with a call, as a multipart form; `fields` stand beside it."""

    name: str
    media_type: str
    data: bytes = field(repr=False)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One call before it is signed. `writes` is false where repeating it is harmless.

    `auth`: it goes, unsigned, to the token endpoints. `cipher` is false for the calls that are
    about no single shop and refuse to be told one.
    """

    name: str
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    writes: bool = False
    auth: bool = False
    cipher: bool = True
    upload: Upload | None = None


class Kind(StrEnum):
    """What an answer means for the caller."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    EXPIRED = "expired"
    DEAUTHORISED = "deauthorised"
    UNCLEAR = "unclear"
    ALREADY = "already"
    LATER = "later"
    REFUSED = "refused"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, interpreted. `reason` is for the log and the API, `advice` for the seller."""

    kind: Kind
    data: Mapping[str, Any] = field(default_factory=dict)
    code: int = 0
    reason: str = ""
    advice: str = ""
    wait: timedelta | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Whether and by which call the marketplace may be told something, and how one sees that it
    took effect. `proof` false: never repeated without a person. `irrevocable`: the order is read
    again right before."""

    call: str
    allowed: bool
    reason: str = ""
    advice: str = ""
    proof: bool = False
    irrevocable: bool = False


@dataclass(frozen=True, slots=True)
class Blob:
    """A file that is kept: a proof of delivery, a label."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """Where a label can be fetched for a while, without a signature, and the number on it."""

    url: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is known as an intent is about to be told, besides the order.

    `provider_id` stands for its carrier. `buyer` is what was kept of the buyer, `proof` a file of
    the seller's that shows the delivery, `carrier_proof` a picture of the carrier's; where there is
    neither, one may come until `proof_until`. `learned` are the answers to the steps taken so far,
    by the step's name.
    """

    now: datetime
    provider_id: str = ""
    buyer: Mapping[str, str] = field(default_factory=dict, repr=False)
    proof: Blob | None = None
    carrier_proof: Blob | None = None
    proof_until: datetime | None = None
    learned: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telling:
    """An intent about to be told: of which order, and what is known for it."""

    intent: Intent
    order: Order
    known: Known

    def listed(self, name: str) -> tuple[str, ...]:
        """The ids in one of the intent's words, which are comma-joined."""
        return tuple(filter(None, self.intent.says.get(name, "").split(",")))


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order of an answer: its facts, and the buyer's personal data apart from them."""

    order_id: str
    facts: OrderFacts
    buyer: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unread:
    """Something of an answer that could not be read; of a whole order, its id where that could."""

    order_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search: what it held, the largest `update_time` in it, the next page's token.

    `unreadable` tells of rows, or parts of rows, that could not be read and are left out.
    """

    orders: tuple[OrderRow, ...] = ()
    cases: tuple[CaseChange, ...] = ()
    latest: datetime | None = None
    next_token: str = ""
    unreadable: tuple[Unread, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one authorisation, which may cover several shops. Times are absolute.

    `refresh_expires_at` is when the authorisation itself ends; `scopes` are those it was granted.
    None and empty: not told.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """One span of time in which a carrier comes."""

    begins: datetime
    ends: datetime
    available: bool


@dataclass(frozen=True, slots=True)
class Handover:
    """How a package may be handed to the marketplace's carrier."""

    can_pick_up: bool
    can_drop_off: bool
    drop_off_url: str = ""
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """One SKU in one warehouse, in units: what may still be sold, and what is promised to orders.

    The warehouse is empty where the answer has totals alone.
    """

    sku_id: str
    product_id: str
    seller_sku: str
    warehouse_id: str
    available: int
    committed: int


class Marketplace(Protocol):
    """What every marketplace package offers."""

    SEARCHES: tuple[str, ...]
    """The searches that reconciliation makes, each with a cursor of its own."""
    BATCH: int
    """How many orders one re-read may ask for."""
    DETAIL: tuple[str, ...]
    """Calls whose effect is also looked for in the package's detail."""
    CASES: tuple[str, ...]
    """Calls whose effect is also looked for in the order's cancellations and returns."""
    TOGETHER: Mapping[str, int]
    """Calls of which several may go out as one, and how many."""
    SHARED: tuple[str, ...]
    """Of these, the calls that may be about several orders at once."""
    MOST_UNITS: int
    """The most units of a SKU that a warehouse may be said to have."""
    SKUS_SEARCHED: int
    """How many SKUs one search of the stock may ask for."""
    SKUS_SET: int
    """How many SKUs of a product one update of the stock may set."""

    def plan(self, order: Order, wanted: Wanted, shop: Shop) -> Plan:
        """Whether and how the marketplace may be told (the capability table)."""

    def sign(self, call: Call, shop: Shop, keys: Keys, hosts: Hosts, now: datetime) -> HttpRequest:
        """The request, signed at the real time `now`."""

    def interpret(self, call: Call, reply: HttpReply) -> Outcome:
        """What an answer means. Never raises, whatever came back."""

    def refresh(self, shop: Shop, keys: Keys) -> Call:
        """The token renewal."""

    def read_tokens(self, outcome: Outcome) -> Tokens:
        """The tokens of a renewal's answer; raises `Unreadable`."""

    def reread(self, order_ids: Sequence[str]) -> Call:
        """The order detail of up to `BATCH` orders."""

    def read_orders(self, outcome: Outcome) -> SearchPage:
        """The orders in a re-read's answer; raises `Unreadable`."""

    def package(self, package_id: str) -> Call:
        """The detail of one package."""

    def read_package(
        self,
        outcome: Outcome,
        order_id: str,
        shop: Shop,
        requested_at: datetime,
        as_of: datetime,
    ) -> PackageRead:
        """The package in an answer; raises `Unreadable`."""

    def handover(self, package_id: str) -> Call:
        """How a package that the marketplace ships may be handed over."""

    def read_handover(self, outcome: Outcome) -> Handover:
        """The ways and times of handing over in an answer; raises `Unreadable`."""

    def document(self, package_id: str) -> Call:
        """The label of a package that the marketplace ships, once it is shipped."""

    def read_document(self, outcome: Outcome) -> Document:
        """The label in an answer; raises `Unreadable`."""

    def search(self, name: str, since: datetime, token: str) -> Call:
        """One page of a search by `update_time`, ascending."""

    def read_page(self, name: str, outcome: Outcome, shop: Shop) -> SearchPage:
        """The page in a search's answer; raises `Unreadable`."""

    def providers(self, order: Order) -> Call | None:
        """Who may ship this order; None where the order names no delivery option."""

    def read_providers(self, outcome: Outcome) -> dict[str, str]:
        """Provider id to name; raises `Unreadable`."""

    def cases(self, order_ids: Sequence[str]) -> Sequence[tuple[str, Call]]:
        """The searches that show the cancellations and returns of some orders, by their names."""

    def choose_provider(self, carrier: str, providers: Mapping[str, str], shop: Shop) -> str:
        """The provider's id by name or alias, else the shop's default, else empty."""

    def needs_provider(self, order: Order, deed: Deed) -> bool:
        """Whether the call that tells this of an order names a provider."""

    def undo(self, order: Order, shop: Shop) -> str:
        """How a seller may undo the order by now: `cancellation` or `refund`."""

    def cancel_words(self, reason: str) -> str:
        """The marketplace's own reason for a cancellation in words that end no sentence; empty for
        any other."""

    def fault_of(self, by: str, reason: str) -> Fault:
        """Whose fault a cancellation is, by the marketplace's words for who cancelled and why."""

    def step(self, telling: Telling, shop: Shop) -> Call | Outcome | None:
        """What is to be asked before an intent can be told: a call that is harmless to repeat; an
        outcome where it is clear by now that it can't be told; None: nothing."""

    def takes_proof(self, blob: Blob) -> bool:
        """Whether a file can be uploaded as the proof of a delivery."""

    def learn(self, step: Call, outcome: Outcome) -> Mapping[str, Any]:
        """What the answer to a step adds to `Known.learned`; raises `Unreadable`."""

    def tell(self, tellings: Sequence[Telling], shop: Shop) -> Call:
        """The call that some intents stand for: one, or several of a call in `TOGETHER`.

        Raises ValueError for words that make no call of the marketplace's.
        """

    def apart(self, outcome: Outcome, tellings: Sequence[Telling]) -> Sequence[Outcome]:
        """What the answer to `tell` means for each of the intents."""

    def effect(self, order: Order, intent: Intent) -> Effect:
        """What a re-read shows of an intent whose effect is in doubt (the proof of effect)."""

    def plan_stock(self, shop: Shop) -> Plan:
        """Whether and how a shop's stock may be set (the capability table)."""

    def search_stock(self, sku_ids: Sequence[str]) -> Call:
        """The stock of up to `SKUS_SEARCHED` SKUs."""

    def read_stock(self, outcome: Outcome) -> Sequence[Shelf]:
        """The stock in an answer, maybe of fewer SKUs than asked for; raises `Unreadable`."""

    def set_stock(self, product_id: str, units: Mapping[str, Mapping[str, int]]) -> Call:
        """Set what may be sold of up to `SKUS_SET` SKUs of a product to these numbers, by SKU and
        warehouse. Every warehouse of a SKU has to be among them."""

    def stock_apart(self, outcome: Outcome, sku_ids: Sequence[str]) -> Mapping[str, Outcome]:
        """What the answer to `set_stock` means for each of its SKUs; raises `Unreadable`."""

    def bars_stock(self, outcome: Outcome) -> bool:
        """Whether a refusal says that no call may set this stock at all."""
