"""The ingest function, from API Gateway's event to the bytes that go to AWS."""

import base64
import json
import os
import subprocess
import sys
import zlib
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from shipclock.adapters.published import AGE, PAUSE, PublishedKeys
from shipclock.ingest import NotKept
from shipclock.sources import Account, lalamove, shipengine, shipmonk, tiktok_shop
from tests.builders import sample_bytes
from tests.functions.doors import (
    FUNCTIONS,
    INGEST_ENV,
    Connection,
    Context,
    FakeAws,
    Reply,
    environment,
    event,
    load,
    refusal,
)
from tests.sources.senders import KEYS
from tests.stage import APP_KEY, APP_SECRET, SECRETS, Stage

BODY = sample_bytes("tiktok/webhooks/order_status.in_transit.json")
TIMED_OUT = TimeoutError("read")
LAYER = FUNCTIONS.parent / "layers" / "common"


class Door:
    """A started function and the AWS behind it."""

    def __init__(self, secret: object = SECRETS) -> None:
        self.aws = FakeAws(secret)
        self.app = load("ingest")
        self.app.aws._connect = partial(Connection, self.aws)

    def ring(self, name: str = "http.tiktok_webhook", **changes: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.app.handler(event(name, **changes), Context())
        assert set(answer) == {"statusCode", "headers", "body"}
        assert "Traceback" not in answer["body"]
        return answer

    def signed(self, body: bytes = BODY, name: str = "authorization") -> dict[str, Any]:
        return self.ring(body=body.decode(), headers={name: signature(body)})

    @property
    def bodies(self) -> list[bytes]:
        return [zlib.decompress(base64.b64decode(i["body"]["B"])) for i in self.aws.items.values()]


def signature(body: bytes) -> str:
    return tiktok_shop.sign(Account(APP_KEY, ()), APP_SECRET, body)


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, INGEST_ENV)
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "tried-ingest")


def test_a_well_signed_webhook_is_kept_as_it_came_and_answered_with_nothing() -> None:
    door = Door()
    answer = door.signed()
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert door.bodies == [BODY]
    (item,) = door.aws.items.values()
    assert item["source"] == {"S": "tiktok_shop"}
    assert item["headers"] == {"M": {"authorization": {"S": signature(BODY)}}}
    assert item["expires_at"]["N"].isdigit()
    assert item["shops"] == {"L": []}


def test_a_delivery_costs_one_request_new_or_repeated_once_the_secret_is_known() -> None:
    door = Door()
    for _ in range(3):
        assert door.signed()["statusCode"] == 200
    assert door.aws.targets() == ["GetSecretValue", "PutItem", "PutItem", "PutItem"]
    assert len(door.aws.items) == 1


@pytest.mark.parametrize("name", ["authorization", "Authorization", "AUTHORIZATION"])
def test_the_case_of_a_headers_name_does_not_matter(name: str) -> None:
    assert Door().signed(name=name)["statusCode"] == 200


def test_a_header_sent_twice_is_one_of_two_values_and_proves_nothing() -> None:
    door = Door()
    twice = {"authorization": signature(BODY), "Authorization": signature(BODY)}
    assert door.ring(body=BODY.decode(), headers=twice)["statusCode"] == 401
    assert (
        door.ring(body=BODY.decode(), headers={"authorization": f"{signature(BODY)},x"})[
            "statusCode"
        ]
        == 401
    )
    assert door.bodies == []


def test_a_body_in_base64_is_decoded_before_anything_else() -> None:
    door = Door()
    raw = BODY + b"\n\xc3\xa9"[:1]
    answer = door.ring(
        body=base64.b64encode(raw).decode(),
        isBase64Encoded=True,
        headers={"authorization": signature(raw)},
    )
    assert answer["statusCode"] == 200
    assert door.bodies == [raw]


@pytest.mark.parametrize("garbled", ["%%%", "AAA", "é", "AA=A"])
def test_a_body_that_claims_to_be_base64_and_is_none_is_a_bad_request(garbled: str) -> None:
    door = Door()
    answer = door.ring(body=garbled, isBase64Encoded=True, headers={"authorization": "x"})
    assert answer["statusCode"] == 400
    assert door.aws.requests == []


