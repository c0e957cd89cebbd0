"""The scenarios of `shipclock trigger`, as data: what is played, and how it must look in the end.

A scenario is a name, a line, and steps. In the words of a step, `{order}`, `{other}` (the order
before that), `{shop}`, `{package}`, `{line1}`, `{line2}`, `{case}`, `{return}` and `{sku}` stand
for what the play has seen by then. All of it is made up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cli.shows import ANY, SHIP, Shows
from sandbox.markets import LATAM, SEA

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOW = timedelta(0)

SKU = "TRIGGER-MUG"
PACKED_ALREADY = "seller_reject_apply_product_has_been_packed"
"""The marketplace's word for why a buyer's wish to cancel is turned down."""

WAREHOUSE = "6950000000000000001"

Words = Mapping[str, Any]


# Steps


@dataclass(frozen=True, slots=True)
class Place:
    """A buyer orders, some time ago; `lost`: nothing reaches us of it."""

    wish: Words = field(default_factory=dict)
    ago: timedelta = NOW
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Market:
    """One call of the sandbox's control plane (`sandbox/control.py`)."""

    call: str
    words: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """The 3PL calls back, signed, about something that happened some time ago."""

    status: str
    ago: timedelta = NOW
    words: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Track:
    """EasyPost calls back, signed, about the number that the marketplace itself shows."""

    status: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A person asks that the marketplace be told something; with `package`, of the package."""

    deed: str
    words: Words = field(default_factory=dict)
    package: bool = False


@dataclass(frozen=True, slots=True)
class Approve:
    """A person lets out what is prepared, of one kind."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """The sweeper runs once, whatever comes of it."""


@dataclass(frozen=True, slots=True)
class Search:
    """The shop is reconciled at once, instead of within fifteen minutes."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """The seller consents again, and the shop is connected anew, as `shops connect` does."""


@dataclass(frozen=True, slots=True)
class Until:
    """Nothing more is played until this shows."""

    shows: Shows


Step = Place | Market | Scan | Track | Ask | Approve | Sweep | Search | Reconnect | Until


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. `markets` empty: any. `fresh`: in a shop made for it alone. `flags` are the
    sandbox shop's, `settings` our own of that shop. `seconds`: how long its end may take."""

    name: str
    line: str
    steps: tuple[Step, ...]
    shows: Shows
    markets: tuple[str, ...] = ()
    fresh: bool = False
    flags: Mapping[str, bool] = field(default_factory=dict)
    settings: Words = field(default_factory=dict)
    then: tuple[str, ...] = ()
    seconds: int = 90


PACKED = tuple(sorted(SEA | LATAM))
"""Markets in which a package exists from the payment on."""

READ = ("marketplace",)
"""The source of what the marketplace itself told of the order, in answer to a call."""

PLACED = Until(Shows(status="AWAITING_SHIPMENT", events=READ))
SHIPPED = Until(Shows(status="AWAITING_COLLECTION", pushes={SHIP: "done"}))
ORDER: Words = {"order_id": "{order}"}

SHOP: Words = {"shop_id": "{shop}"}
SHIP_CALL: Words = {"path": r"re:(/ship|/packages)$", "method": "POST", **SHOP}

COLLECTED = Market("collect", ORDER)
DELIVERED = Market("deliver", ORDER)
SIGNED: Words = {"delivered_to": "recipient", "proof": "signature"}
HANDED_OVER: tuple[Step, ...] = (Place(ago=3 * DAY), PLACED, Scan("picked_up", 2 * DAY), SHIPPED)
REMEDY = ("buyer_message", "refund")


def _went_wrong(scan: str, cause: str) -> tuple[tuple[Step, ...], Shows]:
    """Handed over, on its way, and then the carrier reports the worst."""
    verdicts = {f"abnormal_delivery/{cause}": "standing"}
    shows = Shows(status="IN_TRANSIT", verdicts=verdicts, prepared=REMEDY)
    return (*HANDED_OVER, COLLECTED, Scan(scan, HOUR)), shows


