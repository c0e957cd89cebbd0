"""What each carrier's callback costs to prove and to read, against libraries that others wrote.

Measured per delivery, in one process and in turns: `verify` (the sender proven, over the raw bytes)
and `translate` (the body read into events). Against the vendor's or the scheme's own library where
there is one: `easypost`, `standardwebhooks`, `svix`, PyJWT (Easyship's token; ShipEngine's RSA with
the key of its set), the models of `aftership-tracking-sdk` and `shippo`. Else against the least
that can be done: Python's own hash over the body and a comparison in constant time, and
`json.loads`, which reads no more than the letters. The libraries do not do the same: those that
verify say yes or no, those that model build an object and map no code. Their verdict on the same
delivery is asserted before anything is measured.
"""

import base64
import hashlib
import hmac
import importlib
import json
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import easypost
import jwt
import standardwebhooks
import svix
from jwt.algorithms import RSAAlgorithm

from benchmarks.measure import Outcome, Table, alternately, medians, micros, ratio, seconds_each
from shipclock.reading import Unreadable
from shipclock.sources import Delivery
from tests.sources.senders import SENDERS, Sender, Signed

Work = Callable[[], object]
FLOOR = "hash"


def run(quick: bool) -> Outcome:
    """Measure every source, in turns."""
    warnings.simplefilter("ignore")  # made-up secrets are shorter than one of them likes
    outcome = Outcome("sources", "median us per delivery: the product | a library of others")
    rows: list[tuple[str, ...]] = []
    for sender in SENDERS.values():
        rows.append(_measured(sender, outcome, quick))
    columns = ("source", "bytes", "verify", "peer", "ratio", "translate", "scans", "peer", "ratio")
    outcome.tables.append(Table(columns, rows))
    outcome.notes += [
        "Peers of verify: "
        + ", ".join(f"{name} {' and '.join(sorted(peers))}" for name, peers in VERIFIERS.items())
        + f"; all others {FLOOR} and compare.",
        "Peers of translate: "
        + ", ".join(f"{name} {peer}" for name, (peer, _) in READERS.items())
        + "; all others json.loads.",
        "Of several peers the quicker one is shown; --json has all.",
    ]
    return outcome


def _measured(sender: Sender, outcome: Outcome, quick: bool) -> tuple[str, ...]:
    now = datetime.now(UTC)  # some libraries look at the real clock
    body, scans = _longest(sender)
    sent = sender.send(body, at=now)
    accounts = (sender.account(),)
    told = Delivery(sender.name, "default", sent[1], now)
    works: dict[str, Work] = {
        "verify": lambda: sender.module.verify(*sent, accounts, now),
        "translate": lambda: sender.module.translate(told),
    }
    verifiers = VERIFIERS.get(sender.name, {FLOOR: _hashed})
    for name, make in verifiers.items():
        works[f"verify: {name}"] = make(sender, sent)
    reader, make_reader = READERS.get(sender.name, ("json.loads", _loaded))
    works[f"read: {reader}"] = make_reader(body)
    for work in works.values():
        assert work() is not False
    times, rounds = (50, 3) if quick else (300, 9)
    measures = {name: seconds_each(work, times) for name, work in works.items()}
    found = medians(alternately(measures, rounds))
    outcome.figures[sender.name] = {name: figure * 1e6 for name, figure in found.items()}
    peer = min(figure for name, figure in found.items() if name.startswith("verify: "))
    read = found[f"read: {reader}"]
    return (
        sender.name,
        str(len(sent[1])),
        micros(found["verify"]),
        micros(peer),
        ratio(found["verify"], peer),
        micros(found["translate"]),
        str(scans),
        micros(read),
        ratio(found["translate"], read),
    )


def _longest(sender: Sender) -> tuple[bytes, int]:
    """The sample that tells the most scans, and how many."""
    best, most = sender.bodies[0], 0
    for body in sender.bodies:
        told = Delivery(sender.name, "default", sender.send(body)[1], datetime.now(UTC))
        try:
            count = len(sender.module.translate(told).scans)
        except (Unreadable, ValueError):
            continue  # odd on purpose
        if count > most:
            best, most = body, count
    return best, most


# Those who prove

Verifier = Callable[[Sender, Signed], Work]


def _hashed(sender: Sender, sent: Signed) -> Work:
    """A hash over the body and a comparison: no scheme asks for less, and some for nothing else."""
    key, body = sender.secret.encode(), sent[1]
    expected = hmac.new(key, body, hashlib.sha256).hexdigest()

    def work() -> bool:
        return hmac.compare_digest(hmac.new(key, body, hashlib.sha256).hexdigest(), expected)

    return work


def _easypost(sender: Sender, sent: Signed) -> Work:
    headers = {"X-Hmac-Signature": sent[0]["x-hmac-signature"]}
    return lambda: easypost.util.validate_webhook(sent[1], headers, sender.secret)


def _standardwebhooks(sender: Sender, sent: Signed) -> Work:
    webhook, headers, body = (
        standardwebhooks.Webhook(sender.secret),
        dict(sent[0]),
        sent[1].decode(),
    )
    return lambda: webhook.verify(body, headers)


def _svix(sender: Sender, sent: Signed) -> Work:
    webhook, headers, body = svix.Webhook(sender.secret), dict(sent[0]), sent[1].decode()
    return lambda: webhook.verify(body, headers)


def _pyjwt(sender: Sender, sent: Signed) -> Work:
    token = sent[0]["x-easyship-signature"]
    return lambda: jwt.decode(token, sender.secret, algorithms=["HS256"])


def _pyjwt_rsa(sender: Sender, sent: Signed) -> Work:
    """The key of the set, made anew each time as ours is, and RSA by `cryptography`, as ours."""
    headers, body = sent
    stamped = f"{headers['x-shipengine-timestamp']}.".encode() + body
    signature = base64.b64decode(headers["x-shipengine-rsa-sha256-signature"])
    wanted = headers["x-shipengine-rsa-sha256-key-id"]
    algorithm = RSAAlgorithm(RSAAlgorithm.SHA256)

    def work() -> bool:
        keys = jwt.PyJWKSet.from_json(sender.secret).keys
        (key,) = (each.key for each in keys if each.key_id == wanted)
        return bool(algorithm.verify(stamped, key, signature))

    return work


VERIFIERS: Mapping[str, Mapping[str, Verifier]] = {
    "easypost": {"easypost": _easypost},
    "easyship": {"PyJWT": _pyjwt},
    "shipbob": {"standardwebhooks": _standardwebhooks, "svix": _svix},
    "shipengine": {"PyJWT": _pyjwt_rsa},
    "standard_webhooks": {"standardwebhooks": _standardwebhooks, "svix": _svix},
}


# Those who read

Reader = Callable[[bytes], Work]


def _loaded(body: bytes) -> Work:
    return lambda: json.loads(body)


def _aftership(body: bytes) -> Work:
    model = importlib.import_module("tracking.models").Tracking
    return lambda: model.model_validate(json.loads(body)["msg"])


def _shippo(body: bytes) -> Work:
    model = importlib.import_module("shippo.models.components").Track
    read = importlib.import_module("shippo.utils").unmarshal_json
    return lambda: read(json.dumps(json.loads(body)["data"]), model)


READERS: Mapping[str, tuple[str, Reader]] = {
    "aftership": ("aftership-tracking-sdk", _aftership),
    "shippo": ("shippo", _shippo),
}
