"""Evidence packs: what is in one, that it fits, and that whatever is changed shows."""

import io
import json
import random
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.evidence import check as checking
from cli.evidence.check import check
from cli.evidence.gather import NoEvidence, gather
from cli.evidence.zipped import NoPack, as_json, sha256, unzipped, zipped
from shipclock import chain, codec, rows
from shipclock.blobs import put_blob
from shipclock.chain import Anchor
from shipclock.domain.event import Link
from shipclock.marketplaces.protocol import Blob
from shipclock.ports import Change, Key, Row
from shipclock.snapshots import BUYER_KEPT_OPEN
from shipclock.sweep import MOST_SHARING
from shipclock.translate import put_link
from tests.builders import patient
from tests.evidence import altered, faults, forged, keys_of, lived, made, small, told, waited, wrong
from tests.pictures import PDF_FILE, jpeg
from tests.scenes import answering, fetching, writing
from tests.stage import APP_SECRET, CARRIER_SECRET, SECRETS, SHOP_ID, Stage

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def story() -> tuple[Stage, str]:
    return lived()


@pytest.fixture(scope="module")
def data(story: tuple[Stage, str]) -> bytes:
    return made(*story)


@pytest.fixture
def life() -> tuple[Stage, str]:
    return lived()


def json_in(data: bytes, name: str) -> Any:
    return json.loads(unzipped(data)[name])


# What is in it


def test_all_of_an_orders_pack_fits_alone_and_against_the_table(
    story: tuple[Stage, str], data: bytes
) -> None:
    assert check(data) == []
    assert check(data, story[0].store, SECRETS) == []


def test_the_same_table_makes_the_same_bytes(story: tuple[Stage, str], data: bytes) -> None:
    stage, order_id = story
    stage.real.pass_time(3600)
    assert made(stage, order_id) == data


def test_the_same_files_make_the_same_bytes_on_every_python() -> None:
    files = {"a.txt": b"x" * 1000, "\u00e9.txt": b"", "b/c.json": as_json({"a": [1, "\u00e9"]})}
    known = "28c5fcf42b3a2c1e50da06606218ce1641778489dd6e3ecb1f42fe5bc6d4f41b"
    assert sha256(zipped(files)) == known, "as Python 3.11, 3.12 and 3.13 make them"


NO_FACTS = {"HEAD", "REREAD", "BUYER", "HANDOVER", "CHAIN"}


@pytest.mark.parametrize("begin", [lived, waited, small, writing, fetching, answering])
def test_every_row_that_settling_reads_is_a_fact_or_known_to_be_none(
    begin: Callable[..., tuple[Stage, str]],
) -> None:
    """A new kind of row belongs into `chain.OF_ORDER`, or here."""
    stage, order_id = begin("approve") if begin is answering else begin()
    stage.settle_down()
    found = [
        row
        for pk, partition in stage.memory.rows.items()
        if pk.startswith(("ORDER#", "NUMBER#"))
        for row in partition.values()
    ]
    assert {row["sk"].partition("#")[0] for row in found if not chain.what(row)} <= NO_FACTS
    assert wrong(made(stage, order_id), stage) == []


