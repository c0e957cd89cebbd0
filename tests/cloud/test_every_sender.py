"""Every sender calls the deployed functions as it really does: signed here, not by the product.

What it is signed with is what `.local/stack.json` gives to outside callers.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cli import local
from shipclock.sources import CARRIERS, MODULES
from tests.builders import sample_bytes
from tests.cloud.client import Client

pytestmark = pytest.mark.cloud

Material = Mapping[str, Any]
Sent = tuple[dict[str, str], bytes]
Sign = Callable[[bytes, Material], Sent]

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def mac(body: bytes, material: Material, name: str = "sha256") -> bytes:
    return hmac.new(material["secret"].encode(), body, name).digest()


def base64_of(header: str, prefix: str = "") -> Sign:
    def sign(body: bytes, material: Material) -> Sent:
        value = prefix + base64.b64encode(mac(body, material)).decode()
        return {**JSON, header: value}, body

    return sign


def secret_in(header: str, prefix: str = "") -> Sign:
    return lambda body, material: ({**JSON, header: prefix + material["secret"]}, body)


def easypost(body: bytes, material: Material) -> Sent:
    return {**JSON, "X-Hmac-Signature": f"hmac-sha256-hex={mac(body, material).hex()}"}, body


def seventeentrack(body: bytes, material: Material) -> Sent:
    signed = hashlib.sha256(body + b"/" + material["secret"].encode())
    return {**JSON, "sign": signed.hexdigest()}, body


def shippo(body: bytes, material: Material) -> Sent:
    now = str(int(time.time()))
    signed = mac(f"{now}.".encode() + body, material).hex()
    return {**JSON, "Shippo-Auth-Signature": f"t={now},v1={signed}"}, body


def standard_webhooks(body: bytes, material: Material) -> Sent:
    told, now = f"msg_{time.time_ns()}", str(int(time.time()))
    key = base64.b64decode(material["secret"].removeprefix("whsec_"))
    signed = hmac.new(key, f"{told}.{now}.".encode() + body, "sha256").digest()
    return {
        **JSON,
        "Webhook-Id": told,
        "Webhook-Timestamp": now,
        "Webhook-Signature": "v1," + base64.b64encode(signed).decode(),
    }, body


def jtexpress(body: bytes, material: Material) -> Sent:
    digest = hashlib.md5(body + material["secret"].encode(), usedforsecurity=False).digest()
    headers = {**FORM, "apiAccount": "1", "digest": base64.b64encode(digest).decode()}
    return headers, urlencode({"bizContent": body.decode()}).encode()


def easyship(body: bytes, material: Material) -> Sent:
    token = jwt.encode({"easyship_company_id": "SYN1"}, material["secret"], "HS256")
    return {**JSON, "X-EASYSHIP-SIGNATURE": token}, body


def shipengine(body: bytes, material: Material) -> Sent:
    key = serialization.load_pem_private_key(material["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signed = key.sign(f"{now}.".encode() + body, padding.PKCS1v15(), hashes.SHA256())
    return {
        **JSON,
        "X-ShipEngine-RSA-SHA256-Key-Id": material["key_id"],
        "X-ShipEngine-RSA-SHA256-Signature": base64.b64encode(signed).decode(),
        "X-ShipEngine-Timestamp": now,
    }, body


def flashexpress(body: bytes, material: Material) -> Sent:
    merchant, nonce = "SYN101", str(time.time_ns())
    signed = f"mchId={merchant}&nonceStr={nonce}&key={material['secret']}".encode()
    fields = {"mchId": merchant, "nonceStr": nonce, "data": body.decode()}
    fields["sign"] = hashlib.sha256(signed).hexdigest().upper()
    return FORM, urlencode(fields).encode()


def lalamove(body: bytes, material: Material) -> Sent:
    now, body = int(time.time()), body.strip()  # what stands around it is not signed
    signed = f"{now}\r\nPOST\r\n{material['path']}\r\n\r\n".encode() + body
    told = {
        "apiKey": material["api_key"],
        "timestamp": now,
        "signature": mac(signed, material).hex(),
    }
    told |= {"eventId": f"{time.time_ns()}", "eventType": "ORDER_STATUS_CHANGED"}
    return JSON, json.dumps(told).encode()[:-1] + b', "data": ' + body + b"}"


def shipbob(body: bytes, material: Material) -> Sent:
    headers, sent = standard_webhooks(body, material)
    return {**headers, "x-webhook-topic": "order.shipment.delivered"}, sent


def shipmonk(body: bytes, material: Material) -> Sent:
    return {**JSON, "X-Sm-Signature": mac(body, material, "sha512").hex()}, body


def example_3pl(body: bytes, material: Material) -> Sent:
    now = str(int(time.time()))
    signed = "sha256=" + mac(f"{now}.".encode() + body, material).hex()
    return {**JSON, "X-Example-Time": now, "X-Example-Signature": signed}, body


SIGN: dict[str, Sign] = {
    "aftership": base64_of("aftership-hmac-sha256"),
    "easypost": easypost,
    "easyship": easyship,
    "example_3pl": example_3pl,
    "fedex": base64_of("fdx-signature"),
    "flashexpress": flashexpress,
    "jtexpress": jtexpress,
    "karrio": secret_in("X-Event-Id"),
    "lalamove": lalamove,
    "ninjavan": base64_of("X-Ninjavan-Hmac-Sha256"),
    "seventeentrack": seventeentrack,
    "ship24": secret_in("Authorization", "Bearer "),
    "shipbob": shipbob,
    "shipengine": shipengine,
    "shipmonk": shipmonk,
    "shippo": shippo,
    "standard_webhooks": standard_webhooks,
    "ups": secret_in("Authorization", "Bearer "),
}


@pytest.fixture
def client(stack: local.Stack) -> Client:
    return Client(stack)


def call(client: Client, source: str, sent: Sent, path: str = "") -> tuple[int, bytes]:
    headers, body = sent
    url = f"{client.stack.ingest_url}/webhooks/carriers/{source}{path}"
    return client.send("POST", url, list(headers.items()), body)


def test_every_source_has_its_sender_here() -> None:
    assert {*MODULES, "example_3pl"} <= set(SIGN) <= set(CARRIERS)


@pytest.mark.parametrize("source", SIGN)
def test_what_a_sender_signs_becomes_events_and_what_is_bent_does_not(
    client: Client, source: str
) -> None:
    body = sample_bytes(f"{source}/delivered.json")
    material = client.stack.sources[source]
    headers, sent = SIGN[source](body, material)
    assert call(client, source, (headers, sent))[0] == 200
    unsigned = {name: value for name, value in headers.items() if name == "Content-Type"}
    if headers != unsigned:
        assert call(client, source, (unsigned, sent))[0] == 401
    assert call(client, source, SIGN[source](body, {**material, **wrong(material)}))[0] == 401
    client.sweep_until_quiet(datetime.now(UTC))
    assert scans(client, source), "nothing became of it"


def wrong(material: Material) -> dict[str, str]:
    """Other material of the same kind."""
    if "private_key" in material:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        kind = serialization.PrivateFormat.PKCS8
        plain = serialization.NoEncryption()
        return {"private_key": key.private_bytes(serialization.Encoding.PEM, kind, plain).decode()}
    if str(material["secret"]).startswith("whsec_"):
        return {"secret": "whsec_" + base64.b64encode(b"another secret of theirs").decode()}
    return {"secret": "another secret, as long as theirs is"}


def scans(client: Client, source: str) -> list[dict[str, Any]]:
    """The scans in the table that this source has told."""
    rows = client.stack.client("dynamodb").scan(
        TableName=client.stack.outputs["TableName"],
        FilterExpression="begins_with(pk, :number) and begins_with(sk, :event)",
        ExpressionAttributeValues={":number": {"S": "NUMBER#"}, ":event": {"S": "EVENT#"}},
    )["Items"]
    told = [json.loads(row["doc"]["S"]) for row in rows]
    return [scan for scan in told if scan["source"] == source]


def test_lalamove_looks_whether_the_address_answers_before_it_is_saved(client: Client) -> None:
    for source, expected in (("lalamove", 200), ("karrio", 400)):
        url = f"{client.stack.ingest_url}/webhooks/carriers/{source}"
        for method in ("POST", "GET"):
            assert client.send(method, url, [])[0] == expected


def test_ups_fetches_its_token_from_us_and_calls_with_it(client: Client) -> None:
    material = client.stack.sources["ups"]
    named = f"{material['client_id']}:{material['secret']}".encode()
    basic = {**FORM, "Authorization": "Basic " + base64.b64encode(named).decode()}
    status, answer = call(client, "ups", (basic, b"grant_type=client_credentials"), "/token")
    assert status == 200
    token = json.loads(answer)
    assert token["token_type"] == "Bearer"
    headers = {**JSON, "Authorization": f"Bearer {token['access_token']}"}
    headers["x-api-key"] = material["client_id"]
    assert call(client, "ups", (headers, sample_bytes("ups/picked_up.json")))[0] == 200
    wrong_one = {**basic, "Authorization": "Basic " + base64.b64encode(b"x:y").decode()}
    assert call(client, "ups", (wrong_one, b"grant_type=client_credentials"), "/token")[0] == 401
