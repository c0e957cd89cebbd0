"""Plays one scenario against a stack: the marketplace's part, the carriers', and a person's."""

from __future__ import annotations

import getpass
import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import singledispatchmethod
from typing import Any, Protocol

from cli import senders
from cli.play import stamped
from cli.scenarios import (
    Approve,
    Ask,
    Market,
    Place,
    Reconnect,
    Scan,
    Scenario,
    Search,
    Step,
    Sweep,
    Track,
    Until,
)
from cli.shows import Seen, Shows, lacking
from cli.story import EXPRESS, POST
from shipclock import asking, onboard, rows
from shipclock.blobs import has_blob
from shipclock.codec import read_notice
from shipclock.onboard import Door
from shipclock.ports import Store
from shipclock.shops import shop_of
from shipclock.sources import Account
from shipclock.stock import shop_stock
from shipclock.translate import search_at_once
from shipclock.wishes import APPROVE

REST = 2.0
"""Seconds between two looks at what came of it."""

QUARANTINED = 500
"""More deliveries in quarantine than this are not counted."""

CASES = {11: ("case", "cancel_id"), 12: ("return", "return_id")}
"""The webhooks that name a request, and as what and where."""


class TriggerError(Exception):
    """The scenario can't be played (on); the message says what to do."""


class Ground(Protocol):
    """One local stack with its own sandbox, as a scenario reaches it."""

    @property
    def store(self) -> Store:
        """The stack's table."""

    @property
    def door(self) -> Door:
        """The marketplace, for an operator."""

    @property
    def app(self) -> Account:
        """The app that the stack's shops have authorised."""

    @property
    def sources(self) -> Mapping[str, Mapping[str, Any]]:
        """What the carriers sign with."""

    def now(self) -> datetime:
        """The real time."""

    def rest(self, seconds: float) -> None:
        """Wait."""

    def market(self, call: str, words: Mapping[str, Any]) -> dict[str, Any]:
        """One call of the sandbox's control plane; raises `TriggerError` where it is refused."""

    def ring(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post a body to one of ingest's paths; the HTTP status it was answered with."""

    def sweep(self, now: datetime) -> None:
        """Have the sweeper run once, as the schedule does."""

    def page(self, order_id: str) -> dict[str, Any] | None:
        """The order as the hub shows it; None where it knows none."""


@dataclass(slots=True)
class Player:
    """Plays one scenario in one shop. `names` is what its steps may speak of by now."""

    ground: Ground
    say: Callable[[str], None]
    shop_id: str
    names: dict[str, str] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    number: str = field(default_factory=lambda: f"TRG{secrets.token_hex(5).upper()}")
    calls_before: int = 0
    quarantined_before: int = 0
    patience: timedelta = timedelta(seconds=90)

    def play(self, scenario: Scenario) -> None:
        """Play all steps; raises `TriggerError` where the stack does not follow."""
        self.names["shop"] = self.shop_id
        self.calls_before = int(self.ground.market("state", {})["calls"])
        self.quarantined_before = self._quarantined()
        self.patience = timedelta(seconds=scenario.seconds)
        for step in scenario.steps:
            self._advance()
            self._do(step)
            self._deliver()

    def watch(self, shows: Shows) -> list[str]:
        """Wait until all of it shows; what is lacking when the scenario's time is over."""
        wanted: Shows = self._filled(shows)
        until = self.ground.now() + self.patience
        while True:
            self._sweep()
            missing = lacking(wanted, self._seen(wanted))
            if not missing or self.ground.now() >= until:
                return missing
            self.ground.rest(REST)

    # Steps

    @singledispatchmethod
    def _do(self, step: Step) -> None:
        raise TypeError(f"{type(step).__name__} is no step")

    @_do.register
    def _(self, step: Place) -> None:
        wish = {"status": "AWAITING_SHIPMENT", **self._filled(step.wish)}
        placed = self._advance() - int(step.ago.total_seconds())
        told = self._market("add_order", {"shop_id": self.shop_id, "create_time": placed, **wish})
        if "order" in self.names:
            self.names["other"] = self.names["order"]
        self.names["order"] = str(told["order_id"])
        self.say(f"placed    order {told['order_id']}: {wish['status']}")
        self._learn(self._market("order", {"order_id": told["order_id"]}))
        if step.lost:
            lost = self._market("webhooks/take", {})["webhooks"]
            self.say(f"lost      {len(lost)} webhooks, on purpose")

    @_do.register
    def _(self, step: Market) -> None:
        words = self._filled(step.words)
        told = self._market(step.call, words)
        self._learn(told)
        about = ", ".join(f"{name} {value}" for name, value in words.items() if name != "order_id")
        self.say(f"market    {step.call}{f': {about}' if about else ''}")

    @_do.register
    def _(self, step: Scan) -> None:
        at = stamped(self.ground.now() - step.ago)
        data = {
            "tracking_number": self.number,
            "status": step.status,
            "occurred_at": at,
            "reference": self.names["order"],
            "carrier": EXPRESS,
            **step.words,
        }
        secret, told = self._secret("standard_webhooks"), f"msg_{secrets.token_hex(8)}"
        self._call_back("standard_webhooks", step.status, senders.generic(secret, told, data, at))

    @_do.register
    def _(self, step: Track) -> None:
        order = self._market("order", {"order_id": self.names["order"]})
        number = str(order["tracking_number"])
        at = stamped(self.ground.now())
        self.history.append({"status": step.status, "status_detail": step.detail, "datetime": at})
        secret, told = self._secret("easypost"), f"evt_{secrets.token_hex(8)}"
        signed = senders.easypost(secret, told, number, POST, self.history)
        self._call_back("easypost", step.status, signed)

    @_do.register
    def _(self, step: Ask) -> None:
        package = self.names["package"] if step.package else ""
        self._ask(step.deed, self._filled(step.words), package)

    @_do.register
    def _(self, step: Approve) -> None:
        page = self.ground.page(self.names["order"]) or {"prepared": ()}
        waiting = [p for p in page["prepared"] if (p["kind"], p["state"]) == (step.kind, "waiting")]
        if not waiting:
            raise TriggerError(
                f"No {step.kind} waits on order {self.names['order']}: somebody was quicker, or "
                "its verdict has fallen. `shipclock approve` lists what waits."
            )
        self._ask(APPROVE, {"kind": step.kind, "verdict": waiting[0]["verdict"]})

    @_do.register
    def _(self, step: Sweep) -> None:
        self._sweep()
        self.say("swept     once")

    @_do.register
    def _(self, step: Search) -> None:
        search_at_once(self.ground.store, self.shop_id, self.ground.now())
        self.say("search    the shop is reconciled with the next sweep")

    @_do.register
    def _(self, step: Reconnect) -> None:
        store, door, app = self.ground.store, self.ground.door, self.ground.app
        code = str(self._market("grant", {"shop_id": self.shop_id})["auth_code"])
        grant = onboard.exchange(door, app, code)
        found = onboard.authorised(door, app, grant.tokens)
        shops, problems = onboard.planned(store, found, grant, app, (self.shop_id,))
        if problems or onboard.connect_all(store, door, shops, grant.tokens):
            raise TriggerError("The shop could not be connected: " + " ".join(problems) + " Again.")
        self.say(f"connected shop {self.shop_id} again, as `shipclock shops connect` does")

    @_do.register
    def _(self, step: Until) -> None:
        missing = self.watch(step.shows)
        if missing:
            raise TriggerError(
                f"It goes no further: after {self.patience.total_seconds():.0f} s there is still "
                f"lacking {'; '.join(missing)}. `shipclock push list {self.names.get('order', '')}`"
                " tells of pushes, .local/cloud.log of the functions."
            )

    def _ask(self, deed: str, says: Mapping[str, str], package_id: str = "") -> None:
        order_id, now = self.names["order"], self.ground.now()
        asking.ask(self.ground.store, order_id, deed, says, now, getpass.getuser(), package_id)
        about = " ".join(f"--say {name}={value}" for name, value in says.items())
        self.say(f"asked     {deed} {about}")

    # What is sent, and what is seen

    def _market(self, call: str, words: Mapping[str, Any]) -> dict[str, Any]:
        return self.ground.market(call, words)

    def _secret(self, source: str) -> str:
        return str(self.ground.sources[source]["secret"])

    def _call_back(self, source: str, what: str, signed: senders.Signed) -> None:
        status = self.ground.ring(f"carriers/{source}", *signed)
        self.say(f"callback  {source}: {what} ({status})")
        self._need_kept(status)

    def _need_kept(self, status: int) -> None:
        if status != 200:
            raise TriggerError(
                f"Ingest answered {status} where 200 was due; .local/cloud.log tells why."
            )

    def _advance(self) -> int:
        """Bring the sandbox's clock, which stands still by itself, up to the real one; its time."""
        clock = int(self._market("state", {})["clock"])
        to = max(clock, int(self.ground.now().timestamp()))
        self._market("advance", {"to": to})
        return to

    def _deliver(self) -> None:
        for webhook in self._market("webhooks/take", {})["webhooks"]:
            # To this stack, whatever address a shop has registered.
            status = self.ground.ring("tiktok", webhook["headers"], webhook["body"].encode())
            told = json.loads(webhook["body"])
            self._note(told)
            about = str(told["data"].get("order_status") or told["data"].get("order_id") or "")
            self.say(f"webhook   type {told['type']} {about}".rstrip() + f" ({status})")
            self._need_kept(status)

    def _note(self, told: Mapping[str, Any]) -> None:
        """Remember the request that a webhook is about."""
        name, where = CASES.get(told["type"], ("", ""))
        if name and str(told["data"].get("order_id")) == self.names.get("order"):
            self.names[name] = str(told["data"][where])

    def _learn(self, told: Mapping[str, Any]) -> None:
        """Remember what an answer of the control plane names."""
        if "sku_id" in told:
            self.names["sku"] = str(told["sku_id"])
        if "package_id" in told:
            self.names["package"] = str(told["package_id"])
        lines = told.get("line_items") or ()
        self.names |= {f"line{place}": str(line["id"]) for place, line in enumerate(lines, 1)}
        packages = [str(line["package_id"]) for line in lines if line.get("package_id")]
        if packages:
            self.names["package"] = packages[0]

    def _filled(self, value: Any) -> Any:
        return filled(value, self.names)

    def _sweep(self) -> None:
        self._advance()
        self._deliver()
        self.ground.sweep(self.ground.now())
        self._deliver()

    def _quarantined(self) -> int:
        return len(self.ground.store.board(rows.QUARANTINE, QUARANTINED).rows)

    def _seen(self, shows: Shows) -> Seen:
        """What is there by now, as far as it is asked for."""
        store, order_id = self.ground.store, self.names.get("order", "")
        shop = shop_of(store, self.shop_id)
        notices = store.read(rows.shop_pk(self.shop_id), rows.NOTICE)
        package = rows.LABEL + self.names.get("package", "")
        return Seen(
            page=self.ground.page(order_id) if order_id else None,
            effects=self._effects(order_id) if shows.effects else {},
            paths=self._paths() if shows.called else (),
            label=shows.label and has_blob(store, order_id, package),
            connected=shop is not None and shop.connected,
            shop_notices={read_notice(row).kind for row in notices},
            stock={sku.sku_id: sku.status for sku in shop_stock(store, self.shop_id)},
            quarantined=self._quarantined() - self.quarantined_before,
        )

    def _effects(self, order_id: str) -> Counter[str]:
        effects = self._market("effects", {})["effects"]
        return Counter(e["call"] for e in effects if order_id in e["order_id"].split(","))

    def _paths(self) -> set[str]:
        return {str(c["path"]) for c in self._market("calls", {})["calls"][self.calls_before :]}


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """A step's words, or what is expected, with the names filled in."""
    if isinstance(value, str):
        # A regular expression of a fault's path has braces of its own, if any.
        return value if value.startswith("re:") else value.format_map(names)
    if isinstance(value, Mapping):
        return {filled(name, names): filled(item, names) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(filled(item, names) for item in value)
    if isinstance(value, Shows):
        return replace(
            value, package=filled(value.package, names), stock=filled(value.stock, names)
        )
    return value
