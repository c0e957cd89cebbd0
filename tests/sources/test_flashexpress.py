"""Flash Express: a proof that covers no data, so that nothing which it tells is certain."""

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from shipclock.domain.tracking import REASONS, UNCONFIRMED, Scan, TimeBasis
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, NotAuthentic, Translation, Unsigned, flashexpress
from tests.builders import ORDER, REAL, SHOP, sample, samples
from tests.sources.senders import SENDERS

VECTORS = sample("signatures/flashexpress.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("th", (vector["secret"],), (), vector.get("options", {}))
    arguments = vector["headers"], vector["body"].encode(), [account], REAL
    if vector["authentic"]:
        assert flashexpress.verify(*arguments) == account
    else:
        with pytest.raises(NotAuthentic) as refused:
            flashexpress.verify(*arguments)
        assert not isinstance(refused.value, Unsigned)
        assert "SYN10" not in str(refused.value)


@pytest.mark.parametrize("body", [b"", b"mchId=a&nonceStr=1&data={}", b"mchId=a&sign=&nonceStr=1"])
def test_a_missing_sign_is_told_apart(body: bytes) -> None:
    with pytest.raises(Unsigned):
        flashexpress.verify({}, body, [Account("th", ("one",))], REAL)


def test_of_two_merchants_with_one_secret_the_id_tells_whose_it_is() -> None:
    _, body = SENDERS["flashexpress"].send(b"{}", "one")
    first = Account("first", ("one",), (), {"mchId": "SYN100"})
    second = Account("second", ("one",), (), {"mchId": "SYN101"})
    odd = Account("odd", ("one",), (), {"mchId": 101})
    assert flashexpress.verify({}, body, [odd, first, second], REAL) == second


def test_it_is_answered_with_the_words_that_flash_takes_for_a_yes() -> None:
    assert json.loads(flashexpress.acknowledge(b"x")) == {"errorCode": "1", "state": "success"}


# What its codes mean

STATES = """
1 | picked_up
2 | in_transit
3 | out_for_delivery
4 | on_hold/other
5 | delivered
6 | delivery_attempt_failed/other
7 | returned
8 | unknown+exception_unclassified
9 | cancelled
0 | unknown
10 | unknown
"""

ACTIONS = """
RECEIVED | picked_up
RECEIVE_WAREHOUSE_SCAN SHIPMENT_WAREHOUSE_SCAN ARRIVAL_WAREHOUSE_SCAN | in_transit
DELIVERY_TICKET_CREATION_SCAN DELIVERY_TRANSFER | out_for_delivery
DETAIN_WAREHOUSE DIFFICULTY_HANDOVER_DETAIN_WAREHOUSE | on_hold/other
THIRD_PARTY_REASON_DETAIN | on_hold/other
DELIVERY_CONFIRM | delivered
DIFFICULTY_HANDOVER | delivery_attempt_failed/other
CONTINUE_TRANSPORT DIFFICULTY_RE_TRANSIT | in_transit
CANCEL_PARCEL | cancelled
HURRY_PARCEL CHANGE_PARCEL_INFO CUSTOMER_CHANGE_PARCEL_INFO | -
CHANGE_PARCEL_CLOSE CLOSE_ORDER DISCARD_RETURN_BKK | unknown+exception_unclassified
CHANGE_PARCEL_SIGNED | delivered+corrected
CHANGE_PARCEL_CANCEL | cancelled+corrected
CHANGE_PARCEL_IN_TRANSIT | in_transit+corrected
REVISION_TIME | delayed/rescheduled
DIFFICULTY_FINISH_INDEMNITY | lost+ambiguous_lost_or_damaged
SYSTEM_AUTO_RETURN DIFFICULTY_RETURN CUSTOMER_OPERATING_RETURN | returning
INTERRUPT_PARCEL_AND_RETURN PENDING_RETURN | returning
REFUND_CONFIRM | returned
DELIVERY_PICKUP_STORE_SCAN PICK_UP_STORE | available_for_pickup
SORTING_SCAN SEAL UNSEAL INVENTORY DISTRIBUTION_INVENTORY FLASH_HOME_SCAN | in_transit
DEPARTURE_GOODS_VAN_CK_SCAN | in_transit
NOTICE_LOST_PARTS_TEAM TRANSFER_LOST_PARTS_TEAM | on_hold/investigation
LOSE_PARCEL_TEAM_OPERATION MISSING_PARCEL_SCAN | on_hold/investigation
VEHICLE_ACCIDENT_REG VEHICLE_ACCIDENT_REGISTRATION | delayed/transport
VEHICLE_WET_DAMAGE_REG VEHICLE_WET_DAMAGE_REGISTRATION | damaged
UNSEAL_NOT_SCANNED HAVE_HAIR_SCAN_NO_TO | unknown+exception_unclassified
PARCEL_HEADLESS_CLAIMED PARCEL_HEADLESS_PRINTED | unknown+exception_unclassified
DELIVERY_MARKER THIRD_EXPRESS_ROUTE | unknown+needs_text
PHONE INCOMING_CALL MANUAL_REMARK PRINTING TAKE_PHOTO REPLACE_PNO PICKUP_RETURN_RECEIPT | -
CLAIMS_CLOSE CLAIMS_COMPLETE CLAIMS_CONTACT CLAIMS_TRANSFER_CS | -
STAFF_INFO_UPDATE_WEIGHT STORE_KEEPER_UPDATE_WEIGHT STORE_SORTER_UPDATE_WEIGHT | -
DWS_WEIGHT_IMAGE SORTER_WEIGHT_IMAGE TICKET_WEIGHT_IMAGE | -
"""


def table(rows: str) -> list[tuple[str, str]]:
    parted = (row.split(" | ") for row in rows.strip().split("\n"))
    return [(code, meant) for codes, meant in parted for code in codes.split()]


def short(state: str, action: str = "") -> str:
    found = flashexpress.meaning(state, action)
    if found is None:
        return "-"
    reason = f"/{found.reason}" if found.reason else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags)


