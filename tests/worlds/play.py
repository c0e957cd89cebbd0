"""One world as it is played, faults and all, and the peace after it, in which a person reads what
was told and does what it asks for."""

import json
import random
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.core import Sandbox
from sandbox.faults import Fault
from sandbox.wire import Request, StoryError
from shipclock import asking, codec, rows
from shipclock.book import read_book
from shipclock.connect import attach_shop, known_shops, store_tokens
from shipclock.domain.push import Intent, IntentState
from shipclock.domain.tracking import NOT_A_SCAN
from shipclock.ingest import Answer, NotKept
from shipclock.judge import Settled, judge
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.ports import Put, Row, StoreError
from shipclock.sweep import Report, Sweep
from tests.fakes import FakeClock, FaultyStore, FaultyWire, Gone, MemoryStore, SandboxWire
from tests.stage import APP_KEY, APP_SECRET, REAL, START, Stage
from tests.worlds.effects import is_of
from tests.worlds.plans import CARRIERS, MINUTE, Plan, Step
from tests.worlds.trouble import Trouble, our_shop, shop_id, their_shop, tokens_of

COMBINED = "split_or_combine_tag"
FATES = ("once",) * 7 + ("twice", "later", "lost")
PACKAGES_CHANGED = 4
COPIES = {"once": 1, "twice": 2, "later": 0}
PAUSES = (1, 16, 16, *(61,) * 6, *(200,) * 8, *(721,) * 6)
"""Minutes between the looks of peacetime: minutes, then hours, then beyond the longest wait."""


@dataclass(slots=True)
class Asked:
    """What a person asked for, of which nothing has been taken back since."""

    order_id: str
    deed: str
    says: Mapping[str, str]
    package_id: str = ""


