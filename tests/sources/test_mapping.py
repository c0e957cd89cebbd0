"""What a mapping makes of bodies: parcels, scans, words and times; the example, and a twin."""

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import Scan, TimeBasis, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import MAPPINGS, Delivery, Translation, ninjavan, source
from shipclock.sources.mapped import Mapped, check
from tests.builders import NUMBER, ORDER, REAL, SHOP, patient, sample, sample_bytes, samples
from tests.sources import mappings
from tests.sources.bending import JSON, bent
from tests.sources.mappings import body, mapped, scan_of, told

PLAIN = mapped()


# Each part of a scan


def test_the_smallest_mapping_reads_number_code_time_and_order() -> None:
    found = told(PLAIN, body(), (SHOP,))
    (scan,) = found.scans
    assert (scan.number, scan.written, scan.status) == (NUMBER, "SYN-000101", "in_transit")
    assert (scan.occurred_at, scan.basis) == (
        datetime.fromisoformat("2026-11-18T02:00:00Z"),
        TimeBasis.OFFSET,
    )
    assert (scan.source, scan.account, scan.raw_code) == ("tried", "default", "GO")
    assert scan.confirmed
    (link,) = found.links
    assert (link.number, link.order_id, link.source, link.shops) == (
        *(NUMBER, ORDER, "tried"),
        (SHOP,),
    )
    assert found.note == ""


@pytest.mark.parametrize("number", [10_000_000_000_000_000_000_101, "SYN-000101", " syn 000101 "])
def test_a_number_may_be_a_text_or_a_whole_number(number: object) -> None:
    assert scan_of(PLAIN, body(no=number)).written == str(number).strip()
    assert scan_of(PLAIN, body(order=int(ORDER))) == scan_of(PLAIN, body())
    assert told(PLAIN, body(order=int(ORDER))).links == told(PLAIN, body()).links


ODD: list[object] = [["x"], {"x": 1}, True, 1.5]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("field", "path"), [("no", "parcel.number `no`"), ("code", "scan.code `code`")]
)
def test_what_is_of_a_wrong_type_is_unreadable_and_names_the_path(
    field: str, path: str, odd: object
) -> None:
    with pytest.raises(Unreadable, match=r"was expected, not ") as problem:
        told(PLAIN, body(**{field: odd}))
    assert str(problem.value).startswith(path)


@pytest.mark.parametrize("field", ["no", "code"])
@pytest.mark.parametrize("nothing", [None, "", "  ", ...])
def test_without_a_number_or_a_code_there_is_no_scan(field: str, nothing: object) -> None:
    with pytest.raises(Unreadable):
        told(PLAIN, body(**{field: nothing}))


@pytest.mark.parametrize("odd", [*ODD, "SO 12/3", "9" * 65])
def test_an_odd_reference_costs_the_link_alone(odd: object) -> None:
    found = told(PLAIN, body(order=odd))
    assert found.scans == told(PLAIN, body()).scans
    assert found.links == ()
    assert "parcel.reference" in found.note


def test_a_code_that_is_not_in_the_table_is_unknown_and_kept() -> None:
    found = scan_of(PLAIN, body(code="go"))
    assert (found.status, found.raw_code) == ("unknown", "go")
    assert len(scan_of(PLAIN, body(code="x" * 1000)).raw_code) == 100


def test_folded_codes_are_the_same_in_any_case_and_with_any_blanks() -> None:
    source = mapped(scan='code = "code"\nfold = true', codes='"Got It" = "picked_up"')
    seen = {scan_of(source, body(code=code)).identity for code in ("GOT  it", "got it", "Got It")}
    assert len(seen) == 1
    assert scan_of(source, body(code=" got\tit ")).status == "picked_up"


def test_a_number_may_be_a_code() -> None:
    assert scan_of(mapped(codes='7 = "delivered"'), body(code=7)).status == "delivered"


PARTS = mapped(
    scan='code = ["code", "sub", "third"]',
    codes="""
"EX" = "on_hold"
"EX/LOST" = "lost"
"EX/*" = "delayed"
"EX/HOLD/*" = "on_hold"
"EX/HOLD/2" = "damaged"
""",
)