@pytest.mark.parametrize(("state", "meant"), table(STATES))
def test_every_state_has_its_meaning(state: str, meant: str) -> None:
    assert short(state) == meant
    assert short(state, "HURRY_PARCEL") == meant
    assert short(state, "BEAMED_UP") == meant


@pytest.mark.parametrize(("action", "meant"), table(ACTIONS))
def test_every_route_action_has_its_meaning(action: str, meant: str) -> None:
    assert short("", action) == meant


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(flashexpress.ACTIONS) == {action for action, _ in table(ACTIONS)}
    assert set(flashexpress.STATES) == {state for state, _ in table(STATES)} - {"0", "10"}
    assert {m.reason for m in flashexpress.ACTIONS.values() if m} - {""} <= REASONS
    assert short("", "BEAMED_UP") == "unknown"


@pytest.mark.parametrize(
    ("state", "action", "meant"),
    [
        ("7", "SYSTEM_AUTO_RETURN", "returned"),
        ("2", "DELIVERY_CONFIRM", "in_transit"),
        ("5", "CHANGE_PARCEL_SIGNED", "delivered+corrected"),
        ("4", "NOTICE_LOST_PARTS_TEAM", "on_hold/investigation"),
        ("8", "DIFFICULTY_FINISH_INDEMNITY", "lost+ambiguous_lost_or_damaged"),
        ("8", "VEHICLE_WET_DAMAGE_REG", "damaged"),
        ("8", "DELIVERY_CONFIRM", "unknown+exception_unclassified"),
        ("10", "DELIVERY_CONFIRM", "unknown"),
    ],
)
def test_the_state_decides_and_an_action_that_agrees_says_it_better(
    state: str, action: str, meant: str
) -> None:
    assert short(state, action) == meant


# What a delivery says


def told(data: object, at: datetime = REAL, shops: tuple[str, ...] = ()) -> Translation:
    body = urlencode({"mchId": "SYN101", "data": json.dumps(data)}).encode()
    return flashexpress.translate(Delivery("flashexpress", "th", body, at, shops))


def word(scan: Scan) -> str:
    reason = f"/{scan.reason}" if scan.reason else ""
    flags = "".join(f"+{flag}" for flag in scan.flags if flag != UNCONFIRMED)
    return f"{scan.number.removeprefix('SYNFE')} {scan.status.value}{reason}{flags}"


