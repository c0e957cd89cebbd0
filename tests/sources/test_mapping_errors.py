"""A mapping that is wrong: every wrong line is told, with its number and what would be right."""

import re
import tomllib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import DELIVERED_TO, PROOFS, REASONS, TrackingStatus
from shipclock.reading import Unreadable
from shipclock.sources import MARKETPLACES, MODULES, Delivery, Translation, mapped
from shipclock.sources.mapped import Mapped, MappingError, check
from shipclock.toml_lines import Where, line_at, lines_of
from tests.builders import REAL, patient, sample_bytes, samples
from tests.sources.mappings import NAME, body, text, told, warnings, wrong
from tests.sources.mappings import mapped as made

EXAMPLE = (mapped.FOLDER / "example_3pl.toml").read_text("utf-8")
HMAC = 'strategy = "hmac"\nheader = "X-Sign"\n'


def test_the_smallest_mapping_and_the_example_are_right() -> None:
    assert wrong(text()) == []
    assert wrong(EXAMPLE, "example_3pl") == []


# One wrong line, one message

LINES: list[tuple[dict[str, str], str]] = [
    # the top
    ({"top": "limit = 0"}, "line 2: limit: a whole number from 1 to 358400 is expected, and 0"),
    ({"top": "limit = 358401"}, "line 2: limit: a whole number"),
    ({"top": "limit = true"}, "line 2: limit: a whole number"),
    ({"top": 'limit = "1"'}, "line 2: limit: a whole number"),
    ({"top": 'body = "xml"'}, "line 2: body: 'xml' is none of json, form"),
    ({"top": "ack = 5"}, "line 2: ack: a text is expected, and 5 is found, a number"),
    ({"top": f'ack = "{"x" * 1001}"'}, "line 2: ack: at most 1000"),
    ({"top": 'form_field = "x"'}, 'line 2: form_field: is of use with body = "form" alone'),
    ({"top": 'carier = "x"'}, "line 2: carier: there is no such key"),
    ({"top": "limt = 5"}, "line 2: limt: there is no such key; did you mean 'limit'?"),
    ({"top": 'ack = "\\u0007"'}, "line 2: ack: at most 1000 printable"),
    ({"top": '"a\\nb" = 1'}, "line 2: 'a\\nb': there is no such key"),
    ({"top": f"{'k' * 100} = 1"}, "line 2: 'kkkkk"),
    # [auth]
    ({"auth": 'strategy = "none"'}, "line 4: auth.strategy: 'none' is none of hmac, standard_web"),
    ({"auth": "strategy = 5"}, "line 4: auth.strategy: 5 is none of hmac"),
    ({"auth": 'header = "X"'}, "line 3: auth.strategy: is missing: how the sender proves itself"),
    ({"auth": 'strategy = "hmac"'}, "line 3: auth.header: is missing: the header with the sig"),
    ({"auth": 'strategy = "hmac"\nheader = "X Y"'}, "line 5: auth.header: 'X Y' is no name of"),
    ({"auth": f'{HMAC}algorithm = "sha265"'}, "line 6: auth.algorithm: 'sha265' is none of sha1"),
    ({"auth": f'{HMAC}algorithm = "md5"'}, "line 6: auth.algorithm: 'md5' is none of sha1, sha256"),
    ({"auth": f'{HMAC}encoding = "Hex"'}, "line 6: auth.encoding: 'Hex' is none of hex, HEX, base"),
    ({"auth": f'{HMAC}key = "utf8"'}, "line 6: auth.key: 'utf8' is none of text, base64, hex"),
    ({"auth": f'{HMAC}signed = "{{boddy}}"'}, "line 6: auth.signed: {boddy} is no part; there are"),
    ({"auth": f'{HMAC}signed = "{{header:}}"'}, "line 6: auth.signed: {header:} is no part"),
    ({"auth": f'{HMAC}signed = "{{body"'}, "line 6: auth.signed: braces stand around parts alone"),
    ({"auth": f'{HMAC}signed = "body"'}, "line 6: auth.signed: is the same for every request"),
    ({"auth": f'{HMAC}value = "sha256="'}, "line 6: auth.value: 'sha256=' does not hold {signatur"),
    ({"auth": f'{HMAC}value = "{{signature}}{{signature}}"'}, "line 6: auth.value: "),
    ({"auth": f"{HMAC}tolerance = 60"}, "line 6: auth.tolerance: a time of sending proves nothing"),
    ({"auth": f'{HMAC}timestamp_header = "T"'}, "line 6: auth.timestamp_header: a time of sending"),
    (
        {"auth": f'{HMAC}signed = "{{timestamp}}{{body}}"'},
        "line 6: auth.signed: where {timestamp} stands must be told once",
    ),
    (
        {"auth": f'{HMAC}signed = "{{timestamp}}{{body}}"\ntimestamp_header = "T"\ntolerance = 0'},
        "line 8: auth.tolerance: a whole number from 1 to 86400",
    ),
    (
        {"auth": f'{HMAC}signed = "{{timestamp}}{{body}}"\nvalue = "{{timestamp}}{{signature}}"'},
        "line 7: auth.value: two parts need something between them",
    ),
    (
        {"auth": 'strategy = "bearer"\ntolerance = 5'},
        "line 5: auth.tolerance: there is no such key with strategy bearer",
    ),
    (
        {"auth": 'strategy = "header"\nheader = "K"\nvalue = "Token"'},
        "line 6: auth.value: 'Token' does not hold {secret} once",
    ),
    # [parcel] and [scan]
    ({"parcel": 'numbr = "no"'}, "line 6: parcel.number: is missing: the JMESPath of the tracking"),
    ({"parcel": "number = 5"}, "line 7: parcel.number: a JMESPath is expected as a text, and 5"),
    ({"parcel": 'number = ""'}, "line 7: parcel.number: a JMESPath of 1 to 500 characters"),
    ({"parcel": f'number = "{"x" * 501}"'}, "line 7: parcel.number: a JMESPath of 1 to 500"),
    ({"parcel": 'number = "a..b"'}, "line 7: parcel.number: 'a..b' is no JMESPath: '.b' is not ex"),
    ({"parcel": 'number = "a."'}, "line 7: parcel.number: 'a.' is no JMESPath: it ends too early"),
    ({"parcel": 'number = "a-b"'}, "line 7: parcel.number: 'a-b' is no JMESPath: '-b' is not exp"),
    ({"parcel": 'number = "joyn(a)"'}, "line 7: parcel.number: 'joyn(a)' is no JMESPath: there is"),
    ({"parcel": 'number = "join(a)"'}, "line 7: parcel.number: 'join(a)' is no JMESPath: join() t"),
    (
        {"parcel": 'number = "no"\ncarrier = "x\\u0007"'},
        "line 8: parcel.carrier: at most 300 print",
    ),
    ({"scan": 'cod = "x"'}, "line 9: scan.code: is missing: the JMESPath of the sender's code"),
    ({"scan": "code = []"}, "line 10: scan.code: a JMESPath, or a list with at least one"),
    ({"scan": 'code = [\n"a",\n5\n]'}, "line 12: scan.code.1: a JMESPath is expected as a text"),
    ({"scan": 'code = "code"\nfold = 1'}, "line 11: scan.fold: true or false is expected, and 1"),
    ({"scan": 'code = "code"\nflod = true'}, "line 11: scan.flod: there is no such key; did you"),
    ({"scan": 'code = "code"\nreason = "why"'}, "line 11: scan.reason: is of no use without a tab"),
    ({"more": '[reasons]\n"A" = "other"'}, "line 20: reasons: is of no use without scan.reason"),
    ({"more": '[delivered_to]\n"A" = "other"'}, "line 20: delivered_to: is of no use without scan"),
    ({"more": '[scan.proof]\nsignatur = "x"'}, "line 21: scan.proof.signatur: there is no such ke"),
    ({"more": '[when]\npath = "x"'}, "line 20: when.values: is missing"),
    ({"more": '[when]\npath = "x"\nvalues = [true]'}, "line 22: when.values.0: a text without bl"),
    # [scan.time]
    ({"time": ""}, "line 11: scan.time.path: is missing: the JMESPath of the time"),
    ({"time": 'path = "at"\nformat = "ISO"'}, "line 13: scan.time.format: 'ISO' is none of iso, u"),
    ({"time": 'path = "at"\nformat = "%d/%m"'}, "line 13: scan.time.format: '%d/%m' is of no use:"),
    ({"time": 'path = "at"\nformat = "%Y-%m-%d %I:%M"'}, "line 13: scan.time.format: '%Y-%m-%d %I"),
    ({"time": 'path = "at"\nformat = "%Y %q"'}, "line 13: scan.time.format: '%Y %q' is of no use"),
    ({"time": 'path = "at"\nformat = "%Y-%m-%d %H:%M %Z"'}, "line 13: scan.time.format: '%Y-%m-%d"),
    (
        {"time": 'path = "at"\nzone = "Asia/Kuala"'},
        "line 13: scan.time.zone: 'Asia/Kuala' is no IA",
    ),
    ({"time": 'path = "at"\nzone = "../x"'}, "line 13: scan.time.zone: '../x' is no IANA time zon"),
    ({"time": 'path = "at"\nformat = "unix"\noffset = "x"'}, "line 14: scan.time.offset: is of no"),
    # [codes]
    ({"codes": ""}, "line 13: codes: is empty"),
    ({"codes": '"A" = "delivred"'}, "line 14: codes.A: 'delivred' is none of info_received, pick"),
    ({"codes": '"A" = 5'}, "line 14: codes.A: 5 is none of info_received"),
    ({"codes": '"A" = {reason="other"}'}, "line 14: codes.A.status: is missing: what the code m"),
    ({"codes": '"A" = {status="lost", resaon="other"}'}, "line 14: codes.A.resaon: there is no su"),
    (
        {"codes": '"A" = {status="lost", reason="gone"}'},
        "line 14: codes.A.reason: 'gone' is none o",
    ),
    (
        {"codes": '"A" = {status="lost", flags="end"}'},
        "line 14: codes.A.flags: 'end' is none of fi",
    ),
    ({"codes": '"A" = {status="lost", proof="none"}'}, "line 14: codes.A.proof: is of use with"),
    ({"codes": '" A" = "lost"'}, "line 14: codes. A: ' A' never comes"),
    ({"codes": f'"{"A" * 101}" = "lost"'}, "line 14: codes.'AAA"),
    ({"codes": '"A/*" = "lost"'}, "line 14: codes.A/*: /* stands for further parts, and scan.code"),
    (
        {"scan": 'code = "c"\nfold = true', "codes": '"Got it" = "lost"\n"GOT  IT" = "lost"'},
        "line 16: codes.GOT  IT: is the same as 'Got it' in line 15, since scan.fold is true",
    ),
]


