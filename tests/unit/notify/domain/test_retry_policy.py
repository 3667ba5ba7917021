"""Delays double up to a limit; a number of attempts and a time end the retries."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.retry_policy import RetryPolicy, next_attempt_at, retry_delay

NOW = datetime(2026, 9, 24, 8, tzinfo=UTC)
POLICY = RetryPolicy(first_delay=5, max_delay=60, max_attempts=4, give_up_after=300)


@pytest.mark.parametrize(
    ("attempts", "requested", "expected"), [(1, None, 5), (2, None, 10), (5, None, 60), (1, 30, 30), (1, 9000, 60), (3, 1, 20)]
)
def test_delay_doubles_and_respects_the_providers_request(attempts: int, requested: float | None, expected: float) -> None:
    assert retry_delay(POLICY, attempts, requested) == expected


@given(st.integers(1, 10_000))
def test_delay_never_exceeds_its_limit(attempts: int) -> None:
    assert 0 < retry_delay(POLICY, attempts) <= POLICY.max_delay


@pytest.mark.parametrize(
    ("attempts", "age", "retries"), [(1, 0, True), (3, 0, True), (4, 0, False), (9, 0, False), (1, 295, True), (1, 296, False)]
)
def test_message_fails_after_the_last_attempt_or_the_last_instant(attempts: int, age: float, retries: bool) -> None:
    due = next_attempt_at(POLICY, attempts, NOW - timedelta(seconds=age), NOW, delay_seconds=5)
    assert due == (NOW + timedelta(seconds=5) if retries else None)
