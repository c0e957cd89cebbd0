"""Scenes: one for each call that the sweeper makes, up to the sweep that makes it.

A test plays a fault on a scene's call, sweeps, and says what must hold.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sandbox.faults import Fault
from shipclock import asking
from shipclock.blobs import put_blob
from shipclock.connect import connect_shop
from shipclock.domain.event import Request
from shipclock.marketplaces.protocol import Blob, Shop
from shipclock.order_view import order_view
from shipclock.ports import HttpReply, HttpRequest, Wire
from shipclock.views import OrderView, PushView
from tests.pictures import PDF_FILE, jpeg
from tests.stage import SHOP_ID, TOKENS, Stage

HOUR = timedelta(hours=1)
NUMBER = "SYN-0001"
NOISE = ("sweep.left", "delivery.translated", "order.chained")
"""Lines that every sweep says."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One call: where it goes, the push that it is made for, and what it does to the marketplace.

    `push` is empty for what is read for its own sake; `effect` is what the push comes to in the
    sandbox's record. `blind`: nothing shows whether it took effect.
    """

    call: str
    path: str
    begin: Callable[[], tuple[Stage, str]]
    method: str = "POST"
    push: str = ""
    effect: str = ""
    blind: bool = False

    def fault(self, kind: str, **more: Any) -> Fault:
        """A fault on this call alone."""
        return Fault(kind, path=self.path, method=self.method, **more)

    def hits(self, request: HttpRequest) -> bool:
        """Whether a request is this call."""
        path = request.url.partition("?")[0]
        return request.method == self.method and bool(re.search(self.path[3:], path))


def stage_of(market: str = "MY", settings: Mapping[str, Any] | None = None, **flags: Any) -> Stage:
    """A stage whose shop is set up otherwise, at the marketplace (`flags`) and here."""
    stage = Stage(market)
    if flags:
        stage.sandbox.set_shop(SHOP_ID, **flags)
    if settings:
        changed = stage.shop(**settings)
        connect_shop(stage.store, changed, TOKENS, stage.real.now, heal=False)
    return stage


def placed(stage: Stage, **wish: Any) -> str:
    """An order that is known to us, with nothing left to do."""
    wish = {"status": "AWAITING_SHIPMENT", "items": {"MUG": 1}} | wish
    order_id = stage.sandbox.add_order(SHOP_ID, **wish)
    settle(stage)
    return order_id


def settle(stage: Stage) -> None:
    """Everything told and done, and no line left of it."""
    stage.marketplace_tells()
    stage.settle_down(20)
    stage.lines.clear()
    stage.announced.clear()


def ask(stage: Stage, order_id: str, deed: str, package_id: str = "", **says: str) -> Request:
    """A person asks for something."""
    stage.real.pass_time(1)
    return asking.ask(
        stage.store, order_id, deed, says, stage.real.now, by="a test", package_id=package_id
    )


def package(stage: Stage, order_id: str) -> str:
    """The id of an order's first package."""
    return stage.judged(order_id).order.packages[0].package_id


def scanned(market: str = "MY", rotates: bool = True) -> tuple[Stage, str]:
    """A parcel with its carrier, of which the marketplace is to be told."""
    stage = Stage(market, rotates=rotates)
    order_id = placed(stage)
    stage.carrier_tells(NUMBER, "picked_up", order_id=order_id)
    return stage, order_id


def scanned_many() -> tuple[Stage, str]:
    """So many of them that they go out in one call; the first one's id."""
    stage = Stage()
    orders = [placed(stage) for _ in range(12)]
    for number, order_id in enumerate(orders):
        stage.carrier_tells(f"SYN-{number:04}", "picked_up", order_id=order_id)
    return stage, orders[0]


def under_way(stage: Stage, **wish: Any) -> str:
    """An order that was shipped under our number and is on its way."""
    order_id = placed(stage, **wish)
    stage.carrier_tells(NUMBER, "picked_up", order_id=order_id)
    settle(stage)
    stage.until(stage.now + HOUR)
    stage.sandbox.collect(order_id)
    settle(stage)
    return order_id


