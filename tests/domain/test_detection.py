"""Which carriers a number may be of: all that its form allows, and nothing more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.detection import FORMS, POSTS, candidates


def named(number: str) -> list[str]:
    return [f"{one.carrier} by {one.by}" for one in candidates(number)]


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("1Z00000000 0000 0001", []),
        ("1Z0000000000000000", ["UPS by check digit"]),
        ("1ZAAAAAA0300000006", ["UPS by check digit"]),
        ("RB000000005MY", ["Pos Malaysia by check digit"]),
        ("rb 000 000 005 us", ["USPS by check digit"]),
        ("RB000000005GB", ["Royal Mail by check digit"]),
        ("RB000000006MY", []),
        ("RB000000005XX", []),
        ("XY000000005MY", []),
        ("TBA000000000000", ["Amazon by form"]),
        ("TBA00000000000A", []),
        ("GM2951173225174494", ["DHL by form"]),
        ("C10000000000004", ["OnTrac by check digit"]),
        ("NVMY000000001", ["Ninja Van by prefix"]),
        ("SPXMY00000000001", ["SPX Express by prefix"]),
        ("630000000000", ["FedEx by check digit"]),
        ("000000000000", ["FedEx by check digit"]),
        ("SYN-000101", []),
        ("", []),
        ("é", []),
    ],
)
def test_a_numbers_form_names_its_carriers(number: str, found: list[str]) -> None:
    assert named(number) == found


def test_plain_digits_are_of_all_that_they_fit_and_never_of_j_and_t() -> None:
    both = [n for n in range(10**9, 10**9 + 2_000) if len(candidates(f"{n}")) > 0]
    assert 150 < len(both) < 450, "about one in seven fits DHL's check digit"
    assert not any("J&T" in one.carrier for n in both for one in candidates(str(n)))


def test_a_form_without_its_check_digit_is_none() -> None:
    for digit in "123456789":
        assert named(f"1Z000000000000000{digit}") == []


@given(st.text())
def test_any_text_has_candidates_or_none_and_each_carrier_once(number: str) -> None:
    found = [one.carrier for one in candidates(number)]
    assert len(found) == len(set(found))
    assert set(found) <= {form.carrier for form in FORMS} | set(POSTS.values())