LOST, LOST_SHOWS = _went_wrong("lost", "lost")
DAMAGED, DAMAGED_SHOWS = _went_wrong("damaged", "damaged")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "order-paid",
        "an order is paid: its clocks begin to run",
        (Place(),),
        Shows(status="AWAITING_SHIPMENT", clocks={ANY: "running"}, events=READ),
    ),
    Scenario(
        "ship-by-seller",
        "scanned by the 3PL, told, collected, and signed for",
        (
            *HANDED_OVER,
            COLLECTED,
            Scan("in_transit", DAY),
            Scan("delivered", HOUR, SIGNED),
            DELIVERED,
        ),
        Shows(status="DELIVERED", pushes={SHIP: "done"}, effects={SHIP: 1}),
    ),
    Scenario(
        "ship-by-tiktok",
        "you ask for a pickup; the label is kept; it is fetched",
        (
            Place({"shipping_type": "TIKTOK"}),
            PLACED,
            Ask("ship", {"handover_method": "PICKUP"}, package=True),
            Until(Shows(status="AWAITING_COLLECTION", pushes={SHIP: "done"}, label=True)),
            COLLECTED,
            Track("in_transit", "received_at_origin_facility"),
        ),
        Shows(status="IN_TRANSIT", label=True, effects={SHIP: 1}),
        markets=PACKED,
        then=("shipclock files label {order} {package} --out label.pdf",),
    ),
    Scenario(
        "on-hold",
        "scanned during the hold: told only once it is over",
        (
            Place({"status": "ON_HOLD"}, ago=HOUR),
            Until(Shows(status="ON_HOLD", events=READ)),
            Scan("picked_up", MINUTE),
            Sweep(),
            Market("release_hold", ORDER),
        ),
        Shows(status="AWAITING_COLLECTION", pushes={SHIP: "done"}, effects={SHIP: 1}),
        markets=PACKED,
    ),
    Scenario(
        "cancel-request",
        "the buyer asks to cancel: a clock runs, nothing ships",
        (Place(), PLACED, Market("request_cancel", ORDER)),
        Shows(
            status="AWAITING_SHIPMENT",
            notices=("cancel_request",),
            clocks={"buyer_cancel_request": "running"},
        ),
        then=(
            "shipclock ask {order} answer --say case={case} --say answer=approve",
            "shipclock ask {order} answer --say case={case} --say answer=reject "
            f"--say reason={PACKED_ALREADY}",
        ),
    ),
    Scenario(
        "cancel-request-rejected",
        "the same, and you say no: the parcel has left already",
        (
            Place(ago=HOUR),
            PLACED,
            Market("request_cancel", ORDER),
            Until(Shows(clocks={"buyer_cancel_request": "running"})),
            Scan("picked_up", MINUTE),
            Ask("answer", {"case": "{case}", "answer": "reject", "reason": PACKED_ALREADY}),
        ),
        Shows(
            status="AWAITING_COLLECTION",
            pushes={"reject_cancellation": "done", SHIP: "done"},
            effects={"reject_cancellation": 1, SHIP: 1},
        ),
        markets=PACKED,
    ),
    Scenario(
        "cancelled-by-seller",
        "you ask to cancel, for you have none left",
        (Place(), PLACED, Ask("cancel", {"reason": "out_of_stock"})),
        Shows(status="CANCELLED", pushes={"cancel": "done"}, effects={"cancel_order": 1}),
    ),
    Scenario(
        "cancelled-by-marketplace",
        "the marketplace cancels: you are told, with its reason",
        (
            Place(ago=HOUR),
            PLACED,
            Market("cancel", {**ORDER, "reason": "system_cancel_order_untracked", "by": "SYSTEM"}),
        ),
        Shows(status="CANCELLED", notices=("outcome",)),
    ),
    Scenario(
        "split",
        "an order of two things is split in two packages",
        (
            Place({"items": {"MUG-BLUE": 1, "TEA-GREEN": 1}}),
            PLACED,
            Market("split", {**ORDER, "groups": [["{line1}"], ["{line2}"]]}),
        ),
        Shows(packages=2, events=("webhook package_update",)),
    ),
    Scenario(
        "combine",
        "two orders of one buyer go into one package",
        (
            Place(),
            PLACED,
            Place(),
            PLACED,
            Market("combine", {"order_ids": ["{other}", "{order}"]}),
        ),
        Shows(packages=1, package="{package}", events=("webhook package_update",)),
        markets=PACKED,
    ),
    Scenario(
        "address-change",
        "the buyer changes the address: the order is read again",
        (
            Place(),
            PLACED,
            Market("change_address", {**ORDER, "address": {"address_detail": "Jalan Contoh 2"}}),
        ),
        Shows(status="AWAITING_SHIPMENT", events=("webhook recipient_address_update",)),
    ),
    Scenario(
        "lost",
        "the carrier loses it: refund and message are prepared",
        LOST,
        LOST_SHOWS,
        then=("shipclock approve {order}", "shipclock approve {order} refund"),
    ),
    Scenario(
        "damaged",
        "damaged on its way: the same is prepared",
        DAMAGED,
        DAMAGED_SHOWS,
        then=("shipclock approve {order}", "shipclock approve {order} refund"),
    ),
    Scenario(
        "failed-attempts",
        "the carrier rings twice and nobody opens: deemed lost",
        (
            *HANDED_OVER,
            COLLECTED,
            Scan("delivery_attempt_failed", DAY, {"reason": "recipient_absent"}),
            Scan("delivery_attempt_failed", HOUR, {"reason": "recipient_absent"}),
        ),
        Shows(status="IN_TRANSIT", verdicts={"two_failed_attempts": "standing"}, prepared=REMEDY),
        settings={"pack": "guide-2023"},  # of those that ship, the one that knows this clause
    ),
    Scenario(
        "own-fleet-delivery",
        "your own driver delivers: you tell that it arrived",
        (*HANDED_OVER, Scan("delivered", HOUR, SIGNED)),
        Shows(
            status="DELIVERED",
            pushes={SHIP: "done", "deliver": "done"},
            effects={SHIP: 1, "update_package_delivery_status": 1},
        ),
        markets=tuple(sorted(SEA)),
        flags={"own_fleet": True},
        settings={"hand_marked": True},
    ),
    Scenario(
        "refund",
        "damaged, and you let the prepared refund out",
        (
            *DAMAGED,
            Until(DAMAGED_SHOWS),
            Approve("refund"),
            Until(Shows(pushes={"create_return": "done"})),
            Market("refund", {"return_id": "{return}"}),
        ),
        Shows(
            status="COMPLETED",
            pushes={"create_return": "done"},
            effects={"create_return": 1},
            events=("webhook refund_success",),
        ),
    ),
    Scenario(
        "return",
        "delivered, and the buyer wants to send it back",
        (
            *HANDED_OVER,
            COLLECTED,
            Scan("delivered", HOUR, SIGNED),
            DELIVERED,
            Until(Shows(status="DELIVERED")),
            Market("open_return", {**ORDER, "return_type": "RETURN_AND_REFUND"}),
        ),
        Shows(status="DELIVERED", events=("webhook return_status_change",)),
    ),
    Scenario(
        "invoice",
        "the tax office refuses the invoice, then takes it",
        (
            Place({"needs_invoice": True}),
            PLACED,
            Market("invoice", {**ORDER, "status": "INVALID", "reason": "wrong tax number"}),
            Market("invoice", {**ORDER, "status": "SUCCESS"}),
        ),
        Shows(status="AWAITING_SHIPMENT", events=("webhook invoice_status_change",)),
        markets=("BR",),
    ),
    Scenario(
        "low-stock",
        "an order takes the last but few: the SKU runs low",
        (
            Market("set_stock", {"shop_id": "{shop}", "sku": SKU, "units": {WAREHOUSE: 6}}),
            Place({"items": {SKU: 2}, "warehouse_id": WAREHOUSE}),
        ),
        Shows(stock={"{sku}": "LOW_STOCK"}, shop_notices=("stock",)),
    ),
    Scenario(
        "expiring",
        "the authorisation ends in thirty days: you are told",
        (Market("warn_of_expiry", {"shop_id": "{shop}", "days": 30}),),
        Shows(connected=True, shop_notices=("authorisation_ends",)),
    ),
    Scenario(
        "deauthorised",
        "the seller lets go of the app: it is called no more",
        (Place(), PLACED, Market("revoke", {"shop_id": "{shop}"})),
        Shows(connected=False, shop_notices=("disconnected",)),
        fresh=True,
        then=("shipclock trigger authorised-again --shop {shop} --watch",),
    ),
    Scenario(
        "authorised-again",
        "and is connected again: what was waiting goes on",
        (
            Place(ago=HOUR),
            Market("revoke", {"shop_id": "{shop}"}),
            Until(Shows(connected=False)),
            Scan("picked_up", MINUTE),
            Sweep(),
            Reconnect(),
        ),
        Shows(
            status="AWAITING_COLLECTION",
            connected=True,
            pushes={SHIP: "done"},
            effects={SHIP: 1},
        ),
        fresh=True,
        markets=PACKED,
    ),
    Scenario(
        "webhook-lost",
        "nothing reaches us of a new order: the search finds it",
        (Place(lost=True), Search()),
        Shows(status="AWAITING_SHIPMENT", clocks={ANY: "running"}, events=READ),
    ),
    Scenario(
        "rate-limited",
        "told twice to slow down: shipped a moment later, once",
        (
            Place(ago=HOUR),
            PLACED,
            Market(
                "fail",
                {
                    "kind": "rate_limit",
                    **SHIP_CALL,
                    "times": 2,
                    "retry_after": 1,
                },
            ),
            Scan("picked_up", MINUTE),
        ),
        Shows(status="AWAITING_COLLECTION", pushes={SHIP: "done"}, effects={SHIP: 1}),
        seconds=180,
    ),
    Scenario(
        "token-expired",
        "the token is refused: renewed, and the call repeated",
        (Market("fail", {"kind": "expired_token", "path": "/order/*", **SHOP}), Place()),
        Shows(status="AWAITING_SHIPMENT", events=READ, called="/api/v2/token/refresh"),
    ),
    Scenario(
        "outage",
        "503 and web pages for a while; then it is asked again",
        (
            Market("fail", {"kind": "unavailable", "path": "/order/*", **SHOP}),
            Market(
                "fail", {"kind": "html", "path": "/order/*", "status": 502, "times": 1000, **SHOP}
            ),
            Place(),
            Sweep(),
            Market("clear_faults"),
        ),
        Shows(status="AWAITING_SHIPMENT", clocks={ANY: "running"}, events=READ),
        seconds=300,
    ),
    Scenario(
        "unclear-push",
        "a push's answer is lost: looked at, not told twice",
        (
            Place(ago=HOUR),
            PLACED,
            Market(
                "fail",
                {"kind": "effect_no_answer", **SHIP_CALL},
            ),
            Scan("picked_up", MINUTE),
        ),
        Shows(status="AWAITING_COLLECTION", pushes={SHIP: "done"}, effects={SHIP: 1}),
        seconds=180,
    ),
    Scenario(
        "unknown-webhook",
        "a webhook of a number nobody knows: kept, no harm",
        (
            Place(),
            PLACED,
            Market("push", {"shop_id": "{shop}", "type": 9999, "data": {"order_id": "{order}"}}),
            Sweep(),
        ),
        Shows(status="AWAITING_SHIPMENT", quarantined=0),
    ),
)

BY_NAME: Mapping[str, Scenario] = {scenario.name: scenario for scenario in SCENARIOS}
