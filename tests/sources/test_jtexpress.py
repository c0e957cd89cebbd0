"""J&T Express: proving its callbacks, and what the scans of its parcels mean."""

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from shipclock import rows
from shipclock.domain.tracking import (
    DELIVERED_TO,
    REASONS,
    Scan,
    TimeBasis,
    fold_parcel,
)
from shipclock.ingest import Answer, Arrival, receive
from shipclock.ports import Row
from shipclock.reading import Unreadable
from shipclock.sources import Account, Delivery, NotAuthentic, Translation, Unsigned, jtexpress
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import (
    NUMBER,
    ORDER,
    OTHER_ORDER,
    REAL,
    SHOP,
    sample,
    samples,
)
from tests.sources.senders import SENDERS

SECRET = SENDERS["jtexpress"].secret
ACCOUNT = Account("my", (SECRET,))
NUMBER_JT = "SYNJT000101"
Content = Any
"""What `bizContent` stands for."""


def text(content: Content) -> str:
    return json.dumps(content, ensure_ascii=False)


def form(content: Content) -> bytes:
    """A body as it is sent."""
    return urlencode({"bizContent": text(content)}).encode()


def of(name: str) -> Content:
    return sample(f"jtexpress/{name}.json")


BODY = form(of("delivered"))
GOOD = jtexpress.sign(SECRET, text(of("delivered")))


def signed(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    return {
        "apiaccount": "100000000000000101",
        "digest": jtexpress.sign(secret, jtexpress.content_of(body)),
        "timestamp": "1794333902000",
    }


def who(headers: dict[str, str], body: bytes = BODY, *accounts: Account) -> Account:
    return jtexpress.verify(headers, body, accounts or (ACCOUNT,), REAL)


def refuses(headers: dict[str, str], body: bytes = BODY, *accounts: Account) -> None:
    with pytest.raises(NotAuthentic) as refused:
        who(headers, body, *accounts)
    assert not isinstance(refused.value, Unsigned)


# Known answers

VECTORS = sample("signatures/jtexpress.json")


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_the_known_answers_are_judged_as_they_should(vector: dict[str, Any]) -> None:
    account = Account("my", (vector["secret"],))
    if vector["authentic"]:
        assert who(vector["headers"], vector["body"].encode(), account) == account
    else:
        refuses(vector["headers"], vector["body"].encode(), account)


def test_there_are_known_answers_of_both_kinds() -> None:
    assert [vector["authentic"] for vector in VECTORS].count(True) == 3
    assert [vector["authentic"] for vector in VECTORS].count(False) == 10


# One by one


def test_with_the_headers_beside_it_alone_it_is_unsigned() -> None:
    with pytest.raises(Unsigned):
        who({"apiaccount": "1", "timestamp": "1"})


@pytest.mark.parametrize(
    "odd", [{"apiaccount": ""}, {"timestamp": "soon"}, {"timestamp": "\ud800"}]
)
def test_nothing_rests_on_the_headers_that_are_not_signed(odd: dict[str, str]) -> None:
    assert who({**signed(), **odd}) == ACCOUNT
    assert who({"digest": GOOD}) == ACCOUNT


SIGNED = (text(of("delivered")) + SECRET).encode()
RAW = hashlib.md5(SIGNED).digest()  # noqa: S324


def base64_of(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "header",
    [
        RAW.hex(),
        RAW.hex().upper(),
        base64_of(RAW.hex().encode()),
        base64_of(RAW.hex().upper().encode()),
        GOOD.rstrip("="),
        GOOD.swapcase(),
        base64_of(hashlib.md5(BODY + SECRET.encode()).digest()),  # noqa: S324
        base64_of(hashlib.md5(SECRET.encode() + SIGNED).digest()),  # noqa: S324
        base64_of(hashlib.md5(text(of("delivered")).encode()).digest()),  # noqa: S324
        base64_of(hashlib.sha1(SIGNED).digest()),  # noqa: S324
        base64_of(hashlib.sha256(SIGNED).digest()),
        base64_of(hmac.new(SECRET.encode(), text(of("delivered")).encode(), "md5").digest()),
        "md5=" + GOOD,
        GOOD + " ",
        " " + GOOD,
        GOOD + "\n",
        f"{GOOD}, {GOOD}",
        GOOD[:-3],
        GOOD + "=",
        "\ud800" + GOOD,
        " ",
        "==",
    ],
    ids=lambda header: ascii(header[:90]),
)
def test_a_garbled_digest_is_refused_without_a_stumble(header: str) -> None:
    refuses({**signed(), "digest": header})


def test_the_content_is_signed_as_it_reads_however_the_form_spells_it() -> None:
    content = text(of("delivered"))
    for spelt in (quote(content, safe=""), quote(content, safe="{}[]:,/"), content):
        assert (
            who({"digest": GOOD}, f"bizContent={spelt}".encode().replace(b"+", b"%2B")) == ACCOUNT
        )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"bizContent",
        b"bizcontent=%5B%5D",
        b"other=1",
        BODY + b"&",
        BODY + b"&bizContent=",
        b"bizContent=&" + BODY,
        BODY + b"&" + BODY,
        b"\xff" + BODY,
        BODY + b"%ff",
        b"bizContent=%ff",
        b"bizContent=%ed%a0%80",
        b"&".join([BODY, *[b"a=1"] * 100]),
        json.dumps({"bizContent": text(of("delivered"))}).encode(),
    ],
    ids=lambda body: ascii(body[:20] + b".." + body[-20:]),
)
def test_a_body_that_is_no_form_of_one_content_is_not_authentic_nor_quoted(body: bytes) -> None:
    refuses(signed(), body)
    with pytest.raises(NotAuthentic) as refused:
        who(signed(), body)
    assert len(str(refused.value)) < 100


