"""17TRACK: proving its pushes, and what a number's events mean."""

import base64
import copy
import hashlib
import hmac
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
    fold_parcel,
    in_order,
)
from shipclock.reading import Unreadable
from shipclock.sources import (
    Delivery,
    NotAuthentic,
    Translation,
    Unsigned,
    seventeentrack,
)
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import (
    NUMBER,
    ORDER,
    REAL,
    sample_bytes,
    samples,
)
from tests.sources.senders import SENDERS

BODY = sample_bytes("seventeentrack/delivered.json")


# One by one


SENDER = SENDERS["seventeentrack"]
SECRET = SENDER.secret
GOOD = SENDER.send(BODY)[0]["sign"]
KEYED = hmac.new(SECRET.encode(), BODY, "sha256")


@pytest.mark.parametrize(
    "header",
    [
        GOOD.upper(),
        "sha256=" + GOOD,
        base64.b64encode(bytes.fromhex(GOOD)).decode(),
        KEYED.hexdigest(),
        base64.b64encode(KEYED.digest()).decode(),
        hashlib.sha256(BODY).hexdigest(),
        hashlib.sha256(BODY + b"/").hexdigest(),
        hashlib.sha256(BODY + SECRET.encode()).hexdigest(),
        hashlib.sha256(SECRET.encode() + b"/" + BODY).hexdigest(),
        hashlib.sha256(BODY + b"/" + SECRET.encode() + b"\n").hexdigest(),
        hashlib.sha512(BODY + b"/" + SECRET.encode()).hexdigest(),
        hashlib.sha1(BODY + b"/" + SECRET.encode()).hexdigest(),  # noqa: S324 - a wrong one
        hashlib.md5(BODY + b"/" + SECRET.encode()).hexdigest(),  # noqa: S324 - a wrong one
        SECRET,
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
        f"{GOOD}, {GOOD}",
        "\ud800" + GOOD,
        "٣" * 64,
        " ",
    ],
    ids=lambda header: ascii(header[:90]),
)
def test_a_garbled_signature_is_refused_without_a_stumble(header: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        SENDER.verify(({"sign": header}, BODY))
    assert not isinstance(refused.value, Unsigned)


def test_it_is_answered_with_nothing() -> None:
    assert seventeentrack.acknowledge(BODY) == b""


# What its words mean

STATUSES = """
NotFound unknown
InfoReceived info_received
InTransit in_transit
Expired expired
AvailableForPickup available_for_pickup
OutForDelivery out_for_delivery
DeliveryFailure delivery_attempt_failed/other
Delivered delivered
Exception unknown+exception_unclassified
"""

SUB_STATUSES = """
NotFound_Other unknown
NotFound_InvalidCode unknown+bad_number
InfoReceived info_received
InTransit_PickedUp picked_up
InTransit_Other in_transit
InTransit_Departure in_transit
InTransit_Arrival in_transit
InTransit_CustomsProcessing in_transit
InTransit_CustomsReleased in_transit
InTransit_CustomsRequiringInformation on_hold/documents
Expired_Other expired
AvailableForPickup_Other available_for_pickup
OutForDelivery_Other out_for_delivery
DeliveryFailure_Other delivery_attempt_failed/other
DeliveryFailure_NoBody delivery_attempt_failed/recipient_unreachable
DeliveryFailure_Security delivery_attempt_failed/security
DeliveryFailure_Rejected delivery_attempt_failed/refused
DeliveryFailure_InvalidAddress delivery_attempt_failed/address_issue
Delivered_Other delivered
Exception_Other unknown+exception_unclassified
Exception_Returning returning
Exception_Returned returned
Exception_NoBody on_hold/recipient_unreachable
Exception_Security on_hold/security
Exception_Damage damaged
Exception_Rejected returning/refused
Exception_Delayed delayed/other
Exception_Lost lost
Exception_Destroyed disposed
Exception_Cancel cancelled
Exception_Held on_hold/other
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def short(status: str, sub_status: str = "") -> str:
    """A meaning in one word."""
    found = seventeentrack.meaning(status, sub_status)
    reason = f"/{found.reason}" if found.reason else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags)


@pytest.mark.parametrize(("status", "said"), pairs(STATUSES))
def test_every_main_status_has_its_meaning_where_it_stands_alone(status: str, said: str) -> None:
    assert short(status) == said


@pytest.mark.parametrize(("sub_status", "said"), pairs(SUB_STATUSES))
def test_every_sub_status_has_its_meaning_whatever_the_main_status_says(
    sub_status: str, said: str
) -> None:
    for status in ("", "Teleported", *seventeentrack.STATUSES):
        assert short(status, sub_status) == said


@pytest.mark.parametrize(("sub_status", "said"), pairs(SUB_STATUSES))
def test_every_sub_status_is_read_from_an_event(sub_status: str, said: str) -> None:
    (scan,) = told(only(sub_status=sub_status)).scans
    reason = f"/{scan.reason}" if scan.reason else ""
    assert scan.status.value + reason + "".join(f"+{flag}" for flag in scan.flags) == said
    assert scan.raw_code == sub_status


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(seventeentrack.STATUSES) == {code for code, _ in pairs(STATUSES)}
    assert set(seventeentrack.SUB_STATUSES) == {code for code, _ in pairs(SUB_STATUSES)}
    meanings = {*seventeentrack.STATUSES.values(), *seventeentrack.SUB_STATUSES.values()}
    assert {meaning.reason for meaning in meanings} <= REASONS | {""}


@pytest.mark.parametrize(
    "code", ["Teleported", "delivered_other", "DELIVERED_OTHER", "Delivered_", "Delivered_Signed"]
)
def test_an_unknown_word_is_never_guessed(code: str) -> None:
    for status in ("", "Delivered", "Exception"):
        assert short(status, code) == "unknown"
    assert short(code) == "unknown"


# What a delivery says


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return seventeentrack.translate(Delivery("seventeentrack", "default", body, at, shops))


def scans(name: str) -> tuple[Scan, ...]:
    return told(sample_bytes(f"seventeentrack/{name}.json")).scans


MOVED = ["info_received", "picked_up", "in_transit"]
TRIED = [*MOVED, "out_for_delivery", "delivery_attempt_failed"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("not_found", ["unknown"]),
        ("label", MOVED[:1]),
        ("picked_up", MOVED[:2]),
        ("in_transit", MOVED),
        ("failed_attempt", TRIED),
        ("delivered", [*TRIED, "out_for_delivery", "delivered"]),
        ("lost", [*MOVED, "lost"]),
        ("returned", [*TRIED, "returning", "returning", "returned"]),
        ("expired", MOVED),
        ("codes_of_tomorrow", [*MOVED[:2], "unknown", "unknown"]),
        ("odd_entries", ["info_received", "out_for_delivery"]),
        ("zones_and_gaps", [*MOVED, *["out_for_delivery"] * 2, TRIED[-1], "delivered"]),
        ("two_carriers", ["picked_up", "picked_up", "in_transit"]),
        ("stopped", ["expired"]),
    ],
)
def test_a_history_is_one_scan_per_event(name: str, statuses: list[str]) -> None:
    assert [scan.status.value for scan in in_order(scans(name))] == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("seventeentrack"):
        if not path.endswith("old_layout.json"):
            found = told(sample_bytes(path))
            assert found.scans or found.note, path


def test_a_scan_has_its_own_time_place_and_code_and_the_numbers_own_words() -> None:
    picked = scans("picked_up")[0]
    assert picked.occurred_at == datetime.fromisoformat("2026-11-04T06:16:00Z")
    assert (picked.basis, picked.trusted) == (TimeBasis.UTC, True)
    assert picked.location == "Klang, Selangor, MY"
    assert picked.raw_code == "InTransit_PickedUp"
    assert (picked.number, picked.written) == (NUMBER, "SYN-000 101")
    assert picked.carrier == "Synthetic Express"
    assert (picked.source, picked.account, picked.received_at) == (
        "seventeentrack",
        "default",
        REAL,
    )


def test_a_failed_attempt_is_one_and_says_why() -> None:
    attempt = scans("failed_attempt")[0]
    assert (attempt.status, attempt.reason) == (
        "delivery_attempt_failed",
        "recipient_unreachable",
    )
    assert attempt.occurred_at == datetime.fromisoformat("2026-11-06T03:20:00Z")
    assert fold_parcel(NUMBER, scans("delivered")).failed_attempts == 1


def test_a_parcel_that_is_refused_goes_back_and_comes_back() -> None:
    ended, *_ = scans("returned")
    assert (ended.status, ended.raw_code) == ("returned", "Exception_Returned")
    assert [scan.reason for scan in scans("returned") if scan.status == "returning"] == [
        "",
        "refused",
    ]
    assert fold_parcel(NUMBER, scans("returned")).status == "returned"


def test_two_carriers_tell_their_own_events_and_one_that_both_list_is_one() -> None:
    found = scans("two_carriers")
    assert [scan.carrier for scan in found] == [
        "Synthetic Post",
        "Synthetic Post",
        "Synthetic Express",
    ]
    assert fold_parcel(NUMBER, found).carrier == "Synthetic Post"


def test_a_code_of_tomorrow_and_a_stage_alone_keep_their_own_words() -> None:
    stage, code = scans("codes_of_tomorrow")[:2]
    assert (stage.status, stage.raw_code) == ("unknown", "stage/Beaming")
    assert (code.status, code.raw_code) == ("unknown", "InTransit_BeamedUp")


def test_another_event_means_nothing_and_says_so() -> None:
    translation = told(sample_bytes("seventeentrack/another_event.json"))
    assert translation == Translation(note=translation.note)
    assert "QUOTA_CHANGED" in translation.note
    for kind in (None, "", "tracking_updated", "TRACKING_UPDATED_"):
        assert told(json.dumps({**json.loads(BODY), "event": kind}).encode()).scans == ()


def test_the_old_layout_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(Unreadable, match=r"choose version 2\.2 or later"):
        told(sample_bytes("seventeentrack/old_layout.json"))
    flat = {"event": "TRACKING_UPDATED", "data": {"number": "SYN1", "z1": []}}
    with pytest.raises(Unreadable, match="API version 1"):
        told(json.dumps(flat).encode())


# The order it belongs to


def test_our_tag_links_the_number_to_its_order() -> None:
    for name in ("delivered", "stopped", "not_found"):
        translation = told(sample_bytes(f"seventeentrack/{name}.json"))
        assert translation.links == (Link(NUMBER, ORDER, "seventeentrack"),)


@pytest.mark.parametrize("tag", [None, "", "absent"])
def test_without_a_tag_there_is_no_link(tag: str | None) -> None:
    body = json.loads(BODY)
    body["data"].pop("tag")
    if tag != "absent":
        body["data"]["tag"] = tag
    translation = told(json.dumps(body).encode())
    assert (len(translation.scans), translation.links, translation.note) == (7, (), "")


@pytest.mark.parametrize("tag", ["for Aisyah", "x" * 65, [], {}, True, 1.5, "é", "5 6"])
def test_a_tag_that_can_be_no_order_leaves_the_scans_and_is_not_quoted(tag: object) -> None:
    translation = told(bent_data(tag=tag))
    assert (len(translation.scans), translation.links) == (7, ())
    assert translation.note.startswith("no link: data.tag")
    assert "Aisyah" not in translation.note


# Times


def test_a_time_is_told_with_where_it_comes_from() -> None:
    found = {scan.raw_code: scan for scan in scans("zones_and_gaps")}
    assert len(scans("zones_and_gaps")) == 7
    picked = found["InTransit_PickedUp"]
    assert (picked.basis, picked.occurred_at) == (
        TimeBasis.OFFSET,
        datetime.fromisoformat("2026-11-04T06:16:00Z"),
    )
    arrived = found["InTransit_Arrival"]
    assert (arrived.basis, arrived.occurred_at) == (
        TimeBasis.OFFSET,
        datetime.fromisoformat("2026-11-05T02:00:00Z"),
    )
    out = scans("zones_and_gaps")[3]
    assert (out.status, out.basis, out.trusted) == ("out_for_delivery", TimeBasis.ZONE, False)
    assert out.occurred_at == datetime.fromisoformat("2026-11-06T08:30:00Z")


def test_an_event_without_a_time_is_no_later_than_the_next_newer_one() -> None:
    found = scans("zones_and_gaps")
    label = next(scan for scan in found if scan.status == "info_received")
    assert (label.basis, label.occurred_at) == (
        TimeBasis.RECEIVED,
        datetime.fromisoformat("2026-11-04T06:16:00Z"),
    )
    attempt = next(scan for scan in found if scan.status == "delivery_attempt_failed")
    assert (attempt.basis, attempt.occurred_at) == (
        TimeBasis.RECEIVED,
        datetime.fromisoformat("2026-11-07T03:05:00Z"),
    )
    assert fold_parcel(NUMBER, found).status == "delivered"


def test_a_list_that_is_oldest_first_is_read_alike() -> None:
    for name in ("zones_and_gaps", "delivered", "returned"):
        body = sample_bytes(f"seventeentrack/{name}.json")
        turned = told(bent_list(lambda events: events[::-1], body))
        assert {(s.identity, s.occurred_at, s.basis) for s in turned.scans} == {
            (s.identity, s.occurred_at, s.basis) for s in told(body).scans
        }


@pytest.mark.parametrize(
    ("raw", "basis", "at"),
    [
        ({"date": "2026-11-05", "time": "10:00:00", "timezone": None}, "zone", "05T10:00:00"),
        ({"date": "2026-11-05", "time": "10:00", "timezone": ""}, "zone", "05T10:00:00"),
        ({"date": "2026-11-05", "time": None, "timezone": None}, "zone", "05T00:00:00"),
        ({"date": "2026-11-05", "time": None, "timezone": "+08:00"}, "zone", "05T00:00:00"),
        ({"date": "2026-11-05", "time": "10:00:00", "timezone": "+08:00"}, "offset", "05T02:00:00"),
        ({"date": "2026-11-05", "time": "10:00:00", "timezone": "+0800"}, "offset", "05T02:00:00"),
        ({"date": "2026-11-05", "time": "10:00:00", "timezone": "Z"}, "utc", "05T10:00:00"),
        ({"date": "2026-11-05", "time": "10:00:00", "timezone": "GMT+8"}, "zone", "05T10:00:00"),
        (
            {"date": "2026-11-05", "time": "10:00:00", "timezone": "+\u0660\u0668:00"},
            "zone",
            "05T10:00:00",
        ),
        ({"date": "2026-11-05", "time": "10:00:00", "timezone": 8}, "zone", "05T10:00:00"),
        ({"date": "5/11/2026", "time": "10:00:00", "timezone": None}, "received", None),
        ({"date": "2026-11-05", "time": "10am", "timezone": None}, "received", None),
        ({"date": None, "time": "10:00:00", "timezone": None}, "received", None),
        ({"date": "0001-01-01", "time": "00:00:00", "timezone": "+08:00"}, "received", None),
        ({"date": "9999-12-31", "time": "23:59:59", "timezone": "-14:00"}, "received", None),
        ({"date": [], "time": {}, "timezone": True}, "received", None),
        ({}, "received", None),
        (None, "received", None),
        ("2026-11-05", "received", None),
    ],
)
def test_the_carriers_own_words_for_a_time_are_read_as_far_as_they_go(
    raw: object, basis: str, at: str | None
) -> None:
    translation = told(only(time_utc=None, time_iso=None, time_raw=raw))
    (found,) = translation.scans
    assert (found.basis.value, translation.note) == (basis, "")
    assert found.occurred_at == (datetime.fromisoformat(f"2026-11-{at}Z") if at else REAL)


@pytest.mark.parametrize("key", ["time_utc", "time_iso"])
@pytest.mark.parametrize(
    "odd", ["lately", 1762234560, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", [], True]
)
def test_an_odd_time_in_the_fields_of_17tracks_own_is_an_error_that_names_it(
    key: str, odd: object
) -> None:
    with pytest.raises(Unreadable, match=rf"events\[0\]\.{key}"):
        told(
            bent_list(
                lambda events: [dict(events[0], **{"time_utc": None, key: odd})], WITHOUT_LATEST
            )
        )


def test_a_time_of_theirs_without_an_offset_proves_nothing_missed() -> None:
    for key in ("time_utc", "time_iso"):
        changed = {"time_utc": None, "time_iso": None, key: "2026-11-05T02:00:00"}
        (found,) = told(only(**changed)).scans
        assert (found.basis, found.trusted) == (TimeBasis.ZONE, False)


# One scan, whatever brings it


def test_the_same_event_is_one_scan_in_every_push() -> None:
    grown = [scans(name) for name in ("label", "picked_up", "in_transit", "failed_attempt")]
    whole = {scan.identity for scan in scans("delivered")}
    for found in grown:
        assert {scan.identity for scan in found} <= whole
    assert len(whole) == 7
    later = told(BODY, at=REAL + timedelta(days=1)).scans
    assert {scan.identity for scan in later} == whole


def test_events_that_differ_in_number_code_time_or_place_are_different_scans() -> None:
    (first,) = told(only()).scans
    for change in (
        {"sub_status": "OutForDelivery_Other"},
        {"time_utc": "2026-11-07T03:05:01Z"},
        {"location": "Elsewhere"},
    ):
        (other,) = told(only(**change)).scans
        assert other.identity != first.identity
    (other,) = told(bent_data(number="SYN-000102", body=only())).scans
    assert other.identity != first.identity


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Other words"},
        {"description_translation": None},
        {"address": None},
        {"stage": None},
        {"time_raw": None},
    ],
)
def test_what_17track_may_add_later_makes_no_other_scan(change: dict[str, Any]) -> None:
    (first,) = told(only()).scans
    (other,) = told(only(**change)).scans
    assert other.identity == first.identity


def test_however_a_number_is_written_it_is_one() -> None:
    for written in ("SYN000101", "syn-000-101", " syn 000101 "):
        translation = told(bent_data(number=written))
        assert {scan.number for scan in translation.scans} == {NUMBER}
        assert {link.number for link in translation.links} == {NUMBER}


# The latest status, and the end of tracking


def test_a_latest_event_that_is_in_no_list_is_a_scan_too() -> None:
    body = json.loads(BODY)
    del body["data"]["track_info"]["tracking"]["providers"][0]["events"][0]
    found = told(json.dumps(body).encode()).scans
    assert {scan.identity for scan in found} == {scan.identity for scan in scans("delivered")}
    body["data"]["track_info"]["tracking"] = None
    (latest,) = told(json.dumps(body).encode()).scans
    assert latest.identity == scans("delivered")[0].identity


def test_an_end_that_no_event_tells_is_added_and_proves_nothing_missed() -> None:
    *_, added = scans("history_behind")
    assert (added.status, added.raw_code) == ("delivered", "Delivered/Delivered_Other")
    assert (added.basis, added.trusted) == (TimeBasis.RECEIVED, False)
    assert added.occurred_at == max(scan.occurred_at for scan in scans("in_transit"))
    assert fold_parcel(NUMBER, scans("history_behind")).status == "delivered"
    again = told(sample_bytes("seventeentrack/history_behind.json"), at=REAL + timedelta(days=3))
    assert [scan.identity for scan in again.scans][-1] == added.identity


@pytest.mark.parametrize(
    ("latest", "added"),
    [
        (("Delivered", ""), "delivered"),
        (("Delivered", "Delivered_Other"), "delivered"),
        (("Exception", "Exception_Lost"), "lost"),
        (("Exception", "Exception_Destroyed"), "disposed"),
        (("Exception", "Exception_Cancel"), "cancelled"),
        (("Exception", "Exception_Returning"), "returning"),
        (("Exception", "Exception_Rejected"), "returning"),
        (("Exception", "Exception_Returned"), "returned"),
        (("Exception", "Exception_Damage"), "damaged"),
        (("Exception", "Exception_Other"), None),
        (("Exception", ""), None),
        (("Exception", "Exception_Held"), None),
        (("DeliveryFailure", "DeliveryFailure_NoBody"), None),
        (("Expired", "Expired_Other"), None),
        (("NotFound", "NotFound_Other"), None),
        (("Delivered", "Delivered_OfTomorrow"), None),
        (("Teleported", ""), None),
    ],
)
def test_only_what_ends_or_turns_a_parcels_way_is_added_to_its_events(
    latest: tuple[str, str], added: str | None
) -> None:
    status = {"status": latest[0], "sub_status": latest[1], "sub_status_descr": None}
    moving = sample_bytes("seventeentrack/in_transit.json")
    translation = told(bent_info(latest_status=status, body=moving))
    assert [s.status.value for s in translation.scans[3:]] == ([added] if added else [])
    assert translation.note == ""
    ended = told(bent_info(latest_status=status))
    assert len(ended.scans) == 7


def test_of_a_number_without_events_the_latest_status_is_told() -> None:
    (found,) = scans("not_found")
    assert (found.status, found.raw_code) == ("unknown", "NotFound/NotFound_Other")
    assert (found.occurred_at, found.basis) == (REAL, TimeBasis.RECEIVED)


@pytest.mark.parametrize("name", ["stopped", "expired"])
def test_what_ends_the_tracking_overwrites_nothing(name: str) -> None:
    for before in ("in_transit", "delivered", "returned", "lost"):
        known = fold_parcel(NUMBER, scans(before))
        after = fold_parcel(NUMBER, (*scans(before), *scans(name)))
        assert (after.status, after.ended_at) == (known.status, known.ended_at)


def test_a_stop_brings_the_events_that_are_sent_with_it() -> None:
    body = {**json.loads(BODY), "event": "TRACKING_STOPPED"}
    translation = told(json.dumps(body).encode())
    *listed, stop = translation.scans
    assert tuple(listed) == scans("delivered")
    assert (stop.status, stop.raw_code) == ("expired", "TRACKING_STOPPED")
    assert fold_parcel(NUMBER, translation.scans).status == "delivered"


def test_a_stop_is_one_event_however_often_it_is_told() -> None:
    stopped = sample_bytes("seventeentrack/stopped.json")
    (first,), (later,) = told(stopped).scans, told(stopped, at=REAL + timedelta(days=9)).scans
    assert first.identity == later.identity


# The estimate


def test_the_estimate_is_the_end_of_its_span_on_the_newest_scan() -> None:
    found = scans("in_transit")
    assert [scan.estimated_at for scan in found[1:]] == [None, None]
    assert found[0].estimated_at == datetime.fromisoformat("2026-11-08T10:00:00Z")
    span = {"from": "2026-11-08T02:00:00Z", "to": None}
    (newest, *_) = told(bent_info(time_metrics={"estimated_delivery_date": span})).scans
    assert newest.estimated_at == datetime.fromisoformat("2026-11-08T02:00:00Z")


@pytest.mark.parametrize("odd", [None, 5, [], {}, {"to": "soon"}, {"to": 5}, {"to": "0001-01-01"}])
def test_an_odd_estimate_is_none_and_costs_nothing(odd: object) -> None:
    for metrics in (odd, {"estimated_delivery_date": odd}):
        translation = told(bent_info(time_metrics=metrics))
        assert {scan.estimated_at for scan in translation.scans} == {None}
        assert (len(translation.scans), translation.note) == (7, "")


# Odd and hostile ones


def bent_data(body: bytes = BODY, **changes: object) -> bytes:
    """A push with other fields of its number."""
    whole = json.loads(body)
    return json.dumps({**whole, "data": {**whole["data"], **changes}}).encode()


def bent_info(body: bytes = BODY, **changes: object) -> bytes:
    """A push with other fields of what was tracked."""
    return bent_data(body, track_info={**json.loads(body)["data"]["track_info"], **changes})


def bent_list(change: Callable[[list[Any]], list[Any]], body: bytes = BODY) -> bytes:
    """A push with another list of its first carrier's events."""
    tracking = copy.deepcopy(json.loads(body)["data"]["track_info"]["tracking"])
    tracking["providers"][0]["events"] = change(tracking["providers"][0]["events"])
    return bent_info(body, tracking=tracking)


WITHOUT_LATEST = bent_info(latest_event=None, latest_status=None)
BARE = bent_info(
    latest_event=None,
    latest_status={"status": "InTransit", "sub_status": "InTransit_Other"},
)
"""Only its list says anything new."""


def only(**changes: object) -> bytes:
    """A push of one event, the delivery, with other fields."""
    return bent_list(lambda events: [dict(events[0], **changes)], BARE)


AT = "data.track_info"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent_data(number=""), "data.number"),
        (bent_data(number=None), "data.number"),
        (bent_data(number=" - - "), "data.number"),
        (bent_data(number="9" * 65), "data.number"),
        (bent_data(number="号码"), "data.number"),
        (bent_data(number="A\x00B"), "data.number"),
        (bent_data(number=101), "data.number"),
        (bent_data(track_info=None), AT),
        (bent_data(track_info=[]), AT),
        (bent_data(track_info="z0"), AT),
        (bent_data(track_info={}), AT),
        (bent_info(WITHOUT_LATEST, tracking=None), AT),
        (bent_info(WITHOUT_LATEST, tracking=[]), f"{AT}.tracking"),
        (bent_info(WITHOUT_LATEST, tracking={"providers": {}}), f"{AT}.tracking.providers"),
        (bent_info(WITHOUT_LATEST, tracking={"providers": [5]}), f"{AT}.tracking.providers[0]"),
        (
            bent_info(WITHOUT_LATEST, tracking={"providers": [{"events": "many"}]}),
            f"{AT}.tracking.providers[0].events",
        ),
        (bent_list(lambda _: [7], WITHOUT_LATEST), f"{AT}.tracking.providers[0].events[0]"),
        (bent_info(tracking=None, latest_event=None, latest_status=5), f"{AT}.latest_status"),
        (
            bent_info(tracking=None, latest_event=None, latest_status={"status": 5}),
            f"{AT}.latest_status.status",
        ),
        (
            bent_info(tracking=None, latest_event=None, latest_status={"sub_status": []}),
            f"{AT}.latest_status.sub_status",
        ),
        (bent_info(tracking=None, latest_event=5, latest_status=None), f"{AT}.latest_event"),
        (b'{"event": "TRACKING_UPDATED"}', "data"),
        (b'{"event": "TRACKING_UPDATED", "data": null}', "data"),
        (b'{"event": "TRACKING_STOPPED", "data": []}', "data"),
        (b'{"event": "TRACKING_STOPPED", "data": {}}', "data.number"),
        (b'{"event": ["TRACKING_UPDATED"]}', "event"),
        (b'{"event": 5}', "event"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (None, "events[2]"),
        ("InTransit_Other", "events[2]"),
        ([], "events[2]"),
        ({}, "events[2].sub_status"),
        ({"sub_status": 5}, "events[2].sub_status"),
        ({"sub_status": "InTransit_Other", "time_utc": 1762234560}, "events[2].time_utc"),
        ({"sub_status": "InTransit_Other", "time_utc": "yesterday"}, "events[2].time_utc"),
        ({"sub_status": "InTransit_Other", "time_iso": {}}, "events[2].time_iso"),
    ],
)
def test_one_odd_event_hides_no_other_and_the_note_names_it(entry: object, field: str) -> None:
    translation = told(bent_list(lambda events: [*events[:2], entry, *events[2:]]))
    assert translation.scans == told(BODY).scans
    assert translation.note.startswith(
        f"left out 1, the first of them: {AT}.tracking.providers[0].{field}"
    )
    assert len(translation.note) < 500


