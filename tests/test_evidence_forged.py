"""Evidence against somebody who has our software: what he makes of a pack or a table shows."""

import io
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.evidence import command
from cli.evidence.case import Case, Picture, case_in, files_of, told_chain
from cli.evidence.check import check
from cli.evidence.gather import NoEvidence
from cli.evidence.made import pack
from cli.evidence.zipped import MANIFEST, manifest, sha256, unzipped, zipped
from shipclock import chain, codec, rows
from shipclock.chain import START, Anchor
from shipclock.domain.tracking import TrackingStatus
from shipclock.ports import Row
from shipclock.rules import packs
from tests.evidence import altered, faults, keys_of, lived, made, small, told, wrong
from tests.stage import SECRETS, Stage


@pytest.fixture(scope="module")
def story() -> tuple[Stage, str]:
    return lived()


@pytest.fixture(scope="module")
def case(story: tuple[Stage, str]) -> Case:
    return case_in(unzipped(made(*story)))


@pytest.fixture
def life() -> tuple[Stage, str]:
    return lived()


def changed(case: Case, change: Callable[[Row], Row | None]) -> Case:
    """The case with other facts; None leaves one out."""
    facts = [told for row in case.facts if (told := change(dict(row))) is not None]
    return replace(case, facts=tuple(facts))


def shown(stage: Stage, data: bytes) -> list[str]:
    """What does not fit, with all that there is to hold a pack against."""
    return faults(check(data, stage.store, SECRETS))


# What is withheld


def _told_otherwise(row: Row) -> Row:
    if not row["sk"].startswith(rows.VERDICT):
        return row
    return {**row, "doc": row["doc"].replace("2nd", "3rd"), "withheld": chain.digest(row)}


def _hidden(row: Row) -> Row:
    if not row["sk"].startswith(rows.VERDICT):
        return row
    return {"pk": row["pk"], "sk": row["sk"], "state": row["state"], "withheld": chain.digest(row)}


@pytest.mark.parametrize("change", [_told_otherwise, _hidden])
@pytest.mark.parametrize("redacted", [False, True])
def test_no_digest_stands_for_words_but_of_messages_to_the_buyer(
    story: tuple[Stage, str], change: Callable[[Row], Row], redacted: bool
) -> None:
    stage, order_id = story
    case = case_in(unzipped(made(stage, order_id, redacted=redacted)))
    forged = changed(case, change)
    files = files_of(forged)
    files |= {name: data for name, data in unzipped(pack(case)).items() if name not in files}
    files[MANIFEST] = manifest(files, {"order_id": case.order_id, "chain": told_chain(case)})
    assert wrong(zipped(files))
    assert shown(stage, zipped(files))


def _hushed(row: Row) -> Row:
    if not row["sk"].startswith(rows.PUSH):
        return row
    return {"pk": row["pk"], "sk": row["sk"], "state": row["state"], "withheld": chain.digest(row)}


def test_what_a_redacted_pack_withholds_is_named_and_no_fault(story: tuple[Stage, str]) -> None:
    stage, order_id = story
    case = case_in(unzipped(made(stage, order_id, redacted=True)))
    data = pack(changed(case, _hushed))
    assert wrong(data) == []
    assert any("withheld: PUSH#" in finding.what for finding in check(data))


def test_what_is_withheld_bears_the_state_that_is_bound(story: tuple[Stage, str]) -> None:
    stage, order_id = story
    case = case_in(unzipped(made(stage, order_id, redacted=True)))

    def otherwise(row: Row) -> Row:
        hushed = _hushed(row)
        return {**hushed, "state": "refused"} if "withheld" in hushed else row

    assert wrong(pack(changed(case, otherwise)))


def test_a_pack_that_is_said_to_be_redacted_has_no_bodies(case: Case) -> None:
    assert wrong(pack(replace(case, redacted=True)))


# The chain


def test_a_pack_without_the_chain_that_the_table_has_is_none_of_it(
    story: tuple[Stage, str], case: Case, tmp_path: Path
) -> None:
    bare = replace(case, links=(), anchor=Anchor(0, START))
    data = pack(changed(bare, lambda row: {**row, "doc": row["doc"].replace("2nd", "3rd")}))
    assert shown(story[0], data)
    file = tmp_path / "bare.zip"
    file.write_bytes(data)
    said = CliRunner().invoke(command.group, ["verify", str(file)]).output
    assert "No chain binds its facts" in said
    assert "All of it fits" not in said