def test_any_zip_program_reads_it_and_any_json_reader_the_manifest(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as pack:
        assert pack.testzip() is None
        told = json.loads(pack.read("manifest.json"))
        assert told["format"] == "shipclock-evidence-1"
        assert set(told["files"]) == set(pack.namelist()) - {"manifest.json"}


def test_the_bodies_are_those_that_arrived_with_what_proved_their_senders(
    story: tuple[Stage, str], data: bytes
) -> None:
    stage, _ = story
    files = unzipped(data)
    arrived = {rows.body_of(row) for row in stage.kept}
    bodies = [body for name, body in files.items() if name.endswith(".body")]
    assert len(bodies) == 6
    assert set(bodies) <= arrived
    for name in sorted(n for n in files if re.fullmatch(r"deliveries/\d+\.json", n)):
        about = json.loads(files[name])
        assert about["verification"]["state"] == "proven"
        assert set(about["headers"]) in (
            {"authorization"},
            {"webhook-id", "webhook-timestamp", "webhook-signature"},
        )


def test_every_fact_of_an_order_is_in_it_and_bound(story: tuple[Stage, str], data: bytes) -> None:
    kinds: set[str] = set()
    for pack in (data, made(*waited())):
        facts = [json.loads(line) for line in unzipped(pack)["facts.jsonl"].splitlines()]
        kinds |= {chain.what(row).partition(".")[0] for row in facts}
        assert json_in(pack, "manifest.json")["chain"]["facts"] >= len(facts)
    assert kinds == {*chain.OF_ORDER.values(), *chain.OF_NUMBER.values()}


def test_the_story_is_told_in_utc_and_shop_time_with_when_it_was_known(data: bytes) -> None:
    text = unzipped(data)["timeline.txt"].decode()
    line = next(line for line in text.splitlines() if "SYN-0001: picked_up" in line)
    assert line.startswith("2026-11-01 07:00:00 | 2026-11-01 15:00:00 | 2026-11-23 12:")
    assert "link 3" in line
    assert "[delivery 000" in line
    assert "Verdict two_failed_attempts, standing" in text
    assert "guide-2023:two_failed_attempts" in text
    assert re.search(r"It took effect: ship_package, .*, request SANDBOX\d+", text)
    assert re.search(r"link 3 \| PUSH#ship_package#.* stood at pending \(Shipclock\)", text)


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def test_the_page_needs_nothing_and_runs_nothing(data: bytes) -> None:
    page = unzipped(data)["page.html"].decode()
    tags = Tags()
    tags.feed(page)
    assert not tags.tags & {"script", "link", "iframe", "object", "form", "a", "base"}
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name == "href"]
    assert all(
        (value or "").startswith("data:image/") for n, value in tags.attributes if n == "src"
    )
    for said in ("two_failed_attempts", "not_acknowledged", "Asia/Kuala_Lumpur", "guide-2023"):
        assert said in page


def test_what_strangers_wrote_is_only_text_on_the_page() -> None:
    stage, order_id = small()
    evil = "<script>alert(1)</script>"
    stage.carrier_tells("SYN-1", "in_transit", order_id=order_id, carrier=evil)
    stage.settle_down()
    files = unzipped(made(stage, order_id))
    page = files["page.html"].decode()
    assert evil not in page
    assert "&lt;script&gt;alert(1)" in page
    assert wrong(made(stage, order_id)) == []


def test_no_secret_is_in_it(data: bytes) -> None:
    for secret in (APP_SECRET, CARRIER_SECRET, "TTP_access", "TTP_refresh", "GCP_synthetic_cipher"):
        assert secret.encode() not in data


def test_a_body_in_which_a_secret_stands_is_left_out_and_its_digest_stays() -> None:
    stage, order_id = small()
    stage.carrier_tells("SYN-1", "in_transit", order_id=order_id, note=CARRIER_SECRET)
    stage.settle_down()
    pack = made(stage, order_id)
    held = [json_in(pack, n) for n in unzipped(pack) if re.fullmatch(r"deliveries/\d+.json", n)]
    assert sorted(one["state"] for one in held) == ["kept", "withheld"]


def test_without_the_secret_it_says_that_senders_were_proven_at_receipt(
    story: tuple[Stage, str],
) -> None:
    pack = made(*story, secrets=None)
    assert json_in(pack, "deliveries/0001.json")["verification"]["state"] == "at_receipt"
    assert wrong(pack) == []


def test_a_secret_that_was_rotated_is_told_and_no_fault_of_the_facts(
    story: tuple[Stage, str],
) -> None:
    other = {**SECRETS, "tiktok_shop": [{"account": "synthkey0001", "secrets": ["another"]}]}
    pack = made(*story, secrets=other)
    states = [
        json_in(pack, name)["verification"]["state"]
        for name in unzipped(pack)
        if re.fullmatch(r"deliveries/\d+\.json", name)
    ]
    assert {"no_more", "proven"} == set(states)
    assert wrong(pack) == []
    assert faults(check(pack, secrets=other)), "asked whether senders are proven, it says no"


def test_redacted_it_has_no_bodies_and_still_fits(story: tuple[Stage, str]) -> None:
    stage, order_id = story
    pack = made(stage, order_id, redacted=True)
    assert not [name for name in unzipped(pack) if name.endswith((".body", ".jpg"))]
    assert check(pack, stage.store) == []


