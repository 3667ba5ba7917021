"""When a run or share of bad records stops a partition."""

from aiokafka import TopicPartition

from shared.runtime.processing.breaker import Breaker

HERE, THERE = TopicPartition("t", 1), TopicPartition("t", 2)


def test_a_run_of_bad_records_stops_the_partition_and_no_other() -> None:
    breaker = Breaker(max_consecutive_failures=3, max_failure_ratio=0.5)
    assert breaker.would_trip({HERE: [False, False], THERE: [False]}) == set()
    breaker.record_results({HERE: [False, False], THERE: [False]})
    assert breaker.would_trip({HERE: [False], THERE: [True]}) == {HERE}


def test_a_good_record_ends_the_run() -> None:
    breaker = Breaker(max_consecutive_failures=3, max_failure_ratio=1.0)
    breaker.record_results({HERE: [False, False, True]})
    assert breaker.would_trip({HERE: [False, False]}) == set()


def test_a_large_share_of_the_last_hundred_stops_it_too() -> None:
    breaker = Breaker(max_consecutive_failures=1000, max_failure_ratio=0.5)
    breaker.record_results({HERE: [True, False] * 49})
    assert breaker.would_trip({HERE: [True]}) == set()
    assert breaker.would_trip({HERE: [True, False]}) == {HERE}


def test_what_was_not_committed_is_not_remembered() -> None:
    breaker = Breaker(max_consecutive_failures=2, max_failure_ratio=1.0)
    assert breaker.would_trip({HERE: [False]}) == set()
    assert breaker.would_trip({HERE: [False]}) == set()


def test_a_run_of_zero_switches_it_off() -> None:
    assert Breaker(max_consecutive_failures=0, max_failure_ratio=0.1).would_trip({HERE: [False] * 500}) == set()
