"""AfterShip: proving its webhooks, and what a tracking's checkpoints mean."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.carrier import differ
from shipclock.domain.event import Link
from shipclock.domain.tracking import (
    DELIVERED_TO,
    PROOFS,
    REASONS,
    Scan,
    TimeBasis,
    fold_parcel,
)
from shipclock.reading import Unreadable
from shipclock.sources import Delivery, NotAuthentic, Translation, Unsigned, aftership
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import REAL, patient, sample_bytes, samples
from tests.sources.senders import SENDERS

BODY = sample_bytes("aftership/delivered.json")
ORDER = "576000000000000101"
HEADER = "aftership-hmac-sha256"
SENDER = SENDERS["aftership"]
SECRET = SENDER.secret
OTHER_HEADERS = {"as-signature-hmac-sha256": "", "am-webhook-signature": "hmac-sha256="}


def refuses(headers: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic) as refused:
        SENDER.verify((headers, BODY))
    assert not isinstance(refused.value, Unsigned)


# One by one


@pytest.mark.parametrize(("name", "prefix"), OTHER_HEADERS.items())
def test_each_product_has_a_header_of_its_own(name: str, prefix: str) -> None:
    good = {name: prefix + aftership.sign(SECRET, BODY)}
    assert SENDER.verify((good, BODY)) == SENDER.account()
    refuses({name: prefix + aftership.sign(SENDER.other, BODY)})
    assert name in aftership.EVIDENCE


@pytest.mark.parametrize("name", OTHER_HEADERS)
def test_a_wrong_header_is_not_made_good_by_another(name: str) -> None:
    good = {name: OTHER_HEADERS[name] + aftership.sign(SECRET, BODY)}
    refuses({HEADER: "wrong", **good})
    assert SENDER.verify(({HEADER: "", **good}, BODY)) == SENDER.account()


def test_with_none_of_the_headers_it_is_unsigned() -> None:
    with pytest.raises(Unsigned):
        SENDER.verify((dict.fromkeys(OTHER_HEADERS, ""), BODY))


GOOD = SENDER.send(BODY)[0][HEADER]
RAW = hmac.new(SECRET.encode(), BODY, "sha256").digest()


@pytest.mark.parametrize(
    "header",
    [
        "sha256=" + GOOD,
        "hmac-sha256=" + GOOD,
        "v1," + GOOD,
        "=" + GOOD,
        GOOD.lower(),
        GOOD.swapcase(),
        GOOD.rstrip("="),
        GOOD + "=",
        RAW.hex(),
        base64.b64encode(RAW.hex().encode()).decode(),
        base64.b64encode(hmac.new(SECRET.encode(), BODY, "sha1").digest()).decode(),
        base64.b64encode(hmac.new(SECRET.encode(), BODY, "sha512").digest()).decode(),
        base64.b64encode(hmac.new(b"", BODY, "sha256").digest()).decode(),
        base64.b64encode(hmac.new(BODY, SECRET.encode(), "sha256").digest()).decode(),
        base64.b64encode(hashlib.sha256(BODY).digest()).decode(),
        base64.b64encode(hashlib.sha256(SECRET.encode() + BODY).digest()).decode(),
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
        f"{GOOD}, {GOOD}",
        f"{GOOD},AAAA",
        GOOD[1:],
        "\ud800" + GOOD,
        "٣" * 44,
        " ",
    ],
    ids=lambda header: ascii(header[:90]),
)
def test_a_garbled_signature_is_refused_without_a_stumble(header: str) -> None:
    refuses({HEADER: header})


def test_it_is_answered_with_nothing() -> None:
    assert aftership.acknowledge(BODY) == b""


# What its words mean

TAGS = """
Pending unknown
InfoReceived info_received
InTransit in_transit
OutForDelivery out_for_delivery
AttemptFail delivery_attempt_failed/other
Delivered delivered
AvailableForPickup available_for_pickup
Exception unknown+exception_unclassified
Expired expired
"""

SUBTAGS = """
Delivered_001 delivered
Delivered_002 delivered+to=pickup_point
Delivered_003 delivered+proof=signature
Delivered_004 delivered+proof=cod
Delivered_005 delivered+to=neighbour
AvailableForPickup_001 available_for_pickup
Exception_001 unknown+exception_unclassified
Exception_002 delivery_attempt_failed/recipient_moved
Exception_003 delivery_attempt_failed/refused
Exception_004 on_hold/customs
Exception_005 delayed/other
Exception_006 on_hold/payment
Exception_007 delivery_attempt_failed/address_issue
Exception_008 returning/not_collected
Exception_009 cancelled/rejected_by_carrier
Exception_010 returning
Exception_011 returned
Exception_012 damaged
Exception_013 lost
Exception_016 delayed/processing
Exception_017 delayed/weather
Exception_018 on_hold/documents
Exception_019 delayed/transport
Exception_020 cancelled
Exception_021 disposed
AttemptFail_001 delivery_attempt_failed/other
AttemptFail_002 delivery_attempt_failed/recipient_absent
AttemptFail_003 delivery_attempt_failed/business_closed
InTransit_001 in_transit
InTransit_002 picked_up
InTransit_003 in_transit
InTransit_004 in_transit
InTransit_005 in_transit
InTransit_006 in_transit
InTransit_007 in_transit
InTransit_008 in_transit
InTransit_009 in_transit
InfoReceived_001 info_received
OutForDelivery_001 out_for_delivery
OutForDelivery_003 out_for_delivery
OutForDelivery_004 in_transit+appointment
Pending_001 unknown
Pending_002 unknown
Pending_003 unknown
Pending_004 unknown
Pending_005 unknown
Pending_006 unknown
Expired_001 expired
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def short(tag: str, subtag: str = "") -> str:
    """A meaning in one word."""
    found = aftership.meaning(tag, subtag)
    reason = f"/{found.reason}" if found.reason else ""
    to = f"+to={found.delivered_to}" if found.delivered_to else ""
    proof = f"+proof={found.proof}" if found.proof else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags) + to + proof