@pytest.mark.parametrize(("tables", "message"), LINES, ids=lambda each: str(each)[:60])
def test_a_wrong_line_is_told_with_its_number(tables: dict[str, str], message: str) -> None:
    messages = wrong(text(**tables))
    assert [each for each in messages if each.startswith(message)], messages
    # what it was meant to be lacks then, and a wrong word may be of no use in two ways
    others = [each for each in messages if not each.startswith(message)]
    assert all(re.search("is missing|no such key", o) for o in others)


def test_all_wrong_lines_are_told_at_once_in_their_order() -> None:
    messages = wrong(
        text(
            top="limit = 0",
            auth='strategy = "hmca"',
            parcel='number = "a..b"',
            scan="code = 5",
            time='path = "at"\nzone = "X"',
            codes='"A" = "x"\n"B" = {status="y"}',
        )
    )
    assert [int(re.findall(r"\d+", each)[0]) for each in messages] == [2, 4, 6, 8, 11, 13, 14]


@pytest.mark.parametrize("table", ["auth", "parcel", "scan", "codes"])
def test_a_table_that_lacks_is_told_with_what_it_is_for(table: str) -> None:
    whole = re.sub(rf"(?s)\[{table}\]\n.*?(?=\n\[|\Z)", "", text(), count=1)
    assert [
        each
        for each in wrong(whole + "\n[x]")
        if f" {table}: is missing: " in each or f" {table}.code: is missing" in each
    ]


