"""The order's own deadline fields."""

import pytest

from shipclock.domain.fields import FIELDS, HARD, LEGACY, METRIC, counts


def test_the_tables_have_no_field_twice() -> None:
    assert len(FIELDS) == len(HARD) + len(METRIC) + len(LEGACY)


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_counts_where_the_order_carries_it(name: str) -> None:
    assert counts(name, {name})
    assert not counts(name, set())
    assert counts(name, {name, *METRIC})


@pytest.mark.parametrize("hard", HARD)
def test_the_old_field_counts_only_where_no_hard_line_is_given(hard: str) -> None:
    (legacy,) = LEGACY
    assert not counts(legacy, {legacy, hard})
    assert counts(hard, {legacy, hard})