def test_bytes_that_are_no_text_are_not_taken_for_the_mark_that_replaces_them() -> None:
    assert who({"digest": jtexpress.sign(SECRET, "\ufffd")}, b"bizContent=%EF%BF%BD") == ACCOUNT
    refuses({"digest": jtexpress.sign(SECRET, "\ufffd")}, b"bizContent=%FF")


def test_other_fields_are_neither_signed_nor_read() -> None:
    body = b"billCode=EVIL&" + BODY + b"&details=1"
    assert who(signed(), body) == ACCOUNT
    assert told(body) == told(BODY)


# Its answer


def test_it_is_answered_in_the_words_it_takes_for_a_yes() -> None:
    answer = json.loads(jtexpress.acknowledge(BODY))
    assert {**answer, "requestId": ""} == {
        "code": "1",
        "msg": "success",
        "data": "SUCCESS",
        "requestId": "",
    }
    assert len(answer["requestId"]) == 32
    assert jtexpress.acknowledge(BODY) == jtexpress.acknowledge(BODY)
    assert jtexpress.acknowledge(BODY) != jtexpress.acknowledge(BODY + b"&a=1")


def ring(body: bytes, headers: dict[str, str]) -> tuple[Answer, list[Row]]:
    kept: list[Row] = []

    def keep(row: Row) -> bool:
        kept.append(row)
        return len(kept) == 1

    known = {"jtexpress": [{"account": "my", "secrets": [SECRET]}]}
    arrival = Arrival("jtexpress", headers, body, REAL)
    return receive(arrival, lambda: known, keep, timedelta(days=180)), kept


def test_the_door_keeps_a_form_and_answers_it() -> None:
    answer, (row,) = ring(BODY, signed())
    assert answer == Answer(200, "kept", jtexpress.acknowledge(BODY))
    assert rows.body_of(row) == BODY
    assert row["headers"] == signed()


def test_the_door_refuses_what_is_not_proven_and_says_no_yes() -> None:
    for body, headers, status in (
        (BODY, {}, 401),
        (b"", {}, 400),
        (BODY, {"digest": "x"}, 401),
        (b"{}", signed(), 401),
    ):
        answer, kept = ring(body, headers)
        assert (answer.status, kept) == (status, [])
        assert b'"1"' not in answer.body


def test_an_authentic_form_with_a_repeated_field_is_kept_for_a_person() -> None:
    answer, (row,) = ring(BODY + b"&a=1&a=2", signed())
    assert answer.status == 400
    assert row["board_pk"] == rows.QUARANTINE


# What its codes mean