@pytest.mark.parametrize("table", ["auth", "parcel", "scan", "codes", "when", "reasons"])
def test_what_should_be_a_table_and_is_none_is_told(table: str) -> None:
    whole = f"{table} = 5\n" + text().replace(f"[{table}]", f"[other_{table}]")
    whole = whole.replace("[scan.time]", "[other]") if table == "scan" else whole
    assert any(
        each.startswith(f"line 1: {table}: a table [{table}] is expected, and 5 is found")
        for each in wrong(whole)
    )


@pytest.mark.parametrize("taken", [*MARKETPLACES, *MODULES])
def test_no_mapping_may_take_the_name_of_a_source(taken: str) -> None:
    whole = text().replace(f'"{NAME}"', f'"{taken}"', 1)
    assert wrong(whole, taken) == [
        f"line 1: name: {taken!r} is a source already; choose another name"
    ]


@pytest.mark.parametrize("name", ["A", "a", "a-b", "1ab", "a b", "x" * 41, "é" * 3])
def test_a_name_is_one_that_an_address_can_end_with(name: str) -> None:
    (message,) = wrong(text().replace(f'"{NAME}"', f'"{name}"', 1), name)
    assert message.startswith(f"line 1: name: {name!r} is no name")


def test_a_mapping_bears_the_name_of_its_file() -> None:
    assert wrong(text(), "other") == [
        "line 1: name: 'tried' is not the file's name, 'other', as it must be"
    ]