@pytest.mark.parametrize(
    ("parts", "code", "status"),
    [
        (("EX", None, None), "EX", "on_hold"),
        (("EX", "", None), "EX", "on_hold"),
        (("EX", "LOST", None), "EX/LOST", "lost"),
        (("EX", "ELSE", None), "EX/ELSE", "delayed"),
        (("EX", "LOST", "2"), "EX/LOST/2", "delayed"),
        (("EX", "HOLD", "1"), "EX/HOLD/1", "on_hold"),
        (("EX", "HOLD", 2), "EX/HOLD/2", "damaged"),
        (("EX", None, "2"), "EX//2", "delayed"),
        (("AX", "LOST", None), "AX/LOST", "unknown"),
        ((None, "LOST", None), "/LOST", "unknown"),
    ],
)
def test_a_code_is_joined_of_its_parts_and_a_star_stands_for_the_rest(
    parts: tuple[object, ...], code: str, status: str
) -> None:
    found = scan_of(PARTS, body(code=parts[0], sub=parts[1], third=parts[2]))
    assert (found.raw_code, found.status) == (code, status)


def test_a_code_that_means_nothing_is_no_scan_and_told() -> None:
    source = mapped(codes='"GO" = "nothing"\n"X" = { status = "nothing" }\n"DONE" = "delivered"')
    for code in ("GO", "X"):
        found = told(source, body(code=code))
        assert found.scans == ()
        assert repr(code) in found.note


def test_a_code_brings_its_reason_flags_and_how_it_was_delivered() -> None:
    source = mapped(
        codes='"T" = {status="delivery_attempt_failed", reason="refused", flags=["final"]}\n'
        '"D" = {status="delivered", delivered_to="mailbox", proof="none"}'
    )
    failed, done = (scan_of(source, body(code=code)) for code in "TD")
    assert (failed.reason, failed.flags) == ("refused", ("final",))
    assert (done.delivered_to, done.proof) == ("mailbox", "none")


FINER = mapped(
    scan='code = "code"\nreason = "why"\ndelivered_to = "whom"\nback = "back"\n'
    'place = ["town", "hub.country"]',
    more="""
[scan.proof]
photo = "photos[0]"
signature = "signature"
[reasons]
"NOT HOME" = "recipient_absent"
[delivered_to]
"NEIGHBOUR" = "neighbour"
""",
)


@pytest.mark.parametrize(
    ("why", "reason"),
    [("NOT HOME", "recipient_absent"), ("Aisyah Contoh", "other"), (None, "other"), ([], "other")],
)
def test_a_reason_is_one_that_the_table_knows_else_the_codes_own(why: object, reason: str) -> None:
    assert scan_of(FINER, body(code="TRY", why=why)).reason == reason


@pytest.mark.parametrize(
    ("whom", "to"),
    [("NEIGHBOUR", "neighbour"), ("Aisyah Contoh", "other"), (None, ""), ("", ""), ([], "")],
)
def test_to_whom_is_a_word_of_ours_and_never_a_name(whom: object, to: str) -> None:
    found = scan_of(FINER, body(code="DONE", whom=whom))
    assert found.delivered_to == to
    assert "Contoh" not in repr(found)
    assert scan_of(FINER, body(code="GO", whom=whom)).delivered_to == ""


@pytest.mark.parametrize(
    ("proof", "word"),
    [
        ({"photos": ["x"], "signature": "x"}, "photo"),
        ({"photos": [], "signature": "x"}, "signature"),
        ({"photos": [""], "signature": {"by": "x"}}, "signature"),
        ({"photos": [" "], "signature": False}, ""),
        ({"photos": "x", "signature": None}, ""),
        ({}, ""),
    ],
)
def test_the_first_proof_that_is_there_counts_for_a_delivery(
    proof: dict[str, Any], word: str
) -> None:
    assert scan_of(FINER, body(code="DONE", **proof)).proof == word
    assert scan_of(FINER, body(code="GO", **proof)).proof == ""


