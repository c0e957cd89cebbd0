"""Everything the marketplace knows, and the webhooks it has queued. No behaviour of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypedDict

from sandbox.kept import Conversation, File, Stock
from sandbox.orders import CANCELLED, Case, Order, Package
from sandbox.shops import Keyring
from sandbox.signing import webhook_headers
from sandbox.wire import StoryError, dump

# Partner Center, "Webhooks overview": the number and the Event API name of each topic sent here.
ORDER_TOPIC = (1, "ORDER_STATUS_CHANGE")
PACKAGE_TOPIC = (4, "PACKAGE_UPDATE")
DEAUTHORISED_TOPIC = (6, "SELLER_DEAUTHORIZATION")
CANCELLATION_TOPIC = (11, "CANCELLATION_STATUS_CHANGE")
RETURN_TOPIC = (12, "RETURN_STATUS_CHANGE")
ADDRESS_TOPIC = (3, "RECIPIENT_ADDRESS_UPDATE")
EXPIRY_TOPIC = (7, "UPCOMING_AUTHORIZATION_EXPIRATION")
CONVERSATION_TOPIC = (13, "NEW_CONVERSATION")
MESSAGE_TOPIC = (14, "NEW_MESSAGE")
INVOICE_TOPIC = (36, "INVOICE_STATUS_CHANGE")
# These have a number but no name in the Event API, so no address of their own.
STOCK_STATUS_TOPIC = (27, "")
AFTERSALES_TOPIC = (64, "")
RMA_TOPIC = (65, "")
REFUND_TOPIC = (67, "")
STOCK_CHANGE_TOPIC = (71, "")

# The page of this topic shows no `tts_notification_id`.
_UNNUMBERED = frozenset({ADDRESS_TOPIC})

_ID_STARTS: Mapping[str, int] = {
    "order": 576_000_000_000_000_000,
    "line": 577_000_000_000_000_000,
    "package": 1_150_000_000_000_000_000,
    "case": 4_030_000_000_000_000_000,
    "conversation": 7_000_000_000_000_000_000,
    "message": 7_100_000_000_000_000_000,
    "notification": 7_400_000_000_000_000_000,
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A carrier the marketplace lets sellers name."""

    provider_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A push waiting to be sent: POST `body` to `url` with `headers`. `at` is simulated time."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    shop_id: str
    at: int


@dataclass(frozen=True, slots=True)
class Effect:
    """One accepted write. Two of them for one parcel mean that it was done twice.

    `order_id` names several orders, comma-joined, when the parcel is a combined one. `package_id`
    and `tracking_number` are "" where the call has none; `detail` says in a few words what else
    the call was about: a reason, an amount, a text, a quantity.
    """

    call: str
    shop_id: str
    order_id: str
    package_id: str
    tracking_number: str
    at_real: float
    at_clock: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What differs between sandboxes, with what the pages say as the default.

    `cancel_answer_time`: seconds a seller has to answer a buyer's request, None for the market's
    own. `refund_after`: seconds until a seller's own refund is paid out, None for never by itself.
    `label_asks`: how often a new label is still being made when asked for. `tracking_edits`: how
    often a tracking number may be changed. `messages_a_day`: of one shop. `sensitive_words`: in
    lower case. `low_stock`: units from which on a SKU counts as low.
    """

    cancel_answer_time: int | None = None
    refund_after: int | None = 3600
    label_asks: int = 0
    tracking_edits: int = 1
    messages_a_day: int = 10_000
    sensitive_words: tuple[str, ...] = ()
    low_stock: int = 5

    def __post_init__(self) -> None:
        for name in Rules.__annotations__:
            value = getattr(self, name)
            if isinstance(value, int) and value < 0:
                raise ValueError(f"{name} must not be negative")


class Rules(TypedDict, total=False):
    """Some of the `Settings`, to be changed."""

    cancel_answer_time: int | None
    refund_after: int | None
    label_asks: int
    tracking_edits: int
    messages_a_day: int
    sensitive_words: tuple[str, ...]
    low_stock: int


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came and was answered. The query is left out: it can hold secrets.

    `code` is None where the answer had none (a fault), `fault` names the fault that was played.
    """

    method: str
    path: str
    shop_id: str | None
    code: int | None
    http_status: int
    at_real: float
    at_clock: int
    fault: str = ""


