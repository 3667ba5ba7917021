"""Quantiles by rank, as a person would count them."""

import pytest

from tests.bench.measuring.tables import quantile


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_quantile_is_the_smallest_value_that_enough_values_do_not_exceed(share: float, expected: int) -> None:
    assert quantile(list(range(100, 0, -1)), share) == expected


def test_quantile_of_nothing_is_zero() -> None:
    assert quantile([], 0.99) == 0