def test_redacted_a_message_to_the_buyer_is_its_digest() -> None:
    stage, order_id = writing()
    stage.settle_down()
    said = b"Your mug is on its way"
    assert said in made(stage, order_id)
    pack = made(stage, order_id, redacted=True)
    assert said not in pack
    assert wrong(pack) == []
    withheld = [line for line in unzipped(pack)["facts.jsonl"].splitlines() if b"withheld" in line]
    assert len(withheld) == 2, "the request and the push"


def test_a_body_that_holds_the_buyers_data_is_told() -> None:
    stage, order_id = small()
    buyer = {"name": "Nurul Synthetic", "phone": "+60 12 000 0000"}
    key = rows.order_pk(order_id), rows.BUYER
    kept = int((stage.real.now + BUYER_KEPT_OPEN).timestamp())
    row = {
        "pk": key[0],
        "sk": key[1],
        "doc": json.dumps(buyer),
        "told_at": 10**15,
        "expires_at": kept,
    }
    stage.memory.rows[key[0]][key[1]] = row
    stage.carrier_tells("SYN-1", "in_transit", order_id=order_id, location="nurul synthetic")
    stage.settle_down()
    pack = made(stage, order_id)
    holds = [
        json_in(pack, n)["holds"]
        for n in unzipped(pack)
        if n.startswith("deliveries/") and n.endswith(".json")
    ]
    assert sorted(holds) == [[], ["name"]]
    assert b"+60 12 000 0000" not in pack


def test_proofs_are_kept_and_labels_only_where_asked_for(life: tuple[Stage, str]) -> None:
    stage, order_id = life
    package = stage.judged(order_id).order.packages[0].package_id
    photo, label = jpeg(40, 40), PDF_FILE
    put_blob(stage.store, order_id, f"PROOF#{package}", Blob("image/jpeg", photo), stage.real.now)
    put_blob(
        stage.store, order_id, f"LABEL#{package}", Blob("application/pdf", label), stage.real.now
    )
    files = unzipped(made(stage, order_id))
    assert files["pictures/proof-0001.jpg"] == photo
    assert label not in files.values()
    assert b"data:image/jpeg;base64," in files["page.html"]
    assert unzipped(made(stage, order_id, labels=True))["pictures/label-0001.pdf"] == label
    redacted = made(stage, order_id, redacted=True)
    assert photo not in unzipped(redacted).values()
    for pack in (made(stage, order_id), made(stage, order_id, labels=True), redacted):
        assert wrong(pack) == []


def test_a_delivery_whose_time_is_over_is_told_and_its_digest_known(
    life: tuple[Stage, str],
) -> None:
    stage, order_id = life
    stage.real.pass_time(181 * 86400)
    pack = made(stage, order_id)
    assert {json_in(pack, n)["state"] for n in unzipped(pack) if n.startswith("deliveries/")} == {
        "expired"
    }
    (note,) = check(pack, stage.store)
    assert not note.fault
    assert re.fullmatch(r"Only digests are left of deliveries \(\d+\) .* \(\d+\) cite\.", note.what)


def test_an_order_that_is_not_known_or_was_never_settled_is_told() -> None:
    stage, _ = small()
    with pytest.raises(NoEvidence, match="is not known"):
        gather(stage.store, "1", stage.real.now)
    stage.carrier_tells("SYN-9", "in_transit", order_id="576000000000000999")
    stage.settle_down()
    with pytest.raises(NoEvidence, match="never settled"):
        gather(stage.store, "576000000000000999", stage.real.now)


# Old orders


def unchained(stage: Stage, order_id: str) -> None:
    """As versions before chains left an order."""
    partition = stage.memory.rows[rows.order_pk(order_id)]
    for sk in [sk for sk in partition if sk.startswith(rows.CHAIN)]:
        del partition[sk]
    for pk in (rows.order_pk(order_id), rows.number_pk("SYN0001")):
        for row in stage.memory.rows[pk].values():
            for name in [n for n in row if n.startswith("chain") or n in ("via", "anchor")]:
                del row[name]


def test_an_order_without_a_chain_says_so(life: tuple[Stage, str]) -> None:
    stage, order_id = life
    unchained(stage, order_id)
    pack = made(stage, order_id)
    (finding,) = check(pack, stage.store)[:1]
    assert not finding.fault
    assert "has no chain" in finding.what
    assert wrong(pack, stage) == []


