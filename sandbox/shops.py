"""Shops, their tokens, and the two token calls.

Partner Center, "Authorization overview": GET, unsigned, secrets in the query, `*_expire_in` in
absolute Unix seconds. Whether a refresh token rotates is not published; here it does by default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sandbox import wire
from sandbox.markets import MARKETS
from sandbox.wire import Refusal

ACCESS_LIVES = 7 * 86400
CODE_LIVES = 30 * 60
GRANT_LIVES = 365 * 86400

# What an app gets for the asking; CHAT comes after a review only.
SCOPES = (
    "seller.authorization.info",
    "seller.order.info",
    "seller.fulfillment.basic",
    "seller.fulfillment.package.write",
    "seller.delivery.status.write",
    "seller.logistics",
    "seller.return_refund.basic",
    "seller.product.basic",
    "seller.product.write",
)
CHAT = "seller.customer_service"
EVERY_SCOPE = (*SCOPES, CHAT)

SHOP_FLAGS = ("own_fleet", "needs_proof", "own_tracks", "allocates_stock")


def check_scope(scope: str) -> None:
    """Raise `ValueError` for a scope that no call asks for."""
    if scope not in EVERY_SCOPE:
        raise ValueError(f"unknown scope {scope!r}; known: {', '.join(EVERY_SCOPE)}")


@dataclass(slots=True)
class Shop:
    """A shop that has authorised an app. The two `_expires_at` are real Unix seconds.

    `scopes` are those granted. `own_fleet`: it delivers itself and may say so (SEA); `needs_proof`:
    only with a file that proves it. `own_tracks`: it is on the list of those who report tracking
    (US, BR). `allocates_stock`: its stock is divided automatically and cannot be set.
    """

    shop_id: str
    cipher: str
    market: str
    app_key: str
    app_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    access_expires_at: float
    refresh_expires_at: float
    webhook_url: str | None = None
    name: str = "Synthetic shop"
    revoked: bool = False
    scopes: tuple[str, ...] = SCOPES
    own_fleet: bool = False
    needs_proof: bool = False
    own_tracks: bool = False
    allocates_stock: bool = False
    topics: dict[str, dict[str, int | str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.market not in MARKETS:
            raise ValueError(f"unknown market {self.market!r}; known: {', '.join(sorted(MARKETS))}")
        for scope in self.scopes:
            check_scope(scope)


class Keyring:
    """All shops with their apps and tokens. Knows every access token it has ever replaced."""

    def __init__(
        self, shops: Iterable[Shop], real_now: Callable[[], float], *, rotates_refresh_token: bool
    ) -> None:
        self.shops: dict[str, Shop] = {}
        self._real_now = real_now
        self._rotates = rotates_refresh_token
        self._replaced: set[str] = set()
        self._codes: dict[str, tuple[str, float]] = {}
        self._issued = 0
        for shop in shops:
            self.add(shop)

    def add(self, shop: Shop) -> None:
        """Take a shop in. One app key has one secret; ids and ciphers are not shared."""
        for other in self.shops.values():
            if other.shop_id == shop.shop_id or other.cipher == shop.cipher:
                raise ValueError(f"shop {shop.shop_id}: id or cipher already taken")
            if other.app_key == shop.app_key and other.app_secret != shop.app_secret:
                raise ValueError(f"app {shop.app_key} has two secrets")
        self.shops[shop.shop_id] = shop

    def secret_of(self, app_key: str) -> str:
        """The app's secret; 36009004 when there is no such app."""
        for shop in self.shops.values():
            if shop.app_key == app_key:
                return shop.app_secret
        raise Refusal(wire.BAD_PARAMETER, "app_key is not known")

    def holders(self, token: str, app_key: str) -> list[Shop]:
        """The shops this live access token speaks for; a refusal says why there are none.

        A token that a refresh has replaced answers as an expired one.
        """
        if token in self._replaced:
            raise Refusal(wire.TOKEN_EXPIRED)
        shops = [shop for shop in self.shops.values() if shop.access_token == token]
        if not token or not shops:
            raise Refusal(wire.BAD_PARAMETER, "x-tts-access-token is missing or not known")
        if any(shop.app_key != app_key for shop in shops):
            raise Refusal(wire.TOKEN_MISMATCH, "the access token was not given to this app")
        if all(shop.revoked for shop in shops):
            raise Refusal(wire.DEAUTHORISED)
        if min(shop.access_expires_at for shop in shops) <= self._real_now():
            raise Refusal(wire.TOKEN_EXPIRED)
        return [shop for shop in shops if not shop.revoked]

    def shop_for(self, token: str, app_key: str, cipher: str) -> Shop:
        """The shop of this cipher, which the token must speak for."""
        for shop in self.shops.values():
            if shop.cipher == cipher and shop.access_token == token and shop.revoked:
                raise Refusal(wire.DEAUTHORISED)
        for shop in self.holders(token, app_key):
            if shop.cipher == cipher:
                return shop
        raise Refusal(wire.TOKEN_MISMATCH)

    def grant(self, shop_id: str) -> str:
        """What consent gives: a code for `token/get`, good once and for 30 real minutes."""
        self._issued += 1
        code = f"TTP_sandbox_code_{self._issued:06d}"
        self._codes[code] = (shop_id, self._real_now() + CODE_LIVES)
        return code

    def exchange(self, query: Mapping[str, str]) -> dict[str, object]:
        """`GET /api/v2/token/get`: a code for a pair of tokens; ends an earlier revocation."""
        self._check_app(query, "authorized_code")
        shop_id, ends_at = self._codes.pop(query["auth_code"], ("", 0.0))
        shop = self.shops.get(shop_id)
        if shop is None or shop.app_key != query["app_key"] or ends_at <= self._real_now():
            raise Refusal(wire.BAD_PARAMETER, "auth_code is not known, used, or expired")
        shop.revoked = False
        shop.refresh_expires_at = self._real_now() + GRANT_LIVES
        return self._issue([shop], rotate=True)

    def refresh(self, query: Mapping[str, str]) -> dict[str, object]:
        """`GET /api/v2/token/refresh`: the old access token stops working at once."""
        self._check_app(query, "refresh_token")
        token, app_key = query["refresh_token"], query["app_key"]
        shops = [
            shop
            for shop in self.shops.values()
            if shop.refresh_token == token and shop.app_key == app_key
        ]
        if not shops:
            raise Refusal(wire.BAD_PARAMETER, "refresh_token is not known or no longer valid")
        if all(shop.revoked for shop in shops):
            raise Refusal(wire.DEAUTHORISED)
        if min(shop.refresh_expires_at for shop in shops) <= self._real_now():
            raise Refusal(wire.BAD_PARAMETER, "refresh_token has expired; authorise again")
        return self._issue(shops, rotate=self._rotates)

    def _check_app(self, query: Mapping[str, str], grant_type: str) -> None:
        if query["grant_type"] != grant_type:
            raise Refusal(wire.BAD_PARAMETER, f"grant_type must be {grant_type}")
        if self.secret_of(query["app_key"]) != query["app_secret"]:
            raise Refusal(wire.BAD_PARAMETER, "app_secret does not belong to app_key")

    def _issue(self, shops: list[Shop], *, rotate: bool) -> dict[str, object]:
        self._issued += 1
        first = shops[0]
        access = f"TTP_sandbox_access_{self._issued:06d}"
        refresh = f"TTP_sandbox_refresh_{self._issued:06d}" if rotate else first.refresh_token
        expires_at = int(self._real_now()) + ACCESS_LIVES
        for shop in shops:
            self._replaced.add(shop.access_token)
            shop.access_token, shop.refresh_token = access, refresh
            shop.access_expires_at = expires_at
        return {
            "access_token": access,
            "access_token_expire_in": expires_at,
            "refresh_token": refresh,
            "refresh_token_expire_in": int(first.refresh_expires_at),
            "open_id": f"sandbox-open-id-{first.shop_id}",
            "seller_name": first.name,
            "seller_base_region": MARKETS[first.market].region,
            "user_type": 0,
            "granted_scopes": list(first.scopes),
        }


def describe(shop: Shop) -> dict[str, object]:
    """One row of `GET /authorization/202309/shops`."""
    region = MARKETS[shop.market].region
    return {
        "id": shop.shop_id,
        "name": shop.name,
        "region": region,
        "seller_type": "LOCAL",
        "cipher": shop.cipher,
        "code": f"{region}LC{shop.shop_id[-6:]}",
    }
