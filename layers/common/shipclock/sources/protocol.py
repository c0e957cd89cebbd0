"""What the modules of this package offer: every source, and some of them more."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from shipclock.ports import HttpRequest
from shipclock.sources import Account, Delivery, Headers, Translation


class Source(Protocol):
    """What every module of this package offers."""

    LIMIT: int
    """The largest body taken, in bytes. A row must hold it uncompressed: at most 350 KiB."""
    FORM: bool
    """Whether bodies are forms instead of JSON objects."""
    EVIDENCE: tuple[str, ...]
    """Headers kept with the body, to prove the delivery again later. Never one that is a secret."""

    def verify(
        self, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> Account:
        """The account whose secret proves these raw bytes, at the real time `now`.

        Raises `Unsigned` where no signature was sent and `NotAuthentic` where none fits. Raises
        `Probe` for a request that proves nothing by the sender's own rules, and `KeysWanted` where
        only keys can that the sender publishes: it is asked again with what is published at an
        address in the place of that address, among the secrets of those accounts that name it.
        """

    def acknowledge(self, body: bytes) -> bytes:
        """The body of the answer that tells this sender that its delivery was kept."""

    def translate(self, delivery: Delivery) -> Translation:
        """The facts in an authentic delivery. Raises `Unreadable` naming what is wrong."""


class Granter(Protocol):
    """What the modules of `GRANTERS` offer beside."""

    def grant(
        self, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> bytes:
        """The token, as the JSON of an OAuth answer, for a client that proves itself.

        Raises `NotAuthentic` where it does not, and `NotGranted` for what is no such request.
        """


class Puller(Protocol):
    """What the modules of `PULLERS` offer beside: questions, whose answers are `pulled` deliveries.

    An account's option `pull` holds what its questions need; ValueError says what is wrong in it.
    """

    PULL_BATCH: int
    """Parcels that one question may ask about."""
    PULL_ANSWERS: frozenset[int]
    """The statuses of answers that tell something; that nothing is known is told too."""

    def pull(
        self, account: Account, numbers: Sequence[str], now: datetime, token: str
    ) -> HttpRequest:
        """The question about these numbers; `token` is empty where none is needed."""


class TokenPuller(Puller, Protocol):
    """What the modules of `TOKEN_PULLERS` offer beside: their questions carry a token."""

    def pull_token(self, account: Account) -> HttpRequest:
        """The call that brings a token."""

    def token_in(self, body: bytes) -> str:
        """The token in the answer to that call. Raises `Unreadable` where there is none."""
