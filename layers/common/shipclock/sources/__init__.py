"""Inbound sources: one file each, verify then translate, no I/O.

A source is imported only when something arrives for it, so that a cold start pays for one source
and not for all of them. For the same reason nothing but the standard library is imported with it: a
library that `verify` can't do without is imported when it is used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from os import scandir
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from shipclock.domain.event import Link, OrderEvent, Replacement
    from shipclock.domain.tracking import Scan
    from shipclock.sources.protocol import Granter, Puller, Source, TokenPuller

MARKETPLACES = ("tiktok_shop",)
MODULES = (
    "aftership",
    "easypost",
    "easyship",
    "fedex",
    "flashexpress",
    "jtexpress",
    "karrio",
    "lalamove",
    "ninjavan",
    "seventeentrack",
    "ship24",
    "shipbob",
    "shipengine",
    "shipmonk",
    "shippo",
    "standard_webhooks",
    "ups",
)
"""Carriers with a module of their own."""


def _mappings(folder: str) -> tuple[str, ...]:
    """The names of a folder's mappings. Only names are looked at: this is part of a cold start."""
    try:
        with scandir(folder) as files:
            found = sorted(file.name for file in files if file.name.endswith(".toml"))
    except FileNotFoundError:
        return ()
    # a name that can be none, or is a module's, is an error that the checks tell of
    names = (name.removesuffix(".toml") for name in found)
    return tuple(n for n in names if n.isidentifier() and n not in (*MARKETPLACES, *MODULES))


MAPPINGS = _mappings(f"{__path__[0]}/mappings")
"""Carriers that one file each in `mappings/` tells of, and no code."""
CARRIERS = MODULES + MAPPINGS
GRANTERS: tuple[str, ...] = ("ups",)
"""Sources that first fetch a token from us, to call us with it."""
PULLERS = ("flashexpress", "karrio", "seventeentrack", "ship24", "ups")
"""Sources that can be asked about a parcel."""
TOKEN_PULLERS = ("ups",)
"""Those of them that want a token first."""
SOURCES = MARKETPLACES + CARRIERS
"""The registry: the name is the file's and, for a carrier, the last part of its URL."""

Headers = Mapping[str, str]
"""Lower-case names; the values of a repeated header are joined by a comma. Under `PATH`, which no
header can be named, stands the path that was called, where the caller's stage is part of it."""

PATH = ":path"


class NotAuthentic(Exception):
    """The sender could not be proven. Its message is for the log and never holds a secret."""


class Unsigned(NotAuthentic):
    """There was no signature at all."""


class Probe(NotAuthentic):
    """A sender looks whether the address answers, before it sends. It proves nothing; it is told
    yes, and nothing is kept."""


class KeysWanted(NotAuthentic):
    """Only a key that the sender publishes can prove it.

    `addresses` are those among the accounts' secrets where keys are published, `key_id` names the
    key that is wanted.
    """

    def __init__(self, addresses: tuple[str, ...], key_id: str) -> None:
        super().__init__("the sender's key is not known")
        self.addresses = addresses
        self.key_id = key_id


class NotGranted(Exception):
    """A request for a token is none that can be granted, whoever sent it.

    `error` is OAuth's word for why (RFC 6749 section 5.2). The message is for the log.
    """

    def __init__(self, error: str, why: str) -> None:
        super().__init__(why)
        self.error = error