SAID = {
    "picked_up": "000101A picked_up",
    "in_transit": "000101A in_transit",
    "out_for_delivery": "000101A out_for_delivery",
    "failed_attempt": "000101A delivery_attempt_failed/other",
    "delivered": "000101A delivered",
    "detained": "000102A on_hold/other",
    "returned": "000103A returned",
    "lost": "000104A lost+ambiguous_lost_or_damaged",
    "closed": "000105A unknown+exception_unclassified",
    "renumbered": "000106A in_transit",
    "route": "000108A in_transit",
    "route.silent": "",
    "route.of_tomorrow": "000108A unknown",
    "state_of_tomorrow": "000109A unknown",
    "milliseconds": "000110A in_transit",
    "odd_time": "000111A in_transit",
    "another.courier": "",
    "another.weight": "",
}


@pytest.mark.parametrize("name", SAID)
def test_each_sample_says_what_it_should_and_nothing_for_certain(name: str) -> None:
    found = told(sample(f"flashexpress/{name}.json"), shops=(SHOP,))
    assert [word(scan) for scan in found.scans] == ([SAID[name]] if SAID[name] else [])
    assert all(not scan.confirmed and not scan.trusted for scan in found.scans)
    assert {scan.carrier for scan in found.scans} <= {"Flash Express"}
    noted = name in ("route.silent", "odd_time") or "another" in name
    assert bool(found.note) is noted
    assert "Siti" not in found.note


def test_every_sample_is_tried() -> None:
    assert set(samples("flashexpress")) == {f"flashexpress/{name}.json" for name in SAID}


def test_the_order_that_we_told_flash_is_linked_and_so_is_a_new_number() -> None:
    def links(name: str) -> list[str]:
        found = told(sample(f"flashexpress/{name}.json"), shops=(SHOP,))
        assert all(link.order_id == ORDER and link.shops == (SHOP,) for link in found.links)
        return [link.number for link in found.links]

    assert links("delivered") == ["SYNFE000101A"]
    assert links("renumbered") == ["SYNFE000106A", "SYNFE000107A"]
    assert links("route.silent") == ["SYNFE000108A"]
    assert links("milliseconds") == links("odd_time") == links("another.weight") == []


@pytest.mark.parametrize(
    ("told_at", "at", "basis"),
    [
        (1794880000, "2026-11-17T01:46:40Z", "utc"),
        ("1794880000", "2026-11-17T01:46:40Z", "utc"),
        (1794880000123, "2026-11-17T01:46:40Z", "utc"),
        (0, None, "received"),
        (None, None, "received"),
        ("2026-11-17 01:46:40", None, "received"),
        (17948800001234, None, "received"),
        ([], None, "received"),
    ],
)
def test_a_time_is_in_seconds_or_milliseconds_and_an_odd_one_costs_itself(
    told_at: object, at: str | None, basis: str
) -> None:
    (scan,) = told(sample("flashexpress/in_transit.json") | {"stateChangeAt": told_at}).scans
    assert scan.occurred_at == (datetime.fromisoformat(at) if at else REAL)
    assert scan.basis is TimeBasis(basis)


def test_another_nonce_makes_no_second_event() -> None:
    data = json.dumps(sample("flashexpress/delivered.json")).encode()
    first, second = (
        SENDERS["flashexpress"].send(data, at=REAL + timedelta(hours=hours))[1] for hours in (0, 1)
    )
    assert parse_qs(first.decode())["sign"] != parse_qs(second.decode())["sign"]
    one, other = (
        flashexpress.translate(Delivery("flashexpress", "th", body, REAL)).scans[0].identity
        for body in (first, second)
    )
    assert one == other


@pytest.mark.parametrize(
    "data",
    [
        {"state": 5},
        {"state": 5, "pno": "号码"},
        {"state": 5, "pno": ["SYN"]},
        {"state": True, "pno": "SYN"},
        {"routedAction": 7, "pno": "SYN"},
    ],
)
def test_what_can_not_be_read_waits_for_a_person(data: object) -> None:
    with pytest.raises(Unreadable):
        told(data)


@pytest.mark.parametrize("body", [b"data=[]", b"data=", b"mchId=a", b"data={", b"data=%ff"])
def test_data_that_is_no_object_waits_for_a_person(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        flashexpress.translate(Delivery("flashexpress", "th", body, REAL))


def test_the_newest_number_stands_in_where_the_other_is_missing() -> None:
    (scan,) = told({"state": 5, "recentPno": "SYN-FE 1"}).scans
    assert scan.number == "SYNFE1"