@pytest.mark.parametrize(("tag", "told"), pairs(TAGS))
def test_every_tag_has_its_meaning(tag: str, told: str) -> None:
    assert short(tag) == told


@pytest.mark.parametrize(("subtag", "told"), pairs(SUBTAGS))
def test_every_subtag_has_its_meaning_and_wins_over_the_tag(subtag: str, told: str) -> None:
    for tag in (subtag.partition("_")[0], "", "Exception", "InTransit", "Delivered", "Teleported"):
        assert short(tag, subtag) == told


@pytest.mark.parametrize(("subtag", "told"), pairs(SUBTAGS))
def test_every_subtag_is_a_scan_with_its_meaning(subtag: str, told: str) -> None:
    tag = subtag.partition("_")[0]
    found = scans_of(bent_entry(6, tag=tag, subtag=subtag))[6]
    said = aftership.meaning(tag, subtag)
    assert told.startswith(found.status.value)
    assert (found.raw_code, found.status, found.reason) == (subtag, said.status, said.reason)
    assert (found.flags, found.delivered_to) == (said.flags, said.delivered_to)
    assert found.proof == said.proof


def test_the_tables_are_whole_and_hold_nothing_else() -> None:
    assert set(aftership.TAGS) == {code for code, _ in pairs(TAGS)}
    assert set(aftership.SUBTAGS) == {code for code, _ in pairs(SUBTAGS)}
    for said in (*aftership.TAGS.values(), *aftership.SUBTAGS.values()):
        assert said.reason in REASONS | {""}
        assert said.delivered_to in DELIVERED_TO | {""}
        assert said.proof in PROOFS | {""}


@pytest.mark.parametrize(("tag", "told"), pairs(TAGS))
def test_a_new_subtag_leaves_its_own_familys_tag_what_it_is(tag: str, told: str) -> None:
    assert short(tag, f"{tag}_099") == told


@pytest.mark.parametrize(("tag", "told"), pairs(TAGS))
def test_a_new_subtag_of_another_family_is_never_guessed(tag: str, told: str) -> None:
    for subtag in ("Beamed_001", "exception_010", "Exception_10", "Exception_014", "Exception_015"):
        if not subtag.startswith(f"{tag}_"):
            assert short(tag, subtag) == "unknown"


@pytest.mark.parametrize("tag", ["Teleported", "delivered", "DELIVERED", "Deliverd", "In Transit"])
def test_an_unknown_tag_is_never_guessed(tag: str) -> None:
    for subtag in ("", f"{tag}_001", "Delivered_099"):
        assert short(tag, subtag) == "unknown"


# What a delivery says


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return aftership.translate(Delivery("aftership", "default", body, at, shops))


def scans_of(body: bytes) -> tuple[Scan, ...]:
    return told(body).scans


def scans(name: str) -> tuple[Scan, ...]:
    return scans_of(sample_bytes(f"aftership/{name}.json"))


def history(name: str) -> list[str]:
    return [scan.status.value for scan in scans(name)]


MOVED = ["info_received", "picked_up", "in_transit"]
FAILED = [*MOVED, "out_for_delivery", "delivery_attempt_failed"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("created", ["unknown"]),
        ("label", MOVED[:1]),
        ("picked_up", MOVED[:2]),
        ("in_transit", MOVED),
        ("failed_attempt", FAILED),
        ("delivered", [*FAILED, "out_for_delivery", "delivered"]),
        ("delivered.signed", [*FAILED, "out_for_delivery", "delivered"]),
        ("lost", [*MOVED, "lost"]),
        ("going_back", [*FAILED, "returning"]),
        ("returned", [*FAILED, "returning", "returning", "returned"]),
        ("returned_as_delivered", [*FAILED, "returning", "returning", "returned"]),
        ("history_behind", [*MOVED, "delivered"]),
        ("expired", MOVED),
        ("local_times", [*MOVED, "out_for_delivery"]),
        ("codes_of_tomorrow", [*MOVED, "in_transit", "unknown", "unknown"]),
        ("odd_entries", ["info_received", "picked_up", "out_for_delivery"]),
        ("another_event", []),
    ],
)
def test_a_tracking_is_one_scan_per_checkpoint(name: str, statuses: list[str]) -> None:
    assert history(name) == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("aftership"):
        translation = told(sample_bytes(path))
        assert translation.scans or translation.note, path


