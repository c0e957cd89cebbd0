"""Certificates made up on the spot: one authority, and whom it certifies. No key lies about."""

import secrets
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PrivateKey = ec.EllipticCurvePrivateKey


def new_key() -> PrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class Authority:
    """Who certifies; a test trusts it, nobody else does."""

    name: str = "made-up authority"
    key: PrivateKey = field(default_factory=new_key)

    def _certified(
        self, name: str, key: PrivateKey, until: datetime, *extensions: x509.ExtensionType
    ) -> str:
        told = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(until - timedelta(days=30))
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        )
        for extension in extensions:
            told = told.add_extension(extension, isinstance(extension, x509.BasicConstraints))
        return told.sign(self.key, SHA256()).public_bytes(Encoding.PEM).decode()

    @cached_property
    def certificate(self) -> str:
        """Its own, which says that it may certify others."""
        until = datetime.now(UTC) + timedelta(days=20)
        signs = dict.fromkeys(KEY_USAGE, False) | {"key_cert_sign": True}
        may = x509.BasicConstraints(ca=True, path_length=None), x509.KeyUsage(**signs)
        return self._certified(self.name, self.key, until, *may)

    def trusting(self) -> ssl.SSLContext:
        """What a client that trusts this authority, and nobody else, goes by."""
        return ssl.create_default_context(cadata=self.certificate)

    def server(self, host: str, folder: Path, expired: bool = False) -> ssl.SSLContext:
        """What a server that is certified as that host goes by."""
        key = new_key()
        certificate = self._certified(
            host,
            key,
            datetime.now(UTC) + timedelta(days=-1 if expired else 10),
            x509.SubjectAlternativeName([x509.DNSName(host)]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
        )
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        chain = folder / f"{secrets.token_hex(4)}.pem"
        chain.write_text(private.decode() + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context


KEY_USAGE = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)
