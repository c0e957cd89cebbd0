"""Easyship: the token that it signs, and what a status and checkpoints mean."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.event import Link
from shipclock.domain.tracking import REASONS, Scan, TimeBasis, fold_parcel, in_order
from shipclock.ingest import Arrival, receive
from shipclock.ports import Row
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, NotAuthentic, Translation, Unsigned, easyship
from shipclock.sources.fields import folded
from tests.builders import NUMBER, ORDER, REAL, sample, sample_bytes, samples

SECRET = "webh_synthetic00000000000000000001"
CLAIMS = {"easyship_company_id": "SYN100000"}
BODY = sample_bytes("easyship/delivered.json")

# Who is let in

VECTORS = sample("signatures/easyship.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    options = {"company_id": vector["company"]} if "company" in vector else {}
    account = Account("default", (vector["secret"],), (), options)
    body = vector["body"].encode()
    if vector["authentic"]:
        assert easyship.verify(vector["headers"], body, [account], REAL) == account
    else:
        with pytest.raises(NotAuthentic) as refused:
            easyship.verify(vector["headers"], body, [account], REAL)
        assert not isinstance(refused.value, Unsigned)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert [vector["authentic"] for vector in VECTORS].count(True) == 8
    assert [vector["authentic"] for vector in VECTORS].count(False) == 32


def who(claims: Mapping[str, Any], *accounts: Account, at: datetime = REAL) -> Account:
    return easyship.verify({easyship.HEADER: easyship.sign(SECRET, claims)}, BODY, accounts, at)


@pytest.mark.parametrize(
    ("claims", "first", "last"),
    [({"exp": 0}, None, 59), ({"nbf": 0}, -60, None), ({"iat": 0}, -60, None)],
)
def test_a_tokens_times_are_good_to_the_second(
    claims: dict[str, int], first: int | None, last: int | None
) -> None:
    now = int(REAL.timestamp())
    told = {**CLAIMS, **{name: now + at for name, at in claims.items()}}
    account = Account("default", (SECRET,))
    for off in (-400, -61, -60, -59, 0, 59, 60, 61, 400):
        good = (first is None or off >= first) and (last is None or off <= last)
        if good:
            assert who(told, account, at=REAL + timedelta(seconds=off)) == account
        else:
            with pytest.raises(NotAuthentic, match="not good now"):
                who(told, account, at=REAL + timedelta(seconds=off))


def test_of_accounts_with_one_secret_the_companys_is_found() -> None:
    other = Account("other", (SECRET,), (), {"company_id": "SYN100001"})
    mine = Account("mine", ("another", SECRET), (), {"company_id": "SYN100000"})
    anybodys = Account("anybody's", (SECRET,), (), {"company_id": ""})
    assert who(CLAIMS, other, mine, anybodys) == mine
    assert who(CLAIMS, anybodys, mine) == anybodys
    with pytest.raises(NotAuthentic, match="another company"):
        who(CLAIMS, other)


@pytest.mark.parametrize("wanted", [100000, ["SYN100000"], {"id": "SYN100000"}, True, 0])
def test_a_company_that_is_told_in_another_form_opens_to_nobody_else(wanted: object) -> None:
    account = Account("default", (SECRET,), (), {"company_id": wanted})
    with pytest.raises(NotAuthentic):
        who(CLAIMS, account)
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        assert who({"easyship_company_id": str(wanted)}, account) == account


def test_a_token_is_not_kept_since_it_would_let_in_any_other_body() -> None:
    kept: list[Row] = []

    def keep(row: Row) -> bool:
        kept.append(row)
        return True

    token = easyship.sign(SECRET, CLAIMS)
    told = {"easyship": [{"secrets": [SECRET], "company_id": "SYN100000"}]}
    answer = receive(
        Arrival("easyship", {easyship.HEADER: token}, BODY, REAL),
        lambda: told,
        keep,
        timedelta(days=1),
    )
    assert (answer.status, answer.body) == (200, b"")
    assert token not in repr(kept)
    assert kept[0]["headers"] == {}


# What its words mean

STATUSES = """
Arrived at Consolidation Center | in_transit
Delivered | delivered
Delivery Expected (End of Updates) | expired
Exception | unknown+exception_unclassified
Failed Delivery Attempt | delivery_attempt_failed/other
In Transit to Consolidation Center | in_transit
In Transit to Customer | in_transit
Liquidated | disposed
Lost by Courier | lost
No Recent Tracking Updates | delayed/no_updates
Out for Delivery | out_for_delivery
Processing at Consolidation Center | in_transit
Shipped (No Tracking Provided) | in_transit+untrackable
Shipped | picked_up
To be returned | returning
Uncancelled | info_received
Awaiting Pickup at Seller | info_received
Pending Tracking Event | info_received
Tracking Info Received | info_received
Tracking Information Received | info_received
Cancelled Pending Refund | cancelled
Cancelled and Refunded | cancelled
"""
TABLE = [
    (text.strip(), said.strip())
    for text, said in (line.split("|") for line in STATUSES.split("\n") if line)
]


def short(status: str) -> str:
    found = easyship.meaning(status)
    reason = f"/{found.reason}" if found.reason else ""
    return found.status.value + reason + "".join(f"+{flag}" for flag in found.flags)


@pytest.mark.parametrize(("text", "said"), TABLE)
def test_every_status_has_its_meaning_whatever_its_case_and_spaces(text: str, said: str) -> None:
    for spelt in (text, text.upper(), text.lower(), f"  {text.replace(' ', '  ')}\t"):
        assert short(spelt) == said


def test_the_table_is_whole_and_holds_nothing_else() -> None:
    assert set(easyship.STATUSES) == {folded(text) for text, _ in TABLE}
    assert {meaning.reason for meaning in easyship.STATUSES.values()} <= REASONS | {""}


@pytest.mark.parametrize(
    "text", ["", "Deliver", "Delivered!", "Returned To Sender", "Pending", "in_transit"]
)
def test_a_status_that_is_not_in_the_table_is_never_guessed(text: str) -> None:
    assert short(text) == "unknown"


# What a delivery says


def told(body: bytes, at: datetime = REAL, *, pulled: bool = False) -> Translation:
    return easyship.translate(Delivery("easyship", "default", body, at, pulled=pulled))


def scans(name: str) -> tuple[Scan, ...]:
    return told(sample_bytes(f"easyship/{name}.json")).scans


def bent(name: str = "delivered", /, **changes: object) -> bytes:
    """A sample whose parcel was changed."""
    body = sample(f"easyship/{name}.json")
    (body.get("data") or body["tracking_status"]).update(changes)
    return json.dumps(body).encode()


TRIED = ["info_received", "in_transit", "out_for_delivery", "delivery_attempt_failed"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("label", ["info_received"]),
        ("picked_up", ["picked_up"]),
        ("in_transit", ["in_transit"]),
        ("failed_attempt", ["delivery_attempt_failed"]),
        ("delivered", ["delivered"]),
        ("lost", ["lost"]),
        ("returned", ["returning"]),
        ("no_updates", ["delayed"]),
        ("end_of_updates", ["expired"]),
        ("checkpoints", TRIED),
        ("checkpoints.delivered", [*TRIED, "delivered"]),
        ("checkpoints.behind", [*TRIED, "lost"]),
        ("checkpoints.old", ["delivered"]),
        ("codes_of_tomorrow", ["unknown"]),
        ("odd_entries", ["in_transit", "out_for_delivery"]),
        ("untracked", []),
        ("another_event", []),
    ],
)
def test_a_status_is_one_scan_and_so_is_every_checkpoint(name: str, statuses: list[str]) -> None:
    assert [scan.status.value for scan in in_order(scans(name))] == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("easyship"):
        found = told(sample_bytes(path))
        assert found.scans or found.note, path


def test_a_status_alone_is_of_its_receipt_and_names_no_carrier() -> None:
    (scan,) = scans("failed_attempt")
    assert (scan.occurred_at, scan.basis) == (REAL, TimeBasis.RECEIVED)
    assert (scan.number, scan.written, scan.carrier) == (NUMBER, "SYN-000 101", "")
    assert (scan.raw_code, scan.reason) == ("Failed Delivery Attempt", "other")


def test_a_checkpoint_keeps_its_words_its_town_and_its_carrier() -> None:
    label, moved, *_ = in_order(scans("checkpoints"))
    assert (moved.raw_code, moved.carrier) == ("In Transit to Customer", "Synthetic Express")
    assert moved.location == "KLANG, SELANGOR, MYS"
    assert label.carrier == ""  # Easyship itself carries nothing
    old = {"city": "KLANG", "country_alpha3": "MYS", "primary_status": "Delivered"}
    assert told(bent(checkpoints=[old])).scans[0].location == "KLANG, MYS"


def test_a_checkpoints_time_proves_nothing_though_z_stands_behind_it_and_it_was_pulled() -> None:
    pulled = told(sample_bytes("easyship/checkpoints.json"), pulled=True).scans
    assert {(s.basis, s.trusted, s.confirmed) for s in pulled} == {(TimeBasis.ZONE, False, True)}
    first = in_order(scans("checkpoints"))[0]
    assert first.occurred_at == datetime(2026, 11, 3, 11, 32, tzinfo=UTC)


def test_either_version_is_read_alike() -> None:
    body = sample("easyship/delivered.json")
    old = {**body, "tracking_status": body["data"]}
    del old["data"]
    for other in (old, {**old, "data": None}):
        assert told(json.dumps(other).encode()) == told(BODY)


def test_the_number_is_linked_to_the_order_of_the_platform() -> None:
    assert told(BODY).links == (Link(NUMBER, ORDER, "easyship"),)
    assert told(bent(platform_order_number=ORDER)).links == told(BODY).links
    for none in (None, "", "#", 5):
        assert (told(bent(platform_order_number=none)).links, told(BODY).note) == ((), "")
    odd = told(sample_bytes("easyship/odd_entries.json"))
    assert odd.links == ()
    assert "left out 4" in odd.note
    assert "no link: data.platform_order_number" in odd.note
    assert "Contoh" not in odd.note


@pytest.mark.parametrize("number", [None, "", 5, "é" * 3, "9" * 65])
def test_without_a_number_it_is_kept_for_a_person_but_where_none_is_provided(
    number: object,
) -> None:
    with pytest.raises(Unreadable, match=r"data\.tracking_number"):
        told(bent(tracking_number=number))
    assert "no number" in told(sample_bytes("easyship/untracked.json")).note
    (scan,) = told(bent("untracked", tracking_number="SYN-000 101")).scans
    assert scan.flags == ("untrackable", "unconfirmed")


@pytest.mark.parametrize("status", [None, "", ["Delivered"]])
def test_a_parcel_of_which_nothing_is_said_is_kept_for_a_person(status: object) -> None:
    with pytest.raises(Unreadable, match="status: a"):
        told(bent(status=status))


def test_what_a_webhook_says_is_unconfirmed_until_it_is_pulled() -> None:
    body = sample_bytes("easyship/checkpoints.json")
    pushed, pulled = told(body), told(body, pulled=True)
    assert not any(scan.confirmed for scan in pushed.scans)
    assert len(pulled.scans) == len(pushed.scans) == len(TRIED)
    assert not {s.identity for s in pushed.scans} & {s.identity for s in pulled.scans}
    assert fold_parcel(NUMBER, (*pushed.scans, *pulled.scans)).failed_attempts == 1


# One scan whatever brings it


def test_a_status_that_is_told_again_is_the_same_scan_even_days_later() -> None:
    first, later = (
        told(sample_bytes("easyship/failed_attempt.json"), REAL + timedelta(days=days)).scans
        for days in (0, 3)
    )
    assert [scan.identity for scan in first] == [scan.identity for scan in later]
    spelt = told(bent("failed_attempt", status="FAILED  delivery attempt")).scans
    assert spelt[0].identity == first[0].identity
    other = told(bent("failed_attempt", easyship_shipment_id="ESMY0000002")).scans
    assert other[0].identity != first[0].identity


def test_the_same_checkpoint_is_one_scan_in_every_webhook() -> None:
    whole = {scan.identity for scan in scans("checkpoints.delivered")}
    assert {scan.identity for scan in scans("checkpoints")} <= whole
    body = sample("easyship/checkpoints.delivered.json")
    for at, checkpoint in enumerate(body["data"]["checkpoints"]):
        checkpoint.update(order_number=at, message="in other words", postal_code="00001")
        checkpoint.update(primary_status=checkpoint["primary_status"].upper())
    assert {scan.identity for scan in told(json.dumps(body).encode()).scans} == whole


@pytest.mark.parametrize("key", ["primary_status", "checkpoint_time", "city"])
def test_a_checkpoint_that_says_something_else_is_another_scan(key: str) -> None:
    body = sample("easyship/checkpoints.delivered.json")
    body["data"]["checkpoints"][0][key] = "2026-11-03T12:00:00Z"
    before = {scan.identity for scan in scans("checkpoints.delivered")}
    assert len(before - {scan.identity for scan in told(json.dumps(body).encode()).scans}) == 1


def test_the_parcels_own_status_counts_where_no_checkpoint_says_it_and_it_ends_the_way() -> None:
    lost = in_order(scans("checkpoints.behind"))[-1]
    assert (lost.status, lost.basis) == ("lost", TimeBasis.RECEIVED)
    assert lost.occurred_at == datetime(2026, 11, 6, 15, 20, tzinfo=UTC)
    assert len(told(bent("checkpoints", status="Shipped")).scans) == len(TRIED)