def test_a_scan_has_its_own_time_place_and_code_and_the_trackings_number() -> None:
    picked = scans("picked_up")[1]
    assert picked.occurred_at == datetime.fromisoformat("2026-11-04T06:16:00Z")
    assert (picked.basis, picked.trusted) == (TimeBasis.OFFSET, True)
    assert picked.location == "KLANG, SELANGOR, MYS"
    assert picked.raw_code == "InTransit_002"
    assert (picked.number, picked.written) == ("SYN000201", "SYN-000 201")
    assert picked.carrier == "synthetic-express-my"
    assert (picked.source, picked.account, picked.received_at) == ("aftership", "default", REAL)
    assert scans("failed_attempt")[-1].reason == "recipient_absent"


def test_a_code_of_tomorrow_keeps_its_own_words() -> None:
    moved, exception, beamed = scans("codes_of_tomorrow")[-3:]
    assert (moved.status, moved.raw_code) == ("in_transit", "InTransit_099")
    assert (exception.status, exception.raw_code) == ("unknown", "Exception_099")
    assert exception.flags == ("exception_unclassified",)
    assert (beamed.status, beamed.raw_code) == ("unknown", "Teleported/Beamed_001")


@pytest.mark.parametrize(
    "event", ["edd_revise", "tracking_pending_time", "Tracking_Update", "", None]
)
def test_another_event_means_nothing_and_says_so(event: object) -> None:
    translation = told(json.dumps({**json.loads(BODY), "event": event}).encode())
    assert translation == Translation(note=f"event {event or ''!r} is not tracking_update")


def test_the_carrier_is_the_checkpoints_own_where_it_names_one() -> None:
    found = scans_of(bent_entry(3, slug="synthetic-last-mile"))
    assert [scan.carrier for scan in found[2:4]] == ["synthetic-express-my", "synthetic-last-mile"]
    for nameless in (None, "", 5):
        assert scans_of(bent_entry(3, slug=nameless))[3].carrier == "synthetic-express-my"
    unknown = bent(slug="unrecognized", checkpoints=[{"tag": "InTransit"}])
    assert scans_of(unknown)[0].carrier == ""


@pytest.mark.parametrize(
    ("slug", "provider"),
    [
        ("ninjavan-my", "Ninja Van"),
        ("jtexpress", "J&T Express"),
        ("malaysia-post", "Pos Malaysia"),
        ("malaysia-post-posdaftar", "Pos Laju"),
        ("spx", "SPX Express"),
        ("usps", "USPS"),
        ("ups", "UPS"),
        ("myhermes-uk", "Evri"),
        ("royal-mail", "Royal Mail"),
    ],
)
def test_a_slug_is_taken_for_the_carrier_of_that_name(slug: str, provider: str) -> None:
    (found,) = scans_of(bent(slug=slug, checkpoints=[]))
    assert not differ(found.carrier, provider)


# The order


def test_the_order_that_a_tracking_names_is_linked_to_its_number() -> None:
    for order_id in (ORDER, int(ORDER)):
        translation = told(bent(order_id=order_id))
        assert translation.links == (Link("SYN000201", ORDER, "aftership"),)
        assert not translation.note


@pytest.mark.parametrize("order_id", [None, ""])
def test_a_tracking_may_name_no_order(order_id: object) -> None:
    translation = told(bent(order_id=order_id))
    assert (translation.links, translation.note) == ((), "")


@pytest.mark.parametrize("order_id", ["#1001", "A B", "9" * 65, "Ö1", True, 1.5, [], {"id": "1"}])
def test_an_odd_order_costs_the_link_alone(order_id: object) -> None:
    translation = told(bent(order_id=order_id))
    assert translation.links == ()
    assert translation.note.startswith("no link: msg.order_id")
    assert translation.scans == scans_of(BODY)


# Proof, estimate


def test_a_signature_is_the_proof_of_the_delivery_alone_and_names_nobody() -> None:
    translation = told(sample_bytes("aftership/delivered.signed.json"))
    assert [scan.proof for scan in translation.scans] == [*[""] * 6, "signature"]
    assert "CONTOH" not in repr(translation)
    assert {scan.proof for scan in scans("delivered")} == {""}


