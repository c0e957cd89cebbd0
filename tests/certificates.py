"""Certificates made up on the spot, so that no key lies about: an authority, and whom it certifies.

P-256 and the little of DER that it takes, in plain Python. For tests only: it is slow and leaks its
key to whoever measures it.
"""

import base64
import hashlib
import secrets
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BASE = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None


def added(one: Point, other: Point) -> Point:
    """The sum of two points of the curve."""
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    top, bottom = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = top * pow(bottom, -1, P) % P
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def times(scalar: int, point: Point = BASE) -> Point:
    """A point added to itself that often."""
    total: Point = None
    while scalar:
        if scalar & 1:
            total = added(total, point)
        point, scalar = added(point, point), scalar >> 1
    return total


def der(tag: int, *parts: bytes) -> bytes:
    """One value with its tag and length."""
    body = b"".join(parts)
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + body


def integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    found = bytearray([40 * first + second])
    for arc in rest:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.insert(0, arc & 0x7F | 0x80)
        found += bytes(groups)
    return der(0x06, bytes(found))


def sequence(*parts: bytes) -> bytes:
    return der(0x30, *parts)


def extension(dotted: str, *value: bytes, critical: bool = False) -> bytes:
    flag = der(0x01, b"\xff") if critical else b""
    return sequence(oid(dotted), flag, der(0x04, *value))


def named(name: str) -> bytes:
    return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0C, name.encode()))))


SIGNED_BY = sequence(oid("1.2.840.10045.4.3.2"))
CURVE = oid("1.2.840.10045.3.1.7")
CA_ONLY = der(0x01, b"\xff")


@dataclass(frozen=True)
class Key:
    """A private key."""

    secret: int = field(default_factory=lambda: secrets.randbelow(ORDER - 1) + 1)

    @cached_property
    def point(self) -> bytes:
        found = times(self.secret)
        assert found is not None
        return b"\x04" + b"".join(part.to_bytes(32) for part in found)

    @property
    def identifier(self) -> bytes:
        return hashlib.sha1(self.point, usedforsecurity=False).digest()

    def sign(self, message: bytes) -> bytes:
        told, nonce = int.from_bytes(hashlib.sha256(message).digest()), secrets.randbelow(ORDER)
        at = times(nonce)
        assert at is not None
        r = at[0] % ORDER
        s = pow(nonce, -1, ORDER) * (told + r * self.secret) % ORDER
        return sequence(integer(r), integer(s))

    def pem(self) -> str:
        public = der(0xA1, der(0x03, b"\x00", self.point))
        told = sequence(integer(1), der(0x04, self.secret.to_bytes(32)), der(0xA0, CURVE), public)
        return pem("EC PRIVATE KEY", told)


def pem(kind: str, told: bytes) -> str:
    text = base64.encodebytes(told).decode().replace("\n", "")
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n"


@dataclass(frozen=True)
class Authority:
    """Who certifies; tests trust it, nobody else does."""

    name: str = "made-up authority"
    key: Key = field(default_factory=Key)

    def _certified(self, name: str, key: Key, until: datetime, *extensions: bytes) -> str:
        begins = until - timedelta(days=30)
        spans = [der(0x17, at.strftime("%y%m%d%H%M%SZ").encode()) for at in (begins, until)]
        public = sequence(sequence(oid("1.2.840.10045.2.1"), CURVE), der(0x03, b"\x00", key.point))
        told = sequence(
            der(0xA0, integer(2)),
            integer(secrets.randbits(64)),
            SIGNED_BY,
            named(self.name),
            sequence(*spans),
            named(name),
            public,
            der(0xA3, sequence(*extensions)),
        )
        return pem(
            "CERTIFICATE", sequence(told, SIGNED_BY, der(0x03, b"\x00", self.key.sign(told)))
        )

    @cached_property
    def certificate(self) -> str:
        """Its own, which says that it may certify others."""
        return self._certified(
            self.name,
            self.key,
            datetime.now(UTC) + timedelta(days=20),
            extension("2.5.29.19", sequence(CA_ONLY), critical=True),
            extension("2.5.29.15", der(0x03, b"\x02\x04"), critical=True),
            extension("2.5.29.14", der(0x04, self.key.identifier)),
        )

    def trusting(self) -> ssl.SSLContext:
        """What a client that trusts this authority, and nobody else, goes by."""
        return ssl.create_default_context(cadata=self.certificate)

    def server(self, host: str, folder: Path, expired: bool = False) -> ssl.SSLContext:
        """What a server that is certified as that host goes by."""
        key = Key()
        until = datetime.now(UTC) + timedelta(days=-1 if expired else 10)
        certificate = self._certified(
            host,
            key,
            until,
            extension("2.5.29.17", sequence(der(0x82, host.encode()))),
            extension("2.5.29.15", der(0x03, b"\x07\x80"), critical=True),
            extension("2.5.29.14", der(0x04, key.identifier)),
            extension("2.5.29.35", sequence(der(0x80, self.key.identifier))),
        )
        chain = folder / f"{secrets.token_hex(4)}.pem"
        chain.write_text(key.pem() + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context