def test_bytes_that_are_no_text_are_kept_for_a_person() -> None:
    door = Door()
    raw = b"\xff\xfe\x00"
    answer = door.ring(
        body=base64.b64encode(raw).decode(),
        isBase64Encoded=True,
        headers={"authorization": signature(raw)},
    )
    assert answer["statusCode"] == 400
    assert door.bodies == [raw]
    assert "traceback" not in answer["body"].lower()


@pytest.mark.parametrize("changes", [{"body": ""}, {"body": None}, {"headers": None}])
def test_nothing_at_all_is_a_bad_request(changes: dict[str, Any]) -> None:
    door = Door()
    whole = event("http.tiktok_webhook", **{"body": "", **changes})
    whole["headers"] = {}
    assert door.app.handler(whole, Context())["statusCode"] == 400
    assert door.bodies == []


def test_an_event_without_body_or_headers_is_a_bad_request_as_well() -> None:
    door = Door()
    bare = {k: v for k, v in event("http.tiktok_webhook").items() if k not in ("body", "headers")}
    assert door.app.handler(bare, Context())["statusCode"] == 400


@pytest.mark.parametrize("headers", [{"x": "y"}, {"authorization": "0" * 64}])
def test_what_is_not_authentic_is_refused(headers: dict[str, str]) -> None:
    door = Door()
    assert door.ring(body=BODY.decode(), headers=headers)["statusCode"] == 401
    assert door.aws.targets() == ["GetSecretValue"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhooks",
        "/webhooks/carriers/",
        "/webhooks/carriers/nobody",
        "/webhooks/carriers/tiktok_shop",
        "/webhooks/tiktok/more",
    ],
)
def test_an_unknown_address_is_not_found_and_asks_aws_nothing(path: str) -> None:
    door = Door()
    answer = door.ring(rawPath=path, body=BODY.decode(), headers={"authorization": "x"})
    assert answer["statusCode"] == 404
    assert door.aws.requests == []


LALAMOVE = {"lalamove": [{"secrets": ["synthetic-lalamove-secret"]}]}
CALLED = "/prod/webhooks/carriers/lalamove"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("body", ["", None])
def test_a_sender_that_looks_first_is_told_yes_and_nothing_is_kept(
    method: str, body: str | None
) -> None:
    door = Door(LALAMOVE)
    looking = event("http.carrier_webhook", rawPath=CALLED, body=body)
    looking["requestContext"]["http"]["method"] = method
    answer = door.app.handler(looking, Context())
    assert (answer["statusCode"], answer["body"]) == (200, "")
    assert door.bodies == []
    closed = Door({})
    assert closed.app.handler(looking, Context())["statusCode"] == 404


def test_who_looks_at_another_source_is_told_that_nothing_was_sent() -> None:
    door = Door()
    looking = event("http.carrier_webhook", body=None)
    looking["requestContext"]["http"]["method"] = "GET"
    assert door.app.handler(looking, Context())["statusCode"] == 400


@pytest.mark.parametrize(
    ("signed_for", "status"), [(CALLED, 200), ("/webhooks/carriers/lalamove", 401)]
)
def test_a_sender_that_signs_the_path_signs_the_stage_in_it(signed_for: str, status: int) -> None:
    door = Door(LALAMOVE)
    data = '{"order": {"orderId": "3300000000000000101", "status": "PICKED_UP"}}'
    now = str(int(door.app.datetime.now(door.app.UTC).timestamp()))
    mac = lalamove.sign("synthetic-lalamove-secret", now, signed_for, data)
    body = f'{{"timestamp": {now}, "signature": "{mac}", "data": {data}}}'
    answer = door.ring("http.carrier_webhook", rawPath=CALLED, body=body)
    assert answer["statusCode"] == status
    for item in door.aws.items.values():
        assert item["headers"] == {"M": {":path": {"S": CALLED}}}


def test_no_header_can_name_another_path() -> None:
    door = Door(LALAMOVE)
    now = str(int(door.app.datetime.now(door.app.UTC).timestamp()))
    mac = lalamove.sign("synthetic-lalamove-secret", now, "/mine", "{}")
    body = f'{{"timestamp": {now}, "signature": "{mac}", "data": {{}}}}'
    answer = door.ring(
        "http.carrier_webhook", rawPath=CALLED, body=body, headers={":path": "/mine"}
    )
    assert answer["statusCode"] == 401


