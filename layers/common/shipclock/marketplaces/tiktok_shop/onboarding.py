"""Connecting a TikTok Shop seller: consent, the shops it covers, webhooks, scopes. No I/O.

Rests on `tiktok-shop.md` sections 1 (hosts, OAuth, shops, scopes) and 3.4 (subscribing). Never
tried on a live shop; what pages disagree on, such as the consent page's host, is an argument.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qs, urlencode, urlsplit

from shipclock.marketplaces.protocol import Call, Outcome, Shop, Tokens
from shipclock.marketplaces.tiktok_shop.answers import read_tokens
from shipclock.reading import Unreadable, identifier, opaque, parts, whole, words

NAME = "tiktok_shop"

CONSENT_HOSTS: Mapping[str, str] = {
    "us": "https://services.us.tiktokshop.com",
    "row": "https://services.tiktokshop.com",
}
"""Where sellers consent: of the US, and of the rest of the world. Partner Center registers apps
for either, never for both. One page prints another host for the US (1.1)."""

CODE_LIVES_MINUTES = 30
SELLER = 0
LONGEST_ADDRESS = 255
LONGEST_CODE = 4096


class ConsentRefused(Exception):
    """What was pasted is no consent that may be used; the message says what to do."""


class StateMissing(ConsentRefused):
    """There is a code without a `state`: only a person can say whether the consent was theirs."""


@dataclass(frozen=True, slots=True)
class Place:
    """A market as we name it, and the time zone its deadlines are most likely told in."""

    market: str
    zone: str


REGIONS: Mapping[str, Place] = {
    "US": Place("US", "America/Los_Angeles"),  # the policy's cut-off is Pacific time (section 8)
    "GB": Place("UK", "Europe/London"),
    "UK": Place("UK", "Europe/London"),
    "ES": Place("ES", "Europe/Madrid"),
    "IE": Place("IE", "Europe/Dublin"),
    "IT": Place("IT", "Europe/Rome"),
    "DE": Place("DE", "Europe/Berlin"),
    "FR": Place("FR", "Europe/Paris"),
    "JP": Place("JP", "Asia/Tokyo"),
    "ID": Place("ID", "Asia/Jakarta"),
    "MY": Place("MY", "Asia/Kuala_Lumpur"),
    "PH": Place("PH", "Asia/Manila"),
    "SG": Place("SG", "Asia/Singapore"),
    "TH": Place("TH", "Asia/Bangkok"),
    "VN": Place("VN", "Asia/Ho_Chi_Minh"),
    "BR": Place("BR", "America/Sao_Paulo"),
    "MX": Place("MX", "America/Mexico_City"),
}
"""A shop's `region` to its market and zone. In a country of several zones it is the capital's or
the policy's; the shop's own can be set."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A right that an app may be granted, and what we use it for. Not `needed`: we do without."""

    name: str
    use: str
    needed: bool


SCOPES: tuple[Scope, ...] = (
    Scope("seller.authorization.info", "list shops and register webhooks", needed=True),
    Scope("seller.order.info", "read orders", needed=True),
    Scope("seller.fulfillment.basic", "read and ship packages", needed=True),
    Scope("seller.logistics", "find who may ship, correct tracking numbers", needed=True),
    Scope("seller.return_refund.basic", "read cancellations and returns", needed=True),
    Scope("seller.fulfillment.package.write", "read handover slots", needed=False),
    Scope("seller.delivery.status.write", "report deliveries of one's own fleet", needed=False),
    Scope("seller.product.basic", "read stock", needed=False),
    Scope("seller.product.write", "set stock", needed=False),
    Scope("seller.customer_service", "write to buyers", needed=False),
)
"""Per feature (1.5). The last one is granted only where TikTok has approved the app for it."""

TOPICS: tuple[str, ...] = (
    "ORDER_STATUS_CHANGE",
    "RECIPIENT_ADDRESS_UPDATE",
    "PACKAGE_UPDATE",
    "SELLER_DEAUTHORIZATION",
    "UPCOMING_AUTHORIZATION_EXPIRATION",
    "CANCELLATION_STATUS_CHANGE",
    "RETURN_STATUS_CHANGE",
    "REVERSE_STATUS_UPDATE",
    "INVOICE_STATUS_CHANGE",
)
"""The topics that we read and the Event API offers, by its own names (3.4)."""

