"""ShipEngine and ShipStation: what a parcel's history means."""

import json
from datetime import datetime
from typing import Any

import pytest

from shipclock.domain.tracking import Scan, TimeBasis, fold_parcel, in_order
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, Translation, shipengine
from tests.builders import NUMBER, REAL, SHOP, sample, sample_bytes, samples

BODY = sample_bytes("shipengine/delivered.json")

# What its words mean

STATUSES = """
unknown: UN
picked_up: AC
in_transit: IT
delivered: DE
unknown+exception_unclassified: EX
delivery_attempt_failed/other: AT
info_received: NY
available_for_pickup: SP
"""

DETAILS = """
-: CARRIER_STATUS_NOT_MAPPED INFORMATION PARCEL_UPDATE_NOTIFICATION COD_AMOUNT_PAID
  POST_TRANSIT_STATUS
info_received: SHIPMENT_CREATED AWAITING_PICKUP_DROP_OFF ELEC_ADVICE_RECD_BY_CARRIER
  NOT_YET_RECEIVED_BY_CARRIER
picked_up: DROPPED_OFF PICKED_UP RECEIVED_BY_CARRIER RECD_BY_CARRIER_NO_ELEC_ADVICE
in_transit: CUSTOMS_CLEARED CUSTOMS_PROCESSING HUB_SCAN_OUT HUB_SCAN_IN IN_TRANSIT
  PARCEL_OVER_LABELLED RECEIVED_LOCAL_DELIVERY_DEPOT SUB_CONTRACTOR_EVENT
  SUB_CONTRACTOR_RECEIVED PARCEL_REDIRECTED HUB_PROCESSING PARCEL_REDIRECTED_BY_CARRIER
in_transit+appointment: DELIVERY_ARRANGED_WITH_RECIPIENT DELIVERY_SCHEDULED
delayed/rescheduled: DELIVERY_RESCHEDULED
delivery_attempt_failed/other: ATTEMPTED_DELIVERY NOT_DELIVERED
delivery_attempt_failed/other+final: ATTEMPTED_DELIVERY_FINAL
delivery_attempt_failed/recipient_absent: CUSTOMER_CARDED
out_for_delivery: OUT_FOR_DELIVERY
available_for_pickup: AWAITING_COLLECTION_FROM_PICKUP_POINT COLLECT_AT_LOCAL_PO
  CUSTOMER_TO_COLLECT_FROM_CARRIER DELIVERED_TO_PICKUP_POINT
delivered+to=reception: DELIVERED_TO_RECEPTION
delivered: DELIVERED
delivered+damaged: DELIVERED_DAMAGED
delivered+partial: DELIVERED_IN_PART
delivered+to=safe_place: DELIVERED_SPECIFIED_SAFE_PLACE
delivered+to=other: DELIVERED_TO_ALTERNATIVE_DELIVERY_LOCATION
delivered+to=neighbour: DELIVERED_TO_NEIGHBOUR
delivered+to=mailbox: DELIVERED_TO_PO_BOX
delivered+to=pickup_point: PARCEL_COLLECTED_FROM_PICKUP_POINT
delivered+proof=unspecified: PROOF_OF_DELIVERY
pickup_failed/other: PICKUP_FAILED
damaged: PARCEL_DAMAGED
on_hold/address_issue: ADDRESS_QUERY
delayed/processing: CARRIER_DELAYS
delayed/other: DELAYED_NOT_CARRIER
on_hold/other: HELD_BY_CARRIER
on_hold/customs: HELD_BY_CARRIER_FOR_CLEARANCE_PRE_PROCESSING HELD_BY_CUSTOMS
on_hold/documents: INCORRECT_DECLARATION
delayed/missorted: MISROUTED
in_transit+repacked: PARCEL_REPACKED
delivery_attempt_failed/payment: COD_AMOUNT_NOT_PAID
delivery_attempt_failed/identification: CUSTOMER_IDENTIFICATION_FAILED
delivery_attempt_failed/access_restricted: NO_ACCESS_TO_RECIPIENTS_ADDRESS
cancelled: CANCELLED
delivery_attempt_failed/recipient_moved: CUSTOMER_MOVED
on_hold/prohibited: HAZARDOUS_PROHIBITED
returning/not_collected: NOT_COLLECTED_FROM_PICKUP_POINT
delivery_attempt_failed/deceased: NOT_DELIVERED_ADDRESSEE_DECEASED
disposed: PARCEL_DISPOSED
lost: PARCEL_LOST
on_hold/out_of_area: PARCEL_OUTSIDE_OF_SERVICE_CAPABILITY
delivery_attempt_failed/refused: REFUSED_BY_CUSTOMER
returning: RETURN_TO_SENDER
unknown+exception_unclassified: UNSPECIFIED_EXCEPTION
expired: TRACKING_EXPIRED
on_hold/payment: DUTY_NOT_PAID
returned: UNDELIVERABLE_RETURNED_TO_SENDER
"""
"""What the reference maps, by the meaning: `-` leaves it to the status."""