def test_an_old_order_is_chained_from_its_next_settle_on_and_says_since_when(
    life: tuple[Stage, str],
) -> None:
    stage, order_id = life
    unchained(stage, order_id)
    stage.real.pass_time(3 * 86400)
    told(stage, order_id, 15 * 24 + 1, "in_transit")
    pack = made(stage, order_id)
    assert wrong(pack, stage) == []
    begun = json_in(pack, "manifest.json")["chain"]
    assert begun["since"].startswith("2026-11-26T")
    assert begun["links"] <= 2


# Whatever is changed shows


def test_any_bit_that_is_changed_in_a_small_zip_shows() -> None:
    whole = zipped({"a.txt": b"one", "manifest.json": b"{}\n"})
    assert unzipped(whole) == {"a.txt": b"one", "manifest.json": b"{}\n"}
    for place in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << (place % 8)
        with pytest.raises(NoPack):
            unzipped(bytes(changed))


def test_a_bit_changed_in_any_byte_of_a_pack_shows() -> None:
    pack, dice = made(*small()), random.Random(7)
    for place in range(0, len(pack), 5):
        changed = bytearray(pack)
        changed[place] ^= 1 << dice.randrange(8)
        assert wrong(bytes(changed)), f"byte {place}"


def test_what_is_cut_off_or_added_shows(data: bytes) -> None:
    for other in (data[:-1], data[1:], data + b"\n", b"PK" + data, b"", b"no zip", data * 2):
        assert wrong(other)


