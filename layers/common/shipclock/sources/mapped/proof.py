"""How a sender that is told by a mapping proves itself: one class for each strategy.

Only what a sender says under a signature over its bodies is certainly its own. A secret that it
sends along proves who speaks, and not what was said: its scans are unconfirmed.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shipclock.domain.times import parse
from shipclock.sources import Account, Headers, NotAuthentic, standard_webhooks
from shipclock.sources.signatures import key_of, same, sent, signer

AUTHORIZATION = "authorization"

LONGEST_HEADER = 1000
"""Characters of a header that a time is looked for in; a signature has two hundred."""

PART = re.compile(r"\{([^{}]*)\}")
"""A part of a signed text or of a header's value; around it stands what is the same every time."""

ALGORITHMS = ("sha1", "sha256", "sha512")
ENCODINGS: Mapping[str, Callable[[bytes], str]] = {
    "hex": bytes.hex,
    "HEX": lambda mac: mac.hex().upper(),
    "base64": lambda mac: base64.b64encode(mac).decode(),
}
PAIR = "user:password"
KEYS = ("text", "base64", "hex")
"""What a secret's text is: the key itself, or the key written in one of these."""


class Strategy(Protocol):
    """What every strategy offers."""

    @property
    def evidence(self) -> tuple[str, ...]:
        """Headers that prove a delivery again later, none of which is a secret."""

    @property
    def covers_body(self) -> bool:
        """Whether the proof is made of the whole body."""

    @property
    def shape(self) -> str:
        """What a secret is: `text`, `base64`, `hex`, `user:password` or `whsec`."""

    def verify(
        self, name: str, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> Account:
        """As `Source.verify`; `name` is the mapping's, for messages."""

    def asks(self) -> str:
        """What is expected of a sender, in words that show no secret."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The time of sending, as a signature holds it: where it stands and how it is written.

    `header` is empty where it stands in the signature's own header.
    """

    header: str
    form: str
    tolerance: int

    def check(self, text: str, now: datetime) -> None:
        """Raises `NotAuthentic` where it is no such time, or too far off."""
        try:
            off = abs(now.timestamp() - STAMPS[self.form](text))
        except ValueError:
            raise NotAuthentic(f"the time of sending is not written as {self.form}") from None
        if off > self.tolerance:
            raise NotAuthentic(f"the time of sending is more than {self.tolerance} seconds off")


def _number(text: str, digits: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise ValueError("no plain number")
    return int(text)


STAMPS: Mapping[str, Callable[[str], float]] = {
    "unix": lambda text: _number(text, 11),
    "unix_ms": lambda text: _number(text, 14) / 1000,
    "iso": lambda text: parse(text).timestamp(),
}
"""Ways to write the time of sending, read as Unix seconds."""


@dataclass(frozen=True, slots=True)
class Hmac:
    """An HMAC over a text that is put together from parts of the request.

    `value` is how the header is written, `signed` the text, both with parts in braces. `stamp` is
    None where no time is signed.
    """

    header: str
    algorithm: str = "sha256"
    encoding: str = "hex"
    key: str = "text"
    value: str = "{signature}"
    signed: str = "{body}"
    stamp: Stamp | None = None

    @property
    def evidence(self) -> tuple[str, ...]:
        """The signature, and all headers that it was made of."""
        stamp = self.stamp.header if self.stamp else ""
        named = [part[7:] for part in PART.findall(self.signed) if part.startswith("header:")]
        return tuple(dict.fromkeys(filter(None, [self.header, stamp, *named])))

    @property
    def covers_body(self) -> bool:
        """Whether the body is one of the parts."""
        return "{body}" in self.signed

    @property
    def shape(self) -> str:
        """How the key is written."""
        return self.key

    def verify(
        self, name: str, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> Account:
        """The account that signed; the time of sending is looked at first."""
        given = sent(headers, self.header)
        stamp = self.stamp_of(headers, given)
        if self.stamp:
            self.stamp.check(stamp, now)
        text = self.text(headers, body, stamp)
        return signer(
            accounts,
            lambda secret: same(self.sign(name, secret, text, stamp), given),
            f"the {self.header} header",
        )

    def sign(self, name: str, secret: str, text: bytes, stamp: str = "") -> str:
        """The header's value for a signed text. Raises ValueError, which never quotes the secret,
        where it is none."""
        mac = hmac.new(_key(name, secret, self.key), text, getattr(hashlib, self.algorithm))
        parts = {"signature": ENCODINGS[self.encoding](mac.digest()), "timestamp": stamp}
        return PART.sub(lambda part: parts[part[1]], self.value)

    def text(self, headers: Headers, body: bytes, stamp: str) -> bytes:
        """The text that is signed. Raises `NotAuthentic` where a header of it lacks."""
        found = b""
        at = 0
        for part in PART.finditer(self.signed):
            found += self.signed[at : part.start()].encode()
            at = part.end()
            if part[1] == "body":
                found += body
            elif part[1] == "timestamp":
                found += _bytes(stamp)
            else:
                found += _bytes(_needed(headers, part[1].removeprefix("header:")))
        return found + self.signed[at:].encode()

    def stamp_of(self, headers: Headers, given: str) -> str:
        """The time of sending as it is written; empty where none is signed. Raises
        `NotAuthentic` where it is not there."""
        if not self.stamp:
            return ""
        if self.stamp.header:
            return _needed(headers, self.stamp.header)
        written = "".join(
            re.escape(text) if at % 2 == 0 else f"(?P<{text}>[^,;= ]+=*)"
            for at, text in enumerate(PART.split(self.value))
        )
        found = re.fullmatch(written, given) if len(given) <= LONGEST_HEADER else None
        if not found:
            raise NotAuthentic(f"the {self.header} header is not written as {self.value}")
        return found["timestamp"]

    def asks(self) -> str:
        """The header, its value, and what is signed."""
        where = self.stamp and (self.stamp.header or self.header)
        time = f"; the time stands in {where}, as {self.stamp.form}" if self.stamp else ""
        key = "" if self.key == "text" else f", the secret read as {self.key}"
        return (
            f"header {self.header}, written {self.value!r}: the {self.encoding} "
            f"HMAC-{self.algorithm.upper()} of {self.signed!r}{key}{time}"
        )


def _needed(headers: Headers, name: str) -> str:
    found = headers.get(name, "")
    if not found:
        raise NotAuthentic(f"the {name} header is missing, which is part of what is signed")
    return found


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _key(name: str, secret: str, written: str) -> bytes:
    """A secret's bytes. An empty key would let anybody sign."""
    key = key_of(secret, name)
    if written == "text":
        return key
    try:
        key = base64.b64decode(key, validate=True) if written == "base64" else bytes.fromhex(secret)
    except ValueError:
        key = b""
    if not key:
        raise ValueError(f"a {name} secret must be written in {written}") from None
    return key


@dataclass(frozen=True, slots=True)
class StandardWebhooks:
    """As the public Standard Webhooks specification says (`carriers.md` section 3)."""

    evidence: tuple[str, ...] = standard_webhooks.EVIDENCE
    covers_body: bool = True
    shape: str = "whsec"

    def verify(
        self, name: str, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> Account:
        """The account that signed id, time and body."""
        try:
            return standard_webhooks.verify(headers, body, accounts, now)
        except ValueError:
            raise ValueError(f"a {name} secret must be whsec_ and base64") from None

    def asks(self) -> str:
        """The three headers."""
        return "the headers webhook-id, webhook-timestamp and webhook-signature (or svix-…)"


@dataclass(frozen=True, slots=True)
class Shared:
    """A secret that is sent along as it is, and proves nothing of the body.

    `scheme` is the word before it in an authorization header, in any case; `value` how the header
    is written otherwise.
    """

    header: str = AUTHORIZATION
    scheme: str = ""
    value: str = "{secret}"
    shape: str = "text"
    evidence: tuple[str, ...] = ()  # the header is the secret
    covers_body: bool = False

    def verify(
        self, name: str, headers: Headers, body: bytes, accounts: Sequence[Account], now: datetime
    ) -> Account:
        """The account whose secret was sent."""
        given = sent(headers, self.header)
        if self.scheme:
            scheme, _, given = given.partition(" ")
            if scheme.lower() != self.scheme.lower():
                raise NotAuthentic(f"the {self.header} header does not begin with {self.scheme}")
        return signer(
            accounts,
            lambda secret: same(self.sign(name, secret), given),
            f"the {self.header} header",
        )

    def sign(self, name: str, secret: str) -> str:
        """The header's value, without its scheme. Raises ValueError where the secret is none."""
        key = key_of(secret, name)
        if self.shape == PAIR:
            if b":" not in key:
                raise ValueError(f"a {name} secret must be user:password")
            return base64.b64encode(key).decode()
        return PART.sub(lambda _: secret, self.value)

    def asks(self) -> str:
        """The header and how it is written."""
        if self.shape == PAIR:
            return f"header {self.header}: {self.scheme} and the base64 of user:password"
        written = f"{self.scheme} {{secret}}" if self.scheme else self.value
        return f"header {self.header}, written {written!r}"
