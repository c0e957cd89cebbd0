"""`shipclock carriers try`: what it shows, what it refuses, and that it shows no secret."""

import hmac
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli import __main__ as entry
from cli import build, local
from shipclock.ingest import Arrival, NotKept, receive
from shipclock.sources import CARRIERS, MAPPINGS, accounts_of, mapped
from tests.builders import REAL, SAMPLES, samples
from tests.sources.mappings import NAME, SECRET, body, text

EXAMPLE = mapped.FOLDER / "example_3pl.toml"
NOW = str(int(REAL.timestamp()))
AT = ["--at", REAL.isoformat()]


def tried(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(entry.main, ["carriers", "try", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def file(folder: Path, **tables: str) -> Path:
    path = folder / f"{NAME}.toml"
    path.write_text(text(**tables), "utf-8")
    return path


def sent(folder: Path, content: bytes = body()) -> Path:
    path = folder / "sample.json"
    path.write_bytes(content)
    return path


# The mapping


def test_a_right_mapping_is_told_with_its_address_and_proof() -> None:
    result = tried(EXAMPLE)
    assert result.exit_code == 0
    assert "POST …/webhooks/carriers/example_3pl" in result.output
    assert "header x-example-signature" in result.output


def test_every_wrong_line_is_told_with_file_and_number(tmp_path: Path) -> None:
    path = file(tmp_path, top="limit = 0", codes='"GO" = "gone"')
    result = tried(path, "--sample", sent(tmp_path))
    assert result.exit_code == 1
    assert f"{path}:2: limit: a whole number from 1 to 358400" in result.stderr
    assert f"{path}:14: codes.GO: 'gone' is none of info_received" in result.stderr
    assert result.stdout == "tried.toml can't be used: 2 lines to mend\n"


def test_what_is_worth_knowing_is_told_and_does_not_fail(tmp_path: Path) -> None:
    path = file(tmp_path, auth='strategy = "bearer"')
    result = tried(path)
    assert result.exit_code == 0
    assert "mind tried.toml:4: auth.strategy: the proof does not cover the body" in result.output


def test_a_file_that_is_not_there_is_told() -> None:
    result = tried("nowhere.toml")
    assert result.exit_code == 2
    assert "nowhere.toml" in result.output


# Samples


def rows(result: Result) -> list[list[str]]:
    """The table's cells; columns are parted by two blanks or more."""
    lines = [line for line in result.output.splitlines() if line.startswith("  SYN")]
    return [[cell for cell in line.split("  ") if cell] for line in lines]


def test_each_scan_is_shown_with_its_time_and_what_that_rests_on() -> None:
    sample = SAMPLES / "example_3pl" / "delivered.json"
    result = tried(EXAMPLE, "--sample", sample, *AT)
    assert result.exit_code == 0, result.output
    assert [row[1] for row in rows(result)] == [
        *("info_received", "picked_up", "in_transit", "in_transit", "out_for_delivery"),
        *("delivery_attempt_failed", "delivered"),
    ]
    assert [cell.strip() for cell in rows(result)[-1]] == [
        *("SYN000101", "delivered", "2026-11-19T02:02:15Z", "offset", "576000000000000101"),
        *("neighbour", "signature", "Delivered"),
    ]
    assert "Contoh" not in result.output


def test_what_is_left_out_is_told_with_why_and_fails() -> None:
    result = tried(EXAMPLE, "--sample", SAMPLES / "example_3pl" / "odd_entries.json", *AT)
    assert result.exit_code == 1
    assert "left out: parcel 0: scan[1]: an object was expected, not str" in result.output
    assert "left out: parcel 0: scan[2]: scan.code `status`: a text" in result.output
    assert "left out: parcel 0: scan[3]: scan.time.path `at`: 'yesterday' is not" in result.output
    assert "left out: parcel 1: parcel.number `tracking.number`: 1 to 64" in result.output
    assert len(rows(result)) == 1


def test_a_code_that_is_not_in_the_table_is_told_and_does_not_fail() -> None:
    result = tried(EXAMPLE, "--sample", SAMPLES / "example_3pl" / "code_of_tomorrow.json", *AT)
    assert result.exit_code == 0
    assert "mind: code 'BEAMED UP' is not in [codes], and counts as unknown" in result.output
    assert "HELD/CUSTOMS' is not" not in result.output


@pytest.mark.parametrize("path", samples("example_3pl"))
def test_every_sample_of_the_example_can_be_tried(path: str) -> None:
    result = tried(EXAMPLE, "--sample", SAMPLES / path, *AT)
    assert result.exit_code == (1 if "odd" in path else 0)


def test_a_body_that_means_nothing_says_why(tmp_path: Path) -> None:
    path = file(tmp_path, more='[when]\npath = "event"\nvalues = ["moved"]')
    result = tried(path, "--sample", sent(tmp_path, body(event="paid")))
    assert result.exit_code == 0
    assert "note: event is 'paid', which means nothing" in result.output


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "unreadable: "),
        (b"[]", "unreadable: a JSON object was expected, not list"),
        (b"\xff", "unreadable: "),
        (body(no=...), "left out: parcel.number `no`: 1 to 64"),
        (body(at="x" * 1000), "left out: scan.time.path `at`: "),
        (b'{"a":"' + b"x" * (256 * 1024) + b'"}', "refused: 262152 bytes, and `limit` is 262144"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_sample_that_is_no_good_is_told_and_fails(
    tmp_path: Path, content: bytes, message: str
) -> None:
    result = tried(file(tmp_path), "--sample", sent(tmp_path, content))
    assert result.exit_code == 1
    assert message in result.output


def test_no_sample_speaks_to_the_terminal(tmp_path: Path) -> None:
    result = tried(file(tmp_path), "--sample", sent(tmp_path, body(code="\x1b[2J\r\nX", at="\x1b")))
    assert "\x1b" not in result.output
    good = tried(file(tmp_path), "--sample", sent(tmp_path, body(code="\x1b[2J\r\nX")))
    assert (good.exit_code, good.output.count("·[2J··X")) == (0, 1)


def test_one_of_several_samples_fails_for_all(tmp_path: Path) -> None:
    good = sent(tmp_path)
    bad = tmp_path / "bad.json"
    bad.write_bytes(b"{")
    result = tried(file(tmp_path), "--sample", bad, "--sample", good)
    assert result.exit_code == 1
    assert len(rows(result)) == 1


# Whether it would be let in


def let_in(folder: Path, *arguments: str, content: bytes = body(), auth: str = "") -> Result:
    tables = {"auth": auth} if auth else {}
    path, sample = file(folder, **tables), sent(folder, content)
    result = tried(path, "--sample", sample, *AT, *arguments)
    assert SECRET not in result.output
    return result


def mac(text_: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(SECRET.encode(), text_, algorithm).hexdigest()


def test_a_good_signature_is_let_in(tmp_path: Path) -> None:
    result = let_in(tmp_path, "--header", f"X-SIGN: {mac(body())}", "--secret", SECRET)
    assert result.exit_code == 0
    assert result.output.endswith("\nlet in\n")


def test_a_secret_can_be_asked_for(tmp_path: Path) -> None:
    path, sample = file(tmp_path), sent(tmp_path)
    result = CliRunner().invoke(
        entry.main,
        [
            *("carriers", "try", str(path), "--sample", str(sample), "--secret", "-"),
            *("--header", f"x-sign: {mac(body())}"),
        ],
        input=SECRET + "\n",
    )
    assert result.output.endswith("\nlet in\n")
    assert SECRET not in result.output


def test_what_is_let_in_and_not_signed_is_said_to_be_unconfirmed(tmp_path: Path) -> None:
    given = ("--header", f"Authorization: Bearer {SECRET}", "--secret", SECRET)
    result = let_in(tmp_path, *given, auth='strategy = "bearer"')
    assert result.exit_code == 0
    assert "let in; what it says is unconfirmed" in result.output
    assert rows(result)[0][-1] == "unconfirmed"


STAMPED = 'strategy = "hmac"\nheader = "X-Sign"\nsigned = "{timestamp}.{body}"\n' + (
    'timestamp_header = "X-Time"'
)


FORM = 'the header is not written as value = "{signature}"'


@pytest.mark.parametrize(
    ("headers", "auth", "hints"),
    [
        ({"X-Sign": mac(body(), "sha512")}, "", ['the signature fits with algorithm = "sha512"']),
        ({"X-Sign": mac(body()).upper()}, "", ['the signature fits with encoding = "HEX"']),
        ({"X-Mac": mac(body())}, "", ["the signature stands in the header x-mac"]),
        ({"X-Sign": mac(body().rstrip(b"\n"))}, "newline", ["last line break of the file"]),
        (
            {"X-Sign": mac(body()), "X-Time": NOW},
            STAMPED,
            ['the signature fits with signed = "{body}"'],
        ),
        (
            {"X-Sign": mac(b"1000000000." + body()), "X-Time": "1000000000"},
            STAMPED,
            ["the time of sending is more than 300 seconds off", "the signature itself fits"],
        ),
        ({"X-Sign": "sha256=" + mac(body())}, "", [FORM]),
        ({"X-Sign": "0" * 64}, "", ["given: x-sign"]),
        ({"X-Other": "0" * 64}, "", ["no x-sign header", "given: x-other"]),
        (
            {"X-Sign": mac(body())},
            STAMPED,
            ["the x-time header is missing", "the signature fits with"],
        ),
        ({"Webhook-Id": "x"}, 'strategy = "standard_webhooks"', ["webhook-signature"]),
        ({"Authorization": "Basic x"}, 'strategy = "basic"', ["secret must be user:password"]),
    ],
)
def test_who_is_not_let_in_is_told_what_was_expected(
    tmp_path: Path, headers: dict[str, str], auth: str, hints: Sequence[str]
) -> None:
    given = [word for n, v in headers.items() for word in ("--header", f"{n}: {v}")]
    content = body() + b"\n" if auth == "newline" else body()
    auth = "" if auth == "newline" else auth
    result = let_in(tmp_path, *given, "--secret", SECRET, content=content, auth=auth)
    assert result.exit_code == 1
    assert "not let in: " in result.output
    assert [hint for hint in hints if hint not in result.output] == []
    assert "fits with" not in result.output or any("fits" in hint for hint in hints)
    assert not [value for value in headers.values() if len(value) > 20 and value in result.output]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--header", "x: y"],
        ["--secret", SECRET],
        ["--header", "x", "--secret", SECRET],
        ["--header", ": y", "--secret", SECRET],
        ["--at", "yesterday"],
        ["--header", "x: y", "--secret", SECRET, "--sample", str(EXAMPLE)],
    ],
)
def test_what_can_not_be_meant_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    result = tried(file(tmp_path), "--sample", sent(tmp_path), *arguments)
    assert result.exit_code == 2
    assert "Error: " in result.output


# Nothing wrong gets anywhere


def test_no_build_holds_a_mapping_that_can_not_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(build.wrong_mappings(mapped.FOLDER)) == []
    file(tmp_path, top="limit = 0")
    (tmp_path / "shippo.toml").write_text(text().replace(NAME, "shippo"), "utf-8")
    (tmp_path / "notes.txt").write_text("x", "utf-8")
    wrong = list(build.wrong_mappings(tmp_path))
    assert [line.partition(": ")[0] for line in wrong] == ["shippo.toml:1", "tried.toml:2"]
    monkeypatch.setattr(build, "MAPPINGS", tmp_path)
    monkeypatch.setattr(build, "ROOT", tmp_path.parent)
    monkeypatch.setattr(build, "_sam_build", lambda *_, **__: pytest.fail("it was built"))
    for builder in (build.build_local, build.build_aws):
        with pytest.raises(build.BuildError, match=r"tried.toml:2: limit: a whole number"):
            builder()


def test_a_deployed_mapping_that_can_not_be_used_has_its_sender_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file(tmp_path, top="limit = 0")
    monkeypatch.setattr(mapped, "FOLDER", tmp_path)
    for module in ("shipclock.sources", "shipclock.sources.mapped"):
        monkeypatch.setattr(f"{module}.MAPPINGS", (NAME,))
    monkeypatch.setattr("shipclock.sources.SOURCES", (NAME,))
    monkeypatch.setattr("shipclock.ingest.SOURCES", (NAME,))
    arrival = Arrival(NAME, {"x-sign": mac(body())}, body(), REAL)

    def never(row: object) -> bool:
        raise AssertionError(row)

    with pytest.raises(NotKept, match=r"^mapping tried: line 2: limit: a whole number"):
        receive(arrival, lambda: {NAME: [{"secrets": [SECRET]}]}, never, REAL - REAL)


def test_the_local_stack_makes_up_a_secret_as_each_mapping_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {name: local.key_material(name) for name in CARRIERS}
    listed = json.loads(local.sources_secret({"app_key": "k", "app_secret": "s"}, made))
    assert set(MAPPINGS) <= set(listed)
    assert all(accounts_of(listed, name) for name in CARRIERS)

    monkeypatch.setattr("shipclock.sources.MAPPINGS", (NAME,))
    for auth, header in (
        ('strategy = "basic"', "authorization"),
        ('strategy = "standard_webhooks"', "webhook-signature"),
        ('strategy = "hmac"\nheader = "X"\nkey = "base64"', "x"),
        ('strategy = "hmac"\nheader = "X"\nkey = "hex"', "x"),
    ):
        by = mapped.unchecked(NAME, text(auth=auth).encode())
        monkeypatch.setattr(mapped, "load", lambda name, by=by: by)
        (account,) = accounts_of({NAME: [{"secrets": [local.key_material(NAME)["secret"]]}]}, NAME)
        headers = {header: "x", "webhook-id": "1", "webhook-timestamp": NOW}
        with pytest.raises(Exception, match="header"):  # and no ValueError of the secret's form
            by.verify(headers, b"", [account], REAL)


@pytest.mark.parametrize(
    ("does", "heavy"),
    [
        ("import shipclock.ingest", ["tomllib", "jmespath", "shipclock.sources.mapped"]),
        ("import shipclock.sources as s; s.source('example_3pl')", ["pydantic", "jmespath"]),
    ],
)
def test_a_cold_start_looks_at_names_and_an_arrival_reads_one_file(
    does: str, heavy: list[str]
) -> None:
    layer = Path(str(mapped.__file__)).parents[3]
    script = f"import sys; {does}; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(layer), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