@pytest.mark.parametrize(
    ("subtag", "proof"),
    [("Delivered_003", "signature"), ("Delivered_004", "cod"), ("Delivered_005", "signature")],
)
def test_the_code_of_a_delivery_tells_its_proof_and_a_name_tells_it_otherwise(
    subtag: str, proof: str
) -> None:
    body = json.loads(bent_entry(6, subtag=subtag))
    body["msg"]["signed_by"] = "A CONTOH"
    assert scans_of(json.dumps(body).encode())[6].proof == proof


@pytest.mark.parametrize(
    "signed_by", ["", "   ", None, 5, True, ["A CONTOH"], {"name": "A CONTOH"}]
)
def test_what_is_no_name_is_no_signature(signed_by: object) -> None:
    assert {scan.proof for scan in scans_of(bent(signed_by=signed_by))} == {""}


def test_a_signature_that_comes_later_is_one_event_more_at_the_same_time() -> None:
    first, later = scans("delivered"), scans("delivered.signed")
    assert {scan.identity for scan in first[:-1]} == {scan.identity for scan in later[:-1]}
    assert first[-1].identity != later[-1].identity
    assert first[-1].occurred_at == later[-1].occurred_at
    parcel = fold_parcel("SYN000201", (*first, *later))
    assert (parcel.status, parcel.failed_attempts) == ("delivered", 1)


def test_the_estimate_is_on_the_newest_scan() -> None:
    found = scans("in_transit")
    assert [scan.estimated_at for scan in found[:-1]] == [None, None]
    assert found[-1].estimated_at == datetime.fromisoformat("2026-11-08T10:00:00Z")
    day = {"estimated_delivery_date": "2026-11-09"}
    for key in ("courier_estimated_delivery_date", "aftership_estimated_delivery_date"):
        dated = scans_of(bent(**{key: day}))[-1].estimated_at
        assert dated == datetime.fromisoformat("2026-11-09T00:00:00Z")


@pytest.mark.parametrize("odd", [None, "", "soon", 5, [], "0001-01-01T00:00:00Z", "2875-10-22"])
def test_an_odd_estimate_is_none_and_costs_nothing(odd: object) -> None:
    changes = {"courier_estimated_delivery_date": odd, "latest_estimated_delivery": {}}
    for estimate in (odd, {"datetime": odd}):
        translation = told(bent(**{**changes, "latest_estimated_delivery": estimate}))
        assert {scan.estimated_at for scan in translation.scans} == {None}
        assert (len(translation.scans), translation.note) == (7, "")


# The way back


def test_what_happens_after_a_parcel_turned_back_is_on_its_way_back() -> None:
    moving, ended = scans("returned_as_delivered")[-2:]
    assert (moving.status, moving.raw_code) == ("returning", "InTransit_007")
    assert (ended.status, ended.raw_code) == ("returned", "Delivered_001")
    assert fold_parcel("SYN000201", scans("returned_as_delivered")).status == "returned"


def test_what_happened_before_stays_on_its_way_out_and_the_same_scan() -> None:
    before = scans("failed_attempt")
    for name in ("going_back", "returned", "returned_as_delivered"):
        assert [scan.identity for scan in scans(name)[:5]] == [scan.identity for scan in before]


@pytest.mark.parametrize("flag", [True, False, None, "true", 7, {}])
def test_the_flag_of_a_return_says_nothing_that_the_checkpoints_do_not(flag: object) -> None:
    assert told(bent(return_to_sender=flag)) == told(BODY)
    back = json.loads(sample_bytes("aftership/returned_as_delivered.json"))
    back["msg"]["return_to_sender"] = flag
    assert scans_of(json.dumps(back).encode()) == scans("returned_as_delivered")


@pytest.mark.parametrize(
    ("subtag", "status"),
    [
        ("Delivered_001", "returned"),
        ("Delivered_002", "delivered"),
        ("Delivered_003", "returned"),
        ("Delivered_004", "delivered"),
        ("Delivered_005", "delivered"),
        ("Exception_011", "returned"),
        ("Exception_013", "lost"),
        ("Exception_021", "disposed"),
    ],
)
def test_only_a_buyer_collects_pays_or_has_a_neighbour(subtag: str, status: str) -> None:
    body = json.loads(sample_bytes("aftership/returned_as_delivered.json"))
    for each in (body["msg"], body["msg"]["checkpoints"][-1]):
        each |= {"tag": subtag.partition("_")[0], "subtag": subtag}
    found = scans_of(json.dumps(body).encode())[-1]
    assert (found.status, found.raw_code) == (status, subtag)
    if status == "returned":
        assert found.proof == ""


def test_a_tracking_that_ends_after_its_last_checkpoint_turned_back_has_come_back() -> None:
    body = json.loads(sample_bytes("aftership/going_back.json"))
    body["msg"] |= {"tag": "Delivered", "subtag": "Delivered_001"}
    found = scans_of(json.dumps(body).encode())
    assert [scan.status.value for scan in found] == [*FAILED, "returning", "returned"]


