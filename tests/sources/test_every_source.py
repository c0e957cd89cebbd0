"""What holds for every carrier's source, however it signs and whatever it tells."""

import json
import random
import sys
import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.tracking import (
    DELIVERED_TO,
    PROOFS,
    REASONS,
    UNCONFIRMED,
    Scan,
    TrackingStatus,
    fold_parcel,
)
from shipclock.ingest import Arrival, receive
from shipclock.ports import Row
from shipclock.reading import Unreadable
from shipclock.sources import (
    CARRIERS,
    MODULES,
    Account,
    Delivery,
    NotAuthentic,
    Translation,
    Unsigned,
)
from shipclock.sources.history import MOST_ENTRIES
from tests.builders import OTHER_SHOP, REAL, SHOP, patient
from tests.sources.bending import Path, bent, leaves
from tests.sources.senders import SENDERS, Sender, as_json

FLAGS = {
    "final",
    "damaged",
    "partial",
    "corrected",
    "exception_unclassified",
    "ambiguous_lost_or_damaged",
    "untrackable",
    "appointment",
    "bad_number",
    "needs_text",
    "repacked",
    UNCONFIRMED,
}
"""The flags of `carriers.md` 1.2, and the ones that its tables and ours add."""

every = pytest.mark.parametrize("sender", SENDERS.values(), ids=lambda each: each.name)
signing = pytest.mark.parametrize(
    "sender", [s for s in SENDERS.values() if s.covers_body], ids=lambda each: each.name
)


def test_every_carrier_with_a_module_has_a_sender_here_and_the_example_of_a_mapping() -> None:
    assert {*MODULES, "example_3pl"} <= set(SENDERS) <= set(CARRIERS)


# Who is let in


def refused(sender: Sender, sent: tuple[dict[str, str], bytes], *accounts: Account) -> NotAuthentic:
    with pytest.raises(NotAuthentic) as problem:
        sender.verify(sent, *accounts)
    for secret in (sender.secret, sender.other):
        assert secret not in str(problem.value)
    return problem.value


@every
def test_what_is_well_signed_is_its_accounts(sender: Sender) -> None:
    for body in sender.bodies:
        assert sender.verify(sender.send(body)) == sender.account()


@every
def test_a_missing_proof_is_told_apart_from_a_wrong_one(sender: Sender) -> None:
    headers, body = sender.send(sender.bodies[0])
    wrong = sender.send(sender.bodies[0], sender.other)
    assert not isinstance(refused(sender, wrong), Unsigned)
    if headers:  # else it stands in the body
        assert isinstance(refused(sender, ({"cookie": "x"}, body)), Unsigned)
        assert isinstance(refused(sender, (dict.fromkeys(headers, ""), body)), Unsigned)


@signing
def test_every_altered_byte_of_a_body_is_noticed(sender: Sender) -> None:
    headers, body = sender.send(sender.bodies[0])
    chosen = random.Random(0).sample(range(len(body)), min(len(body), 200))
    for at in chosen:
        altered = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        if sender.same(altered, body):
            continue
        refused(sender, (headers, altered))


@signing
def test_a_byte_more_or_less_is_noticed(sender: Sender) -> None:
    headers, body = sender.send(sender.bodies[0])
    for altered in (body[:-1], body[1:], body + b"%20" if sender.form else body + b" "):
        if not sender.same(altered, body):
            refused(sender, (headers, altered))


@signing
def test_the_same_json_in_other_bytes_is_another_body(sender: Sender) -> None:
    headers, sent = sender.send(sender.bodies[0])
    spaced = json.dumps(json.loads(sender.bodies[0]), indent=1).encode()
    if sender.proof:
        refused(sender, (headers, sender.send(spaced)[1]))
    else:  # the proof stands in the body
        refused(sender, (headers, sent.replace(sender.bodies[0], spaced)))


@every
def test_every_altered_character_of_a_proof_is_noticed(sender: Sender) -> None:
    headers, body = sender.send(sender.bodies[0])
    for name in sender.proof:
        value = headers[name]
        for at in range(len(value)):
            altered = value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
            refused(sender, ({**headers, name: altered}, body))
        for altered in (value + value, f"{value},{value}", value[:-1], value + "0", value + "\x00"):
            refused(sender, ({**headers, name: altered}, body))


HOSTILE = ["é", "\udcff", "\ud800", "\x00", "=", "0" * 100_000, "%s", "{}", "null", "\r\n", "v1,"]


@every
@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_hostile_header_is_refused_without_a_stumble(sender: Sender, value: str) -> None:
    headers, body = sender.send(sender.bodies[0])
    for name in sender.proof:
        refused(sender, ({**headers, name: value}, body))