CODES = """
10 picked_up
20 in_transit
30 in_transit
94 out_for_delivery
100 delivered
110 delivery_attempt_failed/other+needs_text
172 returning
173 returned
200 picked_up
300 damaged+final
301 lost
302 disposed
303 returning/refused+final
304 on_hold/customs+final
305 expired
306 disposed
400 in_transit
401 in_transit
402 in_transit
403 in_transit
404 in_transit
405 in_transit
700 available_for_pickup
701 available_for_pickup
702 delivered>pickup_point
703 returning/not_collected
704 returning/not_collected
"""


def pairs(table: str) -> list[tuple[str, str]]:
    return [(code, told) for code, told in (line.split() for line in table.split("\n") if line)]


def short(found: Scan) -> str:
    """What a scan says in one word."""
    reason = f"/{found.reason}" if found.reason else ""
    to = f">{found.delivered_to}" if found.delivered_to else ""
    return found.status.value + reason + to + "".join(f"+{flag}" for flag in found.flags)


def told(body: bytes, shops: tuple[str, ...] = (), at: datetime = REAL) -> Translation:
    return jtexpress.translate(Delivery("jtexpress", "my", body, at, shops))


def scans(name: str) -> tuple[Scan, ...]:
    return told(form(of(name))).scans


SIGNATURE = of("delivered")[0]["details"][-1]


def entry(**changes: object) -> dict[str, Any]:
    """The scan of a delivery with other fields; `...` leaves one out."""
    return {key: value for key, value in {**SIGNATURE, **changes}.items() if value is not ...}


def parcel(*details: object, **changes: object) -> dict[str, Any]:
    whole = {"billCode": "SYN-JT 000101", "txlogisticId": ORDER, "details": list(details)}
    return {key: value for key, value in {**whole, **changes}.items() if value is not ...}


def scan(**changes: object) -> Scan:
    (found,) = told(form([parcel(entry(**changes))])).scans
    return found


@pytest.mark.parametrize(("code", "told"), pairs(CODES))
def test_every_code_has_its_meaning_as_text_and_as_number(code: str, told: str) -> None:
    for written in (code, int(code), f" {code} "):
        found = scan(scanTypeCode=written)
        assert (short(found), found.raw_code) == (told, code)


def test_the_table_is_whole_and_holds_nothing_else_than_our_words() -> None:
    assert set(jtexpress.CODES) == {code for code, _ in pairs(CODES)}
    assert len(jtexpress.CODES) == 27
    assert {each.reason for each in jtexpress.CODES.values()} - {""} <= REASONS
    assert {each.delivered_to for each in jtexpress.CODES.values()} - {""} <= DELIVERED_TO


@pytest.mark.parametrize(
    "code", ["0", "1", "010", "99", "101", "299", "307", "1000", "\uff11\uff10\uff10", "x"]
)
def test_an_unknown_code_is_never_guessed(code: str) -> None:
    found = scan(scanTypeCode=code, scanTypeName="Parcel Signed", scanType="Signed")
    assert (short(found), found.raw_code) == ("unknown", code)


def test_a_code_is_cut_to_what_can_be_kept() -> None:
    assert len(scan(scanTypeCode="9" * 4_000).raw_code) == 100


# What a delivery says

MOVED = ["picked_up", "in_transit"]
TRIED = [*MOVED, "out_for_delivery", "delivery_attempt_failed"]


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("picked_up", MOVED[:1]),
        ("in_transit", MOVED),
        ("failed_attempt", TRIED),
        ("delivered", [*TRIED, "out_for_delivery", "delivered"]),
        ("delivered.unproven", ["delivered"]),
        ("collected", ["available_for_pickup", "delivered"]),
        ("returned", [*MOVED, "returning", "returned"]),
        ("damaged", ["picked_up", "damaged"]),
        ("refused_abroad", ["on_hold", "returning"]),
        ("two_parcels", MOVED),
        ("one_object", ["picked_up"]),
        ("codes_of_tomorrow", ["picked_up", "unknown"]),
        ("without_zone", MOVED),
        ("odd_entries", ["picked_up"]),
    ],
)
def test_a_history_is_one_scan_per_entry(name: str, statuses: list[str]) -> None:
    assert [found.status.value for found in scans(name)] == statuses