def test_the_words_that_are_accepted_are_all_told() -> None:
    (message,) = wrong(text(codes='"A" = "gone"'))
    assert {status.value for status in TrackingStatus} <= set(re.findall(r"\w+", message))
    for key, words in (("reason", REASONS), ("delivered_to", DELIVERED_TO), ("proof", PROOFS)):
        (message,) = wrong(text(codes=f'"A" = {{status = "delivered", {key} = "gone"}}'))
        assert words <= set(re.findall(r"\w+", message))


# What is no TOML


def test_a_line_that_is_no_toml_hides_no_other() -> None:
    messages = wrong(text(top="limit =", codes='"A" = "lost\n"B" = "gone"'))
    assert messages[0].startswith("line 2: is no TOML: Invalid value (column 8)")
    assert messages[1].startswith("line 14: is no TOML: Illegal character")
    assert messages[2].startswith("line 15: codes.B: 'gone' is none of")
    assert len(messages) == 3


def test_what_may_stand_in_a_line_that_is_no_toml_is_not_said_to_lack() -> None:
    (message,) = wrong(text(parcel="number = no"))
    assert message.startswith("line 7: is no TOML")


def test_a_bracket_that_is_never_closed_is_told_once() -> None:
    (message,) = wrong(text(scan='code = ["a"'))
    assert "is no TOML" in message


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "line 1: "),
        (b"\xff", "line 1: is no text in UTF-8"),
        (b'name = "x"\n\n"\xe9"', "line 3: is no text in UTF-8"),
        (b"a = " + b"[" * 5000, "line 1: "),
        (b"a = " + b"9" * 5000, "line 1: is no TOML"),
        (b"\x00", "line 1: is no TOML"),
        (text().encode() + b"[codes]", "line 21: is no TOML"),
    ],
)
def test_what_is_hardly_a_file_is_told(raw: bytes, message: str) -> None:
    messages = wrong(raw)
    assert messages[0].startswith(message), messages


def test_line_ends_and_marks_of_other_editors_are_no_matter() -> None:
    for raw in (text().replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + text().encode()):
        assert wrong(raw) == []
    raw = text(codes='"A" = "gone"').replace("\n", "\r\n").encode()
    assert wrong(raw)[0].startswith("line 14: codes.A")


# What works, and not as one might think


def test_what_is_worth_knowing_is_told_and_no_error() -> None:
    assert warnings() == []
    (zone,) = warnings(time='path = "at"\nformat = "%Y-%m-%d %H:%M"')
    assert zone.startswith("line 13: scan.time.format: times of this form name no offset from UTC")
    for enough in ('zone = "Asia/Manila"', 'offset = "tz"'):
        assert warnings(time=f'path = "at"\nformat = "%Y-%m-%d %H:%M"\n{enough}') == []
    assert warnings(time='path = "at"\nformat = "%Y-%m-%d %H:%M %z"') == []
    (never,) = warnings(codes='"A" = "picked_up"')
    assert never.startswith("line 13: codes: no code means delivered")


# Where a key stands

TRICKY = '''# a = 1 [x]
top = """
[no]
key = 1
""" # "
'q.1' = 5
"e\\u0301" = { a = 1, "b.c" = [1, { d = 2 }], e.f = "}" }
[table . "sub.x"]  # [y]
when = 2026-11-10 18:04:31
list = [ # one
  "a]",
  'b"',
  [ 1,
    2 ], # last
]
esc = "\\"\\\\" # "
[[many]]
x = 1
[[many]]
x = \'\'\'
\'\'\'\'\'
y.z = true
'''