def test_a_buyers_own_return_after_the_delivery_ends_as_returned() -> None:
    body = json.loads(BODY)
    last = body["msg"]["checkpoints"][-1]
    back = {"tag": "Exception", "subtag": "Exception_010"}
    body["msg"]["checkpoints"] += [
        {**last, **back, "checkpoint_time": "2026-11-09T00:00:00Z"},
        {**last, "checkpoint_time": "2026-11-10T00:00:00Z"},
    ]
    found = scans_of(json.dumps(body).encode())
    assert [scan.status.value for scan in found[-3:]] == ["delivered", "returning", "returned"]
    assert fold_parcel("SYN000201", found).status == "returned"


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
    body |= {"event_id": "33333333-0000-4000-8000-000000000001", "ts": 1800000000}
    body["msg"] |= {"id": "other", "updated_at": "2027-01-01T00:00:00+00:00", "slug": "other"}
    body["msg"] |= {"is_tracking_first_tag": False, "return_to_sender": True, "order_id": "1"}
    for entry in body["msg"]["checkpoints"]:
        entry |= {"message": "changed", "raw_tag": "changed", "created_at": "2027-01-01T00:00:00Z"}
        entry |= {"postal_code": "00000", "location": "changed", "slug": "changed"}
        del entry["hash"]
    again = told(json.dumps(body).encode(), at=REAL + timedelta(days=3)).scans
    assert [scan.identity for scan in again] == [scan.identity for scan in scans_of(BODY)]


def test_a_change_of_the_webhooks_version_makes_no_other_scan() -> None:
    body = json.loads(BODY)
    for entry in body["msg"]["checkpoints"]:
        entry["country_iso3"] = entry.pop("country_region")
        entry["zip"] = entry.pop("postal_code")
    assert scans_of(json.dumps(body).encode()) == scans_of(BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"tag": "Exception", "subtag": "Exception_005"},
        {"subtag": "InTransit_003"},
        {"checkpoint_time": "2026-11-04T14:16:01+08:00"},
        {"city": "IPOH"},
        {"state": "PERAK"},
        {"country_region": "SGP"},
    ],
)
def test_any_other_status_time_or_place_is_another_scan(change: dict[str, Any]) -> None:
    changed, before = scans_of(bent_entry(1, **change)), scans_of(BODY)
    assert changed[1].identity != before[1].identity
    assert changed[2].identity == before[2].identity


def test_the_same_scan_of_another_number_is_another() -> None:
    other = {scan.identity for scan in scans_of(bent(tracking_number="SYN-000202"))}
    assert not other & {scan.identity for scan in scans_of(BODY)}


def test_a_number_written_otherwise_is_the_same() -> None:
    for written in ("syn000201", " SYN 000-201 ", "Syn-000201"):
        found = scans_of(bent(tracking_number=written))
        assert [scan.identity for scan in found] == [scan.identity for scan in scans_of(BODY)]


def test_a_checkpoint_that_is_listed_twice_is_one_scan() -> None:
    assert scans_of(bent_list(lambda entries: [*entries, *entries])) == scans_of(BODY)


GROWING = [
    *("created", "label", "picked_up", "in_transit", "expired", "failed_attempt"),
    *("history_behind", "delivered", "delivered.signed"),
]
GOING_BACK = ["in_transit", "failed_attempt", "going_back", "returned_as_delivered"]


@patient
@given(st.permutations(GROWING), st.permutations(GOING_BACK))
def test_in_whatever_order_deliveries_come_the_parcel_ends_the_same(
    out: list[str], back: list[str]
) -> None:
    assert folded(out) == folded(GROWING)
    assert folded(back) == folded(GOING_BACK)


def folded(order: Iterable[str]) -> object:
    """The parcel of these deliveries: the first telling of each event is kept."""
    kept: dict[str, Scan] = {}
    for name in order:
        for scan in scans(name):
            kept.setdefault(scan.identity, replace(scan, estimated_at=None))
    return fold_parcel("SYN000201", kept.values())


# Times


def test_a_time_is_trusted_as_far_as_it_names_its_offset() -> None:
    label, picked, moved, out = scans("local_times")
    bases = [TimeBasis.RECEIVED, TimeBasis.UTC, TimeBasis.ZONE, TimeBasis.ZONE]
    assert [scan.basis for scan in (label, picked, moved, out)] == bases
    assert [scan.trusted for scan in (label, picked, moved, out)] == [False, True, False, False]
    assert picked.occurred_at == datetime.fromisoformat("2026-11-04T06:16:00Z")


