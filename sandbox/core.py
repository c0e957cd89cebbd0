"""The sandbox: requests in, replies out, no socket and no waiting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sandbox import faults, files, gate, wire
from sandbox.building import DEFAULT_OPTIONS
from sandbox.faults import Fault, Faults
from sandbox.gate import Asked, Route
from sandbox.happenings import Happenings
from sandbox.routes import ROUTES
from sandbox.shops import Keyring, Shop
from sandbox.wire import Refusal, Reply, Request
from sandbox.world import Call, Effect, Provider, Settings, Webhook, World

UNTRACKED_AFTER = 15 * 86400
PROVIDERS = (
    Provider("6610000000000000001", "Synthetic Express"),
    Provider("6610000000000000002", "Synthetic Post"),
)

_HEADERS: Mapping[str, str] = {"Content-Type": wire.JSON_TYPE}


@dataclass(frozen=True, slots=True)
class _Late:
    """A request that was let in, to be carried out at a real time."""

    due_at: float
    request: Request
    route: Route
    asked: Asked


class Sandbox(Happenings):
    """A TikTok Shop marketplace in memory.

    `clock` starts the simulated time, which decides the life of orders. `real_now` is a caller's
    clock in Unix seconds; it decides the window of request timestamps, the life of tokens and when
    a late effect lands. `untracked_after` seconds without a tracking update cancel an order (None:
    never); `settings` holds what else may differ. Thread-safe. The same calls at the same times
    give the same bytes.
    """

    def __init__(
        self,
        shops: Iterable[Shop] = (),
        *,
        clock: int,
        real_now: Callable[[], float],
        providers: Sequence[Provider] = PROVIDERS,
        delivery_options: Mapping[str, str] | None = None,
        rotates_refresh_token: bool = True,
        untracked_after: int | None = UNTRACKED_AFTER,
        settings: Settings | None = None,
    ) -> None:
        keyring = Keyring(shops, real_now, rotates_refresh_token=rotates_refresh_token)
        super().__init__(
            World(
                keyring,
                clock,
                real_now,
                tuple(providers),
                dict(DEFAULT_OPTIONS if delivery_options is None else delivery_options),
                untracked_after,
                settings=settings or Settings(),
            )
        )
        self._faults = Faults()
        self._late: list[_Late] = []

    @property
    def shops(self) -> tuple[Shop, ...]:
        """The shops, live: their tokens change when they are refreshed."""
        return tuple(self._world.keyring.shops.values())

    @property
    def effects(self) -> list[Effect]:
        """Every accepted write, in order, late ones that have landed included."""
        with self._lock:
            self._land()
            return list(self._world.effects)

    @property
    def calls(self) -> list[Call]:
        """Every request that came, in order; a landed late one is listed again as it lands."""
        with self._lock:
            self._land()
            return list(self._world.calls)

    @property
    def webhooks(self) -> tuple[Webhook, ...]:
        """The webhooks not yet taken."""
        with self._lock:
            return tuple(self._world.webhooks)

    @property
    def waiting_faults(self) -> tuple[Fault, ...]:
        """The faults still to be played."""
        with self._lock:
            return self._faults.waiting

    def order_ids(self) -> list[str]:
        """The ids of all orders, in the order they were placed."""
        with self._lock:
            return list(self._world.orders)

    def serve_at(self, url: str) -> None:
        """Where files are found from outside: an address without a slash at the end."""
        with self._lock:
            self._world.base_url = url

    def add_shop(self, shop: Shop) -> None:
        """Take in one more shop."""
        with self._lock:
            self._world.keyring.add(shop)

    def fail(self, fault: Fault) -> None:
        """Have a fault played on the requests it matches."""
        with self._lock:
            self._faults.add(fault)

    def clear_faults(self) -> None:
        """Forget the faults that have not been played."""
        with self._lock:
            self._faults.clear()

    def handle(self, request: Request) -> Reply:
        """Answer one request. Never raises for what a client sends."""
        with self._lock:
            self._land()
            shop_id = self._whose(request)
            fault = self._faults.take(request, shop_id or "")
            if fault is None:
                reply = self._answer(request)
            elif fault.kind in faults.INSTEAD:
                reply = faults.instead(fault, self._request_id())
            elif fault.kind == faults.LATE:
                reply = self._postpone(request, fault.delay)
            elif fault.kind == faults.SKEW:
                reply = self._skewed(request, fault.skew)
            else:
                reply = faults.afterwards(fault, self._answer(request))
            self._note(request, shop_id, reply, fault.kind if fault else "")
            return reply

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """The answer to a request too broken to be handled, noted like any other."""
        with self._lock:
            reply = self._refused(refusal)
            self._note(request, None, reply, "")
            return reply

    def _skewed(self, request: Request, skew: float) -> Reply:
        self._world.skew = skew
        try:
            return self._answer(request)
        finally:
            self._world.skew = 0.0

    def _whose(self, request: Request) -> str | None:
        cipher = request.query.get("shop_cipher")
        for shop in self._world.keyring.shops.values():
            if cipher == shop.cipher:
                return shop.shop_id
        return None

    def _answer(self, request: Request) -> Reply:
        if request.path.startswith(files.PREFIX):
            return files.serve(self._world, request)
        try:
            route, asked = gate.admit(self._world, ROUTES, request)
            return self._act(route, asked)
        except Refusal as refusal:
            return self._refused(refusal)

    def _act(self, route: Route, asked: Asked) -> Reply:
        data = route.act(self._world, asked)
        told = wire.envelope(wire.OK, "Success", self._request_id(), data)
        return Reply(200, dict(_HEADERS), wire.dump(told))

    def _refused(self, refusal: Refusal) -> Reply:
        told = wire.envelope(refusal.code, refusal.message, self._request_id(), None)
        status = wire.HTTP_STATUS.get(refusal.code, 200)
        return Reply(status, dict(_HEADERS), wire.dump(told))

    def _postpone(self, request: Request, delay: float) -> Reply:
        # Let in now, not later: by then its timestamp and its token may be too old.
        try:
            route, asked = gate.admit(self._world, ROUTES, request)
        except Refusal:
            return faults.DROPPED
        due_at = self._world.real_now() + delay
        self._late.append(_Late(due_at, request, route, asked))
        return faults.DROPPED

    def _land(self) -> None:
        now = self._world.real_now()
        landing = sorted((x for x in self._late if x.due_at <= now), key=lambda x: x.due_at)
        self._late = [x for x in self._late if x.due_at > now]
        for late in landing:
            try:
                reply = self._act(late.route, late.asked)
            except Refusal as refusal:
                reply = self._refused(refusal)
            self._note(late.request, self._whose(late.request), reply, "landed_late")

    def _request_id(self) -> str:
        return f"SANDBOX{self._world.count('request'):020d}"

    def _note(self, request: Request, shop_id: str | None, reply: Reply, fault: str) -> None:
        world = self._world
        call = Call(
            request.method,
            request.path,
            shop_id,
            _code_of(reply),
            reply.status,
            world.real_now(),
            world.clock,
            fault,
        )
        world.calls.append(call)


def _code_of(reply: Reply) -> int | None:
    if reply.drop or not reply.headers.get("Content-Type", "").startswith(wire.JSON_TYPE):
        return None
    try:
        code = json.loads(reply.body)["code"]
    except ValueError:
        return None
    return code if isinstance(code, int) else None
