"""Random lives of orders, counted by the product and on paper."""

from collections import Counter
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shipclock.fulfillment.definitions import DEFINITIONS
from shipclock.fulfillment.figures import Tally, Window
from shipclock.fulfillment.signals import units
from shipclock.rules import timeline
from tests.builders import after, folded, patient, policy
from tests.fulfillment.order_lives import Life, Paper, carried, hours, lives, told

FIRST_DAY = date(2026, 11, 1)


def counted(some: list[Life], window: Window, at: int) -> dict[str, Counter[str]]:
    """The product's figures."""
    tally = Tally(window, after(at))
    for life in some:
        order = folded(*told(life), numbers=tuple(carried(life)))
        for unit in units(order, timeline(order, policy()), policy(), life.fault):
            tally.add(unit)
    found = {}
    for signal in DEFINITIONS:
        figure = tally.figure(signal)
        found[signal] = +Counter(
            good=figure.counts.good,
            bad=figure.counts.bad,
            open=figure.counts.open,
            **figure.left_out,
        )
    return found


@settings(patient, max_examples=300)
@given(
    some=st.lists(lives(), min_size=1, max_size=6),
    first=st.integers(0, 20),
    days=st.integers(1, 40),
    at=hours(0, 1000),
)
def test_figures_are_what_one_would_count_on_paper(
    some: list[Life], first: int, days: int, at: int
) -> None:
    last = first + days - 1
    paper = Paper(first, last, at)
    for life in some:
        paper.order(life)
    window = Window(FIRST_DAY + timedelta(first), FIRST_DAY + timedelta(last))
    got = counted(some, window, at)
    assert {signal: marks for signal, marks in got.items() if marks} == paper.marks
