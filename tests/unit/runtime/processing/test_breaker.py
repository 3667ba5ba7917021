"""The breaker stops a partition after too many failed records."""

from aiokafka import TopicPartition

from shared.runtime.processing.breaker import Breaker

PARTITION, OTHER = TopicPartition("t", 1), TopicPartition("t", 2)


def test_consecutive_failures_stop_their_partition_only() -> None:
    breaker = Breaker(max_consecutive_failures=3, max_failure_ratio=0.5)
    assert breaker.would_trip({PARTITION: [False, False], OTHER: [False]}) == set()
    breaker.record_results({PARTITION: [False, False], OTHER: [False]})
    assert breaker.would_trip({PARTITION: [False], OTHER: [True]}) == {PARTITION}


def test_a_success_resets_the_consecutive_failures() -> None:
    breaker = Breaker(max_consecutive_failures=3, max_failure_ratio=1.0)
    breaker.record_results({PARTITION: [False, False, True]})
    assert breaker.would_trip({PARTITION: [False, False]}) == set()


def test_a_large_ratio_of_the_last_100_records_stops_the_partition() -> None:
    breaker = Breaker(max_consecutive_failures=1000, max_failure_ratio=0.5)
    breaker.record_results({PARTITION: [True, False] * 49})
    assert breaker.would_trip({PARTITION: [True]}) == set()
    assert breaker.would_trip({PARTITION: [True, False]}) == {PARTITION}


def test_results_that_were_not_recorded_do_not_count() -> None:
    breaker = Breaker(max_consecutive_failures=2, max_failure_ratio=1.0)
    assert breaker.would_trip({PARTITION: [False]}) == set()
    assert breaker.would_trip({PARTITION: [False]}) == set()


def test_zero_consecutive_failures_switch_the_breaker_off() -> None:
    assert Breaker(max_consecutive_failures=0, max_failure_ratio=0.1).would_trip({PARTITION: [False] * 500}) == set()
