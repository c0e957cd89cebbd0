"""How each carrier's sender signs, in one table: what the tests of all sources start from."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlencode

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from shipclock.sources import (
    Account,
    aftership,
    easypost,
    easyship,
    fedex,
    flashexpress,
    jtexpress,
    karrio,
    lalamove,
    ninjavan,
    seventeentrack,
    ship24,
    shipbob,
    shipengine,
    shipmonk,
    shippo,
    standard_webhooks,
    tokens,
    ups,
)
from shipclock.sources.mapped import Mapped, load
from tests.builders import REAL, sample, samples

Signed = tuple[dict[str, str], bytes]
"""The headers of a request, and its body as it is sent: some signatures stand in the body."""


@dataclass(frozen=True)
class Sender:
    """A sender as it is: how it signs what it sends.

    `sign` takes a sample's JSON as bytes, a secret and the real time. `covers_body` is false where
    the proof is not made of the body; `signed` says what of a body is proven, where that is not all
    of it and only that is read. `options` are what its accounts are told with beside; `proof`
    the headers no character of which may change; `tolerance` the seconds for which its own time is
    good, None where it has none; `ahead` those for which it may lie in the future, as many where
    that is None.
    """

    module: ModuleType | Mapped
    secret: str
    other: str
    sign: Callable[[bytes, str, datetime], Signed]
    covers_body: bool = True
    signed: Callable[[bytes], object] | None = None
    options: Mapping[str, Any] | None = None
    proof: tuple[str, ...] = ()
    tolerance: int | None = None
    ahead: int | None = None

    @property
    def form(self) -> bool:
        return bool(self.module.FORM)

    def same(self, one: bytes, other: bytes) -> bool:
        """Whether two bodies say the same to its scheme: a form may be spelt in several ways."""
        proven = _fields if self.form else self.signed
        return proven is not None and proven(one) == proven(other)

    @property
    def name(self) -> str:
        return str(self.module.NAME)

    def account(self, *secrets: str, name: str = "default") -> Account:
        return Account(name, secrets or (self.secret,), (), self.options or {})

    def send(self, body: bytes, secret: str = "", at: datetime = REAL) -> Signed:
        return self.sign(body, secret or self.secret, at)

    def verify(self, sent: Signed, *accounts: Account, at: datetime = REAL) -> Account:
        found: Account = self.module.verify(*sent, accounts or (self.account(),), at)
        return found

    @property
    def bodies(self) -> list[bytes]:
        """All samples of it, as they are given to `sign`."""
        return [as_json(sample(path)) for path in samples(self.name)]


def _fields(form: bytes) -> object:
    try:
        return parse_qs(form.decode(), keep_blank_values=True, strict_parsing=True)
    except ValueError:
        return form


def as_json(found: object) -> bytes:
    return json.dumps(found).encode()


ONE, TWO = "synthetic-one", "synthetic-two"


def _by_header(module: ModuleType) -> Sender:
    """A sender that signs the body alone, in one header."""

    def sign(body: bytes, secret: str, at: datetime) -> Signed:
        return {module.HEADER: module.sign(secret, body)}, body

    return Sender(module, ONE, TWO, sign, proof=(module.HEADER,))


def unix(at: datetime) -> str:
    return str(int(at.timestamp()))


def _standard(body: bytes, secret: str, at: datetime) -> Signed:
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": unix(at),
        "webhook-signature": standard_webhooks.sign(secret, "msg_1", unix(at), body),
    }
    return headers, body


def _shippo(body: bytes, secret: str, at: datetime) -> Signed:
    return {shippo.HEADER: shippo.sign(secret, unix(at), body)}, body


class Keyed:
    """Keys of an RSA sender: made anew for each run, so that none lies about in the repository."""

    def __init__(self, *ids: str) -> None:
        self.private = {each: rsa.generate_private_key(65537, 2048) for each in ids}

    def entry(self, key_id: str, **changes: Any) -> dict[str, Any]:
        """A key as it stands in a set of keys; what is changed to None is left out."""
        numbers = self.private[key_id].public_key().public_numbers()
        entry = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": key_id,
            "n": base64url(numbers.n),
            "e": base64url(numbers.e),
        } | changes
        return {name: value for name, value in entry.items() if value is not None}

    def document(self, *ids: str) -> str:
        """A set of keys, of all of them where none is named."""
        return json.dumps({"keys": [self.entry(each) for each in ids or self.private]})

    def sign(self, body: bytes, key_id: str, timestamp: str) -> Signed:
        signed = timestamp.encode() + b"." + body
        signature = self.private[key_id].sign(signed, PKCS1v15(), SHA256())
        headers = {
            shipengine.KEY_ID: key_id,
            shipengine.SIGNATURE: base64.b64encode(signature).decode(),
            shipengine.TIME: timestamp,
        }
        return headers, body


def base64url(number: int) -> str:
    whole = number.to_bytes((number.bit_length() + 7) // 8)
    return base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


KEYS = Keyed("key-one", "key-two")


def _shipengine(body: bytes, secret: str, at: datetime) -> Signed:
    """By the first of the keys that the secret holds."""
    key_id: str = json.loads(secret)["keys"][0]["kid"]
    return KEYS.sign(body, key_id, at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def _jtexpress(body: bytes, secret: str, at: datetime) -> Signed:
    """The samples hold the content of the form."""
    content = body.decode()
    headers = {jtexpress.HEADER: jtexpress.sign(secret, content)}
    return headers, urlencode({jtexpress.CONTENT: content}).encode()


def _ups(body: bytes, secret: str, at: datetime) -> Signed:
    """A token is fetched before, with the secret."""
    request = urlencode(
        {"grant_type": "client_credentials", "client_id": "default", "client_secret": secret}
    )
    answer = json.loads(ups.grant({}, request.encode(), [Account("default", (secret,))], at))
    return {ups.BEARER: f"Bearer {answer['access_token']}", ups.CLIENT: "default"}, body


def _easyship(body: bytes, secret: str, at: datetime) -> Signed:
    return {easyship.HEADER: easyship.sign(secret, {easyship.COMPANY: "SYN100000"})}, body


def _by_secret(module: ModuleType, before: str = "") -> Sender:
    """A sender that sends the secret itself, in one header."""

    def sign(body: bytes, secret: str, at: datetime) -> Signed:
        return {module.HEADER: before + secret}, body

    return Sender(module, ONE, TWO, sign, covers_body=False, proof=(module.HEADER,))


def _shipmonk(body: bytes, secret: str, at: datetime) -> Signed:
    headers = {
        "authorization": "Basic " + base64.b64encode(b"monk:word").decode(),
        shipmonk.HEADER: shipmonk.sign(secret, body).hex(),
    }
    return headers, body


def _shipbob(body: bytes, secret: str, at: datetime) -> Signed:
    return _standard(body, secret, at)[0] | {shipbob.TOPIC: "order.shipment.tracking.updated"}, body


def _flashexpress(body: bytes, secret: str, at: datetime) -> Signed:
    """The samples hold the data of the form."""
    fields = {
        "mchId": "SYN101",
        "nonceStr": unix(at),
        "sign": flashexpress.sign(secret, "SYN101", unix(at)),
        "data": body.decode(),
    }
    return {}, urlencode(fields).encode()


LALAMOVE = {"path": "/webhooks/carriers/lalamove", "api_key": "pk_synthetic"}


def _lalamove(body: bytes, secret: str, at: datetime) -> Signed:
    """The samples hold the data alone: nothing else is signed."""
    mac = lalamove.sign(secret, unix(at), LALAMOVE["path"], body.decode())
    told = {
        "apiKey": LALAMOVE["api_key"],
        "timestamp": int(unix(at)),
        "signature": mac,
        "eventId": "00000000-0000-4000-8000-000000000101",
        "eventType": "ORDER_STATUS_CHANGED",
        "eventVersion": "v3",
    }
    return {}, as_json(told)[:-1] + b', "data": ' + body + b"}"


def _of_lalamove(body: bytes) -> object:
    """What is signed of a body, by another reader; the body where that is no JSON object."""
    try:
        told = dict(json.loads(body))
        return [told[name] for name in ("timestamp", "signature", "data")]
    except (KeyError, TypeError, ValueError):
        return body


STANDARD = ("webhook-id", "webhook-timestamp", "webhook-signature")
WHSEC_ONE, WHSEC_TWO = "whsec_c3ludGhldGljLW9uZS0wMDAwMDE=", "whsec_c3ludGhldGljLXR3by0wMDAwMDI="


def _example(body: bytes, secret: str, at: datetime) -> Signed:
    text = unix(at).encode() + b"." + body
    signature = "sha256=" + hmac.new(secret.encode(), text, "sha256").hexdigest()
    return {"x-example-time": unix(at), "x-example-signature": signature}, body


SENDERS = {
    sender.name: sender
    for sender in (
        _by_header(aftership),
        _by_header(easypost),
        _by_header(fedex),
        Sender(
            easyship,
            ONE,
            TWO,
            _easyship,
            covers_body=False,
            options={"company_id": "SYN100000"},
            proof=(easyship.HEADER,),
        ),
        Sender(
            load("example_3pl"),
            ONE,
            TWO,
            _example,
            proof=("x-example-time", "x-example-signature"),
            tolerance=300,
        ),
        Sender(jtexpress, ONE, TWO, _jtexpress, proof=(jtexpress.HEADER,)),
        _by_secret(karrio),
        _by_header(ninjavan),
        _by_header(seventeentrack),
        _by_secret(ship24, ship24.SCHEME),
        Sender(
            shipengine,
            KEYS.document("key-one"),
            KEYS.document("key-two"),
            _shipengine,
            proof=shipengine.EVIDENCE,
            tolerance=shipengine.TOLERANCE,
        ),
        Sender(flashexpress, ONE, TWO, _flashexpress, covers_body=False),
        Sender(
            lalamove,
            ONE,
            TWO,
            _lalamove,
            signed=_of_lalamove,
            options=LALAMOVE,
            tolerance=lalamove.TOLERANCE,
        ),
        Sender(
            shipbob,
            WHSEC_ONE,
            WHSEC_TWO,
            _shipbob,
            proof=STANDARD,
            tolerance=shipbob.TOLERANCE,
        ),
        Sender(
            shipmonk,
            ONE,
            TWO,
            _shipmonk,
            options={"basic": "monk:word"},
            proof=(shipmonk.HEADER, "authorization"),
        ),
        Sender(shippo, ONE, TWO, _shippo, proof=(shippo.HEADER,), tolerance=shippo.TOLERANCE),
        Sender(
            standard_webhooks,
            WHSEC_ONE,
            WHSEC_TWO,
            _standard,
            proof=STANDARD,
            tolerance=standard_webhooks.TOLERANCE,
        ),
        Sender(
            ups,
            ONE,
            TWO,
            _ups,
            covers_body=False,
            proof=(ups.BEARER, ups.CLIENT),
            tolerance=tokens.LIFETIME,
            ahead=tokens.AHEAD,
        ),
    )
}
"""Every carrier with a module. A mapping may stand here too, and then all of these tests are its
own as well."""