CONSOLE_TOPICS: Mapping[int, str] = {
    27: "Inventory status change",
    64: "Aftersales request status update",
    65: "RMA status update",
    67: "Refund success",
    71: "Inventory changed by shop",
}
"""Topics worth having that the Event API has no name for: a person switches them on in Partner
Center, once per app (3.4, tag D). They need no answer from us to be safe: unknown ones are kept."""


# Consent


def consent_link(service_id: str, state: str, region: str = "row", host: str = "") -> str:
    """Where the seller consents; `host` replaces the region's own. KeyError: no such region."""
    base = (host or CONSENT_HOSTS[region]).rstrip("/")
    return f"{base}/open/authorize?{urlencode({'service_id': service_id, 'state': state})}"


def read_consent(pasted: str, state: str, app_key: str = "", stateless: bool = False) -> str:
    """The code in what the seller's browser was sent to, or in the bare code itself.

    Raises `ConsentRefused`, never showing the code. `StateMissing` where there is a code but no
    state, as after consent from the in-product App Store (1.3), unless `stateless` allows it.
    """
    text = pasted.strip().strip("<>\"'")
    bare = "=" not in text and "://" not in text
    told = {"code": [text]} if bare else _query_of(text)
    if any(len(values) > 1 for values in told.values()):
        raise ConsentRefused("The address names something twice. Paste it as the browser shows it.")
    code, given = told.get("code", [""])[0], told.get("state", [""])[0]
    if told.get("error", [""])[0] or code == "null":
        raise ConsentRefused(
            "The seller did not consent (auth_denied). Open the link again and let them allow it."
        )
    if not code:
        raise ConsentRefused(
            "There is no code in it. Paste the whole address that the browser ended at after "
            "the consent, or the code alone."
        )
    if len(code) > LONGEST_CODE or not code.isascii() or not code.isprintable() or " " in code:
        raise ConsentRefused("That is no code. Paste the whole address, without anything else.")
    if given and given != state:
        raise ConsentRefused(
            "The state is not the one of this link, so this consent may be somebody else's. "
            "Begin again and use the new link."
        )
    if told.get("app_key", [app_key])[0] != app_key and app_key:
        raise ConsentRefused("This consent was given to another app. Choose it with --app.")
    if not given and not stateless:
        raise StateMissing(
            "There is no state in it, so nothing shows that this consent belongs to your link. "
            "Go on only if you gave it yourself just now, in the App Store of Seller Center."
        )
    return code


def _query_of(text: str) -> dict[str, list[str]]:
    """The query of an address, or of a query alone."""
    try:
        return parse_qs(urlsplit(text).query or text.lstrip("?"), keep_blank_values=True)
    except ValueError:
        raise ConsentRefused("That is no address. Paste it as the browser shows it.") from None


def exchange(app_key: str, app_secret: str, code: str) -> Call:
    """A code for tokens: a GET with secrets in its query, never to be logged (1.3)."""
    query = {
        "app_key": app_key,
        "app_secret": app_secret,
        "auth_code": code,
        "grant_type": "authorized_code",
    }
    return Call("exchange", "GET", "/api/v2/token/get", query, writes=True, auth=True)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a seller's consent brought. `authorisation` names it: the seller's id for this app."""

    authorisation: str
    seller: str
    tokens: Tokens


def read_grant(outcome: Outcome) -> Grant:
    """The grant in an exchange's answer; raises `Unreadable` where it is none of a seller."""
    kind = whole(outcome.data, "user_type")
    if kind not in (None, SELLER):
        raise Unreadable(
            "user_type: this consent is a creator's or a partner's. Let the seller consent with "
            "the shop's main account"
        )
    name = opaque(outcome.data, "open_id")
    if not name or len(name) > 300:
        raise Unreadable("open_id: an id was expected")
    return Grant(name, words(outcome.data, "seller_name"), read_tokens(outcome))


# Shops


@dataclass(frozen=True, slots=True)
class Authorised:
    """A shop that an authorisation covers."""

    shop_id: str
    name: str
    region: str
    cipher: str