def test_links_of_many_invented_orders_excuse_nothing(case: Case) -> None:
    (own,) = [row for row in case.facts if chain.what(row) == "owner"]
    link = codec.read_link(own)
    crowd = [
        chain.fact(codec.link_rows(replace(link, order_id=f"9{number}"), case.links[0].real)[0])
        for number in range(30)
    ]
    assert wrong(pack(replace(case, facts=(*case.facts, *crowd))))


@pytest.mark.parametrize("version", [-1, 0, 1, 1000])
@pytest.mark.parametrize("moved", [timedelta(days=-13), timedelta(days=400)])
def test_when_the_order_was_settled_is_held_against_chain_and_table(
    story: tuple[Stage, str], case: Case, moved: timedelta, version: int
) -> None:
    settled_at = f"{case.links[-1].now + moved:%Y-%m-%dT%H:%M:%SZ}"
    head = {**case.head, "settled_at": settled_at, "version": case.head["version"] + version}
    data = pack(replace(case, head=head))
    assert shown(story[0], data)
    if moved < timedelta(0):
        assert wrong(data)


@pytest.mark.parametrize("name", ["version", "events", "facts", "settled_at"])
def test_a_head_that_is_changed_in_the_table_shows(life: tuple[Stage, str], name: str) -> None:
    stage, order_id = life
    data = made(stage, order_id)

    def other(row: Row) -> Row:
        value = row[name]
        bumped = value + 1 if isinstance(value, int) else value.replace("2026", "2027")
        return {**row, name: bumped if bumped != value else "0" * 32}

    key = rows.order_pk(order_id), rows.HEAD
    altered(stage, key, other)
    if name == "version":
        altered(stage, key, lambda row: {**row, "version": row["version"] - 1})
        assert wrong(data, stage) == []
    else:
        assert wrong(data, stage)


# The table


def invented(stage: Stage, via: str) -> Callable[[Row], Row]:
    """A scan that says that the parcel was delivered, made of one that does not."""

    def change(row: Row) -> Row:
        scan = codec.read_scan(row)
        other = replace(scan, identity="invented", status=TrackingStatus.DELIVERED)
        return codec.scan_row(other, stage.real.now, via)

    return change


def _put_invented(stage: Stage, order_id: str, via: str) -> None:
    key = next(k for k in keys_of(stage, order_id)["NUMBER EVENT"])
    row = invented(stage, via)(stage.memory.rows[key[0]][key[1]])
    stage.memory.rows[row["pk"]][row["sk"]] = row
    told(stage, order_id, 15 * 24 + 2, "in_transit")


def test_a_scan_that_no_delivery_brought_shows(life: tuple[Stage, str]) -> None:
    stage, order_id = life
    _put_invented(stage, order_id, "")
    (fault,) = wrong(made(stage, order_id))
    assert fault.endswith("invented was told by nobody.")


def test_a_scan_of_a_delivery_that_never_came_is_not_told_as_one_that_ended(
    life: tuple[Stage, str],
) -> None:
    stage, order_id = life
    _put_invented(stage, order_id, f"standard_webhooks#default#{'ab' * 32}")
    found = check(made(stage, order_id), stage.store, SECRETS)
    assert [finding.what for finding in found] == [
        "Only digests are left of deliveries (1) that facts (1) cite."
    ]
    assert "never came" in found[0].means


@pytest.mark.parametrize("state", ["done", "refused", "dead", "pending", "withdrawn"])
def test_a_push_that_was_done_can_not_be_told_otherwise(
    life: tuple[Stage, str], state: str
) -> None:
    stage, order_id = life
    old = made(stage, order_id)
    keys = keys_of(stage, order_id)["ORDER PUSH"]
    done = [key for key in keys if stage.memory.rows[key[0]][key[1]]["state"] == "done"]

    def otherwise(row: Row) -> Row:
        doc = row["doc"].replace("2026-", "2025-").replace('"done"', f'"{state}"')
        return {**row, "doc": doc, "state": state}

    altered(stage, done[0], otherwise)
    told(stage, order_id, 15 * 24 + 2, "in_transit")
    assert any("was found changed" in fault for fault in wrong(made(stage, order_id)))
    assert wrong(old, stage)