def test_all_odd_events_are_counted_and_a_bad_tag_is_told_beside_them() -> None:
    odd = sample_bytes("seventeentrack/odd_entries.json")
    translation = told(odd)
    assert len(translation.scans) == 2
    assert translation.note.startswith("left out 3, the first of them: ")
    assert "; no link: data.tag" in told(bent_data(odd, tag="no id")).note


@pytest.mark.parametrize(
    "address", [None, "George Town", 5, [], {"city": 5}, {"street": "Jalan 1", "postal_code": "1"}]
)
def test_an_odd_place_is_none(address: object) -> None:
    (found,) = told(only(address=address)).scans
    assert (found.status, found.location) == ("delivered", "")


def test_no_free_text_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    body = json.loads(BODY)
    info = body["data"]["track_info"]
    body["data"]["param"] = secret
    info["shipping_info"]["recipient_address"] = dict.fromkeys(("city", "street"), secret)
    info["latest_status"]["sub_status_descr"] = secret
    info["misc_info"] = dict.fromkeys(info["misc_info"], secret)
    listed = info["tracking"]["providers"][0]["events"]
    for event in (info["latest_event"], *listed):
        event |= {"description": secret, "description_translation": secret, "location": secret}
        event["address"] |= {"street": secret, "postal_code": secret, "coordinates": secret}
    assert secret not in repr(told(json.dumps(body).encode()))


def test_a_code_and_a_place_are_cut_and_a_carrier_that_is_no_text_is_none() -> None:
    (found,) = told(only(sub_status="x" * 10_000, address={"city": "y" * 10_000})).scans
    assert (found.status, len(found.raw_code), len(found.location)) == ("unknown", 100, 100)
    odd: tuple[object, ...] = (None, 5, [], {"name": 5}, {})
    for provider in odd:
        tracking = {"providers": [{"provider": provider, "events": [{"sub_status": "a"}]}]}
        assert {scan.carrier for scan in told(bent_info(tracking=tracking)).scans} == {""}


def test_a_list_of_thousands_is_refused_before_it_is_read() -> None:
    most = [{"sub_status": str(n)} for n in range(MOST_ENTRIES - 1)]
    assert len(told(bent_list(lambda _: most, BARE)).scans) == len(most)
    with pytest.raises(Unreadable, match="no parcel has so many"):
        told(bent_list(lambda _: [*most, most[0]], BARE))
    carriers: list[object] = [{}] * MOST_ENTRIES
    assert told(bent_info(tracking={"providers": carriers})).scans
    with pytest.raises(Unreadable, match="no parcel has so many"):
        told(bent_info(tracking={"providers": [*carriers, 5]}))
