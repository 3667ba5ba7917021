"""When a run or share of bad records stops a partition."""

from aiokafka import TopicPartition

from shared.runtime.processing.breaker import Breaker

HERE, THERE = TopicPartition("t", 1), TopicPartition("t", 2)


def test_a_run_of_bad_records_stops_the_partition_and_no_other() -> None:
    breaker = Breaker(run=3, share=0.5)
    assert breaker.judge({HERE: [False, False], THERE: [False]}) == set()
    breaker.remember({HERE: [False, False], THERE: [False]})
    assert breaker.judge({HERE: [False], THERE: [True]}) == {HERE}


def test_a_good_record_ends_the_run() -> None:
    breaker = Breaker(run=3, share=1.0)
    breaker.remember({HERE: [False, False, True]})
    assert breaker.judge({HERE: [False, False]}) == set()


def test_a_large_share_of_the_last_hundred_stops_it_too() -> None:
    breaker = Breaker(run=1000, share=0.5)
    breaker.remember({HERE: [True, False] * 49})
    assert breaker.judge({HERE: [True]}) == set()
    assert breaker.judge({HERE: [True, False]}) == {HERE}


def test_what_was_not_committed_is_not_remembered() -> None:
    breaker = Breaker(run=2, share=1.0)
    assert breaker.judge({HERE: [False]}) == set()
    assert breaker.judge({HERE: [False]}) == set()


def test_a_run_of_zero_switches_it_off() -> None:
    assert Breaker(run=0, share=0.1).judge({HERE: [False] * 500}) == set()
