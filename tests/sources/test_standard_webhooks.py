"""The generic 3PL source: proving its callbacks, and what they mean."""

import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.tracking import Scan, TimeBasis, TrackingStatus
from shipclock.reading import Unreadable
from shipclock.sources import (
    Account,
    Delivery,
    NotAuthentic,
    Translation,
    Unsigned,
    standard_webhooks,
)
from tests.builders import OTHER_SHOP, REAL, SHOP, sample, sample_bytes, samples
from tests.sources.senders import SENDERS

O1 = "576000000000000101"
KEY = SENDERS["standard_webhooks"].secret
CARRIER = Account("default", (KEY,))
BODY = sample_bytes("standard_webhooks/picked_up.json")
SENT = str(int(REAL.timestamp()))


def signed(
    body: bytes = BODY,
    key: str = KEY,
    sent: str = SENT,
    message_id: str = "msg_1",
    prefix: str = "webhook",
) -> dict[str, str]:
    return {
        f"{prefix}-id": message_id,
        f"{prefix}-timestamp": sent,
        f"{prefix}-signature": standard_webhooks.sign(key, message_id, sent, body),
    }


def who(
    headers: dict[str, str], body: bytes = BODY, *accounts: Account, now: datetime = REAL
) -> Account:
    return standard_webhooks.verify(headers, body, accounts or (CARRIER,), now)


def refuses(headers: dict[str, str], body: bytes = BODY, *accounts: Account) -> None:
    with pytest.raises(NotAuthentic) as refused:
        who(headers, body, *accounts)
    assert not isinstance(refused.value, Unsigned)


# Known answers

VECTORS = sample("signatures/standard_webhooks.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("default", (vector["secret"],))
    now = datetime.fromtimestamp(vector["now"], UTC)
    body = vector["body"].encode()
    if vector["authentic"]:
        assert who(vector["headers"], body, account, now=now) == account
    else:
        with pytest.raises(NotAuthentic):
            who(vector["headers"], body, account, now=now)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert [vector["authentic"] for vector in VECTORS].count(True) == 3
    assert [vector["authentic"] for vector in VECTORS].count(False) == 3


# One by one


@pytest.mark.parametrize("prefix", ["webhook", "svix"])
def test_a_well_signed_body_is_its_accounts_under_either_name_of_the_headers(prefix: str) -> None:
    assert who(signed(prefix=prefix)) == CARRIER


def test_with_id_and_time_alone_it_is_unsigned() -> None:
    with pytest.raises(Unsigned):
        who({"webhook-id": "msg_1", "webhook-timestamp": SENT})


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_id_or_time_is_refused(name: str, value: str | None) -> None:
    headers = signed()
    headers.pop(name)
    refuses(headers if value is None else {**headers, name: value})


GOOD = signed()["webhook-signature"]


@pytest.mark.parametrize(
    "header",
    [
        GOOD.removeprefix("v1,"),
        GOOD.replace("v1,", "v1a,"),
        GOOD.replace("v1,", "v2,"),
        GOOD + "=",
        f"v1,AAAA,{GOOD}",
        "v1,",
        "v1,é",
        " ",
    ],
    ids=ascii,
)
def test_a_garbled_signature_is_refused_without_a_stumble(header: str) -> None:
    refuses({**signed(), "webhook-signature": header})


@pytest.mark.parametrize(
    "sent",
    ["soon", "-1", "1.5", " 1795435200", "1" * 30, "٣", "0x10", "²", "\x00", "1e9"],
    ids=ascii,
)
def test_a_garbled_time_is_refused_even_where_it_is_well_signed(sent: str) -> None:
    refuses(signed(sent=sent))


def test_a_message_id_that_is_half_a_character_is_refused_and_no_fault_of_ours() -> None:
    refuses({**signed(), "webhook-id": "\ud800"})


def test_the_secret_is_what_its_text_stands_for_not_the_text() -> None:
    text_as_key = "whsec_" + base64.b64encode(KEY.encode()).decode()
    refuses(signed(key=text_as_key))


def test_a_fraction_of_a_second_too_old_is_too_old() -> None:
    now = REAL + timedelta(seconds=300, microseconds=1)
    with pytest.raises(NotAuthentic):
        who(signed(), now=now)


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed()
    ours = headers["webhook-signature"]
    assert who({**headers, "webhook-signature": f"v1a,AAAA v1,AAAA {ours}"}) == CARRIER


def test_the_standards_names_win_over_svixs() -> None:
    forged = {f"svix-{name}": "x" for name in ("id", "timestamp", "signature")}
    assert who({**forged, **signed()}) == CARRIER
    refuses({**signed(prefix="svix"), "webhook-signature": "v1,AAAA"})


@pytest.mark.parametrize("secret", ["whsec_not base64!", "whsec_A", "whsec_é"])
def test_a_secret_that_is_no_base64_is_our_own_fault_and_never_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="must be whsec_ and base64") as fault:
        who(signed(), BODY, Account("default", (secret,)))
    assert secret not in str(fault.value)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_===="])