def test_keys_are_found_however_they_are_written() -> None:
    lines = lines_of(TRICKY)
    sub: Where = ("table", "sub.x")
    expected: dict[Where, int] = {
        ("top",): 2,
        ("q.1",): 6,
        ("e\u0301",): 7,
        ("e\u0301", "b.c", 1, "d"): 7,
        ("e\u0301", "e", "f"): 7,
        sub: 8,
        (*sub, "when"): 9,
        (*sub, "list"): 10,
        (*sub, "list", 0): 11,
        (*sub, "list", 1): 12,
        (*sub, "list", 2): 13,
        (*sub, "list", 2, 1): 14,
        (*sub, "esc"): 16,
        ("many", 0, "x"): 18,
        ("many", 1): 19,
        ("many", 1, "x"): 20,
        ("many", 1, "y", "z"): 22,
    }
    assert {where: lines.get(where) for where in expected} == expected
    assert lines.keys() == set(wheres(tomllib.loads(TRICKY)))
    assert line_at(lines, (*sub, "list", 9, "x")) == 10
    assert line_at(lines, ("nowhere",)) == 1


def wheres(found: Any, where: Where = ()) -> list[Where]:
    """The way to everything in a document."""
    inside: Iterable[tuple[str | int, Any]] = ()
    if isinstance(found, dict | list):
        inside = found.items() if isinstance(found, dict) else enumerate(found)
    return [each for k, v in inside for each in ((*where, k), *wheres(v, (*where, k)))]


def test_every_key_of_the_example_stands_on_the_line_that_is_told() -> None:
    rows = EXAMPLE.splitlines()
    for where, line in lines_of(EXAMPLE).items():
        keys = [key for key in where if isinstance(key, str)]
        assert keys[-1] in rows[line - 1]


# Bent by a machine

ROWS = EXAMPLE.splitlines()
VALUES = [line.partition("=")[2].strip() for line in ROWS if "=" in line and line[0] != "#"]
SCRAPS = [
    "",
    "]",
    "=",
    '"',
    "[codes]",
    "[scan]",
    "x = 1",
    '"""',
    "[[a]]",
    "{",
    "'''",
    "\u0000",
    "é",
]


@st.composite
def bent_files(draw: st.DrawFn) -> str:
    """The example with lines dropped, doubled, moved or cut, and values swapped."""
    rows = list(ROWS)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(rows) - 1))
        change = draw(st.sampled_from(["drop", "double", "move", "swap", "cut", "scrap", "key"]))
        if change == "drop" and len(rows) > 1:
            del rows[at]
        elif change == "double":
            rows.insert(at, rows[at])
        elif change == "move":
            rows.insert(draw(st.integers(0, len(rows) - 1)), rows.pop(at))
        elif change == "swap" and "=" in rows[at]:
            rows[at] = rows[at].partition("=")[0] + "= " + draw(st.sampled_from(VALUES))
        elif change == "cut":
            rows[at] = rows[at][: draw(st.integers(0, len(rows[at])))]
        elif change == "scrap":
            rows[at] = draw(st.sampled_from(SCRAPS))
        elif change == "key" and "=" in rows[at]:
            rows[at] = draw(st.text(max_size=8)) + " =" + rows[at].partition("=")[2]
    return "\n".join(rows)


@patient
@given(bent_files())
def test_a_bent_file_is_right_or_told_line_by_line(whole: str) -> None:
    raw = whole.encode("utf-8", "surrogatepass")
    last = whole.count("\n") + 1
    problems = problems_of(raw)
    for problem in problems:
        assert 1 <= problem.line <= last
        assert problem.what
        assert "\n" not in str(problem)
        assert len(str(problem)) < 1000
    if not problems:
        by = mapped.unchecked("example_3pl", raw)
        for path in samples("example_3pl"):
            assert outcome(by, sample_bytes(path))


def problems_of(raw: bytes) -> tuple[mapped.Problem, ...]:
    try:
        check("example_3pl", raw)
    except MappingError as error:
        return error.problems
    return ()


def outcome(by: Mapped, sent: bytes) -> Translation | str:
    """What a body means by a right mapping, or why nothing. Any other exception is a bug."""
    try:
        return by.translate(Delivery(by.NAME, "a", sent, REAL))
    except (Unreadable, ValueError) as problem:
        return str(problem)


def test_a_path_that_was_never_looked_into_fails_the_delivery_and_no_more() -> None:
    whole = text(parcel='number = "a..b"').encode()
    by = mapped.unchecked(NAME, whole)
    with pytest.raises(Unreadable, match=r"parcel.number `a..b`: no JMESPath: .* at column 3"):
        told(by, body())
    assert told(made(), body()).scans
