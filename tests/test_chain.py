"""The chain of an order's facts by itself: what it binds, byte for byte, and how small it is."""

import hashlib
import json
import random
import zlib
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.units import item_size
from cli.evidence.bound import chained
from shipclock import chain, codec, rows
from shipclock.chain import Chain, Extension
from shipclock.domain.clock import Notice
from shipclock.ports import Row
from tests.builders import NUMBER, ORDER, REAL, SECOND, T0, after, patient, scan, snapshot

VIA = f"standard_webhooks#default#{'0' * 64}"


def scans(count: int, first: int = 0) -> list[Row]:
    """The rows of that many scans of one number."""
    told = (scan("in_transit", n / 10) for n in range(first, first + count))
    return [codec.scan_row(one, REAL, VIA) for one in told]


class Rows:
    """An order's rows as settles write them, with nothing but its chain in the head."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Row] = {}
        self.settles = 0

    def put(self, *found: Row) -> None:
        self.found |= {rows.key_of(row): row for row in found}

    def settle(self, *wrote: Row) -> Extension | None:
        """What a settle binds that reads all rows and writes these."""
        self.settles += 1
        order = [row for row in self.found.values() if row["pk"] == rows.order_pk(ORDER)]
        real = REAL + self.settles * SECOND
        told = chain.extend(ORDER, chain.read(order), self.facts, wrote, T0, real)
        self.put(*wrote)
        if told is not None:
            key = rows.order_pk(ORDER), rows.HEAD
            self.put({**self.found.get(key, {"pk": key[0], "sk": key[1]}), **told.head})
            self.put(*([told.sealed] if told.sealed else []))
        return told

    @property
    def facts(self) -> list[Row]:
        return [row for row in self.found.values() if chain.what(row)]

    @property
    def chain(self) -> Chain:
        return chain.read([r for r in self.found.values() if r["pk"] == rows.order_pk(ORDER)])

    def findings(self) -> list[str]:
        found = chained(ORDER, self.chain, self.facts)
        return [finding.what for finding in found if finding.fault]


def test_a_links_digest_is_what_its_page_says_reckoned_by_hand() -> None:
    table = Rows()
    row = codec.event_row(snapshot(), REAL)
    table.put(row)
    told = table.settle()
    assert told is not None
    listed = json.dumps(
        [row["pk"], row["sk"], "snapshot", "", "", row["doc"]], separators=(",", ":")
    )
    name = hashlib.sha256(json.dumps([row["pk"], row["sk"]], separators=(",", ":")).encode())
    text = (
        f"shipclock-chain-1 {ORDER} 1 2026-11-23T12:00:01Z 2026-11-01T02:00:00Z {'0' * 64}\n"
        f"read event {name.hexdigest()[:16]} {hashlib.sha256(listed.encode()).hexdigest()}\n"
    )
    assert told.anchor.head == hashlib.sha256(text.encode()).hexdigest()
    assert told.head["chain"].hex() == told.anchor.head
    assert str(told.anchor) == f"1:{told.anchor.head}"


def test_a_settle_that_finds_nothing_new_binds_nothing() -> None:
    table = Rows()
    table.put(codec.event_row(snapshot(), REAL), *scans(3))
    assert table.settle() is not None
    assert table.settle() is None
    assert len(table.chain.links) == 1


def test_due_marks_and_what_a_settle_notes_for_itself_are_no_facts() -> None:
    table = Rows()
    row = codec.event_row(snapshot(), REAL)
    table.put(row)
    table.settle()
    table.put({**{k: v for k, v in row.items() if k not in rows.MARK}, "put_off": 3})
    assert table.settle() is None


def test_what_is_written_is_told_apart_from_what_was_met() -> None:
    table = Rows()
    table.put(codec.event_row(snapshot(), REAL))
    notice = Notice("untracked", "reminder", after(120), "2026-11-06", "Nothing was scanned.")
    table.settle(codec.notice_row(rows.order_pk(ORDER), notice, REAL))
    (link,) = table.chain.links
    assert [(entry.how, entry.what) for entry in link.entries] == [
        ("read", "event"),
        ("made", "notice"),
    ]
    assert table.settle() is None


def test_a_fact_that_moves_is_bound_in_each_state_and_one_that_comes_back_once_more() -> None:
    table = Rows()
    row: Row = {"pk": rows.order_pk(ORDER), "sk": "PUSH#x", "state": "pending", "doc": "{}"}
    for state in ("pending", "refused", "pending"):
        table.put({**row, "state": state})
        assert table.settle() is not None
    assert [e.what for link in table.chain.links for e in link.entries] == [
        "push.pending",
        "push.refused",
        "push.pending",
    ]
    assert table.findings() == []


@patient
@given(st.lists(st.integers(0, 12), max_size=60), st.integers(0, 10_000))
def test_whatever_comes_when_the_chain_holds_and_binds_all_of_it(
    arrivals: list[int], seed: int
) -> None:
    table, dice = Rows(), random.Random(seed)
    waiting = scans(sum(arrivals))
    dice.shuffle(waiting)
    for count in arrivals:
        for _ in range(count):
            table.put(waiting.pop())
        table.settle()
    assert table.findings() == []
    bound = {e.digest for link in table.chain.links for e in link.entries}
    assert bound == {chain.digest(row) for row in table.facts}
    assert table.chain.facts == len(bound)


def test_a_head_holds_few_links_however_many_facts_there_are() -> None:
    table = Rows()
    largest = 0
    for number in range(400):
        table.put(*scans(1, first=number))
        table.settle()
        largest = max(largest, len(table.found[rows.order_pk(ORDER), rows.HEAD]["chain_open"]))
    assert largest <= chain.OPEN_MOST
    assert table.chain.anchor.links == 400
    assert table.findings() == []
    sealed = [row for row in table.found.values() if row["sk"].startswith(rows.CHAIN)]
    assert all(item_size(row) < 1024 for row in sealed), "a write unit each"
    assert len(sealed) <= 400 / 6, "and they are few"


def test_ten_thousand_scans_at_once_are_bound_by_some_settles_and_the_head_stays_small() -> None:
    table = Rows()
    for number in range(5):
        own = [
            codec.scan_row(scan("in_transit", n / 10, number=f"{NUMBER}{number}"), REAL, VIA)
            for n in range(2_000)
        ]
        table.put(*own)
    extensions = []
    while (told := table.settle()) is not None:
        extensions.append(told)
    assert [told.more for told in extensions] == [True] * 4 + [False]
    assert table.chain.facts == 10_000
    assert item_size(table.found[rows.order_pk(ORDER), rows.HEAD]) < 700
    assert all(item_size(told.sealed) < 400 * 1024 for told in extensions if told.sealed)
    assert table.findings() == []


def ruined(packed: bytes) -> Sequence[Any]:
    other = zlib.compress(b"another text")
    return (b"", packed[:-3], other, zlib.compress(b"shipclock-chain-1 x\n"), "text", None, 7)


@pytest.mark.parametrize("place", range(7))
def test_rows_that_can_t_be_read_as_a_chain_never_stop_a_settle_and_show(place: int) -> None:
    for where, name in ((rows.HEAD, "chain_open"), (f"{rows.CHAIN}0000000", "links")):
        table = Rows()
        table.put(*scans(40))
        for number in range(40, 90):
            table.put(*scans(1, first=number))
            table.settle()
            if number > 80 and table.chain.open:
                break
        key = rows.order_pk(ORDER), where
        table.put({**table.found[key], name: ruined(table.found[key][name])[place]})
        assert table.chain.broken
        table.put(*scans(1, first=90))
        assert table.settle() is not None
        assert table.chain.broken or table.findings()


def test_a_chain_that_was_broken_goes_on_and_never_fits_again() -> None:
    table = Rows()
    table.put(*scans(3))
    table.settle()
    key = rows.order_pk(ORDER), rows.HEAD
    table.put({**table.found[key], "chain_open": b"?"})
    for number in range(3, 60):
        table.put(*scans(1, first=number))
        assert table.settle() is not None
    assert not table.chain.broken, "what could not be read was written over"
    assert any("does not lead to its head" in what for what in table.findings())


def test_rows_of_an_order_whose_head_lost_its_chain_are_not_written_over() -> None:
    table = Rows()
    for number in range(40):
        table.put(*scans(1, first=number))
        table.settle()
    sealed = {key for key in table.found if key[1].startswith(rows.CHAIN)}
    key = rows.order_pk(ORDER), rows.HEAD
    table.found[key] = {"pk": key[0], "sk": key[1]}
    for number in range(40, 80):
        table.put(*scans(1, first=number))
        told = table.settle()
        assert told is not None
        assert told.sealed is None or rows.key_of(told.sealed) not in sealed
    assert table.findings()


def test_texts_that_are_no_links_are_refused() -> None:
    for text in ("x", "read event a b\n", "shipclock-chain-1 a b\n", "shipclock-chain-1 \nx\n"):
        with pytest.raises((TypeError, ValueError)):
            list(chain.unfolded(text))
    assert list(chain.unfolded("")) == []