def cancelling() -> tuple[Stage, str]:
    """An order that a person wants cancelled."""
    stage = Stage()
    order_id = placed(stage)
    ask(stage, order_id, "cancel", reason="out_of_stock")
    return stage, order_id


def answering(answer: str, **more: str) -> tuple[Stage, str]:
    """A buyer's wish to cancel that a person answers."""
    stage = Stage()
    order_id = placed(stage)
    case_id = stage.sandbox.request_cancel(order_id)
    settle(stage)
    ask(stage, order_id, "answer", case=case_id, answer=answer, **more)
    return stage, order_id


REJECT = "seller_reject_apply_product_has_been_packed"


def refunding() -> tuple[Stage, str]:
    """A lost parcel whose buyer is to have his money back."""
    stage = Stage()
    order_id = under_way(stage)
    ask(stage, order_id, "refund", reason="deemed_lost")
    return stage, order_id


def labelling(service: str = "7208000000000000001") -> tuple[Stage, str]:
    """A label to buy for an order that the marketplace ships (US)."""
    stage = Stage("US", zone="America/New_York")
    order_id = placed(stage, shipping_type="TIKTOK")
    ask(stage, order_id, "label", **({"service": service} if service else {}))
    return stage, order_id


def renumbering(split: bool = False) -> tuple[Stage, str]:
    """A shipped order that left under another number."""
    stage = Stage()
    if not split:
        order_id = under_way(stage)
        carrier = "Synthetic Express"
        ask(stage, order_id, "renumber", tracking_number="SYN-0002", carrier=carrier)
        return stage, order_id
    order_id = placed(stage, items={"MUG": 1, "CUP": 1})
    lines = [line.line_id for line in stage.sandbox._world.orders[order_id].lines]
    parts = stage.sandbox.split(order_id, [lines[:1], lines[1:]])
    settle(stage)
    for number, part in enumerate(parts):
        told = {"tracking_number": f"{NUMBER}-{number}", "carrier": "Synthetic Express"}
        ask(stage, order_id, "ship", part, **told)
    settle(stage)
    told = {"tracking_number": "SYN-0002", "carrier": "Synthetic Express"}
    ask(stage, order_id, "renumber", parts[0], **told)
    return stage, order_id


def delivering(proof: Blob | None = None) -> tuple[Stage, str]:
    """A parcel that the seller's own fleet has delivered."""
    stage = stage_of(settings={"hand_marked": True}, own_fleet=True)
    order_id = under_way(stage)
    package_id = package(stage, order_id)
    if proof is not None:
        put_blob(stage.store, order_id, f"PROOF#{package_id}", proof, stage.real.now)
    ask(stage, order_id, "deliver", package_id, delivery_type="DELIVERY_SUCCESS")
    return stage, order_id


def tracking() -> tuple[Stage, str]:
    """A scan of a parcel that the seller delivers himself (BR)."""
    stage = stage_of("BR", {"self_delivered": True}, own_tracks=True)
    order_id = placed(stage)
    stage.carrier_tells(NUMBER, "picked_up", order_id=order_id)
    settle(stage)
    stage.until(stage.now + HOUR)
    stage.carrier_tells(NUMBER, "out_for_delivery", order_id=order_id)
    return stage, order_id


def writing() -> tuple[Stage, str]:
    """A message to a buyer."""
    from sandbox.shops import EVERY_SCOPE

    stage = stage_of(scopes=list(EVERY_SCOPE))
    order_id = placed(stage)
    ask(stage, order_id, "message", text="Your mug is on its way.")
    return stage, order_id


