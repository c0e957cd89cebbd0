"""The example that ships, and a mapping of Ninja Van's bodies beside the module that reads them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from shipclock.domain.tracking import Scan, fold_parcel
from shipclock.reading import Unreadable
from shipclock.sources import MAPPINGS, Delivery, mapped, ninjavan, source
from shipclock.sources.mapped import Mapped, check
from tests.builders import NUMBER, REAL, patient, sample, sample_bytes, samples
from tests.sources import mappings
from tests.sources.bending import bent


def test_the_example_ships_and_is_right() -> None:
    assert "example_3pl" in MAPPINGS
    assert isinstance(source("example_3pl"), Mapped)


@pytest.mark.parametrize("name", MAPPINGS)
def test_every_mapping_that_ships_is_right_and_nothing_is_to_be_minded(name: str) -> None:
    assert source(name) is source(name)
    _, minded = check(name, (mapped.FOLDER / f"{name}.toml").read_bytes())
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
    if "Pickup Exception" in str(found.get("event")):
        # nor does the module take why a delivery failed for why a pickup did
        found.pop("delivery_exception", None)
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