@pytest.mark.parametrize(
    ("country", "occurred_at"),
    [
        ("MYS", "2026-07-05T06:16:00Z"),
        ("SGP", "2026-07-05T06:16:00Z"),
        ("THA", "2026-07-05T07:16:00Z"),
        ("VNM", "2026-07-05T07:16:00Z"),
        ("PHL", "2026-07-05T06:16:00Z"),
        ("GBR", "2026-07-05T13:16:00Z"),
        ("DEU", "2026-07-05T12:16:00Z"),
        ("IDN", "2026-07-05T14:16:00Z"),
        ("USA", "2026-07-05T14:16:00Z"),
        ("XXX", "2026-07-05T14:16:00Z"),
        ("mys", "2026-07-05T14:16:00Z"),
    ],
)
def test_a_local_time_is_the_clock_of_a_country_that_has_only_one(
    country: str, occurred_at: str
) -> None:
    local = {"checkpoint_time": "2026-07-05T14:16:00", "country_region": country}
    found = scans_of(bent_entry(0, **local))[0]
    assert found.occurred_at == datetime.fromisoformat(occurred_at)
    assert (found.basis, found.trusted) == (TimeBasis.ZONE, False)


def test_summer_time_is_seen_to() -> None:
    for month, hour in (("01", 14), ("07", 13)):
        local = {"checkpoint_time": f"2026-{month}-05T14:16:00", "country_region": "GBR"}
        assert scans_of(bent_entry(0, **local))[0].occurred_at.hour == hour


@pytest.mark.parametrize("zone", aftership.ZONES.values())
def test_every_zone_is_one_that_python_knows(zone: str) -> None:
    code = next(code for code, named in aftership.ZONES.items() if named == zone)
    local = {"checkpoint_time": "2026-07-05T14:16:00", "country_region": code}
    assert scans_of(bent_entry(0, **local))[0].occurred_at.hour != 14


@pytest.mark.parametrize(
    ("origin", "destination", "hour"),
    [("MYS", "MYS", 6), ("CHN", "MYS", 14), (None, "MYS", 14), (None, None, 14), (5, 5, 14)],
)
def test_a_parcel_that_never_leaves_its_country_has_that_countrys_clock(
    origin: object, destination: object, hour: int
) -> None:
    body = json.loads(bent_entry(1, country_region=None, checkpoint_time="2026-11-04T14:16:00"))
    body["msg"] |= {"origin_country_region": origin, "destination_country_region": destination}
    assert scans_of(json.dumps(body).encode())[1].occurred_at.hour == hour


def test_a_local_attempt_does_not_come_after_the_delivery_that_names_its_offset() -> None:
    found = scans_of(bent_entry(4, checkpoint_time="2026-11-07T10:40:00"))
    assert fold_parcel("SYN000201", found).status == "delivered"


@pytest.mark.parametrize("missing", [None, "", " "])
def test_without_a_time_a_scan_counts_as_of_its_receipt_and_is_the_same_in_each_delivery(
    missing: str | None,
) -> None:
    body = bent_entry(6, checkpoint_time=missing)
    later = REAL + timedelta(hours=5)
    last, again = told(body).scans[-1], told(body, at=later).scans[-1]
    assert (last.status, last.basis, last.occurred_at) == ("delivered", TimeBasis.RECEIVED, REAL)
    assert again.occurred_at == later
    assert again.identity == last.identity


def test_a_label_without_a_time_does_not_undo_the_delivery() -> None:
    found = scans_of(bent_entry(0, checkpoint_time=None))
    assert found[0].basis is TimeBasis.RECEIVED
    assert found[0].occurred_at == found[1].occurred_at
    assert fold_parcel("SYN000201", found).status == "delivered"


# The tracking's own status


def test_a_tracking_without_checkpoints_is_one_event_of_its_own_status() -> None:
    nothing: tuple[object, ...] = ([], None)
    for listed in nothing:
        (found,) = scans_of(bent(checkpoints=listed))
        assert (found.status, found.raw_code) == ("delivered", "Delivered_001")
        assert found.occurred_at == datetime.fromisoformat("2026-11-07T03:10:00Z")
        assert (found.basis, found.trusted, found.location) == (TimeBasis.RECEIVED, False, "")


def test_an_end_that_no_checkpoint_tells_is_an_event_that_proves_nothing_missed() -> None:
    found = scans("history_behind")[-1]
    assert (found.status, found.trusted) == ("delivered", False)
    assert found.occurred_at == datetime.fromisoformat("2026-11-07T03:10:00Z")


UP_TO_TRANSIT = json.loads(sample_bytes("aftership/in_transit.json"))["msg"]["checkpoints"]


