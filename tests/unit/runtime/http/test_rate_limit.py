"""Token buckets refill at their rate, may be overdrawn by one batch, and are separate for each key."""

import pytest

from shared.runtime.http.problem import HttpProblem
from shared.runtime.http.rate_limit import RateLimit, TokenBucket


def test_bucket_refills_at_its_rate_and_pays_off_the_debt_of_a_batch() -> None:
    bucket = TokenBucket.full(10, 0)
    bucket.consume(20)
    assert bucket.seconds_until_available(0) == pytest.approx(0.1)
    assert bucket.seconds_until_available(0.1) == 0
    bucket.consume(1000)
    assert bucket.seconds_until_available(0.1) == pytest.approx(100)
    assert bucket.seconds_until_available(1000) == 0
    assert bucket.tokens == 20


def test_rate_limit_refuses_an_empty_bucket_of_one_key_only() -> None:
    limit = RateLimit()
    limit.check("wang", 0.5)
    limit.check("wang", 0.5)  # a check consumes nothing
    limit.consume("wang", 0.5)
    with pytest.raises(HttpProblem) as raised:
        limit.check("wang", 0.5)
    assert raised.value.type.status == 429
    assert raised.value.headers["Retry-After"] == "2"
    limit.check("li", 0.5)


def test_rate_limit_drops_the_least_recently_used_key() -> None:
    limit = RateLimit()
    limit.consume("first", 0.5)
    for number in range(10_000):
        limit.consume(f"key-{number}", 0.5)
    limit.check("first", 0.5)
    with pytest.raises(HttpProblem):
        limit.check("key-9999", 0.5)
