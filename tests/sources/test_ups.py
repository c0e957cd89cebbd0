"""UPS: the token it fetches, what it shows, and what each activity means."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from shipclock.domain.tracking import REASONS, Scan, TimeBasis, TrackingStatus
from shipclock.reading import Unreadable
from shipclock.sources import (
    Account,
    Delivery,
    NotAuthentic,
    Translation,
    Unsigned,
    tokens,
    ups,
)
from tests.builders import OTHER_SHOP, REAL, SHOP, sample, samples

CLIENT, SECRET, OTHER = "synthetic-client", "synthetic secret 0001", "synthetic secret 0002"
ACCOUNT = Account(CLIENT, (SECRET,))
ROTATING = Account(CLIENT, (OTHER, SECRET))


def fetched(
    *accounts: Account, client: str = CLIENT, secret: str = SECRET, at: datetime = REAL
) -> dict[str, str]:
    """The header that a client sends which has fetched a token."""
    asked = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
    answer = json.loads(ups.grant({}, urlencode(asked).encode(), accounts or (ACCOUNT,), at))
    return {"authorization": f"Bearer {answer['access_token']}"}


# A token is shown

VECTORS = sample("signatures/ups.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account(vector["account"], (vector["secret"],))
    at = datetime.fromtimestamp(vector["at"], UTC)
    if vector["authentic"]:
        assert ups.verify(vector["headers"], b"{}", (account,), at) == account
    else:
        with pytest.raises(NotAuthentic) as refused:
            ups.verify(vector["headers"], b"{}", (account,), at)
        assert not isinstance(refused.value, Unsigned)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert [vector["authentic"] for vector in VECTORS].count(True) == 7
    assert [vector["authentic"] for vector in VECTORS].count(False) == 11


def test_a_token_falls_with_the_secret_that_fetched_it_and_with_no_other() -> None:
    old, new = (fetched(ROTATING, secret=secret) for secret in (SECRET, OTHER))
    for token in (old, new):
        assert ups.verify(token, b"{}", (ROTATING,), REAL) == ROTATING
    rotated = Account(CLIENT, (OTHER,))
    assert ups.verify(new, b"{}", (rotated,), REAL) == rotated
    with pytest.raises(NotAuthentic):
        ups.verify(old, b"{}", (rotated,), REAL)


def test_a_token_is_of_one_account_even_where_two_have_the_same_secret() -> None:
    north, south = Account("north", (SECRET,), (SHOP,)), Account("south", (SECRET,), (OTHER_SHOP,))
    for account in (north, south):
        shown = fetched(north, south, client=account.name)
        assert ups.verify(shown, b"{}", (north, south), REAL) == account


def test_a_token_of_another_source_is_none() -> None:
    made = tokens.made("another", CLIENT, SECRET, int(REAL.timestamp()) + 60)
    with pytest.raises(NotAuthentic):
        ups.verify({"authorization": f"Bearer {made}"}, b"{}", (ACCOUNT,), REAL)


def test_that_a_token_has_ended_is_told_the_log() -> None:
    shown = fetched(at=REAL - timedelta(hours=1, seconds=1))
    with pytest.raises(NotAuthentic, match="ended"):
        ups.verify(shown, b"{}", (ACCOUNT,), REAL)


@pytest.mark.parametrize(
    "value",
    [" ", "Bearer", "Bearer ", "bearer  ", f" {SECRET}", f"Bearer  {SECRET}", f"Bearer {SECRET} "],
)
def test_an_authorization_without_a_bearers_token_is_refused(value: str) -> None:
    with pytest.raises(NotAuthentic):
        ups.verify({"authorization": value}, b"{}", (ACCOUNT,), REAL)


@pytest.mark.parametrize("value", ["x", SECRET + " ", SECRET[:-1], "é", "\ud800", "\x00"])
def test_a_wrong_credential_is_refused(value: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        ups.verify({"credential": value}, b"{}", (ACCOUNT,), REAL)
    assert not isinstance(refused.value, Unsigned)


def test_no_header_that_is_a_secret_is_kept() -> None:
    assert ups.EVIDENCE == ()


# What its words mean

CODES = """
MP info_received
M info_received
MV cancelled
OR picked_up
PU picked_up
DP in_transit
AR in_transit
AF in_transit
IH in_transit
OT out_for_delivery
OF out_for_delivery
FS delivered
KB delivered
F4 delivered
RS returning
RT returning
UR returning
RF delivery_attempt_failed/refused
48 delivery_attempt_failed/recipient_absent
DY delayed/other
VD cancelled
CA cancelled
"""
KINDS = ["", "D", "I", "M", "MV", "U", "X", "P", "?"]


def short(kind: str, code: str, description: str = "") -> str:
    found = ups.meaning(kind, code, description)
    reason = f"/{found.reason}" if found.reason else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags)


def table() -> dict[str, str]:
    return dict(line.split(" ") for line in CODES.strip().split("\n"))


@pytest.mark.parametrize("code", table())
def test_a_code_means_the_same_under_every_type(code: str) -> None:
    for kind in KINDS:
        assert short(kind, code, "Delivered") == table()[code]


def test_the_table_is_whole_and_uses_our_words() -> None:
    assert set(ups.CODES) == set(table())
    assert {each.reason for each in (*ups.CODES.values(), *ups.TYPES.values())} <= REASONS | {""}


@pytest.mark.parametrize(
    ("kind", "meaning"),
    [
        ("D", "in_transit"),
        ("I", "in_transit"),
        ("M", "info_received"),
        ("MV", "cancelled"),
        ("U", "delayed/rescheduled"),
        ("X", "unknown+exception_unclassified"),
        ("", "unknown"),
        ("P", "unknown"),
        ("d", "unknown"),
        ("RS", "unknown"),
    ],
)
def test_a_code_that_is_not_in_the_table_is_what_its_type_says(kind: str, meaning: str) -> None:
    for code in ("", "Q9", "fs", "ot", "FS ", "021"):
        assert short(kind, code, "Out For Delivery Today") == meaning


@pytest.mark.parametrize(
    ("description", "delivered"),
    [
        ("Delivered", True),
        ("DELIVERED ", True),
        ("Your package has been delivered.", True),
        ("Left at: front door. Delivered", True),
        ("", False),
        ("Out for Delivery", False),
        ("Undelivered", False),
        ("Not delivered", False),
        ("Will be delivered tomorrow", False),
        ("Could not be delivered", False),
        ("Cannot get delivered", False),
        ("Pay before it is delivered", False),
        ("Delivery attempted", False),
        ("Zugestellt", False),
    ],
)
def test_a_delivery_by_type_counts_where_its_description_says_so(
    description: str, delivered: bool
) -> None:
    assert short("D", "Q9", description) == ("delivered" if delivered else "in_transit")
    assert short("I", "Q9", description) == "in_transit"


# What a delivery says


def told(body: object, pulled: bool = False) -> Translation:
    raw = json.dumps(body).encode()
    return ups.translate(Delivery("ups", CLIENT, raw, REAL, (SHOP,), pulled))


def scan(name: str, **changes: Any) -> Scan:
    (found,) = told(sample(f"ups/{name}.json") | changes).scans
    return found


WHAT = {
    "delivered": ("D/FS/011", "delivered", "2026-11-16T01:15:00Z"),
    "delivered.photo": ("D/FS/011", "delivered", "2026-11-16T01:15:00Z"),
    "delivered.unlisted": ("D/9E/011", "delivered", "2026-11-16T01:15:00Z"),
    "exception": ("X/Q9/000", "unknown", "2026-11-14T14:00:00Z"),
    "failed_attempt": ("X/48/000", "delivery_attempt_failed", "2026-11-13T19:30:00Z"),
    "in_transit": ("I/DP/005", "in_transit", "2026-11-11T07:47:40Z"),
    "label": ("M/MP/003", "info_received", "2026-11-09T15:15:00Z"),
    "least": ("D", "in_transit", "2026-11-23T12:00:00Z"),
    "local_time": ("I/OR/005", "picked_up", "2026-11-10T21:30:00Z"),
    "local_time.without_offset": ("I/OR/005", "picked_up", "2026-11-10T16:30:00Z"),
    "out_for_delivery": ("I/OT/021", "out_for_delivery", "2026-11-13T13:10:00Z"),
    "picked_up": ("I/OR/005", "picked_up", "2026-11-10T21:30:00Z"),
    "preparing": ("I/YP/071", "in_transit", "2026-11-13T10:12:00Z"),
    "rescheduled": ("U/ZZ/012", "delayed", "2026-11-13T19:45:00Z"),
    "returning": ("X/RS/000", "returning", "2026-11-16T15:30:00Z"),
    "voided": ("MV/004", "cancelled", "2026-11-09T16:00:00Z"),
}


def test_every_sample_says_what_it_should() -> None:
    assert {f"ups/{name}.json" for name in WHAT} == set(samples("ups"))
    for name, (code, status, at) in WHAT.items():
        found = scan(name)
        assert (found.raw_code, found.status.value) == (code, status), name
        assert f"{found.occurred_at:%Y-%m-%dT%H:%M:%SZ}" == at, name
        assert (found.carrier, found.shops) == ("UPS", (SHOP,))


def test_what_ups_pushes_is_unconfirmed() -> None:
    assert not scan("delivered").confirmed


@pytest.mark.parametrize(
    ("changes", "proof"),
    [
        ({}, "signature"),
        ({"deliveryPhoto": "UGhvdG8="}, "signature"),
        ({"receivedBy": "", "deliveryPhoto": "UGhvdG8="}, "photo"),
        ({"receivedBy": None}, ""),
        ({"receivedBy": ["x"], "deliveryPhoto": 7}, ""),
    ],
)
def test_a_delivery_is_proven_by_a_signature_before_a_photo_and_neither_is_kept(
    changes: dict[str, Any], proof: str
) -> None:
    found = scan("delivered", **changes)
    assert found.proof == proof
    assert "CONTOH" not in repr(found)
    assert "UGhvdG8" not in repr(found)


def test_a_receiver_proves_nothing_but_a_delivery() -> None:
    assert scan("out_for_delivery", receivedBy="CONTOH, A", deliveryPhoto="UGhvdG8=").proof == ""


def test_the_place_is_town_state_and_country_alone() -> None:
    assert scan("delivered").location == "RENO, NV, US"
    assert scan("label").location == "US"
    assert scan("delivered", activityLocation="1 Contoh Road").location == ""


def test_a_number_is_read_without_the_blank_that_may_stand_before_it() -> None:
    assert scan("least").number == "1ZSYN0000000000107"


@pytest.mark.parametrize(
    ("changes", "at", "basis"),
    [
        ({}, "2026-11-16T01:15:00", TimeBasis.UTC),
        ({"gmtOffset": "-09.00"}, "2026-11-16T01:15:00", TimeBasis.UTC),
        ({"gmtActivityTime": "11500"}, "2026-11-16T01:15:00", TimeBasis.UTC),
        ({"gmtActivityTime": 11500}, "2026-11-16T01:15:00", TimeBasis.UTC),
        ({"gmtActivityTime": ""}, "2026-11-16T01:15:00", TimeBasis.OFFSET),
        ({"gmtActivityDate": None}, "2026-11-16T01:15:00", TimeBasis.OFFSET),
        ({"gmtActivityDate": "", "gmtOffset": "+05:30"}, "2026-11-15T14:45:00", TimeBasis.OFFSET),
        ({"gmtActivityDate": "", "gmtOffset": "-0500"}, "2026-11-16T01:15:00", TimeBasis.OFFSET),
        ({"gmtActivityDate": "", "gmtOffset": ""}, "2026-11-15T20:15:00", TimeBasis.ZONE),
        ({"gmtActivityDate": "", "gmtOffset": "EST"}, "2026-11-15T20:15:00", TimeBasis.ZONE),
        ({"gmtActivityDate": "", "gmtOffset": "-05.60"}, "2026-11-15T20:15:00", TimeBasis.ZONE),
        ({"gmtActivityDate": "", "gmtOffset": "+15.00"}, "2026-11-15T20:15:00", TimeBasis.ZONE),
        (
            {"gmtActivityDate": "", "localActivityTime": ""},
            "2026-11-23T12:00:00",
            TimeBasis.RECEIVED,
        ),
    ],
)
def test_the_pair_in_utc_counts_then_the_one_on_the_wall(
    changes: dict[str, Any], at: str, basis: TimeBasis
) -> None:
    found = scan("delivered", **changes)
    assert (found.occurred_at, found.basis) == (datetime.fromisoformat(at + "+00:00"), basis)


@pytest.mark.parametrize(
    "changes",
    [
        {"gmtActivityDate": "2026-11-16"},
        {"gmtActivityDate": "20261316"},
        {"gmtActivityDate": "20260229"},
        {"gmtActivityDate": "00010101"},
        {"gmtActivityDate": "99991231"},
        {"gmtActivityDate": "٢٠٢٦١١١٦"},
        {"gmtActivityTime": "1815"},
        {"gmtActivityTime": "240000"},
        {"gmtActivityTime": "011560"},
        {"gmtActivityTime": "01:15:00"},
        {"gmtActivityTime": ["011500"]},
        {"gmtActivityDate": "", "localActivityTime": "1815"},
        {"trackingNumber": ""},
        {"trackingNumber": None},
        {"trackingNumber": 7},
        {"trackingNumber": "1Z é"},
        {"activityStatus": None},
        {"activityStatus": "D"},
        {"activityStatus": {}},
        {"activityStatus": {"type": "", "code": "", "description": "Delivered"}},
        {"activityStatus": {"type": 4, "code": "FS"}},
        {"activityStatus": {"type": "D", "code": ["FS"]}},
    ],
)
def test_what_cannot_be_read_is_kept_for_a_person(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        scan("delivered", **changes)


def test_a_description_code_is_a_text_and_what_is_none_is_left_out() -> None:
    status = {"type": "I", "code": "OT", "descriptionCode": 17}
    assert scan("out_for_delivery", activityStatus=status).raw_code == "I/OT"


def test_a_scan_is_the_same_however_much_is_told_beside_it() -> None:
    bare = {
        key: value
        for key, value in sample("ups/out_for_delivery.json").items()
        if key in ("trackingNumber", "activityStatus", "gmtActivityDate", "gmtActivityTime")
    }
    (found,) = told(bare).scans
    assert found.identity == scan("out_for_delivery").identity
    early = scan("in_transit"), scan("in_transit", gmtActivityTime="074740")
    assert early[0].identity == early[1].identity


def test_two_scans_differ_by_number_type_code_time_sense_or_proof() -> None:
    status = sample("ups/delivered.unlisted.json")["activityStatus"]
    found = [
        scan("delivered.unlisted"),
        scan("delivered.unlisted", trackingNumber="1ZSYN0000000000199"),
        scan("delivered.unlisted", activityStatus=status | {"type": "I"}),
        scan("delivered.unlisted", activityStatus=status | {"code": "9F"}),
        scan("delivered.unlisted", activityStatus=status | {"description": "On its way"}),
        scan("delivered.unlisted", gmtActivityTime="011501"),
        scan("delivered.unlisted", receivedBy="CONTOH"),
    ]
    assert len({each.identity for each in found}) == len(found)


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, "2026-11-13T20:00:00+00:00"),
        ({"deliveryEndTime": ""}, "2026-11-14T04:59:59+00:00"),
        ({"gmtOffset": ""}, "2026-11-13T15:00:00+00:00"),
        ({"scheduledDeliveryDate": ""}, None),
        ({"scheduledDeliveryDate": "soon"}, None),
        ({"deliveryEndTime": "late"}, None),
    ],
)
def test_the_estimate_is_the_end_of_the_window_or_of_the_day(
    changes: dict[str, Any], at: str | None
) -> None:
    found = scan("out_for_delivery", **changes).estimated_at
    assert found == (datetime.fromisoformat(at) if at else None)


def test_the_largest_body_is_what_a_row_can_hold() -> None:
    assert ups.LIMIT == 350 * 1024


def test_an_activity_links_no_order_and_is_answered_with_nothing() -> None:
    translation = told(sample("ups/delivered.json"))
    assert (translation.links, translation.note) == ((), "")
    assert ups.acknowledge(b"{}") == b""
    assert scan("least").status is TrackingStatus.IN_TRANSIT