def replaced(name: str, old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old in files[name], (name, old)
        files[name] = files[name].replace(old, new, 1)

    return change


def removed(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        del files[name]

    return change


FORGERIES: dict[str, Callable[[dict[str, bytes]], None]] = {
    "a fact": replaced("facts.jsonl", b"delivery_attempt_failed", b"delivered"),
    "a fact's delivery": replaced("facts.jsonl", b'"via": "standard', b'"via": "estandard'),
    "a verdict": replaced("facts.jsonl", b"2nd time", b"3rd time"),
    "a push's state": replaced("facts.jsonl", b'"state": "done"', b'"state": "dead"'),
    "a spelling": replaced("facts.jsonl", b'"doc": ', b'"doc":  '),
    "a link of the chain": replaced("chain.txt", b"made push", b"read push"),
    "when it was known": replaced("chain.txt", b" 2026-11-23T12:01", b" 2026-11-22T12:01"),
    "a body": replaced("deliveries/0002.body", b"picked_up", b"delivered"),
    "the status": replaced("order.json", b'"status": "IN_', b'"status": "UN_'),
    "the zone": replaced("order.json", b"Asia/Kuala_Lumpur", b"Asia/Tokyo"),
    "an impossible zone": replaced("order.json", b"Asia/Kuala_Lumpur", b"Asia/Nowhere"),
    "the pack": replaced("packs/guide-2023.toml", b"hours = 120", b"hours = 240"),
    "the page": replaced("page.html", b"two_failed_attempts", b"three_failed_attempts"),
    "the story": replaced("timeline.txt", b"picked_up", b"delivered"),
    "the readme": replaced("README.txt", b"SHA-256", b"MD5"),
    "no page": removed("page.html"),
    "no body": removed("deliveries/0001.body"),
    "no delivery": removed("deliveries/0001.json"),
    "no chain": removed("chain.txt"),
    "no order": removed("order.json"),
    "another file": lambda files: files.update({"more.txt": b"hello"}),
    "no fact": lambda files: files.update(
        {"facts.jsonl": b"".join(files["facts.jsonl"].splitlines(True)[1:])}
    ),
    "a fact twice": lambda files: files.update(
        {"facts.jsonl": files["facts.jsonl"] + files["facts.jsonl"].splitlines(True)[0]}
    ),
    "no link": lambda files: files.update(
        {"chain.txt": files["chain.txt"].rpartition(b"shipclock-chain-1")[0]}
    ),
    "an odd fact": lambda files: files.update({"facts.jsonl": b'{"pk": 1, "sk": 2}\n'}),
    "a bare list": lambda files: files.update({"facts.jsonl": b"[]\n"}),
    "an odd order": lambda files: files.update({"order.json": b"[]\n"}),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_whatever_is_changed_by_one_who_makes_manifest_and_zip_fit_shows(
    data: bytes, what: str
) -> None:
    assert wrong(forged(data, FORGERIES[what]))


UNBOUND = ("order.json", "deliveries/0002.json")
"""Some of what these say no link binds, see docs/evidence.md: here it is that nothing breaks."""

NAMES = ("facts.jsonl", "chain.txt", "manifest.json", *UNBOUND)
ODD = (b"null", b"[]", b"-1", b'"\\ud800"', b"1e999", b"{}", b'"0001-01-01T00:00:00+23:00"')


@cache
def whole() -> bytes:
    return made(*lived())


@patient
@given(
    name=st.sampled_from(NAMES),
    odd=st.sampled_from(ODD),
    where=st.integers(0, 400),
    depth=st.sampled_from((0, 0, 0, 100_000)),
)
def test_whatever_a_pack_says_it_is_refused_and_nothing_breaks(
    name: str, odd: bytes, where: int, depth: int
) -> None:
    data = whole()

    def change(files: dict[str, bytes]) -> None:
        values = list(re.finditer(rb'(?<=: )("[^"\n]*"|\d+|true|false|null|\[\])', files[name]))
        words = values or list(re.finditer(rb"\S+", files[name]))
        chosen = words[where % len(words)]
        said = b"[" * depth + odd
        files[name] = files[name][: chosen.start()] + said + files[name][chosen.end() :]

    pack = forged(data, change)
    found = faults(check(pack, secrets=SECRETS))
    assert found or pack == data or name in UNBOUND


def test_hostile_zips_are_refused_in_a_sentence(data: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("facts.jsonl", b"0" * 50_000_000)
    (only,) = check(out.getvalue())
    assert "compressed" in only.what
    for name in ("../../x", "/etc/x", "a" * 60_000):
        assert wrong(forged(data, lambda files, n=name: files.update({n: b""})))  # type: ignore[misc]


# The table


def told_otherwise(row: Row) -> Row:
    doc = row["doc"]
    return {**row, "doc": doc.replace("2026", "2025", 1)}


IMMUTABLE = ("ORDER EVENT", "NUMBER EVENT")
OF_THE_ORDER = (*IMMUTABLE, "ORDER LINK", "NUMBER LINK", "ORDER VERDICT", "ORDER PUSH")


@pytest.mark.parametrize("kind", OF_THE_ORDER)
def test_a_row_that_is_changed_shows(data: bytes, life: tuple[Stage, str], kind: str) -> None:
    stage, order_id = life
    for key in keys_of(stage, order_id)[kind]:
        stage, order_id = lived()
        altered(stage, key, told_otherwise if kind != "ORDER LINK" else _relinked)
        assert wrong(data, stage), key
        assert wrong(made(stage, order_id)), key


def _relinked(row: Row) -> Row:
    return {**row, "doc": row["doc"].replace('"source":"', '"source":"x')}


def test_a_reminder_that_is_changed_or_removed_shows() -> None:
    def fresh() -> tuple[Stage, str, Key]:
        stage, order_id = waited()
        return stage, order_id, keys_of(stage, order_id)["ORDER NOTICE"][0]

    for change in (told_otherwise, lambda row: None):
        stage, order_id, key = fresh()
        assert wrong(made(stage, order_id), stage) == []
        altered(stage, key, change)
        assert wrong(made(stage, order_id))


@pytest.mark.parametrize("kind", OF_THE_ORDER)
def test_a_row_that_is_removed_shows(data: bytes, life: tuple[Stage, str], kind: str) -> None:
    stage, order_id = life
    for key in keys_of(stage, order_id)[kind]:
        stage, order_id = lived()
        altered(stage, key, lambda row: None)
        assert wrong(data, stage), key
        assert wrong(made(stage, order_id)), key


def test_a_row_that_is_added_shows(data: bytes, life: tuple[Stage, str]) -> None:
    stage, order_id = life
    for kind, keys in keys_of(stage, order_id).items():
        if kind not in OF_THE_ORDER:
            continue
        stage, order_id = lived()
        pk, sk = keys[0]
        stage.memory.rows[pk][f"{sk}x"] = {**stage.memory.rows[pk][sk], "sk": f"{sk}x"}
        assert wrong(data, stage), kind
        assert wrong(made(stage, order_id)), kind


def test_rows_that_are_swapped_show(data: bytes, life: tuple[Stage, str]) -> None:
    stage, order_id = life
    one, other = keys_of(stage, order_id)["NUMBER EVENT"][:2]
    partition = stage.memory.rows[one[0]]
    partition[one[1]]["doc"], partition[other[1]]["doc"] = (
        partition[other[1]]["doc"],
        partition[one[1]]["doc"],
    )
    assert wrong(data, stage)
    assert wrong(made(stage, order_id))


@pytest.mark.parametrize("kind", [*IMMUTABLE, "ORDER VERDICT"])
def test_what_was_changed_still_shows_after_the_next_settles(
    data: bytes, life: tuple[Stage, str], kind: str
) -> None:
    stage, order_id = life
    key = keys_of(stage, order_id)[kind][0]
    altered(stage, key, lambda row: {**row, "doc": row["doc"].replace("a", "e", 1)})
    told(stage, order_id, 16 * 24, "in_transit")
    told(stage, order_id, 17 * 24, "delivered")
    assert wrong(data, stage)
    assert wrong(made(stage, order_id))


def test_what_was_removed_still_shows_after_the_next_settles(life: tuple[Stage, str]) -> None:
    stage, order_id = life
    key = next(
        key
        for key in keys_of(stage, order_id)["NUMBER EVENT"]
        if "attempt_failed" in stage.memory.rows[key[0]][key[1]]["doc"]
    )
    altered(stage, key, lambda row: None)
    told(stage, order_id, 16 * 24, "in_transit")
    assert [what for what in wrong(made(stage, order_id)) if "is missing" in what]


OTHER_HEADS: dict[str, Row] = {
    "another digest": {"chain": b"\0" * 32},
    "no digest": {"chain": "x"},
    "no bytes": {"chain_open": "x"},
    "no text": {"chain_open": b"x"},
    "another text": {"chain_open": zlib.compress(b"hello")},
    "no links": {"chain_open": zlib.compress(b"")},
    "nothing": {"chain_open": None},
}


@pytest.mark.parametrize("what", OTHER_HEADS)
def test_a_head_whose_chain_is_changed_shows_now_and_after_the_next_settles(
    life: tuple[Stage, str], what: str
) -> None:
    stage, order_id = life
    head = rows.order_pk(order_id), rows.HEAD
    hours = 15 * 24 + 1
    while not chain.read(stage.store.read(head[0])).open:
        told(stage, order_id, hours, "in_transit")
        hours += 1
    data = made(stage, order_id)
    altered(stage, head, lambda row: {**row, **OTHER_HEADS[what]})
    assert wrong(data, stage)
    assert wrong(made(stage, order_id))
    for day in (16, 17, 18):
        told(stage, order_id, day * 24, "in_transit")
    assert wrong(data, stage)
    assert wrong(made(stage, order_id))


def test_of_a_small_orders_head_no_links_are_not_taken_for_no_chain() -> None:
    stage, order_id = small()
    head = rows.order_pk(order_id), rows.HEAD
    altered(stage, head, lambda row: {**row, "chain_open": zlib.compress(b"")})
    assert wrong(made(stage, order_id))


def test_links_that_are_removed_or_made_anew_show(data: bytes, life: tuple[Stage, str]) -> None:
    stage, order_id = life
    sealed = keys_of(stage, order_id)["ORDER CHAIN"]
    altered(stage, sealed[0], lambda row: None)
    assert wrong(data, stage)
    stage, order_id = lived()
    unchained(stage, order_id)
    told(stage, order_id, 16 * 24, "in_transit")
    assert wrong(made(stage, order_id)) == [], "it fits by itself: it is an old order's"
    assert wrong(data, stage), "and is not the one that an earlier pack has"


def test_a_chain_that_was_written_anew_is_found_out_by_what_was_announced(
    life: tuple[Stage, str],
) -> None:
    stage, order_id = life
    anchors = [
        Anchor(int(event["chain"].partition(":")[0]), event["chain"].partition(":")[2])
        for event in stage.announced
        if event.get("order_id") == order_id
    ]
    logged = [
        Anchor(line.fields["links"], line.fields["head"])
        for line in stage.lines
        if line.name == "order.chained" and line.fields["order_id"] == order_id
    ]
    assert anchors
    assert set(anchors) <= set(logged)
    assert logged[-1] == gather(stage.store, order_id, stage.real.now).anchor
    assert check(made(stage, order_id), anchors=logged) == []
    unchained(stage, order_id)
    key = keys_of(stage, order_id)["NUMBER EVENT"][0]
    altered(stage, key, lambda row: {**row, "doc": row["doc"].replace("a", "e", 1)})
    told(stage, order_id, 16 * 24, "in_transit")
    pack = made(stage, order_id)
    for anchor in (anchors[0], logged[-1]):
        assert faults(check(pack, anchors=[anchor]))


def test_an_order_that_moved_on_still_fits_its_older_pack(
    data: bytes, life: tuple[Stage, str]
) -> None:
    stage, order_id = life
    told(stage, order_id, 16 * 24, "delivered")
    found = check(data, stage.store)
    assert faults(found) == []
    assert "has moved on" in found[0].what


def test_a_pack_of_another_order_or_table_shows(data: bytes) -> None:
    other, order_id = small()
    assert wrong(data, other), "the same id, another life"
    other.memory.rows.pop(rows.order_pk(order_id))
    (finding,) = check(data, other.store)
    assert "knows no order" in finding.what


def test_two_orders_that_share_a_number_each_have_a_chain_that_fits() -> None:
    stage = Stage()
    orders = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(2)
    ]
    told(stage, orders[0], 0)
    told(stage, orders[0], 5, "picked_up")
    link = codec.read_link(next(iter(stage.store.read("NUMBER#SYN0001", rows.LINK))))
    put_link(stage.store, replace(link, order_id=orders[1]), stage.real.now)
    told(stage, orders[0], 6, "in_transit")
    told(stage, orders[0], 30, "delivered")
    for order_id in orders:
        pack = made(stage, order_id)
        assert wrong(pack, stage) == []
        assert pack.count(b"NUMBER#SYN0001") >= 5


def sharing(count: int) -> tuple[Stage, list[str]]:
    """Orders, the first of which a carrier has named under a number."""
    stage = Stage()
    orders = [
        stage.sandbox.add_order(SHOP_ID, status="AWAITING_SHIPMENT", items={"MUG": 1})
        for _ in range(count)
    ]
    told(stage, orders[0], 5, "picked_up")
    return stage, orders


def versions(stage: Stage, orders: list[str]) -> list[int]:
    return [stage.memory.rows[rows.order_pk(order_id)][rows.HEAD]["version"] for order_id in orders]


def link_to(stage: Stage, order_id: str) -> None:
    """The number is linked to one more order."""
    known = codec.read_link(next(iter(stage.store.read("NUMBER#SYN0001", rows.LINK))))
    put_link(stage.store, replace(known, order_id=order_id), stage.real.now)


def test_an_order_is_settled_anew_when_another_gets_its_number() -> None:
    stage, (first, second) = sharing(2)
    before = versions(stage, [first])
    link_to(stage, second)
    assert wrong(made(stage, first), stage) != []
    stage.settle_down()
    assert versions(stage, [first]) > before
    for order_id in (first, second):
        assert wrong(made(stage, order_id), stage) == []
    assert stage.sweep().due_left == 0


def test_a_number_that_very_many_orders_bear_has_only_the_newest_settled() -> None:
    stage, orders = sharing(MOST_SHARING + 1)
    for order_id in orders[1:-1]:
        link_to(stage, order_id)
    stage.settle_down()
    before = versions(stage, orders)
    link_to(stage, orders[-1])
    stage.settle_down()
    after = versions(stage, orders)
    assert after[:-1] == before[:-1]
    assert after[-1] > before[-1]
    assert stage.sweep().due_left == 0
    assert check(made(stage, orders[0]), stage.store) == []


def test_a_links_mark_under_the_order_is_cleared_too() -> None:
    stage, (order_id,) = sharing(1)
    key = (rows.order_pk(order_id), rows.LINK + "SYN0001")
    mark = rows.mark(key, rows.at_once(stage.real.now))
    assert stage.store.write(Change(key, set=mark))
    assert stage.sweep().due_left == 0


def test_a_sweep_with_more_due_numbers_than_time_still_settles_orders() -> None:
    stage, orders = sharing(1)
    for number in range(40):
        link = Link(f"SYN{number:04}9", orders[0], "standard_webhooks")
        put_link(stage.store, link, stage.real.now)
    read = stage.memory.read

    def slowly(pk: str, prefix: str = "") -> list[Row]:
        stage.real.pass_time(2)
        return read(pk, prefix)

    stage.memory.read = slowly  # type: ignore[method-assign]
    before = versions(stage, orders)
    stage.sweep()
    stage.memory.read = read  # type: ignore[method-assign]
    stage.settle_down()
    assert versions(stage, orders) > before
    assert stage.sweep().due_left == 0


@pytest.mark.parametrize("zone", ["America", "A" * 5000])
def test_a_zone_that_is_none_is_a_finding(zone: str) -> None:
    data = made(*small())
    assert wrong(forged(data, replaced_zone(zone))) != []


def replaced_zone(zone: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        order = json.loads(files["order.json"])
        order["shop"]["zone"] = zone
        files["order.json"] = as_json(order)

    return change


def test_a_chain_of_a_length_that_can_not_be_is_a_finding() -> None:
    def change(files: dict[str, bytes]) -> None:
        order = json.loads(files["order.json"])
        order["chain"]["links"] = 10**17
        files["order.json"] = as_json(order)

    assert wrong(forged(made(*small()), change)) != []


def test_an_order_with_two_numbers_binds_the_scans_of_both() -> None:
    stage, order_id = small()
    told(stage, order_id, 5, "picked_up")
    told(stage, order_id, 6, "picked_up", number="SYN-0002")
    told(stage, order_id, 30, "delivered")
    told(stage, order_id, 31, "delivered", number="SYN-0002")
    pack = made(stage, order_id)
    assert wrong(pack, stage) == []
    assert pack.count(b"NUMBER#SYN0001") >= 3
    assert pack.count(b"NUMBER#SYN0002") >= 3


def test_what_is_delivered_again_is_bound_once() -> None:
    stage, order_id = small()
    told(stage, order_id, 5, "picked_up")
    before = gather(stage.store, order_id, stage.real.now).anchor
    for row in list(stage.kept):
        altered(
            stage,
            (row["pk"], row["sk"]),
            lambda known: {**known, **rows.mark(rows.key_of(known), rows.at_once(stage.real.now))},
        )
    stage.settle_down()
    assert gather(stage.store, order_id, stage.real.now).anchor == before


def test_a_push_that_moved_on_after_the_last_settle_is_told_apart() -> None:
    stage, order_id = lived()
    (key,) = keys_of(stage, order_id)["ORDER PUSH"]
    altered(
        stage,
        key,
        lambda row: {**row, "doc": row["doc"].replace('"done"', '"dead"'), "state": "dead"},
    )
    found = [f for f in check(made(stage, order_id)) if f.fault]
    assert "PUSH#" in found[0].what
    assert "right while a push is under way" in found[0].means


def test_a_source_that_is_gone_is_a_note(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        raise KeyError(name)

    monkeypatch.setattr(checking, "source", gone)
    found = check(data)
    assert faults(found) == []
    assert len(found) == 6


def test_another_version_says_that_it_does_not_compare_the_page(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "software", lambda: "another")
    (note,) = check(data)
    assert not note.fault
    assert "Another version" in note.what


def test_the_script_of_the_page_checks_a_pack_with_python_alone(
    story: tuple[Stage, str], data: bytes, tmp_path: Path
) -> None:
    page = (Path(__file__).parent.parent / "docs" / "evidence.md").read_text("utf-8")
    (script,) = re.findall(r"^```python\n(.*?)^```$", page, flags=re.M | re.S)
    (tmp_path / "by_hand.py").write_text(script)

    def by_hand(pack: bytes) -> int:
        path = tmp_path / "pack.zip"
        path.write_bytes(pack)
        command = [sys.executable, "-I", str(tmp_path / "by_hand.py"), str(path)]
        return subprocess.run(command, capture_output=True, check=False).returncode

    assert by_hand(data) == 0
    assert by_hand(made(*story, redacted=True)) == 0
    for what in ("a fact", "a fact's delivery", "a link of the chain", "a body", "no fact"):
        assert by_hand(forged(data, FORGERIES[what])), what
