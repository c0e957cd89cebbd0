"""ShipMonk: what proves it, what an order's status means, and one number per package."""

from datetime import datetime
from typing import Any

import pytest

from shipclock.domain.event import Link
from shipclock.domain.tracking import Scan, TimeBasis, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, NotAuthentic, Translation, Unsigned, shipmonk
from tests.builders import ORDER, REAL, SHOP, sample, sample_bytes, samples
from tests.sources.senders import as_json

VECTORS = sample("signatures/shipmonk.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("us", (vector["secret"],), (), vector.get("options", {}))
    arguments = vector["headers"], vector["body"].encode(), [account], REAL
    if vector["authentic"]:
        assert shipmonk.verify(*arguments) == account
    else:
        with pytest.raises(NotAuthentic) as refused:
            shipmonk.verify(*arguments)
        assert not isinstance(refused.value, Unsigned)
        assert "monk" not in str(refused.value)


BODY = sample_bytes("shipmonk/delivered.json")
SIGNED = {shipmonk.HEADER: shipmonk.sign("one", BODY).hex()}
PASSED = SIGNED | {"authorization": "Basic bW9uazp3b3Jk"}  # monk:word


def test_of_two_accounts_with_one_secret_the_password_tells_whose_it_is() -> None:
    first = Account("first", ("one",), (), {"basic": "first:word"})
    second = Account("second", ("one",), (), {"basic": "monk:word"})
    assert shipmonk.verify(PASSED, BODY, [first, second], REAL) == second


def test_while_a_password_is_rotated_the_account_is_listed_with_each() -> None:
    old = Account("us", ("one",), (), {"basic": "monk:word"})
    new = Account("us", ("one",), (), {"basic": "monk:sword"})
    assert shipmonk.verify(PASSED, BODY, [new, old], REAL).name == "us"


@pytest.mark.parametrize("basic", ["", "monkword", 7, None, ["monk:word"], "monk:\ud83d"])
def test_a_password_that_can_be_none_is_our_fault_and_lets_nobody_in(basic: object) -> None:
    account = Account("us", ("one",), (), {"basic": basic})
    with pytest.raises(ValueError, match="shipmonk") as fault:
        shipmonk.verify(PASSED, BODY, [account], REAL)
    assert "monkword" not in str(fault.value)


def test_the_password_is_no_evidence() -> None:
    assert shipmonk.EVIDENCE == ("x-sm-signature",)


# What its words mean

STATUSES = """
back-order | on_hold/fulfilment_issue
backorder | on_hold/fulfilment_issue
unable_to_submit | on_hold/fulfilment_issue
queued_to_submit | -
subscription | -
package_forwarding | -
awaiting_label_request_from_merchant_facility | -
on_hold | on_hold/fulfilment_issue
submitted | -
updating | -
pick_in_progress | -
pack_in_progress | -
packed | info_received
awaiting_pick_up | info_received
awaiting_carrier_processing | info_received
en_route | in_transit
delivered | delivered
undeliverable | delivery_attempt_failed/other+final
shipped_untrackable | in_transit+untrackable
cancellation_requested | -
cancelled | cancelled
fulfilled_by_3rd | unknown
Delivered | unknown
"""


def short(scan: Scan) -> str:
    reason = f"/{scan.reason}" if scan.reason else ""
    return scan.status.value + reason + "".join(f"+{flag}" for flag in scan.flags)


def told(body: object, at: datetime = REAL, shops: tuple[str, ...] = ()) -> Translation:
    return shipmonk.translate(Delivery("shipmonk", "us", as_json(body), at, shops))


@pytest.mark.parametrize(
    ("status", "meant"), [line.split(" | ") for line in STATUSES.strip().split("\n")]
)
def test_every_status_has_its_meaning(status: str, meant: str) -> None:
    found = told(sample("shipmonk/en_route.json") | {"processing_status": status})
    assert [short(scan) for scan in found.scans] == ([] if meant == "-" else [meant] * 2)
    assert {scan.raw_code for scan in found.scans} <= {status}
    assert bool(found.note) is (meant == "-")


def test_the_table_holds_nothing_else() -> None:
    listed = {line.split(" | ")[0] for line in STATUSES.strip().split("\n")}
    assert listed - set(shipmonk.STATUSES) == {"fulfilled_by_3rd", "Delivered"}
    assert set(shipmonk.STATUSES) <= listed


# What a delivery says

SAID = {
    "packed.two_packages": ["000101 info_received", "000102 info_received"],
    "packed.old_store": ["000103 info_received"],
    "packed.split": ["000104 info_received"],
    "packed.one_number": ["000105 info_received"],
    "packed.odd_packages": ["000106 info_received"],
    "waiting": [],
    "on_hold": ["000101 on_hold/fulfilment_issue"],
    "en_route": ["000101 in_transit", "000102 in_transit"],
    "untrackable": ["000107 in_transit+untrackable"],
    "undeliverable": ["000101 delivery_attempt_failed/other+final"],
    "delivered": ["000101 delivered"],
    "cancelled": ["000108 cancelled"],
    "status_of_tomorrow": ["000101 unknown"],
    "without_time": ["000109 in_transit"],
    "another.return": [],
    "another.receiving": [],
}


@pytest.mark.parametrize("name", SAID)
def test_each_sample_says_what_it_should(name: str) -> None:
    found = told(sample(f"shipmonk/{name}.json"), shops=(SHOP,))
    assert [f"{s.number.removeprefix('SYNSM')} {short(s)}" for s in found.scans] == SAID[name]
    linked = {Link(scan.number, ORDER, "shipmonk", shops=(SHOP,)) for scan in found.scans}
    split = {Link("SYNSM000104", "SM-SPLIT-2", "shipmonk", shops=(SHOP,))}
    assert set(found.links) == linked | (split if name == "packed.split" else set())
    assert {scan.carrier for scan in found.scans} <= {"USPS"}
    assert bool(found.note) is (name in ("waiting", "packed.odd_packages") or "another" in name)


def test_the_notice_that_it_is_packed_has_a_time_of_its_own() -> None:
    for scan in told(sample("shipmonk/packed.two_packages.json")).scans:
        assert scan.occurred_at == datetime.fromisoformat("2026-11-17T21:00:00+00:00")
        assert scan.basis is TimeBasis.OFFSET


def test_a_status_is_of_when_the_order_was_changed_and_proves_nothing_missed() -> None:
    for name, at in (("delivered", "2026-11-20T12:00:00+00:00"), ("without_time", REAL)):
        for scan in told(sample(f"shipmonk/{name}.json")).scans:
            assert scan.occurred_at == datetime.fromisoformat(str(at))
            assert scan.basis is TimeBasis.RECEIVED
            assert not scan.trusted


@pytest.mark.parametrize(
    ("date", "zone", "at", "basis"),
    [
        ("2026-11-17 16:00:00.000000", "America/New_York", "2026-11-17T21:00:00Z", "zone"),
        ("2026-07-17 16:00:00.000000", "America/New_York", "2026-07-17T20:00:00Z", "zone"),
        ("2026-11-17 16:00:00.000000", "UTC", "2026-11-17T16:00:00Z", "utc"),
        ("2026-11-17 16:00:00.000000", "-05:00", "2026-11-17T21:00:00Z", "offset"),
        ("2026-11-17 16:00:00.000000", "EST5XYZ", "2026-11-17T16:00:00Z", "zone"),
        ("2026-11-17 16:00:00.000000", "America", "2026-11-17T16:00:00Z", "zone"),
        ("2026-11-17 16:00:00.000000", "../../etc", "2026-11-17T16:00:00Z", "zone"),
        ("2026-11-17 16:00:00.000000", "x" * 200, "2026-11-17T16:00:00Z", "zone"),
        ("2026-11-17 16:00:00.000000", "", "2026-11-17T16:00:00Z", "zone"),
    ],
)
def test_an_old_stores_date_is_read_by_its_zone(date: str, zone: str, at: str, basis: str) -> None:
    body = sample("shipmonk/packed.old_store.json")
    body["shipped_at"] = {"date": date, "timezone": zone, "timezone_type": 3}
    (scan,) = told(body).scans
    assert scan.occurred_at == datetime.fromisoformat(at)
    assert scan.basis == basis


@pytest.mark.parametrize("odd", ["yesterday", 5, [], {"date": "yesterday"}, {"date": 5}])
def test_an_odd_time_costs_itself_and_is_told(odd: object) -> None:
    found = told(sample("shipmonk/packed.one_number.json") | {"shipped_at": odd})
    assert [scan.occurred_at for scan in found.scans] == [REAL]
    assert "left out 1" in found.note


def test_an_order_that_stays_undeliverable_is_one_failed_attempt() -> None:
    body = sample("shipmonk/undeliverable.json")
    later = body | {"updated_at": "2026-11-21T12:00:00+00:00"}
    scans = [*told(body).scans, *told(later).scans]
    assert fold_parcel("SYNSM000101", scans).failed_attempts == 1


def test_a_hold_at_the_warehouse_is_no_scan_of_the_carriers() -> None:
    (scan,) = told(sample("shipmonk/on_hold.json")).scans
    assert fold_parcel(scan.number, [scan]).first_scan is None


@pytest.mark.parametrize(
    "packages", [["a package"], [{"tracking_number": 5}], [{"tracking_number": "号码"}]]
)
def test_where_no_number_can_be_read_a_person_must_look(packages: object) -> None:
    body = sample("shipmonk/en_route.json")
    with pytest.raises(Unreadable, match="packages"):
        told(body | {"packages": packages, "master_tracking_number": None})
    (scan,) = told(body | {"packages": packages}).scans
    assert scan.number == "SYNSM000101"


def test_a_key_that_is_no_orders_id_links_nothing_and_is_not_quoted() -> None:
    found = told(sample("shipmonk/delivered.json") | {"order_key": "Siti Contoh's order"})
    assert found.links == ()
    assert len(found.scans) == 1
    assert "no link" in found.note
    assert "Siti" not in found.note


def test_every_sample_is_tried() -> None:
    assert set(samples("shipmonk")) == {f"shipmonk/{name}.json" for name in SAID}