def test_no_sample_is_left_out() -> None:
    for path in samples("jtexpress"):
        translation = told(form(sample(path)))
        assert translation.scans or translation.note, path


def test_a_scan_has_its_own_time_place_and_code_and_the_parcels_number() -> None:
    found = scans("delivered")[0]
    assert found.occurred_at == datetime.fromisoformat("2026-11-16T06:31:00Z")
    assert (found.basis, found.trusted) == (TimeBasis.OFFSET, True)
    assert (found.location, found.raw_code) == ("Klang, Selangor", "10")
    assert (found.number, found.written) == (NUMBER_JT, "SYN-JT 000101")
    assert (found.source, found.account, found.carrier) == ("jtexpress", "my", "J&T Express")


def test_each_parcel_has_its_own_number_zone_and_order() -> None:
    translation = told(form(of("two_parcels")), (SHOP,))
    assert [found.number for found in translation.scans] == [NUMBER_JT, "SYNJT000102"]
    assert translation.scans[1].occurred_at == datetime.fromisoformat("2026-11-17T08:12:40Z")
    assert [(link.number, link.order_id) for link in translation.links] == [
        (NUMBER_JT, ORDER),
        ("SYNJT000102", OTHER_ORDER),
    ]
    assert {link.shops for link in translation.links} == {(SHOP,)}
    assert {link.source for link in translation.links} == {"jtexpress"}


def test_one_parcel_without_a_list_and_with_numbers_is_the_same() -> None:
    alone = told(form(of("one_object")))
    (found,) = alone.scans
    assert (found.number, found.written) == ("630000000101", "630000000101")
    assert alone.links[0].order_id == ORDER
    for content in ([parcel(entry())], parcel(entry())):
        assert told(form(content)) == told(form([parcel(entry())]))


def test_the_same_parcel_listed_twice_is_told_once() -> None:
    once = told(form([parcel(entry())]))
    assert told(form([parcel(entry()), parcel(entry(), entry())])) == once


