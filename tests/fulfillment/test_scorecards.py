"""Scorecards of a month, worked out by hand beside them."""

import random
import statistics
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shipclock.domain.tracking import Parcel, Scan, TimeBasis, TrackingStatus, fold_parcel
from shipclock.fulfillment.audit import audits
from shipclock.fulfillment.history import Fate, History, history
from shipclock.fulfillment.scorecards import (
    Card,
    Ledger,
    Ratio,
    Scorecards,
    Spread,
    Tally,
    nearest_rank,
)
from shipclock.fulfillment.terms import parse_terms
from tests.builders import NUMBER, SECOND, after, patient, scan
from tests.fulfillment.parcels import CARRIER, KL, LANE, parcel

KEY = "syntheticexpress"
HOUR, DAY = 3600, 86400


def scored(parcels: Iterable[History], terms: str = "", month: str = "2026-11") -> Scorecards:
    """The scorecards of some parcels."""
    ledger = Ledger(month, parse_terms(terms, "terms").terms if terms else ())
    for one in parcels:
        ledger.add(one)
    return ledger.scorecards()


def total(parcels: Iterable[History], terms: str = "") -> Card:
    """The card of the only carrier."""
    (card,) = scored(parcels, terms).totals
    return card


def terms(*lines: str, **more: str) -> str:
    """Terms with `CARRIER` from 2026 on."""
    told = {"carrier": f'"{CARRIER}"', "from": "2026-01-01", **more}
    return "\n".join(["[[terms]]", *(f"{name} = {value}" for name, value in told.items()), *lines])


def heard(status: str, hours: float, minutes: float, **more: Any) -> Scan:
    """A scan that we heard of so many minutes later."""
    return scan(status, hours, received_at=after(hours, minutes=minutes), **more)


# The table, by hand. T0 is 1 November 10:00 in Kuala Lumpur; all were fetched then.

FAILED = "delivery_attempt_failed"
PROMISE = after(72)

TABLE = [
    # 1: delivered after 24 h at the first attempt, with a photo; promised for 72 h
    parcel(
        heard("picked_up", 0, 10),
        heard("out_for_delivery", 20, 30),
        heard("delivered", 24, 5, proof="photo"),
        promised_at=PROMISE,
    ),
    # 2: delivered after 72 h, in time to the second; one attempt had failed; no proof
    parcel(
        heard("picked_up", 0, 10),
        heard(FAILED, 48, 60),
        heard("delivered", 72, 5, proof="none"),
        promised_at=PROMISE,
    ),
    # 3: delivered after 100 h, late; two attempts had failed
    parcel(
        heard("picked_up", 0, 10),
        heard(FAILED, 50, 20),
        heard(FAILED, 75, 20),
        heard("delivered", 100, 5, proof="signature"),
        promised_at=PROMISE,
    ),
    # 4: delivered after 96 h, on the fourth day after; nothing promised
    parcel(heard("picked_up", 0, 10), heard("delivered", 96, 120)),
    # 5: delivered, by a clock whose zone was guessed: no ground for on time or transit
    parcel(heard("picked_up", 0, 10), heard("delivered", 24, 5, basis="zone"), promised_at=PROMISE),
    # 6: returned after two failed attempts, damaged on its way
    parcel(
        heard("picked_up", 0, 10),
        heard(FAILED, 50, 20),
        heard(FAILED, 75, 20),
        heard("damaged", 80, 20),
        heard("returned", 200, 20),
        promised_at=PROMISE,
    ),
    # 7: lost, never attempted
    parcel(heard("picked_up", 0, 10), heard("lost", 300, 0), promised_at=PROMISE),
    # 8: disposed of
    parcel(heard("picked_up", 0, 10), heard("disposed", 300, 0)),
    # 9: open, after a failed attempt, long past its promise: no failure
    parcel(heard("picked_up", 0, 10), heard(FAILED, 50, 20), promised_at=PROMISE),
    # 10: cancelled on its way
    parcel(heard("picked_up", 0, 10), heard("cancelled", 5, 0)),
]