class Play(Stage):
    """One world as it is played."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(rotates=plan.rotates)
        self.plan = plan
        self.real = FakeClock(REAL)
        self.memory = MemoryStore()
        self.store = self.memory
        self.sandbox = Sandbox(
            [their_shop(place, shop) for place, shop in enumerate(plan.shops)],
            clock=int(START.timestamp()),
            real_now=lambda: self.real.now.timestamp(),
            rotates_refresh_token=plan.rotates,
        )
        self.wire = SandboxWire(self.sandbox, self.real)
        self.orders: dict[int, str] = {}
        self.pool: list[Any] = []
        self.asked: dict[tuple[str, ...], Asked] = {}
        self.by_hand: set[str] = set()
        self.scanned: dict[str, set[str]] = {}
        self.tries: Counter[tuple[str, str]] = Counter()
        self.heard: set[str] = set()
        self.tally: Counter[str] = Counter()
        self.settled = False
        for place, told in enumerate(plan.shops):
            self._connect(our_shop(place, told), tokens_of(told))

    def _connect(self, shop: Shop, tokens: Tokens) -> None:
        store_tokens(self.store, shop, tokens, self.real.now)
        while not attach_shop(self.store, shop, self.real.now):
            self.real.pass_time(60)

    def play(self) -> None:
        """Play all steps, then peace."""
        for step in self.plan.steps:
            self._move(step.at)
            with suppress(StoryError):
                getattr(self, f"_{step.do}")(step, random.Random(step.dice))
        self._peace()

    def _move(self, minutes: float) -> None:
        """Story and real time go on side by side; sweeps take real time only."""
        span = timedelta(minutes=minutes)
        self.real.now = max(self.real.now, REAL + span)
        self.until(max(self.now, START + span))

    def settled_of(self, order_id: str) -> Settled:
        """The order as it stands by now, in whatever shop."""
        book = read_book(self.store, order_id)
        return judge(self.store, book, self.shop_of, self.now, self.real.now)

    def shop_of(self, shop_id: str) -> Shop | None:
        """A shop as its row has it."""
        row = self.memory.get((rows.shop_pk(shop_id), rows.LANE))
        return codec.read_shop(row) if row else None

    # The life of orders

    def _place(self, step: Step, dice: random.Random) -> None:
        told = step.says
        due = {n: int((START + at * MINUTE).timestamp()) for n, at in told["due"].items()}
        items = {"MUG-BLUE": (told["units"] + 1) // 2, "MUG-RED": told["units"] // 2}
        wish: Any = {
            "status": told["status"],
            "shipping_type": told["kind"],
            "items": {sku: units for sku, units in items.items() if units},
            # Few buyers, so that some orders can be combined.
            "user_id": f"70200000000000000{step.of % 3:02}",
            **due,
        }
        self.orders[step.of] = self.sandbox.add_order(shop_id(told["shop"]), **wish)

    def _pay(self, step: Step, dice: random.Random) -> None:
        self.sandbox.pay(self._order(step))

    def _release(self, step: Step, dice: random.Random) -> None:
        self.sandbox.release_hold(self._order(step))

    def _arrange(self, step: Step, dice: random.Random) -> None:
        """The seller ships by hand, with the parcel's number or another."""
        order_id = self._order(step)
        seller = self.sandbox.order(order_id)["shipping_type"] == "SELLER"
        number = self._number(step, 0) if dice.random() < 0.5 else f"HAND{step.of:04}"
        told = (number, "Synthetic Express") if seller else ()
        self.sandbox.arrange(order_id, None, *told)
        self.by_hand |= set(self._sharing(order_id))

    def _sharing(self, order_id: str) -> list[str]:
        """The orders in the packages of this one."""
        shown: Any = self.sandbox.order(order_id)
        mine = {package["id"] for package in shown["packages"]}
        others: Any = {o: self.sandbox.order(o)["packages"] for o in self.orders.values()}
        return [o for o, told in others.items() if mine & {each["id"] for each in told}]

    def _collect(self, step: Step, dice: random.Random) -> None:
        self.sandbox.collect(self._order(step))

    def _deliver(self, step: Step, dice: random.Random) -> None:
        self.sandbox.deliver(self._order(step))

    def _complete(self, step: Step, dice: random.Random) -> None:
        self.sandbox.complete(self._order(step))

    def _exception(self, step: Step, dice: random.Random) -> None:
        reason = dice.choice(("PACKAGE_LOST", "PACKAGE_DAMAGAED", "RETURNED_TO_SHIPPER"))
        self.sandbox.report_exception(self._order(step), reason)

    def _request_cancel(self, step: Step, dice: random.Random) -> None:
        self.sandbox.request_cancel(self._order(step))

    def _close_request(self, step: Step, dice: random.Random) -> None:
        self.sandbox.close_request(self._order(step))

    def _cancel(self, step: Step, dice: random.Random) -> None:
        by = dice.choice(("BUYER", "SELLER", "SYSTEM", "OPERATOR"))
        self.sandbox.cancel(self._order(step), "package_lost", by)
        self.by_hand.add(self._order(step))

    def _open_return(self, step: Step, dice: random.Random) -> None:
        self.sandbox.open_return(self._order(step))

    def _split(self, step: Step, dice: random.Random) -> None:
        order_id = self._order(step)
        lines: Any = self.sandbox.order(order_id)["line_items"]
        parts: dict[str, list[str]] = {}
        for line in lines:
            if line["display_status"] == "AWAITING_SHIPMENT":
                parts.setdefault(line["sku_id"], []).append(line["id"])
        self.sandbox.split(order_id, list(parts.values()))

    def _combine(self, step: Step, dice: random.Random) -> None:
        mine = self._order(step)
        # Of three the one that is cancelled would keep a package that is gone in the sandbox.
        free = [o for o in self.orders.values() if not self.sandbox.order(o).get(COMBINED)]
        others = [o for o in free if o != mine and mine in free]
        for other in dice.sample(others, len(others)):
            with suppress(StoryError):
                self.sandbox.combine([mine, other])
                return

    def _extend(self, step: Step, dice: random.Random) -> None:
        later = self.sandbox.clock + dice.randint(1, 5) * 86400
        self.sandbox.extend(self._order(step), "shipping_due_time", dice.choice((0, later)))

    def _order(self, step: Step) -> str:
        if step.of not in self.orders:
            raise StoryError("not placed")
        return self.orders[step.of]

    def _number(self, step: Step, second: int) -> str:
        return f"SYN{step.of:04}{second}"

    # What arrives

    def _carrier(self, step: Step, dice: random.Random) -> None:
        order_id, told = self._order(step), step.says
        number = self._number(step, told["number"])
        written = dice.choice((number, number.lower(), f"{number[:3]} {number[3:]}"))
        at = self.now - told["late"] * MINUTE
        reference = order_id if told["status"] == "picked_up" or dice.random() < 0.5 else ""
        for _ in range(dice.choice((1, 1, 2))):
            carrier = random.Random(step.of).choice(CARRIERS)
            self.carrier_tells(written, told["status"], at, reference, carrier)
        if reference and told["status"] not in NOT_A_SCAN:
            self.scanned.setdefault(order_id, set()).add(number)

    def ring(self, source: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """One request at the door, until it is kept: who is not answered asks again."""
        chance = random.Random(body)
        for _ in range(3):
            self._door = chance.choice(("", "", "", "before", "after"))
            if self.settled:
                self._door = ""
            try:
                return super().ring(source, headers, body)
            except NotKept:
                self.tally["faults"] += 1
        self._door = ""
        return super().ring(source, headers, body)

    def _keep(self, row: Row) -> bool:
        if self._door == "before":
            raise NotKept("planned")
        kept = self.memory.write(Put(row))
        if self._door == "after":
            raise NotKept("planned")
        return kept

    def _webhooks(self, step: Step, dice: random.Random) -> None:
        """What the marketplace sent meanwhile: some of it lost, doubled, later, shuffled."""
        self.pool += self.sandbox.take_webhooks()
        fate = [(dice.choice(FATES), webhook) for webhook in self.pool]
        # Nothing but its webhook tells of a split or a combination: `update_time` stays.
        fate = [(f if _found_anyway(w) or f != "lost" else "once", w) for f, w in fate]
        self.pool = [webhook for how, webhook in fate if how == "later"]
        coming = [w for how, w in fate if how != "lost" for _ in range(COPIES[how])]
        dice.shuffle(coming)
        for webhook in coming:
            self._hear(webhook)

    def _hear(self, webhook: Any) -> None:
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        answer = self.ring("tiktok_shop", headers, webhook.body)
        assert answer.status == 200, answer

    # What people do

    def _ask(self, step: Step, dice: random.Random) -> None:
        order_id, deed = self._order(step), step.says["deed"]
        if self.memory.get((rows.order_pk(order_id), rows.HEAD)) is None:
            return
        found = self.settled_of(order_id)
        words = self._words(deed, step, dice, found)
        if words is None:
            return
        said, package_id = words
        revoked = bool(step.says.get("revoked"))
        self.real.pass_time(1)
        request = asking.ask(
            self.store, order_id, deed, said, self.real.now, "a test", package_id, revoked
        )
        key = (order_id, *map(str, request.about))
        self.asked.pop(key, None)
        if not revoked:
            self.asked[key] = Asked(order_id, deed, said, package_id)

    def _words(
        self, deed: str, step: Step, dice: random.Random, found: Settled
    ) -> tuple[dict[str, str], str] | None:
        """How a person says it, by what the hub shows; None where it shows nothing to ask for."""
        order = found.order
        package = order.packages[0].package_id if order.packages else ""
        new = {"tracking_number": f"NEW{step.of:04}", "carrier": "Synthetic Express"}
        match deed:
            case "ship" if order.facts and order.facts.shipping_type == "SELLER":
                return {**new, "tracking_number": self._number(step, 0)}, package
            case "ship":
                return {"handover_method": dice.choice(("PICKUP", "DROP_OFF"))}, package
            case "label":
                service = dice.choice(("7208000000000000001", "7208000000000000001", "77"))
                return {"service": service}, ""
            case "renumber":
                return new, dice.choice((package, "")) if len(order.packages) < 2 else package
            case "deliver" if package:
                if dice.random() < 0.3:
                    return {"delivery_type": "DELIVERY_FAILED", "reason": "BUYER_REFUSED"}, package
                return {"delivery_type": "DELIVERY_SUCCESS"}, package
            case "cancel":
                return {"reason": dice.choice(("out_of_stock", "out_of_stock", "no idea"))}, ""
            case "refund":
                return {
                    "reason": dice.choice(("lost", "seller_refund_reason_agreed_with_buyer"))
                }, ""
            case "answer" if order.cancel_case:
                if dice.random() < 0.5:
                    return {"case": order.cancel_case, "answer": "approve"}, ""
                reason = "seller_reject_apply_product_has_been_packed"
                return {"case": order.cancel_case, "answer": "reject", "reason": reason}, ""
            case "message":
                return {"text": f"Hello, about order {order.order_id}."}, ""
            case "approve":
                standing = [v for v in found.recorded.verdicts.values() if v.state == "standing"]
                for verdict in standing:
                    kind = dice.choice(("cancellation", "refund", "buyer_message"))
                    return {"kind": kind, "verdict": verdict.key}, ""
        return None

    def _revoke(self, step: Step, dice: random.Random) -> None:
        self.sandbox.revoke(shop_id(step.of))

    def _person(self) -> None:
        """Reads what was announced and what stands in the hub, and does what it says."""
        for shop, _ in list(known_shops(self.store)):
            said = self.memory.read(rows.shop_pk(shop.shop_id), rows.NOTICE)
            news = {row["sk"] for row in said} - self.heard
            self.heard |= news
            refused = any("renewal_refused" in sk for sk in news)
            lost = not shop.connected and any("disconnected" in sk for sk in news)
            if refused or lost:
                self._consent(shop)
        for order_id in self.orders.values():
            for intent in asking.intents(self.store, order_id):
                self._help(order_id, intent)

    def _help(self, order_id: str, intent: Intent) -> None:
        """Of a push that ended: looks whether it took effect, and says so, or tries it again."""
        if intent.state not in asking.AGAIN or self.tries[order_id, intent.key] >= 2:
            return
        self.tries[order_id, intent.key] += 1
        self.real.pass_time(1)
        if intent.state is IntentState.DEAD and any(
            is_of(effect, order_id, intent) for effect in self.effects
        ):
            asking.done(self.store, order_id, intent.key, self.real.now)
        else:
            asking.again(self.store, order_id, intent.key, self.real.now)

    def _consent(self, shop: Shop) -> None:
        """The seller consents again, for all shops of the authorisation."""
        query = {"app_key": APP_KEY, "app_secret": APP_SECRET, "grant_type": "authorized_code"}
        query["auth_code"] = self.sandbox.grant(shop.shop_id)
        answer = self.sandbox.handle(Request("GET", "/api/v2/token/get", query, {}, b""))
        told = json.loads(answer.body)["data"]
        ends_at = datetime.fromtimestamp(told["access_token_expire_in"], UTC)
        tokens = Tokens(told["access_token"], told["refresh_token"], ends_at)
        mine = [s for s, _ in known_shops(self.store) if s.authorisation == shop.authorisation]
        live = {each.shop_id: each for each in self.sandbox.shops}
        for each in mine:  # the sandbox gives tokens to the one shop that the code names
            theirs = live[each.shop_id]
            theirs.access_token, theirs.refresh_token = tokens.access_token, tokens.refresh_token
            theirs.access_expires_at, theirs.revoked = told["access_token_expire_in"], False
        for each in mine:
            self._connect(replace(each, connected=True), tokens)

    # Sweeping

    def _fault(self, step: Step, dice: random.Random) -> None:
        self.sandbox.fail(Fault(**step.says))

    def _sweep(self, step: Step, dice: random.Random) -> None:
        said = step.says
        self.real.pass_time(dice.choice((0, 1, 20, 60)))
        trouble = Trouble(said, self.real, self._other_sweep)
        world = self.world
        world.store = FaultyStore(self.memory, trouble)
        world.wire = FaultyWire(self.wire, trouble)
        if said.get("mute"):
            world.announce = _mute
        self.network.down = bool(said.get("down"))
        try:
            Sweep(world, self.now, timedelta(seconds=65)).run()
        except Gone:
            self.tally["crashes"] += 1
        except StoreError:
            pass
        self.network.down = False
        self.tally["sweeps"] += 1
        self.tally["faults"] += trouble.played

    def _other_sweep(self) -> None:
        down, self.network.down = self.network.down, False
        self.sweep()
        self.tally["sweeps"] += 1
        self.network.down = down

    def _peace(self) -> None:
        """Faults end, time goes by, a person does what is asked for, until nothing is left."""
        self.sandbox.clear_faults()
        self.settled = True
        minutes = (self.now - START) / MINUTE
        for pause in PAUSES:
            minutes += pause
            self._move(minutes)
            self.pool += self.sandbox.take_webhooks()
            for webhook in self.pool:
                self._hear(webhook)
            self.pool = []
            self._person()
            self.left = self._sweep_all()

    def _sweep_all(self) -> Report:
        for _ in range(15):
            self.real.pass_time(90)
            report = self.sweep()
            self.tally["sweeps"] += 1
            if report.due_left == 0 and not self.sandbox.webhooks:
                break
            for webhook in self.sandbox.take_webhooks():
                self._hear(webhook)
        return report


def _mute(told: Mapping[str, Any]) -> None:
    raise RuntimeError("the bus is down, as planned")


def _found_anyway(webhook: Any) -> bool:
    return bool(json.loads(webhook.body)["type"] != PACKAGES_CHANGED)
