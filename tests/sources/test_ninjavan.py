"""Ninja Van: proving its webhooks, and what each event means on either leg."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.tracking import (
    DELIVERED_TO,
    REASONS,
    Scan,
    TimeBasis,
    fold_parcel,
)
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, NotAuthentic, Translation, Unsigned, ninjavan
from shipclock.sources.fields import folded
from tests.builders import (
    NUMBER,
    ORDER,
    REAL,
    SHOP,
    sample_bytes,
    samples,
)
from tests.sources.senders import SENDERS

BODY = sample_bytes("ninjavan/delivered.json")
NUMBER_NV = "SYNNV000101"
HEADER = "x-ninjavan-hmac-sha256"


# One by one


SENDER = SENDERS["ninjavan"]
SECRET = SENDER.secret
GOOD = SENDER.send(BODY)[0][HEADER]
RAW = hmac.new(SECRET.encode(), BODY, "sha256").digest()


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "header",
    [
        RAW.hex(),
        RAW.hex().upper(),
        base64_of(RAW.hex().encode()),
        base64.urlsafe_b64encode(RAW).decode().rstrip("="),
        "sha256=" + GOOD,
        "Bearer " + GOOD,
        GOOD.rstrip("="),
        GOOD.swapcase(),
        base64_of(hmac.new(SECRET.encode(), BODY, "sha1").digest()),
        base64_of(hmac.new(SECRET.encode(), BODY, "sha512").digest()),
        base64_of(hmac.new(b"", BODY, "sha256").digest()),
        base64_of(hmac.new(BODY, SECRET.encode(), "sha256").digest()),
        base64_of(hashlib.sha256(BODY + SECRET.encode()).digest()),
        base64_of(hashlib.sha256(BODY).digest()),
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
        f"{GOOD}, {GOOD}",
        GOOD + "=",
        "\ud800" + GOOD,
        " ",
    ],
    ids=lambda header: ascii(header[:90]),
)
def test_a_garbled_signature_is_refused_without_a_stumble(header: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        SENDER.verify(({HEADER: header}, BODY))
    assert not isinstance(refused.value, Unsigned)


def test_it_is_answered_with_nothing() -> None:
    assert ninjavan.acknowledge(BODY) == b""


# What its words mean: an event on the way to the buyer, and the same on the way back

EVENTS = """
Pending Pickup | info_received | info_received
Driver dispatched for Pickup | info_received | info_received
Pending Pickup, Shipper Dropoff | info_received | info_received
Picked Up, In Transit To Origin Hub | picked_up | returning
Pickup Exception, Pending Reschedule | pickup_failed/other | pickup_failed/other
Pickup Exception, Reattempt Scheduled | pickup_failed/rescheduled | pickup_failed/rescheduled
Pickup Exception, Max Attempts Reached | pickup_failed/other+final | pickup_failed/other+final
Pickup Exception, Pending Retrieval from PUDO | info_received | info_received
Arrived at Origin Hub | in_transit | returning
Arrived at Transit Hub | in_transit | returning
Arrived at Destination Hub | in_transit | returning
In Transit to Next Sorting Hub | in_transit | returning
On Vehicle for Delivery | out_for_delivery | returning
At PUDO, Pending Customer Collection | available_for_pickup | returning
Delivered, Collected by Customer | delivered>pickup_point | returned
Delivered, Left at Doorstep | delivered>safe_place | returned
Delivered, Received by Customer | delivered>recipient | returned
Delivery Exception, Pending Reschedule | delivery_attempt_failed/other | returning
Delivery Exception, Reattempt Scheduled | delivery_attempt_failed/other | returning
Delivery Exception, Max Attempts Reached | delivery_attempt_failed/other+final | returning+final
Delivery Exception, Parcel Overstayed at PUDO | returning/not_collected | returning/not_collected
Delivery Exception, Parcel Lost | lost | lost
Delivery Exception, Parcel Damaged | damaged | damaged
Delivery Exception, Return to Sender Initiated | returning | returning
Returned to Sender | returned | returned
Cancelled | cancelled | cancelled
Parcel Measurements Update | - | -
International Transit, Fulfillment Request Submitted | info_received | info_received
International Transit, Fulfillment Packed | info_received | info_received
International Transit, En Route to Origin Facility | in_transit | returning
International Transit, Handed Over to Origin Facility | picked_up | returning
International Transit, Arrived at Origin Facility | in_transit | returning
International Transit, Processed at Origin Facility | in_transit | returning
International Transit, Handed Over to Linehaul | in_transit | returning
International Transit, Export Cleared | in_transit | returning
International Transit, Linehaul Scheduled | in_transit | returning
International Transit, Linehaul Departed | in_transit | returning
International Transit, Linehaul Arrived | in_transit | returning
International Transit, Customs Cleared | in_transit | returning
International Transit, Customs Held | on_hold/customs | on_hold/customs
International Transit, Handed Over to Last Mile | in_transit | returning
International Transit, Returned to Sender at Origin Facility | returned | returned
International Transit, Returned to XB Warehouse | returned | returned
International Transit, Parcel Exception | unknown+exception_unclassified | =
International Transit, Parcel Disposed | disposed | disposed
International Transit, Parcel Lost | lost | lost
International Transit, Parcel Damaged | damaged | damaged
Return to Shipper Exception, Parcel triggered for Shipper Collection | returning | returning
Return to Shipper Exception, Parcel collected by Shipper | returned | returned
Return to Shipper Exception, Parcel Scrapped | disposed | disposed
Return to Shipper Exception, Max Attempts Reached | returning+final | returning+final
"""


def table() -> list[tuple[str, str, str]]:
    rows = [line.split(" | ") for line in EVENTS.strip().split("\n")]
    return [(event, there, there if back == "=" else back) for event, there, back in rows]


def short(event: str, failure: str = "", going_back: bool = False) -> str:
    """A meaning in one word."""
    found = ninjavan.meaning(event, failure, going_back=going_back)
    if found is None:
        return "-"
    reason = f"/{found.reason}" if found.reason else ""
    to = f">{found.delivered_to}" if found.delivered_to else ""
    return found.status.value + reason + to + "".join(f"+{flag}" for flag in found.flags)


@pytest.mark.parametrize(("event", "there", "back"), table())
def test_every_event_has_its_meaning_on_either_leg_and_in_any_case(
    event: str, there: str, back: str
) -> None:
    for written in (
        event,
        event.upper(),
        event.lower(),
        event.title(),
        f" {event} ".replace(" ", "  "),
    ):
        assert short(written) == there
        assert short(written, going_back=True) == back


def test_the_table_is_whole_and_holds_nothing_else() -> None:
    assert set(ninjavan.EVENTS) == {folded(event) for event, _, _ in table()}
    assert len(ninjavan.EVENTS) == 51


def test_the_tables_use_our_words_alone() -> None:
    meanings = [each for each in ninjavan.EVENTS.values() if each]
    assert {each.reason for each in meanings} - {""} <= REASONS
    assert set(ninjavan.FAILURES.values()) <= REASONS
    assert {each.delivered_to for each in meanings} - {""} <= DELIVERED_TO


@pytest.mark.parametrize(
    "event",
    [
        "Delivered",
        "Delivered, Beamed Up",
        "Delivered Received by Customer",
        "Delivered,Received by Customer",
        "Delivery Exception",
        "Returned",
        "Cancelled.",
        "Parcel Measurements",
        "Completed",
        "号码",
    ],
)
def test_an_unknown_event_is_never_guessed_on_either_leg(event: str) -> None:
    for back in (False, True):
        assert short(event, "Customer not available", back) == "unknown"


@pytest.mark.parametrize(
    ("event", "failure", "told"),
    [
        ("Delivery Exception, Pending Reschedule", "Customer not available", "recipient_absent"),
        ("Delivery Exception, Max Attempts Reached", "customer NOT available", "recipient_absent"),
        ("Delivery Exception, Pending Reschedule", "Customer not available today", "other"),
        ("Delivery Exception, Pending Reschedule", "Aisyah Contoh was out", "other"),
        ("Pickup Exception, Pending Reschedule", "Customer not available", "other"),
        ("Delivery Exception, Parcel Lost", "Customer not available", ""),
    ],
)
def test_the_reason_of_an_attempt_is_told_where_it_is_known(
    event: str, failure: str, told: str
) -> None:
    found = ninjavan.meaning(event, failure)
    assert found is not None
    assert found.reason == told


# What a delivery says


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return ninjavan.translate(Delivery("ninjavan", "my", body, at, shops))


def scan_of(body: bytes) -> Scan:
    (found,) = told(body).scans
    return found


def scan(name: str) -> Scan:
    return scan_of(sample_bytes(f"ninjavan/{name}.json"))


def bent(**changes: object) -> bytes:
    """The delivery with other fields; `...` leaves one out."""
    body = {**json.loads(BODY), **changes}
    return json.dumps({key: value for key, value in body.items() if value is not ...}).encode()


@pytest.mark.parametrize(
    ("name", "status", "occurred_at"),
    [
        ("pending", "info_received", "2026-11-16T01:05:10Z"),
        ("picked_up", "picked_up", "2026-11-16T06:31:00Z"),
        ("in_transit", "in_transit", "2026-11-16T18:12:40Z"),
        ("out_for_delivery", "out_for_delivery", "2026-11-18T00:20:00Z"),
        ("failed_attempt", "delivery_attempt_failed", "2026-11-18T03:45:30Z"),
        ("delivered", "delivered", "2026-11-19T02:02:15Z"),
        ("delivered.photo", "delivered", "2026-11-19T02:02:15Z"),
        ("delivered.unproven", "delivered", "2026-11-19T02:02:15Z"),
        ("lost", "lost", "2026-11-22T08:00:00Z"),
        ("going_back", "returning", "2026-11-19T19:00:00Z"),
        ("returned", "returned", "2026-11-21T07:30:00Z"),
        ("code_of_tomorrow", "unknown", "2026-11-19T02:02:15Z"),
        ("without_order", "cancelled", "2026-11-16T10:00:00Z"),
    ],
)
def test_a_delivery_is_one_scan_at_its_own_time(name: str, status: str, occurred_at: str) -> None:
    found = scan(name)
    assert found.status == status
    assert found.occurred_at == datetime.fromisoformat(occurred_at)
    assert found.trusted
    assert (found.number, found.written) == (NUMBER_NV, "SYN-NV 000101")
    assert (found.source, found.account, found.carrier) == ("ninjavan", "my", "Ninja Van")


def test_no_sample_is_left_out() -> None:
    for path in samples("ninjavan"):
        translation = told(sample_bytes(path))
        assert translation.scans or translation.note, path


@pytest.mark.parametrize(
    ("timestamp", "occurred_at", "basis"),
    [
        ("2026-11-19T10:02:15+0800", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
        ("2026-11-19T10:02:15+08:00", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
        ("2026-11-19T09:02:15+07", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
        ("2026-11-19T02:02:15.250Z", "2026-11-19T02:02:15.250Z", TimeBasis.UTC),
        ("2026-11-19T02:02:15z", "2026-11-19T02:02:15Z", TimeBasis.UTC),
        ("2026-11-19T02:02:15+0000", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
        ("2026-11-19T10:02:15", "2026-11-19T10:02:15Z", TimeBasis.ZONE),
        ("", REAL.isoformat(), TimeBasis.RECEIVED),
        (None, REAL.isoformat(), TimeBasis.RECEIVED),
        (..., REAL.isoformat(), TimeBasis.RECEIVED),
    ],
)
def test_a_time_tells_what_it_rests_on(
    timestamp: object, occurred_at: str, basis: TimeBasis
) -> None:
    found = scan_of(bent(timestamp=timestamp))
    assert (found.occurred_at, found.basis) == (datetime.fromisoformat(occurred_at), basis)
    assert found.trusted == (basis in (TimeBasis.UTC, TimeBasis.OFFSET))


def test_a_time_without_offset_or_none_proves_nothing_missed() -> None:
    assert (scan("without_offset").basis, scan("without_offset").trusted) == ("zone", False)
    assert (scan("without_time").basis, scan("without_time").trusted) == ("received", False)


def test_an_event_keeps_its_own_words_known_or_not() -> None:
    assert scan("picked_up").raw_code == "Picked Up, In Transit To Origin Hub"
    assert scan("code_of_tomorrow").raw_code == "Delivered, Beamed Up"
    long = scan_of(bent(event="x" * 10_000))
    assert (long.status, len(long.raw_code)) == ("unknown", 100)


def test_measurements_say_nothing_of_where_the_parcel_is() -> None:
    translation = told(sample_bytes("ninjavan/measured.json"))
    assert translation == Translation(note=translation.note)
    assert "Parcel Measurements Update" in translation.note


@pytest.mark.parametrize("hub", ninjavan.HUBS)
def test_the_place_of_an_arrival_is_its_hub(hub: str) -> None:
    place = {"country": "MY", "city": "Ipoh", "hub": "SYN-IPH"}
    assert scan_of(bent(**{hub: place})).location == "SYN-IPH, Ipoh, MY"
    assert scan_of(bent(**{hub: {**place, "hub": None, "street": "1 Jalan"}})).location == (
        "Ipoh, MY"
    )
    assert len(scan_of(bent(**{hub: {"city": "x" * 10_000}})).location) == 100
    odds: tuple[object, ...] = (None, 5, [], "Ipoh", {}, {"city": 5})
    for odd in odds:
        assert scan_of(bent(**{hub: odd})).location == ""


SIGNATURE = {"signature_uri": "https://proof.example/s.png"}
PHOTO = {"image_uris": ["https://proof.example/p.jpg"]}


@pytest.mark.parametrize(
    ("proof", "word"),
    [
        (SIGNATURE, "signature"),
        (PHOTO, "photo"),
        (SIGNATURE | PHOTO, "signature"),
        (SIGNATURE | {"image_uris": None}, "signature"),
        (PHOTO | {"signature_uri": ""}, "photo"),
        (PHOTO | {"signature_uri": 5}, "photo"),
        ({"image_uris": []}, ""),
        ({"image_uris": ["", None, 5]}, ""),
        ({"image_uris": "https://proof.example/p.jpg"}, ""),
        ({"signed_by": {"name": "A CONTOH"}}, ""),
        ({}, ""),
        (None, ""),
        ("signed", ""),
        ([SIGNATURE], ""),
    ],
)
def test_a_delivery_is_proven_by_a_signature_or_a_photo(proof: object, word: str) -> None:
    assert scan_of(bent(delivery_information={"proof": proof})).proof == word


def test_only_a_delivery_to_the_buyer_is_proven() -> None:
    assert scan("delivered").proof == "signature"
    assert scan("delivered.photo").proof == "photo"
    assert scan("delivered.unproven").proof == ""
    back = scan_of(bent(is_parcel_on_rts_leg=True))
    assert (back.status, back.proof, back.delivered_to) == ("returned", "", "")
    assert scan_of(bent(event="On Vehicle for Delivery")).proof == ""


def test_a_delivery_tells_to_whom() -> None:
    assert scan("delivered").delivered_to == "recipient"
    assert scan("delivered.photo").delivered_to == "safe_place"


def shown(**proof: object) -> list[tuple[str, str]]:
    """The pictures that a delivery names: kind and link."""
    found = told(bent(delivery_information={"proof": proof}))
    assert {(image.number, image.scan) for image in found.images} <= {
        (scan.number, scan.identity) for scan in found.scans
    }
    return [(image.kind, image.link) for image in found.images]


def test_the_pictures_that_prove_a_delivery_are_named_signature_first() -> None:
    uris = ["https://proof.example/1.jpg", "https://proof.example/2.jpg"]
    assert shown(image_uris=uris, **SIGNATURE) == [
        ("signature", "https://proof.example/s.png"),
        ("photo", uris[0]),
        ("photo", uris[1]),
    ]
    assert shown(image_uris=[uris[0], uris[0], f" {uris[0]} "]) == [("photo", uris[0])]


@pytest.mark.parametrize("odd", [None, "", "https://proof.example/p.jpg", 5, {}, [None, 5, "", []]])
def test_what_is_no_list_of_links_names_no_picture(odd: object) -> None:
    assert shown(image_uris=odd) == []
    assert shown(signature_uri=[odd], image_uris=odd) == []


def test_a_long_link_is_named_whole_and_of_many_only_a_few() -> None:
    long = "https://proof.example/?sign=" + "x" * 3_000
    assert shown(image_uris=[long]) == [("photo", long)]
    assert len(shown(image_uris=[f"https://proof.example/{n}" for n in range(2_000)])) == 8


@pytest.mark.parametrize(
    "change",
    [
        {"event": "On Vehicle for Delivery"},
        {"event": "Delivery Exception, Pending Reschedule"},
        {"is_parcel_on_rts_leg": True},
    ],
)
def test_only_a_delivery_to_the_buyer_is_shown_by_pictures(change: dict[str, Any]) -> None:
    proof = {"proof": SIGNATURE | PHOTO}
    assert told(bent(delivery_information=proof, delivery_exception=proof, **change)).images == ()


@pytest.mark.parametrize("odd", [None, "gone", 5, [], {"proof": 5}])
def test_odd_details_of_a_delivery_cost_no_more_than_themselves(odd: object) -> None:
    found = scan_of(bent(delivery_information=odd, delivery_exception=odd))
    assert (found.status, found.proof) == ("delivered", "")


def test_attempts_on_the_way_back_are_none_to_reach_the_buyer() -> None:
    attempt = json.loads(sample_bytes("ninjavan/failed_attempt.json"))
    at = [f"2026-11-18T1{hour}:00:00+0800" for hour in range(3)]
    there = scan_of(json.dumps({**attempt, "timestamp": at[0]}).encode())
    back = [
        scan_of(json.dumps({**attempt, "timestamp": each, "is_parcel_on_rts_leg": True}).encode())
        for each in at[1:]
    ]
    parcel = fold_parcel(NUMBER_NV, [there, *back])
    assert (parcel.status, parcel.failed_attempts) == ("returning", 1)
    assert there.reason == "recipient_absent"
    assert {each.reason for each in back} == {""}


@pytest.mark.parametrize("flag", [None, False, ...])
def test_a_parcel_that_is_not_said_to_go_back_goes_to_the_buyer(flag: object) -> None:
    assert told(bent(is_parcel_on_rts_leg=flag)) == told(BODY)


# The order and the shops


def test_the_number_is_linked_to_the_order_that_the_body_names() -> None:
    (link,) = told(BODY, (SHOP,)).links
    assert (link.number, link.order_id, link.source) == (NUMBER_NV, ORDER, "ninjavan")
    assert (link.shops, link.created_at) == ((SHOP,), None)
    (again,) = told(bent(shipper_order_ref_no=int(ORDER))).links
    assert again.order_id == ORDER


@pytest.mark.parametrize("absent", [None, "", ...])
def test_without_a_reference_there_is_no_link(absent: object) -> None:
    translation = told(bent(shipper_order_ref_no=absent))
    assert (len(translation.scans), translation.links, translation.note) == (1, (), "")


@pytest.mark.parametrize("odd", [{}, [], True, 1.5, "SO 12/3", "9" * 65, "Aisyah Contoh"])
def test_an_odd_reference_costs_the_link_alone(odd: object) -> None:
    translation = told(bent(shipper_order_ref_no=odd))
    assert translation.scans == told(BODY).scans
    assert translation.links == ()
    assert translation.note.startswith("no link: shipper_order_ref_no")
    assert "Aisyah" not in translation.note


@pytest.mark.parametrize("written", ["SYN-000101", " syn 000 101 ", "syn000101", "SYN\t000101"])
def test_a_number_is_one_however_it_is_written(written: str) -> None:
    found = scan_of(bent(tracking_id=written))
    assert (found.number, found.written) == (NUMBER, written.strip())


def test_nobody_and_no_free_text_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    body = json.loads(BODY) | {
        "status": secret,
        "rts_reason": secret,
        "comments": secret,
        "cancellation_information": {"reason": secret},
        "delivery_exception": {"failure_reason": secret, "state": secret, "proof": secret},
        "picked_up_information": {"state": secret, "proof": {"signed_by": {"name": secret}}},
        "arrived_at_origin_hub_information": {"address": secret, "hub": "SYN-KLG"},
    }
    body["delivery_information"] |= {
        "state": secret,
        "proof": {
            "signature_uri": f"https://proof.example/{secret}",
            "image_uris": [secret],
            "signed_by": {"name": secret, "contact": secret, "relationship": secret},
        },
    }
    for event in ("Delivered, Received by Customer", "Delivery Exception, Pending Reschedule"):
        translation = told(json.dumps(body | {"event": event}).encode())
        assert translation.scans
        assert secret not in repr(translation)


# The same scan is the same event


def test_the_same_event_is_one_scan_in_whatever_delivery_and_case() -> None:
    again = [
        told(BODY, at=REAL + timedelta(days=3)),
        told(bent(event="DELIVERED, received by  Customer")),
        told(bent(tracking_id="synnv000101")),
        told(bent(status="Completed", comments="changed", is_parcel_on_rts_leg=None)),
        told(bent(shipper_order_ref_no=None)),
    ]
    assert {each.scans[0].identity for each in again} == {scan("delivered").identity}


@pytest.mark.parametrize(
    "change",
    [
        {"event": "Delivered, Left at Doorstep"},
        {"event": "Delivered, Beamed Up"},
        {"timestamp": "2026-11-19T10:02:16+0800"},
        {"tracking_id": "SYN-NV 000102"},
        {"is_parcel_on_rts_leg": True},
        {"arrived_at_transit_hub_information": {"hub": "SYN-IPH"}},
    ],
)
def test_any_other_event_time_number_leg_or_place_is_another_scan(change: dict[str, Any]) -> None:
    assert scan_of(bent(**change)).identity != scan("delivered").identity


def test_a_proof_that_comes_later_is_one_event_more_and_the_order_decides_nothing() -> None:
    bare, proven = scan("delivered.unproven"), scan("delivered")
    assert bare.identity != proven.identity
    for order in ([bare, proven], [proven, bare]):
        parcel = fold_parcel(NUMBER_NV, order)
        assert parcel.status == "delivered"
        assert [each.proven for each in parcel.scans].count(True) == 1


def test_events_in_any_order_are_the_same_parcel() -> None:
    names = ["pending", "picked_up", "in_transit", "out_for_delivery", "failed_attempt"]
    found = [scan(name) for name in [*names, "going_back", "returned"]]
    parcel = fold_parcel(NUMBER_NV, found)
    assert fold_parcel(NUMBER_NV, found[::-1]) == parcel
    assert (parcel.status, parcel.failed_attempts) == ("returned", 1)


# Odd and hostile ones


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent(tracking_id=...), "tracking_id"),
        (bent(tracking_id=""), "tracking_id"),
        (bent(tracking_id=" - - "), "tracking_id"),
        (bent(tracking_id="9" * 65), "tracking_id"),
        (bent(tracking_id="号码"), "tracking_id"),
        (bent(tracking_id="A\x00B"), "tracking_id"),
        (bent(tracking_id=101), "tracking_id"),
        (bent(tracking_id={}), "tracking_id"),
        (bent(event=...), "event"),
        (bent(event=None), "event"),
        (bent(event="  "), "event"),
        (bent(event=5), "event"),
        (bent(event=["Cancelled"]), "event"),
        (bent(is_parcel_on_rts_leg="true"), "is_parcel_on_rts_leg"),
        (bent(is_parcel_on_rts_leg=1), "is_parcel_on_rts_leg"),
        (bent(is_parcel_on_rts_leg=[]), "is_parcel_on_rts_leg"),
        (bent(timestamp=1_794_333_902), "timestamp"),
        (bent(timestamp="yesterday"), "timestamp"),
        (bent(timestamp="2026-11-31T00:00:00+0800"), "timestamp"),
        (bent(timestamp="0001-01-01T00:00:00Z"), "timestamp"),
        (bent(timestamp="9999-12-31T23:59:59-14:00"), "timestamp"),
        (bent(timestamp={}), "timestamp"),
        (b"{}", "tracking_id"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)
