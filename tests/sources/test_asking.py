"""What providers are asked, and what they answer: the same scans as their pushes, confirmed."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import UNCONFIRMED, Scan
from shipclock.ports import HttpRequest
from shipclock.reading import Unreadable
from shipclock.sources import (
    PULLERS,
    TOKEN_PULLERS,
    Account,
    Delivery,
    Translation,
    puller,
    source,
    token_puller,
)
from tests.builders import REAL, patient, sample, samples
from tests.sources.bending import bent
from tests.sources.senders import as_json

PULLS = {
    "flashexpress": {},
    "karrio": {"key": "key_synthetic", "url": "https://karrio.example/"},
    "seventeentrack": {},
    "ship24": {"key": "apik_synthetic"},
    "ups": {"client_id": "synthetic-id", "client_secret": "synthetic-secret"},
}
SECRET = "synthetic secret"


def account(name: str, **pull: Any) -> Account:
    return Account("default", (SECRET,), (), {"mchId": "SYN101", "pull": {**PULLS[name], **pull}})


def asked(name: str, number: str = "SYN 1/2", token: str = "") -> HttpRequest:
    return puller(name).pull(account(name), [number], REAL, token)


def answered(name: str, body: object) -> Translation:
    raw = body if isinstance(body, bytes) else as_json(body)
    return source(name).translate(Delivery(name, "default", raw, REAL, pulled=True))


# The questions


def test_every_puller_is_tried_here() -> None:
    assert set(PULLERS) <= set(PULLS)


@pytest.mark.parametrize("name", PULLERS)
def test_a_question_goes_out_over_tls_and_names_the_number(name: str) -> None:
    request = asked(name)
    assert request.url.startswith("https://")
    assert "SYN%201%2F2" in request.url or b"SYN 1/2" in request.body or b"SYN" in request.body
    assert SECRET not in request.url
    assert puller(name).PULL_BATCH >= 1
    assert 200 in puller(name).PULL_ANSWERS


def test_seventeentrack_takes_the_key_that_it_signs_with_or_one_of_its_own() -> None:
    assert asked("seventeentrack").headers["17token"] == SECRET
    own = account("seventeentrack", key="another", url="https://track.example/v2.2")
    request = puller("seventeentrack").pull(own, ["A", "B"], REAL, "")
    assert (request.method, request.url) == ("POST", "https://track.example/v2.2/gettrackinfo")
    assert request.headers["17token"] == "another"
    assert json.loads(request.body) == [{"number": "A"}, {"number": "B"}]


def test_ship24_and_karrio_are_asked_with_keys_of_their_api() -> None:
    ship24 = asked("ship24")
    base = "https://api.ship24.com/public/v1/trackers/search"
    assert (ship24.method, ship24.url) == ("GET", f"{base}/SYN%201%2F2/results")
    assert ship24.headers["authorization"] == "Bearer apik_synthetic"
    karrio = asked("karrio")
    assert karrio.url == "https://karrio.example/v1/trackers/SYN%201%2F2"
    assert karrio.headers["authorization"] == "Token key_synthetic"


def test_ups_is_asked_with_a_token_that_is_fetched_before() -> None:
    ups = token_puller("ups")
    request = ups.pull_token(account("ups"))
    assert request.url == "https://onlinetools.ups.com/security/v1/oauth/token"
    basic = base64.b64encode(b"synthetic-id:synthetic-secret").decode()
    assert request.headers["authorization"] == f"Basic {basic}"
    assert request.body == b"grant_type=client_credentials"
    token = ups.token_in(b'{"access_token": "made.up", "expires_in": "14399"}')
    details = asked("ups", "1Z0", token)
    assert details.url == "https://onlinetools.ups.com/api/track/v1/details/1Z0"
    assert details.headers["authorization"] == "Bearer made.up"
    assert details.headers["transid"]
    assert details.headers["transactionsrc"] == "shipclock"


def test_flash_is_asked_as_it_asks_us_to_sign() -> None:
    request = asked("flashexpress", "TH1")
    assert request.url == "https://open-api.flashexpress.com/open/v1/orders/TH1/routes"
    told = dict(parse_qsl(request.body.decode()))
    signed = f"mchId=SYN101&nonceStr={told['nonceStr']}&key={SECRET}"
    assert told["sign"] == hashlib.sha256(signed.encode()).hexdigest().upper()
    later = puller("flashexpress").pull(account("flashexpress"), ["TH1"], REAL + timedelta(1), "")
    assert told["nonceStr"] not in later.body.decode()
    with pytest.raises(ValueError, match="mchId of account default is missing"):
        puller("flashexpress").pull(Account("default", (SECRET,)), ["TH1"], REAL, "")


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"", b'{"access_token": 5}', b'{"access_token":""}']
)
def test_an_answer_without_a_token_is_unreadable(body: bytes) -> None:
    with pytest.raises((Unreadable, ValueError)):
        token_puller("ups").token_in(body)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("karrio", "key"),
        ("karrio", "url"),
        ("ship24", "key"),
        ("ups", "client_id"),
        ("ups", "client_secret"),
    ],
)
@pytest.mark.parametrize("odd", ["", 5, None, []])
def test_what_a_question_needs_and_has_not_is_told_without_a_secret(
    name: str, missing: str, odd: object
) -> None:
    lacking = account(name, **{missing: odd})

    def ask() -> None:
        if name in TOKEN_PULLERS:
            token_puller(name).pull_token(lacking)
        puller(name).pull(lacking, ["SYN1"], REAL, "")

    with pytest.raises(ValueError, match=rf"pull\.{missing} of account default") as fault:
        ask()
    assert "synthetic" not in str(fault.value)


# The answers


def ups_answer(*webhooks: dict[str, Any]) -> dict[str, Any]:
    """The answer about a number that tells what these webhooks told."""

    def activity(body: dict[str, Any]) -> dict[str, Any]:
        told = body["activityStatus"]
        return {
            "gmtDate": body.get("gmtActivityDate", ""),
            "gmtTime": body.get("gmtActivityTime", ""),
            "date": body.get("localActivityDate", ""),
            "time": body.get("localActivityTime", ""),
            "gmtOffset": body.get("gmtOffset", "").replace(".", ":"),
            "location": {"address": body.get("activityLocation", {})},
            "status": {
                "type": told.get("type", ""),
                "code": told.get("code", ""),
                "description": told.get("description", ""),
                "statusCode": told.get("descriptionCode", ""),
            },
        }

    package = {
        "trackingNumber": webhooks[0]["trackingNumber"],
        "activity": [activity(body) for body in webhooks],
    }
    if any(body.get("receivedBy") for body in webhooks):
        package["deliveryInformation"] = {"receivedBy": "SOMEBODY"}
    elif any(body.get("deliveryPhoto") for body in webhooks):
        package["deliveryInformation"] = {"deliveryPhoto": {"photo": "/9j/"}, "pod": {}}
    return {"trackResponse": {"shipment": [{"inquiryNumber": "x", "package": [package]}]}}


ANSWER: dict[str, Callable[[dict[str, Any]], Any]] = {
    "karrio": lambda body: body["data"],
    "seventeentrack": lambda body: {
        "code": 0,
        "data": {"accepted": [body["data"]], "rejected": []},
    },
    "ship24": lambda body: {"data": {"trackings": body["trackings"]}},
    "ups": lambda body: ups_answer(body),
}


def told(scan: Scan) -> tuple[object, ...]:
    flags = tuple(flag for flag in scan.flags if flag != UNCONFIRMED)
    return scan.status, scan.reason, scan.occurred_at, scan.basis, scan.raw_code, scan.proof, flags


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name in ANSWER for path in samples(name)]
)
def test_an_answer_tells_what_the_push_of_the_same_facts_tells_and_confirms_it(
    name: str, path: str
) -> None:
    body = sample(path)
    try:
        pushed = source(name).translate(Delivery(name, "default", as_json(body), REAL))
        answer = ANSWER[name](body)
    except (Unreadable, KeyError):
        return  # odd on purpose
    if not pushed.scans or body.get("event") == "TRACKING_STOPPED":
        return
    pulled = answered(name, answer)
    assert {told(scan) for scan in pushed.scans} <= {told(scan) for scan in pulled.scans}
    assert all(scan.confirmed for scan in pulled.scans)
    numbers = {scan.number for scan in pushed.scans}
    assert {scan.number for scan in pulled.scans} == numbers
    certain = name == "seventeentrack"
    same = {scan.identity for scan in pushed.scans} & {scan.identity for scan in pulled.scans}
    assert bool(same) is certain, "a confirmed scan is another event than the unconfirmed one"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("flashexpress", {"code": 1006, "message": "made up", "data": None}),
        ("karrio", {"errors": [{"code": "not_found", "message": "made up"}]}),
        ("ship24", {"errors": [{"code": "tracker_not_found"}], "data": None}),
        ("seventeentrack", {"code": 0, "data": {"accepted": [], "rejected": []}}),
        ("ups", {"response": {"errors": [{"code": "TW0001", "message": "made up"}]}}),
        ("ups", {"trackResponse": {"shipment": [{"inquiryNumber": "1Z", "warnings": [{}]}]}}),
    ],
)
def test_that_nothing_is_known_is_no_fault(name: str, body: object) -> None:
    found = answered(name, body)
    assert found.scans == ()
    assert found.note


def test_ups_tells_a_whole_history_with_the_proof_on_the_delivery_alone() -> None:
    bodies = [sample(path) for path in samples("ups")]
    number = sample("ups/delivered.json")["trackingNumber"]
    mine = [body for body in bodies if body.get("trackingNumber") == number]
    found = answered("ups", ups_answer(*mine)).scans
    assert len(found) > 1
    assert {scan.proof for scan in found if scan.status == "delivered"} == {"signature"}
    assert {scan.proof for scan in found if scan.status != "delivered"} == {""}
    assert "SOMEBODY" not in repr(found)


ROUTES = [
    {"routedAt": 1793500000, "routeAction": "DELIVERY_CONFIRM", "message": "To Contoh"},
    {"routedAt": 1793400000, "routedAction": "DELIVERY_TICKET_CREATION_SCAN"},
    {"routedAt": 1793390000, "routeAction": "PHONE"},
    {"routedAt": 1793300000, "routeAction": "RECEIVED"},
]


def flash_answer(**changes: Any) -> dict[str, Any]:
    data = {"pno": "TH0101", "state": 5, "stateText": "signed", "routes": ROUTES, **changes}
    return {"code": 1, "message": "success", "data": data}


def test_flash_answers_with_all_routes_of_a_parcel() -> None:
    found = answered("flashexpress", flash_answer()).scans
    assert [scan.status for scan in found] == ["delivered", "out_for_delivery", "picked_up"]
    assert {(scan.number, scan.basis, scan.confirmed) for scan in found} == {
        ("TH0101", "utc", True)
    }
    assert "Contoh" not in repr(found)


def test_flash_s_state_counts_where_no_route_says_it_and_proves_nothing_missed() -> None:
    (*_, last) = answered("flashexpress", flash_answer(state=7, routes=ROUTES[1:])).scans
    assert (last.status, last.basis) == ("returned", "received")
    (alone,) = answered("flashexpress", flash_answer(state="2", routes=[])).scans
    assert alone.status == "in_transit"
    assert answered("flashexpress", flash_answer(state=None, routes=[])).note


@pytest.mark.parametrize("code", [0, 1000, 1001, 1002, 1019, None, "x"])
def test_that_flash_refuses_waits_for_a_person(code: object) -> None:
    with pytest.raises(Unreadable, match="refuses to be asked"):
        answered("flashexpress", {"code": code, "message": "made up", "data": None})


@patient
@given(st.data())
@pytest.mark.parametrize("name", ANSWER)
def test_however_an_answer_is_bent_it_is_read_or_unreadable(name: str, data: st.DataObject) -> None:
    bodies = []
    for path in samples(name):
        try:
            bodies.append(json.loads(as_json(ANSWER[name](sample(path)))))
        except KeyError:
            continue
    raw = as_json(data.draw(bent(bodies)))
    try:
        found = answered(name, raw)
    except (Unreadable, ValueError):
        return
    assert found.scans or found.links or found.note
    for scan in found.scans:
        assert scan.confirmed
        assert scan.occurred_at.utcoffset() == timedelta(0)