def test_a_secret_that_holds_no_key_lets_nobody_in(secret: str) -> None:
    empty_key = {
        "webhook-id": "msg_1",
        "webhook-timestamp": SENT,
        # HMAC-SHA256 under the empty key, which anyone can compute
        "webhook-signature": "v1,"
        + base64.b64encode(
            hmac.new(b"", f"msg_1.{SENT}.".encode() + BODY, "sha256").digest()
        ).decode(),
    }
    with pytest.raises((NotAuthentic, ValueError)):
        who(empty_key, BODY, Account("default", (secret,)))


# What they mean


def told(body: bytes, shops: tuple[str, ...] = ()) -> Translation:
    return standard_webhooks.translate(Delivery("standard_webhooks", "default", body, REAL, shops))


def one(name: str) -> Scan:
    (found,) = told(sample_bytes(f"standard_webhooks/{name}.json")).scans
    return found


@pytest.mark.parametrize(
    ("name", "status", "at", "basis"),
    [
        ("picked_up", "picked_up", "2026-11-04T06:16:00Z", "utc"),
        ("in_transit.zone_offset", "in_transit", "2026-11-05T06:16:00Z", "offset"),
        ("failed_attempt", "delivery_attempt_failed", "2026-11-06T03:00:00Z", "utc"),
        ("delivered", "delivered", "2026-11-07T03:00:00Z", "utc"),
        ("without_offset", "out_for_delivery", "2026-11-06T09:00:00Z", "zone"),
        ("code_of_tomorrow", "unknown", "2026-11-06T09:00:00Z", "utc"),
    ],
)
def test_a_callback_is_one_scan_at_its_own_time(
    name: str, status: str, at: str, basis: str
) -> None:
    found = one(name)
    assert (found.status, found.basis) == (TrackingStatus(status), TimeBasis(basis))
    assert found.occurred_at == datetime.fromisoformat(at)
    assert (found.number, found.source, found.account) == (
        "SYN000101",
        "standard_webhooks",
        "default",
    )


def test_the_details_of_a_callback_are_kept() -> None:
    delivered, failed, picked = one("delivered"), one("failed_attempt"), one("picked_up")
    assert (delivered.delivered_to, delivered.proof) == ("neighbour", "signature")
    assert failed.reason == "recipient_absent"
    assert (picked.carrier, picked.written) == ("Synthetic Express", "SYN-000 101")


def test_a_code_of_tomorrow_keeps_its_own_word() -> None:
    assert one("code_of_tomorrow").raw_code == "beamed_up"


@pytest.mark.parametrize("status", sorted(TrackingStatus))
def test_every_canonical_status_means_itself(status: TrackingStatus) -> None:
    (found,) = told(bent(status=status.value)).scans
    assert found.status is status


@pytest.mark.parametrize("spelling", ["Delivered", "DELIVERED", "delivered ", "deliverd"])
def test_a_status_is_never_guessed_from_a_similar_one(spelling: str) -> None:
    (found,) = told(bent(status=spelling)).scans
    assert found.status == ("delivered" if spelling.strip() == "delivered" else "unknown")


def test_a_reference_links_the_number_to_the_order_for_the_accounts_shops() -> None:
    (made,) = told(BODY, (SHOP, OTHER_SHOP)).links
    assert (made.number, made.order_id, made.shops) == ("SYN000101", O1, (SHOP, OTHER_SHOP))
    assert made.created_at is None


@pytest.mark.parametrize("reference", [None, ""])
def test_without_a_reference_there_is_no_link(reference: str | None) -> None:
    assert told(bent(reference=reference)).links == ()
    assert told(sample_bytes("standard_webhooks/delivered.json")).links == ()


def test_a_reference_as_a_number_is_kept_to_its_last_digit() -> None:
    (made,) = told(bent(reference=576000000000000103)).links
    assert made.order_id == "576000000000000103"


def test_another_type_means_nothing_and_says_so() -> None:
    translation = told(sample_bytes("standard_webhooks/another_type.json"))
    assert not translation.scans
    assert "inventory.updated" in translation.note


