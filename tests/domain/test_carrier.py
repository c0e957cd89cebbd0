"""Whether two names mean the same carrier."""

import pytest

from shipclock.domain.carrier import differ


@pytest.mark.parametrize(
    ("one", "other", "two"),
    [
        ("Synthetic Express", "Synthetic Express", False),
        ("Synthetic Express", "SYNTHETIC-EXPRESS", False),
        ("Synthetic Express", "Synthetic Express MY", False),
        ("Synthetic Express", "Express Synthetic", True),
        ("Synthetic Express", "Other Post", True),
        ("Ninja Van", "Flash Express", True),
        ("J&T Express", "J & T", False),
        ("JNT", "J&T Express (MY)", False),
        ("Pos Laju", "Pos Malaysia", False),
        ("Federal Express", "FedEx Ground", False),
        ("USPS", "UPS", True),
        ("United States Postal Service", "United Parcel Service", True),
        ("Shopee Express", "SPX", False),
        ("SPX Express", "Shopee Express", False),
        ("", "Other Post", False),
        ("-", "Other Post", False),
        ("", "", False),
    ],
)
def test_two_names_differ_only_where_they_certainly_mean_two_carriers(
    one: str, other: str, two: bool
) -> None:
    assert differ(one, other) is differ(other, one) is two
