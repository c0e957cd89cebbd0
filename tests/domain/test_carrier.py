"""Whether two names mean the same carrier."""

import pytest

from shipclock.domain.carrier import ALIASES, MARKETS, differ, known_as, names_of


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


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("J&T Express (MY)", "J&T Express"),
        ("J & T", "J&T Express"),
        ("jtexpress-my", "J&T Express"),
        ("ninjavan-my", "Ninja Van"),
        ("NinjaVan", "Ninja Van"),
        ("Pos Laju", "Pos Malaysia"),
        ("UPS Ground", "UPS"),
        ("USPS", "USPS"),
        ("Upsilon Freight", "upsilonfreight"),
        ("DHL eCommerce Asia", "DHL eCommerce"),
        ("DHL Express", "dhlexpress"),
        ("Synthetic Express", "syntheticexpress"),
        ("SYNTHETIC-EXPRESS", "syntheticexpress"),
        ("Synthetic_Express", "syntheticexpress"),
        ("Synthetic Express MY", "syntheticexpress"),
        ("Synthetic Express (ph)", "syntheticexpress"),
        ("Synthetic MY", "synthetic"),
        ("Synthetic Express Plus", "syntheticexpressplus"),
        ("Synthetic Express MYX", "syntheticexpressmyx"),
        ("MY Synthetic", "mysynthetic"),
        ("MY", "my"),
        ("Expr\u00e9s 7", "expr\u00e9s7"),
        ("-", ""),
        ("", ""),
    ],
)
def test_a_carrier_is_counted_under_one_name(name: str, known: str) -> None:
    assert known_as(name) == known


def test_every_alias_and_our_own_name_for_it_are_counted_under_that() -> None:
    for ours, group in ALIASES.items():
        assert {known_as(name) for name in (ours, *group)} == {ours}
        assert names_of(ours) == group


@pytest.mark.parametrize("market", sorted(MARKETS))
def test_names_counted_together_never_mean_two_carriers(market: str) -> None:
    for name in (*ALIASES, "Synthetic Express"):
        assert known_as(f"{name} {market}") == known_as(name)
        assert not differ(f"{name} {market}", name)
