"""Lalamove: a signature over the exact text of a part of the body, and orders as parcels."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock import codec, rows
from shipclock.domain.event import Link, Replacement
from shipclock.domain.tracking import REASONS, Scan, TimeBasis, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import (
    PATH,
    Account,
    Delivery,
    NotAuthentic,
    Probe,
    Translation,
    Unsigned,
    lalamove,
)
from shipclock.translate import put_link
from tests.builders import ORDER, OTHER_ORDER, REAL, SHOP, patient, sample, samples
from tests.sources.bending import JSON
from tests.sources.senders import LALAMOVE, SENDERS, as_json
from tests.stage import Stage

VECTORS = sample("signatures/lalamove.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("my", (vector["secret"],), (), vector.get("options", {}))
    arguments = vector["headers"], vector["body"].encode(), [account], REAL
    if vector["authentic"]:
        assert lalamove.verify(*arguments) == account
    else:
        with pytest.raises(NotAuthentic) as refused:
            lalamove.verify(*arguments)
        assert not isinstance(refused.value, Unsigned)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert [vector["authentic"] for vector in VECTORS].count(True) == 10
    assert [vector["authentic"] for vector in VECTORS].count(False) == 24


def enveloped(data: str, **changes: object) -> bytes:
    """A body of now, signed over `data` as it is written there."""
    at = str(int(REAL.timestamp()))
    told = {
        "apiKey": "pk_synthetic",
        "timestamp": int(at),
        "signature": lalamove.sign("one", at, "/l", data),
        **changes,
    }
    return as_json(told)[:-1] + f', "data": {data}}}'.encode()


def who(body: bytes, *accounts: Account, path: str = "/l", at: datetime = REAL) -> Account:
    return lalamove.verify({PATH: path}, body, accounts or (Account("my", ("one",)),), at)


@patient
@given(JSON, st.sampled_from([None, 0, 3]), st.booleans(), st.sampled_from([(",", ":"), None]))
def test_data_is_read_as_it_was_written_however_that_was(
    data: object, indent: int | None, escaped: bool, parts: tuple[str, str] | None
) -> None:
    try:
        written = json.dumps(data, indent=indent, ensure_ascii=escaped, separators=parts)
        body = enveloped(written)
    except UnicodeEncodeError:
        return  # half a character can be written as an escape only
    assert who(body).name == "my"


@pytest.mark.parametrize("body", [b"{}", b'{"signature": ""}', b'{"signature": null, "data": {}}'])
def test_a_missing_signature_is_told_apart(body: bytes) -> None:
    with pytest.raises(Unsigned):
        who(body)


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"x",
        b"[]",
        b"{",
        b'{"data": {}',
        b'{"signature": "a" "data": {}}',
        b'{"signature": "a", }',
        b'{, "signature": "a"}',
        b'{"signature" "a"}',
        b'{5: "a"}',
        b'{"signature": "\xff"}',
        b'\xef\xbb\xbf{"signature": "a"}',
        '{"signature": "a"}'.encode("utf-16"),
        b'{"signature": "a", "data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"signature": "a", "data": ' + b"9" * 5_000 + b"}",
        enveloped("{}", signature=5),
        enveloped("{}", signature=["a"]),
        enveloped("{}", timestamp=True),
        enveloped("{}", timestamp="1795435200\u0661"),
        enveloped("{}", timestamp=-1795435200),
        enveloped("{}", timestamp=None),
        enveloped("{}", timestamp="179543520000000"),
    ],
    ids=lambda body: ascii(body[:40]),
)
def test_a_garbled_body_is_refused_without_a_stumble(body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        who(body)


def test_where_the_path_is_not_known_nobody_is_let_in() -> None:
    at = str(int(REAL.timestamp()))
    mac = lalamove.sign("one", at, "", "{}")
    with pytest.raises(NotAuthentic):
        who(enveloped("{}", signature=mac), path="")
    with pytest.raises(NotAuthentic):
        lalamove.verify({}, enveloped("{}", signature=mac), [Account("my", ("one",))], REAL)


@pytest.mark.parametrize("path", ["/\ud800", "/é", "/l\r\n", "/" + "l" * 10_000])
def test_a_hostile_path_is_no_stumbling_block(path: str) -> None:
    with pytest.raises(NotAuthentic):
        who(enveloped("{}"), path=path)


def test_the_path_that_was_called_and_the_accounts_own_are_both_ours() -> None:
    own = Account("own", ("one",), (), {"path": "/own"})
    at = str(int(REAL.timestamp()))
    for path in ("/l", "/own"):
        signed = enveloped("{}", signature=lalamove.sign("one", at, path, "{}"))
        assert who(signed, own).name == "own"
    with pytest.raises(NotAuthentic):
        who(enveloped("{}", signature=lalamove.sign("one", at, "/another", "{}")), own)


@pytest.mark.parametrize("seconds", [300.0, -300.0, 300.001, -300.001])
def test_a_time_in_milliseconds_is_good_to_the_last_of_them(seconds: float) -> None:
    at = str(int(REAL.timestamp()) * 1000)
    body = enveloped("{}", timestamp=at, signature=lalamove.sign("one", at, "/l", "{}"))
    now = REAL + timedelta(seconds=seconds)
    if abs(seconds) <= 300:
        assert who(body, at=now).name == "my"
    else:
        with pytest.raises(NotAuthentic, match="five minutes"):
            who(body, at=now)


def test_an_empty_body_is_a_look_whether_the_address_answers() -> None:
    with pytest.raises(Probe):
        who(b"")


def test_what_is_kept_as_evidence_is_no_secret() -> None:
    assert lalamove.EVIDENCE == (PATH,)


# What its words mean

STATUSES = """
ASSIGNING_DRIVER | info_received
ON_GOING | info_received
PICKED_UP | out_for_delivery
COMPLETED | delivered
CANCELED | cancelled
REJECTED | cancelled/no_courier_found
EXPIRED | cancelled/no_courier_found
completed | unknown
CANCELLED | unknown
"""


def short(scan: Scan) -> str:
    reason = f"/{scan.reason}" if scan.reason else ""
    proof = f"={scan.proof}" if scan.proof else ""
    return scan.status.value + reason + "".join(f"+{flag}" for flag in scan.flags) + proof


def told(data: object, at: datetime = REAL, shops: tuple[str, ...] = ()) -> Translation:
    body = SENDERS["lalamove"].send(as_json(data), at=at)[1]
    return lalamove.translate(Delivery("lalamove", "my", body, REAL, shops))


@pytest.mark.parametrize(
    ("status", "meant"), [line.split(" | ") for line in STATUSES.strip().split("\n")]
)
def test_every_status_has_its_meaning(status: str, meant: str) -> None:
    data = sample("lalamove/picked_up.json")
    data["order"]["status"] = status
    (scan,) = told(data).scans
    assert (short(scan), scan.raw_code) == (meant, status)


def test_the_tables_hold_nothing_else() -> None:
    assert set(lalamove.STATUSES) == {
        line.split(" | ")[0] for line in STATUSES.strip().split("\n")[:-2]
    }
    assert set(lalamove.PROOFS) == {"PENDING", "DELIVERED", "SIGNED", "FAILED", "REJECTED"}
    assert {each.reason for each in lalamove.STATUSES.values()} - {""} <= REASONS


@pytest.mark.parametrize(
    ("status", "pods", "meant"),
    [
        ("PICKED_UP", ["PENDING"], "out_for_delivery"),
        ("PICKED_UP", ["FAILED"], "delivery_attempt_failed/other"),
        ("PICKED_UP", ["REJECTED"], "delivery_attempt_failed/other"),
        ("COMPLETED", ["FAILED"], "delivery_attempt_failed/other"),
        ("COMPLETED", ["SIGNED", "FAILED"], "delivery_attempt_failed/other+partial"),
        ("COMPLETED", ["PENDING"], "delivered"),
        ("COMPLETED", ["BEAMED_UP"], "delivered"),
        ("COMPLETED", [], "delivered"),
        ("COMPLETED", ["SIGNED", "SIGNED"], "delivered=signature"),
        ("COMPLETED", ["SIGNED", "DELIVERED"], "delivered"),
        ("PICKED_UP", ["SIGNED", "PENDING"], "out_for_delivery"),
        ("PICKED_UP", ["SIGNED", "BEAMED_UP"], "out_for_delivery"),
        ("", ["SIGNED"], "delivered=signature"),
        ("", ["PENDING"], "-"),
        ("CANCELED", ["SIGNED"], "cancelled"),
        ("TELEPORTED", ["SIGNED"], "unknown"),
    ],
)
def test_the_proofs_of_the_drops_say_how_it_went(status: str, pods: list[str], meant: str) -> None:
    data = sample("lalamove/picked_up.json")
    stops = [{"POD": {"status": "SIGNED"}}, *({"POD": {"status": pod}} for pod in pods)]
    data["order"] |= {"status": status, "stops": stops}
    found = told(data)
    assert [short(scan) for scan in found.scans] == ([] if meant == "-" else [meant])


# What a delivery says

SAID = {
    "booked": "101 info_received",
    "on_going": "101 info_received",
    "picked_up": "101 out_for_delivery",
    "failed_attempt": "101 delivery_attempt_failed/other",
    "delivered": "101 delivered",
    "delivered.signed": "101 delivered=signature",
    "delivered.photo": "102 delivered=photo",
    "delivered.code": "103 delivered=otp",
    "partly": "104 delivery_attempt_failed/other+partial",
    "half_way": "105 out_for_delivery",
    "cancelled": "106 cancelled",
    "nobody_found": "107 cancelled/no_courier_found",
    "replaced": "108 info_received",
    "with_offset": "109 out_for_delivery",
    "id_as_number": "110 out_for_delivery",
    "status_of_tomorrow": "111 unknown",
    "odd": "112 out_for_delivery",
    "driver": "",
    "wallet": "",
}


@pytest.mark.parametrize("name", SAID)
def test_each_sample_says_what_it_should(name: str) -> None:
    found = told(sample(f"lalamove/{name}.json"), shops=(SHOP,))
    assert [f"{s.number[-3:]} {short(s)}" for s in found.scans] == ([SAID[name]] * bool(SAID[name]))
    assert {scan.carrier for scan in found.scans} <= {"Lalamove"}
    linked = (Link("3300000000000000101", ORDER, "lalamove", shops=(SHOP,)),)
    assert found.links == (linked if name == "booked" else ())
    assert bool(found.note) is (name in ("driver", "wallet", "odd", "replaced"))
    for private in ("Contoh", "6472", "0100000000", "SYN 101"):
        assert private not in repr(found)


def test_every_sample_is_tried() -> None:
    assert set(samples("lalamove")) == {f"lalamove/{name}.json" for name in SAID}


AT = datetime(2026, 11, 20, 10, 43, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("updated_at", "occurred_at", "basis"),
    [
        ("2026-11-20T10:43.15Z", AT, "zone"),
        ("2026-11-20T10:43:15Z", AT, "zone"),
        ("2026-11-20T10:43:15.000Z", AT, "zone"),
        ("2026-11-20T10:43.15", AT, "zone"),
        ("2026-11-20T18:43:15+08:00", AT, "offset"),
        ("2026-11-20T18:43.15+08:00", AT, "offset"),
        ("2026-11-23T20:00.00Z", REAL, "zone"),  # local time, eight hours ahead
        (None, REAL, "received"),
        ("", REAL, "received"),
        ("2026-11-20T10:43.61Z", REAL, "received"),
        ("yesterday", REAL, "received"),
        (1794999735, REAL, "received"),
    ],
)
def test_a_time_is_never_later_than_its_signature_and_z_proves_nothing_missed(
    updated_at: object, occurred_at: datetime, basis: str
) -> None:
    (scan,) = told(sample("lalamove/picked_up.json") | {"updatedAt": updated_at}).scans
    assert (scan.occurred_at, scan.basis) == (occurred_at, TimeBasis(basis))
    assert scan.trusted is (basis == "offset")


def test_a_proof_that_has_a_time_lends_it_to_a_body_without() -> None:
    (scan,) = told(sample("lalamove/delivered.signed.json")).scans
    assert scan.occurred_at == datetime(2026, 11, 20, 10, 43, tzinfo=UTC)


def test_the_same_news_signed_again_later_is_the_same_event() -> None:
    for name in ("failed_attempt", "delivered.signed"):
        first, second = (
            told(sample(f"lalamove/{name}.json"), at=REAL + timedelta(hours=h)).scans[0].identity
            for h in (0, 6)
        )
        assert first == second


def test_an_attempt_without_a_time_is_one_however_often_it_is_told() -> None:
    data = sample("lalamove/failed_attempt.json") | {"updatedAt": None}
    scans = [told(data, at=REAL + timedelta(hours=h)).scans[0] for h in (0, 6)]
    assert fold_parcel(scans[0].number, scans).failed_attempts == 1


@pytest.mark.parametrize(
    "data",
    [
        {"order": "an order"},
        {"order": {}},
        {"order": {"orderId": "号码"}},
        {"order": {"orderId": "1", "status": 5}},
        {"order": {"orderId": "2"}, "prevOrderId": "号码"},
    ],
)
def test_what_can_not_be_read_waits_for_a_person(data: object) -> None:
    with pytest.raises(Unreadable):
        told(data)


# Another id

OLD, NEW = "3300000000000000106", "3300000000000000108"


def test_a_replaced_order_names_both_ids() -> None:
    found = told(sample("lalamove/replaced.json"), shops=(SHOP,))
    assert found.replaced == (Replacement(OLD, NEW, "lalamove", (SHOP,)),)
    assert OLD in found.note
    own = sample("lalamove/replaced.json") | {"prevOrderId": NEW}
    assert told(own).replaced == ()


def arrives(stage: Stage, name: str) -> None:
    sender = SENDERS["lalamove"]
    secrets = {"lalamove": [{"secrets": [sender.secret], **LALAMOVE}]}
    stage.secrets = {**stage.secrets, **secrets}
    headers, raw = sender.send(as_json(sample(f"lalamove/{name}.json")), at=stage.real.now)
    assert stage.ring("lalamove", headers, raw).status == 200
    stage.sweep()


def orders_of(stage: Stage, number: str) -> set[str]:
    found = stage.store.read(rows.number_pk(number), rows.LINK)
    return {codec.read_link(row).order_id for row in found}


def test_the_new_id_belongs_to_whatever_order_the_old_one_belonged_to() -> None:
    stage = Stage()
    for order_id in (ORDER, OTHER_ORDER):
        put_link(stage.store, Link(OLD, order_id, "tiktok_shop"), stage.real.now)
    arrives(stage, "replaced")
    assert orders_of(stage, NEW) == {ORDER, OTHER_ORDER}
    arrives(stage, "replaced")
    assert orders_of(stage, NEW) == {ORDER, OTHER_ORDER}


def test_an_id_that_nobody_linked_leaves_the_new_one_unlinked() -> None:
    stage = Stage()
    arrives(stage, "replaced")
    assert orders_of(stage, NEW) == set()
