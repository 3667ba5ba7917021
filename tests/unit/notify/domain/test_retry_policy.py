"""Waits double up to a limit; attempts and patience end them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.retry_policy import RetryPolicy, next_attempt_at, retry_delay

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
POLICY = RetryPolicy(first_delay=5, max_delay=60, max_attempts=4, give_up_after=300)


@pytest.mark.parametrize(
    ("attempts", "asked", "expected"), [(1, None, 5), (2, None, 10), (5, None, 60), (1, 30, 30), (1, 9000, 60), (3, 1, 20)]
)
def test_delay(attempts: int, asked: float | None, expected: float) -> None:
    assert retry_delay(POLICY, attempts, asked) == expected


@given(st.integers(1, 10_000))
def test_no_number_of_attempts_breaks_the_limit(attempts: int) -> None:
    assert 0 < retry_delay(POLICY, attempts) <= POLICY.max_delay


@pytest.mark.parametrize(
    ("attempts", "age", "goes_on"), [(1, 0, True), (3, 0, True), (4, 0, False), (9, 0, False), (1, 295, True), (1, 296, False)]
)
def test_attempts_and_patience_end(attempts: int, age: float, goes_on: bool) -> None:
    due = next_attempt_at(POLICY, attempts, NOW - timedelta(seconds=age), NOW, delay_seconds=5)
    assert due == (NOW + timedelta(seconds=5) if goes_on else None)