@dataclass(slots=True)
class World:
    """The whole state. `clock` is simulated; `real_now` is the caller's clock."""

    keyring: Keyring
    clock: int
    real_now: Callable[[], float]
    providers: tuple[Provider, ...]
    delivery_options: dict[str, str]
    untracked_after: int | None
    orders: dict[str, Order] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    cases_of: dict[str, list[Case]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    webhooks: deque[Webhook] = field(default_factory=deque)
    effects: list[Effect] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    skus: dict[str, str] = field(default_factory=dict)
    settings: Settings = Settings()
    # How far the marketplace's clock is ahead of ours, in seconds, for one request.
    skew: float = 0.0
    conversations: dict[str, Conversation] = field(default_factory=dict)
    stock: dict[tuple[str, str], Stock] = field(default_factory=dict)
    files: dict[str, File] = field(default_factory=dict)
    # Where the files are found from outside; a server puts its own address here.
    base_url: str = "https://files.sandbox.example"
    # What was answered under an idempotency key.
    answers: dict[tuple[str, ...], dict[str, object]] = field(default_factory=dict)

    def count(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return self.counts[kind]

    def new_id(self, kind: str) -> str:
        """A new id of a kind; the same world hands out the same ids in the same order."""
        return str(_ID_STARTS[kind] + self.count(kind))

    def sku_id(self, sku: str) -> str:
        """The id of a seller SKU, made up when it is first named."""
        return self.skus.setdefault(sku, f"{1_729_000_000 + len(self.skus)}000000002")

    def order(self, order_id: str) -> Order:
        """An order of the story; an unknown id is a mistake of the story."""
        try:
            return self.orders[order_id]
        except KeyError:
            raise StoryError(f"no order {order_id}") from None

    def lines_in(self, package: Package) -> list[tuple[Order, int]]:
        """Where a package's lines are: order and position."""
        inside = set(package.line_ids)
        return [
            (self.orders[order_id], index)
            for order_id in package.order_ids
            for index, line in enumerate(self.orders[order_id].lines)
            if line.line_id in inside
        ]


def record(
    world: World,
    call: str,
    shop_id: str,
    *,
    order_id: str = "",
    package_id: str = "",
    tracking_number: str = "",
    detail: str = "",
) -> None:
    """Keep one accepted write as an `Effect` of now."""
    world.effects.append(
        Effect(
            call,
            shop_id,
            order_id,
            package_id,
            tracking_number,
            world.real_now(),
            world.clock,
            detail,
        )
    )


def announce(
    world: World, shop_id: str, topic: tuple[int, str], data: dict[str, object], at: int
) -> None:
    """Queue one signed webhook, or none when the shop has no address for the topic.

    An address registered for the topic wins over the shop's own (Partner Center, "Update Shop
    Webhook"); a topic without any address stays silent.
    """
    shop = world.keyring.shops[shop_id]
    number, name = topic
    registered = shop.topics.get(name)
    url = str(registered["address"]) if registered else shop.webhook_url
    if url is None:
        return
    told: dict[str, object] = {"type": number}
    if topic not in _UNNUMBERED:
        told["tts_notification_id"] = world.new_id("notification")
    body = dump(told | {"shop_id": shop_id, "timestamp": at, "data": data})
    headers = webhook_headers(shop.app_key, shop.app_secret, body)
    world.webhooks.append(Webhook(url, headers, body, shop_id, at))


def announce_status(world: World, order: Order, at: int) -> None:
    """Type 1. The webhook spells a cancelled order `CANCEL`, the order itself `CANCELLED`."""
    status = "CANCEL" if order.status == CANCELLED else order.status
    data: dict[str, object] = {
        "is_on_hold_order": order.had_hold,
        "order_id": order.order_id,
        "order_status": status,
        "update_time": order.update_time,
    }
    announce(world, order.shop_id, ORDER_TOPIC, data, at)


def announce_case(world: World, case: Case, at: int) -> None:
    """Type 11 or 12. Type 11 spells a withdrawn request `…_CANCELLED`, the search `…_CANCEL`."""
    data: dict[str, object] = {"order_id": case.order_id}
    if case.kind == "return":
        data |= {
            "return_role": case.role,
            "return_type": case.case_type,
            "return_status": case.status,
            "return_id": case.case_id,
            "create_time": case.create_time,
            "update_time": case.update_time,
        }
        announce(world, case.shop_id, RETURN_TOPIC, data, at)
        return
    withdrawn = case.status == "CANCELLATION_REQUEST_CANCEL"
    data |= {
        "cancellations_role": case.role,
        "cancel_status": "CANCELLATION_REQUEST_CANCELLED" if withdrawn else case.status,
        "cancel_id": case.case_id,
        "create_time": case.create_time,
    }
    announce(world, case.shop_id, CANCELLATION_TOPIC, data, at)


def announce_packages(world: World, kind: str, packages: list[Package], role: str, at: int) -> None:
    """Type 4: the composition of packages has changed (`SPLIT`, `COMBINE`, …)."""
    data: dict[str, object] = {
        "sc_type": kind,
        "role_type": role,
        "package_list": [
            {"package_id": p.package_id, "order_id_list": list(p.order_ids)} for p in packages
        ],
        "update_time": at,
    }
    announce(world, packages[0].shop_id, PACKAGE_TOPIC, data, at)
