"""Buckets fill at their rate, may be overdrawn once and are kept for each key."""

import pytest

from shared.runtime.http.rate_limit import RateLimit, TokenBucket


def test_a_bucket_lets_a_rate_through_and_is_paid_off_after_a_batch() -> None:
    bucket = TokenBucket.full(10, 0)
    bucket.consume(20)
    assert bucket.seconds_until_available(0) == pytest.approx(0.1)
    assert bucket.seconds_until_available(0.1) == 0
    bucket.consume(1000)
    assert bucket.seconds_until_available(0.1) == pytest.approx(100)
    assert bucket.seconds_until_available(1000) == 0
    assert bucket.tokens == 20


def test_each_key_has_a_bucket_of_its_own() -> None:
    limit = RateLimit()
    assert [limit.try_acquire("wang", 0.5) for _ in range(2)] == [True, False]
    assert limit.try_acquire("li", 0.5)