@pytest.mark.parametrize("kind", ["ORDER VERDICT", "ORDER PUSH"])
def test_what_was_removed_and_then_made_again_shows(life: tuple[Stage, str], kind: str) -> None:
    stage, order_id = life
    for key in keys_of(stage, order_id)[kind]:
        altered(stage, key, lambda row: None)
    told(stage, order_id, 15 * 24 + 2, "in_transit")
    assert wrong(made(stage, order_id))


@pytest.mark.parametrize("kind", ["ORDER EVENT", "ORDER LINK", "NUMBER EVENT", "NUMBER LINK"])
@pytest.mark.parametrize("doc", ["garbage", b"garbage", "{}", 5])
def test_rows_that_can_not_be_read_are_told_of(
    life: tuple[Stage, str], kind: str, doc: Any
) -> None:
    stage, order_id = life
    data = made(stage, order_id)
    altered(stage, keys_of(stage, order_id)[kind][0], lambda row: {**row, "doc": doc})
    assert wrong(data, stage)


# The file


def lying(method: int, size: int = 50_000_000) -> bytes:
    """A zip whose directory says that a large file in it has ten bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as bomb:
        bomb.writestr("facts.jsonl", b"0" * size)
    data = bytearray(out.getvalue())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 10)
    return bytes(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_would_swell_is_not_unpacked(
    method: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *given: pytest.fail("it was read"))
    (only,) = check(lying(method))
    assert "compressed" in only.what


def test_nothing_in_a_pack_moves_the_cursor(case: Case, tmp_path: Path) -> None:
    files = {**unzipped(pack(case)), "\x1b[2K\x1b[1A": b""}
    files[MANIFEST] = manifest(files, {"order_id": case.order_id, "chain": told_chain(case)})
    file = tmp_path / "odd.zip"
    file.write_bytes(zipped(files))
    result = CliRunner().invoke(command.group, ["verify", str(file)])
    assert result.exit_code == 1
    assert "\x1b" not in result.output


@pytest.mark.parametrize("software", ["\x1b[8m", "0123", "F" * 16, "0" * 16 + "\n"])
def test_only_a_version_of_ours_may_have_made_it(case: Case, software: str) -> None:
    assert wrong(pack_of(replace(case, software=software)))


@pytest.mark.parametrize(
    "file", ["../x", "pictures/../../x", "/etc/x", "pictures/A.jpg", "pictures/x.jpg/y", "facts"]
)
def test_a_picture_lies_among_pictures(case: Case, file: str) -> None:
    picture = Picture(file, {"kind": "own proof", "sha256": sha256(b"x"), "bytes": "1"}, b"x")
    assert wrong(pack_of(replace(case, pictures=(picture,))))


def pack_of(case: Case) -> bytes:
    """A pack of what our software would not make one of."""
    files = files_of(case)
    files[MANIFEST] = manifest(files, {"order_id": case.order_id, "chain": told_chain(case)})
    return zipped(files)


def test_only_texts_and_names_of_ours_are_in_it(case: Case) -> None:
    other = replace(case, software="0" * 16)
    assert wrong(pack_of(replace(other, order_id=5)))  # type: ignore[arg-type]
    assert wrong(pack_of(replace(other, packs={"../../evil": ""})))


def test_only_the_packs_that_judge_the_order_are_in_it(case: Case) -> None:
    other = {"us-2026": packs.text_of("us-2026")}
    for found in (other, {**case.packs, **other}, {}):
        assert wrong(pack(replace(case, packs=found)))


def test_facts_stand_in_one_order(case: Case) -> None:
    data = unzipped(pack(case))
    data["facts.jsonl"] = b"".join(reversed(data["facts.jsonl"].splitlines(True)))
    data[MANIFEST] = manifest(data, {"order_id": case.order_id, "chain": told_chain(case)})
    assert wrong(zipped(data))


def test_no_pack_is_made_of_facts_in_which_a_secret_stands() -> None:
    stage, order_id = small()
    (entry,) = SECRETS["standard_webhooks"]
    stage.carrier_tells("SYN-1", "in_transit", order_id=order_id, carrier=entry["secrets"][0])
    stage.settle_down()
    with pytest.raises(NoEvidence, match="Let its sender give you another"):
        made(stage, order_id)