def test_a_password_that_came_with_a_webhook_is_not_kept() -> None:
    door = Door({"shipmonk": [{"secrets": ["one"], "basic": "monk:word"}]})
    headers = {
        "Authorization": "Basic bW9uazp3b3Jk",
        "X-Sm-Signature": shipmonk.sign("one", b"{}").hex(),
    }
    path = "/webhooks/carriers/shipmonk"
    answer = door.ring("http.carrier_webhook", rawPath=path, body="{}", headers=headers)
    assert answer["statusCode"] == 200
    assert "bW9uazp3b3Jk" not in json.dumps(list(door.aws.items.values()))


def test_a_source_without_a_secret_is_not_found_and_the_others_are_open() -> None:
    door = Door({"standard_webhooks": SECRETS["standard_webhooks"]})
    assert door.signed()["statusCode"] == 404
    stage = Stage()
    body = sample_bytes("standard_webhooks/picked_up.json")
    stage.real.now = door.app.datetime.now(door.app.UTC)
    headers = stage.carrier_headers(body)
    answer = door.ring("http.carrier_webhook", body=body.decode(), headers=headers)
    assert answer["statusCode"] == 200


def test_a_body_too_large_is_told_so() -> None:
    door = Door()
    answer = door.ring(body="x" * (256 * 1024 + 1), headers={"authorization": "x"})
    assert answer["statusCode"] == 413
    assert door.aws.requests == []


# Keys that a sender publishes

ADDRESS = "https://keys.example/jwks"
PARCEL = sample_bytes("shipengine/in_transit.json")


class Signing(Door):
    """A started function, and the sender whose keys it fetches."""

    def __init__(self, publishes: str) -> None:
        super().__init__({"shipengine": [{"account": "mine", "secrets": [ADDRESS]}]})
        self.publishes = publishes
        self.fetched = 0
        self.later = timedelta(0)
        vars(self.app)["keys"] = PublishedKeys(
            self.fetch, lambda: self.app.datetime.now(self.app.UTC) + self.later
        )

    def fetch(self, address: str) -> bytes:
        assert address == ADDRESS
        self.fetched += 1
        if not self.publishes:
            raise NotKept("keys.example gave no keys: TimeoutError")
        return self.publishes.encode()

    def send(self, key_id: str, **changes: str) -> int:
        now = self.app.datetime.now(self.app.UTC).isoformat()
        headers, body = KEYS.sign(PARCEL, key_id, now)
        named = {name.title(): value for name, value in {**headers, **changes}.items()}
        path = "/webhooks/carriers/shipengine"
        answer = self.ring("http.carrier_webhook", rawPath=path, body=body.decode(), headers=named)
        status: int = answer["statusCode"]
        return status


def test_a_key_is_fetched_once_rotated_and_revoked() -> None:
    door = Signing(KEYS.document("key-one"))
    assert [door.send("key-one") for _ in range(3)] == [200, 200, 200]
    assert door.bodies == [PARCEL]
    assert door.fetched == 1
    door.publishes = KEYS.document("key-one", "key-two")
    assert door.send("key-two") == 401, "the sender's word is not a minute old"
    door.later += PAUSE
    assert [door.send(key_id) for key_id in ("key-two", "key-one")] == [200, 200]
    door.publishes = KEYS.document("key-two")
    door.later += AGE
    assert [door.send(key_id) for key_id in ("key-one", "key-two")] == [401, 200]
    assert door.fetched == 3


def test_a_sender_whose_keys_can_not_be_had_is_told_to_try_again_and_others_are_not_held_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    door = Signing("")
    assert door.send("key-one") == 503
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["NotKept"]) == ("delivery.not_kept", 1)
    assert door.send("key-one", **{shipengine.TIME: "2026-11-01T00:00:00Z"}) == 401
    assert door.bodies == []
    door.publishes = KEYS.document("key-one")
    door.later += PAUSE
    assert door.send("key-one") == 200


# When AWS does not do what it was asked


