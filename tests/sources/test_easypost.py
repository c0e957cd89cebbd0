"""EasyPost: proving its webhooks, and what a tracker's history means."""

import base64
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import Scan, TimeBasis, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, NotAuthentic, Translation, Unsigned, easypost
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import REAL, patient, sample_bytes, samples
from tests.sources.senders import SENDERS

BODY = sample_bytes("easypost/delivered.json")


# One by one


SENDER = SENDERS["easypost"]
SECRET = SENDER.secret
ACCENTED = "sécret synthétique № 3"
HEADER = "x-hmac-signature"
GOOD = SENDER.send(BODY)[0][HEADER]
HEX = GOOD.removeprefix("hmac-sha256-hex=")
RAW = hmac.new(SECRET.encode(), BODY, "sha256").digest()


@pytest.mark.parametrize(
    "header",
    [
        HEX,
        "=" + HEX,
        "hmac-sha256-hex=" + HEX.upper(),
        "HMAC-SHA256-HEX=" + HEX,
        "hmac-sha256-hex:" + HEX,
        "hmac-sha256=" + HEX,
        "hmac-sha1-hex=" + HEX,
        "hmac-sha512-hex=" + HEX,
        "hmac-sha256-hex=" + base64.b64encode(RAW).decode(),
        "hmac-sha256-base64=" + base64.b64encode(RAW).decode(),
        "hmac-sha256-hex=" + hmac.new(SECRET.encode(), BODY, "sha1").hexdigest(),
        "hmac-sha1-hex=" + hmac.new(SECRET.encode(), BODY, "sha1").hexdigest(),
        "hmac-sha256-hex=" + hashlib.sha256(BODY).hexdigest(),
        "hmac-sha256-hex=" + hmac.new(b"", BODY, "sha256").hexdigest(),
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
        f"{GOOD}, {GOOD}",
        f"{GOOD},hmac-sha256-hex=00",
        "hmac-sha256-hex=",
        "hmac-sha256-hex=é",
        "\ud800" + GOOD,
        "٣" * 64,
        " ",
    ],
    ids=lambda header: ascii(header[:90]),
)
def test_a_garbled_signature_is_refused_without_a_stumble(header: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        SENDER.verify(({HEADER: header}, BODY))
    assert not isinstance(refused.value, Unsigned)


def test_a_secret_is_its_decomposed_form_and_no_other() -> None:
    account = Account("default", (ACCENTED,))
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        key = unicodedata.normalize(form, ACCENTED).encode()
        header = "hmac-sha256-hex=" + hmac.new(key, BODY, "sha256").hexdigest()
        if form == "NFKD":
            assert SENDER.verify(({HEADER: header}, BODY), account) == account
        else:
            with pytest.raises(NotAuthentic):
                SENDER.verify(({HEADER: header}, BODY), account)


def test_it_is_answered_with_nothing() -> None:
    assert easypost.acknowledge(BODY) == b""


# What its words mean

STATUSES = """
unknown unknown
pre_transit info_received
in_transit in_transit
out_for_delivery out_for_delivery
delivered delivered
available_for_pickup available_for_pickup
return_to_sender returning
failure delivery_attempt_failed/other+final
cancelled cancelled
error unknown
"""

DETAILS = """
address_correction on_hold/address_issue
arrived_at_destination -
arrived_at_facility in_transit
arrived_at_pickup_location available_for_pickup
awaiting_information on_hold/information_needed
cancelled cancelled
damaged damaged
delayed delayed/other
delivery_exception delivery_attempt_failed/other
departed_facility in_transit
departed_origin_facility in_transit
expired expired
failure delivery_attempt_failed/other+final
held on_hold/other
in_transit in_transit
label_created info_received
lost lost
missorted delayed/missorted
out_for_delivery out_for_delivery
received_at_destination_facility in_transit
received_at_origin_facility picked_up
refused delivery_attempt_failed/refused
return returning
status_update -
transferred_to_destination_carrier in_transit
transit_exception delayed/other
unknown -
weather_delay delayed/weather
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def short(status: str, detail: str = "") -> str:
    """A meaning in one word."""
    found = easypost.meaning(status, detail)
    reason = f"/{found.reason}" if found.reason else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags)


@pytest.mark.parametrize(("status", "told"), pairs(STATUSES))
def test_every_status_has_its_meaning(status: str, told: str) -> None:
    for silent in ("", "status_update", "unknown", "arrived_at_destination"):
        assert short(status, silent) == told


@pytest.mark.parametrize(("detail", "told"), pairs(DETAILS))
def test_a_detail_tells_more_than_a_parcel_that_moves_or_of_which_nothing_is_known(
    detail: str, told: str
) -> None:
    for status in ("in_transit", "pre_transit", "unknown", "error"):
        assert short(status, detail) == (short(status) if told == "-" else told)
    assert short("", detail) == ("unknown" if told == "-" else told)


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(easypost.STATUSES) == {code for code, _ in pairs(STATUSES)}
    assert set(easypost.DETAILS) == {code for code, _ in pairs(DETAILS)}


@pytest.mark.parametrize(
    ("status", "detail", "told"),
    [
        ("failure", "lost", "lost"),
        ("failure", "damaged", "damaged+final"),
        ("failure", "refused", "delivery_attempt_failed/refused+final"),
        ("failure", "delivery_exception", "delivery_attempt_failed/other+final"),
        ("failure", "failure", "delivery_attempt_failed/other+final"),
        ("failure", "return", "returning"),
        ("failure", "expired", "delivery_attempt_failed/other+final"),
        ("out_for_delivery", "delivery_exception", "delivery_attempt_failed/other"),
        ("out_for_delivery", "weather_delay", "delayed/weather"),
        ("out_for_delivery", "arrived_at_facility", "out_for_delivery"),
        ("out_for_delivery", "label_created", "out_for_delivery"),
        ("available_for_pickup", "in_transit", "available_for_pickup"),
        ("available_for_pickup", "expired", "available_for_pickup"),
        ("return_to_sender", "return", "returning"),
        ("return_to_sender", "arrived_at_facility", "returning"),
        ("return_to_sender", "out_for_delivery", "returning"),
        ("return_to_sender", "delayed", "returning"),
        ("return_to_sender", "refused", "returning/refused"),
        ("return_to_sender", "damaged", "returning+damaged"),
        ("return_to_sender", "lost", "lost"),
        ("delivered", "damaged", "delivered+damaged"),
        ("delivered", "in_transit", "delivered"),
        ("delivered", "refused", "delivered"),
        ("delivered", "lost", "delivered"),
        ("cancelled", "label_created", "cancelled"),
    ],
)
def test_a_detail_wins_where_it_tells_more_than_the_status(
    status: str, detail: str, told: str
) -> None:
    assert short(status, detail) == told


@pytest.mark.parametrize("status", sorted(easypost.STATUSES))
def test_an_unknown_detail_leaves_a_known_status_what_it_is(status: str) -> None:
    for detail in ("beamed_up", "Lost", "lost ", "LOST", "lost_"):
        assert short(status, detail) == short(status)


@pytest.mark.parametrize("status", ["teleported", "Delivered", "DELIVERED", "deliverd", "delivery"])
def test_an_unknown_status_is_never_guessed_not_even_from_its_detail(status: str) -> None:
    for detail in ("", *easypost.DETAILS):
        assert short(status, detail) == "unknown"


# What a delivery says


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return easypost.translate(Delivery("easypost", "default", body, at, shops))


def scans(name: str) -> tuple[Scan, ...]:
    return told(sample_bytes(f"easypost/{name}.json")).scans


def history(name: str) -> list[str]:
    return [scan.status.value for scan in scans(name)]


MOVED = ["info_received", "picked_up", "in_transit"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("created", ["unknown"]),
        ("label", MOVED[:1]),
        ("picked_up", MOVED[:2]),
        ("in_transit", MOVED),
        ("failed_attempt", [*MOVED, "out_for_delivery", "delivery_attempt_failed"]),
        (
            "delivered",
            [
                *(*MOVED, "out_for_delivery", "delivery_attempt_failed"),
                *("out_for_delivery", "delivered"),
            ],
        ),
        ("lost", [*MOVED, "lost"]),
        ("refused", [*MOVED, "out_for_delivery", "delivery_attempt_failed"]),
        (
            "going_back",
            [
                *(*MOVED, "out_for_delivery", "delivery_attempt_failed"),
                *("returning", "returning"),
            ],
        ),
        ("return_shipment", ["info_received", "picked_up", "returning", "returned"]),
        ("history_behind", [*MOVED, "delivered"]),
        ("zones_and_gaps", MOVED),
        ("codes_of_tomorrow", [*MOVED, "unknown"]),
        ("odd_entries", ["info_received", "picked_up", "out_for_delivery"]),
    ],
)
def test_a_history_is_one_scan_per_entry(name: str, statuses: list[str]) -> None:
    assert history(name) == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("easypost"):
        translation = told(sample_bytes(path))
        assert translation.scans or translation.note, path


def test_a_scan_has_its_own_time_place_and_codes_and_the_trackers_number_and_carrier() -> None:
    picked = scans("picked_up")[1]
    assert picked.occurred_at == datetime.fromisoformat("2026-11-04T06:16:00Z")
    assert (picked.basis, picked.trusted) == (TimeBasis.UTC, True)
    assert picked.location == "KLANG, SELANGOR, MY"
    assert picked.raw_code == "in_transit/received_at_origin_facility"
    assert (picked.number, picked.written) == ("SYN000101", "SYN-000 101")
    assert picked.carrier == "Synthetic Express"
    assert (picked.source, picked.account, picked.received_at) == ("easypost", "default", REAL)


def test_reasons_and_the_last_of_the_attempts_are_told() -> None:
    attempt, refused = scans("failed_attempt")[-1], scans("refused")[-1]
    assert (attempt.reason, attempt.flags) == ("other", ())
    assert (refused.reason, refused.flags) == ("refused", ("final",))


def test_a_code_of_tomorrow_keeps_its_own_words() -> None:
    known, unknown = scans("codes_of_tomorrow")[-2:]
    assert (known.status, known.raw_code) == ("in_transit", "in_transit/beamed_up")
    assert (unknown.status, unknown.raw_code) == ("unknown", "teleported/arrived_at_facility")


def test_another_type_means_nothing_and_says_so() -> None:
    translation = told(sample_bytes("easypost/another_type.json"))
    assert not translation.scans
    assert "batch.updated" in translation.note


@pytest.mark.parametrize(
    "changes",
    [
        {"object": "Batch"},
        {"object": None},
        {"description": "tracker.deleted"},
        {"description": None},
        {"description": "Tracker.Updated"},
        {"result": {"object": "Shipment", "tracking_code": "SYN-000101"}},
        {"result": {}},
    ],
)
def test_what_is_no_news_of_a_tracker_is_left_with_a_note(changes: dict[str, Any]) -> None:
    translation = told(json.dumps({**json.loads(BODY), **changes}).encode())
    assert translation == Translation(note=translation.note)
    assert translation.note


@pytest.mark.parametrize("kind", sorted(easypost.EVENTS))
def test_both_kinds_of_news_are_read_alike(kind: str) -> None:
    assert told(json.dumps({**json.loads(BODY), "description": kind}).encode()) == told(BODY)


# Proof, estimate, return


def test_a_signature_is_the_proof_of_the_delivery_alone_and_names_nobody() -> None:
    translation = told(sample_bytes("easypost/delivered.signed.json"))
    assert [scan.proof for scan in translation.scans] == [*[""] * 6, "signature"]
    assert "CONTOH" not in repr(translation)
    assert {scan.proof for scan in scans("delivered")} == {""}
    assert {scan.proof for scan in scans("return_shipment")} == {""}


@pytest.mark.parametrize(
    "signed_by", ["", "   ", None, 5, True, ["A CONTOH"], {"name": "A CONTOH"}]
)
def test_what_is_no_name_is_no_signature(signed_by: object) -> None:
    found = told(bent(signed_by=signed_by)).scans
    assert {scan.proof for scan in found} == {""}


def test_a_signature_that_comes_later_is_one_event_more_at_the_same_time() -> None:
    first, later = scans("delivered"), scans("delivered.signed")
    assert {scan.identity for scan in first[:-1]} == {scan.identity for scan in later[:-1]}
    assert first[-1].identity != later[-1].identity
    assert first[-1].occurred_at == later[-1].occurred_at
    parcel = fold_parcel("SYN000101", (*first, *later))
    assert (parcel.status, parcel.failed_attempts) == ("delivered", 1)


def test_the_estimate_is_on_the_newest_scan() -> None:
    found = scans("in_transit")
    assert [scan.estimated_at for scan in found[:-1]] == [None, None]
    assert found[-1].estimated_at == datetime.fromisoformat("2026-11-08T10:00:00Z")
    shuffled = told(bent_list(lambda entries: entries[::-1])).scans
    assert [scan.status.value for scan in shuffled if scan.estimated_at] == ["delivered"]


@pytest.mark.parametrize("odd", [None, "", "soon", 5, {}, "0001-01-01T00:00:00Z", "2875-10-22"])
def test_an_odd_estimate_is_none_and_costs_nothing(odd: object) -> None:
    translation = told(bent(est_delivery_date=odd))
    assert {scan.estimated_at for scan in translation.scans} == {None}
    assert (len(translation.scans), translation.note) == (7, "")


def test_a_return_shipment_goes_back_and_comes_back() -> None:
    moving, ended = scans("return_shipment")[-2:]
    assert (moving.status, moving.raw_code) == ("returning", "in_transit/arrived_at_facility")
    assert (ended.status, ended.raw_code) == ("returned", "delivered/arrived_at_destination")


@pytest.mark.parametrize("flag", [None, False])
def test_a_shipment_that_is_no_return_is_none(flag: bool | None) -> None:
    assert told(bent(is_return=flag)) == told(BODY)


# The same scan is the same event


def test_a_scan_in_growing_deliveries_is_one_event() -> None:
    before: set[str] = set()
    for name in ("label", "picked_up", "in_transit", "failed_attempt", "delivered"):
        now = {scan.identity for scan in scans(name)}
        assert before < now
        assert len(now) == len(scans(name))
        before = now


def test_neither_the_delivery_nor_its_receipt_nor_what_may_be_filled_in_makes_another_scan() -> (
    None
):
    body = json.loads(BODY)
    body |= {"id": "evt_other", "mode": "production", "created_at": "2027-01-01T00:00:00Z"}
    body["result"] |= {"id": "trk_other", "updated_at": "2027-01-01T00:00:00Z", "carrier": "Other"}
    for entry in body["result"]["tracking_details"]:
        entry |= {"message": "changed", "description": "changed", "carrier_code": "99"}
        entry["tracking_location"]["zip"] = "00000"
    again = told(json.dumps(body).encode(), at=REAL + timedelta(days=3)).scans
    assert [scan.identity for scan in again] == [scan.identity for scan in told(BODY).scans]


@pytest.mark.parametrize(
    "change",
    [
        {"status": "out_for_delivery"},
        {"status_detail": "arrived_at_facility"},
        {"datetime": "2026-11-04T06:16:01Z"},
        {"tracking_location": {"city": "IPOH", "state": "PERAK", "country": "MY"}},
    ],
)
def test_any_other_status_time_or_place_is_another_scan(change: dict[str, Any]) -> None:
    changed = told(bent_entry(1, **change)).scans
    before = told(BODY).scans
    assert changed[1].identity != before[1].identity
    assert changed[2].identity == before[2].identity


def test_the_same_scan_of_another_number_is_another() -> None:
    other = {scan.identity for scan in told(bent(tracking_code="SYN-000102")).scans}
    assert not other & {scan.identity for scan in told(BODY).scans}


def test_an_entry_that_is_listed_twice_is_one_scan() -> None:
    assert told(bent_list(lambda entries: [*entries, *entries])).scans == told(BODY).scans


GROWING = [
    *("created", "label", "picked_up", "in_transit", "failed_attempt"),
    *("history_behind", "delivered", "delivered.signed"),
]


@patient
@given(st.permutations(GROWING))
def test_in_whatever_order_deliveries_come_the_parcel_ends_the_same(order: list[str]) -> None:
    assert folded(order) == folded(GROWING)


def folded(order: Iterable[str]) -> object:
    """The parcel of these deliveries: the first telling of each event is kept."""
    kept: dict[str, Scan] = {}
    for name in order:
        for scan in scans(name):
            kept.setdefault(scan.identity, replace(scan, estimated_at=None))
    return fold_parcel("SYN000101", kept.values())


# Times


def test_a_time_is_trusted_as_far_as_it_names_its_offset() -> None:
    label, picked, moved = scans("zones_and_gaps")
    assert (picked.basis, moved.basis) == (TimeBasis.OFFSET, TimeBasis.ZONE)
    assert picked.occurred_at == datetime.fromisoformat("2026-11-04T06:16:00Z")
    assert moved.occurred_at == datetime.fromisoformat("2026-11-05T06:16:00Z")
    assert (picked.trusted, moved.trusted, label.trusted) == (True, False, False)


@pytest.mark.parametrize("missing", [None, "", " "])
def test_without_a_time_a_scan_counts_as_of_its_receipt_and_is_the_same_in_each_delivery(
    missing: str | None,
) -> None:
    body = bent_entry(6, datetime=missing)
    later = REAL + timedelta(hours=5)
    last, again = told(body).scans[-1], told(body, at=later).scans[-1]
    assert (last.status, last.basis, last.occurred_at) == ("delivered", TimeBasis.RECEIVED, REAL)
    assert again.occurred_at == later
    assert again.identity == last.identity


def test_a_label_without_a_time_does_not_undo_the_delivery() -> None:
    found = told(bent_entry(0, datetime=None)).scans
    assert found[0].basis is TimeBasis.RECEIVED
    assert found[0].occurred_at == found[1].occurred_at
    assert fold_parcel("SYN000101", found).status == "delivered"


# The tracker's own status


def test_a_tracker_without_a_history_is_one_event_of_its_own_status() -> None:
    nothing: tuple[object, ...] = ([], None)
    for listed in nothing:
        (found,) = told(bent(tracking_details=listed)).scans
        assert (found.status, found.raw_code) == ("delivered", "delivered/arrived_at_destination")
        assert found.occurred_at == datetime.fromisoformat("2026-11-07T03:05:00Z")
        assert (found.basis, found.trusted, found.location) == (TimeBasis.RECEIVED, False, "")


def test_an_end_that_the_history_does_not_tell_is_an_event_that_proves_nothing_missed() -> None:
    found = scans("history_behind")[-1]
    assert (found.status, found.trusted) == ("delivered", False)
    assert found.occurred_at == datetime.fromisoformat("2026-11-07T03:05:00Z")


UP_TO_TRANSIT = json.loads(sample_bytes("easypost/in_transit.json"))["result"]["tracking_details"]


@pytest.mark.parametrize(
    ("status", "detail", "added"),
    [
        ("delivered", "arrived_at_destination", "delivered"),
        ("cancelled", "cancelled", "cancelled"),
        ("failure", "lost", "lost"),
        ("failure", "damaged", "damaged"),
        ("failure", "failure", "delivery_attempt_failed"),
        ("return_to_sender", "return", "returning"),
        ("in_transit", "delivery_exception", None),
        ("in_transit", "expired", None),
        ("in_transit", "weather_delay", None),
        ("in_transit", "departed_facility", None),
        ("out_for_delivery", "out_for_delivery", None),
        ("available_for_pickup", "arrived_at_pickup_location", None),
        ("unknown", "unknown", None),
        ("teleported", "beamed_up", None),
    ],
)
def test_only_what_ends_or_turns_a_parcels_way_is_added_to_a_history(
    status: str, detail: str, added: str | None
) -> None:
    body = bent(tracking_details=UP_TO_TRANSIT, status=status, status_detail=detail)
    translation = told(body)
    assert [scan.status.value for scan in translation.scans[3:]] == ([added] if added else [])
    assert translation.note == ""


@pytest.mark.parametrize(
    ("status", "detail"),
    [
        ("failure", "failure"),
        ("failure", "lost"),
        ("return_to_sender", "return"),
        ("cancelled", "cancelled"),
    ],
)
def test_nothing_is_added_to_a_history_in_which_the_parcel_was_handed_over(
    status: str, detail: str
) -> None:
    assert len(told(bent(status=status, status_detail=detail)).scans) == 7


def test_a_parcel_that_was_lost_may_be_found_and_delivered() -> None:
    body = json.loads(sample_bytes("easypost/lost.json"))
    body["result"] |= {
        "status": "delivered",
        "status_detail": "arrived_at_destination",
        "updated_at": "2026-11-18T01:00:00Z",
    }
    found = told(json.dumps(body).encode()).scans
    assert fold_parcel("SYN000101", found).status == "delivered"


def test_a_return_that_came_back_is_not_begun_anew() -> None:
    body = json.loads(sample_bytes("easypost/return_shipment.json"))
    body["result"] |= {"status": "return_to_sender", "status_detail": "return"}
    assert len(told(json.dumps(body).encode()).scans) == 4


def test_an_attempt_in_the_history_is_not_counted_again_for_the_tracker() -> None:
    body = json.loads(sample_bytes("easypost/failed_attempt.json"))
    body["result"] |= {"status": "failure", "status_detail": "failure"}
    found = told(json.dumps(body).encode()).scans
    assert fold_parcel("SYN000101", found).failed_attempts == 1


def test_a_tracker_that_stays_failed_is_one_attempt_however_often_it_says_so() -> None:
    kept: dict[str, Scan] = {}
    for hour in range(5):
        body = bent(
            tracking_details=UP_TO_TRANSIT,
            status="failure",
            status_detail="failure",
            updated_at=f"2026-11-08T0{hour}:00:00Z",
        )
        for scan in told(body).scans:
            kept.setdefault(scan.identity, scan)
    parcel = fold_parcel("SYN000101", kept.values())
    assert (parcel.status, parcel.failed_attempts) == ("delivery_attempt_failed", 1)


def test_what_the_tracker_says_is_not_before_a_history_that_runs_ahead() -> None:
    ahead = [dict(entry, datetime="2026-11-07T11:00:00Z") for entry in UP_TO_TRANSIT[-1:]]
    found = told(bent(tracking_details=ahead)).scans
    assert found[-1].occurred_at == datetime.fromisoformat("2026-11-07T11:00:00Z")
    assert fold_parcel("SYN000101", found).status == "delivered"


def test_the_trackers_own_time_may_be_missing_or_odd() -> None:
    for updated_at, odd in ((None, ""), ("lately", "result.updated_at"), (7, "result.updated_at")):
        bare = told(bent(tracking_details=[], updated_at=updated_at))
        assert [scan.occurred_at for scan in bare.scans] == [REAL]
        assert odd in bare.note
        assert bool(odd) == bool(bare.note)
        behind = told(bent(tracking_details=UP_TO_TRANSIT, updated_at=updated_at))
        assert behind.scans[-1].occurred_at == behind.scans[-2].occurred_at


# Odd and hostile ones


def bent(**changes: object) -> bytes:
    """The delivered tracker with other fields."""
    body = json.loads(BODY)
    return json.dumps({**body, "result": {**body["result"], **changes}}).encode()


def bent_list(change: Callable[[list[Any]], list[Any]]) -> bytes:
    return bent(tracking_details=change(json.loads(BODY)["result"]["tracking_details"]))


def bent_entry(place: int, **changes: object) -> bytes:
    def change(entries: list[Any]) -> list[Any]:
        return [*entries[:place], {**entries[place], **changes}, *entries[place + 1 :]]

    return bent_list(change)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent(tracking_code=""), "result.tracking_code"),
        (bent(tracking_code=None), "result.tracking_code"),
        (bent(tracking_code=" - - "), "result.tracking_code"),
        (bent(tracking_code="9" * 65), "result.tracking_code"),
        (bent(tracking_code="号码"), "result.tracking_code"),
        (bent(tracking_code="A\x00B"), "result.tracking_code"),
        (bent(tracking_code=101), "result.tracking_code"),
        (bent(is_return="true"), "result.is_return"),
        (bent(is_return=1), "result.is_return"),
        (bent(is_return={}), "result.is_return"),
        (bent(object=["Tracker"]), "result.object"),
        (bent(tracking_details=[], status="", status_detail=None), "result.status"),
        (bent(tracking_details=[], status=5), "result.status"),
        (bent(tracking_details=[], status_detail=[]), "result.status_detail"),
        (bent(tracking_details="many", status=None, status_detail=None), "result.tracking_details"),
        (bent(tracking_details=[7], status={}), "result.tracking_details[0]"),
        (b'{"object": "Event", "description": "tracker.updated"}', "result"),
        (b'{"object": "Event", "description": "tracker.updated", "result": null}', "result"),
        (b'{"object": "Event", "description": "tracker.updated", "result": []}', "result"),
        (b'{"object": "Event", "description": []}', "description"),
        (b'{"object": {}}', "object"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (None, "result.tracking_details[2]"),
        ("in_transit", "result.tracking_details[2]"),
        ([], "result.tracking_details[2]"),
        ({}, "result.tracking_details[2].status"),
        ({"status": 5}, "result.tracking_details[2].status"),
        ({"status": "in_transit", "status_detail": {}}, "result.tracking_details[2].status_detail"),
        ({"status": "in_transit", "datetime": 1762234560}, "result.tracking_details[2].datetime"),
        ({"status": "in_transit", "datetime": "yesterday"}, "result.tracking_details[2].datetime"),
        (
            {"status": "in_transit", "datetime": "0001-01-01T00:00:00Z"},
            "result.tracking_details[2].datetime",
        ),
        (
            {"status": "in_transit", "datetime": "9999-12-31T23:59:59-14:00"},
            "result.tracking_details[2].datetime",
        ),
    ],
)
def test_one_odd_entry_hides_no_other_and_the_note_names_it(entry: object, field: str) -> None:
    translation = told(bent_list(lambda entries: [*entries[:2], entry, *entries[2:]]))
    assert translation.scans == told(BODY).scans
    assert translation.note.startswith(f"left out 1, the first of them: {field}")
    assert len(translation.note) < 500


def test_all_odd_entries_are_counted() -> None:
    translation = told(sample_bytes("easypost/odd_entries.json"))
    assert len(translation.scans) == 3
    assert translation.note.startswith("left out 3, the first of them: result.tracking_details[1].")


def test_where_no_entry_can_be_read_the_trackers_own_status_is_told_with_the_note() -> None:
    unreadable: tuple[object, ...] = ([7, {"datetime": 5}], "many", {"0": {}})
    for listed in unreadable:
        translation = told(bent(tracking_details=listed))
        assert [scan.status.value for scan in translation.scans] == ["delivered"]
        assert "result.tracking_details" in translation.note


def test_a_tracker_whose_own_status_is_odd_keeps_its_history_and_a_note() -> None:
    translation = told(bent(status=5))
    assert translation.scans == told(BODY).scans
    assert translation.note.startswith("left out 1, the first of them: result.status")


@pytest.mark.parametrize("place", [None, "GEORGE TOWN", 5, [], {"city": 5}, {"street1": "Jalan 1"}])
def test_an_odd_place_is_none(place: object) -> None:
    found = told(bent_entry(3, tracking_location=place)).scans[3]
    assert (found.status, found.location) == ("out_for_delivery", "")


def test_of_a_place_no_more_than_town_state_and_country_is_kept() -> None:
    place = {
        **{"street1": "1 Jalan Contoh", "zip": "10200", "name": "A CONTOH"},
        **{"city": "GEORGE TOWN", "state": None, "country": "MY"},
    }
    found = told(bent_entry(3, tracking_location=place)).scans[3]
    assert found.location == "GEORGE TOWN, MY"
    long = told(bent_entry(3, tracking_location={"city": "x" * 10_000})).scans[3]
    assert len(long.location) == 100


def test_no_free_text_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    body = json.loads(BODY)
    body["result"] |= {"signed_by": secret, "public_url": secret, "reference": secret}
    body["result"]["carrier_detail"] |= {
        "destination_location": secret,
        "alternate_identifier": secret,
    }
    for entry in body["result"]["tracking_details"]:
        entry |= {
            "message": secret,
            "description": secret,
            "source": secret,
            "carrier_code": secret,
        }
        entry["tracking_location"] |= {"zip": secret, "street1": secret}
    assert secret not in repr(told(json.dumps(body).encode()))


def test_a_code_is_cut_to_what_can_be_kept_and_a_carrier_that_is_no_text_is_none() -> None:
    found = told(bent_entry(3, status="x" * 10_000, status_detail="y" * 10_000)).scans[3]
    assert (found.status, len(found.raw_code)) == ("unknown", 100)
    assert {scan.carrier for scan in told(bent(carrier={})).scans} == {""}


def test_a_history_of_thousands_is_refused_before_it_is_read() -> None:
    entry = {"status": "in_transit"}
    most = [{**entry, "status_detail": str(n)} for n in range(MOST_ENTRIES)]
    assert len(told(bent(tracking_details=most)).scans) == MOST_ENTRIES + 1
    with pytest.raises(Unreadable, match=r"^result\.tracking_details: 2001 entries"):
        told(bent(tracking_details=[*most, entry]))
