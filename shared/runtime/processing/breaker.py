"""Stops a partition whose records go bad in a run or in bulk, before a whole topic ends as dead letters."""

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
        """The history with further outcomes, True for a good record."""
        run, recent = self.consecutive_failures, self.recent.copy()
        for good in results:
            run = 0 if good else run + 1
            recent.append(good)
        return _PartitionHistory(run, recent)


class Breaker:
    """Judges each partition by its bad records; `run` in a row or `share` of the last 100 stop it until the process restarts."""

    def __init__(self, max_consecutive_failures: int, max_failure_ratio: float) -> None:
        self._max_consecutive_failures = max_consecutive_failures
        self._max_failure_ratio = max_failure_ratio
        self._histories: dict[TopicPartition, _PartitionHistory] = {}
        self.stopped_partitions: set[TopicPartition] = set()

    def would_trip(self, outcomes: Mapping[TopicPartition, Sequence[bool]]) -> set[TopicPartition]:
        """The partitions that these outcomes would stop; nothing is remembered yet."""
        return {partition for partition, results in outcomes.items() if self._trips(self._history(partition).with_results(results))}

    def record_results(self, outcomes: Mapping[TopicPartition, Sequence[bool]]) -> None:
        """Count outcomes that have been committed."""
        for partition, results in outcomes.items():
            self._histories[partition] = self._history(partition).with_results(results)

    def _history(self, partition: TopicPartition) -> _PartitionHistory:
        return self._histories.get(partition) or _PartitionHistory()

    def _trips(self, history: _PartitionHistory) -> bool:
        if self._max_consecutive_failures == 0:
            return False
        bad = history.recent.count(False)
        return history.consecutive_failures >= self._max_consecutive_failures or (
            len(history.recent) == _WINDOW and bad >= self._max_failure_ratio * _WINDOW
        )
