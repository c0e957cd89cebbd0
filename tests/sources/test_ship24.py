"""Ship24: the secret that it sends, and what the events of its trackings mean."""

import json
from datetime import datetime, timedelta

import pytest

from shipclock.domain.event import Link
from shipclock.domain.tracking import REASONS, Scan, TimeBasis, fold_parcel, in_order
from shipclock.ingest import Arrival, receive
from shipclock.ports import Row
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, Translation, ship24
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import NUMBER, ORDER, OTHER_ORDER, REAL, sample, sample_bytes, samples

# Who is let in

VECTORS = sample("signatures/ship24.json")


def test_the_secret_is_not_kept_with_the_delivery() -> None:
    kept: list[Row] = []

    def keep(row: Row) -> bool:
        kept.append(row)
        return True

    secret = VECTORS[0]["secret"]
    headers = {"authorization": f"Bearer {secret}", "content-type": "application/json"}
    told = {"ship24": [{"secrets": [secret]}]}
    body = sample_bytes("ship24/delivered.json")
    answer = receive(Arrival("ship24", headers, body, REAL), lambda: told, keep, timedelta(days=1))
    assert (answer.status, answer.body) == (200, b"")
    assert secret not in repr(kept) + repr(answer)
    assert kept[0]["headers"] == {}


# What its words mean

MILESTONES = """
pending unknown
info_received info_received
in_transit in_transit
out_for_delivery out_for_delivery
failed_attempt delivery_attempt_failed/other
available_for_pickup available_for_pickup
delivered delivered
exception unknown+exception_unclassified
"""

CODES = """
data_order_created info_received
data_order_cancelled cancelled
data_delivery_proposed -
data_delivery_decided +appointment
transit_handover picked_up
transit_origin_country_departure in_transit
destination_arrival in_transit
customs_received in_transit
customs_exception on_hold/customs
customs_rejected on_hold/customs
customs_cleared in_transit
delivery_available_for_pickup available_for_pickup
delivery_out_for_delivery out_for_delivery
delivery_attempted delivery_attempt_failed/other
delivery_exception -
delivery_refused delivery_attempt_failed/refused
delivery_delivered delivered
exception_return returning
exception_lost lost
exception_discarded disposed
"""