def pairs(table: str) -> list[tuple[str, str]]:
    """Each code with its meaning."""
    groups = (group.split(":") for group in table.replace("\n  ", " ").strip().split("\n"))
    return [(code, said) for said, codes in groups for code in codes.split()]


def short(status: str, detail: str = "") -> str:
    """A meaning in one word."""
    found = shipengine.meaning(status, detail)
    return (
        found.status.value
        + (f"/{found.reason}" if found.reason else "")
        + "".join(f"+{flag}" for flag in found.flags)
        + (f"+to={found.delivered_to}" if found.delivered_to else "")
        + (f"+proof={found.proof}" if found.proof else "")
    )


@pytest.mark.parametrize(("status", "said"), pairs(STATUSES))
def test_every_status_has_its_meaning_where_the_detail_leaves_it_open(
    status: str, said: str
) -> None:
    silent = [detail for detail, told in pairs(DETAILS) if told == "-"]
    assert len(silent) == 5
    for detail in ("", *silent):
        assert short(status, detail) == said


@pytest.mark.parametrize(("detail", "said"), [p for p in pairs(DETAILS) if p[1] != "-"])
def test_every_other_detail_wins_over_every_status(detail: str, said: str) -> None:
    for status in ("", "ZZ", *shipengine.STATUSES):
        assert short(status, detail) == said


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(shipengine.STATUSES) == {code for code, _ in pairs(STATUSES)}
    assert set(shipengine.DETAILS) == {code for code, _ in pairs(DETAILS)}


@pytest.mark.parametrize("detail", ["BEAMED_UP", "delivered", "DELIVERED_", "PARCEL_LOS"])
def test_a_code_of_tomorrow_is_never_guessed(detail: str) -> None:
    for status, said in pairs(STATUSES):
        assert short(status, detail) == (said if status == "EX" else "unknown")
    for unknown in ("", "ZZ", "de", "DELIVERED"):
        assert short(unknown) == short(unknown, detail) == "unknown"


# What a delivery says


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return shipengine.translate(Delivery("shipengine", "default", body, at, shops))


def scans(name: str) -> tuple[Scan, ...]:
    return in_order(told(sample_bytes(f"shipengine/{name}.json")).scans)


def bent(name: str = "delivered", **changes: Any) -> bytes:
    body = sample(f"shipengine/{name}.json")
    body["data"] |= changes
    return json.dumps(body).encode()


MOVED = ["info_received", "picked_up", "in_transit"]
TRIED = [*MOVED, "out_for_delivery", "delivery_attempt_failed"]
HISTORIES = {
    "nothing_yet": ["unknown"],
    "label": MOVED[:1],
    "in_transit": MOVED,
    "failed_attempt": TRIED,
    "delivered": [*TRIED, "out_for_delivery", "delivered"],
    "delivered_v2": [*TRIED, "out_for_delivery", "delivered"],
    "delivered_without_events": ["delivered"],
    "lost": [*MOVED, "lost"],
    "lost_without_an_event": [*MOVED, "lost"],
    "returned": [*TRIED, "returning", "returned"],
    "codes_of_tomorrow": ["picked_up", "unknown", "unknown", "unknown"],
    "odd_entries": ["info_received", "picked_up", "delivered"],
    "another_event": [],
}


@pytest.mark.parametrize("name", HISTORIES)
def test_a_history_is_one_scan_per_event(name: str) -> None:
    assert [scan.status.value for scan in scans(name)] == HISTORIES[name]


