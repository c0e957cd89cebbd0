"""Karrio: the secret that it sends, and what a tracker's history means."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.event import Link
from shipclock.domain.tracking import (
    REASONS,
    Scan,
    TimeBasis,
    TrackingStatus,
    fold_parcel,
    in_order,
)
from shipclock.ingest import Arrival, receive
from shipclock.ports import Row
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, Translation, karrio
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import NUMBER, ORDER, REAL, sample, sample_bytes, samples

BODY = sample_bytes("karrio/delivered.json")

# Who is let in

VECTORS = sample("signatures/karrio.json")


def test_the_secret_is_not_kept_with_the_delivery() -> None:
    kept: list[Row] = []

    def keep(row: Row) -> bool:
        kept.append(row)
        return True

    secret = VECTORS[0]["secret"]
    headers = {"x-event-id": secret, "content-type": "application/json"}
    told = {"karrio": [{"secrets": [secret]}]}
    answer = receive(Arrival("karrio", headers, BODY, REAL), lambda: told, keep, timedelta(days=1))
    assert (answer.status, answer.body) == (200, b"")
    assert secret not in repr(kept) + repr(answer)
    assert kept[0]["headers"] == {}


# What its words mean

STATUSES = """
pending info_received
picked_up picked_up
on_hold on_hold/other
cancelled cancelled
delivered delivered
in_transit in_transit
delivery_failed delivery_attempt_failed/other
delivery_delayed delayed/other
out_for_delivery out_for_delivery
ready_for_pickup available_for_pickup
return_to_sender returning
unknown unknown
"""

REASON_TABLE = """
carrier_damaged_parcel damaged
carrier_parcel_lost lost
carrier_sorting_error delayed/missorted
consignee_refused delivery_attempt_failed/refused
consignee_business_closed delivery_attempt_failed/business_closed
consignee_not_available delivery_attempt_failed/recipient_absent
consignee_not_home delivery_attempt_failed/recipient_absent
consignee_incorrect_address delivery_attempt_failed/address_issue
consignee_access_restricted delivery_attempt_failed/access_restricted
consignee_verification_failed delivery_attempt_failed/identification
consignee_cancelled cancelled
retailer_cancelled cancelled
customs_delay on_hold/customs
customs_inspection on_hold/customs
customs_documentation on_hold/documents
customs_duties_unpaid on_hold/payment
customs_prohibited on_hold/prohibited
weather_delay delayed/weather
natural_disaster delayed/weather
force_majeure delayed/other
parcel_being_researched on_hold/investigation
security_issue on_hold/security
regulatory_hold on_hold/other
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def short(status: str, reason: str = "") -> str:
    found = karrio.meaning(status, reason)
    return found.status.value + (f"/{found.reason}" if found.reason else "")


@pytest.mark.parametrize(("status", "said"), pairs(STATUSES))
def test_every_status_has_its_meaning_which_no_unknown_reason_changes(
    status: str, said: str
) -> None:
    for reason in ("", "unknown", "carrier_vehicle_issue", "CONSIGNEE_REFUSED"):
        assert short(status, reason) == said


@pytest.mark.parametrize(("reason", "said"), pairs(REASON_TABLE))
def test_every_reason_overrides_every_status(reason: str, said: str) -> None:
    for status in (*karrio.STATUSES, "teleported", ""):
        assert short(status, reason) == said


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(karrio.STATUSES) == {code for code, _ in pairs(STATUSES)}
    assert set(karrio.REASONS) == {code for code, _ in pairs(REASON_TABLE)}
    meanings = {*karrio.STATUSES.values(), *karrio.REASONS.values()}
    assert {meaning.reason for meaning in meanings} <= REASONS | {""}


@pytest.mark.parametrize("status", ["teleported", "Delivered", "delivered ", "DELIVERED", ""])
def test_a_status_that_is_not_in_the_table_is_never_guessed(status: str) -> None:
    assert short(status) == "unknown"


# What a delivery says


def told(body: bytes, at: datetime = REAL, *, pulled: bool = False) -> Translation:
    if pulled:  # the API's answer is the tracker itself
        body = json.dumps(json.loads(body)["data"]).encode()
    return karrio.translate(Delivery("karrio", "default", body, at, pulled=pulled))


def scans(name: str) -> tuple[Scan, ...]:
    return told(sample_bytes(f"karrio/{name}.json")).scans