@pytest.mark.parametrize(
    ("subtag", "added"),
    [
        ("Delivered_005", "delivered"),
        ("Exception_009", "cancelled"),
        ("Exception_010", "returning"),
        ("Exception_011", "returned"),
        ("Exception_012", "damaged"),
        ("Exception_013", "lost"),
        ("Exception_021", "disposed"),
        ("Exception_001", None),
        ("Exception_004", None),
        ("Exception_005", None),
        ("AttemptFail_002", None),
        ("AvailableForPickup_001", None),
        ("OutForDelivery_001", None),
        ("InTransit_003", None),
        ("Expired_001", None),
        ("Pending_006", None),
        ("Teleported_001", None),
    ],
)
def test_only_what_ends_or_turns_a_parcels_way_is_added_to_the_checkpoints(
    subtag: str, added: str | None
) -> None:
    tag = subtag.partition("_")[0]
    translation = told(bent(checkpoints=UP_TO_TRANSIT, tag=tag, subtag=subtag))
    assert [scan.status.value for scan in translation.scans[3:]] == ([added] if added else [])
    assert translation.note == ""


@pytest.mark.parametrize("subtag", ["Exception_010", "Exception_013", "Exception_020"])
def test_nothing_is_added_where_the_parcel_was_handed_over(subtag: str) -> None:
    assert len(scans_of(bent(tag="Exception", subtag=subtag))) == 7


def test_a_tracker_that_gave_up_overwrites_nothing() -> None:
    assert fold_parcel("SYN000201", scans("expired")).status == "in_transit"
    gave_up = json.loads(bent_entry(6, tag="Expired", subtag="Expired_001"))
    gave_up["msg"] |= {"tag": "Expired", "subtag": "Expired_001"}
    found = scans_of(json.dumps(gave_up).encode())
    assert (found[6].status, len(found)) == ("expired", 7)
    assert fold_parcel("SYN000201", found).status == "out_for_delivery"
    (alone,) = scans_of(bent(checkpoints=[], tag="Expired", subtag="Expired_001"))
    assert alone.status == "expired"
    assert fold_parcel("SYN000201", (*scans("delivered"), alone)).status == "delivered"


def test_a_parcel_that_was_lost_may_be_found_and_delivered() -> None:
    body = json.loads(sample_bytes("aftership/lost.json"))
    body["msg"] |= {"tag": "Delivered", "subtag": "Delivered_001"}
    body["msg"]["updated_at"] = "2026-11-18T01:00:00+00:00"
    assert fold_parcel("SYN000201", scans_of(json.dumps(body).encode())).status == "delivered"


def test_a_tracking_that_stays_failed_is_one_attempt_however_often_it_says_so() -> None:
    kept: dict[str, Scan] = {}
    for hour in range(5):
        body = bent(
            checkpoints=[],
            tag="AttemptFail",
            subtag="AttemptFail_002",
            updated_at=f"2026-11-08T0{hour}:00:00+00:00",
        )
        for scan in scans_of(body):
            kept.setdefault(scan.identity, scan)
    parcel = fold_parcel("SYN000201", kept.values())
    assert (parcel.status, parcel.failed_attempts) == ("delivery_attempt_failed", 1)


def test_what_the_tracking_says_is_not_before_checkpoints_that_run_ahead() -> None:
    ahead = [dict(entry, checkpoint_time="2026-11-07T11:00:00Z") for entry in UP_TO_TRANSIT[-1:]]
    found = scans_of(bent(checkpoints=ahead))
    assert found[-1].occurred_at == datetime.fromisoformat("2026-11-07T11:00:00Z")
    assert fold_parcel("SYN000201", found).status == "delivered"


def test_the_trackings_own_time_may_be_missing_or_odd() -> None:
    for updated_at, odd in ((None, ""), ("lately", "msg.updated_at"), (7, "msg.updated_at")):
        bare = told(bent(checkpoints=[], updated_at=updated_at))
        assert [scan.occurred_at for scan in bare.scans] == [REAL]
        assert odd in bare.note
        assert bool(odd) == bool(bare.note)
        behind = told(bent(checkpoints=UP_TO_TRANSIT, updated_at=updated_at))
        assert behind.scans[-1].occurred_at == behind.scans[-2].occurred_at


# Odd and hostile ones


def bent(**changes: object) -> bytes:
    """The delivered tracking with other fields."""
    body = json.loads(BODY)
    return json.dumps({**body, "msg": {**body["msg"], **changes}}).encode()


def bent_list(change: Callable[[list[Any]], list[Any]]) -> bytes:
    return bent(checkpoints=change(json.loads(BODY)["msg"]["checkpoints"]))


