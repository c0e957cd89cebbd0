"""Shippo: proving its signed webhooks, and what a track's history means."""

import base64
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
from shipclock.sources import Delivery, NotAuthentic, Translation, Unsigned, shippo
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import (
    NUMBER,
    ORDER,
    REAL,
    sample_bytes,
    samples,
)
from tests.sources.senders import SENDERS

BODY = sample_bytes("shippo/delivered.json")
NOW = str(int(REAL.timestamp()))


# One by one


SENDER = SENDERS["shippo"]
SECRET = SENDER.secret
HEADER = "shippo-auth-signature"
GOOD = SENDER.send(BODY)[0][HEADER]
HEX = GOOD.partition("v1=")[2]
KEYED = hmac.new(SECRET.encode(), f"{NOW}.".encode() + BODY, "sha256")


@pytest.mark.parametrize(
    "header",
    [
        HEX,
        f"v1={HEX}",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"t=,v1={HEX}",
        f"v1={HEX},t={NOW}",
        f"t={NOW}, v1={HEX}",
        f"t={NOW};v1={HEX}",
        f"T={NOW},V1={HEX}",
        f"t={NOW},v0={HEX}",
        f"t={NOW},v2={HEX}",
        f"t={NOW},v1={HEX.upper()}",
        f"t={NOW}.0,v1={HEX}",
        f"t=-{NOW},v1={HEX}",
        f"t=+{NOW},v1={HEX}",
        f"t=0{NOW},v1={HEX}",
        f"t={NOW}000,v1={HEX}",
        f"t={'9' * 5000},v1={HEX}",
        f"t=\u0661,v1={HEX}",
        f"t={NOW},v1={base64.b64encode(KEYED.digest()).decode()}",
        f"t={NOW},v1={hmac.new(SECRET.encode(), BODY, 'sha256').hexdigest()}",
        f"t={NOW},v1={hmac.new(SECRET.encode(), NOW.encode() + BODY, 'sha256').hexdigest()}",
        f"t={NOW},v1={hmac.new(b'', BODY, 'sha256').hexdigest()}",
        f"t={NOW},v1={hashlib.sha256(BODY).hexdigest()}",
        f"{GOOD}, {GOOD}",
        f"{GOOD},v1={HEX}",
        f"t=1,{GOOD}",
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
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
    assert shippo.acknowledge(BODY) == b""


# What its words mean

STATUSES = """
UNKNOWN unknown
PRE_TRANSIT info_received
TRANSIT in_transit
DELIVERED delivered
RETURNED returning
FAILURE delivery_attempt_failed/other+final
"""

SUBSTATUSES = """
information_received info_received
address_issue on_hold/address_issue
contact_carrier on_hold/other
delayed delayed/other
delivery_attempted delivery_attempt_failed/other
delivery_rescheduled delayed/rescheduled
delivery_scheduled in_transit+appointment
location_inaccessible delivery_attempt_failed/access_restricted
notice_left delivery_attempt_failed/recipient_absent
out_for_delivery out_for_delivery
package_accepted picked_up
package_arrived in_transit
package_damaged damaged
package_departed in_transit
package_forwarded in_transit
package_held on_hold/other
package_processed in_transit
package_processing in_transit
pickup_available available_for_pickup
reschedule_delivery delayed/rescheduled
delivered delivered
return_to_sender returning
package_unclaimed returning/not_collected
package_undeliverable delivery_attempt_failed/other+final
package_disposed disposed
package_lost lost
other -
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def brief(status: str, reason: str, flags: tuple[str, ...]) -> str:
    return status + (f"/{reason}" if reason else "") + "".join(f"+{flag}" for flag in flags)


def short(status: str, substatus: str = "") -> str:
    """A meaning in one word."""
    found = shippo.meaning(status, substatus)
    return brief(found.status.value, found.reason, found.flags)


@pytest.mark.parametrize(("status", "said"), pairs(STATUSES))
def test_every_status_has_its_meaning(status: str, said: str) -> None:
    for silent in ("", "other"):
        assert short(status, silent) == said


@pytest.mark.parametrize(("substatus", "said"), pairs(SUBSTATUSES))
def test_every_substatus_wins_over_a_status_that_ends_and_turns_nothing(
    substatus: str, said: str
) -> None:
    for status in ("UNKNOWN", "PRE_TRANSIT", "TRANSIT", "FAILURE"):
        assert short(status, substatus) == (short(status) if said == "-" else said)
    assert short("", substatus) == ("unknown" if said == "-" else said)
    if said != "-":
        entry = {"status": "TRANSIT", "substatus": {"code": substatus}}
        (scan,) = told(bent(tracking_history=[entry], tracking_status=None)).scans
        assert brief(scan.status.value, scan.reason, scan.flags) == said


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(shippo.STATUSES) == {code for code, _ in pairs(STATUSES)}
    assert set(shippo.SUBSTATUSES) == {code for code, _ in pairs(SUBSTATUSES)}
    meanings = {*shippo.STATUSES.values(), *filter(None, shippo.SUBSTATUSES.values())}
    assert {meaning.reason for meaning in meanings} <= REASONS | {""}


@pytest.mark.parametrize(
    ("status", "substatus", "said"),
    [
        ("RETURNED", "return_to_sender", "returning"),
        ("RETURNED", "package_unclaimed", "returning/not_collected"),
        ("RETURNED", "package_departed", "returning"),
        ("RETURNED", "out_for_delivery", "returning"),
        ("RETURNED", "delivered", "returning"),
        ("RETURNED", "package_damaged", "returning+damaged"),
        ("RETURNED", "package_lost", "lost"),
        ("RETURNED", "package_disposed", "disposed"),
        ("DELIVERED", "package_departed", "delivered"),
        ("DELIVERED", "delivery_attempted", "delivered"),
        ("DELIVERED", "return_to_sender", "delivered"),
        ("DELIVERED", "package_damaged", "delivered+damaged"),
        ("FAILURE", "package_lost", "lost"),
    ],
)
def test_a_substatus_undoes_no_delivery_and_turns_no_return(
    status: str, substatus: str, said: str
) -> None:
    assert short(status, substatus) == said


@pytest.mark.parametrize("status", sorted(shippo.STATUSES))
def test_an_unknown_substatus_leaves_a_known_status_what_it_is(status: str) -> None:
    for substatus in ("beamed_up", "DELIVERED", "delivered ", "package_los"):
        assert short(status, substatus) == short(status)


@pytest.mark.parametrize("status", ["TELEPORTED", "delivered", "Delivered", "DELIVERD", "RETURN"])
def test_an_unknown_status_is_never_guessed_not_even_from_its_substatus(status: str) -> None:
    for substatus in ("", *shippo.SUBSTATUSES):
        assert short(status, substatus) == "unknown"


# What a delivery says


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return shippo.translate(Delivery("shippo", "default", body, at, shops))


def scans(name: str) -> tuple[Scan, ...]:
    return told(sample_bytes(f"shippo/{name}.json")).scans


MOVED = ["info_received", "picked_up", "in_transit"]
TRIED = [*MOVED, "out_for_delivery", "delivery_attempt_failed"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("nothing_yet", []),
        ("label", MOVED[:1]),
        ("picked_up", MOVED[:2]),
        ("in_transit", MOVED),
        ("failed_attempt", TRIED),
        ("delivered", [*TRIED, "out_for_delivery", "delivered"]),
        ("lost", [*MOVED, "lost"]),
        ("returned", [*TRIED, "returning", "returning"]),
        ("codes_of_tomorrow", ["info_received", "in_transit", "unknown"]),
        ("zones_and_gaps", [*MOVED, "delivered"]),
        ("odd_entries", ["info_received", "delivered"]),
    ],
)
def test_a_history_is_one_scan_per_status(name: str, statuses: list[str]) -> None:
    assert [scan.status.value for scan in in_order(scans(name))] == statuses
    assert len(scans(name)) == len(statuses)


def test_no_sample_is_left_out() -> None:
    for path in samples("shippo"):
        if not path.endswith("old_body.json"):
            found = told(sample_bytes(path))
            assert found.scans or found.note, path


def test_a_scan_has_its_own_time_place_and_codes_and_the_tracks_number_and_carrier() -> None:
    picked = in_order(scans("picked_up"))[1]
    assert picked.occurred_at == datetime.fromisoformat("2026-11-04T06:16:00Z")
    assert (picked.basis, picked.trusted) == (TimeBasis.UTC, True)
    assert picked.location == "Fresno, CA, US"
    assert picked.raw_code == "TRANSIT/package_accepted"
    assert (picked.number, picked.written) == (NUMBER, "SYN-000 101")
    assert picked.carrier == "synthetic_express"
    assert (picked.source, picked.account, picked.received_at) == ("shippo", "default", REAL)


def test_a_latest_status_that_is_not_in_the_history_is_a_scan_with_its_own_time() -> None:
    attempt = in_order(scans("failed_attempt"))[-1]
    assert (attempt.status, attempt.reason) == ("delivery_attempt_failed", "other")
    assert attempt.occurred_at == datetime.fromisoformat("2026-11-06T03:20:00Z")
    assert attempt.trusted
    assert attempt.identity in {scan.identity for scan in scans("delivered")}


def test_returned_means_that_the_return_has_begun() -> None:
    parcel = fold_parcel(NUMBER, scans("returned"))
    assert (parcel.status, parcel.ended_at, parcel.failed_attempts) == ("returning", None, 1)


def test_a_code_of_tomorrow_keeps_its_own_words() -> None:
    _, known, unknown = in_order(scans("codes_of_tomorrow"))
    assert (known.status, known.raw_code) == ("in_transit", "TRANSIT/beamed_up")
    assert (unknown.status, unknown.raw_code) == ("unknown", "TELEPORTED/package_arrived")


def test_another_event_means_nothing_and_says_so() -> None:
    translation = told(sample_bytes("shippo/another_event.json"))
    assert translation == Translation(note=translation.note)
    assert "transaction_created" in translation.note
    for kind in (None, "", "TRACK_UPDATED"):
        assert told(json.dumps({**json.loads(BODY), "event": kind}).encode()).scans == ()


def test_the_body_of_old_versions_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(Unreadable, match="choose a later one"):
        told(sample_bytes("shippo/old_body.json"))


def test_where_nothing_is_known_yet_the_link_is_made_all_the_same() -> None:
    translation = told(sample_bytes("shippo/nothing_yet.json"))
    assert translation.note == "nothing is known of the number yet"
    assert translation.links == (Link(NUMBER, ORDER, "shippo"),)


# The order it belongs to


@pytest.mark.parametrize("metadata", [ORDER, f"order {ORDER}", f"Order #{ORDER}", f" {ORDER} "])
def test_metadata_that_names_an_order_links_the_number_to_it(metadata: str) -> None:
    translation = told(bent(metadata=metadata))
    assert (translation.links, translation.note) == ((Link(NUMBER, ORDER, "shippo"),), "")


@pytest.mark.parametrize("metadata", [None, "", "  ", 5, [], {"order": ORDER}])
def test_without_metadata_there_is_no_link(metadata: object) -> None:
    translation = told(bent(metadata=metadata))
    assert (len(translation.scans), translation.links, translation.note) == (7, (), "")


@pytest.mark.parametrize(
    "metadata", ["Aisyah", "order", "order Aisyah", "for Aisyah 5", f"{ORDER} Aisyah", "9" * 65]
)
def test_other_words_make_no_link_and_are_not_quoted(metadata: str) -> None:
    translation = told(bent(metadata=metadata))
    assert (len(translation.scans), translation.links) == (7, ())
    assert translation.note.startswith("no link: data.metadata")
    assert "Aisyah" not in translation.note


# Times, and one scan whatever brings it


def test_a_time_is_told_with_where_it_comes_from() -> None:
    found = in_order(scans("zones_and_gaps"))
    assert [scan.basis.value for scan in found] == ["received", "offset", "zone", "utc"]
    assert [scan.trusted for scan in found] == [False, True, False, True]
    assert found[0].occurred_at == found[1].occurred_at


def test_a_history_that_is_newest_first_is_read_alike() -> None:
    for name in ("zones_and_gaps", "delivered", "returned"):
        body = sample_bytes(f"shippo/{name}.json")
        turned = told(bent_list(lambda entries: entries[::-1], body)).scans
        assert {(s.identity, s.occurred_at, s.basis) for s in turned} == {
            (s.identity, s.occurred_at, s.basis) for s in scans(name)
        }


def test_the_same_status_is_one_scan_in_every_webhook() -> None:
    whole = {scan.identity for scan in scans("delivered")}
    for name in ("label", "picked_up", "in_transit", "failed_attempt"):
        assert {scan.identity for scan in scans(name)} <= whole
    assert len(whole) == 7
    assert {scan.identity for scan in told(BODY, at=REAL + timedelta(days=1)).scans} == whole


@pytest.mark.parametrize(
    ("change", "another"),
    [
        ({"object_id": "synthetic9999"}, True),
        ({"status_date": "2026-11-07T03:05:01Z"}, True),
        ({"substatus": {"code": "package_lost"}}, True),
        ({"status_details": "Other words"}, False),
        ({"location": None}, False),
        ({"object_updated": "2026-11-09T00:00:00Z"}, False),
        ({"object_id": None}, True),
    ],
)
def test_what_a_status_says_makes_its_identity_and_its_trimmings_do_not(
    change: dict[str, Any], another: bool
) -> None:
    (first,) = told(only()).scans
    (other,) = told(only(**change)).scans
    assert (other.identity != first.identity) == another


def test_without_ids_places_tell_scans_apart() -> None:
    places_ = ({"city": "Fresno"}, {"city": "Oakland"}, {"city": "Oakland"})
    found = {told(only(object_id=None, location=place)).scans[0].identity for place in places_}
    assert len(found) == 2


def test_the_estimate_is_on_the_newest_scan() -> None:
    found = in_order(scans("in_transit"))
    assert [scan.estimated_at for scan in found[:-1]] == [None, None]
    assert found[-1].estimated_at == datetime.fromisoformat("2026-11-08T10:00:00Z")


@pytest.mark.parametrize("odd", [None, "", "soon", 5, {}, "0001-01-01T00:00:00Z"])
def test_an_odd_estimate_is_none_and_costs_nothing(odd: object) -> None:
    translation = told(bent(eta=odd))
    assert {scan.estimated_at for scan in translation.scans} == {None}
    assert (len(translation.scans), translation.note) == (7, "")


# Odd and hostile ones


def bent(body: bytes = BODY, **changes: object) -> bytes:
    """A webhook with other fields of its track."""
    whole = json.loads(body)
    return json.dumps({**whole, "data": {**whole["data"], **changes}}).encode()


def bent_list(change: Callable[[list[Any]], list[Any]], body: bytes = BODY) -> bytes:
    return bent(body, tracking_history=change(json.loads(body)["data"]["tracking_history"]))


def only(**changes: object) -> bytes:
    """A webhook of one status, the delivery, with other fields."""
    last = json.loads(BODY)["data"]["tracking_history"][-1]
    return bent(tracking_history=[], tracking_status={**last, **changes})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent(tracking_number=""), "data.tracking_number"),
        (bent(tracking_number=None), "data.tracking_number"),
        (bent(tracking_number=" - - "), "data.tracking_number"),
        (bent(tracking_number="9" * 65), "data.tracking_number"),
        (bent(tracking_number="号码"), "data.tracking_number"),
        (bent(tracking_number=101), "data.tracking_number"),
        (bent(tracking_status=None, tracking_history={}), "data.tracking_history"),
        (bent(tracking_status=None, tracking_history=[7]), "data.tracking_history[0]"),
        (bent(tracking_status=5, tracking_history=None), "data.tracking_status"),
        (bent(tracking_status="TRANSIT"), "data.tracking_status"),
        (only(status=5), "data.tracking_status.status"),
        (only(status=None, substatus=None), "data.tracking_status.status"),
        (only(substatus="delivered"), "data.tracking_status.substatus"),
        (only(substatus={"code": 5}), "data.tracking_status.substatus.code"),
        (only(status_date="lately"), "data.tracking_status.status_date"),
        (only(status_date=1794333902), "data.tracking_status.status_date"),
        (only(status_date="0001-01-01T00:00:00Z"), "data.tracking_status.status_date"),
        (only(status_date="9999-12-31T23:59:59-14:00"), "data.tracking_status.status_date"),
        (b'{"event": "track_updated"}', "data"),
        (b'{"event": "track_updated", "data": []}', "data"),
        (b'{"event": {}}', "event"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize("entry", [None, "TRANSIT", [], {}, {"status": 5}])
def test_one_odd_status_hides_no_other_and_the_note_names_it(entry: object) -> None:
    translation = told(bent_list(lambda entries: [*entries[:2], entry, *entries[2:]]))
    assert translation.scans == told(BODY).scans
    assert translation.note.startswith("left out 1, the first of them: data.tracking_history[2]")


def test_all_odd_statuses_are_counted() -> None:
    note = told(sample_bytes("shippo/odd_entries.json")).note
    assert note.startswith("left out 3, the first of them: data.tracking_history[1].status")


@pytest.mark.parametrize(
    "place", [None, "Eureka", 5, [], {"city": 5}, {"zip": "1", "street1": "1"}]
)
def test_an_odd_place_is_none(place: object) -> None:
    (found,) = told(only(location=place)).scans
    assert (found.status, found.location) == ("delivered", "")


def test_no_free_text_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    body = json.loads(BODY)
    data = body["data"]
    data |= {"messages": [secret], "metadata": secret, "address_to": {"city": secret}}
    for status in (data["tracking_status"], *data["tracking_history"]):
        status["status_details"] = secret
        status["substatus"]["text"] = secret
        status["location"] |= {"zip": secret, "street1": secret}
    assert secret not in repr(told(json.dumps(body).encode()))


def test_a_code_and_a_place_are_cut_and_a_carrier_that_is_no_text_is_none() -> None:
    (found,) = told(only(status="x" * 10_000, location={"city": "y" * 10_000})).scans
    assert (found.status, len(found.raw_code), len(found.location)) == ("unknown", 100, 100)
    assert {scan.carrier for scan in told(bent(carrier={})).scans} == {""}


def test_a_history_of_thousands_is_refused_before_it_is_read() -> None:
    most = [{"status": "TRANSIT", "object_id": str(n)} for n in range(MOST_ENTRIES)]
    assert len(told(bent(tracking_history=most)).scans) == MOST_ENTRIES + 1
    with pytest.raises(Unreadable, match=r"^data\.tracking_history: 2001 entries"):
        told(bent(tracking_history=[*most, most[0]]))
