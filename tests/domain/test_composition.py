"""What packages an order is made of while the marketplace splits and combines them."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.event import Line, Snapshot
from shipclock.domain.linking import MARKETPLACE, NumberFacts
from shipclock.domain.order import fold
from shipclock.domain.push import shipments
from shipclock.domain.tracking import Scan
from tests.builders import (
    ORDER,
    OTHER_ORDER,
    REAL,
    SECOND,
    T0,
    folded,
    line,
    link,
    numbered,
    package_read,
    patient,
    scan,
    snapshot,
)

Told = dict[str, tuple[str, str]]
"""By line: the package it is in, and the number told of that."""


def told(lines: Told, hours: float = 1, **more: Any) -> Snapshot:
    """A re-read that told these lines; a package may carry its status after a colon."""
    listed = []
    for line_id, (package, number) in lines.items():
        package_id, _, status = package.partition(":")
        listed.append(
            line(line_id, package_id=package_id, package_status=status, tracking_number=number)
        )
    ids = tuple(dict.fromkeys(one.package_id for one in listed if one.package_id))
    return snapshot(
        hours=hours,
        sent=REAL + timedelta(hours=hours),
        lines=tuple(listed),
        package_ids=ids,
        **more,
    )


def linked(
    number: str, *scans: tuple[str, float], others: tuple[str, ...] = (), by: str = MARKETPLACE
) -> NumberFacts:
    """A number, its scans, and the orders that it is linked to."""
    links = tuple(link(order_id, T0, number=number, source=by) for order_id in (ORDER, *others))
    found = [scan(status, hours, number=number) for status, hours in scans]
    return numbered(*found, number=number, links=links)


PICKED, ANNOUNCED = ("picked_up", 5.0), ("info_received", 4.0)
WHOLE = told({"1": ("P1", "A"), "2": ("P1", "A")}, 1)
BLANK = told({"1": ("P1", ""), "2": ("P1", "")}, 1)
SPLIT = {"1": ("P2", ""), "2": ("P3", "")}


@pytest.mark.parametrize(
    ("events", "numbers", "packages"),
    [
        pytest.param(
            [WHOLE, told(SPLIT, 2)],
            [linked("A")],
            [("P2", ""), ("P3", "")],
            id="split: the old package's unused label goes with it",
        ),
        pytest.param(
            [WHOLE, told(SPLIT, 2)],
            [linked("A", PICKED)],
            [("", "A"), ("P2", ""), ("P3", "")],
            id="split: a label that was used all the same stays with its scans",
        ),
        pytest.param(
            [WHOLE, told(SPLIT, 2)],
            [linked("A", ANNOUNCED)],
            [("", "A"), ("P2", ""), ("P3", "")],
            id="split: what the carrier said of it stays too",
        ),
        pytest.param(
            [WHOLE, told({"1": ("P2", "A"), "2": ("P3", "B")}, 2)],
            [linked("A", PICKED), linked("B")],
            [("P2", "A"), ("P3", "B")],
            id="split: a number that is told of a new package is that one's",
        ),
        pytest.param(
            [
                told({"1": ("P2", "A"), "2": ("P3", "B")}),
                told({"1": ("P4", ""), "2": ("P4", "")}, 2),
            ],
            [linked("A"), linked("B")],
            [("P4", "")],
            id="combined again: nobody's label is the new package's",
        ),
        pytest.param(
            [
                told({"1": ("P2", "A"), "2": ("P3", "B")}),
                told({"1": ("P4", ""), "2": ("P4", "")}, 2),
            ],
            [linked("A", ("picked_up", 6)), linked("B", PICKED)],
            [("P4", "B"), ("", "A")],
            id="combined again: of labels that were used the first is the new package's",
        ),
        pytest.param(
            [
                told({"1": ("P2", "A"), "2": ("P3", "B")}),
                told({"1": ("P4", "C"), "2": ("P4", "C")}, 2),
            ],
            [linked("A", PICKED), linked("B"), linked("C")],
            [("P4", "C"), ("", "A")],
            id="combined again: its own label counts",
        ),
        pytest.param(
            [
                WHOLE,
                told({"1": ("P2", ""), "2": ("P3", "")}, 2),
                told({"1": ("P1", "A"), "2": ("P1", "A")}, 3),
            ],
            [linked("A", PICKED)],
            [("P1", "A")],
            id="split taken back: the old package returns with its number",
        ),
        pytest.param(
            [BLANK, told({"1": ("P1:CANCELLED", ""), "2": ("P2:TO_FULFILL", "")}, 2)],
            [linked("A", PICKED, by="standard_webhooks")],
            [("P2", "A"), ("P1", "")],
            id="partly cancelled: the linked number is the package's that is left",
        ),
        pytest.param(
            [WHOLE, told({"1": ("P1:CANCELLED", ""), "2": ("P2:TO_FULFILL", "")}, 2)],
            [linked("A", PICKED)],
            [("", "A"), ("P1", ""), ("P2", "")],
            id="partly cancelled: the cancelled package's number is not",
        ),
        pytest.param(
            [told({"1": ("P1:CANCELLED", "A"), "2": ("P2", "")}, 2)],
            [linked("A", PICKED), linked("B", ("picked_up", 7), by="standard_webhooks")],
            [("P1", "A"), ("P2", "B")],
            id="partly cancelled: each its own",
        ),
        pytest.param(
            [told({"1": ("P1:CANCELLED", "")}, 2)],
            [linked("A", PICKED, by="standard_webhooks")],
            [("P1", "A")],
            id="a single package that was cancelled keeps the linked number",
        ),
        pytest.param(
            [BLANK, told(SPLIT, 2)],
            [linked("A", PICKED, by="standard_webhooks")],
            [("", "A"), ("P2", ""), ("P3", "")],
            id="a carrier's number that no package was ever told of may be either's",
        ),
        pytest.param(
            [WHOLE, told(SPLIT, 2, tracking_number="A")],
            [linked("A")],
            [("", "A"), ("P2", ""), ("P3", "")],
            id="a number that is told of the order still is not gone",
        ),
        pytest.param(
            [
                told({"1": ("P1", "")}, 1),
                told({"1": ("P2", "")}, 2),
                package_read("P1", REAL + SECOND, tracking_number="A", status="PROCESSING"),
            ],
            [linked("A", by="standard_webhooks")],
            [("P2", "")],
            id="a number that a package alone told goes with that package",
        ),
        pytest.param(
            [told({"1": ("P1", "A")}, 1), told({"1": ("P1", "")}, 2)],
            [linked("A"), linked("B", by="standard_webhooks")],
            [("P1", "A"), ("", "B")],
            id="a number that was told of this very package comes before another",
        ),
    ],
)
def test_packages_numbers_and_lines_belong_together_as_they_were_told_last(
    events: list[Any], numbers: list[NumberFacts], packages: list[tuple[str, str]]
) -> None:
    for order in (events, events[::-1]):
        found = folded(*order, numbers=tuple(numbers))
        assert [(p.package_id, p.tracking_number) for p in found.packages] == packages


COMBINED = told({"1": ("P9", "C")}, 2)


def test_a_package_of_several_orders_is_in_each_of_them_with_its_scans() -> None:
    shared = linked("C", PICKED, others=(OTHER_ORDER,))
    for order_id in (ORDER, OTHER_ORDER):
        order = fold(order_id, [COMBINED], [shared])
        (package,) = order.packages
        assert (package.package_id, package.tracking_number) == ("P9", "C")
        assert package.parcel is not None
        assert [s.status for s in package.parcel.scans] == ["picked_up"]


def test_once_they_are_taken_apart_the_others_parcel_is_no_longer_this_orders() -> None:
    shared = linked("C", PICKED, ("delivered", 9), others=(OTHER_ORDER,))
    apart = told({"1": ("P10", "D")}, 3)
    order = folded(COMBINED, apart, numbers=(shared, linked("D")))
    assert [(p.package_id, p.tracking_number) for p in order.packages] == [("P10", "D")]
    assert order.first_scan is None
    still = fold(OTHER_ORDER, [COMBINED], [shared])
    assert [p.status for p in still.parcels] == ["delivered"]


def test_a_number_told_by_a_carrier_alone_stays_though_it_is_shared() -> None:
    shared = linked("C", PICKED, others=(OTHER_ORDER,), by="standard_webhooks")
    order = folded(told({"1": ("P9", "")}, 2), told({"1": ("P10", "D")}, 3), numbers=(shared,))
    assert [p.tracking_number for p in order.packages] == ["D", "C"]


def test_a_package_that_is_left_of_a_partly_cancelled_order_is_shipped() -> None:
    cancelled = told({"1": ("P1:CANCELLED", ""), "2": ("P2:TO_FULFILL", "")}, 2)
    order = folded(cancelled, numbers=(linked("A", PICKED, by="standard_webhooks"),))
    (want,) = shipments(order)
    assert (want.package_id, want.tracking_number, want.reason) == ("P2", "A", "")


def test_a_line_that_tells_no_status_does_not_take_its_packages_away() -> None:
    lines = (
        line("1", package_id="P1", package_status="PROCESSING"),
        line("2", package_id="P1"),
    )
    for listed in (lines, lines[::-1]):
        assert folded(snapshot(lines=listed)).packages[0].status == "PROCESSING"


# Any life


@dataclass
class Life:
    """An order as the marketplace moves its lines about, and everything that is told of it."""

    packages: dict[str, set[str]] = field(default_factory=lambda: {"P0": {"1", "2", "3"}})
    labels: dict[str, str] = field(default_factory=dict)
    events: list[Snapshot] = field(default_factory=list)
    scans: dict[str, list[Scan]] = field(default_factory=dict)
    made: int = 0
    hours: int = 0

    def step(self, kind: str, choice: int) -> None:
        """One thing that happens, and the re-read after it."""
        self.hours += 1
        names = sorted(self.packages)
        name = names[choice % len(names)]
        match kind:
            case "split":
                self._split(name)
            case "combine":
                self._combine(name, names[(choice + 1) % len(names)])
            case "label":
                self.made += 1
                self.labels[name] = f"N{self.made}"
                self.scans.setdefault(self.labels[name], [])
            case "scan" if self.scans:
                number = sorted(self.scans)[choice % len(self.scans)]
                said = scan("in_transit", self.hours, number=number)
                self.scans[number].append(said)
                return
        self.events.append(self.snapshot())

    def _split(self, name: str) -> None:
        lines = sorted(self.packages[name])
        if len(lines) > 1:
            del self.packages[name]
            self.labels.pop(name, None)
            for part in ({lines[0]}, set(lines[1:])):
                self.made += 1
                self.packages[f"P{self.made}"] = part

    def _combine(self, one: str, other: str) -> None:
        if one != other:
            self.made += 1
            lines = self.packages.pop(one) | self.packages.pop(other)
            for name in (one, other):
                self.labels.pop(name, None)
            self.packages[f"P{self.made}"] = lines

    def snapshot(self) -> Snapshot:
        lines: list[Line] = [
            line(line_id, package_id=name, tracking_number=self.labels.get(name, ""))
            for name, held in self.packages.items()
            for line_id in held
        ]
        ids = tuple(self.packages)
        sent = REAL + timedelta(seconds=self.hours)
        return snapshot(hours=self.hours, sent=sent, lines=tuple(lines), package_ids=ids)

    @property
    def numbers(self) -> list[NumberFacts]:
        return [
            numbered(
                *scans, number=number, links=(link(ORDER, T0, number=number, source=MARKETPLACE),)
            )
            for number, scans in self.scans.items()
        ]


STEPS = st.lists(
    st.tuples(st.sampled_from(["split", "combine", "label", "scan"]), st.integers(0, 7)),
    max_size=14,
)


@patient
@given(STEPS, st.randoms(use_true_random=False))
def test_whatever_is_split_and_combined_and_in_whatever_order_it_is_heard_of(
    steps: list[tuple[str, int]], dice: Any
) -> None:
    life = Life()
    life.events.append(life.snapshot())
    for kind, choice in steps:
        life.step(kind, choice)
    order = fold(ORDER, life.events, life.numbers)
    heard = [*life.events, *dice.sample(life.events, len(life.events) // 2)]
    dice.shuffle(heard)
    numbers = life.numbers
    dice.shuffle(numbers)
    mixed = [
        NumberFacts(n.number, tuple(dice.sample(n.scans, len(n.scans))), n.links) for n in numbers
    ]
    assert fold(ORDER, heard, mixed) == order

    shown = [package.package_id for package in order.packages if package.package_id]
    assert sorted(shown) == sorted(life.packages), "each package that there is, once; none else"
    listed = [p.tracking_number for p in order.packages if p.tracking_number]
    assert len(listed) == len(set(listed)), "no number twice"
    by_id = {p.package_id: p for p in order.packages if p.package_id}
    for name, number in life.labels.items():
        assert by_id[name].tracking_number == number, "a number follows its package"
    kept = {s.identity for parcel in order.parcels for s in parcel.scans}
    assert kept == {s.identity for scans in life.scans.values() for s in scans}, "no scan is lost"
    if len(life.packages) > 1:
        assert not any(
            by_id[name].tracking_number for name in life.packages if name not in life.labels
        )