@dataclass(frozen=True, slots=True)
class Account:
    """One sender that a source knows: its valid secrets (two while they are rotated).

    `shops` limits the shops it may speak for; empty means all of them. `options` is whatever else
    the source's own documentation asks the account for.
    """

    name: str
    secrets: tuple[str, ...]
    shops: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def option(self, name: str) -> str:
        """A text among the options; empty where there is none."""
        found = self.options.get(name, "")
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One authentic webhook as it arrived, or the provider's answer to a call of ours (`pulled`).

    `received_at` is the real clock. `headers` are those that the source keeps as `EVIDENCE`; what
    is read out of one that is not signed must be `unconfirmed`.
    """

    source: str
    account: str
    body: bytes
    received_at: datetime
    shops: tuple[str, ...] = ()
    pulled: bool = False
    headers: Headers = field(default_factory=dict, hash=False)

    def may_speak_for(self, shop_id: str) -> bool:
        """Whether the account that signed it may speak for this shop."""
        return not self.shops or shop_id in self.shops


@dataclass(frozen=True, slots=True)
class ShopNews:
    """Something about a shop as a whole.

    `kind` is `deauthorised`, `expiring` (its authorisation ends at `ends_at`), or `aftersales`: an
    after-sale case moved and the webhook names no order, so that only a search finds which.
    """

    shop_id: str
    kind: str
    received_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StockNews:
    """What a marketplace tells of the stock of one SKU, true at `at`.

    `event_id` names the telling; of two of one instant the larger one counts. `quantities` are
    pieces by our names (`total`, `available`, `committed`, `in_shop`, `campaign`, `creator`), those
    that were told; `status` is the marketplace's word, empty where it told none.
    """

    shop_id: str
    sku_id: str
    at: datetime
    event_id: str
    product_id: str = ""
    quantities: Mapping[str, int] = field(default_factory=dict)
    status: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that shows a delivery: a link to it, or itself (`data`).

    `scan` is the identity of the scan of `number` that it proves, `kind` is `signature` or `photo`.
    A link is a right of access and may tell of people, so it is in no event, log or `repr`.
    """

    number: str
    scan: str
    kind: str
    link: str = field(default="", repr=False)
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Translation:
    """What a delivery means. `note` says why it means nothing, where it does not."""

    events: "tuple[OrderEvent, ...]" = ()
    scans: "tuple[Scan, ...]" = ()
    links: "tuple[Link, ...]" = ()
    replaced: "tuple[Replacement, ...]" = ()
    news: tuple[ShopNews, ...] = ()
    stock: tuple[StockNews, ...] = ()
    images: tuple[Image, ...] = ()
    note: str = ""


def puller(name: str) -> "Puller":
    """The source of that name, which must be one of `PULLERS`."""
    return cast("Puller", import_module(f"shipclock.sources.{name}"))


def token_puller(name: str) -> "TokenPuller":
    """The source of that name, which must be one of `TOKEN_PULLERS`."""
    return cast("TokenPuller", import_module(f"shipclock.sources.{name}"))


def granter(name: str) -> "Granter":
    """The source of that name, which must be one of `GRANTERS`."""
    return cast("Granter", import_module(f"shipclock.sources.{name}"))


def source(name: str) -> "Source":
    """The source of that name; KeyError if there is none, ValueError where its mapping is wrong."""
    if name not in SOURCES:
        raise KeyError(name)
    if name in MAPPINGS:
        return cast("Source", import_module("shipclock.sources.mapped").load(name))
    return cast("Source", import_module(f"shipclock.sources.{name}"))


ACCOUNT = ("account", "secrets", "shops")
"""What every source's accounts are told with; the rest are options."""


def accounts_of(secrets: Mapping[str, Any], name: str) -> tuple[Account, ...]:
    """The accounts that the sources' secret holds for one source; none where it is not set up.

    Raises ValueError, naming the source and never a value, where the secret is malformed.
    """
    listed = secrets.get(name, [])
    if not isinstance(listed, list) or not all(map(_well_formed, listed)):
        raise ValueError(
            f"the secret of source {name} is malformed: it must be a list of "
            '{"account": name, "secrets": [text, …], "shops": [id, …] (optional)}'
        ) from None
    found = [
        Account(
            str(entry.get("account", "default")),
            tuple(secret for secret in entry["secrets"] if isinstance(secret, str) and secret),
            tuple(map(str, entry.get("shops", ()))),
            {key: value for key, value in entry.items() if key not in ACCOUNT},
        )
        for entry in listed
    ]
    return tuple(account for account in found if account.secrets)


def _well_formed(entry: object) -> bool:
    """Lists must be lists: a text would be taken letter by letter."""
    if not isinstance(entry, dict):
        return False
    return isinstance(entry.get("secrets"), list) and isinstance(entry.get("shops", []), list)