def test_the_table_by_hand() -> None:
    card = total(TABLE)
    assert (card.carrier, card.lane, card.parcels) == (KEY, "*", 10)
    assert card.fates == {
        Fate.DELIVERED: 5,  # 1 2 3 4 5
        Fate.RETURNED: 1,  # 6
        Fate.LOST: 1,  # 7
        Fate.DISPOSED: 1,  # 8
        Fate.DAMAGED: 0,
        Fate.CANCELLED: 1,  # 10
        Fate.OPEN: 1,  # 9
    }
    assert card.ended == 8
    assert card.on_time == Ratio(2, 3)  # 1 2 of 1 2 3; without 4 and 5
    assert (card.by_promise, card.by_transit_days) == (3, 0)
    assert (card.untimed, card.unpromised) == (1, 1)  # 5; 4
    assert card.within_transit_days == Ratio(0, 0)
    assert card.first_attempt == Ratio(3, 6)  # 1 4 5 of 1 2 3 4 5 6
    assert card.attempts == Ratio(8, 5)  # 1 + 2 + 3 + 1 + 1
    assert card.loss == Ratio(2, 8)  # 7 8
    assert card.damage == Ratio(1, 8)  # 6
    assert card.returned == Ratio(1, 8)  # 6
    assert card.proof == Ratio(2, 5)  # 1 3
    # 24 72 96 100 h: the second and the fourth of four
    assert card.transit == Spread(4, 72 * HOUR, 100 * HOUR)
    assert card.transit_left_out == 1  # 5
    # in minutes: 0 twice, 5 three times, 10 ten times, 20 seven times, 30, 60, 120. Of these 25 the
    # 13th and the 23rd; left out the delivery of 5, and 10's cancellation is no scan
    assert card.latency == Spread(25, 10 * 60, 30 * 60)
    assert card.latency_left_out == 1


def test_the_table_by_hand_under_terms_of_three_days() -> None:
    card = total(TABLE, terms("transit_days = 3", "on_time = 0.7", "within_transit_days = 0.5"))
    # 4 is now judged by the terms: delivered on the fourth day, late
    assert card.on_time == Ratio(2, 4)
    assert (card.by_promise, card.by_transit_days) == (3, 1)
    assert (card.untimed, card.unpromised) == (1, 0)
    # by days alone: 1 on the first, 2 on the third, 4 and 3 on the fourth
    assert card.within_transit_days == Ratio(2, 4)


def test_the_terms_by_hand() -> None:
    text = terms(
        "minimum = 4",
        "transit_days = 3",
        "on_time = 0.7",
        "within_transit_days = 0.5",
        "loss = 0.25",
        "proof = 0.5",
        "attempts = 1.6",
        "transit_p50_hours = 71",
    )
    (found,) = audits(scored(TABLE, text), 30)
    assert [(f.figure, f.value, f.of, f.verdict) for f in found.findings] == [
        ("on_time", Fraction(1, 2), 4, "missed"),
        ("within_transit_days", Fraction(1, 2), 4, "met"),
        ("proof", Fraction(2, 5), 5, "missed"),
        ("attempts", Fraction(8, 5), 5, "met"),
        ("loss", Fraction(1, 4), 8, "met"),
        ("transit_p50_hours", Fraction(72), 4, "missed"),
    ]
    assert (found.minimum, found.card.parcels) == (4, 10)
    (all_too_few,) = audits(scored(TABLE, text.replace("minimum = 4\n", "")), 30)
    assert {f.verdict for f in all_too_few.findings} == {"too_few"}
    assert all_too_few.minimum == 30


