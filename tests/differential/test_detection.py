"""Carriers by a number's form, against PyPI's `tracking-numbers`: the same public data, other code.

Theirs also knows the services of a carrier and refuses a number of one that is not listed; ours
does not, since lists of services grow.
"""

from importlib import import_module
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shipclock.domain.detection import POSTS, candidates
from tests.builders import patient

DEFINITIONS: Any = import_module("tracking_numbers._generated").DEFINITIONS
"""Untyped, so imported by name."""

OURS = {
    "United States Postal Service": "USPS",
    "FedEx": "FedEx",
    "UPS": "UPS",
    "DHL": "DHL",
    "Amazon": "Amazon",
    "OnTrac": "OnTrac",
}
LEFT_OUT = {"UPS Mail Innovations - Sequence Number"}
"""A form that ours leaves out: any 18 digits."""

SERVICES = {"Service Type", "Shipper Id"}


def shaped(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


NUMBERS = st.one_of(
    shaped(r"1Z[A-Z0-9]{15}[0-9]"),
    shaped(r"[A-Z]{2}[0-9]{9}(MY|SG|TH|US|GB|CN)"),
    shaped(r"C[0-9]{14}"),
    shaped(r"TBA[0-9]{12}"),
    shaped(r"[0-9]{10,12}"),
    shaped(r"[0-9]{15}"),
    shaped(r"(9[1-6])?[0-9]{20}"),
    shaped(r"420[0-9]{5}9[1-5][0-9]{20}"),
    shaped(r"(1001|9622)[0-9]{30}"),
)


def theirs(number: str) -> tuple[set[str], set[str]]:
    """The carriers whose number it is, and those it may be of a service that is not listed."""
    sure: set[str] = set()
    loose: set[str] = set()
    for definition in DEFINITIONS:
        found: Any = definition.test(number)
        if found is None or found.product.name in LEFT_OUT:
            continue
        carrier = OURS.get(found.courier.name)
        if found.courier.code == "s10":
            carrier = POSTS.get(number[-2:])
        if carrier is None:
            continue
        wrong = {name for name, _ in found.validation_errors}
        if not wrong:
            sure.add(carrier)
        if wrong <= SERVICES:
            loose.add(carrier)
    return sure, loose


@patient
@given(NUMBERS)
def test_what_is_a_carriers_number_there_is_so_here_and_no_check_digit_is_taken_that_fails(
    number: str,
) -> None:
    sure, loose = theirs(number)
    ours = {one.carrier for one in candidates(number) if one.by != "prefix"}
    assert sure <= ours
    assert ours <= loose