UNREADABLE_ZONES: tuple[object, ...] = (
    *("", None, ..., 8, {}, "08:00", "+08:00", "GMT+", "GMT08:00", "GMT+08:60"),
    *("GMT+14:01", "GMT+99", "GMT+08:00 ?", "Asia/Kuala_Lumpur", "Etc/GMT-8", "GMT+٨"),
)
ZONES: list[tuple[object, str, TimeBasis]] = [
    ("GMT+08:00", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
    ("gmt+08:00", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
    ("GMT+8", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
    ("GMT+0800", "2026-11-19T02:02:15Z", TimeBasis.OFFSET),
    ("UTC+07:00", "2026-11-19T03:02:15Z", TimeBasis.OFFSET),
    ("GMT-06:00", "2026-11-19T16:02:15Z", TimeBasis.OFFSET),
    ("GMT+05:30", "2026-11-19T04:32:15Z", TimeBasis.OFFSET),
    ("GMT+14:00", "2026-11-18T20:02:15Z", TimeBasis.OFFSET),
    ("GMT-00:30", "2026-11-19T10:32:15Z", TimeBasis.OFFSET),
    ("GMT", "2026-11-19T10:02:15Z", TimeBasis.OFFSET),
    *[(odd, "2026-11-19T10:02:15Z", TimeBasis.ZONE) for odd in UNREADABLE_ZONES],
]


@pytest.mark.parametrize(("zone", "occurred_at", "basis"), ZONES)
def test_a_time_is_local_to_the_zone_that_is_told_and_no_other_is_assumed(
    zone: object, occurred_at: str, basis: TimeBasis
) -> None:
    found = scan(timeZone=zone)
    assert (found.occurred_at, found.basis) == (datetime.fromisoformat(occurred_at), basis)
    assert found.trusted == (basis is TimeBasis.OFFSET)


def test_a_time_that_names_its_own_offset_needs_no_zone() -> None:
    found = scan(scanTime="2026-11-19T10:02:15+09:00", timeZone="GMT+08:00")
    assert found.occurred_at == datetime.fromisoformat("2026-11-19T01:02:15Z")
    assert found.basis is TimeBasis.OFFSET


@pytest.mark.parametrize("absent", [None, "", ...])
def test_a_scan_without_a_time_is_known_by_its_receipt(absent: object) -> None:
    found = scan(scanTime=absent)
    assert (found.occurred_at, found.basis, found.trusted) == (REAL, TimeBasis.RECEIVED, False)


def test_a_scan_without_a_time_undoes_no_end_that_is_listed_with_it() -> None:
    timeless = entry(scanTypeCode="30", scanTime=None)
    found = told(form([parcel(timeless, entry())])).scans
    assert found[0].occurred_at == found[1].occurred_at
    assert fold_parcel(NUMBER_JT, found).status == "delivered"
    ahead = told(form([parcel(timeless, entry(scanTime="2027-01-01 00:00:00"))])).scans
    assert ahead[0].occurred_at == REAL


@pytest.mark.parametrize(
    ("pictures", "proof"),
    [
        ("https://proof.example/1.jpg", "photo"),
        ("https://proof.example/1.jpg,https://proof.example/2.jpg", "photo"),
        *[(none, "") for none in ("", "  ", None, 5, True, [], ["https://proof.example"], ...)],
    ],
)
def test_a_picture_proves_a_delivery(pictures: object, proof: str) -> None:
    assert scan(sigPicUrl=pictures).proof == proof
    assert scan(sigPicUrl=pictures, scanTypeCode="702").proof == proof


def test_a_picture_proves_nothing_but_a_delivery() -> None:
    others = {code for code, word in pairs(CODES) if not word.startswith("delivered")}
    assert {scan(scanTypeCode=code).proof for code in others} == {""}


@pytest.mark.parametrize("odd", [None, 5, [], {}, ""])
def test_an_odd_place_is_none(odd: object) -> None:
    assert scan(scanNetworkCity=odd).location == "Perak"
    assert scan(scanNetworkCity=odd, scanNetworkProvince=odd).location == ""


def test_a_place_is_cut_to_what_can_be_kept() -> None:
    assert len(scan(scanNetworkCity="x" * 10_000).location) == 100


@pytest.mark.parametrize("absent", [None, "", ...])
def test_without_a_reference_there_is_no_link(absent: object) -> None:
    translation = told(form([parcel(entry(), txlogisticId=absent)]))
    assert (len(translation.scans), translation.links, translation.note) == (1, (), "")


@pytest.mark.parametrize("odd", [{}, [], True, 1.5, "SO 12/3", "9" * 65, "Aisyah Contoh"])
def test_an_odd_reference_costs_the_link_alone(odd: object) -> None:
    translation = told(form([parcel(entry(), txlogisticId=odd)]))
    assert translation.scans == told(form([parcel(entry())])).scans
    assert translation.links == ()
    assert "no link: bizContent[0].txlogisticId" in translation.note
    assert "Aisyah" not in translation.note


@pytest.mark.parametrize("written", ["SYN-000101", " syn 000 101 ", "syn000101", "SYN\t000101"])
def test_a_number_is_one_however_it_is_written(written: str) -> None:
    (found,) = told(form([parcel(entry(), billCode=written)])).scans
    assert (found.number, found.written) == (NUMBER, written.strip())


@pytest.mark.parametrize("content", [[], [parcel()], [parcel(details=None)], [parcel(details=...)]])
def test_a_delivery_without_a_scan_says_so(content: Content) -> None:
    translation = told(form(content))
    assert translation.scans == ()
    assert translation.note == "bizContent tells of no scan"
    assert len(translation.links) == len(content)


ONE, TWO = "https://proof.example/1.jpg?a=1,2", "https://proof.example/2.jpg"


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (ONE, [ONE]),
        (f"{ONE},{TWO}", [ONE, TWO]),
        (f" {ONE} ,\n {TWO} ", [ONE, TWO]),
        (f"{TWO},{TWO}", [TWO]),
        (f",{TWO}, ", [TWO]),
        ("no link", ["no link"]),
        (",".join(f"https://proof.example/{n}" for n in range(500)), 8),
        ("," * 200_000 + TWO, [TWO]),
        (", " * 100_000, []),
        ("https://proof.example/" + "x" * 5_000, []),
        ("", []),
        ("  ", []),
        (None, []),
        (5, []),
        ([TWO], []),
        ({}, []),
    ],
    ids=lambda told: ascii(told)[:40],
)
def test_the_pictures_of_a_delivery_are_named_in_one_text(
    text: object, links: list[str] | int
) -> None:
    found = told(form([parcel(entry(scanTypeCode="100", sigPicUrl=text))]))
    (scan,) = found.scans
    assert {(i.number, i.scan, i.kind) for i in found.images} <= {
        (scan.number, scan.identity, "photo")
    }
    named = [image.link for image in found.images]
    assert named == links or len(named) == links


def test_only_a_delivery_is_shown_by_pictures() -> None:
    for code in jtexpress.CODES.keys() - {"100", "702"}:
        found = told(form([parcel(entry(scanTypeCode=code, sigPicUrl=TWO))]))
        assert found.images == (), code


def test_a_scan_that_is_listed_twice_names_its_pictures_once() -> None:
    twice = [entry(scanTypeCode="100", sigPicUrl=TWO)] * 2
    assert len(told(form([parcel(*twice)])).images) == 1


def test_nobody_and_no_free_text_gets_into_the_facts() -> None:
    secret = "Aisyah Contoh"
    free = {
        key: secret
        for key in (
            *("desc", "scanTypeName", "scanType", "staffName", "staffContact", "sigPicUrl"),
            *("scanNetworkContact", "scanNetworkName", "scanNetworkArea", "longitude"),
            *("problemType", "remark", "otp", "signer"),
        )
    }
    for code in ("100", "110", "999"):
        content = [parcel(entry(**free, scanTypeCode=code), receiver=secret)]
        translation = told(form(content))
        assert translation.scans
        assert secret not in repr(translation)


# The same scan is the same event


def test_a_scan_in_growing_deliveries_is_one_event() -> None:
    before: set[str] = set()
    for name in ("picked_up", "in_transit", "failed_attempt", "delivered"):
        now = {found.identity for found in scans(name)}
        assert before < now
        assert len(now) == len(scans(name))
        before = now
    assert fold_parcel(NUMBER_JT, scans("delivered")).failed_attempts == 1


def test_neither_the_delivery_nor_what_may_be_filled_in_makes_another_scan() -> None:
    changes: dict[str, object] = {
        "desc": "changed",
        "scanTypeName": "changed",
        "staffName": "changed",
        "scanNetworkCity": "changed",
        "scanNetworkId": "7",
        "scanTypeCode": 100,
        "realWeight": 1,
    }
    content = [parcel(entry(**changes), txlogisticId=None, billCode="synjt000101")]
    (again,) = told(form(content), at=REAL + timedelta(days=3)).scans
    assert again.identity == scan().identity


@pytest.mark.parametrize(
    "change",
    [
        {"scanTypeCode": "94"},
        {"scanTypeCode": "702"},
        {"scanTime": "2026-11-19 10:02:16"},
        {"scanNetworkId": 8},
    ],
)
def test_any_other_code_time_or_site_is_another_scan(change: dict[str, Any]) -> None:
    assert scan(**change).identity != scan().identity


def test_the_same_scan_of_another_number_is_another() -> None:
    (other,) = told(form([parcel(entry(), billCode="SYNJT000102")])).scans
    assert other.identity != scan().identity


def test_a_picture_that_comes_later_is_one_event_more_and_the_order_decides_nothing() -> None:
    bare, proven = scans("delivered.unproven")[0], scans("delivered")[-1]
    assert bare.identity != proven.identity
    for order in ([bare, proven], [proven, bare]):
        folded = fold_parcel(NUMBER_JT, order)
        assert folded.status == "delivered"
        assert [each.proven for each in folded.scans].count(True) == 1


def test_scans_in_any_order_are_the_same_parcel() -> None:
    found = scans("returned")
    folded = fold_parcel(NUMBER_JT, found)
    assert fold_parcel(NUMBER_JT, found[::-1]) == folded
    assert folded.status == "returned"


# Odd and hostile ones

ENTRY = "bizContent[0].details[0]"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (None, "bizContent: a list"),
        (5, "bizContent: a list"),
        ("text", "bizContent: a list"),
        ([None], "bizContent[0]: an object"),
        (["a"], "bizContent[0]: an object"),
        ([[parcel()]], "bizContent[0]: an object"),
        ({}, "bizContent[0].billCode"),
        ([{}], "bizContent[0].billCode"),
        ([parcel(billCode=" - - ")], "bizContent[0].billCode"),
        ([parcel(billCode="9" * 65)], "bizContent[0].billCode"),
        ([parcel(billCode="号码")], "bizContent[0].billCode"),
        ([parcel(billCode="A\x00B")], "bizContent[0].billCode"),
        ([parcel(billCode=True)], "bizContent[0].billCode"),
        ([parcel(billCode=1.5)], "bizContent[0].billCode"),
        ([parcel(billCode={})], "bizContent[0].billCode"),
        ([parcel(details="many")], "bizContent[0].details: a list"),
        ([parcel(details={})], "bizContent[0].details: a list"),
        ([parcel(None)], f"{ENTRY}: an object"),
        ([parcel("100")], f"{ENTRY}: an object"),
        ([parcel({})], f"{ENTRY}.scanTypeCode"),
        ([parcel(entry(scanTypeCode=" "))], f"{ENTRY}.scanTypeCode"),
        ([parcel(entry(scanTypeCode=False))], f"{ENTRY}.scanTypeCode"),
        ([parcel(entry(scanTypeCode=100.0))], f"{ENTRY}.scanTypeCode"),
        ([parcel(entry(scanTypeCode=["100"]))], f"{ENTRY}.scanTypeCode"),
        ([parcel(entry(scanTime="yesterday"))], f"{ENTRY}.scanTime"),
        ([parcel(entry(scanTime=1_794_333_902_000))], f"{ENTRY}.scanTime"),
        ([parcel(entry(scanTime={}))], f"{ENTRY}.scanTime"),
        ([parcel(entry(scanTime="2026-11-31 00:00:00"))], f"{ENTRY}.scanTime"),
        ([parcel(entry(scanTime="0001-01-01 00:00:00"))], f"{ENTRY}.scanTime"),
        ([parcel(entry(scanTime="2000-01-01 07:59:59"))], f"{ENTRY}.scanTime"),
        ([parcel(entry(scanTime="9999-12-31 23:59:59"))], f"{ENTRY}.scanTime"),
    ],
)
def test_what_is_bent_is_unreadable_and_names_the_field(content: Content, field: str) -> None:
    with pytest.raises(Unreadable) as problem:
        told(form(content))
    assert str(problem.value).startswith(field)