def test_a_place_is_joined_of_what_is_there() -> None:
    assert scan_of(FINER, body(town="Ipoh", hub={"country": "MY"})).location == "Ipoh, MY"
    assert scan_of(FINER, body(hub={"country": "MY"})).location == "MY"
    assert len(scan_of(FINER, body(town="x" * 1000)).location) == 100


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_detail_costs_itself_alone_and_is_told(odd: object) -> None:
    for detail in ("why", "town"):
        found = told(FINER, body(code="TRY", **{detail: odd}))
        assert [scan.status for scan in found.scans] == ["delivery_attempt_failed"]
        assert f"`{detail}`" in found.note


@pytest.mark.parametrize(
    ("code", "status"),
    [("GO", "returning"), ("TRY", "returning"), ("DONE", "returned"), ("GOT", "returning")],
)
def test_on_the_way_back_everything_is_the_senders(code: str, status: str) -> None:
    found = scan_of(FINER, body(code=code, back=True, why="NOT HOME", whom="NEIGHBOUR"))
    assert (found.status, found.reason, found.delivered_to) == (status, "", "")
    assert found.identity != scan_of(FINER, body(code=code, why="NOT HOME")).identity


@pytest.mark.parametrize("odd", ["true", 1, []])
def test_what_turns_the_sense_about_is_not_guessed(odd: object) -> None:
    with pytest.raises(Unreadable, match=r"scan.back `back`: true or false was expected"):
        told(FINER, body(back=odd))


def test_the_carriers_name_comes_from_the_body_else_from_the_mapping() -> None:
    source = mapped(parcel='number = "no"\ncarrier = "North"\ncarrier_path = "by.name"')
    assert scan_of(source, body(by={"name": "South"})).carrier == "South"
    odds: tuple[object, ...] = (None, {}, {"name": ""}, {"name": []})
    for odd in odds:
        assert scan_of(source, body(by=odd)).carrier == "North"
    assert scan_of(PLAIN, body()).carrier == ""


# Identity


@pytest.mark.parametrize(
    "change", [{"code": "GOT"}, {"at": "2026-11-18T10:00:01+08:00"}, {"no": "1"}, {"town": "Ipoh"}]
)
def test_another_code_time_number_or_place_is_another_scan(change: dict[str, Any]) -> None:
    assert scan_of(FINER, body(**change)).identity != scan_of(FINER, body()).identity


def test_the_senders_own_id_of_a_scan_takes_the_place_of_where_it_was() -> None:
    source = mapped(scan='code = "code"\nid = "id"\nplace = "town"')
    one, moved = (scan_of(source, body(id=7, town=town)) for town in ("Ipoh", "Klang"))
    assert one.identity == moved.identity
    assert scan_of(source, body(id=8)).identity != one.identity


def test_a_proof_that_comes_later_is_one_event_more() -> None:
    bare, proven = (scan_of(FINER, body(code="DONE", signature=each)) for each in ("", "x"))
    assert bare.identity != proven.identity
    assert fold_parcel(NUMBER, [bare, proven]).status == "delivered"


# Parcels and histories


HISTORY = mapped(scan='each = "scans"\ncode = "code"')
BATCH = mapped(parcel='each = "parcels"\nnumber = "no"\nreference = "order"')
ONE = {"code": "GO", "at": "2026-11-18T10:00:00Z"}


def test_a_history_is_read_entry_by_entry_and_an_odd_one_hides_no_other() -> None:
    found = told(HISTORY, body(scans=[ONE, 5, {**ONE, "code": []}, {**ONE, "code": "DONE"}]))
    assert [scan.status for scan in found.scans] == ["in_transit", "delivered"]
    assert found.note.startswith("left out 2, the first of them: scan[1]: an object was expected")


def test_a_history_of_odd_entries_alone_is_unreadable() -> None:
    with pytest.raises(Unreadable, match=r"scan\[0\]: scan.code `code`"):
        told(HISTORY, body(scans=[{**ONE, "code": []}, 5]))