@pytest.mark.parametrize(
    "faults",
    [
        [TIMED_OUT],
        [refusal("ThrottlingException")],
        [refusal("ProvisionedThroughputExceededException")],
        [refusal("InternalServerError", 500)],
        [refusal("", 503)],
    ],
)
def test_one_fault_that_may_be_repeated_is_repeated_and_the_sender_sees_none(
    faults: list[Any],
) -> None:
    door = Door()
    door.signed(b'{"warm": 1}')
    door.aws.faults = list(faults)
    assert door.signed()["statusCode"] == 200
    assert door.bodies == [b'{"warm": 1}', BODY]


def test_an_answer_that_was_lost_after_the_row_was_put_is_no_second_row() -> None:
    door = Door()
    door.signed(b'{"warm": 1}')
    door.aws.lost = [TIMED_OUT]
    assert door.signed()["statusCode"] == 200
    assert door.bodies.count(BODY) == 1


@pytest.mark.parametrize(
    "faults",
    [
        [TIMED_OUT, TIMED_OUT],
        [refusal("ThrottlingException")] * 2,
        [refusal("ResourceNotFoundException")],
        [refusal("AccessDeniedException")],
        [refusal("", 500), refusal("", 500)],
    ],
)
@pytest.mark.parametrize("warm", [True, False], ids=["table", "secret store"])
def test_a_store_that_fails_is_our_fault_and_the_sender_may_try_again(
    faults: list[Any], warm: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    door = Door()
    if warm:
        door.signed(b'{"warm": 1}')
    door.aws.faults = list(faults)
    answer = door.signed()
    assert (answer["statusCode"], answer["body"]) == (503, "try again later")
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["NotKept"]) == ("delivery.not_kept", 1)
    assert door.signed()["statusCode"] == 200, "a failure is not remembered"


@pytest.mark.parametrize(
    "secret", ["synthetic-secret {", '["synthetic-secret"]', '"synthetic-secret"']
)
def test_a_secret_that_is_no_object_is_our_fault_and_never_logged(
    secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert Door(secret).signed()["statusCode"] == 503
    assert "synthetic-secret" not in capsys.readouterr().out


def test_a_garbled_answer_of_aws_is_our_fault_and_no_crash() -> None:
    door = Door()
    door.signed(b'{"warm": 1}')
    door.aws.faults = [Reply(400, b"<html>")]
    assert door.signed()["statusCode"] == 503


# A token is fetched, and shown

CLIENT = {"ups": [{"account": "synthetic-client", "secrets": ["synthetic-secret"]}]}
TOKEN_PATH = "/webhooks/carriers/ups/token"
ACTIVITY = sample_bytes("ups/delivered.json").decode()


def basic(secret: str = "synthetic-secret") -> dict[str, str]:
    shown = base64.b64encode(f"synthetic-client:{secret}".encode()).decode()
    return {"Authorization": f"Basic {shown}", "content-type": "application/x-www-form-urlencoded"}


def fetch(door: Door, headers: dict[str, str], **changes: Any) -> dict[str, Any]:
    asked = {"rawPath": TOKEN_PATH, "body": "grant_type=client_credentials", **changes}
    return door.ring("http.carrier_webhook", headers=headers, **asked)


@pytest.mark.parametrize("encoded", [False, True])
def test_a_token_is_fetched_as_json_and_lets_its_client_in(encoded: bool) -> None:
    door = Door(CLIENT)
    body = "grant_type=client_credentials"
    if encoded:
        body = base64.b64encode(body.encode()).decode()
    answer = fetch(door, basic(), body=body, isBase64Encoded=encoded)
    assert answer["statusCode"] == 200
    assert answer["headers"] == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "pragma": "no-cache",
    }
    told = json.loads(answer["body"])
    assert door.aws.targets() == ["GetSecretValue"]
    shown = {"Authorization": f"Bearer {told['access_token']}", "X-Api-Key": "synthetic-client"}
    kept = door.ring(
        "http.carrier_webhook", rawPath="/webhooks/carriers/ups", body=ACTIVITY, headers=shown
    )
    assert (kept["statusCode"], kept["body"]) == (200, "")
    assert door.bodies == [ACTIVITY.encode()]
    assert told["access_token"] not in repr(door.aws.items)