def test_the_same_scan_in_two_deliveries_is_one_and_any_other_is_not() -> None:
    first = one("picked_up")
    again = told(json.dumps({**json.loads(BODY), "timestamp": "2027-01-01T00:00:00Z"}).encode())
    assert again.scans[0].identity == first.identity
    for change in (
        {"tracking_number": "SYN-000102"},
        {"status": "in_transit"},
        {"occurred_at": "2026-11-04T06:17:00Z"},
    ):
        assert told(bent(**change)).scans[0].identity != first.identity


def test_no_sample_is_left_out() -> None:
    for path in samples("standard_webhooks"):
        translation = told(sample_bytes(path))
        assert translation.scans or translation.note, path


# Hostile ones


def bent(**changes: object) -> bytes:
    body = json.loads(BODY)
    return json.dumps({**body, "data": {**body["data"], **changes}}).encode()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (bent(tracking_number=""), "data.tracking_number"),
        (bent(tracking_number=None), "data.tracking_number"),
        (bent(tracking_number=" - - "), "data.tracking_number"),
        (bent(tracking_number="9" * 65), "data.tracking_number"),
        (bent(tracking_number="号码"), "data.tracking_number"),
        (bent(tracking_number="A\x00B"), "data.tracking_number"),
        (bent(tracking_number=["A"]), "data.tracking_number"),
        (bent(status=""), "data.status"),
        (bent(status=None), "data.status"),
        (bent(status=True), "status"),
        (bent(status={}), "status"),
        (bent(occurred_at=""), "data.occurred_at"),
        (bent(occurred_at=None), "data.occurred_at"),
        (bent(occurred_at="yesterday"), "data.occurred_at"),
        (bent(occurred_at=1_793_499_990), "occurred_at"),
        (bent(occurred_at="1999-12-31T23:59:59Z"), "data.occurred_at"),
        (bent(occurred_at="0001-01-01T00:00:00"), "data.occurred_at"),
        (bent(occurred_at="0001-01-01T00:00:00+14:00"), "data.occurred_at"),
        (bent(occurred_at="9999-12-31T23:59:59-14:00"), "data.occurred_at"),
        (b'{"type": "shipment.tracking.updated"}', "data"),
        (b'{"type": "shipment.tracking.updated", "data": []}', "data"),
        (b'{"type": []}', "type"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(body)
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize("reference", ["576#HEAD", True, [O1], {"id": O1}, 1.5, "x" * 65])
def test_a_reference_that_is_no_order_id_costs_the_link_and_not_the_scan(
    reference: object,
) -> None:
    translation = told(bent(reference=reference))
    assert len(translation.scans) == 1
    assert translation.links == ()
    assert "reference" in translation.note


@pytest.mark.parametrize(
    ("field", "known"),
    [("reason", "refused"), ("delivered_to", "safe_place"), ("proof", "photo")],
)
def test_a_word_outside_the_vocabulary_may_name_a_person_and_is_kept_as_other(
    field: str, known: str
) -> None:
    def kept(value: object) -> object:
        (found,) = told(bent(**{field: value})).scans
        return getattr(found, field)

    assert kept(known) == known
    assert kept("") == kept(None) == ""
    others: tuple[object, ...] = ("handed to Aisyah Contoh", known.upper(), {}, ["x"], 5)
    for free in others:
        assert kept(free) == "other"


def test_no_free_text_of_a_callback_but_the_carriers_name_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    names = ("reason", "delivered_to", "proof", "location", "description", "signed_by", "note")
    translation = told(bent(**dict.fromkeys(names, secret)))
    assert secret not in repr(translation)


def test_a_carrier_that_is_no_text_is_none() -> None:
    (found,) = told(bent(carrier={})).scans
    assert found.carrier == ""


def test_a_long_word_is_cut_to_what_can_be_kept() -> None:
    (found,) = told(bent(carrier="x" * 10_000)).scans
    assert len(found.carrier) == 300


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("delivery_attempt_failed", "other"),
        ("pickup_failed", "other"),
        ("on_hold", "other"),
        ("delayed", "other"),
        ("delivered", ""),
        ("in_transit", ""),
        ("returning", ""),
    ],
)
def test_a_status_that_always_has_a_reason_has_other_where_none_is_told(
    status: str, reason: str
) -> None:
    for untold in ({}, {"reason": ""}, {"reason": None}):
        assert told(bent(status=status, **untold)).scans[0].reason == reason
    assert told(bent(status=status, reason="refused")).scans[0].reason == "refused"