@pytest.mark.parametrize("scans", [None, ..., []])
def test_a_history_without_an_entry_is_told_of(scans: object) -> None:
    found = told(HISTORY, body(scans=scans, order=...))
    assert (found.scans, found.note) == ((), "it tells of no scans")


@pytest.mark.parametrize("scans", [{}, "x", 5])
def test_a_history_that_is_no_list_is_unreadable(scans: object) -> None:
    with pytest.raises(Unreadable, match=r"scan.each `scans`: a list was expected"):
        told(HISTORY, body(scans=scans))


def test_no_history_is_longer_than_any_parcels() -> None:
    with pytest.raises(Unreadable, match=r"2001 entries"):
        told(HISTORY, body(scans=[ONE] * 2001))
    assert len(told(HISTORY, body(scans=[ONE] * 2000)).scans) == 1


def test_each_of_several_parcels_has_its_own_scans_and_order() -> None:
    second = {"no": "SYN 000102", "code": "DONE", "at": ONE["at"], "order": "576000000000000102"}
    found = told(BATCH, body(parcels=[json.loads(body()), 5, {"no": []}, second]))
    assert [scan.number for scan in found.scans] == [NUMBER, "SYN000102"]
    assert {link.number: link.order_id for link in found.links} == {
        NUMBER: ORDER,
        "SYN000102": "576000000000000102",
    }
    assert found.note.startswith("left out 2, the first of them: parcel 1: parcel.number")


def test_an_entry_without_a_time_undoes_nothing() -> None:
    label = {"code": "GOT"}
    found = told(HISTORY, body(scans=[label, {**ONE, "code": "DONE"}]))
    assert fold_parcel(NUMBER, found.scans).status == "delivered"
    assert [scan.basis for scan in found.scans] == [TimeBasis.RECEIVED, TimeBasis.UTC]


# Which bodies


@pytest.mark.parametrize(
    ("event", "means"),
    [("moved", True), (7, True), (True, True), ("other", False), (None, False), ("", False)],
)
def test_bodies_of_other_kinds_mean_nothing(event: object, means: bool) -> None:
    source = mapped(more='[when]\npath = "event"\nvalues = ["moved", "7", "true"]')
    found = told(source, body(event=event))
    assert bool(found.scans) is means
    assert means or "event is" in found.note


def test_a_form_is_read_by_its_fields() -> None:
    source = mapped(top='body = "form"')
    assert source.FORM
    found = scan_of(source, b"no=SYN000101&code=GO&at=2026-11-18T10%3A00%3A00Z")
    assert (found.number, found.status) == (NUMBER, "in_transit")


def test_a_form_may_hold_json_in_one_of_its_fields() -> None:
    source = mapped(top='body = "form"\nform_field = "content"')
    inside = body().decode().replace("+", "%2B")
    assert scan_of(source, f"time=1&content={inside}".encode()) == scan_of(PLAIN, body())
    for odd in (b"content=5", b"content=", b"other=%7B%7D", b"content=%7B", b"x"):
        with pytest.raises(ValueError, match=r"."):
            told(source, odd)


def test_what_the_sender_wants_to_hear_is_what_it_hears() -> None:
    assert PLAIN.acknowledge(body()) == b""
    assert mapped(top='ack = \'{"code":"1"}\'').acknowledge(body()) == b'{"code":"1"}'
    assert mapped(top="limit = 1000").LIMIT == 1000
    assert PLAIN.LIMIT == 256 * 1024


# Times


def at(form: str, **fields: Any) -> Scan:
    return scan_of(mapped(time=f'path = "at"\n{form}'), body(**fields))


LONDON = 'zone = "Europe/London"'
LOCAL = 'format = "%d/%m/%Y %H:%M"'