def authorised_shops() -> Call:
    """The shops a token speaks for; it takes no cipher (1.4)."""
    return Call("authorised_shops", "GET", "/authorization/202309/shops", cipher=False)


def read_shops(outcome: Outcome) -> tuple[Authorised, ...]:
    """The shops in an answer; raises `Unreadable` naming what is wrong with one."""
    if "shops" not in outcome.data:
        raise Unreadable("shops: a list was expected")
    return tuple(
        Authorised(
            identifier(row.get("id"), "shops.id"),
            printable(words(row, "name")),
            words(row, "region").upper(),
            _cipher(opaque(row, "cipher")),
        )
        for row in parts(outcome.data, "shops")
    )


def printable(text: str) -> str:
    """A text of the marketplace's as it may stand on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _cipher(text: str) -> str:
    if not text:
        raise Unreadable("shops.cipher: a text was expected")
    return text


class PlaceUnknown(Exception):
    """The shop's region is one we know nothing of; the message says what to give by hand."""


def shop_of(
    told: Authorised,
    authorisation: str,
    app_key: str,
    old: Shop | None = None,
    market: str = "",
    zone: str = "",
) -> Shop:
    """The connection to store for an authorised shop.

    What was set for it before stays, unless it is given anew. Raises `PlaceUnknown` where market
    or zone is neither given, nor known, nor to be guessed from the region.
    """
    place = REGIONS.get(told.region)
    market = market or (old.market if old else "") or (place.market if place else "")
    zone = zone or (old.zone if old and old.market == market else "") or zone_of(market)
    if not market or not zone:
        raise PlaceUnknown(
            f"Shop {told.shop_id} is in region {told.region!r}, which is not known. "
            "Give its market and time zone with --market and --zone."
        )
    old = old or Shop(told.shop_id, NAME, market, zone, app_key, told.cipher, authorisation)
    return replace(
        old,
        market=market,
        zone=zone,
        app_key=app_key,
        cipher=told.cipher,
        authorisation=authorisation,
        connected=True,
    )


def zone_of(market: str) -> str:
    """The zone that is most likely a market's; empty where the market is not known."""
    return next((place.zone for place in REGIONS.values() if place.market == market), "")


MARKETS: frozenset[str] = frozenset(place.market for place in REGIONS.values()) | {"GB"}
"""The markets there are calls and zones for. `GB` is another word for `UK`."""


# Webhooks


def put_webhook(topic: str, address: str) -> Call:
    """Have a topic sent to an address, in place of an earlier one."""
    body = {"address": address, "event_type": topic}
    return Call("put_webhook", "PUT", "/event/202309/webhooks", body=body)


def delete_webhook(topic: str) -> Call:
    """Have a topic sent no more; succeeds also where it never was."""
    body = {"event_type": topic}
    return Call("delete_webhook", "DELETE", "/event/202309/webhooks", body=body)


def list_webhooks() -> Call:
    """Which topics are sent where for a shop."""
    return Call("list_webhooks", "GET", "/event/202309/webhooks")


def read_webhooks(outcome: Outcome) -> dict[str, str]:
    """Topic to address; raises `Unreadable`. The times are not read: seconds or milliseconds."""
    return {
        words(row, "event_type"): opaque(row, "address") for row in parts(outcome.data, "webhooks")
    }


def bad_address(address: str) -> str:
    """Why an address can't be registered (3.1); empty where it can."""
    try:
        found = urlsplit(address)
        port = found.port
    except ValueError:
        return "it is no address"
    host = found.hostname or ""
    if found.scheme != "https":
        return "it is not https"
    if port is not None:
        return "it names a port"
    if "." not in host or host.rpartition(".")[2].isdigit() or ":" in host:
        return "it has no domain name"
    return f"it is longer than {LONGEST_ADDRESS} characters" * (len(address) > LONGEST_ADDRESS)


def missing_scopes(granted: Iterable[str]) -> list[Scope]:
    """The scopes we have a use for that were not granted, needed ones first."""
    have = set(granted)
    lacking = [scope for scope in SCOPES if scope.name not in have]
    return sorted(lacking, key=lambda scope: not scope.needed)