CATEGORIES = """
data unknown
transit in_transit
destination in_transit
customs in_transit
delivery unknown
exception unknown+exception_unclassified
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def short(milestone: str, code: str = "", category: str = "") -> str:
    found = ship24.meaning(milestone, code, category)
    reason = f"/{found.reason}" if found.reason else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags)


@pytest.mark.parametrize(("milestone", "said"), pairs(MILESTONES))
def test_every_milestone_has_its_meaning_which_no_unknown_code_changes(
    milestone: str, said: str
) -> None:
    for code in ("", "delivery_beamed_up", "DELIVERY_DELIVERED", "exception"):
        for category in ("", *ship24.CATEGORIES):
            assert short(milestone, code, category) == said


@pytest.mark.parametrize(("code", "said"), pairs(CODES))
def test_every_code_wins_over_every_milestone_or_leaves_it_what_it_is(code: str, said: str) -> None:
    for milestone in (*ship24.MILESTONES, "beamed_up", ""):
        if said == "-" or said.startswith("+"):
            assert short(milestone, code) == short(milestone) + said.strip("-")
        else:
            assert short(milestone, code) == said


@pytest.mark.parametrize(("category", "said"), pairs(CATEGORIES))
def test_a_category_counts_only_where_there_is_no_milestone(category: str, said: str) -> None:
    assert short("", "", category) == said
    assert short("beamed_up", "", category) == "unknown"


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    tables = (
        (ship24.MILESTONES, MILESTONES),
        (ship24.CODES, CODES),
        (ship24.CATEGORIES, CATEGORIES),
    )
    for ours, table in tables:
        assert set(ours) == {code for code, _ in pairs(table)}
    assert {code.split("_")[0] for code in ship24.CODES} == set(ship24.CATEGORIES)
    meanings = [*ship24.MILESTONES.values(), *filter(None, ship24.CODES.values())]
    assert {meaning.reason for meaning in meanings} <= REASONS | {""}


# What a delivery says


def told(body: bytes, at: datetime = REAL, *, pulled: bool = False) -> Translation:
    if pulled:  # the API's answer has the trackings in an object more
        body = json.dumps({"data": json.loads(body)}).encode()
    return ship24.translate(Delivery("ship24", "default", body, at, pulled=pulled))


def scans(name: str) -> tuple[Scan, ...]:
    return told(sample_bytes(f"ship24/{name}.json")).scans


def bent(name: str = "delivered", /, **changes: object) -> bytes:
    """A sample whose first event was changed."""
    body = sample(f"ship24/{name}.json")
    body["trackings"][0]["events"][0].update(changes)
    return json.dumps(body).encode()


MOVED = ["info_received", "picked_up", "in_transit"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("label", ["info_received"]),
        ("picked_up", ["picked_up"]),
        ("in_transit", ["in_transit"]),
        ("out_for_delivery", ["out_for_delivery"]),
        ("failed_attempt", ["delivery_attempt_failed"]),
        ("delivered", ["delivered"]),
        ("exception", ["unknown"]),
        ("lost", ["lost"]),
        ("returning", ["returning"]),
        ("appointment", ["in_transit"]),
        ("history", [*MOVED, "out_for_delivery", "delivery_attempt_failed", "delivered"]),
        ("two_parcels", ["picked_up", "picked_up", "in_transit"]),
        ("no_event", ["in_transit"]),
        ("codes_of_tomorrow", ["in_transit", "unknown"]),
        ("times", [*MOVED, "in_transit", "out_for_delivery", "delivered"]),
        ("odd_entries", ["picked_up"]),
        ("proof", []),
    ],
)
def test_every_event_is_one_scan(name: str, statuses: list[str]) -> None:
    assert [scan.status.value for scan in in_order(scans(name))] == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("ship24"):
        found = told(sample_bytes(path))
        assert found.scans or found.note, path


def test_an_event_keeps_its_words_and_its_carrier_but_not_its_place() -> None:
    (scan,) = scans("failed_attempt")
    assert (scan.number, scan.written) == (NUMBER, "SYN-000 101")
    assert (scan.raw_code, scan.reason) == ("failed_attempt/delivery_attempted", "other")
    assert (scan.carrier, scan.location, scan.proof) == ("synthetic_express", "", "")
    assert scan.estimated_at == datetime.fromisoformat("2026-11-08T00:00:00Z")
    known, unknown = in_order(scans("codes_of_tomorrow"))
    assert (known.status, known.raw_code) == ("in_transit", "in_transit/transit_beamed_up")
    assert (unknown.status, unknown.raw_code) == ("unknown", "beamed_up/transit_beamed_up")


def test_each_parcel_of_a_body_has_its_scans_and_its_link() -> None:
    found = told(sample_bytes("ship24/two_parcels.json"))
    assert [(scan.number, scan.carrier) for scan in found.scans] == [
        (NUMBER, "synthetic_express"),
        ("SYN000102", "USPS"),
        (NUMBER, "synthetic_express"),
    ]
    assert found.links == (
        Link(NUMBER, ORDER, "ship24"),
        Link("SYN000102", OTHER_ORDER, "ship24"),
    )


@pytest.mark.parametrize(
    ("code", "carrier"),
    [("us-post", "USPS"), ("th-post", ""), ("my-post", ""), ("dhl", "dhl"), ("", ""), (7, "")],
)
def test_a_national_posts_code_is_no_carriers_name(code: object, carrier: str) -> None:
    (scan,) = told(bent(courierCode=code)).scans
    assert scan.carrier == carrier


def test_a_parcel_that_is_odd_hides_no_other() -> None:
    found = told(sample_bytes("ship24/odd_entries.json"))
    assert len(found.scans) == 1
    assert "left out 7" in found.note
    assert "no link: trackings[0].tracker.shipmentReference" in found.note
    assert "Contoh" not in found.note


def test_many_notes_are_told_by_the_first_few() -> None:
    body = sample("ship24/label.json")
    body["trackings"][0]["tracker"]["shipmentReference"] = "no order"
    body["trackings"] *= 50
    found = told(json.dumps(body).encode())
    assert (len(found.scans), found.links, found.note.count("no link")) == (1, (), 3)


def test_news_of_another_topic_means_nothing() -> None:
    assert "tracking/pod" in told(sample_bytes("ship24/proof.json")).note
    body = {"metadata": {"topic": "tracking/pod"}, "data": {"status": "found"}}
    found = told(json.dumps(body).encode())
    assert found == Translation(note="topic 'tracking/pod' is no news of events")


@pytest.mark.parametrize("body", [{}, {"trackings": {}}, {"trackings": "none"}, {"data": []}])
def test_a_body_without_a_list_of_trackings_is_kept_for_a_person(body: object) -> None:
    with pytest.raises(Unreadable, match="trackings: a list"):
        told(json.dumps(body).encode())


def test_no_delivery_brings_more_events_than_a_parcel_has() -> None:
    body = sample("ship24/label.json")
    (item,) = body["trackings"]
    body["trackings"] = [
        {**item, "events": [{**item["events"][0], "eventId": f"{at}-{of}"} for of in range(1001)]}
        for at in range(2)
    ]
    assert MOST_ENTRIES < 2 * 1001
    with pytest.raises(Unreadable, match="in one delivery"):
        told(json.dumps(body).encode())


def test_what_a_webhook_says_is_unconfirmed_until_it_is_pulled() -> None:
    body = sample_bytes("ship24/history.json")
    pushed, pulled = told(body), told(body, pulled=True)
    assert not any(scan.confirmed or scan.trusted for scan in pushed.scans)
    assert all(scan.confirmed for scan in pulled.scans)
    assert len(pulled.scans) == len(pushed.scans) == 6
    assert not {s.identity for s in pushed.scans} & {s.identity for s in pulled.scans}
    assert fold_parcel(NUMBER, (*pushed.scans, *pulled.scans)).failed_attempts == 1


# Times


@pytest.mark.parametrize(
    ("changes", "at", "basis"),
    [
        ({}, "2026-11-07T05:58:00Z", "offset"),
        ({"utcOffset": "-0330"}, "2026-11-07T17:28:00Z", "offset"),
        ({"utcOffset": None}, "2026-11-07T13:58:00Z", "zone"),
        ({"utcOffset": "+8"}, "2026-11-07T13:58:00Z", "zone"),
        ({"utcOffset": "+99:00"}, "2026-11-07T13:58:00Z", "zone"),
        ({"utcOffset": 8}, "2026-11-07T13:58:00Z", "zone"),
        ({"occurrenceDatetime": "2026-11-07T13:58:00Z"}, "2026-11-07T13:58:00Z", "utc"),
        ({"occurrenceDatetime": "2026-11-07T13:58:00-05:00"}, "2026-11-07T18:58:00Z", "offset"),
        ({"occurrenceDatetime": "2026-11-07T13:58:00-05"}, "2026-11-07T18:58:00Z", "offset"),
        ({"occurrenceDatetime": None}, "2026-11-07T05:58:00Z", "zone"),
        ({"occurrenceDatetime": None, "utcOffset": None}, "2026-11-07T13:58:00Z", "zone"),
        ({"occurrenceDatetime": None, "datetime": None}, "2026-11-23T12:00:00Z", "received"),
        ({"occurrenceDatetime": "2026-11-07"}, "2026-11-07T15:59:59Z", "zone"),
        ({"occurrenceDatetime": "2026-11-07", "utcOffset": None}, "2026-11-07T23:59:59Z", "zone"),
        ({"hasNoTime": True}, "2026-11-07T15:59:59Z", "zone"),
        (
            {"hasNoTime": True, "occurrenceDatetime": "2026-11-07T00:00:00-05:00"},
            "2026-11-08T04:59:59Z",
            "zone",
        ),
        ({"hasNoTime": "true"}, "2026-11-07T05:58:00Z", "offset"),
    ],
)
def test_a_time_is_told_with_where_it_comes_from(
    changes: dict[str, object], at: str, basis: str
) -> None:
    (scan,) = told(bent(**changes)).scans
    assert (scan.occurred_at, scan.basis.value) == (datetime.fromisoformat(at), basis)


def test_a_day_without_a_time_ends_a_way_after_what_else_it_brought_and_before_its_receipt() -> (
    None
):
    out = bent("out_for_delivery", occurrenceDatetime="2026-11-07T09:00:00")
    delivered = bent(occurrenceDatetime="2026-11-07")
    moved = bent("in_transit", occurrenceDatetime="2026-11-07", utcOffset="+08:00")
    received = datetime.fromisoformat("2026-11-07T06:00:00Z")
    found = [scan for body in (delivered, out, moved) for scan in told(body, received).scans]
    assert [scan.status.value for scan in in_order(found)] == [
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
    assert in_order(found)[-1].occurred_at == received
    assert not any(scan.suspect for scan in found)
    (early,) = told(delivered, datetime.fromisoformat("2026-11-06T00:00:00Z")).scans
    assert early.occurred_at == datetime.fromisoformat("2026-11-06T16:00:00Z")


def test_a_day_proves_nothing_though_it_was_pulled() -> None:
    (scan,) = told(bent(hasNoTime=True), pulled=True).scans
    assert (scan.basis, scan.trusted) == (TimeBasis.ZONE, False)


# One scan whatever brings it


def test_the_same_event_is_one_scan_alone_and_in_the_history() -> None:
    whole = {scan.identity for scan in scans("history")}
    for name in ("label", "picked_up", "in_transit", "out_for_delivery", "failed_attempt"):
        assert {scan.identity for scan in scans(name)} <= whole


@pytest.mark.parametrize(
    ("changes", "another"),
    [
        ({"eventId": "another"}, True),
        ({"statusCode": "delivery_refused"}, True),
        ({"statusMilestone": "exception"}, True),
        ({"occurrenceDatetime": "2026-11-07T13:59:00"}, True),
        ({"utcOffset": "+07:00"}, True),
        ({"eventId": None}, True),
        ({"location": "elsewhere"}, False),
        ({"status": "in other words"}, False),
        ({"order": 5}, False),
        ({"courierCode": "another"}, False),
    ],
)
def test_an_event_that_is_corrected_is_one_scan_more(
    changes: dict[str, object], another: bool
) -> None:
    (as_it_was,), (corrected,) = scans("delivered"), told(bent(**changes)).scans
    assert (as_it_was.identity != corrected.identity) is another


def test_where_there_is_no_event_the_parcels_own_status_counts_and_never_beside_one() -> None:
    (scan,) = scans("no_event")
    assert (scan.status, scan.basis) == ("in_transit", TimeBasis.RECEIVED)
    body = sample("ship24/in_transit.json")
    body["trackings"][0]["shipment"]["statusMilestone"] = "delivered"
    (only,) = told(json.dumps(body).encode()).scans
    assert only.status == "in_transit"
