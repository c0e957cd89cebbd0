"""Reading what others wrote: right, or `Unreadable` with the field's name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.reading import (
    Unreadable,
    digest,
    form,
    identifier,
    iso,
    json_object,
    members,
    opaque,
    optional_id,
    part,
    parts,
    unix,
    whole,
    words,
)
from tests.builders import patient

ABSURD_DEPTH = 200_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"1",
        b'"text"',
        b"[]",
        b"[{}]",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1,}',
        b"\xff\xfe\xfd",
        b'{"a": "\xff"}',
        b"type=1&data=2",
        b"\x00" * 10,
        b"[" * ABSURD_DEPTH,
        b'{"a":' * ABSURD_DEPTH,
        b'{"a":' + b"[" * ABSURD_DEPTH + b"]" * ABSURD_DEPTH + b"}",
        b'{"a": ' + b"9" * 10_000 + b"}",
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_what_is_no_json_object_is_a_value_error_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        json_object(body)


@patient
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_stumble(body: bytes) -> None:
    for read in (json_object, form):
        try:
            found = read(body)
        except ValueError:
            continue
        assert isinstance(found, dict)


def test_whole_numbers_are_kept_to_their_last_digit() -> None:
    assert json_object(b'{"id": 576000000000000103}')["id"] == 576000000000000103


def test_a_form_is_read_and_a_repeated_field_refused() -> None:
    assert form(b"a=1&b=&c=%C3%A9") == {"a": "1", "b": "", "c": "é"}
    with pytest.raises(ValueError, match="repeated"):
        form(b"a=1&a=2")
    with pytest.raises(ValueError, match=r"."):
        form(b"&".join(b"f%d=1" % n for n in range(101)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("576", "576"), (576000000000000103, "576000000000000103"), ("msg_a-B", "msg_a-B")],
)
def test_an_id_is_a_text_or_a_whole_number(value: object, expected: str) -> None:
    assert identifier(value, "id") == expected


@pytest.mark.parametrize(
    "value", [None, "", True, 1.5, [], {}, "a b", "a#b", "a/b", "é", "x" * 65, "a\n", 10**65]
)
def test_what_is_no_id_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable, match=r"^id: "):
        identifier(value, "id")


@pytest.mark.parametrize(("value", "expected"), [(None, ""), ("", ""), (17, "17"), ("a-1", "a-1")])
def test_an_id_may_be_optional(value: object, expected: str) -> None:
    assert optional_id({"k": value}, "k") == expected
    assert optional_id({}, "k") == ""


@pytest.mark.parametrize(("value", "expected"), [(None, ""), ("", ""), (" a ", "a"), ("5", "5")])
def test_a_text_may_be_absent(value: object, expected: str) -> None:
    assert words({"k": value}, "k") == expected
    assert words({}, "k") == ""


@pytest.mark.parametrize("value", [True, 5, 1.5, [], {}, ["a"]])
def test_what_is_no_text_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable, match=r"^k: "):
        words({"k": value}, "k")


@pytest.mark.parametrize(
    ("value", "expected"), [(None, None), ("", None), (0, 0), ("0", 0), ("17", 17), (-3, -3)]
)
def test_a_whole_number_may_be_absent_or_a_text(value: object, expected: int | None) -> None:
    assert whole({"k": value}, "k") == expected


@pytest.mark.parametrize("value", [True, 1.0, "1.0", "x", "-3", "٣", "²", "9" * 20, [], {}])
def test_what_is_no_whole_number_is_unreadable(value: object) -> None:
    with pytest.raises(Unreadable, match=r"^k: "):
        whole({"k": value}, "k")


def test_seconds_are_an_instant_and_zero_is_none() -> None:
    assert unix({"k": 1_793_500_000}, "k") == datetime.fromtimestamp(1_793_500_000, UTC)
    assert unix({"k": 0}, "k") is None
    assert unix({}, "k") is None


@pytest.mark.parametrize("value", [-1, 1, 946_684_799, 10**12, 10**40, "9" * 19])
def test_seconds_that_can_not_be_meant_are_unreadable(value: object) -> None:
    with pytest.raises(Unreadable, match=r"^k: "):
        unix({"k": value}, "k")


def test_an_instant_so_late_that_no_deadline_could_follow_it_is_unreadable() -> None:
    last = 253_402_300_799  # the calendar's last second
    with pytest.raises(Unreadable, match=r"^k: "):
        unix({"k": last}, "k")
    with pytest.raises(Unreadable, match=r"^k: "):
        iso("9999-12-31T23:59:59Z", "k")


def test_objects_and_lists_of_them_are_told_apart_from_all_else() -> None:
    assert part({"k": {"a": 1}}, "k") == {"a": 1}
    assert parts({"k": [{"a": 1}]}, "k") == [{"a": 1}]
    assert parts({"k": None}, "k") == parts({}, "k") == []
    no_objects: tuple[object, ...] = (None, [], "x", 5)
    for wrong in no_objects:
        with pytest.raises(Unreadable, match=r"^k: "):
            part({"k": wrong}, "k")
    no_lists: tuple[object, ...] = ({}, "x", 5, ["x"], [None])
    for wrong in no_lists:
        with pytest.raises(Unreadable, match=r"^k: "):
            parts({"k": wrong}, "k")


@patient
@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_no_two_lists_of_texts_share_an_identity(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) is (one == other)


def test_somebody_elses_token_is_kept_whole_or_not_at_all() -> None:
    assert opaque({"k": " a b= "}, "k") == " a b= "
    assert opaque({"k": "x" * 4096}, "k") == "x" * 4096
    assert opaque({"k": None}, "k") == opaque({}, "k") == ""
    no_tokens: tuple[object, ...] = (5, True, [], "x" * 4097, "a\x00", "a\nb")
    for wrong in no_tokens:
        with pytest.raises(Unreadable, match=r"^k: "):
            opaque({"k": wrong}, "k")


def problem_of(read: Callable[[Any, str], object], data: object) -> str:
    """Why a field can't be read; the field's name alone where it can."""
    try:
        read(data, "k")
    except Unreadable as problem:
        return str(problem)
    return "k: "


@patient
@given(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=8))
def test_every_reader_answers_or_names_the_field(value: Any) -> None:
    for read in (part, parts, words, whole, unix, optional_id, opaque):
        assert problem_of(read, {"k": value}).startswith("k: ")


def test_what_a_body_holds_is_told_with_its_exact_text() -> None:
    body = b' \n{"a" : [1, "}"] ,"\\u0062":1.50,"c":{"a": {}}\t}\r\n'
    assert members(body) == {
        "a": ([1, "}"], '[1, "}"]'),
        "b": (1.5, "1.50"),
        "c": ({"a": {}}, '{"a": {}}'),
    }
    assert members(b"{}") == members(b" { } ") == {}


@patient
@given(st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text())), st.booleans())
def test_what_is_cut_out_of_a_body_is_what_a_reader_of_json_reads(
    found: dict[str, object], escaped: bool
) -> None:
    body = json.dumps(found, ensure_ascii=escaped).encode("utf-8", "replace")
    read = json_object(body)
    if len(read) == len(found):  # else two names became one, for want of a letter
        assert {name: json.loads(text) for name, (_, text) in members(body).items()} == read
        assert {name: value for name, (value, _) in members(body).items()} == read


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"[]",
        b"{",
        b'{"a": 1',
        b'{"a": 1,}',
        b'{,"a": 1}',
        b'{"a" 1}',
        b'{"a": 1 "b": 2}',
        b'{"a": 1, "a": 1}',
        b'{"a": 1, "\\u0061": 1}',
        b"{1: 1}",
        b'{"a": NaN}',
        b'{"a": 1} {}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": ' + b"[" * 100_000,
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_a_body_that_two_readers_might_read_differently_is_cut_by_none(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        members(body)