@pytest.mark.parametrize("odd", [None, "x", [], {}, {"scanTypeCode": "100", "scanTime": "soon"}])
def test_one_odd_scan_or_parcel_hides_no_other_and_the_note_names_it(odd: object) -> None:
    good = told(form([parcel(entry())]))
    within = told(form([parcel(odd, entry())]))
    assert (within.scans, within.links) == (good.scans, good.links)
    assert within.note.startswith(f"left out 1, the first of them: {ENTRY}")
    beside = told(form([odd, parcel(entry())]))
    assert (beside.scans, beside.links) == (good.scans, good.links)
    assert beside.note.startswith("left out 1, the first of them: bizContent[0]")


def test_all_that_is_odd_is_counted() -> None:
    note = told(form(of("odd_entries"))).note
    assert note.startswith("left out 4, the first of them: bizContent[0].details[1]: an object")


def test_a_delivery_of_thousands_is_refused_before_it_is_read() -> None:
    short_one = {"scanTypeCode": "30"}
    most = [{**short_one, "scanNetworkId": n} for n in range(MOST_ENTRIES)]
    assert len(told(form([parcel(*most)])).scans) == MOST_ENTRIES
    for content in ([parcel(*most, short_one)], [parcel(*most), parcel(short_one)]):
        with pytest.raises(Unreadable, match=r"more than 2000 scans|2001 entries"):
            told(form(content))
    with pytest.raises(Unreadable, match="2001 parcels"):
        told(form([{}] * (MOST_ENTRIES + 1)))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"bizContent=",
        b"bizContent=%7B",
        b"bizContent=x",
        b"bizContent=%FF",
        b"bizContent=" + b"[" * 100_000,
        b"bizContent=" + b"9" * 5_000,
        b"other=1",
        b"\xff\xfe",
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_what_is_no_form_of_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        told(body)