@every
def test_both_secrets_are_good_while_they_are_rotated(sender: Sender) -> None:
    rotating = sender.account(sender.other, sender.secret)
    for secret in (sender.secret, sender.other):
        sent = sender.send(sender.bodies[0], secret)
        assert sender.verify(sent, rotating) == rotating
    refused(sender, sender.send(sender.bodies[0], sender.other), sender.account(sender.secret))


@every
def test_of_several_accounts_the_one_that_signed_is_found(sender: Sender) -> None:
    for secret, its in ((sender.secret, sender.other), (sender.other, sender.secret)):
        mine = replace(sender.account(secret), shops=(SHOP,))
        theirs = replace(sender.account(its, name="theirs"), shops=(OTHER_SHOP,))
        sent = sender.send(sender.bodies[0], secret)
        assert sender.verify(sent, mine, theirs) == mine
        assert sender.verify(sent, theirs, mine) == mine


@every
def test_nobody_is_let_in_where_there_is_no_account(sender: Sender) -> None:
    headers, body = sender.send(sender.bodies[0])
    with pytest.raises(NotAuthentic):
        sender.module.verify(headers, body, (), REAL)


@every
def test_a_secret_that_can_be_none_is_our_own_fault_and_never_quoted(sender: Sender) -> None:
    sent = sender.send(sender.bodies[0])
    with pytest.raises(ValueError, match=sender.name) as fault:
        sender.verify(sent, sender.account("half a \ud83d"))
    assert "half a" not in str(fault.value)
    assert fault.value.__cause__ is None


@every
def test_a_proof_with_a_time_is_good_for_as_long_as_the_scheme_says(sender: Sender) -> None:
    sent = sender.send(sender.bodies[0])
    for off in (timedelta(days=-400), timedelta(days=400)):
        if sender.tolerance is None:
            assert sender.verify(sent, at=REAL + off) == sender.account()
    if sender.tolerance is not None:
        ahead = sender.tolerance if sender.ahead is None else sender.ahead
        for sign, most in ((1, sender.tolerance), (-1, ahead)):
            last, next_ = (REAL + sign * timedelta(seconds=off) for off in (most, most + 1))
            assert sender.verify(sent, at=last) == sender.account()
            with pytest.raises(NotAuthentic):
                sender.verify(sent, at=next_)


# What it means


def told(sender: Sender, sent: bytes, shops: tuple[str, ...] = ()) -> Translation:
    found: Translation = sender.module.translate(
        Delivery(sender.name, "default", sent, REAL, shops)
    )
    return found


def readable(sender: Sender) -> Iterable[Translation]:
    for body in sender.bodies:
        try:
            yield told(sender, sender.send(body)[1], (SHOP,))
        except Unreadable:
            continue  # some samples are odd on purpose


@every
def test_every_scan_is_said_in_the_common_words(sender: Sender) -> None:
    seen = set()
    for translation in readable(sender):
        for scan in translation.scans:
            judge(scan, sender)
            assert scan.shops == (SHOP,)
            seen.add(scan.status)
        assert all(link.shops == (SHOP,) for link in translation.links)
    assert len(seen) >= 3, "the samples show too little of what it can tell"


def judge(scan: Scan, sender: Sender) -> None:
    assert (scan.source, scan.account, scan.received_at) == (sender.name, "default", REAL)
    assert scan.reason in REASONS | {""}
    assert scan.delivered_to in DELIVERED_TO | {""}
    assert scan.proof in PROOFS | {""}
    assert set(scan.flags) <= FLAGS
    assert scan.raw_code
    assert len(scan.raw_code) <= 300
    assert scan.occurred_at.utcoffset() == timedelta(0)
    assert isinstance(scan.status, TrackingStatus)
    assert scan.confirmed is sender.covers_body


@every
def test_the_same_delivery_again_tells_the_same(sender: Sender) -> None:
    for body in sender.bodies:
        sent = sender.send(body)[1]
        again = Delivery(sender.name, "default", sent, REAL + timedelta(days=1))
        try:
            first = told(sender, sent)
        except Unreadable:
            continue
        repeated = sender.module.translate(again)
        assert [s.identity for s in first.scans] == [s.identity for s in repeated.scans]
        assert first.links == repeated.links


@every
@patient
@given(st.randoms(use_true_random=False))
def test_in_whatever_order_deliveries_come_the_parcels_end_the_same(
    sender: Sender, shuffler: random.Random
) -> None:
    scans = [scan for translation in readable(sender) for scan in translation.scans]
    shuffled = scans * 2
    shuffler.shuffle(shuffled)
    for number in {scan.number for scan in scans}:
        one = fold_parcel(number, (s for s in scans if s.number == number))
        other = fold_parcel(number, (s for s in shuffled if s.number == number))
        assert (one.status, one.failed_attempts) == (other.status, other.failed_attempts)