@pytest.mark.parametrize(
    ("form", "fields", "instant", "basis"),
    [
        ("", {"at": "2026-11-18T10:00:00Z"}, "2026-11-18T10:00:00Z", "utc"),
        ("", {"at": "2026-11-18T10:00:00+0800"}, "2026-11-18T02:00:00Z", "offset"),
        ("", {"at": "2026-11-18 10:00:00"}, "2026-11-18T10:00:00Z", "zone"),
        (LONDON, {"at": "2026-07-01T10:00:00"}, "2026-07-01T09:00:00Z", "zone"),
        (LONDON, {"at": "2026-07-01T10:00:00+08:00"}, "2026-07-01T02:00:00Z", "offset"),
        # put on: 01:00 is 02:00, and 01:30 never was
        (LONDON, {"at": "2026-03-29T00:59:59"}, "2026-03-29T00:59:59Z", "zone"),
        (LONDON, {"at": "2026-03-29T01:30:00"}, "2026-03-29T01:30:00Z", "zone"),
        (LONDON, {"at": "2026-03-29T02:00:00"}, "2026-03-29T01:00:00Z", "zone"),
        # put back: 01:30 was twice, and the first counts
        (LONDON, {"at": "2026-10-25T01:30:00"}, "2026-10-25T00:30:00Z", "zone"),
        (LONDON, {"at": "2026-10-25T02:00:00"}, "2026-10-25T02:00:00Z", "zone"),
        ('format = "unix"', {"at": 1794333751}, "2026-11-10T18:02:31Z", "utc"),
        ('format = "unix"', {"at": "1794333751"}, "2026-11-10T18:02:31Z", "utc"),
        ('format = "unix"', {"at": 1794333751.25}, "2026-11-10T18:02:31.25Z", "utc"),
        ('format = "unix_ms"', {"at": 1794333751250}, "2026-11-10T18:02:31.25Z", "utc"),
        ('format = "unix_ms"', {"at": "1794333751250.5"}, "2026-11-10T18:02:31.2505Z", "utc"),
        (LOCAL, {"at": "18/11/2026 10:00"}, "2026-11-18T10:00:00Z", "zone"),
        (f"{LOCAL}\n{LONDON}", {"at": "01/07/2026 10:00"}, "2026-07-01T09:00:00Z", "zone"),
        (
            'format = "%Y%m%d %H%M%z"',
            {"at": "20261118 1000+0530"},
            "2026-11-18T04:30:00Z",
            "offset",
        ),
        (
            'format = "%d %b %Y %I:%M %p"',
            {"at": "18 Nov 2026 10:00 PM"},
            "2026-11-18T22:00Z",
            "zone",
        ),
        *(
            (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": tz}, instant, "offset")
            for tz, instant in {
                "+08:00": "2026-11-18T02:00:00Z",
                "+0530": "2026-11-18T04:30:00Z",
                "-8": "2026-11-18T18:00:00Z",
                "GMT+08:00": "2026-11-18T02:00:00Z",
                "utc": "2026-11-18T10:00:00Z",
                "Z": "2026-11-18T10:00:00Z",
            }.items()
        ),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00"}, "2026-11-18T10:00:00Z", "zone"),
        (
            f'{LOCAL}\noffset = "tz"\n{LONDON}',
            {"at": "01/07/2026 10:00", "tz": None},
            "2026-07-01T09:00:00Z",
            "zone",
        ),
        ("", {"at": None}, REAL.isoformat(), "received"),
        ("", {"at": ...}, REAL.isoformat(), "received"),
    ],
)
def test_a_time_is_read_in_its_form_and_tells_what_it_rests_on(
    form: str, fields: dict[str, Any], instant: str, basis: str
) -> None:
    found = at(form, **fields)
    assert (found.occurred_at, found.basis) == (datetime.fromisoformat(instant), basis)
    assert found.trusted is (basis in ("utc", "offset"))


def test_a_time_may_stand_in_two_fields() -> None:
    source = mapped(time='path = ["day", "hour"]\nformat = "%Y-%m-%d %H:%M"')
    found = scan_of(source, body(day="2026-11-18", hour="10:00"))
    assert found.occurred_at == datetime.fromisoformat("2026-11-18T10:00:00Z")


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("", {"at": "yesterday"}),
        ("", {"at": 1794333751}),
        ("", {"at": []}),
        ("", {"at": "0001-01-01T00:00:00Z"}),
        ('format = "unix"', {"at": "2026-11-18T10:00:00Z"}),
        ('format = "unix"', {"at": 1794333751250}),
        ('format = "unix"', {"at": -5}),
        ('format = "unix"', {"at": 1e300}),
        ('format = "unix"', {"at": True}),
        ('format = "unix"', {"at": "٣"}),
        ('format = "unix_ms"', {"at": 1794333751}),
        ('format = "unix_ms"', {"at": "9" * 15}),
        (LOCAL, {"at": "18/11/2026 10:00 and more"}),
        (LOCAL, {"at": "31/11/2026 10:00"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "Asia/Kuala_Lumpur"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "+15:00"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "+08:60"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "8"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": 8}),
    ],
)
def test_a_time_that_is_not_of_its_form_is_unreadable(form: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match=r"^scan.time"):
        at(form, **fields)


# The example, and a twin


def test_the_example_ships_and_is_right() -> None:
    assert "example_3pl" in MAPPINGS
    assert isinstance(source("example_3pl"), Mapped)


@pytest.mark.parametrize("name", MAPPINGS)
def test_every_mapping_that_ships_is_right_and_nothing_is_to_be_minded(name: str) -> None:
    assert source(name) is source(name)
    path = Path(str(sys.modules["shipclock.sources.mapped"].FOLDER)) / f"{name}.toml"
    _, minded = check(name, path.read_bytes())
    assert name != "example_3pl" or minded == ()


def example(name: str) -> list[tuple[str, str, str, str, str, str]]:
    found = told_by_example(name)
    return [
        (s.number, s.status, s.reason, s.delivered_to, s.proof, s.basis)
        for s in sorted(found, key=lambda scan: scan.occurred_at)
    ]


def told_by_example(name: str) -> tuple[Scan, ...]:
    sent = sample_bytes(f"example_3pl/{name}.json")
    return source("example_3pl").translate(Delivery("example_3pl", "a", sent, REAL)).scans


def test_the_examples_parcels_are_read_as_they_are_meant() -> None:
    assert example("delivered") == [
        (NUMBER, "info_received", "", "", "", "offset"),
        (NUMBER, "picked_up", "", "", "", "offset"),
        (NUMBER, "in_transit", "", "", "", "offset"),
        (NUMBER, "in_transit", "", "", "", "offset"),
        (NUMBER, "out_for_delivery", "", "", "", "offset"),
        (NUMBER, "delivery_attempt_failed", "recipient_absent", "", "", "offset"),
        (NUMBER, "delivered", "", "neighbour", "signature", "offset"),
    ]
    assert example("delivered.photo")[-1] == (NUMBER, "delivered", "", "other", "photo", "offset")
    assert [scan[:2] for scan in example("two_parcels")] == [
        *((NUMBER, "picked_up"), ("SYN000102", "picked_up")),
        *((NUMBER, "in_transit"), ("SYN000102", "lost")),
    ]
    back = fold_parcel(NUMBER, told_by_example("going_back"))
    assert (back.status, back.failed_attempts) == ("returned", 1)
    assert example("without_offset") == [(NUMBER, "picked_up", "", "", "", "zone")]
    assert {scan[1] for scan in example("without_time")} == {"info_received", "picked_up"}
    assert {scan[1] for scan in example("code_of_tomorrow")} == {"unknown", "on_hold"}
    assert example("odd_entries") == [(NUMBER, "picked_up", "", "", "", "offset")]
    assert example("other_event") == []


TWIN_FILE = Path(__file__).parent / "ninjavan_mapping.toml"
TWIN = Mapped(check("ninjavan_mapping", TWIN_FILE.read_bytes())[0])


def alike(scan: Scan) -> tuple[object, ...]:
    return (
        *(scan.number, scan.written, scan.status, scan.occurred_at, scan.basis, scan.raw_code),
        *(scan.reason, scan.flags, scan.delivered_to, scan.proof, scan.carrier),
    )


def both(sent: bytes) -> tuple[list[object], list[object]]:
    """What the module and the mapping tell: scans, and the orders of those numbers."""
    found: list[list[object]] = []
    for by in (ninjavan.translate, TWIN.translate):
        translation = by(Delivery("x", "my", sent, REAL))
        links = translation.links if translation.scans else ()
        found.append([*map(alike, translation.scans), *((o.number, o.order_id) for o in links)])
    return found[0], found[1]


@pytest.mark.parametrize("path", samples("ninjavan"))
def test_a_mapping_reads_ninja_vans_bodies_as_its_module_does(path: str) -> None:
    by_module, by_mapping = both(sample_bytes(path))
    assert by_mapping == by_module


@pytest.mark.parametrize("event", ninjavan.EVENTS)
@pytest.mark.parametrize("back", [True, False])
def test_the_twins_agree_on_every_event_on_either_leg(event: str, back: bool) -> None:
    sent = sample("ninjavan/delivered.json") | {"event": event, "is_parcel_on_rts_leg": back}
    by_module, by_mapping = both(json.dumps(sent).encode())
    assert by_mapping == by_module


@patient
@given(bent([sample(path) for path in samples("ninjavan")]))
def test_the_twins_agree_on_bent_bodies_that_both_can_read(found: Any) -> None:
    if isinstance(found.get("delivery_information"), dict):
        # a mapping takes whatever is there for a proof, the module texts alone
        found["delivery_information"].pop("proof", None)
    try:
        by_module, by_mapping = both(json.dumps(found).encode())
    except (Unreadable, ValueError):
        return
    assert by_mapping == by_module


def test_the_same_signature_opens_either_twin() -> None:
    sent = sample_bytes("ninjavan/delivered.json")
    headers = {ninjavan.HEADER: ninjavan.sign(mappings.SECRET, sent)}
    assert TWIN.verify(headers, sent, [mappings.ACCOUNT], REAL) == mappings.ACCOUNT
    assert ninjavan.EVIDENCE == TWIN.EVIDENCE


# Hostile bodies

WILD = mapped(
    parcel='each = "sort_by(a, &no)"\nnumber = "join(\'-\', b)"\nreference = "max(c)"',
    scan='each = "a[?no < `5`].b[] | sort(@)"\ncode = "ceil(no)"\nback = "no > \'x\'"\n'
    'place = ["to_string(@)", "keys(@)[0]", "avg(b)", "merge(@, c)"]',
    time='path = ["to_number(at)", "sum(b)", "abs(no)"]\nformat = "unix"',
)


@patient
@given(st.data())
def test_whatever_a_body_holds_it_is_read_or_unreadable(data: st.DataObject) -> None:
    keys = st.sampled_from(["a", "b", "c", "no", "at", "code", "order"])
    inner = st.recursive(
        JSON | st.sampled_from([float("inf"), 10**400, "", -0.0]),
        lambda each: st.lists(each, max_size=4) | st.dictionaries(keys, each, max_size=5),
    )
    found = json.dumps(data.draw(st.dictionaries(keys, inner, max_size=5)))
    for source_ in (WILD, PLAIN, HISTORY, BATCH, FINER):
        outcome: Translation | str
        try:
            outcome = told(source_, found.replace("Infinity", "1e999").encode())
        except (Unreadable, ValueError) as problem:
            outcome = str(problem)
        if isinstance(outcome, str):
            assert 0 < len(outcome) < 1000
            continue
        assert outcome.scans or outcome.links or outcome.note
        assert len(outcome.note) < 2000


def test_no_value_of_a_body_is_quoted_by_a_function_that_can_not_take_it() -> None:
    source_ = mapped(scan='code = "abs(code)"')
    with pytest.raises(
        Unreadable, match=r"scan.code `abs\(code\)`: abs\(\) takes no string"
    ) as why:
        told(source_, body(code="Aisyah Contoh"))
    assert "Contoh" not in str(why.value)


def test_a_time_far_ahead_is_kept_and_suspected() -> None:
    ahead = (REAL + timedelta(days=3)).isoformat()
    assert scan_of(PLAIN, body(at=ahead)).suspect