def bent_entry(place: int, **changes: object) -> bytes:
    def change(entries: list[Any]) -> list[Any]:
        return [*entries[:place], {**entries[place], **changes}, *entries[place + 1 :]]

    return bent_list(change)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent(tracking_number=""), "msg.tracking_number"),
        (bent(tracking_number=None), "msg.tracking_number"),
        (bent(tracking_number=" - - "), "msg.tracking_number"),
        (bent(tracking_number="9" * 65), "msg.tracking_number"),
        (bent(tracking_number="号码"), "msg.tracking_number"),
        (bent(tracking_number="A\x00B"), "msg.tracking_number"),
        (bent(tracking_number=101), "msg.tracking_number"),
        (bent(checkpoints=[], tag="", subtag=None), "msg.tag"),
        (bent(checkpoints=[], tag=5), "msg.tag"),
        (bent(checkpoints=[], subtag=[]), "msg.subtag"),
        (bent(checkpoints="many", tag=None, subtag=None), "msg.checkpoints"),
        (bent(checkpoints=[7], tag={}), "msg.checkpoints[0]"),
        (b'{"event": "tracking_update"}', "msg"),
        (b'{"event": "tracking_update", "msg": null}', "msg"),
        (b'{"event": "tracking_update", "msg": []}', "msg"),
        (b'{"event": []}', "event"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        (None, ""),
        ("InTransit", ""),
        ([], ""),
        ({}, ".tag"),
        ({"tag": 5}, ".tag"),
        ({"tag": "InTransit", "subtag": {}}, ".subtag"),
        ({"tag": "InTransit", "checkpoint_time": 1762234560}, ".checkpoint_time"),
        ({"tag": "InTransit", "checkpoint_time": "yesterday"}, ".checkpoint_time"),
        ({"tag": "InTransit", "checkpoint_time": "0001-01-01T00:00:00Z"}, ".checkpoint_time"),
        ({"tag": "InTransit", "checkpoint_time": "0001-01-01T00:00:00"}, ".checkpoint_time"),
        ({"tag": "InTransit", "checkpoint_time": "9999-12-31T23:59:59-14:00"}, ".checkpoint_time"),
    ],
)
def test_one_odd_checkpoint_hides_no_other_and_the_note_names_it(entry: object, field: str) -> None:
    translation = told(bent_list(lambda entries: [*entries[:2], entry, *entries[2:]]))
    assert translation.scans == scans_of(BODY)
    first = f"left out 1, the first of them: msg.checkpoints[2]{field}"
    assert translation.note.startswith(first)
    assert len(translation.note) < 500
    assert translation.links


def test_all_odd_checkpoints_are_counted() -> None:
    translation = told(sample_bytes("aftership/odd_entries.json"))
    assert len(translation.scans) == 3
    assert translation.note.startswith("left out 3, the first of them: msg.checkpoints[1]:")


def test_where_no_checkpoint_can_be_read_the_trackings_own_status_is_told_with_the_note() -> None:
    unreadable: tuple[object, ...] = ([7, {"checkpoint_time": 5}], "many", {"0": {}})
    for listed in unreadable:
        translation = told(bent(checkpoints=listed))
        assert [scan.status.value for scan in translation.scans] == ["delivered"]
        assert "msg.checkpoints" in translation.note


def test_a_tracking_whose_own_status_is_odd_keeps_its_checkpoints_and_a_note() -> None:
    translation = told(bent(tag=5))
    assert translation.scans == scans_of(BODY)
    assert translation.note.startswith("left out 1, the first of them: msg.tag")


@pytest.mark.parametrize("odd", [None, "", 5, [], {"city": "x"}])
def test_an_odd_place_is_none(odd: object) -> None:
    found = scans_of(bent_entry(3, city=odd, state=odd, country_region=odd))[3]
    assert (found.status, found.location) == ("out_for_delivery", "")


def test_a_place_is_cut_to_what_can_be_kept() -> None:
    assert len(scans_of(bent_entry(3, city="x" * 10_000))[3].location) == 100


def test_no_free_text_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    body = json.loads(BODY)
    kept = {"tracking_number", "checkpoints", "tag", "subtag", "slug", "order_id", "updated_at"}
    body["msg"] = {key: value if key in kept else secret for key, value in body["msg"].items()}
    body["msg"] |= dict.fromkeys(("customers", "title", "emails", "pickup_note"), secret)
    kept = {"checkpoint_time", "tag", "subtag", "slug", "city", "state", "country_region"}
    body["msg"]["checkpoints"] = [
        {key: value if key in kept else secret for key, value in entry.items()}
        for entry in body["msg"]["checkpoints"]
    ]
    translation = told(json.dumps(body).encode())
    assert secret not in repr(translation)
    assert "Jalan" not in repr(told(BODY))
    assert len(translation.scans) == 7


def test_a_code_and_a_carrier_are_cut_to_what_can_be_kept() -> None:
    found = scans_of(bent_entry(3, tag="x" * 10_000, subtag="y" * 10_000, slug="z" * 10_000))[3]
    assert (found.status, len(found.raw_code), len(found.carrier)) == ("unknown", 100, 100)


def test_a_history_of_thousands_is_refused_before_it_is_read() -> None:
    most = [{"tag": f"Made-up {n}"} for n in range(MOST_ENTRIES)]
    assert len(scans_of(bent(checkpoints=most))) == MOST_ENTRIES + 1
    with pytest.raises(Unreadable, match=r"^msg\.checkpoints: 2001 entries"):
        told(bent(checkpoints=[*most, {"tag": "InTransit"}]))