# Bent by a machine


def outcome(sender: Sender, sent: bytes) -> Translation | str:
    """What an authentic body means, or why nothing. Any other exception is a bug."""
    try:
        return told(sender, sent)
    except (Unreadable, ValueError) as problem:
        return str(problem)


@every
@patient
@given(st.data())
def test_however_a_body_is_bent_it_is_read_or_unreadable(
    sender: Sender, data: st.DataObject
) -> None:
    body = data.draw(bent([json.loads(each) for each in sender.bodies]))
    sent = sender.send(as_json(body))[1]
    found = outcome(sender, sent)
    if isinstance(found, str):
        assert 0 < len(found) < 2_000
        return
    assert found.scans or found.links or found.note
    assert len(found.note) < 2_000
    assert len({scan.identity for scan in found.scans}) == len(found.scans)
    for scan in found.scans:
        judge(scan, sender)
        assert len(repr(scan)) < 20_000
        assert scan.number.isascii()
    assert told(sender, sent) == found


@every
@patient
@given(st.data())
def test_no_body_costs_the_sender_more_than_a_no(sender: Sender, data: st.DataObject) -> None:
    body = data.draw(
        st.one_of(
            bent([json.loads(each) for each in sender.bodies]).map(as_json),
            st.binary(max_size=200).filter(lambda raw: not sender.form or raw.isascii()),
        )
    )
    try:
        headers, sent = sender.send(body)
    except (ValueError, KeyError, TypeError):
        headers, sent = sender.send(sender.bodies[0])[0], body
    kept: list[Row] = []

    def keep(row: Row) -> bool:
        kept.append(row)
        return True

    secrets = {sender.name: [{"secrets": [sender.secret], **(sender.options or {})}]}
    answer = receive(
        Arrival(sender.name, headers, sent, REAL),
        lambda: secrets,
        keep,
        timedelta(days=1),
    )
    assert answer.status in (200, 400, 401)
    assert bool(kept) is (
        not answer.outcome.startswith(("empty", "not_auth", "unsigned", "probed"))
    )


@every
def test_a_body_twice_as_long_takes_no_more_than_twice_the_steps(sender: Sender) -> None:
    """Counted in calls, which no slow machine changes."""
    for body in sender.bodies:
        for path, listed in lists(json.loads(body)):
            most = (sender.module.LIMIT // 4) // (len(as_json(listed[0])) + 2)
            if most < 100:
                continue
            one, two = (
                calls(sender, with_list(json.loads(body), path, [listed[0]] * count))
                for count in (most // 2, most)
            )
            assert two <= 2.2 * one + 500


@every
def test_a_body_at_its_limit_is_read_in_some_megabytes(sender: Sender) -> None:
    longest = max(sender.bodies, key=len)
    listed = max(lists(json.loads(longest)), key=lambda found: len(as_json(found[1])), default=None)
    if listed is None:
        return  # nothing in it can grow but a text, which is cut
    path, entries = listed
    most = min(MOST_ENTRIES, sender.module.LIMIT // (len(as_json(entries[0])) + 2))
    body = with_list(json.loads(longest), path, [entries[0]] * most)
    sent = sender.send(as_json(body))[1]
    tracemalloc.start()
    try:
        outcome(sender, sent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * 1024 * 1024


def calls(sender: Sender, body: object) -> int:
    """How many calls it takes to read a body."""
    sent, count = sender.send(as_json(body))[1], 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        outcome(sender, sent)
    finally:
        sys.setprofile(None)
    return count


def lists(found: Any, path: Path = ()) -> Iterable[tuple[Path, list[Any]]]:
    """Where the lists in a body stand that hold anything, and what they hold."""
    if isinstance(found, list) and found:
        yield path, found
        for at, value in enumerate(found[:3]):
            yield from lists(value, (*path, at))
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from lists(value, (*path, key))


def with_list(body: Any, path: Path, listed: list[Any]) -> Any:
    if not path:
        return listed
    inside = body
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = listed
    return body


@every
def test_no_name_of_a_person_gets_into_the_facts(sender: Sender) -> None:
    """Free text and people's names stay in the delivery: whatever is no code, number or place."""
    for body in sender.bodies:
        names = [
            leaf for leaf in leaves(json.loads(body)) if isinstance(leaf, str) and "Contoh" in leaf
        ]
        try:
            found = repr(told(sender, sender.send(body)[1]))
        except Unreadable:
            continue
        assert not [name for name in names if name in found]
