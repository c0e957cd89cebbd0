"""Incidents by themselves: what was said of one, where it was, and which time does not count."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.incident import (
    OPEN_FOR,
    Incident,
    IncidentFact,
    extended,
    fold_incident,
    in_area,
    union,
)
from shipclock.domain.place import Fit, Place, has_postcode, in_region, postcode_pattern
from tests.builders import T0, after, patient

SECOND = timedelta(seconds=1)
IN, OUT, UNKNOWN = Fit.IN, Fit.OUT, Fit.UNKNOWN
DECLARED = IncidentFact(
    "a1", "declared", after(50), "ops", after(10), after(20), reason="flood", carriers=("J&T",)
)


def incident(begins: float, ends: float | None, **more: object) -> Incident:
    ends_at = None if ends is None else after(ends)
    return Incident("a1", after(begins), ends_at, "flood", T0, **more)  # type: ignore[arg-type]


# What was said


def test_an_incident_is_what_was_declared() -> None:
    found = fold_incident([DECLARED])
    assert found == Incident(
        "a1", after(10), after(20), "flood", after(50), carriers=("J&T",), by="ops"
    )


def test_what_was_never_declared_is_no_incident() -> None:
    assert fold_incident([]) is None
    assert fold_incident([IncidentFact("a1", "lifted", after(60), ends_at=after(12))]) is None
    assert fold_incident([replace(DECLARED, kind="changed")]) is None


def test_a_change_says_what_it_says_and_leaves_the_rest() -> None:
    changed = IncidentFact("a1", "changed", after(51), regions=("MY",), carriers=())
    found = fold_incident([DECLARED, changed])
    assert found is not None
    assert (found.regions, found.carriers, found.reason) == (("MY",), (), "flood")
    assert (found.begins_at, found.ends_at, found.declared_at) == (after(10), after(20), after(50))


def test_a_lift_shortens_and_never_prolongs() -> None:
    for over, ends in ((12, 12), (20, 20), (30, 20), (5, 5)):
        found = fold_incident(
            [DECLARED, IncidentFact("a1", "lifted", after(60), ends_at=after(over))]
        )
        assert found is not None
        assert (found.ends_at, found.lifted_at) == (after(ends), after(60))


def test_lifted_before_it_began_it_takes_no_time_at_all() -> None:
    found = fold_incident([DECLARED, IncidentFact("a1", "lifted", after(60), ends_at=after(10))])
    assert found is not None
    assert union([found]) == ()
    assert not found.overlaps(after(-1000), None)


def test_a_lift_tells_when_what_nobody_knew_the_end_of_was_over() -> None:
    late = 10 + OPEN_FOR / timedelta(hours=1) + 5
    lifted = IncidentFact("a1", "lifted", after(999), ends_at=after(late))
    found = fold_incident([replace(DECLARED, ends_at=None), lifted])
    assert found is not None
    assert found.until == after(late)


def test_a_new_end_after_a_lift_takes_it_back() -> None:
    lifted = IncidentFact("a1", "lifted", after(60), ends_at=after(12))
    longer = IncidentFact("a1", "changed", after(61), ends_at=after(30))
    open_ = IncidentFact("a1", "changed", after(62), open_end=True)
    proof = IncidentFact("a1", "changed", after(63), evidence=("https://a.example",))
    found = fold_incident([DECLARED, lifted, longer])
    assert found is not None
    assert (found.ends_at, found.lifted_at) == (after(30), None)
    found = fold_incident([DECLARED, lifted, longer, open_])
    assert found is not None
    assert (found.ends_at, found.lifted_at) == (None, None)
    found = fold_incident([DECLARED, lifted, proof])
    assert found is not None
    assert (found.ends_at, found.lifted_at) == (after(12), after(60))


def test_however_facts_come_they_add_up_to_the_same() -> None:
    facts = [
        replace(DECLARED, at=after(60)),  # by a clock that was ahead of the others
        IncidentFact("a1", "changed", after(51), ends_at=after(30)),
        IncidentFact("a1", "lifted", after(52), ends_at=after(15)),
        IncidentFact("a1", "changed", after(52), reason="flood and mud"),
    ]
    found = {fold_incident(order) for order in permutations(facts)}
    assert len(found) == 1
    (one,) = found
    assert one is not None
    assert (one.ends_at, one.reason) == (after(15), "flood and mud")


def test_of_two_words_of_one_instant_the_same_one_counts_however_they_come() -> None:
    one, other = (IncidentFact("a1", "changed", after(51), reason=text) for text in ("mud", "rain"))
    assert fold_incident([DECLARED, one, other]) == fold_incident([DECLARED, other, one])


def test_without_an_end_it_counts_for_a_fortnight() -> None:
    assert incident(0, None).until == T0 + timedelta(days=14)


# Which time does not count


@pytest.mark.parametrize(
    ("spans", "due"),
    [
        ([], 100),
        ([(20, 30)], 110),
        ([(-20, 30)], 130),  # it began before the clock did
        ([(-20, 0)], 100),  # over as the clock begins
        ([(100, 130)], 100),  # begins as the clock runs out
        ([(99, 130)], 131),
        ([(20, 30), (25, 40)], 120),  # in common once
        ([(20, 30), (30, 40)], 120),
        ([(20, 30), (105, 115)], 120),  # the extension runs into the next one
        ([(20, 30), (110, 115)], 110),
        ([(20, 20)], 100),
        ([(30, 20)], 100),
        ([(20, 60), (30, 40)], 140),
    ],
)
def test_a_clock_of_a_hundred_hours_stands_still_meanwhile(
    spans: list[tuple[float, float]], due: float
) -> None:
    about = union(incident(*span) for span in spans)
    assert extended(T0, after(100), about) == after(due)


@pytest.mark.parametrize(("off", "moves"), [(-1, True), (0, False), (1, False)])
def test_to_the_second_what_begins_as_a_clock_runs_out_does_not_move_it(
    off: int, moves: bool
) -> None:
    about = union([replace(incident(0, 200), begins_at=after(100) + off * SECOND)])
    assert (extended(T0, after(100), about) > after(100)) is moves


@pytest.mark.parametrize(("off", "moved"), [(-1, 0), (0, 0), (1, 1)])
def test_to_the_second_what_ends_as_a_clock_begins_does_not_move_it(off: int, moved: int) -> None:
    about = union([replace(incident(-50, 0), ends_at=T0 + off * SECOND)])
    assert extended(T0, after(100), about) == after(100) + moved * SECOND


spans = st.lists(st.tuples(st.integers(-40, 160), st.integers(0, 50)), max_size=7)


def stepped(start: int, length: int, taken: list[tuple[int, int]]) -> int:
    """Second by second: one counts unless something lasts."""
    at, left = start, length
    while left:
        left -= not any(begins <= at < begins + long for begins, long in taken)
        at += 1
    return at


def seconds(at: int) -> datetime:
    return T0 + at * SECOND


@patient
@given(taken=spans, start=st.integers(-20, 40), length=st.integers(0, 100))
def test_a_clock_is_extended_as_if_every_second_were_looked_at(
    taken: list[tuple[int, int]], start: int, length: int
) -> None:
    about = union(
        replace(incident(0, 1), begins_at=seconds(begins), ends_at=seconds(begins + long))
        for begins, long in taken
    )
    found = extended(seconds(start), seconds(start + length), about)
    assert found == seconds(stepped(start, length, taken))


def test_over_months_and_changes_of_the_clocks_it_is_as_by_the_minute() -> None:
    """Hours that come twice or not at all in some zone are hours like any other here."""
    dice = random.Random(7)
    minute = timedelta(minutes=1)
    for _ in range(60):
        start = datetime(2026, 10, 20, tzinfo=UTC) + dice.randrange(20 * 1440) * minute
        length = dice.randrange(1, 12 * 1440)
        taken = [(dice.randrange(-4000, 20000), dice.randrange(0, 5000)) for _ in range(5)]
        about = union(
            replace(
                incident(0, 1),
                begins_at=start + begins * minute,
                ends_at=start + (begins + long) * minute,
            )
            for begins, long in taken
        )
        expected = start + stepped(0, length, taken) * minute
        assert extended(start, start + length * minute, about) == expected


@patient
@given(taken=spans, more=spans, length=st.integers(1, 100))
def test_another_incident_never_brings_a_clock_forward(
    taken: list[tuple[int, int]], more: list[tuple[int, int]], length: int
) -> None:
    def due(of: list[tuple[int, int]]) -> datetime:
        made = [
            replace(incident(0, 1), begins_at=seconds(b), ends_at=seconds(b + n)) for b, n in of
        ]
        return extended(T0, seconds(length), union(made))

    assert seconds(length) <= due(taken) <= due(taken + more)
    assert due(taken + taken) == due(taken)


@patient
@given(taken=spans)
def test_spans_of_a_union_are_apart_and_in_order(taken: list[tuple[int, int]]) -> None:
    made = union(
        replace(incident(0, 1), begins_at=seconds(b), ends_at=seconds(b + n)) for b, n in taken
    )
    assert all(begins < ends for begins, ends in made)
    assert all(one[1] < other[0] for one, other in pairwise(made))


@pytest.mark.parametrize(
    ("start", "end", "overlaps"),
    [
        (0, 10, False),
        (0, 11, True),
        (19, 30, True),
        (20, 30, False),
        (12, 12, False),
        (0, None, True),
    ],
)
def test_what_an_incident_has_in_common_with_a_span(
    start: float, end: float | None, overlaps: bool
) -> None:
    span = after(start), None if end is None else after(end)
    assert incident(10, 20).overlaps(*span) is overlaps


# Where

KLANG = Place("41000", "MY", frozenset({"Malaysia", "MY", "Selangor", "MY-10", "Klang"}))
NAMED = Place("41000", "MY", frozenset({"Selangor", "Klang"}))
NOWHERE = Place()


@pytest.mark.parametrize(
    ("region", "place", "fit"),
    [
        ("MY", KLANG, IN),
        ("my", KLANG, IN),
        ("TH", KLANG, OUT),
        ("MY", NOWHERE, UNKNOWN),
        ("UK", Place(country="GB"), IN),
        ("GB", Place(country="UK"), IN),
        ("Selangor", KLANG, IN),
        (" selangor ", KLANG, IN),
        ("Johor", KLANG, OUT),
        ("Selangor", NOWHERE, UNKNOWN),
        ("Selangor", Place(country="MY"), UNKNOWN),
        ("MY-10", KLANG, IN),
        ("MY-01", KLANG, OUT),
        ("MY-10", NAMED, UNKNOWN),  # nobody told codes
        ("TH-10", NAMED, OUT),
        ("MY-10", NOWHERE, UNKNOWN),
        ("Diyarbak\u0131r", Place(districts=frozenset({"Diyarbak\u0131r"})), IN),
        ("Sa\u0303o Paulo", Place(districts=frozenset({"S\u00e3o Paulo"})), IN),
        ("Ciudad de Mexico", Place(districts=frozenset({"Ciudad de M\u00e9xico"})), UNKNOWN),
        ("บางพลี", Place(districts=frozenset({"บางพลี"})), IN),
        ("บางพลี", Place(districts=frozenset({"บางพลู"})), UNKNOWN),
        ("Bình Thành", Place(districts=frozenset({"Bình Thạnh"})), UNKNOWN),
        ("Bình Thạnh", Place(districts=frozenset({"BÌNH THẠNH"})), IN),
        ("STRASSE", Place(districts=frozenset({"Straße"})), IN),
        ("Sungai-Buloh", Place(districts=frozenset({"Sungai Buloh"})), IN),
        ("กรุงเทพ", Place(districts=frozenset({"กรุงเทพ"})), IN),
    ],
)
def test_a_region_is_a_country_a_code_or_a_name(region: str, place: Place, fit: Fit) -> None:
    assert in_region(region, place) is fit


@pytest.mark.parametrize(
    ("pattern", "code", "fit"),
    [
        ("10110", "10110", IN),
        ("10110", "10111", OUT),
        ("10110 - 10120", "10110", IN),
        ("10110-10110", "10110", IN),
        ("sw1a 1aa", "SW1A 1AA", IN),
        ("10110-10120", "10109", OUT),
        ("10110-10120", "10110", IN),
        ("10110-10120", "10120", IN),
        ("10110-10120", "10121", OUT),
        ("10110-10120", "101150", OUT),
        ("10110-10120", "SW1A 1AA", OUT),
        ("SW1A*", "sw1a 1aa", IN),
        ("SW1A*", "SW1B 1AA", OUT),
        ("SW1A1AA", "SW1A 1AA", IN),
        ("1000001", "100-0001", IN),
        ("62701", "62701-1234", IN),
        ("62701", "62701 1234", IN),
        ("62701", "627011234", IN),
        ("M1 *", "M1 2AB", IN),
        ("m1  *", "m12ab", IN),
        ("M1 *", "M16 0RA", OUT),
        ("M1*", "M16 0RA", IN),
        ("EC1A *", "EC1A 1BB", IN),
        ("M1 *", "", UNKNOWN),
        ("M1 *", "M1", IN),
        ("M16 *", "M16 0RA", IN),
        ("D02 *", "D02 AF30", IN),
        ("D6W *", "D6WXY00", IN),
        ("D02 *", "D04 AF30", OUT),
        ("EC1 *", "EC1A 1BB", OUT),
        ("627011234", "62701-1234", IN),
        ("62700-62710", "62701-1234", IN),
        ("10110", "", UNKNOWN),
        ("10110-10120", " - ", UNKNOWN),
    ],
)
def test_postcodes(pattern: str, code: str, fit: Fit) -> None:
    assert has_postcode(postcode_pattern(pattern), code) is fit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "-",
        "10120-10110",
        "101-10120",
        "1-2-3",
        "\u0661\u0660",
        "A-B",
        "10110;",
        "9" * 13,
        "SW*A",
    ],
)
def test_what_names_no_postcodes_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(ValueError, match=r"10110-10120.*SW1A\*"):
        postcode_pattern(text)


@pytest.mark.parametrize(
    ("kinds", "place", "fit"),
    [
        ({}, NOWHERE, IN),
        ({"regions": ("MY",), "postcodes": ("41000",)}, KLANG, IN),
        ({"regions": ("TH",), "postcodes": ("41000",)}, KLANG, OUT),
        ({"regions": ("MY",), "postcodes": ("50000",)}, KLANG, OUT),
        ({"regions": ("TH", "MY")}, KLANG, IN),
        ({"postcodes": ("1*", "4*")}, KLANG, IN),
        ({"regions": ("MY",), "postcodes": ("41000",)}, Place(country="MY"), UNKNOWN),
        ({"regions": ("TH",), "postcodes": ("41000",)}, Place(country="MY"), OUT),
        ({"regions": ("TH", "Selangor")}, Place(country="MY"), UNKNOWN),
    ],
)
def test_each_kind_that_is_given_must_fit_and_of_several_of_one_kind_any(
    kinds: dict[str, tuple[str, ...]], place: Place, fit: Fit
) -> None:
    assert in_area(incident(0, 1, **kinds), place) is fit
