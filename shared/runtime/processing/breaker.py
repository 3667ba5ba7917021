"""The breaker stops a partition with too many failed records, before a whole topic becomes dead letters."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import TopicPartition

_WINDOW = 100


@dataclass
class _PartitionHistory:
    consecutive_failures: int = 0
    recent: deque[bool] = field(default_factory=lambda: deque(maxlen=_WINDOW))

    def with_results(self, results: Sequence[bool]) -> "_PartitionHistory":
        """The history with further results, True for a success."""
        failures, recent = self.consecutive_failures, self.recent.copy()
        for success in results:
            failures = 0 if success else failures + 1
            recent.append(success)
        return _PartitionHistory(failures, recent)


class Breaker:
    """Trips for a partition with `max_consecutive_failures`, or `max_failure_ratio` of its last 100 records, until the process restarts.

    A maximum of 0 consecutive failures switches it off.
    """

    def __init__(self, max_consecutive_failures: int, max_failure_ratio: float) -> None:
        self._max_consecutive_failures = max_consecutive_failures
        self._max_failure_ratio = max_failure_ratio
        self._histories: dict[TopicPartition, _PartitionHistory] = {}
        self.stopped_partitions: set[TopicPartition] = set()

    def would_trip(self, results_by_partition: Mapping[TopicPartition, Sequence[bool]]) -> set[TopicPartition]:
        """The partitions that these results would stop; does not record them."""
        return {
            partition for partition, results in results_by_partition.items() if self._trips(self._history(partition).with_results(results))
        }

    def record_results(self, results_by_partition: Mapping[TopicPartition, Sequence[bool]]) -> None:
        """Record results that have been committed."""
        for partition, results in results_by_partition.items():
            self._histories[partition] = self._history(partition).with_results(results)

    def _history(self, partition: TopicPartition) -> _PartitionHistory:
        return self._histories.get(partition) or _PartitionHistory()

    def _trips(self, history: _PartitionHistory) -> bool:
        if self._max_consecutive_failures == 0:
            return False
        failures = history.recent.count(False)
        return history.consecutive_failures >= self._max_consecutive_failures or (
            len(history.recent) == _WINDOW and failures >= self._max_failure_ratio * _WINDOW
        )
