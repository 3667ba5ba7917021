"""The order of a poll's records, and which of them are processed in parallel."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from shared.runtime.kafka.record import RawRecord

PARALLEL_BATCHES = 2
"""One batch decides while the other one's statements run; more than two wait for the same CPU."""


def merge_by_timestamp(records: Sequence[RawRecord]) -> list[RawRecord]:
    """The records of all topics by their timestamp; the order within each partition is kept."""
    queues: dict[tuple[str, int], list[tuple[int, RawRecord]]] = defaultdict(list)
    for record in records:
        queue = queues[record.topic, record.partition]
        # After a change of leader timestamps can go back: sorted by them alone, records of a partition would change places.
        queue.append((max(record.timestamp_ms, queue[-1][0] if queue else 0), record))
    timestamped = sorted((pair for queue in queues.values() for pair in queue), key=lambda pair: pair[0])
    return [record for _, record in timestamped]


def split_by_partition(records: Sequence[RawRecord]) -> list[list[RawRecord]]:
    """The records in at most two groups of similar length, in order. A partition number, and so a case, is in one group only."""
    lengths = [0] * PARALLEL_BATCHES
    group_of: dict[int, int] = {}
    for partition, count in Counter(record.partition for record in records).most_common():
        group_of[partition] = shortest = lengths.index(min(lengths))
        lengths[shortest] += count
    groups: list[list[RawRecord]] = [[] for _ in range(PARALLEL_BATCHES)]
    for record in records:
        groups[group_of[record.partition]].append(record)
    return [group for group in groups if group]
