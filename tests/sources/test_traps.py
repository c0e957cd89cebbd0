"""The traps of the carriers' pages (`carriers.md` section 7), a test each.

Most are held elsewhere too, source by source; here is the whole list, through the ingest function
where it is about requests.
"""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from shipclock.domain.tracking import Scan, TimeBasis
from shipclock.reading import Unreadable
from shipclock.sources import (
    CARRIERS,
    Account,
    Delivery,
    NotAuthentic,
    aftership,
    easypost,
    jtexpress,
    lalamove,
    seventeentrack,
    source,
    standard_webhooks,
)
from tests.builders import REAL, sample, samples
from tests.functions.doors import INGEST_ENV, Connection, Context, FakeAws, environment, event, load
from tests.sources.senders import SENDERS, Sender, as_json

every = pytest.mark.parametrize("sender", SENDERS.values(), ids=lambda each: each.name)


class Door:
    """The ingest function, open to every sender."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        environment(monkeypatch, INGEST_ENV)
        secrets = {
            name: [{"account": "default", "secrets": [sender.secret], **(sender.options or {})}]
            for name, sender in SENDERS.items()
        }
        self.aws = FakeAws(secrets)
        self.app = load("ingest")
        self.app.aws._connect = partial(Connection, self.aws)

    def ring(self, name: str, headers: dict[str, str], body: bytes, **more: Any) -> dict[str, Any]:
        told = event(
            "http.carrier_webhook",
            rawPath=f"/webhooks/carriers/{name}",
            headers=headers,
            body=base64.b64encode(body).decode(),
            isBase64Encoded=True,
            **more,
        )
        answer: dict[str, Any] = self.app.handler(told, Context())
        return answer

    @property
    def kept(self) -> list[dict[str, Any]]:
        return list(self.aws.items.values())


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(monkeypatch)


def now_sent(sender: Sender) -> tuple[dict[str, str], bytes]:
    """A sample signed at the real time, which the function looks at itself."""
    return sender.send(sender.bodies[0], at=datetime.now(UTC))


# 1. Base64, any case of names, headers sent twice


@every
def test_1_a_body_in_base64_with_header_names_in_any_case_is_proven(
    door: Door, sender: Sender
) -> None:
    headers, body = now_sent(sender)
    for case in (str.upper, str.title, str.lower):
        told = {case(name): value for name, value in headers.items()}
        assert door.ring(sender.name, told, body)["statusCode"] == 200
    assert len(door.kept) == 1


@every
def test_1_a_proof_that_is_sent_twice_is_none(door: Door, sender: Sender) -> None:
    headers, body = now_sent(sender)
    for name in sender.proof:
        twice = {**headers, name.title(): headers[name], name: headers[name]}
        if name.title() != name:
            assert door.ring(sender.name, twice, body)["statusCode"] == 401


# 2. Times as they are written


def scans(name: str, body: object) -> tuple[Scan, ...]:
    raw = SENDERS[name].send(as_json(body))[1]
    found: tuple[Scan, ...] = source(name).translate(Delivery(name, "default", raw, REAL)).scans
    return found


@pytest.mark.parametrize("name", ["karrio", "easyship"])
def test_2_a_local_time_stamped_z_proves_nothing(name: str) -> None:
    told = [scan for path in samples(name) for scan in readable(name, path)]
    assert told
    assert not {scan.basis for scan in told} & {TimeBasis.UTC, TimeBasis.OFFSET}


def readable(name: str, path: str) -> tuple[Scan, ...]:
    try:
        return scans(name, sample(path))
    except Unreadable:
        return ()


def test_2_dot_offsets_dot_seconds_named_offsets_and_offsets_without_a_colon_are_read() -> None:
    ups = sample("ups/local_time.json")
    assert {scan.basis for scan in scans("ups", ups)} == {TimeBasis.OFFSET}
    (lala,) = scans("lalamove", sample("lalamove/delivered.json"))
    assert lala.basis is not TimeBasis.RECEIVED
    jt = scans("jtexpress", sample("jtexpress/delivered.json"))
    assert {scan.basis for scan in jt} == {TimeBasis.OFFSET}
    ninja = scans("ninjavan", sample("ninjavan/delivered.json"))
    assert {scan.basis for scan in ninja} == {TimeBasis.OFFSET}


# 3. Signatures that are not what they look like


def test_3_seventeentracks_sign_is_no_hmac() -> None:
    body, key = b"{}", "key"
    assert seventeentrack.sign(key, body) == hashlib.sha256(body + b"/" + key.encode()).hexdigest()
    keyed = hmac.new(key.encode(), body, "sha256").hexdigest()
    with pytest.raises(NotAuthentic):
        seventeentrack.verify({"sign": keyed}, body, (Account("a", (key,)),), REAL)


def test_3_easyposts_key_is_in_unicodes_nfkd_form() -> None:
    assert easypost.sign("démo ﬁ", b"{}") == easypost.sign("de\u0301mo fi", b"{}")


def test_3_standard_webhooks_key_is_decoded_and_not_the_text_itself() -> None:
    text = base64.b64encode(b"synthetic secret").decode()
    given = standard_webhooks.sign(f"whsec_{text}", "msg", "1", b"{}")
    by_text = hmac.new(text.encode(), b"msg.1.{}", "sha256").digest()
    decoded = hmac.new(b"synthetic secret", b"msg.1.{}", "sha256").digest()
    assert given == "v1," + base64.b64encode(decoded).decode()
    assert given != "v1," + base64.b64encode(by_text).decode()


# 4. Lalamove


def test_4_lalamoves_signed_path_has_the_stage_and_its_probe_no_body(door: Door) -> None:
    sender = SENDERS["lalamove"]
    options = {"api_key": "pk_synthetic"}
    account = Account("my", (sender.secret,), (), options)
    stage = "/prod/webhooks/carriers/lalamove"
    headers, body = now_sent(sender)
    with pytest.raises(NotAuthentic):
        lalamove.verify({**headers, ":path": stage}, body, (account,), datetime.now(UTC))
    named = Account("my", (sender.secret,), (), {**options, "path": "/webhooks/carriers/lalamove"})
    at = datetime.now(UTC)
    assert lalamove.verify({**headers, ":path": stage}, body, (named,), at) == named
    assert door.ring("lalamove", {}, b"")["statusCode"] == 200
    assert door.kept == []


# 5. A header that is the secret


@pytest.mark.parametrize("name", ["karrio", "ship24", "ups", "easyship"])
def test_5_a_header_that_is_the_secret_is_neither_logged_nor_kept(
    door: Door, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sender = SENDERS[name]
    headers, body = now_sent(sender)
    assert door.ring(name, headers, body)["statusCode"] == 200
    door.ring(name, {key: f"{value}x" for key, value in headers.items()}, body)
    said = capsys.readouterr().out + repr(door.kept)
    for value in headers.values():
        assert value.removeprefix("Bearer ") not in said or value == "default"


# 6. Answers that must have a body


def test_6_the_answers_that_senders_wait_for(door: Door) -> None:
    for name, told in (
        ("jtexpress", {"code": "1", "msg": "success", "data": "SUCCESS"}),
        ("flashexpress", {"errorCode": "1", "state": "success"}),
    ):
        answer = door.ring(name, *now_sent(SENDERS[name]))
        assert answer["headers"]["content-type"] == "application/json"
        assert told.items() <= json.loads(answer["body"]).items()


# 7. Permanent switch-off: tests/test_silence.py


# 8. Words with two meanings


def test_8_returned_has_two_meanings_and_shipped_may_be_a_label() -> None:
    assert scans("shippo", sample("shippo/returned.json"))[-1].status == "returning"
    assert "returned" in {s.status for s in scans("aftership", sample("aftership/returned.json"))}
    assert {s.status for s in scans("shipbob", sample("shipbob/shipped.json"))} == {"info_received"}


# 9. Tables that others have wrong


def test_9_jts_abnormal_codes_and_afterships_010_and_011_are_the_right_way_about() -> None:
    codes = {code: jtexpress.CODES[code].status for code in ("300", "301", "302", "303", "305")}
    assert codes == {
        "300": "damaged",
        "301": "lost",
        "302": "disposed",
        "303": "returning",
        "305": "expired",
    }
    assert aftership.SUBTAGS["Exception_010"].status == "returning"
    assert aftership.SUBTAGS["Exception_011"].status == "returned"


# 10. Headers beyond ASCII


@every
def test_10_a_header_beyond_ascii_is_refused_and_no_stumble(door: Door, sender: Sender) -> None:
    headers, body = now_sent(sender)
    for name in sender.proof:
        for odd in ("é", "\ud83d", headers[name] + "\u0661"):
            assert door.ring(sender.name, {**headers, name: odd}, body)["statusCode"] == 401


# 11. Nothing, and what is no object


@every
@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"{}"', b"1", b"{", b"\xff"])
def test_11_an_empty_body_or_one_that_is_no_object_is_the_senders_fault(
    door: Door, sender: Sender, body: bytes
) -> None:
    try:
        headers, sent = sender.send(body)
    except (ValueError, UnicodeDecodeError):
        headers, sent = now_sent(sender)[0], body
    assert door.ring(sender.name, headers, sent)["statusCode"] in (200, 400, 401)
    assert not [row for row in door.kept if "board_pk" not in row and not sender.form]


def test_all_of_them_are_tried() -> None:
    assert set(CARRIERS) == set(SENDERS)
