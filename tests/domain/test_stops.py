"""The facts that stop clocks."""

from typing import Any

import pytest

from shipclock.domain.clock import Stop
from shipclock.domain.stops import (
    at_scan,
    deliveries,
    earliest,
    first,
    first_movement,
    order_delivered,
)
from shipclock.domain.tracking import Scan, TimeBasis
from tests.builders import NUMBER, after, folded, line, link, numbered, scan, snapshot

OTHER_NUMBER = "SYN000202"
SURE, UNSURE = {"basis": TimeBasis.UTC}, {"basis": TimeBasis.ZONE}


@pytest.mark.parametrize(
    ("stops", "decides"),
    [
        ([], None),
        ([None, None], None),
        ([None, Stop(after(3))], Stop(after(3))),
        ([Stop(after(3)), Stop(after(2))], Stop(after(2))),
        ([Stop(after(2)), Stop(after(9), trusted=False)], Stop(after(2), trusted=False)),
        (
            [Stop(after(9), trusted=False), Stop(after(8), trusted=False)],
            Stop(after(8), trusted=False),
        ),
    ],
)
def test_the_earliest_stop_counts_and_is_not_sure_where_any_of_them_is_not(
    stops: list[Stop | None], decides: Stop | None
) -> None:
    assert first(stops) == decides


def test_a_scan_is_a_stop_as_sure_as_its_time() -> None:
    assert at_scan(scan(hours=3)) == Stop(after(3))
    assert at_scan(scan(hours=3, **UNSURE)) == Stop(after(3), trusted=False)


@pytest.mark.parametrize(
    "scans",
    [
        [],
        [scan(hours=3)],
        [scan(hours=4), scan(hours=3)],
        [scan(hours=3), scan(hours=9, **UNSURE)],
        [scan(hours=9, **UNSURE), scan(hours=8, **UNSURE)],
    ],
)
def test_scans_together_are_the_stop_that_their_stops_are(scans: list[Scan]) -> None:
    assert earliest(scans) == first(map(at_scan, scans))


def test_the_first_movement_is_the_earliest_of_scans_and_the_marketplaces_word() -> None:
    moved = (numbered(scan("picked_up", 3), scan("in_transit", 9, **UNSURE)),)
    told = snapshot("IN_TRANSIT", 50, collection_time=after(2))
    assert first_movement(folded(told, numbers=moved)) == Stop(after(2), trusted=False)
    assert first_movement(folded(snapshot(), numbers=moved)) == Stop(after(3), trusted=False)
    assert first_movement(folded(told)) == Stop(after(2))
    assert first_movement(folded(snapshot())) is None


def test_a_package_is_delivered_by_any_carriers_word_and_by_the_marketplaces() -> None:
    told = (scan("delivered", 30), scan("delivered", 31, source="other", **UNSURE))
    order = folded(snapshot("DELIVERED", 50, delivery_time=after(40)), numbers=(numbered(*told),))
    (package,) = order.packages
    assert deliveries(order, package) == [
        Stop(after(30)),
        Stop(after(31), trusted=False),
        Stop(after(40)),
    ]
    out = folded(snapshot("IN_TRANSIT"), numbers=(numbered(scan("out_for_delivery", 30)),))
    assert deliveries(out, out.packages[0]) == []


ONE = (line("1", package_id="P1", tracking_number=NUMBER),)
TWO = (*ONE, line("2", package_id="P2", tracking_number=OTHER_NUMBER))


def at(hours: float, number: str = NUMBER, **more: Any) -> Any:
    """A delivery scan of a number, with the number's link."""
    told = scan("delivered", hours, number=number, **more)
    return numbered(told, number=number, links=(link(number=number),))


@pytest.mark.parametrize(
    ("lines", "numbers", "delivered"),
    [
        (ONE, (at(30),), Stop(after(30))),
        (TWO, (at(30),), None),
        (TWO, (at(30), at(20, OTHER_NUMBER)), Stop(after(30))),
        (TWO, (at(30), at(20, OTHER_NUMBER, **UNSURE)), Stop(after(30), trusted=False)),
        (TWO, (at(30, **UNSURE), at(20, OTHER_NUMBER)), Stop(after(30), trusted=False)),
        # a number that belongs to no package
        (ONE, (at(30), numbered(number=OTHER_NUMBER)), Stop(after(30))),
        (ONE, (at(30), at(40, OTHER_NUMBER)), Stop(after(30))),
        (ONE, (at(40, OTHER_NUMBER),), None),
        # an order that has none
        ((), (), None),
        ((), (at(30),), Stop(after(30))),
        ((), (at(30), at(40, OTHER_NUMBER)), Stop(after(40))),
        ((), (at(30), numbered(number=OTHER_NUMBER)), None),
    ],
)
def test_an_order_is_delivered_as_the_last_of_its_packages_is(
    lines: Any, numbers: Any, delivered: Stop | None
) -> None:
    assert order_delivered(folded(snapshot("IN_TRANSIT", lines=lines), numbers=numbers)) == (
        delivered
    )


@pytest.mark.parametrize(("hours", "delivered"), [(20, 20), (30, 30), (50, 30)])
def test_the_marketplaces_delivered_counts_where_it_is_the_earlier(
    hours: float, delivered: float
) -> None:
    told = snapshot("DELIVERED", 60, lines=ONE, delivery_time=after(hours))
    assert order_delivered(folded(told, numbers=(at(30),))) == Stop(after(delivered))
    alone = snapshot("DELIVERED", 60, lines=TWO, delivery_time=after(hours))
    assert order_delivered(folded(alone, numbers=(at(30),))) == Stop(after(hours))