def test_no_sample_is_left_out() -> None:
    assert {f"shipengine/{name}.json" for name in HISTORIES} == set(samples("shipengine"))


def test_a_scan_has_its_own_time_place_and_codes_and_the_parcels_number_and_carrier() -> None:
    hub = scans("in_transit")[2]
    assert hub.occurred_at == datetime.fromisoformat("2026-11-05T02:00:00Z")
    assert (hub.basis, hub.trusted) == (TimeBasis.UTC, True)
    assert hub.location == "OAKLAND, CA, US"
    assert hub.raw_code == "IT/HUB_SCAN_IN"
    assert (hub.number, hub.written) == (NUMBER, "SYN-000 101")
    assert hub.carrier == "synthetic_express"
    assert told(sample_bytes("shipengine/in_transit.json"), (SHOP,)).links == ()


def test_a_delivery_tells_to_whom_and_that_somebody_signed_but_not_who() -> None:
    done = scans("delivered")[-1]
    assert (done.delivered_to, done.proof) == ("neighbour", "signature")
    assert done.estimated_at == datetime.fromisoformat("2026-11-08T00:00:00Z")
    assert scans("failed_attempt")[-1].proof == ""


@pytest.mark.parametrize("signer", ["", " ", None, 5, ["x"]])
def test_without_a_signer_the_proof_is_what_the_code_says(signer: object) -> None:
    events = sample("shipengine/delivered.json")["data"]["events"]
    (one,) = told(bent(events=[{**events[0], "signer": signer}])).scans
    assert (one.status, one.proof) == ("delivered", "")
    code = {"status_detail_code": "PROOF_OF_DELIVERY", "signer": signer}
    (other,) = told(bent(events=[{**events[0], **code}])).scans
    assert other.proof == "unspecified"


def test_that_somebody_signed_may_become_known_later_and_is_an_event_of_its_own() -> None:
    events = sample("shipengine/delivered.json")["data"]["events"]
    (before,) = told(bent(events=[{**events[0], "signer": ""}])).scans
    (after,) = told(bent(events=[events[0]])).scans
    assert before.identity != after.identity
    assert before.occurred_at == after.occurred_at


def test_an_attempt_and_who_signed_for_something_else_are_no_proof() -> None:
    events = sample("shipengine/delivered.json")["data"]["events"]
    card = {**events[2], "signer": "Siti Contoh"}
    (attempt,) = told(bent(events=[card], status_code="AT", status_detail_code=None)).scans
    assert (attempt.status, attempt.proof) == ("delivery_attempt_failed", "")


def test_version_2_tells_the_same_scans_but_for_what_it_leaves_out() -> None:
    one, two = scans("delivered"), scans("delivered_v2")
    same = {scan.identity for scan in one} & {scan.identity for scan in two}
    assert len(same) == 5
    label, picked = two[0], two[1]
    assert (label.occurred_at, label.basis) == (one[0].occurred_at, TimeBasis.ZONE)
    assert (picked.status, picked.raw_code) == ("picked_up", "AC")
    assert two[-1].estimated_at == datetime.fromisoformat("2026-11-08T00:00:00Z")


@pytest.mark.parametrize("local", ["2026-11-01T00:00:00Z", "soon", 5, None, {}])
def test_no_time_is_read_from_the_carriers_own_clock(local: object) -> None:
    events = sample("shipengine/in_transit.json")["data"]["events"]
    changed = bent("in_transit", events=[{**each, "carrier_occurred_at": local} for each in events])
    assert in_order(told(changed).scans) == scans("in_transit")


def test_events_told_alike_are_two_where_the_carriers_own_codes_differ() -> None:
    hub = sample("shipengine/in_transit.json")["data"]["events"][0]
    other = {**hub, "event_code": "11"}
    assert len(told(bent("in_transit", events=[hub, other, hub])).scans) == 2


def test_a_status_that_no_event_tells_is_a_scan_that_proves_nothing_missed() -> None:
    lost = scans("lost_without_an_event")[-1]
    assert lost.occurred_at == scans("in_transit")[-1].occurred_at
    assert (lost.basis, lost.raw_code) == (TimeBasis.RECEIVED, "EX/PARCEL_LOST")
    (done,) = scans("delivered_without_events")
    assert done.occurred_at == datetime.fromisoformat("2026-11-07T03:05:00Z")
    assert done.basis is TimeBasis.RECEIVED


