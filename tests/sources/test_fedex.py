"""FedEx: proving its pushes, and what the events of a parcel mean."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.tracking import REASONS, Scan, TimeBasis, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, Translation, fedex
from tests.builders import REAL, SHOP, sample, samples

NUMBER = "799900000101"

# What its words mean

EVENTS = {
    "info_received": "OC OX EP MD",
    "picked_up": "PU PX",
    "in_transit": "AP OF AA AC AF AR AX DP EA EO FD IT IX LO PF PL PM SF TR",
    "out_for_delivery": "AD ED OD",
    "available_for_pickup": "HL HP",
    "on_hold/recipient_request": "HA",
    "on_hold/customs": "CD",
    "delayed/other": "SE DD DY PY",
    "delivery_attempt_failed/other": "DE",
    "delivered": "DL",
    "returning": "RS RT",
    "cancelled": "CA RD",
}


def short(event: str, exception: str = "") -> str:
    found = fedex.meaning(event, exception)
    return found.status.value + (f"/{found.reason}" if found.reason else "")


@pytest.mark.parametrize("meaning", EVENTS)
def test_every_event_has_its_meaning_whatever_exception_stands_beside_it(meaning: str) -> None:
    for event in EVENTS[meaning].split():
        assert short(event) == short(event, "99") == meaning


def test_the_table_is_whole_and_uses_our_words() -> None:
    assert sorted(fedex.EVENTS) == sorted(" ".join(EVENTS.values()).split())
    assert {each.reason for each in fedex.EVENTS.values()} <= REASONS | {""}
    assert set(fedex.EXCEPTIONS.values()) <= REASONS


@pytest.mark.parametrize("event", ["", "dl", "DL ", "D", "DLX", "Delivered", "号"])
def test_an_unknown_event_is_never_guessed(event: str) -> None:
    assert short(event, "08") == "unknown"


def test_an_exception_code_tells_why_an_attempt_failed_and_nothing_else() -> None:
    assert short("DE", "08") == "delivery_attempt_failed/recipient_absent"
    assert short("DE", "8") == short("DE", "008") == "delivery_attempt_failed/other"
    assert short("SE", "08") == "delayed/other"


# What a delivery says


def told(body: object, at: datetime = REAL) -> Translation:
    raw = json.dumps(body).encode()
    return fedex.translate(Delivery("fedex", "us", raw, at, (SHOP,)))


def scans(name: str) -> list[Scan]:
    """The scans of a sample, earliest first."""
    found = told(sample(f"fedex/{name}.json")).scans
    return sorted(found, key=lambda each: (each.number, each.occurred_at))


def events(*listed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"trackResults": [{"trackingNumber": NUMBER, "scanEvents": list(listed), **more}]}


def event(kind: str = "IT", date: str = "2026-11-12T10:00:00-05:00", **more: Any) -> dict[str, Any]:
    return {"eventType": kind, "date": date, **more}


def year(of: int) -> dict[str, Any]:
    """A result with sixty events."""
    listed = [event(date=f"{of}-01-01T00:00:{second:02}Z") for second in range(60)]
    return {"trackingNumber": NUMBER, "scanEvents": listed}


LABEL = ["OC 2026-11-09T15:15:00 info_received", "PU 2026-11-10T21:30:00 picked_up"]
ATTEMPT = [
    *LABEL,
    "DP 2026-11-11T07:47:40 in_transit",
    "OD 2026-11-13T16:10:00 out_for_delivery",
    "DE/08 2026-11-13T22:30:00 delivery_attempt_failed/recipient_absent",
]
WHAT = {
    "label": LABEL[:1],
    "in_transit": ATTEMPT[:3],
    "failed_attempt": ATTEMPT,
    "delivered": [
        *ATTEMPT,
        "OD 2026-11-14T16:20:00 out_for_delivery",
        "DL 2026-11-15T01:05:00 delivered*signature",
    ],
    "returned": [
        *ATTEMPT[:4],
        "DE/07 2026-11-14T18:00:00 delivery_attempt_failed/other",
        "RS 2026-11-15T17:00:00 returning",
        "AR 2026-11-17T11:00:00 returning",
        "DL 2026-11-18T17:00:00 returned",
    ],
    "flat": LABEL,
    "two_parcels": [*LABEL, *ATTEMPT, "OD 2026-11-14T16:20:00 out_for_delivery"],
    "latest_alone": ["DL 2026-11-15T01:05:00 delivered"],
    "not_found": [],
    "code_of_tomorrow": [
        "CD 2026-11-12T09:00:00 on_hold/customs",
        "ZZ/T9 2026-11-12T16:00:00 unknown",
    ],
}


@pytest.mark.parametrize("name", WHAT)
def test_every_sample_says_what_it_should(name: str) -> None:
    def line(each: Scan) -> str:
        reason = f"/{each.reason}" if each.reason else ""
        proof = f"*{each.proof}" if each.proof else ""
        return f"{each.raw_code} {each.occurred_at:%Y-%m-%dT%H:%M:%S} {each.status}{reason}{proof}"

    found = scans(name)
    assert [line(each) for each in found] == WHAT[name]
    assert {each.carrier for each in found} <= {"FedEx"}
    assert all(each.confirmed and each.shops == (SHOP,) for each in found)


def test_all_samples_are_held_against_what_they_say() -> None:
    assert {f"fedex/{name}.json" for name in WHAT} == set(samples("fedex"))


def test_a_growing_history_brings_each_scan_once() -> None:
    grown = [
        scan
        for name in ("label", "in_transit", "failed_attempt", "delivered")
        for scan in scans(name)
    ]
    assert len({scan.identity for scan in grown}) == 7
    parcel = fold_parcel(NUMBER, grown)
    assert (parcel.status, parcel.failed_attempts) == ("delivered", 1)


def test_both_layouts_tell_the_same_scans() -> None:
    flat = sample("fedex/flat.json")
    nested = {"output": {"completeTrackResults": [flat]}}
    bare = {"completeTrackResults": [flat]}
    in_output = {"output": flat}
    same = {
        tuple(scan.identity for scan in told(each).scans)
        for each in (flat, nested, bare, in_output)
    }
    assert len(same) == 1
    assert len(same.pop()) == 2


@pytest.mark.parametrize(
    ("group", "own", "inside", "number"),
    [("1", "2", "3", "3"), ("1", "2", None, "2"), ("1", None, "", "1"), (None, " 2 ", None, "2")],
)
def test_the_number_nearest_to_the_events_is_theirs(
    group: str | None, own: str | None, inside: str | None, number: str
) -> None:
    info = {"trackingNumber": inside}
    result = {"trackingNumber": own, "trackingNumberInfo": info, "scanEvents": [event()]}
    body = {"completeTrackResults": [{"trackingNumber": group, "trackResults": [result]}]}
    (found,) = told(body).scans
    assert found.number == number


def test_a_parcel_that_is_not_found_means_nothing_and_says_why() -> None:
    assert "TRACKING.TRACKINGNUMBER.NOTFOUND" in told(sample("fedex/not_found.json")).note
    assert "no parcel" in told({"output": {"completeTrackResults": []}}).note


def test_what_is_odd_costs_itself_alone() -> None:
    good = {"trackingNumber": NUMBER, "scanEvents": [event(), event(date="yesterday"), 7, {}]}
    body = {"trackResults": [good, "x", {"scanEvents": [event()]}, {**good, "trackingNumber": "é"}]}
    found = told(body)
    assert len(found.scans) == 1
    assert found.note.startswith("left out 6")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"output": {"alerts": "x"}},
        {"event": "test"},
        {"trackResults": [7]},
        {"trackResults": {}},
        {"completeTrackResults": "x"},
        events(event("")),
        events(event(date="2026-13-01T00:00:00Z")),
        {"trackResults": [{"scanEvents": [event()]}]},
        events(*[event()] * 2_001),
        {"trackResults": [year(2010 + nth) for nth in range(40)]},
    ],
)
def test_what_cannot_be_read_is_kept_for_a_person(body: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        told(body)


@pytest.mark.parametrize(
    ("date", "at", "basis"),
    [
        ("2026-11-12T10:00:00-05:00", "2026-11-12T15:00:00+00:00", TimeBasis.OFFSET),
        ("2026-11-12T15:00:00Z", "2026-11-12T15:00:00+00:00", TimeBasis.UTC),
        ("2026-11-12T10:00:00", "2026-11-12T10:00:00+00:00", TimeBasis.ZONE),
        ("", "2026-11-23T12:00:00+00:00", TimeBasis.RECEIVED),
    ],
)
def test_a_time_is_as_good_as_its_offset(date: str, at: str, basis: TimeBasis) -> None:
    (found,) = told(events(event(date=date))).scans
    assert (found.occurred_at, found.basis) == (datetime.fromisoformat(at), basis)


def test_scans_differ_by_event_exception_time_or_town_and_by_nothing_else() -> None:
    town = {"city": "RENO", "countryCode": "US"}
    found = told(
        events(
            event(),
            event("AR"),
            event(exceptionCode="71"),
            event(date="2026-11-12T10:00:01-05:00"),
            event(scanLocation=town),
            event(scanLocation=town | {"postalCode": "89502", "streetLines": ["1 Contoh Road"]}),
            event(eventDescription="In transit", locationType="X", derivedStatus="Y"),
            event("", derivedStatusCode="IT"),
        )
    )
    assert len(found.scans) == 5
    assert "Contoh" not in repr(found)
    assert {each.location for each in found.scans} == {"", "RENO, US"}


# The latest status


def latest(code: str = "", derived: str = "", *reasons: str) -> dict[str, Any]:
    details = [{"reason": reason} for reason in reasons]
    return {"code": code, "derivedCode": derived, "ancillaryDetails": details}


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (latest("DL", "DL"), "DL", "delivered"),
        (latest("DL"), "DL", "delivered"),
        (latest("", "DL"), "DL", "delivered"),
        (latest("DL", "??"), "DL", "delivered"),
        (latest("??", "!!"), "!!", "unknown"),
        (latest("DE", "DE", "08"), "DE/08", "delivery_attempt_failed"),
        (latest("CA", "CA"), "CA", "cancelled"),
        (latest("IT", "IT"), "IT", "in_transit"),
    ],
)
def test_the_latest_status_is_a_scan_where_there_are_no_events(
    status: dict[str, Any], code: str, meaning: str
) -> None:
    (found,) = told(events(latestStatusDetail=status)).scans
    assert (found.raw_code, found.status.value) == (code, meaning)
    assert (found.occurred_at, found.basis) == (REAL, TimeBasis.RECEIVED)


@pytest.mark.parametrize(
    ("status", "brings"),
    [("DL", 1), ("RS", 1), ("CA", 1), ("IT", 0), ("OD", 0), ("SE", 0), ("ZZ", 0), ("", 0)],
)
def test_beside_events_only_one_that_ends_or_turns_the_way_is_added(
    status: str, brings: int
) -> None:
    found = told(events(event(), event("OD"), latestStatusDetail=latest(status, status)))
    assert len(found.scans) == 2 + brings
    again = told(events(event(status or "AR"), latestStatusDetail=latest(status)))
    assert len(again.scans) == 1


def test_a_latest_status_undoes_no_delivery() -> None:
    found = told(events(event("DL"), latestStatusDetail=latest("CA")))
    assert [each.raw_code for each in found.scans] == ["DL"]


@pytest.mark.parametrize("odd", [7, "DL", ["DL"], {"code": 7}])
def test_an_odd_latest_status_costs_itself_alone(odd: object) -> None:
    found = told(events(event(), latestStatusDetail=odd))
    assert len(found.scans) == 1
    assert "latestStatusDetail" in found.note


@pytest.mark.parametrize("told_at", ["", "soon", None, 7])
def test_an_odd_time_of_delivery_is_none(told_at: object) -> None:
    times = [{"type": "ACTUAL_DELIVERY", "dateTime": told_at}, 7]
    (found,) = told(events(latestStatusDetail=latest("DL"), dateAndTimes=times)).scans
    assert found.occurred_at == REAL


# The way back, and proofs


def test_what_comes_after_the_turn_is_of_the_way_back() -> None:
    body = events(
        event("DL", "2026-11-18T10:00:00Z"),
        event("OD", "2026-11-18T09:00:00Z"),
        event("AR", "2026-11-17T10:00:00Z"),
        event("RT", "2026-11-16T10:00:00Z"),
        event("AR", "2026-11-15T10:00:00Z"),
        event("RS", "2026-11-17T09:00:00Z"),
    )
    found = sorted(told(body).scans, key=lambda each: each.occurred_at)
    assert [each.status for each in found] == [
        *("in_transit", "returning", "returning", "returning", "out_for_delivery", "returned"),
    ]


def test_a_delivery_that_comes_before_the_turn_stays_one() -> None:
    body = events(event("DL", "2026-11-15T10:00:00Z"), event("RS", "2026-11-16T10:00:00Z"))
    assert [each.status for each in told(body).scans] == ["delivered", "returning"]


def test_a_latest_delivery_after_the_turn_is_the_senders() -> None:
    body = events(event("RS"), latestStatusDetail=latest("DL"))
    assert [each.status for each in told(body).scans] == ["returning", "returned"]


def test_a_turn_that_becomes_known_late_ends_the_same_in_any_order() -> None:
    arrived = event("AR", "2026-11-17T10:00:00Z")
    first = told(events(arrived)).scans
    both = told(events(arrived, event("RS", "2026-11-16T10:00:00Z"))).scans
    for scans_ in ((*first, *both), (*both, *first)):
        assert fold_parcel(NUMBER, scans_).status == "returning"


def test_that_somebody_signed_is_a_proof_of_the_delivery_and_no_name_is_kept() -> None:
    details = {"signedByName": "A Contoh", "receivedByName": "B Contoh"}
    found = told(events(event("OD"), event("DL"), deliveryDetails=details))
    assert [each.proof for each in found.scans] == ["", "signature"]
    assert "Contoh" not in repr(found)
    received = told(events(event("DL"), deliveryDetails={"receivedByName": "B Contoh"}))
    assert received.scans[0].proof == ""
    assert received.scans[0].identity != found.scans[1].identity


def test_each_parcel_has_its_own_estimate_on_its_newest_scan() -> None:
    body = sample("fedex/two_parcels.json")
    (later,) = body["output"]["completeTrackResults"][1]["trackResults"]
    later["dateAndTimes"] = [{"type": "ESTIMATED_DELIVERY", "dateTime": "2026-11-20T20:00:00Z"}]
    found = [each for each in told(body).scans if each.estimated_at]
    assert [(each.number, each.raw_code, f"{each.estimated_at:%d %H}") for each in found] == [
        ("799900000104", "PU", "14 04"),
        ("799900000105", "OD", "20 20"),
    ]


def test_the_time_of_receipt_is_no_part_of_a_scan() -> None:
    for name in WHAT:
        body = sample(f"fedex/{name}.json")
        later = told(body, REAL + timedelta(days=3)).scans
        assert [each.identity for each in told(body).scans] == [each.identity for each in later]


def test_no_order_is_linked_and_it_is_answered_with_nothing() -> None:
    assert told(sample("fedex/delivered.json")).links == ()
    assert fedex.acknowledge(b"{}") == b""
