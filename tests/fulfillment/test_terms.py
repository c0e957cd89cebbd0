"""A seller's terms as he writes them: what is read, what is refused and how that is told."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from shipclock.fulfillment.audit import FIGURES, Verdict, audit
from shipclock.fulfillment.scorecards import Tally
from shipclock.fulfillment.terms import AT_LEAST, AT_MOST, Terms, TermsError, parse_terms, terms_for
from tests.builders import scan
from tests.fulfillment.parcels import CARRIER, LANE, parcel

HEAD = '[[terms]]\ncarrier = "J&T Express"\nfrom = 2026-01-01\n'
DAY = date(2026, 11, 10)


def agreed(text: str) -> Terms:
    """One table of terms that begins with `HEAD`."""
    (terms,) = parse_terms(HEAD + text, "terms.toml").terms
    return terms


def test_all_that_can_be_agreed_is_read_exactly() -> None:
    text = """
        lane = "MY/SELLER/*"
        until = 2027-01-01
        minimum = 50
        transit_days = 3
        on_time = 0.95
        within_transit_days = 0.9
        first_attempt = 1
        proof = 0
        attempts = 1.25
        loss = 0.002
        damage = 0.001
        returned = 0.05
        transit_p50_hours = 0.5
        transit_p90_hours = 72.5
        latency_p50_minutes = 0.5
        latency_p90_minutes = 60
    """
    terms = agreed(text)
    assert (terms.since, terms.until) == (date(2026, 1, 1), date(2027, 1, 1))
    assert (terms.lane, terms.minimum, terms.transit_days) == ("MY/SELLER/*", 50, 3)
    assert terms.asked["loss"] == Decimal("0.002")
    assert terms.asked["transit_p90_hours"] == Decimal("72.5")
    assert set(terms.asked) == {*AT_LEAST, *AT_MOST}


def test_each_figure_that_can_be_agreed_can_be_judged() -> None:
    assert tuple(FIGURES) == (*AT_LEAST, *AT_MOST)


def test_nothing_is_judged_over_fewer_than_thirty_unless_the_file_says_otherwise() -> None:
    assert parse_terms(f"{HEAD}loss = 0", "t").minimum == 30
    assert parse_terms(f"minimum = 5\n{HEAD}loss = 0", "t").minimum == 5


SHARE = "accepted: a share from 0 to 1, such as 0.95"
WRONG = {
    "on_time = 95": f"line 4: on_time of terms 1 is 95; {SHARE}.",
    "\n\non_time = 1.0000001": f"line 6: on_time of terms 1 is 1.0000001; {SHARE}.",
    "loss = -0.1": f"line 4: loss of terms 1 is -0.1; {SHARE}.",
    'loss = "0.1"': f"line 4: loss of terms 1 is '0.1'; {SHARE}.",
    "loss = true": f"line 4: loss of terms 1 is True; {SHARE}.",
    "loss = nan": f"line 4: loss of terms 1 is NaN; {SHARE}.",
    "loss = 1e-999999999": f"line 4: loss of terms 1 is 1E-999999999; {SHARE}.",
    "loss = []": f"line 4: loss of terms 1 is []; {SHARE}.",
    "ontime = 0.9\nloss = 0": "line 4: ontime of terms 1 is no key; accepted: carrier, lane, from,",
    "attempts = 0.9": "accepted: a mean from 1 to 100, such as 1.2.",
    "attempts = 100.1": "accepted: a mean from 1 to 100, such as 1.2.",
    "transit_p90_hours = 0": "accepted: hours up to 8784, such as 72.",
    "latency_p90_minutes = 0": "accepted: minutes up to 527040, such as 90.",
    "transit_days = 3.5\nloss = 0": "transit_days of terms 1 is 3.5; accepted: whole days from 0",
    "transit_days = 366\nloss = 0": "accepted: whole days from 0 to 365, such as 3.",
    "minimum = 0\nloss = 0": "line 4: minimum of terms 1 is 0; accepted: a whole number from 1",
    'lane = "*/X"\nloss = 0': "lane of terms 1 is '*/X'; accepted: a lane as the scorecard shows",
    'lane = ""\nloss = 0': "lane of terms 1 is ''; accepted: a lane",
    "until = 2026-01-01\nloss = 0": "until: a day later than `from`, 2026-01-01, is needed",
    'until = "2027"\nloss = 0': "until of terms 1 is '2027'; accepted: the day after the last",
    "until = 2027-01-01T00:00:00\nloss = 0": "accepted: the day after the last",
    "within_transit_days = 0.9": "transit_days, such as 3, is needed beside it",
    "": "line 1: terms 1: nothing is agreed: name one of on_time, within_transit_days,",
    'loss = 0\n[[terms]]\ncarrier = "JNT"\nfrom = 2026-01-01\nloss = 1': (
        "line 5: terms 2 are for the carrier, lane and `from` of terms 1; accepted: each once."
    ),
    "loss = 0\n[[terms]]\nloss = 2": f"line 6: loss of terms 2 is 2; {SHARE}.",
    "loss = 0\n[[terms]]\nloss = 1": "line 5: carrier of terms 2 is missing; accepted: the carrier",
    "loss =": "terms.toml is not TOML:",
    f"loss = {'9' * 5000}": "terms.toml is not TOML:",
    f"loss = {'[' * 5000}": "terms.toml is not TOML:",
    f"loss = 1e{'9' * 30}": "terms.toml: it has a number that is out of all bounds.",
}


@pytest.mark.parametrize(("text", "told"), WRONG.items(), ids=list(WRONG))
def test_what_is_wrong_is_told_with_file_line_key_and_what_is_accepted(
    text: str, told: str
) -> None:
    with pytest.raises(TermsError) as caught:
        parse_terms(HEAD + text, "terms.toml")
    assert told in str(caught.value)
    assert str(caught.value).startswith("terms.toml")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "terms is missing; accepted: tables of terms, each begun by a line [[terms]]"),
        ("terms = []", "there are no terms; begin each by a line [[terms]]"),
        ("terms = 3", "line 1: terms is 3; accepted: tables of terms"),
        ("terms = [3]", "terms 1 is 3; accepted: a table of carrier, lane,"),
        ('[terms]\ncarrier = "X"', "terms is {'carrier': 'X'}; accepted: tables of terms"),
        ("minimum = 0\n" + HEAD + "loss = 0", "line 1: minimum is 0; accepted: a whole number"),
        ("colour = 1\n" + HEAD + "loss = 0", "line 1: colour is no key; accepted: minimum, terms"),
        ('[[terms]]\ncarrier = "&"\nfrom = 2026-01-01\nloss = 0', "line 1: terms 1: carrier: a"),
        ("[[terms]]\ncarrier = 5\nfrom = 2026-01-01\nloss = 0", "line 2: carrier of terms 1 is 5"),
        ('[[terms]]\ncarrier = "X"\nloss = 0', "line 1: from of terms 1 is missing; accepted: the"),
    ],
)
def test_a_file_that_is_wrong_as_a_whole_is_told_too(text: str, told: str) -> None:
    with pytest.raises(TermsError) as caught:
        parse_terms(text, "terms.toml")
    assert told in str(caught.value)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(TermsError) as caught:
        parse_terms(f"{HEAD}loss = 2\n{HEAD}damage = 2\nproof = 2", "terms.toml")
    lines = str(caught.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "terms.toml, line 4",
        "terms.toml, line 9",
        "terms.toml, line 8",
    ]


# Which terms a parcel is judged by


def test_terms_are_those_of_their_carrier_whatever_it_is_called() -> None:
    terms = agreed("loss = 0")
    assert terms.covers("J&T Express", LANE, DAY)
    assert not terms.covers("Ninja Van", LANE, DAY)
    assert not terms.covers("", LANE, DAY)


@pytest.mark.parametrize(
    ("lane", "covered"),
    [
        ("*", True),
        ("MY/SELLER/-/-", True),
        ("MY/SELLER/*", True),
        ("MY/SELLER/-/-*", True),
        ("MY/SELLER/-", False),
        ("MY/TIKTOK/*", False),
        ("SG*", False),
    ],
)
def test_a_lane_is_named_whole_or_by_its_beginning(lane: str, covered: bool) -> None:
    assert agreed(f'lane = "{lane}"\nloss = 0').covers("J&T Express", LANE, DAY) is covered


@pytest.mark.parametrize(
    ("day", "in_force"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 12, 31), True),
        (date(2027, 1, 1), False),
    ],
)
def test_terms_hold_from_their_first_day_to_the_day_before_until(day: date, in_force: bool) -> None:
    terms = agreed("until = 2027-01-01\nloss = 0")
    assert terms.covers("J&T Express", LANE, day) is in_force


def test_a_parcel_is_judged_by_the_terms_that_name_its_lane_most_closely_then_the_newest() -> None:
    text = "".join(
        f'[[terms]]\ncarrier = "{CARRIER}"\nlane = "{lane}"\nfrom = {since}\nloss = 0\n'
        for lane, since in [
            ("*", "2026-01-01"),
            ("*", "2026-06-01"),
            ("MY/*", "2026-02-01"),
            ("MY/*", "2026-12-01"),
            ("MY/SELLER/-/-", "2026-01-01"),
            ("MY/SELLER/-/-*", "2026-06-01"),
        ]
    )
    terms = parse_terms(text, "t").terms

    def chosen(lane: str, day: date = DAY) -> int | None:
        found = terms_for(terms, "syntheticexpress", lane, day)
        return terms.index(found) if found else None

    assert chosen("SG/SELLER/-/-") == 1
    assert chosen("SG/SELLER/-/-", date(2026, 5, 31)) == 0
    assert chosen("MY/TIKTOK/-/-") == 2
    assert chosen("MY/TIKTOK/-/-", date(2026, 12, 1)) == 3
    assert chosen("MY/SELLER/-/-") == 4
    assert chosen("MY/SELLER/-/-", date(2025, 1, 1)) is None


# Judged


def lost(count: int, of: int) -> Tally:
    """So many lost parcels among others that were delivered."""
    tally = Tally()
    for n in range(of):
        end = scan("lost" if n < count else "delivered", 30)
        tally.add(parcel(scan("picked_up", 0), end), None)
    return tally


@pytest.mark.parametrize(
    ("text", "count", "of", "verdict"),
    [
        ("loss = 0.05", 1, 20, Verdict.MET),
        ("loss = 0.049999999", 1, 20, Verdict.MISSED),
        ("loss = 0.05", 2, 20, Verdict.MISSED),
        ("loss = 0.05", 19, 19, Verdict.TOO_FEW),
        ("loss = 0.05\nminimum = 19", 19, 19, Verdict.MISSED),
        ("loss = 0.05", 0, 0, Verdict.TOO_FEW),
        ("first_attempt = 1", 1, 20, Verdict.TOO_FEW),  # the lost one was never attempted
        ("first_attempt = 1\nminimum = 19", 1, 20, Verdict.MET),
        ("proof = 0\nminimum = 1", 1, 20, Verdict.MET),
        ("proof = 0.000000001\nminimum = 1", 1, 20, Verdict.MISSED),
        ("transit_p90_hours = 30\nminimum = 1", 1, 20, Verdict.MET),
        ("transit_p90_hours = 29.999999\nminimum = 1", 1, 20, Verdict.MISSED),
        ("attempts = 1\nminimum = 1", 1, 20, Verdict.MET),
        ("latency_p90_minutes = 1\nminimum = 1", 1, 20, Verdict.TOO_FEW),
    ],
)
def test_a_figure_is_met_missed_or_over_too_few(
    text: str, count: int, of: int, verdict: Verdict
) -> None:
    terms = agreed(text)
    card = lost(count, of).card("J&T Express", "*")
    (found,) = audit(terms, card, terms.minimum or 20).findings
    assert found.verdict == verdict


def test_a_finding_tells_the_exact_value_and_over_how_many_it_is() -> None:
    (found,) = audit(agreed("loss = 0.3"), lost(1, 3).card("", "*"), 3).findings
    assert (found.value, found.of, found.asked) == (Fraction(1, 3), 3, Decimal("0.3"))
    assert (found.verdict, found.at_least) == (Verdict.MISSED, False)