def test_a_promise_goes_before_the_terms() -> None:
    late_by_terms = parcel(scan("picked_up", 0), scan("delivered", 100), promised_at=after(200))
    card = total([late_by_terms], terms("transit_days = 3", "on_time = 1"))
    assert (card.on_time, card.by_promise, card.by_transit_days) == (Ratio(1, 1), 1, 0)
    assert card.within_transit_days == Ratio(0, 1)


def test_terms_without_transit_days_leave_what_nobody_promised_unpromised() -> None:
    card = total([parcel(scan("picked_up", 0), scan("delivered", 9))], terms("loss = 0"))
    assert (card.on_time, card.unpromised, card.untimed) == (Ratio(0, 0), 1, 0)


@pytest.mark.parametrize(
    ("delivered", "in_time"),
    [("2026-11-04T15:59:59+00:00", 1), ("2026-11-04T16:00:00+00:00", 0)],
)
def test_transit_days_end_with_the_local_day(delivered: str, in_time: int) -> None:
    told = parcel(
        scan("picked_up", 0), scan("delivered", occurred_at=datetime.fromisoformat(delivered))
    )
    card = total([told], terms("transit_days = 3", "within_transit_days = 1"))
    assert card.within_transit_days == card.on_time == Ratio(in_time, 1)


# Which parcels, where


@pytest.mark.parametrize(
    ("at", "month"),
    [
        ("2026-10-31T15:59:59+00:00", "2026-10"),
        ("2026-10-31T16:00:00+00:00", "2026-11"),
        ("2026-11-30T15:59:59+00:00", "2026-11"),
        ("2026-11-30T16:00:00+00:00", "2026-12"),
    ],
)
def test_a_parcel_is_of_the_local_month_of_its_first_scan(at: str, month: str) -> None:
    first = datetime.fromisoformat(at)
    told = parcel(
        scan("info_received", occurred_at=first - timedelta(days=40)),
        scan("picked_up", occurred_at=first),
        scan("delivered", occurred_at=first + timedelta(days=40)),
    )
    for one in ("2026-10", "2026-11", "2026-12"):
        assert Ledger(one).add(told) is (one == month)
        assert len(scored([told], month=one).totals) == (one == month)


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-1", "26-11", "2026-11 ", "٢٠٢٦-11"])
def test_a_month_is_a_year_and_a_month(month: str) -> None:
    with pytest.raises(ValueError, match="write it as 2026-11"):
        Ledger(month)


def test_there_is_a_card_for_each_carrier_and_lane_and_one_for_each_carrier() -> None:
    moved = scan("picked_up", 0)
    parcels = [
        parcel(moved, carrier="J&T Express", lane="MY/A"),
        parcel(moved, carrier="JNT", lane="MY/B"),
        parcel(moved, carrier="jtexpress-my", lane="MY/B"),
        parcel(moved, carrier="Ninja Van", lane="MY/A"),
        parcel(moved, carrier="", lane="MY/A"),
    ]
    found = scored(parcels)
    assert [(c.carrier, c.lane, c.parcels) for c in found.cards] == [
        ("", "MY/A", 1),
        ("J&T Express", "MY/A", 1),
        ("J&T Express", "MY/B", 2),
        ("Ninja Van", "MY/A", 1),
    ]
    assert [(c.carrier, c.lane, c.parcels) for c in found.totals] == [
        ("", "*", 1),
        ("J&T Express", "*", 3),
        ("Ninja Van", "*", 1),
    ]


def test_a_carrier_is_spelled_as_we_call_it_or_as_it_was_told() -> None:
    moved = scan("picked_up", 0)
    names = ["JNT", "synthetic express", "Synthetic-Express", "SYNTHETIC EXPRESS MY", ""]
    found = scored(parcel(moved, carrier=name) for name in names)
    assert found.names == {
        "J&T Express": "J&T Express",
        KEY: "SYNTHETIC EXPRESS MY",
        "": "",
    }