def bent(change: Callable[[dict[str, Any]], object], name: str = "delivered") -> bytes:
    """A sample whose tracker was changed."""
    body = sample(f"karrio/{name}.json")
    change(body["data"])
    return json.dumps(body).encode()


MOVED = ["info_received", "picked_up", "in_transit"]
TRIED = [*MOVED, "out_for_delivery", "delivery_attempt_failed"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("created", MOVED[:1]),
        ("label", MOVED[:1]),
        ("picked_up", MOVED[:2]),
        ("in_transit", MOVED),
        ("failed_attempt", TRIED),
        ("delivered", [*TRIED, "out_for_delivery", "delivered"]),
        ("lost", [*MOVED, "lost"]),
        ("returned", [*TRIED, "returning"]),
        ("without_status", ["unknown", "unknown", "in_transit", "unknown"]),
        ("codes_of_tomorrow", ["info_received", "unknown", "in_transit"]),
        ("times", [*MOVED, "delivered"]),
        ("odd_entries", ["info_received", "delivered"]),
        ("another_event", []),
    ],
)
def test_a_history_is_one_scan_per_event(name: str, statuses: list[str]) -> None:
    assert [scan.status.value for scan in in_order(scans(name))] == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("karrio"):
        found = told(sample_bytes(path))
        assert found.scans or found.note, path


def test_an_event_keeps_its_words_and_its_carrier_but_not_its_place() -> None:
    failed = in_order(scans("failed_attempt"))[-1]
    assert (failed.reason, failed.raw_code) == (
        "recipient_absent",
        "delivery_failed/consignee_not_home",
    )
    assert (failed.number, failed.written) == (NUMBER, "SYN-000 101")
    assert (failed.carrier, failed.location, failed.proof) == ("synthetic_express", "", "")
    beamed = in_order(scans("codes_of_tomorrow"))[1]
    assert (beamed.status, beamed.raw_code) == ("unknown", "beamed_up")


def test_the_number_is_linked_to_the_order_in_our_metadata() -> None:
    assert told(BODY).links == (Link(NUMBER, ORDER, "karrio"),)
    unlinked = told(bent(lambda data: data.update(metadata=None)))
    assert (unlinked.links, unlinked.note, len(unlinked.scans)) == ((), "", 7)
    odd = told(sample_bytes("karrio/odd_entries.json"))
    assert odd.links == ()
    assert "left out 4" in odd.note
    assert "no link: data.metadata.order_id" in odd.note
    assert "Contoh" not in odd.note


@pytest.mark.parametrize("event", ["tracker.updated", "tracker.created", "all", "", None])
def test_only_the_underscored_events_of_trackers_mean_something(event: object) -> None:
    body = sample("karrio/delivered.json")
    found = told(json.dumps({**body, "event": event}).encode())
    assert found == Translation(note=found.note)
    assert "is no news of a tracker" in found.note


def test_what_a_webhook_says_is_unconfirmed_until_it_is_pulled() -> None:
    pushed, pulled = told(BODY), told(BODY, pulled=True)
    assert not any(scan.confirmed for scan in pushed.scans)
    assert all(scan.confirmed for scan in pulled.scans)
    assert len(pulled.scans) == len(pushed.scans) == 7
    assert not {s.identity for s in pushed.scans} & {s.identity for s in pulled.scans}
    assert fold_parcel(NUMBER, (*pushed.scans, *pulled.scans)).failed_attempts == 1


def test_no_history_is_longer_than_a_parcels() -> None:
    entry = sample("karrio/label.json")["data"]["events"][0]
    with pytest.raises(Unreadable, match="no parcel has so many"):
        told(bent(lambda data: data.update(events=[entry] * (MOST_ENTRIES + 1))))


# Times


def test_no_time_proves_anything_whatever_stands_behind_it() -> None:
    for name in ("delivered", "times", "without_status"):
        assert {scan.basis for scan in scans(name)} <= {TimeBasis.ZONE, TimeBasis.RECEIVED}
    pulled = told(BODY, pulled=True).scans
    assert {(scan.basis, scan.trusted) for scan in pulled} == {(TimeBasis.ZONE, False)}


