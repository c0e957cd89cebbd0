"""What stands in a world's way: I/O that fails; and the shops, as both sides have them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from sandbox.shops import EVERY_SCOPE
from sandbox.shops import Shop as SandboxShop
from shipclock.marketplaces.protocol import Shop, Tokens
from shipclock.ports import NoAnswer
from tests.fakes import FakeClock, Faults
from tests.stage import APP_KEY, APP_SECRET, REAL
from tests.worlds.plans import ZONES, ShopPlan

T = TypeVar("T")

FUNCTION_ENDS = timedelta(seconds=75)
"""A sweep that is this old was ended by its platform (the function's time-out and then some)."""


class Trouble(Faults):
    """I/O that fails as planned, by the number of the step and, on the wire, by that of the call;
    at an `overlap` another sweep runs in between, to its end."""

    def __init__(self, said: Mapping[str, Any], real: FakeClock, other: Callable[[], None]) -> None:
        super().__init__(dict(said.get("io", {})))
        self._wire: Mapping[int, str] = said.get("wire", {})
        self._calls = 0
        self._real, self._other = real, other
        self._ends = real.now + FUNCTION_ENDS
        self.played = 0

    def around(self, work: Callable[[], T], error: type[Exception]) -> T:
        if error is NoAnswer:
            if self._calls in self._wire:
                self.plan[self.step] = self._wire[self._calls]
            self._calls += 1
        kind = self.plan.get(self.step, "")
        self.played += bool(kind) and not self.dead
        if kind == "overlap":
            self._other()
        self.dead |= self._real.now > self._ends
        return super().around(work, error)


def shop_id(place: int) -> str:
    return f"749000000000000000{place + 1}"


def tokens_of(told: ShopPlan) -> Tokens:
    name = told.authorisation
    return Tokens(f"TTP_access_{name}", f"TTP_refresh_{name}", REAL + timedelta(days=2))


def our_shop(place: int, told: ShopPlan) -> Shop:
    return Shop(
        shop_id=shop_id(place),
        marketplace="tiktok_shop",
        market=told.market,
        zone=ZONES[told.market],
        app_key=APP_KEY,
        cipher=f"GCP_synthetic_{place}",
        authorisation=told.authorisation,
        **told.settings,
    )


def their_shop(place: int, told: ShopPlan) -> SandboxShop:
    tokens = tokens_of(told)
    return SandboxShop(
        shop_id(place),
        f"GCP_synthetic_{place}",
        told.market,
        APP_KEY,
        APP_SECRET,
        tokens.access_token,
        tokens.refresh_token,
        (REAL + timedelta(days=2)).timestamp(),
        (REAL + timedelta(days=365)).timestamp(),
        "https://hooks.example/webhooks/tiktok",
        scopes=EVERY_SCOPE,
        own_fleet=bool(told.settings.get("hand_marked")),
        own_tracks=bool(told.settings.get("self_delivered")),
    )