def test_each_parcel_is_judged_by_one_of_the_terms_and_cards_use_those_transit_days() -> None:
    text = "\n".join(
        [
            terms("transit_days = 1", "on_time = 1"),
            terms("transit_days = 9", "on_time = 1", lane='"MY/B*"'),
            terms("on_time = 1", carrier='"Nobody Post"'),
        ]
    )
    took_four_days = (scan("picked_up", 0), scan("delivered", 96))
    lanes = ("MY/A", "MY/B1", "MY/B2")
    found = scored([parcel(*took_four_days, lane=lane) for lane in lanes], text)
    assert [card.on_time for card in found.cards] == [Ratio(0, 1), Ratio(1, 1), Ratio(1, 1)]
    assert found.totals[0].on_time == Ratio(2, 3)
    assert [(card.lane, card.parcels, card.on_time) for _, card in found.by_terms] == [
        ("*", 1, Ratio(0, 1)),
        ("MY/B*", 2, Ratio(2, 2)),
        ("*", 0, Ratio(0, 0)),
    ]


def test_terms_that_change_within_the_month_judge_the_parcels_of_their_days() -> None:
    text = "\n".join(
        [
            terms("loss = 0", until="2026-11-16"),
            terms("loss = 0", **{"from": "2026-11-16"}),
        ]
    )
    midnight = datetime.fromisoformat("2026-11-15T16:00:00+00:00")
    parcels = [parcel(scan("lost", occurred_at=midnight + n * SECOND)) for n in (-1, 0, 1)]
    assert [card.loss for _, card in scored(parcels, text).by_terms] == [Ratio(1, 1), Ratio(2, 2)]


def test_a_month_without_parcels_has_no_cards_and_empty_ones_of_terms() -> None:
    found = scored([], terms("loss = 0"))
    assert (found.cards, found.totals, found.names) == ((), (), {})
    ((_, card),) = found.by_terms
    assert (card.parcels, card.loss.value, card.transit) == (0, None, Spread(0, None, None))


# Any order, no parcel held


STATUSES = st.sampled_from(list(TrackingStatus))
SCANS = st.lists(
    st.builds(
        lambda status, hours, basis, minutes, source, flags: scan(
            status,
            hours,
            basis=basis,
            received_at=after(hours, minutes=minutes),
            source=source,
            flags=flags,
            identity=f"{status}#{hours}#{source}",
        ),
        STATUSES,
        st.integers(0, 200).map(float),
        st.sampled_from(list(TimeBasis)),
        st.sampled_from([-20, 0, 1, 90, 5000]),
        st.sampled_from(["one", "other"]),
        st.sampled_from([(), ("final",), ("damaged",)]),
    ),
    max_size=8,
    unique_by=lambda told: told.identity,
)


class Shipment(NamedTuple):
    """What is told of one parcel."""

    scans: list[Scan]
    carrier: str
    lane: str
    promise: datetime | None

    @property
    def parcel(self) -> Parcel:
        return fold_parcel(NUMBER, self.scans)


SHIPMENTS = st.lists(
    st.builds(
        Shipment,
        SCANS,
        st.sampled_from(["J&T Express", "JNT", CARRIER, ""]),
        st.sampled_from([LANE, "MY/TIKTOK/-/-"]),
        st.sampled_from([None, after(72), after(100)]),
    ),
    max_size=8,
)


def found_in(shipments: Iterable[Shipment]) -> list[History]:
    """The histories of those that were scanned."""
    return [
        history(told.parcel, "", told.carrier, told.lane, KL, told.promise)
        for told in shipments
        if told.parcel.first_scan
    ]


AGREED = "\n".join(
    [
        terms("transit_days = 3", "on_time = 0.9", "within_transit_days = 0.9", "loss = 0.1"),
        terms("transit_days = 1", "on_time = 0.9", carrier='"J&T Express"', lane='"MY/S*"'),
    ]
)