def test_such_a_status_gives_way_to_the_next_event_whichever_is_heard_of_first() -> None:
    body = sample("shipengine/lost_without_an_event.json")
    found = {**body["data"]["events"][0], "occurred_at": "2026-11-09T02:00:00Z"}
    later = bent(
        "lost_without_an_event",
        events=[found, *body["data"]["events"]],
        status_code="IT",
        status_detail_code="HUB_SCAN_IN",
    )
    all_of_them = [*scans("lost_without_an_event"), *told(later).scans]
    for order in (all_of_them, all_of_them[::-1]):
        assert fold_parcel(NUMBER, order).status == "in_transit"


def test_such_a_status_is_another_scan_after_each_event_and_never_an_events_own() -> None:
    body = sample("shipengine/lost_without_an_event.json")["data"]["events"]
    first, second = (
        told(bent("lost_without_an_event", events=events)).scans[-1] for events in (body[1:], body)
    )
    assert (first.status, second.status) == ("lost", "lost")
    assert first.identity != second.identity
    event = {"occurred_at": "2026-11-05T02:00:00+00:00", "status_code": "EX"}
    (told_of,) = told(bent("lost", events=[{**event, "status_detail_code": "PARCEL_LOST"}])).scans
    assert told_of.occurred_at == second.occurred_at
    assert told_of.identity != second.identity


def test_a_carrier_is_named_by_who_carries_and_not_by_who_sells_the_label() -> None:
    for code, name in (("stamps_com", "USPS"), ("usps", "usps"), (None, ""), (5, "")):
        assert {scan.carrier for scan in told(bent(carrier_code=code)).scans} == {name}


def test_what_is_odd_is_left_out_and_told_of() -> None:
    note = told(sample_bytes("shipengine/odd_entries.json")).note
    assert note.startswith("left out 4, the first of them: data.events[1]: an object was expected")


def test_an_event_without_a_time_is_no_later_than_the_next_one() -> None:
    picked = scans("odd_entries")[1]
    assert (picked.occurred_at, picked.basis) == (scans("delivered")[-1].occurred_at, "received")


def test_events_are_listed_newest_first_where_their_times_do_not_tell() -> None:
    hub, picked, _ = sample("shipengine/in_transit.json")["data"]["events"]
    for events, at in (
        ([{**hub, "occurred_at": None}, picked], REAL),
        ([picked, {**hub, "occurred_at": None}], scans("in_transit")[1].occurred_at),
    ):
        (found,) = [s for s in told(bent(events=events)).scans if s.raw_code == "IT/HUB_SCAN_IN"]
        assert (found.occurred_at, found.basis) == (at, TimeBasis.RECEIVED)


@pytest.mark.parametrize(
    "kind", ["API_BATCH", "API_RATE", "track_event_v2", "API_TRACK ", "", None]
)
def test_another_resource_means_nothing_and_says_so(kind: str | None) -> None:
    body = json.dumps({**json.loads(BODY), "resource_type": kind}).encode()
    translation = told(body)
    if kind == "API_TRACK ":  # spaces around a word are nobody's meaning
        assert translation.scans
        return
    assert translation == Translation(note=translation.note)
    assert "is no news of a parcel" in translation.note


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"tracking_number": ""}, r"data\.tracking_number"),
        ({"tracking_number": None}, r"data\.tracking_number"),
        ({"tracking_number": 94001}, r"data\.tracking_number"),
        ({"tracking_number": "é"}, r"data\.tracking_number"),
        ({"events": [], "status_code": None, "status_detail_code": None}, r"data\.status_code"),
        ({"events": [5], "status_code": 5}, r"data\.events\[0\]"),
        ({"events": "none", "status_code": 5}, r"data\.events"),
    ],
)
def test_without_a_number_or_any_status_it_is_unreadable(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unreadable, match=field):
        told(bent(**changes))


def test_a_parcel_that_nothing_is_known_of_is_no_news_of_it() -> None:
    (scan,) = scans("nothing_yet")
    assert (scan.status, scan.raw_code, scan.basis) == ("unknown", "UN", TimeBasis.RECEIVED)