def rereading() -> tuple[Stage, str]:
    """An order that changed, as its webhook tells; what the webhook can't tell is its new time."""
    stage = Stage()
    order_id = placed(stage)
    pass_by(stage, HOUR)
    later = int(stage.now.timestamp()) + 90 * 3600
    stage.sandbox.extend(order_id, "shipping_due_time", later)
    now = int(stage.now.timestamp())
    stage.sandbox._world.orders[order_id].update_time = now
    hint = {"order_id": order_id, "order_status": "AWAITING_SHIPMENT", "update_time": now}
    stage.sandbox.push(SHOP_ID, 1, hint)
    stage.marketplace_tells()
    return stage, order_id


def searching() -> tuple[Stage, str]:
    """A reconciliation that is due, with an order that no webhook told of."""
    stage = Stage()
    placed(stage)
    order_id = stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
    stage.sandbox.take_webhooks()  # lost
    pass_by(stage, timedelta(minutes=16))
    return stage, order_id


def fetching(arranged: bool = True) -> tuple[Stage, str]:
    """A package of the marketplace's own carrier, known and not yet looked at."""
    stage = Stage()
    order_id = stage.sandbox.add_order(SHOP_ID, items={"MUG": 1}, shipping_type="TIKTOK")
    if arranged:
        stage.sandbox.arrange(order_id)
    stage.marketplace_tells()
    return stage, order_id


def renewing() -> tuple[Stage, str]:
    """A parcel to tell of with a token that has run out."""
    stage, order_id = scanned(rotates=False)  # a rotated token whose answer is lost is a person's
    stage.sandbox.fail(Fault("expired_token"))
    return stage, order_id


def pass_by(stage: Stage, span: timedelta) -> None:
    """Time passes, at the marketplace and here."""
    stage.until(stage.now + span)
    stage.real.pass_time(span.total_seconds())


TRACKED = "update_tracking_status"
DELIVERED = "update_package_delivery_status"

SCENES = (
    Scene("reread", r"re:/order/\w+/orders$", rereading, "GET"),
    Scene("search_orders", r"re:/orders/search$", searching),
    Scene("search_cancellations", r"re:/cancellations/search$", searching),
    Scene("search_returns", r"re:/returns/search$", searching),
    Scene("package", r"re:/packages/\d+$", fetching, "GET"),
    Scene("handover", r"re:/handover_time_slots$", lambda: fetching(arranged=False), "GET"),
    Scene("refresh", r"re:/token/refresh$", renewing, "GET", "ship_package", "ship_package"),
    Scene("providers", r"re:/shipping_providers$", scanned, "GET", "ship_package", "ship_package"),
    Scene(
        "ship_package", r"re:/packages/\d+/ship$", scanned, "POST", "ship_package", "ship_package"
    ),
    Scene(
        "ship_packages",
        r"re:/packages/ship$",
        scanned_many,
        "POST",
        "ship_package",
        "batch_ship_packages",
    ),
    Scene(
        "mark_package_as_shipped",
        r"re:/orders/\d+/packages$",
        lambda: scanned("UK"),
        "POST",
        "mark_package_as_shipped",
        "mark_package_as_shipped",
    ),
    Scene(
        "update_order_shipping",
        r"re:/orders/\d+/shipping_info/update$",
        renumbering,
        "POST",
        "update_order_shipping",
        "update_order_shipping_info",
    ),
    Scene(
        "update_package_shipping",
        r"re:/packages/\d+/shipping_info/update$",
        lambda: renumbering(split=True),
        "POST",
        "update_package_shipping",
        "update_package_shipping_info",
    ),
    Scene(
        "shipping_services",
        r"re:/shipping_services/query$",
        lambda: labelling(""),
        "POST",
        "create_package",
    ),
    Scene(
        "create_package",
        r"re:/fulfillment/\w+/packages$",
        labelling,
        "POST",
        "create_package",
        "create_packages",
        blind=True,
    ),
    Scene("deliver", r"re:/packages/deliver$", delivering, "POST", "deliver", DELIVERED),
    Scene(
        "upload_image",
        r"re:/images/upload$",
        lambda: delivering(Blob("image/jpeg", jpeg(200, 200))),
        "POST",
        "deliver",
        DELIVERED,
    ),
    Scene(
        "upload_file",
        r"re:/files/upload$",
        lambda: delivering(Blob("application/pdf", PDF_FILE)),
        "POST",
        "deliver",
        DELIVERED,
    ),
    Scene("track", r"re:/track/update$", tracking, "POST", "track", TRACKED, blind=True),
    Scene(
        "eligibility", r"re:/aftersale_eligibility$", cancelling, "GET", "cancel", "cancel_order"
    ),
    Scene("cancel", r"re:/cancellations$", cancelling, "POST", "cancel", "cancel_order"),
    Scene(
        "approve_cancellation",
        r"re:/approve$",
        lambda: answering("approve"),
        "POST",
        "approve_cancellation",
        "approve_cancellation",
    ),
    Scene(
        "reject_reasons",
        r"re:/reject_reasons$",
        lambda: answering("reject", reason=REJECT),
        "GET",
        "reject_cancellation",
        "reject_cancellation",
    ),
    Scene(
        "reject_cancellation",
        r"re:/reject$",
        lambda: answering("reject", reason=REJECT),
        "POST",
        "reject_cancellation",
        "reject_cancellation",
    ),
    Scene(
        "calculate_refund",
        r"re:/refunds/calculate$",
        refunding,
        "POST",
        "create_return",
        "create_return",
    ),
    Scene("create_return", r"re:/returns$", refunding, "POST", "create_return", "create_return"),
    Scene(
        "conversation",
        r"re:/conversations$",
        writing,
        "POST",
        "message",
        "send_message",
    ),
    Scene("message", r"re:/messages$", writing, "POST", "message", "send_message", blind=True),
)
SCENE = {scene.call: scene for scene in SCENES}