@patient
@given(SHIPMENTS, st.randoms(use_true_random=False))
def test_any_order_of_parcels_and_scans_gives_the_same_scorecards(
    shipments: list[Shipment], dice: random.Random
) -> None:
    shuffled = [
        told._replace(scans=dice.sample(told.scans * 2, 2 * len(told.scans)))  # each told twice
        for told in dice.sample(shipments, len(shipments))
    ]
    assert scored(found_in(shuffled), AGREED) == scored(found_in(shipments), AGREED)


@patient
@given(SHIPMENTS)
def test_every_parcel_and_scan_is_counted_or_told_as_left_out(shipments: list[Shipment]) -> None:
    found = found_in(shipments)
    counted = scored(found, AGREED)
    scans = [scan for told in shipments for scan in told.parcel.movements()]
    assert sum(card.parcels for card in counted.cards) == len(found)
    assert sum(c.latency.of + c.latency_left_out for c in counted.totals) == len(scans)
    for card in (*counted.cards, *counted.totals, *(card for _, card in counted.by_terms)):
        delivered = card.fates[Fate.DELIVERED]
        assert sum(card.fates.values()) == card.parcels
        assert card.ended == card.parcels - card.fates[Fate.OPEN] - card.fates[Fate.CANCELLED]
        assert card.on_time.of == card.by_promise + card.by_transit_days
        assert card.on_time.of + card.untimed + card.unpromised == delivered
        assert card.transit.of + card.transit_left_out == delivered
        assert card.within_transit_days.of <= card.transit.of
        assert min(card.untimed, card.unpromised, card.transit_left_out) >= 0
        for ratio in (card.on_time, card.first_attempt, card.loss, card.damage, card.proof):
            assert 0 <= ratio.count <= ratio.of
        assert card.attempts.count >= card.attempts.of == card.proof.of == delivered


def test_a_tally_grows_with_different_durations_and_not_with_parcels() -> None:
    tally = Tally()
    for told in TABLE * 3:
        tally.add(told, None)
    assert (len(tally.transit), len(tally.latency)) == (4, 7)
    assert tally.card("", "").parcels == 30


# Ranks


VALUES = st.lists(st.integers(0, 40 * DAY), min_size=1, max_size=60)


@given(VALUES, st.integers(1, 100))
@example(list(range(56)), 18)  # 10.08 rounded up
def test_a_rank_is_the_smallest_value_that_enough_are_at_or_below(
    values: list[int], percent: int
) -> None:
    found = nearest_rank(Counter(values), percent)
    assert found is not None
    assert found in values

    def at_or_below(value: int) -> int:
        return 100 * sum(other <= value for other in values)

    assert at_or_below(found) >= percent * len(values)
    assert all(at_or_below(v) < percent * len(values) for v in values if v < found)


@given(VALUES)
def test_p50_is_the_lower_median(values: list[int]) -> None:
    assert nearest_rank(Counter(values), 50) == statistics.median_low(values)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60))
@example([0, 1])
@example(list(range(10)))
@example(list(range(11)))
def test_no_value_lies_between_p90_and_the_interpolated_one_of_statistics(
    values: list[int],
) -> None:
    found = nearest_rank(Counter(values), 90)
    between = statistics.quantiles(values, n=10, method="inclusive")[8]
    assert found is not None
    low, high = sorted((float(found), between))
    assert not [value for value in values if low < value < high]


@pytest.mark.parametrize(
    ("count", "p50", "p90"),
    [(1, 1, 1), (2, 1, 2), (9, 5, 9), (10, 5, 9), (11, 6, 10), (20, 10, 18), (100, 50, 90)],
)
def test_ranks_by_hand(count: int, p50: int, p90: int) -> None:
    values = Counter(range(1, count + 1))
    assert (nearest_rank(values, 50), nearest_rank(values, 90)) == (p50, p90)


def test_of_nothing_there_is_no_rank() -> None:
    assert nearest_rank({}, 50) is None
