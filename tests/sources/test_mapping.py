"""What a mapping makes of bodies: parcels, scans and words."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import TimeBasis, TrackingStatus, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import Translation
from shipclock.sources.meaning import WITH_A_REASON
from tests.builders import NUMBER, ORDER, SHOP, patient
from tests.sources.bending import JSON
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


@pytest.mark.parametrize("status", TrackingStatus)
def test_what_always_has_a_reason_has_one(status: TrackingStatus) -> None:
    codes = f'"A" = "{status}"\n"B" = {{status = "{status}"}}\n"C" = {{status = "{status}", '
    source = mapped(codes=codes + 'reason = "weather"}')
    found = [scan_of(source, body(code=code)) for code in "ABC"]
    assert {scan.status for scan in found} == {status}
    unsaid = "other" if status in WITH_A_REASON else ""
    assert [scan.reason for scan in found] == [unsaid, unsaid, "weather"]


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


@pytest.mark.parametrize("code", ["DONE", "GO", "code of tomorrow"])
def test_what_needs_no_reason_takes_none_from_the_attempt_before(code: str) -> None:
    assert scan_of(FINER, body(code=code, why="NOT HOME")).reason == ""


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