class Tampering:
    """A wire on which the next answers to a scene's call are other ones than the marketplace's.

    `reply` is what comes back instead; `carried_out`: the marketplace has done what it was asked.
    """

    def __init__(
        self,
        wire: Wire,
        scene: Scene,
        reply: Callable[[HttpReply], HttpReply],
        times: int = 1,
        carried_out: bool = False,
    ) -> None:
        self._wire, self._scene, self._reply = wire, scene, reply
        self.left, self._carried_out = times, carried_out

    def send(self, request: HttpRequest) -> HttpReply:
        """As `ports.Wire`."""
        if not self.left or not self._scene.hits(request):
            return self._wire.send(request)
        self.left -= 1
        real = self._wire.send(request) if self._carried_out else HttpReply(200, {}, b"")
        return self._reply(real)


def shown(stage: Stage, order_id: str) -> OrderView:
    """The order as the API shows it."""
    view = order_view(stage.store, order_id, stage.real.now)
    assert view is not None
    return view


def pushed(stage: Stage, order_id: str, call: str) -> PushView:
    """One push of an order as the API shows it."""
    found = [push for push in shown(stage, order_id).pushes if push.call == call]
    return found[-1]


def lines(stage: Stage, *names: str) -> list[str]:
    """The names of what was said, without what every sweep says; or only of these."""
    return [
        line.name
        for line in stage.lines
        if line.name not in NOISE and line.name in (names or [line.name])
    ]


def effects(stage: Stage, order_id: str, call: str) -> int:
    """How often the marketplace let something happen to an order."""
    return sum(e.call == call and e.order_id in ("", order_id) for e in stage.effects)


def heal(stage: Stage, spans: Sequence[timedelta] = (HOUR / 30, HOUR, 7 * HOUR, 17 * HOUR)) -> None:
    """No fault is left, and time passes."""
    stage.sandbox.clear_faults()
    for span in spans:
        pass_by(stage, span)
        stage.marketplace_tells()
        stage.sweep()
        stage.real.pass_time(60)
        stage.sweep()


def owner(stage: Stage) -> Shop:
    """The shop as it is connected now."""
    from shipclock import codec, rows

    return codec.read_shop(stage.memory.rows[rows.shop_pk(SHOP_ID)][rows.LANE])