def test_a_client_that_is_not_proven_gets_oauths_answer_and_is_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer = fetch(Door(CLIENT), basic("wrong"))
    assert (answer["statusCode"], json.loads(answer["body"])) == (401, {"error": "invalid_client"})
    assert answer["headers"]["www-authenticate"].startswith("Basic ")
    assert json.loads(capsys.readouterr().out)["SignatureRefused"] == 1


def test_a_bad_request_for_a_token_gets_oauths_answer() -> None:
    answer = fetch(Door(CLIENT), basic(), body="grant_type=password")
    assert answer["statusCode"] == 400
    assert json.loads(answer["body"]) == {"error": "unsupported_grant_type"}


def test_a_token_is_had_of_no_other_source_and_of_none_without_a_secret() -> None:
    door = Door(CLIENT)
    for path in ("/webhooks/carriers/easypost/token", "/webhooks/tiktok/token"):
        assert fetch(door, basic(), rawPath=path)["statusCode"] == 404
    assert door.aws.requests == []
    assert fetch(Door({}), basic())["statusCode"] == 404


def test_a_secret_store_that_fails_grants_nothing_and_the_client_may_try_again() -> None:
    door = Door(CLIENT)
    door.aws.faults = [TIMED_OUT, TIMED_OUT]
    assert fetch(door, basic())["statusCode"] == 503
    assert fetch(door, basic())["statusCode"] == 200


def test_no_secret_and_no_token_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    door = Door(CLIENT)
    told = json.loads(fetch(door, basic())["body"])
    fetch(door, basic("synthetic-guess"))
    fetch(door, {}, body="grant_type=client_credentials&client_id=a&client_secret=synthetic-guess")
    fetch(door, basic(), body="synthetic-secret")
    said = capsys.readouterr().out
    events = [json.loads(line)["event"] for line in said.splitlines()]
    assert events == [
        "delivery.granted",
        "delivery.not_authentic",
        "delivery.not_authentic",
        "delivery.not_granted",
    ]
    for secret in (told["access_token"], "synthetic-secret", "synthetic-guess", "client_secret"):
        assert secret not in said


# What is said


def test_one_line_is_said_per_arrival_with_no_secret_and_no_personal_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    door = Door()
    door.signed()
    door.signed()
    door.ring(body=BODY.decode(), headers={"authorization": "f" * 64})
    said = capsys.readouterr().out
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["event"] for line in lines] == [
        "delivery.kept",
        "delivery.repeated",
        "delivery.not_authentic",
    ]
    for secret in (APP_SECRET, signature(BODY), "f" * 64, "synthetic-access-key", "IN_TRANSIT"):
        assert secret not in said
    refused = lines[2]
    assert refused["SignatureRefused"] == 1
    assert refused["service"] == "tried-ingest"
    (metrics,) = refused["_aws"]["CloudWatchMetrics"]
    assert metrics["Namespace"] == "Shipclock"


def test_a_hostile_header_can_not_break_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    door = Door()
    headers = {
        "webhook-signature": "v1,x\nforged",
        "webhook-id": "\udcff",
        "webhook-timestamp": "1",
    }
    door.ring("http.carrier_webhook", body="{}", headers=headers)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["source"] == "standard_webhooks"


# A cold start

PROBE = """
import json, runpy, sys
def no_io(name, args):
    if name.startswith(("socket.", "subprocess.", "os.system", "http.client.")):
        raise SystemExit(f"I/O at import: {name}")
sys.addaudithook(no_io)
runpy.run_path(sys.argv[1])
heavy = ["boto3", "botocore", "urllib3", "pydantic", "requests", "aws_lambda_powertools"]
heavy += ["cryptography", "cffi"]
print(json.dumps([name for name in heavy if name in sys.modules]))
"""


def test_starting_does_no_io_and_loads_nothing_heavy(tmp_path: Path) -> None:
    env = {**INGEST_ENV, "PYTHONPATH": str(LAYER), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(FUNCTIONS / "ingest" / "app.py")],
        env=env,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize("name", ["SHIPCLOCK_TABLE", "SHIPCLOCK_SOURCES_SECRET"])
def test_a_missing_variable_stops_the_start_and_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name)
    with pytest.raises(KeyError, match=name):
        load("ingest")
