"""A poll's records are merged by timestamp and split into groups of partitions of similar length."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.kafka.record import RawRecord
from shared.runtime.processing.scheduling import merge_by_timestamp, split_by_partition
from tests.support.messaging.cloud_events import raw_record


def record(partition: int, offset: int, timestamp_ms: int = 0, topic: str = "t") -> RawRecord:
    return raw_record(topic, partition=partition, offset=offset, timestamp_ms=timestamp_ms)


@given(st.lists(st.integers(0, 23), max_size=300))
def test_each_partition_is_in_one_group_in_order_and_groups_are_of_similar_length(partitions: list[int]) -> None:
    records = [record(partition, offset) for offset, partition in enumerate(partitions)]
    groups = split_by_partition(records)
    assert sorted(r.offset for group in groups for r in group) == list(range(len(records)))
    assert all(a.offset < b.offset for group in groups for a, b in pairwise(group))
    partitions_of_groups = [{r.partition for r in group} for group in groups]
    assert sum(map(len, partitions_of_groups)) == len(set(partitions))
    largest = max(Counter(partitions).values(), default=0)
    lengths = sorted(map(len, groups))
    assert len(lengths) == min(2, len(set(partitions)))
    assert not lengths or lengths[-1] - (lengths[0] if len(lengths) > 1 else 0) <= largest


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 2), st.integers(0, 50)), max_size=100))
def test_merged_records_keep_the_order_of_their_partition_whatever_their_timestamps(drawn: list[tuple[str, int, int]]) -> None:
    records = [record(partition, offset, timestamp, topic) for offset, (topic, partition, timestamp) in enumerate(drawn)]
    merged = merge_by_timestamp(records)
    assert Counter(r.offset for r in merged) == Counter(range(len(records)))
    for name in {(r.topic, r.partition) for r in records}:
        offsets = [r.offset for r in merged if (r.topic, r.partition) == name]
        assert offsets == sorted(offsets)


def test_records_of_different_topics_are_merged_by_timestamp() -> None:
    records = [record(1, 0, 10, "a"), record(1, 1, 30, "a"), record(1, 0, 20, "b"), record(1, 1, 40, "b")]
    assert [(r.topic, r.timestamp_ms) for r in merge_by_timestamp(records)] == [("a", 10), ("b", 20), ("a", 30), ("b", 40)]