@pytest.mark.parametrize(
    ("clock", "read"),
    [
        ("20:34", "20:34"),
        ("06:16 AM", "06:16"),
        ("6:16 AM", "06:16"),
        ("06:16 PM", "18:16"),
        ("18:04 PM", "18:04"),
        ("12:10 PM", "12:10"),
        ("12:10 AM", "00:10"),
        ("00:10 AM", "00:10"),
        ("1:58pm", "13:58"),
        ("20:34:59", "20:34"),
        ("noon", "00:00"),
        ("", "00:00"),
        (None, "00:00"),
    ],
)
def test_a_time_of_day_is_read_however_karrio_writes_it(clock: object, read: str) -> None:
    event = {"date": "2026-11-07", "time": clock, "status": "delivered"}
    (scan,) = told(bent(lambda data: data.update(events=[event]))).scans
    assert scan.occurred_at == datetime.fromisoformat(f"2026-11-07T{read}:00Z")
    assert scan.basis is TimeBasis.ZONE


@pytest.mark.parametrize(
    ("date", "clock"), [("", "20:34"), ("7 Nov", "20:34"), ("2026-11-07", "25:99")]
)
def test_a_day_or_a_time_that_is_none_is_no_time(date: str, clock: str) -> None:
    event = {"date": date, "time": clock, "status": "delivered"}
    (scan,) = told(bent(lambda data: data.update(events=[event]))).scans
    assert (scan.status, scan.basis) == ("delivered", TimeBasis.RECEIVED)


# The tracker's own status


def test_where_the_newest_event_has_no_status_the_trackers_is_told_as_of_it() -> None:
    own = next(scan for scan in scans("without_status") if scan.status == "in_transit")
    assert own.occurred_at == datetime.fromisoformat("2026-11-05T18:02:00Z")
    assert (own.basis, own.raw_code) == (TimeBasis.RECEIVED, "in_transit")
    again = told(sample_bytes("karrio/without_status.json"), REAL + timedelta(days=1)).scans
    assert own.identity in {scan.identity for scan in again}


def with_own(status: str, *events: str | None) -> list[str]:
    """A history's statuses, oldest event first; None: an event without one."""
    listed = [
        {"date": f"2026-11-{day:02}", "time": "10:00", "code": "X", "status": each}
        for day, each in enumerate(events, start=1)
    ]
    found = told(bent(lambda data: data.update(events=listed[::-1], status=status))).scans
    return [scan.status.value for scan in in_order(found) if scan.status != "unknown"]


def test_the_trackers_status_undoes_nothing_and_repeats_nothing() -> None:
    assert with_own("delivered", "pending", None) == ["info_received", "delivered"]
    assert with_own("in_transit", "pending", None) == ["info_received", "in_transit"]
    assert with_own("in_transit", "in_transit", None) == ["in_transit"]
    assert with_own("in_transit", "delivered", None) == ["delivered"]
    assert with_own("in_transit", "return_to_sender", None) == ["returning"]
    assert with_own("in_transit", "pending") == ["info_received"]
    assert with_own("delivered", "in_transit") == ["in_transit", "delivered"]
    assert with_own("unknown", "in_transit", None) == ["in_transit"]
    assert with_own("teleported", None) == []


def test_attempts_that_only_the_tracker_tells_of_are_one() -> None:
    def attempt(day: int) -> tuple[Scan, ...]:
        event = {"date": f"2026-11-{day:02}", "time": "10:00", "code": "X"}
        return told(bent(lambda data: data.update(events=[event], status="delivery_failed"))).scans

    found = [s for day in (6, 7) for s in attempt(day) if s.status != TrackingStatus.UNKNOWN]
    assert [scan.status.value for scan in found] == ["delivery_attempt_failed"] * 2
    assert len({scan.identity for scan in found}) == 1


def test_a_number_of_which_nothing_is_known_is_linked_all_the_same() -> None:
    found = told(bent(lambda data: data.update(events=[], status=None)))
    assert (found.scans, found.links) == ((), (Link(NUMBER, ORDER, "karrio"),))
    assert found.note == "nothing is known of the number yet"


# One scan whatever brings it


def test_the_same_event_is_one_scan_in_every_webhook() -> None:
    whole = {scan.identity for scan in scans("delivered")}
    for name in ("label", "picked_up", "in_transit", "failed_attempt"):
        assert {scan.identity for scan in scans(name)} <= whole


@pytest.mark.parametrize("key", ["status", "reason", "code", "timestamp", "location"])
def test_an_event_that_says_something_else_is_another_scan(key: str) -> None:
    found = set()
    for value in ("2026-11-08T10:00:00Z", "2026-11-08T11:00:00Z"):
        body = sample("karrio/label.json")
        body["data"]["status"] = None  # of the tracker, which would add one of its own
        body["data"]["events"][0][key] = value
        found |= {scan.identity for scan in told(json.dumps(body).encode()).scans}
    assert len(found) == 2
